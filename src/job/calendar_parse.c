/* The grammar of calendar expressions, as systemd.time(7) has it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/cleanup.h"
#include "job/calendar_priv.h"

static const struct shorthand {
	const char *name, *text;
} shorthands[] = {
	{"minutely", "*-*-* *:*:00"}, {"hourly", "*-*-* *:00:00"},
	{"daily", "*-*-* 00:00:00"}, {"weekly", "Mon *-*-* 00:00:00"},
	{"monthly", "*-*-01 00:00:00"}, {"quarterly", "*-01,04,07,10-01 00:00:00"},
	{"semiannually", "*-01,07-01 00:00:00"},
	{"semi-annually", "*-01,07-01 00:00:00"}, {"biannually", "*-01,07-01 00:00:00"},
	{"bi-annually", "*-01,07-01 00:00:00"}, {"yearly", "*-01-01 00:00:00"},
	{"annually", "*-01-01 00:00:00"},
	{"anually", "*-01-01 00:00:00"}, /* systemd takes it too */
};

static bool is_at(const struct calendar_text *t, const char *bytes)
{
	return t->p < t->end && strchr(bytes, *t->p);
}

static bool is_range(const struct calendar_text *t)
{
	return t->end - t->p >= 2 && t->p[0] == '.' && t->p[1] == '.';
}

static bool is_digit(const struct calendar_text *t)
{
	return t->p < t->end && *t->p >= '0' && *t->p <= '9';
}

static void skip_spaces(struct calendar_text *t)
{
	while (is_at(t, " "))
		t->p++;
}

/* the digits behind the point of seconds, rounded to microseconds */
static int32_t fraction(struct calendar_text *t)
{
	int32_t usec = 0;
	int n = 0;

	for (; is_digit(t); t->p++, n++) {
		if (n < 6)
			usec = usec * 10 + (*t->p - '0');
		else if (n == 6)
			usec += *t->p >= '5';
	}
	for (; n < 6; n++)
		usec *= 10;
	return usec;
}

/* a number of a field; with fractions, and in microseconds, where unit says so */
static int parse_number(int32_t *ret, struct calendar_text *t, int32_t unit)
{
	const char *at = t->p;
	int32_t n;

	if (!calendar_number(&n, t))
		return calendar_err(
			t, at, -EINVAL, "expected a number, not %s", WORD_AT(t, at));
	if (n > (INT32_MAX - unit) / unit)
		return calendar_err(
			t, at, -ERANGE, "%s is too large a number", WORD_AT(t, at));
	n *= unit;
	if (unit > 1 && is_at(t, ".") && !is_range(t)) {
		t->p++;
		if (!is_digit(t))
			return calendar_err(t, t->p, -EINVAL,
				"expected digits behind the point, not %s",
				WORD_AT(t, t->p));
		n += fraction(t);
	}
	*ret = n;
	return 0;
}

/* "5", "1..5", "0/15", "1..9/2" */
static int parse_item(struct calendar_item *ret, struct calendar_text *t, int32_t unit)
{
	struct calendar_item item = {.part = {.stop = -1}, .at = t->p};
	const char *at;
	int r;

	r = parse_number(&item.part.start, t, unit);
	if (r >= 0 && is_range(t)) {
		t->p += 2;
		r = parse_number(&item.part.stop, t, unit);
		item.part.step = unit;
	}
	if (r >= 0 && is_at(t, "/")) {
		t->p++;
		at = t->p;
		r = parse_number(&item.part.step, t, unit);
		if (r >= 0 && item.part.step == 0)
			return calendar_err(t, at, -ERANGE, "a repetition of 0");
	}
	if (r < 0)
		return r;
	if (t->p < t->end && !is_at(t, " ,-~:"))
		return calendar_err(t, t->p, -EINVAL,
			"expected ',', '..', '/' or the end of the field, not %s",
			WORD_AT(t, t->p));
	*ret = item;
	return 0;
}

