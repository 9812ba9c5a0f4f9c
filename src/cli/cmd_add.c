/* `add`: submit a job, a batch of them, or one for each item, and print the ids. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/batch_submit.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each.h"
#include "cli/graph_submit.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "client/client.h"

static int add_one(struct cli *c, struct job_spec *s)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_free_ char *err = NULL;
	int64_t id;
	int r;

	r = submit_command(s, c, &err);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "%s", err ? err : rv_strerror(r));
	r = cli_connect(c, &client);
	if (r != 0)
		return r;
	r = submit_one(c, &client, s, false, &id);
	if (r != 0)
		return r;
	printf(c->json ? "{\"id\":%" PRId64 "}\n" : "%" PRId64 "\n", id);
	return CLI_EXIT_OK;
}

static int add_batch(struct cli *c, const struct job_spec *defaults, const char *path)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_close_ int file = -1;
	int in = STDIN_FILENO;
	int r;

	if (c->opts.n_args > 0)
		return cli_fail(c, CLI_EXIT_USAGE, "add: --batch takes no command");
	if (!STREQ(path, "-")) {
		in = file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			return cli_fail(c, CLI_EXIT_USAGE, "cannot read '%s': %s", path,
				strerror(errno));
	}
	r = cli_connect(c, &client);
	return r != 0 ? r : batch_submit(c, &client, in, -1, defaults, NULL, NULL);
}

static int add_each(struct cli *c, const struct job_spec *defaults)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_(each_deinit) struct each e;
	_cleanup_free_ char *err = NULL;
	int r;

	r = each_init(&e, c->opts.args, c->opts.n_args,
		job_spec_has(defaults, JOB_FIELD_SHELL_COMMAND)
			? job_str(defaults, SHELL_COMMAND)
			: NULL,
		STDIN_FILENO, -1, options_has(&c->opts, OPT_NUL), &err);
	if (r < 0)
		return cli_fail(
			c, CLI_EXIT_USAGE, "add: %s", err ? err : rv_strerror(r));
	r = cli_connect(c, &client);
	if (r == 0)
		r = batch_submit_from(c, &client, &e.src, defaults, NULL, NULL);
	if (r == 0 && e.n_made == 0)
		return cli_fail(c, CLI_EXIT_NOTHING, "add: no items");
	return r;
}

/* What does not go together. 0, or the exit code */
static int check_options(const struct cli *c)
{
	bool each = options_has(&c->opts, OPT_EACH);

	if (each + options_has(&c->opts, OPT_BATCH) + options_has(&c->opts, OPT_GRAPH) >
		1)
		return cli_fail(c, CLI_EXIT_USAGE,
			"add: --each, --batch and --graph exclude each other");
	if (!each && options_has(&c->opts, OPT_NUL))
		return cli_fail(c, CLI_EXIT_USAGE, "add: -0 needs --each");
	return 0;
}

static int add_graph(struct cli *c, const struct job_spec *defaults, const char *path)
{
	if (c->opts.n_args > 0)
		return cli_fail(c, CLI_EXIT_USAGE, "add: --graph takes no command");
	return graph_submit(c, path, defaults);
}

int cmd_add(struct cli *c)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	const char *batch = options_get(&c->opts, OPT_BATCH);
	const char *graph = options_get(&c->opts, OPT_GRAPH);
	_cleanup_free_ char *err = NULL;
	int r;

	r = submit_spec(&s, c, &err);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "%s", err ? err : rv_strerror(r));
	r = check_options(c);
	if (r != 0)
		return r;
	if (graph)
		return add_graph(c, &s, graph);
	if (options_has(&c->opts, OPT_EACH))
		return add_each(c, &s);
	return batch ? add_batch(c, &s, batch) : add_one(c, &s);
}
