#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "job/sort.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

static struct job_sort sort;

static void parse(const char *text)
{
	sort = (struct job_sort){.n = 0};
	ck_assert_int_eq(job_sort_parse(&sort, text, NULL), 0);
}

static void refuses(const char *text, const char *part)
{
	_cleanup_free_ char *err = NULL;

	sort = (struct job_sort){.n = 0};
	ck_assert_int_eq(job_sort_parse(&sort, text, &err), -EINVAL);
	ck_assert_msg(err && strstr(err, part), "'%s' does not say '%s'", err, part);
}

START_TEST(every_key_is_read_in_both_directions)
{
	for (int k = 0; k < JOB_SORT_KEY_N; k++) {
		char text[32];

		parse(job_sort_key_name[k]);
		ck_assert_int_eq(sort.keys[0], k);
		ck_assert(!sort.descends[0]);
		snprintf(text, sizeof(text), "-%s", job_sort_key_name[k]);
		parse(text);
		ck_assert_int_eq(sort.keys[0], k);
		ck_assert(sort.descends[0]);
	}
}
END_TEST

START_TEST(keys_stand_in_the_order_given)
{
	parse("state,-priority,name,id");
	ck_assert_uint_eq(sort.n, JOB_SORT_MAX);
	ck_assert_int_eq(sort.keys[0], JOB_SORT_STATE);
	ck_assert_int_eq(sort.keys[1], JOB_SORT_PRIORITY);
	ck_assert(sort.descends[1] && !sort.descends[2]);
}
END_TEST

START_TEST(what_is_no_key_is_refused_with_all_that_are)
{
	refuses("colour", "'colour'; there are: id, name, state,");
	refuses("state,,id", "''");
	refuses("", "''");
	refuses("--id", "'-id'");
	refuses("id,state,-id", "twice: 'id'");
	refuses("id,state,name,pool,user", "more than 4 keys");
}
END_TEST

static int parse_some(void *arg)
{
	struct job_sort s = {.n = 0};

	return job_sort_parse(&s, "state,-id", NULL);
}

START_TEST(allocation_failure_is_passed_on)
{
	ck_assert_int_eq(alloc_fail_sweep(parse_some, NULL), 0);
}
END_TEST

static int compare(
	struct job_sort_value a, uint64_t a_id, struct job_sort_value b, uint64_t b_id)
{
	int r = job_sort_compare(&sort, &a, a_id, &b, b_id);

	ck_assert_int_eq(job_sort_compare(&sort, &b, b_id, &a, a_id), -r);
	return r;
}
#define NUM(n)  ((struct job_sort_value){.num = (n)})
#define TEXT(t) ((struct job_sort_value){.text = (t)})

START_TEST(numbers_and_texts_are_compared_both_ways)
{
	parse("priority");
	ck_assert_int_lt(compare(NUM(-3), 2, NUM(INT64_MAX), 1), 0);
	parse("-priority");
	ck_assert_int_gt(compare(NUM(-3), 1, NUM(INT64_MAX), 2), 0);
	parse("name");
	ck_assert_int_lt(compare(TEXT("a"), 2, TEXT("b"), 1), 0);
	parse("-name");
	ck_assert_int_gt(compare(TEXT("a"), 1, TEXT("b"), 2), 0);
}
END_TEST

START_TEST(what_has_no_value_is_last_both_ways)
{
	static const char *const texts[] = {"name", "-name"}, *const numbers[] = {
								      "due", "-due"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		parse(texts[i]);
		ck_assert_int_gt(compare(TEXT(NULL), 1, TEXT(""), 2), 0);
		parse(numbers[i]);
		ck_assert_int_gt(compare(NUM(JOB_SORT_NONE), 1, NUM(0), 2), 0);
		ck_assert_int_lt(
			compare(NUM(JOB_SORT_NONE), 1, NUM(JOB_SORT_NONE), 2), 0);
	}
}
END_TEST

START_TEST(equal_ones_are_in_the_order_of_ids)
{
	parse("-state");
	ck_assert_int_lt(compare(NUM(1), 7, NUM(1), 8), 0);
	ck_assert_int_eq(compare(NUM(1), 7, NUM(1), 7), 0);
}
END_TEST

UNIT_MAIN("sort", every_key_is_read_in_both_directions, keys_stand_in_the_order_given,
	what_is_no_key_is_refused_with_all_that_are, allocation_failure_is_passed_on,
	numbers_and_texts_are_compared_both_ways, what_has_no_value_is_last_both_ways,
	equal_ones_are_in_the_order_of_ids)
