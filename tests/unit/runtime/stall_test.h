/* What the tests of slow steps share: a loop in debug mode, stalls that end by themselves,
 * and what a report has seen. */
#ifndef TESTS_RUNTIME_STALL_TEST_H
#define TESTS_RUNTIME_STALL_TEST_H

#include "debug_test.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>

/* there a step's report says how long only: reeve/debug.h */
#if defined(__SANITIZE_THREAD__)
#	define SEES_WHERE false
#elif defined(__has_feature)
#	if __has_feature(thread_sanitizer)
#		define SEES_WHERE false
#	endif
#endif
#ifndef SEES_WHERE
#	define SEES_WHERE true
#endif

#define SLOW RV_MS(100)
/* a place that a backtrace names: not inlined, and not left by a tail call */
#define PLACE static __attribute__((noinline))

/* A loop in debug mode runs fn as a task, to its end. */
__attribute__((unused)) static int run_with(
	const rv_loop_opts *o, rv_exc_fn exc, rv_fn fn, void *arg)
{
	rv_task_opts to = {.name = "stalls"};
	rv_future *f;
	rv_loop *l;
	rv_task *t;
	int r;

	ck_assert_int_eq(rv_loop_new(&l, o), 0);
	rv_loop_set_exception_handler(l, exc, NULL);
	to.loop = l;
	ck_assert_int_eq(rv_spawn_ex(&t, &to, fn, arg), 0);
	f = rv_task_future(t);
	ck_assert_int_eq(rv_loop_run_until(l, f), 0);
	r = rv_task_result(t, NULL);
	rv_task_unref(t);
	rv_loop_unref(l);
	return r;
}

__attribute__((unused)) static int run_debug(rv_fn fn, void *arg)
{
	const rv_loop_opts o = {.debug = true, .slow_callback = SLOW};

	reports_reset();
	return run_with(&o, reports_on, fn, arg);
}

__attribute__((unused)) static void has_in(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what), "'%s' is not in: %s", what, text);
}

__attribute__((unused)) static void has_not_in(const char *text, const char *what)
{
	ck_assert_msg(!strstr(text, what), "'%s' is in: %s", what, text);
}

__attribute__((unused)) static void swallow(rv_loop *l, const rv_exc *e, void *arg)
{
}

/* The calls were seen, that one is among them, and nothing of what is around the step. */
__attribute__((unused)) static void saw(const char *report, const char *place)
{
	if (!SEES_WHERE) {
		has_not_in(report, "; after");
		return;
	}
	has_in(report, "; after ");
	has_in(report, " it was in ");
	has_in(report, place);
	has_not_in(report, "leader_step");
	has_not_in(report, "task_run");
	has_not_in(report, "on_sample");
}

/* Until the watchdog's signal comes, which ends a poll; if it came just before, the second
 * does. Where none comes: so long. */
__attribute__((unused)) PLACE int stalled(void)
{
	int r = poll(NULL, 0, SEES_WHERE ? 60000 : 200);

	if (SEES_WHERE) {
		ck_assert_int_eq(r, -1);
		ck_assert_int_eq(errno, EINTR);
	}
	return 0;
}

__attribute__((unused)) PLACE int stall_in_task(void *arg)
{
	RETURN(stalled());
}

/* the real-time signals that something handles */
__attribute__((unused)) static unsigned handled(int *ret_last)
{
	struct sigaction sa;
	unsigned n = 0;

	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
		ck_assert_int_eq(sigaction(sig, NULL, &sa), 0);
		if (!(sa.sa_flags & SA_SIGINFO) && sa.sa_handler == SIG_DFL)
			continue;
		*ret_last = sig;
		n++;
	}
	return n;
}

__attribute__((unused)) static bool read_file(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false; /* the thread has just ended */
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
	return n > 0;
}

/* its thread's number; 0: there is none */
__attribute__((unused)) static long watchdog_tid(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	long tid = 0;

	ck_assert_ptr_nonnull(d);
	while (tid == 0 && (e = readdir(d))) {
		char path[300], name[32];

		(void)snprintf(
			path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
		if (e->d_name[0] != '.' && read_file(path, name, sizeof(name)) &&
			strcmp(name, "rv-watchdog\n") == 0)
			tid = atol(e->d_name);
	}
	closedir(d);
	return tid;
}

#endif
