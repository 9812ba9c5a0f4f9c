#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tests/support/unit.h"
#include "tests/unit/varlink/echo.h"
#include "varlink/std_error.h"

static struct vl_registry *reg;
static struct vl_server_conn *c;
static unsigned n_changed;

static void changed(struct vl_server_conn *conn, void *priv)
{
	ck_assert_ptr_eq(priv, &n_changed);
	n_changed++;
}

static const struct vl_server_ops ops = {.changed = changed};

static void begin_with(
	const struct vl_server_limits *limits, const struct vl_server_ops *o)
{
	reg = echo_registry();
	ck_assert_int_eq(vl_server_conn_new(&c, reg, limits, o, &n_changed), 0);
}

static void begin(void)
{
	begin_with(NULL, &ops);
}

static void end(void)
{
	c = vl_server_conn_free(c);
	vl_registry_free(reg);
}

static void feed(const char *s)
{
	/* with its NUL */
	ck_assert_int_eq(vl_server_conn_feed(c, s, strlen(s) + 1), 0);
}

static struct vl_call *next(void)
{
	struct vl_call *call;

	ck_assert_int_eq(vl_server_conn_next_call(c, &call), VL_NEXT_CALL);
	return call;
}

static void expect_none(void)
{
	struct vl_call *call;

	ck_assert_int_eq(vl_server_conn_next_call(c, &call), VL_NEXT_NONE);
}

/* The output is exactly these messages, '|' for each NUL. */
static void expect(const char *s)
{
	struct buf *out = vl_server_conn_output(c);
	char got[4096];
	size_t n = buf_len(out);

	ck_assert_uint_lt(n, sizeof(got));
	memcpy(got, buf_head(out), n);
	got[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!got[i])
			got[i] = '|';
	ck_assert_str_eq(got, s);
	buf_consume(out, n);
}

static void reply(struct vl_call *call)
{
	ck_assert_int_eq(vl_call_reply(call, NULL, false), 0);
	vl_call_free(call);
}

static void reply_int(struct vl_call *call, int i, bool continues)
{
	json_t *p = json_pack("{s:i}", "i", i);

	ck_assert_int_eq(vl_call_reply(call, p, continues), 0);
	json_decref(p);
}

#define PING   "{\"method\":\"io.test.Ping\"}"
#define STREAM "{\"method\":\"io.test.Stream\",\"more\":true}"
#define EMPTY  "{\"parameters\":{}}|"

START_TEST(call_reaches_its_handler_and_its_reply_the_peer)
{
	struct vl_call *call;
	json_t *p = json_pack("{s:s}", "text", "x");

	begin();
	feed("{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"hi\"}}");
	call = next();
	ck_assert_str_eq(vl_call_name(call), "io.test.Echo");
	ck_assert_int_eq(vl_call_method(call)->id, 2);
	ck_assert_str_eq(
		json_string_value(json_object_get(vl_call_params(call), "text")), "hi");
	ck_assert(!vl_call_wants_more(call) && !vl_call_is_oneway(call));
	ck_assert_ptr_eq(vl_call_conn(call), c);
	expect_none();
	expect("");
	ck_assert_int_eq(vl_call_reply(call, p, false), 0);
	ck_assert_uint_eq(n_changed, 1);
	ck_assert_ptr_null(vl_call_conn(call));
	vl_call_free(call);
	expect("{\"parameters\":{\"text\":\"x\"}}|");
	ck_assert_uint_eq(vl_server_conn_n_calls(c), 0);
	json_decref(p);
	end();
}
END_TEST

START_TEST(replies_leave_in_the_order_of_calls)
{
	struct vl_call *a, *b, *d;
	json_t *p = json_object();

	begin();
	feed(PING);
	feed(PING);
	feed(PING);
	a = next();
	b = next();
	d = next();
	ck_assert_int_eq(vl_call_error(d, "io.test.Third", p), 0);
	vl_call_free(d);
	expect("");
	ck_assert_int_eq(vl_call_reply_text(b, "{\"second\":1}", 12, false), 0);
	expect("");
	ck_assert(vl_call_is_first(a) && !vl_call_is_first(b));
	reply(a);
	expect(EMPTY "{\"parameters\":{\"second\":1}}|"
		     "{\"error\":\"io.test.Third\",\"parameters\":{}}|");
	vl_call_free(b);
	ck_assert_uint_eq(vl_server_conn_n_calls(c), 0);
	json_decref(p);
	end();
}
END_TEST

