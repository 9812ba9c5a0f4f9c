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

int output_tail_offset(int fd, int64_t lines, int64_t *ret)
{
	char buf[16384];
	int64_t at, start;
	struct stat st;
	bool at_end = true;

	if (fstat(fd, &st) < 0)
		return -errno;
	start = data_at(fd, 0, st.st_size);
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

int64_t output_page(
	int fd, int64_t *offset, struct buf *out, size_t max, int64_t *ret_lost)
{
	struct stat st;
	int64_t start, again;
	ssize_t n;
	char *p;
	int r;

	*ret_lost = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (*offset >= st.st_size)
		return 0;
	start = data_at(fd, *offset, st.st_size);
	*ret_lost = start - *offset;
	*offset = start;
	r = buf_reserve(out, max, &p);
	if (r < 0)
		return r;
	n = pread(fd, p, max, start);
	if (n < 0)
		return -errno;
	/* given up between the look and the read: those are zeros, not output */
	again = MIN(data_at(fd, start, st.st_size), start + n);
	if (again > start) {
		memmove(p, p + (again - start), (size_t)(start + n - again));
		*ret_lost += again - start;
	}
	buf_commit(out, (size_t)(start + n - again));
	*offset = start + n;
	return start + n - again;
}
