/* Without memory: connecting says so, and leaves no descriptor and no task. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "tests/support/alloc_fail.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/runtime/net_test.h"

/* who connects waits in the backlog: nobody of ours accepts, or needs memory for it */
struct target {
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char port[16];
	int unix_fd, inet_fd;
};

static int connect_unix(void *target)
{
	rv_stream *s = NULL;
	int r = rv_stream_connect_unix(((struct target *)target)->path, &s);

	if (r < 0)
		return s ? -EIO : r;
	rv_stream_close(s);
	rv_stream_unref(s);
	return 0;
}

static int connect_inet(void *target)
{
	struct target *t = target;
	rv_stream *s = NULL;
	int r = rv_stream_connect("127.0.0.1", t->port, NULL, &s);

	if (r < 0)
		return s ? -EIO : r;
	rv_stream_close(s);
	rv_stream_unref(s);
	return 0;
}

static const rv_protocol_ops nothing_ops = {.connection_made = NULL};

static int connect_transport(void *target)
{
	struct target *t = target;
	static rv_protocol p = {&nothing_ops};
	rv_transport *transport = NULL;
	int r = rv_net_connect("127.0.0.1", t->port, &p, NULL, &transport);

	if (r < 0)
		return transport ? -EIO : r;
	rv_transport_abort(transport);
	return 0;
}

static int connect_bare(void *target)
{
	int fd = -1;
	int r = rv_connect("127.0.0.1", ((struct target *)target)->port, NULL, &fd);

	if (r < 0)
		return fd >= 0 ? -EIO : r;
	close(fd);
	return 0;
}

static void target_open(struct target *t)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", t->path);
	t->unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(t->unix_fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(t->unix_fd, 128), 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t->inet_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(t->inet_fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(t->inet_fd, 128), 0);
	ck_assert_int_eq(getsockname(t->inet_fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(t->port, sizeof(t->port), "%u", ntohs(in.sin_port));
}

static bool count(rv_task *t, void *n)
{
	++*(int *)n;
	return true;
}

static int n_tasks(void)
{
	int n = 0;

	(void)rv_task_foreach(rv_loop_current(), count, &n);
	return n;
}

static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

struct sweep {
	int (*fn)(void *);
	struct target *target;
};

/* in a loop that has made no connection yet, then in one that has */
static int run_sweep(void *arg)
{
	struct sweep *s = arg;
	int fd;

	rt_catch_reports();
	ck_assert_int_eq(alloc_fail_sweep(s->fn, s->target), 0);
	rt_settle(4); /* what was opened is closed in the next rounds */
	ck_assert_int_eq(n_tasks(), 1);
	fd = next_fd();
	/* the last one got through: the loop has what it needs, the rest is per connection */
	ck_assert_int_eq(alloc_fail_sweep(s->fn, s->target), 0);
	rt_settle(4);
	ck_assert_int_eq(n_tasks(), 1);
	ck_assert_int_eq(next_fd(), fd);
	ck_assert_uint_eq(rt_reported.n, 0);
	return 0;
}

static void sweep(int (*fn)(void *))
{
	TEMP_DIR(dir);
	struct target t;
	struct sweep s = {fn, &t};

	rt_reset();
	(void)snprintf(t.path, sizeof(t.path), "%s/socket", dir.path);
	target_open(&t);
	ck_assert_int_eq(rv_run(run_sweep, &s, NULL), 0);
	close(t.unix_fd);
	close(t.inet_fd);
}

START_TEST(stream_to_a_unix_socket)
{
	sweep(connect_unix);
}
END_TEST

START_TEST(stream_to_a_tcp_socket)
{
	sweep(connect_inet);
}
END_TEST

START_TEST(transport_to_a_tcp_socket)
{
	sweep(connect_transport);
}
END_TEST

START_TEST(descriptor_to_a_tcp_socket)
{
	sweep(connect_bare);
}
END_TEST

UNIT_MAIN("memory_connect", stream_to_a_unix_socket, stream_to_a_tcp_socket,
	transport_to_a_tcp_socket, descriptor_to_a_tcp_socket)
