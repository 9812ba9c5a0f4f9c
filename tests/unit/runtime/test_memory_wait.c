/* Without memory: waiting for several, other threads, generators, children, servers. */
#include "rt.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reeve/ctx.h"
#include "reeve/gen.h"
#include "reeve/inet.h"
#include "reeve/process.h"
#include "reeve/procpool.h"
#include "reeve/udp.h"
#include "reeve/wait.h"
#include "tests/support/alloc_fail.h"

/* What is swept makes no assertions: Check allocates as well. */

static void sweep(int (*fn)(void *), void *arg)
{
	ck_assert_int_ge(alloc_fail_sweep(fn, arg), 0);
}

enum { N = 20 };

/* N futures that are done */
static void make_done(rv_future *fs[N])
{
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(rv_future_new(&fs[i], NULL), 0);
		ck_assert_int_eq(rv_future_set(fs[i], NULL, NULL), 0);
	}
}

static int gather(void *fs)
{
	return rv_gather(fs, N, 0, NULL);
}

static int wait_all(void *fs)
{
	return rv_wait(fs, N, RV_WAIT_ALL, RV_FOREVER, NULL);
}

static int as_completed(void *fs)
{
	rv_as_completed it;
	int r = rv_as_completed_init(&it, fs, N, RV_FOREVER);

	rv_as_completed_fini(&it);
	return r;
}

static int shield(void *f)
{
	rv_future *outer;
	int r = rv_future_shield(f, &outer);

	if (r == 0)
		rv_future_unref(outer);
	return r;
}

RT_TEST(waiting_for_several_says_so_and_leaves_them_alone)
{
	rv_future *fs[N], *pending;

	make_done(fs);
	sweep(gather, fs);
	sweep(wait_all, fs);
	sweep(as_completed, fs);
	ck_assert_int_eq(rv_future_new(&pending, NULL), 0);
	sweep(shield, pending);
	ck_assert(!rv_future_done(pending));
	ck_assert(rv_future_cancel(pending));
	rv_future_unref(pending);
	for (int i = 0; i < N; i++)
		rv_future_unref(fs[i]);
	return 0;
}

static int n_live;

static int count_live(void *arg)
{
	int r;

	n_live++;
	r = rv_sleep(RV_US(1));
	n_live--;
	return r;
}

static int gather_calls(void *unused)
{
	const rv_call calls[] = {{count_live, NULL, "one"}, {count_live, NULL, NULL},
		{count_live, NULL, "three"}};
	rv_outcome out[3];

	return rv_gather_calls(calls, 3, 0, out);
}

static int race(void *unused)
{
	const rv_call calls[] = {{count_live, NULL, "one"}, {count_live, NULL, "two"}};
	rv_outcome out[2];

	return rv_race(calls, 2, 0, out);
}

RT_TEST(calls_that_were_begun_have_ended_when_another_cannot_be)
{
	for (int i = 0; i < 3; i++) {
		sweep(gather_calls, NULL);
		ck_assert_int_eq(n_live, 0);
	}
	sweep(race, NULL);
	ck_assert_int_eq(n_live, 0);
	return 0;
}

static int n_freed;

static void count_freed(void *arg)
{
	n_freed++;
}

static int yield_once(rv_gen *g, void *arg)
{
	return rv_gen_yield(g, NULL);
}

static int make_gen(void *unused)
{
	rv_gen *g;
	int r = rv_gen_new(&g, yield_once, NULL, count_freed);

	return r < 0 ? r : rv_gen_close(g);
}

static int submit(void *unused)
{
	rv_xfuture *x;
	int r = rv_submit(rv_loop_current(), rt_nop, NULL, count_freed, &x);

	if (r < 0)
		return r;
	r = rv_xfuture_await(x, NULL);
	rv_xfuture_unref(x);
	return r;
}

static int set_value(void *unused)
{
	static rv_ctx_key key = {"key"};

	return rv_ctx_set(&key, NULL, count_freed);
}

