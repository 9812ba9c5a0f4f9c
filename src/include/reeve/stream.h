/*
 * Streams: a connection for tasks, who read and write by awaiting.
 *
 * (asyncio: streams; reader and writer are one object here.) At most one task reads at
 * a time; any may write. Whoever waits for a stream, to read, drain or see it closed, holds
 * a reference until that is over: closing wakes him, dropping the last reference frees it
 * under him. Unlike asyncio, what had arrived before the connection broke
 * can still be read; the error comes after it.
 */
#ifndef REEVE_STREAM_H
#define REEVE_STREAM_H

#include "reeve/group.h"
#include "reeve/net.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_stream rv_stream;

/** 0 and one reference; otherwise as rv_net_connect_unix. */
RV_AWAIT int rv_stream_connect_unix(const char *path, rv_stream **ret);
/** As rv_net_open_fd. */
RV_PUBLIC int rv_stream_open_fd(int fd, rv_stream **ret);
RV_PUBLIC rv_stream *rv_stream_ref(rv_stream *s);
/** NULL is fine. The last one on a stream that is not closed aborts it and reports
 * that. */
RV_PUBLIC void rv_stream_unref(rv_stream *s);

typedef int (*rv_stream_fn)(rv_stream *s, void *arg);

/**
 * Serve each connection with a task of g.
 *
 * The stream is closed when h returns; h takes a reference to keep it. A failure of h
 * is reported and stays its own: g goes on. The server is a child of g as well, so that
 * g ends only after rv_server_close; cancelling g closes the server.
 *
 * @ret  one reference; may be NULL
 *
 * Errors as rv_net_listen_unix and rv_group_spawn_ex.
 */
RV_PUBLIC int rv_serve_unix(
	rv_group *g, const char *path, rv_stream_fn h, void *arg, rv_server **ret);
/** The same on a listening socket; fd is the server's from then on unless this fails.
 */
RV_PUBLIC int rv_serve_fd(
	rv_group *g, int fd, rv_stream_fn h, void *arg, rv_server **ret);

/*
 * Reading. All return -ECANCELED (nothing was taken), -EBUSY (another task reads), or
 * the error that broke the connection.
 */

/** What is there, at least one byte and at most n. Returns how many; 0 at the end. */
RV_AWAIT ssize_t rv_stream_read(rv_stream *s, void *b, size_t n);
/**
 * n bytes exactly.
 *
 * @got  may be NULL; bytes in b, also with -RV_EINCOMPLETE
 *
 * Returns 0; -RV_EINCOMPLETE at the end of the stream: what was left is in b.
 */
RV_AWAIT int rv_stream_readexactly(rv_stream *s, void *b, size_t n, size_t *got);
/**
 * Everything up to and with a separator.
 *
 * @out  valid until the next read on s; not NUL-terminated. Reading from the socket
 * stops meanwhile, so that it can stay where it is.
 *
 * Returns 0; -RV_EINCOMPLETE at the end of the stream, with what was left; -RV_ELIMIT:
 * more than the limit before the separator: *n bytes could be read without passing one,
 * nothing was taken and *out is NULL; -EINVAL: empty separator.
 */
RV_AWAIT int rv_stream_readuntil(
	rv_stream *s, const void *sep, size_t nsep, const char **out, size_t *n);
/**
 * A line with its '\n'; at the end of the stream what is left, then *n == 0.
 *
 * Returns 0; -RV_ELIMIT: too long (the '\n' does not count): the line, or what of it
 * had come, was dropped.
 */
RV_AWAIT int rv_stream_readline(rv_stream *s, const char **out, size_t *n);
/**
 * Everything to the end of the stream, whatever the stream's limit.
 *
 * @max  most bytes to keep
 * @out  to be freed with free(); a NUL that does not count follows it
 *
 * Returns 0; -RV_ELIMIT: more than max came: nothing was taken; -ENOMEM.
 */
RV_AWAIT int rv_stream_read_all(rv_stream *s, size_t max, char **out, size_t *n);
/** The end has come and everything before it was read. */
RV_PUBLIC bool rv_stream_at_eof(const rv_stream *s);
/**
 * Longest piece that rv_stream_readuntil and _readline accept; above twice that reading
 * from the socket pauses. 64 KiB by default. 0; -EINVAL for 0 and for absurd ones.
 */
RV_PUBLIC int rv_stream_set_limit(rv_stream *s, size_t limit);

/** Buffers without limit; follow it with rv_stream_drain. As rv_transport_write. */
RV_PUBLIC int rv_stream_write(rv_stream *s, const void *b, size_t n);
/** As rv_stream_write. */
RV_PUBLIC int rv_stream_printf(rv_stream *s, const char *fmt, ...) RV_PRINTF(2, 3);
/**
 * Wait until the peer has read enough for more to be written.
 *
 * Returns 0; -ECANCELED; the error of the connection, -ECONNRESET where it has none.
 */
RV_AWAIT int rv_stream_drain(rv_stream *s);
/** Write and drain. With -ECANCELED from a wait the bytes are on their way all the
 * same. */
RV_AWAIT int rv_stream_send(rv_stream *s, const void *b, size_t n);
RV_PUBLIC int rv_stream_write_eof(rv_stream *s);
/** Send what is buffered, then end; does not wait. */
RV_PUBLIC void rv_stream_close(rv_stream *s);
/** Drop what is buffered and end. */
RV_PUBLIC void rv_stream_abort(rv_stream *s);
RV_PUBLIC bool rv_stream_is_closing(const rv_stream *s);
/** Until the connection is gone. 0; the error that broke it; -ECANCELED. */
RV_AWAIT int rv_stream_wait_closed(rv_stream *s);
/** For watermarks and info; NULL once the connection is gone. */
RV_PUBLIC rv_transport *rv_stream_transport(const rv_stream *s);

#ifdef __cplusplus
}
#endif
#endif
