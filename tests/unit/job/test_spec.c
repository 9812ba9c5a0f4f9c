#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/spec.h"
#include "tests/support/unit.h"

#define STRV(...) ((char **)(const char *[]){__VA_ARGS__})

#define F(id) JOB_FIELD_##id

static void put(struct job_spec *s, enum job_field f, const char *text)
{
	union job_value v;

	ck_assert_int_eq(job_value_parse(&v, f, text, NULL), 0);
	ck_assert_int_eq(job_spec_put(s, f, v), 0);
}

static void spec_equal(const struct job_spec *a, const struct job_spec *b)
{
	ck_assert_uint_eq(a->set, b->set);
	for (int f = 0; f < JOB_FIELD_N; f++) {
		_cleanup_(buf_deinitp) struct buf x = BUF_NULL, y = BUF_NULL;

		if (!job_spec_has(a, (enum job_field)f))
			continue;
		ck_assert_int_eq(job_value_format(&x, (enum job_field)f, &a->v[f]), 0);
		ck_assert_int_eq(job_value_format(&y, (enum job_field)f, &b->v[f]), 0);
		ck_assert_uint_eq(buf_len(&x), buf_len(&y));
		ck_assert_mem_eq(buf_head(&x), buf_head(&y), buf_len(&x));
	}
}

START_TEST(new_spec_has_the_defaults)
{
	struct job_spec s;

	job_spec_init(&s);
	ck_assert_uint_eq(s.set, 0);
	ck_assert_str_eq(job_str(&s, POOL), "default");
	ck_assert_str_eq(job_str(&s, SUCCESS_CODES), "0");
	ck_assert_int_eq(job_num(&s, OUTPUT_MAX), 64 << 20);
	ck_assert_int_eq(job_num(&s, TIMEOUT), INT64_MAX);
	ck_assert_int_eq(job_num(&s, UMASK), JOB_NUM_UNSET);
	ck_assert_int_eq(job_num(&s, NICE), JOB_NUM_UNSET);
	ck_assert_ptr_null(job_str(&s, RETRY_ON));
	ck_assert_ptr_null(job_strv(&s, ENV));
	job_spec_deinit(&s);
}
END_TEST

START_TEST(put_replaces_and_lists_append)
{
	struct job_spec s;

	job_spec_init(&s);
	put(&s, F(POOL), "a");
	put(&s, F(POOL), "b");
	ck_assert_str_eq(job_str(&s, POOL), "b");
	put(&s, F(ENV), "A=1");
	put(&s, F(ENV), "B=2");
	ck_assert(strv_equal(job_strv(&s, ENV), STRV("A=1", "B=2", NULL)));
	put(&s, F(LABEL), "x y x");
	put(&s, F(LABEL), "y z");
	ck_assert(strv_equal(job_strv(&s, LABEL), STRV("x", "y", "z", NULL)));
	job_spec_unset(&s, F(POOL));
	ck_assert_str_eq(job_str(&s, POOL), "default");
	ck_assert(!job_spec_has(&s, F(POOL)));
	job_spec_deinit(&s);
	job_spec_deinit(&s);
}
END_TEST

START_TEST(appending_over_the_maximum_is_refused_and_keeps_what_was)
{
	struct job_spec s;
	union job_value v;

	job_spec_init(&s);
	for (int i = 0; i < 64; i++)
		put(&s, F(ENV_PASS), "X");
	ck_assert_int_eq(job_value_parse(&v, F(ENV_PASS), "Y", NULL), 0);
	ck_assert_int_eq(job_spec_put(&s, F(ENV_PASS), v), -RV_ELIMIT);
	ck_assert_uint_eq(strv_len(job_strv(&s, ENV_PASS)), 64);
	job_spec_deinit(&s);
}
END_TEST

