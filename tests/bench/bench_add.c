/*
 * Durable adds: 8 clients one job at a time, one client a batch, and the command `reeve
 * add`; against a file that gets 4 KiB and an fdatasync for each.
 *
 *	bench_add [ADDS [ROUNDS]]
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unix_socket.h"
#include "bench.h"

enum { CLIENTS = 8 };

extern char **environ;

static const char *const job[] = {"/bin/true", NULL};

/* ---- references -------------------------------------------------------------------------------- */

static double synced_writes(const char *dir, size_t n)
{
	static char block[4096];
	char path[160];
	rv_time t;
	int fd;

	snprintf(path, sizeof(path), "%s/synced", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bench_check("open", fd < 0 ? -errno : 0);
	t = rv_now();
	for (size_t i = 0; i < n; i++)
		if (write(fd, block, sizeof(block)) < 0 || fdatasync(fd) < 0)
			bench_die("write", errno);
	t = rv_now() - t;
	close(fd);
	unlink(path);
	return (double)t / 1e9;
}

/* answers each request after 4 KiB are on disk */
static pid_t bare_server(const char *dir, const char *path)
{
	static char block[4096];
	char file[160], in[8192];
	int listener, fd, out;
	pid_t pid;

	bench_check("listen", unix_listen(&listener, path, SOCK_STREAM, 0600, 64));
	pid = fork();
	bench_check("fork", pid < 0 ? -errno : 0);
	if (pid > 0) {
		close(listener);
		return pid;
	}
	fcntl(listener, F_SETFL, 0);
	snprintf(file, sizeof(file), "%s/bare", dir);
	out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		while (recv(fd, in, sizeof(in), 0) > 0) {
			if (write(out, block, sizeof(block)) < 0 || fdatasync(out) < 0)
				_exit(1);
			send(fd, "{}", 3, MSG_NOSIGNAL);
		}
		close(fd);
	}
	_exit(0);
}

/* what the bare client is: this program again */
static int bare_client(const char *path)
{
	char in[64];
	int fd;

	if (unix_connect(&fd, path, SOCK_STREAM, false) < 0)
		return 1;
	send(fd, "{\"method\":\"x\"}", 15, 0);
	if (recv(fd, in, sizeof(in), 0) <= 0)
		return 1;
	(void)puts("1");
	return 0;
}

static double commands(char *const argv[], size_t n)
{
	posix_spawn_file_actions_t actions;
	rv_time t = rv_now();

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < n; i++) {
		int status, r;
		pid_t pid;

		r = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
		bench_check(argv[0], -r);
		waitpid(pid, &status, 0);
		if (status != 0)
			bench_die(argv[0], ECHILD);
	}
	posix_spawn_file_actions_destroy(&actions);
	return (double)(rv_now() - t) / 1e9;
}

/* ---- reeve ---------------------------------------------------------------------------------------- */

static void one_by_one(const struct bench_daemon *d, size_t n)
{
	struct client *c = bench_connect(d);

	for (size_t i = 0; i < n; i++)
		bench_submit(c, job, 1, true);
	client_close(c);
}

static double many_clients(const struct bench_daemon *d, size_t n)
{
	rv_time t = rv_now();

	for (int i = 0; i < CLIENTS; i++) {
		pid_t pid = fork();

		bench_check("fork", pid < 0 ? -errno : 0);
		if (pid == 0) {
			one_by_one(d, n / CLIENTS);
			_exit(0);
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		wait(NULL);
	return (double)(rv_now() - t) / 1e9;
}

static double one_batch(const struct bench_daemon *d, size_t n)
{
	struct client *c = bench_connect(d);
	rv_time t = rv_now();

	bench_submit(c, job, n, true);
	t = rv_now() - t;
	client_close(c);
	return (double)t / 1e9;
}

static double alone(const struct bench_daemon *d, size_t n)
{
	rv_time t = rv_now();

	one_by_one(d, n);
	return (double)(rv_now() - t) / 1e9;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)atol(argv[1]) : 4000, n_commands = n / 20;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	struct bench_series many = {.n = 0}, batch = {.n = 0}, single = {.n = 0};
	struct bench_series sync_ratio = {.n = 0}, cli = {.n = 0}, cli_ratio = {.n = 0};
	char bare_path[160], reeve[4200], self[4200];
	struct bench_daemon d;
	pid_t server;

	if (argc == 3 && strcmp(argv[1], "--bare-client") == 0)
		return bare_client(argv[2]);
	bench_daemon_start(&d, "[reeved]\n");
	snprintf(bare_path, sizeof(bare_path), "%s/bare.sock", d.dir);
	server = bare_server(d.dir, bare_path);
	snprintf(reeve, sizeof(reeve), "%s", bench_program("reeve"));
	snprintf(self, sizeof(self), "%s", bench_program("tests/bench/bench_add"));
	setenv("REEVE_SOCKET", d.socket, 1);
	for (int i = 0; i < rounds; i++) {
		char add[] = "add", hold[] = "--hold", dashes[] = "--",
		     program[] = "/bin/true";
		char bare_option[] = "--bare-client";
		char *const reeve_argv[] = {reeve, add, hold, dashes, program, NULL};
		char *const bare_argv[] = {self, bare_option, bare_path, NULL};
		double s = synced_writes(d.dir, n / 4) / (double)(n / 4), a, b;

		bench_add(&many, (double)n / many_clients(&d, n));
		bench_add(&batch, (double)(10 * n) / one_batch(&d, 10 * n));
		a = alone(&d, n / 4) / (double)(n / 4);
		bench_add(&single, 1e3 * a);
		bench_add(&sync_ratio, a / s);
		b = commands(bare_argv, n_commands);
		a = commands(reeve_argv, n_commands);
		bench_add(&cli, 1e3 * a / (double)n_commands);
		bench_add(&cli_ratio, a / b);
	}
	bench_print("adds, 8 clients one at a time", &many, "adds/s");
	bench_print("adds, one batch", &batch, "adds/s");
	bench_print("add on one connection", &single, "ms");
	bench_print("  time / 4 KiB and fdatasync", &sync_ratio, "");
	bench_print("`reeve add`", &cli, "ms");
	bench_print(
		"  time / bare client and synced server (goal 2.0)", &cli_ratio, "");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	bench_daemon_stop(&d);
	return 0;
}
