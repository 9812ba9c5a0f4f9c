/* Transports: beginning, reading, end. Writing is in transport_write.c. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/net_priv.h"

/* -- reading ------------------------------------------------------------------ */

/*
 * When is the socket empty? The poll is edge-triggered: whoever takes it to be empty
 * when it is not waits for ever. A read that fills the buffer leaves the question open:
 * read on. One that does not has emptied the queue, and what arrives later makes a new
 * edge, in every order of events, because the kernel queues before it signals. So the
 * next read, which would only say -EAGAIN, is saved, except where something else than
 * an empty queue may have cut the read short:
 *
 * - the end of input came together with the data, in the same edge: NET_HUP says so;
 * - descriptors were attached, at which the kernel stops: MSG_CTRUNC says so (we
 * receive none, and they are closed by the kernel). Only recvmsg tells, which takes a
 * tenth longer than recv for a short request and its answer. So it is asked on the
 * first reads of a connection, and always once a peer has sent some. One that begins
 * to later is found out by net_doubt, which is late by a second at most, once;
 * - an error came together with the data, such as the reset of a peer that closed
 * without having read everything. The poll does not tell this from data; net_doubt
 * looks again. A mark of urgent data, which no peer of ours has a reason to send, ends
 * the same way.
 */
static ssize_t recv_told(rv_transport *t, void *p, size_t cap, bool *ret_cut)
{
	struct iovec iov = {.iov_base = p, .iov_len = cap};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(t->fd, &msg, MSG_DONTWAIT);

	if (n <= 0)
		return n;
	*ret_cut = msg.msg_flags & MSG_CTRUNC;
	if (*ret_cut)
		t->sends_fds = true;
	else if (t->n_told < TOLD_READS)
		t->n_told++;
	return n;
}

static ssize_t recv_plain(rv_transport *t, void *p, size_t cap)
{
	ssize_t n = recv(t->fd, p, cap, MSG_DONTWAIT);

	/* It was not empty then. What came just now is mistaken for that: no harm. */
	if (n > 0 && t->rechecked)
		t->sends_fds = true;
	return n;
}

static ssize_t recv_some(rv_transport *t, void *p, size_t cap, bool *ret_emptied)
{
	bool plain = t->n_told == TOLD_READS && !t->sends_fds;
	bool cut = false;
	ssize_t n;

	if (t->kind != TRANSPORT_SOCKET)
		return pipe_read(t->fd, p, cap);
	do
		n = plain ? recv_plain(t, p, cap) : recv_told(t, p, cap, &cut);
	while (n < 0 && errno == EINTR);
	t->rechecked = false;
	if (n < 0)
		return -errno;
	*ret_emptied = (size_t)n < cap && !t->hup && !cut;
	return n;
}

static bool wants_read(const rv_transport *t)
{
	return t->readable && !t->paused && !t->closing && !t->got_eof;
}

/*
 * The peer will neither send nor receive: its socket is closed. Nobody would notice
 * while there is nothing to write.
 */
static bool peer_is_gone(const rv_transport *t)
{
	struct pollfd pfd = {.fd = t->fd};

	/* After our own shutdown both directions are over, too, and nobody is gone. */
	if (t->eof_sent)
		return false;
	return poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLHUP | POLLERR));
}

static void check_gone(rv_transport *t)
{
	socklen_t len = sizeof(int);
	int err = 0;

	t->readable = false;
	if (!peer_is_gone(t))
		return;
	if (t->kind == TRANSPORT_SOCKET)
		(void)getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err == 0 && t->out.size)
		err = EPIPE;
	transport_finish(t, -err);
}

static void read_eof(rv_transport *t)
{
	rv_protocol *p = t->protocol;
	int r;

	t->readable = false;
	t->got_eof = true;
	LOOP_CALLBACK(t->net->loop, p->ops->eof_received);
	r = p->ops->eof_received ? p->ops->eof_received(p) : 0;
	if (r < 0)
		transport_fail(t, r, "eof_received failed");
	else if (r == 0 ||
		 t->kind == TRANSPORT_READER) /* nothing is left to do on it */
		rv_transport_close(t);
	else if (!t->closing)
		check_gone(t);
}

