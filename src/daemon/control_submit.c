#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "config/configuration.h"
#include "daemon/app.h"
#include "daemon/asks.h"
#include "daemon/commit.h"
#include "daemon/control_deps.h"
#include "daemon/control_job.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/envs.h"
#include "daemon/functions.h"
#include "daemon/inputs.h"
#include "daemon/jobs.h"
#include "daemon/keys.h"
#include "daemon/scheduler.h"
#include "daemon/spec_json.h"
#include "job/env_filter.h"
#include "reeve/executor.h"
#include "varlink/bytes_field.h"
#include "varlink/json_write.h"

struct submit {
	struct control_conn *conn;
	struct vl_call *call;
	struct core *core;
	uint32_t uid;           /* whose jobs */
	struct submit_key *key; /* NULL: none given */
	char **env;             /* the caller's, unfiltered; NULL: not given */
	struct job_spec caller; /* its cwd and umask, where they were given */
	bool splits;            /* it keeps stdout and stderr apart where it can */
	struct job **jobs;      /* of all calls, the last of which is this one */
	size_t n, n_before;     /* the latter of calls before this one */
	uint32_t n_expected;    /* by jobs_expect */
	uint64_t reserved;      /* ids, by this call's record */
	char **inputs;          /* that its jobs take */
	struct txn *txn;
	/* the environment of the job before, and the filters that made it */
	struct env_set *last_env;
	char **last_pass, **last_drop;
	struct dep_promises promises; /* of its jobs, to those that they wait for */
	struct dep_resolver resolver;
};

/* answered: the caller gets -EINVAL and looks no further */
static int invalid(struct submit *s, size_t i, const char *field, const char *message)
{
	json_t *params = json_pack("{s:I, s:s, s:s}", "job", (json_int_t)i, "field",
		field, "message", message ? message : "not possible");

	vl_call_error(s->call, "io.reeve.Job.Invalid", params);
	json_decref(params);
	return -EINVAL;
}

static void end_claims(struct submit *s, bool taken)
{
	STRV_FOREACH(name, s->inputs)
		inputs_end_claim(s->core->inputs, *name, taken);
	s->inputs = strv_free(s->inputs);
}

static int claim_input(struct submit *s, size_t i, const char *name)
{
	if (inputs_claim(s->core->inputs, name, s->conn->peer.uid) < 0)
		return invalid(s, i, "stdin", "no such input");
	if (strv_append(&s->inputs, name) < 0) {
		inputs_end_claim(s->core->inputs, name, false);
		return -ENOMEM;
	}
	return 0;
}

static void stop_expecting(struct submit *s)
{
	if (s->n_expected)
		jobs_expect_no_more(s->core->jobs, s->uid, s->n_expected);
	s->n_expected = 0;
}

static void drop_env(struct submit *s)
{
	if (s->last_env)
		envs_put(s->core->envs, TAKE_PTR(s->last_env));
	s->last_pass = strv_free(s->last_pass);
	s->last_drop = strv_free(s->last_drop);
	s->env = strv_free(s->env);
}

static struct submit *submit_free(struct submit *s)
{
	if (!s)
		return NULL;
	end_claims(s, false);
	stop_expecting(s);
	dep_promises_end(&s->promises);
	dep_resolver_deinit(&s->resolver);
	for (size_t i = 0; i < s->n && s->jobs; i++) {
		if (s->jobs[i]) {
			envs_put(s->core->envs, s->jobs[i]->env);
			scheduler_demand_put(s->core->scheduler, s->jobs[i]->demand);
		}
		job_free(s->jobs[i]);
	}
	free(s->jobs);
	drop_env(s);
	job_spec_deinit(&s->caller);
	txn_free(s->txn);
	if (s->key)
		key_drop(s->core->keys, s->key);
	free(s);
	return NULL;
}

static struct submit *submit_new(struct control_conn *conn)
{
	struct submit *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->conn = conn;
	s->core = control_core(conn->control);
	s->uid = conn->peer.uid;
	s->resolver = (struct dep_resolver){.conn = conn, .promises = &s->promises};
	job_spec_init(&s->caller);
	s->txn = txn_new();
	return s->txn ? s : submit_free(s);
}

static int limit_reached(struct submit *s, const char *key, int64_t max)
{
	reply_error(s->call, "io.reeve.Job.LimitReached",
		"{\"limit\":\"%s\",\"maximum\":%" PRId64 "}", key, max);
	return -EINVAL;
}

/* ---- what a job may be ------------------------------------------------------------------ */

