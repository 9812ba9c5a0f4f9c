/*
 * Locks, events, conditions, semaphores, limiters and barriers between the tasks of one loop. They
 * live in the caller's memory and never allocate; waiting tasks are linked from their own
 * stacks, so the memory must outlive every wait: nobody can tell where it does not. What
 * waited when its loop closed does not wait any more, and is given nothing.
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
	rv_task *owner; /* another task may release; in debug mode that is reported */
	bool locked;
	const void *home; /* debug mode: whose thread uses it */
	uint64_t owner_id;
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
	const void *home; /* debug mode: whose thread uses it */
} rv_event;

RV_PUBLIC void rv_event_init(rv_event *e);
/** 0 once it was set, even if cleared again meanwhile; -ECANCELED. */
RV_AWAIT int rv_event_wait(rv_event *e);
/** Wakes all that wait now. */
RV_PUBLIC void rv_event_set(rv_event *e);
RV_PUBLIC void rv_event_clear(rv_event *e);
RV_PUBLIC bool rv_event_is_set(const rv_event *e);

/* a place to wait for a change of what a lock guards */
typedef struct rv_cond {
	struct rv_link waiters;
	rv_lock *lock;
	const void *home; /* debug mode: whose thread uses it */
} rv_cond;

/** The lock must outlive it. Several conditions may share one. */
RV_PUBLIC void rv_cond_init(rv_cond *c, rv_lock *l);
/**
 * Give the lock back, wait to be notified, take it again.
 *
 * The lock is held whenever this returns, also with -ECANCELED. A notification that
 * meets a task which is cancelled before it holds the lock again goes on to the next
 * one that waits.
 *
 * Returns 0; -ECANCELED; -RV_ESTATE: the lock is not locked.
 */
RV_AWAIT int rv_cond_wait(rv_cond *c);
/** Wait until pred(arg), which is asked with the lock held and must not await. */
RV_AWAIT int rv_cond_wait_until(rv_cond *c, bool (*pred)(void *arg), void *arg);
/** Wake at most n of those that wait, the first first. -RV_ESTATE: not locked. */
RV_PUBLIC int rv_cond_notify(rv_cond *c, size_t n);
RV_PUBLIC int rv_cond_notify_all(rv_cond *c);

enum {
	RV_SEM_BOUNDED = 1, /* never more permits than in the beginning */
};

/* permits, handed over first come, first served: nobody overtakes who waits */
typedef struct rv_sem {
	struct rv_link waiters;
	long value, max;
	const void *home; /* debug mode: whose thread uses it */
} rv_sem;

/** v permits, >= 0. 0; -EINVAL. */
RV_PUBLIC int rv_sem_init(rv_sem *s, long v, unsigned flags);
/** 0: one permit is yours; -ECANCELED. */
RV_AWAIT int rv_sem_acquire(rv_sem *s);
/** True: taken. */
RV_PUBLIC bool rv_sem_try(rv_sem *s);
/** -RV_ESTATE: a bounded one has all its permits already; -EOVERFLOW. */
RV_PUBLIC int rv_sem_release(rv_sem *s);
/** Permits that nobody has. */
RV_PUBLIC long rv_sem_value(const rv_sem *s);

/*
 * Tokens of which each task has at most one, and whose number may change: how many at once
 * may use something. (trio: CapacityLimiter.)
 */
typedef struct rv_limiter {
	struct rv_link waiters;
	struct rv_link taken; /* rv_token.link */
	size_t total, n_taken;
	const void *home; /* debug mode: whose thread uses it */
} rv_limiter;

/* in the memory of who takes one, mostly a local variable; must stay until it is released */
typedef struct rv_token {
	struct rv_link link; /* zeroed: not taken */
	rv_task *task;
	uint64_t task_id;
} rv_token;

#define RV_TOKEN_NULL ((rv_token){.task = NULL})

/** total tokens; 0: everybody waits until there are some. */
RV_PUBLIC void rv_limiter_init(rv_limiter *l, size_t total);
/**
 * Wait for a token, first come, first served.
 *
 * @t  begins as RV_TOKEN_NULL
 *
 * Looks at all tokens that are out, to find out whether this task has one.
 *
 * Returns 0: t is taken; -EDEADLK: this task has one already; -ECANCELED: not taken.
 */
RV_AWAIT int rv_limiter_acquire(rv_limiter *l, rv_token *t);
/** The same without waiting: -EAGAIN, also where others wait; -RV_ENOTASK. */
RV_PUBLIC int rv_limiter_try(rv_limiter *l, rv_token *t);
/** Give it back, from any task. -RV_ESTATE: it is not taken. */
RV_PUBLIC int rv_limiter_release(rv_limiter *l, rv_token *t);
/** More: those that wait go on, as far as it reaches. Fewer than are taken: nobody gets
 * one until enough have come back. */
RV_PUBLIC void rv_limiter_set_total(rv_limiter *l, size_t total);
RV_PUBLIC size_t rv_limiter_total(const rv_limiter *l);
/** How many are out. */
RV_PUBLIC size_t rv_limiter_taken(const rv_limiter *l);

/* a meeting point for a fixed number of tasks, again and again */
typedef struct rv_barrier {
	struct rv_link waiters;
	unsigned parties, n_waiting;
	bool broken;
	const void *home; /* debug mode: whose thread uses it */
} rv_barrier;

/** n > 0 tasks meet. 0; -EINVAL. */
RV_PUBLIC int rv_barrier_init(rv_barrier *b, unsigned n);
/**
 * Wait until as many are here as shall meet; then all go on at once, and the next to
 * arrive begins a new meeting.
 *
 * Returns 0 to parties - 1, another for each, in the order of arrival; -ECANCELED: this
 * task does not count any more; -RV_EBROKEN: reset or aborted.
 */
RV_AWAIT int rv_barrier_wait(rv_barrier *b);
/** Send those that wait away with -RV_EBROKEN and begin anew, also after an abort. */
RV_PUBLIC void rv_barrier_reset(rv_barrier *b);
/** Send them away, and everybody who comes until rv_barrier_reset. */
RV_PUBLIC void rv_barrier_abort(rv_barrier *b);
RV_PUBLIC unsigned rv_barrier_parties(const rv_barrier *b);
RV_PUBLIC unsigned rv_barrier_n_waiting(const rv_barrier *b);
RV_PUBLIC bool rv_barrier_is_broken(const rv_barrier *b);

#ifdef __cplusplus
}
#endif
#endif
