/* Servers: listening and closing. Accepting is in server_accept.c. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/unix_socket.h"
#include "runtime/debug_priv.h"
#include "runtime/net_priv.h"

enum { MODE_DEFAULT = 0600 };

rv_server *rv_server_ref(rv_server *s)
{
	if (WRONG_THREAD(s->loop))
		return s;
	s->refs++;
	return s;
}

void rv_server_unref(rv_server *s)
{
	if (WRONG_THREAD(s ? s->loop : NULL))
		return;
	if (!s)
		return;
	INVARIANT(s->refs > 0);
	if (--s->refs > 0)
		return;
	INVARIANT(!s->loop && s->n_connections == 0);
	free(s->path);
	free(s);
}

static int check_listener(int fd, bool *ret_is_inet)
{
	int type, listening, domain;
	socklen_t len = sizeof(int);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return -errno;
	if (type != SOCK_STREAM || !listening)
		return -EINVAL;
	r = fd_set_nonblock(fd, true);
	if (r < 0)
		return r;
	*ret_is_inet = domain == AF_INET || domain == AF_INET6;
	return fd_set_cloexec(fd, true);
}

static void server_init(rv_server *s, size_t n, rv_protocol_factory f, void *arg,
	const rv_listen_opts *o)
{
	s->factory = f;
	s->arg = arg;
	s->accept = o->accept;
	s->refused = o->refused;
	s->backlog = o->backlog > 0 ? o->backlog : BACKLOG_DEFAULT;
	s->paused = o->paused;
	link_init(&s->connections);
	link_init(&s->waiters);
	s->n_listeners = n;
	for (size_t i = 0; i < n; i++)
		s->listeners[i].fd = -1;
	s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int listener_init(struct listener *ls, rv_server *s, rv_loop *l, int fd)
{
	int r = check_listener(fd, &ls->is_inet);

	if (r < 0)
		return r;
	ls->server = s;
	ls->ready.run = listener_run;
	ls->poll.fn = listener_poll_cb;
	rv_timer_init(&ls->retry, l, listener_retry, ls);
	r = net_poll_add(&ls->poll, l, fd);
	if (r >= 0)
		ls->fd = fd;
	return r;
}

static void listener_stop(struct listener *ls)
{
	net_poll_remove(&ls->poll);
	rv_timer_stop(&ls->retry);
	link_remove(&ls->ready.link);
}

/* The sockets are still the caller's. */
static void server_freep(rv_server **sp)
{
	rv_server *s = *sp;

	if (!s)
		return;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (s->listeners[i].fd >= 0)
			listener_stop(&s->listeners[i]);
	close_safe(s->reserve_fd);
	free(s->path);
	free(s);
}

static int keep_path(rv_server *s, const char *path)
{
	struct stat st;

	s->path = strdup(path);
	if (!s->path)
		return -ENOMEM;
	if (lstat(path, &st) < 0)
		return -errno;
	s->path_dev = st.st_dev;
	s->path_ino = st.st_ino;
	return 0;
}

int server_new(rv_server **ret, const int *fds, size_t n, const char *path,
	rv_protocol_factory f, void *arg, const rv_listen_opts *o)
{
	_cleanup_(server_freep) rv_server *s = NULL;
	rv_loop *l = o->loop ? o->loop : current.loop;
	struct net *net;
	int r;

	if (!l)
		return -RV_ENOTASK;
	r = net_get(&net, l);
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s) + n * sizeof(s->listeners[0]));
	if (!s)
		return -ENOMEM;
	server_init(s, n, f, arg, o);
	r = path ? keep_path(s, path) : 0;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = listener_init(&s->listeners[i], s, l, fds[i]);
	if (r < 0)
		return r;
	s->loop = l;
	s->refs = 2; /* the caller's, and that of the listening */
	link_append(&net->servers, &s->link);
	*ret = TAKE_PTR(s);
	return 0;
}

int rv_net_listen_unix(const char *path, rv_protocol_factory f, void *arg,
	const rv_listen_opts *o, rv_server **ret)
{
	static const rv_listen_opts defaults;
	_cleanup_close_ int fd = -1;
	int r;

	if (!path || !f || !ret)
		return -EINVAL;
	if (!o)
		o = &defaults;
	r = unix_listen(&fd, path, SOCK_STREAM, o->mode ? o->mode : MODE_DEFAULT,
		o->backlog > 0 ? o->backlog : BACKLOG_DEFAULT);
	if (r < 0)
		return r;
	r = server_new(ret, &fd, 1, o->keep_path ? NULL : path, f, arg, o);
	if (r < 0) {
		(void)unlink(path);
		return r;
	}
	TAKE_FD(fd);
	return 0;
}

