/*
 * Echo over Unix sockets: a server on transports and one on streams against a bare
 * epoll loop that does the same bytes.
 *
 * One client process drives 1, 50 or 1000 connections, one message of 64 bytes under
 * way on each. Servers take turns; each round gives a ratio (bare time / time), and what
 * is printed is its median with the smallest and largest. Above 1 is faster than the
 * bare loop.
 *
 *	bench_echo [messages per round [rounds]]
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/unix_socket.h"
#include "reeve/reeve.h"

enum { MESSAGE = 64, BACKLOG = 1024, EVENTS = 1024, ROUNDS_MAX = 101 };

static void die(const char *what, int err)
{
	(void)fprintf(stderr, "bench_echo: %s: %s\n", what, rv_strerror(err));
	exit(1);
}

static int check(const char *what, int r)
{
	if (r < 0)
		die(what, r);
	return r;
}

static int check_errno(const char *what, int r)
{
	if (r < 0)
		die(what, errno);
	return r;
}

/* server and client each on a processor of its own, where there are two */
static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* -- the bare loop ------------------------------------------------------------ */

static void epoll_want(int ep, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	check_errno("epoll_ctl", epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
}

static void bare_echo(int fd)
{
	static char b[64 * 1024];
	ssize_t n = recv(fd, b, sizeof(b), MSG_DONTWAIT);

	if (n <= 0)
		close(fd);
	else if (send(fd, b, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
		die("bare send", errno);
}

static void serve_bare(int listen_fd)
{
	static struct epoll_event evs[EVENTS];
	int ep = check_errno("epoll_create1", epoll_create1(EPOLL_CLOEXEC));

	epoll_want(ep, listen_fd);
	for (;;) {
		int n = check_errno("epoll_wait", epoll_wait(ep, evs, EVENTS, -1));

		for (int i = 0; i < n; i++) {
			if (evs[i].data.fd != listen_fd) {
				bare_echo(evs[i].data.fd);
				continue;
			}
			epoll_want(ep, check_errno("accept",
					       accept4(listen_fd, NULL, NULL,
						       SOCK_NONBLOCK | SOCK_CLOEXEC)));
		}
	}
}

/* -- ours --------------------------------------------------------------------- */

struct echo {
	rv_protocol protocol;
	rv_transport *transport;
};

static void echo_made(rv_protocol *p, rv_transport *t)
{
	CONTAINER_OF(p, struct echo, protocol)->transport = t;
}

static int echo_data(rv_protocol *p, const void *b, size_t n)
{
	return rv_transport_write(
		CONTAINER_OF(p, struct echo, protocol)->transport, b, n);
}

static void echo_destroy(rv_protocol *p)
{
	free(CONTAINER_OF(p, struct echo, protocol));
}

static const rv_protocol_ops echo_ops = {
	.connection_made = echo_made,
	.data_received = echo_data,
	.destroy = echo_destroy,
};

static rv_protocol *echo_new(void *arg)
{
	struct echo *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->protocol.ops = &echo_ops;
	return &e->protocol;
}

static int transport_main(void *arg)
{
	rv_listen_opts opts = {.backlog = BACKLOG};
	rv_server *s;
	int r = rv_net_listen_fd(*(int *)arg, echo_new, NULL, &opts, &s);

	return r < 0 ? r : rv_server_wait_closed(s);
}

static int stream_handler(rv_stream *s, void *arg)
{
	char b[4096];
	ssize_t n;

	while ((n = rv_stream_read(s, b, sizeof(b))) > 0) {
		int r = rv_stream_send(s, b, (size_t)n);

		if (r < 0)
			return r;
	}
	return (int)n;
}

static int stream_main(void *arg)
{
	rv_group g;
	int r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);

	if (r >= 0)
		r = rv_serve_fd(&g, *(int *)arg, stream_handler, NULL, NULL);
	return rv_group_exit(&g, r);
}

static void serve_transport(int listen_fd)
{
	check("transport server", rv_run(transport_main, &listen_fd, NULL));
}

static void serve_stream(int listen_fd)
{
	check("stream server", rv_run(stream_main, &listen_fd, NULL));
}

/* -- the client ----------------------------------------------------------------- */

static void client_connect(int ep, int *fds, int n, const char *path)
{
	for (int i = 0; i < n; i++) {
		check("connect", unix_connect(&fds[i], path, SOCK_STREAM, false));
		epoll_want(ep, fds[i]);
	}
}

static void client_send(int fd)
{
	static const char message[MESSAGE] = "0123456789";

	if (send(fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
		die("client send", errno);
}

/* seconds for n_messages round trips on n connections */
static double client_run(const char *path, int n, long n_messages)
{
	static struct epoll_event evs[EVENTS];
	static int fds[BACKLOG];
	int ep = check_errno("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
	long n_sent = 0, n_done = 0;
	rv_time begin = 0;

	client_connect(ep, fds, n, path);
	/* the first of each connection is not counted: it is accepted meanwhile */
	for (int i = 0; i < n; i++)
		client_send(fds[i]);
	for (long n_warm = 0; n_done < n_messages;) {
		int k = check_errno("epoll_wait", epoll_wait(ep, evs, EVENTS, -1));

		for (int i = 0; i < k; i++) {
			char b[MESSAGE];

			if (recv(evs[i].data.fd, b, MESSAGE, MSG_WAITALL) != MESSAGE)
				die("client recv", errno);
			if (n_warm < n) {
				n_warm++;
				continue;
			}
			n_done++;
			if (n_sent < n_messages) {
				client_send(evs[i].data.fd);
				n_sent++;
			}
		}
		if (n_warm == n && n_sent == 0) {
			begin = rv_now();
			for (; n_sent < MIN(n, n_messages); n_sent++)
				client_send(fds[n_sent]);
		}
	}
	begin = rv_now() - begin;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	close(ep);
	return (double)begin / 1e9;
}

/* -- rounds --------------------------------------------------------------------- */

struct kind {
	const char *name;
	void (*serve)(int listen_fd);
	double seconds[ROUNDS_MAX];
};

static double round_of(const struct kind *k, const char *path, int n, long n_messages)
{
	int fd;
	double took;
	pid_t pid;

	check("listen", unix_listen(&fd, path, SOCK_STREAM, 0600, BACKLOG));
	pid = check_errno("fork", fork());
	if (pid == 0) {
		pin(0);
		k->serve(fd);
		_exit(1);
	}
	close(fd);
	took = client_run(path, n, n_messages);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return took;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const struct kind *k, const struct kind *bare, int n, int rounds,
	long n_messages)
{
	double ratio[ROUNDS_MAX], seconds[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		seconds[i] = k->seconds[i];
		ratio[i] = bare->seconds[i] / k->seconds[i];
	}
	qsort(seconds, (size_t)rounds, sizeof(double), compare);
	qsort(ratio, (size_t)rounds, sizeof(double), compare);
	printf("echo_unix %4d connections  %-9s %7.0f messages/s  "
	       "ratio %.2f (min %.2f max %.2f)\n",
		n, k->name, (double)n_messages / seconds[rounds / 2], ratio[rounds / 2],
		ratio[0], ratio[rounds - 1]);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static const int n_connections[] = {1, 50, 1000};
	static struct kind kinds[] = {
		{.name = "bare", .serve = serve_bare},
		{.name = "transport", .serve = serve_transport},
		{.name = "stream", .serve = serve_stream},
	};
	long n_messages = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 11;
	struct rlimit lim = {4096, 4096};
	char dir[] = "/tmp/reeve-bench-XXXXXX", path[64];

	if (n_messages < 1 || rounds < 1 || rounds > ROUNDS_MAX)
		die("arguments", EINVAL);
	(void)setrlimit(RLIMIT_NOFILE, &lim);
	if (!mkdtemp(dir))
		die("mkdtemp", errno);
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	pin(1);
	for (size_t c = 0; c < ARRAY_LEN(n_connections); c++) {
		int n = n_connections[c];

		for (int i = -1; i < rounds; i++) /* one to warm up */
			for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
				double took = round_of(&kinds[k], path, n, n_messages);

				if (i >= 0)
					kinds[k].seconds[i] = took;
			}
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			print(&kinds[k], &kinds[0], n, (int)rounds, n_messages);
	}
	(void)unlink(path);
	(void)rmdir(dir);
	return 0;
}
