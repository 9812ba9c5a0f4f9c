#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/command_expand.h"
#include "tests/support/unit.h"

#define STRV(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

static const char *look_up(const char *name, size_t n, void *arg)
{
	static const char *const variables[][2] = {
		{"A", "one"}, {"TWO", "two words"}, {"_x9", ""}, {"D", "${A}"}};
	const char *big = arg;

	if (n == 3 && memcmp(name, "BIG", 3) == 0)
		return big;
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (strlen(variables[i][0]) == n &&
			memcmp(variables[i][0], name, n) == 0)
			return variables[i][1];
	return NULL;
}

static void becomes(const char *word, const char *want)
{
	_cleanup_(strv_freep) char **v = NULL;

	ck_assert_int_eq(command_expand(&v, STRV("x", word), look_up, NULL), 0);
	ck_assert_uint_eq(strv_len(v), 2);
	ck_assert_str_eq(v[0], "x");
	ck_assert_str_eq(v[1], want);
	ck_assert_int_eq(
		command_has_variables(STRV("x", word)), strcmp(word, want) != 0);
}

START_TEST(variable_in_braces_is_its_value_and_stays_one_word)
{
	becomes("${A}", "one");
	becomes("a${A}b${TWO}", "aoneb"
				"two words");
	becomes("${_x9}", "");
}
END_TEST

START_TEST(variable_that_is_not_set_is_empty)
{
	becomes("[${NONE}]", "[]");
}
END_TEST

START_TEST(two_dollar_signs_are_one)
{
	becomes("$$", "$");
	becomes("$${A}", "${A}");
	becomes("$$$$", "$$");
}
END_TEST

START_TEST(anything_else_with_a_dollar_sign_stays)
{
	becomes("$A", "$A");
	becomes("$", "$");
	becomes("${", "${");
	becomes("${}", "${}");
	becomes("${1}", "${1}");
	becomes("${A", "${A");
	becomes("${A-x}", "${A-x}");
	becomes("${A }", "${A }");
	becomes("100$ of it", "100$ of it");
}
END_TEST

START_TEST(value_is_not_looked_at_again)
{
	becomes("${D}", "${A}");
}
END_TEST

START_TEST(command_does_not_grow_without_end)
{
	size_t n = COMMAND_EXPANDED_MAX / 4;
	_cleanup_free_ char *big = malloc(n + 1);
	char **v = (char **)&v;
	char **whole;

	memset(big, 'b', n);
	big[n] = '\0';
	ck_assert_int_eq(command_expand(&whole, STRV("${BIG}${BIG}", "${BIG}${BIG}"),
				 look_up, big),
		0);
	strv_free(whole);
	ck_assert_int_eq(
		command_expand(&v, STRV("${BIG}${BIG}", "${BIG}${BIG}x"), look_up, big),
		-RV_ELIMIT);
	ck_assert_ptr_eq(v, &v);
}
END_TEST

UNIT_MAIN("command_expand", variable_in_braces_is_its_value_and_stays_one_word,
	variable_that_is_not_set_is_empty, two_dollar_signs_are_one,
	anything_else_with_a_dollar_sign_stays, value_is_not_looked_at_again,
	command_does_not_grow_without_end)
