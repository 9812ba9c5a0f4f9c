#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/macro.h"
#include "tests/support/unit.h"
#include "tests/unit/cli/fake_daemon.h"

#define SUBMIT "io.reeve.Job.Submit"
#define LOGS   "io.reeve.Job.Logs"

enum { HELD_WAIT, HELD_STDOUT, HELD_STDERR };

static struct fake fake;
static struct reeve reeve;

/* how the job of the current test ends */
static struct {
	const char *result;
	int exit_code, signal;
	const char *out, *err; /* what it prints */
	int lost_bytes;
	const char *step, *error; /* of a failed start */
} job;

static json_t *page(const char *stream, const char *text, int64_t offset, bool ended)
{
	char b64[1024];

	base64_encode(b64, text, strlen(text));
	return json_pack("{s:i, s:i, s:s, s:s, s:I, s:i, s:b}", "id", 7, "run", 1,
		"stream", stream, "data_b64", b64, "offset", (json_int_t)offset,
		"lost_bytes", ended ? 0 : job.lost_bytes, "ended", (int)ended);
}

static json_t *waited(void)
{
	return json_pack("{s:[o], s:i, s:i, s:i, s:b}", "jobs",
		fake_job(7, "finished", job.result, job.exit_code, job.signal),
		"waiting", 0, "succeeded", 0, "failed", 0, "timed_out", 0);
}

static json_t *shown(const char *why)
{
	json_t *run = json_pack("{s:i, s:s*, s:s*, s:s*, s:i, s:i}", "run", 1, "result",
		job.result, "step", job.step, "error", job.error, "started_usec", 1,
		"leftovers", 0);

	return json_pack("{s:o, s:{s:[s], s:s}, s:[], s:[o], s:s*}", "job",
		fake_job(7, why ? "queued" : "finished", why ? NULL : job.result,
			job.exit_code, job.signal),
		"spec", "command", "no-such", "cwd", "/nowhere", "environment",
		"run_history", run, "why", why);
}

static void answer_logs(struct fake *f, struct vl_call *call, const json_t *params)
{
	const char *stream = json_string_value(json_object_get(params, "stream"));
	const char *text = STREQ(stream, "stdout") ? job.out : job.err;

	if (text)
		fake_reply(f, call, page(stream, text, 0, false), true);
	fake_reply(f, call, page(stream, "", text ? (int64_t)strlen(text) : 0, true),
		false);
}

/* a job that is over at once */
static void answer_at_once(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (STREQ(method, "Submit"))
		fake_reply(f, call, json_pack("{s:[i]}", "ids", 7), false);
	else if (STREQ(method, "PutInput"))
		fake_reply(f, call, json_pack("{s:s}", "input", "in1"), false);
	else if (STREQ(method, "Logs"))
		answer_logs(f, call, params);
	else if (STREQ(method, "Wait"))
		fake_reply(f, call, waited(), false);
	else if (STREQ(method, "Show"))
		fake_reply(f, call, shown(NULL), false);
}

static void ends_with(const char *result, int exit_code, int signal)
{
	memset(&job, 0, sizeof(job));
	job.result = result;
	job.exit_code = exit_code;
	job.signal = signal;
}

static void run_true(void)
{
	fake_start(&fake, answer_at_once);
	REEVE(&reeve, &fake, "run", "true");
	fake_stop(&fake);
}

static void assert_code(const char *result, int exit_code, int signal, int expected)
{
	ends_with(result, exit_code, signal);
	run_true();
	ck_assert_int_eq(reeve.code, expected);
	reeve_free(&reeve);
}

START_TEST(run_exits_as_the_job_did)
{
	assert_code("succeeded", 0, 0, 0);
	assert_code("failed", 7, 0, 7);
	assert_code("failed", -1, SIGSEGV, 128 + SIGSEGV);
	assert_code("timeout", -1, SIGTERM, 124);
	assert_code("cancelled", -1, SIGTERM, 130);
	assert_code("skipped", -1, 0, 125);
	assert_code("lost", -1, 0, 125);
}
END_TEST

