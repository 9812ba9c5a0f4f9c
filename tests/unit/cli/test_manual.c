/* The manual cannot fall behind: verbs, options and exit codes are compared. */
#include "config.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "cli/command_table.h"
#include "cli/exit.h"
#include "tests/support/unit.h"

static struct buf page = BUF_NULL;

static void read_page(void)
{
	const char *srcdir = getenv("srcdir"); /* automake's; the tree itself without */
	char path[4096];

	snprintf(path, sizeof(path), "%s/src/cli/reeve.1", srcdir ? srcdir : ".");
	ck_assert_int_eq(file_read(&page, AT_FDCWD, path, 1 << 20), 0);
	ck_assert_int_eq(buf_append_byte(&page, '\0'), 0);
}

/* before, then what, then after it */
static void assert_has(const char *before, const char *what, const char *after)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s%s", before, what, after);
	ck_assert_msg(
		strstr(buf_head(&page), text) != NULL, "reeve.1 lacks '%s'", text);
}

/* is there this, and then neither a letter nor a hyphen? */
static bool names(const char *text, const char *what)
{
	size_t n = strlen(what);

	for (const char *p = text; (p = strstr(p, what)); p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz-", p[n]) || !p[n])
			return true;
	return false;
}

/* by its name, or where it has a letter by that; "Fl f , -follow" has both */
static void assert_option(
	const char *text, const char *verb, const struct option_def *o)
{
	char name[64], letter[8];

	snprintf(name, sizeof(name), "-%s", o->name);
	snprintf(letter, sizeof(letter), "Fl %c", o->letter ? o->letter : '-');
	ck_assert_msg(names(text, name) || (o->letter && names(text, letter)),
		"reeve.1: %s lacks --%s", verb, o->name);
}

static void append_entries(struct buf *out, const char *verb)
{
	char head[64];

	snprintf(head, sizeof(head), "\n.It Cm %s", verb);
	for (const char *p = buf_head(&page); (p = strstr(p, head)); p++) {
		const char *end = strstr(p + 1, "\n.It Cm ");

		if (strchr(" \n", p[strlen(head)]))
			ck_assert_int_eq(
				buf_append(out, p, end ? (size_t)(end - p) : strlen(p)),
				0);
	}
}

/* all that is said of a verb: what follows its .It lines; the caller's */
static char *entry_of(const struct command *cmd)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	append_entries(&out, cmd->name);
	if (cmd->alias)
		append_entries(&out, cmd->alias);
	return buf_steal_str(&out, NULL);
}

START_TEST(every_verb_is_explained)
{
	read_page();
	for (size_t i = 0; i < command_table_len; i++) {
		const struct command *cmd = &command_table[i];

		if (cmd->flags & COMMAND_HIDDEN)
			continue;
		assert_has(".It Cm ", cmd->name, "");
		for (const char *const *w = cmd->words; w && *w; w++)
			assert_has(" ", *w, "");
	}
	buf_deinit(&page);
}
END_TEST

/* a verb's own where the verb is, the others in their sections */
START_TEST(every_option_is_explained)
{
	struct option_set global = global_options();

	read_page();
	for (size_t i = 0; i < command_table_len; i++) {
		const struct command *cmd = &command_table[i];
		_cleanup_free_ char *entry = entry_of(cmd);

		for (const struct option_def *o = cmd->options; o && o->id; o++)
			assert_option(entry, cmd->name, o);
	}
	for (const struct option_def *o = options_select; o->id; o++)
		assert_has(o->letter ? " , -" : ".It Fl -", o->name, "");
	for (size_t t = 0; t < ARRAY_LEN(global.tables); t++)
		for (const struct option_def *o = global.tables[t]; o && o->id; o++)
			assert_has("-", o->name, "");
	buf_deinit(&page);
}
END_TEST

/* ".It Fl n , -name Ar name" and what it is */
START_TEST(every_property_has_an_entry)
{
	_cleanup_free_ char *section = NULL;
	struct option_def d;
	const char *begin;

	read_page();
	begin = strstr(buf_head(&page), "\n.Sh PROPERTIES OF JOBS\n");
	ck_assert_ptr_nonnull(begin);
	section = strndup(begin, (size_t)(strstr(begin + 1, "\n.Sh ") - begin));
	for (int f = 0; f < JOB_FIELD_N; f++) {
		char entry[96];
		const char *p;

		if (!option_of_field(&d, (enum job_field)f))
			continue;
		if (d.letter)
			snprintf(entry, sizeof(entry), "\n.It Fl %c , -%s", d.letter,
				d.name);
		else
			snprintf(entry, sizeof(entry), "\n.It Fl -%s", d.name);
		for (p = section; (p = strstr(p, entry)); p++)
			if (strchr(d.metavar ? " " : "\n", p[strlen(entry)]))
				break;
		ck_assert_msg(p != NULL, "no entry of --%s", d.name);
		p = strchr(p + 1, '\n');
		ck_assert_msg(p && p[1] >= 'A', "nothing is said of --%s", d.name);
	}
	buf_deinit(&page);
}
END_TEST

START_TEST(every_exit_code_is_explained)
{
	read_page();
#define X(id, number, text) assert_has(".It ", #number, "\n");
	CLI_EXIT_CODES(X)
#undef X
	buf_deinit(&page);
}
END_TEST

UNIT_MAIN("manual", every_verb_is_explained, every_option_is_explained,
	every_property_has_an_entry, every_exit_code_is_explained)
