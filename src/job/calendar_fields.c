/* The fields of a calendar expression: their limits, the bits that match, the normal form. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "job/calendar_priv.h"

static int item_compare(const void *a, const void *b)
{
	const struct calendar_part *x = &((const struct calendar_item *)a)->part;
	const struct calendar_part *y = &((const struct calendar_item *)b)->part;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->stop != y->stop)
		return x->stop < y->stop ? -1 : 1;
	return (x->step > y->step) - (x->step < y->step);
}

struct limits {
	const char *what;
	int32_t from, to, unit;
	bool from_end;
};

static int check_item(const struct calendar_item *item, const struct limits *l,
	const struct calendar_text *t)
{
	const struct calendar_part *p = &item->part;
	int32_t unit = l->unit, last = p->stop >= 0 ? p->stop : p->start;
	bool empty;

	if (p->start < l->from || p->start > l->to || last < l->from || last > l->to)
		return calendar_err(t, item->at, -EINVAL, "%s %d is not in %d to %d",
			l->what,
			(p->start < l->from || p->start > l->to ? p->start : last) /
				unit,
			l->from / unit, l->to / unit);
	if (p->stop >= 0 && p->stop < p->start)
		return calendar_err(
			t, item->at, -EINVAL, "the range ends before it begins");
	if (p->stop >= 0)
		empty = p->start + p->step > p->stop;
	else if (l->from_end)
		empty = p->start - p->step < l->from;
	else
		empty = p->start + p->step > l->to;
	if (empty || p->step > l->to - l->from)
		return calendar_err(t, item->at, -EINVAL,
			"the repetition leads out of %d to %d", l->from / unit,
			l->to / unit);
	return 0;
}

/* Each range ends at its last match, what repeats nothing is one value, the elements are
 * sorted and all different. */
static int normalize(struct calendar_list *list, const struct limits *l,
	const struct calendar_text *t)
{
	size_t n = 0;
	int r;

	for (size_t i = 0; i < list->n; i++) {
		struct calendar_part *p = &list->items[i].part;

		if (p->stop > p->start && p->step > 0)
			p->stop -= (p->stop - p->start) % p->step;
		if (p->stop == p->start) {
			p->stop = -1;
			p->step = 0;
		}
		r = check_item(&list->items[i], l, t);
		if (r < 0)
			return r;
	}
	qsort(list->items, list->n, sizeof(*list->items), item_compare);
	for (size_t i = 0; i < list->n; i++)
		if (i == 0 || item_compare(&list->items[i], &list->items[n - 1]) != 0)
			list->items[n++] = list->items[i];
	list->n = n;
	return 0;
}

/* 12 is 2012, 89 is 1989 */
static void complete_years(struct calendar_list *years)
{
	for (size_t i = 0; i < years->n; i++) {
		int32_t *ends[] = {
			&years->items[i].part.start, &years->items[i].part.stop};

		for (size_t k = 0; k < ARRAY_LEN(ends); k++)
			if (*ends[k] >= 0 && *ends[k] < 100)
				*ends[k] += *ends[k] < 70 ? 2000 : 1900;
	}
}

static int normalize_all(struct calendar_fields *f, const struct calendar_text *t)
{
	const struct limits year = {
		"year", CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX, 1, false};
	const struct limits month = {"month", 1, 12, 1, false};
	/* every month has 28 days to count back */
	const struct limits day = {"day", 1, f->from_end ? 28 : 31, 1, f->from_end};
	const struct limits hour = {"hour", 0, 23, 1, false};
	const struct limits minute = {"minute", 0, 59, 1, false};
	const struct limits second = {
		"second", 0, MINUTE_USEC - 1, USEC_PER_SEC, false};
	int r;

	complete_years(&f->year);
	r = normalize(&f->year, &year, t);
	r = r < 0 ? r : normalize(&f->month, &month, t);
	r = r < 0 ? r : normalize(&f->day, &day, t);
	r = r < 0 ? r : normalize(&f->hour, &hour, t);
	r = r < 0 ? r : normalize(&f->minute, &minute, t);
	return r < 0 ? r : normalize(&f->second, &second, t);
}

/* bit value - base of each value of the list; "*" is all */
static void set_bits(
	uint64_t *bits, const struct calendar_list *list, int32_t base, int32_t last)
{
	static const struct calendar_part all = {0, -1, 1};

	for (size_t i = 0; i < MAX(list->n, (size_t)1); i++) {
		struct calendar_part p = list->n > 0 ? list->items[i].part : all;
		int32_t stop = p.stop >= 0 ? p.stop : last;

		if (list->n == 0)
			p.start = base;
		for (int32_t v = p.start; v <= stop; v += p.step) {
			bits[(v - base) / 64] |= UINT64_C(1) << (v - base) % 64;
			if (p.step == 0)
				break;
		}
	}
}

