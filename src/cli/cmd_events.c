/*
 * `events`: what happened to jobs, and with -f what happens.
 *
 * Who follows goes on behind the last event when the daemon is started again. What it
 * could not be shown is always told: a note on stderr, with --json an object with `lost`
 * and `restarted` among the events.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/select.h"
#include "cli/text.h"
#include "cli/time.h"
#include "client/client.h"

struct events {
	const struct cli *c;
	json_t *params; /* owned; its cursor goes on with each reply */
	bool follow;
	int64_t left; /* events still wanted */
	unsigned n_reconnects;
	int exit_code; /* of an error that was printed */
};

/* "1.42"; times have no such form */
static bool is_cursor(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && text[n] == '.' && text[n + 1] &&
	       !text[n + 1 + strspn(text + n + 1, "0123456789")];
}

static int print_event(const struct events *e, const json_t *event)
{
	char when[TIME_TEXT_MAX], outcome[CLI_OUTCOME_MAX];
	_cleanup_free_ char *name = text_escape_dup(json_str(event, "name"));
	int64_t usec = json_int(event, "time_usec", 0);
	const char *from = json_str(event, "from"), *to = json_str(event, "to");
	bool named = name && *name, finished = json_is_set(event, "result") && *to;
	const json_t *ready = json_object_get(event, "ready");
	const char *why = json_str(event, "reason");
	int r;

	if (e->c->json)
		return json_print(stdout, event, false);
	r = printf("%s.%03d  job %" PRId64 "%s%s%s  ",
		time_format(when, sizeof(when), usec),
		(int)(usec % USEC_PER_SEC / 1000), json_int(event, "id", 0),
		named ? " (" : "", named ? name : "", named ? ")" : "");
	if (r >= 0 && json_is_boolean(ready))
		r = json_is_true(ready)
			    ? printf("ready")
			    : printf("not ready any more%s%s", *why ? ": " : "", why);
	else if (r >= 0)
		r = printf("%s -> %s", *from ? from : "new", *to ? to : "removed");
	if (r >= 0 && finished)
		r = printf(", %s", cli_job_outcome(outcome, sizeof(outcome), event));
	if (r >= 0)
		r = putchar('\n');
	return r < 0 ? -EIO : 0;
}

/* nothing is left out in silence */
static int print_gap(const struct events *e, const json_t *reply)
{
	int64_t lost = json_int(reply, "lost", 0);
	bool restarted = json_is_true(json_object_get(reply, "restarted"));

	if (lost == 0 && !restarted)
		return 0;
	if (e->c->json) {
		_cleanup_json_ json_t *gap = json_pack(
			"{s:I, s:b}", "lost", (json_int_t)lost, "restarted", restarted);

		return gap ? json_print(stdout, gap, false) : -ENOMEM;
	}
	if (restarted)
		cli_note(e->c, "the daemon was started since: what happened before "
			       "that is not kept");
	if (lost > 0)
		cli_note(e->c,
			"%" PRId64 " event%s of all jobs before this %s not kept "
			"(events-max)",
			lost, text_plural(lost), lost == 1 ? "is" : "are");
	return 0;
}

/* client_reply_fn: 0; 1: no more are wanted; -errno */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct events *e = arg;
	const json_t *v;
	size_t i;
	int r;

	if (reply->error) {
		e->exit_code = cli_fail_reply(e->c, reply->error, reply->params);
		return -ECANCELED;
	}
	e->n_reconnects = 0;
	r = print_gap(e, reply->params);
	json_array_foreach(json_object_get(reply->params, "events"), i, v)
	{
		if (r == 0 && e->left > 0) {
			r = print_event(e, v);
			e->left--;
		}
	}
	if (r == 0)
		r = json_put(e->params, "cursor",
			json_string(json_str(reply->params, "cursor")));
	/* who follows wants to see it now */
	if (r == 0 && e->follow && fflush(stdout) != 0)
		r = -EIO;
	return r < 0 ? r : e->left == 0;
}

/* 0, or the exit code */
static int show_events(struct events *e, struct client **client)
{
	for (;;) {
		int r = client_call_more(*client, "io.reeve.Job.Events", e->params,
			take_page, e, RV_FOREVER);

		if (r >= 0)
			return 0;
		if (r == -ECANCELED)
			return e->exit_code;
		if (r == -EIO)
			return cli_fail_write(e->c, r);
		if (r != -ECONNRESET || !e->follow)
			return cli_fail_lost(e->c, r);
		if (e->n_reconnects++ >= CLI_RECONNECTS_MAX ||
			cli_reconnect(e->c, client, RV_FOREVER) != 0)
			return cli_fail(e->c, CLI_EXIT_NO_DAEMON,
				"the daemon is gone and did not come back");
	}
}

/* 0, or the exit code */
static int read_options(struct events *e)
{
	const struct options *o = &e->c->opts;
	const char *limit = options_get(o, OPT_LIMIT);
	const char *from = options_get(o, OPT_FROM);
	int64_t usec;
	int r = e->params ? 0 : -ENOMEM;

	e->follow = options_has(o, OPT_FOLLOW);
	if (limit && parse_i64(&e->left, limit, 1, INT64_MAX) < 0)
		return cli_fail(e->c, CLI_EXIT_USAGE,
			"events: not a number of events: '%s'", limit);
	if (r == 0 && e->follow)
		r = json_put(e->params, "follow", json_true());
	if (r == 0 && from && is_cursor(from)) {
		r = json_put(e->params, "cursor", json_string(from));
	} else if (r == 0 && from) {
		_cleanup_free_ char *err = NULL;

		if (time_parse_since(&usec, from, e->c->now_usec, &err) < 0)
			return cli_fail(e->c, CLI_EXIT_USAGE,
				"events: neither a time nor a cursor: '%s': %s", from,
				err ? err : "?");
		r = json_put(e->params, "since_usec", json_integer(usec));
	}
	return r < 0 ? cli_fail_errno(e->c, r, "events") : 0;
}

int cmd_events(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *params = json_object();
	struct events e = {.c = c, .params = params, .left = INT64_MAX};
	int r;

	r = read_options(&e);
	if (r == 0)
		r = cli_connect_once(c, &client, &sel, params);
	if (r != 0)
		return r;
	return show_events(&e, &client);
}
