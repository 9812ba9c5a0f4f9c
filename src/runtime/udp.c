/* Datagrams: endpoints, and awaiting on bare sockets. */
#include "config.h"

#include "reeve/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/debug_priv.h"
#include "runtime/net_priv.h"

enum {
	SIZE_MAX_BYTES = 65535,
	/* An empty datagram costs memory, too. */
	OVERHEAD = sizeof(struct sockaddr_storage),
};

/* one that waits until the socket takes it */
struct datagram {
	struct datagram *next;
	struct sockaddr_storage to;
	socklen_t len; /* 0: the one that the socket is connected to */
	size_t n;
	char data[];
};

void udp_clear(struct out_queue *q)
{
	struct datagram *d;

	while ((d = q->first_datagram)) {
		q->first_datagram = d->next;
		free(d);
	}
	q->last_datagram = NULL;
}

static int send_one(
	int fd, const void *p, size_t n, const struct sockaddr *to, socklen_t len)
{
	ssize_t k;

	do
		k = sendto(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT, len ? to : NULL, len);
	while (k < 0 && errno == EINTR);
	return k < 0 ? -errno : 0;
}

/* what a socket says when it can take no more now */
static bool is_full(int r)
{
	return r == -EAGAIN || r == -ENOBUFS;
}

static void tell_error(rv_transport *t, int err)
{
	if (t->protocol->ops->error_received && !t->closing)
		t->protocol->ops->error_received(t->protocol, err);
}

int udp_flush_one(rv_transport *t)
{
	struct datagram *d = t->out.first_datagram;
	int r = send_one(t->fd, d->data, d->n, (struct sockaddr *)&d->to, d->len);

	if (r == -EAGAIN)
		return 0;
	t->out.first_datagram = d->next;
	if (!d->next)
		t->out.last_datagram = NULL;
	t->out.size -= d->n + OVERHEAD;
	free(d);
	if (r < 0)
		tell_error(t, r);
	return !t->ending;
}

static int keep(rv_transport *t, const void *p, size_t n, const struct sockaddr *to,
	socklen_t len)
{
	struct datagram *d = malloc(sizeof(*d) + n);

	if (!d)
		return -ENOMEM;
	*d = (struct datagram){.len = len, .n = n};
	if (len)
		memcpy(&d->to, to, len);
	memcpy(d->data, p, n);
	if (t->out.last_datagram)
		t->out.last_datagram->next = d;
	else
		t->out.first_datagram = d;
	t->out.last_datagram = d;
	t->out.size += n + OVERHEAD;
	return transport_written(t, 0);
}

static bool is_connected(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	return getpeername(fd, (struct sockaddr *)&sa, &len) == 0;
}

int rv_udp_sendto(rv_transport *t, const void *p, size_t n, const struct sockaddr *to,
	socklen_t len)
{
	int r;

	if (WRONG_THREAD(transport_loop(t)))
		return -RV_EWRONGLOOP;
	if (t->kind != TRANSPORT_DATAGRAM || len > sizeof(struct sockaddr_storage) ||
		!to != !len)
		return -EINVAL;
	if (t->closing || n == 0)
		return 0;
	if (n > SIZE_MAX_BYTES)
		return -EMSGSIZE;
	if (!to == !is_connected(t->fd))
		return -EINVAL;
	if (t->out.size)
		return keep(t, p, n, to, len);
	r = send_one(t->fd, p, n, to, len);
	if (is_full(r))
		return keep(t, p, n, to, len);
	if (r < 0)
		tell_error(t, r);
	return r == -EMSGSIZE ? r : 0;
}

bool udp_read(rv_transport *t)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	rv_protocol *p = t->protocol;
	ssize_t n;

	n = recvfrom(t->fd, t->net->read_buf, READ_SIZE, MSG_DONTWAIT,
		(struct sockaddr *)&from, &len);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0 && errno != EINTR)
		tell_error(t, -errno);
	else if (n >= 0 && p->ops->datagram_received)
		p->ops->datagram_received(
			p, t->net->read_buf, (size_t)n, (struct sockaddr *)&from, len);
	return true;
}

