/* What can be asked of a run in the table; see spawner.h. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "spawn/life_priv.h"
#include "spawn/tree.h"

/* a start that takes longer does not come to exec */
#define STOP_START_AFTER RV_MS(200)

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
		run_set_phase(run, RUN_KILLING);
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
	run_set_phase(run, RUN_STOPPING);
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
	run_set_phase(run, RUN_KILLING);
	run_kill_round(sp, run);
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

int life_close_stdin(struct spawner *sp, struct run *run)
{
	if (run->info.state == SPAWN_RUN_STARTING)
		return -EBUSY; /* nobody has been told of it */
	if (run->info.state != SPAWN_RUN_RUNNING)
		return -ESRCH;
	run_close_stdin(run);
	return 0;
}

int life_recall(struct spawner *sp, struct run *run)
{
	if (!gates_withdraw(&sp->gates, run))
		return -ESRCH;
	run_forget_stamped(run);
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
