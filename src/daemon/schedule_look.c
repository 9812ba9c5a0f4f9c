/* What is due, and the jobs that come of it; schedules.h. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/job_make.h"
#include "daemon/jobs.h"
#include "daemon/retention.h"
#include "daemon/schedule_jobs.h"
#include "daemon/schedule_look.h"
#include "daemon/scheduler.h"

/* less may be the time between two looks at clocks */
#define CLOCK_SET_MIN (USEC_PER_SEC / 4)

enum {
	RETRY_SEC = 5,
	/* looked at in one piece, so that others get their turn where a thousand are due in
	 * one second */
	LOOK_MAX = 64,
	BUSY_MSEC = 50, /* until a job that is to make way may not be busy any more */
};

/* when it has something to do; INT64_MAX: not before something else happens */
static int64_t due_at(const struct schedules *ss, struct schedule *s)
{
	const struct schedule_progress *p = &s->progress;
	int64_t at;
	size_t n;

	if (schedule_is_off(s))
		return INT64_MAX;
	if (s->check || s->away)
		return INT64_MIN;
	schedule_jobs_ids(ss->core->schedule_jobs, s->name, &n);
	at = schedule_next_of(s);
	for (size_t i = 0; i < p->n_pending; i++)
		if (!p->pending[i].waits)
			at = MIN(at, p->pending[i].start_usec);
		else if (n == 0 ||
			 schedule_def(s)->v[CONFIG_OVERLAP].num == CONFIG_OVERLAP_ALLOW)
			return INT64_MIN;
	return at;
}

static bool has_changed(
	const struct schedule_progress *a, const struct schedule_progress *b)
{
	const struct schedule_event *x, *y;

	if (a->n_history != b->n_history || a->n_pending != b->n_pending)
		return true;
	for (size_t i = 0; i < a->n_pending; i++)
		if (a->pending[i].nominal_usec != b->pending[i].nominal_usec ||
			a->pending[i].waits != b->pending[i].waits)
			return true;
	if (a->n_history == 0)
		return false;
	x = &a->history[a->n_history - 1];
	y = &b->history[b->n_history - 1];
	return x->count != y->count || x->at_usec != y->at_usec || x->job != y->job;
}

static int look_at(struct look *l, struct schedule *s)
{
	struct schedule_change *c = &l->changes[l->n_changes];
	int r = schedule_progress_copy(&c->next, &s->progress);

	if (r < 0)
		return r;
	c->s = s;
	l->n_changes++;
	return schedule_settle(l, s, &c->next);
}

/* Jobs have their numbers: what the history says of them is made whole, and all of it goes
 * into the txn. */
static int put_changes(struct look *l, bool *some)
{
	int r = 0;

	for (size_t i = 0; i < l->n_changes && r >= 0; i++) {
		struct schedule_change *c = &l->changes[i];
		bool changed = c->s->moved || has_changed(&c->s->progress, &c->next);

		for (size_t k = c->next.n_history; k-- > 0;) {
			struct schedule_event *e = &c->next.history[k];

			if (e->job & SCHEDULE_NOT_NUMBERED)
				e->job = l->made[(e->job & ~SCHEDULE_NOT_NUMBERED) - 1]
						 ->id;
		}
		*some |= changed;
		if (changed)
			r = schedule_put(l->txn, c->s->name, NULL, &c->next);
	}
	return r;
}

static void end_cancelled(struct look *l, bool done)
{
	struct jobs *js = l->ss->core->jobs;

	for (size_t i = 0; i < l->n_cancelled; i++) {
		if (done)
			job_publish(js, l->cancelled[i], &l->cancelled_rec[i]);
		job_end(js, l->cancelled[i]);
	}
	l->n_cancelled = 0;
}

