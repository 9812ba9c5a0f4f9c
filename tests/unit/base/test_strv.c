#include "config.h"

#include "base/strv.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

#define STRV_LOCAL _cleanup_(strv_freep) char **
/* strings are never written through it; -Wwrite-strings wants them const until then */
#define STRV(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

START_TEST(null_counts_as_empty)
{
	STRV_LOCAL copy = strv_copy(NULL);

	ck_assert_uint_eq(strv_len(NULL), 0);
	ck_assert_ptr_null(strv_free(NULL));
	ck_assert_ptr_nonnull(copy);
	ck_assert(strv_equal(copy, NULL));
	ck_assert_ptr_null(strv_env_get(NULL, "HOME"));
}
END_TEST

START_TEST(append_keeps_order_and_copies)
{
	STRV_LOCAL v = NULL;
	char text[] = "a";

	ck_assert_int_eq(strv_append(&v, text), 0);
	text[0] = 'x';
	ck_assert_int_eq(strv_append(&v, ""), 0);
	ck_assert(strv_equal(v, STRV("a", "")));
	ck_assert(!strv_equal(v, STRV("a")));
	ck_assert(!strv_equal(v, STRV("a", "b")));
}
END_TEST

START_TEST(environment_is_read_by_whole_names)
{
	char *const *env =
		STRV("PATHS=no", "NOVALUE", "PATH=yes", "EMPTY=", "PATH=second");

	ck_assert_str_eq(strv_env_get(env, "PATH"), "yes");
	ck_assert_str_eq(strv_env_get(env, "EMPTY"), "");
	ck_assert_ptr_null(strv_env_get(env, "NOVALUE"));
	ck_assert_ptr_null(strv_env_get(env, "PAT"));
	ck_assert_ptr_null(strv_env_get(env, ""));
	ck_assert_ptr_null(strv_env_get(env, "PATH=yes"));
}
END_TEST

START_TEST(environment_is_set_in_place_or_at_the_end)
{
	STRV_LOCAL env = strv_copy(STRV("A=1", "B=2"));

	ck_assert_int_eq(strv_env_set(&env, "A", "one=1"), 0);
	ck_assert_int_eq(strv_env_set(&env, "C", ""), 0);
	ck_assert(strv_equal(env, STRV("A=one=1", "B=2", "C=")));
	ck_assert_int_eq(strv_env_set(&env, "", "x"), -EINVAL);
	ck_assert_int_eq(strv_env_set(&env, "D=E", "x"), -EINVAL);
	ck_assert_uint_eq(strv_len(env), 3);
}
END_TEST

START_TEST(split_drops_empty_parts)
{
	STRV_LOCAL v = NULL;
	STRV_LOCAL none = NULL;

	ck_assert_int_eq(strv_split(&v, ",a, b,,c ", ", "), 0);
	ck_assert(strv_equal(v, STRV("a", "b", "c")));
	ck_assert_int_eq(strv_split(&none, " , ", ", "), 0);
	ck_assert_ptr_nonnull(none);
	ck_assert_uint_eq(strv_len(none), 0);
}
END_TEST

/* Quadratic, as appending one by one is, this takes minutes. */
START_TEST(split_of_a_long_text_is_quick)
{
	enum { WORDS = 1000000 };
	STRV_LOCAL v = NULL;
	char *text = malloc(2 * WORDS + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < WORDS; i++)
		memcpy(text + 2 * i, "w ", 2);
	text[2 * WORDS] = '\0';
	ck_assert_int_eq(strv_split(&v, text, " "), 0);
	ck_assert_uint_eq(strv_len(v), WORDS);
	ck_assert_str_eq(v[WORDS - 1], "w");
	free(text);
}
END_TEST

START_TEST(builder_grows_and_hands_over)
{
	struct strv_builder b = STRV_BUILDER_NULL;
	STRV_LOCAL v = NULL;
	STRV_LOCAL none = NULL;

	ck_assert_int_eq(strv_builder_finish(&b, &none), 0);
	ck_assert_uint_eq(strv_len(none), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(strv_builder_add(&b, i % 2 ? "odd" : "even"), 0);
	ck_assert_int_eq(strv_builder_take(&b, strdup("last")), 0);
	ck_assert_uint_eq(b.n, 21);
	ck_assert_int_eq(strv_builder_finish(&b, &v), 0);
	ck_assert_ptr_null(b.v);
	ck_assert_uint_eq(strv_len(v), 21);
	ck_assert_str_eq(v[19], "odd");
	ck_assert_str_eq(v[20], "last");
}
END_TEST

START_TEST(failed_allocations_change_nothing)
{
	char *const *model = STRV("one", "two", "three");
	STRV_LOCAL v = strv_copy(model);
	char **copy;
	size_t n = 1;
	int r;

	for (;; n++) {
		STRV_LOCAL out = NULL;

		alloc_fail_at(n);
		r = strv_split(&out, "a b c", " ");
		if (!alloc_fail_stop()) {
			ck_assert_int_eq(r, 0);
			break;
		}
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(out);
	}
	ck_assert_uint_gt(n, 4);
	for (n = 1; n <= 2; n++) {
		alloc_fail_at(n);
		r = strv_append(&v, "four");
		ck_assert(alloc_fail_stop());
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert(strv_equal(v, model));
	}
	for (n = 1; n <= 4; n++) {
		alloc_fail_at(n);
		copy = strv_copy(model);
		ck_assert(alloc_fail_stop());
		ck_assert_ptr_null(copy);
	}
}
END_TEST

UNIT_MAIN("strv", null_counts_as_empty, append_keeps_order_and_copies,
	environment_is_read_by_whole_names, environment_is_set_in_place_or_at_the_end,
	split_drops_empty_parts, split_of_a_long_text_is_quick,
	builder_grows_and_hands_over, failed_allocations_change_nothing)
