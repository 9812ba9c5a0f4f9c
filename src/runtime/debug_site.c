/*
 * How deep the stacks of tasks are used, by where they were spawned.
 *
 * A stack serves one task after the other, so what is left on it tells nothing of the last
 * one: in debug mode it is cleared before a task's first step. What a task has used is
 * looked at after its last step, and whenever somebody asks.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "reeve/debug.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

enum {
	SITES_MAX = 256, /* known by name; those beyond are counted together */
	BUCKETS = 512,
};

struct site {
	const void *at; /* a return address; NULL: not known */
	size_t n_tasks, n_live, deepest;
};

struct sites {
	size_t n;
	unsigned short by_hash[BUCKETS]; /* 1 + index of at; 0: free */
	struct site at[SITES_MAX + 1];   /* the last: the others */
	/* Counts how often debug mode was switched on: a stack that was cleared in an
	 * earlier period may have had other tasks since. */
	unsigned period;
};

#define OTHERS(s) (&(s)->at[SITES_MAX])

struct sites *sites_begin_period(struct sites *s)
{
	if (!s)
		s = calloc(1, sizeof(*s));
	if (s)
		s->period++;
	return s;
}

static size_t bucket_of(const void *at)
{
	return (size_t)(((uint64_t)(uintptr_t)at * UINT64_C(0x9e3779b97f4a7c15)) >>
			32) %
	       BUCKETS;
}

static struct site *site_of(struct sites *s, const void *at)
{
	size_t b = bucket_of(at);

	/* more buckets than sites: one is free */
	for (; s->by_hash[b]; b = (b + 1) % BUCKETS)
		if (s->at[s->by_hash[b] - 1].at == at)
			return &s->at[s->by_hash[b] - 1];
	if (s->n == SITES_MAX)
		return OTHERS(s);
	s->at[s->n] = (struct site){.at = at};
	s->by_hash[b] = (unsigned short)++s->n;
	return &s->at[s->n - 1];
}

/* NULL: nobody knows how much of its stack is the task's own use */
static struct task_extra *measured(const struct rv_task *t)
{
	struct sites *s = t->loop ? t->loop->sites : NULL;
	struct task_extra *x = t->extra;

	return s && x && x->stack && x->stack_period == s->period ? x : NULL;
}

void site_task_begins(struct rv_task *t)
{
	struct sites *s = t->loop->sites;
	struct task_extra *x = s ? task_extra(t) : NULL;

	if (!x)
		return;
	coro_pool_note_depth(task_pool(t), t->coro);
	coro_clear(t->coro);
	x->stack = t->coro;
	x->stack_period = s->period;
	site_of(s, x->spawned_at)->n_tasks++;
}

/* so far */
static size_t depth_of(struct task_extra *x)
{
	x->depth = MAX(x->depth, coro_depth(x->stack));
	return x->depth;
}

void site_task_ended(struct rv_task *t)
{
	struct task_extra *x = measured(t);
	struct site *at;

	if (!x || x->stack->owner) /* another has it already */
		return;
	at = site_of(t->loop->sites, x->spawned_at);
	at->deepest = MAX(at->deepest, depth_of(x));
	x->stack = NULL;
}

/* Unwinding uses the stack, which is not the task's doing. */
void site_before_probe(struct rv_task *t)
{
	struct task_extra *x = measured(t);

	if (!x || x->stack != t->coro)
		return;
	(void)depth_of(x);
	coro_pool_note_depth(task_pool(t), x->stack);
}

void site_after_probe(struct rv_task *t)
{
	struct task_extra *x = measured(t);

	if (x && x->stack == t->coro)
		coro_clear(x->stack);
}

/* -- asking ------------------------------------------------------------------------ */

static int by_depth(const void *a, const void *b)
{
	const struct site *x = *(struct site *const *)a, *y = *(struct site *const *)b;

	if (x->deepest != y->deepest)
		return x->deepest > y->deepest ? -1 : 1;
	return (x > y) - (x < y);
}

static void count_live(rv_loop *l)
{
	struct sites *s = l->sites;

	for (size_t i = 0; i <= SITES_MAX; i++)
		s->at[i].n_live = 0;
	for (struct rv_link *it = l->tasks.next; it != &l->tasks; it = it->next) {
		struct rv_task *t = LINK_ENTRY(it, struct rv_task, link);
		struct task_extra *x = t->done ? NULL : measured(t);
		struct site *at = x ? site_of(s, x->spawned_at) : NULL;

		if (!at)
			continue;
		at->n_live++;
		at->deepest = MAX(at->deepest, depth_of(x));
	}
}

int rv_debug_census_by_site(rv_loop *l, rv_site_census *ret, size_t n)
{
	struct site *sorted[SITES_MAX + 1];
	struct sites *s = l->sites;
	size_t n_sites;

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	if (!s || l->closed)
		return 0;
	count_live(l);
	n_sites = s->n;
	for (size_t i = 0; i < n_sites; i++)
		sorted[i] = &s->at[i];
	qsort(sorted, n_sites, sizeof(struct site *), by_depth);
	if (OTHERS(s)->n_tasks > 0)
		sorted[n_sites++] = OTHERS(s);
	for (size_t i = 0; i < MIN(n, n_sites); i++)
		ret[i] = (rv_site_census){
			.site = sorted[i]->at,
			.is_others = sorted[i] == OTHERS(s),
			.n_tasks = sorted[i]->n_tasks,
			.n_live = sorted[i]->n_live,
			.deepest = sorted[i]->deepest,
		};
	return (int)n_sites;
}
