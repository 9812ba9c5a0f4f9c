/*
 * Life of a run: from the accepted start to the acknowledged end.
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
#include "base/clock.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "spawn/spawner.h"
#include "spawn/tree.h"

#define KILL_AGAIN_FIRST RV_MS(10)
#define KILL_AGAIN_LAST  RV_SEC(5)
#define STOP_START_AFTER \
	RV_MS(200) /* a start that takes longer does not come to exec */

static rv_time time_add(rv_time a, rv_time b)
{
	return b > RV_FOREVER - a ? RV_FOREVER : a + b;
}

static rv_time now_monotonic(void)
{
	return clock_monotonic(&clock_system);
}

static bool main_has_ended(const struct run *run)
{
	return run->info.flags & SPAWN_RUN_MAIN_ENDED;
}

static void end_times(struct run *run)
{
	run->info.ended_boot = clock_boottime(&clock_system);
	run->info.ended_usec = clock_wall_usec(&clock_system);
}

/* to the starters; written down before, for it may have begun whenever we are killed */
static void submit(struct spawner *sp, struct run *run)
{
	claims_write(&sp->claims, run->claim, &run->info);
	starters_submit(sp->starters, run->start);
}

/* what the end of a run, or a higher limit, lets through */
static void open_gate(struct spawner *sp, uint64_t id)
{
	struct run *run;

	while ((run = gates_next(&sp->gates, id)))
		submit(sp, run);
}

/* One more may go on, unless a starter saw the end and has begun it. */
static void leave_gate(struct spawner *sp, struct run *run)
{
	if (run->gate_id == 0)
		return;
	gates_leave(&sp->gates, run);
	open_gate(sp, run->gate_id);
}

/* Nothing is held up if the daemon hears of the run together with others. */
static bool news_may_wait(struct spawner *sp, const struct run *run)
{
	return run->gate_id != 0 && gates_has_plenty(&sp->gates, run->gate_id);
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

static void run_set_failed(struct spawner *sp, struct run *run, int error, int step)
{
	run->start = NULL;
	end_times(run);
	run->info.error = error;
	run->info.step = (enum spawn_step)step;
	run_set_ended(sp, run, SPAWN_RUN_FAILED);
}

/* -- starting -----------------------------------------------------------------------
 */

static void close_request(struct spawn_request *q)
{
	q->stdout_fd = close_safe(q->stdout_fd);
	q->stderr_fd = close_safe(q->stderr_fd);
}

/* what a starter needs that ends it, or follows it, without the loop */
static void prepare(struct spawner *sp, struct run *run, const struct spawn_request *q)
{
	run->gate_id = q->gate;
	run->leftovers = q->leftovers;
	run->kill_signal = q->kill_signal;
	run->kill_grace = q->kill_grace;
	run->claim = claims_reserve(&sp->claims);
	run->start->run = run;
	run->start->claim = run->claim;
	/* with a cgroup there is more to look at than orphans */
	run->start->stay = q->gate != 0 && !q->cgroup;
}

int life_start(struct spawner *sp, struct wire_start *ws, const char *blob_data)
{
	struct spawn_request *q = &ws->req;
	bool waits = q->gate != 0 && q->ahead;
	char mark[SPAWN_MARK_MAX];
	struct run *run;
	int r;

	r = sp->stopping ? -RV_ESHUTDOWN : runs_add(&sp->runs, &run, &q->token);
	if (r < 0) {
		close_request(q);
		return r;
	}
	spawn_mark_format(mark, &q->token, sp->self.instance);
	r = start_new(&run->start, ws, blob_data, mark);
	if (r < 0) {
		runs_remove(&sp->runs, run);
		close_request(q);
		return r;
	}
	prepare(sp, run, q);
	/* it may begin before this returns */
	r = q->gate ? gates_enter(&sp->gates, run, q->gate, q->gate_slots, waits) : 0;
	if (r < 0) {
		claims_drop(&sp->claims, run->claim);
		run->start = start_free(run->start);
		runs_remove(&sp->runs, run);
		return r;
	}
	if (!waits)
		submit(sp, run);
	if (q->gate)
		open_gate(sp, q->gate);
	return 0;
}

/* epoll tells of its end, unless it is known */
static void watch_end(struct spawner *sp, struct run *run, const struct start *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &run->source};

	if (s->ended) {
		run->claimed_end = s->end_claimed;
		run->info.ended_boot = s->ended_boot;
		run->info.ended_usec = s->ended_usec;
		list_append(&sp->ended, &run->ended_link);
		return;
	}
	/* ENOMEM, ENOSPC (max_user_watches): slower, not deaf */
	if (epoll_ctl(sp->epoll_fd, EPOLL_CTL_ADD, run->pidfd, &ev) < 0) {
		run->unwatched = true;
		sp->n_unwatched++;
		sp->sigchld = true; /* it may have ended before */
	}
}

