#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "tests/support/unit.h"

START_TEST(own_codes_have_their_text_in_either_sign)
{
	ck_assert_str_eq(rv_strerror(-RV_ELIMIT), "limit exceeded");
	ck_assert_str_eq(rv_strerror(RV_ELIMIT), "limit exceeded");
	ck_assert_str_eq(rv_strerror(-RV_ECORRUPT), "stored data is damaged");
}
END_TEST

START_TEST(errno_values_have_their_text_in_either_sign)
{
	ck_assert_str_eq(rv_strerror(-ENOENT), "No such file or directory");
	ck_assert_str_eq(rv_strerror(ENOENT), "No such file or directory");
	ck_assert_str_eq(rv_strerror(0), "Success");
}
END_TEST

START_TEST(unknown_numbers_have_a_text_too)
{
	ck_assert_str_eq(rv_strerror(-54321), "unknown error 54321");
	ck_assert_ptr_nonnull(rv_strerror(INT_MIN));
	ck_assert_ptr_nonnull(rv_strerror(INT_MAX));
}
END_TEST

static void *ask_for_another(void *arg)
{
	snprintf(arg, 64, "%s", rv_strerror(60002));
	return NULL;
}

START_TEST(text_of_one_thread_survives_another)
{
	const char *mine = rv_strerror(60001);
	char theirs[64] = "";
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, ask_for_another, theirs), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_str_eq(theirs, "unknown error 60002");
	ck_assert_str_eq(mine, "unknown error 60001");
}
END_TEST

START_TEST(errors_have_names)
{
	ck_assert_str_eq(error_name(-EAGAIN), "EAGAIN");
	ck_assert_str_eq(error_name(RV_EPROTOCOL), "RV_EPROTOCOL");
	ck_assert_ptr_null(error_name(0));
	ck_assert_ptr_null(error_name(-54321));
}
END_TEST

UNIT_MAIN("error", own_codes_have_their_text_in_either_sign,
	errno_values_have_their_text_in_either_sign, unknown_numbers_have_a_text_too,
	text_of_one_thread_survives_another, errors_have_names)
