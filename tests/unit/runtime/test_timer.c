/* Timers that nobody needs any more, and when the loop looks. */
#include "rt.h"

#include <fcntl.h>
#include <unistd.h>

#include "reeve/wait.h"

/* -- none is left: in virtual time, which stops at every timer ----------------------- */

static struct {
	rv_time now;
	unsigned n_stops;
} v;

static rv_time v_now(void *unused)
{
	return v.now;
}

static bool v_idle(void *unused, rv_time next)
{
	ck_assert_int_ne(next, RV_FOREVER);
	v.now = next;
	v.n_stops++;
	return true;
}

static const rv_clock v_clock = {.monotonic = v_now, .idle = v_idle};
static const rv_run_opts v_opts = {.clock = &v_clock};

/* One stop on the way to later than any timer of a test: that at the end of it. */
static void assert_no_timer_left(void)
{
	unsigned n = v.n_stops;

	ck_assert_int_eq(rv_sleep(RV_SEC(1000)), 0);
	ck_assert_uint_eq(v.n_stops, n + 1);
}

static int timer_that_is_left(void *unused)
{
	unsigned n;

	(void)rv_call_later(rv_loop_current(), RV_SEC(60), rt_cb_add, RT_W("timer"));
	n = v.n_stops;
	ck_assert_int_eq(rv_sleep(RV_SEC(1000)), 0);
	ck_assert_uint_eq(v.n_stops, n + 2); /* so it would be seen */
	ck_assert_str_eq(rt_trace, "timer");
	return 0;
}

static int cancel_sleeper(void *unused)
{
	rv_task *t = rv_spawn(rt_sleep_long, NULL);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	assert_no_timer_left();
	return 0;
}

START_TEST(b049_cancelled_sleep_takes_its_timer_along)
{
	rt_reset();
	ck_assert_int_eq(rv_run(timer_that_is_left, NULL, &v_opts), 0);
	ck_assert_int_eq(rv_run(cancel_sleeper, NULL, &v_opts), 0);
}
END_TEST

static int sleep_ms(void *arg)
{
	return rv_sleep(RV_MS(1));
}

static int complete_in_time(void *unused)
{
	rv_task *t[2] = {rv_spawn(rt_nop, NULL), rv_spawn(sleep_ms, NULL)};
	rv_future *fs[2] = {rv_task_future(t[0]), rv_task_future(t[1])};
	rv_as_completed it;
	size_t i;

	ck_assert_int_eq(rv_as_completed_init(&it, fs, 2, RV_SEC(60)), 0);
	for (size_t n = 0; n < 2; n++) {
		ck_assert_int_eq(rv_as_completed_next(&it, &i), 1);
		ck_assert_uint_eq(i, n);
	}
	ck_assert_int_eq(rv_as_completed_next(&it, &i), 0);
	assert_no_timer_left();
	rv_as_completed_fini(&it);
	for (size_t n = 0; n < 2; n++)
		rv_task_unref(t[n]);
	return 0;
}

START_TEST(b086_all_completed_in_time_leave_no_timer)
{
	ck_assert_int_eq(rv_run(complete_in_time, NULL, &v_opts), 0);
}
END_TEST

/* -- when the loop looks ----------------------------------------------------------- */

static void stop_cb(void *l)
{
	rv_loop_stop(l);
}

static void late(void *unused)
{
	rv_time until = rv_now() + RV_MS(4);

	rt_add("late");
	while (rv_now() < until)
		;
}

/* The kernel counts one expiry of one timer, however many deadlines went by. */
START_TEST(t07_deadlines_that_passed_unseen_are_each_met_once)
{
	rv_loop *l;
	rv_time now;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	now = rv_loop_now(l);
	(void)rv_call_at(l, now + RV_MS(1), late, NULL);
	(void)rv_call_at(l, now + RV_MS(2), rt_cb_add, RT_W("a"));
	(void)rv_call_at(l, now + RV_MS(3), rt_cb_add, RT_W("b"));
	(void)rv_call_at(l, now + RV_MS(4), rt_cb_add, RT_W("c"));
	(void)rv_call_at(l, now + RV_MS(12), rt_cb_add, RT_W("d"));
	(void)rv_call_at(l, now + RV_MS(13), stop_cb, l);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert_str_eq(rt_trace, "late a b c d");
	ck_assert_int_ge(rv_now(), now + RV_MS(13));
	rv_loop_unref(l);
}
END_TEST

enum { STEPS_MAX = 64 };

struct steps {
	int fd;
	int n; /* since the descriptor is readable; -1 before */
	bool seen;
};

static int step_on(void *arg)
{
	struct steps *s = arg;

	while (!s->seen) {
		if (s->n >= 0)
			s->n++;
		ck_assert_int_eq(rv_yield(), 0);
	}
	return 0;
}

static void readable(int fd, unsigned ev, void *arg)
{
	((struct steps *)arg)->seen = true;
}

/* whose time stands still: only the steps count */
static const rv_clock still_clock = {.monotonic = v_now};
static const rv_run_opts still_opts = {.clock = &still_clock};

RT_TEST_WITH(d08_descriptor_is_seen_after_so_many_steps_of_tasks, &still_opts)
{
	struct steps s = {.n = -1};
	rv_task *t[3];
	rv_watch *w;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(
		rv_fd_watch(rv_loop_current(), p[0], RV_READ, readable, &s, &w), 0);
	for (int i = 0; i < 3; i++)
		t[i] = rv_spawn(step_on, &s);
	rt_settle(100);
	ck_assert(!s.seen);
	s.n = 0;
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rv_task_join(t[i], NULL), 0);
		rv_task_unref(t[i]);
	}
	/* until the poll, and the round in which the callback comes */
	ck_assert_int_le(s.n, STEPS_MAX + 3);
	ck_assert(rv_fd_unwatch(w));
	close(p[0]);
	close(p[1]);
	return 0;
}

UNIT_MAIN("timer", b049_cancelled_sleep_takes_its_timer_along,
	b086_all_completed_in_time_leave_no_timer,
	t07_deadlines_that_passed_unseen_are_each_met_once,
	d08_descriptor_is_seen_after_so_many_steps_of_tasks)
