/* A directory of its own for one test, removed with all that is in it. */
#ifndef TESTS_TEMP_DIR_H
#define TESTS_TEMP_DIR_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

/* path (short, absolute) and a descriptor of it */
struct temp_dir {
	char path[64];
	int fd;
};

static inline struct temp_dir temp_dir_make(void)
{
	struct temp_dir d = {.path = "/tmp/reeve-unit-XXXXXX"};

	ck_assert_ptr_nonnull(mkdtemp(d.path));
	d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(d.fd, 0);
	return d;
}

static inline int temp_dir_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void temp_dir_remove(struct temp_dir *d)
{
	close_safe(d->fd);
	nftw(d->path, temp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define TEMP_DIR(name) _cleanup_(temp_dir_remove) struct temp_dir name = temp_dir_make()

#endif
