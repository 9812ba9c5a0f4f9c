/*
 * The control socket's file can vanish while the daemon lives: a logout, a cleaner of
 * temporary files, somebody's rm. Jobs and connected clients go on; new clients need the
 * file, so the daemon binds again as soon as there is a directory for it.
 *
 * It costs no wake-up while nothing happens to the file: inotify watches the socket
 * itself, and, once that is gone, the nearest folder above it that is there.
 */
#ifndef DAEMON_SOCKET_GUARD_H
#define DAEMON_SOCKET_GUARD_H

#include <sys/types.h>

#include "reeve/loop.h"

struct control;
struct socket_guard;

/**
 * Bind the control socket and keep it bound.
 *
 * @path        absolute or not, copied
 * @own_folder  its folder is the daemon's own: made where it is missing, mode 0700 for
 *              a user's daemon, else 0755
 *
 * Returns 0, -EADDRINUSE (somebody answers there), another -errno.
 */
int socket_guard_new(struct socket_guard **ret, struct control *control, rv_loop *loop,
	const char *path, mode_t mode, bool own_folder);
struct socket_guard *socket_guard_free(struct socket_guard *g);

#endif
