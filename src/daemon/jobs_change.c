/* Changes of jobs, and who wants to know of them; see jobs.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/dependents.h"
#include "daemon/events.h"
#include "daemon/jobs_priv.h"
#include "daemon/schedule_jobs.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"

void jobs_drop_demand(struct jobs *js, struct job *j)
{
	j->demand = scheduler_demand_put(js->core->scheduler, j->demand);
}

int jobs_renew_demand(struct jobs *js, struct job *j)
{
	struct job_spec spec;
	int r = job_spec_get(j, &spec);

	if (r < 0)
		return r;
	r = scheduler_demand(js->core->scheduler, &spec, &j->demand);
	job_spec_deinit(&spec);
	return r;
}

void job_tell_watchers(struct job *j)
{
	struct list *node;

	while ((node = list_pop(&j->watchers))) {
		struct job_watch *w = LIST_ENTRY(node, struct job_watch, link);

		w->fn(w, j);
	}
}

static void tell_change(struct job *j)
{
	LIST_FOREACH(node, &j->watchers) {
		struct job_watch *w = LIST_ENTRY(node, struct job_watch, link);

		if (w->every_change)
			w->fn(w, j);
	}
}

void jobs_wake_waiters(struct jobs *js)
{
	rv_event_set(&js->idle);
	rv_event_clear(&js->idle);
}

/* It runs, or is over: its deadline is of no use any more. Or its start was taken back. */
static void follow_deadline(struct jobs *js, const struct job *j, enum job_state before)
{
	bool matters = j->state == JOB_RUNNING || j->state == JOB_FINISHED ||
		       (before == JOB_STARTING && j->state == JOB_QUEUED);

	if (matters && js->core->deadlines && deadlines_add(js->core->deadlines, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: the deadline of job %" PRIu64
			" counts after a restart only",
			j->id);
}

/* the next of its schedule waits for it, or does not any more */
static void follow_schedule(struct jobs *js, const struct job *j, enum job_state before)
{
	bool was = schedule_jobs_counts(before),
	     is = schedule_jobs_counts((enum job_state)j->state);

	if (was && !is)
		schedule_jobs_remove(js->core->schedule_jobs, j);
	else if (!was && is && schedule_jobs_add(js->core->schedule_jobs, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: job %" PRIu64
			" may overlap with the next of its schedule",
			j->id);
}

void job_publish(struct jobs *js, struct job *j, const struct store_job *rec)
{
	enum job_state before = j->state;
	bool could_run = job_may_run(j);

	if (before != rec->state) {
		INVARIANT(job_may_go[before][rec->state]);
		js->n_state[before]--;
		js->n_state[rec->state]++;
		js->n_service_state[before] -= j->of_service;
		js->n_service_state[rec->state] += j->of_service;
		log_at(LOG_DEBUG, "job", "job %" PRIu64 ": %s -> %s%s%s", j->id,
			job_state_name[before], job_state_name[rec->state],
			rec->state == JOB_FINISHED ? ", " : "",
			rec->state == JOB_FINISHED ? job_result_name[rec->result] : "");
	}
	INVARIANT(rec->state != JOB_FINISHED || !job_is_in_order(j));
	if (before == JOB_FINISHED && rec->state != JOB_FINISHED)
		list_remove(&j->by_end);
	job_apply(j, rec);
	jobs_note_place(js, j);
	if (could_run != job_may_run(j))
		demand_note_listed(j->demand, could_run ? -1 : 1);
	if (before != JOB_FINISHED && j->state == JOB_FINISHED) {
		jobs_link_end(js, j);
		jobs_count_unfinished(js, j, -1);
		jobs_drop_demand(js, j);
		job_tell_watchers(j);
	} else if (before == JOB_FINISHED && j->state != JOB_FINISHED) {
		INVARIANT(j->demand);
		jobs_count_unfinished(js, j, 1);
	}
	if (before == j->state)
		return;
	follow_schedule(js, j, before);
	if (j->has_deadline)
		follow_deadline(js, j, before);
	dependents_changed(js->core, j, before);
	events_note(js->core->events, j, before, j->state);
	tell_change(j);
	if (j->of_service)
		services_job_changed(js->core->services, j);
	if (j->state == JOB_FINISHED)
		callbacks_publish(js->core, j);
}

void jobs_respec(struct jobs *js, struct job *j, void *spec, size_t spec_len)
{
	INVARIANT(!job_is_in_order(j));
	jobs_unlink_name(js, j);
	j->older_namesake = j->newer_namesake = NULL;
	job_set_spec(j, spec, spec_len);
	if (jobs_link_name(js, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: job %" PRIu64
			" is known by its id alone until the next start",
			j->id);
}

void job_begin(struct jobs *js, struct job *j)
{
	INVARIANT(!j->busy);
	j->busy = true;
	scheduler_withdraw(js->core->scheduler, j);
}

void job_end(struct jobs *js, struct job *j)
{
	INVARIANT(j->busy);
	j->busy = false;
	callbacks_drop(js->core, j);
	scheduler_place(js->core->scheduler, j);
	if (j->state == JOB_WAITING)
		dependents_look(js->core->dependents, j);
	if (j->of_service)
		services_job_changed(js->core->services, j);
	jobs_wake_waiters(js);
}

int jobs_wait_change(struct jobs *js)
{
	return rv_event_wait(&js->idle);
}

bool jobs_is_unsettled(const struct jobs *js, const struct job *j)
{
	/* of a run that an earlier daemon left recovery has not told yet what became */
	return j->busy ||
	       (!j->run && job_state_is_active((enum job_state)j->state) &&
		       scheduler_is_blocked(js->core->scheduler, BLOCK_STARTUP));
}

int jobs_wait_idle(struct jobs *js, uint64_t id, struct job **ret)
{
	for (;;) {
		struct job *j = jobs_find(js, id);
		int r;

		if (!j)
			return 0;
		if (!jobs_is_unsettled(js, j)) {
			*ret = j;
			return 1;
		}
		r = committer_error(js->core->committer);
		if (r == 0)
			r = rv_event_wait(&js->idle);
		if (r < 0)
			return r;
	}
}
