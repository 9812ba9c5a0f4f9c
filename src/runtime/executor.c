/* Worker threads for what blocks. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "reeve/ctx.h"
#include "reeve/executor.h"
#include "reeve/scope.h"
#include "runtime/loop_priv.h"

enum {
	THREADS_MAX_DEFAULT = 32,
	THREADS_BEYOND_CPUS = 4,
	QUEUE_MAX_DEFAULT = 65536,
	THREAD_STACK_DEFAULT = 1024 * 1024,
	THREAD_STACK_MIN = 64 * 1024,
};

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE };

/* One call: on the waiting task's stack, or on the heap where it may be abandoned. */
struct job {
	struct rv_link link; /* in the queue */
	struct inbox_node node;
	struct waiter
		*w; /* on the waiting task's stack: an abandoned job is the thread's */
	rv_executor *executor;
	rv_loop *loop; /* a reference, for the post at the end */
	rv_fn fn;
	void *arg;
	rv_dtor dtor; /* of an abandoned one */
	rv_ctx *ctx;  /* fn sees it; a reference where it may be abandoned */
	int result;
	enum job_state state;
	bool may_abandon, abandoned;
};

/* who waits for the last thread to end */
struct shutdown_wait {
	struct inbox_node node;
	struct waiter w;
	rv_executor *executor;
	rv_loop *loop; /* a reference */
};

struct rv_executor {
	/* Guards all below and the state of every job; nothing else is locked, and no
	 * callback runs, while it is held. */
	pthread_mutex_t lock;
	pthread_cond_t work; /* threads: there is a job, or the end */
	pthread_cond_t gone; /* rv_executor_shutdown: a thread has ended */
	struct rv_link queue;
	size_t n_queued, queue_max;
	size_t stack_size;
	unsigned n_threads, n_idle, n_busy, threads_max;
	unsigned refs; /* the users'; threads keep it alive by n_threads */
	bool closing;
	struct shutdown_wait *waiting;
	char name[16];
};

static unsigned default_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return (unsigned)MIN(
		MAX(cpus, 1L) + THREADS_BEYOND_CPUS, (long)THREADS_MAX_DEFAULT);
}

int rv_executor_new(rv_executor **ret, const rv_executor_opts *o)
{
	pthread_condattr_t attr;
	rv_executor *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	link_init(&e->queue);
	e->threads_max = o && o->threads_max ? o->threads_max : default_threads();
	e->queue_max = o && o->queue_max ? o->queue_max : QUEUE_MAX_DEFAULT;
	e->stack_size = o && o->stack_size ? o->stack_size : THREAD_STACK_DEFAULT;
	e->stack_size = MAX(e->stack_size, (size_t)THREAD_STACK_MIN);
	e->refs = 1;
	(void)strncpy(
		e->name, o && o->name ? o->name : "rv-worker", sizeof(e->name) - 1);
	/* These fail only for attributes that are not used here. */
	(void)pthread_mutex_init(&e->lock, NULL);
	(void)pthread_cond_init(&e->work, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&e->gone, &attr);
	(void)pthread_condattr_destroy(&attr);
	*ret = e;
	return 0;
}

/* with the lock held, which it gives back */
static void unlock_and_reap(rv_executor *e)
{
	bool unused = e->refs == 0 && e->n_threads == 0;

	(void)pthread_mutex_unlock(&e->lock);
	if (!unused)
		return;
	INVARIANT(link_is_empty(&e->queue));
	(void)pthread_mutex_destroy(&e->lock);
	(void)pthread_cond_destroy(&e->work);
	(void)pthread_cond_destroy(&e->gone);
	free(e);
}

rv_executor *rv_executor_ref(rv_executor *e)
{
	(void)pthread_mutex_lock(&e->lock);
	e->refs++;
	(void)pthread_mutex_unlock(&e->lock);
	return e;
}

void rv_executor_unref(rv_executor *e)
{
	if (!e)
		return;
	(void)pthread_mutex_lock(&e->lock);
	INVARIANT(e->refs > 0);
	if (--e->refs == 0) {
		e->closing = true;
		(void)pthread_cond_broadcast(&e->work);
	}
	unlock_and_reap(e);
}

/* -- in the threads
 * ------------------------------------------------------------------------- */

static void job_arrived(struct inbox_node *n)
{
	struct job *j = CONTAINER_OF(n, struct job, node);

	waiter_wake(j->w, j->result);
}

