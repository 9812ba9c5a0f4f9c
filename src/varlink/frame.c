#include "config.h"

#include "varlink/frame.h"

#include <errno.h>

#include "base/error.h"
#include "base/invariant.h"
#include "varlink/plain.h"

/* what an idle connection may keep allocated */
#define KEEP_BYTES 4096

void vl_framer_init(struct vl_framer *f, size_t size_max)
{
	INVARIANT(f && size_max > 0);
	*f = (struct vl_framer){.in = BUF_NULL, .size_max = size_max};
}

void vl_framer_deinit(struct vl_framer *f)
{
	buf_deinit(&f->in);
}

/* The message handed out last is done with. */
static void drop_taken(struct vl_framer *f)
{
	if (f->n_taken == 0)
		return;
	buf_consume(&f->in, f->n_taken);
	f->n_taken = 0;
	if (buf_len(&f->in) == 0)
		buf_trim(&f->in, KEEP_BYTES);
}

int vl_framer_feed(struct vl_framer *f, const void *p, size_t n)
{
	drop_taken(f);
	if (f->error < 0)
		return 0; /* nothing of it will be looked at */
	return buf_append(&f->in, p, n);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One byte outside of strings. 1: the message ends here, 0: goes on, or an error. */
static int scan_byte(struct vl_framer *f, char c)
{
	switch (f->state) {
	case VL_FRAME_BEFORE:
		if (is_space(c))
			return 0;
		if (c != '{')
			return -RV_EPROTOCOL;
		f->depth = 1;
		f->state = VL_FRAME_INSIDE;
		return 0;
	case VL_FRAME_AFTER:
		if (c == '\0')
			return 1;
		return is_space(c) ? 0 : -RV_EPROTOCOL;
	default: break;
	}
	switch (c) {
	case '"': f->state = VL_FRAME_STRING; return 0;
	case '{':
	case '[': return ++f->depth > VL_DEPTH_MAX ? -RV_ELIMIT : 0;
	case '}':
	case ']':
		if (--f->depth == 0)
			f->state = VL_FRAME_AFTER;
		return 0;
	case '\0': return -RV_EPROTOCOL;
	default: return 0;
	}
}

/* From byte i of a string to where it ends or the bytes do. */
static int scan_string(struct vl_framer *f, const char *p, size_t *i, size_t n)
{
	if (f->state == VL_FRAME_STRING)
		*i += plain_span(p + *i, n - *i);
	for (; *i < n; (*i)++) {
		char c = p[*i];

		if (c == '\0')
			return -RV_EPROTOCOL;
		if (f->state == VL_FRAME_ESCAPE) {
			f->state = VL_FRAME_STRING;
		} else if (c == '\\') {
			f->state = VL_FRAME_ESCAPE;
		} else if (c == '"') {
			f->state = VL_FRAME_INSIDE;
			(*i)++;
			return 0;
		}
	}
	return 0;
}

/* Goes on where the last scan stopped. 1: f->scanned bytes are a message with its NUL.
 */
static int scan(struct vl_framer *f)
{
	const char *p = buf_head(&f->in);
	size_t n = buf_len(&f->in), i = f->scanned;
	/* the NUL of the longest message is at [size_max] */
	size_t end = n > f->size_max ? f->size_max + 1 : n;
	int r = 0;

	while (i < end && r == 0) {
		if (f->state == VL_FRAME_STRING || f->state == VL_FRAME_ESCAPE)
			r = scan_string(f, p, &i, end);
		else
			r = scan_byte(f, p[i++]);
	}
	f->scanned = i;
	if (r == 0 && n > f->size_max)
		return -EMSGSIZE;
	return r;
}

int vl_framer_next(struct vl_framer *f, char **ret, size_t *ret_len)
{
	int r;

	INVARIANT(ret && ret_len);
	if (f->error < 0)
		return f->error;
	drop_taken(f);
	r = scan(f);
	if (r < 0) {
		f->error = r;
		buf_deinit(&f->in);
		return r;
	}
	if (r == 0)
		return 0;
	*ret = buf_head(&f->in);
	*ret_len = f->scanned - 1;
	f->n_taken = f->scanned;
	f->scanned = 0;
	f->state = VL_FRAME_BEFORE;
	return 1;
}

bool vl_framer_is_midway(const struct vl_framer *f)
{
	return buf_len(&f->in) > f->n_taken;
}
