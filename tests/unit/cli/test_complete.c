#include "config.h"

#include <string.h>

#include "cli/command_table.h"
#include "cli/complete.h"
#include "tests/support/unit.h"

static struct complete_place place;
static char *text;

/* the cursor is at the last word */
static void complete(const char *const *words)
{
	size_t n = 0, len;
	FILE *out;

	while (words[n])
		n++;
	complete_find_place(&place, (char *const *)words, n, n - 1);
	free(text);
	out = open_memstream(&text, &len);
	complete_static(out, &place);
	fclose(out);
}
#define COMPLETE(...) complete((const char *const[]){"reeve", __VA_ARGS__, NULL})

START_TEST(verbs_are_offered_by_prefix)
{
	COMPLETE("re");
	ck_assert_str_eq(text, "resume\nrelease\nretry\nrestart\n");
}
END_TEST

START_TEST(options_are_offered_after_a_dash)
{
	COMPLETE("logs", "--f");
	ck_assert_str_eq(text, "--follow\n--failed\n");
	COMPLETE("add", "--retry-d");
	ck_assert_str_eq(text, "--retry-delay\n--retry-delay-max\n");
}
END_TEST

START_TEST(values_of_options_are_offered)
{
	COMPLETE("ls", "--state", "pa");
	ck_assert_str_eq(text, "paused\n");
	COMPLETE("ls", "--result=lo");
	ck_assert_str_eq(text, "lost\n");
	COMPLETE("kill", "-s", "US");
	ck_assert_str_eq(text, "USR1\nUSR2\n");
	COMPLETE("calendar", "--tz", "Asia/Kathm");
	ck_assert_str_eq(text, "Asia/Kathmandu\n");
	COMPLETE("add", "--leftovers", "");
	ck_assert_str_eq(text, "kill\nleave\nwait\n");
	COMPLETE("add", "--on-lost=r");
	ck_assert_str_eq(text, "rerun\n");
	COMPLETE("run", "--output", "f");
	ck_assert_str_eq(text, "file\nfile:\n");
	COMPLETE("run", "--stdin", "");
	ck_assert_str_eq(text, "null\n");
	COMPLETE("run", "--stdin", "/");
	ck_assert_str_eq(text, "");
	COMPLETE("--color", "a");
	ck_assert_str_eq(text, "always\nauto\n");
}
END_TEST

START_TEST(sub_verbs_are_offered_once)
{
	COMPLETE("daemon", "st");
	ck_assert_str_eq(text, "start\nstop\nstatus\n");
	COMPLETE("daemon", "start", "st");
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(of_a_list_the_last_name_is_offered)
{
	COMPLETE("ls", "--sort", "pri");
	ck_assert_str_eq(text, "priority\n");
	COMPLETE("ls", "--sort", "-pri");
	ck_assert_str_eq(text, "-priority\n");
	COMPLETE("ls", "--sort=state,-s");
	ck_assert_str_eq(text, "state,-submitted\nstate,-started\n");
	COMPLETE("ls", "--sort", "-started,-submitted,s");
	ck_assert_str_eq(text, "-started,-submitted,state\n");
	COMPLETE("ls", "--columns", "exit,reason,r");
	ck_assert_str_eq(text, "exit,reason,result\nexit,reason,runs\n");
	COMPLETE("ls", "--columns", "-");
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(behind_sub_verbs_stand_what_they_are_about)
{
	COMPLETE("pool", "pause", "");
	ck_assert_int_eq(place.hint, HINT_POOL);
	COMPLETE("pool", "add", "");
	ck_assert_int_eq(place.hint, HINT_NONE);
	COMPLETE("schedule", "rm", "one", "");
	ck_assert_int_eq(place.hint, HINT_SCHEDULE);
	COMPLETE("schedule", "add", "");
	ck_assert_int_eq(place.hint, HINT_NONE);
	COMPLETE("schedule", "p");
	ck_assert_str_eq(text, "pause\n");
	COMPLETE("config", "check", "");
	ck_assert_int_eq(place.hint, HINT_FILE);
	COMPLETE("ls", "--schedule", "");
	ck_assert_int_eq(place.hint, HINT_SCHEDULE);
}
END_TEST

START_TEST(jobs_are_for_the_daemon_to_tell)
{
	COMPLETE("--json", "cancel", "3", "");
	ck_assert_int_eq(place.hint, HINT_JOB);
	COMPLETE("ls", "-g", "");
	ck_assert_int_eq(place.hint, HINT_POOL);
	COMPLETE("--socket", "/x", "rm", "");
	ck_assert_int_eq(place.hint, HINT_FINISHED_JOB);
}
END_TEST

START_TEST(behind_a_command_nothing_is_ours)
{
	COMPLETE("run", "--", "ls", "--");
	ck_assert(!place.is_option);
	ck_assert_int_eq(place.hint, HINT_COMMAND);
	COMPLETE("run", "ls", "-");
	ck_assert(!place.is_option);
}
END_TEST

START_TEST(commands_users_and_folders_are_for_the_shell)
{
	COMPLETE("run", "-t", "1h", "ma");
	ck_assert_int_eq(complete_by_shell(&place), COMPLETE_COMMAND);
	COMPLETE("run", "make", "ma");
	ck_assert_int_eq(complete_by_shell(&place), 0);
	COMPLETE("ls", "--user", "");
	ck_assert_int_eq(complete_by_shell(&place), COMPLETE_USER);
	COMPLETE("add", "--cwd=/et");
	ck_assert_int_eq(complete_by_shell(&place), COMPLETE_DIR);
	COMPLETE("config", "check", "");
	ck_assert_int_eq(complete_by_shell(&place), 0);
}
END_TEST

START_TEST(unknown_verb_offers_nothing)
{
	COMPLETE("nope", "");
	ck_assert_str_eq(text, "");
}
END_TEST

UNIT_MAIN("complete", verbs_are_offered_by_prefix, options_are_offered_after_a_dash,
	values_of_options_are_offered, sub_verbs_are_offered_once,
	of_a_list_the_last_name_is_offered, behind_sub_verbs_stand_what_they_are_about,
	jobs_are_for_the_daemon_to_tell, behind_a_command_nothing_is_ours,
	commands_users_and_folders_are_for_the_shell, unknown_verb_offers_nothing)