static int parse_list(struct calendar_list *ret, struct calendar_text *t, int32_t unit)
{
	int r;

	ret->n = 0;
	if (is_at(t, "*")) {
		t->p++;
		if (is_at(t, "/"))
			return calendar_err(t, t->p, -EINVAL,
				"'*' has no repetition: write 0%s or 1%s", "/N", "/N");
		/* seconds: every whole one */
		if (unit > 1)
			ret->items[ret->n++] =
				(struct calendar_item){{0, -1, unit}, t->p - 1};
		return 0;
	}
	for (;;) {
		if (ret->n == CALENDAR_ITEMS_MAX)
			return calendar_err(t, t->p, -ERANGE,
				"a list has at most %d elements", CALENDAR_ITEMS_MAX);
		r = parse_item(&ret->items[ret->n], t, unit);
		if (r < 0)
			return r;
		ret->n++;
		if (!is_at(t, ","))
			return 0;
		t->p++;
	}
}

/* what a weekday may be followed by */
static int weekday_separator(struct calendar_text *t, bool in_range)
{
	if (t->p == t->end || is_at(t, " ,"))
		return 0;
	if (!in_range && (is_at(t, "-") || is_range(t)))
		return 0;
	return calendar_err(t, t->p, -EINVAL,
		"expected ',', %sa space or the end, not %s", in_range ? "" : "'..', ",
		WORD_AT(t, t->p));
}

/* "Mon,Wed..Fri"; nothing where no weekday stands */
static int parse_weekdays(uint8_t *ret, struct calendar_text *t)
{
	uint8_t days = 0;
	int from = -1, r; /* where a range began */

	for (bool first = true;; first = false) {
		const char *at = t->p;
		int day = calendar_skip_name(t, calendar_weekdays, 7);

		if (day < 0 && first)
			return 0;
		if (day < 0)
			return calendar_err(t, at, -EINVAL,
				"expected a weekday, not %s", WORD_AT(t, at));
		r = weekday_separator(t, from >= 0);
		if (r < 0)
			return r;
		if (from > day)
			return calendar_err(t, at, -EINVAL,
				"weekdays run from Monday to Sunday: the range ends "
				"before it begins");
		for (int d = from >= 0 ? from : day; d <= day; d++)
			days |= (uint8_t)(1 << d);
		from = -1;
		if (is_at(t, ",")) {
			t->p++;
			if (t->p < t->end && !is_at(t, " "))
				continue;
		} else if (is_at(t, "-.")) {
			from = day;
			t->p += *t->p == '.' ? 2 : 1;
			continue;
		}
		skip_spaces(t);
		*ret = days;
		return 0;
	}
}

/* seconds since the epoch, after the '@' */
static int parse_epoch(
	struct calendar *c, struct calendar_fields *f, struct calendar_text *t)
{
	const char *at = t->p++;
	int64_t sec = 0;
	struct civil date;
	int r = 0;

	skip_spaces(t); /* systemd takes that */
	if (!is_digit(t))
		return calendar_err(t, t->p, -EINVAL,
			"expected seconds since 1970 behind '@', not %s",
			WORD_AT(t, t->p));
	for (; is_digit(t); t->p++)
		sec = MIN(sec * 10 + (*t->p - '0'), INT64_C(1000000000000));
	if (t->p < t->end)
		return calendar_err(
			t, t->p, -EINVAL, "expected the end, not %s", WORD_AT(t, t->p));
	date = civil_of_days(sec / 86400);
	if (date.year > CALENDAR_YEAR_MAX)
		return calendar_err(
			t, at, -ERANGE, "that is after %d", CALENDAR_YEAR_MAX);
#define ONLY(list, value)                                                          \
	(f->list.items[0] = (struct calendar_item){{(int32_t)(value), -1, 0}, at}, \
		f->list.n = 1)
	ONLY(year, date.year);
	ONLY(month, date.month);
	ONLY(day, date.day);
	ONLY(hour, sec / 3600 % 24);
	ONLY(minute, sec / 60 % 60);
	ONLY(second, sec % 60 * USEC_PER_SEC);
#undef ONLY
	/* a moment, whatever zone is named */
	zone_unref(c->zone);
	c->zone = NULL;
	c->dst = DST_ANY;
	t->zone = "UTC";
	r = zone_load(&c->zone, "UTC");
	return r < 0 ? r : 1;
}

static int date_separator(struct calendar_text *t, struct calendar_fields *f)
{
	if (!is_at(t, "-~"))
		return calendar_err(t, t->p, -EINVAL,
			"expected '-' or '~' of a date, or ':' of a time, not %s",
			WORD_AT(t, t->p));
	if (*t->p == '~')
		f->from_end = true;
	t->p++;
	return 0;
}

