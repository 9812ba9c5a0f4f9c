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

void config_errors_sort(struct config_errors *e, size_t first)
{
	/* few, nearly sorted, and equal lines must keep their order */
	for (size_t i = first + 1; i < e->n; i++)
		for (size_t k = i; k > first && e->v[k - 1].line > e->v[k].line; k--) {
			struct config_error swap = e->v[k];

			e->v[k] = e->v[k - 1];
			e->v[k - 1] = swap;
		}
}

bool config_errors_is_empty(const struct config_errors *e)
{
	return e->n == 0 && !e->no_memory;
}

void config_errors_print(const struct config_errors *e, FILE *out)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->v[i].file)
			fprintf(out, "%s:", e->v[i].file);
		if (e->v[i].line)
			fprintf(out, "%u:", e->v[i].line);
		fprintf(out, "%s%s\n", e->v[i].file ? " " : "", e->v[i].text);
	}
	if (e->n_more)
		fprintf(out, "... and %zu more\n", e->n_more);
	if (e->no_memory)
		fputs("out of memory while reading the configuration\n", out);
}
