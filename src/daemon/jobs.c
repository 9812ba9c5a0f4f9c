#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/envs.h"
#include "daemon/events.h"
#include "daemon/jobs_priv.h"
#include "daemon/schedule_jobs.h"
#include "daemon/scheduler.h"

enum {
	ID_BLOCK = 4096,  /* ids that one synced record reserves */
	OVERTAKEN = 4096, /* an end is put below so many later ones, no more */
	STRETCH = 256,    /* slots whose unfinished jobs are counted together */
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

/* Index of the first slot with an id >= id. Ids grow by one at least, so that the first and the
 * last tell how far it can be from either end: where none is missing, that is the place. */
static size_t lower_bound(const struct jobs *js, uint64_t id)
{
	size_t lo = 0, hi = js->n;

	if (hi == 0 || id <= js->v[0].id)
		return 0;
	if (id > js->v[hi - 1].id)
		return hi;
	if (id - js->v[0].id < hi)
		hi = (size_t)(id - js->v[0].id);
	if (js->v[js->n - 1].id - id < js->n)
		lo = js->n - 1 - (size_t)(js->v[js->n - 1].id - id);
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

struct job *jobs_finished_at_or_after(const struct jobs *js, uint64_t id)
{
	size_t i = lower_bound(js, id);

	while (i < js->n) {
		const struct job *j = js->v[i].job;

		if (js->n_unfinished[i / STRETCH] == STRETCH)
			i += STRETCH - i % STRETCH;
		else if (!j || j->state != JOB_FINISHED)
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
void jobs_link_end(struct jobs *js, struct job *j)
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
	return js->n - js->n_holes - js->n_state[JOB_FINISHED] - js->n_callbacks -
	       js->n_services + js->n_expected;
}

size_t jobs_count_of_services(const struct jobs *js, enum job_state s)
{
	return js->n_service_state[s];
}

size_t jobs_callbacks(const struct jobs *js)
{
	return js->n_callbacks;
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

static int count_job(struct jobs *js, const struct job *j, int delta)
{
	if (j->is_callback)
		js->n_callbacks += (size_t)delta;
	else if (j->of_service)
		js->n_services += (size_t)delta;
	else
		return count_uid(js, j->uid, delta);
	return 0;
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

void jobs_count_unfinished(struct jobs *js, const struct job *j, int delta)
{
	size_t i = lower_bound(js, j->id);

	INVARIANT(i < js->n && js->v[i].job == j);
	js->n_unfinished[i / STRETCH] += (uint16_t)delta;
	count_job(js, j, delta);
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

void jobs_note_place(struct jobs *js, const struct job *j)
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
	r = jobs_link_name(js, j);
	if (r < 0)
		return r;
	r = callbacks_add(js->core, j);
	if (r < 0) {
		jobs_unlink_name(js, j);
		return r;
	}
	if (j->state != JOB_FINISHED) {
		r = schedule_jobs_counts((enum job_state)j->state)
			    ? schedule_jobs_add(js->core->schedule_jobs, j)
			    : 0;
		if (r >= 0)
			r = count_job(js, j, 1);
		if (r < 0) {
			schedule_jobs_remove(js->core->schedule_jobs, j);
			callbacks_forget(js->core, j);
			jobs_unlink_name(js, j);
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
	js->n_service_state[j->state] += j->of_service;
	if (job_may_run(j))
		demand_note_listed(j->demand, 1);
	jobs_note_place(js, j);
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

void jobs_forget(struct jobs *js, struct job *j)
{
	size_t i = lower_bound(js, j->id);

	INVARIANT(i < js->n && js->v[i].job == j && !j->run);
	scheduler_withdraw(js->core->scheduler, j);
	events_note(js->core->events, j, j->state, EVENT_NO_JOB);
	job_tell_watchers(j);
	jobs_unlink_name(js, j);
	callbacks_forget(js->core, j);
	if (job_may_run(j))
		demand_note_listed(j->demand, -1);
	js->v[i].job = NULL;
	js->n_holes++;
	js->n_state[j->state]--;
	js->n_service_state[j->state] -= j->of_service;
	if (j->state != JOB_FINISHED) {
		schedule_jobs_remove(js->core->schedule_jobs, j);
		count_job(js, j, -1);
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
