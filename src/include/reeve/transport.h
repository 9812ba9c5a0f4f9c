/*
 * Transports and protocols: bytes of a connected stream socket, told by callbacks.
 *
 * (asyncio: transports, protocols.) A transport owns the descriptor and moves bytes; a
 * protocol is what the program makes of them. The transport calls, always from the loop
 * and never one inside another:
 *
 *	connection_made
 *	data_received (or get_buffer and buffer_updated), any number of times
 *	eof_received, at most once
 *	connection_lost, exactly once
 *	destroy
 *
 * Callbacks must not await; rv_transport_spawn starts a task that may. They may call
 * every function here on every transport, rv_transport_close and _abort too:
 * connection_lost never comes from inside another call, but in a later round of the
 * loop.
 *
 * A transport is valid until its connection_lost has returned; who needs it longer
 * takes a reference. On one that is lost all calls are harmless.
 */
#ifndef REEVE_TRANSPORT_H
#define REEVE_TRANSPORT_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "reeve/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_transport rv_transport;
typedef struct rv_protocol rv_protocol;

/*
 * What a protocol does. All members may be NULL. Those that return int fail the
 * connection with a negative error: it is reported, and connection_lost gets it.
 */
typedef struct rv_protocol_ops {
	/* Reading begins only after it has returned; rv_transport_pause_reading holds.
	 */
	void (*connection_made)(rv_protocol *p, rv_transport *t);
	/* buf is valid during the call, n > 0 */
	int (*data_received)(rv_protocol *p, const void *buf, size_t n);
	/*
	 * Not NULL: data goes straight into the protocol's own memory. Returns where to
	 * and *cap, the room there; hint is a good size. No room (NULL or 0) fails the
	 * connection with -ENOBUFS. The memory must stay until buffer_updated or
	 * another callback.
	 */
	void *(*get_buffer)(rv_protocol *p, size_t hint, size_t *cap);
	int (*buffer_updated)(rv_protocol *p, size_t n);
	/* The peer sends no more. 1: stay open for writing; 0 (as where it is NULL):
	 * close. */
	int (*eof_received)(rv_protocol *p);
	/* More than the high mark is buffered: called from inside the write that did
	 * it. */
	void (*pause_writing)(rv_protocol *p);
	/* No more than the low mark is. */
	void (*resume_writing)(rv_protocol *p);
	/* err: 0 after close, abort, or the peer's end; else why it was lost, negative.
	 */
	void (*connection_lost)(rv_protocol *p, int err);
	/* Datagrams (reeve/udp.h) have these two instead of data and its end. The
	 * memory is valid during the call. */
	void (*datagram_received)(rv_protocol *p, const void *buf, size_t n,
		const struct sockaddr *from, socklen_t len);
	/* One could not be sent, or came back; the endpoint stays open. */
	void (*error_received)(rv_protocol *p, int err);
	/* Of a child (rv_exec_protocol, reeve/process.h), whose fd this came from: 1 or 2. The
	 * memory is valid during the call. */
	void (*pipe_data_received)(rv_protocol *p, int fd, const void *buf, size_t n);
	/* A pipe is over, once for each: 0, 1 or 2. err as for connection_lost. */
	void (*pipe_connection_lost)(rv_protocol *p, int fd, int err);
	/* The child has ended; its pipes may still be open. */
	void (*process_exited)(rv_protocol *p);
	/* The transport will not use p any more. */
	void (*destroy)(rv_protocol *p);
} rv_protocol_ops;

/* the first member of the program's own struct */
struct rv_protocol {
	const rv_protocol_ops *ops;
};

/** NULL: refuse the connection. */
typedef rv_protocol *(*rv_protocol_factory)(void *arg);

RV_PUBLIC rv_transport *rv_transport_ref(rv_transport *t);
/** NULL is fine. Does not close. */
RV_PUBLIC void rv_transport_unref(rv_transport *t);

