/* What is changed of pools at run time; see pools.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/commit.h"
#include "daemon/job.h"
#include "daemon/pools_priv.h"
#include "daemon/scheduler.h"

/* ---- changes --------------------------------------------------------------------------- */

/* A job failed while a change was being committed: the pool stays paused. 0, -ENOMEM */
static int pause_again(struct pools *ps, const char *name, struct pool_record *rec)
{
	const struct custom *c = pools_custom(ps, name);
	struct txn *t;

	free(rec->reason);
	rec->reason = c->rec.reason ? strdup(c->rec.reason) : NULL;
	rec->paused = true;
	t = txn_new();
	if (!t || pools_put_record(t, name, rec) < 0) {
		txn_free(t);
		return -ENOMEM;
	}
	committer_post(ps->core->committer, t, COMMIT_MUST, NULL, NULL);
	return 0;
}

static bool is_paused(const struct pools *ps, const char *name)
{
	const struct custom *c = pools_custom(ps, name);

	return c && c->rec.paused;
}

/* Commit what is to be said of a pool from now on, then let it hold. Takes the record. */
static int change(struct pools *ps, const char *name, struct pool_record *rec)
{
	bool was_paused = is_paused(ps, name);
	bool stored = pools_custom(ps, name) || !pool_record_is_empty(rec);
	struct txn *t = stored ? txn_new() : NULL;
	int r = 0;

	if (stored)
		r = t ? pools_put_record(t, name, rec) : -ENOMEM;
	if (r >= 0 && t)
		r = committer_commit(ps->core->committer, TAKE_PTR(t), 0);
	txn_free(t);
	if (r >= 0 && !was_paused && !rec->paused && is_paused(ps, name))
		r = pause_again(ps, name, rec);
	if (r < 0) {
		pool_record_deinit(rec);
		return r;
	}
	r = pools_keep(ps, name, rec);
	return r < 0 ? r : pools_apply_one(ps, name);
}

/* 1: *ret is a copy of what is said of it, to be changed, and the lock is held; or error */
static int begin_change(struct pools *ps, const char *name, struct pool_record *ret)
{
	const struct custom *c;
	int r = rv_lock_acquire(&ps->changing);

	if (r < 0)
		return r;
	c = pools_custom(ps, name);
	*ret = (struct pool_record){.added = false};
	if (!c && !pools_section(ps, name))
		r = -ENOENT;
	else if (c)
		r = pool_record_copy(ret, &c->rec);
	if (r < 0)
		rv_lock_release(&ps->changing);
	return r < 0 ? r : 1;
}

static int end_change(struct pools *ps, const char *name, struct pool_record *rec)
{
	int r = change(ps, name, rec);

	rv_lock_release(&ps->changing);
	return r;
}

int pools_add(struct pools *ps, const char *name, const struct pool_settings *settings)
{
	struct pool_record rec = {.added = true};
	const struct custom *c;
	int r = rv_lock_acquire(&ps->changing);

	if (r < 0)
		return r;
	r = pool_settings_copy(&rec.settings, settings);
	if (r < 0) {
		rv_lock_release(&ps->changing);
		return r;
	}
	c = pools_custom(ps, name);
	if (pools_section(ps, name) || (c && c->rec.added))
		r = -EEXIST;
	else if ((int64_t)ps->n_added >= config_num(ps->config, POOLS_MAX))
		r = -RV_ELIMIT;
	else
		r = change(ps, name, &rec);
	pool_record_deinit(&rec); /* empty where it was taken */
	rv_lock_release(&ps->changing);
	return r;
}

/* the new value of a key, over what was said of it before */
static int set_key(
	struct pool_record *rec, enum config_key k, const union config_value *v)
{
	union config_value own;
	int r = config_value_copy(&own, k, v);

	if (r < 0)
		return r;
	if (rec->settings.set[k])
		config_value_free(&rec->settings.v[k], k);
	rec->settings.v[k] = own;
	rec->settings.set[k] = true;
	return 0;
}

int pools_set(struct pools *ps, const char *name, const struct pool_settings *settings,
	bool *ret_changed)
{
	struct pool_settings before, file;
	struct pool_record rec;
	int r = begin_change(ps, name, &rec);

	if (r < 0)
		return r;
	pools_settings(ps, name, &before);
	pool_settings_of_section(&file, pools_section(ps, name));
	if (pool_is_taken_over(&rec, pools_section(ps, name)))
		pool_settings_deinit(&rec.settings);
	*ret_changed = false;
	for (int i = 0; i < CONFIG_KEY_N && r >= 0; i++) {
		enum config_key k = (enum config_key)i;

		if (!settings->set[k])
			continue;
		*ret_changed |= !config_value_equal(&settings->v[k], &before.v[k], k);
		r = set_key(&rec, k, &settings->v[k]);
	}
	pool_settings_deinit(&rec.basis);
	if (r >= 0 && pools_section(ps, name) &&
		!pool_settings_are_empty(&rec.settings))
		r = pool_settings_copy(&rec.basis, &file);
	if (r >= 0)
		return end_change(ps, name, &rec);
	pool_record_deinit(&rec);
	rv_lock_release(&ps->changing);
	return r;
}

