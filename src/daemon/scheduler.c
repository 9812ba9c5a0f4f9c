#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/strv.h"
#include "config/configuration.h"
#include "daemon/core.h"
#include "daemon/cpus.h"
#include "daemon/deadlines.h"
#include "daemon/disk_guard.h"
#include "daemon/jobs.h"
#include "daemon/scheduler_priv.h"
#include "daemon/services.h"
#include "daemon/supervisor.h"

/* In one turn of the loop; the rest has the next, after whoever else is ready. */
enum {
	DUE_AT_ONCE = 256,   /* jobs put in the order */
	STARTS_AT_ONCE = 64, /* each goes up to where its start waits to be recorded */
};

/* services that may be being started at a time, for each CPU */
enum { SERVICES_STARTING = 16 };

static const rv_time hold_off_first = RV_MS(100), hold_off_last = RV_SEC(5);

static struct job *job_of(const struct heap_node *node)
{
	return CONTAINER_OF((struct heap_node *)node, struct job, order);
}

static void clock_jumped(void *arg);

static void may_go_on(void *arg)
{
	scheduler_kick(arg);
}

static void retry_now(void *arg)
{
	scheduler_block(arg, BLOCK_RETRY, false);
}

static bool starts_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct job *x = job_of(a), *y = job_of(b);

	if (x->place != y->place)
		return x->place < y->place;
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
	if (admission_init(&s->admission, starts_before) < 0) {
		free(s);
		return -ENOMEM;
	}
	heap_init(&s->due, due_before);
	start_pace_init(
		&s->pace, loop, SERVICES_STARTING * cpus_available(), may_go_on, s);
	rv_timer_init(&s->rates, loop, may_go_on, s);
	rv_timer_init(&s->retry, loop, retry_now, s);
	s->retry_delay = hold_off_first;
	clock_jumps_add(&core->clock_jumps, &s->clock_watch, clock_jumped, s);
	*ret = s;
	return 0;
}

/* The table of jobs is gone already, and with it all demands and places. */
struct scheduler *scheduler_free(struct scheduler *s)
{
	if (!s)
		return NULL;
	if (s->look_pending)
		rv_handle_cancel(s->loop, s->look);
	if (s->timer_armed)
		rv_handle_cancel(s->loop, s->timer);
	start_pace_deinit(&s->pace);
	rv_timer_stop(&s->rates);
	rv_timer_stop(&s->retry);
	clock_jumps_remove(&s->clock_watch);
	admission_deinit(&s->admission);
	heap_deinit(&s->due);
	free(s);
	return NULL;
}

/* ---- the order ---------------------------------------------------------------------- */

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
	return demand_add(&s->admission, j->demand, &j->order);
}

/* the first that is due by then; NULL */
static struct job *first_due(const struct scheduler *s, rv_time now)
{
	const struct heap_node *node = heap_peek(&s->due);

	return node && job_of(node)->due <= now ? job_of(node) : NULL;
}

static void due_now(void *arg)
{
	struct scheduler *s = arg;
	struct job *j;

	s->timer_armed = false;
	if (s->due_until == 0)
		s->due_until = clock_boottime(s->core->clock);
	for (unsigned n = 0; n < DUE_AT_ONCE && (j = first_due(s, s->due_until)); n++) {
		heap_pop(&s->due);
		if (become_queued(s, j) < 0)
			no_place(s, j);
	}
	if (!first_due(s, s->due_until))
		s->due_until = 0;
	arm(s); /* where more are due: for at once */
	scheduler_kick(s);
}

void scheduler_place(struct scheduler *s, struct job *j)
{
	int r = 0;

	if (j->busy || j->run || job_is_in_order(j))
		return;
	if (j->state == JOB_QUEUED) {
		r = demand_add(&s->admission, j->demand, &j->order);
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
		demand_remove(&s->admission, j->demand, &j->order);
	} else {
		heap_remove(&s->due, &j->order);
		arm(s);
	}
}

/* ---- starting ----------------------------------------------------------------------- */

static bool is_full(const struct core *core)
{
	return core->runs_max && core->n_runs >= core->runs_max;
}

/* Told once: how many there may be does not change. */
static void block_runs(struct scheduler *s)
{
	if (!s->told_full)
		log_at(LOG_WARNING, "job",
			"%zu runs are as many as the limit of open files allows: what "
			"is queued waits until some have ended",
			s->core->n_runs);
	s->told_full = true;
	scheduler_block(s, BLOCK_RUNS, true);
}

