#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/words.h"
#include "tests/support/unit.h"

#define STRV(...) ((char **)(const char *[]){__VA_ARGS__})

static void splits_to(const char *text, char *const *want)
{
	_cleanup_(strv_freep) char **v = NULL;
	_cleanup_free_ char *err = NULL;

	ck_assert_int_eq(words_split(&v, text, &err), 0);
	ck_assert_ptr_nonnull(v);
	ck_assert_msg(strv_equal(v, want), "'%s' split wrongly", text);
}
#define SPLITS_TO(text, ...) splits_to(text, STRV(__VA_ARGS__))

static void fails_with(const char *text, const char *part)
{
	char **v = (char **)&v;
	_cleanup_free_ char *err = NULL;

	ck_assert_int_eq(words_split(&v, text, &err), -EINVAL);
	ck_assert_ptr_eq(v, &v);
	ck_assert_ptr_nonnull(err);
	ck_assert_msg(strstr(err, part), "'%s' does not say '%s'", err, part);
}

START_TEST(blanks_separate_and_are_dropped)
{
	SPLITS_TO("  a\tb \n c  ", "a", "b", "c", NULL);
	SPLITS_TO("", NULL);
	SPLITS_TO(" \n ", NULL);
}
END_TEST

START_TEST(quotes_join_and_keep_what_is_special)
{
	SPLITS_TO("sh -c 'a; b # c | $d *'", "sh", "-c", "a; b # c | $d *", NULL);
	SPLITS_TO("a'b c'\"d e\"f", "ab cd ef", NULL);
	SPLITS_TO("'' \"\"", "", "", NULL);
	SPLITS_TO("'it'\\''s'", "it's", NULL);
	SPLITS_TO("'a\\b\"'", "a\\b\"", NULL);
}
END_TEST

START_TEST(backslash_escapes_as_in_a_shell)
{
	SPLITS_TO("a\\ b \\' \\\\", "a b", "'", "\\", NULL);
	SPLITS_TO("\"\\\" \\\\ \\$ \\` \\n\"", "\" \\ $ ` \\n", NULL);
	SPLITS_TO("a\\\nb \\\n c", "ab", "c", NULL);
	SPLITS_TO("\"a\\\nb\"", "ab", NULL);
	SPLITS_TO("a \\\n", "a", NULL);
}
END_TEST

START_TEST(operators_outside_of_quotes_are_ordinary_bytes)
{
	SPLITS_TO("a ; b # c:d=e %f *", "a", ";", "b", "#", "c:d=e", "%f", "*", NULL);
}
END_TEST

START_TEST(open_quote_is_an_error_that_names_its_place)
{
	fails_with("echo 'abc", "single quote at byte 6 is not closed");
	fails_with("\"abc\\\"", "double quote at byte 1 is not closed");
	fails_with("\"abc\\", "double quote at byte 1 is not closed");
	fails_with("a 'bad", "'a ");
}
END_TEST

START_TEST(backslash_at_the_end_is_an_error)
{
	fails_with("echo \\", "backslash");
}
END_TEST

START_TEST(every_byte_comes_back_from_quoting)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_(strv_freep) char **v = NULL;
	_cleanup_free_ char *text = NULL;
	char word[256];

	for (int i = 1; i < 256; i++)
		word[i - 1] = (char)i;
	word[255] = '\0';
	ck_assert_int_eq(words_quote(&b, word), 0);
	ck_assert_int_eq(buf_append_byte(&b, ' '), 0);
	ck_assert_int_eq(words_quote(&b, ""), 0);
	ck_assert_int_eq(buf_append_byte(&b, ' '), 0);
	ck_assert_int_eq(words_quote(&b, "plain-word"), 0);
	text = buf_steal_str(&b, NULL);
	ck_assert_int_eq(words_split(&v, text, NULL), 0);
	ck_assert_uint_eq(strv_len(v), 3);
	ck_assert_str_eq(v[0], word);
	ck_assert_str_eq(v[1], "");
	ck_assert_str_eq(v[2], "plain-word");
}
END_TEST

START_TEST(quoted_line_has_no_line_end_and_comes_back)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_free_ char *back = NULL;
	const char *text = "A=\"x\\\ny\t\001\xff\"";

	ck_assert_int_eq(words_quote_line(&b, text), 0);
	ck_assert_ptr_null(memchr(buf_head(&b), '\n', buf_len(&b)));
	ck_assert_int_eq(words_unquote_line(&back, buf_head(&b), buf_len(&b)), 0);
	ck_assert_str_eq(back, text);
}
END_TEST

START_TEST(damaged_quoted_line_is_refused)
{
	static const char *const bad[] = {"\"", "\"a", "\"a\\\"", "\"a\"b\"", "\"\\q\"",
		"\"\\x\"", "\"\\x1\"", "\"\\xzz\"", "\"\\x00\"", "x\""};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *out = NULL;

		ck_assert_msg(
			words_unquote_line(&out, bad[i], strlen(bad[i])) == -EINVAL &&
				!out,
			"%s", bad[i]);
	}
}
END_TEST

START_TEST(hundred_thousand_words_split_in_linear_time)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_(strv_freep) char **v = NULL;
	_cleanup_free_ char *text = NULL;

	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(buf_append_str(&b, "w "), 0);
	text = buf_steal_str(&b, NULL);
	ck_assert_int_eq(words_split(&v, text, NULL), 0);
	ck_assert_uint_eq(strv_len(v), 100000);
}
END_TEST

UNIT_MAIN("words", blanks_separate_and_are_dropped,
	quotes_join_and_keep_what_is_special, backslash_escapes_as_in_a_shell,
	operators_outside_of_quotes_are_ordinary_bytes,
	open_quote_is_an_error_that_names_its_place, backslash_at_the_end_is_an_error,
	every_byte_comes_back_from_quoting, quoted_line_has_no_line_end_and_comes_back,
	damaged_quoted_line_is_refused, hundred_thousand_words_split_in_linear_time)
