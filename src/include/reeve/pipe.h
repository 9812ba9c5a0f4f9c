/*
 * Pipes, FIFOs and terminals as transports. (asyncio: connect_read_pipe,
 * connect_write_pipe.) Passing descriptors is in reeve/net.h.
 *
 * Where the other end is closed a reader gets eof_received and connection_lost, and a
 * writer connection_lost, with -EPIPE if something was still to be sent. Writing raises
 * no SIGPIPE.
 */
#ifndef REEVE_PIPE_H
#define REEVE_PIPE_H

#include "reeve/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Read from fd, which is the transport's from then on: made close-on-exec, and
 * non-blocking, which everybody notices who has the same open file. For descriptors that
 * were inherited see rv_pipe_reopen.
 *
 * Errors and the rest as rv_net_open_fd; -EINVAL: a regular file, a directory, a block
 * device, or not open for this direction; those go through reeve/file.h.
 */
RV_PUBLIC int rv_pipe_reader(int fd, rv_protocol *p, rv_transport **ret);
/** Write to fd; the rest as above. rv_transport_write_eof closes it. */
RV_PUBLIC int rv_pipe_writer(int fd, rv_protocol *p, rv_transport **ret);
/** The same as streams, which can do only the one thing. */
RV_PUBLIC int rv_stream_open_reader(int fd, rv_stream **ret);
RV_PUBLIC int rv_stream_open_writer(int fd, rv_stream **ret);

/**
 * Open what fd refers to again, non-blocking, so that whoever shares fd (the shell that
 * gave us stdin) goes on as before.
 *
 * Returns a descriptor of the caller's; -ENXIO for sockets; -errno.
 */
RV_PUBLIC int rv_pipe_reopen(int fd);

#ifdef __cplusplus
}
#endif
#endif
