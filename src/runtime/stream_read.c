/* Streams: reading. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/stream_priv.h"

enum { IN_KEEP = 4096 }; /* memory that an empty stream keeps */

/* -- coming in ----------------------------------------------------------------------
 */

static struct stream_reader *waiting_reader(const rv_stream *s)
{
	struct rv_link *it = link_first(&s->reader);

	return it ? CONTAINER_OF(LINK_ENTRY(it, struct waiter, link),
			    struct stream_reader, w)
		  : NULL;
}

static void reader_wake(struct stream_reader *rd)
{
	waiter_prefetch(&rd->w);
	waiter_wake(&rd->w, 0);
}

void stream_wake_reader(rv_stream *s)
{
	waiters_wake_all(&s->reader, 0);
}

int stream_feed(rv_stream *s, const char *p, size_t n)
{
	struct stream_reader *rd = waiting_reader(s);
	int r;

	if (rd && rd->dst && !buf_len(&s->in)) {
		/* The task wants no more than bytes: they need not be copied twice. */
		rd->got = MIN(n, rd->room);
		memcpy(rd->dst, p, rd->got);
		p += rd->got;
		n -= rd->got;
		reader_wake(rd);
		rd = NULL;
	}
	if (!n)
		return 0;
	r = buf_append(&s->in, p, n);
	if (r < 0)
		return r;
	if (rd && buf_len(&s->in) >= rd->need) {
		reader_wake(rd);
		rd = NULL;
	}
	/* a task that needs more gets it, whatever the limit: what it asked for is one
	 */
	if (!rd && buf_len(&s->in) > 2 * s->limit)
		rv_transport_pause_reading(s->transport);
	return 0;
}

/* -- going out ----------------------------------------------------------------------
 */

static void stream_resume(rv_stream *s)
{
	if (s->transport && s->transport->paused)
		rv_transport_resume_reading(s->transport);
}

/* n bytes at the front are done with. */
static void stream_consume(rv_stream *s, size_t n)
{
	buf_consume(&s->in, n);
	if (!buf_len(&s->in))
		buf_trim(&s->in, IN_KEEP);
}

static size_t stream_take(rv_stream *s, void *b, size_t n)
{
	size_t k = MIN(n, buf_len(&s->in));

	if (k) {
		memcpy(b, buf_head(&s->in), k);
		stream_consume(s, k);
	}
	if (buf_len(&s->in) <= s->limit)
		stream_resume(s);
	return k;
}

/*
 * Lend out n bytes at the front: they stay in place until the next read begins. Nothing
 * is read from the socket meanwhile, as the buffer could have to move.
 */
static void stream_hold(rv_stream *s, size_t n, const char **out, size_t *ret_n)
{
	s->held = n;
	*out = buf_head(&s->in);
	*ret_n = n;
	if (n && s->transport)
		rv_transport_pause_reading(s->transport);
}

/* Open every read. */
static inline __attribute__((always_inline)) int read_begin(
	rv_stream *s, struct rv_task **ret_self, const char *fn)
{
	int r;

	if (WRONG_THREAD_FOR(stream_loop(s), fn))
		return -RV_EWRONGLOOP;
	r = task_await_begin_of(ret_self, fn);
	if (r < 0)
		return r;
	if (s->reading)
		return -EBUSY;
	if (s->held) {
		stream_consume(s, s->held);
		s->held = 0;
	}
	return 0;
}

/* Nothing more will come, and why: 0 for the end. 1: something may. */
static int stream_is_over(const rv_stream *s)
{
	if (s->eof)
		return 0;
	return s->lost ? s->err : 1;
}

static int stream_wait(rv_stream *s, struct rv_task *self, struct stream_reader *rd)
{
	int r;

	rd->got = 0;
	rd->w.link = (struct rv_link){0};
	link_append(&s->reader, &rd->w.link);
	stream_resume(s);
	s->reading = true;
	r = task_wait(self, &rd->w, "data of a stream", s);
	s->reading = false;
	return r;
}

ssize_t rv_stream_read(rv_stream *s, void *b, size_t n)
{
	struct stream_reader rd = {
		.dst = b, .room = MIN(n, (size_t)SSIZE_MAX), .need = 1};
	struct rv_task *self;
	int r = read_begin(s, &self, __func__);

	if (r < 0 || n == 0)
		return r;
	for (;;) {
		if (buf_len(&s->in))
			return (ssize_t)stream_take(s, b, rd.room);
		r = stream_is_over(s);
		if (r <= 0)
			return r;
		r = stream_wait(s, self, &rd);
		if (r < 0)
			return r;
		if (rd.got)
			return (ssize_t)rd.got;
	}
}

