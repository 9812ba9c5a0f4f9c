#include "config.h"

#include "varlink/client_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "varlink/frame.h"

struct pending {
	uint64_t tag;
	bool more;
};

struct vl_client_conn {
	size_t call_max;
	struct vl_framer framer;
	struct buf out;
	struct buf pending; /* of struct pending, the oldest first */
	int error;
};

int vl_client_conn_new(struct vl_client_conn **ret, size_t reply_max, size_t call_max)
{
	struct vl_client_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->call_max = call_max;
	vl_framer_init(&c->framer, reply_max);
	*ret = c;
	return 0;
}

struct vl_client_conn *vl_client_conn_free(struct vl_client_conn *c)
{
	if (!c)
		return NULL;
	vl_framer_deinit(&c->framer);
	buf_deinit(&c->out);
	buf_deinit(&c->pending);
	free(c);
	return NULL;
}

int vl_client_conn_call(struct vl_client_conn *c, const char *method,
	const json_t *params, unsigned flags, uint64_t tag)
{
	struct pending p = {.tag = tag, .more = flags & VL_CALL_MORE};
	char *room;
	int r;

	INVARIANT(c && method);
	/* first, so that a call in the output is never without its entry */
	r = buf_reserve(&c->pending, sizeof(p), &room);
	if (r < 0)
		return r;
	r = vl_encode_call(&c->out, c->call_max, method, params, flags);
	if (r < 0 || (flags & VL_CALL_ONEWAY))
		return r;
	memcpy(room, &p, sizeof(p));
	buf_commit(&c->pending, sizeof(p));
	return 0;
}

struct buf *vl_client_conn_output(struct vl_client_conn *c)
{
	return &c->out;
}

size_t vl_client_conn_n_pending(const struct vl_client_conn *c)
{
	return buf_len(&c->pending) / sizeof(struct pending);
}

int vl_client_conn_feed(struct vl_client_conn *c, const void *p, size_t n)
{
	return vl_framer_feed(&c->framer, p, n);
}

static int next_reply(
	struct vl_client_conn *c, struct vl_reply_message *ret, uint64_t *ret_tag)
{
	struct vl_reply_message m;
	struct vl_fault fault;
	struct pending p;
	size_t len;
	char *text;
	int r;

	r = vl_framer_next(&c->framer, &text, &len);
	if (r <= 0)
		return r;
	if (vl_client_conn_n_pending(c) == 0)
		return -RV_EPROTOCOL;
	memcpy(&p, buf_head(&c->pending), sizeof(p));
	r = vl_reply_decode(&m, &fault, text, len);
	if (r < 0)
		return r;
	if (m.continues && (!p.more || m.error)) {
		vl_reply_message_deinit(&m);
		return -RV_EPROTOCOL;
	}
	if (!m.continues)
		buf_consume(&c->pending, sizeof(p));
	*ret = m;
	*ret_tag = p.tag;
	return 1;
}

int vl_client_conn_next_reply(
	struct vl_client_conn *c, struct vl_reply_message *ret, uint64_t *ret_tag)
{
	int r;

	INVARIANT(c && ret && ret_tag);
	if (c->error < 0)
		return c->error;
	r = next_reply(c, ret, ret_tag);
	if (r < 0)
		c->error = r;
	return r;
}
