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

static void report(struct listener *ls, const char *message, int err)
{
	rv_exc e = RV_EXC_NULL;

	e.message = message;
	e.err = err;
	e.fd = ls->fd;
	rv_report(ls->server->loop, &e);
}

void listener_queue(struct listener *ls)
{
	if (!link_is_linked(&ls->ready.link))
		ready_append(ls->server->loop, &ls->ready);
}

void listener_poll_cb(struct net_poll *p, unsigned ev)
{
	struct listener *ls = CONTAINER_OF(p, struct listener, poll);

	ls->readable = true;
	/* While descriptors are short the timer decides. */
	if (!ls->server->paused && !rv_timer_active(&ls->retry))
		listener_queue(ls);
}

void listener_retry(void *arg)
{
	struct listener *ls = arg;

	if (!ls->server->paused)
		listener_queue(ls);
}

/* A connection: ours from here on. */
static void welcome(struct listener *ls, int conn_fd)
{
	rv_server *s = ls->server;
	_cleanup_close_ int fd = conn_fd;
	rv_protocol *p;
	rv_transport *t;
	int one = 1;
	int r;

	if (s->accept && !s->accept(fd, s->arg))
		return;
	if (!s->loop) /* closed by the hook */
		return;
	if (ls->is_inet)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	p = s->factory(s->arg);
	if (!p || !s->loop) {
		if (p && p->ops->destroy)
			p->ops->destroy(p);
		return;
	}
	r = transport_new(&t, s->loop, fd, p, TRANSPORT_SOCKET);
	if (r < 0) {
		report(ls, "connection could not be set up", r);
		if (p->ops->destroy)
			p->ops->destroy(p);
		return;
	}
	TAKE_FD(fd);
	server_attach(s, t);
	transport_start(t);
}

static int accept_fd(struct listener *ls)
{
	int fd = accept4(ls->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Tell one client that it cannot be served, with the descriptor kept for this.
 * 0: done; -EAGAIN: nobody waits; other: it did not work.
 */
static int refuse_one(struct listener *ls, int err)
{
	rv_server *s = ls->server;
	int fd;

	if (s->reserve_fd < 0)
		return err;
	s->reserve_fd = close_safe(s->reserve_fd);
	fd = accept_fd(ls);
	if (fd >= 0) {
		if (s->refused)
			s->refused(fd, err, s->arg);
		close_safe(fd);
	}
	if (s->loop)
		s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd >= 0 || fd == -ECONNABORTED ? 0 : fd;
}

static void starve(struct listener *ls, int err)
{
	rv_server *s = ls->server;
	int r = 0;

	if (ls->starved) {
		/* It was no passing shortage: better a word than silence. */
		for (int i = 0; i < s->backlog && r == 0 && s->loop; i++)
			r = refuse_one(ls, err);
		if (!s->loop)
			return;
		if (r == -EAGAIN)
			ls->readable = false;
	} else {
		report(ls, "cannot accept connections, retrying", err);
	}
	ls->starved = true;
	/* The edge has gone by: nothing but this timer comes back here. */
	rv_timer_start(&ls->retry, rv_loop_now(s->loop) + RETRY_AFTER);
}

/* 0: go on; -EAGAIN: nobody waits; other: stop for now */
static int accept_one(struct listener *ls)
{
	int fd = accept_fd(ls);

	if (fd >= 0) {
		ls->starved = false;
		welcome(ls, fd);
		return 0;
	}
	switch (fd) {
	case -EAGAIN: ls->readable = false; return fd;
	case -EINTR:
	case -ECONNABORTED: /* that client has left again */ return 0;
	case -EMFILE:
	case -ENFILE:
	case -ENOBUFS:
	case -ENOMEM: starve(ls, fd); return fd;
	default:
		/* Linux passes on network errors of the new socket (EPROTO, ENETDOWN
		 * ...): another try may well succeed, but not in a tight loop. */
		report(ls, "accept failed, retrying", fd);
		rv_timer_start(&ls->retry, rv_loop_now(ls->server->loop) + RETRY_AFTER);
		return fd;
	}
}

void listener_run(struct rv_ready *r)
{
	struct listener *ls = CONTAINER_OF(r, struct listener, ready);
	rv_server *s = rv_server_ref(ls->server);

	for (int i = 0; i < s->backlog; i++)
		if (!s->loop || s->paused || accept_one(ls) < 0)
			break;
	if (s->loop && ls->readable && !s->paused && !rv_timer_active(&ls->retry))
		listener_queue(ls);
	rv_server_unref(s);
}
