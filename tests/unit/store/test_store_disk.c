/* What gets to the disk and when, what happens when it is full or fails, and threads.
 */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>

#include "base/error.h"
#include "base/fd.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"
#include "tests/unit/store/store_fixture.h"

static size_t syncs_of_apply(struct store *st, uint64_t id, bool sync)
{
	size_t before = n_syncs();

	ck_assert_int_eq(apply_raw(st, op_plain_job(id), sync), 0);
	return n_syncs() - before;
}

START_TEST(full_durability_syncs_every_apply)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_FULL);

	for (uint64_t id = 1; id <= 5; id++)
		ck_assert_uint_ge(syncs_of_apply(st, id, false), 1);
	store_close(st);
}
END_TEST

static void check_syncs_only_where_asked(enum store_durability durability)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, durability);

	ck_assert_uint_eq(syncs_of_apply(st, 1, false), 0);
	ck_assert_uint_ge(syncs_of_apply(st, 2, true), 1);
	ck_assert_uint_eq(syncs_of_apply(st, 3, false), 0);
	ck_assert_uint_ge(syncs_of_apply(st, 4, true), 1);
	store_close(st);
}

START_TEST(normal_durability_syncs_only_where_asked)
{
	check_syncs_only_where_asked(STORE_DURABILITY_NORMAL);
}
END_TEST

START_TEST(no_durability_syncs_only_where_asked)
{
	check_syncs_only_where_asked(STORE_DURABILITY_OFF);
}
END_TEST

START_TEST(group_with_one_sync_unit_is_synced)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_OFF);
	struct store_op a = op_plain_job(1), b = op_plain_job(2), c = op_plain_job(3);
	struct store_unit u[] = {
		{&a, 1, false, 9}, {&b, 1, true, 9}, {&c, 1, false, 9}};
	struct store_unit *units[] = {&u[0], &u[1], &u[2]};
	size_t before = n_syncs();

	ck_assert_int_eq(store_apply(st, units, 3), 0);
	ck_assert_uint_ge(n_syncs(), before + 1);
	store_close(st);
}
END_TEST

START_TEST(checkpoint_and_close_sync_under_every_durability)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_OFF);
	size_t before;

	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), 0);
	before = n_syncs();
	ck_assert_int_eq(store_checkpoint(st), 0);
	ck_assert_uint_ge(n_syncs(), before + 2); /* the log, then the database */
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), 0);
	before = n_syncs();
	store_close(st);
	ck_assert_uint_ge(n_syncs(), before + 2);
}
END_TEST

START_TEST(checkpoint_empties_the_log)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_OFF);
	int64_t before;

	for (uint64_t id = 1; id <= 100; id++)
		ck_assert_int_eq(apply_raw(st, op_plain_job(id), false), 0);
	before = store_wal_bytes(st);
	ck_assert_int_ge(before, 100 * 4096);
	ck_assert_int_eq(store_checkpoint(st), 0);
	ck_assert_int_eq(store_wal_bytes(st), 0);
	ck_assert_int_eq(apply_raw(st, op_plain_job(101), false), 0);
	ck_assert_int_gt(store_wal_bytes(st), 0);
	ck_assert_int_lt(store_wal_bytes(st), before / 2);
	store_close(st);
}
END_TEST

START_TEST(nothing_is_checkpointed_by_itself)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_OFF);
	uint64_t before = file_hash(d.fd, "reeve.db");

	for (uint64_t id = 1; id <= 1500; id++) /* SQLite's own limit is 1000 pages */
		ck_assert_int_eq(apply_raw(st, op_plain_job(id), false), 0);
	ck_assert_uint_eq(file_hash(d.fd, "reeve.db"), before);
	store_close(st);
}
END_TEST

/* -- failures -------------------------------------------------------------------- */

