#include "config.h"

#include "cli/progress.h"
#include "tests/support/unit.h"

static const struct progress_counts counts = {
	.succeeded = 11, .failed = 1, .running = 8, .waiting = 38};
static char text[PROGRESS_TEXT_MAX];

START_TEST(line_has_counts_rate_and_time_left)
{
	ck_assert_str_eq(progress_text(text, &counts, 4.22, 80, false),
		"12/50 done, 1 failed, 8 running, 30 queued, 4.2/s, 9.0s left");
	ck_assert_str_eq(progress_text(text, &counts, 0, 80, false),
		"12/50 done, 1 failed, 8 running, 30 queued");
}
END_TEST

START_TEST(failures_are_red_where_there_are_some)
{
	const struct progress_counts fine = {.succeeded = 1};

	ck_assert_str_eq(progress_text(text, &counts, 0, 80, true),
		"12/50 done\033[31m, 1 failed\033[0m, 8 running, 30 queued");
	ck_assert_str_eq(progress_text(text, &fine, 0, 80, true),
		"1/1 done, 0 running, 0 queued");
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_whole)
{
	ck_assert_str_eq(progress_text(text, &counts, 0, 42, false),
		"12/50 done, 1 failed, 8 running, 30 queued");
	ck_assert_str_eq(progress_text(text, &counts, 0, 41, false),
		"12/50 done, 1 failed, 8 running");
	ck_assert_str_eq(progress_text(text, &counts, 0, 9, false), "");
}
END_TEST

START_TEST(rate_is_of_the_last_minute)
{
	struct progress_rate r = {.n = 0};

	ck_assert(progress_rate(&r, RV_SEC(100), 5) == 0);
	ck_assert(progress_rate(&r, RV_SEC(100) + RV_MS(900), 9) == 0);
	ck_assert(progress_rate(&r, RV_SEC(102), 9) == 2);
	for (int i = 103; i <= 300; i++)
		progress_rate(&r, RV_SEC(i), 9);
	ck_assert(progress_rate(&r, RV_SEC(300), 9) == 0);
	ck_assert(progress_rate(&r, RV_SEC(300) + RV_MS(100), 69) > 0.99);
}
END_TEST

UNIT_MAIN("progress", line_has_counts_rate_and_time_left,
	failures_are_red_where_there_are_some, what_does_not_fit_is_left_out_whole,
	rate_is_of_the_last_minute)
