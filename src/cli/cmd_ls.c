/*
 * `ls`: on a terminal what matters now (unfinished, then latest finished, so many
 * rows), elsewhere everything, in the order of ids, as it comes page by page: a million
 * jobs are never in memory.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/text.h"
#include "cli/time.h"
#include "client/client.h"
#include "job/state.h"

#define ROWS_ON_TERMINAL 50
/* so many the daemon puts into the order of their ends; more come by their ids */
#define LATEST_MAX 1000
/* rows of a table that are held before it is printed: widths fit within them */
#define ROWS_AT_ONCE 1000

enum column {
	COL_ID,
	COL_STATE,
	COL_USER,
	COL_NAME,
	COL_POOL,
	COL_WHEN,
	COL_TIME,
	COL_CMD
};

struct ls {
	const struct cli *c;
	struct client *client;
	struct selection sel;
	int64_t limit; /* 0: none */
	bool ids_only;
	bool with_user;
	struct table *table; /* NULL with --json and -q */
	size_t n_in_table;
	bool headed;   /* the headings are printed */
	int64_t n;     /* shown */
	int64_t total; /* that match */
	int exit_code; /* of an error that was printed */
};

static int new_table(struct ls *ls)
{
	static const struct table_column columns[] = {{"ID", TABLE_RIGHT}, {"STATE", 0},
		{"NAME", TABLE_CUT}, {"POOL", 0}, {"WHEN", 0}, {"TIME", TABLE_RIGHT},
		{"COMMAND", TABLE_CUT}};
	static const struct table_column with_user[] = {{"ID", TABLE_RIGHT},
		{"STATE", 0}, {"USER", 0}, {"NAME", TABLE_CUT}, {"POOL", 0},
		{"WHEN", 0}, {"TIME", TABLE_RIGHT}, {"COMMAND", TABLE_CUT}};
	const struct table_style style = {
		.headings = !ls->headed,
		.color = ls->c->color_out,
		.is_tty = ls->c->out_is_tty,
	};

	if (ls->with_user)
		return table_new(&ls->table, with_user, ARRAY_LEN(with_user), &style);
	return table_new(&ls->table, columns, ARRAY_LEN(columns), &style);
}

static int flush_table(struct ls *ls)
{
	int r;

	if (!ls->table)
		return 0;
	r = table_print(ls->table, stdout);
	ls->table = table_free(ls->table);
	ls->headed = true;
	ls->n_in_table = 0;
	return r;
}

static const char *color_of(const json_t *job)
{
	const char *state = json_str(job, "state"), *result = json_str(job, "result");

	if (STREQ(state, job_state_name[JOB_RUNNING]))
		return "green";
	if (!STREQ(state, job_state_name[JOB_FINISHED]))
		return "cyan";
	if (STREQ(result, job_result_name[JOB_RESULT_SUCCEEDED]))
		return NULL;
	if (STREQ(result, job_result_name[JOB_RESULT_CANCELLED]) ||
		STREQ(result, job_result_name[JOB_RESULT_SKIPPED]))
		return "yellow";
	return "red";
}

/* when it ended, is due, began, or came: the first that there is */
static void format_when(char *buf, size_t size, const json_t *job, int64_t now)
{
	static const char *const keys[] = {
		"finished_usec", "due_usec", "started_usec", "submitted_usec"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!json_is_set(job, keys[i]))
			continue;
		time_format_relative(buf, size, json_int(job, keys[i], 0), now);
		return;
	}
	snprintf(buf, size, "-");
}

static void format_time(char *buf, size_t size, const json_t *job, int64_t now)
{
	int64_t started = json_int(job, "started_usec", -1);
	int state = job_state_by_name(json_str(job, "state"));

	/* one that waits for its next run has started before, but no time passes */
	if (started < 0 || state < 0 ||
		(state != JOB_FINISHED && !job_state_is_active((enum job_state)state)))
		snprintf(buf, size, "-");
	else
		time_format_span(
			buf, size, json_int(job, "finished_usec", now) - started);
}

