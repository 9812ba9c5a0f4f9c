#include "config/config_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strv.h"

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
		fputs("no configuration file: everything is at its default\n", out);
	else
		fprintf(out, "%zu %s read, no error\n", n, n == 1 ? "file" : "files");
	return 0;
}

static void print_origin(FILE *out, const struct config_origin *at)
{
	if (at->file)
		fprintf(out, "# %s:%u\n", at->file, at->line);
	else
		fputs("# default\n", out);
}

/* A value of several lines begins below its key, where the indentation of its first
 * line is the one that is taken from all. */
static void print_value(FILE *out, const char *key, struct buf *value)
{
	const char *p = buf_head(value), *end = p + buf_len(value);
	bool is_long = memchr(p, '\n', (size_t)(end - p));

	fprintf(out, "%s =%s", key, is_long ? "\n\t" : p < end ? " " : "");
	for (; p < end; p++) {
		fputc(*p, out);
		if (*p == '\n' && p + 1 < end && p[1] != '\n')
			fputc('\t', out);
	}
	fputc('\n', out);
}

static int print_reeved(FILE *out, const struct config *c, bool only_changed)
{
	fputs("[reeved]\n", out);
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
		int r;

		if (config_key_info[k].section != CONFIG_SECTION_REEVED ||
			(only_changed && !c->origin[k].file))
			continue;
		r = config_value_format(&value, (enum config_key)k, &c->v[k]);
		if (r < 0)
			return r;
		print_origin(out, &c->origin[k]);
		print_value(out, config_key_info[k].key, &value);
	}
	return 0;
}

static int print_field(FILE *out, const struct job_spec *spec,
	const struct config_origin *at, enum job_field f)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL, doubled = BUF_NULL;
	int r = job_value_format(&value, f, &spec->v[f]);

	/* '%' begins a specifier in command */
	for (size_t i = 0; r >= 0 && i < buf_len(&value); i++) {
		char ch = buf_head(&value)[i];

		r = buf_append_byte(&doubled, ch);
		if (r >= 0 && ch == '%' && f == JOB_FIELD_COMMAND)
			r = buf_append_byte(&doubled, ch);
	}
	if (r < 0)
		return r;
	print_origin(out, at);
	print_value(out, job_field_info[f].key, &doubled);
	return 0;
}

static int print_defaults(FILE *out, const struct config *c, bool only_changed)
{
	fputs("\n[defaults]\n", out);
	for (int f = 0; f < JOB_FIELD_N; f++) {
		int r;

		/* what has no default would be printed as an empty value: nothing */
		if (!job_spec_has(&c->defaults, (enum job_field)f) &&
			(only_changed || !job_field_info[f].default_text))
			continue;
		r = print_field(
			out, &c->defaults, &c->defaults_origin[f], (enum job_field)f);
		if (r < 0)
			return r;
	}
	return 0;
}

static int print_named(FILE *out, const struct config_named *named,
	enum config_section section, bool only_changed)
{
	if (only_changed && !named->origin.file)
		return 0;
	fprintf(out, "\n[%s %s]\n", config_section_name[section], named->name);
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		_cleanup_(buf_deinitp) struct buf text = BUF_NULL;

		/* what is said nowhere and has no default would be an empty value */
		if (config_key_info[k].section != section ||
			(!named->key_origin[k].file &&
				(only_changed || !config_key_info[k].default_text)))
			continue;
		if (config_value_format(&text, (enum config_key)k, &named->v[k]) < 0)
			return -ENOMEM;
		print_origin(out, &named->key_origin[k]);
		print_value(out, config_key_info[k].key, &text);
	}
	for (int f = 0; named->job && f < JOB_FIELD_N; f++)
		if (job_spec_has(&named->job->spec, (enum job_field)f) &&
			print_field(out, &named->job->spec, &named->job->origin[f],
				(enum job_field)f) < 0)
			return -ENOMEM;
	return 0;
}

int config_print(FILE *out, const struct config *c, bool only_changed)
{
	int r = print_reeved(out, c, only_changed);

	if (r >= 0)
		r = print_defaults(out, c, only_changed);
	if (r < 0)
		return r;
	for (int s = CONFIG_SECTION_POOL; s < CONFIG_SECTION_N && r >= 0; s++)
		for (size_t i = 0; i < c->named[s].n && r >= 0; i++)
			r = print_named(out, &c->named[s].v[i], (enum config_section)s,
				only_changed);
	return r;
}
