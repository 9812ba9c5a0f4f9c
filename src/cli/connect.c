#include "config.h"

#include "cli/connect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/macro.h"

static int choose_named(struct target *t, const char *path, enum target_reason reason)
{
	t->reason = reason;
	t->socket = strdup(path);
	return t->socket ? 0 : -ENOMEM;
}

static int choose_default(
	struct target *t, const struct target_choice *c, const struct paths_env *env)
{
	int r;

	t->reason = c->system || c->user ? TARGET_BY_MODE : TARGET_BY_UID;
	r = paths_state_dir(&t->state_dir, t->mode, env);
	if (r < 0)
		return r;
	return paths_socket(&t->socket, t->mode, env, t->state_dir);
}

int target_choose(
	struct target *ret, const struct target_choice *c, const struct paths_env *env)
{
	struct target t = {0};
	int r;

	INVARIANT(ret && c && env);
	if (c->system && c->user)
		return -EINVAL;
	t.mode_is_said = c->system || c->user;
	t.mode = c->system || (!c->user && c->uid == 0) ? PATHS_SYSTEM : PATHS_USER;
	if (c->socket_option)
		r = choose_named(&t, c->socket_option, TARGET_BY_OPTION);
	else if (c->socket_variable && c->socket_variable[0])
		r = choose_named(&t, c->socket_variable, TARGET_BY_VARIABLE);
	else
		r = choose_default(&t, c, env);
	if (r < 0) {
		target_deinit(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void target_deinit(struct target *t)
{
	free(t->socket);
	free(t->state_dir);
	*t = (struct target){0};
}

const char *target_reason_text(const struct target *t)
{
	switch (t->reason) {
	case TARGET_BY_OPTION: return "chosen by --socket";
	case TARGET_BY_VARIABLE: return "chosen by $REEVE_SOCKET";
	case TARGET_BY_MODE:
		return t->mode == PATHS_SYSTEM ? "chosen by --system"
					       : "chosen by --user";
	case TARGET_BY_UID:
		return t->mode == PATHS_SYSTEM ? "the system's, as root is calling"
					       : "this user's own";
	}
	return "";
}
