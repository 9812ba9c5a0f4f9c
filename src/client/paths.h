/*
 * Where a daemon's socket and state are (BEHAVIOUR.md, "Which daemon").
 *
 *             socket                               state
 *   user      $XDG_RUNTIME_DIR/reeve/control.sock  $XDG_STATE_HOME/reeve/<machine-id>
 *             (without a runtime directory:
 *             <state>/control.sock)
 *   system    /run/reeve/control.sock              /var/lib/reeve
 *
 * The daemon and the CLI both ask here, so that they cannot disagree. Nothing is
 * created and nothing but the machine's id is read.
 */
#ifndef CLIENT_PATHS_H
#define CLIENT_PATHS_H

#include "reeve/base.h"

enum paths_mode { PATHS_USER, PATHS_SYSTEM };

/**
 * What the rules look at; taken from the process by paths_env_get, made up by tests.
 * Strings are borrowed; a relative path in an XDG variable is ignored, as the XDG base
 * directory specification asks for.
 */
struct paths_env {
	const char *home;        /* $HOME, else the passwd entry's; NULL when unknown */
	const char *runtime_dir; /* $XDG_RUNTIME_DIR or NULL */
	const char *state_home;  /* $XDG_STATE_HOME or NULL */
	const char *config_home; /* $XDG_CONFIG_HOME or NULL */
	char machine_id[33];     /* hex; "localhost" where the machine has none */
};

/* fills from environ and /etc/machine-id; home may point into static memory of
 * getpwuid: call it before threads start */
void paths_env_get(struct paths_env *ret);

/**
 * The paths of one mode, malloc'd.
 *
 * Returns 0, -ENOMEM, -ENOENT when user mode has neither a home nor the variables that
 * stand in for it.
 */
int paths_state_dir(char **ret, enum paths_mode mode, const struct paths_env *env);

/**
 * @state_dir  overrides the state directory for the fallback, may be NULL
 */
int paths_socket(char **ret, enum paths_mode mode, const struct paths_env *env,
	const char *state_dir);

/* $XDG_CONFIG_HOME/reeve, or SYSCONFDIR/reeve */
int paths_config_dir(char **ret, enum paths_mode mode, const struct paths_env *env);

#endif
