/* The poll of sockets; beside loop_poll.c the only file that knows libevent. */
#include "config.h"

#include "runtime/net_poll.h"

#include <errno.h>
#include <event2/event.h>

#include "base/invariant.h"
#include "runtime/loop_priv.h"

static void on_in(evutil_socket_t fd, short what, void *arg)
{
	struct net_poll *p = arg;

	if (++p->loop->n_edges == POLL_EDGES)
		(void)event_base_loopbreak(p->loop->base); /* the rest next time */
	/* The end is a reason to read, too. */
	p->fn(p, RV_READ | (what & EV_CLOSED ? NET_HUP : 0));
}

static void on_out(evutil_socket_t fd, short what, void *arg)
{
	struct net_poll *p = arg;

	p->fn(p, RV_WRITE);
}

static int add(struct event *e)
{
	errno = 0;
	if (event_add(e, NULL) < 0)
		return errno > 0 ? -errno : -ENOMEM;
	return 0;
}

int net_poll_add(struct net_poll *p, rv_loop *l, int fd)
{
	int r = watch_claim(l, fd);

	if (r < 0)
		return r;
	p->loop = l;
	p->fd = fd;
	p->in = event_new(
		l->base, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_in, p);
	/* made now, so that nothing has to be allocated in the middle of a write */
	p->out = event_new(l->base, fd, EV_WRITE | EV_ET | EV_PERSIST, on_out, p);
	r = p->in && p->out ? add(p->in) : -ENOMEM;
	if (r < 0)
		net_poll_remove(p);
	return r;
}

static void event_drop(rv_loop *l, struct event *e)
{
	/* in the child of a fork: what is polled, is polled by the parent as well */
	bool shared = l->forked && e &&
		      event_pending(e, EV_READ | EV_WRITE | EV_CLOSED, NULL);

	if (e && !shared)
		event_free(e); /* deletes it, too */
}

void net_poll_remove(struct net_poll *p)
{
	if (!p->loop)
		return;
	event_drop(p->loop, p->out);
	event_drop(p->loop, p->in);
	p->in = p->out = NULL;
	p->wants_write = false;
	watch_release(p->loop, p->fd);
	p->loop = NULL;
}

int net_poll_want_write(struct net_poll *p, bool on)
{
	INVARIANT(p->loop);
	if (p->wants_write == on)
		return 0;
	if (p->loop->forked)
		return -RV_ELOOPCLOSED;
	p->wants_write = on;
	if (!on) {
		(void)event_del(p->out);
		return 0;
	}
	return add(p->out);
}
