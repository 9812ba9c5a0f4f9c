/* One value changed, every other byte as it was. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strv.h"
#include "config/config_edit.h"
#include "config/config_file.h"
#include "tests/support/unit.h"

static int edit(struct buf *out, const char *text, size_t n, const char *section,
	const char *argument, const char *key, const char *value, struct buf *messages)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	const struct config_place place = {section, argument, key};
	int r = config_edit(out, text, n, "f", &place, value, &errors);

	ck_assert_int_eq(r == -EINVAL, !config_errors_is_empty(&errors));
	for (size_t i = 0; messages && i < errors.n; i++)
		ck_assert_int_eq(buf_printf(messages, "%u: %s|", errors.v[i].line,
					 errors.v[i].text),
			0);
	return r;
}

/* of [s] or [s ARGUMENT] */
static void gives_of(const char *argument, const char *text, const char *key,
	const char *value, const char *want)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	ck_assert_int_eq(
		edit(&out, text, strlen(text), "s", argument, key, value, NULL),
		!STREQ(text, want));
	ck_assert_int_eq(buf_append_byte(&out, '\0'), 0);
	ck_assert_str_eq(buf_head(&out), want);
}

static void gives(
	const char *text, const char *key, const char *value, const char *want)
{
	gives_of(NULL, text, key, value, want);
}

static void refuses(
	const char *text, const char *key, const char *value, const char *messages)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL, said = BUF_NULL;

	ck_assert_int_eq(
		edit(&out, text, strlen(text), "s", NULL, key, value, &said), -EINVAL);
	ck_assert_int_eq(buf_append_byte(&said, '\0'), 0);
	ck_assert_str_eq(buf_head(&said), messages);
}

START_TEST(value_is_replaced_where_it_stands)
{
	gives("# c\n[s]\na = 1\nb = 2 \n# d\n", "a", "one two",
		"# c\n[s]\na = one two\nb = 2 \n# d\n");
	gives("[s]\na=1\n", "a", "2", "[s]\na=2\n");
	gives("[s]\na\t=\t1   \n", "a", "2", "[s]\na\t=\t2\n");
	gives("[s]\na = 1", "a", "2", "[s]\na = 2");
	gives("[s]\na =\n", "a", "2", "[s]\na = 2\n");
	gives("[s]\na = 1\n", "a", "", "[s]\na =\n");
	gives("[s]\r\na = 1\r\nb = 2\r\n", "a", "3", "[s]\r\na = 3\r\nb = 2\r\n");
	gives("[t]\na = 1\n[s]\na = 1\n[s x]\na = 1\n", "a", "2",
		"[t]\na = 1\n[s]\na = 2\n[s x]\na = 1\n");
	gives_of("x", "[s]\na = 1\n[s x]\na = 1\n", "a", "2",
		"[s]\na = 1\n[s x]\na = 2\n");
	gives("[s]\na = x ; y # z\n", "a", "p ; q # r = s", "[s]\na = p ; q # r = s\n");
}
END_TEST

START_TEST(value_that_stands_there_changes_nothing)
{
	gives("[s]\na   =   1\t\n", "a", "1", "[s]\na   =   1\t\n");
	gives("[s]\na = 1\n  # it is\n  2\n", "a", "1\n# it is\n2",
		"[s]\na = 1\n  # it is\n  2\n");
	gives("[s]\nb = 1\n", "a", NULL, "[s]\nb = 1\n");
	gives("", "a", NULL, "");
}
END_TEST

START_TEST(value_of_several_lines)
{
	gives("[s]\na = 1\n  2\n# kept\n\n  3\n\n# next\nb = 1\n", "a", "4",
		"[s]\na = 4\n# kept\n\n# next\nb = 1\n");
	gives("[s]\na = 1\nb = 2\n", "a", "x\n  y\n\nz",
		"[s]\na =\n\tx\n\t  y\n\n\tz\nb = 2\n");
	gives("[s]\na =\n  1\n  2\nb = 2\n", "a", "x\ny",
		"[s]\na =\n\tx\n\ty\nb = 2\n");
	gives("[s]\r\na = 1\r\n", "a", "x\ny", "[s]\r\na =\r\n\tx\r\n\ty\r\n");
	gives("[s]\na = 1\n  2", "a", "x\ny", "[s]\na =\n\tx\n\ty");
}
END_TEST

