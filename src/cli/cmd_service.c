/* `service`, and `start`, `stop`, `restart`, `reload` for short: services are looked at and steered. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/service_facts.h"
#include "cli/service_logs.h"
#include "cli/service_status.h"
#include "cli/service_steer.h"
#include "cli/time.h"
#include "client/client.h"

/* ---- ls --------------------------------------------------------------------------------- */

enum {
	COL_NAME,
	COL_GROUP,
	COL_STATE,
	COL_RUNNING,
	COL_SINCE,
	COL_STARTS,
	COL_RESTARTS,
	COL_NOTES,
	N_COLS
};

struct sums {
	size_t running;
	int64_t starts, restarts, since_usec; /* of the one that changed last */
	const char *why; /* of the first that is not well; NULL: all are */
};

static struct sums sum_up(const json_t *service)
{
	struct sums s = {.why = NULL};
	json_t *i;
	size_t k;

	json_array_foreach(json_object_get(service, "instances"), k, i)
	{
		bool running = STREQ(json_str(i, "state"), "running");
		bool fine = running && !json_is_false(json_object_get(i, "ready"));

		s.running += running;
		s.starts += json_int(i, "starts", 0);
		s.restarts += json_int(i, "restarts", 0);
		s.since_usec = MAX(s.since_usec, json_int(i, "since_usec", 0));
		if (!fine && !s.why)
			s.why = json_str(i, "why");
	}
	return s;
}

const char *service_state_color(const char *state)
{
	if (STREQ(state, "running"))
		return "green";
	return STREQ(state, "failed") ? "red" : "yellow";
}

/* what the configuration does not say, and what is not well */
static const char *note(const json_t *service, const char *why, char *buf, size_t size)
{
	int64_t defined = json_int(service, "defined", 0);

	if (json_int(service, "wanted", 0) == defined)
		return why;
	snprintf(buf, size, "scaled; the configuration says %" PRId64 "%s%s", defined,
		why ? "; " : "", why ? why : "");
	return buf;
}

static int add_row(struct table *t, const struct cli *c, const json_t *service)
{
	const char *state = json_str(service, "state");
	struct sums s = sum_up(service);
	char running[48], since[TIME_TEXT_MAX], starts[24], restarts[24], text[512];
	int r = table_row(t);

	snprintf(running, sizeof(running), "%zu/%" PRId64, s.running,
		json_int(service, "wanted", 0));
	snprintf(starts, sizeof(starts), "%" PRId64, s.starts);
	snprintf(restarts, sizeof(restarts), "%" PRId64, s.restarts);
	if (r == 0)
		r = table_cell(t, COL_NAME, json_str(service, "name"), NULL);
	if (r == 0)
		r = table_cell(t, COL_GROUP, json_str(service, "group"), NULL);
	if (r == 0)
		r = table_cell(t, COL_STATE, state, service_state_color(state));
	if (r == 0)
		r = table_cell(t, COL_RUNNING, running, NULL);
	if (r == 0 && s.since_usec)
		r = table_cell(t, COL_SINCE,
			time_format_relative(
				since, sizeof(since), s.since_usec, c->now_usec),
			NULL);
	if (r == 0)
		r = table_cell(t, COL_STARTS, starts, NULL);
	if (r == 0)
		r = table_cell(t, COL_RESTARTS, restarts, NULL);
	return r == 0 ? table_cell(t, COL_NOTES,
				note(service, s.why, text, sizeof(text)), NULL)
		      : r;
}

static int print_only_names(const json_t *list)
{
	json_t *s;
	size_t i;

	json_array_foreach((json_t *)list, i, s)
	{
		if (puts(json_str(s, "name")) == EOF)
			return -EIO;
	}
	return 0;
}

static int print_list(const struct cli *c, const json_t *list)
{
	static const struct table_column columns[N_COLS] = {{"SERVICE", 0},
		{"GROUP", 0}, {"STATE", 0}, {"RUNNING", TABLE_RIGHT}, {"SINCE", 0},
		{"STARTS", TABLE_RIGHT}, {"RESTARTS", TABLE_RIGHT},
		{"NOTES", TABLE_CUT}};
	_cleanup_(table_freep) struct table *t = NULL;
	struct table_style style = {
		.headings = true, .color = c->color_out, .is_tty = c->out_is_tty};
	json_t *s;
	size_t i;
	int r;

	if (c->json)
		return json_print(stdout, list, false);
	if (options_has(&c->opts, OPT_QUIET))
		return print_only_names(list);
	r = table_new(&t, columns, N_COLS, &style);
	json_array_foreach((json_t *)list, i, s)
	{
		if (r == 0)
			r = add_row(t, c, s);
	}
	return r == 0 ? table_print(t, stdout) : r;
}

