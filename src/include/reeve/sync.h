/*
 * Locks and events between the tasks of one loop. They live in the caller's memory and
 * never allocate; waiting tasks are linked from their own stacks, so the memory must
 * outlive every wait.
 *
 * (asyncio: locks.)
 */
#ifndef REEVE_SYNC_H
#define REEVE_SYNC_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* handed over first come, first served: nobody overtakes who waits */
typedef struct rv_lock {
	struct rv_link waiters;
	rv_task *owner; /* for debugging: another task may release, in debug mode that
			   is reported */
	bool locked;
} rv_lock;

RV_PUBLIC void rv_lock_init(rv_lock *l);
/** 0; -ECANCELED: not taken. Not recursive. */
RV_AWAIT int rv_lock_acquire(rv_lock *l);
/** True: taken. */
RV_PUBLIC bool rv_lock_try(rv_lock *l);
/** Pass it to the first waiter. -RV_ESTATE if it is not locked. */
RV_PUBLIC int rv_lock_release(rv_lock *l);
RV_PUBLIC bool rv_lock_held(const rv_lock *l);

typedef struct rv_event {
	struct rv_link waiters;
	bool set;
} rv_event;

RV_PUBLIC void rv_event_init(rv_event *e);
/** 0 once it was set, even if cleared again meanwhile; -ECANCELED. */
RV_AWAIT int rv_event_wait(rv_event *e);
/** Wakes all that wait now. */
RV_PUBLIC void rv_event_set(rv_event *e);
RV_PUBLIC void rv_event_clear(rv_event *e);
RV_PUBLIC bool rv_event_is_set(const rv_event *e);

#ifdef __cplusplus
}
#endif
#endif
