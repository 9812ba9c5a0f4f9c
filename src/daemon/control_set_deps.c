/* SetDependencies: what a job waits for is changed before it starts. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/commit.h"
#include "daemon/control_deps.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/supervisor.h"
#include "reeve/task.h"

enum { STEP_NODES = 1024 };

struct change {
	struct control_conn *conn;
	struct vl_call *call;
	struct core *core;
	uint64_t id;
	struct job_spec spec; /* as it will be */
	void *packed;
	size_t packed_len;
	void *read; /* the job's, packed, that it was made of */
	size_t read_len;
	struct dep_promises promises;
};

static int invalid(struct change *c, enum job_field f, const char *message)
{
	json_t *params = json_pack("{s:s, s:s}", "field", job_field_info[f].json_name,
		"message", message ? message : "not possible");

	vl_call_error(c->call, "io.reeve.Job.Invalid", params);
	json_decref(params);
	return -EINVAL;
}

/* -EINVAL: answered. One that was skipped may be retried: it has not started either. */
static int check_state(struct change *c, const struct job *j)
{
	if (j->is_callback)
		return invalid(
			c, JOB_FIELD_AFTER, "it is a callback: it waits for no job");
	if (!j->of_service &&
		(j->state == JOB_HELD || j->state == JOB_WAITING ||
			j->state == JOB_DELAYED || j->state == JOB_QUEUED ||
			(j->state == JOB_FINISHED && j->result == JOB_RESULT_SKIPPED)))
		return 0;
	reply_error(c->call, "io.reeve.Job.WrongState",
		"{\"id\":%" PRIu64 ",\"state\":\"%s\"}", j->id,
		job_state_name[j->state]);
	return -EINVAL;
}

/* until nobody else changes it, nor it waits with the spawner. 0 with *ret */
static int await_job(struct change *c, struct job **ret)
{
	int r = jobs_wait_idle(c->core->jobs, c->id, ret);

	if (r > 0 && (*ret)->run && (*ret)->run->ahead) {
		r = supervisor_recall(c->core, c->id, ret);
		if (r >= 0)
			r = jobs_wait_idle(c->core->jobs, c->id, ret);
	}
	if (r < 0)
		return r;
	return r == 0 ? control_reply_no_such_id(c->conn, c->call, c->id, NULL)
		      : check_state(c, *ret);
}

static int take_list(struct change *c, enum dep_kind kind)
{
	enum job_field f = dep_field[kind];
	const json_t *list =
		json_object_get(vl_call_params(c->call), job_field_info[f].json_name);
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	_cleanup_free_ char *why = NULL;
	union job_value v;
	const json_t *item;
	size_t i;
	int r;

	if (!json_is_array(list))
		return 0;
	json_array_foreach(
		list, i, item) if (strv_builder_add(&b, json_string_value(item)) <
				   0) return -ENOMEM;
	r = strv_builder_finish(&b, &v.strv);
	if (r < 0)
		return r;
	r = job_value_check(&v, f, &why);
	if (r >= 0 && dep_list_kinds(v.strv) >> DEP_REF_INDEX & 1)
		r = -EINVAL;
	if (r < 0) {
		job_value_free(&v, f);
		return r == -ENOMEM ? r : invalid(c, f, why);
	}
	job_spec_unset(&c->spec, f);
	return job_spec_put(&c->spec, f, v);
}

/* the spec as it will be, from that of the job as it is */
static int make_spec(struct change *c, const struct job *j)
{
	struct dep_resolver rs = {
		.conn = c->conn, .call = c->call, .job = -1, .promises = &c->promises};
	int r;

	c->read = malloc(j->spec_len + 1);
	if (!c->read)
		return -ENOMEM;
	memcpy(c->read, j->spec, j->spec_len);
	c->read_len = j->spec_len;
	r = job_spec_get(j, &c->spec);
	if (r < 0)
		return r;
	for (int k = 0; k < DEP_KIND_N && r >= 0; k++)
		r = take_list(c, (enum dep_kind)k);
	if (r >= 0)
		r = control_resolve_deps(&rs, &c->spec);
	if (r >= 0)
		r = job_spec_pack(&c->packed, &c->packed_len, &c->spec);
	dep_resolver_deinit(&rs);
	return r;
}

/* ---- cycles ------------------------------------------------------------------------- */

