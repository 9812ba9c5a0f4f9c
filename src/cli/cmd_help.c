/* `help`, `version`: made from the table of verbs. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/help.h"

int cmd_help(struct cli *c)
{
	const struct command *cmd;

	if (c->opts.n_args == 0) {
		help_verbs(stdout);
		return CLI_EXIT_OK;
	}
	cmd = command_find(c->opts.args[0]);
	if (!cmd)
		return cli_fail(
			c, CLI_EXIT_USAGE, "help: unknown verb '%s'", c->opts.args[0]);
	help_verb(stdout, cmd);
	return CLI_EXIT_OK;
}

int cmd_version(struct cli *c)
{
	printf(c->json ? "{\"version\":\"%s\"}\n" : "reeve %s\n", PACKAGE_VERSION);
	return CLI_EXIT_OK;
}
