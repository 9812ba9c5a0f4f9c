#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/output_caps.h"
#include "daemon/pidfd_status.h"
#include "daemon/readiness.h"
#include "daemon/run_hooks.h"
#include "daemon/run_stdin.h"
#include "daemon/run_steps.h"
#include "daemon/spawner_link.h"
#include "daemon/supervisor.h"
#include "reeve/scope.h"
#include "reeve/task.h"

/* A run that is over sooner needs no record of its pid: its mark is enough to find it.
 */
static const rv_time pid_record_after = RV_MS(20);

/* One that was started ahead and has no slot by then goes back to the queue. */
static const rv_time recall_after = RV_MS(50);

/* ---- the start ------------------------------------------------------------------------ */

/* It was recorded with a spawner that is gone, and never sent: now it is this one's. */
static int record_spawner(struct run *run)
{
	struct txn *t = txn_new();

	snprintf(run->rec.spawner_id, sizeof(run->rec.spawner_id), "%s",
		spawner_link_instance(run->core->spawner));
	if (!t || run_record_put(t, STORE_RUN_UPDATE, &run->rec) < 0) {
		txn_free(t);
		return -ENOMEM;
	}
	return committer_commit(run->core->committer, t, COMMIT_MUST);
}

/* 0 when the request is with the spawner or the run is over already */
static int send_start(struct run *run)
{
	struct run_request rr;
	enum spawn_step step = SPAWN_STEP_REQUEST;
	int r;

	r = run_request_init(&rr, run, &step);
	while (r >= 0 && !run->ended && run->stop == RUN_STOP_NONE) {
		r = spawner_link_start(run->core->spawner, run, &rr.req);
		if (r == -EAGAIN)
			r = spawner_link_wait(
				run->core->spawner); /* room, or a spawner */
		else if (r == -ESTALE)
			r = record_spawner(run);
		else
			break;
	}
	if (run->sent)
		rr.stdout_fd = rr.stderr_fd = -1; /* the client's now */
	if (r < 0 && rr.problem && !run->error_text)
		run->error_text = TAKE_PTR(rr.problem);
	run_request_deinit(&rr);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		run->info.step = step;
		run_set_ended(run,
			&(struct run_end){.kind = RUN_END_START_FAILED, .error = r});
	} else if (!run->sent && !run->ended && run->stop == RUN_STOP_SHUTDOWN &&
		   !run_hooks_have_begun(run)) {
		return RUN_NOT_BEGUN;
	} else if (!run->sent) {
		/* cancelled before anything ran */
		run_set_ended(run, &(struct run_end){.kind = RUN_END_START_FAILED,
					   .error = -ECANCELED});
	}
	return 0;
}

/* ---- while it goes on ------------------------------------------------------------ */

/* A change of state that tells what is: recorded without waiting, seen at once. A crash
 * in between loses nothing: the spawner's table says the same. */
static void show_state(struct run *run, enum job_state state, uint32_t flags)
{
	struct core *core = run->core;
	struct job *j = run->job;
	struct store_job rec;
	struct txn *t;

	job_record(j, &rec);
	flags |= STORE_JOB_WAY(run->way);
	if (rec.state == state && rec.flags == flags)
		return;
	rec.state = state;
	rec.flags = flags;
	rec.reason = NULL;
	job_publish(core->jobs, j, &rec);
	t = txn_new();
	if (t && job_record_put(t, &rec) >= 0)
		committer_post(core->committer, t, COMMIT_MUST, NULL, NULL);
	else
		txn_free(t);
}

static void show_running(struct run *run)
{
	struct job *j = run->job;
	struct store_job rec;

	if (j->state != JOB_STARTING)
		return;
	/* not recorded by itself: the record of the pid, or of the end, follows soon */
	job_record(j, &rec);
	rec.state = JOB_RUNNING;
	job_publish(run->core->jobs, j, &rec);
}

