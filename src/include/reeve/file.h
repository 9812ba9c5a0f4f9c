/*
 * Files, by way of the loop's threads. (aiofiles.)
 *
 * Each call that goes to the disk costs two hand-overs between threads, some 50 us, so a
 * file has a buffer: reading line by line or writing in small pieces goes to a thread once
 * in 64 KiB. Who has the whole in hand takes rv_file_slurp and rv_file_spew. What is
 * cancelled while a thread is at it is waited for.
 */
#ifndef REEVE_FILE_H
#define REEVE_FILE_H

#include <sys/stat.h>

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One task at a time: others get -EBUSY. */
typedef struct rv_file rv_file;

/**
 * Open a file.
 *
 * @flags  as open(2); O_CLOEXEC is added
 *
 * Returns 0; -errno; -ECANCELED, -ENOMEM, and what rv_run_blocking gives.
 */
RV_AWAIT int rv_file_open(rv_file **ret, const char *path, int flags, mode_t mode);
/**
 * Write what is buffered, in a thread, and close: may suspend. The file is gone also where
 * this fails, and where the task is cancelled: what was buffered is written all the same.
 * Only with -EBUSY it is not: another task is at it.
 *
 * Returns 0; the first error of writing; -EBUSY. NULL is fine.
 */
RV_PUBLIC int rv_file_close(rv_file *f);
RV_PUBLIC int rv_file_fd(const rv_file *f);

/** At most n bytes from where the file stands. Returns how many; 0 at the end. */
RV_AWAIT ssize_t rv_file_read(rv_file *f, void *b, size_t n);
/**
 * A line with its '\n', valid until the next call on f; at the end what is left, then
 * *n == 0.
 *
 * Returns 0; -RV_ELIMIT: longer than 64 KiB; nothing was taken; -errno.
 */
RV_AWAIT int rv_file_readline(rv_file *f, const char **out, size_t *n);
/** All n bytes, into the buffer and from there to the file. 0; the error of this write or
 * of an earlier one: nothing is taken then, and what is buffered stays. */
RV_AWAIT int rv_file_write(rv_file *f, const void *b, size_t n);
/** Write what is buffered; after an error what is left of it. 0; the error of this write or
 * of an earlier one: once something could not be written each call says so. */
RV_AWAIT int rv_file_flush(rv_file *f);
/** Write what is buffered and wait until it is on the disk; data: without the times. As
 * rv_file_flush, also where a sync failed. */
RV_AWAIT int rv_file_sync(rv_file *f, bool data);

/** At a place, past the buffer and without moving the file's own. Bytes; -errno. */
RV_AWAIT ssize_t rv_file_pread(rv_file *f, void *b, size_t n, off_t at);
RV_AWAIT ssize_t rv_file_pwrite(rv_file *f, const void *b, size_t n, off_t at);
RV_AWAIT int rv_file_stat(rv_file *f, struct stat *ret);
/** Cut or extend, after what is buffered was written. */
RV_AWAIT int rv_file_truncate(rv_file *f, off_t size);

/**
 * Read a whole file.
 *
 * @max  bytes at most
 * @ret  rv_buf_free
 *
 * Returns 0; -RV_ELIMIT: it is larger; -errno, -ENOMEM.
 */
RV_AWAIT int rv_file_slurp(const char *path, size_t max, rv_buf *ret);
/**
 * Replace a file, or make it, as a whole: whoever reads it sees the old one or the new one,
 * also after a power loss. Written beside it, synced, renamed over it.
 *
 * Returns 0; -errno: the old one is as it was.
 */
RV_AWAIT int rv_file_spew(const char *path, const void *b, size_t n, mode_t mode);

#ifdef __cplusplus
}
#endif
#endif
