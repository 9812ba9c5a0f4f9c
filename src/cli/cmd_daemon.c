/* `daemon`: start, stop and look at the daemon. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/autostart.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/config_check.h"
#include "cli/daemon_stop.h"
#include "cli/output.h"
#include "cli/start.h"
#include "cli/systemd.h"
#include "cli/text.h"
#include "cli/time.h"
#include "client/client.h"

/* where the daemon is asked to keep things, in place of its defaults; absolute paths */
struct place {
	char *socket, *state_dir, *config; /* owned; NULL: not said */
};

static void place_deinit(struct place *p)
{
	free(p->socket);
	free(p->state_dir);
	free(p->config);
}

/* the daemon's working directory is not ours */
static int absolute(char **ret, const char *path)
{
	_cleanup_free_ char *cwd = NULL;

	if (!path)
		return 0;
	cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	if (path[0] != '/' && !cwd)
		return -errno;
	*ret = path[0] == '/' ? strdup(path) : text_printf("%s/%s", cwd, path);
	return *ret ? 0 : -ENOMEM;
}

static int read_place(struct place *p, const struct cli *c)
{
	const char *named = target_is_default(&c->target) ? NULL : c->target.socket;
	int r;

	r = absolute(&p->socket, named);
	if (r == 0)
		r = absolute(&p->state_dir, options_get(&c->opts, OPT_STATE_DIR));
	if (r == 0)
		r = absolute(&p->config, options_get(&c->opts, OPT_CONFIG));
	return r;
}

static int started(const struct cli *c, int r, const char *err, const char *state_dir)
{
	if (r < 0)
		return start_fail(c, r, err);
	if (r > 0) {
		cli_note(c, "the daemon is running already");
		return CLI_EXIT_OK;
	}
	if (c->target.mode == PATHS_USER)
		linger_tell_once(c, state_dir);
	return CLI_EXIT_OK;
}

/* @last  where it was before, for what the options do not say; NULL: by the defaults */
static int start(struct cli *c, const struct place *last)
{
	_cleanup_(place_deinit) struct place place = {0};
	_cleanup_free_ char *state_dir = NULL, *err = NULL;
	struct client *client;
	struct paths_env env;
	int r;

	if (client_open(&client, c->target.socket, CLI_CONNECT_TIMEOUT) == 0) {
		client_close(client);
		return started(c, 1, NULL, NULL);
	}
	paths_env_get(&env);
	r = read_place(&place, c);
	if (r == 0 && last && !place.state_dir)
		r = absolute(&place.state_dir, last->state_dir);
	if (r == 0 && last && !place.config)
		r = absolute(&place.config, last->config);
	if (r == 0 && place.state_dir)
		state_dir = strdup(place.state_dir);
	else if (r == 0)
		r = paths_state_dir(&state_dir, c->target.mode, &env);
	if (r == 0 && !state_dir)
		r = -ENOMEM;
	if (r < 0)
		return cli_fail_errno(c, r, "cannot start the daemon");
	stopped_mark_clear(state_dir);
	r = -ENOENT;
	if (!place.socket && !place.state_dir && !place.config)
		r = systemd_start(c->target.mode);
	if (r == -ENOENT)
		r = start_daemon(
			&(struct start_request){
				.mode = c->target.mode,
				.socket =
					place.socket ? place.socket : c->target.socket,
				.state_dir = state_dir,
				.config = place.config,
				.name_socket = place.socket,
				.name_state_dir = place.state_dir,
			},
			&err);
	return started(c, r, err, state_dir);
}

static int daemon_start(struct cli *c)
{
	return start(c, NULL);
}

/* connect and ask for the status. 0, or the exit code */
static int get_status(struct cli *c, struct client **ret_client, json_t **ret)
{
	int r = cli_connect(c, ret_client);

	return r != 0 ? r
		      : cli_call(c, *ret_client, "io.reeve.Daemon.Status", NULL, ret);
}

