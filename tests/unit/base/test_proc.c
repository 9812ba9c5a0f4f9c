#include "config.h"

#include "base/proc.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "tests/support/unit.h"

/* a pid that was a process of ours and is none any more */
static pid_t dead_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return pid;
}

START_TEST(start_time_stays_the_same_and_orders_processes)
{
	uint64_t mine, again, first;

	ck_assert_int_eq(process_start_time(&mine, getpid()), 0);
	ck_assert_int_eq(process_start_time(&again, getpid()), 0);
	ck_assert_int_eq(process_start_time(&first, getppid()), 0);
	ck_assert_uint_eq(mine, again);
	ck_assert_uint_le(first, mine);
}
END_TEST

START_TEST(parentheses_in_the_name_do_not_confuse)
{
	static const char *const names[] = {"a) R 1 1 1", ")))", "((", " ) ", "x) (y"};
	uint64_t before, with;

	ck_assert_int_eq(process_start_time(&before, getpid()), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(prctl(PR_SET_NAME, names[i]), 0);
		ck_assert_int_eq(process_start_time(&with, getpid()), 0);
		ck_assert_uint_eq(with, before);
	}
}
END_TEST

START_TEST(process_that_is_gone_is_no_process)
{
	pid_t pid = dead_pid();
	uint64_t ticks = 77;
	char *value = NULL;

	ck_assert_int_eq(process_start_time(&ticks, pid), -ESRCH);
	ck_assert_int_eq(process_start_time(&ticks, 0), -ESRCH);
	ck_assert_int_eq(process_start_time(&ticks, -1), -ESRCH);
	ck_assert_int_eq(proc_environ_get(&value, pid, "HOME"), -ESRCH);
	ck_assert_uint_eq(ticks, 77);
	ck_assert_ptr_null(value);
}
END_TEST

/* cat with an environment of our choice, which waits for the end of its input */
static pid_t start_cat(const char *const env[], int *ret_stdin, int *ret_stdout)
{
	int in[2], out[2];
	pid_t pid;

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	fd_set_cloexec(in[1], true);
	fd_set_cloexec(out[0], true);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execle("/bin/cat", "cat", NULL, (char *const *)env);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*ret_stdin = in[1];
	*ret_stdout = out[0];
	return pid;
}

START_TEST(variable_of_another_process_is_found_by_its_whole_name)
{
	const char *const env[] = {"XREEVE_T=no", "REEVE_TT=no", "REEVE_T=a=b c",
		"REEVE_T=second", "EMPTY=", NULL};
	_cleanup_close_ int in = -1;
	_cleanup_close_ int out = -1;
	_cleanup_free_ char *value = NULL;
	_cleanup_free_ char *empty = NULL;
	char *none = NULL, byte;
	pid_t pid = start_cat(env, &in, &out);

	/* its echo says that it is past exec */
	ck_assert_int_eq(fd_write_all(in, "x", 1), 0);
	ck_assert_int_eq(fd_read_all(out, &byte, 1), 0);
	ck_assert_int_eq(proc_environ_get(&value, pid, "REEVE_T"), 0);
	ck_assert_str_eq(value, "a=b c");
	ck_assert_int_eq(proc_environ_get(&empty, pid, "EMPTY"), 0);
	ck_assert_str_eq(empty, "");
	ck_assert_int_eq(proc_environ_get(&none, pid, "REEVE"), -ENODATA);
	ck_assert_int_eq(proc_environ_get(&none, pid, ""), -EINVAL);
	ck_assert_int_eq(proc_environ_get(&none, pid, "REEVE_T=a"), -EINVAL);
	ck_assert_ptr_null(none);
	in = close_safe(in);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* a shell that becomes another one, so many times */
static pid_t start_execs(const char *times)
{
	const char *const env[] = {"REEVE_T=here", "PATH=/usr/bin:/bin", NULL};
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execle("/bin/sh", "sh", "-c",
			"[ $1 -eq 0 ] || exec /bin/sh -c \"$0\" \"$0\" $(($1 - 1))",
			"[ $1 -eq 0 ] || exec /bin/sh -c \"$0\" \"$0\" $(($1 - 1))",
			times, NULL, (char *const *)env);
		_exit(127);
	}
	return pid;
}

START_TEST(process_in_exec_is_never_taken_for_one_without_environment)
{
	pid_t pid = start_execs("2000");
	unsigned n_found = 0;
	siginfo_t si = {0};

	while (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		si.si_pid == 0) {
		_cleanup_free_ char *value = NULL;
		int r = proc_environ_get(&value, pid, "REEVE_T");

		n_found += r == 0;
		/* in exec it is nobody's to look at for a moment, but root's */
		if (r == 0 || r == -EAGAIN || (r == -EACCES && geteuid() != 0))
			continue;
		/* before the first exec it has ours; from then on only the dead have none */
		if (n_found == 0)
			continue;
		if (r == -ESRCH) /* on its way out: its memory is gone already */
			break;
		ck_assert_int_eq(r, -ENODATA);
		ck_assert_int_eq(
			waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT), 0);
		ck_assert_int_eq(si.si_pid, pid);
	}
	ck_assert_uint_gt(n_found, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(zombie_tells_how_it_ended_and_others_do_not)
{
	int status = -1, go[2];
	uint64_t start;
	siginfo_t si;
	pid_t pid;

	ck_assert_int_eq(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		close(go[1]);
		_exit(read(go[0], &c, 1) == 0 ? 7 : 8);
	}
	close(go[0]);
	ck_assert_int_eq(process_start_time(&start, pid), 0);
	ck_assert_int_eq(process_zombie_status(&status, pid, start), -ENODATA);
	close(go[1]);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(process_zombie_status(&status, pid, start + 1), -ESRCH);
	ck_assert_int_eq(process_zombie_status(&status, pid, start), 0);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(process_zombie_status(&status, pid, start), -ESRCH);
}
END_TEST

START_TEST(zombie_has_a_start_time_and_no_environment)
{
	siginfo_t info;
	char *value = NULL;
	uint64_t ticks;
	pid_t pid = fork();
	int r;

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(process_start_time(&ticks, pid), 0);
	r = proc_environ_get(&value, pid, "PATH");
	/* kernels differ; its files are root's */
	ck_assert(r == -ENODATA || r == -ESRCH || (r == -EACCES && geteuid() != 0));
	ck_assert_ptr_null(value);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

UNIT_MAIN("proc", start_time_stays_the_same_and_orders_processes,
	parentheses_in_the_name_do_not_confuse, process_that_is_gone_is_no_process,
	variable_of_another_process_is_found_by_its_whole_name,
	process_in_exec_is_never_taken_for_one_without_environment,
	zombie_tells_how_it_ended_and_others_do_not,
	zombie_has_a_start_time_and_no_environment)
