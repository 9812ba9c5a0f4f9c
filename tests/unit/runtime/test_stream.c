/* Streams: reading, limits, writing, serving. */
#include "config.h"

#include "base/unix_socket.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/runtime/net_test.h"

/* a stream, and the other end */
static int stream_pair(rv_stream **ret)
{
	int fds[2];

	pair_make(fds);
	ck_assert_int_eq(rv_stream_open_fd(fds[0], ret), 0);
	return fds[1];
}

static void stream_end(rv_stream *s, int fd)
{
	rv_stream_abort(s);
	ck_assert_int_le(rv_stream_wait_closed(s), 0);
	rv_stream_unref(s);
	close_safe(fd);
}

static void expect_line(rv_stream *s, const char *line)
{
	const char *out;
	size_t n;

	ck_assert_int_eq(rv_stream_readline(s, &out, &n), 0);
	ck_assert_uint_eq(n, strlen(line));
	ck_assert_mem_eq(out, line, n);
}

RT_TEST(read_returns_what_is_there_and_0_at_the_end)
{
	rv_stream *s;
	char b[16];
	int fd = stream_pair(&s);

	put(fd, "hello");
	ck_assert_int_eq((int)rv_stream_read(s, b, 0), 0);
	ck_assert_int_eq((int)rv_stream_read(s, b, 3), 3);
	ck_assert_mem_eq(b, "hel", 3);
	ck_assert_int_eq((int)rv_stream_read(s, b, 16), 2);
	ck_assert_mem_eq(b, "lo", 2);
	ck_assert(!rv_stream_at_eof(s));
	close_safe(fd);
	ck_assert_int_eq((int)rv_stream_read(s, b, 16), 0);
	ck_assert_int_eq((int)rv_stream_read(s, b, 16), 0);
	ck_assert(rv_stream_at_eof(s));
	stream_end(s, -1);
	return 0;
}

RT_TEST(read_all_collects_beyond_the_limit)
{
	enum { N = 50000 }; /* fits into the socket */
	static char in[N];
	rv_stream *s;
	char *out;
	size_t n;
	int fd = stream_pair(&s);

	memset(in, 'x', N);
	ck_assert_int_eq(rv_stream_set_limit(s, 1000), 0);
	for (size_t at = 0; at < N; at += 1000)
		ck_assert_int_eq(rv_send_all(fd, in, 1000), 0);
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(rv_stream_read_all(s, N, &out, &n), 0);
	ck_assert_uint_eq(n, N);
	ck_assert_uint_eq(strlen(out), n);
	free(out);
	stream_end(s, fd);

	fd = stream_pair(&s);
	put(fd, "12345");
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(rv_stream_read_all(s, 4, &out, &n), -RV_ELIMIT);
	ck_assert_int_eq(rv_stream_read_all(s, 5, &out, &n), 0);
	ck_assert_str_eq(out, "12345");
	free(out);
	stream_end(s, fd);
	return 0;
}

RT_TEST(line_without_newline_at_the_end_is_given_then_nothing)
{
	rv_stream *s;
	int fd = stream_pair(&s);

	put(fd, "one\n\nthree");
	close_safe(fd);
	expect_line(s, "one\n");
	expect_line(s, "\n");
	expect_line(s, "three");
	expect_line(s, "");
	expect_line(s, "");
	stream_end(s, -1);
	return 0;
}

RT_TEST(line_at_the_limit_passes_and_longer_ones_are_dropped)
{
	rv_stream *s;
	const char *out;
	size_t n;
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_set_limit(s, 4), 0);
	put(fd, "1234\n12345\nok\n");
	expect_line(s, "1234\n");
	ck_assert_int_eq(rv_stream_readline(s, &out, &n), -RV_ELIMIT);
	expect_line(s, "ok\n");
	put(fd, "no end in sight");
	ck_assert_int_eq(rv_stream_readline(s, &out, &n), -RV_ELIMIT);
	put(fd, "ok\n");
	expect_line(s, "ok\n");
	stream_end(s, fd);
	return 0;
}

