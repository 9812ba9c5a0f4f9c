#include "base/clock.h"
#include "base/macro.h"
#include "sched/rate.h"
#include "tests/support/unit.h"

START_TEST(no_rate_is_free_at_once)
{
	struct rate r = {0};

	for (int i = 0; i < 5; i++)
		rate_note(&r, RV_SEC(1));
	ck_assert_int_eq(rate_free_at(&r), 0);
}
END_TEST

START_TEST(never_more_than_n_in_any_stretch)
{
	struct rate r = {0};
	rv_time starts[400], now = RV_SEC(100);

	ck_assert_int_eq(rate_set(&r, 3, RV_SEC(10)), 0);
	for (int i = 0; i < 400; i++) {
		now += RV_MS(i * 7919 % 5000);
		now = MAX(now, rate_free_at(&r));
		starts[i] = now;
		rate_note(&r, now);
		if (i >= 3)
			ck_assert_int_ge(starts[i] - starts[i - 3], RV_SEC(10));
	}
	rate_deinit(&r);
}
END_TEST

START_TEST(next_start_is_when_the_oldest_leaves_the_stretch)
{
	struct rate r = {0};

	ck_assert_int_eq(rate_set(&r, 2, RV_SEC(60)), 0);
	rate_note(&r, RV_SEC(5));
	ck_assert_int_eq(rate_free_at(&r), 0);
	rate_note(&r, RV_SEC(9));
	ck_assert_int_eq(rate_free_at(&r), RV_SEC(65));
	rate_note(&r, RV_SEC(65));
	ck_assert_int_eq(rate_free_at(&r), RV_SEC(69));
	rate_deinit(&r);
}
END_TEST

START_TEST(start_that_did_not_happen_does_not_count)
{
	struct rate r = {0};

	ck_assert_int_eq(rate_set(&r, 1, RV_SEC(60)), 0);
	rate_note(&r, RV_SEC(5));
	rate_take_back(&r, RV_FOREVER);
	ck_assert_int_eq(rate_free_at(&r), 0);
	rate_deinit(&r);
}
END_TEST

START_TEST(start_taken_back_later_is_that_one)
{
	struct rate r = {0};

	ck_assert_int_eq(rate_set(&r, 3, RV_SEC(60)), 0);
	for (int i = 1; i <= 3; i++)
		rate_note(&r, RV_SEC(i));
	rate_take_back(&r, RV_SEC(0));
	ck_assert_int_eq(rate_free_at(&r), RV_SEC(61));
	rate_take_back(&r, RV_SEC(1)); /* of 1, 2 and 3 */
	ck_assert_int_eq(rate_free_at(&r), 0);
	rate_note(&r, RV_SEC(4));
	ck_assert_int_eq(rate_free_at(&r), RV_SEC(62));
	rate_note(&r, RV_SEC(62)); /* the ring has turned: 3, 4 and 62 */
	rate_take_back(&r, RV_SEC(4));
	rate_note(&r, RV_SEC(63));
	ck_assert_int_eq(rate_free_at(&r), RV_SEC(63));
	rate_deinit(&r);
}
END_TEST
START_TEST(changed_rate_remembers_the_latest_starts)
{
	struct rate r = {0};

	ck_assert_int_eq(rate_set(&r, 3, RV_SEC(60)), 0);
	for (int i = 1; i <= 5; i++)
		rate_note(&r, RV_SEC(i));
	ck_assert_int_eq(rate_set(&r, 2, RV_SEC(60)), 0);
	ck_assert_int_eq(rate_free_at(&r), RV_SEC(64));
	ck_assert_int_eq(rate_set(&r, 4, RV_SEC(60)), 0);
	ck_assert_int_eq(rate_free_at(&r), 0);
	rate_note(&r, RV_SEC(6));
	rate_note(&r, RV_SEC(7));
	ck_assert_int_eq(rate_free_at(&r), RV_SEC(64));
	ck_assert_int_eq(rate_set(&r, 0, 0), 0);
	ck_assert_int_eq(rate_free_at(&r), 0);
	rate_deinit(&r);
}
END_TEST

UNIT_MAIN("rate", no_rate_is_free_at_once, never_more_than_n_in_any_stretch,
	next_start_is_when_the_oldest_leaves_the_stretch,
	start_that_did_not_happen_does_not_count, start_taken_back_later_is_that_one,
	changed_rate_remembers_the_latest_starts)
