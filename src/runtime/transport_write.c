/* Transports: writing, and telling the protocol when to stop. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/net_priv.h"

enum {
	CHUNK_SIZE = 4096, /* with its header; small writes share one */
	FLUSH_IOV = 32,
	IGNORED_REPORT = 5,
};

/* -- the queue ---------------------------------------------------------------- */

static void chunk_free(struct out_chunk *c)
{
	if (c->dtor)
		c->dtor(c->owned);
	free(c);
}

void out_clear(struct out_queue *q)
{
	struct out_chunk *c;

	udp_clear(q);
	while ((c = q->first)) {
		q->first = c->next;
		chunk_free(c);
	}
	q->last = NULL;
	q->size = 0;
}

static void out_push(struct out_queue *q, struct out_chunk *c)
{
	if (q->last)
		q->last->next = c;
	else
		q->first = c;
	q->last = c;
}

static int out_append(struct out_queue *q, const char *p, size_t n)
{
	struct out_chunk *last = q->last;
	size_t k = last ? MIN(n, last->room) : 0;
	struct out_chunk *c;
	size_t size;

	if (k < n) {
		if (__builtin_add_overflow(sizeof(*c), n - k, &size))
			return -ENOMEM;
		size = MAX(size, (size_t)CHUNK_SIZE);
		c = malloc(size);
		if (!c)
			return -ENOMEM;
		*c = (struct out_chunk){
			.data = c->mem,
			.n = n - k,
			.room = size - sizeof(*c) - (n - k),
		};
		memcpy(c->mem, p + k, n - k);
		out_push(q, c);
	}
	if (k) {
		memcpy((char *)last->data + last->n, p, k);
		last->n += k;
		last->room -= k;
	}
	q->size += n;
	return 0;
}

static int out_append_owned(
	struct out_queue *q, const char *p, size_t n, void *owned, rv_dtor d)
{
	struct out_chunk *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct out_chunk){.data = p, .n = n, .owned = owned, .dtor = d};
	out_push(q, c);
	q->size += n;
	return 0;
}

static void out_consume(struct out_queue *q, size_t n)
{
	q->size -= n;
	while (n) {
		struct out_chunk *c = q->first;
		size_t k = MIN(n, c->n);

		c->data += k;
		c->n -= k;
		n -= k;
		if (c->n)
			return;
		q->first = c->next;
		if (!q->first)
			q->last = NULL;
		chunk_free(c);
	}
}

/* -- flow control --------------------------------------------------------------- */

/* May call the protocol. */
static void check_marks(rv_transport *t)
{
	rv_protocol *p = t->protocol;

	if (t->ending)
		return;
	if (!t->writing_paused && t->out.size > t->high) {
		t->writing_paused = true;
		if (p->ops->pause_writing)
			p->ops->pause_writing(p);
	} else if (t->writing_paused && t->out.size <= t->low) {
		t->writing_paused = false;
		if (p->ops->resume_writing)
			p->ops->resume_writing(p);
	}
}

int rv_transport_set_watermarks(rv_transport *t, size_t high, size_t low)
{
	if (WRONG_THREAD(transport_loop(t)))
		return -RV_EWRONGLOOP;
	if (high < low)
		return -EINVAL;
	t->high = high;
	t->low = low;
	check_marks(t);
	return 0;
}

void rv_transport_watermarks(const rv_transport *t, size_t *high, size_t *low)
{
	*high = t->high;
	*low = t->low;
}

size_t rv_transport_buffered(const rv_transport *t)
{
	return t->out.size;
}

/* -- sending ------------------------------------------------------------------ */