START_TEST(internal_answers_wait_their_turn_too)
{
	struct vl_call *a;

	begin();
	feed(PING);
	feed("{\"method\":\"io.test.Nope\"}");
	a = next();
	expect_none();
	expect("");
	reply(a);
	expect(EMPTY "{\"error\":\"" VL_ERROR_METHOD_NOT_FOUND
		     "\",\"parameters\":{\"method\":\"io.test.Nope\"}}|");
	end();
}
END_TEST

START_TEST(more_streams_and_stops_further_calls)
{
	struct vl_call *s;

	begin();
	feed(STREAM);
	feed(PING);
	s = next();
	ck_assert(vl_call_wants_more(s));
	ck_assert(vl_server_conn_wants_pause(c));
	expect_none();
	reply_int(s, 1, true);
	expect("{\"parameters\":{\"i\":1},\"continues\":true}|");
	expect_none();
	reply_int(s, 2, false);
	vl_call_free(s);
	expect("{\"parameters\":{\"i\":2}}|");
	ck_assert(!vl_server_conn_wants_pause(c));
	reply(next());
	expect(EMPTY);
	end();
}
END_TEST

START_TEST(stream_behind_another_call_is_held_back_until_its_turn)
{
	struct vl_call *a, *s;

	begin();
	feed(PING);
	feed(STREAM);
	a = next();
	s = next();
	ck_assert(!vl_call_is_first(s));
	reply_int(s, 1, true);
	expect("");
	n_changed = 0;
	reply(a);
	ck_assert_uint_eq(n_changed, 1);
	ck_assert(vl_call_is_first(s));
	expect(EMPTY "{\"parameters\":{\"i\":1},\"continues\":true}|");
	reply_int(s, 2, true);
	expect("{\"parameters\":{\"i\":2},\"continues\":true}|");
	ck_assert_int_eq(vl_call_error(s, "io.test.Over", NULL), 0);
	vl_call_free(s);
	expect("{\"error\":\"io.test.Over\",\"parameters\":{}}|");
	end();
}
END_TEST

START_TEST(oneway_gets_no_reply_and_holds_up_nobody)
{
	struct vl_call *o, *a;

	begin();
	feed("{\"method\":\"io.test.Ping\",\"oneway\":true}");
	feed("{\"method\":\"io.test.Nope\",\"oneway\":true}");
	feed("{\"method\":\"io.test.Ping\",\"oneway\":true,\"parameters\":{\"x\":1}}");
	feed("{\"method\":\"org.varlink.service.GetInfo\",\"oneway\":true}");
	feed(PING);
	o = next();
	a = next();
	ck_assert(vl_call_is_oneway(o));
	ck_assert_uint_eq(vl_server_conn_n_calls(c), 2);
	reply(a);
	expect(EMPTY);
	ck_assert_int_eq(vl_call_error(o, "io.test.E", NULL), 0);
	vl_call_free(o);
	expect("");
	ck_assert_uint_eq(vl_server_conn_n_calls(c), 0);
	end();
}
END_TEST

START_TEST(calls_in_flight_are_limited)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_call *a, *b;

	limits.n_calls = 2;
	begin_with(&limits, &ops);
	for (int i = 0; i < 3; i++)
		feed(PING);
	a = next();
	b = next();
	ck_assert(vl_server_conn_wants_pause(c));
	expect_none();
	reply(b); /* done, but it waits: still in flight */
	expect_none();
	reply(a);
	ck_assert(!vl_server_conn_wants_pause(c));
	reply(next());
	expect(EMPTY EMPTY EMPTY);
	end();
}
END_TEST

