/* Waiting for the ends of jobs, beyond the end of a daemon too. */
#include "config.h"

#include <signal.h>
#include <unistd.h>

#include "tests/unit/cli/verb_test.h"

static void wait_failed(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	bool timed_out = json_object_get(params, "timeout_usec") != NULL;

	fake_reply(f, call,
		json_pack("{s:[o], s:i, s:i, s:i, s:b}", "jobs",
			fake_job(5, "finished", "failed", 3, 0), "waiting", 0,
			"succeeded", 1, "failed", 1, "timed_out", (int)timed_out),
		false);
}

START_TEST(wait_is_1_when_some_failed)
{
	begin(wait_failed);
	REEVE(&reeve, &fake, "wait", "4", "5");
	ck_assert_int_eq(reeve.code, 1);
	ck_assert_str_eq(reeve.out, "");
	ck_assert_str_eq(reeve.err, "reeve: job 5 failed, exit 3\n");
	end();
}
END_TEST

START_TEST(wait_too_long_is_124)
{
	begin(wait_failed);
	REEVE(&reeve, &fake, "wait", "-t", "1s", "-q");
	ck_assert_int_eq(reeve.code, 124);
	ck_assert_str_eq(reeve.err, "");
	end();
}
END_TEST

START_TEST(wait_too_long_says_so)
{
	begin(wait_failed);
	REEVE(&reeve, &fake, "wait", "-t", "1s");
	ck_assert_int_eq(reeve.code, 124);
	ck_assert_str_eq(reeve.err, "reeve: job 5 failed, exit 3\n"
				    "reeve: waited 1s, 0 jobs are unfinished\n");
	end();
}
END_TEST

static json_t *told(
	const char *key, json_t *value, int waiting, int succeeded, int failed)
{
	return json_pack("{s:o, s:i, s:i, s:i, s:b}", key, value, "waiting", waiting,
		"succeeded", succeeded, "failed", failed, "timed_out", 0);
}

/* Of 3, 4, 5 and 9 two have ended; then it is killed, and the next one knows of the rest. */
static void wait_breaks(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	const json_t *ids = json_object_get(json_object_get(params, "select"), "ids");

	if (json_object_get(json_object_get(params, "select"), "all")) {
		fake_reply(f, call,
			told("ids", json_pack("[{s:i, s:i}]", "first", 3, "last", 5), 2,
				1, 1),
			true);
		fake_reply(f, call,
			told("ids", json_pack("[{s:i, s:i}]", "first", 9, "last", 9), 2,
				1, 1),
			true);
		fake_reply(f, call,
			told("jobs",
				json_pack("[o, o]",
					fake_job(9, "finished", "failed", 3, 0),
					fake_job(4, "finished", "succeeded", 0, 0)),
				2, 1, 1),
			true);
		fake_hold(f, call, 0);
		fake_tell(f, 'w');
	} else if (json_array_size(ids) ==
		   2) { /* 3 was removed while nobody was there */
		fake_error(
			f, call, "io.reeve.Job.Removed", json_pack("{s:i}", "id", 3));
	} else {
		fake_reply(f, call,
			told("jobs",
				json_pack("[o]",
					fake_job(5, "finished", "succeeded", 0, 0)),
				0, 1, 0),
			true);
		fake_reply(f, call, told("jobs", json_null(), 0, 1, 0), false);
	}
}

START_TEST(wait_goes_on_with_those_that_had_not_ended)
{
	struct fake second;
	json_t *calls, *out, *rest;
	json_error_t error;

	begin(wait_breaks);
	reeve_start(&reeve, &fake, 0,
		(const char *const[]){"wait", "--all", "--json", NULL});
	fake_await(&fake, 'w');
	fake_start(&second, wait_breaks);
	ck_assert_int_eq(rename(second.socket, fake.socket), 0);
	kill(fake.pid, SIGKILL);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 1);
	out = json_loads(reeve.out, 0, &error);
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(int_of(out, "succeeded"), 2); /* 4, 5 */
	ck_assert_int_eq(int_of(out, "failed"), 2);    /* 9, and 3: nobody knows */
	ck_assert_uint_eq(json_array_size(json_object_get(out, "jobs")), 3);
	json_decref(out);
	calls = fake_calls(&second);
	ck_assert_uint_eq(fake_n_calls(calls, "io.reeve.Job.Wait"), 2);
	rest = json_object_get(
		fake_call_params(calls, "io.reeve.Job.Wait", 0), "select");
	ck_assert_str_eq(text_of(rest, "user"), "*");
	rest = json_object_get(rest, "ids");
	ck_assert_uint_eq(json_array_size(rest), 2);
	ck_assert_int_eq(int_of(json_array_get(rest, 0), "first"), 3);
	ck_assert_int_eq(int_of(json_array_get(rest, 0), "last"), 3);
	ck_assert_int_eq(int_of(json_array_get(rest, 1), "first"), 5);
	ck_assert_int_eq(int_of(json_array_get(rest, 1), "last"), 5);
	json_decref(calls);
	fake_stop(&second);
	end();
}
END_TEST

static void held_wait(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_reply(f, call,
		told("ids", json_pack("[{s:i, s:i}]", "first", 3, "last", 4), 2, 0, 0),
		true);
	fake_hold(f, call, 0);
	fake_tell(f, 'w');
}

/* its time is over while nobody is there */
START_TEST(timeout_of_wait_holds_without_a_daemon)
{
	begin(held_wait);
	reeve_start(&reeve, &fake, 0,
		(const char *const[]){"wait", "-t", "1s", "3-4", NULL});
	fake_await(&fake, 'w');
	kill(fake.pid, SIGKILL);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 124);
	ck_assert_str_eq(reeve.err, "reeve: waited 1s, 2 jobs are unfinished\n");
	end();
}
END_TEST

static void nothing(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_error(f, call, "io.reeve.Job.NothingSelected", NULL);
}

START_TEST(wait_for_nothing_is_3)
{
	begin(nothing);
	REEVE(&reeve, &fake, "wait", "--pool", "net");
	ck_assert_int_eq(reeve.code, 3);
	end();
}
END_TEST

UNIT_MAIN("verb_wait", wait_is_1_when_some_failed, wait_too_long_is_124,
	wait_too_long_says_so, wait_goes_on_with_those_that_had_not_ended,
	timeout_of_wait_holds_without_a_daemon, wait_for_nothing_is_3)
