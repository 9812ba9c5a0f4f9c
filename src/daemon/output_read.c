#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/output_read.h"

enum {
	/* so far the end of a line is looked for whose beginning is gone */
	LINE_SEARCH_MAX = 64 * 1024,
	CUTS_MAX = 8, /* that a page is read again for */
};

int64_t output_gone(const char *names)
{
	size_t n = strlen(OUTPUT_GONE);

	return names && strncmp(names, OUTPUT_GONE, n) == 0
		       ? strtoll(names + n, NULL, 10)
		       : 0;
}

int output_name(char *ret, size_t size, const char *names, enum output_stream s)
{
	const char *space = names ? strchr(names, ' ') : NULL;
	size_t n;

	if (!names || (s == OUTPUT_STDERR && !space) || output_gone(names))
		return 0;
	if (s == OUTPUT_STDERR)
		names = space + 1;
	n = s == OUTPUT_STDOUT && space ? (size_t)(space - names) : strlen(names);
	if (n >= size || (n == 1 && names[0] == '-'))
		return 0;
	memcpy(ret, names, n);
	ret[n] = '\0';
	return 1;
}

int output_open(int *ret_fd, int state_fd, const char *name)
{
	int fd = openat(state_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* the first byte at or after offset that is there; the size when none is */
static int64_t data_at(int fd, int64_t offset, int64_t size)
{
	off_t at = lseek(fd, offset, SEEK_DATA);

	if (at <
		0) /* ENXIO: only holes are left, or the end; EINVAL: no holes here at all */
		return errno == ENXIO ? size : offset;
	return at;
}

/* Behind a hole: where the first line begins that is whole, unless it does not end for so long
 * that it is no line. A line that begins right behind the hole cannot be told from the rest of
 * one. */
static int64_t whole_line_at(int fd, int64_t start)
{
	char buf[4096];
	int64_t at = start;

	while (at - start < LINE_SEARCH_MAX) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);
		const char *newline = n > 0 ? memchr(buf, '\n', (size_t)n) : NULL;

		if (newline)
			return at + (newline - buf) + 1;
		if (n <= 0)
			break;
		at += n;
	}
	return start;
}

/* where to begin who wants what there is from offset on */
static int64_t readable_at(int fd, int64_t offset, int64_t size)
{
	int64_t start = data_at(fd, offset, size);

	return start > offset ? whole_line_at(fd, start) : start;
}

void output_sizes(int state_fd, const char *names, int64_t *bytes, int64_t *lost)
{
	int64_t gone = output_gone(names);
	char name[64];

	if (gone) {
		*bytes = MAX(*bytes, 0);
		*lost = MAX(*lost, 0) + gone;
		return;
	}
	for (int s = OUTPUT_STDOUT; s <= OUTPUT_STDERR; s++) {
		_cleanup_close_ int fd = -1;
		struct stat st;
		int64_t start;

		if (output_name(name, sizeof(name), names, (enum output_stream)s) <=
				0 ||
			output_open(&fd, state_fd, name) < 0 || fstat(fd, &st) < 0)
			continue;
		start = data_at(fd, 0, st.st_size);
		*bytes = MAX(*bytes, 0) + st.st_size - start;
		*lost = MAX(*lost, 0) + start;
	}
}

int64_t output_disk_bytes(int state_fd, const char *names)
{
	int64_t bytes = 0;
	char name[64];

	for (int s = OUTPUT_STDOUT; s <= OUTPUT_STDERR; s++) {
		struct stat st;

		if (output_name(name, sizeof(name), names, (enum output_stream)s) > 0 &&
			fstatat(state_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (int64_t)st.st_blocks * 512;
	}
	return bytes;
}

int64_t output_left(int fd, int64_t offset)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return offset < st.st_size ? st.st_size - readable_at(fd, offset, st.st_size)
				   : 0;
}

int output_tail_offset(int fd, int64_t lines, int64_t *ret)
{
	char buf[16384];
	int64_t at, start;
	struct stat st;
	bool at_end = true;

	if (fstat(fd, &st) < 0)
		return -errno;
	start = readable_at(fd, 0, st.st_size);
	for (at = st.st_size; at > start && lines > 0;) {
		size_t n = (size_t)MIN((int64_t)sizeof(buf), at - start);
		ssize_t got = pread(fd, buf, n, at - (int64_t)n);

		if (got < 0)
			return -errno;
		if ((size_t)got < n)
			break; /* cut meanwhile: what is there will do */
		for (size_t i = n; i > 0; i--) {
			bool newline = buf[i - 1] == '\n';

			/* the newline at the very end ends the last line, it begins none */
			if (newline && !at_end && --lines == 0) {
				*ret = at - (int64_t)(n - i);
				return 0;
			}
			at_end = false;
		}
		at -= (int64_t)n;
	}
	*ret = lines > 0 ? start : st.st_size;
	return 0;
}

/* bytes up to the end of the last line; all where none ends */
static ssize_t whole_lines(const char *p, ssize_t n)
{
	const char *newline = memrchr(p, '\n', (size_t)n);

	return newline ? newline - p + 1 : n;
}

/* A page from start on; *again is where it would begin by now: before that are zeros of a hole
 * that was made meanwhile. Bytes, or -errno */
static ssize_t read_at(int fd, int64_t start, char *p, size_t max, int64_t *again)
{
	ssize_t n = pread(fd, p, max, start);

	if (n < 0)
		return -errno;
	*again = MIN(data_at(fd, start, start + n), start + n);
	return n;
}

int64_t output_page(
	int fd, int64_t *offset, struct buf *out, size_t max, int64_t *ret_lost)
{
	int64_t start, again = 0;
	struct stat st;
	ssize_t n;
	char *p;
	int r;

	*ret_lost = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (*offset >= st.st_size)
		return 0;
	r = buf_reserve(out, max, &p);
	if (r < 0)
		return r;
	for (int i = 0;; i++) {
		start = readable_at(fd, *offset, st.st_size);
		n = read_at(fd, start, p, max, &again);
		if (n < 0)
			return n;
		/* one that is cut as fast as it is read: then with a part of a line */
		if (again <= start || i == CUTS_MAX)
			break;
	}
	again = MAX(again, start);
	/* what is cut off while the page is on its way is then cut off between two lines */
	if ((size_t)n == max && again < start + n)
		n = MAX(whole_lines(p, n), again - start + 1);
	*ret_lost = again - *offset;
	memmove(p, p + (again - start), (size_t)(start + n - again));
	buf_commit(out, (size_t)(start + n - again));
	*offset = start + n;
	return start + n - again;
}
