/* `pool`: look at pools, make, change and steer them. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/json.h"
#include "cli/output.h"
#include "client/client.h"

/* ---- ls --------------------------------------------------------------------------------- */

enum {
	COL_NAME,
	COL_SLOTS,
	COL_TAKEN,
	COL_RUNNING,
	COL_QUEUED,
	COL_STATE,
	COL_NOTES,
	N_COLS
};

/* "rate 10/min, pause-on-failure, slots set at run time" */
static void format_notes(char *buf, size_t size, const json_t *pool)
{
	const char *rate = json_str(pool, "rate"), *reason = json_str(pool, "reason");
	json_t *key;
	size_t i, n = 0;

	buf[0] = '\0';
	if (*rate && !STREQ(rate, "infinity"))
		n += (size_t)snprintf(buf + n, size - n, "rate %s, ", rate);
	if (json_is_true(json_object_get(pool, "pause_on_failure")))
		n += (size_t)snprintf(buf + n, size - n, "pause-on-failure, ");
	if (json_is_set(pool, "on_empty"))
		n += (size_t)snprintf(buf + n, size - n, "on-empty, ");
	if (*reason)
		n += (size_t)snprintf(buf + n, size - n, "%s, ", reason);
	if (STREQ(json_str(pool, "origin"), "run time"))
		n += (size_t)snprintf(buf + n, size - n, "added at run time, ");
	json_array_foreach(json_object_get(pool, "changed"), i, key) if (n < size) n +=
		(size_t)snprintf(buf + n, size - n, "%s set at run time, ",
			json_string_value(key));
	if (n > 2 && n < size)
		buf[n - 2] = '\0';
}

static const char *state_of(const json_t *pool)
{
	if (json_is_true(json_object_get(pool, "gone")))
		return "gone";
	if (json_is_true(json_object_get(pool, "paused")))
		return json_is_true(json_object_get(pool, "draining"))
			       ? "paused, draining"
			       : "paused";
	return json_is_true(json_object_get(pool, "draining")) ? "draining" : "open";
}

static int add_row(struct table *t, const json_t *pool)
{
	static const char *const numbers[] = {[COL_SLOTS] = "slots",
		[COL_TAKEN] = "taken",
		[COL_RUNNING] = "running",
		[COL_QUEUED] = "queued"};
	const char *state = state_of(pool);
	char notes[512], number[32];
	int r = table_row(t);

	if (r == 0)
		r = table_cell(t, COL_NAME, json_str(pool, "name"), NULL);
	for (int i = COL_SLOTS; i <= COL_QUEUED && r == 0; i++) {
		int64_t n = json_int(pool, numbers[i], 0);

		if (i == COL_SLOTS && n == UINT32_MAX)
			snprintf(number, sizeof(number), "infinity");
		else
			snprintf(number, sizeof(number), "%" PRId64, n);
		r = table_cell(t, (size_t)i, number, NULL);
	}
	if (r == 0)
		r = table_cell(
			t, COL_STATE, state, STREQ(state, "open") ? NULL : "yellow");
	format_notes(notes, sizeof(notes), pool);
	return r == 0 ? table_cell(t, COL_NOTES, notes[0] ? notes : NULL, NULL) : r;
}

static int print_table(const struct cli *c, const json_t *pools)
{
	static const struct table_column columns[N_COLS] = {{"POOL", 0},
		{"SLOTS", TABLE_RIGHT}, {"TAKEN", TABLE_RIGHT},
		{"RUNNING", TABLE_RIGHT}, {"QUEUED", TABLE_RIGHT}, {"STATE", 0},
		{"NOTES", TABLE_CUT}};
	_cleanup_(table_freep) struct table *t = NULL;
	struct table_style style = {
		.headings = true, .color = c->color_out, .is_tty = c->out_is_tty};
	json_t *pool;
	size_t i;
	int r = table_new(&t, columns, N_COLS, &style);

	json_array_foreach((json_t *)pools, i, pool) if (r == 0) r = add_row(t, pool);
	return r == 0 ? table_print(t, stdout) : r;
}

static int pool_ls(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *reply = NULL;
	json_t *pools;
	int r;

	if (c->opts.n_args > 1)
		return cli_fail(c, CLI_EXIT_USAGE, "pool ls takes no names");
	r = cli_connect(c, &client);
	if (r == 0)
		r = cli_call(c, client, "io.reeve.Pool.List", NULL, &reply);
	if (r != 0)
		return r;
	pools = json_object_get(reply, "pools");
	r = c->json ? json_print(stdout, pools, false) : print_table(c, pools);
	return r < 0 ? cli_fail_write(c, r) : CLI_EXIT_OK;
}

