/* Clocks: those that count suspended time, the wall's, and virtual ones. */
#include "rt.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void set_event(void *e)
{
	rv_event_set(e);
}

static rv_time clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * RV_SEC(1) + ts.tv_nsec;
}

RT_TEST(t06_boot_and_wall_timers_fire)
{
	rv_loop *l = rv_loop_current();
	rv_time boot = clock_ns(CLOCK_BOOTTIME) + RV_MS(5);
	rv_time wall = clock_ns(CLOCK_REALTIME) + RV_MS(10);
	rv_event e;

	rv_event_init(&e);
	(void)rv_call_at_boot(l, boot, set_event, &e);
	ck_assert_int_eq(rv_timed(RV_SEC(60), rv_event_wait(&e)), 0);
	ck_assert_int_ge(clock_ns(CLOCK_BOOTTIME), boot);
	rv_event_clear(&e);
	(void)rv_call_at_wall(l, wall / 1000, set_event, &e);
	ck_assert_int_eq(rv_timed(RV_SEC(60), rv_event_wait(&e)), 0);
	ck_assert_int_ge(clock_ns(CLOCK_REALTIME), wall / 1000 * 1000);
	return 0;
}

/* the kernel's answer where the clock was set just before */
static bool settime_is_cancelled;

int timerfd_settime(
	int fd, int flags, const struct itimerspec *its, struct itimerspec *old)
{
	long r = syscall(SYS_timerfd_settime, fd, flags, its, old);

	if (r < 0 || !(flags & TFD_TIMER_CANCEL_ON_SET) || !settime_is_cancelled)
		return (int)r;
	settime_is_cancelled = false;
	errno = ECANCELED;
	return -1;
}

RT_TEST(jump_that_setting_the_timer_tells_of_is_reported)
{
	rv_loop *l = rv_loop_current();
	rv_event e;

	rv_event_init(&e);
	ck_assert_int_eq(rv_loop_on_clock_jump(l, set_event, &e), 0);
	settime_is_cancelled = true;
	ck_assert_ptr_nonnull(rv_call_at_wall(l,
		clock_ns(CLOCK_REALTIME) / 1000 + INT64_C(3600000000), rt_cb_add,
		RT_W("wall"))
				      .p);
	ck_assert_int_eq(rv_timed(RV_SEC(10), rv_event_wait(&e)), 0);
	ck_assert(!settime_is_cancelled);
	ck_assert_int_eq(rv_loop_on_clock_jump(l, NULL, NULL), 0);
	ck_assert_str_eq(rt_trace, "");
	return 0;
}

/* Not later, when nobody is there to be told: the timer would never come. */
RT_TEST(timer_of_a_clock_without_a_descriptor_is_refused)
{
	rv_loop *l = rv_loop_current();
	struct rlimit old, none;
	rv_event e;

	rv_event_init(&e);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(rv_call_at_boot(l, 1, rt_cb_add, RT_W("boot")).p);
	ck_assert_ptr_null(rv_call_at_wall(l, 1, rt_cb_add, RT_W("wall")).p);
	ck_assert_int_eq(rv_loop_on_clock_jump(l, rt_cb_add, RT_W("jump")), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_ptr_nonnull(rv_call_at_boot(l, 1, set_event, &e).p);
	ck_assert_int_eq(rv_timed(RV_SEC(60), rv_event_wait(&e)), 0);
	ck_assert_str_eq(rt_trace, "");
	return 0;
}

struct virtual
{
	rv_time now;
	int64_t wall_usec;
	unsigned n_idle;
};

static rv_time virtual_now(void *v)
{
	return ((struct virtual *)v)->now;
}

static int64_t virtual_wall(void *v)
{
	return ((struct virtual *)v)->wall_usec;
}

static bool virtual_idle(void *arg, rv_time next)
{
	struct virtual *v = arg;

	ck_assert_int_ne(next, RV_FOREVER);
	v->n_idle++;
	v->now = next;
	return true;
}

static int sleep_for_days(void *arg)
{
	rv_loop *l = rv_loop_current();

	(void)rv_call_at_wall(l, 5000000, rt_cb_add, RT_W("wall"));
	ck_assert_int_eq(rv_loop_on_clock_jump(l, rt_cb_add, RT_W("jump")), 0);
	ck_assert_int_eq(rv_sleep(RV_SEC(86400) * 30), 0);
	((struct virtual *)arg)->wall_usec = 6000000;
	rv_loop_clock_jumped(l);
	ck_assert_int_eq(rv_sleep(RV_SEC(1)), 0);
	return 0;
}

START_TEST(virtual_clock_makes_long_sleeps_instant_and_jumps_are_reported)
{
	struct virtual v = {.now = 1};
	rv_clock clock = {.monotonic = virtual_now,
		.boottime = virtual_now,
		.wall_usec = virtual_wall,
		.idle = virtual_idle,
		.priv = &v};
	rv_run_opts o = {.clock = &clock};
	rv_time begin = rv_now();

	rt_reset();
	ck_assert_int_eq(rv_run(sleep_for_days, &v, &o), 0);
	ck_assert_int_ge(v.now, RV_SEC(86400) * 30);
	ck_assert_uint_le(v.n_idle, 4);
	ck_assert_int_lt(rv_now() - begin, RV_SEC(10));
	ck_assert_str_eq(rt_trace, "jump wall");
}
END_TEST

static struct virtual busy_clock = {.now = 1};

static void takes_100_us(void *arg)
{
	rv_loop *l = rv_loop_current();

	/* the time of the last poll: at most 8 steps ago once 200 us have passed */
	ck_assert_int_le(busy_clock.now - rv_loop_time(l), RV_US(1000));
	busy_clock.now += RV_US(100);
}

/* A round can be long; deadlines and descriptors are looked at all the same. */
START_TEST(d08_round_of_slow_callbacks_is_interrupted_by_polls)
{
	rv_clock clock = {.monotonic = virtual_now, .priv = &busy_clock};
	rv_loop_opts o = {.clock = &clock};
	rv_loop *l;

	ck_assert_int_eq(rv_loop_new(&l, &o), 0);
	for (int i = 0; i < 60; i++)
		(void)rv_call_soon(l, takes_100_us, NULL);
	rt_spin_once(l);
	ck_assert_int_eq(busy_clock.now, 1 + RV_US(6000));
	rv_loop_unref(l);
}
END_TEST

UNIT_MAIN("clock", t06_boot_and_wall_timers_fire,
	jump_that_setting_the_timer_tells_of_is_reported,
	timer_of_a_clock_without_a_descriptor_is_refused,
	virtual_clock_makes_long_sleeps_instant_and_jumps_are_reported,
	d08_round_of_slow_callbacks_is_interrupted_by_polls)
