/* Streams: life, writing. Reading is in stream_read.c, serving in stream_serve.c. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/stream_priv.h"

#define LIMIT_DEFAULT ((size_t)64 * 1024)

static rv_stream *stream_of(rv_protocol *p)
{
	return CONTAINER_OF(p, rv_stream, protocol);
}

/* -- the protocol ----------------------------------------------------------------- */

static void on_made(rv_protocol *p, rv_transport *t)
{
	stream_of(p)->transport = t;
}

static int on_data(rv_protocol *p, const void *buf, size_t n)
{
	return stream_feed(stream_of(p), buf, n);
}

static int on_eof(rv_protocol *p)
{
	rv_stream *s = stream_of(p);

	s->eof = true;
	stream_wake_reader(s);
	return 1; /* what was asked for may still be answered */
}

static void on_pause(rv_protocol *p)
{
	stream_of(p)->writing_paused = true;
}

static void on_resume(rv_protocol *p)
{
	rv_stream *s = stream_of(p);

	s->writing_paused = false;
	waiters_wake_all(&s->drainers, 0);
}

static int drain_error(const rv_stream *s)
{
	return s->err ? s->err : -ECONNRESET;
}

static void on_lost(rv_protocol *p, int err)
{
	rv_stream *s = stream_of(p);

	s->transport = NULL;
	s->lost = true;
	s->err = err;
	if (!err)
		s->eof = true;
	stream_wake_reader(s);
	waiters_wake_all(&s->drainers, drain_error(s));
	waiters_wake_all(&s->closers, err);
}

static void stream_free(rv_stream *s)
{
	buf_deinit(&s->in);
	free(s);
}

static void on_destroy(rv_protocol *p)
{
	rv_stream *s = stream_of(p);

	s->attached = false;
	if (s->refs == 0)
		stream_free(s);
}

const rv_protocol_ops stream_ops = {
	.connection_made = on_made,
	.data_received = on_data,
	.eof_received = on_eof,
	.pause_writing = on_pause,
	.resume_writing = on_resume,
	.connection_lost = on_lost,
	.destroy = on_destroy,
};

/* -- life ---------------------------------------------------------------------------
 */

int stream_new(rv_stream **ret, rv_loop *l)
{
	rv_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->protocol.ops = &stream_ops;
	s->loop = l;
	s->limit = LIMIT_DEFAULT;
	s->refs = 1;
	link_init(&s->reader);
	link_init(&s->drainers);
	link_init(&s->closers);
	*ret = s;
	return 0;
}

rv_stream *rv_stream_ref(rv_stream *s)
{
	if (WRONG_THREAD(stream_loop(s)))
		return s;
	s->refs++;
	return s;
}

void rv_stream_unref(rv_stream *s)
{
	if (WRONG_THREAD(s ? stream_loop(s) : NULL))
		return;
	if (!s)
		return;
	INVARIANT(s->refs > 0);
	if (--s->refs > 0)
		return;
	if (!s->attached) {
		stream_free(s);
		return;
	}
	if (s->transport && !rv_transport_is_closing(s->transport)) {
		rv_exc e = RV_EXC_NULL;

		e.message = "stream was dropped without being closed";
		e.transport = s->transport;
		e.fd = s->transport->fd;
		rv_report(s->loop, &e);
		rv_transport_abort(s->transport);
	}
}

int stream_opened(rv_stream **ret, rv_stream *s, int r)
{
	if (r < 0) {
		rv_stream_unref(s);
		return r;
	}
	s->attached = true;
	*ret = s;
	return 0;
}

int rv_stream_open_fd(int fd, rv_stream **ret)
{
	rv_stream *s;
	int r;

	if (!current.loop)
		return -RV_ENOTASK;
	r = stream_new(&s, current.loop);
	if (r < 0)
		return r;
	r = rv_net_open_fd(fd, &s->protocol, NULL);
	return stream_opened(ret, s, r);
}

