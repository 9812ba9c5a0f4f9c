/*
 * Cuts a stream of bytes into Varlink messages: JSON objects, each ended by a NUL.
 *
 * Every byte is looked at once, however small the pieces in which it comes. What is
 * looked at is only what must be known before a JSON parser may see the message: that
 * it is not over the size limit, not nested too deeply, begins with '{', closes what it
 * opens, and has nothing after its last brace. All else (is it JSON?) is message.h's.
 * Where the message itself is wrong a peer is refused at the first wrong byte, not at a
 * NUL that may never come.
 *
 * Pure: no descriptor, no clock. The buffer is freed when nothing is in it, so an idle
 * connection costs no memory here.
 */
#ifndef VARLINK_FRAME_H
#define VARLINK_FRAME_H

#include "base/buf.h"
#include "varlink/limits.h"

enum vl_frame_state {
	VL_FRAME_BEFORE, /* the '{' has not come yet */
	VL_FRAME_INSIDE, /* in the object, outside of strings */
	VL_FRAME_STRING,
	VL_FRAME_ESCAPE, /* in a string, right after a backslash */
	VL_FRAME_AFTER,  /* after the last '}' */
};

struct vl_framer {
	struct buf in;
	size_t scanned;  /* bytes of the message under way that were looked at */
	size_t n_taken;  /* bytes of the message handed out last, its NUL included */
	size_t size_max; /* bytes, without the NUL */
	unsigned depth;
	enum vl_frame_state state;
	int error; /* the stream cannot be understood from here on */
};

void vl_framer_init(struct vl_framer *f, size_t size_max);
void vl_framer_deinit(struct vl_framer *f);

/**
 * Append received bytes. The caller bounds what is held by taking all messages before
 * it reads again: then it is at most size_max and one read.
 *
 * Invalidates the message handed out last.
 *
 * Returns 0, or -ENOMEM (nothing was appended).
 */
int vl_framer_feed(struct vl_framer *f, const void *p, size_t n);

/**
 * Take the next whole message.
 *
 * @ret      the message, with its NUL; may be written to; valid until the next call of
 *           feed, next or deinit
 * @ret_len  its length without the NUL
 *
 * Returns 1; 0 when more bytes are needed; -EMSGSIZE over the size limit; -RV_ELIMIT
 * nested too deeply; -RV_EPROTOCOL no object ended by NUL. Errors are final: the same
 * one comes again from then on.
 */
int vl_framer_next(struct vl_framer *f, char **ret, size_t *ret_len);

/* part of a message is there (the stream must not end now) */
bool vl_framer_is_midway(const struct vl_framer *f);

#endif
