/* `help`, `version`: made from the table of verbs. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/help.h"

/* The text is for people; --json promises that nothing else than JSON is printed. */
static int tell(const struct cli *c, const struct command *cmd)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_(fclosep) FILE *memory = NULL; /* closed before text goes */
	_cleanup_json_ json_t *o = NULL;
	FILE *out = stdout;
	size_t n;

	if (c->json)
		out = memory = open_memstream(&text, &n);
	if (!out)
		return cli_fail_errno(c, -ENOMEM, "help");
	if (cmd)
		help_verb(out, cmd);
	else
		help_verbs(out);
	if (!c->json)
		return CLI_EXIT_OK;
	if (fflush(memory) != 0)
		return cli_fail_errno(c, -ENOMEM, "help");
	o = json_pack("{s:s}", "help", text);
	if (!o || json_print(stdout, o, false) < 0)
		return cli_fail_errno(c, o ? -EIO : -ENOMEM, "help");
	return CLI_EXIT_OK;
}

int cmd_help_of(const struct cli *c)
{
	return tell(c, c->command);
}

int cmd_help(struct cli *c)
{
	const struct command *cmd;

	if (c->opts.n_args == 0)
		return tell(c, NULL);
	cmd = command_find(c->opts.args[0]);
	if (!cmd)
		return cli_fail(
			c, CLI_EXIT_USAGE, "help: unknown verb '%s'", c->opts.args[0]);
	return tell(c, cmd);
}

int cmd_version(struct cli *c)
{
	printf(c->json ? "{\"version\":\"%s\"}\n" : "reeve %s\n", PACKAGE_VERSION);
	return CLI_EXIT_OK;
}
