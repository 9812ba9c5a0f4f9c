/* Debug mode: the reports of what it finds. Behaviours 24, 25, 26, 27, 64, 233. */
#include "rt.h"

#include <sys/socket.h>

#include "debug_test.h"

static const rv_run_opts debug_opts = {.debug = true};

/* -- slow steps -------------------------------------------------------------------- */

static void burn(rv_time d)
{
	rv_time until = rv_now() + d;

	while (rv_now() < until)
		;
}

static void slow_callback(void *arg)
{
	burn(RV_MS(120));
}

static void slow_future_callback(rv_future *f, void *arg)
{
	burn(RV_MS(120));
}

RT_TEST_WITH(b025_slow_callback_is_named_with_its_duration, &debug_opts)
{
	rv_future *f;

	reports_catch();
	(void)rv_call_soon(rv_loop_current(), slow_callback, NULL);
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 1);
	ck_assert_ptr_nonnull(strstr(reports.text[0], "callback slow_callback ("));
	ck_assert_ptr_nonnull(strstr(reports.text[0], " took 1"));
	ck_assert_ptr_nonnull(strstr(reports.text[0], " ms"));

	ck_assert_int_eq(rv_future_new(&f, NULL), 0);
	ck_assert_uint_ne(rv_future_on_done(f, slow_future_callback, NULL), 0);
	ck_assert_int_eq(rv_future_set(f, NULL, NULL), 0);
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 2);
	ck_assert_ptr_nonnull(strstr(reports.text[1], "slow_future_callback ("));
	rv_future_unref(f);
	return 0;
}

static __attribute__((noinline)) int slow_then_wait(void *e)
{
	burn(RV_MS(120));
	RETURN(rv_event_wait(e));
}

RT_TEST_WITH(b025_slow_step_is_named_with_the_place_where_it_ended, &debug_opts)
{
	rv_task_opts o = {.name = "sluggard"};
	rv_event e;
	rv_task *t;

	rv_event_init(&e);
	reports_catch();
	ck_assert_int_eq(rv_spawn_ex(&t, &o, slow_then_wait, &e), 0);
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 1);
	ck_assert_str_eq(reports.task[0], "sluggard");
	ck_assert_ptr_nonnull(
		strstr(reports.text[0], "step of task 'sluggard' took 1"));
	ck_assert_ptr_nonnull(
		strstr(reports.text[0], "up to its wait in slow_then_wait ("));
	rv_event_set(&e);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	ck_assert_uint_eq(reports.n, 1);
	return 0;
}

RT_TEST(slow_steps_are_nobody_s_business_without_debug_mode)
{
	reports_catch();
	rv_loop_set_debug(rv_loop_current(), false); /* whatever the environment says */
	(void)rv_call_soon(rv_loop_current(), slow_callback, NULL);
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 0);
	return 0;
}

/* -- awaiting outside of a task ---------------------------------------------------- */

static void awaiting_callback(void *lock)
{
	ck_assert_int_eq(rv_lock_acquire(lock), -RV_ENOTASK);
	ck_assert_int_eq(rv_sleep(RV_MS(1)), -RV_ENOTASK);
	ck_assert_int_eq(rv_yield(), -RV_ENOTASK);
}

RT_TEST_WITH(await_in_a_callback_names_the_function_and_the_callback, &debug_opts)
{
	rv_lock lock;

	rv_lock_init(&lock);
	reports_catch();
	(void)rv_call_soon(rv_loop_current(), awaiting_callback, &lock);
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 3);
	ck_assert_int_eq(reports.err[0], -RV_ENOTASK);
	ck_assert_ptr_nonnull(strstr(reports.text[0],
		"rv_lock_acquire awaits, which only a task may, in callback "
		"awaiting_callback ("));
	ck_assert_ptr_nonnull(strstr(reports.text[1], "rv_sleep awaits"));
	ck_assert_ptr_nonnull(strstr(reports.text[2], "rv_yield awaits"));
	ck_assert(!rv_lock_held(&lock));

	rv_loop_set_debug(rv_loop_current(), false);
	(void)rv_call_soon(rv_loop_current(), awaiting_callback, &lock);
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 3);
	return 0;
}

