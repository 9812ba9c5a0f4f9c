#include "config.h"

#include "base/heap.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

struct item {
	struct heap_node node;
	int key;
};

#define HEAP_LOCAL _cleanup_(heap_deinit) struct heap

static struct item *item_of(const struct heap_node *node)
{
	return CONTAINER_OF(node, struct item, node);
}

static bool item_before(const struct heap_node *a, const struct heap_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

START_TEST(empty_heap_gives_null)
{
	HEAP_LOCAL h;
	struct item stray = {.key = 1};

	heap_init(&h, item_before);
	ck_assert_ptr_null(heap_peek(&h));
	ck_assert_ptr_null(heap_pop(&h));
	heap_remove(&h, &stray.node); /* in no heap: no effect */
	ck_assert(!heap_node_is_linked(&stray.node));
}
END_TEST

START_TEST(elements_come_out_sorted)
{
	static struct item items[5000];
	uint64_t seed = 88172645463325252;
	HEAP_LOCAL h;
	int last = -1;

	heap_init(&h, item_before);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		items[i].key = (int)(next_random(&seed) % 1000);
		ck_assert_int_eq(heap_push(&h, &items[i].node), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		struct heap_node *node = heap_peek(&h);

		ck_assert_ptr_eq(heap_pop(&h), node);
		ck_assert(!heap_node_is_linked(node));
		ck_assert_int_ge(item_of(node)->key, last);
		last = item_of(node)->key;
	}
	ck_assert_uint_eq(h.n, 0);
	ck_assert_uint_le(h.n_max, 64); /* it gave its memory back */
}
END_TEST

/* the smallest key that is in, by looking at all; -1 when none is */
static int model_min(const struct item *items, size_t n)
{
	int min = -1;

	for (size_t i = 0; i < n; i++) {
		if (heap_node_is_linked(&items[i].node) &&
			(min < 0 || items[i].key < min))
			min = items[i].key;
	}
	return min;
}

START_TEST(random_operations_agree_with_a_naive_model)
{
	static struct item items[300];
	uint64_t seed = 1234567;
	HEAP_LOCAL h;

	heap_init(&h, item_before);
	for (int step = 0; step < 100000; step++) {
		struct item *item = &items[next_random(&seed) % ARRAY_LEN(items)];
		/* phases in which the heap fills and empties */
		unsigned int choice =
			next_random(&seed) % 8 + (step / 5000 % 2 ? 3 : 0);
		int min;

		if (!heap_node_is_linked(&item->node)) {
			if (choice < 5) {
				item->key = (int)(next_random(&seed) % 500);
				ck_assert_int_eq(heap_push(&h, &item->node), 0);
			}
		} else if (choice < 4) {
			item->key = (int)(next_random(&seed) % 500);
			heap_update(&h, &item->node);
		} else if (choice < 8) {
			heap_remove(&h, &item->node);
			ck_assert(!heap_node_is_linked(&item->node));
		} else {
			min = model_min(items, ARRAY_LEN(items));
			ck_assert_int_eq(item_of(heap_pop(&h))->key, min);
		}
		min = model_min(items, ARRAY_LEN(items));
		ck_assert_int_eq(h.n ? item_of(heap_peek(&h))->key : -1, min);
	}
}
END_TEST

START_TEST(reserved_room_needs_no_allocation_even_after_shrinking)
{
	static struct item items[1000];
	bool failed = false;
	HEAP_LOCAL h;

	heap_init(&h, item_before);
	ck_assert_int_eq(heap_reserve(&h, ARRAY_LEN(items)), 0);
	for (int round = 0; round < 2; round++) {
		alloc_fail_at(1);
		for (size_t i = 0; i < ARRAY_LEN(items); i++)
			failed |= heap_push(&h, &items[i].node) < 0;
		while (heap_pop(&h))
			;
		ck_assert(!alloc_fail_stop());
		ck_assert(!failed);
	}
}
END_TEST

START_TEST(failed_push_leaves_the_node_out)
{
	struct item items[17] = {0};
	HEAP_LOCAL h;
	int r;

	heap_init(&h, item_before);
	alloc_fail_at(1);
	r = heap_push(&h, &items[0].node);
	ck_assert(alloc_fail_stop());
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert(!heap_node_is_linked(&items[0].node));
	while (h.n == 0 || h.n < h.n_max)
		ck_assert_int_eq(heap_push(&h, &items[h.n].node), 0);
	alloc_fail_at(1);
	r = heap_push(&h, &items[16].node);
	ck_assert(alloc_fail_stop());
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert(!heap_node_is_linked(&items[16].node));
	ck_assert_uint_eq(h.n, 16);
	ck_assert_int_eq(heap_push(&h, &items[16].node), 0);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
	HEAP_LOCAL h;

	heap_init(&h, item_before);
	ck_assert_int_eq(heap_reserve(&h, SIZE_MAX), -ENOMEM);
	ck_assert_int_eq(heap_reserve(&h, SIZE_MAX / 2), -ENOMEM);
	ck_assert_ptr_null(heap_peek(&h));
}
END_TEST

START_TEST(removal_works_when_nothing_can_be_allocated)
{
	static struct item items[1000];
	int n_failures = 0;
	HEAP_LOCAL h;

	heap_init(&h, item_before);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		items[i].key = (int)(i * 7919 % 1000);
		ck_assert_int_eq(heap_push(&h, &items[i].node), 0);
	}
	for (int i = 0; i < 1000; i++) {
		struct heap_node *node;

		alloc_fail_at(1);
		node = heap_pop(&h);
		n_failures += alloc_fail_stop();
		ck_assert_int_eq(item_of(node)->key, i);
	}
	ck_assert_int_gt(n_failures, 0); /* it did try to shrink */
}
END_TEST

static void push_twice(void)
{
	struct item item = {.key = 1};
	struct heap h;

	heap_init(&h, item_before);
	if (heap_push(&h, &item.node) == 0)
		(void)heap_push(&h, &item.node);
}

START_TEST(pushing_a_node_twice_aborts)
{
	ck_assert_int_eq(unit_signal_of(push_twice), SIGABRT);
}
END_TEST

START_TEST(elements_before_one_are_counted)
{
	static struct item items[300];
	uint64_t seed = 88172645463325252;
	struct item stray = {.key = 50};
	HEAP_LOCAL h;

	heap_init(&h, item_before);
	ck_assert_uint_eq(heap_n_before(&h, &stray.node, 10), 0);
	for (size_t n = 0; n < ARRAY_LEN(items); n++) {
		size_t before = 0;

		items[n].key = (int)(next_random(&seed) % 100);
		ck_assert_int_eq(heap_push(&h, &items[n].node), 0);
		stray.key = (int)(next_random(&seed) % 110);
		for (size_t i = 0; i <= n; i++)
			before += items[i].key < stray.key;
		ck_assert_uint_eq(heap_n_before(&h, &stray.node, n + 1), before);
		ck_assert_uint_eq(
			heap_n_before(&h, &stray.node, n / 2), MIN(before, n / 2));
	}
}
END_TEST

UNIT_MAIN("heap", elements_before_one_are_counted, empty_heap_gives_null,
	elements_come_out_sorted, random_operations_agree_with_a_naive_model,
	reserved_room_needs_no_allocation_even_after_shrinking,
	failed_push_leaves_the_node_out, sizes_that_overflow_are_refused,
	removal_works_when_nothing_can_be_allocated, pushing_a_node_twice_aborts)
