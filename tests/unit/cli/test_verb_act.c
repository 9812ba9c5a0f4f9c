/* Verbs that change jobs: which jobs they mean, and what the daemon refused. */
#include "config.h"

#include <string.h>

#include "base/macro.h"
#include "tests/unit/cli/verb_test.h"

/* two are done, job 9 is refused */
static void act(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (STREQ(method, "Clean"))
		fake_reply(f, call, json_pack("{s:i}", "n", 4), false);
	else if (STREQ(method, "Kill"))
		fake_reply(f, call,
			json_pack("{s:i, s:[{s:i, s:s, s:s}]}", "n", 2, "refused", "id",
				9, "error", "io.reeve.Job.WrongState", "message",
				"is finished"),
			false);
	else
		fake_reply(f, call, json_pack("{s:i, s:[]}", "n", 2, "refused"), false);
}

static void too_late(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_reply(f, call,
		json_pack("{s:i, s:[], s:[i]}", "n", 0, "refused", "finished", 5),
		false);
}

START_TEST(cancel_that_comes_too_late_says_so)
{
	begin(too_late);
	REEVE(&reeve, &fake, "cancel", "5");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "");
	ck_assert_str_eq(reeve.err, "reeve: job 5 had finished before\n");
	end();
}
END_TEST

START_TEST(what_excludes_each_other_or_is_no_method_is_usage)
{
	REEVE(&reeve, NULL, "clean", "--failed", "--finished");
	ck_assert_int_eq(reeve.code, 2);
	reeve_free(&reeve);
	REEVE(&reeve, NULL, "varlink", "foo");
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_ptr_nonnull(strstr(reeve.err, "'foo' is not INTERFACE.METHOD"));
	reeve_free(&reeve);
}
END_TEST

START_TEST(cancel_sends_what_was_selected)
{
	json_t *calls, *select, *ids;

	begin(act);
	REEVE(&reeve, &fake, "cancel", "3-5", "6", "9", "build", "-g", "net",
		"--failed");
	ck_assert_int_eq(reeve.code, 0);
	calls = fake_calls(&fake);
	select = json_object_get(
		fake_call_params(calls, "io.reeve.Job.Cancel", 0), "select");
	ids = json_object_get(select, "ids");
	ck_assert_int_eq(json_array_size(ids), 2);
	ck_assert_int_eq(int_of(json_array_get(ids, 0), "first"), 3);
	ck_assert_int_eq(int_of(json_array_get(ids, 0), "last"), 6);
	ck_assert_str_eq(
		json_string_value(json_array_get(json_object_get(select, "names"), 0)),
		"build");
	ck_assert_str_eq(text_of(select, "pool"), "net");
	ck_assert(json_is_true(json_object_get(select, "failed")));
	json_decref(calls);
	end();
}
END_TEST

START_TEST(selectors_mean_jobs_on_which_the_verb_can_act)
{
	json_t *calls, *states;

	begin(act);
	REEVE(&reeve, &fake, "resume", "--all");
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "resume", "--all", "7");
	calls = fake_calls(&fake);
	states = json_object_get(
		json_object_get(
			fake_call_params(calls, "io.reeve.Job.Resume", 0), "select"),
		"states");
	ck_assert_uint_eq(json_array_size(states), 1);
	ck_assert_str_eq(json_string_value(json_array_get(states, 0)), "paused");
	ck_assert_ptr_null(json_object_get(
		json_object_get(
			fake_call_params(calls, "io.reeve.Job.Resume", 1), "select"),
		"states"));
	json_decref(calls);
	end();
}
END_TEST

START_TEST(some_refused_is_1_and_names_them)
{
	begin(act);
	REEVE(&reeve, &fake, "kill", "-s", "usr1", "7", "8", "9");
	ck_assert_int_eq(reeve.code, 2); /* signals are written in capitals */
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "kill", "-s", "USR1", "7", "8", "9");
	ck_assert_int_eq(reeve.code, 1);
	ck_assert_str_eq(reeve.err, "reeve: job 9: is finished\n");
	end();
}
END_TEST

START_TEST(verb_that_changes_refuses_an_empty_command_line)
{
	static const char *const verbs[] = {
		"cancel", "kill", "pause", "resume", "hold", "release", "retry", "rm"};
	json_t *calls;

	begin(act);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		REEVE(&reeve, &fake, verbs[i]);
		ck_assert_int_eq(reeve.code, 2);
		reeve_free(&reeve);
	}
	calls = fake_calls(&fake);
	ck_assert_int_eq(json_array_size(calls), 0);
	json_decref(calls);
	end();
}
END_TEST

START_TEST(no_ids_on_stdin_is_3)
{
	begin(act);
	REEVE(&reeve, &fake, "rm", "-");
	ck_assert_int_eq(reeve.code, 3);
	end();
}
END_TEST

START_TEST(many_ids_on_stdin_become_several_calls)
{
	json_t *calls;
	FILE *in;

	begin(act);
	reeve_start(&reeve, &fake, REEVE_STDIN_PIPE,
		(const char *const[]){"--json", "rm", "-", NULL});
	in = fdopen(reeve.in_fd, "w");
	reeve.in_fd = -1;
	for (int i = 1; i <= 9000; i++)
		fprintf(in, "%d\n", i * 2);
	fclose(in);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "{\"n\":6,\"refused\":[]}\n");
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, "io.reeve.Job.Remove"), 3);
	json_decref(calls);
	end();
}
END_TEST

START_TEST(clean_says_how_many)
{
	json_t *calls, *params;

	begin(act);
	REEVE(&reeve, &fake, "clean", "--failed", "--dry-run");
	ck_assert_str_eq(reeve.out, "4 jobs would be removed\n");
	calls = fake_calls(&fake);
	params = fake_call_params(calls, "io.reeve.Job.Clean", 0);
	ck_assert_str_eq(text_of(params, "what"), "failed");
	ck_assert_ptr_null(json_object_get(params, "select"));
	json_decref(calls);
	end();
}
END_TEST

UNIT_MAIN("verb_act", cancel_that_comes_too_late_says_so,
	what_excludes_each_other_or_is_no_method_is_usage,
	cancel_sends_what_was_selected, selectors_mean_jobs_on_which_the_verb_can_act,
	some_refused_is_1_and_names_them,
	verb_that_changes_refuses_an_empty_command_line, no_ids_on_stdin_is_3,
	many_ids_on_stdin_become_several_calls, clean_says_how_many)
