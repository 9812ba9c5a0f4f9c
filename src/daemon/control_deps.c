#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/strv.h"
#include "config/configuration.h"
#include "daemon/control_deps.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/services.h"
#include "reeve/task.h"

enum {
	YIELD_EVERY = 4096,
	CYCLE_SHOWN_MAX = 16, /* jobs */
};

/* ---- promises ----------------------------------------------------------------------- */

void dep_promises_end(struct dep_promises *p)
{
	for (size_t i = 0; i < p->n; i++)
		dependents_end_promise(p->jobs[i]);
	free(p->jobs);
	*p = (struct dep_promises){.n = 0};
}

int dep_promise(struct core *core, struct dep_promises *p, struct job *on)
{
	int r;

	if (p->n == p->n_max) {
		size_t n = p->n_max ? 2 * p->n_max : 16;
		struct job **v = reallocarray(p->jobs, n, sizeof(struct job *));

		if (!v)
			return -ENOMEM;
		p->jobs = v;
		p->n_max = n;
	}
	r = dependents_promise(core, on);
	if (r >= 0)
		p->jobs[p->n++] = on;
	return r;
}

/* ---- what is wrong ------------------------------------------------------------------ */

int dep_cycle_format(struct buf *out, const struct deps_search *s, const char *end)
{
	size_t n;
	const uint64_t *v = deps_search_cycle(s, &n);
	int r = buf_append_str(out, "a cycle: job ");

	for (size_t i = 0; i < n && i < CYCLE_SHOWN_MAX && r >= 0; i++)
		r = buf_printf(out, "%" PRIu64 " waits for ", v[i]);
	if (r >= 0)
		r = buf_printf(out, "%s%" PRIu64 "%s",
			n > CYCLE_SHOWN_MAX ? "... for " : "", v[0], end);
	return r < 0 ? r : buf_append_byte(out, '\0');
}

void dep_resolver_deinit(struct dep_resolver *rs)
{
	rs->by_name = hashmap_free(rs->by_name);
	rs->n_by_name = 0;
	free(rs->label);
	rs->label = NULL;
	id_list_deinit(&rs->labelled);
}

/* members that say where it stands; NULL: out of memory */
static json_t *place_of(const struct dep_resolver *rs, enum dep_kind kind)
{
	const char *field = job_field_info[dep_field[kind]].json_name;

	return rs->job < 0 ? json_pack("{s:s}", "field", field)
			   : json_pack("{s:I, s:s}", "job", (json_int_t)rs->job,
				     "field", field);
}

static int not_found(const struct dep_resolver *rs, enum dep_kind kind, const char *key,
	const char *name)
{
	json_t *params = place_of(rs, kind);

	if (params)
		json_object_set_new(params, key, json_string(name));
	vl_call_error(rs->call, "io.reeve.Job.NotFound", params);
	json_decref(params);
	return -EINVAL;
}

static int limit_reached(const struct dep_resolver *rs, int64_t max)
{
	reply_error(rs->call, "io.reeve.Job.LimitReached",
		"{\"limit\":\"dependencies-max\",\"maximum\":%" PRId64 "}", max);
	return -EINVAL;
}

/* ---- one list ----------------------------------------------------------------------- */

/* an element that is being put together, and the list that it goes into */
struct target {
	struct dep_resolver *rs;
	struct core *core;
	enum dep_kind kind;
	bool one_of; /* parts of the element are joined by '|' */
	struct buf element;
	struct strv_builder list;
	struct hashmap *seen; /* elements of the list */
	int64_t *n_ids;
};

static int end_element(struct target *t)
{
	char *text;
	int r;

	if (buf_len(&t->element) == 0)
		return 0;
	text = buf_steal_str(&t->element, NULL);
	if (!text)
		return -ENOMEM;
	r = hashmap_put(t->seen, text, t);
	if (r == -EEXIST)
		return free(text), 0;
	if (r < 0)
		return free(text), r;
	return strv_builder_take(&t->list, text);
}

