#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/jobs.h"
#include "daemon/output_read.h"
#include "daemon/outputs.h"
#include "daemon/removal.h"
#include "daemon/retention.h"
#include "reeve/executor.h"
#include "reeve/scope.h"
#include "reeve/sync.h"

/* runs whose output one transaction drops: a job may have had a million */
enum { TRIM_RUNS_MAX = 1000 };

struct retention {
	struct core *core;
	rv_event work;
	bool nothing_due; /* no finished job was there: the next one is news */
};

/* among which jobs the oldest is looked for */
enum candidates {
	FINISHED,
	FINISHED_WITH_OUTPUT,
	UNFINISHED_WITH_OUTPUT, /* of the runs that they have behind them */
};

int retention_new(struct retention **ret, struct core *core)
{
	struct retention *rt = calloc(1, sizeof(*rt));

	if (!rt)
		return -ENOMEM;
	rt->core = core;
	rv_event_init(&rt->work);
	*ret = rt;
	return 0;
}

struct retention *retention_free(struct retention *rt)
{
	free(rt);
	return NULL;
}

void retention_look(struct retention *rt)
{
	rv_event_set(&rt->work);
}

static int64_t n_over(const struct retention *rt)
{
	size_t n = jobs_count(rt->core->jobs, JOB_FINISHED) -
		   jobs_finished_of_services(rt->core->jobs) -
		   dependents_n_kept(rt->core->dependents);

	return (int64_t)n - config_num(rt->core->config, KEEP_FINISHED_MAX);
}

void retention_run_ended(struct retention *rt, struct job *j, int64_t output_bytes)
{
	const struct config *cf = rt->core->config;

	outputs_account(rt->core->outputs, output_bytes);
	if (output_bytes)
		j->may_have_output = true;
	if (outputs_total(rt->core->outputs) > config_num(cf, OUTPUT_TOTAL_MAX))
		retention_look(rt);
	retention_jobs_finished(rt);
}

void retention_jobs_finished(struct retention *rt)
{
	if (n_over(rt) > 0 || rt->nothing_due)
		retention_look(rt);
}

struct oldest {
	uint64_t id;
	int64_t finished_usec;
};

/* max-heap on the time of finishing: the root is the first to give way to an older one */
static void sift_down(struct oldest *v, size_t n, size_t i)
{
	for (;;) {
		size_t c = 2 * i + 1;
		struct oldest x;

		if (c >= n)
			return;
		if (c + 1 < n && v[c + 1].finished_usec > v[c].finished_usec)
			c++;
		if (v[i].finished_usec >= v[c].finished_usec)
			return;
		x = v[i];
		v[i] = v[c];
		v[c] = x;
		i = c;
	}
}

static int by_finished(const void *a, const void *b)
{
	const struct oldest *x = a, *y = b;

	return (x->finished_usec > y->finished_usec) -
	       (x->finished_usec < y->finished_usec);
}

static void keep_oldest(struct oldest *v, size_t *n, size_t n_max, const struct job *j)
{
	struct oldest o = {j->id, j->finished_usec};

	if (*n < n_max) {
		v[(*n)++] = o;
		for (size_t i = *n == n_max ? *n / 2 : 0; i > 0; i--)
			sift_down(v, *n, i - 1);
	} else if (o.finished_usec < v[0].finished_usec) {
		v[0] = o;
		sift_down(v, *n, 0);
	}
}

static bool is_candidate(const struct job *j, enum candidates which)
{
	switch (which) {
	case FINISHED:
		return j->state == JOB_FINISHED && !j->busy && !j->of_service &&
		       !job_is_needed(j);
	case FINISHED_WITH_OUTPUT:
		return j->state == JOB_FINISHED && !j->busy && j->may_have_output;
	case UNFINISHED_WITH_OUTPUT:
		return j->state != JOB_FINISHED && j->may_have_output;
	}
	return false;
}

/* the n jobs that finished first, in that order; yields on the way */
static int find_oldest(struct retention *rt, struct oldest *v, size_t n_max,
	size_t *ret_n, enum candidates which)
{
	unsigned looked = 0;
	uint64_t id = 0;
	struct job *j;
	size_t n = 0;

	while ((j = jobs_at_or_after(rt->core->jobs, id + 1))) {
		id = j->id;
		if (is_candidate(j, which))
			keep_oldest(v, &n, n_max, j);
		if (++looked % 4096 == 0) {
			int r = rv_yield();

			if (r < 0)
				return r;
		}
	}
	qsort(v, n, sizeof(*v), by_finished);
	*ret_n = n;
	return 0;
}

