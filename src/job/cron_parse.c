/* cron's five fields, and the words that stand for them. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "job/calendar_priv.h"

static const char *const months[12] = {"January", "February", "March", "April", "May",
	"June", "July", "August", "September", "October", "November", "December"};

static const char *const weekdays[7] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/* a field of the line */
struct cron_field {
	const char *what;
	int from, to;
	const char *const *names; /* of from on; NULL: numbers only */
	size_t n_names;
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, N_FIELDS };

static const struct cron_field cron_fields[N_FIELDS] = {
	{"minute", 0, 59, NULL, 0},
	{"hour", 0, 23, NULL, 0},
	{"day of the month", 1, 31, NULL, 0},
	{"month", 1, 12, months, 12},
	{"weekday", 0, 7, weekdays, 7},
};

static const struct {
	const char *name, *text;
} nicknames[] = {
	{"@yearly", "0 0 1 1 *"},
	{"@annually", "0 0 1 1 *"},
	{"@monthly", "0 0 1 * *"},
	{"@weekly", "0 0 * * 0"},
	{"@daily", "0 0 * * *"},
	{"@midnight", "0 0 * * *"},
	{"@hourly", "0 * * * *"},
};

struct cron {
	struct calendar_text *t;
	struct buf out;          /* the normal form */
	uint64_t bits[N_FIELDS]; /* what matches; Sunday is 0 and not 7 */
	bool has_star[N_FIELDS]; /* begins with '*', which is what cron(8) asks */
};

static bool is_at(const struct calendar_text *t, char c)
{
	return t->p < t->end && *t->p == c;
}

static bool is_blank_at(const struct calendar_text *t)
{
	return t->p < t->end && (*t->p == ' ' || *t->p == '\t');
}

/* what other programs take, and why not here */
static const char *hint_of(const struct calendar_text *t)
{
	if (is_at(t, '?'))
		return "; '?' is '*' here";
	if (t->p < t->end && strchr("LlWw#", *t->p))
		return "; for such days see calendar expressions: 'Mon *-*~07/1' is "
		       "the "
		       "last Monday";
	if (is_at(t, '~'))
		return "; for a random time use the schedule's jitter";
	return "";
}

/* A number or a name of the field. after: behind '-', where Sunday is 7 */
static int parse_value(
	int *ret, struct cron *cron, const struct cron_field *f, bool after)
{
	struct calendar_text *t = cron->t;
	const char *at = t->p;
	int name = f->names ? calendar_skip_name(t, f->names, f->n_names) : -1;
	int32_t n;

	if (name >= 0) {
		*ret = f->from + name;
		if (f == &cron_fields[WEEKDAY] && after && *ret == 0)
			*ret = 7;
		return 0;
	}
	if (!calendar_number(&n, t))
		return calendar_err(t, at, -EINVAL, "expected a %s%s, not %s%s",
			f->what, f->names ? " or its name" : "", WORD_AT(t, at),
			hint_of(t));
	if (n < f->from || n > f->to)
		return calendar_err(t, at, -EINVAL, "%s %d is not in %d to %d", f->what,
			(int)n, f->from, f->to);
	*ret = n;
	return 0;
}

/* "/2", or 1 where none stands */
static int parse_step(int *ret, struct cron *cron, const struct cron_field *f)
{
	struct calendar_text *t = cron->t;
	const char *at;
	int32_t n;

	*ret = 1;
	if (!is_at(t, '/'))
		return 0;
	at = ++t->p;
	if (!calendar_number(&n, t))
		return calendar_err(
			t, at, -EINVAL, "expected a step, not %s", WORD_AT(t, at));
	if (n < 1 || n > f->to)
		return calendar_err(
			t, at, -EINVAL, "the step %d is not in 1 to %d", (int)n, f->to);
	*ret = n;
	return 0;
}

/* "*", "5", "1-5", with a step where a range is */
static int parse_element(struct cron *cron, int which)
{
	const struct cron_field *f = &cron_fields[which];
	struct calendar_text *t = cron->t;
	int first = f->from, last = which == WEEKDAY ? 6 : f->to, step, r = 0;
	bool star = is_at(t, '*'), range = star;
	const char *at = t->p;

	if (star) {
		t->p++;
	} else {
		r = parse_value(&first, cron, f, false);
		last = first;
		if (r >= 0 && is_at(t, '-')) {
			t->p++;
			range = true;
			r = parse_value(&last, cron, f, true);
		}
	}
	if (r >= 0 && !range && is_at(t, '/'))
		return calendar_err(t, t->p, -EINVAL,
			"a step needs a range before it: '%d-%d/...'", first,
			which == WEEKDAY ? 6 : f->to);
	if (r >= 0)
		r = parse_step(&step, cron, f);
	if (r < 0)
		return r;
	if (last < first)
		return calendar_err(t, at, -EINVAL,
			"the range ends before it begins: write '%d-%d,%d-%d'", first,
			which == WEEKDAY ? 6 : f->to, f->from, last);
	for (int v = first; v <= last; v += step)
		cron->bits[which] |= UINT64_C(1) << (which == WEEKDAY ? v % 7 : v);
	if (star)
		r = buf_append_byte(&cron->out, '*');
	else if (range)
		r = buf_printf(&cron->out, "%d-%d", first, last);
	else
		r = buf_printf(&cron->out, "%d", first);
	return r >= 0 && step > 1 ? buf_printf(&cron->out, "/%d", step) : r;
}

