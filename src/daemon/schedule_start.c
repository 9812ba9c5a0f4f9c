/* The job that a schedule submits. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_section.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/envs.h"
#include "daemon/job_environment.h"
#include "daemon/job_make.h"
#include "daemon/login_env.h"
#include "daemon/schedule_look.h"
#include "job/command_expand.h"

/* nobody's environment: what a login would give, in short, and what it is for */
static int put_env(struct job_spec *spec, char ***ret_env, const struct schedules *ss,
	const struct schedule *s, int64_t nominal)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];
	const char *name = user->user.name ? user->user.name : getenv("USER");
	const char *home = user->user.name ? user->user.home : getenv("HOME");
	char usec[24];
	int r;

	if (job_str(spec, FUNCTION))
		return 0;
	snprintf(usec, sizeof(usec), "%" PRId64, nominal);
	r = job_str(spec, ENVIRONMENT)
		    ? job_environment_of_login(ret_env, ss->config, spec, name, home)
		    : login_env_put_all(spec, name, home);
	if (r >= 0)
		r = login_env_put(spec, "REEVE_SCHEDULE", s->name);
	return r < 0 ? r : login_env_put(spec, "REEVE_SCHEDULED_USEC", usec);
}

/* what is in a file has variables; what was added was given as it is */
static int put_expand(struct job_spec *spec, const struct schedule *s)
{
	if (!s->section || !command_has_variables(job_strv(spec, COMMAND)))
		return 0;
	return job_spec_put(spec, JOB_FIELD_EXPAND, (union job_value){.num = 1});
}

/* ret_env: what it starts from; NULL: it names no environment */
static int make_spec(struct job_spec *ret, char ***ret_env, const struct schedules *ss,
	const struct schedule *s, int64_t nominal)
{
	const struct job_spec *said = &schedule_def(s)->job->spec;
	const struct environment_said own = environment_said_of(said);
	int r = config_section_job(ret, said, &ss->config->defaults);

	if (r < 0)
		return r;
	r = environment_put(ret, ss->config, &own);
	if (r >= 0)
		r = put_env(ret, ret_env, ss, s, nominal);
	if (r >= 0)
		r = put_expand(ret, s);
	if (r >= 0 && !job_spec_has(ret, JOB_FIELD_NAME))
		r = job_spec_put_text(ret, JOB_FIELD_NAME, s->name);
	if (r >= 0)
		r = job_spec_put_text(ret, JOB_FIELD_SCHEDULE, s->name);
	if (r >= 0)
		r = job_spec_put(
			ret, JOB_FIELD_SCHEDULED, (union job_value){.num = nominal});
	if (r < 0)
		job_spec_deinit(ret);
	return r;
}

/* What it starts from, in the transaction of the look. 0, -RV_ELIMIT, -ENOMEM */
static int give_env(struct look *l, struct job *j, char *const *env)
{
	return env ? envs_get(l->ss->core->envs, &j->env, env, l->txn) : 0;
}

static int make_with_env(struct look *l, const struct schedule *s,
	const struct job_spec *spec, uint32_t gid, char *const *env, char **ret_message)
{
	struct job **made = &l->made[l->n_made];
	int r = job_make(made, l->ss->core, spec, schedule_uid(s), gid,
		l->n_made - l->n_refused, ret_message);

	if (r < 0)
		return r;
	r = give_env(l, *made, env);
	if (r < 0)
		*made = job_unmake(l->ss->core, *made);
	if (r == -RV_ELIMIT)
		*ret_message = strdup("there is no room for its environment: "
				      "environments-max");
	return r;
}

int schedule_make_job(
	struct look *l, const struct schedule *s, int64_t nominal, char **ret_message)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];
	uint32_t gid = user->user.name ? user->user.gid : (uint32_t)getegid();
	_cleanup_(job_spec_deinit) struct job_spec spec;
	_cleanup_(strv_freep) char **env = NULL;
	enum job_field field;
	int r;

	*ret_message = NULL;
	job_spec_init(&spec);
	r = make_spec(&spec, &env, l->ss, s, nominal);
	if (r < 0) {
		job_spec_init(&spec);
		return r;
	}
	/* the defaults may be others since it was added */
	r = config_schedule_check_job(
		&schedule_def(s)->job->spec, &spec, &field, ret_message);
	if (r >= 0)
		r = make_with_env(l, s, &spec, gid, env, ret_message);
	if (r == -EINVAL || r == -RV_ELIMIT) {
		l->made[l->n_made] = callbacks_make_refused(l->ss->core, &spec,
			schedule_uid(s), gid, *ret_message, l->n_refused);
		l->n_refused += l->made[l->n_made] != NULL;
		if (l->made[l->n_made])
			(void)!give_env(l, l->made[l->n_made], env);
	}
	l->n_made += l->made[l->n_made] != NULL;
	return r;
}
