/* Children of a fork: their copies of the loops are closed, and the parent's go on. */
#include "rt.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reeve/executor.h"
#include "reeve/gen.h"
#include "reeve/process.h"
#include "reeve/stream.h"
#include "reeve/wait.h"
#include "runtime/coro.h"
#include "tests/support/temp_dir.h"

/* In a child no test goes on: what is wrong there is the number of its line. */
#define CHILD_CHECK(x)                             \
	do {                                       \
		if (!(x))                          \
			_exit(__LINE__ % 251 + 1); \
	} while (0)

static pid_t parent;

static bool in_child(void)
{
	return getpid() != parent;
}

static void assert_child_well(pid_t pid)
{
	int status;

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		"child: status %#x, line %% 251 = %d", (unsigned)status,
		WEXITSTATUS(status) - 1);
}

/* Runs main_fn, which forks and returns in both; the child goes no further than this. */
static void run_and_part(rv_fn main_fn)
{
	int r;

	rt_reset();
	parent = getpid();
	r = rv_run(main_fn, NULL, NULL);
	if (in_child()) {
		CHILD_CHECK(r == -RV_ELOOPCLOSED);
		CHILD_CHECK(strcmp(rt_trace, "") == 0);
		_exit(0);
	}
	ck_assert_int_eq(r, 0);
}

/* Where it forks on a task's stack. ThreadSanitizer loses all threads but one in the child,
 * takes each such stack for one, and sees races in what they share from then on. */
static void run_and_part_on_a_stack(rv_fn main_fn)
{
	if (!CORO_TSAN)
		run_and_part(main_fn);
}

static void never(void *unused)
{
	rt_add("never");
}

/* of whom the child has a copy that is ready to run */
static int is_ready(void *arg)
{
	while (rv_sleep(0) == 0)
		if (in_child())
			rt_add("frozen task");
	return 0;
}

static void check_closed(rv_loop *l)
{
	rv_timer t;

	CHILD_CHECK(rv_loop_is_closed(l));
	CHILD_CHECK(rv_loop_current() == l);
	CHILD_CHECK(rv_yield() == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_sleep(RV_MS(1)) == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_checkpoint() == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_wait_fd(0, RV_READ) == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_run_blocking(NULL, rt_nop, NULL) == -RV_ELOOPCLOSED);
	errno = 0;
	CHILD_CHECK(!rv_spawn(rt_nop, NULL) && errno == RV_ELOOPCLOSED);
	CHILD_CHECK(rv_call_soon(l, never, NULL).p == NULL);
	CHILD_CHECK(rv_call_soon_threadsafe(l, never, NULL) == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_loop_stop_threadsafe(l) == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_signal_on(l, SIGUSR2, never, NULL) == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_loop_run_once(l, 0) == -RV_ELOOPCLOSED);
	CHILD_CHECK(rv_loop_close(l) == 0);
	rv_timer_init(&t, l, never, NULL);
	rv_timer_start(&t, 0);
	CHILD_CHECK(!rv_timer_active(&t));
}

/* -- out of a task ------------------------------------------------------------------ */

static void unwatched(int fd, unsigned ev, void *count)
{
	char c;

	while (read(fd, &c, 1) == 1)
		++*(int *)count;
}

struct kept {
	rv_stream *stream;
	rv_server *server;
	rv_process *process;
	rv_watch *watch;
	int pair[2], watched[2], n_watched, n_signals;
	struct temp_dir dir; /* not by its cleanup, which the child would run as well */
	char path[128];
};

static int handle(rv_stream *s, void *arg)
{
	return 0;
}

static void count_signal(void *n)
{
	++*(int *)n;
}

/* what destructors would do to the parent's things */
static void drop_all(struct kept *k)
{
	struct sigaction now;

	CHILD_CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
	rv_stream_close(k->stream);
	rv_stream_unref(k->stream);
	rv_server_close(k->server);
	rv_server_unref(k->server);
	rv_process_unref(k->process);
	(void)rv_fd_unwatch(k->watch);
}

static void assert_all_work(struct kept *k)
{
	const char *line;
	size_t n;

	ck_assert_int_eq(write(k->pair[1], "hello\n", 6), 6);
	ck_assert_int_eq(
		rv_timed(RV_SEC(2), rv_stream_readline(k->stream, &line, &n)), 0);
	ck_assert_int_eq(write(k->watched[1], "x", 1), 1);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(rv_run_blocking(NULL, rt_nop, NULL), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_int_eq(k->n_watched, 1);
	ck_assert_int_eq(k->n_signals, 1);
	ck_assert_int_eq(access(k->path, F_OK), 0);
	ck_assert(!rv_process_exited(k->process));
	ck_assert_int_eq(rv_process_kill(k->process), 0);
	ck_assert_int_eq(rv_process_wait(k->process, NULL), 0);
}

static void make_all(struct kept *k, rv_group *g)
{
	rv_loop *l = rv_loop_current();
	int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, k->pair), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, k->watched), 0);
	ck_assert_int_eq(rv_stream_open_fd(k->pair[0], &k->stream), 0);
	k->dir = temp_dir_make();
	(void)snprintf(k->path, sizeof(k->path), "%s/socket", k->dir.path);
	ck_assert_int_eq(rv_serve_unix(g, k->path, handle, NULL, &k->server), 0);
	ck_assert_int_eq(rv_exec((char *const[]){(char *)"sleep", (char *)"600", NULL},
				 NULL, &k->process),
		0);
	ck_assert_int_eq(rv_fd_watch(l, k->watched[0], RV_READ, unwatched,
				 &k->n_watched, &k->watch),
		0);
	ck_assert_int_eq(rv_signal_on(l, SIGUSR1, count_signal, &k->n_signals), 0);
}

