#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "varlink/server_conn.h"
#include "varlink/server_priv.h"
#include "varlink/std_error.h"

int vl_call_new(struct vl_call **ret, struct vl_server_conn *c, size_t size)
{
	/* glibc's calloc has no cache for each thread, malloc has */
	struct vl_call *call = malloc(sizeof(*call));

	if (!call)
		return -ENOMEM;
	*call = (struct vl_call){.conn = c, .reg = c->reg, .size = size};
	list_append(&c->replies, &call->node);
	c->n_calls++;
	c->calls_bytes += size;
	*ret = call;
	return 0;
}

static void destroy(struct vl_call *call)
{
	vl_call_message_deinit(&call->message);
	buf_deinit(&call->held);
	free(call->deferred);
	free(call);
}

void vl_call_classify(struct vl_call *call)
{
	if (call->message.flags & VL_CALL_ONEWAY) {
		list_remove(&call->node);
		list_append(&call->conn->silent, &call->node);
	}
	if (call->message.flags & VL_CALL_MORE) {
		call->is_more = true;
		call->conn->n_more++;
	}
}

void vl_call_leave(struct vl_call *call)
{
	struct vl_server_conn *c = call->conn;

	list_remove(&call->node);
	c->n_calls--;
	c->calls_bytes -= call->size;
	c->held_bytes -= buf_len(&call->held);
	c->n_more -= call->is_more;
	buf_deinit(&call->held);
	call->conn = NULL;
	if (!call->is_owned)
		destroy(call);
}

void vl_call_orphan(struct vl_call *call)
{
	call->conn = NULL;
	if (!call->is_owned)
		destroy(call);
}

/* The replies held back for a call whose turn has come. */
static void pass_on(struct vl_server_conn *c, struct vl_call *call)
{
	size_t n = buf_len(&call->held);

	if (n == 0)
		return;
	c->held_bytes -= n;
	if (buf_len(&c->out) == 0) {
		struct buf empty = c->out;

		c->out = call->held;
		call->held = empty;
	} else if (buf_append(&c->out, buf_head(&call->held), n) < 0) {
		c->broken = true;
	}
	buf_deinit(&call->held);
}

/* Let all leave whose answer is complete, up to the first that still owes one. */
static void settle(struct vl_server_conn *c)
{
	struct list *node;

	while ((node = list_first(&c->replies))) {
		struct vl_call *call = LIST_ENTRY(node, struct vl_call, node);

		pass_on(c, call);
		if (!call->is_done)
			break;
		vl_call_leave(call);
	}
}

static bool is_silent(const struct vl_call *call)
{
	return call->message.flags & VL_CALL_ONEWAY;
}

bool vl_call_is_first(const struct vl_call *call)
{
	return call->conn && list_first(&call->conn->replies) == &call->node;
}

/* Where a reply is to be written; the held bytes are counted by answered(). */
static struct buf *target(struct vl_call *call)
{
	return vl_call_is_first(call) ? &call->conn->out : &call->held;
}

/* After a reply was written to target(), or none where none is wanted. len_before is
 * the length of held before. The call may be gone afterwards. */
static void answered(struct vl_call *call, size_t len_before, bool final)
{
	struct vl_server_conn *c = call->conn;

	c->held_bytes += buf_len(&call->held) - len_before;
	if (!final)
		return;
	call->is_done = true;
	if (is_silent(call))
		vl_call_leave(call);
	else if (vl_call_is_first(call))
		settle(c);
}

static int judge_route(
	struct vl_call *call, const struct vl_route *guess, struct vl_fault *fault)
{
	const struct vl_registry *reg = call->reg;
	const char *method = call->message.method;
	char name[VL_ERROR_VALUE_MAX];

	call->route = guess && STREQ(guess->name, method)
			      ? guess
			      : vl_registry_route(reg, method);
	if (!call->route) {
		const char *dot = strrchr(method, '.');

		if (!dot || dot == method || !dot[1]) {
			vl_fault_set(fault, "method", "expected INTERFACE.METHOD");
			return VL_VERDICT_INVALID;
		}
		/* names of interfaces are shorter than the array */
		if ((size_t)(dot - method) >= sizeof(name))
			return VL_VERDICT_NO_INTERFACE;
		memcpy(name, method, (size_t)(dot - method));
		name[dot - method] = '\0';
		return vl_registry_interface(reg, name) ? VL_VERDICT_NO_METHOD
							: VL_VERDICT_NO_INTERFACE;
	}
	if (!call->route->method && !call->route->builtin)
		return VL_VERDICT_NOT_IMPLEMENTED;
	if (call->route->method &&
		(call->route->method->flags & VL_METHOD_MORE_REQUIRED) &&
		!(call->message.flags & VL_CALL_MORE))
		return VL_VERDICT_EXPECTED_MORE;
	if (vl_check(&call->route->member->type, vl_call_params(call), fault) < 0)
		return VL_VERDICT_INVALID;
	return call->route->builtin ? VL_VERDICT_BUILTIN : VL_VERDICT_CALL;
}