RT_TEST(readuntil_over_the_limit_keeps_the_data)
{
	rv_stream *s;
	const char *out;
	char b[32];
	size_t n;
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_set_limit(s, 4), 0);
	put(fd, "123456ENDrest");
	ck_assert_int_eq(rv_stream_readuntil(s, "END", 3, &out, &n), -RV_ELIMIT);
	ck_assert_ptr_null(out);
	ck_assert_uint_eq(n, 6); /* up to the separator */
	ck_assert_int_eq(rv_stream_readexactly(s, b, n, NULL), 0);
	ck_assert_mem_eq(b, "123456", 6);
	ck_assert_int_eq(rv_stream_readuntil(s, "END", 3, &out, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq((int)rv_stream_read(s, b, 32), 4);

	put(fd, "abcdefgEN"); /* its beginning stays */
	ck_assert_int_eq(rv_stream_readuntil(s, "END", 3, &out, &n), -RV_ELIMIT);
	ck_assert_uint_eq(n, 7);
	ck_assert_int_eq(rv_stream_readuntil(s, "END", 0, &out, &n), -EINVAL);
	stream_end(s, fd);
	return 0;
}

struct drip {
	int fd;
	const char *text;
};

/* one byte at a time, each a read of its own for the stream */
static int drip(void *arg)
{
	struct drip *d = arg;

	for (const char *p = d->text; *p; p++) {
		ck_assert_int_eq((int)send(d->fd, p, 1, MSG_NOSIGNAL), 1);
		net_settle();
	}
	shutdown(d->fd, SHUT_WR);
	return 0;
}

RT_TEST(separator_in_pieces_with_overlaps_is_found_once)
{
	rv_stream *s;
	const char *out;
	size_t n;
	struct drip d = {.text = "aababaaababcabtail"};
	rv_task *t;

	d.fd = stream_pair(&s);
	t = rv_spawn(drip, &d);
	ck_assert_int_eq(rv_stream_readuntil(s, "ababc", 5, &out, &n), 0);
	ck_assert_uint_eq(n, 12);
	ck_assert_mem_eq(out, "aababaaababc", 12);
	ck_assert_int_eq(rv_stream_readuntil(s, "ababc", 5, &out, &n), -RV_EINCOMPLETE);
	ck_assert_uint_eq(n, 6);
	ck_assert_mem_eq(out, "abtail", 6);
	ck_assert_int_eq(rv_stream_readuntil(s, "ababc", 5, &out, &n), -RV_EINCOMPLETE);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	stream_end(s, d.fd);
	return 0;
}

RT_TEST(readexactly_at_the_end_gives_what_was_left)
{
	rv_stream *s;
	char b[8];
	size_t n;
	int fd = stream_pair(&s);

	put(fd, "12345678abc");
	close_safe(fd);
	ck_assert_int_eq(rv_stream_readexactly(s, b, 8, &n), 0);
	ck_assert_uint_eq(n, 8);
	ck_assert_int_eq(rv_stream_readexactly(s, b, 8, &n), -RV_EINCOMPLETE);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(b, "abc", 3);
	ck_assert_int_eq(rv_stream_readexactly(s, b, 8, &n), -RV_EINCOMPLETE);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(rv_stream_readexactly(s, b, 0, &n), 0);
	stream_end(s, -1);
	return 0;
}

RT_TEST(cancelled_reads_take_nothing)
{
	rv_stream *s;
	const char *out;
	char b[8];
	size_t n;
	int fd = stream_pair(&s);

	put(fd, "abc");
	net_settle();
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_stream_readexactly(s, b, 8, &n)), -ETIMEDOUT);
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_stream_readline(s, &out, &n)), -ETIMEDOUT);
	ck_assert_int_eq(rv_timed(RV_MS(1), rv_stream_readuntil(s, "zz", 2, &out, &n)),
		-ETIMEDOUT);
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_stream_read_all(s, 100, (char **)&out, &n)),
		-ETIMEDOUT);
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), 3);
	ck_assert_int_eq(
		(int)rv_timed(RV_MS(1), (int)rv_stream_read(s, b, 8)), -ETIMEDOUT);
	put(fd, "def");
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), 3);
	ck_assert_mem_eq(b, "def", 3);
	stream_end(s, fd);
	return 0;
}

static int read_some(void *arg)
{
	char b[8];

	return (int)rv_stream_read(arg, b, sizeof(b));
}

