#include "config/config_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

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

struct walk {
	config_diff_fn fn;
	void *arg;
	const struct line *section; /* that is new, or gone: NULL: neither */
};

static int tell(struct walk *w, enum config_diff what, const struct line *at,
	const char *before, const char *after)
{
	return w->fn(
		&(struct config_difference){what, at->place, before, after, at->origin},
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
	struct walk w = {fn, arg, NULL};
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
	return r < 0 ? r : 0;
}
