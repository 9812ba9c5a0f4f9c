/* `wait`: until jobs are finished; the exit code says whether all succeeded. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/select.h"
#include "client/client.h"

struct wait {
	const struct cli *c;
	int64_t deadline_usec; /* monotonic; USEC_INFINITY: none */
	int64_t waiting, succeeded, failed;
	bool timed_out;
	bool must_match; /* something was named: nothing is not success then */
	json_t *jobs;    /* with --json: all that were told; owned */
	int exit_code;   /* of an error that was printed */
};

static bool job_succeeded(const json_t *job)
{
	return STREQ(json_str(job, "result"), "succeeded");
}

static int take_jobs(struct wait *w, const json_t *jobs)
{
	bool quiet = options_has(&w->c->opts, OPT_QUIET);
	char outcome[128];
	json_t *job;
	size_t i;

	json_array_foreach((json_t *)jobs, i, job)
	{
		if (w->jobs && json_array_append(w->jobs, job) < 0)
			return -ENOMEM;
		if (quiet || job_succeeded(job))
			continue;
		cli_note(w->c, "job %" PRId64 " %s", json_int(job, "id", 0),
			cli_job_outcome(outcome, sizeof(outcome), job));
	}
	return 0;
}

/* client_reply_fn */
static int take_reply(void *arg, const struct client_reply *reply)
{
	struct wait *w = arg;

	if (reply->error) {
		w->exit_code = cli_fail_reply(w->c, reply->error, reply->params);
		return -ECANCELED;
	}
	if (!reply->continues) {
		w->waiting += json_int(reply->params, "waiting", 0);
		w->succeeded += json_int(reply->params, "succeeded", 0);
		w->failed += json_int(reply->params, "failed", 0);
		w->timed_out |=
			json_is_true(json_object_get(reply->params, "timed_out"));
	}
	return take_jobs(w, json_object_get(reply->params, "jobs"));
}

static int64_t now_usec(void)
{
	return rv_now() / 1000;
}

/* 0, or the exit code */
static int wait_chunk(struct wait *w, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *params = json_pack("{s:o*}", "select", select);
	int64_t left;
	int r = params ? 0 : -ENOMEM;

	if (r == 0 && w->deadline_usec != USEC_INFINITY) {
		left = MAX(w->deadline_usec - now_usec(), INT64_C(0));
		r = json_put(params, "timeout_usec", json_integer(left));
	}
	if (r == 0)
		r = client_call_more(
			client, "io.reeve.Job.Wait", params, take_reply, w, RV_FOREVER);
	if (r == -ECANCELED)
		return w->exit_code;
	return r < 0 ? cli_fail_lost(w->c, r) : 0;
}

static int report(const struct wait *w)
{
	if (w->c->json) {
		_cleanup_json_ json_t *o = json_pack("{s:I, s:I, s:I, s:b, s:O}",
			"waiting", (json_int_t)w->waiting, "succeeded",
			(json_int_t)w->succeeded, "failed", (json_int_t)w->failed,
			"timed_out", (int)w->timed_out, "jobs", w->jobs);

		if (o)
			json_print(stdout, o, false);
	}
	if (w->timed_out)
		return CLI_EXIT_TIMED_OUT;
	if (w->must_match && w->failed == 0 && w->succeeded == 0)
		return cli_fail(w->c, CLI_EXIT_NOTHING, "wait: no job matches");
	return w->failed > 0 ? CLI_EXIT_SOME : CLI_EXIT_OK;
}

int cmd_wait(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *jobs = c->json ? json_array() : NULL;
	struct wait w = {.c = c, .deadline_usec = USEC_INFINITY, .jobs = jobs};
	const char *timeout = options_get(&c->opts, OPT_TIMEOUT);
	int64_t usec;
	int r;

	if (timeout && duration_parse(&usec, timeout) < 0)
		return cli_fail(
			c, CLI_EXIT_USAGE, "wait: not a duration: '%s'", timeout);
	if (timeout && usec < USEC_INFINITY - now_usec())
		w.deadline_usec = now_usec() + usec;
	r = cli_select(c, &sel, SELECT_OPTIONAL);
	w.must_match = !selection_is_absent(&sel) && !options_has(&c->opts, OPT_ALL);
	if (r == 0)
		r = cli_connect(c, &client);
	if (r == 0 && selection_is_absent(&sel))
		r = wait_chunk(&w, client, NULL);
	else
		for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
			r = wait_chunk(&w, client, selection_json(&sel, i));
	return r != 0 ? r : report(&w);
}
