#include "config.h"

#include "cli/submit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/limits.h"
#include "cli/reply_error.h"
#include "cli/spec_json.h"
#include "cli/text.h"
#include "client/client.h"
#include "varlink/bytes_field.h"

extern char **environ;

/* "-e NAME" stands for NAME=VALUE of the caller */
static int put_callers_variables(
	struct job_spec *s, const struct options *o, char **err)
{
	for (size_t i = 0; i < o->n_hits; i++) {
		const struct option_hit *h = &o->hits[i];
		_cleanup_free_ char *entry = NULL;
		const char *value;
		int r;

		if (h->id != OPT_FIELD + JOB_FIELD_ENV || strchr(h->value, '='))
			continue;
		value = getenv(h->value);
		if (!value) {
			*err = text_printf("--env: %s is not set here", h->value);
			return -EINVAL;
		}
		entry = text_printf("%s=%s", h->value, value);
		if (!entry)
			return -ENOMEM;
		r = spec_put_strv(s, JOB_FIELD_ENV, (char *[]){entry, NULL}, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_relative_stdin(const char *text)
{
	return text[0] != '/' && strcmp(text, "null") != 0 &&
	       strncmp(text, "input:", 6) != 0;
}

/* A path of the command line is relative to where the caller is, not to where the daemon
 * is. 0, -EINVAL, -ENOMEM */
static int put_path(struct job_spec *s, enum job_field f, const char *given, char **err)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0), *path = NULL;

	if (!cwd) {
		*err = text_printf("%s: '%s' is relative to the working directory, "
				   "which cannot be told: %s",
			job_field_info[f].key, given, strerror(errno));
		return -EINVAL;
	}
	path = text_printf("%s/%s", cwd, given);
	return path ? spec_put_str(s, f, path, err) : -ENOMEM;
}

int submit_make_whole(struct job_spec *s, char **err)
{
	const char *cwd = job_str(s, CWD);
	int r = 0;

	if (cwd && cwd[0] != '/')
		r = put_path(s, JOB_FIELD_CWD, cwd, err);
	if (r == 0 && is_relative_stdin(job_str(s, STDIN)))
		r = put_path(s, JOB_FIELD_STDIN, job_str(s, STDIN), err);
	return r;
}

int submit_spec(struct job_spec *s, const struct cli *c, char **err)
{
	int r;

	job_spec_init(s);
	r = spec_copy(s, &c->opts.spec);
	if (r == 0)
		r = put_callers_variables(s, &c->opts, err);
	return r == 0 ? submit_make_whole(s, err) : r;
}

int submit_command(struct job_spec *s, const struct cli *c, char **err)
{
	_cleanup_free_ char *why = NULL;
	enum job_field field;
	int r;

	if (c->opts.n_args > 0) {
		r = spec_put_strv(s, JOB_FIELD_COMMAND, c->opts.args, err);
		if (r < 0)
			return r;
	}
	r = job_spec_says_work(s) ? job_spec_check(s, &field, &why)
				  : job_spec_check_options(s, &field, &why);
	if (r == -EINVAL)
		*err = text_printf(
			"%s: %s", job_field_info[field].key, why ? why : "?");
	return r;
}

int submit_key(const struct cli *c, const char **ret, char made[SUBMIT_MADE_KEY_MAX])
{
	const char *key = options_get(&c->opts, OPT_KEY);

	if (key && !utf8_is_valid(key, strlen(key)))
		return cli_fail(c, CLI_EXIT_USAGE, "--key: not UTF-8");
	if (!key)
		random_id(made);
	*ret = key ? key : made;
	return 0;
}

char *submit_error_text(const char *error, const json_t *params)
{
	_cleanup_free_ char *text = reply_error_text(error, params);
	const char *field = json_str(params, "field");

	/* Invalid says the field itself */
	if (!text || !*field || strncmp(text, field, strlen(field)) == 0)
		return TAKE_PTR(text);
	return text_printf("%s: %s", field, text);
}

size_t submit_json_bytes(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

int submit_put_env(json_t *obj, char *const *env, size_t *ret_bytes)
{
	_cleanup_free_ char **list = calloc(strv_len(env) + 1, sizeof(char *));
	size_t n = 0;
	int r;

	if (!list)
		return -ENOMEM;
	STRV_FOREACH(e, env)
		if (strchr(*e, '=') > *e)
			list[n++] = *e;
	r = vl_put_bytes_array(obj, "env", list);
	if (r < 0)
		return r;
	*ret_bytes = submit_json_bytes(obj);
	return 0;
}

int submit_put_caller(
	const struct cli *c, json_t *obj, const struct job_spec *s, size_t *ret_bytes)
{
	_cleanup_free_ char *cwd = NULL;
	mode_t mask = umask(0);
	int r;

	umask(mask);
	if (!job_spec_has(s, JOB_FIELD_CWD) && !job_spec_has(s, JOB_FIELD_FUNCTION)) {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return cli_fail(c, CLI_EXIT_USAGE,
				"the working directory cannot be told: %s; --cwd names "
				"one",
				strerror(errno));
	}
	r = obj ? submit_put_env(obj, environ, ret_bytes) : -ENOMEM;
	if (r == 0 && cwd)
		r = vl_put_bytes(obj, "cwd", cwd, strlen(cwd));
	if (r == 0)
		r = json_put(obj, "umask", json_integer(mask));
	if (r < 0)
		return cli_fail_errno(c, r, "cannot submit");
	*ret_bytes = submit_json_bytes(obj);
	return 0;
}

json_t *submit_params(json_t *jobs, const json_t *caller, const char *key)
{
	_cleanup_json_ json_t *params = json_object();

	if (!params || json_object_update(params, (json_t *)caller) < 0) {
		json_decref(jobs);
		return NULL;
	}
	if (json_put(params, "jobs", jobs) < 0 ||
		json_put(params, "key", json_string(key)) < 0)
		return NULL;
	return TAKE_PTR(params);
}

/* A call that no setting makes too small is sent unasked. 0, or the exit code */
static int check_size(const struct cli *c, struct client **client, const json_t *params,
	size_t env_bytes)
{
	size_t bytes = submit_json_bytes(params) + LIMITS_CALL_BYTES;
	struct limits limits;
	int r;

	if (bytes <= LIMITS_MESSAGE_MIN)
		return 0;
	r = limits_ask(c, client, &limits);
	if (r != 0 || bytes <= limits.message_max)
		return r;
	return cli_fail(c, CLI_EXIT_REFUSED,
		"the daemon refuses: the job and its environment (%zu bytes) together "
		"are "
		"over message-max = %zu",
		env_bytes, limits.message_max);
}

/* 0 with the reply; 1 with the error's name and the reply; negative: not reached */
static int call_until_answered(const struct cli *c, struct client **client,
	const json_t *params, json_t **ret, char **ret_error)
{
	int r;

	r = client_call(
		*client, "io.reeve.Job.Submit", params, ret, ret_error, RV_FOREVER);
	while (r == -ECONNRESET) {
		if (cli_reconnect(c, client, RV_FOREVER) < 0)
			return r;
		r = client_call(*client, "io.reeve.Job.Submit", params, ret, ret_error,
			RV_FOREVER);
	}
	return r;
}

int submit_one(const struct cli *c, struct client **client, const struct job_spec *s,
	bool split, int64_t *ret_id)
{
	_cleanup_json_ json_t *caller = json_object(), *params = NULL, *reply = NULL;
	_cleanup_free_ char *error = NULL;
	json_t *jobs;
	const char *key;
	char made_key[SUBMIT_MADE_KEY_MAX];
	size_t env_bytes;
	int r;

	r = submit_key(c, &key, made_key);
	if (r == 0)
		r = submit_put_caller(c, caller, s, &env_bytes);
	if (r != 0)
		return r;
	jobs = json_array();
	if (json_array_append_new(jobs, spec_to_json(s)) < 0 ||
		(split && json_put(caller, "split_output", json_true()) < 0)) {
		json_decref(jobs);
		return cli_fail_errno(c, -ENOMEM, "cannot submit");
	}
	params = submit_params(jobs, caller, key);
	if (!params)
		return cli_fail_errno(c, -ENOMEM, "cannot submit");
	r = check_size(c, client, params, env_bytes);
	if (r != 0)
		return r;
	r = call_until_answered(c, client, params, &reply, &error);
	if (r == -ECONNRESET)
		return cli_fail(c, CLI_EXIT_NO_DAEMON,
			"the daemon vanished before it answered; whether the job is "
			"recorded is not known, `--key %s` makes repeating it harmless",
			key);
	if (r < 0)
		return cli_fail_lost(c, r);
	if (r > 0)
		return cli_fail_reply(c, error, reply);
	*ret_id = json_integer_value(json_array_get(json_object_get(reply, "ids"), 0));
	if (*ret_id <= 0)
		return cli_fail(c, CLI_EXIT_REFUSED, "the daemon gave no id");
	return 0;
}