int rv_stream_connect_unix(const char *path, rv_stream **ret)
{
	rv_stream *s;
	int r;

	if (!current.loop)
		return -RV_ENOTASK;
	r = stream_new(&s, current.loop);
	if (r < 0)
		return r;
	r = rv_net_connect_unix(path, &s->protocol, NULL);
	return stream_opened(ret, s, r);
}

/* -- writing ------------------------------------------------------------------------
 */

static inline int write_some(rv_stream *s, const void *b, size_t n)
{
	return s->transport ? transport_write(s->transport, b, n) : 0;
}

int rv_stream_write(rv_stream *s, const void *b, size_t n)
{
	if (WRONG_THREAD(stream_loop(s)))
		return -RV_EWRONGLOOP;
	return write_some(s, b, n);
}

int rv_stream_printf(rv_stream *s, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	char line[512];
	const char *p = line;
	va_list ap;
	int n;

	if (WRONG_THREAD(stream_loop(s)))
		return -RV_EWRONGLOOP;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -errno;
	if ((size_t)n >= sizeof(line)) {
		va_start(ap, fmt);
		n = vasprintf(&text, fmt, ap);
		va_end(ap);
		if (n < 0) {
			text = NULL; /* undefined after a failure */
			return -ENOMEM;
		}
		p = text;
	}
	return rv_stream_write(s, p, (size_t)n);
}

/* NOINLINE: the waiter would make the frame of those that need not wait larger. */
static NOINLINE int drain_wait(rv_stream *s, struct rv_task *self)
{
	struct waiter w = {0};
	int r;

	/* That it is lost comes in the next round; without this, who writes in a loop
	 * would go on into nothing until then. */
	if (s->transport && s->transport->closing) {
		r = rv_yield();
		if (r < 0)
			return r;
	}
	if (s->lost)
		return drain_error(s);
	if (!s->writing_paused)
		return 0;
	link_append(&s->drainers, &w.link);
	return task_wait(self, &w, "drain of a stream", s);
}

static inline int drain(rv_stream *s, struct rv_task *self)
{
	if (LIKELY(s->transport && !s->transport->closing && !s->writing_paused))
		return 0;
	return drain_wait(s, self);
}

int rv_stream_drain(rv_stream *s)
{
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (WRONG_THREAD(stream_loop(s)))
		return -RV_EWRONGLOOP;
	return r < 0 ? r : drain(s, self);
}

int rv_stream_send(rv_stream *s, const void *b, size_t n)
{
	struct rv_task *self = current.task;
	int r;

	if (WRONG_THREAD(stream_loop(s)))
		return -RV_EWRONGLOOP;
	/* refused before anything is written, so that -ECANCELED at once means just
	 * that */
	if (!self)
		return -RV_ENOTASK;
	if (self->scope->cancelled)
		return rv_stream_drain(s);
	r = write_some(s, b, n);
	if (r >= 0)
		r = task_await_begin(&self);
	return r < 0 ? r : drain(s, self);
}

int rv_stream_write_eof(rv_stream *s)
{
	if (WRONG_THREAD(stream_loop(s)))
		return -RV_EWRONGLOOP;
	return s->transport ? rv_transport_write_eof(s->transport) : 0;
}

void rv_stream_close(rv_stream *s)
{
	if (WRONG_THREAD(stream_loop(s)))
		return;
	if (s->transport)
		rv_transport_close(s->transport);
}

void rv_stream_abort(rv_stream *s)
{
	if (WRONG_THREAD(stream_loop(s)))
		return;
	if (s->transport)
		rv_transport_abort(s->transport);
}

bool rv_stream_is_closing(const rv_stream *s)
{
	(void)WRONG_THREAD(stream_loop(s)); /* answers all the same */
	return !s->transport || rv_transport_is_closing(s->transport);
}

int rv_stream_wait_closed(rv_stream *s)
{
	struct rv_task *self;
	struct waiter w = {0};
	int r = task_await_begin(&self);

	if (WRONG_THREAD(stream_loop(s)))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (s->lost)
		return s->err;
	link_append(&s->closers, &w.link);
	return task_wait(self, &w, "close of a stream", s);
}

rv_transport *rv_stream_transport(const rv_stream *s)
{
	return s->transport;
}