START_TEST(defaults_fill_gaps_and_stand_before_lists)
{
	struct job_spec s, d;

	job_spec_init(&s);
	job_spec_init(&d);
	put(&d, F(TIMEOUT), "1min");
	put(&d, F(POOL), "slow");
	put(&d, F(ENV), "A=1\nB=1");
	put(&d, F(LABEL), "nightly");
	put(&s, F(POOL), "fast");
	put(&s, F(ENV), "B=2");
	ck_assert_int_eq(job_spec_merge_defaults(&s, &d), 0);
	ck_assert_str_eq(job_str(&s, POOL), "fast");
	ck_assert_int_eq(job_num(&s, TIMEOUT), 60000000);
	ck_assert(strv_equal(job_strv(&s, ENV), STRV("A=1", "B=1", "B=2", NULL)));
	ck_assert(strv_equal(job_strv(&s, LABEL), STRV("nightly", NULL)));
	/* the defaults keep their own */
	job_spec_deinit(&s);
	ck_assert(strv_equal(job_strv(&d, ENV), STRV("A=1", "B=1", NULL)));
	job_spec_deinit(&d);
}
END_TEST

START_TEST(default_command_does_not_join_another_kind_of_work)
{
	struct job_spec s, d;

	job_spec_init(&s);
	job_spec_init(&d);
	put(&d, F(FUNCTION), "sleep");
	put(&d, F(ARGUMENTS), "{}");
	put(&s, F(SHELL_COMMAND), "true");
	ck_assert_int_eq(job_spec_merge_defaults(&s, &d), 0);
	ck_assert(!job_spec_has(&s, F(FUNCTION)));
	ck_assert(!job_spec_has(&s, F(ARGUMENTS)));
	job_spec_deinit(&s);
	ck_assert_int_eq(job_spec_merge_defaults(&s, &d), 0);
	ck_assert_str_eq(job_str(&s, FUNCTION), "sleep");
	ck_assert_str_eq(job_str(&s, ARGUMENTS), "{}");
	job_spec_deinit(&s);
	job_spec_deinit(&d);
}
END_TEST

static void check_names(const struct job_spec *s, enum job_field f, const char *part)
{
	enum job_field field = JOB_FIELD_N;
	_cleanup_free_ char *err = NULL;

	ck_assert_int_eq(job_spec_check(s, &field, &err), -EINVAL);
	ck_assert_int_eq(field, f);
	ck_assert_msg(strstr(err, part), "%s", err);
}

START_TEST(exactly_one_kind_of_work_is_needed)
{
	struct job_spec s;
	enum job_field field;

	job_spec_init(&s);
	check_names(&s, F(COMMAND), "nothing to do");
	put(&s, F(COMMAND), "true");
	ck_assert_int_eq(job_spec_check(&s, &field, NULL), 0);
	put(&s, F(ARGUMENTS), "{}");
	check_names(&s, F(ARGUMENTS), "function");
	job_spec_unset(&s, F(ARGUMENTS));
	put(&s, F(FUNCTION), "sleep");
	check_names(&s, F(FUNCTION), "'command' and 'function'");
	job_spec_deinit(&s);
}
END_TEST

START_TEST(contradicting_options_are_named)
{
	struct job_spec s;
	enum job_field field;

	job_spec_init(&s);
	put(&s, F(COMMAND), "true");
	put(&s, F(RETRY_DELAY), "10min");
	ck_assert_int_eq(job_spec_check(&s, &field, NULL), 0);
	put(&s, F(RETRY_DELAY_MAX), "5min");
	check_names(&s, F(RETRY_DELAY), "10min");
	put(&s, F(RETRY_DELAY_MAX), "10min");
	ck_assert_int_eq(job_spec_check(&s, &field, NULL), 0);
	put(&s, F(SPLIT_OUTPUT), "yes");
	ck_assert_int_eq(job_spec_check(&s, &field, NULL), 0);
	put(&s, F(OUTPUT), "file:/tmp/x");
	check_names(&s, F(SPLIT_OUTPUT), "file:/tmp/x");
	job_spec_deinit(&s);
}
END_TEST

