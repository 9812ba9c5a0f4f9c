/*
 * Which of the caller's variables a job gets (env-pass, env-drop). Pure.
 */
#ifndef JOB_ENV_FILTER_H
#define JOB_ENV_FILTER_H

#include "reeve/base.h"

/* does the name of a variable match one of the patterns (fnmatch(3))? */
bool env_name_matches(const char *name, char *const *globs);

/**
 * Entries of an environment that are left after the filters.
 *
 * @ret   the caller's, NULL-terminated; never NULL on success
 * @pass  only variables that match one of these; NULL or empty: see pass_all
 * @drop  none that match one of these; also takes back what pass lets through
 * @pass_all  true in user mode: all pass whatever @pass says
 *
 * Entries without '=' are left out. Returns 0, -ENOMEM.
 */
int env_filter(char ***ret, char *const *env, char *const *pass, char *const *drop,
	bool pass_all);

#endif
