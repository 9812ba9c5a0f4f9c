/* Child processes: behaviours 2.12. */
#include "rt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/open_fds.h"

static rv_process *shell(const char *cmd, const rv_proc_opts *o)
{
	rv_process *p;

	ck_assert_int_eq(rv_shell(cmd, o, &p), 0);
	return p;
}

static const rv_proc_opts piped = {
	.in = {.kind = RV_STDIO_PIPE},
	.out = {.kind = RV_STDIO_PIPE},
	.err = {.kind = RV_STDIO_PIPE},
};

static int status_of(const char *cmd)
{
	rv_process *p = shell(cmd, NULL);
	int status;

	ck_assert_int_eq(rv_process_status(p), -RV_ESTATE);
	ck_assert_int_eq(rv_process_wait(p, &status), 0);
	ck_assert(rv_process_exited(p));
	ck_assert_int_eq(rv_process_status(p), status);
	rv_process_unref(p);
	return status;
}

RT_TEST(b199_exit_codes_as_they_are_and_signals_negative)
{
	ck_assert_int_eq(status_of("exit 0"), 0);
	ck_assert_int_eq(status_of("exit 255"), 255);
	ck_assert_int_eq(status_of("kill -TERM $$"), -SIGTERM);
	ck_assert_int_eq(status_of("kill -KILL $$"), -SIGKILL);
	return 0;
}

RT_TEST(b200_what_cannot_be_started_leaves_nothing)
{
	char *const missing[] = {RT_W("/nonexistent/program"), NULL};
	char *const folder[] = {RT_W("/"), NULL};
	rv_proc_opts o = piped;
	rv_process *p = NULL;
	siginfo_t si;
	int n;

	rv_process_unref(shell("exit 0", NULL)); /* what the loop opens once */
	n = n_open_fds();
	ck_assert_int_eq(rv_exec(missing, &o, &p), -ENOENT);
	ck_assert_int_eq(rv_exec(folder, &o, &p), -EACCES);
	o.cwd = "/nonexistent";
	ck_assert_int_eq(rv_shell("exit 0", &o, &p), -ENOENT);
	o.cwd = NULL;
	o.out.kind = RV_STDIO_STDOUT;
	ck_assert_int_eq(rv_shell("exit 0", &o, &p), -EINVAL);
	o = piped;
	o.pass_fds = &(int){1};
	o.n_pass_fds = 1;
	ck_assert_int_eq(rv_shell("exit 0", &o, &p), -EINVAL);
	ck_assert_ptr_null(p);
	ck_assert_int_le(n_open_fds(), n);
	/* the loop reaps the first one, and nobody is there to reap others */
	while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(errno, ECHILD);
	return 0;
}

RT_TEST(b201_megabytes_both_ways_do_not_block_each_other)
{
	enum { N = 3 << 20 };
	rv_process *p = shell("tee /dev/stderr", &piped);
	rv_buf out = {NULL, 0}, err = {NULL, 0};
	char *in = malloc(N);
	int status;

	for (size_t i = 0; i < N; i++)
		in[i] = (char)('a' + i % 23);
	ck_assert_int_eq(rv_process_communicate(p, in, N, &out, &err, &status), 0);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(out.n, N);
	ck_assert_uint_eq(err.n, N);
	ck_assert_int_eq(memcmp(out.data, in, N), 0);
	ck_assert_int_eq(memcmp(err.data, in, N), 0);
	rv_buf_free(&out);
	rv_buf_free(&err);
	free(in);
	rv_process_unref(p);
	return 0;
}

RT_TEST(b202_child_that_does_not_read_is_no_failure)
{
	enum { N = 1 << 20 };
	rv_process *p = shell("exec <&-; echo done; exit 3", &piped);
	rv_buf out = {NULL, 0};
	char *in = calloc(1, N);
	int status;

	ck_assert_int_eq(rv_process_communicate(p, in, N, &out, NULL, &status), 0);
	ck_assert_int_eq(status, 3);
	ck_assert_str_eq(out.data, "done\n");
	rv_buf_free(&out);
	free(in);
	rv_process_unref(p);
	return 0;
}

RT_TEST(b202_drain_says_that_the_child_does_not_read)
{
	rv_process *p = shell("exec <&-; echo closed; exec sleep 1000", &piped);
	const char *line;
	size_t n;
	int r;

	ck_assert_int_eq(rv_stream_readline(rv_process_stdout(p), &line, &n), 0);
	ck_assert_uint_eq(n, 7);
	do
		r = rv_stream_send(rv_process_stdin(p), "x", 1);
	while (r == 0);
	ck_assert(r == -EPIPE || r == -ECONNRESET);
	ck_assert_int_eq(rv_stream_drain(rv_process_stdin(p)), r);
	ck_assert_int_eq(rv_process_stop(p, SIGKILL, RV_SEC(60)), 0);
	rv_process_unref(p);
	return 0;
}

