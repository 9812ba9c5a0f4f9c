/* Child processes that are told of by callbacks. */
#include "rt.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/open_fds.h"

/* what one is told: 0 1 2 (that pipe was lost) x (exited) p(ause) r(esume) l(ost)
 * D(estroy); data goes to out */
struct rec {
	rv_protocol protocol;
	rv_process *process;
	struct buf out[3];
	char trace[32];
	size_t n_trace;
	rv_event over;
	int pipe_err[3], err, status;
	bool unref_at_exit, unref_at_data, close_stdin_when_drained;
};

static struct rec *rec_of(rv_protocol *p)
{
	return CONTAINER_OF(p, struct rec, protocol);
}

static void note(struct rec *r, char c)
{
	ck_assert_uint_lt(r->n_trace, sizeof(r->trace) - 1);
	/* pausing comes from inside a write, the others from the loop */
	ck_assert(c == 'p' || !rv_task_self());
	r->trace[r->n_trace++] = c;
}

static void drop(struct rec *r)
{
	rv_process *p = r->process;

	r->process = NULL;
	rv_process_unref(p);
}

static void on_data(rv_protocol *p, int fd, const void *b, size_t n)
{
	struct rec *r = rec_of(p);

	ck_assert_uint_gt(n, 0);
	ck_assert(fd == STDOUT_FILENO || fd == STDERR_FILENO);
	ck_assert_int_eq(buf_append(&r->out[fd], b, n), 0);
	if (r->unref_at_data && r->process)
		drop(r);
}

static void on_pipe_lost(rv_protocol *p, int fd, int err)
{
	struct rec *r = rec_of(p);

	ck_assert(fd >= 0 && fd < 3);
	r->pipe_err[fd] = err;
	note(r, (char)('0' + fd));
}

static void on_exited(rv_protocol *p)
{
	struct rec *r = rec_of(p);

	note(r, 'x');
	if (r->process)
		r->status = rv_process_status(r->process);
	if (r->unref_at_exit)
		drop(r);
}

static void on_pause(rv_protocol *p)
{
	note(rec_of(p), 'p');
}

static void on_resume(rv_protocol *p)
{
	struct rec *r = rec_of(p);

	note(r, 'r');
	if (r->close_stdin_when_drained)
		rv_transport_close(rv_process_pipe(r->process, STDIN_FILENO));
}

static void on_lost(rv_protocol *p, int err)
{
	rec_of(p)->err = err;
	note(rec_of(p), 'l');
}

static void on_destroy(rv_protocol *p)
{
	note(rec_of(p), 'D');
	rv_event_set(&rec_of(p)->over);
}

static const rv_protocol_ops rec_ops = {
	.pipe_data_received = on_data,
	.pipe_connection_lost = on_pipe_lost,
	.process_exited = on_exited,
	.pause_writing = on_pause,
	.resume_writing = on_resume,
	.connection_lost = on_lost,
	.destroy = on_destroy,
};

static const rv_proc_opts piped = {
	.in = {.kind = RV_STDIO_PIPE},
	.out = {.kind = RV_STDIO_PIPE},
	.err = {.kind = RV_STDIO_PIPE},
};

static void rec_init(struct rec *r)
{
	*r = (struct rec){.protocol.ops = &rec_ops, .err = 1, .status = 1};
	rv_event_init(&r->over);
}

static void start(struct rec *r, const char *cmd, const rv_proc_opts *o)
{
	char *const argv[] = {RT_W("sh"), RT_W("-c"), RT_W(cmd), NULL};

	rec_init(r);
	ck_assert_int_eq(rv_exec_protocol(argv, o, &r->protocol, &r->process), 0);
}

static void rec_deinit(struct rec *r)
{
	rv_process_unref(r->process);
	for (int i = 0; i < 3; i++)
		buf_deinit(&r->out[i]);
}

