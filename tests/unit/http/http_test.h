/*
 * What the tests of the HTTP client share: a server on the loopback, of streams, in the
 * same loop. What it answers is decided by the path; see web_routes.
 *
 * HTTP_TEST(name) { ... } is a test with such a server, w.
 */
#ifndef TESTS_HTTP_TEST_H
#define TESTS_HTTP_TEST_H

#include "tests/unit/runtime/rt.h"

#include <stdarg.h>

#include "base/macro.h"
#include "reeve/http.h"
#include "tests/support/open_fds.h"

struct web {
	rv_server *server;
	char base[64]; /* "http://127.0.0.1:port" */
	int port;
	unsigned n_connections, n_requests;
	rv_event waits; /* a handler has come to where it stays */
	rv_event never;
	rv_barrier meeting; /* of the requests for /meet */
	/* the last request */
	char method[16], path[512];
	char head[4096];
	char body[256];
	size_t n_body;
};

typedef int (*web_fn)(struct web *w, rv_stream *s, const char *rest);

/* text with a length; 0: the connection goes on */
static inline int web_say(
	rv_stream *s, const char *status, const char *headers, const char *body)
{
	(void)rv_stream_printf(s, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s",
		status, headers, strlen(body), body);
	return rv_stream_drain(s);
}

static inline int web_hello(struct web *w, rv_stream *s, const char *rest)
{
	return web_say(s, "200 OK",
		"Content-Type: text/plain\r\nX-Multi: one\r\nx-multi:  two \r\n"
		"X-Empty:\r\nX-Long: begins\r\n  and ends\r\n",
		"hello");
}

/* /status/NNN, with a body where there may be one */
static inline int web_status(struct web *w, rv_stream *s, const char *rest)
{
	char status[32];

	(void)snprintf(status, sizeof(status), "%s Whatever", rest);
	if (STREQ(rest, "204") || STREQ(rest, "304")) {
		(void)rv_stream_printf(s, "HTTP/1.1 %s\r\n\r\n", status);
		return 0;
	}
	return web_say(s, status, "", rest);
}

