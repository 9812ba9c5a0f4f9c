/* Callbacks on request: rv_call_soon and its relatives, and what other threads post. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

/*
 * The memory of handles is given back only with the loop, so that an old rv_handle
 * always points at one: the generation tells whether it is still the same.
 */
struct handle {
	rv_timer timer;
	uint64_t gen;
	rv_cb fn;
	void *arg;
	struct handle *next_free;
};

enum { HANDLES_PER_SLAB = 64 };

struct handle_slab {
	struct rv_link link;
	struct handle handles[HANDLES_PER_SLAB];
};

static void handle_fire(void *arg);

static struct handle *handle_new(rv_loop *l, rv_cb fn, void *arg)
{
	struct handle *h;

	if (l->closed)
		return NULL;
	if (!l->handles_free) {
		struct handle_slab *s = calloc(1, sizeof(*s));

		if (!s)
			return NULL;
		link_append(&l->handle_slabs, &s->link);
		for (size_t i = 0; i < HANDLES_PER_SLAB; i++) {
			s->handles[i].gen = 1;
			s->handles[i].next_free = l->handles_free;
			l->handles_free = &s->handles[i];
		}
	}
	h = l->handles_free;
	l->handles_free = h->next_free;
	rv_timer_init(&h->timer, l, handle_fire, h);
	h->fn = fn;
	h->arg = arg;
	return h;
}

static void handle_put(rv_loop *l, struct handle *h)
{
	h->gen++;
	h->next_free = l->handles_free;
	l->handles_free = h;
}

static void handle_fire(void *arg)
{
	struct handle *h = arg;
	rv_loop *l = h->timer.loop;
	struct handle *outer = l->handle_running;

	l->handle_running = h;
	LOOP_CALLBACK(l, h->fn);
	h->fn(h->arg);
	l->handle_running = outer;
	handle_put(l, h);
}

void handles_deinit(rv_loop *l)
{
	struct rv_link *it;

	while ((it = link_pop(&l->handle_slabs)))
		free(LINK_ENTRY(it, struct handle_slab, link));
}

static rv_handle handle_value(struct handle *h)
{
	return h ? (rv_handle){.p = h, .gen = h->gen} : (rv_handle){0};
}

rv_handle handle_current(rv_loop *l)
{
	return handle_value(l->handle_running);
}

rv_handle rv_call_soon(rv_loop *l, rv_cb fn, void *arg)
{
	struct handle *h;

	if (WRONG_THREAD(l))
		return (rv_handle){0};
	h = handle_new(l, fn, arg);
	if (h)
		timer_start_now(&h->timer);
	return handle_value(h);
}

static rv_handle call_at(
	rv_loop *l, enum timer_clock clock, rv_time when, rv_cb fn, void *arg)
{
	struct handle *h = handle_new(l, fn, arg);

	if (h && timers_prepare(l, clock) < 0) {
		handle_put(l, h);
		h = NULL;
	}
	if (h)
		timer_start_clock(&h->timer, clock, when);
	return handle_value(h);
}

rv_handle rv_call_later(rv_loop *l, rv_time delay, rv_cb fn, void *arg)
{
	rv_time when;

	if (WRONG_THREAD(l))
		return (rv_handle){0};
	if (delay <= 0)
		return rv_call_soon(l, fn, arg);
	if (__builtin_add_overflow(loop_monotonic(l), delay, &when))
		when = RV_FOREVER;
	return call_at(l, TIMER_MONOTONIC, when, fn, arg);
}

rv_handle rv_call_at(rv_loop *l, rv_time when, rv_cb fn, void *arg)
{
	if (WRONG_THREAD(l))
		return (rv_handle){0};
	return call_at(l, TIMER_MONOTONIC, when, fn, arg);
}

rv_handle rv_call_at_boot(rv_loop *l, rv_time when, rv_cb fn, void *arg)
{
	if (WRONG_THREAD(l))
		return (rv_handle){0};
	return call_at(l, TIMER_BOOT, when, fn, arg);
}

rv_handle rv_call_at_wall(rv_loop *l, int64_t when_usec, rv_cb fn, void *arg)
{
	rv_time when;

	if (WRONG_THREAD(l))
		return (rv_handle){0};
	if (__builtin_mul_overflow(when_usec, 1000, &when))
		when = when_usec > 0 ? RV_FOREVER : INT64_MIN;
	return call_at(l, TIMER_WALL, when, fn, arg);
}

static struct handle *handle_find(rv_loop *l, rv_handle v)
{
	struct handle *h = v.p;

	if (!h || l->closed || h->gen != v.gen || !rv_timer_active(&h->timer))
		return NULL;
	return h;
}

bool rv_handle_cancel(rv_loop *l, rv_handle v)
{
	struct handle *h;

	if (WRONG_THREAD(l))
		return false;
	h = handle_find(l, v);
	if (!h)
		return false;
	rv_timer_stop(&h->timer);
	handle_put(l, h);
	return true;
}

bool rv_handle_active(rv_loop *l, rv_handle v)
{
	(void)WRONG_THREAD(l); /* answers all the same */
	return handle_find(l, v) != NULL;
}

rv_time rv_handle_when(rv_loop *l, rv_handle v)
{
	struct handle *h = handle_find(l, v);

	return h ? h->timer.when : 0;
}

/* -- posts of other threads --------------------------------------------------- */

struct post {
	struct inbox_node node;
	struct rv_ready ready;
	rv_loop *loop;
	rv_cb fn;
	void *arg;
};

static void post_run(struct rv_ready *r)
{
	struct post *p = CONTAINER_OF(r, struct post, ready);
	rv_cb fn = p->fn;
	void *arg = p->arg;

	p->loop->ran_callbacks = true;
	LOOP_CALLBACK(p->loop, fn);
	free(p);
	fn(arg);
}

static void post_arrived(struct inbox_node *n)
{
	struct post *p = CONTAINER_OF(n, struct post, node);

	ready_append(p->loop, &p->ready);
}

int rv_call_soon_threadsafe(rv_loop *l, rv_cb fn, void *arg)
{
	struct post *p;
	int r;

	/* In its own thread a post is as good as any callback, and keeps its place. */
	if (current.loop == l) {
		if (l->closed)
			return -RV_ELOOPCLOSED;
		return rv_call_soon(l, fn, arg).p ? 0 : -ENOMEM;
	}
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct post){
		.node.fn = post_arrived,
		.ready.run = post_run,
		.loop = l,
		.fn = fn,
		.arg = arg,
	};
	r = inbox_post(&l->inbox, &p->node);
	if (r < 0)
		free(p);
	return r;
}

void posts_flush(rv_loop *l)
{
	struct rv_link posts, *it, *next;

	link_init(&posts);
	for (it = l->ready.next; it != &l->ready; it = next) {
		next = it->next;
		if (LINK_ENTRY(it, struct rv_ready, link)->run == post_run) {
			link_unlink(it);
			link_append(&posts, it);
		}
	}
	while ((it = link_pop(&posts)))
		post_run(LINK_ENTRY(it, struct rv_ready, link));
}