/* One read and what the protocol makes of it. */
static void read_once(rv_transport *t)
{
	rv_protocol *p = t->protocol;
	bool buffered = p->ops->get_buffer;
	size_t cap = READ_SIZE;
	char *dst = t->net->read_buf;
	bool emptied = false;
	ssize_t n;
	int r = 0;

	if (t->kind == TRANSPORT_DATAGRAM) {
		t->readable = udp_read(t);
		return;
	}
	if (buffered) {
		cap = 0;
		dst = p->ops->get_buffer(p, READ_SIZE, &cap);
		if (t->closing || t->protocol != p)
			return;
		if (!dst || !cap) {
			transport_fail(t, -ENOBUFS, "get_buffer gave no room");
			return;
		}
	}
	n = recv_some(t, dst, cap, &emptied);
	if (n == -EAGAIN) {
		t->readable = t->hup = false;
		return;
	}
	if (n < 0) {
		transport_fail(t, (int)n, "read failed");
		return;
	}
	if (n == 0) {
		read_eof(t);
		return;
	}
	if (emptied) {
		t->readable = false;
		net_doubt(t);
	}
	LOOP_CALLBACK(t->net->loop, buffered ? (void *)p->ops->buffer_updated
					     : (void *)p->ops->data_received);
	if (buffered)
		r = p->ops->buffer_updated ? p->ops->buffer_updated(p, (size_t)n) : 0;
	else if (p->ops->data_received)
		r = p->ops->data_received(p, dst, (size_t)n);
	if (r < 0)
		transport_fail(t, r, "protocol failed");
}

/* The turn of a transport in the ready queue. */
static void transport_run(struct rv_ready *ready)
{
	rv_transport *t = CONTAINER_OF(ready, rv_transport, ready);

	if (t->ending) {
		transport_end(t);
		return;
	}
	if (t->writable) {
		t->writable = false;
		transport_flush(t);
	}
	for (int i = 0; i < READS_MAX && wants_read(t); i++)
		read_once(t);
	if (t->readable && t->got_eof && !t->closing)
		check_gone(t);
	if (wants_read(t))
		transport_queue(t);
}

static void transport_poll_cb(struct net_poll *poll, unsigned ev)
{
	rv_transport *t = CONTAINER_OF(poll, rv_transport, poll);

	if (ev & RV_READ)
		t->readable = true;
	if (ev & NET_HUP)
		t->hup = true;
	if (ev & RV_WRITE)
		t->writable = true;
	if (t->writable || t->got_eof || wants_read(t))
		transport_queue(t);
}

void rv_transport_pause_reading(rv_transport *t)
{
	if (WRONG_THREAD(transport_loop(t)))
		return;
	t->paused = true;
}

void rv_transport_resume_reading(rv_transport *t)
{
	if (WRONG_THREAD(transport_loop(t)))
		return;
	if (!t->paused)
		return;
	t->paused = false;
	if (wants_read(t))
		transport_queue(t);
}

bool rv_transport_is_reading(const rv_transport *t)
{
	return !t->paused && !t->closing && !t->got_eof;
}

/* -- beginning ---------------------------------------------------------------- */

int transport_new(rv_transport **ret, rv_loop *l, int fd, rv_protocol *p,
	enum transport_kind kind)
{
	_cleanup_free_ rv_transport *t = NULL;
	struct net *net;
	int r;

	r = net_get(&net, l);
	if (r < 0)
		return r;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->ready.run = transport_run;
	t->poll.fn = transport_poll_cb;
	/* Nothing is called before the loop polls, so connection_made comes first. */
	r = net_poll_add(&t->poll, l, fd);
	if (r < 0)
		return r;
	t->net = net;
	t->protocol = p;
	t->fd = fd;
	t->kind = kind;
	t->eof_wanted = kind == TRANSPORT_READER;
	t->got_eof = kind == TRANSPORT_WRITER;
	t->high = MARK_HIGH;
	t->low = MARK_LOW;
	t->refs = 1;
	scope_node_init(&t->tasks, NULL, NULL, false);
	link_append(&net->transports, &t->link);
	*ret = TAKE_PTR(t);
	return 0;
}