RT_TEST(second_reader_is_told_busy)
{
	rv_stream *s;
	rv_task *t;
	char b[8];
	int fd = stream_pair(&s);

	t = rv_spawn(read_some, s);
	rt_settle(2);
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), -EBUSY);
	put(fd, "x");
	ck_assert_int_eq(rv_task_join(t, NULL), 1);
	rv_task_unref(t);
	stream_end(s, fd);
	return 0;
}

RT_TEST(reading_pauses_above_twice_the_limit_and_resumes)
{
	rv_stream *s;
	char b[64];
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_set_limit(s, 0), -EINVAL);
	ck_assert_int_eq(rv_stream_set_limit(s, 4), 0);
	put(fd, "12345678");
	net_settle();
	ck_assert(rv_transport_is_reading(rv_stream_transport(s)));
	put(fd, "9");
	net_settle();
	ck_assert(!rv_transport_is_reading(rv_stream_transport(s)));
	ck_assert_int_eq((int)rv_stream_read(s, b, 4), 4);
	ck_assert(!rv_transport_is_reading(rv_stream_transport(s)));
	ck_assert_int_eq((int)rv_stream_read(s, b, 1), 1);
	ck_assert(rv_transport_is_reading(rv_stream_transport(s)));
	stream_end(s, fd);
	return 0;
}

RT_TEST(readexactly_of_more_than_the_limit_works)
{
	enum { N = 100000 };
	static char b[N];
	rv_stream *s;
	int fd = stream_pair(&s);

	memset(b, 'y', N);
	ck_assert_int_eq(rv_stream_set_limit(s, 16), 0);
	ck_assert_int_eq(rv_send_all(fd, b, N), 0);
	net_settle();
	ck_assert_int_eq(rv_stream_readexactly(s, b, N, NULL), 0);
	stream_end(s, fd);
	return 0;
}

RT_TEST(borrowed_line_stays_while_more_arrives)
{
	static char more[200000];
	rv_stream *s;
	const char *out;
	size_t n;
	int fd = stream_pair(&s);

	memset(more, 'z', sizeof(more));
	put(fd, "keep me\n");
	ck_assert_int_eq(rv_stream_readline(s, &out, &n), 0);
	ck_assert_int_gt(
		(int)send(fd, more, sizeof(more), MSG_DONTWAIT | MSG_NOSIGNAL), 0);
	net_settle();
	ck_assert_mem_eq(out, "keep me\n", 8);
	stream_end(s, fd);
	return 0;
}

RT_TEST(broken_connection_gives_data_then_its_error)
{
	rv_stream *s;
	char b[8];
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_write(s, "unread", 6), 0);
	put(fd, "bye");
	close_safe(fd);
	ck_assert_int_eq(rv_stream_wait_closed(s), -ECONNRESET);
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), 3);
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), -ECONNRESET);
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), -ECONNRESET);
	ck_assert_int_eq(rv_stream_drain(s), -ECONNRESET);
	stream_end(s, -1);
	return 0;
}

static int drain_task(void *arg)
{
	return rv_stream_drain(arg);
}

/* write until drain would wait */
static void fill_stream(rv_stream *s)
{
	static const char piece[4096] = "p";

	while (rv_transport_buffered(rv_stream_transport(s)) <= 64 * 1024)
		ck_assert_int_eq(rv_stream_write(s, piece, sizeof(piece)), 0);
}

RT_TEST(all_in_drain_wake_when_the_peer_reads)
{
	static char b[16384];
	rv_task *t[3];
	rv_stream *s;
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_drain(s), 0);
	fill_stream(s);
	ck_assert_int_eq(rv_timed(RV_MS(1), rv_stream_drain(s)), -ETIMEDOUT);
	for (int i = 0; i < 3; i++)
		t[i] = rv_spawn(drain_task, s);
	rt_settle(2);
	ck_assert(!rv_task_done(t[0]));
	while (!rv_task_done(t[2]))
		ck_assert_int_gt((int)rv_recv(fd, b, sizeof(b), 0), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rv_task_join(t[i], NULL), 0);
		rv_task_unref(t[i]);
	}
	stream_end(s, fd);
	return 0;
}

