/*
 * Callbacks: jobs that the daemon makes because a job has ended, or a pool is empty.
 *
 * Whoever records an end does so by callbacks_record_end: its callbacks are inserted in the
 * same transaction, so that on disk there is never one without the other. They come
 * into the table when the end is published, and are given up with it where it is not.
 *
 * A pool has become empty when of the jobs that name it the last one ends that may still run;
 * held ones do not count, as in a wait for an empty pool. Ends that are being recorded count
 * as ended for those behind them.
 *
 * Loop thread only.
 */
#ifndef DAEMON_CALLBACKS_H
#define DAEMON_CALLBACKS_H

#include "daemon/job.h"

struct callbacks;
struct core;
struct txn;

int callbacks_new(struct callbacks **ret, struct core *core);
/* The table of jobs is gone already; demands and environments are still there. */
struct callbacks *callbacks_free(struct callbacks *cb);

/**
 * A record of a job that goes into a transaction, as by job_record_put. Where it is the job's
 * end, so do the jobs of its callbacks, until it is published or given up.
 *
 * What cannot be made, for callbacks-max or want of memory, is left out: the log says so, and
 * rec->flags gets STORE_JOB_CALLBACK_DROPPED. An end never fails for its callbacks.
 *
 * Returns 0, or -ENOMEM: nothing is in the transaction.
 */
int callbacks_record_end(
	struct core *core, struct job *j, struct store_job *rec, struct txn *t);
/* A schedule could not make a job of that spec: its on-failure, which the caller records and
 * publishes as other jobs that it makes; n_expected of these were made, and are not published.
 * NULL: it has none, or it is left out, as the log says. */
struct job *callbacks_make_refused(struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid, const char *reason, size_t n_expected);
/* Its end was published: so are its callbacks. Called by job_publish. */
void callbacks_publish(struct core *core, struct job *j);
/* The end is not on disk. Called by job_end, too; no effect where nothing is planned. */
void callbacks_drop(struct core *core, struct job *j);

/* how many more callbacks-max allows now */
size_t callbacks_room(const struct core *core);

/* A callback came into the table of jobs, or leaves it. 0, -ENOMEM */
int callbacks_add(struct core *core, const struct job *j);
void callbacks_forget(struct core *core, const struct job *j);
/* Callbacks of a job that are in the table, in order; *ret_n may be 0. Valid until one comes
 * or goes. */
const uint64_t *callbacks_of(const struct core *core, uint64_t id, size_t *ret_n);

#endif
