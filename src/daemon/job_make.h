/*
 * Jobs that nobody submits: those that the daemon makes by itself, of a user. They pass the
 * same checks and limits as those of Submit.
 */
#ifndef DAEMON_JOB_MAKE_H
#define DAEMON_JOB_MAKE_H

#include "daemon/job.h"

struct core;
struct txn;

/**
 * A job that is in no table yet and has no id.
 *
 * @spec         whole, with the defaults in it; has passed job_spec_check
 * @n_expected   of this user, made but not in the table yet: they count for the limits
 * @ret_message  why not, for people, malloc'd; NULL when out of memory
 *
 * Returns 0; -EINVAL, -RV_ELIMIT with the message; -ENOMEM.
 */
int job_make(struct job **ret, struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid, size_t n_expected, char **ret_message);
/* May this user have the function of the spec called, with its arguments? 0; -EINVAL with a
 * message, -ENOMEM */
int job_check_function(struct core *core, const struct job_spec *spec, uint32_t uid,
	char **ret_message);
/* of one that did not come into the table */
struct job *job_unmake(struct core *core, struct job *j);

/* Ids for them, and their inserts into the txn. *ret_reserved as of jobs_take_ids. 0, -ENOMEM */
int jobs_make_record(struct core *core, struct job *const *jobs, size_t n,
	uint64_t *ret_reserved, struct txn *t);
/* It was committed: into the table, which owns it then. Where memory is short it is there
 * after the next start. */
void job_make_publish(struct core *core, struct job *j);

#endif
