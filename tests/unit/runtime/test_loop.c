/* The loop, its handles, timers, watches and wake-ups: behaviours 2.1. */
#include "rt.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static void stop_cb(void *l)
{
	rv_loop_stop(l);
}

START_TEST(b001_callbacks_run_in_order_each_once)
{
	rv_loop *l = rt_new_loop();

	(void)rv_call_soon(l, rt_cb_add, RT_W("a"));
	(void)rv_call_soon(l, rt_cb_add, RT_W("b"));
	(void)rv_call_soon(l, rt_cb_add, RT_W("c"));
	rt_spin_once(l);
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "a b c");
	rv_loop_unref(l);
}
END_TEST

static void queue_b(void *l)
{
	rt_add("a");
	(void)rv_call_soon(l, rt_cb_add, RT_W("b"));
}

START_TEST(b002_callback_queued_by_a_callback_runs_in_the_next_round)
{
	rv_loop *l = rt_new_loop();

	(void)rv_call_soon(l, queue_b, l);
	(void)rv_call_soon(l, rt_cb_add, RT_W("c"));
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "a c");
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "a c b");
	rv_loop_unref(l);
}
END_TEST

static void requeue(void *l)
{
	(void)rv_call_soon(l, requeue, l);
}

static void readable_stop(int fd, unsigned ev, void *l)
{
	rt_add("readable");
	rv_loop_stop(l);
}

START_TEST(b003_callback_that_requeues_itself_does_not_starve_descriptors)
{
	rv_loop *l = rt_new_loop();
	rv_watch *w;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(rv_fd_watch(l, p[0], RV_READ, readable_stop, l, &w), 0);
	(void)rv_call_soon(l, requeue, l);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_str_eq(rt_trace, "readable");
	ck_assert(rv_fd_unwatch(w));
	rv_loop_unref(l);
	close(p[0]);
	close(p[1]);
}
END_TEST

static int yield_for_ever(void *stop)
{
	while (!*(bool *)stop)
		if (rv_yield() < 0)
			return 0;
	return 0;
}

static void readable_set(int fd, unsigned ev, void *flag)
{
	*(bool *)flag = true;
}

RT_TEST(b003_tasks_that_only_yield_do_not_starve_descriptors)
{
	bool stop = false;
	rv_watch *w;
	rv_task *t = rv_spawn(yield_for_ever, &stop);
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(
		rv_fd_watch(rv_loop_current(), p[0], RV_READ, readable_set, &stop, &w),
		0);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert(stop);
	rv_task_unref(t);
	ck_assert(rv_fd_unwatch(w));
	close(p[0]);
	close(p[1]);
	return 0;
}

START_TEST(b004_cancelled_handle_does_not_run)
{
	rv_loop *l = rt_new_loop();
	rv_handle h = rv_call_soon(l, rt_cb_add, RT_W("a"));

	ck_assert(rv_handle_active(l, h));
	ck_assert(rv_handle_cancel(l, h));
	ck_assert(!rv_handle_cancel(l, h));
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "");
	rv_loop_unref(l);
}
END_TEST

START_TEST(b005_cancelling_a_handle_that_ran_is_false)
{
	rv_loop *l = rt_new_loop();
	rv_handle h = rv_call_soon(l, rt_cb_add, RT_W("a"));
	rv_handle again;

	rt_spin_once(l);
	ck_assert(!rv_handle_cancel(l, h));
	/* its memory serves the next one, which the old value must not touch */
	again = rv_call_soon(l, rt_cb_add, RT_W("b"));
	ck_assert_ptr_eq(again.p, h.p);
	ck_assert(!rv_handle_cancel(l, h));
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "a b");
	rv_loop_unref(l);
}
END_TEST

START_TEST(b006_delay_of_zero_or_less_runs_in_the_next_round)
{
	rv_loop *l = rt_new_loop();

	(void)rv_call_later(l, RV_MS(50), rt_cb_add, RT_W("late"));
	(void)rv_call_later(l, -RV_SEC(1), rt_cb_add, RT_W("a"));
	(void)rv_call_later(l, 0, rt_cb_add, RT_W("b"));
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "a b");
	rv_loop_unref(l);
}
END_TEST

START_TEST(b007_b008_timers_run_by_deadline_then_by_creation)
{
	rv_loop *l = rt_new_loop();
	rv_time now = rv_loop_now(l);

	(void)rv_call_at(l, now + RV_MS(4), rt_cb_add, RT_W("d"));
	(void)rv_call_at(l, now + RV_MS(2), rt_cb_add, RT_W("b"));
	(void)rv_call_at(l, now + RV_MS(2), rt_cb_add, RT_W("c"));
	(void)rv_call_at(l, now + RV_MS(1), rt_cb_add, RT_W("a"));
	(void)rv_call_at(l, now + RV_MS(5), stop_cb, l);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_str_eq(rt_trace, "a b c d");
	rv_loop_unref(l);
}
END_TEST