START_TEST(bytes_of_calls_in_flight_are_limited_but_one_passes)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_call *a;

	limits.calls_bytes = 10;
	begin_with(&limits, &ops);
	feed(PING);
	feed(PING);
	a = next();
	ck_assert(vl_server_conn_wants_pause(c));
	expect_none();
	reply(a);
	reply(next());
	end();
}
END_TEST

START_TEST(unsent_output_stops_further_calls)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	char many[20000];
	size_t n = 0;

	limits.output_bytes = 2000;
	begin_with(&limits, &ops);
	for (int i = 0; i < 200; i++)
		n += (size_t)sprintf(
			many + n, "{\"method\":\"%s.GetInfo\"}%c", VL_SERVICE, 0);
	ck_assert_int_eq(vl_server_conn_feed(c, many, n), 0);
	expect_none();
	ck_assert(vl_server_conn_wants_pause(c));
	ck_assert_uint_lt(buf_len(vl_server_conn_output(c)), 3000);
	buf_clear(vl_server_conn_output(c));
	expect_none();
	ck_assert_uint_gt(buf_len(vl_server_conn_output(c)), 1999);
	end();
}
END_TEST

START_TEST(replies_held_back_count_as_output)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_call *a, *b;

	limits.output_bytes = 15;
	begin_with(&limits, &ops);
	feed(PING);
	feed(PING);
	a = next();
	b = next();
	ck_assert(!vl_server_conn_wants_pause(c));
	reply(b);
	ck_assert(vl_server_conn_wants_pause(c));
	reply(a);
	expect(EMPTY EMPTY);
	ck_assert(!vl_server_conn_wants_pause(c));
	end();
}
END_TEST

START_TEST(reply_to_a_connection_that_is_gone_is_dropped)
{
	struct vl_call *a, *b, *s;

	begin();
	feed(PING);
	feed(PING);
	feed(STREAM);
	a = next();
	b = next();
	s = next();
	ck_assert_int_eq(vl_call_reply(b, NULL, false), 0);
	reply_int(s, 1, true);
	c = vl_server_conn_free(c);
	ck_assert_ptr_null(vl_call_conn(a));
	ck_assert_int_eq(vl_call_reply(a, NULL, false), -ECONNRESET);
	ck_assert_int_eq(vl_call_reply(s, NULL, true), -ECONNRESET);
	ck_assert_int_eq(vl_call_error(s, "io.test.E", NULL), -ECONNRESET);
	ck_assert_ptr_nonnull(vl_call_params(a));
	vl_call_free(a);
	vl_call_free(b);
	vl_call_free(s);
	end();
}
END_TEST

START_TEST(call_freed_without_an_answer_gets_an_error)
{
	static const struct vl_server_ops with_name = {
		.changed = changed, .dropped_error = "io.test.Dropped"};
	struct vl_call *a, *b;

	begin();
	feed(PING);
	feed(PING);
	a = next();
	b = next();
	reply(b);
	vl_call_free(a);
	expect("{\"error\":\"" VL_ERROR_METHOD_NOT_IMPLEMENTED
	       "\",\"parameters\":{\"method\":\"io.test.Ping\"}}|" EMPTY);
	end();

	begin_with(NULL, &with_name);
	feed(PING);
	vl_call_free(next());
	expect("{\"error\":\"io.test.Dropped\",\"parameters\":{}}|");
	end();
}
END_TEST

START_TEST(reply_over_its_limit_leaves_the_call_to_be_answered)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_call *call;
	json_t *p =
		json_pack("{s:s}", "text", "0123456789012345678901234567890123456789");

	limits.reply_max = 50;
	begin_with(&limits, &ops);
	feed(PING);
	call = next();
	ck_assert_int_eq(vl_call_reply(call, p, false), -EMSGSIZE);
	expect("");
	reply(call);
	expect(EMPTY);
	json_decref(p);
	end();
}
END_TEST

