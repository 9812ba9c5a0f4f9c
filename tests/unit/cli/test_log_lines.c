#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/log_lines.h"
#include "cli/log_tail.h"
#include "tests/support/unit.h"

/* what came, each line ended by '/', by '.' where no newline followed */
static struct buf seen;

static int note(void *arg, const struct log_line *line)
{
	ck_assert_uint_le(line->n, LOG_LINE_MAX);
	ck_assert_int_eq(buf_append(&seen, line->text, line->n), 0);
	ck_assert_int_eq(buf_append_byte(&seen, line->whole ? '/' : '.'), 0);
	return 0;
}

static void feed(
	struct log_lines *ls, int stream, int64_t run, int64_t lost, const char *text)
{
	struct log_chunk chunk = {.stream = stream,
		.run = run,
		.lost = lost,
		.data = (char *)text,
		.n = strlen(text)};

	ck_assert_int_eq(log_lines_feed(ls, &chunk, note, NULL), 0);
}

static void assert_seen(const char *expected)
{
	ck_assert_int_eq(buf_append_byte(&seen, '\0'), 0);
	ck_assert_str_eq(buf_head(&seen), expected);
	buf_deinit(&seen);
}

START_TEST(lines_are_told_when_they_are_whole)
{
	struct log_lines ls = {.run = 0};

	feed(&ls, LOG_STDOUT, 1, 0, "a");
	feed(&ls, LOG_STDOUT, 1, 0, "b\n\nc");
	feed(&ls, LOG_STDERR, 1, 0, "err");
	feed(&ls, LOG_STDOUT, 1, 0, "d\n");
	assert_seen("ab//cd/");
	ck_assert_int_eq(log_lines_end(&ls, note, NULL), 0);
	assert_seen("err.");
	log_lines_deinit(&ls);
}
END_TEST

START_TEST(another_run_and_a_gap_end_a_line)
{
	struct log_lines ls = {.run = 0};

	feed(&ls, LOG_STDOUT, 1, 0, "old");
	feed(&ls, LOG_STDOUT, 2, 0, "new");
	feed(&ls, LOG_STDOUT, 2, 100, "later\n");
	assert_seen("old.new.later/");
	log_lines_deinit(&ls);
}
END_TEST

START_TEST(line_without_end_comes_in_pieces)
{
	struct log_lines ls = {.run = 0};
	char x[1001];
	size_t n = 0;

	memset(x, 'x', 1000);
	x[1000] = '\0';
	for (int i = 0; i < 200; i++) {
		feed(&ls, LOG_STDOUT, 1, 0, x);
		ck_assert_uint_le(buf_len(&ls.part[LOG_STDOUT]), LOG_LINE_MAX);
	}
	for (size_t i = 0; i < buf_len(&seen); i++)
		n += buf_head(&seen)[i] == '.';
	ck_assert_uint_eq(n, 200000 / LOG_LINE_MAX);
	buf_deinit(&seen);
	log_lines_deinit(&ls);
}
END_TEST

