#include "config/config_schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/strv.h"
#include "base/zone.h"
#include "job/asks.h"

/* ---- expressions ----------------------------------------------------------------------- */

void config_calendars_deinit(struct config_calendars *c)
{
	for (size_t i = 0; i < c->n; i++)
		calendar_free(c->v[i]);
	free(c->v);
	*c = (struct config_calendars){.n = 0};
}

void config_zones_deinit(struct config_zones *zones)
{
	zone_cache_deinit(&zones->named);
	zone_unref(zones->local);
	*zones = (struct config_zones){.local = NULL};
}

static int get_local(struct zone **ret, struct config_zones *zones)
{
	int r;

	if (!zones)
		return zone_load_local(ret);
	r = zones->local ? 0 : zone_load_local(&zones->local);
	if (r >= 0)
		*ret = zone_ref(zones->local);
	return r;
}

int config_calendars_read(struct config_calendars *ret, char *const *when,
	const char *zone, struct config_zones *zones, char **err)
{
	struct zone_cache *named = zones ? &zones->named : NULL;
	_cleanup_(zone_unrefp) struct zone *z = NULL;
	struct config_calendars c = {.n = 0};
	int r = zone ? zone_get(&z, named, zone) : get_local(&z, zones);

	if (r >= 0) {
		c.v = calloc(strv_len(when) + 1, sizeof(*c.v));
		r = c.v ? 0 : -ENOMEM;
	}
	STRV_FOREACH(text, when) {
		if (r >= 0)
			r = calendar_parse(&c.v[c.n], *text, z, named, err);
		c.n += r >= 0;
	}
	if (r < 0) {
		config_calendars_deinit(&c);
		return r == -ENOMEM ? r : -EINVAL;
	}
	*ret = c;
	return 0;
}

int config_zones_fill(struct config_zones *zones, const struct config *cf)
{
	const struct config_names *names = &cf->named[CONFIG_SECTION_SCHEDULE];
	int r = 0;

	for (size_t i = 0; i < names->n && r != -ENOMEM; i++) {
		const union config_value *v = names->v[i].v;
		struct config_calendars calendars;

		r = config_calendars_read(&calendars, v[CONFIG_WHEN].strv,
			v[CONFIG_ZONE].text, zones, NULL);
		if (r >= 0)
			config_calendars_deinit(&calendars);
	}
	return r == -ENOMEM ? r : 0;
}

/* ---- the job --------------------------------------------------------------------------- */

int config_schedule_job(struct job_spec *ret, const struct job_spec *said,
	const struct job_spec *defaults)
{
	_cleanup_free_ void *packed = NULL;
	size_t len;
	int r = job_spec_pack(&packed, &len, said);

	if (r >= 0)
		r = job_spec_unpack(ret, packed, len);
	if (r < 0)
		return r;
	r = job_spec_merge_defaults(ret, defaults);
	if (r < 0)
		job_spec_deinit(ret);
	return r;
}

static int refuse(char **err, const char *text)
{
	*err = strdup(text);
	return *err ? -EINVAL : -ENOMEM;
}

int config_schedule_check_job(const struct job_spec *said, const struct job_spec *spec,
	enum job_field *ret_field, char **err)
{
	static const enum job_field single[] = {JOB_FIELD_AT, JOB_FIELD_DEADLINE,
		JOB_FIELD_AFTER, JOB_FIELD_AFTER_ANY, JOB_FIELD_AFTER_FAILURE};

	for (size_t i = 0; i < ARRAY_LEN(single); i++)
		if (job_spec_has(said, single[i])) {
			*ret_field = single[i];
			return refuse(err, "it is for single jobs, not for a schedule");
		}
	if (strncmp(job_str(spec, STDIN), "input:", 6) == 0) {
		*ret_field = JOB_FIELD_STDIN;
		return refuse(err, "a schedule has no input to bring");
	}
	if (!job_spec_says_work(spec)) {
		*ret_field = JOB_FIELD_COMMAND;
		return refuse(err, "nothing says what to run: command, shell-command "
				   "or function");
	}
	return job_spec_check(spec, ret_field, err);
}

