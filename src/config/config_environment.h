/*
 * What [environment NAME] sections say: a setting for jobs, which name it with `environment`.
 *
 * An environment gives job fields (cwd, umask, nice, rlimits), which hold where the job does
 * not say them itself, and variables, as a list that may have steps (job/env_steps.h). What
 * counts, the later over the earlier: the caller's, [defaults], the environment, and what the
 * job itself says. An environment is put together from those that it inherits, each of which
 * comes once, before it; of one section env comes first, then env-file, path, virtualenv.
 */
#ifndef CONFIG_CONFIG_ENVIRONMENT_H
#define CONFIG_CONFIG_ENVIRONMENT_H

#include "config/configuration.h"

/* an environment and all that it builds on */
#define ENVIRONMENT_LINEAGE_MAX 64

/* A job field that such a section may have, by its key; negative -ENOENT */
int environment_field_by_key(const char *key);

struct environment_lineage {
	const struct config_named
		*v[ENVIRONMENT_LINEAGE_MAX]; /* the one itself is the last */
	size_t n;
};
/* 0; -ENOENT: there is none of that name, or one that it names is not there; -RV_ELIMIT. In a
 * configuration that was loaded all that is named is there, and few enough. */
int environment_lineage_get(
	struct environment_lineage *ret, const struct config *c, const char *name);

/* what a job says by itself, before anything is put beneath it */
struct environment_said {
	uint64_t set; /* as of job_spec */
	size_t n_env; /* variables of its own, which are the last of its env */
};
struct environment_said environment_said_of(const struct job_spec *spec);

/**
 * What the environment gives that the spec names, in the place of what the defaults and the
 * caller gave; of env only the job's own stays, for all others come with its environment.
 *
 * @spec  whole, with the defaults in it
 *
 * Returns 1; 0: it names none, or one that is not there, or is a function; -ENOMEM.
 */
int environment_put(struct job_spec *spec, const struct config *c,
	const struct environment_said *said);
/* Its variables, to the end of a list that has those of the caller: first those of [defaults].
 * 0, -ENOENT, -ENOMEM */
int environment_variables(char ***list, const struct config *c, const char *name);

/* Whoever submits a job may name it: a user of the system's daemon who is none of its
 * administrators. */
bool environment_is_for(const struct config_named *environment, uint32_t uid);

/* There is no such environment: what to say of it, malloc'd; NULL: out of memory. */
char *environment_unknown(const struct config *c, const char *name);

/* all sections, and who their users are; used by config_validate. Blocks. */
void config_check_environments(struct config *c, struct config_errors *errors);
/* The files that they name: is each of the form that it is to have, and there? Not a part of
 * config_load: what is not there today is no reason not to start. Blocks. */
void config_look_at_environments(const struct config *c, struct config_errors *errors);

#endif
