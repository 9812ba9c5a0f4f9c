/* Shared by idl_scan.c and idl_parse.c: text to tokens. */
#ifndef VARLINK_IDL_PRIV_H
#define VARLINK_IDL_PRIV_H

#include "base/buf.h"
#include "varlink/idl.h"

enum vl_token {
	VL_TOKEN_END,
	VL_TOKEN_WORD,  /* letters, digits, '_' '-' '.': a name or a keyword */
	VL_TOKEN_ARROW, /* "->" */
	VL_TOKEN_ARRAY, /* "[]" */
	VL_TOKEN_MAP,   /* "[string]" */
	VL_TOKEN_MARK,  /* one of "():,?" */
};

struct vl_scanner {
	const char *p, *end;
	const char *line_start;
	unsigned line;

	/* the token under way */
	enum vl_token token;
	const char *text;
	size_t len;
	unsigned token_line, token_column;

	struct buf doc; /* comment lines right above the token */
	struct vl_idl_error *error;
};

void vl_scanner_init(
	struct vl_scanner *s, const char *text, size_t len, struct vl_idl_error *error);
void vl_scanner_deinit(struct vl_scanner *s);
/* 0, -EINVAL with the error, -ENOMEM */
int vl_scanner_next(struct vl_scanner *s);
/* Error at the token under way. Returns -EINVAL. */
int vl_scanner_fail(struct vl_scanner *s, const char *fmt, ...) PRINTF(2, 3);
/* Printable form of the token under way, in a static-size buffer of the caller. */
const char *vl_scanner_show(const struct vl_scanner *s, char buf[48]);

static inline bool vl_scanner_at_mark(const struct vl_scanner *s, char c)
{
	return s->token == VL_TOKEN_MARK && *s->text == c;
}

#endif
