#include "config/config_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_service.h"

/* one item of config_each; the strings of place and the origin are the configuration's */
struct line {
	struct config_place place;
	char *value; /* NULL: a section begins */
	const struct config_origin *origin;
};

struct lines {
	struct line *v;
	size_t n, n_max;
};

static void lines_deinit(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].value);
	free(l->v);
}

static int take_item(const struct config_item *item, void *arg)
{
	struct lines *l = arg;
	char *value = NULL;

	if (l->n == l->n_max) {
		size_t n_max = l->n_max ? 2 * l->n_max : 256;
		struct line *v = reallocarray(l->v, n_max, sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->n_max = n_max;
	}
	if (item->place.key && !(value = strdup(item->value)))
		return -ENOMEM;
	l->v[l->n++] = (struct line){item->place, value, item->origin};
	return 0;
}

/* NULL comes before all texts */
static int compare_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int section_rank(const char *section)
{
	int i = 0;

	/* [defaults], which has job fields and no keys, comes behind [reeved] */
	while (i < CONFIG_SECTION_N && !STREQ(config_section_name[i], section))
		i++;
	return i == CONFIG_SECTION_N ? 2 * CONFIG_SECTION_REEVED + 1 : 2 * i;
}

static int compare_sections(const struct line *a, const struct line *b)
{
	int r = section_rank(a->place.section) - section_rank(b->place.section);

	return r != 0 ? r : compare_text(a->place.argument, b->place.argument);
}

static int compare_lines(const struct line *a, const struct line *b)
{
	int r = compare_sections(a, b);

	return r != 0 ? r : compare_text(a->place.key, b->place.key);
}

static int compare_for_sort(const void *a, const void *b)
{
	return compare_lines(a, b);
}

static int lines_read(struct lines *l, const struct config *c)
{
	int r = config_each(c, take_item, l);

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), compare_for_sort);
	return r;
}

/* ---- services that an environment is for ------------------------------------------------ */

/* what an instance of a service starts with */
struct start {
	struct job_spec spec;
	char **variables; /* of its environment */
};

static void start_deinit(struct start *s)
{
	job_spec_deinit(&s->spec);
	strv_free(s->variables);
}

/* 0; -ENOENT: it is set in no environment that has that one in it; -ENOMEM and others */
static int get_start(struct start *ret, const struct config *c,
	const struct config_named *service, const char *environment)
{
	const struct job_spec *said = &service->job->spec;
	const char *name =
		job_str(job_spec_has(said, JOB_FIELD_ENVIRONMENT) ? said : &c->defaults,
			ENVIRONMENT);
	struct environment_lineage l;
	size_t i = 0;
	int r = name ? environment_lineage_get(&l, c, name) : -ENOENT;

	if (r < 0)
		return r;
	while (i < l.n && !STREQ(l.v[i]->name, environment))
		i++;
	if (i == l.n)
		return -ENOENT;
	r = config_service_instance(&ret->spec, c, service, 0);
	if (r < 0) {
		job_spec_init(&ret->spec);
		return r;
	}
	return environment_variables(&ret->variables, c, name);
}

static bool same_start(const struct start *a, const struct start *b)
{
	_cleanup_free_ void *x = NULL, *y = NULL;
	size_t x_len, y_len;

	return job_spec_pack(&x, &x_len, &a->spec) >= 0 &&
	       job_spec_pack(&y, &y_len, &b->spec) >= 0 && x_len == y_len &&
	       memcmp(x, y, x_len) == 0 && strv_equal(a->variables, b->variables);
}

