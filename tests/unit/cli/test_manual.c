/* The manual cannot fall behind: verbs, options and exit codes are compared. */
#include "config.h"

#include <fcntl.h>
#include <string.h>

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

/* by its name, or where it has a letter by that */
static void assert_option(const struct option_def *o)
{
	char name[64], letter[2] = {o->letter};

	snprintf(name, sizeof(name), "-%s", o->name);
	if (!o->letter || strstr(buf_head(&page), name))
		assert_has(name, "", "");
	else
		assert_has("Fl ", letter, "");
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

START_TEST(every_option_is_explained)
{
	struct option_def d;

	read_page();
	for (size_t i = 0; i < command_table_len; i++) {
		struct option_set set = command_options(&command_table[i]);

		for (size_t t = 0; t < ARRAY_LEN(set.tables); t++)
			for (const struct option_def *o = set.tables[t]; o && o->id;
				o++)
				assert_option(o);
	}
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (option_of_field(&d, (enum job_field)f))
			assert_has("-", d.name, "");
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
	every_exit_code_is_explained)
