#include "config.h"

#include "base/hashmap.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

DEFINE_CLEANUP(struct hashmap *, hashmap_free)
#define MAP_LOCAL _cleanup_(hashmap_freep) struct hashmap

static struct hashmap *map_of(enum hashmap_kind kind)
{
	struct hashmap *m;

	ck_assert_int_eq(hashmap_new(&m, kind), 0);
	return m;
}

static void *number(size_t n)
{
	return (void *)(uintptr_t)n;
}

START_TEST(empty_map_has_nothing)
{
	MAP_LOCAL *m = map_of(HASHMAP_STRING);
	void *v;
	size_t it = 0;

	ck_assert_uint_eq(hashmap_size(m), 0);
	ck_assert_ptr_null(hashmap_get(m, "a"));
	ck_assert_ptr_null(hashmap_remove(m, "a"));
	ck_assert(!hashmap_next(m, &it, &v));
	ck_assert_ptr_null(hashmap_free(NULL));
}
END_TEST

START_TEST(key_is_copied)
{
	MAP_LOCAL *m = map_of(HASHMAP_STRING);
	char key[] = "first";

	ck_assert_int_eq(hashmap_put(m, key, number(1)), 0);
	strcpy(key, "other");
	ck_assert_ptr_eq(hashmap_get(m, "first"), number(1));
	ck_assert_ptr_null(hashmap_get(m, "other"));
}
END_TEST

START_TEST(put_of_a_key_that_is_there_changes_nothing)
{
	MAP_LOCAL *m = map_of(HASHMAP_STRING);
	MAP_LOCAL *u = map_of(HASHMAP_U64);

	ck_assert_int_eq(hashmap_put(m, "", number(1)), 0);
	ck_assert_int_eq(hashmap_put(m, "", number(2)), -EEXIST);
	ck_assert_ptr_eq(hashmap_get(m, ""), number(1));
	ck_assert_int_eq(hashmap_put_u64(u, UINT64_MAX, number(1)), 0);
	ck_assert_int_eq(hashmap_put_u64(u, UINT64_MAX, number(2)), -EEXIST);
	ck_assert_ptr_eq(hashmap_get_u64(u, UINT64_MAX), number(1));
	ck_assert_uint_eq(hashmap_size(u), 1);
}
END_TEST

START_TEST(set_replaces_and_gives_the_old_value)
{
	MAP_LOCAL *m = map_of(HASHMAP_STRING);
	void *old = m;

	ck_assert_int_eq(hashmap_set(m, "a", number(1), &old), 0);
	ck_assert_ptr_null(old);
	ck_assert_int_eq(hashmap_set(m, "a", number(2), &old), 0);
	ck_assert_ptr_eq(old, number(1));
	ck_assert_int_eq(hashmap_set(m, "a", number(3), NULL), 0);
	ck_assert_ptr_eq(hashmap_get(m, "a"), number(3));
	ck_assert_uint_eq(hashmap_size(m), 1);
}
END_TEST

#define MODEL_KEYS 3000

/* 200000 random steps beside an array; few keys and many, so that the map grows,
 * shrinks and shifts */
static void against_model(enum hashmap_kind kind)
{
	static uintptr_t model[MODEL_KEYS];
	MAP_LOCAL *m = map_of(kind);
	size_t n_model = 0;
	uint64_t seed = 88172645463325252;

	memset(model, 0, sizeof(model));
	for (uintptr_t step = 1; step <= 200000; step++) {
		size_t range = step / 20000 % 2 ? MODEL_KEYS : 20, k;
		bool add = step / 10000 % 4 < 2;
		char key[24];
		void *v;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		k = seed % range;
		add = add ? seed >> 32 & 3 : !(seed >> 32 & 3);
		snprintf(key, sizeof(key), "key-%zu", k);
		if (add) {
			int r = kind == HASHMAP_STRING
					? hashmap_put(m, key, number(step))
					: hashmap_put_u64(m, k << 40, number(step));

			ck_assert_int_eq(r, model[k] ? -EEXIST : 0);
			if (!model[k]) {
				model[k] = step;
				n_model++;
			}
		} else {
			v = kind == HASHMAP_STRING ? hashmap_remove(m, key)
						   : hashmap_remove_u64(m, k << 40);
			ck_assert_ptr_eq(v, number(model[k]));
			n_model -= model[k] != 0;
			model[k] = 0;
		}
		ck_assert_uint_eq(hashmap_size(m), n_model);
		if (step % 5000 != 0)
			continue;
		for (k = 0; k < MODEL_KEYS; k++) {
			snprintf(key, sizeof(key), "key-%zu", k);
			v = kind == HASHMAP_STRING ? hashmap_get(m, key)
						   : hashmap_get_u64(m, k << 40);
			ck_assert_ptr_eq(v, number(model[k]));
		}
	}
}

