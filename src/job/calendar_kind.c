/* Which kind an expression is, what the kinds have in common, and intervals. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "job/calendar_priv.h"
#include "job/value_priv.h"

#define BLANKS " \t\r\n"

const char *const calendar_weekdays[7] = {
	"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int calendar_err(
	const struct calendar_text *t, const char *at, int r, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	if (!t->err)
		return r;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return job_err(t->err, r, "at byte %zu of %s: %s", (size_t)(at - t->whole) + 1,
		QUOTED(t->whole), what);
}

const char *calendar_word_fill(
	struct calendar_word *w, const struct calendar_text *t, const char *p)
{
	char escaped[sizeof(w->text) - 2];
	size_t n = 0;

	while (p < t->end && is_blank(*p))
		p++;
	while (p + n < t->end && !is_blank(p[n]))
		n++;
	if (n == 0) {
		snprintf(w->text, sizeof(w->text), "the end");
	} else {
		str_escape(escaped, sizeof(escaped), p, n);
		snprintf(w->text, sizeof(w->text), "'%s'", escaped);
	}
	return w->text;
}

bool calendar_number(int32_t *ret, struct calendar_text *t)
{
	const char *begin = t->p;
	int64_t n = 0;

	for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
		n = MIN(n * 10 + (*t->p - '0'), (int64_t)INT32_MAX);
	*ret = (int32_t)n;
	return t->p > begin;
}

bool calendar_skip_word(struct calendar_text *t, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(t->end - t->p) < n || strncasecmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

int calendar_skip_name(struct calendar_text *t, const char *const *names, size_t n)
{
	char abbrev[4] = "";

	for (size_t i = 0; i < n; i++) {
		memcpy(abbrev, names[i], 3);
		if (calendar_skip_word(t, names[i]) || calendar_skip_word(t, abbrev))
			return (int)i;
	}
	return -1;
}

/* could it be meant as one? "Europe/Berlin", "CEST"; not "Mon..Fri", "daily" */
static bool looks_like_zone(const struct calendar_text *t, const char *word, size_t n)
{
	struct calendar_text rest = *t;

	rest.p = word;
	if (calendar_skip_name(&rest, calendar_weekdays, 7) >= 0)
		return false;
	if (memchr(word, '/', n) && is_letter(word[0]))
		return true;
	for (size_t i = 0; i < n; i++)
		if (!is_letter(word[i]))
			return false;
	return n > 0;
}

int calendar_take_zone(struct calendar *c, struct calendar_text *t, struct zone *zone,
	struct zone_cache *zones)
{
	char name[ZONE_NAME_MAX + 1];
	const char *word = t->end;
	bool is_dst;
	size_t n;
	int r;

	while (word > t->p && !is_blank(word[-1]))
		word--;
	n = (size_t)(t->end - word);
	if (word == t->p || n > ZONE_NAME_MAX) {
		c->zone = zone_ref(zone);
		return 0;
	}
	memcpy(name, word, n);
	name[n] = '\0';
	if (strcasecmp(name, "UTC") != 0 && zone_has_abbrev(zone, name, &is_dst)) {
		c->dst = is_dst ? DST_ON : DST_OFF;
		c->zone = zone_ref(zone);
		t->zone = zone_abbrev(zone, is_dst);
	} else {
		r = zone_get(&c->zone, zones, name);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && looks_like_zone(t, word, n))
			return calendar_err(t, word, -EINVAL,
				r == -RV_ECORRUPT || r == -ENOTSUP
					? "the file of time zone %s cannot be used"
					: "there is no time zone %s",
				WORD_AT(t, word));
		if (r < 0) {
			c->zone = zone_ref(zone);
			return 0;
		}
		t->zone = zone_name(c->zone);
	}
	while (word > t->p && is_blank(word[-1]))
		word--;
	t->end = word;
	return 0;
}

int calendar_set_text(
	struct calendar *c, struct buf *out, const struct calendar_text *t)
{
	int r = 0;

	if (t->zone)
		r = buf_printf(out, " %s", t->zone);
	if (r < 0)
		return r;
	c->text = buf_steal_str(out, NULL);
	return c->text ? 0 : -ENOMEM;
}

/* "every 90min", the cursor behind the first word */
static int parse_interval(struct calendar *c, struct calendar_text *t)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	_cleanup_free_ char *duration = NULL;
	char text[DURATION_TEXT_MAX];
	int r;

	while (t->p < t->end && is_blank(*t->p))
		t->p++;
	duration = strndup(t->p, (size_t)(t->end - t->p));
	if (!duration)
		return -ENOMEM;
	r = duration_parse(&c->interval_usec, duration);
	if (r == -EINVAL)
		return calendar_err(t, t->p, r,
			"expected a duration such as '90min' or '1d 12h', not %s",
			WORD_AT(t, t->p));
	if (r < 0 || c->interval_usec == USEC_INFINITY)
		return calendar_err(t, t->p, -ERANGE, "the interval is too long");
	if (c->interval_usec < CALENDAR_INTERVAL_MIN)
		return calendar_err(
			t, t->p, -ERANGE, "an interval is at least a second");
	c->kind = CALENDAR_INTERVAL;
	r = buf_printf(&out, "every %s",
		duration_format(text, sizeof(text), c->interval_usec));
	return r < 0 ? r : calendar_set_text(c, &out, t);
}

static size_t n_words(const struct calendar_text *t)
{
	size_t n = 0;

	for (const char *p = t->p; p < t->end; p++)
		n += !is_blank(*p) && (p == t->p || is_blank(p[-1]));
	return n;
}

static int parse_kind(struct calendar *c, struct calendar_text *t, struct zone *zone,
	struct zone_cache *zones)
{
	struct calendar_text begin = *t;
	bool is_cron;
	int r;

	if (calendar_skip_word(t, "every") && (t->p == t->end || is_blank(*t->p))) {
		c->zone = zone_ref(zone);
		return parse_interval(c, t);
	}
	*t = begin;
	is_cron = calendar_skip_word(t, "cron:");
	while (is_cron && t->p < t->end && is_blank(*t->p))
		t->p++;
	if (t->p < t->end && *t->p == '@' && t->p + 1 < t->end && is_letter(t->p[1]))
		is_cron = true;
	if (!is_cron) {
		size_t n = n_words(t);

		is_cron = n == 5 || n == 6;
	}
	if (t->p == t->end)
		return calendar_err(t, t->p, -EINVAL, "the expression is empty");
	r = calendar_take_zone(c, t, zone, zones);
	if (r < 0)
		return r;
	return is_cron ? calendar_parse_cron(c, t) : calendar_parse_wall(c, t);
}

int calendar_parse(struct calendar **ret, const char *text, struct zone *zone,
	struct zone_cache *zones, char **err)
{
	_cleanup_(calendar_freep) struct calendar *c = NULL;
	struct calendar_text t = {
		.whole = text, .p = text, .end = text + strlen(text), .err = err};
	int r;

	if (err)
		*err = NULL;
	if (t.end - t.p > CALENDAR_TEXT_MAX)
		return calendar_err(&t, t.p + CALENDAR_TEXT_MAX, -ERANGE,
			"an expression has at most %d bytes", CALENDAR_TEXT_MAX);
	while (t.p < t.end && is_blank(*t.p))
		t.p++;
	while (t.p < t.end && is_blank(t.end[-1]))
		t.end--;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->dst = DST_ANY;
	r = parse_kind(c, &t, zone, zones);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}