static void check_failing_writes(int e, int expected)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_FULL);
	_cleanup_free_ char *before = NULL, *after = NULL, *reopened = NULL;
	size_t n_failed = 0;

	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	before = dump_store(st);
	for (size_t n = 1;; n++) {
		fail_writes(n, e);
		if (apply_raw(st, op_plain_job(2), false) == 0)
			break;
		n_failed++;
		ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), expected);
		free(after);
		after = dump_store(st); /* reading goes on */
		ck_assert_str_eq(before, after);
	}
	ck_assert_uint_ge(n_failed, 2);
	fail_writes(0, 0);
	ck_assert_uint_eq(count_jobs(st), 2);
	free(after);
	after = dump_store(st);
	store_close(st);
	st = open_store(d.fd, STORE_DURABILITY_FULL);
	reopened = dump_store(st);
	ck_assert_str_eq(after, reopened);
	store_close(st);
}

START_TEST(failed_write_leaves_nothing_and_heals)
{
	check_failing_writes(ENOSPC, -ENOSPC);
	check_failing_writes(EDQUOT, -ENOSPC);
	check_failing_writes(EIO, -EIO);
}
END_TEST

START_TEST(failed_sync_leaves_nothing_and_heals)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_FULL);

	fail_syncs(EIO);
	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), -EIO);
	ck_assert_uint_eq(count_jobs(st), 0);
	fail_syncs(ENOSPC);
	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), -ENOSPC);
	fail_syncs(0);
	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), 0);
	ck_assert_uint_eq(count_jobs(st), 1);
	store_close(st);
}
END_TEST

START_TEST(failed_checkpoint_loses_nothing)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_FULL);

	for (uint64_t id = 1; id <= 50; id++)
		ck_assert_int_eq(apply_raw(st, op_plain_job(id), false), 0);
	fail_writes(1, EIO);
	ck_assert_int_eq(store_checkpoint(st), -EIO);
	store_close(st); /* it fails in there, too */
	fail_writes(0, 0);
	st = open_store(d.fd, STORE_DURABILITY_FULL);
	ck_assert_uint_eq(count_jobs(st), 50);
	ck_assert_int_ge(store_wal_bytes(st), 4096); /* it was left to us */
	ck_assert_int_eq(store_checkpoint(st), 0);
	store_close(st);
}
END_TEST

START_TEST(full_disk_refuses_and_heals)
{
	TEMP_DIR(d);
	_cleanup_free_ char *filler = calloc(1, 65536);
	struct store *st;
	uint64_t id = 1;
	int fd, dir_fd, r;

	if (mount("tmpfs", d.path, "tmpfs", 0, "size=2m") < 0) {
		printf("skipped: cannot mount a tmpfs (%s)\n", strerror(errno));
		return;
	}
	dir_fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	st = open_store(dir_fd, STORE_DURABILITY_FULL);
	ck_assert_int_eq(APPLY(st, op_plain_job(id++)), 0);
	fd = openat(dir_fd, "filler", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	while (write(fd, filler, 65536) > 0)
		;
	/* the room that is left in a page may take some more */
	while ((r = apply_raw(st, op_plain_job(id), false)) == 0)
		id++;
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_int_eq(apply_raw(st, op_plain_job(id), false), -ENOSPC);
	ck_assert_uint_eq(count_jobs(st), id - 1);

	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
	ck_assert_int_eq(APPLY(st, op_plain_job(id)), 0);
	ck_assert_uint_eq(count_jobs(st), id);
	store_close(st);
	st = open_store(dir_fd, STORE_DURABILITY_FULL);
	ck_assert_uint_eq(count_jobs(st), id);
	store_close(st);
	close(dir_fd);
	ck_assert_int_eq(umount(d.path), 0);
}
END_TEST

START_TEST(new_store_on_a_full_disk_is_refused_and_heals)
{
	TEMP_DIR(d);
	_cleanup_free_ char *filler = calloc(1, 65536);
	struct store *st;
	int fd, dir_fd;

	if (mount("tmpfs", d.path, "tmpfs", 0, "size=1m") < 0) {
		printf("skipped: cannot mount a tmpfs (%s)\n", strerror(errno));
		return;
	}
	dir_fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dir_fd, "filler", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	while (write(fd, filler, 65536) > 0)
		;
	while (write(fd, filler, 512) > 0)
		;
	expect_refusal(dir_fd, -ENOSPC, "full");
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
	st = open_store(dir_fd, STORE_DURABILITY_FULL);
	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	store_close(st);
	close(dir_fd);
	ck_assert_int_eq(umount(d.path), 0);
}
END_TEST

START_TEST(foreign_lock_is_waited_for_and_then_reported)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_OFF);
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/reeve.db", d.path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), -EBUSY);
	ck_assert_uint_eq(count_jobs(st), 0);
	ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), 0);
	sqlite3_close(db);
	store_close(st);
}
END_TEST