static void take_changes(struct look *l, bool looked)
{
	for (size_t i = 0; i < l->n_changes; i++) {
		struct schedule_change *c = &l->changes[i];

		schedule_progress_deinit(&c->s->progress);
		c->s->progress = c->next;
		if (looked)
			c->s->away = c->s->check = c->s->moved = false;
	}
	l->n_changes = 0;
}

/* All or nothing; ret_id: of the last job. 0, negative */
static int commit(struct look *l, uint64_t *ret_id)
{
	struct core *core = l->ss->core;
	uint64_t reserved = 0;
	bool changed = l->n_made > 0 || l->n_cancelled > 0 || l->noted;
	int r = jobs_make_record(core, l->made, l->n_made, &reserved, l->txn);

	if (r >= 0)
		r = put_changes(l, &changed);
	if (r >= 0 && changed)
		r = committer_commit(core->committer, TAKE_PTR(l->txn), 0);
	end_cancelled(l, r >= 0);
	if (r < 0)
		return r;
	retention_jobs_finished(core->retention);
	jobs_ids_are_reserved(core->jobs, reserved);
	/* before the jobs: an end of one of them is looked at with this behind it */
	take_changes(l, !ret_id);
	for (size_t i = 0; i < l->n_made; i++) {
		if (ret_id)
			*ret_id = l->made[i]->id;
		job_make_publish(core, TAKE_PTR(l->made[i]));
	}
	l->n_made = 0;
	return 0;
}

static struct look *look_free(struct look *l)
{
	if (!l)
		return NULL;
	end_cancelled(l, false);
	for (size_t i = 0; i < l->n_made; i++)
		job_unmake(l->ss->core, l->made[i]);
	for (size_t i = 0; i < l->n_changes; i++)
		schedule_progress_deinit(&l->changes[i].next);
	free(l->changes);
	txn_free(l->txn);
	free(l);
	return NULL;
}

static struct look *look_new(struct schedules *ss, size_t n)
{
	struct look *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->ss = ss;
	l->now = clock_wall_usec(ss->core->clock);
	l->changes = calloc(n + 1, sizeof(*l->changes));
	l->txn = txn_new();
	return l->changes && l->txn ? l : look_free(l);
}

/* Intervals, and the time between starts that are made up for, do not follow the clock. */
static void move(struct schedule *s, int64_t by)
{
	struct schedule_progress *p = &s->progress;
	struct schedule_rule rule;
	bool is_interval;

	schedule_rule_get(s, &rule);
	is_interval = schedule_is_interval(&rule);
	schedule_clock_set(&p->state, by);
	s->check = s->moved = true;
	for (size_t i = 0; i < p->n_pending; i++) {
		struct schedule_pending *owed = &p->pending[i];

		owed->nominal_usec += is_interval ? by : 0;
		owed->start_usec += is_interval || owed->made_up ? by : 0;
	}
	schedule_progress_sort(p);
}

/* by how much the wall clock is ahead of the time since boot */
static int64_t ahead_of_boot(const struct clock *clock)
{
	rv_time before = clock_boottime(clock);
	int64_t wall = clock_wall_usec(clock);

	return wall - (before / 2 + clock_boottime(clock) / 2) / 1000;
}

/* Was the clock set since the last look? It is told of late, if the machine is busy. */
static void follow_clock(struct schedules *ss)
{
	int64_t ahead = ahead_of_boot(ss->core->clock);
	int64_t by = ahead - ss->ahead_usec;
	struct schedule *s;

	if (by < CLOCK_SET_MIN && by > -CLOCK_SET_MIN)
		return;
	ss->ahead_usec = ahead;
	HASHMAP_FOREACH(s, ss->by_name)
		move(s, by);
}

