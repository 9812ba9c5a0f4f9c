/* gather, wait, as_completed, race, shield: behaviours 2.4. */
#include "rt.h"

/* -- gather ------------------------------------------------------------------------ */

RT_TEST(b069_gather_of_nothing_is_over_at_once)
{
	ck_assert_int_eq(rv_gather(NULL, 0, 0, NULL), 0);
	ck_assert_int_eq(rv_gather_calls(NULL, 0, 0, NULL), 0);
	return 0;
}

struct gathering {
	rv_future **fs;
	size_t n;
	unsigned flags;
	rv_outcome out[4];
	int r;
};

static int gather_it(void *arg)
{
	struct gathering *g = arg;

	g->r = rv_gather(g->fs, g->n, g->flags, g->out);
	return 0;
}

RT_TEST(b070_results_are_in_the_order_of_the_arguments)
{
	rv_future *fs[3] = {rt_future(), rt_future(), rt_future()};
	struct gathering g = {.fs = fs, .n = 3};
	rv_task *t = rv_spawn(gather_it, &g);

	rt_settle(1);
	ck_assert_int_eq(rv_future_set(fs[2], RT_W("c"), NULL), 0);
	ck_assert_int_eq(rv_future_set(fs[0], RT_W("a"), NULL), 0);
	rt_settle(2);
	ck_assert(!rv_task_done(t));
	ck_assert_int_eq(rv_future_set(fs[1], RT_W("b"), NULL), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(g.r, 0);
	ck_assert_str_eq(g.out[0].val, "a");
	ck_assert_str_eq(g.out[1].val, "b");
	ck_assert_str_eq(g.out[2].val, "c");
	rv_task_unref(t);
	rt_unref_all(fs, 3);
	return 0;
}

RT_TEST(b072_d03_first_failure_cancels_the_others_and_waits_for_them)
{
	rv_task *bad = rv_spawn(rt_fail_eio, NULL);
	rv_task *slow = rv_spawn(rt_resist, RT_W("tidied"));
	rv_future *fs[2] = {rv_task_future(slow), rv_task_future(bad)};
	rv_outcome out[2];

	rt_catch_reports();
	rt_settle(1); /* slow is inside its sleep: one that has not begun never does */
	ck_assert_int_eq(rv_gather(fs, 2, 0, out), -EIO);
	ck_assert_str_eq(rt_trace, "tidied");
	ck_assert_int_eq(out[0].err, 7);
	ck_assert_int_eq(out[1].err, -EIO);
	rv_task_unref(bad);
	rv_task_unref(slow);
	ck_assert_uint_eq(rt_reported.n, 0);
	return 0;
}

RT_TEST(b072_d03_detached_others_go_on_and_their_failures_are_nobodys_business)
{
	rv_task *bad = rv_spawn(rt_fail_eio, NULL);
	rv_task *later = rv_spawn(rt_fail_later, NULL);
	rv_future *fs[2] = {rv_task_future(bad), rv_task_future(later)};
	rv_outcome out[2];

	rt_catch_reports();
	ck_assert_int_eq(rv_gather(fs, 2, RV_GATHER_DETACH, out), -EIO);
	ck_assert_int_eq(out[1].err, -EINPROGRESS);
	ck_assert(!rv_task_done(later));
	rt_settle(4);
	ck_assert_int_eq(rv_task_error(later), -EPROTO);
	rv_task_unref(bad);
	rv_task_unref(later);
	ck_assert_uint_eq(rt_reported.n, 0);
	return 0;
}

RT_TEST(b073_collecting_puts_failures_and_cancels_among_the_results)
{
	rv_task *bad = rv_spawn(rt_fail_eio, NULL);
	rv_task *gone = rv_spawn(rt_sleep_long, NULL);
	rv_task *good = rv_spawn(rt_say, RT_W("good"));
	rv_future *fs[3] = {
		rv_task_future(bad), rv_task_future(gone), rv_task_future(good)};
	rv_outcome out[3];

	ck_assert(rv_task_cancel(gone));
	ck_assert_int_eq(rv_gather(fs, 3, RV_GATHER_ALL, out), 0);
	ck_assert_int_eq(out[0].err, -EIO);
	ck_assert_int_eq(out[1].err, -ECANCELED);
	ck_assert_int_eq(out[2].err, 0);
	rv_task_unref(bad);
	rv_task_unref(gone);
	rv_task_unref(good);
	return 0;
}

RT_TEST(b074_cancelled_child_is_an_error_but_does_not_cancel_who_gathers)
{
	rv_task *gone = rv_spawn(rt_sleep_long, NULL);
	rv_task *sibling = rv_spawn(rt_resist, RT_W("tidied"));
	rv_future *fs[2] = {rv_task_future(gone), rv_task_future(sibling)};

	rt_settle(1);
	ck_assert(rv_task_cancel(gone));
	ck_assert_int_eq(rv_gather(fs, 2, 0, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "tidied"); /* as after any other failure */
	ck_assert_int_eq(rv_task_cancelling(rv_task_self()), 0);
	ck_assert_int_eq(rv_yield(), 0);
	rv_task_unref(gone);
	rv_task_unref(sibling);
	return 0;
}

RT_TEST(b075_cancelling_who_gathers_cancels_all_that_are_not_done)
{
	rv_task *slow = rv_spawn(rt_resist, RT_W("tidied"));
	rv_future *fs[2] = {rv_task_future(slow), rt_future()};
	struct gathering g = {.fs = fs, .n = 2, .flags = RV_GATHER_ALL};
	rv_task *t = rv_spawn(gather_it, &g);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	rt_settle(1);
	ck_assert(rv_task_cancel(t)); /* again, while it waits for slow */
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(g.r, -ECANCELED);
	ck_assert_str_eq(rt_trace, "tidied");
	ck_assert(rv_future_cancelled(fs[1]));
	rv_task_unref(t);
	rv_task_unref(slow);
	rv_future_unref(fs[1]);
	return 0;
}

RT_TEST(b077_cancel_after_the_last_is_done_changes_nothing)
{
	rv_future *fs[1] = {rt_future()};
	struct gathering g = {.fs = fs, .n = 1};
	rv_task *t = rv_spawn(gather_it, &g);

	rt_settle(1);
	ck_assert_int_eq(rv_future_set(fs[0], RT_W("v"), NULL), 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(g.r, 0);
	ck_assert_str_eq(g.out[0].val, "v");
	rv_task_unref(t);
	rt_unref_all(fs, 1);
	return 0;
}

static int gather_myself(void *arg)
{
	rv_future *f = rv_task_future(rv_task_self());

	return rv_gather(&f, 1, 0, NULL);
}

RT_TEST(gather_refuses_itself_and_unknown_flags)
{
	rv_task *t = rv_spawn(gather_myself, NULL);

	ck_assert_int_eq(rv_task_join(t, NULL), -EDEADLK);
	ck_assert_int_eq(rv_gather(NULL, 0, 64, NULL), -EINVAL);
	ck_assert_int_eq(rv_gather_calls(NULL, 0, RV_GATHER_DETACH, NULL), -EINVAL);
	rv_task_unref(t);
	return 0;
}

RT_TEST(gather_of_many_with_one_twice)
{
	enum { N = 100 };
	rv_future *fs[N];
	rv_outcome out[N];

	for (size_t i = 0; i < N - 1; i++) {
		rv_task *t = rv_spawn(rt_nop, NULL);

		fs[i] = rv_future_ref(rv_task_future(t));
		rv_task_unref(t);
	}
	fs[N - 1] = rv_future_ref(fs[0]);
	ck_assert_int_eq(rv_gather(fs, N, 0, out), 0);
	rt_unref_all(fs, N);
	return 0;
}

static int give(void *arg)
{
	rv_task_return(strdup(arg), free);
	return 3;
}

RT_TEST(values_of_gathered_calls_are_the_callers)
{
	const rv_call calls[] = {{give, RT_W("a"), "first"}, {give, RT_W("b"), NULL}};
	rv_outcome out[2];

	ck_assert_int_eq(rv_gather_calls(calls, 2, 0, out), 0);
	ck_assert_int_eq(out[0].err, 3);
	ck_assert_str_eq(out[0].val, "a");
	ck_assert_str_eq(out[1].val, "b");
	free(out[0].val);
	free(out[1].val);
	ck_assert_int_eq(rv_gather_calls(calls, 2, 0, NULL), 0);
	return 0;
}

RT_TEST(first_failure_of_gathered_calls_cancels_the_others)
{
	const rv_call calls[] = {{give, RT_W("a"), NULL}, {rt_sleep_long, NULL, NULL},
		{rt_fail_later, NULL, NULL}};
	rv_outcome out[3];

	ck_assert_int_eq(rv_gather_calls(calls, 3, 0, out), -EPROTO);
	ck_assert_int_eq(out[0].err, 3);
	ck_assert_ptr_null(out[0].val);
	ck_assert_int_eq(out[1].err, -ECANCELED);
	ck_assert_int_eq(out[2].err, -EPROTO);
	ck_assert_int_eq(rv_gather_calls(calls + 2, 1, RV_GATHER_ALL, out), 0);
	ck_assert_int_eq(out[0].err, -EPROTO);
	return 0;
}

static int cancel_myself(void *arg)
{
	(void)rv_task_cancel(rv_task_self());
	return rv_yield();
}

RT_TEST(cancelled_call_is_an_error_of_the_gathering)
{
	const rv_call calls[] = {{cancel_myself, NULL, NULL}, {rt_nop, NULL, NULL}};

	ck_assert_int_eq(rv_gather_calls(calls, 2, 0, NULL), -ECANCELED);
	ck_assert_int_eq(rv_yield(), 0);
	return 0;
}

static int gather_two(void *arg)
{
	const rv_call calls[] = {{rt_resist, arg, NULL}, {rt_sleep_long, NULL, NULL}};

	return rv_gather_calls(calls, 2, RV_GATHER_ALL, NULL);
}

RT_TEST(cancelling_who_gathers_calls_cancels_them)
{
	rv_task *t = rv_spawn(gather_two, RT_W("tidied"));

	rt_settle(2);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "tidied");
	rv_task_unref(t);
	return 0;
}

/* -- wait -------------------------------------------------------------------------- */

RT_TEST(b078_wait_for_nothing_is_an_error)
{
	ck_assert_int_eq(rv_wait(NULL, 0, RV_WAIT_ALL, RV_FOREVER, NULL), -EINVAL);
	return 0;
}

struct first_completed {
	rv_future *fs[3];
	uint64_t done[RV_WAIT_WORDS(3)];
};

static int wait_first_completed(void *arg)
{
	struct first_completed *x = arg;

	return rv_wait(x->fs, 3, RV_WAIT_FIRST_COMPLETED, RV_FOREVER, x->done);
}

RT_TEST(b079_first_completed_says_all_that_are_done_by_then)
{
	struct first_completed x = {{rt_future(), rt_future(), rt_future()}, {~0ULL}};
	rv_task *t = rv_spawn(wait_first_completed, &x);

	rt_settle(1);
	ck_assert(!rv_task_done(t));
	ck_assert_int_eq(rv_future_set(x.fs[0], NULL, NULL), 0);
	/* it has been woken, and has not run yet */
	ck_assert_int_eq(rv_future_fail(x.fs[2], -EIO, NULL), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), 2);
	ck_assert_uint_eq(x.done[0], 1 << 0 | 1 << 2);
	rv_task_unref(t);
	/* nothing to wait for any more */
	x.done[0] = 0;
	ck_assert_int_eq(wait_first_completed(&x), 2);
	ck_assert(RV_WAIT_IS_DONE(x.done, 0));
	ck_assert(!RV_WAIT_IS_DONE(x.done, 1));
	ck_assert(RV_WAIT_IS_DONE(x.done, 2));
	ck_assert_int_eq(rv_future_result(x.fs[2], NULL), -EIO);
	rt_unref_all(x.fs, 3);
	return 0;
}

static int wait_first_error(void *fs)
{
	return rv_wait(fs, 3, RV_WAIT_FIRST_ERROR, RV_FOREVER, NULL);
}

RT_TEST(b080_first_error_is_not_a_cancelled_one)
{
	rv_future *fs[3] = {rt_future(), rt_future(), rt_future()};
	rv_task *before, *after;

	before = rv_spawn(wait_first_error, fs);
	rt_settle(1);
	ck_assert(rv_future_cancel(fs[0]));
	after = rv_spawn(wait_first_error, fs);
	rt_settle(2);
	ck_assert(!rv_task_done(before));
	ck_assert(!rv_task_done(after));
	ck_assert_int_eq(rv_future_fail(fs[1], -EIO, NULL), 0);
	ck_assert_int_eq(rv_task_join(before, NULL), 2);
	ck_assert_int_eq(rv_task_join(after, NULL), 2);
	/* one that has failed already */
	ck_assert_int_eq(rv_wait(fs, 3, RV_WAIT_FIRST_ERROR, RV_FOREVER, NULL), 2);
	ck_assert_int_eq(rv_future_result(fs[1], NULL), -EIO);
	rv_task_unref(before);
	rv_task_unref(after);
	rt_unref_all(fs, 3);
	return 0;
}

RT_TEST(b081_timeout_is_no_error_and_cancels_nobody)
{
	rv_future *fs[2] = {rt_future(), rt_future()};
	uint64_t done[1];

	ck_assert_int_eq(rv_future_set(fs[1], NULL, NULL), 0);
	ck_assert_int_eq(rv_wait(fs, 2, RV_WAIT_ALL, RV_MS(1), done), 1);
	ck_assert_uint_eq(done[0], 2);
	ck_assert(!rv_future_done(fs[0]));
	rt_unref_all(fs, 2);
	return 0;
}

static int wait_all(void *fs)
{
	return rv_wait(fs, 2, RV_WAIT_ALL, RV_FOREVER, NULL);
}

RT_TEST(b083_two_tasks_wait_for_the_same)
{
	rv_future *fs[2] = {rt_future(), rt_future()};
	rv_task *a = rv_spawn(wait_all, fs), *b = rv_spawn(wait_all, fs);

	rt_settle(1);
	ck_assert_int_eq(rv_future_set(fs[0], NULL, NULL), 0);
	ck_assert_int_eq(rv_future_set(fs[1], NULL, NULL), 0);
	ck_assert_int_eq(rv_task_join(a, NULL), 2);
	ck_assert_int_eq(rv_task_join(b, NULL), 2);
	rv_task_unref(a);
	rv_task_unref(b);
	rt_unref_all(fs, 2);
	return 0;
}

RT_TEST(cancelled_wait_leaves_its_members_alone)
{
	rv_future *fs[2] = {rt_future(), rt_future()};
	rv_task *t = rv_spawn(wait_all, fs);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert(!rv_future_done(fs[0]));
	rv_task_unref(t);
	rt_unref_all(fs, 2);
	return 0;
}

/* -- as_completed ------------------------------------------------------------------ */

RT_TEST(b084_as_completed_gives_each_once_in_order_of_completion)
{
	rv_future *fs[3] = {rt_future(), rt_future(), rt_future()};
	rv_as_completed it;
	size_t i;

	ck_assert_int_eq(rv_future_set(fs[1], NULL, NULL), 0);
	ck_assert_int_eq(rv_as_completed_init(&it, fs, 3, RV_FOREVER), 0);
	ck_assert_int_eq(rv_as_completed_next(&it, &i), 1);
	ck_assert_uint_eq(i, 1);
	ck_assert_int_eq(rv_future_set(fs[2], NULL, NULL), 0);
	ck_assert_int_eq(rv_future_set(fs[0], NULL, NULL), 0);
	ck_assert_int_eq(rv_as_completed_next(&it, &i), 1);
	ck_assert_uint_eq(i, 2);
	ck_assert_int_eq(rv_as_completed_next(&it, &i), 1);
	ck_assert_uint_eq(i, 0);
	ck_assert_int_eq(rv_as_completed_next(&it, &i), 0);
	ck_assert_int_eq(rv_as_completed_next(&it, &i), 0);
	rv_as_completed_fini(&it);
	rv_as_completed_fini(&it);
	rt_unref_all(fs, 3);
	return 0;
}

RT_TEST(b085_after_the_timeout_each_next_says_so)
{
	rv_future *fs[2] = {rt_future(), rt_future()};
	rv_as_completed it;
	size_t i;

	ck_assert_int_eq(rv_as_completed_init(&it, fs, 2, RV_MS(1)), 0);
	ck_assert_int_eq(rv_as_completed_next(&it, &i), -ETIMEDOUT);
	ck_assert_int_eq(rv_future_set(fs[0], NULL, NULL), 0);
	ck_assert_int_eq(rv_as_completed_next(&it, &i), -ETIMEDOUT);
	rv_as_completed_fini(&it);
	rt_unref_all(fs, 2);
	return 0;
}

struct iterating {
	rv_as_completed it;
	size_t i;
};

static int next_one(void *arg)
{
	struct iterating *x = arg;

	return rv_as_completed_next(&x->it, &x->i);
}

RT_TEST(only_one_task_asks_for_the_next)
{
	rv_future *fs[1] = {rt_future()};
	struct iterating x;
	rv_task *t;

	ck_assert_int_eq(rv_as_completed_init(&x.it, fs, 1, RV_SEC(60)), 0);
	t = rv_spawn(next_one, &x);
	rt_settle(1);
	ck_assert_int_eq(next_one(&x), -EBUSY);
	ck_assert_int_eq(rv_future_set(fs[0], NULL, NULL), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), 1);
	rv_task_unref(t);
	rv_as_completed_fini(&x.it);
	rt_unref_all(fs, 1);
	return 0;
}

