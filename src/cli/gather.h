/*
 * Following the jobs of one `gather` until all have ended: their output comes in the order in
 * which they were given, each in one piece as soon as its turn has come; the first that does
 * not succeed cancels the rest; Ctrl-C goes to all; a daemon that vanishes is waited for.
 */
#ifndef CLI_GATHER_H
#define CLI_GATHER_H

#include <jansson.h>

#include "cli/progress.h"

struct cli;
struct client;

struct gather_job {
	uint64_t id;
	bool ended, succeeded;
};

struct gather {
	const struct cli *c;
	int signal_fd; /* of follow_catch_interrupts; borrowed */
	bool keep_going, no_output;
	struct gather_job *jobs; /* in the order given */
	size_t n, n_max;
	/* its own */
	struct progress progress;
	size_t *by_id; /* indices of jobs, by id; n_by_id of n_max */
	size_t n_by_id;
	struct client *waiter;  /* Wait is under way on it */
	struct client *control; /* short calls in between */
	uint64_t asked_last;    /* the highest id of that Wait */
	size_t n_asked;         /* of jobs there were when it began */
	bool is_waiting;        /* it is not over */
	bool looks_later;       /* not for failures before all are submitted */
	size_t n_ended, n_succeeded, n_cancelled;
	size_t n_shown;  /* all before have been shown */
	bool has_failed; /* the first did, so the rest is to be cancelled */
	bool cancelled;  /* the rest was, by us */
	unsigned n_interrupts, n_reconnects;
	int64_t lost_bytes; /* of output that was trimmed before we had it */
	size_t n_unshown;   /* jobs that were removed before their output was shown */
	int write_error;    /* of our own output: -errno */
};

/* Take the ids that a call of Submit gave (batch_ids_fn), and look whether one of those before
 * has failed: then the rest is cancelled, and no more is to be submitted. */
int gather_take_ids(void *arg, const json_t *ids);

/* Cancel those that have not ended, as a Ctrl-C does. What cannot be reached is left alone. */
void gather_cancel(struct gather *g);

/**
 * Wait for all of them and show them.
 *
 * @control  a connection; taken
 *
 * Returns 0; -ENOTCONN the daemon is gone and did not come back; -ECANCELED it refused, which
 * was told, with *ret_code; the output's error, also in g->write_error; others.
 */
int gather_follow(struct gather *g, struct client *control, int *ret_code);
void gather_deinit(struct gather *g);

/* ---- gather_show.c: one job's block ---- */

/* Show the job at that place; all before it were. 0, -ECONNRESET: again with a new connection;
 * others. */
int gather_show(struct gather *g, size_t i);
/* what stands around all of them; 0, -errno */
int gather_show_begin(struct gather *g);
int gather_show_end(struct gather *g);
/* SIGINT has come: called by whoever polls the descriptor */
void gather_interrupted(void *arg);

#endif
