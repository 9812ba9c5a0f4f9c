#include "config.h"

#include "client/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/macro.h"

static const char *absolute_or_null(const char *path)
{
	return path && path[0] == '/' ? path : NULL;
}

void paths_env_get(struct paths_env *ret)
{
	const struct passwd *pw;

	INVARIANT(ret);
	*ret = (struct paths_env){
		.home = absolute_or_null(getenv("HOME")),
		.runtime_dir = absolute_or_null(getenv("XDG_RUNTIME_DIR")),
		.state_home = absolute_or_null(getenv("XDG_STATE_HOME")),
		.config_home = absolute_or_null(getenv("XDG_CONFIG_HOME")),
	};
	if (!ret->home) {
		pw = getpwuid(geteuid());
		ret->home = pw ? absolute_or_null(pw->pw_dir) : NULL;
	}
	/* Minimal containers have no machine id; one name for all of them is safe,
	 * since the state directory's lock is what keeps two daemons apart. */
	if (machine_id_get(ret->machine_id) < 0)
		memcpy(ret->machine_id, "localhost", sizeof("localhost"));
}

static int join(char **ret, const char *a, const char *b, const char *c)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	char *s;
	int r;

	r = buf_printf(&out, "%s%s%s", a, b, c);
	if (r < 0)
		return r;
	s = buf_steal_str(&out, NULL);
	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

int paths_state_dir(char **ret, enum paths_mode mode, const struct paths_env *env)
{
	INVARIANT(ret && env);
	if (mode == PATHS_SYSTEM)
		return join(ret, "/var/lib/reeve", "", "");
	if (env->state_home)
		return join(ret, env->state_home, "/reeve/", env->machine_id);
	if (env->home)
		return join(ret, env->home, "/.local/state/reeve/", env->machine_id);
	return -ENOENT;
}

int paths_socket(char **ret, enum paths_mode mode, const struct paths_env *env,
	const char *state_dir)
{
	_cleanup_free_ char *state = NULL;
	int r;

	INVARIANT(ret && env);
	if (mode == PATHS_SYSTEM)
		return join(ret, "/run/reeve/control.sock", "", "");
	if (env->runtime_dir)
		return join(ret, env->runtime_dir, "/reeve/control.sock", "");
	if (state_dir)
		return join(ret, state_dir, "/control.sock", "");
	r = paths_state_dir(&state, mode, env);
	if (r < 0)
		return r;
	return join(ret, state, "/control.sock", "");
}

int paths_config_dir(char **ret, enum paths_mode mode, const struct paths_env *env)
{
	INVARIANT(ret && env);
	if (mode == PATHS_SYSTEM)
		return join(ret, SYSCONFDIR, "/reeve", "");
	if (env->config_home)
		return join(ret, env->config_home, "/reeve", "");
	if (env->home)
		return join(ret, env->home, "/.config/reeve", "");
	return -ENOENT;
}
