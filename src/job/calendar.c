/* The next time of an expression: which wall-clock time matches, and when that is. */
#include "config.h"

#include "job/calendar.h"

#include <errno.h>
#include <stdlib.h>

#include "base/civil.h"
#include "base/invariant.h"
#include "job/calendar_priv.h"

#define HOUR_USEC (60 * MINUTE_USEC)
#define DAY_USEC  (24 * HOUR_USEC)
/* cron(8): what changes clocks by more is somebody who sets them */
#define CRON_CHANGE_MAX (3 * 3600)
/* after any time that an expression can name, wherever */
#define LATEST_USEC (INT64_C(7300000000) * USEC_PER_SEC)

struct calendar *calendar_free(struct calendar *c)
{
	if (!c)
		return NULL;
	zone_unref(c->zone);
	free(c->text);
	free(c->seconds);
	free(c);
	return NULL;
}

const char *calendar_format(const struct calendar *c)
{
	return c->text;
}

enum calendar_kind calendar_kind_of(const struct calendar *c)
{
	return c->kind;
}

const struct zone *calendar_zone(const struct calendar *c)
{
	return c->zone;
}

/* lowest bit of at least from, -1: none */
static int bit_at_least(uint64_t bits, int from)
{
	bits = from < 64 ? bits & (UINT64_MAX << from) : 0;
	return bits ? __builtin_ctzll(bits) : -1;
}

static bool year_matches(const struct calendar *c, int64_t year)
{
	int64_t bit = year - CALENDAR_YEAR_MIN;

	return bit >= 0 && bit < YEARS && c->years[bit / 64] >> (bit % 64) & 1;
}

/* the days of the month that match, bits 1 to 31 */
static uint32_t days_of_month(const struct calendar *c, int64_t year, int month)
{
	int n = civil_month_days(year, month);
	int weekday = civil_weekday(civil_to_days(year, month, 1));
	uint32_t all = (uint32_t)((UINT64_C(2) << n) - 2);
	uint32_t days = c->days & all, weekdays = 0;

	for (int day = 1; day <= n; day++) {
		days |= (c->days_from_end >> (n + 1 - day) & 1) << day;
		weekdays |= (uint32_t)(c->weekdays >> (weekday + day - 1) % 7 & 1)
			    << day;
	}
	return c->days_rule == DAYS_EITHER ? days | weekdays : days & weekdays;
}

/* the first day that matches, from day to last (days since the epoch) */
static bool day_find(int64_t *ret, const struct calendar *c, int64_t day, int64_t last)
{
	struct civil date;

	if (day > last)
		return false;
	date = civil_of_days(day);
	while (date.year <= CALENDAR_YEAR_MAX) {
		int found = -1;

		if (!year_matches(c, date.year)) {
			date = (struct civil){date.year + 1, 1, 1};
		} else if (!(c->months >> date.month & 1)) {
			date = (struct civil){date.year, date.month + 1, 1};
		} else {
			found = bit_at_least(
				days_of_month(c, date.year, date.month), date.day);
			if (found < 0)
				date = (struct civil){date.year, date.month + 1, 1};
		}
		if (date.month > 12)
			date = (struct civil){date.year + 1, 1, 1};
		if (found >= 0)
			date.day = found;
		if (civil_to_days(date.year, date.month, date.day) > last)
			return false;
		if (found >= 0) {
			*ret = civil_to_days(date.year, date.month, date.day);
			return true;
		}
	}
	return false;
}

/* the first microsecond of the minute that matches and is at least from, -1: none */
static int64_t second_find(const struct calendar *c, int64_t from)
{
	int64_t best = -1;

	for (size_t i = 0; i < c->n_seconds; i++) {
		const struct calendar_part *p = &c->seconds[i];
		int64_t at = p->start;
		int64_t stop = p->step == 0   ? p->start
			       : p->stop >= 0 ? p->stop
					      : MINUTE_USEC - 1;

		if (at < from && p->step > 0)
			at += (from - at + p->step - 1) / p->step * p->step;
		if (at >= from && at <= stop && (best < 0 || at < best))
			best = at;
	}
	return best;
}

/* the first microsecond of the day that matches and is at least from, -1: none */
static int64_t time_find(const struct calendar *c, int64_t from)
{
	int hour = (int)(from / HOUR_USEC);
	int minute = (int)(from % HOUR_USEC / MINUTE_USEC);
	int64_t second = from % MINUTE_USEC;
	int found_hour, found_minute;

	for (;;) {
		found_hour = bit_at_least(c->hours, hour);
		if (found_hour < 0)
			return -1;
		if (found_hour > hour)
			minute = 0, second = 0;
		found_minute = bit_at_least(c->minutes, minute);
		if (found_minute > minute)
			second = 0;
		if (found_minute >= 0) {
			second = second_find(c, second);
			if (second >= 0)
				return found_hour * HOUR_USEC +
				       found_minute * MINUTE_USEC + second;
			/* a later minute has all of its seconds, so this ends */
			hour = found_hour;
			minute = found_minute + 1;
		} else {
			hour = found_hour + 1;
			minute = 0;
		}
		second = 0;
	}
}

/* the first time on the wall that matches in [from, until), as if clocks were never changed
 */
