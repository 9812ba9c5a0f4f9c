/*
 * `ls`: on a terminal what matters now (unfinished, then latest finished, so many
 * rows), elsewhere everything, in the order of ids, as it comes page by page: a million
 * jobs are never in memory. With --sort the daemon finds the first so many.
 *
 * The instances of services, which would fill these rows by themselves, are left to `service
 * ls` on a terminal, and counted.
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
#include "cli/columns.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/select.h"
#include "client/client.h"
#include "job/sort.h"
#include "job/state.h"

#define ROWS_ON_TERMINAL 50
/* so many the daemon puts into the order of their ends; more come by their ids */
#define LATEST_MAX 1000
/* rows of a table that are held before it is printed: widths fit within them */
#define ROWS_AT_ONCE 1000

struct ls {
	const struct cli *c;
	struct client *client;
	struct selection sel;
	int64_t limit; /* 0: none */
	bool ids_only;
	bool no_services; /* they are counted alone */
	struct columns columns;
	bool some_columns;    /* --columns: with --json they alone */
	struct job_sort sort; /* none: see the head of this file */
	struct table *table;  /* NULL with --json and -q */
	size_t n_in_table;
	bool headed;   /* the headings are printed */
	int64_t n;     /* shown */
	int64_t total; /* that match */
	int exit_code; /* of an error that was printed */
};

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

static int add_row(struct ls *ls, const json_t *job)
{
	const struct table_style style = {
		.headings = !ls->headed,
		.color = ls->c->color_out,
		.is_tty = ls->c->out_is_tty,
	};
	int r;

	r = ls->table ? 0 : columns_table(&ls->columns, &ls->table, &style);
	if (r == 0)
		r = columns_row(&ls->columns, ls->table, job, ls->c->now_usec);
	if (r == 0 && ++ls->n_in_table >= ROWS_AT_ONCE)
		r = flush_table(ls);
	return r;
}

static int show_json(struct ls *ls, const json_t *job)
{
	_cleanup_json_ json_t *some =
		ls->some_columns ? columns_json(&ls->columns, job) : NULL;

	if (ls->some_columns && !some)
		return -ENOMEM;
	fputs(ls->n > 0 ? ",\n" : "[", stdout);
	return json_dumpf(some ? some : job, stdout, JSON_COMPACT) < 0 ? -EIO : 0;
}