/* A few more go than have to, so that this is not needed at every end. */
static int64_t n_to_remove(const struct retention *rt)
{
	int64_t slack = config_num(rt->core->config, KEEP_FINISHED_MAX) / 16;
	int64_t over = n_over(rt);

	return over > 0 ? over + MIN(slack, (int64_t)REMOVAL_CHUNK) : 0;
}

/* one chunk of jobs that are too many or too old; how many went */
static int remove_chunk(struct retention *rt, int64_t *ret_next_usec)
{
	struct oldest v[REMOVAL_CHUNK];
	uint64_t ids[REMOVAL_CHUNK];
	int64_t keep = config_num(rt->core->config, KEEP_FINISHED);
	int64_t now = clock_wall_usec(rt->core->clock);
	int64_t over = n_to_remove(rt);
	size_t n, n_ids = 0;
	int r;

	*ret_next_usec = INT64_MAX;
	r = find_oldest(rt, v, ARRAY_LEN(v), &n, FINISHED);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		bool old = keep < now && v[i].finished_usec <= now - keep;

		if ((int64_t)i >= over && !old) {
			if (keep < INT64_MAX - v[i].finished_usec)
				*ret_next_usec = v[i].finished_usec + keep;
			break;
		}
		ids[n_ids++] = v[i].id;
	}
	return n_ids ? removal_run(rt->core, ids, n_ids) : 0;
}

/* ---- the budget of all outputs -------------------------------------------------------------- */

struct trim_run {
	struct store_run rec; /* strings are copies */
	char gone[32];        /* what it says of its output afterwards */
};

struct trim {
	struct core *core;
	uint64_t id;
	struct trim_run *runs; /* those with output */
	size_t n;
	int64_t bytes;
};

static int take_run(const struct store_run *rec, void *arg)
{
	struct trim *t = arg;
	int64_t bytes = 0, lost = 0;
	struct trim_run *v;
	int r = 0;
	char **copies[] = {NULL, NULL, NULL, NULL};
	const char *texts[] = {rec->output, rec->reason, rec->step, rec->value};

	if (!rec->output || !rec->ended_usec || output_gone(rec->output))
		return 0;
	if (t->n == TRIM_RUNS_MAX)
		return 1;
	v = reallocarray(t->runs, t->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	t->runs = v;
	v[t->n] = (struct trim_run){.rec = *rec};
	output_sizes(t->core->state_fd, rec->output, &bytes, &lost);
	/* at least one: 0 would be a run that printed nothing */
	snprintf(v[t->n].gone, sizeof(v[t->n].gone), OUTPUT_GONE "%" PRId64,
		MAX(bytes + lost, 1));
	copies[0] = (char **)&v[t->n].rec.output;
	copies[1] = (char **)&v[t->n].rec.reason;
	copies[2] = (char **)&v[t->n].rec.step;
	copies[3] = (char **)&v[t->n].rec.value;
	t->n++;
	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		*copies[i] = texts[i] ? strdup(texts[i]) : NULL;
		if (texts[i] && !*copies[i])
			r = -ENOMEM; /* the others are NULL or copies: all can be freed */
	}
	t->bytes += output_disk_bytes(t->core->state_fd, rec->output);
	return r;
}

static int look_up(void *arg)
{
	struct trim *t = arg;

	return store_runs(t->core->store, t->id, take_run, t);
}

static void trim_deinit(struct trim *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free((char *)t->runs[i].rec.output);
		free((char *)t->runs[i].rec.reason);
		free((char *)t->runs[i].rec.step);
		free((char *)t->runs[i].rec.value);
	}
	free(t->runs);
}

static int commit_trim(struct trim *t)
{
	_cleanup_(txn_freep) struct txn *txn = txn_new();

	if (!txn)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		struct store_run rec = t->runs[i].rec;

		rec.output = t->runs[i].gone;
		if (run_record_put(txn, STORE_RUN_UPDATE, &rec) < 0)
			return -ENOMEM;
	}
	return committer_commit(t->core->committer, TAKE_PTR(txn), 0);
}

