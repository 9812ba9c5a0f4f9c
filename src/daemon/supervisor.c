#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/strv.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/output_caps.h"
#include "daemon/outputs.h"
#include "daemon/retention.h"
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
	rv_fd_unwatch(run->pidfd_watch);
	close_safe(run->pidfd);
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
	run->core = core;
	run->job = j;
	run->deadline = run->kill_at = run->status_due = run->recall_at = RV_FOREVER;
	rv_event_init(&run->wake);
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

static bool wants_file(const struct run *run)
{
	return !run->job->is_function && STREQ(job_str(&run->spec, OUTPUT), "file");
}

/* ---- the start, on disk before anything happens ---------------------------------- */

static int take_outputs(struct run *run)
{
	struct outputs *os = run->core->outputs;
	int r;

	if (!wants_file(run))
		return 0;
	r = outputs_take(os, &run->out);
	if (r < 0)
		return r;
	snprintf(run->output_names, sizeof(run->output_names), "%s", run->out->name);
	if (job_num(&run->spec, SPLIT_OUTPUT)) {
		r = outputs_take(os, &run->err);
		if (r < 0)
			return r;
		snprintf(run->output_names, sizeof(run->output_names), "%s %s",
			run->out->name, run->err->name);
	}
	run->rec.output = run->output_names;
	return 0;
}

static void give_back_outputs(struct run *run)
{
	if (run->out)
		outputs_finish(run->core->outputs, TAKE_PTR(run->out));
	if (run->err)
		outputs_finish(run->core->outputs, TAKE_PTR(run->err));
	run->rec.output = NULL;
}

static int record_start(struct run *run)
{
	struct core *core = run->core;
	struct job *j = run->job;
	_cleanup_(txn_freep) struct txn *t = NULL;
	struct store_job rec;
	int r;

	r = take_outputs(run);
	if (r < 0)
		return r;
	job_record(j, &rec);
	rec.state = JOB_STARTING;
	rec.result = JOB_RESULT_NONE;
	rec.n_runs = j->n_runs + 1;
	rec.exit_code = -1;
	rec.signal = 0;
	rec.flags = 0;
	rec.reason = NULL;
	rec.started_usec = clock_wall_usec(core->clock);
	rec.finished_usec = 0;
	rec.due_usec = 0;
	run->rec.token = (struct run_token){
		.job_id = j->id, .run = rec.n_runs, .epoch = core->epoch};
	run->rec.started_usec = rec.started_usec;
	memcpy(run->rec.boot_id, core->boot_id, sizeof(run->rec.boot_id));
	if (!j->is_function)
		memcpy(run->rec.spawner_id, spawner_link_instance(core->spawner),
			sizeof(run->rec.spawner_id));
	t = txn_new();
	if (!t)
		return -ENOMEM;
	r = run_record_put(t, STORE_RUN_INSERT, &run->rec);
	if (r >= 0)
		r = job_record_put(t, &rec);
	if (r < 0)
		return r;
	r = committer_commit(core->committer, TAKE_PTR(t), 0);
	if (r < 0)
		return r;
	FAILPOINT("reeved-start-committed");
	scheduler_start_succeeded(core->scheduler);
	job_publish(core->jobs, j, &rec);
	return 0;
}

/* Whoever waits for runs to end looks again. */
static void tell_ended(struct core *core)
{
	rv_event_set(&core->run_ended);
	rv_event_clear(&core->run_ended);
}

static void set_ahead(struct run *run)
{
	run->ahead = true;
	run->job->pool->n_ahead++;
}

void run_set_arrived(struct run *run)
{
	bool awaited = run->recall_at == 0;

	if (!run->ahead)
		return;
	run->ahead = false;
	run->recall_at = RV_FOREVER;
	run->job->pool->n_ahead--;
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
	give_back_outputs(run);
	j->run = NULL;
	scheduler_release_slot(core->scheduler, j);
	job_end(core->jobs, j);
	run_free(run);
	tell_ended(core);
}

/* ---- the end --------------------------------------------------------------------- */

static void describe_end(const struct run *run, char *buf, size_t size)
{
	const struct run_end *end = &run->end;

	buf[0] = '\0';
	if (end->shutdown)
		snprintf(buf, size, "shutdown");
	else if (end->cancelled)
		snprintf(buf, size, "cancelled");
	else if (end->timed_out)
		snprintf(buf, size, "run-time limit");
	else if (end->kind == RUN_END_START_FAILED)
		snprintf(buf, size, "start failed at %s: %s",
			run->rec.step ? run->rec.step : "request",
			rv_strerror(end->error));
	else if (end->kind == RUN_END_LOST)
		snprintf(buf, size, "%s",
			run->error_text ? run->error_text : "its end is not known");
	else if (end->kind == RUN_END_FUNCTION && end->error < 0)
		snprintf(buf, size, "%s",
			run->error_text ? run->error_text : rv_strerror(end->error));
	else if (run->rec.leftovers)
		snprintf(buf, size, "%" PRIu32 " processes were left behind",
			run->rec.leftovers);
}

