/*
 * The protocol byte for byte: what a peer sends, and exactly what it gets back. The
 * handlers answer at once: Ping with nothing, Echo with its text, Stream with three
 * replies.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/support/unit.h"
#include "tests/unit/varlink/echo.h"
#include "varlink/std_error.h"

struct exchange {
	const char *sent; /* '|' stands for NUL here and below */
	const char *got;
	bool closes;
};

#define INVALID(p, why)                                                       \
	"{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":" \
	"{\"parameter\":\"" p "\",\"reason\":\"" why "\"}}|"
#define ERROR(name, params) \
	"{\"error\":\"org.varlink.service." name "\",\"parameters\":" params "}|"
#define PING "{\"method\":\"io.test.Ping\"}|"
#define OK   "{\"parameters\":{}}|"

static void answer(struct vl_call *call)
{
	switch (vl_call_method(call)->id) {
	case 2:
		ck_assert_int_eq(vl_call_reply(call, vl_call_params(call), false), 0);
		break;
	case 3:
		ck_assert_int_eq(vl_call_reply_text(call, "{\"i\":0}", 7, true), 0);
		ck_assert_int_eq(vl_call_reply_text(call, "{\"i\":1}", 7, true), 0);
		ck_assert_int_eq(vl_call_reply_text(call, "{\"i\":2}", 7, false), 0);
		break;
	default: ck_assert_int_eq(vl_call_reply(call, NULL, false), 0);
	}
	vl_call_free(call);
}

static size_t with_nuls(char *out, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		out[i] = s[i] == '|' ? '\0' : s[i];
	return n;
}

/* The bytes in pieces of step must make no difference. */
static void run(const struct vl_registry *reg, const struct exchange *x, size_t step)
{
	char sent[2048], expected[8192];
	size_t n = with_nuls(sent, x->sent), n_expected = with_nuls(expected, x->got);
	struct vl_server_conn *c;
	struct vl_call *call;

	ck_assert_int_eq(vl_server_conn_new(&c, reg, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < n; i += step) {
		ck_assert_int_eq(vl_server_conn_feed(c, sent + i, MIN(step, n - i)), 0);
		while (vl_server_conn_next_call(c, &call) == VL_NEXT_CALL)
			answer(call);
	}
	ck_assert_msg(buf_len(vl_server_conn_output(c)) == n_expected &&
			      memcmp(buf_head(vl_server_conn_output(c)), expected,
				      n_expected) == 0,
		"sent: %s\nexpected: %s\ngot: %.*s", x->sent, x->got,
		(int)buf_len(vl_server_conn_output(c)),
		buf_head(vl_server_conn_output(c)));
	ck_assert_msg(vl_server_conn_should_close(c) == x->closes, "%s", x->sent);
	vl_server_conn_free(c);
}

static void run_all(const struct exchange *x, size_t n)
{
	struct vl_registry *reg = echo_registry();

	for (size_t i = 0; i < n; i++) {
		run(reg, &x[i], 1);
		run(reg, &x[i], 7);
		run(reg, &x[i], 2048);
	}
	vl_registry_free(reg);
}

START_TEST(calls_and_replies_have_exactly_these_bytes)
{
	static const struct exchange x[] = {
		{PING, OK, false},
		{PING PING PING, OK OK OK, false},
		{" {\"parameters\" : {} ,\n\"method\":\"io.test.Ping\"}\t|", OK, false},
		{"{\"method\":\"io.test.Ping\",\"more\":false,\"oneway\":false,"
		 "\"upgrade\":false,\"parameters\":null}|",
			OK, false},
		{"{\"method\":\"io.test.Ping\",\"more\":true}|" PING, OK OK, false},
		{"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":"
		 "\"\\u00e4\\ud83d"
		 "\\ude00\\\"\\\\\\/\\b\\u001f\"}}|",
			"{\"parameters\":{\"text\":\"\xc3\xa4\xf0\x9f\x98\x80\\\"\\\\/"
			"\\b"
			"\\u001f\"}}|",
			false},
		{"{\"method\":\"io.test.Stream\",\"more\":true}|" PING,
			"{\"parameters\":{\"i\":0},\"continues\":true}|"
			"{\"parameters\":{\"i\":1},\"continues\":true}|"
			"{\"parameters\":{\"i\":2}}|" OK,
			false},
		{"{\"method\":\"io.test.Ping\",\"oneway\":true}|", "", false},
		{"{\"method\":\"io.test.Ping\",\"com.example.trace\":7}|", OK, false},
	};

	run_all(x, ARRAY_LEN(x));
}
END_TEST

START_TEST(introspection_has_exactly_these_bytes)
{
	static const struct exchange x[] = {
		{"{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{}}|",
			"{\"parameters\":{\"vendor\":\"reeve\",\"product\":\"test\","
			"\"version\":\"1.0\",\"url\":\"https://example.org/\","
			"\"interfaces\":[\"org.varlink.service\",\"io.test\"]}}|",
			false},
		{"{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		 "\"parameters\":{\"interface\":\"io.test\"}}|",
			"{\"parameters\":{\"description\":\"interface io.test\\n"
			"method Ping() -> ()\\n"
			"method Echo(text: string, times: ?int) -> (text: string)\\n"
			"method Stream(n: ?int) -> (i: int)\\n"
			"method Undone() -> ()\\n\"}}|",
			false},
		{"{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		 "\"parameters\":{\"interface\":\"io.nope\"}}|",
			ERROR("InterfaceNotFound", "{\"interface\":\"io.nope\"}"),
			false},
		{"{\"method\":\"org.varlink.service.GetInterfaceDescription\"}|",
			INVALID("interface", "missing"), false},
	};

	run_all(x, ARRAY_LEN(x));
}
END_TEST

START_TEST(wrong_calls_get_an_error_and_the_connection_goes_on)
{
	static const struct exchange x[] = {
		{"{\"method\":\"io.nope.Ping\"}|" PING,
			ERROR("InterfaceNotFound", "{\"interface\":\"io.nope\"}") OK,
			false},
		{"{\"method\":\"io.test.Nope\"}|" PING,
			ERROR("MethodNotFound", "{\"method\":\"io.test.Nope\"}") OK,
			false},
		{"{\"method\":\"io.test.Undone\"}|" PING,
			ERROR("MethodNotImplemented", "{\"method\":\"io.test.Undone\"}")
				OK,
			false},
		{"{\"method\":\"io.test.Stream\"}|" PING,
			ERROR("ExpectedMore", "{}") OK, false},
		{"{\"method\":\"Ping\"}|" PING,
			INVALID("method", "expected INTERFACE.METHOD") OK, false},
		{"{\"method\":\"\"}|" PING,
			INVALID("method", "expected INTERFACE.METHOD") OK, false},
		{"{\"method\":\"io.test.\"}|" PING,
			INVALID("method", "expected INTERFACE.METHOD") OK, false},
		{"{}|" PING, INVALID("method", "missing") OK, false},
		{"{\"method\":[]}|" PING, INVALID("method", "expected string") OK,
			false},
		{"{\"method\":\"io.test.Ping\",\"parameters\":[]}|" PING,
			INVALID("parameters", "expected object") OK, false},
		{"{\"method\":\"io.test.Ping\",\"more\":1}|" PING,
			INVALID("more", "expected bool") OK, false},
		{"{\"method\":\"io.test.Ping\",\"mehtod\":1}|" PING,
			INVALID("mehtod", "unknown member of a call") OK, false},
		{"{\"method\":\"io.test.Ping\",\"upgrade\":true}|" PING,
			INVALID("upgrade", "not supported") OK, false},
		{"{\"method\":\"io.test.Ping\",\"more\":true,\"oneway\":true}|" PING,
			OK, false},
		{"{\"method\":\"io.test.Ping\",\"parameters\":{\"x\":1}}|" PING,
			INVALID("x", "unknown field") OK, false},
		{"{\"method\":\"io.test.Echo\"}|" PING, INVALID("text", "missing") OK,
			false},
		{"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":7}}|" PING,
			INVALID("text", "expected string, got int") OK, false},
		{"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"\",\"times\":"
		 "1.5}}|" PING,
			INVALID("times", "expected int, got float") OK, false},
		{"{\"method\":\"io.nope.Ping\",\"oneway\":true}|" PING, OK, false},
		{"{\"method\":1,\"oneway\":true}|" PING, OK, false},
	};

	run_all(x, ARRAY_LEN(x));
}
END_TEST

