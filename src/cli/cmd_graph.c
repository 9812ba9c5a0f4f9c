/*
 * `graph`: jobs that wait for one another, as a tree: below each job stand those that wait
 * for it. One that waits for several is shown below the first, and below the others by its
 * name in parentheses.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/select.h"
#include "client/client.h"
#include "job/deps.h"

/* What is deeper begins again at the left: nobody reads a line that begins with a hundred
 * bars. */
#define DEPTH_MAX 24

enum column { COL_JOB, COL_WHEN, COL_STATE, COL_COMMAND };

/* below a job: one that waits for it */
struct below {
	size_t node;
	enum dep_kind kind;
	bool one_of; /* it, or another */
};

struct node {
	const json_t *job; /* of graph.jobs */
	int64_t id;
	struct below *below;
	size_t n_below;
	bool has_above; /* it waits for one that is shown */
	bool shown, again;
};

struct graph {
	const struct cli *c;
	json_t *jobs; /* in the order of ids */
	struct node *nodes;
	size_t n;
	struct table *table;
	int exit_code; /* of an error that was printed */
};

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct graph *g = arg;

	if (reply->error) {
		g->exit_code = cli_fail_reply(g->c, reply->error, reply->params);
		return -ECANCELED;
	}
	return json_array_extend(g->jobs, json_object_get(reply->params, "jobs")) < 0
		       ? -ENOMEM
		       : 0;
}

/* ---- who stands below whom ---------------------------------------------------------- */

static int compare_id(const void *key, const void *member)
{
	const int64_t *id = key;
	const struct node *n = member;

	return (*id > n->id) - (*id < n->id);
}

static int link_nodes(
	struct graph *g, size_t node, int64_t above_id, enum dep_kind kind, bool one_of)
{
	struct node *above =
		bsearch(&above_id, g->nodes, g->n, sizeof(g->nodes[0]), compare_id);
	struct below *v;

	if (!above || above == &g->nodes[node])
		return 0; /* gone, or not for us to see */
	/* grows at every power of two */
	if ((above->n_below & (above->n_below - 1)) == 0) {
		v = reallocarray(above->below, above->n_below ? 2 * above->n_below : 1,
			sizeof(*v));
		if (!v)
			return -ENOMEM;
		above->below = v;
	}
	above->below[above->n_below++] = (struct below){node, kind, one_of};
	g->nodes[node].has_above = true;
	return 0;
}

static int link_list(struct graph *g, size_t node, enum dep_kind kind)
{
	const json_t *list = json_object_get(
		g->nodes[node].job, job_field_info[dep_field[kind]].json_name);
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		const char *at = json_string_value(item);
		bool one_of = at && strchr(at, '|');
		struct dep_ref ref;

		while (dep_ref_next(&ref, &at) > 0)
			if (ref.kind == DEP_REF_ID &&
				link_nodes(g, node, (int64_t)ref.number, kind, one_of) <
					0)
				return -ENOMEM;
	}
	return 0;
}

static int link_all(struct graph *g)
{
	g->n = json_array_size(g->jobs);
	g->nodes = calloc(g->n + 1, sizeof(*g->nodes));
	if (!g->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++) {
		g->nodes[i].job = json_array_get(g->jobs, i);
		g->nodes[i].id = json_int(g->nodes[i].job, "id", 0);
	}
	for (size_t i = 0; i < g->n; i++)
		for (int k = 0; k < DEP_KIND_N; k++)
			if (link_list(g, i, (enum dep_kind)k) < 0)
				return -ENOMEM;
	return 0;
}

/* ---- the tree ----------------------------------------------------------------------- */

static const char *state_of(const json_t *job)
{
	return json_is_set(job, "result") && STREQ(json_str(job, "state"),
						     job_state_name[JOB_FINISHED])
		       ? json_str(job, "result")
		       : json_str(job, "state");
}

/* how it follows on the one above */
static void format_when(char *buf, size_t size, const struct below *how)
{
	static const char *const words[] = {[DEP_AFTER] = "success",
		[DEP_AFTER_ANY] = "end",
		[DEP_AFTER_FAILURE] = "failure"};

	snprintf(buf, size, "%s%s", how ? words[how->kind] : "",
		how && how->one_of ? ", or another" : "");
}

static int add_row(struct graph *g, const struct node *n, const struct below *how,
	struct table_line **line, bool reference)
{
	const char *name = json_str(n->job, "name");
	char text[128], when[48];
	int r;

