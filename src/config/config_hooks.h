/*
 * What a [service NAME] section says of commands beside the program: hooks around its start
 * and its stop, and what reloads it. Each is command lines for the shell, one after the other,
 * a line each.
 */
#ifndef CONFIG_CONFIG_HOOKS_H
#define CONFIG_CONFIG_HOOKS_H

#include "config/configuration.h"

#define SERVICE_HOOKS(X)            \
	X(PRE_START, "pre-start")   \
	X(POST_START, "post-start") \
	X(PRE_STOP, "pre-stop")     \
	X(POST_STOP, "post-stop")   \
	X(RELOAD, "reload-command")

enum service_hook {
#define X(id, name) HOOK_##id,
	SERVICE_HOOKS(X)
#undef X
		HOOK_N
};
extern const char *const service_hook_name[HOOK_N];

enum { HOOK_LINES_MAX = 16 }; /* of each */

/* of one instance, specifiers put in */
struct service_hooks {
	unsigned refs;
	char **lines[HOOK_N]; /* NULL: none */
	int64_t timeout_usec; /* of each line */
};

/**
 * Of an instance of a section, as an object with one reference.
 *
 * @ret_key  -EINVAL: of what
 * @err      -EINVAL: what is wrong, malloc'd; may be NULL
 *
 * 0; -EINVAL; -ENOMEM.
 */
int config_service_hooks(struct service_hooks **ret, const struct config *c,
	const struct config_named *s, unsigned instance, enum config_key *ret_key,
	char **err);
/* The same of one hook, whose lines are only looked at; its key in any case. */
int config_service_hook_check(const struct config *c, const struct config_named *s,
	unsigned instance, enum service_hook hook, enum config_key *ret_key,
	char **err);
struct service_hooks *service_hooks_ref(struct service_hooks *h);
struct service_hooks *service_hooks_unref(struct service_hooks *h); /* NULL is fine */
bool service_hooks_has(const struct service_hooks *h, enum service_hook hook);

#endif