START_TEST(foreign_reader_is_not_in_the_way)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_OFF);
	char path[128];
	sqlite3 *db;

	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	snprintf(path, sizeof(path), "%s/reeve.db", d.path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN; SELECT * FROM job", NULL, NULL, NULL),
		SQLITE_OK);
	ck_assert_int_eq(APPLY(st, op_plain_job(2)), 0);
	ck_assert_int_eq(store_checkpoint(st), 1); /* not past what it reads */
	ck_assert_int_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(store_checkpoint(st), 0);
	sqlite3_close(db);
	store_close(st);
}
END_TEST

START_TEST(file_that_was_removed_is_noticed)
{
	TEMP_DIR(d);
	struct store *st = open_store(d.fd, STORE_DURABILITY_FULL);

	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	ck_assert_int_eq(renameat(d.fd, "reeve.db", d.fd, "away"), 0);
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), -ESTALE);
	ck_assert_int_eq(file_write_atomic(d.fd, "reeve.db", "", 0, 0600), 0);
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), -ESTALE);
	ck_assert_int_eq(renameat(d.fd, "away", d.fd, "reeve.db"), 0);
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), 0);
	store_close(st);
}
END_TEST

/* -- threads --------------------------------------------------------------------- */

#define N_CYCLES 2000

struct beside {
	struct store *st;
	atomic_bool done;
	atomic_uint n_rounds;
};

static void *checkpoint_all_the_time(void *arg)
{
	struct beside *b = arg;

	while (!atomic_load(&b->done)) {
		int r = store_checkpoint(b->st);

		ck_assert_msg(r == 0 || r == 1, "checkpoint: %d", r);
		ck_assert_int_ge(store_wal_bytes(b->st), 0);
		atomic_fetch_add(&b->n_rounds, 1);
	}
	return NULL;
}

static int check_run(const struct store_run *r, void *arg)
{
	/* both are written by one operation */
	ck_assert_int_eq(r->utime_usec, r->stime_usec);
	++*(int *)arg;
	return 0;
}

static void *read_all_the_time(void *arg)
{
	struct beside *b = arg;
	int64_t when;

	while (!atomic_load(&b->done)) {
		int n = 0;

		ck_assert_int_eq(store_runs(b->st, 1, check_run, &n), 0);
		ck_assert_int_eq(n, 1);
		ck_assert_int_eq(store_removed(b->st, 1, &when), 0);
		atomic_fetch_add(&b->n_rounds, 1);
	}
	return NULL;
}

