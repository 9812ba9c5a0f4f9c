/*
 * Which daemon `reeve` talks to, and why that one (BEHAVIOUR.md, "Which daemon"):
 * --socket, else $REEVE_SOCKET, else --system or --user, else root's is the system's
 * and anybody else's is their own.
 */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "client/paths.h"
#include "reeve/base.h"

enum target_reason {
	TARGET_BY_OPTION,   /* --socket */
	TARGET_BY_VARIABLE, /* $REEVE_SOCKET */
	TARGET_BY_MODE,     /* --system, --user */
	TARGET_BY_UID,
};

struct target {
	char *socket;    /* owned */
	char *state_dir; /* owned; NULL when unknown: a socket was named, so it may be
			    anybody's */
	enum paths_mode mode;
	bool mode_is_said; /* by --system or --user */
	enum target_reason reason;
};

struct target_choice {
	const char *socket_option;   /* --socket or NULL */
	const char *socket_variable; /* $REEVE_SOCKET or NULL; empty counts as NULL */
	bool system, user;           /* options; not both */
	uid_t uid;
};

/* 0, -ENOMEM, -EINVAL (system and user), -ENOENT (no home). deinit on success. */
int target_choose(struct target *ret, const struct target_choice *choice,
	const struct paths_env *env);
void target_deinit(struct target *t);

/* "because of --socket" */
const char *target_reason_text(const struct target *t);

/* The default daemon of its mode, which may be started without being told how. */
static inline bool target_is_default(const struct target *t)
{
	return t->reason == TARGET_BY_MODE || t->reason == TARGET_BY_UID;
}

#endif
