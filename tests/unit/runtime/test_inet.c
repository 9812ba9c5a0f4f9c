/* TCP, names, datagrams: behaviours 187 to 194. */
#include "rt.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

/* -- names ------------------------------------------------------------------------- */

RT_TEST(addresses_in_digits_need_no_thread)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	char host[64], port[16];

	ck_assert_int_eq(rv_getaddrinfo("127.0.0.1", "80", &hints, &list), 0);
	ck_assert_int_eq(list->ai_family, AF_INET);
	ck_assert_int_eq(
		rv_getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof(host),
			port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV),
		0);
	ck_assert_str_eq(host, "127.0.0.1");
	ck_assert_str_eq(port, "80");
	ck_assert_int_eq(rv_getnameinfo(list->ai_addr, list->ai_addrlen, host, 4, NULL,
				 0, NI_NUMERICHOST | NI_NUMERICSERV),
		-EOVERFLOW);
	freeaddrinfo(list);
	return 0;
}

RT_TEST(names_are_looked_up_in_a_thread_and_failures_say_why)
{
	char long_name[300];
	struct addrinfo *list = NULL;

	ck_assert_int_eq(rv_getaddrinfo("localhost", NULL, NULL, &list), 0);
	ck_assert_ptr_nonnull(list);
	freeaddrinfo(list);
	ck_assert_int_eq(
		rv_getaddrinfo("127.0.0.1", "no-such-service", NULL, &list), -EINVAL);
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), "127.0.0.1"));
	ck_assert_int_eq(rv_getaddrinfo(NULL, NULL, NULL, &list), -EINVAL);
	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	ck_assert_int_eq(rv_getaddrinfo(long_name, NULL, NULL, &list), -EINVAL);
	return 0;
}

/* what this thread, and those that it makes, find there is empty */
static bool hide(const char *path)
{
	return mount("/dev/null", path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT;
}

RT_TEST(localhost_is_found_where_nothing_knows_it)
{
	const struct addrinfo hints = {.ai_family = AF_INET};
	struct addrinfo *list;

	if (unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		!hide("/etc/hosts") || !hide("/etc/resolv.conf")) {
		printf("skipped: cannot hide /etc/hosts (%s)\n", strerror(errno));
		return 0;
	}
	ck_assert_int_eq(rv_getaddrinfo("LocalHost.", "80", &hints, &list), 0);
	ck_assert_int_eq(list->ai_family, AF_INET);
	ck_assert_uint_eq(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr,
		htonl(INADDR_LOOPBACK));
	ck_assert_int_eq(((struct sockaddr_in *)list->ai_addr)->sin_port, htons(80));
	freeaddrinfo(list);
	ck_assert_int_lt(rv_getaddrinfo("localhosts", "80", &hints, &list), 0);
	return 0;
}

static int look_up(void *arg)
{
	struct addrinfo *list;
	int r = rv_getaddrinfo("localhost", "no-such-service", NULL, &list);

	if (r == 0)
		freeaddrinfo(list);
	return r;
}

RT_TEST(cancelled_look_up_is_not_waited_for)
{
	rv_task *t = rv_spawn(look_up, NULL);
	int r;

	rt_settle(1);
	(void)rv_task_cancel(t);
	r = rv_task_join(t, NULL);
	ck_assert(r == -ECANCELED || r == -EINVAL); /* it may have been quick */
	rv_task_unref(t);
	return 0;
}

/* -- TCP --------------------------------------------------------------------------- */

static int echo(rv_stream *s, void *arg)
{
	const char *line;
	size_t n;
	int r;

	while ((r = rv_stream_readline(s, &line, &n)) >= 0 && n > 0)
		if ((r = rv_stream_send(s, line, n)) < 0)
			break;
	return r;
}

/* the other end of b191 */
static int tell_nodelay(rv_stream *s, void *arg)
{
	int fd = *(const int *)rv_transport_info(
		rv_stream_transport(s), RV_INFO_FD, NULL);
	socklen_t len = sizeof(int);

	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, arg, &len), 0);
	return echo(s, NULL);
}

static void port_of(const rv_server *s, char *port, size_t size)
{
	struct sockaddr_storage sa;
	socklen_t len;

	ck_assert_int_eq(rv_server_address(s, 0, &sa, &len), 0);
	ck_assert_int_eq(getnameinfo((struct sockaddr *)&sa, len, NULL, 0, port,
				 (socklen_t)size, NI_NUMERICSERV),
		0);
}

