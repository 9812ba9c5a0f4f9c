/* Rules of time zones as POSIX writes them in TZ, and as they stand at the end of TZif files:
 * "CET-1CEST,M3.5.0,M10.5.0/3". With what RFC 8536 adds: times of -167 to 167 hours. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/civil.h"
#include "base/macro.h"
#include "base/zone_priv.h"

#define DAY INT64_C(86400)

struct scan {
	const char *p, *end;
};

static bool at(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == c;
}

static bool skip(struct scan *s, char c)
{
	if (!at(s, c))
		return false;
	s->p++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* at most three digits; -EINVAL */
static int scan_number(struct scan *s, int min, int max)
{
	const char *begin = s->p;
	int n = 0;

	while (s->p < s->end && is_digit(*s->p) && s->p - begin < 3)
		n = n * 10 + (*s->p++ - '0');
	return s->p == begin || n < min || n > max ? -EINVAL : n;
}

/* three letters at least, or anything of letters, digits and signs in <> */
static int scan_abbrev(struct scan *s, char ret[ZONE_ABBREV_MAX])
{
	bool quoted = skip(s, '<');
	const char *begin = s->p;
	size_t n;

	while (s->p < s->end &&
		(is_alpha(*s->p) ||
			(quoted && (is_digit(*s->p) || *s->p == '+' || *s->p == '-'))))
		s->p++;
	n = (size_t)(s->p - begin);
	if (n < 3 || n >= ZONE_ABBREV_MAX || (quoted && !skip(s, '>')))
		return -EINVAL;
	memcpy(ret, begin, n);
	ret[n] = '\0';
	return 0;
}

/* [+-]hh[:mm[:ss]] in seconds */
static int scan_time(struct scan *s, int32_t *ret, int hours_max)
{
	bool negative = at(s, '-');
	int hours, minutes = 0, seconds = 0;

	if (negative || at(s, '+'))
		s->p++;
	hours = scan_number(s, 0, hours_max);
	if (hours >= 0 && skip(s, ':'))
		minutes = scan_number(s, 0, 59);
	if (hours >= 0 && minutes >= 0 && skip(s, ':'))
		seconds = scan_number(s, 0, 59);
	if (hours < 0 || minutes < 0 || seconds < 0)
		return -EINVAL;
	*ret = hours * 3600 + minutes * 60 + seconds;
	if (negative)
		*ret = -*ret;
	return 0;
}

/* ",M3.5.0/2", ",J60", ",59" */
static int scan_day(struct scan *s, struct zone_rule_day *ret)
{
	struct zone_rule_day d = {.kind = RULE_DAY, .time = 2 * 3600};

	if (!skip(s, ','))
		return -EINVAL;
	if (skip(s, 'M')) {
		d.kind = RULE_MONTH_WEEK_DAY;
		d.month = scan_number(s, 1, 12);
		if (d.month < 0 || !skip(s, '.'))
			return -EINVAL;
		d.week = scan_number(s, 1, 5);
		if (d.week < 0 || !skip(s, '.'))
			return -EINVAL;
		d.weekday = scan_number(s, 0, 6);
		if (d.weekday < 0)
			return -EINVAL;
	} else {
		if (skip(s, 'J'))
			d.kind = RULE_JULIAN;
		d.day = scan_number(s, d.kind == RULE_JULIAN, 365);
		if (d.day < 0)
			return -EINVAL;
	}
	if (skip(s, '/') && scan_time(s, &d.time, 167) < 0)
		return -EINVAL;
	*ret = d;
	return 0;
}

int zone_rule_parse(struct zone_rule *ret, const char *text, size_t n)
{
	/* what libc takes where the days are left out */
	static const char usual[] = ",M3.2.0,M11.1.0";
	struct scan s = {text, text + n}, days = {usual, usual + strlen(usual)};
	struct zone_rule rule = {.has_dst = false};
	int32_t offset;

	if (scan_abbrev(&s, rule.std.abbrev) < 0 || scan_time(&s, &offset, 24) < 0)
		return -EINVAL;
	rule.std.offset = -offset; /* POSIX counts to the west */
	if (s.p < s.end) {
		rule.has_dst = rule.dst.is_dst = true;
		rule.dst.offset = rule.std.offset + 3600;
		if (scan_abbrev(&s, rule.dst.abbrev) < 0)
			return -EINVAL;
		if (s.p < s.end && !at(&s, ',')) {
			if (scan_time(&s, &offset, 24) < 0)
				return -EINVAL;
			rule.dst.offset = -offset;
		}
		if (s.p < s.end)
			days = s;
		if (scan_day(&days, &rule.to_dst) < 0 ||
			scan_day(&days, &rule.to_std) < 0 || days.p < days.end)
			return -EINVAL;
	}
	*ret = rule;
	return 0;
}

/* midnight of that day, as if clocks showed UTC */
static int64_t day_of_year(const struct zone_rule_day *d, int64_t year)
{
	int64_t first;
	int day;

	switch (d->kind) {
	case RULE_JULIAN:
		day = d->day - 1;
		if (civil_is_leap(year) && day >= 59)
			day++;
		return civil_to_days(year, 1, 1) + day;
	case RULE_DAY: return civil_to_days(year, 1, 1) + d->day;
	case RULE_MONTH_WEEK_DAY: break;
	}
	first = civil_to_days(year, d->month, 1);
	/* Sunday is 0 in the rule and 6 to civil_weekday */
	day = 1 + (d->weekday + 6 - civil_weekday(first) + 7) % 7 + (d->week - 1) * 7;
	if (day > civil_month_days(year, d->month))
		day -= 7;
	return first + day - 1;
}

struct turn {
	int64_t sec;
	bool to_dst;
};

/* of two at once the later one holds: a rule may say daylight saving time all the year, which
 * ends when the next begins */
static bool is_before(const struct turn *a, const struct turn *b)
{
	return a->sec < b->sec || (a->sec == b->sec && !a->to_dst && b->to_dst);
}

void zone_rule_span_at(
	struct zone_span *ret, const struct zone_rule *rule, int64_t sec, int64_t since)
{
	int64_t year = civil_of_days(floor_div(sec, DAY)).year;
	const struct zone_type *type = &rule->std;
	struct turn turns[10];
	size_t n = 0;

	ret->begin = since;
	ret->end = INT64_MAX;
	/* a time of the rule may be a week from its day, and so in the year before or after */
	for (int64_t y = year - 2; rule->has_dst && y <= year + 2; y++) {
		turns[n++] = (struct turn){day_of_year(&rule->to_dst, y) * DAY +
						   rule->to_dst.time - rule->std.offset,
			true};
		turns[n++] = (struct turn){day_of_year(&rule->to_std, y) * DAY +
						   rule->to_std.time - rule->dst.offset,
			false};
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && is_before(&turns[k], &turns[k - 1]); k--) {
			struct turn t = turns[k];

			turns[k] = turns[k - 1];
			turns[k - 1] = t;
		}
	for (size_t i = 0; i < n; i++) {
		if (turns[i].sec > sec) {
			ret->end = turns[i].sec;
			break;
		}
		ret->begin = MAX(since, turns[i].sec);
		type = turns[i].to_dst ? &rule->dst : &rule->std;
	}
	ret->offset = type->offset;
	ret->is_dst = type->is_dst;
	ret->abbrev = type->abbrev;
}
