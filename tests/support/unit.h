/* What every unit test program shares: its main function, and code that must die. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* setup, teardown: around each test, in its process; both NULL: nothing */
static inline int unit_run(const char *suite_name, SFun setup, SFun teardown,
	const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(suite_name);
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int n_failed;

	if (setup)
		tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	/* sanitizers on a loaded machine; nothing waits for this to pass */
	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* UNIT_MAIN("heap", pop_of_empty_heap_is_null, ...) */
#define UNIT_MAIN(suite_name, ...) \
	UNIT_MAIN_FIXTURE(suite_name, NULL, NULL, __VA_ARGS__)

#define UNIT_MAIN_FIXTURE(suite_name, setup, teardown, ...)         \
	int main(void)                                              \
	{                                                           \
		const TTest *const tests[] = {__VA_ARGS__};         \
		return unit_run(suite_name, setup, teardown, tests, \
			sizeof(tests) / sizeof(tests[0]));          \
	}

/* The signal that ended fn in a process of its own, 0 when it returned; its stderr is
 * dropped. */
static inline int unit_signal_of(void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		fn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#endif