int pools_reset(struct pools *ps, const char *name, bool *ret_changed)
{
	struct pool_record rec;
	int r = begin_change(ps, name, &rec);

	if (r < 0)
		return r;
	if (!pools_section(ps, name)) {
		pool_record_deinit(&rec);
		rv_lock_release(&ps->changing);
		return -EPERM;
	}
	*ret_changed = !pool_settings_are_empty(&rec.settings) &&
		       !pool_is_taken_over(&rec, pools_section(ps, name));
	pool_settings_deinit(&rec.settings);
	pool_settings_deinit(&rec.basis);
	return end_change(ps, name, &rec);
}

int pools_remove(struct pools *ps, const char *name)
{
	size_t n_unfinished = 0, n_queued;
	struct pool_record rec;
	struct pool *p;
	int r = begin_change(ps, name, &rec);

	if (r < 0)
		return r;
	p = scheduler_pool(ps->core->scheduler, name);
	if (p)
		scheduler_count_pool(ps->core->scheduler, p, &n_unfinished, &n_queued);
	if (pools_section(ps, name))
		r = -EPERM;
	else if (n_unfinished > 0)
		r = -EBUSY;
	pool_record_deinit(&rec);
	if (r < 0) {
		rv_lock_release(&ps->changing);
		return r;
	}
	if (p)
		/* nothing new gets in while this is committed */
		p->draining = true;
	r = end_change(ps, name, &rec);
	if (r < 0)
		(void)pools_apply_one(ps, name); /* it stays, as it was */
	else
		scheduler_forget_pools(ps->core->scheduler);
	return r;
}

int pools_steer(
	struct pools *ps, const char *name, enum pool_steer what, bool *ret_changed)
{
	struct pool_record rec;
	bool paused, draining;
	int r = begin_change(ps, name, &rec);

	if (r < 0)
		return r;
	paused = what == POOL_PAUSE || (what == POOL_DRAIN && rec.paused);
	draining = what == POOL_DRAIN || (what == POOL_PAUSE && rec.draining);
	*ret_changed = paused != rec.paused || draining != rec.draining;
	if (what != POOL_DRAIN) {
		free(rec.reason);
		rec.reason = NULL;
	}
	rec.paused = paused;
	rec.draining = draining;
	return end_change(ps, name, &rec);
}

/* ---- pause-on-failure -------------------------------------------------------------------- */

static int pause_for_failure(struct pools *ps, const char *name, const struct job *j)
{
	const struct custom *c = pools_custom(ps, name);
	struct pool_record rec = {.added = false};
	struct txn *t = txn_new();
	int r = t ? 0 : -ENOMEM;

	if (r >= 0 && c)
		r = pool_record_copy(&rec, &c->rec);
	if (r >= 0) {
		free(rec.reason);
		r = asprintf(&rec.reason, "job %" PRIu64 " failed", j->id);
		if (r < 0)
			rec.reason = NULL;
	}
	rec.paused = true;
	if (r >= 0)
		r = pools_put_record(t, name, &rec);
	if (r >= 0)
		r = pools_keep(ps, name, &rec);
	if (r < 0) {
		pool_record_deinit(&rec);
		txn_free(t);
		return -ENOMEM;
	}
	committer_post(ps->core->committer, t, COMMIT_MUST, NULL, NULL);
	return pools_apply_one(ps, name);
}

struct failure {
	struct pools *ps;
	const struct job *job;
};

static int look_at_failure(const char *name, void *arg)
{
	struct failure *f = arg;
	const struct pool_record *rec = pools_record(f->ps, name);
	struct pool_settings settings;

	pools_settings(f->ps, name, &settings);
	if (!settings.v[CONFIG_PAUSE_ON_FAILURE].num || (rec && rec->paused))
		return 0;
	log_at(LOG_NOTICE, "job", "pool '%s' is paused: job %" PRIu64 " failed", name,
		f->job->id);
	if (pause_for_failure(f->ps, name, f->job) < 0)
		log_at(LOG_ERR, "job", "pool '%s' cannot be paused: out of memory",
			name);
	return 0;
}

void pools_job_failed(struct pools *ps, const struct job *j)
{
	struct failure f = {ps, j};

	if (j->demand)
		job_pools_each(j->demand->pools, look_at_failure, &f);
}
