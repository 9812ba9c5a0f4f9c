#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/core.h"
#include "daemon/disk_guard.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"
#include "daemon/supervisor.h"

/* Runs that last less on average are started ahead of a free slot, so many that they begin
 * within that time. */
static const int64_t short_usec = 20 * 1000, unknown_usec = 200 * 1000;
static const rv_time hold_off_first = RV_MS(100), hold_off_last = RV_SEC(5);

struct scheduler {
	struct core *core;
	rv_loop *loop;
	struct pool **pools;
	size_t n_pools;
	struct heap due; /* of struct job.order, by struct job.due */
	unsigned blocks; /* enum scheduler_block */
	rv_handle look;  /* valid while look_pending */
	rv_handle timer;
	bool look_pending, timer_armed;
	rv_time timer_at;
	rv_timer retry; /* ends BLOCK_RETRY */
	rv_time retry_delay;
	bool unplaced; /* some job has no place in the order for want of memory */
};

static struct job *job_of(const struct heap_node *node)
{
	return CONTAINER_OF((struct heap_node *)node, struct job, order);
}

static void retry_now(void *arg)
{
	scheduler_block(arg, BLOCK_RETRY, false);
}

static bool starts_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct job *x = job_of(a), *y = job_of(b);

	if (x->priority != y->priority)
		return x->priority > y->priority;
	return x->id < y->id;
}

static bool due_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct job *x = job_of(a), *y = job_of(b);

	return x->due != y->due ? x->due < y->due : x->id < y->id;
}

int scheduler_new(struct scheduler **ret, struct core *core, rv_loop *loop)
{
	struct scheduler *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->core = core;
	s->loop = loop;
	heap_init(&s->due, due_before);
	rv_timer_init(&s->retry, loop, retry_now, s);
	s->retry_delay = hold_off_first;
	*ret = s;
	return 0;
}

static void drop_all(struct heap *h)
{
	while (heap_pop(h))
		;
	heap_deinit(h);
}

struct scheduler *scheduler_free(struct scheduler *s)
{
	if (!s)
		return NULL;
	if (s->look_pending)
		rv_handle_cancel(s->loop, s->look);
	if (s->timer_armed)
		rv_handle_cancel(s->loop, s->timer);
	rv_timer_stop(&s->retry);
	for (size_t i = 0; i < s->n_pools; i++) {
		drop_all(&s->pools[i]->ready);
		drop_all(&s->pools[i]->ready_functions);
		free(s->pools[i]);
	}
	drop_all(&s->due);
	free(s->pools);
	free(s);
	return NULL;
}

struct pool *scheduler_pool(const struct scheduler *s, const char *name)
{
	for (size_t i = 0; i < s->n_pools; i++)
		if (STREQ(s->pools[i]->name, name))
			return s->pools[i];
	return NULL;
}

size_t scheduler_n_pools(const struct scheduler *s)
{
	return s->n_pools;
}

struct pool *scheduler_pool_at(const struct scheduler *s, size_t i)
{
	return s->pools[i];
}

