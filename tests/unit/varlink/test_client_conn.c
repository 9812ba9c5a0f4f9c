#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/support/unit.h"
#include "varlink/client_conn.h"

static struct vl_client_conn *c;
static struct vl_reply_message m;
static uint64_t tag;

static void begin(size_t reply_max)
{
	ck_assert_int_eq(vl_client_conn_new(&c, reply_max, 1000), 0);
}

static void end(void)
{
	c = vl_client_conn_free(c);
}

static void feed(const char *s)
{
	ck_assert_int_eq(vl_client_conn_feed(c, s, strlen(s) + 1), 0);
}

START_TEST(replies_belong_to_calls_in_order)
{
	static const char expected[] =
		"{\"method\":\"a.b.C\",\"parameters\":{}}\0"
		"{\"method\":\"a.b.D\",\"parameters\":{},\"oneway\":true}\0"
		"{\"method\":\"a.b.E\",\"parameters\":{}}";

	begin(1000);
	ck_assert_int_eq(vl_client_conn_call(c, "a.b.C", NULL, 0, 1), 0);
	ck_assert_int_eq(vl_client_conn_call(c, "a.b.D", NULL, VL_CALL_ONEWAY, 2), 0);
	ck_assert_int_eq(vl_client_conn_call(c, "a.b.E", NULL, 0, 3), 0);
	ck_assert_uint_eq(vl_client_conn_n_pending(c), 2);
	ck_assert_uint_eq(buf_len(vl_client_conn_output(c)), sizeof(expected));
	ck_assert_mem_eq(
		buf_head(vl_client_conn_output(c)), expected, sizeof(expected));
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), 0);
	feed("{\"parameters\":{\"a\":1}}");
	feed("{\"error\":\"a.b.Bad\"}");
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), 1);
	ck_assert_uint_eq(tag, 1);
	ck_assert_ptr_nonnull(json_object_get(m.params, "a"));
	vl_reply_message_deinit(&m);
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), 1);
	ck_assert_uint_eq(tag, 3);
	ck_assert_str_eq(m.error, "a.b.Bad");
	vl_reply_message_deinit(&m);
	ck_assert_uint_eq(vl_client_conn_n_pending(c), 0);
	end();
}
END_TEST

START_TEST(more_keeps_its_place_until_the_last_reply)
{
	begin(1000);
	vl_client_conn_call(c, "a.b.C", NULL, VL_CALL_MORE, 5);
	feed("{\"parameters\":{},\"continues\":true}");
	feed("{}");
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), 1);
	ck_assert(m.continues);
	ck_assert_uint_eq(vl_client_conn_n_pending(c), 1);
	vl_reply_message_deinit(&m);
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), 1);
	ck_assert_uint_eq(tag, 5);
	ck_assert(!m.continues);
	ck_assert_uint_eq(vl_client_conn_n_pending(c), 0);
	vl_reply_message_deinit(&m);
	end();
}
END_TEST

static void expect_error(const char *bytes, int error)
{
	begin(50);
	vl_client_conn_call(c, "a.b.C", NULL, 0, 0);
	feed(bytes);
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), error);
	/* and it is final */
	feed("{}");
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), error);
	end();
}

START_TEST(wrong_server_is_refused_for_good)
{
	expect_error("nonsense", -RV_EPROTOCOL);
	expect_error("{nonsense}", -RV_EPROTOCOL);
	expect_error("{\"parameters\":{},\"continues\":true}", -RV_EPROTOCOL);
	expect_error("{\"parameters\":[]}", -RV_EPROTOCOL);
	expect_error("{\"parameters\":{\"a\":\"0123456789012345678901234567890\"}}",
		-EMSGSIZE);
	expect_error("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", -RV_ELIMIT);
}
END_TEST

START_TEST(reply_nobody_asked_for_is_refused)
{
	begin(1000);
	feed("{}");
	ck_assert_int_eq(vl_client_conn_next_reply(c, &m, &tag), -RV_EPROTOCOL);
	end();
}
END_TEST

START_TEST(call_over_the_limit_appends_nothing)
{
	static char method[1100];

	begin(1000);
	memset(method, 'a', sizeof(method) - 1);
	ck_assert_int_eq(vl_client_conn_call(c, method, NULL, 0, 0), -EMSGSIZE);
	ck_assert_uint_eq(buf_len(vl_client_conn_output(c)), 0);
	ck_assert_uint_eq(vl_client_conn_n_pending(c), 0);
	end();
}
END_TEST

UNIT_MAIN("client_conn", replies_belong_to_calls_in_order,
	more_keeps_its_place_until_the_last_reply, wrong_server_is_refused_for_good,
	reply_nobody_asked_for_is_refused, call_over_the_limit_appends_nothing)