/**
 * Send bytes; what the kernel does not take at once is copied and sent later.
 *
 * Returns 0; -RV_ESTATE after rv_transport_write_eof; -EINVAL; -ENOMEM: the rest could
 * not be kept, and the connection is being lost with that. When the peer is gone or the
 * transport closing, data is silently dropped (reported once, at the fifth time):
 * connection_lost tells why.
 */
RV_PUBLIC int rv_transport_write(rv_transport *t, const void *p, size_t n);
/** The same for several pieces, in one system call. */
RV_PUBLIC int rv_transport_writev(rv_transport *t, const struct iovec *v, int n);
/** The same without copying: d(p) is called once, whatever happens; d may be NULL. */
RV_PUBLIC int rv_transport_write_take(rv_transport *t, void *p, size_t n, rv_dtor d);
/** Tell the peer that no more comes, after what is buffered. Twice is harmless. */
RV_PUBLIC int rv_transport_write_eof(rv_transport *t);
/**
 * Stop reading, send what is buffered, then connection_lost(0). A peer that does not
 * read keeps it so for ever: who cannot have that sets a timer and aborts. Never
 * allocates.
 */
RV_PUBLIC void rv_transport_close(rv_transport *t);
/** Drop what is buffered, connection_lost(0) in the next round. Never allocates. */
RV_PUBLIC void rv_transport_abort(rv_transport *t);
/** rv_transport_close or _abort was called, or the connection is lost. */
RV_PUBLIC bool rv_transport_is_closing(const rv_transport *t);

/** No data and no end of file until resumed; idempotent. No system call. */
RV_PUBLIC void rv_transport_pause_reading(rv_transport *t);
RV_PUBLIC void rv_transport_resume_reading(rv_transport *t);
RV_PUBLIC bool rv_transport_is_reading(const rv_transport *t);

/**
 * Set when the protocol is told to stop and go on writing: above high, and at or below
 * low. By default 64 KiB and 16 KiB. Takes effect at once.
 *
 * Returns 0; -EINVAL when high < low.
 */
RV_PUBLIC int rv_transport_set_watermarks(rv_transport *t, size_t high, size_t low);
RV_PUBLIC void rv_transport_watermarks(
	const rv_transport *t, size_t *high, size_t *low);
/** Bytes that were written and not yet taken by the kernel. */
RV_PUBLIC size_t rv_transport_buffered(const rv_transport *t);

/** Hand the connection to p, not NULL. The old one is the caller's again, not
 * destroyed. */
RV_PUBLIC void rv_transport_set_protocol(rv_transport *t, rv_protocol *p);
RV_PUBLIC rv_protocol *rv_transport_protocol(const rv_transport *t);

/**
 * Start a task that belongs to the connection: it is cancelled when that is lost, and
 * the transport stays valid until it has ended. A failure goes to the exception
 * handler.
 *
 * Returns the task, valid until it has ended; NULL with errno set (ENOMEM, EAGAIN,
 * RV_ESHUTDOWN: the connection is lost).
 */
RV_PUBLIC rv_task *rv_transport_spawn(rv_transport *t, rv_fn fn, void *arg);
/** The same with options, as rv_spawn_ex; ret may be NULL. 0, or the errors above. */
RV_PUBLIC int rv_transport_spawn_ex(
	rv_transport *t, const rv_task_opts *o, rv_fn fn, void *arg, rv_task **ret);

struct rv_peer {
	pid_t pid; /* 0: outside of our pid namespace */
	uid_t uid;
	gid_t gid;
};

enum rv_info {
	RV_INFO_FD,       /* const int */
	RV_INFO_PEER,     /* const struct rv_peer: who connected, at that moment; Unix
			 sockets */
	RV_INFO_SOCKNAME, /* const struct sockaddr: our address */
	RV_INFO_PEERNAME, /* const struct sockaddr: the other's */
};

/** Something about the connection, with its size in *n (may be NULL); NULL if not
 * known. Valid until the next call for this transport. */
RV_PUBLIC const void *rv_transport_info(rv_transport *t, enum rv_info key, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
