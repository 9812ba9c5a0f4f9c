#include "job/env_steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/strv.h"

static const char *const step_word[] = {
	[ENV_STEP_ENVIRONMENT] = "=environment ",
	[ENV_STEP_FILE] = "=file ",
	[ENV_STEP_FILE_IF_THERE] = "=file- ",
	[ENV_STEP_PATH] = "=path ",
	[ENV_STEP_VIRTUALENV] = "=virtualenv ",
};

int env_step_add(char ***list, enum env_step step, const char *text)
{
	_cleanup_(buf_deinitp) struct buf entry = BUF_NULL;

	if (buf_printf(&entry, "%s%s", step_word[step], text) < 0)
		return -ENOMEM;
	return strv_append_take(list, buf_steal_str(&entry, NULL));
}

bool env_step_parse(enum env_step *ret, const char **ret_text, const char *entry)
{
	for (size_t i = 0; i < ARRAY_LEN(step_word); i++) {
		size_t n = strlen(step_word[i]);

		if (strncmp(entry, step_word[i], n) != 0)
			continue;
		*ret = (enum env_step)i;
		*ret_text = entry + n;
		return true;
	}
	return false;
}

bool env_has_steps(char *const *list)
{
	STRV_FOREACH(entry, list)
		if (**entry == '=')
			return true;
	return false;
}

bool env_has_files(char *const *list)
{
	enum env_step step;
	const char *text;

	STRV_FOREACH(entry, list)
		if (env_step_parse(&step, &text, *entry) &&
			step != ENV_STEP_ENVIRONMENT && step != ENV_STEP_PATH)
			return true;
	return false;
}

/* in the place of one of its name */
static int set_variable(char ***env, const char *entry)
{
	const char *eq = strchr(entry, '=');
	_cleanup_free_ char *name = eq ? strndup(entry, (size_t)(eq - entry)) : NULL;

	if (!eq)
		return 0; /* a damaged list: nothing */
	return name ? strv_env_set(env, name, eq + 1) : -ENOMEM;
}

static void unset(char **env, const char *name)
{
	size_t n = strlen(name), kept = 0;

	for (size_t i = 0; env && env[i]; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=')
			free(env[i]);
		else
			env[kept++] = env[i];
	if (env)
		env[kept] = NULL;
}

static int put_in_front(char ***env, const char *dirs)
{
	const char *old = strv_env_get(*env, "PATH");
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;

	if (!old)
		old = ENV_DEFAULT_PATH;
	if (buf_printf(&value, "%s%s%s", dirs, *old ? ":" : "", old) < 0 ||
		buf_append_byte(&value, '\0') < 0)
		return -ENOMEM;
	return strv_env_set(env, "PATH", buf_head(&value));
}

static int put_virtualenv(char ***env, const char *path)
{
	_cleanup_(buf_deinitp) struct buf bin = BUF_NULL;
	int r;

	if (buf_printf(&bin, "%s/bin", path) < 0 || buf_append_byte(&bin, '\0') < 0)
		return -ENOMEM;
	r = strv_env_set(env, "VIRTUAL_ENV", path);
	if (r < 0)
		return r;
	unset(*env, "PYTHONHOME");
	return put_in_front(env, buf_head(&bin));
}

static int put_file(
	char ***env, const char *path, bool if_there, const struct env_steps_io *io)
{
	_cleanup_(strv_freep) char **v = NULL;
	int r = io->read_file(&v, path, if_there, io->arg);

	if (r >= 0 && strv_len(*env) + strv_len(v) > ENV_VARIABLES_MAX)
		r = -RV_ELIMIT;
	STRV_FOREACH(entry, v)
		if (r >= 0)
			r = set_variable(env, *entry);
	return r;
}

static int run_step(char ***env, enum env_step step, const char *text,
	const struct env_steps_io *io)
{
	int r = 0;

	switch (step) {
	case ENV_STEP_ENVIRONMENT: return 0;
	case ENV_STEP_FILE:
	case ENV_STEP_FILE_IF_THERE:
		return io ? put_file(env, text, step == ENV_STEP_FILE_IF_THERE, io) : 0;
	case ENV_STEP_PATH: return put_in_front(env, text);
	case ENV_STEP_VIRTUALENV:
		if (io)
			r = io->check_virtualenv(text, io->arg);
		return r < 0 ? r : put_virtualenv(env, text);
	}
	return 0;
}

int env_steps_run(char ***ret, char *const *list, const struct env_steps_io *io)
{
	_cleanup_(strv_freep) char **env = NULL;

	if (strv_len(list) > ENV_VARIABLES_MAX && env_has_steps(list))
		return -RV_ELIMIT;
	STRV_FOREACH(entry, list) {
		enum env_step step;
		const char *text;
		int r = 0;

		if (**entry != '=')
			r = set_variable(&env, *entry);
		else if (env_step_parse(&step, &text, *entry))
			r = run_step(&env, step, text, io);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(env);
	return 0;
}