START_TEST(string_map_agrees_with_a_naive_model)
{
	against_model(HASHMAP_STRING);
}
END_TEST

START_TEST(number_map_agrees_with_a_naive_model)
{
	against_model(HASHMAP_U64);
}
END_TEST

START_TEST(walk_visits_each_value_once)
{
	MAP_LOCAL *m = map_of(HASHMAP_U64);
	char seen[1000] = "";
	size_t n = 0;
	char *v;

	for (size_t i = 0; i < sizeof(seen); i++)
		ck_assert_int_eq(hashmap_put_u64(m, i, &seen[i]), 0);
	HASHMAP_FOREACH(v, m) {
		ck_assert_int_eq((*v)++, 0);
		n++;
	}
	ck_assert_uint_eq(n, sizeof(seen));
}
END_TEST

START_TEST(removing_the_current_element_keeps_the_walk_whole)
{
	/* each, each other, each third: with shrinking in between */
	for (size_t step = 1; step <= 3; step++) {
		MAP_LOCAL *m = map_of(HASHMAP_U64);
		char seen[1000] = "";
		size_t n = 0;
		char *v;

		for (size_t i = 0; i < sizeof(seen); i++)
			ck_assert_int_eq(hashmap_put_u64(m, i, &seen[i]), 0);
		HASHMAP_FOREACH(v, m) {
			ck_assert_int_eq((*v)++, 0);
			if (n++ % step == 0)
				ck_assert_ptr_eq(
					hashmap_remove_u64(m, (uint64_t)(v - seen)), v);
		}
		ck_assert_uint_eq(n, sizeof(seen));
		ck_assert_uint_eq(hashmap_size(m), n - (n + step - 1) / step);
	}
}
END_TEST

START_TEST(failed_allocations_leave_the_map_as_it_was)
{
	MAP_LOCAL *m = map_of(HASHMAP_STRING);
	size_t n_failures = 0;

	for (size_t i = 0; i < 200; i++) {
		char key[24];

		snprintf(key, sizeof(key), "%zu", i);
		for (size_t n = 1;; n++) {
			int r;

			alloc_fail_at(n);
			r = i % 2 ? hashmap_put(m, key, number(i + 1))
				  : hashmap_set(m, key, number(i + 1), NULL);
			if (!alloc_fail_stop()) {
				ck_assert_int_eq(r, 0);
				break;
			}
			n_failures++;
			ck_assert_int_eq(r, -ENOMEM);
			ck_assert_uint_eq(hashmap_size(m), i);
			ck_assert_ptr_null(hashmap_get(m, key));
		}
	}
	ck_assert_uint_gt(n_failures, 200);
	for (size_t i = 0; i < 200; i++) {
		char key[24];

		snprintf(key, sizeof(key), "%zu", i);
		ck_assert_ptr_eq(hashmap_get(m, key), number(i + 1));
	}
}
END_TEST

START_TEST(removal_works_when_nothing_can_be_allocated)
{
	MAP_LOCAL *m = map_of(HASHMAP_U64);
	int n_failures = 0;

	for (size_t i = 1; i <= 5000; i++)
		ck_assert_int_eq(hashmap_put_u64(m, i, number(i)), 0);
	for (size_t i = 1; i <= 5000; i++) {
		void *removed, *again;

		alloc_fail_at(1);
		removed = hashmap_remove_u64(m, i);
		n_failures += alloc_fail_stop();
		again = hashmap_remove_u64(m, i);
		ck_assert_ptr_eq(removed, number(i));
		ck_assert_ptr_null(again);
	}
	ck_assert_int_gt(n_failures, 0); /* it did try to shrink */
	ck_assert_uint_eq(hashmap_size(m), 0);
}
END_TEST

static void use_wrong_kind(void)
{
	struct hashmap *m;

	if (hashmap_new(&m, HASHMAP_U64) == 0)
		hashmap_get(m, "text");
}

START_TEST(key_of_the_wrong_kind_aborts)
{
	ck_assert_int_eq(unit_signal_of(use_wrong_kind), SIGABRT);
}
END_TEST

UNIT_MAIN("hashmap", empty_map_has_nothing, key_is_copied,
	put_of_a_key_that_is_there_changes_nothing,
	set_replaces_and_gives_the_old_value, string_map_agrees_with_a_naive_model,
	number_map_agrees_with_a_naive_model, walk_visits_each_value_once,
	removing_the_current_element_keeps_the_walk_whole,
	failed_allocations_leave_the_map_as_it_was,
	removal_works_when_nothing_can_be_allocated, key_of_the_wrong_kind_aborts)
