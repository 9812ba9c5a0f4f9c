/*
 * What the files of the SQLite store share.
 *
 * Three connections: the writer (load, apply), a reader (single look-ups from any
 * thread, beside the writer as WAL allows) and the checkpointer. A store in memory has
 * the writer alone, which then is the reader too.
 */
#ifndef STORE_STORE_SQLITE_PRIV_H
#define STORE_STORE_SQLITE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/env_refs.h"
#include "store/sqlite_util.h"
#include "store/store_ops.h"

#define STORE_FILE "reeve.db"

enum store_stmt {
#define X(id, connection, sql) STMT_##id,
#include "store/store_sqlite_stmts.def"
#undef X
	STMT_N
};

struct sqlite_store {
	sqlite3 *writer;
	sqlite3 *reader;       /* NULL in memory */
	sqlite3 *checkpointer; /* NULL in memory */
	sqlite3_stmt *stmt[STMT_N];
	enum store_durability durability;

	/* Guards the writer and its statements, n_tombstones, env_refs. Taken by
	 * whoever writes, and by a checkpoint that has to keep writers out for a
	 * moment; nothing else is taken while it is held. */
	pthread_mutex_t write_lock;
	pthread_mutex_t read_lock;       /* guards the reader and its statements */
	pthread_mutex_t checkpoint_lock; /* the checkpointer; before write_lock */
	pthread_mutex_t *reader_lock; /* whichever guards the statements for reading */

	struct env_refs env_refs;
	int64_t n_tombstones; /* at the last commit; an upper bound */

	/* frames in the log after the last commit, and how many of these have been
	 * moved; two numbers that need not match exactly, they only tell when to
	 * checkpoint */
	atomic_int wal_frames, wal_done;
	int page_size;

	/* the directory and which file in it we write to; -1 in memory */
	int dir_fd;
	dev_t dev;
	ino_t ino;
};

/* The writer with tables and statements, in path (":memory:" possible), without the
 * other connections. st must be zeroed; after an error it must be released, too. */
int sqlite_store_init(struct sqlite_store *st);
void sqlite_store_free(struct sqlite_store *st);
int sqlite_store_open_writer(struct sqlite_store *st, const char *path);
int sqlite_store_setup_writer(struct sqlite_store *st);
int sqlite_store_prepare(struct sqlite_store *st);

/* store_sqlite_apply.c, store_sqlite_load.c: for struct store_ops */
int sqlite_store_apply(void *priv, struct store_unit **units, size_t n);
int sqlite_store_load(void *priv, const struct store_load_ops *ops, void *arg);
int sqlite_store_outputs(void *priv, store_run_fn fn, void *arg);
int sqlite_store_runs(void *priv, uint64_t job_id, store_run_fn fn, void *arg);
int sqlite_store_removed(void *priv, uint64_t job_id, int64_t *ret_usec);

/* one operation of a unit (store_sqlite_write.c); inside a transaction. Errors of the
 * operation itself are those of unit.error in store.h, all others are the store's. */
int sqlite_store_op(struct sqlite_store *st, const struct store_op *op);
/* count the users of the environments that are there */
int sqlite_store_count_envs(struct sqlite_store *st);
/* one that no job has: its job was refused, or never came */
int sqlite_store_remove_unused_envs(struct sqlite_store *st);
/* keeps the newest tombstones; inside a transaction */
int sqlite_store_trim_tombstones(struct sqlite_store *st);
#define TOMBSTONES_MAX 100000
/* trimming walks all tombstones: only once in so many removals */
#define TOMBSTONES_SLACK 1000

/**
 * What is in the directory, without changing a byte of it (store_sqlite_look.c).
 *
 * @path     of the database, for SQLite and for messages
 * @ret_msg  as store_open_sqlite
 *
 * Returns 1 when there is a database to open, 0 when one has to be made, or an error as
 * store_open_sqlite.
 */
int sqlite_store_look(int dir_fd, const char *path, char **ret_msg);
/* set a message and give r back: return refuse(ret_msg, -EIO, "...") */
int store_refuse(char **ret_msg, int r, const char *fmt, ...) PRINTF(3, 4);
/* the same, with the text that belongs to an error about the database at path */
int store_refuse_database(char **ret_msg, int r, const char *path, const char *doing);

#endif
