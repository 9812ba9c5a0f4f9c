/* What others tell the task of a run, or ask of it; see supervisor.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/pidfd_status.h"
#include "daemon/pools.h"
#include "daemon/readiness.h"
#include "daemon/run_stdin.h"
#include "daemon/run_steps.h"
#include "daemon/scheduler.h"
#include "daemon/spawner_link.h"
#include "daemon/supervisor.h"

/* After the end of a process whose spawner is gone. Init reaps at once. */
static const rv_time status_wait = RV_SEC(1);

void run_request_stop(struct run *run, enum run_stop why)
{
	if (run->stop == RUN_STOP_NONE || why == RUN_STOP_CANCEL)
		run->stop = why;
	rv_event_set(&run->wake);
	if (!run->sent)
		spawner_link_wake(
			run->core->spawner); /* it may wait there to be sent */
}

void run_hasten(struct run *run)
{
	run->hasten = true;
	run->stop_sent = false;
	rv_event_set(&run->wake);
}

void run_request_pause(struct run *run, bool on)
{
	run->pause_wanted = on;
	rv_event_set(&run->wake);
}

void run_request_recall(struct run *run)
{
	if (!run->ahead || run->started || run->ended)
		return;
	run->recall_at = 0;
	rv_event_set(&run->wake);
}

void run_told_started(struct run *run, const struct spawn_run_info *info, int pidfd)
{
	int64_t limit = job_num(&run->spec, TIMEOUT);
	const struct clock *clock = run->core->clock;

	run->info = *info;
	run->started = true;
	scheduler_note_started(run->core->scheduler, run);
	run_set_arrived(run);
	/* What the spawner has in its table is what it was asked for; requests that
	 * went down with a connection, or with the daemon before this one, are not. */
	run->paused = info->flags & SPAWN_RUN_PAUSED;
	run->stop_sent = info->flags & SPAWN_RUN_STOPPING && !run->hasten;
	if (pidfd >= 0) {
		close_safe(run->pidfd);
		run->pidfd = pidfd;
	}
	/* The limit does not count suspended time. What passed before this daemon
	 * looked is only known by the boot clock: there a suspension counts. */
	if (limit != INT64_MAX)
		run->deadline =
			time_after(clock_monotonic(clock) -
					   (clock_boottime(clock) - info->started_boot),
				limit);
	rv_event_set(&run->wake);
}

void run_set_ended(struct run *run, const struct run_end *end)
{
	if (run->ended)
		return;
	run->end = *end;
	run->ended = true;
	scheduler_note_started(run->core->scheduler, run);
	run_stdin_end(run->in, RUN_STDIN_OVER);
	run_set_arrived(run);
	rv_event_set(&run->wake);
}

void run_told_failed(struct run *run, const struct spawn_run_info *info)
{
	run->info = *info;
	run_set_ended(run,
		&(struct run_end){.kind = RUN_END_START_FAILED, .error = -info->error});
}

void run_told_exited(struct run *run, const struct spawn_run_info *info)
{
	run->info = *info;
	run_set_ended(run, &(struct run_end){.kind = RUN_END_EXITED,
				   .wait_status = info->status,
				   .shutdown = info->flags & SPAWN_RUN_SHUTDOWN});
}

/* The kernel knows the status once the process was reaped, by whoever inherited it:
 * that is another edge, soon after the first. */
static void pidfd_ended(int fd, unsigned ev, void *arg)
{
	struct run *run = arg;
	struct run_end end = {.kind = RUN_END_EXITED};
	int r = pidfd_exit_status(
		fd, run->info.pid, run->info.start_time, &end.wait_status);

	if (r == -ENODATA) {
		if (run->status_due == RV_FOREVER)
			run->status_due =
				clock_monotonic(run->core->clock) + status_wait;
		rv_event_set(&run->wake);
		return;
	}
	if (r < 0)
		end.kind = RUN_END_LOST;
	rv_fd_unwatch(TAKE_PTR(run->pidfd_watch));
	run_set_ended(run, &end);
}

void run_give_up_status(struct run *run)
{
	rv_fd_unwatch(TAKE_PTR(run->pidfd_watch));
	run_set_ended(run, &(struct run_end){.kind = RUN_END_LOST});
}

void run_told_reaped(struct run *run, int status)
{
	rv_fd_unwatch(TAKE_PTR(run->pidfd_watch));
	run_set_ended(
		run, &(struct run_end){.kind = RUN_END_EXITED, .wait_status = status});
}

void run_told_recalled(struct run *run)
{
	run->sent = false;
	run_ready_sent(run, false);
	run->recalled = true;
	rv_event_set(&run->wake);
}

void run_told_not_started(struct run *run)
{
	run->sent = false;
	run_ready_sent(run, false);
	run->recall_sent = false;
	rv_event_set(&run->wake);
}

void run_told_spawner_gone(struct run *run)
{
	if (run->ended || !run->sent)
		return;
	run->spawner_gone = true;
	run_pool(run)->n_strayed++;
	run_set_arrived(run);
	run_keep_stdin(run);
	run->stop_sent = false; /* what it was told to do is ours now */
	if (run->pidfd >= 0 && rv_fd_watch(rv_loop_current(), run->pidfd, RV_READ,
				       pidfd_ended, run, &run->pidfd_watch) >= 0) {
		log_at(LOG_WARNING, "job",
			"job %" PRIu64
			" goes on without its spawner, following process %d",
			run->job->id, (int)run->info.pid);
		return;
	}
	/* it may have been started or not: nobody can tell */
	run_set_ended(run, &(struct run_end){.kind = RUN_END_LOST});
}
