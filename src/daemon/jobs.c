#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/events.h"
#include "daemon/jobs.h"
#include "daemon/schedule_jobs.h"
#include "daemon/scheduler.h"

enum {
	ID_BLOCK = 4096,  /* ids that one synced record reserves */
	OVERTAKEN = 4096, /* an end is put below so many later ones, no more */
	STRETCH = 256,    /* slots whose unfinished jobs are counted together */
};

struct jobs {
	struct core *core;
	/* ordered by id; ids only grow, so adding is at the end or near it */
	struct slot {
		uint64_t id;
		struct job *job; /* NULL: forgotten; the id still guides the search */
	} * v;
	size_t n, n_max;
	size_t n_holes;
	uint16_t *n_unfinished;  /* of each stretch of slots; n_max is a multiple */
	struct hashmap *by_name; /* newest of that name; older ones by older_namesake */
	struct hashmap
		*per_uid; /* uid + 1 -> unfinished jobs, counted in the pointer */
	size_t n_state[JOB_STATE_N];
	int64_t place_first, place_last; /* of jobs that were moved */
	struct list finished; /* of struct job.by_end, the last to finish at the end */
	uint64_t next_id;
	uint64_t reserved_end; /* ids below it are reserved on disk */
	uint64_t
		asked_end; /* and below this one, once a commit that asks has gone well */
	size_t n_expected;
	bool loaded;   /* what is added from now on is new */
	rv_event idle; /* some job stopped being busy */
};

int jobs_new(struct jobs **ret, struct core *core)
{
	struct jobs *js;
	int r;

	js = calloc(1, sizeof(*js));
	if (!js)
		return -ENOMEM;
	js->core = core;
	js->next_id = js->reserved_end = js->asked_end = 1;
	rv_event_init(&js->idle);
	list_init(&js->finished);
	r = hashmap_new(&js->by_name, HASHMAP_STRING);
	if (r >= 0)
		r = hashmap_new(&js->per_uid, HASHMAP_U64);
	if (r < 0) {
		jobs_free(js);
		return r;
	}
	*ret = js;
	return 0;
}

void jobs_drop_demand(struct jobs *js, struct job *j)
{
	j->demand = scheduler_demand_put(js->core->scheduler, j->demand);
}

int jobs_renew_demand(struct jobs *js, struct job *j)
{
	struct job_spec spec;
	int r = job_spec_get(j, &spec);

	if (r < 0)
		return r;
	r = scheduler_demand(js->core->scheduler, &spec, &j->demand);
	job_spec_deinit(&spec);
	return r;
}

struct jobs *jobs_free(struct jobs *js)
{
	if (!js)
		return NULL;
	for (size_t i = 0; i < js->n; i++) {
		if (!js->v[i].job)
			continue;
		if (!js->v[i].job->busy)
			scheduler_withdraw(js->core->scheduler, js->v[i].job);
		jobs_drop_demand(js, js->v[i].job);
		job_free(js->v[i].job);
	}
	free(js->v);
	free(js->n_unfinished);
	hashmap_free(js->by_name);
	hashmap_free(js->per_uid);
	free(js);
	return NULL;
}

int jobs_take_ids(struct jobs *js, uint64_t *ret_first, uint64_t *ret_reserved,
	uint32_t n, struct txn *t)
{
	uint64_t end = js->next_id + n;

	*ret_reserved = 0;
	if (end > js->reserved_end) {
		struct store_op *op = txn_add(t, STORE_META_SET);

		if (!op)
			return -ENOMEM;
		if (end > js->asked_end)
			js->asked_end = end + ID_BLOCK;
		op->meta.name = "next_id";
		op->meta.number = (int64_t)js->asked_end;
		txn_set_sync(t);
		*ret_reserved = js->asked_end;
	}
	*ret_first = js->next_id;
	js->next_id = end;
	return 0;
}

void jobs_ids_are_reserved(struct jobs *js, uint64_t end)
{
	if (end > js->reserved_end)
		js->reserved_end = end;
}

