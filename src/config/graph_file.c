#include "config/graph_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config_apply.h"
#include "config/config_file.h"
#include "job/deps.h"

#define CYCLE_SHOWN_MAX 16 /* sections */

struct loader {
	struct graph *graph;
	const char *file;
	struct config_errors *errors;
	bool skip; /* keys of a section that was refused */
};

struct graph *graph_free(struct graph *g)
{
	if (!g)
		return NULL;
	for (size_t i = 0; i < g->n; i++) {
		free((char *)g->jobs[i].name);
		job_spec_deinit(&g->jobs[i].spec);
	}
	free(g->jobs);
	hashmap_free(g->by_name);
	free(g);
	return NULL;
}

unsigned graph_line(const struct graph *g, size_t job, const char *json_name)
{
	int f = json_name ? job_field_by_json_name(json_name) : -ENOENT;

	if (f >= 0 && g->jobs[job].field_line[f])
		return g->jobs[job].field_line[f];
	return g->jobs[job].line;
}

/* the place of a section; -ENOENT */
static int64_t section_of(const struct graph *g, const char *name)
{
	uintptr_t place = (uintptr_t)hashmap_get(g->by_name, name);

	return place ? (int64_t)place - 1 : -ENOENT;
}

/* ---- entries ------------------------------------------------------------------------ */

static int add_job(struct loader *l, const struct config_entry *e)
{
	struct graph *g = l->graph;
	struct graph_job *j;
	union job_value name;
	int r;

	if (g->n == g->n_max) {
		size_t n = g->n_max ? 2 * g->n_max : 16;
		struct graph_job *v = reallocarray(g->jobs, n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		g->jobs = v;
		g->n_max = n;
	}
	j = &g->jobs[g->n];
	*j = (struct graph_job){.line = e->line, .name = strdup(e->argument)};
	name.str = strdup(e->argument);
	if (!j->name || !name.str) {
		free((char *)j->name);
		free(name.str);
		return -ENOMEM;
	}
	job_spec_init(&j->spec);
	g->n++; /* graph_free has it from now on */
	r = job_spec_put(&j->spec, JOB_FIELD_NAME, name);
	return r < 0 ? r : hashmap_put(g->by_name, j->name, (void *)(uintptr_t)g->n);
}

static int section_entry(struct loader *l, const struct config_entry *e)
{
	int64_t before;

	l->skip = true;
	if (!e->section)
		return 0; /* its header is bad: reported by the reader */
	if (!STREQ(e->section, "job")) {
		config_errors_add(l->errors, l->file, e->line,
			"unknown section %s: a graph has sections [job NAME]",
			QUOTED(e->section));
		return 0;
	}
	if (!e->argument || !name_is_valid(e->argument)) {
		config_errors_add(l->errors, l->file, e->line,
			e->argument ? "not the name of a job: %s"
				    : "[job] needs a name: [job NAME]%s",
			e->argument ? QUOTED(e->argument) : "");
		return 0;
	}
	before = section_of(l->graph, e->argument);
	if (before >= 0) {
		config_errors_add(l->errors, l->file, e->line,
			"[job %s] is there twice, first in line %u", e->argument,
			l->graph->jobs[before].line);
		return 0;
	}
	l->skip = false;
	return add_job(l, e);
}

static void unknown_key(struct loader *l, const struct config_entry *e)
{
	const char *keys[JOB_FIELD_N], *nearest;

	for (int f = 0; f < JOB_FIELD_N; f++)
		keys[f] = job_field_info[f].key;
	nearest = str_nearest(e->key, keys, JOB_FIELD_N);
	config_errors_add(l->errors, l->file, e->line,
		nearest ? "unknown key '%s', did you mean '%s'?" : "unknown key '%s'%s",
		e->key, nearest ? nearest : "");
}

static int key_entry(struct loader *l, const struct config_entry *e)
{
	struct graph_job *j = &l->graph->jobs[l->graph->n - 1];
	int f = job_field_by_key(e->key);
	_cleanup_free_ char *err = NULL;
	union job_value v;
	int r;

	if (f < 0) {
		unknown_key(l, e);
		return 0;
	}
	if (j->field_line[f] && !job_type_appends(job_field_info[f].type)) {
		config_errors_add(l->errors, l->file, e->line,
			"%s is given twice, first in line %u", e->key,
			j->field_line[f]);
		return 0;
	}
	j->field_line[f] = e->line;
	if (!*e->value) {
		job_spec_unset(&j->spec, (enum job_field)f);
		return 0;
	}
	r = config_job_value_parse(&v, (enum job_field)f, e->value, &err);
	if (r >= 0)
		r = job_spec_put(&j->spec, (enum job_field)f, v);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		config_errors_add(l->errors, l->file, e->line, "%s: %s", e->key,
			err ? err : rv_strerror(r));
	return 0;
}

static int entry(const struct config_entry *e, void *arg)
{
	struct loader *l = arg;

	if (!e->key)
		return section_entry(l, e);
	return l->skip ? 0 : key_entry(l, e);
}

/* ---- what holds over all ------------------------------------------------------------ */

/* names of sections in an element become their places */
static int place_element(const struct graph *g, char **element)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	const char *part = *element;
	char *text;
	int r = 0;

	while (*part && r >= 0) {
		size_t n = strcspn(part, "|");
		_cleanup_free_ char *name = strndup(part, n);
		int64_t place = name ? section_of(g, name) : -ENOMEM;

		if (place == -ENOMEM)
			return -ENOMEM;
		if (place >= 0)
			r = buf_printf(&out, "#%" PRId64, place);
		else
			r = buf_append(&out, part, n);
		part += n;
		if (r >= 0 && *part)
			r = buf_append(&out, part++, 1);
	}
	text = r < 0 ? NULL : buf_steal_str(&out, NULL);
	if (!text)
		return -ENOMEM;
	free(*element);
	*element = text;
	return 0;
}

