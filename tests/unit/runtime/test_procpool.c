/* Worker processes. */
#include "rt.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reeve/procpool.h"

/* -- in the workers ---------------------------------------------------------------- */

static int sum(const void *in, size_t n_in, rv_buf *out)
{
	const char *p = in;
	int total = 0;

	for (size_t i = 0; i < n_in; i++)
		total += p[i];
	return total;
}

static int repeat(const void *in, size_t n_in, rv_buf *out)
{
	out->n = n_in * 3;
	out->data = malloc(out->n);
	for (size_t i = 0; out->data && i < 3; i++)
		memcpy(out->data + i * n_in, in, n_in);
	return out->data ? 0 : -ENOMEM;
}

static int fail_it(const void *in, size_t n_in, rv_buf *out)
{
	out->data = strdup("dropped");
	out->n = 7;
	return -EDOM;
}

static int crash(const void *in, size_t n_in, rv_buf *out)
{
	signal(SIGKILL, SIG_DFL);
	return kill(getpid(), SIGKILL);
}

static int leave(const void *in, size_t n_in, rv_buf *out)
{
	_exit(9);
}

static int hang(const void *in, size_t n_in, rv_buf *out)
{
	while (pause() < 0)
		;
	return 0;
}

static int tell_pid(const void *in, size_t n_in, rv_buf *out)
{
	return (int)getpid();
}

static const rv_procpool_fn fns[] = {{"sum", sum}, {"repeat", repeat},
	{"fail", fail_it}, {"crash", crash}, {"leave", leave}, {"hang", hang},
	{"pid", tell_pid}};

/* -- in the pool ------------------------------------------------------------------- */

static rv_procpool *pool_of(unsigned workers)
{
	const rv_procpool_opts o = {.workers = workers, .bytes_max = 4 << 20};
	rv_procpool *p;

	ck_assert_int_eq(rv_procpool_new(&p, &o), 0);
	return p;
}

static int call(rv_procpool *p, const char *name)
{
	return rv_procpool_call(p, name, NULL, 0, NULL);
}

RT_TEST(function_is_called_by_its_name_in_another_process)
{
	enum { N = 1 << 20 };
	rv_procpool *p = pool_of(1);
	char *big = malloc(N);
	rv_buf out;

	ck_assert_uint_eq(rv_procpool_workers(p), 0);
	ck_assert_int_eq(rv_procpool_call(p, "sum", "\1\2\3", 3, NULL), 6);
	ck_assert_int_ne(call(p, "pid"), (int)getpid());
	memset(big, 'x', N);
	ck_assert_int_eq(rv_procpool_call(p, "repeat", big, N, &out), 0);
	ck_assert_uint_eq(out.n, 3 * N);
	ck_assert_int_eq(memcmp(out.data + 2 * N, big, N), 0);
	rv_buf_free(&out);
	ck_assert_uint_eq(rv_procpool_workers(p), 1);
	rv_procpool_free(p);
	free(big);
	return 0;
}

RT_TEST(errors_come_back_and_leave_the_worker)
{
	enum { N = 2 << 20 };
	rv_procpool *p = pool_of(1);
	int pid = call(p, "pid");
	char *big = calloc(1, 3 * N);
	rv_buf out;

	ck_assert_int_eq(rv_procpool_call(p, "fail", NULL, 0, &out), -EDOM);
	ck_assert_ptr_null(out.data);
	ck_assert_int_eq(call(p, "no such function"), -ENOENT);
	/* three times as much comes back */
	ck_assert_int_eq(rv_procpool_call(p, "repeat", big, N, &out), -EMSGSIZE);
	ck_assert_int_eq(rv_procpool_call(p, "sum", big, 3 * N, NULL), -EMSGSIZE);
	ck_assert_int_eq(rv_procpool_call(p, NULL, NULL, 0, NULL), -EINVAL);
	ck_assert_int_eq(call(p, "pid"), pid);
	rv_procpool_free(p);
	free(big);
	return 0;
}

RT_TEST(crashed_worker_fails_its_call_and_is_replaced)
{
	rv_procpool *p = pool_of(1);
	int pid = call(p, "pid");

	ck_assert_int_eq(call(p, "crash"), -EPIPE);
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), "signal 9"));
	ck_assert_uint_eq(rv_procpool_workers(p), 0);
	ck_assert_int_eq(call(p, "leave"), -EPIPE);
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), "exit code 9"));
	ck_assert_int_ne(call(p, "pid"), pid);
	rv_procpool_free(p);
	return 0;
}

