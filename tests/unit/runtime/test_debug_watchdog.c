/* The thread that watches slow steps: when it lives, when it sleeps, and fork. */
#include "stall_test.h"

#include <sched.h>

/* how often it has gone to sleep */
static long n_sleeps(long tid)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	char path[64], text[4096];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%ld/status", tid);
	ck_assert(read_file(path, text, sizeof(text)));
	at = strstr(text, key);
	ck_assert_ptr_nonnull(at);
	return atol(at + sizeof(key) - 1);
}

#define SHORT RV_MS(20)

static int idle(void *arg)
{
	long before, tid;

	while ((tid = watchdog_tid()) == 0) /* it gives itself that name */
		rt_settle(1);
	ck_assert_int_eq(rv_sleep(10 * SHORT), 0);
	before = n_sleeps(tid);
	/* 50 times as long as it may sleep while something runs */
	ck_assert_int_eq(rv_sleep(50 * SHORT), 0);
	/* once or twice after the step before, and as often for this one */
	ck_assert_int_le(n_sleeps(tid) - before, 8);
	return 0;
}

START_TEST(idle_loop_has_an_idle_watchdog)
{
	const rv_loop_opts o = {.debug = true, .slow_callback = SHORT};

	ck_assert_int_eq(run_with(&o, swallow, idle, NULL), 0);
}
END_TEST

static int look_for_it(void *found)
{
	rt_settle(3);
	*(bool *)found = watchdog_tid() != 0;
	return 0;
}

START_TEST(watchdog_lives_only_while_there_is_a_loop_in_debug_mode)
{
	rv_loop_opts o = {.debug = true};
	rv_loop *a, *b;
	bool found;

	unsetenv("REEVE_DEBUG");
	ck_assert_int_eq(rv_run(look_for_it, &found, NULL), 0);
	ck_assert(!found);
	ck_assert_int_eq(rv_loop_new(&a, &o), 0);
	ck_assert_int_eq(rv_loop_new(&b, &o), 0);
	while (!watchdog_tid())
		sched_yield();
	rv_loop_unref(a);
	ck_assert_int_ne(watchdog_tid(), 0);
	rv_loop_unref(b);
	while (watchdog_tid()) /* joined, but its entry may stay a moment longer */
		sched_yield();
}
END_TEST

/* in the child: 0, or the number of what is wrong */
static int in_child(rv_loop *l)
{
	int sig;

	if (watchdog_tid())
		return 1;
	if (handled(&sig) != 0)
		return 2;
	rv_loop_set_debug(l, false); /* the copy's: nobody to tell */
	if (!SEES_WHERE)
		return 0; /* ThreadSanitizer allows no more threads there */
	if (watchdog_tid())
		return 3;
	return 0;
}

static int fork_in_step(void *arg)
{
	int status;
	pid_t pid;

	while (!watchdog_tid())
		rt_settle(1);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(in_child(rv_loop_current()));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* ours is as before */
	ck_assert_int_ne(watchdog_tid(), 0);
	rt_settle(1); /* what comes is a step of its own */
	return stalled();
}

START_TEST(child_of_fork_has_no_watchdog)
{
	ck_assert_int_eq(run_debug(fork_in_step, NULL), 0);
	ck_assert_uint_ge(reports.n, 1);
	saw(reports.text[reports.n - 1], "fork_in_step");
}
END_TEST

START_TEST(child_of_fork_may_have_its_own_loops_and_watchdog)
{
	const rv_loop_opts o = {.debug = true};
	rv_loop *parents;
	int status;
	pid_t pid;

	if (!SEES_WHERE)
		return; /* ThreadSanitizer allows no threads there */
	ck_assert_int_eq(rv_loop_new(&parents, &o), 0);
	while (!watchdog_tid()) /* AddressSanitizer's own locks are not made for fork */
		sched_yield();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int r = run_debug(stall_in_task, NULL);

		_exit(r == 0 && reports.n == 1 &&
					strstr(reports.text[0], "stall_in_task") &&
					!watchdog_tid()
				? 0
				: 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	rv_loop_unref(parents);
}
END_TEST

UNIT_MAIN("debug_watchdog", idle_loop_has_an_idle_watchdog,
	watchdog_lives_only_while_there_is_a_loop_in_debug_mode,
	child_of_fork_has_no_watchdog,
	child_of_fork_may_have_its_own_loops_and_watchdog)