RT_TEST(all_in_drain_wake_with_the_error_when_the_peer_goes)
{
	rv_task *t[2];
	rv_stream *s;
	int fd = stream_pair(&s);

	fill_stream(s);
	for (int i = 0; i < 2; i++)
		t[i] = rv_spawn(drain_task, s);
	rt_settle(2);
	close_safe(fd);
	for (int i = 0; i < 2; i++) {
		int r = rv_task_join(t[i], NULL);

		ck_assert(r == -EPIPE || r == -ECONNRESET);
		rv_task_unref(t[i]);
	}
	stream_end(s, -1);
	return 0;
}

RT_TEST(writer_hears_at_once_that_the_peer_has_gone)
{
	rv_stream *s;
	int fd = stream_pair(&s);
	int n = 0, r;

	rt_catch_reports();
	close_safe(fd);
	while ((r = rv_stream_send(s, "x", 1)) == 0)
		n++;
	ck_assert(r == -EPIPE || r == -ECONNRESET);
	ck_assert_int_le(n, 1);
	ck_assert_uint_eq(rt_reported.n, 0); /* of a writer that goes on */
	stream_end(s, -1);
	return 0;
}

RT_TEST(close_sends_what_is_buffered_before_it_ends)
{
	static char b[4 << 20];
	rv_stream *s;
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_write(s, b, sizeof(b)), 0);
	rv_stream_close(s);
	ck_assert(rv_stream_is_closing(s));
	ck_assert_int_eq(rv_timed(RV_MS(1), rv_stream_wait_closed(s)), -ETIMEDOUT);
	ck_assert_uint_eq(drain_fd(fd, b, sizeof(b)), sizeof(b));
	ck_assert_uint_eq(drain_fd(fd, b, 1), 0);
	ck_assert_int_eq(rv_stream_wait_closed(s), 0);
	ck_assert_int_eq(rv_stream_write(s, b, 1), 0);
	ck_assert_int_eq(rv_stream_drain(s), -ECONNRESET);
	stream_end(s, fd);
	return 0;
}

RT_TEST(printf_writes_short_and_long_text)
{
	static char b[3000];
	rv_stream *s;
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_printf(s, "%d-%s", 42, "x"), 0);
	ck_assert_uint_eq(drain_fd(fd, b, 4), 4);
	ck_assert_mem_eq(b, "42-x", 4);
	ck_assert_int_eq(rv_stream_printf(s, "%2999d\n", 7), 0);
	ck_assert_uint_eq(drain_fd(fd, b, 3000), 3000);
	ck_assert_int_eq(b[2998], '7');
	stream_end(s, fd);
	return 0;
}

