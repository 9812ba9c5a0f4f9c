/* The method History: runs that have ended, the last one first, over many jobs. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/job_json.h"
#include "reeve/executor.h"
#include "reeve/task.h"
#include "store/store.h"
#include "varlink/json_write.h"

enum {
	RUNS_DEFAULT = 1000, /* told when no limit is given */
	RUNS_MAX = 10000,
	JOBS_AT_ONCE = 500, /* looked up by one call of a worker */
	RUN_BYTES = 8192,   /* of one as JSON */
};

struct history {
	struct core *core;
	struct store *store;
	size_t limit;
	struct store_run *runs; /* reason and step are owned */
	size_t n, n_max;
	size_t n_told;
	int64_t total;
	/* for the worker */
	const uint64_t *ids;
	size_t n_ids;
};

/* the last one first */
static int by_end(const void *a, const void *b)
{
	const struct store_run *x = a, *y = b;

	if (x->ended_usec != y->ended_usec)
		return x->ended_usec < y->ended_usec ? 1 : -1;
	if (x->token.job_id != y->token.job_id)
		return x->token.job_id < y->token.job_id ? 1 : -1;
	return x->token.run < y->token.run ? 1 : -1;
}

static void drop_run(struct store_run *run)
{
	free((char *)run->reason);
	free((char *)run->step);
}

/* only those that will be told */
static void cut(struct history *h)
{
	if (h->n > 1)
		qsort(h->runs, h->n, sizeof(*h->runs), by_end);
	while (h->n > h->limit)
		drop_run(&h->runs[--h->n]);
}

static int copy_text(const char **text)
{
	if (!*text)
		return 0;
	*text = strdup(*text);
	return *text ? 0 : -ENOMEM;
}

/* in a worker */
static int take_run(const struct store_run *rec, void *arg)
{
	struct history *h = arg;
	struct store_run run = *rec;

	if (!rec->ended_usec)
		return 0;
	h->total++;
	if (h->n == h->n_max)
		cut(h);
	run.output = run.value = NULL;
	if (copy_text(&run.reason) < 0)
		return -ENOMEM;
	if (copy_text(&run.step) < 0) {
		free((char *)run.reason);
		return -ENOMEM;
	}
	h->runs[h->n++] = run;
	return 0;
}

static int take_jobs(void *arg)
{
	struct history *h = arg;
	int r = 0;

	for (size_t i = 0; i < h->n_ids && r >= 0; i++)
		r = store_runs(h->store, h->ids[i], take_run, h);
	return r;
}

/* Those that have run; many are looked up in pieces, so that the call can be cancelled. */
static int collect(struct history *h, struct selection *sel)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < sel->n_ids; i++) {
		const struct job *j = jobs_find(h->core->jobs, sel->ids[i]);

		if (j && j->n_runs > 0)
			sel->ids[n++] = j->id;
	}
	for (size_t at = 0; at < n && r >= 0; at += JOBS_AT_ONCE) {
		h->ids = sel->ids + at;
		h->n_ids = MIN(n - at, (size_t)JOBS_AT_ONCE);
		r = rv_run_blocking(h->core->io, take_jobs, h);
	}
	if (r >= 0)
		cut(h);
	return r;
}

static void put_run(
	struct history *h, struct json_writer *w, const struct store_run *run)
{
	const struct job *j = jobs_find(h->core->jobs, run->token.job_id);
	char name_buf[65], pools_buf[JOB_POOLS_BYTES];
	const char *name;

	if (!j) /* removed meanwhile */
		return;
	name = job_name(j, name_buf);
	json_writer_object(w, NULL);
	json_writer_int(w, "id", (int64_t)j->id);
	if (name)
		json_writer_string(w, "name", name);
	else
		json_writer_null(w, "name");
	json_writer_string(w, "pool", job_pools(j, pools_buf));
	run_to_json(w, "run", run, -1, -1);
	json_writer_object_end(w);
}

static bool put_page(struct json_writer *w, const struct buf *page, void *arg)
{
	struct history *h = arg;

	json_writer_array(w, "runs");
	while (h->n_told < h->n && buf_len(page) < PAGE_BYTES - RUN_BYTES)
		put_run(h, w, &h->runs[h->n_told++]);
	json_writer_array_end(w);
	json_writer_int(w, "total", h->total);
	return h->n_told < h->n;
}

int control_job_history(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	const json_t *limit = json_object_get(params, "limit");
	struct history h = {.core = control_core(conn->control), .limit = RUNS_DEFAULT};
	struct selection sel;
	int r;

	if (control_refuses_negative(call, "limit"))
		return 0;
	if (json_is_integer(limit))
		h.limit = (size_t)MIN(json_integer_value(limit), (json_int_t)RUNS_MAX);
	r = select_decode(&sel, conn, call, json_object_get(params, "select"),
		SELECT_EMPTY_IS_ALL);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	h.store = h.core->store;
	h.n_max = 2 * h.limit + 1;
	h.runs = calloc(h.n_max, sizeof(*h.runs));
	r = h.runs ? select_resolve(&sel, conn) : -ENOMEM;
	if (r >= 0)
		r = collect(&h, &sel);
	if (r >= 0)
		r = control_reply_pages(conn, call, put_page, &h);
	for (size_t i = 0; i < h.n; i++)
		drop_run(&h.runs[i]);
	free(h.runs);
	selection_deinit(&sel);
	return r;
}
