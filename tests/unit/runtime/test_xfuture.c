/* Tasks as other threads see them: behaviours 42 and 224. */
#include "rt.h"

#include <pthread.h>
#include <stdatomic.h>

/* a loop in a thread of its own */
struct other {
	pthread_t thread;
	rv_loop *loop;
};

static void *run_other(void *loop)
{
	ck_assert_int_eq(rv_loop_run_forever(loop), 0);
	return NULL;
}

static void other_start(struct other *o)
{
	ck_assert_int_eq(rv_loop_new(&o->loop, NULL), 0);
	ck_assert_int_eq(pthread_create(&o->thread, NULL, run_other, o->loop), 0);
}

static void other_stop(struct other *o)
{
	ck_assert_int_eq(rv_loop_stop_threadsafe(o->loop), 0);
	ck_assert_int_eq(pthread_join(o->thread, NULL), 0);
}

static void other_end(struct other *o)
{
	other_stop(o);
	rv_loop_unref(o->loop);
}

static int give_text(void *arg)
{
	rv_task_return(strdup(arg), free);
	return 5;
}

static int fail_with_text(void *arg)
{
	return rv_fail(-EPROTO, "frame of %d bytes", 3);
}

START_TEST(b224_result_and_value_come_to_the_thread)
{
	struct other o;
	rv_xfuture *x;
	void *val;

	other_start(&o);
	ck_assert_int_eq(rv_submit(o.loop, give_text, RT_W("v"), NULL, &x), 0);
	ck_assert_int_eq(rv_xfuture_wait(x, RV_FOREVER, &val), 5);
	ck_assert_str_eq(val, "v");
	ck_assert(rv_xfuture_done(x));
	ck_assert(!rv_xfuture_cancel(x));
	rv_xfuture_unref(x);
	ck_assert_int_eq(rv_submit(o.loop, fail_with_text, NULL, NULL, &x), 0);
	ck_assert_int_eq(rv_xfuture_wait(x, RV_SEC(60), NULL), -EPROTO);
	ck_assert_str_eq(rv_xfuture_errmsg(x), "frame of 3 bytes");
	rv_xfuture_unref(x);
	other_end(&o);
}
END_TEST

START_TEST(b224_after_a_timeout_the_task_goes_on_until_it_is_cancelled)
{
	struct other o;
	rv_xfuture *x;

	other_start(&o);
	ck_assert_int_eq(rv_submit(o.loop, rt_sleep_long, NULL, NULL, &x), 0);
	ck_assert_int_eq(rv_xfuture_wait(x, 0, NULL), -ETIMEDOUT);
	ck_assert_int_eq(rv_xfuture_wait(x, RV_MS(1), NULL), -ETIMEDOUT);
	ck_assert(rv_xfuture_cancel(x));
	/* on its way already, or done */
	ck_assert(rv_xfuture_cancel(x) || rv_xfuture_done(x));
	ck_assert_int_eq(rv_xfuture_wait(x, RV_FOREVER, NULL), -ECANCELED);
	rv_xfuture_unref(x);
	other_end(&o);
}
END_TEST

static int count_up(void *arg)
{
	return ++*(int *)arg;
}

static int call_from_thread(void *arg)
{
	return rv_thread_call(arg, count_up, &(int){41});
}

RT_TEST(b224_thread_of_an_executor_calls_into_the_loop)
{
	ck_assert_int_eq(
		rv_run_blocking(NULL, call_from_thread, rv_loop_current()), 42);
	ck_assert_int_eq(rv_thread_call(rv_loop_current(), rt_nop, NULL), -EDEADLK);
	return 0;
}

RT_TEST(waiting_in_the_loops_own_thread_is_refused)
{
	rv_xfuture *x;

	ck_assert_int_eq(rv_submit(rv_loop_current(), rt_nop, NULL, NULL, &x), 0);
	ck_assert_int_eq(rv_xfuture_wait(x, RV_FOREVER, NULL), -EDEADLK);
	ck_assert_int_eq(rv_xfuture_await(x, NULL), 0);
	ck_assert_int_eq(rv_xfuture_wait(x, RV_FOREVER, NULL), 0);
	rv_xfuture_unref(x);
	return 0;
}

/* -- between loops ----------------------------------------------------------------- */

static int await_it(void *x)
{
	return rv_xfuture_await(x, NULL);
}

static int await_in_other_loop(void *arg)
{
	struct other *o = arg;
	rv_xfuture *x;
	rv_task *t;

	ck_assert_int_eq(rv_submit(o->loop, give_text, RT_W("v"), NULL, &x), 0);
	ck_assert_int_eq(await_it(x), 5);
	rv_xfuture_unref(x);
	ck_assert_int_eq(rv_submit(o->loop, rt_sleep_long, NULL, NULL, &x), 0);
	t = rv_spawn(await_it, x);
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert(rv_xfuture_done(x)); /* it was cancelled, and waited for */
	rv_task_unref(t);
	rv_xfuture_unref(x);
	return 0;
}