/* '#' or nothing, and a number */
static int add_part(struct target *t, const char *mark, uint64_t number)
{
	int64_t max = config_num(t->core->config, DEPENDENCIES_MAX);
	int r;

	if (++*t->n_ids > max)
		return limit_reached(t->rs, max);
	r = buf_printf(&t->element, "%s%s%" PRIu64, buf_len(&t->element) ? "|" : "",
		mark, number);
	return r < 0 || t->one_of ? r : end_element(t);
}

static int refuse_with(struct target *t, const char *error, const char *message)
{
	json_t *params = place_of(t->rs, t->kind);

	if (params)
		json_object_set_new(params, "message", json_string(message));
	vl_call_error(t->rs->call, error, params);
	json_decref(params);
	return -EINVAL;
}

/* a job that cannot be waited for so */
static int refuse(struct target *t, const char *message)
{
	return refuse_with(t, "io.reeve.Job.Invalid", message);
}

static int refuse_other_user(struct target *t, uint64_t id)
{
	char message[64];

	snprintf(message, sizeof(message), "job %" PRIu64 " belongs to another user",
		id);
	return refuse_with(t, "io.reeve.Job.NotPermitted", message);
}

static int add_job(struct target *t, struct job *on)
{
	int r;

	if (on->of_service && t->kind != DEP_AFTER)
		return refuse(t, "a service has no end to wait for: after waits until "
				 "it is ready");
	r = dep_promise(t->core, t->rs->promises, on);

	return r < 0 ? r : add_part(t, "", on->id);
}

static int add_id(struct target *t, uint64_t id)
{
	struct job *on = jobs_find(t->core->jobs, id);
	json_t *place;

	if (on && !on->leaving) {
		if (control_owns(t->rs->conn, on))
			return add_job(t, on);
		return refuse_other_user(t, id);
	}
	place = place_of(t->rs, t->kind);
	return place ? control_reply_no_such_id(t->rs->conn, t->rs->call, id, place)
		     : -ENOMEM;
}

/* Many jobs of one call may name many others of it: each is looked at once. */
static int index_names(struct dep_resolver *rs)
{
	int r = rs->by_name ? 0 : hashmap_new(&rs->by_name, HASHMAP_STRING);
	char buf[65];

	while (r >= 0 && rs->n_by_name < rs->n_jobs) {
		const char *name = job_name(rs->jobs[rs->n_by_name], buf);
		uintptr_t value = rs->n_by_name + 1;

		if (name)
			r = hashmap_set(rs->by_name, name, (void *)value, NULL);
		if (r >= 0)
			rs->n_by_name++;
	}
	return r;
}

/* Any of its jobs stands for it as a whole (dependents.h). Everybody may wait for it: that it is
 * ready is no secret, and it is the machine's. */
static int add_service(struct target *t, const char *name)
{
	struct job *on = services_job(t->core->services, name);
	char text[128];

	if (on && !on->leaving)
		return add_job(t, on);
	snprintf(text, sizeof(text), "service '%s' has no instance to wait for", name);
	return refuse(t, text);
}

static int add_name(struct target *t, const char *name)
{
	struct dep_resolver *rs = t->rs;
	uintptr_t value;
	struct job *on;
	int r;

	r = index_names(rs);
	if (r < 0)
		return r;
	value = (uintptr_t)hashmap_get(rs->by_name, name);
	if (value)
		return add_part(t, "#", value - 1);
	if (services_is_there(t->core->services, name))
		return add_service(t, name);
	on = jobs_find_name(
		t->core->jobs, rs->conn->peer.uid, !t->core->system_mode, name);
	if (!on || on->leaving)
		return not_found(rs, t->kind, "name", name);
	return add_job(t, on);
}

/* The jobs of the table that carry a label; a long table is gone through in pieces, and each
 * that was found is promised at once. */
