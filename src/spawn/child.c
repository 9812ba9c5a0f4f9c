/*
 * Between clone and exec.
 *
 * The child shares the spawner's memory: no malloc, no stdio, no lock, and nothing that
 * runs in glibc beyond one system call (setuid(2)'s wrapper, for one, would signal
 * every thread of the spawner). Signals are blocked from the parent until right before
 * exec.
 */
#include "config.h"

#include "spawn/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* Frames of a child that has exec'd are never left: the sanitizer would take the next
 * child on the same stack for a trespasser. */
#define CHILD_CODE                                                       \
	__attribute__((no_sanitize("address"), no_sanitize("undefined"), \
		no_sanitize("thread")))

/* 32-bit systems have the calls with 32-bit ids under other names */
#ifdef SYS_setgroups32
#	define CHILD_SETGROUPS SYS_setgroups32
#	define CHILD_SETRESGID SYS_setresgid32
#	define CHILD_SETRESUID SYS_setresuid32
#else
#	define CHILD_SETGROUPS SYS_setgroups
#	define CHILD_SETRESGID SYS_setresgid
#	define CHILD_SETRESUID SYS_setresuid
#endif

CHILD_CODE static int child_dup(int from, int to)
{
	return from == to || syscall(SYS_dup3, from, to, 0) >= 0 ? 0 : -errno;
}

/* all but the first three, and the one that it says on that it is ready */
CHILD_CODE static int child_close_others(int ready_fd, int from)
{
	if (ready_fd == 0)
		return syscall(SYS_close_range, 3, ~0U, 0) < 0 ? -errno : 0;
	if (from == ready_fd) {
		if (syscall(SYS_fcntl, ready_fd, F_SETFD, 0) < 0)
			return -errno;
	} else if (syscall(SYS_dup3, from, ready_fd, 0) < 0) {
		return -errno;
	}
	if (ready_fd > 3 && syscall(SYS_close_range, 3, ready_fd - 1, 0) < 0)
		return -errno;
	return syscall(SYS_close_range, ready_fd + 1, ~0U, 0) < 0 ? -errno : 0;
}

CHILD_CODE static int child_descriptors(const struct child_args *a)
{
	const struct spawn_request *q = &a->start->req;
	int r;

	/* The table was shared up to here (copying it costs milliseconds with thousands
	 * of descriptors). Take a copy of the few low ones; a child that hangs later
	 * must not hold the socket, the lock, or other runs' files. */
	if (syscall(SYS_close_range, a->common->low_fds_end, ~0U, CLOSE_RANGE_UNSHARE) <
		0)
		return -errno;
	r = child_dup(q->stdout_kind == SPAWN_STDIO_FD ? a->out_fd : 0, 1);
	if (r < 0)
		return r;
	/* 2 is the spawner's log until here */
	r = child_dup(q->stderr_kind == SPAWN_STDIO_FD ? a->err_fd : 0, 2);
	if (r < 0)
		return r;
	/* last: 0 is the null device until here */
	r = child_dup(q->stdin_kind == SPAWN_STDIO_PIPE ? a->in_fd : 0, 0);
	if (r < 0)
		return r;
	return child_close_others(q->ready_fd, a->ready_fd);
}

CHILD_CODE static int child_cgroup(const struct start *s)
{
	int fd, r = 0;

	if (!s->cgroup_procs)
		return 0;
	fd = (int)syscall(
		SYS_openat, AT_FDCWD, s->cgroup_procs, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_write, fd, "0", 1) < 0)
		r = -errno;
	syscall(SYS_close, fd);
	return r;
}

CHILD_CODE static int child_set_rlimit(uint32_t resource, rlim_t soft, rlim_t hard)
{
	/* prlimit64 has 64-bit fields everywhere, struct rlimit does not */
	const uint64_t limit[2] = {soft, hard};

	return syscall(SYS_prlimit64, 0, resource, limit, NULL) < 0 ? -errno : 0;
}

CHILD_CODE static int child_rlimits(const struct child_args *a)
{
	const struct spawn_request *q = &a->start->req;
	int r = 0;

	for (size_t i = 0; r == 0 && i < q->n_rlimits; i++)
		r = child_set_rlimit(
			q->rlimits[i].resource, q->rlimits[i].soft, q->rlimits[i].hard);
	return r;
}

/* regular files and the null device; anything else can block whoever opens, reads or
 * writes it */
CHILD_CODE static int child_check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return 0;
	return S_ISDIR(st.st_mode) ? -EISDIR : -EOPNOTSUPP;
}

