#include "config/config_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "config/config_starts.h"

/* one item of config_each; the strings of place and the origin are the configuration's */
struct line {
	struct config_place place;
	char *value; /* NULL: a section begins */
	char *own; /* of it, what the section says itself; may be value; NULL: nothing */
	const struct config_origin *origin;
};

struct lines {
	struct line *v;
	size_t n, n_max;
};

static void lines_deinit(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].own != l->v[i].value)
			free(l->v[i].own);
		free(l->v[i].value);
	}
	free(l->v);
}

static int take_item(const struct config_item *item, void *arg)
{
	struct lines *l = arg;
	struct line line = {.place = item->place, .origin = item->origin};

	if (l->n == l->n_max) {
		size_t n_max = l->n_max ? 2 * l->n_max : 256;
		struct line *v = reallocarray(l->v, n_max, sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->n_max = n_max;
	}
	if (item->place.key && !(line.value = strdup(item->value)))
		return -ENOMEM;
	if (item->own)
		line.own =
			STREQ(item->own, item->value) ? line.value : strdup(item->own);
	if (item->own && !line.own) {
		free(line.value);
		return -ENOMEM;
	}
	l->v[l->n++] = line;
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

/* ---- the walk ---------------------------------------------------------------------------- */

struct walk {
	config_diff_fn fn;
	void *arg;
	const struct config *before, *after;
	const struct line *section;    /* that is new, or gone: NULL: neither */
	struct service_starts *starts; /* NULL: not needed so far */
	/* of the key or environment that was told last; services: because of it */
	const struct line *at;
	char **services;
};

static bool is_of(const struct line *at, enum config_section section)
{
	return STREQ(at->place.section, config_section_name[section]);
}

/* Lines of an environment come one behind the other, and have the same services. */
static bool is_known(const struct walk *w, const struct line *at)
{
	return w->at && is_of(at, CONFIG_SECTION_ENVIRONMENT) &&
	       is_of(w->at, CONFIG_SECTION_ENVIRONMENT) &&
	       STREQ(w->at->place.argument, at->place.argument);
}

/* those that are restarted because of this */
static int look_for_services(struct walk *w, const struct line *at)
{
	const char *name = at->place.argument, *key = at->place.key;
	int r = 0, f;

	if (is_known(w, at))
		return 0;
	w->services = strv_free(w->services);
	w->at = at;
	if (!w->starts)
		r = service_starts_new(&w->starts, w->before, w->after);
	if (r < 0)
		return r;
	if (is_of(at, CONFIG_SECTION_ENVIRONMENT))
		return service_starts_by_environment(&w->services, w->starts, name);
	if (is_of(at, CONFIG_SECTION_SERVICE))
		return service_starts_by_own(w->starts, name, key)
			       ? strv_append(&w->services, name)
			       : 0;
	f = job_field_by_key(key);
	return f < 0 ? 0
		     : service_starts_by_default(
			       &w->services, w->starts, (enum job_field)f);
}

/* of a section that is not new */
static bool may_restart(
	const struct walk *w, enum config_diff what, const struct line *at)
{
	if (what != CONFIG_DIFF_VALUE)
		return false;
	if (is_of(at, CONFIG_SECTION_SERVICE))
		return !w->section || compare_sections(w->section, at) != 0;
	return STREQ(at->place.section, "defaults") ||
	       (is_of(at, CONFIG_SECTION_ENVIRONMENT) &&
		       !STREQ(at->place.key, "users"));
}

static int tell(struct walk *w, enum config_diff what, const struct line *at,
	const char *before, const char *after)
{
	bool is_set = may_restart(w, what, at);
	int r = is_set ? look_for_services(w, at) : 0;

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
	if (!was->own || (w->section && compare_sections(w->section, was) == 0))
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
	if (!now->own)
		return 0;
	if (w->section && compare_sections(w->section, now) == 0 && !now->origin->file)
		return 0;
	return tell(w, CONFIG_DIFF_VALUE, now, NULL, now->value);
}

static int in_both(struct walk *w, const struct line *was, const struct line *now)
{
	/* what others give is told of those */
	if (!now->place.key || STREQ(was->value, now->value) ||
		compare_text(was->own, now->own) == 0)
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
	service_starts_free(w.starts);
	return r < 0 ? r : 0;
}