/* -- opening ------------------------------------------------------------------------- */

int rv_udp_open_fd(int fd, rv_protocol *p, rv_transport **ret)
{
	socklen_t len = sizeof(int);
	rv_transport *t;
	int type, r;

	if (!p || !p->ops)
		return -EINVAL;
	if (!current.loop)
		return -RV_ENOTASK;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	if (type != SOCK_DGRAM)
		return -EINVAL;
	r = fd_set_nonblock(fd, true);
	if (r >= 0)
		r = fd_set_cloexec(fd, true);
	if (r >= 0)
		r = transport_new(&t, current.loop, fd, p, TRANSPORT_DATAGRAM);
	if (r < 0)
		return r;
	if (ret)
		*ret = t;
	transport_start(t);
	return 0;
}

static void freeaddrinfop(struct addrinfo **ai)
{
	if (*ai)
		freeaddrinfo(*ai);
}

static int lookup(struct addrinfo **ret, const char *host, const char *port, int family,
	int flags)
{
	const struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = flags};

	if (!host && !port)
		return 0;
	return rv_getaddrinfo(host, port ? port : "0", &hints, ret);
}

/* 0 and a socket of one family on which everything worked */
static int open_socket(int *ret_fd, int family, const struct addrinfo *local,
	const struct addrinfo *remote, const rv_udp_opts *o)
{
	_cleanup_close_ int fd = -1;
	int one = 1;

	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (o->broadcast &&
		setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)) < 0)
		return -errno;
	if (local && bind(fd, local->ai_addr, local->ai_addrlen) < 0)
		return -errno;
	if (remote && connect(fd, remote->ai_addr, remote->ai_addrlen) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_first(int *ret_fd, const struct addrinfo *local,
	const struct addrinfo *remote, const rv_udp_opts *o)
{
	const struct addrinfo *l = local, *m = remote;
	int r = -EADDRNOTAVAIL;

	/* every pair of the same family, until one works */
	do {
		m = remote;
		do {
			if (!l || !m || l->ai_family == m->ai_family)
				r = open_socket(ret_fd, l ? l->ai_family : m->ai_family,
					l, m, o);
			m = m ? m->ai_next : NULL;
		} while (m && r < 0);
		l = l ? l->ai_next : NULL;
	} while (l && r < 0);
	return r;
}

int rv_udp_open(const rv_udp_opts *o, rv_protocol *p, rv_transport **ret)
{
	_cleanup_(freeaddrinfop) struct addrinfo *local = NULL, *remote = NULL;
	_cleanup_close_ int fd = -1;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (!o || !p || !p->ops)
		return -EINVAL;
	r = lookup(&local, o->local_host, o->local_port, o->family, AI_PASSIVE);
	if (r >= 0)
		r = lookup(&remote, o->remote_host, o->remote_port, o->family, 0);
	if (r < 0)
		return r;
	if (!local && !remote)
		return -EINVAL;
	r = open_first(&fd, local, remote, o);
	if (r >= 0)
		r = rv_udp_open_fd(fd, p, ret);
	if (r >= 0)
		TAKE_FD(fd);
	return r;
}

/* -- bare sockets ---------------------------------------------------------------------- */

ssize_t rv_recvfrom(
	int fd, void *b, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
	struct rv_task *self;
	int r = await_begin_on(&self, fd, __func__);

	while (r >= 0) {
		ssize_t k = recvfrom(fd, b, n, flags | MSG_DONTWAIT, from, len);

		if (k >= 0)
			return k;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = errno == EINTR ? 0 : rv_wait_fd(fd, RV_READ);
	}
	return r;
}

ssize_t rv_sendto(int fd, const void *b, size_t n, int flags, const struct sockaddr *to,
	socklen_t len)
{
	struct rv_task *self;
	int r = await_begin_on(&self, fd, __func__);

	while (r >= 0) {
		ssize_t k =
			sendto(fd, b, n, flags | MSG_NOSIGNAL | MSG_DONTWAIT, to, len);

		if (k >= 0)
			return k;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = errno == EINTR ? 0 : rv_wait_fd(fd, RV_WRITE);
	}
	return r;
}