START_TEST(b042_cancelling_who_waits_in_another_loop_cancels_the_source)
{
	struct other o;

	other_start(&o);
	ck_assert_int_eq(rv_run(await_in_other_loop, &o, NULL), 0);
	other_end(&o);
}
END_TEST

/* -- ends -------------------------------------------------------------------------- */

static atomic_int n_destroyed;

static void count_destroyed(void *arg)
{
	atomic_fetch_add(&n_destroyed, 1);
}

static int sleep_begun(void *arg)
{
	atomic_store((atomic_bool *)arg, true);
	return rv_sleep(RV_SEC(60));
}

/* LeakSanitizer must not be asked about the frozen stack: that is on purpose */
START_TEST(task_that_its_loop_leaves_behind_is_told_as_lost)
{
	struct other o;
	rv_xfuture *x;
	atomic_bool begun = false;

	other_start(&o);
	ck_assert_int_eq(rv_submit(o.loop, sleep_begun, &begun, NULL, &x), 0);
	while (!atomic_load(&begun))
		sched_yield();
	other_stop(&o);
	rv_loop_set_exception_handler(o.loop, rt_on_report, NULL);
	ck_assert_int_eq(rv_loop_close(o.loop), 0);
	ck_assert_int_eq(rv_xfuture_wait(x, RV_FOREVER, NULL), -RV_ELOOPCLOSED);
	ck_assert_uint_eq(rt_reported.n, 1);
	rv_xfuture_unref(x);
	rv_loop_unref(o.loop);
}
END_TEST

START_TEST(argument_is_destroyed_once_whatever_happens)
{
	rv_loop *l;
	rv_xfuture *x;

	atomic_store(&n_destroyed, 0);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert_int_eq(rv_submit(l, NULL, NULL, count_destroyed, &x), -EINVAL);
	ck_assert_int_eq(atomic_load(&n_destroyed), 1);
	/* posted, never begun */
	ck_assert_int_eq(rv_submit(l, rt_nop, NULL, count_destroyed, &x), 0);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_int_eq(atomic_load(&n_destroyed), 2);
	ck_assert_int_eq(rv_xfuture_wait(x, RV_FOREVER, NULL), -ECANCELED);
	rv_xfuture_unref(x);
	ck_assert_int_eq(
		rv_submit(l, rt_nop, NULL, count_destroyed, &x), -RV_ELOOPCLOSED);
	ck_assert_int_eq(atomic_load(&n_destroyed), 3);
	rv_loop_unref(l);
}
END_TEST

RT_TEST(failure_that_nobody_holds_is_reported_to_the_loop)
{
	rt_catch_reports();
	ck_assert_int_eq(
		rv_submit(rv_loop_current(), rt_fail_eio, NULL, NULL, NULL), 0);
	while (!rt_reported.n)
		ck_assert_int_eq(rv_sleep(RV_US(100)), 0);
	ck_assert_int_eq(rt_reported.err, -EIO);
	return 0;
}

/* -- many -------------------------------------------------------------------------- */

enum { SUBMITTERS = 4, SUBMITS = 500 };

static atomic_int n_ran;

static int run_one(void *arg)
{
	atomic_fetch_add(&n_ran, 1);
	return rv_yield();
}

static void *submit_many(void *loop)
{
	for (int i = 0; i < SUBMITS; i++) {
		rv_xfuture *x;

		ck_assert_int_eq(rv_submit(loop, run_one, NULL, NULL, &x), 0);
		if (i % 3 == 0)
			(void)rv_xfuture_cancel(x);
		if (i % 2 == 0)
			(void)rv_xfuture_wait(x, RV_FOREVER, NULL);
		rv_xfuture_unref(x);
	}
	return NULL;
}

START_TEST(many_threads_submit_cancel_and_wait)
{
	pthread_t threads[SUBMITTERS];
	struct other o;

	atomic_store(&n_ran, 0);
	other_start(&o);
	for (int i = 0; i < SUBMITTERS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, submit_many, o.loop), 0);
	for (int i = 0; i < SUBMITTERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	/* those that were not waited for: after a last one in each thread's order */
	ck_assert_int_eq(rv_thread_call(o.loop, rt_nop, NULL), 0);
	ck_assert_int_ge(atomic_load(&n_ran), SUBMITTERS * SUBMITS / 3);
	other_end(&o);
}
END_TEST

UNIT_MAIN("xfuture", b224_result_and_value_come_to_the_thread,
	b224_after_a_timeout_the_task_goes_on_until_it_is_cancelled,
	b224_thread_of_an_executor_calls_into_the_loop,
	waiting_in_the_loops_own_thread_is_refused,
	b042_cancelling_who_waits_in_another_loop_cancels_the_source,
	task_that_its_loop_leaves_behind_is_told_as_lost,
	argument_is_destroyed_once_whatever_happens,
	failure_that_nobody_holds_is_reported_to_the_loop,
	many_threads_submit_cancel_and_wait)
