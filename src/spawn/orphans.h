/*
 * Adopted orphans: processes whose parent ended and that the kernel gave to the
 * spawner.
 *
 * The kernel gives them to the main thread, and it lists children by the thread that
 * has them. Runs are children of starter threads, so the main thread's list holds
 * orphans only: while it is empty, and it nearly always is, no run has left anything
 * behind, and one pread says so. Without CONFIG_PROC_CHILDREN all of /proc is read
 * instead.
 *
 * Nobody but the spawner can reap them, so a pid in this table names one process.
 */
#ifndef SPAWN_ORPHANS_H
#define SPAWN_ORPHANS_H

#include "base/buf.h"
#include "base/hashmap.h"
#include "spawn/runs.h"
#include "spawn/wire.h"

#define ORPHANS_MAX 65536 /* known at once; more wait until some are reaped */
/* Whose a process is cannot be seen while it is in exec, which takes microseconds unless
 * a disk hangs. After this it is taken for a stranger. */
#define ORPHAN_DOUBT_MAX RV_SEC(1)

struct orphan {
	struct list link;
	pid_t pid;
	uint64_t start_time;
	struct run *run;     /* NULL: not one of the table's runs, and left alone */
	rv_time doubt_until; /* it was in exec when looked at; 0: it is known whose it is */
};

struct orphans {
	struct hashmap *by_pid;
	struct list all;
	size_t n_doubtful;
	int children_fd; /* the main thread's children; -1: the kernel has no such file
			  */
	struct buf scratch;
	struct runs *runs;
	const char *instance;
	/* told of each that belongs to no run of the table */
	void (*unknown)(const struct spawn_orphan *o, void *arg);
	void *arg;
};

/* From the main thread, before the first start; unknown and arg are the caller's to
 * set. */
int orphans_init(struct orphans *os, struct runs *runs, const char *instance);

/* Take in those that are new and find out whose they are, also those that were in doubt.
 * Returns how many there are. While n_doubtful is not 0: sync again soon. */
size_t orphans_sync(struct orphans *os);

/* Nobody can say yet that a run whose main process has ended has left nothing behind. So long
 * only as it takes to see whose its own could be: others make orphans all the time. */
bool orphans_in_doubt_for(const struct orphans *os, const struct run *run);

/* as of the last sync */
bool orphans_any(const struct orphans *os);

/* Reap the dead ones. Returns how many. */
size_t orphans_reap(struct orphans *os);

/* the run's are nobody's from now on */
void orphans_forget_run(struct orphans *os, struct run *run);

#endif
