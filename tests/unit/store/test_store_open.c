/* Opening: what is given back, what is refused, and that a refused file is untouched.
 */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>

#include "base/error.h"
#include "base/fd.h"
#include "store/schema.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"
#include "tests/unit/store/store_fixture.h"

/* SQL on the file, as another program would */
static void run_sql(const struct temp_dir *d, const char *sql)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/reeve.db", d->path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void make_store(const struct temp_dir *d, uint64_t n_jobs)
{
	struct store *st = open_store(d->fd, STORE_DURABILITY_FULL);

	for (uint64_t id = 1; id <= n_jobs; id++)
		ck_assert_int_eq(APPLY(st, op_plain_job(id)), 0);
	store_close(st);
}

static void expect_refusal_untouched(
	const struct temp_dir *d, int error, const char *text)
{
	uint64_t db = file_hash(d->fd, "reeve.db");
	uint64_t wal = file_hash(d->fd, "reeve.db-wal");

	expect_refusal(d->fd, error, text);
	ck_assert_uint_eq(file_hash(d->fd, "reeve.db"), db);
	ck_assert_uint_eq(file_hash(d->fd, "reeve.db-wal"), wal);
}

static void write_file(const struct temp_dir *d, const void *p, size_t n)
{
	ck_assert_int_eq(file_write_atomic(d->fd, "reeve.db", p, n, 0600), 0);
}

START_TEST(reopening_gives_everything_back)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_FULL);
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct store_job gone = {.id = 2, .finished_usec = 99};
	int64_t when = 0;

	ck_assert_int_eq(
		APPLY(st, op_env(fixture_env), op_job(STORE_JOB_INSERT, fixture_job(1)),
			op_run(STORE_RUN_INSERT, fixture_run(1, 1)), op_plain_job(2),
			op_key(1, "k", 1), op_meta(STORE_META_SET, "next", 17)),
		0);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, gone)), 0);
	before = dump_store(st);
	store_close(st);

	st = open_store(d.fd, STORE_DURABILITY_OFF);
	after = dump_store(st);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(store_removed(st, 2, &when), 1);
	ck_assert_int_eq(when, 99);
	store_close(st);
}
END_TEST

START_TEST(files_are_for_the_owner_only)
{
	TEMP_DIR(d);
	static const char *const names[] = {"reeve.db", "reeve.db-wal", "reeve.db-shm"};
	struct store *st;
	struct stat s;

	umask(0);
	st = open_store(d.fd, STORE_DURABILITY_FULL);
	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(fstatat(d.fd, names[i], &s, 0), 0);
		ck_assert_uint_eq(s.st_mode & 0777, 0600);
	}
	store_close(st);
	ck_assert_int_eq(fchmodat(d.fd, "reeve.db", 0644, 0), 0);
	st = open_store(d.fd, STORE_DURABILITY_FULL);
	ck_assert_int_eq(fstatat(d.fd, "reeve.db", &s, 0), 0);
	ck_assert_uint_eq(s.st_mode & 0777, 0600);
	store_close(st);
}
END_TEST

START_TEST(closing_leaves_the_database_alone)
{
	TEMP_DIR(d);

	make_store(&d, 3);
	ck_assert_int_lt(faccessat(d.fd, "reeve.db-wal", F_OK, 0), 0);
	ck_assert_int_lt(faccessat(d.fd, "reeve.db-shm", F_OK, 0), 0);
}
END_TEST

START_TEST(descriptors_are_closed_on_exec_and_on_close)
{
	TEMP_DIR(d);
	struct store *st;
	int lowest = dup(d.fd), after;

	close(lowest);
	st = open_store(d.fd, STORE_DURABILITY_FULL);
	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	for (int fd = 3; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFD);
		char link[64], target[128];
		ssize_t n;

		if (flags < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, target, sizeof(target) - 1);
		ck_assert_int_gt(n, 0);
		target[n] = '\0';
		if (strstr(target, d.path))
			ck_assert_msg(flags & FD_CLOEXEC, "%s", target);
	}
	store_close(st);
	after = dup(d.fd);
	ck_assert_int_eq(after, lowest);
	close(after);
}
END_TEST

START_TEST(empty_file_becomes_a_store)
{
	TEMP_DIR(d);

	write_file(&d, "", 0);
	make_store(&d, 1);
	ck_assert_uint_ne(file_hash(d.fd, "reeve.db"), 0);
}
END_TEST

START_TEST(database_that_was_made_but_not_filled_becomes_a_store)
{
	TEMP_DIR(d);

	run_sql(&d, "PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t");
	make_store(&d, 1);
}
END_TEST

START_TEST(newer_version_is_refused_untouched)
{
	TEMP_DIR(d);

	make_store(&d, 3);
	run_sql(&d, "PRAGMA user_version = 1000000; CREATE TABLE future (x)");
	expect_refusal_untouched(&d, -RV_EVERSION, "newer reeve");
	/* nothing was put beside it, either */
	ck_assert_int_lt(faccessat(d.fd, "reeve.db-shm", F_OK, 0), 0);
}
END_TEST

START_TEST(newer_version_in_the_log_alone_is_refused_untouched)
{
	TEMP_DIR(d);
	TEMP_DIR(copy);
	char path[128];
	sqlite3 *db;
	static const char *const names[] = {"reeve.db", "reeve.db-wal"};

	make_store(&d, 3);
	snprintf(path, sizeof(path), "%s/reeve.db", d.path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
				 "PRAGMA wal_autocheckpoint = 0;"
				 "PRAGMA user_version = 1000000",
				 NULL, NULL, NULL),
		SQLITE_OK);
	/* as after a crash: the log is there, the header of the file is old */
	for (int i = 0; i < 2; i++) {
		_cleanup_(buf_deinitp) struct buf b = BUF_NULL;

		ck_assert_int_eq(file_read(&b, d.fd, names[i], SIZE_MAX), 0);
		ck_assert_int_eq(file_write_atomic(copy.fd, names[i], buf_head(&b),
					 buf_len(&b), 0600),
			0);
	}
	sqlite3_close(db);
	expect_refusal_untouched(&copy, -RV_EVERSION, "newer reeve");
}
END_TEST

START_TEST(what_is_no_database_is_refused_untouched)
{
	TEMP_DIR(d);
	static char text[5000];

	memset(text, 'x', sizeof(text));
	for (size_t n = 1; n <= sizeof(text); n = n * 3 + 1) {
		write_file(&d, text, n);
		expect_refusal_untouched(&d, -RV_ECORRUPT, "not a database of reeve");
	}
}
END_TEST

START_TEST(database_of_another_program_is_refused_untouched)
{
	TEMP_DIR(d);

	run_sql(&d, "CREATE TABLE job (id); INSERT INTO job VALUES (1)");
	expect_refusal_untouched(&d, -RV_ECORRUPT, "not a database of reeve");
	run_sql(&d, "PRAGMA application_id = 7; PRAGMA user_version = 1000000");
	expect_refusal_untouched(&d, -RV_ECORRUPT, "not a database of reeve");
}
END_TEST

START_TEST(database_without_our_tables_is_refused)
{
	TEMP_DIR(d);

	make_store(&d, 1);
	run_sql(&d, "ALTER TABLE run RENAME COLUMN step TO stair");
	expect_refusal(d.fd, -RV_ECORRUPT, "damaged");
}
END_TEST

START_TEST(truncated_database_is_refused_untouched)
{
	TEMP_DIR(d);
	static const off_t sizes[] = {1, 99, 100, 512, 4096, 8192, 20000};
	int fd;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unlinkat(d.fd, "reeve.db", 0);
		make_store(&d, 500);
		fd = openat(d.fd, "reeve.db", O_RDWR | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(ftruncate(fd, sizes[i]), 0);
		close(fd);
		expect_refusal_untouched(&d, -RV_ECORRUPT, "damaged");
	}
}
END_TEST

static int ignore_job(const struct store_job *j, void *arg)
{
	return 0;
}

static int ignore_run(const struct store_run *r, void *arg)
{
	return 0;
}

