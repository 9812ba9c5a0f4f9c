#include "config.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/macro.h"
#include "tests/support/unit.h"
#include "tests/unit/cli/fake_daemon.h"

#define SUBMIT "io.reeve.Job.Submit"

static struct fake fake;
static struct reeve reeve;

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static json_int_t int_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void begin(fake_handler handler)
{
	fake_start(&fake, handler);
}

static void end(void)
{
	fake_stop(&fake);
	reeve_free(&reeve);
}

/* gives ids counting up; wrong jobs are those whose command is "wrong" */
static void submit(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	json_t *ids = json_array(), *jobs = json_object_get(params, "jobs"), *job;
	size_t i;

	json_array_foreach(jobs, i, job)
	{
		const char *command = text_of(job, "shell_command");

		if (command && STREQ(command, "wrong")) {
			fake_error(f, call, "io.reeve.Job.Invalid",
				json_pack("{s:i, s:s, s:s}", "job", (int)i, "field",
					"shell-command", "message", "is wrong"));
			json_decref(ids);
			return;
		}
		json_array_append_new(ids, json_integer(++f->n));
	}
	fake_reply(f, call, json_pack("{s:o}", "ids", ids), false);
}

START_TEST(add_prints_the_id_alone)
{
	begin(submit);
	REEVE(&reeve, &fake, "add", "true");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "1\n");
	ck_assert_str_eq(reeve.err, "");
	end();
}
END_TEST

START_TEST(add_c_is_a_shell_line)
{
	json_t *calls, *spec;

	begin(submit);
	REEVE(&reeve, &fake, "add", "-c", "echo a | wc", "-t", "1min", "-l", "x", "-l",
		"y");
	calls = fake_calls(&fake);
	spec = json_array_get(
		json_object_get(fake_call_params(calls, SUBMIT, 0), "jobs"), 0);
	ck_assert_str_eq(text_of(spec, "shell_command"), "echo a | wc");
	ck_assert_int_eq(int_of(spec, "timeout_usec"), 60000000);
	ck_assert_int_eq(json_array_size(json_object_get(spec, "label")), 2);
	ck_assert_ptr_null(json_object_get(spec, "command"));
	json_decref(calls);
	end();
}
END_TEST

START_TEST(bytes_that_are_not_utf8_go_as_base64)
{
	json_t *calls, *spec;

	begin(submit);
	REEVE(&reeve, &fake, "add", "cat", "\xff\xfe");
	ck_assert_int_eq(reeve.code, 0);
	calls = fake_calls(&fake);
	spec = json_array_get(
		json_object_get(fake_call_params(calls, SUBMIT, 0), "jobs"), 0);
	ck_assert_ptr_null(json_object_get(spec, "command"));
	ck_assert_str_eq(json_string_value(json_array_get(
				 json_object_get(spec, "command_b64"), 1)),
		"//4=");
	json_decref(calls);
	end();
}
END_TEST

static void write_file(char *path, size_t size, const char *text, size_t times)
{
	FILE *file;

	snprintf(path, size, "%s/batch", fake.dir);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < times; i++)
		fputs(text, file);
	fclose(file);
}

START_TEST(batch_sends_chunks_and_prints_ids_in_order)
{
	char path[128];
	json_t *calls;
	const char *last;

	begin(submit);
	write_file(path, sizeof(path), "true\n", 1200);
	REEVE(&reeve, &fake, "add", "--batch", path);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_int_eq(strncmp(reeve.out, "1\n2\n3\n", 6), 0);
	last = reeve.out + strlen(reeve.out) - 5;
	ck_assert_str_eq(last, "1200\n");
	calls = fake_calls(&fake);
	ck_assert_int_eq(fake_n_calls(calls, SUBMIT), 3);
	ck_assert_str_ne(text_of(fake_call_params(calls, SUBMIT, 0), "key"),
		text_of(fake_call_params(calls, SUBMIT, 1), "key"));
	json_decref(calls);
	end();
}
END_TEST

START_TEST(batch_options_hold_for_all_and_lines_win)
{
	json_t *calls, *jobs;
	char path[128];

	begin(submit);
	write_file(path, sizeof(path),
		"# two jobs\n\n"
		"make all\n"
		"{\"command\": [\"a\", \"b\"], \"pool\": \"net\", \"nice\": 5}\n",
		1);
	REEVE(&reeve, &fake, "add", "--batch", path, "-g", "cpu", "-p", "3");
	ck_assert_str_eq(reeve.out, "1\n2\n");
	calls = fake_calls(&fake);
	jobs = json_object_get(fake_call_params(calls, SUBMIT, 0), "jobs");
	ck_assert_str_eq(text_of(json_array_get(jobs, 0), "shell_command"), "make all");
	ck_assert_str_eq(text_of(json_array_get(jobs, 0), "pool"), "cpu");
	ck_assert_str_eq(text_of(json_array_get(jobs, 1), "pool"), "net");
	ck_assert_int_eq(int_of(json_array_get(jobs, 1), "priority"), 3);
	ck_assert_int_eq(int_of(json_array_get(jobs, 1), "nice"), 5);
	json_decref(calls);
	end();
}
END_TEST

