/*
 * The timers of one clock, in the order in which they are due; equal ones as they were
 * added.
 *
 * Timers stand in their users' memory, a sleeper's on its stack: each on a page of its own,
 * and with very many of them none is in any cache. So the heap, 4-ary, has the keys in one
 * array (four children in a line of the cache) and touches a timer only when that one is
 * added or taken. A key moves; the slot that it names stays, and so a timer is found from
 * its key and its key from the timer.
 *
 * Adding cannot fail: without memory for a larger array, timers are kept in a list, which
 * is looked through from its end: mostly that is where a new one belongs.
 *
 * Of equal timers the first added comes first as long as less than 2^31 others were added
 * between them; beyond that either may. When each is due does not depend on it.
 */
#ifndef RUNTIME_TIMER_HEAP_H
#define RUNTIME_TIMER_HEAP_H

#include "reeve/types.h"
#include "runtime/link.h"

struct timer_key {
	rv_time when;
	uint32_t seq;
	uint32_t slot; /* of slots */
};

struct timer_slot {
	rv_timer *timer; /* NULL: free */
	uint32_t at;     /* of keys; of a free one: the next free slot, 0: none */
};

struct timer_heap {
	struct timer_key *keys;   /* n, from TIMER_HEAP_ROOT on */
	struct timer_slot *slots; /* from 1 on */
	uint32_t n, n_max;
	uint32_t free_slot;  /* 0: none */
	uint32_t n_slots;    /* that were ever used */
	uint32_t seq;        /* of the next; it wraps */
	struct rv_link list; /* rv_timer.ready.link: sorted; mostly there is none */
};

enum { TIMER_HEAP_ROOT = 3 }; /* the children of all begin at a multiple of four */

void timer_heap_init(struct timer_heap *h);
/* Memory for a few, so that most never need any. 0, -ENOMEM */
int timer_heap_prepare(struct timer_heap *h);
/* What is still in it is forgotten, and in no list. */
void timer_heap_deinit(struct timer_heap *h);
/* t->when is set, and t is in no heap */
void timer_heap_add(struct timer_heap *h, rv_timer *t);
/* t is in h */
void timer_heap_remove(struct timer_heap *h, rv_timer *t);
/* NULL: there is none */
rv_timer *timer_heap_first(const struct timer_heap *h);
/* Gives memory back after a peak. */
void timer_heap_trim(struct timer_heap *h);

/* when the first is due; RV_FOREVER: there is none */
static inline rv_time timer_heap_next(const struct timer_heap *h)
{
	rv_time next = h->n > 0 ? h->keys[TIMER_HEAP_ROOT].when : RV_FOREVER;

	if (UNLIKELY(!link_is_empty(&h->list)))
		next = MIN(next, LINK_ENTRY(h->list.next, rv_timer, ready.link)->when);
	return next;
}

#endif
