#include "config.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"

#define BUF_CAP_MIN 64
#define BUF_CAP_MAX (SIZE_MAX / 2) /* pointer differences stay representable */

void buf_deinit(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_NULL;
}

static void buf_to_front(struct buf *b)
{
	size_t len = buf_len(b);

	if (b->start == 0)
		return;
	memmove(b->data, b->data + b->start, len);
	b->start = 0;
	b->end = len;
}

static int buf_grow(struct buf *b, size_t n)
{
	size_t len = buf_len(b), cap = MAX(b->cap, (size_t)BUF_CAP_MIN);
	char *data;

	if (n > BUF_CAP_MAX - len)
		return -ENOMEM;
	while (cap < len + n)
		cap = cap > BUF_CAP_MAX / 2 ? BUF_CAP_MAX : cap * 2;
	if (b->start == 0) {
		data = realloc(b->data, cap);
		if (!data)
			return -ENOMEM;
	} else {
		/* not realloc: it would copy the consumed part as well */
		data = malloc(cap);
		if (!data)
			return -ENOMEM;
		memcpy(data, b->data + b->start, len);
		free(b->data);
		b->start = 0;
		b->end = len;
	}
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_reserve(struct buf *b, size_t n, char **ret)
{
	int r;

	if (UNLIKELY(!b->data || b->cap - b->end < n)) {
		/* Moving pays only when at least as much was consumed as must be moved:
		 * otherwise a reader of small pieces makes appending quadratic. */
		if (b->data && b->start >= buf_len(b) && b->cap - buf_len(b) >= n) {
			buf_to_front(b);
		} else {
			r = buf_grow(b, n);
			if (r < 0)
				return r;
		}
	}
	*ret = b->data + b->end;
	return 0;
}

void buf_commit(struct buf *b, size_t n)
{
	INVARIANT(n <= b->cap - b->end);
	b->end += n;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return r;
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->cap - b->end;
	va_list again;
	char *p;
	int n, r;

	/* most text fits into the room that is there, and is formatted only once */
	va_copy(again, ap);
	n = vsnprintf(b->data ? b->data + b->end : NULL, room, fmt, again);
	va_end(again);
	if (n < 0)
		return -errno;
	if ((size_t)n >= room) {
		r = buf_reserve(b, (size_t)n + 1, &p);
		if (r < 0)
			return r;
		n = vsnprintf(p, (size_t)n + 1, fmt, ap);
		if (n < 0)
			return -errno;
	}
	b->end += (size_t)n;
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	INVARIANT(n <= buf_len(b));
	b->start += n;
	if (b->start == b->end)
		buf_clear(b);
}

void buf_clear(struct buf *b)
{
	b->start = b->end = 0;
}

char *buf_steal_str(struct buf *b, size_t *ret_len)
{
	size_t len = buf_len(b);
	char *room, *text;

	if (buf_reserve(b, 1, &room) < 0)
		return NULL;
	*room = '\0';
	b->end++;
	buf_to_front(b);
	text = b->data;
	*b = (struct buf)BUF_NULL;
	if (ret_len)
		*ret_len = len;
	return text;
}

void buf_trim(struct buf *b, size_t keep)
{
	size_t len = buf_len(b), cap = MAX(len, keep);
	char *data;

	if (b->cap <= keep || len >= b->cap / 4)
		return;
	if (cap == 0) {
		buf_deinit(b);
		return;
	}
	buf_to_front(b);
	data = realloc(b->data, cap);
	if (!data)
		return; /* the larger allocation serves as well */
	b->data = data;
	b->cap = cap;
}

void rv_buf_free(rv_buf *b)
{
	free(b->data);
	*b = (rv_buf){0};
}
