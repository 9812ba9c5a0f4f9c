#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/aux.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/recovery.h"
#include "daemon/run_stdin.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"
#include "daemon/supervisor.h"
#include "daemon/traces.h"
#include "reeve/executor.h"
#include "spawn/claims.h"
#include "spawn/exits.h"

struct pending {
	struct store_run rec;
	char *output;
};

struct recovery {
	struct core *core;
	struct pending *pending;
	size_t n_pending;
	struct traces traces;
	bool with_marks; /* there are runs that claims, or a mark in /proc, may help */
	bool first_done;
};

int recovery_new(struct recovery **ret, struct core *core)
{
	struct recovery *rc = calloc(1, sizeof(*rc));

	if (!rc)
		return -ENOMEM;
	rc->core = core;
	*ret = rc;
	return 0;
}

static void drop_pending(struct recovery *rc)
{
	for (size_t i = 0; i < rc->n_pending; i++)
		free(rc->pending[i].output);
	free(rc->pending);
	rc->pending = NULL;
	rc->n_pending = 0;
}

struct recovery *recovery_free(struct recovery *rc)
{
	if (rc) {
		drop_pending(rc);
		traces_drop(&rc->traces);
	}
	free(rc);
	return NULL;
}

int recovery_add(struct recovery *rc, const struct store_run *rec)
{
	struct pending *v = reallocarray(rc->pending, rc->n_pending + 1, sizeof(*v));
	struct pending *p;

	if (!v)
		return -ENOMEM;
	rc->pending = v;
	p = &v[rc->n_pending];
	*p = (struct pending){.rec = *rec};
	p->rec.step = p->rec.reason = p->rec.value = NULL;
	p->output = rec->output ? strdup(rec->output) : NULL;
	if (rec->output && !p->output)
		return -ENOMEM;
	p->rec.output = p->output;
	rc->n_pending++;
	return 0;
}

bool recovery_is_pending(const struct recovery *rc)
{
	return rc->n_pending && !rc->first_done;
}

/* ---- looking around: blocking ---------------------------------------------------- */

static int look_around(void *arg)
{
	struct recovery *rc = arg;
	int r;

	r = traces_read_exits(&rc->traces, rc->core->state_fd);
	if (r == -RV_ECORRUPT)
		log_at(LOG_ERR, "spawn", "'%s/%s' is damaged, ignoring it",
			rc->core->state_dir, SPAWN_EXITS_NAME);
	else if (r < 0)
		return r;
	return rc->with_marks ? traces_read_rest(&rc->traces, rc->core->state_fd) : 0;
}

static bool some_in_doubt(const struct recovery *rc)
{
	struct jobs *jobs = rc->core->jobs;

	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1))
		if (j->run && j->run->in_doubt && !j->run->started)
			return true;
	return false;
}

int recovery_look_around(void *arg)
{
	struct recovery *rc = arg;

	traces_drop(&rc->traces);
	rc->with_marks =
		rc->n_pending || some_in_doubt(rc) || aux_some_in_doubt(rc->core->aux);
	return rv_run_blocking(rc->core->io, look_around, rc);
}

/* ---- matching -------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
	const struct spawner_run *x = a, *y = b;

	return spawn_token_compare(&x->info.token, &y->info.token);
}

/* the table is sorted: thousands of runs are matched while the loop waits */
static struct spawner_run *find_in_table(
	struct spawner_run *runs, size_t n, const struct run_token *t)
{
	struct spawner_run key = {.info.token = traces_token(t)};

	return n ? bsearch(&key, runs, n, sizeof(*runs), compare_rows) : NULL;
}

static struct run_end end_of(const struct spawn_run_info *info)
{
	if (info->state == SPAWN_RUN_FAILED)
		return (struct run_end){
			.kind = RUN_END_START_FAILED, .error = -info->error};
	return (struct run_end){.kind = RUN_END_EXITED,
		.wait_status = info->status,
		.shutdown = info->flags & SPAWN_RUN_SHUTDOWN};
}

static void adopt(struct recovery *rc, struct job *j, const struct pending *p,
	enum run_found found, const struct spawn_run_info *info,
	const struct run_end *end, int pidfd)
{
	int r = supervisor_adopt(rc->core, j, &p->rec, found, info, end, pidfd);

	if (r < 0)
		log_at(LOG_ERR, "job",
			"job %" PRIu64 " cannot be followed: %s; restart the daemon",
			j->id, rv_strerror(r));
}