/* FNV-1a: the same for each reeved that has the pool, and never 0 */
static uint64_t gate_of(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

unsigned pool_gate_slots(const struct pool *p)
{
	return p->slots > p->n_strayed ? p->slots - p->n_strayed : 0;
}

void pool_note_run(struct pool *p, int64_t usec)
{
	p->lasts_usec += (MIN(MAX(usec, 0), unknown_usec) - p->lasts_usec) / 8;
}

void pool_note_recall(struct pool *p)
{
	p->lasts_usec = unknown_usec;
}

/* how many may be started beyond the slots */
static unsigned ahead_max(const struct pool *p)
{
	unsigned slots = pool_gate_slots(p);

	if (slots == 0 || p->lasts_usec > short_usec)
		return 0;
	return (unsigned)MIN(
		slots * short_usec / MAX(p->lasts_usec, 1), (int64_t)POOL_AHEAD_MAX);
}

/* No start that waits may begin under the old limit. */
static void recall_all(struct scheduler *s, const struct pool *p)
{
	struct jobs *js = s->core->jobs;

	for (struct job *j = p->n_ahead ? jobs_at_or_after(js, 1) : NULL; j;
		j = jobs_at_or_after(js, j->id + 1))
		if (j->pool == p && j->run && j->run->ahead)
			run_request_recall(j->run);
}

int scheduler_set_pool(struct scheduler *s, const char *name, unsigned slots)
{
	struct pool *p = scheduler_pool(s, name);

	if (!p) {
		struct pool **v = reallocarray(s->pools, s->n_pools + 1, sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->pools = v;
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		snprintf(p->name, sizeof(p->name), "%s", name);
		heap_init(&p->ready, starts_before);
		heap_init(&p->ready_functions, starts_before);
		v[s->n_pools++] = p;
		p->gate = gate_of(name);
		p->lasts_usec = unknown_usec;
	}
	if (slots < p->slots)
		recall_all(s, p);
	p->slots = slots;
	scheduler_kick(s);
	return 0;
}

/* ---- the order ---------------------------------------------------------------------- */

static struct heap *ready_heap(const struct job *j)
{
	return j->is_function ? &j->pool->ready_functions : &j->pool->ready;
}

static void due_now(void *arg);

/* the timer stands at the first due job, and only there */
static void arm(struct scheduler *s)
{
	const struct heap_node *first = heap_peek(&s->due);

	if (s->timer_armed && (!first || job_of(first)->due != s->timer_at)) {
		rv_handle_cancel(s->loop, s->timer);
		s->timer_armed = false;
	}
	if (first && !s->timer_armed) {
		s->timer_at = job_of(first)->due;
		s->timer = rv_call_at_boot(s->loop, s->timer_at, due_now, s);
		s->timer_armed = s->timer.p != NULL;
		if (!s->timer_armed)
			scheduler_hold_off(s); /* armed when that is over */
	}
}

/* It has no place in the order: all that have none are placed when the hold-off is over. */
static void no_place(struct scheduler *s, const struct job *j)
{
	log_at(LOG_ERR, "job", "out of memory: job %" PRIu64 " is put off", j->id);
	s->unplaced = true;
	scheduler_hold_off(s);
}

static void place_all(struct scheduler *s)
{
	struct jobs *js = s->core->jobs;

	s->unplaced = false;
	for (struct job *j = jobs_at_or_after(js, 1); j && !s->unplaced;
		j = jobs_at_or_after(js, j->id + 1))
		scheduler_place(s, j);
}

static int become_queued(struct scheduler *s, struct job *j)
{
	struct store_job rec;

	/* Not committed: being due follows from the record, also after a restart. */
	job_record(j, &rec);
	rec.state = JOB_QUEUED;
	rec.due_usec = 0;
	job_publish(s->core->jobs, j, &rec);
	return heap_push(ready_heap(j), &j->order);
}

static void due_now(void *arg)
{
	struct scheduler *s = arg;
	rv_time now = clock_boottime(s->core->clock);
	struct heap_node *node;

	s->timer_armed = false;
	while ((node = heap_peek(&s->due)) && job_of(node)->due <= now) {
		heap_pop(&s->due);
		if (become_queued(s, job_of(node)) < 0)
			no_place(s, job_of(node));
	}
	arm(s);
	scheduler_kick(s);
}

void scheduler_place(struct scheduler *s, struct job *j)
{
	int r = 0;

	if (j->busy || j->run || job_is_in_order(j))
		return;
	if (j->state == JOB_QUEUED) {
		r = heap_push(ready_heap(j), &j->order);
		scheduler_kick(s);
	} else if (j->state == JOB_BACKOFF || j->state == JOB_DELAYED) {
		r = heap_push(&s->due, &j->order);
		arm(s);
	}
	if (r < 0)
		no_place(s, j);
}

void scheduler_withdraw(struct scheduler *s, struct job *j)
{
	if (!job_is_in_order(j))
		return;
	if (j->state == JOB_QUEUED) {
		heap_remove(ready_heap(j), &j->order);
	} else {
		heap_remove(&s->due, &j->order);
		arm(s);
	}
}

/* ---- starting ----------------------------------------------------------------------- */

/* Starts what is first in order, while there are slots, and n_ahead beyond them. */
static void fill(struct scheduler *s, struct heap *ready, unsigned *n_taken,
	unsigned n_slots, unsigned n_ahead)
{
	struct heap_node *node;

	while (*n_taken < n_slots + n_ahead && (node = heap_pop(ready))) {
		bool ahead = *n_taken >= n_slots;

		++*n_taken;
		if (supervisor_start(s->core, job_of(node), ahead) < 0) {
			--*n_taken;
			heap_push(
				ready, node); /* there is room: it was just taken out */
			scheduler_hold_off(s);
			return;
		}
	}
}

static void look(void *arg)
{
	struct scheduler *s = arg;

	s->look_pending = false;
	disk_guard_look(s->core->disk);
	if (s->blocks)
		return;
	arm(s);
	if (s->unplaced)
		place_all(s);
	for (size_t i = 0; i < s->n_pools && !s->blocks; i++) {
		struct pool *p = s->pools[i];

		fill(s, &p->ready, &p->n_taken, p->slots, ahead_max(p));
		if (!s->blocks)
			fill(s, &p->ready_functions, &p->n_functions,
				(unsigned)config_num(s->core->config, FUNCTIONS_MAX),
				0);
	}
}

void scheduler_kick(struct scheduler *s)
{
	if (s->look_pending || s->blocks)
		return;
	s->look = rv_call_soon(s->loop, look, s);
	s->look_pending = s->look.p != NULL;
	if (!s->look_pending)
		scheduler_hold_off(s);
}

void scheduler_hold_off(struct scheduler *s)
{
	if (s->blocks & BLOCK_RETRY)
		return;
	s->blocks |= BLOCK_RETRY;
	/* an embedded timer: there may be no memory for anything else */
	rv_timer_start(&s->retry, rv_loop_now(s->loop) + s->retry_delay);
	s->retry_delay = MIN(2 * s->retry_delay, hold_off_last);
}

void scheduler_start_succeeded(struct scheduler *s)
{
	s->retry_delay = hold_off_first;
}

static unsigned *slots_of(const struct job *j)
{
	return j->is_function ? &j->pool->n_functions : &j->pool->n_taken;
}

void scheduler_take_slot(struct scheduler *s, const struct job *j)
{
	++*slots_of(j);
}

void scheduler_release_slot(struct scheduler *s, const struct job *j)
{
	INVARIANT(*slots_of(j) > 0);
	--*slots_of(j);
	scheduler_kick(s);
}

void scheduler_block(struct scheduler *s, enum scheduler_block why, bool on)
{
	unsigned before = s->blocks;

	s->blocks = on ? before | why : before & ~(unsigned)why;
	if (before && !s->blocks)
		scheduler_kick(s);
}

bool scheduler_is_blocked(const struct scheduler *s, enum scheduler_block why)
{
	return s->blocks & why;
}

char *pool_problem(const struct pool *p)
{
	char *text = NULL;

	if (!pool_is_gone(p) || p->ready.n == 0 ||
		asprintf(&text,
			"the configuration has no [pool %s] any more, and %zu %s in it",
			p->name, p->ready.n,
			p->ready.n == 1 ? "job waits" : "jobs wait") < 0)
		return NULL;
	return text;
}

static const struct {
	enum scheduler_block why;
	const char *text;
} block_text[] = {
	{BLOCK_STARTUP, "the daemon is starting"},
	{BLOCK_SHUTDOWN, "the daemon is shutting down"},
	{BLOCK_STORE, "the store cannot be written"},
	{BLOCK_DISK, "free disk space is below min-free"},
	{BLOCK_SPAWNER, "the spawner is not there"},
	{BLOCK_RETRY, "the last start failed, the next try is soon"},
};

const char *scheduler_why(
	const struct scheduler *s, const struct job *j, char *buf, size_t size)
{
	switch ((enum job_state)j->state) {
	case JOB_HELD:
		snprintf(buf, size, "it is held%s%s%s: reeve release %" PRIu64,
			j->reason ? " (" : "", j->reason ? j->reason : "",
			j->reason ? ")" : "", j->id);
		return buf;
	case JOB_QUEUED:
		for (size_t i = 0; i < ARRAY_LEN(block_text); i++)
			if (s->blocks & block_text[i].why) {
				snprintf(buf, size, "nothing starts: %s",
					block_text[i].text);
				return buf;
			}
		if (j->is_function) {
			snprintf(buf, size,
				"in pool '%s' %u of %" PRId64
				" functions go on (functions-max)",
				j->pool->name, j->pool->n_functions,
				config_num(s->core->config, FUNCTIONS_MAX));
			return buf;
		}
		if (pool_is_gone(j->pool)) {
			snprintf(buf, size,
				"the configuration has no [pool %s] any more",
				j->pool->name);
			return buf;
		}
		snprintf(buf, size, "pool '%s' has %u of %u slots taken", j->pool->name,
			j->pool->n_taken - j->pool->n_ahead, j->pool->slots);
		return buf;
	case JOB_BACKOFF:
		snprintf(buf, size, "it failed and is run again later");
		return buf;
	case JOB_DELAYED: snprintf(buf, size, "its time has not come"); return buf;
	case JOB_WAITING: snprintf(buf, size, "it waits for other jobs"); return buf;
	case JOB_STARTING:
		snprintf(buf, size, "it is %s",
			j->run && j->run->ahead
				? "about to get the next slot of its pool"
				: "being started");
		return buf;
	case JOB_PAUSED:
		snprintf(buf, size, "it is paused: reeve resume %" PRIu64, j->id);
		return buf;
	case JOB_RUNNING:
	case JOB_STOPPING:
	case JOB_FINISHED:
	case JOB_STATE_N: break;
	}
	return NULL;
}
