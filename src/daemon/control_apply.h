/*
 * A verb applied to a selection of jobs: in chunks, each of which is one transaction.
 *
 * What a verb means for one job it decides by itself (plan). The rest is the same for all:
 * waiting until it is known what a job does, the records of a chunk, what becomes of jobs
 * once those are on disk or refused, and the answer. Loop thread only.
 */
#ifndef DAEMON_CONTROL_APPLY_H
#define DAEMON_CONTROL_APPLY_H

#include "base/buf.h"
#include "daemon/control.h"
#include "daemon/job.h"
#include "varlink/json_write.h"

struct apply;
struct core;
struct selection;

enum {
	APPLY_CHUNK = 500,        /* jobs in one transaction */
	APPLY_REFUSALS_MAX = 500, /* told one by one; more are only counted */
	APPLY_FINISHED_MAX = 500, /* the same */
};

/* what a verb decided for one job; a negative error instead: refused for that */
enum plan {
	PLAN_DONE =
		0, /* nothing to record: a request was made, or there is nothing to do */
	PLAN_RECORD, /* it is committed, then the job shows it; the job is busy meanwhile */
	PLAN_NOTE,    /* it is committed, but has its effect already */
	PLAN_RUNNING, /* the new spec of one that runs: it goes on while that is committed,
		       * and then its run has it */
	PLAN_UNCHANGED, /* it is what it is to become */
	PLAN_REFUSED,   /* by apply_refuse */
};

/* one that is in the chunk under way */
struct planned {
	struct job *job; /* of PLAN_RECORD; others may be gone when that is committed */
	uint64_t id;
	enum plan plan;
	/* The job as it is, for plan to change. What it names must stay where the job does not
	 * wait: of PLAN_NOTE and PLAN_RUNNING reason is NULL. */
	struct store_job rec;
	/* new ones, set by plan, owned until they are the job's; NULL: as they are */
	struct env_set *env;
	struct demand *demand;
	void *spec; /* packed */
	size_t spec_len;
	uint64_t fields;  /* PLAN_RUNNING: bit per field of it that is another */
	bool is_expected; /* set by plan: it counts by jobs_expect until it is shown */
};

struct apply_verb {
	/* Decides; changes p, may ask the job's run. Never awaits. */
	int (*plan)(struct apply *a, struct job *j, struct planned *p);
	/* The job is in the chunk: what else belongs into its transaction, a->txn. May await. 0;
	 * -RV_ELIMIT: all of the chunk are refused; other errors: the call fails. NULL: nothing */
	int (*follow)(struct apply *a, struct job *j);
	/* The transaction is committed, or was not. NULL: nothing to do */
	void (*chunk_ended)(struct apply *a, bool recorded);
	/* Applies it to all by apply_to_one, and so awaits. 0, negative. NULL: in the order of
	 * their ids */
	int (*to_all)(struct apply *a, const struct selection *sel);
	bool recalls;         /* one that was only started ahead is taken back first */
	bool changes_spec;    /* so it waits where that of a run is being changed */
	bool tells_unchanged; /* how many are so is in the answer */
};

struct apply {
	const struct apply_verb *verb;
	void *arg; /* the verb's own */
	struct control_conn *conn;
	struct vl_call *call; /* NULL: of nobody who waits for an answer */
	struct core *core;
	size_t n_selected;
	int64_t n, n_unchanged;
	struct json_writer refusals;
	struct buf refusals_text;
	unsigned n_refused;
	uint64_t finished[APPLY_FINISHED_MAX]; /* ids of jobs that were over before */
	unsigned n_finished;
	/* the chunk under way */
	struct planned planned[APPLY_CHUNK];
	size_t n_planned;
	unsigned n_looked; /* jobs since others had their turn */
	struct txn *txn;
};

/**
 * Apply a verb to the jobs that the call selects, and answer the call.
 *
 * @arg  for the verb's functions
 *
 * Returns 0, also where the call was answered with an error; negative: not answered.
 */
RV_AWAIT int control_apply(struct control_conn *conn, struct vl_call *call,
	const struct apply_verb *verb, void *arg);
/* The same to jobs that are known by id; nobody is told. 0, negative */
RV_AWAIT int control_apply_to_ids(struct control_conn *conn,
	const struct apply_verb *verb, void *arg, const uint64_t *ids, size_t n);

/* For to_all: 0, also where it is refused or gone; negative: the call fails. */
RV_AWAIT int apply_to_one(struct apply *a, uint64_t id);
/* For to_all: commit what was planned, show it or refuse it. Likewise. */
RV_AWAIT int apply_end_chunk(struct apply *a);
/* For plan: that job is refused. name: an error of io.reeve.Job, without that. Returns
 * PLAN_REFUSED. */
int apply_refuse(struct apply *a, uint64_t id, const char *name, const char *fmt, ...)
	PRINTF(4, 5);

#endif
