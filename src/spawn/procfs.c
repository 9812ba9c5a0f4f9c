/* Reading /proc; see procfs.h. */
#include "config.h"

#include "spawn/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/proc.h"

/* PF_FORKNOEXEC: in stat's flags since before proc(5) was written, also of zombies */
#define PROC_FLAG_FORKNOEXEC 0x40

int proc_stat_parse(struct proc_stat *ret, const char *line)
{
	struct proc_stat st = {0};
	const char *open = strchr(line, '('), *close = strrchr(line, ')');
	unsigned int flags;
	size_t n;

	/* comm is between the first '(' and the last ')': it may hold either itself */
	if (!open || !close || close < open)
		return -EBADMSG;
	n = MIN((size_t)(close - open - 1), sizeof(st.comm) - 1);
	memcpy(st.comm, open + 1, n);
	if (sscanf(close + 1,
		    " %c %d %d %d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
		    "%*d %*d %" SCNu64,
		    &st.state, &st.ppid, &st.pgrp, &st.session, &flags,
		    &st.start_time) != 6)
		return -EBADMSG;
	st.execed = !(flags & PROC_FLAG_FORKNOEXEC);
	*ret = st;
	return 0;
}

int proc_stat_read(struct proc_stat *ret, pid_t pid)
{
	_cleanup_close_ int fd = -1;
	char path[32], text[1024];
	ssize_t n;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	r = proc_stat_parse(ret, text);
	if (r == 0)
		ret->pid = pid;
	return r;
}

void proc_list_deinit(struct proc_list *l)
{
	free(l->v);
	*l = (struct proc_list)PROC_LIST_NULL;
}

int proc_list_add(struct proc_list *l, const struct proc_stat *st)
{
	if (l->n == l->n_max) {
		size_t n_max = l->n_max ? l->n_max * 2 : 16;
		struct proc_stat *v;

		if (n_max > PROC_LIST_MAX)
			return -RV_ELIMIT;
		v = realloc(l->v, n_max * sizeof(*v));
		if (!v)
			return -ENOMEM;
		l->v = v;
		l->n_max = n_max;
	}
	l->v[l->n++] = *st;
	return 0;
}

bool proc_list_has(const struct proc_list *l, pid_t pid)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].pid == pid)
			return true;
	return false;
}

static int read_from_start(int fd, struct buf *out)
{
	buf_clear(out);
	for (;;) {
		ssize_t n;
		char *p;
		int r = buf_reserve(out, 4096, &p);

		if (r < 0)
			return r;
		n = pread(fd, p, 4096, (off_t)buf_len(out));
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_commit(out, (size_t)n);
	}
}

int proc_children_read(
	int fd, struct buf *scratch, int (*fn)(pid_t pid, void *arg), void *arg)
{
	const char *p, *end;
	pid_t pid = 0;
	int r;

	r = read_from_start(fd, scratch);
	if (r < 0)
		return r;
	p = buf_head(scratch);
	for (end = p + buf_len(scratch); p < end; p++) {
		if (*p >= '0' && *p <= '9' && pid < INT32_MAX / 10) {
			pid = pid * 10 + (*p - '0');
		} else if (pid > 0) {
			r = fn(pid, arg);
			if (r < 0)
				return r;
			pid = 0;
		}
	}
	return 0;
}

int proc_each(int (*fn)(pid_t pid, void *arg), void *arg)
{
	_cleanup_(closedirp) DIR *dir = opendir("/proc");
	struct dirent *d;

	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		int64_t pid;
		int r;

		if (parse_i64(&pid, d->d_name, 1, INT32_MAX) < 0)
			continue;
		r = fn((pid_t)pid, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_living(pid_t pid, void *arg)
{
	struct proc_list *l = arg;
	struct proc_stat st;

	/* gone since, or dead: its children are somebody else's now */
	if (proc_stat_read(&st, pid) < 0 || proc_stat_is_dead(&st))
		return 0;
	return proc_list_add(l, &st);
}

/* a process's children are listed with the thread that made them */
static int add_children(struct proc_list *l, pid_t pid, struct buf *scratch)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	char path[32];
	struct dirent *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return 0; /* it has ended */
	while ((d = readdir(dir))) {
		_cleanup_close_ int fd = -1;
		char name[sizeof(d->d_name) + sizeof("/children")];
		int r;

		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/children", d->d_name);
		fd = openat(dirfd(dir), name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		r = proc_children_read(fd, scratch, add_living, l);
		if (r == -ENOMEM || r == -RV_ELIMIT)
			return r;
	}
	return 0;
}

static int descendants_by_children(struct proc_list *l, pid_t pid)
{
	_cleanup_(buf_deinit) struct buf scratch = BUF_NULL;
	size_t next = l->n;
	int r;

	r = add_children(l, pid, &scratch);
	for (; r == 0 && next < l->n; next++)
		r = add_children(l, l->v[next].pid, &scratch);
	return r;
}

static int descendants_by_scan(struct proc_list *l, pid_t pid)
{
	_cleanup_(proc_list_deinit) struct proc_list all = PROC_LIST_NULL;
	size_t next = l->n;
	pid_t parent = pid;
	int r;

	r = proc_each(add_living, &all);
	if (r < 0)
		return r;
	for (;;) {
		for (size_t i = 0; i < all.n; i++) {
			if (all.v[i].ppid != parent || proc_list_has(l, all.v[i].pid))
				continue;
			r = proc_list_add(l, &all.v[i]);
			if (r < 0)
				return r;
		}
		if (next == l->n)
			return 0;
		parent = l->v[next++].pid;
	}
}

int proc_descendants(struct proc_list *l, pid_t pid)
{
	/* -1: not known yet. CONFIG_PROC_CHILDREN does not change while we run. */
	static int have_children = -1;

	if (have_children < 0)
		have_children = access("/proc/thread-self/children", F_OK) == 0;
	return have_children ? descendants_by_children(l, pid)
			     : descendants_by_scan(l, pid);
}

int proc_mark_get(
	struct spawn_token *ret, char ret_instance[SPAWN_ID_LEN + 1], pid_t pid)
{
	_cleanup_free_ char *mark = NULL;
	int r;

	r = proc_environ_get(&mark, pid, SPAWN_MARK_ENV);
	if (r < 0)
		return r;
	return spawn_mark_parse(ret, ret_instance, mark) < 0 ? -ENODATA : 0;
}

bool proc_is_setuid(pid_t pid)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	unsigned real, effective, saved;
	const char *at;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(&text, AT_FDCWD, path, 64 << 10) < 0 ||
		buf_append_byte(&text, '\0') < 0)
		return false;
	/* the name of the program, before it, has its newlines escaped */
	at = strstr(buf_head(&text), "\nUid:");
	return at && sscanf(at, "\nUid: %u %u %u", &real, &effective, &saved) == 3 &&
	       (effective != real || saved != real);
}

int proc_signal(pid_t pid, uint64_t start_time, int sig)
{
	_cleanup_close_ int fd = -1;
	struct proc_stat st;
	int r;

	/* The pidfd first: then what stat says is of the process that the fd holds, or
	 * of one that came after it and whose start time differs. */
	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return -errno;
	r = proc_stat_read(&st, pid);
	if (r < 0)
		return r;
	if (st.start_time != start_time)
		return -ESRCH;
	return pidfd_send_signal(fd, sig, NULL, 0) < 0 ? -errno : 0;
}