/* days from the end: a range or a repetition runs to the end of the month */
static uint32_t bits_from_end(const struct calendar_list *list)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct calendar_part *p = &list->items[i].part;
		int32_t from = p->stop >= 0 ? p->stop : p->start;
		int32_t last = p->stop >= 0 ? p->start : 1;

		for (int32_t v = from; v >= last; v -= p->step) {
			bits |= UINT32_C(1) << v;
			if (p->step == 0)
				break;
		}
	}
	return bits;
}

static int set_fields(struct calendar *c, const struct calendar_fields *f)
{
	uint64_t months = 0, days = 0, hours = 0;

	set_bits(c->years, &f->year, CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX);
	set_bits(&months, &f->month, 0, 12);
	if (f->from_end && f->day.n > 0)
		c->days_from_end = bits_from_end(&f->day);
	else
		set_bits(&days, &f->day, 0, 31);
	set_bits(&hours, &f->hour, 0, 23);
	set_bits(&c->minutes, &f->minute, 0, 59);
	c->months = (uint16_t)months;
	c->days = (uint32_t)days;
	c->hours = (uint32_t)hours;
	c->seconds = calloc(f->second.n, sizeof(*c->seconds));
	if (!c->seconds)
		return -ENOMEM;
	c->n_seconds = f->second.n;
	for (size_t i = 0; i < f->second.n; i++)
		c->seconds[i] = f->second.items[i].part;
	return 0;
}

static int format_value(struct buf *out, int32_t value, int width, int32_t unit)
{
	int r = buf_printf(out, "%0*d", width, value / unit);

	if (r >= 0 && value % unit > 0)
		r = buf_printf(out, ".%06d", value % unit);
	return r;
}

static int format_list(
	struct buf *out, const struct calendar_list *list, int width, int32_t unit)
{
	const struct calendar_part *p = &list->items[0].part;
	int r = 0;

	if (list->n == 0 || (unit > 1 && list->n == 1 && p->start == 0 &&
				    p->step == unit && p->stop < 0))
		return buf_append_byte(out, '*');
	for (size_t i = 0; r >= 0 && i < list->n; i++) {
		p = &list->items[i].part;
		if (i > 0)
			r = buf_append_byte(out, ',');
		if (r >= 0)
			r = format_value(out, p->start, width, unit);
		if (r >= 0 && p->stop >= 0) {
			r = buf_append_str(out, "..");
			if (r >= 0)
				r = format_value(out, p->stop, width, unit);
		}
		if (r >= 0 && p->step > 0 && !(p->stop >= 0 && p->step == unit)) {
			r = buf_append_byte(out, '/');
			if (r >= 0)
				r = format_value(out, p->step, 1, unit);
		}
	}
	return r;
}

static int format_weekdays(struct buf *out, uint8_t days)
{
	bool any = false;
	int r = 0;

	if (days == WEEKDAYS_ALL)
		return 0;
	for (int from = 0; r >= 0 && from < 7; from++) {
		int to = from;

		if (!(days >> from & 1))
			continue;
		while (days >> (to + 1) & 1)
			to++;
		r = buf_printf(out, "%s%.3s", any ? "," : "", calendar_weekdays[from]);
		if (r >= 0 && to > from)
			r = buf_printf(out, "%s%.3s", to > from + 1 ? ".." : ",",
				calendar_weekdays[to]);
		any = true;
		from = to;
	}
	return r < 0 ? r : buf_append_byte(out, ' ');
}

static int format_all(struct calendar *c, const struct calendar_fields *f,
	const struct calendar_text *t)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	const struct {
		const struct calendar_list *list;
		int width;
		char behind;
	} parts[] = {{&f->year, 4, '-'},
		{&f->month, 2, f->from_end && f->day.n > 0 ? '~' : '-'},
		{&f->day, 2, ' '}, {&f->hour, 2, ':'}, {&f->minute, 2, ':'}};
	int r;

	r = format_weekdays(&out, c->weekdays);
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(parts); i++) {
		r = format_list(&out, parts[i].list, parts[i].width, 1);
		if (r >= 0)
			r = buf_append_byte(&out, parts[i].behind);
	}
	if (r >= 0)
		r = format_list(&out, &f->second, 2, USEC_PER_SEC);
	return r < 0 ? r : calendar_set_text(c, &out, t);
}

int calendar_set_fields(
	struct calendar *c, struct calendar_fields *f, const struct calendar_text *t)
{
	int r;

	r = normalize_all(f, t);
	if (r >= 0)
		r = set_fields(c, f);
	return r < 0 ? r : format_all(c, f, t);
}
