#include "config.h"

#include "base/buf.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

#define BUF_LOCAL _cleanup_(buf_deinitp) struct buf

static void assert_holds(const struct buf *b, const char *text)
{
	ck_assert_uint_eq(buf_len(b), strlen(text));
	ck_assert_mem_eq(buf_head(b), text, strlen(text));
}

START_TEST(empty_buffer_has_no_bytes_and_a_head)
{
	BUF_LOCAL b = BUF_NULL;

	ck_assert_uint_eq(buf_len(&b), 0);
	ck_assert_ptr_nonnull(buf_head(&b));
	buf_consume(&b, 0);
	buf_clear(&b);
	buf_trim(&b, 0);
	ck_assert_int_eq(buf_append(&b, NULL, 0), 0);
	ck_assert_uint_eq(buf_len(&b), 0);
}
END_TEST

START_TEST(bytes_come_out_in_the_order_they_went_in)
{
	BUF_LOCAL b = BUF_NULL;
	unsigned int in = 0, out = 0, seed = 1;

	while (out < 200000) {
		size_t n;

		seed = seed * 1103515245 + 12345;
		for (n = seed >> 16 & 127; n > 0; n--)
			ck_assert_int_eq(buf_append_byte(&b, (char)(in++ * 31)), 0);
		seed = seed * 1103515245 + 12345;
		for (n = MIN((size_t)(seed >> 16 & 127), buf_len(&b)); n > 0; n--) {
			if (*buf_head(&b) != (char)(out * 31))
				ck_abort_msg("byte %u is wrong", out);
			out++;
			buf_consume(&b, 1);
		}
	}
	ck_assert_uint_eq(buf_len(&b), in - out);
}
END_TEST

START_TEST(consumed_room_is_used_again)
{
	BUF_LOCAL b = BUF_NULL;
	char block[100] = "";

	for (int i = 0; i < 10000; i++) {
		ck_assert_int_eq(buf_append(&b, block, sizeof(block)), 0);
		ck_assert_int_eq(buf_append(&b, block, sizeof(block)), 0);
		buf_consume(&b, sizeof(block));
		if (i > 0)
			buf_consume(&b, sizeof(block));
	}
	ck_assert_uint_le(b.cap, 1024);
}
END_TEST

START_TEST(reserve_gives_room_that_commit_counts)
{
	BUF_LOCAL b = BUF_NULL;
	char *room;

	ck_assert_int_eq(buf_reserve(&b, 0, &room), 0);
	ck_assert_ptr_nonnull(room);
	ck_assert_int_eq(buf_reserve(&b, 1000, &room), 0);
	memset(room, 'x', 1000);
	ck_assert_uint_eq(buf_len(&b), 0);
	buf_commit(&b, 3);
	assert_holds(&b, "xxx");
}
END_TEST

START_TEST(sizes_that_overflow_leave_the_buffer_alone)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 2, SIZE_MAX / 2};
	BUF_LOCAL b = BUF_NULL;
	char *room;

	ck_assert_int_eq(buf_append_str(&b, "abc"), 0);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		ck_assert_int_eq(buf_reserve(&b, sizes[i], &room), -ENOMEM);
		assert_holds(&b, "abc");
	}
}
END_TEST

START_TEST(failed_allocations_leave_the_buffer_as_it_was)
{
	static const char big[5000];
	BUF_LOCAL b = BUF_NULL;
	char *room;

	for (int consumed = 0; consumed < 2; consumed++) {
		buf_clear(&b);
		ck_assert_int_eq(buf_append_str(&b, "?abc"), 0);
		if (consumed)
			buf_consume(&b, 1);
		for (int call = 0; call < 3; call++) {
			int r;

			alloc_fail_at(1);
			if (call == 0)
				r = buf_append(&b, big, sizeof(big));
			else if (call == 1)
				r = buf_printf(&b, "%4000d", 1);
			else
				r = buf_reserve(&b, 4000, &room);
			ck_assert(alloc_fail_stop());
			ck_assert_int_eq(r, -ENOMEM);
			assert_holds(&b, consumed ? "abc" : "?abc");
		}
	}
}
END_TEST

