/* Units into transactions. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/invariant.h"
#include "store/store_sqlite_priv.h"

static int run_stmt(struct sqlite_store *st, enum store_stmt i)
{
	struct binder b = binder_new(st->stmt[i]);

	return binder_run(&b);
}

/* refused because of what is in the unit; all other errors concern the whole store */
static bool is_error_of_unit(int r)
{
	return r == -RV_EDUPLICATE || r == -EEXIST || r == -ENOENT || r == -EINVAL ||
	       r == -RV_ELIMIT;
}

/* Writing goes on in a file that was removed or replaced, without an error, until the
 * last descriptor is closed: what is acknowledged then is lost. */
static int check_file_is_ours(struct sqlite_store *st)
{
	struct stat s;

	if (st->dir_fd < 0)
		return 0;
	if (fstatat(st->dir_fd, STORE_FILE, &s, 0) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	return s.st_dev == st->dev && s.st_ino == st->ino ? 0 : -ESTALE;
}

static void rollback(struct sqlite_store *st)
{
	/* some errors (full disk, I/O) have ended the transaction already */
	if (!sqlite3_get_autocommit(st->writer))
		(void)run_stmt(st, STMT_ROLLBACK);
}

static int run_unit(struct sqlite_store *st, struct store_unit *u)
{
	int r;

	u->error = 0;
	for (size_t i = 0; i < u->n_ops; i++) {
		r = sqlite_store_op(st, &u->ops[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The unit is undone alone when it is refused: 0 then, too. */
static int run_unit_in_savepoint(struct sqlite_store *st, struct store_unit *u)
{
	int64_t n_tombstones = st->n_tombstones;
	size_t mark = env_refs_mark(&st->env_refs);
	int r, r2;

	r = run_stmt(st, STMT_SAVEPOINT);
	if (r < 0)
		return r;
	r = run_unit(st, u);
	if (r < 0) {
		if (!is_error_of_unit(r))
			return r;
		u->error = r;
		st->n_tombstones = n_tombstones;
		env_refs_undo(&st->env_refs, mark);
		r2 = run_stmt(st, STMT_UNDO_UNIT);
		if (r2 < 0)
			return r2;
	}
	return run_stmt(st, STMT_RELEASE);
}

static int run_group(
	struct sqlite_store *st, struct store_unit **units, size_t n, bool savepoints)
{
	int r;

	r = run_stmt(st, STMT_BEGIN);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = savepoints ? run_unit_in_savepoint(st, units[i])
			       : run_unit(st, units[i]);
		if (r < 0) {
			if (is_error_of_unit(r))
				units[i]->error = r;
			return r;
		}
	}
	r = sqlite_store_trim_tombstones(st);
	if (r < 0)
		return r;
	return run_stmt(st, STMT_COMMIT);
}

static int try_group(
	struct sqlite_store *st, struct store_unit **units, size_t n, bool savepoints)
{
	int64_t n_tombstones = st->n_tombstones;
	int r;

	r = run_group(st, units, n, savepoints);
	if (r < 0) {
		rollback(st);
		st->n_tombstones = n_tombstones;
		env_refs_undo(&st->env_refs, 0);
	}
	env_refs_commit(&st->env_refs);
	return r;
}

/*
 * Refusals are rare and a savepoint costs as much as an operation (each page that is
 * changed after it is copied first): so the group runs without any, and only where a
 * unit is refused once more from the start, with them.
 */
static int apply_group(struct sqlite_store *st, struct store_unit **units, size_t n)
{
	int r;

	r = try_group(st, units, n, false);
	if (r == 0 || !is_error_of_unit(r))
		return r;
	if (n == 1)
		return 0; /* that unit's error is set, and nothing is left of it */
	return try_group(st, units, n, true);
}

int sqlite_store_apply(void *priv, struct store_unit **units, size_t n)
{
	struct sqlite_store *st = priv;
	bool sync = false;
	int r;

	for (size_t i = 0; i < n && st->durability != STORE_DURABILITY_FULL; i++)
		sync |= units[i]->sync;

	pthread_mutex_lock(&st->write_lock);
	r = check_file_is_ours(st);
	rollback(st); /* nothing, unless an earlier rollback failed */
	if (r == 0 && sync)
		r = sqlite_exec(st->writer, "PRAGMA synchronous = FULL");
	if (r == 0)
		r = apply_group(st, units, n);
	if (sync) /* cannot fail outside of a transaction; and would only be slower */
		(void)sqlite_exec(st->writer, st->durability == STORE_DURABILITY_OFF
						      ? "PRAGMA synchronous = OFF"
						      : "PRAGMA synchronous = NORMAL");
	pthread_mutex_unlock(&st->write_lock);
	return r;
}
