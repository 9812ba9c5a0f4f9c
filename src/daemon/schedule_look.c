/* What is due, and the jobs that come of it; schedules.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "daemon/callbacks.h"
#include "daemon/job_make.h"
#include "daemon/jobs.h"
#include "daemon/retention.h"
#include "daemon/schedule_jobs.h"
#include "daemon/scheduler.h"
#include "daemon/schedules_priv.h"
#include "daemon/supervisor.h"

enum {
	JOBS_MAX = 200, /* made or cancelled in one transaction */
	RETRY_SEC = 5,
	BUSY_MSEC = 50, /* until a job that is to make way may not be busy any more */
};

/* of an entry of the history, until its job has a number: its place in the look, from 1 */
#define NOT_NUMBERED (UINT64_C(1) << 63)

/* one that is looked at, and what becomes of it */
struct change {
	struct schedule *s;
	struct schedule_progress next;
};

struct look {
	struct schedules *ss;
	int64_t now;
	struct txn *txn;
	struct job *made[JOBS_MAX];
	size_t n_made;
	struct job *cancelled[JOBS_MAX]; /* those that did not run */
	struct store_job cancelled_rec[JOBS_MAX];
	size_t n_cancelled;
	struct change *changes;
	size_t n_changes;
	bool more;  /* there was no room for all */
	bool noted; /* the txn says that a run is to be cancelled */
	bool again; /* a job could not be made to go yet */
};

/* ---- what its job is ------------------------------------------------------------------------ */

/* a variable, where the schedule does not say it */
static int put_variable(struct job_spec *spec, const char *name, const char *value)
{
	char *text = NULL, **v;

	STRV_FOREACH(e, job_strv(spec, ENV))
		if (strncmp(*e, name, strlen(name)) == 0 && (*e)[strlen(name)] == '=')
			return 0;
	if (!value)
		return 0;
	v = calloc(2, sizeof(*v));
	if (!v || asprintf(&text, "%s=%s", name, value) < 0) {
		free(v);
		return -ENOMEM;
	}
	v[0] = text;
	return job_spec_put(spec, JOB_FIELD_ENV, (union job_value){.strv = v});
}

/* nobody's environment: what a login would give, in short, and what it is for */
static int put_env(struct job_spec *spec, const struct schedule *s, int64_t nominal)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];
	const char *name = user->user.name ? user->user.name : getenv("USER");
	const char *home = user->user.name ? user->user.home : getenv("HOME");
	char usec[24];
	int r;

	if (job_str(spec, FUNCTION))
		return 0;
	snprintf(usec, sizeof(usec), "%" PRId64, nominal);
	r = put_variable(spec, "PATH", "/usr/local/bin:/usr/bin:/bin");
	if (r >= 0)
		r = put_variable(spec, "HOME", home);
	if (r >= 0)
		r = put_variable(spec, "USER", name);
	if (r >= 0)
		r = put_variable(spec, "LOGNAME", name);
	if (r >= 0)
		r = put_variable(spec, "REEVE_SCHEDULE", s->name);
	return r < 0 ? r : put_variable(spec, "REEVE_SCHEDULED_USEC", usec);
}

static int put_name(struct job_spec *spec, enum job_field f, const char *name)
{
	char *own = strdup(name);

	return own ? job_spec_put(spec, f, (union job_value){.str = own}) : -ENOMEM;
}

static int make_spec(struct job_spec *ret, const struct schedules *ss,
	const struct schedule *s, int64_t nominal)
{
	int r = config_schedule_job(
		ret, &schedule_def(s)->job->spec, &ss->config->defaults);

	if (r < 0)
		return r;
	r = put_env(ret, s, nominal);
	if (r >= 0 && !job_spec_has(ret, JOB_FIELD_NAME))
		r = put_name(ret, JOB_FIELD_NAME, s->name);
	if (r >= 0)
		r = put_name(ret, JOB_FIELD_SCHEDULE, s->name);
	if (r >= 0)
		r = job_spec_put(
			ret, JOB_FIELD_SCHEDULED, (union job_value){.num = nominal});
	if (r < 0)
		job_spec_deinit(ret);
	return r;
}

