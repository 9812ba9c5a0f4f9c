#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "cli/batch.h"
#include "tests/support/unit.h"

static struct batch_reader reader;
static struct job_spec defaults, spec;
static char *err;
static int in = -1;

static void begin_bytes(const char *text, size_t n, size_t line_max)
{
	in = memfd_create("lines", MFD_CLOEXEC);
	ck_assert_int_ge(in, 0);
	ck_assert_int_eq(write(in, text, n), (ssize_t)n);
	ck_assert_int_eq(lseek(in, 0, SEEK_SET), 0);
	job_spec_init(&defaults);
	batch_reader_init(&reader, in, -1, line_max);
	err = NULL;
}
#define BEGIN(text) begin_bytes(text, sizeof(text) - 1, 1000)

static int next(void)
{
	job_spec_deinit(&spec);
	return batch_next(&reader, &spec, &defaults, &err);
}

static void end(void)
{
	job_spec_deinit(&spec);
	job_spec_deinit(&defaults);
	batch_reader_deinit(&reader);
	close(in);
	free(err);
}

static void assert_fails(int error, const char *expected)
{
	ck_assert_int_eq(next(), error);
	ck_assert_str_eq(err, expected);
	end();
}

static void assert_refused(const char *expected)
{
	assert_fails(-EINVAL, expected);
}

START_TEST(plain_line_is_for_the_shell)
{
	BEGIN("  echo a # b\n");
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), "echo a # b");
	ck_assert_int_eq(next(), 0);
	end();
}
END_TEST

START_TEST(empty_lines_and_comments_are_skipped)
{
	BEGIN("\n \t\n# c\n   # d\nx\n");
	ck_assert_int_eq(next(), 1);
	ck_assert_uint_eq(reader.line_no, 5);
	end();
}
END_TEST

START_TEST(last_line_needs_no_end)
{
	BEGIN("a\nb");
	ck_assert_int_eq(next(), 1);
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), "b");
	ck_assert_int_eq(next(), 0);
	end();
}
END_TEST

START_TEST(object_is_a_spec)
{
	BEGIN("{\"command\": [\"a\", \"b c\"], \"timeout_usec\": 5, \"kill_signal\": "
	      "\"INT\"}");
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_strv(&spec, COMMAND)[1], "b c");
	ck_assert_int_eq(job_num(&spec, TIMEOUT), 5);
	ck_assert_int_eq(job_num(&spec, KILL_SIGNAL), 2);
	end();
}
END_TEST

START_TEST(braces_of_a_shell_are_no_object)
{
	BEGIN("{ echo a; }\n");
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), "{ echo a; }");
	end();
}
END_TEST

START_TEST(defaults_hold_and_lists_are_added_to)
{
	union job_value v;
	char *why = NULL;

	BEGIN("{\"command\": [\"x\"], \"label\": [\"b\"]}");
	ck_assert_int_eq(job_value_parse(&v, JOB_FIELD_LABEL, "a", &why), 0);
	ck_assert_int_eq(job_spec_put(&defaults, JOB_FIELD_LABEL, v), 0);
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_strv(&spec, LABEL)[0], "a");
	ck_assert_str_eq(job_strv(&spec, LABEL)[1], "b");
	end();
}
END_TEST

START_TEST(null_of_a_duration_is_infinity)
{
	BEGIN("{\"command\": [\"x\"], \"timeout_usec\": null}");
	ck_assert_int_eq(next(), 1);
	ck_assert_int_eq(job_num(&spec, TIMEOUT), INT64_MAX);
	end();
}
END_TEST

START_TEST(errors_name_line_and_member)
{
	BEGIN("a\n\n{\"priority\": \"high\", \"command\": [\"x\"]}\n");
	ck_assert_int_eq(next(), 1);
	assert_refused("line 3: priority: an integer is expected");
	BEGIN("{\"shell\": \"sh\"}");
	ck_assert_int_eq(next(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "line 1: shell is not an absolute path"));
	end();
	BEGIN("{\"prority\": 1, \"command\": [\"x\"]}");
	assert_refused("line 1: unknown member 'prority' (did you mean 'priority'?)");
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
	BEGIN("{\"command\": [\"x\"]");
	ck_assert_int_eq(next(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "line 1: not JSON"));
	end();
	BEGIN("{\"nice\": 1, \"nice\": 2, \"command\": [\"x\"]}");
	ck_assert_int_eq(next(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "line 1: not JSON: duplicate"));
	end();
}
END_TEST

