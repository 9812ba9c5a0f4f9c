#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "job/asks.h"
#include "tests/support/unit.h"

START_TEST(texts_of_pools_are_checked)
{
	static const char *const good[] = {"a", "a,b", "a|b", "x-1.y@z,b,c"};
	static const char *const bad[] = {
		"", ",", "a,", ",a", "a,,b", "a|", "a,b|c", "a b", "1a", "a=1"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_int_eq(job_pools_check(good[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(job_pools_check(bad[i]), -EINVAL);
	ck_assert_int_eq(job_pools_check("a,b,c,d,e,f,g,h"), 0);
	ck_assert_int_eq(job_pools_check("a,b,c,d,e,f,g,h,i"), -RV_ELIMIT);
}
END_TEST

START_TEST(pool_is_found_by_its_whole_name)
{
	ck_assert(job_pools_has("ab,cd", "ab") && job_pools_has("ab|cd", "cd"));
	ck_assert(job_pools_has("ab", "ab"));
	ck_assert(!job_pools_has("ab,cd", "a") && !job_pools_has("ab,cd", "b"));
	ck_assert(!job_pools_has("ab", "abc"));
}
END_TEST

static int collect(const char *name, void *arg)
{
	strcat(arg, name);
	strcat(arg, " ");
	return STREQ(name, "stop") ? 7 : 0;
}

START_TEST(names_come_in_order_until_one_stops)
{
	char text[64] = "";

	ck_assert_int_eq(job_pools_each("b,a,c", collect, text), 0);
	ck_assert_str_eq(text, "b a c ");
	text[0] = '\0';
	ck_assert_int_eq(job_pools_each("b|stop|c", collect, text), 7);
	ck_assert_str_eq(text, "b stop ");
}
END_TEST

static int add_up(const char *name, int64_t amount, void *arg)
{
	int64_t *sum = arg;

	*sum += amount * (STREQ(name, "gpu") ? 1 : 100);
	return 0;
}

START_TEST(needs_are_read)
{
	static const char *const bad[] = {"gpu", "gpu=", "gpu=0", "gpu=-1", "gpu=x",
		"=1", "g,pu=1", "gpu=1 ", "gpu=1  x=1", "gpu=99999999999999999999"};
	char many[400] = "";
	int64_t sum = 0;

	ck_assert_int_eq(job_needs_each("gpu=3 tape=2", add_up, &sum), 0);
	ck_assert_int_eq(sum, 203);
	ck_assert_int_eq(job_needs_each("", add_up, &sum), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(job_needs_each(bad[i], add_up, &sum), -EINVAL);
	for (int i = 0; i < JOB_NEEDS_MAX; i++)
		snprintf(many + strlen(many), 10, "%sr%d=1", i ? " " : "", i);
	ck_assert_int_eq(job_needs_each(many, add_up, &sum), 0);
	strcat(many, " z=1");
	ck_assert_int_eq(job_needs_each(many, add_up, &sum), -RV_ELIMIT);
}
END_TEST

UNIT_MAIN("asks", texts_of_pools_are_checked, pool_is_found_by_its_whole_name,
	names_come_in_order_until_one_stops, needs_are_read)
