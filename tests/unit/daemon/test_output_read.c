#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "daemon/output_read.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

static int file_with(struct temp_dir *d, const char *text, size_t n)
{
	int fd = openat(d->fd, "f", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
	return fd;
}

START_TEST(last_lines_begin_where_they_should)
{
	static const struct {
		const char *text;
		int64_t lines, offset;
	} cases[] = {
		{"a\nb\nc\n", 1, 4},
		{"a\nb\nc\n", 2, 2},
		{"a\nb\nc\n", 3, 0},
		{"a\nb\nc\n", 9, 0},
		{"a\nb\nc\n", 0, 6},
		{"a\nb\nc", 1, 4},
		{"a\nb\nc", 2, 2},
		{"", 3, 0},
		{"\n\n\n", 1, 2},
		{"\n\n\n", 2, 1},
		{"no end", 1, 0},
	};
	TEMP_DIR(d);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = file_with(&d, cases[i].text, strlen(cases[i].text));
		int64_t offset = -1;

		ck_assert_int_eq(output_tail_offset(fd, cases[i].lines, &offset), 0);
		ck_assert_msg(offset == cases[i].offset, "case %zu: %lld", i,
			(long long)offset);
		close(fd);
	}
}
END_TEST

START_TEST(last_lines_are_found_over_many_reads)
{
	TEMP_DIR(d);
	char *text = malloc(200000);
	int64_t offset;
	int fd;

	memset(text, 'x', 200000);
	text[49999] = text[99999] = text[199999] = '\n';
	fd = file_with(&d, text, 200000);
	ck_assert_int_eq(output_tail_offset(fd, 1, &offset), 0);
	ck_assert_int_eq(offset, 100000);
	ck_assert_int_eq(output_tail_offset(fd, 2, &offset), 0);
	ck_assert_int_eq(offset, 50000);
	ck_assert_int_eq(output_tail_offset(fd, 3, &offset), 0);
	ck_assert_int_eq(offset, 0);
	close(fd);
	free(text);
}
END_TEST

START_TEST(pages_join_to_the_whole)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	TEMP_DIR(d);
	int fd = file_with(&d, "0123456789", 10);
	int64_t offset = 0, lost;

	while (output_page(fd, &offset, &out, 3, &lost) > 0)
		ck_assert_int_eq(lost, 0);
	ck_assert_int_eq(offset, 10);
	ck_assert_uint_eq(buf_len(&out), 10);
	ck_assert_mem_eq(buf_head(&out), "0123456789", 10);
	close(fd);
}
END_TEST

START_TEST(what_is_left_is_counted_without_holes)
{
	TEMP_DIR(d);
	int fd = file_with(&d, "0123456789", 10);

	ck_assert_int_eq(output_left(fd, 0), 10);
	ck_assert_int_eq(output_left(fd, 7), 3);
	ck_assert_int_eq(output_left(fd, 10), 0);
	ck_assert_int_eq(output_left(fd, INT64_MAX), 0);
	close(fd);
	ck_assert_int_eq(output_left(fd, 0), -EBADF);
}
END_TEST

START_TEST(offset_beyond_the_end_is_the_end)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	TEMP_DIR(d);
	int fd = file_with(&d, "abc", 3);
	int64_t offset = INT64_MAX, lost;

	ck_assert_int_eq(output_page(fd, &offset, &out, 10, &lost), 0);
	ck_assert_int_eq(lost, 0);
	close(fd);
}
END_TEST

/* -1 where this file system has no holes */
static int file_with_hole(struct temp_dir *d, size_t hole, size_t n)
{
	char *text = malloc(n);
	int fd;

	memset(text, 'x', n);
	fd = file_with(d, text, n);
	free(text);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)hole) ==
		0)
		return fd;
	close(fd);
	return -1;
}

START_TEST(hole_at_the_front_is_passed_and_counted)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	TEMP_DIR(d);
	int fd = file_with_hole(&d, 65536, 65546);
	int64_t offset = 0, lost, bytes = -1, gone = -1;

	if (fd < 0)
		return;
	ck_assert_int_eq(output_page(fd, &offset, &out, 100, &lost), 10);
	ck_assert_int_eq(lost, 65536);
	ck_assert_int_eq(offset, 65546);
	ck_assert_int_eq(output_left(fd, 0), 10);
	output_sizes(d.fd, "f", &bytes, &gone);
	ck_assert_int_eq(bytes, 10);
	ck_assert_int_eq(gone, 65536);
	ck_assert_int_lt(output_disk_bytes(d.fd, "f"), 65536);
	close(fd);
}
END_TEST

/* lines of 10 bytes: "000000000\n" and so on; a hole at the front */
static int lines_with_hole(struct temp_dir *d, size_t n_lines, size_t hole)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int fd;

	for (size_t i = 0; i < n_lines; i++)
		ck_assert_int_eq(buf_printf(&text, "%09zu\n", i), 0);
	fd = file_with(d, buf_head(&text), buf_len(&text));
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)hole) ==
		0)
		return fd;
	close(fd);
	return -1;
}

