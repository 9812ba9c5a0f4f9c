/*
 * Jobs that wait for others: who waits for whom, and what becomes of those who wait when a
 * job ends.
 *
 * What a job waits for is in its spec, as ids (job/deps.h). The other direction is kept in
 * memory, with the job that is waited for. When the end of a job is published a task looks
 * at those who name it: whose condition is met is queued, which follows from the records and
 * is not recorded; whose condition cannot hold any more is skipped, and so on down the line,
 * in one transaction. After a start all that wait are looked at.
 *
 * A finished job that one needs which has not started yet is not removed. The record of one
 * that nobody needed may be gone when somebody is run again: it holds up nobody then.
 *
 * A job of a service stands for the service as a whole: what waits for it waits until all
 * instances are ready, and is skipped where the service is gone from the configuration.
 *
 * Loop thread only.
 */
#ifndef DAEMON_DEPENDENTS_H
#define DAEMON_DEPENDENTS_H

#include "daemon/job.h"
#include "job/deps.h"
#include "reeve/sync.h"

struct core;
struct dependents;

/* of a job that somebody names */
struct job_edges {
	uint32_t n, n_max;
	uint32_t n_needing;  /* times that it is named by jobs that have not started */
	uint32_t n_promised; /* and by what is being recorded just now */
	uint32_t n_walks; /* tasks that go through ids: none are taken out meanwhile */
	uint64_t ids[];   /* who; some may name it no more, or be gone */
};

int dependents_new(struct dependents **ret, struct core *core);
struct dependents *dependents_free(struct dependents *d);
/* The table is loaded: who waits for whom. 0, -ENOMEM */
int dependents_load(struct dependents *d);
/* the task that looks; a service task */
int dependents_main(void *dependents);

/* ---- who names whom ----------------------------------------------------------------- */

/* Somebody that is being recorded will name this job: there is room for that, and it is not
 * removed, until the promise ends. 0, -ENOMEM, -RV_ELIMIT */
int dependents_promise(struct core *core, struct job *on);
void dependents_end_promise(struct job *on);
/* The job is in the table. Each job there that it names has a promise for each time that it
 * does; the promises are ended then. */
void dependents_link(struct core *core, struct job *j);
/* The same for many, all of them busy. Yields, so that others get their turn; goes on also
 * where it is cancelled. */
void dependents_link_all(struct core *core, struct job *const *jobs, size_t n);
/* What it waits for is another thing now: takes the packed spec, which names only what it
 * named before or what has a promise. */
void dependents_replace_spec(
	struct core *core, struct job *j, void *spec, size_t spec_len);

/* Of those who change what a job waits for one at a time looks for cycles and commits. */
rv_lock *dependents_changes(struct dependents *d);

/* does it name that one? */
bool job_waits_for(const struct job *j, uint64_t id);
/* may it not be removed? */
static inline bool job_is_needed(const struct job *j)
{
	return j->dependents && (j->dependents->n_needing || j->dependents->n_promised);
}
/* one that needs it, in words for a message; into buf, "" where there is none */
const char *job_needed_by(
	const struct core *core, const struct job *j, char *buf, size_t size);
/* finished jobs that are kept because they are needed */
size_t dependents_n_kept(const struct dependents *d);

/* ---- changes ------------------------------------------------------------------------ */

/* job_publish tells each change of state. */
void dependents_changed(struct core *core, struct job *j, enum job_state before);
/* A waiting job may go on, or one has ended: those whom it concerns are looked at soon. */
void dependents_look(struct dependents *d, const struct job *j);

/* what the job waits for, as things are */
struct deps_verdict dependents_judge(const struct core *core, const struct job *j);
/* of an impossible one: "job 3 failed" */
void dependents_describe(
	const struct core *core, const struct deps_verdict *v, char *buf, size_t size);
/* of a waiting job, in words; into buf */
const char *dependents_why(
	const struct core *core, const struct job *j, char *buf, size_t size);

/* ---- run again ---------------------------------------------------------------------- */

/* Jobs that were skipped and wait again, because one is run again. */
struct revival {
	struct job **jobs; /* busy until the end */
	size_t n, n_max;
};

/**
 * A finished job is about to be run again: plan the same for those that were skipped
 * because of it, and because of them. Their records go into the txn. Until
 * dependents_revived the job and they count as unfinished for all who wait.
 *
 * @n_max  no more of them than so many
 *
 * Returns 0, -ENOMEM, -RV_ELIMIT, -ECANCELED; then some may be planned: the txn is of no use,
 * and dependents_revived ends it. Very many are planned and published in pieces, so that
 * others get their turn.
 */
RV_AWAIT int dependents_revive(struct core *core, struct job *j, struct txn *t,
	struct revival *ret, size_t n_max);
/* The txn is committed (done), or will not be. Those that were revived are published. */
void dependents_revived(struct core *core, struct revival *rv, bool done);
/* the same for the job itself, after it was published */
void dependents_ran_again(struct core *core, struct job *j, bool done);

/* the record of a job that waits again, or is queued again where it waits for nothing */
void job_record_again(const struct job *j, struct store_job *ret);

#endif
