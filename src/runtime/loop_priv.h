/*
 * The loop from the inside. Only loop_poll.c and loop_watch.c know that libevent
 * exists.
 *
 * Who runs: the leader (the thread's own stack, in loop_run) and the coroutines. A task
 * that waits hands over straight to the next ready task (sched_pick) and to the leader
 * only for callbacks, polling, and the end of the run.
 */
#ifndef RUNTIME_LOOP_PRIV_H
#define RUNTIME_LOOP_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "reeve/loop.h"
#include "runtime/coro.h"
#include "runtime/current.h"
#include "runtime/link.h"
#include "runtime/task_priv.h"
#include "runtime/timer_heap.h"

struct event_base;

enum {
	POLL_CLOCK_EVERY = 8,   /* steps between two looks at the clock, */
	POLL_CLOCK_SELDOM = 32, /* and while they are short: a look takes two of them */
	POLL_STEPS = 64,        /* between two polls, if they last for POLL_INTERVAL */
	POLL_STEPS_MAX = 512,   /* in any case */
	POLL_EDGES = 16,        /* of sockets, taken from one poll */
	N_STACK_CLASSES = 11,   /* 64 KiB to 64 MiB */
	TASKS_CACHED_MAX = 16384,  /* kept for the next, */
	TASKS_CACHED_ASLEEP = 256, /* and while the loop sleeps */
};
#define POLL_INTERVAL     RV_US(10)
#define POLL_INTERVAL_MAX RV_US(200) /* with fewer steps */
#define POLL_STEP_SHORT   RV_NS(200)

/* a descriptor that the loop polls; zeroed before use, fn set */
struct poll_fd {
	void *event;   /* struct event; NULL: not polled */
	rv_loop *loop; /* that polls it */
	void (*fn)(
		struct poll_fd *p, unsigned ev); /* RV_READ, RV_WRITE; must not block */
};

/* one clock's timers and its kernel timer */
enum timer_clock {
	TIMER_MONOTONIC,
	TIMER_BOOT,
	TIMER_WALL, /* ns since the epoch, here inside */
	N_TIMER_CLOCKS,
};

struct timers {
	struct timer_heap heap;
	rv_loop *loop;
	struct poll_fd poll;
	rv_time armed; /* what the kernel timer is set to; RV_FOREVER: nothing */
	int fd;        /* -1 until needed */
};

/* Posts of other threads, newest first; see loop_wakeup.c. */
struct inbox_node {
	struct inbox_node *next;
	/* on the loop's thread, which is running or being closed; frees the node */
	void (*fn)(struct inbox_node *n);
};

struct inbox {
	_Atomic(struct inbox_node *) head;
	atomic_bool
		parked; /* the loop sleeps, or is about to: whoever clears it writes */
	atomic_bool signals; /* a signal handler has left something */
	atomic_bool stop;
	int fd; /* eventfd; lives as long as the loop object */
};

struct attachment;
struct handle;
struct fd_slot;
struct signal_slot;
struct net;

struct rv_loop {
	struct rv_link ready; /* struct rv_ready: of this round, then of the next */
	unsigned round;
	struct coro leader;
	int *errno_at; /* of the thread that runs it, or ran it last */
	struct coro_pool pools[N_STACK_CLASSES];
	struct coro_pool *default_pool;
	rv_time now;        /* of the last poll */
	unsigned n_steps;   /* since the last poll */
	unsigned look_at;   /* the clock, at that step */
	rv_time looked;     /* what it was then */
	unsigned looked_at; /* the step */
	bool poll_due;      /* before the next step */
	unsigned n_edges;   /* of sockets, in this poll */
	bool ran_callbacks; /* since the last poll */
	bool stop, running, closed;
	bool forked; /* this is a child's copy: closed, and never freed; see loop_fork.c */
	bool watched; /* in debug mode or with hooks: each step begins at the leader */
	atomic_bool debug; /* other threads look at it, see loop_debug */
	bool cancel_busy;  /* scopes are being walked */
	bool shield_reported;
	const rv_clock *clock; /* NULL: the kernel's */
	rv_time cleanup_grace, slow_callback;
	uint64_t next_task_id;
	struct rv_link tasks;         /* all that exist, done ones too, by spawn */
	struct rv_link futures;       /* likewise */
	struct rv_link submitted;     /* rv_xfuture.link: whose tasks have not ended */
	struct rv_link gens;          /* rv_gen.link: those that are not over */
	struct rv_link processes;     /* rv_process.link: those that have not ended */
	struct rv_task *cancel_later; /* rv_task.cancel_next; NULL: none */
	struct rv_task *cancel_last;
	struct rv_link *task_cache; /* rv_task.link, linked by next only */
	size_t n_tasks_cached;
	struct rv_link *future_cache; /* rv_future.link, likewise */
	size_t n_futures_cached;
	size_t n_live; /* tasks that have not ended */