bool run_record_progress(struct run *run)
{
	struct store_run run_rec;
	struct store_job rec;
	struct txn *t = txn_new();
	char *names = run->rec.output ? strdup(run->rec.output) : NULL;

	if (!t || txn_own(t, names) < 0) {
		txn_free(t);
		return false;
	}
	run->rec.pid = run->info.pid;
	run->rec.pid_start = run->info.start_time;
	run->rec.started_usec = run->info.started_usec;
	run_rec = run->rec;
	run_rec.output = names;
	job_record(run->job, &rec);
	rec.reason = NULL;
	if (run_record_put(t, STORE_RUN_UPDATE, &run_rec) < 0 ||
		job_record_put(t, &rec) < 0) {
		txn_free(t);
		return false;
	}
	run->pid_recorded = true;
	committer_post(run->core->committer, t, COMMIT_MUST, NULL, NULL);
	return true;
}

/* not before it has lasted: most runs are over long before they fill anything */
static void watch_output(struct run *run)
{
	int r = run->caps ? 0 : output_caps_watch(run->core->caps, run);

	if (r < 0)
		log_at(LOG_WARNING, "output",
			"output-max of job %" PRIu64 " cannot be kept: %s",
			run->job->id, rv_strerror(r));
}

static const uint32_t stop_flag[] = {
	[RUN_STOP_NONE] = 0,
	[RUN_STOP_TIMEOUT] = STORE_JOB_TIMEOUT,
	[RUN_STOP_CANCEL] = STORE_JOB_CANCEL,
	[RUN_STOP_SHUTDOWN] = STORE_JOB_SHUTDOWN,
	[RUN_STOP_UNREADY] = STORE_JOB_UNREADY,
	[RUN_STOP_UNRESPONSIVE] = STORE_JOB_UNRESPONSIVE,
	[RUN_STOP_MEMORY] = STORE_JOB_MEMORY,
};

/* signal, grace, SIGKILL by our own hand. Its group is its pid: as long as the pidfd
 * takes a signal, that number cannot be another's. */
static void signal_group(struct run *run, int sig)
{
	if (pidfd_kill(run->pidfd, 0) >= 0)
		kill(-run->info.pid, sig);
}

int run_signal(struct run *run, int sig)
{
	if (!run->spawner_gone)
		return spawner_link_signal(run->core->spawner, run, sig);
	signal_group(run, sig);
	return 0;
}

static void stop_without_spawner(struct run *run)
{
	rv_time now = clock_monotonic(run->core->clock);

	run->stop_sent = true;
	if (run->hasten || run->kill_at <= now) {
		signal_group(run, SIGKILL);
		run->kill_at = RV_FOREVER;
		return;
	}
	signal_group(run, (int)job_num(&run->spec, KILL_SIGNAL));
	signal_group(run, SIGCONT);
	run->kill_at = time_after(now, job_num(&run->spec, KILL_GRACE));
}

static void act_on_stop(struct run *run)
{
	/* also while the start hangs: the spawner gives that up */
	if (run->stop == RUN_STOP_NONE || !(run->started || run->sent))
		return;
	if (run->started)
		show_state(run, JOB_STOPPING, stop_flag[run->stop]);
	if (run->stop_sent || (run->started && run_hooks_hold_stop(run)))
		return;
	if (run->spawner_gone) {
		stop_without_spawner(run);
		return;
	}
	if (spawner_link_stop(run->core->spawner, run, run->hasten) >= 0) {
		run->stop_sent = true;
		if (!run->hasten)
			run_ready_stop_sent(run);
	}
	/* else no room: the link wakes everybody when there is */
}

/* recall_at is 0 from then on: asked for, or to be asked for when there is room */
static void act_on_recall(struct run *run, rv_time now)
{
	if (!run->ahead || (run->recall_at > now && run->stop != RUN_STOP_SHUTDOWN))
		return;
	run->recall_at = 0;
	if (run->recall_sent || run->stop_sent || run->stop == RUN_STOP_CANCEL)
		return;
	run->recall_sent = spawner_link_recall(run->core->spawner, run) >= 0;
}