/* with the lock held; given back while the call runs */
static void job_run(rv_executor *e, struct job *j)
{
	rv_loop *l = j->loop;
	bool abandoned;
	int r;

	j->state = JOB_RUNNING;
	e->n_busy++;
	(void)pthread_mutex_unlock(&e->lock);
	current.ctx = j->ctx;
	r = j->fn(j->arg);
	current.ctx = NULL;
	(void)pthread_mutex_lock(&e->lock);
	e->n_busy--;
	j->state = JOB_DONE;
	j->result = r;
	abandoned = j->abandoned;
	(void)pthread_mutex_unlock(&e->lock);

	if (abandoned) {
		if (j->dtor)
			j->dtor(j->arg);
		rv_ctx_unref(j->ctx);
		free(j);
	} else {
		/* Once posted the job may be gone. A closed loop's tasks are frozen:
		 * there is nobody to tell, and what the job stands on is never used
		 * again. */
		(void)inbox_post(&l->inbox, &j->node);
	}
	loop_release(l);
	(void)pthread_mutex_lock(&e->lock);
}

static void shutdown_arrived(struct inbox_node *n)
{
	waiter_wake(&CONTAINER_OF(n, struct shutdown_wait, node)->w, 0);
}

static void *worker(void *arg)
{
	rv_executor *e = arg;
	struct shutdown_wait *told = NULL;

	(void)pthread_setname_np(pthread_self(), e->name);
	(void)pthread_mutex_lock(&e->lock);
	for (;;) {
		struct rv_link *it = link_pop(&e->queue);

		if (it) {
			e->n_queued--;
			job_run(e, LINK_ENTRY(it, struct job, link));
			continue;
		}
		if (e->closing)
			break;
		e->n_idle++;
		(void)pthread_cond_wait(&e->work, &e->lock);
		e->n_idle--;
	}
	if (--e->n_threads == 0) {
		told = TAKE_PTR(e->waiting);
		(void)pthread_cond_broadcast(&e->gone);
	}
	unlock_and_reap(e);
	if (told) {
		rv_loop *l = told->loop;

		(void)inbox_post(&l->inbox, &told->node);
		loop_release(l);
	}
	return NULL;
}

/* with the lock held */
static int thread_start(rv_executor *e)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, e->stack_size);
	/* Signals are the loop's thread's business, and handlers must not interrupt
	 * what a worker is blocked in. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&thread, &attr, worker, e);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	if (r != 0)
		return -EAGAIN;
	e->n_threads++;
	return 0;
}

/* -- on the loop
 * ------------------------------------------------------------------------------ */

static int job_submit(rv_executor *e, struct job *j)
{
	int r = 0;

	(void)pthread_mutex_lock(&e->lock);
	if (e->closing)
		r = -RV_ESHUTDOWN;
	else if (e->n_queued >= e->queue_max)
		r = -EAGAIN;
	else if (e->n_queued >= e->n_idle && e->n_threads < e->threads_max)
		r = thread_start(e);
	/* where no further thread can be had, those there are will come to it */
	if (r == -EAGAIN && e->n_queued < e->queue_max && e->n_threads > 0)
		r = 0;
	if (r == 0) {
		link_append(&e->queue, &j->link);
		e->n_queued++;
		(void)pthread_cond_signal(&e->work);
	}
	(void)pthread_mutex_unlock(&e->lock);
	return r;
}

static void job_cancelled(struct waiter *w)
{
	struct job *j = w->data;
	rv_executor *e = j->executor;
	bool is_over = false;

	(void)pthread_mutex_lock(&e->lock);
	if (j->state == JOB_QUEUED) {
		link_unlink(&j->link);
		e->n_queued--;
		is_over = true;
	} else if (j->state == JOB_RUNNING && j->may_abandon) {
		j->abandoned = true;
		w->data = NULL; /* the thread may free it before this task runs again */
		is_over = true;
	}
	(void)pthread_mutex_unlock(&e->lock);
	if (is_over)
		waiter_wake(w, -ECANCELED);
}

static int default_executor(rv_executor **ret, rv_loop *l)
{
	rv_executor_opts o = {.threads_max = l->exec_threads};
	int r = l->executor ? 0 : rv_executor_new(&l->executor, &o);

	*ret = l->executor;
	return r;
}

/* *job is set to NULL when the job was abandoned: it is not this task's any more. */
static int job_do(struct rv_task *self, rv_executor *e, struct job **job)
{
	struct job *j = *job;
	/* linked into nothing while it waits; filled before a thread can finish it */
	struct waiter w = {.task = self, .data = j};
	int r;

	if (!e) {
		r = default_executor(&e, self->loop);
		if (r < 0)
			return r;
	}
	j->executor = e;
	j->loop = loop_hold(self->loop);
	j->node.fn = job_arrived;
	j->w = &w;
	r = job_submit(e, j);
	if (r < 0) {
		loop_release(j->loop);
		return r;
	}
	r = task_wait_on_cancel(self, &w, job_cancelled, "executor", j->fn);
	*job = w.data;
	return r;
}

