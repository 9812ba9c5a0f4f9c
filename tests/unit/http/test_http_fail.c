/* The HTTP client: what is refused, what fails, and being ended in the middle. */
#include "tests/unit/http/http_test.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

HTTP_TEST(what_is_no_http_url_is_refused)
{
	expect_error("file:///etc/passwd", NULL, -EPROTONOSUPPORT, "'file'");
	expect_error("ftp://127.0.0.1/", NULL, -EPROTONOSUPPORT, "'ftp'");
	expect_error("gopher://127.0.0.1:70/", NULL, -EPROTONOSUPPORT, "'gopher'");
	expect_error("nonesuch://127.0.0.1/", NULL, -EPROTONOSUPPORT, "'nonesuch'");
	expect_error("", NULL, -EINVAL, "");
	expect_error("127.0.0.1/hello", NULL, -EINVAL, "127.0.0.1/hello");
	expect_error("/hello", NULL, -EINVAL, "/hello");
	expect_error("http://", NULL, -EINVAL, "http://");
	expect_error("http://127.0.0.1:99999/", NULL, -EINVAL, "99999");
	expect_error("http://127.0.0.1/a b", NULL, -EINVAL, "a b");
	expect_error("http://127.0.0.1/\r\nX: y", NULL, -EINVAL, "");
	expect_error("http://b\xc3\xbc"
		     "cher.example/",
		NULL, -EINVAL, "xn--");
	expect_error("http://me:secret@127.0.0.1:x/", NULL, -EINVAL, "URL with a user");
	ck_assert_uint_eq(w->n_connections, 0);
}

HTTP_TEST(options_that_make_no_request_are_refused)
{
	static const rv_http_header bad[][1] = {{{"", "x"}}, {{NULL, "x"}},
		{{"A b", "x"}}, {{"A:", "x"}}, {{"A", NULL}}, {{"A", "x\r\nB: y"}},
		{{"A", "x\n"}}, {{"A\r\nB", "x"}}, {{"content-length", "5"}},
		{{"Transfer-Encoding", "chunked"}}};
	const char *methods[] = {"", "GET /", "G\r\n", "GET "};
	rv_http_opts o = {.n_headers = 1};
	rv_http_response a;

	expect_error(at(w, "/hello"), &o, -EINVAL, "n_headers");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		o.headers = bad[i];
		expect_error(at(w, "/hello"), &o, -EINVAL, "header");
	}
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		o = (rv_http_opts){.method = methods[i]};
		expect_error(at(w, "/hello"), &o, -EINVAL, "method");
	}
	o = (rv_http_opts){.n_body = 1};
	expect_error(at(w, "/hello"), &o, -EINVAL, "n_body");
	o = (rv_http_opts){.flags = 128};
	expect_error(at(w, "/hello"), &o, -EINVAL, "flags");
	ck_assert_int_eq(rv_http_get(NULL, &a), -EINVAL);
	ck_assert_int_eq(rv_http_get(at(w, "/hello"), NULL), -EINVAL);
	ck_assert_uint_eq(w->n_requests, 0);
}

START_TEST(nothing_but_a_task_can_wait_for_it)
{
	rv_http_response a;
	rv_loop *l;

	ck_assert_int_eq(rv_http_get("http://127.0.0.1/", &a), -RV_ENOTASK);
	ck_assert_int_eq(rv_http_set_connections_max(5), -RV_ENOTASK);
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	ck_assert_int_eq(rv_http_get("http://127.0.0.1/", &a), -RV_ENOTASK);
	rv_loop_unref(l);
	rv_http_response_free(NULL);
}
END_TEST

/* a port of the loopback that nobody listens at, kept from others by being bound */
static int bound_port(int *ret_fd)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*ret_fd = fd;
	return ntohs(sa.sin_port);
}

HTTP_TEST(who_is_not_there_refuses)
{
	_cleanup_close_ int fd = -1;
	int port = bound_port(&fd);
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	expect_error(url, NULL, -ECONNREFUSED, url);
	(void)snprintf(url, sizeof(url), "http://localhost:%d/", port);
	expect_error(url, NULL, -ECONNREFUSED, url);
	expect_error(url, NULL, -ECONNREFUSED, url); /* the name is looked up again */
}

HTTP_TEST(name_that_is_none_is_an_error_of_the_resolver)
{
	rv_http_response a;
	int r = rv_http_get(
		"http://nonesuch.invalid/", &a); /* RFC 6761: never a name */

	ck_assert(r == -ENOENT || r == -EAGAIN /* where no server answers */);
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), "nonesuch.invalid"));
}