int jobs_give_back_ids(struct jobs *js, struct txn *t)
{
	struct store_op *op = txn_add(t, STORE_META_SET);

	if (!op)
		return -ENOMEM;
	op->meta.name = "next_id";
	op->meta.number = (int64_t)js->next_id;
	js->reserved_end = js->asked_end = js->next_id;
	return 0;
}

uint64_t jobs_next_id(const struct jobs *js)
{
	return js->next_id;
}

void jobs_set_next_id(struct jobs *js, uint64_t next)
{
	js->next_id = js->reserved_end = js->asked_end = next;
}

/* index of the first slot with an id >= id */
static size_t lower_bound(const struct jobs *js, uint64_t id)
{
	size_t lo = 0, hi = js->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (js->v[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct job *jobs_at_or_after(const struct jobs *js, uint64_t id)
{
	size_t i = lower_bound(js, id);

	while (i < js->n && !js->v[i].job)
		i++;
	return i < js->n ? js->v[i].job : NULL;
}

struct job *jobs_at_or_before(const struct jobs *js, uint64_t id)
{
	size_t i = id == UINT64_MAX ? js->n : lower_bound(js, id + 1);

	while (i > 0 && !js->v[i - 1].job)
		i--;
	return i > 0 ? js->v[i - 1].job : NULL;
}

struct job *jobs_unfinished_at_or_after(const struct jobs *js, uint64_t id)
{
	size_t i = lower_bound(js, id);

	while (i < js->n) {
		const struct job *j = js->v[i].job;

		if (js->n_unfinished[i / STRETCH] == 0)
			i += STRETCH - i % STRETCH;
		else if (!j || j->state == JOB_FINISHED)
			i++;
		else
			return js->v[i].job;
	}
	return NULL;
}

struct job *jobs_find(const struct jobs *js, uint64_t id)
{
	size_t i = lower_bound(js, id);

	return i < js->n && js->v[i].id == id ? js->v[i].job : NULL;
}

struct job *jobs_find_name(
	const struct jobs *js, uint32_t uid, bool any_uid, const char *name)
{
	struct job *newest = NULL;

	for (struct job *j = hashmap_get(js->by_name, name); j; j = j->older_namesake) {
		if (!any_uid && j->uid != uid)
			continue;
		if (j->state != JOB_FINISHED)
			return j;
		if (!newest)
			newest = j;
	}
	return newest;
}

/* ---- in the order of their ends ------------------------------------------------------- */

static bool ended_before(const struct job *a, const struct job *b)
{
	return a->finished_usec != b->finished_usec
		       ? a->finished_usec < b->finished_usec
		       : a->id < b->id;
}

/* Mostly the end is the place: one that finished later was hardly published before. The
 * search has a bound, or a clock that was set back would make every end a walk through all
 * that finished before; what stays too far up then is beyond any page. */
static void link_end(struct jobs *js, struct job *j)
{
	struct list *at = &js->finished;

	for (unsigned n = 0; n < OVERTAKEN && at->prev != &js->finished; n++) {
		if (!ended_before(j, LIST_ENTRY(at->prev, struct job, by_end)))
			break;
		at = at->prev;
	}
	list_insert_before(at, &j->by_end);
}

static int by_end(const void *a, const void *b)
{
	const struct job *x = *(struct job *const *)a, *y = *(struct job *const *)b;

	return ended_before(y, x) - ended_before(x, y);
}

int jobs_loaded(struct jobs *js)
{
	_cleanup_free_ struct job **v = NULL;
	size_t n = 0;

	v = calloc(js->n_state[JOB_FINISHED] + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < js->n; i++)
		if (js->v[i].job && js->v[i].job->state == JOB_FINISHED)
			v[n++] = js->v[i].job;
	qsort(v, n, sizeof(struct job *), by_end);
	list_init(&js->finished);
	for (size_t i = 0; i < n; i++)
		list_append(&js->finished, &v[i]->by_end);
	js->loaded = true;
	return 0;
}

struct job *jobs_finished_before(const struct jobs *js, const struct job *j)
{
	const struct list *at = j ? &j->by_end : &js->finished;

	return at->prev == &js->finished ? NULL
					 : LIST_ENTRY(at->prev, struct job, by_end);
}

/* ---- how many ------------------------------------------------------------------------- */

size_t jobs_count(const struct jobs *js, enum job_state s)
{
	return js->n_state[s];
}

size_t jobs_unfinished(const struct jobs *js)
{
	return js->n - js->n_holes - js->n_state[JOB_FINISHED] + js->n_expected;
}

size_t jobs_unfinished_of(const struct jobs *js, uint32_t uid)
{
	return (uintptr_t)hashmap_get_u64(js->per_uid, (uint64_t)uid + 1);
}

static int count_uid(struct jobs *js, uint32_t uid, int delta)
{
	uintptr_t n = (uintptr_t)hashmap_remove_u64(js->per_uid, (uint64_t)uid + 1);

	n += (uintptr_t)delta;
	if (n == 0)
		return 0;
	return hashmap_put_u64(js->per_uid, (uint64_t)uid + 1, (void *)n);
}

int jobs_expect(struct jobs *js, uint32_t uid, uint32_t n)
{
	int r = count_uid(js, uid, (int)n);

	if (r >= 0)
		js->n_expected += n;
	return r;
}

void jobs_expect_no_more(struct jobs *js, uint32_t uid, uint32_t n)
{
	js->n_expected -= n;
	count_uid(js, uid, -(int)n);
}

/* slots from that one on have moved */
static void count_stretches(struct jobs *js, size_t from)
{
	for (size_t s = from / STRETCH; s * STRETCH < js->n; s++) {
		js->n_unfinished[s] = 0;
		for (size_t i = s * STRETCH; i < MIN(js->n, (s + 1) * STRETCH); i++)
			if (js->v[i].job && js->v[i].job->state != JOB_FINISHED)
				js->n_unfinished[s]++;
	}
}

static int grow(struct jobs *js)
{
	size_t n_max = js->n_max ? 2 * js->n_max : STRETCH;
	uint16_t *counts;
	struct slot *v;

	if (js->n < js->n_max)
		return 0;
	counts = reallocarray(js->n_unfinished, n_max / STRETCH, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	memset(counts + js->n_max / STRETCH, 0,
		(n_max - js->n_max) / STRETCH * sizeof(*counts));
	js->n_unfinished = counts;
	v = reallocarray(js->v, n_max, sizeof(*v));
	if (!v)
		return -ENOMEM;
	js->v = v;
	js->n_max = n_max;
	return 0;
}

/* into the line of those of that name, in its place by the id */
static void link_older(struct job *newer, struct job *j)
{
	while (newer->older_namesake && newer->older_namesake->id > j->id)
		newer = newer->older_namesake;
	j->newer_namesake = newer;
	j->older_namesake = newer->older_namesake;
	if (j->older_namesake)
		j->older_namesake->newer_namesake = j;
	newer->older_namesake = j;
}

static int link_name(struct jobs *js, struct job *j)
{
	struct job *newer;
	char buf[65];
	const char *name = job_name(j, buf);
	void *old = NULL;
	int r;

	if (!name)
		return 0;
	newer = hashmap_get(js->by_name, name);
	if (newer && newer->id > j->id) {
		link_older(newer, j);
		return 0;
	}
	r = hashmap_set(js->by_name, name, j, &old);
	if (r < 0)
		return r;
	j->older_namesake = old;
	if (old)
		j->older_namesake->newer_namesake = j;
	return 0;
}

static void unlink_name(struct jobs *js, struct job *j)
{
	char buf[65];
	const char *name = job_name(j, buf);
	void *old;

	if (!name)
		return;
	if (j->older_namesake)
		j->older_namesake->newer_namesake = j->newer_namesake;
	if (j->newer_namesake)
		j->newer_namesake->older_namesake = j->older_namesake;
	else if (j->older_namesake)
		(void)!hashmap_set(
			js->by_name, name, j->older_namesake, &old); /* is there */
	else
		hashmap_remove(js->by_name, name);
}

static void note_place(struct jobs *js, const struct job *j)
{
	js->place_first = MIN(js->place_first, (int64_t)j->place);
	js->place_last = MAX(js->place_last, (int64_t)j->place);
}

int jobs_add(struct jobs *js, struct job *j)
{
	size_t i;
	int r;

	INVARIANT(j->id && (j->demand || j->state == JOB_FINISHED));
	r = grow(js);
	if (r < 0)
		return r;
	r = link_name(js, j);
	if (r < 0)
		return r;
	if (j->state != JOB_FINISHED) {
		r = schedule_jobs_counts((enum job_state)j->state)
			    ? schedule_jobs_add(js->core->schedule_jobs, j)
			    : 0;
		if (r >= 0)
			r = count_uid(js, j->uid, 1);
		if (r < 0) {
			schedule_jobs_remove(js->core->schedule_jobs, j);
			unlink_name(js, j);
			return r;
		}
	}
	i = js->n;
	while (i > 0 && js->v[i - 1].id > j->id)
		i--;
	memmove(&js->v[i + 1], &js->v[i], (js->n - i) * sizeof(js->v[0]));
	js->v[i] = (struct slot){.id = j->id, .job = j};
	js->n++;
	js->n_state[j->state]++;
	note_place(js, j);
	if (i + 1 < js->n)
		count_stretches(js, i);
	else if (j->state != JOB_FINISHED)
		js->n_unfinished[i / STRETCH]++;
	if (js->loaded)
		events_note(js->core->events, j, EVENT_NO_JOB, j->state);
	return 0;
}

int64_t jobs_place_first(const struct jobs *js)
{
	return js->place_first;
}

int64_t jobs_place_last(const struct jobs *js)
{
	return js->place_last;
}

static void tell_watchers(struct job *j)
{
	struct list *node;

	while ((node = list_pop(&j->watchers))) {
		struct job_watch *w = LIST_ENTRY(node, struct job_watch, link);

		w->fn(w, j);
	}
}

static void tell_change(struct job *j)
{
	LIST_FOREACH(node, &j->watchers) {
		struct job_watch *w = LIST_ENTRY(node, struct job_watch, link);

		if (w->every_change)
			w->fn(w, j);
	}
}

static void compact(struct jobs *js)
{
	size_t n = 0;

	if (js->n_holes < 64 || js->n_holes < js->n / 2)
		return;
	for (size_t i = 0; i < js->n; i++)
		if (js->v[i].job)
			js->v[n++] = js->v[i];
	js->n = n;
	js->n_holes = 0;
	memset(js->n_unfinished, 0, js->n_max / STRETCH * sizeof(*js->n_unfinished));
	count_stretches(js, 0);
}

void jobs_wake_waiters(struct jobs *js)
{
	rv_event_set(&js->idle);
	rv_event_clear(&js->idle);
}

void jobs_forget(struct jobs *js, struct job *j)
{
	size_t i = lower_bound(js, j->id);

	INVARIANT(i < js->n && js->v[i].job == j && !j->run);
	scheduler_withdraw(js->core->scheduler, j);
	events_note(js->core->events, j, j->state, EVENT_NO_JOB);
	tell_watchers(j);
	unlink_name(js, j);
	js->v[i].job = NULL;
	js->n_holes++;
	js->n_state[j->state]--;
	if (j->state != JOB_FINISHED) {
		schedule_jobs_remove(js->core->schedule_jobs, j);
		count_uid(js, j->uid, -1);
		js->n_unfinished[i / STRETCH]--;
	} else {
		list_remove(&j->by_end);
	}
	envs_put(js->core->envs, j->env);
	jobs_drop_demand(js, j);
	job_free(j);
	compact(js);
	jobs_wake_waiters(js);
}

/* it has become unfinished, or it was that */
static void count_unfinished(struct jobs *js, const struct job *j, int delta)
{
	size_t i = lower_bound(js, j->id);

	INVARIANT(i < js->n && js->v[i].job == j);
	js->n_unfinished[i / STRETCH] += (uint16_t)delta;
	count_uid(js, j->uid, delta);
}

/* It runs, or is over: its deadline is of no use any more. Or its start was taken back. */
static void follow_deadline(struct jobs *js, const struct job *j, enum job_state before)
{
	bool matters = j->state == JOB_RUNNING || j->state == JOB_FINISHED ||
		       (before == JOB_STARTING && j->state == JOB_QUEUED);

	if (matters && js->core->deadlines && deadlines_add(js->core->deadlines, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: the deadline of job %" PRIu64
			" counts after a restart only",
			j->id);
}

/* the next of its schedule waits for it, or does not any more */
static void follow_schedule(struct jobs *js, const struct job *j, enum job_state before)
{
	bool was = schedule_jobs_counts(before),
	     is = schedule_jobs_counts((enum job_state)j->state);

	if (was && !is)
		schedule_jobs_remove(js->core->schedule_jobs, j);
	else if (!was && is && schedule_jobs_add(js->core->schedule_jobs, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: job %" PRIu64
			" may overlap with the next of its schedule",
			j->id);
}

void job_publish(struct jobs *js, struct job *j, const struct store_job *rec)
{
	enum job_state before = j->state;

	if (before != rec->state) {
		INVARIANT(job_may_go[before][rec->state]);
		js->n_state[before]--;
		js->n_state[rec->state]++;
		log_at(LOG_DEBUG, "job", "job %" PRIu64 ": %s -> %s%s%s", j->id,
			job_state_name[before], job_state_name[rec->state],
			rec->state == JOB_FINISHED ? ", " : "",
			rec->state == JOB_FINISHED ? job_result_name[rec->result] : "");
	}
	INVARIANT(rec->state != JOB_FINISHED || !job_is_in_order(j));
	if (before == JOB_FINISHED && rec->state != JOB_FINISHED)
		list_remove(&j->by_end);
	job_apply(j, rec);
	note_place(js, j);
	if (before != JOB_FINISHED && j->state == JOB_FINISHED) {
		link_end(js, j);
		count_unfinished(js, j, -1);
		jobs_drop_demand(js, j);
		tell_watchers(j);
	} else if (before == JOB_FINISHED && j->state != JOB_FINISHED) {
		INVARIANT(j->demand);
		count_unfinished(js, j, 1);
	}
	if (before == j->state)
		return;
	follow_schedule(js, j, before);
	if (j->has_deadline)
		follow_deadline(js, j, before);
	dependents_changed(js->core, j, before);
	events_note(js->core->events, j, before, j->state);
	tell_change(j);
}

void jobs_respec(struct jobs *js, struct job *j, void *spec, size_t spec_len)
{
	INVARIANT(!job_is_in_order(j));
	unlink_name(js, j);
	j->older_namesake = j->newer_namesake = NULL;
	job_set_spec(j, spec, spec_len);
	if (link_name(js, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: job %" PRIu64
			" is known by its id alone until the next start",
			j->id);
}

void job_begin(struct jobs *js, struct job *j)
{
	INVARIANT(!j->busy);
	j->busy = true;
	scheduler_withdraw(js->core->scheduler, j);
}

void job_end(struct jobs *js, struct job *j)
{
	INVARIANT(j->busy);
	j->busy = false;
	scheduler_place(js->core->scheduler, j);
	if (j->state == JOB_WAITING)
		dependents_look(js->core->dependents, j);
	jobs_wake_waiters(js);
}

int jobs_wait_change(struct jobs *js)
{
	return rv_event_wait(&js->idle);
}

bool jobs_is_unsettled(const struct jobs *js, const struct job *j)
{
	/* of a run that an earlier daemon left recovery has not told yet what became */
	return j->busy ||
	       (!j->run && job_state_is_active((enum job_state)j->state) &&
		       scheduler_is_blocked(js->core->scheduler, BLOCK_STARTUP));
}

int jobs_wait_idle(struct jobs *js, uint64_t id, struct job **ret)
{
	for (;;) {
		struct job *j = jobs_find(js, id);
		int r;

		if (!j)
			return 0;
		if (!jobs_is_unsettled(js, j)) {
			*ret = j;
			return 1;
		}
		r = committer_error(js->core->committer);
		if (r == 0)
			r = rv_event_wait(&js->idle);
		if (r < 0)
			return r;
	}
}
