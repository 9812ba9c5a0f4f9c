#include "config.h"

#include "job/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/civil.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "job/calendar_priv.h"

#define DAY_USEC (86400 * USEC_PER_SEC)

/* what is known of the moment so far */
struct reading {
	struct calendar_text t;
	struct zone *zone;
	int dst;     /* 0 or 1: behind it stood a name of the zone for that; else -1 */
	int weekday; /* -1: none was named */
	const char *weekday_at;
	int64_t day;     /* since the epoch, in the zone */
	int64_t time;    /* microseconds of that day */
	bool has_offset; /* "Z", "+02:00": that many seconds from UTC */
	int32_t offset;
};

static bool is_at(const struct calendar_text *t, const char *bytes)
{
	return t->p < t->end && strchr(bytes, *t->p);
}

static void skip_blanks(struct calendar_text *t)
{
	while (is_at(t, " \t"))
		t->p++;
}

static bool skip(struct calendar_text *t, char c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static int expected(const struct calendar_text *t, const char *what)
{
	return calendar_err(
		t, t->p, -EINVAL, "expected %s, not %s", what, WORD_AT(t, t->p));
}

/* a number of a date or time */
static int part(
	int32_t *ret, struct calendar_text *t, const char *what, int min, int max)
{
	const char *at = t->p;

	if (!calendar_number(ret, t))
		return expected(t, what);
	if (*ret < min || *ret > max)
		return calendar_err(t, at, -EINVAL, "the %s %d is not in %d to %d",
			what, (int)*ret, min, max);
	return 0;
}

static int read_span(int64_t *ret_usec, struct calendar_text *t, int64_t now, int sign)
{
	_cleanup_free_ char *span = strndup(t->p, (size_t)(t->end - t->p));
	int64_t usec;
	int r;

	if (!span)
		return -ENOMEM;
	r = duration_parse(&usec, span);
	if (r == -EINVAL)
		return expected(t, "a duration such as '90min' or '1d 12h'");
	if (r < 0 || usec == USEC_INFINITY ||
		__builtin_mul_overflow(usec, sign, &usec) ||
		__builtin_add_overflow(now, usec, ret_usec))
		return calendar_err(t, t->p, -ERANGE, "the duration is too long");
	return 0;
}

/* microseconds behind a point, more digits are dropped */
static int64_t fraction(struct calendar_text *t)
{
	int64_t usec = 0, unit = USEC_PER_SEC / 10;

	for (; is_at(t, "0123456789"); t->p++, unit /= 10)
		usec += (*t->p - '0') * unit;
	return usec;
}

static int read_epoch(int64_t *ret_usec, struct calendar_text *t)
{
	int64_t sec = 0, usec = 0;

	t->p++;
	if (!is_at(t, "0123456789"))
		return expected(t, "seconds since 1970 behind '@'");
	for (; is_at(t, "0123456789"); t->p++)
		sec = MIN(sec * 10 + (*t->p - '0'), INT64_MAX / USEC_PER_SEC / 10);
	if (skip(t, '.'))
		usec = fraction(t);
	if (t->p < t->end)
		return expected(t, "the end");
	*ret_usec = sec * USEC_PER_SEC + usec;
	return 0;
}

/* "Z", "+02", "+02:00", "-0530" */
static int read_offset(struct reading *m)
{
	struct calendar_text *t = &m->t;
	int32_t hours, minutes = 0;
	bool negative;
	const char *at;
	int r;

	m->has_offset = true;
	if (skip(t, 'Z') || skip(t, 'z'))
		return 0;
	negative = *t->p++ == '-';
	at = t->p;
	r = part(&hours, t, "offset from UTC", 0, 2400);
	if (r < 0)
		return r;
	if (t->p - at == 4) {
		minutes = hours % 100;
		hours /= 100;
	} else if (skip(t, ':')) {
		r = part(&minutes, t, "offset from UTC", 0, 59);
	}
	if (r >= 0 && (hours > 24 || minutes > 59))
		r = calendar_err(t, at, -EINVAL, "no offset from UTC is that large");
	m->offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
	return r;
}

static int read_time(struct reading *m)
{
	struct calendar_text *t = &m->t;
	int32_t hour, minute, second = 0;
	int r;

	r = part(&hour, t, "hour", 0, 23);
	if (r >= 0 && !skip(t, ':'))
		r = expected(t, "':' of a time");
	if (r >= 0)
		r = part(&minute, t, "minute", 0, 59);
	if (r >= 0 && skip(t, ':'))
		r = part(&second, t, "second", 0, 59);
	if (r < 0)
		return r;
	m->time = (hour * 3600 + minute * 60 + second) * USEC_PER_SEC;
	if (skip(t, '.')) {
		if (!is_at(t, "0123456789"))
			return expected(t, "digits behind the point");
		m->time += fraction(t);
	}
	skip_blanks(t);
	if (is_at(t, "Zz+-"))
		r = read_offset(m);
	return r;
}

/* "2026-12-01", the cursor behind the year's '-' */
static int read_date(struct reading *m, int32_t year, const char *at)
{
	struct calendar_text *t = &m->t;
	int32_t month, day;
	int r;

	if (year < 100)
		year += year < 70 ? 2000 : 1900;
	if (year < 1970 || year > 9999)
		return calendar_err(t, at, year < 1970 ? -ERANGE : -EINVAL,
			"the year %d is not in 1970 to 9999", (int)year);
	r = part(&month, t, "month", 1, 12);
	if (r >= 0 && !skip(t, '-'))
		r = expected(t, "'-' of a date");
	if (r >= 0)
		r = part(&day, t, "day", 1, civil_month_days(year, month));
	if (r >= 0)
		m->day = civil_to_days(year, month, day);
	return r;
}

/* "today", "2026-12-01" and then perhaps a time, or a time alone */
static int read_day_and_time(struct reading *m)
{
	static const struct {
		const char *word;
		int days;
	} words[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
	struct calendar_text *t = &m->t;
	const char *at = t->p;
	int32_t number;
	bool has_day = false;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(words) && !has_day; i++) {
		has_day = calendar_skip_word(t, words[i].word);
		if (has_day)
			m->day += words[i].days;
	}
	if (!has_day) {
		if (!calendar_number(&number, t))
			return expected(t,
				"a date, a time, a word such as 'tomorrow', or a "
				"duration such as '+5min'");
		has_day = skip(t, '-');
		if (has_day)
			r = read_date(m, number, at);
		else
			t->p = at;
	}
	if (r < 0 || (has_day && t->p == t->end))
		return r;
	if (has_day && !is_at(t, " \tT"))
		return expected(t, "a space before the time");
	if (has_day && !skip(t, 'T'))
		skip_blanks(t);
	r = read_time(m);
	if (r >= 0 && t->p < t->end)
		r = expected(t, "the end or a time zone");
	return r;
}

/* Take the zone from the end. 0, -EINVAL, -ENOMEM */
static int take_zone(struct reading *m, struct zone *zone)
{
	struct calendar c = {.dst = DST_ANY};
	struct calendar_text *t = &m->t;
	const char *last = t->end;
	struct calendar_text word = *t;
	int r;

	while (last > t->p && !strchr(" \t", last[-1]))
		last--;
	word.p = last;
	/* a day or a time is no zone, nor is one looked for */
	if (last == t->p || is_at(&word, "0123456789") ||
		calendar_skip_word(&word, "today") ||
		calendar_skip_word(&word, "tomorrow") ||
		calendar_skip_word(&word, "yesterday")) {
		m->zone = zone_ref(zone);
		return 0;
	}
	r = calendar_take_zone(&c, t, zone, NULL);
	m->zone = c.zone;
	m->dst = c.dst;
	return r;
}

/* "Tue " */
static void take_weekday(struct reading *m)
{
	struct calendar_text *t = &m->t, begin = *t;

	m->weekday_at = t->p;
	m->weekday = calendar_skip_name(t, calendar_weekdays, 7);
	if (m->weekday >= 0 && is_at(t, " \t")) {
		skip_blanks(t);
		return;
	}
	*t = begin; /* what it is will be told */
	m->weekday = -1;
}

/* with a name of the zone behind it: while that is what holds */
static int resolve_dst(int64_t *ret_usec, const struct reading *m, int64_t wall)
{
	int64_t usec = zone_from_wall(m->zone, wall);
	struct zone_span span;

	zone_span_at(&span, m->zone, floor_div(usec, USEC_PER_SEC));
	if (span.is_dst != m->dst && span.end != INT64_MAX) {
		zone_span_at(&span, m->zone, span.end);
		usec = wall - span.offset * USEC_PER_SEC;
		if (usec < span.begin * USEC_PER_SEC)
			span.is_dst = !m->dst;
	}
	if (span.is_dst != m->dst)
		return calendar_err(&m->t, m->t.end, -EINVAL,
			"%s does not have %s then", zone_name(m->zone), m->t.zone);
	*ret_usec = usec;
	return 0;
}

static int resolve(int64_t *ret_usec, const struct reading *m)
{
	int64_t wall = m->day * DAY_USEC + m->time;

	if (m->weekday >= 0 && m->weekday != civil_weekday(m->day))
		return calendar_err(&m->t, m->weekday_at, -EINVAL, "that day is a %s",
			calendar_weekdays[civil_weekday(m->day)]);
	if (m->has_offset)
		*ret_usec = wall - m->offset * USEC_PER_SEC;
	else if (m->dst >= 0)
		return resolve_dst(ret_usec, m, wall);
	else
		*ret_usec = zone_from_wall(m->zone, wall);
	return 0;
}

static int read_moment(
	int64_t *ret_usec, struct reading *m, int64_t now_usec, struct zone *zone)
{
	int r;

	r = take_zone(m, zone);
	if (r < 0)
		return r;
	m->day = floor_div(zone_to_wall(m->zone, now_usec), DAY_USEC);
	take_weekday(m);
	r = read_day_and_time(m);
	return r < 0 ? r : resolve(ret_usec, m);
}

/* does the text end in word, behind a blank? Then that is taken off. */
static bool take_last(struct calendar_text *t, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(t->end - t->p) <= n || strncasecmp(t->end - n, word, n) != 0 ||
		!strchr(" \t", t->end[-(ssize_t)n - 1]))
		return false;
	t->end -= n;
	return true;
}