/* Those that are in both, and start otherwise. 0, -ENOMEM */
static int find_services(char ***ret, const struct config *before,
	const struct config *after, const char *environment)
{
	const struct config_names *names = &after->named[CONFIG_SECTION_SERVICE];
	_cleanup_(strv_freep) char **v = NULL;

	for (size_t i = 0; i < names->n; i++) {
		const struct config_named *now = &names->v[i];
		const struct config_named *was =
			config_find(before, CONFIG_SECTION_SERVICE, now->name);
		_cleanup_(start_deinit) struct start a = {.variables = NULL},
						     b = {.variables = NULL};
		int r;

		job_spec_init(&a.spec);
		job_spec_init(&b.spec);
		r = was ? get_start(&b, after, now, environment) : -ENOENT;
		if (r >= 0)
			r = get_start(&a, before, was, environment);
		if (r >= 0 && !same_start(&a, &b))
			r = strv_append(&v, now->name);
		if (r == -ENOMEM)
			return r;
	}
	*ret = TAKE_PTR(v);
	return 0;
}

/* ---- the walk ---------------------------------------------------------------------------- */

struct walk {
	config_diff_fn fn;
	void *arg;
	const struct config *before, *after;
	const struct line *section; /* that is new, or gone: NULL: neither */
	/* the environment that services are of; NULL: none yet */
	const char *environment;
	char **services;
};

/* Lines come environment by environment: they are looked for once for each. */
static int look_for_services(struct walk *w, const char *environment)
{
	if (w->environment && STREQ(w->environment, environment))
		return 0;
	w->services = strv_free(w->services);
	w->environment = environment;
	return find_services(&w->services, w->before, w->after, environment);
}

static int tell(struct walk *w, enum config_diff what, const struct line *at,
	const char *before, const char *after)
{
	const char *name = config_section_name[CONFIG_SECTION_ENVIRONMENT];
	bool is_set = what == CONFIG_DIFF_VALUE && STREQ(at->place.section, name) &&
		      !STREQ(at->place.key, "users");
	int r = is_set ? look_for_services(w, at->place.argument) : 0;

	return r < 0 ? r
		     : w->fn(&(struct config_difference){what, at->place, before, after,
				     at->origin, is_set ? w->services : NULL},
			       w->arg);
}

static int only_before(struct walk *w, const struct line *was)
{
	if (!was->place.key) {
		w->section = was;
		return tell(w, CONFIG_DIFF_GONE, was, NULL, NULL);
	}
	if (w->section && compare_sections(w->section, was) == 0)
		return 0;
	return tell(w, CONFIG_DIFF_VALUE, was, was->value, NULL);
}

static int only_after(struct walk *w, const struct line *now)
{
	if (!now->place.key) {
		w->section = now;
		return tell(w, CONFIG_DIFF_NEW_SECTION, now, NULL, NULL);
	}
	/* what no file says is at its default, as in any section */
	if (w->section && compare_sections(w->section, now) == 0 && !now->origin->file)
		return 0;
	return tell(w, CONFIG_DIFF_VALUE, now, NULL, now->value);
}

static int in_both(struct walk *w, const struct line *was, const struct line *now)
{
	if (!now->place.key || STREQ(was->value, now->value))
		return 0;
	return tell(w, CONFIG_DIFF_VALUE, now, was->value, now->value);
}

int config_diff(const struct config *before, const struct config *after,
	config_diff_fn fn, void *arg)
{
	_cleanup_(lines_deinit) struct lines a = {NULL}, b = {NULL};
	struct walk w = {.fn = fn, .arg = arg, .before = before, .after = after};
	size_t i = 0, k = 0;
	int r = lines_read(&a, before);

	if (r >= 0)
		r = lines_read(&b, after);
	while (r >= 0 && (i < a.n || k < b.n)) {
		int order = i == a.n   ? 1
			    : k == b.n ? -1
				       : compare_lines(&a.v[i], &b.v[k]);

		if (order < 0)
			r = only_before(&w, &a.v[i++]);
		else if (order > 0)
			r = only_after(&w, &b.v[k++]);
		else
			r = in_both(&w, &a.v[i++], &b.v[k++]);
	}
	strv_free(w.services);
	return r < 0 ? r : 0;
}
