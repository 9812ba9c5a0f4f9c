/*
 * Life of a run: from the accepted start to the acknowledged end. Here: its end.
 *
 * Its main process is reaped last of all: until then pid, group and session cannot be
 * anyone else's, and what is left of the tree can be signalled safely.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "spawn/life_priv.h"
#include "spawn/said.h"
#include "spawn/tree.h"

#define KILL_AGAIN_FIRST RV_MS(10)
#define KILL_AGAIN_LAST  RV_SEC(5)

static void end_times(struct run *run)
{
	run->info.ended_boot = clock_boottime(&clock_system);
	run->info.ended_usec = clock_wall_usec(&clock_system);
}

void run_close_stdin(struct run *run)
{
	run->stdin_fd = close_safe(run->stdin_fd);
	run->info.flags &= ~SPAWN_RUN_STDIN;
}

void run_forget_stamped(struct run *run)
{
	for (int i = 0; i < 2; i++)
		run->stamped[i] = stamped_forget(run->stamped[i]);
}

/* the run is over, one way or the other; it waits for its acknowledgement */
static void run_set_ended(
	struct spawner *sp, struct run *run, enum spawn_run_state state)
{
	INVARIANT(run_is_active(run));
	if (main_has_ended(run))
		sp->n_lingering--;
	if (run->n_orphans > 0)
		orphans_forget_run(&sp->orphans, run);
	run_forget_stamped(run);
	run_close_stdin(run); /* what it has let live on reads the end */
	run->ready_fd = close_safe(run->ready_fd);
	said_end(run);
	run->info.state = state;
	run->info.flags &= SPAWN_RUN_SURVIVORS | SPAWN_RUN_SHUTDOWN;
	sp->runs.n_active--;
	if (!run->claimed_end || state != SPAWN_RUN_EXITED)
		claims_write(&sp->claims, run->claim, &run->info);
	runs_set_deadline(&sp->runs, run, RV_FOREVER);
	leave_gate(sp, run);
	if (run->cgroup_leaf)
		(void)rmdir(run->cgroup_leaf); /* EBUSY: something was let live on */
	run->send_ended = true;
	conn_tell(sp, run, news_may_wait(sp, run));
}

void run_set_failed(struct spawner *sp, struct run *run, int error, int step)
{
	run->start = NULL;
	end_times(run);
	run->info.error = error;
	run->info.step = (enum spawn_step)step;
	run_set_ended(sp, run, SPAWN_RUN_FAILED);
}

static int64_t usec_of(struct timeval tv)
{
	return tv.tv_sec * USEC_PER_SEC + tv.tv_usec;
}

/* True: not all that it wrote is in its files yet; life_stamped comes back to it. */
static bool is_draining(struct spawner *sp, struct run *run)
{
	if (run->drained || run->n_draining > 0)
		return !run->drained;
	for (int i = 0; i < 2; i++) {
		if (!run->stamped[i])
			continue;
		run->n_draining++;
		stamper_drain(sp->stamper, run->stamped[i]);
	}
	return run->n_draining > 0;
}

/* nothing is left of the tree that must end first: take the status */
static void run_finish(struct spawner *sp, struct run *run)
{
	struct spawn_usage *u = &run->info.usage;
	struct rusage ru;
	int status;
	pid_t r;

	if (is_draining(sp, run))
		return;
	do
		r = wait4(run->info.pid, &status, WNOHANG | __WALL, &ru);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return; /* a tracer has it still; SIGCHLD comes when it lets go */
	run->pidfd = close_safe(run->pidfd);
	if (r < 0) {
		/* somebody reaped our child: cannot be, and must not stop us */
		log_at(LOG_ERR, "spawn", "job %" PRIu64 ": status is lost: %s",
			run->info.token.job_id, rv_strerror(errno));
		run_set_failed(sp, run, ECHILD, SPAWN_STEP_NONE);
		return;
	}
	run->info.status = status;
	*u = (struct spawn_usage){usec_of(ru.ru_utime), usec_of(ru.ru_stime),
		ru.ru_maxrss, ru.ru_minflt, ru.ru_majflt, ru.ru_inblock, ru.ru_oublock,
		ru.ru_nvcsw, ru.ru_nivcsw};
	run_set_ended(sp, run, SPAWN_RUN_EXITED);
}