static int sleep_shorter_and_shorter(void *done)
{
	static const rv_time d[] = {
		RV_MS(10), RV_MS(1), RV_US(10), RV_NS(10), RV_NS(1)};

	for (size_t i = 0; i < sizeof(d) / sizeof(d[0]); i++) {
		rv_time begin = rv_now();

		ck_assert_int_eq(rv_sleep(d[i]), 0);
		ck_assert_int_ge(rv_now() - begin, d[i]);
	}
	*(bool *)done = true;
	return 0;
}

START_TEST(b009_short_sleeps_need_few_rounds)
{
	rv_loop *l = rt_new_loop();
	rv_task_opts o = {.loop = l};
	bool done = false;
	int n = 0;

	ck_assert_int_eq(rv_spawn_ex(NULL, &o, sleep_shorter_and_shorter, &done), 0);
	while (!done) {
		ck_assert_int_eq(rv_loop_run_once(l, RV_SEC(60)), 0);
		n++;
	}
	ck_assert_int_le(n, 20);
	rv_loop_unref(l);
}
END_TEST

static rv_time fired_last;
static int n_fired;

static void fire(void *when)
{
	ck_assert_int_ge(*(rv_time *)when, fired_last);
	fired_last = *(rv_time *)when;
	n_fired++;
}

START_TEST(b011_removed_timers_leave_the_heap_in_order)
{
	enum { N = 1000 };
	static rv_handle h[N];
	static rv_time when[N];
	rv_loop *l = rt_new_loop();
	unsigned seed = 1;

	for (int i = 0; i < N; i++) {
		seed = seed * 1103515245U + 12345U;
		when[i] = 1 + (seed >> 8) % 1000; /* long ago */
		h[i] = rv_call_at(l, when[i], fire, &when[i]);
	}
	for (int i = 0; i < N; i += 1 + i % 2) {
		int at = (i * 7) % N;

		ck_assert(rv_handle_cancel(l, h[at]));
		ck_assert(!rv_handle_active(l, h[at]));
		ck_assert(!rv_handle_cancel(l, h[at]));
		n_fired++;
	}
	ck_assert_int_lt(n_fired, N);
	rt_spin_once(l);
	ck_assert_int_eq(n_fired, N);
	rv_loop_unref(l);
}
END_TEST

START_TEST(b012_cancelled_head_does_not_end_the_sleep_early)
{
	rv_loop *l = rt_new_loop();
	rv_handle h = rv_call_later(l, RV_MS(1), rt_cb_add, RT_W("head"));
	rv_time begin = rv_now();

	(void)rv_call_later(l, RV_MS(20), rt_cb_add, RT_W("live"));
	ck_assert(rv_handle_cancel(l, h));
	ck_assert_int_eq(rv_loop_run_once(l, RV_SEC(10)), 0);
	ck_assert_int_ge(rv_now() - begin, RV_MS(20));
	ck_assert_str_eq(rt_trace, "live");
	rv_loop_unref(l);
}
END_TEST

START_TEST(b013_d11_stop_finishes_the_round_and_keeps_what_comes_after)
{
	rv_loop *l = rt_new_loop();

	(void)rv_call_soon(l, stop_cb, l);
	(void)rv_call_soon(l, queue_b, l);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_str_eq(rt_trace, "a");
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "a b");
	rv_loop_unref(l);
}
END_TEST

START_TEST(b014_stop_before_the_run_does_one_round_without_sleeping)
{
	rv_loop *l = rt_new_loop();
	rv_time begin;

	(void)rv_call_later(l, RV_SEC(60), rt_cb_add, RT_W("never"));
	(void)rv_call_soon(l, queue_b, l);
	rv_loop_stop(l);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_str_eq(rt_trace, "a");
	/* also if there is nothing to do */
	rt_spin_once(l);
	rt_spin_once(l);
	begin = rv_now();
	rv_loop_stop(l);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_int_lt(rv_now() - begin, RV_SEC(30));
	ck_assert_str_eq(rt_trace, "a b");
	rv_loop_unref(l);
}
END_TEST

static void readable_add(int fd, unsigned ev, void *word)
{
	rt_add(word);
}

