/* `varlink`: a raw call. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "client/client.h"

struct raw {
	const struct cli *c;
	int exit_code;
};

/* client_reply_fn */
static int print_reply(void *arg, const struct client_reply *reply)
{
	struct raw *raw = arg;

	if (reply->error) {
		raw->exit_code = cli_fail_reply(raw->c, reply->error, reply->params);
		return -ECANCELED;
	}
	if (json_print(stdout, reply->params, raw->c->out_is_tty && !raw->c->json) <
			0 ||
		fflush(stdout) != 0)
		return -EIO;
	return 0;
}

int cmd_varlink(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *params = NULL, *reply = NULL;
	_cleanup_free_ char *error = NULL;
	struct raw raw = {.c = c};
	json_error_t json_error;
	int r;

	if (c->opts.n_args < 1 || c->opts.n_args > 2)
		return cli_fail(
			c, CLI_EXIT_USAGE, "varlink: a METHOD and its PARAMETERS");
	if (!strchr(c->opts.args[0], '.'))
		return cli_fail(c, CLI_EXIT_USAGE,
			"varlink: '%s' is not INTERFACE.METHOD, such as "
			"io.reeve.Job.List",
			c->opts.args[0]);
	if (c->opts.n_args == 2) {
		params = json_loads(
			c->opts.args[1], JSON_REJECT_DUPLICATES, &json_error);
		if (!json_is_object(params))
			return cli_fail(c, CLI_EXIT_USAGE,
				"varlink: not a JSON object: %s",
				params ? c->opts.args[1] : json_error.text);
	}
	r = cli_connect(c, &client);
	if (r != 0)
		return r;
	if (options_has(&c->opts, OPT_MORE)) {
		r = client_call_more(
			client, c->opts.args[0], params, print_reply, &raw, RV_FOREVER);
	} else {
		r = client_call(
			client, c->opts.args[0], params, &reply, &error, RV_FOREVER);
		if (r >= 0)
			r = print_reply(&raw, &(struct client_reply){
						      .params = reply, .error = error});
	}
	if (r == -ECANCELED)
		return raw.exit_code;
	if (r == -EIO)
		return cli_fail_write(c, r);
	return r < 0 ? cli_fail_lost(c, r) : CLI_EXIT_OK;
}
