#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/env_steps.h"
#include "tests/support/unit.h"

#define STRV(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

/* files are "NAME=VALUE,NAME=VALUE": their path is what they hold */
static int read_file(char ***ret, const char *path, bool if_there, void *arg)
{
	unsigned *n_read = arg;

	++*n_read;
	*ret = NULL;
	if (STREQ(path, "/missing"))
		return if_there ? 0 : -ENOENT;
	return strv_split(ret, path, ",");
}

static int check_virtualenv(const char *path, void *arg)
{
	(void)arg;
	return STREQ(path, "/none") ? -ENOTDIR : 0;
}

static unsigned n_read;
static const struct env_steps_io io = {read_file, check_virtualenv, &n_read};

static void becomes(char *const *list, char *const *want)
{
	_cleanup_(strv_freep) char **env = NULL;

	ck_assert_int_eq(env_steps_run(&env, list, &io), 0);
	for (size_t i = 0; want[i]; i++)
		ck_assert_str_eq(env && env[i] ? env[i] : "(end)", want[i]);
	ck_assert_uint_eq(strv_len(env), strv_len(want));
}

START_TEST(of_two_values_the_later_counts)
{
	becomes(STRV("A=1", "B=2", "=environment e", "A=3"), STRV("A=3", "B=2"));
	becomes(STRV("A=1", "=file B=x,A=y", "B=z"), STRV("A=y", "B=z"));
}
END_TEST

START_TEST(directories_come_in_front_of_what_path_was)
{
	becomes(STRV("PATH=/bin", "=path /b:/c", "=path /a"),
		STRV("PATH=/a:/b:/c:/bin"));
	becomes(STRV("=path /a"), STRV("PATH=/a:" ENV_DEFAULT_PATH));
	becomes(STRV("PATH=", "=path /a"), STRV("PATH=/a"));
	becomes(STRV("=path /a", "PATH=/z"), STRV("PATH=/z"));
}
END_TEST

START_TEST(virtual_environment_is_as_if_it_were_activated)
{
	becomes(STRV("PATH=/bin", "PYTHONHOME=/py", "=virtualenv /v"),
		STRV("PATH=/v/bin:/bin", "VIRTUAL_ENV=/v"));
	/* said after it, it holds */
	becomes(STRV("PATH=/bin", "=virtualenv /v", "PYTHONHOME=/py"),
		STRV("PATH=/v/bin:/bin", "VIRTUAL_ENV=/v", "PYTHONHOME=/py"));
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error_unless_it_may_be_missing)
{
	char **env = (char **)&io;

	becomes(STRV("A=1", "=file- /missing"), STRV("A=1"));
	ck_assert_int_eq(
		env_steps_run(&env, STRV("A=1", "=file /missing"), &io), -ENOENT);
	ck_assert_int_eq(env_steps_run(&env, STRV("=virtualenv /none"), &io), -ENOTDIR);
	ck_assert_ptr_eq(env, &io);
}
END_TEST

START_TEST(without_io_nothing_is_read)
{
	_cleanup_(strv_freep) char **env = NULL;

	n_read = 0;
	ck_assert_int_eq(
		env_steps_run(&env,
			STRV("A=1", "=file A=2", "=file /missing", "=virtualenv /none"),
			NULL),
		0);
	ck_assert_uint_eq(n_read, 0);
	ck_assert_str_eq(env[0], "A=1");
	ck_assert_str_eq(env[1], "VIRTUAL_ENV=/none");
}
END_TEST

START_TEST(step_that_is_added_is_read_back)
{
	static const enum env_step steps[] = {ENV_STEP_ENVIRONMENT, ENV_STEP_FILE,
		ENV_STEP_FILE_IF_THERE, ENV_STEP_PATH, ENV_STEP_VIRTUALENV};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		_cleanup_(strv_freep) char **list = NULL;
		enum env_step step;
		const char *text;

		ck_assert_int_eq(env_step_add(&list, steps[i], "/a b"), 0);
		ck_assert(env_step_parse(&step, &text, list[0]));
		ck_assert_int_eq(step, steps[i]);
		ck_assert_str_eq(text, "/a b");
		ck_assert(env_has_steps(list));
		ck_assert_int_eq(env_has_files(list),
			step != ENV_STEP_ENVIRONMENT && step != ENV_STEP_PATH);
	}
	ck_assert(!env_has_steps(STRV("A==file /x", "B=1")));
}
END_TEST

START_TEST(step_of_a_later_version_is_passed_over)
{
	becomes(STRV("A=1", "=nonsense /x", "B=2"), STRV("A=1", "B=2"));
}
END_TEST

START_TEST(number_of_variables_has_a_limit)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	_cleanup_(strv_freep) char **env = NULL, **again = NULL;
	char text[32];

	ck_assert_int_eq(strv_builder_add(&b, "=environment e"), 0);
	for (int i = 1; i < ENV_VARIABLES_MAX; i++) {
		snprintf(text, sizeof(text), "V%d=", i);
		ck_assert_int_eq(strv_builder_add(&b, text), 0);
	}
	ck_assert_int_eq(env_steps_run(&env, b.v, &io), 0);
	ck_assert_uint_eq(strv_len(env), ENV_VARIABLES_MAX - 1);
	ck_assert_int_eq(strv_builder_add(&b, "=file A=,B="), 0);
	ck_assert_int_eq(env_steps_run(&again, b.v, &io), -RV_ELIMIT);
	free(b.v[b.n - 1]);
	b.v[b.n - 1] = strdup("=file A=");
	ck_assert_int_eq(env_steps_run(&again, b.v, &io), -RV_ELIMIT);
	ck_assert_ptr_null(again);
}
END_TEST

UNIT_MAIN("env_steps", of_two_values_the_later_counts,
	directories_come_in_front_of_what_path_was,
	virtual_environment_is_as_if_it_were_activated,
	what_cannot_be_read_is_an_error_unless_it_may_be_missing,
	without_io_nothing_is_read, step_that_is_added_is_read_back,
	step_of_a_later_version_is_passed_over, number_of_variables_has_a_limit)