START_TEST(b015_event_of_the_stopping_round_runs_once)
{
	rv_loop *l = rt_new_loop();
	rv_watch *w;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(
		rv_fd_watch(l, p[0], RV_READ, readable_add, RT_W("event"), &w), 0);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	rv_loop_stop(l);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "event");
	ck_assert(rv_fd_unwatch(w));
	rv_loop_unref(l);
	close(p[0]);
	close(p[1]);
}
END_TEST

RT_TEST(b016_b018_nested_runs_and_closing_while_running_are_refused)
{
	rv_loop *other;
	rv_future *f;

	ck_assert_int_eq(rv_loop_run_forever(rv_loop_current()), -RV_ERUNNING);
	ck_assert_int_eq(rv_loop_close(rv_loop_current()), -RV_ERUNNING);
	ck_assert_int_eq(rv_loop_new(&other, NULL), 0);
	ck_assert_int_eq(rv_loop_run_forever(other), -RV_ERUNNING);
	ck_assert_int_eq(rv_loop_run_once(other, 0), -RV_ERUNNING);
	ck_assert_int_eq(rv_future_new(&f, other), 0);
	ck_assert_int_eq(rv_loop_run_until(other, f), -RV_ERUNNING);
	rv_future_unref(f);
	rv_loop_unref(other);
	return 0;
}

START_TEST(b018_b019_closed_loop_refuses_everything)
{
	rv_loop *l = rt_new_loop();
	rv_task_opts o = {.loop = l};
	rv_future *f;
	rv_watch *w, *w2;
	rv_task *t;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(rv_fd_watch(l, p[0], RV_READ, readable_add, NULL, &w), 0);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert(rv_loop_is_closed(l));
	ck_assert_ptr_null(rv_call_soon(l, stop_cb, l).p);
	ck_assert_ptr_null(rv_call_later(l, 1, stop_cb, l).p);
	ck_assert_int_eq(rv_call_soon_threadsafe(l, stop_cb, l), -RV_ELOOPCLOSED);
	ck_assert_int_eq(rv_fd_watch(l, p[0], RV_READ, readable_add, NULL, &w2),
		-RV_ELOOPCLOSED);
	ck_assert_int_eq(rv_spawn_ex(&t, &o, rt_nop, NULL), -RV_ELOOPCLOSED);
	ck_assert_int_eq(rv_future_new(&f, l), -RV_ELOOPCLOSED);
	ck_assert_int_eq(rv_loop_run_forever(l), -RV_ELOOPCLOSED);
	ck_assert(!rv_fd_unwatch(w));
	rv_loop_unref(l);
	close(p[0]);
	close(p[1]);
}
END_TEST

START_TEST(b021_threadsafe_post_from_the_own_thread_keeps_its_place)
{
	rv_loop *l = rt_new_loop();

	(void)rv_call_soon(l, rt_cb_add, RT_W("a"));
	ck_assert_int_eq(rv_call_soon_threadsafe(l, rt_cb_add, RT_W("b")), 0);
	rt_spin_once(l);
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "a b");
	rv_loop_unref(l);
}
END_TEST

static void *call_from_wrong_thread(void *l)
{
	ck_assert_ptr_null(rv_call_soon(l, stop_cb, l).p);
	ck_assert_ptr_null(rv_call_later(l, RV_MS(1), stop_cb, l).p);
	ck_assert_int_eq(rv_call_soon_threadsafe(l, stop_cb, l), 0);
	return NULL;
}

static void start_thread(void *thread)
{
	ck_assert_int_eq(
		pthread_create(thread, NULL, call_from_wrong_thread, rv_loop_current()),
		0);
}

START_TEST(b024_debug_mode_refuses_calls_of_other_threads)
{
	rv_loop_opts o = {.debug = true};
	pthread_t thread;
	rv_loop *l;

	ck_assert_int_eq(rv_loop_new(&l, &o), 0);
	(void)rv_call_soon(l, start_thread, &thread);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	rv_loop_unref(l);
}
END_TEST

static void busy(void *arg)
{
	rv_time until = rv_now() + RV_MS(5);

	while (rv_now() < until)
		;
}

START_TEST(b025_slow_callback_is_reported_in_debug_mode)
{
	rv_loop_opts o = {.debug = true, .slow_callback = RV_MS(3)};
	rv_loop *l;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, &o), 0);
	rv_loop_set_exception_handler(l, rt_on_report, NULL);
	(void)rv_call_soon(l, busy, NULL);
	rt_spin_once(l);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_ptr_nonnull(strstr(rt_reported.message, "callback busy ("));
	rv_loop_unref(l);
}
END_TEST

static rv_handle reported_handle;

static void keep_handle(rv_loop *l, const rv_exc *e, void *arg)
{
	reported_handle = e->handle;
	rt_add(e->message);
}

