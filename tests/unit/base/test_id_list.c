#include "config.h"

#include "base/id_list.h"

#include <errno.h>

#include "base/cleanup.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

#define LIST_LOCAL _cleanup_(id_list_deinit) struct id_list

static void add_all(struct id_list *l, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(id_list_add(l, v[i]), 0);
}

static void check(const struct id_list *l, const uint64_t *v, size_t n)
{
	ck_assert_uint_eq(l->n, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(l->v[i], v[i]);
}

START_TEST(ids_are_kept_in_the_order_in_which_they_came)
{
	LIST_LOCAL l = {0};

	for (uint64_t id = 1000; id > 0; id--)
		ck_assert_int_eq(id_list_add(&l, id), 0);
	ck_assert_uint_eq(l.n, 1000);
	for (size_t i = 0; i < l.n; i++)
		ck_assert_uint_eq(l.v[i], 1000 - i);
}
END_TEST

START_TEST(one_is_removed_and_the_others_keep_their_order)
{
	LIST_LOCAL l = {0};

	add_all(&l, (uint64_t[]){7, 3, 9, 3, 1}, 5);
	ck_assert(!id_list_remove(&l, 2));
	ck_assert(id_list_remove(&l, 3));
	check(&l, (uint64_t[]){7, 9, 3, 1}, 4);
	ck_assert(id_list_remove(&l, 1));
	ck_assert(id_list_remove(&l, 7));
	check(&l, (uint64_t[]){9, 3}, 2);
	ck_assert(id_list_remove(&l, 9));
	ck_assert(id_list_remove(&l, 3));
	ck_assert_uint_eq(l.n, 0);
	ck_assert(!id_list_remove(&l, 3));
}
END_TEST

START_TEST(sorting_is_by_all_64_bits)
{
	LIST_LOCAL l = {0};

	id_list_sort(&l); /* empty is fine */
	add_all(&l, (uint64_t[]){UINT64_MAX, 1, UINT64_C(1) << 32, 0}, 4);
	id_list_sort(&l);
	check(&l, (uint64_t[]){0, 1, UINT64_C(1) << 32, UINT64_MAX}, 4);
}
END_TEST

START_TEST(without_memory_it_stays_as_it_was)
{
	LIST_LOCAL l = {0};
	int r;

	add_all(&l, (uint64_t[]){1, 2, 3, 4}, 4);
	alloc_fail_at(1);
	r = id_list_add(&l, 5);
	ck_assert(alloc_fail_stop());
	ck_assert_int_eq(r, -ENOMEM);
	check(&l, (uint64_t[]){1, 2, 3, 4}, 4);
	ck_assert_int_eq(id_list_add(&l, 5), 0);
	check(&l, (uint64_t[]){1, 2, 3, 4, 5}, 5);
}
END_TEST

UNIT_MAIN("id_list", ids_are_kept_in_the_order_in_which_they_came,
	one_is_removed_and_the_others_keep_their_order, sorting_is_by_all_64_bits,
	without_memory_it_stays_as_it_was)