/* ---- changes ---------------------------------------------------------------------------- */

/* the options as io.reeve.Pool.Settings. 0, or the exit code */
static int read_settings(const struct cli *c, json_t **ret)
{
	const char *slots = options_get(&c->opts, OPT_SLOTS);
	const char *rate = options_get(&c->opts, OPT_RATE);
	const char *pause = options_get(&c->opts, OPT_PAUSE_ON_FAILURE);
	const char *on_empty = options_get(&c->opts, OPT_ON_EMPTY);
	_cleanup_json_ json_t *s = json_object();
	int64_t n;
	bool yes;
	int r = s ? 0 : -ENOMEM;

	if (slots && parse_i64(&n, slots, 0, INT32_MAX) < 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"pool: --slots is a number, not '%s'", slots);
	if (pause && parse_bool(&yes, pause) < 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"pool: --pause-on-failure is yes or no, not '%s'", pause);
	if (r == 0 && slots)
		r = json_put(s, "slots", json_integer(n));
	if (r == 0 && rate)
		r = json_put(s, "rate", json_string(rate));
	if (r == 0 && pause)
		r = json_put(s, "pause_on_failure", json_boolean(yes));
	if (r == 0 && on_empty)
		r = json_put(s, "on_empty", json_string(on_empty));
	if (r < 0)
		return cli_fail_errno(c, r, "pool");
	*ret = TAKE_PTR(s);
	return 0;
}

struct pool_verb {
	const char *word, *method;
	bool settings; /* it takes settings, and one name */
};

/* one name: 0, or the exit code. *changed is set where the daemon says so */
static int change_one(struct cli *c, struct client *client, const struct pool_verb *v,
	const char *name, json_t *settings, bool *changed)
{
	_cleanup_json_ json_t *params = json_pack("{s:s}", "name", name);
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_free_ char *method = NULL;
	int r;

	if (!params ||
		(settings && json_object_set(params, "settings", settings) < 0) ||
		asprintf(&method, "io.reeve.Pool.%s", v->method) < 0)
		return cli_fail_errno(c, -ENOMEM, "pool");
	r = cli_call(c, client, method, TAKE_PTR(params), &reply);
	if (r == 0)
		*changed |= !json_object_get(reply, "changed") ||
			    json_is_true(json_object_get(reply, "changed"));
	return r;
}

static int change(struct cli *c, const struct pool_verb *v)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *settings = NULL;
	bool changed = false;
	int r = 0, first = 0;

	if (c->opts.n_args < 2)
		return cli_fail(c, CLI_EXIT_USAGE, "pool %s: which pool?", v->word);
	if (v->settings && c->opts.n_args > 2)
		return cli_fail(c, CLI_EXIT_USAGE, "pool %s takes one name", v->word);
	if (v->settings)
		r = read_settings(c, &settings);
	else if (options_get(&c->opts, OPT_SLOTS) || options_get(&c->opts, OPT_RATE) ||
		 options_get(&c->opts, OPT_PAUSE_ON_FAILURE) ||
		 options_get(&c->opts, OPT_ON_EMPTY))
		return cli_fail(c, CLI_EXIT_USAGE,
			"pool %s takes no settings: pool set does", v->word);
	if (r == 0 && STREQ(v->word, "set") && json_object_size(settings) == 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"pool set: set what? --slots, --rate, --pause-on-failure, "
			"--on-empty");
	if (r == 0)
		r = cli_connect(c, &client);
	if (r != 0)
		return r;
	/* of several each is tried: one that is not there keeps no other */
	for (size_t i = 1; i < c->opts.n_args; i++) {
		r = change_one(c, client, v, c->opts.args[i], settings, &changed);
		first = first ? first : r;
	}
	if (first == 0 && c->json)
		printf("{\"changed\":%s}\n", changed ? "true" : "false");
	return first;
}

int cmd_pool(struct cli *c)
{
	static const struct pool_verb verbs[] = {
		{"add", "Add", true},
		{"set", "Set", true},
		{"reset", "Reset", false},
		{"rm", "Remove", false},
		{"pause", "Pause", false},
		{"resume", "Resume", false},
		{"drain", "Drain", false},
	};
	const char *word = c->opts.n_args > 0 ? c->opts.args[0] : "ls";

	if (STREQ(word, "ls"))
		return pool_ls(c);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (STREQ(verbs[i].word, word))
			return change(c, &verbs[i]);
	return cli_fail(c, CLI_EXIT_USAGE, "pool: %s", c->command->usage);
}