/* 0; -EINVAL, -RV_ELIMIT with a message; -ENOMEM */
static int make_job(
	struct look *l, const struct schedule *s, int64_t nominal, char **ret_message)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];
	_cleanup_(job_spec_deinit) struct job_spec spec;
	enum job_field field;
	int r;

	*ret_message = NULL;
	job_spec_init(&spec);
	r = make_spec(&spec, l->ss, s, nominal);
	if (r < 0) {
		job_spec_init(&spec);
		return r;
	}
	/* the defaults may be others since it was added */
	r = config_schedule_check_job(
		&schedule_def(s)->job->spec, &spec, &field, ret_message);
	if (r >= 0)
		r = job_make(&l->made[l->n_made], l->ss->core, &spec, schedule_uid(s),
			user->user.name ? user->user.gid : (uint32_t)getegid(),
			l->n_made, ret_message);
	if (r >= 0)
		l->n_made++;
	return r;
}

/* ---- what becomes of what is owed ------------------------------------------------------------ */

static void note(struct look *l, struct schedule_progress *p, enum schedule_did what,
	int64_t nominal, char *text)
{
	for (char *c = text; c && *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	schedule_progress_note(p, (struct schedule_event){.what = what,
					  .nominal_usec = nominal,
					  .at_usec = l->now,
					  .text = text});
}

/* It becomes a job, or is refused. 0, -ENOMEM; 1: no room in this look */
static int start(struct look *l, const struct schedule *s, struct schedule_progress *p,
	const struct schedule_pending *owed)
{
	char *message;
	int r;

	if (l->n_made == JOBS_MAX)
		return 1;
	r = make_job(l, s, owed->nominal_usec, &message);
	if (r == -ENOMEM) {
		free(message);
		return r;
	}
	if (r < 0) {
		log_at(LOG_WARNING, "schedule", "schedule '%s': no job: %s", s->name,
			message ? message : rv_strerror(r));
		note(l, p, SCHEDULE_REFUSED, owed->nominal_usec, message);
		return 0;
	}
	note(l, p, owed->made_up ? SCHEDULE_MADE_UP : SCHEDULE_STARTED,
		owed->nominal_usec, NULL);
	/* its number is known when all of this look are made */
	p->history[p->n_history - 1].job = NOT_NUMBERED | l->n_made;
	return 0;
}

static void record_cancelled(struct look *l, struct store_job *rec)
{
	rec->state = JOB_FINISHED;
	rec->result = JOB_RESULT_CANCELLED;
	rec->finished_usec = l->now;
	rec->due_usec = 0;
	rec->reason = NULL;
}

/* one job makes way for the next. 0, -ENOMEM */
static int cancel(struct look *l, struct job *j)
{
	struct store_job rec;

	if (j->state == JOB_FINISHED)
		return 0;
	if (jobs_is_unsettled(l->ss->core->jobs, j)) {
		l->again = true;
		return 0;
	}
	job_record(j, &rec);
	if (j->run) {
		if (j->run->stop == RUN_STOP_CANCEL)
			return 0;
		run_request_stop(j->run, RUN_STOP_CANCEL);
		rec.flags |= STORE_JOB_CANCEL;
		rec.reason =
			NULL; /* the job's own may be gone before this is written */
		l->noted = true;
		return job_record_put(l->txn, &rec);
	}
	if (l->n_cancelled == JOBS_MAX) {
		l->more = true;
		return 0;
	}
	record_cancelled(l, &rec);
	if (callbacks_record_end(l->ss->core, j, &rec, l->txn) < 0)
		return -ENOMEM;
	job_begin(l->ss->core->jobs, j);
	l->cancelled[l->n_cancelled] = j;
	l->cancelled_rec[l->n_cancelled++] = rec;
	return 0;
}

static int cancel_all(struct look *l, const struct schedule *s)
{
	struct core *core = l->ss->core;
	size_t n;
	const uint64_t *ids = schedule_jobs_ids(core->schedule_jobs, s->name, &n);

	for (size_t i = 0; i < n; i++) {
		struct job *j = jobs_find(core->jobs, ids[i]);
		int r = j ? cancel(l, j) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

struct progress_walk {
	size_t n_going; /* jobs of it that are not finished, those of this look too */
	size_t n_waiting;
	size_t kept;
};

static void keep(struct schedule_progress *p, struct progress_walk *w,
	const struct schedule_pending *owed)
{
	w->n_waiting += owed->waits;
	p->pending[w->kept++] = *owed;
}

/* Its time has come, and others go on. 0, negative */
static int overlaps(struct look *l, const struct schedule *s,
	struct schedule_progress *p, struct progress_walk *w,
	struct schedule_pending owed)
{
	const union config_value *v = schedule_def(s)->v;
	bool is_new = !owed.waits;

	switch ((enum config_overlap)v[CONFIG_OVERLAP].num) {
	case CONFIG_OVERLAP_SKIP:
		if (!owed.made_up && is_new) {
			note(l, p, SCHEDULE_OVERLAP, owed.nominal_usec, NULL);
			return 0;
		}
		break;
	case CONFIG_OVERLAP_QUEUE:
		if (!owed.made_up && is_new &&
			(int64_t)w->n_waiting >= v[CONFIG_QUEUE_MAX].num) {
			note(l, p, SCHEDULE_FULL, owed.nominal_usec, NULL);
			return 0;
		}
		break;
	case CONFIG_OVERLAP_REPLACE:
		/* the latest is the one that counts */
		while (w->n_waiting > 0 && w->kept > 0 &&
			p->pending[w->kept - 1].waits) {
			w->kept--;
			w->n_waiting--;
			note(l, p, SCHEDULE_REPLACED, p->pending[w->kept].nominal_usec,
				NULL);
		}
		owed.waits = true;
		keep(p, w, &owed);
		return cancel_all(l, s);
	case CONFIG_OVERLAP_ALLOW: break;
	}
	owed.waits = true;
	keep(p, w, &owed);
	return 0;
}

/* Those whose time has come, in order. */
static int settle(struct look *l, const struct schedule *s, struct schedule_progress *p)
{
	bool allow = schedule_def(s)->v[CONFIG_OVERLAP].num == CONFIG_OVERLAP_ALLOW;
	struct progress_walk w = {.kept = 0};
	size_t n = p->n_pending;
	int r = 0;

	schedule_jobs_ids(l->ss->core->schedule_jobs, s->name, &w.n_going);
	for (size_t i = 0; i < n; i++) {
		struct schedule_pending owed = p->pending[i];

		if (r != 0 || (!owed.waits && owed.start_usec > l->now)) {
			keep(p, &w, &owed);
			continue;
		}
		if (w.n_going > 0 && !allow) {
			r = overlaps(l, s, p, &w, owed);
			continue;
		}
		r = start(l, s, p, &owed);
		if (r > 0) {
			l->more = true;
			keep(p, &w, &owed);
		} else {
			w.n_going++;
		}
	}
	p->n_pending = w.kept;
	return r < 0 ? r : 0;
}

/* Of what was owed before the daemon went nothing starts because it is there again. */
static void drop_stale(
	struct look *l, const struct schedule *s, struct schedule_progress *p)
{
	size_t kept = 0;

	if (schedule_def(s)->v[CONFIG_MISSED].num != SCHEDULE_MISSED_SKIP)
		return;
	for (size_t i = 0; i < p->n_pending; i++) {
		const struct schedule_pending *owed = &p->pending[i];

		if (!owed->waits && !owed->made_up &&
			owed->start_usec < l->ss->started_usec)
			note(l, p, SCHEDULE_MISSED, owed->nominal_usec, NULL);
		else
			p->pending[kept++] = *owed;
	}
	p->n_pending = kept;
}

/* what has elapsed is owed from now on */
static int elapse(struct look *l, const struct schedule *s, struct schedule_progress *p)
{
	struct schedules *ss = l->ss;
	struct schedule_look look;
	struct schedule_rule rule;
	int64_t from = p->state.last_usec;
	int r = 0;

	schedule_rule_get(s, &rule);
	schedule_look(&rule, &p->state, l->now, s->away ? ss->started_usec : 0, ss->due,
		SCHEDULE_MAKE_UP_MAX, &look);
	if (look.clock_was_wrong)
		log_at(LOG_NOTICE, "schedule",
			"schedule '%s': the clock was set back far, it goes on from "
			"now",
			s->name);
	if (look.n_dropped > 0)
		note(l, p, SCHEDULE_MISSED, from, NULL);
	for (size_t i = 0; i < look.n && r >= 0; i++) {
		r = schedule_progress_owe(
			p, (struct schedule_pending){
				   .nominal_usec = ss->due[i].nominal_usec,
				   .start_usec = ss->due[i].start_usec,
				   .made_up = ss->due[i].made_up});
		if (r == -RV_ELIMIT) {
			note(l, p, SCHEDULE_FULL, ss->due[i].nominal_usec, NULL);
			r = 0;
		}
	}
	l->more |= look.more;
	return r;
}

/* ---- one look at all of them ------------------------------------------------------------------- */

/* when it has something to do; INT64_MAX: not before something else happens */
static int64_t due_at(const struct schedules *ss, const struct schedule *s)
{
	const struct schedule_progress *p = &s->progress;
	struct schedule_rule rule;
	int64_t at;
	size_t n;

	if (schedule_is_off(s))
		return INT64_MAX;
	if (s->check || s->away)
		return INT64_MIN;
	schedule_rule_get(s, &rule);
	schedule_jobs_ids(ss->core->schedule_jobs, s->name, &n);
	at = schedule_next(&rule, &p->state);
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
	struct change *c = &l->changes[l->n_changes];
	int r = schedule_progress_copy(&c->next, &s->progress);

	if (r < 0)
		return r;
	c->s = s;
	l->n_changes++;
	if (s->away)
		drop_stale(l, s, &c->next);
	r = elapse(l, s, &c->next);
	return r < 0 ? r : settle(l, s, &c->next);
}

/* Jobs have their numbers: what the history says of them is made whole, and all of it goes
 * into the txn. */
static int put_changes(struct look *l, bool *some)
{
	int r = 0;

	for (size_t i = 0; i < l->n_changes && r >= 0; i++) {
		struct change *c = &l->changes[i];
		bool changed = has_changed(&c->s->progress, &c->next);

		for (size_t k = c->next.n_history; k-- > 0;) {
			struct schedule_event *e = &c->next.history[k];

			if (e->job & NOT_NUMBERED)
				e->job = l->made[(e->job & ~NOT_NUMBERED) - 1]->id;
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
		struct change *c = &l->changes[i];

		schedule_progress_deinit(&c->s->progress);
		c->s->progress = c->next;
		if (looked)
			c->s->away = c->s->check = false;
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

static int look_at_all(struct schedules *ss)
{
	struct look *l = look_new(ss, hashmap_size(ss->by_name));
	struct schedule *s;
	int r = l ? 0 : -ENOMEM;
	bool more = false;

	HASHMAP_FOREACH(s, ss->by_name)
		if (r >= 0 && due_at(ss, s) <= l->now)
			r = look_at(l, s);
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
		if (!scheduler_is_blocked(ss->core->scheduler, BLOCK_SHUTDOWN))
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
	struct change *c;
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
	r = make_job(l, s, l->now, ret_message);
	if (r >= 0) {
		note(l, &c->next, SCHEDULE_MANUAL, l->now, NULL);
		c->next.history[c->next.n_history - 1].job = NOT_NUMBERED | 1;
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
