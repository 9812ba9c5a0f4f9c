#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "client/paths.h"
#include "config/config_schedule.h"
#include "daemon/app.h"
#include "daemon/app_setup.h"
#include "daemon/control.h"
#include "daemon/envs.h"
#include "daemon/events.h"
#include "daemon/keys.h"
#include "daemon/pools.h"
#include "daemon/retention.h"
#include "daemon/scheduler.h"
#include "daemon/schedules.h"
#include "daemon/service_memory.h"
#include "daemon/service_times.h"
#include "daemon/services.h"
#include "daemon/users.h"

/* what is read once, when the thing it is about is made; numbers all of them */
static const enum config_key needs_restart[] = {
	CONFIG_DURABILITY,
	CONFIG_MESSAGE_MAX,
	CONFIG_CALLS_IN_FLIGHT_MAX,
	CONFIG_EXECUTOR_THREADS,
	CONFIG_EXECUTOR_QUEUE_MAX,
};

int app_config_paths(struct config_paths *ret, const struct app_options *opts)
{
	if (opts->config_file) {
		int r = config_paths_single(ret, opts->config_file);

		if (r >= 0)
			ret->mode = opts->system_mode ? CONFIG_MODE_SYSTEM
						      : CONFIG_MODE_USER;
		return r;
	}
	if (opts->system_mode)
		return config_paths_system(ret);
	return config_paths_user(ret, getenv("XDG_CONFIG_HOME"), getenv("HOME"));
}

bool app_is_admin(const struct app *app, uid_t uid)
{
	for (size_t i = 0; i < app->n_admins; i++)
		if (app->admins[i] == uid)
			return true;
	return false;
}

/* Blocking: name services may ask the network. -ENOENT where one is gone again since the
 * configuration was read, which is logged. */
