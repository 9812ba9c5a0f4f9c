/*
 * Futures: a result that comes later, for tasks to wait for and callbacks to hear of.
 *
 * (asyncio: futures.) They belong to one loop's thread. Callbacks always run from the
 * loop's queue, never inside the call that completes or registers.
 */
#ifndef REEVE_FUTURE_H
#define REEVE_FUTURE_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*rv_future_fn)(rv_future *f, void *arg);

/** l NULL: the loop that runs in this thread. 0 and a reference; -ENOMEM;
 * -RV_ELOOPCLOSED. */
RV_PUBLIC int rv_future_new(rv_future **ret, rv_loop *l);
RV_PUBLIC rv_future *rv_future_ref(rv_future *f);
/** NULL is fine. A failure that nobody has read is reported when the last goes. */
RV_PUBLIC void rv_future_unref(rv_future *f);
/** Complete with a value; d takes it over. -RV_ESTATE if it is done: val is still
 * yours. */
RV_PUBLIC int rv_future_set(rv_future *f, void *val, rv_dtor d);
/** Complete with an error (< 0, not -ECANCELED); msg is copied, may be NULL.
 * -RV_ESTATE. */
RV_PUBLIC int rv_future_fail(rv_future *f, int err, const char *msg);
/** False if it is done (a failure then counts as read). A task's future cancels the
 * task. */
RV_PUBLIC bool rv_future_cancel(rv_future *f);
RV_PUBLIC bool rv_future_done(const rv_future *f);
RV_PUBLIC bool rv_future_cancelled(const rv_future *f);
/** 0 and the value, borrowed; its error; -ECANCELED; -RV_ESTATE if it is not done. */
RV_PUBLIC int rv_future_result(rv_future *f, void **val);
/** As rv_future_result, but the value is yours now: only once. */
RV_PUBLIC int rv_future_take(rv_future *f, void **val);
/** NULL: none. Does not count as having read the failure. */
RV_PUBLIC const char *rv_future_errmsg(const rv_future *f);
/** Call fn once f is done. Returns an id > 0; 0 with errno ENOMEM. */
RV_PUBLIC uint32_t rv_future_on_done(rv_future *f, rv_future_fn fn, void *arg);
/** Returns how many registrations were dropped: 0 or 1. */
RV_PUBLIC int rv_future_off_done(rv_future *f, uint32_t id);
/** Drop all registrations of fn with arg; returns how many. */
RV_PUBLIC int rv_future_off_done_fn(rv_future *f, rv_future_fn fn, void *arg);
/** Wait for the result; the caller holds a reference until then. Being cancelled meanwhile
 * cancels f. -RV_EWRONGLOOP. */
RV_AWAIT int rv_future_await(rv_future *f, void **val);
/**
 * A future that ends as f does, but whose cancelling does not touch f. If f fails after
 * that, nobody is told. (asyncio: shield.)
 *
 * @ret  one reference; its value is borrowed from f and cannot be taken
 *
 * Returns 0; -ENOMEM; -RV_ELOOPCLOSED.
 */
RV_PUBLIC int rv_future_shield(rv_future *f, rv_future **ret);

/*
 * The thread-safe kind: a task of a loop as other threads, and the tasks of other
 * loops, see it. (asyncio: run_coroutine_threadsafe, wrap_future.)
 */
typedef struct rv_xfuture rv_xfuture;

/**
 * Run fn(arg) as a task of l.
 *
 * @d    takes over arg: called once, in l's thread, or here where this fails; NULL
 * @ret  one reference; NULL: a failure goes to l's exception handler
 *
 * Returns 0; -ENOMEM; -RV_ELOOPCLOSED. The caller must hold a reference to l, or know
 * otherwise that it stays.
 */
RV_TS int rv_submit(rv_loop *l, rv_fn fn, void *arg, rv_dtor d, rv_xfuture **ret);
RV_TS rv_xfuture *rv_xfuture_ref(rv_xfuture *x);
/** NULL is fine. The task goes on. One that fails afterwards is reported to its loop. */
RV_TS void rv_xfuture_unref(rv_xfuture *x);
/**
 * Block this thread until the task has ended.
 *
 * @timeout  from now; <= 0: only look; the task goes on after it
 * @val      its payload, borrowed; may be NULL
 *
 * Returns its result (-ECANCELED: it was cancelled); -ENOMEM, -EAGAIN: there was no task
 * for it; -ETIMEDOUT; -RV_ELOOPCLOSED: it will never end, also where this is the child of a
 * fork and it had not ended by then; -EDEADLK in the thread that runs its loop.
 */
RV_TS int rv_xfuture_wait(rv_xfuture *x, rv_time timeout, void **val);
/** Wait in a task, of whichever loop. Being cancelled meanwhile cancels x's task, and the
 * wait goes on until that has ended. */
RV_AWAIT int rv_xfuture_await(rv_xfuture *x, void **val);
RV_TS bool rv_xfuture_done(rv_xfuture *x);
/** Cancel its task, once; false if it is done. */
RV_TS bool rv_xfuture_cancel(rv_xfuture *x);
/** Text that rv_fail stored in it; NULL. Borrowed; only when it is done. */
RV_TS const char *rv_xfuture_errmsg(rv_xfuture *x);
/** Run fn(arg) as a task of l and block until it has ended: for threads of an executor
 * that have something to do in the loop. Errors as above. */
RV_TS int rv_thread_call(rv_loop *l, rv_fn fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif
