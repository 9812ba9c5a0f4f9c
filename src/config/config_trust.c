#include "config.h"

#include "config/config_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"

enum { LINKS_MAX = 40 }; /* as the kernel has it */

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static int open_at(int dir, const char *name, int flags)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return -EINVAL;
	return TAKE_FD(fd);
}

int config_file_open(const char *path)
{
	return open_at(AT_FDCWD, path, 0);
}

/* ---- by the rules of the system's daemon ------------------------------------------------------ */

static int check_writers(int fd, char *text, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode))
		return 0; /* /dev/null says nothing */
	if (!is_trusted(st.st_uid))
		snprintf(text, size, "it belongs to user %u: only root's are read",
			st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		snprintf(text, size, "others than its owner may write it (mode %04o)",
			st.st_mode & 07777);
	else
		return 0;
	return -EPERM;
}

/* on the way along a path */
struct way {
	int dir; /* AT_FDCWD at first */
	char rest[PATH_MAX];
	int n_links;
};

static void go_to(struct way *w, int dir)
{
	if (w->dir >= 0)
		close_safe(w->dir);
	w->dir = dir;
}

static void way_deinit(struct way *w)
{
	go_to(w, AT_FDCWD);
}

/* what a link says, in its place before the rest. 1, -ELOOP, -ENAMETOOLONG, -errno */
static int follow(struct way *w, int link, const char *rest)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	size_t n_rest = strlen(rest);

	if (n < 0)
		return -errno;
	if (++w->n_links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + n_rest >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n + 1, rest, n_rest + 1);
	memcpy(w->rest, target, (size_t)n);
	w->rest[n] = '/';
	if (n_rest == 0)
		w->rest[n] = '\0';
	return 1;
}

/* One name of the path. 1: on with the rest; 0: that was the last one, of the file; -EPERM,
 * with why in text; -errno */
static int step(struct way *w, int *ret_fd, char *text, size_t size)
{
	_cleanup_close_ int fd = -1;
	char name[NAME_MAX + 1];
	const char *rest;
	struct stat st;
	size_t n;

	if (*w->rest == '/') {
		int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (root < 0)
			return -errno;
		go_to(w, root);
		rest = w->rest + strspn(w->rest, "/");
		memmove(w->rest, rest, strlen(rest) + 1);
		return 1;
	}
	n = strcspn(w->rest, "/");
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, w->rest, n);
	name[n] = '\0';
	rest = w->rest + n + strspn(w->rest + n, "/");
	fd = openat(w->dir, n ? name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && is_trusted(st.st_uid))
		return follow(w, fd, rest);
	if (S_ISLNK(st.st_mode)) {
		snprintf(text, size,
			"a link on the way to it belongs to user %u: only root's are "
			"followed",
			st.st_uid);
		return -EPERM;
	}
	if (!w->rest[n]) {
		*ret_fd = open_at(w->dir, n ? name : ".", O_NOFOLLOW);
		return MIN(*ret_fd, 0);
	}
	go_to(w, TAKE_FD(fd));
	memmove(w->rest, rest, strlen(rest) + 1);
	return 1;
}

int config_file_open_trusted(const char *path, char *text, size_t size)
{
	_cleanup_(way_deinit) struct way w = {.dir = AT_FDCWD};
	_cleanup_close_ int fd = -1;
	size_t n = strlen(path);
	int r;

	*text = '\0';
	if (n >= sizeof(w.rest))
		return -ENAMETOOLONG;
	memcpy(w.rest, path, n + 1);
	do
		r = step(&w, &fd, text, size);
	while (r > 0);
	if (r == 0)
		r = check_writers(fd, text, size);
	return r < 0 ? r : TAKE_FD(fd);
}