static inline int web_chunked(struct web *w, rv_stream *s, const char *rest)
{
	(void)rv_stream_printf(s,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhello\r\n8;x=y\r\n, chunks\r\n0\r\nX-Trailer: behind\r\n\r\n");
	return 0;
}

/* the end of the connection is the end of the body */
static inline int web_until_close(struct web *w, rv_stream *s, const char *rest)
{
	(void)rv_stream_printf(s, "HTTP/1.0 200 OK\r\n\r\nuntil the end");
	return 1;
}

static inline int web_interim(struct web *w, rv_stream *s, const char *rest)
{
	(void)rv_stream_printf(s, "HTTP/1.1 103 Early Hints\r\nX-Hint: yes\r\n\r\n");
	return web_hello(w, s, rest);
}

/* /to/STATUS/URL */
static inline int web_to(struct web *w, rv_stream *s, const char *rest)
{
	char status[16], location[600];

	(void)snprintf(status, sizeof(status), "%.3s There", rest);
	(void)snprintf(location, sizeof(location), "Location: %s\r\n", rest + 4);
	return web_say(s, status, location, "it has moved");
}

/* /down/N: N redirects, then hello */
static inline int web_down(struct web *w, rv_stream *s, const char *rest)
{
	char location[64];
	int n = atoi(rest);

	if (n == 0)
		return web_hello(w, s, rest);
	(void)snprintf(location, sizeof(location), "Location: %d\r\n", n - 1);
	return web_say(s, "302 Found", location, "");
}

/* /big/N: N bytes, and their number before; /flood/N without that */
static inline int web_bytes(rv_stream *s, size_t n)
{
	static char b[65536];
	int r = 0;

	memset(b, 'x', sizeof(b));
	while (n > 0 && r == 0) {
		size_t k = MIN(n, sizeof(b));

		r = rv_stream_send(s, b, k);
		n -= k;
	}
	return r;
}

static inline int web_big(struct web *w, rv_stream *s, const char *rest)
{
	(void)rv_stream_printf(
		s, "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n", rest);
	return STREQ(w->method, "HEAD") ? 0 : web_bytes(s, strtoul(rest, NULL, 10));
}

static inline int web_flood(struct web *w, rv_stream *s, const char *rest)
{
	int r;

	(void)rv_stream_printf(s, "HTTP/1.1 200 OK\r\n\r\n");
	r = web_bytes(s, strtoul(rest, NULL, 10));
	return r < 0 ? r : 1;
}

static inline int web_headers(struct web *w, rv_stream *s, const char *rest)
{
	int r = rv_stream_send(s, "HTTP/1.1 200 OK\r\n", 17);

	for (int i = 0; r == 0; i++) {
		(void)rv_stream_printf(s, "X-%d: %.*d\r\n", i, 1000, 0);
		r = rv_stream_drain(s);
	}
	return r;
}

/* the half of an answer, and no more */
static inline int web_stall(struct web *w, rv_stream *s, const char *rest)
{
	(void)rv_stream_printf(s, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
	rv_event_set(&w->waits);
	return rv_event_wait(&w->never);
}

static inline int web_early(struct web *w, rv_stream *s, const char *rest)
{
	(void)rv_stream_printf(s, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
	return 1;
}

static inline int web_nothing(struct web *w, rv_stream *s, const char *rest)
{
	return 1;
}

static inline int web_rubbish(struct web *w, rv_stream *s, const char *rest)
{
	(void)rv_stream_printf(s, "220 mail.example.org ESMTP\r\n");
	return 1;
}

/* answered when all that are to meet have come */
static inline int web_meet(struct web *w, rv_stream *s, const char *rest)
{
	char body[16];
	int r;

	(void)snprintf(body, sizeof(body), "%s", rest); /* others come meanwhile */
	r = rv_barrier_wait(&w->meeting);
	return r < 0 ? r : web_say(s, "200 OK", "", body);
}

static const struct {
	const char *path;
	web_fn fn;
} web_routes[] = {
	{"/hello", web_hello},
	{"/status/", web_status},
	{"/chunked", web_chunked},
	{"/until-close", web_until_close},
	{"/interim", web_interim},
	{"/to/", web_to},
	{"/down/", web_down},
	{"/big/", web_big},
	{"/flood/", web_flood},
	{"/headers", web_headers},
	{"/stall", web_stall},
	{"/early", web_early},
	{"/nothing", web_nothing},
	{"/rubbish", web_rubbish},
	{"/meet/", web_meet},
};

/* 1: the peer has gone */
static inline int web_read(struct web *w, rv_stream *s)
{
	const char *out, *length;
	size_t n;
	int r = rv_stream_readuntil(s, "\r\n\r\n", 4, &out, &n);

	if (r == -RV_EINCOMPLETE)
		return 1;
	if (r < 0)
		return r;
	ck_assert_uint_lt(n, sizeof(w->head));
	memcpy(w->head, out, n);
	w->head[n] = '\0';
	ck_assert_int_eq(sscanf(w->head, "%15s %511s", w->method, w->path), 2);
	length = strstr(w->head, "\r\nContent-Length: ");
	w->n_body = length ? strtoul(length + 18, NULL, 10) : 0;
	if (w->n_body > sizeof(w->body)) /* more than anybody looks at */
		return 0;
	return rv_stream_readexactly(s, w->body, w->n_body, NULL);
}

static inline int web_serve(rv_stream *s, void *arg)
{
	struct web *w = arg;
	int r;

	w->n_connections++;
	while ((r = web_read(w, s)) == 0) {
		size_t i = 0;

		w->n_requests++;
		while (i < ARRAY_LEN(web_routes) &&
			strncmp(w->path, web_routes[i].path,
				strlen(web_routes[i].path)) != 0)
			i++;
		if (i == ARRAY_LEN(web_routes))
			r = web_say(s, "404 Not Found", "", "no such path");
		else
			r = web_routes[i].fn(
				w, s, w->path + strlen(web_routes[i].path));
		if (r != 0)
			break;
	}
	/* a client that goes away in the middle is what many of the tests are about */
	return r == -ECANCELED ? r : 0;
}

static inline void web_start(struct web *w, rv_group *g, rv_stream_fn h)
{
	struct sockaddr_storage sa;
	socklen_t len;
	char port[8];

	memset(w, 0, sizeof(*w));
	rv_event_init(&w->waits);
	rv_event_init(&w->never);
	ck_assert_int_eq(rv_serve(g, "127.0.0.1", "0", h, w, &w->server), 0);
	ck_assert_int_eq(rv_server_address(w->server, 0, &sa, &len), 0);
	ck_assert_int_eq(rv_getnameinfo((struct sockaddr *)&sa, len, NULL, 0, port,
				 sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV),
		0);
	w->port = atoi(port);
	(void)snprintf(w->base, sizeof(w->base), "http://127.0.0.1:%s", port);
}

/* The server's address with a path; one at a time. */
__attribute__((unused, format(printf, 2, 3))) static const char *at(
	const struct web *w, const char *format, ...)
{
	static char url[1024];
	size_t n = strlen(w->base);
	va_list ap;

	memcpy(url, w->base, n);
	va_start(ap, format);
	(void)vsnprintf(url + n, sizeof(url) - n, format, ap);
	va_end(ap);
	return url;
}

static inline void web_stop(struct web *w, rv_group *g)
{
	rv_server_close(w->server);
	rv_server_unref(w->server);
	rv_group_cancel(g, "the test is over");
}

static inline int web_run(void (*fn)(struct web *w))
{
	struct web w;
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	web_start(&w, &g, web_serve);
	fn(&w);
	web_stop(&w, &g);
	return rv_group_exit(&g, 0);
}

#define HTTP_TEST(name)                         \
	static void name##_with(struct web *w); \
	RT_TEST(name)                           \
	{                                       \
		return web_run(name##_with);    \
	}                                       \
	static void name##_with(struct web *w)

/* The answer is status with this body. */
__attribute__((unused)) static void expect(
	const char *url, const rv_http_opts *o, int status, const char *body)
{
	rv_http_response a = {0};
	int r = rv_http_request(url, o, &a);

	if (r < 0)
		ck_abort_msg("%s: %s", url, rv_errmsg());
	ck_assert_int_eq(a.status, status);
	ck_assert_uint_eq(a.body.n, strlen(body));
	if (*body)
		ck_assert_str_eq(a.body.data, body);
	rv_http_response_free(&a);
	ck_assert_ptr_null(a.url);
}

/* It fails so, and the message has these words. */
__attribute__((unused)) static void expect_error(
	const char *url, const rv_http_opts *o, int err, const char *words)
{
	rv_http_response a = {.status = -1};
	int r = rv_http_request(url, o, &a);

	if (r != err)
		ck_abort_msg("%s: %d (%s), not %d", url, r,
			r < 0 ? rv_errmsg() : "success", err);
	ck_assert_int_eq(a.status, -1);
	if (!rv_errmsg() || !strstr(rv_errmsg(), words))
		ck_abort_msg("%s: \"%s\" does not say \"%s\"", url, rv_errmsg(), words);
}

#endif
