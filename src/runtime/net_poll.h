/*
 * Readiness of a socket, as transports and servers want it.
 *
 * Not the watch of loop_watch.c, for two reasons that cost system calls: the end of
 * input is told apart from data (so that a read that came back short need not be
 * repeated to see whether the end follows), and writability is asked for only while
 * there is something to write (every read of the peer would wake the loop otherwise).
 */
#ifndef RUNTIME_NET_POLL_H
#define RUNTIME_NET_POLL_H

#include "reeve/loop.h"

enum {
	NET_HUP = 4, /* beside RV_READ and RV_WRITE: the peer sends no more */
};

/* zeroed before use, fn set */
struct net_poll {
	void *in, *out; /* struct event */
	rv_loop *loop;
	/* On each edge, from inside the poll: must only note it. */
	void (*fn)(struct net_poll *p, unsigned ev);
	int fd;
	bool wants_write;
};

/*
 * Begin; fd is the caller's alone from then on (-EBUSY for watches meanwhile). An edge
 * comes for what is ready already. 0; -EBUSY: it is watched; -errno.
 */
int net_poll_add(struct net_poll *p, rv_loop *l, int fd);
/* Before fd is closed. No effect when not added. Never allocates. */
void net_poll_remove(struct net_poll *p);
/* Switching on gives an edge if it is writable now. One system call when it changes. */
int net_poll_want_write(struct net_poll *p, bool on);

#endif
