/* `schedule`: look at schedules, make, run and steer them. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/time.h"
#include "client/client.h"

#define NEXT_DEFAULT 5
#define NEXT_MAX     10000

struct verb {
	const char *word, *method;
	int (*print)(const struct cli *c, const json_t *reply);
	bool several; /* takes more than one name */
};

/* ---- ls --------------------------------------------------------------------------------- */

enum {
	COL_NAME,
	COL_WHEN,
	COL_NEXT,
	COL_LAST,
	COL_STATE,
	COL_RUNNING,
	COL_NOTES,
	N_COLS
};

/* "Mon 06:00; Fri 18:00" */
static void format_when(char *buf, size_t size, const json_t *schedule)
{
	json_t *text;
	size_t i, n = 0;

	buf[0] = '\0';
	json_array_foreach(json_object_get(schedule, "when"), i, text)
	{
		if (n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? "; " : "",
				json_string_value(text));
	}
}

/* "missed latest, overlap queue, added at run time": what is not as usual */
static void format_notes(char *buf, size_t size, const json_t *s)
{
	const char *zone = json_str(s, "zone");
	size_t n = 0;

	buf[0] = '\0';
	if (*zone)
		n += (size_t)snprintf(buf + n, size - n, "%s, ", zone);
	if (!STREQ(json_str(s, "missed"), "skip"))
		n += (size_t)snprintf(
			buf + n, size - n, "missed %s, ", json_str(s, "missed"));
	if (!STREQ(json_str(s, "overlap"), "skip"))
		n += (size_t)snprintf(
			buf + n, size - n, "overlap %s, ", json_str(s, "overlap"));
	if (json_array_size(json_object_get(s, "pending")) > 0)
		n += (size_t)snprintf(buf + n, size - n, "%zu owed, ",
			json_array_size(json_object_get(s, "pending")));
	if (STREQ(json_str(s, "origin"), "run time"))
		n += (size_t)snprintf(buf + n, size - n, "added at run time, ");
	if (n > 2 && n < size)
		buf[n - 2] = '\0';
}

static const char *format_last(
	char *buf, size_t size, const struct cli *c, const json_t *s)
{
	const json_t *last = json_object_get(s, "last");
	char when[TIME_TEXT_MAX];

	if (!last)
		return NULL;
	time_format_relative(
		when, sizeof(when), json_int(last, "at_usec", 0), c->now_usec);
	snprintf(buf, size, "%s %s", json_str(last, "what"), when);
	return buf;
}

static int add_row(struct table *t, const struct cli *c, const json_t *s)
{
	char text[512], number[24];
	const char *state = json_str(s, "state");
	int64_t next = json_int(s, "next_usec", 0);
	int r = table_row(t);

	if (r == 0)
		r = table_cell(t, COL_NAME, json_str(s, "name"), NULL);
	format_when(text, sizeof(text), s);
	if (r == 0)
		r = table_cell(t, COL_WHEN, text, NULL);
	if (r == 0 && next)
		r = table_cell(t, COL_NEXT,
			time_format_relative(text, sizeof(text), next, c->now_usec),
			NULL);
	if (r == 0)
		r = table_cell(
			t, COL_LAST, format_last(text, sizeof(text), c, s), NULL);
	if (r == 0)
		r = table_cell(
			t, COL_STATE, state, STREQ(state, "active") ? NULL : "yellow");
	snprintf(number, sizeof(number), "%zu",
		json_array_size(json_object_get(s, "running")));
	if (r == 0)
		r = table_cell(t, COL_RUNNING, number, NULL);
	format_notes(text, sizeof(text), s);
	return r == 0 ? table_cell(t, COL_NOTES, text[0] ? text : NULL, NULL) : r;
}

static int print_list(const struct cli *c, const json_t *reply)
{
	static const struct table_column columns[N_COLS] = {{"SCHEDULE", 0},
		{"WHEN", TABLE_CUT}, {"NEXT", 0}, {"LAST", 0}, {"STATE", 0},
		{"RUNNING", TABLE_RIGHT}, {"NOTES", TABLE_CUT}};
	_cleanup_(table_freep) struct table *t = NULL;
	struct table_style style = {
		.headings = true, .color = c->color_out, .is_tty = c->out_is_tty};
	const json_t *list = json_object_get(reply, "schedules");
	json_t *s;
	size_t i;
	int r;

	if (c->json)
		return json_print(stdout, list, false);
	r = table_new(&t, columns, N_COLS, &style);
	json_array_foreach((json_t *)list, i, s)
	{
		if (r == 0)
			r = add_row(t, c, s);
	}
	return r == 0 ? table_print(t, stdout) : r;
}

