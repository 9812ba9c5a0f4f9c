/* Output of jobs, followed beyond the end of a daemon too. */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/macro.h"
#include "tests/unit/cli/verb_test.h"

static void logs(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	static const char bytes[] = "a\0\xff\n";
	char b64[64];

	base64_encode(b64, bytes, sizeof(bytes) - 1);
	fake_reply(f, call,
		json_pack("{s:i, s:i, s:s, s:s, s:i, s:i, s:b}", "id", 3, "run", 2,
			"stream", "all", "data_b64", b64, "offset", 10, "lost_bytes",
			10, "ended", 1),
		false);
}

START_TEST(logs_are_bytes_as_they_are)
{
	json_t *calls, *params;

	begin(logs);
	REEVE(&reeve, &fake, "logs", "-n", "20", "--run=2", "--stream", "stderr", "3");
	ck_assert_int_eq(memcmp(reeve.out, "a\0\xff\n", 5), 0);
	ck_assert_str_eq(reeve.err, "reeve: 10 bytes before this were trimmed "
				    "(output-max, output-total-max)\n");
	calls = fake_calls(&fake);
	params = fake_call_params(calls, "io.reeve.Job.Logs", 0);
	ck_assert_int_eq(int_of(params, "lines"), 20);
	ck_assert_int_eq(int_of(params, "run"), 2);
	ck_assert_str_eq(text_of(params, "stream"), "stderr");
	json_decref(calls);
	end();
}
END_TEST

static json_t *stream_page(
	int run, const char *stream, const char *text, int offset, int lost, bool ended)
{
	char b64[64];

	base64_encode(b64, text, strlen(text));
	return json_pack("{s:i, s:i, s:s, s:s, s:i, s:i, s:b}", "id", 7, "run", run,
		"stream", stream, "data_b64", b64, "offset", offset, "lost_bytes", lost,
		"ended", (int)ended);
}

/* Breaks off in run 2; asked again, it begins where the stream that is behind is, and has
 * lost what we have had already. Then run 3, and no run 4. */
static void logs_break(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	json_int_t run = json_integer_value(json_object_get(params, "run"));

	if (STREQ(method, "List")) {
		fake_reply(f, call,
			json_pack("{s:[o], s:i}", "jobs",
				fake_job(7, "running", NULL, -1, 0), "total", 1),
			false);
	} else if (run == 0) {
		fake_reply(
			f, call, stream_page(2, "stdout", "one ", 0, 0, false), true);
		fake_reply(f, call, stream_page(2, "stderr", "e", 0, 0, false), true);
		fake_reply(
			f, call, stream_page(2, "stdout", "two ", 4, 0, false), true);
		fake_hold(f, call, 0);
		fake_tell(f, 'l');
	} else if (run == 2) {
		fake_reply(f, call, stream_page(2, "stdout", "two thr", 4, 3, false),
			true);
		fake_reply(
			f, call, stream_page(2, "stdout", "ee ", 11, 0, false), true);
		fake_reply(f, call, stream_page(2, "stderr", "f", 1, 0, false), true);
		fake_reply(f, call, stream_page(2, "stderr", "", 2, 0, true), false);
	} else if (run == 3) {
		fake_reply(
			f, call, stream_page(3, "stdout", "four", 0, 0, false), true);
		fake_reply(f, call, stream_page(3, "stdout", "", 4, 0, true), false);
	} else {
		fake_reply(f, call, stream_page(3, "stdout", "", 0, 0, true), false);
	}
}

START_TEST(logs_f_goes_on_where_it_was)
{
	struct fake second;
	json_t *calls, *params;

	begin(logs_break);
	reeve_start(&reeve, &fake, 0, (const char *const[]){"logs", "-f", NULL});
	fake_await(&fake, 'l');
	fake_start(&second, logs_break);
	ck_assert_int_eq(rename(second.socket, fake.socket), 0);
	kill(fake.pid, SIGKILL);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "one etwo three ffour");
	ck_assert_str_eq(reeve.err, "");
	calls = fake_calls(&second);
	params = fake_call_params(calls, "io.reeve.Job.Logs", 0);
	ck_assert_int_eq(int_of(params, "offset"), 1);
	/* not the newest that there is by now */
	ck_assert_int_eq(
		int_of(json_array_get(json_object_get(
					      json_object_get(params, "select"), "ids"),
			       0),
			"first"),
		7);
	ck_assert_uint_eq(fake_n_calls(calls, "io.reeve.Job.Logs"), 3);
	json_decref(calls);
	fake_stop(&second);
	end();
}
END_TEST

START_TEST(bare_logs_means_the_newest)
{
	json_t *calls;

	begin(logs);
	REEVE(&reeve, &fake, "logs", "-f");
	calls = fake_calls(&fake);
	ck_assert(json_is_true(json_object_get(
		json_object_get(
			fake_call_params(calls, "io.reeve.Job.Logs", 0), "select"),
		"newest")));
	json_decref(calls);
	end();
}
END_TEST

static void list_and_logs(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	json_t *job;

	if (!STREQ(method, "List")) {
		logs(f, call, method, params);
		return;
	}
	job = fake_job(7, "finished", "succeeded", 0, 0);
	json_object_set_new(job, "runs", json_integer(2));
	fake_reply(f, call, json_pack("{s:[o], s:i}", "jobs", job, "total", 1), false);
}

START_TEST(logs_of_a_run_that_never_was_is_3)
{
	begin(list_and_logs);
	REEVE(&reeve, &fake, "logs", "--run", "3");
	ck_assert_int_eq(reeve.code, 3);
	ck_assert_str_eq(reeve.err, "reeve: logs: job 7 has no run 3\n");
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "logs", "--run", "2");
	ck_assert_int_eq(reeve.code, 0);
	end();
}
END_TEST

UNIT_MAIN("verb_logs", logs_are_bytes_as_they_are, logs_f_goes_on_where_it_was,
	bare_logs_means_the_newest, logs_of_a_run_that_never_was_is_3)
