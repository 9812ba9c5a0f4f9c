/*
 * `edit`: a job in an editor.
 *
 * The job is not held meanwhile: who wants that says hold first. What is sent at the end is
 * what differs from the text that the editor was given, so that a change by somebody else in
 * the meantime stays; what a job that has started meanwhile does not take, the daemon
 * refuses. The text is kept until it was taken.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/editor.h"
#include "cli/job_text.h"
#include "cli/select.h"
#include "cli/set.h"
#include "cli/spec_json.h"
#include "client/client.h"

#define TEXT_MAX ((size_t)16 * 1024 * 1024)

struct edit {
	const struct cli *c;
	struct client *client; /* owned */
	int64_t id;
	char *path;             /* the temporary file; owned */
	struct buf text;        /* as it was given to the editor */
	struct job_spec before; /* what that says */
};

/* ---- the text ----------------------------------------------------------------------- */

static int write_text(struct edit *e, const struct job_spec *spec, const json_t *job)
{
	bool runs = json_is_set(job, "pid") || STREQ(json_str(job, "state"), "running");
	_cleanup_free_ char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	int r;

	if (!f)
		return -ENOMEM;
	fprintf(f,
		"# Job %" PRId64
		". A line that begins with # is a comment; a property that is not\n"
		"# there, or has no value, is at its default. reeve.conf(5) explains "
		"each.\n\n",
		e->id);
	r = job_text_write(f, spec, json_int(job, "runs", 0) > 0, runs);
	if (fclose(f) != 0)
		r = -ENOMEM;
	return r < 0 ? r : buf_append(&e->text, text, n);
}

static int take_job(struct edit *e, const json_t *show)
{
	unsigned lines[JOB_FIELD_N];
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(job_spec_deinit) struct job_spec spec;
	_cleanup_free_ char *err = NULL;
	int r;

	job_spec_init(&spec);
	r = spec_from_json(&spec, json_object_get(show, "spec"), &err);
	if (r >= 0)
		r = write_text(e, &spec, json_object_get(show, "job"));
	if (r >= 0)
		r = job_text_read(&e->before, lines, buf_head(&e->text),
			buf_len(&e->text), "the job", &errors);
	return r;
}

/* ---- what was written --------------------------------------------------------------- */

/* "timeout: it is running" is said of that line */
static void tell_refusal(
	const struct edit *e, const unsigned lines[JOB_FIELD_N], const char *message)
{
	for (int i = 0; i < JOB_FIELD_N; i++) {
		size_t n = strlen(job_field_info[i].key);

		if (lines[i] && strncmp(message, job_field_info[i].key, n) == 0 &&
			message[n] == ':') {
			cli_note(e->c, "%s:%u: %s", e->path, lines[i], message);
			return;
		}
	}
	cli_note(e->c, "job %" PRId64 ": %s", e->id, message);
}

/* 0: taken; 1: refused, and told; or the exit code of an error */
static int send_changes(struct edit *e, struct job_spec *after, uint64_t difference,
	const unsigned lines[JOB_FIELD_N], int *ret_code)
{
	_cleanup_json_ json_t *reset = json_array(), *refused = json_array(),
			      *spec = NULL, *params = NULL, *reply = NULL;
	const json_t *refusal;

	for (int i = 0; i < JOB_FIELD_N; i++) {
		enum job_field f = (enum job_field)i;

		if (!(difference >> f & 1))
			job_spec_unset(after, f);
		else if (!job_spec_has(after, f))
			json_array_append_new(
				reset, json_string(job_field_info[f].json_name));
	}
	spec = spec_to_json(after);
	params = json_pack("{s:o, s:O, s:O}", "select", selection_of_id(e->id), "spec",
		spec, "reset", reset);
	if (!params || !refused) {
		*ret_code = cli_fail_errno(e->c, -ENOMEM, "edit");
		return 1;
	}
	*ret_code =
		cli_call(e->c, e->client, "io.reeve.Job.Set", TAKE_PTR(params), &reply);
	if (*ret_code != 0)
		return 1;
	refusal = json_array_get(json_object_get(reply, "refused"), 0);
	if (refusal) {
		if (e->c->json)
			json_print(stdout, reply, false);
		tell_refusal(e, lines, json_str(refusal, "message"));
		*ret_code = CLI_EXIT_SOME;
		return 1;
	}
	if (e->c->json)
		json_print(stdout, reply, false);
	else
		printf("job %" PRId64 " %s\n", e->id,
			json_int(reply, "n", 0) ? "changed" : "unchanged");
	return 0;
}

