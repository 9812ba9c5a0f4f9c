/* `logs`: the output of jobs, as it is. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/select.h"
#include "client/client.h"
#include "job/state.h"

struct logs {
	const struct cli *c;
	json_t *params; /* what goes with every selector; owned */
	bool follow;
	int64_t run; /* that is asked for; 0: the newest */
	size_t n_shown;
	int exit_code; /* of an error that was printed */
};

static int write_page(const json_t *page)
{
	const json_t *b64 = json_object_get(page, "data_b64");
	_cleanup_free_ void *data = NULL;
	size_t n;
	int r;

	if (!json_is_string(b64))
		return 0;
	r = base64_decode(&data, &n, json_string_value(b64), json_string_length(b64));
	if (r < 0)
		return r;
	return fwrite(data, 1, n, stdout) == n ? 0 : -EIO;
}

static int fail_no_run(const struct logs *l, int64_t id)
{
	return cli_fail(l->c, CLI_EXIT_NOTHING,
		"logs: job %" PRId64 " has no run %" PRId64, id, l->run);
}

/* A run that printed nothing and one that never was have the same log. 0, or the exit
 * code */
static int check_run(const struct logs *l, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *job;
	int r;

	r = cli_call(l->c, client, "io.reeve.Job.List",
		json_pack("{s:O, s:i}", "select", select, "limit", 1), &reply);
	job = json_array_get(json_object_get(reply, "jobs"), 0);
	/* who follows waits also for a run to come */
	if (l->follow && !STREQ(json_str(job, "state"), job_state_name[JOB_FINISHED]))
		return r;
	if (r == 0 && job && json_int(job, "runs", 0) < l->run)
		r = fail_no_run(l, json_int(job, "id", 0));
	return r;
}

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct logs *l = arg;
	int64_t lost;
	int r;

	if (reply->error) {
		l->exit_code = cli_fail_reply(l->c, reply->error, reply->params);
		return -ECANCELED;
	}
	/* where none such came, an empty page of the last one says so */
	if (l->run > 0 && json_int(reply->params, "run", l->run) != l->run) {
		l->exit_code = fail_no_run(l, json_int(reply->params, "id", 0));
		return -ECANCELED;
	}
	if (l->c->json) {
		r = json_print(stdout, reply->params, false);
	} else {
		lost = json_int(reply->params, "lost_bytes", 0);
		if (lost > 0)
			cli_note(l->c,
				"%" PRId64 " bytes before this were trimmed "
				"(output-max, output-total-max)",
				lost);
		r = write_page(reply->params);
	}
	/* who follows wants to see it now */
	if (r == 0 && l->follow && fflush(stdout) != 0)
		r = -EIO;
	return r;
}

/* 0, or the exit code */
static int show_logs(struct logs *l, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *params = json_deep_copy(l->params);
	int r;

	if (!params || !select || json_put(params, "select", select) < 0)
		return cli_fail_errno(l->c, -ENOMEM, "logs");
	r = l->run > 0 ? check_run(l, client, select) : 0;
	if (r != 0)
		return r;
	r = client_call_more(
		client, "io.reeve.Job.Logs", params, take_page, l, RV_FOREVER);
	if (r == -ECANCELED)
		return l->exit_code;
	if (r == -EIO)
		return cli_fail_errno(l->c, r, "cannot write");
	return r < 0 ? cli_fail_lost(l->c, r) : 0;
}

static int show_job(struct logs *l, struct client *client, const json_t *job)
{
	json_int_t id = json_int(job, "id", 0);

	if (!l->c->json)
		printf("%s==> job %" PRId64 " <==\n", l->n_shown > 0 ? "\n" : "",
			(int64_t)id);
	l->n_shown++;
	return show_logs(l, client,
		json_pack("{s:[{s:I, s:I}]}", "ids", "first", id, "last", id));
}

/* Several jobs: one after the other, under headings. */
static int show_many(struct logs *l, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *params = json_pack("{s:o}", "select", select), *job, *jobs;
	int64_t next = 0;
	size_t i;
	int r;

	if (!params)
		return cli_fail_errno(l->c, -ENOMEM, "logs");
	do {
		json_decref(reply);
		reply = NULL;
		r = cli_call(l->c, client, "io.reeve.Job.List",
			next > 0 ? json_pack("{s:O, s:I}", "select",
					   json_object_get(params, "select"), "from_id",
					   (json_int_t)next)
				 : json_incref(params),
			&reply);
		jobs = json_object_get(reply, "jobs");
		json_array_foreach(jobs, i, job)
		{
			if (r != 0)
				break;
			r = show_job(l, client, job);
		}
		next = json_int(reply, "next_id", 0);
	} while (r == 0 && next > 0);
	json_decref(params);
	if (r == 0 && l->n_shown == 0)
		return cli_fail(l->c, CLI_EXIT_NOTHING, "logs: no job matches");
	return r;
}

/* the options into l->params. 0, or the exit code */
static int read_options(struct logs *l)
{
	const struct options *o = &l->c->opts;
	const char *lines = options_get(o, OPT_LINES), *run = options_get(o, OPT_RUN);
	const char *stream = options_get(o, OPT_STREAM);
	int64_t n;
	int r = l->params ? 0 : -ENOMEM;

	l->follow = options_has(o, OPT_FOLLOW);
	if (r == 0 && l->follow)
		r = json_put(l->params, "follow", json_true());
	if (r == 0 && lines) {
		if (parse_i64(&n, lines, 0, INT64_MAX) < 0)
			return cli_fail(l->c, CLI_EXIT_USAGE,
				"logs: not a number of lines: '%s'", lines);
		r = json_put(l->params, "lines", json_integer(n));
	}
	if (r == 0 && run) {
		if (parse_i64(&l->run, run, 1, INT32_MAX) < 0)
			return cli_fail(
				l->c, CLI_EXIT_USAGE, "logs: not a run: '%s'", run);
		r = json_put(l->params, "run", json_integer(l->run));
	}
	if (r == 0 && stream) {
		if (!STREQ(stream, "all") && !STREQ(stream, "stdout") &&
			!STREQ(stream, "stderr"))
			return cli_fail(l->c, CLI_EXIT_USAGE,
				"logs: --stream is all, stdout, or stderr");
		r = json_put(l->params, "stream", json_string(stream));
	}
	return r < 0 ? cli_fail_errno(l->c, r, "logs") : 0;
}

int cmd_logs(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *params = json_object();
	struct logs l = {.c = c, .params = params};
	bool single;
	int r;

	r = read_options(&l);
	if (r == 0)
		r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r != 0)
		return r;
	single = selection_is_absent(&sel) || selection_is_single(&sel);
	if (l.follow && !single)
		return cli_fail(c, CLI_EXIT_USAGE, "logs: --follow takes one job");
	r = cli_connect(c, &client);
	if (r != 0)
		return r;
	if (selection_is_absent(&sel))
		return show_logs(&l, client, json_pack("{s:b}", "newest", 1));
	if (single)
		return show_logs(&l, client, selection_json(&sel, 0));
	for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
		r = show_many(&l, client, selection_json(&sel, i));
	return r;
}
