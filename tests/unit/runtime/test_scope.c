/* Timeout scopes and wait_for: behaviours 2.5 and the second half of 2.4. */
#include "rt.h"

RT_VIRTUAL_TEST(b098_body_in_time_is_untouched_and_its_timer_goes)
{
	rv_scope s;

	ck_assert_int_eq(rv_timeout(&s, RV_SEC(60)), 0);
	ck_assert_int_eq(rv_scope_exit(&s, rv_yield()), 0);
	ck_assert(!rv_scope_expired(&s));
	ck_assert(!rv_scope_caught(&s));
	ck_assert(!rv_timer_active(&s.timer));
	return 0;
}

RT_VIRTUAL_TEST(b099_deadline_cancels_the_await_and_becomes_a_timeout)
{
	rv_scope s;
	int r;

	ck_assert_int_eq(rv_timeout(&s, RV_MS(1)), 0);
	r = rv_sleep(RV_SEC(60));
	ck_assert_int_eq(r, -ECANCELED);
	ck_assert_str_eq(rv_cancel_reason(), "timeout");
	ck_assert_int_eq(rv_scope_exit(&s, r), -ETIMEDOUT);
	ck_assert(rv_scope_expired(&s));
	ck_assert(rv_scope_caught(&s));
	ck_assert_int_eq(rv_task_cancelling(rv_task_self()), 0);
	return rv_yield();
}

RT_VIRTUAL_TEST(b100_deadline_in_the_past_fails_the_first_await)
{
	rv_scope s;

	ck_assert_int_eq(rv_timeout(&s, 0), 0);
	ck_assert_int_eq(rv_scope_exit(&s, rv_sleep(0)), -ETIMEDOUT);
	ck_assert_int_eq(
		rv_scope_enter(&s, 0, rv_loop_now(rv_loop_current()) - RV_SEC(1)), 0);
	ck_assert_int_eq(rv_scope_exit(&s, rv_yield()), -ETIMEDOUT);
	return 0;
}

