/* Transports without memory, and under fire. */
#include "config.h"

#include "tests/support/alloc_fail.h"
#include "tests/unit/runtime/net_test.h"

RT_TEST(opening_without_memory_fails_and_leaves_all_with_the_caller)
{
	struct rec r;
	int fds[2];

	for (size_t n = 1;; n++) {
		int res;

		rec_init(&r);
		pair_make(fds);
		alloc_fail_at(n);
		res = rv_net_open_fd(fds[0], &r.protocol, NULL);
		if (!alloc_fail_stop()) {
			ck_assert_int_eq(res, 0);
			ck_assert_uint_gt(n, 1);
			break;
		}
		ck_assert_int_eq(res, -ENOMEM);
		ck_assert_str_eq(r.trace, "");
		ck_assert_int_ge(fcntl(fds[0], F_GETFD), 0);
		close_safe(fds[0]);
		close_safe(fds[1]);
	}
	rv_transport_abort(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	close_safe(fds[1]);
	return 0;
}

RT_TEST(closing_and_aborting_need_no_memory)
{
	for (int how = 0; how < 2; how++) {
		struct rec r;
		bool failed;
		int fd, res;

		rec_init(&r);
		fd = rec_open(&r);
		ck_assert_ptr_nonnull(
			rv_transport_spawn(r.transport, rt_sleep_long, NULL));
		ck_assert_int_eq(rv_yield(), 0);
		alloc_fail_at(1);
		if (how)
			rv_transport_close(r.transport);
		else
			rv_transport_abort(r.transport);
		res = rv_yield();
		failed = alloc_fail_stop();
		ck_assert_int_eq(res, 0);
		ck_assert(!failed);
		ck_assert_str_eq(r.trace, "mlD");
		ck_assert_int_eq(rv_yield(), 0);
		close_safe(fd);
		rec_deinit(&r);
	}
	return 0;
}

RT_TEST(write_that_cannot_be_kept_loses_the_connection)
{
	static char big[1 << 20];
	struct rec r;
	int fd, res;

	rt_catch_reports();
	rec_init(&r);
	fd = rec_open(&r);
	alloc_fail_at(1);
	res = rv_transport_write(r.transport, big, sizeof(big));
	ck_assert(alloc_fail_stop());
	ck_assert_int_eq(res, -ENOMEM);
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_int_eq(r.err, -ENOMEM);
	ck_assert_uint_eq(rt_reported.n, 1);
	close_safe(fd);
	rec_deinit(&r);
	return 0;
}

/*
 * Edges and short reads under fire: a child writes pieces at random moments and ends in
 * one of three ways while the loop reads. Nothing may be lost and no connection may
 * hang.
 */
static void child_writes(int fd, unsigned seed, size_t n, int how)
{
	char b[512];
	size_t at = 0;

	while (at < n) {
		size_t k = (size_t)rand_r(&seed) % sizeof(b) + 1;

		if (k > n - at)
			k = n - at;
		for (size_t i = 0; i < k; i++)
			b[i] = (char)(at + i);
		if (send(fd, b, k, MSG_NOSIGNAL) != (ssize_t)k)
			_exit(1);
		at += k;
		for (unsigned spin = (unsigned)rand_r(&seed) % 2000; spin; spin--)
			__asm__ volatile("" ::: "memory");
	}
	if (how == 0)
		shutdown(fd, SHUT_RDWR);
	_exit(0);
}

RT_TEST(t01_racing_writers_lose_nothing)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		size_t n = seed * 37 % 5000 + 1;
		struct rec r;
		int fds[2];
		pid_t pid;

		rec_init(&r);
		ck_assert_int_eq(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			close_safe(fds[0]);
			child_writes(fds[1], seed, n, (int)seed % 2);
		}
		close_safe(fds[1]);
		ck_assert_int_eq(rv_net_open_fd(fds[0], &r.protocol, NULL), 0);
		REC_UNTIL(&r, rec_is_lost(&r));
		ck_assert_int_eq(r.err, 0);
		ck_assert_uint_eq(buf_len(&r.data), n);
		for (size_t i = 0; i < n; i++)
			ck_assert_int_eq(buf_head(&r.data)[i], (char)i);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		rec_deinit(&r);
	}
	return 0;
}

UNIT_MAIN("transport_hard", opening_without_memory_fails_and_leaves_all_with_the_caller,
	closing_and_aborting_need_no_memory,
	write_that_cannot_be_kept_loses_the_connection, t01_racing_writers_lose_nothing)