static int parse_field(struct cron *cron, int which)
{
	struct calendar_text *t = cron->t;
	size_t n = 0;
	int r;

	cron->has_star[which] = is_at(t, '*');
	for (;;) {
		if (++n > CALENDAR_ITEMS_MAX)
			return calendar_err(t, t->p, -ERANGE,
				"a list has at most %d elements", CALENDAR_ITEMS_MAX);
		r = parse_element(cron, which);
		if (r < 0)
			return r;
		if (!is_at(t, ','))
			break;
		t->p++;
		r = buf_append_byte(&cron->out, ',');
		if (r < 0)
			return r;
	}
	if (t->p < t->end && !is_blank_at(t))
		return calendar_err(t, t->p, -EINVAL,
			"expected ',', '-', '/' or a space behind the %s, not %s%s",
			cron_fields[which].what, WORD_AT(t, t->p), hint_of(t));
	return 0;
}

static int parse_fields(struct cron *cron)
{
	struct calendar_text *t = cron->t;
	int r;

	for (int i = 0; i < N_FIELDS; i++) {
		while (is_blank_at(t))
			t->p++;
		if (t->p == t->end)
			return calendar_err(t, t->p, -EINVAL,
				"expected a %s: cron's fields are minute, hour, day of "
				"the month, month and weekday",
				cron_fields[i].what);
		r = i > 0 ? buf_append_byte(&cron->out, ' ') : 0;
		if (r >= 0)
			r = parse_field(cron, i);
		if (r < 0)
			return r;
	}
	while (is_blank_at(t))
		t->p++;
	if (t->p < t->end)
		return calendar_err(t, t->p, -EINVAL,
			"expected the end or a time zone behind the weekday, not %s",
			WORD_AT(t, t->p));
	return 0;
}

static int set_fields(struct calendar *c, const struct cron *cron)
{
	for (size_t i = 0; i < ARRAY_LEN(c->years); i++)
		c->years[i] = UINT64_MAX;
	c->minutes = cron->bits[MINUTE];
	c->hours = (uint32_t)cron->bits[HOUR];
	c->days = (uint32_t)cron->bits[DAY];
	c->months = (uint16_t)cron->bits[MONTH];
	/* Monday is the first here, the second in cron */
	c->weekdays = (uint8_t)((cron->bits[WEEKDAY] >> 1 | cron->bits[WEEKDAY] << 6) &
				WEEKDAYS_ALL);
	c->days_rule = cron->has_star[DAY] || cron->has_star[WEEKDAY] ? DAYS_BOTH
								      : DAYS_EITHER;
	c->repeats = cron->has_star[MINUTE] || cron->has_star[HOUR];
	c->seconds = calloc(1, sizeof(*c->seconds));
	if (!c->seconds)
		return -ENOMEM;
	c->seconds[0] = (struct calendar_part){.stop = -1};
	c->n_seconds = 1;
	return 0;
}

/* "@daily" to its five fields */
static int replace_nickname(struct calendar_text *t)
{
	const char *names[ARRAY_LEN(nicknames)], *near;
	struct calendar_text rest;
	char word[32] = "";

	for (size_t i = 0; i < ARRAY_LEN(nicknames); i++) {
		rest = *t;
		names[i] = nicknames[i].name;
		if (!calendar_skip_word(&rest, names[i]) || rest.p != rest.end)
			continue;
		t->p = nicknames[i].text;
		t->end = t->p + strlen(t->p);
		return 0;
	}
	rest = *t;
	if (calendar_skip_word(&rest, "@reboot") && rest.p == rest.end)
		return calendar_err(t, t->p, -EINVAL,
			"'@reboot' is no time; what is to run from boot on is a "
			"service");
	rest = *t;
	if (calendar_skip_word(&rest, "@every"))
		return calendar_err(
			t, t->p, -EINVAL, "an interval is written 'every 90min'");
	memcpy(word, t->p, MIN((size_t)(t->end - t->p), sizeof(word) - 1));
	near = str_nearest(word, names, ARRAY_LEN(names));
	return calendar_err(t, t->p, -EINVAL,
		"expected '@hourly', '@daily', '@weekly', '@monthly' or '@yearly', not "
		"%s%s%s%s",
		WORD_AT(t, t->p), near ? " (did you mean '" : "", near ? near : "",
		near ? "'?)" : "");
}

int calendar_parse_cron(struct calendar *c, struct calendar_text *t)
{
	struct cron cron = {.t = t, .out = BUF_NULL};
	int r = 0;

	c->kind = CALENDAR_CRON;
	if (is_at(t, '@'))
		r = replace_nickname(t);
	if (r >= 0)
		r = parse_fields(&cron);
	if (r >= 0)
		r = set_fields(c, &cron);
	if (r >= 0)
		r = calendar_set_text(c, &cron.out, t);
	buf_deinit(&cron.out);
	return r;
}
