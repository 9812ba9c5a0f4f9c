/* What ls shows, and output as such. */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "base/macro.h"
#include "tests/unit/cli/verb_test.h"

/* three pages of one job each */
static void list(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	json_t *job;

	for (int i = 1; i <= 3; i++) {
		job = fake_job(i, "finished", i == 2 ? "failed" : "succeeded",
			i == 2 ? 7 : 0, 0);
		json_object_set_new(
			job, "name", json_string(i == 3 ? "e\033[31mvil" : "ok"));
		fake_reply(f, call, json_pack("{s:[o], s:i}", "jobs", job, "total", 3),
			i < 3);
	}
}

START_TEST(ls_json_is_a_complete_array)
{
	json_t *jobs, *calls;

	begin(list);
	REEVE(&reeve, &fake, "ls", "--json");
	jobs = json_loads(reeve.out, 0, NULL);
	ck_assert_int_eq(json_array_size(jobs), 3);
	ck_assert_str_eq(text_of(json_array_get(jobs, 1), "result"), "failed");
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, "io.reeve.Job.List"), 1);
	ck_assert_ptr_null(json_object_get(
		fake_call_params(calls, "io.reeve.Job.List", 0), "limit"));
	json_decref(calls);
	json_decref(jobs);
	end();
}
END_TEST

START_TEST(ls_escapes_what_would_play_with_the_terminal)
{
	begin(list);
	REEVE(&reeve, &fake, "ls", "--color", "never");
	ck_assert_ptr_null(strchr(reeve.out, '\033'));
	ck_assert_ptr_nonnull(strstr(reeve.out, "e\\x1b[31mvil"));
	ck_assert_ptr_nonnull(strstr(reeve.out, "failed, exit 7"));
	ck_assert_ptr_nonnull(strstr(reeve.out, "2.5s"));
	end();
}
END_TEST

START_TEST(ls_has_colours_only_where_asked)
{
	begin(list);
	REEVE(&reeve, &fake, "ls", "--color=always");
	ck_assert_ptr_nonnull(strstr(reeve.out, "\033[31m"));
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "ls");
	ck_assert_ptr_null(strchr(reeve.out, '\033'));
	end();
}
END_TEST

/* one of each kind of end, and one between two runs */
static void list_ends(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	static const char not_started[] =
		"start failed at exec '/bin/nosuch': No such file or directory";
	json_t *start = fake_job(1, "finished", "failed", -1, 0),
	       *late = fake_job(2, "finished", "timeout", -1, 15),
	       *crash = fake_job(3, "finished", "failed", -1, 11),
	       *again = fake_job(4, "backoff", "failed", 1, 0),
	       *queued = fake_job(5, "queued", NULL, -1, 0);

	json_object_set_new(start, "reason", json_string(not_started));
	json_object_del(again, "finished_usec");
	fake_reply(f, call,
		json_pack("{s:[o, o, o, o, o], s:i}", "jobs", start, late, crash, again,
			queued, "total", 5),
		false);
}

START_TEST(ls_says_in_few_words_how_jobs_ended)
{
	begin(list_ends);
	REEVE(&reeve, &fake, "ls");
	ck_assert_ptr_nonnull(strstr(reeve.out, " 1 failed at exec "));
	ck_assert_ptr_nonnull(strstr(reeve.out, " 2 timeout "));
	ck_assert_ptr_nonnull(strstr(reeve.out, " 3 failed, SIGSEGV "));
	ck_assert_ptr_nonnull(strstr(reeve.out, " 4 backoff "));
	ck_assert_ptr_null(strstr(reeve.out, "directory"));
	end();
}
END_TEST

START_TEST(ls_counts_no_time_of_jobs_that_do_not_run)
{
	const char *row;

	begin(list_ends);
	REEVE(&reeve, &fake, "ls");
	row = strstr(reeve.out, "\n 4 backoff");
	ck_assert_ptr_nonnull(row);
	ck_assert_ptr_nonnull(strstr(row, " - make all\n 5 queued"));
	end();
}
END_TEST

START_TEST(ls_q_prints_ids_only)
{
	begin(list);
	REEVE(&reeve, &fake, "-j", "ls");
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "status", "-q");
	ck_assert_str_eq(reeve.out, "1\n2\n3\n");
	end();
}
END_TEST

