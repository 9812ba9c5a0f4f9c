/*
 * Admission: which job starts next.
 *
 * Jobs that ask for the same, the same pools, slots and resources, share a demand: where one
 * of them has to wait, all behind it do. So a pass over everything that waits is a pass over
 * the demands, of which there are few, and not over the jobs, of which there may be a
 * million. Each demand has its jobs in order; the first in order of all that fits starts.
 *
 * Heavy jobs and light ones: a job that is the first of its demand and does not fit claims
 * what it waits for, and jobs behind it do without. It claims in a fixed order, resources,
 * memory, slots of the machine, slots of its pools: all up to the first of which there is too
 * little. So what is scarce is kept for it first, no slot is idle for a job that lacks a
 * resource, and what it needs many of comes together for it. Since whoever is first in order
 * claims first, each job that can start at all starts in the end. What is paused, held up by a
 * rate, or asks for more than there is in all, claims nothing.
 *
 * Pure: no clock, no loop. Nothing here allocates after a job was put in, so that a pass
 * cannot fail.
 */
#ifndef SCHED_ADMISSION_H
#define SCHED_ADMISSION_H

#include "base/buf.h"
#include "base/hashmap.h"
#include "base/heap.h"
#include "base/list.h"
#include "job/asks.h"
#include "sched/pool.h"

/* pools, the machine's slots, its memory, resources */
#define WAY_NEEDS_MAX (JOB_POOLS_MAX + 2 + JOB_NEEDS_MAX)

struct resource {
	char name[POOL_NAME_MAX + 1];
	struct limit amount;
	bool gone; /* nothing defines it any more */
};

enum need_kind { NEED_POOL, NEED_MACHINE, NEED_MEMORY, NEED_RESOURCE };

/* what one limit has to have for a job */
struct need {
	enum need_kind kind;
	struct limit *limit;
	struct pool *pool;         /* of NEED_POOL */
	struct resource *resource; /* of NEED_RESOURCE */
	int64_t amount;
	bool lacks; /* in the last pass there was too little for the first job */
};

/* One way to start: all of its needs. `a|b` has two ways, everything else one. */
struct way {
	struct need *needs; /* pools, machine, memory, resources */
	unsigned n;
};

struct demand {
	char *key;   /* what it asks for, as text: the same text is the same demand */
	char *pools; /* as the jobs say it: a name, "a,b" (both) or "a|b" (either) */
	struct way ways[JOB_POOLS_MAX];
	unsigned n_ways;
	int64_t slots;     /* of each pool of the way that is taken */
	bool function;     /* takes no slot, and counts among the functions */
	bool forced;       /* starts whatever is free */
	bool gated;        /* one slot of one pool: the spawner may give it out */
	bool punctual;     /* but never before it is free */
	unsigned n_refs;   /* jobs, each holds one */
	unsigned n_ending; /* further ones, of ends of these that are being recorded */
	struct heap ready; /* of its jobs that wait for nothing but room, in order */
	struct list link;  /* in admission.waiting while ready is not empty */
	struct heap_node turn; /* among the demands, in a pass */
};

struct admission {
	heap_before_fn before; /* order of jobs */
	struct pool **pools;
	size_t n_pools;
	struct resource **resources;
	size_t n_resources;
	struct limit slots;      /* of the machine, over all pools */
	struct limit memory;     /* bytes that jobs may reserve */
	struct hashmap *demands; /* by key */
	size_t demands_max;
	struct list waiting; /* of struct demand.link */
	struct heap turns;   /* of struct demand.turn */
	rv_time look_at;     /* out of a pass: when a rate lets the next one start */
	/* What is punctual does not start for a moment, until somebody looks again; all of it
	 * keeps what it can use. May be set in the course of a pass. */
	bool punctual_held;
};

/* @before: which of two jobs starts first. 0, -ENOMEM */
int admission_init(struct admission *a, heap_before_fn before);
/* Demands must have been given back. */
void admission_deinit(struct admission *a);

/* The pool or resource of that name, made where there is none (gone, without slots). 0,
 * -ENOMEM */