START_TEST(last_line_without_an_end)
{
	gives("[s]\na = 1\n# kept\n  2", "a", "3", "[s]\na = 3\n# kept\n");
	gives("[s]\na = 1\n# kept\n  2", "a", "x\ny", "[s]\na =\n\tx\n\ty\n# kept\n");
	gives("[s]\na = 1\n# kept\n  2", "a", NULL, "[s]\n# kept\n");
	/* the lines before it say how lines end */
	gives("[s]\r\nb = 1", "a", "3", "[s]\r\nb = 1\r\na = 3\r\n");
	gives("[s]\r\na = 1", "a", "x\ny", "[s]\r\na =\r\n\tx\r\n\ty");
	gives_of("x", "[s]\r\nb = 1", "a", "1",
		"[s]\r\nb = 1\r\n\r\n[s x]\r\na = 1\r\n");
	gives("[s]\r\nb = 1\r", "a", "3", "[s]\r\nb = 1\r\na = 3\r\n");
}
END_TEST

START_TEST(new_key_goes_behind_its_comment_or_the_last_of_its_section)
{
	gives("[s]\n# about a\n#a = 1\n\n# about b\n#b = 2\n", "a", "3",
		"[s]\n# about a\n#a = 1\na = 3\n\n# about b\n#b = 2\n");
	gives("[s]\n; a=1\nb = 1\n", "a", "3", "[s]\n; a=1\na = 3\nb = 1\n");
	gives("[t]\n#a = 1\n[s]\nb = 1\n\n# end\n", "a", "3",
		"[t]\n#a = 1\n[s]\nb = 1\na = 3\n\n# end\n");
	gives("[s]\n#ab = 1\n#a\n# a is good\n", "a", "3",
		"[s]\na = 3\n#ab = 1\n#a\n# a is good\n");
	/* the comment stands within another value */
	gives("[s]\nb = 1\n#a = 1\n  2\nc = 1\n", "a", "3",
		"[s]\nb = 1\n#a = 1\n  2\na = 3\nc = 1\n");
	gives("[s]\nb = 1", "a", "3", "[s]\nb = 1\na = 3\n");
	gives("[s]\nb = 1\n[t]\n[s]\nc = 1\n", "a", "3",
		"[s]\nb = 1\n[t]\n[s]\nc = 1\na = 3\n");
}
END_TEST

START_TEST(new_section_goes_to_the_end)
{
	gives("", "a", "1", "[s]\na = 1\n");
	gives("# c", "a", "1", "# c\n\n[s]\na = 1\n");
	gives("[t]\nb = 1\n\n", "a", "1", "[t]\nb = 1\n\n[s]\na = 1\n");
	gives_of("x", "[s]\r\nb = 1\r\n", "a", "1",
		"[s]\r\nb = 1\r\n\r\n[s x]\r\na = 1\r\n");
	/* a byte order mark stays the first */
	gives("\xef\xbb\xbf", "a", "1", "\xef\xbb\xbf\n\n[s]\na = 1\n");
}
END_TEST

START_TEST(key_is_taken_out_with_its_lines_and_nothing_else)
{
	gives("[s]\n# about\na = 1\n  2\n# kept\n  3\nb = 1\n", "a", NULL,
		"[s]\n# about\n# kept\nb = 1\n");
	gives("[s]\na = 1\nb = 2", "a", NULL, "[s]\nb = 2");
	/* wherever it stands */
	gives("[s]\na = 1\nb = 1\na = 2\n[t]\na = 3\n[s]\na = 4\nc = 1\n", "a", NULL,
		"[s]\nb = 1\n[t]\na = 3\n[s]\nc = 1\n");
}
END_TEST