HTTP_TEST(answer_that_ends_early_is_an_error)
{
	expect_error(at(w, "/early"), NULL, -RV_EINCOMPLETE, "/early");
	expect_error(at(w, "/nothing"), NULL, -RV_EINCOMPLETE, "/nothing");
	expect_error(at(w, "/rubbish"), NULL, -EPROTO, "/rubbish");
	expect(at(w, "/hello"), NULL, 200, "hello");
}

/* writing to a connection that was reset raises SIGPIPE for who does not take care */
HTTP_TEST(server_that_hangs_up_on_a_large_body_is_an_error_and_no_signal)
{
	enum { MUCH = 8 * 1024 * 1024 };
	_cleanup_free_ char *much = calloc(1, MUCH);
	const rv_http_opts o = {.body = much, .n_body = MUCH};

	ck_assert_ptr_nonnull(much);
	(void)signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 5; i++)
		expect_error(at(w, "/nothing"), &o, -ECONNRESET, "/nothing");
}

HTTP_TEST(body_at_the_limit_passes_and_a_longer_one_is_refused)
{
	rv_http_opts o = {.body_max = 5};

	expect(at(w, "/hello"), &o, 200, "hello");
	o.body_max = 4;
	expect_error(at(w, "/hello"), &o, -EMSGSIZE, "more than 4 bytes");
	o.body_max = 100000; /* its length is not said before */
	expect_error(at(w, "/flood/100001"), &o, -EMSGSIZE, "more than 100000 bytes");
	o.body_max = 12;
	expect_error(at(w, "/chunked"), &o, -EMSGSIZE, "more than 12 bytes");
	expect_error(at(w, "/big/16777217"), NULL, -EMSGSIZE, "16777216");
}

HTTP_TEST(headers_without_end_are_refused)
{
	expect_error(at(w, "/headers"), NULL, -EMSGSIZE, "256 KiB of headers");
}

/* -- redirects ----------------------------------------------------------------------- */

HTTP_TEST(redirects_are_followed_up_to_the_limit)
{
	rv_http_opts o = {.redirects_max = 3};
	rv_http_response a = {0};

	ck_assert_int_eq(rv_http_request(at(w, "/down/3"), &o, &a), 0);
	ck_assert_int_eq(a.n_redirects, 3);
	ck_assert_str_eq(a.url, at(w, "/down/0"));
	ck_assert_str_eq(a.body.data, "hello"); /* and nothing of those before */
	ck_assert_ptr_null(rv_http_header_get(&a, "Location", 0));
	rv_http_response_free(&a);
	expect_error(at(w, "/down/4"), &o, -ELOOP, "more than 3 redirects");
	expect(at(w, "/down/10"), NULL, 200, "hello");
	expect_error(at(w, "/down/11"), NULL, -ELOOP, "more than 10 redirects");
	ck_assert_uint_eq(w->n_connections, 1);

	o.redirects_max = -1;
	ck_assert_int_eq(rv_http_request(at(w, "/down/3"), &o, &a), 0);
	ck_assert_int_eq(a.status, 302);
	ck_assert_str_eq(rv_http_header_get(&a, "Location", 0), "2");
	rv_http_response_free(&a);
	expect(at(w, "/status/302"), NULL, 302, "302"); /* leads nowhere */
}

HTTP_TEST(redirect_in_a_circle_ends)
{
	expect_error(at(w, "/to/302//to/302/"), NULL, -ELOOP, "redirects");
}

HTTP_TEST(redirect_to_what_is_not_http_is_refused)
{
	expect_error(
		at(w, "/to/302/file:///etc/passwd"), NULL, -EPROTONOSUPPORT, "file");
	expect_error(at(w, "/to/301/ftp://127.0.0.1/"), NULL, -EPROTONOSUPPORT, "ftp");
	expect_error(at(w, "/to/301/http://:/"), NULL, -EPROTO, "http://:/");
}

/* which method, and which body, come to where a redirect leads */
static void expect_after(
	struct web *w, const char *method, int status, const char *then, bool with_body)
{
	const rv_http_header type[] = {{"Content-Type", "text/plain"}, {"X-Mine", "y"}};
	const rv_http_opts o = {.method = method,
		.body = "text",
		.n_body = 4,
		.headers = type,
		.n_headers = 2};

