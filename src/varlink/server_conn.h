/*
 * The protocol machine of one connection of a server, without the connection: bytes go
 * in, calls come out; replies go in, bytes come out.
 *
 * How the owner drives it:
 *
 *	received bytes:  feed, then pump
 *	pump:            while next_call gives calls, start their handlers; send output();
 *	                 once all is sent and should_close(), close
 *	reading:         paused while wants_pause()
 *	end of stream:   eof, then pump (the peer may still read its replies)
 *	after sending:   pump again when wants_pause() was true
 *	ops->changed:    schedule a pump
 *
 * Handlers answer when they like; replies leave in the order of the calls. What a peer
 * can make grow is bounded by the limits: past the calls (or their bytes) in flight, or
 * with much output unsent, next_call gives none and reading is to pause. A call with
 * "more" that is under way stops all further calls.
 *
 * What breaks the protocol is answered by a last error, behind the replies that are
 * still due, and then should_close() is true.
 *
 * Not thread-safe, except vl_call_parse.
 */
#ifndef VARLINK_SERVER_CONN_H
#define VARLINK_SERVER_CONN_H

#include "varlink/limits.h"
#include "varlink/message.h"
#include "varlink/registry.h"

struct vl_server_conn;
struct vl_call;

struct vl_server_limits {
	size_t message_max; /* bytes of a call */
	size_t reply_max;   /* bytes of a reply: the handler's error, not the peer's */
	unsigned n_calls;   /* calls in flight, those done but waiting their turn too */
	size_t calls_bytes; /* bytes of their messages; one call is always possible */
	size_t output_bytes; /* no call is started while so much waits to be sent */
	/* A longer call is parsed outside of the loop's thread. Parsing and checking
	 * takes about 30 ns a byte: half a millisecond for the default. */
	size_t inline_max;
};

#define VL_SERVER_LIMITS_DEFAULT                                                       \
	{                                                                              \
		.message_max = VL_MESSAGE_MAX, .reply_max = 1024 * 1024,               \
		.n_calls = 64, .calls_bytes = 1024 * 1024, .output_bytes = 256 * 1024, \
		.inline_max = 16 * 1024,                                               \
	}

struct vl_server_ops {
	/**
	 * A reply was given, or a call freed: there may be output, room for calls, a
	 * call whose turn has come, or a reason to close. Never called from within
	 * feed, next_call, accept or the free of the connection. Must not free the
	 * connection; it may pump, but is better off scheduling that, since it runs
	 * inside of a handler. May be NULL.
	 */
	void (*changed)(struct vl_server_conn *c, void *priv);
	/* Error of a call that was freed without an answer; NULL: MethodNotImplemented.
	 */
	const char *dropped_error;
	/* Replies that do not fit the interface are bugs and abort. Costs a look at
	 * each: for tests and debugging. */
	bool check_replies;
};

/**
 * @reg     outlives the connection and its calls
 * @limits  copied; NULL for the default
 * @ops     outlives the connection; may be NULL
 */
int vl_server_conn_new(struct vl_server_conn **ret, const struct vl_registry *reg,
	const struct vl_server_limits *limits, const struct vl_server_ops *ops,
	void *priv);
/* Calls that handlers still hold stay valid; their replies go nowhere. Takes NULL. */
struct vl_server_conn *vl_server_conn_free(struct vl_server_conn *c);

/* 0, -ENOMEM (close then). At most one read of bytes at a time, and none while
 * wants_pause(): that bounds what is held. */
int vl_server_conn_feed(struct vl_server_conn *c, const void *p, size_t n);
/* The peer will send no more. */
void vl_server_conn_eof(struct vl_server_conn *c);

enum vl_next {
	VL_NEXT_NONE = 0,
	VL_NEXT_CALL = 1,  /* its parameters are checked: start the handler */
	VL_NEXT_PARSE = 2, /* a long one: vl_call_parse, then vl_server_conn_accept */
};

/**
 * The next call, in the order of arrival.
 *
 * @ret  the caller's: it gives a final reply or error, and frees it with vl_call_free
 *
 * Calls that cannot be (unknown methods, wrong parameters, org.varlink.service) are
 * answered inside. After VL_NEXT_PARSE nothing comes until accept.
 *
 * Returns enum vl_next, or -ENOMEM: close, nothing more can be said.
 */
int vl_server_conn_next_call(struct vl_server_conn *c, struct vl_call **ret);

/* Parse and check a call that came with VL_NEXT_PARSE. Any thread, which has it alone
 * until it returns; the connection may even be freed meanwhile. */
void vl_call_parse(struct vl_call *call);

/**
 * Go on with a call after vl_call_parse.
 *
 * Returns VL_NEXT_CALL as next_call does; VL_NEXT_NONE when it was answered, or its
 * connection is gone (the call is freed then); -ENOMEM (freed too; close).
 */
int vl_server_conn_accept(struct vl_call *call);

/* What is to be sent; the owner consumes what it has sent. Valid until the connection
 * is freed. */
struct buf *vl_server_conn_output(struct vl_server_conn *c);
/* no call can be taken now: do not read */
bool vl_server_conn_wants_pause(const struct vl_server_conn *c);
/* nothing more will come or go but what is in output() */
bool vl_server_conn_should_close(const struct vl_server_conn *c);
/* calls under way or waiting their turn */
unsigned vl_server_conn_n_calls(const struct vl_server_conn *c);

/*
 * Calls. A handler owns its call until vl_call_free. Exactly one final answer belongs
 * to each, also to a oneway call (where it is not sent but ends the call). Freed
 * without one, an error is sent for it: the order of replies must not wait forever.
 */

/* full name of the method */
const char *vl_call_name(const struct vl_call *call);
const struct vl_method *vl_call_method(const struct vl_call *call);
/* an object, never NULL; borrowed, valid as long as the call, must not be changed */
const json_t *vl_call_params(const struct vl_call *call);
bool vl_call_wants_more(const struct vl_call *call);
bool vl_call_is_oneway(const struct vl_call *call);
/* NULL once the connection is gone, or the final answer was given */
struct vl_server_conn *vl_call_conn(const struct vl_call *call);
/* Its replies go out directly. Before that they are held back, and a handler that gives
 * many should wait for its turn: ops->changed tells when something may have changed. */
bool vl_call_is_first(const struct vl_call *call);

/**
 * Answer. With continues further replies follow, which the call must want.
 *
 * @params  an object, borrowed; NULL for an empty one
 *
 * Returns 0; -ECONNRESET the connection is gone (a streaming handler stops, others need
 * not care); -EMSGSIZE over reply_max, -RV_ELIMIT nested too deeply, -ENOMEM: nothing
 * was sent, the call still waits for an answer.
 */
int vl_call_reply(struct vl_call *call, const json_t *params, bool continues);
/* The same with the text of an object, made by json_write.h, possibly in another
 * thread. */
int vl_call_reply_text(
	struct vl_call *call, const char *params, size_t len, bool continues);
/* name in full: "io.reeve.Job.NotFound"; params as in vl_call_reply. Final. */
int vl_call_error(struct vl_call *call, const char *name, const json_t *params);
/* InvalidParameter by its path; the reason may be NULL. Final. */
int vl_call_invalid(struct vl_call *call, const char *path, const char *reason);
/* PermissionDenied. Final. */
int vl_call_denied(struct vl_call *call);
/* Takes NULL, returns NULL. */
struct vl_call *vl_call_free(struct vl_call *call);

#endif
