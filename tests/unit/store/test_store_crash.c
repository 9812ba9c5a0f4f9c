/*
 * A process that applies units is killed, at every write in turn and at random moments.
 * It reports through a pipe what was applied; the parent opens the store and looks.
 *
 * Unit n: job n with runs 1 and 2, and the number n in meta. So a store is whole when
 * it holds the jobs 1 .. m, each with two runs, and m in meta; and m is at least what
 * was reported.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"
#include "tests/unit/store/store_fixture.h"

#define GROUP 3 /* units in one apply */

static void make_unit(struct store_op ops[4], uint64_t n)
{
	ops[0] = op_plain_job(n);
	ops[1] = op_run(STORE_RUN_INSERT, fixture_run(n, 1));
	ops[2] = op_run(STORE_RUN_INSERT, fixture_run(n, 2));
	ops[3] = op_meta(STORE_META_SET, "last", (int64_t)n);
}

/* until it is killed; checkpoints now and then */
static void apply_forever(struct store *st, uint64_t next, int report_fd)
{
	struct store_op ops[GROUP][4];
	struct store_unit units[GROUP], *pointers[GROUP];

	for (;; next += GROUP) {
		for (size_t i = 0; i < GROUP; i++) {
			make_unit(ops[i], next + i);
			units[i] = (struct store_unit){.ops = ops[i], .n_ops = 4};
			pointers[i] = &units[i];
		}
		if (store_apply(st, pointers, GROUP) != 0)
			_exit(1);
		for (size_t i = 0; i < GROUP; i++) {
			uint64_t n = next + i;

			if (units[i].error != 0 ||
				write(report_fd, &n, sizeof(n)) != sizeof(n))
				_exit(1);
		}
		if (next % 7 == 0)
			(void)store_checkpoint(st);
	}
}

struct whole {
	uint64_t n_jobs, n_runs;
	int64_t last;
};

static int see_meta(const char *name, int64_t number, void *arg)
{
	((struct whole *)arg)->last = number;
	return 0;
}

static int see_job(const struct store_job *j, void *arg)
{
	struct whole *w = arg;

	ck_assert_uint_eq(j->id, ++w->n_jobs);
	return 0;
}

static int see_run(const struct store_run *r, void *arg)
{
	((struct whole *)arg)->n_runs++;
	return 0;
}

/* how far the store got */
static uint64_t check_whole(struct store *st)
{
	static const struct store_load_ops ops = {
		.meta = see_meta,
		.job = see_job,
	};
	struct whole w = {0};

	ck_assert_int_eq(store_load(st, &ops, &w), 0);
	ck_assert_int_eq(w.last, (int64_t)w.n_jobs);
	for (uint64_t id = 1; id <= w.n_jobs; id++)
		ck_assert_int_eq(store_runs(st, id, see_run, &w), 0);
	ck_assert_uint_eq(w.n_runs, 2 * w.n_jobs);
	ck_assert_uint_eq(w.n_jobs % GROUP, 0); /* a transaction is whole, too */
	return w.n_jobs;
}

/* write_to_die: 0: the parent kills it after n_reports */
static uint64_t run_and_kill(const struct temp_dir *d, enum store_durability durability,
	size_t write_to_die, uint64_t n_reports, unsigned delay_usec)
{
	uint64_t reported = 0, n;
	int fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct store *st;
		uint64_t have;

		close(fds[0]);
		if (write_to_die)
			fail_writes(write_to_die, 0);
		st = open_store(d->fd, durability);
		have = check_whole(st);
		apply_forever(st, have + 1, fds[1]);
	}
	close(fds[1]);
	for (uint64_t i = 0; (write_to_die || i < n_reports) &&
			     read(fds[0], &n, sizeof(n)) == sizeof(n);
		i++)
		reported = n;
	if (!write_to_die) {
		(void)poll(NULL, 0, (int)delay_usec / 1000); /* any moment will do */
		kill(pid, SIGKILL);
	}
	/* what it reported until it died */
	while (read(fds[0], &n, sizeof(n)) == sizeof(n))
		reported = n;
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		"the writer ended by itself: %d", status);
	return reported;
}

static void check_survivors(
	const struct temp_dir *d, enum store_durability durability, uint64_t reported)
{
	struct store *st = open_store(d->fd, durability);

	ck_assert_uint_ge(check_whole(st), reported);
	store_close(st);
}

/* from the first write of a new database on: making tables, commits, checkpoints */
START_TEST(killed_at_any_write_every_reported_unit_is_whole)
{
	for (size_t n = 1; n <= 150; n++) {
		TEMP_DIR(d);
		uint64_t reported = run_and_kill(&d, STORE_DURABILITY_FULL, n, 0, 0);

		check_survivors(&d, STORE_DURABILITY_FULL, reported);
	}
}
END_TEST

static void check_random_kills(enum store_durability durability)
{
	TEMP_DIR(d);
	unsigned seed = 12345;
	uint64_t reported = 0;

	for (int i = 0; i < 30; i++) {
		uint64_t n = run_and_kill(&d, durability, 0,
			(uint64_t)rand_r(&seed) % 20, (unsigned)rand_r(&seed) % 5000);

		if (n)
			reported = n;
		check_survivors(&d, durability, reported);
	}
	ck_assert_uint_gt(reported, 0);
}

START_TEST(killed_at_random_every_reported_unit_is_whole)
{
	check_random_kills(STORE_DURABILITY_FULL);
}
END_TEST

/* the page cache outlives the process: no durability is needed against SIGKILL */
START_TEST(killed_at_random_without_durability_every_reported_unit_is_whole)
{
	check_random_kills(STORE_DURABILITY_OFF);
}
END_TEST

UNIT_MAIN("store_crash", killed_at_any_write_every_reported_unit_is_whole,
	killed_at_random_every_reported_unit_is_whole,
	killed_at_random_without_durability_every_reported_unit_is_whole)
