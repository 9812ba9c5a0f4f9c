#include "config/config_errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

void config_errors_deinit(struct config_errors *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].file);
		free(e->v[i].text);
	}
	free(e->v);
	*e = (struct config_errors)CONFIG_ERRORS_NULL;
}

void config_errors_add(
	struct config_errors *e, const char *file, unsigned line, const char *fmt, ...)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_free_ char *name = NULL, *text = NULL;
	va_list ap;
	int r;

	if (e->n == CONFIG_ERRORS_MAX) {
		e->n_more++;
		return;
	}
	if (!e->v)
		e->v = calloc(CONFIG_ERRORS_MAX, sizeof(*e->v));
	if (file)
		name = strdup(file);
	va_start(ap, fmt);
	r = buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (r >= 0)
		text = buf_steal_str(&b, NULL);
	if (!e->v || !text || (file && !name)) {
		e->no_memory = true;
		return;
	}
	e->v[e->n++] = (struct config_error){TAKE_PTR(name), line, TAKE_PTR(text)};
}

static size_t place_among(char *const *files, const char *file)
{
	size_t i = 0;

	while (files && files[i] && !(file && STREQ(files[i], file)))
		i++;
	return i;
}

/* 1: a comes behind b; 0: as they were met */
static bool is_behind(
	const struct config_error *a, const struct config_error *b, char *const *files)
{
	size_t at_a = place_among(files, a->file), at_b = place_among(files, b->file);

	if (at_a != at_b)
		return at_a > at_b;
	return files && files[at_a] && a->line > b->line;
}

static bool is_same(const struct config_error *a, const struct config_error *b)
{
	return a->line == b->line && STREQ(a->text, b->text) &&
	       (a->file && b->file ? STREQ(a->file, b->file) : a->file == b->file);
}

void config_errors_sort(struct config_errors *e, char *const *files)
{
	size_t n = 0;

	/* few, nearly sorted, and equal lines must keep their order */
	for (size_t i = 1; i < e->n; i++)
		for (size_t k = i; k > 0 && is_behind(&e->v[k - 1], &e->v[k], files);
			k--) {
			struct config_error swap = e->v[k];

			e->v[k] = e->v[k - 1];
			e->v[k - 1] = swap;
		}
	for (size_t i = 0; i < e->n; i++) {
		size_t k = 0;

		while (k < n && !is_same(&e->v[k], &e->v[i]))
			k++;
		if (k == n) {
			e->v[n++] = e->v[i];
			continue;
		}
		free(e->v[i].file);
		free(e->v[i].text);
	}
	e->n = n;
}

bool config_errors_is_empty(const struct config_errors *e)
{
	return e->n == 0 && !e->no_memory;
}

char *config_error_format(const struct config_error *e)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	int r = 0;

	if (e->file)
		r = buf_printf(&b, "%s:", e->file);
	if (r >= 0 && e->line)
		r = buf_printf(&b, "%u:", e->line);
	if (r >= 0)
		r = buf_printf(&b, "%s%s", e->file || e->line ? " " : "", e->text);
	return r < 0 ? NULL : buf_steal_str(&b, NULL);
}

void config_errors_print(const struct config_errors *e, FILE *out)
{
	for (size_t i = 0; i < e->n; i++) {
		_cleanup_free_ char *text = config_error_format(&e->v[i]);

		fprintf(out, "%s\n", text ? text : e->v[i].text);
	}
	if (e->n_more)
		fprintf(out, "... and %zu more\n", e->n_more);
	if (e->no_memory)
		fputs("out of memory while reading the configuration\n", out);
}
