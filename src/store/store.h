/*
 * Records that survive: jobs, runs, shared environments, keys of submits.
 *
 * Operations in, records out; nothing of SQLite shows. The daemon collects units of
 * operations on its loop and gives them to store_apply in a worker thread, one call at
 * a time: one transaction, in which a unit that is refused fails alone. What
 * store_apply reported as done is on disk (durability = full).
 *
 * Ids of jobs and environments are 1 .. INT64_MAX. Strings may hold any bytes but NUL.
 * An environment is inserted in the unit of its first job, before it, or in an earlier
 * unit; it goes with its last job. One that no job has is removed when the store is
 * opened.
 *
 * Threads: store_load, store_apply and store_close are for one thread at a time (not
 * always the same one). store_runs, store_removed, store_wal_bytes and store_checkpoint
 * may be called from any thread, also beside those but store_close. Callbacks must not
 * call the store.
 *
 * One process has a state directory at a time (the daemon's lock sees to it), and opens
 * its store once: closing any descriptor of the file, as opening does, gives up the
 * locks that the process has on it.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/cleanup.h"
#include "job/state.h"
#include "reeve/base.h"

enum store_durability {
	STORE_DURABILITY_FULL,   /* every apply is on disk when it returns */
	STORE_DURABILITY_NORMAL, /* a power loss may take the latest ones */
	STORE_DURABILITY_OFF /* and may take more; a crash of reeved takes nothing */
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
	int64_t place; /* in the order: 0, or before or behind all that were not moved */
};
enum {
	STORE_JOB_CANCEL = 1 << 0,   /* a cancel is in progress */
	STORE_JOB_TIMEOUT = 1 << 1,  /* the run-time limit passed, stop in progress */
	STORE_JOB_SHUTDOWN = 1 << 2, /* stopped by a shutdown */
	STORE_JOB_PAUSED = 1 << 3,
	STORE_JOB_CALLBACK_DROPPED =
		1 << 4,             /* its end called for one that was left out */
	STORE_JOB_UNREADY = 1 << 5, /* a service not ready in time, stop in progress */
	STORE_JOB_MEMORY = 1 << 6,  /* one that takes too much memory, likewise */
	STORE_JOB_UNRESPONSIVE = 1 << 7, /* one that does not answer, likewise */
};
/* in flags, too: by which way of its demand a run started (sched/admission.h) */
#define STORE_JOB_WAY(n)        ((uint32_t)(n) << 8)
#define STORE_JOB_WAY_OF(flags) ((flags) >> 8 & 0x7)

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
	int64_t ready_usec; /* of a service: from its start until it was ready; 0: never */
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

/* what users define at run time, beside the configuration */
struct store_definition {
	const char *kind; /* "pool" */
	const char *name;
	const char *text;
};

/* What is not there is -ENOENT, an id that is there already -EEXIST. */
enum store_op_kind {
	/* job: all members; its environment has to be there */
	STORE_JOB_INSERT,
	/* job: all but id, uid, gid, submitted_usec, and spec where that is NULL; an
	 * environment that lost its last job by it goes */
	STORE_JOB_UPDATE,
	/* job.id, job.finished_usec: its runs go too, and its environment when it was
	 * the last user; a tombstone with finished_usec as the time of removal stays */
	STORE_JOB_REMOVE,
	/* run; its job has to be there. A start that never happened is overwritten by the
	 * next one of the same number. */
	STORE_RUN_INSERT,
	STORE_RUN_UPDATE, /* run: all but the token, which has to match as a whole */
	/* env; nothing happens where that id is there: a caller that knows the environment
	 * says it again with each job, in case the last one that used it goes just now */
	STORE_ENV_INSERT,
	/* run.token: runs of that job with a lower number go; there may be none */
	STORE_RUNS_FORGET,
	STORE_KEY_INSERT,     /* key; -RV_EDUPLICATE when (uid, key) is there */
	STORE_KEYS_EXPIRE,    /* number: keys created before this time go */
	STORE_DEFINITION_SET, /* definition; replaces one of that kind and name */
	/* definition: kind and name; nothing happens where there is none: who has nothing to
	 * say of a thing need not know whether it ever had */
	STORE_DEFINITION_REMOVE,
	STORE_META_SET, /* name, number; names must not begin with a dot */
};