/* the file's bytes on disk; name becomes none where there are none in it */
static int64_t settle_one(struct run *run, struct output_file **f,
	char name[OUTPUT_NAME_MAX], const char *none)
{
	int64_t n;

	snprintf(name, OUTPUT_NAME_MAX, "%s", none);
	if (!*f)
		return 0;
	memcpy(name, (*f)->name, OUTPUT_NAME_MAX);
	n = outputs_finish(run->core->outputs, TAKE_PTR(*f));
	if (n == 0)
		snprintf(name, OUTPUT_NAME_MAX, "%s", none);
	return n;
}

/* bytes that stay on disk; the record says where, or nothing when it printed nothing */
static int64_t settle_outputs(struct run *run)
{
	char out[OUTPUT_NAME_MAX], err[OUTPUT_NAME_MAX];
	int64_t bytes;

	output_caps_unwatch(run->core->caps, run);
	if (!run->out && !run->err)
		return 0; /* none, or one that cannot be opened: its name stays */
	output_caps_settle(run);
	bytes = settle_one(run, &run->out, out, "-");
	/* an empty stderr is still a stream of its own: without it stdout would be all */
	bytes += settle_one(run, &run->err, err, run->err ? "-" : "");
	snprintf(run->output_names, sizeof(run->output_names), "%s%s%s", out,
		err[0] ? " " : "", err);
	run->rec.output = bytes ? run->output_names : NULL;
	return bytes;
}

static void fill_run_end(struct run *run, const struct job_verdict *v)
{
	const struct spawn_run_info *info = &run->info;

	run->rec.end_kind = run->end.kind;
	run->rec.result = v->result;
	run->rec.wait_status = run->end.wait_status;
	run->rec.error = run->end.error;
	run->rec.ended_usec =
		info->ended_usec ? info->ended_usec : clock_wall_usec(run->core->clock);
	if (info->started_usec)
		run->rec.started_usec = info->started_usec;
	if (info->pid) {
		run->rec.pid = info->pid;
		run->rec.pid_start = info->start_time;
	}
	if (info->ended_boot && info->started_boot)
		run->rec.elapsed_usec = (info->ended_boot - info->started_boot) / 1000;
	else
		run->rec.elapsed_usec = run->rec.ended_usec - run->rec.started_usec;
	run->rec.utime_usec = info->usage.utime_usec;
	run->rec.stime_usec = info->usage.stime_usec;
	run->rec.max_rss_bytes = info->usage.maxrss_kib * 1024;
	run->rec.leftovers = info->leftovers;
	if (run->end.kind == RUN_END_START_FAILED)
		run->rec.step = spawn_step_name(info->step);
	run->rec.value = run->value;
}

static uint32_t random_u32(void)
{
	uint32_t x = 0;

	if (getrandom(&x, sizeof(x), GRND_NONBLOCK) < 0)
		return UINT32_MAX / 2; /* the middle of the jitter is as good a value */
	return x;
}

static int record_end(struct run *run)
{
	struct core *core = run->core;
	struct job *j = run->job;
	struct job_verdict v;
	struct store_job rec;
	struct txn *t;
	char reason[160];
	int64_t bytes;
	int r;

	switch (run->stop) {
	case RUN_STOP_CANCEL: run->end.cancelled = true; break;
	case RUN_STOP_TIMEOUT: run->end.timed_out = true; break;
	case RUN_STOP_SHUTDOWN: run->end.shutdown = true; break;
	case RUN_STOP_NONE: break;
	}
	run_set_arrived(run);
	job_judge(&v, &run->spec, &run->end, j->n_failed, random_u32());
	bytes = settle_outputs(run);
	fill_run_end(run, &v);
	describe_end(run, reason, sizeof(reason));
	run->rec.reason = reason[0] ? reason : NULL;

	job_record(j, &rec);
	rec.state = v.next;
	rec.result = v.result;
	rec.exit_code = v.exit_code;
	rec.signal = v.signal;
	rec.flags = 0;
	rec.started_usec = run->rec.started_usec;
	rec.finished_usec = run->rec.ended_usec;
	rec.reason = run->rec.reason;
	if (v.uses_retry)
		rec.n_failed++;
	if (v.next == JOB_BACKOFF) {
		int64_t delay = MIN(v.delay_usec, 366 * 24 * 3600 * USEC_PER_SEC);

		rec.due_usec = clock_wall_usec(core->clock) + delay;
		j->due = clock_boottime(core->clock) + RV_US(delay);
	}
	t = txn_new();
	r = t ? run_record_put(t, STORE_RUN_UPDATE, &run->rec) : -ENOMEM;
	if (r >= 0)
		r = job_record_put(t, &rec);
	INVARIANT(r >= 0); /* small allocations: no way to go on without this record */

	if (run->end.kind == RUN_END_EXITED)
		pool_note_run(j->pool, run->rec.elapsed_usec);
	if (run->spawner_gone)
		j->pool->n_strayed--;
	/* Others may take the slot in the transaction that this end is in. */
	FAILPOINT("reeved-before-exit-commit");
	scheduler_release_slot(core->scheduler, j);
	r = committer_commit(core->committer, t, COMMIT_MUST);
	FAILPOINT("reeved-exit-committed");
	if (r == -RV_ESHUTDOWN)
		return r;
	/* Refused, which only a damaged store does: nobody would ever end the job. It is
	 * shown; it is not acknowledged, so the next daemon hears of it once more. */
	job_publish(core->jobs, j, &rec);
	if (r < 0)
		return r;
	retention_run_ended(core->retention, j, bytes);
	return 0;
}

