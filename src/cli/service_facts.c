#include "config.h"

#include "cli/service_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/exit.h"
#include "cli/reply_error.h"
#include "cli/select.h"
#include "cli/text.h"
#include "client/client.h"
#include "job/state.h"

/* One call of the job. 0 with *ret NULL where it is not there any more; or the exit code */
static int call_job(const struct cli *c, struct client *client, const char *method,
	int64_t id, json_t **ret)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:o}", "select", selection_of_id(id));
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_free_ char *error = NULL;
	int r = params ? client_call(client, method, params, &reply, &error, RV_FOREVER)
		       : -ENOMEM;

	if (r < 0)
		return cli_fail_lost(c, r);
	if (r > 0 && exit_code_of_error(error) == CLI_EXIT_NOTHING)
		return 0;
	if (r > 0)
		return cli_fail_reply(c, error, reply);
	*ret = TAKE_PTR(reply);
	return 0;
}

/* ---- what it uses -------------------------------------------------------------------------- */

static int add_use(const struct cli *c, struct client *client, json_t *instance)
{
	int64_t memory = 0, cpu = 0;
	_cleanup_json_ json_t *reply = NULL;
	bool any;
	json_t *p;
	size_t i;
	int r = 0;

	if (json_int(instance, "pid", 0) > 0)
		r = call_job(c, client, "io.reeve.Job.Processes",
			json_int(instance, "job", 0), &reply);
	if (r != 0)
		return r;
	json_array_foreach(json_object_get(reply, "processes"), i, p)
	{
		memory += json_int(p, "memory_bytes", 0);
		cpu += json_int(p, "cpu_usec", 0);
	}
	any = json_array_size(json_object_get(reply, "processes")) > 0;
	if (json_put(instance, "memory_bytes",
		    any ? json_integer(memory) : json_null()) < 0 ||
		json_put(instance, "cpu_usec", any ? json_integer(cpu) : json_null()) <
			0)
		return cli_fail_errno(c, -ENOMEM, "service status");
	return 0;
}

/* ---- its last ends ------------------------------------------------------------------------- */

static bool has_failed(const json_t *run)
{
	int result = job_result_by_name(json_str(run, "result"));

	return result >= 0 && JOB_RESULTS_FAILED >> result & 1;
}

/* *ret_failed: number of the run that failed last; 0: none did */
static int add_ends(const struct cli *c, struct client *client, json_t *instance,
	int64_t *ret_failed)
{
	_cleanup_json_ json_t *reply = NULL, *ends = json_array();
	json_t *runs;
	int r = call_job(
		c, client, "io.reeve.Job.Show", json_int(instance, "job", 0), &reply);

	*ret_failed = 0;
	if (r != 0)
		return r;
	runs = json_object_get(reply, "run_history");
	for (size_t n = json_array_size(runs); n-- > 0 && r == 0;) {
		json_t *run = json_array_get(runs, n);

		if (!json_int(run, "finished_usec", 0))
			continue;
		if (*ret_failed == 0 && has_failed(run))
			*ret_failed = json_int(run, "run", 0);
		if (json_array_size(ends) < SERVICE_ENDS)
			r = json_array_append(ends, run);
	}
	if (r < 0 || json_put(instance, "last_ends", json_incref(ends)) < 0)
		return cli_fail_errno(c, -ENOMEM, "service status");
	return 0;
}

/* ---- what it printed ------------------------------------------------------------------------ */

struct tail {
	const struct cli *c;
	struct buf text;
	int64_t run;
	int exit_code;
};

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct tail *t = arg;
	const json_t *b64 = json_object_get(reply->params, "data_b64");
	_cleanup_free_ void *data = NULL;
	size_t n;
	int r;

	if (reply->error && exit_code_of_error(reply->error) == CLI_EXIT_NOTHING)
		return 0;
	if (reply->error) {
		t->exit_code = cli_fail_reply(t->c, reply->error, reply->params);
		return -ECANCELED;
	}
	t->run = json_int(reply->params, "run", 0);
	if (!json_is_string(b64))
		return 0;
	r = base64_decode(&data, &n, json_string_value(b64), json_string_length(b64));
	if (r >= 0)
		r = buf_append(&t->text, data, n);
	if (r >= 0 && buf_len(&t->text) > SERVICE_OUTPUT_BYTES)
		buf_consume(&t->text, buf_len(&t->text) - SERVICE_OUTPUT_BYTES);
	return r;
}

/* run 0: the newest. 0, or the exit code */
static int read_tail(struct tail *t, struct client *client, int64_t id, int64_t run)
{
	_cleanup_json_ json_t *params = json_pack("{s:o, s:i}", "select",
		selection_of_id(id), "lines", (int)SERVICE_OUTPUT_LINES);
	int r = params ? 0 : -ENOMEM;

	if (r == 0 && run > 0)
		r = json_put(params, "run", json_integer(run));
	if (r == 0)
		r = client_call_more(
			client, "io.reeve.Job.Logs", params, take_page, t, RV_FOREVER);
	if (r == -ECANCELED)
		return t->exit_code;
	return r < 0 ? cli_fail_lost(t->c, r) : 0;
}

/* NULL: out of memory */
static json_t *lines_of(const struct buf *text)
{
	const char *p = buf_head(text), *end = p + buf_len(text);
	_cleanup_json_ json_t *lines = json_array();
	int r = lines ? 0 : -ENOMEM;

	while (p < end && r == 0) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		_cleanup_(buf_deinitp) struct buf line = BUF_NULL;

		r = text_escape(&line, p, n);
		if (r >= 0)
			r = json_array_append_new(lines,
				json_stringn(buf_len(&line) ? buf_head(&line) : "",
					buf_len(&line)));
		p += n + 1;
	}
	return r < 0 ? NULL : TAKE_PTR(lines);
}

/* failed: the run that is looked at where the newest has printed nothing; 0: none */
static int add_output(
	const struct cli *c, struct client *client, json_t *instance, int64_t failed)
{
	struct tail t = {.c = c, .text = BUF_NULL};
	json_t *output = NULL;
	int64_t id = json_int(instance, "job", 0);
	bool newest;
	int r = read_tail(&t, client, id, 0);

	newest = buf_len(&t.text) > 0 || failed == t.run;
	if (r == 0 && !newest && failed > 0)
		r = read_tail(&t, client, id, failed);
	if (r == 0) {
		output =
			buf_len(&t.text) > 0
				? json_pack("{s:I, s:b, s:o}", "run", (json_int_t)t.run,
					  "newest", newest, "lines", lines_of(&t.text))
				: json_null();
		if (json_put(instance, "last_output", output) < 0)
			r = cli_fail_errno(c, -ENOMEM, "service status");
	}
	buf_deinit(&t.text);
	return r;
}

int service_facts_add(const struct cli *c, struct client *client, json_t *service)
{
	json_t *instance;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(service, "instances"), i, instance)
	{
		int64_t failed;

		if (json_int(instance, "job", 0) <= 0)
			continue;
		r = add_use(c, client, instance);
		if (r == 0)
			r = add_ends(c, client, instance, &failed);
		if (r == 0)
			r = add_output(c, client, instance, failed);
		if (r != 0)
			return r;
	}
	return 0;
}
