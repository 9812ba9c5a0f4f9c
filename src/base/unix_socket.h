/*
 * Unix sockets by path: bound under a tight umask (no window in which others may
 * connect), stale socket files cleared only when nobody answers, paths over sun_path's
 * 107 bytes reached through /proc/self/fd, peers' credentials.
 */
#ifndef BASE_UNIX_SOCKET_H
#define BASE_UNIX_SOCKET_H

#include <sys/socket.h>
#include <sys/un.h>

#include "reeve/base.h"

/**
 * Bind and listen at a path.
 *
 * @type  SOCK_STREAM or SOCK_SEQPACKET; the socket is non-blocking and close-on-exec
 * @mode  of the socket file, from its first moment
 *
 * A socket file on which nobody listens is replaced; a living one is -EADDRINUSE; a
 * file that is no socket is -EEXIST and untouched.
 *
 * Returns 0 or -errno. Two processes that clear the same stale file at once can remove
 * each other's: where that can happen, callers hold a lock of their own. A path over
 * 107 bytes needs /proc, and a last part of at most 80 bytes (-ENAMETOOLONG).
 *
 * The process's umask is changed for a moment: call it before threads
 * create files, or from the only thread that does.
 */
int unix_listen(int *ret_fd, const char *path, int type, mode_t mode, int backlog);

/* Bind a datagram socket at a path; all that is said of unix_listen holds. */
int unix_bind_datagram(int *ret_fd, const char *path, mode_t mode);

/* Connect, blocking or not; the socket is close-on-exec. 0, -errno (-ENOENT and
 * -ECONNREFUSED: nobody is there; -EAGAIN: the backlog is full). */
int unix_connect(int *ret_fd, const char *path, int type, bool nonblock);

#define UNIX_FDS_MAX 253 /* the kernel's limit for one message */

struct unix_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
/* Who connected, or who listened, at that moment. pid is 0 when it lies outside of our
 * pid namespace. 0, -ENOTCONN, -errno. */
int unix_peer_get(struct unix_peer *ret, int fd);

/**
 * Send bytes (at least one) and up to UNIX_FDS_MAX descriptors in one message, without
 * SIGPIPE. When a stream takes only a part of the bytes, the descriptors went with it.
 *
 * Returns the bytes sent, or -errno (-EAGAIN: would block).
 */
ssize_t unix_send_fds(int fd, const void *p, size_t n, const int *fds, size_t n_fds);

/**
 * Receive a message with its descriptors (close-on-exec).
 *
 * @n_fds  in: room in fds; out: how many came. Surplus ones are closed.
 *
 * Returns the bytes, 0 at the end, -errno; -EMSGSIZE when the message was cut: in
 * bytes, or in descriptors because this process may open no more. Its descriptors are
 * closed then, its bytes are lost, and n_fds is unchanged.
 */
ssize_t unix_recv_fds(int fd, void *p, size_t n, int *fds, size_t *n_fds);

#endif
