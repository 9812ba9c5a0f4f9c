/* Servers: accepting, and what to do when there are no descriptors left. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "runtime/net_priv.h"

#define RETRY_AFTER RV_MS(200)

static void report(rv_server *s, const char *message, int err)
{
	rv_exc e = RV_EXC_NULL;

	e.message = message;
	e.err = err;
	e.fd = s->fd;
	rv_report(s->loop, &e);
}

void server_queue(rv_server *s)
{
	if (!link_is_linked(&s->ready.link))
		ready_append(s->loop, &s->ready);
}

void server_poll_cb(struct net_poll *p, unsigned ev)
{
	rv_server *s = CONTAINER_OF(p, rv_server, poll);

	s->readable = true;
	/* While descriptors are short the timer decides. */
	if (!s->paused && !rv_timer_active(&s->retry))
		server_queue(s);
}

void server_retry(void *arg)
{
	rv_server *s = arg;

	if (!s->paused)
		server_queue(s);
}

/* A connection: ours from here on. */
static void welcome(rv_server *s, int conn_fd)
{
	_cleanup_close_ int fd = conn_fd;
	rv_protocol *p;
	rv_transport *t;
	int one = 1;
	int r;

	if (s->accept && !s->accept(fd, s->arg))
		return;
	if (!s->loop) /* closed by the hook */
		return;
	if (s->is_inet)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	p = s->factory(s->arg);
	if (!p || !s->loop) {
		if (p && p->ops->destroy)
			p->ops->destroy(p);
		return;
	}
	r = transport_new(&t, s->loop, fd, p, TRANSPORT_SOCKET);
	if (r < 0) {
		report(s, "connection could not be set up", r);
		if (p->ops->destroy)
			p->ops->destroy(p);
		return;
	}
	TAKE_FD(fd);
	server_attach(s, t);
	transport_start(t);
}

static int accept_fd(rv_server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Tell one client that it cannot be served, with the descriptor kept for this.
 * 0: done; -EAGAIN: nobody waits; other: it did not work.
 */
static int refuse_one(rv_server *s, int err)
{
	int fd;

	if (s->reserve_fd < 0)
		return err;
	s->reserve_fd = close_safe(s->reserve_fd);
	fd = accept_fd(s);
	if (fd >= 0) {
		if (s->refused)
			s->refused(fd, err, s->arg);
		close_safe(fd);
	}
	if (s->loop)
		s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd >= 0 || fd == -ECONNABORTED ? 0 : fd;
}

static void starve(rv_server *s, int err)
{
	int r = 0;

	if (s->starved) {
		/* It was no passing shortage: better a word than silence. */
		for (int i = 0; i < s->backlog && r == 0 && s->loop; i++)
			r = refuse_one(s, err);
		if (!s->loop)
			return;
		if (r == -EAGAIN)
			s->readable = false;
	} else {
		report(s, "cannot accept connections, retrying", err);
	}
	s->starved = true;
	/* The edge has gone by: nothing but this timer comes back here. */
	rv_timer_start(&s->retry, rv_loop_now(s->loop) + RETRY_AFTER);
}

/* 0: go on; -EAGAIN: nobody waits; other: stop for now */
static int accept_one(rv_server *s)
{
	int fd = accept_fd(s);

	if (fd >= 0) {
		s->starved = false;
		welcome(s, fd);
		return 0;
	}
	switch (fd) {
	case -EAGAIN: s->readable = false; return fd;
	case -EINTR:
	case -ECONNABORTED: /* that client has left again */ return 0;
	case -EMFILE:
	case -ENFILE:
	case -ENOBUFS:
	case -ENOMEM: starve(s, fd); return fd;
	default:
		/* Linux passes on network errors of the new socket (EPROTO, ENETDOWN
		 * ...): another try may well succeed, but not in a tight loop. */
		report(s, "accept failed, retrying", fd);
		rv_timer_start(&s->retry, rv_loop_now(s->loop) + RETRY_AFTER);
		return fd;
	}
}

void server_run(struct rv_ready *r)
{
	rv_server *s = rv_server_ref(CONTAINER_OF(r, rv_server, ready));

	for (int i = 0; i < s->backlog; i++)
		if (!s->loop || s->paused || accept_one(s) < 0)
			break;
	if (s->loop && s->readable && !s->paused && !rv_timer_active(&s->retry))
		server_queue(s);
	rv_server_unref(s);
}