int admission_pool(struct admission *a, const char *name, struct pool **ret);
int admission_resource(struct admission *a, const char *name, struct resource **ret);
struct pool *admission_find_pool(
	const struct admission *a, const char *name); /* NULL */
struct resource *admission_find_resource(const struct admission *a, const char *name);
/* Pools that are gone, and that no demand names, are freed. Resources are never: only the
 * configuration makes them. */
void admission_forget_gone(struct admission *a);

/* ---- demands --------------------------------------------------------------------------- */

/* what a job asks for */
struct demand_spec {
	const char *pools;
	int64_t slots;     /* at least 1 */
	int64_t memory;    /* bytes it reserves; 0: none */
	const char *needs; /* "gpu=1 tape=2"; NULL: none */
	bool function, forced;
	bool own; /* of the daemon itself: takes nothing but a slot of its one pool, which has
		     no name for others, and is past demands_max */
	bool apart;    /* likewise, but memory and needs count */
	bool punctual; /* it is never started ahead of its slot */
};

/**
 * The demand of a job, with a reference; pools and resources that it names are made where
 * they are not there, so that jobs from before are kept.
 *
 * 0; -RV_ELIMIT: there are demands_max others, or it names too many pools or resources;
 * -EINVAL: pools or needs are not well-formed; -ENOMEM.
 */
int demand_get(
	struct admission *a, struct demand **ret, const struct demand_spec *spec);
struct demand *demand_ref(struct demand *d);
/* NULL is fine; returns NULL. No job of it may be ready any more when the last goes. */
struct demand *demand_put(struct admission *a, struct demand *d);

/* A job of this demand came into the table, or left it (sign -1): it may run, or may not any
 * more. And the same for those of them whose end is being recorded: who notes that holds a
 * reference of its own, beside the job's. */
void demand_note_listed(struct demand *d, int sign);
void demand_note_ending(struct demand *d, int sign);

/* The pool that a job counts in for the spawner and for averages: the first of its way. */
struct pool *demand_pool(const struct demand *d, unsigned way);
/* one of its pools is gone, so that the way cannot be taken: the name; NULL */
const char *way_gone(const struct way *w);
/* What it asks for beside all that is taken is a number that can be counted to: a job that
 * is forced waits for no more than that. */
bool way_can_be_counted(const struct way *w);

/* ---- jobs that may start --------------------------------------------------------------- */

/* 0, -ENOMEM */
int demand_add(struct admission *a, struct demand *d, struct heap_node *job);
/* no effect where it is not in */
void demand_remove(struct admission *a, struct demand *d, struct heap_node *job);
/* how many jobs of it start before that one; max: so many or more */
size_t demand_n_before(const struct demand *d, const struct heap_node *job, size_t max);

/* ---- a pass ---------------------------------------------------------------------------- */

struct admitted {
	struct heap_node *job; /* taken out of its demand */
	struct demand *demand;
	unsigned way;
	bool ahead; /* no slot is free yet: the spawner begins it when one is */
};

/* Jobs may be added and removed in its course, too. */
void admission_begin(struct admission *a);
/* The next job that starts: what it asks for is taken. False: none may start now. */
bool admission_next(struct admission *a, rv_time now, struct admitted *ret);
/* it could not be started: as it was. The pass is over. */
void admission_take_back(struct admission *a, const struct admitted *x);

/* of a job that was found running, and of one that has ended */
void demand_take(struct demand *d, unsigned way);
void demand_release(struct demand *d, unsigned way);
/* The same of one that never began: nor does its start count for rates, the last one that was
 * admitted up to that moment. */
void demand_take_back(struct demand *d, unsigned way, rv_time at);

/* ---- explanations ---------------------------------------------------------------------- */

/* What keeps the first job of a demand from starting, in words; nothing where the next pass
 * starts it. 0, -ENOMEM */
int demand_explain(const struct demand *d, rv_time now, struct buf *out);
/* Has a run of this demand, by this way, what the first job of the other is short of? */
bool demand_holds(
	const struct demand *running, unsigned way, const struct demand *waiting);
/* Whatever ends, it cannot start as things are: what it asks for more of than there is, in
 * words; nothing where it can. 0, -ENOMEM */
int demand_explain_excess(const struct demand *d, struct buf *out);

#endif
