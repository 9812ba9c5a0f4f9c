/*
 * Descriptors: who wants to know of which.
 *
 * One slot per descriptor, polled for both directions once and edge-triggered, however
 * many watches and waiting tasks come and go on it.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

struct fd_slot {
	struct poll_fd poll;
	rv_loop *loop;
	int fd;
	rv_watch *reader, *writer; /* the ones that count; one may be both */
	struct rv_link watches;    /* all, replaced ones too */
	struct rv_link waiters;    /* of rv_wait_fd; data: struct fd_wait */
	bool owned;                /* by a transport */
	bool fired;                /* an edge was seen since polling began */
};

struct rv_watch {
	struct rv_ready ready;
	struct rv_link link; /* in the slot's watches */
	rv_loop *loop;       /* NULL once it is closed */
	struct fd_slot *slot;
	unsigned ev;      /* what it still counts for */
	unsigned pending; /* to be told when it gets its turn */
	rv_fd_cb cb;
	void *arg;
};

struct fd_wait {
	struct waiter w;
	struct fd_slot *slot;
	unsigned ev;
};

static void watch_run(struct rv_ready *r)
{
	rv_watch *w = CONTAINER_OF(r, rv_watch, ready);
	unsigned ev = w->pending & w->ev;

	w->pending = 0;
	w->loop->ran_callbacks = true;
	LOOP_CALLBACK(w->loop, w->cb);
	if (ev)
		w->cb(w->slot->fd, ev, w->arg); /* may free w */
}

static void watch_notify(rv_watch *w, unsigned ev)
{
	if (!w || !(w->ev & ev))
		return;
	w->pending |= w->ev & ev;
	if (!link_is_linked(&w->ready.link))
		ready_append(w->loop, &w->ready);
}

/* Directions that are ready this instant; errors and hang-ups count as both. */
static int fd_ready_now(int fd, unsigned ev)
{
	struct pollfd pfd = {.fd = fd};
	int ret = 0;

	if (ev & RV_READ)
		pfd.events |= POLLIN | POLLRDHUP;
	if (ev & RV_WRITE)
		pfd.events |= POLLOUT;
	if (poll(&pfd, 1, 0) < 0)
		return errno == EINTR ? 0 : -errno;
	if (pfd.revents & POLLNVAL)
		return -EBADF;
	if (pfd.revents & (POLLERR | POLLHUP))
		return (int)ev;
	if (pfd.revents & (POLLIN | POLLRDHUP))
		ret |= RV_READ;
	if (pfd.revents & POLLOUT)
		ret |= RV_WRITE;
	return ret & (int)ev;
}

/* -- slots
 * ---------------------------------------------------------------------------------- */

static int slots_reserve(rv_loop *l, size_t n)
{
	size_t n_new = l->n_slots ? l->n_slots : 64;
	struct fd_slot **slots;

	if (n <= l->n_slots)
		return 0;
	while (n_new < n)
		n_new *= 2;
	slots = realloc(l->slots, n_new * sizeof(struct fd_slot *));
	if (!slots)
		return -ENOMEM;
	memset(slots + l->n_slots, 0, (n_new - l->n_slots) * sizeof(struct fd_slot *));
	l->slots = slots;
	l->n_slots = n_new;
	return 0;
}

static bool slot_is_used(const struct fd_slot *s)
{
	return !link_is_empty(&s->watches) || !link_is_empty(&s->waiters);
}

/* As soon as nobody wants it, also where who did has been woken and not run yet: meanwhile
 * the descriptor may be closed and its number taken by another, whose edges nobody would
 * poll for. */
static void slot_put(struct fd_slot *s)
{
	if (slot_is_used(s))
		return;
	poll_remove(&s->poll);
}

static void slot_ready(struct poll_fd *p, unsigned ev)
{
	struct fd_slot *s = CONTAINER_OF(p, struct fd_slot, poll);

	s->fired = true;
	if (ev & RV_READ)
		watch_notify(s->reader, RV_READ);
	if (ev & RV_WRITE)
		watch_notify(s->writer, RV_WRITE);
	for (struct rv_link *it = s->waiters.next, *next; it != &s->waiters;
		it = next) {
		struct fd_wait *fw = LINK_ENTRY(it, struct fd_wait, w.link);

		next = it->next;
		if (fw->ev & ev)
			waiter_wake(&fw->w, (int)(fw->ev & ev));
	}
	slot_put(s);
}

/* Whether a device can be polled; libevent would complain on stderr. */
static int probe_device(int fd)
{
	_cleanup_close_ int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN};

	if (epoll < 0)
		return -errno;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int check_fd(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -EBADF;
	/* always ready as far as the kernel is concerned: nothing to wait for */
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return -EPERM;
	return S_ISCHR(st.st_mode) ? probe_device(fd) : 0;
}

