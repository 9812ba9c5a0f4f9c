/* What the tests of sections share: a text that is refused, for what, or is taken. */
#ifndef TESTS_CONFIG_TEST_H
#define TESTS_CONFIG_TEST_H

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/config_load.h"
#include "tests/support/unit.h"

/* exactly these faults, "LINE: TEXT|" each */
__attribute__((unused)) static void refused(const char *text, const char *want)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	struct config *c = NULL;

	ck_assert_int_eq(
		config_load_text(&c, text, strlen(text), "f", &errors), -EINVAL);
	ck_assert_ptr_null(c);
	for (size_t i = 0; i < errors.n; i++)
		ck_assert_int_eq(
			buf_printf(&b, "%u: %s|", errors.v[i].line, errors.v[i].text),
			0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_str_eq(buf_head(&b), want);
}

__attribute__((unused)) static struct config *loaded(const char *text)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	struct config *c = NULL;

	if (config_load_text(&c, text, strlen(text), "f", &errors) < 0)
		config_errors_print(&errors, stderr);
	ck_assert_ptr_nonnull(c);
	return c;
}

#endif
