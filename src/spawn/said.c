/* What runs say while no daemon is there; see said.h. */
#include "config.h"

#include "spawn/said.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/unix_socket.h"
#include "spawn/procfs.h"
#include "spawn/spawner.h"

enum {
	MESSAGE_MAX = 4096, /* bytes, as the daemon has it */
	ROUND_MAX = 64,     /* datagrams, before others get their turn */
	ANCESTORS_MAX = 64, /* processes between a sender and the main process */
};

/* ---- words --------------------------------------------------------------------------------- */

static const char *const kinds[] = {"READY=", "RELOADING=", "STOPPING=", "STATUS=",
	"MAINPID=", "WATCHDOG_USEC=", "WATCHDOG=trigger", SPAWN_SAID_OUTPUT};

static const char *kind_of(const char *line, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (n >= strlen(kinds[i]) &&
			strncmp(line, kinds[i], strlen(kinds[i])) == 0)
			return kinds[i];
	return NULL;
}

static void drop_kind(char *text, const char *kind)
{
	for (char *p = text, *nl; *p; p = nl + 1) {
		nl = strchr(p, '\n');
		if (!nl)
			return;
		if (strncmp(p, kind, strlen(kind)) == 0) {
			memmove(p, nl + 1, strlen(nl + 1) + 1);
			return;
		}
	}
}

static void merge_line(char *text, const char *line, size_t n)
{
	const char *kind = memchr(line, '\0', n) ? NULL : kind_of(line, n);
	size_t have;

	if (!kind)
		return;
	/* the rest of a status would not be shown */
	if (STREQ(kind, "STATUS="))
		n = MIN(n, strlen(kind) + SPAWN_SAID_STATUS_MAX);
	drop_kind(text, kind);
	have = strlen(text);
	if (have + n + 1 > SPAWN_SAID_MAX)
		return;
	memcpy(text + have, line, n);
	text[have + n] = '\n';
	text[have + n + 1] = '\0';
}

void said_merge(char text[SPAWN_SAID_MAX + 1], const char *lines, size_t n)
{
	while (n > 0) {
		const char *nl = memchr(lines, '\n', n);
		size_t len = nl ? (size_t)(nl - lines) : n;

		merge_line(text, lines, len);
		len += nl != NULL;
		lines += len;
		n -= len;
	}
}

static char *room(struct run *run)
{
	if (!run->said)
		run->said = calloc(1, SPAWN_SAID_MAX + 1);
	return run->said;
}

int said_set(struct run *run, const char *text)
{
	char *said = room(run);

	if (!said)
		return -ENOMEM;
	said[0] = '\0';
	said_merge(said, text, strlen(text));
	return 0;
}

/* ---- whose they are ------------------------------------------------------------------------- */

static struct run *by_pid(struct spawner *sp, pid_t pid)
{
	struct run *run = pid > 1 ? runs_find_pid(&sp->runs, pid) : NULL;

	/* the word of a command beside a run is not the run's */
	return run && !(run->info.token.run_no & SPAWN_AUX) ? run : NULL;
}

/* As the daemon does: by session, process group or ancestors, while the sender is there. */
static struct run *run_of(struct spawner *sp, pid_t pid)
{
	struct run *run = by_pid(sp, pid);

	for (int i = 0; !run && i < ANCESTORS_MAX && pid > 1; i++) {
		struct proc_stat st;

		if (proc_stat_read(&st, pid) < 0)
			return NULL;
		run = by_pid(sp, st.session);
		if (!run)
			run = by_pid(sp, st.pgrp);
		if (!run)
			run = by_pid(sp, st.ppid);
		pid = st.ppid;
	}
	return run;
}

/* ---- the socket ----------------------------------------------------------------------------- */

void said_keep(struct spawner *sp, int fd)
{
	said_listen(sp, false);
	close_safe(sp->notify_fd);
	sp->notify_fd = fd;
	said_listen(sp, sp->conn.fd < 0);
}

void said_listen(struct spawner *sp, bool on)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &sp->on_notify};

	if (sp->notify_fd < 0 || on == sp->notify_watched)
		return;
	sp->on_notify.kind = SOURCE_NOTIFY;
	if (epoll_ctl(sp->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, sp->notify_fd,
		    &ev) == 0)
		sp->notify_watched = on;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) +
		   CMSG_SPACE(sizeof(int) * UNIX_FDS_MAX)];
};

/* 0: that is not known. Descriptors are closed: that is what BARRIER=1 waits for. */
static pid_t take_control(struct msghdr *msg)
{
	struct ucred from = {.pid = 0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(from))
			memcpy(&from, CMSG_DATA(c), sizeof(from));
		for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < n / sizeof(int);
			i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			close_safe(fd);
		}
	}
	return from.pid;
}

static bool receive_one(struct spawner *sp)
{
	char text[MESSAGE_MAX];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
	union control control;
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(sp->notify_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct run *run;

	if (n < 0)
		return errno == EINTR;
	run = run_of(sp, take_control(&msg));
	if (run && !(msg.msg_flags & MSG_TRUNC) && room(run))
		said_merge(run->said, text, (size_t)n);
	return true;
}

void said_read(struct spawner *sp)
{
	for (int i = 0; i < ROUND_MAX; i++)
		if (!receive_one(sp))
			return;
}
