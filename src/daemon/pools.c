#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/cpus.h"
#include "daemon/job.h"
#include "daemon/pools.h"
#include "daemon/scheduler.h"

#define KIND "pool"

/* a pool of which something was said at run time */
struct custom {
	char name[POOL_NAME_MAX + 1];
	struct pool_record rec;
};

struct pools {
	struct core *core;
	const struct config *config; /* that was applied last */
	struct hashmap *customs;     /* of struct custom, by name */
	size_t n_added;
	rv_lock changing; /* one change after the other */
};

int pools_new(struct pools **ret, struct core *core)
{
	struct pools *ps = calloc(1, sizeof(*ps));

	if (!ps || hashmap_new(&ps->customs, HASHMAP_STRING) < 0) {
		free(ps);
		return -ENOMEM;
	}
	ps->core = core;
	ps->config = core->config;
	rv_lock_init(&ps->changing);
	*ret = ps;
	return 0;
}

static void custom_free(struct custom *c)
{
	pool_record_deinit(&c->rec);
	free(c);
}

struct pools *pools_free(struct pools *ps)
{
	struct custom *c;

	if (!ps)
		return NULL;
	HASHMAP_FOREACH(c, ps->customs)
		custom_free(c);
	hashmap_free(ps->customs);
	free(ps);
	return NULL;
}

static struct custom *find(const struct pools *ps, const char *name)
{
	return hashmap_get(ps->customs, name);
}

/* Takes the record, also on failure. */
static int keep(struct pools *ps, const char *name, struct pool_record *rec)
{
	struct custom *c = find(ps, name);
	int r;

	if (c) {
		ps->n_added -= c->rec.added;
		pool_record_deinit(&c->rec);
	} else if (!pool_record_is_empty(rec)) {
		c = calloc(1, sizeof(*c));
		if (c)
			snprintf(c->name, sizeof(c->name), "%s", name);
		r = c ? hashmap_put(ps->customs, c->name, c) : -ENOMEM;
		if (r < 0) {
			free(c);
			pool_record_deinit(rec);
			return r;
		}
	}
	if (!c)
		return 0;
	c->rec = *rec;
	*rec = (struct pool_record){.added = false};
	ps->n_added += c->rec.added;
	if (pool_record_is_empty(&c->rec)) {
		hashmap_remove(ps->customs, c->name);
		custom_free(c);
	}
	return 0;
}

/* ---- what holds ---------------------------------------------------------------------- */

const struct config_named *pools_section(const struct pools *ps, const char *name)
{
	return config_find(ps->config, CONFIG_SECTION_POOL, name);
}

const struct pool_record *pools_record(const struct pools *ps, const char *name)
{
	const struct custom *c = find(ps, name);

	return c ? &c->rec : NULL;
}

/* what a pool is where nothing is said at run time; file NULL: the defaults */
static void settings_of_section(
	struct pool_settings *ret, const struct config_named *section)
{
	*ret = (struct pool_settings){.set = {false}};
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		if (config_key_info[k].section != CONFIG_SECTION_POOL)
			continue;
		ret->set[k] = true;
		if (section)
			ret->v[k] = section->v[k];
		else if (config_value_parse(&ret->v[k], (enum config_key)k,
				 config_key_info[k].default_text, NULL) < 0)
			INVARIANT(!"a default that cannot be read");
	}
}

static void lay_over(struct pool_settings *s, const struct pool_settings *over)
{
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (over->set[k])
			s->v[k] = over->v[k];
}

/* A file that came later has taken it over with all it was added with. */
static bool is_taken_over(
	const struct pool_record *rec, const struct config_named *section)
{
	return section && rec->added && pool_settings_are_empty(&rec->basis);
}

bool pools_key_is_set(const struct pools *ps, const char *name, enum config_key key)
{
	const struct config_named *section = pools_section(ps, name);
	const struct custom *c = find(ps, name);

	return c && c->rec.settings.set[key] && (section || !c->rec.added) &&
	       !is_taken_over(&c->rec, section);
}

void pools_settings(const struct pools *ps, const char *name, struct pool_settings *ret)
{
	const struct config_named *section = pools_section(ps, name);
	const struct custom *c = find(ps, name);

	settings_of_section(ret, section);
	if (c && !is_taken_over(&c->rec, section))
		lay_over(ret, &c->rec.settings);
}

