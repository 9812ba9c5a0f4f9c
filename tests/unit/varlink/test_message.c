#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/support/unit.h"
#include "varlink/limits.h"
#include "varlink/message.h"
#include "varlink/message_quick.h"

static struct vl_call_message m;
static struct vl_fault fault;
static char scratch[4096];

/* The text is copied: decoding may write to it. */
static int decode(const char *s)
{
	ck_assert_uint_lt(strlen(s), sizeof(scratch));
	strcpy(scratch, s);
	return vl_call_decode(&m, &fault, scratch, strlen(s));
}

static bool is_quick(const char *s)
{
	struct vl_quick_call q;

	return vl_quick_scan(&q, s, strlen(s));
}

static void expect_call(
	const char *s, const char *method, const char *params, unsigned flags)
{
	_cleanup_free_ char *got = NULL;

	ck_assert_int_eq(decode(s), 0);
	ck_assert_str_eq(m.method, method);
	ck_assert_uint_eq(m.flags, flags);
	if (params) {
		got = json_dumps(m.params, JSON_COMPACT);
		ck_assert_str_eq(got, params);
	} else {
		ck_assert_ptr_null(m.params);
	}
	vl_call_message_deinit(&m);
}

static void expect_fault(const char *s, int error, const char *path, const char *reason)
{
	ck_assert_int_eq(decode(s), error);
	ck_assert_str_eq(fault.path, path);
	ck_assert_str_eq(fault.reason, reason);
	ck_assert_ptr_null(m.params);
	ck_assert_ptr_null(m.tree);
}

START_TEST(plain_call_is_taken_the_quick_way)
{
	static const char *const plain[] = {
		"{\"method\":\"a.b.C\"}",
		" { \"method\" : \"a.b.C\" , \"parameters\" : { } } \n",
		"{\"parameters\":{},\"method\":\"a.b.C\",\"more\":false}",
	};

	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		ck_assert(is_quick(plain[i]));
		expect_call(plain[i], "a.b.C", NULL, 0);
	}
	expect_call(
		"{\"method\":\"a.b.C\",\"more\":true,\"oneway\":true,\"upgrade\":true}",
		"a.b.C", NULL, VL_CALL_MORE | VL_CALL_ONEWAY | VL_CALL_UPGRADE);
	expect_call(
		"{\"method\":\"a.b.C\",\"parameters\":{\"x\":\"}\\\"{\",\"y\":[1]}}",
		"a.b.C", "{\"x\":\"}\\\"{\",\"y\":[1]}", 0);
}
END_TEST

START_TEST(unusual_spelling_means_the_same_the_full_way)
{
	static const char *const unusual[] = {
		"{\"m\\u0065thod\":\"a.b.C\"}",
		"{\"method\":\"a.b.\\u0043\"}",
		"{\"method\":\"a.b.C\",\"more\":null,\"parameters\":null}",
		"{\"method\":\"a.b.C\",\"org.example.trace\":[1,2]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(unusual); i++) {
		ck_assert(!is_quick(unusual[i]));
		expect_call(unusual[i], "a.b.C", NULL, 0);
	}
}
END_TEST

START_TEST(wrong_member_is_named)
{
	expect_fault("{}", -EINVAL, "method", "missing");
	expect_fault("{\"method\":1}", -EINVAL, "method", "expected string");
	expect_fault("{\"method\":null}", -EINVAL, "method", "expected string");
	expect_fault("{\"method\":\"a.b\",\"parameters\":[]}", -EINVAL, "parameters",
		"expected object");
	expect_fault(
		"{\"method\":\"a.b\",\"more\":1}", -EINVAL, "more", "expected bool");
	expect_fault("{\"method\":\"a.b\",\"oneway\":\"true\"}", -EINVAL, "oneway",
		"expected bool");
	expect_fault("{\"method\":\"a.b\",\"moer\":true}", -EINVAL, "moer",
		"unknown member of a call");
}
END_TEST

START_TEST(wrong_oneway_call_is_still_known_as_oneway)
{
	ck_assert_int_eq(
		decode("{\"x\":1,\"method\":\"a.b\",\"oneway\":true}"), -EINVAL);
	ck_assert_uint_eq(m.flags, VL_CALL_ONEWAY);
	ck_assert_str_eq(fault.path, "x");
}
END_TEST

