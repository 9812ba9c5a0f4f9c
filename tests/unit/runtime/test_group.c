/* Task groups: behaviours 2.6. */
#include "rt.h"

static int fail_when_cancelled(void *err)
{
	int r = rv_sleep(RV_SEC(60));

	return r == -ECANCELED ? -(int)(intptr_t)err : 0;
}

RT_TEST(b112_exit_returns_after_the_last_child)
{
	rv_group g;
	rv_task *a, *b;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	a = rv_group_spawn(&g, rt_sleep_ms, RT_N(3));
	b = rv_group_spawn(&g, rt_sleep_ms, RT_N(1));
	(void)rv_task_ref(a);
	(void)rv_task_ref(b);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert(rv_task_done(a));
	ck_assert(rv_task_done(b));
	rv_task_unref(a);
	rv_task_unref(b);
	return 0;
}

RT_TEST(b113_failing_child_cancels_siblings_and_body)
{
	const rv_group_error *e;
	rv_group g;
	rv_task *sibling;
	size_t n;
	int r;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EIO));
	sibling = rv_task_ref(rv_group_spawn(&g, rt_sleep_long, NULL));
	r = rv_sleep(RV_SEC(60));
	ck_assert_int_eq(r, -ECANCELED);
	ck_assert_ptr_nonnull(strstr(rv_cancel_reason(), "failed"));
	ck_assert_int_eq(rv_group_exit(&g, r), -EIO);
	ck_assert(rv_task_cancelled(sibling));
	rv_task_unref(sibling);
	ck_assert_int_eq(rv_task_cancelling(rv_task_self()), 0);
	e = rv_group_errors(&g, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(e[0].err, -EIO);
	ck_assert_str_eq(e[0].msg, "told to");
	return rv_yield();
}

RT_TEST(b114_all_errors_are_listed_in_time)
{
	const rv_group_error *e;
	rv_group g;
	size_t n;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn(&g, fail_when_cancelled, RT_N(EBADF));
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EIO));
	(void)rv_group_spawn(&g, fail_when_cancelled, RT_N(EPIPE));
	ck_assert_int_eq(rv_group_exit(&g, 0), -EIO);
	e = rv_group_errors(&g, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(e[0].err, -EIO);
	ck_assert_int_eq(e[1].err, -EBADF);
	ck_assert_int_eq(e[2].err, -EPIPE);
	rv_group_forget(&g);
	ck_assert_ptr_null(rv_group_errors(&g, &n));
	return 0;
}

RT_TEST(b115_failing_body_cancels_and_joins_the_children)
{
	const rv_group_error *e;
	rv_group g;
	rv_task *t;
	size_t n;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	t = rv_task_ref(rv_group_spawn(&g, rt_sleep_long, NULL));
	rt_settle(1);
	ck_assert_int_eq(rv_group_exit(&g, rv_fail(-ENOENT, "body")), -ENOENT);
	ck_assert(rv_task_cancelled(t));
	rv_task_unref(t);
	e = rv_group_errors(&g, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(e[0].err, -ENOENT);
	ck_assert_str_eq(e[0].msg, "body");
	return 0;
}

static int group_of_one(void *fn)
{
	rv_group g;

	(void)rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	(void)rv_group_spawn(&g, *(rv_fn *)fn, NULL);
	return rv_group_exit(&g, 0);
}

static int clean_and_return_zero(void *arg)
{
	ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
	rt_add("cleaned");
	return 0;
}

RT_TEST(b116_cancel_in_exit_reaches_the_children_and_is_returned)
{
	rv_fn fns[] = {rt_sleep_long, clean_and_return_zero};

	for (int i = 0; i < 2; i++) {
		rv_task *t = rv_spawn(group_of_one, &fns[i]);

		rt_settle(2);
		ck_assert(rv_task_cancel(t));
		ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
		rv_task_unref(t);
	}
	ck_assert_str_eq(rt_trace, "cleaned");
	return 0;
}

static int group_of_a_resisting_one(void *arg)
{
	rv_group g;
	int r;

	(void)rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	(void)rv_group_spawn(&g, rt_resist, RT_W("child"));
	r = rv_group_exit(&g, 0);
	rt_add("exit");
	return r;
}

static int exit_cancelled(void *child)
{
	rv_group g;
	int r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);

	ck_assert_int_eq(r, 0);
	if (child)
		ck_assert_ptr_nonnull(rv_group_spawn(&g, rt_nop, NULL));
	(void)rv_task_cancel(rv_task_self());
	r = rv_group_exit(&g, 0);
	ck_assert_int_eq(rv_checkpoint(), -ECANCELED);
	return r;
}