static void act_on_pause(struct run *run)
{
	enum job_state shown = run->paused ? JOB_PAUSED : JOB_RUNNING;

	if (!run->started || run->stop != RUN_STOP_NONE || run->spawner_gone)
		return;
	if (run->pause_wanted == run->paused) {
		show_state(run, shown, 0);
		return;
	}
	if (spawner_link_pause(run->core->spawner, run, run->pause_wanted) < 0)
		return;
	run->paused = run->pause_wanted;
	show_state(run, run->paused ? JOB_PAUSED : JOB_RUNNING, 0);
}

static rv_time next_moment(const struct run *run, rv_time pid_due)
{
	rv_time when = run->stop == RUN_STOP_NONE ? run->deadline : run->kill_at;

	when = MIN(when, run->status_due);
	when = MIN(when, run_ready_due(run));
	if (run->ahead && run->recall_at > 0)
		when = MIN(when, run->recall_at);
	if (run->started && !run->pid_recorded && pid_due < when)
		when = pid_due;
	return when;
}

static int wait_until(struct run *run, rv_time when)
{
	rv_scope scope;
	int r;

	r = rv_scope_enter(&scope, 0, when);
	if (r < 0)
		return r;
	return rv_scope_exit(&scope, rv_event_wait(&run->wake));
}

/* It was taken back in time: it waits again, unless that is not wanted any more, or it has to
 * end what its hooks have begun. */
static int not_begun(struct run *run)
{
	if (run->stop == RUN_STOP_NONE ||
		(run->stop != RUN_STOP_CANCEL && !run_hooks_have_begun(run)))
		return RUN_NOT_BEGUN;
	run_set_ended(run,
		&(struct run_end){.kind = RUN_END_START_FAILED, .error = -ECANCELED});
	return 0;
}

static int await_end(struct run *run)
{
	const struct clock *clock = run->core->clock;
	rv_time pid_due = clock_monotonic(clock) + pid_record_after;

	if (run->ahead && run->recall_at == RV_FOREVER)
		run->recall_at = clock_monotonic(clock) + recall_after;
	if (run->started && run->pid_recorded)
		watch_output(run); /* found going on */
	while (!run->ended) {
		rv_time now = clock_monotonic(clock);
		int r;

		rv_event_clear(&run->wake);
		if (!run->sent && run->recalled)
			return not_begun(run);
		if (!run->sent)
			return -EAGAIN;
		if (run->started)
			show_running(run);
		if (run->deadline <= now && run->stop == RUN_STOP_NONE)
			run->stop = RUN_STOP_TIMEOUT;
		run_act_on_ready(run, now);
		run_hooks_act(run);
		if (run->kill_at <= now)
			run->stop_sent = false; /* once more, with SIGKILL */
		if (run->started && !run->pid_recorded && pid_due <= now) {
			if (!run_record_progress(run))
				pid_due = now + RV_SEC(1);
			watch_output(run);
		}
		if (run->status_due <= now) {
			run_give_up_status(run);
			break;
		}
		act_on_recall(run, now);
		act_on_stop(run);
		act_on_pause(run);
		run_act_on_stdin(run);
		r = wait_until(run, next_moment(run, pid_due));
		if (r < 0 && r != -ETIMEDOUT)
			return run->ended ? 0 : r;
	}
	return 0;
}

/* 1: it is not to be sent */
static int prepare(struct run *run)
{
	int r = run_hooks_before_start(run);

	if (r > 0)
		run_set_ended(run, &(struct run_end){.kind = RUN_END_START_FAILED,
					   .error = -ECANCELED});
	return r;
}

static int start_and_await(struct run *run)
{
	int r;

	do {
		if (!run->sent && !run->ended) {
			r = prepare(run);
			if (r != 0)
				return MIN(r, 0);
			r = send_start(run);
			if (r != 0)
				return r;
		}
		r = await_end(run);
	} while (r == -EAGAIN); /* a new table shows that it was never started */
	return r;
}

int run_process(struct run *run)
{
	int r = start_and_await(run);

	run_ready_leave(run);
	if (r != 0)
		return r;
	return run_hooks_after_end(run) < 0 ? RUN_LEFT : 0;
}
