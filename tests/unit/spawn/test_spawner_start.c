/* What a start does, with a real spawner. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/proc.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

/* run to its end with stdout in the file "out"; the text of it */
static const char *output_of(struct spawn_request *req)
{
	struct fx_event *e;

	req->stdout_kind = SPAWN_STDIO_FD;
	req->stdout_fd = open(fx_path(fx, "out"),
		O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600);
	req->stderr_kind = SPAWN_STDIO_STDOUT;
	fx_start(fx, req);
	e = fx_wait(fx, FX_EXITED, req->token.job_id);
	ck_assert_msg(e->info.status == 0, "status %x: %s",
		(unsigned int)e->info.status, fx_read(fx, "out"));
	return fx_read(fx, "out");
}

static void expect_failure(struct spawn_request *req, enum spawn_step step, int error)
{
	struct fx_event *e;

	fx_start(fx, req);
	e = fx_wait(fx, FX_FAILED, req->token.job_id);
	ck_assert_str_eq(spawn_step_name(e->info.step), spawn_step_name(step));
	ck_assert_msg(e->info.error == error, "%s", rv_strerror(e->info.error));
	ck_assert_int_eq(e->info.state, SPAWN_RUN_FAILED);
}

START_TEST(start_tells_pid_start_time_and_pidfd)
{
	const struct fx_event *e = fx_run(fx, 1, "read x");
	uint64_t start_time;

	e = fx_run(fx, 2, "exec sleep 100");
	ck_assert_int_gt(e->info.pid, 1);
	ck_assert_int_eq(process_start_time(&start_time, e->info.pid), 0);
	ck_assert_uint_eq(e->info.start_time, start_time);
	ck_assert_int_ge(e->pidfd, 0);
	ck_assert_int_gt(e->info.started_usec, 1600000000LL * 1000000);
	ck_assert_int_gt(e->info.started_boot, 0);
}
END_TEST