int vl_call_judge(struct vl_call *call, char *text, size_t len,
	const struct vl_route *guess, struct vl_fault *fault)
{
	int r;

	r = vl_call_decode(&call->message, fault, text, len);
	if (r == -RV_EPROTOCOL)
		return VL_VERDICT_REFUSED;
	if (r == -EINVAL)
		return VL_VERDICT_INVALID;
	if (r < 0)
		return r;
	if (call->message.flags & VL_CALL_UPGRADE) {
		vl_fault_set(fault, "upgrade", "not supported");
		return VL_VERDICT_INVALID;
	}
	if ((call->message.flags & VL_CALL_MORE) && is_silent(call)) {
		vl_fault_set(fault, "more", "excludes 'oneway'");
		return VL_VERDICT_INVALID;
	}
	return judge_route(call, guess, fault);
}

void vl_call_parse(struct vl_call *call)
{
	struct vl_deferred *d = call->deferred;

	INVARIANT(d && d->verdict == -EAGAIN);
	d->verdict = vl_call_judge(call, d->text, d->len, NULL, &d->fault);
}

static int answer_builtin(struct vl_call *call, struct buf *out)
{
	_cleanup_(buf_deinitp) struct buf params = BUF_NULL;
	struct vl_fault fault;
	int r;

	r = call->route->builtin(call->reg, vl_call_params(call), &params, &fault);
	if (r == -ENOENT)
		return vl_encode_error_simple(
			out, VL_ERROR_INTERFACE_NOT_FOUND, "interface", fault.path);
	if (r < 0)
		return r;
	/* bounded by the program's own interfaces, not by reply_max */
	return vl_encode_reply_text(
		out, SIZE_MAX, buf_head(&params), buf_len(&params), false);
}

static int answer_no_interface(struct vl_call *call, struct buf *out)
{
	const char *method = call->message.method;
	char name[VL_ERROR_VALUE_MAX + 1];
	size_t n = (size_t)(strrchr(method, '.') - method);

	n = MIN(n, sizeof(name) - 1);
	memcpy(name, method, n);
	name[n] = '\0';
	return vl_encode_error_simple(
		out, VL_ERROR_INTERFACE_NOT_FOUND, "interface", name);
}

static int write_answer(struct vl_call *call, enum vl_verdict verdict,
	const struct vl_fault *fault, struct buf *out)
{
	const char *method = call->message.method;

	switch (verdict) {
	case VL_VERDICT_BUILTIN: return answer_builtin(call, out);
	case VL_VERDICT_INVALID:
		return vl_encode_invalid(out, fault->path, fault->reason);
	case VL_VERDICT_REFUSED: return vl_encode_invalid(out, "", fault->reason);
	case VL_VERDICT_NO_INTERFACE: return answer_no_interface(call, out);
	case VL_VERDICT_NO_METHOD:
		return vl_encode_error_simple(
			out, VL_ERROR_METHOD_NOT_FOUND, "method", method);
	case VL_VERDICT_NOT_IMPLEMENTED:
		return vl_encode_error_simple(
			out, VL_ERROR_METHOD_NOT_IMPLEMENTED, "method", method);
	case VL_VERDICT_EXPECTED_MORE:
		return vl_encode_error_simple(out, VL_ERROR_EXPECTED_MORE, NULL, NULL);
	case VL_VERDICT_CALL: break;
	}
	return -EINVAL;
}

int vl_call_answer(
	struct vl_call *call, enum vl_verdict verdict, const struct vl_fault *fault)
{
	int r = 0;

	INVARIANT(verdict != VL_VERDICT_CALL && !call->is_owned);
	if (!is_silent(call))
		r = write_answer(call, verdict, fault, target(call));
	if (r < 0)
		return r;
	if (verdict == VL_VERDICT_REFUSED)
		call->conn->refused = true;
	answered(call, 0, true);
	return 0;
}

const char *vl_call_name(const struct vl_call *call)
{
	return call->route->name;
}

const struct vl_method *vl_call_method(const struct vl_call *call)
{
	return call->route->method;
}

const json_t *vl_call_params(const struct vl_call *call)
{
	/* No reference is taken: jansson looks at a count before it changes it, which
	 * is a race where workers share the object. */
	return call->message.params ? call->message.params
				    : vl_registry_empty(call->reg);
}

bool vl_call_wants_more(const struct vl_call *call)
{
	return call->message.flags & VL_CALL_MORE;
}

