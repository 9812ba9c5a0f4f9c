/* Without memory: what makes something says so, what undoes something needs none. */
#include "rt.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/support/alloc_fail.h"

/* the lowest free number: the same before and after when no descriptor was left open */
static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

START_TEST(loop_that_cannot_be_made_leaves_nothing)
{
	int fd = next_fd();
	rv_loop *l;
	size_t n;

	for (n = 1;; n++) {
		int r;

		alloc_fail_at(n);
		r = rv_loop_new(&l, NULL);
		if (!alloc_fail_stop()) {
			ck_assert_int_eq(r, 0);
			break;
		}
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_int_eq(next_fd(), fd);
	}
	ck_assert_uint_gt(n, 1);
	rv_loop_unref(l);
	ck_assert_int_eq(next_fd(), fd);
}
END_TEST

static int n_freed;

static void count_freed(void *arg)
{
	n_freed++;
}

static int spawn(void *group)
{
	rv_task_opts o = {
		.name = "named", .arg_dtor = count_freed, .stack_size = 1 << 20};

	return group ? rv_group_spawn_ex(group, &o, rt_nop, NULL, NULL)
		     : rv_spawn_ex(NULL, &o, rt_nop, NULL);
}

static int call(void *unused)
{
	return rv_run_blocking_ex(NULL, rt_nop, NULL, count_freed, RV_BLOCK_ABANDON);
}

/* fn, which takes an argument over in every case, until it gets through */
static void sweep_arg(int (*fn)(void *), void *arg)
{
	for (size_t n = 1;; n++) {
		bool failed;
		int r;

		n_freed = 0;
		alloc_fail_at(n);
		r = fn(arg);
		failed = alloc_fail_stop();
		if (!failed) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_gt(n, 1);
			break;
		}
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_int_eq(n_freed, 1);
	}
	rt_settle(2);
	ck_assert_int_eq(n_freed, 1);
}

RT_TEST(argument_that_was_taken_over_is_freed_once_where_memory_is_short)
{
	rv_group g;

	sweep_arg(spawn, NULL);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	sweep_arg(spawn, &g);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	sweep_arg(call, NULL);
	return 0;
}

static void on_done(rv_future *f, void *arg)
{
	rt_add("done");
}

static void on_fd(int fd, unsigned ev, void *arg)
{
	rt_add("fd");
}

/* What is swept makes no assertions: Check allocates as well. */
static int make_queue(void *unused)
{
	rv_queue *q;
	int r = rv_queue_new(&q, RV_QUEUE_FIFO, 0, NULL, NULL);

	if (r == 0)
		rv_queue_free(q);
	return r;
}

static int fill_queue(void *q)
{
	int r = 0;

	while (r == 0 && rv_queue_size(q) < 100)
		r = rv_queue_try_put(q, RT_W("item"));
	return r;
}

static int make_future(void *unused)
{
	rv_future *f = NULL;
	int r = rv_future_new(&f, NULL);

	if (r == 0 && !rv_future_on_done(f, on_done, NULL))
		r = -errno;
	rv_future_unref(f);
	return r;
}

static int watch(void *fds)
{
	rv_watch *w;
	int r = rv_fd_watch(rv_loop_current(), *(int *)fds, RV_READ, on_fd, NULL, &w);

	return r == 0 && !rv_fd_unwatch(w) ? -EIO : r;
}

static int make_executor(void *unused)
{
	rv_executor *e;
	int r = rv_executor_new(&e, NULL);

	if (r == 0)
		rv_executor_unref(e);
	return r;
}

static int handle_signal(void *unused)
{
	int r = rv_signal_on(rv_loop_current(), SIGUSR2, rt_cb_add, RT_W("signal"));

	return r == 0 && !rv_signal_off(rv_loop_current(), SIGUSR2) ? -EIO : r;
}

static void forget_me(void *arg)
{
}

static int defer(void *unused)
{
	int r = rv_defer(forget_me, NULL);

	if (r == 0)
		rv_defer_cancel(forget_me, NULL);
	return r;
}

static int soon(void *unused)
{
	rv_handle h = rv_call_soon(rv_loop_current(), rt_cb_add, RT_W("soon"));

	return rv_handle_cancel(rv_loop_current(), h) ? 0 : -ENOMEM;
}

static void sweep(int (*fn)(void *), void *arg)
{
	ck_assert_int_eq(alloc_fail_sweep(fn, arg), 0);
}