/* nothing to wait for: all was over before the cancel, as of an await that completed */
RT_TEST(b116_cancelled_exit_without_children_is_no_await)
{
	rv_task *t = rv_spawn(exit_cancelled, NULL);

	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	t = rv_spawn(exit_cancelled, RT_W("child"));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	return 0;
}

RT_TEST(b118_repeated_cancels_do_not_shorten_the_wait)
{
	rv_task *t = rv_spawn(group_of_a_resisting_one, NULL);

	rt_settle(2);
	for (int i = 0; i < 3; i++) {
		ck_assert(rv_task_cancel(t));
		rt_settle(1);
	}
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "child exit");
	rv_task_unref(t);
	return 0;
}

static int nested(void *arg)
{
	rv_group outer, inner;
	int r;

	(void)rv_group_enter(&outer, RV_GROUP_FAIL_FAST);
	(void)rv_group_enter(&inner, RV_GROUP_FAIL_FAST);
	(void)rv_group_spawn(&inner, fail_when_cancelled, RT_N(EIO));
	r = rv_group_exit(&inner, 0);
	ck_assert_int_eq(r, -EIO);
	return rv_group_exit(&outer, r);
}

RT_TEST(b119_inner_child_that_fails_on_outer_cancel_is_the_result)
{
	rv_task *t = rv_spawn(nested, NULL);

	rt_settle(2);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -EIO);
	rv_task_unref(t);
	return 0;
}

RT_TEST(b120_only_the_root_error_is_reported_from_nested_groups)
{
	rv_group outer, inner;
	size_t n;
	int r;

	ck_assert_int_eq(rv_group_enter(&outer, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn(&outer, rt_yield_then_fail, RT_N(EIO));
	ck_assert_int_eq(rv_group_enter(&inner, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn(&inner, rt_sleep_long, NULL);
	r = rv_group_exit(&inner, rv_sleep(RV_SEC(60)));
	ck_assert_int_eq(r, -ECANCELED);
	ck_assert_int_eq(rv_group_exit(&outer, r), -EIO);
	(void)rv_group_errors(&outer, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_ptr_null(rv_group_errors(&inner, &n));
	return 0;
}

static void say_dtor(void *word)
{
	rt_add(word);
}

RT_TEST(b122_spawning_into_a_cancelled_or_finished_group_is_refused)
{
	rv_task_opts o = {.arg_dtor = say_dtor};
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	rv_group_cancel(&g, "over");
	ck_assert_ptr_null(rv_group_spawn(&g, rt_nop, NULL));
	ck_assert_int_eq(errno, RV_ESHUTDOWN);
	ck_assert_int_eq(
		rv_group_spawn_ex(&g, &o, rt_nop, RT_W("freed"), NULL), -RV_ESHUTDOWN);
	ck_assert_str_eq(rt_trace, "freed");
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_ptr_null(rv_group_spawn(&g, rt_nop, NULL));
	ck_assert_ptr_null(rv_group_spawn_service(&g, rt_nop, NULL));
	return 0;
}

RT_TEST(b123_error_of_the_bodys_cleanup_is_listed_beside_the_childs)
{
	const rv_group_error *e;
	rv_group g;
	size_t n;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EIO));
	ck_assert_int_eq(rv_sleep(RV_SEC(60)), -ECANCELED);
	ck_assert_int_eq(rv_group_exit(&g, -EPROTO), -EIO);
	e = rv_group_errors(&g, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(e[0].err, -EIO);
	ck_assert_int_eq(e[1].err, -EPROTO);
	ck_assert_int_eq(rv_task_cancelling(rv_task_self()), 0);
	return 0;
}

static int cancel_my_group(void *g)
{
	rv_group_cancel(g, "from within");
	return 0;
}

RT_TEST(b124_eager_child_that_fails_at_once_aborts_the_group)
{
	rv_task_opts o = {.flags = RV_SPAWN_EAGER};
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_group_spawn_ex(&g, &o, rt_fail_eio, NULL, NULL), 0);
	ck_assert_int_eq(rv_group_exit(&g, rv_yield()), -EIO);

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_group_spawn_ex(&g, &o, cancel_my_group, &g, NULL), 0);
	ck_assert_int_eq(rv_group_exit(&g, rv_yield()), 0);
	return 0;
}

RT_TEST(group_cancelled_by_itself_exits_with_success)
{
	rv_group g;
	rv_task *t;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	t = rv_task_ref(rv_group_spawn(&g, rt_sleep_long, NULL));
	rt_settle(1);
	rv_group_cancel(&g, "enough");
	ck_assert_int_eq(rv_group_exit(&g, rv_yield()), 0);
	ck_assert(rv_task_cancelled(t));
	rv_task_unref(t);
	return 0;
}

RT_TEST(child_cancelled_alone_does_not_fail_the_group)
{
	rv_group g;
	rv_task *t;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	t = rv_group_spawn(&g, rt_sleep_long, NULL);
	(void)rv_group_spawn(&g, rt_sleep_ms, RT_N(2));
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	return 0;
}

static int spawn_more(void *g)
{
	rt_settle(1);
	ck_assert_ptr_nonnull(rv_group_spawn(g, rt_say, RT_W("grandchild")));
	return 0;
}

RT_TEST(child_may_spawn_into_the_group_that_is_waiting)
{
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn(&g, spawn_more, &g);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_str_eq(rt_trace, "grandchild");
	return 0;
}

static int service(void *arg)
{
	int r = rv_sleep(RV_SEC(60));

	rt_add("service");
	return r;
}

static int ordinary(void *arg)
{
	int r = rv_sleep(RV_MS(2));

	rt_add("ordinary");
	return r;
}

RT_TEST(services_are_cancelled_after_all_others_ended)
{
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn_service(&g, service, NULL);
	(void)rv_group_spawn(&g, ordinary, NULL);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_str_eq(rt_trace, "ordinary service");
	return 0;
}

static int group_with_service(void *arg)
{
	rv_group g;

	(void)rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	(void)rv_group_spawn_service(&g, service, NULL);
	(void)rv_group_spawn(&g, rt_resist, RT_W("child"));
	return rv_group_exit(&g, 0);
}

RT_TEST(services_outlive_the_others_also_when_cancelled_from_outside)
{
	rv_task *t = rv_spawn(group_with_service, NULL);

	rt_settle(2);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "child service");
	rv_task_unref(t);
	return 0;
}

RT_TEST(failing_service_fails_the_group)
{
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	(void)rv_group_spawn_service(&g, rt_yield_then_fail, RT_N(EIO));
	ck_assert_int_eq(rv_group_exit(&g, rv_sleep(RV_SEC(60))), -EIO);
	return 0;
}

static int becomes_ready(void *arg)
{
	rt_settle(2);
	rv_task_started(RT_W("up"));
	rv_task_started(RT_W("again")); /* ignored */
	return rv_sleep(RV_SEC(60));
}

RT_TEST(start_waits_until_the_child_is_ready)
{
	void *ready = NULL;
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_group_start(&g, becomes_ready, NULL, &ready), 0);
	ck_assert_str_eq(ready, "up");
	rv_group_cancel(&g, "enough");
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	return 0;
}

