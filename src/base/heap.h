/*
 * 4-ary intrusive min-heap: the node lives in its owner, nothing is allocated per
 * element.
 *
 * Removal is O(log n) from any place; equal elements come out in the order the
 * comparison says (give it a sequence number where order of insertion matters).
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "reeve/base.h"

struct heap_node {
	size_t index; /* place in the array + 1; 0 when in no heap */
};

/* true when a must come out before b */
typedef bool (*heap_before_fn)(const struct heap_node *a, const struct heap_node *b);

struct heap {
	struct heap_node *
		*nodes; /* grows by doubling, shrinks when a quarter is used */
	size_t n, n_max;
	size_t n_reserved; /* never shrinks below this */
	heap_before_fn before;
};

void heap_init(struct heap *h, heap_before_fn before);
/* frees the array; nodes still in it are not touched */
void heap_deinit(struct heap *h);
/* Make room for n elements in all: the next pushes up to there cannot fail. 0, -ENOMEM.
 */
int heap_reserve(struct heap *h, size_t n);
/* 0, or -ENOMEM (then the node is not in). The node must be in no heap. */
int heap_push(struct heap *h, struct heap_node *node);
/* NULL when empty */
struct heap_node *heap_peek(const struct heap *h);
struct heap_node *heap_pop(struct heap *h);
/* no effect when the node is in no heap; never allocates */
void heap_remove(struct heap *h, struct heap_node *node);
/* put right after the node's key changed; never allocates */
void heap_update(struct heap *h, struct heap_node *node);

/* How many come out before that node, which may be in it or not; no more than max are looked
 * for. Of the others only those next to them are looked at. */
size_t heap_n_before(const struct heap *h, const struct heap_node *node, size_t max);

static inline bool heap_node_is_linked(const struct heap_node *node)
{
	return node->index != 0;
}

#endif
