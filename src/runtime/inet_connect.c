/* Connecting by name: look up, then race the addresses. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "reeve/inet.h"
#include "reeve/wait.h"
#include "runtime/net_priv.h"

#define STAGGER_DEFAULT RV_MS(250)

static void freeaddrinfop(struct addrinfo **ai)
{
	if (*ai)
		freeaddrinfo(*ai);
}

int rv_connect_fd(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct rv_task *self;
	int err = 0, r = await_begin_on(&self, fd, __func__);
	socklen_t n = sizeof(err);

	if (r < 0)
		return r;
	/* interrupted: it goes on all the same, as it does after a cancel (EALREADY) */
	if (connect(fd, sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR && errno != EALREADY)
		return -errno;
	r = rv_wait_fd(fd, RV_WRITE);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		return -errno;
	return -err;
}

/* -- one address --------------------------------------------------------------------- */

struct attempt {
	const struct addrinfo *to;
	const struct addrinfo *from; /* a list; NULL: any */
	int fd;                      /* -1 unless connected */
};

static int bind_from(int fd, const struct attempt *a)
{
	int r = -EADDRNOTAVAIL;

	if (!a->from)
		return 0;
	for (const struct addrinfo *ai = a->from; ai && r < 0; ai = ai->ai_next)
		if (ai->ai_family == a->to->ai_family)
			r = bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ? -errno : 0;
	return r;
}

static int try_one(void *arg)
{
	_cleanup_close_ int fd = -1;
	struct attempt *a = arg;
	int one = 1, r;

	fd = socket(a->to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_from(fd, a);
	if (r < 0)
		return r;
	r = rv_connect_fd(fd, a->to->ai_addr, a->to->ai_addrlen);
	if (r < 0)
		return r;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	a->fd = TAKE_FD(fd);
	return 0;
}

/* -- all of them --------------------------------------------------------------------- */

/* Families take turns, beginning with that of the first, which the resolver prefers. */
static void interleave(const struct addrinfo **v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct addrinfo *ai;
		size_t j = i;

		while (j < n && v[j]->ai_family == v[i - 1]->ai_family)
			j++;
		if (j == n)
			return;
		ai = v[j];
		memmove(&v[i + 1], &v[i], (j - i) * sizeof(*v));
		v[i] = ai;
	}
}

static int explain(const struct attempt *a, const rv_outcome *out, size_t n, int r)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_free_ char *s = NULL;
	char host[64], port[16];

	for (size_t i = 0; i < n; i++) {
		if (out[i].err >= 0 || out[i].err == -ECANCELED ||
			getnameinfo(a[i].to->ai_addr, a[i].to->ai_addrlen, host,
				sizeof(host), port, sizeof(port),
				NI_NUMERICHOST | NI_NUMERICSERV) != 0)
			continue;
		(void)buf_printf(&text, "%s%s port %s: %s", buf_len(&text) ? "; " : "",
			host, port, rv_strerror(out[i].err));
	}
	s = buf_steal_str(&text, NULL);
	return s && *s ? rv_fail(r, "%s", s) : r;
}

static int race_all(const struct addrinfo *to, const struct addrinfo *from, size_t n,
	rv_time stagger, int *ret_fd)
{
	_cleanup_free_ const struct addrinfo **v = calloc(n, sizeof(*v));
	_cleanup_free_ struct attempt *a = calloc(n, sizeof(*a));
	_cleanup_free_ rv_call *calls = calloc(n, sizeof(*calls));
	_cleanup_free_ rv_outcome *out = calloc(n, sizeof(*out));
	size_t i = 0;
	int r;

	if (!v || !a || !calls || !out)
		return -ENOMEM;
	for (; to; to = to->ai_next)
		v[i++] = to;
	interleave(v, n);
	for (i = 0; i < n; i++) {
		a[i] = (struct attempt){.to = v[i], .from = from, .fd = -1};
		calls[i] = (rv_call){try_one, &a[i], "connect"};
	}
	r = rv_race(calls, n, stagger, out);
	for (i = 0; i < n; i++)
		if ((int)i != r) /* connected too late */
			a[i].fd = close_safe(a[i].fd);
	if (r < 0)
		return explain(a, out, n, r);
	*ret_fd = a[r].fd;
	return 0;
}

int rv_connect(
	const char *host, const char *port, const rv_connect_opts *o, int *ret_fd)
{
	static const rv_connect_opts defaults;
	_cleanup_(freeaddrinfop) struct addrinfo *to = NULL, *from = NULL;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	size_t n = 0;
	int r;

	if (!o)
		o = &defaults;
	hints.ai_family = o->family;
	hints.ai_flags = AI_ADDRCONFIG;
	r = rv_getaddrinfo(host, port, &hints, &to);
	if (r < 0)
		return r;
	if (o->local_host || o->local_port) {
		hints.ai_flags = AI_PASSIVE;
		r = rv_getaddrinfo(o->local_host, o->local_port, &hints, &from);
		if (r < 0)
			return r;
	}
	for (const struct addrinfo *ai = to; ai; ai = ai->ai_next)
		n++;
	return race_all(to, from, n, o->stagger ? o->stagger : STAGGER_DEFAULT, ret_fd);
}

int rv_net_connect(const char *host, const char *port, rv_protocol *p,
	const rv_connect_opts *o, rv_transport **ret)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (!p || !p->ops)
		return -EINVAL;
	r = rv_connect(host, port, o, &fd);
	if (r < 0)
		return r;
	r = rv_net_open_fd(fd, p, ret);
	if (r >= 0)
		TAKE_FD(fd);
	return r;
}

int rv_stream_connect(
	const char *host, const char *port, const rv_connect_opts *o, rv_stream **ret)
{
	_cleanup_close_ int fd = -1;
	int r = rv_connect(host, port, o, &fd);

	if (r < 0)
		return r;
	r = rv_stream_open_fd(fd, ret);
	if (r >= 0)
		TAKE_FD(fd);
	return r;
}
