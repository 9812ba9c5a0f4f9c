#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/job_json.h"
#include "daemon/jobs.h"
#include "daemon/ranking.h"
#include "daemon/services.h"
#include "reeve/task.h"
#include "varlink/json_write.h"

enum {
	YIELD_EVERY = 4096, /* jobs looked at without a match */
	LATEST_MAX = 1000,  /* jobs in the order in which they finished */
	SORTED_MAX = 10000, /* jobs in an order that is asked for */
};

struct lister {
	struct control_conn *conn;
	struct vl_call *call;
	struct selection sel;
	bool reverse;
	bool unfinished; /* no finished job is wanted */
	bool by_end;     /* the last to finish first */
	struct job_sort sort;
	bool ranked; /* by_end, or by sort: those in ranks, in its order */
	struct rank {
		int64_t usec; /* by_end */
		uint64_t id;
	} * ranks;
	size_t n_ranks;
	uint64_t at;   /* next id, or place in ranks, to look at */
	int64_t left;  /* jobs still wanted */
	int64_t total; /* that match */
	bool end;
	struct buf page;
};

/* only by state, also without those of services, and of everybody: the table has counted them */
static bool is_counted(const struct lister *l)
{
	const struct job_select *s = &l->sel.sel;

	return s->any_uid && l->conn->is_admin && !s->n_ids && !s->results &&
	       !s->pools && !s->labels && !s->name_glob && !s->schedule &&
	       !s->no_schedule && !s->service && !s->since_usec;
}

/* Of those that were found when they were counted. Some may have been removed since: the next
 * one that is there. */
static struct job *next_found(const struct lister *l)
{
	const struct jobs *jobs = control_core(l->conn->control)->jobs;
	size_t lo = 0, hi = l->sel.n_ids;
	struct job *j = NULL;

	while (lo < hi) { /* the first id >= at; backwards the first > at */
		size_t mid = lo + (hi - lo) / 2;
		uint64_t id = l->sel.ids[mid];

		if (id < l->at || (l->reverse && id == l->at))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (l->reverse)
		while (!j && lo > 0)
			j = jobs_find(jobs, l->sel.ids[--lo]);
	else
		while (!j && lo < l->sel.n_ids)
			j = jobs_find(jobs, l->sel.ids[lo++]);
	return j;
}

static struct job *next_job(struct lister *l)
{
	const struct jobs *jobs = control_core(l->conn->control)->jobs;
	struct job *j;

	/* some may have been removed while others had their turn */
	for (; l->ranked && l->at < l->n_ranks; l->at++) {
		j = jobs_find(jobs, l->ranks[l->at].id);
		if (j)
			return j;
	}
	if (l->ranked)
		return NULL;
	if (!is_counted(l))
		return next_found(l);
	if (l->unfinished && !l->reverse)
		return jobs_unfinished_at_or_after(jobs, l->at);
	return l->reverse ? jobs_at_or_before(jobs, l->at)
			  : jobs_at_or_after(jobs, l->at);
}

/* One page; *l.end is set when nothing is left. 0, -ENOMEM, -ECANCELED. */
static int fill_page(struct lister *l)
{
	struct core *core = control_core(l->conn->control);
	struct json_writer w;
	unsigned n_looked = 0;
	struct job *j;
	int r = 0;

	buf_clear(&l->page);
	json_writer_init(&w, &l->page);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "jobs");
	while (r >= 0 && l->left > 0 && (j = next_job(l))) {
		l->at = l->ranked ? l->at + 1 : l->reverse ? j->id - 1 : j->id + 1;
		if (control_matches(l->conn, &l->sel.sel, j)) {
			job_to_json(&w, NULL, core, j);
			l->left--;
			if (buf_len(&l->page) >= PAGE_BYTES - JOB_BYTES)
				break;
		} else if (++n_looked % YIELD_EVERY == 0) {
			r = rv_yield();
		}
	}
	if (r < 0)
		return r;
	l->end = l->left <= 0 || !next_job(l);
	json_writer_array_end(&w);
	json_writer_int(&w, "total", l->total);
	if (l->end || l->ranked)
		json_writer_null(&w, "next_id");
	else
		json_writer_int(&w, "next_id", (int64_t)l->at);
	json_writer_object_end(&w);
	return json_writer_end(&w);
}

