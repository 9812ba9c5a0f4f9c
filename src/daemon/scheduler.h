/*
 * When jobs start: what src/sched decides, put to work. Jobs that are due later, what keeps
 * everything from starting, and a look at what may start whenever something has changed.
 *
 * Event-driven: whatever frees a slot or makes a job ready asks for one more look
 * (scheduler_kick), which happens once per round of the loop. Loop thread only.
 */
#ifndef DAEMON_SCHEDULER_H
#define DAEMON_SCHEDULER_H

#include "reeve/loop.h"
#include "sched/admission.h"

struct config;
struct core;
struct job;
struct job_spec;
struct run;
struct scheduler;

/* why nothing at all may start */
enum scheduler_block {
	BLOCK_STARTUP = 1 << 0, /* recovery is not over */
	BLOCK_STORE = 1 << 1,   /* the store cannot be written */
	BLOCK_DISK = 1 << 2,    /* less than min-free is free */
	BLOCK_SPAWNER = 1 << 3, /* nobody to start processes */
	BLOCK_SHUTDOWN = 1 << 4,
	BLOCK_RETRY = 1 << 5, /* the last start failed for want of something */
	BLOCK_RUNS = 1 << 6,  /* as many runs as there are descriptors for */
};

int scheduler_new(struct scheduler **ret, struct core *core, rv_loop *loop);
struct scheduler *scheduler_free(struct scheduler *s);

/* ---- pools and demands -------------------------------------------------------------- */

/* Make a pool or change its slots; it is not gone then. 0, -ENOMEM. */
int scheduler_set_pool(struct scheduler *s, const char *name, unsigned slots);
/* Nothing defines it any more: what is in it does not start. */
void scheduler_pool_gone(struct scheduler *s, struct pool *p);
/* Paused: nothing of it starts. Draining: it takes no new jobs, which others see to. */
void scheduler_steer_pool(
	struct scheduler *s, struct pool *p, bool paused, bool draining);
/* What there is of resources, as the configuration says. 0, -ENOMEM */
int scheduler_set_resources(struct scheduler *s, const struct config *cf);
/* Pools that are gone and have no jobs are freed: pointers to others stay valid. */
void scheduler_forget_pools(struct scheduler *s);
/* NULL: none */
struct pool *scheduler_pool(const struct scheduler *s, const char *name);
size_t scheduler_n_pools(const struct scheduler *s);
struct pool *scheduler_pool_at(const struct scheduler *s, size_t i);
/* In words, that jobs wait in a pool that is gone; malloc'd; NULL where none do, or memory is
 * short. */
char *scheduler_pool_problem(const struct scheduler *s, const struct pool *p);
/* jobs in a pool: those that are not finished, and of these those that wait for room */
void scheduler_count_pool(const struct scheduler *s, const struct pool *p,
	size_t *ret_unfinished, size_t *ret_queued);

/* What the store has was accepted: demands-max counts again when the limits are set next. */
void scheduler_accept_all(struct scheduler *s);
/* the limits that the configuration sets over all pools */
void scheduler_set_limits(struct scheduler *s, const struct config *cf);

/* What a job asks for; each job that is not finished has one. Errors as of demand_get. */
int scheduler_demand(
	struct scheduler *s, const struct job_spec *spec, struct demand **ret);
/* takes NULL, returns NULL */
struct demand *scheduler_demand_put(struct scheduler *s, struct demand *d);

/* ---- jobs ----------------------------------------------------------------------------- */

/* A job that is queued, in backoff or delayed gets its place in the order; others none. */
void scheduler_place(struct scheduler *s, struct job *j);
void scheduler_withdraw(struct scheduler *s, struct job *j);

/* look once more, soon */
void scheduler_kick(struct scheduler *s);
/* What a run took is free: of a job that has a demand, and the way by which it started. */
void scheduler_release(struct scheduler *s, const struct job *j, unsigned way);
/* The same of a run that never began: its start does not count for rates. at: when it was
 * admitted, CLOCK_BOOTTIME; 0: by an earlier daemon. */
void scheduler_take_back(
	struct scheduler *s, const struct job *j, unsigned way, rv_time at);
/* of a run that was found going on */
void scheduler_take(struct scheduler *s, const struct job *j, unsigned way);

/* A start failed for a reason that may last (memory, descriptors, the disk): nothing starts
 * for a moment, longer each time, so that trying again does not become all there is. */
void scheduler_hold_off(struct scheduler *s);
/* Of a service: its start is under way, and counts among those that may be at a time
 * (start_pace.h) until it has come off, will not, or waits for what may take long. The second
 * has no effect where it does not count. */
void scheduler_note_starting(struct scheduler *s, struct run *run);
void scheduler_note_started(struct scheduler *s, struct run *run);
/* There is one run less: where there were as many as there may be, the next may start. */
void scheduler_note_run_ended(struct scheduler *s);
/* a start went well: the next failure is the first one */
void scheduler_start_succeeded(struct scheduler *s);

void scheduler_block(struct scheduler *s, enum scheduler_block why, bool on);
bool scheduler_is_blocked(const struct scheduler *s, enum scheduler_block why);

/* Jobs whose runs have what a queued job is short of, into ids; how many, at most max. */
size_t scheduler_holders(
	const struct scheduler *s, const struct job *j, uint64_t *ids, size_t max);
/* In words, what a job is waiting for; NULL when it waits for nothing. Into buf. */
const char *scheduler_why(
	const struct scheduler *s, const struct job *j, char *buf, size_t size);

#endif
