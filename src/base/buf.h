/*
 * Growing byte buffer with a read position: append at the end, consume at the front.
 * A failed append leaves the buffer as it was.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <string.h>

#include "base/macro.h"
#include "reeve/base.h"

struct buf {
	char *data;   /* allocation, or NULL */
	size_t start; /* first byte not yet consumed */
	size_t end;   /* one past the last byte */
	size_t cap;
};

#define BUF_NULL              \
	{                     \
		NULL, 0, 0, 0 \
	}

void buf_deinit(struct buf *b); /* frees; b is BUF_NULL afterwards */
static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}
static inline char *buf_head(const struct buf *b)
{
	return b->data ? b->data + b->start : (char *)"";
}
/* Make room for n more bytes; *ret points at them. 0, -ENOMEM. */
int buf_reserve(struct buf *b, size_t n, char **ret);
/* n bytes were written into the room that buf_reserve gave */
void buf_commit(struct buf *b, size_t n);
/* inline: a reply is made of short pieces, whose lengths the compiler knows */
static inline int buf_append(struct buf *b, const void *p, size_t n)
{
	char *room;
	int r;

	if (n == 0)
		return 0;
	if (UNLIKELY(b->cap - b->end < n)) {
		r = buf_reserve(b, n, &room);
		if (r < 0)
			return r;
	}
	memcpy(b->data + b->end, p, n);
	b->end += n;
	return 0;
}
static inline int buf_append_str(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}
static inline int buf_append_byte(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);
void buf_consume(struct buf *b, size_t n); /* n <= buf_len */
void buf_clear(struct buf *b);             /* empties, keeps the allocation */
/* Ends with a NUL that does not count and hands over the allocation (free it); the
 * buffer is empty then. NULL when out of memory. */
char *buf_steal_str(struct buf *b, size_t *ret_len);
/* give memory back when the allocation is over keep bytes and less than a quarter used
 */
void buf_trim(struct buf *b, size_t keep);
static inline void buf_deinitp(struct buf *b)
{
	buf_deinit(b);
}

#endif
