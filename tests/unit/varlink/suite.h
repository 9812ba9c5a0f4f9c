/* What every test program of this folder begins and ends with. */
#ifndef TESTS_UNIT_VARLINK_SUITE_H
#define TESTS_UNIT_VARLINK_SUITE_H

#include <check.h>
#include <stdlib.h>

#include "base/macro.h"

static inline int suite_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr = srunner_create(s);
	int n_failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	n_failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* main() of a program: SUITE("name", test, test, ...) */
#define SUITE(name, ...)                                         \
	int main(void)                                           \
	{                                                        \
		const TTest *const tests[] = {__VA_ARGS__};      \
                                                                 \
		return suite_run(name, tests, ARRAY_LEN(tests)); \
	}

#endif
