#include "config.h"

#include "cli/wait_call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cli/cli.h"
#include "client/client.h"

/* so many are looked at for one that has a reason */
#define WHY_JOBS_MAX 10

static bool job_succeeded(const json_t *job)
{
	return STREQ(json_str(job, "result"), "succeeded");
}

static int note_told(struct wait *w, uint64_t id)
{
	if (w->n_told == w->n_told_max) {
		size_t n = w->n_told_max ? 2 * w->n_told_max : 64;
		uint64_t *v = reallocarray(w->told, n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		w->told = v;
		w->n_told_max = n;
	}
	w->told[w->n_told++] = id;
	return 0;
}

static int take_jobs(struct wait *w, const json_t *jobs)
{
	/* how those end that a pool has to lose is not what is asked */
	bool quiet = options_has(&w->c->opts, OPT_QUIET) || wait_until_is(w, "empty");
	char outcome[CLI_OUTCOME_MAX];
	json_t *job;
	size_t i;

	json_array_foreach((json_t *)jobs, i, job)
	{
		if (w->first > 0) /* the others are not what it says */
			return 0;
		if (wait_until_is(w, "any"))
			w->first = json_int(job, "id", 0);
		if (w->jobs && json_array_append(w->jobs, job) < 0)
			return -ENOMEM;
		if (note_told(w, (uint64_t)json_int(job, "id", 0)) < 0)
			return -ENOMEM;
		w->told_succeeded += job_succeeded(job);
		if (quiet || job_succeeded(job))
			continue;
		progress_hide(&w->progress);
		cli_note(w->c, "job %" PRId64 " %s", json_int(job, "id", 0),
			cli_job_outcome(outcome, sizeof(outcome), job));
	}
	return 0;
}

static int take_ids(struct wait *w, const json_t *reply)
{
	json_t *range;
	size_t i;

	w->n_in_all = (uint64_t)(json_int(reply, "waiting", 0) +
				 json_int(reply, "succeeded", 0) +
				 json_int(reply, "failed", 0));
	json_array_foreach(json_object_get(reply, "ids"), i, range)
	{
		struct job_id_range r = {(uint64_t)json_int(range, "first", 0),
			(uint64_t)json_int(range, "last", 0)};

		if (r.first < 1 || r.last < r.first)
			return -RV_EPROTOCOL;
		if (job_select_add_ids(&w->ids, r) < 0)
			return -ENOMEM;
		w->n_ids += r.last - r.first + 1;
	}
	return 0;
}

/* One that has ended and was forgotten while there was no daemon: how is not known. */
static bool is_gone(struct wait *w, const struct client_reply *reply)
{
	w->gone = w->resumed && STREQ(reply->error, "io.reeve.Job.Removed")
			  ? json_int(reply->params, "id", 0)
			  : 0;
	return w->gone > 0;
}

static void show_progress(struct wait *w, const json_t *reply)
{
	struct progress_counts counts = {
		.succeeded = w->succeeded + json_int(reply, "succeeded", 0),
		.failed = w->failed + json_int(reply, "failed", 0),
		.running = json_int(reply, "running", 0),
		.waiting = json_int(reply, "waiting", 0),
	};

	if (json_is_set(reply, "running"))
		progress_show(&w->progress, &counts);
}

/* results as wait_call */
static int take_reply(struct wait *w, const struct client_reply *reply)
{
	int r;

	if (reply->error && is_gone(w, reply))
		return -EAGAIN;
	if (reply->error) {
		progress_hide(&w->progress);
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
	w->n_reconnects = 0;
	w->patience = w->said_why ? RV_FOREVER : WAIT_PATIENCE;
	show_progress(w, reply->params);
	r = take_ids(w, reply->params);
	return r < 0 ? r : take_jobs(w, json_object_get(reply->params, "jobs"));
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void wait_sort_told(struct wait *w)
{
	if (w->n_told > 0)
		qsort(w->told, w->n_told, sizeof(*w->told), by_number);
}

/* told is sorted */
static bool is_told(const struct wait *w, uint64_t id)
{
	return w->n_told > 0 &&
	       bsearch(&id, w->told, w->n_told, sizeof(*w->told), by_number);
}

/* true: it waits for something, which was said */
static bool tell_why_of(struct wait *w, struct client *client, uint64_t id)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_json_ json_t *params =
		json_pack("{s:o}", "select", selection_of_id((int64_t)id));
	const char *why;

	if (!params || client_call(client, "io.reeve.Job.Show", params, &reply, NULL,
			       CLI_CONNECT_TIMEOUT) != 0)
		return false;
	why = json_str(reply, "why");
	if (*why)
		progress_hide(&w->progress);
	if (*why)
		cli_note(w->c, "job %" PRIu64 " waits: %s", id, why);
	return *why;
}

/* Nothing was heard for a while. On a connection of its own: on ours the answer would come
 * after the one that is waited for. */
static void tell_why(struct wait *w)
{
	_cleanup_(client_closep) struct client *client = NULL;
	unsigned n = 0;

	w->patience = RV_FOREVER; /* until there is news */
	if (client_open(&client, w->c->target.socket, CLI_CONNECT_TIMEOUT) < 0)
		return;
	wait_sort_told(w);
	for (size_t i = 0; i < w->ids.n_ids; i++)
		for (uint64_t id = w->ids.ids[i].first; id <= w->ids.ids[i].last;
			id++) {
			if (is_told(w, id))
				continue;
			w->said_why = tell_why_of(w, client, id);
			if (w->said_why || ++n == WHY_JOBS_MAX)
				return;
		}
}

/* The next reply of the call, if one comes in time. 0, 1 the last one, as wait_call */
static int next_reply(struct wait *w)
{
	struct client_message m;
	bool last;
	int r;

	r = client_next(w->client, &m, w->patience);
	if (r == 0)
		tell_why(w);
	if (r <= 0)
		return r;
	r = take_reply(w, &(struct client_reply){.params = m.params,
				  .error = m.error,
				  .continues = m.continues});
	last = !m.continues;
	client_message_deinit(&m);
	return r == 0 ? last : r;
}

void wait_forget(struct wait *w)
{
	job_select_deinit(&w->ids);
	memset(&w->ids, 0, sizeof(w->ids));
	w->n_ids = w->n_in_all = 0;
	w->n_told = 0;
	w->told_succeeded = 0;
}

int wait_call(struct wait *w, json_t *select)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:O, s:b}", "select", select, "tell_ids", 1);
	int64_t left;
	int r = params ? 0 : -ENOMEM;

	wait_forget(w);
	if (r == 0 && w->progress.on)
		r = json_put(params, "progress", json_true());
	if (r == 0 && w->until)
		r = json_put(params, "until", json_string(w->until));
	if (r == 0 && w->deadline_usec != USEC_INFINITY) {
		left = MAX(w->deadline_usec - wait_now_usec(), INT64_C(0));
		r = json_put(params, "timeout_usec", json_integer(left));
	}
	if (r == 0)
		r = client_start(
			w->client, "io.reeve.Job.Wait", params, true, RV_FOREVER);
	while (r == 0)
		r = next_reply(w);
	return r > 0 ? 0 : r;
}
