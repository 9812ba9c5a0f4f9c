/* Wake-ups, executor, signals, runner: what threads and signals touch (2.1, 2.13
 * to 2.15). */
#include "rt.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- posts
 * ------------------------------------------------------------------------------ */

static void stop_cb(void *l)
{
	rv_loop_stop(l);
}

static void *post_stop(void *l)
{
	ck_assert_int_eq(rv_call_soon_threadsafe(l, stop_cb, l), 0);
	return NULL;
}

START_TEST(b020_post_wakes_a_sleeping_loop)
{
	pthread_t thread;
	rv_loop *l;

	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, post_stop, l), 0);
		ck_assert_int_eq(rv_loop_run_forever(l), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	}
	rv_loop_unref(l);
}
END_TEST

enum { POSTERS = 4, POSTS = 2000 };

struct poster {
	pthread_t thread;
	rv_loop *l;
	int id;
	int n_accepted;
};

static int last_of[POSTERS], n_ran;
static struct poster posters[POSTERS];

struct parcel {
	int poster, seq;
};

static void parcel_arrived(void *arg)
{
	struct parcel *p = arg;

	/* in order per thread */
	ck_assert_int_eq(p->seq, last_of[p->poster] + 1);
	last_of[p->poster] = p->seq;
	n_ran++;
	free(p);
}

static void *post_many(void *arg)
{
	struct poster *me = arg;

	for (int i = 1; i <= POSTS; i++) {
		struct parcel *p = malloc(sizeof(*p));

		p->poster = me->id;
		p->seq = i;
		if (rv_call_soon_threadsafe(me->l, parcel_arrived, p) < 0) {
			free(p);
			break;
		}
		me->n_accepted++;
	}
	rv_loop_unref(me->l);
	return NULL;
}

static void posters_start(rv_loop *l)
{
	n_ran = 0;
	for (int i = 0; i < POSTERS; i++) {
		last_of[i] = 0;
		posters[i] = (struct poster){.l = rv_loop_ref(l), .id = i};
		ck_assert_int_eq(pthread_create(&posters[i].thread, NULL, post_many,
					 &posters[i]),
			0);
	}
}

static int posters_join(void)
{
	int n = 0;

	for (int i = 0; i < POSTERS; i++) {
		ck_assert_int_eq(pthread_join(posters[i].thread, NULL), 0);
		n += posters[i].n_accepted;
	}
	return n;
}

START_TEST(posts_of_many_threads_all_run_in_order)
{
	rv_loop *l;

	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	posters_start(l);
	while (n_ran < POSTERS * POSTS)
		ck_assert_int_eq(rv_loop_run_once(l, RV_SEC(10)), 0);
	ck_assert_int_eq(posters_join(), n_ran);
	rv_loop_unref(l);
}
END_TEST

START_TEST(b022_posts_while_the_loop_closes_run_or_are_refused)
{
	for (int round = 0; round < 5; round++) {
		rv_loop *l;

		ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
		posters_start(l);
		for (int i = 0; i < round; i++)
			ck_assert_int_eq(rv_loop_run_once(l, 0), 0);
		ck_assert_int_eq(rv_loop_close(l), 0);
		rv_loop_unref(l);
		ck_assert_int_eq(posters_join(), n_ran);
	}
}
END_TEST

/* -- executor
 * ----------------------------------------------------------------------------- */

static int in_thread(void *arg)
{
	ck_assert_ptr_null(rv_task_self());
	ck_assert_ptr_null(rv_loop_current());
	return (int)(intptr_t)arg;
}

RT_TEST(b221_result_of_the_thread_comes_back)
{
	ck_assert_int_eq(rv_run_blocking(NULL, in_thread, (void *)(intptr_t)5), 5);
	ck_assert_int_eq(
		rv_run_blocking(NULL, in_thread, (void *)(intptr_t)-EIO), -EIO);
	return 0;
}

static int ask_mask(void *arg)
{
	sigset_t set;

	return pthread_sigmask(SIG_SETMASK, NULL, &set) == 0 &&
	       sigismember(&set, SIGTERM) && sigismember(&set, SIGINT);
}

RT_TEST(threads_block_signals)
{
	ck_assert_int_eq(rv_run_blocking(NULL, ask_mask, NULL), 1);
	return 0;
}

/* blocks until something is written to the pipe */
static int read_pipe(void *fds)
{
	char c;

	return read(((int *)fds)[0], &c, 1) == 1 ? c : -errno;
}