	struct event_base *base;
	struct poll_fd wake_poll; /* of inbox.fd */
	struct timers timers[N_TIMER_CLOCKS];
	struct inbox inbox;

	struct fd_slot **slots; /* by descriptor */
	size_t n_slots;
	struct handle *handles_free;
	struct rv_link handle_slabs;
	struct handle *handle_running;
	struct signal_slot *signals; /* by number; NULL until needed */
	rv_timer
		jump; /* queued when the wall clock has jumped; fn NULL: nobody cares */

	struct net *net; /* transports and servers; NULL until the first */

	rv_executor *executor;
	unsigned exec_threads;
	struct attachment *attached; /* the newest first */

	rv_task_hooks hooks;

	rv_exc_fn exc_fn;
	void *exc_arg;
	bool in_exc_fn;
	/* the thread that runs it, by the address of its current; NULL: none */
	_Atomic(const struct current *) runs_in;
	atomic_uint n_misuses; /* reports on their way to the loop's thread */
	const void *callback;  /* the function that runs, or ran last; for reports */
	const void
		*spawns_from; /* debug mode: the place at which a task is being made */
	struct sites *sites;  /* debug_site.c; NULL: never in debug mode */
	struct stall *stall;  /* debug_stall.c; NULL: nobody watches its steps */
	struct waiter *drained;  /* who waits until it is the only task left */
	struct rv_link all;      /* in the list of the process's loops */
	pid_t pid;               /* that made it */
	atomic_uint refs;        /* the users' */
	atomic_uint memory_refs; /* all users' together one, and what threads hold */
};

/* loop.c: scheduling; what each switch goes through is in sched.h */
static inline void ready_append(rv_loop *l, struct rv_ready *r)
{
	r->round = l->round + 1;
	link_append(&l->ready, &r->link);
}
/* Next of all: it belongs to this round. */
static inline void ready_prepend(rv_loop *l, struct rv_ready *r)
{
	r->round = l->round;
	link_prepend(&l->ready, &r->link);
}
/* waiter_wake, where a call is worth saving */
static ALWAYS_INLINE void waiter_wake_inline(struct waiter *w, int result)
{
	struct rv_task *t = w->task;

	link_remove(&w->link);
	if (UNLIKELY(!t->loop))
		return; /* abandoned by a closed loop */
	INVARIANT(t->waiter == w);
	w->result = result;
	t->waiter = NULL;
	ready_append(t->loop, &t->ready);
}
struct coro_pool *loop_pool_for(rv_loop *l, size_t stack_size);
static inline struct coro_pool *task_pool(const struct rv_task *t)
{
	return &t->loop->pools[t->i_pool];
}

/* For threads that still have to post: the memory stays, closed or not. Any thread. */
rv_loop *loop_hold(rv_loop *l);
void loop_release(rv_loop *l);
/* Run until stopped: what the public functions and the runner share. */
int loop_run(rv_loop *l);
static inline bool loop_debug(const rv_loop *l)
{
	return atomic_load_explicit(&l->debug, memory_order_relaxed);
}
/* For reports: what runs in a step of the loop that is no task's. */
#define LOOP_CALLBACK(l, fn) ((l)->callback = (const void *)(uintptr_t)(fn))

/* loop_fork.c */
int loop_enlist(rv_loop *l); /* 0; -ENOMEM */
void loop_delist(rv_loop *l);
/* On c, in a child, when the task that forked ends: out of the run, for good. */
void fork_leave(rv_loop *l, struct coro *c);

