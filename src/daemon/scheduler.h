/*
 * Who starts next: pools with their slots, the order of jobs in each, jobs that are due
 * later, and what keeps everything from starting.
 *
 * Event-driven: whatever frees a slot or makes a job ready asks for one more look
 * (scheduler_kick), which happens once per round of the loop. Loop thread only.
 */
#ifndef DAEMON_SCHEDULER_H
#define DAEMON_SCHEDULER_H

#include "base/heap.h"
#include "reeve/loop.h"

struct core;
struct job;
struct scheduler;

/* starts ahead of a free slot, of one pool */
#define POOL_AHEAD_MAX 24

struct pool {
	char name[65];
	uint64_t gate; /* names it to the spawner, also to that of the next reeved */
	unsigned slots;
	unsigned
		n_taken; /* may be above slots: after slots were lowered, and by n_ahead */
	unsigned n_ahead;     /* started ahead of a slot, and not known to run */
	unsigned n_strayed;   /* that go on without their spawner */
	int64_t lasts_usec;   /* what its runs last, on average, lately */
	unsigned n_functions; /* they take no slot */
	struct heap ready;    /* of struct job.order: priority, then id */
	struct heap ready_functions;
};

/* why nothing at all may start */
enum scheduler_block {
	BLOCK_STARTUP = 1 << 0, /* recovery is not over */
	BLOCK_STORE = 1 << 1,   /* the store cannot be written */
	BLOCK_DISK = 1 << 2,    /* less than min-free is free */
	BLOCK_SPAWNER = 1 << 3, /* nobody to start processes */
	BLOCK_SHUTDOWN = 1 << 4,
	BLOCK_RETRY = 1 << 5, /* the last start failed for want of something */
};

int scheduler_new(struct scheduler **ret, struct core *core, rv_loop *loop);
struct scheduler *scheduler_free(struct scheduler *s);

/* Make a pool or change its slots. 0, -ENOMEM. Pools are never taken away while it runs. */
int scheduler_set_pool(struct scheduler *s, const char *name, unsigned slots);
struct pool *scheduler_pool(
	const struct scheduler *s, const char *name); /* NULL: none */
/* Its section is gone from the configuration: what is in it does not start. */
static inline bool pool_is_gone(const struct pool *p)
{
	return p->slots == 0;
}
/* In words, that jobs wait in a pool that is gone; malloc'd; NULL where none do, or memory is
 * short. */
char *pool_problem(const struct pool *p);
size_t scheduler_n_pools(const struct scheduler *s);
struct pool *scheduler_pool_at(const struct scheduler *s, size_t i);

/* A job that is queued, in backoff or delayed gets its place in the order; others none. */
void scheduler_place(struct scheduler *s, struct job *j);
void scheduler_withdraw(struct scheduler *s, struct job *j);

/* look once more, soon */
void scheduler_kick(struct scheduler *s);
/* the slot that a job was given when it was started */
void scheduler_release_slot(struct scheduler *s, const struct job *j);
/* slots of a pool that the spawner has to give out */
unsigned pool_gate_slots(const struct pool *p);
/* A run has ended by itself after so long: where they are short, the next ones are started
 * ahead of a free slot. */
void pool_note_run(struct pool *p, int64_t usec);
/* One that was started ahead did not get its slot soon: none are, for a while. */
void pool_note_recall(struct pool *p);
/* of a run that was found going on */
void scheduler_take_slot(struct scheduler *s, const struct job *j);

/* A start failed for a reason that may last (memory, descriptors, the disk): nothing starts
 * for a moment, longer each time, so that trying again does not become all there is. */
void scheduler_hold_off(struct scheduler *s);
/* a start went well: the next failure is the first one */
void scheduler_start_succeeded(struct scheduler *s);

void scheduler_block(struct scheduler *s, enum scheduler_block why, bool on);
bool scheduler_is_blocked(const struct scheduler *s, enum scheduler_block why);

/* In words, what a job is waiting for; NULL when it waits for nothing. Into buf. */
const char *scheduler_why(
	const struct scheduler *s, const struct job *j, char *buf, size_t size);

#endif
