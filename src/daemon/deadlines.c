#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/heap.h"
#include "base/log.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/jobs.h"
#include "daemon/retention.h"
#include "reeve/loop.h"

/* how long it is left alone when it cannot be recorded that it gives up */
#define RETRY_AFTER RV_SEC(5)

struct deadline {
	struct heap_node node;
	int64_t usec;
	uint64_t job_id;
};

struct deadlines {
	struct core *core;
	rv_loop *loop;
	struct heap heap;
	struct hashmap *by_job;
	rv_handle timer;
	bool armed;
	int64_t armed_at;
	rv_event passed; /* the first has */
};

static struct deadline *deadline_of(const struct heap_node *node)
{
	return CONTAINER_OF((struct heap_node *)node, struct deadline, node);
}

static bool passes_before(const struct heap_node *a, const struct heap_node *b)
{
	return deadline_of(a)->usec < deadline_of(b)->usec;
}

int deadlines_new(struct deadlines **ret, struct core *core, rv_loop *loop)
{
	struct deadlines *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->core = core;
	d->loop = loop;
	heap_init(&d->heap, passes_before);
	rv_event_init(&d->passed);
	if (hashmap_new(&d->by_job, HASHMAP_U64) < 0)
		return deadlines_free(d), -ENOMEM;
	*ret = d;
	return 0;
}

struct deadlines *deadlines_free(struct deadlines *d)
{
	struct heap_node *node;

	if (!d)
		return NULL;
	if (d->armed)
		rv_handle_cancel(d->loop, d->timer);
	while ((node = heap_pop(&d->heap)))
		free(deadline_of(node));
	heap_deinit(&d->heap);
	hashmap_free(d->by_job);
	free(d);
	return NULL;
}

static void first_passed(void *arg)
{
	struct deadlines *d = arg;

	d->armed = false;
	rv_event_set(&d->passed);
}

/* The timer stands at the first. */
static void arm(struct deadlines *d)
{
	const struct heap_node *first = heap_peek(&d->heap);

	if (d->armed && (!first || deadline_of(first)->usec != d->armed_at)) {
		rv_handle_cancel(d->loop, d->timer);
		d->armed = false;
	}
	if (!first || d->armed)
		return;
	d->armed_at = deadline_of(first)->usec;
	d->timer = rv_call_at_wall(d->loop, d->armed_at, first_passed, d);
	d->armed = d->timer.p != NULL;
	if (!d->armed)
		rv_event_set(&d->passed); /* out of memory: the task looks again */
}

static void drop(struct deadlines *d, struct deadline *dl)
{
	(void)hashmap_remove_u64(d->by_job, dl->job_id);
	heap_remove(&d->heap, &dl->node);
	free(dl);
}

/* of one that has not started; false: it has none (any more) */
static bool deadline_get(int64_t *ret_usec, const struct job *j)
{
	return job_spec_peek_num(ret_usec, j->spec, j->spec_len, JOB_FIELD_DEADLINE) >
		       0 &&
	       j->state != JOB_FINISHED && j->n_runs == 0;
}

int deadlines_add(struct deadlines *d, const struct job *j)
{
	struct deadline *dl = hashmap_get_u64(d->by_job, j->id);
	int64_t usec;
	int r;

	if (!deadline_get(&usec, j)) {
		if (dl)
			drop(d, dl);
		arm(d);
		return 0;
	}
	if (dl && dl->usec == usec)
		return 0;
	if (dl)
		drop(d, dl);
	dl = calloc(1, sizeof(*dl));
	if (!dl)
		return -ENOMEM;
	dl->usec = usec;
	dl->job_id = j->id;
	r = hashmap_put_u64(d->by_job, j->id, dl);
	if (r >= 0)
		r = heap_push(&d->heap, &dl->node);
	if (r < 0) {
		(void)hashmap_remove_u64(d->by_job, j->id);
		free(dl);
		return r;
	}
	arm(d);
	return 0;
}

bool deadlines_passed(const struct deadlines *d, const struct job *j)
{
	const struct deadline *dl =
		j->has_deadline ? hashmap_get_u64(d->by_job, j->id) : NULL;

	return dl && dl->usec <= clock_wall_usec(d->core->clock);
}

/* 0: it has started, ended, or given up; -EAGAIN: not to be recorded now; -ECANCELED */
static int give_up(struct deadlines *d, uint64_t id)
{
	struct core *core = d->core;
	_cleanup_(txn_freep) struct txn *t = NULL;
	struct store_job rec;
	struct job *j;
	int64_t usec;
	int r;

	r = jobs_wait_idle(core->jobs, id, &j);
	if (r <= 0)
		return r == 0 || r == -ECANCELED ? r : -EAGAIN;
	if (!deadline_get(&usec, j) || usec > clock_wall_usec(core->clock) || j->run ||
		job_state_is_active((enum job_state)j->state))
		return 0;
	job_record(j, &rec);
	rec.state = JOB_FINISHED;
	rec.result = JOB_RESULT_SKIPPED;
	rec.finished_usec = clock_wall_usec(core->clock);
	rec.due_usec = 0;
	rec.reason = "it had not started by its deadline";
	t = txn_new();
	if (!t || callbacks_record_end(core, j, &rec, t) < 0)
		return -EAGAIN;
	job_begin(core->jobs, j);
	r = committer_commit(core->committer, TAKE_PTR(t), 0);
	if (r >= 0) {
		log_at(LOG_INFO, "job",
			"job %" PRIu64 " had not started by its deadline", id);
		job_publish(core->jobs, j, &rec);
		retention_jobs_finished(core->retention);
	}
	job_end(core->jobs, j);
	return r < 0 ? -EAGAIN : 0;
}

int deadlines_main(void *deadlines)
{
	struct deadlines *d = deadlines;
	int r = 0;

	while (r >= 0) {
		struct heap_node *node = heap_peek(&d->heap);
		struct deadline *dl = node ? deadline_of(node) : NULL;
		uint64_t id;

		if (!dl || dl->usec > clock_wall_usec(d->core->clock)) {
			arm(d);
			rv_event_clear(&d->passed);
			r = rv_event_wait(&d->passed);
			continue;
		}
		id = dl->job_id;
		r = give_up(d, id);
		if (r == -EAGAIN) {
			r = rv_sleep(RETRY_AFTER);
			continue;
		}
		/* it may have another one by now */
		dl = hashmap_get_u64(d->by_job, id);
		if (r == 0 && dl && dl->usec <= clock_wall_usec(d->core->clock))
			drop(d, dl);
	}
	return r == -ECANCELED ? 0 : r;
}
