/*
 * Tasks: coroutines that a loop runs.
 *
 * (asyncio: tasks.) A task's body is a plain C function and may await in any function
 * it calls. It belongs to one loop and thread for life. Bodies return >= 0 or a
 * negative error; one that returns -ECANCELED was cancelled, one that returns anything
 * else was not.
 *
 * Cancellation is a level, not an event: while a task is cancelled every RV_AWAIT
 * function returns -ECANCELED at once and has done nothing; what had completed before
 * returns its result. Whoever means to carry on lowers the level with rv_task_uncancel,
 * or opens a shield (reeve/scope.h).
 *
 * Outside of a task RV_AWAIT functions return -RV_ENOTASK.
 */
#ifndef REEVE_TASK_H
#define REEVE_TASK_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	RV_SPAWN_EAGER = 1, /* from a task: run until it first waits before going on */
};

typedef struct rv_task_opts {
	const char *name;  /* copied; NULL: "Task-N" */
	size_t stack_size; /* 0: the loop's; rounded up to 64 KiB times a power of two
			    */
	/* Takes over arg: called exactly once, when the body has returned and what
	 * rv_defer registered has run, or where there is no first step, or spawning
	 * fails. Not in the task: it cannot await; what has to is for rv_defer. */
	rv_dtor arg_dtor;
	unsigned flags; /* RV_SPAWN_* */
	rv_loop *loop;  /* NULL: the one that runs in this thread */
	rv_ctx *ctx;    /* reeve/ctx.h; NULL: that of the task that spawns */
} rv_task_opts;

/** NULL with errno set (ENOMEM, EAGAIN, RV_E*): arg is still yours. One reference is
 * yours. */
RV_PUBLIC rv_task *rv_spawn(rv_fn fn, void *arg);
/**
 * Spawn with options.
 *
 * @ret  one reference; may be NULL: the task is detached at once
 *
 * Returns 0; -ENOMEM; -EAGAIN: the system allows no more stacks; -EINVAL; -RV_ENOTASK:
 * no loop runs here and none was named; -RV_ELOOPCLOSED. Where memory was locked since
 * (mlockall) and the system now allows no more, the task ends with -EAGAIN without a step.
 */
RV_PUBLIC int rv_spawn_ex(rv_task **ret, const rv_task_opts *o, rv_fn fn, void *arg);
RV_PUBLIC rv_task *rv_task_ref(rv_task *t);
/** NULL is fine. A failure that nobody has read is reported when the last goes. */
RV_PUBLIC void rv_task_unref(rv_task *t);
/** Give up the reference; a failure goes to the exception handler at once. */
RV_PUBLIC void rv_task_detach(rv_task *t);
/** The running task; NULL in a callback and outside of a loop. */
RV_PUBLIC rv_task *rv_task_self(void);
RV_PUBLIC rv_loop *rv_task_loop(const rv_task *t);

/** One more request to end; false if it is done already. Never allocates. */
RV_PUBLIC bool rv_task_cancel(rv_task *t);
RV_PUBLIC bool rv_task_cancel_why(rv_task *t, const char *fmt, ...) RV_PRINTF(2, 3);
/** Requests that were not taken back. */
RV_PUBLIC int rv_task_cancelling(const rv_task *t);
/** Take one request back; the level drops with the last. Returns how many are left. */
RV_PUBLIC int rv_task_uncancel(rv_task *t);
/** Why this task is being cancelled; NULL if it is not. */
RV_PUBLIC const char *rv_cancel_reason(void);

RV_PUBLIC bool rv_task_done(const rv_task *t);
RV_PUBLIC bool rv_task_cancelled(const rv_task *t);
/** What the body returned, and its payload (borrowed); -RV_ESTATE if it is not done. */
RV_PUBLIC int rv_task_result(rv_task *t, void **val);
/** The error of a task that failed, 0 otherwise; does not count as having read it. */
RV_PUBLIC int rv_task_error(const rv_task *t);
/** Text that rv_fail stored, NULL if none. */
RV_PUBLIC const char *rv_task_errmsg(const rv_task *t);
/** Attach a payload to my result; d runs when the task goes or a new payload comes. */
RV_PUBLIC void rv_task_return(void *val, rv_dtor d);

/**
 * Wait for t and read its result; the caller holds a reference until then, or t is a child
 * of a group that has not ended. Being cancelled meanwhile cancels t, and the wait
 * goes on until t has ended. What t returned is returned.
 *
 * Returns t's result; -ECANCELED: t or this task is cancelled (rv_task_cancelled
 * tells); -EDEADLK: t is this task; -RV_EWRONGLOOP.
 */
RV_AWAIT int rv_task_await(rv_task *t, void **val);
/** The same, but being cancelled does not touch t. */
RV_AWAIT int rv_task_join(rv_task *t, void **val);

/** Copied. 0; -ENOMEM: it keeps the one it had. */
RV_PUBLIC int rv_task_set_name(rv_task *t, const char *name);
/** Borrowed, until the name is set again or the task goes. */
RV_PUBLIC const char *rv_task_name(const rv_task *t);
RV_PUBLIC uint64_t rv_task_id(const rv_task *t);
/** A task's completion as a future, borrowed from it; NULL: no memory. */
RV_PUBLIC rv_future *rv_task_future(rv_task *t);
/** Calls fn for each task that has not ended until it returns false; fn must not spawn.
 * Returns how many it was called for. */
RV_PUBLIC int rv_task_foreach(rv_loop *l, bool (*fn)(rv_task *, void *), void *arg);

/** d <= 0 is rv_yield. */
RV_AWAIT int rv_sleep(rv_time d);
RV_AWAIT int rv_sleep_until(rv_time when);
/** Let everything else that is ready run first. */
RV_AWAIT int rv_yield(void);
/** Looks for cancellation; yields only when the task has run for long. */
RV_AWAIT int rv_checkpoint(void);

/**
 * Run fn under a deadline, here, without another task.
 *
 * @timeout  RV_FOREVER: none; <= 0: -ETIMEDOUT and fn is not called
 *
 * Returns what fn did; -ETIMEDOUT when the deadline made it return -ECANCELED.
 */
RV_AWAIT int rv_wait_for(rv_fn fn, void *arg, rv_time timeout);
/**
 * Wait for t under a deadline: at the deadline t is cancelled and its end awaited.
 * Cancelled before: as rv_task_await. Cancelled while t resists: -ECANCELED, t goes on.
 */
RV_AWAIT int rv_wait_for_task(rv_task *t, rv_time timeout, void **val);

/** Store why something failed on this task and return err. Outside of a task just that.
 */
RV_PUBLIC int rv_fail(int err, const char *fmt, ...) RV_PRINTF(2, 3);
/** What rv_fail stored last on this task; NULL. */
RV_PUBLIC const char *rv_errmsg(void);

/**
 * Call fn(arg) when this task's body has returned, the last registered first. It runs
 * in the task, shielded from cancellation for the loop's cleanup_grace, and may await.
 *
 * Returns 0; -ENOMEM; -RV_ENOTASK.
 */
RV_PUBLIC int rv_defer(rv_cb fn, void *arg);
/** Drop the newest registration of the pair. */
RV_PUBLIC void rv_defer_cancel(rv_cb fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif
