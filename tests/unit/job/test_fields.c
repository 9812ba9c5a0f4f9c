#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/fields.h"
#include "tests/support/unit.h"

#define STRV(...) ((char **)(const char *[]){__VA_ARGS__})

#define F(id) JOB_FIELD_##id

static int64_t num_of(enum job_field f, const char *text)
{
	union job_value v = {.num = -77};
	_cleanup_free_ char *err = NULL;
	int r = job_value_parse(&v, f, text, &err);

	ck_assert_msg(r == 0, "%s = %s: %s", job_field_info[f].key, text, err);
	return v.num;
}

static void str_is(enum job_field f, const char *text, const char *want)
{
	union job_value v;
	_cleanup_free_ char *err = NULL;
	int r = job_value_parse(&v, f, text, &err);

	ck_assert_msg(r == 0, "%s = %s: %s", job_field_info[f].key, text, err);
	ck_assert_str_eq(v.str, want);
	job_value_free(&v, f);
	ck_assert_ptr_null(v.str);
}

static void strv_is(enum job_field f, const char *text, char *const *want)
{
	union job_value v;
	_cleanup_free_ char *err = NULL;
	int r = job_value_parse(&v, f, text, &err);

	ck_assert_msg(r == 0, "%s = %s: %s", job_field_info[f].key, text, err);
	ck_assert_msg(strv_equal(v.strv, want), "%s", text);
	job_value_free(&v, f);
}
#define STRV_IS(f, text, ...) strv_is(f, text, STRV(__VA_ARGS__))

/* the message holds part, which is (a piece of) the bad value */
static void is_refused(enum job_field f, const char *text, int r, const char *part)
{
	union job_value v = {.num = -77};
	_cleanup_free_ char *err = NULL;

	ck_assert_msg(job_value_parse(&v, f, text, &err) == r, "%s = %s",
		job_field_info[f].key, text);
	ck_assert_int_eq(v.num, -77);
	ck_assert_ptr_nonnull(err);
	ck_assert_msg(strstr(err, part), "'%s' does not name '%s'", err, part);
	ck_assert_int_eq(job_value_parse(&v, f, text, NULL), r);
}

START_TEST(table_has_unique_tags_keys_and_letters)
{
	for (int a = 0; a < JOB_FIELD_N; a++)
		for (int b = a + 1; b < JOB_FIELD_N; b++) {
			ck_assert_uint_ne(job_field_info[a].tag, job_field_info[b].tag);
			ck_assert_str_ne(job_field_info[a].key, job_field_info[b].key);
			if (job_field_info[a].letter)
				ck_assert_int_ne(job_field_info[a].letter,
					job_field_info[b].letter);
		}
}
END_TEST

START_TEST(json_names_come_from_the_keys)
{
	ck_assert_str_eq(job_field_info[F(RETRY_DELAY)].json_name, "retry_delay_usec");
	ck_assert_str_eq(job_field_info[F(OUTPUT_MAX)].json_name, "output_max_bytes");
	ck_assert_str_eq(job_field_info[F(SHELL_COMMAND)].json_name, "shell_command");
	ck_assert_str_eq(job_field_info[F(NICE)].json_name, "nice");
}
END_TEST

START_TEST(fields_are_found_by_key_json_name_and_tag)
{
	for (int f = 0; f < JOB_FIELD_N; f++) {
		ck_assert_int_eq(job_field_by_key(job_field_info[f].key),
			job_field_is_ours((enum job_field)f) ? -ENOENT : f);
		ck_assert_int_eq(
			job_field_by_json_name(job_field_info[f].json_name), f);
		ck_assert_int_eq(job_field_by_tag(job_field_info[f].tag), f);
	}
	ck_assert_int_eq(job_field_by_key("retry_delay"), -ENOENT);
	ck_assert_int_eq(job_field_by_json_name("retry-delay"), -ENOENT);
	ck_assert_int_eq(job_field_by_tag(0), -ENOENT);
	ck_assert_int_eq(job_field_by_tag(100000), -ENOENT);
}
END_TEST