/* The record of the start stays; the next start of the job overwrites it. */
static void was_never_started(struct recovery *rc, struct job *j)
{
	struct store_job rec;
	struct txn *t = txn_new();

	job_record(j, &rec);
	rec.state = j->flags & STORE_JOB_CANCEL ? JOB_FINISHED : JOB_QUEUED;
	rec.result =
		j->flags & STORE_JOB_CANCEL ? JOB_RESULT_CANCELLED : JOB_RESULT_NONE;
	if (rec.state == JOB_FINISHED)
		rec.finished_usec = clock_wall_usec(rc->core->clock);
	rec.n_runs--;
	rec.flags = 0;
	log_at(LOG_INFO, "job",
		"job %" PRIu64 " was not started yet, it is queued again", j->id);
	if (!t || callbacks_record_end(rc->core, j, &rec, t) < 0) {
		txn_free(t);
		return;
	}
	committer_post(rc->core->committer, t, COMMIT_MUST, NULL, NULL);
	job_publish(rc->core->jobs, j, &rec);
	scheduler_place(rc->core->scheduler, j);
}

static void adopt_from_table(struct recovery *rc, struct job *j,
	const struct pending *p, struct spawner_run *sr)
{
	struct run_end end;

	if (spawn_run_never_began(&sr->info)) {
		was_never_started(rc, j);
	} else if (traces_is_end(&sr->info)) {
		end = end_of(&sr->info);
		adopt(rc, j, p, RUN_FOUND_ENDED, &sr->info, &end, -1);
	} else {
		adopt(rc, j, p, RUN_FOUND_GOING_ON, &sr->info, NULL,
			TAKE_FD(sr->pidfd));
		if (j->run && sr->info.state == SPAWN_RUN_RUNNING)
			run_told_stdin(j->run, TAKE_FD(sr->stdin_fd));
		if (j->run)
			run_told_said(j->run, sr->said);
	}
}

static void look_for_pending(
	struct recovery *rc, struct job *j, const struct pending *p)
{
	struct run_end end = {.kind = RUN_END_LOST};
	struct spawn_run_info info;
	int pidfd;

	switch (traces_find(&rc->traces, &p->rec, rc->core->boot_id, &info, &pidfd)) {
	case TRACE_NOT_STARTED: was_never_started(rc, j); return;
	case TRACE_PROCESS:
		adopt(rc, j, p, RUN_FOUND_BY_PIDFD, &info, NULL, pidfd);
		return;
	case TRACE_END:
		end = end_of(&info);
		adopt(rc, j, p, RUN_FOUND_ENDED, &info, &end, -1);
		return;
	case TRACE_NONE:
		/* another boot: the machine went down under it */
		end.shutdown = !STREQ(p->rec.boot_id, rc->core->boot_id);
		adopt(rc, j, p, RUN_FOUND_ENDED, NULL, &end, -1);
		return;
	}
}

static void match_pending(struct recovery *rc, struct spawner_run *runs, size_t n)
{
	const char *instance = spawner_link_instance(rc->core->spawner);

	for (size_t i = 0; i < rc->n_pending; i++) {
		struct pending *p = &rc->pending[i];
		struct job *j = jobs_find(rc->core->jobs, p->rec.token.job_id);
		struct spawner_run *sr = find_in_table(runs, n, &p->rec.token);

		if (!j || j->run)
			continue;
		if (sr)
			adopt_from_table(rc, j, p, sr);
		else if (STREQ(p->rec.spawner_id, instance) && !p->rec.pid)
			was_never_started(rc, j);
		else
			look_for_pending(rc, j, p);
	}
	drop_pending(rc);
}

static void look_for_run(struct recovery *rc, struct run *run)
{
	struct spawn_run_info info;
	enum trace trace;
	int pidfd;

	trace = traces_find(&rc->traces, &run->rec, rc->core->boot_id, &info, &pidfd);
	if (trace == TRACE_END && info.state == SPAWN_RUN_FAILED)
		run_told_failed(run, &info);
	else if (trace == TRACE_END)
		run_told_exited(run, &info);
	else if (trace == TRACE_NOT_STARTED && !run->started)
		run_told_not_started(run);
	else if (trace == TRACE_PROCESS && !run->started)
		run_told_started(run, &info, TAKE_FD(pidfd));
	close_safe(pidfd);
	if (trace == TRACE_PROCESS || trace == TRACE_NONE)
		run_told_spawner_gone(run);
}