START_TEST(bad_batch_line_is_named_and_nothing_is_sent)
{
	json_t *calls;
	char path[128];

	begin(submit);
	write_file(path, sizeof(path), "true\n{\"comand\": [\"x\"]}\n", 1);
	REEVE(&reeve, &fake, "add", "--batch", path);
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_str_eq(reeve.out, "");
	ck_assert_str_eq(reeve.err,
		"reeve: line 2: unknown member 'comand' (did you mean 'command'?)\n");
	calls = fake_calls(&fake);
	ck_assert_int_eq(json_array_size(calls), 0);
	json_decref(calls);
	end();
}
END_TEST

START_TEST(batch_that_cannot_be_read_is_usage)
{
	begin(submit);
	REEVE(&reeve, &fake, "add", "--batch", fake.dir);
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_str_eq(reeve.err, "reeve: line 1: cannot be read: Is a directory\n");
	end();
}
END_TEST

START_TEST(bad_line_in_a_later_chunk_tells_what_is_submitted)
{
	char path[128];
	FILE *file;

	begin(submit);
	write_file(path, sizeof(path), "true\n", 600);
	file = fopen(path, "a");
	fputs("{\"nice\": \"very\", \"command\": [\"x\"]}\n", file);
	fclose(file);
	REEVE(&reeve, &fake, "add", "--batch", path);
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_str_eq(reeve.out + strlen(reeve.out) - 4, "500\n");
	ck_assert_ptr_nonnull(
		strstr(reeve.err, "lines 1 to 500 are submitted: 500 jobs"));
	ck_assert_ptr_nonnull(
		strstr(reeve.err, "line 601: nice: an integer is expected"));
	end();
}
END_TEST

START_TEST(refusal_of_the_daemon_names_the_line)
{
	char path[128];

	begin(submit);
	write_file(path, sizeof(path), "# skipped\ntrue\n\nwrong\n", 1);
	REEVE(&reeve, &fake, "add", "--batch", path);
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_str_eq(reeve.err, "reeve: line 4: shell-command: is wrong\n");
	end();
}
END_TEST

START_TEST(batch_json_is_an_array)
{
	json_t *ids;
	char path[128];

	begin(submit);
	write_file(path, sizeof(path), "true\n", 3);
	REEVE(&reeve, &fake, "--json", "add", "--batch", path);
	ids = json_loads(reeve.out, 0, NULL);
	ck_assert_int_eq(json_array_size(ids), 3);
	json_decref(ids);
	end();
}
END_TEST

START_TEST(job_over_the_message_size_is_usage)
{
	char *huge = calloc(1, 300001);

	memset(huge, 'x', 300000);
	begin(submit);
	/* an argument of that size is more than exec takes, -c is a fork's only here */
	REEVE(&reeve, &fake, "add", "echo", huge);
	ck_assert_int_eq(reeve.code, 2);
	ck_assert_ptr_nonnull(strstr(reeve.err, "256 KiB"));
	free(huge);
	end();
}
END_TEST

static void vanish(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	unlink(f->socket);
	_exit(0);
}

START_TEST(daemon_vanishing_mid_call_is_5)
{
	begin(vanish);
	REEVE(&reeve, &fake, "ls");
	ck_assert_int_eq(reeve.code, 5);
	end();
}
END_TEST

START_TEST(submit_without_answer_is_5_and_names_the_key)
{
	begin(vanish);
	REEVE(&reeve, &fake, "add", "--key", "k1", "true");
	ck_assert_int_eq(reeve.code, 5);
	ck_assert_ptr_nonnull(strstr(reeve.err, "--key k1"));
	end();
}
END_TEST

