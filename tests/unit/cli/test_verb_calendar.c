/* calendar: times of an expression, without a daemon. */
#include "config.h"

#include <string.h>

#include "base/macro.h"
#include "tests/unit/cli/verb_test.h"

#define CALENDAR(...) REEVE(&reeve, NULL, "calendar", __VA_ARGS__)

static void assert_out(const char *expected)
{
	ck_assert_msg(reeve.code == 0, "%d: %s", reeve.code, reeve.err);
	ck_assert_msg(strstr(reeve.out, expected), "'%s' is not in:\n%s", expected,
		reeve.out);
	reeve_free(&reeve);
}

static void assert_refused(const char *message)
{
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_str_eq(reeve.out, "");
	ck_assert_msg(
		strstr(reeve.err, message), "'%s' is not in:\n%s", message, reeve.err);
	reeve_free(&reeve);
}

START_TEST(json_is_a_list_of_microseconds)
{
	CALENDAR("Mon *-*-* 06:00", "-n", "3", "--from", "2026-03-10", "--tz",
		"Europe/Berlin", "--json");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(
		reeve.out, "[1773637200000000,1774242000000000,1774843200000000]\n");
	reeve_free(&reeve);
	CALENDAR("2-30", "--json");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "[]\n");
	reeve_free(&reeve);
	CALENDAR("--json", "@1700000000", "--from", "@0");
	ck_assert_str_eq(reeve.out, "[1700000000000000]\n");
	reeve_free(&reeve);
	CALENDAR("every 90min", "-j", "-n2", "--from", "@1000000000");
	ck_assert_str_eq(reeve.out, "[1000005400000000,1000010800000000]\n");
	reeve_free(&reeve);
}
END_TEST

START_TEST(table_has_both_clocks)
{
	CALENDAR("2:30", "-n", "2", "--from", "2026-03-28 12:00", "--tz",
		"Europe/Berlin");
	ck_assert_ptr_nonnull(strstr(reeve.out, "*-*-* 02:30:00\n"));
	ck_assert_ptr_nonnull(strstr(reeve.out, "Europe/Berlin\n"));
	ck_assert_ptr_nonnull(strstr(reeve.out, "ELAPSES"));
	ck_assert_ptr_nonnull(strstr(reeve.out, "FROM NOW"));
	/* the day on which clocks skip it has none */
	ck_assert_ptr_null(strstr(reeve.out, "2026-03-29 02:30"));
	assert_out("Mon 2026-03-30 02:30:00 CEST Mon 2026-03-30 00:30:00 UTC");
	CALENDAR("2-30");
	assert_out("never\n");
}
END_TEST

START_TEST(words_may_stand_by_themselves)
{
	CALENDAR("0", "3", "*", "*", "mon", "--from", "2026-03-10 00:00 UTC", "--tz",
		"UTC");
	ck_assert_ptr_nonnull(strstr(reeve.out, "0 3 * * 1\n"));
	assert_out("Mon 2026-03-16 03:00:00 UTC");
	CALENDAR("@daily", "Asia/Kathmandu");
	assert_out("0 0 * * * Asia/Kathmandu\n");
}
END_TEST

START_TEST(from_is_read_in_the_zone)
{
	CALENDAR("*:*", "--from", "06:00", "--tz", "Asia/Kathmandu", "-n1");
	assert_out("06:01:00 +0545");
	CALENDAR("*:*", "--from", "tomorrow 06:00 America/New_York", "--tz", "UTC",
		"-n1");
	assert_out(":01:00 UTC");
}
END_TEST

START_TEST(mistakes_are_explained)
{
	REEVE(&reeve, NULL, "calendar");
	assert_refused("calendar: which EXPRESSION?");
	CALENDAR("2026-13-01");
	assert_refused(
		"calendar: at byte 6 of '2026-13-01': month 13 is not in 1 to 12");
	CALENDAR("@reboot");
	assert_refused("what is to run from boot on is a service");
	CALENDAR("daily", "--from", "soon");
	assert_refused("--from: at byte 1 of 'soon': expected a date");
	CALENDAR("daily", "--tz", "Europe/Atlantis");
	assert_refused("--tz: there is no time zone 'Europe/Atlantis'");
	CALENDAR("daily", "--tz", "../../etc/passwd");
	assert_refused("--tz: there is no time zone '../../etc/passwd'");
	CALENDAR("daily", "-n", "0");
	assert_refused("--count: not a number from 1 to 10000: '0'");
	CALENDAR("daily", "-n", "10001");
	assert_refused("--count: not a number from 1 to 10000: '10001'");
	CALENDAR("daily", "--json", "-n", "x");
	assert_refused("--count: not a number");
}
END_TEST

UNIT_MAIN("verb_calendar", json_is_a_list_of_microseconds, table_has_both_clocks,
	words_may_stand_by_themselves, from_is_read_in_the_zone, mistakes_are_explained)