/* -- tasks that nobody awaits ------------------------------------------------------ */

static __attribute__((noinline)) rv_task *spawn_for_nothing(rv_fn fn)
{
	rv_task *t = rv_spawn(fn, NULL);

	ck_assert_ptr_nonnull(t);
	return t;
}

RT_TEST_WITH(task_that_nobody_awaits_is_reported_with_who_spawned_it, &debug_opts)
{
	rv_task *t;

	reports_catch();
	rv_task_unref(spawn_for_nothing(rt_nop));
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 1);
	ck_assert_ptr_nonnull(strstr(reports.text[0], "task was never awaited"));
	ck_assert_ptr_nonnull(strstr(reports.text[0], "spawn_for_nothing ("));

	/* dropped after its end */
	t = spawn_for_nothing(rt_nop);
	rt_settle(2);
	ck_assert(rv_task_done(t));
	rv_task_unref(t);
	ck_assert_uint_eq(reports.n, 2);
	return 0;
}

RT_TEST_WITH(awaited_detached_cancelled_and_grouped_tasks_are_not_reported, &debug_opts)
{
	rv_task_opts detached = {.name = "detached"};
	rv_outcome out[2];
	rv_call calls[] = {{.fn = rt_nop}, {.fn = rt_nop}};
	rv_xfuture *x;
	rv_future *f;
	rv_group g;
	rv_task *t;

	reports_catch();
	t = spawn_for_nothing(rt_nop);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	ck_assert_int_eq(rv_spawn_ex(NULL, &detached, rt_nop, NULL), 0);
	t = spawn_for_nothing(rt_sleep_long);
	ck_assert(rv_task_cancel(t));
	rv_task_unref(t);
	t = spawn_for_nothing(rt_nop);
	f = rv_task_future(t);
	ck_assert_int_eq(rv_gather(&f, 1, 0, out), 0);
	rv_task_unref(t);
	ck_assert_int_eq(rv_gather_calls(calls, 2, 0, out), 0);
	ck_assert_int_eq(rv_gather_calls(calls, 2, RV_GATHER_ALL, out), 0);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_SUPERVISE), 0);
	ck_assert_ptr_nonnull(rv_group_spawn(&g, rt_nop, NULL));
	ck_assert_ptr_nonnull(rv_group_spawn_service(&g, rt_sleep_long, NULL));
	ck_assert_int_eq(rv_group_start(&g, rt_nop, NULL, NULL), -RV_ESTATE);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_int_eq(rv_submit(rv_loop_current(), rt_nop, NULL, NULL, &x), 0);
	ck_assert_int_eq(rv_xfuture_await(x, NULL), 0);
	rv_xfuture_unref(x);
	rt_settle(4);
	ck_assert_uint_eq(reports.n, 0);
	return 0;
}

/* -- what is left at the end ------------------------------------------------------- */

static int open_connection(void *arg)
{
	rv_stream **s = arg;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(rv_stream_open_fd(fds[0], s), 0);
	close(fds[1]);
	return 0;
}

START_TEST(b064_what_is_left_when_the_loop_closes_is_reported)
{
	rv_loop_opts lo = {.debug = true};
	rv_task_opts o = {.name = "left"};
	rv_task *t, *opener;
	rv_stream *s;
	rv_loop *l;

	reports_reset();
	ck_assert_int_eq(rv_loop_new(&l, &lo), 0);
	rv_loop_set_exception_handler(l, reports_on, NULL);
	o.loop = l;
	ck_assert_int_eq(rv_spawn_ex(&t, &o, rt_sleep_long, NULL), 0);
	o.name = "opener";
	ck_assert_int_eq(rv_spawn_ex(&opener, &o, open_connection, &s), 0);
	ck_assert_int_eq(rv_loop_run_once(l, 0), 0);
	ck_assert_int_eq(rv_task_result(opener, NULL), 0);
	rv_task_unref(opener);
	ck_assert_uint_eq(reports.n, 0);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_uint_eq(reports.n, 2);
	ck_assert_str_eq(reports.text[0], "task was pending when its loop closed");
	ck_assert_str_eq(reports.task[0], "left");
	ck_assert_str_eq(reports.text[1], "connection was open when its loop closed");
	rv_task_unref(t);
	rv_stream_unref(s);
	rv_loop_unref(l);
}
END_TEST

