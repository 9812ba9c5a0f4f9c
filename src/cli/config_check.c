#include "config.h"

#include "cli/config_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "config/config_file.h"
#include "config/config_load.h"
#include "config/config_print.h"

static json_t *errors_to_json(const struct config_errors *errors)
{
	_cleanup_json_ json_t *o = json_object();
	int r = o ? json_put(o, "errors", json_array()) : -ENOMEM;

	for (size_t i = 0; i < errors->n && r == 0; i++) {
		const struct config_error *e = &errors->v[i];

		r = json_put_append(o, "errors",
			json_pack("{s:s*, s:o*, s:s}", "file", e->file, "line",
				e->line ? json_integer(e->line) : NULL, "message",
				e->text));
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

static int check_json(const struct config_paths *paths, enum check_say say)
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
	if (r < 0 || say == CHECK_TELL)
		json_print(r < 0 ? stderr : stdout, o, false);
	return r;
}

static int check_text(const struct config_paths *paths, enum check_say say)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	int r;

	if (say == CHECK_TELL)
		return config_check_print(stdout, stderr, paths);
	r = config_load(&config, paths, &errors);
	config_errors_print(&errors, stderr);
	return r;
}

int config_check_paths(struct config_paths *ret, enum paths_mode mode, const char *file)
{
	struct paths_env env;

	if (file)
		return config_paths_single(ret, file);
	if (mode == PATHS_SYSTEM)
		return config_paths_system(ret);
	paths_env_get(&env);
	return config_paths_user(ret, env.config_home, env.home);
}

int config_check_tell(const struct cli *c, const struct config_errors *errors)
{
	_cleanup_json_ json_t *o = c->json ? errors_to_json(errors) : NULL;

	if (c->json && !o)
		return -ENOMEM;
	if (c->json)
		json_print(stderr, o, false);
	else
		config_errors_print(errors, stderr);
	return 0;
}

int config_check_load(
	struct cli *c, const struct config_paths *paths, struct config **ret)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	int r = config_load(ret, paths, &errors);

	if (r == -EINVAL) {
		r = config_check_tell(c, &errors);
		if (r >= 0)
			return CLI_EXIT_SOME;
	}
	return r < 0 ? cli_fail_errno(c, r, "config %s", c->opts.args[0]) : 0;
}

int config_check_refused(struct cli *c, const char *error, const json_t *reply)
{
	int code = cli_fail_reply(c, error, reply);
	json_t *line;
	size_t i;

	if (c->json)
		return code;
	fflush(stdout);
	json_array_foreach(json_object_get(reply, "errors"), i, line)
		cli_note(c, "%s", json_is_string(line) ? json_string_value(line) : "?");
	return code;
}

int config_as_read(
	struct cli *c, struct config_as *ret, const char *name, const char *file)
{
	const char *verb = c->opts.args[0];
	int r = config_check_paths(&ret->paths, c->target.mode, NULL);

	if (r >= 0)
		r = config_paths_place(&ret->place, &ret->paths, name);
	if (r == -ENOENT)
		return cli_fail(c, CLI_EXIT_USAGE,
			"config %s: the daemon reads no file '%s'", verb, name);
	if (r >= 0)
		r = file_read(&ret->text, AT_FDCWD, file, CONFIG_FILE_BYTES_MAX);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_SOME, "config %s: '%s': %s", verb, file,
			rv_strerror(r));
	ret->instead = (struct config_instead){
		ret->place, file, buf_head(&ret->text), buf_len(&ret->text)};
	ret->paths.instead = &ret->instead;
	return 0;
}

void config_as_deinit(struct config_as *as)
{
	config_paths_deinit(&as->paths);
	buf_deinit(&as->text);
	free(as->place);
}

int config_check_files(
	const struct cli *c, const struct config_paths *paths, enum check_say say)
{
	struct config_paths all = *paths;
	int r;

	/* a daemon starts without what they name, too */
	all.looks_at_environments = say == CHECK_TELL;
	r = c->json ? check_json(&all, say) : check_text(&all, say);

	if (r == -EINVAL)
		return CLI_EXIT_SOME; /* told */
	return r < 0 ? cli_fail_errno(c, r, "config check") : CLI_EXIT_OK;
}

/* By whose rules one file is judged: by those of the daemon that is meant. An ordinary user who
 * says nothing may have that of the system in mind. */
static enum config_mode daemon_of(
	const struct cli *c, enum paths_mode mode, enum check_say say)
{
	/* one that runs is known */
	bool is_meant = say == CHECK_QUIET || c->target.mode_is_said ||
			(mode == PATHS_SYSTEM && target_is_default(&c->target));

	if (!is_meant)
		return CONFIG_MODE_ANY;
	return mode == PATHS_SYSTEM ? CONFIG_MODE_SYSTEM : CONFIG_MODE_USER;
}

int config_check(
	const struct cli *c, enum paths_mode mode, const char *file, enum check_say say)
{
	_cleanup_(config_paths_deinitp) struct config_paths paths = {0};
	int r = config_check_paths(&paths, mode, file);

	if (r >= 0 && file)
		paths.mode = daemon_of(c, mode, say);
	return r < 0 ? cli_fail_errno(c, r, "config check")
		     : config_check_files(c, &paths, say);
}