RT_VIRTUAL_TEST(b101_disabled_deadline_may_be_armed_later)
{
	rv_scope s;

	ck_assert_int_eq(rv_timeout(&s, RV_FOREVER), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_int_eq(
		rv_scope_reschedule(&s, rv_loop_now(rv_loop_current()) + RV_MS(1)), 0);
	ck_assert_int_eq(rv_scope_exit(&s, rv_sleep(RV_SEC(60))), -ETIMEDOUT);
	return 0;
}

RT_VIRTUAL_TEST(b102_equal_deadlines_time_out_the_outermost_and_both_expire)
{
	rv_time when = rv_loop_now(rv_loop_current()) + RV_MS(2);
	rv_scope outer, inner;
	int r;

	ck_assert_int_eq(rv_scope_enter(&outer, 0, when), 0);
	ck_assert_int_eq(rv_scope_enter(&inner, 0, when), 0);
	r = rv_scope_exit(&inner, rv_sleep(RV_SEC(60)));
	ck_assert_int_eq(r, -ECANCELED);
	ck_assert_int_eq(rv_scope_exit(&outer, r), -ETIMEDOUT);
	ck_assert(rv_scope_expired(&inner));
	ck_assert(rv_scope_expired(&outer));
	return 0;
}

RT_VIRTUAL_TEST(b103_inner_timeout_handled_then_outer_times_out_too)
{
	rv_scope outer, inner;

	ck_assert_int_eq(rv_timeout(&outer, RV_MS(20)), 0);
	ck_assert_int_eq(rv_timeout(&inner, RV_MS(1)), 0);
	ck_assert_int_eq(rv_scope_exit(&inner, rv_sleep(RV_SEC(60))), -ETIMEDOUT);
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(rv_scope_exit(&outer, rv_sleep(RV_SEC(60))), -ETIMEDOUT);
	return 0;
}

RT_VIRTUAL_TEST(b105_foreign_error_passes_through_an_expired_scope)
{
	rv_scope s;

	ck_assert_int_eq(rv_timeout(&s, RV_MS(1)), 0);
	ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
	ck_assert_int_eq(rv_scope_exit(&s, -EIO), -EIO);
	ck_assert(rv_scope_expired(&s));
	ck_assert(!rv_scope_caught(&s));
	ck_assert_int_eq(rv_timeout(&s, RV_SEC(60)), 0);
	ck_assert_int_eq(rv_scope_exit(&s, -EIO), -EIO);
	ck_assert(!rv_scope_expired(&s));
	return 0;
}

static int sleep_under_timeout(void *arg)
{
	rv_scope s;

	(void)rv_timeout(&s, RV_SEC(60));
	return rv_scope_exit(&s, rv_sleep(RV_SEC(60)));
}

RT_VIRTUAL_TEST(b106_cancel_from_outside_is_not_a_timeout)
{
	rv_task *t = rv_spawn(sleep_under_timeout, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	return 0;
}

static int cancelled_and_expired(void *arg)
{
	rv_scope s;

	(void)rv_timeout(&s, 0);
	(void)rv_task_cancel(rv_task_self());
	return rv_scope_exit(&s, rv_yield());
}

RT_VIRTUAL_TEST(outer_cancel_outranks_the_own_deadline)
{
	rv_task *t = rv_spawn(cancelled_and_expired, NULL);

	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	return 0;
}

static int times_out_while_cleaning_up(void *arg)
{
	rv_scope sh, s;
	int r;

	ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
	(void)rv_shield(&sh, RV_SEC(30));
	(void)rv_timeout(&s, RV_MS(1));
	r = rv_scope_exit(&s, rv_sleep(RV_SEC(60)));
	ck_assert_int_eq(r, -ETIMEDOUT);
	return rv_scope_exit(&sh, r);
}

RT_VIRTUAL_TEST(b108_timeout_works_in_a_shield_during_cleanup)
{
	rv_task *t = rv_spawn(times_out_while_cleaning_up, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ETIMEDOUT);
	rv_task_unref(t);
	return 0;
}

RT_VIRTUAL_TEST(b109_entering_twice_and_moving_a_finished_deadline_are_refused)
{
	rv_scope s = {0};

	ck_assert_int_eq(
		rv_scope_reschedule(&s, rv_loop_now(rv_loop_current())), -RV_ESTATE);
	ck_assert_int_eq(rv_timeout(&s, RV_SEC(60)), 0);
	ck_assert_int_eq(rv_timeout(&s, RV_SEC(60)), -RV_ESTATE);
	ck_assert_int_eq(rv_scope_exit(&s, 0), 0);
	ck_assert_int_eq(
		rv_scope_reschedule(&s, rv_loop_now(rv_loop_current())), -RV_ESTATE);
	ck_assert_int_eq(rv_timeout(&s, 0), 0);
	ck_assert_int_eq(rv_scope_reschedule(&s, RV_FOREVER), -RV_ESTATE);
	ck_assert_int_eq(rv_scope_exit(&s, 0), 0);
	return 0;
}

START_TEST(b110_scope_outside_of_a_task_is_refused)
{
	rv_scope s;

	ck_assert_int_eq(rv_timeout(&s, RV_SEC(1)), -RV_ENOTASK);
	ck_assert_int_eq(rv_scope_exit(&s, 0), -RV_ENOTASK);
}
END_TEST

RT_VIRTUAL_TEST(b111_success_stays_success_when_the_deadline_fires_before_exit)
{
	rv_scope s, sh;

	ck_assert_int_eq(rv_timeout(&s, RV_MS(1)), 0);
	ck_assert_int_eq(rv_shield(&sh, RV_SEC(60)), 0);
	ck_assert_int_eq(rv_scope_exit(&sh, rv_sleep(RV_MS(5))), 0);
	ck_assert_int_eq(rv_scope_exit(&s, 42), 42);
	ck_assert(rv_scope_expired(&s));
	ck_assert(!rv_scope_caught(&s));
	return 0;
}

RT_VIRTUAL_TEST(scope_cancelled_by_hand_ends_with_success)
{
	rv_scope s;

	ck_assert_int_eq(rv_timeout(&s, RV_FOREVER), 0);
	rv_scope_cancel(&s, "enough");
	ck_assert_str_eq(rv_cancel_reason(), "enough");
	ck_assert_int_eq(rv_scope_exit(&s, rv_yield()), 0);
	ck_assert(rv_scope_caught(&s));
	ck_assert(!rv_scope_expired(&s));
	return 0;
}

static int shielded(void *arg)
{
	rv_scope sh;
	int r;

	(void)rv_shield(&sh, RV_MS(5));
	rt_add("in");
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(rv_yield(), 0);
	rt_add("hidden");
	r = rv_sleep(RV_SEC(60)); /* until the grace ends */
	ck_assert_int_eq(r, -ECANCELED);
	return rv_scope_exit(&sh, r);
}

RT_VIRTUAL_TEST(shield_hides_the_cancel_until_its_grace_ends)
{
	rv_task *t = rv_spawn(shielded, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "in hidden");
	rv_task_unref(t);
	return 0;
}

RT_VIRTUAL_TEST(shield_without_a_deadline_is_reported_once_in_debug_mode)
{
	rv_scope s;

	rt_catch_reports();
	ck_assert_int_eq(rv_shield(&s, RV_FOREVER), 0);
	ck_assert_int_eq(rv_scope_exit(&s, 0), 0);
	ck_assert_uint_eq(rt_reported.n, 0);
	rv_loop_set_debug(rv_loop_current(), true);
	ck_assert_int_eq(rv_shield(&s, RV_SEC(1)), 0);
	ck_assert_int_eq(rv_scope_exit(&s, 0), 0);
	ck_assert_uint_eq(rt_reported.n, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rv_shield(&s, RV_FOREVER), 0);
		ck_assert_int_eq(rv_scope_exit(&s, 0), 0);
	}
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_str_eq(rt_reported.message, "shield without a deadline");
	return 0;
}

static int uncancel_below_scopes(void *arg)
{
	rv_scope a, b;

	(void)rv_timeout(&a, RV_SEC(60));
	(void)rv_timeout(&b, RV_SEC(60));
	ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	ck_assert_int_eq(
		rv_yield(), 0); /* the level dropped in the inner scopes, too */
	(void)rv_scope_exit(&b, 0);
	return rv_scope_exit(&a, 9);
}

RT_VIRTUAL_TEST(uncancel_lowers_the_level_in_all_scopes)
{
	rv_task *t = rv_spawn(uncancel_below_scopes, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 9);
	rv_task_unref(t);
	return 0;
}

RT_VIRTUAL_TEST(effective_deadline_is_the_earliest_up_to_a_shield)
{
	rv_time now = rv_loop_now(rv_loop_current());
	rv_scope a, b, c;

	ck_assert_int_eq(rv_effective_deadline(), RV_FOREVER);
	(void)rv_scope_enter(&a, 0, now + RV_SEC(50));
	(void)rv_scope_enter(&b, 0, now + RV_SEC(60));
	ck_assert_int_eq(rv_effective_deadline(), now + RV_SEC(50));
	(void)rv_scope_enter(&c, RV_SCOPE_SHIELD, now + RV_SEC(70));
	ck_assert_int_eq(rv_effective_deadline(), now + RV_SEC(70));
	(void)rv_scope_exit(&c, 0);
	(void)rv_scope_exit(&b, 0);
	(void)rv_scope_exit(&a, 0);
	return 0;
}

static int block_left_by_return(void)
{
	int rc = 0;

	RV_TIMEOUT(RV_MS(1), rc)
	{
		rc = rv_sleep(RV_SEC(60));
		if (rc < 0)
			break;
		rc = 1;
	}
	return rc;
}

RT_VIRTUAL_TEST(timeout_block_maps_the_result_on_every_way_out)
{
	int rc = 0;

	ck_assert_int_eq(block_left_by_return(), -ETIMEDOUT);
	RV_TIMEOUT(RV_SEC(60), rc)
	{
		rc = rv_yield();
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(rv_timed(RV_MS(1), rv_sleep(RV_SEC(60))), -ETIMEDOUT);
	return 0;
}

/* -- wait_for -------------------------------------------------------------------------
 */

static int cleans_up(void *arg)
{
	int r = rv_sleep(RV_SEC(60));
	rv_scope sh;

	(void)rv_shield(&sh, RV_SEC(5));
	ck_assert_int_eq(rv_sleep(RV_MS(2)), 0);
	rt_add("clean");
	(void)rv_scope_exit(&sh, 0);
	return r;
}

static int fails_while_cancelled(void *arg)
{
	int r = rv_sleep(RV_SEC(60));

	return r == -ECANCELED ? -EIO : 0;
}

static int is_the_callers(void *self)
{
	ck_assert_ptr_eq(rv_task_self(), self);
	return 8;
}

RT_VIRTUAL_TEST(d05_wait_for_runs_in_the_calling_task)
{
	ck_assert_int_eq(rv_wait_for(is_the_callers, rv_task_self(), RV_SEC(60)), 8);
	return 0;
}

RT_VIRTUAL_TEST(b090_wait_for_without_timeout_is_a_plain_call)
{
	ck_assert_int_eq(rv_wait_for(rt_say, RT_W("x"), RV_FOREVER), 0);
	ck_assert_str_eq(rt_trace, "x");
	return 0;
}

RT_VIRTUAL_TEST(b091_wait_for_zero_reads_what_is_done_and_starts_nothing)
{
	rv_task *t = rv_spawn(rt_nop, NULL);

	rt_settle(1);
	ck_assert_int_eq(rv_wait_for_task(t, 0, NULL), 0);
	rv_task_unref(t);
	ck_assert_int_eq(rv_wait_for(rt_say, RT_W("x"), 0), -ETIMEDOUT);
	ck_assert_str_eq(rt_trace, "");
	t = rv_spawn(rt_say, RT_W("y"));
	ck_assert_int_eq(rv_wait_for_task(t, 0, NULL), -ETIMEDOUT);
	ck_assert_str_eq(rt_trace, "");
	rv_task_unref(t);
	return 0;
}

RT_VIRTUAL_TEST(b092_wait_for_returns_only_when_the_inner_has_cleaned_up)
{
	rv_task *t = rv_spawn(cleans_up, NULL);

	ck_assert_int_eq(rv_wait_for(cleans_up, NULL, RV_MS(1)), -ETIMEDOUT);
	ck_assert_str_eq(rt_trace, "clean");
	ck_assert_int_eq(rv_wait_for_task(t, RV_MS(1), NULL), -ETIMEDOUT);
	ck_assert_str_eq(rt_trace, "clean clean");
	rv_task_unref(t);
	return 0;
}

RT_VIRTUAL_TEST(b094_error_of_the_inner_outranks_the_timeout)
{
	rv_task *t = rv_spawn(fails_while_cancelled, NULL);

	ck_assert_int_eq(rv_wait_for(fails_while_cancelled, NULL, RV_MS(1)), -EIO);
	ck_assert_int_eq(rv_wait_for_task(t, RV_MS(1), NULL), -EIO);
	rv_task_unref(t);
	return 0;
}

static int await_value(void *f)
{
	void *val;
	int r = rv_future_await(f, &val);

	return r < 0 ? r : 11;
}

static int wait_for_then_yield(void *f)
{
	ck_assert_int_eq(rv_wait_for(await_value, f, RV_SEC(60)), 11);
	return rv_yield();
}

RT_VIRTUAL_TEST(b095_result_is_returned_and_the_cancel_of_that_round_stays_pending)
{
	rv_future *f;
	rv_task *t;

	ck_assert_int_eq(rv_future_new(&f, NULL), 0);
	t = rv_spawn(wait_for_then_yield, f);
	rt_settle(1);
	ck_assert_int_eq(rv_future_set(f, NULL, NULL), 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	rv_future_unref(f);
	return 0;
}

static int resists_long(void *event)
{
	rv_scope sh;

	(void)rv_shield(&sh, RV_SEC(60));
	ck_assert_int_eq(rv_event_wait(event), 0);
	return rv_scope_exit(&sh, 42);
}

static int wait_for_it(void *t)
{
	return rv_wait_for_task(t, RV_MS(1), NULL);
}

RT_VIRTUAL_TEST(b096_cancelled_wait_for_leaves_an_inner_that_resists)
{
	rv_event e;
	rv_task *inner, *w;

	rv_event_init(&e);
	inner = rv_spawn(resists_long, &e);
	w = rv_spawn(wait_for_it, inner);
	ck_assert_int_eq(rv_sleep(RV_MS(10)), 0); /* it has timed out and waits on */
	ck_assert_int_eq(rv_task_cancelling(inner), 1);
	ck_assert(rv_task_cancel(w));
	ck_assert_int_eq(rv_task_join(w, NULL), -ECANCELED);
	ck_assert(!rv_task_done(inner));
	rv_event_set(&e);
	ck_assert_int_eq(rv_task_join(inner, NULL), 42);
	rv_task_unref(w);
	rv_task_unref(inner);
	return 0;
}

UNIT_MAIN("scope", b098_body_in_time_is_untouched_and_its_timer_goes,
	b099_deadline_cancels_the_await_and_becomes_a_timeout,
	b100_deadline_in_the_past_fails_the_first_await,
	b101_disabled_deadline_may_be_armed_later,
	b102_equal_deadlines_time_out_the_outermost_and_both_expire,
	b103_inner_timeout_handled_then_outer_times_out_too,
	b105_foreign_error_passes_through_an_expired_scope,
	b106_cancel_from_outside_is_not_a_timeout,
	outer_cancel_outranks_the_own_deadline,
	b108_timeout_works_in_a_shield_during_cleanup,
	b109_entering_twice_and_moving_a_finished_deadline_are_refused,
	b110_scope_outside_of_a_task_is_refused,
	b111_success_stays_success_when_the_deadline_fires_before_exit,
	scope_cancelled_by_hand_ends_with_success,
	shield_hides_the_cancel_until_its_grace_ends,
	shield_without_a_deadline_is_reported_once_in_debug_mode,
	uncancel_lowers_the_level_in_all_scopes,
	effective_deadline_is_the_earliest_up_to_a_shield,
	timeout_block_maps_the_result_on_every_way_out,
	d05_wait_for_runs_in_the_calling_task,
	b090_wait_for_without_timeout_is_a_plain_call,
	b091_wait_for_zero_reads_what_is_done_and_starts_nothing,
	b092_wait_for_returns_only_when_the_inner_has_cleaned_up,
	b094_error_of_the_inner_outranks_the_timeout,
	b095_result_is_returned_and_the_cancel_of_that_round_stays_pending,
	b096_cancelled_wait_for_leaves_an_inner_that_resists)