void transport_start(rv_transport *t)
{
	struct current saved = current;
	rv_protocol *p = t->protocol;

	if (!p->ops->connection_made)
		return;
	/* It must not await, also where a task has connected: hide that. */
	current.task = NULL;
	LOOP_CALLBACK(t->net->loop, p->ops->connection_made);
	p->ops->connection_made(p, t);
	current = saved;
}

static int check_socket(int fd)
{
	int type, listening;
	socklen_t len = sizeof(int);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
		return -errno;
	if (type != SOCK_STREAM || listening)
		return -EINVAL;
	r = fd_set_nonblock(fd, true);
	return r < 0 ? r : fd_set_cloexec(fd, true);
}

int rv_net_open_fd(int fd, rv_protocol *p, rv_transport **ret)
{
	rv_transport *t;
	int r;

	if (!p || !p->ops)
		return -EINVAL;
	if (!current.loop)
		return -RV_ENOTASK;
	r = check_socket(fd);
	if (r < 0)
		return r;
	r = transport_new(&t, current.loop, fd, p, TRANSPORT_SOCKET);
	if (r < 0)
		return r;
	if (ret)
		*ret = t;
	transport_start(t);
	return 0;
}

/* -- the end ------------------------------------------------------------------ */

rv_transport *rv_transport_ref(rv_transport *t)
{
	if (WRONG_THREAD(transport_loop(t)))
		return t;
	t->refs++;
	return t;
}

void rv_transport_unref(rv_transport *t)
{
	if (WRONG_THREAD(t ? transport_loop(t) : NULL))
		return;
	if (!t)
		return;
	INVARIANT(t->refs > 0);
	if (--t->refs > 0)
		return;
	INVARIANT(!t->net);
	scope_node_deinit(&t->tasks);
	free(t->name);
	free(t);
}

void transport_finish(rv_transport *t, int err)
{
	if (t->ending)
		return;
	t->closing = t->ending = true;
	t->err = err;
	net_poll_remove(&t->poll);
	link_remove(&t->doubt_link);
	out_clear(&t->out);
	transport_queue(t);
}

void transport_fail(rv_transport *t, int err, const char *message)
{
	rv_exc e = RV_EXC_NULL;

	if (t->ending)
		return;
	transport_finish(t, err);
	/* That peers vanish is nothing to report. */
	if (err == -EPIPE || err == -ECONNRESET || err == -ECONNABORTED ||
		err == -ETIMEDOUT)
		return;
	e.message = message;
	e.err = err;
	e.fd = t->fd;
	e.transport = t;
	e.protocol = t->protocol;
	rv_report(t->net->loop, &e);
}

void transport_end(rv_transport *t)
{
	rv_loop *l = t->net->loop;
	rv_protocol *p = t->protocol;

	link_unlink(&t->link);
	/* with a closed loop its tasks are abandoned, and will never look */
	if (!l->closed && !link_is_empty(&t->tasks.children))
		scope_node_cancel(l, &t->tasks, "connection lost");
	LOOP_CALLBACK(l, p->ops->connection_lost);
	if (p->ops->connection_lost)
		p->ops->connection_lost(p, t->err);
	t->net = NULL;
	t->fd = close_safe(t->fd);
	p = t->protocol;
	t->protocol = NULL;
	if (p->ops->destroy)
		p->ops->destroy(p);
	if (t->server)
		server_detach(TAKE_PTR(t->server), t);
	rv_transport_unref(t);
}

void rv_transport_close(rv_transport *t)
{
	if (WRONG_THREAD(transport_loop(t)))
		return;
	if (t->closing)
		return;
	t->closing = true;
	if (!t->out.size)
		transport_finish(t, 0);
}

void rv_transport_abort(rv_transport *t)
{
	if (WRONG_THREAD(transport_loop(t)))
		return;
	transport_finish(t, 0);
}

bool rv_transport_is_closing(const rv_transport *t)
{
	(void)WRONG_THREAD(transport_loop(t)); /* answers all the same */
	return t->closing;
}