START_TEST(numbers_are_parsed_and_ranged)
{
	ck_assert_int_eq(num_of(F(PRIORITY), "-5"), -5);
	ck_assert_int_eq(num_of(F(PRIORITY), "1000000"), 1000000);
	is_refused(F(PRIORITY), "1000001", -ERANGE, "1000001");
	is_refused(F(PRIORITY), "5x", -EINVAL, "5x");
	is_refused(F(PRIORITY), "", -EINVAL, "''");
	is_refused(F(PRIORITY), "99999999999999999999", -ERANGE, "9999");
	is_refused(F(NICE), "-21", -ERANGE, "-21");
}
END_TEST

START_TEST(octal_is_octal)
{
	ck_assert_int_eq(num_of(F(UMASK), "022"), 022);
	ck_assert_int_eq(num_of(F(UMASK), "77"), 077);
	is_refused(F(UMASK), "08", -EINVAL, "08");
	is_refused(F(UMASK), "1777", -ERANGE, "1777");
	is_refused(F(UMASK), "7777777777777777777777777777", -ERANGE, "777");
	is_refused(F(UMASK), "-1", -EINVAL, "-1");
}
END_TEST

START_TEST(durations_and_sizes_have_their_units)
{
	ck_assert_int_eq(num_of(F(TIMEOUT), "90"), 90000000);
	ck_assert_int_eq(num_of(F(TIMEOUT), "infinity"), INT64_MAX);
	ck_assert_int_eq(num_of(F(KILL_GRACE), "0"), 0);
	ck_assert_int_eq(num_of(F(OUTPUT_MAX), "1M"), 1 << 20);
	is_refused(F(TIMEOUT), "5 parsecs", -EINVAL, "'5 parsecs'");
	is_refused(F(RETRY_DELAY), "367d", -ERANGE, "366d");
	is_refused(F(RETRY_DELAY_MAX), "infinity", -ERANGE, "infinity");
	is_refused(F(TIMEOUT), "0", -ERANGE, "'0");
	is_refused(F(OUTPUT_MAX), "100", -ERANGE, "100");
	is_refused(F(OUTPUT_MAX), "lots", -EINVAL, "lots");
}
END_TEST

START_TEST(words_of_enumerations_are_exact)
{
	ck_assert_int_eq(num_of(F(LEFTOVERS), "leave"), JOB_LEFTOVERS_LEAVE);
	ck_assert_int_eq(num_of(F(ON_LOST), "rerun"), JOB_ON_LOST_RERUN);
	ck_assert_int_eq(num_of(F(HOLD), "on"), 1);
	is_refused(F(LEFTOVERS), "Kill", -EINVAL, "Kill");
	is_refused(F(ON_REBOOT), "", -EINVAL, "''");
	is_refused(F(HOLD), "maybe", -EINVAL, "maybe");
}
END_TEST

