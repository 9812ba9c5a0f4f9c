#include "config/config_section.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strv.h"
#include "config/config_environment.h"
#include "job/asks.h"

int config_section_job(struct job_spec *ret, const struct job_spec *said,
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

int config_refuse(char **err, const char *text)
{
	*err = strdup(text);
	return *err ? -EINVAL : -ENOMEM;
}

void config_look_error(const struct config_look *l, const struct config_origin *at,
	const char *key, const char *text)
{
	if (!at->file)
		at = &l->s->origin;
	config_errors_add(l->errors, at->file, at->line, "[%s %s] %s: %s",
		config_section_name[l->section], l->s->name, key, text);
}

void config_look_user(const struct config_look *l, enum config_key key)
{
	const struct config_origin *at = &l->s->key_origin[key];
	const union config_value *v = &l->s->v[key];

	if (!v->user.name && l->c->mode == CONFIG_MODE_SYSTEM)
		config_look_error(l, at, "user",
			"missing: in system mode it has to be said, root too");
	if (v->user.name && l->c->mode == CONFIG_MODE_USER && v->user.uid != geteuid())
		config_look_error(l, at, "user",
			"the daemon of a user runs nothing as somebody else");
}

static int look_pool(const char *name, void *arg)
{
	const struct config_look *l = arg;
	char text[128];

	if (config_find(l->c, CONFIG_SECTION_POOL, name))
		return 0;
	snprintf(text, sizeof(text), "there is no [pool %s]", name);
	config_look_error(l, &l->s->job->origin[JOB_FIELD_POOL], "pool", text);
	return 0;
}

static void look_needs(const struct config_look *l)
{
	STRV_FOREACH(need, job_strv(&l->s->job->spec, NEED)) {
		char name[65], text[128];
		int64_t amount;

		if (job_need_parse(*need, name, &amount) < 0 ||
			config_find(l->c, CONFIG_SECTION_RESOURCE, name))
			continue;
		snprintf(text, sizeof(text), "there is no [resource %s]", name);
		config_look_error(l, &l->s->job->origin[JOB_FIELD_NEED], "need", text);
	}
}

static void look_environment(const struct config_look *l)
{
	const struct job_spec *said = &l->s->job->spec;
	const char *name = job_str(said, ENVIRONMENT);
	_cleanup_free_ char *text = NULL;

	if (!name || config_find(l->c, CONFIG_SECTION_ENVIRONMENT, name))
		return;
	text = environment_unknown(l->c, name);
	if (text)
		config_look_error(l, &l->s->job->origin[JOB_FIELD_ENVIRONMENT],
			"environment", text);
	else
		l->errors->no_memory = true;
}

/* 0, -ENOMEM */
static int look_faults(const struct config_look *l, const struct job_spec *spec,
	config_check_job_fn check)
{
	const struct job_spec *said = &l->s->job->spec;
	unsigned at = 0;

	for (;;) {
		_cleanup_free_ char *err = NULL;
		enum job_field f;
		int r = check(said, spec, &at, &f, &err);

		if (r != -EINVAL)
			return r;
		/* one that was given and could not be read was told */
		if (l->s->job->origin[f].file && !job_spec_has(said, f) &&
			l->errors->n > 0)
			continue;
		config_look_error(l, &l->s->job->origin[f], job_field_info[f].key,
			err ? err : "not possible");
	}
}

void config_look_job(
	const struct config_look *l, config_make_job_fn make, config_check_job_fn check)
{
	const struct job_spec *said = &l->s->job->spec;
	struct job_spec spec;
	int r = make(&spec, said, &l->c->defaults);

	if (r >= 0) {
		r = look_faults(l, &spec, check);
		job_spec_deinit(&spec);
	}
	if (r == -RV_ELIMIT)
		config_look_error(l, &l->s->origin, "lists",
			"one has too many elements, with those of [defaults]");
	else if (r < 0)
		l->errors->no_memory = true;
	if (job_spec_has(said, JOB_FIELD_POOL))
		job_pools_each(job_str(said, POOL), look_pool, (void *)l);
	look_needs(l);
	look_environment(l);
}
