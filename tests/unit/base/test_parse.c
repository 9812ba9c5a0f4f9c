#include "config.h"

#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "tests/support/unit.h"

START_TEST(whole_numbers_are_read_to_their_limits)
{
	uint64_t u;
	int64_t i;

	ck_assert_int_eq(
		parse_i64(&i, "-9223372036854775808", INT64_MIN, INT64_MAX), 0);
	ck_assert_int_eq(i, INT64_MIN);
	ck_assert_int_eq(parse_i64(&i, "9223372036854775807", INT64_MIN, INT64_MAX), 0);
	ck_assert_int_eq(i, INT64_MAX);
	ck_assert_int_eq(parse_i64(&i, "-0", 0, 0), 0);
	ck_assert_int_eq(i, 0);
	ck_assert_int_eq(parse_i64(&i, "007", 0, 7), 0);
	ck_assert_int_eq(i, 7);
	ck_assert_int_eq(parse_u64(&u, "18446744073709551615", 0, UINT64_MAX), 0);
	ck_assert_uint_eq(u, UINT64_MAX);
}
END_TEST

START_TEST(numbers_outside_the_range_are_refused)
{
	uint64_t u = 77;
	int64_t i = 77;

	ck_assert_int_eq(
		parse_i64(&i, "9223372036854775808", INT64_MIN, INT64_MAX), -ERANGE);
	ck_assert_int_eq(
		parse_i64(&i, "-9223372036854775809", INT64_MIN, INT64_MAX), -ERANGE);
	ck_assert_int_eq(parse_i64(&i, "99999999999999999999999", INT64_MIN, INT64_MAX),
		-ERANGE);
	ck_assert_int_eq(parse_i64(&i, "-1", 0, 5), -ERANGE);
	ck_assert_int_eq(parse_i64(&i, "6", 0, 5), -ERANGE);
	ck_assert_int_eq(parse_u64(&u, "18446744073709551616", 0, UINT64_MAX), -ERANGE);
	ck_assert_int_eq(parse_u64(&u, "0", 1, 5), -ERANGE);
	ck_assert_int_eq(i, 77);
	ck_assert_uint_eq(u, 77);
}
END_TEST

START_TEST(text_that_is_no_number_is_refused)
{
	static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1x", "0x1", "--1",
		"1.0", "1e3", "\xd9\xa1"};

	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		uint64_t u;
		int64_t i;

		ck_assert_int_eq(parse_i64(&i, bad[k], INT64_MIN, INT64_MAX), -EINVAL);
		ck_assert_int_eq(parse_u64(&u, bad[k], 0, UINT64_MAX), -EINVAL);
	}
	ck_assert_int_eq(parse_u64(&(uint64_t){0}, "-1", 0, UINT64_MAX), -EINVAL);
}
END_TEST

START_TEST(truth_has_four_spellings)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	static const char *const bad[] = {"", "y", "YES", "2", "yes ", "truest"};
	bool b;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		b = false;
		ck_assert(parse_bool(&b, yes[i]) == 0 && b);
		b = true;
		ck_assert(parse_bool(&b, no[i]) == 0 && !b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(parse_bool(&b, bad[i]), -EINVAL);
}
END_TEST

START_TEST(sizes_have_their_value)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{"0", 0},
		{"4096", 4096},
		{"4096B", 4096},
		{"1K", 1024},
		{"1KB", 1024},
		{"1KiB", 1024},
		{"64M", 64 << 20},
		{"1.5G", INT64_C(1610612736)},
		{"1.1K", 1126},
		{".5K", 512},
		{"2T", INT64_C(2) << 40},
		{"0.9", 0},
		{"infinity", INT64_MAX},
		{"9223372036854775806", INT64_MAX - 1},
		{"8388607.999T", INT64_C(9223372035755264180)},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t bytes = -1;

		ck_assert_msg(size_parse(&bytes, cases[i].text) == 0, "'%s' is refused",
			cases[i].text);
		ck_assert_msg(bytes == cases[i].bytes, "'%s' gives %" PRId64,
			cases[i].text, bytes);
	}
}
END_TEST

