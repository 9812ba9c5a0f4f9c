/* `add`: submit a job, or a batch of them, and print the ids. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/batch_submit.h"
#include "cli/cli.h"
#include "cli/command_table.h"
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
	_cleanup_(fclosep) FILE *file = NULL;
	FILE *in = stdin;
	int r;

	if (c->opts.n_args > 0)
		return cli_fail(c, CLI_EXIT_USAGE, "add: --batch takes no command");
	if (!STREQ(path, "-")) {
		in = file = fopen(path, "re");
		if (!file)
			return cli_fail(c, CLI_EXIT_USAGE, "cannot read '%s': %s", path,
				strerror(errno));
	}
	r = cli_connect(c, &client);
	return r != 0 ? r : batch_submit(c, &client, in, defaults);
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
	if (batch && graph)
		return cli_fail(
			c, CLI_EXIT_USAGE, "add: --batch and --graph are two ways");
	if (graph)
		return add_graph(c, &s, graph);
	return batch ? add_batch(c, &s, batch) : add_one(c, &s);
}