START_TEST(exit_tells_status_usage_and_times)
{
	struct fx_event *e;

	fx_run(fx, 1, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 7");
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert(WIFEXITED(e->info.status));
	ck_assert_int_eq(WEXITSTATUS(e->info.status), 7);
	ck_assert_int_gt(e->info.usage.utime_usec + e->info.usage.stime_usec, 0);
	ck_assert_int_gt(e->info.usage.maxrss_kib, 100);
	ck_assert_int_gt(e->info.ended_boot, e->info.started_boot);
	ck_assert_int_ge(e->info.ended_usec, e->info.started_usec);
	ck_assert_uint_eq(e->info.leftovers, 0);
}
END_TEST

START_TEST(death_by_signal_is_told)
{
	struct fx_event *e;

	fx_run(fx, 1, "kill -9 $$");
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert(WIFSIGNALED(e->info.status));
	ck_assert_int_eq(WTERMSIG(e->info.status), SIGKILL);
}
END_TEST

START_TEST(child_leads_session_and_group)
{
	struct spawn_request req =
		fx_request(1, "set -- $(cat /proc/$$/stat); echo $$ $5 $6");
	long pid, pgrp, session;

	ck_assert_int_eq(
		sscanf(output_of(&req), "%ld %ld %ld", &pid, &pgrp, &session), 3);
	ck_assert_int_eq(pid, pgrp);
	ck_assert_int_eq(pid, session);
}
END_TEST

START_TEST(child_has_only_three_descriptors)
{
	struct spawn_request req;

	/* a few others, so that the spawner has descriptors that could leak */
	fx_run(fx, 2, "exec sleep 100");
	fx_run(fx, 3, "exec sleep 100");
	/* nothing that opens one itself to look */
	req = fx_request(1, "i=0; while [ $i -lt 512 ]; do [ -e /proc/$$/fd/$i ] && "
			    "printf '%s ' $i; i=$((i+1)); done; :");
	ck_assert_str_eq(output_of(&req), "0 1 2 ");
}
END_TEST

START_TEST(child_has_no_signals_blocked_or_ignored)
{
	struct spawn_request req = fx_request(
		1, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr '\\n' ' '");

	ck_assert_str_eq(output_of(&req),
		"SigBlk:\t0000000000000000 SigIgn:\t0000000000000000 ");
}
END_TEST

START_TEST(environment_has_its_own_pid_where_that_is_asked_for)
{
	char *const env[] = {(char *)"WATCHDOG_PID=", (char *)"A=b", NULL};
	char *const other[] = {(char *)"WATCHDOG_PID=7", NULL};
	struct spawn_request req =
		fx_request(1, "[ \"$WATCHDOG_PID\" = $$ ] && echo $A");

	req.env = env;
	ck_assert_str_eq(output_of(&req), "b\n");
	req = fx_request(2, "echo $WATCHDOG_PID");
	req.env = other;
	ck_assert_str_eq(output_of(&req), "7\n");
}
END_TEST

START_TEST(cwd_umask_and_nice_are_applied)
{
	struct spawn_request req = fx_request(1, "pwd; umask; nice");
	/* never below ours, which only root may */
	int nice = MIN(getpriority(PRIO_PROCESS, 0) + 5, 19);
	char want[128];

	ck_assert_int_eq(mkdir(fx_path(fx, "wd"), 0700), 0);
	req.cwd = fx_path(fx, "wd");
	req.umask = 0137;
	req.nice = nice;
	snprintf(want, sizeof(want), "%s\n0137\n%d\n", fx_path(fx, "wd"), nice);
	ck_assert_str_eq(output_of(&req), want);
}
END_TEST

START_TEST(rlimits_are_applied)
{
	struct spawn_rlimit limits[] = {{RLIMIT_NOFILE, 50, 60}, {RLIMIT_CORE, 0, 0},
		{RLIMIT_FSIZE, 4096, 8192}};
	struct spawn_request req = fx_request(1, "ulimit -n; ulimit -Hn; ulimit -f");

	req.rlimits = limits;
	req.n_rlimits = ARRAY_LEN(limits);
	ck_assert_str_eq(output_of(&req), "50\n60\n8\n");
}
END_TEST

START_TEST(descriptor_limit_is_the_one_before_the_spawner_raised_it)
{
	struct spawn_request req = fx_request(1, "ulimit -Sn");
	struct rlimit rl;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_uint_eq(strtoul(output_of(&req), NULL, 10), rl.rlim_cur);
}
END_TEST

START_TEST(environment_is_exactly_what_was_asked_and_the_marks)
{
	char *env[] = {
		(char *)"A=1", (char *)"REEVE_TOKEN=forged", (char *)"B=x y", NULL};
	char *argv[] = {(char *)"/usr/bin/env", NULL};
	struct spawn_request req = fx_request(7, "");
	char want[256], mark[SPAWN_MARK_MAX];
	struct spawn_token t = fx_token(7);

	req.argv = argv;
	req.env = env;
	snprintf(want, sizeof(want),
		"A=1\nB=x y\nREEVE_JOB_ID=7\nREEVE_RUN=1\nREEVE_TOKEN=%s\n",
		spawn_mark_format(mark, &t, fx->events[0].hello.instance));
	ck_assert_str_eq(output_of(&req), want);
}
END_TEST

START_TEST(argv_that_is_not_utf8_arrives_unchanged)
{
	char *argv[] = {(char *)"/usr/bin/printf", (char *)"%s",
		(char *)"\xff\xfe\x01\n\xc3", NULL};
	struct spawn_request req = fx_request(1, "");

	req.argv = argv;
	ck_assert_str_eq(output_of(&req), "\xff\xfe\x01\n\xc3");
}
END_TEST

START_TEST(command_without_slash_is_found_in_path_of_the_job)
{
	char *argv[] = {(char *)"my-tool", (char *)"arg", NULL};
	char path[256], *env[] = {path, NULL};
	struct spawn_request req = fx_request(1, "");
	int fd;

	snprintf(path, sizeof(path), "PATH=/nonexistent::%s:/usr/bin:/bin", fx->dir);
	fd = open(fx_path(fx, "my-tool"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	/* without #!: the shell runs it */
	ck_assert_int_eq(fd_write_all(fd, "echo got $1\n", 12), 0);
	close(fd);
	ck_assert_int_eq(chmod(fx_path(fx, "my-tool"), 0755), 0);
	req.argv = argv;
	req.env = env;
	ck_assert_str_eq(output_of(&req), "got arg\n");
}
END_TEST

START_TEST(large_argv_travels_and_arrives)
{
	static char text[100000];
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)"echo ${#1}",
		(char *)"sh", text, NULL};
	struct spawn_request req = fx_request(1, "");

	memset(text, 'x', sizeof(text) - 1);
	req.argv = argv;
	ck_assert_str_eq(output_of(&req), "99999\n");
}
END_TEST

START_TEST(argv_over_arg_max_is_e2big_at_exec)
{
	enum { N = 60 };
	static char text[100000], *argv[N + 2];
	struct spawn_request req = fx_request(1, "");

	memset(text, 'x', sizeof(text) - 1);
	argv[0] = (char *)"/bin/true";
	for (int i = 1; i <= N; i++)
		argv[i] = text;
	req.argv = argv;
	expect_failure(&req, SPAWN_STEP_EXEC, E2BIG);
}
END_TEST

START_TEST(command_that_does_not_exist_is_enoent_at_exec)
{
	char *argv[] = {(char *)"/nonexistent/tool", NULL};
	struct spawn_request req = fx_request(1, "");

	req.argv = argv;
	expect_failure(&req, SPAWN_STEP_EXEC, ENOENT);
	argv[0] = (char *)"no-such-tool-anywhere";
	req.token = fx_token(2);
	expect_failure(&req, SPAWN_STEP_EXEC, ENOENT);
	argv[0] = (char *)"";
	req.token = fx_token(3);
	expect_failure(&req, SPAWN_STEP_EXEC, ENOENT);
}
END_TEST

START_TEST(command_that_is_a_directory_or_not_executable_is_eacces_at_exec)
{
	char *argv[] = {(char *)"/tmp", NULL};
	struct spawn_request req = fx_request(1, "");

	req.argv = argv;
	expect_failure(&req, SPAWN_STEP_EXEC, EACCES);
	argv[0] = (char *)"/etc/passwd";
	req.token = fx_token(2);
	expect_failure(&req, SPAWN_STEP_EXEC, EACCES);
}
END_TEST

START_TEST(cwd_that_does_not_exist_fails_at_chdir)
{
	struct spawn_request req = fx_request(1, "true");

	req.cwd = "/nonexistent";
	expect_failure(&req, SPAWN_STEP_CHDIR, ENOENT);
}
END_TEST

START_TEST(stdin_is_the_file_that_was_asked_for)
{
	struct spawn_request req = fx_request(1, "cat");
	int fd = open(fx_path(fx, "in"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(fd_write_all(fd, "hello", 5), 0);
	close(fd);
	req.stdin_kind = SPAWN_STDIO_PATH;
	req.stdin_path = fx_path(fx, "in");
	ck_assert_str_eq(output_of(&req), "hello");
}
END_TEST

START_TEST(stdin_null_is_at_its_end)
{
	struct spawn_request req = fx_request(1, "cat; readlink /proc/$$/fd/0");

	ck_assert_str_eq(output_of(&req), "/dev/null\n");
}
END_TEST

START_TEST(stdin_that_does_not_exist_fails_at_stdin)
{
	struct spawn_request req = fx_request(1, "true");

	req.stdin_kind = SPAWN_STDIO_PATH;
	req.stdin_path = "/nonexistent/in";
	expect_failure(&req, SPAWN_STEP_STDIN, ENOENT);
}
END_TEST

START_TEST(stdin_that_is_a_fifo_a_device_or_a_directory_is_refused)
{
	struct spawn_request req = fx_request(1, "true");

	ck_assert_int_eq(mkfifo(fx_path(fx, "fifo"), 0600), 0);
	req.stdin_kind = SPAWN_STDIO_PATH;
	req.stdin_path = fx_path(fx, "fifo");
	expect_failure(&req, SPAWN_STEP_STDIN, EOPNOTSUPP);
	req.token = fx_token(2);
	req.stdin_path = "/dev/zero";
	expect_failure(&req, SPAWN_STEP_STDIN, EOPNOTSUPP);
	req.token = fx_token(3);
	req.stdin_path = "/tmp";
	expect_failure(&req, SPAWN_STEP_STDIN, EISDIR);
	req.token = fx_token(4);
	req.stdin_path = fx_path(fx, SPAWN_SOCKET_NAME);
	expect_failure(&req, SPAWN_STEP_STDIN, ENXIO);
}
END_TEST

START_TEST(output_files_are_appended_to_and_blocking)
{
	struct spawn_request req =
		fx_request(1, "echo one; echo two >&2; grep flags /proc/self/fdinfo/1 "
			      ">> /proc/self/fd/2");
	struct fx_event *e;
	const char *text;

	req.stdout_kind = SPAWN_STDIO_PATH;
	req.stdout_path = fx_path(fx, "o");
	req.stderr_kind = SPAWN_STDIO_PATH;
	req.stderr_path = fx_path(fx, "e");
	fx_start(fx, &req);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(e->info.status, 0);
	req.token = fx_token(2);
	fx_start(fx, &req);
	fx_wait(fx, FX_EXITED, 2);
	ck_assert_str_eq(fx_read(fx, "o"), "one\none\n");
	text = strstr(fx_read(fx, "e"), "flags:\t");
	ck_assert_ptr_nonnull(text);
	/* octal, O_APPEND is 02000, O_NONBLOCK 04000 */
	ck_assert_uint_eq(strtoul(text + 7, NULL, 8) & 06000, 02000);
}
END_TEST

START_TEST(output_that_is_a_fifo_is_refused_with_its_step)
{
	struct spawn_request req = fx_request(1, "true");
	int reader;

	reader = fx_fifo(fx, "fifo");
	req.stdout_kind = SPAWN_STDIO_PATH;
	req.stdout_path = fx_path(fx, "fifo");
	expect_failure(&req, SPAWN_STEP_STDOUT, EOPNOTSUPP);
	req.token = fx_token(2);
	req.stderr_path = req.stdout_path;
	req.stdout_path = NULL;
	req.stdout_kind = SPAWN_STDIO_NULL;
	req.stderr_kind = SPAWN_STDIO_PATH;
	expect_failure(&req, SPAWN_STEP_STDERR, EOPNOTSUPP);
	close(reader);
}
END_TEST

START_TEST(stdout_and_stderr_may_be_two_descriptors)
{
	struct spawn_request req = fx_request(1, "echo o; echo e >&2");

	req.stdout_kind = req.stderr_kind = SPAWN_STDIO_FD;
	req.stdout_fd = open(fx_path(fx, "o"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	req.stderr_fd = open(fx_path(fx, "e"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fx_start(fx, &req);
	fx_wait(fx, FX_EXITED, 1);
	ck_assert_str_eq(fx_read(fx, "o"), "o\n");
	ck_assert_str_eq(fx_read(fx, "e"), "e\n");
}
END_TEST

START_TEST(spawner_does_not_keep_outputs_open)
{
	struct spawn_request req = fx_request(1, "exec sleep 100");
	int fd;

	req.stdout_kind = SPAWN_STDIO_FD;
	req.stdout_fd = open(fx_path(fx, "o"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fx_start(fx, &req);
	kill(fx_wait(fx, FX_STARTED, 1)->info.pid, SIGKILL);
	fx_wait(fx, FX_EXITED, 1);
	fd = open(fx_path(fx, "o"), O_RDWR | O_CLOEXEC);
	/* granted only when nobody else has it open */
	ck_assert_int_eq(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	close(fd);
}
END_TEST

START_TEST(rlimit_that_may_not_be_set_fails_at_rlimit)
{
	struct spawn_rlimit limit = {RLIMIT_NOFILE, 100, 50};
	struct spawn_request req = fx_request(1, "true");

	req.rlimits = &limit;
	req.n_rlimits = 1;
	expect_failure(&req, SPAWN_STEP_RLIMIT, EINVAL);
	limit = (struct spawn_rlimit){999, 1, 1};
	req.token = fx_token(2);
	expect_failure(&req, SPAWN_STEP_RLIMIT, EINVAL);
}
END_TEST

START_TEST(limits_and_niceness_are_the_owners_not_the_spawners_to_raise)
{
	struct spawn_rlimit limit = {RLIMIT_NOFILE, 1 << 20, RLIM_INFINITY};
	struct spawn_request req = fx_request(1, "true");

	if (geteuid() != 0)
		return; /* only root can give up rights */
	ck_assert_int_eq(chmod(fx->dir, 0711), 0);
	req.uid = 4000;
	req.gid = 4001;
	req.cwd = "/";
	req.nice = -5;
	expect_failure(&req, SPAWN_STEP_NICE, EACCES);
	req.token = fx_token(2);
	req.nice = SPAWN_NICE_KEEP;
	req.rlimits = &limit;
	req.n_rlimits = 1;
	expect_failure(&req, SPAWN_STEP_RLIMIT, EPERM);
}
END_TEST

START_TEST(uid_gid_and_groups_are_applied)
{
	uint32_t groups[] = {4242, 4243};
	struct spawn_request req =
		fx_request(1, "id -u; id -g; id -G; touch as-owner || echo denied");

	if (geteuid() != 0)
		return; /* only root changes ids */
	ck_assert_int_eq(chmod(fx->dir, 0711), 0);
	req.uid = 4000;
	req.gid = 4001;
	req.groups = groups;
	req.n_groups = 2;
	req.set_groups = true;
	req.cwd = "/";
	ck_assert_ptr_nonnull(strstr(output_of(&req), "4000\n4001\n4001 4242 4243\n"));
	ck_assert_ptr_nonnull(strstr(fx_read(fx, "out"), "denied"));
}
END_TEST

START_TEST(files_are_opened_as_the_owner)
{
	struct spawn_request req = fx_request(1, "true");
	int fd;

	if (geteuid() != 0)
		return;
	fd = open(fx_path(fx, "secret"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	req.uid = req.gid = 4000;
	req.stdin_kind = SPAWN_STDIO_PATH;
	req.stdin_path = fx_path(fx, "secret");
	expect_failure(&req, SPAWN_STEP_STDIN, EACCES);
	req.token = fx_token(2);
	req.stdin_kind = SPAWN_STDIO_NULL;
	req.stdin_path = NULL;
	req.cwd = fx->dir;
	expect_failure(&req, SPAWN_STEP_CHDIR, EACCES);
}
END_TEST

START_TEST(many_starts_all_end_and_are_told_once)
{
	enum { N = 300 };
	char *argv[] = {(char *)"/bin/true", NULL};

	for (uint64_t i = 1; i <= N; i++) {
		struct spawn_request req = fx_request(i, "");

		req.argv = argv;
		fx_start(fx, &req);
	}
	for (uint64_t i = 1; i <= N; i++) {
		struct spawn_token t = fx_token(i);

		ck_assert_int_eq(fx_wait(fx, FX_EXITED, i)->info.status, 0);
		ck_assert_int_eq(spawn_client_ack(fx->client, &t), 0);
	}
	fx_settle(fx);
	for (uint64_t i = 1; i <= N; i++)
		ck_assert(!fx_has(fx, FX_EXITED, i) && !fx_has(fx, FX_FAILED, i));
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_start", fx_setup, fx_teardown,
	start_tells_pid_start_time_and_pidfd, exit_tells_status_usage_and_times,
	death_by_signal_is_told, child_leads_session_and_group,
	child_has_only_three_descriptors, child_has_no_signals_blocked_or_ignored,
	cwd_umask_and_nice_are_applied, rlimits_are_applied,
	limits_and_niceness_are_the_owners_not_the_spawners_to_raise,
	descriptor_limit_is_the_one_before_the_spawner_raised_it,
	environment_is_exactly_what_was_asked_and_the_marks,
	environment_has_its_own_pid_where_that_is_asked_for,
	argv_that_is_not_utf8_arrives_unchanged,
	command_without_slash_is_found_in_path_of_the_job,
	large_argv_travels_and_arrives, argv_over_arg_max_is_e2big_at_exec,
	command_that_does_not_exist_is_enoent_at_exec,
	command_that_is_a_directory_or_not_executable_is_eacces_at_exec,
	cwd_that_does_not_exist_fails_at_chdir, stdin_is_the_file_that_was_asked_for,
	stdin_null_is_at_its_end, stdin_that_does_not_exist_fails_at_stdin,
	stdin_that_is_a_fifo_a_device_or_a_directory_is_refused,
	output_files_are_appended_to_and_blocking,
	output_that_is_a_fifo_is_refused_with_its_step,
	stdout_and_stderr_may_be_two_descriptors, spawner_does_not_keep_outputs_open,
	rlimit_that_may_not_be_set_fails_at_rlimit, uid_gid_and_groups_are_applied,
	files_are_opened_as_the_owner, many_starts_all_end_and_are_told_once)
