/* send: what goes into the calls, and what is said when not all of it went in. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/macro.h"
#include "tests/unit/cli/verb_test.h"

#define SEND "io.reeve.Job.Send"

static size_t size_of(const json_t *params)
{
	const json_t *data = json_object_get(params, "data_b64");
	void *p;
	size_t n;

	ck_assert_int_eq(base64_decode(&p, &n, json_string_value(data),
				 json_string_length(data)),
		0);
	free(p);
	return n;
}

static void take(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_reply(f, call,
		json_pack("{s:i, s:i, s:i}", "id", 5, "run", 2, "sent",
			(int)size_of(params)),
		false);
}

/* the third call finds that the job has closed it, after three bytes */
static void close_third(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (++f->n < 3)
		take(f, call, method, params);
	else
		fake_error(f, call, "io.reeve.Job.SendFailed",
			json_pack("{s:i, s:i, s:s}", "id", 5, "sent", 3, "why",
				"closed"));
}

static void refuse_open(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_error(f, call, "io.reeve.Job.NoStdin", json_pack("{s:i}", "id", 5));
}

static void pipe_in(const char *data, size_t n, const char *const *args)
{
	reeve_start(&reeve, &fake, REEVE_STDIN_PIPE, args);
	while (n > 0) {
		ssize_t done = write(reeve.in_fd, data, n);

		ck_assert_int_gt(done, 0);
		data += done;
		n -= (size_t)done;
	}
	close(reeve.in_fd);
	reeve.in_fd = -1;
	reeve_finish(&reeve);
}

START_TEST(words_are_one_line)
{
	json_t *calls, *params;

	begin(take);
	REEVE(&reeve, &fake, "send", "--timeout", "3s", "calc", "1", "+", "1");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "");
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, SEND), 1);
	params = fake_call_params(calls, SEND, 0);
	ck_assert_str_eq(text_of(params, "data_b64"), "MSArIDEK");
	ck_assert_int_eq(int_of(params, "timeout_usec"), 3000000);
	ck_assert_ptr_null(json_object_get(params, "eof"));
	ck_assert_str_eq(
		json_string_value(json_array_get(
			json_object_get(json_object_get(params, "select"), "names"),
			0)),
		"calc");
	json_decref(calls);
	end();
}
END_TEST

START_TEST(without_newline_and_with_the_end)
{
	json_t *calls, *params;

	begin(take);
	REEVE(&reeve, &fake, "send", "-n", "--eof", "--json", "5", "--", "-n");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "{\"id\":5,\"run\":2,\"sent\":2}\n");
	calls = fake_calls(&fake);
	params = fake_call_params(calls, SEND, 0);
	ck_assert_str_eq(text_of(params, "data_b64"), "LW4=");
	ck_assert(json_is_true(json_object_get(params, "eof")));
	json_decref(calls);
	end();
}
END_TEST

START_TEST(input_goes_in_pieces_to_one_job_and_then_its_end)
{
	enum { BYTES = 50000 };
	static char data[BYTES];
	json_t *calls, *params;
	size_t n, sum = 0;

	begin(take);
	pipe_in(data, BYTES, (const char *const[]){"send", "--eof", "calc", NULL});
	ck_assert_int_eq(reeve.code, 0);
	calls = fake_calls(&fake);
	n = fake_n_calls(calls, SEND);
	ck_assert_int_ge(n, 7);
	ck_assert_uint_eq(size_of(fake_call_params(calls, SEND, 0)), 0);
	for (size_t i = 1; i < n; i++) {
		params = fake_call_params(calls, SEND, i);
		ck_assert_uint_lt(size_of(params), 12 * 1024);
		ck_assert_int_eq(
			json_is_true(json_object_get(params, "eof")), i == n - 1);
		/* whom the first call found, and nobody else */
		ck_assert_int_eq(
			int_of(json_array_get(json_object_get(
						      json_object_get(params, "select"),
						      "ids"),
				       0),
				"first"),
			5);
		sum += size_of(params);
	}
	ck_assert_uint_eq(sum, BYTES);
	json_decref(calls);
	end();
}
END_TEST

START_TEST(failure_says_how_many_bytes_of_all_calls_went_in)
{
	static char text[12000];

	begin(close_third);
	memset(text, 'x', sizeof(text) - 1);
	/* one call holds 11904 of these */
	REEVE(&reeve, &fake, "send", "5", text, "and", text);
	ck_assert_int_eq(reeve.code, 1);
	ck_assert_str_eq(
		reeve.err, "reeve: job 5 has closed its stdin; 23811 bytes went in\n");
	end();
}
END_TEST

START_TEST(input_is_not_read_for_a_job_that_takes_none)
{
	json_t *calls;

	begin(refuse_open);
	REEVE(&reeve, &fake, "send", "5");
	ck_assert_int_eq(reeve.code, 1);
	ck_assert_str_eq(
		reeve.err, "reeve: job 5 was not submitted with --stdin-open\n");
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, SEND), 1);
	json_decref(calls);
	end();
}
END_TEST

START_TEST(no_daemon_is_exit_5_and_no_job_exit_2)
{
	REEVE(&reeve, NULL, "send", "5", "x");
	ck_assert_int_eq(reeve.code, 5);
	reeve_free(&reeve);
	REEVE(&reeve, NULL, "send");
	ck_assert_int_eq(reeve.code, 2);
	reeve_free(&reeve);
	REEVE(&reeve, NULL, "send", "-", "x");
	ck_assert_int_eq(reeve.code, 2);
	reeve_free(&reeve);
}
END_TEST

UNIT_MAIN("verb_send", words_are_one_line, without_newline_and_with_the_end,
	input_goes_in_pieces_to_one_job_and_then_its_end,
	failure_says_how_many_bytes_of_all_calls_went_in,
	input_is_not_read_for_a_job_that_takes_none,
	no_daemon_is_exit_5_and_no_job_exit_2)
