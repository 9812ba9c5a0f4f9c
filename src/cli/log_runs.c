#include "config.h"

#include "cli/log_runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "client/client.h"

struct held_run {
	int64_t run, started_usec;
	json_t *pages; /* owned */
};

struct log_runs {
	const struct cli *c;
	struct client *client;
	const json_t *params;
	json_t *select;
	const struct log_runs_ops *ops;
	int64_t wanted; /* lines */
	/* what is held, the newest run first */
	struct held_run *v;
	size_t n;
	int64_t n_lines;
	size_t bytes;
	/* of the run that is asked for */
	int64_t run;
	bool mid_line, has_data, has_lost;
	bool through; /* it is enough: pages are shown as they come */
	bool full;    /* too much to be held */
	int exit_code;
};

static void log_runs_deinit(struct log_runs *lr)
{
	for (size_t i = 0; i < lr->n; i++)
		json_decref(lr->v[i].pages);
	free(lr->v);
}

/* ---- one run ------------------------------------------------------------------------------- */

static int count_lines(struct log_runs *lr, const json_t *page)
{
	const json_t *b64 = json_object_get(page, "data_b64");
	_cleanup_free_ char *data = NULL;
	size_t n = 0;
	int r = 0;

	if (json_is_string(b64)) {
		void *bytes = NULL;

		r = base64_decode(
			&bytes, &n, json_string_value(b64), json_string_length(b64));
		data = bytes;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		lr->n_lines += data[i] == '\n';
	if (n > 0)
		lr->mid_line = data[n - 1] != '\n';
	lr->has_data |= n > 0;
	lr->has_lost |= json_int(page, "lost_bytes", 0) > 0;
	lr->bytes += json_string_length(b64);
	return 0;
}

/* what is held of the newest run, and all that comes of it now */
static int let_through(struct log_runs *lr)
{
	json_t *page;
	size_t i;
	int r = 0;

	lr->through = true;
	json_array_foreach(lr->v[0].pages, i, page)
	{
		if (r == 0)
			r = lr->ops->page(lr->ops->arg, page);
	}
	json_array_clear(lr->v[0].pages);
	return r;
}

static int hold_page(struct log_runs *lr, const json_t *page)
{
	struct held_run *h = &lr->v[lr->n - 1];
	int r = count_lines(lr, page);

	if (r < 0 || lr->full)
		return r;
	h->run = json_int(page, "run", 0);
	if (json_array_append(h->pages, (json_t *)page) < 0)
		return -ENOMEM;
	lr->full = lr->bytes > LOG_RUNS_BYTES;
	if (lr->n == 1 && (lr->full || lr->n_lines + lr->mid_line >= lr->wanted))
		return let_through(lr);
	return 0;
}

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct log_runs *lr = arg;

	if (reply->error) {
		lr->exit_code = cli_fail_reply(lr->c, reply->error, reply->params);
		return -ECANCELED;
	}
	return lr->through ? lr->ops->page(lr->ops->arg, reply->params)
			   : hold_page(lr, reply->params);
}

/* run 0: the newest. lines -1: all. 0, negative; -ECANCELED with the exit code in lr */
static int ask_run(struct log_runs *lr, int64_t run, int64_t lines)
{
	_cleanup_json_ json_t *params = json_deep_copy(lr->params);
	struct held_run *v = reallocarray(lr->v, lr->n + 1, sizeof(*v));
	int r = params && v ? 0 : -ENOMEM;

	if (v)
		lr->v = v;
	if (r == 0)
		r = json_put(params, "select", json_incref(lr->select));
	if (r == 0 && run > 0)
		r = json_put(params, "run", json_integer(run));
	if (r == 0 && lines >= 0)
		r = json_put(params, "lines", json_integer(lines));
	if (r < 0)
		return r;
	v[lr->n] = (struct held_run){.run = run, .pages = json_array()};
	if (!v[lr->n].pages)
		return -ENOMEM;
	lr->n++;
	lr->mid_line = lr->has_data = lr->has_lost = false;
	r = client_call_more(
		lr->client, "io.reeve.Job.Logs", params, take_page, lr, RV_FOREVER);
	lr->n_lines += lr->mid_line;
	return r;
}

static void drop_last(struct log_runs *lr)
{
	json_decref(lr->v[--lr->n].pages);
}

/* ---- those before it ------------------------------------------------------------------------ */

static int64_t started_of(const json_t *runs, int64_t number)
{
	json_t *run;
	size_t i;

	json_array_foreach((json_t *)runs, i, run)
	{
		if (json_int(run, "run", 0) == number)
			return json_int(run, "started_usec", 0);
	}
	return 0;
}

/* 1: it was enough, or nothing is there any more; 0, negative */
static int ask_past_run(struct log_runs *lr, const json_t *run)
{
	int64_t number = json_int(run, "run", 0);
	int r;

	if (number <= 0 || number >= lr->v[lr->n - 1].run ||
		json_int(run, "output_bytes", -1) == 0)
		return 0;
	r = ask_run(lr, number, lr->wanted - lr->n_lines);
	if (r < 0)
		return r;
	if (lr->full || !lr->has_data)
		drop_last(lr);
	else
		lr->v[lr->n - 1].started_usec = json_int(run, "started_usec", 0);
	/* what was trimmed of all went with the oldest first */
	return lr->full || lr->has_lost || lr->n_lines >= lr->wanted;
}

/* 0, or the exit code; negative as ask_run */
static int ask_past_runs(struct log_runs *lr)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *runs;
	int r = cli_call(lr->c, lr->client, "io.reeve.Job.Show",
		json_pack("{s:O}", "select", lr->select), &reply);

	if (r != 0)
		return r;
	runs = json_object_get(reply, "run_history");
	lr->v[0].started_usec = started_of(runs, lr->v[0].run);
	for (size_t n = json_array_size(runs); n-- > 0 && r == 0;)
		r = ask_past_run(lr, json_array_get(runs, n));
	return MIN(r, 0);
}

/* the oldest first. 0, negative */
static int show_held(const struct log_runs *lr)
{
	const struct log_runs_ops *ops = lr->ops;
	json_t *page;
	size_t k;
	int r = 0;

	for (size_t i = lr->n; i-- > 0 && r == 0;) {
		if (lr->n > 1)
			r = ops->begin_run(
				ops->arg, lr->v[i].run, lr->v[i].started_usec);
		json_array_foreach(lr->v[i].pages, k, page)
		{
			if (r == 0)
				r = ops->page(ops->arg, page);
		}
	}
	return r;
}

int log_runs_show(const struct cli *c, struct client *client, const json_t *params,
	json_t *select, int64_t lines, const struct log_runs_ops *ops)
{
	_cleanup_(log_runs_deinit) struct log_runs lr = {.c = c,
		.client = client,
		.params = params,
		.select = select,
		.ops = ops,
		.wanted = lines >= 0 ? lines : LOG_RUNS_LINES};
	int r = ask_run(&lr, 0, lines);

	if (r == 0 && !lr.through && lr.v[0].run > 1)
		r = ask_past_runs(&lr);
	if (r == 0)
		r = show_held(&lr);
	if (r == -ECANCELED)
		return lr.exit_code;
	if (r == -EIO)
		return cli_fail_write(c, r);
	return r < 0 ? cli_fail_lost(c, r) : r;
}