void life_stamped(struct spawner *sp)
{
	struct run *run;

	while ((run = stamper_drained(sp->stamper))) {
		if (--run->n_draining > 0)
			continue;
		run->drained = true;
		run_finish(sp, run);
	}
}

static size_t count_left(struct spawner *sp, const struct run *run)
{
	_cleanup_(proc_list_deinit) struct proc_list l = PROC_LIST_NULL;

	if (run->n_orphans > 0)
		(void)tree_collect(&l, &sp->orphans, run);
	return l.n + tree_cgroup_is_populated(run);
}

void run_kill_round(struct spawner *sp, struct run *run)
{
	size_t left = tree_kill(&sp->orphans, run);
	rv_time pause = KILL_AGAIN_FIRST;

	if (left == 0 && main_has_ended(run) &&
		!orphans_in_doubt_for(&sp->orphans, run)) {
		run_finish(sp, run);
		return;
	}
	run->n_kills++;
	if (run->n_kills == LIFE_KILLS_MAX) {
		log_at(LOG_WARNING, "spawn",
			"job %" PRIu64 ": %zu processes survive SIGKILL",
			run->info.token.job_id, left + !main_has_ended(run));
		run->info.flags |= SPAWN_RUN_SURVIVORS;
		if (main_has_ended(run)) {
			run_finish(sp, run);
			return;
		}
	}
	for (unsigned int i = 1; i < run->n_kills && pause < KILL_AGAIN_LAST; i++)
		pause *= 2;
	runs_set_deadline(
		&sp->runs, run, now_monotonic() + MIN(pause, KILL_AGAIN_LAST));
}

void run_set_phase(struct run *run, enum run_phase phase)
{
	run->phase = phase;
	run->info.flags |= SPAWN_RUN_STOPPING;
	run->info.flags &= ~SPAWN_RUN_PAUSED;
}

/* the main process has ended and something is left of its tree */
static void leftovers_begin(struct spawner *sp, struct run *run)
{
	switch (run->leftovers) {
	case SPAWN_LEFTOVERS_LEAVE:
		if (run->phase == RUN_KILLING)
			run_kill_round(sp, run);
		else
			run_finish(sp, run);
		return;
	case SPAWN_LEFTOVERS_WAIT: return; /* a stop that goes on keeps its deadline */
	case SPAWN_LEFTOVERS_KILL: break;
	}
	if (run->phase == RUN_KILLING) {
		run_kill_round(sp, run);
		return;
	}
	/* a stop has signalled the group already: twice means something else to many */
	(void)tree_signal(&sp->orphans, run,
		run->phase == RUN_STOPPING ? TREE_ESCAPED : TREE_ALL, run->kill_signal);
	(void)tree_signal(&sp->orphans, run, TREE_ALL, SIGCONT);
	if (run->phase == RUN_CALM) {
		run_set_phase(run, RUN_STOPPING);
		runs_set_deadline(
			&sp->runs, run, time_add(now_monotonic(), run->kill_grace));
	}
}

/* A line is the word, whatever it says, as s6 has it. What is written after it, and after us, is
 * met by SIGPIPE, as there. */
void life_ready(struct spawner *sp, struct run *run)
{
	char buf[4096];
	ssize_t n = read(run->ready_fd, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !memchr(buf, '\n', (size_t)n))
		return;
	run->ready_fd = close_safe(run->ready_fd);
	if (n <= 0)
		return; /* closed without a word */
	run->info.flags |= SPAWN_RUN_READY;
	run->send_ready = true;
	conn_tell(sp, run, false);
}