static void finish(struct run *run)
{
	struct core *core = run->core;
	struct job *j = run->job;
	bool told = run->sent && !run->spawner_gone;

	j->busy = true; /* verbs wait until its end is known to be on disk */
	if (record_end(run) >= 0 && told)
		spawner_link_ack(core->spawner, run);
	j->run = NULL;
	job_end(core->jobs, j);
	run_free(run);
	tell_ended(core);
}

/* ---- the task -------------------------------------------------------------------- */

/* Cancelled: the daemon goes and leaves the run to the next one. */
static void detach(struct run *run)
{
	run_set_arrived(run);
	if (run->spawner_gone)
		run->job->pool->n_strayed--;
	output_caps_unwatch(run->core->caps, run);
	if (run->out)
		outputs_detach(TAKE_PTR(run->out));
	if (run->err)
		outputs_detach(TAKE_PTR(run->err));
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
		pool_note_recall(j->pool);
	give_back_outputs(run);
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
	scheduler_release_slot(core->scheduler, j);
	job_end(core->jobs, j);
	run_free(run);
	tell_ended(core);
}

static int go_on(struct run *run)
{
	int r;

	if (run->job->is_function)
		r = run_function(run);
	else
		r = run_process(run);
	if (r == -ECANCELED && !run->ended) {
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

	r = record_start(run);
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

int supervisor_start(struct core *core, struct job *j, bool ahead)
{
	struct run *run = run_new(core, j);
	int r;

	if (!run)
		return -ENOMEM;
	job_begin(core->jobs, j);
	j->run = run;
	if (ahead)
		set_ahead(run);
	r = spawn_task(core, run, supervise);
	if (r < 0) {
		run_set_arrived(run);
		j->run = NULL;
		j->busy = false;
		run_free(run);
	}
	return r;
}

static int adopt_outputs(struct run *run, const char *names)
{
	char *space;
	int r;

	if (!names)
		return 0;
	snprintf(run->output_names, sizeof(run->output_names), "%s", names);
	run->rec.output = run->output_names;
	space = strchr(run->output_names, ' ');
	if (space) {
		*space = '\0';
		r = outputs_adopt(run->core->outputs, &run->err, space + 1);
		if (r < 0)
			return r;
	}
	r = outputs_adopt(run->core->outputs, &run->out, run->output_names);
	if (space)
		*space = ' ';
	return r;
}

static void resume_stop(struct run *run)
{
	if (run->job->flags & STORE_JOB_CANCEL)
		run->stop = RUN_STOP_CANCEL;
	else if (run->job->flags & STORE_JOB_TIMEOUT)
		run->stop = RUN_STOP_TIMEOUT;
	else if (run->job->flags & STORE_JOB_SHUTDOWN)
		run->stop = RUN_STOP_SHUTDOWN;
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
	r = adopt_outputs(run, rec->output);
	/* ENOENT: it had printed nothing, and its end was just being recorded */
	if (r < 0 && r != -ENOENT)
		log_at(LOG_WARNING, "job",
			"output of job %" PRIu64 " cannot be opened: %s; ignoring",
			j->id, rv_strerror(r));
	j->run = run;
	run->sent = true;
	run->pid_recorded = rec->pid != 0;
	run->paused = run->pause_wanted = j->state == JOB_PAUSED;
	resume_stop(run);
	scheduler_take_slot(core->scheduler, j);
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
		scheduler_release_slot(core->scheduler, j);
		j->run = NULL;
		detach(run);
	}
	return r;
}
