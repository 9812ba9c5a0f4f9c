#include "config.h"

#include "cli/job_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/spec_json.h"
#include "config/config_file.h"
#include "job/changeable.h"

/* ---- writing ------------------------------------------------------------------------ */

static bool is_shown(enum job_field f, bool has_run, bool runs)
{
	enum job_until until = job_field_until(f);

	if (runs)
		return until == JOB_UNTIL_END;
	return until > (has_run ? JOB_UNTIL_FIRST_RUN : JOB_UNTIL_SUBMIT);
}

/* A value of several lines begins below its key, where the indentation of its first line is
 * the one that is taken from all. */
static void write_value(FILE *f, const char *key, const struct buf *value)
{
	const char *p = buf_head(value), *end = p + buf_len(value);
	bool is_long = memchr(p, '\n', (size_t)(end - p));

	fprintf(f, "%s =%s", key, is_long ? "\n\t" : p < end ? " " : "");
	for (; p < end; p++) {
		fputc(*p, f);
		if (*p == '\n' && p + 1 < end && p[1] != '\n')
			fputc('\t', f);
	}
	fputc('\n', f);
}

int job_text_write(FILE *f, const struct job_spec *spec, bool has_run, bool runs)
{
	fputs("[job]\n", f);
	for (int i = 0; i < JOB_FIELD_N; i++) {
		const struct job_field_info *info = &job_field_info[i];
		_cleanup_(buf_deinitp) struct buf value = BUF_NULL;

		if (!is_shown((enum job_field)i, has_run, runs))
			continue;
		fprintf(f, "\n# %s", info->help);
		if (info->metavar)
			fprintf(f, " (%s)", info->metavar);
		fputc('\n', f);
		if (!job_spec_has(spec, (enum job_field)i)) {
			fprintf(f, "#%s =%s%s\n", info->key,
				info->default_text ? " " : "",
				info->default_text ? info->default_text : "");
			continue;
		}
		if (job_value_format(&value, (enum job_field)i, &spec->v[i]) < 0)
			return -ENOMEM;
		write_value(f, info->key, &value);
	}
	return 0;
}

/* ---- reading ------------------------------------------------------------------------ */

struct reading {
	struct job_spec *spec;
	unsigned *lines;
	const char *file;
	struct config_errors *errors;
};

static void unknown_key(struct reading *rd, const struct config_entry *e)
{
	const char *names[JOB_FIELD_N], *near;

	for (size_t i = 0; i < JOB_FIELD_N; i++)
		names[i] = job_field_info[i].key;
	near = str_nearest(e->key, names, JOB_FIELD_N);
	if (near)
		config_errors_add(rd->errors, rd->file, e->line,
			"unknown property %s, did you mean '%s'?", QUOTED(e->key),
			near);
	else
		config_errors_add(rd->errors, rd->file, e->line, "unknown property %s",
			QUOTED(e->key));
}

/* config_entry_fn */
static int take_entry(const struct config_entry *e, void *arg)
{
	struct reading *rd = arg;
	_cleanup_free_ char *why = NULL;
	int f, r;

	if (!e->section) /* told already */
		return 0;
	if (!STREQ(e->section, "job") || e->argument) {
		if (!e->key)
			config_errors_add(rd->errors, rd->file, e->line,
				"there is one section here, [job]");
		return 0;
	}
	if (!e->key)
		return 0;
	f = job_field_by_key(e->key);
	if (f < 0) {
		unknown_key(rd, e);
		return 0;
	}
	if (rd->lines[f]) {
		config_errors_add(rd->errors, rd->file, e->line,
			"%s is said on line %u already", e->key, rd->lines[f]);
		return 0;
	}
	rd->lines[f] = e->line;
	if (!*e->value)
		return 0; /* its default */
	r = spec_put_text(rd->spec, (enum job_field)f, e->value, &why);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		config_errors_add(rd->errors, rd->file, e->line, "%s",
			why ? why : "too many elements");
	return 0;
}

int job_text_read(struct job_spec *ret, unsigned lines[JOB_FIELD_N], const char *text,
	size_t n, const char *file, struct config_errors *errors)
{
	struct reading rd = {
		.spec = ret, .lines = lines, .file = file, .errors = errors};
	int r;

	memset(lines, 0, JOB_FIELD_N * sizeof(*lines));
	r = config_file_parse(text, n, file, take_entry, &rd, errors);
	if (r < 0)
		return r;
	return config_errors_is_empty(errors) ? 0 : -EINVAL;
}

/* ---- comparing ---------------------------------------------------------------------- */

uint64_t job_spec_difference(const struct job_spec *a, const struct job_spec *b)
{
	uint64_t difference = a->set ^ b->set;

	for (uint64_t both = a->set & b->set; both; both &= both - 1) {
		enum job_field f = (enum job_field)__builtin_ctzll(both);
		_cleanup_(buf_deinitp) struct buf x = BUF_NULL, y = BUF_NULL;

		if (job_value_format(&x, f, &a->v[f]) < 0 ||
			job_value_format(&y, f, &b->v[f]) < 0)
			return UINT64_MAX;
		if (buf_len(&x) != buf_len(&y) ||
			memcmp(buf_head(&x), buf_head(&y), buf_len(&x)) != 0)
			difference |= UINT64_C(1) << f;
	}
	return difference;
}
