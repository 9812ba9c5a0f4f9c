/* What is told of services that end again and again: all of it, in few lines. */
#include "config.h"

#include "daemon/service_log.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "reeve/reeve.h"
#include "tests/unit/daemon/fixture.h"

static struct buf said = BUF_NULL;
static unsigned n_lines;

static void hear(int level, const char *area, const char *text, void *arg)
{
	n_lines++;
	(void)buf_printf(&said, "%s%s|", level == LOG_WARNING ? "warning: " : "", text);
}

static void has_said(const char *want)
{
	ck_assert_int_eq(buf_append_byte(&said, '\0'), 0);
	ck_assert_str_eq(buf_head(&said), want);
	buf_deinit(&said);
	n_lines = 0;
}

static struct service_log *begin(void)
{
	struct service_log *l;

	log_set_sink(hear, NULL);
	ck_assert_int_eq(service_log_new(&l, rv_loop_current()), 0);
	return l;
}

static void end(struct service_log *l)
{
	service_log_free(l);
	log_set_sink(NULL, NULL);
	buf_deinit(&said);
}

DAEMON_VIRTUAL_TEST(more_short_runs_are_one_line_a_minute)
{
	struct service_log *l = begin();

	service_log_again(l, "web", 0, "crashed, again in 1s", false);
	has_said("service 'web', instance 0: crashed, again in 1s|");
	for (int i = 0; i < 7; i++) {
		ck_assert_int_eq(rv_sleep(RV_SEC(5)), 0);
		service_log_again(l, "web", 1, i < 6 ? "crashed" : "was killed", true);
	}
	has_said("");
	ck_assert_int_eq(rv_sleep(RV_SEC(30)), 0);
	has_said("service 'web': 7 more ends in the last 1min, the last of instance 1: "
		 "was killed|");
	/* and nothing where there is nothing to tell */
	service_log_again(l, "web", 2, "crashed", true);
	ck_assert_int_eq(rv_sleep(RV_SEC(61)), 0);
	has_said("service 'web': 1 more end in the last 1min, the last of instance 2: "
		 "crashed|");
	ck_assert_int_eq(rv_sleep(RV_SEC(600)), 0);
	has_said("");
	end(l);
	return 0;
}

DAEMON_VIRTUAL_TEST(many_lines_of_one_service_are_counted_too)
{
	struct service_log *l = begin();

	for (unsigned i = 0; i < SERVICE_LOG_LINES_MAX + 3U; i++)
		service_log_again(l, "web", i, "ended", false);
	ck_assert_uint_eq(n_lines, SERVICE_LOG_LINES_MAX);
	buf_deinit(&said);
	ck_assert_int_eq(rv_sleep(RV_SEC(61)), 0);
	has_said("service 'web': 3 more ends in the last 1min, the last of instance 7: "
		 "ended|");
	service_log_again(l, "web", 9, "ended", false);
	has_said("service 'web', instance 9: ended|");
	end(l);
	return 0;
}

DAEMON_VIRTUAL_TEST(last_end_is_told_at_once_behind_what_was_counted)
{
	struct service_log *l = begin();

	service_log_again(l, "a", 0, "ended", true);
	service_log_again(l, "a", 0, "ended", true);
	service_log_again(l, "b", 0, "ended", true);
	ck_assert_int_eq(rv_sleep(RV_SEC(3)), 0);
	service_log_end(l, LOG_WARNING, "a", 0, "ended, given up");
	has_said("service 'a': 2 more ends in the last 3s, the last of instance 0: "
		 "ended|"
		 "warning: service 'a', instance 0: ended, given up|");
	service_log_end(l, LOG_NOTICE, "c", 4, "ended");
	has_said("service 'c', instance 4: ended|");
	/* what is left is told when the daemon ends */
	service_log_free(l);
	has_said("service 'b': 1 more end in the last 3s, the last of instance 0: "
		 "ended|");
	log_set_sink(NULL, NULL);
	return 0;
}

DAEMON_VIRTUAL_TEST(of_many_services_those_are_told_that_ended_most)
{
	struct service_log *l = begin();
	char name[16];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		service_log_again(l, name, 0, "crashed", false);
		for (unsigned k = 0; k <= i % 100; k++)
			service_log_again(l, name, 0, "crashed", true);
	}
	ck_assert_uint_eq(n_lines, 1000);
	buf_deinit(&said);
	n_lines = 0;
	ck_assert_int_eq(rv_sleep(RV_SEC(61)), 0);
	ck_assert_uint_eq(n_lines, SERVICE_LOG_SERVICES_MAX + 1);
	ck_assert_int_eq(buf_append_byte(&said, '\0'), 0);
	ck_assert_ptr_eq(strstr(buf_head(&said), "service 's199': 100 more ends in"),
		buf_head(&said));
	/* 10 times 1 + 2 + ... + 98 ends, of 98 * 10 services */
	ck_assert_ptr_nonnull(strstr(buf_head(&said),
		"|980 other services: 48510 more ends in the last 1min|"));
	end(l);
	return 0;
}

UNIT_MAIN("service_log", more_short_runs_are_one_line_a_minute,
	many_lines_of_one_service_are_counted_too,
	last_end_is_told_at_once_behind_what_was_counted,
	of_many_services_those_are_told_that_ended_most)
