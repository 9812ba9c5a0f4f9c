/* Listening at all addresses of a name. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "reeve/inet.h"
#include "runtime/stream_priv.h"

enum {
	SOCKETS_MAX = 32,   /* addresses of one name */
	PORT_TRIES_MAX = 8, /* to find a port that is free at all of them */
};

/* the sockets so far; closed unless taken */
struct sockets {
	int fds[SOCKETS_MAX];
	size_t n;
};

static void sockets_close(struct sockets *s)
{
	while (s->n > 0)
		close_safe(s->fds[--s->n]);
}

static void set_port(struct sockaddr *sa, in_port_t port)
{
	if (sa->sa_family == AF_INET)
		((struct sockaddr_in *)(void *)sa)->sin_port = port;
	else if (sa->sa_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)sa)->sin6_port = port;
}

static in_port_t port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return 0;
	return sa.ss_family == AF_INET
		       ? ((struct sockaddr_in *)(void *)&sa)->sin_port
		       : ((struct sockaddr_in6 *)(void *)&sa)->sin6_port;
}

static int listen_at(int *ret_fd, const struct addrinfo *ai, int backlog)
{
	_cleanup_close_ int fd = -1;
	int one = 1;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* connections that have just ended do not keep the port */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* the other family has a socket of its own */
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, backlog) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int describe(const struct addrinfo *ai, int r)
{
	char host[64], port[16];

	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port,
		    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return r;
	return rv_fail(r, "%s port %s: %s", host, port, rv_strerror(r));
}

/* A family that the machine has not is no reason to fail where there is another. */
static bool is_missing_family(int r)
{
	return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL;
}

static int listen_all(
	struct sockets *s, const struct addrinfo *list, int backlog, bool any_port)
{
	in_port_t port = 0;
	int missing = 0, r;

	for (const struct addrinfo *ai = list; ai && s->n < SOCKETS_MAX;
		ai = ai->ai_next) {
		if (any_port)
			set_port(ai->ai_addr, port);
		r = listen_at(&s->fds[s->n], ai, backlog);
		if (is_missing_family(r)) {
			missing = describe(ai, r);
			continue;
		}
		if (r < 0) {
			sockets_close(s);
			return describe(ai, r);
		}
		s->n++;
		if (any_port)
			port = port_of(s->fds[0]);
	}
	return s->n > 0 ? 0 : missing;
}

static void freeaddrinfop(struct addrinfo **ai)
{
	if (*ai)
		freeaddrinfo(*ai);
}

static int open_sockets(
	struct sockets *s, const char *host, const char *port, int backlog)
{
	_cleanup_(freeaddrinfop) struct addrinfo *list = NULL;
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	bool any_port = port && strcmp(port, "0") == 0;
	int r;

	if (!port)
		return -EINVAL;
	r = rv_getaddrinfo(host, port, &hints, &list);
	/* one that is free at the first address may be taken at the next */
	for (int i = 0; i < PORT_TRIES_MAX && r >= 0; i++) {
		r = listen_all(s, list, backlog, any_port);
		if (r >= 0 || r != -EADDRINUSE || !any_port)
			return r;
		r = i + 1 < PORT_TRIES_MAX ? 0 : r;
	}
	return r;
}

int rv_net_listen(const char *host, const char *port, rv_protocol_factory f, void *arg,
	const rv_listen_opts *o, rv_server **ret)
{
	static const rv_listen_opts defaults;
	_cleanup_(sockets_close) struct sockets s = {.n = 0};
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (!f || !ret)
		return -EINVAL;
	if (!o)
		o = &defaults;
	r = open_sockets(&s, host, port, o->backlog > 0 ? o->backlog : BACKLOG_DEFAULT);
	if (r >= 0)
		r = server_new(ret, s.fds, s.n, NULL, f, arg, o);
	if (r >= 0)
		s.n = 0; /* the server's */
	return r;
}
