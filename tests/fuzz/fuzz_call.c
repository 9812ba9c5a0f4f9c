/*
 * Any bytes as what a client sends. Two properties:
 * - the quick way through a call and the full parser agree on what it means;
 * - a server answers with whole JSON objects, never more of them than it got messages,
 *   and what it says is the same whatever the pieces in which the bytes come.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "tests/fuzz/fuzz.h"
#include "varlink/message_quick.h"
#include "varlink/server_conn.h"

static const char service_text[] =
	"interface io.test\n"
	"type Job (argv: []string, argv_b64: ?[]string, env: ?[string]string)\n"
	"method Ping() -> ()\n"
	"method Add(jobs: []Job, when: ?(now, later), at: ?float) -> ()\n"
	"method Stream() -> ()\n"
	"method Undone() -> ()\n";

static void handler(void)
{
}

static const struct vl_method methods[] = {
	{"Ping", handler, 0, 0},
	{"Add", handler, 0, 0},
	{"Stream", handler, VL_METHOD_MORE_REQUIRED, 0},
};

/* The whole call with an unknown but permitted member goes the full way: same meaning?
 */
static void compare(const uint8_t *data, size_t size)
{
	static const char extra[] = ",\"x.y\":0}";
	struct vl_call_message quick, full;
	struct vl_quick_call q;
	struct vl_fault fault;
	char *a, *b, *end;
	int r;

	if (memchr(data, '\0', size))
		return;
	a = malloc(size + 1);
	b = malloc(size + sizeof(extra));
	INVARIANT(a && b);
	memcpy(a, data, size);
	a[size] = '\0';
	memcpy(b, a, size + 1);
	end = strrchr(b, '}');
	if (end && vl_quick_scan(&q, a, size)) {
		strcpy(end, extra);
		r = vl_call_decode(&full, &fault, b, strlen(b));
		INVARIANT(r == 0 || r == -RV_EPROTOCOL);
		INVARIANT(vl_call_decode(&quick, &fault, a, size) == r);
		if (r == 0) {
			INVARIANT(!quick.tree && full.tree);
			INVARIANT(STREQ(quick.method, full.method));
			INVARIANT(quick.flags == full.flags);
			INVARIANT(!quick.params == !full.params);
			INVARIANT(
				!quick.params || json_equal(quick.params, full.params));
			vl_call_message_deinit(&quick);
			vl_call_message_deinit(&full);
		}
	}
	free(a);
	free(b);
}

/* Answers every call at once, and every third not at all. */
static void pump(struct vl_server_conn *c, unsigned *n_calls)
{
	struct vl_call *call;
	int r;

	while ((r = vl_server_conn_next_call(c, &call)) != VL_NEXT_NONE) {
		if (r == VL_NEXT_PARSE) {
			vl_call_parse(call);
			r = vl_server_conn_accept(call);
		}
		if (r != VL_NEXT_CALL)
			continue;
		if (vl_call_wants_more(call))
			INVARIANT(vl_call_reply(call, NULL, true) == 0);
		if (++*n_calls % 3)
			INVARIANT(
				vl_call_reply(call, vl_call_params(call), false) == 0);
		vl_call_free(call);
	}
}

static void serve(struct buf *ret, const struct vl_registry *reg, const uint8_t *data,
	size_t size, size_t step)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_server_conn *c;
	unsigned n_calls = 0;

	limits.message_max = 2000;
	limits.inline_max = 100;
	limits.output_bytes = SIZE_MAX;
	INVARIANT(vl_server_conn_new(&c, reg, &limits, NULL, NULL) == 0);
	for (size_t i = 0; i < size; i += step) {
		INVARIANT(vl_server_conn_feed(c, data + i, MIN(step, size - i)) == 0);
		pump(c, &n_calls);
	}
	vl_server_conn_eof(c);
	pump(c, &n_calls);
	INVARIANT(vl_server_conn_should_close(c));
	INVARIANT(buf_append(ret, buf_head(vl_server_conn_output(c)),
			  buf_len(vl_server_conn_output(c))) == 0);
	vl_server_conn_free(c);
}

static void check_output(const struct buf *out)
{
	const char *p = buf_head(out), *end = p + buf_len(out);
	struct vl_reply_message m;
	struct vl_fault fault;

	INVARIANT(p == end || !end[-1]);
	for (; p < end; p += strlen(p) + 1) {
		INVARIANT(vl_reply_decode(&m, &fault, p, strlen(p)) == 0);
		vl_reply_message_deinit(&m);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vl_registry_info info = {"v", "p", "1", "u"};
	static struct vl_registry *reg; /* made once, held to the end of the process */
	struct buf whole = BUF_NULL, pieces = BUF_NULL;

	if (!reg) {
		INVARIANT(vl_registry_new(&reg, &info) == 0);
		INVARIANT(vl_registry_add(reg, service_text, methods,
				  ARRAY_LEN(methods), NULL) == 0);
	}
	compare(data, size);
	serve(&whole, reg, data, size, size ? size : 1);
	serve(&pieces, reg, data, size, size % 13 + 1);
	check_output(&whole);
	INVARIANT(buf_len(&whole) == buf_len(&pieces));
	INVARIANT(memcmp(buf_head(&whole), buf_head(&pieces), buf_len(&whole)) == 0);
	buf_deinit(&whole);
	buf_deinit(&pieces);
	return 0;
}