RT_TEST(argument_that_was_taken_over_is_freed_once)
{
	int (*const fns[])(void *) = {make_gen, submit};

	for (size_t i = 0; i < 2; i++) {
		for (size_t n = 1;; n++) {
			bool failed;
			int r;

			n_freed = 0;
			alloc_fail_at(n);
			r = fns[i](NULL);
			failed = alloc_fail_stop();
			ck_assert_int_eq(n_freed, 1);
			ck_assert_int_eq(r, failed ? -ENOMEM : 0);
			if (!failed)
				break;
		}
	}
	n_freed = 0;
	sweep(set_value, NULL);
	ck_assert_int_eq(n_freed, 0); /* what could not be set is the caller's */
	return 0;
}

static int exec_true(void *unused)
{
	const rv_proc_opts o = {.in = {.kind = RV_STDIO_PIPE},
		.out = {.kind = RV_STDIO_PIPE},
		.err = {.kind = RV_STDIO_PIPE}};
	char *const argv[] = {RT_W("/bin/true"), NULL};
	rv_process *p;
	int r = rv_exec(argv, &o, &p);

	if (r == 0)
		rv_process_unref(p);
	return r;
}

static size_t n_failed_starts;
static rv_process *started;

static int exec_sleep(void *unused)
{
	const rv_proc_opts o = {.in = {.kind = RV_STDIO_PIPE},
		.out = {.kind = RV_STDIO_PIPE},
		.err = {.kind = RV_STDIO_PIPE}};
	char *const argv[] = {RT_W("/bin/sleep"), RT_W("1000"), NULL};
	int r = rv_exec(argv, &o, &started);

	n_failed_starts += r < 0;
	return r;
}

static int first_free_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

/* The streams are made when the child runs already. */
RT_TEST(b210_child_that_cannot_be_talked_to_is_killed_and_reaped)
{
	siginfo_t si;
	int fd, status;

	ck_assert_int_eq(exec_true(NULL), 0); /* what the loop opens once */
	while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(errno, ECHILD);
	rt_settle(2);
	fd = first_free_fd();
	sweep(exec_sleep, NULL);
	ck_assert_uint_gt(n_failed_starts, 2);
	ck_assert_int_eq(rv_process_kill(started), 0);
	ck_assert_int_eq(rv_process_wait(started, &status), 0);
	rv_process_unref(started);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	rt_settle(4); /* transports end in later rounds */
	ck_assert_int_eq(first_free_fd(), fd);
	return 0;
}

static int make_procpool(void *unused)
{
	rv_procpool *p;
	int r = rv_procpool_new(&p, NULL);

	if (r == 0)
		rv_procpool_free(p);
	return r;
}

static rv_protocol *no_factory(void *arg)
{
	return NULL;
}

static int listen_somewhere(void *unused)
{
	rv_server *s;
	int r = rv_net_listen("127.0.0.1", "0", no_factory, NULL, NULL, &s);

	if (r == 0) {
		rv_server_close(s);
		rv_server_unref(s);
	}
	return r;
}

static const rv_protocol_ops nothing_ops = {.connection_made = NULL};

static int open_udp(void *unused)
{
	static rv_protocol p = {&nothing_ops};
	const rv_udp_opts o = {.local_host = "127.0.0.1"};
	rv_transport *t;
	int r = rv_udp_open(&o, &p, &t);

	if (r == 0)
		rv_transport_abort(t);
	return r;
}

RT_TEST(what_has_descriptors_and_children_leaves_none)
{
	sweep(exec_true, NULL);
	sweep(make_procpool, NULL);
	sweep(listen_somewhere, NULL);
	sweep(open_udp, NULL);
	rt_settle(2);
	return 0;
}

UNIT_MAIN("memory_wait", waiting_for_several_says_so_and_leaves_them_alone,
	calls_that_were_begun_have_ended_when_another_cannot_be,
	argument_that_was_taken_over_is_freed_once,
	b210_child_that_cannot_be_talked_to_is_killed_and_reaped,
	what_has_descriptors_and_children_leaves_none)