static void tell_from_table(struct run *run, struct spawner_run *sr)
{
	switch (sr->info.state) {
	case SPAWN_RUN_STARTING:
		rv_event_set(&run->wake); /* the link tells what becomes of it */
		break;
	case SPAWN_RUN_RUNNING:
		run_told_stdin(run, TAKE_FD(sr->stdin_fd));
		run_told_started(run, &sr->info, TAKE_FD(sr->pidfd));
		run_told_said(run, sr->said);
		break;
	case SPAWN_RUN_EXITED: run_told_exited(run, &sr->info); break;
	case SPAWN_RUN_FAILED:
		if (spawn_run_never_began(&sr->info))
			run_told_not_started(run);
		else
			run_told_failed(run, &sr->info);
		break;
	}
}

/* runs of this reeved whose spawner's connection was lost meanwhile */
static void match_in_doubt(
	struct recovery *rc, struct spawner_run *runs, size_t n, bool same_instance)
{
	struct jobs *jobs = rc->core->jobs;

	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1)) {
		struct run *run = j->run;
		struct spawner_run *sr;

		if (!run || !run->in_doubt)
			continue;
		run->in_doubt = false;
		sr = find_in_table(runs, n, &run->rec.token);
		if (sr)
			tell_from_table(run, sr);
		else if (same_instance && !run->started)
			run_told_not_started(run);
		else
			look_for_run(rc, run);
	}
}

/* In the table, but nobody was told of it: its end is on disk already, or just on its
 * way there and acknowledged after it, or it was never ours. */
static void settle_strangers(struct recovery *rc, struct spawner_run *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct spawn_run_info *info = &runs[i].info;

		if (aux_is_token(&info->token) ||
			spawner_link_is_awaited(rc->core, &info->token))
			continue;
		if (traces_is_end(info))
			spawner_link_ack_token(rc->core->spawner, &info->token);
		else
			log_at(LOG_WARNING, "spawn",
				"the spawner runs job %" PRIu64
				", which is in no record; leaving it",
				info->token.job_id);
	}
}

/* Those of spawners that are gone. One that told of a start is kept until the next time: that
 * the run is with nobody is on disk soon, not now. */
static void sweep_claims(struct recovery *rc)
{
	int r = spawn_claims_sweep(
		rc->core->state_fd, spawner_link_instance(rc->core->spawner));

	if (r < 0)
		log_at(LOG_WARNING, "spawn", "cannot remove old '%s/%s*': %s, ignoring",
			rc->core->state_dir, SPAWN_CLAIMS_PREFIX, rv_strerror(r));
}

void recovery_match(struct spawner_run *runs, size_t n, bool same_instance, void *arg)
{
	struct recovery *rc = arg;

	if (rc->core->detaching)
		return; /* the next daemon's */
	if (n)
		qsort(runs, n, sizeof(*runs), compare_rows);
	traces_sort(&rc->traces);
	if (!rc->first_done)
		match_pending(rc, runs, n);
	else
		match_in_doubt(rc, runs, n, same_instance);
	aux_match(rc->core->aux, runs, n, same_instance, &rc->traces);
	settle_strangers(rc, runs, n);
	traces_drop(&rc->traces);
	/* What was used is on disk soon, not now: the file goes at the start that needs
	 * nothing of it any more. */
	if (!rc->first_done && !rc->traces.ends_used &&
		spawn_exits_remove(rc->core->state_fd) < 0)
		log_at(LOG_WARNING, "spawn", "cannot remove '%s/%s'",
			rc->core->state_dir, SPAWN_EXITS_NAME);
	if (!rc->traces.claims_used)
		sweep_claims(rc);
	rc->traces.claims_used = false;
	rc->first_done = true;
	/* verbs that came before they could be judged; they go before what may start now */
	jobs_wake_waiters(rc->core->jobs);
	scheduler_block(rc->core->scheduler, BLOCK_STARTUP, false);
	readiness_open(rc->core->readiness);
	services_look_at_all(rc->core->services);
	/* a shutdown that came before it knew whom to end */
	core_tell_run_ended(rc->core);
}
