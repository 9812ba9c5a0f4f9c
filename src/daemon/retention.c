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
#include "daemon/output_caps.h"
#include "daemon/output_read.h"
#include "daemon/outputs.h"
#include "daemon/removal.h"
#include "daemon/retention.h"
#include "reeve/executor.h"
#include "reeve/scope.h"
#include "reeve/sync.h"

enum {
	TRIM_RUNS_MAX = 256, /* whose output one transaction drops */
	TRIM_TRIES_MAX = 3,
};

static const rv_time tell_every = RV_SEC(60);

struct retention {
	struct core *core;
	rv_event work;
	bool nothing_due; /* no finished job was there: the next one is news */
	/* output that was dropped and is not told yet: bytes, and in how many goes */
	int64_t untold_bytes;
	uint64_t n_untold;
	rv_time tell_at; /* not before */
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
		   jobs_count_of_services(rt->core->jobs, JOB_FINISHED) -
		   dependents_n_kept(rt->core->dependents);

	return (int64_t)n - config_num(rt->core->config, KEEP_FINISHED_MAX);
}

/* of all output, that of runs that go on too */
static int64_t used(const struct retention *rt)
{
	const struct output_caps *caps = rt->core->caps;

	return outputs_total(rt->core->outputs) + (caps ? output_caps_total(caps) : 0);
}

void retention_output_grew(struct retention *rt)
{
	if (used(rt) > config_num(rt->core->config, OUTPUT_TOTAL_MAX))
		retention_look(rt);
}

