/* Graph: the jobs that hang together by what they wait for. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hashmap.h"
#include "base/id_list.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/job_json.h"
#include "daemon/jobs.h"
#include "reeve/task.h"
#include "varlink/json_write.h"

enum { YIELD_EVERY = 1024 };

struct graph {
	struct control_conn *conn;
	struct core *core;
	struct hashmap *seen;
	struct id_list ids;
	size_t n_told;
};

static int add(struct graph *g, const struct job *j)
{
	int r;

	if (!control_owns(g->conn, j))
		return 0;
	r = hashmap_put_u64(g->seen, j->id, g);
	if (r < 0)
		return r == -EEXIST ? 0 : r;
	return id_list_add(&g->ids, j->id);
}

/* those that it waits for, and those that wait for it */
static int add_neighbours(struct graph *g, const struct job *j)
{
	const struct job_edges *e = j->dependents;
	const char *at = NULL;
	struct deps_walk w;
	uint64_t id;
	int r = 0;

	deps_walk_init(&w, j->spec, j->spec_len);
	while (j->has_deps && r >= 0 && deps_walk_next_id(&w, &at, &id) > 0) {
		const struct job *on = jobs_find(g->core->jobs, id);

		if (on)
			r = add(g, on);
	}
	for (uint32_t i = 0; e && r >= 0 && i < e->n; i++) {
		const struct job *by = jobs_find(g->core->jobs, e->ids[i]);

		if (by && job_waits_for(by, j->id))
			r = add(g, by);
	}
	return r;
}

/* @alone  one that nobody waits for, and that waits for nobody, is a graph too */
static int find(struct graph *g, const struct selection *sel, bool alone)
{
	int r = hashmap_new(&g->seen, HASHMAP_U64);

	for (size_t i = 0; r >= 0 && i < sel->n_ids; i++) {
		const struct job *j = jobs_find(g->core->jobs, sel->ids[i]);

		if (j && (alone || j->has_deps || j->dependents))
			r = add(g, j);
	}
	for (size_t i = 0; r >= 0 && i < g->ids.n; i++) {
		const struct job *j = jobs_find(g->core->jobs, g->ids.v[i]);

		if (j)
			r = add_neighbours(g, j);
		if (r >= 0 && (i + 1) % YIELD_EVERY == 0)
			r = rv_yield();
	}
	return r;
}

static bool put_page(struct json_writer *w, const struct buf *page, void *arg)
{
	struct graph *g = arg;

	json_writer_array(w, "jobs");
	for (; g->n_told < g->ids.n && buf_len(page) < PAGE_BYTES - JOB_BYTES;
		g->n_told++) {
		const struct job *j = jobs_find(g->core->jobs, g->ids.v[g->n_told]);

		if (j)
			job_to_json(w, NULL, g->core, j);
	}
	json_writer_array_end(w);
	return g->n_told < g->ids.n;
}

int control_job_graph(struct control_conn *conn, struct vl_call *call)
{
	struct graph g = {.conn = conn, .core = control_core(conn->control)};
	const json_t *select = json_object_get(vl_call_params(call), "select");
	bool given = select && !json_is_null(select);
	struct selection sel;
	int r;

	r = select_decode(&sel, conn, call, select,
		/* who selects, even all, means finished ones, too */
		json_object_size(select) == 0 ? SELECT_EMPTY_IS_ALL | SELECT_UNFINISHED
					      : 0);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	r = select_resolve(&sel, conn);
	if (r >= 0)
		r = find(&g, &sel, given);
	if (r >= 0) {
		id_list_sort(&g.ids);
		r = control_reply_pages(conn, call, put_page, &g);
	}
	selection_deinit(&sel);
	hashmap_free(g.seen);
	id_list_deinit(&g.ids);
	return r;
}
