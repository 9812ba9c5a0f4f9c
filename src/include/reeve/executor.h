/*
 * Worker threads for what blocks. (asyncio: run_in_executor, to_thread.)
 *
 * Threads are started when there is work and none is idle, up to a limit; idle ones
 * sleep until there is work, without waking up in between. They block all signals.
 */
#ifndef REEVE_EXECUTOR_H
#define REEVE_EXECUTOR_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_executor_opts {
	unsigned threads_max; /* 0: CPUs + 4, at most 32 */
	size_t queue_max;     /* calls that wait for a thread; 0: 65536 */
	size_t stack_size;    /* of a thread; 0: 1 MiB */
	const char *name;     /* of the threads, 15 bytes; NULL: "rv-worker" */
} rv_executor_opts;

/** 0 and one reference; -ENOMEM. No thread is started yet. */
RV_PUBLIC int rv_executor_new(rv_executor **ret, const rv_executor_opts *o);
RV_TS rv_executor *rv_executor_ref(rv_executor *e);
/** The last one: threads end after what is queued. Does not wait. NULL is fine. */
RV_TS void rv_executor_unref(rv_executor *e);
/**
 * Refuse new calls, let the queued ones run, wait for the threads.
 *
 * Blocks the calling thread; in a task use rv_loop_shutdown_executor or wait in a call
 * of another executor. Returns 0, -ETIMEDOUT when threads are still busy after timeout
 * (they end by themselves later).
 */
RV_TS int rv_executor_shutdown(rv_executor *e, rv_time timeout);
/** Threads that are inside a call now. */
RV_TS unsigned rv_executor_busy(rv_executor *e);

enum {
	/* Do not wait for a call that runs when cancelled: arg goes to the destructor
	 * when the thread is through with it. */
	RV_BLOCK_ABANDON = 1,
};

/**
 * Run fn(arg) in a thread and wait for it.
 *
 * Cancelled while queued it does not run; cancelled while it runs, the wait goes on,
 * because arg usually stands on the stack of the waiting task.
 *
 * @e  NULL: the loop's own
 *
 * Returns what fn returned; -ECANCELED: it did not run; -EAGAIN: too many are queued,
 * or no thread can be made; -ENOMEM; -RV_ESHUTDOWN.
 */
RV_AWAIT int rv_run_blocking(rv_executor *e, rv_fn fn, void *arg);
/**
 * The same, for arguments that are not on the task's stack.
 *
 * @d      takes over arg: called once in every case, maybe in the thread; may be NULL
 * @flags  RV_BLOCK_*
 *
 * Returns as above; -ECANCELED with RV_BLOCK_ABANDON: it did not run, or still does.
 */
RV_AWAIT int rv_run_blocking_ex(
	rv_executor *e, rv_fn fn, void *arg, rv_dtor d, unsigned flags);

/** Shut the loop's own executor down. 0; -ETIMEDOUT: reported, with how many are stuck.
 */
RV_AWAIT int rv_loop_shutdown_executor(rv_loop *l, rv_time timeout);

#ifdef __cplusplus
}
#endif
#endif