static int fork_with_everything(void *arg)
{
	rv_task *ready = rv_spawn(is_ready, NULL);
	struct kept k = {0};
	rv_scope s;
	rv_group g;
	pid_t pid;

	ck_assert_int_eq(rv_defer(never, NULL), 0);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	make_all(&k, &g);
	rt_settle(3);
	ck_assert_int_eq(rv_timeout(&s, RV_SEC(60)), 0);
	pid = fork();
	if (pid == 0) {
		check_closed(rv_loop_current());
		drop_all(&k);
		return rv_group_exit(&g, rv_scope_exit(&s, 0));
	}
	assert_child_well(pid);
	assert_all_work(&k);
	ck_assert_int_eq(rv_scope_exit(&s, 0), 0);
	rv_defer_cancel(never, NULL);
	rv_stream_close(k.stream);
	rv_stream_unref(k.stream);
	rv_server_close(k.server);
	rv_server_unref(k.server);
	rv_process_unref(k.process);
	(void)rv_fd_unwatch(k.watch);
	temp_dir_remove(&k.dir);
	close(k.pair[1]);
	close(k.watched[0]);
	close(k.watched[1]);
	(void)rv_task_cancel(ready);
	rv_task_unref(ready);
	return rv_group_exit(&g, 0);
}

START_TEST(child_of_a_task_leaves_the_run_and_the_parents_loop_alone)
{
	run_and_part_on_a_stack(fork_with_everything);
}
END_TEST

/* -- out of other places -------------------------------------------------------------- */

static void part(void)
{
	pid_t pid = fork();

	if (pid == 0)
		check_closed(rv_loop_current());
	else
		assert_child_well(pid);
}

static void part_in_callback(void *unused)
{
	part();
}

static int fork_in_callback(void *arg)
{
	(void)rv_call_soon(rv_loop_current(), part_in_callback, NULL);
	(void)rv_call_soon(rv_loop_current(), rt_cb_add, RT_W("next"));
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_str_eq(rt_trace, "next");
	return 0;
}

static int part_in_body(rv_gen *g, void *arg)
{
	int r = rv_gen_yield(g, NULL);

	part();
	return r;
}

