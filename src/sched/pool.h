/*
 * A pool: slots that its jobs share, and what else keeps them from starting.
 */
#ifndef SCHED_POOL_H
#define SCHED_POOL_H

#include "sched/limit.h"
#include "sched/rate.h"

#define POOL_NAME_MAX 64 /* bytes, without the NUL */

struct pool {
	char name[POOL_NAME_MAX + 1];
	struct limit slots;
	struct limit functions; /* they take no slot */
	struct rate rate;
	bool gone;     /* nothing defines it any more: what is in it does not start */
	bool paused;   /* what is in it does not start */
	bool draining; /* takes no new jobs; those that it has go on and start */
	bool on_empty; /* something is run when it has become empty */

	/* jobs of the table that name it and may still run, held ones not counted; and of
	 * these, those whose end is being recorded */
	int64_t n_listed, n_ending;

	/* Starts ahead of a free slot: they wait with the spawner, at the pool's gate. */
	uint64_t gate;      /* names it, also to the spawner of the next reeved */
	unsigned n_ahead;   /* started ahead, and not known to run */
	unsigned n_strayed; /* that go on without their spawner */
	unsigned n_ungated; /* slots taken by runs that pass no gate */
	int64_t n_running;  /* runs that have slots of it */
	int64_t lasts_usec; /* what its runs last, on average, lately */
};

/* starts ahead of a free slot, of one pool */
#define POOL_AHEAD_MAX 24

/* Once the ends that are being recorded are on disk nothing of it may run any more. */
static inline bool pool_is_emptied(const struct pool *p)
{
	return p->n_listed <= p->n_ending;
}
/* slots of it that the spawner has to give out */
unsigned pool_gate_slots(const struct pool *p);
/* A run has ended by itself after so long: where they are short, the next ones are started
 * ahead of a free slot. */
void pool_note_run(struct pool *p, int64_t usec);
/* One that was started ahead did not get its slot soon: none are, for a while. */
void pool_note_recall(struct pool *p);
/* how many may be started beyond the slots now */
unsigned pool_ahead_max(const struct pool *p);

#endif
