/* The loop: making, running, scheduling, closing. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "reeve/executor.h"
#include "reeve/future.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

#ifdef REEVE_SANITIZED
#	define STACK_SIZE_DEFAULT \
		(1024 * 1024) /* their frames are several times as large */
#else
#	define STACK_SIZE_DEFAULT (256 * 1024)
#endif
#define CLEANUP_GRACE_DEFAULT RV_SEC(5)
#define SLOW_CALLBACK_DEFAULT RV_MS(100)

__thread struct current current;

/* -- scheduling ----------------------------------------------------------------- */

/* Polling costs as much as a dozen of the shortest steps: many of these are taken before it,
 * few of those that last. */
static NOINLINE bool budget_left_by_clock(rv_loop *l)
{
	rv_time since = loop_monotonic(l) - l->now;

	l->poll_due = since > POLL_INTERVAL_MAX || l->n_steps >= POLL_STEPS_MAX ||
		      (l->n_steps >= POLL_STEPS && (since > POLL_INTERVAL || l->clock));
	return !l->poll_due;
}

/* Whether another step may be taken before polling. */
static inline bool budget_left(rv_loop *l)
{
	if (++l->n_steps % POLL_CLOCK_EVERY != 0)
		return !l->poll_due;
	return budget_left_by_clock(l);
}

struct rv_task *sched_pick(rv_loop *l)
{
	struct rv_link *first = l->ready.next;
	struct rv_ready *r;
	struct rv_task *t;

	if (first == &l->round_end.link) {
		/* The round is over. Another is begun here, without the leader, if it
		 * may be begun without polling. */
		if (l->stop || l->ran_callbacks || first->next == &l->ready)
			return NULL;
		link_unlink(first);
		link_append(&l->ready, first);
		first = l->ready.next;
	}
	r = LINK_ENTRY(first, struct rv_ready, link);
	if (r->run || UNLIKELY(l->watched))
		return NULL;
	t = CONTAINER_OF(r, struct rv_task, ready);
	if (UNLIKELY(!t->coro) && t->scope->cancelled)
		return NULL; /* ends without a step, on the leader's stack */
	if (UNLIKELY(!budget_left(l)))
		return NULL;
	link_unlink(first);
	return t;
}

/* Give an unstarted task its stack. self: who is about to switch to it. */
static void task_get_coro(struct rv_task *t, struct coro *self)
{
	struct coro *c = coro_pool_take(t->pool);

	c->owner = t;
	c->entry = task_coro_entry;
	t->coro = c;
	if (UNLIKELY(!c->prepared))
		coro_prepare(self, c);
}

void sched_leave(struct rv_task *self)
{
	rv_loop *l = self->loop;
	struct rv_task *next = sched_pick(l);

	if (next == self)
		return;
	if (!next) {
		coro_switch(self->coro, &l->leader);
	} else {
		if (!next->coro)
			task_get_coro(next, self->coro);
		coro_switch(self->coro, next->coro);
	}
	current.task = self;
}

void task_coro_entry(struct coro *c)
{
	struct rv_task *t = c->owner, *next;
	struct coro_pool *pool = t->pool;
	rv_loop *l = t->loop;

	task_run(t); /* to its end: t may be gone */

	next = sched_pick(l);
	if (next && !next->coro && next->pool == pool) {
		/* the next one starts on this stack: return, and be called again */
		coro_pool_unpromise(pool);
		c->owner = next;
		next->coro = c;
		return;
	}
	if (next && !next->coro)
		task_get_coro(next, c);
	coro_pool_put(pool, c);
	coro_switch(c, next ? next->coro : &l->leader);
}

static void leader_step(rv_loop *l, struct rv_ready *r)
{
	struct rv_task *t;

	if (r->run) {
		r->run(r);
		return;
	}
	t = CONTAINER_OF(r, struct rv_task, ready);
	if (!t->coro && t->scope->cancelled) {
		task_finish_unstarted(t);
		return;
	}
	if (!t->coro)
		task_get_coro(t, &l->leader);
	coro_switch(&l->leader, t->coro);
	current.task = NULL;
}

static void leader_step_timed(rv_loop *l, struct rv_ready *r, struct rv_task *t)
{
	rv_time begin = rv_now(), took;

	l->callback = NULL;
	leader_step(l, r);
	took = rv_now() - begin;
	if (took > l->slow_callback)
		debug_report_slow(l, t, took);
}

static void leader_step_watched(rv_loop *l, struct rv_ready *r)
{
	struct rv_task *t = r->run ? NULL : CONTAINER_OF(r, struct rv_task, ready);
	bool runs = t && (t->coro || !t->scope->cancelled);

	if (t)
		(void)rv_task_ref(t);
	if (runs)
		hooks_switched(l, t);
	if (loop_debug(l))
		leader_step_timed(l, r, t);
	else
		leader_step(l, r);
	if (runs)
		hooks_switched(l, NULL);
	if (t && t->done)
		hooks_ended(l, t);
	rv_task_unref(t);
}

