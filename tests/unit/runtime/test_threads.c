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

RT_TEST(cancelled_call_that_runs_is_waited_for)
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

/* -- signals
 * --------------------------------------------------------------------------------- */

static void *send_usr1(void *pid)
{
	ck_assert_int_eq(kill(*(pid_t *)pid, SIGUSR1), 0);
	return NULL;
}

static void on_usr1(void *l)
{
	free(malloc(1)); /* normal context */
	rt_add("usr1");
	rv_loop_stop(l);
}

START_TEST(b215_signal_wakes_a_sleeping_loop_and_runs_in_normal_context)
{
	pid_t pid = getpid();
	pthread_t thread;
	rv_loop *l;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, on_usr1, l), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, send_usr1, &pid), 0);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_str_eq(rt_trace, "usr1");
	rv_loop_unref(l);
}
END_TEST

RT_TEST(b216_signals_that_cannot_be_handled_are_refused)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(rv_signal_on(l, SIGKILL, on_usr1, l), -EINVAL);
	ck_assert_int_eq(rv_signal_on(l, SIGSTOP, on_usr1, l), -EINVAL);
	ck_assert_int_eq(rv_signal_on(l, 0, on_usr1, l), -EINVAL);
	ck_assert_int_eq(rv_signal_on(l, 1000, on_usr1, l), -EINVAL);
	ck_assert(!rv_signal_off(l, SIGUSR1));
	ck_assert(!rv_signal_off(l, 1000));
	return 0;
}

static void old_handler(int sig)
{
}

START_TEST(b217_disposition_comes_back_by_removal_and_by_close)
{
	struct sigaction sa = {.sa_handler = old_handler}, now;
	rv_loop *l;

	ck_assert_int_eq(sigaction(SIGUSR1, &sa, NULL), 0);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, on_usr1, l), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR2, on_usr1, l), 0);
	ck_assert(rv_signal_off(l, SIGUSR1));
	ck_assert_int_eq(sigaction(SIGUSR1, NULL, &now), 0);
	ck_assert(now.sa_handler == old_handler);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_int_eq(sigaction(SIGUSR2, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
	rv_loop_unref(l);
}
END_TEST

RT_TEST(b219_signal_of_a_forked_child_is_not_seen_here)
{
	int status;
	pid_t pid;

	ck_assert_int_eq(
		rv_signal_on(rv_loop_current(), SIGUSR1, rt_cb_add, RT_W("seen")), 0);
	pid = vfork(); /* shares the memory, as every spawn does */
	if (pid == 0) {
		(void)kill(getpid(), SIGUSR1);
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	rt_settle(200);
	ck_assert_str_eq(rt_trace, "");
	return 0;
}

static void off_itself(void *l)
{
	rt_add("once");
	ck_assert(rv_signal_off(l, SIGUSR1));
}

RT_TEST(b220_callback_removes_itself_and_queued_ones_are_ignored)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, off_itself, l), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(5)), 0);
	ck_assert_str_eq(rt_trace, "once");
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, rt_cb_add, RT_W("never")), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert(rv_signal_off(l, SIGUSR1)); /* pending, not dispatched */
	ck_assert_int_eq(rv_sleep(RV_MS(5)), 0);
	ck_assert_str_eq(rt_trace, "once");
	return 0;
}

RT_TEST(burst_of_one_signal_does_not_displace_another)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, rt_cb_add, RT_W("1")), 0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR2, rt_cb_add, RT_W("2")), 0);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(5)), 0);
	ck_assert_str_eq(rt_trace, "1 2");
	return 0;
}

static int wait_signals(void *arg)
{
	siginfo_t si;
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	r = rv_signal_wait(&set, &si);
	if (r > 0)
		ck_assert_int_eq(si.si_signo, r);
	return r;
}