bool vl_call_is_oneway(const struct vl_call *call)
{
	return is_silent(call);
}

struct vl_server_conn *vl_call_conn(const struct vl_call *call)
{
	return call->conn;
}

/* Handlers keep to their interface, where the owner wants to know. */
static void check_reply(
	const struct vl_call *call, const char *error, const json_t *params)
{
	const struct vl_server_conn *c = call->conn;
	struct vl_fault fault;

	if (!c->ops || !c->ops->check_replies)
		return;
	if (!params)
		params = vl_registry_empty(call->reg);
	if (vl_registry_check_reply(c->reg, call->route, error, params, &fault) == 0)
		return;
	fprintf(stderr, "%s answers with a wrong %s: %s: %s\n", call->route->name,
		error ? error : "reply", fault.path, fault.reason);
	INVARIANT(!"reply fits its interface");
}

static void check_reply_text(const struct vl_call *call, const char *params, size_t n)
{
	json_t *value;

	if (!call->conn->ops || !call->conn->ops->check_replies)
		return;
	value = json_loadb(params, n, JSON_REJECT_DUPLICATES, NULL);
	INVARIANT(json_is_object(value));
	check_reply(call, NULL, value);
	json_decref(value);
}

/* How writing a handler's answer to target() went. */
static int finish(struct vl_call *call, size_t len_before, int r, bool final)
{
	struct vl_server_conn *c = call->conn;

	if (r < 0)
		return r;
	answered(call, len_before, final);
	if (!c->is_inside && c->ops && c->ops->changed)
		c->ops->changed(c, c->priv);
	return 0;
}

/* May a reply be written? Asks the handler's duties too. */
static bool begin(const struct vl_call *call, bool continues)
{
	INVARIANT(!call->is_done && call->route);
	INVARIANT(!continues || vl_call_wants_more(call));
	return call->conn != NULL;
}

int vl_call_reply(struct vl_call *call, const json_t *params, bool continues)
{
	size_t len = buf_len(&call->held);
	int r = 0;

	if (!begin(call, continues))
		return -ECONNRESET;
	check_reply(call, NULL, params);
	if (!is_silent(call))
		r = vl_encode_reply(
			target(call), call->conn->limits.reply_max, params, continues);
	return finish(call, len, r, !continues);
}

int vl_call_reply_text(
	struct vl_call *call, const char *params, size_t n, bool continues)
{
	size_t len = buf_len(&call->held);
	int r = 0;

	if (!begin(call, continues))
		return -ECONNRESET;
	check_reply_text(call, params, n);
	if (!is_silent(call))
		r = vl_encode_reply_text(target(call), call->conn->limits.reply_max,
			params, n, continues);
	return finish(call, len, r, !continues);
}

int vl_call_error(struct vl_call *call, const char *name, const json_t *params)
{
	size_t len = buf_len(&call->held);
	int r = 0;

	if (!begin(call, false))
		return -ECONNRESET;
	check_reply(call, name, params);
	if (!is_silent(call))
		r = vl_encode_error(
			target(call), call->conn->limits.reply_max, name, params);
	return finish(call, len, r, true);
}

int vl_call_invalid(struct vl_call *call, const char *path, const char *reason)
{
	size_t len = buf_len(&call->held);
	int r = 0;

	if (!begin(call, false))
		return -ECONNRESET;
	if (!is_silent(call))
		r = vl_encode_invalid(target(call), path, reason ? reason : "");
	return finish(call, len, r, true);
}

int vl_call_denied(struct vl_call *call)
{
	return vl_call_error(call, VL_ERROR_PERMISSION_DENIED, NULL);
}

/* A handler went away without an answer: the peer is told, others' replies go on. */
static void answer_dropped(struct vl_call *call)
{
	struct vl_server_conn *c = call->conn;
	const char *name = c->ops ? c->ops->dropped_error : NULL;
	size_t len = buf_len(&call->held);
	int r = 0;

	if (c->parsing == call)
		c->parsing = NULL;
	if (!is_silent(call))
		r = vl_encode_error_simple(target(call),
			name ? name : VL_ERROR_METHOD_NOT_IMPLEMENTED,
			name ? NULL : "method", call->route ? call->route->name : "");
	if (r < 0)
		c->broken = true;
	/* broken or not, it is over: the connection closes without waiting for it */
	finish(call, len, 0, true);
}

struct vl_call *vl_call_free(struct vl_call *call)
{
	if (!call)
		return NULL;
	INVARIANT(call->is_owned);
	if (call->conn && !call->is_done)
		answer_dropped(call);
	call->is_owned = false;
	if (!call->conn)
		destroy(call);
	return NULL;
}
