/*
 * The protocol machine of a client, without the connection: calls go in and become
 * bytes, received bytes come out as replies. Replies come in the order of the calls.
 *
 * What the server sends is not trusted: sizes, depth, replies nobody asked for.
 */
#ifndef VARLINK_CLIENT_CONN_H
#define VARLINK_CLIENT_CONN_H

#include "varlink/message.h"

struct vl_client_conn;

/* reply_max: bytes of one reply; call_max: of one call (the server has a limit too) */
int vl_client_conn_new(struct vl_client_conn **ret, size_t reply_max, size_t call_max);
struct vl_client_conn *vl_client_conn_free(struct vl_client_conn *c); /* NULL is fine */

/**
 * Append a call to the output.
 *
 * @params  an object, borrowed; NULL for none
 * @flags   VL_CALL_MORE or VL_CALL_ONEWAY
 * @tag     comes back with each of its replies; a oneway call has none
 *
 * Returns 0; -EMSGSIZE, -RV_ELIMIT, -ENOMEM: nothing was appended.
 */
int vl_client_conn_call(struct vl_client_conn *c, const char *method,
	const json_t *params, unsigned flags, uint64_t tag);

/* to be sent; the owner consumes what it has sent */
struct buf *vl_client_conn_output(struct vl_client_conn *c);
/* calls that have not had their last reply */
size_t vl_client_conn_n_pending(const struct vl_client_conn *c);

int vl_client_conn_feed(struct vl_client_conn *c, const void *p, size_t n);

/**
 * The next reply.
 *
 * @ret  filled; vl_reply_message_deinit when done
 *
 * Returns 1; 0 when none is there; -EMSGSIZE, -RV_ELIMIT, -RV_EPROTOCOL the server is
 * wrong (final: close); -ENOMEM (close).
 */
int vl_client_conn_next_reply(
	struct vl_client_conn *c, struct vl_reply_message *ret, uint64_t *ret_tag);

#endif