RT_TEST(send_by_a_cancelled_task_writes_nothing)
{
	rv_stream *s;
	rv_scope sc;
	char c;
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_scope_enter(&sc, 0, RV_FOREVER), 0);
	rv_scope_cancel(&sc, "test");
	ck_assert_int_eq(rv_stream_send(s, "x", 1), -ECANCELED);
	ck_assert_int_eq(rv_scope_exit(&sc, -ECANCELED), 0);
	ck_assert_int_eq((int)recv(fd, &c, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(rv_stream_send(s, "y", 1), 0);
	ck_assert_int_eq((int)recv(fd, &c, 1, MSG_DONTWAIT), 1);
	stream_end(s, fd);
	return 0;
}

RT_TEST(stream_dropped_without_close_is_reported_and_ended)
{
	rv_stream *s;
	char c;
	int fd = stream_pair(&s);

	rt_catch_reports();
	rv_stream_unref(s);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq((int)rv_recv(fd, &c, 1, 0), 0);
	close_safe(fd);
	return 0;
}

/* -- serving -------------------------------------------------------------------------
 */

static int upper_handler(rv_stream *s, void *arg)
{
	const char *line;
	size_t n;
	int r;

	while ((r = rv_stream_readline(s, &line, &n)) == 0 && n) {
		char b[128];

		for (size_t i = 0; i < n && i < sizeof(b); i++)
			b[i] = (char)(line[i] >= 'a' && line[i] <= 'z' ? line[i] - 32
								       : line[i]);
		if (strncmp(line, "fail", 4) == 0)
			return -EBADMSG;
		r = rv_stream_send(s, b, MIN(n, sizeof(b)));
		if (r < 0)
			return r;
	}
	return r;
}

static void make_path(char *path, size_t n, const struct temp_dir *d)
{
	(void)snprintf(path, n, "%s/s", d->path);
}

RT_TEST(served_clients_are_answered_and_the_group_ends_with_the_server)
{
	TEMP_DIR(d);
	char path[128];
	rv_server *srv;
	rv_stream *s[3];
	rv_group g;

	make_path(path, sizeof(path), &d);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_serve_unix(&g, path, upper_handler, NULL, &srv), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(rv_stream_connect_unix(path, &s[i]), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(rv_stream_printf(s[i], "line %d\nmore\n", i), 0);
	for (int i = 0; i < 3; i++) {
		char want[16];

		(void)snprintf(want, sizeof(want), "LINE %d\n", i);
		expect_line(s[i], want);
		expect_line(s[i], "MORE\n");
		rv_stream_close(s[i]);
	}
	rv_server_close(srv);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	for (int i = 0; i < 3; i++)
		stream_end(s[i], -1);
	rv_server_unref(srv);
	return 0;
}

RT_TEST(failing_handler_is_reported_and_only_its_connection_ends)
{
	TEMP_DIR(d);
	char path[128];
	rv_server *srv;
	rv_stream *a, *b;
	rv_group g;

	rt_catch_reports();
	make_path(path, sizeof(path), &d);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_serve_unix(&g, path, upper_handler, NULL, &srv), 0);
	ck_assert_int_eq(rv_stream_connect_unix(path, &a), 0);
	ck_assert_int_eq(rv_stream_connect_unix(path, &b), 0);
	ck_assert_int_eq(rv_stream_write(a, "fail\n", 5), 0);
	expect_line(a, "");
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rt_reported.err, -EBADMSG);
	ck_assert_int_eq(rv_stream_write(b, "on\n", 3), 0);
	expect_line(b, "ON\n");
	rv_stream_close(b);
	rv_server_close(srv);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	stream_end(a, -1);
	stream_end(b, -1);
	rv_server_unref(srv);
	return 0;
}

RT_TEST(cancelled_group_closes_server_and_connections)
{
	TEMP_DIR(d);
	char path[128];
	rv_server *srv;
	rv_stream *s;
	rv_group g;

	make_path(path, sizeof(path), &d);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_serve_unix(&g, path, upper_handler, NULL, &srv), 0);
	ck_assert_int_eq(rv_stream_connect_unix(path, &s), 0);
	ck_assert_int_eq(rv_stream_write(s, "x\n", 2), 0);
	expect_line(s, "X\n");
	rv_group_cancel(&g, "test");
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert(rv_server_is_closed(srv));
	expect_line(s, "");
	ck_assert_int_eq(rv_server_wait_closed(srv), 0);
	rv_server_unref(srv);
	stream_end(s, -1);
	return 0;
}

RT_TEST(serving_in_a_group_that_is_over_is_refused)
{
	TEMP_DIR(d);
	char path[128];
	int fd;
	rv_group g;

	make_path(path, sizeof(path), &d);
	ck_assert_int_eq(unix_listen(&fd, path, SOCK_STREAM, 0600, 5), 0);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	rv_group_cancel(&g, "test");
	ck_assert_int_eq(rv_serve_fd(&g, fd, upper_handler, NULL, NULL), -RV_ESHUTDOWN);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0); /* still the caller's */
	close_safe(fd);
	return 0;
}

/*
 * Random pieces in, random ways of reading out, against the text itself: whatever was
 * asked for comes in order and complete.
 */
enum { TEXT = 20000 };

struct fuzz {
	int fd;
	unsigned seed;
	const char *text;
};

static int fuzz_writer(void *arg)
{
	struct fuzz *f = arg;
	size_t at = 0;

	while (at < TEXT) {
		size_t n = (size_t)rand_r(&f->seed) % 700 + 1;

		n = MIN(n, TEXT - at);
		ck_assert_int_eq(rv_send_all(f->fd, f->text + at, n), 0);
		at += n;
		if (rand_r(&f->seed) % 3)
			ck_assert_int_eq(rv_yield(), 0);
	}
	shutdown(f->fd, SHUT_WR);
	return 0;
}

