/*
 * What there is of services is brought to what there is to be: jobs are made, ended, started
 * again and forgotten. What one look decides is one transaction; what it asks runs to do needs
 * none, for it follows again.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/callbacks.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/job_make.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "daemon/service_counts.h"
#include "daemon/service_deps.h"
#include "daemon/service_groups.h"
#include "daemon/service_roll.h"
#include "daemon/service_settle.h"
#include "daemon/service_times.h"
#include "daemon/supervisor.h"

enum { RETRY_SEC = 5 };

/* ---- one job ---------------------------------------------------------------------------------- */

/* A change of a job that does not run goes into the txn; it is busy until that is over. */
static int change(struct settle *st, struct job *j, struct service_change c)
{
	int r;

	c.job = j;
	c.rec.spec = c.spec;
	c.rec.spec_len = c.spec_len;
	r = callbacks_record_end(st->ss->core, j, &c.rec, st->txn);
	if (r < 0) {
		scheduler_demand_put(st->ss->core->scheduler, c.demand);
		envs_put(st->ss->core->envs, c.env);
		free(c.spec);
		return r;
	}
	job_begin(st->ss->core->jobs, j);
	st->changes[st->n_changes++] = c;
	return 0;
}

static int end_job(struct settle *st, struct job *j)
{
	struct service_change c = {.spec = NULL};

	job_record(j, &c.rec);
	c.rec.state = JOB_FINISHED;
	c.rec.result = JOB_RESULT_CANCELLED;
	c.rec.finished_usec = clock_wall_usec(st->ss->core->clock);
	c.rec.due_usec = 0;
	c.rec.reason = "stopped";
	return change(st, j, c);
}

/* What it starts from goes into the transaction that refers to it. 0, -ENOMEM */
static int change_env(struct settle *st, const struct instance *in, const struct job *j,
	struct service_change *c)
{
	if (j->env == in->env)
		return 0;
	c->swaps_env = true;
	c->env = env_set_ref(in->env);
	c->rec.env_id = in->env ? in->env->id : 0;
	return envs_record(in->env, st->txn);
}

static int drop_start(struct settle *st, struct service_change *c)
{
	scheduler_demand_put(st->ss->core->scheduler, c->demand);
	envs_put(st->ss->core->envs, c->env);
	free(c->spec);
	return -ENOMEM;
}

/* From the beginning: no delay, and nothing counts that was before. */
int settle_start_job(struct settle *st, struct instance *in, struct job *j)
{
	struct scheduler *s = st->ss->core->scheduler;
	struct service_change c = {.instance = in};
	_cleanup_(job_spec_deinit) struct job_spec spec;
	int r;

	job_spec_init(&spec);
	r = job_spec_unpack(&spec, in->spec, in->spec_len);
	if (r < 0) {
		job_spec_init(&spec);
		return r;
	}
	if (!instance_is_current(in, j)) {
		c.spec = malloc(in->spec_len);
		if (!c.spec)
			return -ENOMEM;
		memcpy(c.spec, in->spec, in->spec_len);
		c.spec_len = in->spec_len;
	}
	if (c.spec || j->state == JOB_FINISHED)
		r = scheduler_demand(s, &spec, &c.demand);
	if (r < 0) {
		free(c.spec);
		return r;
	}
	job_record_again(j, &c.rec);
	c.rec.due_usec = 0;
	c.rec.state = JOB_QUEUED;
	if (change_env(st, in, j, &c) < 0)
		return drop_start(st, &c);
	r = change(st, j, c);
	return r < 0 ? r : instance_drop_counts(in, st->txn);
}

static int make_job(struct settle *st, struct instance *in)
{
	_cleanup_(job_spec_deinit) struct job_spec spec;
	int r;

	job_spec_init(&spec);
	r = job_spec_unpack(&spec, in->spec, in->spec_len);
	if (r < 0) {
		job_spec_init(&spec);
		return r;
	}
	r = job_make_own(&st->made[st->n_made], st->ss->core, &spec, in->uid, in->gid);
	if (r < 0)
		return r;
	st->made[st->n_made]->env = env_set_ref(in->env);
	st->made_of[st->n_made++] = in;
	return envs_record(in->env, st->txn);
}

/* Its run is asked to end. That it was goes on disk, for the next daemon to go on with it. */
int settle_stop_run(struct settle *st, struct job *j)
{
	struct store_job rec;

	if (j->run->stop == RUN_STOP_CANCEL)
		return 0;
	run_request_stop(j->run, RUN_STOP_CANCEL);
	job_record(j, &rec);
	rec.flags |= STORE_JOB_CANCEL;
	rec.reason = NULL; /* the job's own may be gone before this is written */
	st->noted = true;
	return job_record_put(st->txn, &rec);
}

/* Nothing keeps it from starting any more. Not committed: it follows, also after a restart. */
static void go_on(struct settle *st, struct job *j)
{
	struct store_job rec;

	job_record(j, &rec);
	rec.state = JOB_QUEUED;
	job_publish(st->ss->core->jobs, j, &rec);
	scheduler_place(st->ss->core->scheduler, j);
}

