/*
 * Connecting, listening, and awaiting on bare sockets.
 *
 * Unix sockets by path; sockets of any family that were made elsewhere (socket
 * activation) by descriptor.
 */
#ifndef REEVE_NET_H
#define REEVE_NET_H

#include <sys/socket.h>

#include "reeve/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Connect to a Unix stream socket and start p on it. Waits while the backlog is full.
 *
 * @ret  borrowed, see reeve/transport.h; may be NULL
 *
 * Returns 0 after connection_made; -ECANCELED; -ENOENT, -ECONNREFUSED: nobody is there;
 * -errno. On error p is still the caller's.
 */
RV_AWAIT int rv_net_connect_unix(const char *path, rv_protocol *p, rv_transport **ret);
/**
 * Start p on a connected stream socket, which is the transport's from then on (made
 * non-blocking and close-on-exec). Not an await; the loop is the one that runs here.
 *
 * Returns 0 after connection_made; -EINVAL; -EBUSY: a watch is on fd; -ENOMEM; -errno;
 * -RV_ENOTASK: no loop runs here. On error fd and p are still the caller's.
 */
RV_PUBLIC int rv_net_open_fd(int fd, rv_protocol *p, rv_transport **ret);

typedef struct rv_server rv_server;

typedef struct rv_listen_opts {
	rv_loop *loop; /* NULL: the one that runs in this thread */
	mode_t mode;   /* of the socket file; 0: 0600 */
	int backlog;   /* 0: 128; also how many are accepted per readiness */
	/* Asked for each connection before anything is made of it. False: it is closed;
	 * before that fd, non-blocking, may be sent a last word. NULL: all are welcome.
	 */
	bool (*accept)(int fd, void *arg);
	/* As accept, but it will be closed in any case: err is -EMFILE or -ENFILE. */
	void (*refused)(int fd, int err, void *arg);
	bool keep_path; /* do not remove the socket file when the server closes */
	bool paused;    /* accept nobody before rv_server_start */
} rv_listen_opts;

/**
 * Listen at a path. A socket file on which nobody listens is replaced, any other file
 * refused.
 *
 * @f    makes the protocol of each connection
 * @arg  for f and the hooks
 * @o    NULL: the defaults
 *
 * Returns 0 and one reference; -EADDRINUSE: someone listens there; -EEXIST: not a
 * socket; -errno; -ENOMEM; -RV_ENOTASK: no loop.
 *
 * When descriptors run out (EMFILE) the waiting clients stay in the backlog; it is
 * tried again after a moment, and if that fails too they are accepted one by one with a
 * descriptor kept for this, told by the refused hook, and closed.
 */
RV_PUBLIC int rv_net_listen_unix(const char *path, rv_protocol_factory f, void *arg,
	const rv_listen_opts *o, rv_server **ret);
/** On a listening stream socket, which is the server's from then on unless this fails.
 */
RV_PUBLIC int rv_net_listen_fd(int fd, rv_protocol_factory f, void *arg,
	const rv_listen_opts *o, rv_server **ret);
RV_PUBLIC rv_server *rv_server_ref(rv_server *s);
/** NULL is fine. Does not close. */
RV_PUBLIC void rv_server_unref(rv_server *s);
/** Accept (again). 0; -RV_ESTATE when closed. */
RV_PUBLIC int rv_server_start(rv_server *s);
/** Leave who connects in the backlog until rv_server_start. */
RV_PUBLIC void rv_server_pause(rv_server *s);
/** Stop listening at once. Connections stay. Harmless when closed. */
RV_PUBLIC void rv_server_close(rv_server *s);
RV_PUBLIC bool rv_server_is_closed(const rv_server *s);
RV_PUBLIC size_t rv_server_connections(const rv_server *s);
/** The address of its i-th socket. 0; -ENOENT: there are no more, or it is closed;
 * -errno. */
RV_PUBLIC int rv_server_address(
	const rv_server *s, size_t i, struct sockaddr_storage *ret, socklen_t *ret_len);
/** Wait until it is closed and every connection is lost. 0; -ECANCELED. */
RV_AWAIT int rv_server_wait_closed(rv_server *s);
/**
 * Close it and, as rv_transport_close does, its connections; after grace abort what is
 * left; return when nothing is.
 *
 * Returns 0; -ETIMEDOUT when something had to be aborted; -ECANCELED: everything is
 * closing but nothing was aborted.
 */
RV_AWAIT int rv_server_shutdown(rv_server *s, rv_time grace);

/*
 * On bare non-blocking sockets that no transport owns. -EBUSY if one does. At
 * -ECANCELED nothing was taken, save for what rv_send_all and rv_send_fds had sent
 * already.
 */

/** Bytes, 0 at the end, negative errors. */
RV_AWAIT ssize_t rv_recv(int fd, void *b, size_t n, int flags);
/** 0 when all was taken by the kernel. Never raises SIGPIPE. */
RV_AWAIT int rv_send_all(int fd, const void *b, size_t n);
/** A descriptor, non-blocking and close-on-exec; sa and len may be NULL. */
RV_AWAIT int rv_accept(int fd, struct sockaddr *sa, socklen_t *len);
/**
 * Copy n bytes from a file into a socket, in the kernel. Never raises SIGPIPE.
 *
 * @off  where in the file, moved on by what was sent, also with an error; NULL: from
 *       where the file's own position is, which moves
 *
 * Returns the bytes sent: fewer than n at the end of the file; -RV_ENOSENDFILE: not for
 * these two; -ECANCELED, -errno: off tells how much was sent.
 */
RV_AWAIT ssize_t rv_sendfile(int out, int in, off_t *off, size_t n);
/** Send nb bytes, at least one, and n descriptors (at most 253) along with the first.
 */
RV_AWAIT int rv_send_fds(int sock, const int *fds, size_t n, const void *b, size_t nb);
/**
 * Receive one piece with its descriptors, close-on-exec.
 *
 * @n   in: room in fds, out: how many came; surplus ones are closed
 * @nb  in: room in b, out: bytes; 0: the end
 *
 * Returns 0; -EMSGSIZE: some descriptors could not be received; -errno.
 */
RV_AWAIT int rv_recv_fds(int sock, int *fds, size_t *n, void *b, size_t *nb);

#ifdef __cplusplus
}
#endif
#endif