/* 0: it is done with; 1: told what is wrong, *ret_code says what that comes to */
static int take_text(struct edit *e, int *ret_code)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_(job_spec_deinit) struct job_spec after;
	unsigned lines[JOB_FIELD_N];
	uint64_t difference;
	int r;

	job_spec_init(&after);
	r = file_read(&text, AT_FDCWD, e->path, TEXT_MAX);
	if (r >= 0)
		r = job_text_read(&after, lines, buf_head(&text), buf_len(&text),
			e->path, &errors);
	if (r == -EINVAL) {
		config_errors_print(&errors, stderr);
		*ret_code = CLI_EXIT_USAGE;
		return 1;
	}
	difference = r < 0 ? 0 : job_spec_difference(&e->before, &after);
	if (r < 0 || difference == UINT64_MAX) {
		*ret_code = cli_fail_errno(
			e->c, r < 0 ? r : -ENOMEM, "cannot read '%s'", e->path);
		return 1;
	}
	if (difference)
		return send_changes(e, &after, difference, lines, ret_code);
	if (!e->c->json)
		printf("job %" PRId64 " unchanged\n", e->id);
	return 0;
}

/* the exit code; the text stays where it was not taken */
static int edit(struct edit *e)
{
	int code = 0, r;

	do {
		r = editor_run(e->path);
		if (r != 0)
			code = r < 0 ? cli_fail_errno(e->c, r, "edit")
				     : cli_fail(e->c, CLI_EXIT_SOME,
					       "edit: the editor '%s' failed (exit %d)",
					       editor_name(), r);
		else if (take_text(e, &code) == 0) {
			unlink(e->path);
			return CLI_EXIT_OK;
		}
	} while (r == 0 && editor_again());
	return cli_fail(
		e->c, code, "edit: nothing was changed; your text is in %s", e->path);
}

int cmd_edit(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_json_ json_t *show = NULL;
	struct edit e = {.c = c, .text = BUF_NULL};
	char stem[48];
	json_t *params;
	int r;

	job_spec_init(&e.before);
	r = cli_select(c, &sel, SELECT_REQUIRED);
	if (r == 0 && !selection_is_single(&sel))
		r = cli_fail(c, CLI_EXIT_USAGE, "edit: one job, please");
	if (r == 0)
		r = cli_connect_for(c, &e.client, &sel);
	if (r == 0) {
		params = json_pack(
			"{s:o, s:b}", "select", selection_json(&sel, 0), "env", 1);
		r = params ? cli_call(c, e.client, "io.reeve.Job.Show", params, &show)
			   : cli_fail_errno(c, -ENOMEM, "edit");
	}
	if (r == 0) {
		const json_t *job = json_object_get(show, "job");

		e.id = json_int(job, "id", 0);
		if (STREQ(json_str(job, "state"), "finished"))
			r = cli_fail(c, CLI_EXIT_SOME,
				"job %" PRId64 " is finished: it cannot be changed",
				e.id);
	}
	if (r == 0) {
		r = take_job(&e, show);
		if (r >= 0) {
			snprintf(stem, sizeof(stem), "reeve-job-%" PRId64, e.id);
			r = editor_file(
				&e.path, stem, buf_head(&e.text), buf_len(&e.text));
		}
		r = r < 0 ? cli_fail_errno(c, r, "edit") : edit(&e);
	}
	client_close(e.client);
	buf_deinit(&e.text);
	job_spec_deinit(&e.before);
	free(e.path);
	return r;
}
