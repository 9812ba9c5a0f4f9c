/* Pools, resources and limits of the scheduler, and what jobs demand of them. */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/strv.h"
#include "config/configuration.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/scheduler_priv.h"
#include "daemon/supervisor.h"

struct pool *scheduler_pool(const struct scheduler *s, const char *name)
{
	return admission_find_pool(&s->admission, name);
}

size_t scheduler_n_pools(const struct scheduler *s)
{
	return s->admission.n_pools;
}

struct pool *scheduler_pool_at(const struct scheduler *s, size_t i)
{
	return s->admission.pools[i];
}

void scheduler_count_pool(const struct scheduler *s, const struct pool *p,
	size_t *ret_unfinished, size_t *ret_queued)
{
	struct demand *d;

	*ret_unfinished = *ret_queued = 0;
	HASHMAP_FOREACH(d, s->admission.demands) {
		if (!job_pools_has(d->pools, p->name))
			continue;
		*ret_unfinished += d->n_refs - d->n_ending;
		*ret_queued += d->ready.n;
	}
}

/* No start that waits may begin under the old limit. */
static void recall_all(struct scheduler *s, const struct pool *p)
{
	if (p->n_ahead == 0)
		return;
	LIST_FOREACH(it, &s->core->active) {
		struct run *run = LIST_ENTRY(it, struct run, active);

		if (run->ahead && run_pool(run) == p)
			run_request_recall(run);
	}
}

int scheduler_set_pool(struct scheduler *s, const char *name, unsigned slots)
{
	struct pool *p;
	int r = admission_pool(&s->admission, name, &p);

	if (r < 0)
		return r;
	p->gone = false;
	if (slots < p->slots.max)
		recall_all(s, p);
	p->slots.max = slots;
	p->functions.max = config_num(s->core->config, FUNCTIONS_MAX);
	scheduler_kick(s);
	return 0;
}

void scheduler_pool_gone(struct scheduler *s, struct pool *p)
{
	if (p->gone)
		return;
	recall_all(s, p);
	p->gone = true;
	p->slots.max = 0;
}

void scheduler_forget_pools(struct scheduler *s)
{
	admission_forget_gone(&s->admission);
}

void scheduler_steer_pool(
	struct scheduler *s, struct pool *p, bool paused, bool draining)
{
	if (paused && !p->paused)
		recall_all(s, p);
	p->paused = paused;
	p->draining = draining;
	scheduler_kick(s);
}

int scheduler_set_resources(struct scheduler *s, const struct config *cf)
{
	const struct config_names *names = &cf->named[CONFIG_SECTION_RESOURCE];

	for (size_t i = 0; i < s->admission.n_resources; i++) {
		s->admission.resources[i]->gone = true;
		s->admission.resources[i]->amount.max = 0;
	}
	for (size_t i = 0; i < names->n; i++) {
		struct resource *res;

		if (admission_resource(&s->admission, names->v[i].name, &res) < 0)
			return -ENOMEM;
		res->gone = false;
		res->amount.max = names->v[i].v[CONFIG_AMOUNT].num;
	}
	scheduler_kick(s);
	return 0;
}

void scheduler_accept_all(struct scheduler *s)
{
	s->admission.demands_max = SIZE_MAX;
}

void scheduler_set_limits(struct scheduler *s, const struct config *cf)
{
	int64_t slots = config_num(cf, SLOTS_MAX);

	s->admission.demands_max = (size_t)config_num(cf, DEMANDS_MAX);
	s->admission.slots.max = slots ? slots : LIMIT_NONE;
	s->admission.memory.max = config_num(cf, MEMORY_MAX);
	for (size_t i = 0; i < s->admission.n_pools; i++)
		s->admission.pools[i]->functions.max = config_num(cf, FUNCTIONS_MAX);
	scheduler_kick(s);
}

/* "gpu=1 tape=2"; NULL: none. The caller's */
static int join_needs(char **ret, char *const *needs)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = 0;

	*ret = NULL;
	if (!needs || !needs[0])
		return 0;
	STRV_FOREACH(need, needs)
		if (r >= 0)
			r = buf_printf(&text, "%s%s", need == needs ? "" : " ", *need);
	if (r < 0)
		return r;
	*ret = buf_steal_str(&text, NULL);
	return *ret ? 0 : -ENOMEM;
}

int scheduler_demand(
	struct scheduler *s, const struct job_spec *spec, struct demand **ret)
{
	_cleanup_free_ char *needs = NULL;
	int r = join_needs(&needs, job_strv(spec, NEED));

	if (r < 0)
		return r;
	return demand_get(&s->admission, ret,
		&(struct demand_spec){
			.pools = job_str(spec, POOL),
			.slots = job_num(spec, SLOTS),
			.memory = job_num(spec, MEMORY),
			.needs = needs,
			.function = job_str(spec, FUNCTION) != NULL,
			.forced = job_num(spec, FORCE),
			.own = job_spec_has(spec, JOB_FIELD_CALLBACK),
			.apart = STREQ(job_str(spec, POOL), SERVICE_POOL),
			.punctual = job_spec_has(spec, JOB_FIELD_SERVICE),
		});
}

struct demand *scheduler_demand_put(struct scheduler *s, struct demand *d)
{
	return demand_put(&s->admission, d);
}
