/* Text for people: made, escaped, and measured. Pure. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "base/buf.h"
#include "reeve/base.h"

/* malloc'd, NULL when out of memory */
char *text_printf(const char *fmt, ...) PRINTF(1, 2);

/**
 * Append text from outside so that it cannot move the cursor, change colours, reorder
 * what follows, or begin a line of its own: control characters (C0, DEL, C1), the
 * Unicode marks that change the direction of text, line separators, and bytes that are
 * not UTF-8 become \xNN or \u{NNNN}. The rest stays as it is. 0, -ENOMEM.
 */
int text_escape(struct buf *out, const char *s, size_t n);

/* the same, malloc'd; NULL when out of memory */
char *text_escape_dup(const char *s);

/* 1536 -> "1.5K", for columns that people read; buf is given back */
char *text_size(char *buf, size_t size, int64_t bytes);

/* ending of a counted noun: "" for 1, else "s" */
const char *text_plural(int64_t n);

#endif