static int find_labelled(struct target *t, const char *label)
{
	struct dep_resolver *rs = t->rs;
	struct jobs *jobs = t->core->jobs;
	uint64_t next = 1;
	unsigned n = 0;

	free(rs->label);
	rs->labelled.n = 0;
	rs->label = strdup(label);
	if (!rs->label)
		return -ENOMEM;
	for (struct job *j = jobs_at_or_after(jobs, next); j;
		j = jobs_at_or_after(jobs, next)) {
		int r = 0;

		next = j->id + 1;
		if (!j->leaving &&
			(j->uid == rs->conn->peer.uid || !t->core->system_mode) &&
			job_has_label(j, label)) {
			r = id_list_add(&rs->labelled, j->id);
			if (r >= 0)
				r = dep_promise(t->core, rs->promises, j);
		}
		if (r >= 0 && ++n % YIELD_EVERY == 0)
			r = rv_yield();
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_label(struct target *t, const char *label)
{
	struct dep_resolver *rs = t->rs;
	size_t n_before = (size_t)*t->n_ids;
	int r = 0;

	for (size_t i = 0; i < rs->n_jobs && r >= 0; i++) {
		if (job_has_label(rs->jobs[i], label))
			r = add_part(t, "#", i);
		if (r >= 0 && ++rs->n_looked % YIELD_EVERY == 0)
			r = rv_yield();
	}
	if (r >= 0 && (!rs->label || !STREQ(rs->label, label)))
		r = find_labelled(t, label);
	for (size_t i = 0; i < rs->labelled.n && r >= 0; i++) {
		struct job *on = jobs_find(t->core->jobs, rs->labelled.v[i]);

		/* one that was found for an earlier job of the call may be gone again */
		if (on && !on->leaving)
			r = add_job(t, on);
	}
	if (r >= 0 && n_before == (size_t)*t->n_ids)
		return not_found(rs, t->kind, "label", label);
	return r;
}

static int add_element(struct target *t, const char *element)
{
	struct dep_ref ref;
	int r;

	t->one_of = strchr(element, '|');
	while ((r = dep_ref_next(&ref, &element)) > 0) {
		switch (ref.kind) {
		case DEP_REF_ID: r = add_id(t, ref.number); break;
		case DEP_REF_NAME: r = add_name(t, ref.name); break;
		case DEP_REF_LABEL: r = add_label(t, ref.name); break;
		case DEP_REF_INDEX: r = add_part(t, "#", ref.number); break;
		}
		if (r < 0)
			return r;
	}
	return r < 0 ? r : end_element(t);
}

static int resolve_list(struct dep_resolver *rs, struct job_spec *spec,
	enum dep_kind kind, int64_t *n_ids)
{
	enum job_field f = dep_field[kind];
	struct target t = {.rs = rs,
		.core = control_core(rs->conn->control),
		.kind = kind,
		.n_ids = n_ids};
	union job_value v;
	int r = 0;

	if (strv_len(spec->v[f].strv) == 0) {
		job_spec_unset(spec, f); /* an empty list is none */
		return 0;
	}
	r = hashmap_new(&t.seen, HASHMAP_STRING);
	STRV_FOREACH(element, spec->v[f].strv)
		if (r >= 0)
			r = add_element(&t, *element);
	if (r >= 0)
		r = strv_builder_finish(&t.list, &v.strv);
	if (r >= 0) {
		job_spec_unset(spec, f);
		r = job_spec_put(spec, f, v);
	}
	strv_free(t.list.v);
	buf_deinit(&t.element);
	hashmap_free(t.seen);
	return r;
}

int control_resolve_deps(struct dep_resolver *rs, struct job_spec *spec)
{
	int64_t n_ids = 0;
	int r = 0;

	for (int k = 0; k < DEP_KIND_N && r >= 0; k++)
		r = resolve_list(rs, spec, (enum dep_kind)k, &n_ids);
	return r;
}
