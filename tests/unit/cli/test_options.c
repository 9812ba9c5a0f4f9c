#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "cli/command_table.h"
#include "tests/support/unit.h"

static struct options options;
static char *err;

/* argv of a verb: result of options_parse */
static int parse(const char *verb, const char *const *argv)
{
	struct option_set set = command_options(command_find(verb));
	int argc = 0;

	while (argv[argc])
		argc++;
	err = NULL;
	return options_parse(&options, &set, (char *const *)argv, argc, 0, NULL, &err);
}
#define PARSE(verb, ...) parse(verb, (const char *const[]){__VA_ARGS__, NULL})

static void end(void)
{
	options_deinit(&options);
	free(err);
}

START_TEST(values_come_in_three_ways)
{
	ck_assert_int_eq(PARSE("logs", "-n5", "--run=2", "--stream", "stderr", "7"), 0);
	ck_assert_str_eq(options_get(&options, OPT_LINES), "5");
	ck_assert_str_eq(options_get(&options, OPT_RUN), "2");
	ck_assert_str_eq(options_get(&options, OPT_STREAM), "stderr");
	ck_assert_int_eq(options.n_args, 1);
	end();
}
END_TEST

START_TEST(flags_may_stand_together_before_a_value)
{
	ck_assert_int_eq(PARSE("logs", "-fn", "20"), 0);
	ck_assert(options_has(&options, OPT_FOLLOW));
	ck_assert_str_eq(options_get(&options, OPT_LINES), "20");
	end();
}
END_TEST

START_TEST(the_last_of_two_counts)
{
	ck_assert_int_eq(PARSE("add", "-p", "1", "-p", "9", "x"), 0);
	ck_assert_int_eq(job_num(&options.spec, PRIORITY), 9);
	end();
}
END_TEST

START_TEST(abbreviations_are_not_accepted)
{
	ck_assert_int_eq(PARSE("logs", "--foll"), -EINVAL);
	ck_assert_str_eq(err, "unknown option --foll (did you mean --follow?)");
	end();
}
END_TEST

START_TEST(missing_value_is_named)
{
	ck_assert_int_eq(PARSE("logs", "-n"), -EINVAL);
	ck_assert_str_eq(err, "-n needs N");
	end();
	ck_assert_int_eq(PARSE("logs", "--lines"), -EINVAL);
	ck_assert_str_eq(err, "--lines needs N");
	end();
}
END_TEST

START_TEST(flag_takes_no_value)
{
	ck_assert_int_eq(PARSE("logs", "--follow=yes"), -EINVAL);
	ck_assert_str_eq(err, "--follow takes no value");
	end();
}
END_TEST

START_TEST(command_ends_the_options)
{
	ck_assert_int_eq(PARSE("add", "-n", "x", "ls", "-l", "--", "--nope"), 0);
	ck_assert_int_eq(options.n_args, 4);
	ck_assert_str_eq(options.args[1], "-l");
	ck_assert_str_eq(options.args[2], "--");
	ck_assert_ptr_null(options.args[4]);
	end();
}
END_TEST

START_TEST(dash_dash_lets_a_command_begin_with_a_dash)
{
	ck_assert_int_eq(PARSE("add", "--", "-odd", "x"), 0);
	ck_assert_int_eq(options.n_args, 2);
	ck_assert_str_eq(options.args[0], "-odd");
	end();
}
END_TEST

START_TEST(dash_alone_is_an_operand)
{
	ck_assert_int_eq(PARSE("rm", "-", "--force"), 0);
	ck_assert_str_eq(options.args[0], "-");
	ck_assert(options_has(&options, OPT_FORCE));
	end();
}
END_TEST

START_TEST(fields_of_jobs_are_options)
{
	ck_assert_int_eq(PARSE("add", "--timeout", "90", "--hold", "--split-output=no",
				 "-l", "a", "-l", "b", "x"),
		0);
	ck_assert_int_eq(job_num(&options.spec, TIMEOUT), 90000000);
	ck_assert_int_eq(job_num(&options.spec, HOLD), 1);
	ck_assert_int_eq(job_num(&options.spec, SPLIT_OUTPUT), 0);
	ck_assert_str_eq(job_strv(&options.spec, LABEL)[1], "b");
	end();
}
END_TEST

START_TEST(bad_value_of_a_field_is_named)
{
	ck_assert_int_eq(PARSE("add", "--nice", "99", "x"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "--nice: "));
	end();
	ck_assert_int_eq(PARSE("add", "-n", "two words", "x"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "--name: "));
	end();
}
END_TEST

START_TEST(control_characters_of_an_option_are_escaped)
{
	ck_assert_int_eq(PARSE("ls", "--\033[31m"), -EINVAL);
	ck_assert_ptr_null(strchr(err, '\033'));
	end();
}
END_TEST

START_TEST(letters_of_a_verb_are_unique)
{
	for (size_t i = 0; i < command_table_len; i++) {
		struct option_set set = command_options(&command_table[i]);
		const char *seen[256] = {NULL};
		struct option_def field;

		for (size_t t = 0; t < ARRAY_LEN(set.tables); t++)
			for (const struct option_def *d = set.tables[t]; d && d->id;
				d++) {
				ck_assert_msg(
					!d->letter || !seen[(unsigned char)d->letter],
					"%s: -%c", command_table[i].name, d->letter);
				seen[(unsigned char)d->letter] = d->name;
			}
		for (int f = 0; set.fields && f < JOB_FIELD_N; f++)
			/* `schedule next -n 5`: as with calendar */
			if (option_of_field(&field, (enum job_field)f) &&
				field.letter &&
				!(STREQ(command_table[i].name, "schedule") &&
					field.letter == 'n'))
				ck_assert_msg(!seen[(unsigned char)field.letter],
					"%s: -%c", command_table[i].name, field.letter);
	}
}
END_TEST

START_TEST(empty_command_line_is_fine)
{
	ck_assert_int_eq(parse("ls", (const char *const[]){NULL}), 0);
	ck_assert_int_eq(options.n_args, 0);
	end();
}
END_TEST

UNIT_MAIN("options", values_come_in_three_ways, flags_may_stand_together_before_a_value,
	the_last_of_two_counts, abbreviations_are_not_accepted, missing_value_is_named,
	flag_takes_no_value, command_ends_the_options,
	dash_dash_lets_a_command_begin_with_a_dash, dash_alone_is_an_operand,
	fields_of_jobs_are_options, bad_value_of_a_field_is_named,
	control_characters_of_an_option_are_escaped, letters_of_a_verb_are_unique,
	empty_command_line_is_fine)
