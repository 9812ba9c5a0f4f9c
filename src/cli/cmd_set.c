/* `set`: properties of jobs that are there. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each_job.h"
#include "cli/select.h"
#include "cli/set.h"
#include "cli/spec_json.h"
#include "cli/text.h"
#include "client/client.h"

int set_put(struct job_spec *spec, json_t *reset, const char *key, const char *value,
	char **err)
{
	const char *names[JOB_FIELD_N], *near;
	int f = job_field_by_key(key);

	if (f < 0) {
		for (size_t i = 0; i < JOB_FIELD_N; i++)
			names[i] = job_field_info[i].key;
		near = str_nearest(key, names, JOB_FIELD_N);
		*err = near ? text_printf("unknown property '%s' (did you mean '%s'?)",
				      key, near)
			    : text_printf("unknown property '%s'", key);
		return -EINVAL;
	}
	if (*value)
		return spec_put_text(spec, (enum job_field)f, value, err);
	job_spec_unset(spec, (enum job_field)f);
	return json_array_append_new(reset, json_string(job_field_info[f].json_name)) <
			       0
		       ? -ENOMEM
		       : 0;
}

/* The operands with '=' in them are what is set; ids and names have none. 0, or the exit
 * code */
static int take_assignments(struct cli *c, struct job_spec *spec, json_t *reset)
{
	_cleanup_free_ char *err = NULL;
	size_t kept = 0, n = 0;

	for (size_t i = 0; i < c->opts.n_args; i++) {
		char *arg = c->opts.args[i], *eq = strchr(arg, '=');
		_cleanup_free_ char *key = NULL;
		int r;

		if (!eq) {
			c->opts.args[kept++] = arg;
			continue;
		}
		n++;
		key = strndup(arg, (size_t)(eq - arg));
		r = key ? set_put(spec, reset, key, eq + 1, &err) : -ENOMEM;
		if (r == -EINVAL || r == -RV_ELIMIT)
			return cli_fail(c, CLI_EXIT_USAGE, "set: %s",
				err ? err : "too many elements");
		if (r < 0)
			return cli_fail_errno(c, r, "set");
	}
	c->opts.n_args = kept;
	return n ? 0
		 : cli_fail(c, CLI_EXIT_USAGE, "set: what? for example: priority=5");
}

/* select: taken */
static int call(const struct cli *c, struct client *client, json_t *select,
	json_t *spec, json_t *reset, struct set_result *res)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *params = json_pack(
		"{s:o, s:O, s:O}", "select", select, "spec", spec, "reset", reset);
	int r;

	if (!params)
		return cli_fail_errno(c, -ENOMEM, "%s", c->command->name);
	r = cli_call(c, client, "io.reeve.Job.Set", params, &reply);
	if (r != 0)
		return r;
	res->n += json_int(reply, "n", 0);
	res->n_unchanged += json_int(reply, "unchanged", 0);
	json_array_extend(res->refused, json_object_get(reply, "refused"));
	return 0;
}

int set_call(const struct cli *c, struct client *client, const struct selection *sel,
	const struct job_spec *spec, json_t *reset, struct set_result *res)
{
	_cleanup_json_ json_t *obj = spec_to_json(spec);
	int r = obj ? 0 : cli_fail_errno(c, -ENOMEM, "%s", c->command->name);

	for (size_t i = 0; r == 0 && i < selection_n_chunks(sel); i++)
		r = call(c, client, selection_json(sel, i), obj, reset, res);
	return r;
}

static int report(const struct cli *c, const struct set_result *res)
{
	const json_t *refusal;
	size_t i;

	if (c->json) {
		_cleanup_json_ json_t *o = json_pack("{s:I, s:I, s:O}", "n",
			(json_int_t)res->n, "unchanged", (json_int_t)res->n_unchanged,
			"refused", res->refused);

		if (!o || json_print(stdout, o, false) < 0)
			return cli_fail_write(c, o ? -EIO : -ENOMEM);
	} else {
		json_array_foreach(res->refused, i, refusal)
			cli_note(c, "job %" PRId64 ": %s", json_int(refusal, "id", 0),
				json_str(refusal, "message"));
		if (res->n > 0)
			printf("%" PRId64 " job%s changed\n", res->n,
				text_plural(res->n));
		if (res->n_unchanged > 0)
			printf("%" PRId64 " job%s unchanged\n", res->n_unchanged,
				text_plural(res->n_unchanged));
	}
	if (json_array_size(res->refused) > 0)
		return CLI_EXIT_SOME;
	if (res->n + res->n_unchanged == 0)
		return cli_fail(
			c, CLI_EXIT_NOTHING, "%s: no job matches", c->command->name);
	return CLI_EXIT_OK;
}

