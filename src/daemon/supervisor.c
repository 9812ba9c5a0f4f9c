#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/aux.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/run_hooks.h"
#include "daemon/run_outputs.h"
#include "daemon/run_record.h"
#include "daemon/run_stdin.h"
#include "daemon/run_steps.h"
#include "daemon/scheduler.h"
#include "daemon/spawner_link.h"
#include "daemon/supervisor.h"

/* ---- the object ------------------------------------------------------------------ */

static struct run *run_free(struct run *run)
{
	if (!run)
		return NULL;
	list_remove(&run->want_room);
	scheduler_note_started(run->core->scheduler, run);
	list_remove(&run->active);
	run->core->n_runs--;
	scheduler_note_run_ended(run->core->scheduler);
	rv_fd_unwatch(run->pidfd_watch);
	close_safe(run->pidfd);
	run_hooks_free(run);
	run_ready_free(run);
	run_stdin_end(run->in, RUN_STDIN_OVER);
	run_stdin_unref(run->in);
	job_spec_deinit(&run->spec);
	free(run->value);
	free(run->error_text);
	free(run);
	return NULL;
}

static struct run *run_new(struct core *core, struct job *j)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->pidfd = -1;
	if (job_spec_get(j, &run->spec) < 0) {
		free(run);
		return NULL;
	}
	if (job_num(&run->spec, STDIN_OPEN) && run_stdin_new(&run->in) < 0) {
		job_spec_deinit(&run->spec);
		free(run);
		return NULL;
	}
	run->core = core;
	run->job = j;
	if (j->of_service && (run_hooks_new(run) < 0 || run_ready_new(run) < 0)) {
		run_hooks_free(run);
		run_stdin_unref(run->in);
		job_spec_deinit(&run->spec);
		free(run);
		return NULL;
	}
	run->deadline = run->kill_at = run->status_due = run->recall_at = RV_FOREVER;
	rv_event_init(&run->wake);
	list_append(&core->active, &run->active);
	core->n_runs++;
	return run;
}

struct spawn_token run_spawn_token(const struct run *run)
{
	return (struct spawn_token){
		.job_id = run->rec.token.job_id,
		.run_no = run->rec.token.run,
		.epoch = run->rec.token.epoch,
	};
}

struct pool *run_pool(const struct run *run)
{
	return demand_pool(run->job->demand, run->way);
}

/* ---- beginning, and giving up ----------------------------------------------------- */

static void set_ahead(struct run *run)
{
	run->ahead = true;
	run_pool(run)->n_ahead++;
}

void run_set_arrived(struct run *run)
{
	bool awaited = run->recall_at == 0;

	if (!run->ahead)
		return;
	run->ahead = false;
	run->recall_at = RV_FOREVER;
	run_pool(run)->n_ahead--;
	if (awaited)
		jobs_wake_waiters(run->core->jobs);
}

/* Nothing was recorded: the job is as it was. */
static void abandon_start(struct run *run, int error)
{
	struct core *core = run->core;
	struct job *j = run->job;

	run_set_arrived(run);
	if (error != -RV_ESHUTDOWN && error != -ECANCELED) {
		log_at(LOG_WARNING, "job",
			"job %" PRIu64 " cannot be started now: %s; it stays queued",
			j->id, rv_strerror(error));
		scheduler_hold_off(core->scheduler);
	}
	run_give_back_outputs(run);
	j->run = NULL;
	scheduler_take_back(core->scheduler, j, run->way, run->admitted_at);
	job_end(core->jobs, j);
	run_free(run);
	core_tell_run_ended(core);
}

/* ---- the end --------------------------------------------------------------------- */

static void finish(struct run *run)
{
	struct core *core = run->core;
	struct job *j = run->job;
	bool told = run->sent && !run->spawner_gone;

	j->busy = true; /* verbs wait until its end is known to be on disk */
	if (run_record_end(run) >= 0) {
		if (told)
			spawner_link_ack(core->spawner, run);
		aux_forget(run);
	}
	j->run = NULL;
	job_end(core->jobs, j);
	run_free(run);
	core_tell_run_ended(core);
}

/* ---- the task -------------------------------------------------------------------- */

/* Cancelled: the daemon goes and leaves the run to the next one. */
static void detach(struct run *run)
{
	run_hooks_leave(run);
	run_set_arrived(run);
	if (run->spawner_gone)
		run_pool(run)->n_strayed--;
	run_detach_outputs(run);
	run->job->run = NULL;
	run_free(run);
}

/* It was recorded and never began: the shutdown came before, or its slot did not. It waits
 * again, as what was queued does, and the record of the run is overwritten by the next one;
 * until then it names no output, for the file may be another run's. */
static void take_back_start(struct run *run)
{
	struct core *core = run->core;
	struct job *j = run->job;
	struct txn *t = txn_new();
	struct store_job rec;

	job_begin(core->jobs, j);
	run_set_arrived(run);
	if (run->recalled)
		pool_note_recall(run_pool(run));
	run_give_back_outputs(run);
	job_record(j, &rec);
	rec.state = JOB_QUEUED;
	rec.n_runs--;
	rec.flags = 0;
	if (t && run_record_put(t, STORE_RUN_UPDATE, &run->rec) >= 0 &&
		job_record_put(t, &rec) >= 0) {
		if (committer_commit(core->committer, TAKE_PTR(t), COMMIT_MUST) >= 0)
			job_publish(core->jobs, j, &rec);
	}
	txn_free(t); /* not recorded: the next daemon finds that it never began */
	j->run = NULL;
	scheduler_take_back(core->scheduler, j, run->way, run->admitted_at);
	job_end(core->jobs, j);
	run_free(run);
	core_tell_run_ended(core);
}

