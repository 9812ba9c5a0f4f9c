#include "config.h"

#include "cli/gather.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/select.h"
#include "cli/text.h"
#include "client/client.h"

void gather_deinit(struct gather *g)
{
	client_close(g->waiter);
	client_close(g->control);
	free(g->jobs);
	free(g->by_id);
}

/* ---- by id ---------------------------------------------------------------------------- */

static int compare(const void *a, const void *b, void *arg)
{
	const struct gather_job *jobs = arg;
	uint64_t x = jobs[*(const size_t *)a].id, y = jobs[*(const size_t *)b].id;

	return x < y ? -1 : x > y;
}

/* All jobs into by_id; those of a later call of Submit mostly have higher ids. */
static void note_by_id(struct gather *g)
{
	bool in_order = true;

	for (; g->n_by_id < g->n; g->n_by_id++) {
		size_t i = g->n_by_id;

		in_order &= i == 0 || g->jobs[g->by_id[i - 1]].id < g->jobs[i].id;
		g->by_id[i] = i;
	}
	if (in_order)
		return;
	qsort_r(g->by_id, g->n, sizeof(*g->by_id), compare, g->jobs);
	/* one of those that came late may be below asked_last, and not asked for */
	g->looks_later = true;
	g->waiter = client_close(g->waiter);
}

static struct gather_job *find(struct gather *g, uint64_t id)
{
	size_t low = 0, high = g->n_by_id;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct gather_job *j = &g->jobs[g->by_id[middle]];

