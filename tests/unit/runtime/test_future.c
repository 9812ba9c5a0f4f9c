/* Futures: behaviours 2.2. */
#include "rt.h"

static void say_done(rv_future *f, void *word)
{
	rt_add(word);
}

RT_TEST(b033_new_future_is_pending)
{
	rv_future *f = rt_future();
	void *val;

	ck_assert(!rv_future_done(f));
	ck_assert(!rv_future_cancelled(f));
	ck_assert_int_eq(rv_future_result(f, &val), -RV_ESTATE);
	rv_future_unref(f);
	return 0;
}

RT_TEST(b034_second_completion_is_refused)
{
	rv_future *f = rt_future();
	void *val;

	ck_assert_int_eq(rv_future_set(f, RT_W("v"), NULL), 0);
	ck_assert_int_eq(rv_future_set(f, RT_W("w"), NULL), -RV_ESTATE);
	ck_assert_int_eq(rv_future_fail(f, -EIO, NULL), -RV_ESTATE);
	ck_assert(!rv_future_cancel(f));
	ck_assert_int_eq(rv_future_result(f, &val), 0);
	ck_assert_str_eq(val, "v");
	rv_future_unref(f);
	return 0;
}

RT_TEST(b035_b036_callbacks_run_from_the_queue_never_inside_a_call)
{
	rv_future *f = rt_future();

	ck_assert_uint_gt(rv_future_on_done(f, say_done, RT_W("before")), 0);
	ck_assert_int_eq(rv_future_set(f, NULL, NULL), 0);
	ck_assert_uint_gt(rv_future_on_done(f, say_done, RT_W("after")), 0);
	ck_assert_str_eq(rt_trace, "");
	rt_settle(1);
	ck_assert_str_eq(rt_trace, "before after");
	rv_future_unref(f);
	return 0;
}

RT_TEST(b037_callbacks_keep_order_and_can_be_removed_by_function)
{
	rv_future *f = rt_future();
	uint32_t id;

	(void)rv_future_on_done(f, say_done, RT_W("a"));
	(void)rv_future_on_done(f, say_done, rt_trace);
	(void)rv_future_on_done(f, say_done, rt_trace);
	id = rv_future_on_done(f, say_done, RT_W("x"));
	(void)rv_future_on_done(f, say_done, RT_W("b"));
	(void)rv_future_on_done(f, say_done, RT_W("b"));
	ck_assert_int_eq(rv_future_off_done_fn(f, say_done, rt_trace), 2);
	ck_assert_int_eq(rv_future_set(f, NULL, NULL), 0);
	ck_assert_int_eq(rv_future_off_done(f, id), 1); /* queued already */
	ck_assert_int_eq(rv_future_off_done(f, id), 0);
	rt_settle(1);
	ck_assert_str_eq(rt_trace, "a b b");
	rv_future_unref(f);
	return 0;
}

RT_TEST(b039_failure_that_nobody_reads_is_reported)
{
	rv_future *f;
	void *val;

	rt_catch_reports();
	f = rt_future();
	ck_assert_int_eq(rv_future_fail(f, -EIO, "why"), 0);
	ck_assert_str_eq(rv_future_errmsg(f), "why");
	rv_future_unref(f);
	ck_assert_uint_eq(rt_reported.n, 1);
	f = rt_future();
	ck_assert_int_eq(rv_future_fail(f, -EIO, NULL), 0);
	ck_assert_int_eq(rv_future_result(f, &val), -EIO);
	rv_future_unref(f);
	ck_assert_uint_eq(rt_reported.n, 1);
	return 0;
}

RT_TEST(b040_cancel_of_a_failed_future_marks_it_read)
{
	rv_future *f;

	rt_catch_reports();
	f = rt_future();
	ck_assert_int_eq(rv_future_fail(f, -EIO, NULL), 0);
	ck_assert(!rv_future_cancel(f));
	rv_future_unref(f);
	ck_assert_uint_eq(rt_reported.n, 0);
	return 0;
}

static int await_it(void *f)
{
	return rv_future_await(f, NULL);
}

RT_TEST(b041_cancelled_future_cancels_its_waiters)
{
	rv_future *f = rt_future();
	rv_task *t = rv_spawn(await_it, f);

	rt_settle(1);
	ck_assert(rv_future_cancel(f));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_int_eq(rv_future_result(f, NULL), -ECANCELED);
	rv_task_unref(t);
	rv_future_unref(f);
	return 0;
}