START_TEST(section_that_is_empty_then_goes_too)
{
	gives("[s]\na = 1", "a", NULL, "");
	gives("[s]\na = 1\n\n\n[t]\nb = 1\n", "a", NULL, "[t]\nb = 1\n");
	gives("[t]\nb = 1\n\n[s]\na = 1\n  2\n", "a", NULL, "[t]\nb = 1\n");
	gives("[t]\nb = 1\n\n[s]\na = 1\n\n# of u\n[u]\nc = 1\n", "a", NULL,
		"[t]\nb = 1\n\n# of u\n[u]\nc = 1\n");
	gives("[t]\n[s]\na = 1\n[u]\n", "a", NULL, "[t]\n[u]\n");
	gives("[t]\r\n\r\n[s]\r\na = 1\r\n", "a", NULL, "[t]\r\n");
	/* somebody meant something by a comment, and by an empty section */
	gives("[s]\na = 1\n# kept\n", "a", NULL, "[s]\n# kept\n");
	gives("[s]\n#a =\na = 1\n\n[t]\n", "a", NULL, "[s]\n#a =\n\n[t]\n");
	gives("[s]\n[t]\n[s]\na = 1\n", "a", NULL, "[s]\n[t]\n");
}
END_TEST

START_TEST(whole_section_is_taken_out)
{
	gives_of("x",
		"[s]\na = 1\n\n# of x\n[s x]\n# in it\na = 1\n  2\n# in it\n\n"
		"# of t\n[t]\n[s x]\nb = 1",
		NULL, NULL, "[s]\na = 1\n\n# of x\n\n# of t\n[t]\n");
	gives_of("x", "[s x]\n", NULL, NULL, "");
	gives_of("x",
		"[s w]\na = 1\n\n[s x]\na = 1\n# in it\n\n#[s y]\n#a = 2\n\n[t]\n",
		NULL, NULL, "[s w]\na = 1\n\n#[s y]\n#a = 2\n\n[t]\n");
	gives_of("x", "[s x]\na = 1\n\n# the end\n", NULL, NULL, "# the end\n");
	gives_of("x", "[s]\na = 1\n[s y]\n", NULL, NULL, "[s]\na = 1\n[s y]\n");
}
END_TEST

START_TEST(what_cannot_be_done_is_refused)
{
	refuses("[s]\na = 1\nb = 1\na = 2\n", "a", "3",
		"4: a is set in line 2 too: unset takes out both, config edit changes "
		"one|");
	refuses("[s]\na = 1\nnonsense\n", "a", "3",
		"3: no '=' in this line: 'nonsense'|");
	refuses("[s]\na = 1\n", "a", " x", "0: a: no file can say this value: ' x'|");
	refuses("[s]\na = 1\n", "a", "x ", "0: a: no file can say this value: 'x '|");
	refuses("[s]\na = 1\n", "a", "x\n",
		"0: a: no file can say this value: 'x\\x0a'|");
	refuses("[s]\na = 1\n", "a", "\nx",
		"0: a: no file can say this value: '\\x0ax'|");
	refuses("[s]\n", "a b", "1", "0: a b: no file can say this value: '1'|");
	refuses("[s]\n", "[t]\na", "1", "0: [t]\na: no file can say this value: '1'|");
}
END_TEST

static char **lines_of(const char *p, size_t n)
{
	char **v = NULL;

	while (n > 0) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) : n;
		_cleanup_free_ char *line = strndup(p, len);

		ck_assert_int_ge(strv_append(&v, line), 0);
		len += nl ? 1 : 0;
		p += len;
		n -= len;
	}
	return v;
}