static bool wall_find(
	int64_t *ret, const struct calendar *c, int64_t from, int64_t until)
{
	int64_t day = floor_div(from, DAY_USEC), found, time;
	int64_t last = floor_div(until - 1, DAY_USEC);

	if (from >= until)
		return false;
	time = from - day * DAY_USEC;
	while (day_find(&found, c, day, last)) {
		time = time_find(c, found > day ? 0 : time);
		if (time >= 0) {
			*ret = found * DAY_USEC + time;
			return *ret < until;
		}
		day = found + 1;
		time = 0;
	}
	return false;
}

static bool span_is_meant(const struct calendar *c, const struct zone_span *span)
{
	return c->dst == DST_ANY || (c->dst == DST_ON) == span->is_dst;
}

/* Does a fixed time of cron fall among those that clocks skip when span begins? */
static bool is_made_up_for(const struct calendar *c, const struct zone_span *before,
	const struct zone_span *span)
{
	int64_t begin = span->begin * USEC_PER_SEC, unused;

	return c->kind == CALENDAR_CRON && !c->repeats &&
	       span->offset > before->offset &&
	       span->offset - before->offset < CRON_CHANGE_MAX &&
	       wall_find(&unused, c, begin + before->offset * USEC_PER_SEC,
		       begin + span->offset * USEC_PER_SEC);
}

/* From one change of clocks to the next: in between, what the wall shows and when that is
 * differ by a constant, and what is skipped is not there at all. In [from, until]. */
static int wall_next(
	int64_t *ret_usec, const struct calendar *c, int64_t from, int64_t until)
{
	const int64_t wall_end = civil_to_days(CALENDAR_YEAR_MAX + 1, 1, 1) * DAY_USEC;
	struct zone_span before, span;
	int64_t low, high, wall;

	zone_span_at(&span, c->zone, floor_div(from, USEC_PER_SEC));
	before = span;
	if (span.begin != INT64_MIN)
		zone_span_at(&before, c->zone, span.begin - 1);
	for (;;) {
		int64_t offset = span.offset * USEC_PER_SEC;
		bool is_first = span.begin < floor_div(INT64_MIN, USEC_PER_SEC) + 1;
		int64_t begin = is_first ? INT64_MIN / 2 : span.begin * USEC_PER_SEC;

		if (begin > until)
			return -ENOENT;
		if (from <= begin && span_is_meant(c, &span) &&
			is_made_up_for(c, &before, &span)) {
			*ret_usec = begin;
			return 0;
		}
		low = MAX(from, begin) + offset;
		if (!is_first && !c->repeats && span_is_meant(c, &before))
			low = MAX(low, begin + before.offset * USEC_PER_SEC);
		high = span.end > wall_end / USEC_PER_SEC
			       ? wall_end
			       : MIN(wall_end, span.end * USEC_PER_SEC + offset);
		high = MIN(high, until + 1 + offset);
		if (span_is_meant(c, &span) && wall_find(&wall, c, low, high)) {
			*ret_usec = wall - offset;
			return 0;
		}
		if (high >= wall_end || span.end > until / USEC_PER_SEC)
			return -ENOENT;
		before = span;
		zone_span_at(&span, c->zone, span.end);
	}
}

static int interval_next(
	int64_t *ret_usec, const struct calendar *c, int64_t after, int64_t anchor)
{
	int64_t n = 0, next;

	if (after >= anchor &&
		(__builtin_sub_overflow(after, anchor, &n) || n == INT64_MAX))
		return -ENOENT;
	n = n / c->interval_usec + 1;
	if (__builtin_mul_overflow(n, c->interval_usec, &next) ||
		__builtin_add_overflow(next, anchor, &next))
		return -ENOENT;
	*ret_usec = next;
	return 0;
}

static int interval_last(int64_t *ret_usec, const struct calendar *c, int64_t from,
	int64_t until, int64_t anchor)
{
	int64_t n;

	if (until <= anchor || __builtin_sub_overflow(until, anchor, &n))
		return -ENOENT;
	n -= n % c->interval_usec;
	if (n == 0 || anchor + n <= from)
		return -ENOENT;
	*ret_usec = anchor + n;
	return 0;
}

/* the first elapse in (after, until] */
static int next_until(
	int64_t *ret_usec, const struct calendar *c, int64_t after, int64_t until)
{
	if (after >= until)
		return -ENOENT;
	return wall_next(ret_usec, c, MAX(after, INT64_C(-1)) + 1, until);
}

int calendar_next(int64_t *ret_usec, const struct calendar *c, int64_t after_usec,
	int64_t anchor_usec)
{
	INVARIANT(ret_usec && c);
	if (c->kind == CALENDAR_INTERVAL)
		return interval_next(ret_usec, c, after_usec, anchor_usec);
	return next_until(ret_usec, c, after_usec, LATEST_USEC);
}

int calendar_last(int64_t *ret_usec, const struct calendar *c, int64_t from_usec,
	int64_t until_usec, int64_t anchor_usec)
{
	const int64_t until = MIN(until_usec, LATEST_USEC);
	int64_t low = MAX(from_usec, INT64_C(-1)), high = until, at, found = 0;
	bool any = false;

	if (c->kind == CALENDAR_INTERVAL)
		return interval_last(ret_usec, c, from_usec, until_usec, anchor_usec);
	/* The number of elapses before a moment only grows: search for the last moment after
	 * which there is one that is not too late. */
	while (low < high) {
		int64_t mid = low + (high - low) / 2;

		if (next_until(&at, c, mid, until) == 0) {
			any = true;
			found = at;
			low = at;
		} else {
			high = mid;
		}
	}
	if (!any)
		return -ENOENT;
	*ret_usec = found;
	return 0;
}