/* How many bytes the kernel took of what goes to a socket; 0 also for "not now". */
static inline ssize_t send_piece(rv_transport *t, const void *p, size_t n)
{
	ssize_t k;

	do
		k = send(t->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		return errno == EAGAIN ? 0 : -errno;
	return k;
}

/* The same for pieces, and for pipes, too. */
static ssize_t send_some(rv_transport *t, const struct iovec *v, int n)
{
	struct msghdr msg = {
		.msg_iov = (struct iovec *)v,
		.msg_iovlen = (size_t)MIN(n, IOV_MAX),
	};
	ssize_t k;

	if (t->kind != TRANSPORT_SOCKET) {
		k = pipe_writev(t->fd, v, (int)msg.msg_iovlen);
		return k == -EAGAIN ? 0 : k;
	}
	if (n == 1)
		return send_piece(t, v->iov_base, v->iov_len);
	do
		k = sendmsg(t->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		return errno == EAGAIN ? 0 : -errno;
	return k;
}

/* Everything is sent: what was waiting for that? */
static void flushed(rv_transport *t)
{
	if (t->eof_wanted && !t->eof_sent) {
		t->eof_sent = true;
		if (t->kind ==
			TRANSPORT_WRITER) { /* closing it is the only way to say so */
			transport_finish(t, 0);
			return;
		}
		/* fails only if the peer is gone, which reading tells */
		(void)shutdown(t->fd, SHUT_WR);
	}
	if (t->closing)
		transport_finish(t, 0);
}

static ssize_t flush_once(rv_transport *t)
{
	struct iovec v[FLUSH_IOV];
	size_t wanted = 0;
	int n = 0;
	ssize_t k;

	for (struct out_chunk *c = t->out.first; c && n < FLUSH_IOV; c = c->next) {
		v[n++] = (struct iovec){.iov_base = (void *)c->data, .iov_len = c->n};
		wanted += c->n;
	}
	k = send_some(t, v, n);
	if (k < 0)
		return k;
	out_consume(&t->out, (size_t)k);
	return (size_t)k == wanted; /* 0: the socket is full */
}

void transport_flush(rv_transport *t)
{
	ssize_t r = 1;

	if (t->ending)
		return;
	if (!t->out.size) {
		/* This edge was for nothing: the peer goes on reading and there will be
		 * more of them. Not switched off sooner, as who fills the socket once
		 * mostly does it again. */
		(void)net_poll_want_write(&t->poll, false);
		return;
	}
	for (int i = 0; i < FLUSHES_MAX && r > 0 && t->out.size; i++)
		r = t->kind == TRANSPORT_DATAGRAM ? udp_flush_one(t) : flush_once(t);
	if (r < 0) {
		transport_fail(t, (int)r, "write failed");
		return;
	}
	if (r > 0 && t->out.size) {
		t->writable = true; /* others' turn */
		transport_queue(t);
	}
	if (!t->out.size)
		flushed(t);
	check_marks(t);
}

/* Whether a write may go on: 1, 0: ignore it, -RV_ESTATE. */
static int write_check(rv_transport *t)
{
	/* Once it is lost the transport knows no loop any more. */
	rv_loop *l = t->net ? t->net->loop : current.loop;
	rv_exc e = RV_EXC_NULL;

	if (t->closing) {
		if (t->n_ignored < IGNORED_REPORT && ++t->n_ignored == IGNORED_REPORT &&
			l) {
			e.message = "writing goes on after the connection was closed";
			e.fd = t->fd;
			e.transport = t;
			e.protocol = t->protocol;
			rv_report(l, &e);
		}
		return 0;
	}
	return t->eof_wanted || t->kind == TRANSPORT_DATAGRAM ? -RV_ESTATE : 1;
}

/* Something was put into the queue (r >= 0), or could not be. */
int transport_written(rv_transport *t, int r)
{
	if (r >= 0)
		r = net_poll_want_write(&t->poll, true);
	if (r < 0) {
		transport_fail(t, r, "data to be written could not be kept");
		return r;
	}
	check_marks(t);
	return 0;
}

/* What the kernel did not take, after a send that came to k. */
static int write_rest(rv_transport *t, const struct iovec *v, int n, ssize_t k)
{
	size_t sent = (size_t)k;
	int r = 0;

	if (k < 0) {
		transport_fail(t, (int)k, "write failed");
		return 0;
	}
	for (; n > 0 && sent >= v->iov_len; n--, v++)
		sent -= v->iov_len;
	if (n == 0)
		return 0;
	for (; n > 0 && r >= 0; n--, v++, sent = 0)
		r = out_append(
			&t->out, (const char *)v->iov_base + sent, v->iov_len - sent);
	return transport_written(t, r);
}

int rv_transport_writev(rv_transport *t, const struct iovec *v, int n)
{
	int r;

	if (WRONG_THREAD(transport_loop(t)))
		return -RV_EWRONGLOOP;
	r = write_check(t);
	if (r <= 0)
		return r;
	if (n < 0)
		return -EINVAL;
	if (n == 0)
		return 0;
	return write_rest(t, v, n, t->out.size ? 0 : send_some(t, v, n));
}

int transport_write(rv_transport *t, const void *p, size_t n)
{
	struct iovec v = {.iov_base = (void *)p, .iov_len = n};
	ssize_t k;

	/* mostly: nothing is in the way, and the kernel takes it all */
	if (UNLIKELY(t->closing || t->eof_wanted || t->kind != TRANSPORT_SOCKET ||
		     t->out.size || !n))
		return rv_transport_writev(t, &v, n ? 1 : 0);
	k = send_piece(t, p, n);
	if (LIKELY(k == (ssize_t)n))
		return 0;
	return write_rest(t, &v, 1, k);
}

int rv_transport_write(rv_transport *t, const void *p, size_t n)
{
	if (WRONG_THREAD(transport_loop(t)))
		return -RV_EWRONGLOOP;
	return transport_write(t, p, n);
}

int rv_transport_write_take(rv_transport *t, void *p, size_t n, rv_dtor d)
{
	struct iovec v = {.iov_base = p, .iov_len = n};
	int r = WRONG_THREAD(transport_loop(t)) ? -RV_EWRONGLOOP : write_check(t);
	ssize_t k = 0;

	if (r > 0 && n && !t->out.size) {
		k = send_some(t, &v, 1);
		if (k < 0) {
			transport_fail(t, (int)k, "write failed");
			r = 0;
		}
	}
	if (r > 0 && (size_t)k < n) {
		r = out_append_owned(&t->out, (char *)p + k, n - (size_t)k, p, d);
		if (r < 0 && d)
			d(p);
		return transport_written(t, r);
	}
	if (d)
		d(p);
	return MIN(r, 0);
}

int rv_transport_write_eof(rv_transport *t)
{
	if (WRONG_THREAD(transport_loop(t)))
		return -RV_EWRONGLOOP;
	if (t->closing || t->eof_wanted)
		return 0;
	t->eof_wanted = true;
	if (!t->out.size)
		flushed(t);
	return 0;
}
