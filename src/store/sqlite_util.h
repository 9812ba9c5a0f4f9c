/*
 * What every use of SQLite in this folder needs: its errors as ours, values into a
 * statement, columns out of one. Pure helpers; transactions are not their business.
 */
#ifndef STORE_SQLITE_UTIL_H
#define STORE_SQLITE_UTIL_H

#include <sqlite3.h>

#include "base/cleanup.h"
#include "reeve/base.h"

/**
 * What a result of SQLite means to reeve.
 *
 * @db  where it happened (its system errno and extended code are looked at); may be
 * NULL
 *
 * Returns 0 for OK, ROW and DONE, else
 * -ENOSPC  disk or quota full        -EIO   the device
 * -EROFS -EACCES                     -EBUSY somebody else holds a lock
 * -ENOMEM  -RV_ELIMIT too big        -RV_ECORRUPT damaged, or no database at all
 * -EEXIST  a key is there already    -ENOENT what it refers to is not there
 * -EINVAL  a value the schema forbids
 */
int sqlite_error(sqlite3 *db, int rc);

static inline void sqlite_closep(sqlite3 **db)
{
	sqlite3_close_v2(*db); /* NULL is fine */
}
static inline void sqlite_finalizep(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}
#define _cleanup_stmt_ _cleanup_(sqlite_finalizep)

/* one statement or several, without parameters and rows */
int sqlite_exec(sqlite3 *db, const char *sql);
/* the first column of the first row; -ENODATA when there is none */
int sqlite_query_i64(sqlite3 *db, const char *sql, int64_t *ret);

/*
 * Binds parameters in order: one call per "?". The first failure sticks and is given
 * back by binder_run. Pointers must stay valid until then.
 */
struct binder {
	sqlite3_stmt *stmt;
	int i;  /* parameters bound so far */
	int rc; /* of SQLite; the first that is not OK */
};
static inline struct binder binder_new(sqlite3_stmt *stmt)
{
	return (struct binder){.stmt = stmt, .rc = SQLITE_OK};
}
void bind_i64(struct binder *b, int64_t v);
void bind_text(struct binder *b, const char *s);             /* NULL: null */
void bind_blob(struct binder *b, const void *p, size_t len); /* NULL: null */
void bind_id_or_null(struct binder *b, uint64_t id);         /* 0: null */
/* an unsigned number keeps its bits; what is above INT64_MAX reads as negative in SQL
 */
static inline void bind_u64(struct binder *b, uint64_t v)
{
	bind_i64(b, (int64_t)v);
}

/* Run a statement that gives no rows, and reset it. 0, or as sqlite_error. */
int binder_run(struct binder *b);
/* Run a statement and take one number from its first row: 1; 0 when there is no row (or
 * it is null: *ret is 0 then and 1 is returned). The statement runs to its end. */
int binder_run_i64(struct binder *b, int64_t *ret);

/*
 * Reads columns in order. A value that cannot be what we wrote (out of range, wrong
 * type) makes the row damaged, which is looked at once, after the last column.
 */
struct row {
	sqlite3_stmt *stmt;
	int i;
	bool damaged;
};
static inline struct row row_new(sqlite3_stmt *stmt)
{
	return (struct row){.stmt = stmt};
}
int64_t row_i64(struct row *r);
uint64_t row_u64(struct row *r);
uint32_t row_u32(struct row *r);
int32_t row_i32(struct row *r);
unsigned row_enum(struct row *r, unsigned n); /* 0 .. n-1 */
const char *row_text(struct row *r);          /* NULL for null */
void row_text_copy(struct row *r, char *buf, size_t size);
const void *row_blob(struct row *r, size_t *ret_len); /* never NULL */

#endif