struct call {
	rv_executor *e;
	rv_fn fn;
	void *arg;
};

static int call_blocking(void *arg)
{
	struct call *c = arg;

	return rv_run_blocking(c->e, c->fn, c->arg);
}

RT_TEST(d09_cancelled_call_that_runs_is_waited_for)
{
	int p[2];
	struct call c = {.fn = read_pipe, .arg = p};
	rv_executor_opts o = {.threads_max = 1};
	rv_task *t;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_executor_new(&c.e, &o), 0);
	t = rv_spawn(call_blocking, &c);
	while (rv_executor_busy(c.e) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert(rv_task_cancel(t));
	rt_settle(10);
	ck_assert(!rv_task_done(t));
	ck_assert_int_eq(write(p[1], "A", 1), 1);
	ck_assert_int_eq(rv_task_join(t, NULL), 'A');
	rv_task_unref(t);
	rv_executor_unref(c.e);
	close(p[0]);
	close(p[1]);
	return 0;
}

RT_TEST(cancelled_call_that_is_queued_does_not_run)
{
	int p[2];
	struct call c = {.fn = read_pipe, .arg = p}, d = {.fn = rt_say};
	rv_executor_opts o = {.threads_max = 1, .queue_max = 1};
	rv_task *t, *u;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_executor_new(&c.e, &o), 0);
	d.e = c.e;
	d.arg = RT_W("ran");
	t = rv_spawn(call_blocking, &c);
	while (rv_executor_busy(c.e) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	u = rv_spawn(call_blocking, &d);
	rt_settle(1);
	ck_assert_int_eq(rv_run_blocking(c.e, rt_nop, NULL), -EAGAIN); /* queue_max */
	ck_assert(rv_task_cancel(u));
	ck_assert_int_eq(rv_task_join(u, NULL), -ECANCELED);
	ck_assert_int_eq(write(p[1], "A", 1), 1);
	ck_assert_int_eq(rv_task_join(t, NULL), 'A');
	ck_assert_int_eq(rv_executor_shutdown(c.e, RV_SEC(10)), 0);
	ck_assert_int_eq(rv_run_blocking(c.e, rt_nop, NULL), -RV_ESHUTDOWN);
	ck_assert_str_eq(rt_trace, "");
	rv_task_unref(t);
	rv_task_unref(u);
	rv_executor_unref(c.e);
	close(p[0]);
	close(p[1]);
	return 0;
}

struct pipe_arg {
	int fd[2];
	atomic_int *n_freed;
};

static int read_pipe_arg(void *arg)
{
	return read_pipe(((struct pipe_arg *)arg)->fd);
}

static void pipe_arg_free(void *arg)
{
	struct pipe_arg *a = arg;

	atomic_fetch_add(a->n_freed, 1);
	free(a);
}

static int call_abandonable(void *arg)
{
	struct call *c = arg;

	return rv_run_blocking_ex(c->e, c->fn, c->arg, pipe_arg_free, RV_BLOCK_ABANDON);
}

