#include "config.h"

#include "base/failpoint.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/macro.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

#ifdef REEVE_FAILPOINTS

/* Each test has a process of its own, in which the environment is not read before fn
 * runs. */
static void pass_three_times(void)
{
	for (int i = 0; i < 3; i++) {
		FAILPOINT("first");
		FAILPOINT("second");
	}
}

static void set_failpoint(const char *value)
{
	ck_assert_int_eq(setenv("REEVE_FAILPOINT", value, 1), 0);
}

START_TEST(without_the_variable_nothing_happens)
{
	ck_assert_int_eq(unsetenv("REEVE_FAILPOINT"), 0);
	ck_assert_int_eq(unit_signal_of(pass_three_times), 0);
}
END_TEST

START_TEST(named_place_kills)
{
	set_failpoint("second:kill");
	ck_assert_int_eq(unit_signal_of(pass_three_times), SIGKILL);
}
END_TEST

START_TEST(other_place_and_later_passage_do_not_kill)
{
	set_failpoint("third:kill,firs:kill,first@4:kill");
	ck_assert_int_eq(unit_signal_of(pass_three_times), 0);
}
END_TEST

START_TEST(numbered_passage_is_the_one_that_stops)
{
	_cleanup_(buf_deinitp) struct buf log = BUF_NULL;
	TEMP_DIR(dir);
	char path[128], want[128];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/log", dir.path);
	ck_assert_int_eq(setenv("REEVE_FAILPOINT_LOG", path, 1), 0);
	set_failpoint("first@2:stop,second@3:kill");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pass_three_times();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	snprintf(want, sizeof(want), "first %ld\n", (long)pid);
	ck_assert_int_eq(file_read(&log, AT_FDCWD, path, 1000), 0);
	ck_assert_uint_eq(buf_len(&log), strlen(want));
	ck_assert_mem_eq(buf_head(&log), want, strlen(want));

	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	snprintf(want + strlen(want), sizeof(want) - strlen(want), "second %ld\n",
		(long)pid);
	buf_clear(&log);
	ck_assert_int_eq(file_read(&log, AT_FDCWD, path, 1000), 0);
	ck_assert_uint_eq(buf_len(&log), strlen(want));
	ck_assert_mem_eq(buf_head(&log), want, strlen(want));
}
END_TEST

START_TEST(unreadable_variable_aborts)
{
	static const char *const bad[] = {"first", "first:", "first:crash",
		"first@0:kill", "first@x:kill", "first@:kill", ":kill", "@1:kill",
		"fi rst:kill", "first:kill,x"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		set_failpoint(bad[i]);
		ck_assert_int_eq(unit_signal_of(pass_three_times), SIGABRT);
	}
}
END_TEST

UNIT_MAIN("failpoint", without_the_variable_nothing_happens, named_place_kills,
	other_place_and_later_passage_do_not_kill,
	numbered_passage_is_the_one_that_stops, unreadable_variable_aborts)

#else

static void pass_one(void)
{
	FAILPOINT("first");
}

START_TEST(built_without_failpoints_nothing_happens)
{
	ck_assert_int_eq(setenv("REEVE_FAILPOINT", "first:kill", 1), 0);
	ck_assert_int_eq(unit_signal_of(pass_one), 0);
}
END_TEST

UNIT_MAIN("failpoint", built_without_failpoints_nothing_happens)

#endif
