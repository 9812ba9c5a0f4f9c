#include "config.h"

#include <errno.h>

#include "base/log.h"
#include "daemon/aux.h"
#include "daemon/control.h"
#include "daemon/jobs.h"
#include "daemon/notify.h"
#include "daemon/recovery.h"
#include "daemon/run_stdin.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"
#include "daemon/shutdown.h"
#include "daemon/socket_guard.h"
#include "daemon/supervisor.h"
#include "reeve/scope.h"

static const rv_time kill_before_end = RV_SEC(1), reply_grace = RV_SEC(3);
/* what drain leaves for ending jobs, at most: their default kill-grace */
static const rv_time end_after_drain = RV_SEC(10);
/* after a second signal */
static const rv_time short_grace = RV_MS(200);

void app_stop(struct app *app, int mode)
{
	if (app->stopping && !app->hasten) {
		log_at(LOG_NOTICE, "reeved", "asked again, hastening the shutdown");
		app->hasten = true;
	}
	if (mode >= 0)
		app->stop_mode = mode;
	app->stopping = true;
	rv_event_set(&app->stop);
	if (app->core.runs)
		core_tell_run_ended(&app->core);
}

static size_t n_active(const struct app *app)
{
	const struct jobs *js = app->core.jobs;
	size_t n = 0;

	for (int s = JOB_STARTING; s <= JOB_STOPPING; s++)
		n += jobs_count(js, (enum job_state)s);
	return n;
}

static void each_run(struct app *app, void (*fn)(struct run *run))
{
	struct jobs *js = app->core.jobs;

	for (struct job *j = jobs_at_or_after(js, 1); j;
		j = jobs_at_or_after(js, j->id + 1))
		if (j->run)
			fn(j->run);
}

static void end_run(struct run *run)
{
	run_request_stop(run, RUN_STOP_SHUTDOWN);
}

/* Services end in the reverse order of their starts: those after which nothing comes that
 * still runs. */
static void end_services(struct app *app)
{
	LIST_FOREACH(it, &app->core.active) {
		struct run *run = LIST_ENTRY(it, struct run, active);

		if (run->stop == RUN_STOP_NONE && run->job->of_service &&
			services_may_shut_down(app->core.services, run->job))
			end_run(run);
	}
}

static void end_other(struct run *run)
{
	if (!run->job->of_service)
		end_run(run);
}

static bool has_runs(struct app *app)
{
	struct jobs *js = app->core.jobs;

	for (struct job *j = jobs_at_or_after(js, 1); j;
		j = jobs_at_or_after(js, j->id + 1))
		if (j->run)
			return true;
	return false;
}

/* until a run has ended, or somebody asks once more */
static int wait_for_change(struct app *app, rv_time deadline)
{
	rv_scope scope;
	int r = rv_scope_enter(&scope, 0, deadline);

	if (r >= 0)
		r = rv_scope_exit(&scope, rv_event_wait(&app->core.run_ended));
	return r;
}

/* Until no run is left, the deadline, or somebody asks once more. Services are ended, each in
 * its turn. */
static int wait_for_runs(struct app *app, rv_time deadline)
{
	bool hasten = app->hasten;
	int r = 0;

	end_services(app);
	while (r >= 0 && has_runs(app) && app->hasten == hasten) {
		r = wait_for_change(app, deadline);
		end_services(app);
	}
	return r < 0 ? r : has_runs(app) ? -ETIMEDOUT : 0;
}

/* Until the runs of before are ours again: we cannot end them sooner. One that asks once
 * more waits a moment at most. */
static int wait_for_recovery(struct app *app, rv_time deadline)
{
	int r = 0;

	while (r >= 0 && recovery_is_pending(app->recovery))
		r = wait_for_change(
			app, app->hasten ? MIN(deadline, rv_now() + kill_before_end)
					 : deadline);
	if (r == -ETIMEDOUT)
		log_at(LOG_WARNING, "reeved",
			"it is not known what became of the jobs of before, leaving "
			"them");
	return r == -ETIMEDOUT ? 0 : r;
}

/* Half of a short shutdown is for ending what does not end by itself. */
static rv_time drain_end(rv_time start, rv_time deadline)
{
	rv_time rest = MIN(end_after_drain, (deadline - start) / 2);

	return deadline - MAX(rest, kill_before_end);
}

static int drain(struct app *app, rv_time start, rv_time deadline)
{
	int r = app->hasten ? -ETIMEDOUT
			    : wait_for_runs(app, drain_end(start, deadline));

	if (r == -ETIMEDOUT)
		log_at(LOG_NOTICE, "reeved", "%zu jobs have not ended, ending them",
			n_active(app));
	return r;
}

static int terminate(struct app *app, rv_time deadline)
{
	int r;

	each_run(app, end_other);
	r = app->hasten ? -ETIMEDOUT : wait_for_runs(app, deadline - kill_before_end);
	if (r != -ETIMEDOUT)
		return r;
	log_at(LOG_WARNING, "reeved", "%zu jobs have not ended, killing them",
		n_active(app));
	each_run(app, end_run);
	each_run(app, run_hasten);
	return wait_for_runs(app, MAX(deadline, rv_now() + kill_before_end));
}

static void leave_stdin(struct run *run)
{
	run_stdin_end(run->in, RUN_STDIN_LEFT);
}

static int deal_with_runs(struct app *app, int mode)
{
	int64_t limit = config_num(app->core.config, SHUTDOWN_TIMEOUT);
	rv_time start = rv_now();
	rv_time deadline =
		limit > INT64_MAX / 2000 ? RV_FOREVER / 2 : start + RV_US(limit);
	int r;

	if (mode == CONFIG_SHUTDOWN_DETACH)
		return 0;
	r = wait_for_recovery(app, deadline - kill_before_end);
	if (r < 0)
		return r;
	if (mode == CONFIG_SHUTDOWN_DRAIN)
		r = drain(app, start, deadline);
	if (mode != CONFIG_SHUTDOWN_DRAIN || r == -ETIMEDOUT)
		r = terminate(app, deadline);
	if (r == -ETIMEDOUT)
		log_at(LOG_ERR, "reeved", "%zu jobs cannot be ended, leaving them",
			n_active(app));
	if (r >= 0)
		r = aux_await_gone(app->core.aux, rv_now() + kill_before_end);
	return r == -ETIMEDOUT ? 0 : r;
}

int shutdown_run(struct app *app)
{
	static const char *const mode_name[] = {"terminate", "drain", "detach"};
	int mode = app->stop_mode;
	int r;

	if (mode < 0)
		mode = app->opts.shutdown;
	if (mode < 0)
		mode = (int)config_num(app->core.config, SHUTDOWN);
	log_at(LOG_NOTICE, "reeved", "shutting down (%s), %zu jobs are running",
		mode_name[mode], n_active(app));
	notify_stopping(app->notify);
	scheduler_block(app->core.scheduler, BLOCK_SHUTDOWN, true);
	/* before its socket goes: that is not to be undone */
	app->socket_guard = socket_guard_free(app->socket_guard);
	control_stop_accepting(app->control);
	r = deal_with_runs(app, mode);
	/* those who wait to send to a job that goes on without us are told */
	each_run(app, leave_stdin);
	if (r >= 0)
		r = control_shutdown(
			app->control, app->hasten ? short_grace : reply_grace);
	return r;
}
