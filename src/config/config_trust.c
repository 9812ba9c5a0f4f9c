#include "config/config_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

int config_file_open(const char *path)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
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

int config_file_check_writers(int fd, char *text, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode))
		return 0; /* /dev/null says nothing */
	if (st.st_uid != 0 && st.st_uid != geteuid())
		snprintf(text, size, "it belongs to user %u: only root's are read",
			st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		snprintf(text, size, "others than its owner may write it (mode %04o)",
			st.st_mode & 07777);
	else
		return 0;
	return -EPERM;
}
