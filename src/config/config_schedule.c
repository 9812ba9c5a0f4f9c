#include "config/config_schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/strv.h"
#include "base/zone.h"
#include "config/config_section.h"

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

static int fill_by(struct config_zones *zones, char *const *when, const char *zone)
{
	struct config_calendars calendars;
	int r = config_calendars_read(&calendars, when, zone, zones, NULL);

	if (r >= 0)
		config_calendars_deinit(&calendars);
	return r;
}

int config_zones_fill(struct config_zones *zones, const struct config *cf)
{
	const struct config_names *names = &cf->named[CONFIG_SECTION_SCHEDULE];
	const struct config_names *services = &cf->named[CONFIG_SECTION_SERVICE];
	int r = 0;

	for (size_t i = 0; i < names->n && r != -ENOMEM; i++)
		r = fill_by(zones, names->v[i].v[CONFIG_WHEN].strv,
			names->v[i].v[CONFIG_ZONE].text);
	for (size_t i = 0; i < services->n && r != -ENOMEM; i++)
		if (services->v[i].v[CONFIG_RESTART_AT].strv)
			r = fill_by(
				zones, services->v[i].v[CONFIG_RESTART_AT].strv, NULL);
	return r == -ENOMEM ? r : 0;
}

/* ---- the job --------------------------------------------------------------------------- */

enum { N_OWN_CHECKS = 7 };

/* one of these: 0, -EINVAL, -ENOMEM */
static int own_check(unsigned i, const struct job_spec *said,
	const struct job_spec *spec, enum job_field *ret_field, char **err)
{
	static const enum job_field single[N_OWN_CHECKS - 2] = {JOB_FIELD_AT,
		JOB_FIELD_DEADLINE, JOB_FIELD_AFTER, JOB_FIELD_AFTER_ANY,
		JOB_FIELD_AFTER_FAILURE};

	if (i < ARRAY_LEN(single)) {
		*ret_field = single[i];
		return job_spec_has(said, single[i])
			       ? config_refuse(err,
					 "it is for single jobs, not for a schedule")
			       : 0;
	}
	if (i == ARRAY_LEN(single)) {
		*ret_field = JOB_FIELD_STDIN;
		return strncmp(job_str(spec, STDIN), "input:", 6) == 0
			       ? config_refuse(err, "a schedule has no input to bring")
			       : 0;
	}
	*ret_field = JOB_FIELD_COMMAND;
	return job_spec_says_work(spec)
		       ? 0
		       : config_refuse(err,
				 "nothing says what to run: command, shell-command "
				 "or function");
}

static int check_job(const struct job_spec *said, const struct job_spec *spec,
	unsigned *at, enum job_field *ret_field, char **err)
{
	unsigned next;
	int r = 0;

	*err = NULL;
	while (*at < N_OWN_CHECKS && r >= 0)
		r = own_check((*at)++, said, spec, ret_field, err);
	if (r < 0)
		return r;
	next = *at - N_OWN_CHECKS;
	r = job_spec_check_next(spec, &next, ret_field, err);
	*at = next + N_OWN_CHECKS;
	return r;
}

int config_schedule_check_job(const struct job_spec *said, const struct job_spec *spec,
	enum job_field *ret_field, char **err)
{
	unsigned at = 0;

	return check_job(said, spec, &at, ret_field, err);
}

/* ---- sections -------------------------------------------------------------------------- */

bool config_look_calendar(const struct config_look *l, enum config_key key,
	const char *text, const char *zone)
{
	char *const when[] = {(char *)text, NULL};
	struct config_calendars calendars;
	_cleanup_free_ char *err = NULL;
	bool is_interval;
	int r = config_calendars_read(&calendars, when, zone, NULL, &err);

	if (r == -ENOMEM)
		l->errors->no_memory = true;
	else if (r < 0)
		config_look_error(l, &l->s->key_origin[key], config_key_info[key].key,
			err ? err : rv_strerror(r));
	if (r < 0)
		return false;
	is_interval = calendars.n > 0 &&
		      calendar_kind_of(calendars.v[0]) == CALENDAR_INTERVAL;
	config_calendars_deinit(&calendars);
	return is_interval;
}

static void check_when(const struct config_look *l)
{
	const struct config_origin *at = &l->s->key_origin[CONFIG_WHEN];
	char *const *when = l->s->v[CONFIG_WHEN].strv;

	if (!when || !when[0]) {
		config_look_error(
			l, at, "when", "missing: it says when its jobs start");
		return;
	}
	STRV_FOREACH(one, when)
		config_look_calendar(l, CONFIG_WHEN, *one, l->s->v[CONFIG_ZONE].text);
}

void config_check_schedules(struct config *c, struct config_errors *errors)
{
	const struct config_names *names = &c->named[CONFIG_SECTION_SCHEDULE];

	for (size_t i = 0; i < names->n; i++) {
		struct config_look l = {
			c, &names->v[i], errors, CONFIG_SECTION_SCHEDULE};

		check_when(&l);
		config_look_user(&l, CONFIG_USER);
		config_look_job(&l, config_section_job, check_job);
	}
}
