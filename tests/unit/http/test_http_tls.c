/*
 * The HTTP client over TLS: certificates of a CA made here, and openssl's s_server, which
 * answers with files that hold whole answers.
 */
#include "tests/unit/http/http_test.h"

#include "reeve/process.h"
#include "tests/support/temp_dir.h"

/* a program in d, to its end */
static void run_in(const struct temp_dir *d, const char *command)
{
	const rv_proc_opts o = {.in.kind = RV_STDIO_NULL,
		.out.kind = RV_STDIO_NULL,
		.err.kind = RV_STDIO_NULL,
		.cwd = d->path};
	rv_process *p;
	int status;

	ck_assert_int_eq(rv_shell(command, &o, &p), 0);
	ck_assert_int_eq(rv_process_wait(p, &status), 0);
	rv_process_unref(p);
	if (status != 0)
		ck_abort_msg("%s: ended with %d", command, status);
}

static void write_file(const struct temp_dir *d, const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", d->path, name);
	ck_assert_int_ge(rv_file_spew(path, text, strlen(text), 0600), 0);
}

#define NEW_KEY " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "

static void make_certificates(const struct temp_dir *d)
{
	run_in(d, "openssl req -x509" NEW_KEY "-keyout ca.key -out ca.pem -days 2 "
		  "-subj /CN=reeve-test-ca -addext keyUsage=critical,keyCertSign");
	run_in(d,
		"openssl req -x509" NEW_KEY "-keyout other.key -out other.pem -days 2 "
		"-subj /CN=another-ca");
	run_in(d, "openssl req" NEW_KEY "-keyout key.pem -out request.pem "
		  "-subj /CN=reeve-test");
	write_file(d, "extensions", "subjectAltName=DNS:localhost\n");
	run_in(d, "openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key "
		  "-CAcreateserial -out cert.pem -days 2 -extfile extensions");
}

struct tls {
	struct temp_dir dir;
	rv_process *server;
	int port;
	char ca[128], other_ca[128];
};

