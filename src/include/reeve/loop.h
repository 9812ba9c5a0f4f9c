/*
 * The event loop: ready queue, timers, descriptors, wake-up from other threads.
 *
 * (asyncio: events, base_events.) One loop runs in one thread and everything that
 * belongs to it is touched from that thread only, save for what is marked RV_TS.
 *
 * The loop works in rounds: a round runs what was ready when it began; what becomes
 * ready meanwhile belongs to the next. Descriptors are polled at least once in 64 steps
 * (512 of the shortest) or 200 us, before each round that follows one with callbacks in
 * it, and always before the loop sleeps. How late it is, is looked at after every eighth
 * step, or every 32nd as long as steps take less than 200 ns. A loop with nothing to do
 * makes no system call until something is due.
 */
#ifndef REEVE_LOOP_H
#define REEVE_LOOP_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Time for the loop from elsewhere: tests and simulations put in a virtual clock. With
 * one, no kernel timer is used: when there is nothing to do the loop calls idle
 * instead.
 */
typedef struct rv_clock {
	rv_time (*monotonic)(void *priv);
	rv_time (*boottime)(void *priv);
	int64_t (*wall_usec)(void *priv);
	/* Nothing is ready; next is the earliest monotonic deadline (RV_FOREVER: none).
	 * True: time was moved, look again; false: sleep until a descriptor or another
	 * thread calls. May be NULL: as if it returned false. */
	bool (*idle)(void *priv, rv_time next);
	void *priv;
} rv_clock;

typedef struct rv_loop_opts {
	bool debug;            /* also set by REEVE_DEBUG=1 in the environment */
	size_t stack_size;     /* of tasks, bytes; 0: 256 KiB */
	unsigned exec_threads; /* of the default executor, at most; 0: CPUs + 4, at most
				  32 */
	rv_time slow_callback; /* debug: steps longer than this are reported; 0: 100 ms
				*/
	rv_time cleanup_grace; /* for what rv_defer has registered; 0: 5 s */
	const rv_clock *clock; /* NULL: the kernel's; must outlive the loop */
} rv_loop_opts;

/* A value, not an object: using one after the callback ran, or twice, is harmless. */
typedef struct rv_handle {
	void *p; /* NULL: the call was refused (closed loop, no memory, wrong thread,
		    no descriptor for the clock) */
	uint64_t gen;
} rv_handle;

/* what an error report carries; what does not apply is NULL, 0 or -1 (fd) */
typedef struct rv_exc {
	const char *message;
	int err; /* negative, or 0 */
	rv_task *task;
	rv_future *future;
	rv_handle handle; /* the callback that was running */
	void *transport;
	void *protocol;
	int fd;
} rv_exc;

#define RV_EXC_NULL ((rv_exc){.fd = -1})

typedef void (*rv_exc_fn)(rv_loop *l, const rv_exc *e, void *arg);

/**
 * Make a loop for this thread.
 *
 * @o  NULL for the defaults
 *
 * Returns 0 and one reference; -EINVAL: stack_size is over 64 MiB, or the clock has no
 * monotonic; -ENOMEM, or what creating the descriptors gave.
 */
RV_PUBLIC int rv_loop_new(rv_loop **ret, const rv_loop_opts *o);
/** The object stays valid while referenced, closed or not. */
RV_TS rv_loop *rv_loop_ref(rv_loop *l);
/** Dropping the last reference closes an open loop; NULL is fine. */
RV_TS void rv_loop_unref(rv_loop *l);
/**
 * Close: run what other threads have already posted, stop timers and watches, restore
 * signals, report tasks that never ended (their stacks are leaked on purpose).
 *
 * Returns 0, also when closed already; -RV_ERUNNING while it runs. From then on calls
 * give -RV_ELOOPCLOSED.
 */
RV_PUBLIC int rv_loop_close(rv_loop *l);
/**
 * In the child of a fork: the loops that it has copied are closed, for they share their
 * descriptors with the parent's.
 *
 * fork(3) has called it already. It is for who goes on in the child of _Fork or of a
 * clone(2) of one's own, without CLONE_VM; elsewhere it does nothing. What the parent's
 * loops wait for stays as it is: such a child should exec or _exit, and do no more with
 * streams, servers and transports, whose sockets are the parent's, too.
 *
 * From then on calls for those loops give -RV_ELOOPCLOSED, awaits also; the signals have
 * their dispositions of before. A task that forked and returns all the same, or a
 * callback, ends the run with -RV_ELOOPCLOSED: no other task goes on, and nothing that was
 * to be done at its end is. The memory of such a loop is never freed.
 */
