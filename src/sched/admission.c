#include "sched/admission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"

static struct demand *demand_of(const struct heap_node *turn)
{
	return CONTAINER_OF((struct heap_node *)turn, struct demand, turn);
}

/* HEAP_BEFORE of demands: by their first jobs */
static bool turn_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct demand *x = demand_of(a), *y = demand_of(b);

	return x->ready.before(heap_peek(&x->ready), heap_peek(&y->ready));
}

int admission_init(struct admission *a, heap_before_fn before)
{
	*a = (struct admission){.before = before,
		.slots = {.max = LIMIT_NONE},
		.memory = {.max = LIMIT_NONE},
		.demands_max = SIZE_MAX,
		.look_at = RV_FOREVER};
	list_init(&a->waiting);
	heap_init(&a->turns, turn_before);
	return hashmap_new(&a->demands, HASHMAP_STRING);
}

void admission_deinit(struct admission *a)
{
	INVARIANT(!a->demands || hashmap_size(a->demands) == 0);
	hashmap_free(a->demands);
	heap_deinit(&a->turns);
	for (size_t i = 0; i < a->n_pools; i++) {
		rate_deinit(&a->pools[i]->rate);
		free(a->pools[i]);
	}
	for (size_t i = 0; i < a->n_resources; i++)
		free(a->resources[i]);
	free(a->pools);
	free(a->resources);
}

struct pool *admission_find_pool(const struct admission *a, const char *name)
{
	for (size_t i = 0; i < a->n_pools; i++)
		if (STREQ(a->pools[i]->name, name))
			return a->pools[i];
	return NULL;
}

struct resource *admission_find_resource(const struct admission *a, const char *name)
{
	for (size_t i = 0; i < a->n_resources; i++)
		if (STREQ(a->resources[i]->name, name))
			return a->resources[i];
	return NULL;
}

/* FNV-1a: the same for each reeved that has the pool, and never 0 */
static uint64_t gate_of(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

int admission_pool(struct admission *a, const char *name, struct pool **ret)
{
	struct pool *p = admission_find_pool(a, name), **v;

	if (!p) {
		v = reallocarray(a->pools, a->n_pools + 1, sizeof(struct pool *));
		if (!v)
			return -ENOMEM;
		a->pools = v;
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		snprintf(p->name, sizeof(p->name), "%s", name);
		p->gone = true;
		p->functions.max = LIMIT_NONE;
		p->gate = gate_of(name);
		pool_note_recall(p);
		v[a->n_pools++] = p;
	}
	*ret = p;
	return 0;
}

static bool is_named(const struct admission *a, const struct pool *p)
{
	struct demand *d;

	HASHMAP_FOREACH(d, a->demands)
		if (job_pools_has(d->pools, p->name))
			return true;
	return false;
}

void admission_forget_gone(struct admission *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_pools; i++) {
		struct pool *p = a->pools[i];

		if (!p->gone || is_named(a, p)) {
			a->pools[n++] = p;
			continue;
		}
		rate_deinit(&p->rate);
		free(p);
	}
	a->n_pools = n;
}

int admission_resource(struct admission *a, const char *name, struct resource **ret)
{
	struct resource *res = admission_find_resource(a, name), **v;

	if (!res) {
		v = reallocarray(
			a->resources, a->n_resources + 1, sizeof(struct resource *));
		if (!v)
			return -ENOMEM;
		a->resources = v;
		res = calloc(1, sizeof(*res));
		if (!res)
			return -ENOMEM;
		snprintf(res->name, sizeof(res->name), "%s", name);
		res->gone = true;
		v[a->n_resources++] = res;
	}
	*ret = res;
	return 0;
}

/* ---- jobs that may start ---------------------------------------------------------------- */

/* Its first job may be another one. */
static void first_changed(struct admission *a, struct demand *d)
{
	if (d->ready.n == 0) {
		list_remove(&d->link);
		heap_remove(&a->turns, &d->turn);
	} else if (heap_node_is_linked(&d->turn)) {
		heap_update(&a->turns, &d->turn);
	}
}

int demand_add(struct admission *a, struct demand *d, struct heap_node *job)
{
	int r = heap_push(&d->ready, job);

	if (r < 0)
		return r;
	if (!list_is_linked(&d->link))
		list_append(&a->waiting, &d->link);
	first_changed(a, d);
	return 0;
}

void demand_remove(struct admission *a, struct demand *d, struct heap_node *job)
{
	if (!heap_node_is_linked(job))
		return;
	heap_remove(&d->ready, job);
	first_changed(a, d);
}

size_t demand_n_before(const struct demand *d, const struct heap_node *job, size_t max)
{
	return heap_n_before(&d->ready, job, max);
}

/* ---- taking ----------------------------------------------------------------------------- */

static void change(struct demand *d, unsigned way, int sign)
{
	const struct way *w = &d->ways[way < d->n_ways ? way : 0];

	for (unsigned i = 0; i < w->n; i++) {
		struct need *need = &w->needs[i];

		need->limit->taken += sign * need->amount;
		INVARIANT(need->limit->taken >= 0);
		if (need->pool && !d->function)
			need->pool->n_running += sign;
		if (need->pool && !d->function && !d->gated)
			need->pool->n_ungated += (unsigned)(sign * (int)need->amount);
	}
}

void demand_take(struct demand *d, unsigned way)
{
	change(d, way, 1);
}

void demand_release(struct demand *d, unsigned way)
{
	change(d, way, -1);
}

/* ---- a pass ----------------------------------------------------------------------------- */

