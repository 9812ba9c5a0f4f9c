/* The runner: behaviours 226 to 230. */
#include "rt.h"

#include <signal.h>
#include <unistd.h>

RT_TEST(b226_run_inside_a_running_loop_is_refused)
{
	rv_runner *r;

	ck_assert_int_eq(rv_run(rt_nop, NULL, NULL), -RV_ERUNNING);
	ck_assert_int_eq(rv_runner_new(&r, NULL), -RV_ERUNNING);
	return 0;
}

static int says_cancelled(void *arg)
{
	int r = rv_sleep(RV_SEC(60));

	rt_add(r == -ECANCELED ? "cancelled" : "?");
	return arg ? -EIO : r;
}

static int leaves_tasks(void *arg)
{
	rt_catch_reports();
	rv_task_unref(rv_spawn(says_cancelled, NULL));
	rv_task_unref(rv_spawn(says_cancelled, arg));
	rt_settle(1);
	return 3;
}

START_TEST(b227_tasks_left_by_main_are_cancelled_and_their_errors_reported)
{
	rt_reset();
	ck_assert_int_eq(rv_run(leaves_tasks, rt_trace, NULL), 3);
	ck_assert_str_eq(rt_trace, "cancelled cancelled");
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rt_reported.err, -EIO);
}
END_TEST

static int interrupt_self(void *spin)
{
	int r;

	ck_assert_int_eq(kill(getpid(), SIGINT), 0);
	do
		r = spin ? rv_sleep(0) : rv_sleep(RV_SEC(60));
	while (r == 0);
	rt_add(rv_cancel_reason());
	return r;
}

START_TEST(b228_first_sigint_cancels_main_also_when_it_spins)
{
	struct sigaction now;

	rt_reset();
	ck_assert_int_eq(signal(SIGINT, SIG_DFL) == SIG_ERR, 0);
	ck_assert_int_eq(rv_run(interrupt_self, NULL, NULL), -EINTR);
	ck_assert_int_eq(rv_run(interrupt_self, rt_trace, NULL), -EINTR);
	ck_assert_str_eq(rt_trace, "interrupted interrupted");
	ck_assert_int_eq(sigaction(SIGINT, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
}
END_TEST

static int interrupt_twice(void *arg)
{
	(void)kill(getpid(), SIGINT);
	(void)kill(getpid(), SIGINT); /* the loop has not even seen the first */
	return 0;
}

static void run_interrupted_twice(void)
{
	(void)signal(SIGINT, SIG_DFL);
	(void)rv_run(interrupt_twice, NULL, NULL);
}

START_TEST(b228_second_sigint_has_its_default_action)
{
	ck_assert_int_eq(unit_signal_of(run_interrupted_twice), SIGINT);
}
END_TEST

START_TEST(b230_runner_runs_again_until_it_is_closed)
{
	rv_runner *r;

	rt_reset();
	ck_assert_int_eq(rv_runner_new(&r, NULL), 0);
	ck_assert_int_eq(rv_runner_run(r, rt_say, RT_W("a")), 0);
	ck_assert_int_eq(rv_runner_run(r, rt_say, RT_W("b")), 0);
	ck_assert_int_eq(rv_runner_close(r), 0);
	ck_assert_int_eq(rv_runner_close(r), 0);
	ck_assert_int_eq(rv_runner_run(r, rt_say, RT_W("c")), -RV_ELOOPCLOSED);
	rv_runner_free(r);
	ck_assert_str_eq(rt_trace, "a b");
}
END_TEST

UNIT_MAIN("runner", b226_run_inside_a_running_loop_is_refused,
	b227_tasks_left_by_main_are_cancelled_and_their_errors_reported,
	b228_first_sigint_cancels_main_also_when_it_spins,
	b228_second_sigint_has_its_default_action,
	b230_runner_runs_again_until_it_is_closed)
