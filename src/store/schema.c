#include "config.h"

#include <stdio.h>

#include "base/error.h"
#include "base/macro.h"
#include "store/schema.h"
#include "store/sqlite_util.h"

/*
 * - job: the row id is the job's id, so that new jobs go to the end of the tree and a
 * list in order of id is a walk.
 *   env_id is no foreign key: that would need an index, which makes an insert cost half
 *   as much again. env_refs.h counts instead.
 * - run lies in order of (job, run) itself: one tree, and a job's runs side by side.
 * - tombstone: ids that were given to a job which is gone.
 */
static const char step_1[] =
	"CREATE TABLE meta ("
	" name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE env (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
	"CREATE TABLE job ("
	" id INTEGER PRIMARY KEY, uid INTEGER NOT NULL, gid INTEGER NOT NULL,"
	" state INTEGER NOT NULL, result INTEGER NOT NULL,"
	" n_runs INTEGER NOT NULL, n_failed INTEGER NOT NULL,"
	" exit_code INTEGER NOT NULL, signal INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" submitted_usec INTEGER NOT NULL, started_usec INTEGER NOT NULL,"
	" finished_usec INTEGER NOT NULL, due_usec INTEGER NOT NULL,"
	" env_id INTEGER, reason TEXT, spec BLOB NOT NULL) STRICT;"
	"CREATE TABLE run ("
	" job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,"
	" run INTEGER NOT NULL, epoch INTEGER NOT NULL,"
	" boot_id TEXT NOT NULL, spawner_id TEXT NOT NULL, output TEXT,"
	" started_usec INTEGER NOT NULL, ended_usec INTEGER NOT NULL,"
	" elapsed_usec INTEGER NOT NULL, pid INTEGER NOT NULL,"
	" pid_start INTEGER NOT NULL, end_kind INTEGER NOT NULL,"
	" result INTEGER NOT NULL, wait_status INTEGER NOT NULL,"
	" error INTEGER NOT NULL, step TEXT, reason TEXT,"
	" utime_usec INTEGER NOT NULL, stime_usec INTEGER NOT NULL,"
	" max_rss_bytes INTEGER NOT NULL, leftovers INTEGER NOT NULL, value TEXT,"
	" PRIMARY KEY (job_id, run)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE submit_key ("
	" uid INTEGER NOT NULL, key TEXT NOT NULL, first_id INTEGER NOT NULL,"
	" n INTEGER NOT NULL, created_usec INTEGER NOT NULL,"
	" PRIMARY KEY (uid, key)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE tombstone ("
	" id INTEGER PRIMARY KEY, removed_usec INTEGER NOT NULL) STRICT;";

/*
 * - job.place: 0, or before or behind all jobs that were not moved.
 * - definition: what users define at run time beside the configuration: pools.
 */
static const char step_2[] =
	"ALTER TABLE job ADD COLUMN place INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE definition ("
	" kind TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,"
	" PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;";

/* run.ready_usec: from its start until the service was ready; 0: never */
static const char step_3[] =
	"ALTER TABLE run ADD COLUMN ready_usec INTEGER NOT NULL DEFAULT 0;";

const char *const schema_steps[] = {step_1, step_2, step_3};
const unsigned schema_version = ARRAY_LEN(schema_steps);

int schema_check(sqlite3 *db, unsigned n_known)
{
	int64_t version, application, n_tables;
	int r;

	r = sqlite_query_i64(db, "PRAGMA user_version", &version);
	if (r < 0)
		return r;
	r = sqlite_query_i64(db, "PRAGMA application_id", &application);
	if (r < 0)
		return r;
	if (application == 0 && version == 0) {
		/* made but not filled: we, or another program, were interrupted */
		r = sqlite_query_i64(
			db, "SELECT count(*) FROM sqlite_schema", &n_tables);
		if (r < 0)
			return r;
		return n_tables == 0 ? 0 : -RV_ECORRUPT;
	}
	if (application != SCHEMA_APPLICATION_ID || version < 1)
		return -RV_ECORRUPT;
	if (version > n_known)
		return -RV_EVERSION;
	return (int)version;
}

static int migrate_from(sqlite3 *db, const char *const *steps, unsigned n_steps)
{
	char pragma[100];
	int r, version;

	/* looked at again under the lock: another process may have been quicker */
	version = schema_check(db, n_steps);
	if (version < 0)
		return version;
	for (unsigned i = (unsigned)version; i < n_steps; i++) {
		r = sqlite_exec(db, steps[i]);
		if (r < 0)
			return r;
	}
	snprintf(pragma, sizeof(pragma),
		"PRAGMA application_id = %d; PRAGMA user_version = %u",
		SCHEMA_APPLICATION_ID, n_steps);
	r = sqlite_exec(db, pragma);
	if (r < 0)
		return r;
	return sqlite_exec(db, "COMMIT");
}

int schema_migrate(sqlite3 *db, const char *const *steps, unsigned n_steps)
{
	int r = schema_check(db, n_steps);

	if (r < 0 || (unsigned)r == n_steps)
		return MIN(r, 0);
	r = sqlite_exec(db, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = migrate_from(db, steps, n_steps);
	if (r < 0 && !sqlite3_get_autocommit(db))
		(void)sqlite_exec(db, "ROLLBACK"); /* closing would do it, too */
	return r;
}
