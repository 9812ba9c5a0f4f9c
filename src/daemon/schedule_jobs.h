/*
 * Which jobs of each schedule the next of it may overlap with: found by its name, whether it
 * is still defined or not. Kept by the table of jobs. Loop thread only.
 *
 * A job that is held does not count: nothing of it goes on, and nobody may ever release it.
 * So is one that a shutdown or a crash has ended, by default (on-reboot, on-lost); were it
 * counted, its schedule would stand still from then on.
 */
#ifndef DAEMON_SCHEDULE_JOBS_H
#define DAEMON_SCHEDULE_JOBS_H

#include <stddef.h>
#include <stdint.h>

#include "job/state.h"

struct job;
struct schedule_jobs;

int schedule_jobs_new(struct schedule_jobs **ret);
struct schedule_jobs *schedule_jobs_free(struct schedule_jobs *sj);
/* called when a schedule has one less */
void schedule_jobs_on_end(
	struct schedule_jobs *sj, void (*fn)(const char *name, void *arg), void *arg);

/* does a job count that is in this state? */
static inline bool schedule_jobs_counts(enum job_state state)
{
	return state != JOB_FINISHED && state != JOB_HELD;
}

/* A job that a schedule made counts, from now on or again. 0, -ENOMEM */
int schedule_jobs_add(struct schedule_jobs *sj, const struct job *j);
/* it has ended, is held, or is forgotten; one that is not in it is fine */
void schedule_jobs_remove(struct schedule_jobs *sj, const struct job *j);

/* Their ids, in no order, valid until one comes or goes; *ret_n may be 0. */
const uint64_t *schedule_jobs_ids(
	const struct schedule_jobs *sj, const char *name, size_t *ret_n);

#endif
