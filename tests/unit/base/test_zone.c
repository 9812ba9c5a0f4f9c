#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/zone.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

#define SEC USEC_PER_SEC

static const char *const names[] = {"UTC", "Europe/Berlin", "America/New_York",
	"Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca",
	"Europe/Dublin", "America/St_Johns", "America/Santiago", "Etc/GMT+5",
	"Pacific/Chatham", "America/Sao_Paulo", "Asia/Tehran"};

static struct zone *load(const char *name)
{
	struct zone *z;

	ck_assert_msg(zone_load(&z, name) == 0, "%s", name);
	return z;
}

static struct zone *rule(const char *text)
{
	struct zone *z;

	ck_assert_msg(zone_from_rule(&z, text) == 0, "%s", text);
	return z;
}

static void assert_offset(
	const struct zone *z, int64_t sec, int hours, const char *abbrev)
{
	struct zone_span span;

	zone_span_at(&span, z, sec);
	ck_assert_int_eq(span.offset, hours * 3600);
	ck_assert_str_eq(span.abbrev, abbrev);
	ck_assert(span.begin <= sec && sec < span.end);
}

START_TEST(dates_and_days_are_the_same)
{
	ck_assert_int_eq(civil_to_days(1970, 1, 1), 0);
	ck_assert_int_eq(civil_to_days(2000, 3, 1), 11017);
	ck_assert_int_eq(civil_to_days(1969, 12, 31), -1);
	ck_assert_int_eq(civil_weekday(0), 3);
	ck_assert_int_eq(civil_weekday(-4), 6);
	ck_assert_int_eq(civil_month_days(2000, 2), 29);
	ck_assert_int_eq(civil_month_days(2100, 2), 28);
	for (int64_t day = -800000; day < 800000; day++) {
		struct civil c = civil_of_days(day), next = civil_of_days(day + 1);

		ck_assert_int_eq(civil_to_days(c.year, c.month, c.day), day);
		ck_assert(
			next.day == c.day + 1 ||
			(next.day == 1 && c.day == civil_month_days(c.year, c.month)));
	}
}
END_TEST

/* to 2199, by listed changes and by the rule behind them */
START_TEST(zones_show_what_libc_shows)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct zone *z = load(names[i]);

		setenv("TZ", names[i], 1);
		tzset();
		for (int64_t sec = 0; sec < INT64_C(7258118400); sec += 98765) {
			time_t t = (time_t)sec;
			struct zone_span span;
			struct tm tm;

			ck_assert_ptr_nonnull(localtime_r(&t, &tm));
			zone_span_at(&span, z, sec);
			ck_assert_msg(span.offset == tm.tm_gmtoff &&
					      span.is_dst == (tm.tm_isdst > 0) &&
					      STREQ(span.abbrev, tm.tm_zone) &&
					      span.begin <= sec && sec < span.end,
				"%s at @%" PRId64 ": %d %s, of libc %ld %s", names[i],
				sec, (int)span.offset, span.abbrev, tm.tm_gmtoff,
				tm.tm_zone);
		}
		zone_unref(z);
	}
}
END_TEST

START_TEST(stretches_follow_each_other)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct zone *z = load(names[i]);
		struct zone_span span = {.end = 0}, again;
		size_t n = 0;

		while (span.end < INT64_C(7258118400)) {
			int64_t end = span.end;

			zone_span_at(&span, z, end);
			ck_assert(n == 0 || span.begin == end);
			ck_assert_int_gt(span.end, end);
			zone_span_at(&again, z, span.end - 1);
			ck_assert_int_eq(again.begin, span.begin);
			ck_assert_int_lt(++n, 1000);
		}
		zone_unref(z);
	}
}
END_TEST

START_TEST(rules_of_posix_are_read)
{
	/* 2026-03-29 01:00 and 2026-10-25 01:00 UTC */
	struct zone *z = rule("CET-1CEST,M3.5.0,M10.5.0/3");

	assert_offset(z, 1774745999, 1, "CET");
	assert_offset(z, 1774746000, 2, "CEST");
	assert_offset(z, 1792889999, 2, "CEST");
	assert_offset(z, 1792890000, 1, "CET");
	zone_unref(z);
	/* without days those of the United States, as with libc: 2026-03-08 07:00 UTC */
	z = rule("EST5EDT");
	assert_offset(z, 1772953199, -5, "EST");
	assert_offset(z, 1772953200, -4, "EDT");
	zone_unref(z);
	z = rule("<+0330>-3:30");
	ck_assert_int_eq(zone_to_wall(z, 0), 12600 * SEC);
	zone_unref(z);
	/* all the year: begins on 1 January and ends when the next begins */
	z = rule("XXX3EDT4,0/0,J365/23");
	for (int64_t day = 0; day < 1500; day++)
		assert_offset(z, 1700000000 + day * 86400, -4, "EDT");
	zone_unref(z);
	/* Greenland: the day before the last Sunday of March */
	z = rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
	assert_offset(z, 1774745999, -2, "-02");
	assert_offset(z, 1774746000, -1, "-01");
	zone_unref(z);
	/* 60 never counts 29 February: 2028-03-01 and 2026-03-01 */
	z = rule("AAA0BBB,J60/0,J300/0");
	assert_offset(z, 1835481599, 0, "AAA");
	assert_offset(z, 1835481600, 1, "BBB");
	assert_offset(z, 1772323200, 1, "BBB");
	zone_unref(z);
}
END_TEST