void admission_begin(struct admission *a)
{
	a->look_at = RV_FOREVER;
	while (heap_pop(&a->turns)) /* of a pass that was left early */
		;
	a->slots.claimed = a->memory.claimed = 0;
	for (size_t i = 0; i < a->n_pools; i++)
		a->pools[i]->slots.claimed = a->pools[i]->functions.claimed = 0;
	for (size_t i = 0; i < a->n_resources; i++)
		a->resources[i]->amount.claimed = 0;
	LIST_FOREACH(it, &a->waiting) {
		/* there is room: reserved with the demand */
		int r = heap_push(
			&a->turns, &LIST_ENTRY(it, struct demand, link)->turn);

		INVARIANT(r == 0);
	}
}

/* Neither paused nor gone, and it does not ask for more than there is. */
static bool is_open(const struct way *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		const struct need *need = &w->needs[i];

		if (need->amount > need->limit->max ||
			(need->pool && (need->pool->paused || need->pool->gone)) ||
			(need->resource && need->resource->gone))
			return false;
	}
	return true;
}

/* when the rates of its pools allow a start */
static rv_time rates_free_at(const struct way *w)
{
	rv_time at = 0;

	for (unsigned i = 0; i < w->n; i++)
		if (w->needs[i].pool)
			at = MAX(at, rate_free_at(&w->needs[i].pool->rate));
	return at;
}

static bool is_held(const struct admission *a, const struct demand *d)
{
	return d->punctual && a->punctual_held;
}

static bool fits(const struct way *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!limit_has(w->needs[i].limit, w->needs[i].amount))
			return false;
	return true;
}

bool way_can_be_counted(const struct way *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!limit_can_count(w->needs[i].limit, w->needs[i].amount))
			return false;
	return true;
}

/* the way by which the first job of a demand starts now; -1: none */
static int find_way(struct admission *a, const struct demand *d, rv_time now)
{
	if (is_held(a, d))
		return -1;
	if (d->forced)
		return way_can_be_counted(&d->ways[0]) ? 0 : -1;
	for (unsigned i = 0; i < d->n_ways; i++) {
		const struct way *w = &d->ways[i];
		rv_time at;

		if (!is_open(w) || !fits(w))
			continue;
		at = rates_free_at(w);
		if (at <= now)
			return (int)i;
		a->look_at = MIN(a->look_at, at);
	}
	return -1;
}

static bool may_go_ahead(const struct admission *a, const struct demand *d)
{
	const struct pool *p = d->ways[0].needs[0].pool;

	return d->gated && !d->punctual && a->slots.max == LIMIT_NONE &&
	       is_open(&d->ways[0]) && p->slots.claimed == 0 &&
	       p->slots.taken >= p->slots.max &&
	       p->slots.taken < p->slots.max + pool_ahead_max(p);
}

/* It does not fit, and keeps what it can use: see admission.h. Only of the first way that is
 * open; of each way would be more than it can use. What is held keeps it for all of its jobs:
 * they are about to start, and do not give way to what comes after them. */
static void claim(const struct admission *a, const struct demand *d, rv_time now)
{
	int64_t n = is_held(a, d) ? (int64_t)d->ready.n : 1;
	const struct way *w = NULL;

	for (unsigned i = 0; i < d->n_ways; i++) {
		if (!w && is_open(&d->ways[i]))
			w = &d->ways[i];
		for (unsigned k = 0; k < d->ways[i].n; k++) {
			struct need *need = &d->ways[i].needs[k];

			need->lacks = !limit_has(need->limit, need->amount);
		}
	}
	if (!w || d->forced || rates_free_at(w) > now)
		return;
	for (unsigned i = w->n; i-- > 0;) {
		const struct need *need = &w->needs[i];

		limit_claim(need->limit, need->amount, n);
		if (need->lacks)
			return;
	}
}

static void admit(struct admission *a, struct demand *d, unsigned way, bool ahead,
	rv_time now, struct admitted *ret)
{
	const struct way *w = &d->ways[way];

	*ret = (struct admitted){
		.job = heap_pop(&d->ready), .demand = d, .way = way, .ahead = ahead};
	first_changed(a, d);
	change(d, way, 1);
	for (unsigned i = 0; i < w->n; i++)
		if (w->needs[i].pool)
			rate_note(&w->needs[i].pool->rate, now);
}

bool admission_next(struct admission *a, rv_time now, struct admitted *ret)
{
	struct heap_node *turn;

	while ((turn = heap_peek(&a->turns))) {
		struct demand *d = demand_of(turn);
		int way = find_way(a, d, now);

		if (way >= 0 || may_go_ahead(a, d)) {
			admit(a, d, way >= 0 ? (unsigned)way : 0, way < 0, now, ret);
			return true;
		}
		claim(a, d, now);
		heap_pop(&a->turns);
	}
	return false;
}

void demand_take_back(struct demand *d, unsigned way, rv_time at)
{
	const struct way *w = &d->ways[way];

	demand_release(d, way);
	for (unsigned i = 0; i < w->n; i++)
		if (w->needs[i].pool)
			rate_take_back(&w->needs[i].pool->rate, at);
}

void admission_take_back(struct admission *a, const struct admitted *x)
{
	const struct way *w = &x->demand->ways[x->way];
	int r;

	while (heap_pop(&a->turns))
		;
	change(x->demand, x->way, -1);
	for (unsigned i = 0; i < w->n; i++)
		if (w->needs[i].pool)
			rate_take_back(&w->needs[i].pool->rate, RV_FOREVER);
	/* there is room: it was just taken out */
	r = demand_add(a, x->demand, x->job);
	INVARIANT(r == 0);
}
