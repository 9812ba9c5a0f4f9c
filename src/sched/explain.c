/* In words, why what is first in its turn does not start. */
#include "config.h"

#include <inttypes.h>

#include "sched/admission.h"

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static int explain_pool(const struct need *need, bool function, struct buf *out)
{
	const struct pool *p = need->pool;
	const struct limit *l = need->limit;

	if (p->gone)
		return buf_printf(
			out, "the configuration has no [pool %s] any more", p->name);
	if (p->paused)
		return buf_printf(out, "pool '%s' is paused: reeve pool resume %s",
			p->name, p->name);
	if (need->amount > l->max)
		return buf_printf(out,
			"it asks for %" PRId64
			" slot%s of pool '%s', which has %" PRId64,
			need->amount, plural(need->amount), p->name, l->max);
	if (!need->lacks)
		return 0;
	if (l->taken <= l->max - need->amount)
		return buf_printf(out,
			"the free slots of pool '%s' are kept for jobs before it",
			p->name);
	if (function)
		return buf_printf(out,
			"in pool '%s' %" PRId64 " of %" PRId64
			" functions go on (functions-max)",
			p->name, l->taken, l->max);
	return buf_printf(out, "pool '%s' has %" PRId64 " of %" PRId64 " slots taken",
		p->name, l->taken - p->n_ahead, l->max);
}

static int explain_rate(const struct need *need, rv_time now, struct buf *out)
{
	const struct rate *r = &need->pool->rate;

	if (rate_free_at(r) <= now)
		return 0;
	return buf_printf(out,
		"pool '%s' has had its %u start%s in %.9g s (rate), the next is in "
		"%.2f s",
		need->pool->name, r->n, plural(r->n), (double)r->per / 1e9,
		(double)(rate_free_at(r) - now) / 1e9);
}

static int explain_resource(const struct need *need, struct buf *out)
{
	const struct limit *l = need->limit;

	if (need->resource->gone)
		return buf_printf(out,
			"the configuration has no [resource %s] any more",
			need->resource->name);
	if (need->amount > l->max)
		return buf_printf(out,
			"it needs %" PRId64
			" of resource '%s', of which there is %" PRId64,
			need->amount, need->resource->name, l->max);
	if (!need->lacks)
		return 0;
	if (l->taken <= l->max - need->amount)
		return buf_printf(out, "resource '%s' is kept for jobs before it",
			need->resource->name);
	return buf_printf(out,
		"it needs %" PRId64 " of resource '%s', of which %" PRId64
		" of %" PRId64 " is taken",
		need->amount, need->resource->name, l->taken, l->max);
}

static int explain_machine(const struct need *need, struct buf *out)
{
	const struct limit *l = need->limit;

	if (need->amount <= l->max && !need->lacks)
		return 0;
	if (need->amount <= l->max && l->taken <= l->max - need->amount)
		return buf_printf(out, "%s is kept for jobs before it",
			need->kind == NEED_MACHINE ? "what is free of slots-max"
						   : "what is free of memory-max");
	if (need->kind == NEED_MACHINE)
		return buf_printf(out,
			"%" PRId64 " of %" PRId64
			" slots of all pools are taken (slots-max)",
			l->taken, l->max);
	return buf_printf(out,
		"it reserves %" PRId64 " bytes of memory, and %" PRId64 " of %" PRId64
		" are taken (memory-max)",
		need->amount, l->taken, l->max);
}

static int explain_need(
	const struct demand *d, const struct need *need, rv_time now, struct buf *out)
{
	size_t before = buf_len(out);
	int r;

	switch (need->kind) {
	case NEED_MACHINE:
	case NEED_MEMORY: return explain_machine(need, out);
	case NEED_RESOURCE: return explain_resource(need, out);
	case NEED_POOL: break;
	}
	r = explain_pool(need, d->function, out);
	return r < 0 || buf_len(out) > before ? r : explain_rate(need, now, out);
}

/* of each way, and of each limit in it, a clause */
static int explain(const struct demand *d, rv_time now, struct buf *out)
{
	int r = 0;

	for (unsigned i = 0; i < d->n_ways; i++)
		for (unsigned k = 0; k < d->ways[i].n && r >= 0; k++) {
			struct buf clause = BUF_NULL;

			/* what all ways ask for is said once */
			if (i > 0 && !d->ways[i].needs[k].pool)
				continue;
			r = explain_need(d, &d->ways[i].needs[k], now, &clause);
			if (r >= 0 && buf_len(&clause) > 0 && buf_len(out) > 0)
				r = buf_append_str(out, ", and ");
			if (r >= 0)
				r = buf_append(
					out, buf_head(&clause), buf_len(&clause));
			buf_deinit(&clause);
		}
	return r < 0 ? r : 0;
}

int demand_explain(const struct demand *d, rv_time now, struct buf *out)
{
	return d->forced && way_can_be_counted(&d->ways[0]) ? 0 : explain(d, now, out);
}

static bool can_ever(const struct way *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->needs[i].amount > w->needs[i].limit->max)
			return false;
	return true;
}

int demand_explain_excess(const struct demand *d, struct buf *out)
{
	for (unsigned i = 0; i < d->n_ways; i++)
		if (d->forced || can_ever(&d->ways[i]))
			return 0;
	for (unsigned k = 0; k < d->ways[0].n; k++)
		if (d->ways[0].needs[k].amount > d->ways[0].needs[k].limit->max)
			return explain_need(d, &d->ways[0].needs[k], 0, out);
	return 0;
}

static bool takes_of(const struct way *w, const struct limit *limit)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->needs[i].limit == limit)
			return true;
	return false;
}

bool demand_holds(
	const struct demand *running, unsigned way, const struct demand *waiting)
{
	const struct way *taken = &running->ways[way < running->n_ways ? way : 0];

	for (unsigned i = 0; i < waiting->n_ways; i++)
		for (unsigned k = 0; k < waiting->ways[i].n; k++)
			if (waiting->ways[i].needs[k].lacks &&
				takes_of(taken, waiting->ways[i].needs[k].limit))
				return true;
	return false;
}