/* ---- sections -------------------------------------------------------------------------- */

struct look {
	const struct config *c;
	const struct config_named *s;
	struct config_errors *errors;
};

/* at the key, else at the section */
static void error_at(struct look *l, const struct config_origin *at, const char *key,
	const char *text)
{
	if (!at->file)
		at = &l->s->origin;
	config_errors_add(l->errors, at->file, at->line, "[schedule %s] %s: %s",
		l->s->name, key, text);
}

static void check_when(struct look *l)
{
	const struct config_origin *at = &l->s->key_origin[CONFIG_WHEN];
	char *const *when = l->s->v[CONFIG_WHEN].strv;
	struct config_calendars calendars;
	_cleanup_free_ char *err = NULL;
	int r;

	if (!when || !when[0]) {
		error_at(l, at, "when", "missing: it says when its jobs start");
		return;
	}
	r = config_calendars_read(
		&calendars, when, l->s->v[CONFIG_ZONE].text, NULL, &err);
	if (r == -ENOMEM)
		l->errors->no_memory = true;
	else if (r < 0)
		error_at(l, at, "when", err ? err : rv_strerror(r));
	else
		config_calendars_deinit(&calendars);
}

static void check_user(struct look *l)
{
	const struct config_origin *at = &l->s->key_origin[CONFIG_USER];
	const union config_value *v = &l->s->v[CONFIG_USER];

	if (!v->user.name && l->c->mode == CONFIG_MODE_SYSTEM)
		error_at(l, at, "user",
			"missing: in system mode it has to be said, root too");
	if (v->user.name && l->c->mode == CONFIG_MODE_USER && v->user.uid != geteuid())
		error_at(l, at, "user",
			"the daemon of a user runs nothing as somebody else");
}

static int check_pool(const char *name, void *arg)
{
	struct look *l = arg;
	char text[128];

	if (config_find(l->c, CONFIG_SECTION_POOL, name))
		return 0;
	snprintf(text, sizeof(text), "there is no [pool %s]", name);
	error_at(l, &l->s->job->origin[JOB_FIELD_POOL], "pool", text);
	return 0;
}

static void check_needs(struct look *l)
{
	STRV_FOREACH(need, job_strv(&l->s->job->spec, NEED)) {
		char name[65], text[128];
		int64_t amount;

		if (job_need_parse(*need, name, &amount) < 0 ||
			config_find(l->c, CONFIG_SECTION_RESOURCE, name))
			continue;
		snprintf(text, sizeof(text), "there is no [resource %s]", name);
		error_at(l, &l->s->job->origin[JOB_FIELD_NEED], "need", text);
	}
}

static void check_job(struct look *l)
{
	const struct job_spec *said = &l->s->job->spec;
	_cleanup_free_ char *err = NULL;
	enum job_field f;
	struct job_spec spec;
	int r = config_schedule_job(&spec, said, &l->c->defaults);

	if (r >= 0) {
		r = config_schedule_check_job(said, &spec, &f, &err);
		job_spec_deinit(&spec);
		if (r == -EINVAL)
			error_at(l, &l->s->job->origin[f], job_field_info[f].key,
				err ? err : "not possible");
	}
	if (r < 0 && r != -EINVAL)
		l->errors->no_memory = true;
	if (job_spec_has(said, JOB_FIELD_POOL))
		job_pools_each(job_str(said, POOL), check_pool, l);
	check_needs(l);
}

void config_check_schedules(struct config *c, struct config_errors *errors)
{
	const struct config_names *names = &c->named[CONFIG_SECTION_SCHEDULE];

	for (size_t i = 0; i < names->n; i++) {
		struct look l = {c, &names->v[i], errors};

		check_when(&l);
		check_user(&l);
		check_job(&l);
	}
}