/* ---- one instance ------------------------------------------------------------------------------ */

bool instance_is_in_transition(const struct instance *in, const struct job *j)
{
	if (!j || instance_target(in, j) != INSTANCE_UP)
		return false;
	return j->busy || j->state == JOB_HELD || j->state == JOB_QUEUED ||
	       j->state == JOB_WAITING || j->state == JOB_STARTING ||
	       j->state == JOB_STOPPING ||
	       (j->run && (j->run->stop != RUN_STOP_NONE || run_is_coming_up(j->run)));
}

/* It runs as it was, and is to run as it is now: one of a service after the other. One that is
 * not ready takes nothing away, and could wait for good for others that are not. */
static int replace_run(struct settle *st, struct instance *in, struct job *j)
{
	const struct service *s = in->service;

	for (size_t i = 0; i < s->n && !run_is_coming_up(j->run); i++)
		if (s->v[i] != in && instance_is_in_transition(
					     s->v[i], instance_job(st->ss, s->v[i])))
			return 0;
	return settle_stop_run(st, j);
}

/* When its run is older than it may be; the first of all is what the timer waits for. */
static bool is_too_old(
	struct settle *st, const struct instance *in, const struct job *j)
{
	struct services *ss = st->ss;
	int64_t max = in->service->section->v[CONFIG_MAX_AGE].num;
	rv_time at;

	if (max == INT64_MAX || !j->run || !j->run->started)
		return false;
	at = time_after(j->run->info.started_boot, max);
	if (at <= clock_boottime(ss->core->clock))
		return true;
	ss->aged_at = MIN(ss->aged_at, at);
	return false;
}

static int settle_up(struct settle *st, struct instance *in, struct job *j)
{
	bool current, cancelled;

	if (in->problem)
		return 0;
	if (!j)
		return make_job(st, in);
	current = instance_is_current(in, j);
	if (is_too_old(st, in, j))
		in->again = true;
	if (j->run)
		return current && !in->again ? 0 : replace_run(st, in, j);
	/* an end of its own is final, until somebody starts it */
	cancelled = j->state == JOB_FINISHED && (j->result == JOB_RESULT_CANCELLED ||
							job_was_given_up_with_group(j));
	if (!current || in->again || cancelled || j->state == JOB_HELD)
		return settle_start_job(st, in, j);
	if (j->state == JOB_WAITING && !instance_waits_for(in))
		go_on(st, j);
	return 0;
}

/* A few more go than have to, so that this is not needed at every end. */
static void look_for_old_runs(
	struct settle *st, struct instance *in, const struct job *j)
{
	const struct service *s = in->service;
	uint32_t keep;

	if (!s->section || !j)
		return;
	keep = (uint32_t)s->section->v[CONFIG_KEEP_RUNS].num;
	if (j->n_runs - in->n_forgotten > keep + keep / 4)
		st->pruned[st->n_pruned++] = in;
}

static int settle_instance(struct settle *st, struct instance *in)
{
	struct jobs *js = st->ss->core->jobs;
	struct job *j = instance_job(st->ss, in);
	enum instance_target target = instance_target(in, j);

	if (j && jobs_is_unsettled(js, j))
		return 0; /* looked at again when it is known what it does */
	if (!j)
		in->job = 0;
	look_for_old_runs(st, in, j);
	instance_look_due(st->ss, in, j);
	if (target == INSTANCE_UP)
		return settle_up(st, in, j);
	in->again = false;
	/* what runs ends, though nothing can take its place: the others of its group wait for that */
	if (!j || (target == INSTANCE_WAITS && in->problem && !j->run))
		return 0;
	if (j->run && service_is_ending(in->service) && !service_may_end(in->service))
		return 0; /* looked at again when that has ended */
	if (j->run)
		return settle_stop_run(st, j);
	if (target == INSTANCE_WAITS) /* queued, it is not started before the others */
		return j->state == JOB_FINISHED ? settle_start_job(st, in, j) : 0;
	if (j->state != JOB_FINISHED)
		return end_job(st, j);
	if (target != INSTANCE_GONE)
		return 0;
	st->gone[st->n_gone++] = in;
	st->noted |= in->counts_recorded;
	return instance_drop_counts(in, st->txn);
}

/* there is room for one more of each kind */
static bool has_room(const struct settle *st)
{
	return st->n_made < SETTLE_MAX && st->n_changes < SETTLE_MAX &&
	       st->n_gone < SETTLE_MAX && st->n_pruned < SETTLE_MAX &&
	       st->n_over < SETTLE_MAX && st->n_due < SETTLE_MAX;
}

int settle_start_delayed(struct settle *st, struct service *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n && r >= 0; i++) {
		struct job *j = instance_job(st->ss, s->v[i]);

		if (!j || j->state != JOB_DELAYED ||
			jobs_is_unsettled(st->ss->core->jobs, j) ||
			instance_target(s->v[i], j) == INSTANCE_GONE ||
			s->v[i]->problem)
			continue;
		st->more = !has_room(st);
		if (st->more)
			break;
		r = settle_start_job(st, s->v[i], j);
	}
	return r;
}