/* every page in turn: opening or loading says so, and nothing crashes */
START_TEST(page_of_garbage_is_found_or_was_unused)
{
	TEMP_DIR(d);
	const struct store_load_ops ops = {.job = ignore_job, .run = ignore_run};
	_cleanup_(buf_deinitp) struct buf good = BUF_NULL;
	size_t n_found = 0, n_pages;

	make_store(&d, 300);
	ck_assert_int_eq(file_read(&good, d.fd, "reeve.db", SIZE_MAX), 0);
	n_pages = buf_len(&good) / 4096;
	for (size_t page = 0; page < n_pages; page++) {
		_cleanup_free_ char *bad = malloc(buf_len(&good)), *msg = NULL;
		struct store *st = NULL;
		int r;

		memcpy(bad, buf_head(&good), buf_len(&good));
		/* not the header: that it is not ours is another test */
		memset(bad + page * 4096 + (page ? 0 : 100), 0xa5, page ? 4096 : 3996);
		write_file(&d, bad, buf_len(&good));
		r = store_open_sqlite(&st, d.fd, STORE_DURABILITY_FULL, &msg);
		if (r == 0)
			r = store_load(st, &ops, NULL);
		ck_assert_msg(r == 0 || r == -RV_ECORRUPT, "page %zu: %d", page, r);
		n_found += r != 0;
		store_close(st);
	}
	ck_assert_uint_ge(n_found, n_pages / 2);
}
END_TEST

START_TEST(directory_or_fifo_in_place_of_the_file_is_refused)
{
	TEMP_DIR(d);

	ck_assert_int_eq(mkdirat(d.fd, "reeve.db", 0700), 0);
	expect_refusal(d.fd, -RV_ECORRUPT, "not a regular file");
	ck_assert_int_eq(unlinkat(d.fd, "reeve.db", AT_REMOVEDIR), 0);
	ck_assert_int_eq(mkfifoat(d.fd, "reeve.db", 0600), 0);
	expect_refusal(d.fd, -RV_ECORRUPT, "not a regular file");
}
END_TEST

/* root may read and write everything; false (with a message) when it cannot be left */
static bool drop_root(const struct temp_dir *d)
{
	struct passwd *pw;

	if (geteuid() != 0)
		return true;
	pw = getpwnam("nobody");
	if (!pw || chown(d->path, pw->pw_uid, pw->pw_gid) < 0 ||
		(faccessat(d->fd, "reeve.db", F_OK, 0) == 0 &&
			fchownat(d->fd, "reeve.db", pw->pw_uid, pw->pw_gid, 0) < 0) ||
		seteuid(pw->pw_uid) < 0) {
		printf("skipped: cannot become another user\n");
		return false;
	}
	return true;
}

static void regain_root(void)
{
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

START_TEST(unreadable_file_is_refused_untouched)
{
	TEMP_DIR(d);
	uint64_t before;

	make_store(&d, 1);
	before = file_hash(d.fd, "reeve.db");
	ck_assert_int_eq(fchmodat(d.fd, "reeve.db", 0, 0), 0);
	if (drop_root(&d)) {
		expect_refusal(d.fd, -EACCES, "cannot read");
		ck_assert_int_eq(fchmodat(d.fd, "reeve.db", 0600, 0), 0);
		ck_assert_uint_eq(file_hash(d.fd, "reeve.db"), before);
		/* read-only is not enough, either */
		ck_assert_int_eq(fchmodat(d.fd, "reeve.db", 0400, 0), 0);
		expect_refusal(d.fd, -EACCES, "cannot write");
		ck_assert_uint_eq(file_hash(d.fd, "reeve.db"), before);
	}
	regain_root();
}
END_TEST

START_TEST(read_only_directory_is_refused_untouched)
{
	TEMP_DIR(d);

	make_store(&d, 1);
	if (drop_root(&d)) {
		ck_assert_int_eq(chmod(d.path, 0500), 0);
		expect_refusal_untouched(&d, -EACCES, "cannot write to the directory");
		ck_assert_int_eq(chmod(d.path, 0700), 0);
	}
	regain_root();
}
END_TEST

START_TEST(read_only_file_system_is_refused)
{
	TEMP_DIR(d);
	int fd;

	make_store(&d, 1);
	if (mount(d.path, d.path, NULL, MS_BIND, NULL) < 0 ||
		mount(NULL, d.path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0) {
		printf("skipped: cannot mount (%s)\n", strerror(errno));
		umount(d.path);
		return;
	}
	fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect_refusal(fd, -EROFS, "cannot write to the directory");
	close(fd);
	ck_assert_int_eq(umount(d.path), 0);
}
END_TEST

START_TEST(database_that_another_program_has_locked_is_refused)
{
	TEMP_DIR(d);
	char path[128];
	sqlite3 *db;

	make_store(&d, 1);
	snprintf(path, sizeof(path), "%s/reeve.db", d.path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE",
			NULL, NULL, NULL),
		SQLITE_OK);
	/* The look at the header closes a descriptor of the file, which in this one
	 * process would give up the lock: the store is opened by another. */
	fflush(NULL);
	if (fork() == 0) {
		expect_refusal(d.fd, -EBUSY, "locked by another program");
		_exit(0);
	}
	{
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	sqlite3_close(db);
}
END_TEST

START_TEST(directory_that_was_removed_is_refused)
{
	struct temp_dir d = temp_dir_make();
	_cleanup_free_ char *msg = NULL;
	struct store *st;

	ck_assert_int_eq(rmdir(d.path), 0);
	ck_assert_int_eq(
		store_open_sqlite(&st, d.fd, STORE_DURABILITY_FULL, &msg), -ESTALE);
	ck_assert_ptr_nonnull(strstr(msg, "removed"));
	close(d.fd);
}
END_TEST

START_TEST(path_too_long_for_sqlite_is_refused)
{
	TEMP_DIR(d);
	static char name[256];
	_cleanup_free_ char *msg = NULL;
	struct store *st;
	int fd, below;

	memset(name, 'n', 250);
	fd = d.fd;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(mkdirat(fd, name, 0700), 0);
		below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd != d.fd)
			close(fd);
		fd = below;
	}
	ck_assert_int_eq(
		store_open_sqlite(&st, fd, STORE_DURABILITY_FULL, &msg), -ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(msg, "--state-dir"));
	close(fd);
}
END_TEST

