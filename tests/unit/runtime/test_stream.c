/* Streams: reading, limits, writing, serving. */
#include "config.h"

#include "base/unix_socket.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/runtime/net_test.h"

RT_TEST(b156_read_returns_what_is_there_and_0_at_the_end)
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

RT_TEST(b156_read_all_collects_beyond_the_limit)
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

RT_TEST(b157_line_without_newline_at_the_end_is_given_then_nothing)
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

RT_TEST(b158_d13_line_at_the_limit_passes_and_longer_ones_are_dropped)
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

RT_TEST(b161_d13_readuntil_over_the_limit_keeps_the_data)
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

RT_TEST(b160_b162_separator_in_pieces_with_overlaps_is_found_once)
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

RT_TEST(b162_readexactly_at_the_end_gives_what_was_left)
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

RT_TEST(b165_second_reader_is_told_busy)
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

static int read_four(void *arg)
{
	char b[4];

	return rv_stream_readexactly(arg, b, sizeof(b), NULL);
}

/* woken, but others come before it */
RT_TEST(b165_stream_is_busy_until_its_reader_has_what_it_was_woken_for)
{
	rv_stream *s;
	rv_task *t;
	char b[8];
	int fd = stream_pair(&s);

	t = rv_spawn(read_four, s);
	rt_settle(1);
	put(fd, "abcd");
	while (!rv_task_done(t)) {
		ck_assert_int_eq((int)rv_stream_read(s, b, 8), -EBUSY);
		rt_settle(1);
	}
	ck_assert_int_eq(rv_task_result(t, NULL), 0);
	rv_task_unref(t);
	put(fd, "ef");
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), 2);
	stream_end(s, fd);
	return 0;
}

RT_TEST(b164_reading_pauses_above_twice_the_limit_and_resumes)
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

RT_TEST(b166_broken_connection_gives_data_then_its_error)
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

RT_TEST(b166_error_reaches_who_is_reading)
{
	rv_stream *s;
	rv_task *t;
	char b[8];
	int fd = stream_pair(&s);

	ck_assert_int_eq(rv_stream_send(s, "unread", 6), 0);
	t = rv_spawn(read_some, s);
	rt_settle(2);
	ck_assert(!rv_task_done(t));
	close_safe(fd); /* with our words unread: a reset */
	ck_assert_int_eq(rv_task_join(t, NULL), -ECONNRESET);
	rv_task_unref(t);
	ck_assert_int_eq((int)rv_stream_read(s, b, 8), -ECONNRESET);
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

RT_TEST(b167_all_in_drain_wake_when_the_peer_reads)
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

RT_TEST(b167_all_in_drain_wake_with_the_error_when_the_peer_goes)
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

RT_TEST(b170_close_sends_what_is_buffered_before_it_ends)
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

RT_TEST(b171_stream_dropped_without_close_is_reported_and_ended)
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

UNIT_MAIN("stream", b156_read_returns_what_is_there_and_0_at_the_end,
	b156_read_all_collects_beyond_the_limit,
	b157_line_without_newline_at_the_end_is_given_then_nothing,
	b158_d13_line_at_the_limit_passes_and_longer_ones_are_dropped,
	b161_d13_readuntil_over_the_limit_keeps_the_data,
	b160_b162_separator_in_pieces_with_overlaps_is_found_once,
	b162_readexactly_at_the_end_gives_what_was_left, cancelled_reads_take_nothing,
	b165_second_reader_is_told_busy,
	b165_stream_is_busy_until_its_reader_has_what_it_was_woken_for,
	b164_reading_pauses_above_twice_the_limit_and_resumes,
	readexactly_of_more_than_the_limit_works,
	borrowed_line_stays_while_more_arrives,
	b166_broken_connection_gives_data_then_its_error,
	b166_error_reaches_who_is_reading, b167_all_in_drain_wake_when_the_peer_reads,
	b167_all_in_drain_wake_with_the_error_when_the_peer_goes,
	writer_hears_at_once_that_the_peer_has_gone,
	b170_close_sends_what_is_buffered_before_it_ends,
	printf_writes_short_and_long_text, send_by_a_cancelled_task_writes_nothing,
	b171_stream_dropped_without_close_is_reported_and_ended)