static int read_any(
	int64_t *ret_usec, struct reading *m, int64_t now_usec, struct zone *zone)
{
	struct calendar_text *t = &m->t;

	if (t->end - t->p == 3 && strncasecmp(t->p, "now", 3) == 0) {
		*ret_usec = now_usec;
		return 0;
	}
	if (is_at(t, "@"))
		return read_epoch(ret_usec, t);
	if (skip(t, '+') || take_last(t, "left"))
		return read_span(ret_usec, t, now_usec, 1);
	if (skip(t, '-') || take_last(t, "ago"))
		return read_span(ret_usec, t, now_usec, -1);
	return read_moment(ret_usec, m, now_usec, zone);
}

int time_parse(int64_t *ret_usec, const char *text, int64_t now_usec, struct zone *zone,
	char **err)
{
	struct reading m = {
		.t = {.whole = text, .p = text, .end = text + strlen(text), .err = err},
		.dst = -1,
		.weekday = -1,
	};
	int64_t usec = 0;
	int r;

	if (err)
		*err = NULL;
	if (m.t.end - m.t.p > TIME_SPELLING_MAX)
		return calendar_err(&m.t, m.t.p + TIME_SPELLING_MAX, -ERANGE,
			"a time has at most %d bytes", TIME_SPELLING_MAX);
	skip_blanks(&m.t);
	while (m.t.p < m.t.end && strchr(" \t", m.t.end[-1]))
		m.t.end--;
	r = read_any(&usec, &m, now_usec, zone);
	zone_unref(m.zone);
	if (r >= 0 && usec < 0)
		r = calendar_err(&m.t, text, -ERANGE, "that is before 1970");
	if (r >= 0)
		*ret_usec = usec;
	return r;
}

char *time_format_stamp(char *buf, size_t size, int64_t usec, const struct zone *zone)
{
	int64_t wall = zone_to_wall(zone, usec), day = floor_div(wall, DAY_USEC);
	int64_t sec = floor_div(wall - day * DAY_USEC, USEC_PER_SEC);
	int micro = (int)(wall - floor_div(wall, USEC_PER_SEC) * USEC_PER_SEC);
	struct civil date = civil_of_days(day);
	struct zone_span span;
	char fraction_text[16] = "";

	zone_span_at(&span, zone, floor_div(usec, USEC_PER_SEC));
	if (micro > 0)
		snprintf(fraction_text, sizeof(fraction_text), ".%06d", micro);
	snprintf(buf, size, "%.3s %04" PRId64 "-%02d-%02d %02d:%02d:%02d%s %s",
		calendar_weekdays[civil_weekday(day)], date.year, date.month, date.day,
		(int)(sec / 3600), (int)(sec / 60 % 60), (int)(sec % 60), fraction_text,
		span.abbrev);
	return buf;
}
