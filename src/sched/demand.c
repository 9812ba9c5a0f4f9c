/* Demands: made from what jobs say, shared by those that say the same. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "sched/admission.h"

static int make_key(char **ret, const struct demand_spec *s)
{
	struct buf b = BUF_NULL;
	int r;

	r = buf_printf(&b, "%s %" PRId64 " %" PRId64 " %d%d%d %s", s->pools, s->slots,
		s->memory, s->function, s->forced, s->punctual,
		s->needs ? s->needs : "");
	if (r >= 0) {
		*ret = buf_steal_str(&b, NULL);
		r = *ret ? 0 : -ENOMEM;
	}
	buf_deinit(&b);
	return r;
}

/* ---- ways ------------------------------------------------------------------------------- */

/* a way while it is put together */
struct maker {
	struct admission *a;
	const struct demand_spec *spec;
	struct need needs[WAY_NEEDS_MAX];
	unsigned n;
};

static void add_need(struct maker *m, struct need need)
{
	INVARIANT(m->n < WAY_NEEDS_MAX);
	m->needs[m->n++] = need;
}

static int add_pool(const char *name, void *arg)
{
	struct maker *m = arg;
	struct pool *p;
	int r;

	r = admission_pool(m->a, name, &p);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < m->n; i++)
		if (m->needs[i].pool == p)
			return 0; /* named twice: one place in it is enough */
	add_need(m, (struct need){.kind = NEED_POOL,
			    .limit = m->spec->function ? &p->functions : &p->slots,
			    .pool = p,
			    .amount = m->spec->function ? 1 : m->spec->slots});
	return 0;
}

static int add_resource(const char *name, int64_t amount, void *arg)
{
	struct maker *m = arg;
	struct resource *res;
	int r;

	r = admission_resource(m->a, name, &res);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < m->n; i++)
		if (m->needs[i].resource == res)
			return -EINVAL;
	add_need(m, (struct need){.kind = NEED_RESOURCE,
			    .limit = &res->amount,
			    .resource = res,
			    .amount = amount});
	return 0;
}

static int add_machine(struct maker *m)
{
	const struct demand_spec *s = m->spec;

	if (s->own)
		return 0;
	if (!s->function && !s->apart)
		add_need(m, (struct need){.kind = NEED_MACHINE,
				    .limit = &m->a->slots,
				    .amount = s->slots});
	if (s->memory > 0)
		add_need(m, (struct need){.kind = NEED_MEMORY,
				    .limit = &m->a->memory,
				    .amount = s->memory});
	return s->needs ? job_needs_each(s->needs, add_resource, m) : 0;
}

static int finish_way(struct maker *m, struct demand *d)
{
	struct way *w = &d->ways[d->n_ways];
	int r = add_machine(m);

	if (r < 0)
		return r;
	w->needs = calloc(m->n, sizeof(*w->needs));
	if (!w->needs)
		return -ENOMEM;
	memcpy(w->needs, m->needs, m->n * sizeof(*w->needs));
	w->n = m->n;
	d->n_ways++;
	m->n = 0;
	return 0;
}

static int add_way(const char *pool, void *arg)
{
	struct demand *d = ((void **)arg)[1];
	struct maker *m = ((void **)arg)[0];
	int r = add_pool(pool, m);

	return r < 0 ? r : finish_way(m, d);
}

static int make_ways(struct admission *a, struct demand *d, const struct demand_spec *s)
{
	struct maker m = {.a = a, .spec = s};
	int r;

	if (strchr(s->pools, '|'))
		return job_pools_each(s->pools, add_way, (void *[]){&m, d});
	r = job_pools_each(s->pools, add_pool, &m);
	return r < 0 ? r : finish_way(&m, d);
}

const char *way_gone(const struct way *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		if (w->needs[i].pool && w->needs[i].pool->gone)
			return w->needs[i].pool->name;
		if (w->needs[i].resource && w->needs[i].resource->gone)
			return w->needs[i].resource->name;
	}
	return NULL;
}

struct pool *demand_pool(const struct demand *d, unsigned way)
{
	return d->ways[way < d->n_ways ? way : 0].needs[0].pool;
}

/* ---- the objects ------------------------------------------------------------------------ */

static struct demand *demand_free(struct demand *d)
{
	if (!d)
		return NULL;
	for (unsigned i = 0; i < d->n_ways; i++)
		free(d->ways[i].needs);
	heap_deinit(&d->ready);
	free(d->key);
	free(d->pools);
	free(d);
	return NULL;
}
DEFINE_CLEANUP(struct demand *, demand_free)

static int demand_new(
	struct demand **ret, struct admission *a, const struct demand_spec *s)
{
	_cleanup_(demand_freep) struct demand *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	heap_init(&d->ready, a->before);
	list_init(&d->link);
	d->pools = strdup(s->pools);
	if (!d->pools)
		return -ENOMEM;
	r = make_ways(a, d, s);
	if (r < 0)
		return r;
	d->slots = s->function || s->apart ? 0 : s->slots;
	d->function = s->function;
	d->forced = s->forced;
	d->gated = !s->function && !s->forced && !s->apart && d->n_ways == 1 &&
		   s->slots == 1 &&
		   d->ways[0].n == 2; /* a pool's slot and one of the machine's */
	d->punctual = s->punctual;
	*ret = TAKE_PTR(d);
	return 0;
}

int demand_get(struct admission *a, struct demand **ret, const struct demand_spec *spec)
{
	_cleanup_free_ char *key = NULL;
	struct demand *d;
	int r;

	r = spec->own || spec->apart ? 0 : job_pools_check(spec->pools);
	if (r >= 0)
		r = make_key(&key, spec);
	if (r < 0)
		return r;
	d = hashmap_get(a->demands, key);
	if (d) {
		*ret = demand_ref(d);
		return 0;
	}
	if (!spec->own && !spec->apart && hashmap_size(a->demands) >= a->demands_max)
		return -RV_ELIMIT;
	/* of all demands there may be one turn in a pass */
	r = heap_reserve(&a->turns, hashmap_size(a->demands) + 1);
	if (r >= 0)
		r = demand_new(&d, a, spec);
	if (r < 0)
		return r;
	r = hashmap_put(a->demands, key, d);
	if (r < 0) {
		demand_free(d);
		return r;
	}
	d->key = TAKE_PTR(key);
	d->n_refs = 1;
	*ret = d;
	return 0;
}

void demand_note_listed(struct demand *d, int sign)
{
	for (unsigned w = 0; w < d->n_ways; w++)
		for (unsigned i = 0; i < d->ways[w].n; i++)
			if (d->ways[w].needs[i].pool)
				d->ways[w].needs[i].pool->n_listed += sign;
}

void demand_note_ending(struct demand *d, int sign)
{
	d->n_ending += (unsigned)sign;
	for (unsigned w = 0; w < d->n_ways; w++)
		for (unsigned i = 0; i < d->ways[w].n; i++)
			if (d->ways[w].needs[i].pool)
				d->ways[w].needs[i].pool->n_ending += sign;
}

struct demand *demand_ref(struct demand *d)
{
	d->n_refs++;
	return d;
}

struct demand *demand_put(struct admission *a, struct demand *d)
{
	if (!d || --d->n_refs > 0)
		return NULL;
	INVARIANT(d->ready.n == 0 && !heap_node_is_linked(&d->turn));
	hashmap_remove(a->demands, d->key);
	return demand_free(d);
}
