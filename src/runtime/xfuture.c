/* Tasks as other threads see them. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "reeve/future.h"
#include "runtime/loop_priv.h"

struct rv_xfuture {
	struct inbox_node start, cancel;
	struct rv_link link; /* in loop->submitted, until it is done; loop's thread */
	rv_loop *loop;       /* its memory is held */
	atomic_uint refs;    /* the users', and one until it is done */
	atomic_bool cancel_posted;
	/* the loop's thread only */
	rv_fn fn;
	void *arg;
	rv_dtor arg_dtor;
	struct rv_task *task; /* NULL: not begun, or over */
	bool starting;        /* a spawn that fails is not its end yet */
	int body_result;
	/* Guards all below; nothing else is locked, and no callback runs, meanwhile. What
	 * is written before done is set does not change any more after it. */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct rv_link waiters; /* struct xwaiter: tasks, of other loops too */
	void *val;
	rv_dtor val_dtor;
	char *errmsg;
	int result;
	bool done;
};

/* a task in rv_xfuture_await */
struct xwaiter {
	struct rv_link link;
	struct inbox_node node;
	struct waiter w;
	rv_loop *loop; /* its memory is held */
	rv_xfuture *x;
};

/* -- life -------------------------------------------------------------------------- */

rv_xfuture *rv_xfuture_ref(rv_xfuture *x)
{
	atomic_fetch_add_explicit(&x->refs, 1, memory_order_relaxed);
	return x;
}

void rv_xfuture_unref(rv_xfuture *x)
{
	if (!x || atomic_fetch_sub(&x->refs, 1) != 1)
		return;
	INVARIANT(link_is_empty(&x->waiters));
	if (x->val_dtor)
		x->val_dtor(x->val);
	free(x->errmsg);
	loop_release(x->loop);
	(void)pthread_mutex_destroy(&x->lock);
	(void)pthread_cond_destroy(&x->ended);
	free(x);
}

static rv_xfuture *xfuture_alloc(rv_loop *l, rv_fn fn, void *arg, rv_dtor d)
{
	pthread_condattr_t attr;
	rv_xfuture *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->loop = loop_hold(l);
	x->fn = fn;
	x->arg = arg;
	x->arg_dtor = d;
	x->body_result = -ECANCELED; /* what a task that is never begun ends as */
	atomic_init(&x->refs, 1);
	atomic_init(&x->cancel_posted, false);
	link_init(&x->waiters);
	/* These fail only for attributes that are not used here. */
	(void)pthread_mutex_init(&x->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&x->ended, &attr);
	(void)pthread_condattr_destroy(&attr);
	return x;
}

/* -- in the loop's thread ------------------------------------------------------------ */

/* Tell everyone, and give up the reference of the task. */
static void xfuture_end(rv_xfuture *x, int result)
{
	struct rv_link *it;

	link_remove(&x->link);
	(void)pthread_mutex_lock(&x->lock);
	x->result = result;
	x->done = true;
	(void)pthread_cond_broadcast(&x->ended);
	while ((it = link_pop(&x->waiters))) {
		struct xwaiter *xw = LINK_ENTRY(it, struct xwaiter, link);
		rv_loop *l = xw->loop;

		/* Once posted it may be gone. A closed loop's tasks are frozen. */
		(void)inbox_post(&l->inbox, &xw->node);
		loop_release(l);
	}
	(void)pthread_mutex_unlock(&x->lock);
	rv_xfuture_unref(x);
}

static int xtask_run(void *arg)
{
	struct rv_task *self = current.task;
	rv_xfuture *x = arg;
	const char *msg;
	int r = x->fn(x->arg);

	x->body_result = r;
	task_take_payload(self, &x->val, &x->val_dtor);
	msg = r < 0 ? rv_errmsg() : NULL;
	x->errmsg = msg ? strdup(msg) : NULL; /* without memory: without text */
	return r;
}

/* As the destructor of the task's argument: however it ends, begun or not. */
static void xtask_end(void *arg)
{
	rv_xfuture *x = arg;
	struct rv_task *t = TAKE_PTR(x->task);

	if (x->starting)
		return;
	if (x->arg_dtor)
		x->arg_dtor(x->arg);
	/* somebody will read the failure, or has had the chance to; else it is ours */
	if (t && atomic_load(&x->refs) > 1)
		t->error_read = true;
	xfuture_end(x, x->body_result);
}

static void xfuture_start(struct inbox_node *n)
{
	rv_xfuture *x = CONTAINER_OF(n, rv_xfuture, start);
	struct spawn_params p = {
		.loop = x->loop,
		.opts = &(rv_task_opts){.arg_dtor = xtask_end},
		.fn = xtask_run,
		.arg = x,
	};
	struct rv_task *t;
	int r;

	link_append(&x->loop->submitted, &x->link);
	x->starting = true;
	r = task_spawn_in(&t, &p);
	x->starting = false;
	if (r < 0) {
		x->body_result = r;
		xtask_end(x);
		return;
	}
	x->task = t;
	rv_task_detach(t);
}

