/* Transports: writing and flow control. */
#include "config.h"

#include "tests/unit/runtime/net_test.h"

static char big[4 << 20];

static void big_fill(void)
{
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 509);
}

/* what the peer gets is what big begins with */
static void expect_big(int fd, size_t n)
{
	char *b = malloc(n);

	ck_assert_uint_eq(drain_fd(fd, b, n), n);
	ck_assert_mem_eq(b, big, n);
	free(b);
}

static void finish(struct rec *r, int fd)
{
	if (r->transport)
		rv_transport_abort(r->transport);
	REC_UNTIL(r, rec_is_lost(r));
	rec_deinit(r);
	close_safe(fd);
}

RT_TEST(b174_write_with_empty_buffer_is_sent_at_once)
{
	struct rec r;
	char b[8];
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	ck_assert_int_eq(rv_transport_write(r.transport, "now", 3), 0);
	ck_assert_int_eq((int)recv(fd, b, sizeof(b), MSG_DONTWAIT), 3);
	ck_assert_uint_eq(rv_transport_buffered(r.transport), 0);
	finish(&r, fd);
	return 0;
}

RT_TEST(b174_what_the_kernel_does_not_take_is_sent_later)
{
	struct rec r;
	int fd;

	big_fill();
	rec_init(&r);
	fd = rec_open(&r);
	ck_assert_int_eq(rv_transport_write(r.transport, big, sizeof(big)), 0);
	ck_assert_uint_gt(rv_transport_buffered(r.transport), 0);
	ck_assert_str_eq(r.trace, "mp");
	expect_big(fd, sizeof(big));
	REC_UNTIL(&r, strchr(r.trace, 'r'));
	ck_assert_uint_eq(rv_transport_buffered(r.transport), 0);
	ck_assert_str_eq(r.trace, "mpr");
	finish(&r, fd);
	return 0;
}

static unsigned n_freed;

static void count_free(void *p)
{
	n_freed++;
}

RT_TEST(all_kinds_of_writes_keep_their_order)
{
	struct rec r;
	size_t at = 0;
	unsigned seed = 5, n_taken = 0;
	int fd;

	big_fill();
	n_freed = 0;
	rec_init(&r);
	fd = rec_open(&r);
	while (at < sizeof(big)) {
		size_t n = (size_t)rand_r(&seed) % 9000;
		struct iovec v[3];

		n = MIN(n, sizeof(big) - at);
		switch (rand_r(&seed) % 3) {
		case 0:
			ck_assert_int_eq(
				rv_transport_write(r.transport, big + at, n), 0);
			break;
		case 1:
			v[0] = (struct iovec){big + at, n / 3};
			v[1] = (struct iovec){big, 0};
			v[2] = (struct iovec){big + at + n / 3, n - n / 3};
			ck_assert_int_eq(rv_transport_writev(r.transport, v, 3), 0);
			break;
		default:
			n_taken++;
			ck_assert_int_eq(rv_transport_write_take(
						 r.transport, big + at, n, count_free),
				0);
		}
		at += n;
	}
	expect_big(fd, sizeof(big));
	ck_assert_uint_eq(n_freed, n_taken);
	finish(&r, fd);
	return 0;
}

/* fill the socket, so that each byte more is buffered */
static void fill_socket(struct rec *r)
{
	ck_assert_int_eq(rv_transport_set_watermarks(r->transport, SIZE_MAX, 0), 0);
	while (rv_transport_buffered(r->transport) == 0)
		ck_assert_int_eq(rv_transport_write(r->transport, big, 4096), 0);
}

RT_TEST(b175_pause_comes_strictly_above_high_and_once)
{
	struct rec r;
	size_t n;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	fill_socket(&r);
	n = rv_transport_buffered(r.transport);
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, n + 10, 0), 0);
	ck_assert_int_eq(rv_transport_write(r.transport, big, 10), 0);
	ck_assert_str_eq(r.trace, "m");
	ck_assert_int_eq(rv_transport_write(r.transport, big, 1), 0);
	ck_assert_str_eq(r.trace, "mp");
	ck_assert_int_eq(rv_transport_write(r.transport, big, 1000), 0);
	ck_assert_str_eq(r.trace, "mp");
	finish(&r, fd);
	return 0;
}

