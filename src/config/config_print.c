#include "config/config_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strv.h"
#include "config/config_get.h"

/* there is none: where it was looked for */
static void print_no_file(FILE *out, const struct config_paths *paths)
{
	const char *sep = "";

	fputs("no configuration file (", out);
	if (paths->vendor_dir) {
		fprintf(out, "%s/*.conf", paths->vendor_dir);
		sep = ", ";
	}
	if (paths->file) {
		fprintf(out, "%s%s", sep, paths->file);
		sep = ", ";
	}
	if (paths->dropin_dir)
		fprintf(out, "%s%s/*.conf", sep, paths->dropin_dir);
	fputs("): everything is at its default\n", out);
}

int config_check_print(FILE *out, FILE *err, const struct config_paths *paths)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *c = NULL;
	size_t n;
	int r;

	r = config_load(&c, paths, &errors);
	if (r == -ENOMEM)
		errors.no_memory = true;
	if (r < 0) {
		config_errors_print(&errors, err);
		n = errors.n + errors.n_more;
		if (n)
			fprintf(err, "%zu %s in the configuration\n", n,
				n == 1 ? "error" : "errors");
		return r;
	}
	STRV_FOREACH(file, c->files)
		fprintf(out, "%s\n", *file);
	n = strv_len(c->files);
	if (n == 0)
		print_no_file(out, paths);
	else
		fprintf(out, "%zu %s read, no error\n", n, n == 1 ? "file" : "files");
	return 0;
}

static void print_origin(FILE *out, const struct config_origin *at, const char *from)
{
	if (at->file && from)
		fprintf(out, "# %s:%u [%s]\n", at->file, at->line, from);
	else if (at->file)
		fprintf(out, "# %s:%u\n", at->file, at->line);
	else
		fputs("# default\n", out);
}

/* A value of several lines begins below its key, where the indentation of its first
 * line is the one that is taken from all. */
static void print_value(FILE *out, const char *key, const char *value)
{
	bool is_long = strchr(value, '\n');

	fprintf(out, "%s =%s", key, is_long ? "\n\t" : *value ? " " : "");
	for (const char *p = value; *p; p++) {
		fputc(*p, out);
		if (*p == '\n' && p[1] && p[1] != '\n')
			fputc('\t', out);
	}
	fputc('\n', out);
}

struct printer {
	FILE *out;
	bool only_changed;
	char *const *sections;
	bool is_begun;
};

static int print_item(const struct config_item *item, void *arg)
{
	struct printer *p = arg;
	const struct config_place *at = &item->place;

	if (!config_place_is_in(at, p->sections))
		return 0;
	/* [reeved] and [defaults] are always there */
	if (p->only_changed && !item->origin->file && (at->key || at->argument))
		return 0;
	if (at->key) {
		print_origin(p->out, item->origin, item->from);
		print_value(p->out, at->key, item->value);
		return 0;
	}
	fprintf(p->out, "%s[%s%s%s]\n", p->is_begun ? "\n" : "", at->section,
		at->argument ? " " : "", at->argument ? at->argument : "");
	p->is_begun = true;
	return 0;
}

int config_print(
	FILE *out, const struct config *c, bool only_changed, char *const *sections)
{
	struct printer p = {out, only_changed, sections, false};

	return config_each(c, print_item, &p);
}