START_TEST(what_is_no_rule_is_refused)
{
	static const char *const bad[] = {"", "C", "CET", "CE1", "CET-25", "CET-1:60",
		"CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
		"CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,M3.5.0,M10.5.0x", "CET-1CEST,J0,J5", "CET-1CEST,366,5",
		"CET-1CEST,M3.5.0/168,M10.5.0", "<CET-1", "<CE>1", "CET-1 ",
		"ABCDEFGHIJKLMNOPQ1", "CET-9999999999"};
	struct zone *z = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(zone_from_rule(&z, bad[i]) == -EINVAL, "'%s'", bad[i]);
	ck_assert_ptr_null(z);
}
END_TEST

START_TEST(names_do_not_leave_the_directory)
{
	static const char *const bad[] = {"", "/", "../zoneinfo/UTC", "Europe/../UTC",
		"/usr/share/zoneinfo/UTC", "../../../etc/passwd", "./UTC",
		"Europe//Berlin", "Europe/", "tzdata.zi", "Europe/Berlin ",
		"Europe\\Berlin", "B\303\244rlin", "%s"};
	char name[ZONE_NAME_MAX + 2];
	struct zone *z;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(zone_load(&z, bad[i]) == -EINVAL, "'%s'", bad[i]);
	ck_assert_int_eq(zone_load(&z, "Europe"), -ENOENT);
	ck_assert_int_eq(zone_load(&z, "Europe/Atlantis"), -ENOENT);
	ck_assert_int_eq(zone_load(&z, "UTC/deeper"), -ENOENT);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(zone_load(&z, name), -EINVAL);
	name[ZONE_NAME_MAX] = '\0';
	ck_assert_int_eq(zone_load(&z, name), -ENOENT);
}
END_TEST

/* every byte of a real file changed, and every end cut off: an error or a zone that works */
START_TEST(broken_files_are_refused_or_work)
{
	struct buf data = BUF_NULL;
	struct zone *z;
	size_t n;

	ck_assert_int_eq(
		file_read(&data, AT_FDCWD, ZONE_DIR "/Europe/Berlin", ZONE_FILE_MAX),
		0);
	n = buf_len(&data);
	for (size_t i = 0; i < n * 4; i++) {
		char *bytes = malloc(n);
		size_t len = i < n ? i : n;
		int64_t at = 0;
		int r;

		memcpy(bytes, buf_head(&data), n);
		if (i >= n)
			bytes[i % n] = (char)(bytes[i % n] ^ (0x81 >> i / n));
		r = zone_parse(&z, "broken", bytes, len);
		free(bytes);
		ck_assert(r == 0 || r == -RV_ECORRUPT || r == -ENOTSUP);
		ck_assert(r < 0 || i >= n);
		for (int k = 0; r == 0 && k < 600 && at != INT64_MAX; k++) {
			struct zone_span span;

			zone_span_at(&span, z, at);
			ck_assert(span.begin <= at && at < span.end);
			ck_assert_int_lt(abs(span.offset), ZONE_OFFSET_MAX);
			at = span.end;
		}
		if (r == 0)
			zone_unref(z);
	}
	buf_deinit(&data);
}
END_TEST

START_TEST(leap_seconds_are_not_taken)
{
	struct zone *z;
	int r = zone_load(&z, "right/Europe/Berlin");

	/* not every system has such files */
	ck_assert(r == -ENOTSUP || r == -ENOENT);
}
END_TEST