/* the shipped file, with the sections that it has as comments */
static void read_shipped(struct buf *ret)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_free_ char *path = NULL;

	ck_assert_int_gt(
		asprintf(&path, "%s/conf/reeve.conf", srcdir ? srcdir : "."), 0);
	ck_assert_int_eq(file_read(&text, AT_FDCWD, path, 1 << 20), 0);
	for (size_t i = 0; i < buf_len(&text); i++) {
		const char *p = buf_head(&text) + i;

		if (i > 0 && i + 1 < buf_len(&text) && strncmp(p - 1, "\n#[", 3) == 0)
			continue;
		ck_assert_int_eq(buf_append_byte(ret, *p), 0);
	}
}

/* every key that the shipped file has as a comment is set in it, and taken out again */
START_TEST(shipped_file_keeps_every_byte_outside_of_the_line)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_(strv_freep) char **lines = NULL;
	char section[64] = "", argument[64] = "";
	size_t n_keys = 0, at = 0;

	read_shipped(&text);
	lines = lines_of(buf_head(&text), buf_len(&text));
	STRV_FOREACH(line, lines) {
		_cleanup_(buf_deinitp) struct buf set = BUF_NULL, back = BUF_NULL;
		char key[64], end[2];
		const size_t new_len = strlen(" = new value\n");

		at += strlen(*line) + 1; /* behind this line */
		if (sscanf(*line, "[%63[a-z] %63[a-z]%1[]]", section, argument, end) ==
			3)
			continue;
		if (sscanf(*line, "[%63[a-z]%1[]]", section, end) == 2)
			*argument = '\0';
		if (!*section || sscanf(*line, "#%63[a-z-] =", key) != 1 ||
			!strchr(*line, '='))
			continue;
		n_keys++;
		ck_assert_int_eq(
			edit(&set, buf_head(&text), buf_len(&text), section,
				*argument ? argument : NULL, key, "new value", NULL),
			1);
		ck_assert_uint_eq(
			buf_len(&set), buf_len(&text) + strlen(key) + new_len);
		ck_assert_mem_eq(buf_head(&set), buf_head(&text), at);
		ck_assert_mem_eq(buf_head(&set) + at, key, strlen(key));
		ck_assert_mem_eq(buf_head(&set) + at + strlen(key) + new_len,
			buf_head(&text) + at, buf_len(&text) - at);
		ck_assert_int_eq(edit(&back, buf_head(&set), buf_len(&set), section,
					 *argument ? argument : NULL, key, NULL, NULL),
			1);
		ck_assert_uint_eq(buf_len(&back), buf_len(&text));
		ck_assert_mem_eq(buf_head(&back), buf_head(&text), buf_len(&text));
	}
	ck_assert_uint_gt(n_keys, 30);
}
END_TEST

/* ---- any file --------------------------------------------------------------------------- */

static unsigned seed = 1;

