/*
 * What is printed: errors and notes on stderr, tables and JSON on stdout, colours where
 * a terminal is and nobody asked for none.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdio.h>

#include "base/cleanup.h"
#include "reeve/base.h"

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* "auto", "always", "never"; -EINVAL */
int color_when_parse(const char *text);

/* @no_color  $NO_COLOR or NULL: set and not empty it means never, unless --color says
 *            otherwise */
bool color_is_wanted(
	enum color_when when, bool is_tty, const char *no_color, const char *term);

/*
 * A table: columns once, then rows of text. Cells are escaped (text_escape), so that a
 * job's name or command cannot play with the terminal. Not printed before table_print.
 */
struct table;

enum table_column_flags {
	TABLE_RIGHT = 1 << 0,
	TABLE_CUT = 1 << 1,  /* may be cut where the terminal is too narrow */
	TABLE_TREE = 1 << 2, /* rows stand below others, which lines show here */
};

struct table_column {
	const char *title;
	unsigned flags; /* enum table_column_flags */
};

struct table_style {
	bool headings;
	bool color;
	bool is_tty; /* fit into the width of the terminal; else nothing is cut */
};

int table_new(struct table **ret, const struct table_column *columns, size_t n,
	const struct table_style *style);
struct table *table_free(struct table *t);
/* 0, -ENOMEM */
int table_row(struct table *t);
struct table_line;
/* The same below another row (NULL: below none), which has to be in the table still. 0 with
 * *ret the new one, -ENOMEM. */
int table_row_below(struct table *t, struct table_line *above, struct table_line **ret);
/* a cell of the newest row; NULL is shown as "-". color: name as smartcols knows it, or
 * NULL. The text is copied. */
int table_cell(struct table *t, size_t column, const char *text, const char *color);
/* the rows so far, to f; they are dropped then. 0, -EIO, -ENOMEM */
int table_print(struct table *t, FILE *f);

DEFINE_CLEANUP(struct table *, table_free)

/**
 * Write all of it to fd in pieces that a pipe takes without blocking, so that a reader that is
 * slow keeps no interrupt from us.
 *
 * @signal_fd    fn(arg) is called when it is readable, and reads it
 *
 * Returns 0, -errno.
 */
int write_interruptibly(int fd, const char *p, size_t n, int signal_fd,
	void (*fn)(void *arg), void *arg);

/* "NAME  value" lines: `show`, `daemon status`. Values are escaped. */
int print_pair(FILE *f, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
