/*
 * Waiting for several things at once. (asyncio: gather, wait, as_completed, staggered.)
 *
 * The functions that take futures take those of tasks too: rv_task_future(t). They hold
 * what they wait for, so a future may be given up meanwhile. A future may stand in an
 * array more than once. Those that are not done must belong to this loop.
 */
#ifndef REEVE_WAIT_H
#define REEVE_WAIT_H

#include "reeve/future.h"
#include "reeve/task.h"

#ifdef __cplusplus
extern "C" {
#endif

enum rv_wait_mode {
	RV_WAIT_ALL,
	RV_WAIT_FIRST_COMPLETED,
	RV_WAIT_FIRST_ERROR, /* or all; a cancelled one is no error */
};

/* bits of which number i says that the i-th is done */
#define RV_WAIT_WORDS(n)      (((n) + 63) / 64)
#define RV_WAIT_IS_DONE(b, i) (((b)[(i) / 64] >> ((i) % 64)) & 1)

/**
 * Wait until enough of n futures are done. Nothing is cancelled, and no error is read.
 *
 * @timeout  from now; <= 0: only look; RV_FOREVER: none
 * @done     RV_WAIT_WORDS(n) words, filled in for all n; may be NULL
 *
 * Returns how many are done, which after the timeout may be too few; -ECANCELED;
 * -EINVAL: n is 0; -RV_EWRONGLOOP; -EDEADLK: this task is among them; -ENOMEM.
 */
RV_AWAIT int rv_wait(rv_future *const *fs, size_t n, enum rv_wait_mode mode,
	rv_time timeout, uint64_t *done);

enum {
	RV_GATHER_ALL = 1, /* failures are results: wait for all, return 0 */
	RV_GATHER_DETACH =
		2, /* at the first failure return, and let the others go on */
};

/* how one of them ended */
typedef struct rv_outcome {
	int err;   /* what it returned: >= 0, or its error */
	void *val; /* its payload; NULL */
} rv_outcome;

/**
 * Wait for n futures and read their results.
 *
 * At the first failure (being cancelled is one, too) the others are cancelled and
 * waited for, unless flags say otherwise. When this task is cancelled they are
 * cancelled and waited for in any case.
 *
 * @flags  RV_GATHER_*
 * @out    n outcomes, in the order of the arguments; may be NULL. Values are borrowed
 *         from the futures. With RV_GATHER_DETACH those that go on have -EINPROGRESS;
 *         how they end is not reported to anybody.
 *
 * Returns 0; the first error in time; -ECANCELED: this task is being cancelled, or one
 * of them was; -EINVAL, -RV_EWRONGLOOP, -EDEADLK, -ENOMEM: nothing was touched.
 */
RV_AWAIT int rv_gather(rv_future *const *fs, size_t n, unsigned flags, rv_outcome *out);

typedef struct rv_call {
	rv_fn fn;
	void *arg;
	const char *name; /* of its task; NULL: "Task-N" */
} rv_call;

/**
 * Run n calls side by side, each in a task of its own, and wait for all of them.
 *
 * @flags  0 or RV_GATHER_ALL
 * @out    as above, but the values (rv_task_return) are the caller's when 0 is
 *         returned, and were destroyed, val being NULL, when it is not. NULL: destroyed
 *
 * Returns as rv_gather; errors of rv_spawn_ex: then those that were started before
 * have been cancelled and have ended.
 */
RV_AWAIT int rv_gather_calls(
	const rv_call *calls, size_t n, unsigned flags, rv_outcome *out);

/**
 * Start calls one after the other until one succeeds: the next when the one before has
 * failed, or after stagger. The others are then cancelled and waited for.
 *
 * @stagger  0: all at once; RV_FOREVER: each only when the one before has failed
 * @out      n outcomes: who had success although another won says so here and has to be
 *           tidied up after; -ECANCELED for who was not started. val is not used
 *
 * Returns the number of the winner; the error of the last that failed; -ECANCELED:
 * none has won; -EINVAL: n is 0 or over INT_MAX, or out is NULL; -ENOMEM; errors of rv_spawn_ex.
 */
RV_AWAIT int rv_race(const rv_call *calls, size_t n, rv_time stagger, rv_outcome *out);

/* only the library touches the members */
typedef struct rv_as_completed {
	struct rv_as_completed_state *state;
} rv_as_completed;

/**
 * Go through futures in the order in which they are done.
 *
 *	rv_as_completed it;
 *	size_t i;
 *	r = rv_as_completed_init(&it, fs, n, RV_SEC(10));
 *	while (r >= 0 && (r = rv_as_completed_next(&it, &i)) > 0)
 *		r = use(fs[i]);
 *	rv_as_completed_fini(&it);
 *
 * @timeout  from now, for all of them
 *
 * Returns 0; -RV_ENOTASK; -RV_EWRONGLOOP; -EDEADLK; -ENOMEM. rv_as_completed_fini is
 * harmless after any of them.
 */
RV_PUBLIC int rv_as_completed_init(
	rv_as_completed *it, rv_future *const *fs, size_t n, rv_time timeout);
/**
 * Wait for the next one.
 *
 * Returns 1 and its number, each once; 0: that was all; -ETIMEDOUT, from then on always;
 * -ECANCELED; -EBUSY: another task waits here.
 */
RV_AWAIT int rv_as_completed_next(rv_as_completed *it, size_t *ret_index);
/** Nobody may be waiting in it. What is not done goes on. */
RV_PUBLIC void rv_as_completed_fini(rv_as_completed *it);

#ifdef __cplusplus
}
#endif
#endif
