/* Tasks: behaviours 2.3 of the specification. */
#include "rt.h"

RT_TEST(b044_spawned_body_runs_only_when_the_spawner_waits)
{
	rv_task *t = rv_spawn(rt_say, RT_W("child"));

	rt_add("spawner");
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_str_eq(rt_trace, "spawner child");
	rv_task_unref(t);
	return 0;
}

RT_TEST(b045_tasks_start_in_the_order_of_spawning)
{
	rv_task *t[3] = {rv_spawn(rt_say, RT_W("a")), rv_spawn(rt_say, RT_W("b")),
		rv_spawn(rt_say, RT_W("c"))};

	rt_settle(1);
	ck_assert_str_eq(rt_trace, "a b c");
	for (int i = 0; i < 3; i++)
		rv_task_unref(t[i]);
	return 0;
}

RT_TEST(b046_awaiting_oneself_is_a_deadlock)
{
	ck_assert_int_eq(rv_task_await(rv_task_self(), NULL), -EDEADLK);
	ck_assert_int_eq(rv_task_join(rv_task_self(), NULL), -EDEADLK);
	return 0;
}

RT_TEST(b047_future_of_another_loop_is_refused)
{
	rv_loop *other;
	rv_future *f;

	ck_assert_int_eq(rv_loop_new(&other, NULL), 0);
	ck_assert_int_eq(rv_future_new(&f, other), 0);
	ck_assert_int_eq(rv_future_await(f, NULL), -RV_EWRONGLOOP);
	rv_future_unref(f);
	rv_loop_unref(other);
	return 0;
}

RT_TEST(b048_sleep_zero_lets_queued_callbacks_run)
{
	(void)rv_call_soon(rv_loop_current(), rt_cb_add, RT_W("callback"));
	ck_assert_int_eq(rv_sleep(0), 0);
	rt_add("task");
	ck_assert_str_eq(rt_trace, "callback task");
	return 0;
}

RT_TEST(b063_failure_that_nobody_reads_is_reported_once)
{
	rv_task *t;

	rt_catch_reports();
	t = rv_spawn(rt_fail_eio, NULL);
	rt_settle(1);
	ck_assert_uint_eq(rt_reported.n, 0);
	rv_task_unref(t);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rt_reported.err, -EIO);
	return 0;
}

RT_TEST(b063_failure_that_was_read_is_not_reported)
{
	rv_task *t;

	rt_catch_reports();
	t = rv_spawn(rt_fail_eio, NULL);
	ck_assert_int_eq(rv_task_join(t, NULL), -EIO);
	rv_task_unref(t);
	ck_assert_uint_eq(rt_reported.n, 0);
	return 0;
}

RT_TEST(failure_of_a_detached_task_is_reported_at_once)
{
	rt_catch_reports();
	rv_task_detach(rv_spawn(rt_fail_eio, NULL));
	rt_settle(1);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rt_reported.err, -EIO);
	return 0;
}

START_TEST(b064_pending_task_is_reported_when_its_loop_closes)
{
	rv_task_opts o = {.name = "sleeper"};
	rv_loop *l;
	rv_task *t;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	rv_loop_set_exception_handler(l, rt_on_report, NULL);
	o.loop = l;
	ck_assert_int_eq(rv_spawn_ex(&t, &o, rt_sleep_long, NULL), 0);
	ck_assert_int_eq(rv_loop_run_once(l, 0), 0);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_str_eq(rt_reported.task, "sleeper");
	rv_task_unref(t);
	rv_loop_unref(l);
}
END_TEST

START_TEST(unstarted_task_is_ended_when_its_loop_closes)
{
	rv_task_opts o = {.name = "unstarted", .arg_dtor = rt_cb_add};
	rv_loop *l;
	rv_task *t;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	rv_loop_set_exception_handler(l, rt_on_report, NULL);
	o.loop = l;
	ck_assert_int_eq(rv_spawn_ex(&t, &o, rt_say, RT_W("arg")), 0);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_str_eq(rt_trace, "arg");
	ck_assert(rv_task_cancelled(t));
	rv_task_unref(t);
	rv_loop_unref(l);
}
END_TEST

static int sleep_and_set(void *done)
{
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	rv_event_set(done);
	return 0;
}

RT_TEST(b065_d04_task_without_references_runs_to_its_end)
{
	rv_event done;

	rv_event_init(&done);
	rv_task_unref(rv_spawn(sleep_and_set, &done));
	ck_assert_int_eq(rv_timed(RV_SEC(60), rv_event_wait(&done)), 0);
	return 0;
}

static void no_task_here(void *arg)
{
	ck_assert_ptr_null(rv_task_self());
	ck_assert_int_eq(rv_yield(), -RV_ENOTASK);
	rt_add("callback");
}

static int sees_itself(void *self)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_eq(rv_task_self(), *(rv_task **)self);
		rt_settle(1);
	}
	return 0;
}

RT_TEST(b067_current_task_is_right_in_callbacks_and_between_tasks)
{
	rv_task *a, *b;

	a = rv_spawn(sees_itself, &a);
	b = rv_spawn(sees_itself, &b);
	(void)rv_call_soon(rv_loop_current(), no_task_here, NULL);
	ck_assert_int_eq(rv_task_join(a, NULL), 0);
	ck_assert_int_eq(rv_task_join(b, NULL), 0);
	ck_assert_str_eq(rt_trace, "callback");
	rv_task_unref(a);
	rv_task_unref(b);
	return 0;
}

