/* Pipes and terminals: behaviours 2.11. */
#include "config.h"

#include <stdlib.h>

#include "reeve/pipe.h"
#include "tests/unit/runtime/net_test.h"

RT_TEST(b195_reader_gets_what_comes_and_the_end)
{
	rv_stream *s;
	char buf[16];
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_stream_open_reader(fds[0], &s), 0);
	ck_assert_int_eq(write(fds[1], "ab", 2), 2);
	ck_assert_int_eq(rv_stream_read(s, buf, sizeof(buf)), 2);
	ck_assert_int_eq(rv_stream_write(s, "x", 1), -RV_ESTATE);
	close(fds[1]);
	ck_assert_int_eq(rv_stream_read(s, buf, sizeof(buf)), 0);
	ck_assert_int_eq(rv_stream_wait_closed(s), 0);
	rv_stream_unref(s);
	return 0;
}

RT_TEST(writer_is_told_that_nobody_reads_without_a_signal)
{
	rv_stream *s;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_stream_open_writer(fds[1], &s), 0);
	ck_assert_int_eq(rv_stream_send(s, "ab", 2), 0);
	close(fds[0]);
	(void)rv_stream_write(s, "c", 1);
	ck_assert_int_le(rv_stream_wait_closed(s), 0);
	ck_assert_int_lt(rv_stream_drain(s), 0);
	rv_stream_unref(s);
	return 0;
}

RT_TEST(writer_closes_at_its_end_after_all_is_sent)
{
	enum { N = 300000 }; /* more than a pipe holds */
	char *data = calloc(1, N), *got;
	rv_stream *w, *r;
	size_t n;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_stream_open_writer(fds[1], &w), 0);
	ck_assert_int_eq(rv_stream_open_reader(fds[0], &r), 0);
	ck_assert_int_eq(rv_stream_write(w, data, N), 0);
	ck_assert_int_eq(rv_stream_write_eof(w), 0);
	ck_assert_int_eq(rv_stream_read_all(r, N, &got, &n), 0);
	ck_assert_uint_eq(n, N);
	ck_assert_int_eq(rv_stream_wait_closed(w), 0);
	rv_stream_close(r);
	rv_stream_unref(w);
	rv_stream_unref(r);
	free(got);
	free(data);
	return 0;
}

RT_TEST(b197_regular_files_and_wrong_ends_are_refused)
{
	rv_stream *s;
	int fds[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(rv_stream_open_reader(file, &s), -EINVAL);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_stream_open_reader(fds[1], &s), -EINVAL);
	ck_assert_int_eq(rv_stream_open_writer(fds[0], &s), -EINVAL);
	ck_assert_int_eq(rv_stream_open_reader(-1, &s), -EBADF);
	close(file);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

RT_TEST(b198_closed_terminal_is_an_end_and_no_error)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	char buf[16];
	rv_stream *s;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	rt_catch_reports();
	ck_assert_int_eq(rv_stream_open_reader(master, &s), 0);
	ck_assert_int_eq(write(slave, "ab", 2), 2);
	ck_assert_int_eq(rv_stream_read(s, buf, sizeof(buf)), 2);
	close(slave);
	ck_assert_int_eq(rv_stream_read(s, buf, sizeof(buf)), 0);
	ck_assert_int_eq(rv_stream_wait_closed(s), 0);
	ck_assert_uint_eq(rt_reported.n, 0);
	rv_stream_unref(s);
	return 0;
}

RT_TEST(t02_reopened_pipe_leaves_the_others_flags_alone)
{
	int fds[2], again, socks[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	again = rv_pipe_reopen(fds[0]);
	ck_assert_int_ge(again, 0);
	ck_assert(fcntl(again, F_GETFL) & O_NONBLOCK);
	ck_assert(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks), 0);
	ck_assert_int_eq(rv_pipe_reopen(socks[0]), -ENXIO);
	ck_assert_int_eq(rv_pipe_reopen(-1), -EBADF);
	close(again);
	close(fds[0]);
	close(fds[1]);
	close(socks[0]);
	close(socks[1]);
	return 0;
}

static void note_state(struct rec *r)
{
	ck_assert_str_eq(r->trace, "mde"); /* the end is told, and is not yet */
	(void)rv_call_soon(rv_loop_current(), rt_cb_add, RT_W("round"));
}

static void say_lost(struct rec *r)
{
	rt_add("lost");
}

RT_TEST(b195_protocol_hears_of_the_end_and_then_that_it_is_lost)
{
	struct rec r;
	int fds[2];

	rec_init(&r);
	r.on_eof = note_state;
	r.on_lost = say_lost;
	r.eof_result = 1; /* a reader cannot stay open */
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_pipe_reader(fds[0], &r.protocol, NULL), 0);
	ck_assert_int_eq(write(fds[1], "ab", 2), 2);
	close_safe(fds[1]);
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_str_eq(r.trace, "mdelD");
	ck_assert_str_eq(rt_trace, "round lost");
	ck_assert_int_eq(r.err, 0);
	rec_deinit(&r);
	return 0;
}

UNIT_MAIN("pipe", b195_protocol_hears_of_the_end_and_then_that_it_is_lost,
	b195_reader_gets_what_comes_and_the_end,
	writer_is_told_that_nobody_reads_without_a_signal,
	writer_closes_at_its_end_after_all_is_sent,
	b197_regular_files_and_wrong_ends_are_refused,
	b198_closed_terminal_is_an_end_and_no_error,
	t02_reopened_pipe_leaves_the_others_flags_alone)
