/* Waiting: the primitive, and the awaits that need no more than a task. */
#include "config.h"

#include <errno.h>

#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/sched.h"

enum { SPINS_MAX = 128 }; /* refused awaits in a row until others get a turn */
#define SPIN_REPORT_AFTER RV_SEC(1)

/* -- the primitive --------------------------------------------------------------------
 */

int task_wait_on_cancel(struct rv_task *self, struct waiter *w,
	void (*on_cancel)(struct waiter *w), const char *site, const void *object)
{
	INVARIANT(current.task == self && !self->waiter);
	w->task = self;
	w->on_cancel = on_cancel;
	w->site = site;
	w->object = object;
	self->waiter = w;
	self->op_budget = TASK_OP_BUDGET;
	sched_leave(self);
	return w->result;
}

int task_wait(
	struct rv_task *self, struct waiter *w, const char *site, const void *object)
{
	return task_wait_on_cancel(self, w, NULL, site, object);
}

static void ignore_cancel(struct waiter *w)
{
	/* the task sees the level at its next await */
}

int task_wait_shielded(
	struct rv_task *self, struct waiter *w, const char *site, const void *object)
{
	return task_wait_on_cancel(self, w, ignore_cancel, site, object);
}

void waiter_wake(struct waiter *w, int result)
{
	waiter_wake_inline(w, result);
}

void waiters_wake_all(struct rv_link *waiters, int result)
{
	struct waiter *w;

	while ((w = waiter_first(waiters)))
		waiter_wake_inline(w, result);
}

struct waiter *waiter_first_live(struct rv_link *waiters, struct waiter *first)
{
	struct rv_link *it = &first->link;

	while (it && !LINK_ENTRY(it, struct waiter, link)->task->loop) {
		link_unlink(it);
		it = link_first(waiters);
	}
	return it ? LINK_ENTRY(it, struct waiter, link) : NULL;
}

void task_yield(struct rv_task *self)
{
	self->op_budget = TASK_OP_BUDGET;
	ready_append(self->loop, &self->ready);
	sched_leave(self);
}

/* Once for each run of refused awaits; not at all without memory to know how long it lasts. */
static void report_spins(struct rv_task *t)
{
	struct task_extra *x = task_extra(t);
	rv_time now = loop_monotonic(t->loop);
	rv_exc e = RV_EXC_NULL;

	if (!x)
		return;
	if (!t->spins) {
		t->spins = true;
		t->spin_reported = false;
		x->spin_since = now;
	}
	if (t->spin_reported ||
		(!loop_debug(t->loop) && now - x->spin_since < SPIN_REPORT_AFTER))
		return;
	t->spin_reported = true;
	e.message = "cancelled task goes on awaiting";
	e.task = t;
	rv_report(t->loop, &e);
}

/*
 * Whoever ignores errors in a loop would hold the thread for ever, since every await
 * returns at once: give way from time to time, and say so when it goes on.
 */
int task_await_refused(struct rv_task *t)
{
	if (++t->n_spins < SPINS_MAX)
		return -ECANCELED;
	t->n_spins = 0;
	report_spins(t);
	task_yield(t);
	return -ECANCELED;
}

int task_budget_spent(struct rv_task *t)
{
	task_yield(t);
	return t->scope->cancelled ? task_await_refused(t) : 0;
}

/* -- yielding and sleeping
 * --------------------------------------------------------------- */

int rv_yield(void)
{
	struct rv_task *self = current.task;

	if (UNLIKELY(!self))
		return debug_await_outside(__func__);
	if (UNLIKELY(self->scope->cancelled))
		return task_await_refused(self);
	task_yield(self);
	return 0;
}

int rv_checkpoint(void)
{
	struct rv_task *self;

	return task_await_begin(&self);
}

struct sleeper {
	struct waiter w;
	rv_timer timer;
};

static void sleep_over(void *arg)
{
	struct sleeper *s = arg;

	waiter_wake(&s->w, 0);
}

static void sleep_cancelled(struct waiter *w)
{
	struct sleeper *s = CONTAINER_OF(w, struct sleeper, w);

	rv_timer_stop(&s->timer);
	waiter_wake(w, -ECANCELED);
}

static int sleep_until(struct rv_task *self, rv_time when)
{
	struct sleeper s = {0};

	rv_timer_init(&s.timer, self->loop, sleep_over, &s);
	s.timer.inline_fn = true;
	if (when != RV_FOREVER)
		rv_timer_start(&s.timer, when);
	return task_wait_on_cancel(self, &s.w, sleep_cancelled, "sleep", NULL);
}