static int count_total(struct lister *l)
{
	const struct jobs *jobs = control_core(l->conn->control)->jobs;
	int r;

	if (!is_counted(l)) {
		r = select_resolve(&l->sel, l->conn);
		l->total = (int64_t)l->sel.n_ids;
		return r;
	}
	for (int s = 0; s < JOB_STATE_N; s++) {
		if (l->sel.sel.states && !(l->sel.sel.states >> s & 1))
			continue;
		l->total += (int64_t)jobs_count(jobs, (enum job_state)s);
		if (l->sel.sel.no_service)
			l->total -= (int64_t)jobs_count_of_services(
				jobs, (enum job_state)s);
	}
	return 0;
}

/* Keep e if it is among the latest; they stand in order, the last to finish first. */
static void keep_latest(struct lister *l, size_t n_max, struct rank e)
{
	size_t i = l->n_ranks;

	while (i > 0 &&
		(l->ranks[i - 1].usec < e.usec ||
			(l->ranks[i - 1].usec == e.usec && l->ranks[i - 1].id < e.id)))
		i--;
	if (i == n_max)
		return;
	if (l->n_ranks < n_max)
		l->n_ranks++;
	memmove(l->ranks + i + 1, l->ranks + i,
		(l->n_ranks - i - 1) * sizeof(*l->ranks));
	l->ranks[i] = e;
}

/* all that are finished match, but for those of services where these are not wanted: as many of
 * them as there is room for, as they stand */
static void take_latest(struct lister *l, size_t n_max)
{
	const struct jobs *jobs = control_core(l->conn->control)->jobs;
	const struct job *j = NULL;

	while (l->n_ranks < n_max && (j = jobs_finished_before(jobs, j)))
		if (!(l->sel.sel.no_service && j->of_service))
			l->ranks[l->n_ranks++] = (struct rank){j->finished_usec, j->id};
}

/* The matching jobs that finished last into l->ranks. Where they have to be looked for,
 * newer ones first: they mostly are the ones, and what comes after them is put nowhere. */
static int find_latest(struct lister *l)
{
	const struct jobs *jobs = control_core(l->conn->control)->jobs;
	int64_t wanted_max = MIN(l->left, (int64_t)LATEST_MAX);
	size_t n_max = (size_t)MIN(wanted_max, l->total);
	const struct job *j;
	int r = 0;

	l->at = 0;
	if (n_max == 0)
		return 0;
	l->ranks = calloc(n_max, sizeof(*l->ranks));
	if (!l->ranks)
		return -ENOMEM;
	if (is_counted(l) && l->sel.sel.states >> JOB_FINISHED & 1)
		take_latest(l, n_max);
	for (size_t i = l->sel.n_ids; i > 0 && r >= 0; i--) {
		j = jobs_find(jobs, l->sel.ids[i - 1]);
		if (j && j->state == JOB_FINISHED)
			keep_latest(l, n_max, (struct rank){j->finished_usec, j->id});
		if (i % YIELD_EVERY == 0)
			r = rv_yield();
	}
	return r;
}

/* the jobs that may match, one after the other; *at is where to go on */
static const struct job *next_to_rank(const struct lister *l, uint64_t *at)
{
	const struct jobs *jobs = control_core(l->conn->control)->jobs;
	const struct job *j = NULL;

	if (!is_counted(l)) { /* they were looked for when they were counted */
		while (!j && *at < l->sel.n_ids)
			j = jobs_find(jobs, l->sel.ids[(*at)++]);
		return j;
	}
	j = l->unfinished ? jobs_unfinished_at_or_after(jobs, *at)
			  : jobs_at_or_after(jobs, *at);
	if (j)
		*at = j->id + 1;
	return j;
}

/* The first of the matching jobs by l->sort into l->ranks. Others get their turn meanwhile. */
static int rank(struct lister *l, struct ranking *rk)
{
	unsigned states = l->sel.sel.states ? l->sel.sel.states : JOB_STATES_ALL;
	_cleanup_free_ uint64_t *ids = NULL;
	const struct job *j;
	unsigned n = 0;
	int r = 0;

	for (uint64_t at = 0; r >= 0 && (j = next_to_rank(l, &at));) {
		if (states >> j->state & 1 && !(l->sel.sel.no_service && j->of_service))
			r = ranking_offer(rk, j);
		if (r >= 0 && ++n % YIELD_EVERY == 0)
			r = rv_yield();
	}
	if (r < 0)
		return r;
	l->n_ranks = ranking_count(rk);
	ids = calloc(l->n_ranks + 1, sizeof(*ids));
	l->ranks = calloc(l->n_ranks + 1, sizeof(*l->ranks));
	if (!ids || !l->ranks)
		return -ENOMEM;
	ranking_take(rk, ids);
	for (size_t i = 0; i < l->n_ranks; i++)
		l->ranks[i].id = ids[i];
	return 0;
}

