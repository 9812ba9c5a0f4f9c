#include "config.h"

#include <string.h>

#include "spawn/stamp.h"
#include "tests/support/unit.h"

#define AT INT64_C(1769853600000001) /* 2026-01-31T10:00:00.000001Z */

static void assert_stamped(
	struct stamp *st, const char *in, int64_t usec, const char *out)
{
	struct buf b = BUF_NULL;

	ck_assert_int_eq(stamp_lines(st, &b, in, strlen(in), usec), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_str_eq(buf_head(&b), out);
	buf_deinit(&b);
}

START_TEST(each_line_begins_with_the_time)
{
	struct stamp st = {.mid_line = false};

	assert_stamped(&st, "a\n\nb\n", AT,
		"2026-01-31T10:00:00.000001Z a\n2026-01-31T10:00:00.000001Z \n"
		"2026-01-31T10:00:00.000001Z b\n");
	assert_stamped(&st, "c\n", AT + 999999, "2026-01-31T10:00:01.000000Z c\n");
	assert_stamped(&st, "", AT, "");
}
END_TEST

START_TEST(line_in_pieces_has_the_time_of_its_first)
{
	struct stamp st = {.mid_line = false};

	assert_stamped(&st, "a", AT, "2026-01-31T10:00:00.000001Z a");
	assert_stamped(&st, "b", AT + 1, "b");
	assert_stamped(&st, "\nc", AT + 2, "\n2026-01-31T10:00:00.000003Z c");
}
END_TEST

START_TEST(beginning_and_far_end_of_time)
{
	struct stamp st = {.mid_line = false};

	assert_stamped(&st, "a\n", 0, "1970-01-01T00:00:00.000000Z a\n");
	assert_stamped(&st, "a\n", INT64_C(253402300799999999),
		"9999-12-31T23:59:59.999999Z a\n");
}
END_TEST

UNIT_MAIN("stamp", each_line_begins_with_the_time,
	line_in_pieces_has_the_time_of_its_first, beginning_and_far_end_of_time)