static int go_on(struct run *run)
{
	int r;

	if (run->job->is_function)
		r = run_function(run);
	else
		r = run_process(run);
	if (r == RUN_LEFT || (r == -ECANCELED && !run->ended)) {
		detach(run);
		return 0;
	}
	if (r == RUN_NOT_BEGUN) {
		take_back_start(run);
		return 0;
	}
	finish(run);
	return 0;
}

static int supervise(void *arg)
{
	struct run *run = arg;
	struct core *core = run->core;
	struct job *j = run->job;
	int r;

	r = run_record_start(run);
	if (r < 0) {
		abandon_start(run, r);
		return 0;
	}
	job_end(core->jobs, j);
	return go_on(run);
}

static int supervise_adopted(void *arg)
{
	return go_on(arg);
}

static int spawn_task(struct core *core, struct run *run, rv_fn fn)
{
	rv_task_opts opts = {.flags = RV_SPAWN_EAGER};
	char name[32];

	snprintf(name, sizeof(name), "job-%" PRIu64, run->job->id);
	opts.name = name;
	return rv_group_spawn_ex(core->runs, &opts, fn, run, NULL);
}

int supervisor_start(struct core *core, struct job *j, unsigned way, bool ahead)
{
	struct run *run = run_new(core, j);
	int r;

	if (!run)
		return -ENOMEM;
	job_begin(core->jobs, j);
	j->run = run;
	run->way = way;
	run->admitted_at = clock_boottime(core->clock);
	if (ahead)
		set_ahead(run);
	if (j->of_service)
		scheduler_note_starting(core->scheduler, run);
	r = spawn_task(core, run, supervise);
	if (r < 0) {
		run_set_arrived(run);
		j->run = NULL;
		j->busy = false;
		run_free(run);
	}
	return r;
}

int supervisor_recall(struct core *core, uint64_t id, struct job **ret)
{
	int r;

	while ((*ret = jobs_find(core->jobs, id)) && (*ret)->run &&
		(*ret)->run->ahead && spawner_link_is_ready(core->spawner)) {
		run_request_recall((*ret)->run);
		r = jobs_wait_change(core->jobs);
		if (r < 0)
			return r;
	}
	return 0;
}

static void resume_stop(struct run *run)
{
	if (run->job->flags & STORE_JOB_CANCEL)
		run->stop = RUN_STOP_CANCEL;
	else if (run->job->flags & STORE_JOB_TIMEOUT)
		run->stop = RUN_STOP_TIMEOUT;
	else if (run->job->flags & STORE_JOB_SHUTDOWN)
		run->stop = RUN_STOP_SHUTDOWN;
	else if (run->job->flags & STORE_JOB_UNREADY)
		run->stop = RUN_STOP_UNREADY;
	else if (run->job->flags & STORE_JOB_UNRESPONSIVE)
		run->stop = RUN_STOP_UNRESPONSIVE;
	else if (run->job->flags & STORE_JOB_MEMORY)
		run->stop = RUN_STOP_MEMORY;
}

int supervisor_adopt(struct core *core, struct job *j, const struct store_run *rec,
	enum run_found found, const struct spawn_run_info *info,
	const struct run_end *end, int pidfd)
{
	struct run *run = run_new(core, j);
	int r;

	if (!run) {
		close_safe(pidfd);
		return -ENOMEM;
	}
	run->rec = *rec;
	run->rec.reason = run->rec.step = run->rec.value =
		NULL; /* of a run that has ended */
	run->rec.output = NULL;
	r = run_adopt_outputs(run, rec->output);
	/* ENOENT: it had printed nothing, and its end was just being recorded */
	if (r < 0 && r != -ENOENT)
		log_at(LOG_WARNING, "job",
			"output of job %" PRIu64 " cannot be opened: %s; ignoring",
			j->id, rv_strerror(r));
	j->run = run;
	run->sent = true;
	run->pid_recorded = rec->pid != 0;
	run->paused = run->pause_wanted = j->state == JOB_PAUSED;
	run->way = STORE_JOB_WAY_OF(j->flags);
	resume_stop(run);
	scheduler_take(core->scheduler, j, run->way);
	if (found != RUN_FOUND_ENDED)
		run_ready_found(run);
	switch (found) {
	case RUN_FOUND_GOING_ON:
		if (info->state == SPAWN_RUN_RUNNING)
			run_told_started(run, info, pidfd);
		else
			close_safe(pidfd);
		/* Else it is between fork and exec, and the link tells what becomes of it; or
		 * it waits at its gate, by slots that may not hold any more. */
		if (info->state == SPAWN_RUN_STARTING) {
			set_ahead(run);
			run_request_recall(run);
		}
		run->pause_wanted = run->paused;
		break;
	case RUN_FOUND_ENDED:
		close_safe(pidfd);
		run->end = *end;
		if (info)
			run->info = *info;
		run->ended = true;
		break;
	case RUN_FOUND_BY_PIDFD:
		run_told_started(run, info, pidfd);
		run_told_spawner_gone(run);
		break;
	}
	r = spawn_task(core, run, supervise_adopted);
	if (r < 0) {
		scheduler_release(core->scheduler, j, run->way);
		j->run = NULL;
		detach(run);
	}
	return r;
}