	expect(at(w, "/to/%d//hello", status), &o, 200,
		STREQ(then, "HEAD") ? "" : "hello");
	ck_assert_str_eq(w->method, then);
	ck_assert_uint_eq(w->n_body, with_body ? 4 : 0);
	ck_assert(!strstr(w->head, "Content-Type:") == !with_body);
	ck_assert_ptr_nonnull(strstr(w->head, "X-Mine: y"));
}

HTTP_TEST(redirects_turn_a_post_into_a_get_where_they_have_to)
{
	expect_after(w, "POST", 301, "GET", false);
	expect_after(w, "POST", 302, "GET", false);
	expect_after(w, "POST", 303, "GET", false);
	expect_after(w, "POST", 307, "POST", true);
	expect_after(w, "POST", 308, "POST", true);
	expect_after(w, "PUT", 302, "PUT", true);
	expect_after(w, "PUT", 303, "GET", false);
}

HTTP_TEST(secrets_stay_where_they_were_meant_to_go)
{
	const rv_http_header headers[] = {{"Authorization", "Bearer abc"},
		{"cookie", "a=b"}, {"Host", "www.example.org"}, {"X-Mine", "y"}};
	const rv_http_opts o = {.headers = headers, .n_headers = 4};
	char url[128];

	expect(at(w, "/to/302//hello"), &o, 200, "hello");
	ck_assert_ptr_nonnull(strstr(w->head, "Authorization: Bearer abc"));
	ck_assert_ptr_nonnull(strstr(w->head, "cookie: a=b"));
	ck_assert_ptr_nonnull(strstr(w->head, "Host: www.example.org"));

	/* the same server by another name: nobody here knows that */
	(void)snprintf(url, sizeof(url), "/to/302/http://localhost:%d/hello", w->port);
	expect(at(w, "%s", url), &o, 200, "hello");
	ck_assert_ptr_null(strstr(w->head, "abc"));
	ck_assert_ptr_null(strstr(w->head, "cookie"));
	ck_assert_ptr_null(strstr(w->head, "example.org"));
	ck_assert_ptr_nonnull(strstr(w->head, "X-Mine: y"));

	(void)snprintf(url, sizeof(url),
		"http://me:secret@127.0.0.1:%d/to/302/http://"
		"localhost:%d/hello",
		w->port, w->port);
	expect(url, NULL, 200, "hello");
	ck_assert_ptr_null(strstr(w->head, "Authorization"));
	(void)snprintf(url, sizeof(url),
		"http://me:secret@127.0.0.1:%d/to/302///"
		"localhost:%d/hello",
		w->port, w->port);
	expect(url, NULL, 200, "hello");
	ck_assert_ptr_null(strstr(w->head, "Authorization"));
}

/* -- ended in the middle --------------------------------------------------------------- */

HTTP_TEST(deadline_ends_it_and_the_next_is_not_disturbed)
{
	rv_http_response a = {.status = -1};

	ck_assert_int_eq(
		rv_timed(RV_MS(50), rv_http_get(at(w, "/stall"), &a)), -ETIMEDOUT);
	ck_assert_int_eq(a.status, -1);
	ck_assert(rv_event_is_set(&w->waits));
	expect(at(w, "/hello"), NULL, 200, "hello");
	ck_assert_uint_eq(w->n_connections, 2);
}