static int find_sorted(struct lister *l)
{
	struct ranking rk;
	int r;

	l->at = 0;
	ranking_init(&rk, control_core(l->conn->control), &l->sort,
		(size_t)MIN(l->left, (int64_t)SORTED_MAX));
	r = rank(l, &rk);
	ranking_deinit(&rk);
	return r;
}

static bool is_too_long(const struct lister *l)
{
	return l->sort.n > 0 && MIN(l->left, l->total) > SORTED_MAX;
}

static int list(struct lister *l)
{
	bool more = vl_call_wants_more(l->call);
	int r;

	r = count_total(l);
	if (r >= 0 && is_too_long(l))
		return reply_error(l->call, "io.reeve.Job.LimitReached",
			"{\"limit\":\"sorted jobs\",\"maximum\":%d}", SORTED_MAX);
	if (r >= 0 && l->by_end)
		r = find_latest(l);
	if (r >= 0 && l->sort.n > 0)
		r = find_sorted(l);
	if (r < 0)
		return r;
	for (;;) {
		r = fill_page(l);
		if (r < 0)
			return r;
		r = vl_call_reply_text(l->call, buf_head(&l->page), buf_len(&l->page),
			more && !l->end);
		if (r < 0 || l->end || !more)
			return r;
		r = control_wait_writable(l->conn, l->call);
		if (r < 0)
			return r;
		r = rv_yield(); /* one page a turn: others wait too */
		if (r < 0)
			return r;
	}
}

/* true: refused, and answered */
static bool refuses_sort(struct lister *l, const json_t *params)
{
	const json_t *sort = json_object_get(params, "sort"), *key;
	_cleanup_free_ char *why = NULL;
	size_t i;

	json_array_foreach((json_t *)sort, i, key)
	{
		if (job_sort_add(&l->sort, json_string_value(key), &why) >= 0)
			continue;
		vl_call_invalid(l->call, "sort", why ? why : "not a key");
		return true;
	}
	if (l->sort.n == 0 ||
		!(l->by_end || l->reverse ||
			json_is_integer(json_object_get(params, "from_id"))))
		return false;
	vl_call_invalid(l->call, "sort", "not with order, reverse or from_id");
	return true;
}

static void take_members(struct lister *l, const json_t *params)
{
	const json_t *limit = json_object_get(params, "limit");
	const json_t *from = json_object_get(params, "from_id");
	const char *order = json_string_value(json_object_get(params, "order"));

	l->reverse = json_is_true(json_object_get(params, "reverse"));
	l->by_end = order && STREQ(order, "finished");
	l->left = json_is_integer(limit) ? json_integer_value(limit) : INT64_MAX;
	l->at = l->reverse ? UINT64_MAX : 1;
	if (json_is_integer(from) && json_integer_value(from) > 0)
		l->at = (uint64_t)json_integer_value(from);
}

int control_job_list(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	struct lister l = {.conn = conn, .call = call, .page = BUF_NULL};
	int r;

	if (control_refuses_negative(call, "limit") ||
		control_refuses_negative(call, "from_id"))
		return 0;
	take_members(&l, params);
	if (refuses_sort(&l, params))
		return 0;
	l.ranked = l.by_end || l.sort.n > 0;
	r = select_decode(&l.sel, conn, call, json_object_get(params, "select"),
		SELECT_EMPTY_IS_ALL);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (l.by_end && !l.sel.sel.states)
		l.sel.sel.states = 1U << JOB_FINISHED;
	l.unfinished = l.sel.sel.states && !(l.sel.sel.states >> JOB_FINISHED & 1);
	r = list(&l);
	selection_deinit(&l.sel);
	buf_deinit(&l.page);
	free(l.ranks);
	return r;
}