RT_TEST(value_belongs_to_the_future_until_it_is_taken)
{
	rv_future *f = rt_future();
	void *val;

	ck_assert_int_eq(rv_future_set(f, strdup("a"), free), 0);
	rv_future_unref(f); /* frees it */
	f = rt_future();
	ck_assert_int_eq(rv_future_set(f, strdup("b"), free), 0);
	ck_assert_int_eq(rv_future_take(f, &val), 0);
	rv_future_unref(f);
	ck_assert_str_eq(val, "b");
	free(val);
	return 0;
}

static int payload(void *arg)
{
	rt_settle(1);
	rv_task_return(RT_W("payload"), NULL);
	return 3;
}

RT_TEST(future_of_a_task_completes_with_it)
{
	rv_task *t = rv_spawn(payload, NULL), *u = rv_spawn(rt_sleep_long, NULL);
	void *val;

	ck_assert_int_eq(rv_future_await(rv_task_future(t), &val), 3);
	ck_assert_str_eq(val, "payload");
	ck_assert_int_eq(rv_future_set(rv_task_future(u), NULL, NULL), -RV_ESTATE);
	ck_assert(rv_future_cancel(rv_task_future(u)));
	ck_assert(!rv_future_done(rv_task_future(u)));
	ck_assert_int_eq(rv_future_await(rv_task_future(u), NULL), -ECANCELED);
	ck_assert(rv_task_cancelled(u));
	rv_task_unref(t);
	rv_task_unref(u);
	return 0;
}

START_TEST(futures_outlive_their_loop)
{
	rv_loop *l;
	rv_future *f;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert_int_eq(rv_future_new(&f, l), 0);
	(void)rv_future_on_done(f, say_done, RT_W("never"));
	ck_assert_int_eq(rv_future_set(f, strdup("x"), free), 0);
	rv_loop_unref(l);
	ck_assert_int_eq(rv_future_result(f, NULL), 0);
	ck_assert_uint_eq(rv_future_on_done(f, say_done, NULL), 0);
	rv_future_unref(f);
	ck_assert_str_eq(rt_trace, "");
}
END_TEST

static rv_task *kept_task;
static rv_future *kept_future;

/* the one keeps a reference, the other takes it and gives it back */
static void keep_first(rv_loop *l, const rv_exc *e, void *arg)
{
	rt_add("told");
	if (e->task) {
		rv_task_unref(rv_task_ref(e->task));
		kept_task = kept_task ? kept_task : rv_task_ref(e->task);
	}
	if (e->future) {
		rv_future_unref(rv_future_ref(e->future));
		kept_future = kept_future ? kept_future : rv_future_ref(e->future);
	}
}

RT_TEST(handler_of_reports_may_keep_what_has_failed)
{
	rv_loop_set_exception_handler(rv_loop_current(), keep_first, NULL);
	for (int i = 0; i < 2; i++) {
		rv_task *t = rv_spawn(rt_fail_eio, NULL);
		rv_future *f = rt_future();

		ck_assert_ptr_nonnull(t);
		rt_settle(2);
		rv_task_unref(t);
		ck_assert_int_eq(rv_future_fail(f, -EPROTO, NULL), 0);
		rv_future_unref(f);
	}
	ck_assert_str_eq(rt_trace, "told told told told");
	ck_assert_int_eq(rv_task_error(kept_task), -EIO);
	ck_assert_int_eq(rv_future_result(kept_future, NULL), -EPROTO);
	rv_task_unref(kept_task);
	rv_future_unref(kept_future);
	ck_assert_str_eq(rt_trace, "told told told told"); /* once each */
	return 0;
}

static rv_task *ending;

static void ask_for_future(void *arg)
{
	rv_future *f = rv_task_future(ending);

	ck_assert(rv_future_done(f));
	ck_assert_uint_gt(rv_future_on_done(f, say_done, RT_W("done")), 0);
}

RT_TEST(future_asked_for_while_its_task_ends_completes_once)
{
	rv_task_opts o = {.arg_dtor = ask_for_future};

	ck_assert_int_eq(rv_spawn_ex(&ending, &o, rt_nop, NULL), 0);
	rt_settle(3);
	ck_assert_str_eq(rt_trace, "done");
	rv_task_unref(ending);
	return 0;
}

UNIT_MAIN("future", b033_new_future_is_pending, b034_second_completion_is_refused,
	b035_b036_callbacks_run_from_the_queue_never_inside_a_call,
	b037_callbacks_keep_order_and_can_be_removed_by_function,
	b039_failure_that_nobody_reads_is_reported,
	b040_cancel_of_a_failed_future_marks_it_read,
	b041_cancelled_future_cancels_its_waiters,
	value_belongs_to_the_future_until_it_is_taken,
	future_of_a_task_completes_with_it, futures_outlive_their_loop,
	handler_of_reports_may_keep_what_has_failed,
	future_asked_for_while_its_task_ends_completes_once)