START_TEST(after_a_hole_a_whole_line_comes_first)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	TEMP_DIR(d);
	int fd = lines_with_hole(&d, 10000, 65536);
	int64_t offset = 0, lost;

	if (fd < 0)
		return;
	ck_assert_int_eq(output_page(fd, &offset, &out, 1000, &lost), 1000);
	ck_assert_mem_eq(buf_head(&out), "000006554\n", 10);
	ck_assert_int_eq(lost, 65540);
	ck_assert_int_eq(offset, 66540);
	/* who is far enough reads on where he is, in the middle of a line */
	ck_assert_int_eq(output_page(fd, &offset, &out, 5, &lost), 5);
	ck_assert_int_eq(lost, 0);
	ck_assert_int_eq(output_page(fd, &offset, &out, 5, &lost), 5);
	ck_assert_int_eq(output_tail_offset(fd, 9000, &offset), 0);
	ck_assert_int_eq(offset, 65540);
	ck_assert_int_eq(output_tail_offset(fd, 3, &offset), 0);
	ck_assert_int_eq(offset, 99970);
	close(fd);
}
END_TEST

START_TEST(a_line_that_is_all_that_is_left_ends_with_nothing)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	TEMP_DIR(d);
	int fd = lines_with_hole(&d, 6554, 65536);
	int64_t offset = 0, lost;

	if (fd < 0)
		return;
	ck_assert_int_eq(output_page(fd, &offset, &out, 100, &lost), 0);
	ck_assert_int_eq(lost, 65540);
	ck_assert_int_eq(offset, 65540);
	close(fd);
}
END_TEST

START_TEST(last_lines_do_not_reach_into_a_hole)
{
	TEMP_DIR(d);
	int fd = file_with_hole(&d, 65536, 65546);
	int64_t offset;

	if (fd < 0)
		return;
	ck_assert_int_eq(output_tail_offset(fd, 5, &offset), 0);
	ck_assert_int_eq(offset, 65536);
	close(fd);
}
END_TEST

START_TEST(names_of_both_streams_are_told_apart)
{
	char name[64];

	ck_assert_int_eq(output_name(name, sizeof(name), "a b", OUTPUT_STDOUT), 1);
	ck_assert_str_eq(name, "a");
	ck_assert_int_eq(output_name(name, sizeof(name), "a b", OUTPUT_STDERR), 1);
	ck_assert_str_eq(name, "b");
	ck_assert_int_eq(output_name(name, sizeof(name), "- b", OUTPUT_STDOUT), 0);
	ck_assert_int_eq(output_name(name, sizeof(name), "a", OUTPUT_STDERR), 0);
	ck_assert_int_eq(output_name(name, sizeof(name), NULL, OUTPUT_STDOUT), 0);
	ck_assert_int_eq(output_name(name, 3, "abc", OUTPUT_STDOUT), 0);
}
END_TEST

START_TEST(output_that_is_a_link_is_not_opened)
{
	TEMP_DIR(d);
	int fd;

	ck_assert_int_eq(symlinkat("/etc/passwd", d.fd, "link"), 0);
	ck_assert_int_eq(output_open(&fd, d.fd, "link"), -ELOOP);
}
END_TEST

START_TEST(output_that_was_dropped_is_lost_and_has_no_name)
{
	int64_t bytes = -1, lost = -1;
	char name[64];

	TEMP_DIR(d);
	ck_assert_int_eq(output_gone("gone:123"), 123);
	ck_assert_int_eq(output_gone("output/00/1-1"), 0);
	ck_assert_int_eq(output_gone(NULL), 0);
	ck_assert_int_eq(output_name(name, sizeof(name), "gone:123", OUTPUT_STDOUT), 0);
	ck_assert_int_eq(output_name(name, sizeof(name), "gone:123", OUTPUT_STDERR), 0);
	output_sizes(d.fd, "gone:123", &bytes, &lost);
	ck_assert_int_eq(bytes, 0);
	ck_assert_int_eq(lost, 123);
	ck_assert_int_eq(output_disk_bytes(d.fd, "gone:123"), 0);
}
END_TEST

UNIT_MAIN("output_read", last_lines_begin_where_they_should,
	last_lines_are_found_over_many_reads, pages_join_to_the_whole,
	offset_beyond_the_end_is_the_end, what_is_left_is_counted_without_holes,
	hole_at_the_front_is_passed_and_counted, after_a_hole_a_whole_line_comes_first,
	a_line_that_is_all_that_is_left_ends_with_nothing,
	last_lines_do_not_reach_into_a_hole, names_of_both_streams_are_told_apart,
	output_that_is_a_link_is_not_opened,
	output_that_was_dropped_is_lost_and_has_no_name)
