#include "config.h"

#include "daemon/ranking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "daemon/core.h"
#include "daemon/users.h"

struct ranked {
	struct heap_node node;
	const struct ranking *ranking;
	uint64_t id;
	struct job_sort_value values[JOB_SORT_MAX]; /* texts are owned */
};

/* what the texts of a job that is only looked at stand in */
struct texts {
	char name[65];
	char pools[JOB_POOLS_BYTES];
};

static struct ranked *ranked_of(const struct heap_node *node)
{
	return CONTAINER_OF(node, struct ranked, node);
}

/* the heap gives back first what comes last, to make room for what comes before it */
static bool comes_behind(const struct heap_node *a, const struct heap_node *b)
{
	const struct ranked *x = ranked_of(a), *y = ranked_of(b);

	return job_sort_compare(&x->ranking->sort, x->values, x->id, y->values, y->id) >
	       0;
}

void ranking_init(struct ranking *rk, struct core *core, const struct job_sort *sort,
	size_t n_max)
{
	*rk = (struct ranking){
		.core = core,
		.sort = *sort,
		.now_usec = clock_wall_usec(core->clock),
		.n_max = n_max,
	};
	heap_init(&rk->heap, comes_behind);
}

static void drop_texts(struct ranked *r)
{
	for (size_t i = 0; i < r->ranking->sort.n; i++)
		if (job_sort_is_text(r->ranking->sort.keys[i]))
			free((char *)r->values[i].text);
}

static struct ranked *ranked_free(struct ranked *r)
{
	drop_texts(r);
	free(r);
	return NULL;
}

void ranking_deinit(struct ranking *rk)
{
	struct heap_node *node;

	while (rk->heap.n > 0 && (node = heap_pop(&rk->heap)))
		ranked_free(ranked_of(node));
	heap_deinit(&rk->heap);
}

/* ---- what jobs are sorted by -------------------------------------------------------------- */

static int64_t or_none(int64_t n, bool is_known)
{
	return is_known ? n : JOB_SORT_NONE;
}

/* none while it waits for its next run: as in lists, no time passes then */
static int64_t run_time(const struct ranking *rk, const struct job *j)
{
	bool ended = j->state == JOB_FINISHED;

	if (!j->started_usec || (!ended && !job_state_is_active(j->state)))
		return JOB_SORT_NONE;
	return (ended ? j->finished_usec : rk->now_usec) - j->started_usec;
}

static int64_t exit_number(const struct job *j)
{
	if (j->exit_code >= 0)
		return j->exit_code;
	return or_none(128 + (int64_t)j->signal, j->signal > 0);
}

static struct job_sort_value value_of(const struct ranking *rk, const struct job *j,
	enum job_sort_key key, struct texts *texts)
{
	struct job_sort_value v = {.num = JOB_SORT_NONE};

	switch (key) {
	case JOB_SORT_NAME: v.text = job_name(j, texts->name); break;
	case JOB_SORT_POOL: v.text = job_pools(j, texts->pools); break;
	case JOB_SORT_USER: v.text = users_name(rk->core->users, j->uid); break;
	case JOB_SORT_ID: v.num = (int64_t)j->id; break;
	case JOB_SORT_STATE: v.num = j->state; break;
	case JOB_SORT_RESULT:
		v.num = or_none(j->result, j->result != JOB_RESULT_NONE);
		break;
	case JOB_SORT_EXIT: v.num = exit_number(j); break;
	case JOB_SORT_PRIORITY: v.num = j->priority; break;
	case JOB_SORT_SUBMITTED: v.num = j->submitted_usec; break;
	case JOB_SORT_STARTED:
		v.num = or_none(j->started_usec, j->started_usec != 0);
		break;
	case JOB_SORT_FINISHED:
		v.num = or_none(j->finished_usec, j->state == JOB_FINISHED);
		break;
	case JOB_SORT_DUE: v.num = or_none(j->due_usec, j->due_usec != 0); break;
	case JOB_SORT_TIME: v.num = run_time(rk, j); break;
	case JOB_SORT_RUNS: v.num = j->n_runs; break;
	case JOB_SORT_KEY_N: INVARIANT(!"an unknown key");
	}
	return v;
}

/* Values with texts of their own into r, which had none. 0, -ENOMEM: it has none then. */
static int keep_values(struct ranked *r, const struct job_sort_value *values)
{
	const struct job_sort *sort = &r->ranking->sort;

	for (size_t i = 0; i < sort->n; i++) {
		r->values[i] = values[i];
		if (!job_sort_is_text(sort->keys[i]) || !values[i].text)
			continue;
		r->values[i].text = strdup(values[i].text);
		if (r->values[i].text)
			continue;
		while (i-- > 0)
			if (job_sort_is_text(sort->keys[i]))
				free((char *)r->values[i].text);
		return -ENOMEM;
	}
	return 0;
}

int ranking_offer(struct ranking *rk, const struct job *j)
{
	struct job_sort_value values[JOB_SORT_MAX];
	struct heap_node *top = heap_peek(&rk->heap);
	struct texts texts;
	struct ranked *r = NULL;

	for (size_t i = 0; i < rk->sort.n; i++)
		values[i] = value_of(rk, j, rk->sort.keys[i], &texts);
	if (rk->heap.n == rk->n_max) {
		if (!top || job_sort_compare(&rk->sort, values, j->id,
				    ranked_of(top)->values, ranked_of(top)->id) > 0)
			return 0;
		r = ranked_of(heap_pop(&rk->heap));
		drop_texts(r);
	}
	if (!r && !(r = calloc(1, sizeof(*r))))
		return -ENOMEM;
	r->ranking = rk;
	r->id = j->id;
	if (keep_values(r, values) < 0) {
		free(r);
		return -ENOMEM;
	}
	if (heap_push(&rk->heap, &r->node) < 0) {
		ranked_free(r);
		return -ENOMEM;
	}
	return 0;
}

size_t ranking_count(const struct ranking *rk)
{
	return rk->heap.n;
}

void ranking_take(struct ranking *rk, uint64_t *ret_ids)
{
	struct heap_node *node;

	for (size_t i = rk->heap.n; i > 0; i--) {
		node = heap_pop(&rk->heap);
		ret_ids[i - 1] = ranked_of(node)->id;
		ranked_free(ranked_of(node));
	}
}