START_TEST(time_at_the_front_is_read)
{
	static const struct {
		const char *text;
		size_t n;
		int64_t usec;
	} cases[] = {
		{"2026-01-31T10:00:00.000001Z text", 28, 1769853600000001},
		{"1970-01-01T00:00:00.000000Z ", 28, 0},
		{"2026-01-31T10:00:00.000001Z", 27, 1769853600000001},
		{"2026-01-31T10:00:00.00001Z text", 0, -1},
		{"2026-01-31 10:00:00.000001Z text", 0, -1},
		{"2026-01-31T10:00:00.000001Ztext", 0, -1},
		{" 2026-01-31T10:00:00.000001Z text", 0, -1},
		{"", 0, -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t usec = -1;

		ck_assert_uint_eq(
			log_line_time(&usec, cases[i].text, strlen(cases[i].text)),
			cases[i].n);
		ck_assert_int_eq(usec, cases[i].usec);
	}
}
END_TEST

static bool wants(const struct log_filter *f, struct log_filter_state *state,
	int64_t run, const char *text, size_t n)
{
	struct log_line line = {.text = text, .n = n, .whole = true, .run = run};

	return log_filter_wants(f, state, &line);
}
#define WANTS(run, text) wants(&f, &state, run, text, strlen(text))

START_TEST(lines_without_a_time_go_with_the_one_before)
{
	struct log_filter f = {.has_times = true,
		.since_usec = 1769853600000000,
		.until_usec = INT64_MAX};
	struct log_filter_state state = {.run = 0};

	ck_assert(WANTS(1, "before any time"));
	ck_assert(!WANTS(1, "2026-01-31T09:59:59.999999Z early"));
	ck_assert(!WANTS(1, "and more"));
	ck_assert(WANTS(1, "2026-01-31T10:00:00.000000Z late"));
	ck_assert(WANTS(1, "and more"));
	ck_assert(!WANTS(1, "2026-01-31T09:59:59.999999Z early again"));
	ck_assert(WANTS(2, "of another run"));
	ck_assert(log_filter_wants_run(&f, 0, 0));
	ck_assert(log_filter_wants_run(&f, 0, 1769853600000000));
	ck_assert(!log_filter_wants_run(&f, 0, 1769853599999999));
}
END_TEST

START_TEST(regex_sees_all_bytes_behind_the_time)
{
	struct log_filter f = {.has_regex = false};
	struct log_filter_state state = {.run = 0};
	_cleanup_free_ char *err = NULL;

	ck_assert_int_eq(log_filter_set_regex(&f, "^a.*z$", false, &err), 0);
	ck_assert(WANTS(1, "a to z"));
	ck_assert(WANTS(1, "2026-01-31T10:00:00.000001Z a to z"));
	ck_assert(!WANTS(1, "A to z"));
	ck_assert(!wants(&f, &state, 1, "a z and more", 4));
	log_filter_deinit(&f);
	ck_assert_int_eq(log_filter_set_regex(&f, "Z$", true, &err), 0);
	ck_assert(wants(&f, &state, 1, "a\0z", 3));
	log_filter_deinit(&f);
	ck_assert_int_eq(log_filter_set_regex(&f, "a(b", false, &err), -EINVAL);
	ck_assert_ptr_nonnull(err);
	log_filter_deinit(&f);
}
END_TEST

START_TEST(tail_keeps_the_last_ones_and_no_more_than_its_bytes)
{
	struct log_line line = {.text = "1", .n = 1, .whole = true};
	char *large = malloc(LOG_LINE_MAX);
	struct log_tail t;

	log_tail_init(&t, 2);
	ck_assert_int_eq(log_tail_put(&t, &line), 0);
	line.text = "2";
	ck_assert_int_eq(log_tail_put(&t, &line), 0);
	line.text = "3";
	ck_assert_int_eq(log_tail_put(&t, &line), 0);
	ck_assert_int_eq(t.dropped, 0);
	ck_assert_int_eq(log_tail_tell(&t, note, NULL), 0);
	assert_seen("2/3/");
	log_tail_deinit(&t);

	log_tail_init(&t, 1100);
	memset(large, 'x', LOG_LINE_MAX);
	line.text = large;
	line.n = LOG_LINE_MAX;
	for (int i = 0; i < 1200; i++)
		ck_assert_int_eq(log_tail_put(&t, &line), 0);
	ck_assert_uint_le(t.bytes, LOG_TAIL_BYTES);
	ck_assert_int_eq(t.n + t.dropped, 1100);
	log_tail_deinit(&t);
	free(large);
}
END_TEST

UNIT_MAIN("log_lines", lines_are_told_when_they_are_whole,
	another_run_and_a_gap_end_a_line, line_without_end_comes_in_pieces,
	time_at_the_front_is_read, lines_without_a_time_go_with_the_one_before,
	regex_sees_all_bytes_behind_the_time,
	tail_keeps_the_last_ones_and_no_more_than_its_bytes)