/* Where all that its group stops are down, they are started from now on. */
static int settle_group(struct settle *st, struct service_group *g)
{
	struct service_group after;

	for (size_t i = 0; i < st->n_over; i++)
		if (st->over[i] == g)
			return 0;
	if (!group_is_down(st->ss, g))
		return 0;
	st->over_plans[st->n_over] = g->n_plans;
	st->over[st->n_over++] = g;
	st->noted = true;
	after = *g;
	after.restarting = NULL;
	return group_put(st->ss, st->txn, &after);
}

int settle_service(struct settle *st, struct service *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n && r >= 0; i++) {
		if (!has_room(st)) {
			st->more = true;
			break;
		}
		r = settle_instance(st, s->v[i]);
	}
	if (r >= 0 && !st->more && s->restarts && has_room(st))
		r = settle_group(st, s->group);
	if (r >= 0 && !st->more)
		r = settle_times(st, s);
	if (r >= 0 && s->section)
		r = settle_roll(st, s);
	if (r < 0 || s->section || s->n > 0 || service_record_is_empty(&s->rec))
		return r;
	s->rec = (struct service_record){.stopped = false};
	return settle_put_record(st, s);
}

int settle_forget_restarts(struct settle *st, struct instance *in, bool *changed)
{
	struct job *j = instance_job(st->ss, in);
	struct service_change c = {.spec = NULL};
	int r = instance_drop_counts(in, st->txn);

	st->noted |= in->counts_recorded;
	if (r < 0)
		return r;
	if (!j || j->run || j->busy || j->n_failed == 0 || j->state == JOB_FINISHED)
		return 0;
	*changed = true;
	job_record(j, &c.rec);
	c.rec.n_failed = 0;
	return change(st, j, c);
}

int settle_put_record(struct settle *st, struct service *s)
{
	st->noted = true;
	return service_put(st->txn, s->name, &s->rec);
}

/* ---- the task ---------------------------------------------------------------------------------- */

/* All that are marked, or so many as one transaction takes. */
static int look(struct services *ss)
{
	_cleanup_free_ struct service **looked =
		calloc(hashmap_size(ss->by_name) + 1, sizeof(*looked));
	struct settle *st = looked ? settle_new(ss) : NULL;
	struct list *node;
	int r = st ? 0 : -ENOMEM;
	size_t n = 0, n_done = 0;

	/* those that come by what is done now have the next turn */
	while (r >= 0 && (node = list_pop(&ss->dirty)))
		looked[n++] = LIST_ENTRY(node, struct service, dirty);
	while (r >= 0 && !st->more && n_done < n)
		r = settle_service(st, looked[n_done++]);
	if (r >= 0)
		r = settle_commit(st);
	for (size_t i = 0; i < n; i++) {
		if (r < 0 || i >= n_done || (st->more && i + 1 == n_done))
			service_look_again(ss, looked[i]);
		else
			service_shrink(ss, looked[i]);
	}
	settle_free(st);
	return r;
}

static void some_aged(void *arg)
{
	struct services *ss = arg;

	ss->age_timer_armed = false;
	ss->aged_at = RV_FOREVER;
	services_look_at_all(ss);
}

/* the timer stands where the first is too old */
static void arm(struct services *ss)
{
	if (ss->age_timer_armed)
		rv_handle_cancel(ss->loop, ss->age_timer);
	ss->age_timer_armed = false;
	if (ss->aged_at == RV_FOREVER)
		return;
	ss->age_timer = rv_call_at_boot(ss->loop, ss->aged_at, some_aged, ss);
	ss->age_timer_armed = ss->age_timer.p != NULL;
	if (!ss->age_timer_armed)
		rv_timer_start(&ss->retry, rv_loop_now(ss->loop) + RV_SEC(RETRY_SEC));
}

int services_main(void *services)
{
	struct services *ss = services;

	for (;;) {
		int r = rv_event_wait(&ss->look);

		if (r >= 0)
			r = services_lock(ss);
		if (r < 0)
			return r;
		rv_event_clear(&ss->look);
		if (!scheduler_is_blocked(ss->core->scheduler, BLOCK_SHUTDOWN))
			r = look(ss);
		arm(ss);
		services_unlock(ss);
		if (r == -ECANCELED)
			return r;
		if (r < 0) {
			log_at(LOG_ERR, "service",
				"what services are to do cannot be recorded: %s, "
				"trying again in %d s",
				rv_strerror(r), RETRY_SEC);
			rv_event_clear(&ss->look);
			rv_timer_start(
				&ss->retry, rv_loop_now(ss->loop) + RV_SEC(RETRY_SEC));
		} else if (!list_is_empty(&ss->dirty)) {
			rv_event_set(&ss->look);
		}
	}
}