int rv_net_listen_fd(int fd, rv_protocol_factory f, void *arg, const rv_listen_opts *o,
	rv_server **ret)
{
	static const rv_listen_opts defaults;

	if (!f || !ret)
		return -EINVAL;
	return server_new(ret, &fd, 1, NULL, f, arg, o ? o : &defaults);
}

int rv_server_start(rv_server *s)
{
	if (WRONG_THREAD(s->loop))
		return -RV_EWRONGLOOP;
	if (!s->loop)
		return -RV_ESTATE;
	s->paused = false;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (s->listeners[i].readable &&
			!rv_timer_active(&s->listeners[i].retry))
			listener_queue(&s->listeners[i]);
	return 0;
}

void rv_server_pause(rv_server *s)
{
	if (WRONG_THREAD(s->loop))
		return;
	s->paused = true;
}

static void wake_if_over(rv_server *s)
{
	if (!s->loop && s->n_connections == 0)
		waiters_wake_all(&s->waiters, 0);
}

void rv_server_close(rv_server *s)
{
	struct stat st;

	if (WRONG_THREAD(s->loop))
		return;
	if (!s->loop)
		return;
	for (size_t i = 0; i < s->n_listeners; i++)
		listener_stop(&s->listeners[i]);
	link_unlink(&s->link);
	/* Another may have replaced it, if ours was removed. */
	if (s->path && !s->loop->forked && lstat(s->path, &st) == 0 &&
		st.st_dev == s->path_dev && st.st_ino == s->path_ino)
		(void)unlink(s->path);
	for (size_t i = 0; i < s->n_listeners; i++)
		s->listeners[i].fd = close_safe(s->listeners[i].fd);
	s->reserve_fd = close_safe(s->reserve_fd);
	s->loop = NULL;
	wake_if_over(s);
	rv_server_unref(s);
}

bool rv_server_is_closed(const rv_server *s)
{
	(void)WRONG_THREAD(s->loop); /* answers all the same */
	return !s->loop;
}

size_t rv_server_connections(const rv_server *s)
{
	return s->n_connections;
}

int rv_server_address(
	const rv_server *s, size_t i, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	if (!s->loop || i >= s->n_listeners)
		return -ENOENT;
	*ret_len = sizeof(*ret);
	return getsockname(s->listeners[i].fd, (struct sockaddr *)ret, ret_len) < 0
		       ? -errno
		       : 0;
}

void server_attach(rv_server *s, rv_transport *t)
{
	t->server = rv_server_ref(s);
	link_append(&s->connections, &t->server_link);
	s->n_connections++;
}

void server_detach(rv_server *s, rv_transport *t)
{
	link_unlink(&t->server_link);
	s->n_connections--;
	wake_if_over(s);
	rv_server_unref(s);
}

int rv_server_wait_closed(rv_server *s)
{
	struct rv_task *self;
	struct waiter w = {0};
	int r = task_await_begin(&self);

	if (WRONG_THREAD(s->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (!s->loop && s->n_connections == 0)
		return 0;
	link_append(&s->waiters, &w.link);
	return task_wait(self, &w, "close of a server", s);
}

/* Ends are queued, so nobody leaves the list meanwhile. */
static void end_connections(rv_server *s, void (*end)(rv_transport *t))
{
	for (struct rv_link *it = s->connections.next; it != &s->connections;
		it = it->next)
		end(LINK_ENTRY(it, rv_transport, server_link));
}

/* closing, but with something that the peer has not taken */
static bool has_unsent(const rv_server *s)
{
	for (const struct rv_link *it = s->connections.next; it != &s->connections;
		it = it->next)
		if (LINK_ENTRY(it, rv_transport, server_link)->out.size)
			return true;
	return false;
}

int rv_server_shutdown(rv_server *s, rv_time grace)
{
	struct rv_task *self;
	rv_scope scope;
	bool is_late;
	int r = task_await_begin(&self);

	if (WRONG_THREAD(s->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	rv_server_close(s);
	end_connections(s, rv_transport_close);
	/* without a grace those that have nothing to send end as they would have */
	is_late = grace > 0 || has_unsent(s);
	if (grace > 0) {
		r = rv_timeout(&scope, grace);
		if (r < 0)
			return r;
		r = rv_scope_exit(&scope, rv_server_wait_closed(s));
		if (r != -ETIMEDOUT)
			return r;
	}
	end_connections(s, rv_transport_abort);
	r = rv_server_wait_closed(s);
	return r < 0 ? r : is_late ? -ETIMEDOUT : 0;
}
