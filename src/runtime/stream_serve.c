/* Streams: serving each connection with a task of a group. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "reeve/inet.h"
#include "runtime/stream_priv.h"

static int handler_run(void *arg)
{
	rv_stream *s = arg;
	rv_exc e = RV_EXC_NULL;
	int r = s->fn(s, s->fn_arg);

	if (r >= 0 || r == -ECANCELED)
		return r;
	/* It concerns this connection; the group and its other children go on. */
	e.message = "stream handler failed";
	e.err = r;
	e.task = rv_task_self();
	e.transport = s->transport;
	rv_report(s->loop, &e);
	return 0;
}

/* however the task has ended, or if it never began */
static void handler_over(void *arg)
{
	rv_stream *s = arg;

	rv_stream_close(s);
	rv_stream_unref(s);
}

static void served_made(rv_protocol *p, rv_transport *t)
{
	static const rv_task_opts opts = {.name = "stream", .arg_dtor = handler_over};
	rv_stream *s = CONTAINER_OF(p, rv_stream, protocol);
	struct serve *sv = TAKE_PTR(s->serve);

	p->ops = &stream_ops;
	stream_ops.connection_made(p, t);
	/* A group that has ended or is being cancelled refuses: the connection is
	 * closed by the destructor then. */
	s->fn = sv->fn;
	s->fn_arg = sv->arg;
	(void)rv_group_spawn_ex(sv->group, &opts, handler_run, s, NULL);
}

static void served_destroy(rv_protocol *p)
{
	rv_stream *s = CONTAINER_OF(p, rv_stream, protocol);

	s->attached = false;
	rv_stream_unref(s);
}

/* until connection_made: no task has the stream's reference yet */
static const rv_protocol_ops served_ops = {
	.connection_made = served_made,
	.destroy = served_destroy,
};

static rv_protocol *serve_factory(void *arg)
{
	struct serve *sv = arg;
	rv_stream *s;

	if (stream_new(&s, sv->group->host->loop) < 0)
		return NULL;
	s->protocol.ops = &served_ops;
	s->serve = sv;
	s->attached = true;
	return &s->protocol;
}

static int serve_run(void *arg)
{
	struct serve *sv = arg;
	int r = rv_server_wait_closed(sv->server);

	rv_server_close(sv->server);
	return r;
}

static void serve_free(void *arg)
{
	struct serve *sv = arg;

	if (sv->server) {
		rv_server_close(sv->server); /* cancelled before it began */
		rv_server_unref(sv->server);
	}
	free(sv);
}

/* where to listen: one of them */
struct place {
	const char *path;
	const char *host, *port; /* port NULL: not this */
	int fd;                  /* taken over in every case; -1 */
};

static int listen_at(const struct place *at, struct serve *sv, rv_server **ret)
{
	const rv_listen_opts o = {.loop = sv->group->host->loop};

	if (at->path)
		return rv_net_listen_unix(at->path, serve_factory, sv, &o, ret);
	if (at->port)
		return rv_net_listen(at->host, at->port, serve_factory, sv, &o, ret);
	return rv_net_listen_fd(at->fd, serve_factory, sv, &o, ret);
}

static int serve(
	rv_group *g, const struct place *at, rv_stream_fn h, void *arg, rv_server **ret)
{
	static const rv_task_opts opts = {.name = "serve", .arg_dtor = serve_free};
	_cleanup_close_ int fd = at->fd;
	rv_server *s;
	struct serve *sv;
	int r;

	if (!h)
		return -EINVAL;
	if (g->closed)
		return -RV_ESHUTDOWN;
	sv = calloc(1, sizeof(*sv));
	if (!sv)
		return -ENOMEM;
	*sv = (struct serve){.group = g, .fn = h, .arg = arg};
	r = listen_at(at, sv, &s);
	if (r < 0) {
		free(sv);
		return r;
	}
	TAKE_FD(fd);
	sv->server = rv_server_ref(s);
	/* it has sv from here on */
	r = rv_group_spawn_ex(g, &opts, serve_run, sv, NULL);
	if (r >= 0 && ret)
		*ret = s;
	else
		rv_server_unref(s);
	return r;
}

int rv_serve_unix(
	rv_group *g, const char *path, rv_stream_fn h, void *arg, rv_server **ret)
{
	const struct place at = {.path = path, .fd = -1};

	return path ? serve(g, &at, h, arg, ret) : -EINVAL;
}

int rv_serve(rv_group *g, const char *host, const char *port, rv_stream_fn h, void *arg,
	rv_server **ret)
{
	const struct place at = {.host = host, .port = port, .fd = -1};

	return port ? serve(g, &at, h, arg, ret) : -EINVAL;
}

int rv_serve_fd(rv_group *g, int fd, rv_stream_fn h, void *arg, rv_server **ret)
{
	/* The server closes its descriptor also where only its task could not be
	 * started, but the caller's is to be untouched then. */
	struct place at = {.fd = fd_above_standard(fd)};
	int r;

	if (at.fd < 0)
		return at.fd;
	r = serve(g, &at, h, arg, ret);
	if (r >= 0)
		close_safe(fd);
	return r;
}
