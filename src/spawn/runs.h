/*
 * The table of runs: what the spawner has started and has not been told to forget.
 *
 * A run is in it from the moment its start is accepted until its end is acknowledged,
 * whatever happens to the connection. One that changes in a way the peer must hear of
 * is put on the dirty list, so that news wait in the table and nowhere else, however
 * long nobody reads them.
 */
#ifndef SPAWN_RUNS_H
#define SPAWN_RUNS_H

#include "base/heap.h"
#include "base/list.h"
#include "spawn/source.h"
#include "spawn/spawn.h"

#define RUNS_MAX 65536 /* entries; a start beyond is refused */

struct gate;
struct stamped;
struct start;

/* What the spawner is doing about a run whose end somebody wants. Only ever goes up,
 * except for the end of leftovers, which begins at RUN_CALM again. */
enum run_phase {
	RUN_CALM,
	RUN_STOPPING, /* the signal was sent; SIGKILL at the deadline */
	RUN_KILLING,  /* SIGKILL, again and again, until nothing is left */
};

struct run {
	struct source source; /* the pidfd in epoll */
	struct source ready_source;
	struct run *hash_next;
	struct list all_link;
	struct list dirty_link;
	struct list ended_link; /* main process ended in this turn of the loop */
	struct heap_node timer; /* in the timers while deadline is set */
	rv_time deadline;       /* CLOCK_MONOTONIC: SIGKILL, or the next attempt */

	struct spawn_run_info info;
	struct start
		*start;    /* STARTING: belongs to the starters, or waits at the gate */
	uint64_t gate_id;  /* of its request; 0: none */
	struct gate *gate; /* under the lock of the gates (gates.h), as the next */
	struct list gate_link; /* in the gate's list while it waits there */
	uint32_t number;  /* at its gate, from 0 on; GATE_NO_NUMBER: none. As gate */
	bool aside;       /* at its gate only for the number. As gate */
	uint32_t claim;   /* place in the file of claims; 0: none */
	bool claimed_end; /* its end stands there already */
	int pidfd;        /* RUNNING, else -1 */
	int stdin_fd; /* RUNNING: its stdin is open for others to write to; else -1 */
	struct stamped *stamped[2]; /* stdout, stderr with times; NULL: none */
	unsigned int n_draining;    /* of these: its end waits for them */
	bool drained;               /* all that it wrote is in its files */
	int ready_fd;      /* RUNNING, and it was not ready: to read of that; else -1 */
	char *said;        /* what it says of itself; NULL: nothing */
	bool pause_wanted; /* STARTING: to be paused once it runs */
	int stop_wanted;   /* STARTING: signal of a stop that was asked for, or 0 */
	bool stop_main_only;
	rv_time stop_grace;
	/* STARTING: to be sent once it runs, to the group or to the main process; bit n is
	 * signal n+1 */
	uint64_t signals_wanted, main_signals_wanted;

	bool unwatched;  /* epoll had no room for the pidfd: asked at each SIGCHLD */
	bool send_table; /* as a row of the table: says all that the others say */
	bool send_started;
	bool send_ready;
	bool send_ended;

	enum run_phase phase;
	unsigned int n_kills; /* attempts in RUN_KILLING */
	enum spawn_leftovers leftovers;
	int kill_signal;
	rv_time kill_grace;
	unsigned int n_orphans; /* adopted processes known to be this run's */
	char *cgroup_leaf;      /* directory, or NULL */
};

struct runs {
	struct run **buckets;
	size_t n_buckets; /* power of two */
	size_t n;
	size_t n_active;   /* starting or running */
	uint64_t epoch;    /* highest seen */
	struct list all;   /* in order of acceptance */
	struct list dirty; /* in order of change */
	struct heap timers;
};

int runs_init(struct runs *rs);

/**
 * A new run, in state starting.
 *
 * Returns 0; -EEXIST (this run is in the table, under whatever epoch); -ESTALE (the
 * epoch is below one that was seen); -RV_ELIMIT; -ENOMEM.
 */
int runs_add(struct runs *rs, struct run **ret, const struct spawn_token *t);
/* NULL when there is none with exactly this token */
struct run *runs_find(const struct runs *rs, const struct spawn_token *t);
/* the run whose main process, not reaped yet, has this pid; slow */
struct run *runs_find_pid(const struct runs *rs, pid_t pid);
void runs_remove(struct runs *rs, struct run *run); /* frees it */

void runs_set_dirty(struct runs *rs, struct run *run);
/* deadline RV_FOREVER takes the timer away */
void runs_set_deadline(struct runs *rs, struct run *run, rv_time deadline);
/* earliest deadline, RV_FOREVER */
rv_time runs_next_deadline(const struct runs *rs);

static inline bool run_is_active(const struct run *run)
{
	return run->info.state == SPAWN_RUN_STARTING ||
	       run->info.state == SPAWN_RUN_RUNNING;
}

#endif
