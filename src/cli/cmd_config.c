/*
 * `config check`: reads the configuration as the daemon would, and reports all that is
 * wrong. The daemon's own reader does it: there must not be a second opinion.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/program.h"
#include "cli/start.h"
#include "cli/text.h"

/* file: NULL for the usual ones. The exit code. */
static int check(const struct cli *c, const char *program, const char *file)
{
	_cleanup_free_ char *option = file ? text_printf("--config=%s", file) : NULL;
	const char *mode = c->target.mode == PATHS_SYSTEM ? "--system" : "--user";
	const char *argv[] = {program, mode, "--check-config", option, NULL};
	int r;

	if (file && !option)
		return cli_fail_errno(c, -ENOMEM, "config check");
	r = program_run(argv, true);
	if (r < 0)
		return cli_fail_errno(c, r, "cannot run %s", program);
	return r == 0 ? CLI_EXIT_OK : CLI_EXIT_SOME;
}

int cmd_config(struct cli *c)
{
	const char *file = options_get(&c->opts, OPT_CONFIG);
	_cleanup_free_ char *program = NULL;
	int r, worst = CLI_EXIT_OK;

	if (c->opts.n_args < 1 || !STREQ(c->opts.args[0], "check"))
		return cli_fail(c, CLI_EXIT_USAGE, "config: check [FILE...]");
	r = program_find(&program, "reeved");
	if (r < 0)
		return cli_fail(c, CLI_EXIT_SOME, "reeved is not installed");
	if (c->opts.n_args == 1)
		return check(c, program, file);
	for (size_t i = 1; i < c->opts.n_args; i++) {
		r = check(c, program, c->opts.args[i]);
		worst = MAX(worst, r);
	}
	return worst;
}
