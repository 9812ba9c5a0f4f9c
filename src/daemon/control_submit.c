#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "config/configuration.h"
#include "daemon/commit.h"
#include "daemon/control_job.h"
#include "daemon/control_submit_priv.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/envs.h"
#include "daemon/inputs.h"
#include "daemon/job_check.h"
#include "daemon/jobs.h"
#include "daemon/keys.h"
#include "daemon/scheduler.h"
#include "reeve/task.h"
#include "varlink/json_write.h"

enum { YIELD_EVERY = 1024 }; /* jobs that were made, or published, in one turn */

static void end_claims(struct submit *s, bool taken)
{
	STRV_FOREACH(name, s->inputs)
		inputs_end_claim(s->core->inputs, *name, taken);
	s->inputs = strv_free(s->inputs);
}

static void stop_expecting(struct submit *s)
{
	if (s->n_expected)
		jobs_expect_no_more(s->core->jobs, s->uid, s->n_expected);
	s->n_expected = 0;
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
	submit_drop_env(s);
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

/* of n more jobs; those of calls before, which this one goes on with, count already */
static int check_limits(struct submit *s, size_t n)
{
	const struct config *cf = s->core->config;
	const char *key;
	int64_t max;

	if ((int64_t)n > config_num(cf, SUBMIT_MAX))
		return submit_limit_reached(
			s, "submit-max", config_num(cf, SUBMIT_MAX));
	if (s->n > 0 && (int64_t)(s->n + n) > config_num(cf, GRAPH_MAX))
		return submit_limit_reached(s, "graph-max", config_num(cf, GRAPH_MAX));
	if (job_check_limits(s->core, s->uid, n, &key, &max) < 0)
		return submit_limit_reached(s, key, max);
	return 0;
}

static int record(struct submit *s)
{
	struct store_op *op;
	uint64_t first;
	int r;

	r = jobs_take_ids(s->core->jobs, &first, &s->reserved, (uint32_t)s->n, s->txn);
	if (r >= 0)
		r = control_number_deps(s->jobs, s->n, first);
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n; i++) {
		struct job *j = s->jobs[i];

		j->id = first + i;
		op = txn_add(s->txn, STORE_JOB_INSERT);
		if (!op)
			return -ENOMEM;
		job_record(j, &op->job);
		op->job.spec = j->spec;
		op->job.spec_len = j->spec_len;
		if ((i + 1) % YIELD_EVERY == 0)
			r = rv_yield();
		if (r < 0)
			return r;
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

static void follow_deadline(struct submit *s, const struct job *j)
{
	if (deadlines_add(s->core->deadlines, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: the deadline of job %" PRIu64
			" counts after a restart only",
			j->id);
}

/* All of them are in the table, and linked, before the first is looked at: some wait for
 * others. While others get their turn they are busy: nobody changes or removes them. What is
 * recorded must be shown: no time to be cancelled. */
static void publish_all(struct submit *s)
{
	struct jobs *js = s->core->jobs;

	for (size_t i = 0; i < s->n; i++)
		job_begin(js, s->jobs[i]);
	dependents_link_all(s->core, s->jobs, s->n);
	dep_promises_end(&s->promises);
	for (size_t i = 0; i < s->n; i++) {
		struct job *j = TAKE_PTR(s->jobs[i]);

		follow_deadline(s, j);
		job_end(js, j);
		if ((i + 1) % YIELD_EVERY == 0)
			(void)!rv_yield();
	}
}

/* Memory is short, the rest is there after the next start: it is on disk. Until then none is
 * looked at that waits: it may be for one of the rest. */
static void publish_some(struct submit *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s->jobs[i]->has_deps)
			dependents_link(s->core, s->jobs[i]);
	dep_promises_end(&s->promises);
	for (size_t i = 0; i < n; i++) {
		struct job *j = TAKE_PTR(s->jobs[i]);

		scheduler_place(s->core->scheduler, j);
		follow_deadline(s, j);
	}
}

static int publish(struct submit *s)
{
	uint64_t first = s->jobs[0]->id;
	uint32_t n = (uint32_t)s->n;
	size_t n_added = 0;

	while (n_added < n && jobs_add(s->core->jobs, s->jobs[n_added]) >= 0)
		n_added++;
	if (n_added == n)
		publish_all(s);
	else
		publish_some(s, n_added);
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
		return submit_limit_reached(s, "submit-keys-max",
			config_num(s->core->config, SUBMIT_KEYS_MAX));
	return r;
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
		r = submit_take_context(s, params);
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
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = submit_make_job(s, s->n_before + i, json_array_get(specs, i));
		if (r >= 0 && (i + 1) % YIELD_EVERY == 0)
			r = rv_yield();
	}
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
