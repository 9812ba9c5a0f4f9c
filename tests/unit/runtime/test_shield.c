/* Shields of futures, and races: behaviours 87, 88 and 190. */
#include "rt.h"

RT_TEST(b087_cancelling_the_shield_leaves_the_future_going)
{
	rv_future *inner = rt_future(), *outer;

	rt_catch_reports();
	ck_assert_int_eq(rv_future_shield(inner, &outer), 0);
	ck_assert(rv_future_cancel(outer));
	ck_assert(!rv_future_done(inner));
	ck_assert_int_eq(rv_future_fail(inner, -EIO, NULL), 0);
	rv_future_unref(inner);
	ck_assert_int_eq(rv_future_result(outer, NULL), -ECANCELED);
	rv_future_unref(outer);
	ck_assert_uint_eq(rt_reported.n, 0);
	return 0;
}

RT_TEST(b088_shield_ends_as_what_it_shields)
{
	rv_future *inner = rt_future(), *outer, *again;
	void *val;

	ck_assert_int_eq(rv_future_shield(inner, &outer), 0);
	ck_assert(rv_future_cancel(inner));
	ck_assert(rv_future_cancelled(outer));
	rv_future_unref(inner);
	rv_future_unref(outer);

	inner = rt_future();
	ck_assert_int_eq(rv_future_shield(inner, &outer), 0);
	ck_assert_int_eq(rv_future_set(inner, strdup("v"), free), 0);
	ck_assert_int_eq(rv_future_shield(outer, &again), 0); /* of one that is done */
	rv_future_unref(inner);
	rv_future_unref(outer);
	ck_assert_int_eq(rv_future_result(again, &val), 0);
	ck_assert_str_eq(val, "v");
	ck_assert_int_eq(rv_future_take(again, &val), -RV_ESTATE);
	rv_future_unref(again);
	return 0;
}

RT_TEST(shield_of_a_task_shows_its_text)
{
	rv_task *t = rv_spawn(rt_fail_eio, NULL);
	rv_future *outer;

	ck_assert_int_eq(rv_future_shield(rv_task_future(t), &outer), 0);
	ck_assert_int_eq(rv_future_await(outer, NULL), -EIO);
	ck_assert_ptr_null(rv_future_errmsg(outer));
	rv_task_unref(t);
	rv_future_unref(outer);
	return 0;
}

static int leave_shield_open(void *arg)
{
	rv_future **both = arg;

	ck_assert_int_eq(rv_future_new(&both[0], NULL), 0);
	return rv_future_shield(both[0], &both[1]);
}

START_TEST(shields_that_are_open_when_the_loop_closes_are_freed)
{
	rv_future *both[2];

	ck_assert_int_eq(rv_run(leave_shield_open, both, NULL), 0);
	rt_unref_all(both, 2);
}
END_TEST

/* -- race -------------------------------------------------------------------------- */

static int win(void *arg)
{
	rt_add(arg);
	return 0;
}

static int fail_at_once(void *arg)
{
	rt_add(arg);
	return -EHOSTUNREACH;
}

RT_TEST(race_begins_the_next_when_one_has_failed)
{
	const rv_call calls[] = {{fail_at_once, RT_W("a"), NULL},
		{fail_at_once, RT_W("b"), NULL}, {win, RT_W("c"), NULL},
		{win, RT_W("never"), NULL}};
	rv_outcome out[4];

	ck_assert_int_eq(rv_race(calls, 4, RV_FOREVER, out), 2);
	ck_assert_str_eq(rt_trace, "a b c");
	ck_assert_int_eq(out[0].err, -EHOSTUNREACH);
	ck_assert_int_eq(out[2].err, 0);
	ck_assert_int_eq(out[3].err, -ECANCELED);
	return 0;
}

RT_TEST(race_begins_the_next_after_a_while_and_cancels_who_lost)
{
	const rv_call calls[] = {
		{rt_resist, RT_W("lost"), NULL}, {win, RT_W("won"), NULL}};
	rv_outcome out[2];

	ck_assert_int_eq(rv_race(calls, 2, RV_MS(1), out), 1);
	ck_assert_str_eq(rt_trace, "won lost");
	ck_assert_int_eq(out[0].err, 7); /* too late: for the caller to tidy up */
	return 0;
}

RT_TEST(b190_race_that_all_lose_has_the_last_error)
{
	const rv_call calls[] = {
		{fail_at_once, RT_W("a"), NULL}, {rt_fail_later, NULL, NULL}};
	rv_outcome out[2];

	ck_assert_int_eq(rv_race(calls, 2, 0, out), -EPROTO);
	ck_assert_int_eq(out[0].err, -EHOSTUNREACH);
	ck_assert_int_eq(out[1].err, -EPROTO);
	ck_assert_int_eq(rv_race(calls, 0, 0, out), -EINVAL);
	return 0;
}

UNIT_MAIN("shield", b087_cancelling_the_shield_leaves_the_future_going,
	b088_shield_ends_as_what_it_shields, shield_of_a_task_shows_its_text,
	shields_that_are_open_when_the_loop_closes_are_freed,
	race_begins_the_next_when_one_has_failed,
	race_begins_the_next_after_a_while_and_cancels_who_lost,
	b190_race_that_all_lose_has_the_last_error)
