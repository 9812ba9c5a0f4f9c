/* Tasks that are cancelled: behaviours 2.3 of the specification. */
#include "rt.h"

RT_TEST(b049_cancelled_sleep_returns_at_once)
{
	rv_task *t = rv_spawn(rt_sleep_long, NULL);
	rv_time begin = rv_now();

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert(rv_task_cancelled(t));
	ck_assert_int_lt(rv_now() - begin, RV_SEC(30));
	rv_task_unref(t);
	return 0;
}

RT_TEST(b050_cancelling_a_done_task_is_false)
{
	rv_task *t = rv_spawn(rt_nop, NULL);

	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert(!rv_task_cancel(t));
	ck_assert(!rv_task_cancelled(t));
	ck_assert_int_eq(rv_task_result(t, NULL), 0);
	rv_task_unref(t);
	return 0;
}

RT_TEST(b051_cancel_before_first_step_never_runs_the_body)
{
	rv_task_opts o = {.arg_dtor = rt_cb_add};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, rt_say, RT_W("x")), 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "x"); /* the destructor, once; not the body */
	rv_task_unref(t);
	return 0;
}

static int await_future(void *f)
{
	return rv_future_await(f, NULL);
}

RT_TEST(b052_cancel_of_a_task_cancels_the_future_it_awaits)
{
	rv_future *f;
	rv_task *t;

	ck_assert_int_eq(rv_future_new(&f, NULL), 0);
	t = rv_spawn(await_future, f);
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert(rv_future_cancelled(f));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	rv_future_unref(f);
	return 0;
}

static int await_task(void *t)
{
	int r = rv_task_await(t, NULL);

	rt_add("outer");
	return r;
}

RT_TEST(b053_cancel_of_an_awaiting_task_cancels_the_awaited_and_waits_for_it)
{
	rv_task *inner = rv_spawn(rt_resist, RT_W("inner"));
	rv_task *outer = rv_spawn(await_task, inner);

	rt_settle(2);
	ck_assert(rv_task_cancel(outer));
	ck_assert_int_eq(rv_task_cancelling(inner), 1);
	/* completion beats cancellation: what inner returned is the result */
	ck_assert_int_eq(rv_task_join(outer, NULL), 7);
	ck_assert_str_eq(rt_trace, "inner outer");
	rv_task_unref(outer);
	rv_task_unref(inner);
	return 0;
}

RT_TEST(b053_cancelling_a_long_chain_of_awaits_needs_no_stack)
{
	enum { N = 2000 };
	static rv_task *t[N];

	t[0] = rv_spawn(rt_sleep_long, NULL);
	for (int i = 1; i < N; i++)
		t[i] = rv_spawn(await_task, t[i - 1]);
	rt_settle(2);
	ck_assert(rv_task_cancel(t[N - 1]));
	rt_trace[0] = '\0';
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(rv_task_join(t[i], NULL), -ECANCELED);
		rt_trace[0] = '\0';
	}
	for (int i = 0; i < N; i++)
		rv_task_unref(t[i]);
	return 0;
}

