/* The other verbs: show, call, and those that ask about the daemon. */
#include "config.h"

#include <string.h>

#include "base/macro.h"
#include "tests/unit/cli/verb_test.h"

static void removed(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_error(f, call, "io.reeve.Job.Removed",
		json_pack("{s:i, s:I}", "id", 3, "removed_usec",
			(json_int_t)1700000000000000));
}

START_TEST(removed_job_is_said_to_be_removed)
{
	begin(removed);
	REEVE(&reeve, &fake, "show", "3");
	ck_assert_int_eq(reeve.code, 3);
	ck_assert_ptr_nonnull(strstr(reeve.err, "job 3 was removed on 2023-11-1"));
	end();
}
END_TEST

static void call_function(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (STREQ(method, "Submit"))
		fake_reply(f, call, json_pack("{s:[i]}", "ids", 7), false);
	else if (STREQ(method, "Wait"))
		fake_reply(f, call,
			json_pack("{s:i, s:i, s:i, s:b}", "waiting", 0, "succeeded", 1,
				"failed", 0, "timed_out", 0),
			false);
	else
		fake_reply(f, call,
			json_pack("{s:o, s:{}, s:[], s:[{s:i, s:i, s:i, s:{s:s}}]}",
				"job", fake_job(7, "finished", "succeeded", -1, 0),
				"spec", "environment", "run_history", "run", 1,
				"started_usec", 1, "leftovers", 0, "value", "sha256",
				"abc"),
			false);
}

START_TEST(call_prints_the_value)
{
	json_t *calls, *spec, *args;

	begin(call_function);
	REEVE(&reeve, &fake, "call", "file.hash", "path=/etc/passwd", "size:=12");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "{\"sha256\":\"abc\"}\n");
	calls = fake_calls(&fake);
	spec = json_array_get(
		json_object_get(fake_call_params(calls, SUBMIT, 0), "jobs"), 0);
	args = json_object_get(spec, "arguments");
	ck_assert_str_eq(text_of(spec, "function"), "file.hash");
	ck_assert_str_eq(text_of(args, "path"), "/etc/passwd");
	ck_assert_int_eq(int_of(args, "size"), 12);
	json_decref(calls);
	end();
}
END_TEST

START_TEST(call_detach_prints_the_id)
{
	begin(call_function);
	REEVE(&reeve, &fake, "call", "--detach", "sleep", "seconds:=1");
	ck_assert_str_eq(reeve.out, "7\n");
	end();
}
END_TEST

START_TEST(bad_call_arguments_are_usage)
{
	static const char *const words[] = {"novalue", "=x", "a:={", ":=1"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		REEVE(&reeve, NULL, "call", "sleep", words[i]);
		ck_assert_int_eq(reeve.code, 2);
		reeve_free(&reeve);
	}
}
END_TEST

static void daemon_calls(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (STREQ(method, "Status"))
		fake_reply(f, call,
			json_pack("{s:s, s:i, s:s, s:s, s:s, s:[], s:i, s:i, s:{s:i}, "
				  "s:s, "
				  "s:b, s:[s]}",
				"version", "0.1", "pid", 0, "mode", "user", "socket",
				"/s", "state_dir", f->dir, "config_files",
				"started_usec", 1, "uptime_usec", 90000000, "jobs",
				"queued", 4, "durability", "full", "shutting_down", 0,
				"problems", "spawner is gone"),
			false);
	else if (STREQ(method, "Ping"))
		fake_reply(f, call, json_object(), false);
}

START_TEST(status_says_which_daemon_and_why)
{
	json_t *o;

	begin(daemon_calls);
	REEVE(&reeve, &fake, "daemon", "status");
	ck_assert_ptr_nonnull(strstr(reeve.out, "chosen by $REEVE_SOCKET"));
	ck_assert_ptr_nonnull(strstr(reeve.out, "1min30s"));
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "daemon", "status", "--json");
	o = json_loads(reeve.out, 0, NULL);
	ck_assert_int_eq(int_of(json_object_get(o, "jobs"), "queued"), 4);
	json_decref(o);
	end();
}
END_TEST

START_TEST(health_is_1_where_there_are_problems)
{
	begin(daemon_calls);
	REEVE(&reeve, &fake, "daemon", "health");
	ck_assert_int_eq(reeve.code, 1);
	ck_assert_ptr_nonnull(strstr(reeve.out, "spawner is gone"));
	end();
}
END_TEST

START_TEST(ping_is_answered)
{
	begin(daemon_calls);
	REEVE(&reeve, &fake, "daemon", "ping");
	ck_assert_int_eq(reeve.code, 0);
	end();
}
END_TEST

START_TEST(raw_call_prints_the_reply)
{
	begin(daemon_calls);
	REEVE(&reeve, &fake, "varlink", "io.reeve.Daemon.Ping");
	ck_assert_str_eq(reeve.out, "{}\n");
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "varlink", "io.reeve.Daemon.Nope");
	ck_assert_int_eq(reeve.code, 2);
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "varlink", "io.reeve.Daemon.Ping", "[1]");
	ck_assert_int_eq(reeve.code, 2);
	end();
}
END_TEST

UNIT_MAIN("verbs", removed_job_is_said_to_be_removed, call_prints_the_value,
	call_detach_prints_the_id, bad_call_arguments_are_usage,
	status_says_which_daemon_and_why, health_is_1_where_there_are_problems,
	ping_is_answered, raw_call_prints_the_reply)
