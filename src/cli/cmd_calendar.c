/* `calendar`: when a schedule would be due. Needs no daemon. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/time.h"
#include "job/calendar.h"
#include "job/time.h"

#define N_DEFAULT 5
#define N_MAX     10000

/* what was asked for */
struct query {
	const struct cli *c;
	struct zone *zone;
	struct calendar *calendar;
	int64_t from_usec; /* what follows this; an interval counts from it */
	int64_t n;
};

/* the expression may be one argument, or its words */
static int join_words(char **ret, const struct cli *c)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < c->opts.n_args; i++) {
		if (i > 0)
			r = buf_append_byte(&text, ' ');
		if (r >= 0)
			r = buf_append_str(&text, c->opts.args[i]);
	}
	if (r < 0)
		return r;
	*ret = buf_steal_str(&text, NULL);
	return *ret ? 0 : -ENOMEM;
}

/* a message for people, or that of the error */
static int refuse(const struct cli *c, int err, const char *what, const char *message)
{
	if (err == -ENOMEM)
		return cli_fail_errno(c, err, "%s", what);
	return cli_fail(c, CLI_EXIT_USAGE, "%s: %s", what,
		message ? message : rv_strerror(err));
}

static int read_zone(struct query *q)
{
	const char *name = options_get(&q->c->opts, OPT_TZ);
	int r;

	if (!name) {
		r = zone_load_local(&q->zone);
		return r < 0 ? refuse(q->c, r, "calendar", NULL) : 0;
	}
	r = zone_load(&q->zone, name);
	if (r == -EINVAL || r == -ENOENT)
		return cli_fail(
			q->c, CLI_EXIT_USAGE, "--tz: there is no time zone '%s'", name);
	return r < 0 ? cli_fail_errno(q->c, r, "--tz: time zone '%s'", name) : 0;
}

static int read_options(struct query *q)
{
	const char *n = options_get(&q->c->opts, OPT_COUNT);
	const char *from = options_get(&q->c->opts, OPT_FROM);
	_cleanup_free_ char *err = NULL;
	int r;

	q->n = N_DEFAULT;
	if (n && parse_i64(&q->n, n, 1, N_MAX) < 0)
		return cli_fail(q->c, CLI_EXIT_USAGE,
			"--count: not a number from 1 to %d: '%s'", N_MAX, n);
	q->from_usec = q->c->now_usec;
	if (!from)
		return 0;
	r = time_parse(&q->from_usec, from, q->c->now_usec, q->zone, &err);
	return r < 0 ? refuse(q->c, r, "--from", err) : 0;
}

static int read_expression(struct query *q)
{
	_cleanup_free_ char *text = NULL, *err = NULL;
	int r;

	if (q->c->opts.n_args == 0)
		return cli_fail(q->c, CLI_EXIT_USAGE,
			"calendar: which EXPRESSION? For example: reeve calendar 'Mon "
			"06:00'");
	r = join_words(&text, q->c);
	if (r >= 0)
		r = calendar_parse(&q->calendar, text, q->zone, NULL, &err);
	return r < 0 ? refuse(q->c, r, "calendar", err) : 0;
}

static int print_json(const struct query *q)
{
	_cleanup_json_ json_t *list = json_array();
	int64_t usec = q->from_usec;

	if (!list)
		return -ENOMEM;
	for (int64_t i = 0; i < q->n; i++) {
		if (calendar_next(&usec, q->calendar, usec, q->from_usec) < 0)
			break;
		if (json_array_append_new(list, json_integer(usec)) < 0)
			return -ENOMEM;
	}
	return json_print(stdout, list, false);
}

/* "in 2h05min", "4d03h ago" */
static void format_distance(char *buf, size_t size, int64_t usec, int64_t now)
{
	char span[TIME_TEXT_MAX];

	time_format_span(span, sizeof(span), usec >= now ? usec - now : now - usec);
	if (usec >= now)
		snprintf(buf, size, "in %s", span);
	else
		snprintf(buf, size, "%s ago", span);
}

static int add_row(
	struct table *t, const struct query *q, const struct zone *utc, int64_t usec)
{
	char text[TIME_STAMP_MAX], distance[TIME_TEXT_MAX + 8];
	int r = table_row(t);

	if (r >= 0)
		r = table_cell(t, 0,
			time_format_stamp(
				text, sizeof(text), usec, calendar_zone(q->calendar)),
			NULL);
	if (r >= 0)
		r = table_cell(
			t, 1, time_format_stamp(text, sizeof(text), usec, utc), NULL);
	format_distance(distance, sizeof(distance), usec, q->c->now_usec);
	return r < 0 ? r : table_cell(t, 2, distance, NULL);
}

static int print_table(const struct query *q)
{
	static const struct table_column columns[] = {
		{"ELAPSES", 0}, {"IN UTC", 0}, {"FROM NOW", 0}};
	const struct table_style style = {
		.headings = true, .color = q->c->color_out, .is_tty = q->c->out_is_tty};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(zone_unrefp) struct zone *utc = NULL;
	int64_t usec = q->from_usec, i = 0;
	int r;

	r = print_pair(stdout, "normal form", "%s", calendar_format(q->calendar));
	if (r >= 0)
		r = print_pair(stdout, "time zone", "%s",
			zone_name(calendar_zone(q->calendar)));
	if (r >= 0)
		r = zone_load(&utc, "UTC");
	if (r >= 0)
		r = table_new(&table, columns, ARRAY_LEN(columns), &style);
	for (; r >= 0 && i < q->n; i++) {
		if (calendar_next(&usec, q->calendar, usec, q->from_usec) < 0)
			break;
		r = add_row(table, q, utc, usec);
	}
	if (r >= 0 && i == 0)
		return print_pair(stdout, "elapses", "never");
	return r < 0 ? r : table_print(table, stdout);
}

int cmd_calendar(struct cli *c)
{
	struct query q = {.c = c};
	int r;

	r = read_zone(&q);
	if (r == 0)
		r = read_options(&q);
	if (r == 0)
		r = read_expression(&q);
	if (r == 0) {
		r = c->json ? print_json(&q) : print_table(&q);
		if (r == -ENOMEM)
			r = cli_fail_errno(c, r, "calendar");
		else if (r < 0)
			r = cli_fail_write(c, r);
	}
	calendar_free(q.calendar);
	zone_unref(q.zone);
	return r;
}
