/* What a peer may make us hold: the bounds of one message. */
#ifndef VARLINK_LIMITS_H
#define VARLINK_LIMITS_H

/* Bytes of one message without its NUL, unless the configuration says otherwise. */
#define VL_MESSAGE_MAX (256 * 1024)

/* Objects and arrays inside each other, the message itself counted. jansson alone would
 * take 2,048, and printing such a value costs 300 bytes of stack a level: more than the
 * stack of a coroutine. */
#define VL_DEPTH_MAX 32

#endif
