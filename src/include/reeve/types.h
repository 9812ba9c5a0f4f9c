/*
 * Building blocks of the public structures that live in the caller's memory (timers,
 * scopes, groups, locks). Only the library touches their members; they stand here so
 * that the compiler knows the size.
 */
#ifndef REEVE_TYPES_H
#define REEVE_TYPES_H

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_loop rv_loop;
typedef struct rv_task rv_task;
typedef struct rv_future rv_future;
typedef struct rv_executor rv_executor;
typedef struct rv_ctx rv_ctx;

/* node or head of a doubly linked list */
struct rv_link {
	struct rv_link *prev, *next;
};

/* an entry of a loop's ready queue; run is NULL for a task */
struct rv_ready {
	struct rv_link link;
	void (*run)(struct rv_ready *r);
	unsigned round; /* of the loop, that it belongs to */
};

/*
 * A timer in the caller's memory: no operation on it can fail. Zeroed or
 * rv_timer_init'ed before use; must be stopped before its memory goes away.
 */
typedef struct rv_timer {
	struct rv_ready ready;
	rv_time when; /* of its clock, ns; may be read */
	rv_loop *loop;
	rv_cb fn;
	void *arg;
	uint32_t slot, seq; /* where it stands in the heap */
	uint8_t state;
	uint8_t clock;
	bool inline_fn; /* fn runs when the timer is taken from the heap, not by the
			   queue */
} rv_timer;

#ifdef __cplusplus
}
#endif
#endif
