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
#include "runtime/sched.h"

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
bool sched_budget_by_clock(rv_loop *l)
{
	rv_time now = loop_monotonic(l), since = now - l->now;
	bool short_steps =
		now - l->looked < (l->n_steps - l->looked_at) * POLL_STEP_SHORT;

	l->looked = now;
	l->looked_at = l->n_steps;
	l->look_at = short_steps
			     ? (l->n_steps / POLL_CLOCK_SELDOM + 1) * POLL_CLOCK_SELDOM
			     : l->n_steps + POLL_CLOCK_EVERY;
	l->poll_due = since > POLL_INTERVAL_MAX || l->n_steps >= POLL_STEPS_MAX ||
		      (l->n_steps >= POLL_STEPS && (since > POLL_INTERVAL || l->clock));
	return !l->poll_due;
}

/* One task after another, as long as it is tasks that this stack is taken for. */
void task_coro_entry(struct coro *c)
{
	do {
		struct rv_task *t = c->owner, *next;
		struct coro *to;
		struct coro_pool *pool = task_pool(t);
		rv_loop *l = t->loop;

		task_run(t); /* to its end: t may be gone */

		next = sched_pick(l);
		if (next && !next->coro && task_pool(next) == pool) {
			/* the next one starts on this stack */
			coro_pool_unpromise(pool);
			c->owner = next;
			next->coro = c;
			continue;
		}
		to = sched_target(l, next, c);
		coro_pool_put(pool, c);
		coro_switch_errno(c, to, l->errno_at);
	} while (c->entry == task_coro_entry);
}

static void leader_step(rv_loop *l, struct rv_ready *r)
{
	struct rv_task *t;

	if (r->run) {
		r->run(r);
		return;
	}
	t = CONTAINER_OF(r, struct rv_task, ready);
	if (!t->coro) {
		int err = t->scope->cancelled ? -ECANCELED
					      : sched_get_coro(t, &l->leader);

		if (err < 0) {
			task_finish_unstarted(t, err);
			return;
		}
	}
	coro_switch(&l->leader, t->coro);
	current.task = NULL;
}

static void leader_step_timed(rv_loop *l, struct rv_ready *r, struct rv_task *t)
{
	struct debug_step s = {.task = t};

	if (t && !t->coro && !t->scope->cancelled)
		s.is_first = sched_get_coro(t, &l->leader) == 0;
	debug_step_begins(l, &s);
	leader_step(l, r);
	debug_step_ended(l, &s);
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
	l->round++;
	while (!link_is_empty(&l->ready)) {
		struct rv_ready *r = LINK_ENTRY(l->ready.next, struct rv_ready, link);

		if (r->round != l->round)
			return;
		if (!sched_budget_left(l)) {
			poll_once(l, false); /* brings what belongs to the next round */
			continue;
		}
		link_unlink(&r->link);
		if (UNLIKELY(l->watched))
			leader_step_watched(l, r);
		else
			leader_step(l, r);
	}
}

static void loop_iterate(rv_loop *l, bool block)
{
	bool nothing = link_is_empty(&l->ready);

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
	l->errno_at = &errno;
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

	if (LIKELY(stack_size == 0))
		return l->default_pool;
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
	free(l->sites);
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
	link_init(&l->tasks);
	link_init(&l->futures);
	link_init(&l->submitted);
	link_init(&l->gens);
	link_init(&l->processes);
	link_init(&l->handle_slabs);
	for (size_t i = 0; i < N_STACK_CLASSES; i++)
		coro_pool_init(&l->pools[i], (size_t)CORO_STACK_MIN << i);
	for (int i = 0; i < N_TIMER_CLOCKS; i++) {
		l->timers[i] =
			(struct timers){.loop = l, .armed = RV_FOREVER, .fd = -1};
		timer_heap_init(&l->timers[i].heap);
	}
	l->inbox.fd = -1;
	l->default_pool =
		loop_pool_for(l, o->stack_size ? o->stack_size : STACK_SIZE_DEFAULT);
	l->exec_threads = o->exec_threads;
	l->slow_callback = o->slow_callback ? o->slow_callback : SLOW_CALLBACK_DEFAULT;
	l->cleanup_grace = o->cleanup_grace ? o->cleanup_grace : CLEANUP_GRACE_DEFAULT;
	l->clock = o->clock;
	rv_loop_set_debug(l, o->debug || (env && strcmp(env, "1") == 0));
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
	task_cache_trim(l, 0);
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
