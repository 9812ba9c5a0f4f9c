/*
 * The store against a bare loop over SQLite that writes the same values into the same
 * columns, without index on the environment, foreign keys, and checks. Both take turns
 * in every round, in a new directory each; figures are median (minimum .. maximum) over
 * the rounds, and the ratio is that of the two in the same round: 1.00 is as fast as
 * the bare loop.
 *
 *   bench_store [JOBS [ROUNDS [DIRECTORY]]]       (100000, 5, /var/tmp)
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "store/store.h"

#define UNITS      64 /* in one transaction */
#define MAX_ROUNDS 99

static const char spec[60] =
	"as long as a packed spec of a short command is"; /* + NUL */
static uint64_t n_jobs = 100000;

static void die(const char *what, int r)
{
	fprintf(stderr, "bench_store: %s: %s\n", what, rv_strerror(r));
	exit(1);
}

static void check(const char *what, int r)
{
	if (r < 0)
		die(what, r);
}

static struct store_job job_of(uint64_t id, enum job_state state)
{
	return (struct store_job){
		.id = id,
		.uid = 1000,
		.gid = 1000,
		.state = state,
		.exit_code = -1,
		.submitted_usec = INT64_C(1700000000000000),
		.env_id = 1,
		.spec = spec,
		.spec_len = sizeof(spec),
	};
}

static struct store_run run_of(uint64_t job_id)
{
	return (struct store_run){
		.token = {job_id, 1, 7},
		.boot_id = "0123456789abcdef0123456789abcdef",
		.spawner_id = "fedcba9876543210fedcba9876543210",
		.output = "output/00/12345.1",
		.started_usec = INT64_C(1700000000000000),
		.pid = 12345,
		.pid_start = 123456789,
	};
}

/* -- the store ------------------------------------------------------------------- */

struct group {
	struct store_op ops[UNITS][2];
	struct store_unit units[UNITS], *pointers[UNITS];
};

static void apply_group(struct store *st, struct group *g, size_t n)
{
	check("apply", store_apply(st, g->pointers, n));
	for (size_t i = 0; i < n; i++)
		check("unit", g->units[i].error);
}

static void fill_unit(
	struct group *g, size_t i, size_t n_ops, struct store_op a, struct store_op b)
{
	g->ops[i][0] = a;
	g->ops[i][1] = b;
	g->units[i] = (struct store_unit){.ops = g->ops[i], .n_ops = n_ops};
	g->pointers[i] = &g->units[i];
}

enum step { INSERT, START, END, REMOVE };

static void store_step(struct store *st, enum step step)
{
	static struct group g;
	size_t n = 0;

	for (uint64_t id = 1; id <= n_jobs; id++) {
		struct store_op job = {.kind = STORE_JOB_UPDATE}, run = {0};
		size_t n_ops = 2;

		switch (step) {
		case INSERT:
			job.kind = STORE_JOB_INSERT;
			job.job = job_of(id, JOB_QUEUED);
			n_ops = 1;
			break;
		case START:
			job.job = job_of(id, JOB_STARTING);
			job.job.spec = NULL;
			run.kind = STORE_RUN_INSERT;
			run.run = run_of(id);
			break;
		case END:
			job.job = job_of(id, JOB_FINISHED);
			job.job.spec = NULL;
			run.kind = STORE_RUN_UPDATE;
			run.run = run_of(id);
			run.run.ended_usec = run.run.started_usec + 1000;
			break;
		case REMOVE:
			job.kind = STORE_JOB_REMOVE;
			job.job = job_of(id, JOB_FINISHED);
			n_ops = 1;
			break;
		}
		fill_unit(&g, n++, n_ops, job, run);
		if (n == UNITS || id == n_jobs) {
			apply_group(st, &g, n);
			n = 0;
		}
	}
}

/* one unit of each group is refused, so all groups run twice, with savepoints */
static void store_insert_with_refusals(struct store *st, uint64_t first_id)
{
	static struct group g;
	size_t n = 0;

	for (uint64_t id = first_id; id < first_id + n_jobs; id++) {
		struct store_op op = {
			.kind = STORE_JOB_INSERT, .job = job_of(id, JOB_QUEUED)};

		if (n == UNITS / 2)
			op.job.id = first_id - 1; /* is there */
		fill_unit(&g, n++, 1, op, (struct store_op){0});
		if (n == UNITS) {
			check("apply", store_apply(st, g.pointers, n));
			n = 0;
		}
	}
}

static int count_job(const struct store_job *j, void *arg)
{
	*(uint64_t *)arg += j->id > 0;
	return 0;
}

static int count_run(const struct store_run *r, void *arg)
{
	return 0;
}

/* -- bare SQLite ----------------------------------------------------------------- */

struct bare {
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *insert, *update, *insert_run, *update_run;
};

static void prepare(struct bare *b, sqlite3_stmt **ret, const char *sql)
{
	if (sqlite3_prepare_v2(b->db, sql, -1, ret, NULL) != SQLITE_OK) {
		fprintf(stderr, "bench_store: %s: %s\n", sql, sqlite3_errmsg(b->db));
		exit(1);
	}
}

