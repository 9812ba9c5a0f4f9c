/* Jobs that wait for others of the same call: @K, and whether they wait in a circle. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "daemon/control_deps.h"
#include "daemon/core.h"
#include "reeve/task.h"

enum {
	YIELD_EVERY = 4096,
	TURN_BYTES = 32 * 1024, /* of specs, packed again in one turn */
};

struct indexes {
	struct core *core;
	struct vl_call *call;
	struct job *const *jobs;
	size_t n;
	struct dep_promises *promises;
	unsigned n_looked; /* jobs, and what they wait for */
};

/* others get their turn; 0, -ECANCELED */
static int breathe(struct indexes *x)
{
	return ++x->n_looked % YIELD_EVERY ? 0 : rv_yield();
}

static int invalid(struct vl_call *call, uint64_t job, const char *message)
{
	json_t *params = json_pack("{s:I, s:s, s:s}", "job", (json_int_t)job, "field",
		job_field_info[JOB_FIELD_AFTER].json_name, "message", message);

	vl_call_error(call, "io.reeve.Job.Invalid", params);
	json_decref(params);
	return -EINVAL;
}

/* deps_edges_fn: of a job of the call to others of it, each of which is promised */
static int follow_indexes(struct deps_search *s, uint64_t node, void *arg)
{
	struct indexes *x = arg;
	const struct job *j = x->jobs[node];
	enum dep_kind kind;
	const char *element;
	struct deps_walk w;
	struct dep_ref ref;
	int r = breathe(x);

	deps_walk_init(&w, j->spec, j->spec_len);
	while (r >= 0 && deps_walk_next(&w, &kind, &element) > 0) {
		while ((r = dep_ref_next(&ref, &element)) > 0) {
			if (ref.kind != DEP_REF_INDEX)
				continue;
			if (ref.number >= x->n)
				return invalid(
					x->call, node, "no such job in this call");
			r = dep_promise(x->core, x->promises, x->jobs[ref.number]);
			if (r >= 0)
				r = deps_search_edge(s, ref.number);
			if (r >= 0)
				r = breathe(x);
			if (r < 0)
				return r;
		}
	}
	return r;
}

static int reply_cycle(struct vl_call *call, const struct deps_search *s)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	size_t n;
	const uint64_t *v = deps_search_cycle(s, &n);
	int r = dep_cycle_format(&text, s, " of this call");

	return invalid(call, v[0], r < 0 ? "a cycle" : buf_head(&text));
}

int control_check_indexes(struct core *core, struct vl_call *call,
	struct job *const *jobs, size_t n, struct dep_promises *promises)
{
	_cleanup_(deps_search_freep) struct deps_search *s = NULL;
	struct indexes x = {
		.core = core, .call = call, .jobs = jobs, .n = n, .promises = promises};
	int r = deps_search_new(&s, follow_indexes, &x);

	for (size_t i = 0; i < n && r == 0; i++) {
		if (!jobs[i]->has_deps)
			continue;
		r = deps_search_from(s, i);
		if (r >= 0)
			r = deps_search_step(s, SIZE_MAX);
	}
	return r > 0 ? reply_cycle(call, s) : r;
}

/* "#4|7" with the first id 10: "14|7" */
static int number_element(char **element, uint64_t first)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	const char *at = *element;
	struct dep_ref ref;
	char *text;
	int r;

	while ((r = dep_ref_next(&ref, &at)) > 0) {
		r = buf_printf(&b, "%s%" PRIu64, buf_len(&b) ? "|" : "",
			ref.number + (ref.kind == DEP_REF_INDEX ? first : 0));
		if (r < 0)
			return r;
	}
	text = buf_steal_str(&b, NULL);
	if (!text)
		return -ENOMEM;
	free(*element);
	*element = text;
	return 0;
}

static bool has_index(const struct job *j)
{
	enum dep_kind kind;
	const char *element;
	struct deps_walk w;

	deps_walk_init(&w, j->spec, j->spec_len);
	while (deps_walk_next(&w, &kind, &element) > 0)
		if (strchr(element, '#'))
			return true;
	return false;
}

static int number_deps(struct job *j, uint64_t first)
{
	struct job_spec spec;
	void *packed;
	size_t len;
	int r;

	if (!has_index(j))
		return 0;
	r = job_spec_get(j, &spec);
	if (r < 0)
		return r;
	for (int k = 0; k < DEP_KIND_N; k++)
		for (char **e = spec.v[dep_field[k]].strv; e && *e && r >= 0; e++)
			if (strchr(*e, '#'))
				r = number_element(e, first);
	if (r >= 0)
		r = job_spec_pack(&packed, &len, &spec);
	job_spec_deinit(&spec);
	if (r < 0)
		return r;
	free(j->spec);
	j->spec = packed;
	j->spec_len = (uint32_t)len;
	return 0;
}

int control_number_deps(struct job *const *jobs, size_t n, uint64_t first)
{
	size_t turn = 0;

	for (size_t i = 0; i < n; i++) {
		int r = number_deps(jobs[i], first);

		turn += jobs[i]->spec_len;
		if (r >= 0 && turn >= TURN_BYTES) {
			turn = 0;
			r = rv_yield();
		}
		if (r < 0)
			return r;
	}
	return 0;
}
