/* The jobs of a call of Submit: what they may be, their environment, what they ask for. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/configuration.h"
#include "daemon/control_job.h"
#include "daemon/control_submit_priv.h"
#include "daemon/core.h"
#include "daemon/envs.h"
#include "daemon/inputs.h"
#include "daemon/job_check.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"
#include "daemon/spec_json.h"
#include "job/env_filter.h"
#include "varlink/bytes_field.h"

static int refuse_field(struct submit *s, const char *error, size_t i,
	const char *field, const char *message)
{
	json_t *params = json_pack("{s:I, s:s, s:s}", "job", (json_int_t)i, "field",
		field, "message", message ? message : "not possible");

	vl_call_error(s->call, error, params);
	json_decref(params);
	return -EINVAL;
}

int submit_invalid(struct submit *s, size_t i, const char *field, const char *message)
{
	return refuse_field(s, "io.reeve.Job.Invalid", i, field, message);
}

int submit_limit_reached(struct submit *s, const char *key, int64_t max)
{
	reply_error(s->call, "io.reeve.Job.LimitReached",
		"{\"limit\":\"%s\",\"maximum\":%" PRId64 "}", key, max);
	return -EINVAL;
}

static int claim_input(struct submit *s, size_t i, const char *name)
{
	if (inputs_claim(s->core->inputs, name, s->conn->peer.uid) < 0)
		return submit_invalid(s, i, "stdin", "no such input");
	if (strv_append(&s->inputs, name) < 0) {
		inputs_end_claim(s->core->inputs, name, false);
		return -ENOMEM;
	}
	return 0;
}

static int check_spec(struct submit *s, size_t i, const struct job_spec *spec)
{
	const struct job_maker maker = {s->conn->peer.uid, s->conn->is_admin};
	const char *in = job_str(spec, STDIN);
	_cleanup_free_ char *message = NULL;
	enum job_field field;
	int r;

	r = job_spec_check(spec, &field, &message);
	if (r >= 0)
		r = job_check(s->core, spec, &maker, &field, &message);
	if (r == -EACCES)
		return refuse_field(s, "io.reeve.Job.NotPermitted", i,
			job_field_info[field].json_name, message);
	if (r == -EINVAL)
		return submit_invalid(s, i, job_field_info[field].json_name, message);
	if (r < 0)
		return r;
	return strncmp(in, "input:", 6) == 0 ? claim_input(s, i, in + 6) : 0;
}

/* ---- environments ----------------------------------------------------------------------- */

int control_check_env(struct vl_call *call, char *const *env)
{
	char path[32];

	for (size_t i = 0; env && env[i]; i++) {
		const char *eq = strchr(env[i], '=');

		if (eq && eq != env[i])
			continue;
		snprintf(path, sizeof(path), "env[%zu]", i);
		vl_call_invalid(call, path, "not NAME=VALUE");
		return -EINVAL;
	}
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? STREQ(a, b) : a == b;
}

static bool same_strv(char *const *a, char *const *b)
{
	if (!a || !b)
		return strv_len(a) == strv_len(b);
	return strv_equal(a, b);
}

/* what the last environment was filtered by. 0, -ENOMEM: then there is no last one */
static int keep_filters(struct submit *s, const struct job_spec *spec)
{
	char *const *pass = job_strv(spec, ENV_PASS), *const *drop =
							      job_strv(spec, ENV_DROP);
	const char *name = job_str(spec, ENVIRONMENT);

	strv_free(s->last_pass);
	strv_free(s->last_drop);
	free(s->last_environment);
	s->last_pass = pass ? strv_copy(pass) : NULL;
	s->last_drop = drop ? strv_copy(drop) : NULL;
	s->last_environment = name ? strdup(name) : NULL;
	if (!pass == !s->last_pass && !drop == !s->last_drop &&
		!name == !s->last_environment)
		return 0;
	envs_put(s->core->envs, TAKE_PTR(s->last_env));
	return -ENOMEM;
}

/* The caller's through the filters, and over it what the environment gives that the job
 * names. 0, -ENOENT, -ENOMEM */
static int make_env(char ***ret, const struct submit *s, const struct job_spec *spec)
{
	const char *name = job_str(spec, ENVIRONMENT);
	_cleanup_(strv_freep) char **v = NULL;
	int r = env_filter(&v, s->env, job_strv(spec, ENV_PASS),
		job_strv(spec, ENV_DROP), !s->core->system_mode);

	if (r >= 0 && name)
		r = environment_variables(&v, s->core->config, name);
	if (r >= 0)
		*ret = TAKE_PTR(v);
	return r;
}

/* the jobs of one call mostly share one environment: made once */
static int choose_env(
	struct submit *s, struct env_set **ret, const struct job_spec *spec)
{
	const char *name = job_str(spec, ENVIRONMENT);
	char **v;
	int r;

