#include "config.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "tests/support/unit.h"

START_TEST(durations_have_their_value)
{
	static const struct {
		const char *text;
		int64_t usec;
	} cases[] = {
		{"0", 0},
		{"90", 90000000},
		{" 90 ", 90000000},
		{"1.5s", 1500000},
		{".5", 500000},
		{"0.1s", 100000},
		{"0.000001s", 1},
		{"0.0000019", 1},
		{"0.9999999us", 0},
		{"1.1min", 66000000},
		{"0.333333333333333333334min", 20000000},
		{"0.333333333333333333333min", 19999999},
		{"5min 20s", 320000000},
		{"5min 20", 320000000},
		{"5 min20s", 320000000},
		{"2h30m", INT64_C(9000000000)},
		{"1d", INT64_C(86400000000)},
		{"1w", INT64_C(604800000000)},
		{"1month", INT64_C(2629800000000)},
		{"1M", INT64_C(2629800000000)},
		{"2years", INT64_C(63115200000000)},
		{"3us 4ms", 4003},
		{"7\302\265s", 7},
		{"7\316\274s", 7},
		{"1s 1s", 2000000},
		{"infinity", USEC_INFINITY},
		{"\tinfinity\n", USEC_INFINITY},
		{"9223372036854775806us", INT64_MAX - 1},
		{"9223372036854.775806", INT64_MAX - 1},
		{"00000000000000000000000000001", 1000000},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t usec = -1;

		ck_assert_msg(duration_parse(&usec, cases[i].text) == 0,
			"'%s' is refused", cases[i].text);
		ck_assert_msg(usec == cases[i].usec, "'%s' gives %" PRId64,
			cases[i].text, usec);
	}
}
END_TEST

START_TEST(text_that_is_no_duration_is_refused)
{
	static const char *const bad[] = {"", " ", "s", "-1", "+1", "1.", "1.s", ".",
		". 5s", "1..5s", "1.2.3", "1 2", "1 2s", "1.5.5s", "1e3", "0x10",
		"1 fortnight", "infinity 1s", "1s infinity", "infinit", "inf", "1S",
		"1minx", "5s,", "1s\001", "1.-5s", "1s -1s", "nan"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t usec = 77;

		ck_assert_msg(duration_parse(&usec, bad[i]) == -EINVAL,
			"'%s' was taken", bad[i]);
		ck_assert_int_eq(usec, 77);
	}
}
END_TEST

START_TEST(durations_that_do_not_fit_are_out_of_range)
{
	static const char *const big[] = {"9223372036854775807us",
		"9223372036854775808us", "99999999999999999999999999us",
		"9223372036854775807s", "300000y", "9223372036854.775807",
		"9223372036854s 900000us", "9223372036854775806us 1us",
		"9223372036854s 0.9s", "18446744073709551616us 1s"};

	for (size_t i = 0; i < ARRAY_LEN(big); i++) {
		int64_t usec = 77;

		ck_assert_msg(duration_parse(&usec, big[i]) == -ERANGE,
			"'%s' was taken", big[i]);
		ck_assert_int_eq(usec, 77);
	}
}
END_TEST

START_TEST(nonsense_behind_an_overflow_is_still_nonsense)
{
	int64_t usec;

	ck_assert_int_eq(duration_parse(&usec, "300000y nonsense"), -EINVAL);
}
END_TEST

START_TEST(durations_are_printed_as_people_write_them)
{
	static const struct {
		int64_t usec;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1, "1us"},
		{1500000, "1s 500ms"},
		{90000000, "1min 30s"},
		{INT64_C(86400000000), "1d"},
		{INT64_C(694861001001), "8d 1h 1min 1s 1ms 1us"},
		{INT64_C(1209600000000), "2w"},
		{INT64_C(2592000000000), "30d"},
		{USEC_INFINITY, "infinity"},
		{-90000000, "-1min 30s"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[DURATION_TEXT_MAX];

		ck_assert_ptr_eq(
			duration_format(text, sizeof(text), cases[i].usec), text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(printed_durations_read_back_to_the_same_value)
{
	uint64_t seed = 88172645463325252;

	for (int i = 0; i < 20000; i++) {
		char text[DURATION_TEXT_MAX];
		int64_t usec, back = -1;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		usec = (int64_t)(seed >> 1 >> (i % 63));
		if (i == 0)
			usec = INT64_MAX - 1;
		duration_format(text, sizeof(text), usec);
		ck_assert_int_eq(duration_parse(&back, text), 0);
		if (back != usec)
			ck_abort_msg("%" PRId64 " became '%s'", usec, text);
	}
}
END_TEST

START_TEST(longest_duration_fits_the_promised_room)
{
	char text[DURATION_TEXT_MAX];

	duration_format(text, sizeof(text), INT64_MIN);
	ck_assert_uint_lt(strlen(text), sizeof(text) - 1);
	duration_format(text, sizeof(text), INT64_MAX - 1);
	ck_assert_uint_lt(strlen(text), sizeof(text) - 1);
}
END_TEST

START_TEST(system_clock_goes_forward_and_agrees_with_now)
{
	rv_time before = rv_now(), mono = clock_monotonic(&clock_system);
	rv_time after = rv_now(), boot = clock_boottime(&clock_system);

	ck_assert(before > 0 && before <= mono && mono <= after);
	ck_assert(boot >= mono); /* it counts suspended time as well */
	ck_assert_int_le(llabs(clock_wall_usec(&clock_system) / USEC_PER_SEC -
				 (int64_t)time(NULL)),
		2);
}
END_TEST

UNIT_MAIN("clock", durations_have_their_value, text_that_is_no_duration_is_refused,
	durations_that_do_not_fit_are_out_of_range,
	nonsense_behind_an_overflow_is_still_nonsense,
	durations_are_printed_as_people_write_them,
	printed_durations_read_back_to_the_same_value,
	longest_duration_fits_the_promised_room,
	system_clock_goes_forward_and_agrees_with_now)