START_TEST(run_of_a_missing_command_is_127_and_says_so)
{
	ends_with("failed", -1, 0);
	job.step = "exec";
	job.error = "ENOENT";
	run_true();
	ck_assert_int_eq(reeve.code, 127);
	ck_assert_ptr_nonnull(strstr(reeve.err, "exec 'no-such': ENOENT"));
	reeve_free(&reeve);
}
END_TEST

START_TEST(run_of_what_cannot_be_executed_is_126)
{
	ends_with("failed", -1, 0);
	job.step = "exec";
	job.error = "EACCES";
	run_true();
	ck_assert_int_eq(reeve.code, 126);
	reeve_free(&reeve);
}
END_TEST

START_TEST(run_in_a_missing_directory_is_125)
{
	ends_with("failed", -1, 0);
	job.step = "chdir";
	job.error = "ENOENT";
	run_true();
	ck_assert_int_eq(reeve.code, 125);
	ck_assert_ptr_nonnull(strstr(reeve.err, "chdir '/nowhere': ENOENT"));
	reeve_free(&reeve);
}
END_TEST

START_TEST(streams_stay_apart)
{
	ends_with("succeeded", 0, 0);
	job.out = "to stdout\n";
	job.err = "to stderr\n";
	run_true();
	ck_assert_str_eq(reeve.out, "to stdout\n");
	ck_assert_str_eq(reeve.err, "to stderr\n");
	reeve_free(&reeve);
}
END_TEST

START_TEST(trimmed_output_is_125_with_a_message)
{
	ends_with("succeeded", 0, 0);
	job.out = "the end";
	job.lost_bytes = 4096;
	run_true();
	ck_assert_int_eq(reeve.code, 125);
	ck_assert_ptr_nonnull(strstr(reeve.err, "4096 bytes of output were trimmed"));
	reeve_free(&reeve);
}
END_TEST

