/*
 * Rate of starts: at most n in any stretch of time of a given length. The last n are kept,
 * so the limit holds at every moment and not only on average.
 */
#ifndef SCHED_RATE_H
#define SCHED_RATE_H

#include "reeve/base.h"

#define RATE_N_MAX 10000

struct rate {
	unsigned n;  /* 0: no limit */
	rv_time per; /* length of the stretch */
	rv_time *at; /* ring of the last n starts */
	unsigned next, n_at;
};

/* Set it; starts that were noted count on as far as the new ring keeps them. @n at most
 * RATE_N_MAX; 0: no limit. 0, -ENOMEM (unchanged then). */
int rate_set(struct rate *r, unsigned n, rv_time per);
void rate_deinit(struct rate *r);
/* When the next start may be, from now on: a time that has passed means now. */
rv_time rate_free_at(const struct rate *r);
void rate_note(struct rate *r, rv_time now);
/* The last of those that were noted up to a moment did not happen; RV_FOREVER: the last of
 * all. No effect where it is not kept any more. */
void rate_take_back(struct rate *r, rv_time at);
/* the i-th of those that are kept, i < n_at; 0: the oldest */
rv_time rate_noted(const struct rate *r, unsigned i);
/* none of those that were noted counts any more */
void rate_forget(struct rate *r);

#endif
