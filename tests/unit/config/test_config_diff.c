/* What differs between two configurations. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/strv.h"
#include "config/config_diff.h"
#include "config/config_load.h"
#include "tests/support/unit.h"

static struct config *load(const char *text, const char *file)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	struct config *c = NULL;

	ck_assert_int_eq(config_load_text(&c, text, strlen(text), file, &errors), 0);
	return c;
}

/* a line each: section|name|key before>after line */
static int note(const struct config_difference *d, void *arg)
{
	static const char sign[] = {[CONFIG_DIFF_VALUE] = ' ',
		[CONFIG_DIFF_NEW_SECTION] = '+',
		[CONFIG_DIFF_GONE] = '-'};

	return buf_printf(arg, "%c%s|%s|%s %s>%s %u\n", sign[d->what], d->place.section,
		d->place.argument ? d->place.argument : "",
		d->place.key ? d->place.key : "", d->before ? d->before : "(none)",
		d->after ? d->after : "(none)", d->origin->file ? d->origin->line : 0);
}

static void diff_is(const char *before, const char *after, const char *want)
{
	_cleanup_(config_freep) struct config *a = load(before, "a"),
					      *b = load(after, "b");
	_cleanup_(buf_deinitp) struct buf found = BUF_NULL;

	ck_assert_int_eq(config_diff(a, b, note, &found), 0);
	ck_assert_int_eq(buf_append_byte(&found, '\0'), 0);
	ck_assert_str_eq(buf_head(&found), want);
}

/* "section.name.key:" and the services that start otherwise */
static int note_services(const struct config_difference *d, void *arg)
{
	int r = buf_printf(arg, "%s.%s.%s:", d->place.section,
		d->place.argument ? d->place.argument : "",
		d->place.key ? d->place.key : "");

	STRV_FOREACH(name, d->services)
		if (r >= 0)
			r = buf_printf(arg, " %s", *name);
	return r < 0 ? r : buf_append_byte(arg, '\n');
}

static void services_are(const char *before, const char *after, const char *want)
{
	static const char services[] =
		"[environment base]\n[environment other]\n"
		"[service plain]\ncommand = x\n"
		"[service direct]\ncommand = x\nenvironment = base\n"
		"[service built]\ncommand = x\nenvironment = shop\n"
		"[service own]\ncommand = x\nenvironment = shop\ncwd = /own\n"
		"[environment shop]\ninherit = base\n";
	_cleanup_(buf_deinitp) struct buf found = BUF_NULL, x = BUF_NULL, y = BUF_NULL;
	_cleanup_(config_freep) struct config *a = NULL, *b = NULL;

	ck_assert_int_eq(buf_printf(&x, "%s%s", services, before), 0);
	ck_assert_int_eq(buf_append_byte(&x, '\0'), 0);
	ck_assert_int_eq(buf_printf(&y, "%s%s", services, after), 0);
	ck_assert_int_eq(buf_append_byte(&y, '\0'), 0);
	a = load(buf_head(&x), "a");
	b = load(buf_head(&y), "b");
	ck_assert_int_eq(config_diff(a, b, note_services, &found), 0);
	ck_assert_int_eq(buf_append_byte(&found, '\0'), 0);
	ck_assert_str_eq(buf_head(&found), want);
}

START_TEST(services_that_start_otherwise_are_named_with_their_environment)
{
	services_are("env = A=1\n", "env = A=2\n", "environment.shop.env: built own\n");
	services_are("[environment base]\nenv-file = /f\n",
		"[environment base]\nenv-file = /g\n",
		"environment.base.env-file: direct built own\n");
	/* what it says itself counts */
	services_are("cwd = /a\n", "cwd = /b\n", "environment.shop.cwd: built\n");
	/* who may name it, and what nobody is set in */
	services_are("users = 7\n", "users = 8\n", "environment.shop.users:\n");
	services_are("[environment other]\nenv = A=1\n",
		"[environment other]\nenv = A=2\n", "environment.other.env:\n");
}
END_TEST

START_TEST(services_that_start_otherwise_are_named_with_defaults)
{
	services_are("[defaults]\nkill-grace = 1s\n", "[defaults]\nkill-grace = 2s\n",
		"defaults..kill-grace: plain direct built own\n");
	/* what it says itself counts, and then its environment */
	services_are("[defaults]\ncwd = /a\n", "[defaults]\ncwd = /b\n",
		"defaults..cwd: plain direct built\n");
	services_are("cwd = /e\n[defaults]\nnice = 1\ncwd = /a\n",
		"cwd = /e\n[defaults]\nnice = 2\ncwd = /b\n",
		"defaults..cwd: plain direct\ndefaults..nice: plain direct built "
		"own\n");
	/* beneath an environment, too */
	services_are("[defaults]\nenv = A=1\n", "[defaults]\nenv = A=2\n",
		"defaults..env: plain direct built own\n");
	services_are("[defaults]\nenvironment = other\n",
		"[defaults]\nenvironment = base\n", "defaults..environment: plain\n");
	/* the default, said: nothing is told, and nothing restarted */
	services_are("[defaults]\nkill-grace = 10s\n", "", "");
	services_are("[defaults]\noutput = file\nshell = /bin/sh\nstdin = null\n"
		     "success-codes = 0\n",
		"", "");
	services_are("[defaults]\nkill-grace = 10s\nnice = 1\n",
		"[defaults]\nnice = 2\n", "defaults..nice: plain direct built own\n");
	/* what is not for services */
	services_are("[defaults]\nretries = 1\n", "[defaults]\nretries = 2\n",
		"defaults..retries:\n");
}
END_TEST

