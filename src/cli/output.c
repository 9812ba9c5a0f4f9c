#include "config.h"

#include "cli/output.h"

#include <errno.h>
#include <libsmartcols.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "cli/text.h"

int color_when_parse(const char *text)
{
	static const char *const names[] = {[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (STREQ(names[i], text))
			return (int)i;
	return -EINVAL;
}

bool color_is_wanted(
	enum color_when when, bool is_tty, const char *no_color, const char *term)
{
	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	if (!is_tty || (no_color && no_color[0]))
		return false;
	return term && !STREQ(term, "dumb");
}

struct table {
	struct libscols_table *t;
	struct libscols_line *line; /* the newest row; held by t */
	bool color;
};

int table_new(struct table **ret, const struct table_column *columns, size_t n,
	const struct table_style *style)
{
	_cleanup_(table_freep) struct table *t = calloc(1, sizeof(*t));

	INVARIANT(ret && columns && style);
	if (!t)
		return -ENOMEM;
	t->color = style->color;
	t->t = scols_new_table();
	if (!t->t)
		return -ENOMEM;
	/* Cells come escaped, and smartcols would escape the escapes; where nobody
	 * looks at a terminal nothing must be cut to its width either. */
	scols_table_enable_noencoding(t->t, 1);
	scols_table_enable_noheadings(t->t, !style->headings);
	scols_table_enable_colors(t->t, style->color);
	if (!style->is_tty)
		scols_table_set_termforce(t->t, SCOLS_TERMFORCE_NEVER);
	for (size_t i = 0; i < n; i++) {
		int flags = columns[i].flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0;

		if (style->is_tty && columns[i].flags & TABLE_CUT)
			flags |= SCOLS_FL_TRUNC;
		if (columns[i].flags & TABLE_TREE)
			flags |= SCOLS_FL_TREE;
		if (!scols_table_new_column(t->t, columns[i].title, 0, flags))
			return -ENOMEM;
	}
	*ret = TAKE_PTR(t);
	return 0;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	if (t->t)
		scols_unref_table(t->t);
	free(t);
	return NULL;
}

int table_row(struct table *t)
{
	t->line = scols_table_new_line(t->t, NULL);
	return t->line ? 0 : -ENOMEM;
}

int table_row_below(struct table *t, struct table_line *above, struct table_line **ret)
{
	t->line = scols_table_new_line(t->t, (struct libscols_line *)above);
	*ret = (struct table_line *)t->line;
	return t->line ? 0 : -ENOMEM;
}

int table_cell(struct table *t, size_t column, const char *text, const char *color)
{
	struct libscols_cell *cell = scols_line_get_cell(t->line, column);
	char *escaped;

	INVARIANT(cell);
	escaped = text_escape_dup(text ? text : "-");
	if (!escaped)
		return -ENOMEM;
	if (scols_line_refer_data(t->line, column, escaped) != 0) {
		free(escaped);
		return -ENOMEM;
	}
	if (color && t->color && scols_cell_set_color(cell, color) != 0)
		return -ENOMEM;
	return 0;
}

int table_print(struct table *t, FILE *f)
{
	if (scols_table_set_stream(t->t, f) != 0)
		return -ENOMEM;
	if (scols_table_get_nlines(t->t) > 0 && scols_print_table(t->t) != 0)
		return -EIO;
	scols_table_remove_lines(t->t);
	t->line = NULL;
	return ferror(f) ? -EIO : 0;
}

int print_pair(FILE *f, const char *name, const char *fmt, ...)
{
	_cleanup_(buf_deinitp) struct buf raw = BUF_NULL, out = BUF_NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	if (r < 0)
		return r;
	r = text_escape(&out, buf_head(&raw), buf_len(&raw));
	if (r < 0)
		return r;
	if (fprintf(f, "%-14s %.*s\n", name, (int)buf_len(&out), buf_head(&out)) < 0)
		return -EIO;
	return 0;
}

/* what a pipe that poll calls writable takes without blocking (PIPE_BUF) */
#define WRITE_MAX ((size_t)4096)

int write_interruptibly(int fd, const char *p, size_t n, int signal_fd,
	void (*fn)(void *arg), void *arg)
{
	while (n > 0) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLOUT},
			{.fd = signal_fd, .events = POLLIN}};
		ssize_t done;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			fn(arg);
		if (!fds[0].revents)
			continue;
		done = write(fd, p, MIN(n, WRITE_MAX));
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}