START_TEST(submit_carries_what_the_caller_is)
{
	json_t *calls, *params, *spec, *env;
	bool found = false;
	char cwd[4096];
	size_t i;
	json_t *v;

	ends_with("succeeded", 0, 0);
	setenv("REEVE_TEST_MARK", "a b=c", 1);
	fake_start(&fake, answer_at_once);
	REEVE(&reeve, &fake, "run", "-n", "nightly", "--", "echo", "-n", "x");
	calls = fake_calls(&fake);
	params = fake_call_params(calls, SUBMIT, 0);
	spec = json_array_get(json_object_get(params, "jobs"), 0);
	env = json_object_get(params, "env");
	ck_assert_str_eq(json_string_value(json_object_get(spec, "name")), "nightly");
	/* what is not asked for is no property of the job: the configuration may say it */
	ck_assert_ptr_null(json_object_get(spec, "cwd"));
	ck_assert_ptr_null(json_object_get(spec, "umask"));
	ck_assert_str_eq(json_string_value(json_object_get(params, "cwd")),
		getcwd(cwd, sizeof(cwd)));
	ck_assert(json_is_integer(json_object_get(params, "umask")));
	ck_assert_ptr_null(json_object_get(spec, "split_output"));
	ck_assert(json_is_true(json_object_get(params, "split_output")));
	ck_assert_int_eq(json_array_size(json_object_get(spec, "command")), 3);
	ck_assert_ptr_null(json_object_get(spec, "env"));
	ck_assert_uint_ge(json_string_length(json_object_get(params, "key")), 32);
	json_array_foreach(env, i, v) found |=
		STREQ(json_string_value(v), "REEVE_TEST_MARK=a b=c");
	ck_assert(found);
	json_decref(calls);
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

START_TEST(stdin_is_stored_and_named)
{
	json_t *calls, *spec;

	ends_with("succeeded", 0, 0);
	fake_start(&fake, answer_at_once);
	reeve_start(&reeve, &fake, REEVE_STDIN_PIPE,
		(const char *const[]){"run", "cat", NULL});
	ck_assert_int_eq(write(reeve.in_fd, "hello", 5), 5);
	close(reeve.in_fd);
	reeve.in_fd = -1;
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 0);
	calls = fake_calls(&fake);
	ck_assert_str_eq(json_string_value(json_object_get(
				 fake_call_params(calls, "io.reeve.Job.PutInput", 0),
				 "data_b64")),
		"aGVsbG8=");
	spec = json_array_get(
		json_object_get(fake_call_params(calls, SUBMIT, 0), "jobs"), 0);
	ck_assert_str_eq(
		json_string_value(json_object_get(spec, "stdin")), "input:in1");
	json_decref(calls);
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

START_TEST(large_stdin_goes_in_pieces_and_the_last_is_marked)
{
	enum { BYTES = 300000 };
	char *data = calloc(1, BYTES);
	json_t *calls, *last;
	size_t done = 0;

	ends_with("succeeded", 0, 0);
	fake_start(&fake, answer_at_once);
	reeve_start(&reeve, &fake, REEVE_STDIN_PIPE,
		(const char *const[]){"run", "cat", NULL});
	while (done < BYTES) {
		ssize_t n = write(reeve.in_fd, data + done, BYTES - done);

		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
	close(reeve.in_fd);
	reeve.in_fd = -1;
	reeve_finish(&reeve);
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, "io.reeve.Job.PutInput"), 3);
	last = fake_call_params(calls, "io.reeve.Job.PutInput", 2);
	ck_assert(json_is_true(json_object_get(last, "last")));
	ck_assert_str_eq(json_string_value(json_object_get(last, "input")), "in1");
	ck_assert(json_is_false(json_object_get(
		fake_call_params(calls, "io.reeve.Job.PutInput", 1), "last")));
	json_decref(calls);
	free(data);
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

/* a job that runs until it is cancelled or killed */
static void answer_when_ended(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	const char *stream = json_string_value(json_object_get(params, "stream"));
	bool ends =
		STREQ(method, "Kill") || (STREQ(method, "Cancel") && job.exit_code < 0);

	if (STREQ(method, "Submit")) {
		fake_reply(f, call, json_pack("{s:[i]}", "ids", 7), false);
	} else if (STREQ(method, "Wait")) {
		fake_hold(f, call, HELD_WAIT);
	} else if (STREQ(method, "Logs")) {
		fake_hold(f, call, STREQ(stream, "stdout") ? HELD_STDOUT : HELD_STDERR);
	} else if (STREQ(method, "Show")) {
		fake_reply(f, call, shown("no slot is free in pool default"), false);
		fake_tell(f, 's');
	} else if (STREQ(method, "Cancel") || STREQ(method, "Kill")) {
		fake_reply(f, call, json_pack("{s:i, s:[]}", "n", 1, "refused"), false);
		fake_tell(f, ends ? 'e' : 'c');
	}
	if (ends) {
		fake_reply_held(f, HELD_WAIT, waited(), false);
		fake_reply_held(f, HELD_STDOUT, page("stdout", "", 0, true), false);
		fake_reply_held(f, HELD_STDERR, page("stderr", "", 0, true), false);
	}
	/* both streams and the wait are there: it is being followed */
	f->n += STREQ(method, "Logs") || STREQ(method, "Wait");
	if (f->n == 3) {
		f->n++;
		fake_tell(f, 'f');
	}
}

START_TEST(ctrl_c_cancels_and_exits_with_130)
{
	json_t *calls;

	ends_with("cancelled", -1, SIGTERM);
	fake_start(&fake, answer_when_ended);
	reeve_start(
		&reeve, &fake, 0, (const char *const[]){"run", "sleep", "100", NULL});
	fake_await(&fake, 'f');
	ck_assert_int_eq(kill(reeve.pid, SIGINT), 0);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 130);
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, "io.reeve.Job.Cancel"), 1);
	ck_assert_int_eq(fake_n_calls(calls, "io.reeve.Job.Kill"), 0);
	json_decref(calls);
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