static int look_up_admins(uid_t **ret, size_t *ret_n, const struct config *cf)
{
	char *const *names = config_strv(cf, ADMINS);
	uid_t *v = calloc(strv_len(names) + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	STRV_FOREACH(name, names) {
		int r = users_find(&v[n], *name);

		if (r == -ENOENT)
			log_at(LOG_ERR, "config", "admins: there is no user '%s'",
				*name);
		if (r < 0) {
			free(v);
			return r;
		}
		n++;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

int app_apply_config(struct app *app, const struct config *cf)
{
	int r;

	if (app->opts.log_level < 0)
		log_set_level(config_log_level(cf));
	r = pools_apply(app->core.pools, cf);
	if (r < 0)
		return r;
	r = events_set_max(app->core.events, (size_t)config_num(cf, EVENTS_MAX));
	if (r < 0)
		return r;
	scheduler_set_limits(app->core.scheduler, cf);
	keys_set_limit(app->core.keys, (size_t)config_num(cf, SUBMIT_KEYS_MAX));
	envs_set_limit(app->core.envs, (size_t)config_num(cf, ENVIRONMENTS_MAX));
	return 0;
}

void app_tell_gone_pools(const struct app *app)
{
	const struct scheduler *s = app->core.scheduler;

	for (size_t i = 0; i < scheduler_n_pools(s); i++) {
		_cleanup_free_ char *text =
			scheduler_pool_problem(s, scheduler_pool_at(s, i));

		if (text)
			log_at(LOG_WARNING, "config", "%s", text);
	}
}

int app_set_admins(struct app *app, const struct config *cf)
{
	uid_t *v;
	size_t n;
	int r;

	r = look_up_admins(&v, &n, cf);
	if (r < 0)
		return r;
	free(app->admins);
	app->admins = v;
	app->n_admins = n;
	return 0;
}

/* ---- reload ------------------------------------------------------------------------------------ */

static int load_in_worker(void *arg)
{
	struct app_load *l = arg;
	int r = config_load(&l->config, &l->paths, l->errors);
	if (r >= 0)
		r = config_zones_fill(&l->zones, l->config);
	return r < 0 ? r : look_up_admins(&l->admins, &l->n_admins, l->config);
}

int app_load_config(struct app *app, struct app_load *l)
{
	int r = app_config_paths(&l->paths, &app->opts);

	/* while they may still be mended, with everything as it was */
	l->paths.looks_at_environments = true;
	return r < 0 ? r : rv_run_blocking(app->core.io, load_in_worker, l);
}

void app_load_deinit(struct app_load *l)
{
	config_paths_deinit(&l->paths);
	config_zones_deinit(&l->zones);
	free(l->admins);
	config_free(l->config);
}

int app_check_names(struct app *app, struct app_load *l)
{
	pools_check(app->core.pools, l->config, l->errors);
	schedules_check(app->core.schedules, l->config, l->errors);
	return l->errors->n > 0 ? -EINVAL : 0;
}

/* also where one says what it is anyway */
static bool same_default(
	const struct config *a, const struct config *b, enum job_field f)
{
	_cleanup_(buf_deinitp) struct buf x = BUF_NULL, y = BUF_NULL;

	if (job_value_format(&x, f, &a->defaults.v[f]) < 0 ||
		job_value_format(&y, f, &b->defaults.v[f]) < 0)
		return false;
	return buf_len(&x) == buf_len(&y) &&
	       memcmp(buf_head(&x), buf_head(&y), buf_len(&x)) == 0;
}

bool app_key_needs_restart(enum config_key k)
{
	for (size_t i = 0; i < ARRAY_LEN(needs_restart); i++)
		if (needs_restart[i] == k)
			return true;
	return false;
}

void app_changes_deinit(struct app_changes *changes)
{
	strv_free(changes->added);
	strv_free(changes->gone);
	strv_free(changes->changed);
	strv_free(changes->restarted);
	strv_free(changes->restart_needed);
}

static int note(char ***list, const char *section, const char *name)
{
	char *text = NULL;

	if (asprintf(&text, "%s.%s", section, name) < 0)
		return -ENOMEM;
	return strv_append_take(list, text);
}

void app_keep_started_with(struct app *app)
{
	for (size_t i = 0; i < ARRAY_LEN(needs_restart); i++)
		app->started_with[needs_restart[i]] =
			app->core.config->v[needs_restart[i]].num;
}

int app_restart_needed(const struct app *app, char ***keys)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(needs_restart) && r >= 0; i++) {
		enum config_key k = needs_restart[i];

		if (app->core.config->v[k].num != app->started_with[k])
			r = note(keys, config_section_name[CONFIG_SECTION_REEVED],
				config_key_info[k].key);
	}
	return r;
}

static int compare_named(const struct config *old, const struct config *cf,
	enum config_section section, struct app_changes *ret)
{
	const char *kind = config_section_name[section];
	int r = 0;

	for (size_t i = 0; i < cf->named[section].n && r >= 0; i++) {
		const struct config_named *now = &cf->named[section].v[i];
		const struct config_named *was = config_find(old, section, now->name);

		if (!was)
			r = note(&ret->added, kind, now->name);
		else if (!config_named_equal(was, now, section))
			r = note(&ret->changed, kind, now->name);
	}
	for (size_t i = 0; i < old->named[section].n && r >= 0; i++)
		if (!config_find(cf, section, old->named[section].v[i].name))
			r = note(&ret->gone, kind, old->named[section].v[i].name);
	return r;
}

static int compare(
	const struct config *old, const struct config *cf, struct app_changes *ret)
{
	const char *kind = config_section_name[CONFIG_SECTION_REEVED];
	int r = 0;

	for (int i = 0; i < CONFIG_KEY_N && r >= 0; i++) {
		enum config_key k = (enum config_key)i;

		if (config_key_info[k].section != CONFIG_SECTION_REEVED ||
			config_value_equal(&old->v[k], &cf->v[k], k))
			continue;
		r = note(&ret->changed, kind, config_key_info[k].key);
	}
	for (int i = CONFIG_SECTION_POOL; i < CONFIG_SECTION_N && r >= 0; i++)
		r = compare_named(old, cf, (enum config_section)i, ret);
	for (int f = 0; f < JOB_FIELD_N && r >= 0; f++)
		if (!job_field_is_ours((enum job_field)f) &&
			!same_default(old, cf, (enum job_field)f))
			r = note(&ret->changed, "defaults", job_field_info[f].key);
	return r;
}

/* All or nothing of what was read, which is taken then. */
static int take_over(struct app *app, struct app_load *l, struct app_changes *ret)
{
	/* not before: another reload may have gone by meanwhile */
	struct config *old = (struct config *)app->core.config;
	int r = app_check_names(app, l);

	if (r < 0)
		return r;
	r = compare(old, l->config, ret);
	if (r >= 0)
		r = app_apply_config(app, l->config);
	if (r >= 0)
		r = schedules_apply(app->core.schedules, l->config, &l->zones);
	if (r >= 0) {
		/* their jobs are checked against what there is, of resources and limits */
		app->core.config = l->config;
		r = services_apply(app->core.services, l->config);
	}
	if (r >= 0)
		r = services_apply_times(app->core.services, &l->zones);
	if (r >= 0)
		r = services_restarting(app->core.services, &ret->restarted);
	if (r < 0) {
		app->core.config = old;
		/* its pointers are ours */
		(void)pools_apply(app->core.pools, old);
		(void)schedules_apply(app->core.schedules, old, &l->zones);
		(void)services_apply(app->core.services, old);
		(void)services_apply_times(app->core.services, &l->zones);
		return r;
	}
	app->core.config = TAKE_PTR(l->config);
	service_memory_changed(app->core.service_memory);
	config_free(old);
	free(app->admins);
	app->admins = TAKE_PTR(l->admins);
	app->n_admins = l->n_admins;
	return 0;
}

/* what was reloaded holds, whatever becomes of this */
static void read_zones_anew(struct app *app, struct config_zones *zones)
{
	int r = schedules_read_anew(app->core.schedules, zones);

	if (r < 0 && r != -ECANCELED)
		log_at(LOG_ERR, "config",
			"not all schedules have read their time zones anew: %s",
			rv_strerror(r));
}

/* the first of what is wrong, malloc'd; NULL: out of memory */
static char *format_refusal(int r, const struct config_errors *errors)
{
	const struct config_error *e = errors->n > 0 ? &errors->v[0] : NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	size_t n_more = errors->n + errors->n_more - 1;
	int k;

	if (!e)
		return strdup(rv_strerror(r));
	if (e->file && e->line > 0)
		k = buf_printf(&text, "%s:%u: %s", e->file, e->line, e->text);
	else
		k = buf_printf(&text, "%s%s%s", e->file ? e->file : "",
			e->file ? ": " : "", e->text);
	if (k >= 0 && n_more > 0)
		k = buf_printf(&text, " (and %zu more)", n_more);
	return k < 0 ? NULL : buf_steal_str(&text, NULL);
}

/* For Status: not where it is only that the daemon ends. */
static void note_outcome(struct app *app, int r, const struct config_errors *errors)
{
	if (r == -ECANCELED)
		return;
	free(app->refused);
	app->is_refused = r < 0;
	app->refused = r < 0 ? format_refusal(r, errors) : NULL;
}

static int reload(
	struct app *app, struct config_errors *errors, struct app_changes *ret)
{
	_cleanup_(app_load_deinit) struct app_load l = {.errors = errors};
	int r = app_load_config(app, &l);

	if (r < 0)
		return r;
	/* a look at what is due may go on: it holds on to what the files say */
	r = schedules_lock(app->core.schedules);
	if (r < 0)
		return r;
	r = services_lock(app->core.services);
	if (r >= 0) {
		r = take_over(app, &l, ret);
		services_unlock(app->core.services);
	}
	if (r >= 0)
		read_zones_anew(app, &l.zones);
	schedules_unlock(app->core.schedules);
	if (r < 0)
		return r;
	control_rights_changed(app->control);
	app_tell_gone_pools(app);
	retention_look(app->core.retention);
	return app_restart_needed(app, &ret->restart_needed);
}

int app_reload(struct app *app, struct config_errors *errors, struct app_changes *ret)
{
	int r;

	*ret = (struct app_changes){.added = NULL};
	r = reload(app, errors, ret);
	note_outcome(app, r, errors);
	return r;
}

/* ---- what a reload would do -------------------------------------------------------------------- */

struct diff {
	const struct config *before, *after;
	config_diff_fn fn;
	void *arg;
};

static int diff_in_worker(void *arg)
{
	const struct diff *d = arg;

	return config_diff(d->before, d->after, d->fn, d->arg);
}

int app_diff(struct app *app, struct config_errors *errors, config_diff_fn fn,
	void *arg, struct config **ret)
{
	_cleanup_(app_load_deinit) struct app_load l = {.errors = errors};
	struct diff d = {.fn = fn, .arg = arg};
	int r = app_load_config(app, &l);

	if (r < 0)
		return r;
	/* so that no reload takes away what is compared */
	r = schedules_lock(app->core.schedules);
	if (r < 0)
		return r;
	d.before = app->core.config;
	d.after = l.config;
	r = app_check_names(app, &l);
	if (r >= 0)
		r = rv_run_blocking(app->core.io, diff_in_worker, &d);
	schedules_unlock(app->core.schedules);
	if (r >= 0)
		*ret = TAKE_PTR(l.config);
	return r;
}