/* Bring the scheduler's pool to what holds. 0, -ENOMEM */
static int apply_one(struct pools *ps, const char *name)
{
	struct scheduler *s = ps->core->scheduler;
	const struct custom *c = find(ps, name);
	struct pool_settings settings;
	struct pool *p;
	int64_t slots;
	int r;

	if (!pools_section(ps, name) && !(c && c->rec.added)) {
		p = scheduler_pool(s, name);
		if (p)
			scheduler_pool_gone(s, p);
		return 0;
	}
	pools_settings(ps, name, &settings);
	slots = settings.v[CONFIG_SLOTS].num;
	r = scheduler_set_pool(s, name, slots ? (unsigned)slots : cpus_available());
	if (r < 0)
		return r;
	p = scheduler_pool(s, name);
	r = rate_set(&p->rate, (unsigned)settings.v[CONFIG_RATE].rate.n,
		RV_US(settings.v[CONFIG_RATE].rate.usec));
	if (r < 0)
		return r;
	scheduler_steer_pool(s, p, c && c->rec.paused, c && c->rec.draining);
	return 0;
}

/* does the file still say what it said when something else was set? */
static bool basis_holds(const struct custom *c, const struct config_named *section)
{
	struct pool_settings now;

	settings_of_section(&now, section);
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (c->rec.basis.set[k] && !config_value_equal(&c->rec.basis.v[k],
						   &now.v[k], (enum config_key)k))
			return false;
	return true;
}

static int put_record(struct txn *t, const char *name, const struct pool_record *rec)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	char *own_name = strdup(name), *own_text = NULL;
	bool none = pool_record_is_empty(rec);
	struct store_op *op;
	int r;

	if (!own_name || txn_own(t, own_name) < 0)
		return -ENOMEM;
	r = none ? 0 : pool_record_format(&text, rec);
	if (r >= 0 && !none) {
		own_text = buf_steal_str(&text, NULL);
		r = own_text ? txn_own(t, own_text) : -ENOMEM;
	}
	if (r < 0)
		return r;
	op = txn_add(t, none ? STORE_DEFINITION_REMOVE : STORE_DEFINITION_SET);
	if (!op)
		return -ENOMEM;
	op->definition = (struct store_definition){
		.kind = KIND, .name = own_name, .text = own_text};
	return 0;
}

/* Its section says something else now: what was set at run time is over. */
static void drop_settings(struct pools *ps, struct custom *c)
{
	struct txn *t = txn_new();

	log_at(LOG_NOTICE, "config",
		"the section [pool %s] has changed: what was set at run time is "
		"dropped",
		c->name);
	c->rec.settings = c->rec.basis = (struct pool_settings){.set = {false}};
	if (t && put_record(t, c->name, &c->rec) >= 0)
		committer_post(ps->core->committer, t, COMMIT_MUST, NULL, NULL);
	else
		txn_free(t); /* dropped again by the next daemon */
}

/* The file counts where both define a pool: at a start there is nobody to refuse it to. */
static void look_at_customs(struct pools *ps)
{
	struct custom *c;

	HASHMAP_FOREACH(c, ps->customs) {
		const struct config_named *section = pools_section(ps, c->name);

		if (section && c->rec.added)
			log_at(LOG_ERR, "config",
				"%s:%u: [pool %s] was added at run time, too: what the "
				"file says counts",
				section->origin.file ? section->origin.file : "",
				section->origin.line, c->name);
		if (section && !pool_settings_are_empty(&c->rec.basis) &&
			!basis_holds(c, section))
			drop_settings(ps, c);
		if (pool_record_is_empty(&c->rec)) {
			hashmap_remove(ps->customs, c->name);
			custom_free(c);
		}
	}
}

int pools_apply(struct pools *ps, const struct config *cf)
{
	struct scheduler *s = ps->core->scheduler;
	const struct config_names *pools = &cf->named[CONFIG_SECTION_POOL];
	struct custom *c;
	int r = 0;

	ps->config = cf;
	look_at_customs(ps);
	for (size_t i = 0; i < pools->n && r >= 0; i++)
		r = apply_one(ps, pools->v[i].name);
	HASHMAP_FOREACH(c, ps->customs)
		if (r >= 0)
			r = apply_one(ps, c->name);
	/* its jobs keep it, but nothing starts, as after a restart without its section */
	for (size_t i = 0; i < scheduler_n_pools(s) && r >= 0; i++)
		r = apply_one(ps, scheduler_pool_at(s, i)->name);
	scheduler_forget_pools(s);
	return r < 0 ? r : scheduler_set_resources(s, cf);
}