RT_TEST(start_of_a_child_that_fails_is_not_the_groups_failure)
{
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_group_start(&g, rt_fail_eio, NULL, NULL), -EIO);
	ck_assert_int_eq(rv_group_start(&g, rt_nop, NULL, NULL), -RV_ESTATE);
	ck_assert_int_eq(rv_group_exit(&g, rv_yield()), 0);
	return 0;
}

RT_VIRTUAL_TEST(start_that_times_out_ends_the_child_first)
{
	rv_group g;
	rv_scope s;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	(void)rv_timeout(&s, RV_MS(1));
	ck_assert_int_eq(
		rv_scope_exit(&s, rv_group_start(&g, service, NULL, NULL)), -ETIMEDOUT);
	ck_assert_str_eq(rt_trace, "service");
	ck_assert_int_eq(rv_group_exit(&g, rv_yield()), 0);
	return 0;
}

UNIT_MAIN("group", b112_exit_returns_after_the_last_child,
	b113_failing_child_cancels_siblings_and_body,
	b114_all_errors_are_listed_in_time,
	b115_failing_body_cancels_and_joins_the_children,
	b116_cancel_in_exit_reaches_the_children_and_is_returned,
	b118_repeated_cancels_do_not_shorten_the_wait,
	b119_inner_child_that_fails_on_outer_cancel_is_the_result,
	b120_only_the_root_error_is_reported_from_nested_groups,
	b122_spawning_into_a_cancelled_or_finished_group_is_refused,
	b123_error_of_the_bodys_cleanup_is_listed_beside_the_childs,
	b124_eager_child_that_fails_at_once_aborts_the_group,
	group_cancelled_by_itself_exits_with_success,
	child_cancelled_alone_does_not_fail_the_group,
	child_may_spawn_into_the_group_that_is_waiting,
	services_are_cancelled_after_all_others_ended,
	services_outlive_the_others_also_when_cancelled_from_outside,
	failing_service_fails_the_group, start_waits_until_the_child_is_ready,
	start_of_a_child_that_fails_is_not_the_groups_failure,
	start_that_times_out_ends_the_child_first,
	b116_cancelled_exit_without_children_is_no_await)
