/* What the three files of a run's life share: life_start.c, life.c, life_request.c. */
#ifndef SPAWN_LIFE_PRIV_H
#define SPAWN_LIFE_PRIV_H

#include "base/clock.h"
#include "spawn/spawner.h"

static inline rv_time time_add(rv_time a, rv_time b)
{
	return b > RV_FOREVER - a ? RV_FOREVER : a + b;
}

static inline rv_time now_monotonic(void)
{
	return clock_monotonic(&clock_system);
}

static inline bool main_has_ended(const struct run *run)
{
	return run->info.flags & SPAWN_RUN_MAIN_ENDED;
}

/* One more may go on, unless a starter saw the end and has begun it. */
void leave_gate(struct spawner *sp, struct run *run);
/* Nothing is held up if the daemon hears of the run together with others. */
bool news_may_wait(struct spawner *sp, const struct run *run);

/* the run is over without an exit, and waits for its acknowledgement */
void run_set_failed(struct spawner *sp, struct run *run, int error, int step);
/* its streams with times, when it is over or never began */
void run_forget_stamped(struct run *run);
/* what kept its stdin open */
void run_close_stdin(struct run *run);
/* Somebody wants its end. */
void run_set_phase(struct run *run, enum run_phase phase);
/* SIGKILL to all that is left, and again later until nothing is */
void run_kill_round(struct spawner *sp, struct run *run);

#endif
