#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_load.h"
#include "config/config_service.h"
#include "tests/unit/config/config_test.h"

/* the list of an environment, "ENTRY|" each */
static void gives(const struct config *c, const char *name, const char *want)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_(strv_freep) char **v = NULL;

	ck_assert_int_eq(environment_variables(&v, c, name), 0);
	STRV_FOREACH(s, v)
		ck_assert_int_eq(buf_printf(&b, "%s|", *s), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_str_eq(buf_head(&b), want);
}

/* ---- what it says --------------------------------------------------------------------------- */

START_TEST(one_section_gives_its_variables_files_and_directories_in_this_order)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[environment e]\nvirtualenv = /v\npath = /a\n\t/b:/c\n"
		       "env-file = /f\n\t-/g\nenv = A=1\n\tB=50%\n");

	gives(c, "e",
		"=environment e|A=1|B=50%|=file /f|=file- /g|=path /b:/c|=path /a|"
		"=virtualenv /v|");
}
END_TEST

START_TEST(lists_append_and_an_empty_value_resets)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[environment e]\nenv = A=1\nenv =\nenv = B=2\npath = /x\n"
		       "path = /y\nenv-file = /f\nenv-file =\n");

	gives(c, "e", "=environment e|B=2|=path /y|=path /x|");
}
END_TEST

START_TEST(those_that_it_inherits_come_before_it_each_once)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[environment d]\ninherit = b, c\nenv = D=\n"
		       "[environment b]\ninherit = a\nenv = B=\n"
		       "[environment c]\ninherit = a\nenv = C=\n"
		       "[environment a]\nenv = A=\n");

	gives(c, "d", "=environment d|A=|B=|C=|D=|");
	gives(c, "c", "=environment c|A=|C=|");
}
END_TEST

START_TEST(those_of_the_defaults_come_first)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[defaults]\nenv = X=1\n[environment e]\nenv = X=2\n");

	gives(c, "e", "=environment e|X=1|X=2|");
}
END_TEST

/* ---- for a job ------------------------------------------------------------------------------ */

START_TEST(job_itself_counts_more_than_its_environment_and_that_more_than_the_defaults)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[defaults]\ncwd = /defaults\numask = 001\nenv = D=1\n"
		       "nice = 1\n"
		       "[environment a]\ncwd = /a\numask = 002\nrlimits = core=0\n"
		       "[environment e]\ninherit = a\ncwd = /e\n"
		       "[service s]\ncommand = x\nenvironment = e\numask = 003\n"
		       "env = OWN=1\n");
	_cleanup_(job_spec_deinit) struct job_spec spec;

	ck_assert_int_eq(config_service_instance(&spec, c,
				 config_find(c, CONFIG_SECTION_SERVICE, "s"), 0),
		0);
	ck_assert_str_eq(job_str(&spec, CWD), "/e");
	ck_assert_int_eq(job_num(&spec, UMASK), 3);
	ck_assert_int_eq(job_num(&spec, NICE), 1);
	ck_assert_str_eq(job_str(&spec, RLIMITS), "core=0");
	ck_assert_uint_eq(strv_len(job_strv(&spec, ENV)), 1);
	ck_assert_str_eq(job_strv(&spec, ENV)[0], "OWN=1");
}
END_TEST

START_TEST(defaults_may_name_it)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[defaults]\nenvironment = e\nenv = D=1\n"
		       "[environment e]\ncwd = /e\n[service s]\ncommand = x\n");
	_cleanup_(job_spec_deinit) struct job_spec spec;

	ck_assert_int_eq(config_service_instance(&spec, c,
				 config_find(c, CONFIG_SECTION_SERVICE, "s"), 0),
		0);
	ck_assert_str_eq(job_str(&spec, ENVIRONMENT), "e");
	ck_assert_str_eq(job_str(&spec, CWD), "/e");
	ck_assert(!job_spec_has(&spec, JOB_FIELD_ENV));
}
END_TEST

START_TEST(function_is_set_in_none)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[environment e]\ncwd = /e\n");
	_cleanup_(job_spec_deinit) struct job_spec spec;
	struct environment_said said;

	job_spec_init(&spec);
	ck_assert_int_eq(job_spec_put_text(&spec, JOB_FIELD_FUNCTION, "sleep"), 0);
	ck_assert_int_eq(job_spec_put_text(&spec, JOB_FIELD_ENVIRONMENT, "e"), 0);
	said = environment_said_of(&spec);
	ck_assert_int_eq(environment_put(&spec, c, &said), 0);
	ck_assert(!job_spec_has(&spec, JOB_FIELD_CWD));
}
END_TEST

