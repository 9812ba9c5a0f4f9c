/*
 * What spawners that are gone have left of their runs: the exits file of one that left in good
 * order, the claims of one that was killed, and the marks of processes that still run.
 *
 * traces_read_* block and are for a worker; nothing else may touch the object meanwhile.
 */
#ifndef DAEMON_TRACES_H
#define DAEMON_TRACES_H

#include "spawn/spawn.h"
#include "store/store.h"

/* an end from the exits file */
struct noted_end {
	char instance[SPAWN_ID_LEN +
		      1];           /* another spawner may have had the token too */
	struct spawn_run_info info; /* RUNNING: it did not end */
};

/* a spawner that left in good order; the exits file has all that was in its table */
struct left_spawner {
	char instance[SPAWN_ID_LEN + 1];
};

/* what a spawner had begun to start, and how it ended; sorted when matched */
struct seen_claims {
	char instance[SPAWN_ID_LEN + 1];
	struct spawn_run_info *runs;
	size_t n;
};

struct marked_process {
	struct spawn_token token;
	char instance[SPAWN_ID_LEN + 1]; /* other daemons have the same tokens */
	pid_t pid;
};

struct traces { /* zeroed before use */
	struct noted_end *ends;
	size_t n_ends;
	struct left_spawner *left;
	size_t n_left;
	struct seen_claims *claims;
	size_t n_claims;
	struct marked_process *marked;
	size_t n_marked;
	bool ends_used;   /* some record's end came from the exits file */
	bool claims_used; /* likewise from a file of claims */
};

/* the exits file; -RV_ECORRUPT: it is there and says nothing; -errno */
int traces_read_exits(struct traces *tr, int state_fd);
/* claims, and marks in /proc; -errno */
int traces_read_rest(struct traces *tr, int state_fd);
/* before traces_find */
void traces_sort(struct traces *tr);
/* forget what was read; what was used stays noted */
void traces_drop(struct traces *tr);

/* What is left of a run whose spawner is gone. */
enum trace {
	TRACE_NONE,        /* nobody can tell: it is lost */
	TRACE_NOT_STARTED, /* its spawner left in good order and did not have it, or did
			    * not come to it before it was killed */
	TRACE_END,         /* its spawner wrote its end down: info holds */
	TRACE_PROCESS,     /* pidfd holds, and info what is known of the process */
};

/**
 * @boot_id     of now
 * @ret_info    TRACE_END, TRACE_PROCESS: what is known of it
 * @ret_pidfd   TRACE_PROCESS: the caller's; else -1
 */
enum trace traces_find(struct traces *tr, const struct store_run *rec,
	const char *boot_id, struct spawn_run_info *ret_info, int *ret_pidfd);

struct spawn_token traces_token(const struct run_token *t);
/* it says how the run ended, or why it did not start */
bool traces_is_end(const struct spawn_run_info *info);

#endif
