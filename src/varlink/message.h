/*
 * Messages: from text to values and back. Which message may come when is
 * server_conn.h's and client_conn.h's matter.
 *
 * A call is {method, parameters, more, oneway, upgrade}; a reply {parameters,
 * continues, error}. Unknown members of a call are refused by name, except names with a
 * dot: Varlink leaves those to vendors' extensions, and they are ignored. Members that
 * are null count as absent. Of a reply unknown members are ignored: servers grow.
 *
 * Everything is strict: duplicate keys, invalid UTF-8, NUL in strings and integers over
 * 64 bits are refused.
 */
#ifndef VARLINK_MESSAGE_H
#define VARLINK_MESSAGE_H

#include <jansson.h>

#include "base/buf.h"
#include "varlink/fault.h"

enum vl_call_flags {
	VL_CALL_MORE = 1 << 0,    /* several replies are wanted */
	VL_CALL_ONEWAY = 1 << 1,  /* no reply is wanted */
	VL_CALL_UPGRADE = 1 << 2, /* the connection is to change its protocol */
};

struct vl_call_message {
	const char *method; /* in the text, or in tree */
	json_t *params;     /* an object, or NULL for none or an empty one; owned */
	unsigned flags;     /* enum vl_call_flags */
	json_t *tree;       /* owned; NULL where the quick way did */
};

void vl_call_message_deinit(struct vl_call_message *m);

/**
 * Decode a call.
 *
 * @text  one message as the framer gives it; a byte of it may be changed, and it must
 *        outlive ret
 *
 * A call without parameters, or with few, is taken apart in place without a tree.
 *
 * Returns 0; -EINVAL: JSON but no call, fault says which member (ret->flags are then
 * what could be read, so that a oneway call gets no answer); -RV_EPROTOCOL: not a JSON
 * object, the fault's reason says why; -ENOMEM. On errors there is nothing to deinit.
 */
int vl_call_decode(
	struct vl_call_message *ret, struct vl_fault *fault, char *text, size_t len);

struct vl_reply_message {
	char *error;    /* its full name, or NULL; owned */
	json_t *params; /* an object, never NULL; owned */
	bool continues;
};

void vl_reply_message_deinit(struct vl_reply_message *m);

/* 0; -RV_EPROTOCOL with the fault's reason (and path, where a member is wrong); -ENOMEM
 */
int vl_reply_decode(struct vl_reply_message *ret, struct vl_fault *fault,
	const char *text, size_t len);

/*
 * Encoders append one message and its NUL to out, or leave it as it was.
 * 0; -ENOMEM; -EMSGSIZE over size_max bytes without the NUL; -RV_ELIMIT nested too
 * deeply.
 */
int vl_encode_call(struct buf *out, size_t size_max, const char *method,
	const json_t *params, unsigned flags);
/* params NULL: {} */
int vl_encode_reply(
	struct buf *out, size_t size_max, const json_t *params, bool continues);
/* params: text of a JSON object, as json_write.h makes it; not looked at */
int vl_encode_reply_text(struct buf *out, size_t size_max, const char *params,
	size_t len, bool continues);
int vl_encode_error(
	struct buf *out, size_t size_max, const char *name, const json_t *params);

#endif