START_TEST(end_of_stream_waits_for_replies_that_are_due)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_call *a;

	limits.n_calls = 1;
	begin_with(&limits, &ops);
	feed(PING);
	feed(PING);
	a = next();
	vl_server_conn_eof(c);
	ck_assert(!vl_server_conn_should_close(c));
	reply(a);
	ck_assert(!vl_server_conn_should_close(c)); /* one is still unread */
	a = next();
	expect_none();
	reply(a);
	expect_none();
	ck_assert(vl_server_conn_should_close(c));
	expect(EMPTY EMPTY);
	end();
}
END_TEST

START_TEST(end_of_stream_inside_of_a_message_closes)
{
	begin();
	ck_assert_int_eq(vl_server_conn_feed(c, "{\"meth", 6), 0);
	expect_none();
	vl_server_conn_eof(c);
	ck_assert(vl_server_conn_should_close(c));
	expect("");
	end();
}
END_TEST

START_TEST(broken_protocol_ends_behind_the_replies_that_are_due)
{
	struct vl_call *a;

	begin();
	feed(PING);
	feed("nonsense");
	feed(PING);
	a = next();
	expect_none();
	ck_assert(vl_server_conn_wants_pause(c));
	ck_assert(!vl_server_conn_should_close(c));
	expect("");
	reply(a);
	ck_assert(vl_server_conn_should_close(c));
	expect_none();
	expect(EMPTY "{\"error\":\"" VL_ERROR_INVALID_PARAMETER
		     "\",\"parameters\":{\"parameter\":\"message\","
		     "\"reason\":\"not a JSON object ended by NUL\"}}|");
	end();
}
END_TEST

static struct vl_call *next_long(const char *message)
{
	struct vl_server_limits limits = VL_SERVER_LIMITS_DEFAULT;
	struct vl_call *call;

	limits.inline_max = 30;
	begin_with(&limits, &ops);
	feed(message);
	feed(PING);
	ck_assert_int_eq(vl_server_conn_next_call(c, &call), VL_NEXT_PARSE);
	ck_assert(vl_server_conn_wants_pause(c));
	expect_none();
	return call;
}

START_TEST(long_call_is_parsed_apart_and_goes_on)
{
	struct vl_call *call;

	call = next_long(
		"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"hi\"}}");
	vl_call_parse(call);
	ck_assert_int_eq(vl_server_conn_accept(call), VL_NEXT_CALL);
	ck_assert_str_eq(vl_call_name(call), "io.test.Echo");
	ck_assert_str_eq(
		json_string_value(json_object_get(vl_call_params(call), "text")), "hi");
	reply(next());
	expect("");
	reply(call);
	expect(EMPTY EMPTY);
	end();
}
END_TEST

START_TEST(long_call_that_is_wrong_is_answered_in_order)
{
	struct vl_call *call;

	call = next_long("{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":1}}");
	vl_call_parse(call);
	ck_assert_int_eq(vl_server_conn_accept(call), VL_NEXT_NONE);
	reply(next());
	expect("{\"error\":\"" VL_ERROR_INVALID_PARAMETER
	       "\",\"parameters\":{\"parameter\":\"text\","
	       "\"reason\":\"expected string, got int\"}}|" EMPTY);
	end();
}
END_TEST

START_TEST(long_call_that_is_not_json_ends_the_connection)
{
	struct vl_call *call;

	call = next_long("{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":bad}}");
	vl_call_parse(call);
	ck_assert_int_eq(vl_server_conn_accept(call), VL_NEXT_NONE);
	expect_none();
	ck_assert(vl_server_conn_should_close(c));
	end();
}
END_TEST

START_TEST(long_call_outlives_its_connection)
{
	struct vl_call *call;

	call = next_long(
		"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"hi\"}}");
	c = vl_server_conn_free(c);
	vl_call_parse(call);
	ck_assert_int_eq(vl_server_conn_accept(call), VL_NEXT_NONE);
	vl_registry_free(reg);
}
END_TEST

static void *parse_in_thread(void *arg)
{
	vl_call_parse(arg);
	return NULL;
}