int rv_sleep(rv_time d)
{
	struct rv_task *self = current.task;
	rv_time when;

	if (UNLIKELY(!self))
		return debug_await_outside(__func__);
	if (d <= 0 || self->scope->cancelled)
		return rv_yield();
	if (__builtin_add_overflow(loop_monotonic(self->loop), d, &when))
		when = RV_FOREVER;
	return sleep_until(self, when);
}

int rv_sleep_until(rv_time when)
{
	struct rv_task *self = current.task;

	if (UNLIKELY(!self))
		return debug_await_outside(__func__);
	if (self->scope->cancelled || when <= loop_monotonic(self->loop))
		return rv_yield();
	return sleep_until(self, when);
}

/* -- waiting for tasks
 * --------------------------------------------------------------------- */

static int await_task_begin(
	struct rv_task **ret_self, struct rv_task *t, const char *fn)
{
	int r = task_await_begin_of(ret_self, fn);

	if (r < 0)
		return r;
	if (t == *ret_self)
		return -EDEADLK;
	if (t->loop != (*ret_self)->loop && !t->done)
		return -RV_EWRONGLOOP;
	return 0;
}

static void pass_cancel_on(struct waiter *w)
{
	task_cancel_later(w->data);
}

int rv_task_await(rv_task *t, void **val)
{
	struct rv_task *self;
	int r = await_task_begin(&self, t, __func__);

	if (WRONG_THREAD(t->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (!t->done) {
		struct waiter w = {.data = t};

		link_append(&t->joiners, &w.link);
		r = task_wait_on_cancel(self, &w, pass_cancel_on, "await task", t);
		INVARIANT(r == 0 && t->done);
	}
	return rv_task_result(t, val);
}

int rv_task_join(rv_task *t, void **val)
{
	struct rv_task *self;
	int r = await_task_begin(&self, t, __func__);

	if (WRONG_THREAD(t->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (!t->done) {
		struct waiter w;

		link_append(&t->joiners, &w.link);
		r = task_wait(self, &w, "join task", t);
		if (r < 0)
			return r;
	}
	return rv_task_result(t, val);
}

/* -- deadlines
 * -------------------------------------------------------------------------------- */

int rv_wait_for(rv_fn fn, void *arg, rv_time timeout)
{
	struct rv_task *self;
	rv_scope s;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (timeout <= 0)
		return -ETIMEDOUT;
	r = rv_timeout(&s, timeout);
	if (r < 0)
		return r;
	return rv_scope_exit(&s, fn(arg));
}

/* what rv_wait_for_task is waiting for */
struct task_deadline {
	struct waiter w;
	rv_timer timer;
	struct rv_task *task;
	bool timed_out, cancelled;
};

static void task_deadline_passed(void *arg)
{
	struct task_deadline *d = arg;

	/* it may have ended meanwhile, which whoever waits has not heard yet */
	d->timed_out = rv_task_cancel(d->task);
}

static void task_deadline_cancelled(struct waiter *w)
{
	struct task_deadline *d = CONTAINER_OF(w, struct task_deadline, w);

	if (d->timed_out) {
		/* The task was told to end and resists; it is its owner's business now.
		 */
		waiter_wake(w, -ECANCELED);
		return;
	}
	d->cancelled = true;
	rv_timer_stop(&d->timer);
	task_cancel_later(d->task);
}

int rv_wait_for_task(rv_task *t, rv_time timeout, void **val)
{
	struct task_deadline d = {.task = t};
	struct rv_task *self;
	rv_time when = RV_FOREVER;
	int r = await_task_begin(&self, t, __func__);

	if (WRONG_THREAD(t->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (t->done)
		return rv_task_result(t, val);
	rv_timer_init(&d.timer, self->loop, task_deadline_passed, &d);
	d.timer.inline_fn = true;
	link_append(&t->joiners, &d.w.link);
	if (timeout <= 0)
		task_deadline_passed(&d);
	else if (timeout != RV_FOREVER &&
		 !__builtin_add_overflow(loop_monotonic(self->loop), timeout, &when))
		rv_timer_start(&d.timer, when);
	r = task_wait_on_cancel(
		self, &d.w, task_deadline_cancelled, "wait for task", t);
	rv_timer_stop(&d.timer);
	if (r < 0)
		return r;
	r = rv_task_result(t, val);
	return r == -ECANCELED && d.timed_out ? -ETIMEDOUT : r;
}
