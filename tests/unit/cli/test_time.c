#include "config.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/macro.h"
#include "cli/time.h"
#include "tests/support/unit.h"

/* 2026-03-10 12:30:00 UTC */
#define NOW (INT64_C(1773145800) * USEC_PER_SEC)
#define SEC USEC_PER_SEC

static void use_utc(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
}

static void assert_time(const char *text, int64_t expected)
{
	int64_t usec = -1;
	char *err;

	ck_assert_msg(
		time_parse_since(&usec, text, NOW, &err) == 0, "%s: %s", text, err);
	ck_assert_msg(usec == expected, "%s: %ld", text, (long)(usec - expected));
}

START_TEST(moments_are_read)
{
	use_utc();
	assert_time("now", NOW);
	assert_time("today", NOW - (12 * 3600 + 1800) * SEC);
	assert_time("yesterday", NOW - (36 * 3600 + 1800) * SEC);
	assert_time("2h", NOW - 7200 * SEC);
	assert_time("2h ago", NOW - 7200 * SEC);
	assert_time("1h 30min", NOW - 5400 * SEC);
	assert_time("12:00", NOW - 1800 * SEC);
	assert_time("12:29:30", NOW - 30 * SEC);
	assert_time("2026-03-10", NOW - (12 * 3600 + 1800) * SEC);
	assert_time("2026-03-10 12:00", NOW - 1800 * SEC);
	assert_time("2026-03-10T12:30:00", NOW);
	assert_time("@5", 5 * SEC);
}
END_TEST

START_TEST(more_than_since_the_epoch_is_the_epoch)
{
	assert_time("1000 years ago", 0);
}
END_TEST

START_TEST(what_is_no_moment_is_refused)
{
	static const char *const bad[] = {"", "soon", "@", "@-5", "2026-13-01", "25:00",
		"2026-03-10 12", "5 parsecs ago", " ago"};
	int64_t usec;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *err;

		ck_assert_msg(time_parse_since(&usec, bad[i], NOW, &err) < 0 && err,
			"%s", bad[i]);
		free(err);
	}
}
END_TEST

START_TEST(distances_are_short)
{
	char buf[TIME_TEXT_MAX];

	use_utc();
	ck_assert_str_eq(time_format_relative(buf, sizeof(buf), NOW, NOW), "0s ago");
	ck_assert_str_eq(
		time_format_relative(buf, sizeof(buf), NOW - 59 * SEC, NOW), "59s ago");
	ck_assert_str_eq(time_format_relative(buf, sizeof(buf), NOW - 3599 * SEC, NOW),
		"59min ago");
	ck_assert_str_eq(
		time_format_relative(buf, sizeof(buf), NOW + 7200 * SEC, NOW), "in 2h");
	ck_assert_str_eq(time_format_relative(buf, sizeof(buf),
				 NOW - INT64_C(40) * 86400 * SEC, NOW),
		"2026-01-29 12:30:00");
}
END_TEST

START_TEST(spans_have_two_units)
{
	char buf[TIME_TEXT_MAX];

	ck_assert_str_eq(time_format_span(buf, sizeof(buf), 0), "0ms");
	ck_assert_str_eq(time_format_span(buf, sizeof(buf), 350000), "350ms");
	ck_assert_str_eq(time_format_span(buf, sizeof(buf), 4290000), "4.2s");
	ck_assert_str_eq(time_format_span(buf, sizeof(buf), 192 * SEC), "3min12s");
	ck_assert_str_eq(time_format_span(buf, sizeof(buf), 7500 * SEC), "2h05min");
	ck_assert_str_eq(time_format_span(buf, sizeof(buf), 356400 * SEC), "4d03h");
	ck_assert_str_eq(time_format_span(buf, sizeof(buf), -1), "-");
}
END_TEST

static void assert_ahead(const char *text, int64_t expected)
{
	int64_t usec = -1;
	char *err;

	ck_assert_msg(
		time_parse_ahead(&usec, text, NOW, &err) == 0, "%s: %s", text, err);
	ck_assert_msg(usec == expected, "%s: %ld", text, (long)(usec - expected));
}

START_TEST(moments_to_come_are_read)
{
	int64_t usec;
	char *err;

	use_utc();
	assert_ahead("2h", NOW + 7200 * SEC);
	assert_ahead("+2h", NOW + 7200 * SEC);
	assert_ahead("90", NOW + 90 * SEC);
	assert_ahead("13:00", NOW + 1800 * SEC);
	assert_ahead("12:00", NOW + (86400 - 1800) * SEC);
	assert_ahead("tomorrow 06:00", NOW + (86400 - 23400) * SEC);
	assert_ahead("2026-03-11 12:30", NOW + 86400 * SEC);
	assert_ahead("@1773145801.5", NOW + SEC * 3 / 2);
	/* in another zone, too */
	assert_ahead("13:00 UTC", NOW + 1800 * SEC);
	assert_ahead(" 12:00 UTC", NOW + (86400 - 1800) * SEC);
	assert_ahead("12:00Z", NOW + (86400 - 1800) * SEC);
	assert_ahead("06:00:00.5+02:00", NOW + (86400 - 30600) * SEC + SEC / 2);
	assert_ahead("23:30+12:00", NOW + (86400 - 3600) * SEC);
	assert_ahead("08:00 Europe/Berlin", NOW + (86400 - 19800) * SEC);
	/* where a day is said it is meant */
	assert_ahead("today 12:00", NOW - 1800 * SEC);
	ck_assert_int_eq(time_parse_ahead(&usec, "never", NOW, &err), -EINVAL);
	free(err);
	ck_assert_int_eq(time_parse_ahead(&usec, "", NOW, &err), -EINVAL);
	free(err);
}
END_TEST

UNIT_MAIN("time", moments_are_read, moments_to_come_are_read,
	more_than_since_the_epoch_is_the_epoch, what_is_no_moment_is_refused,
	distances_are_short, spans_have_two_units)