START_TEST(users_are_who_is_named_or_everybody_beside_root)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[environment none]\n[environment some]\nusers = 65534 1234\n"
		       "[environment all]\nusers = *\n");
	const struct config_named *some =
		config_find(c, CONFIG_SECTION_ENVIRONMENT, "some");

	ck_assert(environment_is_for(some, 0));
	ck_assert(environment_is_for(some, 1234));
	ck_assert(environment_is_for(some, 65534));
	ck_assert(!environment_is_for(some, 1235));
	ck_assert(!environment_is_for(
		config_find(c, CONFIG_SECTION_ENVIRONMENT, "none"), 1234));
	ck_assert(environment_is_for(
		config_find(c, CONFIG_SECTION_ENVIRONMENT, "all"), 1234));
}
END_TEST

/* ---- faults --------------------------------------------------------------------------------- */

START_TEST(unknown_name_is_refused_where_it_stands_with_the_nearest)
{
	refused("[defaults]\nenvironment = proj\n"
		"[environment project]\ninherit = bse\n[environment base]\n"
		"[service s]\ncommand = x\nenvironment = projct\n"
		"[schedule t]\nwhen = @daily\ncommand = x\nenvironment = zzzzzz\n",
		"2: environment: there is no [environment proj], did you mean "
		"'project'?|"
		"4: [environment project] inherit: there is no [environment bse], did "
		"you mean 'base'?|"
		"8: [service s] environment: there is no [environment projct], did you "
		"mean 'project'?|"
		"12: [schedule t] environment: there is no [environment zzzzzz]|");
}
END_TEST

START_TEST(environment_that_comes_back_to_itself_is_refused)
{
	refused("[environment a]\ninherit = a\n",
		"2: [environment a] inherit: what it inherits comes back to itself|");
	refused("[environment a]\ninherit = b\n[environment b]\ninherit = a\n"
		"[environment c]\n",
		"2: [environment a] inherit: what it inherits comes back to itself|"
		"4: [environment b] inherit: what it inherits comes back to itself|");
}
END_TEST

START_TEST(number_of_those_it_builds_on_has_a_limit)
{
	_cleanup_(config_freep) struct config *c = NULL;
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;

	ck_assert_int_eq(buf_append_str(&b, "[environment e0]\n"), 0);
	for (int i = 1; i < ENVIRONMENT_LINEAGE_MAX; i++)
		ck_assert_int_eq(
			buf_printf(&b, "[environment e%d]\ninherit = e%d\n", i, i - 1),
			0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	c = loaded(buf_head(&b));
	b.end--;
	ck_assert_int_eq(buf_printf(&b, "[environment x]\ninherit = e%d\n",
				 ENVIRONMENT_LINEAGE_MAX - 1),
		0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	refused(buf_head(&b),
		"129: [environment x] inherit: it builds on more than 63 others|");
}
END_TEST

START_TEST(what_is_no_absolute_path_is_refused)
{
	refused("[environment e]\ncwd = a\nenv-file = b\n\t-c\npath = /d:e\n\tf\n"
		"virtualenv = g\n",
		"2: [environment e] cwd: not an absolute path|"
		"3: [environment e] env-file: not an absolute path: 'b'|"
		"3: [environment e] env-file: not an absolute path: 'c'|"
		"5: [environment e] path: not an absolute path in '/d:e'|"
		"5: [environment e] path: not an absolute path in 'f'|"
		"7: [environment e] virtualenv: not an absolute path: 'g'|");
}
END_TEST

START_TEST(keys_are_those_of_a_setting)
{
	refused("[environment e]\ntimeout = 3\nenvironment = e\ncommand = x\n"
		"inherit = a b!\nusers = no-such-user-here\nvirtualen = /x\n"
		"[service s]\ncommand = x\nvirtualenv = /v\n[environment]\n",
		"2: unknown key 'timeout' in [environment]: it belongs in [defaults]|"
		"3: unknown key 'environment' in [environment]: it belongs in "
		"[defaults]|"
		"4: unknown key 'command' in [environment]: it belongs in [defaults]|"
		"5: inherit: not a name (letters, digits and _ . @ -, at most 64, a "
		"letter or _ first): 'b!'|"
		"6: users: there is no user 'no-such-user-here'|"
		"7: unknown key 'virtualen' in [environment], did you mean "
		"'virtualenv'?|"
		"10: unknown key 'virtualenv' in [service]: it belongs in [environment "
		"NAME]|"
		"11: [environment] needs a name: [environment NAME]|");
}
END_TEST

UNIT_MAIN("config_environment",
	one_section_gives_its_variables_files_and_directories_in_this_order,
	lists_append_and_an_empty_value_resets,
	those_that_it_inherits_come_before_it_each_once,
	those_of_the_defaults_come_first,
	job_itself_counts_more_than_its_environment_and_that_more_than_the_defaults,
	defaults_may_name_it, function_is_set_in_none,
	users_are_who_is_named_or_everybody_beside_root,
	unknown_name_is_refused_where_it_stands_with_the_nearest,
	environment_that_comes_back_to_itself_is_refused,
	number_of_those_it_builds_on_has_a_limit, what_is_no_absolute_path_is_refused,
	keys_are_those_of_a_setting)