START_TEST(second_ctrl_c_kills)
{
	json_t *calls, *params;

	ends_with("cancelled", 0, 0); /* exit_code 0: the first does not end it */
	fake_start(&fake, answer_when_ended);
	reeve_start(
		&reeve, &fake, 0, (const char *const[]){"run", "sleep", "100", NULL});
	fake_await(&fake, 'f');
	ck_assert_int_eq(kill(reeve.pid, SIGINT), 0);
	fake_await(&fake, 'c');
	ck_assert_int_eq(kill(reeve.pid, SIGINT), 0);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 130);
	calls = fake_calls(&fake);
	params = fake_call_params(calls, "io.reeve.Job.Kill", 0);
	ck_assert_str_eq(json_string_value(json_object_get(params, "signal")), "KILL");
	json_decref(calls);
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

START_TEST(waiting_says_why_once)
{
	const char *line;

	ends_with("cancelled", -1, SIGTERM);
	fake_start(&fake, answer_when_ended);
	reeve_start(
		&reeve, &fake, 0, (const char *const[]){"run", "sleep", "100", NULL});
	fake_await(&fake, 'f');
	fake_await(&fake, 's');
	ck_assert_int_eq(kill(reeve.pid, SIGINT), 0);
	reeve_finish(&reeve);
	line = strstr(reeve.err, "job 7 waits: no slot is free in pool default\n");
	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_null(strstr(strchr(line, '\n'), "is queued"));
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

START_TEST(closed_output_leaves_the_job_alone)
{
	json_t *calls;

	ends_with("succeeded", 0, 0);
	job.out = "y\n";
	fake_start(&fake, answer_at_once);
	reeve_start(&reeve, &fake, REEVE_OUT_CLOSED,
		(const char *const[]){"run", "yes", NULL});
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 128 + SIGPIPE);
	ck_assert_ptr_nonnull(strstr(reeve.err, "job 7 goes on"));
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, "io.reeve.Job.Cancel"), 0);
	json_decref(calls);
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

static void vanish_after_submit(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (!STREQ(method, "Submit")) {
		unlink(f->socket);
		_exit(0);
	}
	fake_reply(f, call, json_pack("{s:[i]}", "ids", 7), false);
}