static unsigned any(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static void put_any_line(struct buf *b)
{
	static const char *const lines[] = {"[s]", "[t]", "[s x]", "a = 1",
		"a=", "b = 2", "c =", "  more", "\tdeep  er", "", "   ", "# a = 1",
		"#a =", ";b=1", "# text", " # no comment", "a\t =  x y ", "[ s ]",
		"c = =;#"};
	static const char *const ends[] = {"\n", "\n", "\n", "\r\n"};

	ck_assert_int_eq(
		buf_append_str(b, lines[any(sizeof(lines) / sizeof(*lines))]), 0);
	ck_assert_int_eq(buf_append_str(b, ends[any(4)]), 0);
}

/* comments in their order; the last line of a file may get an end of either kind */
static void comments_of(struct buf *out, const char *p, size_t n)
{
	_cleanup_(strv_freep) char **lines = lines_of(p, n);

	STRV_FOREACH(line, lines)
		if (**line == '#' || **line == ';')
			ck_assert_int_eq(buf_printf(out, "%.*s\n",
						 (int)strcspn(*line, "\r"), *line),
				0);
}

/* The reader's view is checked by config_edit itself; here: comments stay, what was done
 * is a no-op when done again, and no edit ends otherwise than it may. */
START_TEST(any_file_keeps_its_comments)
{
	static const char *const values[] = {
		NULL, "", "1", "x y", "p\nq", "p\n  q\n\nr"};
	unsigned n_changed = 0, n_refused = 0;

	for (int i = 0; i < 20000; i++) {
		_cleanup_(buf_deinitp) struct buf text = BUF_NULL, out = BUF_NULL,
						  again = BUF_NULL, c0 = BUF_NULL,
						  c1 = BUF_NULL;
		const char *value = values[any(6)], *key = any(2) ? "a" : "b";
		const char *argument = any(3) ? NULL : "x";
		int r;

		for (unsigned n = any(14); n > 0; n--)
			put_any_line(&text);
		if (any(4) == 0 && buf_len(&text) > 0)
			text.end--; /* the last line has no end */
		r = edit(&out, buf_head(&text), buf_len(&text), "s", argument, key,
			value, NULL);
		n_refused += r == -EINVAL;
		if (r == -EINVAL)
			continue;
		ck_assert_int_ge(r, 0);
		n_changed += r == 1;
		comments_of(&c0, buf_head(&text), buf_len(&text));
		comments_of(&c1, buf_head(&out), buf_len(&out));
		ck_assert_uint_eq(buf_len(&c0), buf_len(&c1));
		ck_assert_mem_eq(buf_head(&c0), buf_head(&c1), buf_len(&c0));
		ck_assert_int_eq(edit(&again, buf_head(&out), buf_len(&out), "s",
					 argument, key, value, NULL),
			0);
	}
	ck_assert_uint_gt(n_changed, 4000);
	ck_assert_uint_gt(n_refused, 1000); /* bad form, keys that stand there twice */
}
END_TEST

/* Set in a section of its own and unset: every byte is as it was, but for an end that the last
 * line got, and one empty line there. */
START_TEST(any_file_is_as_it_was_when_what_was_set_is_unset)
{
	for (int i = 0; i < 20000; i++) {
		_cleanup_(buf_deinitp) struct buf text = BUF_NULL, set = BUF_NULL,
						  back = BUF_NULL;
		const char *p;
		size_t n;

		for (n = any(14); n > 0; n--)
			put_any_line(&text);
		if (any(4) == 0 && buf_len(&text) > 0)
			text.end--;
		if (edit(&set, buf_head(&text), buf_len(&text), "s", "new", "z",
			    any(2) ? "1" : "x\ny", NULL) == -EINVAL)
			continue;
		ck_assert_int_eq(edit(&back, buf_head(&set), buf_len(&set), "s", "new",
					 "z", NULL, NULL),
			1);
		n = MIN(buf_len(&text), buf_len(&back));
		if (n > 0)
			ck_assert_mem_eq(buf_head(&text), buf_head(&back), n);
		ck_assert_uint_le(buf_len(&back), n + 2);
		for (p = buf_head(&text) + n; p < buf_head(&text) + buf_len(&text); p++)
			ck_assert(strchr(" \t\r\n", *p));
		p = buf_head(&text) + buf_len(&text);
		if (buf_len(&text) < 4 || p[-1] != '\n' || strchr(" \t\r\n", p[-2]))
			continue;
		ck_assert_uint_eq(buf_len(&text), buf_len(&back));
	}
}
END_TEST

UNIT_MAIN("config_edit", value_is_replaced_where_it_stands,
	value_that_stands_there_changes_nothing, value_of_several_lines,
	last_line_without_an_end,
	new_key_goes_behind_its_comment_or_the_last_of_its_section,
	new_section_goes_to_the_end, key_is_taken_out_with_its_lines_and_nothing_else,
	section_that_is_empty_then_goes_too, whole_section_is_taken_out,
	what_cannot_be_done_is_refused,
	shipped_file_keeps_every_byte_outside_of_the_line, any_file_keeps_its_comments,
	any_file_is_as_it_was_when_what_was_set_is_unset)
