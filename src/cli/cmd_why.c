/* `why`: what a job waits for and who is in its way, or why it ended as it did. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each_job.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/text.h"
#include "cli/time.h"
#include "client/client.h"
#include "job/state.h"

static int text_of_state(struct buf *out, const struct cli *c, const json_t *reply)
{
	const json_t *job = json_object_get(reply, "job");
	const char *why = json_str(reply, "why"), *reason = json_str(job, "reason");
	bool told;
	char outcome[CLI_OUTCOME_MAX], when[TIME_TEXT_MAX];
	int64_t due = json_int(job, "due_usec", 0);
	int r;

	if (STREQ(json_str(job, "state"), job_state_name[JOB_FINISHED])) {
		cli_job_outcome(outcome, sizeof(outcome), job);
		told = !*reason || strstr(outcome, reason);
		return buf_printf(out, "it is over: %s%s%s", outcome, told ? "" : "; ",
			told ? "" : reason);
	}
	r = buf_printf(
		out, "it is %s%s%s", json_str(job, "state"), *why ? ": " : "", why);
	if (r >= 0 && due > 0)
		r = buf_printf(out, "; due %s",
			time_format_relative(when, sizeof(when), due, c->now_usec));
	return r;
}

/* "held by jobs 3, 4 and others" */
static int text_of_holders(struct buf *out, const json_t *held_by)
{
	size_t n = json_array_size(held_by), i;
	json_t *id;
	int r = n ? buf_printf(out, "; held by job%s", text_plural((int64_t)n)) : 0;

	json_array_foreach((json_t *)held_by, i, id) if (r >= 0) r = buf_printf(
		out, "%s %" PRId64, i ? "," : "", (int64_t)json_integer_value(id));
	return r;
}

static int print_line(int64_t id, const char *line)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	int r = text_escape(&out, line, strlen(line));

	if (r < 0)
		return r;
	return printf("job %" PRId64 ": %.*s\n", id, (int)buf_len(&out),
		       buf_head(&out)) < 0
		       ? -EIO
		       : 0;
}

/* select: taken. The exit code */
static int why(struct cli *c, struct client *client, json_t *select)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_json_ json_t *reply = NULL, *o = NULL;
	_cleanup_free_ char *line = NULL;
	int64_t id;
	int r;

	r = cli_call(c, client, "io.reeve.Job.Show",
		json_pack("{s:o}", "select", select), &reply);
	if (r != 0)
		return r;
	id = json_int(json_object_get(reply, "job"), "id", 0);
	r = text_of_state(&text, c, reply);
	if (r >= 0)
		r = text_of_holders(&text, json_object_get(reply, "held_by"));
	line = r < 0 ? NULL : buf_steal_str(&text, NULL);
	if (!line)
		return cli_fail_errno(c, -ENOMEM, "why");
	if (!c->json)
		return print_line(id, line) < 0 ? cli_fail_write(c, -EIO) : CLI_EXIT_OK;
	o = json_pack("{s:I, s:O, s:s, s:O}", "id", (json_int_t)id, "state",
		json_object_get(json_object_get(reply, "job"), "state"), "why", line,
		"held_by", json_object_get(reply, "held_by"));
	if (!o)
		return cli_fail_errno(c, -ENOMEM, "why");
	return json_print(stdout, o, false) < 0 ? cli_fail_write(c, -EIO) : CLI_EXIT_OK;
}

struct many {
	struct cli *c;
	size_t n;
};

/* each_job_fn */
static int why_next(void *arg, struct client **client, const json_t *job)
{
	struct many *m = arg;

	m->n++;
	return why(m->c, *client, selection_of_id(json_int(job, "id", 0)));
}

int cmd_why(struct cli *c)
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
		return why(c, client, json_pack("{s:b}", "newest", 1));
	if (selection_is_single(&sel))
		return why(c, client, selection_json(&sel, 0));
	for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
		r = cli_each_job(c, &client, selection_json(&sel, i), why_next, &many);
	if (r == 0 && many.n == 0)
		return cli_fail(c, CLI_EXIT_NOTHING, "why: no job matches");
	return r;
}