UNIT_MAIN("wait", b069_gather_of_nothing_is_over_at_once,
	b070_results_are_in_the_order_of_the_arguments,
	b072_d03_first_failure_cancels_the_others_and_waits_for_them,
	b072_d03_detached_others_go_on_and_their_failures_are_nobodys_business,
	b073_collecting_puts_failures_and_cancels_among_the_results,
	b074_cancelled_child_is_an_error_but_does_not_cancel_who_gathers,
	b075_cancelling_who_gathers_cancels_all_that_are_not_done,
	b077_cancel_after_the_last_is_done_changes_nothing,
	gather_refuses_itself_and_unknown_flags, gather_of_many_with_one_twice,
	values_of_gathered_calls_are_the_callers,
	first_failure_of_gathered_calls_cancels_the_others,
	cancelled_call_is_an_error_of_the_gathering,
	cancelling_who_gathers_calls_cancels_them, b078_wait_for_nothing_is_an_error,
	b079_first_completed_says_all_that_are_done_by_then,
	b080_first_error_is_not_a_cancelled_one,
	b081_timeout_is_no_error_and_cancels_nobody, b083_two_tasks_wait_for_the_same,
	cancelled_wait_leaves_its_members_alone,
	b084_as_completed_gives_each_once_in_order_of_completion,
	b085_after_the_timeout_each_next_says_so, only_one_task_asks_for_the_next)