START_TEST(bad_sizes_are_refused)
{
	static const char *const bad[] = {"", "K", "1k", "1 K", " 1", "-1", "1.K", ".",
		"1iB", "1Ki", "1KBB", "1.5.5", "1P", "INFINITY", "1Kx", "1BK"};
	static const char *const big[] = {"9223372036854775807", "9223372036854775808",
		"8388608T", "99999999999999999999999999"};
	int64_t bytes = 77;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(size_parse(&bytes, bad[i]) == -EINVAL, "'%s' was taken",
			bad[i]);
	for (size_t i = 0; i < ARRAY_LEN(big); i++)
		ck_assert_msg(size_parse(&bytes, big[i]) == -ERANGE, "'%s' was taken",
			big[i]);
	ck_assert_int_eq(bytes, 77);
}
END_TEST

START_TEST(printed_sizes_read_back_to_the_same_value)
{
	static const int64_t sizes[] = {0, 1, 1023, 1024, 1025, 1536, 1 << 20, 3 << 20,
		INT64_C(1) << 40, INT64_C(1) << 62, INT64_MAX - 1, INT64_MAX};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char text[SIZE_TEXT_MAX];
		int64_t back = -1;

		ck_assert_int_eq(
			size_parse(&back, size_format(text, sizeof(text), sizes[i])),
			0);
		ck_assert_int_eq(back, sizes[i]);
	}
	ck_assert_str_eq(
		size_format((char[SIZE_TEXT_MAX]){0}, SIZE_TEXT_MAX, 64 << 20), "64M");
}
END_TEST

START_TEST(well_formed_utf8_is_valid)
{
	static const char *const good[] = {"", "ascii", "\x7f", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert(utf8_is_valid(good[i], strlen(good[i])));
	ck_assert(utf8_is_valid("a\0b", 3));
}
END_TEST

START_TEST(ill_formed_utf8_is_invalid)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf",
		"\xc2", "\xc2\x41", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe1\x80",
		"\xe1\x80\x41", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xfe", "\xff", "a\xc3\xa9\xc3"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!utf8_is_valid(bad[i], strlen(bad[i])), "case %zu", i);
}
END_TEST

START_TEST(escaped_text_is_printable)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", ""}, {"plain text", "plain text"}, {"a\tb\n", "a\\x09b\\x0a"},
		{"\x1b[31m", "\\x1b[31m"}, {"\x7f", "\\x7f"},
		{"caf\xc3\xa9", "caf\xc3\xa9"}, {"\xff\xfe", "\\xff\\xfe"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xc2\x9b"
		 "31m",
			"\\xc2\\x9b31m"}, /* CSI as one character */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[64];

		str_escape(out, sizeof(out), cases[i].in, strlen(cases[i].in));
		ck_assert_str_eq(out, cases[i].out);
	}
	ck_assert_str_eq(str_escape((char[16]){0}, 16, "a\0b", 3), "a\\x00b");
}
END_TEST

START_TEST(escaped_text_is_cut_between_characters)
{
	static const char in[] = "ab\xc3\xa9\x01"
				 "cd";
	char whole[64];
	size_t len;

	str_escape(whole, sizeof(whole), in, strlen(in));
	len = strlen(whole);
	for (size_t size = 1; size < sizeof(whole); size++) {
		_cleanup_free_ char *out =
			malloc(size); /* the sanitizer sees its end */
		size_t n;

		ck_assert_ptr_eq(str_escape(out, size, in, strlen(in)), out);
		n = strlen(out);
		ck_assert_uint_lt(n, size);
		ck_assert(utf8_is_valid(out, n));
		if (size > len)
			ck_assert_str_eq(out, whole);
		else if (size > 3)
			ck_assert(strcmp(out + n - 3, "...") == 0 &&
				  strncmp(out, whole, n - 3) == 0);
	}
}
END_TEST

