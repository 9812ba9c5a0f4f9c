/*
 * io.reeve.Daemon.Ping per second at 1, 50 and 1,000 connections, and pipelined 16 deep,
 * against a bare epoll server that answers the same bytes with the same bytes.
 *
 *	bench_ping [CALLS [ROUNDS [CONNECTIONS DEPTH]]]
 *
 * ratio = time of the bare server / time of reeved; 1 is the limit.
 */
#include "config.h"

#include <errno.h>
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
#include "bench.h"

static const char request[] = "{\"method\":\"io.reeve.Daemon.Ping\"}";
static const char answer[] = "{\"parameters\":{}}";

/* ---- the bare server ------------------------------------------------------------------------ */

static void bare_answer(int fd)
{
	static char in[65536], out[65536];
	ssize_t n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
	size_t len = 0;

	if (n <= 0) {
		close(fd);
		return;
	}
	for (const char *p = in; (p = memchr(p, '\0', (size_t)(in + n - p))); p++) {
		memcpy(out + len, answer, sizeof(answer));
		len += sizeof(answer);
	}
	if (send(fd, out, len, MSG_NOSIGNAL) != (ssize_t)len)
		bench_die("bare send", errno);
}

static void bare_serve(int listener)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = listener}, events[1024];
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		int n = epoll_wait(ep, events, 1024, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd != listener) {
				bare_answer(fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >=
				0) {
				ev = (struct epoll_event){
					.events = EPOLLIN, .data.fd = fd};
				epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
			}
		}
	}
}

static pid_t bare_start(const char *path)
{
	int listener;
	pid_t pid;

	bench_check("listen", unix_listen(&listener, path, SOCK_STREAM, 0600, 1024));
	pid = fork();
	bench_check("fork", pid < 0 ? -errno : 0);
	if (pid == 0)
		bare_serve(listener);
	close(listener);
	return pid;
}

/* ---- the client ----------------------------------------------------------------------------- */

static size_t count_answers(int fd)
{
	static char in[65536];
	ssize_t n = recv(fd, in, sizeof(in), 0);
	size_t count = 0;

	if (n <= 0)
		bench_die("the server closed a connection", n < 0 ? errno : ECONNRESET);
	for (const char *p = in; (p = memchr(p, '\0', (size_t)(in + n - p))); p++)
		count++;
	return count;
}

static void ask(int fd, size_t n)
{
	static char out[65536];

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * sizeof(request), request, sizeof(request));
	if (send(fd, out, n * sizeof(request), MSG_NOSIGNAL) !=
		(ssize_t)(n * sizeof(request)))
		bench_die("send", errno);
}

/* seconds for so many calls, depth under way on each connection */
static double drive(const char *path, size_t n_conns, size_t depth, size_t calls)
{
	struct epoll_event events[1024];
	int *fds = calloc(n_conns, sizeof(int));
	int ep = epoll_create1(EPOLL_CLOEXEC);
	size_t done = 0, asked = 0;
	rv_time t;

	for (size_t i = 0; i < n_conns; i++) {
		struct epoll_event ev = {.events = EPOLLIN};

		bench_check("connect", unix_connect(&fds[i], path, SOCK_STREAM, false));
		ev.data.fd = fds[i];
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev);
	}
	t = rv_now();
	for (size_t i = 0; i < n_conns && asked < calls; i++, asked += depth)
		ask(fds[i], depth);
	while (done < calls) {
		int n = epoll_wait(ep, events, 1024, -1);

		for (int i = 0; i < n; i++) {
			size_t got = count_answers(events[i].data.fd);

			done += got;
			if (asked < calls) {
				ask(events[i].data.fd, got);
				asked += got;
			}
		}
	}
	t = rv_now() - t;
	for (size_t i = 0; i < n_conns; i++)
		close(fds[i]);
	close(ep);
	free(fds);
	return (double)t / 1e9;
}

static void compare(const char *bare, const char *reeve, size_t n_conns, size_t depth,
	size_t calls, int rounds)
{
	struct bench_series ratio = {.n = 0}, rate = {.n = 0};
	char name[80];

	drive(bare, n_conns, depth, calls / 10);
	drive(reeve, n_conns, depth, calls / 10);
	for (int i = 0; i < rounds; i++) {
		double b = drive(bare, n_conns, depth, calls);
		double r = drive(reeve, n_conns, depth, calls);

		bench_add(&ratio, b / r);
		bench_add(&rate, (double)calls / r);
	}
	snprintf(name, sizeof(name), "ping, %zu connections, %zu deep", n_conns, depth);
	bench_print(name, &rate, "calls/s");
	bench_print("  ratio to bare epoll (goal 0.4)", &ratio, "");
}

int main(int argc, char **argv)
{
	static const struct {
		size_t n_conns, depth;
	} cases[] = {{1, 1}, {50, 1}, {1000, 1}, {1, 16}, {50, 16}};
	size_t calls = argc > 1 ? (size_t)atol(argv[1]) : 100000;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	struct rlimit nofile = {8192, 8192};
	struct bench_daemon d;
	char bare_path[128];
	pid_t bare;

	setrlimit(RLIMIT_NOFILE, &nofile);
	bench_daemon_start(&d,
		"[reeved]\nconnections-max = 4000\nconnections-per-user-max = 4000\n");
	snprintf(bare_path, sizeof(bare_path), "%s/bare", d.dir);
	bare = bare_start(bare_path);
	for (size_t i = 0; i < ARRAY_LEN(cases) && argc <= 4; i++)
		compare(bare_path, d.socket, cases[i].n_conns, cases[i].depth, calls,
			rounds);
	if (argc > 4)
		compare(bare_path, d.socket, (size_t)atol(argv[3]),
			(size_t)atol(argv[4]), calls, rounds);
	kill(bare, SIGKILL);
	waitpid(bare, NULL, 0);
	bench_daemon_stop(&d);
	return 0;
}