struct store_op {
	enum store_op_kind kind;
	union {
		struct store_job job;
		struct store_run run;
		struct store_env env;
		struct store_key key;
		struct store_definition definition;
		struct {
			const char *name;
			int64_t number;
		} meta;
	};
};

/*
 * Atomic: all of its operations happen or none, in their order, after the units before
 * it. The memory behind it has to stay until apply returns.
 */
struct store_unit {
	struct store_op *ops;
	size_t n_ops;
	bool sync; /* must be on disk under every durability */
	/* out, when apply succeeded: 0, or why this unit was refused: -EEXIST, -ENOENT,
	 * -RV_EDUPLICATE (see the operations), -EINVAL (an id or name that cannot be,
	 * no spec), -RV_ELIMIT (over SQLite's limit of a gigabyte) */
	int error;
};

struct store;

/*
 * Called while loading, in this order: metas, definitions, environments, keys, then the jobs by id,
 * each followed by its runs that have not ended and its last run, oldest first. Each
 * may be NULL. Pointers live during the call only. A result that is not 0 stops and is
 * given back by store_load.
 */
struct store_load_ops {
	int (*meta)(const char *name, int64_t number, void *arg);
	int (*definition)(const struct store_definition *d, void *arg);
	int (*env)(const struct store_env *e, void *arg);
	int (*key)(const struct store_key *k, void *arg);
	int (*job)(const struct store_job *j, void *arg);
	int (*run)(const struct store_run *r, void *arg);
};

/**
 * Open or make the store in a directory.
 *
 * @dir_fd   the state directory, the caller's still; file is reeve.db in it, mode 0600,
 *           with -wal and -shm beside it while it is open
 * @ret_msg  on failure a message for people that names the file and what to do,
 * malloc'd (NULL when out of memory); may be NULL
 *
 * Errors a caller may act on: -RV_EVERSION (made by a newer reeve), -RV_ECORRUPT (not a
 * database of reeve, or damaged); the file is untouched then. -EACCES, -EROFS, -ENOSPC,
 * -EBUSY (another program holds it locked), -ENAMETOOLONG. Damage inside of it is found
 * when it is read: checking all would take as long as reading all.
 */
int store_open_sqlite(struct store **ret, int dir_fd, enum store_durability durability,
	char **ret_msg);
/* kept as long as it is open; can be told to fail (store_memory.h). 0, -ENOMEM */
int store_open_memory(struct store **ret);
/* moves the log into the database. NULL is fine; returns NULL */
struct store *store_close(struct store *st);
DEFINE_CLEANUP(struct store *, store_close)

/* 0, what a callback returned, -RV_ECORRUPT, -EIO */
int store_load(struct store *st, const struct store_load_ops *ops, void *arg);

/**
 * Apply units in one transaction.
 *
 * Returns 0 when the transaction is committed (look at each unit's error), or the error
 * of the whole: then every unit may be given again, to this store or to one opened
 * later, and the units' errors mean nothing. -ENOSPC: disk or quota is full. -EIO.
 * -EBUSY: another program has held the database locked for a second. -ESTALE: the file
 * was removed or replaced under us. The store is usable again by itself once the reason
 * is gone.
 *
 * After a failure nothing of it can be seen. Only where syncing failed (-EIO) and
 * reeved dies before its next commit may the next store_load find all of it.
 */
int store_apply(struct store *st, struct store_unit **units, size_t n);

/* All runs of a job, oldest first; fn as in store_load. */
int store_runs(struct store *st, uint64_t job_id,
	int (*fn)(const struct store_run *, void *), void *arg);
/* all runs of all jobs that have output, in no order; from any thread. As store_runs. */
int store_outputs(
	struct store *st, int (*fn)(const struct store_run *, void *), void *arg);
/* 1 and the time when the id was removed, 0: long ago (the tombstones of the 100,000
 * highest ids are kept; below these every id without a job counts as removed); 0 when
 * it is a job, or was never given out */
int store_removed(struct store *st, uint64_t job_id, int64_t *ret_usec);
/* bytes waiting in the write-ahead log, about: when to checkpoint */
int64_t store_wal_bytes(struct store *st);
/* Move the log into the database; meant for another thread than store_apply, which it
 * holds up only to catch up with a log that has grown long. 0 (all that was there when it
 * began), 1 (not all: a reader or writer was in the way, try later), negative error. */
int store_checkpoint(struct store *st);

#endif
