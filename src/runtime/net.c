/* What the transports of a loop share, and their end with it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/net_priv.h"

#define RECHECK_AFTER RV_SEC(1)

static void net_recheck(void *arg)
{
	struct net *net = arg;
	struct rv_link *it, *next;

	for (it = net->doubtful.next; it != &net->doubtful; it = next) {
		rv_transport *t = LINK_ENTRY(it, rv_transport, doubt_link);

		next = it->next;
		if (rv_loop_now(net->loop) - t->read_at < RECHECK_AFTER)
			continue;
		link_unlink(it);
		t->readable = t->rechecked = true;
		transport_queue(t);
	}
	if (!link_is_empty(&net->doubtful))
		rv_timer_start(&net->recheck, rv_loop_now(net->loop) + RECHECK_AFTER);
}

void net_doubt_begin(struct rv_transport *t)
{
	struct net *net = t->net;

	link_append(&net->doubtful, &t->doubt_link);
	if (!rv_timer_active(&net->recheck))
		rv_timer_start(&net->recheck, rv_loop_now(net->loop) + RECHECK_AFTER);
}

int net_get(struct net **ret, rv_loop *l)
{
	_cleanup_free_ struct net *net = NULL;

	if (l->closed)
		return -RV_ELOOPCLOSED;
	if (l->net) {
		*ret = l->net;
		return 0;
	}
	net = calloc(1, sizeof(*net));
	if (!net)
		return -ENOMEM;
	net->read_buf = malloc(READ_SIZE);
	if (!net->read_buf)
		return -ENOMEM;
	net->loop = l;
	link_init(&net->transports);
	link_init(&net->servers);
	link_init(&net->doubtful);
	rv_timer_init(&net->recheck, l, net_recheck, net);
	*ret = l->net = TAKE_PTR(net);
	return 0;
}

static void report_open(rv_loop *l, const char *message, int fd, rv_transport *t)
{
	rv_exc e = RV_EXC_NULL;

	e.message = message;
	e.fd = fd;
	e.transport = t;
	e.protocol = t ? t->protocol : NULL;
	rv_report(l, &e);
}

void net_close(rv_loop *l)
{
	struct net *net = l->net;
	struct rv_link *it;

	if (!net)
		return;
	while ((it = link_first(&net->servers))) {
		rv_server *s = LINK_ENTRY(it, rv_server, link);

		report_open(l, "server was open when its loop closed",
			s->listeners[0].fd, NULL);
		rv_server_close(s);
	}
	while ((it = link_first(&net->transports))) {
		rv_transport *t = LINK_ENTRY(it, rv_transport, link);

		if (!t->closing)
			report_open(l, "connection was open when its loop closed",
				t->fd, t);
		transport_finish(t, t->closing ? 0 : -RV_ELOOPCLOSED);
		link_remove(&t->ready.link);
		transport_end(t);
	}
	rv_timer_stop(&net->recheck);
	free(net->read_buf);
	free(net);
	l->net = NULL;
}