static int place_deps(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++)
		for (int k = 0; k < DEP_KIND_N; k++) {
			char **v = g->jobs[i].spec.v[dep_field[k]].strv;

			for (; v && *v; v++)
				if (place_element(g, v) < 0)
					return -ENOMEM;
		}
	return 0;
}

/* deps_edges_fn */
static int follow(struct deps_search *s, uint64_t node, void *arg)
{
	const struct graph *g = arg;
	int r = 0;

	for (int k = 0; k < DEP_KIND_N; k++)
		STRV_FOREACH(element, g->jobs[node].spec.v[dep_field[k]].strv) {
			const char *at = *element;
			struct dep_ref ref;

			while (r >= 0 && dep_ref_next(&ref, &at) > 0)
				if (ref.kind == DEP_REF_INDEX)
					r = deps_search_edge(s, ref.number);
		}
	return r;
}

/* the line in which a job says that it waits for another of the file */
static unsigned line_of_edge(const struct graph *g, uint64_t from)
{
	for (int k = 0; k < DEP_KIND_N; k++)
		if (g->jobs[from].field_line[dep_field[k]] &&
			dep_list_kinds(g->jobs[from].spec.v[dep_field[k]].strv) >>
					DEP_REF_INDEX &
				1)
			return g->jobs[from].field_line[dep_field[k]];
	return g->jobs[from].line;
}

static int tell_cycle(struct loader *l, const struct deps_search *s)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	const struct graph *g = l->graph;
	size_t n;
	const uint64_t *v = deps_search_cycle(s, &n);
	int r = 0;

	for (size_t i = 0; i < n && i < CYCLE_SHOWN_MAX && r >= 0; i++)
		r = buf_printf(&text, "%s waits (line %u) for ", g->jobs[v[i]].name,
			line_of_edge(g, v[i]));
	if (r >= 0 && n > CYCLE_SHOWN_MAX)
		r = buf_printf(&text, "%zu more ... for ", n - CYCLE_SHOWN_MAX);
	if (r < 0)
		return r;
	config_errors_add(l->errors, l->file, line_of_edge(g, v[0]), "a cycle: %.*s%s",
		(int)buf_len(&text), buf_head(&text), g->jobs[v[0]].name);
	return 0;
}

static int find_cycle(struct loader *l)
{
	_cleanup_(deps_search_freep) struct deps_search *s = NULL;
	int r = deps_search_new(&s, follow, l->graph);

	for (size_t i = 0; i < l->graph->n && r == 0; i++) {
		r = deps_search_from(s, i);
		if (r >= 0)
			r = deps_search_step(s, SIZE_MAX);
	}
	return r > 0 ? tell_cycle(l, s) : r;
}

static int check_jobs(struct loader *l)
{
	for (size_t i = 0; i < l->graph->n; i++) {
		const struct graph_job *j = &l->graph->jobs[i];
		_cleanup_free_ char *err = NULL;
		enum job_field f;
		unsigned at = 0;

		if (job_spec_check_next(&j->spec, &at, &f, &err) < 0)
			config_errors_add(l->errors, l->file,
				j->field_line[f] ? j->field_line[f] : j->line, "%s",
				err ? err : job_field_info[f].key);
	}
	return 0;
}

int graph_parse(struct graph **ret, const char *text, size_t n, const char *file,
	struct config_errors *errors)
{
	_cleanup_(graph_freep) struct graph *g = calloc(1, sizeof(*g));
	struct loader l = {.graph = g, .file = file, .errors = errors, .skip = true};
	char *const files[] = {(char *)file, NULL};
	int r;

	if (!g)
		return -ENOMEM;
	r = hashmap_new(&g->by_name, HASHMAP_STRING);
	if (r >= 0)
		r = config_file_parse(text, n, file, entry, &l, errors);
	if (r >= 0)
		r = place_deps(g);
	if (r >= 0)
		r = check_jobs(&l);
	if (r >= 0)
		r = find_cycle(&l);
	if (r >= 0 && g->n == 0 && config_errors_is_empty(errors))
		config_errors_add(errors, file, 0, "no [job NAME] in it");
	if (r < 0 || errors->no_memory)
		return -ENOMEM;
	config_errors_sort(errors, files);
	if (!config_errors_is_empty(errors))
		return -EINVAL;
	*ret = TAKE_PTR(g);
	return 0;
}
