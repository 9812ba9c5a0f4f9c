/* The exits file; see exits.h. */
#include "config.h"

#include "spawn/exits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define MAGIC          "reeve-exits 1\n"
#define EXITS_SIZE_MAX (64 << 20)

/* walk the records after the magic; fn may be NULL */
static int records_walk(const struct buf *file,
	int (*fn)(const struct wire_hello *from, const struct spawn_run_info *info,
		void *arg),
	void *arg)
{
	const size_t skip = strlen(MAGIC);
	struct wire_hello from = {0};
	struct wire_record rec;
	struct wire_reader all;
	int n = 0, r;

	if (buf_len(file) < skip || memcmp(buf_head(file), MAGIC, skip) != 0)
		return -RV_ECORRUPT;
	all = (struct wire_reader){
		(const uint8_t *)buf_head(file) + skip, buf_len(file) - skip, false};
	while ((r = wire_next(&all, &rec)) > 0) {
		enum wire_run_reason reason;
		struct spawn_run_info info;

		if (rec.type == WIRE_HELLO &&
			wire_decode_hello(&rec.body, &from) == 0) {
			r = fn ? fn(&from, NULL, arg) : 0;
			if (r < 0)
				return r;
			continue;
		}
		if (rec.type != WIRE_RUN || from.pid == 0 ||
			wire_decode_run(&rec.body, &reason, &info) < 0)
			return -RV_ECORRUPT;
		n++;
		r = fn ? fn(&from, &info, arg) : 0;
		if (r < 0)
			return r;
	}
	return r < 0 ? -RV_ECORRUPT : n;
}

int spawn_exits_write(int dir_fd, const struct buf *records)
{
	_cleanup_(buf_deinitp) struct buf file = BUF_NULL;
	int r;

	r = file_read(&file, dir_fd, SPAWN_EXITS_NAME, EXITS_SIZE_MAX);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && records_walk(&file, NULL, NULL) < 0) {
		if (renameat(dir_fd, SPAWN_EXITS_NAME, dir_fd,
			    SPAWN_EXITS_NAME ".bad") < 0)
			return -errno;
		buf_clear(&file);
	}
	if (buf_len(&file) == 0) {
		r = buf_append_str(&file, MAGIC);
		if (r < 0)
			return r;
	}
	r = buf_append(&file, buf_head(records), buf_len(records));
	if (r < 0)
		return r;
	return file_write_atomic(
		dir_fd, SPAWN_EXITS_NAME, buf_head(&file), buf_len(&file), 0600);
}

int spawn_exits_load(int dir_fd,
	int (*fn)(const struct wire_hello *from, const struct spawn_run_info *info,
		void *arg),
	void *arg)
{
	_cleanup_(buf_deinitp) struct buf file = BUF_NULL;
	int r;

	r = file_read(&file, dir_fd, SPAWN_EXITS_NAME, EXITS_SIZE_MAX);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* all or nothing: a damaged file is shown to nobody by halves */
	r = records_walk(&file, NULL, NULL);
	return r >= 0 ? records_walk(&file, fn, arg) : r;
}

int spawn_exits_remove(int dir_fd)
{
	if (unlinkat(dir_fd, SPAWN_EXITS_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(dir_fd) < 0 ? -errno : 0;
}
