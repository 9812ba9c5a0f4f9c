#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/config_file.h"
#include "tests/support/unit.h"

/* what was read, as "LINE SECTION/ARGUMENT KEY=VALUE|" each */
static int note(const struct config_entry *e, void *arg)
{
	struct buf *b = arg;
	int r;

	r = buf_printf(b, "%u %s", e->line, e->section ? e->section : "(bad)");
	if (r >= 0 && e->argument)
		r = buf_printf(b, "/%s", e->argument);
	if (r >= 0 && e->key)
		r = buf_printf(b, " %s=%s", e->key, e->value);
	return r < 0 ? r : buf_append_str(b, "|");
}

static void reads_bytes(
	const char *text, size_t n, const char *want, const char *faults)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL, printed = BUF_NULL;

	ck_assert_int_eq(config_file_parse(text, n, "f", note, &b, &errors), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_str_eq(buf_head(&b), want);
	for (size_t i = 0; i < errors.n; i++)
		ck_assert_int_eq(buf_printf(&printed, "%u: %s|", errors.v[i].line,
					 errors.v[i].text),
			0);
	ck_assert_int_eq(buf_append_byte(&printed, '\0'), 0);
	ck_assert_str_eq(buf_head(&printed), faults);
}

static void reads(const char *text, const char *want)
{
	reads_bytes(text, strlen(text), want, "");
}

static void faults(const char *text, const char *want, const char *messages)
{
	reads_bytes(text, strlen(text), want, messages);
}

START_TEST(sections_and_keys_come_with_their_lines)
{
	reads("\n[reeved]\na = 1\n\n[pool x]\nb=2\n[empty]",
		"2 reeved|3 reeved a=1|5 pool/x|6 pool/x b=2|7 empty|");
	reads("", "");
	reads("\n\n", "");
	reads("[ s\t arg ]\n", "1 s/arg|");
}
END_TEST

START_TEST(what_libinih_takes_for_comments_is_kept)
{
	reads("[s]\na = x ; y # z : w = v ;\nb=;\nc = # c\nd = a;b:c\n",
		"1 s|2 s a=x ; y # z : w = v ;|3 s b=;|4 s c=# c|5 s d=a;b:c|");
}
END_TEST

START_TEST(only_the_first_equals_sign_separates)
{
	reads("[s]\nenv = A=b=c\na-b_c1=\n", "1 s|2 s env=A=b=c|3 s a-b_c1=|");
	faults("[s]\nkey: value\na:b = c\n", "1 s|",
		"2: no '=' in this line: 'key: value'|3: not a key: 'a:b'|");
}
END_TEST

START_TEST(comments_begin_only_in_the_first_column)
{
	reads("# x = 1\n; y\n[s] \n#[t]\na = 1\n;b = 2\n", "3 s|5 s a=1|");
}
END_TEST

START_TEST(indented_lines_continue_the_value)
{
	reads("[s]\na = one\n  two ; x\n\tthree\nb = 1\n",
		"1 s|2 s a=one\ntwo ; x\nthree|5 s b=1|");
	/* even where they look like a key, a section or a comment */
	reads("[s]\na = 1\n b = 2\n [t]\n # c\n ; d\n",
		"1 s|2 s a=1\nb = 2\n[t]\n# c\n; d|");
}
END_TEST

START_TEST(value_may_begin_in_the_next_line_and_keeps_deeper_indentation)
{
	reads("[s]\na =\n    if x\n        y\n    fi\n  z\n",
		"1 s|2 s a=if x\n    y\nfi\nz|");
}
END_TEST

START_TEST(empty_lines_and_comments_between_continued_lines)
{
	reads("[s]\na = 1\n\n  \n 2\n# comment\n 3\n\nb = 4\n",
		"1 s|2 s a=1\n\n\n2\n3|9 s b=4|");
}
END_TEST

START_TEST(line_ends_of_other_systems_and_a_byte_order_mark_are_taken)
{
	reads("\xef\xbb\xbf[s]\r\na = 1 \r\n 2\t\r\n", "1 s|2 s a=1\n2|");
}
END_TEST

START_TEST(hundred_kibibytes_in_one_line_are_kept)
{
	enum { N = 100 * 1024 };
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL, got = BUF_NULL;

	ck_assert_int_eq(buf_append_str(&text, "[s]\na = "), 0);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(buf_append_byte(&text, "x ;#:="[i % 6]), 0);
	ck_assert_int_eq(buf_append_str(&text, "\nb = 1\n"), 0);
	ck_assert_int_eq(config_file_parse(buf_head(&text), buf_len(&text), "f", note,
				 &got, &errors),
		0);
	ck_assert_uint_eq(errors.n, 0);
	/* "1 s|2 s a=" and "|3 s b=1|" around it; the last byte is no blank */
	ck_assert_uint_eq(buf_len(&got), 10 + N + 9);
	ck_assert_mem_eq(buf_head(&got) + 10, buf_head(&text) + 8, N);
}
END_TEST

START_TEST(hundred_kibibytes_of_continued_lines_are_kept)
{
	enum { N = 4096 };
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL, got = BUF_NULL;
	size_t lines = 0;

	ck_assert_int_eq(buf_append_str(&text, "[s]\na =\n"), 0);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(
			buf_printf(&text, "\techo line %d ; # \"end\"\n", i), 0);
	ck_assert_int_eq(config_file_parse(buf_head(&text), buf_len(&text), "f", note,
				 &got, &errors),
		0);
	ck_assert_uint_eq(errors.n, 0);
	for (size_t i = 0; i < buf_len(&got); i++)
		lines += buf_head(&got)[i] == '\n';
	ck_assert_uint_eq(lines, N - 1);
}
END_TEST