START_TEST(submit_is_repeated_with_the_same_key)
{
	struct fake second;
	json_t *before, *after;

	begin(vanish);
	fake_start(&second, submit);
	reeve_start(&reeve, &fake, REEVE_STDIN_PIPE,
		(const char *const[]){"add", "--batch", "-", NULL});
	ck_assert_int_eq(write(reeve.in_fd, "true\n", 5), 5);
	close(reeve.in_fd);
	reeve.in_fd = -1;
	/* it vanishes with the call; the next one is found at the same place */
	ck_assert_int_eq(waitpid(fake.pid, NULL, 0), fake.pid);
	ck_assert_int_eq(rename(second.socket, fake.socket), 0);
	reeve_finish(&reeve);
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "1\n");
	before = fake_calls(&fake);
	after = fake_calls(&second);
	ck_assert_str_eq(text_of(fake_call_params(before, SUBMIT, 0), "key"),
		text_of(fake_call_params(after, SUBMIT, 0), "key"));
	json_decref(before);
	json_decref(after);
	fake_stop(&second);
	fake.pid = 0; /* ended and waited for */
	end();
}
END_TEST

static void no_space(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	fake_error(
		f, call, "io.reeve.Job.NoSpace", json_pack("{s:s}", "what", "store"));
}

START_TEST(full_disk_is_6_and_says_so)
{
	begin(no_space);
	REEVE(&reeve, &fake, "add", "true");
	ck_assert_int_eq(reeve.code, 6);
	ck_assert_str_eq(
		reeve.err, "reeve: the daemon refuses: no space left (store)\n");
	end();
}
END_TEST

START_TEST(errors_with_json_are_one_object_on_stderr)
{
	json_t *o;

	begin(no_space);
	REEVE(&reeve, &fake, "add", "--json", "true");
	o = json_loads(reeve.err, 0, NULL);
	ck_assert_str_eq(text_of(o, "error"), "io.reeve.Job.NoSpace");
	ck_assert_int_eq(int_of(o, "exit_code"), 6);
	ck_assert_str_eq(reeve.out, "");
	json_decref(o);
	end();
}
END_TEST

START_TEST(nobody_at_the_socket_is_5)
{
	REEVE(&reeve, NULL, "ls");
	ck_assert_int_eq(reeve.code, 5);
	ck_assert_ptr_nonnull(strstr(reeve.err, "not running"));
	reeve_free(&reeve);
	REEVE(&reeve, NULL, "add", "true");
	ck_assert_int_eq(reeve.code, 5);
	reeve_free(&reeve);
}
END_TEST

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
		"start failed at exec: No such file or directory";
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

UNIT_MAIN("verbs", add_prints_the_id_alone, add_c_is_a_shell_line,
	bytes_that_are_not_utf8_go_as_base64,
	batch_sends_chunks_and_prints_ids_in_order,
	batch_options_hold_for_all_and_lines_win,
	bad_batch_line_is_named_and_nothing_is_sent, batch_that_cannot_be_read_is_usage,
	bad_line_in_a_later_chunk_tells_what_is_submitted,
	refusal_of_the_daemon_names_the_line, batch_json_is_an_array,
	job_over_the_message_size_is_usage, daemon_vanishing_mid_call_is_5,
	submit_without_answer_is_5_and_names_the_key,
	submit_is_repeated_with_the_same_key, full_disk_is_6_and_says_so,
	errors_with_json_are_one_object_on_stderr, nobody_at_the_socket_is_5,
	cancel_sends_what_was_selected, cancel_that_comes_too_late_says_so,
	what_excludes_each_other_or_is_no_method_is_usage,
	selectors_mean_jobs_on_which_the_verb_can_act, some_refused_is_1_and_names_them,
	verb_that_changes_refuses_an_empty_command_line, no_ids_on_stdin_is_3,
	many_ids_on_stdin_become_several_calls, clean_says_how_many,
	ls_json_is_a_complete_array, ls_escapes_what_would_play_with_the_terminal,
	ls_has_colours_only_where_asked, ls_says_in_few_words_how_jobs_ended,
	ls_counts_no_time_of_jobs_that_do_not_run, ls_q_prints_ids_only,
	ls_limit_asks_for_unfinished_then_finished, wait_is_1_when_some_failed,
	wait_too_long_is_124, wait_too_long_says_so,
	wait_goes_on_with_those_that_had_not_ended,
	timeout_of_wait_holds_without_a_daemon, logs_f_goes_on_where_it_was,
	wait_for_nothing_is_3, logs_are_bytes_as_they_are, bare_logs_means_the_newest,
	logs_of_a_run_that_never_was_is_3, user_that_does_not_exist_is_said_to_be_none,
	help_is_json_where_json_is_asked_for, removed_job_is_said_to_be_removed,
	call_prints_the_value, call_detach_prints_the_id, bad_call_arguments_are_usage,
	status_says_which_daemon_and_why, health_is_1_where_there_are_problems,
	ping_is_answered, raw_call_prints_the_reply,
	output_that_cannot_be_written_is_no_success)
