/* Calendar expressions and intervals: what is read, what is refused and how, where clocks
 * change, and that hostile ones cost little. What systemd says stands in
 * test_calendar_systemd.c. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/zone.h"
#include "job/calendar.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

#define SEC USEC_PER_SEC
/* 2026-03-10 12:30 UTC, a Tuesday */
#define NOW (INT64_C(1773145800) * SEC)

static struct zone *zone(const char *name)
{
	struct zone *z;

	ck_assert_int_eq(zone_load(&z, name), 0);
	return z;
}

static struct calendar *parse(const char *text, const char *zone_text)
{
	_cleanup_(zone_unrefp) struct zone *z = zone(zone_text);
	struct calendar *c;
	char *err = NULL;

	ck_assert_msg(calendar_parse(&c, text, z, NULL, &err) == 0, "%s", err);
	return c;
}

static int64_t moment(const char *text)
{
	int y, mon, d, h, min, s = 0, usec = 0;

	ck_assert_msg(sscanf(text, "%d-%d-%d %d:%d:%d.%6d", &y, &mon, &d, &h, &min, &s,
			      &usec) >= 5,
		"%s", text);
	return (civil_to_days(y, mon, d) * 86400 + h * 3600 + min * 60 + s) * SEC +
	       usec;
}

/* times are UTC, the last of them NULL; or "never" */
static void assert_elapses(
	const char *text, const char *zone_text, int64_t usec, const char *const *times)
{
	_cleanup_(calendar_freep) struct calendar *c = parse(text, zone_text);
	int64_t next;

	for (; *times; times++) {
		if (STREQ(*times, "never")) {
			ck_assert_int_eq(calendar_next(&next, c, usec, 0), -ENOENT);
			return;
		}
		ck_assert_msg(calendar_next(&next, c, usec, 0) == 0, "%s", text);
		ck_assert_msg(next == moment(*times), "'%s': @%" PRId64 ", not %s",
			text, next, *times);
		usec = next;
	}
}
#define ELAPSES(text, zone_text, usec, ...) \
	assert_elapses(text, zone_text, usec, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(normal_forms_of_the_manual_are_ours)
{
	static const char *const cases[][2] = {
		{"Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"},
		{"Mon,Sun 12-*-* 2,1:23", "Mon,Sun 2012-*-* 01,02:23:00"},
		{"Wed *-1", "Wed *-*-01 00:00:00"},
		{"Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00"},
		{"Wed, 17:48", "Wed *-*-* 17:48:00"},
		{"Wed..Sat,Tue 12-10-15 1:2:3", "Tue..Sat 2012-10-15 01:02:03"},
		{"*-*-7 0:0:0", "*-*-07 00:00:00"},
		{"10-15", "*-10-15 00:00:00"},
		{"monday *-12-* 17:00", "Mon *-12-* 17:00:00"},
		{"Mon,Fri *-*-3,1,2 *:30:45", "Mon,Fri *-*-01,02,03 *:30:45"},
		{"12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00"},
		{"12..14:10,20,30", "*-*-* 12..14:10,20,30:00"},
		{"mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01/2-01,03 *:30:45"},
		{"03-05 08:05:40", "*-03-05 08:05:40"},
		{"08:05:40", "*-*-* 08:05:40"},
		{"05:40", "*-*-* 05:40:00"},
		{"Sat,Sun 12-05 08:05:40", "Sat,Sun *-12-05 08:05:40"},
		{"2003-03-05 05:40", "2003-03-05 05:40:00"},
		{"05:40:23.4200004/3.1700005", "*-*-* 05:40:23.420000/3.170001"},
		{"2003-02..04-05", "2003-02..04-05 00:00:00"},
		{"2003-03-05 05:40 UTC", "2003-03-05 05:40:00 UTC"},
		{"hourly", "*-*-* *:00:00"},
		{"daily UTC", "*-*-* 00:00:00 UTC"},
		{"weekly Pacific/Auckland", "Mon *-*-* 00:00:00 Pacific/Auckland"},
		{"yearly", "*-01-01 00:00:00"},
		{"*:2/3", "*-*-* *:02/3:00"},
		{"*-02~03", "*-02~03 00:00:00"},
		{"Mon *-05~07/1", "Mon *-05~07/1 00:00:00"},
		{"*-*~1..6/3", "*-*~01..04/3 00:00:00"},
		{"*:*:*", "*-*-* *:*:*"},
		{"*:*:0/0.5", "*-*-* *:*:00/0.500000"},
		{"Mon..Sun 1:00", "*-*-* 01:00:00"},
		{"SEMI-ANNUALLY", "*-01,07-01 00:00:00"},
		{" 12:00  utc ", "*-*-* 12:00:00 UTC"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(calendar_freep) struct calendar *c =
			parse(cases[i][0], "UTC");
		_cleanup_(calendar_freep) struct calendar *again =
			parse(calendar_format(c), "UTC");

		ck_assert_str_eq(calendar_format(c), cases[i][1]);
		ck_assert_str_eq(calendar_format(again), cases[i][1]);
	}
}
END_TEST

START_TEST(fractions_of_seconds_elapse_exactly)
{
	ELAPSES("*:*:0.25/0.5", "UTC", NOW, "2026-03-10 12:30:00.250000",
		"2026-03-10 12:30:00.750000", "2026-03-10 12:30:01.250000");
	ELAPSES("*:*:50.9/7", "UTC", NOW, "2026-03-10 12:30:50.900000",
		"2026-03-10 12:30:57.900000", "2026-03-10 12:31:50.900000");
	/* lost by systemd 252: the repetition runs over the end of the minute */
	ELAPSES("*:*:0.43/25.113991", "UTC", NOW + 26 * SEC,
		"2026-03-10 12:30:50.657982", "2026-03-10 12:31:00.430000");
}
END_TEST

START_TEST(ends_of_months_are_counted_back)
{
	ELAPSES("*-*~1", "UTC", NOW, "2026-03-31 00:00", "2026-04-30 00:00");
	ELAPSES("*-02~1", "UTC", NOW, "2027-02-28 00:00", "2028-02-29 00:00");
	ELAPSES("Mon *-05~07/1", "UTC", NOW, "2026-05-25 00:00", "2027-05-31 00:00");
	ELAPSES("*-*~1..3 12:00", "UTC", NOW, "2026-03-29 12:00", "2026-03-30 12:00",
		"2026-03-31 12:00", "2026-04-28 12:00");
	/* lost by systemd 252: 35 December would be in the next year */
	ELAPSES("*-3/16", "UTC", moment("2015-12-30 00:00"), "2016-01-03 00:00",
		"2016-01-19 00:00");
}
END_TEST

START_TEST(what_cannot_be_never_elapses)
{
	ELAPSES("2-30", "UTC", NOW, "never");
	ELAPSES("*-04,06-31", "UTC", NOW, "never");
	ELAPSES("2026-03-10 12:30", "UTC", NOW, "never");
	ELAPSES("2026-03-10 12:30", "UTC", NOW - 1, "2026-03-10 12:30", "never");
	ELAPSES("2026-02-29", "UTC", 0, "never");
	ELAPSES("Mon 2026-03-10", "UTC", 0, "never");
	ELAPSES("@1700000000", "Europe/Berlin", 0, "2023-11-14 22:13:20", "never");
	ELAPSES("2199-12-31 23:59:59", "UTC", NOW, "2199-12-31 23:59:59", "never");
	ELAPSES("*:*:*", "UTC", moment("2199-12-31 23:59:58"), "2199-12-31 23:59:59",
		"never");
	ELAPSES("*:*:*", "UTC", INT64_MAX, "never");
	ELAPSES("1970-01-01", "UTC", INT64_MIN, "1970-01-01 00:00", "never");
}
END_TEST

START_TEST(skipped_times_do_not_elapse)
{
	ELAPSES("2:30", "Europe/Berlin", moment("2026-03-28 12:00"),
		"2026-03-30 00:30");
	ELAPSES("2..3:30", "Europe/Berlin", moment("2026-03-28 12:00"),
		"2026-03-29 01:30", "2026-03-30 00:30");
	ELAPSES("*:0/30", "Europe/Berlin", moment("2026-03-29 00:10"),
		"2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30");
	ELAPSES("2:30 Europe/Berlin", "UTC", moment("2026-03-28 12:00"),
		"2026-03-30 00:30");
	ELAPSES("2011-12-30 12:00", "Pacific/Apia", 0, "never");
	/* lost by systemd 252: 02:00 is the first time behind the gap */
	ELAPSES("1..3:00", "Europe/Dublin", moment("2034-03-25 12:00"),
		"2034-03-26 01:00", "2034-03-26 02:00");
}
END_TEST

START_TEST(repeated_times_elapse_once)
{
	ELAPSES("2:30", "Europe/Berlin", moment("2026-10-24 12:00"), "2026-10-25 00:30",
		"2026-10-26 01:30");
	ELAPSES("*:0/30", "Europe/Berlin", moment("2026-10-25 00:10"),
		"2026-10-25 00:30", "2026-10-25 02:00", "2026-10-25 02:30");
	/* asked in the second of the two hours, after a restart: not again */
	ELAPSES("2:30", "Europe/Berlin", moment("2026-10-25 01:10"),
		"2026-10-26 01:30");
	ELAPSES("1:45", "Australia/Lord_Howe", moment("2026-04-04 14:46"),
		"2026-04-05 15:15");
}
END_TEST

START_TEST(names_of_the_local_zone_hold_while_it_has_them)
{
	ELAPSES("12:00 CET", "Europe/Berlin", moment("2026-03-27 12:00"),
		"2026-03-28 11:00", "2026-10-25 11:00");
	ELAPSES("12:00 cest", "Europe/Berlin", moment("2026-03-10 12:00"),
		"2026-03-29 10:00", "2026-03-30 10:00");
	/* the second of the two hours is the first that is CET */
	ELAPSES("2:30 CET", "Europe/Berlin", moment("2026-10-24 12:00"),
		"2026-10-25 01:30", "2026-10-26 01:30");
}
END_TEST

START_TEST(intervals_count_from_their_anchor)
{
	_cleanup_(calendar_freep) struct calendar *c = parse("every 90min", "UTC");
	const int64_t step = 5400 * SEC;
	int64_t next;

	ck_assert(calendar_next(&next, c, NOW, NOW) == 0 && next == NOW + step);
	ck_assert(calendar_next(&next, c, NOW + step - 1, NOW) == 0 &&
		  next == NOW + step);
	ck_assert(calendar_next(&next, c, NOW + step, NOW) == 0 &&
		  next == NOW + 2 * step);
	ck_assert(calendar_next(&next, c, NOW + 1000 * step + 1, NOW) == 0 &&
		  next == NOW + 1001 * step);
	/* the clock was set back behind the anchor */
	ck_assert(calendar_next(&next, c, NOW - 7 * step, NOW) == 0 &&
		  next == NOW + step);
	ck_assert_int_eq(calendar_next(&next, c, INT64_MAX - 1, NOW), -ENOENT);
	ck_assert_int_eq(calendar_next(&next, c, INT64_MAX, INT64_MIN), -ENOENT);
}
END_TEST

START_TEST(the_latest_of_many_missed_is_found)
{
	static const char *const texts[] = {"*:*:*", "*:0/15", "2:30", "Mon 3:00",
		"yearly", "*/10 * * * *", "30 2 * * *", "every 7min", "2-30",
		"2026-03-10 12:30"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(calendar_freep) struct calendar *c =
			parse(texts[i], "Europe/Berlin");
		const int64_t until = NOW + 86400 * SEC * 20;
		int64_t last = 0, at, found;
		int r = -ENOENT;

		for (at = until - 2 * 86400 * SEC;
			calendar_next(&at, c, at, NOW) == 0 && at <= until; r = 0)
			last = at;
		ck_assert_int_eq(
			calendar_last(&found, c, until - 2 * 86400 * SEC, until, NOW),
			r);
		ck_assert(r < 0 || found == last);
		/* years of seconds cost no more */
		if (calendar_last(&found, c, 0, until, NOW) == 0)
			ck_assert(r < 0 ? found < until - 2 * 86400 * SEC
					: found == last);
		ck_assert_int_eq(calendar_last(&found, c, until, until, NOW), -ENOENT);
		ck_assert_int_eq(calendar_last(&found, c, until, 0, NOW), -ENOENT);
		r = calendar_last(&found, c, INT64_MIN, INT64_MAX, NOW);
		ck_assert_int_eq(r, STREQ(texts[i], "2-30") ? -ENOENT : 0);
		if (STREQ(texts[i], "yearly"))
			ck_assert_int_eq(found, moment("2198-12-31 23:00"));
	}
}
END_TEST

START_TEST(errors_name_the_place)
{
	static const char *const cases[][2] = {
		{"", "at byte 1 of '': the expression is empty"},
		{"  ", "the expression is empty"},
		{"fortnightly",
			"at byte 1 of 'fortnightly': expected a weekday, a date, a "
			"time or a word such as 'daily', not 'fortnightly'"},
		{"UTC", "expected a weekday, a date"},
		{"2026-13-01", "at byte 6 of '2026-13-01': month 13 is not in 1 to 12"},
		{"2026-00-01", "month 0 is not in 1 to 12"},
		{"1-32", "at byte 3 of '1-32': day 32 is not in 1 to 31"},
		{"1~29", "day 29 is not in 1 to 28"},
		{"1969-01-01", "year 1969 is not in 1970 to 2199"},
		{"24:00", "at byte 1 of '24:00': hour 24 is not in 0 to 23"},
		{"12:60", "at byte 4 of '12:60': minute 60 is not in 0 to 59"},
		{"12:00:60", "second 60 is not in 0 to 59"},
		{"12:00:59.9999999", "second 60 is not in 0 to 59"},
		{"12", "at byte 3 of '12': expected ':' of a time, not the end"},
		{"12:", "at byte 4 of '12:': expected a number, not the end"},
		{"12:00:1.", "expected digits behind the point, not the end"},
		{"12:00:00:00",
			"expected the end or a time zone behind the time, not ':00'"},
		{"*/2:00", "'*' has no repetition: write 0/N or 1/N"},
		{"5..4:00", "the range ends before it begins"},
		{"1..:00", "expected a number, not ':00'"},
		{"0/0:00", "a repetition of 0"},
		{"20/5:00", "the repetition leads out of 0 to 23"},
		{"1.5:00",
			"expected ',', '..', '/' or the end of the field, not '.5:00'"},
		{"Fri..Mon", "weekdays run from Monday to Sunday"},
		{"Mon,Foo", "at byte 5 of 'Mon,Foo': expected a weekday, not 'Foo'"},
		{"Mondays", "expected ',', '..', a space or the end, not 's'"},
		{"Mon..", "expected a weekday, not the end"},
		{"Mon..Wed..Fri", "expected ',', a space or the end, not '..Fri'"},
		{"1~1-1", "'~' stands before the day, the last part of a date"},
		{"2026-1-1x",
			"expected ',', '..', '/' or the end of the field, not 'x'"},
		{"1-1-1-1", "expected a space or the end behind the date, not '-1'"},
		{"2026-1-1 1", "expected ':' of a time, not the end"},
		{"@", "expected seconds since 1970 behind '@', not the end"},
		{"@5.5", "expected the end, not '.5'"},
		{"@99999999999", "that is after 2199"},
		{"12:00 Europe/Atlantis", "at byte 7 of '12:00 Europe/Atlantis': there "
					  "is no time zone 'Europe/Atlantis'"},
		{"12:00 ../../etc/passwd", "expected ':' of seconds, a time zone or "
					   "the end, not '../../etc/passwd'"},
		{"12:00 CEST", "there is no time zone 'CEST'"},
		{"99999999999:00", "'99999999999:00' is too large a number"},
		{"1:\001", "expected a number, not '\\x01'"},
		{"every",
			"expected a duration such as '90min' or '1d 12h', not the end"},
		{"every day",
			"expected a duration such as '90min' or '1d 12h', not 'day'"},
		{"every -5min", "expected a duration"},
		{"every 0.5s", "an interval is at least a second"},
		{"every infinity", "the interval is too long"},
		{"0 3 * *", "expected '-' or '~' of a date, or ':' of a time"},
	};
	_cleanup_(zone_unrefp) struct zone *z = zone("UTC");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct calendar *c = NULL;
		char *err = NULL;

		ck_assert_msg(calendar_parse(&c, cases[i][0], z, NULL, &err) < 0,
			"'%s'", cases[i][0]);
		ck_assert_msg(
			err && strstr(err, cases[i][1]), "'%s': %s", cases[i][0], err);
		free(err);
		ck_assert_int_lt(calendar_parse(&c, cases[i][0], z, NULL, NULL), 0);
	}
}
END_TEST

START_TEST(long_texts_and_lists_are_refused)
{
	_cleanup_(zone_unrefp) struct zone *z = zone("UTC");
	char text[CALENDAR_TEXT_MAX + 2];
	struct calendar *c;
	char *err;
	size_t n = 0;

	memset(text, ' ', sizeof(text));
	text[CALENDAR_TEXT_MAX + 1] = '\0';
	memcpy(text, "12:00", 5);
	ck_assert_int_eq(calendar_parse(&c, text, z, NULL, &err), -ERANGE);
	ck_assert_msg(strstr(err, "an expression has at most 1024 bytes"), "%s", err);
	free(err);
	text[CALENDAR_TEXT_MAX] = '\0';
	ck_assert_int_eq(calendar_parse(&c, text, z, NULL, NULL), 0);
	calendar_free(c);
	for (int i = 0; i < CALENDAR_ITEMS_MAX; i++)
		n += (size_t)sprintf(text + n, "%d,", i % 24);
	sprintf(text + n - 1, ":00");
	ck_assert_int_eq(calendar_parse(&c, text, z, NULL, NULL), 0);
	ck_assert_str_eq(calendar_format(c),
		"*-*-* "
		"00,01,02,03,04,05,06,07,08,09,10,11,12,13,14,15,16,17,18,19,20,21,"
		"22,23:00:00");
	calendar_free(c);
	sprintf(text + n - 1, ",5:00");
	ck_assert_int_eq(calendar_parse(&c, text, z, NULL, &err), -ERANGE);
	ck_assert_msg(strstr(err, "a list has at most 240 elements"), "%s", err);
	free(err);
}
END_TEST

/* the worst that there is, many times: what is not bounded would take for ever */
START_TEST(hostile_expressions_cost_little)
{
	static const char *const texts[] = {"2-30", "Mon *-02-30",
		"*-02,04,06,09,11-31", "Mon,Tue 1970/2-02-29 *:*:0.000001/0.000001",
		"2199-12-31 23:59:59.999999"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(calendar_freep) struct calendar *c =
			parse(texts[i], "Africa/Casablanca");
		int64_t next;

		for (int k = 0; k < 300; k++)
			(void)calendar_next(&next, c, k * SEC, 0);
	}
}
END_TEST

static int parse_and_free(void *arg)
{
	struct calendar *c;
	char *err = NULL;
	int r = calendar_parse(
		&c, "Mon *-*~7/1 *:0/15:0,30.5 Europe/Berlin", arg, NULL, &err);

	free(err);
	if (r == 0)
		calendar_free(c);
	return r;
}

START_TEST(running_out_of_memory_is_told)
{
	_cleanup_(zone_unrefp) struct zone *z = zone("UTC");

	ck_assert_int_eq(alloc_fail_sweep(parse_and_free, z), 0);
}
END_TEST

UNIT_MAIN("calendar", normal_forms_of_the_manual_are_ours,
	fractions_of_seconds_elapse_exactly, ends_of_months_are_counted_back,
	what_cannot_be_never_elapses, skipped_times_do_not_elapse,
	repeated_times_elapse_once, names_of_the_local_zone_hold_while_it_has_them,
	intervals_count_from_their_anchor, the_latest_of_many_missed_is_found,
	errors_name_the_place, long_texts_and_lists_are_refused,
	hostile_expressions_cost_little, running_out_of_memory_is_told)