START_TEST(local_zone_is_that_of_the_environment)
{
	static const struct {
		const char *tz, *name;
		int32_t offset; /* on 2026-01-01 */
	} cases[] = {{"Asia/Kathmandu", "Asia/Kathmandu", 20700},
		{":Asia/Kathmandu", "Asia/Kathmandu", 20700}, {"", "UTC", 0},
		{":" ZONE_DIR "/Asia/Kathmandu", ZONE_DIR "/Asia/Kathmandu", 20700},
		{"XYZ-4", "XYZ-4", 14400}, {"../../etc/passwd", "UTC", 0},
		{"/etc/passwd", "UTC", 0}, {"/dev/zero", "UTC", 0},
		{"no such zone", "UTC", 0}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct zone_span span;
		struct zone *z;

		setenv("TZ", cases[i].tz, 1);
		ck_assert_int_eq(zone_load_local(&z), 0);
		ck_assert_str_eq(zone_name(z), cases[i].name);
		zone_span_at(&span, z, 1767225600);
		ck_assert_int_eq(span.offset, cases[i].offset);
		zone_unref(z);
	}
}
END_TEST

START_TEST(wall_times_are_turned_into_moments)
{
	struct zone *z = load("Europe/Berlin");
	/* 2026-03-29 and 2026-10-25, midnight */
	int64_t spring = civil_to_days(2026, 3, 29) * 86400 * SEC;
	int64_t autumn = civil_to_days(2026, 10, 25) * 86400 * SEC;

	ck_assert_int_eq(zone_from_wall(z, spring), spring - 3600 * SEC);
	/* 02:30 is skipped: 03:30, 01:30 UTC */
	ck_assert_int_eq(zone_from_wall(z, spring + 9000 * SEC), spring + 5400 * SEC);
	ck_assert_int_eq(
		zone_from_wall(z, spring + 10800 * SEC + 7), spring + 3600 * SEC + 7);
	/* 02:30 comes twice: the first */
	ck_assert_int_eq(zone_from_wall(z, autumn + 9000 * SEC), autumn + 1800 * SEC);
	ck_assert_int_eq(zone_from_wall(z, autumn + 10800 * SEC), autumn + 7200 * SEC);
	for (int64_t usec = 0; usec < 2000000000 * SEC; usec += 7654321 * SEC)
		ck_assert_int_le(zone_from_wall(z, zone_to_wall(z, usec)), usec);
	zone_unref(z);
}
END_TEST

START_TEST(abbreviations_are_those_used_last)
{
	struct zone *z = load("Europe/Berlin");
	bool is_dst;

	ck_assert(zone_has_abbrev(z, "cet", &is_dst) && !is_dst);
	ck_assert(zone_has_abbrev(z, "CEST", &is_dst) && is_dst);
	ck_assert(!zone_has_abbrev(z, "CEMT", &is_dst));
	ck_assert(!zone_has_abbrev(z, "", &is_dst));
	zone_unref(z);
	z = load("UTC");
	ck_assert_ptr_null(zone_abbrev(z, true));
	zone_unref(z);
}
END_TEST

START_TEST(zones_of_a_cache_are_shared)
{
	struct zone_cache cache = ZONE_CACHE_NULL;
	struct zone *first[ARRAY_LEN(names)], *z;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_int_eq(zone_get(&first[i], &cache, names[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_int_eq(zone_get(&z, &cache, names[i]), 0);
		ck_assert_ptr_eq(z, first[i]);
		zone_unref(z);
	}
	ck_assert_int_eq(zone_get(&z, &cache, "Europe/Atlantis"), -ENOENT);
	ck_assert_uint_eq(cache.n, ARRAY_LEN(names));
	zone_cache_deinit(&cache);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_str_eq(zone_name(first[i]), names[i]); /* outlives it */
		zone_unref(first[i]);
	}
}
END_TEST

static int load_berlin(void *unused)
{
	struct zone *z;
	int r = zone_load(&z, "Europe/Berlin");

	if (r == 0)
		zone_unref(z);
	return r;
}

static int load_local(void *unused)
{
	struct zone *z;
	int r = zone_load_local(&z);

	if (r == 0)
		zone_unref(z);
	return r;
}

START_TEST(running_out_of_memory_is_told)
{
	ck_assert_int_eq(alloc_fail_sweep(load_berlin, NULL), 0);
	unsetenv("TZ");
	ck_assert_int_eq(alloc_fail_sweep(load_local, NULL), 0);
}
END_TEST

UNIT_MAIN("zone", dates_and_days_are_the_same, zones_show_what_libc_shows,
	stretches_follow_each_other, rules_of_posix_are_read,
	what_is_no_rule_is_refused, names_do_not_leave_the_directory,
	broken_files_are_refused_or_work, leap_seconds_are_not_taken,
	local_zone_is_that_of_the_environment, wall_times_are_turned_into_moments,
	abbreviations_are_those_used_last, zones_of_a_cache_are_shared,
	running_out_of_memory_is_told)
