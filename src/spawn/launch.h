/*
 * Reaching the spawner of a state directory, and starting it where none answers.
 *
 * Never blocks and never sleeps: connect; when nobody is there, launch and watch the
 * ready descriptor; when it is readable ask spawn_ready(), and connect again. That a
 * spawner leaves between the two is possible (it had nothing to do): then once more.
 */
#ifndef SPAWN_LAUNCH_H
#define SPAWN_LAUNCH_H

#include <sys/resource.h>

#include "reeve/base.h"

/* 0; -ENOENT, -ECONNREFUSED: nobody is there, launch one; -EAGAIN: its backlog is full
 */
int spawn_connect(int *ret_fd, const char *state_dir);

struct spawn_launch {
	const char *program;   /* path of reeve-spawner */
	const char *state_dir; /* absolute, there, mode 0700 */
	/* more environment (NULL: none), after PATH, which is all that it gets
	 * otherwise */
	char *const *env;
	bool stay;     /* --stay: do not leave when idle */
	rlim_t nofile; /* soft descriptor limit of runs; 0: that of the caller */
};

/**
 * Start a spawner in a session of its own: cwd "/", stdin and stdout /dev/null, stderr
 * STATE_DIR/spawner.log, no other descriptor, all signals as by default.
 *
 * @ret_pid       our child until it ends or we do: whoever is here then has to wait for
 * it
 * @ret_ready_fd  becomes readable when it listens, or another one does, or it failed;
 * the caller's to watch and to close
 *
 * 0, -errno.
 */
int spawn_launch(pid_t *ret_pid, int *ret_ready_fd, const struct spawn_launch *launch);

/* 0: connect now (to this spawner, or to one that was there before it); -EAGAIN: not
 * yet; else why it did not start (-RV_EINCOMPLETE: it ended without a word, see its
 * log) */
int spawn_ready(int ready_fd);

#endif