START_TEST(what_is_no_message_gets_a_last_error)
{
	static const struct exchange x[] = {
		{PING "nonsense|" PING,
			OK INVALID("message", "not a JSON object ended by NUL"), true},
		{"GET / HTTP/1.1\r\n",
			INVALID("message", "not a JSON object ended by NUL"), true},
		{"[]|" PING, INVALID("message", "not a JSON object ended by NUL"),
			true},
		{"\"x\"|" PING, INVALID("message", "not a JSON object ended by NUL"),
			true},
		{"|" PING, INVALID("message", "not a JSON object ended by NUL"), true},
		{"{\"method\":\"io.test|.Ping\"}|",
			INVALID("message", "not a JSON object ended by NUL"), true},
		{"{\"method\":\"io.test.Ping\"|",
			INVALID("message", "not a JSON object ended by NUL"), true},
		{"{\"method\":\"io.test.Ping\"}{}|" PING,
			INVALID("message", "not a JSON object ended by NUL"), true},
		{"{nonsense}|" PING, INVALID("message", "not JSON at byte 9"), true},
		{"{\"method\":\"io.test.Ping\",\"method\":\"io.test.Ping\"}|" PING,
			INVALID("message", "duplicate key at byte 33"), true},
		{"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"\",\"text\":"
		 "\"\"}}|",
			INVALID("message", "duplicate key at byte 55"), true},
		{"{\"method\":\"io.test.Ping\xff\"}|" PING,
			INVALID("message", "invalid UTF-8 at byte 23"), true},
		{"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"\xc3(\"}}|",
			INVALID("message", "invalid UTF-8 at byte 47"), true},
		{"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"\\u0000\"}}|",
			INVALID("message", "NUL in a string at byte 54"), true},
		{"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"\","
		 "\"times\":123456789012345678901}}|",
			INVALID("message", "number out of range at byte 78"), true},
		{"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			INVALID("message", "nested more than 32 deep"), true},
		{"{\"method\":\"io.test.Ping\"", "", false},
	};

	run_all(x, ARRAY_LEN(x));
}
END_TEST

START_TEST(message_at_the_limit_is_answered_and_one_over_ends_it)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_registry *reg = echo_registry();
	static const char over[] = INVALID("message", "message over 30 bytes");
	struct vl_server_conn *c;
	struct vl_call *call;

	limits.message_max = 30;
	ck_assert_int_eq(vl_server_conn_new(&c, reg, &limits, NULL, NULL), 0);
	ck_assert_int_eq(
		vl_server_conn_feed(c, "{\"method\":\"io.test.Ping\"}     ", 31), 0);
	ck_assert_int_eq(vl_server_conn_next_call(c, &call), VL_NEXT_CALL);
	answer(call);
	buf_clear(vl_server_conn_output(c));
	ck_assert_int_eq(
		vl_server_conn_feed(c, "{\"method\":\"io.test.Ping\"}      ", 31), 0);
	ck_assert_int_eq(vl_server_conn_next_call(c, &call), VL_NEXT_NONE);
	ck_assert_uint_eq(buf_len(vl_server_conn_output(c)), sizeof(over) - 1);
	/* all but the NUL, which over has as '|' */
	ck_assert_mem_eq(buf_head(vl_server_conn_output(c)), over, sizeof(over) - 2);
	ck_assert(vl_server_conn_should_close(c));
	vl_server_conn_free(c);
	vl_registry_free(reg);
}
END_TEST

UNIT_MAIN("conformance", calls_and_replies_have_exactly_these_bytes,
	introspection_has_exactly_these_bytes,
	wrong_calls_get_an_error_and_the_connection_goes_on,
	what_is_no_message_gets_a_last_error,
	message_at_the_limit_is_answered_and_one_over_ends_it)
