/* Migrations: from every version that ever was, all or nothing. */
#include "config.h"

#include "store/schema.h"

#include <sqlite3.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "store/sqlite_util.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"
#include "tests/unit/store/store_fixture.h"

/*
 * Databases as each version of the schema made them, with a job and a run in them.
 * Written down here once, when the version is released, and never changed.
 */
static const char version_1[] =
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
	" id INTEGER PRIMARY KEY, removed_usec INTEGER NOT NULL) STRICT;"
	"INSERT INTO env VALUES (3, x'413d00');"
	"INSERT INTO job VALUES (1, 1000, 1001, 9, 2, 1, 1, 7, 0, 0, 11, 12, 13, 0, 3,"
	" 'why', x'00ff');"
	"INSERT INTO run VALUES (1, 1, 5, 'boot', 'spawner', 'out/1', 12, 13, 1, 99,"
	" 98, 0, 2, 1792, 0, NULL, NULL, 1, 2, 3, 0, NULL);"
	"INSERT INTO submit_key VALUES (1000, 'k', 1, 1, 11);"
	"INSERT INTO meta VALUES ('epoch', 5);"
	"PRAGMA application_id = 1380271446; PRAGMA user_version = 1;";

/* of version 1: what version 2 adds */
static const char version_2[] =
	"ALTER TABLE job ADD COLUMN place INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE definition ("
	" kind TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,"
	" PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;"
	"INSERT INTO definition VALUES ('pool', 'p', 'added = yes');"
	"UPDATE job SET place = -3;"
	"PRAGMA user_version = 2;";

/* of version 2: what version 3 adds */
static const char version_3[] =
	"ALTER TABLE run ADD COLUMN ready_usec INTEGER NOT NULL DEFAULT 0;"
	"UPDATE run SET ready_usec = 9;"
	"PRAGMA user_version = 3;";

/* each is made of all before it */
static const char *const versions[] = {version_1, version_2, version_3};

static void make_version(const struct temp_dir *d, size_t n)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/reeve.db", d->path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite_exec(db, "PRAGMA journal_mode = WAL"), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(sqlite_exec(db, versions[i]), 0);
	sqlite3_close(db);
}

START_TEST(every_version_has_a_builder_here)
{
	ck_assert_uint_eq(ARRAY_LEN(versions), schema_version);
}
END_TEST

START_TEST(every_older_version_is_migrated_and_gives_its_records)
{
	static const char spec[] = "\x00\xff";
	struct store_job job = {.id = 1,
		.uid = 1000,
		.gid = 1001,
		.state = JOB_FINISHED,
		.result = JOB_RESULT_FAILED,
		.n_runs = 1,
		.n_failed = 1,
		.exit_code = 7,
		.submitted_usec = 11,
		.started_usec = 12,
		.finished_usec = 13,
		.env_id = 3,
		.spec = spec,
		.spec_len = 2,
		.reason = "why"};
	struct store_run run = {.token = {1, 1, 5},
		.boot_id = "boot",
		.spawner_id = "spawner",
		.output = "out/1",
		.started_usec = 12,
		.ended_usec = 13,
		.elapsed_usec = 1,
		.pid = 99,
		.pid_start = 98,
		.result = JOB_RESULT_FAILED,
		.wait_status = 1792,
		.utime_usec = 1,
		.stime_usec = 2,
		.max_rss_bytes = 3};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		TEMP_DIR(d);
		_cleanup_(buf_deinitp) struct buf want = BUF_NULL;
		_cleanup_free_ char *got = NULL;
		struct store *st;

		make_version(&d, i + 1);
		st = open_store(d.fd, STORE_DURABILITY_FULL);
		buf_printf(&want, "meta epoch=5\n");
		if (i >= 1) {
			job.place = -3;
			buf_printf(&want, "definition pool p: added = yes\n");
		}
		if (i >= 2)
			run.ready_usec = 9;
		dump_env(&want, &(struct store_env){3, "A=", 3});
		dump_key(&want, &(struct store_key){1000, "k", 1, 1, 11});
		dump_job(&want, &job);
		dump_run(&want, &run);
		buf_append(&want, "", 1);
		got = dump_store(st);
		ck_assert_str_eq(got, buf_head(&want));
		ck_assert_int_eq(APPLY(st, op_plain_job(2)), 0);
		store_close(st);
	}
}
END_TEST

static int64_t number_of(sqlite3 *db, const char *sql)
{
	int64_t n = -1;

	ck_assert_int_eq(sqlite_query_i64(db, sql, &n), 0);
	return n;
}

START_TEST(only_missing_steps_run)
{
	static const char *const steps[] = {
		"CREATE TABLE a (x); INSERT INTO a VALUES (1)",
		"INSERT INTO a VALUES (2)", "INSERT INTO a VALUES (3)"};
	_cleanup_(sqlite_closep) sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(schema_migrate(db, steps, 2), 0);
	ck_assert_int_eq(schema_check(db, 3), 2);
	ck_assert_int_eq(number_of(db, "SELECT sum(x) FROM a"), 3);
	ck_assert_int_eq(schema_migrate(db, steps, 3), 0);
	ck_assert_int_eq(schema_check(db, 3), 3);
	ck_assert_int_eq(number_of(db, "SELECT sum(x) FROM a"), 6);
	ck_assert_int_eq(schema_migrate(db, steps, 3), 0);
	ck_assert_int_eq(number_of(db, "SELECT sum(x) FROM a"), 6);
}
END_TEST

START_TEST(step_that_fails_undoes_those_before_it)
{
	static const char *const good[] = {"CREATE TABLE a (x UNIQUE)"};
	static const char *const bad[] = {"SELECT 1", "INSERT INTO a VALUES (1)",
		"INSERT INTO a VALUES (2); INSERT INTO a VALUES (1)"};
	_cleanup_(sqlite_closep) sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(schema_migrate(db, good, 1), 0);
	ck_assert_int_eq(schema_migrate(db, bad, 3), -EEXIST);
	ck_assert_int_eq(schema_check(db, 3), 1);
	ck_assert_int_eq(number_of(db, "SELECT count(*) FROM a"), 0);
	ck_assert_int_eq(sqlite3_get_autocommit(db), 1);
}
END_TEST

START_TEST(more_steps_than_known_is_a_newer_version)
{
	static const char *const steps[] = {"CREATE TABLE a (x)", "SELECT 1"};
	_cleanup_(sqlite_closep) sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(schema_migrate(db, steps, 2), 0);
	ck_assert_int_eq(schema_check(db, 1), -RV_EVERSION);
	ck_assert_int_eq(schema_migrate(db, steps, 1), -RV_EVERSION);
}
END_TEST

UNIT_MAIN("schema", every_version_has_a_builder_here,
	every_older_version_is_migrated_and_gives_its_records, only_missing_steps_run,
	step_that_fails_undoes_those_before_it,
	more_steps_than_known_is_a_newer_version)
