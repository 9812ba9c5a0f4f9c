#include "config.h"

#include "daemon/job_check.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "config/config_environment.h"
#include "daemon/asks.h"
#include "daemon/core.h"
#include "daemon/functions.h"
#include "daemon/jobs.h"

struct check {
	enum job_field field;
	char *message;
};

PRINTF(4, 5)
static int refuse(
	struct check *c, int error, enum job_field field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&c->message, fmt, ap) < 0)
		c->message = NULL;
	va_end(ap);
	c->field = field;
	return c->message ? error : -ENOMEM;
}

static int check_function(struct check *c, const struct core *core,
	const struct job_spec *spec, uint32_t uid)
{
	const char *name = job_str(spec, FUNCTION), *text = job_str(spec, ARGUMENTS);
	const struct function *f = functions_find(core->functions, name);
	json_t *arguments;
	int r;

	if (!f)
		return refuse(c, -EINVAL, JOB_FIELD_FUNCTION,
			"no such function: '%s' (see reeve varlink "
			"io.reeve.Job.Functions)",
			name);
	if (f->touches_files && core->system_mode && uid != 0)
		return refuse(c, -EACCES, JOB_FIELD_FUNCTION,
			"the function '%s' is only for root in system mode", name);
	if (!f->check)
		return 0;
	arguments = text ? json_loads(text, 0, NULL) : json_object();
	if (!arguments)
		return refuse(c, -EINVAL, JOB_FIELD_ARGUMENTS, "not a JSON object");
	c->field = JOB_FIELD_ARGUMENTS;
	r = f->check(arguments, &c->message);
	json_decref(arguments);
	return r;
}

int job_check_environment(const struct core *core, const struct job_spec *spec,
	const struct job_maker *maker, char **ret_message)
{
	const char *name = job_str(spec, ENVIRONMENT);
	const struct config_named *environment;
	int r;

	if (!name)
		return 0;
	environment = config_find(core->config, CONFIG_SECTION_ENVIRONMENT, name);
	if (!environment) {
		*ret_message = environment_unknown(core->config, name);
		return *ret_message ? -EINVAL : -ENOMEM;
	}
	/* what everybody gets by the defaults everybody may have */
	if (!core->system_mode || maker->is_admin ||
		environment_is_for(environment, maker->uid) ||
		(job_str(&core->config->defaults, ENVIRONMENT) &&
			STREQ(job_str(&core->config->defaults, ENVIRONMENT), name)))
		return 0;
	r = asprintf(ret_message, "'%s' is not for you (users of [environment %s])",
		name, name);
	if (r < 0)
		*ret_message = NULL;
	return r < 0 ? -ENOMEM : -EACCES;
}

static int check(struct check *c, struct core *core, const struct job_spec *spec,
	const struct job_maker *maker)
{
	int r;

	/* a descriptor of root's: a terminal, or a log that others rely on */
	if (STREQ(job_str(spec, OUTPUT), "inherit") && core->system_mode &&
		maker->uid != 0)
		return refuse(c, -EINVAL, JOB_FIELD_OUTPUT,
			"inherit is only for root in system mode");
	if (job_num(spec, FORCE) && core->system_mode && !maker->is_admin)
		return refuse(c, -EINVAL, JOB_FIELD_FORCE,
			"only for administrators in system mode");
	c->field = JOB_FIELD_ENVIRONMENT;
	r = maker->is_section ? 0
			      : job_check_environment(core, spec, maker, &c->message);
	if (r >= 0)
		r = asks_check(core, spec, &c->field, &c->message);
	if (r < 0 || !job_str(spec, FUNCTION))
		return r;
	return check_function(c, core, spec, maker->uid);
}

int job_check(struct core *core, const struct job_spec *spec,
	const struct job_maker *maker, enum job_field *ret_field, char **ret_message)
{
	struct check c = {.message = NULL};
	int r = check(&c, core, spec, maker);

	if (r < 0) {
		*ret_field = c.field;
		*ret_message = c.message;
	}
	return r;
}

int job_check_limits(const struct core *core, uint32_t uid, size_t n,
	const char **ret_key, int64_t *ret_max)
{
	const struct config *cf = core->config;

	if ((int64_t)(jobs_unfinished(core->jobs) + n) > config_num(cf, JOBS_MAX)) {
		*ret_key = "jobs-max";
		*ret_max = config_num(cf, JOBS_MAX);
		return -RV_ELIMIT;
	}
	if ((int64_t)(jobs_unfinished_of(core->jobs, uid) + n) >
		config_num(cf, JOBS_PER_USER_MAX)) {
		*ret_key = "jobs-per-user-max";
		*ret_max = config_num(cf, JOBS_PER_USER_MAX);
		return -RV_ELIMIT;
	}
	return 0;
}