RT_TEST(waiting_for_signals_returns_the_number_and_restores)
{
	struct sigaction now;
	rv_task *t = rv_spawn(wait_signals, NULL), *u;

	rt_settle(1);
	u = rv_spawn(wait_signals, NULL);
	rt_settle(1);
	ck_assert(rv_task_cancel(u));
	ck_assert_int_eq(rv_task_join(u, NULL), -ECANCELED);
	ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), SIGUSR2);
	ck_assert_int_eq(sigaction(SIGUSR2, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
	rv_task_unref(t);
	rv_task_unref(u);
	return 0;
}

/* -- runner
 * -------------------------------------------------------------------------------------
 */

RT_TEST(b226_run_inside_a_running_loop_is_refused)
{
	rv_runner *r;

	ck_assert_int_eq(rv_run(rt_nop, NULL, NULL), -RV_ERUNNING);
	ck_assert_int_eq(rv_runner_new(&r, NULL), -RV_ERUNNING);
	return 0;
}

static int says_cancelled(void *arg)
{
	int r = rv_sleep(RV_SEC(60));

	rt_add(r == -ECANCELED ? "cancelled" : "?");
	return arg ? -EIO : r;
}

static int leaves_tasks(void *arg)
{
	rt_catch_reports();
	rv_task_unref(rv_spawn(says_cancelled, NULL));
	rv_task_unref(rv_spawn(says_cancelled, arg));
	rt_settle(1);
	return 3;
}

START_TEST(b227_tasks_left_by_main_are_cancelled_and_their_errors_reported)
{
	rt_reset();
	ck_assert_int_eq(rv_run(leaves_tasks, rt_trace, NULL), 3);
	ck_assert_str_eq(rt_trace, "cancelled cancelled");
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rt_reported.err, -EIO);
}
END_TEST

static int interrupt_self(void *spin)
{
	int r;

	ck_assert_int_eq(kill(getpid(), SIGINT), 0);
	do
		r = spin ? rv_sleep(0) : rv_sleep(RV_SEC(60));
	while (r == 0);
	rt_add(rv_cancel_reason());
	return r;
}

START_TEST(b228_first_sigint_cancels_main_also_when_it_spins)
{
	struct sigaction now;

	rt_reset();
	ck_assert_int_eq(signal(SIGINT, SIG_DFL) == SIG_ERR, 0);
	ck_assert_int_eq(rv_run(interrupt_self, NULL, NULL), -EINTR);
	ck_assert_int_eq(rv_run(interrupt_self, rt_trace, NULL), -EINTR);
	ck_assert_str_eq(rt_trace, "interrupted interrupted");
	ck_assert_int_eq(sigaction(SIGINT, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
}
END_TEST

static int interrupt_twice(void *arg)
{
	(void)kill(getpid(), SIGINT);
	(void)kill(getpid(), SIGINT); /* the loop has not even seen the first */
	return 0;
}

static void run_interrupted_twice(void)
{
	(void)signal(SIGINT, SIG_DFL);
	(void)rv_run(interrupt_twice, NULL, NULL);
}

START_TEST(b228_second_sigint_has_its_default_action)
{
	ck_assert_int_eq(unit_signal_of(run_interrupted_twice), SIGINT);
}
END_TEST

START_TEST(b230_runner_runs_again_until_it_is_closed)
{
	rv_runner *r;

	rt_reset();
	ck_assert_int_eq(rv_runner_new(&r, NULL), 0);
	ck_assert_int_eq(rv_runner_run(r, rt_say, RT_W("a")), 0);
	ck_assert_int_eq(rv_runner_run(r, rt_say, RT_W("b")), 0);
	ck_assert_int_eq(rv_runner_close(r), 0);
	ck_assert_int_eq(rv_runner_close(r), 0);
	ck_assert_int_eq(rv_runner_run(r, rt_say, RT_W("c")), -RV_ELOOPCLOSED);
	rv_runner_free(r);
	ck_assert_str_eq(rt_trace, "a b");
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
	cancelled_call_that_runs_is_waited_for,
	cancelled_call_that_is_queued_does_not_run,
	abandoned_call_returns_at_once_and_frees_its_argument_later,
	abandoned_call_may_end_before_its_task_runs_again,
	many_callers_share_few_threads,
	b223_executor_shutdown_times_out_and_then_refuses,
	b225_call_that_ends_after_its_loop_closed_is_dropped,
	b215_signal_wakes_a_sleeping_loop_and_runs_in_normal_context,
	b216_signals_that_cannot_be_handled_are_refused,
	b217_disposition_comes_back_by_removal_and_by_close,
	b219_signal_of_a_forked_child_is_not_seen_here,
	b220_callback_removes_itself_and_queued_ones_are_ignored,
	burst_of_one_signal_does_not_displace_another,
	waiting_for_signals_returns_the_number_and_restores,
	b226_run_inside_a_running_loop_is_refused,
	b227_tasks_left_by_main_are_cancelled_and_their_errors_reported,
	b228_first_sigint_cancels_main_also_when_it_spins,
	b228_second_sigint_has_its_default_action,
	b230_runner_runs_again_until_it_is_closed,
	dump_names_tasks_and_what_they_wait_for)
