#include "tests/unit/daemon/fixture.h"

#include "daemon/start_pace.h"

enum { MANY = 6 };

struct starts {
	struct start_pace pace;
	struct start_place v[MANY];
	unsigned n_told;
};

static void there_is_room(void *arg)
{
	struct starts *x = arg;

	x->n_told++;
}

static void setup(struct starts *x, unsigned max)
{
	memset(x, 0, sizeof(*x));
	start_pace_init(&x->pace, rv_loop_current(), max, there_is_room, x);
}

static void begin(struct starts *x, size_t i)
{
	start_pace_begin(&x->pace, &x->v[i]);
}

static void end(struct starts *x, size_t i)
{
	start_pace_end(&x->pace, &x->v[i]);
}

DAEMON_TEST(room_is_told_when_one_of_as_many_as_may_be_has_ended)
{
	struct starts x;

	setup(&x, 2);
	begin(&x, 0);
	ck_assert(start_pace_has_room(&x.pace));
	begin(&x, 1);
	ck_assert(!start_pace_has_room(&x.pace));
	end(&x, 0);
	ck_assert(start_pace_has_room(&x.pace));
	ck_assert_uint_eq(x.n_told, 1);
	end(&x, 0); /* once more is nothing */
	end(&x, 1);
	ck_assert_uint_eq(x.n_told, 1); /* there was room already */
	ck_assert_uint_eq(x.pace.n, 0);
	begin(&x, 0); /* the same once more */
	begin(&x, 1);
	begin(&x, 2); /* one that nobody could keep: it counts */
	end(&x, 1);
	ck_assert(!start_pace_has_room(&x.pace));
	ck_assert_uint_eq(x.n_told, 1);
	end(&x, 2);
	ck_assert(start_pace_has_room(&x.pace));
	ck_assert_uint_eq(x.n_told, 2);
	start_pace_deinit(&x.pace);
	return 0;
}

/* one that hangs must not keep all others from being started */
DAEMON_VIRTUAL_TEST(what_hangs_counts_for_a_moment_only)
{
	struct starts x;

	setup(&x, 2);
	begin(&x, 0);
	ck_assert_int_eq(rv_sleep(RV_MS(60)), 0);
	begin(&x, 1);
	ck_assert_int_eq(rv_sleep(RV_MS(60)), 0);
	ck_assert(start_pace_has_room(&x.pace)); /* 0 is late, 1 is not */
	ck_assert_uint_eq(x.n_told, 1);
	ck_assert_uint_eq(x.pace.n, 1);
	end(&x, 0); /* does not count twice */
	ck_assert_uint_eq(x.pace.n, 1);
	ck_assert_int_eq(rv_sleep(RV_MS(60)), 0);
	ck_assert_uint_eq(x.pace.n, 0);
	start_pace_deinit(&x.pace);
	return 0;
}

DAEMON_VIRTUAL_TEST(nothing_ticks_when_none_is_under_way)
{
	struct starts x;

	setup(&x, 2);
	for (size_t i = 0; i < MANY; i++)
		begin(&x, i);
	ck_assert(rv_timer_active(&x.pace.timer));
	for (size_t i = 0; i < MANY; i++)
		end(&x, i);
	ck_assert(!rv_timer_active(&x.pace.timer));
	begin(&x, 0);
	ck_assert_int_eq(rv_sleep(RV_SEC(1)), 0);
	ck_assert(!rv_timer_active(&x.pace.timer));
	begin(&x, 1);
	start_pace_deinit(&x.pace);
	ck_assert(!rv_timer_active(&x.pace.timer));
	ck_assert_uint_eq(x.n_told, 1); /* by the first end below the limit only */
	return 0;
}

UNIT_MAIN("start_pace", room_is_told_when_one_of_as_many_as_may_be_has_ended,
	what_hangs_counts_for_a_moment_only, nothing_ticks_when_none_is_under_way)
