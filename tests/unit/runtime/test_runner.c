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

/* -- a program that wants the signal itself ----------------------------------------- */

static rv_event third;

static void count_interrupt(void *n)
{
	rt_add("own");
	if (++*(int *)n == 3)
		rv_event_set(&third);
}

static int interrupted_thrice(void *n)
{
	rv_event_init(&third);
	ck_assert_int_eq(
		rv_signal_on(rv_loop_current(), SIGINT, count_interrupt, n), 0);
	for (int i = 1; i <= 3; i++) {
		ck_assert_int_eq(kill(getpid(), SIGINT), 0);
		while (*(int *)n < i)
			ck_assert_int_eq(rv_yield(), 0);
	}
	return rv_event_wait(&third);
}

static int interrupted_again(void *n)
{
	int before = *(int *)n;

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(kill(getpid(), SIGINT), 0);
	while (*(int *)n == before)
		ck_assert_int_eq(rv_yield(), 0);
	return 5;
}

START_TEST(b228_programs_own_callback_for_sigint_takes_the_place_of_the_runners)
{
	struct sigaction now;
	rv_runner *r;
	int n = 0;

	rt_reset();
	ck_assert_int_eq(signal(SIGINT, SIG_DFL) == SIG_ERR, 0);
	ck_assert_int_eq(rv_runner_new(&r, &(rv_run_opts){.handle_sigint = true}), 0);
	ck_assert_int_eq(rv_runner_run(r, interrupted_thrice, &n), 0);
	ck_assert_int_eq(rv_runner_run(r, interrupted_again, &n), 5);
	rv_runner_free(r);
	ck_assert_str_eq(rt_trace, "own own own own");
	ck_assert_int_eq(sigaction(SIGINT, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
}
END_TEST

static void interrupt(void *unused)
{
	ck_assert_int_eq(raise(SIGINT), 0);
}

static int waits_for_interrupts(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	for (int i = 0; i < 2; i++) {
		(void)rv_call_soon(rv_loop_current(), interrupt, NULL);
		ck_assert_int_eq(rv_signal_wait(&set, NULL), SIGINT);
		rt_add("waited");
	}
	return 6;
}

START_TEST(b228_program_that_waits_for_sigint_is_not_cancelled_by_it)
{
	rt_reset();
	ck_assert_int_eq(signal(SIGINT, SIG_DFL) == SIG_ERR, 0);
	ck_assert_int_eq(rv_run(waits_for_interrupts, NULL, NULL), 6);
	ck_assert_str_eq(rt_trace, "waited waited");
}
END_TEST

static void own_handler(int sig)
{
}

static int sets_own_handler(void *arg)
{
	ck_assert_int_eq(signal(SIGINT, own_handler) == SIG_ERR, 0);
	return 0;
}

START_TEST(b228_handler_that_the_program_has_set_meanwhile_stays)
{
	struct sigaction now;

	ck_assert_int_eq(signal(SIGINT, SIG_DFL) == SIG_ERR, 0);
	ck_assert_int_eq(rv_run(sets_own_handler, NULL, NULL), 0);
	ck_assert_int_eq(sigaction(SIGINT, NULL, &now), 0);
	ck_assert(now.sa_handler == own_handler);
}
END_TEST

/* -- the end of the grace -------------------------------------------------------------- */

#define GRACE RV_MS(100)

static void past_the_grace(void *event)
{
	rv_event_set(event);
	rt_virtual_now += GRACE;
}

static int resists_until_told(void *event)
{
	rv_scope sh;
	int r = rv_sleep(RV_SEC(60));

	ck_assert_int_eq(r, -ECANCELED);
	(void)rv_shield(&sh, RV_SEC(60));
	(void)rv_call_later(rv_loop_current(), GRACE / 2, past_the_grace, event);
	r = rv_event_wait(event);
	return rv_scope_exit(&sh, r);
}

static rv_event told;

static int leaves_one(void *arg)
{
	rv_event_init(&told);
	rv_task_detach(rv_spawn(resists_until_told, &told));
	return rv_yield();
}

START_TEST(b227_last_task_ends_in_the_round_in_which_the_grace_is_over)
{
	rv_run_opts o = {.clock = &rt_virtual_clock, .shutdown_grace = GRACE};
	rv_runner *r;

	rt_reset();
	ck_assert_int_eq(rv_runner_new(&r, &o), 0);
	ck_assert_int_eq(rv_runner_run(r, leaves_one, NULL), 0);
	ck_assert_int_eq(rv_runner_close(r), -ETIMEDOUT);
	rv_runner_free(r);
}
END_TEST

/* -- a loop that is stopped under it ------------------------------------------------- */

static int stops_and_sleeps(void *ms)
{
	int r;

	rv_loop_stop(rv_loop_current());
	r = rv_sleep(RV_MS((intptr_t)ms));
	rt_add(r < 0 ? "cancelled" : "went on");
	return r;
}

static int leaves_one_and_stops(void *arg)
{
	rv_task_detach(rv_spawn(rt_resist, RT_W("tidied")));
	rt_settle(1);
	return stops_and_sleeps(RT_N(60000));
}

START_TEST(b227_main_that_has_stopped_the_loop_ends_with_the_others)
{
	rt_reset();
	ck_assert_int_eq(rv_run(leaves_one_and_stops, NULL, NULL), -RV_ESTATE);
	ck_assert_str_eq(rt_trace, "cancelled tidied");
}
END_TEST

static int stops_when_cancelled(void *arg)
{
	int r = rv_sleep(RV_SEC(60));
	rv_scope sh;

	rv_loop_stop(rv_loop_current());
	(void)rv_shield(&sh, RV_SEC(5));
	ck_assert_int_eq(rv_yield(), 0);
	(void)rv_scope_exit(&sh, 0);
	rt_add("tidied");
	return r;
}

static int leaves_one_that_stops(void *arg)
{
	rv_task_detach(rv_spawn(stops_when_cancelled, NULL));
	return rv_yield();
}

START_TEST(b227_stopping_the_loop_does_not_cut_the_end_short)
{
	rv_runner *r;

	rt_reset();
	ck_assert_int_eq(rv_runner_new(&r, NULL), 0);
	ck_assert_int_eq(rv_runner_run(r, leaves_one_that_stops, NULL), 0);
	ck_assert_int_eq(rv_runner_close(r), 0);
	ck_assert_str_eq(rt_trace, "tidied");
	rv_runner_free(r);
}
END_TEST

static int sleeps_longer(void *arg)
{
	int r = rv_sleep(RV_MS(50));

	rt_add("second");
	return r < 0 ? r : 7;
}

START_TEST(b230_main_that_goes_on_does_not_end_the_next_run)
{
	rv_run_opts o = {.clock = &rt_virtual_clock};
	rv_runner *r;

	rt_reset();
	ck_assert_int_eq(rv_runner_new(&r, &o), 0);
	ck_assert_int_eq(rv_runner_run(r, stops_and_sleeps, RT_N(10)), -RV_ESTATE);
	ck_assert_int_eq(rv_runner_run(r, sleeps_longer, NULL), 7);
	ck_assert_int_eq(rv_runner_close(r), 0);
	rv_runner_free(r);
	ck_assert_str_eq(rt_trace, "went on second");
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
	b227_main_that_has_stopped_the_loop_ends_with_the_others,
	b227_stopping_the_loop_does_not_cut_the_end_short,
	b227_last_task_ends_in_the_round_in_which_the_grace_is_over,
	b228_second_sigint_has_its_default_action,
	b228_programs_own_callback_for_sigint_takes_the_place_of_the_runners,
	b228_program_that_waits_for_sigint_is_not_cancelled_by_it,
	b228_handler_that_the_program_has_set_meanwhile_stays,
	b230_main_that_goes_on_does_not_end_the_next_run,
	b230_runner_runs_again_until_it_is_closed)