START_TEST(daemon_that_does_not_come_back_is_125)
{
	ends_with("succeeded", 0, 0);
	fake_start(&fake, vanish_after_submit);
	REEVE(&reeve, &fake, "run", "true");
	ck_assert_int_eq(reeve.code, 125);
	ck_assert_ptr_nonnull(strstr(reeve.err, "reeve show 7"));
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

START_TEST(own_failures_are_125)
{
	REEVE(&reeve, NULL, "run", "true");
	ck_assert_int_eq(reeve.code, 125);
	reeve_free(&reeve);
	REEVE(&reeve, NULL, "run", "--no-such-option", "true");
	ck_assert_int_eq(reeve.code, 125);
	reeve_free(&reeve);
	REEVE(&reeve, NULL, "run");
	ck_assert_int_eq(reeve.code, 125);
	reeve_free(&reeve);
}
END_TEST

/* two runs: the first fails, the second succeeds */
static void answer_retried(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	json_int_t run = json_integer_value(json_object_get(params, "run"));
	const char *stream = json_string_value(json_object_get(params, "stream"));
	json_t *finished, *p;

	if (STREQ(method, "Submit")) {
		fake_reply(f, call, json_pack("{s:[i]}", "ids", 7), false);
	} else if (STREQ(method, "Wait")) {
		fake_hold(f, call, HELD_WAIT);
	} else if (STREQ(method, "Logs")) {
		run = run ? run : 1;
		if (run > 2) { /* there is none */
			p = page(stream, "", 0, true);
			json_object_set_new(p, "run", json_integer(2));
			fake_reply(f, call, p, false);
			return;
		}
		p = page(stream, run == 1 ? "first " : "second", 0, false);
		json_object_set_new(p, "run", json_integer(run));
		fake_reply(f, call, p, true);
		p = page(stream, "", 6, true);
		json_object_set_new(p, "run", json_integer(run));
		fake_reply(f, call, p, false);
		f->n++;
	}
	if (f->n == 4) {
		finished = waited();
		json_object_set_new(
			json_array_get(json_object_get(finished, "jobs"), 0), "runs",
			json_integer(2));
		fake_reply_held(f, HELD_WAIT, finished, false);
	}
}

START_TEST(output_of_every_run_is_shown)
{
	ends_with("succeeded", 0, 0);
	fake_start(&fake, answer_retried);
	REEVE(&reeve, &fake, "run", "--retries", "1", "flaky");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "first second");
	ck_assert_str_eq(reeve.err, "first second");
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

/* its first connection for a stream breaks in the middle */
static void answer_broken_once(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	const char *stream = json_string_value(json_object_get(params, "stream"));
	json_int_t offset = json_integer_value(json_object_get(params, "offset"));

	if (!STREQ(method, "Logs") || !STREQ(stream, "stdout")) {
		answer_at_once(f, call, method, params);
	} else if (offset == 0) {
		fake_reply(f, call, page("stdout", "one ", 0, false), true);
		fake_reply(f, call, page("stdout", "", 4, false), true);
		fake_hold(f, call, HELD_STDOUT);
		f->n = 1;
		fake_tell(f, 'o');
	} else {
		fake_reply(f, call, page("stdout", "two", offset, false), true);
		fake_reply(f, call, page("stdout", "", offset + 3, true), false);
	}
}

START_TEST(daemon_that_comes_back_is_followed_from_where_it_was)
{
	struct fake second;
	const char *stream = "";
	json_t *calls, *params = NULL;

	ends_with("succeeded", 0, 0);
	fake_start(&fake, answer_broken_once);
	reeve_start(&reeve, &fake, 0, (const char *const[]){"run", "work", NULL});
	fake_await(&fake, 'o');
	/* the new one listens at the same place before the old one ends */
	fake_start(&second, answer_broken_once);
	ck_assert_int_eq(rename(second.socket, fake.socket), 0);
	kill(fake.pid, SIGKILL);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "one two");
	calls = fake_calls(&second);
	/* stderr is followed from its own beginning, before or after */
	for (size_t i = 0; !STREQ(stream, "stdout"); i++) {
		params = fake_call_params(calls, LOGS, i);
		stream = json_string_value(json_object_get(params, "stream"));
	}
	ck_assert_int_eq(json_integer_value(json_object_get(params, "offset")), 4);
	json_decref(calls);
	fake_stop(&fake);
	fake_stop(&second);
	reeve_free(&reeve);
}
END_TEST

/* the method that is refused, by whom a job ends well otherwise */
static const char *refused;

static void refuse(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (STREQ(method, refused))
		fake_error(f, call, "io.reeve.Job.Unavailable",
			json_pack("{s:s}", "what", "no memory"));
	else
		answer_at_once(f, call, method, params);
}

static void run_fails_where_refused(const char *method)
{
	refused = method;
	ends_with("succeeded", 0, 0);
	fake_start(&fake, refuse);
	REEVE(&reeve, &fake, "run", "true");
	ck_assert_int_eq(reeve.code, 125);
	ck_assert_str_eq(reeve.err, "reeve: not available: no memory\n");
	fake_stop(&fake);
	reeve_free(&reeve);
}

START_TEST(refused_wait_is_not_a_removed_job)
{
	run_fails_where_refused("Wait");
}
END_TEST