/* 0: no date or it is read; the time follows. 1: a moment, nothing follows. */
static int parse_date(
	struct calendar *c, struct calendar_fields *f, struct calendar_text *t)
{
	const char *begin = t->p;
	int r;

	if (t->p == t->end)
		return 0;
	if (*t->p == '@')
		return parse_epoch(c, f, t);
	r = parse_list(&f->year, t, 1);
	if (r < 0)
		return r;
	if (is_at(t, ":") || (t->p == t->end && begin < t->p)) {
		f->year.n = 0;
		t->p = begin; /* a time then */
		return 0;
	}
	r = date_separator(t, f);
	if (r >= 0)
		r = parse_list(&f->month, t, 1);
	if (r < 0)
		return r;
	if (t->p == t->end || is_at(t, " ")) { /* two parts: month and day */
		f->day = f->month;
		f->month = f->year;
		f->year.n = 0;
		skip_spaces(t);
		return 0;
	}
	if (f->from_end)
		return calendar_err(t, t->p, -EINVAL,
			"'~' stands before the day, the last part of a date");
	r = date_separator(t, f);
	if (r >= 0)
		r = parse_list(&f->day, t, 1);
	if (r < 0)
		return r;
	if (t->p < t->end && !is_at(t, " "))
		return calendar_err(t, t->p, -EINVAL,
			"expected a space or the end behind the date, not %s",
			WORD_AT(t, t->p));
	skip_spaces(t);
	return 0;
}

static int expect_colon(struct calendar_text *t, const char *expected)
{
	if (!is_at(t, ":"))
		return calendar_err(t, t->p, -EINVAL, "expected %s, not %s", expected,
			WORD_AT(t, t->p));
	t->p++;
	return 0;
}

static int parse_time(struct calendar_fields *f, struct calendar_text *t)
{
	static const struct calendar_item zero = {.part = {.stop = -1}};
	int r;

	f->hour.items[0] = f->minute.items[0] = f->second.items[0] = zero;
	f->hour.n = f->minute.n = f->second.n = 1;
	if (t->p == t->end)
		return 0;
	r = parse_list(&f->hour, t, 1);
	if (r >= 0)
		r = expect_colon(t, "':' of a time");
	if (r >= 0)
		r = parse_list(&f->minute, t, 1);
	if (r < 0 || t->p == t->end)
		return r;
	r = expect_colon(t, "':' of seconds, a time zone or the end");
	if (r >= 0)
		r = parse_list(&f->second, t, USEC_PER_SEC);
	if (r >= 0 && t->p < t->end)
		return calendar_err(t, t->p, -EINVAL,
			"expected the end or a time zone behind the time, not %s",
			WORD_AT(t, t->p));
	return r;
}

/* the long form of a shorthand, NULL where there is none */
static const char *shorthand_text(const struct calendar_text *t)
{
	for (size_t i = 0; i < ARRAY_LEN(shorthands); i++) {
		struct calendar_text rest = *t;

		if (calendar_skip_word(&rest, shorthands[i].name) && rest.p == rest.end)
			return shorthands[i].text;
	}
	return NULL;
}

int calendar_parse_wall(struct calendar *c, struct calendar_text *t)
{
	_cleanup_free_ struct calendar_fields *f = calloc(1, sizeof(*f));
	const char *text = shorthand_text(t);
	uint8_t weekdays = 0;
	int r;

	if (!f)
		return -ENOMEM;
	if (text) {
		t->p = text;
		t->end = text + strlen(text);
	}
	c->kind = CALENDAR_WALL;
	c->days_rule = DAYS_BOTH;
	r = parse_weekdays(&weekdays, t);
	if (r >= 0 && !weekdays && t->p < t->end && !is_at(t, "0123456789*@"))
		return calendar_err(t, t->p, -EINVAL,
			"expected a weekday, a date, a time or a word such as 'daily', "
			"not "
			"%s",
			WORD_AT(t, t->p));
	c->weekdays = weekdays ? weekdays : WEEKDAYS_ALL;
	if (r >= 0)
		r = parse_date(c, f, t);
	if (r == 0)
		r = parse_time(f, t);
	return r < 0 ? r : calendar_set_fields(c, f, t);
}
