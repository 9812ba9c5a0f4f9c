/*
 * Gates: how many runs of a kind may go on at once, where their starts come ahead of need.
 *
 * The daemon sends more starts of a pool than it has slots, so that the next one begins
 * when a run is over, without a word between the two processes. What is over the limit
 * waits here, in the order in which it came; it stands in the table as starting. A start
 * that may not wait counts, and begins at once: for those the daemon keeps the limit.
 *
 * Each that goes on has a number, the lowest that was free: so many as may go on are told
 * apart by numbers below the limit. Those that take slots in a way that the gate cannot count
 * come aside, only for the number.
 *
 * Pure bookkeeping: whoever calls starts what is given out. Any thread may call: a starter
 * that sees a run end takes the next one by itself (relay.h). A run that waits here can be
 * begun by another thread at any moment; whether it still waits is only known from what
 * gates_withdraw returns.
 */
#ifndef SPAWN_GATES_H
#define SPAWN_GATES_H

#include <pthread.h>

#include "base/list.h"
#include "spawn/runs.h"

struct gates {
	pthread_mutex_t
		lock;    /* of all that is here, and of run.gate and run.gate_link */
	struct list all; /* a gate is there as long as it has a run */
	bool closed;
};

void gates_init(struct gates *g);

#define GATE_NO_NUMBER UINT32_MAX

enum gate_mode {
	GATE_GO,    /* it goes on whatever the limit is, and counts */
	GATE_WAIT,  /* it must be ready to be begun */
	GATE_ASIDE, /* it goes on, and does not count */
};

/* A run comes to a gate, which is made where it is not there yet. 0, -ENOMEM */
int gates_enter(struct gates *g, struct run *run, uint64_t id, uint32_t slots,
	enum gate_mode mode);
/* The run is over. Has no effect on one that is at no gate, or not any more. */
void gates_leave(struct gates *g, struct run *run);
/* True: it waited, and has left. False: it goes on, or is at no gate. */
bool gates_withdraw(struct gates *g, struct run *run);
/* The next of a gate that may go on, NULL: none. It goes on. */
struct run *gates_next(struct gates *g, uint64_t id);
/**
 * The run is over, and the next that waits goes on in its place: gates_leave and gates_next
 * in one step.
 *
 * @ret_plenty  as gates_has_plenty
 *
 * Returns the next. NULL: there is none, and the run has not left.
 */
struct run *gates_pass(struct gates *g, struct run *over, bool *ret_plenty);
/* Others wait at the gate of a run that goes on. */
bool gates_has_waiting(struct gates *g, const struct run *run);
/* So many wait that there is time to send for more. */
bool gates_has_plenty(struct gates *g, uint64_t id);
/* From now on those that wait do so until they are withdrawn. */
void gates_close(struct gates *g);

#endif