/* Until what was ready when the round began has run. */
static void run_round(rv_loop *l)
{
	link_remove(&l->round_end.link);
	link_append(&l->ready, &l->round_end.link);
	for (;;) {
		struct rv_link *first;
		struct rv_ready *r;

		first = l->ready.next;
		if (first == &l->round_end.link)
			return;
		if (!budget_left(l)) {
			poll_once(l, false); /* brings what belongs to the next round */
			continue;
		}
		link_unlink(first);
		r = LINK_ENTRY(first, struct rv_ready, link);
		if (UNLIKELY(l->watched))
			leader_step_watched(l, r);
		else
			leader_step(l, r);
	}
}

static void loop_iterate(rv_loop *l, bool block)
{
	bool nothing = l->ready.next == &l->round_end.link &&
		       l->round_end.link.next == &l->ready;

	/* What descriptors have brought is handed on to tasks without polling again. */
	if (nothing || !block || l->ran_callbacks || l->poll_due)
		poll_once(l, block && nothing);
	run_round(l);
}

static int loop_enter(rv_loop *l)
{
	const struct current *nowhere = NULL;

	if (l->closed)
		return -RV_ELOOPCLOSED;
	if (current.loop)
		return -RV_ERUNNING;
	if (!atomic_compare_exchange_strong(&l->runs_in, &nowhere, &current))
		return -RV_ERUNNING; /* in another thread */
	l->running = true;
	current = (struct current){.loop = l};
	coro_init_leader(&l->leader);
	return 0;
}

static void loop_leave(rv_loop *l)
{
	l->running = false;
	l->stop = false;
	atomic_store(&l->runs_in, NULL);
	current = (struct current){0};
}

int loop_run(rv_loop *l)
{
	int r = loop_enter(l);

	if (r < 0)
		return r;
	do
		loop_iterate(l, !l->stop);
	while (!l->stop);
	loop_leave(l);
	return l->forked ? -RV_ELOOPCLOSED : 0;
}

int rv_loop_run_forever(rv_loop *l)
{
	return loop_run(l);
}

static void on_limit(void *arg)
{
	/* nothing: it only ends the sleep */
}

int rv_loop_run_once(rv_loop *l, rv_time max_wait)
{
	rv_timer limit;
	rv_time until;
	int r = loop_enter(l);

	if (r < 0)
		return r;
	rv_timer_init(&limit, l, on_limit, NULL);
	limit.inline_fn = true;
	if (max_wait > 0 &&
		!__builtin_add_overflow(loop_monotonic(l), max_wait, &until))
		rv_timer_start(&limit, until);
	loop_iterate(l, max_wait > 0 && !l->stop);
	rv_timer_stop(&limit);
	loop_leave(l);
	return l->forked ? -RV_ELOOPCLOSED : 0;
}

static void stop_when_done(rv_future *f, void *arg)
{
	rv_loop_stop(arg);
}

int rv_loop_run_until(rv_loop *l, rv_future *f)
{
	uint32_t id;
	int r;

	if (l->closed)
		return -RV_ELOOPCLOSED;
	if (current.loop)
		return -RV_ERUNNING;
	if (future_loop(f) != l)
		return -RV_EWRONGLOOP;
	id = rv_future_on_done(f, stop_when_done, l);
	if (!id)
		return -errno;
	r = loop_run(l);
	(void)rv_future_off_done(f, id);
	if (r < 0)
		return r;
	return rv_future_done(f) ? 0 : -RV_ESTATE;
}

void rv_loop_stop(rv_loop *l)
{
	if (WRONG_THREAD(l))
		return;
	l->stop = true;
}

/* -- making and closing ----------------------------------------------------------- */

struct coro_pool *loop_pool_for(rv_loop *l, size_t stack_size)
{
	size_t size = CORO_STACK_MIN;
	size_t i = 0;

	if (stack_size == 0)
		stack_size = l->stack_size;
	for (; i < N_STACK_CLASSES && size < stack_size; i++)
		size *= 2;
	return i < N_STACK_CLASSES ? &l->pools[i] : NULL;
}

static void on_wake(struct poll_fd *p, unsigned ev)
{
	/* nothing: that the loop is awake is all */
}

static void loop_free(rv_loop *l)
{
	if (!l || l->forked)
		return;
	loop_delist(l);
	rv_loop_set_debug(l, false);
	timers_deinit(l);
	poll_remove(&l->wake_poll);
	poll_deinit(l);
	inbox_deinit(&l->inbox);
	handles_deinit(l);
	free(l->signals);
	free(l->slots);
	free(l);
}

DEFINE_CLEANUP(rv_loop *, loop_free)

