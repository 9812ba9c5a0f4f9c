#include "config.h"

#include "varlink/server_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "varlink/server_priv.h"

/* what the output of an idle connection may keep allocated */
#define KEEP_BYTES 4096

int vl_server_conn_new(struct vl_server_conn **ret, const struct vl_registry *reg,
	const struct vl_server_limits *limits, const struct vl_server_ops *ops,
	void *priv)
{
	static const struct vl_server_limits limits_default = VL_SERVER_LIMITS_DEFAULT;
	struct vl_server_conn *c;

	INVARIANT(ret && reg);
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->reg = reg;
	c->limits = limits ? *limits : limits_default;
	c->ops = ops;
	c->priv = priv;
	list_init(&c->replies);
	list_init(&c->silent);
	vl_framer_init(&c->framer, c->limits.message_max);
	*ret = c;
	return 0;
}

struct vl_server_conn *vl_server_conn_free(struct vl_server_conn *c)
{
	struct list *node;

	if (!c)
		return NULL;
	while ((node = list_pop(&c->replies)) || (node = list_pop(&c->silent)))
		vl_call_orphan(LIST_ENTRY(node, struct vl_call, node));
	vl_framer_deinit(&c->framer);
	buf_deinit(&c->out);
	free(c);
	return NULL;
}

int vl_server_conn_feed(struct vl_server_conn *c, const void *p, size_t n)
{
	int r;

	INVARIANT(!c->eof);
	if (c->refused || c->broken)
		return 0;
	r = vl_framer_feed(&c->framer, p, n);
	if (r < 0)
		c->broken = true;
	else
		c->may_have_message = true;
	return r;
}

void vl_server_conn_eof(struct vl_server_conn *c)
{
	c->eof = true;
}

bool vl_server_conn_wants_pause(const struct vl_server_conn *c)
{
	return c->refused || c->broken || c->parsing || c->n_more > 0 ||
	       c->n_calls >= c->limits.n_calls ||
	       (c->n_calls > 0 && c->calls_bytes >= c->limits.calls_bytes) ||
	       buf_len(&c->out) + c->held_bytes >= c->limits.output_bytes;
}

bool vl_server_conn_should_close(const struct vl_server_conn *c)
{
	if (c->broken)
		return true;
	return c->n_calls == 0 && (c->refused || (c->eof && !c->may_have_message));
}

unsigned vl_server_conn_n_calls(const struct vl_server_conn *c)
{
	return c->n_calls;
}

struct buf *vl_server_conn_output(struct vl_server_conn *c)
{
	return &c->out;
}

/* A call that cannot even be refused: nothing after it could be in order. */
static int give_up(struct vl_server_conn *c, struct vl_call *call, int error)
{
	vl_call_leave(call);
	c->broken = true;
	return error;
}

static int dispatch(struct vl_server_conn *c, struct vl_call *call, int verdict,
	const struct vl_fault *fault, struct vl_call **ret)
{
	int r;

	if (verdict < 0)
		return give_up(c, call, verdict);
	vl_call_classify(call);
	if (verdict == VL_VERDICT_CALL) {
		call->is_owned = true;
		*ret = call;
		return VL_NEXT_CALL;
	}
	r = vl_call_answer(call, verdict, fault);
	return r < 0 ? give_up(c, call, r) : VL_NEXT_NONE;
}

/* Keep a copy for a worker: the framer's is gone with the next message. */
static int defer(struct vl_server_conn *c, struct vl_call *call, const char *text,
	size_t len, struct vl_call **ret)
{
	struct vl_deferred *d = malloc(sizeof(*d) + len + 1);

	if (!d)
		return give_up(c, call, -ENOMEM);
	d->verdict = -EAGAIN;
	d->len = len;
	memcpy(d->text, text, len + 1);
	call->deferred = d;
	call->is_owned = true;
	c->parsing = call;
	*ret = call;
	return VL_NEXT_PARSE;
}

static int take_message(
	struct vl_server_conn *c, char *text, size_t len, struct vl_call **ret)
{
	struct vl_fault fault;
	struct vl_call *call;
	int r;

	r = vl_call_new(&call, c, len);
	if (r < 0) {
		c->broken = true;
		return r;
	}
	if (len > c->limits.inline_max)
		return defer(c, call, text, len, ret);
	r = vl_call_judge(call, text, len, c->last_route, &fault);
	if (call->route)
		c->last_route = call->route;
	return dispatch(c, call, r, &fault, ret);
}

/* The stream cannot be cut into messages any more. */
static int refuse_stream(struct vl_server_conn *c, int error)
{
	struct vl_fault fault;
	struct vl_call *call;
	int r;

	if (error == -EMSGSIZE)
		vl_fault_set(
			&fault, "", "message over %zu bytes", c->limits.message_max);
	else if (error == -RV_ELIMIT)
		vl_fault_set(&fault, "", "nested more than %d deep", VL_DEPTH_MAX);
	else
		vl_fault_set(&fault, "", "not a JSON object ended by NUL");
	r = vl_call_new(&call, c, 0);
	if (r < 0) {
		c->broken = true;
		return r;
	}
	return dispatch(c, call, VL_VERDICT_REFUSED, &fault, NULL);
}

static int next_call(struct vl_server_conn *c, struct vl_call **ret)
{
	size_t len;
	char *text;
	int r;

	while (!vl_server_conn_wants_pause(c)) {
		r = vl_framer_next(&c->framer, &text, &len);
		if (r == 0) {
			c->may_have_message = false;
			break;
		}
		r = r < 0 ? refuse_stream(c, r) : take_message(c, text, len, ret);
		if (r != VL_NEXT_NONE)
			return r;
	}
	if (buf_len(&c->out) == 0)
		buf_trim(&c->out, KEEP_BYTES);
	return VL_NEXT_NONE;
}

int vl_server_conn_next_call(struct vl_server_conn *c, struct vl_call **ret)
{
	int r;

	INVARIANT(c && ret && !c->is_inside);
	c->is_inside = true;
	r = next_call(c, ret);
	c->is_inside = false;
	return r;
}

int vl_server_conn_accept(struct vl_call *call)
{
	struct vl_server_conn *c = call->conn;
	struct vl_deferred *d = call->deferred;
	int r;

	INVARIANT(d && d->verdict != -EAGAIN);
	if (!c) {
		vl_call_free(call);
		return VL_NEXT_NONE;
	}
	INVARIANT(c->parsing == call && !c->is_inside);
	c->parsing = NULL;
	call->is_owned = false;
	c->is_inside = true;
	r = dispatch(c, call, d->verdict, &d->fault, &call);
	c->is_inside = false;
	if (r == VL_NEXT_CALL) {
		/* the tree is all a handler needs */
		free(call->deferred);
		call->deferred = NULL;
		call->message.method = NULL;
	}
	return r;
}