START_TEST(signals_have_names_and_numbers)
{
	ck_assert_int_eq(num_of(F(KILL_SIGNAL), "TERM"), SIGTERM);
	ck_assert_int_eq(num_of(F(KILL_SIGNAL), "SIGUSR1"), SIGUSR1);
	ck_assert_int_eq(num_of(F(KILL_SIGNAL), "9"), SIGKILL);
	ck_assert_int_eq(num_of(F(KILL_SIGNAL), "RTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(num_of(F(KILL_SIGNAL), "RTMAX"), SIGRTMAX);
	ck_assert_int_eq(num_of(F(KILL_SIGNAL), "RTMAX-1"), SIGRTMAX - 1);
	ck_assert_int_eq(num_of(F(KILL_SIGNAL), "SIG40"), 40);
	is_refused(F(KILL_SIGNAL), "0", -EINVAL, "'0'");
	is_refused(F(KILL_SIGNAL), "65", -EINVAL, "65");
	is_refused(F(KILL_SIGNAL), "SIG", -EINVAL, "SIG");
	is_refused(F(KILL_SIGNAL), "RTMIN+99", -EINVAL, "RTMIN+99");
	is_refused(F(KILL_SIGNAL), "term", -EINVAL, "term");
}
END_TEST

START_TEST(every_signal_name_reads_back)
{
	for (int i = 1; i <= SIGRTMAX; i++)
		ck_assert_int_eq(signal_parse(signal_name(i)), i);
	ck_assert_str_eq(signal_name(0), "SIG?");
	ck_assert_str_eq(signal_name(1000), "SIG?");
}
END_TEST

START_TEST(names_keep_to_their_alphabet)
{
	char longest[66];

	str_is(F(NAME), "build_1.2@x-y", "build_1.2@x-y");
	is_refused(F(NAME), "1st", -EINVAL, "1st");
	is_refused(F(NAME), "a b", -EINVAL, "a b");
	is_refused(F(NAME), "", -EINVAL, "''");
	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	str_is(F(NAME), longest, longest);
	longest[64] = 'a';
	longest[65] = '\0';
	is_refused(F(NAME), longest, -RV_ELIMIT, "aaaa");
}
END_TEST

START_TEST(bytes_are_kept_and_texts_are_utf8)
{
	str_is(F(SHELL_COMMAND), "a ; b # c : \xff \t d", "a ; b # c : \xff \t d");
	str_is(F(CWD), "/tmp/\xe4", "/tmp/\xe4");
	is_refused(F(FUNCTION), "f\xff", -EINVAL, "f\\xff");
	is_refused(F(CWD), "", -EINVAL, "''");
}
END_TEST

START_TEST(output_is_one_of_its_forms)
{
	str_is(F(OUTPUT), "journal", "journal");
	str_is(F(OUTPUT), "file:/var/log/x", "file:/var/log/x");
	is_refused(F(OUTPUT), "file:relative", -EINVAL, "file:relative");
	is_refused(F(OUTPUT), "/var/log/x", -EINVAL, "/var/log/x");
}
END_TEST

START_TEST(arguments_are_an_object)
{
	str_is(F(ARGUMENTS), "{\"a\": 1}", "{\"a\": 1}");
	is_refused(F(ARGUMENTS), "[1]", -EINVAL, "[1]");
	is_refused(F(ARGUMENTS), "{\"a\": \"\xff\"}", -EINVAL, "\\xff");
}
END_TEST

START_TEST(codes_become_canonical)
{
	str_is(F(SUCCESS_CODES), "75, 0 TERM 3 75", "0 3 75 SIGTERM");
	str_is(F(RETRY_ON), "SIGKILL 255", "255 SIGKILL");
	is_refused(F(RETRY_ON), "256", -ERANGE, "256");
	is_refused(F(RETRY_ON), "1 NOPE", -EINVAL, "NOPE");
	is_refused(F(RETRY_ON), " , ", -EINVAL, ",");
}
END_TEST

START_TEST(more_codes_than_allowed_are_refused)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_free_ char *text = NULL;

	for (int i = 0; i <= 64; i++)
		ck_assert_int_eq(buf_printf(&b, "%d ", i), 0);
	text = buf_steal_str(&b, NULL);
	is_refused(F(RETRY_ON), text, -RV_ELIMIT, "0 1 2");
}
END_TEST

START_TEST(rlimits_become_canonical)
{
	str_is(F(RLIMITS), "nofile=1024:4096 core=0", "core=0 nofile=1024:4096");
	str_is(F(RLIMITS), "stack=8M, core=unlimited nproc=5:5",
		"core=infinity nproc=5 stack=8388608");
	str_is(F(RLIMITS), "as=1G:infinity", "as=1073741824:infinity");
	is_refused(F(RLIMITS), "nofile", -EINVAL, "nofile");
	is_refused(F(RLIMITS), "nofiles=3", -EINVAL, "nofiles=3");
	is_refused(F(RLIMITS), "nofile=9:8", -EINVAL, "nofile=9:8");
	is_refused(F(RLIMITS), "nofile=-1", -EINVAL, "nofile=-1");
	is_refused(F(RLIMITS), "nofile=1:2:3", -EINVAL, "nofile=1:2:3");
	is_refused(F(RLIMITS), "core=0 core=1", -EINVAL, "core=1");
}
END_TEST

START_TEST(lists_are_split_by_their_rules)
{
	STRV_IS(F(COMMAND), "make -j4 'all of it'", "make", "-j4", "all of it", NULL);
	STRV_IS(F(LABEL), "a, b c", "a", "b", "c", NULL);
	STRV_IS(F(ENV_DROP), "LC_* SSH_*", "LC_*", "SSH_*", NULL);
	STRV_IS(F(ENV), "A=hello world # ; : x\nB=\n\nC=a=b", "A=hello world # ; : x",
		"B=", "C=a=b", NULL);
	STRV_IS(F(ENV), "\"A=1\\n2\"\nB=\"q\"", "A=1\n2", "B=\"q\"", NULL);
	STRV_IS(F(ENV), "", NULL);
	STRV_IS(F(LABEL), " ", NULL);
	is_refused(F(COMMAND), " ", -EINVAL, "''");
	is_refused(F(COMMAND), "'' x", -EINVAL, "''");
	is_refused(F(COMMAND), "echo 'x", -EINVAL, "echo");
	is_refused(F(LABEL), "ok 1bad", -EINVAL, "1bad");
	is_refused(F(ENV), "NOEQUALS", -EINVAL, "NOEQUALS");
	is_refused(F(ENV), "=x", -EINVAL, "=x");
	is_refused(F(ENV), "\"A=1", -EINVAL, "A=1");
	is_refused(F(ENV_PASS), "A=B", -EINVAL, "A=B");
}
END_TEST

START_TEST(argument_env_keeps_line_ends_and_quotes)
{
	union job_value v;
	_cleanup_free_ char *err = NULL;

	ck_assert_int_eq(job_value_parse_arg(&v, F(ENV), "A=1\nPATH=/evil", NULL), 0);
	ck_assert_uint_eq(strv_len(v.strv), 1);
	ck_assert_str_eq(v.strv[0], "A=1\nPATH=/evil");
	job_value_free(&v, F(ENV));
	ck_assert_int_eq(job_value_parse_arg(&v, F(ENV), "A", &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "'A'"));
}
END_TEST

START_TEST(lists_at_their_maximum_pass_and_over_it_fail)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_free_ char *text = NULL;
	union job_value v;

	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(buf_printf(&b, "l%d ", i), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_int_eq(job_value_parse(&v, F(LABEL), buf_head(&b), NULL), 0);
	ck_assert_uint_eq(strv_len(v.strv), 32);
	job_value_free(&v, F(LABEL));
	ck_assert_int_eq(buf_printf(&b, "x"), 0);
	b.data[b.end - 2] = 'y'; /* over the NUL */
	text = buf_steal_str(&b, NULL);
	is_refused(F(LABEL), text, -RV_ELIMIT, "33");
}
END_TEST

START_TEST(values_from_elsewhere_are_checked_like_texts)
{
	union job_value v = {.num = 7};
	_cleanup_free_ char *err = NULL;

	ck_assert_int_eq(job_value_check(&v, F(LEFTOVERS), &err), -ERANGE);
	ck_assert_ptr_nonnull(strstr(err, "'7'"));
	v.num = -1;
	ck_assert_int_eq(job_value_check(&v, F(KILL_SIGNAL), NULL), -ERANGE);
	v.num = INT64_MIN;
	ck_assert_int_eq(job_value_check(&v, F(TIMEOUT), NULL), -ERANGE);
	v.str = NULL;
	ck_assert_int_eq(job_value_check(&v, F(CWD), NULL), -EINVAL);
	v.str = strdup("TERM 1");
	ck_assert_int_eq(job_value_check(&v, F(RETRY_ON), NULL), 0);
	ck_assert_str_eq(v.str, "1 SIGTERM");
	job_value_free(&v, F(RETRY_ON));
	v.strv = NULL;
	ck_assert_int_eq(job_value_check(&v, F(COMMAND), NULL), -EINVAL);
	ck_assert_int_eq(job_value_check(&v, F(LABEL), NULL), 0);
}
END_TEST

/* what a text reads as is printed as a text that reads as the same */
static void round_trip(enum job_field f, const char *text)
{
	_cleanup_(buf_deinitp) struct buf a = BUF_NULL, b = BUF_NULL;
	_cleanup_free_ char *printed = NULL, *again = NULL;
	union job_value v, w;

	ck_assert_int_eq(job_value_parse(&v, f, text, NULL), 0);
	ck_assert_int_eq(job_value_format(&a, f, &v), 0);
	printed = buf_steal_str(&a, NULL);
	ck_assert_msg(job_value_parse(&w, f, printed, NULL) == 0, "%s: %s",
		job_field_info[f].key, printed);
	ck_assert_int_eq(job_value_format(&b, f, &w), 0);
	again = buf_steal_str(&b, NULL);
	ck_assert_str_eq(printed, again);
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM: ck_assert_int_eq(v.num, w.num); break;
	case JOB_SHAPE_STR: ck_assert_str_eq(v.str, w.str); break;
	case JOB_SHAPE_STRV: ck_assert(strv_equal(v.strv, w.strv)); break;
	}
	job_value_free(&v, f);
	job_value_free(&w, f);
}

