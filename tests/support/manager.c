/*
 * manager [-l SOCKET] [-w USEC] DIR PROGRAM [ARGUMENT...]: run a program as a service
 * manager does, and print what it notifies of, a line each, after one that says LISTENING.
 *
 * -l  listen at this path first, and pass the socket to it (LISTEN_FDS)
 * -w  it has a watchdog of so many microseconds
 *
 * DIR is where the socket for notifications is made. Exit status: the program's; 2 usage
 * or system error.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/unix_socket.h"

enum { STATUS_FAILED = 2, LISTEN_FD = 3 };

static void die(const char *what, int error)
{
	fprintf(stderr, "manager: %s: %s\n", what, strerror(error));
	exit(STATUS_FAILED);
}

static int listen_at(const char *path)
{
	int fd, r = unix_listen(&fd, path, SOCK_STREAM, 0600, 16);

	if (r < 0)
		die(path, -r);
	return fd;
}

/* a datagram socket has nothing to listen for */
static int bind_notify(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sa.sun_path))
		die(path, ENAMETOOLONG);
	strcpy(sa.sun_path, path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		die(path, errno);
	return fd;
}

static void run_program(const char *notify, int listener, const char *usec, char **argv)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("NOTIFY_SOCKET", notify, 1);
	if (usec) {
		setenv("WATCHDOG_USEC", usec, 1);
		setenv("WATCHDOG_PID", pid, 1);
	}
	if (listener >= 0) {
		if (dup2(listener, LISTEN_FD) < 0 ||
			fd_set_cloexec(LISTEN_FD, false) < 0)
			die("dup2", errno);
		setenv("LISTEN_FDS", "1", 1);
		setenv("LISTEN_PID", pid, 1);
	}
	execvp(argv[0], argv);
	die(argv[0], errno);
}

/* true when there was one */
static bool print_notification(int fd)
{
	char text[4096];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return false;
	text[n] = '\0';
	puts(text);
	fflush(stdout);
	return true;
}

static int watch(int notify, pid_t pid)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p[2] = {
		{.fd = notify, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
	int status;

	if (pidfd < 0)
		die("pidfd_open", errno);
	while (!p[1].revents) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			die("poll", errno);
		while (print_notification(notify))
			;
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid", errno);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const char *socket_path = NULL, *usec = NULL;
	char notify_path[256];
	int c, notify, listener = -1;
	pid_t pid;

	while ((c = getopt(argc, argv, "+l:w:")) != -1) {
		switch (c) {
		case 'l': socket_path = optarg; break;
		case 'w': usec = optarg; break;
		default: return STATUS_FAILED;
		}
	}
	if (argc - optind < 2) {
		fprintf(stderr,
			"usage: manager [-l SOCKET] [-w USEC] DIR PROGRAM...\n");
		return STATUS_FAILED;
	}
	snprintf(notify_path, sizeof(notify_path), "%s/notify", argv[optind]);
	notify = bind_notify(notify_path);
	if (socket_path)
		listener = listen_at(socket_path);
	puts("LISTENING");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork", errno);
	if (pid == 0)
		run_program(notify_path, listener, usec, argv + optind + 1);
	return watch(notify, pid);
}
