/* Signals: behaviours 2.13. */
#include "rt.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void *send_usr1(void *pid)
{
	ck_assert_int_eq(kill(*(pid_t *)pid, SIGUSR1), 0);
	return NULL;
}

static void on_usr1(void *l)
{
	free(malloc(1)); /* normal context */
	rt_add("usr1");
	rv_loop_stop(l);
}

START_TEST(b215_signal_wakes_a_sleeping_loop_and_runs_in_normal_context)
{
	pid_t pid = getpid();
	pthread_t thread;
	rv_loop *l;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, on_usr1, l), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, send_usr1, &pid), 0);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_str_eq(rt_trace, "usr1");
	rv_loop_unref(l);
}
END_TEST

static void spawn_say(void *unused)
{
	rv_task_detach(rv_spawn(rt_say, RT_W("spawned")));
}

RT_TEST(b215_callback_of_a_signal_may_spawn)
{
	ck_assert_int_eq(rv_signal_on(rv_loop_current(), SIGUSR1, spawn_say, NULL), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	while (!*rt_trace)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_str_eq(rt_trace, "spawned");
	return 0;
}

RT_TEST(b216_signals_that_cannot_be_handled_are_refused)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(rv_signal_on(l, SIGKILL, on_usr1, l), -EINVAL);
	ck_assert_int_eq(rv_signal_on(l, SIGSTOP, on_usr1, l), -EINVAL);
	ck_assert_int_eq(rv_signal_on(l, 0, on_usr1, l), -EINVAL);
	ck_assert_int_eq(rv_signal_on(l, 1000, on_usr1, l), -EINVAL);
	ck_assert(!rv_signal_off(l, SIGUSR1));
	ck_assert(!rv_signal_off(l, 1000));
	return 0;
}

static void old_handler(int sig)
{
}

START_TEST(b217_disposition_comes_back_by_removal_and_by_close)
{
	struct sigaction sa = {.sa_handler = old_handler}, now;
	rv_loop *l;

	ck_assert_int_eq(sigaction(SIGUSR1, &sa, NULL), 0);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, on_usr1, l), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR2, on_usr1, l), 0);
	ck_assert(rv_signal_off(l, SIGUSR1));
	ck_assert_int_eq(sigaction(SIGUSR1, NULL, &now), 0);
	ck_assert(now.sa_handler == old_handler);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_int_eq(sigaction(SIGUSR2, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
	rv_loop_unref(l);
}
END_TEST

RT_TEST(b219_signal_of_a_forked_child_is_not_seen_here)
{
	int status;
	pid_t pid;

	ck_assert_int_eq(
		rv_signal_on(rv_loop_current(), SIGUSR1, rt_cb_add, RT_W("seen")), 0);
	pid = vfork(); /* shares the memory, as every spawn does */
	if (pid == 0) {
		(void)kill(getpid(), SIGUSR1);
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	rt_settle(200);
	ck_assert_str_eq(rt_trace, "");
	return 0;
}

static void off_itself(void *l)
{
	rt_add("once");
	ck_assert(rv_signal_off(l, SIGUSR1));
}

RT_TEST(b220_callback_removes_itself_and_queued_ones_are_ignored)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, off_itself, l), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(5)), 0);
	ck_assert_str_eq(rt_trace, "once");
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, rt_cb_add, RT_W("never")), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert(rv_signal_off(l, SIGUSR1)); /* pending, not dispatched */
	ck_assert_int_eq(rv_sleep(RV_MS(5)), 0);
	ck_assert_str_eq(rt_trace, "once");
	return 0;
}

static void off_other(void *l)
{
	rt_add("first");
	ck_assert(rv_signal_off(l, SIGUSR2));
}

/* Both are handed on by one look of the loop, the lower number first. */
RT_TEST(b220_callback_removes_another_that_is_queued_already)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(rv_signal_on(l, SIGUSR2, rt_cb_add, RT_W("second")), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, rt_cb_add, RT_W("first")), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_str_eq(rt_trace, "first second");
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, off_other, l), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_str_eq(rt_trace, "first second first");
	return 0;
}

RT_TEST(burst_of_one_signal_does_not_displace_another)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, rt_cb_add, RT_W("1")), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR2, rt_cb_add, RT_W("2")), 0);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(5)), 0);
	ck_assert_str_eq(rt_trace, "1 2");
	return 0;
}

static int wait_signals(void *arg)
{
	siginfo_t si;
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	r = rv_signal_wait(&set, &si);
	if (r > 0)
		ck_assert_int_eq(si.si_signo, r);
	return r;
}

RT_TEST(waiting_for_signals_returns_the_number_and_restores)
{
	struct sigaction now;
	rv_task *t = rv_spawn(wait_signals, NULL), *u;

	rt_settle(1);
	u = rv_spawn(wait_signals, NULL);
	rt_settle(1);
	ck_assert(rv_task_cancel(u));
	ck_assert_int_eq(rv_task_join(u, NULL), -ECANCELED);
	ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), SIGUSR2);
	ck_assert_int_eq(sigaction(SIGUSR2, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
	rv_task_unref(t);
	rv_task_unref(u);
	return 0;
}

static int wait_usr1(void *result)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	*(int *)result = rv_signal_wait(&set, NULL);
	return rv_yield();
}

static void cancel_and_raise(void *task)
{
	ck_assert(rv_task_cancel(task));
	ck_assert_int_eq(raise(SIGUSR1), 0);
}

RT_TEST(signal_that_comes_with_the_cancel_is_the_result)
{
	int result = 0;
	rv_task *t = rv_spawn(wait_usr1, &result);

	rt_settle(1);
	(void)rv_call_soon(rv_loop_current(), cancel_and_raise, t);
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_int_eq(result, SIGUSR1);
	rv_task_unref(t);
	return 0;
}

static void raise_and_cancel(void *task)
{
	ck_assert_int_eq(raise(SIGUSR2), 0);
	cancel_and_raise(task);
}

RT_TEST(first_of_several_signals_is_the_result_once)
{
	int first = 0, second = 0;
	rv_task *t = rv_spawn(wait_usr1, &first), *u = rv_spawn(wait_usr1, &second);

	rt_settle(1);
	(void)rv_call_soon(rv_loop_current(), raise_and_cancel, t);
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_int_eq(rv_task_join(u, NULL), 0);
	ck_assert_int_eq(first, SIGUSR1);
	ck_assert_int_eq(second, SIGUSR1);
	rv_task_unref(t);
	rv_task_unref(u);
	return 0;
}

UNIT_MAIN("signal", b215_callback_of_a_signal_may_spawn,
	b215_signal_wakes_a_sleeping_loop_and_runs_in_normal_context,
	b216_signals_that_cannot_be_handled_are_refused,
	b217_disposition_comes_back_by_removal_and_by_close,
	b219_signal_of_a_forked_child_is_not_seen_here,
	b220_callback_removes_itself_and_queued_ones_are_ignored,
	b220_callback_removes_another_that_is_queued_already,
	burst_of_one_signal_does_not_displace_another,
	waiting_for_signals_returns_the_number_and_restores,
	signal_that_comes_with_the_cancel_is_the_result,
	first_of_several_signals_is_the_result_once)