RT_TEST(b175_resume_comes_at_low_and_once)
{
	struct rec r;
	size_t n;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	fill_socket(&r);
	n = rv_transport_buffered(r.transport);
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, 1, 1), 0);
	ck_assert_str_eq(r.trace, "mp");
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, n, n - 1), 0);
	ck_assert_str_eq(r.trace, "mp"); /* one byte too many */
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, n, n), 0);
	ck_assert_str_eq(r.trace, "mpr");
	ck_assert_int_eq(rv_transport_write(r.transport, big, 1), 0);
	ck_assert_str_eq(r.trace, "mprp");
	while (rv_transport_buffered(r.transport) > 0) {
		char b[4096];

		ck_assert_uint_gt(drain_fd(fd, b, sizeof(b)), 0);
	}
	ck_assert_str_eq(r.trace, "mprpr"); /* not again on the way down */
	finish(&r, fd);
	return 0;
}

RT_TEST(b175_marks_of_zero_pause_at_the_first_byte)
{
	struct rec r;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, 0, 0), 0);
	ck_assert_int_eq(rv_transport_write(r.transport, big, 10), 0);
	ck_assert_str_eq(r.trace, "m"); /* the kernel took it */
	ck_assert_int_eq(rv_transport_write(r.transport, big, sizeof(big)), 0);
	ck_assert_str_eq(r.trace, "mp");
	expect_big(fd, 10);
	expect_big(fd, sizeof(big));
	REC_UNTIL(&r, strchr(r.trace, 'r'));
	ck_assert_str_eq(r.trace, "mpr");
	finish(&r, fd);
	return 0;
}

RT_TEST(b176_marks_take_effect_at_once_and_wrong_ones_are_refused)
{
	struct rec r;
	size_t high, low;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	fill_socket(&r);
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, 1, 2), -EINVAL);
	rv_transport_watermarks(r.transport, &high, &low);
	ck_assert_uint_eq(high, SIZE_MAX);
	ck_assert_str_eq(r.trace, "m");
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, 1, 1), 0);
	ck_assert_str_eq(r.trace, "mp");
	ck_assert_int_eq(rv_transport_set_watermarks(r.transport, 1 << 20, 1 << 20), 0);
	ck_assert_str_eq(r.trace, "mpr");
	finish(&r, fd);
	return 0;
}

enum { PIECE = 10000 };

static void stop_writing(struct rec *r)
{
	*(bool *)r->arg = true;
}

RT_TEST(peer_that_never_reads_costs_high_mark_and_one_write)
{
	bool stopped = false;
	struct rec r;
	size_t n;
	int fd;

	rec_init(&r);
	r.on_pause = stop_writing;
	r.arg = &stopped;
	fd = rec_open(&r);
	while (!stopped)
		ck_assert_int_eq(rv_transport_write(r.transport, big, PIECE), 0);
	n = rv_transport_buffered(r.transport);
	ck_assert_uint_gt(n, 64 * 1024);
	ck_assert_uint_le(n, 64 * 1024 + PIECE);
	net_settle();
	ck_assert_uint_eq(rv_transport_buffered(r.transport), n);
	finish(&r, fd);
	return 0;
}

