/* Awaiting on bare sockets, and passing descriptors: behaviours 193 and 194. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>

#include "base/unix_socket.h"
#include "reeve/debug.h"
#include "reeve/inet.h"
#include "reeve/udp.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/runtime/net_test.h"

RT_TEST(b193_cancelled_recv_takes_nothing_and_can_be_repeated)
{
	char b[8];
	int fds[2];

	pair_make(fds);
	ck_assert_int_eq(
		(int)rv_timed(RV_MS(1), (int)rv_recv(fds[0], b, 8, 0)), -ETIMEDOUT);
	put(fds[1], "abc");
	ck_assert_int_eq((int)rv_recv(fds[0], b, 8, 0), 3);
	close_safe(fds[1]);
	ck_assert_int_eq((int)rv_recv(fds[0], b, 8, 0), 0);
	close_safe(fds[0]);
	return 0;
}

static int send_much(void *arg)
{
	static char big[1 << 20];
	int r;

	memset(big, 'x', sizeof(big));
	r = rv_send_all(*(int *)arg, big, sizeof(big));
	close_safe(*(int *)arg);
	return r;
}

RT_TEST(send_all_waits_for_room)
{
	static char got[1 << 20];
	rv_task *t;
	int fds[2];

	pair_make(fds);
	t = rv_spawn(send_much, &fds[1]);
	ck_assert_uint_eq(drain_fd(fds[0], got, sizeof(got)), sizeof(got));
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	close_safe(fds[0]);
	return 0;
}

RT_TEST(send_to_a_gone_peer_is_an_error_and_no_signal)
{
	int fds[2];

	pair_make(fds);
	close_safe(fds[1]);
	ck_assert_int_eq(rv_send_all(fds[0], "x", 1), -EPIPE);
	close_safe(fds[0]);
	return 0;
}

RT_TEST(b193_accept_waits_and_its_cancellation_leaves_the_client)
{
	TEMP_DIR(d);
	char path[128];
	int fd, listener, conn;

	(void)snprintf(path, sizeof(path), "%s/s", d.path);
	ck_assert_int_eq(unix_listen(&listener, path, SOCK_STREAM, 0600, 5), 0);
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_accept(listener, NULL, NULL)), -ETIMEDOUT);
	ck_assert_int_eq(unix_connect(&fd, path, SOCK_STREAM, true), 0);
	conn = rv_accept(listener, NULL, NULL);
	ck_assert_int_ge(conn, 0);
	ck_assert(fcntl(conn, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(conn, F_GETFD) & FD_CLOEXEC);
	close_safe(conn);
	close_safe(fd);
	close_safe(listener);
	return 0;
}

RT_TEST(descriptors_are_passed)
{
	int fds[2], pipes[2], got[4];
	size_t n = 4, nb = 8;
	char b[8];

	pair_make(fds);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_recv_fds(fds[1], got, &n, b, &nb)), -ETIMEDOUT);
	ck_assert_int_eq(rv_send_fds(fds[0], pipes, 2, "take", 4), 0);
	ck_assert_int_eq(rv_recv_fds(fds[1], got, &n, b, &nb), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(nb, 4);
	ck_assert_int_eq((int)write(got[1], "!", 1), 1);
	ck_assert_int_eq((int)read(pipes[0], b, 1), 1);
	for (int i = 0; i < 2; i++) {
		close_safe(got[i]);
		close_safe(pipes[i]);
		close_safe(fds[i]);
	}
	return 0;
}

static int listen_tcp(struct sockaddr_in *sa, int backlog)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*sa);

	*sa = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)sa, len), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)sa, &len), 0);
	return fd;
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* A full backlog leaves a connection in progress. */
RT_TEST(b193_t04_cancelled_connect_goes_on_and_can_be_waited_for_again)
{
	enum { N = 8 };
	struct sockaddr_in to;
	const struct sockaddr *sa = (const struct sockaddr *)&to;
	int listener = listen_tcp(&to, 0), fds[N], n = 0, r;

	do {
		ck_assert_int_lt(n, N);
		fds[n] = tcp_socket();
		r = rv_timed(RV_MS(20), rv_connect_fd(fds[n], sa, sizeof(to)));
		n++;
	} while (r == 0);
	ck_assert_int_eq(r, -ETIMEDOUT);
	/* the same descriptor, still in progress */
	ck_assert_int_eq(rv_timed(RV_MS(1), rv_connect_fd(fds[n - 1], sa, sizeof(to))),
		-ETIMEDOUT);
	for (int i = 0; i < n - 1; i++) {
		int conn = rv_accept(listener, NULL, NULL);

		ck_assert_int_ge(conn, 0);
		close_safe(conn);
	}
	ck_assert_int_eq(rv_connect_fd(fds[n - 1], sa, sizeof(to)), 0);
	ck_assert_int_eq(rv_send_all(fds[n - 1], "x", 1), 0);
	for (int i = 0; i < n; i++)
		close_safe(fds[i]);
	close_safe(listener);
	return 0;
}

/* -- sendfile ---------------------------------------------------------------------- */

static int file_of(size_t n)
{
	char path[] = "/tmp/reeve-test-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)n), 0);
	return fd;
}

