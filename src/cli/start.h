/*
 * Starting a daemon from the command line: detached, with an environment of its own.
 *
 * It gets cwd /, umask 077, its own session, /dev/null as stdin, <state-dir>/reeved.log
 * as stdout and stderr, no other descriptor but the one on which it tells that it is
 * ready, and exactly these variables, because services and schedules inherit them:
 *
 *   PATH (fixed), HOME, USER, LOGNAME, SHELL (of the passwd entry), and, where the
 *   caller has them, XDG_RUNTIME_DIR, XDG_STATE_HOME, XDG_CONFIG_HOME
 */
#ifndef CLI_START_H
#define CLI_START_H

#include "client/paths.h"
#include "reeve/base.h"

struct start_request {
	enum paths_mode mode;
	const char *socket;    /* where it will listen */
	const char *state_dir; /* made where it is missing */
	const char *config;    /* NULL: the usual files */
	bool name_socket; /* tell it the socket; else it finds the same by itself */
	bool name_state_dir;
};

#define START_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/**
 * Start reeved and wait until it is ready. Two callers at once start one.
 *
 * @err  why it did not start, for people (the end of its log), malloc'd; may be NULL
 *
 * Returns 0; 1 when one is running already; -errno; -RV_ESHUTDOWN when it ended before
 * it was ready.
 */
int start_daemon(const struct start_request *q, char **err);

/**
 * Path of a program of reeve: where the running executable is (build tree, or a tree
 * that was moved), else the installed one. Never by $PATH. malloc'd; -ENOENT, -ENOMEM.
 */
int program_find(char **ret, const char *name);

/* the environment as documented above; NULL when out of memory */
char **start_environment(char *const *caller);

#endif