START_TEST(what_is_not_json_is_told_with_its_place)
{
	expect_fault("{\"method\":\"a.b\"", -RV_EPROTOCOL, "", "not JSON at byte 15");
	expect_fault("{\"method\":\"a.b\",}", -RV_EPROTOCOL, "", "not JSON at byte 17");
	expect_fault("{]", -RV_EPROTOCOL, "", "not JSON at byte 2");
	expect_fault("{\"method\":\"a.b\",\"parameters\":{\"a\":[1}}", -RV_EPROTOCOL,
		"", "not JSON at byte 37");
	expect_fault(
		"{\"method\":\"a.b\"} {}", -RV_EPROTOCOL, "", "not JSON at byte 18");
	expect_fault("[]", -RV_EPROTOCOL, "", "message is not an object");
}
END_TEST

START_TEST(duplicate_keys_are_refused_everywhere)
{
	expect_fault("{\"method\":\"a.b\",\"method\":\"a.b\"}", -RV_EPROTOCOL, "",
		"duplicate key at byte 24");
	expect_fault("{\"method\":\"a.b\",\"parameters\":{\"a\":1,\"\\u0061\":1}}",
		-RV_EPROTOCOL, "", "duplicate key at byte 44");
}
END_TEST

START_TEST(text_that_json_forbids_is_refused)
{
	expect_fault("{\"method\":\"a.\xff\"}", -RV_EPROTOCOL, "",
		"invalid UTF-8 at byte 13");
	/* overlong, surrogate */
	ck_assert_int_eq(decode("{\"method\":\"\xc0\x80\"}"), -RV_EPROTOCOL);
	ck_assert_int_eq(decode("{\"method\":\"\xed\xa0\x80\"}"), -RV_EPROTOCOL);
	ck_assert_int_eq(decode("{\"method\":\"\\ud800\"}"), -RV_EPROTOCOL);
	ck_assert_int_eq(decode("{\"method\":\"a\\u0000\"}"), -RV_EPROTOCOL);
	ck_assert_str_eq(fault.reason, "NUL in a string at byte 19");
	ck_assert_int_eq(decode("{\"a\\u0000\":1}"), -RV_EPROTOCOL);
	ck_assert_int_eq(decode("{\"method\":\"a\nb\"}"), -RV_EPROTOCOL);
	ck_assert_int_eq(decode("{\"method\":\"a.b\",\"parameters\":{\"x\":\"\xff\"}}"),
		-RV_EPROTOCOL);
}
END_TEST

START_TEST(integers_have_64_bits)
{
	expect_call("{\"method\":\"a.b\",\"parameters\":{\"x\":9223372036854775807,"
		    "\"y\":-9223372036854775808}}",
		"a.b", "{\"x\":9223372036854775807,\"y\":-9223372036854775808}", 0);
	ck_assert_int_eq(decode("{\"method\":\"a.b\",\"parameters\":{\"x\":"
				"9223372036854775808}}"),
		-RV_EPROTOCOL);
	ck_assert_int_eq(strncmp(fault.reason, "number out of range at byte ", 28), 0);
}
END_TEST

static struct buf out;

static void expect_out(int r, const char *expected)
{
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(buf_len(&out), strlen(expected) + 1);
	ck_assert_mem_eq(buf_head(&out), expected, strlen(expected) + 1);
	buf_deinit(&out);
}

START_TEST(messages_have_exactly_these_bytes)
{
	json_t *p = json_pack(
		"{s:i,s:[b,n],s:s}", "a", -1, "b", 1, "c", "\"\x01\n\xc3\xa4/");
	const char *text =
		"{\"a\":-1,\"b\":[true,null],\"c\":\"\\\"\\u0001\\n\xc3\xa4/\"}";
	char expected[200];

	expect_out(vl_encode_call(&out, 1000, "a.b.C", NULL, 0),
		"{\"method\":\"a.b.C\",\"parameters\":{}}");
	expect_out(vl_encode_call(
			   &out, 1000, "a.b.C", NULL, VL_CALL_MORE | VL_CALL_ONEWAY),
		"{\"method\":\"a.b.C\",\"parameters\":{},\"more\":true,\"oneway\":"
		"true}");
	expect_out(vl_encode_reply(&out, 1000, NULL, false), "{\"parameters\":{}}");
	snprintf(expected, sizeof(expected), "{\"parameters\":%s,\"continues\":true}",
		text);
	expect_out(vl_encode_reply(&out, 1000, p, true), expected);
	expect_out(
		vl_encode_reply_text(&out, 1000, text, strlen(text), true), expected);
	snprintf(expected, sizeof(expected), "{\"error\":\"a.b.E\",\"parameters\":%s}",
		text);
	expect_out(vl_encode_error(&out, 1000, "a.b.E", p), expected);
	json_decref(p);
}
END_TEST

