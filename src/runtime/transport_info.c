/* Transports: what they belong to, and what belongs to them. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/unix_socket.h"
#include "runtime/debug_priv.h"
#include "runtime/net_priv.h"

void rv_transport_set_protocol(rv_transport *t, rv_protocol *p)
{
	if (WRONG_THREAD(transport_loop(t)))
		return;
	INVARIANT(p && p->ops);
	if (t->net)
		t->protocol = p;
}

rv_protocol *rv_transport_protocol(const rv_transport *t)
{
	return t->protocol;
}

static const void *info_peer(rv_transport *t)
{
	struct unix_peer peer;

	if (!t->has_peer && t->fd >= 0 && unix_peer_get(&peer, t->fd) >= 0) {
		t->peer = (struct rv_peer){
			.pid = peer.pid,
			.uid = peer.uid,
			.gid = peer.gid,
		};
		t->has_peer = true;
	}
	return t->has_peer ? &t->peer : NULL;
}

/* One place for both: it is read before the other is asked for. */
static const void *info_name(rv_transport *t, bool peer, size_t *ret_n)
{
	socklen_t n = sizeof(*t->name);
	int r;

	if (t->fd < 0)
		return NULL;
	if (!t->name)
		t->name = calloc(1, sizeof(*t->name));
	if (!t->name)
		return NULL;
	r = peer ? getpeername(t->fd, (struct sockaddr *)t->name, &n)
		 : getsockname(t->fd, (struct sockaddr *)t->name, &n);
	*ret_n = n;
	return r < 0 ? NULL : t->name;
}

const void *rv_transport_info(rv_transport *t, enum rv_info key, size_t *n)
{
	const void *ret = NULL;
	size_t size = 0;

	if (WRONG_THREAD(transport_loop(t)))
		return NULL;
	switch (key) {
	case RV_INFO_FD:
		ret = t->fd >= 0 ? &t->fd : NULL;
		size = sizeof(t->fd);
		break;
	case RV_INFO_PEER:
		ret = info_peer(t);
		size = sizeof(t->peer);
		break;
	case RV_INFO_SOCKNAME:
	case RV_INFO_PEERNAME:
		ret = info_name(t, key == RV_INFO_PEERNAME, &size);
		break;
	}
	if (n)
		*n = ret ? size : 0;
	return ret;
}

/* what a task of a connection runs; keeps the transport, whose scope is its parent */
struct transport_task {
	rv_transport *transport;
	rv_fn fn;
	void *arg;
	rv_dtor arg_dtor; /* NULL: arg stays the caller's */
};

static int transport_task_run(void *arg)
{
	struct transport_task *tt = arg;

	return tt->fn(tt->arg);
}

static void transport_task_free(void *arg)
{
	struct transport_task *tt = arg;

	if (tt->arg_dtor)
		tt->arg_dtor(tt->arg);
	rv_transport_unref(tt->transport);
	free(tt);
}

/* after WRONG_THREAD_TO_SPAWN */
static int transport_spawn(
	rv_transport *t, const rv_task_opts *o, rv_fn fn, void *arg, rv_task **ret)
{
	rv_task_opts opts = o ? *o : (rv_task_opts){.name = NULL};
	int r = !fn ? -EINVAL : t->ending ? -RV_ESHUTDOWN : 0;
	struct transport_task *tt = r < 0 ? NULL : malloc(sizeof(*tt));
	rv_loop *l = transport_loop(t);
	rv_task *task;

	opts.arg_dtor = transport_task_free;
	if (!tt) {
		if (l)
			l->spawns_from = NULL; /* the next is another's */
		if (o && o->arg_dtor)
			o->arg_dtor(arg);
		return r < 0 ? r : -ENOMEM;
	}
	*tt = (struct transport_task){
		.transport = rv_transport_ref(t),
		.fn = fn,
		.arg = arg,
		.arg_dtor = o ? o->arg_dtor : NULL,
	};
	r = task_spawn_in(&task, &(struct spawn_params){
					 .loop = t->net->loop,
					 .opts = &opts,
					 .parent = &t->tasks,
					 .fn = transport_task_run,
					 .arg = tt,
				 });
	if (r < 0)
		return r;
	rv_task_detach(task);
	if (ret)
		*ret = task;
	return 0;
}

int rv_transport_spawn_ex(
	rv_transport *t, const rv_task_opts *o, rv_fn fn, void *arg, rv_task **ret)
{
	if (WRONG_THREAD_TO_SPAWN(transport_loop(t))) {
		if (o && o->arg_dtor)
			o->arg_dtor(arg);
		return -RV_EWRONGLOOP;
	}
	return transport_spawn(t, o, fn, arg, ret);
}

rv_task *rv_transport_spawn(rv_transport *t, rv_fn fn, void *arg)
{
	rv_task *task;
	int r = WRONG_THREAD_TO_SPAWN(transport_loop(t))
			? -RV_EWRONGLOOP
			: transport_spawn(t, NULL, fn, arg, &task);

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return task;
}
