#include "config.h"

#include "base/invariant.h"

#include <string.h>

#include "base/cleanup.h"
#include "tests/support/unit.h"

static void break_invariant(void)
{
	INVARIANT(1 + 1 == 3);
}

static void keep_invariant(void)
{
	INVARIANT(1 + 1 == 2);
}

START_TEST(broken_invariant_aborts_and_a_kept_one_does_not)
{
	ck_assert_int_eq(unit_signal_of(break_invariant), SIGABRT);
	ck_assert_int_eq(unit_signal_of(keep_invariant), 0);
}
END_TEST

START_TEST(message_names_expression_and_place)
{
	char text[512] = "";
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		break_invariant();
		_exit(0);
	}
	close(fds[1]);
	ck_assert_int_gt(read(fds[0], text, sizeof(text) - 1), 0);
	close(fds[0]);
	waitpid(pid, NULL, 0);
	ck_assert_ptr_nonnull(strstr(text, "1 + 1 == 3"));
	ck_assert_ptr_nonnull(strstr(text, "test_invariant.c:"));
	ck_assert_ptr_nonnull(strstr(text, "break_invariant"));
}
END_TEST

UNIT_MAIN("invariant", broken_invariant_aborts_and_a_kept_one_does_not,
	message_names_expression_and_place)