/* ---- verbs ------------------------------------------------------------------------------- */

static int ls(struct cli *c, struct client *client, char *const *names, size_t n)
{
	_cleanup_json_ json_t *list = NULL;
	int r = service_select(c, client, "service ls", names, n, true, &list);

	if (r != 0)
		return r;
	r = print_list(c, list);
	return r < 0 ? cli_fail_write(c, r) : CLI_EXIT_OK;
}

static int status(struct cli *c, struct client *client, char *const *names, size_t n)
{
	_cleanup_json_ json_t *list = NULL;
	json_t *s;
	size_t i;
	int r = service_select(c, client, "service status", names, n, true, &list);

	if (r != 0)
		return r;
	json_array_foreach(list, i, s)
	{
		if (r == 0 && (c->json || n > 0))
			r = service_facts_add(c, client, s);
		if (r != 0 || c->json || n == 0)
			continue;
		if (i > 0)
			putchar('\n');
		r = service_print_status(c, s);
	}
	if (r == 0 && (c->json || n == 0) && print_list(c, list) < 0)
		r = cli_fail_write(c, -EIO);
	return r;
}

static int print_why(const struct cli *c, const json_t *list)
{
	json_t *s, *i;
	size_t k, m;

	if (c->json)
		return json_print(stdout, list, false);
	json_array_foreach((json_t *)list, k, s)
	{
		if (json_array_size(json_object_get(s, "instances")) == 0 &&
			print_pair(stdout, json_str(s, "name"),
				"it is to have no instances: reeve service scale %s 1",
				json_str(s, "name")) < 0)
			return -EIO;
		json_array_foreach(json_object_get(s, "instances"), m, i)
		{
			if (print_pair(stdout, json_str(s, "name"), "%" PRId64 ": %s",
				    json_int(i, "instance", 0), json_str(i, "why")) < 0)
				return -EIO;
		}
	}
	return 0;
}

static int why(struct cli *c, struct client *client, char *const *names, size_t n)
{
	_cleanup_json_ json_t *list = NULL;
	int r = service_select(c, client, "service why", names, n, true, &list);

	if (r != 0)
		return r;
	r = print_why(c, list);
	return r < 0 ? cli_fail_write(c, r) : CLI_EXIT_OK;
}

static int run_verb(struct cli *c, const char *word, char *const *names, size_t n)
{
	static const struct {
		const char *word, *method;
		int (*fn)(struct cli *c, struct client *client, char *const *names,
			size_t n);
	} verbs[] = {
		{"ls", NULL, ls},
		{"status", NULL, status},
		{"why", NULL, why},
		{"logs", NULL, service_logs},
		{"start", "Start", NULL},
		{"stop", "Stop", NULL},
		{"restart", "Restart", NULL},
		{"reload", "Reload", NULL},
		{"scale", "Scale", NULL},
		{"reset", "Reset", NULL},
	};
	_cleanup_(client_closep) struct client *client = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!STREQ(verbs[i].word, word))
			continue;
		r = cli_connect(c, &client);
		if (r != 0)
			return r;
		if (options_has(&c->opts, OPT_ROLLING))
			return STREQ(word, "restart")
				       ? service_roll(c, client, word, names, n)
				       : cli_fail(c, CLI_EXIT_USAGE,
						 "service %s: --rolling is for restart",
						 word);
		return verbs[i].fn ? verbs[i].fn(c, client, names, n)
				   : service_steer(c, client, word, verbs[i].method,
					     names, n);
	}
	return cli_fail(c, CLI_EXIT_USAGE,
		"service %s: not one of ls, status, start, stop, restart, reload, "
		"scale, reset, why, logs",
		word);
}

int cmd_service(struct cli *c)
{
	if (c->opts.n_args == 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"service: ls, status, start, stop, restart, reload, scale, "
			"reset, why, or logs?");
	return run_verb(c, c->opts.args[0], c->opts.args + 1, c->opts.n_args - 1);
}

int cmd_start(struct cli *c)
{
	return run_verb(c, "start", c->opts.args, c->opts.n_args);
}

int cmd_stop(struct cli *c)
{
	return run_verb(c, "stop", c->opts.args, c->opts.n_args);
}

int cmd_restart(struct cli *c)
{
	return run_verb(c, "restart", c->opts.args, c->opts.n_args);
}

int cmd_reload(struct cli *c)
{
	return run_verb(c, "reload", c->opts.args, c->opts.n_args);
}
