/*
 * One run of a job while it goes on: what the supervising task works with, and what the
 * spawner link and the control verbs tell it. Loop thread only.
 */
#ifndef DAEMON_RUN_H
#define DAEMON_RUN_H

#include "daemon/job.h"
#include "daemon/start_pace.h"
#include "reeve/loop.h"
#include "reeve/sync.h"
#include "spawn/spawn.h"

struct core;
struct output_file;
struct pool;
struct run_caps;
struct run_hooks;
struct run_ready;
struct reload;
struct run_stdin;

enum run_stop {
	RUN_STOP_NONE,
	RUN_STOP_TIMEOUT,
	RUN_STOP_CANCEL,
	RUN_STOP_SHUTDOWN,
	RUN_STOP_UNREADY,      /* a service that was not ready in time */
	RUN_STOP_UNRESPONSIVE, /* one that was, and does not answer any more */
	RUN_STOP_MEMORY,       /* one that takes more than max-memory */
};

struct run {
	struct core *core;
	struct job *job;
	struct job_spec spec;
	struct store_run
		rec; /* as it was recorded last; strings owned by this struct */
	char output_names[2 * 48];
	char *value; /* JSON result of a function */
	char *error_text;
	struct output_file *out, *err; /* NULL: none of ours */
	struct run_caps *caps;         /* NULL: nobody watches their size yet */
	struct run_stdin *in;          /* NULL: nothing can be sent to it */
	struct run_ready *ready;       /* NULL: it is none of a service */
	struct run_hooks *hooks;       /* NULL: the same */
	struct reload *reload;         /* that goes on (run_reload.h); NULL: none */
	struct list active;            /* among the runs that go on, in core */
	rv_event wake;                 /* something below changed */
	struct list
		want_room; /* in the link's list while a request of ours found none */

	/* said by the spawner link */
	bool sent;     /* the start request is with the spawner */
	bool in_doubt; /* the link was lost: the next table tells */
	bool started;
	bool recalled; /* it waited at its pool's gate and was taken back */
	bool ended;    /* end holds */
	bool pid_recorded;
	bool spawner_gone; /* its status comes from the pidfd, if anybody knows it */
	struct run_end end;
	struct spawn_run_info info;
	int pidfd; /* -1: none */
	rv_watch *pidfd_watch;
	rv_time status_due; /* ended without a spawner: so long its status may become known */

	/* asked for by users, the timeout, the shutdown */
	enum run_stop stop;
	char stop_text[96]; /* of MEMORY: why; "": an earlier daemon knew */
	bool stop_sent;
	unsigned way;             /* by which of its demand it got its slots */
	rv_time admitted_at;      /* CLOCK_BOOTTIME; 0: by an earlier daemon */
	struct start_place place; /* of a service: while it is being started */
	bool ahead;               /* it may still wait for its slot, with the spawner */
	bool recall_sent;
	rv_time recall_at; /* CLOCK_MONOTONIC; RV_FOREVER */
	bool hasten;       /* no more grace */
	rv_time kill_at;   /* without a spawner: when the grace is over; RV_FOREVER */
	bool pause_wanted, paused;
	bool spec_changing; /* by a record that is being committed */
	rv_time deadline;   /* of the run-time limit, CLOCK_MONOTONIC; RV_FOREVER */
};

/* what run_process returns for a run that never began: a shutdown came before, or it was
 * started ahead and its slot did not come */
#define RUN_NOT_BEGUN 1
/* and for one that has ended, when the daemon goes before its hooks are over */
#define RUN_LEFT 2

struct spawn_token run_spawn_token(const struct run *run);
/* the pool that it counts in for its gate and for averages */
struct pool *run_pool(const struct run *run);

#endif
