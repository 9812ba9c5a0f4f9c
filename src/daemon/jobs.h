/*
 * The table of jobs: every job that is not forgotten, what state it is in, and who wants
 * to know when that changes.
 *
 * A change goes in two steps: it is put into a record and committed, then published here
 * (job_publish): what the table shows is on disk. Between the two a job is busy, and
 * others who want to change it wait.
 *
 * Loop thread only.
 */
#ifndef DAEMON_JOBS_H
#define DAEMON_JOBS_H

#include "daemon/job.h"
#include "reeve/sync.h"

struct core;
struct jobs;

int jobs_new(struct jobs **ret, struct core *core);
struct jobs *jobs_free(struct jobs *js);

/* ---- ids ---------------------------------------------------------------------------- */

/**
 * Take n ids in a row. Where the block that is reserved on disk does not reach, the txn
 * gets the reservation of the next one, synced: so does each one after it until a commit
 * has gone well, because the one that asked first may be refused and those behind it not.
 *
 * @ret_reserved  for jobs_ids_are_reserved when the commit has gone well; 0: nothing to say
 */
int jobs_take_ids(struct jobs *js, uint64_t *ret_first, uint64_t *ret_reserved,
	uint32_t n, struct txn *t);
void jobs_ids_are_reserved(struct jobs *js, uint64_t end);
/* At a shutdown: the rest of the block is for the next reeved, so that its ids go on from
 * ours. Should an id be taken after all, its txn reserves anew. 0, -ENOMEM */
int jobs_give_back_ids(struct jobs *js, struct txn *t);
uint64_t jobs_next_id(const struct jobs *js);

/* ---- the table ---------------------------------------------------------------------- */

/* Into the table; ids only grow. 0, -ENOMEM. */
int jobs_add(struct jobs *js, struct job *j);
/* Once all that were there before are added: those that are finished are put into the order
 * of their ends. 0, -ENOMEM. */
int jobs_loaded(struct jobs *js);
/* Out of the table and freed: its watchers are told first. */
void jobs_forget(struct jobs *js, struct job *j);

struct job *jobs_find(const struct jobs *js, uint64_t id);
/* The newest unfinished job of that name and owner, else the newest, else one of a service;
 * NULL */
struct job *jobs_find_name(
	const struct jobs *js, uint32_t uid, bool any_uid, const char *name);
/* first job with an id >= id / last with one <= id; NULL. Stable while jobs come and go. */
struct job *jobs_at_or_after(const struct jobs *js, uint64_t id);
struct job *jobs_at_or_before(const struct jobs *js, uint64_t id);
/* the first unfinished one; many finished ones before it are passed over at once */
struct job *jobs_unfinished_at_or_after(const struct jobs *js, uint64_t id);
/* the first finished one; many unfinished ones before it are passed over at once */
struct job *jobs_finished_at_or_after(const struct jobs *js, uint64_t id);
/* The finished job that ended before that one; with NULL the last that ended. NULL: none.
 * Of one moment the newest id is the last. */
struct job *jobs_finished_before(const struct jobs *js, const struct job *j);

size_t jobs_count(const struct jobs *js, enum job_state s);
/* those of them that are of services; finished ones are not forgotten by themselves */
size_t jobs_count_of_services(const struct jobs *js, enum job_state s);
/* those that limits are for: without callbacks and services */
size_t jobs_unfinished(const struct jobs *js);
/* unfinished callbacks */
size_t jobs_callbacks(const struct jobs *js);
size_t jobs_unfinished_of(const struct jobs *js, uint32_t uid);
/* Jobs whose submit is being committed count as unfinished, so that calls side by side do
 * not pass a limit together. 0, -ENOMEM. */
int jobs_expect(struct jobs *js, uint32_t uid, uint32_t n);
void jobs_expect_no_more(struct jobs *js, uint32_t uid, uint32_t n);

/* The places in the order that jobs were moved to: the first and the last, or 0. Places of
 * jobs that are gone may count, too. */
int64_t jobs_place_first(const struct jobs *js);
int64_t jobs_place_last(const struct jobs *js);

/* A finished job asks for nothing. One that is about to be run again does: 0, errors as of
 * scheduler_demand. Given up where it is not run again after all. */
int jobs_renew_demand(struct jobs *js, struct job *j);
void jobs_drop_demand(struct jobs *js, struct job *j);

/* ---- changes ------------------------------------------------------------------------ */

/* the record is on disk: the table shows it, watchers and the scheduler are told */
void job_publish(struct jobs *js, struct job *j, const struct store_job *rec);

/* It is told to be something else from now on, which is on disk; takes the packed spec. What
 * it asks for is put into job.demand by the caller. */
void jobs_respec(struct jobs *js, struct job *j, void *spec, size_t spec_len);

/* Mark busy and take it out of the scheduler's order; job_end puts it where its state says.
 * The job must not be busy: one change at a time. */
void job_begin(struct jobs *js, struct job *j);
void job_end(struct jobs *js, struct job *j);
/* busy, or recorded as running by an earlier daemon and not looked for yet */
bool jobs_is_unsettled(const struct jobs *js, const struct job *j);
/* Wait until the job of that id is not unsettled. 1: *ret is it; 0: no such job (any more);
 * -ECANCELED; the committer's error when it is busy with what cannot be written, which may
 * last as long as the disk is full. */
RV_AWAIT int jobs_wait_idle(struct jobs *js, uint64_t id, struct job **ret);
/* until some job is not busy any more, or started ahead; 0, -ECANCELED */
RV_AWAIT int jobs_wait_change(struct jobs *js);
/* the committer's error changed: those who wait look again */
void jobs_wake_waiters(struct jobs *js);

/* ids from here on are free; what is below was reserved by an earlier reeved */
void jobs_set_next_id(struct jobs *js, uint64_t next);

#endif