	snprintf(text, sizeof(text), "%s%" PRId64 "%s%s%s", reference ? "(" : "", n->id,
		*name ? " " : "", name, reference ? ")" : "");
	format_when(when, sizeof(when), how);
	r = table_row_below(g->table, *line, line);
	if (r == 0)
		r = table_cell(g->table, COL_JOB, text, NULL);
	if (r == 0)
		r = table_cell(g->table, COL_WHEN, when, NULL);
	if (r == 0)
		r = table_cell(
			g->table, COL_STATE, reference ? "" : state_of(n->job), NULL);
	return r < 0 ? r
		     : table_cell(g->table, COL_COMMAND,
			       reference ? "" : json_str(n->job, "command"), NULL);
}

static int draw(struct graph *g, struct node *n, const struct below *how,
	struct table_line *above, unsigned depth)
{
	struct table_line *line = above;
	bool reference = n->shown || depth > DEPTH_MAX;
	int r = add_row(g, n, how, &line, reference);

	if (!n->shown && reference)
		n->again = true; /* from the left, when this tree is done */
	if (reference || r < 0)
		return r;
	n->shown = true;
	for (size_t i = 0; r == 0 && i < n->n_below; i++)
		r = draw(g, &g->nodes[n->below[i].node], &n->below[i], line, depth + 1);
	return r;
}

/* those first that wait for nobody; then what was too deep below them */
static int draw_all(struct graph *g)
{
	bool more;
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++)
		if (!g->nodes[i].has_above)
			r = draw(g, &g->nodes[i], NULL, NULL, 0);
	do {
		more = false;
		for (size_t i = 0; r == 0 && i < g->n; i++) {
			if (!g->nodes[i].again || g->nodes[i].shown)
				continue;
			r = draw(g, &g->nodes[i], NULL, NULL, 0);
			more = true;
		}
	} while (more && r == 0);
	return r;
}

static int print_tree(struct graph *g)
{
	static const struct table_column columns[] = {{"JOB", TABLE_TREE}, {"AFTER", 0},
		{"STATE", 0}, {"COMMAND", TABLE_CUT}};
	const struct table_style style = {
		.headings = true, .color = g->c->color_out, .is_tty = g->c->out_is_tty};
	int r = link_all(g);

	if (r == 0)
		r = table_new(&g->table, columns, ARRAY_LEN(columns), &style);
	if (r == 0)
		r = draw_all(g);
	return r < 0 ? r : table_print(g->table, stdout);
}

static int print_json(const struct graph *g)
{
	const json_t *job;
	size_t i;

	json_array_foreach(g->jobs, i, job)
	{
		fputs(i > 0 ? ",\n" : "[", stdout);
		if (json_dumpf(job, stdout, JSON_COMPACT) < 0)
			return -EIO;
	}
	fputs(json_array_size(g->jobs) > 0 ? "]\n" : "[]\n", stdout);
	return 0;
}

static void graph_deinit(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->nodes[i].below);
	free(g->nodes);
	json_decref(g->jobs);
	table_free(g->table);
}

/* 0, or the exit code */
static int fetch(struct graph *g, struct client *client, const struct selection *sel)
{
	/* of more than one selector a graph might be in several parts twice */
	json_t *params = selection_is_absent(sel)
				 ? json_object()
				 : json_pack("{s:o}", "select", selection_json(sel, 0));
	_cleanup_json_ json_t *mine = params;
	int r;

	if (selection_n_chunks(sel) > 1)
		return cli_fail(g->c, CLI_EXIT_USAGE, "graph: too many ids");
	if (!mine || !g->jobs)
		return cli_fail_errno(g->c, -ENOMEM, "graph");
	r = client_call_more(
		client, "io.reeve.Job.Graph", mine, take_page, g, RV_FOREVER);
	if (r == -ECANCELED)
		return g->exit_code;
	return r < 0 ? cli_fail_lost(g->c, r) : 0;
}

int cmd_graph(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	struct graph g = {.c = c, .jobs = json_array()};
	int r;

	r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r == 0)
		r = cli_connect_for(c, &client, &sel);
	if (r == 0)
		r = fetch(&g, client, &sel);
	if (r == 0) {
		r = c->json ? print_json(&g) : print_tree(&g);
		r = r < 0 ? cli_fail_write(c, r) : CLI_EXIT_OK;
	}
	graph_deinit(&g);
	return r;
}