RT_TEST(b178_close_sends_what_is_pending_and_reads_no_more)
{
	struct rec r;
	char c;
	int fd;

	big_fill();
	rec_init(&r);
	fd = rec_open(&r);
	ck_assert_int_eq(rv_transport_write(r.transport, big, sizeof(big)), 0);
	rv_transport_close(r.transport);
	ck_assert(rv_transport_is_closing(r.transport));
	ck_assert_int_eq(rv_transport_write(r.transport, "ignored", 7), 0);
	put(fd, "too late");
	net_settle();
	ck_assert(!rec_is_lost(&r));
	expect_big(fd, sizeof(big));
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_int_eq(r.err, 0);
	ck_assert_uint_eq(buf_len(&r.data), 0);
	/* our close with its words unread is a reset for the peer */
	ck_assert_int_eq((int)recv(fd, &c, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	finish(&r, fd);
	return 0;
}

RT_TEST(b179_abort_drops_what_is_pending)
{
	struct rec r;
	int fd;

	n_freed = 0;
	rec_init(&r);
	fd = rec_open(&r);
	fill_socket(&r);
	ck_assert_int_eq(
		rv_transport_write_take(r.transport, big, 1000, count_free), 0);
	ck_assert_uint_eq(n_freed, 0);
	rv_transport_close(r.transport);
	rv_transport_abort(r.transport);
	ck_assert_uint_eq(n_freed, 1);
	ck_assert_uint_eq(rv_transport_buffered(r.transport), 0);
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_int_eq(r.err, 0);
	finish(&r, fd);
	return 0;
}

RT_TEST(b181_b182_write_eof_comes_after_what_is_pending)
{
	struct rec r;
	char c;
	int fd;

	big_fill();
	rec_init(&r);
	fd = rec_open(&r);
	ck_assert_int_eq(rv_transport_write(r.transport, big, sizeof(big)), 0);
	ck_assert_int_eq(rv_transport_write_eof(r.transport), 0);
	ck_assert_int_eq(rv_transport_write_eof(r.transport), 0);
	ck_assert_int_eq(rv_transport_write(r.transport, "x", 1), -RV_ESTATE);
	expect_big(fd, sizeof(big));
	ck_assert_uint_eq(drain_fd(fd, &c, 1), 0);
	put(fd, "heard"); /* reading goes on */
	REC_UNTIL(&r, buf_len(&r.data) == 5);
	finish(&r, fd);
	return 0;
}

RT_TEST(write_to_a_gone_peer_loses_the_connection_quietly)
{
	struct rec r;
	int fd;

	rt_catch_reports();
	rec_init(&r);
	fd = rec_open(&r);
	close_safe(fd);
	ck_assert_int_eq(rv_transport_write(r.transport, "x", 1), 0);
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_str_eq(r.trace, "mlD");
	ck_assert_int_eq(r.err, -EPIPE);
	ck_assert_uint_eq(rt_reported.n, 0);
	rec_deinit(&r);
	return 0;
}

RT_TEST(b181_writing_on_after_close_is_reported_once)
{
	struct rec r;
	int fd;

	rt_catch_reports();
	rec_init(&r);
	fd = rec_open(&r);
	rv_transport_close(r.transport);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rv_transport_write(r.transport, "x", 1), 0);
	ck_assert_uint_eq(rt_reported.n, 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(rv_transport_write(r.transport, "x", 1), 0);
	ck_assert_uint_eq(rt_reported.n, 1);
	finish(&r, fd);
	return 0;
}

static void echo(struct rec *r)
{
	ck_assert_int_eq(
		rv_transport_write(r->transport, buf_head(&r->data), buf_len(&r->data)),
		0);
	buf_clear(&r->data);
	rv_transport_write_eof(r->transport);
	rv_transport_close(r->transport);
}

RT_TEST(answer_eof_and_close_in_one_callback_all_arrive)
{
	struct rec r;
	char b[16];
	int fd;

	rec_init(&r);
	r.on_data = echo;
	fd = rec_open(&r);
	put(fd, "ping");
	ck_assert_uint_eq(drain_fd(fd, b, sizeof(b)), 4);
	finish(&r, fd);
	return 0;
}

UNIT_MAIN("transport_write", b174_write_with_empty_buffer_is_sent_at_once,
	b174_what_the_kernel_does_not_take_is_sent_later,
	all_kinds_of_writes_keep_their_order,
	b175_pause_comes_strictly_above_high_and_once,
	b175_resume_comes_at_low_and_once, b175_marks_of_zero_pause_at_the_first_byte,
	b176_marks_take_effect_at_once_and_wrong_ones_are_refused,
	peer_that_never_reads_costs_high_mark_and_one_write,
	b178_close_sends_what_is_pending_and_reads_no_more,
	b179_abort_drops_what_is_pending,
	b181_b182_write_eof_comes_after_what_is_pending,
	write_to_a_gone_peer_loses_the_connection_quietly,
	b181_writing_on_after_close_is_reported_once,
	answer_eof_and_close_in_one_callback_all_arrive)
