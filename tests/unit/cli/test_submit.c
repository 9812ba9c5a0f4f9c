#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/support/unit.h"
#include "tests/unit/cli/fake_daemon.h"

#define SUBMIT    "io.reeve.Job.Submit"
#define PUT_INPUT "io.reeve.Job.PutInput"

enum { MESSAGE_MAX = 16384, SUBMIT_MAX = 3 };

static struct fake fake;
static struct reeve reeve;

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void reply_ids(struct fake *f, struct vl_call *call, int n)
{
	json_t *ids = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(ids, json_integer(++f->n));
	fake_reply(f, call, json_pack("{s:o}", "ids", ids), false);
}

static void small_daemon(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (STREQ(method, "Status"))
		fake_reply(f, call,
			json_pack("{s:i, s:i}", "message_max_bytes", MESSAGE_MAX,
				"submit_max", SUBMIT_MAX),
			false);
	else if (STREQ(method, "Submit"))
		reply_ids(
			f, call, (int)json_array_size(json_object_get(params, "jobs")));
	else if (STREQ(method, "PutInput"))
		fake_reply(f, call, json_pack("{s:s}", "input", "in1"), false);
}

/* The keys K-0 and K-1 were used before, when 5 and 2 jobs made a call. */
static void remembers(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	const char *key = params ? text_of(params, "key") : NULL;

	if (STREQ(method, "Submit") && STREQ(key, "K-0"))
		reply_ids(f, call, 5);
	else if (STREQ(method, "Submit") && STREQ(key, "K-1"))
		reply_ids(f, call, 2);
	else
		small_daemon(f, call, method, params);
}

static void end(void)
{
	fake_stop(&fake);
	reeve_free(&reeve);
}

/* add --batch - with one line from each of n commands of so many bytes */
static void add_batch(const char *key, int n, size_t bytes)
{
	const char *args[] = {"add", "--batch", "-", key ? "--key" : NULL, key, NULL};
	FILE *in;

	clearenv(); /* it goes into each call */
	reeve_start(&reeve, &fake, REEVE_STDIN_PIPE, args);
	in = fdopen(reeve.in_fd, "w");
	reeve.in_fd = -1;
	for (int i = 1; i <= n; i++)
		fprintf(in, "%d%*s\n", i, (int)bytes, "x");
	fclose(in);
	reeve_finish(&reeve);
}

/* the lines that each Submit had */
static void assert_lines(const int (*lines)[2], size_t n)
{
	json_t *calls = fake_calls(&fake);

	ck_assert_uint_eq(fake_n_calls(calls, SUBMIT), n);
	for (size_t i = 0; i < n; i++) {
		const json_t *params = fake_call_params(calls, SUBMIT, i);
		const json_t *jobs = json_object_get(params, "jobs");

		ck_assert_int_eq(json_array_size(jobs), lines[i][1] - lines[i][0] + 1);
		for (int k = lines[i][0]; k <= lines[i][1]; k++)
			ck_assert_int_eq(
				atoi(text_of(
					json_array_get(jobs, (size_t)(k - lines[i][0])),
					"shell_command")),
				k);
		ck_assert_uint_le(
			json_dumpb(params, NULL, 0, JSON_COMPACT), MESSAGE_MAX);
	}
	json_decref(calls);
}

START_TEST(batch_keeps_to_submit_max)
{
	fake_start(&fake, small_daemon);
	add_batch(NULL, 7, 1);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "1\n2\n3\n4\n5\n6\n7\n");
	assert_lines((const int[][2]){{1, 3}, {4, 6}, {7, 7}}, 3);
	end();
}
END_TEST

START_TEST(batch_keeps_to_message_max)
{
	fake_start(&fake, small_daemon);
	add_batch(NULL, 4, 9000);
	ck_assert_str_eq(reeve.err, "");
	ck_assert_int_eq(reeve.code, 0);
	assert_lines((const int[][2]){{1, 1}, {2, 2}, {3, 3}, {4, 4}}, 4);
	end();
}
END_TEST

START_TEST(line_over_message_max_is_6_and_names_it)
{
	fake_start(&fake, small_daemon);
	add_batch(NULL, 1, 16000);
	ck_assert_int_eq(reeve.code, 6);
	ck_assert_str_eq(reeve.out, "");
	ck_assert_str_eq(reeve.err,
		"reeve: line 1: longer than a call can be (message-max = 16384)\n");
	end();
}
END_TEST

START_TEST(key_means_the_lines_that_it_meant_before)
{
	fake_start(&fake, remembers);
	add_batch("K", 10, 1);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
	/* 4 and 5 were the first key's, 8 was not the second's */
	assert_lines((const int[][2]){{1, 3}, {6, 8}, {8, 10}}, 3);
	end();
}
END_TEST

START_TEST(lines_left_over_by_the_last_answer_are_submitted)
{
	fake_start(&fake, remembers);
	add_batch("K", 8, 1);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "1\n2\n3\n4\n5\n6\n7\n8\n");
	assert_lines((const int[][2]){{1, 3}, {6, 8}, {8, 8}}, 3);
	end();
}
END_TEST

START_TEST(job_over_message_max_is_6_and_names_it)
{
	char text[16001];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fake_start(&fake, small_daemon);
	REEVE(&reeve, &fake, "add", "-c", text);
	ck_assert_int_eq(reeve.code, 6);
	ck_assert_ptr_nonnull(strstr(reeve.err, "message-max = 16384"));
	end();
}
END_TEST

START_TEST(stdin_is_stored_in_pieces_below_message_max)
{
	enum { BYTES = 40000 };
	json_t *calls;
	char *data = calloc(1, BYTES);
	size_t n, bytes = 0;

	fake_start(&fake, small_daemon);
	reeve_start(&reeve, &fake, REEVE_STDIN_PIPE,
		(const char *const[]){"run", "cat", NULL});
	ck_assert_int_eq(write(reeve.in_fd, data, BYTES), BYTES);
	close(reeve.in_fd);
	reeve.in_fd = -1;
	reeve_finish(&reeve);
	calls = fake_calls(&fake);
	n = fake_n_calls(calls, PUT_INPUT);
	for (size_t i = 0; i < n; i++) {
		const json_t *params = fake_call_params(calls, PUT_INPUT, i);
		bool last = json_is_true(json_object_get(params, "last"));

		ck_assert_uint_le(
			json_dumpb(params, NULL, 0, JSON_COMPACT), MESSAGE_MAX - 100);
		bytes += strlen(text_of(params, "data_b64")) / 4 * 3;
		ck_assert(last == (i + 1 == n));
	}
	ck_assert_uint_ge(bytes, BYTES);
	ck_assert_uint_le(bytes, BYTES + 2);
	json_decref(calls);
	free(data);
	end();
}
END_TEST

UNIT_MAIN("submit", batch_keeps_to_submit_max, batch_keeps_to_message_max,
	line_over_message_max_is_6_and_names_it,
	key_means_the_lines_that_it_meant_before,
	lines_left_over_by_the_last_answer_are_submitted,
	job_over_message_max_is_6_and_names_it,
	stdin_is_stored_in_pieces_below_message_max)
