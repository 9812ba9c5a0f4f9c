/* `call`: a function of the daemon as if it were one of the shell's. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/job_end.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"
#include "varlink/bytes_field.h"

/* "key=text" or "key:=JSON" into args. 0, -EINVAL with *err, -ENOMEM */
static int add_argument(json_t *args, const char *word, char **err)
{
	const char *eq = strchr(word, '=');
	bool raw = eq && eq > word && eq[-1] == ':';
	_cleanup_free_ char *key = NULL;
	json_error_t json_error;
	json_t *value;

	if (!eq || eq == word + raw) {
		*err = text_printf("call: '%s' is not KEY=VALUE or KEY:=JSON", word);
		return -EINVAL;
	}
	key = strndup(word, (size_t)(eq - word) - raw);
	if (!key)
		return -ENOMEM;
	if (!utf8_is_valid(key, strlen(key))) {
		*err = text_printf("call: the name of an argument is not UTF-8");
		return -EINVAL;
	}
	if (json_object_get(args, key)) {
		*err = text_printf("call: '%s' is given twice", key);
		return -EINVAL;
	}
	if (!raw) /* what is no text goes into the twin, as paths do elsewhere */
		return vl_put_bytes(args, key, eq + 1, strlen(eq + 1));
	value = json_loads(
		eq + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &json_error);
	if (!value || json_object_set_new(args, key, value) < 0) {
		*err = text_printf("call: %s: %s", key, json_error.text);
		return -EINVAL;
	}
	return 0;
}

static int make_spec(struct job_spec *s, const struct cli *c, char **err)
{
	_cleanup_json_ json_t *args = json_object();
	_cleanup_free_ char *text = NULL;
	enum job_field field;
	int r;

	r = submit_spec(s, c, err);
	if (r == 0 && !args)
		r = -ENOMEM;
	if (r == 0 && c->opts.n_args == 0) {
		*err = text_printf("call: which FUNCTION?");
		return -EINVAL;
	}
	for (size_t i = 1; r == 0 && i < c->opts.n_args; i++)
		r = add_argument(args, c->opts.args[i], err);
	if (r == 0)
		r = spec_put_str(s, JOB_FIELD_FUNCTION, c->opts.args[0], err);
	if (r == 0 && json_object_size(args) > 0) {
		text = json_dumps(args, JSON_COMPACT);
		r = text ? spec_put_str(s, JOB_FIELD_ARGUMENTS, text, err) : -ENOMEM;
	}
	return r < 0 ? r : job_spec_check(s, &field, err);
}

/* The job is finished: its value, or why there is none. The exit code */
static int report(const struct cli *c, const json_t *show)
{
	const json_t *job = json_object_get(show, "job"), *run = job_last_run(show);
	json_t *value = json_object_get(run, "value");
	const char *error = json_str(run, "error");
	char outcome[CLI_OUTCOME_MAX];

	if (STREQ(json_str(job, "result"), "succeeded")) {
		if (json_print(stdout, json_is_object(value) ? value : json_null(),
			    c->out_is_tty && !c->json) < 0)
			return cli_fail_write(c, -EIO);
		return CLI_EXIT_OK;
	}
	/* of a function that failed by itself the error is the reason */
	cli_job_outcome(outcome, sizeof(outcome), job);
	if (*json_str(job, "reason"))
		error = "";
	return cli_fail(c, CLI_EXIT_SOME, "%s: job %" PRId64 " %s%s%s", c->opts.args[0],
		json_int(job, "id", 0), outcome, *error ? ": " : "", error);
}

static int wait_and_report(const struct cli *c, struct client *client, int64_t id)
{
	_cleanup_json_ json_t *select = json_pack("{s:[{s:I, s:I}]}", "ids", "first",
		(json_int_t)id, "last", (json_int_t)id);
	_cleanup_json_ json_t *show = NULL;
	int r;

	r = cli_call(c, client, "io.reeve.Job.Wait",
		json_pack("{s:O}", "select", select), NULL);
	if (r == 0)
		r = cli_call(c, client, "io.reeve.Job.Show",
			json_pack("{s:O}", "select", select), &show);
	return r != 0 ? r : report(c, show);
}

int cmd_call(struct cli *c)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_free_ char *err = NULL;
	int64_t id;
	int r;

	r = make_spec(&s, c, &err);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "%s", err ? err : rv_strerror(r));
	r = cli_connect(c, &client);
	if (r == 0)
		r = submit_one(c, &client, &s, false, &id);
	if (r != 0)
		return r;
	if (!options_has(&c->opts, OPT_DETACH))
		return wait_and_report(c, client, id);
	printf(c->json ? "{\"id\":%" PRId64 "}\n" : "%" PRId64 "\n", id);
	return CLI_EXIT_OK;
}
