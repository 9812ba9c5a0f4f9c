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
/** Wait for the result. Being cancelled meanwhile cancels f. -RV_EWRONGLOOP. */
RV_AWAIT int rv_future_await(rv_future *f, void **val);

#ifdef __cplusplus
}
#endif
#endif