START_TEST(faults_of_form_are_all_told_with_their_lines)
{
	faults("x = 1\n[s\n[]\n[t] y\nfoo\n= 3\n1a = 2\n", "2 (bad)|3 (bad)|4 (bad)|",
		"1: key before the first [section]: 'x'|"
		"2: section without ']': '[s'|"
		"3: section without a name: '[]'|"
		"4: text behind the ']' of a section: '[t] y'|"
		"5: no '=' in this line: 'foo'|"
		"6: not a key: ''|"
		"7: not a key: '1a'|");
}
END_TEST

START_TEST(keys_of_a_bad_section_do_not_fall_into_the_one_before)
{
	faults("[s]\na = 1\n[t\nb = 2\n", "1 s|2 s a=1|3 (bad)|4 (bad) b=2|",
		"3: section without ']': '[t'|");
}
END_TEST

START_TEST(indented_line_that_continues_nothing_is_told_once)
{
	faults("  a = 1\n b\n[s]\n  # indented\n", "3 s|",
		"1: indented line, but there is no value to continue: '  a = 1'|"
		"4: indented line, but there is no value to continue: '  # indented'|");
	/* below a bad line it belongs to that */
	faults("[s]\nbad line\n  more\n", "1 s|",
		"2: no '=' in this line: 'bad line'|");
}
END_TEST

START_TEST(nul_bytes_are_refused_where_they_stand)
{
	static const char text[] = "[s]\na = 1\0\nb = \0 2\n c\n#\0\nd = 4\n";

	reads_bytes(text, sizeof(text) - 1, "1 s|6 s d=4|",
		"2: NUL byte in this line|3: NUL byte in this line|"
		"5: NUL byte in this line|");
}
END_TEST

START_TEST(names_longer_than_libinih_passes_on_are_kept_or_refused)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL, want = BUF_NULL;
	char name[201];

	memset(name, 'n', 200);
	name[200] = '\0';
	ck_assert_int_eq(buf_printf(&text, "[pool %s]\n%.48s = 1\n", name, name), 0);
	ck_assert_int_eq(
		buf_printf(&want, "1 pool/%s|2 pool/%s %.48s=1|", name, name, name), 0);
	ck_assert_int_eq(buf_append_byte(&want, '\0'), 0);
	reads_bytes(buf_head(&text), buf_len(&text), buf_head(&want), "");
	buf_clear(&text);
	ck_assert_int_eq(buf_printf(&text, "[s]\n%.49s = 1\n", name), 0);
	reads_bytes(buf_head(&text), buf_len(&text), "1 s|",
		"2: not a key: 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'|");
}
END_TEST

START_TEST(text_that_imitates_the_stand_in_is_only_text)
{
	reads("[@0]\na = @1\n[@7 @8]\nb = @0\n",
		"1 @0|2 @0 a=@1|3 @7/@8|4 @7/@8 b=@0|");
	faults("[s]\n@ = @0\n", "1 s|", "2: not a key: '@'|");
}
END_TEST

static int refuse(const struct config_entry *e, void *arg)
{
	int *n = arg;

	return ++*n == 3 ? -ECANCELED : 0;
}

START_TEST(callback_ends_the_reading)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	static const char text[] = "[s]\na=1\nb=2\nc=3\nd=4\n";
	int n = 0;

	ck_assert_int_eq(
		config_file_parse(text, strlen(text), "f", refuse, &n, &errors),
		-ECANCELED);
	ck_assert_int_eq(n, 3);
	ck_assert(config_errors_is_empty(&errors));
}
END_TEST

START_TEST(file_full_of_faults_gives_a_bounded_list)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL, got = BUF_NULL;

	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(buf_append_str(&text, "bad\n"), 0);
	ck_assert_int_eq(config_file_parse(buf_head(&text), buf_len(&text), "f", note,
				 &got, &errors),
		0);
	ck_assert_uint_eq(errors.n, CONFIG_ERRORS_MAX);
	ck_assert_uint_eq(errors.n_more, 1000 - CONFIG_ERRORS_MAX);
}
END_TEST

UNIT_MAIN("config_file", sections_and_keys_come_with_their_lines,
	what_libinih_takes_for_comments_is_kept, only_the_first_equals_sign_separates,
	comments_begin_only_in_the_first_column, indented_lines_continue_the_value,
	value_may_begin_in_the_next_line_and_keeps_deeper_indentation,
	empty_lines_and_comments_between_continued_lines,
	line_ends_of_other_systems_and_a_byte_order_mark_are_taken,
	hundred_kibibytes_in_one_line_are_kept,
	hundred_kibibytes_of_continued_lines_are_kept,
	faults_of_form_are_all_told_with_their_lines,
	keys_of_a_bad_section_do_not_fall_into_the_one_before,
	indented_line_that_continues_nothing_is_told_once,
	nul_bytes_are_refused_where_they_stand,
	names_longer_than_libinih_passes_on_are_kept_or_refused,
	text_that_imitates_the_stand_in_is_only_text, callback_ends_the_reading,
	file_full_of_faults_gives_a_bounded_list)
