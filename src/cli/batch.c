#include "config.h"

#include "cli/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/json.h"
#include "cli/spec_json.h"
#include "cli/text.h"
#include "job/deps.h"

void batch_reader_init(struct batch_reader *b, FILE *in, size_t line_max_bytes)
{
	*b = (struct batch_reader){
		.in = in,
		.what = "line",
		.end = '\n',
		.line_max_bytes = line_max_bytes,
	};
}

void batch_reader_deinit(struct batch_reader *b)
{
	buf_deinit(&b->line);
}

static int refuse_line(const struct batch_reader *b, const char *why, char **err)
{
	*err = text_printf("%s %" PRIu64 ": %s", b->what, b->line_no, why);
	return -EINVAL;
}

static int refuse_long(const struct batch_reader *b, char **err)
{
	refuse_line(b, "longer than a job can be", err);
	return -EMSGSIZE;
}

/* Not getline: it would take memory for a line without end. */
int batch_read(struct batch_reader *b, char **err)
{
	char why[128];
	int c;

	buf_clear(&b->line);
	b->line_no++;
	while ((c = getc_unlocked(b->in)) != EOF && c != b->end) {
		if (buf_len(&b->line) >= b->line_max_bytes)
			return refuse_long(b, err);
		if (c == '\0')
			return refuse_line(b, "a NUL byte", err);
		if (buf_append_byte(&b->line, (char)c) < 0)
			return -ENOMEM;
	}
	if (c == EOF && ferror(b->in)) {
		snprintf(why, sizeof(why), "cannot be read: %s", strerror(errno));
		return refuse_line(b, why, err);
	}
	if (c == EOF && buf_len(&b->line) == 0)
		return 0;
	return buf_append_byte(&b->line, '\0') < 0 ? -ENOMEM : 1;
}

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t\r");
}

static bool is_object(const char *line)
{
	if (*line != '{')
		return false;
	line = skip_space(line + 1);
	return *line == '"' || *line == '}';
}

static int spec_from_line(struct job_spec *s, const char *line, char **why)
{
	_cleanup_json_ json_t *obj = NULL;
	json_error_t error;

	if (!is_object(line))
		return spec_put_str(s, JOB_FIELD_SHELL_COMMAND, line, why);
	obj = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!obj) {
		*why = text_printf("not JSON: %s, column %d", error.text, error.column);
		return -EINVAL;
	}
	return spec_from_json(s, obj, why);
}

int batch_next(struct batch_reader *b, struct job_spec *ret,
	const struct job_spec *defaults, char **err)
{
	_cleanup_free_ char *why = NULL;
	enum job_field field;
	const char *line;
	int r;

	job_spec_init(ret);
	do {
		r = batch_read(b, err);
		if (r <= 0)
			return r;
		line = skip_space(buf_head(&b->line));
	} while (!*line || *line == '#');

	r = spec_copy(ret, defaults);
	if (r == 0)
		r = spec_from_line(ret, line, &why);
	/* it would count from the beginning of a call, which no line knows */
	for (int k = 0; r == 0 && k < DEP_KIND_N; k++)
		if (dep_list_kinds(ret->v[dep_field[k]].strv) >> DEP_REF_INDEX & 1)
			return refuse_line(
				b, "'#N' is no job here: give it a name", err);
	if (r == 0)
		r = job_spec_says_work(ret) ? job_spec_check(ret, &field, &why)
					    : job_spec_check_options(ret, &field, &why);
	if (r == -EINVAL)
		return refuse_line(b, why ? why : "not a job", err);
	return r < 0 ? r : 1;
}
