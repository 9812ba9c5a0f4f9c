/*
 * The commented reeve.conf under `config set` and `unset`: for every key that stands in it,
 * in each form that people's files have, one line differs and no other byte.
 */
#include "config.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "config/config_edit.h"
#include "tests/support/unit.h"

/* how a file may be written */
enum form { LINES, CRLF, NO_END, N_FORMS };

/* what stands of a key before it is set */
enum given { COMMENTED, ONE_LINE, SEVERAL_LINES, N_GIVEN };

static char *shipped; /* with every section there */

static void read_shipped(void)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL, text = BUF_NULL;
	const char *srcdir = getenv("srcdir");
	char *out;

	ck_assert_int_eq(
		buf_printf(&path, "%s/conf/reeve.conf%c", srcdir ? srcdir : ".", 0), 0);
	ck_assert_int_eq(file_read(&text, AT_FDCWD, buf_head(&path), 1 << 20), 0);
	shipped = buf_steal_str(&text, NULL);
	ck_assert_ptr_nonnull(shipped);
	/* "#[schedule nightly]" and its like begin sections */
	out = shipped;
	for (const char *p = shipped; *p; p++)
		if (!(p[0] == '#' && p[1] == '[' && p[-1] == '\n'))
			*out++ = *p;
	*out = '\0';
}

static void forget_shipped(void)
{
	free(shipped);
}

static void add(struct buf *b, const char *p, size_t n)
{
	ck_assert_int_eq(buf_append(b, p, n), 0);
}

static void add_str(struct buf *b, const char *s)
{
	add(b, s, strlen(s));
}

/* "#KEY =" */
static bool is_key_line(const char *line, const char *end, size_t *ret_len)
{
	const char *p = line + 1;

	if (p >= end || line[0] != '#' || !islower((unsigned char)*p))
		return false;
	while (p < end && (islower((unsigned char)*p) || *p == '-'))
		p++;
	*ret_len = (size_t)(p - line) - 1;
	return end - p >= 2 && p[0] == ' ' && p[1] == '=';
}

static void has_text(const struct buf *found, const struct buf *want,
	const struct config_place *at, const char *what)
{
	const char *a = buf_head(found), *b = buf_head(want);
	size_t n = 0;

	while (n < buf_len(found) && n < buf_len(want) && a[n] == b[n])
		n++;
	ck_assert_msg(n == buf_len(found) && n == buf_len(want),
		"%s of %s.%s: '%.*s' where '%.*s' was expected", what, at->section,
		at->key, (int)MIN(buf_len(found) - n, 40U), a + n,
		(int)MIN(buf_len(want) - n, 40U), b + n);
}

static void edit(struct buf *out, const struct buf *text, const struct config_place *at,
	const char *value)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	int r = config_edit(
		out, buf_head(text), buf_len(text), "f", at, value, &errors);

	ck_assert_msg(r == 1, "%s.%s: %d, %s", at->section, at->key, r,
		errors.n > 0 ? errors.v[0].text : "no message");
}

/* One key, and how the file is written. */
struct at {
	struct config_place place;
	const char *behind; /* in shipped: its line "#KEY = ...\n" */
	const char *end_of_line;
	enum form form;
};

/* a check costs a system call: one for each line is enough */
static void add_form(
	struct buf *b, const struct at *at, const char *from, const char *to)
{
	if (at->form != CRLF) {
		add(b, from, (size_t)(to - from));
		return;
	}
	while (from < to) {
		size_t n = strcspn(from, "\n");

		add(b, from, n);
		add_str(b, at->end_of_line);
		from += n + 1;
	}
}

static void add_line(struct buf *b, const struct at *at, const char *text)
{
	add_str(b, text);
	add_str(b, at->end_of_line);
}

/* The file in which lines stand behind the key's comment; keeps_end: its last line has as
 * much of an end as the form says, also where it is the key's. */
static void make(
	struct buf *b, const struct at *at, const char *const *lines, bool keeps_end)
{
	add_form(b, at, shipped, at->behind);
	for (; *lines; lines++)
		add_line(b, at, *lines);
	add_form(b, at, at->behind, at->behind + strlen(at->behind));
	if (at->form == NO_END && (*at->behind || keeps_end))
		b->end -= strlen(at->end_of_line);
}

/* Set, and taken out. A line that was behind another one, or gets one behind it, has an end. */
static void try_key(const struct at *at, enum given given)
{
	_cleanup_(buf_deinitp) struct buf before = BUF_NULL, set = BUF_NULL,
					  found = BUF_NULL, without = BUF_NULL,
					  gone = BUF_NULL, line = BUF_NULL,
					  old = BUF_NULL;
	const char *old_lines[][5] = {
		[COMMENTED] = {NULL},
		[ONE_LINE] = {NULL},
		[SEVERAL_LINES] = {NULL, "\told # one", "; kept between",
			"  old ; two"},
	};
	const char *kept = given == SEVERAL_LINES ? "; kept between" : NULL;
	const char *set_lines[] = {NULL, kept, NULL}, *kept_lines[] = {kept, NULL};

	ck_assert_int_eq(buf_printf(&line, "%s%snew # value = 1 ; 2%c", at->place.key,
				 given == ONE_LINE ? "=" : " = ", 0),
		0);
	set_lines[0] = buf_head(&line);
	ck_assert_int_eq(buf_printf(&old, "%s%s%c", at->place.key,
				 given == ONE_LINE ? "=old value" : " = old 0", 0),
		0);
	if (given != COMMENTED)
		old_lines[given][0] = buf_head(&old);
	make(&before, at, old_lines[given], true);
	make(&set, at, set_lines, given == ONE_LINE);
	make(&without, at, kept_lines, false);
	edit(&found, &before, &at->place, "new # value = 1 ; 2");
	has_text(&found, &set, &at->place, "set");
	edit(&gone, &found, &at->place, NULL);
	has_text(&gone, &without, &at->place, "unset");
}

static unsigned try_all(enum form form, enum given given)
{
	_cleanup_free_ char *section = NULL, *argument = NULL, *key = NULL;
	const char *end;
	unsigned n = 0;
	size_t len;

	for (const char *line = shipped; *line; line = end) {
		end = strchr(line, '\n') + 1;
		if (*line == '[') {
			free(section);
			free(argument);
			section = strndup(line + 1, strcspn(line + 1, " ]"));
			line += 1 + strlen(section);
			argument = *line == ' '
					   ? strndup(line + 1, strcspn(line + 1, "]"))
					   : NULL;
		} else if (is_key_line(line, end, &len)) {
			struct at at = {.behind = end,
				.end_of_line = form == CRLF ? "\r\n" : "\n",
				.form = form};

			free(key);
			key = strndup(line + 1, len);
			ck_assert_ptr_nonnull(section);
			at.place = (struct config_place){section, argument, key};
			try_key(&at, given);
			n++;
		}
	}
	return n;
}

START_TEST(every_key_is_set_and_taken_out_and_every_other_byte_stays)
{
	unsigned n = 0;

	for (enum form f = 0; f < N_FORMS; f++)
		for (enum given g = 0; g < N_GIVEN; g++) {
			unsigned n_keys = try_all(f, g);

			ck_assert_uint_gt(n_keys, 100);
			ck_assert(n == 0 || n == n_keys);
			n = n_keys;
		}
}
END_TEST

UNIT_MAIN_FIXTURE("config_shipped", read_shipped, forget_shipped,
	every_key_is_set_and_taken_out_and_every_other_byte_stays)