START_TEST(long_call_is_parsed_in_a_thread_while_its_connection_goes)
{
	struct vl_call *call;
	pthread_t thread;

	call = next_long(
		"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"hi\"}}");
	ck_assert_int_eq(pthread_create(&thread, NULL, parse_in_thread, call), 0);
	c = vl_server_conn_free(c);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(vl_server_conn_accept(call), VL_NEXT_NONE);
	vl_registry_free(reg);
}
END_TEST

START_TEST(empty_parameters_are_shared_between_threads)
{
	struct vl_call *call, *other;
	pthread_t thread;

	call = next_long("{\"method\":\"io.test.Ping\",\"parameters\":{      }}");
	ck_assert_int_eq(pthread_create(&thread, NULL, parse_in_thread, call), 0);
	for (int i = 0; i < 1000; i++) {
		struct vl_server_conn *d;

		ck_assert_int_eq(vl_server_conn_new(&d, reg, NULL, NULL, NULL), 0);
		ck_assert_int_eq(vl_server_conn_feed(d, PING, sizeof(PING)), 0);
		ck_assert_int_eq(vl_server_conn_next_call(d, &other), VL_NEXT_CALL);
		reply(other);
		vl_server_conn_free(d);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(vl_server_conn_accept(call), VL_NEXT_CALL);
	ck_assert_uint_eq(json_object_size(vl_call_params(call)), 0);
	reply(call);
	end();
}
END_TEST

START_TEST(long_call_given_up_is_answered)
{
	struct vl_call *call;

	call = next_long(
		"{\"method\":\"io.test.Echo\",\"parameters\":{\"text\":\"hi\"}}");
	vl_call_free(call);
	ck_assert(!vl_server_conn_wants_pause(c));
	reply(next());
	end();
}
END_TEST

static void answer_wrongly(void)
{
	static const struct vl_server_ops checking = {.check_replies = true};

	begin_with(NULL, &checking);
	feed(PING);
	reply_int(next(), 1, false);
}

static void answer_rightly(void)
{
	static const struct vl_server_ops checking = {.check_replies = true};
	struct vl_call *call;

	begin_with(NULL, &checking);
	feed(PING);
	feed(PING);
	feed(PING);
	reply(next());
	call = next();
	ck_assert_int_eq(vl_call_reply_text(call, "{}", 2, false), 0);
	vl_call_free(call);
	call = next();
	ck_assert_int_eq(vl_call_denied(call), 0);
	vl_call_free(call);
	end();
}

START_TEST(reply_that_does_not_fit_its_interface_aborts_where_asked_for)
{
	ck_assert_int_eq(unit_signal_of(answer_wrongly), SIGABRT);
	ck_assert_int_eq(unit_signal_of(answer_rightly), 0);
}
END_TEST

UNIT_MAIN("server_conn", call_reaches_its_handler_and_its_reply_the_peer,
	replies_leave_in_the_order_of_calls, internal_answers_wait_their_turn_too,
	more_streams_and_stops_further_calls,
	stream_behind_another_call_is_held_back_until_its_turn,
	oneway_gets_no_reply_and_holds_up_nobody, calls_in_flight_are_limited,
	bytes_of_calls_in_flight_are_limited_but_one_passes,
	unsent_output_stops_further_calls, replies_held_back_count_as_output,
	reply_to_a_connection_that_is_gone_is_dropped,
	call_freed_without_an_answer_gets_an_error,
	reply_over_its_limit_leaves_the_call_to_be_answered,
	end_of_stream_waits_for_replies_that_are_due,
	end_of_stream_inside_of_a_message_closes,
	broken_protocol_ends_behind_the_replies_that_are_due,
	long_call_is_parsed_apart_and_goes_on,
	long_call_that_is_wrong_is_answered_in_order,
	long_call_that_is_not_json_ends_the_connection,
	long_call_outlives_its_connection,
	long_call_is_parsed_in_a_thread_while_its_connection_goes,
	empty_parameters_are_shared_between_threads, long_call_given_up_is_answered,
	reply_that_does_not_fit_its_interface_aborts_where_asked_for)