/* one read, of a random kind; how many bytes, 0 at the end; checks them */
static size_t fuzz_read(rv_stream *s, unsigned *seed, const char *text, size_t left)
{
	static char b[1000];
	const char *out = b, *end;
	size_t n = (size_t)rand_r(seed) % sizeof(b) + 1, want = 0;
	ssize_t k;
	int r = 0;

	switch (rand_r(seed) % 4) {
	case 0:
		k = rv_stream_read(s, b, n);
		ck_assert_int_ge((int)k, 0);
		ck_assert_uint_le((size_t)k, n);
		n = want = (size_t)k;
		break;
	case 1:
		want = MIN(n, left);
		r = rv_stream_readexactly(s, b, n, &n);
		ck_assert_int_eq(r, want < n ? -RV_EINCOMPLETE : r);
		break;
	case 2:
		end = memchr(text, '\n', left);
		want = end ? (size_t)(end - text) + 1 : left;
		ck_assert_int_eq(rv_stream_readline(s, &out, &n), 0);
		break;
	default:
		end = memmem(text, left, "aab", 3);
		want = end ? (size_t)(end - text) + 3 : left;
		r = rv_stream_readuntil(s, "aab", 3, &out, &n);
		if (r == -RV_ELIMIT) {
			ck_assert_uint_gt(want, 512);
			return SIZE_MAX;
		}
		ck_assert_int_eq(r, end ? 0 : -RV_EINCOMPLETE);
	}
	ck_assert_uint_eq(n, want);
	ck_assert_mem_eq(out, text, n);
	return n;
}

RT_TEST(random_pieces_and_reads_agree_with_the_text)
{
	static char text[TEXT];

	for (unsigned seed = 1; seed <= 40; seed++) {
		struct fuzz f = {.seed = seed, .text = text};
		unsigned rs = seed * 7919;
		size_t at = 0, n;
		rv_stream *s;
		rv_task *t;

		for (size_t i = 0; i < TEXT; i++)
			text[i] = "aaaabbbc"[rand_r(&rs) % 8];
		for (size_t i = 0; i < TEXT; i += (size_t)rand_r(&rs) % 300 + 1)
			text[i] = '\n';
		f.fd = stream_pair(&s);
		ck_assert_int_eq(rv_stream_set_limit(s, 512), 0);
		t = rv_spawn(fuzz_writer, &f);
		do {
			n = fuzz_read(s, &rs, text + at, TEXT - at);
			if (n != SIZE_MAX)
				at += n;
		} while (at < TEXT);
		ck_assert_int_eq(rv_task_join(t, NULL), 0);
		rv_task_unref(t);
		stream_end(s, f.fd);
	}
	return 0;
}

UNIT_MAIN("stream", read_returns_what_is_there_and_0_at_the_end,
	read_all_collects_beyond_the_limit,
	line_without_newline_at_the_end_is_given_then_nothing,
	line_at_the_limit_passes_and_longer_ones_are_dropped,
	readuntil_over_the_limit_keeps_the_data,
	separator_in_pieces_with_overlaps_is_found_once,
	readexactly_at_the_end_gives_what_was_left, cancelled_reads_take_nothing,
	second_reader_is_told_busy, reading_pauses_above_twice_the_limit_and_resumes,
	readexactly_of_more_than_the_limit_works,
	borrowed_line_stays_while_more_arrives,
	broken_connection_gives_data_then_its_error,
	all_in_drain_wake_when_the_peer_reads,
	all_in_drain_wake_with_the_error_when_the_peer_goes,
	writer_hears_at_once_that_the_peer_has_gone,
	close_sends_what_is_buffered_before_it_ends, printf_writes_short_and_long_text,
	send_by_a_cancelled_task_writes_nothing,
	stream_dropped_without_close_is_reported_and_ended,
	served_clients_are_answered_and_the_group_ends_with_the_server,
	failing_handler_is_reported_and_only_its_connection_ends,
	cancelled_group_closes_server_and_connections,
	serving_in_a_group_that_is_over_is_refused,
	random_pieces_and_reads_agree_with_the_text)
