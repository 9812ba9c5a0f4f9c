#include "config.h"

#include "cli/job_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strv.h"
#include "cli/text.h"
#include "client/client.h"
#include "job/fields.h"
#include "varlink/bytes_field.h"

void job_end_text_deinit(struct job_end_text *t)
{
	json_decref(t->show);
	free(t->start_failure);
}

const json_t *job_last_run(const json_t *show)
{
	const json_t *runs = json_object_get(show, "run_history");
	size_t n = json_array_size(runs);

	return n > 0 ? json_array_get(runs, n - 1) : NULL;
}

static int show_job(json_t **ret, const struct cli *c, int64_t id)
{
	_cleanup_json_ json_t *params = json_pack("{s:{s:[{s:I, s:I}]}}", "select",
		"ids", "first", (json_int_t)id, "last", (json_int_t)id);
	_cleanup_(client_closep) struct client *client = NULL;
	int r;

	r = client_open(&client, c->target.socket, CLI_CONNECT_TIMEOUT);
	if (r < 0)
		return r;
	return client_call(client, "io.reeve.Job.Show", params, ret, NULL, RV_FOREVER);
}

/* What the step that failed was about; "" where it is about nothing with a name. The
 * caller frees it. */
static char *step_object(const char *step, const json_t *spec)
{
	_cleanup_(strv_freep) char **argv = NULL;
	struct vl_fault fault;
	char *text = NULL;

	if (STREQ(step, "exec") &&
		vl_get_bytes_array(spec, "command", &argv, &fault) > 0)
		return strdup(argv[0] ? argv[0] : "");
	if (STREQ(step, "exec"))
		return strdup(json_is_set(spec, "shell") ? json_str(spec, "shell")
							 : "/bin/sh");
	if ((STREQ(step, "chdir") &&
		    vl_get_bytes(spec, "cwd", &text, NULL, &fault) > 0) ||
		(STREQ(step, "stdin") &&
			vl_get_bytes(spec, "stdin", &text, NULL, &fault) > 0))
		return text;
	if (STREQ(step, "stdout") && STREQ(json_str(spec, "output"), "journal"))
		return strdup(JOB_JOURNAL_SOCKET); /* nobody listens there, as a rule */
	return strdup("");
}

int job_end_read(struct job_end *ret, struct job_end_text *text, const struct cli *c,
	const json_t *job)
{
	_cleanup_free_ char *object = NULL;
	const json_t *run;
	int r;

	*ret = (struct job_end){
		.result = json_str(job, "result"),
		.exit_code = json_int(job, "exit_code", -1),
		.signal = json_int(job, "signal", 0),
	};
	if (!STREQ(ret->result, "failed") || ret->exit_code >= 0 || ret->signal > 0)
		return 0;
	r = show_job(&text->show, c, json_int(job, "id", 0));
	if (r < 0)
		return r;
	run = job_last_run(text->show);
	if (!run || !json_is_set(run, "step"))
		return 0;
	ret->start_step = json_str(run, "step");
	ret->start_error = json_str(run, "error");
	object = step_object(ret->start_step, json_object_get(text->show, "spec"));
	if (!object)
		return -ENOMEM;
	text->start_failure = text_printf("%s%s%s%s: %s", ret->start_step,
		*object ? " '" : "", object, *object ? "'" : "", ret->start_error);
	return text->start_failure ? 0 : -ENOMEM;
}