static int check_function(struct submit *s, size_t i, const struct job_spec *spec)
{
	const struct function *f =
		functions_find(s->core->functions, job_str(spec, FUNCTION));
	_cleanup_free_ char *message = NULL;
	const char *text = job_str(spec, ARGUMENTS);
	json_t *arguments;
	int r = 0;

	if (!f)
		return invalid(s, i, "function",
			"no such function: see reeve varlink io.reeve.Job.Functions");
	if (f->touches_files && s->core->system_mode && s->conn->peer.uid != 0)
		return vl_call_denied(s->call), -EINVAL;
	if (!f->check)
		return 0;
	arguments = text ? json_loads(text, 0, NULL) : json_object();
	if (!arguments)
		return invalid(s, i, "arguments", "not a JSON object");
	r = f->check(arguments, &message);
	json_decref(arguments);
	return r < 0 ? invalid(s, i, "arguments", message) : 0;
}

static int check_spec(struct submit *s, size_t i, const struct job_spec *spec)
{
	_cleanup_free_ char *message = NULL;
	enum job_field field;
	const char *in = job_str(spec, STDIN);
	int r;

	r = job_spec_check(spec, &field, &message);
	if (r == -EINVAL)
		return invalid(s, i, job_field_info[field].json_name, message);
	if (r < 0)
		return r;
	/* a descriptor of root's: a terminal, or a log that others rely on */
	if (STREQ(job_str(spec, OUTPUT), "inherit") && s->core->system_mode &&
		s->conn->peer.uid != 0)
		return invalid(
			s, i, "output", "inherit is only for root in system mode");
	if (job_num(spec, FORCE) && s->core->system_mode && !s->conn->is_admin)
		return invalid(s, i, "force", "only for administrators in system mode");
	r = asks_check(s->core, spec, &field, &message);
	if (r == -EINVAL)
		return invalid(s, i, job_field_info[field].json_name, message);
	if (r < 0)
		return r;
	if (job_str(spec, FUNCTION))
		return check_function(s, i, spec);
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

static bool same_strv(char *const *a, char *const *b)
{
	if (!a || !b)
		return strv_len(a) == strv_len(b);
	return strv_equal(a, b);
}

/* the jobs of one call mostly share one environment: made once */
static int choose_env(
	struct submit *s, struct env_set **ret, const struct job_spec *spec)
{
	char **v;
	int r;

	*ret = NULL;
	if (!s->env || job_str(spec, FUNCTION))
		return 0;
	if (!s->last_env || !same_strv(s->last_pass, job_strv(spec, ENV_PASS)) ||
		!same_strv(s->last_drop, job_strv(spec, ENV_DROP))) {
		r = env_filter(&v, s->env, job_strv(spec, ENV_PASS),
			job_strv(spec, ENV_DROP), !s->core->system_mode);
		if (r < 0)
			return r;
		if (s->last_env)
			envs_put(s->core->envs, TAKE_PTR(s->last_env));
		r = envs_get(s->core->envs, &s->last_env, v, s->txn);
		strv_free(v);
		if (r == -RV_ELIMIT)
			return limit_reached(s, "environments-max",
				config_num(s->core->config, ENVIRONMENTS_MAX));
		if (r < 0)
			return r;
		strv_free(s->last_pass);
		strv_free(s->last_drop);
		s->last_pass = strv_copy(job_strv(spec, ENV_PASS));
		s->last_drop = strv_copy(job_strv(spec, ENV_DROP));
	}
	*ret = env_set_ref(s->last_env);
	return 0;
}

/* ---- what it asks for ------------------------------------------------------------------- */

/* not at once, if it says so */
static void choose_time(struct submit *s, struct job *j)
{
	struct store_job rec = {.state = JOB_QUEUED};

	if (j->state != JOB_QUEUED)
		return;
	job_record_ready(j, s->core->clock, &rec);
	j->state = (uint8_t)rec.state;
	j->due_usec = rec.due_usec;
}

static int choose_demand(struct submit *s, size_t i, const struct job_spec *spec)
{
	int r = scheduler_demand(s->core->scheduler, spec, &s->jobs[i]->demand);

	if (r == -RV_ELIMIT)
		return limit_reached(
			s, "demands-max", config_num(s->core->config, DEMANDS_MAX));
	return r;
}

/* ---- the call --------------------------------------------------------------------------- */

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

static int make_job(struct submit *s, size_t i, const json_t *obj)
{
	_cleanup_free_ char *message = NULL;
	const char *field = NULL;
	struct job_spec spec;
	struct job *j;
	int r;

	r = spec_from_json(&spec, obj, &field, &message);
	if (r == -EINVAL || r == -ERANGE || r == -RV_ELIMIT)
		return invalid(s, i, field, message);
	if (r < 0)
		return r;
	r = split_output(s, &spec);
	if (r >= 0)
		r = job_spec_merge_defaults(&spec, &s->core->config->defaults);
	if (r >= 0)
		r = job_spec_merge_defaults(&spec, &s->caller);
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
		choose_time(s, j);
	}
	job_spec_deinit(&spec);
	return r;
}

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