START_TEST(field_and_its_twin_exclude_each_other)
{
	BEGIN("{\"cwd\": \"/a\", \"cwd_b64\": \"L2I=\", \"command\": [\"x\"]}");
	ck_assert_int_eq(next(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "line 1: cwd"));
	end();
}
END_TEST

START_TEST(nul_byte_is_refused)
{
	BEGIN("a\0b\n");
	assert_refused("line 1: a NUL byte");
}
END_TEST

START_TEST(line_at_the_limit_is_taken_and_one_over_refused)
{
	begin_bytes("aaaa\nbbbbb\n", 11, 4);
	ck_assert_int_eq(next(), 1);
	assert_fails(-EMSGSIZE, "line 2: longer than a job can be");
}
END_TEST

START_TEST(what_a_line_does_not_say_the_configuration_may)
{
	BEGIN("{\"pool\": \"net\"}\n{}\n");
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, POOL), "net");
	ck_assert(!job_spec_says_work(&spec));
	job_spec_deinit(&spec);
	ck_assert_int_eq(next(), 1);
	ck_assert(!job_spec_says_work(&spec));
	end();
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_kept)
{
	BEGIN("cat \xff\n");
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), "cat \xff");
	end();
}
END_TEST

START_TEST(line_is_ready_when_it_need_not_be_waited_for)
{
	static char much[70000];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	job_spec_init(&defaults);
	batch_reader_init(&reader, in = fds[0], -1, sizeof(much));
	ck_assert(!batch_reader_is_ready(&reader));
	ck_assert_int_eq(write(fds[1], "a\nb", 3), 3);
	ck_assert(batch_reader_is_ready(&reader));
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), "a");
	ck_assert(!batch_reader_is_ready(&reader)); /* half of one is none */
	ck_assert_int_eq(write(fds[1], "c\n", 2), 2);
	ck_assert(batch_reader_is_ready(&reader));
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), "bc");
	ck_assert_int_eq(write(fds[1], "d", 1), 1);
	close(fds[1]);
	ck_assert(batch_reader_is_ready(&reader)); /* so has the end come */
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), "d");
	ck_assert_int_eq(next(), 0);
	ck_assert(batch_reader_is_ready(&reader));
	end();
	/* one that is longer than what is kept is read, however long it takes */
	memset(much, 'x', sizeof(much) - 1);
	begin_bytes(much, sizeof(much) - 1, sizeof(much));
	ck_assert(batch_reader_is_ready(&reader));
	ck_assert_int_eq(next(), 1);
	ck_assert_str_eq(job_str(&spec, SHELL_COMMAND), much);
	end();
}
END_TEST

START_TEST(reading_can_be_interrupted)
{
	int fds[2], other[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(pipe(other), 0);
	job_spec_init(&defaults);
	batch_reader_init(&reader, in = fds[0], other[0], 100);
	ck_assert_int_eq(write(other[1], "x", 1), 1);
	close(other[1]);
	assert_refused("line 1: cannot be read: Operation canceled");
	close(other[0]);
	close(fds[1]);
}
END_TEST

UNIT_MAIN("batch", line_is_ready_when_it_need_not_be_waited_for,
	reading_can_be_interrupted, plain_line_is_for_the_shell,
	empty_lines_and_comments_are_skipped, last_line_needs_no_end, object_is_a_spec,
	braces_of_a_shell_are_no_object, defaults_hold_and_lists_are_added_to,
	null_of_a_duration_is_infinity, errors_name_line_and_member,
	what_is_no_json_is_refused, field_and_its_twin_exclude_each_other,
	nul_byte_is_refused, line_at_the_limit_is_taken_and_one_over_refused,
	what_a_line_does_not_say_the_configuration_may,
	bytes_that_are_not_utf8_are_kept)