RV_PUBLIC void rv_atfork_child(void);
/**
 * Keep something with the loop until it is closed, for a library that has one of it for
 * each loop.
 *
 * @key  whose address tells it from what others keep
 * @d    called with val when the loop closes, after its tasks have ended or were given up;
 *       what was attached last goes first. It may stop timers and watches, and must not
 *       start any; rv_loop_current is l. NULL: nothing to do
 *
 * Returns 0; -EINVAL: val is NULL; -EEXIST: something stands under this key; -ENOMEM;
 * -RV_ELOOPCLOSED: val is still yours.
 */
RV_PUBLIC int rv_loop_attach(rv_loop *l, const void *key, void *val, rv_dtor d);
/** What was attached, borrowed; NULL: nothing, or the loop is closed. */
RV_PUBLIC void *rv_loop_attached(const rv_loop *l, const void *key);
RV_PUBLIC bool rv_loop_is_closed(const rv_loop *l);
RV_PUBLIC bool rv_loop_is_running(const rv_loop *l);
/** The loop that runs in this thread, NULL outside of one. */
RV_PUBLIC rv_loop *rv_loop_current(void);

/** Run until rv_loop_stop; in the same thread as before, if a task has begun. 0;
 * -RV_ERUNNING if a loop runs in this thread, or l in another; -RV_ELOOPCLOSED. */
RV_PUBLIC int rv_loop_run_forever(rv_loop *l);
/** Run until f is done. As above; -RV_ESTATE if stopped before; -RV_EWRONGLOOP. */
RV_PUBLIC int rv_loop_run_until(rv_loop *l, rv_future *f);
/** One round; sleeps at most max_wait (<= 0: not at all; RV_FOREVER) when there is nothing
 * to do. 0; -RV_ERUNNING, -RV_ELOOPCLOSED as above. */
RV_PUBLIC int rv_loop_run_once(rv_loop *l, rv_time max_wait);
/** End the run after the current round. Before a run: that does one round without
 * sleeping. */
RV_PUBLIC void rv_loop_stop(rv_loop *l);
/** The same from any thread, and for a loop that sleeps. The caller must hold a reference.
 * 0; -RV_ELOOPCLOSED. */
RV_TS int rv_loop_stop_threadsafe(rv_loop *l);

/** Time of the last poll: cheap, and the same all through a callback. */
RV_PUBLIC rv_time rv_loop_time(const rv_loop *l);
/** Now, from the loop's clock. */
RV_PUBLIC rv_time rv_loop_now(const rv_loop *l);
/** See reeve/debug.h. The first loop to come into debug mode starts a thread, the last to
 * leave it, at the latest when it is freed, waits for that to end. */
RV_PUBLIC void rv_loop_set_debug(rv_loop *l, bool on);
RV_PUBLIC bool rv_loop_debug(const rv_loop *l);

/* What a tracer is told of tasks; members may be NULL. They run in the loop's thread, must
 * not await, and may use t, which is valid for the time of the call. */
typedef struct rv_task_hooks {
	/* t was made, and has not run: also where it is eager */
	void (*on_spawn)(rv_task *t, void *arg);
	/* t runs from now on; NULL: it has begun to wait, or ended */
	void (*on_switch)(rv_task *t, void *arg);
	/* t has ended, with or without a step, or its loop closes and gives it up */
	void (*on_exit)(rv_task *t, void *arg);
	void *arg;
} rv_task_hooks;

/**
 * Tell of each task that is made, runs and ends, for tracing. (asyncio: set_task_factory.)
 *
 * Takes effect at once for tasks that are made, and with the next step for those that run:
 * one that sets it and ends without waiting is not told of. While it is set, and in debug
 * mode, tasks are switched by way of the loop, which takes about twice as long.
 *
 * @h  copied; NULL: nobody is told any more
 *
 * Returns 0; -RV_ELOOPCLOSED.
 */
RV_PUBLIC int rv_loop_set_task_hooks(rv_loop *l, const rv_task_hooks *h);

/** Run fn in the next round. */
RV_PUBLIC rv_handle rv_call_soon(rv_loop *l, rv_cb fn, void *arg);
/** Run fn after delay; <= 0: in the next round. Equal deadlines run in order of
 * creation. */