/* ---- show, next, history ----------------------------------------------------------------- */

static int print_next_time(const struct cli *c, const char *name, int64_t usec)
{
	char at[TIME_TEXT_MAX], from_now[TIME_TEXT_MAX];

	return print_pair(stdout, name, "%s (%s)", time_format(at, sizeof(at), usec),
		time_format_relative(from_now, sizeof(from_now), usec, c->now_usec));
}

static int print_spec(const json_t *spec)
{
	const char *key;
	json_t *v;
	int r = 0;

	json_object_foreach((json_t *)spec, key, v)
	{
		_cleanup_free_ char *text =
			json_is_string(v)
				? NULL
				: json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

		if (r >= 0)
			r = print_pair(
				stdout, key, "%s", text ? text : json_string_value(v));
	}
	return r;
}

static int print_schedule(const struct cli *c, const json_t *reply)
{
	static const char *const texts[] = {
		"origin", "state", "user", "zone", "jitter", "missed", "overlap"};
	const json_t *s = json_object_get(reply, "schedule");
	int64_t next = json_int(s, "next_usec", 0);
	char text[512];
	json_t *v;
	size_t i;
	int r;

	if (c->json)
		return json_print(stdout, s, false);
	r = print_pair(stdout, "schedule", "%s", json_str(s, "name"));
	json_array_foreach(json_object_get(s, "when"), i, v)
	{
		if (r >= 0)
			r = print_pair(stdout, "when", "%s", json_string_value(v));
	}
	for (i = 0; i < ARRAY_LEN(texts) && r >= 0; i++)
		if (*json_str(s, texts[i]))
			r = print_pair(stdout, texts[i], "%s", json_str(s, texts[i]));
	if (r >= 0 && next)
		r = print_next_time(c, "next", next);
	if (r >= 0 && format_last(text, sizeof(text), c, s))
		r = print_pair(stdout, "last", "%s", text);
	json_array_foreach(json_object_get(s, "running"), i, v)
	{
		if (r >= 0)
			r = print_pair(stdout, "running", "job %" PRId64,
				(int64_t)json_integer_value(v));
	}
	json_array_foreach(json_object_get(s, "pending"), i, v)
	{
		if (r >= 0)
			r = print_next_time(c,
				json_is_true(json_object_get(v, "waits")) ? "waits"
									  : "owed",
				json_int(v, "nominal_usec", 0));
	}
	return r < 0 ? r : print_spec(json_object_get(s, "spec"));
}

static int print_next(const struct cli *c, const json_t *reply)
{
	const json_t *list = json_object_get(reply, "usec");
	json_t *usec;
	size_t i;
	int r = 0;

	if (c->json)
		return json_print(stdout, list, false);
	json_array_foreach((json_t *)list, i, usec)
	{
		char at[TIME_TEXT_MAX], from_now[TIME_TEXT_MAX];

		if (printf("%s  %s\n",
			    time_format(at, sizeof(at), json_integer_value(usec)),
			    time_format_relative(from_now, sizeof(from_now),
				    json_integer_value(usec), c->now_usec)) < 0)
			r = -EIO;
	}
	return r;
}

/* "job 12, succeeded"; "3 from 06:00"; the message */
static void format_event(char *buf, size_t size, const json_t *e)
{
	char first[TIME_TEXT_MAX];
	int64_t job = json_int(e, "job", 0), count = json_int(e, "count", 1);
	const char *how =
		*json_str(e, "result") ? json_str(e, "result") : json_str(e, "state");
	int n = 0;

	buf[0] = '\0';
	if (job)
		n = snprintf(
			buf, size, "job %" PRId64 "%s%s", job, *how ? ", " : "", how);
	else if (count > 1)
		n = snprintf(buf, size, "%" PRId64 " since %s", count,
			time_format(
				first, sizeof(first), json_int(e, "first_usec", 0)));
	if (*json_str(e, "message") && n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, "%s%s", n ? ", " : "",
			json_str(e, "message"));
}

