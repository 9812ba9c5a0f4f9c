/*
 * `config`: what the daemon would read, looked at without it.
 */
#include "config.h"

#include <string.h>

#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/config_check.h"

int cmd_config(struct cli *c)
{
	const char *file = options_get(&c->opts, OPT_CONFIG);
	int worst = CLI_EXIT_OK, r;

	if (c->opts.n_args < 1 || !STREQ(c->opts.args[0], "check"))
		return cli_fail(c, CLI_EXIT_USAGE, "config: check [FILE...]");
	if (c->opts.n_args == 1)
		return config_check(c, c->target.mode, file, CHECK_TELL);
	for (size_t i = 1; i < c->opts.n_args; i++) {
		r = config_check(c, c->target.mode, c->opts.args[i], CHECK_TELL);
		worst = MAX(worst, r);
	}
	return worst;
}
