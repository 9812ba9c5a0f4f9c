/* cron's fields: the table in cron.txt, what is refused, and what is recognised as cron's. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/zone.h"
#include "job/calendar.h"
#include "tests/support/unit.h"

static struct zone *utc(void)
{
	static struct zone *z;

	if (!z)
		ck_assert_int_eq(zone_load(&z, "UTC"), 0);
	return z;
}

/* "2026-03-10 12:30" or "... 12:30:05", UTC, in microseconds */
static int64_t moment(const char *text)
{
	int y, mon, d, h, min, s = 0;

	ck_assert_msg(
		sscanf(text, "%d-%d-%d %d:%d:%d", &y, &mon, &d, &h, &min, &s) >= 5,
		"%s", text);
	return (civil_to_days(y, mon, d) * 86400 + h * 3600 + min * 60 + s) *
	       USEC_PER_SEC;
}

/* the next part of line, which ends at sep, without blanks around it */
static char *part(char **line, const char *sep)
{
	char *p = strsep(line, sep);
	size_t n;

	ck_assert_ptr_nonnull(p);
	p += strspn(p, " ");
	n = strlen(p);
	while (n > 0 && p[n - 1] == ' ')
		p[--n] = '\0';
	return p;
}

static void check_case(char *line, struct zone_cache *cache)
{
	_cleanup_(calendar_freep) struct calendar *c = NULL, *again = NULL;
	_cleanup_(zone_unrefp) struct zone *zone = NULL;
	_cleanup_free_ char *err = NULL;
	char *text = part(&line, ";"), *times;
	int64_t usec = moment(part(&line, ";")), found;
	const char *zone_text = part(&line, ";");

	times = part(&line, ";");
	ck_assert_int_eq(zone_get(&zone, cache, zone_text), 0);
	ck_assert_msg(calendar_parse(&c, text, zone, cache, &err) == 0, "%s", err);
	ck_assert_int_eq(calendar_kind_of(c), CALENDAR_CRON);
	ck_assert_msg(
		calendar_parse(&again, calendar_format(c), zone, cache, NULL) == 0,
		"'%s' of '%s'", calendar_format(c), text);
	ck_assert_str_eq(calendar_format(again), calendar_format(c));
	if (STREQ(times, "never")) {
		ck_assert_int_eq(calendar_next(&usec, c, usec, 0), -ENOENT);
		return;
	}
	while (times) {
		int64_t expected = moment(part(&times, ","));

		ck_assert_msg(
			calendar_next(&found, c, usec, 0) == 0 && found == expected,
			"'%s' in %s: @%" PRId64 " is followed by @%" PRId64
			", not @%" PRId64,
			text, zone_text, usec / USEC_PER_SEC, found / USEC_PER_SEC,
			expected / USEC_PER_SEC);
		ck_assert(calendar_next(&usec, again, usec, 0) == 0 && found == usec);
	}
}

START_TEST(table_of_cases_holds)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct zone_cache cache = ZONE_CACHE_NULL;
	char path[4096], *lines, *line;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/tests/unit/job/cron.txt",
		srcdir ? srcdir : ".");
	ck_assert_int_eq(file_read(&text, AT_FDCWD, path, 1 << 20), 0);
	buf_append_byte(&text, '\0');
	lines = buf_head(&text);
	while ((line = strsep(&lines, "\n")) != NULL) {
		if (*line == '#' || *line == '\0')
			continue;
		check_case(line, &cache);
		n++;
	}
	ck_assert_uint_ge(n, 200);
	printf("%zu cases\n", n);
	zone_cache_deinit(&cache);
}
END_TEST

