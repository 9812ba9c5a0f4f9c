/* What only looks, or only counts references, and few programs call. */
#include "rt.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

RT_TEST(tasks_have_ids_that_grow_and_their_loop)
{
	rv_task *a = rv_spawn(rt_nop, NULL), *b = rv_spawn(rt_nop, NULL);

	ck_assert_uint_gt(rv_task_id(a), rv_task_id(rv_task_self()));
	ck_assert_uint_gt(rv_task_id(b), rv_task_id(a));
	ck_assert_ptr_eq(rv_task_loop(a), rv_loop_current());
	ck_assert(rv_loop_is_running(rv_loop_current()));
	ck_assert_int_eq(rv_task_await(a, NULL), 0);
	ck_assert_int_eq(rv_task_await(b, NULL), 0);
	rv_task_unref(a);
	rv_task_unref(b);
	return 0;
}

RT_VIRTUAL_TEST(deadlines_can_be_asked_for_and_moved)
{
	rv_loop *l = rv_loop_current();
	rv_time now = rv_loop_now(l);
	rv_handle soon = rv_call_soon(l, rt_cb_add, RT_W("soon"));
	rv_handle later = rv_call_later(l, RV_SEC(3), rt_cb_add, RT_W("later"));
	rv_scope s;

	ck_assert_int_eq(rv_handle_when(l, soon), 0);
	ck_assert_int_eq(rv_handle_when(l, later), now + RV_SEC(3));
	ck_assert(rv_handle_cancel(l, later));
	ck_assert_int_eq(rv_handle_when(l, later), 0);
	ck_assert_int_eq(rv_timeout(&s, RV_SEC(5)), 0);
	ck_assert_int_eq(rv_scope_when(&s), now + RV_SEC(5));
	ck_assert_int_eq(rv_scope_reschedule(&s, now + RV_SEC(1)), 0);
	ck_assert_int_eq(rv_scope_when(&s), now + RV_SEC(1));
	ck_assert_int_eq(rv_scope_exit(&s, rv_sleep(RV_SEC(2))), -ETIMEDOUT);
	ck_assert_int_eq(rv_loop_now(l), now + RV_SEC(1));
	return 0;
}

static int note_turn(void *unused)
{
	rt_add("other");
	return 0;
}

RT_TEST(checkpoint_looks_for_cancelling_and_gives_way_when_it_ran_for_long)
{
	rv_task *other = rv_spawn(note_turn, NULL);
	int n = 0;

	ck_assert_int_eq(rv_checkpoint(), 0);
	ck_assert_str_eq(rt_trace, ""); /* not yet */
	while (!*rt_trace && n++ < 1000)
		ck_assert_int_eq(rv_checkpoint(), 0);
	ck_assert_str_eq(rt_trace, "other");
	ck_assert_int_eq(rv_task_await(other, NULL), 0);
	rv_task_unref(other);
	ck_assert(rv_task_cancel(rv_task_self()));
	ck_assert_int_eq(rv_checkpoint(), -ECANCELED);
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	ck_assert_int_eq(rv_checkpoint(), 0);
	return 0;
}

START_TEST(runner_has_a_loop_that_runs_only_inside)
{
	rv_runner *r;
	rv_loop *l;

	ck_assert_int_eq(rv_runner_new(&r, NULL), 0);
	l = rv_runner_loop(r);
	ck_assert_ptr_nonnull(l);
	ck_assert(!rv_loop_is_running(l));
	ck_assert_int_eq(rv_runner_run(r, rt_nop, NULL), 0);
	ck_assert(!rv_loop_is_running(l));
	ck_assert(!rv_loop_is_closed(l));
	rv_runner_free(r);
}
END_TEST

static void count(void *n)
{
	++*(int *)n;
}

static rv_ctx *values;

static int set_and_keep(void *n)
{
	static rv_ctx_key key = {"key"};
	int r = rv_ctx_set(&key, n, count);

	values = rv_ctx_copy();
	return r;
}

RT_TEST(values_stay_while_somebody_refers_to_them)
{
	static int n;
	rv_task *t = rv_spawn(set_and_keep, &n);

	ck_assert_int_eq(rv_task_await(t, NULL), 0);
	rv_task_unref(t);
	ck_assert_ptr_eq(rv_ctx_ref(values), values);
	rv_ctx_unref(values);
	ck_assert_int_eq(n, 0);
	rv_ctx_unref(values);
	ck_assert_int_eq(n, 1);
	return 0;
}

RT_TEST(executor_and_thread_future_stay_while_referred_to)
{
	const rv_executor_opts o = {.threads_max = 1};
	rv_executor *e;
	rv_xfuture *x;

	ck_assert_int_eq(rv_executor_new(&e, &o), 0);
	ck_assert_ptr_eq(rv_executor_ref(e), e);
	rv_executor_unref(e);
	ck_assert_int_eq(rv_run_blocking(e, rt_nop, NULL), 0);
	rv_executor_unref(e);
	ck_assert_int_eq(rv_submit(rv_loop_current(), rt_nop, NULL, NULL, &x), 0);
	ck_assert_ptr_eq(rv_xfuture_ref(x), x);
	rv_xfuture_unref(x);
	ck_assert_int_eq(rv_xfuture_await(x, NULL), 0);
	ck_assert(rv_xfuture_done(x));
	rv_xfuture_unref(x);
	return 0;
}

RT_TEST(file_shows_its_descriptor)
{
	rv_file *f;

	ck_assert_int_eq(rv_file_open(&f, "/dev/null", O_RDONLY, 0), 0);
	ck_assert_int_ge(rv_file_fd(f), 0);
	ck_assert(fcntl(rv_file_fd(f), F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(rv_file_close(f), 0);
	return 0;
}

RT_TEST(default_handler_writes_one_line_with_all_it_knows)
{
	rv_exc e = RV_EXC_NULL;
	char line[256];
	int fds[2], old = dup(STDERR_FILENO);
	ssize_t n;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_task_set_name(rv_task_self(), "main"), 0);
	e.message = "it broke";
	e.err = -EIO;
	e.fd = 7;
	e.task = rv_task_self();
	fflush(stderr);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	rv_default_exception_handler(rv_loop_current(), &e, NULL);
	fflush(stderr);
	ck_assert_int_eq(dup2(old, STDERR_FILENO), STDERR_FILENO);
	n = read(fds[0], line, sizeof(line) - 1);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	ck_assert_str_eq(
		line, "reeve: it broke: task 'main': fd 7: Input/output error\n");
	close(fds[0]);
	close(fds[1]);
	close(old);
	return 0;
}

UNIT_MAIN("getters", tasks_have_ids_that_grow_and_their_loop,
	deadlines_can_be_asked_for_and_moved,
	checkpoint_looks_for_cancelling_and_gives_way_when_it_ran_for_long,
	runner_has_a_loop_that_runs_only_inside,
	values_stay_while_somebody_refers_to_them,
	executor_and_thread_future_stay_while_referred_to, file_shows_its_descriptor,
	default_handler_writes_one_line_with_all_it_knows)