/* Pipes and exit come in any order: sorted, with what comes after them left in its place. */
static void sort_trace(struct rec *r)
{
	static const char order[] = "012xlD";
	char sorted[sizeof(r->trace)];
	size_t n = 0;

	ck_assert_uint_ge(r->n_trace, 2);
	ck_assert_str_eq(r->trace + r->n_trace - 2, "lD");
	for (const char *c = order; *c; c++)
		for (size_t i = 0; i < r->n_trace; i++)
			if (r->trace[i] == *c)
				sorted[n++] = *c;
	sorted[n] = '\0';
	memcpy(r->trace, sorted, n + 1);
}

RT_TEST(output_end_of_pipes_and_exit_are_told_then_it_is_over)
{
	struct rec r;

	start(&r, "read line; echo got $line; echo oops >&2; exit 7", &piped);
	ck_assert_ptr_null(rv_process_stdin(r.process));
	ck_assert_ptr_null(rv_process_pipe(r.process, -1));
	ck_assert_ptr_null(rv_process_pipe(r.process, 3));
	ck_assert_int_eq(
		rv_transport_write(rv_process_pipe(r.process, 0), "it\n", 3), 0);
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	sort_trace(&r);
	ck_assert_str_eq(r.trace, "012xlD");
	ck_assert_uint_eq(r.out[1].end, 7);
	ck_assert_mem_eq(r.out[1].data, "got it\n", 7);
	ck_assert_uint_eq(r.out[2].end, 5);
	ck_assert_mem_eq(r.out[2].data, "oops\n", 5);
	ck_assert_int_eq(r.status, 7);
	ck_assert_int_eq(r.err, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(r.pipe_err[i], 0);
		ck_assert_ptr_null(rv_process_pipe(r.process, i));
	}
	ck_assert_int_eq(rv_process_wait(r.process, NULL), 0);
	rec_deinit(&r);
	return 0;
}

RT_TEST(who_holds_the_pipes_delays_their_end_but_not_the_exit)
{
	struct rec r;

	/* the one that stays behind ends when its stdin does */
	start(&r, "exec 3<&0; cat <&3 & exit 0", &piped);
	ck_assert_int_eq(rv_process_wait(r.process, NULL), 0);
	while (!strchr(r.trace, 'x'))
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_str_eq(r.trace, "x");
	ck_assert_int_eq(rv_transport_write(rv_process_pipe(r.process, 0), "on", 2), 0);
	ck_assert_int_eq(rv_transport_write_eof(rv_process_pipe(r.process, 0)), 0);
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	ck_assert_uint_eq(r.out[1].end, 2);
	ck_assert_int_eq(r.err, 0);
	rec_deinit(&r);
	return 0;
}

RT_TEST(child_without_pipes_has_an_exit_only)
{
	struct rec r;

	start(&r, "exit 3", NULL);
	ck_assert_ptr_null(rv_process_pipe(r.process, 1));
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	ck_assert_str_eq(r.trace, "xlD");
	ck_assert_int_eq(r.status, 3);
	rec_deinit(&r);
	return 0;
}

RT_TEST(writing_too_much_to_stdin_pauses)
{
	enum { N = 4 << 20 };
	char *in = calloc(1, N);
	struct rec r;

	start(&r, "read go; wc -c", &piped);
	r.close_stdin_when_drained = true;
	ck_assert_int_eq(rv_transport_write(rv_process_pipe(r.process, 0), in, N), 0);
	ck_assert_str_eq(r.trace, "p"); /* from inside */
	ck_assert_int_eq(
		rv_transport_write(rv_process_pipe(r.process, 0), "\nrest", 5), 0);
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	ck_assert_int_eq(r.trace[1], 'r');
	ck_assert_uint_eq(r.out[1].end, 2);
	ck_assert_mem_eq(r.out[1].data, "4\n", 2);
	rec_deinit(&r);
	free(in);
	return 0;
}

RT_TEST(dropped_child_is_killed_and_told_of_to_its_end)
{
	struct rec r;

	start(&r, "echo up; exec sleep 1000", &piped);
	r.unref_at_data = true;
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	ck_assert_ptr_null(r.process);
	sort_trace(&r);
	ck_assert_str_eq(r.trace, "012xlD");
	rec_deinit(&r);
	start(&r, "exit 0", &piped);
	r.unref_at_exit = true;
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	sort_trace(&r);
	ck_assert_str_eq(r.trace, "012xlD");
	ck_assert_int_eq(r.status, 0);
	rec_deinit(&r);
	return 0;
}