RT_TEST_WITH(stream_dropped_without_being_closed_is_reported, &debug_opts)
{
	rv_stream *s;

	reports_catch();
	ck_assert_int_eq(open_connection(&s), 0);
	rv_stream_unref(s);
	ck_assert_uint_eq(reports.n, 1);
	ck_assert_str_eq(reports.text[0], "stream was dropped without being closed");
	rt_settle(2);
	return 0;
}

/* -- the handler ------------------------------------------------------------------- */

static void report_then_go_on(void *arg)
{
	rv_exc e = RV_EXC_NULL;

	e.message = "fatal";
	rv_report(rv_loop_current(), &e);
	rt_add("reported");
}

RT_TEST_WITH(b026_callback_s_report_has_its_handle_and_the_loop_goes_on, &debug_opts)
{
	rv_loop *l = rv_loop_current();
	rv_handle h;

	reports_catch();
	h = rv_call_soon(l, report_then_go_on, NULL);
	(void)rv_call_soon(l, rt_cb_add, RT_W("next"));
	rt_settle(2);
	ck_assert_uint_eq(reports.n, 1);
	ck_assert_ptr_eq(reports.handle[0].p, h.p);
	ck_assert_uint_eq(reports.handle[0].gen, h.gen);
	ck_assert_str_eq(rt_trace, "reported next");
	return 0;
}

static void broken_handler(rv_loop *l, const rv_exc *e, void *arg)
{
	rv_exc own = RV_EXC_NULL;

	rt_add("asked");
	own.message = "handler's own";
	rv_report(l, &own);
}

RT_TEST_WITH(
	b027_failing_handler_gets_the_default_one_and_the_loop_goes_on, &debug_opts)
{
	char text[1024];

	rv_loop_set_exception_handler(rv_loop_current(), broken_handler, NULL);
	stderr_begin();
	(void)rv_call_soon(rv_loop_current(), report_then_go_on, NULL);
	rt_settle(2);
	stderr_end(text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "unhandled error in exception handler"));
	ck_assert_ptr_nonnull(strstr(text, "handler's own"));
	ck_assert_str_eq(rt_trace, "asked reported");
	return 0;
}

/* -- the switch -------------------------------------------------------------------- */

START_TEST(b233_debug_mode_comes_from_the_environment_or_the_argument)
{
	rv_loop_opts on = {.debug = true};
	rv_loop *l;

	ck_assert_int_eq(unsetenv("REEVE_DEBUG"), 0);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert(!rv_loop_debug(l));
	rv_loop_set_debug(l, true);
	ck_assert(rv_loop_debug(l));
	rv_loop_set_debug(l, false);
	ck_assert(!rv_loop_debug(l));
	rv_loop_unref(l);
	ck_assert_int_eq(rv_loop_new(&l, &on), 0);
	ck_assert(rv_loop_debug(l));
	rv_loop_unref(l);
	ck_assert_int_eq(setenv("REEVE_DEBUG", "1", 1), 0);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert(rv_loop_debug(l));
	rv_loop_set_debug(l, false);
	ck_assert(!rv_loop_debug(l));
	rv_loop_unref(l);
	ck_assert_int_eq(setenv("REEVE_DEBUG", "0", 1), 0);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert(!rv_loop_debug(l));
	rv_loop_unref(l);
}
END_TEST

UNIT_MAIN("debug", b025_slow_callback_is_named_with_its_duration,
	b025_slow_step_is_named_with_the_place_where_it_ended,
	slow_steps_are_nobody_s_business_without_debug_mode,
	await_in_a_callback_names_the_function_and_the_callback,
	task_that_nobody_awaits_is_reported_with_who_spawned_it,
	awaited_detached_cancelled_and_grouped_tasks_are_not_reported,
	b064_what_is_left_when_the_loop_closes_is_reported,
	stream_dropped_without_being_closed_is_reported,
	b026_callback_s_report_has_its_handle_and_the_loop_goes_on,
	b027_failing_handler_gets_the_default_one_and_the_loop_goes_on,
	b233_debug_mode_comes_from_the_environment_or_the_argument)