static void assert_echo(const char *host, const char *port)
{
	const char *line;
	rv_stream *s;
	size_t n;

	ck_assert_int_eq(rv_stream_connect(host, port, NULL, &s), 0);
	ck_assert_int_eq(rv_stream_printf(s, "hello %s\n", host), 0);
	ck_assert_int_eq(rv_stream_readline(s, &line, &n), 0);
	ck_assert_uint_eq(n, strlen(host) + 7);
	rv_stream_close(s);
	ck_assert_int_eq(rv_stream_wait_closed(s), 0);
	rv_stream_unref(s);
}

RT_TEST(server_listens_at_every_address_of_its_host_on_one_port)
{
	struct sockaddr_storage sa;
	socklen_t len;
	rv_server *server;
	rv_group g;
	char port[16];
	size_t n = 0;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_serve(&g, "localhost", "0", echo, NULL, &server), 0);
	port_of(server, port, sizeof(port));
	while (rv_server_address(server, n, &sa, &len) == 0) {
		char host[64], p[16];

		ck_assert_int_eq(
			getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), p,
				sizeof(p), NI_NUMERICHOST | NI_NUMERICSERV),
			0);
		ck_assert_str_eq(p, port);
		assert_echo(host, port);
		n++;
	}
	ck_assert_uint_ge(n, 1);
	assert_echo("localhost", port);
	rv_server_close(server);
	ck_assert_int_eq(rv_server_address(server, 0, &sa, &len), -ENOENT);
	rv_server_unref(server);
	return rv_group_exit(&g, 0);
}

RT_TEST(address_in_use_is_refused_and_says_which)
{
	rv_server *server, *again;
	rv_group g;
	char port[16];

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(rv_serve(&g, "127.0.0.1", "0", echo, NULL, &server), 0);
	port_of(server, port, sizeof(port));
	ck_assert_int_eq(
		rv_serve(&g, "127.0.0.1", port, echo, NULL, &again), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), port));
	ck_assert_int_eq(rv_serve(&g, "127.0.0.1", NULL, echo, NULL, &again), -EINVAL);
	rv_server_close(server);
	rv_server_unref(server);
	return rv_group_exit(&g, 0);
}

/* a port on which nobody listens */
static void free_port(char *port, size_t size)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	(void)snprintf(port, size, "%d", ntohs(sa.sin_port));
	close(fd);
}

/* the error of the last connect says what became of this address */
static void assert_names(const char *host, const char *port)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s port %s: ", host, port);
	ck_assert_msg(strstr(rv_errmsg(), text), "no '%s' in '%s'", text, rv_errmsg());
}

RT_TEST(b190_failure_to_connect_names_every_address)
{
	rv_stream *s;
	char port[16];

	free_port(port, sizeof(port));
	ck_assert_int_eq(rv_stream_connect("localhost", port, NULL, &s), -ECONNREFUSED);
	assert_names("127.0.0.1", port);
	/* No host is this one, by both families, whatever the machine has of them. */
	ck_assert_int_lt(rv_stream_connect(NULL, port, NULL, &s), 0);
	assert_names("127.0.0.1", port);
	assert_names("::1", port);
	ck_assert_ptr_nonnull(strstr(rv_errmsg(), "; "));
	return 0;
}

RT_TEST(b191_tcp_has_nodelay_on_both_ends)
{
	rv_connect_opts o = {.family = AF_INET, .local_host = "127.0.0.1"};
	const struct sockaddr_in *peer;
	rv_server *server;
	rv_stream *s;
	rv_group g;
	char port[16];
	socklen_t len = sizeof(int);
	int fd, on = 0, served_on = 0;
	size_t n;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	ck_assert_int_eq(
		rv_serve(&g, "127.0.0.1", "0", tell_nodelay, &served_on, &server), 0);
	port_of(server, port, sizeof(port));
	ck_assert_int_eq(rv_stream_connect("localhost", port, &o, &s), 0);
	fd = *(const int *)rv_transport_info(rv_stream_transport(s), RV_INFO_FD, NULL);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	ck_assert_int_ne(on, 0);
	peer = rv_transport_info(rv_stream_transport(s), RV_INFO_PEERNAME, &n);
	ck_assert_uint_eq(n, sizeof(*peer));
	ck_assert_int_eq(ntohs(peer->sin_port), atoi(port));
	ck_assert_ptr_nonnull(
		rv_transport_info(rv_stream_transport(s), RV_INFO_SOCKNAME, &n));
	assert_echo("127.0.0.1", port);
	ck_assert_int_ne(served_on, 0);
	rv_stream_close(s);
	rv_stream_unref(s);
	rv_server_close(server);
	rv_server_unref(server);
	return rv_group_exit(&g, 0);
}