START_TEST(refused_output_is_no_success)
{
	run_fails_where_refused("Logs");
}
END_TEST

/* the next line of text, as JSON; the caller's */
static json_t *take_line(char **text)
{
	json_t *o = json_loads(*text, JSON_DISABLE_EOF_CHECK, NULL);

	ck_assert_ptr_nonnull(o);
	*text = strchr(*text, '\n');
	ck_assert_ptr_nonnull(*text);
	++*text;
	return o;
}

START_TEST(json_run_prints_json_and_nothing_else)
{
	bool out = false, err = false;
	char *text;
	json_t *o;

	ends_with("failed", 7, 0);
	job.out = "raw";
	job.err = "worse";
	fake_start(&fake, answer_at_once);
	REEVE(&reeve, &fake, "--json", "run", "true");
	ck_assert_int_eq(reeve.code, 7);
	text = reeve.out;
	for (int i = 0; i < 2; i++) {
		o = take_line(&text);
		out |= STREQ(json_string_value(json_object_get(o, "data_b64")), "cmF3");
		err |= STREQ(json_string_value(json_object_get(o, "stream")), "stderr");
		json_decref(o);
	}
	ck_assert(out && err);
	o = take_line(&text);
	ck_assert_str_eq(json_string_value(json_object_get(o, "result")), "failed");
	ck_assert_str_eq(text, "");
	json_decref(o);
	text = reeve.err;
	o = take_line(&text);
	ck_assert_str_eq(json_string_value(json_object_get(o, "message")),
		"job 7 failed, exit 7");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "exit_code")), 7);
	ck_assert_str_eq(text, "");
	json_decref(o);
	fake_stop(&fake);
	reeve_free(&reeve);
}
END_TEST

static void assert_json_error(const char *result, const char *step, const char *error,
	int code, const char *message)
{
	char *text;
	json_t *o;

	ends_with(result, -1, 0);
	job.step = step;
	job.error = error;
	fake_start(&fake, answer_at_once);
	REEVE(&reeve, &fake, "--json", "run", "true");
	ck_assert_int_eq(reeve.code, code);
	text = reeve.err;
	o = take_line(&text);
	ck_assert_str_eq(json_string_value(json_object_get(o, "message")), message);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "exit_code")), code);
	ck_assert_str_eq(text, "");
	json_decref(o);
	fake_stop(&fake);
	reeve_free(&reeve);
}

START_TEST(json_run_tells_each_bad_end_on_stderr)
{
	assert_json_error("failed", "exec", "ENOENT", 127,
		"job 7 was not started: exec 'no-such': ENOENT");
	assert_json_error("failed", "chdir", "ENOENT", 125,
		"job 7 was not started: chdir '/nowhere': ENOENT");
	assert_json_error("timeout", NULL, NULL, 124, "job 7 timeout");
	assert_json_error("lost", NULL, NULL, 125, "job 7 lost");
}
END_TEST

UNIT_MAIN("run", refused_output_is_no_success, json_run_prints_json_and_nothing_else,
	json_run_tells_each_bad_end_on_stderr, run_exits_as_the_job_did,
	run_of_a_missing_command_is_127_and_says_so,
	run_of_what_cannot_be_executed_is_126, run_in_a_missing_directory_is_125,
	streams_stay_apart, trimmed_output_is_125_with_a_message,
	submit_carries_what_the_caller_is, stdin_is_stored_and_named,
	large_stdin_goes_in_pieces_and_the_last_is_marked,
	ctrl_c_cancels_and_exits_with_130, second_ctrl_c_kills, waiting_says_why_once,
	closed_output_leaves_the_job_alone, daemon_that_does_not_come_back_is_125,
	own_failures_are_125, refused_wait_is_not_a_removed_job,
	output_of_every_run_is_shown,
	daemon_that_comes_back_is_followed_from_where_it_was)