static int print_history(const struct cli *c, const json_t *reply)
{
	static const struct table_column columns[] = {
		{"AT", 0}, {"DUE", 0}, {"WHAT", 0}, {"NOTES", TABLE_CUT}};
	_cleanup_(table_freep) struct table *t = NULL;
	struct table_style style = {
		.headings = true, .color = c->color_out, .is_tty = c->out_is_tty};
	const json_t *list = json_object_get(reply, "events");
	char text[1024];
	json_t *e;
	size_t i;
	int r;

	if (c->json)
		return json_print(stdout, list, false);
	r = table_new(&t, columns, ARRAY_LEN(columns), &style);
	json_array_foreach((json_t *)list, i, e)
	{
		if (r == 0)
			r = table_row(t);
		if (r == 0)
			r = table_cell(t, 0,
				time_format(
					text, sizeof(text), json_int(e, "at_usec", 0)),
				NULL);
		if (r == 0)
			r = table_cell(t, 1,
				time_format(text, sizeof(text),
					json_int(e, "nominal_usec", 0)),
				NULL);
		if (r == 0)
			r = table_cell(t, 2, json_str(e, "what"), NULL);
		format_event(text, sizeof(text), e);
		if (r == 0)
			r = table_cell(t, 3, text[0] ? text : NULL, NULL);
	}
	return r == 0 ? table_print(t, stdout) : r;
}

static int print_id(const struct cli *c, const json_t *reply)
{
	int64_t id = json_int(reply, "id", 0);

	return printf(c->json ? "{\"id\":%" PRId64 "}\n" : "%" PRId64 "\n", id) < 0
		       ? -EIO
		       : 0;
}

/* ---- add ---------------------------------------------------------------------------------- */

/* what is said of when, as io.reeve.Schedule.Settings. 0, or the exit code */
static int read_settings(const struct cli *c, json_t **ret)
{
	static const struct {
		int option;
		const char *member, *name;
		bool number;
	} options[] = {
		{OPT_TZ, "zone", "tz", false},
		{OPT_JITTER, "jitter", "jitter", false},
		{OPT_MISSED, "missed", "missed", false},
		{OPT_MISSED_MAX, "missed_max", "missed-max", true},
		{OPT_MISSED_SPREAD, "missed_spread", "missed-spread", false},
		{OPT_OVERLAP, "overlap", "overlap", false},
		{OPT_QUEUE_MAX, "queue_max", "queue-max", true},
	};
	_cleanup_json_ json_t *s = json_object();
	int r = s ? 0 : -ENOMEM;
	int64_t n;

	for (size_t i = 0; i < c->opts.n_hits && r == 0; i++)
		if (c->opts.hits[i].id == OPT_WHEN)
			r = json_put_append(
				s, "when", json_string(c->opts.hits[i].value));
	if (r == 0 && !json_is_set(s, "when"))
		return cli_fail(c, CLI_EXIT_USAGE,
			"schedule add: --when says when, for example --when 'Mon "
			"06:00'");
	for (size_t i = 0; i < ARRAY_LEN(options) && r == 0; i++) {
		const char *v = options_get(&c->opts, options[i].option);

		if (!v)
			continue;
		if (options[i].number && parse_i64(&n, v, 0, INT32_MAX) < 0)
			return cli_fail(c, CLI_EXIT_USAGE,
				"schedule: --%s is a number, not '%s'", options[i].name,
				v);
		r = json_put(s, options[i].member,
			options[i].number ? json_integer(n) : json_string(v));
	}
	if (r < 0)
		return cli_fail_errno(c, r, "schedule");
	*ret = TAKE_PTR(s);
	return 0;
}

/* where the caller is, as for add: a job of a schedule has no other */
static int put_caller(struct job_spec *s, char **err)
{
	_cleanup_free_ char *cwd = NULL;
	mode_t mask = umask(0);
	int r;

	umask(mask);
	if (job_spec_has(s, JOB_FIELD_FUNCTION))
		return 0;
	if (!job_spec_has(s, JOB_FIELD_CWD)) {
		cwd = getcwd(NULL, 0);
		r = cwd ? spec_put_str(s, JOB_FIELD_CWD, cwd, err) : -errno;
		if (r < 0)
			return r;
	}
	return job_spec_has(s, JOB_FIELD_UMASK)
		       ? 0
		       : spec_put_num(s, JOB_FIELD_UMASK, (int64_t)mask);
}

static int read_job(struct cli *c, json_t **ret)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	_cleanup_free_ char *err = NULL;
	int r;

	r = submit_spec(&s, c, &err);
	if (r == 0 && c->opts.n_args > 2)
		r = spec_put_strv(&s, JOB_FIELD_COMMAND, c->opts.args + 2, &err);
	if (r == 0)
		r = put_caller(&s, &err);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "%s", err ? err : rv_strerror(r));
	*ret = spec_to_json(&s);
	return *ret ? 0 : cli_fail_errno(c, -ENOMEM, "schedule");
}

