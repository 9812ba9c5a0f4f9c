#include "config.h"

#include "base/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"

#define BIND_TRIES 8

/* a path as the kernel takes it, and its directory for unlink and stat */
struct unix_target {
	struct sockaddr_un addr;
	int dir_fd; /* O_PATH */
	char name[NAME_MAX + 1];
};

#define UNIX_TARGET_NULL     \
	{                    \
		.dir_fd = -1 \
	}

static void unix_target_deinit(struct unix_target *t)
{
	t->dir_fd = close_safe(t->dir_fd);
}

static int unix_target_init(struct unix_target *t, const char *path)
{
	_cleanup_free_ char *dir = NULL;
	size_t len = strlen(path);
	const char *name;
	int n, r;

	r = path_split(&dir, &name, path);
	if (r < 0)
		return r;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	t->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (t->dir_fd < 0)
		return -errno;
	memcpy(t->name, name, strlen(name) + 1);

	t->addr.sun_family = AF_UNIX;
	if (len < sizeof(t->addr.sun_path)) {
		memcpy(t->addr.sun_path, path, len + 1);
		return 0;
	}
	n = snprintf(t->addr.sun_path, sizeof(t->addr.sun_path), "/proc/self/fd/%d/%s",
		t->dir_fd, name);
	return n < (int)sizeof(t->addr.sun_path) ? 0 : -ENAMETOOLONG;
}

static int unix_target_connect(const struct unix_target *t, int fd)
{
	int r;

	/* interrupted, a Unix socket is as unconnected as before: unlike TCP it may be
	 * tried again */
	do
		r = connect(fd, (const struct sockaddr *)&t->addr, sizeof(t->addr));
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* 1 when the file at the target may go: a socket on which nobody listens. 0 when it is
 * gone already. -EADDRINUSE, -EEXIST, or why it cannot be said. */
static int unix_target_is_stale(const struct unix_target *t, int type)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (fstatat(t->dir_fd, t->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = unix_target_connect(t, fd);
	switch (r) {
	case -ECONNREFUSED: return 1; /* the only proof that nobody is there */
	case -ENOENT: return 0;
	case 0:
	case -EAGAIN:                         /* alive, its backlog is full */
	case -EPROTOTYPE: return -EADDRINUSE; /* alive, of another type */
	default: return r;
	}
}

static int unix_target_bind(const struct unix_target *t, int fd, mode_t mode)
{
	/* chmod after bind would leave a moment in which anybody could connect */
	mode_t saved = umask(~mode & 0777);
	int r = bind(fd, (const struct sockaddr *)&t->addr, sizeof(t->addr));

	if (r < 0)
		r = -errno;
	umask(saved);
	return r;
}

/* bind, clearing stale files out of the way */
static int unix_target_claim(const struct unix_target *t, int fd, int type, mode_t mode)
{
	int r;

	for (int i = 0; i < BIND_TRIES; i++) {
		r = unix_target_bind(t, fd, mode);
		if (r != -EADDRINUSE)
			return r;
		r = unix_target_is_stale(t, type);
		if (r < 0)
			return r;
		if (r > 0 && unlinkat(t->dir_fd, t->name, 0) < 0 && errno != ENOENT)
			return -errno;
	}
	return -EADDRINUSE; /* somebody makes and removes it all the time */
}

/* the place that a path names, and a socket for it */
static int open_for(
	struct unix_target *t, int *ret_fd, const char *path, int type, bool nonblock)
{
	int r = unix_target_init(t, path);

	if (r < 0)
		return r;
	*ret_fd = socket(
		AF_UNIX, type | SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0), 0);
	return *ret_fd < 0 ? -errno : 0;
}

int unix_listen(int *ret_fd, const char *path, int type, mode_t mode, int backlog)
{
	_cleanup_(unix_target_deinit) struct unix_target target = UNIX_TARGET_NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = open_for(&target, &fd, path, type, true);
	if (r < 0)
		return r;
	r = unix_target_claim(&target, fd, type, mode);
	if (r < 0)
		return r;
	if (listen(fd, backlog) < 0) {
		r = -errno;
		(void)unlinkat(target.dir_fd, target.name, 0);
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int unix_bind_datagram(int *ret_fd, const char *path, mode_t mode)
{
	_cleanup_(unix_target_deinit) struct unix_target target = UNIX_TARGET_NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = open_for(&target, &fd, path, SOCK_DGRAM, true);
	if (r < 0)
		return r;
	r = unix_target_claim(&target, fd, SOCK_DGRAM, mode);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int unix_connect(int *ret_fd, const char *path, int type, bool nonblock)
{
	_cleanup_(unix_target_deinit) struct unix_target target = UNIX_TARGET_NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = open_for(&target, &fd, path, type, nonblock);
	if (r < 0)
		return r;
	r = unix_target_connect(&target, fd);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int unix_peer_get(struct unix_peer *ret, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	/* what the kernel says of a socket that never had a peer */
	if (len != sizeof(cred) || cred.uid == (uid_t)-1)
		return -ENOTCONN;
	*ret = (struct unix_peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
	return 0;
}

/* room for the most descriptors that one message can carry, aligned as cmsghdr needs it
 */
union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * UNIX_FDS_MAX)];
};

ssize_t unix_send_fds(int fd, const void *p, size_t n, const int *fds, size_t n_fds)
{
	struct iovec iov = {.iov_base = (void *)p, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union fd_control control;
	ssize_t k;

	if (n_fds > UNIX_FDS_MAX || n == 0)
		return -EINVAL;
	if (n_fds > 0) {
		struct cmsghdr *c;

		memset(&control, 0,
			sizeof(control)); /* the padding goes to the kernel */
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		k = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (k < 0 && errno == EINTR);
	return k < 0 ? -errno : k;
}

/* Hands out the first max descriptors of a message and closes the rest; how many. */
static size_t take_fds(struct msghdr *msg, int *fds, size_t max)
{
	size_t taken = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (taken < max)
				fds[taken++] = fd;
			else
				close_safe(fd);
		}
	}
	return taken;
}

ssize_t unix_recv_fds(int fd, void *p, size_t n, int *fds, size_t *n_fds)
{
	struct iovec iov = {.iov_base = p, .iov_len = n};
	union fd_control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		/* always the full room: the kernel would silently drop what does not
		   fit */
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t k;

	do
		k = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		return -errno;
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		(void)take_fds(&msg, NULL, 0);
		return -EMSGSIZE;
	}
	*n_fds = take_fds(&msg, fds, *n_fds);
	return k;
}
