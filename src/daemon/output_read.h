/*
 * Reading the output of runs: sizes, the last lines, pages. Blocking: for workers.
 *
 * A record names a run's files as "OUT" or "OUT ERR"; "-" is a file that stayed empty and
 * is no more. "gone:N" is output of N bytes that was dropped to keep within the budget of
 * all outputs: reading tells of it, and it is not taken for none. Bytes that were given up to
 * keep within output-max are holes at the front; the rest of the line that a hole ends in is
 * left out, too, so that what is read begins with a whole line.
 */
#ifndef DAEMON_OUTPUT_READ_H
#define DAEMON_OUTPUT_READ_H

#include "base/buf.h"

enum output_stream { OUTPUT_STDOUT, OUTPUT_STDERR };

/* the text for a record whose output is dropped: OUTPUT_GONE and the number of bytes */
#define OUTPUT_GONE "gone:"
/* that number, 0 for output that is there or never was */
int64_t output_gone(const char *names);

/* the name of one stream in a record's text; 1, or 0 when there is none. */
int output_name(char *ret, size_t size, const char *names, enum output_stream s);

/* bytes that are there and bytes that were given up, over all files of a record; left
 * alone where nothing can be said */
void output_sizes(int state_fd, const char *names, int64_t *bytes, int64_t *lost);

/* bytes that the files of a record take on disk: what the budget of all outputs counts */
int64_t output_disk_bytes(int state_fd, const char *names);

/* 0 or -errno */
int output_open(int *ret_fd, int state_fd, const char *name);

/* where the last n lines begin; a last line without its end counts. 0, -errno */
int output_tail_offset(int fd, int64_t lines, int64_t *ret);

/* bytes that are there now, from offset on; -errno */
int64_t output_left(int fd, int64_t offset);

/**
 * Append up to max bytes from *offset on; *offset moves behind them, and over holes. Where there
 * is more than that, the page ends with a line, if one ends in it.
 *
 * @ret_lost  bytes that were passed: holes, and the rest of a line behind one
 *
 * Returns the bytes appended, 0 at the end, -errno.
 */
int64_t output_page(
	int fd, int64_t *offset, struct buf *out, size_t max, int64_t *ret_lost);

#endif