/* The slot of fd, made if need be. -EBUSY: it belongs to a transport. */
static int slot_find(struct fd_slot **ret, rv_loop *l, int fd)
{
	struct fd_slot *s;
	int r = slots_reserve(l, (size_t)fd + 1);

	if (r < 0)
		return r;
	s = l->slots[fd];
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		s->loop = l;
		s->fd = fd;
		s->poll.fn = slot_ready;
		link_init(&s->watches);
		link_init(&s->waiters);
		l->slots[fd] = s;
	}
	if (s->owned)
		return -EBUSY;
	*ret = s;
	return 0;
}

/* The same, polled. */
static int slot_get(struct fd_slot **ret, rv_loop *l, int fd)
{
	struct fd_slot *s;
	int r = slot_find(&s, l, fd);

	if (r < 0)
		return r;
	if (!s->poll.event) {
		s->fired = false;
		r = poll_add(l, &s->poll, fd, true);
		if (r < 0)
			return r;
	}
	*ret = s;
	return 0;
}

int watch_claim(rv_loop *l, int fd)
{
	struct fd_slot *s;
	int r = slot_find(&s, l, fd);

	if (r < 0)
		return r;
	if (slot_is_used(s))
		return -EBUSY;
	s->owned = true;
	return 0;
}

void watch_release(rv_loop *l, int fd)
{
	l->slots[fd]->owned = false;
}

bool watch_is_claimed(const rv_loop *l, int fd)
{
	return fd >= 0 && (size_t)fd < l->n_slots && l->slots[fd] &&
	       l->slots[fd]->owned;
}

/* -- watches
 * --------------------------------------------------------------------------------- */

static void watch_replace(rv_watch **place, rv_watch *w, unsigned ev)
{
	if (*place)
		(*place)->ev &= ~ev;
	*place = w;
}

int rv_fd_watch(rv_loop *l, int fd, unsigned ev, rv_fd_cb cb, void *arg, rv_watch **ret)
{
	struct fd_slot *s;
	rv_watch *w;
	int r;

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	if (!ev || (ev & ~(unsigned)(RV_READ | RV_WRITE)) || !cb || !ret)
		return -EINVAL;
	if (l->closed)
		return -RV_ELOOPCLOSED;
	r = check_fd(fd);
	if (r < 0)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	r = slot_get(&s, l, fd);
	if (r < 0) {
		free(w);
		return r;
	}
	w->ready.run = watch_run;
	w->loop = l;
	w->slot = s;
	w->ev = ev;
	w->cb = cb;
	w->arg = arg;
	if (ev & RV_READ)
		watch_replace(&s->reader, w, RV_READ);
	if (ev & RV_WRITE)
		watch_replace(&s->writer, w, RV_WRITE);
	link_append(&s->watches, &w->link);
	/* The first edge tells the whole state; where that has gone by, ask. */
	r = s->fired ? fd_ready_now(fd, ev) : 0;
	if (r > 0)
		watch_notify(w, (unsigned)r);
	*ret = w;
	return 0;
}

bool rv_fd_unwatch(rv_watch *w)
{
	bool was_open;

	if (WRONG_THREAD(w ? w->loop : NULL))
		return false;
	if (!w)
		return false;
	was_open = w->loop;
	if (was_open) {
		struct fd_slot *s = w->slot;

		link_remove(&w->ready.link);
		link_unlink(&w->link);
		if (s->reader == w)
			s->reader = NULL;
		if (s->writer == w)
			s->writer = NULL;
		slot_put(s);
	}
	free(w);
	return was_open;
}

static void wait_cancelled(struct waiter *w)
{
	struct fd_wait *fw = CONTAINER_OF(w, struct fd_wait, w);

	waiter_wake(w, -ECANCELED);
	slot_put(fw->slot);
}

int rv_wait_fd(int fd, unsigned ev)
{
	struct fd_wait fw = {.ev = ev};
	struct rv_task *self;
	struct fd_slot *s;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (!ev || (ev & ~(unsigned)(RV_READ | RV_WRITE)))
		return -EINVAL;
	if (fd < 0)
		return -EBADF; /* which poll would pass over */
	if (watch_is_claimed(self->loop, fd))
		return -EBUSY;
	r = fd_ready_now(fd, ev);
	if (r != 0)
		return r;
	r = slot_get(&s, self->loop, fd);
	if (r < 0)
		return r;
	fw.slot = s;
	link_append(&s->waiters, &fw.w.link);
	return task_wait_on_cancel(
		self, &fw.w, wait_cancelled, "fd", (void *)(intptr_t)fd);
}

void watches_close(rv_loop *l)
{
	for (size_t i = 0; i < l->n_slots; i++) {
		struct fd_slot *s = l->slots[i];
		struct rv_link *it;

		if (!s)
			continue;
		poll_remove(&s->poll);
		while ((it = link_pop(&s->watches))) {
			rv_watch *w = LINK_ENTRY(it, rv_watch, link);

			/* its owner still has to unwatch it */
			link_remove(&w->ready.link);
			w->loop = NULL;
			w->slot = NULL;
		}
		while (link_pop(&s->waiters))
			; /* abandoned tasks */
		free(s);
		l->slots[i] = NULL;
	}
}
