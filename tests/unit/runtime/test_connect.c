/* Connecting by name: which addresses, from where, and the protocol that gets it. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/runtime/net_test.h"

/* a listening socket at 127.0.0.1, and its port */
static int listen_here(char port[16])
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(port, 16, "%u", ntohs(in.sin_port));
	return fd;
}

/* the next that has connected, and from where */
static int accept_from(int fd, char from[INET_ADDRSTRLEN])
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int r = accept(fd, (struct sockaddr *)&in, &len);

	ck_assert_int_ge(r, 0);
	ck_assert_ptr_nonnull(inet_ntop(AF_INET, &in.sin_addr, from, INET_ADDRSTRLEN));
	return r;
}

RT_TEST(descriptor_is_ready_to_use_and_of_nobody_else)
{
	char port[16], from[INET_ADDRSTRLEN], byte;
	int lfd = listen_here(port), fd, peer;

	ck_assert_int_eq(rv_connect("127.0.0.1", port, NULL, &fd), 0);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	peer = accept_from(lfd, from);
	ck_assert_int_eq(rv_send_all(fd, "x", 1), 0);
	ck_assert_int_eq(read(peer, &byte, 1), 1);
	close(fd);
	close(peer);
	close(lfd);
	return 0;
}

RT_TEST(connection_comes_from_the_address_that_was_asked_for)
{
	const rv_connect_opts o = {.local_host = "127.0.0.9"};
	const rv_connect_opts other = {.local_host = "::1"};
	char port[16], from[INET_ADDRSTRLEN];
	int lfd = listen_here(port), fd = -1, peer;

	ck_assert_int_eq(rv_connect("127.0.0.1", port, &o, &fd), 0);
	peer = accept_from(lfd, from);
	ck_assert_str_eq(from, "127.0.0.9");
	close(peer);
	close(fd);
	fd = -1;
	/* no address of that family to come from */
	ck_assert_int_eq(rv_connect("127.0.0.1", port, &other, &fd), -EADDRNOTAVAIL);
	ck_assert_int_eq(fd, -1);
	close(lfd);
	return 0;
}

RT_TEST(address_of_another_family_is_not_looked_up)
{
	const rv_connect_opts v6 = {.family = AF_INET6}, v4 = {.family = AF_INET};
	char port[16];
	int lfd = listen_here(port), fd = -1;

	ck_assert_int_lt(rv_connect("127.0.0.1", port, &v6, &fd), 0);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(rv_connect("127.0.0.1", port, &v4, &fd), 0);
	close(fd);
	close(lfd);
	return 0;
}

RT_TEST(one_that_refuses_says_so_with_its_address)
{
	char port[16];
	int fd = -1;

	close(listen_here(port));
	ck_assert_int_eq(rv_connect("127.0.0.1", port, NULL, &fd), -ECONNREFUSED);
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), "127.0.0.1 port "));
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), port));
	ck_assert_int_eq(fd, -1);
	return 0;
}

RT_TEST(protocol_gets_the_connection_or_stays_the_callers)
{
	char port[16], from[INET_ADDRSTRLEN];
	int lfd = listen_here(port), peer;
	rv_transport *t = NULL;
	struct rec r;

	rec_init(&r);
	ck_assert_int_eq(rv_net_connect("127.0.0.1", port, &r.protocol, NULL, &t), 0);
	ck_assert_ptr_eq(r.transport, t);
	ck_assert_ptr_eq(rv_transport_protocol(t), &r.protocol);
	peer = accept_from(lfd, from);
	ck_assert_int_eq(write(peer, "hi", 2), 2);
	close(peer);
	while (!strchr(r.trace, 'D'))
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_str_eq(r.trace, "mdelD");
	buf_deinit(&r.data);
	close(lfd);
	rec_init(&r);
	ck_assert_int_eq(rv_net_connect("127.0.0.1", port, &r.protocol, NULL, &t),
		-ECONNREFUSED);
	ck_assert_int_eq(rv_net_connect("127.0.0.1", port, NULL, NULL, &t), -EINVAL);
	ck_assert_str_eq(r.trace, "");
	return 0;
}

static void count(void *n)
{
	++*(int *)n;
}

RT_TEST(argument_of_a_connections_task_is_freed_whatever_becomes_of_it)
{
	int n_freed = 0, fds[2];
	rv_task_opts o = {.arg_dtor = count, .name = "of a connection"};
	rv_transport *t;
	rv_task *task;
	struct rec r;

	rec_init(&r);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(rv_net_open_fd(fds[0], &r.protocol, &t), 0);
	(void)rv_transport_ref(t);
	ck_assert_int_eq(rv_transport_spawn_ex(t, &o, rt_nop, &n_freed, &task), 0);
	ck_assert_str_eq(rv_task_name(task), "of a connection");
	rt_settle(2);
	ck_assert_int_eq(n_freed, 1);
	/* lost before its first step */
	ck_assert_int_eq(
		rv_transport_spawn_ex(t, &o, rt_sleep_long, &n_freed, NULL), 0);
	rv_transport_abort(t);
	while (!strchr(r.trace, 'D'))
		ck_assert_int_eq(rv_yield(), 0);
	rt_settle(2);
	ck_assert_int_eq(n_freed, 2);
	ck_assert_int_eq(
		rv_transport_spawn_ex(t, &o, rt_nop, &n_freed, &task), -RV_ESHUTDOWN);
	ck_assert_int_eq(n_freed, 3);
	ck_assert_ptr_null(rv_transport_protocol(t));
	rv_transport_unref(t);
	close(fds[1]);
	return 0;
}

RT_TEST(pipe_is_written_to_by_a_transport)
{
	rv_transport *t;
	struct rec r;
	char text[8];
	int fds[2];

	rec_init(&r);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(rv_pipe_writer(fds[0], &r.protocol, &t), -EINVAL);
	ck_assert_int_eq(rv_pipe_writer(fds[1], &r.protocol, &t), 0);
	ck_assert_int_eq(rv_transport_write(t, "piped", 5), 0);
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), 5);
	ck_assert_mem_eq(text, "piped", 5);
	/* nobody reads any more */
	close(fds[0]);
	while (!strchr(r.trace, 'D'))
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_str_eq(r.trace, "mlD");
	return 0;
}

UNIT_MAIN("connect", descriptor_is_ready_to_use_and_of_nobody_else,
	connection_comes_from_the_address_that_was_asked_for,
	address_of_another_family_is_not_looked_up,
	one_that_refuses_says_so_with_its_address,
	protocol_gets_the_connection_or_stays_the_callers,
	argument_of_a_connections_task_is_freed_whatever_becomes_of_it,
	pipe_is_written_to_by_a_transport)