void retention_run_ended(struct retention *rt, int64_t output_bytes)
{
	outputs_account(rt->core->outputs, output_bytes);
	retention_output_grew(rt);
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

static bool is_candidate(const struct job *j)
{
	return j->state == JOB_FINISHED && !j->busy && !j->of_service &&
	       !job_is_needed(j);
}

/* the n jobs that finished first, in that order; yields on the way */
static int find_oldest(
	struct retention *rt, struct oldest *v, size_t n_max, size_t *ret_n)
{
	unsigned looked = 0;
	uint64_t id = 0;
	struct job *j;
	size_t n = 0;

	while ((j = jobs_at_or_after(rt->core->jobs, id + 1))) {
		id = j->id;
		if (is_candidate(j))
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
	r = find_oldest(rt, v, ARRAY_LEN(v), &n);
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
	int64_t bytes;        /* on disk */
	char gone[32];        /* what it says of its output afterwards */
};

struct trim {
	struct core *core;
	int64_t need;                        /* bytes */
	struct trim_run runs[TRIM_RUNS_MAX]; /* that ended first of those with output */
	size_t n;
};

static void drop_run(struct trim_run *run)
{
	free((char *)run->rec.output);
	free((char *)run->rec.reason);
	free((char *)run->rec.step);
	free((char *)run->rec.value);
}

static int copy_run(struct trim_run *ret, const struct store_run *rec)
{
	const char *texts[] = {rec->output, rec->reason, rec->step, rec->value};
	char *copies[ARRAY_LEN(texts)] = {NULL};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		copies[i] = texts[i] ? strdup(texts[i]) : NULL;
		if (texts[i] && !copies[i])
			r = -ENOMEM;
	}
	*ret = (struct trim_run){.rec = *rec};
	ret->rec.output = copies[0];
	ret->rec.reason = copies[1];
	ret->rec.step = copies[2];
	ret->rec.value = copies[3];
	if (r < 0)
		drop_run(ret);
	return r;
}

/* @n  of them are in order already; the one behind them is put into its place */
static void put_in_order(struct trim_run *v, size_t n)
{
	struct trim_run x = v[n];

	for (; n > 0 && v[n - 1].rec.ended_usec > x.rec.ended_usec; n--)
		v[n] = v[n - 1];
	v[n] = x;
}

/* in a worker */
static int take_output(const struct store_run *rec, void *arg)
{
	struct trim *t = arg;
	struct trim_run run;
	int r;

	if (!rec->output || !rec->ended_usec || output_gone(rec->output))
		return 0;
	if (t->n == TRIM_RUNS_MAX &&
		rec->ended_usec >= t->runs[t->n - 1].rec.ended_usec)
		return 0;
	r = copy_run(&run, rec);
	if (r < 0)
		return r;
	if (t->n == TRIM_RUNS_MAX)
		drop_run(&t->runs[--t->n]);
	t->runs[t->n] = run;
	put_in_order(t->runs, t->n);
	t->n++;
	return 0;
}

static void look_at_files(struct core *core, struct trim_run *run)
{
	int64_t bytes = 0, lost = 0;

	output_sizes(core->state_fd, run->rec.output, &bytes, &lost);
	run->bytes = output_disk_bytes(core->state_fd, run->rec.output);
	/* at least one: 0 would be a run that printed nothing */
	snprintf(run->gone, sizeof(run->gone), OUTPUT_GONE "%" PRId64,
		MAX(bytes + lost, INT64_C(1)));
}

/* in a worker: no more of them than are needed */
static int look_up(void *arg)
{
	struct trim *t = arg;
	int r = store_outputs(t->core->store, take_output, t);
	int64_t bytes = 0;
	size_t n = 0;

	while (r >= 0 && n < t->n && bytes < t->need) {
		look_at_files(t->core, &t->runs[n]);
		bytes += t->runs[n++].bytes;
	}
	while (t->n > n)
		drop_run(&t->runs[--t->n]);
	return r;
}

/* What is being changed just now, or was forgotten, is left out. */
static void leave_out_busy(struct trim *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct job *j =
			jobs_find(t->core->jobs, t->runs[i].rec.token.job_id);

		if (j && !j->leaving)
			t->runs[n++] = t->runs[i];
		else
			drop_run(&t->runs[i]);
	}
	t->n = n;
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

/* bytes that went */
static int64_t remove_files(const struct trim *t)
{
	char name[OUTPUT_NAME_MAX];
	int64_t bytes = 0;

	for (size_t i = 0; i < t->n; i++) {
		for (int s = OUTPUT_STDOUT; s <= OUTPUT_STDERR; s++)
			if (output_name(name, sizeof(name), t->runs[i].rec.output,
				    (enum output_stream)s) > 0)
				outputs_remove(t->core->outputs, name);
		bytes += t->runs[i].bytes;
	}
	outputs_account(t->core->outputs, -bytes);
	return bytes;
}

/* The output of runs that ended first goes, their records stay; bytes that went, 0: there is
 * none. -ENOENT: one of them was forgotten meanwhile */
static int64_t drop_oldest(struct retention *rt, int64_t need)
{
	struct trim *t = calloc(1, sizeof(*t));
	int64_t r;

	if (!t)
		return -ENOMEM;
	t->core = rt->core;
	t->need = need;
	r = rv_run_blocking(rt->core->io, look_up, t);
	if (r >= 0)
		leave_out_busy(t);
	if (r >= 0 && t->n)
		r = commit_trim(t);
	if (r >= 0)
		r = remove_files(t);
	while (t->n > 0)
		drop_run(&t->runs[--t->n]);
	free(t);
	return r;
}

static void tell_dropped(struct retention *rt)
{
	char goes[40] = "";

	if (rt->n_untold == 0)
		return;
	if (rt->n_untold > 1)
		snprintf(goes, sizeof(goes), ", in %" PRIu64 " goes,", rt->n_untold);
	log_at(LOG_NOTICE, "output",
		"dropped %" PRId64
		" bytes of the oldest output%s to keep within output-total-max",
		rt->untold_bytes, goes);
	rt->untold_bytes = 0;
	rt->n_untold = 0;
	rt->tell_at = rv_now() + tell_every;
}

/* The first at once, then the sum of what has come meanwhile: where the budget is small every
 * end may drop some. */
static void note_dropped(struct retention *rt, int64_t bytes)
{
	rt->untold_bytes += bytes;
	rt->n_untold++;
	if (rv_now() >= rt->tell_at)
		tell_dropped(rt);
}

static int keep_budget(struct retention *rt)
{
	int64_t max = config_num(rt->core->config, OUTPUT_TOTAL_MAX);
	/* an eighth below it, so that this is not needed at every end */
	int64_t wanted = max - max / 8, dropped = 0, r = 1;
	int tries = 0;

	if (used(rt) <= max)
		return 0;
	while (r > 0 && used(rt) > wanted) {
		r = drop_oldest(rt, used(rt) - wanted);
		if (r == -ENOENT && tries++ < TRIM_TRIES_MAX)
			r = 1;
		else if (r > 0)
			dropped += r;
	}
	if (dropped)
		note_dropped(rt, dropped);
	/* not enough: then runs that go on have it */
	if (r >= 0 && used(rt) > max && rt->core->caps)
		output_caps_squeeze(
			rt->core->caps, wanted - outputs_total(rt->core->outputs));
	return (int)MIN(r, INT64_C(0));
}

/* wait_usec; less when there is something to tell before. 0, -ETIMEDOUT, -ECANCELED */
static int wait_for_work(struct retention *rt, int64_t wait_usec)
{
	rv_time wait = usec_to_time(MAX(wait_usec, USEC_PER_SEC));
	int r;

	if (rt->n_untold > 0)
		wait = MIN(wait, MAX(rt->tell_at - rv_now(), RV_MS(1)));
	r = rv_timed(wait, rv_event_wait(&rt->work));
	if (rv_now() >= rt->tell_at)
		tell_dropped(rt);
	return r;
}

static int remove_until_canceled(struct retention *rt)
{
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
		r = wait_for_work(rt, wait);
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
}

int retention_main(void *arg)
{
	int r = remove_until_canceled(arg);

	tell_dropped(arg);
	return r;
}