/* loop_poll.c: the only place that sleeps */
int poll_init(rv_loop *l);
void poll_deinit(rv_loop *l);
/* in a child: hand on nothing more of what has been collected */
void poll_forked(rv_loop *l);
/* block: sleep until something happens, unless something is due */
void poll_once(rv_loop *l, bool block);
/* Calls p->fn on each edge of fd; both: also when writable. 0, -errno. */
int poll_add(rv_loop *l, struct poll_fd *p, int fd, bool both);
/* before fd is closed; no effect when not added */
void poll_remove(struct poll_fd *p);

/* loop_timer.c */
int timers_init(rv_loop *l);
void timers_deinit(rv_loop *l);
void timer_start_clock(rv_timer *t, enum timer_clock clock, rv_time when);
/* fn runs in the next round */
void timer_start_now(rv_timer *t);
/* take what is due from the heaps */
void timers_expire(rv_loop *l);
/* earliest deadline of a clock; RV_FOREVER */
rv_time timers_next(const rv_loop *l, enum timer_clock clock);
bool timers_are_due(const rv_loop *l);
/* What starting one of clock needs, so that the sleep cannot fail. 0, -errno */
int timers_prepare(rv_loop *l, enum timer_clock clock);
/* Gives memory back after a peak. */
void timers_trim(rv_loop *l);
/* set the kernel timers for sleeping; may find out that something is due */
void timers_arm(rv_loop *l);
rv_time loop_clock(const rv_loop *l, enum timer_clock clock);
static inline rv_time loop_monotonic(const rv_loop *l)
{
	return loop_clock(l, TIMER_MONOTONIC);
}

/* loop_wakeup.c. Any thread unless said otherwise. */
int inbox_init(struct inbox *b);
void inbox_deinit(struct inbox *b);
/* 0; -RV_ELOOPCLOSED: n is still the caller's. Never allocates. */
int inbox_post(struct inbox *b, struct inbox_node *n);
void inbox_wake(struct inbox *b);
/* The loop's thread. True: something is there, do not sleep. */
bool inbox_park(struct inbox *b);
void inbox_unpark(struct inbox *b);
bool inbox_is_empty(const struct inbox *b);
/* run what was posted, in order; the loop's thread */
void inbox_drain(struct inbox *b);
/* refuse from now on and run what came before */
void inbox_close(struct inbox *b);
/* in a child: refuse from now on; what came before is the parent's */
void inbox_forked(struct inbox *b);

/* loop_handle.c */
void handles_deinit(rv_loop *l);
/* posts of other threads that have not run: they run at close */
void posts_flush(rv_loop *l);
/* the handle of the callback that runs, for reports */
rv_handle handle_current(rv_loop *l);

/* loop_watch.c */
void watches_close(rv_loop *l);
/* fd is a transport's: no watch may be made on it (-EBUSY; also when there is one). */
int watch_claim(rv_loop *l, int fd);
void watch_release(rv_loop *l, int fd);
bool watch_is_claimed(const rv_loop *l, int fd);

/* task_hooks.c: call those that are set; t is NULL: none runs */
void hooks_spawned(struct rv_task *t);
void hooks_switched(rv_loop *l, struct rv_task *t);
void hooks_ended(rv_loop *l, struct rv_task *t);
/* after debug or hooks were changed */
void loop_update_watched(rv_loop *l);

/* loop_attach.c */
void attached_close(rv_loop *l);

/* net.c: end what is open, and say so */
void net_close(rv_loop *l);

/* future.c */
void futures_close(rv_loop *l);
/* NULL once it is closed */
rv_loop *future_loop(const rv_future *f);

/* xfuture.c: what is left will never end; tell those who wait */
void xfutures_close(rv_loop *l);

/* process.c: kill what runs, and report it where somebody still has it */
void processes_close(rv_loop *l);

/* gen.c: report those that nobody closed */
void gens_close(rv_loop *l);

/* loop_signal.c */
void signals_dispatch(rv_loop *l);
void signals_close(rv_loop *l);
/* in a child: the dispositions from before come back */
void signals_forked(rv_loop *l);
/*
 * For the runner: as rv_signal_on. When sig comes for the second time the handler itself
 * gives it its default action, also where the loop is stuck. Neither happens while the
 * program has its own callback for it, or waits for it.
 */
int signal_on_runner(rv_loop *l, int sig, rv_cb cb, void *arg);
/* no effect where the program has put its own in place of it */
void signal_off_runner(rv_loop *l, int sig);

#endif
