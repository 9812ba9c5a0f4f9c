#include "config.h"

#include "runtime/timer_heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"

enum {
	ARITY = 4,
	ROOT = TIMER_HEAP_ROOT,
	ROOM_MIN = 16,
	CACHE_LINE = 64,
	IN_LIST = 0, /* rv_timer.slot */
};
#define ROOM_MAX (UINT32_MAX / 4)

static size_t first_child(size_t i)
{
	return (i - 2) * ARITY;
}

static size_t parent(size_t i)
{
	return i / ARITY + 2;
}

static bool before(struct timer_key a, struct timer_key b)
{
	return a.when < b.when || (a.when == b.when && (int32_t)(a.seq - b.seq) < 0);
}

static struct timer_key key_of(const rv_timer *t)
{
	return (struct timer_key){t->when, t->seq, t->slot};
}

/* -- memory --------------------------------------------------------------------------- */

static struct timer_key *keys_new(uint32_t n_max)
{
	/* from a line's beginning on, and whole lines */
	return aligned_alloc(
		CACHE_LINE, ((size_t)n_max + ARITY) * sizeof(struct timer_key));
}

static int grow(struct timer_heap *h)
{
	uint32_t n_max = MAX(2 * h->n_max, (uint32_t)ROOM_MIN);
	struct timer_key *keys;
	struct timer_slot *slots;

	if (h->n_max > ROOM_MAX)
		return -ENOMEM;
	keys = keys_new(n_max);
	slots = keys ? reallocarray(h->slots, (size_t)n_max + 1, sizeof(*slots)) : NULL;
	if (!slots) {
		free(keys);
		return -ENOMEM;
	}
	if (h->n > 0)
		memcpy(keys + ROOT, h->keys + ROOT, h->n * sizeof(*keys));
	free(h->keys);
	h->keys = keys;
	h->slots = slots;
	h->n_max = n_max;
	return 0;
}

/* The timers get new slots, the first ones. */
static int shrink(struct timer_heap *h, uint32_t n_max)
{
	struct timer_key *keys = keys_new(n_max);
	struct timer_slot *slots = calloc((size_t)n_max + 1, sizeof(*slots));

	if (!keys || !slots) {
		free(keys);
		free(slots);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < h->n; i++) {
		struct timer_key key = h->keys[ROOT + i];
		rv_timer *t = h->slots[key.slot].timer;

		key.slot = t->slot = i + 1;
		keys[ROOT + i] = key;
		slots[key.slot] = (struct timer_slot){.timer = t, .at = ROOT + i};
	}
	free(h->keys);
	free(h->slots);
	h->keys = keys;
	h->slots = slots;
	h->n_max = n_max;
	h->n_slots = h->n;
	h->free_slot = 0;
	return 0;
}

void timer_heap_init(struct timer_heap *h)
{
	*h = (struct timer_heap){0};
	link_init(&h->list);
}

int timer_heap_prepare(struct timer_heap *h)
{
	return h->n_max > 0 ? 0 : grow(h);
}

void timer_heap_deinit(struct timer_heap *h)
{
	while (link_pop(&h->list))
		;
	free(h->keys);
	free(h->slots);
	timer_heap_init(h);
}

void timer_heap_trim(struct timer_heap *h)
{
	uint32_t n_max = h->n_max;

	/* half of it stays free, so that growing and shrinking never alternate */
	while (n_max > ROOM_MIN && h->n <= n_max / 4)
		n_max /= 2;
	if (n_max < h->n_max)
		(void)shrink(h, n_max); /* the larger arrays serve as well */
}

static uint32_t take_slot(struct timer_heap *h)
{
	uint32_t slot = h->free_slot;

	if (slot == 0)
		return ++h->n_slots;
	h->free_slot = h->slots[slot].at;
	return slot;
}

/* -- order ------------------------------------------------------------------------------ */

static inline void place(struct timer_heap *h, size_t i, struct timer_key key)
{
	h->keys[i] = key;
	h->slots[key.slot].at = (uint32_t)i;
}

/* Moves the hole at i to where key belongs, and puts it in. */
static void sift_up(struct timer_heap *h, size_t i, struct timer_key key)
{
	while (i > ROOT && before(key, h->keys[parent(i)])) {
		place(h, i, h->keys[parent(i)]);
		i = parent(i);
	}
	place(h, i, key);
}

static void sift_down(struct timer_heap *h, size_t i, struct timer_key key)
{
	size_t end = ROOT + h->n;

	for (;;) {
		size_t best = first_child(i), last = MIN(best + ARITY, end);

		if (best >= end)
			break;
		for (size_t c = best + 1; c < last; c++)
			if (before(h->keys[c], h->keys[best]))
				best = c;
		if (!before(h->keys[best], key))
			break;
		place(h, i, h->keys[best]);
		i = best;
	}
	place(h, i, key);
}

__attribute__((cold)) NOINLINE static void list_add(struct timer_heap *h, rv_timer *t)
{
	struct rv_link *it = h->list.prev;

	while (it != &h->list &&
		before(key_of(t), key_of(LINK_ENTRY(it, rv_timer, ready.link))))
		it = it->prev;
	t->slot = IN_LIST;
	link_prepend(it, &t->ready.link); /* after it */
}

void timer_heap_add(struct timer_heap *h, rv_timer *t)
{
	t->seq = h->seq++;
	if (UNLIKELY(h->n == h->n_max) && grow(h) < 0) {
		list_add(h, t);
		return;
	}
	t->slot = take_slot(h);
	h->slots[t->slot].timer = t;
	sift_up(h, ROOT + h->n++, key_of(t));
}

void timer_heap_remove(struct timer_heap *h, rv_timer *t)
{
	struct timer_slot *slot;
	struct timer_key last;
	size_t i;

	if (UNLIKELY(t->slot == IN_LIST)) {
		link_unlink(&t->ready.link);
		return;
	}
	slot = &h->slots[t->slot];
	INVARIANT(slot->timer == t);
	i = slot->at;
	slot->timer = NULL;
	slot->at = h->free_slot;
	h->free_slot = t->slot;
	last = h->keys[ROOT + --h->n];
	if (i == ROOT + h->n)
		return;
	if (i > ROOT && before(last, h->keys[parent(i)]))
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

rv_timer *timer_heap_first(const struct timer_heap *h)
{
	rv_timer *t = h->n > 0 ? h->slots[h->keys[ROOT].slot].timer : NULL;
	rv_timer *listed;

	if (LIKELY(link_is_empty(&h->list)))
		return t;
	listed = LINK_ENTRY(h->list.next, rv_timer, ready.link);
	return t && before(key_of(t), key_of(listed)) ? t : listed;
}