static int connect_nowhere(void *arg)
{
	const struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return rv_connect_fd(*(int *)arg, (const struct sockaddr *)&sa, sizeof(sa));
}

RT_TEST(b193_cancelled_accept_leaves_no_watch_behind)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int conn;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	ck_assert_int_eq(rv_timed(RV_MS(1), rv_accept(fd, NULL, NULL)), -ETIMEDOUT);
	ck_assert_int_eq(rv_connect_fd(client, (struct sockaddr *)&sa, len), 0);
	conn = rv_accept(fd, NULL, NULL);
	ck_assert_int_ge(conn, 0);
	close(conn);
	close(client);
	close(fd);
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect_nowhere(&client), -ECONNREFUSED);
	close(client);
	return 0;
}

RT_TEST(b194_sendfile_moves_the_offset_it_was_given)
{
	char path[] = "/tmp/reeve-test-XXXXXX", got[8] = "";
	int socks[2], file = mkstemp(path);
	off_t off = 2;

	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(write(file, "abcdef", 6), 6);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				 0, socks),
		0);
	ck_assert_int_eq(rv_sendfile(socks[0], file, &off, 3), 3);
	ck_assert_int_eq(off, 5);
	ck_assert_int_eq(rv_sendfile(socks[0], file, &off, 100), 1);
	ck_assert_int_eq(rv_recv(socks[1], got, sizeof(got), 0), 4);
	ck_assert_str_eq(got, "cdef");
	ck_assert_int_eq(rv_sendfile(socks[0], socks[1], NULL, 1), -RV_ENOSENDFILE);
	close(file);
	close(socks[0]);
	close(socks[1]);
	return 0;
}

/* -- datagrams --------------------------------------------------------------------- */

struct receiver {
	rv_protocol protocol;
	rv_event changed;
	char got[64];
	int n, error, lost;
	struct sockaddr_storage from;
	socklen_t from_len;
};

static void on_datagram(rv_protocol *p, const void *buf, size_t n,
	const struct sockaddr *from, socklen_t len)
{
	struct receiver *r = (struct receiver *)p;

	ck_assert_uint_lt(n, sizeof(r->got));
	memcpy(r->got, buf, n);
	r->got[n] = '\0';
	memcpy(&r->from, from, len);
	r->from_len = len;
	r->n++;
	rv_event_set(&r->changed);
}

static void on_error(rv_protocol *p, int err)
{
	struct receiver *r = (struct receiver *)p;

	r->error = err;
	rv_event_set(&r->changed);
}

static void on_lost(rv_protocol *p, int err)
{
	struct receiver *r = (struct receiver *)p;

	r->lost++;
	rv_event_set(&r->changed);
}

static const rv_protocol_ops receiver_ops = {
	.datagram_received = on_datagram,
	.error_received = on_error,
	.connection_lost = on_lost,
};

static rv_transport *receiver_open(struct receiver *r, const rv_udp_opts *o)
{
	rv_transport *t;

	*r = (struct receiver){.protocol.ops = &receiver_ops};
	rv_event_init(&r->changed);
	ck_assert_int_eq(rv_udp_open(o, &r->protocol, &t), 0);
	return t;
}

static void await_change(struct receiver *r)
{
	ck_assert_int_eq(rv_event_wait(&r->changed), 0);
	rv_event_clear(&r->changed);
}

static void udp_port_of(rv_transport *t, char *port, size_t size)
{
	size_t n;
	const struct sockaddr *sa = rv_transport_info(t, RV_INFO_SOCKNAME, &n);

	ck_assert_int_eq(getnameinfo(sa, (socklen_t)n, NULL, 0, port, (socklen_t)size,
				 NI_NUMERICSERV),
		0);
}