START_TEST(message_over_its_limit_leaves_the_output_as_it_was)
{
	json_t *p = json_pack("{s:s}", "a", "0123456789");

	ck_assert_int_eq(vl_encode_reply(&out, 100, NULL, false), 0);
	ck_assert_int_eq(vl_encode_reply(&out, 32, p, false), -EMSGSIZE);
	ck_assert_int_eq(vl_encode_reply(&out, 33, p, false), 0);
	ck_assert_uint_eq(buf_len(&out), 18 + 34);
	buf_deinit(&out);
	json_decref(p);
}
END_TEST

START_TEST(reply_too_deep_is_refused_and_leaves_the_output_as_it_was)
{
	json_t *p = json_object();

	for (int i = 2; i < VL_DEPTH_MAX; i++)
		p = json_pack("{s:o}", "a", p);
	ck_assert_int_eq(vl_encode_reply(&out, 10000, p, false), 0);
	buf_clear(&out);
	p = json_pack("{s:o}", "a", p);
	ck_assert_int_eq(vl_encode_reply(&out, 10000, p, false), -RV_ELIMIT);
	ck_assert_uint_eq(buf_len(&out), 0);
	buf_deinit(&out);
	json_decref(p);
}
END_TEST

static int decode_reply(struct vl_reply_message *ret, const char *s)
{
	return vl_reply_decode(ret, &fault, s, strlen(s));
}

START_TEST(reply_is_decoded_and_its_unknown_members_ignored)
{
	struct vl_reply_message r;

	ck_assert_int_eq(decode_reply(&r, "{\"x\":1}"), 0);
	ck_assert(!r.continues && !r.error && json_object_size(r.params) == 0);
	vl_reply_message_deinit(&r);
	ck_assert_int_eq(
		decode_reply(&r, "{\"parameters\":{\"a\":1},\"continues\":true}"), 0);
	ck_assert(r.continues && json_object_size(r.params) == 1);
	vl_reply_message_deinit(&r);
	ck_assert_int_eq(
		decode_reply(&r, "{\"error\":\"a.b.E\",\"parameters\":null}"), 0);
	ck_assert_str_eq(r.error, "a.b.E");
	vl_reply_message_deinit(&r);
}
END_TEST

START_TEST(wrong_reply_is_refused)
{
	struct vl_reply_message r;

	ck_assert_int_eq(decode_reply(&r, "{\"error\":1}"), -RV_EPROTOCOL);
	ck_assert_str_eq(fault.path, "error");
	ck_assert_int_eq(decode_reply(&r, "{\"parameters\":\"\"}"), -RV_EPROTOCOL);
	ck_assert_int_eq(decode_reply(&r, "{\"continues\":1}"), -RV_EPROTOCOL);
	ck_assert_int_eq(decode_reply(&r, "nonsense"), -RV_EPROTOCOL);
}
END_TEST

UNIT_MAIN("message", plain_call_is_taken_the_quick_way,
	unusual_spelling_means_the_same_the_full_way, wrong_member_is_named,
	wrong_oneway_call_is_still_known_as_oneway,
	what_is_not_json_is_told_with_its_place, duplicate_keys_are_refused_everywhere,
	text_that_json_forbids_is_refused, integers_have_64_bits,
	messages_have_exactly_these_bytes,
	message_over_its_limit_leaves_the_output_as_it_was,
	reply_too_deep_is_refused_and_leaves_the_output_as_it_was,
	reply_is_decoded_and_its_unknown_members_ignored, wrong_reply_is_refused)