int rv_stream_readexactly(rv_stream *s, void *b, size_t n, size_t *got)
{
	struct stream_reader rd = {.need = n};
	struct rv_task *self;
	size_t k;
	int r = read_begin(s, &self, __func__);

	if (r < 0)
		return r;
	while (buf_len(&s->in) < n) {
		r = stream_is_over(s);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		r = stream_wait(s, self, &rd);
		if (r < 0)
			return r;
	}
	k = stream_take(s, b, n);
	if (got)
		*got = k;
	return k == n ? 0 : -RV_EINCOMPLETE;
}

/*
 * Wait until sep is there and say where it begins. -RV_ELIMIT: *ret_at bytes come
 * before anything that could be its beginning, or before it (*ret_found).
 * -RV_EINCOMPLETE.
 */
static int find_sep(rv_stream *s, struct rv_task *self, const char *sep, size_t nsep,
	size_t *ret_at, bool *ret_found)
{
	struct stream_reader rd = {0};
	size_t from = 0; /* no separator begins before this */

	*ret_found = false;
	for (;;) {
		size_t len = buf_len(&s->in);
		const char *head = buf_head(&s->in);
		const char *at = len >= from + nsep
					 ? memmem(head + from, len - from, sep, nsep)
					 : NULL;
		int r;

		if (at) {
			*ret_found = true;
			*ret_at = (size_t)(at - head);
			return *ret_at > s->limit ? -RV_ELIMIT : 0;
		}
		if (len >= nsep)
			from = len - nsep + 1;
		if (from > s->limit) {
			*ret_at = from;
			return -RV_ELIMIT;
		}
		r = stream_is_over(s);
		if (r <= 0)
			return r < 0 ? r : -RV_EINCOMPLETE;
		rd.need = len + 1;
		r = stream_wait(s, self, &rd);
		if (r < 0)
			return r;
	}
}

int rv_stream_readuntil(
	rv_stream *s, const void *sep, size_t nsep, const char **out, size_t *n)
{
	struct rv_task *self;
	bool found;
	size_t at;
	int r;

	if (!nsep || !sep)
		return -EINVAL;
	r = read_begin(s, &self, __func__);
	if (r < 0)
		return r;
	r = find_sep(s, self, sep, nsep, &at, &found);
	if (r == 0)
		stream_hold(s, at + nsep, out, n);
	if (r == -RV_EINCOMPLETE)
		stream_hold(s, buf_len(&s->in), out, n);
	if (r == -RV_ELIMIT) {
		*out = NULL;
		*n = at;
	}
	return r;
}

int rv_stream_readline(rv_stream *s, const char **out, size_t *n)
{
	struct rv_task *self;
	bool found;
	size_t at;
	int r = read_begin(s, &self, __func__);

	if (r < 0)
		return r;
	r = find_sep(s, self, "\n", 1, &at, &found);
	if (r == -RV_ELIMIT) {
		stream_consume(s, found ? at + 1 : buf_len(&s->in));
		return r;
	}
	if (r < 0 && r != -RV_EINCOMPLETE)
		return r;
	stream_hold(s, r < 0 ? buf_len(&s->in) : at + 1, out, n);
	return 0;
}

int rv_stream_read_all(rv_stream *s, size_t max, char **out, size_t *n)
{
	struct stream_reader rd = {.need = SIZE_MAX};
	struct rv_task *self;
	char *text;
	int r = read_begin(s, &self, __func__);

	if (r < 0)
		return r;
	rd.need = max < SIZE_MAX ? max + 1 : max;
	while ((r = stream_is_over(s)) > 0) {
		if (buf_len(&s->in) > max)
			break;
		r = stream_wait(s, self, &rd);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (buf_len(&s->in) > max)
		return -RV_ELIMIT;
	text = buf_steal_str(&s->in, n);
	if (!text)
		return -ENOMEM;
	*out = text;
	return 0;
}

bool rv_stream_at_eof(const rv_stream *s)
{
	(void)WRONG_THREAD(stream_loop(s)); /* answers all the same */
	return s->eof && buf_len(&s->in) == s->held;
}

int rv_stream_set_limit(rv_stream *s, size_t limit)
{
	if (WRONG_THREAD(stream_loop(s)))
		return -RV_EWRONGLOOP;
	if (limit == 0 || limit > SIZE_MAX / 4)
		return -EINVAL;
	s->limit = limit;
	return 0;
}
