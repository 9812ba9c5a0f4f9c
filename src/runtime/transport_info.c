/* Transports: what they belong to, and what belongs to them. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/unix_socket.h"
#include "runtime/net_priv.h"

void rv_transport_set_protocol(rv_transport *t, rv_protocol *p)
{
	INVARIANT(p && p->ops);
	if (t->net)
		t->protocol = p;
}

rv_protocol *rv_transport_protocol(const rv_transport *t)
{
	return t->protocol;
}

const void *rv_transport_info(rv_transport *t, enum rv_info key, size_t *n)
{
	const void *ret = NULL;
	size_t size = 0;

	if (key == RV_INFO_FD && t->fd >= 0) {
		ret = &t->fd;
		size = sizeof(t->fd);
	}
	if (key == RV_INFO_PEER) {
		struct unix_peer peer;

		if (!t->has_peer && t->fd >= 0 && unix_peer_get(&peer, t->fd) >= 0) {
			t->peer = (struct rv_peer){
				.pid = peer.pid,
				.uid = peer.uid,
				.gid = peer.gid,
			};
			t->has_peer = true;
		}
		ret = t->has_peer ? &t->peer : NULL;
		size = ret ? sizeof(t->peer) : 0;
	}
	if (n)
		*n = size;
	return ret;
}

/* what a task of a connection runs; keeps the transport, whose scope is its parent */
struct transport_task {
	rv_transport *transport;
	rv_fn fn;
	void *arg;
};

static int transport_task_run(void *arg)
{
	struct transport_task *tt = arg;

	return tt->fn(tt->arg);
}

static void transport_task_free(void *arg)
{
	struct transport_task *tt = arg;

	rv_transport_unref(tt->transport);
	free(tt);
}

rv_task *rv_transport_spawn(rv_transport *t, rv_fn fn, void *arg)
{
	rv_task_opts opts = {.arg_dtor = transport_task_free};
	struct transport_task *tt;
	rv_task *task;
	int r;

	if (t->ending || !fn) {
		errno = fn ? RV_ESHUTDOWN : EINVAL;
		return NULL;
	}
	tt = malloc(sizeof(*tt));
	if (!tt)
		return NULL;
	*tt = (struct transport_task){
		.transport = rv_transport_ref(t),
		.fn = fn,
		.arg = arg,
	};
	r = task_spawn_in(&task, &(struct spawn_params){
					 .loop = t->net->loop,
					 .opts = &opts,
					 .parent = &t->tasks,
					 .fn = transport_task_run,
					 .arg = tt,
				 });
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	rv_task_detach(task);
	return task;
}