/* In few columns: those of the command are worth more. `show` tells the rest. */
static void format_state(char *buf, size_t size, const json_t *job)
{
	static const char start_failed[] = "start failed at ";
	const char *result = json_str(job, "result"), *reason = json_str(job, "reason");
	int64_t code = json_int(job, "exit_code", -1), sig = json_int(job, "signal", 0);

	if (!STREQ(json_str(job, "state"), job_state_name[JOB_FINISHED]))
		snprintf(buf, size, "%s", json_str(job, "state"));
	else if (!STREQ(result, job_result_name[JOB_RESULT_FAILED]))
		snprintf(buf, size, "%s", result); /* a signal was our own */
	else if (sig > 0)
		snprintf(buf, size, "%s, %s", result, signal_name((int)sig));
	else if (code >= 0)
		snprintf(buf, size, "%s, exit %" PRId64, result, code);
	else if (strncmp(reason, start_failed, strlen(start_failed)) == 0)
		snprintf(buf, size, "%s at %.*s", result,
			(int)strcspn(reason + strlen(start_failed), ":"),
			reason + strlen(start_failed));
	else
		snprintf(buf, size, "%s", result);
}

static int add_row(struct ls *ls, const json_t *job)
{
	char id[32], state[128], when[TIME_TEXT_MAX], time[TIME_TEXT_MAX];
	const char *cells[COL_CMD + 1] = {[COL_ID] = id,
		[COL_STATE] = state,
		[COL_USER] = json_str(job, "user"),
		[COL_NAME] = json_str(job, "name"),
		[COL_POOL] = json_str(job, "pool"),
		[COL_WHEN] = when,
		[COL_TIME] = time,
		[COL_CMD] = json_str(job, "command")};
	size_t column = 0;
	int r;

	snprintf(id, sizeof(id), "%" PRId64, json_int(job, "id", 0));
	format_state(state, sizeof(state), job);
	format_when(when, sizeof(when), job, ls->c->now_usec);
	format_time(time, sizeof(time), job, ls->c->now_usec);
	r = ls->table ? 0 : new_table(ls);
	if (r == 0)
		r = table_row(ls->table);
	for (int i = COL_ID; i <= COL_CMD && r == 0; i++)
		if (i != COL_USER || ls->with_user)
			r = table_cell(ls->table, column++, *cells[i] ? cells[i] : NULL,
				i == COL_STATE ? color_of(job) : NULL);
	if (r == 0 && ++ls->n_in_table >= ROWS_AT_ONCE)
		r = flush_table(ls);
	return r;
}

static int show_job(struct ls *ls, const json_t *job)
{
	if (ls->c->json) {
		fputs(ls->n > 0 ? ",\n" : "[", stdout);
		return json_dumpf(job, stdout, JSON_COMPACT) < 0 ? -EIO : 0;
	}
	if (!ls->ids_only)
		return add_row(ls, job);
	return printf("%" PRId64 "\n", json_int(job, "id", 0)) < 0 ? -EIO : 0;
}

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct ls *ls = arg;
	json_t *job;
	size_t i;
	int r;

	if (reply->error) {
		ls->exit_code = cli_fail_reply(ls->c, reply->error, reply->params);
		return -ECANCELED;
	}
	json_array_foreach(json_object_get(reply->params, "jobs"), i, job)
	{
		r = show_job(ls, job);
		if (r < 0)
			return r;
		ls->n++;
	}
	if (!reply->continues)
		ls->total += json_int(reply->params, "total", 0);
	return 0;
}

/* params: taken. 0, or the exit code */
static int list(struct ls *ls, json_t *params)
{
	_cleanup_json_ json_t *mine = params;
	int r;

	if (!mine)
		return cli_fail_errno(ls->c, -ENOMEM, "ls");
	r = client_call_more(
		ls->client, "io.reeve.Job.List", mine, take_page, ls, RV_FOREVER);
	if (r == -ECANCELED)
		return ls->exit_code;
	if (r == -EIO)
		return cli_fail_write(ls->c, r);
	return r < 0 ? cli_fail_lost(ls->c, r) : 0;
}

/* the selection, made one that says "all" where nothing was said */
static json_t *selector(const struct ls *ls, size_t chunk)
{
	json_t *sel = selection_json(&ls->sel, chunk);

	if (sel && selection_is_absent(&ls->sel) &&
		json_put(sel, "all", json_true()) < 0) {
		json_decref(sel);
		return NULL;
	}
	return sel;
}

