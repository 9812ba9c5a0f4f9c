/*
 * Waking the loop from other threads and from signal handlers.
 *
 * Posts are pushed on a stack with compare-and-swap and taken all at once. The eventfd
 * is written only when the loop sleeps: the loop sets `parked` and then looks at the
 * stack once more; a poster pushes and then takes `parked` away. All of these are
 * sequentially consistent, so one of the two sees the other. The eventfd is never read:
 * it is watched edge-triggered, and each write is an edge.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/loop_priv.h"

/* the head of a closed inbox */
static struct inbox_node inbox_closed;

int inbox_init(struct inbox *b)
{
	atomic_init(&b->head, NULL);
	atomic_init(&b->parked, false);
	atomic_init(&b->signals, false);
	atomic_init(&b->stop, false);
	b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return b->fd < 0 ? -errno : 0;
}

/* With the last reference to the loop, not when it closes: a poster that got in just
 * before may still be about to write. */
void inbox_deinit(struct inbox *b)
{
	b->fd = close_safe(b->fd);
}

void inbox_wake(struct inbox *b)
{
	uint64_t one = 1;

	if (!atomic_load(&b->parked) || !atomic_exchange(&b->parked, false))
		return;
	if (write(b->fd, &one, sizeof(one)) < 0) {
		/* EAGAIN: 2^64 writes, all of them edges. Nothing else can happen. */
	}
}

int inbox_post(struct inbox *b, struct inbox_node *n)
{
	struct inbox_node *head = atomic_load(&b->head);

	do {
		if (head == &inbox_closed)
			return -RV_ELOOPCLOSED;
		n->next = head;
	} while (!atomic_compare_exchange_weak(&b->head, &head, n));
	inbox_wake(b);
	return 0;
}

bool inbox_is_empty(const struct inbox *b)
{
	return atomic_load_explicit(&b->head, memory_order_relaxed) == NULL;
}

bool inbox_park(struct inbox *b)
{
	atomic_store(&b->parked, true);
	return atomic_load(&b->head) || atomic_load(&b->signals) ||
	       atomic_load(&b->stop);
}

void inbox_unpark(struct inbox *b)
{
	atomic_store_explicit(&b->parked, false, memory_order_relaxed);
}

/* takes the stack apart in the order of posting */
static void run_posts(struct inbox_node *n)
{
	struct inbox_node *first = NULL;

	while (n) {
		struct inbox_node *next = n->next;

		n->next = first;
		first = n;
		n = next;
	}
	while (first) {
		n = first;
		first = n->next;
		n->fn(n);
	}
}

void inbox_drain(struct inbox *b)
{
	run_posts(atomic_exchange(&b->head, NULL));
}

void inbox_close(struct inbox *b)
{
	struct inbox_node *n = atomic_exchange(&b->head, &inbox_closed);

	if (n != &inbox_closed)
		run_posts(n);
	atomic_store(&b->parked, false);
}

void inbox_forked(struct inbox *b)
{
	atomic_store(&b->head, &inbox_closed);
	atomic_store(&b->parked, false);
}

int rv_loop_stop_threadsafe(rv_loop *l)
{
	if (atomic_load(&l->inbox.head) == &inbox_closed)
		return -RV_ELOOPCLOSED;
	atomic_store(&l->inbox.stop, true);
	inbox_wake(&l->inbox);
	return 0;
}