START_TEST(printed_values_read_back)
{
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (job_field_info[f].default_text)
			round_trip((enum job_field)f, job_field_info[f].default_text);
	round_trip(F(TIMEOUT), "1h 2min 3.5s");
	round_trip(F(TIMEOUT), "1us");
	round_trip(F(OUTPUT_MAX), "infinity");
	round_trip(F(OUTPUT_MAX), "4097");
	round_trip(F(UMASK), "0");
	round_trip(F(UMASK), "777");
	round_trip(F(NICE), "-20");
	round_trip(F(KILL_SIGNAL), "SIG50");
	round_trip(F(COMMAND), "sh -c 'a \"b\" $c' '' 'it'\\''s' \"x\ny\"");
	round_trip(F(ENV), "A=1\n\"B=x\\ny\"\n\"\\\"C=\\xff\"");
	round_trip(F(ENV), "\"A=x \"\n\" B=\"");
	round_trip(F(LABEL), "a b");
	round_trip(F(AFTER), "3,4|name @label");
	round_trip(F(RLIMITS), "nofile=1:2 core=infinity");
	round_trip(F(RETRY_ON), "1 2 KILL");
}
END_TEST

START_TEST(long_bad_value_is_cut_in_the_message)
{
	_cleanup_free_ char *text = malloc(100001), *err = NULL;
	union job_value v;

	memset(text, 'z', 100000);
	text[100000] = '\0';
	ck_assert_int_eq(job_value_parse(&v, F(TIMEOUT), text, &err), -EINVAL);
	ck_assert_uint_lt(strlen(err), 300);
	ck_assert_ptr_nonnull(strstr(err, "zzz"));
}
END_TEST

UNIT_MAIN("fields", table_has_unique_tags_keys_and_letters,
	json_names_come_from_the_keys, fields_are_found_by_key_json_name_and_tag,
	numbers_are_parsed_and_ranged, octal_is_octal,
	durations_and_sizes_have_their_units, words_of_enumerations_are_exact,
	signals_have_names_and_numbers, every_signal_name_reads_back,
	names_keep_to_their_alphabet, bytes_are_kept_and_texts_are_utf8,
	output_is_one_of_its_forms, arguments_are_an_object, codes_become_canonical,
	more_codes_than_allowed_are_refused, rlimits_become_canonical,
	lists_are_split_by_their_rules, argument_env_keeps_line_ends_and_quotes,
	lists_at_their_maximum_pass_and_over_it_fail,
	values_from_elsewhere_are_checked_like_texts, printed_values_read_back,
	long_bad_value_is_cut_in_the_message)
