/* Serving streams with the tasks of a group: behaviours 169 and 189. */
#include "config.h"

#include "base/unix_socket.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/runtime/net_test.h"

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

/* echoes; has something to say when it is told to end */
static int tidy_handler(rv_stream *s, void *arg)
{
	const char *line;
	rv_scope sh;
	size_t n;
	int r;

	while ((r = rv_stream_readline(s, &line, &n)) == 0 && n) {
		r = rv_stream_send(s, line, n);
		if (r < 0)
			break;
	}
	(void)rv_shield(&sh, RV_SEC(60));
	ck_assert_int_eq(rv_stream_send(s, "bye\n", 4), 0);
	ck_assert_int_eq(rv_sleep(RV_MS(5)), 0);
	rt_add("tidied");
	return rv_scope_exit(&sh, r);
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

RT_TEST(b169_failing_handler_is_reported_and_only_its_connection_ends)
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

struct serving {
	char path[128];
	rv_server *server;
};

static int serve_for_ever(void *arg)
{
	struct serving *a = arg;
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_serve_unix(&g, a->path, tidy_handler, NULL, &a->server), 0);
	return rv_group_exit(&g, 0);
}

RT_TEST(b189_cancelling_who_serves_closes_the_server_and_waits_for_its_clients)
{
	TEMP_DIR(d);
	struct serving a = {.server = NULL};
	rv_stream *s, *other;
	rv_task *t;

	make_path(a.path, sizeof(a.path), &d);
	t = rv_spawn(serve_for_ever, &a);
	rt_settle(1);
	ck_assert_int_eq(rv_stream_connect_unix(a.path, &s), 0);
	ck_assert_int_eq(rv_stream_write(s, "hello\n", 6), 0);
	expect_line(s, "hello\n");
	ck_assert(rv_task_cancel(t));
	rt_settle(3);
	ck_assert(rv_server_is_closed(a.server));
	ck_assert_int_eq(rv_stream_connect_unix(a.path, &other), -ENOENT);
	ck_assert(!rv_task_done(t)); /* its handler says goodbye */
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_str_eq(rt_trace, "tidied");
	expect_line(s, "bye\n");
	expect_line(s, "");
	ck_assert_int_eq(rv_server_wait_closed(a.server), 0);
	rv_server_unref(a.server);
	rv_task_unref(t);
	stream_end(s, -1);
	return 0;
}

/* more sockets at once than are taken from one poll */
enum { CROWD = 100 };
static rv_stream *crowd[CROWD];

static int answer(void *stream)
{
	char c;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq((int)rv_stream_read(stream, &c, 1), 1);
		c++;
		ck_assert_int_eq(rv_stream_send(stream, &c, 1), 0);
	}
	return 0;
}

RT_TEST(sockets_that_are_ready_together_are_all_served)
{
	int fds[CROWD];
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	for (int i = 0; i < CROWD; i++) {
		fds[i] = stream_pair(&crowd[i]);
		ck_assert_ptr_nonnull(rv_group_spawn(&g, answer, crowd[i]));
	}
	rt_settle(1);
	for (char c = 'a'; c < 'd'; c++) {
		char got;

		for (int i = 0; i < CROWD; i++)
			ck_assert_int_eq((int)send(fds[i], &c, 1, 0), 1);
		/* the last first: none is left for later */
		for (int i = CROWD - 1; i >= 0; i--) {
			ck_assert_int_eq((int)rv_recv(fds[i], &got, 1, 0), 1);
			ck_assert_int_eq(got, c + 1);
		}
	}
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	for (int i = 0; i < CROWD; i++)
		stream_end(crowd[i], fds[i]);
	return 0;
}

UNIT_MAIN("stream_serve",
	b189_cancelling_who_serves_closes_the_server_and_waits_for_its_clients,
	served_clients_are_answered_and_the_group_ends_with_the_server,
	b169_failing_handler_is_reported_and_only_its_connection_ends,
	cancelled_group_closes_server_and_connections,
	serving_in_a_group_that_is_over_is_refused,
	sockets_that_are_ready_together_are_all_served)
