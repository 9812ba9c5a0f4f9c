#include "config.h"

#include "spawn/notify_message.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/unix_socket.h"
#include "spawn/procfs.h"

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) +
		   CMSG_SPACE(sizeof(int) * UNIX_FDS_MAX)];
};

static void take_control(struct msghdr *msg, struct ucred *ret_from)
{
	*ret_from = (struct ucred){.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(*ret_from))
			memcpy(ret_from, CMSG_DATA(c), sizeof(*ret_from));
		for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < n / sizeof(int);
			i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			close_safe(fd);
		}
	}
}

ssize_t notify_receive(int fd, void *text, size_t size, bool peek,
	struct ucred *ret_from, bool *ret_cut)
{
	struct iovec iov = {.iov_base = text, .iov_len = size};
	union control control;
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(
		fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (peek ? MSG_PEEK : 0));

	if (n < 0)
		return -errno;
	take_control(&msg, ret_from);
	*ret_cut = msg.msg_flags & MSG_TRUNC;
	return n;
}

void *notify_owner(pid_t pid, void *(*by_pid)(pid_t pid, void *arg), void *arg)
{
	void *owner = by_pid(pid, arg);

	for (int i = 0; !owner && i < NOTIFY_ANCESTORS_MAX && pid > 1; i++) {
		struct proc_stat st;

		if (proc_stat_read(&st, pid) < 0)
			return NULL;
		owner = by_pid(st.session, arg);
		if (!owner)
			owner = by_pid(st.pgrp, arg);
		if (!owner)
			owner = by_pid(st.ppid, arg);
		pid = st.ppid;
	}
	return owner;
}