void life_main_ended(struct spawner *sp, struct run *run)
{
	INVARIANT(run->info.state == SPAWN_RUN_RUNNING);
	/* by hand: the peer's copy of the pidfd would keep it in the set */
	(void)epoll_ctl(sp->epoll_fd, EPOLL_CTL_DEL, run->pidfd, NULL);
	end_times(run);
	list_append(&sp->ended, &run->ended_link);
}

static void judge_ended(struct spawner *sp, struct run *run, bool orphans)
{
	run->info.flags |= SPAWN_RUN_MAIN_ENDED;
	sp->n_lingering++;
	/* orphans that are not of this run: no reason for anything */
	if (orphans || run->cgroup_leaf)
		run->info.leftovers = (uint32_t)count_left(sp, run);
	if (run->info.leftovers == 0)
		run_finish(sp, run);
	else
		leftovers_begin(sp, run);
}

/* some child has died: is a run that waited for it over? */
static void check_leftovers(struct spawner *sp)
{
	LIST_FOREACH_SAFE(it, &sp->runs.all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);

		if (run->info.state == SPAWN_RUN_RUNNING && main_has_ended(run) &&
			!orphans_in_doubt_for(&sp->orphans, run) &&
			count_left(sp, run) == 0)
			run_finish(sp, run);
	}
}

/* A run can give us children that are no orphans (CLONE_PARENT): they are listed with
 * the starter threads. When SIGCHLD has no other cause, one of them may have died. */
static void reap_strangers(struct spawner *sp)
{
	siginfo_t si;

	for (int i = 0; i < 64; i++) {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
			si.si_pid == 0 || runs_find_pid(&sp->runs, si.si_pid))
			return;
		(void)waitpid(si.si_pid, NULL, WNOHANG | __WALL);
	}
}

static void find_unwatched_ends(struct spawner *sp)
{
	LIST_FOREACH(it, &sp->runs.all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);
		siginfo_t si = {.si_pid = 0};

		if (run->unwatched && run->info.state == SPAWN_RUN_RUNNING &&
			!main_has_ended(run) && !list_is_linked(&run->ended_link) &&
			waitid(P_PIDFD, (id_t)run->pidfd, &si,
				WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
			si.si_pid > 0)
			life_main_ended(sp, run);
	}
}

void life_turn(struct spawner *sp)
{
	size_t n_orphans = 0;
	bool some_ended, reaped = false;

	if (sp->sigchld && sp->n_unwatched > 0)
		find_unwatched_ends(sp);
	some_ended = !list_is_empty(&sp->ended);
	if (some_ended || sp->sigchld || sp->orphans.n_doubtful > 0) {
		/* one look for all that ended: whoever is dead now has no children any
		 * more, they are orphans */
		n_orphans = orphans_sync(&sp->orphans);
		reaped = n_orphans > 0 && orphans_reap(&sp->orphans) > 0;
	}
	LIST_FOREACH_SAFE(it, &sp->ended) {
		struct run *run = LIST_ENTRY(it, struct run, ended_link);

		/* it may be of this run, which would be taken to have left nothing: look
		 * again in the next turn, which comes soon */
		if (orphans_in_doubt_for(&sp->orphans, run))
			continue;
		list_remove(it);
		judge_ended(sp, run, n_orphans > 0);
	}
	if (sp->n_lingering > 0 && (reaped || sp->sigchld))
		check_leftovers(sp);
	else if (sp->sigchld && !reaped && !some_ended && sp->orphans.n_doubtful == 0 &&
		 starters_n_pending(sp->starters) == 0)
		reap_strangers(sp);
	sp->sigchld = sp->orphans.n_doubtful > 0 && (sp->sigchld || reaped);
}

void life_timers(struct spawner *sp, rv_time now)
{
	struct heap_node *n;

	while ((n = heap_peek(&sp->runs.timers))) {
		struct run *run = CONTAINER_OF(n, struct run, timer);

		if (run->deadline > now)
			return;
		runs_set_deadline(&sp->runs, run, RV_FOREVER);
		(void)life_kill(sp, run);
	}
}