RV_PUBLIC rv_handle rv_call_later(rv_loop *l, rv_time delay, rv_cb fn, void *arg);
RV_PUBLIC rv_handle rv_call_at(rv_loop *l, rv_time when, rv_cb fn, void *arg);
/** When CLOCK_BOOTTIME, which counts suspended time, reaches when (ns). */
RV_PUBLIC rv_handle rv_call_at_boot(rv_loop *l, rv_time when, rv_cb fn, void *arg);
/** When the wall clock reaches when_usec (us since the epoch), also by a jump. */
RV_PUBLIC rv_handle rv_call_at_wall(rv_loop *l, int64_t when_usec, rv_cb fn, void *arg);
/**
 * Tell when the wall clock was set. Timers of rv_call_at_wall follow the new clock by
 * themselves; who computed a time from the old one computes it again here.
 *
 * @fn  NULL: nobody is told any more
 *
 * Returns 0 or a negative error of timerfd_create; a virtual clock has
 * rv_loop_clock_jumped.
 */
RV_PUBLIC int rv_loop_on_clock_jump(rv_loop *l, rv_cb fn, void *arg);
RV_PUBLIC void rv_loop_clock_jumped(rv_loop *l);
/** True if that kept the callback from running; false if it ran, runs, or was
 * cancelled. */
RV_PUBLIC bool rv_handle_cancel(rv_loop *l, rv_handle h);
RV_PUBLIC bool rv_handle_active(rv_loop *l, rv_handle h);
/** The deadline; 0 for one without or that is not active. */
RV_PUBLIC rv_time rv_handle_when(rv_loop *l, rv_handle h);
/** 0; -ENOMEM; -RV_ELOOPCLOSED. The caller must hold a reference. Order is kept per
 * thread. */
RV_TS int rv_call_soon_threadsafe(rv_loop *l, rv_cb fn, void *arg);

/** Make t, in memory of the caller's, a timer that is not running; one that is must be
 * stopped first. fn(arg) will run in l, once for each start. Needs no undoing. */
RV_PUBLIC void rv_timer_init(rv_timer *t, rv_loop *l, rv_cb fn, void *arg);
/** At when, of CLOCK_MONOTONIC; in the next round if that is over. (Re)start; fn may start it again, and may free it. */
RV_PUBLIC void rv_timer_start(rv_timer *t, rv_time when);
/** fn will not run; harmless on one that is not running. */
RV_PUBLIC void rv_timer_stop(rv_timer *t);
RV_PUBLIC bool rv_timer_active(const rv_timer *t);

enum {
	RV_READ = 1,
	RV_WRITE = 2,
};

typedef struct rv_watch rv_watch;
typedef void (*rv_fd_cb)(int fd, unsigned ev, void *arg);

/**
 * Call cb when fd becomes ready.
 *
 * Edge-triggered: called once for a descriptor that is ready now, then each time it
 * becomes so: cb reads or writes until -EAGAIN. An error or hang-up counts as both. A
 * watch replaces an older one of the same fd and direction (which is then dead but
 * still to be unwatched by its owner). Unwatch before closing fd. cb may unwatch.
 *
 * @ev  RV_READ, RV_WRITE or both
 *
 * Returns 0; -EBUSY if the fd belongs to a transport; -EPERM for what cannot be polled (a
 * regular file, /dev/null);
 * -EINVAL; -EBADF; -ENOMEM; -RV_ELOOPCLOSED.
 */
RV_PUBLIC int rv_fd_watch(
	rv_loop *l, int fd, unsigned ev, rv_fd_cb cb, void *arg, rv_watch **ret);
/** NULL is fine. No callback after it. False if the loop was closed before. */
RV_PUBLIC bool rv_fd_unwatch(rv_watch *w);
/**
 * Wait until fd is ready.
 *
 * Returns the directions that are (RV_READ, RV_WRITE); -ECANCELED; errors of
 * rv_fd_watch.
 */
RV_AWAIT int rv_wait_fd(int fd, unsigned ev);

/** fn gets what rv_report is called with; NULL: rv_default_exception_handler. Of the task
 * and the future that a report names it may take references. */
RV_PUBLIC void rv_loop_set_exception_handler(rv_loop *l, rv_exc_fn fn, void *arg);
/** Report an error that nobody can be returned. */
RV_PUBLIC void rv_report(rv_loop *l, const rv_exc *e);
/** Writes one line to stderr. */
RV_PUBLIC void rv_default_exception_handler(rv_loop *l, const rv_exc *e, void *arg);

#ifdef __cplusplus
}
#endif
#endif
