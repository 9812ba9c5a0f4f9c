#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "cli/exit.h"
#include "cli/json.h"
#include "cli/reply_error.h"
#include "tests/support/unit.h"

static int of_job(const char *result, int code, int sig)
{
	return exit_code_of_job(
		&(struct job_end){.result = result, .exit_code = code, .signal = sig});
}

START_TEST(job_that_ended_by_itself_gives_its_code)
{
	ck_assert_int_eq(of_job("succeeded", 0, 0), 0);
	ck_assert_int_eq(of_job("failed", 255, 0), 255);
	/* success-codes: success all the same, but the code is the job's */
	ck_assert_int_eq(of_job("succeeded", 75, 0), 75);
	ck_assert_int_eq(of_job("failed", -1, 9), 137);
}
END_TEST

START_TEST(result_comes_before_code_and_signal)
{
	ck_assert_int_eq(of_job("timeout", -1, 15), 124);
	ck_assert_int_eq(of_job("timeout", 3, 0), 124);
	ck_assert_int_eq(of_job("cancelled", 0, 0), 130);
	ck_assert_int_eq(of_job("lost", 0, 0), 125);
	ck_assert_int_eq(of_job("skipped", -1, 0), 125);
}
END_TEST

START_TEST(function_has_neither_code_nor_signal)
{
	ck_assert_int_eq(of_job("succeeded", -1, 0), 0);
	ck_assert_int_eq(of_job("failed", -1, 0), 1);
}
END_TEST

START_TEST(failed_start_is_as_env_has_it)
{
	struct job_end e = {.result = "failed", .exit_code = -1, .start_step = "exec"};

	e.start_error = "ENOENT";
	ck_assert_int_eq(exit_code_of_job(&e), 127);
	e.start_error = "No such file or directory";
	ck_assert_int_eq(exit_code_of_job(&e), 127);
	e.start_error = "ENOEXEC";
	ck_assert_int_eq(exit_code_of_job(&e), 126);
	e.start_step = "cwd";
	ck_assert_int_eq(exit_code_of_job(&e), 125);
}
END_TEST

START_TEST(errors_of_the_daemon_have_their_codes)
{
	ck_assert_int_eq(exit_code_of_error("io.reeve.Job.NotFound"), 3);
	ck_assert_int_eq(exit_code_of_error("io.reeve.Job.NothingSelected"), 3);
	ck_assert_int_eq(exit_code_of_error("io.reeve.Job.Invalid"), 2);
	ck_assert_int_eq(exit_code_of_error("io.reeve.Job.NoSpace"), 6);
	ck_assert_int_eq(exit_code_of_error("io.reeve.Job.LimitReached"), 6);
	ck_assert_int_eq(exit_code_of_error("io.reeve.Daemon.ShuttingDown"), 6);
	ck_assert_int_eq(exit_code_of_error("org.varlink.service.PermissionDenied"), 4);
	ck_assert_int_eq(exit_code_of_error("io.reeve.Job.OfALaterVersion"), 6);
}
END_TEST

START_TEST(errors_of_this_side_have_their_codes)
{
	ck_assert_int_eq(exit_code_of_errno(-ECONNREFUSED), 5);
	ck_assert_int_eq(exit_code_of_errno(-ENOENT), 5);
	ck_assert_int_eq(exit_code_of_errno(-ECONNRESET), 5);
	ck_assert_int_eq(exit_code_of_errno(-EACCES), 4);
	ck_assert_int_eq(exit_code_of_errno(-RV_EPROTOCOL), 6);
	ck_assert_int_eq(exit_code_of_errno(-ENOMEM), 1);
}
END_TEST

static void assert_text(const char *name, json_t *params, const char *expected)
{
	char *text = reply_error_text(name, params);

	ck_assert_str_eq(text, expected);
	free(text);
	json_decref(params);
}

START_TEST(texts_take_the_members_that_came)
{
	assert_text("io.reeve.Job.NotFound", json_pack("{s:i}", "id", 7),
		"job 7 does not exist");
	assert_text("io.reeve.Job.NotFound", json_pack("{s:s}", "name", "x"),
		"no job is named 'x'");
	assert_text("io.reeve.Job.NotFound", NULL, "there is no such job");
	assert_text("io.reeve.Job.Removed",
		json_pack("{s:i, s:n}", "id", 7, "removed_usec"), "job 7 was removed");
}
END_TEST

START_TEST(unknown_error_shows_name_and_parameters)
{
	assert_text("a.b.Odd", json_pack("{s:i}", "x", 1),
		"the daemon answers a.b.Odd {\"x\":1}");
}
END_TEST

UNIT_MAIN("exit", job_that_ended_by_itself_gives_its_code,
	result_comes_before_code_and_signal, function_has_neither_code_nor_signal,
	failed_start_is_as_env_has_it, errors_of_the_daemon_have_their_codes,
	errors_of_this_side_have_their_codes, texts_take_the_members_that_came,
	unknown_error_shows_name_and_parameters)