START_TEST(what_is_refused_is_explained)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"60 * * * *",
			"at byte 1 of '60 * * * *': minute 60 is not in 0 to 59"},
		{"* 24 * * *", "at byte 3 of '* 24 * * *': hour 24 is not in 0 to 23"},
		{"* * 0 * *", "at byte 5 of '* * 0 * *': day of the month 0 is not in "
			      "1 to 31"},
		{"* * 32 * *", "day of the month 32 is not in 1 to 31"},
		{"* * * 13 *", "month 13 is not in 1 to 12"},
		{"* * * 0 *", "month 0 is not in 1 to 12"},
		{"* * * * 8", "at byte 9 of '* * * * 8': weekday 8 is not in 0 to 7"},
		{"x * * * *", "expected a minute, not 'x'"},
		{"* * * foo *", "expected a month or its name, not 'foo'"},
		{"* * * janus *",
			"expected ',', '-', '/' or a space behind the month, not 'us'"},
		{"*/0 * * * *", "the step 0 is not in 1 to 59"},
		{"*/60 * * * *", "the step 60 is not in 1 to 59"},
		{"*/ * * * *", "at byte 3 of '*/ * * * *': expected a step, not '*'"},
		{"5/15 * * * *", "a step needs a range before it: '5-59/...'"},
		{"* 22-2 * * *", "the range ends before it begins: write '22-23,0-2'"},
		{"* * * * fri-mon", "the range ends before it begins: write '5-6,0-1'"},
		{"1- * * * *", "expected a minute, not '*'"},
		{"1,, * * * *", "expected a minute, not ','"},
		{", * * * *", "expected a minute, not ','"},
		{"-5 * * * *", "expected a minute, not '-5'"},
		{"1.5 * * * *", "expected ',', '-', '/' or a space behind the minute, "
				"not '.5'"},
		{"0 0 ? * *", "'?' is '*' here"},
		{"0 0 L * *", "for such days see calendar expressions"},
		{"0 0 15W * *", "for such days see calendar expressions"},
		{"0 0 * * 5#3", "for such days see calendar expressions"},
		{"0 0~5 * * *", "for a random time use the schedule's jitter"},
		{"cron: 0 3 * *", "expected a weekday: cron's fields are minute, hour"},
		{"cron: 1 2 3 4 5 6 7",
			"expected the end or a time zone behind the weekday, not '6'"},
		{"cron:", "at byte 6 of 'cron:': the expression is empty"},
		{"0 3 * * 1 Europe/Atlantis",
			"at byte 11 of '0 3 * * 1 Europe/Atlantis': there is no time "
			"zone 'Europe/Atlantis'"},
		{"0 3 * * 1 ../../etc/passwd",
			"expected the end or a time zone behind the weekday"},
		{"@reboot", "'@reboot' is no time; what is to run from boot on is a "
			    "service"},
		{"@every 5m", "an interval is written 'every 90min'"},
		{"@dayly", "did you mean '@daily'?"},
		{"@weeklyy", "did you mean '@weekly'?"},
		{"@", "expected seconds since 1970 behind '@', not the end"},
		{"99999999999999999999 * * * *", "minute 2147483647 is not in 0 to 59"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct calendar *c = NULL;
		char *err = NULL;

		ck_assert_msg(
			calendar_parse(&c, cases[i].text, utc(), NULL, &err) == -EINVAL,
			"'%s'", cases[i].text);
		ck_assert_msg(err && strstr(err, cases[i].message), "'%s': %s",
			cases[i].text, err);
		free(err);
	}
}
END_TEST

START_TEST(kinds_are_told_apart)
{
	static const struct {
		const char *text, *normal;
		enum calendar_kind kind;
	} cases[] = {
		{"0 3 * * 1", "0 3 * * 1", CALENDAR_CRON},
		{"\t00 3\t* * mon ", "0 3 * * 1", CALENDAR_CRON},
		{"cron: */15 9-17 * jan-mar sun", "*/15 9-17 * 1-3 0", CALENDAR_CRON},
		{"0 3 * * fri-sun Europe/Berlin", "0 3 * * 5-7 Europe/Berlin",
			CALENDAR_CRON},
		{"@hourly", "0 * * * *", CALENDAR_CRON},
		{"@daily Europe/Berlin", "0 0 * * * Europe/Berlin", CALENDAR_CRON},
		{"hourly", "*-*-* *:00:00", CALENDAR_WALL},
		{"Mon *-*-* 03:00 Europe/Berlin", "Mon *-*-* 03:00:00 Europe/Berlin",
			CALENDAR_WALL},
		{"@1700000000", "2023-11-14 22:13:20 UTC", CALENDAR_WALL},
		{"every 90min", "every 1h 30min", CALENDAR_INTERVAL},
		{"  EVERY   1d ", "every 1d", CALENDAR_INTERVAL},
		{"every 1 h 2 min 3 s", "every 1h 2min 3s", CALENDAR_INTERVAL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct calendar *c;
		char *err = NULL;

		ck_assert_msg(calendar_parse(&c, cases[i].text, utc(), NULL, &err) == 0,
			"%s", err);
		ck_assert_int_eq(calendar_kind_of(c), cases[i].kind);
		ck_assert_str_eq(calendar_format(c), cases[i].normal);
		calendar_free(c);
	}
}
END_TEST

START_TEST(lists_have_a_limit)
{
	struct buf text = BUF_NULL;
	struct calendar *c;
	char *err, *s;

	for (int i = 0; i < CALENDAR_ITEMS_MAX; i++)
		buf_append_str(&text, i > 0 ? ",1" : "1");
	buf_append_str(&text, " 1 1 1 *");
	ck_assert_ptr_nonnull(s = buf_steal_str(&text, NULL));
	ck_assert_int_eq(calendar_parse(&c, s, utc(), NULL, NULL), 0);
	calendar_free(c);
	buf_append_str(&text, "1,");
	buf_append_str(&text, s);
	free(s);
	ck_assert_ptr_nonnull(s = buf_steal_str(&text, NULL));
	ck_assert_int_eq(calendar_parse(&c, s, utc(), NULL, &err), -ERANGE);
	ck_assert_msg(strstr(err, "a list has at most 240 elements"), "%s", err);
	free(err);
	free(s);
}
END_TEST

UNIT_MAIN("cron", table_of_cases_holds, what_is_refused_is_explained,
	kinds_are_told_apart, lists_have_a_limit)
