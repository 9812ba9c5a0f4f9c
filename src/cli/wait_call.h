/*
 * `wait`: one call of Wait and its answers, of several that may be needed: for selections
 * that are long, and where the daemon was started again.
 */
#ifndef CLI_WAIT_CALL_H
#define CLI_WAIT_CALL_H

#include <jansson.h>

#include "base/clock.h"
#include "base/macro.h"
#include "cli/progress.h"
#include "cli/select.h"

struct cli;
struct client;

/* after so much silence one line says why a job waits */
#define WAIT_PATIENCE RV_SEC(1)

struct wait {
	const struct cli *c;
	struct client *client;
	rv_time patience; /* RV_FOREVER: nobody is to be told why, or there is no news */
	bool said_why;
	struct progress progress;
	const char *until;     /* as Wait has it; NULL: all */
	int64_t deadline_usec; /* monotonic; USEC_INFINITY: none */
	int64_t waiting, succeeded, failed;
	bool timed_out;
	bool must_match; /* something was named: nothing is not success then */
	json_t *jobs;    /* with --json: all that were told; owned */
	int64_t first;   /* with --any: the one that ended; 0: none yet */
	unsigned n_reconnects;
	size_t ranges_max; /* of one selector */
	/* of the call under way */
	struct job_select ids;    /* its jobs, as far as the daemon told */
	uint64_t n_ids, n_in_all; /* told, and how many there are; the same: all told */
	uint64_t *told;           /* ids of those that have ended */
	size_t n_told, n_told_max;
	int64_t told_succeeded;
	bool resumed;  /* what is asked for was found before */
	int64_t gone;  /* that the daemon forgot in the meantime; 0: none */
	int exit_code; /* of an error that was printed */
};

static inline bool wait_until_is(const struct wait *w, const char *word)
{
	return w->until && STREQ(w->until, word);
}

/* monotonic */
static inline int64_t wait_now_usec(void)
{
	return rv_now() / 1000;
}

/* Make the call and take its answers into w, telling of jobs that ended. select: borrowed.
 * 0; -ECONNRESET; -EAGAIN one is gone; -ECANCELED refused, and told, see exit_code; other
 * errors */
int wait_call(struct wait *w, json_t *select);
/* w->told by number */
void wait_sort_told(struct wait *w);
/* Nothing is left of the call before. */
void wait_forget(struct wait *w);

#endif