START_TEST(environment_without_job_is_gone_after_reopening)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_FULL);
	_cleanup_free_ char *got = NULL;

	ck_assert_int_eq(APPLY(st, op_env(fixture_env)), 0);
	store_close(st);
	st = open_store(d.fd, STORE_DURABILITY_FULL);
	got = dump_store(st);
	ck_assert_str_eq(got, "");
	store_close(st);
}
END_TEST

START_TEST(tombstones_are_bounded_and_older_ids_still_count_as_removed)
{
	TEMP_DIR(d);
	struct store *st;
	int64_t when = 1;

	make_store(&d, 2);
	run_sql(&d, "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n"
		    " WHERE i < 101002) INSERT INTO tombstone SELECT i, i FROM n");
	st = open_store(d.fd, STORE_DURABILITY_OFF);
	ck_assert_int_eq(APPLY(st, op_plain_job(200000)), 0);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, fixture_job(200000))), 0);
	ck_assert_int_eq(store_removed(st, 3, &when), 1);
	ck_assert_int_eq(when, 0);
	ck_assert_int_eq(store_removed(st, 1003, &when), 1);
	ck_assert_int_eq(when, 0);
	ck_assert_int_eq(store_removed(st, 1004, &when), 1);
	ck_assert_int_eq(when, 1004);
	ck_assert_int_eq(store_removed(st, 2, &when), 0);      /* is a job */
	ck_assert_int_eq(store_removed(st, 150000, &when), 0); /* never was */
	store_close(st);

	st = open_store(d.fd, STORE_DURABILITY_OFF);
	ck_assert_int_eq(store_removed(st, 3, &when), 1);
	ck_assert_int_eq(when, 0);
	store_close(st);
	run_sql(&d, "CREATE TABLE ok (x CHECK (x = 100000));"
		    "INSERT INTO ok SELECT count(*) FROM tombstone");
}
END_TEST

UNIT_MAIN("store_open", reopening_gives_everything_back, files_are_for_the_owner_only,
	closing_leaves_the_database_alone, descriptors_are_closed_on_exec_and_on_close,
	empty_file_becomes_a_store,
	database_that_was_made_but_not_filled_becomes_a_store,
	newer_version_is_refused_untouched,
	newer_version_in_the_log_alone_is_refused_untouched,
	what_is_no_database_is_refused_untouched,
	database_of_another_program_is_refused_untouched,
	database_without_our_tables_is_refused, truncated_database_is_refused_untouched,
	page_of_garbage_is_found_or_was_unused,
	directory_or_fifo_in_place_of_the_file_is_refused,
	unreadable_file_is_refused_untouched, read_only_directory_is_refused_untouched,
	read_only_file_system_is_refused,
	database_that_another_program_has_locked_is_refused,
	directory_that_was_removed_is_refused, path_too_long_for_sqlite_is_refused,
	environment_without_job_is_gone_after_reopening,
	tombstones_are_bounded_and_older_ids_still_count_as_removed)
