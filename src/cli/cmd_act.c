/* The verbs that change jobs: one method each, one selection, a count as the answer. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/select.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"
#include "job/fields.h"
#include "job/select.h"

extern char **environ;

#define STATE(id) (1u << JOB_##id)
#define ACTIVE    (STATE(STARTING) | STATE(RUNNING) | STATE(PAUSED) | STATE(STOPPING))
#define PENDING   (STATE(WAITING) | STATE(DELAYED) | STATE(QUEUED) | STATE(BACKOFF))

struct act {
	const char *method;
	const char *done; /* "cancelled" */
	json_t *params;   /* what goes with every selector; owned */
	int64_t n;
	json_t *refused;  /* array of Refusal; owned */
	json_t *finished; /* ids of those for which it came too late; owned */
};

static int call_chunk(
	const struct cli *c, struct client *client, struct act *a, json_t *select)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *params = json_deep_copy(a->params);
	int r;

	if (!params || !select || json_put(params, "select", select) < 0) {
		json_decref(params);
		return cli_fail_errno(c, -ENOMEM, "%s", c->command->name);
	}
	r = cli_call(c, client, a->method, params, &reply);
	if (r != 0)
		return r;
	a->n += json_int(reply, "n", 0);
	json_array_extend(a->refused, json_object_get(reply, "refused"));
	json_array_extend(a->finished, json_object_get(reply, "finished"));
	return 0;
}

static int report(const struct cli *c, const struct act *a)
{
	size_t n_refused = json_array_size(a->refused), i;
	json_t *refusal, *id;

	if (c->json) {
		_cleanup_json_ json_t *o = json_pack("{s:I, s:O, s:O*}", "n",
			(json_int_t)a->n, "refused", a->refused, "finished",
			json_array_size(a->finished) > 0 ? a->finished : NULL);

		if (o)
			json_print(stdout, o, false);
	} else {
		json_array_foreach(a->refused, i, refusal)
			cli_note(c, "job %" PRId64 ": %s", json_int(refusal, "id", 0),
				json_str(refusal, "message"));
		json_array_foreach(a->finished, i, id)
			cli_note(c, "job %" PRId64 " had finished before",
				(int64_t)json_integer_value(id));
		if (c->out_is_tty && a->n > 0)
			printf("%s %" PRId64 " job%s\n", a->done, a->n,
				text_plural(a->n));
	}
	if (n_refused > 0)
		return CLI_EXIT_SOME;
	if (a->n == 0 && json_array_size(a->finished) == 0)
		return cli_fail(
			c, CLI_EXIT_NOTHING, "%s: no job matches", c->command->name);
	return CLI_EXIT_OK;
}

/* Who names a job wants to hear that it is finished; `cancel --all` means those that
 * are not. 0, -ENOMEM */
static int narrow(struct selection *sel, unsigned states)
{
	int r = 0;

	if (sel->listed || selection_is_absent(sel) ||
		json_object_get(sel->filters, "states"))
		return 0;
	for (int s = 0; s < JOB_STATE_N && r == 0; s++)
		if (states & 1u << s)
			r = json_put_append(
				sel->filters, "states", json_string(job_state_name[s]));
	return r;
}

/* params: taken */
static int act(struct cli *c, const char *method, const char *done, unsigned states,
	json_t *params)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *mine = params, *refused = json_array(),
			      *finished = json_array();
	struct act a = {.method = method,
		.done = done,
		.params = mine,
		.refused = refused,
		.finished = finished};
	int r;

	if (!mine || !refused || !finished)
		return cli_fail_errno(c, -ENOMEM, "%s", c->command->name);
	r = cli_select(c, &sel, SELECT_REQUIRED);
	if (r == 0 && narrow(&sel, states) < 0)
		return cli_fail_errno(c, -ENOMEM, "%s", c->command->name);
	if (r == 0)
		r = cli_connect_for(c, &client, &sel);
	for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
		r = call_chunk(c, client, &a, selection_json(&sel, i));
	return r != 0 ? r : report(c, &a);
}

int cmd_cancel(struct cli *c)
{
	return act(c, "io.reeve.Job.Cancel", "cancelled", JOB_STATES_CURRENT,
		json_object());
}

int cmd_kill(struct cli *c)
{
	const char *text = options_get(&c->opts, OPT_SIGNAL);
	int sig = signal_parse(text ? text : "TERM");

	if (sig < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "kill: unknown signal '%s'", text);
	return act(c, "io.reeve.Job.Kill", "signalled", ACTIVE,
		json_pack("{s:s}", "signal", signal_name(sig)));
}

int cmd_pause(struct cli *c)
{
	return act(c, "io.reeve.Job.Pause", "paused", STATE(RUNNING), json_object());
}

int cmd_resume(struct cli *c)
{
	return act(c, "io.reeve.Job.Resume", "resumed", STATE(PAUSED), json_object());
}

int cmd_hold(struct cli *c)
{
	return act(c, "io.reeve.Job.Hold", "held", PENDING, json_object());
}

int cmd_release(struct cli *c)
{
	return act(c, "io.reeve.Job.Release", "released", STATE(HELD), json_object());
}

int cmd_retry(struct cli *c)
{
	json_t *params = json_object();
	size_t bytes;

	if (options_has(&c->opts, OPT_ENV) &&
		submit_put_env(params, environ, &bytes) < 0) {
		json_decref(params);
		params = NULL;
	}
	return act(c, "io.reeve.Job.Retry", "retrying", STATE(FINISHED), params);
}

int cmd_rm(struct cli *c)
{
	bool force = options_has(&c->opts, OPT_FORCE);

	return act(c, "io.reeve.Job.Remove", "removed",
		force ? JOB_STATES_ALL : STATE(FINISHED),
		force ? json_pack("{s:b}", "force", 1) : json_object());
}

int cmd_force(struct cli *c)
{
	return act(c, "io.reeve.Job.Force", "forced", PENDING | STATE(HELD),
		json_object());
}

int cmd_move(struct cli *c)
{
	const char *where = c->opts.n_args ? c->opts.args[c->opts.n_args - 1] : "";

	if (!STREQ(where, "first") && !STREQ(where, "last"))
		return cli_fail(c, CLI_EXIT_USAGE, "move: where to: first or last?");
	c->opts.n_args--;
	return act(c, "io.reeve.Job.Move", "moved", PENDING | STATE(HELD),
		json_pack("{s:s}", "where", where));
}