RT_TEST(signals_end_it)
{
	struct rec r;

	start(&r, "exec sleep 1000", &piped);
	ck_assert_int_eq(rv_process_terminate(r.process), 0);
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	ck_assert_int_eq(r.status, -SIGTERM);
	ck_assert_int_eq(rv_process_terminate(r.process), -ESRCH);
	rec_deinit(&r);
	return 0;
}

static int exec_true(void *rec)
{
	char *const argv[] = {RT_W("true"), NULL};
	struct rec *r = rec;

	return rv_exec_protocol(argv, &piped, &r->protocol, &r->process);
}

static void no_children_left(void)
{
	siginfo_t si;

	while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(errno, ECHILD);
}

RT_TEST(what_could_not_be_started_is_told_to_nobody)
{
	char *const missing[] = {RT_W("/nonexistent/program"), NULL};
	rv_protocol none = {NULL};
	struct rec r;
	int n;

	rec_init(&r);
	/* what the loop opens once, and keeps */
	ck_assert_int_eq(exec_true(&r), 0);
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	rec_deinit(&r);
	n = n_open_fds();
	rec_init(&r);
	ck_assert_int_eq(
		rv_exec_protocol(missing, &piped, &r.protocol, &r.process), -ENOENT);
	ck_assert_int_eq(rv_exec_protocol(missing, &piped, NULL, &r.process), -EINVAL);
	ck_assert_int_eq(rv_exec_protocol(missing, &piped, &none, &r.process), -EINVAL);
	ck_assert_ptr_null(r.process);
	ck_assert_int_eq(alloc_fail_sweep(exec_true, &r), 0);
	ck_assert_str_eq(r.trace, ""); /* not by those that failed */
	ck_assert_int_eq(rv_event_wait(&r.over), 0);
	sort_trace(&r);
	ck_assert_str_eq(r.trace, "012xlD");
	rec_deinit(&r);
	no_children_left();
	ck_assert_int_eq(n_open_fds(), n);
	return 0;
}

static struct rec left;

static int leave_it(void *cmd)
{
	rt_catch_reports();
	start(&left, cmd, &piped);
	return 0;
}

START_TEST(closing_the_loop_tells_of_the_end_but_of_no_exit)
{
	int status;

	rt_reset();
	ck_assert_int_eq(rv_run(leave_it, RT_W("exec sleep 1000"), NULL), 0);
	ck_assert_uint_eq(rt_reported.n, 4); /* the child and its pipes */
	ck_assert_str_eq(left.trace, "012lD");
	ck_assert_int_eq(left.err, -RV_ELOOPCLOSED);
	ck_assert_int_eq(waitpid(rv_process_pid(left.process), &status, 0),
		rv_process_pid(left.process));
	ck_assert(WIFSIGNALED(status));
	rec_deinit(&left);
}
END_TEST

static int leave_ended(void *unused)
{
	rt_catch_reports();
	start(&left, "exit 0", NULL);
	/* known to have ended in the very round that is the last */
	return rv_process_wait(left.process, NULL);
}

START_TEST(exit_that_was_seen_is_told_when_the_loop_closes)
{
	rt_reset();
	ck_assert_int_eq(rv_run(leave_ended, NULL, NULL), 0);
	ck_assert_uint_eq(rt_reported.n, 0);
	ck_assert_str_eq(left.trace, "xlD");
	ck_assert_int_eq(left.err, 0);
	rec_deinit(&left);
}
END_TEST

UNIT_MAIN("process_protocol", output_end_of_pipes_and_exit_are_told_then_it_is_over,
	who_holds_the_pipes_delays_their_end_but_not_the_exit,
	child_without_pipes_has_an_exit_only, writing_too_much_to_stdin_pauses,
	dropped_child_is_killed_and_told_of_to_its_end, signals_end_it,
	what_could_not_be_started_is_told_to_nobody,
	closing_the_loop_tells_of_the_end_but_of_no_exit,
	exit_that_was_seen_is_told_when_the_loop_closes)