RT_TEST(b204_d06_wait_does_not_wait_for_who_holds_the_pipes)
{
	rv_process *p = shell("sleep 1000 & echo $!", &piped);
	const char *line;
	size_t n;
	int status;
	pid_t left;

	ck_assert_int_eq(rv_stream_readline(rv_process_stdout(p), &line, &n), 0);
	left = (pid_t)strtol(line, NULL, 10);
	ck_assert_int_eq(rv_process_wait(p, &status), 0);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(kill(left, SIGKILL), 0);
	rv_process_unref(p);
	return 0;
}

/* It has ended, and no loop has looked since. */
static void await_exit_unseen(pid_t pid)
{
	siginfo_t si;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
}

RT_TEST(b205_b206_many_that_end_at_once_have_each_its_status)
{
	enum { N = 20 };
	rv_process *p[N];
	char cmd[32];
	int status;

	for (int i = 0; i < N; i++) {
		(void)snprintf(cmd, sizeof(cmd), "exit %d", i);
		p[i] = shell(cmd, NULL);
	}
	for (int i = 0; i < N; i++)
		await_exit_unseen(rv_process_pid(p[i]));
	rt_catch_reports();
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(rv_process_wait(p[i], &status), 0);
		ck_assert_int_eq(status, i);
		ck_assert_int_eq(rv_process_wait(p[i], &status), 0);
		ck_assert_int_eq(status, i);
		rv_process_unref(p[i]);
	}
	rt_settle(2);
	ck_assert_uint_eq(rt_reported.n, 0);
	return 0;
}

RT_TEST(b207_child_that_somebody_else_reaped_has_an_unknown_end)
{
	rv_process *p = shell("exit 0", NULL);
	int status;

	rt_catch_reports();
	/* without a round in between: we are the first to look */
	ck_assert_int_eq(waitpid(rv_process_pid(p), NULL, 0), rv_process_pid(p));
	ck_assert_int_eq(rv_process_wait(p, &status), 0);
	ck_assert_int_eq(status, 255);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rv_process_signal(p, 0), -ESRCH);
	rv_process_unref(p);
	return 0;
}

RT_TEST(b209_children_of_others_are_left_alone)
{
	pid_t other = fork();

	int status;

	if (other == 0)
		_exit(9);
	await_exit_unseen(other);
	ck_assert_int_eq(status_of("exit 1"), 1);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert_int_eq(WEXITSTATUS(status), 9);
	return 0;
}

static int wait_for_it(void *p)
{
	int status, r = rv_process_wait(p, &status);

	return r < 0 ? r : status;
}

static int start_and_wait(void *ret)
{
	rv_process **p = ret;
	int status;

	ck_assert(rv_task_cancel(rv_task_self()));
	*p = shell("exec sleep 1000", &piped);
	return rv_process_wait(*p, &status);
}

RT_TEST(b210_cancelled_task_still_has_the_child_that_it_began)
{
	rv_process *p;
	rv_task *t = rv_spawn(start_and_wait, &p);

	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	ck_assert(!rv_process_exited(p));
	ck_assert_int_eq(rv_process_stop(p, SIGTERM, RV_SEC(60)), 0);
	ck_assert_int_eq(rv_process_status(p), -SIGTERM);
	rv_process_unref(p);
	return 0;
}

RT_TEST(b211_cancelled_wait_leaves_the_child_and_others_that_wait)
{
	rv_process *p = shell("read x; exit 4", &piped);
	rv_task *a = rv_spawn(wait_for_it, p), *b = rv_spawn(wait_for_it, p);

	rt_settle(1);
	ck_assert(rv_task_cancel(a));
	ck_assert_int_eq(rv_task_join(a, NULL), -ECANCELED);
	ck_assert(!rv_process_exited(p));
	ck_assert_int_eq(rv_stream_send(rv_process_stdin(p), "\n", 1), 0);
	ck_assert_int_eq(rv_task_join(b, NULL), 4);
	ck_assert_int_eq(wait_for_it(p), 4);
	rv_task_unref(a);
	rv_task_unref(b);
	rv_process_unref(p);
	return 0;
}

static void read_all(rv_process *p, rv_buf *out)
{
	int status;

	ck_assert_int_eq(rv_process_communicate(p, NULL, 0, out, NULL, &status), 0);
	ck_assert_int_eq(status, 0);
	rv_process_unref(p);
}