static void tls_start(struct tls *t)
{
	char *const argv[] = {(char *)"openssl", (char *)"s_server", (char *)"-accept",
		(char *)"127.0.0.1:0", (char *)"-cert", (char *)"cert.pem",
		(char *)"-key", (char *)"key.pem", (char *)"-HTTP", NULL};
	const rv_proc_opts o = {.in.kind = RV_STDIO_NULL,
		.out.kind = RV_STDIO_PIPE,
		.err.kind = RV_STDIO_NULL,
		.cwd = t->dir.path};
	const char *line;
	char text[128];
	size_t n;

	make_certificates(&t->dir);
	write_file(
		&t->dir, "hello", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	(void)snprintf(t->ca, sizeof(t->ca), "%s/ca.pem", t->dir.path);
	(void)snprintf(t->other_ca, sizeof(t->other_ca), "%s/other.pem", t->dir.path);
	ck_assert_int_eq(rv_exec(argv, &o, &t->server), 0);
	do { /* "ACCEPT 127.0.0.1:port" */
		ck_assert_int_eq(
			rv_stream_readline(rv_process_stdout(t->server), &line, &n), 0);
		ck_assert_uint_gt(n, 0);
		ck_assert_uint_lt(n, sizeof(text));
		memcpy(text, line, n);
		text[n] = '\0';
	} while (sscanf(text, "ACCEPT 127.0.0.1:%d", &t->port) != 1);
}

#define TLS_TEST(name)                                                      \
	static void name##_tls(struct tls *t, struct web *w);               \
	HTTP_TEST(name)                                                     \
	{                                                                   \
		struct tls t = {.dir = temp_dir_make()};                    \
		tls_start(&t);                                              \
		name##_tls(&t, w);                                          \
		ck_assert_int_eq(rv_process_stop(t.server, SIGKILL, 0), 0); \
		rv_process_unref(t.server);                                 \
		temp_dir_remove(&t.dir);                                    \
	}                                                                   \
	static void name##_tls(struct tls *t, struct web *w)

/* the server with a path, by a name that its certificate has or one that it has not */
static const char *tls_at(const struct tls *t, const char *host, const char *path)
{
	static char url[256];

	(void)snprintf(url, sizeof(url), "https://%s:%d%s", host, t->port, path);
	return url;
}

TLS_TEST(certificate_of_a_trusted_ca_for_this_host_is_accepted_and_no_other)
{
	rv_http_opts o = {.ca_file = t->ca};

	expect(tls_at(t, "localhost", "/hello"), &o, 200, "hello");
	/* another host */
	expect_error(tls_at(t, "127.0.0.1", "/hello"), &o, -EKEYREJECTED, "127.0.0.1");
	/* the system does not know this CA, and another one is not this one; that there is
	 * a connection to the server helps neither */
	expect_error(
		tls_at(t, "localhost", "/hello"), NULL, -EKEYREJECTED, "localhost");
	o.ca_file = t->other_ca;
	expect_error(tls_at(t, "localhost", "/hello"), &o, -EKEYREJECTED, "localhost");
	o.ca_file = "/nonexistent/ca.pem";
	expect_error(tls_at(t, "localhost", "/hello"), &o, -ENOKEY, "localhost");
}

TLS_TEST(redirect_from_https_to_http_is_followed_only_where_asked)
{
	rv_http_opts o = {.ca_file = t->ca};
	char answer[256];

	(void)snprintf(answer, sizeof(answer),
		"HTTP/1.0 302 Found\r\nLocation: %s/hello\r\nContent-Length: 0\r\n\r\n",
		w->base);
	write_file(&t->dir, "down", answer);
	expect_error(tls_at(t, "localhost", "/down"), &o, -EPERM, w->base);
	ck_assert_uint_eq(w->n_requests, 0);
	o.flags = RV_HTTP_DOWNGRADE;
	expect(tls_at(t, "localhost", "/down"), &o, 200, "hello");
	ck_assert_uint_eq(w->n_requests, 1);

	/* up is fine */
	expect(at(w, "/to/301/%s", tls_at(t, "localhost", "/hello")), &o, 200, "hello");
}

static int refuse(rv_stream *s, void *arg)
{
	char b[16];
	ssize_t n = rv_stream_read(s, b, sizeof(b));

	if (n < 0)
		return (int)n;
	return rv_stream_send(s, "HTTP/1.0 400 Bad Request\r\n\r\n", 28);
}

RT_TEST(tls_where_there_is_none_is_an_error)
{
	struct web w;
	rv_group g;
	char url[64];

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	web_start(&w, &g, refuse);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/hello", w.port);
	expect_error(url, NULL, -EPROTO, url);
	web_stop(&w, &g);
	return rv_group_exit(&g, 0);
}

TLS_TEST(cancelled_in_the_handshake_leaves_nothing)
{
	const rv_http_opts o = {.ca_file = t->ca};
	rv_http_response a;
	int n_before;

	expect(tls_at(t, "localhost", "/hello"), &o, 200, "hello");
	n_before = n_open_fds();
	ck_assert_int_eq(rv_process_signal(t->server, SIGSTOP), 0);
	ck_assert_int_eq(
		rv_timed(RV_MS(100),
			rv_http_request(tls_at(t, "localhost", "/hello"), &o, &a)),
		-ETIMEDOUT);
	ck_assert_int_le(n_open_fds(), n_before);
}

static int tests(void)
{
	const TTest *const all[] = {
		certificate_of_a_trusted_ca_for_this_host_is_accepted_and_no_other,
		redirect_from_https_to_http_is_followed_only_where_asked,
		tls_where_there_is_none_is_an_error,
		cancelled_in_the_handshake_leaves_nothing};

	return unit_run("http_tls", NULL, NULL, all, ARRAY_LEN(all));
}

static int find_openssl(void *unused)
{
	char *const argv[] = {(char *)"openssl", (char *)"version", NULL};
	const rv_proc_opts o = {.out.kind = RV_STDIO_NULL};
	rv_process *p;
	int status, r = rv_exec(argv, &o, &p);

	if (r < 0)
		return r;
	r = rv_process_wait(p, &status);
	rv_process_unref(p);
	return r;
}

int main(void)
{
	if (rv_run(find_openssl, NULL, NULL) == -ENOENT) {
		puts("skipped: there is no openssl to make certificates with");
		return 77;
	}
	return tests();
}