static void run_set_started(struct spawner *sp, struct run *run, struct start *s)
{
	run->start = NULL;
	run->pidfd = TAKE_FD(s->pidfd);
	run->info.state = SPAWN_RUN_RUNNING;
	run->info.pid = s->pid;
	run->info.start_time = s->start_time;
	run->info.started_boot = s->started_boot;
	run->info.started_usec = s->started_usec;
	if (s->cgroup_leaf)
		run->cgroup_leaf = strdup(s->cgroup_leaf);
	watch_end(sp, run, s);
	run->send_started = true;
	conn_tell(sp, run, news_may_wait(sp, run));
	/* what was asked for while it was starting */
	for (int sig = 1; sig <= 64; sig++) {
		uint64_t bit = UINT64_C(1) << (sig - 1);

		if (run->signals_wanted & bit)
			(void)tree_signal(&sp->orphans, run, TREE_GROUP, sig);
		else if (run->main_signals_wanted & bit)
			(void)tree_signal(&sp->orphans, run, TREE_MAIN, sig);
	}
	run->signals_wanted = run->main_signals_wanted = 0;
	if (run->pause_wanted)
		(void)life_pause(sp, run);
	runs_set_deadline(&sp->runs, run, RV_FOREVER);
	if (run->phase == RUN_KILLING)
		(void)life_kill(sp, run);
	else if (run->stop_wanted)
		(void)life_stop(sp, run, run->stop_wanted, run->stop_main_only,
			run->stop_grace);
}

void life_start_done(struct spawner *sp, struct start *s)
{
	struct run *run = s->run;

	if (run && s->error == 0) {
		run_set_started(sp, run, s);
	} else if (run) {
		if (s->cgroup_leaf)
			(void)rmdir(s->cgroup_leaf);
		run_set_failed(sp, run, s->error, s->step);
	}
	start_free(s);
}

void life_start_dropped(struct spawner *sp, struct start *s)
{
	struct run *run = s->run;

	if (!run)
		return;
	s->run = NULL;
	run_set_failed(sp, run, s->abandoned ? s->give_up : s->error, s->step);
	if (!s->abandoned)
		start_free(s);
}

/* -- ending -------------------------------------------------------------------------
 */

static int64_t usec_of(struct timeval tv)
{
	return tv.tv_sec * USEC_PER_SEC + tv.tv_usec;
}

