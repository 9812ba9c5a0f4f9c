/*
 * await_gone [-k] SECONDS DIR: wait until no process has anything to do with DIR.
 *
 * A process belongs to a directory if its command line or environment names it, or if
 * its working directory or one of its open files is in it: reeved, reeve-spawner and
 * the jobs of a private state directory, whoever adopted them meanwhile. The caller and
 * its own callers are left out. Processes are watched by pidfd, so the wait ends with
 * the last one. A zombie counts as gone: only its parent can do more.
 *
 * -k  kill what is left when the time is over
 *
 * Exit status: 0 all gone, 1 some were left (each is printed), 2 usage or system error.
 */
#include "config.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/macro.h"

#define N_FOUND_MAX    4096
#define N_CALLERS_MAX  64
#define FILE_MAX_BYTES (1 << 20) /* enough of an environment to find a path in it */

struct search {
	const char *dir;
	size_t dir_len;
	char *text; /* FILE_MAX_BYTES */
	pid_t caller[N_CALLERS_MAX];
	size_t n_callers;
	struct pollfd found[N_FOUND_MAX]; /* owns its descriptors */
	pid_t pid[N_FOUND_MAX];
	size_t n_found;
};

static int64_t now_msec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* as much of a file as fits; 0 where it cannot be read */
static size_t read_text(struct search *s, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while (len < FILE_MAX_BYTES - 1) {
		n = read(fd, s->text + len, FILE_MAX_BYTES - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	s->text[len] = '\0';
	return len;
}

static bool file_names_dir(struct search *s, pid_t pid, const char *what)
{
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	len = read_text(s, path);
	return memmem(s->text, len, s->dir, s->dir_len) != NULL;
}

static bool link_is_in_dir(const struct search *s, int dir_fd, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (n < 0 || (size_t)n < s->dir_len)
		return false;
	target[n] = '\0';
	return memcmp(target, s->dir, s->dir_len) == 0 &&
	       (target[s->dir_len] == '/' || target[s->dir_len] == '\0');
}

static bool has_file_in_dir(const struct search *s, pid_t pid)
{
	_cleanup_(closedirp) DIR *fds = NULL;
	struct dirent *de;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	if (link_is_in_dir(s, AT_FDCWD, path))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	while (fds && (de = readdir(fds)))
		if (link_is_in_dir(s, dirfd(fds), de->d_name))
			return true;
	return false;
}

static void find_callers(struct search *s)
{
	pid_t pid = getpid();
	char path[64];
	char *p;

	while (pid > 1 && s->n_callers < N_CALLERS_MAX) {
		s->caller[s->n_callers++] = pid;
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		/* "pid (name) state ppid": the name may hold anything, also ')' */
		if (read_text(s, path) == 0 || !(p = strrchr(s->text, ')')) ||
			strlen(p) < 4)
			return;
		pid = (pid_t)strtol(p + 4, NULL, 10);
	}
}

static bool is_caller(const struct search *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_callers; i++)
		if (s->caller[i] == pid)
			return true;
	return false;
}

/* 0, or -errno */
static int search_processes(struct search *s)
{
	_cleanup_(closedirp) DIR *proc = opendir("/proc");
	struct dirent *de;

	if (!proc)
		return -errno;
	while ((de = readdir(proc)) && s->n_found < N_FOUND_MAX) {
		_cleanup_close_ int fd = -1;
		pid_t pid;

		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		pid = (pid_t)strtol(de->d_name, NULL, 10);
		if (is_caller(s, pid))
			continue;
		/* held first, so that what is then read is of this very process */
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (fd < 0)
			continue;
		if (!file_names_dir(s, pid, "cmdline") && !has_file_in_dir(s, pid) &&
			!file_names_dir(s, pid, "environ"))
			continue;
		s->pid[s->n_found] = pid;
		s->found[s->n_found++] =
			(struct pollfd){.fd = TAKE_FD(fd), .events = POLLIN};
	}
	return 0;
}

static void forget_all(struct search *s)
{
	for (size_t i = 0; i < s->n_found; i++)
		if (s->found[i].fd >= 0)
			close(s->found[i].fd);
	s->n_found = 0;
}

/* true when all that were found have ended before the deadline */
static bool wait_for_all(struct search *s, int64_t deadline_msec)
{
	size_t n_left = s->n_found;

	while (n_left > 0) {
		int64_t left_msec = MAX(deadline_msec - now_msec(), 0);
		int r = poll(s->found, s->n_found, (int)MIN(left_msec, INT_MAX));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		for (size_t i = 0; i < s->n_found; i++) {
			if (!s->found[i].revents)
				continue;
			s->found[i].fd = close_safe(s->found[i].fd);
			s->found[i].revents = 0;
			n_left--;
		}
	}
	return true;
}

static void report(struct search *s, bool with_kill)
{
	for (size_t i = 0; i < s->n_found; i++) {
		char path[64];
		size_t len;

		if (s->found[i].fd < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)s->pid[i]);
		len = read_text(s, path);
		for (size_t k = 0; k + 1 < len; k++)
			if (!isprint((unsigned char)s->text[k]))
				s->text[k] = ' ';
		fprintf(stderr, "still there: process %d: %.200s\n", (int)s->pid[i],
			s->text);
		if (with_kill)
			syscall(SYS_pidfd_send_signal, s->found[i].fd, SIGKILL, NULL,
				0);
	}
}

/* exit status */
static int await_gone(struct search *s, long seconds, bool with_kill)
{
	int64_t deadline_msec = now_msec() + seconds * INT64_C(1000);
	int status = 0;

	/* again after each round: what ended may have left something behind */
	for (;;) {
		int r = search_processes(s);

		if (r < 0) {
			fprintf(stderr, "await_gone: /proc: %s\n", strerror(-r));
			return 2;
		}
		if (s->n_found == 0)
			return status;
		if (!wait_for_all(s, deadline_msec)) {
			report(s, with_kill);
			/* a second round for what these leave, then give up */
			if (!with_kill || status)
				return 1;
			status = 1;
			deadline_msec = now_msec() + 10000;
			wait_for_all(s, deadline_msec);
		}
		forget_all(s);
	}
}

int main(int argc, char **argv)
{
	_cleanup_free_ struct search *s = NULL;
	_cleanup_free_ char *text = NULL;
	bool with_kill = argc > 1 && STREQ(argv[1], "-k");
	char dir[PATH_MAX];
	char *end;
	long seconds;
	int r;

	argc -= with_kill;
	argv += with_kill;
	if (argc != 3) {
		fprintf(stderr, "usage: await_gone [-k] SECONDS DIR\n");
		return 2;
	}
	seconds = strtol(argv[1], &end, 10);
	if (*end || seconds < 0 || seconds > 86400) {
		fprintf(stderr, "await_gone: not a time: '%s'\n", argv[1]);
		return 2;
	}
	/* the whole machine belongs to '/' */
	if (!realpath(argv[2], dir) || STREQ(dir, "/")) {
		fprintf(stderr, "await_gone: not a directory of its own: '%s'\n",
			argv[2]);
		return 2;
	}

	s = calloc(1, sizeof(*s));
	text = malloc(FILE_MAX_BYTES);
	if (!s || !text) {
		fprintf(stderr, "await_gone: out of memory\n");
		return 2;
	}
	s->dir = dir;
	s->dir_len = strlen(dir);
	s->text = text;
	find_callers(s);
	r = await_gone(s, seconds, with_kill);
	forget_all(s);
	return r;
}
