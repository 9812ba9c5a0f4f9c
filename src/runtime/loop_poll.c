/* Where the loop sleeps: libevent, as readiness of descriptors and nothing else. */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/loop_priv.h"

/*
 * Whether an event base will get its descriptors: the epoll, and two of a pipe for signals.
 * Where one is missing libevent complains on stderr, and ends the process for the pipe; it
 * does not say why, either. Another thread may still take them in between.
 */
static int probe_base(void)
{
	_cleanup_close_ int a = epoll_create1(EPOLL_CLOEXEC);
	_cleanup_close_ int b = a < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
	_cleanup_close_ int c = b < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);

	return c < 0 ? -errno : 0;
}

/*
 * libevent's own timers are coarse (4 ms) or cost a system call per pass, its queue of
 * activated events starves the poll, and its signals get lost in a pipe: none is used,
 * so it need not look at the clock after each poll either.
 * One base belongs to one thread, so it takes no locks even where the program asked for
 * them.
 */
int poll_init(rv_loop *l)
{
	const int flags = EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
			  EVENT_BASE_FLAG_NO_CACHE_TIME;
	struct event_config *cfg;
	int r = probe_base();

	if (r < 0)
		return r;
	cfg = event_config_new();
	if (!cfg)
		return -ENOMEM;
	if (event_config_set_flag(cfg, flags) == 0 &&
		event_config_require_features(cfg, EV_FEATURE_ET) == 0)
		l->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return l->base ? 0 : -ENOMEM;
}

void poll_deinit(rv_loop *l)
{
	if (l->base)
		event_base_free(l->base);
	l->base = NULL;
}

void poll_forked(rv_loop *l)
{
	if (l->base)
		(void)event_base_loopbreak(l->base);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct poll_fd *p = arg;
	unsigned ev = 0;

	if (what & EV_READ)
		ev |= RV_READ;
	if (what & EV_WRITE)
		ev |= RV_WRITE;
	p->fn(p, ev);
}

int poll_add(rv_loop *l, struct poll_fd *p, int fd, bool both)
{
	/* One event for both directions, once per descriptor: adding and deleting costs
	 * two microseconds, and all events of an fd must agree on being edge-triggered.
	 */
	short what = EV_READ | (both ? EV_WRITE : 0) | EV_ET | EV_PERSIST;

	INVARIANT(!p->event);
	if (l->forked)
		return -RV_ELOOPCLOSED;
	p->loop = l;
	p->event = event_new(l->base, fd, what, on_event, p);
	if (!p->event)
		return -ENOMEM;
	errno = 0;
	if (event_add(p->event, NULL) < 0) {
		int err = errno > 0 ? errno : ENOMEM;

		event_free(p->event);
		p->event = NULL;
		return -err;
	}
	return 0;
}

void poll_remove(struct poll_fd *p)
{
	if (!p->event)
		return;
	if (!p->loop->forked)
		event_free(p->event); /* deletes it, too */
	p->event = NULL;
}

/*
 * libevent's loop comes back when nothing is left to be found, unless it is told to go round
 * once. Few edges of sockets at a time: what is received is answered while the kernel's and
 * our memory of that socket is still in the cache.
 */
static void collect(rv_loop *l, int flags)
{
	int r;

	l->n_edges = 0;
	r = event_base_loop(l->base, flags | EVLOOP_NO_EXIT_ON_EMPTY);

	INVARIANT(r >= 0);
}

/* What other threads, signal handlers and the clock have brought. */
static void collect_rest(rv_loop *l)
{
	if (UNLIKELY(l->forked))
		return; /* by what was called for a descriptor: this is the child */
	l->now = l->looked = loop_monotonic(l);
	if (!inbox_is_empty(&l->inbox))
		inbox_drain(&l->inbox);
	if (atomic_load_explicit(&l->inbox.signals, memory_order_relaxed))
		signals_dispatch(l);
	if (atomic_load_explicit(&l->inbox.stop, memory_order_relaxed) &&
		atomic_exchange(&l->inbox.stop, false))
		l->stop = true;
	timers_expire(l);
}

void poll_once(rv_loop *l, bool block)
{
	l->n_steps = l->looked_at = 0;
	l->look_at = POLL_CLOCK_EVERY;
	l->poll_due = false;
	l->ran_callbacks = false;
	if (block && timers_are_due(l))
		block = false;
	if (block && l->clock) {
		/* With a virtual clock time passes only when there is nothing else to
		 * do. */
		collect(l, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		collect_rest(l);
		if (!link_is_empty(&l->ready) || l->stop)
			return;
		if (l->clock->idle &&
			l->clock->idle(l->clock->priv, timers_next(l, TIMER_MONOTONIC)))
			block = false;
	}
	if (block) {
		for (size_t i = 0; i < N_STACK_CLASSES; i++)
			if (l->pools[i].n_free && coro_pool_trim(&l->pools[i]))
				block = false; /* the rest when others had a turn */
		task_cache_trim(l, TASKS_CACHED_ASLEEP);
		timers_trim(l);
		timers_arm(l);
		if (inbox_park(&l->inbox) || !link_is_empty(&l->ready))
			block = false;
	}
	collect(l, block ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
	inbox_unpark(&l->inbox);
	collect_rest(l);
}