static rv_loop *loop_alloc(const rv_loop_opts *o)
{
	const char *env = getenv("REEVE_DEBUG");
	rv_loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	link_init(&l->ready);
	link_append(&l->ready, &l->round_end.link);
	link_init(&l->tasks);
	link_init(&l->futures);
	link_init(&l->submitted);
	link_init(&l->gens);
	link_init(&l->processes);
	link_init(&l->cancel_later);
	link_init(&l->task_cache);
	link_init(&l->handle_slabs);
	for (size_t i = 0; i < N_STACK_CLASSES; i++)
		coro_pool_init(&l->pools[i], (size_t)CORO_STACK_MIN << i);
	for (int i = 0; i < N_TIMER_CLOCKS; i++)
		l->timers[i].fd = -1;
	l->inbox.fd = -1;
	rv_loop_set_debug(l, o->debug || (env && strcmp(env, "1") == 0));
	l->stack_size = o->stack_size ? o->stack_size : STACK_SIZE_DEFAULT;
	l->exec_threads = o->exec_threads;
	l->slow_callback = o->slow_callback ? o->slow_callback : SLOW_CALLBACK_DEFAULT;
	l->cleanup_grace = o->cleanup_grace ? o->cleanup_grace : CLEANUP_GRACE_DEFAULT;
	l->clock = o->clock;
	l->next_task_id = 1;
	atomic_init(&l->refs, 1);
	atomic_init(&l->memory_refs, 1);
	return l;
}

int rv_loop_new(rv_loop **ret, const rv_loop_opts *o)
{
	static const rv_loop_opts defaults;
	_cleanup_(loop_freep) rv_loop *l = NULL;
	int r;

	if (!ret || (o && o->clock && !o->clock->monotonic) ||
		(o && o->stack_size > CORO_STACK_MAX))
		return -EINVAL;
	l = loop_alloc(o ? o : &defaults);
	if (!l)
		return -ENOMEM;
	r = poll_init(l);
	if (r < 0)
		return r;
	r = inbox_init(&l->inbox);
	if (r < 0)
		return r;
	l->wake_poll.fn = on_wake;
	r = poll_add(l, &l->wake_poll, l->inbox.fd, false);
	if (r < 0)
		return r;
	r = timers_init(l);
	if (r < 0)
		return r;
	r = loop_enlist(l);
	if (r < 0)
		return r;
	l->now = loop_monotonic(l);
	*ret = TAKE_PTR(l);
	return 0;
}

static void close_tasks(rv_loop *l)
{
	struct rv_link *it, *next;

	for (it = l->tasks.next; it != &l->tasks; it = next) {
		struct rv_task *t = LINK_ENTRY(it, struct rv_task, link);

		(void)rv_task_ref(t); /* also keeps its neighbour in the list valid */
		if (!t->done)
			task_abandon(t);
		next = it->next;
		link_unlink(it);
		t->loop = NULL;
		rv_task_unref(t);
	}
	while ((it = link_pop(&l->task_cache)))
		free(LINK_ENTRY(it, struct rv_task, link));
}

int rv_loop_close(rv_loop *l)
{
	struct current saved = current;
	struct rv_link *it;

	if (l->closed)
		return 0;
	if (l->running)
		return -RV_ERUNNING;
	current = (struct current){.loop = l};
	inbox_close(&l->inbox);
	posts_flush(l);
	signals_close(l);
	rv_executor_unref(l->executor); /* its threads end with their last job */
	l->executor = NULL;
	gens_close(l);
	close_tasks(l);
	xfutures_close(l);
	processes_close(l);
	attached_close(l);
	l->closed = true;
	net_close(l);
	futures_close(l);
	watches_close(l);
	timers_deinit(l);
	while ((it = link_pop(&l->ready)))
		; /* whoever owns the entries sees that they are in no list */
	for (size_t i = 0; i < N_STACK_CLASSES; i++)
		(void)coro_pool_deinit(&l->pools[i]);
	poll_remove(&l->wake_poll);
	poll_deinit(l);
	current = saved;
	return 0;
}

rv_loop *rv_loop_ref(rv_loop *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

void rv_loop_unref(rv_loop *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	INVARIANT(rv_loop_close(l) == 0);
	loop_release(l);
}

/* Closing is for the thread that drops the last of the users' references. */
rv_loop *loop_hold(rv_loop *l)
{
	atomic_fetch_add_explicit(&l->memory_refs, 1, memory_order_relaxed);
	return l;
}

void loop_release(rv_loop *l)
{
	if (atomic_fetch_sub(&l->memory_refs, 1) == 1)
		loop_free(l);
}

/* -- looking at ------------------------------------------------------------------- */

bool rv_loop_is_closed(const rv_loop *l)
{
	return l->closed;
}

bool rv_loop_is_running(const rv_loop *l)
{
	return l->running;
}

NOINLINE rv_loop *rv_loop_current(void)
{
	return current.loop;
}

rv_time rv_loop_time(const rv_loop *l)
{
	return l->now;
}

rv_time rv_loop_now(const rv_loop *l)
{
	return loop_monotonic(l);
}