/* deps_edges_fn: of the table, but of the job itself what it will be */
static int follow(struct deps_search *s, uint64_t node, void *arg)
{
	const struct change *c = arg;
	const struct job *j = jobs_find(c->core->jobs, node);
	const char *at = NULL;
	struct deps_walk w;
	uint64_t id;
	int r = 0;

	if (node == c->id)
		deps_walk_init(&w, c->packed, c->packed_len);
	else if (j && j->has_deps)
		deps_walk_init(&w, j->spec, j->spec_len);
	else
		return 0;
	while (r >= 0 && deps_walk_next_id(&w, &at, &id) > 0)
		r = deps_search_edge(s, id);
	return r;
}

static int reply_cycle(struct change *c, const struct deps_search *s)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = dep_cycle_format(&text, s, "");

	return invalid(c, JOB_FIELD_AFTER, r < 0 ? "a cycle" : buf_head(&text));
}

/* In steps, with the lock of changes: nobody else adds a way from one job of the table to
 * another meanwhile. */
static int check_cycles(struct change *c)
{
	_cleanup_(deps_search_freep) struct deps_search *s = NULL;
	int r = deps_search_new(&s, follow, c);

	if (r >= 0)
		r = deps_search_from(s, c->id);
	while (r >= 0 && (r = deps_search_step(s, STEP_NODES)) == -EAGAIN)
		r = rv_yield();
	return r > 0 ? reply_cycle(c, s) : r;
}

/* ---- the change --------------------------------------------------------------------- */

static int commit(struct change *c, struct job *j)
{
	_cleanup_(txn_freep) struct txn *t = txn_new();
	struct store_job rec;
	int r;

	if (!t)
		return -ENOMEM;
	job_record(j, &rec);
	if (j->state != JOB_HELD && j->state != JOB_FINISHED) {
		if (deps_are_given(c->packed, c->packed_len))
			rec.state = JOB_WAITING;
		else if (j->state == JOB_WAITING)
			job_record_ready(
				j, c->core->clock, &rec); /* not at once, maybe */
	}
	rec.spec = c->packed;
	rec.spec_len = c->packed_len;
	r = job_record_put(t, &rec);
	if (r < 0)
		return r;
	job_begin(c->core->jobs, j);
	r = committer_commit(c->core->committer, TAKE_PTR(t), 0);
	if (r >= 0) {
		dependents_replace_spec(c->core, j, TAKE_PTR(c->packed), c->packed_len);
		job_publish(c->core->jobs, j, &rec);
	}
	job_end(c->core->jobs, j);
	return r;
}

static void start_again(struct change *c)
{
	dep_promises_end(&c->promises);
	job_spec_deinit(&c->spec);
	free(TAKE_PTR(c->packed));
	free(TAKE_PTR(c->read));
}

/* By what it says: another one may have come to the place of that which was read. */
static bool is_as_read(const struct change *c, const struct job *j)
{
	return j->spec_len == c->read_len && memcmp(j->spec, c->read, c->read_len) == 0;
}

/* What was read of the job may have changed while names were looked up and cycles looked
 * for; then all of it is done again. */
static int change(struct change *c)
{
	struct job *j;
	int r;

	for (;;) {
		r = await_job(c, &j);
		if (r < 0)
			return r;
		r = make_spec(c, j);
		if (r >= 0)
			r = check_cycles(c);
		if (r >= 0)
			r = await_job(c, &j);
		if (r < 0)
			return r;
		if (is_as_read(c, j))
			return commit(c, j);
		start_again(c);
	}
}

int control_job_set_dependencies(struct control_conn *conn, struct vl_call *call)
{
	struct change c = {
		.conn = conn, .call = call, .core = control_core(conn->control)};
	rv_lock *lock = dependents_changes(c.core->dependents);
	int r;

	r = select_one(
		&c.id, conn, call, json_object_get(vl_call_params(call), "select"));
	if (r <= 0)
		return r;
	job_spec_init(&c.spec);
	r = rv_lock_acquire(lock);
	if (r < 0)
		return r;
	r = change(&c);
	start_again(&c);
	rv_lock_release(lock);
	if (r >= 0)
		return vl_call_reply_text(call, "{}", 2, false);
	return r == -EINVAL ? 0 : r; /* answered already */
}
