#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/parse.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/cpus.h"
#include "daemon/job.h"
#include "daemon/pools_priv.h"
#include "daemon/scheduler.h"
#include "job/asks.h"
#include "job/callback.h"

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

struct custom *pools_custom(const struct pools *ps, const char *name)
{
	return hashmap_get(ps->customs, name);
}

/* Takes the record, also on failure. */
int pools_keep(struct pools *ps, const char *name, struct pool_record *rec)
{
	struct custom *c = pools_custom(ps, name);
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
	const struct custom *c = pools_custom(ps, name);

	return c ? &c->rec : NULL;
}

/* what a pool is where nothing is said at run time; file NULL: the defaults */
void pool_settings_of_section(
	struct pool_settings *ret, const struct config_named *section)
{
	*ret = (struct pool_settings){.set = {false}};
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		if (config_key_info[k].section != CONFIG_SECTION_POOL)
			continue;
		ret->set[k] = true;
		if (section)
			ret->v[k] = section->v[k];
		else if (config_key_info[k].default_text &&
			 config_value_parse(&ret->v[k], (enum config_key)k,
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
bool pool_is_taken_over(
	const struct pool_record *rec, const struct config_named *section)
{
	return section && rec->added && pool_settings_are_empty(&rec->basis);
}

bool pools_key_is_set(const struct pools *ps, const char *name, enum config_key key)
{
	const struct config_named *section = pools_section(ps, name);
	const struct custom *c = pools_custom(ps, name);

	return c && c->rec.settings.set[key] && (section || !c->rec.added) &&
	       !pool_is_taken_over(&c->rec, section);
}

void pools_settings(const struct pools *ps, const char *name, struct pool_settings *ret)
{
	const struct config_named *section = pools_section(ps, name);
	const struct custom *c = pools_custom(ps, name);

	pool_settings_of_section(ret, section);
	if (c && !pool_is_taken_over(&c->rec, section))
		lay_over(ret, &c->rec.settings);
}

/* In system mode nothing runs as nobody in particular: that would be root. */
static bool runs_on_empty(const struct pools *ps, const struct pool_settings *s)
{
	return s->v[CONFIG_ON_EMPTY].text &&
	       (!ps->core->system_mode || s->v[CONFIG_ON_EMPTY_USER].user.name);
}

/* Bring the scheduler's pool to what holds. 0, -ENOMEM */
int pools_apply_one(struct pools *ps, const char *name)
{
	struct scheduler *s = ps->core->scheduler;
	const struct custom *c = pools_custom(ps, name);
	struct pool_settings settings;
	struct pool *p;
	int64_t slots;
	int r;

	if (!name_is_valid(name))
		return 0; /* of the daemon's own */
	if (!pools_section(ps, name) && !(c && c->rec.added)) {
		p = scheduler_pool(s, name);
		if (!p)
			return 0;
		scheduler_pool_gone(s, p);
		p->on_empty = false; /* there is no command any more */
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
	p->on_empty = runs_on_empty(ps, &settings);
	scheduler_steer_pool(s, p, c && c->rec.paused, c && c->rec.draining);
	return 0;
}

/* does the file still say what it said when something else was set? */
static bool basis_holds(const struct custom *c, const struct config_named *section)
{
	struct pool_settings now;

	pool_settings_of_section(&now, section);
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (c->rec.basis.set[k] && !config_value_equal(&c->rec.basis.v[k],
						   &now.v[k], (enum config_key)k))
			return false;
	return true;
}

bool pools_keeps_settings(
	const struct pools *ps, const char *name, const struct config *cf)
{
	const struct custom *c = pools_custom(ps, name);
	const struct config_named *section = config_find(cf, CONFIG_SECTION_POOL, name);

	return c && section && basis_holds(c, section);
}

int pools_put_record(struct txn *t, const char *name, const struct pool_record *rec)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	char *own = NULL;

	if (!pool_record_is_empty(rec)) {
		int r = pool_record_format(&text, rec);

		if (r < 0)
			return r;
		own = buf_steal_str(&text, NULL);
		if (!own)
			return -ENOMEM;
	}
	return txn_define(t, "pool", name, own);
}

/* Its section says something else now: what was set at run time is over. */
static void drop_settings(struct pools *ps, struct custom *c)
{
	struct txn *t = txn_new();

	log_at(LOG_NOTICE, "config",
		"the section [pool %s] has changed: what was set at run time is "
		"dropped",
		c->name);
	pool_settings_deinit(&c->rec.settings);
	pool_settings_deinit(&c->rec.basis);
	if (t && pools_put_record(t, c->name, &c->rec) >= 0)
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
		r = pools_apply_one(ps, pools->v[i].name);
	HASHMAP_FOREACH(c, ps->customs)
		if (r >= 0)
			r = pools_apply_one(ps, c->name);
	/* its jobs keep it, but nothing starts, as after a restart without its section */
	for (size_t i = 0; i < scheduler_n_pools(s) && r >= 0; i++)
		r = pools_apply_one(ps, scheduler_pool_at(s, i)->name);
	scheduler_forget_pools(s);
	if (r >= 0)
		r = scheduler_set_pool(
			s, CALLBACK_POOL, (unsigned)config_num(cf, CALLBACKS_SLOTS));
	if (r >= 0)
		r = scheduler_set_pool(s, SERVICE_POOL, UINT_MAX);
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

/* Who set the command is whom it runs as, and nobody else: not who is named in the file, nor
 * the daemon. */
static void look_for_user(
	const struct pools *ps, const char *name, struct pool_settings *s)
{
	if (!ps->core->system_mode || !s->set[CONFIG_ON_EMPTY] ||
		!s->v[CONFIG_ON_EMPTY].text || s->v[CONFIG_ON_EMPTY_USER].user.name)
		return;
	s->set[CONFIG_ON_EMPTY_USER] = true;
	log_at(LOG_ERR, "config",
		"pool '%s': who set its on-empty is not known any more: it is not run "
		"until 'reeve pool set %s --on-empty' or 'reeve pool reset %s'",
		name, name, name);
}

int pools_load(struct pools *ps, const char *name, const char *text)
{
	struct pool_record rec;
	int r = pool_record_parse(&rec, text);

	if (r < 0)
		return r;
	look_for_user(ps, name, &rec.settings);
	return pools_keep(ps, name, &rec);
}