START_TEST(long_text_loses_its_middle_between_characters)
{
	char out[24], small[8];

	ck_assert_str_eq(str_shorten(out, sizeof(out), ""), "");
	ck_assert_str_eq(str_shorten(out, sizeof(out), "12345678901234567890123"),
		"12345678901234567890123");
	ck_assert_str_eq(str_shorten(out, sizeof(out), "123456789012345678901234"),
		"12345678...345678901234");
	ck_assert_str_eq(str_shorten(small, sizeof(small), "123456789"), "12...89");
	/* of two bytes each: the border falls into one, in front and behind */
	ck_assert_str_eq(str_shorten(out, sizeof(out),
				 "a\u00e9\u00e9\u00e9\u00e9\u00e9"
				 "\u00e9\u00e9\u00e9\u00e9\u00e9"
				 "\u00e9\u00e9: end"),
		"a\u00e9\u00e9\u00e9...\u00e9\u00e9\u00e9: end");
	for (size_t size = 8; size < sizeof(out); size++) {
		str_shorten(out, size,
			"\u00e9\u00e9\u20ac\u20ac\U0001f600\U0001f600"
			"\u00e9\u20ac\U0001f600 x");
		ck_assert_uint_lt(strlen(out), size);
		ck_assert(utf8_is_valid(out, strlen(out)));
	}
}
END_TEST

START_TEST(slips_find_their_word)
{
	static const char *const words[] = {
		"run", "list", "cancel", "max_parallel", "show"};
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"rnu", "run"},
		{"lits", "list"},
		{"LIST", "list"},
		{"cancle", "cancel"},
		{"max-paralel", "max_parallel"},
		{"shwo", "show"},
		{"ru", "run"},
		{"can", "cancel"},
		{"zzzzzz", NULL},
		{"x", NULL},
		{"", NULL},
		{"parallelism", NULL},
		/* half of it is another word */
		{"slaw", NULL},
		{"lend", NULL},
	};
	char longer[500];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *found = str_nearest(cases[i].in, words, ARRAY_LEN(words));

		if (cases[i].out)
			ck_assert_str_eq(found, cases[i].out);
		else
			ck_assert_ptr_null(found);
	}
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_ptr_null(str_nearest(longer, words, ARRAY_LEN(words)));
	ck_assert_ptr_null(str_nearest("run", (const char *[]){longer}, 1));
	ck_assert_ptr_null(str_nearest("run", NULL, 0));
}
END_TEST

START_TEST(names_keep_to_their_letters_and_length)
{
	static const char *const good[] = {"a", "_", "Build", "a.b-c@1_2", "x9"};
	static const char *const bad[] = {"", "9a", "-a", ".a", "@a", "a b", "a/b",
		"a\n", "caf\xc3\xa9", "a:b", ".."};
	char name[66];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert(name_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert(!name_is_valid(bad[i]));
	memset(name, 'a', 65);
	name[65] = '\0';
	ck_assert(!name_is_valid(name));
	name[64] = '\0';
	ck_assert(name_is_valid(name));
}
END_TEST

START_TEST(paths_are_split_before_their_last_part)
{
	static const struct {
		const char *path, *dir, *name;
	} cases[] = {
		{"name", ".", "name"},
		{"/name", "/", "name"},
		{"a/b/c", "a/b", "c"},
		{"/a/b", "/a", "b"},
		{"a//b", "a/", "b"},
	};
	static const char *const bad[] = {"", "/", "a/", ".", "..", "a/..", "/."};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *dir = NULL;
		const char *name;

		ck_assert_int_eq(path_split(&dir, &name, cases[i].path), 0);
		ck_assert_str_eq(dir, cases[i].dir);
		ck_assert_str_eq(name, cases[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *name;
		char *dir;

		ck_assert_int_eq(path_split(&dir, &name, bad[i]), -EINVAL);
	}
}
END_TEST

UNIT_MAIN("parse", whole_numbers_are_read_to_their_limits,
	numbers_outside_the_range_are_refused, text_that_is_no_number_is_refused,
	truth_has_four_spellings, sizes_have_their_value, bad_sizes_are_refused,
	printed_sizes_read_back_to_the_same_value, well_formed_utf8_is_valid,
	ill_formed_utf8_is_invalid, escaped_text_is_printable,
	escaped_text_is_cut_between_characters,
	long_text_loses_its_middle_between_characters, slips_find_their_word,
	names_keep_to_their_letters_and_length, paths_are_split_before_their_last_part)
