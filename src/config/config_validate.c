/* What holds across keys. Each fault is told at the place of the key to change. */
#include <stdlib.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_load.h"
#include "config/config_schedule.h"
#include "config/config_service.h"
#include "config/config_service_deps.h"
#include "config/config_specifiers.h"
#include "job/asks.h"

/*
 * A part may not be larger than its whole. Where only the whole was given the part
 * follows it: someone who wants at most 100 connections should not have to say so
 * twice.
 */
static void check_part(struct config *c, struct config_errors *errors,
	enum config_key part, enum config_key whole)
{
	struct config_origin *at = &c->origin[part];

	if (c->v[part].num <= c->v[whole].num)
		return;
	if (!at->file)
		c->v[part].num = c->v[whole].num;
	else
		config_errors_add(errors, at->file, at->line,
			"%s ('%lld') is more than %s ('%lld')",
			config_key_info[part].key, (long long)c->v[part].num,
			config_key_info[whole].key, (long long)c->v[whole].num);
}

static void check_function(struct config *c, struct config_errors *errors)
{
	const struct config_origin *at = &c->defaults_origin[JOB_FIELD_FUNCTION];
	const char *name = job_str(&c->defaults, FUNCTION), *nearest;

	for (size_t i = 0; name && i < JOB_FUNCTION_N; i++)
		if (STREQ(name, job_function_name[i]))
			return;
	if (!name)
		return;
	nearest = str_nearest(name, job_function_name, JOB_FUNCTION_N);
	config_errors_add(errors, at->file, at->line,
		nearest ? "function: there is no function %s, did you mean '%s'?"
			: "function: there is no function %s%s",
		QUOTED(name), nearest ? nearest : "");
}

struct asks {
	struct config *c;
	struct config_errors *errors;
};

static int check_pool(const char *name, void *arg)
{
	struct asks *a = arg;
	const struct config_origin *at = &a->c->defaults_origin[JOB_FIELD_POOL];

	if (!config_find(a->c, CONFIG_SECTION_POOL, name))
		config_errors_add(a->errors, at->file, at->line,
			"pool: there is no [pool %s]", name);
	return 0;
}

/* pools and resources that all jobs ask for have to be there */
static void check_asks(struct config *c, struct config_errors *errors)
{
	const struct config_origin *at = &c->defaults_origin[JOB_FIELD_NEED];
	struct asks a = {c, errors};

	job_pools_each(job_str(&c->defaults, POOL), check_pool, &a);
	STRV_FOREACH(need, job_strv(&c->defaults, NEED)) {
		char name[65];
		int64_t amount;

		if (job_need_parse(*need, name, &amount) >= 0 &&
			!config_find(c, CONFIG_SECTION_RESOURCE, name))
			config_errors_add(errors, at->file, at->line,
				"need: there is no [resource %s]", name);
	}
}

/* a moment is one job's, not that of all jobs to come */
static void check_moments(struct config *c, struct config_errors *errors)
{
	static const enum job_field fields[] = {JOB_FIELD_AT, JOB_FIELD_DEADLINE};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct config_origin *at = &c->defaults_origin[fields[i]];

		if (job_spec_has(&c->defaults, fields[i]))
			config_errors_add(errors, at->file, at->line,
				"%s: it is for single jobs, not for [defaults]",
				job_field_info[fields[i]].key);
	}
}

static void check_defaults(struct config *c, struct config_errors *errors)
{
	const struct config_origin *at;
	unsigned next = 0;
	enum job_field f;
	char *err;

	while (job_spec_check_next(&c->defaults, &next, &f, &err) < 0) {
		at = &c->defaults_origin[f];
		config_errors_add(errors, at->file, at->line, "%s",
			err ? err : job_field_info[f].key);
		free(err);
	}
	check_function(c, errors);
	check_asks(c, errors);
	check_moments(c, errors);
}

static void check_output(struct config *c, struct config_errors *errors)
{
	const struct config_origin *at = &c->defaults_origin[JOB_FIELD_OUTPUT_MAX];

	/* only what was chosen: a small total is met by removing finished outputs */
	if (at->file && c->origin[CONFIG_OUTPUT_TOTAL_MAX].file &&
		job_num(&c->defaults, OUTPUT_MAX) > config_num(c, OUTPUT_TOTAL_MAX))
		config_errors_add(errors, at->file, at->line,
			"output-max of one run is more than output-total-max");
}

/* as whom a command of the configuration runs has to be said where that may be anybody */
static void check_on_empty(struct config *c, struct config_errors *errors)
{
	const struct config_names *pools = &c->named[CONFIG_SECTION_POOL];

	for (size_t i = 0; i < pools->n; i++) {
		const struct config_named *p = &pools->v[i];
		const struct config_origin *at = &p->key_origin[CONFIG_ON_EMPTY],
					   *user_at =
						   &p->key_origin[CONFIG_ON_EMPTY_USER];
		const union config_value *user = &p->v[CONFIG_ON_EMPTY_USER];

		if (p->v[CONFIG_ON_EMPTY].text && !user->user.name &&
			c->mode == CONFIG_MODE_SYSTEM)
			config_errors_add(errors, at->file, at->line,
				"[pool %s] on-empty-user: missing: in system mode it "
				"has to be said, root too",
				p->name);
		if (user->user.name && c->mode == CONFIG_MODE_USER &&
			user->user.uid != geteuid())
			config_errors_add(errors, user_at->file, user_at->line,
				"[pool %s] on-empty-user: the daemon of a user runs "
				"nothing as somebody else",
				p->name);
	}
}

void config_validate(struct config *c, struct config_errors *errors)
{
	check_part(c, errors, CONFIG_CONNECTIONS_PER_USER_MAX, CONFIG_CONNECTIONS_MAX);
	check_part(c, errors, CONFIG_UNTAKEN_INPUTS_PER_USER_MAX,
		CONFIG_UNTAKEN_INPUTS_MAX);
	check_part(c, errors, CONFIG_JOBS_PER_USER_MAX, CONFIG_JOBS_MAX);
	check_defaults(c, errors);
	check_output(c, errors);
	check_on_empty(c, errors);
	config_check_environments(c, errors);
	config_read_raw(c, errors);
	config_check_schedules(c, errors);
	config_check_services(c, errors);
	config_check_service_deps(c, errors);
}