static void remove_files(const struct trim *t)
{
	char name[OUTPUT_NAME_MAX];

	for (size_t i = 0; i < t->n; i++)
		for (int s = OUTPUT_STDOUT; s <= OUTPUT_STDERR; s++)
			if (output_name(name, sizeof(name), t->runs[i].rec.output,
				    (enum output_stream)s) > 0)
				outputs_remove(t->core->outputs, name);
}

/* The output of a job's runs that are over goes, the records stay; bytes that went. */
static int64_t drop_output(struct retention *rt, struct job *j)
{
	struct trim t = {.core = rt->core, .id = j->id};
	int64_t bytes = 0;
	int r, more;

	/* before looking: what a run that ends meanwhile leaves is news */
	j->may_have_output = false;
	r = more = rv_run_blocking(rt->core->io, look_up, &t);
	if (r >= 0 && t.n)
		r = commit_trim(&t);
	if (r >= 0) {
		remove_files(&t);
		outputs_account(rt->core->outputs, -t.bytes);
		bytes = t.bytes;
	}
	j = jobs_find(rt->core->jobs, t.id);
	trim_deinit(&t);
	if (j && (r < 0 || more > 0))
		j->may_have_output = true;
	/* -ENOENT: forgotten meanwhile, with its output */
	return r < 0 && r != -ENOENT ? r : bytes;
}

/* an eighth below the limit, so that this is not needed at every end */
static bool is_over(const struct retention *rt, int64_t max)
{
	return outputs_total(rt->core->outputs) > max - max / 8;
}

/* Drops output of such jobs, the oldest first, until it is little enough or they have none
 * left. */
static int drop_oldest(
	struct retention *rt, enum candidates which, int64_t max, int64_t *dropped)
{
	struct oldest v[REMOVAL_CHUNK];
	size_t n = 1;

	while (n && is_over(rt, max)) {
		int r = find_oldest(rt, v, ARRAY_LEN(v), &n, which);

		if (r < 0)
			return r;
		for (size_t i = 0; i < n && is_over(rt, max); i++) {
			struct job *j = jobs_find(rt->core->jobs, v[i].id);
			int64_t bytes = j ? drop_output(rt, j) : 0;

			if (bytes < 0)
				return (int)bytes;
			*dropped += bytes;
		}
	}
	return 0;
}

static int keep_budget(struct retention *rt)
{
	int64_t max = config_num(rt->core->config, OUTPUT_TOTAL_MAX);
	int64_t dropped = 0;
	int r;

	if (outputs_total(rt->core->outputs) <= max)
		return 0;
	r = drop_oldest(rt, FINISHED_WITH_OUTPUT, max, &dropped);
	/* not enough: then earlier runs of what is retried have it */
	if (r >= 0)
		r = drop_oldest(rt, UNFINISHED_WITH_OUTPUT, max, &dropped);
	if (dropped)
		log_at(LOG_NOTICE, "output",
			"dropped %" PRId64
			" bytes of the oldest output to keep within output-total-max",
			dropped);
	return r;
}

int retention_main(void *arg)
{
	struct retention *rt = arg;

	for (;;) {
		int64_t next_usec = INT64_MAX, wait;
		int r;

		rv_event_clear(&rt->work);
		do {
			r = remove_chunk(rt, &next_usec);
		} while (r > 0);
		if (r >= 0)
			r = keep_budget(rt);
		if (r == -ECANCELED)
			return r;
		/* without any there is nothing to wait for but the next that finishes */
		rt->nothing_due = jobs_count(rt->core->jobs, JOB_FINISHED) == 0;
		if (next_usec != INT64_MAX)
			wait = next_usec - clock_wall_usec(rt->core->clock);
		else if (rt->nothing_due)
			wait = USEC_INFINITY;
		else /* kept for ever, or all of them are busy just now */
			wait = config_num(rt->core->config, KEEP_FINISHED);
		if (r < 0)
			wait = 60 * USEC_PER_SEC; /* a full disk: later */
		r = rv_timed(usec_to_time(MAX(wait, USEC_PER_SEC)),
			rv_event_wait(&rt->work));
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
}
