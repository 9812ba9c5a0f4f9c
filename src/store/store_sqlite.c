#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "store/schema.h"
#include "store/store_sqlite_priv.h"

/* how long to wait for a foreign process (a backup, the sqlite3 shell) that holds a
 * lock; our own connections never stand in each other's way */
#define BUSY_MSEC 1000
/* a log that is longer than this after a checkpoint is caught up with while no writer
 * adds to it: it can only begin anew once all of it has been moved */
#define WAL_CATCH_UP_BYTES (16 << 20)
/* the log file is cut back to this when it begins anew */
#define WAL_KEEP_BYTES "33554432"

enum { WRITER, READER };

static const struct {
	int connection;
	const char *sql;
} stmt_info[STMT_N] = {
#define X(id, connection, sql) {connection, sql},
#include "store/store_sqlite_stmts.def"
#undef X
};

/* -- building and releasing ---------------------------------------------------- */

int sqlite_store_init(struct sqlite_store *st)
{
	*st = (struct sqlite_store){.dir_fd = -1, .page_size = 4096};
	pthread_mutex_init(&st->write_lock, NULL); /* cannot fail with glibc */
	pthread_mutex_init(&st->read_lock, NULL);
	pthread_mutex_init(&st->checkpoint_lock, NULL);
	st->reader_lock = &st->write_lock;
	return env_refs_init(&st->env_refs);
}

