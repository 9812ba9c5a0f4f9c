#include "config.h"

#include <string.h>

#include "base/macro.h"
#include "cli/text.h"
#include "tests/support/unit.h"

static void assert_escaped(const char *text, const char *expected)
{
	char *escaped = text_escape_dup(text);

	ck_assert_str_eq(escaped, expected);
	free(escaped);
}

START_TEST(plain_text_stays)
{
	assert_escaped("", "");
	assert_escaped("make -j4 \"x\" \\n", "make -j4 \"x\" \\n");
	assert_escaped("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80",
		"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80");
}
END_TEST

START_TEST(control_characters_are_shown)
{
	assert_escaped("a\033[2Jb", "a\\x1b[2Jb");
	assert_escaped("a\nb\tc\r", "a\\x0ab\\x09c\\x0d");
	assert_escaped("\x7f", "\\x7f");
	/* C1: CSI as one character */
	assert_escaped("\xc2\x9b", "\\u{009b}");
}
END_TEST

START_TEST(marks_of_direction_are_shown)
{
	assert_escaped("a\xe2\x80\xae"
		       "b",
		"a\\u{202e}b");
	assert_escaped("\xe2\x81\xa6", "\\u{2066}");
	assert_escaped("\xe2\x80\xa8", "\\u{2028}");
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_shown)
{
	assert_escaped("\xff\xfe", "\\xff\\xfe");
	assert_escaped("\xc3", "\\xc3");                   /* cut */
	assert_escaped("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
	assert_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	assert_escaped("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
}
END_TEST

START_TEST(sizes_have_units)
{
	char buf[32];

	ck_assert_str_eq(text_size(buf, sizeof(buf), 0), "0");
	ck_assert_str_eq(text_size(buf, sizeof(buf), 1023), "1023");
	ck_assert_str_eq(text_size(buf, sizeof(buf), 1536), "1.5K");
	ck_assert_str_eq(text_size(buf, sizeof(buf), 1048575), "1.0M");
	ck_assert_str_eq(text_size(buf, sizeof(buf), INT64_C(64) << 20), "64M");
}
END_TEST

UNIT_MAIN("text", plain_text_stays, control_characters_are_shown,
	marks_of_direction_are_shown, bytes_that_are_not_utf8_are_shown,
	sizes_have_units)
