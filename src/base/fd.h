/* Descriptors: everything is O_CLOEXEC from birth. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "reeve/base.h"

/* Open /dev/null in place of each standard stream that was closed: else the next file has
 * its number, and messages are written into it. First thing in main. 0, -errno */
int fd_fill_standard(void);

/* A copy, close-on-exec, that is none of the standard three. -errno */
int fd_above_standard(int fd);
int fd_set_nonblock(int fd, bool on); /* 0, -errno */
int fd_set_cloexec(int fd, bool on);
/* retry on EINTR and short counts; 0 when all was written or read, -errno,
 * -RV_EINCOMPLETE at end of file */
int fd_write_all(int fd, const void *p, size_t n);
int fd_read_all(int fd, void *p, size_t n);
/* all that comes until the end is appended. 0; -errno; -RV_ELIMIT over max bytes; out may
 * have grown then */
int fd_read_to_end(struct buf *out, int fd, size_t max);
/* whole file at or below dir_fd (AT_FDCWD). 0; -errno; -RV_ELIMIT over max bytes; out
 * keeps what it had before, and only that on failure */
int file_read(struct buf *out, int dir_fd, const char *path, size_t max);
/* Write through a temporary file in the same directory, fsync, rename, fsync of the
 * directory: a crash leaves the old or the new file. The mode is exact (the umask has
 * no part in it); a symbolic link at path is replaced, not followed. 0, -errno; when
 * the last fsync is what failed, the new file is in place already. */
int file_write_atomic(
	int dir_fd, const char *path, const void *p, size_t n, mode_t mode);
/* The same with owner, group and mode of another file. -EPERM: not allowed to give it to them */
int file_write_like(const char *path, const void *p, size_t n, const struct stat *like);
/* The same for a file that people keep: where path is a symbolic link, the file that it
 * leads to is replaced, and owner, group and mode stay as they are. A file that is not there
 * gets the mode. Whether it is still what it was is looked at once more before the rename.
 * Temporary files in the directory whose writers were killed are removed (temporary.h).
 *
 * @was  what stat said when it was read; NULL: it was not there
 *
 * 0; -ESTALE: it is no longer what it was then; -ENOENT: no directory, or a link to nothing;
 * -EPERM: not allowed to give it to its owner; -EISDIR, -EINVAL: no file; -errno. Old or new,
 * as above. */
int file_replace(
	const char *path, const void *p, size_t n, mode_t mode, const struct stat *was);
/* mkdir -p below dir_fd; existing directories are fine. 0, -ENOTDIR, -errno. */
int mkdir_all(int dir_fd, const char *path, mode_t mode);
/* 1 when the file system of fd is a network one (NFS, CIFS, 9P, FUSE-ssh ...) and
 * ret_name (static) names it, 0 when not, -errno */
int fd_is_network_fs(int fd, const char **ret_name);
/* id of this boot and of this machine: 32 hex digits and a NUL. 0, -errno; -EINVAL when
 * the file does not hold an id (a machine before its first boot) */
int boot_id_get(char ret[33]);
int machine_id_get(char ret[33]);
/* 128 random bits as 32 hex digits and a NUL */
void random_id(char ret[33]);

#endif
