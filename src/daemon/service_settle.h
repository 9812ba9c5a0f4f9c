/*
 * One look at services: what it decides, as one transaction. Loop thread, with the lock of the
 * services.
 */
#ifndef DAEMON_SERVICE_SETTLE_H
#define DAEMON_SERVICE_SETTLE_H

#include "daemon/services_priv.h"

#define SETTLE_MAX 200 /* of each kind in one transaction */

/* of a job that does not run */
struct service_change {
	struct job *job;
	struct store_job rec;
	struct instance *instance; /* it is started; NULL: it is ended */
	struct demand *demand; /* NULL: as it is; else owned until it is the job's */
	void *spec;            /* the same; packed */
	bool swaps_env;
	struct env_set *env; /* then; a use of it */
	size_t spec_len;
};

struct settle {
	struct services *ss;
	struct txn *txn;
	struct job *made[SETTLE_MAX];
	struct instance *made_of[SETTLE_MAX];
	size_t n_made;
	struct service_change changes[SETTLE_MAX];
	size_t n_changes;
	struct instance *gone[SETTLE_MAX]; /* their jobs are to be forgotten */
	size_t n_gone;
	struct instance *pruned[SETTLE_MAX]; /* old runs of their jobs */
	size_t n_pruned;
	struct service_group *over[SETTLE_MAX]; /* whose services are all down */
	unsigned over_plans[SETTLE_MAX];        /* their n_plans */
	size_t n_over;
	struct service *due[SETTLE_MAX]; /* whose restart-at goes on record */
	size_t n_due;
	bool noted; /* there is something else in the txn */
	bool more;  /* there was no room for all */
};

struct settle *settle_new(struct services *ss); /* NULL: out of memory */
struct settle *settle_free(struct settle *st);
/* Bring it nearer to what it is to be: changes go into the transaction, runs are asked to end.
 * 0, -ENOMEM, -RV_ELIMIT */
int settle_service(struct settle *st, struct service *s);
/* The record goes into the transaction, too, and holds for settle_service from now on, until
 * the caller takes it back. */
int settle_put_record(struct settle *st, struct service *s);
/* Runs of it that were short count no more; *changed is set where some did. 0, -ENOMEM */
int settle_forget_restarts(struct settle *st, struct instance *in, bool *changed);
/* On its way from one process to the next, or to its first; j: its job, NULL where it has none. */
bool instance_is_in_transition(const struct instance *in, const struct job *j);
/* A run is asked to end, and a job that does not run is to start at once. 0, -ENOMEM,
 * -RV_ELIMIT */
int settle_stop_run(struct settle *st, struct job *j);
int settle_start_job(struct settle *st, struct instance *in, struct job *j);
/* Instances that wait for their next start are started now, as many as there is room for. 0,
 * -ENOMEM, -RV_ELIMIT */
int settle_start_delayed(struct settle *st, struct service *s);
/* All or nothing of it. 0, or why nothing was */
RV_AWAIT int settle_commit(struct settle *st);

#endif