	*ret = NULL;
	if ((!s->env && !name) || job_str(spec, FUNCTION))
		return 0;
	if (!s->last_env || !same_strv(s->last_pass, job_strv(spec, ENV_PASS)) ||
		!same_strv(s->last_drop, job_strv(spec, ENV_DROP)) ||
		!same_text(s->last_environment, name)) {
		r = make_env(&v, s, spec);
		if (r < 0)
			return r;
		if (s->last_env)
			envs_put(s->core->envs, TAKE_PTR(s->last_env));
		r = envs_get(s->core->envs, &s->last_env, v, s->txn);
		strv_free(v);
		if (r == -RV_ELIMIT)
			return submit_limit_reached(s, "environments-max",
				config_num(s->core->config, ENVIRONMENTS_MAX));
		if (r < 0)
			return r;
		r = keep_filters(s, spec);
		if (r < 0)
			return r;
	}
	*ret = env_set_ref(s->last_env);
	return 0;
}

static int choose_demand(struct submit *s, size_t i, const struct job_spec *spec)
{
	int r = scheduler_demand(s->core->scheduler, spec, &s->jobs[i]->demand);

	if (r == -RV_ELIMIT)
		return submit_limit_reached(
			s, "demands-max", config_num(s->core->config, DEMANDS_MAX));
	return r;
}

/* ---- one job ------------------------------------------------------------------------ */

/* one file that the job, or the configuration, names cannot be two */
static int split_output(const struct submit *s, struct job_spec *spec)
{
	const struct job_spec *defaults = &s->core->config->defaults;
	const char *output =
		job_str(job_spec_has(spec, JOB_FIELD_OUTPUT) ? spec : defaults, OUTPUT);

	if (!s->splits || job_spec_has(spec, JOB_FIELD_SPLIT_OUTPUT) ||
		!STREQ(output, "file"))
		return 0;
	return job_spec_put(spec, JOB_FIELD_SPLIT_OUTPUT, (union job_value){.num = 1});
}

int submit_make_job(struct submit *s, size_t i, const json_t *obj)
{
	_cleanup_free_ char *message = NULL;
	struct environment_said said;
	const char *field = NULL;
	struct job_spec spec;
	struct job *j;
	int r;

	r = spec_from_json(&spec, obj, &field, &message);
	if (r == -EINVAL || r == -ERANGE || r == -RV_ELIMIT)
		return submit_invalid(s, i, field, message);
	if (r < 0)
		return r;
	said = environment_said_of(&spec);
	r = split_output(s, &spec);
	if (r >= 0)
		r = job_spec_merge_defaults(&spec, &s->core->config->defaults);
	if (r >= 0)
		r = job_spec_merge_defaults(&spec, &s->caller);
	if (r >= 0)
		r = environment_put(&spec, s->core->config, &said);
	if (r >= 0)
		r = check_spec(s, i, &spec);
	s->resolver.job = (int64_t)i;
	s->resolver.n_jobs = i;
	if (r >= 0)
		r = control_resolve_deps(&s->resolver, &spec);
	if (r >= 0)
		r = job_new(&s->jobs[i], &spec);
	if (r >= 0) {
		j = s->jobs[i];
		j->uid = s->conn->peer.uid;
		j->gid = s->conn->peer.gid;
		j->submitted_usec = clock_wall_usec(s->core->clock);
		r = choose_env(s, &j->env, &spec);
		if (r >= 0)
			r = choose_demand(s, i, &spec);
		job_choose_time(j, s->core->clock);
	}
	job_spec_deinit(&spec);
	return r;
}

/* ---- the caller --------------------------------------------------------------------- */

/* what the caller is for jobs that say nothing: checked as if a job had said it */
static int take_caller(struct submit *s, const json_t *params)
{
	static const char *const members[] = {"cwd", "cwd_b64", "umask"};
	_cleanup_free_ char *message = NULL;
	json_t *obj = json_object();
	const char *field = NULL;
	enum job_field wrong;
	int r = obj ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_LEN(members) && r == 0; i++) {
		json_t *v = json_object_get(params, members[i]);

		if (v && json_object_set(obj, members[i], v) < 0)
			r = -ENOMEM;
	}
	s->splits = json_is_true(json_object_get(params, "split_output"));
	if (r == 0)
		r = spec_from_json(&s->caller, obj, &field, &message);
	json_decref(obj);
	if (r == 0 && job_spec_check_options(&s->caller, &wrong, &message) < 0) {
		field = job_field_info[wrong].json_name;
		r = -EINVAL;
	}
	if (r == -EINVAL || r == -ERANGE || r == -RV_ELIMIT)
		return vl_call_invalid(
			       s->call, field, message ? message : "not possible"),
		       -EINVAL;
	return r;
}

void submit_drop_env(struct submit *s)
{
	if (s->last_env)
		envs_put(s->core->envs, TAKE_PTR(s->last_env));
	s->last_pass = strv_free(s->last_pass);
	s->last_drop = strv_free(s->last_drop);
	free(s->last_environment);
	s->last_environment = NULL;
	s->env = strv_free(s->env);
}

int submit_take_context(struct submit *s, const json_t *params)
{
	struct vl_fault fault;
	int r;

	submit_drop_env(s);
	job_spec_deinit(&s->caller);
	r = vl_get_bytes_array(params, "env", &s->env, &fault);
	if (r == -EINVAL)
		return vl_call_invalid(s->call, fault.path, fault.reason), -EINVAL;
	if (r >= 0)
		r = control_check_env(s->call, s->env);
	return r < 0 ? r : take_caller(s, params);
}