static int list_all(struct ls *ls)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < selection_n_chunks(&ls->sel); i++)
		r = list(ls, json_pack("{s:o}", "select", selector(ls, i)));
	return r;
}

static bool says_states(const struct ls *ls)
{
	return json_object_get(ls->sel.filters, "states") != NULL;
}

/* at most limit rows of one chunk that are, or are not, finished */
static int list_half(struct ls *ls, size_t chunk, bool finished)
{
	/* asked for also where there is no room left: the footer needs the total */
	int64_t left = MAX(ls->limit - ls->n, INT64_C(0));
	json_t *sel = selector(ls, chunk), *params;
	int r = sel ? 0 : -ENOMEM;

	for (int s = 0; r == 0 && s < JOB_STATE_N && !says_states(ls); s++)
		if ((s == JOB_FINISHED) == finished)
			r = json_put_append(
				sel, "states", json_string(job_state_name[s]));
	if (r < 0) {
		json_decref(sel);
		return list(ls, NULL);
	}
	params = json_pack("{s:o, s:I, s:s}", "select", sel, "limit", (json_int_t)left,
		"order", finished && left <= LATEST_MAX ? "finished" : "id");
	if (finished && left > LATEST_MAX && params)
		json_object_set_new(params, "reverse", json_true());
	return list(ls, params);
}

static bool says_just_finished(const struct ls *ls)
{
	const json_t *states = json_object_get(ls->sel.filters, "states");
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)states, i,
		v) if (strcmp(json_string_value(v), job_state_name[JOB_FINISHED]) !=
		       0) return false;
	return says_states(ls);
}

/* what is not finished first, then what finished last */
static int list_limited(struct ls *ls)
{
	size_t n = selection_n_chunks(&ls->sel);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n && says_just_finished(ls); i++)
		r = list_half(ls, i, true);
	if (says_just_finished(ls))
		return r;
	for (size_t i = 0; r == 0 && i < n && says_states(ls); i++)
		r = list(ls, json_pack("{s:o, s:I}", "select", selector(ls, i), "limit",
				     (json_int_t)MAX(ls->limit - ls->n, INT64_C(0))));
	if (says_states(ls))
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = list_half(ls, i, false);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = list_half(ls, i, true);
	return r;
}

static void footer(const struct ls *ls)
{
	int64_t left_out = ls->total - ls->n;

	if (ls->n == 0 && left_out <= 0)
		puts("no jobs");
	else if (left_out > 0)
		printf("%" PRId64 " more: reeve %s --limit 0\n", left_out,
			ls->c->command->name);
}

static int read_limit(struct ls *ls)
{
	const char *text = options_get(&ls->c->opts, OPT_LIMIT);

	ls->ids_only = options_has(&ls->c->opts, OPT_QUIET);
	if (text && parse_i64(&ls->limit, text, 0, INT32_MAX) < 0)
		return cli_fail(
			ls->c, CLI_EXIT_USAGE, "ls: not a number of rows: '%s'", text);
	if (!text && ls->c->out_is_tty && !ls->c->json && !ls->ids_only)
		ls->limit = ROWS_ON_TERMINAL;
	return 0;
}

int cmd_ls(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	struct ls ls = {.c = c, .with_user = geteuid() == 0};
	int r;

	r = read_limit(&ls);
	if (r == 0)
		r = cli_select(c, &ls.sel, SELECT_OPTIONAL);
	if (r == 0)
		r = cli_connect_for(c, &client, &ls.sel);
	ls.client = client;
	if (r == 0)
		r = ls.limit > 0 ? list_limited(&ls) : list_all(&ls);
	if (r == 0 && flush_table(&ls) < 0)
		r = cli_fail_write(c, -EIO);
	if (r == 0 && c->json)
		fputs(ls.n > 0 ? "]\n" : "[]\n", stdout);
	else if (r == 0 && c->out_is_tty && !ls.ids_only)
		footer(&ls);
	table_free(ls.table);
	selection_deinit(&ls.sel);
	return r;
}