static void report_cb(void *l)
{
	rv_exc e = RV_EXC_NULL;

	e.message = "fatal";
	rv_report(l, &e);
}

START_TEST(b026_report_of_a_callback_names_its_handle_and_the_loop_goes_on)
{
	rv_loop *l = rt_new_loop();
	rv_handle h;

	rv_loop_set_exception_handler(l, keep_handle, NULL);
	h = rv_call_soon(l, report_cb, l);
	(void)rv_call_soon(l, rt_cb_add, RT_W("next"));
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "fatal next");
	ck_assert_ptr_eq(reported_handle.p, h.p);
	ck_assert_uint_eq(reported_handle.gen, h.gen);
	rv_loop_unref(l);
}
END_TEST

static void broken_handler(rv_loop *l, const rv_exc *e, void *arg)
{
	rt_add("handler");
	rv_report(l, e); /* fails itself */
}

START_TEST(b027_failing_exception_handler_is_not_asked_again)
{
	rv_loop *l = rt_new_loop();

	rv_loop_set_exception_handler(l, broken_handler, NULL);
	(void)rv_call_soon(l, report_cb, l);
	(void)rv_call_soon(l, rt_cb_add, RT_W("next"));
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "handler next");
	rv_loop_unref(l);
}
END_TEST

static void timer_again(void *arg)
{
	rv_timer *t = arg;

	rt_add("tick");
	if (strlen(rt_trace) < 14)
		rv_timer_start(t, t->when + RV_US(10));
	else
		rv_loop_stop(rv_loop_current());
}

START_TEST(intrusive_timer_may_start_itself_again)
{
	rv_loop *l = rt_new_loop();
	rv_timer t;

	rv_timer_init(&t, l, timer_again, &t);
	rv_timer_start(&t, rv_loop_now(l));
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_str_eq(rt_trace, "tick tick tick");
	ck_assert(!rv_timer_active(&t));
	rv_loop_unref(l);
}
END_TEST

START_TEST(run_until_ends_with_the_future_and_says_when_stopped_before)
{
	rv_loop *l = rt_new_loop();
	rv_future *f;

	ck_assert_int_eq(rv_future_new(&f, l), 0);
	(void)rv_call_soon(l, stop_cb, l);
	ck_assert_int_eq(rv_loop_run_until(l, f), -RV_ESTATE);
	ck_assert_int_eq(rv_future_set(f, NULL, NULL), 0);
	ck_assert_int_eq(rv_loop_run_until(l, f), 0);
	rv_future_unref(f);
	rv_loop_unref(l);
}
END_TEST

/* whose completion the loop would never hear of */
START_TEST(run_until_refuses_the_future_of_another_loop)
{
	rv_loop *l = rt_new_loop(), *other = rt_new_loop();
	rv_future *f;

	ck_assert_int_eq(rv_future_new(&f, other), 0);
	ck_assert_int_eq(rv_loop_run_until(l, f), -RV_EWRONGLOOP);
	rv_future_unref(f);
	rv_loop_unref(other);
	rv_loop_unref(l);
}
END_TEST

UNIT_MAIN("loop", b001_callbacks_run_in_order_each_once,
	b002_callback_queued_by_a_callback_runs_in_the_next_round,
	b003_callback_that_requeues_itself_does_not_starve_descriptors,
	b003_tasks_that_only_yield_do_not_starve_descriptors,
	b004_cancelled_handle_does_not_run, b005_cancelling_a_handle_that_ran_is_false,
	b006_delay_of_zero_or_less_runs_in_the_next_round,
	b007_b008_timers_run_by_deadline_then_by_creation,
	b009_short_sleeps_need_few_rounds, b011_removed_timers_leave_the_heap_in_order,
	b012_cancelled_head_does_not_end_the_sleep_early,
	b013_d11_stop_finishes_the_round_and_keeps_what_comes_after,
	b014_stop_before_the_run_does_one_round_without_sleeping,
	b015_event_of_the_stopping_round_runs_once,
	b016_b018_nested_runs_and_closing_while_running_are_refused,
	b018_b019_closed_loop_refuses_everything,
	b021_threadsafe_post_from_the_own_thread_keeps_its_place,
	b024_debug_mode_refuses_calls_of_other_threads,
	b025_slow_callback_is_reported_in_debug_mode,
	b026_report_of_a_callback_names_its_handle_and_the_loop_goes_on,
	b027_failing_exception_handler_is_not_asked_again,
	intrusive_timer_may_start_itself_again,
	run_until_refuses_the_future_of_another_loop,
	run_until_ends_with_the_future_and_says_when_stopped_before)
