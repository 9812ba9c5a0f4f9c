/* Is this a database we may open? Answered without changing a byte of it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "store/schema.h"
#include "store/store_sqlite_priv.h"

/* https://www.sqlite.org/fileformat.html, "The Database Header" */
#define HEADER_SIZE        100
#define HEADER_PAGE_SIZE   16 /* 2 bytes; 1 means 65536 */
#define HEADER_N_PAGES     28 /* 4 bytes */
#define HEADER_VERSION     60 /* 4 bytes: PRAGMA user_version */
#define HEADER_APPLICATION 68 /* 4 bytes: PRAGMA application_id */

int store_refuse(char **ret_msg, int r, const char *fmt, ...)
{
	va_list ap;

	if (ret_msg) {
		va_start(ap, fmt);
		if (vasprintf(ret_msg, fmt, ap) < 0)
			*ret_msg = NULL;
		va_end(ap);
	}
	return r;
}

int store_refuse_database(char **ret_msg, int r, const char *path, const char *doing)
{
	switch (r) {
	case -RV_EVERSION:
		return store_refuse(ret_msg, r,
			"'%s' was made by a newer reeve (this one knows version %u): "
			"install that version again, or restore a backup",
			path, schema_version);
	case -RV_ECORRUPT:
		return store_refuse(ret_msg, r,
			"'%s' is damaged or is not a database of reeve: restore a "
			"backup, or move it away to start with an empty one",
			path);
	case -EBUSY:
		return store_refuse(ret_msg, r,
			"'%s' is locked by another program: close that and try again",
			path);
	case -ENOSPC:
		return store_refuse(ret_msg, r,
			"cannot %s '%s': the disk or the quota is full", doing, path);
	default:
		return store_refuse(
			ret_msg, r, "cannot %s '%s': %s", doing, path, rv_strerror(r));
	}
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 1 there is something in the log, 0 not */
static int log_has_content(int dir_fd)
{
	struct stat s;

	if (fstatat(dir_fd, STORE_FILE "-wal", &s, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return s.st_size > 0;
}

/* what the file itself says; with a log, later contents may be there */
static int look_at_header(const unsigned char *h, off_t size, bool has_log,
	const char *path, char **ret_msg)
{
	uint32_t page_size =
		(uint32_t)h[HEADER_PAGE_SIZE] << 8 | h[HEADER_PAGE_SIZE + 1];
	uint64_t expected;

	if (memcmp(h, "SQLite format 3", 16) != 0)
		return store_refuse_database(ret_msg, -RV_ECORRUPT, path, "open");
	if (be32(h + HEADER_APPLICATION) == SCHEMA_APPLICATION_ID &&
		be32(h + HEADER_VERSION) > schema_version)
		return store_refuse_database(ret_msg, -RV_EVERSION, path, "open");
	if (page_size == 1)
		page_size = 65536;
	expected = (uint64_t)page_size * be32(h + HEADER_N_PAGES);
	if (!has_log && (uint64_t)size < expected)
		return store_refuse(ret_msg, -RV_ECORRUPT,
			"'%s' is damaged: it ends after %" PRIu64 " of %" PRIu64
			" bytes: restore a backup, or move it away to start with an "
			"empty one",
			path, (uint64_t)size, expected);
	return 0;
}

/* The log may hold a later version of the header: SQLite puts both together. */
static int look_through_sqlite(const char *path, char **ret_msg)
{
	_cleanup_(sqlite_closep) sqlite3 *db = NULL;
	int r;

	r = sqlite3_open_v2(
		path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (r != SQLITE_OK)
		return store_refuse_database(
			ret_msg, sqlite_error(db, r), path, "read");
	/* the last to close would move the log into the database */
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(db, 1000);
	r = schema_check(db, schema_version);
	return r < 0 ? store_refuse_database(ret_msg, r, path, "read") : 0;
}

int sqlite_store_look(int dir_fd, const char *path, char **ret_msg)
{
	_cleanup_close_ int fd = -1;
	unsigned char header[HEADER_SIZE];
	struct stat s;
	int r, has_log;

	/* non-blocking: it may be a FIFO */
	fd = openat(dir_fd, STORE_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT
			       ? 0
			       : store_refuse_database(ret_msg, -errno, path, "read");
	if (fstat(fd, &s) < 0)
		return store_refuse_database(ret_msg, -errno, path, "read");
	if (!S_ISREG(s.st_mode))
		return store_refuse(ret_msg, -RV_ECORRUPT,
			"'%s' is not a regular file: move it away", path);
	if (s.st_size == 0)
		return 0; /* we were interrupted before anything was in it */
	r = s.st_size < HEADER_SIZE ? -RV_ECORRUPT
				    : fd_read_all(fd, header, sizeof(header));
	if (r < 0)
		return store_refuse_database(ret_msg, r, path, "read");
	has_log = log_has_content(dir_fd);
	if (has_log < 0)
		return store_refuse_database(ret_msg, has_log, path, "read");
	r = look_at_header(header, s.st_size, has_log, path, ret_msg);
	if (r == 0 && has_log)
		r = look_through_sqlite(path, ret_msg);
	return r < 0 ? r : 1;
}
