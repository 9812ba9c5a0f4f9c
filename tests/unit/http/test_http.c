/* The HTTP client: what is sent, and what comes of it. */
#include "tests/unit/http/http_test.h"

HTTP_TEST(get_has_status_headers_body_and_url)
{
	rv_http_response a = {0};

	ck_assert_int_eq(rv_http_get(at(w, "/hello?q=1#part"), &a), 0);
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.body.n, 5);
	ck_assert_str_eq(a.body.data, "hello");
	ck_assert_str_eq(a.url, at(w, "/hello?q=1#part"));
	ck_assert_int_eq(a.n_redirects, 0);
	ck_assert_str_eq(rv_http_header_get(&a, "content-type", 0), "text/plain");
	ck_assert_str_eq(rv_http_header_get(&a, "X-MULTI", 0), "one");
	ck_assert_str_eq(rv_http_header_get(&a, "X-Multi", 1), "two");
	ck_assert_ptr_null(rv_http_header_get(&a, "X-Multi", 2));
	ck_assert_ptr_null(rv_http_header_get(&a, "X-Mult", 0));
	ck_assert_str_eq(rv_http_header_get(&a, "X-Empty", 0), "");
	ck_assert_str_eq(rv_http_header_get(&a, "X-Long", 0), "begins and ends");
	ck_assert_uint_eq(a.n_headers, 6);
	rv_http_response_free(&a);

	ck_assert_str_eq(w->method, "GET");
	ck_assert_str_eq(w->path, "/hello?q=1"); /* the fragment is nobody else's */
	ck_assert_ptr_nonnull(strstr(w->head, " HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(w->head, "\r\nUser-Agent: libreeve-http/"));
}

HTTP_TEST(answers_of_every_framing_are_read)
{
	rv_http_response a = {0};

	expect(at(w, "/chunked"), NULL, 200, "hello, chunks");
	expect(at(w, "/until-close"), NULL, 200, "until the end");
	expect(at(w, "/status/204"), NULL, 204, "");
	expect(at(w, "/big/0"), NULL, 200, "");
	ck_assert_int_eq(rv_http_get(at(w, "/chunked"), &a), 0);
	ck_assert_ptr_null(rv_http_header_get(&a, "X-Trailer", 0));
	rv_http_response_free(&a);
	ck_assert_int_eq(rv_http_get(at(w, "/interim"), &a), 0);
	ck_assert_int_eq(a.status, 200);
	ck_assert_ptr_null(rv_http_header_get(&a, "X-Hint", 0)); /* of another answer */
	ck_assert_uint_eq(a.n_headers, 6);
	rv_http_response_free(&a);
}

HTTP_TEST(status_of_an_error_is_an_answer)
{
	expect(at(w, "/status/404"), NULL, 404, "404");
	expect(at(w, "/status/500"), NULL, 500, "500");
	expect(at(w, "/status/999"), NULL, 999, "999");
}

HTTP_TEST(head_is_answered_without_a_body_whatever_its_length)
{
	const rv_http_opts o = {.method = "HEAD", .body_max = 10};
	rv_http_response a = {0};

	ck_assert_int_eq(rv_http_request(at(w, "/big/1000000"), &o, &a), 0);
	ck_assert_str_eq(w->method, "HEAD");
	ck_assert_str_eq(rv_http_header_get(&a, "Content-Length", 0), "1000000");
	ck_assert_ptr_null(a.body.data);
	rv_http_response_free(&a);
	expect(at(w, "/hello"), NULL, 200, "hello"); /* the connection is still good */
	ck_assert_uint_eq(w->n_connections, 1);
}

HTTP_TEST(body_of_a_request_is_sent_as_it_is)
{
	const rv_http_header type[] = {{"Content-Type", "text/plain"}};
	rv_http_opts o = {.body = "a\0b", .n_body = 3};

	expect(at(w, "/hello"), &o, 200, "hello");
	ck_assert_str_eq(w->method, "POST");
	ck_assert_uint_eq(w->n_body, 3);
	ck_assert_mem_eq(w->body, "a\0b", 3);
	ck_assert_ptr_null(strstr(w->head, "Content-Type"));
	ck_assert_ptr_null(strstr(w->head, "Expect"));

	o = (rv_http_opts){.method = "PUT",
		.body = "text",
		.n_body = 4,
		.headers = type,
		.n_headers = 1};
	expect(at(w, "/hello"), &o, 200, "hello");
	ck_assert_str_eq(w->method, "PUT");
	ck_assert_ptr_nonnull(strstr(w->head, "\r\nContent-Type: text/plain\r\n"));

	o = (rv_http_opts){.method = "POST"};
	expect(at(w, "/hello"), &o, 200, "hello");
	ck_assert_ptr_nonnull(strstr(w->head, "\r\nContent-Length: 0\r\n"));

	o = (rv_http_opts){.method = "DELETE"};
	expect(at(w, "/hello"), &o, 200, "hello");
	ck_assert_str_eq(w->method, "DELETE");
	ck_assert_ptr_null(strstr(w->head, "Content-Length"));
}

HTTP_TEST(headers_of_the_caller_are_sent_and_take_others_away)
{
	const rv_http_header headers[] = {
		{"X-Mine", "yes: really"}, {"User-Agent", "me"}, {"accept", ""}};
	const rv_http_opts o = {.headers = headers, .n_headers = ARRAY_LEN(headers)};

	expect(at(w, "/hello"), &o, 200, "hello");
	ck_assert_ptr_nonnull(strstr(w->head, "\r\nX-Mine: yes: really\r\n"));
	ck_assert_ptr_nonnull(strstr(w->head, "\r\nUser-Agent: me\r\n"));
	ck_assert_ptr_null(strcasestr(w->head, "\r\naccept:"));
}

HTTP_TEST(user_of_the_url_is_sent_and_not_told)
{
	rv_http_response a = {0};
	char url[128];

	(void)snprintf(
		url, sizeof(url), "http://me:secret@127.0.0.1:%d/hello", w->port);
	ck_assert_int_eq(rv_http_get(url, &a), 0);
	ck_assert_ptr_nonnull(
		strstr(w->head, "\r\nAuthorization: Basic bWU6c2VjcmV0\r\n"));
	ck_assert_str_eq(a.url, at(w, "/hello"));
	rv_http_response_free(&a);
	(void)snprintf(
		url, sizeof(url), "http://me:secret@127.0.0.1:%d/early", w->port);
	expect_error(url, NULL, -RV_EINCOMPLETE, "127.0.0.1");
	ck_assert_ptr_null(strstr(rv_errmsg(), "secret"));
}

HTTP_TEST(name_is_looked_up_and_connection_used_again)
{
	char url[128];

	(void)snprintf(url, sizeof(url), "http://localhost:%d/hello", w->port);
	for (int i = 0; i < 5; i++)
		expect(url, NULL, 200, "hello");
	ck_assert_uint_eq(w->n_connections, 1);
	ck_assert_uint_eq(w->n_requests, 5);
}

HTTP_TEST(connection_that_the_server_closed_is_made_anew)
{
	expect(at(w, "/hello"), NULL, 200, "hello");
	expect(at(w, "/until-close"), NULL, 200, "until the end");
	expect(at(w, "/hello"), NULL, 200, "hello");
	ck_assert_uint_eq(w->n_connections, 2);
}

/* -- several ------------------------------------------------------------------------- */

enum { N = 50 };

struct one {
	const struct web *w;
	int i;
};

static int fetch_one(void *arg)
{
	const struct one *one = arg;
	rv_http_response a = {0};
	char url[128], number[16];
	int r;

	(void)snprintf(url, sizeof(url), "%s/meet/%d", one->w->base, one->i);
	(void)snprintf(number, sizeof(number), "%d", one->i);
	r = rv_http_get(url, &a);
	if (r == 0 && !STREQ(a.body.data, number))
		r = -EBADMSG;
	rv_http_response_free(&a);
	return r;
}

static void fetch_all(struct web *w)
{
	struct one ones[N];
	rv_call calls[N];

	for (int i = 0; i < N; i++) {
		ones[i] = (struct one){w, i};
		calls[i] = (rv_call){fetch_one, &ones[i], NULL};
	}
	ck_assert_int_eq(rv_gather_calls(calls, N, 0, NULL), 0);
}

HTTP_TEST(fifty_at_once_are_answered_at_once)
{
	ck_assert_int_eq(rv_barrier_init(&w->meeting, N), 0);
	fetch_all(w);
	ck_assert_uint_eq(w->n_connections, N);
	fetch_all(w);
	ck_assert_uint_eq(w->n_connections, N);
	ck_assert_uint_eq(w->n_requests, 2 * N);
}

HTTP_TEST(more_than_the_limit_wait_for_their_turn)
{
	ck_assert_int_eq(rv_http_set_connections_max(5), 0);
	ck_assert_int_eq(rv_barrier_init(&w->meeting, 5), 0);
	fetch_all(w);
	ck_assert_uint_eq(w->n_connections, 5);
	ck_assert_uint_eq(w->n_requests, N);
	ck_assert_int_eq(rv_http_set_connections_max(0), -EINVAL);
	ck_assert_int_eq(rv_http_set_connections_max(10001), -EINVAL);
	ck_assert_int_eq(rv_http_set_connections_max(10000), 0);
}

static int fetch_stalled(void *w)
{
	rv_http_response a;

	return rv_http_get(at(w, "/stall"), &a);
}

HTTP_TEST(limit_stays_while_there_are_requests)
{
	rv_task *t = rv_spawn(fetch_stalled, w);

	ck_assert_int_eq(rv_event_wait(&w->waits), 0);
	ck_assert_int_eq(rv_http_set_connections_max(5), -EBUSY);
	(void)rv_task_cancel(t);
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	ck_assert_int_eq(rv_http_set_connections_max(5), 0);
}

static bool is_same(const char *a, const char *b, size_t n)
{
	return memcmp(a, b, n) == 0;
}

HTTP_TEST(large_body_comes_whole)
{
	enum { LARGE = 8 * 1024 * 1024 };
	rv_http_response a = {0};

	ck_assert_int_eq(rv_http_get(at(w, "/big/%d", LARGE), &a), 0);
	ck_assert_uint_eq(a.body.n, LARGE);
	ck_assert_int_eq(a.body.data[0], 'x');
	ck_assert(is_same(a.body.data, a.body.data + 1, LARGE - 1));
	ck_assert_int_eq(a.body.data[LARGE], '\0');
	rv_http_response_free(&a);
}

UNIT_MAIN("http", get_has_status_headers_body_and_url,
	answers_of_every_framing_are_read, status_of_an_error_is_an_answer,
	head_is_answered_without_a_body_whatever_its_length,
	body_of_a_request_is_sent_as_it_is,
	headers_of_the_caller_are_sent_and_take_others_away,
	user_of_the_url_is_sent_and_not_told,
	name_is_looked_up_and_connection_used_again,
	connection_that_the_server_closed_is_made_anew,
	fifty_at_once_are_answered_at_once, more_than_the_limit_wait_for_their_turn,
	limit_stays_while_there_are_requests, large_body_comes_whole)