/* nothing is left of the tree that must end first: take the status */
static void run_finish(struct spawner *sp, struct run *run)
{
	struct spawn_usage *u = &run->info.usage;
	struct rusage ru;
	int status;
	pid_t r;

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

static size_t count_left(struct spawner *sp, const struct run *run)
{
	_cleanup_(proc_list_deinit) struct proc_list l = PROC_LIST_NULL;

	if (run->n_orphans > 0)
		(void)tree_collect(&l, &sp->orphans, run);
	return l.n + tree_cgroup_is_populated(run);
}

static void kill_round(struct spawner *sp, struct run *run)
{
	size_t left = tree_kill(&sp->orphans, run);
	rv_time pause = KILL_AGAIN_FIRST;

	if (left == 0 && main_has_ended(run) && sp->orphans.n_doubtful == 0) {
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

static void set_phase(struct run *run, enum run_phase phase)
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
			kill_round(sp, run);
		else
			run_finish(sp, run);
		return;
	case SPAWN_LEFTOVERS_WAIT: return; /* a stop that goes on keeps its deadline */
	case SPAWN_LEFTOVERS_KILL: break;
	}
	if (run->phase == RUN_KILLING) {
		kill_round(sp, run);
		return;
	}
	/* a stop has signalled the group already: twice means something else to many */
	(void)tree_signal(&sp->orphans, run,
		run->phase == RUN_STOPPING ? TREE_ESCAPED : TREE_ALL, run->kill_signal);
	(void)tree_signal(&sp->orphans, run, TREE_ALL, SIGCONT);
	if (run->phase == RUN_CALM) {
		set_phase(run, RUN_STOPPING);
		runs_set_deadline(
			&sp->runs, run, time_add(now_monotonic(), run->kill_grace));
	}
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
	/* It may be of a run that would be taken to have left nothing: look again in the
	 * next turn, which comes soon. */
	if (sp->orphans.n_doubtful > 0) {
		sp->sigchld = sp->sigchld || reaped;
		return;
	}
	for (struct list *it; (it = list_pop(&sp->ended));)
		judge_ended(sp, LIST_ENTRY(it, struct run, ended_link), n_orphans > 0);
	if (sp->n_lingering > 0 && (reaped || sp->sigchld))
		check_leftovers(sp);
	else if (sp->sigchld && !reaped && !some_ended &&
		 starters_n_pending(sp->starters) == 0)
		reap_strangers(sp);
	sp->sigchld = false;
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

/* -- requests -----------------------------------------------------------------------
 */

/* One that waits for a starter, or at its gate, never starts. One that is on its way may be the job's
 * program by now, without our knowing: a kill ends it either way, a stop waits a
 * moment. */
static void cancel_start(struct spawner *sp, struct run *run, bool kill_it)
{
	struct start *s = run->start;

	if (gates_withdraw(&sp->gates, run) || starters_unqueue(sp->starters, s)) {
		run_set_failed(sp, run, ECANCELED, SPAWN_STEP_REQUEST);
		start_free(s);
		return;
	}
	if (kill_it) {
		set_phase(run, RUN_KILLING);
		starters_cancel(sp->starters, s, ECANCELED);
		return;
	}
	run->info.flags |= SPAWN_RUN_STOPPING;
	if (run->deadline == RV_FOREVER)
		runs_set_deadline(&sp->runs, run, now_monotonic() + STOP_START_AFTER);
}

int life_signal(struct spawner *sp, struct run *run, int sig, bool main_only)
{
	if (run->info.state == SPAWN_RUN_STARTING) {
		*(main_only ? &run->main_signals_wanted : &run->signals_wanted) |=
			UINT64_C(1) << (sig - 1);
		return 0;
	}
	if (run->info.state != SPAWN_RUN_RUNNING)
		return -ESRCH;
	if (main_has_ended(run))
		(void)tree_signal(&sp->orphans, run, TREE_ALL, sig);
	else
		(void)tree_signal(
			&sp->orphans, run, main_only ? TREE_MAIN : TREE_GROUP, sig);
	return 0;
}

int life_stop(
	struct spawner *sp, struct run *run, int sig, bool main_only, rv_time grace)
{
	rv_time deadline = time_add(now_monotonic(), grace);

	if (run->info.state == SPAWN_RUN_STARTING) {
		run->stop_wanted = sig;
		run->stop_main_only = main_only;
		run->stop_grace = grace;
		cancel_start(sp, run, false);
		return 0;
	}
	if (run->info.state != SPAWN_RUN_RUNNING)
		return -ESRCH;
	if (run->phase == RUN_KILLING)
		return 0;
	(void)life_signal(sp, run, sig, main_only);
	/* a paused one is woken, however it came to be paused */
	tree_signal_all(&sp->orphans, run, SIGCONT);
	set_phase(run, RUN_STOPPING);
	/* asked again: the deadline may come nearer, never go away */
	if (deadline < run->deadline)
		runs_set_deadline(&sp->runs, run, deadline);
	return 0;
}

int life_shut_down(struct spawner *sp, struct run *run)
{
	/* what has ended by itself and only left something behind did not end by this
	 */
	if (run_is_active(run) && !main_has_ended(run))
		run->info.flags |= SPAWN_RUN_SHUTDOWN;
	return life_stop(sp, run, run->kill_signal, false, run->kill_grace);
}

int life_kill(struct spawner *sp, struct run *run)
{
	if (run->info.state == SPAWN_RUN_STARTING) {
		cancel_start(sp, run, true);
		return 0;
	}
	if (run->info.state != SPAWN_RUN_RUNNING)
		return -ESRCH;
	set_phase(run, RUN_KILLING);
	kill_round(sp, run);
	return 0;
}

int life_pause(struct spawner *sp, struct run *run)
{
	if (run->info.state == SPAWN_RUN_STARTING) {
		run->pause_wanted = true;
		return 0;
	}
	if (run->info.state != SPAWN_RUN_RUNNING)
		return -ESRCH;
	if (run->phase != RUN_CALM)
		return -EBUSY;
	tree_signal_all(&sp->orphans, run, SIGSTOP);
	run->info.flags |= SPAWN_RUN_PAUSED;
	return 0;
}

int life_resume(struct spawner *sp, struct run *run)
{
	if (run->info.state == SPAWN_RUN_STARTING) {
		run->pause_wanted = false;
		return 0;
	}
	if (run->info.state != SPAWN_RUN_RUNNING)
		return -ESRCH;
	tree_signal_all(&sp->orphans, run, SIGCONT);
	run->info.flags &= ~SPAWN_RUN_PAUSED;
	return 0;
}

int life_recall(struct spawner *sp, struct run *run)
{
	if (!gates_withdraw(&sp->gates, run))
		return -ESRCH;
	run->start = start_free(run->start);
	claims_drop(&sp->claims, run->claim);
	conn_forget(sp, run);
	runs_remove(&sp->runs, run);
	return 0;
}

int life_ack(struct spawner *sp, struct run *run)
{
	if (run_is_active(run))
		return -EBUSY;
	claims_drop(&sp->claims, run->claim);
	if (run->cgroup_leaf)
		(void)rmdir(run->cgroup_leaf);
	conn_forget(sp, run);
	runs_remove(&sp->runs, run);
	return 0;
}