START_TEST(open_stdin_is_from_nowhere_else_and_for_no_function)
{
	struct job_spec s;
	enum job_field field;

	job_spec_init(&s);
	put(&s, F(COMMAND), "cat");
	put(&s, F(STDIN_OPEN), "yes");
	ck_assert_int_eq(job_spec_check(&s, &field, NULL), 0);
	put(&s, F(STDIN), "null");
	ck_assert_int_eq(job_spec_check(&s, &field, NULL), 0);
	put(&s, F(STDIN), "/etc/passwd");
	check_names(&s, F(STDIN_OPEN), "'/etc/passwd'");
	put(&s, F(STDIN), "input:0-00");
	check_names(&s, F(STDIN_OPEN), "'input:0-00'");
	put(&s, F(STDIN_OPEN), "no");
	ck_assert_int_eq(job_spec_check(&s, &field, NULL), 0);
	job_spec_deinit(&s);

	job_spec_init(&s);
	put(&s, F(FUNCTION), "sleep");
	put(&s, F(STDIN_OPEN), "yes");
	check_names(&s, F(STDIN_OPEN), "function");
	job_spec_deinit(&s);
}
END_TEST

START_TEST(relative_paths_are_refused)
{
	struct job_spec s;

	job_spec_init(&s);
	put(&s, F(COMMAND), "true");
	put(&s, F(CWD), "src");
	check_names(&s, F(CWD), "'src'");
	put(&s, F(CWD), "/src");
	put(&s, F(SHELL), "bash");
	check_names(&s, F(SHELL), "'bash'");
	job_spec_deinit(&s);
}
END_TEST

/* every field set, each to something that is not its default */
static void fill(struct job_spec *s)
{
	static const char *const by_type[] = {
		[JOB_TYPE_NUMBER] = "7",
		[JOB_TYPE_BOOL] = "yes",
		[JOB_TYPE_OCTAL] = "027",
		[JOB_TYPE_DURATION] = "1h 1us",
		[JOB_TYPE_TIME] = "@1700000000.25",
		[JOB_TYPE_SIZE] = "infinity",
		[JOB_TYPE_SIGNAL] = "INT",
		[JOB_TYPE_LEFTOVERS] = "wait",
		[JOB_TYPE_ON_LOST] = "lost",
		[JOB_TYPE_TEXT] = "f.n",
		[JOB_TYPE_NAME] = "name",
		[JOB_TYPE_POOLS] = "p|q",
		[JOB_TYPE_JSON] = "{}",
		[JOB_TYPE_BYTES] = "/b\xffs",
		[JOB_TYPE_OUTPUT] = "file:/o",
		[JOB_TYPE_RLIMITS] = "core=0",
		[JOB_TYPE_CODES] = "1 SIGHUP",
		[JOB_TYPE_ARGV] = "a '' \xff",
		[JOB_TYPE_ENV] = "A=\nB=\xff",
		[JOB_TYPE_NAMES] = "x y",
		[JOB_TYPE_NEEDS] = "gpu=1 tape=2",
		[JOB_TYPE_GLOBS] = "X*",
		[JOB_TYPE_DEPS] = "3|name @label",
	};

	job_spec_init(s);
	for (int f = 0; f < JOB_FIELD_N; f++)
		put(s, (enum job_field)f,
			f == JOB_FIELD_MEMORY ? "1G" : by_type[job_field_info[f].type]);
}

START_TEST(packed_spec_unpacks_to_the_same)
{
	struct job_spec s, t;
	_cleanup_free_ void *p = NULL;
	size_t n;

	fill(&s);
	job_spec_unset(&s, F(NICE));
	put(&s, F(NICE), "-20");
	ck_assert_int_eq(job_spec_pack(&p, &n, &s), 0);
	ck_assert_int_eq(job_spec_unpack(&t, p, n), 0);
	spec_equal(&s, &t);
	ck_assert_int_eq(job_num(&t, NICE), -20);
	ck_assert_int_eq(job_num(&t, OUTPUT_MAX), INT64_MAX);
	ck_assert_str_eq(job_strv(&t, COMMAND)[1], "");
	job_spec_deinit(&s);
	job_spec_deinit(&t);
}
END_TEST