static void xfuture_on_cancel(struct inbox_node *n)
{
	rv_xfuture *x = CONTAINER_OF(n, rv_xfuture, cancel);

	if (x->task)
		(void)rv_task_cancel(x->task);
	rv_xfuture_unref(x);
}

void xfutures_close(rv_loop *l)
{
	struct rv_link *it;

	while ((it = link_first(&l->submitted))) {
		rv_xfuture *x = LINK_ENTRY(it, rv_xfuture, link);

		x->task = NULL; /* abandoned */
		xfuture_end(x, -RV_ELOOPCLOSED);
	}
}

/* -- from anywhere ------------------------------------------------------------------- */

int rv_submit(rv_loop *l, rv_fn fn, void *arg, rv_dtor d, rv_xfuture **ret)
{
	rv_xfuture *x = fn ? xfuture_alloc(l, fn, arg, d) : NULL;
	int r = x ? 0 : fn ? -ENOMEM : -EINVAL;

	if (r == 0) {
		x->start.fn = xfuture_start;
		x->cancel.fn = xfuture_on_cancel;
		if (ret)
			(void)rv_xfuture_ref(x);
		r = inbox_post(&l->inbox, &x->start);
	}
	if (r < 0) {
		if (d)
			d(arg);
		if (x && ret)
			rv_xfuture_unref(x);
		rv_xfuture_unref(x);
		return r;
	}
	if (ret)
		*ret = x;
	return 0;
}

/*
 * In a child of a fork: what had not ended by then never does, and one of the parent's
 * threads may have had the lock. Nobody changes it any more, so it is not needed either.
 */
static bool is_of_parent(const rv_xfuture *x)
{
	return UNLIKELY(x->loop->forked);
}

bool rv_xfuture_done(rv_xfuture *x)
{
	bool done;

	if (is_of_parent(x))
		return x->done;
	(void)pthread_mutex_lock(&x->lock);
	done = x->done;
	(void)pthread_mutex_unlock(&x->lock);
	return done;
}

bool rv_xfuture_cancel(rv_xfuture *x)
{
	if (rv_xfuture_done(x))
		return false;
	if (atomic_exchange(&x->cancel_posted, true))
		return true; /* is on its way */
	(void)rv_xfuture_ref(x);
	if (inbox_post(&x->loop->inbox, &x->cancel) < 0)
		rv_xfuture_unref(x);
	return true;
}

static int read_result(rv_xfuture *x, void **val)
{
	if (val)
		*val = x->val;
	return x->result;
}

static int result_of_parent(rv_xfuture *x, void **val)
{
	return x->done ? read_result(x, val) : -RV_ELOOPCLOSED;
}

int rv_xfuture_wait(rv_xfuture *x, rv_time timeout, void **val)
{
	struct timespec ts = time_deadline(rv_now(), timeout);
	int r = 0;

	if (is_of_parent(x))
		return result_of_parent(x, val);
	(void)pthread_mutex_lock(&x->lock);
	if (!x->done && current.loop == x->loop)
		r = EDEADLK;
	while (!x->done && r == 0)
		r = pthread_cond_timedwait(&x->ended, &x->lock, &ts);
	r = x->done ? read_result(x, val) : -r;
	(void)pthread_mutex_unlock(&x->lock);
	return r;
}

static void xwaiter_arrived(struct inbox_node *n)
{
	waiter_wake(&CONTAINER_OF(n, struct xwaiter, node)->w, 0);
}

static void xwaiter_cancelled(struct waiter *w)
{
	(void)rv_xfuture_cancel(CONTAINER_OF(w, struct xwaiter, w)->x);
}

int rv_xfuture_await(rv_xfuture *x, void **val)
{
	struct xwaiter xw = {.node.fn = xwaiter_arrived, .x = x};
	struct rv_task *self;
	bool done;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (x->loop == self->loop && x->task == self)
		return -EDEADLK;
	if (is_of_parent(x))
		return result_of_parent(x, val);
	/* filled in before another thread can post it */
	xw.w.task = self;
	(void)pthread_mutex_lock(&x->lock);
	done = x->done;
	if (!done) {
		xw.loop = loop_hold(self->loop);
		link_append(&x->waiters, &xw.link);
	}
	(void)pthread_mutex_unlock(&x->lock);
	if (!done) {
		r = task_wait_on_cancel(
			self, &xw.w, xwaiter_cancelled, "thread-safe future", x);
		INVARIANT(r == 0);
	}
	return read_result(x, val);
}

const char *rv_xfuture_errmsg(rv_xfuture *x)
{
	return rv_xfuture_done(x) ? x->errmsg : NULL;
}

int rv_thread_call(rv_loop *l, rv_fn fn, void *arg)
{
	rv_xfuture *x;
	int r;

	if (current.loop == l)
		return -EDEADLK;
	r = rv_submit(l, fn, arg, NULL, &x);
	if (r < 0)
		return r;
	r = rv_xfuture_wait(x, RV_FOREVER, NULL);
	rv_xfuture_unref(x);
	return r;
}