void sqlite_store_free(struct sqlite_store *st)
{
	for (size_t i = 0; i < STMT_N; i++)
		sqlite3_finalize(st->stmt[i]);
	sqlite3_close(st->reader);
	sqlite3_close(st->writer);
	if (st->checkpointer) {
		/* The last to close, because it syncs under every durability: closing
		 * removes the log, and with it what only the log had on disk. Where
		 * it fails (full disk) the log stays, and nothing is lost. */
		(void)sqlite3_wal_checkpoint_v2(
			st->checkpointer, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		sqlite3_close(st->checkpointer);
	}
	close_safe(st->dir_fd);
	env_refs_deinit(&st->env_refs);
	pthread_mutex_destroy(&st->checkpoint_lock);
	pthread_mutex_destroy(&st->read_lock);
	pthread_mutex_destroy(&st->write_lock);
	free(st);
}

static void sqlite_store_freep(struct sqlite_store **st)
{
	if (*st)
		sqlite_store_free(*st);
}

static int open_connection(sqlite3 **ret, const char *path, int flags)
{
	int rc = sqlite3_open_v2(
		path, ret, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc != SQLITE_OK)
		return sqlite_error(*ret, rc);
	sqlite3_busy_timeout(*ret, BUSY_MSEC);
	/* a file that somebody tampered with must not run code in us */
	sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	return sqlite_exec(*ret, "PRAGMA cell_size_check = ON");
}

int sqlite_store_open_writer(struct sqlite_store *st, const char *path)
{
	return open_connection(
		&st->writer, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

static int on_commit(void *arg, sqlite3 *db, const char *name, int n_frames)
{
	struct sqlite_store *st = arg;

	if (n_frames < atomic_load(&st->wal_done))
		atomic_store(&st->wal_done, 0); /* the log has begun anew */
	atomic_store(&st->wal_frames, n_frames);
	return SQLITE_OK;
}

int sqlite_store_setup_writer(struct sqlite_store *st)
{
	int64_t page_size;
	int r;

	r = schema_migrate(st->writer, schema_steps, schema_version);
	if (r < 0)
		return r;
	r = sqlite_exec(st->writer, "PRAGMA foreign_keys = ON;"
				    "PRAGMA temp_store = MEMORY;"
				    "PRAGMA journal_size_limit = " WAL_KEEP_BYTES);
	if (r < 0)
		return r;
	r = sqlite_query_i64(st->writer, "PRAGMA page_size", &page_size);
	if (r < 0)
		return r;
	st->page_size = (int)page_size;
	return 0;
}

int sqlite_store_prepare(struct sqlite_store *st)
{
	struct binder b;
	int r;

	for (size_t i = 0; i < STMT_N; i++) {
		sqlite3 *db = stmt_info[i].connection == READER && st->reader
				      ? st->reader
				      : st->writer;
		int rc = sqlite3_prepare_v3(db, stmt_info[i].sql, -1,
			SQLITE_PREPARE_PERSISTENT, &st->stmt[i], NULL);

		if ((rc & 0xff) == SQLITE_ERROR)
			return -RV_ECORRUPT; /* a table or column is not there */
		if (rc != SQLITE_OK)
			return sqlite_error(db, rc);
	}
	b = binder_new(st->stmt[STMT_TOMBSTONE_COUNT]);
	r = binder_run_i64(&b, &st->n_tombstones);
	return r < 0 ? r : sqlite_store_count_envs(st);
}

/* -- the store in a directory -------------------------------------------------- */

/* SQLite wants a path that stays the same and puts the log beside it. */
static int path_of(char *ret, size_t size, int dir_fd, char **ret_msg)
{
	char dir[PATH_MAX], link[64];
	struct stat a, b;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
	n = readlink(link, dir, sizeof(dir) - 1);
	if (n < 0)
		return store_refuse(ret_msg, -errno,
			"cannot tell the path of the state directory: %s (is /proc "
			"mounted?)",
			rv_strerror(errno));
	dir[n] = '\0';
	if (fstat(dir_fd, &a) < 0 || stat(dir, &b) < 0 || a.st_dev != b.st_dev ||
		a.st_ino != b.st_ino)
		return store_refuse(ret_msg, -ESTALE,
			"the state directory '%s' was moved or removed", dir);
	if ((size_t)snprintf(ret, size, "%s/" STORE_FILE, dir) >= size)
		return store_refuse(ret_msg, -ENAMETOOLONG,
			"the path of the state directory '%s' is too long: choose a "
			"shorter one with --state-dir",
			dir);
	return 0;
}

/* before SQLite makes it: with its own mode others could read it until we change it */
static int make_file(int dir_fd, const char *path, char **ret_msg)
{
	int fd = openat(dir_fd, STORE_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return store_refuse_database(ret_msg, -errno, path, "create");
	close_safe(fd);
	return 0;
}

static int use_wal(struct sqlite_store *st, const char *path, char **ret_msg)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const unsigned char *mode;
	int rc;

	rc = sqlite3_prepare_v2(
		st->writer, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return store_refuse_database(
			ret_msg, sqlite_error(st->writer, rc), path, "open");
	mode = sqlite3_column_text(stmt, 0);
	if (!mode || strcmp((const char *)mode, "wal") != 0)
		return store_refuse(ret_msg, -EOPNOTSUPP,
			"cannot keep a write-ahead log beside '%s': put the state "
			"directory on a local file system with --state-dir",
			path);
	return 0;
}

static int open_main(
	struct sqlite_store *st, int dir_fd, const char *path, char **ret_msg)
{
	struct stat s;
	int r;

	/* -EROFS and -EACCES here have a clear reason; from SQLite they have not */
	if (faccessat(dir_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return store_refuse(ret_msg, -errno,
			"cannot write to the directory of '%s': %s", path,
			rv_strerror(errno));
	r = sqlite_store_look(dir_fd, path, ret_msg);
	if (r == 0)
		r = make_file(dir_fd, path, ret_msg);
	if (r < 0)
		return r;
	r = sqlite_store_open_writer(st, path);
	if (r < 0)
		return store_refuse_database(ret_msg, r, path, "open");
	/* until the database is accepted, closing must not move the log into it */
	sqlite3_db_config(st->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_db_readonly(st->writer, "main") != 0)
		return store_refuse_database(ret_msg, -EACCES, path, "write");
	r = schema_check(st->writer, schema_version);
	if (r < 0)
		return store_refuse_database(ret_msg, r, path, "open");
	st->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (st->dir_fd < 0 || fstatat(dir_fd, STORE_FILE, &s, 0) < 0 ||
		((s.st_mode & 077) && fchmodat(dir_fd, STORE_FILE, 0600, 0) < 0))
		return store_refuse_database(ret_msg, -errno, path, "open");
	st->dev = s.st_dev;
	st->ino = s.st_ino;
	return use_wal(st, path, ret_msg);
}

static int open_others(struct sqlite_store *st, const char *path)
{
	int64_t n;
	int r;

	r = open_connection(&st->reader, path, SQLITE_OPEN_READONLY);
	if (r < 0)
		return r;
	st->reader_lock = &st->read_lock;
	r = open_connection(&st->checkpointer, path, SQLITE_OPEN_READWRITE);
	if (r < 0)
		return r;
	/* Under "off", too: a unit with sync is on disk in the log, and would be
	 * nowhere if it were moved unsynced and the log begun anew. */
	r = sqlite_exec(st->checkpointer,
		"PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0");
	if (r < 0)
		return r;
	/* a connection that has read nothing knows of no log, and checkpoints nothing
	 */
	return sqlite_query_i64(
		st->checkpointer, "SELECT count(*) FROM sqlite_schema", &n);
}

static int finish_open(struct sqlite_store *st)
{
	static const char *const synchronous[] = {
		[STORE_DURABILITY_FULL] = "PRAGMA synchronous = FULL",
		[STORE_DURABILITY_NORMAL] = "PRAGMA synchronous = NORMAL",
		[STORE_DURABILITY_OFF] = "PRAGMA synchronous = OFF",
	};
	struct stat s;
	int r;

	r = sqlite_store_remove_unused_envs(st);
	if (r < 0)
		return r;
	/* what was there before us; the first commit says it exactly */
	if (fstatat(st->dir_fd, STORE_FILE "-wal", &s, 0) == 0)
		atomic_store(&st->wal_frames, (int)(s.st_size / st->page_size));
	sqlite3_wal_hook(st->writer, on_commit, st); /* no automatic checkpoints */
	if (fsync(st->dir_fd) < 0)
		return -errno; /* the name of a new file has to survive, too */
	return sqlite_exec(st->writer, synchronous[st->durability]);
}

static int64_t sqlite_store_wal_bytes(void *priv)
{
	struct sqlite_store *st = priv;
	int64_t frames = atomic_load(&st->wal_frames) - atomic_load(&st->wal_done);

	return MAX(frames, 0) * st->page_size;
}

/* 0, 1 when frames are left of those that were there when it began */
static int checkpoint_once(struct sqlite_store *st)
{
	int before = atomic_load(&st->wal_frames), n_frames, n_done, rc;

	rc = sqlite3_wal_checkpoint_v2(
		st->checkpointer, NULL, SQLITE_CHECKPOINT_PASSIVE, &n_frames, &n_done);
	if ((rc & 0xff) == SQLITE_BUSY)
		return 1; /* another process is at it */
	if (rc != SQLITE_OK)
		return sqlite_error(st->checkpointer, rc);
	INVARIANT(n_frames >= 0 && n_done >= 0); /* it is in WAL mode */
	/* without a commit so far the length of the file is all that was known */
	atomic_compare_exchange_strong(&st->wal_frames, &before, n_frames);
	atomic_store(&st->wal_done, n_done);
	return n_done < n_frames;
}

/* Not all of the log is moved, and a part of it does not do: it begins anew only when a
 * writer finds that nothing is left. Commits that came meanwhile count, of which SQLite says
 * nothing. */
static bool must_catch_up(struct sqlite_store *st)
{
	return sqlite_store_wal_bytes(st) > 0 &&
	       (int64_t)atomic_load(&st->wal_frames) * st->page_size >
		       WAL_CATCH_UP_BYTES;
}

static int sqlite_store_checkpoint(void *priv)
{
	struct sqlite_store *st = priv;
	int r;

	pthread_mutex_lock(&st->checkpoint_lock);
	r = checkpoint_once(st);
	if (r >= 0 && must_catch_up(st)) {
		/* what came in meanwhile is little: writers wait for that alone */
		pthread_mutex_lock(&st->write_lock);
		r = checkpoint_once(st);
		pthread_mutex_unlock(&st->write_lock);
	}
	pthread_mutex_unlock(&st->checkpoint_lock);
	return r;
}

static void sqlite_store_close(void *priv)
{
	sqlite_store_free(priv);
}

static const struct store_ops sqlite_ops = {
	.name = "sqlite",
	.load = sqlite_store_load,
	.apply = sqlite_store_apply,
	.runs = sqlite_store_runs,
	.outputs = sqlite_store_outputs,
	.removed = sqlite_store_removed,
	.wal_bytes = sqlite_store_wal_bytes,
	.checkpoint = sqlite_store_checkpoint,
	.close = sqlite_store_close,
};

int store_open_sqlite(struct store **ret, int dir_fd, enum store_durability durability,
	char **ret_msg)
{
	_cleanup_(sqlite_store_freep) struct sqlite_store *st = NULL;
	char path[480]; /* SQLite takes 512 with the suffix of its other files */
	int r;

	INVARIANT(ret && dir_fd >= 0);
	r = path_of(path, sizeof(path), dir_fd, ret_msg);
	if (r < 0)
		return r;
	st = malloc(sizeof(*st));
	if (!st)
		return store_refuse_database(ret_msg, -ENOMEM, path, "open");
	r = sqlite_store_init(st);
	if (r < 0)
		return store_refuse_database(ret_msg, r, path, "open");
	st->durability = durability;
	r = open_main(st, dir_fd, path, ret_msg);
	if (r < 0)
		return r;
	r = sqlite_store_setup_writer(st);
	if (r == 0)
		r = open_others(st, path);
	if (r == 0)
		r = sqlite_store_prepare(st);
	if (r == 0)
		r = finish_open(st);
	if (r == 0)
		r = store_new(ret, &sqlite_ops, st);
	if (r < 0)
		return store_refuse_database(ret_msg, r, path, "open");
	(void)TAKE_PTR(st);
	return 0;
}
