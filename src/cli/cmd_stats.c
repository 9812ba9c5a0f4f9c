/* `stats`: how jobs ended, and how long they waited and ran, per pool and in all. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/time.h"
#include "client/client.h"
#include "job/state.h"

struct stats {
	const struct cli *c;
	json_t *all, *pools; /* owned */
	int exit_code;       /* of an error that was printed */
};

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct stats *s = arg;

	if (reply->error) {
		s->exit_code = cli_fail_reply(s->c, reply->error, reply->params);
		return -ECANCELED;
	}
	json_decref(s->all);
	s->all = json_incref(json_object_get(reply->params, "all"));
	return json_array_extend(s->pools, json_object_get(reply->params, "pools")) < 0
		       ? -ENOMEM
		       : 0;
}

static int add_row(struct table *t, const char *name, const json_t *s)
{
	static const char *const times[] = {
		"wait_mean_usec", "wait_p95_usec", "run_mean_usec", "run_p95_usec"};
	char text[TIME_TEXT_MAX];
	size_t column = 0;
	int r = table_row(t);

	if (r == 0)
		r = table_cell(t, column++, name, NULL);
	for (int i = JOB_RESULT_NONE + 1; i < JOB_RESULT_N && r == 0; i++) {
		snprintf(text, sizeof(text), "%" PRId64,
			json_int(s, job_result_name[i], 0));
		r = table_cell(t, column++, text, NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(times) && r == 0; i++)
		r = table_cell(t, column++,
			time_format_span(text, sizeof(text), json_int(s, times[i], -1)),
			NULL);
	snprintf(text, sizeof(text), "%" PRId64, json_int(s, "last_hour", 0));
	return r < 0 ? r : table_cell(t, column, text, NULL);
}

static int print(const struct stats *s)
{
	static const struct table_column columns[] = {{"POOL", 0},
		{"SUCCEEDED", TABLE_RIGHT}, {"FAILED", TABLE_RIGHT},
		{"TIMEOUT", TABLE_RIGHT}, {"CANCELLED", TABLE_RIGHT},
		{"SKIPPED", TABLE_RIGHT}, {"LOST", TABLE_RIGHT}, {"WAIT", TABLE_RIGHT},
		{"95%", TABLE_RIGHT}, {"RUN", TABLE_RIGHT}, {"95%", TABLE_RIGHT},
		{"LAST HOUR", TABLE_RIGHT}};
	const struct table_style style = {
		.headings = true, .color = s->c->color_out, .is_tty = s->c->out_is_tty};
	_cleanup_(table_freep) struct table *t = NULL;
	const json_t *pool;
	size_t i;
	int r;

	r = table_new(&t, columns, ARRAY_LEN(columns), &style);
	json_array_foreach(s->pools, i, pool)
	{
		if (r == 0)
			r = add_row(t, json_str(pool, "pool"), pool);
	}
	if (r == 0)
		r = add_row(t, "(all)", s->all);
	return r < 0 ? r : table_print(t, stdout);
}

static int report(const struct stats *s)
{
	_cleanup_json_ json_t *o = NULL;
	int r;

	if (!s->c->json) {
		r = print(s);
	} else {
		o = json_pack("{s:O, s:O}", "all", s->all, "pools", s->pools);
		r = o ? json_print(stdout, o, false) : -ENOMEM;
	}
	return r < 0 ? cli_fail_write(s->c, r) : 0;
}

int cmd_stats(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *params = json_object();
	struct stats s = {.c = c, .pools = json_array()};
	int r;

	if (!params || !s.pools)
		r = cli_fail_errno(c, -ENOMEM, "stats");
	else
		r = cli_connect_once(c, &client, &sel, params);
	if (r == 0) {
		r = client_call_more(client, "io.reeve.Job.Stats", params, take_page,
			&s, RV_FOREVER);
		r = r == -ECANCELED ? s.exit_code
		    : r < 0         ? cli_fail_lost(c, r)
				    : report(&s);
	}
	json_decref(s.all);
	json_decref(s.pools);
	return r;
}
