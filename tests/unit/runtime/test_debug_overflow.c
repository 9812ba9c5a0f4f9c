/* Debug mode says which task has overflowed its stack; the process ends all the same. */
#include "debug_test.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reeve/gen.h"
#include "runtime/coro.h"

static const rv_run_opts debug = {.debug = true}, plain = {.debug = false};

__attribute__((noinline)) static int recurse(int n)
{
	volatile char frame[1024];

	frame[0] = (char)n;
	return n < INT_MAX ? recurse(n + 1) + frame[0] : 0;
}

static int overflow(void *arg)
{
	return recurse(0);
}

static int overflow_in_body(rv_gen *g, void *arg)
{
	return recurse(0);
}

static int named(void *arg)
{
	rv_task_opts o = {.name = "deep", .stack_size = (size_t)128 * 1024};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, overflow, NULL), 0);
	return rv_task_await(t, NULL);
}

static int in_generator(void *arg)
{
	rv_gen *g;
	void *v;

	ck_assert_int_eq(rv_task_set_name(rv_task_self(), "asks"), 0);
	ck_assert_int_eq(rv_gen_new(&g, overflow_in_body, NULL, NULL), 0);
	return rv_gen_next(g, &v);
}

static int wild_write(void *arg)
{
	char *volatile nowhere = (char *)16; /* in no stack of ours */

	*nowhere = 1;
	return 0;
}

static int kill_self(void *arg)
{
	(void)raise(SIGSEGV);
	return 0;
}

static void ignore(int sig)
{
	_exit(3);
}

static int fault_after_own_handler(void *arg)
{
	(void)signal(SIGSEGV, ignore);
	return wild_write(arg);
}

/* What main_fn, run in a process of its own, leaves on stderr; its status. */
static int stderr_of(rv_fn main_fn, const rv_run_opts *o, char *text, size_t size)
{
	static const struct rlimit no_core;
	int fd = scratch_open(), status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)signal(SIGSEGV, SIG_DFL); /* a sanitizer has its own */
		(void)dup2(fd, 2);
		_exit(rv_run(main_fn, NULL, o) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	scratch_read(fd, text, size);
	return status;
}

static void assert_killed_saying(rv_fn main_fn, const rv_run_opts *o, const char *want)
{
	char text[4096];
	int status = stderr_of(main_fn, o, text, sizeof(text));

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	ck_assert_str_eq(text, want);
}

START_TEST(task_that_overflows_its_stack_is_named)
{
	if (CORO_TSAN)
		return; /* it has a handler itself, and threads have no alternate stack */
	assert_killed_saying(named, &debug,
		"reeve: task 'deep' has overflowed its stack of 128 KiB\n");
}
END_TEST

START_TEST(so_is_who_asked_a_generator_that_does)
{
	char text[4096];
	int status;

	if (CORO_TSAN)
		return;
	status = stderr_of(in_generator, &debug, text, sizeof(text));
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	ck_assert_msg(strstr(text, "task 'asks' has overflowed a generator's stack"),
		"%s", text);
}
END_TEST

START_TEST(other_faults_end_the_process_as_ever)
{
	assert_killed_saying(wild_write, &debug, "");
	assert_killed_saying(kill_self, &debug, "");
	assert_killed_saying(named, &plain, "");
}
END_TEST

START_TEST(handler_of_the_program_stays)
{
	struct sigaction sa;
	char text[4096];
	int status = stderr_of(fault_after_own_handler, &debug, text, sizeof(text));

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	(void)signal(SIGSEGV, ignore);
	ck_assert_int_eq(rv_run(rt_nop, NULL, &debug), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, NULL, &sa), 0);
	ck_assert(sa.sa_handler == ignore);
	(void)signal(SIGSEGV, SIG_DFL);
	ck_assert_int_eq(rv_run(rt_nop, NULL, &debug), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, NULL, &sa), 0);
	ck_assert(sa.sa_handler == SIG_DFL);
}
END_TEST

UNIT_MAIN("debug_overflow", task_that_overflows_its_stack_is_named,
	so_is_who_asked_a_generator_that_does, other_faults_end_the_process_as_ever,
	handler_of_the_program_stays)