static int look_at_all(struct schedules *ss)
{
	struct look *l = look_new(ss, LOOK_MAX);
	struct schedule *s;
	int r = l ? 0 : -ENOMEM;
	bool more = false;

	HASHMAP_FOREACH(s, ss->by_name) {
		if (r < 0 || due_at(ss, s) > l->now)
			continue;
		if (l->n_changes == LOOK_MAX || l->n_made == SCHEDULE_LOOK_JOBS_MAX) {
			l->more = true;
			break;
		}
		r = look_at(l, s);
	}
	if (r >= 0 && l->n_changes > 0)
		r = commit(l, NULL);
	if (l)
		more = l->more;
	if (r >= 0 && l->again)
		rv_timer_start(&ss->retry, rv_loop_now(ss->loop) + RV_MS(BUSY_MSEC));
	look_free(l);
	if (r >= 0 && more)
		rv_event_set(&ss->look);
	return r;
}

static void timer_fired(void *arg)
{
	struct schedules *ss = arg;

	ss->timer_armed = false;
	rv_event_set(&ss->look);
}

void schedules_arm(struct schedules *ss)
{
	int64_t first = INT64_MAX;
	struct schedule *s;

	if (ss->timer_armed)
		rv_handle_cancel(ss->loop, ss->timer);
	ss->timer_armed = false;
	HASHMAP_FOREACH(s, ss->by_name)
		first = MIN(first, due_at(ss, s));
	if (first == INT64_MAX)
		return;
	ss->timer = rv_call_at_wall(ss->loop, MAX(first, (int64_t)0), timer_fired, ss);
	ss->timer_armed = ss->timer.p != NULL;
	if (!ss->timer_armed)
		rv_timer_start(&ss->retry, rv_loop_now(ss->loop) + RV_SEC(RETRY_SEC));
}

int schedules_main(void *schedules)
{
	struct schedules *ss = schedules;

	for (;;) {
		int r = rv_event_wait(&ss->look);

		if (r < 0)
			return r;
		rv_event_clear(&ss->look);
		r = schedules_lock(ss);
		if (r < 0)
			return r;
		/* that is for good: a timer of what is due would go off for ever */
		if (scheduler_is_blocked(ss->core->scheduler, BLOCK_SHUTDOWN)) {
			schedules_unlock(ss);
			continue;
		}
		follow_clock(ss);
		r = look_at_all(ss);
		if (r < 0) {
			log_at(LOG_ERR, "schedule",
				"what is due cannot be recorded: %s, trying again in "
				"%d s",
				rv_strerror(r), RETRY_SEC);
			rv_timer_start(
				&ss->retry, rv_loop_now(ss->loop) + RV_SEC(RETRY_SEC));
		} else {
			schedules_arm(ss);
		}
		schedules_unlock(ss);
		if (r == -ECANCELED)
			return r;
	}
}

/* ---- one now ------------------------------------------------------------------------------------ */

static int run_now(
	struct schedules *ss, struct schedule *s, uint64_t *ret_id, char **ret_message)
{
	struct look *l = look_new(ss, 1);
	struct schedule_change *c;
	int r = l ? 0 : -ENOMEM;

	if (r >= 0)
		r = schedule_progress_copy(&l->changes[0].next, &s->progress);
	if (r < 0) {
		look_free(l);
		return r;
	}
	c = &l->changes[0];
	c->s = s;
	l->n_changes = 1;
	r = schedule_make_job(l, s, l->now, ret_message);
	if (r >= 0) {
		schedule_note(l, &c->next, SCHEDULE_MANUAL, l->now, NULL);
		c->next.history[c->next.n_history - 1].job = SCHEDULE_NOT_NUMBERED | 1;
		r = commit(l, ret_id);
	}
	look_free(l);
	return r;
}

int schedules_run(
	struct schedules *ss, const char *name, uint64_t *ret_id, char **ret_message)
{
	struct schedule *s;
	int r = schedules_lock(ss);

	*ret_message = NULL;
	if (r < 0)
		return r;
	s = schedules_find(ss, name);
	r = s ? run_now(ss, s, ret_id, ret_message) : -ENOENT;
	schedules_unlock(ss);
	return r;
}