static int schedule_add(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *settings = NULL, *spec = NULL;
	json_t *params;
	int r;

	if (c->opts.n_args < 2)
		return cli_fail(c, CLI_EXIT_USAGE, "schedule add: which name?");
	/* -n is the name with add */
	if (options_get(&c->opts, OPT_COUNT))
		return cli_fail(c, CLI_EXIT_USAGE,
			"schedule add: -n, --count is for schedule next; --name names "
			"its jobs");
	r = read_settings(c, &settings);
	if (r == 0)
		r = read_job(c, &spec);
	if (r == 0)
		r = cli_connect(c, &client);
	if (r != 0)
		return r;
	params = json_pack("{s:s, s:O, s:O}", "name", c->opts.args[1], "settings",
		settings, "spec", spec);
	if (!params)
		return cli_fail_errno(c, -ENOMEM, "schedule");
	r = cli_call(c, client, "io.reeve.Schedule.Add", params, NULL);
	if (r == 0 && c->json)
		printf("{\"changed\":true}\n");
	return r;
}

/* ---- the others ---------------------------------------------------------------------------- */

static int read_count(const struct cli *c, int64_t *ret)
{
	const char *n = options_get(&c->opts, OPT_COUNT);

	*ret = NEXT_DEFAULT;
	if (n && parse_i64(ret, n, 1, NEXT_MAX) < 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"--count: not a number from 1 to %d: '%s'", NEXT_MAX, n);
	return 0;
}

static int call_one(struct cli *c, struct client *client, const struct verb *v,
	const char *name, bool *changed)
{
	_cleanup_json_ json_t *reply = NULL;
	char method[64];
	json_t *params = name ? json_pack("{s:s}", "name", name) : json_object();
	int64_t count;
	int r;

	if (STREQ(v->word, "next")) {
		r = read_count(c, &count);
		if (r == 0 && json_put(params, "count", json_integer(count)) < 0)
			r = cli_fail_errno(c, -ENOMEM, "schedule");
		if (r != 0) {
			json_decref(params);
			return r;
		}
	}
	snprintf(method, sizeof(method), "io.reeve.Schedule.%s", v->method);
	r = cli_call(c, client, method, params, &reply);
	if (r != 0)
		return r;
	*changed |= !json_object_get(reply, "changed") ||
		    json_is_true(json_object_get(reply, "changed"));
	r = v->print ? v->print(c, reply) : 0;
	return r < 0 ? cli_fail_write(c, r) : CLI_EXIT_OK;
}

static int call_all(struct cli *c, const struct verb *v)
{
	_cleanup_(client_closep) struct client *client = NULL;
	bool changed = false, ls = STREQ(v->word, "ls");
	int r, first = 0;

	if (ls ? c->opts.n_args > 1 : c->opts.n_args < 2)
		return cli_fail(c, CLI_EXIT_USAGE,
			ls ? "schedule %s takes no names" : "schedule %s: which one?",
			v->word);
	if (!ls && !v->several && c->opts.n_args > 2)
		return cli_fail(
			c, CLI_EXIT_USAGE, "schedule %s takes one name", v->word);
	r = cli_connect(c, &client);
	if (r != 0)
		return r;
	if (ls)
		return call_one(c, client, v, NULL, &changed);
	/* of several each is tried: one that is not there keeps no other */
	for (size_t i = 1; i < c->opts.n_args; i++) {
		r = call_one(c, client, v, c->opts.args[i], &changed);
		first = first ? first : r;
	}
	if (first == 0 && c->json && !v->print)
		printf("{\"changed\":%s}\n", changed ? "true" : "false");
	return first;
}

int cmd_schedule(struct cli *c)
{
	static const struct verb verbs[] = {
		{"ls", "List", print_list, false},
		{"show", "Show", print_schedule, false},
		{"next", "Next", print_next, false},
		{"history", "History", print_history, false},
		{"run", "Run", print_id, true},
		{"rm", "Remove", NULL, true},
		{"pause", "Pause", NULL, true},
		{"resume", "Resume", NULL, true},
	};
	const char *word = c->opts.n_args > 0 ? c->opts.args[0] : "";

	if (STREQ(word, "add"))
		return schedule_add(c);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (STREQ(verbs[i].word, word))
			return call_all(c, &verbs[i]);
	return cli_fail(c, CLI_EXIT_USAGE, "schedule: %s", c->command->usage);
}
