#include "config.h"

#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"

/* Four children: half the depth of a binary heap, and a node's children share one or
 * two cache lines of the array. */
#define HEAP_ARITY    4
#define HEAP_ROOM_MIN 16

void heap_init(struct heap *h, heap_before_fn before)
{
	*h = (struct heap){.before = before};
}

void heap_deinit(struct heap *h)
{
	free(h->nodes);
	h->nodes = NULL;
	h->n = h->n_max = h->n_reserved = 0;
}

static int heap_resize(struct heap *h, size_t n_max)
{
	struct heap_node **nodes;

	nodes = reallocarray(h->nodes, n_max, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	h->nodes = nodes;
	h->n_max = n_max;
	return 0;
}

static int heap_grow(struct heap *h, size_t n)
{
	size_t n_max = MAX(h->n_max, (size_t)HEAP_ROOM_MIN);

	if (n <= h->n_max)
		return 0;
	if (n > SIZE_MAX / 2 / sizeof(struct heap_node *))
		return -ENOMEM;
	while (n_max < n)
		n_max *= 2;
	return heap_resize(h, n_max);
}

/* Half the array when a quarter is used, so that growing and shrinking never alternate.
 */
static void heap_shrink(struct heap *h)
{
	size_t n_max = h->n_max / 2;

	if (h->n > h->n_max / 4 || n_max < HEAP_ROOM_MIN || n_max < h->n_reserved)
		return;
	(void)heap_resize(h, n_max); /* the larger array serves as well */
}

int heap_reserve(struct heap *h, size_t n)
{
	int r;

	r = heap_grow(h, n);
	if (r < 0)
		return r;
	h->n_reserved = MAX(h->n_reserved, n);
	return 0;
}

static inline void heap_place(struct heap *h, size_t i, struct heap_node *node)
{
	h->nodes[i] = node;
	node->index = i + 1;
}

/* Moves the hole at i to where node belongs and puts it in. */
static void heap_sift_up(struct heap *h, size_t i, struct heap_node *node)
{
	while (i > 0) {
		size_t parent = (i - 1) / HEAP_ARITY;

		if (!h->before(node, h->nodes[parent]))
			break;
		heap_place(h, i, h->nodes[parent]);
		i = parent;
	}
	heap_place(h, i, node);
}

static void heap_sift_down(struct heap *h, size_t i, struct heap_node *node)
{
	for (;;) {
		size_t first = i * HEAP_ARITY + 1, best, end;

		if (first >= h->n)
			break;
		best = first;
		end = MIN(first + HEAP_ARITY, h->n);
		for (size_t c = first + 1; c < end; c++) {
			if (h->before(h->nodes[c], h->nodes[best]))
				best = c;
		}
		if (!h->before(h->nodes[best], node))
			break;
		heap_place(h, i, h->nodes[best]);
		i = best;
	}
	heap_place(h, i, node);
}

static void heap_settle(struct heap *h, size_t i, struct heap_node *node)
{
	if (i > 0 && h->before(node, h->nodes[(i - 1) / HEAP_ARITY]))
		heap_sift_up(h, i, node);
	else
		heap_sift_down(h, i, node);
}

int heap_push(struct heap *h, struct heap_node *node)
{
	int r;

	INVARIANT(!heap_node_is_linked(node));
	if (UNLIKELY(h->n == h->n_max)) {
		r = heap_grow(h, h->n + 1);
		if (r < 0)
			return r;
	}
	heap_sift_up(h, h->n++, node);
	return 0;
}

struct heap_node *heap_peek(const struct heap *h)
{
	return h->n ? h->nodes[0] : NULL;
}

struct heap_node *heap_pop(struct heap *h)
{
	struct heap_node *node = heap_peek(h);

	if (node)
		heap_remove(h, node);
	return node;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	struct heap_node *last;
	size_t i;

	if (!heap_node_is_linked(node))
		return;
	i = node->index - 1;
	INVARIANT(i < h->n && h->nodes[i] == node);
	node->index = 0;
	last = h->nodes[--h->n];
	if (last != node)
		heap_settle(h, i, last);
	heap_shrink(h);
}

void heap_update(struct heap *h, struct heap_node *node)
{
	size_t i = node->index - 1;

	INVARIANT(i < h->n && h->nodes[i] == node);
	heap_settle(h, i, node);
}

size_t heap_n_before(const struct heap *h, const struct heap_node *node, size_t max)
{
	size_t i = 0, n = 0;

	for (;;) {
		if (i < h->n && n < max && h->before(h->nodes[i], node)) {
			n++;
			i = i * HEAP_ARITY + 1; /* the first below it */
			continue;
		}
		while (i > 0 && i % HEAP_ARITY == 0) /* the last of its parent's */
			i = (i - 1) / HEAP_ARITY;
		if (i == 0)
			return n;
		i++;
	}
}
