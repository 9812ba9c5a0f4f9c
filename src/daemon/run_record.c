#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/invariant.h"
#include "base/parse.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/pools.h"
#include "daemon/retention.h"
#include "daemon/run_hooks.h"
#include "daemon/run_outputs.h"
#include "daemon/run_record.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"
#include "daemon/spawner_link.h"
#include "daemon/supervisor.h"

/* ---- the start, on disk before anything happens ---------------------------------- */

int run_record_start(struct run *run)
{
	struct core *core = run->core;
	struct job *j = run->job;
	_cleanup_(txn_freep) struct txn *t = NULL;
	struct store_job rec;
	int r;

	r = run_take_outputs(run);
	if (r < 0)
		return r;
	job_record(j, &rec);
	rec.state = JOB_STARTING;
	rec.result = JOB_RESULT_NONE;
	rec.n_runs = j->n_runs + 1;
	rec.exit_code = -1;
	rec.signal = 0;
	rec.flags = STORE_JOB_WAY(run->way);
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

/* ---- the end --------------------------------------------------------------------- */

/* Of a start that failed: what the step was about, which the error does not tell; NULL: nothing
 * with a name. */
static const char *step_object(const struct run *run)
{
	const struct job_spec *spec = &run->spec;
	char *const *command = job_strv(spec, COMMAND);

	switch (run->info.step) {
	case SPAWN_STEP_CHDIR: return job_str(spec, CWD);
	case SPAWN_STEP_STDIN: return job_str(spec, STDIN);
	case SPAWN_STEP_STDOUT:
		return STREQ(job_str(spec, OUTPUT), "journal") ? JOB_JOURNAL_SOCKET
							       : NULL;
	case SPAWN_STEP_EXEC:
		return command && command[0] ? command[0] : job_str(spec, SHELL);
	default: return NULL;
	}
}

void run_describe_failed_step(const struct run *run, char *buf, size_t size)
{
	const char *object = step_object(run);

	snprintf(buf, size, "%s%s%s: %s", run->rec.step ? run->rec.step : "request",
		object ? " " : "", object ? QUOTED(object) : "",
		rv_strerror(run->end.error));
}

static void describe_failed_start(const struct run *run, char *buf, size_t size)
{
	static const char what[] = "start failed at ";

	INVARIANT(size > sizeof(what));
	memcpy(buf, what, sizeof(what));
	run_describe_failed_step(run, buf + strlen(what), size - strlen(what));
}

static void describe_end(const struct run *run, char *buf, size_t size)
{
	const struct run_end *end = &run->end;

	buf[0] = '\0';
	if (end->shutdown)
		snprintf(buf, size, JOB_REASON_SHUTDOWN);
	else if (end->cancelled)
		snprintf(buf, size, "cancelled");
	else if (end->timed_out)
		snprintf(buf, size, "run-time limit");
	else if (run_hooks_problem(run))
		snprintf(buf, size, "%s", run_hooks_problem(run));
	else if (end->kind == RUN_END_START_FAILED && run->error_text)
		snprintf(buf, size, "start failed: %s", run->error_text);
	else if (end->kind == RUN_END_START_FAILED)
		describe_failed_start(run, buf, size);
	else if (end->kind == RUN_END_LOST)
		str_shorten(buf, size,
			run->error_text ? run->error_text : "its end is not known");
	else if (end->kind == RUN_END_FUNCTION && end->error < 0)
		str_shorten(buf, size,
			run->error_text ? run->error_text : rv_strerror(end->error));
	else if (run->rec.leftovers)
		snprintf(buf, size, "%" PRIu32 " process%s left behind",
			run->rec.leftovers,
			run->rec.leftovers == 1 ? " was" : "es were");
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
		run->rec.step = run_hooks_problem(run)
					? service_hook_name[HOOK_PRE_START]
					: spawn_step_name(info->step);
	run->rec.value = run->value;
}

static uint32_t random_u32(void)
{
	uint32_t x = 0;

	if (getrandom(&x, sizeof(x), GRND_NONBLOCK) < 0)
		return UINT32_MAX / 2; /* the middle of the jitter is as good a value */
	return x;
}

static void judge_service(struct run *run, struct job_verdict *v, uint32_t *n_failed,
	char *reason, size_t size)
{
	struct service_end end;

	services_judge(run->core->services, run, random_u32(), v, &end);
	run->rec.result = v->result;
	*n_failed = end.n_short;
	if (end.reason[0])
		snprintf(reason, size, "%s", end.reason);
}

int run_record_end(struct run *run)
{
	struct core *core = run->core;
	struct job *j = run->job;
	uint32_t n_failed = j->n_failed;
	struct job_verdict v;
	struct store_job rec;
	struct txn *t;
	char reason[JOB_REASON_MAX];
	int64_t bytes;
	int r;

	switch (run->stop) {
	case RUN_STOP_CANCEL: run->end.cancelled = true; break;
	case RUN_STOP_TIMEOUT: run->end.timed_out = true; break;
	case RUN_STOP_SHUTDOWN: run->end.shutdown = true; break;
	case RUN_STOP_UNREADY: /* services_judge sees to these */
	case RUN_STOP_UNRESPONSIVE:
	case RUN_STOP_MEMORY:
	case RUN_STOP_NONE: break;
	}
	run_set_arrived(run);
	job_judge(&v, &run->spec, &run->end, j->n_failed, random_u32());
	bytes = run_settle_outputs(run);
	fill_run_end(run, &v);
	describe_end(run, reason, sizeof(reason));
	if (j->of_service)
		judge_service(run, &v, &n_failed, reason, sizeof(reason));
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
	rec.n_failed = n_failed + v.uses_retry;
	if (v.next == JOB_BACKOFF || v.next == JOB_DELAYED) {
		int64_t delay = MIN(v.delay_usec, JOB_DELAY_MAX);

		rec.due_usec = clock_wall_usec(core->clock) + delay;
		j->due = clock_boottime(core->clock) + RV_US(delay);
	}
	t = txn_new();
	r = t ? run_record_put(t, STORE_RUN_UPDATE, &run->rec) : -ENOMEM;
	if (r >= 0)
		r = callbacks_record_end(core, j, &rec, t);
	if (r >= 0 && j->of_service)
		r = services_record_end(core->services, j, t);
	INVARIANT(r >= 0); /* small allocations: no way to go on without this record */

	if (run->end.kind == RUN_END_EXITED)
		pool_note_run(run_pool(run), run->rec.elapsed_usec);
	if (run->spawner_gone)
		run_pool(run)->n_strayed--;
	if (v.next == JOB_FINISHED &&
		(v.result == JOB_RESULT_FAILED || v.result == JOB_RESULT_TIMEOUT))
		pools_job_failed(core->pools, j);
	/* Others may take the slot in the transaction that this end is in. */
	FAILPOINT("reeved-before-exit-commit");
	scheduler_release(core->scheduler, j, run->way);
	r = committer_commit(core->committer, t, COMMIT_MUST);
	FAILPOINT("reeved-exit-committed");
	if (r == -RV_ESHUTDOWN)
		return r;
	/* Refused, which only a damaged store does: nobody would ever end the job. It is
	 * shown; it is not acknowledged, so the next daemon hears of it once more. */
	if (r < 0)
		callbacks_drop(core, j);
	job_publish(core->jobs, j, &rec);
	if (r < 0)
		return r;
	retention_run_ended(core->retention, bytes);
	return 0;
}
