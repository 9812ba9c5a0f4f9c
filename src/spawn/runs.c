/* The table of runs; see runs.h. */
#include "config.h"

#include "spawn/runs.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "spawn/child.h"

#define BUCKETS_MIN 256

static bool timer_before(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF((struct heap_node *)a, struct run, timer)->deadline <
	       CONTAINER_OF((struct heap_node *)b, struct run, timer)->deadline;
}

int runs_init(struct runs *rs)
{
	*rs = (struct runs){.n_buckets = BUCKETS_MIN};
	rs->buckets = calloc(rs->n_buckets, sizeof(*rs->buckets));
	if (!rs->buckets)
		return -ENOMEM;
	list_init(&rs->all);
	list_init(&rs->dirty);
	heap_init(&rs->timers, timer_before);
	return 0;
}

/* Job ids count up and come from a daemon of our own user: spreading them is enough,
 * there is nobody to defend against. Without the epoch, so that a run under another
 * epoch is found too. */
static struct run **bucket_of(const struct runs *rs, const struct spawn_token *t)
{
	uint64_t h = (t->job_id + t->run_no * UINT64_C(0x9e3779b9)) *
		     UINT64_C(0x9e3779b97f4a7c15);

	return &rs->buckets[(h >> 32) & (rs->n_buckets - 1)];
}

/* a table that cannot grow only gets slower */
static void grow(struct runs *rs)
{
	size_t n_buckets = rs->n_buckets * 4;
	struct run **buckets = calloc(n_buckets, sizeof(*buckets));

	if (!buckets)
		return;
	free(rs->buckets);
	rs->buckets = buckets;
	rs->n_buckets = n_buckets;
	LIST_FOREACH(it, &rs->all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);
		struct run **b = bucket_of(rs, &run->info.token);

		run->hash_next = *b;
		*b = run;
	}
}

static struct run *find_any_epoch(const struct runs *rs, const struct spawn_token *t)
{
	struct run *run = *bucket_of(rs, t);

	while (run && (run->info.token.job_id != t->job_id ||
			      run->info.token.run_no != t->run_no))
		run = run->hash_next;
	return run;
}

int runs_add(struct runs *rs, struct run **ret, const struct spawn_token *t)
{
	struct run **b, *run;
	int r;

	if (find_any_epoch(rs, t))
		return -EEXIST;
	if (t->epoch < rs->epoch)
		return -ESTALE;
	if (rs->n >= RUNS_MAX)
		return -RV_ELIMIT;
	/* room for its timer now: none of the later steps may fail */
	r = heap_reserve(&rs->timers, rs->n + 1);
	if (r < 0)
		return r;
	run = calloc(1, sizeof(*run));
	if (!run)
		return -ENOMEM;
	run->source.kind = SOURCE_RUN;
	run->info.token = *t;
	run->info.state = SPAWN_RUN_STARTING;
	run->ready_source.kind = SOURCE_READY;
	run->pidfd = run->stdin_fd = run->ready_fd = -1;
	run->deadline = RV_FOREVER;
	rs->epoch = t->epoch;
	if (rs->n >= rs->n_buckets)
		grow(rs);
	b = bucket_of(rs, t);
	run->hash_next = *b;
	*b = run;
	list_append(&rs->all, &run->all_link);
	rs->n++;
	rs->n_active++;
	*ret = run;
	return 0;
}

struct run *runs_find(const struct runs *rs, const struct spawn_token *t)
{
	struct run *run = find_any_epoch(rs, t);

	return run && run->info.token.epoch == t->epoch ? run : NULL;
}

struct run *runs_find_pid(const struct runs *rs, pid_t pid)
{
	LIST_FOREACH(it, &rs->all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);

		if (run->info.state == SPAWN_RUN_RUNNING && run->info.pid == pid)
			return run;
		/* on its way back from the starters: it may even have ended by now */
		if (run->info.state == SPAWN_RUN_STARTING && run->start &&
			run->start->child_pid == pid)
			return run;
	}
	return NULL;
}

void runs_remove(struct runs *rs, struct run *run)
{
	struct run **b = bucket_of(rs, &run->info.token);

	while (*b != run)
		b = &(*b)->hash_next;
	*b = run->hash_next;
	INVARIANT(!run->gate);
	if (run_is_active(run))
		rs->n_active--;
	rs->n--;
	heap_remove(&rs->timers, &run->timer);
	list_remove(&run->all_link);
	list_remove(&run->dirty_link);
	list_remove(&run->ended_link);
	close_safe(run->pidfd);
	close_safe(run->stdin_fd);
	close_safe(run->ready_fd);
	free(run->said);
	free(run->cgroup_leaf);
	free(run);
}

void runs_set_dirty(struct runs *rs, struct run *run)
{
	if (!list_is_linked(&run->dirty_link))
		list_append(&rs->dirty, &run->dirty_link);
}

void runs_set_deadline(struct runs *rs, struct run *run, rv_time deadline)
{
	run->deadline = deadline;
	if (deadline == RV_FOREVER)
		heap_remove(&rs->timers, &run->timer);
	else if (heap_node_is_linked(&run->timer))
		heap_update(&rs->timers, &run->timer);
	else
		INVARIANT(heap_push(&rs->timers, &run->timer) == 0); /* reserved */
}

rv_time runs_next_deadline(const struct runs *rs)
{
	struct heap_node *n = heap_peek(&rs->timers);

	return n ? CONTAINER_OF(n, struct run, timer)->deadline : RV_FOREVER;
}
