/*
 * `config check`: reads the configuration as the daemon does, with the daemon's own
 * reader, and reports all that is wrong at once.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "config/config_load.h"
#include "config/config_print.h"

static json_t *errors_to_json(const struct config_errors *errors)
{
	_cleanup_json_ json_t *o = json_object();
	int r = o ? json_put(o, "errors", json_array()) : -ENOMEM;

	for (size_t i = 0; i < errors->n && r == 0; i++) {
		const struct config_error *e = &errors->v[i];

		r = json_put_append(o, "errors",
			json_pack("{s:s*, s:i, s:s}", "file", e->file, "line",
				(int)e->line, "message", e->text));
	}
	return r < 0 ? NULL : TAKE_PTR(o);
}

static json_t *files_to_json(const struct config *config)
{
	_cleanup_json_ json_t *o = json_object();
	int r = o ? json_put(o, "files", json_array()) : -ENOMEM;

	for (char **f = config->files; f && *f && r == 0; f++)
		r = json_put_append(o, "files", json_string(*f));
	return r < 0 ? NULL : TAKE_PTR(o);
}

static int check_json(const struct config_paths *paths)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_json_ json_t *o = NULL;
	int r;

	r = config_load(&config, paths, &errors);
	if (r == -ENOMEM)
		return r;
	o = r < 0 ? errors_to_json(&errors) : files_to_json(config);
	if (!o)
		return -ENOMEM;
	json_print(r < 0 ? stderr : stdout, o, false);
	return r;
}

/* takes the paths. The exit code */
static int check(const struct cli *c, int r, struct config_paths *paths)
{
	if (r == 0)
		r = c->json ? check_json(paths)
			    : config_check_print(stdout, stderr, paths);
	config_paths_deinit(paths);
	if (r == -EINVAL)
		return CLI_EXIT_SOME; /* told */
	return r < 0 ? cli_fail_errno(c, r, "config check") : CLI_EXIT_OK;
}

static int check_usual(const struct cli *c)
{
	struct config_paths paths = {0};
	struct paths_env env;
	int r;

	paths_env_get(&env);
	r = c->target.mode == PATHS_SYSTEM
		    ? config_paths_system(&paths)
		    : config_paths_user(&paths, env.config_home, env.home);
	return check(c, r, &paths);
}

static int check_file(const struct cli *c, const char *file)
{
	struct config_paths paths = {0};
	int r;

	r = config_paths_single(&paths, file);
	return check(c, r, &paths);
}

int cmd_config(struct cli *c)
{
	const char *file = options_get(&c->opts, OPT_CONFIG);
	int worst = CLI_EXIT_OK, r;

	if (c->opts.n_args < 1 || !STREQ(c->opts.args[0], "check"))
		return cli_fail(c, CLI_EXIT_USAGE, "config: check [FILE...]");
	if (c->opts.n_args == 1)
		return file ? check_file(c, file) : check_usual(c);
	for (size_t i = 1; i < c->opts.n_args; i++) {
		r = check_file(c, c->opts.args[i]);
		worst = MAX(worst, r);
	}
	return worst;
}