static int show_job(struct ls *ls, const json_t *job)
{
	if (ls->c->json)
		return show_json(ls, job);
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
static json_t *selector_of_all(const struct ls *ls, size_t chunk)
{
	json_t *sel = selection_json(&ls->sel, chunk);

	if (sel && selection_is_absent(&ls->sel) &&
		json_put(sel, "all", json_true()) < 0) {
		json_decref(sel);
		return NULL;
	}
	return sel;
}

/* the same, of what is shown */
static json_t *selector(const struct ls *ls, size_t chunk)
{
	json_t *sel = selector_of_all(ls, chunk);

	if (sel && ls->no_services && json_put(sel, "no_services", json_true()) < 0) {
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

/* by state, or by result, which no other has */
static bool says_just_finished(const struct ls *ls)
{
	const json_t *states = json_object_get(ls->sel.filters, "states");
	const json_t *v;
	size_t i;

	if (json_object_get(ls->sel.filters, "failed") ||
		json_object_get(ls->sel.filters, "results"))
		return true;
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

static json_t *sort_keys(const struct job_sort *sort)
{
	json_t *keys = json_array();
	char text[32];

	for (size_t i = 0; keys && i < sort->n; i++) {
		snprintf(text, sizeof(text), "%s%s", sort->descends[i] ? "-" : "",
			job_sort_key_name[sort->keys[i]]);
		if (json_array_append_new(keys, json_string(text)) < 0) {
			json_decref(keys);
			return NULL;
		}
	}
	return keys;
}

/* the first of all that match, whatever their state */
static int list_sorted(struct ls *ls)
{
	json_t *params;

	if (selection_n_chunks(&ls->sel) > 1)
		return cli_fail(
			ls->c, CLI_EXIT_USAGE, "ls: --sort: too many ids for one call");
	params = json_pack(
		"{s:o, s:o}", "select", selector(ls, 0), "sort", sort_keys(&ls->sort));
	if (params && ls->limit > 0 &&
		json_put(params, "limit", json_integer((json_int_t)ls->limit)) < 0) {
		json_decref(params);
		params = NULL;
	}
	return list(ls, params);
}

/* Instances of services that are not shown: what else matches. 0, or the exit code */
static int count_services(const struct ls *ls, int64_t *ret)
{
	_cleanup_json_ json_t *reply = NULL;
	int r;

	*ret = 0;
	if (!ls->no_services)
		return 0;
	r = cli_call(ls->c, ls->client, "io.reeve.Job.List",
		json_pack("{s:o, s:i}", "select", selector_of_all(ls, 0), "limit", 0),
		&reply);
	*ret = json_int(reply, "total", 0) - ls->total;
	return r;
}

/* 0, or the exit code */
static int footer(const struct ls *ls)
{
	int64_t left_out = ls->total - ls->n, n_services;
	int r = count_services(ls, &n_services);

	if (r != 0)
		return r;
	if (ls->n == 0 && left_out <= 0)
		puts("no jobs");
	else if (left_out > 0)
		printf("%" PRId64 " more: reeve %s --limit 0\n", left_out,
			ls->c->command->name);
	if (n_services > 0)
		printf("instances of services: %" PRId64 ", see reeve service ls\n",
			n_services);
	return 0;
}

static int read_limit(struct ls *ls)
{
	const char *text = options_get(&ls->c->opts, OPT_LIMIT);

	ls->ids_only = options_has(&ls->c->opts, OPT_QUIET);
	if (text && parse_i64(&ls->limit, text, 0, INT32_MAX) < 0)
		return cli_fail(
			ls->c, CLI_EXIT_USAGE, "ls: not a number of rows: '%s'", text);
	if (!text && ls->c->out_is_tty && !ls->c->json && !ls->ids_only) {
		ls->limit = ROWS_ON_TERMINAL;
		ls->no_services = true;
	}
	return 0;
}

static int read_columns(struct ls *ls)
{
	const char *text = options_get(&ls->c->opts, OPT_COLUMNS);
	_cleanup_free_ char *why = NULL;
	int r;

	columns_default(&ls->columns, geteuid() == 0);
	ls->some_columns = text != NULL;
	if (!text)
		return 0;
	if (ls->ids_only)
		return cli_fail(
			ls->c, CLI_EXIT_USAGE, "ls: --columns does not go with -q");
	r = columns_parse(&ls->columns, text, &why);
	if (r == -EINVAL && why)
		return cli_fail(ls->c, CLI_EXIT_USAGE, "ls: --columns: %s", why);
	return r < 0 ? cli_fail_errno(ls->c, r, "ls: --columns") : 0;
}

static int read_sort(struct ls *ls)
{
	const char *text = options_get(&ls->c->opts, OPT_SORT);
	_cleanup_free_ char *why = NULL;
	int r;

	if (!text)
		return 0;
	r = job_sort_parse(&ls->sort, text, &why);
	if (r == -EINVAL && why)
		return cli_fail(ls->c, CLI_EXIT_USAGE, "ls: --sort: %s", why);
	return r < 0 ? cli_fail_errno(ls->c, r, "ls: --sort") : 0;
}

/* what was asked for, from the daemon to stdout; 0, or the exit code */
static int list_what_is_wanted(struct ls *ls)
{
	if (ls->sort.n > 0)
		return list_sorted(ls);
	return ls->limit > 0 ? list_limited(ls) : list_all(ls);
}

int cmd_ls(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	struct ls ls = {.c = c};
	int r;

	r = read_limit(&ls);
	if (r == 0)
		r = read_columns(&ls);
	if (r == 0)
		r = read_sort(&ls);
	if (r == 0)
		r = cli_select(c, &ls.sel, SELECT_OPTIONAL);
	/* unless they are meant: by their ids or names, or the pool that they have of their own */
	if (ls.sel.listed || json_object_get(ls.sel.filters, "pool"))
		ls.no_services = false;
	if (r == 0)
		r = cli_connect_for(c, &client, &ls.sel);
	ls.client = client;
	if (r == 0)
		r = list_what_is_wanted(&ls);
	if (r == 0 && flush_table(&ls) < 0)
		r = cli_fail_write(c, -EIO);
	if (r == 0 && c->json)
		fputs(ls.n > 0 ? "]\n" : "[]\n", stdout);
	else if (r == 0 && c->out_is_tty && !ls.ids_only)
		r = footer(&ls);
	table_free(ls.table);
	selection_deinit(&ls.sel);
	return r;
}