RT_TEST(b194_sendfile_into_a_transport_is_refused)
{
	struct rec r;
	int fd, own, file = file_of(100);
	off_t off = 0;
	char c;

	rec_init(&r);
	fd = rec_open(&r);
	own = *(const int *)rv_transport_info(r.transport, RV_INFO_FD, NULL);
	ck_assert_int_eq((int)rv_sendfile(own, file, &off, 100), -EBUSY);
	ck_assert_int_eq((int)off, 0);
	ck_assert_int_eq((int)recv(fd, &c, 1, MSG_DONTWAIT), -1);
	rv_transport_abort(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	close_safe(file);
	close_safe(fd);
	return 0;
}

RT_TEST(b194_position_is_what_was_sent_also_after_a_cancel_or_an_error)
{
	enum { N = 8 << 20 }; /* more than a socket takes */
	static char got[N];
	int fds[2], file = file_of(N);
	off_t off = 0;
	size_t n;

	pair_make(fds);
	ck_assert_int_eq(
		(int)rv_timed(RV_MS(5), (int)rv_sendfile(fds[0], file, &off, N)),
		-ETIMEDOUT);
	ck_assert_int_gt((int)off, 0);
	ck_assert_int_lt((int)off, N);
	n = (size_t)off;
	ck_assert_uint_eq(drain_fd(fds[1], got, n), n);
	ck_assert_int_eq((int)recv(fds[1], got, 1, MSG_DONTWAIT), -1); /* no more */

	/* and with the position of the file itself */
	ck_assert_int_eq(
		(int)rv_timed(RV_MS(5), (int)rv_sendfile(fds[0], file, NULL, N)),
		-ETIMEDOUT);
	n = (size_t)lseek(file, 0, SEEK_CUR);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_eq(drain_fd(fds[1], got, n), n);
	ck_assert_int_eq((int)recv(fds[1], got, 1, MSG_DONTWAIT), -1);

	close_safe(fds[1]);
	off = 7;
	ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	ck_assert_int_eq((int)rv_sendfile(fds[0], file, &off, N), -EPIPE);
	ck_assert_int_eq((int)off, 7);
	close_safe(fds[0]);
	close_safe(file);
	return 0;
}

/* -- what is somebody's already ------------------------------------------------------ */

RT_TEST(bare_calls_on_the_descriptor_of_a_transport_are_refused)
{
	struct sockaddr_in sa;
	struct rec r;
	char b[4];
	int fd, own, listener = listen_tcp(&sa, 1);

	rec_init(&r);
	fd = rec_open(&r);
	own = *(const int *)rv_transport_info(r.transport, RV_INFO_FD, NULL);
	ck_assert_int_eq((int)send(fd, "abc", 3, 0), 3);
	ck_assert_int_eq((int)rv_recv(own, b, 4, 0), -EBUSY);
	ck_assert_int_eq((int)rv_recvfrom(own, b, 4, 0, NULL, NULL), -EBUSY);
	ck_assert_int_eq(rv_send_all(own, "x", 1), -EBUSY);
	ck_assert_int_eq((int)rv_sendto(own, "x", 1, 0, NULL, 0), -EBUSY);
	ck_assert_int_eq(
		rv_connect_fd(own, (struct sockaddr *)&sa, sizeof(sa)), -EBUSY);
	ck_assert_int_eq((int)recv(fd, b, 1, MSG_DONTWAIT), -1); /* nothing was sent */
	rv_transport_abort(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	close_safe(fd);
	close_safe(listener);
	return 0;
}

/* -- SIGPIPE --------------------------------------------------------------------------- */

/* kept as it was by what takes away its own: one that was pending before */
RT_TEST(sendfile_to_a_gone_peer_takes_away_no_signal_but_its_own)
{
	int fds[2], file = file_of(100);
	sigset_t set, pending;
	off_t off = 0;

	pair_make(fds);
	close_safe(fds[1]);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	ck_assert_int_eq((int)rv_sendfile(fds[0], file, &off, 100), -EPIPE);
	ck_assert_int_eq(sigpending(&pending), 0);
	ck_assert(!sigismember(&pending, SIGPIPE));
	ck_assert_int_eq(raise(SIGPIPE), 0);
	ck_assert_int_eq((int)rv_sendfile(fds[0], file, &off, 100), -EPIPE);
	ck_assert_int_eq(sigpending(&pending), 0);
	ck_assert(sigismember(&pending, SIGPIPE));
	close_safe(fds[0]);
	close_safe(file);
	return 0;
}

RT_TEST(dumps_and_reports_into_a_broken_pipe_end_nobody)
{
	rv_exc e = RV_EXC_NULL;
	int p[2], saved;

	ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	close_safe(p[0]);
	rv_debug_dump_tasks(rv_loop_current(), p[1]);
	rv_task_print(rv_task_self(), p[1]);
	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ge(saved, 0);
	ck_assert_int_eq(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	e.message = "to nobody";
	rv_report(rv_loop_current(), &e);
	ck_assert_int_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close_safe(saved);
	close_safe(p[1]);
	return 0;
}

UNIT_MAIN("socket", b193_t04_cancelled_connect_goes_on_and_can_be_waited_for_again,
	b194_sendfile_into_a_transport_is_refused,
	b194_position_is_what_was_sent_also_after_a_cancel_or_an_error,
	b193_cancelled_recv_takes_nothing_and_can_be_repeated, send_all_waits_for_room,
	send_to_a_gone_peer_is_an_error_and_no_signal,
	b193_accept_waits_and_its_cancellation_leaves_the_client,
	descriptors_are_passed, bare_calls_on_the_descriptor_of_a_transport_are_refused,
	sendfile_to_a_gone_peer_takes_away_no_signal_but_its_own,
	dumps_and_reports_into_a_broken_pipe_end_nobody)