/* of n more jobs; those of calls before, which this one goes on with, count already */
static int check_limits(struct submit *s, size_t n)
{
	const struct config *cf = s->core->config;
	const struct jobs *jobs = s->core->jobs;

	if ((int64_t)n > config_num(cf, SUBMIT_MAX))
		return limit_reached(s, "submit-max", config_num(cf, SUBMIT_MAX));
	if (s->n > 0 && (int64_t)(s->n + n) > config_num(cf, GRAPH_MAX))
		return limit_reached(s, "graph-max", config_num(cf, GRAPH_MAX));
	if ((int64_t)(jobs_unfinished(jobs) + n) > config_num(cf, JOBS_MAX))
		return limit_reached(s, "jobs-max", config_num(cf, JOBS_MAX));
	if ((int64_t)(jobs_unfinished_of(jobs, s->uid) + n) >
		config_num(cf, JOBS_PER_USER_MAX))
		return limit_reached(
			s, "jobs-per-user-max", config_num(cf, JOBS_PER_USER_MAX));
	return 0;
}

static int record(struct submit *s)
{
	struct store_op *op;
	uint64_t first;
	int r;

	r = jobs_take_ids(s->core->jobs, &first, &s->reserved, (uint32_t)s->n, s->txn);
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n; i++) {
		struct job *j = s->jobs[i];

		j->id = first + i;
		r = control_number_deps(j, first);
		if (r < 0)
			return r;
		op = txn_add(s->txn, STORE_JOB_INSERT);
		if (!op)
			return -ENOMEM;
		job_record(j, &op->job);
		op->job.spec = j->spec;
		op->job.spec_len = j->spec_len;
	}
	if (!s->key)
		return 0;
	op = txn_add(s->txn, STORE_KEY_INSERT);
	if (!op)
		return -ENOMEM;
	s->key->first_id = first;
	s->key->n = (uint32_t)s->n;
	op->key = (struct store_key){.uid = s->key->uid,
		.key = submit_key_name(s->key),
		.first_id = first,
		.n = s->key->n,
		.created_usec = s->key->created_usec};
	return keys_expire(s->core->keys, s->txn);
}

/* ids in a row, from one up to that before end */
static int reply_ids(struct vl_call *call, uint64_t first, uint64_t end)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;
	int r;

	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "ids");
	for (; first < end; first++)
		json_writer_int(&w, NULL, (int64_t)first);
	json_writer_array_end(&w);
	json_writer_object_end(&w);
	r = json_writer_end(&w);
	return r < 0 ? r
		     : vl_call_reply_text(call, buf_head(&text), buf_len(&text), false);
}

/* All of them are in the table before the first is looked at: some wait for others. Where
 * memory is short the rest is there after the next start: it is on disk. */
static int publish(struct submit *s)
{
	uint64_t first = s->jobs[0]->id;
	uint32_t n = (uint32_t)s->n;
	size_t n_added = 0;

	while (n_added < n && jobs_add(s->core->jobs, s->jobs[n_added]) >= 0)
		n_added++;
	for (size_t i = 0; i < n_added; i++)
		if (s->jobs[i]->has_deps)
			dependents_link(s->core, s->jobs[i]);
	dep_promises_end(&s->promises);
	for (size_t i = 0; i < n_added; i++) {
		struct job *j = TAKE_PTR(s->jobs[i]);

		if (j->state == JOB_WAITING && n_added == n)
			dependents_look(s->core->dependents, j);
		scheduler_place(s->core->scheduler, j);
		if (deadlines_add(s->core->deadlines, j) < 0)
			log_at(LOG_ERR, "job",
				"out of memory: the deadline of job %" PRIu64
				" counts after a restart only",
				j->id);
	}
	if (s->key)
		key_commit(s->core->keys, TAKE_PTR(s->key));
	return reply_ids(s->call, first + s->n_before, first + n);
}

