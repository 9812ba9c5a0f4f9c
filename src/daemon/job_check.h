/*
 * What a job may be: of whom, what it asks for of this machine, and how many there may be.
 * The same for jobs that are submitted and for those that the daemon makes by itself.
 */
#ifndef DAEMON_JOB_CHECK_H
#define DAEMON_JOB_CHECK_H

#include "job/spec.h"

struct core;

/* on whose behalf */
struct job_maker {
	uint32_t uid;
	bool is_admin; /* an administrator has decided on it */
	/* of a section of a configuration that may not hold yet: what it names there was
	 * checked with it */
	bool is_section;
};

/**
 * May there be a new job of this spec, which has passed job_spec_check?
 *
 * Returns 0; -EINVAL, or -EACCES where it is root's alone, with *ret_field, and
 * *ret_message malloc'd; -ENOMEM.
 */
int job_check(struct core *core, const struct job_spec *spec,
	const struct job_maker *maker, enum job_field *ret_field, char **ret_message);

/* The part of it that is about the environment that it names: is it there, and for whoever is
 * behind the job? 0; -EINVAL, -EACCES with *ret_message, malloc'd; -ENOMEM */
int job_check_environment(const struct core *core, const struct job_spec *spec,
	const struct job_maker *maker, char **ret_message);

/* May there be n more unfinished jobs of that user? 0; -RV_ELIMIT with the limit. */
int job_check_limits(const struct core *core, uint32_t uid, size_t n,
	const char **ret_key, int64_t *ret_max);

#endif
