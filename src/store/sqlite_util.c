#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "store/sqlite_util.h"

static int error_of_constraint(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_ROWID: return -EEXIST;
	case SQLITE_CONSTRAINT_FOREIGNKEY: return -ENOENT;
	default: return -EINVAL;
	}
}

/* errno of the call that failed under an error of SQLite; 0: not known */
static int errno_of(sqlite3 *db, int primary)
{
	sqlite3_file *log = NULL;
	int e = 0;

	if (!db)
		return 0;
	/* What goes wrong in a COMMIT is noted with the file of the log alone. */
	if (primary == SQLITE_IOERR &&
		sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) ==
			SQLITE_OK &&
		log && log->pMethods)
		(void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &e);
	return e ? e : sqlite3_system_errno(db);
}

static int error_of_system(sqlite3 *db, int primary)
{
	int e = errno_of(db, primary);

	switch (e) {
	case ENOSPC:
	case EDQUOT: return -ENOSPC;
	case EACCES:
	case EPERM: return -EACCES;
	case EROFS:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENAMETOOLONG: return -e;
	default: return -EIO;
	}
}

int sqlite_error(sqlite3 *db, int rc)
{
	int extended = db && (rc & 0xff) == rc ? sqlite3_extended_errcode(db) : rc;

	if ((extended & 0xff) != (rc & 0xff))
		extended = rc;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return 0;
	case SQLITE_CONSTRAINT: return error_of_constraint(extended);
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_IOERR:
		if (extended == SQLITE_IOERR_NOMEM)
			return -ENOMEM;
		if (extended == SQLITE_IOERR_CORRUPTFS)
			return -RV_ECORRUPT;
		return error_of_system(db, rc & 0xff);
	case SQLITE_CANTOPEN: return error_of_system(db, rc & 0xff);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT: return -RV_ECORRUPT;
	case SQLITE_READONLY: return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH: return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: return -EBUSY;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_TOOBIG: return -RV_ELIMIT;
	case SQLITE_INTERRUPT: return -EINTR;
	default: return -EIO;
	}
}

int sqlite_exec(sqlite3 *db, const char *sql)
{
	return sqlite_error(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int sqlite_query_i64(sqlite3 *db, const char *sql, int64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return sqlite_error(db, rc);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		return -ENODATA;
	if (rc != SQLITE_ROW)
		return sqlite_error(db, rc);
	*ret = sqlite3_column_int64(stmt, 0);
	return 0;
}

static void binder_note(struct binder *b, int rc)
{
	if (b->rc == SQLITE_OK)
		b->rc = rc;
}

void bind_i64(struct binder *b, int64_t v)
{
	binder_note(b, sqlite3_bind_int64(b->stmt, ++b->i, v));
}

void bind_text(struct binder *b, const char *s)
{
	binder_note(b, sqlite3_bind_text(b->stmt, ++b->i, s, -1, SQLITE_STATIC));
}

void bind_blob(struct binder *b, const void *p, size_t len)
{
	binder_note(b, sqlite3_bind_blob64(b->stmt, ++b->i, p, len, SQLITE_STATIC));
}

void bind_id_or_null(struct binder *b, uint64_t id)
{
	if (id)
		bind_u64(b, id);
	else
		binder_note(b, sqlite3_bind_null(b->stmt, ++b->i));
}

int binder_run(struct binder *b)
{
	sqlite3 *db = sqlite3_db_handle(b->stmt);
	int r;

	if (b->rc != SQLITE_OK)
		return sqlite_error(db, b->rc);
	b->rc = sqlite3_step(b->stmt);
	/* before the reset: it forgets the errno of the system call */
	r = sqlite_error(db, b->rc);
	sqlite3_reset(b->stmt);
	return r;
}

int binder_run_i64(struct binder *b, int64_t *ret)
{
	sqlite3 *db = sqlite3_db_handle(b->stmt);
	int64_t first = 0;
	int r, n = 0;

	if (b->rc != SQLITE_OK)
		return sqlite_error(db, b->rc);
	while ((b->rc = sqlite3_step(b->stmt)) == SQLITE_ROW)
		if (n++ == 0)
			first = sqlite3_column_int64(b->stmt, 0);
	r = sqlite_error(db, b->rc);
	sqlite3_reset(b->stmt);
	if (r < 0)
		return r;
	if (n == 0)
		return 0;
	*ret = first;
	return 1;
}

int64_t row_i64(struct row *r)
{
	/* null reads as 0: columns that may be null mean just that by it */
	int type = sqlite3_column_type(r->stmt, r->i);

	if (type != SQLITE_INTEGER && type != SQLITE_NULL)
		r->damaged = true;
	return sqlite3_column_int64(r->stmt, r->i++);
}

uint64_t row_u64(struct row *r)
{
	return (uint64_t)row_i64(r);
}

uint32_t row_u32(struct row *r)
{
	int64_t v = row_i64(r);

	if (v < 0 || v > UINT32_MAX)
		r->damaged = true;
	return (uint32_t)v;
}

int32_t row_i32(struct row *r)
{
	int64_t v = row_i64(r);

	if (v < INT32_MIN || v > INT32_MAX)
		r->damaged = true;
	return (int32_t)v;
}

unsigned row_enum(struct row *r, unsigned n)
{
	int64_t v = row_i64(r);

	if (v < 0 || v >= n) {
		r->damaged = true;
		return 0;
	}
	return (unsigned)v;
}

const char *row_text(struct row *r)
{
	int type = sqlite3_column_type(r->stmt, r->i);

	if (type != SQLITE_TEXT && type != SQLITE_NULL)
		r->damaged = true;
	return (const char *)sqlite3_column_text(r->stmt, r->i++);
}

void row_text_copy(struct row *r, char *buf, size_t size)
{
	const char *s = row_text(r);
	size_t n = s ? strlen(s) : 0;

	INVARIANT(size > 0);
	if (n >= size) {
		r->damaged = true;
		n = 0;
	}
	memcpy(buf, s ? s : "", n);
	buf[n] = '\0';
}

const void *row_blob(struct row *r, size_t *ret_len)
{
	/* SQLite's pointer to an empty blob is NULL, which means "none" with us */
	const void *p = sqlite3_column_blob(r->stmt, r->i);

	if (sqlite3_column_type(r->stmt, r->i) != SQLITE_BLOB)
		r->damaged = true;
	*ret_len = (size_t)sqlite3_column_bytes(r->stmt, r->i++);
	return p ? p : "";
}
