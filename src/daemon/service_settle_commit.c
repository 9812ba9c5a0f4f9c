/* What a look has decided, as a transaction: service_settle.h. */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/failpoint.h"
#include "daemon/envs.h"
#include "daemon/job_make.h"
#include "daemon/jobs.h"
#include "daemon/removal.h"
#include "daemon/scheduler.h"
#include "daemon/service_groups.h"
#include "daemon/service_settle.h"
#include "daemon/service_times.h"

struct settle *settle_new(struct services *ss)
{
	struct settle *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->ss = ss;
	st->txn = txn_new();
	if (st->txn)
		return st;
	free(st);
	return NULL;
}

static void end_change(struct settle *st, struct service_change *c, bool done)
{
	struct core *core = st->ss->core;
	struct job *j = c->job;

	if (done) {
		if (c->demand)
			job_swap_demand(j, &c->demand);
		if (c->spec)
			jobs_respec(core->jobs, j, TAKE_PTR(c->spec), c->spec_len);
		if (c->swaps_env) {
			struct env_set *env = j->env;

			j->env = c->env;
			c->env = env;
		}
		job_publish(core->jobs, j, &c->rec);
	}
	if (done && c->instance) {
		c->instance->again = c->instance->comes_again = false;
		c->instance->has_ended = false;
		c->instance->counts_recorded = false;
		restart_forget(&c->instance->restart);
	}
	scheduler_demand_put(core->scheduler, c->demand);
	envs_put(core->envs, c->env);
	free(c->spec);
	job_end(core->jobs, j);
}

static void end_changes(struct settle *st, bool done)
{
	for (size_t i = 0; i < st->n_changes; i++)
		end_change(st, &st->changes[i], done);
	st->n_changes = 0;
}

struct settle *settle_free(struct settle *st)
{
	if (!st)
		return NULL;
	end_changes(st, false);
	for (size_t i = 0; i < st->n_made; i++)
		job_unmake(st->ss->core, st->made[i]);
	txn_free(st->txn);
	free(st);
	return NULL;
}

static void publish_made(struct settle *st)
{
	for (size_t i = 0; i < st->n_made; i++) {
		st->made_of[i]->job = st->made[i]->id;
		st->made_of[i]->again = false;
		job_make_publish(st->ss->core, st->made[i]);
	}
	st->n_made = 0;
}

/* Of one that is gone now there is nothing left; one that others wait for stays. */
static int forget_gone(struct settle *st)
{
	struct core *core = st->ss->core;
	uint64_t ids[SETTLE_MAX];
	int r;

	if (st->n_gone == 0)
		return 0;
	for (size_t i = 0; i < st->n_gone; i++)
		ids[i] = st->gone[i]->job;
	for (size_t i = 0; i < st->n_gone; i++)
		st->gone[i]->counts_recorded = false;
	r = removal_run(core, ids, st->n_gone);
	for (size_t i = 0; i < st->n_gone; i++)
		if (!jobs_find(core->jobs, ids[i])) {
			st->gone[i]->job = 0;
			service_look_again(st->ss, st->gone[i]->service);
		}
	services_tell_moved(st->ss);
	return r < 0 ? r : 0;
}

static int forget_old_runs(struct settle *st)
{
	int r = 0;

	for (size_t i = 0; i < st->n_pruned && r >= 0; i++) {
		struct instance *in = st->pruned[i];
		const struct job *j = instance_job(st->ss, in);
		uint32_t n;

		if (!j || !in->service->section)
			continue;
		n = j->n_runs - (uint32_t)in->service->section->v[CONFIG_KEEP_RUNS].num;
		r = removal_of_runs(st->ss->core, j->id, n + 1);
		if (r >= 0)
			in->n_forgotten = n;
	}
	return r;
}

int settle_commit(struct settle *st)
{
	struct core *core = st->ss->core;
	uint64_t reserved = 0;
	bool some = st->n_made > 0 || st->n_changes > 0 || st->noted;
	int r = jobs_make_record(core, st->made, st->n_made, &reserved, st->txn);

	FAILPOINT("reeved-before-services-commit");
	if (r >= 0 && some)
		r = committer_commit(core->committer, TAKE_PTR(st->txn), 0);
	if (some)
		FAILPOINT("reeved-services-committed");
	end_changes(st, r >= 0);
	if (r < 0)
		return r;
	jobs_ids_are_reserved(core->jobs, reserved);
	publish_made(st);
	for (size_t i = 0; i < st->n_over; i++)
		group_restart_is_over(st->ss, st->over[i], st->over_plans[i]);
	for (size_t i = 0; i < st->n_due; i++)
		service_is_due(st->ss, st->due[i]);
	if (st->noted) /* a roll may be over, without any job being another */
		services_tell_moved(st->ss);
	r = forget_gone(st);
	return r < 0 ? r : forget_old_runs(st);
}