RT_TEST(join_cancelled_leaves_the_other_task_alone)
{
	rv_task *t = rv_spawn(rt_sleep_long, NULL);

	ck_assert_int_eq(rv_timed(RV_MS(1), rv_task_join(t, NULL)), -ETIMEDOUT);
	ck_assert_int_eq(rv_task_cancelling(t), 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	return 0;
}

static int cancel_self(void *arg)
{
	ck_assert(rv_task_cancel(rv_task_self()));
	return 5;
}

RT_TEST(b055_d10_cancelling_oneself_without_awaiting_finishes_with_the_value)
{
	rv_task *t = rv_spawn(cancel_self, NULL);

	ck_assert_int_eq(rv_task_join(t, NULL), 5);
	ck_assert(!rv_task_cancelled(t));
	ck_assert_int_eq(rv_task_cancelling(t), 1);
	rv_task_unref(t);
	return 0;
}

RT_TEST(b056_task_that_catches_the_cancel_has_its_value)
{
	rv_task *t = rv_spawn(rt_resist, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 7);
	ck_assert(!rv_task_cancelled(t));
	rv_task_unref(t);
	return 0;
}

static int carry_on(void *arg)
{
	ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
	ck_assert_int_eq(rv_yield(), -ECANCELED); /* still up: it is a level */
	ck_assert_int_eq(rv_sleep(RV_MS(1)), -ECANCELED);
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	ck_assert_int_eq(rv_yield(), 0);
	return 3;
}

RT_TEST(b057_d01_awaiting_works_again_only_after_uncancel)
{
	rv_task *t = rv_spawn(carry_on, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 3);
	rv_task_unref(t);
	return 0;
}

static int needs_two_uncancels(void *arg)
{
	ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
	ck_assert_int_eq(rv_task_cancelling(rv_task_self()), 2);
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 1);
	ck_assert_int_eq(rv_yield(), -ECANCELED);
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	return rv_yield();
}

RT_TEST(b058_two_cancels_are_one_delivery_and_two_requests)
{
	rv_task *t = rv_spawn(needs_two_uncancels, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	return 0;
}

RT_TEST(b059_uncancel_stays_at_zero)
{
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	ck_assert_int_eq(rv_task_cancelling(rv_task_self()), 0);
	return rv_yield();
}

static int cancelled_twice_over(void *arg)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
		ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	}
	return 2;
}

RT_TEST(b060_cancel_after_uncancel_is_delivered_again)
{
	rv_task *t = rv_spawn(cancelled_twice_over, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 2);
	rv_task_unref(t);
	return 0;
}

static int await_then_yield(void *f)
{
	void *val;

	ck_assert_int_eq(rv_future_await(f, &val), 0);
	ck_assert_str_eq(val, "value");
	return rv_yield();
}

RT_TEST(b061_d02_completion_beats_cancel_and_the_next_await_gets_it)
{
	rv_future *f;
	rv_task *t;

	ck_assert_int_eq(rv_future_new(&f, NULL), 0);
	t = rv_spawn(await_then_yield, f);
	rt_settle(1);
	ck_assert_int_eq(rv_future_set(f, RT_W("value"), NULL), 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	rv_future_unref(f);
	return 0;
}

static int spins(void *stop)
{
	int n = 0;

	ck_assert_int_eq(rv_yield(), 0);
	while (!*(bool *)stop) {
		ck_assert_int_eq(rv_sleep(RV_SEC(1)), -ECANCELED);
		n++;
	}
	return n;
}

RT_TEST(task_that_ignores_its_cancel_does_not_hold_the_thread)
{
	bool stop = false;
	rv_task *t = rv_spawn(spins, &stop);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	rt_settle(3); /* each one ends only because it gives way */
	stop = true;
	ck_assert_int_ge(rv_task_join(t, NULL), 128);
	rv_task_unref(t);
	return 0;
}

UNIT_MAIN("task_cancel", b049_cancelled_sleep_returns_at_once,
	b050_cancelling_a_done_task_is_false,
	b051_cancel_before_first_step_never_runs_the_body,
	b052_cancel_of_a_task_cancels_the_future_it_awaits,
	b053_cancel_of_an_awaiting_task_cancels_the_awaited_and_waits_for_it,
	b053_cancelling_a_long_chain_of_awaits_needs_no_stack,
	join_cancelled_leaves_the_other_task_alone,
	b055_d10_cancelling_oneself_without_awaiting_finishes_with_the_value,
	b056_task_that_catches_the_cancel_has_its_value,
	b057_d01_awaiting_works_again_only_after_uncancel,
	b058_two_cancels_are_one_delivery_and_two_requests, b059_uncancel_stays_at_zero,
	b060_cancel_after_uncancel_is_delivered_again,
	b061_d02_completion_beats_cancel_and_the_next_await_gets_it,
	task_that_ignores_its_cancel_does_not_hold_the_thread)