		if (j->id == id)
			return j;
		if (j->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Those that have not ended, whoever's they are. 0, -ENOMEM */
static int select_rest(const struct gather *g, struct selection *ret)
{
	int r;

	*ret = (struct selection)SELECTION_NULL;
	ret->listed = true;
	ret->filters = json_pack("{s:s}", "user", "*");
	r = ret->filters ? 0 : -ENOMEM;
	for (size_t i = 0; i < g->n && r == 0; i++) {
		uint64_t id = g->jobs[i].id;

		if (!g->jobs[i].ended)
			r = job_select_add_ids(
				&ret->ids, (struct job_id_range){id, id});
	}
	selection_finish(ret);
	return r;
}

/* ---- to all of them ------------------------------------------------------------------- */

/* On a connection of its own, as one may be in the middle of a call. That one just ended is
 * no error; who cannot be reached hears it again when he is back. */
static void tell_rest(struct gather *g, const char *method, const char *signal)
{
	_cleanup_(selection_deinit) struct selection rest;
	_cleanup_(client_closep) struct client *client = NULL;

	if (select_rest(g, &rest) < 0 ||
		client_open(&client, g->c->target.socket, CLI_CONNECT_TIMEOUT) < 0)
		return;
	for (size_t i = 0; i < selection_n_chunks(&rest); i++) {
		_cleanup_json_ json_t *params =
			json_pack("{s:o}", "select", selection_json(&rest, i));

		if (params && signal)
			json_put(params, "signal", json_string(signal));
		if (params)
			client_call(client, method, params, NULL, NULL,
				CLI_CONNECT_TIMEOUT);
	}
}

void gather_cancel(struct gather *g)
{
	g->cancelled = true;
	tell_rest(g, "io.reeve.Job.Cancel", NULL);
}

void gather_interrupted(void *arg)
{
	struct gather *g = arg;
	struct signalfd_siginfo info;
	size_t left = g->n - g->n_ended;

	if (read(g->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (g->n_interrupts++ > 0) {
		tell_rest(g, "io.reeve.Job.Kill", "KILL");
		return;
	}
	progress_hide(&g->progress);
	if (g->c->err_is_tty && !options_has(&g->c->opts, OPT_QUIET))
		cli_note(g->c, "cancelling %zu job%s, Ctrl-C again kills", left,
			text_plural((int64_t)left));
	gather_cancel(g);
}

/* ---- ends ----------------------------------------------------------------------------- */

static void note_end(struct gather *g, struct gather_job *j, bool succeeded)
{
	j->ended = true;
	j->succeeded = succeeded;
	g->n_ended++;
	g->n_succeeded += succeeded;
}

static void cancel_rest(struct gather *g, const char *outcome, uint64_t id)
{
	bool first = !g->keep_going && !g->cancelled;
	size_t left = g->n - g->n_ended;

	g->has_failed |= first;
	progress_hide(&g->progress);
	if (!options_has(&g->c->opts, OPT_QUIET))
		cli_note(g->c, "job %" PRIu64 " %s%s", id, outcome,
			first && left > 0 ? ", cancelling the rest" : "");
	if (first && left > 0)
		gather_cancel(g);
}

static void take_job(struct gather *g, const json_t *job)
{
	struct gather_job *j = find(g, (uint64_t)json_int(job, "id", 0));
	const char *result = json_str(job, "result");
	char outcome[CLI_OUTCOME_MAX];

	if (!j || j->ended)
		return;
	note_end(g, j, STREQ(result, "succeeded"));
	if (j->succeeded)
		return;
	if (STREQ(result, "cancelled")) {
		g->n_cancelled++;
		if (g->cancelled)
			return; /* as we wanted */
	}
	cancel_rest(g, cli_job_outcome(outcome, sizeof(outcome), job), j->id);
}

static void take_gone(struct gather *g, struct gather_job *j)
{
	note_end(g, j, false);
	cancel_rest(g, "was removed", j->id);
}

/* The call is over, so the daemon does not know those that it did not tell of. */
static void take_last(struct gather *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct gather_job *j = &g->jobs[g->by_id[i]];

		if (j->id > g->asked_last)
			return;
		if (!j->ended)
			take_gone(g, j);
	}
}

/* ---- the wait ------------------------------------------------------------------------- */

static int start_wait(struct gather *g)
{
	_cleanup_(selection_deinit) struct selection rest;
	_cleanup_json_ json_t *params = NULL;
	json_t *select;
	const json_t *ids;
	int r;

	r = select_rest(g, &rest);
	if (r < 0)
		return r;
	select = selection_json(&rest, 0); /* when that is over the next one */
	params = json_pack(
		"{s:o, s:b}", "select", select, "progress", (int)g->progress.on);
	if (!params)
		return -ENOMEM;
	ids = json_object_get(select, "ids");
	g->asked_last = (uint64_t)json_int(
		json_array_get(ids, json_array_size(ids) - 1), "last", 0);
	g->n_asked = g->n;
	g->is_waiting = true;
	return client_start(g->waiter, "io.reeve.Job.Wait", params, true, RV_FOREVER);
}

/* where only output is left */
static int open_idle(struct gather *g)
{
	int r = client_open(&g->waiter, g->c->target.socket, CLI_CONNECT_TIMEOUT);

	return r == -ENOENT || r == -ECONNREFUSED ? -ECONNRESET : r;
}

static int open_waiter(struct gather *g)
{
	int r = open_idle(g);

	return r < 0 ? r : start_wait(g);
}

/* -ECANCELED: refused, and told */
static int take_error(struct gather *g, const struct client_message *m, int *ret_code)
{
	struct gather_job *j = find(g, (uint64_t)json_int(m->params, "id", 0));

	if (j && !j->ended &&
		(STREQ(m->error, "io.reeve.Job.Removed") ||
			STREQ(m->error, "io.reeve.Job.NotFound"))) {
		take_gone(g, j);
		return 0;
	}
	progress_hide(&g->progress);
	*ret_code = cli_fail_reply(g->c, m->error, m->params);
	return -ECANCELED;
}

static void show_progress(struct gather *g, int64_t running)
{
	struct progress_counts counts = {
		.succeeded = (int64_t)g->n_succeeded,
		.failed = (int64_t)(g->n_ended - g->n_succeeded),
		.running = running,
		.waiting = (int64_t)(g->n - g->n_ended),
	};

	progress_show(&g->progress, &counts);
}

static int take_wait(struct gather *g, int *ret_code)
{
	int r = 0;

	while (g->n_ended < g->n) {
		struct client_message m;
		json_t *job;
		size_t i;

		r = client_next(g->waiter, &m, 0);
		if (r <= 0)
			return r;
		r = 0;
		g->n_reconnects = 0;
		if (m.error)
			r = take_error(g, &m, ret_code);
		json_array_foreach(json_object_get(m.params, "jobs"), i, job)
			take_job(g, job);
		g->is_waiting = m.continues;
		if (!m.continues && !m.error)
			take_last(g);
		if (json_is_set(m.params, "running"))
			show_progress(g, json_int(m.params, "running", 0));
		if (!m.continues && r == 0 && g->n_ended < g->n)
			r = start_wait(g);
		client_message_deinit(&m);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- while they are submitted ----------------------------------------------------------- */

/* Has one of those that are submitted failed, as far as the daemon has told? It is asked
 * again for all of them when they have doubled. What goes wrong here is seen again when all
 * are submitted. */
static bool has_failure(struct gather *g)
{
	int code, r = 0;

	if (g->keep_going || g->looks_later || g->n_ended == g->n)
		return g->has_failed;
	if (g->waiter && g->n / 2 > g->n_asked)
		g->waiter = client_close(g->waiter);
	if (!g->waiter)
		r = open_waiter(g);
	else if (!g->is_waiting)
		r = start_wait(g);
	if (r == 0)
		r = take_wait(g, &code);
	if (r < 0) {
		g->looks_later = true;
		g->waiter = client_close(g->waiter);
	}
	return g->has_failed;
}

static int make_room(struct gather *g, size_t n)
{
	size_t n_max = MAX(2 * g->n_max, g->n + n);
	struct gather_job *jobs;
	size_t *by_id;

	if (g->n + n <= g->n_max)
		return 0;
	jobs = reallocarray(g->jobs, n_max, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	g->jobs = jobs;
	by_id = reallocarray(g->by_id, n_max, sizeof(*by_id));
	if (!by_id)
		return -ENOMEM;
	g->by_id = by_id;
	g->n_max = n_max;
	return 0;
}

int gather_take_ids(void *arg, const json_t *ids)
{
	struct gather *g = arg;
	bool had_failure = g->has_failed;
	json_t *id;
	size_t i;

	if (make_room(g, json_array_size(ids)) < 0)
		return -ENOMEM;
	json_array_foreach((json_t *)ids, i, id)
	{
		if (json_integer_value(id) <= 0)
			return -RV_EPROTOCOL;
		g->jobs[g->n++] =
			(struct gather_job){.id = (uint64_t)json_integer_value(id)};
	}
	note_by_id(g);
	if (had_failure)
		gather_cancel(g); /* these were under way */
	return has_failure(g);
}

/* One round: what has come, what may be shown, and a wait for more. 1 when all was shown. */
static int step(struct gather *g, int *ret_code)
{
	struct pollfd fds[] = {{.fd = g->signal_fd, .events = POLLIN},
		{.fd = client_fd(g->waiter), .events = POLLIN}};
	int r;

	r = take_wait(g, ret_code);
	while (r == 0 && g->n_shown < g->n && g->jobs[g->n_shown].ended) {
		progress_hide(&g->progress);
		r = gather_show(g, g->n_shown);
		if (r < 0)
			return r;
		g->n_shown++;
		r = take_wait(g, ret_code);
	}
	if (r < 0)
		return r;
	if (g->n_shown == g->n)
		return 1;
	r = poll(fds, ARRAY_LEN(fds), -1);
	if (r < 0 && errno != EINTR)
		return -errno;
	if (r > 0 && fds[0].revents)
		gather_interrupted(g);
	return 0;
}

/* A daemon that is started again takes the jobs over; we go on where we were. */
static int reconnect(struct gather *g)
{
	int r;

	progress_hide(&g->progress);
	g->waiter = client_close(g->waiter);
	if (g->n_reconnects++ >= CLI_RECONNECTS_MAX ||
		cli_reconnect(g->c, &g->control, RV_FOREVER) < 0)
		return -ENOTCONN;
	if (g->n_ended == g->n)
		return open_idle(g);
	r = open_waiter(g);
	if (r == 0 && g->cancelled)
		gather_cancel(g); /* the one that it was told is gone */
	return r;
}

int gather_follow(struct gather *g, struct client *control, int *ret_code)
{
	int r;

	signal(SIGPIPE, SIG_IGN); /* told apart: our reader is gone, not the daemon */
	g->control = control;
	progress_init(&g->progress, g->c);
	r = gather_show_begin(g);
	g->waiter = client_close(g->waiter); /* it was for those known by then */
	if (r == 0 && g->n_ended == g->n)
		r = open_idle(g);
	else if (r == 0)
		r = open_waiter(g);
	while (r == 0 || (r == -ECONNRESET && g->write_error == 0))
		r = r == 0 ? step(g, ret_code) : reconnect(g);
	progress_hide(&g->progress);
	return r < 0 ? r : gather_show_end(g);
}