void pools_check(
	const struct pools *ps, const struct config *cf, struct config_errors *errors)
{
	struct custom *c;

	HASHMAP_FOREACH(c, ps->customs) {
		const struct config_named *section =
			config_find(cf, CONFIG_SECTION_POOL, c->name);

		/* one that the file has taken over already is known */
		if (section && c->rec.added && !pools_section(ps, c->name))
			config_errors_add(errors, section->origin.file,
				section->origin.line,
				"[pool %s] was added at run time, too: reeve pool rm "
				"'%s', or take it out here",
				c->name, c->name);
	}
}

int pools_load(struct pools *ps, const char *name, const char *text)
{
	struct pool_record rec;
	int r = pool_record_parse(&rec, text);

	return r < 0 ? r : keep(ps, name, &rec);
}

/* ---- changes --------------------------------------------------------------------------- */

/* A job failed while a change was being committed: the pool stays paused. 0, -ENOMEM */
static int pause_again(struct pools *ps, const char *name, struct pool_record *rec)
{
	const struct custom *c = find(ps, name);
	struct txn *t;

	free(rec->reason);
	rec->reason = c->rec.reason ? strdup(c->rec.reason) : NULL;
	rec->paused = true;
	t = txn_new();
	if (!t || put_record(t, name, rec) < 0) {
		txn_free(t);
		return -ENOMEM;
	}
	committer_post(ps->core->committer, t, COMMIT_MUST, NULL, NULL);
	return 0;
}

static bool is_paused(const struct pools *ps, const char *name)
{
	const struct custom *c = find(ps, name);

	return c && c->rec.paused;
}

/* Commit what is to be said of a pool from now on, then let it hold. Takes the record. */
static int change(struct pools *ps, const char *name, struct pool_record *rec)
{
	bool was_paused = is_paused(ps, name);
	bool stored = find(ps, name) || !pool_record_is_empty(rec);
	struct txn *t = stored ? txn_new() : NULL;
	int r = 0;

	if (stored)
		r = t ? put_record(t, name, rec) : -ENOMEM;
	if (r >= 0 && t)
		r = committer_commit(ps->core->committer, TAKE_PTR(t), 0);
	txn_free(t);
	if (r >= 0 && !was_paused && !rec->paused && is_paused(ps, name))
		r = pause_again(ps, name, rec);
	if (r < 0) {
		pool_record_deinit(rec);
		return r;
	}
	r = keep(ps, name, rec);
	return r < 0 ? r : apply_one(ps, name);
}

/* 1: *ret is a copy of what is said of it, to be changed, and the lock is held; or error */
static int begin_change(struct pools *ps, const char *name, struct pool_record *ret)
{
	const struct custom *c;
	int r = rv_lock_acquire(&ps->changing);

	if (r < 0)
		return r;
	c = find(ps, name);
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
	struct pool_record rec = {.added = true, .settings = *settings};
	const struct custom *c;
	int r = rv_lock_acquire(&ps->changing);

	if (r < 0)
		return r;
	c = find(ps, name);
	if (pools_section(ps, name) || (c && c->rec.added))
		r = -EEXIST;
	else if ((int64_t)ps->n_added >= config_num(ps->config, POOLS_MAX))
		r = -RV_ELIMIT;
	else
		r = change(ps, name, &rec);
	rv_lock_release(&ps->changing);
	return r;
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
	settings_of_section(&file, pools_section(ps, name));
	if (is_taken_over(&rec, pools_section(ps, name)))
		rec.settings = (struct pool_settings){.set = {false}};
	*ret_changed = false;
	for (int i = 0; i < CONFIG_KEY_N; i++) {
		enum config_key k = (enum config_key)i;

		if (!settings->set[k])
			continue;
		*ret_changed |= !config_value_equal(&settings->v[k], &before.v[k], k);
		rec.settings.v[k] = settings->v[k];
		rec.settings.set[k] = true;
	}
	rec.basis = (struct pool_settings){.set = {false}};
	if (pools_section(ps, name) && !pool_settings_are_empty(&rec.settings))
		rec.basis = file;
	return end_change(ps, name, &rec);
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
		       !is_taken_over(&rec, pools_section(ps, name));
	rec.settings = rec.basis = (struct pool_settings){.set = {false}};
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
		(void)apply_one(ps, name); /* it stays, as it was */
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
	const struct custom *c = find(ps, name);
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
		r = put_record(t, name, &rec);
	if (r >= 0)
		r = keep(ps, name, &rec);
	if (r < 0) {
		pool_record_deinit(&rec);
		txn_free(t);
		return -ENOMEM;
	}
	committer_post(ps->core->committer, t, COMMIT_MUST, NULL, NULL);
	return apply_one(ps, name);
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
