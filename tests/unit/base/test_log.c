#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

#include "tests/support/unit.h"

struct record {
	int n, level;
	char area[32], text[4096];
};

static void record_line(int level, const char *area, const char *text, void *arg)
{
	struct record *rec = arg;

	rec->n++;
	rec->level = level;
	snprintf(rec->area, sizeof(rec->area), "%s", area);
	snprintf(rec->text, sizeof(rec->text), "%s", text);
	errno = EBADMSG;
}

START_TEST(line_reaches_the_sink_with_level_and_area)
{
	struct record rec = {0};

	log_set_sink(record_line, &rec);
	log_at(LOG_WARNING, "store", "job '%s', %d times", "x", 3);
	ck_assert_int_eq(rec.n, 1);
	ck_assert_int_eq(rec.level, LOG_WARNING);
	ck_assert_str_eq(rec.area, "store");
	ck_assert_str_eq(rec.text, "job 'x', 3 times");
}
END_TEST

START_TEST(lines_above_the_level_are_dropped)
{
	struct record rec = {0};

	log_set_sink(record_line, &rec);
	ck_assert_int_eq(log_get_level(), LOG_INFO);
	log_at(LOG_DEBUG, "a", "dropped");
	log_write(LOG_DEBUG, "a", "dropped");
	ck_assert_int_eq(rec.n, 0);
	log_set_level(LOG_DEBUG);
	log_at(LOG_DEBUG, "a", "taken");
	ck_assert_int_eq(rec.n, 1);
	log_set_level(LOG_ERR);
	log_at(LOG_WARNING, "a", "dropped");
	ck_assert_int_eq(rec.n, 1);
}
END_TEST

START_TEST(arguments_of_a_dropped_line_are_not_evaluated)
{
	int evaluated = 0;

	log_at(LOG_DEBUG, "a", "%d", ++evaluated);
	ck_assert_int_eq(evaluated, 0);
}
END_TEST

START_TEST(errno_survives_the_sink)
{
	struct record rec = {0};

	log_set_sink(record_line, &rec);
	errno = ENOENT;
	log_at(LOG_ERR, "a", "line");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(rec.n, 1);
}
END_TEST

START_TEST(long_line_is_cut_visibly)
{
	struct record rec = {0};
	char longer[4000];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_set_sink(record_line, &rec);
	log_at(LOG_ERR, "a", "%s", longer);
	ck_assert_uint_eq(strlen(rec.text), 2047);
	ck_assert_str_eq(rec.text + 2044, "...");
	ck_assert_int_eq(rec.text[2043], 'x');
}
END_TEST

UNIT_MAIN("log", line_reaches_the_sink_with_level_and_area,
	lines_above_the_level_are_dropped,
	arguments_of_a_dropped_line_are_not_evaluated, errno_survives_the_sink,
	long_line_is_cut_visibly)
