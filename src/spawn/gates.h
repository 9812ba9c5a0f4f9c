/*
 * Gates: how many runs of a kind may go on at once, where their starts come ahead of need.
 *
 * The daemon sends more starts of a pool than it has slots, so that the next one begins
 * when a run is over, without a word between the two processes. What is over the limit
 * waits here, in the order in which it came; it stands in the table as starting. A start
 * that may not wait counts, and begins at once: for those the daemon keeps the limit.
 *
 * Pure bookkeeping: whoever calls starts what gate_next gives out.
 */
#ifndef SPAWN_GATES_H
#define SPAWN_GATES_H

#include "base/list.h"
#include "spawn/runs.h"

struct gate {
	struct list link; /* of struct gates.all */
	uint64_t id;
	uint32_t slots;      /* as the last start said */
	size_t n_going;      /* starting or running */
	size_t n_waiting;    /* length of waiting */
	struct list waiting; /* of struct run.gate_link */
};

struct gates {
	struct list all; /* a gate is there as long as it has a run */
};

void gates_init(struct gates *g);

/**
 * A run comes to a gate, which is made where it is not there yet.
 *
 * @may_wait  false: it goes on whatever the limit is
 *
 * Returns 0, -ENOMEM.
 */
int gates_enter(
	struct gates *g, struct run *run, uint64_t id, uint32_t slots, bool may_wait);
/* The run is over, or taken back. Has no effect on one that is at no gate. */
void gates_leave(struct run *run);
/* The next that may go on, NULL: none. It goes on. */
struct run *gate_next(struct gate *gate);

/* enough for the time that it takes to send for more */
#define GATE_PLENTY 8

static inline bool gate_has_plenty(const struct gate *gate)
{
	return gate->n_waiting >= GATE_PLENTY;
}

static inline bool run_waits_at_gate(const struct run *run)
{
	return list_is_linked(&run->gate_link);
}

#endif