static int daemon_stop_verb(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *status = NULL;
	pid_t pid;
	int r;

	r = get_status(c, &client, &status);
	if (r != 0)
		return r;
	pid = (pid_t)json_int(status, "pid", 0);
	/* before it is gone: a verb that submits must not start it in between */
	if (*json_str(status, "state_dir"))
		stopped_mark_set(json_str(status, "state_dir"));
	if (systemd_owns(c->target.mode, pid)) {
		client = client_close(client);
		r = systemd_stop(c->target.mode);
		return r < 0 ? cli_fail(c, CLI_EXIT_SOME,
				       "systemctl could not stop reeved.service")
			     : CLI_EXIT_OK;
	}
	return daemon_stop(c, client, pid, options_get(&c->opts, OPT_MODE));
}

/* Its directory and its one file, where those are not what it finds by itself. 0,
 * -ENOMEM */
static int last_place(struct place *ret, const struct cli *c, const json_t *status)
{
	const char *dir = json_str(status, "state_dir");
	const char *config = json_str(status, "config_file");

	if (!c->target.state_dir || !STREQ(dir, c->target.state_dir)) {
		ret->state_dir = strdup(dir);
		if (!ret->state_dir)
			return -ENOMEM;
	}
	if (*config) {
		ret->config = strdup(config);
		if (!ret->config)
			return -ENOMEM;
	}
	return 0;
}

/* Stop the one that answers, if there is nothing that would keep the next one from
 * starting, and start that. What runs goes on meanwhile. */
static int restart(
	struct cli *c, struct client *client, const json_t *status, struct place *last)
{
	const char *mode = options_get(&c->opts, OPT_MODE);
	const char *config = options_get(&c->opts, OPT_CONFIG);
	pid_t pid = (pid_t)json_int(status, "pid", 0);
	int r;

	c->target.mode =
		STREQ(json_str(status, "mode"), "system") ? PATHS_SYSTEM : PATHS_USER;
	r = config_check(
		c, c->target.mode, config ? config : last->config, CHECK_QUIET);
	if (r != 0) {
		cli_note(c, "the daemon was not restarted and goes on");
		return r;
	}
	if (systemd_owns(c->target.mode, pid)) {
		r = systemd_restart(c->target.mode);
		return r < 0 ? cli_fail(c, CLI_EXIT_SOME,
				       "systemctl could not restart reeved.service")
			     : CLI_EXIT_OK;
	}
	r = daemon_stop(c, client, pid, mode ? mode : "detach");
	return r != 0 ? r : start(c, last);
}

static int daemon_restart(struct cli *c)
{
	_cleanup_(place_deinit) struct place last = {0};
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *status = NULL;
	int r;

	r = get_status(c, &client, &status);
	if (r != 0)
		return r;
	r = last_place(&last, c, status);
	if (r < 0)
		return cli_fail_errno(c, r, "cannot restart the daemon");
	return restart(c, client, status, &last);
}

static void print_strings(const char *title, const json_t *list)
{
	json_t *v;
	size_t i;

	json_array_foreach((json_t *)list, i, v) print_pair(stdout, i == 0 ? title : "",
		"%s", json_is_string(v) ? json_string_value(v) : "?");
}

static int daemon_reload(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_free_ char *error = NULL;
	int r;

	r = cli_connect(c, &client);
	if (r != 0)
		return r;
	r = client_call(
		client, "io.reeve.Daemon.Reload", NULL, &reply, &error, RV_FOREVER);
	if (r < 0)
		return cli_fail_lost(c, r);
	if (r > 0)
		return config_check_refused(c, error, reply);
	if (c->json) {
		json_print(stdout, reply, false);
		return CLI_EXIT_OK;
	}
	print_strings("new", json_object_get(reply, "added"));
	print_strings("gone", json_object_get(reply, "gone"));
	print_strings("changed", json_object_get(reply, "changed"));
	print_strings("restarted", json_object_get(reply, "restarted"));
	print_strings("needs restart", json_object_get(reply, "restart_needed"));
	print_strings("problems", json_object_get(reply, "problems"));
	return CLI_EXIT_OK;
}