START_TEST(printf_fits_at_every_fill_level)
{
	for (size_t before = 0; before < 200; before++) {
		BUF_LOCAL b = BUF_NULL;

		for (size_t i = 0; i < before; i++)
			ck_assert_int_eq(buf_append_byte(&b, '.'), 0);
		ck_assert_int_eq(buf_printf(&b, "%s-%d", "value", 42), 0);
		ck_assert_uint_eq(buf_len(&b), before + 8);
		ck_assert_mem_eq(buf_head(&b) + before, "value-42", 8);
	}
}
END_TEST

START_TEST(stolen_text_ends_with_nul_and_starts_at_the_head)
{
	BUF_LOCAL b = BUF_NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;

	ck_assert_int_eq(buf_append_str(&b, "gone stays"), 0);
	buf_consume(&b, 5);
	text = buf_steal_str(&b, &len);
	ck_assert_str_eq(text, "stays");
	ck_assert_uint_eq(len, 5);
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(buf_len(&b), 0);
}
END_TEST

START_TEST(stealing_an_empty_buffer_gives_an_empty_string)
{
	BUF_LOCAL b = BUF_NULL;
	_cleanup_free_ char *text = buf_steal_str(&b, NULL);

	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(stealing_without_memory_keeps_the_bytes)
{
	BUF_LOCAL b = BUF_NULL;
	char full[64], *text;

	memset(full, 'x', sizeof(full));
	ck_assert_int_eq(buf_append(&b, full, sizeof(full)), 0);
	while (b.end < b.cap)
		ck_assert_int_eq(buf_append_byte(&b, 'x'), 0);
	alloc_fail_at(1);
	text = buf_steal_str(&b, NULL);
	ck_assert(alloc_fail_stop());
	ck_assert_ptr_null(text);
	ck_assert_uint_eq(buf_len(&b), b.cap);
}
END_TEST

START_TEST(trim_gives_back_what_is_hardly_used)
{
	BUF_LOCAL b = BUF_NULL;
	char *room;

	ck_assert_int_eq(buf_append_str(&b, "xhead"), 0);
	ck_assert_int_eq(buf_reserve(&b, 100000, &room), 0);
	buf_consume(&b, 1);
	buf_trim(&b, 200000);
	ck_assert_uint_ge(b.cap, 100000);
	buf_trim(&b, 1000);
	ck_assert_uint_eq(b.cap, 1000);
	assert_holds(&b, "head");
	buf_clear(&b);
	buf_trim(&b, 0);
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(trim_leaves_a_buffer_that_is_used)
{
	BUF_LOCAL b = BUF_NULL;
	size_t cap;

	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(buf_append_byte(&b, 'x'), 0);
	cap = b.cap;
	buf_trim(&b, 100);
	ck_assert_uint_eq(b.cap, cap);
}
END_TEST

static void consume_too_much(void)
{
	struct buf b = BUF_NULL;

	buf_consume(&b, 1);
}

START_TEST(consuming_more_than_there_is_aborts)
{
	ck_assert_int_eq(unit_signal_of(consume_too_much), SIGABRT);
}
END_TEST

UNIT_MAIN("buf", empty_buffer_has_no_bytes_and_a_head,
	bytes_come_out_in_the_order_they_went_in, consumed_room_is_used_again,
	reserve_gives_room_that_commit_counts,
	sizes_that_overflow_leave_the_buffer_alone,
	failed_allocations_leave_the_buffer_as_it_was, printf_fits_at_every_fill_level,
	stolen_text_ends_with_nul_and_starts_at_the_head,
	stealing_an_empty_buffer_gives_an_empty_string,
	stealing_without_memory_keeps_the_bytes, trim_gives_back_what_is_hardly_used,
	trim_leaves_a_buffer_that_is_used, consuming_more_than_there_is_aborts)