RT_TEST(b192_datagrams_go_both_ways_and_empty_ones_nowhere)
{
	struct receiver server, client;
	rv_udp_opts so = {.local_host = "127.0.0.1"}, co = {.remote_host = "127.0.0.1"};
	rv_transport *s, *c;
	char port[16];

	s = receiver_open(&server, &so);
	udp_port_of(s, port, sizeof(port));
	co.remote_port = port;
	c = receiver_open(&client, &co);
	ck_assert_int_eq(rv_udp_sendto(c, "", 0, NULL, 0), 0);
	ck_assert_int_eq(rv_udp_sendto(c, "ping", 4, NULL, 0), 0);
	await_change(&server);
	ck_assert_str_eq(server.got, "ping");
	ck_assert_int_eq(server.n, 1);
	ck_assert_int_eq(rv_udp_sendto(s, "pong", 4, (struct sockaddr *)&server.from,
				 server.from_len),
		0);
	await_change(&client);
	ck_assert_str_eq(client.got, "pong");
	/* to another on a connected one, to nobody on the other */
	ck_assert_int_eq(rv_udp_sendto(c, "x", 1, (struct sockaddr *)&server.from,
				 server.from_len),
		-EINVAL);
	ck_assert_int_eq(rv_udp_sendto(s, "x", 1, NULL, 0), -EINVAL);
	ck_assert_int_eq(rv_transport_write(c, "x", 1), -RV_ESTATE);
	rv_transport_close(s);
	await_change(&server);
	ck_assert_int_eq(server.lost, 1);
	/* now nobody is there: an error, and the endpoint stays open */
	ck_assert_int_eq(rv_udp_sendto(c, "x", 1, NULL, 0), 0);
	await_change(&client);
	ck_assert_int_eq(client.error, -ECONNREFUSED);
	ck_assert_int_eq(client.lost, 0);
	rv_transport_abort(c);
	await_change(&client);
	ck_assert_int_eq(client.lost, 1);
	return 0;
}

RT_TEST(b192_what_the_socket_does_not_take_is_sent_later)
{
	enum { N = 1024 }; /* more than the send buffer holds */
	struct receiver r = {.protocol.ops = &receiver_ops};
	static char big[4096];
	rv_transport *t, *u;
	int socks[2];

	/* of a family that never drops and says when it is full */
	rv_event_init(&r.changed);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				 0, socks),
		0);
	ck_assert_int_eq(rv_udp_open_fd(socks[0], &r.protocol, &t), 0);
	ck_assert_int_eq(rv_udp_open_fd(socks[1], &r.protocol, &u), 0);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(rv_udp_sendto(t, big, sizeof(r.got) - 1, NULL, 0), 0);
	ck_assert_uint_gt(rv_transport_buffered(t), 0);
	rv_transport_close(t);
	while (r.n < N)
		await_change(&r);
	rv_transport_close(u);
	while (r.lost < 2)
		await_change(&r);
	return 0;
}

RT_TEST(datagrams_on_bare_sockets)
{
	int socks[2];
	char got[8];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				 0, socks),
		0);
	ck_assert_int_eq(
		rv_timed(RV_MS(1), (int)rv_recvfrom(socks[1], got, 8, 0, NULL, NULL)),
		-ETIMEDOUT);
	ck_assert_int_eq(rv_sendto(socks[0], "ab", 2, 0, NULL, 0), 2);
	ck_assert_int_eq(rv_recvfrom(socks[1], got, sizeof(got), 0, NULL, NULL), 2);
	close(socks[0]);
	close(socks[1]);
	return 0;
}

RT_TEST(endpoint_without_any_address_is_refused)
{
	struct receiver r = {.protocol.ops = &receiver_ops};
	rv_udp_opts o = {.family = AF_INET};

	ck_assert_int_eq(rv_udp_open(&o, &r.protocol, NULL), -EINVAL);
	ck_assert_int_eq(rv_udp_open_fd(-1, &r.protocol, NULL), -EBADF);
	return 0;
}

UNIT_MAIN("inet", addresses_in_digits_need_no_thread,
	names_are_looked_up_in_a_thread_and_failures_say_why,
	localhost_is_found_where_nothing_knows_it, cancelled_look_up_is_not_waited_for,
	server_listens_at_every_address_of_its_host_on_one_port,
	address_in_use_is_refused_and_says_which,
	b190_failure_to_connect_names_every_address, b191_tcp_has_nodelay_on_both_ends,
	b193_cancelled_accept_leaves_no_watch_behind,
	b194_sendfile_moves_the_offset_it_was_given,
	b192_datagrams_go_both_ways_and_empty_ones_nowhere,
	b192_what_the_socket_does_not_take_is_sent_later, datagrams_on_bare_sockets,
	endpoint_without_any_address_is_refused)