RT_TEST(constructors_without_memory_say_so_and_leave_nothing)
{
	rv_queue *q;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(rv_queue_new(&q, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
	sweep(make_queue, NULL);
	sweep(fill_queue, q);
	ck_assert_uint_eq(rv_queue_size(q), 100);
	sweep(make_future, NULL);
	sweep(watch, p);
	sweep(make_executor, NULL);
	sweep(handle_signal, NULL);
	sweep(defer, NULL);
	sweep(soon, NULL);
	rv_queue_free(q);
	close(p[0]);
	close(p[1]);
	rt_settle(2);
	ck_assert_str_eq(rt_trace, "");
	return 0;
}

struct things {
	rv_lock lock;
	rv_event event;
	rv_queue *queue;
	rv_future *future;
};

static int wait_for_lock(void *t)
{
	return rv_lock_acquire(&((struct things *)t)->lock);
}

static int wait_for_event(void *t)
{
	return rv_event_wait(&((struct things *)t)->event);
}

static int wait_for_item(void *t)
{
	void *item;

	return rv_queue_get(((struct things *)t)->queue, &item);
}

static int wait_for_future(void *t)
{
	return rv_future_await(((struct things *)t)->future, NULL);
}

static int wait_for_children(void *unused)
{
	rv_group g;

	(void)rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	(void)rv_group_spawn(&g, rt_sleep_long, NULL);
	(void)rv_group_spawn(&g, rt_sleep_long, NULL);
	return rv_group_exit(&g, 0);
}

RT_TEST(waking_and_cancelling_need_no_memory)
{
	static const rv_fn waits[] = {wait_for_lock, wait_for_event, wait_for_item,
		wait_for_future, rt_sleep_long, wait_for_children};
	enum { N = sizeof(waits) / sizeof(waits[0]) };
	rv_task *t[N];
	struct things th;
	bool tried;

	for (int how = 0; how < 2; how++) {
		rv_lock_init(&th.lock);
		rv_event_init(&th.event);
		ck_assert(rv_lock_try(&th.lock));
		ck_assert_int_eq(
			rv_queue_new(&th.queue, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
		ck_assert_int_eq(rv_future_new(&th.future, NULL), 0);
		for (int i = 0; i < N; i++)
			t[i] = rv_spawn(waits[i], &th);
		rt_settle(3);
		alloc_fail_at(1);
		for (int i = 0; i < N; i++)
			if (how == 0 ||
				i >= 4) /* these two have nothing to wake them */
				(void)rv_task_cancel(t[i]);
		if (how == 1) {
			(void)rv_lock_release(&th.lock);
			rv_event_set(&th.event);
			(void)rv_queue_try_put(th.queue, RT_W("item"));
			(void)rv_future_set(th.future, NULL, NULL);
		}
		for (int i = 0; i < 5; i++)
			if (rv_yield() < 0)
				break;
		tried = alloc_fail_stop();
		ck_assert(!tried);
		for (int i = 0; i < N; i++) {
			ck_assert(rv_task_done(t[i]));
			ck_assert_int_eq(rv_task_result(t[i], NULL),
				how == 0 || i >= 4 ? -ECANCELED : 0);
			rv_task_unref(t[i]);
		}
		rv_future_unref(th.future);
		rv_queue_free(th.queue);
	}
	return 0;
}

RT_TEST(queue_with_a_limit_needs_no_memory_to_be_filled)
{
	static const enum rv_queue_kind kinds[] = {RV_QUEUE_FIFO, RV_QUEUE_LIFO};
	rv_queue *q;
	int r;

	for (size_t k = 0; k < 2; k++) {
		ck_assert_int_eq(
			rv_queue_new(&q, kinds[k], RV_QUEUE_RESERVED, NULL, NULL), 0);
		alloc_fail_at(1); /* ck_assert allocates, too */
		while ((r = rv_queue_try_put(q, NULL)) == 0)
			;
		ck_assert(!alloc_fail_stop());
		ck_assert_int_eq(r, -EAGAIN);
		ck_assert_uint_eq(rv_queue_size(q), RV_QUEUE_RESERVED);
		rv_queue_free(q);
	}
	/* one without has to grow, and says when it cannot */
	ck_assert_int_eq(rv_queue_new(&q, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
	alloc_fail_at(1);
	while ((r = rv_queue_try_put(q, NULL)) == 0)
		;
	ck_assert(alloc_fail_stop());
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_uint_lt(rv_queue_size(q), RV_QUEUE_RESERVED);
	rv_queue_free(q);
	return 0;
}

UNIT_MAIN("memory", loop_that_cannot_be_made_leaves_nothing,
	argument_that_was_taken_over_is_freed_once_where_memory_is_short,
	constructors_without_memory_say_so_and_leave_nothing,
	waking_and_cancelling_need_no_memory,
	queue_with_a_limit_needs_no_memory_to_be_filled)
