/* `show`: everything about a job. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each_job.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/text.h"
#include "cli/time.h"
#include "client/client.h"
#include "job/words.h"
#include "varlink/bytes_field.h"

#define NAMES_WIDTH 64 /* with the title before them a line has 80 columns */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && STREQ(s + n - m, end);
}

/* A member as people read it, by the unit that its name ends with. */
static int append_value(struct buf *out, const char *key, const json_t *v)
{
	char text[DURATION_TEXT_MAX];
	_cleanup_free_ char *json = NULL;
	const json_t *item;
	size_t i;
	int r = 0;

	if (json_is_string(v))
		return buf_append(out, json_string_value(v), json_string_length(v));
	if (json_is_null(v) && (ends_with(key, "_usec") || ends_with(key, "_bytes")))
		return buf_append_str(out, "infinity");
	if (json_is_integer(v) && ends_with(key, "_usec"))
		return buf_append_str(out,
			duration_format(text, sizeof(text), json_integer_value(v)));
	if (json_is_integer(v) && ends_with(key, "_bytes"))
		return buf_append_str(
			out, size_format(text, sizeof(text), json_integer_value(v)));
	if (json_is_integer(v) && STREQ(key, "umask"))
		return buf_printf(out, "%04o", (unsigned)json_integer_value(v));
	if (json_is_boolean(v))
		return buf_append_str(out, json_is_true(v) ? "yes" : "no");
	if (json_is_array(v)) {
		json_array_foreach((json_t *)v, i, item) if (r == 0) r =
			buf_printf(out, "%s%s", i > 0 ? " " : "",
				json_is_string(item) ? json_string_value(item) : "?");
		return r;
	}
	json = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	return json ? buf_append_str(out, json) : -ENOMEM;
}

static void print_member(const char *key, const json_t *v)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	char name[64];
	size_t n;

	if (append_value(&out, key, v) < 0 || buf_append_byte(&out, '\0') < 0)
		return;
	/* the unit is in the value, and options are written with '-' */
	n = strlen(key);
	if (ends_with(key, "_usec"))
		n -= 5;
	else if (ends_with(key, "_bytes"))
		n -= 6;
	snprintf(name, sizeof(name), "%.*s", (int)n, key);
	for (char *p = strchr(name, '_'); p; p = strchr(p, '_'))
		*p = '-';
	print_pair(stdout, name, "%s", buf_head(&out));
}

static void print_time(
	const char *name, const json_t *job, const char *key, int64_t now)
{
	char absolute[TIME_TEXT_MAX], relative[TIME_TEXT_MAX];
	int64_t usec = json_int(job, key, -1);

	if (usec >= 0)
		print_pair(stdout, name, "%s (%s)",
			time_format(absolute, sizeof(absolute), usec),
			time_format_relative(relative, sizeof(relative), usec, now));
}

static void print_job(const json_t *job, const char *why, int64_t now)
{
	const json_t *labels = json_object_get(job, "labels");
	char outcome[CLI_OUTCOME_MAX];

	print_pair(stdout, "job", "%" PRId64, json_int(job, "id", 0));
	if (*json_str(job, "name"))
		print_pair(stdout, "name", "%s", json_str(job, "name"));
	if (json_is_set(job, "result"))
		print_pair(stdout, "state", "%s: %s", json_str(job, "state"),
			cli_job_outcome(outcome, sizeof(outcome), job));
	else
		print_pair(stdout, "state", "%s", json_str(job, "state"));
	if (*why)
		print_pair(stdout, "why", "%s", why);
	if (json_array_size(labels) > 0)
		print_member("labels", labels);
	print_pair(stdout, "user", "%s", json_str(job, "user"));
	print_time("submitted", job, "submitted_usec", now);
	print_time("due", job, "due_usec", now);
	print_time("started", job, "started_usec", now);
	print_time("finished", job, "finished_usec", now);
	if (json_is_set(job, "pid"))
		print_pair(stdout, "pid", "%" PRId64, json_int(job, "pid", 0));
}

/* as a shell would take it; that of a function is the job's */
static int append_command(struct buf *out, const json_t *spec, const json_t *job)
{
	_cleanup_(strv_freep) char **argv = NULL;
	_cleanup_free_ char *line = NULL;
	struct vl_fault fault;
	int r = 0;

	if (vl_get_bytes(spec, "shell_command", &line, NULL, &fault) > 0)
		return buf_append_str(out, line);
	if (vl_get_bytes_array(spec, "command", &argv, &fault) <= 0)
		return buf_append_str(out, json_str(job, "command"));
	STRV_FOREACH(word, argv) {
		if (r == 0 && word != argv)
			r = buf_append_byte(out, ' ');
		if (r == 0)
			r = words_quote(out, *word);
	}
	return r;
}