RT_TEST(abandoned_call_returns_at_once_and_frees_its_argument_later)
{
	static atomic_int n_freed;
	struct pipe_arg *a = malloc(sizeof(*a));
	struct call c = {.fn = read_pipe_arg, .arg = a};
	rv_task *t;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	*a = (struct pipe_arg){.fd = {p[0], p[1]}, .n_freed = &n_freed};
	ck_assert_int_eq(rv_executor_new(&c.e, NULL), 0);
	t = rv_spawn(call_abandonable, &c);
	while (rv_executor_busy(c.e) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_int_eq(atomic_load(&n_freed), 0);
	ck_assert_int_eq(write(p[1], "A", 1), 1);
	ck_assert_int_eq(rv_executor_shutdown(c.e, RV_SEC(10)), 0);
	ck_assert_int_eq(atomic_load(&n_freed), 1);
	rv_task_unref(t);
	rv_executor_unref(c.e);
	close(p[0]);
	close(p[1]);
	return 0;
}

/* The thread frees what it was left with; the task must not look at that any more. */
RT_TEST(abandoned_call_may_end_before_its_task_runs_again)
{
	static atomic_int n_freed;
	struct pipe_arg *a = malloc(sizeof(*a));
	struct call c = {.fn = read_pipe_arg, .arg = a};
	rv_task *t;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	*a = (struct pipe_arg){.fd = {p[0], p[1]}, .n_freed = &n_freed};
	ck_assert_int_eq(rv_executor_new(&c.e, NULL), 0);
	t = rv_spawn(call_abandonable, &c);
	while (rv_executor_busy(c.e) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(write(p[1], "A", 1), 1);
	ck_assert_int_eq(rv_executor_shutdown(c.e, RV_SEC(60)), 0); /* no await */
	ck_assert_int_eq(atomic_load(&n_freed), 1);
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	rv_executor_unref(c.e);
	close(p[0]);
	close(p[1]);
	return 0;
}

static int call_nop(void *arg)
{
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(rv_run_blocking(NULL, rt_nop, NULL), 0);
	return 0;
}

RT_TEST(many_callers_share_few_threads)
{
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	for (int i = 0; i < 64; i++)
		ck_assert_ptr_nonnull(rv_group_spawn(&g, call_nop, NULL));
	return rv_group_exit(&g, 0);
}

RT_TEST(b223_executor_shutdown_times_out_and_then_refuses)
{
	int p[2];
	struct call c = {.fn = read_pipe, .arg = p};
	rv_loop *l = rv_loop_current();
	rv_task *t;

	rt_catch_reports();
	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	t = rv_spawn(call_blocking, &c);
	rt_settle(1);
	ck_assert_int_eq(rv_loop_shutdown_executor(l, RV_MS(5)), -ETIMEDOUT);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_str_eq(
		rt_reported.message, "executor threads still busy at shutdown: 1");
	ck_assert_int_eq(rv_run_blocking(NULL, rt_nop, NULL), -RV_ESHUTDOWN);
	ck_assert_int_eq(write(p[1], "A", 1), 1);
	ck_assert_int_eq(rv_task_join(t, NULL), 'A');
	ck_assert_int_eq(rv_loop_shutdown_executor(l, RV_SEC(10)), 0);
	rv_task_unref(t);
	close(p[0]);
	close(p[1]);
	return 0;
}

static void no_report(rv_loop *l, const rv_exc *e, void *arg)
{
}

START_TEST(b225_call_that_ends_after_its_loop_closed_is_dropped)
{
	static int p[2];
	static struct call c = {.fn = read_pipe, .arg = p};
	rv_task_opts o = {0};
	rv_loop *l;
	rv_task *t;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_executor_new(&c.e, NULL), 0);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	rv_loop_set_exception_handler(l, no_report, NULL);
	o.loop = l;
	ck_assert_int_eq(rv_spawn_ex(&t, &o, call_blocking, &c), 0);
	ck_assert_int_eq(rv_loop_run_once(l, 0), 0);
	ck_assert_int_eq(rv_loop_close(l), 0);
	rv_loop_unref(l);
	ck_assert_int_eq(write(p[1], "A", 1), 1);
	ck_assert_int_eq(rv_executor_shutdown(c.e, RV_SEC(10)), 0);
	rv_executor_unref(c.e);
	rv_task_unref(t);
	close(p[0]);
	close(p[1]);
}
END_TEST

RT_TEST(dump_names_tasks_and_what_they_wait_for)
{
	rv_task_opts o = {.name = "waiter"};
	char text[1024] = "";
	rv_event e;
	rv_task *t;
	int p[2];

	rv_event_init(&e);
	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(rv_spawn_ex(&t, &o, (rv_fn)rt_sleep_long, &e), 0);
	rt_settle(1);
	rv_debug_dump_tasks(rv_loop_current(), p[1]);
	ck_assert_int_gt(read(p[0], text, sizeof(text) - 1), 0);
	ck_assert_ptr_nonnull(strstr(text, "'main' running"));
	ck_assert_ptr_nonnull(strstr(text, "'waiter' waiting: sleep"));
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	close(p[0]);
	close(p[1]);
	return 0;
}

UNIT_MAIN("threads", b020_post_wakes_a_sleeping_loop,
	posts_of_many_threads_all_run_in_order,
	b022_posts_while_the_loop_closes_run_or_are_refused,
	b221_result_of_the_thread_comes_back, threads_block_signals,
	d09_cancelled_call_that_runs_is_waited_for,
	cancelled_call_that_is_queued_does_not_run,
	abandoned_call_returns_at_once_and_frees_its_argument_later,
	abandoned_call_may_end_before_its_task_runs_again,
	many_callers_share_few_threads,
	b223_executor_shutdown_times_out_and_then_refuses,
	b225_call_that_ends_after_its_loop_closed_is_dropped,
	dump_names_tasks_and_what_they_wait_for)
