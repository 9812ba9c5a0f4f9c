/* Loading a configuration when memory runs out at any point: -ENOMEM, never half of it.
 */
#include <errno.h>
#include <string.h>

#include "config/config_diff.h"
#include "config/config_edit.h"
#include "config/config_load.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

static void sweep(const char *text, int want)
{
	for (size_t n = 1;; n++) {
		struct config_errors errors = CONFIG_ERRORS_NULL;
		struct config *c = NULL;
		bool failed;
		int r;

		alloc_fail_at(n);
		r = config_load_text(&c, text, strlen(text), "f", &errors);
		failed = alloc_fail_stop();
		ck_assert_msg(failed || r == want, "%d after %zu", r, n);
		/* a message that was cut short for want of memory still refuses */
		ck_assert_msg(
			!failed || r == -ENOMEM || r == want, "%d after %zu", r, n);
		ck_assert_int_eq(!c, r < 0);
		ck_assert(r != 0 || !failed);
		config_free(c);
		config_errors_deinit(&errors);
		if (!failed)
			break;
	}
}

START_TEST(good_text_loads_whole_or_not_at_all)
{
	sweep("[reeved]\nadmins = root 7\nadmins = 8\nlog-level = debug\n[pool "
	      "p]\nslots "
	      "= 1\n"
	      "[defaults]\ncommand = a %%\n  b\nenv = A=1\nlabel = x\n",
		0);
	sweep("[environment a]\ninherit = b\nusers = * 7\nenv = A=1\ncwd = /\n"
	      "[environment b]\nenv-file = -/x\npath = /p\nvirtualenv = /v\n"
	      "[service s]\ncommand = x\nenvironment = a\n",
		0);
}
END_TEST

START_TEST(bad_text_is_refused_all_the_same)
{
	sweep("[reeved]\nfoo = 1\nlog-level = x\n[pool 1]\n[defaults]\ncommand = %q\n"
	      "timeout = y\nbad\n",
		-EINVAL);
	sweep("[environment a]\ninherit = b\nusers = 1x\npath = p\n[defaults]\n"
	      "environment = aa\n[environment c]\ninherit = c\n",
		-EINVAL);
}
END_TEST

static void sweep_edit(const char *text, const char *value)
{
	const struct config_place place = {"s", "x", "a"};

	for (size_t n = 1;; n++) {
		struct config_errors errors = CONFIG_ERRORS_NULL;
		struct buf out = BUF_NULL;
		bool failed;
		int r;

		alloc_fail_at(n);
		r = config_edit(&out, text, strlen(text), "f", &place, value, &errors);
		failed = alloc_fail_stop();
		ck_assert_int_eq(r, failed ? -ENOMEM : 1);
		buf_deinit(&out);
		config_errors_deinit(&errors);
		if (!failed)
			break;
	}
}

START_TEST(edit_is_whole_or_fails)
{
	sweep_edit("[s x]\na = 1\n  2\n[t]\nb = 1\n", "3");
	sweep_edit("[s x]\n#a = 1\n[t]\nb = 1\n", "3\n4");
	sweep_edit("[t]\nb = 1\n", "3");
	sweep_edit("[s x]\na = 1\n  2\n[t]\nb = 1\n", NULL);
}
END_TEST

static int ignore(const struct config_difference *d, void *arg)
{
	(void)d;
	++*(size_t *)arg;
	return 0;
}

START_TEST(diff_is_whole_or_fails)
{
	static const char text[] = "[pool p]\nslots = 1\n[schedule s]\nwhen = daily\n"
				   "command = true\n";
	struct config_errors errors = CONFIG_ERRORS_NULL;
	struct config *a, *b;
	bool failed = true;

	ck_assert_int_eq(config_load_text(&a, "", 0, "a", &errors), 0);
	ck_assert_int_eq(config_load_text(&b, text, strlen(text), "b", &errors), 0);
	for (size_t n = 1; failed; n++) {
		size_t n_told = 0;
		int r;

		alloc_fail_at(n);
		r = config_diff(a, b, ignore, &n_told);
		failed = alloc_fail_stop();
		ck_assert_int_eq(r, failed ? -ENOMEM : 0);
		ck_assert_uint_eq(n_told, failed ? 0 : 5);
	}
	config_free(a);
	config_free(b);
	config_errors_deinit(&errors);
}
END_TEST

UNIT_MAIN("config_alloc", good_text_loads_whole_or_not_at_all, edit_is_whole_or_fails,
	bad_text_is_refused_all_the_same, diff_is_whole_or_fails)