START_TEST(the_same_in_other_words_is_no_difference)
{
	diff_is("", "", "");
	diff_is("[reeved]\nmin-free = 64M\n[pool a]\nslots = 2\n",
		"# x\n[pool a]\n\nslots=2\n[reeved]\nmin-free = 65536K\n", "");
	/* the default, said */
	diff_is("", "[reeved]\nlog-level = info\n", "");
}
END_TEST

START_TEST(values_are_told_with_both_and_where_the_new_one_is)
{
	diff_is("[reeved]\nlog-level = debug\n", "[reeved]\n\nlog-level = warning\n",
		" reeved||log-level debug>warning 3\n");
	diff_is("[defaults]\nretries = 5\n", "", " defaults||retries 5>0 0\n");
	/* without a default there is none */
	diff_is("[schedule s]\nwhen = daily\ncommand = true\ncwd = /tmp\n",
		"[schedule s]\nwhen = daily\ncommand = true\nname = n\n",
		" schedule|s|cwd /tmp>(none) 4\n"
		" schedule|s|name (none)>n 4\n");
	diff_is("[pool a]\non-empty = x\n", "[pool a]\n",
		" pool|a|on-empty x>(none) 2\n");
}
END_TEST

START_TEST(what_others_give_is_told_of_them_once)
{
	static const char service[] = "[service x]\ncommand = true\n";
	char before[160], after[160];

	snprintf(before, sizeof(before), "[defaults]\nkill-grace = 3s\n%s", service);
	snprintf(after, sizeof(after), "[defaults]\nkill-grace = 4s\n%s", service);
	diff_is(before, after, " defaults||kill-grace 3s>4s 2\n");
	/* its own instead, and back: what holds is told */
	snprintf(after, sizeof(after),
		"%skill-grace = 6s\n[defaults]\nkill-grace = 3s\n", service);
	diff_is(before, after, " service|x|kill-grace 3s>6s 3\n");
	diff_is(after, before, " service|x|kill-grace 6s>3s 2\n");
	/* the same, said by itself */
	snprintf(after, sizeof(after),
		"%skill-grace = 3s\n[defaults]\nkill-grace = 3s\n", service);
	diff_is(before, after, "");
	/* of a list both */
	diff_is("[defaults]\nenv = A=1\n[service x]\ncommand = true\nenv = B=1\n",
		"[defaults]\nenv = A=2\n[service x]\ncommand = true\nenv = B=1\n",
		" defaults||env A=1>A=2 2\n");
	diff_is("[defaults]\nenv = A=1\n[service x]\ncommand = true\nenv = B=1\n",
		"[defaults]\nenv = A=1\n[service x]\ncommand = true\nenv = B=2\n",
		" service|x|env A=1\nB=1>A=1\nB=2 5\n");
	/* one that is new says its own */
	diff_is("[defaults]\nkill-grace = 3s\n", before,
		"+service|x| (none)>(none) 3\n service|x|command (none)>true 4\n");
}
END_TEST

START_TEST(sections_come_and_go_as_a_whole)
{
	diff_is("[pool b]\nslots = 3\nrate = 1/s\n[pool c]\nslots = 1\n",
		"[pool a]\nslots = 2\n[pool c]\nslots = 1\n[schedule b]\nwhen = daily\n"
		"command = true\n",
		"+pool|a| (none)>(none) 1\n"
		" pool|a|slots (none)>2 2\n"
		"-pool|b| (none)>(none) 1\n"
		"+schedule|b| (none)>(none) 5\n"
		" schedule|b|command (none)>true 7\n"
		" schedule|b|when (none)>daily 6\n");
}
END_TEST

static int stop_at_second(const struct config_difference *d, void *arg)
{
	return ++*(int *)arg == 2 ? -ECANCELED : 0;
}

START_TEST(an_error_of_the_callback_ends_it)
{
	_cleanup_(config_freep) struct config *a = load("", "a"),
					      *b = load("[pool a]\n[pool b]\n", "b");
	int n = 0;

	ck_assert_int_eq(config_diff(a, b, stop_at_second, &n), -ECANCELED);
	ck_assert_int_eq(n, 2);
}
END_TEST

UNIT_MAIN("config_diff", the_same_in_other_words_is_no_difference,
	values_are_told_with_both_and_where_the_new_one_is,
	what_others_give_is_told_of_them_once, sections_come_and_go_as_a_whole,
	an_error_of_the_callback_ends_it,
	services_that_start_otherwise_are_named_with_their_environment,
	services_that_start_otherwise_are_named_with_defaults)
