/* Connecting and launching; see launch.h. */
#include "config.h"

#include "spawn/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "base/unix_socket.h"
#include "spawn/spawn.h"

#define READY_FD      3
#define READY_FD_TEXT "3"
#define LAUNCH_PATH   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int spawn_connect(int *ret_fd, const char *state_dir)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL;
	int r;

	r = buf_printf(&path, "%s/" SPAWN_SOCKET_NAME "%c", state_dir, '\0');
	if (r < 0)
		return r;
	return unix_connect(ret_fd, buf_head(&path), SOCK_SEQPACKET, true);
}

static int add_actions(posix_spawn_file_actions_t *fa, int ready_fd)
{
	int r;

	/* /dev/null at 2 only until --log puts the file there */
	r = posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDWR, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(fa, 0, 1);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(fa, 0, 2);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(fa, ready_fd, READY_FD);
	if (r == 0)
		r = posix_spawn_file_actions_addchdir_np(fa, "/");
	return -r;
}

static int set_attributes(posix_spawnattr_t *at)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(at, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(at, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(at, POSIX_SPAWN_SETSID |
							 POSIX_SPAWN_SETSIGMASK |
							 POSIX_SPAWN_SETSIGDEF);
	return -r;
}

static int launch_with(pid_t *ret_pid, const struct spawn_launch *launch,
	char *const *env, int ready_fd)
{
	char nofile[24];
	char *argv[16] = {(char *)"reeve-spawner", (char *)"--state-dir",
		(char *)launch->state_dir, (char *)"--log", (char *)"--ready-fd",
		(char *)READY_FD_TEXT};
	size_t n = 6;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	int r;

	if (launch->stay)
		argv[n++] = (char *)"--stay";
	if (launch->nofile) {
		snprintf(nofile, sizeof(nofile), "%ju", (uintmax_t)launch->nofile);
		argv[n++] = (char *)"--nofile";
		argv[n++] = nofile;
	}
	r = posix_spawn_file_actions_init(&fa);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&at);
	if (r != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return -r;
	}
	r = add_actions(&fa, ready_fd);
	if (r == 0)
		r = set_attributes(&at);
	if (r == 0)
		r = -posix_spawn(ret_pid, launch->program, &fa, &at, argv, env);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return r;
}

int spawn_launch(pid_t *ret_pid, int *ret_ready_fd, const struct spawn_launch *launch)
{
	_cleanup_close_ int ours = -1, theirs = -1, high = -1;
	_cleanup_(strv_freep) char **env = NULL;
	int pipe_fds[2], r;

	r = strv_append(&env, LAUNCH_PATH);
	STRV_FOREACH(s, launch->env) {
		if (r == 0)
			r = strv_append(&env, *s);
	}
	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	ours = pipe_fds[0];
	theirs = pipe_fds[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	/* above what the file actions write to, and another number than READY_FD, or
	 * the copy would keep its close-on-exec flag */
	high = fcntl(theirs, F_DUPFD_CLOEXEC, READY_FD + 1);
	if (high < 0)
		return -errno;
	r = launch_with(ret_pid, launch, env, high);
	if (r < 0)
		return r;
	*ret_ready_fd = TAKE_FD(ours);
	return 0;
}

int spawn_ready(int ready_fd)
{
	char text[1 + sizeof(int32_t)];
	int32_t code;
	ssize_t n;

	do
		n = read(ready_fd, text, sizeof(text));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n >= 1 && (text[0] == 'R' || text[0] == 'B'))
		return 0;
	if (n != sizeof(text) || text[0] != 'E')
		return -RV_EINCOMPLETE;
	memcpy(&code, text + 1, sizeof(code));
	return code > 0 ? -code : -RV_EINCOMPLETE;
}