START_TEST(checkpoints_and_readers_run_beside_apply)
{
	TEMP_DIR(d);
	struct beside b = {.st = open_store(d.fd, STORE_DURABILITY_OFF)};
	struct store_run run = fixture_run(1, 1);
	pthread_t threads[3];

	run.utime_usec = run.stime_usec = 0;
	ck_assert_int_eq(
		APPLY(b.st, op_plain_job(1), op_run(STORE_RUN_INSERT, run)), 0);
	pthread_create(&threads[0], NULL, checkpoint_all_the_time, &b);
	pthread_create(&threads[1], NULL, read_all_the_time, &b);
	pthread_create(&threads[2], NULL, read_all_the_time, &b);
	for (int i = 1; i <= N_CYCLES || atomic_load(&b.n_rounds) < 100; i++) {
		run.utime_usec = run.stime_usec = i;
		ck_assert_int_eq(APPLY(b.st, op_plain_job((uint64_t)i + 1),
					 op_run(STORE_RUN_UPDATE, run)),
			0);
	}
	atomic_store(&b.done, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_ge(count_jobs(b.st), N_CYCLES + 1);
	store_close(b.st);
}
END_TEST

/* -- a log that grows while it is moved ----------------------------------------------- */

#define MIB (1 << 20)

static off_t log_size(int dir_fd)
{
	struct stat s;

	ck_assert_int_eq(fstatat(dir_fd, "reeve.db-wal", &s, 0), 0);
	return s.st_size;
}

/* job 1 over and over: the log gets longer, the database does not */
static void write_one(void *store)
{
	static char spec[200000];
	struct store_job job = {.id = 1, .spec = spec, .spec_len = sizeof(spec)};
	struct store *st = store;

	memset(spec, spec[0] + 1, sizeof(spec));
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_UPDATE, job)), 0);
}

static struct store *store_with_log(int dir_fd, off_t size)
{
	struct store *st = open_store(dir_fd, STORE_DURABILITY_OFF);

	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	while (log_size(dir_fd) < size)
		write_one(st);
	return st;
}

/* a checkpoint that does not see the last of what is there: somebody writes meanwhile */
static int checkpoint_that_is_overtaken(struct store *st)
{
	on_next_sync(write_one, st);
	return store_checkpoint(st);
}

START_TEST(log_begins_anew_while_writers_never_pause)
{
	TEMP_DIR(d);
	struct store *st = store_with_log(d.fd, 40 * MIB);
	off_t before;

	ck_assert_int_eq(checkpoint_that_is_overtaken(st), 0);
	ck_assert_int_eq(store_wal_bytes(st), 0);
	before = log_size(d.fd);
	write_one(st);
	ck_assert_int_eq(log_size(d.fd), 32 * MIB); /* and gives space back */
	/* again and again */
	for (int i = 0; i < 3; i++) {
		while (store_wal_bytes(st) < 20 * MIB)
			write_one(st);
		ck_assert_int_eq(checkpoint_that_is_overtaken(st), 0);
	}
	ck_assert_int_lt(log_size(d.fd), before);
	store_close(st);
}
END_TEST

/* writers do not wait for it: the next checkpoint comes before it is long */
START_TEST(short_log_is_not_caught_up_with)
{
	TEMP_DIR(d);
	struct store *st = store_with_log(d.fd, 8 * MIB);

	ck_assert_int_eq(checkpoint_that_is_overtaken(st), 0);
	ck_assert_int_gt(store_wal_bytes(st), 0);
	ck_assert_int_lt(store_wal_bytes(st), MIB);
	store_close(st);
}
END_TEST

UNIT_MAIN("store_disk", full_durability_syncs_every_apply,
	normal_durability_syncs_only_where_asked, no_durability_syncs_only_where_asked,
	group_with_one_sync_unit_is_synced,
	checkpoint_and_close_sync_under_every_durability, checkpoint_empties_the_log,
	nothing_is_checkpointed_by_itself, failed_write_leaves_nothing_and_heals,
	failed_sync_leaves_nothing_and_heals, failed_checkpoint_loses_nothing,
	full_disk_refuses_and_heals, new_store_on_a_full_disk_is_refused_and_heals,
	foreign_lock_is_waited_for_and_then_reported, foreign_reader_is_not_in_the_way,
	file_that_was_removed_is_noticed, checkpoints_and_readers_run_beside_apply,
	log_begins_anew_while_writers_never_pause, short_log_is_not_caught_up_with)
