/* What becomes of what a schedule owes. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/callbacks.h"
#include "daemon/jobs.h"
#include "daemon/schedule_jobs.h"
#include "daemon/schedule_look.h"
#include "daemon/scheduler.h"
#include "daemon/supervisor.h"

void schedule_note(struct look *l, struct schedule_progress *p, enum schedule_did what,
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

/* It becomes a job: 1; or is refused: 0. -ENOMEM; -ENOSPC: no room in this look */
static int start(struct look *l, const struct schedule *s, struct schedule_progress *p,
	const struct schedule_pending *owed)
{
	char *message;
	int r;

	if (l->n_made == SCHEDULE_LOOK_JOBS_MAX)
		return -ENOSPC;
	r = schedule_make_job(l, s, owed->nominal_usec, &message);
	if (r == -ENOMEM) {
		free(message);
		return r;
	}
	if (r < 0) {
		log_at(LOG_WARNING, "schedule", "schedule '%s': no job: %s", s->name,
			message ? message : rv_strerror(r));
		schedule_note(l, p, SCHEDULE_REFUSED, owed->nominal_usec, message);
		return 0;
	}
	schedule_note(l, p, owed->made_up ? SCHEDULE_MADE_UP : SCHEDULE_STARTED,
		owed->nominal_usec, NULL);
	/* its number is known when all of this look are made */
	p->history[p->n_history - 1].job = SCHEDULE_NOT_NUMBERED | l->n_made;
	return 1;
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
	if (l->n_cancelled == SCHEDULE_LOOK_JOBS_MAX) {
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
			schedule_note(l, p, SCHEDULE_OVERLAP, owed.nominal_usec, NULL);
			return 0;
		}
		break;
	case CONFIG_OVERLAP_QUEUE:
		if (!owed.made_up && is_new &&
			(int64_t)w->n_waiting >= v[CONFIG_QUEUE_MAX].num) {
			schedule_note(l, p, SCHEDULE_FULL, owed.nominal_usec, NULL);
			return 0;
		}
		break;
	case CONFIG_OVERLAP_REPLACE:
		/* the latest is the one that counts */
		while (w->n_waiting > 0 && w->kept > 0 &&
			p->pending[w->kept - 1].waits) {
			w->kept--;
			w->n_waiting--;
			schedule_note(l, p, SCHEDULE_REPLACED,
				p->pending[w->kept].nominal_usec, NULL);
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

		if (r < 0 || (!owed.waits && owed.start_usec > l->now)) {
			keep(p, &w, &owed);
			continue;
		}
		if (w.n_going > 0 && !allow) {
			r = overlaps(l, s, p, &w, owed);
			continue;
		}
		r = start(l, s, p, &owed);
		if (r == -ENOSPC) {
			l->more = true;
			keep(p, &w, &owed);
			r = 0;
		}
		/* one that was refused is in nobody's way */
		w.n_going += r > 0;
	}
	p->n_pending = w.kept;
	return MIN(r, 0);
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
			schedule_note(l, p, SCHEDULE_MISSED, owed->nominal_usec, NULL);
		else
			p->pending[kept++] = *owed;
	}
	p->n_pending = kept;
}

/* The clock had been wrong: of what was owed by it some is yet to come, by this one. */
static void drop_ahead(const struct look *l, struct schedule_progress *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_pending; i++) {
		const struct schedule_pending *owed = &p->pending[i];

		if (owed->waits || owed->nominal_usec <= l->now)
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
	if (look.clock_was_wrong) {
		drop_ahead(l, p);
		log_at(LOG_NOTICE, "schedule",
			"schedule '%s': the clock was set back far, it goes on from "
			"now",
			s->name);
	}
	if (look.n_dropped > 0)
		schedule_note(l, p, SCHEDULE_MISSED, from, NULL);
	for (size_t i = 0; i < look.n && r >= 0; i++) {
		r = schedule_progress_owe(
			p, (struct schedule_pending){
				   .nominal_usec = ss->due[i].nominal_usec,
				   .start_usec = ss->due[i].start_usec,
				   .made_up = ss->due[i].made_up});
		if (r == -RV_ELIMIT) {
			schedule_note(
				l, p, SCHEDULE_FULL, ss->due[i].nominal_usec, NULL);
			r = 0;
		}
	}
	l->more |= look.more;
	return r;
}

int schedule_settle(
	struct look *l, const struct schedule *s, struct schedule_progress *p)
{
	int r;

	if (s->away)
		drop_stale(l, s, p);
	r = elapse(l, s, p);
	return r < 0 ? r : settle(l, s, p);
}