/* Whole: that of the job, as lists show it, is cut. */
static void print_command(const json_t *spec, const json_t *job)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	if (append_command(&out, spec, job) == 0 && buf_append_byte(&out, '\0') == 0)
		print_pair(stdout, "command", "%s", buf_head(&out));
}

static void print_spec(const json_t *spec)
{
	/* shown above, as part of the job */
	static const char *const above[] = {"command", "shell_command", "name", "label",
		"command_b64", "shell_command_b64", "expand"};
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)spec, key, v)
	{
		bool skip = STREQ(key, "env") || STREQ(key, "env_b64");

		for (size_t i = 0; i < ARRAY_LEN(above); i++)
			skip |= STREQ(above[i], key);
		if (!skip)
			print_member(key, v);
	}
}

/* The caller's; all of it is in the twin where a part is not UTF-8. NULL: no memory */
static char **callers_environment(const json_t *show)
{
	_cleanup_json_ json_t *twin = NULL;
	struct vl_fault fault;
	char **v = NULL;

	if (json_is_set(show, "environment_b64"))
		twin = json_pack("{s:O}", "environment_b64",
			json_object_get(show, "environment_b64"));
	if (vl_get_bytes_array(twin ? twin : show, "environment", &v, &fault) < 0)
		return NULL;
	return v;
}

/* what the job has, as the daemon puts it together: its own over the caller's; without
 * values just names */
static char **environment(const json_t *show)
{
	_cleanup_(strv_freep) char **own = NULL, **all = NULL;
	struct vl_fault fault;

	all = callers_environment(show);
	if (vl_get_bytes_array(json_object_get(show, "spec"), "env", &own, &fault) < 0)
		return NULL;
	STRV_FOREACH(e, own) {
		size_t n = strcspn(*e, "="), kept = 0;

		for (size_t i = 0; all && all[i]; i++) {
			if (strncmp(all[i], *e, n) == 0 &&
				(!all[i][n] || all[i][n] == '='))
				free(all[i]);
			else
				all[kept++] = all[i];
		}
		if (all)
			all[kept] = NULL;
		if (strv_append(&all, *e) < 0)
			return NULL;
	}
	return TAKE_PTR(all);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_callbacks(const json_t *reply)
{
	const json_t *ids = json_object_get(reply, "callbacks"), *id;
	size_t i;

	json_array_foreach((json_t *)ids, i, id) print_pair(stdout,
		i == 0 ? "callbacks" : "", "%" PRId64, (int64_t)json_integer_value(id));
	if (json_is_true(json_object_get(reply, "callback_dropped")))
		print_pair(stdout, "callbacks",
			"one was left out, there were too many (callbacks-max)");
}

static void print_environment_files(const json_t *show)
{
	const json_t *files = json_object_get(show, "environment_files"), *file;
	size_t i;

	json_array_foreach((json_t *)files, i, file) print_pair(
		stdout, i == 0 ? "env-file" : "", "%s", json_string_value(file));
}

static void print_environment(const json_t *show, bool values)
{
	_cleanup_(strv_freep) char **all = environment(show);
	_cleanup_(buf_deinitp) struct buf line = BUF_NULL;
	/* one of the configuration is that by its name */
	const char *title = json_is_set(json_object_get(show, "spec"), "environment")
				    ? "variables"
				    : "environment";
	size_t n = strv_len(all);

	if (n == 0)
		return;
	qsort(all, n, sizeof(*all), compare_text);
	STRV_FOREACH(e, all) {
		if (buf_printf(&line, "%s%s", buf_len(&line) ? " " : "", *e) < 0)
			return;
		/* names fill lines, values have one each */
		if (!values && e[1] && buf_len(&line) + 1 + strlen(e[1]) <= NAMES_WIDTH)
			continue;
		print_pair(stdout, title, "%.*s", (int)buf_len(&line), buf_head(&line));
		buf_clear(&line);
		title = "";
	}
}

static void format_usage(char *buf, size_t size, const json_t *run)
{
	int64_t user = json_int(run, "cpu_user_usec", -1);
	int64_t system = json_int(run, "cpu_system_usec", -1);

	if (user < 0 || system < 0)
		snprintf(buf, size, "-");
	else
		time_format_span(buf, size, user + system);
}

static int add_run(struct table *t, const json_t *run)
{
	char no[32], outcome[CLI_OUTCOME_MAX], start[TIME_TEXT_MAX],
		took[TIME_TEXT_MAX], cpu[TIME_TEXT_MAX], memory[32] = "-",
							 output[32] = "-";
	const char *cells[] = {no, outcome, start, took, cpu, memory, output};
	int r;

	snprintf(no, sizeof(no), "%" PRId64, json_int(run, "run", 0));
	if (json_is_set(run, "step"))
		snprintf(outcome, sizeof(outcome), "not started, %s: %s",
			json_str(run, "step"), json_str(run, "error"));
	else if (json_is_set(run, "result"))
		cli_job_outcome(outcome, sizeof(outcome), run);
	else
		snprintf(outcome, sizeof(outcome), "running");
	time_format(start, sizeof(start), json_int(run, "started_usec", 0));
	time_format_span(took, sizeof(took), json_int(run, "elapsed_usec", -1));
	format_usage(cpu, sizeof(cpu), run);
	if (json_is_set(run, "memory_max_bytes"))
		text_size(memory, sizeof(memory), json_int(run, "memory_max_bytes", 0));
	if (json_is_set(run, "output_bytes"))
		text_size(output, sizeof(output), json_int(run, "output_bytes", 0));
	r = table_row(t);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(cells); i++)
		r = table_cell(t, i, cells[i], NULL);
	return r;
}

