/*
 * Blocking Varlink client over a Unix socket: for programs that ask and wait, like the
 * CLI. No loop, no thread, no signal: a server that is gone is an error, never SIGPIPE.
 *
 * Every wait looks both ways at once: a server that stops reading until its replies are
 * read cannot deadlock with a client that writes many calls.
 *
 * After a negative result the connection is of no more use, except where said
 * otherwise: further calls give -ENOTCONN. Not thread-safe; use one client a thread.
 *
 * Timeouts are rv_time from now; RV_FOREVER waits without end.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <jansson.h>

#include "reeve/base.h"

/* Bytes of one reply. Servers page what is large; this bounds what one can do to us. */
#define CLIENT_REPLY_MAX (16 * 1024 * 1024)

/* Bytes of one call: the most that message-max can be. The server has its own limit. */
#define CLIENT_CALL_MAX (16 * 1024 * 1024)

struct client;

/**
 * Connect.
 *
 * Returns 0; -ENOENT no such socket; -ECONNREFUSED it is there, but nobody listens;
 * -EACCES; -ETIMEDOUT somebody listens but did not take us in time; other -errno.
 */
int client_open(struct client **ret, const char *path, rv_time timeout);
struct client *client_close(struct client *c); /* takes NULL, returns NULL */
static inline void client_closep(struct client **c)
{
	client_close(*c);
}

/* One reply. The pointers are the client's, and valid until the callback returns. */
struct client_reply {
	const json_t *params; /* an object, never NULL */
	const char *error;    /* full name, NULL when it is none */
	bool continues;       /* further ones follow */
	uint64_t index;       /* of the call in a batch, from 0 */
};

/* Returns 0 to go on. Anything else stops and is what the caller gets: see there. */
typedef int (*client_reply_fn)(void *arg, const struct client_reply *reply);

/**
 * Call a method and wait for its reply.
 *
 * @params     borrowed; NULL for none
 * @ret        the reply's or error's parameters: an object, the caller's to
 * json_decref; may be NULL
 * @ret_error  on 1: the error's name, malloc'd; may be NULL
 *
 * Returns 0; 1 the server answered with an error; -ETIMEDOUT; -ECONNRESET the server
 * went away (whether the call took effect is not known); -RV_EPROTOCOL, -RV_ELIMIT,
 * -EMSGSIZE the reply is wrong, nested too deeply or too long. -EMSGSIZE also when the
 * call itself is over CLIENT_CALL_MAX: then nothing was sent and the connection is as
 * it was.
 */
int client_call(struct client *c, const char *method, const json_t *params,
	json_t **ret, char **ret_error, rv_time timeout);

/**
 * Call with "more": the callback gets each reply, an error too.
 *
 * @timeout  longest silence between two replies
 *
 * Returns 0 after the last reply; what the callback returned, if not 0: then the
 * connection is of no more use, unless it was the last reply; errors as client_call.
 */
int client_call_more(struct client *c, const char *method, const json_t *params,
	client_reply_fn fn, void *arg, rv_time timeout);

/**
 * The same, the pages put together: what the first reply says, and in its array member the
 * items of all of them.
 *
 * @timeout  longest silence between two replies
 *
 * Returns, and what becomes of ret and ret_error, as client_call.
 */
int client_call_pages(struct client *c, const char *method, const json_t *params,
	const char *member, json_t **ret, char **ret_error, rv_time timeout);

/* Send a call that has no reply; waits until the kernel has it. 0, or as client_call.
 */
int client_oneway(
	struct client *c, const char *method, const json_t *params, rv_time timeout);

/*
 * For those who wait for several things at once: start a call, poll client_fd for
 * POLLIN, take what has come. Until its last reply was taken, only these are used.
 */

/* Send a call whole; its replies are taken later. 0, or errors as client_call. */
int client_start(struct client *c, const char *method, const json_t *params, bool more,
	rv_time timeout);

struct client_message {
	json_t *params; /* an object, never NULL; owned */
	char *error;    /* full name, NULL when it is none; owned */
	bool continues;
};
void client_message_deinit(struct client_message *m);

/**
 * Take the next reply. Before polling take until there is none: more than one may have
 * come with one read.
 *
 * @timeout  0: only what is there
 *
 * Returns 1; 0 none came in time, the connection is as it was; errors as client_call.
 */
int client_next(struct client *c, struct client_message *ret, rv_time timeout);
int client_fd(const struct client *c);

struct client_request {
	const char *method;
	json_t *params; /* the client's from then on; NULL for none */
};

/* The next call of a batch: 1 and filled; 0 no more; negative stops the batch. */
typedef int (*client_request_fn)(void *arg, struct client_request *ret);

/**
 * Many calls, pipelined: up to window of them are under way at a time.
 *
 * @next     makes the calls, in order, as there is room for them
 * @fn       gets the replies, in order; reply->index counts the calls
 * @timeout  longest silence while replies are due
 *
 * Returns 0 when all have their reply; what next or fn returned when they stopped it
 * (calls under way took effect or not); errors as client_call.
 */
int client_batch(struct client *c, unsigned window, client_request_fn next,
	client_reply_fn fn, void *arg, rv_time timeout);

#endif