START_TEST(ls_limit_asks_for_unfinished_then_finished)
{
	json_t *calls, *first, *second;

	begin(list);
	REEVE(&reeve, &fake, "ls", "--limit", "5");
	calls = fake_calls(&fake);
	first = fake_call_params(calls, "io.reeve.Job.List", 0);
	second = fake_call_params(calls, "io.reeve.Job.List", 1);
	ck_assert_int_eq(json_array_size(json_object_get(
				 json_object_get(first, "select"), "states")),
		9);
	ck_assert_int_eq(int_of(first, "limit"), 5);
	ck_assert_int_eq(int_of(second, "limit"), 2);
	ck_assert_str_eq(text_of(second, "order"), "finished");
	json_decref(calls);
	end();
}
END_TEST

START_TEST(ls_sort_is_one_call_with_the_keys)
{
	json_t *calls, *params;

	begin(list);
	REEVE(&reeve, &fake, "ls", "--sort", "state,-priority", "--limit", "5");
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, "io.reeve.Job.List"), 1);
	params = fake_call_params(calls, "io.reeve.Job.List", 0);
	ck_assert_int_eq(int_of(params, "limit"), 5);
	ck_assert_str_eq(
		json_string_value(json_array_get(json_object_get(params, "sort"), 1)),
		"-priority");
	ck_assert_ptr_null(json_object_get(params, "order"));
	json_decref(calls);
	end();
}
END_TEST

START_TEST(ls_columns_are_all_that_is_shown)
{
	begin(list);
	REEVE(&reeve, &fake, "ls", "--columns", "name,id");
	ck_assert_int_eq(strncmp(reeve.out, "NAME", 4), 0);
	ck_assert_ptr_nonnull(strstr(reeve.out, "ID\nok"));
	ck_assert_ptr_null(strstr(reeve.out, "make"));
	reeve_free(&reeve);
	REEVE(&reeve, &fake, "ls", "-j", "--columns", "id,exit");
	ck_assert_ptr_nonnull(strstr(reeve.out, "{\"id\":2,\"exit_code\":7"));
	ck_assert_ptr_null(strstr(reeve.out, "name"));
	end();
}
END_TEST

static void no_such_user(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_error(f, call, "org.varlink.service.InvalidParameter",
		json_pack("{s:s}", "parameter", "select.user"));
}

START_TEST(user_that_does_not_exist_is_said_to_be_none)
{
	begin(no_such_user);
	REEVE(&reeve, &fake, "ls", "--user", "nobody-so-named");
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_str_eq(reeve.err, "reeve: --user: there is no such user\n");
	end();
}
END_TEST

START_TEST(help_is_json_where_json_is_asked_for)
{
	static const char *const ways[][3] = {
		{"--json", "help", NULL}, {"ls", "--help", "-j"}, {"-j", "-h", NULL}};

	begin(list);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		json_t *o;

		REEVE(&reeve, &fake, ways[i][0], ways[i][1], ways[i][2]);
		ck_assert_int_eq(reeve.code, 0);
		o = json_loads(reeve.out, 0, NULL);
		ck_assert_ptr_nonnull(strstr(text_of(o, "help"), "Usage: reeve"));
		json_decref(o);
		reeve_free(&reeve);
	}
	REEVE(&reeve, &fake, "help");
	ck_assert_int_eq(strncmp(reeve.out, "Usage: ", 7), 0);
	end();
}
END_TEST

START_TEST(output_that_cannot_be_written_is_no_success)
{
	begin(list);
	signal(SIGPIPE, SIG_IGN); /* as some callers leave it to their children */
	reeve_start(&reeve, &fake, REEVE_OUT_CLOSED, (const char *const[]){"ls", NULL});
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 1);
	signal(SIGPIPE, SIG_DFL);
	end();
}
END_TEST

UNIT_MAIN("verb_ls", ls_json_is_a_complete_array,
	ls_escapes_what_would_play_with_the_terminal, ls_has_colours_only_where_asked,
	ls_says_in_few_words_how_jobs_ended, ls_counts_no_time_of_jobs_that_do_not_run,
	ls_q_prints_ids_only, ls_limit_asks_for_unfinished_then_finished,
	ls_sort_is_one_call_with_the_keys, ls_columns_are_all_that_is_shown,
	user_that_does_not_exist_is_said_to_be_none,
	help_is_json_where_json_is_asked_for,
	output_that_cannot_be_written_is_no_success)