/* a socket that listens and whose backlog is full: who connects to it waits */
static int full_port(int fds[static 8])
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int port = bound_port(&fds[0]);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons((uint16_t)port);
	ck_assert_int_eq(listen(fds[0], 0), 0);
	for (int i = 1; i < 8; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		ck_assert_int_ge(fds[i], 0);
		(void)connect(fds[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	return port;
}

HTTP_TEST(connecting_has_a_time_limit_of_its_own)
{
	const rv_http_opts o = {.connect_timeout = RV_MS(50)};
	rv_http_response a;
	char url[64];
	int fds[8];
	rv_scope scope;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", full_port(fds));
	expect_error(url, &o, -ETIMEDOUT, url);
	for (int i = 0; i < 8; i++)
		close_safe(fds[i]);
	/* which is over once it is connected: this one ends by the caller's */
	ck_assert_int_eq(rv_timeout(&scope, RV_MS(200)), 0);
	ck_assert_int_eq(rv_http_request(at(w, "/stall"), &o, &a), -ECANCELED);
	ck_assert_int_eq(rv_scope_exit(&scope, -ECANCELED), -ETIMEDOUT);
}

static int fetch_stalled(void *w)
{
	rv_http_response a;

	return rv_http_get(at(w, "/stall"), &a);
}

HTTP_TEST(cancelled_ones_leave_nothing)
{
	rv_http_response a;
	int n_before;

	expect(at(w, "/hello"), NULL, 200, "hello");
	n_before = n_open_fds();
	for (int i = 0; i < 3; i++) {
		rv_task *t = rv_spawn(fetch_stalled, w);

		rv_event_clear(&w->waits);
		ck_assert_int_eq(rv_event_wait(&w->waits), 0);
		ck_assert(rv_task_cancel(t));
		ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
		rv_task_unref(t);
	}
	/* its end of the three that were cut; the server's go with their handlers */
	ck_assert_int_le(n_open_fds(), n_before + 3);

	(void)rv_task_cancel(rv_task_self());
	(void)rv_fail(-EPROTO, "of an earlier one");
	ck_assert_int_eq(rv_http_get(at(w, "/hello"), &a), -ECANCELED);
	ck_assert_str_eq(rv_errmsg(), "the request was cancelled");
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	ck_assert_uint_eq(w->n_requests, 4);
}

static int fetch_meeting(void *w)
{
	rv_http_response a;

	return rv_http_get(at(w, "/meet/1"), &a);
}

HTTP_TEST(who_is_cancelled_before_its_turn_has_asked_for_nothing)
{
	rv_task *first, *second;

	ck_assert_int_eq(rv_http_set_connections_max(1), 0);
	first = rv_spawn(fetch_stalled, w);
	ck_assert_int_eq(rv_event_wait(&w->waits), 0);
	second = rv_spawn(fetch_meeting, w);
	rt_settle(3);
	(void)rv_task_cancel(second);
	ck_assert_int_eq(rv_task_join(second, NULL), -ECANCELED);
	ck_assert_uint_eq(w->n_requests, 1);
	(void)rv_task_cancel(first);
	ck_assert_int_eq(rv_task_join(first, NULL), -ECANCELED);
	rv_task_unref(first);
	rv_task_unref(second);
	expect(at(w, "/hello"), NULL, 200, "hello"); /* the turn was given back */
}

/* A loop that stops and is closed while requests are at every stage: idle connections, one
 * in the middle, one that waits for its turn. */
static int leave_behind(void *loop)
{
	static struct web w;
	static rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	web_start(&w, &g, web_serve);
	expect(at(&w, "/hello"), NULL, 200, "hello");
	ck_assert_int_eq(rv_http_set_connections_max(1), 0);
	rv_task_unref(rv_spawn(fetch_stalled, &w));
	ck_assert_int_eq(rv_event_wait(&w.waits), 0);
	rv_task_unref(rv_spawn(fetch_meeting, &w));
	rt_settle(3);
	rv_loop_stop(loop);
	return rv_event_wait(&w.never);
}

START_TEST(loop_that_is_closed_takes_its_requests_and_connections_along)
{
	int n_before = n_open_fds();
	rv_loop *l;
	rv_task *t;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	rv_loop_set_exception_handler(l, rt_on_report, NULL);
	ck_assert_int_eq(
		rv_spawn_ex(&t, &(rv_task_opts){.loop = l}, leave_behind, l), 0);
	ck_assert_int_eq(rv_loop_run_forever(l), 0);
	ck_assert(!rv_task_done(t));
	rv_task_unref(t);
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_uint_ge(
		rt_reported.n, 3); /* the tasks; memory: the sanitizer tells */
	rv_loop_unref(l);
	ck_assert_int_eq(n_open_fds(), n_before);
}
END_TEST

UNIT_MAIN("http_fail", what_is_no_http_url_is_refused,
	options_that_make_no_request_are_refused, nothing_but_a_task_can_wait_for_it,
	who_is_not_there_refuses, name_that_is_none_is_an_error_of_the_resolver,
	answer_that_ends_early_is_an_error,
	server_that_hangs_up_on_a_large_body_is_an_error_and_no_signal,
	body_at_the_limit_passes_and_a_longer_one_is_refused,
	headers_without_end_are_refused, redirects_are_followed_up_to_the_limit,
	redirect_in_a_circle_ends, redirect_to_what_is_not_http_is_refused,
	redirects_turn_a_post_into_a_get_where_they_have_to,
	secrets_stay_where_they_were_meant_to_go,
	deadline_ends_it_and_the_next_is_not_disturbed,
	connecting_has_a_time_limit_of_its_own, cancelled_ones_leave_nothing,
	who_is_cancelled_before_its_turn_has_asked_for_nothing,
	loop_that_is_closed_takes_its_requests_and_connections_along)
