#include "config.h"

#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define OUTPUT_MAX ((size_t)64 * 1024)

extern char **environ;

/* out_fd: where its stdout goes; -1: nowhere, -2: to ours */
static int start(pid_t *ret, const char *const *argv, int out_fd)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	if (out_fd != -2) {
		r = posix_spawn_file_actions_addopen(
			&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		if (r == 0)
			r = posix_spawn_file_actions_addopen(
				&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		if (r == 0 && out_fd < 0)
			r = posix_spawn_file_actions_addopen(
				&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
		else if (r == 0)
			r = posix_spawn_file_actions_adddup2(
				&actions, out_fd, STDOUT_FILENO);
	}
	/* posix_spawn takes char *const[] and does not change the strings */
	if (r == 0)
		r = posix_spawnp(
			&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;
	*ret = pid;
	return 0;
}

static int await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *const *argv, bool inherit)
{
	pid_t pid;
	int r;

	r = start(&pid, argv, inherit ? -2 : -1);
	return r < 0 ? r : await(pid);
}

char *program_output(const char *const *argv)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	_cleanup_close_ int out_read = -1, out_write = -1;
	int fds[2];
	pid_t pid;
	ssize_t n;
	char *room;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return NULL;
	out_read = fds[0];
	out_write = fds[1];
	if (start(&pid, argv, out_write) < 0)
		return NULL;
	closep(&out_write);
	while (buf_len(&out) < OUTPUT_MAX && buf_reserve(&out, 4096, &room) == 0) {
		n = read(out_read, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_commit(&out, (size_t)n);
	}
	closep(&out_read); /* one that says more gets SIGPIPE */
	return await(pid) == 0 ? buf_steal_str(&out, NULL) : NULL;
}
