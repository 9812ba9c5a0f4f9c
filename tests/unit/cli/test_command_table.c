#include "config.h"

#include <string.h>

#include "base/macro.h"
#include "cli/command_table.h"
#include "cli/help.h"
#include "tests/support/unit.h"

START_TEST(verbs_of_the_issue_are_there)
{
	static const char *const verbs[] = {"run", "add", "ls", "show", "logs", "wait",
		"cancel", "kill", "pause", "resume", "hold", "release", "retry", "rm",
		"clean", "call", "config", "daemon", "varlink", "help", "version"};

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		ck_assert_msg(command_find(verbs[i]) != NULL, "%s", verbs[i]);
}
END_TEST

START_TEST(status_is_ls)
{
	ck_assert_ptr_eq(command_find("status"), command_find("ls"));
}
END_TEST

START_TEST(unknown_verb_has_a_near_one)
{
	ck_assert_ptr_null(command_find("cancle"));
	ck_assert_str_eq(command_nearest("cancle"), "cancel");
	ck_assert_ptr_null(command_nearest("xyzzyplugh"));
}
END_TEST

START_TEST(names_are_unique)
{
	for (size_t i = 0; i < command_table_len; i++)
		ck_assert_ptr_eq(
			command_find(command_table[i].name), &command_table[i]);
}
END_TEST

START_TEST(user_is_a_selector_behind_verbs_that_select)
{
	struct option_set ls = command_options(command_find("ls"));
	struct option_set add = command_options(command_find("add"));
	struct option_def field;

	ck_assert_int_eq(option_find(&ls, "user", 4, 0, &field)->id, OPT_USER);
	ck_assert_int_eq(option_find(&add, "user", 4, 0, &field)->id, OPT_USER_MODE);
}
END_TEST

START_TEST(only_verbs_that_submit_start_a_daemon)
{
	for (size_t i = 0; i < command_table_len; i++) {
		const char *name = command_table[i].name;
		bool submits = STREQ(name, "run") || STREQ(name, "add") ||
			       STREQ(name, "gather") || STREQ(name, "call");

		ck_assert_msg(
			submits == !!(command_table[i].flags & COMMAND_STARTS_DAEMON),
			"%s", name);
	}
}
END_TEST

START_TEST(help_has_every_verb_and_fits)
{
	char *text, *line, *save = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	help_verbs(out);
	for (size_t i = 0; i < command_table_len; i++)
		help_verb(out, &command_table[i]);
	fclose(out);
	for (size_t i = 0; i < command_table_len; i++)
		if (!(command_table[i].flags & COMMAND_HIDDEN))
			ck_assert_ptr_nonnull(strstr(text, command_table[i].summary));
	for (line = strtok_r(text, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save))
		ck_assert_msg(strlen(line) <= 80, "%s", line);
	free(text);
}
END_TEST

static void assert_helps(const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->id; d++)
		ck_assert_msg(d->help && *d->help, "--%s has no help", d->name);
}

START_TEST(everything_has_help)
{
	struct option_set global = global_options();
	struct option_def d;

	for (size_t i = 0; i < command_table_len; i++) {
		struct option_set set = command_options(&command_table[i]);

		ck_assert_msg(*command_table[i].summary, "%s", command_table[i].name);
		for (size_t t = 0; t < ARRAY_LEN(set.tables); t++)
			assert_helps(set.tables[t]);
		/* sub-verbs stand in the usage, which the help shows */
		for (const char *const *w = command_table[i].words; w && *w; w++)
			ck_assert_msg(strstr(command_table[i].usage, *w) != NULL,
				"%s %s", command_table[i].name, *w);
	}
	for (size_t t = 0; t < ARRAY_LEN(global.tables); t++)
		assert_helps(global.tables[t]);
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (option_of_field(&d, (enum job_field)f))
			ck_assert_msg(d.help && *d.help, "--%s has no help", d.name);
}
END_TEST

UNIT_MAIN("command_table", verbs_of_the_issue_are_there, status_is_ls,
	unknown_verb_has_a_near_one, names_are_unique,
	user_is_a_selector_behind_verbs_that_select,
	only_verbs_that_submit_start_a_daemon, help_has_every_verb_and_fits,
	everything_has_help)
