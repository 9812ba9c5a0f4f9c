/* The method Stats: how many jobs ended how, and how long they waited and ran. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hashmap.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "reeve/executor.h"
#include "reeve/task.h"
#include "varlink/json_write.h"

enum {
	YIELD_EVERY = 4096, /* jobs counted in one turn */
	POOL_BYTES = 1024,  /* of one as JSON */
};

#define HOUR (INT64_C(3600) * USEC_PER_SEC)

struct times {
	int64_t *v; /* microseconds; sorted in the end */
	size_t n, n_max;
};

struct stats {
	char name[65];
	int64_t n_result[JOB_RESULT_N];
	int64_t n_last_hour;
	struct times waits, runs;
};

struct count {
	struct core *core;
	struct stats all;
	struct stats **pools; /* by name in the end */
	size_t n_pools, n_pools_max;
	size_t n_told;
	struct hashmap *by_name;
	/* the job that is counted */
	const struct job *job;
	int64_t hour_ago_usec;
};

static int times_add(struct times *t, int64_t usec)
{
	if (t->n == t->n_max) {
		size_t n_max = t->n_max ? 2 * t->n_max : 64;
		int64_t *v = reallocarray(t->v, n_max, sizeof(*v));

		if (!v)
			return -ENOMEM;
		t->v = v;
		t->n_max = n_max;
	}
	t->v[t->n++] = MAX(usec, INT64_C(0)); /* a clock may have been set back */
	return 0;
}

static struct stats *stats_free(struct stats *s)
{
	if (s) {
		free(s->waits.v);
		free(s->runs.v);
	}
	free(s);
	return NULL;
}

/* ---- counting ----------------------------------------------------------------------- */

static int count_into(struct stats *s, const struct count *c)
{
	const struct job *j = c->job;
	int r = 0;

	s->n_result[j->result]++;
	s->n_last_hour += j->finished_usec >= c->hour_ago_usec;
	if (j->n_runs == 0 || !j->started_usec)
		return 0;
	/* of one that was retried nobody knows any more when it started first */
	if (j->n_runs == 1)
		r = times_add(&s->waits, j->started_usec - j->submitted_usec);
	return r < 0 ? r : times_add(&s->runs, j->finished_usec - j->started_usec);
}

static int add_pool(struct count *c, struct stats **ret, const char *name)
{
	struct stats *s = calloc(1, sizeof(*s));
	int r = s ? 0 : -ENOMEM;

	if (r >= 0 && c->n_pools == c->n_pools_max) {
		size_t n_max = c->n_pools_max ? 2 * c->n_pools_max : 16;
		struct stats **v = reallocarray(c->pools, n_max, sizeof(*v));

		if (v) {
			c->pools = v;
			c->n_pools_max = n_max;
		} else {
			r = -ENOMEM;
		}
	}
	if (r >= 0) {
		memcpy(s->name, name, MIN(strlen(name), sizeof(s->name) - 1));
		r = hashmap_put(c->by_name, name, s);
	}
	if (r < 0) {
		stats_free(s);
		return r;
	}
	c->pools[c->n_pools++] = s;
	*ret = s;
	return 0;
}

/* for job_pools_each: one of several pools counts it, too */
static int count_in_pool(const char *name, void *arg)
{
	struct count *c = arg;
	struct stats *s = hashmap_get(c->by_name, name);
	int r = s ? 0 : add_pool(c, &s, name);

	return r < 0 ? r : count_into(s, c);
}

static int count_all(struct count *c, const struct selection *sel)
{
	char pools[JOB_POOLS_BYTES];
	int r = 0;

	for (size_t i = 0; i < sel->n_ids && r >= 0; i++) {
		c->job = jobs_find(c->core->jobs, sel->ids[i]);
		if (c->job && c->job->state == JOB_FINISHED) {
			r = count_into(&c->all, c);
			if (r >= 0)
				r = job_pools_each(
					job_pools(c->job, pools), count_in_pool, c);
		}
		if (r >= 0 && (i + 1) % YIELD_EVERY == 0)
			r = rv_yield();
	}
	return r;
}

/* ---- in a worker: many numbers may have to be sorted -------------------------------- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
		(*(struct stats *const *)a)->name, (*(struct stats *const *)b)->name);
}

static void sort_times(struct times *t)
{
	if (t->n > 1)
		qsort(t->v, t->n, sizeof(*t->v), by_value);
}

static int sort_all(void *arg)
{
	struct count *c = arg;

	sort_times(&c->all.waits);
	sort_times(&c->all.runs);
	for (size_t i = 0; i < c->n_pools; i++) {
		sort_times(&c->pools[i]->waits);
		sort_times(&c->pools[i]->runs);
	}
	if (c->n_pools > 1)
		qsort(c->pools, c->n_pools, sizeof(struct stats *), by_name);
	return 0;
}

/* ---- telling ------------------------------------------------------------------------ */

/* mean, and what 95 of 100 did not exceed */
static void put_times(struct json_writer *w, const char *mean_key, const char *p95_key,
	const struct times *t)
{
	double sum = 0;

	if (t->n == 0) {
		json_writer_null(w, mean_key);
		json_writer_null(w, p95_key);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		sum += (double)t->v[i];
	json_writer_int(w, mean_key, (int64_t)(sum / (double)t->n));
	json_writer_int(w, p95_key, t->v[(t->n * 95 + 99) / 100 - 1]);
}

static void put_stats(struct json_writer *w, const char *key, const struct stats *s)
{
	json_writer_object(w, key);
	if (s->name[0])
		json_writer_string(w, "pool", s->name);
	else
		json_writer_null(w, "pool");
	for (int i = JOB_RESULT_NONE + 1; i < JOB_RESULT_N; i++)
		json_writer_int(w, job_result_name[i], s->n_result[i]);
	json_writer_int(w, "last_hour", s->n_last_hour);
	put_times(w, "wait_mean_usec", "wait_p95_usec", &s->waits);
	put_times(w, "run_mean_usec", "run_p95_usec", &s->runs);
	json_writer_object_end(w);
}

static bool put_page(struct json_writer *w, const struct buf *page, void *arg)
{
	struct count *c = arg;

	put_stats(w, "all", &c->all);
	json_writer_array(w, "pools");
	while (c->n_told < c->n_pools && buf_len(page) < PAGE_BYTES - POOL_BYTES)
		put_stats(w, NULL, c->pools[c->n_told++]);
	json_writer_array_end(w);
	return c->n_told < c->n_pools;
}

int control_job_stats(struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	struct count c = {
		.core = core, .hour_ago_usec = clock_wall_usec(core->clock) - HOUR};
	struct selection sel;
	int r;

	r = select_decode(&sel, conn, call,
		json_object_get(vl_call_params(call), "select"), SELECT_EMPTY_IS_ALL);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (!sel.sel.states || sel.sel.states & 1u << JOB_FINISHED)
		sel.sel.states = 1u << JOB_FINISHED; /* no other is counted */
	r = hashmap_new(&c.by_name, HASHMAP_STRING);
	if (r >= 0)
		r = select_resolve(&sel, conn);
	if (r >= 0)
		r = count_all(&c, &sel);
	if (r >= 0)
		r = rv_run_blocking(core->io, sort_all, &c);
	if (r >= 0)
		r = control_reply_pages(conn, call, put_page, &c);
	for (size_t i = 0; i < c.n_pools; i++)
		stats_free(c.pools[i]);
	free(c.pools);
	free(c.all.waits.v);
	free(c.all.runs.v);
	hashmap_free(c.by_name);
	selection_deinit(&sel);
	return r;
}