static void bare_open(struct bare *b, const char *dir, const char *synchronous)
{
	char path[256], sql[256];

	snprintf(path, sizeof(path), "%s/bare.db", dir);
	snprintf(sql, sizeof(sql),
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = %s;"
		"PRAGMA wal_autocheckpoint = 0",
		synchronous);
	if (sqlite3_open(path, &b->db) != SQLITE_OK ||
		sqlite3_exec(b->db, sql, NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_exec(b->db,
			"CREATE TABLE job (id INTEGER PRIMARY KEY, uid, gid, state,"
			" result, n_runs, n_failed, exit_code, signal, flags,"
			" submitted, started, finished, due, env_id, reason, spec);"
			"CREATE TABLE run (job_id, run, epoch, boot_id, spawner_id,"
			" output, started, ended, elapsed, pid, pid_start, kind,"
			" result, status, error, step, reason, utime, stime, rss,"
			" leftovers, value, PRIMARY KEY (job_id, run)) WITHOUT ROWID",
			NULL, NULL, NULL) != SQLITE_OK)
		die("bare SQLite", -EIO);
	prepare(b, &b->begin, "BEGIN");
	prepare(b, &b->commit, "COMMIT");
	prepare(b, &b->insert,
		"INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		"?,"
		" ?)");
	prepare(b, &b->update,
		"UPDATE job SET state = ?, result = ?, n_runs = ?, n_failed = ?,"
		" exit_code = ?, signal = ?, flags = ?, started = ?, finished = ?,"
		" due = ?, reason = ? WHERE id = ?");
	prepare(b, &b->insert_run,
		"INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		"?,"
		" ?, ?, ?, ?, ?, ?)");
	prepare(b, &b->update_run,
		"UPDATE run SET boot_id = ?, spawner_id = ?, output = ?, started = ?,"
		" ended = ?, elapsed = ?, pid = ?, pid_start = ?, kind = ?, result = ?,"
		" status = ?, error = ?, step = ?, reason = ?, utime = ?, stime = ?,"
		" rss = ?, leftovers = ?, value = ? WHERE job_id = ? AND run = ?");
}

static void bare_close(struct bare *b)
{
	sqlite3_stmt *all[] = {b->begin, b->commit, b->insert, b->update, b->insert_run,
		b->update_run};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		sqlite3_finalize(all[i]);
	sqlite3_close(b->db);
}

static void bare_run(sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE || sqlite3_reset(stmt) != SQLITE_OK)
		die("bare SQLite", -EIO);
}

/* 'i' a number, 't' the next text, 'n' null, 'b' the spec */
static void bare_bind(sqlite3_stmt *stmt, const char *kinds, const int64_t *numbers,
	const char *const *texts)
{
	for (int i = 1; *kinds; i++, kinds++) {
		switch (*kinds) {
		case 'i': sqlite3_bind_int64(stmt, i, *numbers++); break;
		case 't':
			sqlite3_bind_text(stmt, i, *texts++, -1, SQLITE_STATIC);
			break;
		case 'b':
			sqlite3_bind_blob(stmt, i, spec, sizeof(spec), SQLITE_STATIC);
			break;
		default: sqlite3_bind_null(stmt, i); break;
		}
	}
}

static void bare_update_job(struct bare *b, int64_t id, enum job_state state)
{
	const int64_t n[] = {state, 0, 0, 0, -1, 0, 0, 0, 0, 0, id};

	bare_bind(b->update, "iiiiiiiiiini", n, NULL);
	bare_run(b->update);
}

static void bare_one(struct bare *b, enum step step, int64_t id)
{
	const int64_t time = INT64_C(1700000000000000), start = 123456789;
	const struct store_run run = run_of((uint64_t)id);
	const char *const texts[] = {run.boot_id, run.spawner_id, run.output};

	if (step == INSERT) {
		const int64_t n[] = {id, 1000, 1000, JOB_QUEUED, 0, 0, 0, -1, 0, 0,
			time, 0, 0, 0, 1};

		bare_bind(b->insert, "iiiiiiiiiiiiiiinb", n, NULL);
		bare_run(b->insert);
	} else if (step == START) {
		const int64_t n[] = {
			id, 1, 7, time, 0, 0, 12345, start, 0, 0, 0, 0, 0, 0, 0, 0};

		bare_update_job(b, id, JOB_STARTING);
		bare_bind(b->insert_run, "iiitttiiiiiiiiinniiiin", n, texts);
		bare_run(b->insert_run);
	} else {
		const int64_t n[] = {time, time + 1000, 0, 12345, start, 0, 0, 0, 0, 0,
			0, 0, 0, id, 1};

		bare_update_job(b, id, JOB_FINISHED);
		bare_bind(b->update_run, "tttiiiiiiiiinniiiinii", n, texts);
		bare_run(b->update_run);
	}
}

static void bare_step(struct bare *b, enum step step)
{
	for (uint64_t id = 1; id <= n_jobs; id++) {
		if (id % UNITS == 1)
			bare_run(b->begin);
		bare_one(b, step, (int64_t)id);
		if (id % UNITS == 0 || id == n_jobs)
			bare_run(b->commit);
	}
}

