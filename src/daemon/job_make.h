/*
 * Jobs that nobody submits: those that the daemon makes by itself, of a user. Those of
 * schedules pass the same checks and limits as those of Submit.
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
/* The same without checks and limits: a callback, for which its maker sees to them. 0,
 * -ENOMEM */
int job_make_own(struct job **ret, struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid);
/* of one that did not come into the table */
struct job *job_unmake(struct core *core, struct job *j);

/* Its insert with that id into the txn, to which the job belongs until that is over. 0,
 * -ENOMEM */
int job_make_record(struct job *j, uint64_t id, struct txn *t);
/* Ids for them, and their inserts into the txn. *ret_reserved as of jobs_take_ids. 0, -ENOMEM */
int jobs_make_record(struct core *core, struct job *const *jobs, size_t n,
	uint64_t *ret_reserved, struct txn *t);
/* It was committed: into the table, which owns it then. Where memory is short it is there
 * after the next start. */
void job_make_publish(struct core *core, struct job *j);

#endif