static int commit(struct submit *s)
{
	int r = committer_commit(s->core->committer, TAKE_PTR(s->txn), 0);

	stop_expecting(s);
	if (r < 0)
		return r;
	jobs_ids_are_reserved(s->core->jobs, s->reserved);
	end_claims(s, true);
	return publish(s);
}

/* 1: answered with the ids of the first call with that key */
static int begin_key(struct submit *s, const char *key)
{
	int r;

	if (!key)
		return 0;
	if (!key[0] || strlen(key) > SUBMIT_KEY_MAX)
		return vl_call_invalid(s->call, "key", "1 to 128 bytes"), -EINVAL;
	r = keys_begin(s->core->keys, &s->key, s->uid, key);
	if (r > 0) {
		struct submit_key *k = TAKE_PTR(s->key);

		r = reply_ids(s->call, k->first_id + s->n, k->first_id + k->n);
		return r < 0 ? r : 1;
	}
	if (r == -RV_ELIMIT)
		return limit_reached(s, "submit-keys-max",
			config_num(s->core->config, SUBMIT_KEYS_MAX));
	return r;
}

/* the caller's environment, working directory and umask, for the jobs of this call */
static int take_context(struct submit *s, const json_t *params)
{
	struct vl_fault fault;
	int r;

	drop_env(s);
	job_spec_deinit(&s->caller);
	r = vl_get_bytes_array(params, "env", &s->env, &fault);
	if (r == -EINVAL)
		return vl_call_invalid(s->call, fault.path, fault.reason), -EINVAL;
	if (r >= 0)
		r = control_check_env(s->call, s->env);
	return r < 0 ? r : take_caller(s, params);
}

/* The jobs of one call: behind those of the calls before that it goes on with. */
static int take_jobs(struct submit *s, const json_t *params)
{
	const json_t *specs = json_object_get(params, "jobs");
	size_t n = json_array_size(specs);
	struct job **v;
	int r;

	if (n == 0)
		return vl_call_invalid(s->call, "jobs", "empty"), -EINVAL;
	r = check_limits(s, n);
	if (r >= 0)
		r = take_context(s, params);
	if (r < 0)
		return r;
	v = reallocarray(s->jobs, s->n + n, sizeof(struct job *));
	if (!v)
		return -ENOMEM;
	s->jobs = v;
	s->resolver.jobs = v;
	memset(v + s->n, 0, n * sizeof(struct job *));
	r = jobs_expect(s->core->jobs, s->uid, (uint32_t)n);
	if (r < 0)
		return r;
	s->n_expected += (uint32_t)n;
	s->n_before = s->n;
	s->n += n;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = make_job(s, s->n_before + i, json_array_get(specs, i));
	return r;
}

/* *go_on: this was not the last call, and went well */
static int submit(struct submit *s, const json_t *params, bool *go_on)
{
	bool more = json_is_true(json_object_get(params, "more"));
	int r = 0;

	if (scheduler_is_blocked(s->core->scheduler, BLOCK_SHUTDOWN))
		return -RV_ESHUTDOWN;
	if (!more)
		r = begin_key(s, json_string_value(json_object_get(params, "key")));
	if (r != 0)
		return r;
	r = take_jobs(s, params);
	if (r >= 0 && more) {
		*go_on = true;
		return reply_ids(s->call, 0, 0);
	}
	if (r >= 0)
		r = control_check_indexes(
			s->core, s->call, s->jobs, s->n, &s->promises);
	if (r >= 0)
		r = record(s);
	return r < 0 ? r : commit(s);
}

void control_submit_drop(struct control_conn *conn)
{
	conn->graph = submit_free(conn->graph);
}

int control_job_submit(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	json_int_t first = json_integer_value(json_object_get(params, "first"));
	struct submit *s = TAKE_PTR(conn->graph);
	bool go_on = false;
	int r;

	if (first == 0) {
		submit_free(s);
		s = submit_new(conn);
		if (!s)
			return -ENOMEM;
	}
	/* one that another call is busy with is not there either */
	if (!s || first < 0 || s->n != (size_t)first) {
		submit_free(s);
		return vl_call_invalid(call, "first",
			"not the number of jobs in the calls before, which are "
			"dropped");
	}
	s->call = s->resolver.call = call;
	r = submit(s, params, &go_on);
	if (go_on && !conn->lost && !conn->graph)
		conn->graph = TAKE_PTR(s);
	submit_free(s);
	return r == -EINVAL || r == 1 ? 0 : r; /* answered already */
}
