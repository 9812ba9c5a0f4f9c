/*
 * Records that survive: jobs, runs, shared environments, keys of submits.
 *
 * Operations in, records out; nothing of SQLite shows. The daemon collects units of
 * operations on its loop and gives them to store_apply in a worker thread, one call at
 * a time: one transaction, one savepoint per unit, so that a unit that is refused fails
 * alone. What store_apply reported as done is on disk (durability = full).
 *
 * Threads: a struct store may be used by one thread at a time (not always the same
 * one); store_checkpoint and the readers have connections of their own and may run
 * beside it.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/list.h"
#include "job/state.h"
#include "reeve/base.h"

enum store_durability {
	STORE_DURABILITY_FULL,
	STORE_DURABILITY_NORMAL,
	STORE_DURABILITY_OFF
};

/* A run's name, given to it before it starts; every report of its end must match. */
struct run_token {
	uint64_t job_id;
	uint32_t run;   /* counts from 1 */
	uint64_t epoch; /* of the reeved that recorded the start */
};

struct store_job {
	uint64_t id;
	uint32_t uid, gid; /* who submitted it, and as whom it runs */
	enum job_state state;
	enum job_result result; /* of the last run, or of the job when finished */
	uint32_t n_runs;        /* recorded runs */
	uint32_t n_failed;      /* of these, how many used up a retry */
	int32_t exit_code;      /* of the last run; -1: none */
	int32_t signal;         /* 0: none */
	uint32_t flags;         /* STORE_JOB_* */
	int64_t submitted_usec, started_usec, finished_usec; /* 0: not yet */
	int64_t due_usec; /* backoff, delayed: wall clock; 0: none */
	uint64_t env_id;  /* 0: none */
	const void *spec; /* packed (job/spec.h) */
	size_t spec_len;
	const char *reason; /* NULL: none */
};
enum {
	STORE_JOB_CANCEL = 1 << 0,   /* a cancel is in progress */
	STORE_JOB_TIMEOUT = 1 << 1,  /* the run-time limit passed, stop in progress */
	STORE_JOB_SHUTDOWN = 1 << 2, /* stopped by a shutdown */
	STORE_JOB_PAUSED = 1 << 3,
};

struct store_run {
	struct run_token token;
	char boot_id[33];
	char spawner_id[33];  /* "" for a function */
	const char *output;   /* path below the state directory; NULL: none */
	int64_t started_usec; /* when the start was recorded; later: the real start */
	int64_t ended_usec;   /* 0: going on */
	int64_t elapsed_usec; /* run time so far without suspension, at the last record
			       */
	int32_t pid;
	uint64_t pid_start; /* start time of the process, clock ticks since boot */
	enum run_end_kind end_kind;
	enum job_result result;
	int32_t wait_status;
	int32_t error;      /* negative errno, 0 */
	const char *step;   /* of a failed start; NULL */
	const char *reason; /* NULL */
	int64_t utime_usec, stime_usec, max_rss_bytes;
	uint32_t leftovers; /* processes that were left behind */
	const char *value;  /* JSON result of a function; NULL */
};

struct store_env {
	uint64_t id;
	const void *data; /* NAME=VALUE, each ended by NUL */
	size_t len;
};

struct store_key {
	uint32_t uid;
	const char *key;
	uint64_t first_id;
	uint32_t n; /* ids first_id .. first_id + n - 1 */
	int64_t created_usec;
};

enum store_op_kind {
	STORE_JOB_INSERT, /* job: all members */
	STORE_JOB_UPDATE, /* job: all but id, uid, gid, submitted_usec, spec (spec NULL:
			     kept) */
	STORE_JOB_REMOVE, /* job.id; its runs go too, a tombstone with job.finished_usec
			   * as the time of removal stays; its env when it was the last
			   * user */
	STORE_RUN_INSERT, /* run */
	STORE_RUN_UPDATE, /* run: all but the token */
	STORE_ENV_INSERT, /* env */
	STORE_KEY_INSERT, /* key; -RV_EDUPLICATE when (uid, key) is there */
	STORE_KEYS_EXPIRE, /* number: keys created before this time go */
	STORE_META_SET,    /* name, number */
};

struct store_op {
	enum store_op_kind kind;
	union {
		struct store_job job;
		struct store_run run;
		struct store_env env;
		struct store_key key;
		struct {
			const char *name;
			int64_t number;
		} meta;
	};
};

/* Atomic: all of its operations happen or none. Memory is the caller's until apply
 * returns. */
struct store_unit {
	struct store_op *ops;
	size_t n_ops;
	bool sync; /* must be on disk under every durability */
	int error; /* out: 0, or why this unit was refused */
};

struct store;

/* called while loading, in this order: metas, envs, jobs by id, then for each job its
 * runs that have not ended and its last run. Pointers live during the call only.
 * Non-zero stops. */
struct store_load_ops {
	int (*meta)(const char *name, int64_t number, void *arg);
	int (*env)(const struct store_env *e, void *arg);
	int (*job)(const struct store_job *j, void *arg);
	int (*run)(const struct store_run *r, void *arg);
	int (*key)(const struct store_key *k, void *arg);
};

struct store_ops {
	const char *name;
	int (*load)(void *priv, const struct store_load_ops *ops, void *arg);
	int (*apply)(void *priv, struct store_unit **units, size_t n);
	int (*runs)(void *priv, uint64_t job_id,
		int (*fn)(const struct store_run *, void *), void *arg);
	int (*removed)(void *priv, uint64_t job_id, int64_t *ret_usec);
	int64_t (*wal_bytes)(void *priv);
	int (*checkpoint)(void *priv);
	void (*close)(void *priv); /* never NULL; priv is gone afterwards */
};

/**
 * Open or make the store in a directory.
 *
 * @dir_fd  the state directory; file is reeve.db in it
 * @ret_msg on failure a message for people that names the file and what to do, malloc'd
 *
 * Errors a caller may act on: -RV_EVERSION (made by a newer reeve), -RV_ECORRUPT (not a
 * database, or damaged); the file is untouched then. -EACCES, -EROFS, -ENOSPC.
 */
int store_open_sqlite(struct store **ret, int dir_fd, enum store_durability durability,
	char **ret_msg);
/* for simulation: nothing is kept; apply may be told to fail (store_memory.h) */
int store_open_memory(struct store **ret);
struct store *store_close(struct store *st); /* NULL is fine; returns NULL */

int store_load(struct store *st, const struct store_load_ops *ops, void *arg);

/**
 * Apply units in one transaction.
 *
 * Returns 0 when the transaction is committed (look at each unit's error), or the error
 * of the commit: then nothing has happened and every unit may be given again. -ENOSPC:
 * disk or quota is full.
 */
int store_apply(struct store *st, struct store_unit **units, size_t n);

/* all runs of a job, oldest first; from any thread */
int store_runs(struct store *st, uint64_t job_id,
	int (*fn)(const struct store_run *, void *), void *arg);
/* 1 and the time when the id was removed (0: removed long ago), 0 not removed; any
 * thread */
int store_removed(struct store *st, uint64_t job_id, int64_t *ret_usec);
/* bytes waiting in the write-ahead log: when to checkpoint; any thread */
int64_t store_wal_bytes(struct store *st);
/* move the log into the database; beside store_apply, in another thread. 0, 1 (not all:
 * a reader or writer was in the way, try later), negative error */
int store_checkpoint(struct store *st);

#endif