void scheduler_note_run_ended(struct scheduler *s)
{
	if (s && s->blocks & BLOCK_RUNS && !is_full(s->core))
		scheduler_block(s, BLOCK_RUNS, false);
}

/* It has its place in the order again when what it waits for is ready. Not committed, as that
 * follows. */
static void wait_for_services(struct scheduler *s, struct job *j)
{
	struct store_job rec;

	scheduler_withdraw(s, j);
	job_record(j, &rec);
	rec.state = JOB_WAITING;
	job_publish(s->core->jobs, j, &rec);
}

void scheduler_note_starting(struct scheduler *s, struct run *run)
{
	start_pace_begin(&s->pace, &run->place);
}

void scheduler_note_started(struct scheduler *s, struct run *run)
{
	if (s)
		start_pace_end(&s->pace, &run->place);
}

/* whatever their pools are: what else is in these does not wait for it */
static void hold_services(struct scheduler *s)
{
	s->admission.punctual_held = !start_pace_has_room(&s->pace);
}

/* Starts what may start now, in order; so many at most. */
static void admit(struct scheduler *s)
{
	rv_time now = clock_boottime(s->core->clock);
	unsigned n_started = 0;
	struct admitted x;

	hold_services(s);
	admission_begin(&s->admission);
	while (!s->blocks && n_started < STARTS_AT_ONCE &&
		admission_next(&s->admission, now, &x)) {
		if (is_full(s->core)) {
			admission_take_back(&s->admission, &x);
			block_runs(s);
			return;
		}
		if (deadlines_passed(s->core->deadlines, job_of(x.job))) {
			/* no start any more: its end is about to be recorded */
			admission_take_back(&s->admission, &x);
			scheduler_withdraw(s, job_of(x.job));
			admission_begin(&s->admission);
			continue;
		}
		if (job_of(x.job)->of_service &&
			services_must_wait(s->core->services, job_of(x.job))) {
			admission_take_back(&s->admission, &x);
			wait_for_services(s, job_of(x.job));
			admission_begin(&s->admission);
			continue;
		}
		if (supervisor_start(s->core, job_of(x.job), x.way, x.ahead) >= 0) {
			n_started++;
			hold_services(s);
			continue;
		}
		admission_take_back(&s->admission, &x);
		scheduler_hold_off(s);
		return;
	}
	if (n_started == STARTS_AT_ONCE)
		scheduler_kick(s); /* there may be more */
	else if (s->admission.look_at != RV_FOREVER)
		rv_timer_start(
			&s->rates, rv_loop_now(s->loop) + (s->admission.look_at - now));
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
	/* The rest of those that were due has its places first, or what comes last of it starts
	 * last, whatever its priority: the timer puts it there, and has us look again. */
	if (!s->timer_armed || !first_due(s, s->due_until))
		admit(s);
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

/* The wall clock was set: jobs that start at a time of it are due earlier or later, and a
 * deadline that had passed may be ahead again. */
static void clock_jumped(void *arg)
{
	struct scheduler *s = arg;
	struct jobs *js = s->core->jobs;

	for (struct job *j = jobs_unfinished_at_or_after(js, 1); j;
		j = jobs_unfinished_at_or_after(js, j->id + 1)) {
		int64_t at;

		if (j->state == JOB_QUEUED && j->has_deadline)
			scheduler_place(s, j);
		if (j->state != JOB_DELAYED ||
			job_spec_peek_num(&at, j->spec, j->spec_len, JOB_FIELD_AT) <= 0)
			continue;
		job_set_due(j, s->core->clock, at);
		if (job_is_in_order(j))
			heap_update(&s->due, &j->order);
	}
	arm(s);
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

void scheduler_take(struct scheduler *s, const struct job *j, unsigned way)
{
	(void)s;
	demand_take(j->demand, way);
}

void scheduler_release(struct scheduler *s, const struct job *j, unsigned way)
{
	demand_release(j->demand, way);
	scheduler_kick(s);
}

void scheduler_take_back(
	struct scheduler *s, const struct job *j, unsigned way, rv_time at)
{
	demand_take_back(j->demand, way, at);
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

char *scheduler_pool_problem(const struct scheduler *s, const struct pool *p)
{
	size_t n_unfinished, n_queued;
	char *text = NULL;

	scheduler_count_pool(s, p, &n_unfinished, &n_queued);
	if (!p->gone || n_queued == 0 ||
		asprintf(&text,
			"the configuration has no [pool %s] any more, and %zu %s in it",
			p->name, n_queued,
			n_queued == 1 ? "job waits" : "jobs wait") < 0)
		return NULL;
	return text;
}