RT_TEST(b213_descriptors_signals_and_masks_are_not_inherited)
{
	struct sigaction sa = {.sa_handler = SIG_IGN}, old;
	sigset_t set, old_set;
	rv_buf out = {NULL, 0};
	int fds[2];

	ck_assert_int_eq(pipe2(fds, 0), 0); /* not close-on-exec */
	ck_assert_int_eq(sigaction(SIGHUP, &sa, &old), 0);
	ck_assert_int_eq(sigemptyset(&set), 0);
	ck_assert_int_eq(sigaddset(&set, SIGUSR2), 0);
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, &old_set), 0);
	read_all(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f2; "
		       "ls /proc/self/fd | wc -l",
			 &piped),
		&out);
	/* 32 and 33 are the C library's own; ls itself has its folder open */
	ck_assert_str_eq(out.data, "0000000000000000\n0000000180000000\n4\n");
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &old_set, NULL), 0);
	ck_assert_int_eq(sigaction(SIGHUP, &old, NULL), 0);
	rv_buf_free(&out);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

RT_TEST(b214_stderr_to_stdout_is_one_ordered_stream)
{
	rv_proc_opts o = piped;
	rv_buf out = {NULL, 0};
	rv_process *p;

	o.err.kind = RV_STDIO_STDOUT;
	p = shell("echo a; echo b >&2; echo c", &o);
	ck_assert_ptr_null(rv_process_stderr(p));
	read_all(p, &out);
	ck_assert_str_eq(out.data, "a\nb\nc\n");
	rv_buf_free(&out);
	return 0;
}

RT_TEST(directory_environment_and_further_descriptors)
{
	static char *const env[] = {
		RT_W("WORD=here"), RT_W("PATH=/bin:/usr/bin"), NULL};
	rv_proc_opts o = piped;
	rv_buf out = {NULL, 0};
	char cmd[128];
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(write(fds[1], "passed\n", 7), 7);
	o.cwd = "/usr";
	o.env = env;
	o.pass_fds = &fds[0];
	o.n_pass_fds = 1;
	(void)snprintf(
		cmd, sizeof(cmd), "pwd; echo $WORD $HOME; head -n 1 <&%d", fds[0]);
	read_all(shell(cmd, &o), &out);
	ck_assert_str_eq(out.data, "/usr\nhere\npassed\n");
	rv_buf_free(&out);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

RT_TEST(stop_ends_the_group_after_grace)
{
	rv_proc_opts o = piped;
	const char *line;
	rv_process *p;
	size_t n;

	o.flags = RV_PROC_NEW_GROUP;
	p = shell("trap '' TERM; sleep 1000 & echo $!; while :; do wait; done", &o);
	ck_assert_int_eq(rv_stream_readline(rv_process_stdout(p), &line, &n), 0);
	ck_assert_int_eq(rv_process_stop(p, SIGTERM, RV_MS(20)), 0);
	ck_assert_int_eq(rv_process_status(p), -SIGKILL);
	/* the other one held the pipe, too: it is dead when the end comes */
	ck_assert_int_eq(rv_stream_readline(rv_process_stdout(p), &line, &n), 0);
	ck_assert_uint_eq(n, 0);
	rv_process_unref(p);
	return 0;
}

RT_TEST(dropped_child_is_killed_and_reaped)
{
	rv_process *p = shell("sleep 1000", &piped);
	pid_t pid = rv_process_pid(p);

	rv_process_unref(p);
	while (kill(pid, 0) == 0)
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_int_eq(errno, ESRCH);
	return 0;
}

static rv_process *kept;

static int leave_it_running(void *arg)
{
	kept = shell("sleep 1000", NULL);
	rt_catch_reports();
	return 0;
}

START_TEST(child_that_runs_when_the_loop_closes_is_killed_and_reported)
{
	int status;

	rt_reset();
	ck_assert_int_eq(rv_run(leave_it_running, NULL, NULL), 0);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(
		waitpid(rv_process_pid(kept), &status, 0), rv_process_pid(kept));
	ck_assert(WIFSIGNALED(status));
	rv_process_unref(kept);
}
END_TEST

UNIT_MAIN("process", b199_exit_codes_as_they_are_and_signals_negative,
	b200_what_cannot_be_started_leaves_nothing,
	b201_megabytes_both_ways_do_not_block_each_other,
	b202_child_that_does_not_read_is_no_failure,
	b204_d06_wait_does_not_wait_for_who_holds_the_pipes,
	b205_b206_many_that_end_at_once_have_each_its_status,
	b207_child_that_somebody_else_reaped_has_an_unknown_end,
	b209_children_of_others_are_left_alone,
	b202_drain_says_that_the_child_does_not_read,
	b210_cancelled_task_still_has_the_child_that_it_began,
	b211_cancelled_wait_leaves_the_child_and_others_that_wait,
	b213_descriptors_signals_and_masks_are_not_inherited,
	b214_stderr_to_stdout_is_one_ordered_stream,
	directory_environment_and_further_descriptors, stop_ends_the_group_after_grace,
	dropped_child_is_killed_and_reaped,
	child_that_runs_when_the_loop_closes_is_killed_and_reported)