/* until it is dead; the pool's loop is not told, nor is it reaped */
static void kill_wait(int pid)
{
	siginfo_t si;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
}

static int call_sum(void *p)
{
	return rv_procpool_call(p, "sum", "\1\2\3", 3, NULL);
}

RT_TEST(worker_that_died_idle_fails_no_call)
{
	enum { N = 2 << 20 }; /* more than a socket takes */
	rv_procpool *p = pool_of(1);
	int pid = call(p, "pid"), status;
	char *big = calloc(1, N);
	rv_task *t;

	/* nobody has noticed */
	kill_wait(pid);
	ck_assert_int_eq(call_sum(p), 6);
	ck_assert_uint_eq(rv_procpool_workers(p), 1);
	pid = call(p, "pid");
	kill_wait(pid);
	ck_assert_int_eq(rv_procpool_call(p, "sum", big, N, NULL), 0);
	/* the loop has heard of it */
	pid = call(p, "pid");
	kill_wait(pid);
	rt_settle(100);
	ck_assert_int_eq(call_sum(p), 6);
	/* the call is in its socket already, and it never comes to it */
	pid = call(p, "pid");
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	t = rv_spawn(call_sum, p);
	rt_settle(2);
	kill_wait(pid);
	ck_assert_int_eq(rv_task_join(t, NULL), 6);
	rv_task_unref(t);
	rv_procpool_free(p);
	free(big);
	return 0;
}

static int call_hang(void *p)
{
	return call(p, "hang");
}

static int call_pid(void *p)
{
	return call(p, "pid");
}

RT_TEST(cancelled_call_kills_its_worker)
{
	rv_procpool *p = pool_of(1);
	rv_task *hanging, *next;

	ck_assert_int_gt(call(p, "pid"), 0);
	hanging = rv_spawn(call_hang, p);
	next = rv_spawn(call_pid, p);
	rt_settle(2);
	ck_assert(!rv_task_done(next)); /* there is one worker */
	ck_assert(rv_task_cancel(hanging));
	ck_assert_int_eq(rv_task_join(hanging, NULL), -ECANCELED);
	ck_assert_int_gt(rv_task_join(next, NULL), 0);
	rv_task_unref(hanging);
	rv_task_unref(next);
	rv_procpool_free(p);
	return 0;
}

RT_TEST(calls_share_the_workers_there_are)
{
	rv_procpool *p = pool_of(2);
	rv_call calls[8];
	rv_outcome out[8];
	int a = 0, b = 0;

	for (int i = 0; i < 8; i++)
		calls[i] = (rv_call){call_pid, p, NULL};
	ck_assert_int_eq(rv_gather_calls(calls, 8, 0, out), 0);
	for (int i = 0; i < 8; i++) {
		if (!a || out[i].err == a)
			a = out[i].err;
		else if (!b || out[i].err == b)
			b = out[i].err;
		else
			ck_abort_msg("a third worker");
	}
	ck_assert_uint_le(rv_procpool_workers(p), 2);
	rv_procpool_shutdown(p);
	ck_assert_uint_eq(rv_procpool_workers(p), 0);
	ck_assert_int_eq(call(p, "pid"), -RV_ESHUTDOWN);
	rv_procpool_free(p);
	return 0;
}

RT_TEST(program_that_is_no_worker_or_is_not_there_fails_the_call)
{
	rv_procpool_opts o = {.program = "/nonexistent/worker"};
	rv_procpool *p;

	ck_assert_int_eq(rv_procpool_new(&p, &o), 0);
	ck_assert_int_eq(call(p, "pid"), -ENOENT);
	rv_procpool_free(p);
	o.program = "/bin/true";
	ck_assert_int_eq(rv_procpool_new(&p, &o), 0);
	ck_assert_int_eq(call(p, "pid"), -EPIPE);
	rv_procpool_free(p);
	rv_procpool_free(NULL);
	return 0;
}

int main(void)
{
	static const TTest *tests[7];
	int r = rv_procpool_main(fns, sizeof(fns) / sizeof(fns[0]));

	if (r >= 0)
		return r;
	tests[0] = function_is_called_by_its_name_in_another_process;
	tests[1] = errors_come_back_and_leave_the_worker;
	tests[2] = crashed_worker_fails_its_call_and_is_replaced;
	tests[3] = cancelled_call_kills_its_worker;
	tests[4] = calls_share_the_workers_there_are;
	tests[5] = program_that_is_no_worker_or_is_not_there_fails_the_call;
	tests[6] = worker_that_died_idle_fails_no_call;
	return unit_run("procpool", NULL, NULL, tests, 7);
}
