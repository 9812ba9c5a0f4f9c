/*
 * Between a wake-up and the next step of the task that was woken: the loop may poll there,
 * and whatever else could have woken the task finds it awake. Behaviours 81, 85 and 95,
 * and what a second task or a timer does in that gap.
 */
#include "rt.h"

#include "reeve/wait.h"

/* the deadline of whoever waits here, and what the clock is moved by past it */
#define DEADLINE RV_MS(10)
#define PAST     RV_MS(20)

/* a waiting task, and what happens to it in one callback, in this order */
struct gap {
	rv_future *f;
	rv_task *t, *inner;
	rv_as_completed it;
	bool cancel; /* else the future is set, or the inner task ended */
	int result;
	size_t index;
};

/* The callback makes the loop poll before its next round. */
static void wake_and_let_time_pass(void *arg)
{
	struct gap *g = arg;

	if (g->cancel)
		ck_assert(rv_task_cancel(g->t));
	else
		ck_assert_int_eq(rv_future_set(g->f, NULL, NULL), 0);
	rt_virtual_now += PAST;
}

static void run_gap(struct gap *g, rv_fn fn, void (*gap)(void *arg))
{
	g->f = rt_future();
	g->t = rv_spawn(fn, g);
	rt_settle(1);
	(void)rv_call_soon(rv_loop_current(), gap, g);
	ck_assert_int_eq(rv_task_join(g->t, NULL), 0);
	rv_task_unref(g->t);
	rv_future_unref(g->f);
}

static int wait_with_deadline(void *arg)
{
	struct gap *g = arg;

	g->result = rv_wait(&g->f, 1, RV_WAIT_ALL, DEADLINE, NULL);
	return 0;
}

RT_VIRTUAL_TEST(b081_wait_that_is_over_is_not_ended_again_by_its_timeout)
{
	struct gap g = {0};

	run_gap(&g, wait_with_deadline, wake_and_let_time_pass);
	ck_assert_int_eq(g.result, 1);
	g.cancel = true;
	run_gap(&g, wait_with_deadline, wake_and_let_time_pass);
	ck_assert_int_eq(g.result, -ECANCELED);
	return 0;
}

static void time_passes_and_all_the_rest(void *arg)
{
	struct gap *g = arg;

	rt_virtual_now += PAST;
	(void)rv_call_soon(rv_loop_current(), wake_and_let_time_pass, g);
}

/* The timeout comes with the poll, the future with the callback after it: the task has not
 * run in between. */
RT_VIRTUAL_TEST(b081_member_that_is_done_after_the_timeout_is_counted)
{
	struct gap g = {0};

	run_gap(&g, wait_with_deadline, time_passes_and_all_the_rest);
	ck_assert_int_eq(g.result, 1);
	return 0;
}

static int next_with_deadline(void *arg)
{
	struct gap *g = arg;

	ck_assert_int_eq(rv_as_completed_init(&g->it, &g->f, 1, DEADLINE), 0);
	g->result = rv_as_completed_next(&g->it, &g->index);
	rv_as_completed_fini(&g->it);
	return 0;
}

RT_VIRTUAL_TEST(b085_next_that_is_there_is_not_ended_again_by_the_timeout)
{
	struct gap g = {.index = 7};

	run_gap(&g, next_with_deadline, wake_and_let_time_pass);
	ck_assert_int_eq(g.result, 1);
	ck_assert_uint_eq(g.index, 0);
	g.cancel = true;
	run_gap(&g, next_with_deadline, wake_and_let_time_pass);
	ck_assert_int_eq(g.result, -ECANCELED);
	return 0;
}

static int next_of_two(void *arg)
{
	struct gap *g = arg;

	g->result = rv_as_completed_next(&g->it, &g->index);
	return 0;
}

RT_TEST(second_task_does_not_take_the_next_from_who_was_woken_for_it)
{
	struct gap g = {.index = 7};
	size_t i;

	g.f = rt_future();
	ck_assert_int_eq(rv_as_completed_init(&g.it, &g.f, 1, RV_FOREVER), 0);
	g.t = rv_spawn(next_of_two, &g);
	rt_settle(1);
	ck_assert_int_eq(rv_future_set(g.f, NULL, NULL), 0);
	ck_assert_int_eq(rv_as_completed_next(&g.it, &i), -EBUSY);
	ck_assert_int_eq(rv_task_join(g.t, NULL), 0);
	ck_assert_int_eq(g.result, 1);
	ck_assert_uint_eq(g.index, 0);
	ck_assert_int_eq(rv_as_completed_next(&g.it, &i), 0);
	rv_as_completed_fini(&g.it);
	rv_task_unref(g.t);
	rv_future_unref(g.f);
	return 0;
}

/* -- a task with a deadline ---------------------------------------------------------- */

static int wait_for_inner(void *arg)
{
	struct gap *g = arg;

	g->result = rv_wait_for_task(g->inner, DEADLINE, NULL);
	return 0;
}

static int ends_as_cancelled(void *event)
{
	int r = rv_event_wait(event);

	return r < 0 ? r : -ECANCELED;
}

static void time_passes(void *unused)
{
	rt_virtual_now += PAST;
}

RT_VIRTUAL_TEST(b095_task_that_ended_by_itself_has_not_timed_out)
{
	struct gap g = {0};
	rv_event e;

	rv_event_init(&e);
	g.inner = rv_spawn(ends_as_cancelled, &e);
	g.t = rv_spawn(wait_for_inner, &g);
	rt_settle(1);
	rv_event_set(&e);
	/* after the end of the inner, before the step of who waits for it */
	(void)rv_call_soon(rv_loop_current(), time_passes, NULL);
	ck_assert_int_eq(rv_task_join(g.t, NULL), 0);
	ck_assert_int_eq(g.result, -ECANCELED);
	rv_task_unref(g.t);
	rv_task_unref(g.inner);
	return 0;
}

/* -- what is handed over in the gap ---------------------------------------------------- */

struct guarded {
	rv_lock lock;
	rv_cond changed;
	int result;
};

static int wait_changed(void *arg)
{
	struct guarded *g = arg;

	ck_assert_int_eq(rv_lock_acquire(&g->lock), 0);
	g->result = rv_cond_wait(&g->changed);
	return 0;
}

/* Allowed, if mostly a bug: the lock that was handed to the waiter of the condition is
 * released by somebody else before that has run. */
RT_TEST(lock_handed_to_a_conditions_waiter_may_be_taken_from_it)
{
	struct guarded g = {0};
	rv_task *t;

	rv_lock_init(&g.lock);
	rv_cond_init(&g.changed, &g.lock);
	t = rv_spawn(wait_changed, &g);
	rt_settle(1);
	ck_assert_int_eq(rv_lock_acquire(&g.lock), 0);
	ck_assert_int_eq(rv_cond_notify(&g.changed, 1), 0);
	rt_settle(1); /* it waits for the lock */
	ck_assert_int_eq(rv_lock_release(&g.lock), 0);
	ck_assert_int_eq(rv_lock_release(&g.lock), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(g.result, 0);
	ck_assert(!rv_lock_held(&g.lock));
	rv_task_unref(t);
	return 0;
}

UNIT_MAIN("woken", b081_wait_that_is_over_is_not_ended_again_by_its_timeout,
	b081_member_that_is_done_after_the_timeout_is_counted,
	b085_next_that_is_there_is_not_ended_again_by_the_timeout,
	second_task_does_not_take_the_next_from_who_was_woken_for_it,
	b095_task_that_ended_by_itself_has_not_timed_out,
	lock_handed_to_a_conditions_waiter_may_be_taken_from_it)
