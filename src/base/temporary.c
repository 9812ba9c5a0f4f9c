#include "config.h"

#include "base/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define PREFIX    ".tmp-"
#define N_DIGITS  32
#define TRIES_MAX 16

/* Whether it is locked and still has its name. A sweep may have come between its making
 * and the lock. Where nothing can be locked, nothing is swept either. */
static bool is_held(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno != EWOULDBLOCK;
	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

int temporary_create(int dir, char ret_name[TEMPORARY_NAME_SIZE])
{
	for (int i = 0; i < TRIES_MAX; i++) {
		_cleanup_close_ int fd = -1;
		char id[N_DIGITS + 1];

		random_id(id);
		snprintf(ret_name, TEMPORARY_NAME_SIZE, PREFIX "%s", id);
		fd = openat(dir, ret_name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		if (is_held(fd))
			return TAKE_FD(fd);
	}
	return -EBUSY;
}

static bool is_temporary(const char *name)
{
	size_t n = strlen(PREFIX);

	return strncmp(name, PREFIX, n) == 0 && strlen(name) == n + N_DIGITS &&
	       strspn(name + n, "0123456789abcdef") == N_DIGITS;
}

static void remove_abandoned(int dir, const char *name, uid_t owner)
{
	_cleanup_close_ int fd = openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		(st.st_uid != geteuid() && st.st_uid != owner))
		return;
	/* the name is never given to another file, so that it may go by it: a writer that is
	 * through has renamed it meanwhile */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dir, name, 0);
}

void temporary_sweep(int dir, uid_t owner)
{
	/* a position of its own */
	_cleanup_close_ int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d)
		return;
	fd = -1; /* it is d's */
	while ((e = readdir(d)))
		if (is_temporary(e->d_name))
			remove_abandoned(dir, e->d_name, owner);
}
