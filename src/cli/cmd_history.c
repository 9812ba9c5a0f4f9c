/* `history`: runs that have ended, the last one first. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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

#define ROWS_ON_TERMINAL 50
/* most that the daemon puts into the order of their ends */
#define RUNS_MAX 10000

struct history {
	const struct cli *c;
	struct table *table; /* NULL with --json */
	int64_t n, total;
	int exit_code; /* of an error that was printed */
};

enum {
	COL_JOB,
	COL_RUN,
	COL_NAME,
	COL_RESULT,
	COL_ENDED,
	COL_TOOK,
	COL_CPU,
	COL_MEMORY,
	N_COLS
};

static const struct table_column columns[N_COLS] = {
	[COL_JOB] = {"JOB", TABLE_RIGHT},
	[COL_RUN] = {"RUN", TABLE_RIGHT},
	[COL_NAME] = {"NAME", TABLE_CUT},
	[COL_RESULT] = {"RESULT", 0},
	[COL_ENDED] = {"ENDED", 0},
	[COL_TOOK] = {"TOOK", TABLE_RIGHT},
	[COL_CPU] = {"CPU", TABLE_RIGHT},
	[COL_MEMORY] = {"MEMORY", TABLE_RIGHT},
};

static int add_row(struct table *t, const json_t *past)
{
	const json_t *run = json_object_get(past, "run");
	int64_t user = json_int(run, "cpu_user_usec", -1);
	int64_t system = json_int(run, "cpu_system_usec", 0);
	char id[24], no[24], outcome[CLI_OUTCOME_MAX], ended[TIME_TEXT_MAX];
	char took[TIME_TEXT_MAX], cpu[TIME_TEXT_MAX], memory[32] = "-";
	const char *cells[N_COLS] = {[COL_JOB] = id,
		[COL_RUN] = no,
		[COL_NAME] = *json_str(past, "name") ? json_str(past, "name") : NULL,
		[COL_RESULT] = outcome,
		[COL_ENDED] = ended,
		[COL_TOOK] = took,
		[COL_CPU] = cpu,
		[COL_MEMORY] = memory};
	int r;

	snprintf(id, sizeof(id), "%" PRId64, json_int(past, "id", 0));
	snprintf(no, sizeof(no), "%" PRId64, json_int(run, "run", 0));
	if (json_is_set(run, "step"))
		snprintf(outcome, sizeof(outcome), "not started, %s: %s",
			json_str(run, "step"), json_str(run, "error"));
	else
		cli_job_outcome(outcome, sizeof(outcome), run);
	time_format(ended, sizeof(ended), json_int(run, "finished_usec", 0));
	time_format_span(took, sizeof(took), json_int(run, "elapsed_usec", -1));
	time_format_span(cpu, sizeof(cpu), user < 0 ? -1 : user + system);
	if (json_is_set(run, "memory_max_bytes"))
		text_size(memory, sizeof(memory), json_int(run, "memory_max_bytes", 0));
	r = table_row(t);
	for (size_t i = 0; r == 0 && i < N_COLS; i++)
		r = table_cell(t, i, cells[i], NULL);
	return r;
}

static int print_json(const struct history *h, const json_t *past)
{
	fputs(h->n == 0 ? "[" : ",", stdout);
	return json_print(stdout, past, false);
}

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct history *h = arg;
	const json_t *past;
	size_t i;
	int r = 0;

	if (reply->error) {
		h->exit_code = cli_fail_reply(h->c, reply->error, reply->params);
		return -ECANCELED;
	}
	h->total = json_int(reply->params, "total", 0);
	json_array_foreach(json_object_get(reply->params, "runs"), i, past)
	{
		r = h->table ? add_row(h->table, past) : print_json(h, past);
		if (r < 0)
			return r;
		h->n++;
	}
	return 0;
}

static int finish(struct history *h)
{
	int64_t more = h->total - h->n;

	if (!h->table)
		fputs(h->n > 0 ? "]\n" : "[]\n", stdout);
	else if (h->n > 0 && table_print(h->table, stdout) < 0)
		return cli_fail_write(h->c, -EIO);
	if (more > 0)
		cli_note(h->c, "%" PRId64 " earlier run%s: --limit, or a selector",
			more, text_plural(more));
	else if (h->n == 0 && h->table && h->c->out_is_tty)
		puts("no runs");
	return 0;
}

static int show(struct history *h, struct client *client, json_t *params)
{
	int r = client_call_more(
		client, "io.reeve.Job.History", params, take_page, h, RV_FOREVER);

	if (r == -ECANCELED)
		return h->exit_code;
	if (r == -EIO)
		return cli_fail_write(h->c, r);
	return r < 0 ? cli_fail_lost(h->c, r) : finish(h);
}

int cmd_history(struct cli *c)
{
	const char *text = options_get(&c->opts, OPT_LIMIT);
	const struct table_style style = {
		.headings = true, .color = c->color_out, .is_tty = c->out_is_tty};
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_json_ json_t *params = NULL;
	struct history h = {.c = c};
	int64_t limit = c->out_is_tty && !c->json ? ROWS_ON_TERMINAL : RUNS_MAX;
	int r;

	if (text && parse_i64(&limit, text, 1, RUNS_MAX) < 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"history: --limit is a number of runs up to %d, not '%s'",
			RUNS_MAX, text);
	params = json_pack("{s:I}", "limit", (json_int_t)limit);
	r = params ? cli_connect_once(c, &client, &sel, params)
		   : cli_fail_errno(c, -ENOMEM, "history");
	if (r != 0)
		return r;
	if (!c->json && table_new(&table, columns, N_COLS, &style) < 0)
		return cli_fail_errno(c, -ENOMEM, "history");
	h.table = table;
	return show(&h, client, params);
}
