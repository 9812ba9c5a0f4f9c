#include "config.h"

#include "daemon/hangups.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/invariant.h"

struct hangups {
	int epoll;
	rv_watch *watch;
	void (*fn)(void *conn);
};

static void some_hung_up(int fd, unsigned ev, void *arg)
{
	struct hangups *h = arg;
	struct epoll_event e;

	/* one at a time: what fn closes cannot be among those already fetched */
	while (epoll_wait(h->epoll, &e, 1, 0) == 1)
		h->fn(e.data.ptr);
}

int hangups_new(struct hangups **ret, rv_loop *loop, void (*fn)(void *conn))
{
	struct hangups *h;
	int r;

	INVARIANT(ret && loop && fn);
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->fn = fn;
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	r = h->epoll < 0
		    ? -errno
		    : rv_fd_watch(loop, h->epoll, RV_READ, some_hung_up, h, &h->watch);
	if (r < 0) {
		hangups_free(h);
		return r;
	}
	*ret = h;
	return 0;
}

struct hangups *hangups_free(struct hangups *h)
{
	if (!h)
		return NULL;
	rv_fd_unwatch(h->watch);
	close_safe(h->epoll);
	free(h);
	return NULL;
}

int hangups_add(struct hangups *h, int fd, void *conn)
{
	struct epoll_event e = {.events = EPOLLET, .data.ptr = conn};

	return epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

void hangups_remove(struct hangups *h, int fd)
{
	/* only a descriptor that is not in it can fail here */
	(void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, fd, NULL);
}