CHILD_CODE static int child_open(const char *path, int flags, int to)
{
	int fd, r;

	fd = (int)syscall(SYS_openat, AT_FDCWD, path,
		flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	r = child_check_file(fd);
	/* not O_NONBLOCK any more: it would be seen by every program that inherits it
	 */
	if (r == 0 && syscall(SYS_fcntl, fd, F_SETFL, flags & O_APPEND) < 0)
		r = -errno;
	if (r == 0)
		r = child_dup(fd, to);
	syscall(SYS_close, fd);
	return r;
}

CHILD_CODE static int child_open_output(enum spawn_stdio kind, const char *path, int to)
{
	switch (kind) {
	case SPAWN_STDIO_PATH:
		return child_open(path, O_WRONLY | O_APPEND | O_CREAT, to);
	case SPAWN_STDIO_STDOUT: return child_dup(1, to);
	case SPAWN_STDIO_NULL:
	case SPAWN_STDIO_PIPE:
	case SPAWN_STDIO_FD: break; /* done with the descriptors */
	}
	return 0;
}

CHILD_CODE static int child_ids(struct start *s)
{
	const struct spawn_request *q = &s->req;

	s->step = SPAWN_STEP_GROUPS;
	if (q->set_groups && syscall(CHILD_SETGROUPS, q->n_groups, q->groups) < 0)
		return -errno;
	s->step = SPAWN_STEP_GID;
	if (q->gid != SPAWN_ID_KEEP &&
		syscall(CHILD_SETRESGID, q->gid, q->gid, q->gid) < 0)
		return -errno;
	s->step = SPAWN_STEP_UID;
	if (q->uid != SPAWN_ID_KEEP &&
		syscall(CHILD_SETRESUID, q->uid, q->uid, q->uid) < 0)
		return -errno;
	return 0;
}

/* A script without "#!" is run by the shell, as execvp(3) and every shell do. */
CHILD_CODE static int child_exec_one(struct start *s, const char *file)
{
	int r;

	syscall(SYS_execve, file, s->req.argv, s->req.env);
	r = -errno;
	if (r != -ENOEXEC)
		return r;
	s->argv_sh[0] = (char *)"/bin/sh";
	s->argv_sh[1] = (char *)file;
	syscall(SYS_execve, "/bin/sh", s->argv_sh, s->req.env);
	return -errno;
}

/* may another directory of PATH have it? The same errors as in execvp(3). */
CHILD_CODE static bool child_looks_on(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EACCES || r == -ESTALE ||
	       r == -ENODEV || r == -ETIMEDOUT;
}

CHILD_CODE static int child_exec(struct start *s)
{
	const char *name = s->req.argv[0], *dir = s->path;
	bool denied = false;
	int r = -ENOENT;

	if (!dir)
		return child_exec_one(s, name);
	for (;;) {
		const char *end = dir;
		size_t n = 0;

		for (; *end && *end != ':'; end++)
			if (n + 1 < s->exec_size)
				s->exec_buf[n++] = *end;
		/* an element that does not fit is passed over; an empty one means "."
		 */
		if (n == (size_t)(end - dir) && n + strlen(name) + 2 <= s->exec_size) {
			if (n > 0)
				s->exec_buf[n++] = '/';
			for (const char *c = name; *c; c++)
				s->exec_buf[n++] = *c;
			s->exec_buf[n] = '\0';
			r = child_exec_one(s, s->exec_buf);
			if (!child_looks_on(r))
				return r;
			denied |= r == -EACCES;
		}
		if (!*end)
			break;
		dir = end + 1;
	}
	return denied ? -EACCES : r;
}

/* sprintf may lock, or allocate; the text has room for all digits of a pid */
CHILD_CODE static void child_write_pid(char *text, int pid)
{
	int n = 0;

	for (int left = pid; left > 0; left /= 10)
		n++;
	text[n] = '\0';
	for (; n > 0; pid /= 10)
		text[--n] = (char)('0' + pid % 10);
}

CHILD_CODE static int child_steps(const struct child_args *a)
{
	static const uint64_t no_signals = 0; /* the kernel's sigset_t has 64 bits */
	struct start *s = a->start;
	const struct spawn_request *q = &s->req;
	int r;

	s->step = SPAWN_STEP_DESCRIPTORS;
	r = child_descriptors(a);
	if (r < 0)
		return r;
	s->step = SPAWN_STEP_SESSION;
	if (syscall(SYS_setsid) < 0)
		return -errno;
	s->step = SPAWN_STEP_CGROUP;
	r = child_cgroup(s);
	if (r < 0)
		return r;
	/* our own limit was raised; the child gets what there was before */
	s->step = SPAWN_STEP_RLIMIT;
	r = child_set_rlimit(
		RLIMIT_NOFILE, a->common->nofile.rlim_cur, a->common->nofile.rlim_max);
	if (r < 0)
		return r;
	/* What a request asks for from here on is done as its owner, so that the kernel
	 * judges it by the owner's rights: limits may not be raised, nor priority. */
	r = child_ids(s);
	if (r < 0)
		return r;
	s->step = SPAWN_STEP_RLIMIT;
	r = child_rlimits(a);
	if (r < 0)
		return r;
	s->step = SPAWN_STEP_NICE;
	if (q->nice != SPAWN_NICE_KEEP &&
		syscall(SYS_setpriority, PRIO_PROCESS, 0, q->nice) < 0)
		return -errno;
	syscall(SYS_umask, q->umask);
	s->step = SPAWN_STEP_CHDIR;
	if (syscall(SYS_chdir, q->cwd) < 0)
		return -errno;
	s->step = SPAWN_STEP_STDIN;
	r = q->stdin_path ? child_open(q->stdin_path, O_RDONLY, 0) : 0;
	if (r < 0)
		return r;
	s->step = SPAWN_STEP_STDOUT;
	r = child_open_output(q->stdout_kind, q->stdout_path, 1);
	if (r < 0)
		return r;
	s->step = SPAWN_STEP_STDERR;
	r = child_open_output(q->stderr_kind, q->stderr_path, 2);
	if (r < 0)
		return r;
	/* Dispositions are all default: the spawner sets none, and what it had
	 * inherited as ignored it has undone when it started (spawner_setup.c). */
	s->step = SPAWN_STEP_EXEC;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof(no_signals));
	return child_exec(s);
}

CHILD_CODE int child_main(void *child_args)
{
	const struct child_args *a = child_args;
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	a->start->child_boot = (rv_time)ts.tv_sec * 1000000000 + ts.tv_nsec;
	a->start->child_pid = (int)syscall(SYS_getpid);
	if (a->start->pid_text)
		child_write_pid(a->start->pid_text, a->start->child_pid);
	a->start->error = -child_steps(a);
	syscall(SYS_exit_group, 127);
	__builtin_unreachable();
}
