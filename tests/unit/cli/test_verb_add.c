/* Adding jobs, alone and in batches; a daemon that refuses them or is not there. */
#include "config.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/unit/cli/verb_test.h"

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
	ck_assert_int_eq(fake_n_calls(calls, SUBMIT), 0);
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

START_TEST(job_over_the_message_size_is_6_and_names_the_limit)
{
	char *huge = calloc(1, 300001);

	memset(huge, 'x', 300000);
	begin(submit);
	/* an argument of that size is more than exec takes, -c is a fork's only here */
	REEVE(&reeve, &fake, "add", "echo", huge);
	ck_assert_int_eq(reeve.code, 6);
	ck_assert_ptr_nonnull(strstr(reeve.err, "message-max = 262144"));
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

static void vanish_at_submit(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	if (STREQ(method, "Submit"))
		vanish(f, call, method, params);
}

START_TEST(submit_is_repeated_with_the_same_key)
{
	struct fake second;
	json_t *before, *after;

	begin(vanish_at_submit);
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

UNIT_MAIN("verb_add", add_prints_the_id_alone, add_c_is_a_shell_line,
	bytes_that_are_not_utf8_go_as_base64,
	batch_sends_chunks_and_prints_ids_in_order,
	batch_options_hold_for_all_and_lines_win,
	bad_batch_line_is_named_and_nothing_is_sent, batch_that_cannot_be_read_is_usage,
	bad_line_in_a_later_chunk_tells_what_is_submitted,
	refusal_of_the_daemon_names_the_line, batch_json_is_an_array,
	job_over_the_message_size_is_6_and_names_the_limit,
	daemon_vanishing_mid_call_is_5, submit_without_answer_is_5_and_names_the_key,
	submit_is_repeated_with_the_same_key, full_disk_is_6_and_says_so,
	errors_with_json_are_one_object_on_stderr, nobody_at_the_socket_is_5)