RT_TEST(b068_names_are_unique_by_default_and_kept_when_given)
{
	rv_task_opts o = {.name = "fetch"};
	rv_task *a = rv_spawn(rt_nop, NULL), *b = rv_spawn(rt_nop, NULL), *c;

	ck_assert_int_eq(rv_spawn_ex(&c, &o, rt_nop, NULL), 0);
	ck_assert_int_eq(strncmp(rv_task_name(a), "Task-", 5), 0);
	ck_assert_str_ne(rv_task_name(a), rv_task_name(b));
	ck_assert_str_eq(rv_task_name(c), "fetch");
	rv_task_unref(a);
	rv_task_unref(b);
	rv_task_unref(c);
	return 0;
}

static int eager(void *arg)
{
	rt_add("eager");
	rt_settle(1);
	rt_add("later");
	return 0;
}

RT_TEST(eager_task_runs_until_it_first_waits)
{
	rv_task_opts o = {.flags = RV_SPAWN_EAGER};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, eager, NULL), 0);
	rt_add("spawner");
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_str_eq(rt_trace, "eager spawner later");
	rv_task_unref(t);
	return 0;
}

static int defers(void *arg)
{
	ck_assert_int_eq(rv_defer(rt_cb_add, RT_W("first")), 0);
	ck_assert_int_eq(rv_defer(rt_cb_add, RT_W("dropped")), 0);
	ck_assert_int_eq(rv_defer(rt_cb_add, RT_W("second")), 0);
	rv_defer_cancel(rt_cb_add, RT_W("dropped"));
	rt_add("body");
	return rv_sleep(RV_SEC(60));
}

RT_TEST(defers_run_last_first_also_when_cancelled)
{
	rv_task *t = rv_spawn(defers, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "body second first");
	rv_task_unref(t);
	return 0;
}

static void await_in_defer(void *arg)
{
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	rt_add("awaited");
}

static int defers_awaiting(void *arg)
{
	ck_assert_int_eq(rv_defer(await_in_defer, NULL), 0);
	return rv_sleep(RV_SEC(60));
}

RT_TEST(defer_may_await_though_the_task_is_cancelled)
{
	rv_task *t = rv_spawn(defers_awaiting, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "awaited");
	rv_task_unref(t);
	return 0;
}

static int fails_with_text(void *arg)
{
	return rv_fail(-EPROTO, "frame of %u bytes", 7U);
}

RT_TEST(text_of_a_failure_stays_with_the_task)
{
	rv_task *t = rv_spawn(fails_with_text, NULL);

	ck_assert_int_eq(rv_task_join(t, NULL), -EPROTO);
	ck_assert_str_eq(rv_task_errmsg(t), "frame of 7 bytes");
	rv_task_unref(t);
	return 0;
}

static int returns_payload(void *arg)
{
	rv_task_return(strdup("payload"), free);
	return 1;
}

RT_TEST(payload_is_borrowed_and_freed_with_the_task)
{
	rv_task *t = rv_spawn(returns_payload, NULL);
	void *val = NULL;

	ck_assert_int_eq(rv_task_join(t, &val), 1);
	ck_assert_str_eq(val, "payload");
	rv_task_unref(t);
	return 0;
}

static int errno_keeper(void *arg)
{
	errno = (int)(intptr_t)arg;
	rt_settle(2);
	ck_assert_int_eq(errno, (int)(intptr_t)arg);
	return 0;
}

RT_TEST(errno_is_each_tasks_own)
{
	rv_task *a = rv_spawn(errno_keeper, (void *)(intptr_t)ENOENT);
	rv_task *b = rv_spawn(errno_keeper, (void *)(intptr_t)EPERM);

	ck_assert_int_eq(rv_task_join(a, NULL), 0);
	ck_assert_int_eq(rv_task_join(b, NULL), 0);
	rv_task_unref(a);
	rv_task_unref(b);
	return 0;
}

static int awaited_in_dtor;

static void await_in_dtor(void *arg)
{
	ck_assert_ptr_null(rv_task_self());
	awaited_in_dtor = rv_checkpoint();
}

RT_TEST(destructor_of_the_argument_runs_outside_of_the_task)
{
	rv_task_opts o = {.arg_dtor = await_in_dtor};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, rt_nop, NULL), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(awaited_in_dtor, -RV_ENOTASK);
	rv_task_unref(t);
	return 0;
}

UNIT_MAIN("task", b044_spawned_body_runs_only_when_the_spawner_waits,
	b045_tasks_start_in_the_order_of_spawning, b046_awaiting_oneself_is_a_deadlock,
	b047_future_of_another_loop_is_refused,
	b048_sleep_zero_lets_queued_callbacks_run,
	b063_failure_that_nobody_reads_is_reported_once,
	b063_failure_that_was_read_is_not_reported,
	failure_of_a_detached_task_is_reported_at_once,
	b064_pending_task_is_reported_when_its_loop_closes,
	unstarted_task_is_ended_when_its_loop_closes,
	b065_d04_task_without_references_runs_to_its_end,
	b067_current_task_is_right_in_callbacks_and_between_tasks,
	b068_names_are_unique_by_default_and_kept_when_given,
	eager_task_runs_until_it_first_waits, defers_run_last_first_also_when_cancelled,
	defer_may_await_though_the_task_is_cancelled,
	text_of_a_failure_stays_with_the_task,
	payload_is_borrowed_and_freed_with_the_task, errno_is_each_tasks_own,
	destructor_of_the_argument_runs_outside_of_the_task)