/* -- measuring ------------------------------------------------------------------- */

struct series {
	double rate[MAX_ROUNDS], ratio[MAX_ROUNDS];
	bool has_ratio;
};

enum { M_INSERT, M_CYCLE, M_REFUSALS, M_LOAD, M_REMOVE, M_N };
static const char *const measure_name[M_N] = {
	[M_INSERT] = "insert, jobs/s",
	[M_CYCLE] = "start and end, cycles/s",
	[M_REFUSALS] = "insert, one of 64 refused, jobs/s",
	[M_LOAD] = "load jobs with runs, jobs/s",
	[M_REMOVE] = "remove, jobs/s",
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const char *name, const char *durability, struct series *s, int n)
{
	qsort(s->rate, (size_t)n, sizeof(double), compare);
	printf("%-36s %-5s %9.0f (%.0f .. %.0f)", name, durability, s->rate[n / 2],
		s->rate[0], s->rate[n - 1]);
	if (s->has_ratio) {
		qsort(s->ratio, (size_t)n, sizeof(double), compare);
		printf("  ratio %.2f (%.2f .. %.2f)", s->ratio[n / 2], s->ratio[0],
			s->ratio[n - 1]);
	}
	printf("\n");
}

static double seconds_since(rv_time start)
{
	return (double)(rv_now() - start) / 1e9;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
	return remove(path);
}

/* seconds of INSERT, and of START and END together */
static void round_of_bare(const char *dir, const char *synchronous, double seconds[2])
{
	struct bare b;
	rv_time start;

	bare_open(&b, dir, synchronous);
	start = rv_now();
	bare_step(&b, INSERT);
	seconds[0] = seconds_since(start);
	start = rv_now();
	bare_step(&b, START);
	bare_step(&b, END);
	seconds[1] = seconds_since(start);
	bare_close(&b);
}

static void round_of_store(
	const char *dir, enum store_durability durability, double seconds[M_N])
{
	const struct store_load_ops load = {.job = count_job, .run = count_run};
	struct store_op env = {.kind = STORE_ENV_INSERT, .env = {1, "A=1", 4}};
	struct store_unit unit = {.ops = &env, .n_ops = 1}, *pu = &unit;
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct store *st;
	uint64_t n_seen = 0;
	rv_time start;

	check("open", store_open_sqlite(&st, fd, durability, NULL));
	check("apply", store_apply(st, &pu, 1));
	start = rv_now();
	store_step(st, INSERT);
	seconds[M_INSERT] = seconds_since(start);
	start = rv_now();
	store_step(st, START);
	store_step(st, END);
	seconds[M_CYCLE] = seconds_since(start);
	store_close(st);
	check("open", store_open_sqlite(&st, fd, durability, NULL));
	start = rv_now();
	check("load", store_load(st, &load, &n_seen));
	seconds[M_LOAD] = seconds_since(start);
	if (n_seen != n_jobs)
		die("load", -RV_ECORRUPT);
	start = rv_now();
	store_insert_with_refusals(st, n_jobs + 1);
	seconds[M_REFUSALS] = seconds_since(start);
	start = rv_now();
	store_step(st, REMOVE);
	seconds[M_REMOVE] = seconds_since(start);
	store_close(st);
}

static void bench(enum store_durability durability, const char *name, int n_rounds,
	const char *parent)
{
	static struct series series[M_N];

	for (int i = 0; i < n_rounds; i++) {
		char dir[200];
		double bare[2], own[M_N];

		snprintf(dir, sizeof(dir), "%s/bench-store-XXXXXX", parent);
		if (!mkdtemp(dir))
			die(dir, -errno);
		if (i % 2)
			round_of_bare(dir, name, bare);
		round_of_store(dir, durability, own);
		if (i % 2 == 0)
			round_of_bare(dir, name, bare);
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		for (int m = 0; m < M_N; m++)
			series[m].rate[i] = (double)n_jobs / own[m];
		for (int m = 0; m < 2; m++)
			series[m].ratio[i] = bare[m] / own[m];
	}
	series[M_INSERT].has_ratio = series[M_CYCLE].has_ratio = true;
	for (int m = 0; m < M_N; m++)
		report(measure_name[m], name, &series[m], n_rounds);
}

int main(int argc, char **argv)
{
	int n_rounds = argc > 2 ? atoi(argv[2]) : 5;
	const char *dir = argc > 3 ? argv[3] : "/var/tmp";

	if (argc > 1)
		n_jobs = strtoull(argv[1], NULL, 10);
	if (n_jobs == 0 || n_rounds < 1 || n_rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: bench_store [JOBS [ROUNDS [DIRECTORY]]]\n");
		return 2;
	}
	printf("%" PRIu64 " jobs, %d units in a transaction, %d rounds\n", n_jobs,
		UNITS, n_rounds);
	bench(STORE_DURABILITY_OFF, "off", n_rounds, dir);
	bench(STORE_DURABILITY_FULL, "full", n_rounds, dir);
	return 0;
}