static void print_status(const struct cli *c, const json_t *s)
{
	_cleanup_(buf_deinitp) struct buf counts = BUF_NULL;
	char span[TIME_TEXT_MAX];
	const char *state;
	json_t *n;

	print_pair(stdout, "version", "%s", json_str(s, "version"));
	print_pair(stdout, "pid", "%" PRId64, json_int(s, "pid", 0));
	print_pair(stdout, "mode", "%s", json_str(s, "mode"));
	print_pair(stdout, "socket", "%s (%s)", c->target.socket,
		target_reason_text(&c->target));
	print_pair(stdout, "state", "%s", json_str(s, "state_dir"));
	print_strings("configuration", json_object_get(s, "config_files"));
	print_pair(stdout, "up for", "%s",
		time_format_span(span, sizeof(span), json_int(s, "uptime_usec", 0)));
	print_pair(stdout, "durability", "%s", json_str(s, "durability"));
	if (json_is_set(s, "spawner_pid"))
		print_pair(stdout, "spawner", "pid %" PRId64,
			json_int(s, "spawner_pid", 0));
	json_object_foreach(json_object_get(s, "jobs"), state,
		n) if (json_integer_value(n) > 0 &&
		       buf_printf(&counts, "%s%" PRId64 " %s",
			       buf_len(&counts) ? ", " : "",
			       (int64_t)json_integer_value(n), state) < 0) return;
	if (buf_len(&counts) == 0)
		print_pair(stdout, "jobs", "none");
	else
		print_pair(stdout, "jobs", "%.*s", (int)buf_len(&counts),
			buf_head(&counts));
	if (json_is_true(json_object_get(s, "shutting_down")))
		print_pair(stdout, "", "shutting down");
	print_strings("needs restart", json_object_get(s, "restart_needed"));
	print_strings("problems", json_object_get(s, "problems"));
}

static int daemon_status(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *status = NULL;
	int r;

	r = get_status(c, &client, &status);
	if (r != 0)
		return r;
	if (!c->json) {
		print_status(c, status);
		return CLI_EXIT_OK;
	}
	if (json_put(status, "chosen", json_string(target_reason_text(&c->target))) <
			0 ||
		json_print(stdout, status, false) < 0)
		return cli_fail_write(c, -EIO);
	return CLI_EXIT_OK;
}

static int daemon_ping(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	rv_time start = rv_now();
	int64_t usec;
	int r;

	r = cli_connect(c, &client);
	if (r == 0)
		r = cli_call(c, client, "io.reeve.Daemon.Ping", NULL, NULL);
	if (r != 0)
		return r;
	usec = (rv_now() - start) / 1000;
	if (c->json)
		printf("{\"elapsed_usec\":%" PRId64 "}\n", usec);
	else
		printf("reeved answers after %" PRId64 ".%03" PRId64 " ms\n",
			usec / 1000, usec % 1000);
	return CLI_EXIT_OK;
}

static int daemon_health(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *status = NULL;
	json_t *problems;
	bool healthy;
	int r;

	r = get_status(c, &client, &status);
	if (r != 0)
		return r;
	problems = json_object_get(status, "problems");
	healthy = json_array_size(problems) == 0;
	if (c->json) {
		_cleanup_json_ json_t *o = json_pack(
			"{s:b, s:O*}", "healthy", (int)healthy, "problems", problems);

		if (o)
			json_print(stdout, o, false);
	} else if (healthy) {
		puts("healthy");
	} else {
		print_strings("problems", problems);
	}
	return healthy ? CLI_EXIT_OK : CLI_EXIT_SOME;
}

int cmd_daemon(struct cli *c)
{
	/* in the order of the words in the table of verbs */
	static int (*const verbs[])(struct cli *) = {daemon_start, daemon_stop_verb,
		daemon_restart, daemon_reload, daemon_status, daemon_ping,
		daemon_health};
	const char *word = c->opts.n_args == 1 ? c->opts.args[0] : NULL;
	const char *mode = options_get(&c->opts, OPT_MODE);

	if (mode && !STREQ(mode, "terminate") && !STREQ(mode, "drain") &&
		!STREQ(mode, "detach"))
		return cli_fail(c, CLI_EXIT_USAGE,
			"daemon: --mode is terminate, drain, or detach");
	for (size_t i = 0; word && i < ARRAY_LEN(verbs); i++)
		if (STREQ(c->command->words[i], word))
			return verbs[i](c);
	return cli_fail(c, CLI_EXIT_USAGE, "daemon: %s", c->command->usage);
}