/* `set --all` means those that can be changed; who names a job hears that it has finished.
 * 0, -ENOMEM */
static int only_unfinished(struct selection *sel)
{
	int r = 0;

	if (sel->listed || selection_is_absent(sel) ||
		json_object_get(sel->filters, "states"))
		return 0;
	for (int s = 0; s < JOB_STATE_N && r == 0; s++)
		if (JOB_STATES_CURRENT & 1U << s)
			r = json_put_append(
				sel->filters, "states", json_string(job_state_name[s]));
	return r;
}

/* ---- what it waits for -------------------------------------------------------------- */

/* Lists of jobs are another method, for they are looked up, and make no cycle. Moves those of
 * the spec and of reset into *ret; NULL: there are none. 0, -ENOMEM */
static int take_dependencies(json_t **ret, struct job_spec *spec, json_t *reset)
{
	static const enum job_field fields[] = {
		JOB_FIELD_AFTER, JOB_FIELD_AFTER_ANY, JOB_FIELD_AFTER_FAILURE};
	_cleanup_json_ json_t *lists = json_object();

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *name = job_field_info[fields[i]].json_name;
		json_t *list = json_array(), *word;
		bool said = job_spec_has(spec, fields[i]);
		size_t k;

		STRV_FOREACH(job, said ? spec->v[fields[i]].strv : NULL)
			json_array_append_new(list, json_string(*job));
		job_spec_unset(spec, fields[i]);
		json_array_foreach(reset, k, word)
		{
			if (!STREQ(json_string_value(word), name))
				continue;
			said = true;
			json_array_remove(reset, k);
			break;
		}
		if (!said)
			json_decref(list);
		else if (!lists || json_object_set_new(lists, name, list) < 0)
			return -ENOMEM;
	}
	*ret = json_object_size(lists) > 0 ? TAKE_PTR(lists) : NULL;
	return lists || *ret ? 0 : -ENOMEM;
}

struct dependencies {
	struct cli *c;
	const json_t *lists;
	struct set_result *res;
};

/* each_job_fn: the method takes one at a time */
static int set_dependencies(void *arg, struct client **client, const json_t *job)
{
	struct dependencies *d = arg;
	json_t *params = json_deep_copy(d->lists);
	int r;

	if (!params || json_put(params, "select",
			       selection_of_id(json_int(job, "id", 0))) < 0) {
		json_decref(params);
		return cli_fail_errno(d->c, -ENOMEM, "set");
	}
	r = cli_call(d->c, *client, "io.reeve.Job.SetDependencies", params, NULL);
	d->res->n += r == 0;
	return r;
}

int cmd_set(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *reset = json_array(), *refused = json_array();
	_cleanup_json_ json_t *lists = NULL;
	_cleanup_(job_spec_deinit) struct job_spec spec;
	struct set_result res = {.refused = refused};
	struct dependencies deps = {.c = c, .res = &res};
	int r;

	job_spec_init(&spec);
	if (!reset || !refused)
		return cli_fail_errno(c, -ENOMEM, "set");
	r = take_assignments(c, &spec, reset);
	if (r == 0)
		r = cli_select(c, &sel, SELECT_REQUIRED);
	if (r == 0 && only_unfinished(&sel) < 0)
		return cli_fail_errno(c, -ENOMEM, "set");
	if (r == 0)
		r = cli_connect_for(c, &client, &sel);
	if (r == 0 && take_dependencies(&lists, &spec, reset) < 0)
		return cli_fail_errno(c, -ENOMEM, "set");
	deps.lists = lists;
	for (size_t i = 0; lists && r == 0 && i < selection_n_chunks(&sel); i++)
		r = cli_each_job(
			c, &client, selection_json(&sel, i), set_dependencies, &deps);
	if (spec.set || json_array_size(reset) > 0) {
		res.n = 0; /* the same jobs, which are counted once */
		if (r == 0)
			r = set_call(c, client, &sel, &spec, reset, &res);
	}
	return r != 0 ? r : report(c, &res);
}