static void print_run_notes(const json_t *run)
{
	int64_t no = json_int(run, "run", 0), n;

	n = json_int(run, "leftovers", 0);
	if (n > 0)
		printf("run %" PRId64 ": %" PRId64 " process%s left behind by it\n", no,
			n, n == 1 ? " was" : "es were");
	n = json_int(run, "output_lost_bytes", 0);
	if (n > 0)
		printf("run %" PRId64 ": %" PRId64 " bytes of output were trimmed\n",
			no, n);
	if (json_is_set(run, "value")) {
		printf("run %" PRId64 ": ", no);
		json_print(stdout, json_object_get(run, "value"), false);
	}
}

static int print_runs(const struct cli *c, const json_t *runs)
{
	static const struct table_column columns[] = {{"RUN", TABLE_RIGHT},
		{"RESULT", 0}, {"STARTED", 0}, {"TOOK", TABLE_RIGHT},
		{"CPU", TABLE_RIGHT}, {"MEMORY", TABLE_RIGHT}, {"OUTPUT", TABLE_RIGHT}};
	const struct table_style style = {
		.headings = true, .color = c->color_out, .is_tty = c->out_is_tty};
	_cleanup_(table_freep) struct table *t = NULL;
	const json_t *run;
	size_t i;
	int r;

	if (json_array_size(runs) == 0)
		return 0;
	r = table_new(&t, columns, ARRAY_LEN(columns), &style);
	json_array_foreach((json_t *)runs, i, run) if (r == 0) r = add_run(t, run);
	if (r < 0)
		return r;
	putchar('\n');
	r = table_print(t, stdout);
	json_array_foreach((json_t *)runs, i, run) print_run_notes(run);
	return r;
}

/* select: taken. The exit code */
static int show(struct cli *c, struct client *client, json_t *select, bool first)
{
	_cleanup_json_ json_t *reply = NULL;
	int r;

	r = cli_call(c, client, "io.reeve.Job.Show",
		json_pack("{s:o, s:b}", "select", select, "env",
			(int)options_has(&c->opts, OPT_ENV)),
		&reply);
	if (r != 0)
		return r;
	if (c->json)
		return json_print(stdout, reply, false) < 0 ? CLI_EXIT_SOME : 0;
	if (!first)
		putchar('\n');
	print_job(json_object_get(reply, "job"), json_str(reply, "why"), c->now_usec);
	if (json_is_set(reply, "stdin_open"))
		print_pair(stdout, "its stdin", "%s",
			json_is_true(json_object_get(reply, "stdin_open")) ? "open"
									   : "closed");
	print_command(json_object_get(reply, "spec"), json_object_get(reply, "job"));
	print_spec(json_object_get(reply, "spec"));
	print_callbacks(reply);
	print_environment_files(reply);
	print_environment(reply, options_has(&c->opts, OPT_ENV));
	r = print_runs(c, json_object_get(reply, "run_history"));
	return r < 0 ? cli_fail_write(c, r) : CLI_EXIT_OK;
}

struct many {
	struct cli *c;
	size_t n; /* shown */
};

/* each_job_fn: Show takes one at a time */
static int show_next(void *arg, struct client **client, const json_t *job)
{
	struct many *m = arg;

	return show(
		m->c, *client, selection_of_id(json_int(job, "id", 0)), m->n++ == 0);
}

int cmd_show(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	struct many many = {.c = c};
	int r;

	r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r == 0)
		r = cli_connect_for(c, &client, &sel);
	if (r != 0)
		return r;
	if (selection_is_absent(&sel))
		return show(c, client, json_pack("{s:b}", "newest", 1), true);
	if (selection_is_single(&sel))
		return show(c, client, selection_json(&sel, 0), true);
	for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
		r = cli_each_job(c, &client, selection_json(&sel, i), show_next, &many);
	if (r == 0 && many.n == 0)
		return cli_fail(c, CLI_EXIT_NOTHING, "show: no job matches");
	return r;
}