START_TEST(empty_spec_packs_to_nothing)
{
	struct job_spec s, t;
	_cleanup_free_ void *p = NULL;
	size_t n;

	job_spec_init(&s);
	ck_assert_int_eq(job_spec_pack(&p, &n, &s), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(job_spec_unpack(&t, p, n), 0);
	ck_assert_uint_eq(t.set, 0);
	job_spec_deinit(&t);
}
END_TEST

START_TEST(usual_job_packs_into_a_few_dozen_bytes)
{
	struct job_spec s;
	_cleanup_free_ void *p = NULL;
	size_t n;

	job_spec_init(&s);
	put(&s, F(COMMAND), "/bin/true");
	put(&s, F(CWD), "/home/user");
	put(&s, F(UMASK), "022");
	ck_assert_int_eq(job_spec_pack(&p, &n, &s), 0);
	ck_assert_uint_le(n, 30);
	job_spec_deinit(&s);
}
END_TEST

START_TEST(peek_finds_what_is_set_and_nothing_else)
{
	struct job_spec s;
	_cleanup_free_ void *p = NULL;
	const char *str = NULL;
	int64_t num = 42;
	size_t n, len;

	job_spec_init(&s);
	put(&s, F(COMMAND), "/bin/true");
	put(&s, F(POOL), "slow");
	put(&s, F(PRIORITY), "-3");
	ck_assert_int_eq(job_spec_pack(&p, &n, &s), 0);
	ck_assert_int_eq(job_spec_peek_str(&str, &len, p, n, F(POOL)), 1);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(str, "slow", 4);
	ck_assert_int_eq(job_spec_peek_num(&num, p, n, F(PRIORITY)), 1);
	ck_assert_int_eq(num, -3);
	ck_assert_int_eq(job_spec_peek_str(&str, &len, p, n, F(NAME)), 0);
	ck_assert_int_eq(job_spec_peek_num(&num, p, n, F(RETRIES)), 0);
	ck_assert_int_eq(num, -3);
	job_spec_deinit(&s);
}
END_TEST

START_TEST(tag_of_a_later_version_is_told_from_damage)
{
	struct job_spec t;

	ck_assert_int_eq(job_spec_unpack(&t, "\xe7\x07\x01x", 4), -RV_EVERSION);
	ck_assert_int_eq(job_spec_unpack(&t, "\x08\x05x", 3), -RV_ECORRUPT);
	/* name before command; one field twice; NUL in a text; list without its last */
	ck_assert_int_eq(job_spec_unpack(&t, "\x06\x01n\x01\x02x", 6), -RV_ECORRUPT);
	ck_assert_int_eq(job_spec_unpack(&t, "\x06\x01n\x06\x01n", 6), -RV_ECORRUPT);
	ck_assert_int_eq(job_spec_unpack(&t, "\x06\x02\0n", 4), -RV_ECORRUPT);
	ck_assert_int_eq(job_spec_unpack(&t, "\x01\x01x", 3), -RV_ECORRUPT);
	/* a policy that does not exist must not become an index */
	ck_assert_int_eq(job_spec_unpack(&t, "\x19\x01\x7e", 3), -RV_ECORRUPT);
	ck_assert_int_eq(job_spec_unpack(&t, "\x19\x01\x01", 3), -RV_ECORRUPT);
	/* a number with bytes behind it, one that never ends, one of 70 bits */
	ck_assert_int_eq(job_spec_unpack(&t, "\x09\x02\x02\x02", 4), -RV_ECORRUPT);
	ck_assert_int_eq(job_spec_unpack(&t, "\x09\x01\x80", 3), -RV_ECORRUPT);
	ck_assert_int_eq(
		job_spec_unpack(
			&t, "\x09\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 12),
		-RV_ECORRUPT);
}
END_TEST

START_TEST(no_cut_and_no_flipped_bit_breaks_unpack)
{
	struct job_spec s, t;
	_cleanup_free_ void *packed = NULL;
	size_t n;

	fill(&s);
	ck_assert_int_eq(job_spec_pack(&packed, &n, &s), 0);
	job_spec_deinit(&s);
	for (size_t cut = 0; cut < n; cut++) {
		/* exact allocation: reading over the end is seen */
		_cleanup_free_ char *p = malloc(cut ? cut : 1);
		int64_t num;
		int r;

		memcpy(p, packed, cut);
		r = job_spec_unpack(&t, p, cut);
		ck_assert(r == 0 || r == -RV_ECORRUPT);
		if (r == 0)
			job_spec_deinit(&t);
		job_spec_peek_num(&num, p, cut, F(ON_LOST));
	}
	for (size_t bit = 0; bit < n * 8; bit++) {
		_cleanup_free_ char *p = malloc(n);
		int r;

		memcpy(p, packed, n);
		p[bit / 8] = (char)(p[bit / 8] ^ (1 << bit % 8));
		r = job_spec_unpack(&t, p, n);
		ck_assert(r == 0 || r == -RV_ECORRUPT || r == -RV_EVERSION);
		if (r == 0)
			job_spec_deinit(&t);
	}
}
END_TEST

static int limits_seen;
static int limit_check(int resource, rlim_t soft, rlim_t hard, void *arg)
{
	if (resource == RLIMIT_CORE)
		ck_assert(soft == 0 && hard == RLIM_INFINITY);
	else
		ck_assert(resource == RLIMIT_NOFILE && soft == 5 && hard == 5);
	limits_seen++;
	return arg ? 7 : 0;
}

START_TEST(limits_are_given_one_by_one)
{
	limits_seen = 0;
	ck_assert_int_eq(
		rlimits_each("core=0:infinity nofile=5", limit_check, NULL), 0);
	ck_assert_int_eq(limits_seen, 2);
	ck_assert_int_eq(
		rlimits_each("core=0:infinity nofile=5", limit_check, &limits_seen), 7);
	ck_assert_int_eq(limits_seen, 3);
	ck_assert_int_eq(rlimits_each("bogus=1", limit_check, NULL), -EINVAL);
}
END_TEST

START_TEST(codes_match_whole_words_only)
{
	ck_assert(codes_match("0 75 SIGTERM", 0, 0));
	ck_assert(codes_match("0 75 SIGTERM", 75, 0));
	ck_assert(!codes_match("0 75 SIGTERM", 7, 0));
	ck_assert(!codes_match("0 75 SIGTERM", 5, 0));
	ck_assert(codes_match("0 75 SIGTERM", -1, 15));
	ck_assert(!codes_match("0 75 SIGTERM", -1, 9));
	/* code 15 is not signal 15 */
	ck_assert(!codes_match("15", -1, 15));
	ck_assert(!codes_match("", 0, 0));
}
END_TEST

UNIT_MAIN("spec", new_spec_has_the_defaults, put_replaces_and_lists_append,
	appending_over_the_maximum_is_refused_and_keeps_what_was,
	defaults_fill_gaps_and_stand_before_lists,
	default_command_does_not_join_another_kind_of_work,
	exactly_one_kind_of_work_is_needed, contradicting_options_are_named,
	open_stdin_is_from_nowhere_else_and_for_no_function, relative_paths_are_refused,
	packed_spec_unpacks_to_the_same, empty_spec_packs_to_nothing,
	usual_job_packs_into_a_few_dozen_bytes, peek_finds_what_is_set_and_nothing_else,
	tag_of_a_later_version_is_told_from_damage,
	no_cut_and_no_flipped_bit_breaks_unpack, limits_are_given_one_by_one,
	codes_match_whole_words_only)