static int fork_in_generator(void *arg)
{
	rv_gen *g;
	void *v;

	ck_assert_int_eq(rv_gen_new(&g, part_in_body, NULL, NULL), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	ck_assert_int_eq(rv_gen_next(g, &v), 0);
	return rv_gen_close(g);
}

static int part_in_call(void *arg)
{
	part();
	return 0;
}

static int fork_in_call(void *arg)
{
	const rv_call calls[] = {{part_in_call, NULL, NULL}, {is_ready, NULL, NULL}};
	rv_outcome out[2];

	ck_assert_int_ge(rv_race(calls, 2, 0, out), 0);
	ck_assert_int_eq(rv_gather_calls(calls, 1, 0, out), 0);
	return 0;
}

static void part_at_data(int fd, unsigned ev, void *unused)
{
	part();
}

static int fork_in_watch(void *arg)
{
	rv_watch *w;
	int fd[2];

	ck_assert_int_eq(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(
		rv_fd_watch(rv_loop_current(), fd[0], RV_READ, part_at_data, NULL, &w),
		0);
	ck_assert_int_eq(write(fd[1], "x", 1), 1);
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	(void)rv_fd_unwatch(w);
	close(fd[0]);
	close(fd[1]);
	return 0;
}

START_TEST(child_of_a_callback_leaves_the_run)
{
	run_and_part(fork_in_callback);
}
END_TEST

START_TEST(child_of_a_generator_leaves_the_run)
{
	run_and_part_on_a_stack(fork_in_generator);
}
END_TEST

START_TEST(child_of_a_call_in_a_group_leaves_the_run)
{
	run_and_part_on_a_stack(fork_in_call);
}
END_TEST

START_TEST(child_of_a_watch_leaves_the_run)
{
	run_and_part(fork_in_watch);
}
END_TEST

/* -- out of no loop ------------------------------------------------------------------ */

START_TEST(child_cannot_use_a_loop_of_before_and_can_make_its_own)
{
	rv_loop *l = rt_new_loop(), *own;
	pid_t pid = fork();

	if (pid == 0) {
		CHILD_CHECK(rv_loop_run_forever(l) == -RV_ELOOPCLOSED);
		rv_loop_unref(l);
		CHILD_CHECK(rv_loop_new(&own, NULL) == 0);
		CHILD_CHECK(rv_loop_run_once(own, 0) == 0);
		rv_loop_unref(own);
		CHILD_CHECK(rv_run(rt_nop, NULL, NULL) == 0);
		_exit(0);
	}
	assert_child_well(pid);
	(void)rv_call_soon(l, rt_cb_add, RT_W("parent"));
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "parent");
	rv_loop_unref(l);
}
END_TEST

static int keep_busy(void *arg)
{
	int r = 0;

	while (r >= 0) {
		rv_task *t = rv_spawn(rt_nop, NULL);

		r = rv_yield();
		rv_task_unref(t);
	}
	return 0;
}

static void *run_loop(void *l)
{
	return rv_loop_run_forever(l) == 0 ? l : NULL;
}

/* The child's copy of a loop that another thread was running is torn. */
START_TEST(child_of_another_thread_than_a_busy_loops_is_well)
{
	enum { TASKS = 20, FORKS = 400 };
	rv_loop *l = rt_new_loop();
	rv_task *t[TASKS];
	pthread_t thread;

	if (CORO_TSAN) { /* see run_and_part_on_a_stack */
		rv_loop_unref(l);
		return;
	}
	for (int i = 0; i < TASKS; i++)
		ck_assert_int_eq(
			rv_spawn_ex(&t[i], &(rv_task_opts){.loop = l}, keep_busy, NULL),
			0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, l), 0);
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			CHILD_CHECK(rv_loop_is_closed(l));
			_exit(0);
		}
		assert_child_well(pid);
	}
	ck_assert_int_eq(rv_loop_stop_threadsafe(l), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	for (int i = 0; i < TASKS; i++)
		(void)rv_task_cancel(t[i]);
	rt_spin_once(l);
	rt_spin_once(l);
	for (int i = 0; i < TASKS; i++)
		rv_task_unref(t[i]);
	rv_loop_unref(l);
}
END_TEST

static int await_of_parent(void *x)
{
	return rv_xfuture_await(x, NULL);
}

static int return_seven(void *arg)
{
	return 7;
}

START_TEST(child_does_not_wait_for_what_only_the_parent_can_end)
{
	rv_loop *l = rt_new_loop();
	rv_xfuture *ended, *open;
	pid_t pid;

	ck_assert_int_eq(rv_submit(l, return_seven, NULL, NULL, &ended), 0);
	while (!rv_xfuture_done(ended))
		rt_spin_once(l);
	ck_assert_int_eq(rv_submit(l, return_seven, NULL, NULL, &open), 0);
	pid = fork();
	if (pid == 0) {
		alarm(60); /* what blocks must not do so for ever */
		CHILD_CHECK(rv_xfuture_wait(open, RV_FOREVER, NULL) == -RV_ELOOPCLOSED);
		CHILD_CHECK(!rv_xfuture_done(open));
		CHILD_CHECK(rv_thread_call(l, rt_nop, NULL) == -RV_ELOOPCLOSED);
		CHILD_CHECK(rv_run(await_of_parent, open, NULL) == -RV_ELOOPCLOSED);
		CHILD_CHECK(rv_xfuture_wait(ended, RV_FOREVER, NULL) == 7);
		CHILD_CHECK(rv_run(await_of_parent, ended, NULL) == 7);
		_exit(0);
	}
	assert_child_well(pid);
	while (!rv_xfuture_done(open))
		rt_spin_once(l);
	ck_assert_int_eq(rv_xfuture_wait(open, 0, NULL), 7);
	rv_xfuture_unref(open);
	rv_xfuture_unref(ended);
	rv_loop_unref(l);
}
END_TEST

START_TEST(child_of_a_bare_clone_says_so_itself)
{
	rv_loop *l = rt_new_loop();
	pid_t pid;

	rv_atfork_child(); /* no child */
	ck_assert(!rv_loop_is_closed(l));
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		CHILD_CHECK(!rv_loop_is_closed(l));
		rv_atfork_child();
		rv_atfork_child();
		CHILD_CHECK(rv_loop_run_once(l, 0) == -RV_ELOOPCLOSED);
		rv_loop_unref(l);
		_exit(0);
	}
	assert_child_well(pid);
	rt_spin_once(l);
	rv_loop_unref(l);
}
END_TEST

UNIT_MAIN("fork", child_of_a_task_leaves_the_run_and_the_parents_loop_alone,
	child_of_a_callback_leaves_the_run, child_of_a_generator_leaves_the_run,
	child_of_a_call_in_a_group_leaves_the_run, child_of_a_watch_leaves_the_run,
	child_cannot_use_a_loop_of_before_and_can_make_its_own,
	child_of_another_thread_than_a_busy_loops_is_well,
	child_does_not_wait_for_what_only_the_parent_can_end,
	child_of_a_bare_clone_says_so_itself)