int rv_run_blocking(rv_executor *e, rv_fn fn, void *arg)
{
	struct job j = {.fn = fn, .arg = arg}, *job = &j;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	j.ctx = self->ctx;
	r = job_do(self, e, &job);
	/* cancelled before a thread took it: that reference is still here */
	if (r == -ECANCELED && j.state == JOB_QUEUED && j.loop)
		loop_release(j.loop);
	return r;
}

int rv_run_blocking_ex(rv_executor *e, rv_fn fn, void *arg, rv_dtor d, unsigned flags)
{
	struct rv_task *self;
	struct job *j;
	int r = task_await_begin(&self);

	j = r < 0 ? NULL : calloc(1, sizeof(*j));
	if (!j) {
		if (d)
			d(arg);
		return r < 0 ? r : -ENOMEM;
	}
	j->fn = fn;
	j->arg = arg;
	j->dtor = d;
	j->ctx = rv_ctx_ref(self->ctx);
	j->may_abandon = flags & RV_BLOCK_ABANDON;
	r = job_do(self, e, &j);
	if (!j)
		return r;
	if (r == -ECANCELED && j->state == JOB_QUEUED && j->loop)
		loop_release(j->loop);
	if (d)
		d(arg);
	rv_ctx_unref(j->ctx);
	free(j);
	return r;
}

/* -- shutting down
 * ------------------------------------------------------------------------------ */

unsigned rv_executor_busy(rv_executor *e)
{
	unsigned n;

	(void)pthread_mutex_lock(&e->lock);
	n = e->n_busy;
	(void)pthread_mutex_unlock(&e->lock);
	return n;
}

int rv_executor_shutdown(rv_executor *e, rv_time timeout)
{
	struct timespec ts = time_deadline(rv_now(), timeout);
	int r = 0;

	(void)pthread_mutex_lock(&e->lock);
	e->closing = true;
	(void)pthread_cond_broadcast(&e->work);
	while (e->n_threads > 0 && r == 0)
		r = pthread_cond_timedwait(&e->gone, &e->lock, &ts);
	r = e->n_threads > 0 ? -ETIMEDOUT : 0;
	(void)pthread_mutex_unlock(&e->lock);
	return r;
}

static void shutdown_cancelled(struct waiter *w)
{
	struct shutdown_wait *s = CONTAINER_OF(w, struct shutdown_wait, w);
	rv_executor *e = s->executor;
	bool is_over = false;

	(void)pthread_mutex_lock(&e->lock);
	if (e->waiting == s) {
		e->waiting = NULL;
		is_over = true;
	}
	(void)pthread_mutex_unlock(&e->lock);
	if (!is_over)
		return; /* the last thread has just taken it: its post arrives at once
			 */
	loop_release(s->loop);
	waiter_wake(w, -ECANCELED);
}

static int shutdown_wait(struct rv_task *self, rv_executor *e)
{
	struct shutdown_wait s = {.node.fn = shutdown_arrived, .executor = e};
	int r = 1;

	s.w.task = self;
	(void)pthread_mutex_lock(&e->lock);
	e->closing = true;
	(void)pthread_cond_broadcast(&e->work);
	if (e->n_threads == 0) {
		r = 0;
	} else if (e->waiting) {
		r = -EBUSY;
	} else {
		s.loop = loop_hold(self->loop);
		e->waiting = &s;
	}
	(void)pthread_mutex_unlock(&e->lock);
	if (r <= 0)
		return r;
	return task_wait_on_cancel(
		self, &s.w, shutdown_cancelled, "executor shutdown", e);
}

int rv_loop_shutdown_executor(rv_loop *l, rv_time timeout)
{
	struct rv_task *self;
	rv_executor *e;
	rv_scope s;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (l != self->loop)
		return -RV_EWRONGLOOP;
	/* also where none was needed so far: from now on none will be */
	r = default_executor(&e, l);
	if (r < 0)
		return r;
	(void)rv_executor_ref(e);
	r = rv_timeout(&s, MAX(timeout, (rv_time)1));
	if (r >= 0)
		r = rv_scope_exit(&s, shutdown_wait(self, e));
	if (r == -ETIMEDOUT) {
		rv_exc exc = RV_EXC_NULL;
		char message[64];
		unsigned n;

		(void)pthread_mutex_lock(&e->lock);
		n = e->n_threads; /* idle ones have ended */
		(void)pthread_mutex_unlock(&e->lock);
		(void)snprintf(message, sizeof(message),
			"executor threads still busy at shutdown: %u", n);
		exc.message = message;
		exc.err = r;
		rv_report(l, &exc);
	}
	rv_executor_unref(e);
	return r;
}
