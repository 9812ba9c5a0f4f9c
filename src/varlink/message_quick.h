/*
 * The quick way through a call: where its members are, without a tree.
 *
 * A JSON library spends more on a small call than everything else together. Nearly
 * every call is plain: the five known members, each once, no escapes outside of the
 * parameters. This finds their places in one pass. All that is not plain, right or
 * wrong, is left to the full parser, which alone decides what is an error: a call
 * accepted here must be accepted there with the same meaning (tests/fuzz/fuzz_call.c
 * compares them).
 */
#ifndef VARLINK_MESSAGE_QUICK_H
#define VARLINK_MESSAGE_QUICK_H

#include <stdbool.h>
#include <stddef.h>

struct vl_quick_call {
	size_t method_at, method_len; /* without the quotes */
	size_t params_at, params_len; /* the object; len 0 when absent or empty. What is
					 inside has still to be parsed */
	unsigned flags;               /* enum vl_call_flags */
};

/* False when the full parser has to look. */
bool vl_quick_scan(struct vl_quick_call *ret, const char *text, size_t len);

#endif
