/* Tables into records. */
#include "config.h"

#include <errno.h>

#include "base/error.h"
#include "base/invariant.h"
#include "store/store_sqlite_priv.h"

/* One row into a record and on to the caller: 0, -RV_ECORRUPT, what the caller said. */
typedef int (*row_fn)(struct row *r, const struct store_load_ops *ops, void *arg);

static int give_meta(struct row *r, const struct store_load_ops *ops, void *arg)
{
	const char *name = row_text(r);
	int64_t number = row_i64(r);

	return r->damaged || !name ? -RV_ECORRUPT : ops->meta(name, number, arg);
}

static int give_env(struct row *r, const struct store_load_ops *ops, void *arg)
{
	struct store_env e;

	e.id = row_u64(r);
	e.data = row_blob(r, &e.len);
	return r->damaged ? -RV_ECORRUPT : ops->env(&e, arg);
}

static int give_key(struct row *r, const struct store_load_ops *ops, void *arg)
{
	struct store_key k;

	k.uid = row_u32(r);
	k.key = row_text(r);
	k.first_id = row_u64(r);
	k.n = row_u32(r);
	k.created_usec = row_i64(r);
	return r->damaged || !k.key ? -RV_ECORRUPT : ops->key(&k, arg);
}

static int give_definition(struct row *r, const struct store_load_ops *ops, void *arg)
{
	struct store_definition d;

	d.kind = row_text(r);
	d.name = row_text(r);
	d.text = row_text(r);
	return r->damaged || !d.kind || !d.name || !d.text ? -RV_ECORRUPT
							   : ops->definition(&d, arg);
}

static int read_job(struct row *r, struct store_job *j)
{
	j->id = row_u64(r);
	j->uid = row_u32(r);
	j->gid = row_u32(r);
	j->state = row_enum(r, JOB_STATE_N);
	j->result = row_enum(r, JOB_RESULT_N);
	j->n_runs = row_u32(r);
	j->n_failed = row_u32(r);
	j->exit_code = row_i32(r);
	j->signal = row_i32(r);
	j->flags = row_u32(r);
	j->submitted_usec = row_i64(r);
	j->started_usec = row_i64(r);
	j->finished_usec = row_i64(r);
	j->due_usec = row_i64(r);
	j->env_id = row_u64(r);
	j->reason = row_text(r);
	j->spec = row_blob(r, &j->spec_len);
	j->place = row_i64(r);
	return r->damaged ? -RV_ECORRUPT : 0;
}

/* the order of RUN_COLUMNS */
static int read_run(struct row *r, struct store_run *run)
{
	run->token.job_id = row_u64(r);
	run->token.run = row_u32(r);
	run->token.epoch = row_u64(r);
	row_text_copy(r, run->boot_id, sizeof(run->boot_id));
	row_text_copy(r, run->spawner_id, sizeof(run->spawner_id));
	run->output = row_text(r);
	run->started_usec = row_i64(r);
	run->ended_usec = row_i64(r);
	run->elapsed_usec = row_i64(r);
	run->pid = row_i32(r);
	run->pid_start = row_u64(r);
	run->end_kind = row_enum(r, RUN_END_FUNCTION + 1);
	run->result = row_enum(r, JOB_RESULT_N);
	run->wait_status = row_i32(r);
	run->error = row_i32(r);
	run->step = row_text(r);
	run->reason = row_text(r);
	run->utime_usec = row_i64(r);
	run->stime_usec = row_i64(r);
	run->max_rss_bytes = row_i64(r);
	run->leftovers = row_u32(r);
	run->value = row_text(r);
	run->ready_usec = row_i64(r);
	return r->damaged ? -RV_ECORRUPT : 0;
}

/* 1: there is a row, 0: it was the last; then the statement is reset */
static int next_row(sqlite3_stmt *stmt)
{
	int r, rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	r = sqlite_error(sqlite3_db_handle(stmt), rc);
	sqlite3_reset(stmt);
	return r;
}

static int load_table(
	sqlite3_stmt *stmt, row_fn give, const struct store_load_ops *ops, void *arg)
{
	int r;

	while ((r = next_row(stmt)) > 0) {
		struct row row = row_new(stmt);

		r = give(&row, ops, arg);
		if (r != 0) {
			sqlite3_reset(stmt);
			break;
		}
	}
	return r;
}

/*
 * Runs are walked beside the jobs, both in order of id. A second walk is one row ahead,
 * so that a run knows whether it is its job's last: no look-up per job.
 */
struct run_walk {
	sqlite3_stmt *stmt, *ahead;
	struct store_run run; /* its strings live until the next step */
	bool here;            /* run holds a row */
	bool is_last;         /* of its job */
};

static int run_walk_next(struct run_walk *w)
{
	struct row row;
	int r;

	w->here = false;
	r = next_row(w->stmt);
	if (r <= 0)
		return r;
	row = row_new(w->stmt);
	r = read_run(&row, &w->run);
	if (r < 0)
		return r;
	w->here = true;
	r = next_row(w->ahead);
	if (r < 0)
		return r;
	w->is_last = r == 0 ||
		     (uint64_t)sqlite3_column_int64(w->ahead, 0) != w->run.token.job_id;
	return 1;
}

static int run_walk_start(struct run_walk *w)
{
	int r = next_row(w->ahead); /* the first row: not ahead of anything */

	return r > 0 ? run_walk_next(w) : r;
}

static int give_runs_of(struct run_walk *w, uint64_t job_id,
	const struct store_load_ops *ops, void *arg)
{
	int r;

	while (w->here && w->run.token.job_id <= job_id) {
		/* the foreign key rules it out: somebody else wrote to this file */
		if (w->run.token.job_id < job_id)
			return -RV_ECORRUPT;
		if (ops->run && (w->is_last || w->run.ended_usec == 0)) {
			r = ops->run(&w->run, arg);
			if (r != 0)
				return r;
		}
		r = run_walk_next(w);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load_jobs(
	struct sqlite_store *st, const struct store_load_ops *ops, void *arg)
{
	struct run_walk walk = {
		.stmt = st->stmt[STMT_LOAD_RUN],
		.ahead = st->stmt[STMT_LOAD_RUN_AHEAD],
	};
	sqlite3_stmt *stmt = st->stmt[STMT_LOAD_JOB];
	int r;

	r = run_walk_start(&walk);
	while (r >= 0 && (r = next_row(stmt)) > 0) {
		struct row row = row_new(stmt);
		struct store_job job;

		r = read_job(&row, &job);
		if (r == 0 && ops->job)
			r = ops->job(&job, arg);
		if (r == 0)
			r = give_runs_of(&walk, job.id, ops, arg);
		if (r != 0)
			break;
	}
	if (r == 0 && walk.here)
		r = -RV_ECORRUPT; /* runs of a job that is not there */
	sqlite3_reset(stmt);
	sqlite3_reset(walk.stmt);
	sqlite3_reset(walk.ahead);
	return r;
}

static int load_all(
	struct sqlite_store *st, const struct store_load_ops *ops, void *arg)
{
	int r = 0;

	if (ops->meta)
		r = load_table(st->stmt[STMT_LOAD_META], give_meta, ops, arg);
	if (r == 0 && ops->definition)
		r = load_table(
			st->stmt[STMT_LOAD_DEFINITION], give_definition, ops, arg);
	if (r == 0 && ops->env)
		r = load_table(st->stmt[STMT_LOAD_ENV], give_env, ops, arg);
	if (r == 0 && ops->key)
		r = load_table(st->stmt[STMT_LOAD_KEY], give_key, ops, arg);
	if (r == 0 && (ops->job || ops->run))
		r = load_jobs(st, ops, arg);
	return r;
}

int sqlite_store_load(void *priv, const struct store_load_ops *ops, void *arg)
{
	struct sqlite_store *st = priv;
	int r;

	pthread_mutex_lock(&st->write_lock);
	/* one transaction, so that all tables are of the same moment */
	r = sqlite_exec(st->writer, "BEGIN");
	if (r == 0) {
		r = load_all(st, ops, arg);
		(void)sqlite_exec(st->writer, "ROLLBACK");
	}
	pthread_mutex_unlock(&st->write_lock);
	return r;
}

/* rows of a bound statement of the reader's; with its lock */
static int each_run(sqlite3_stmt *stmt, store_run_fn fn, void *arg)
{
	int r;

	while ((r = next_row(stmt)) > 0) {
		struct row row = row_new(stmt);
		struct store_run run;

		r = read_run(&row, &run);
		if (r == 0)
			r = fn(&run, arg);
		if (r != 0)
			break;
	}
	sqlite3_reset(stmt);
	return r;
}

int sqlite_store_runs(void *priv, uint64_t job_id, store_run_fn fn, void *arg)
{
	struct sqlite_store *st = priv;
	sqlite3_stmt *stmt = st->stmt[STMT_RUNS];
	struct binder b = binder_new(stmt);
	int r;

	pthread_mutex_lock(st->reader_lock);
	bind_u64(&b, job_id);
	r = sqlite_error(NULL, b.rc);
	if (r == 0)
		r = each_run(stmt, fn, arg);
	pthread_mutex_unlock(st->reader_lock);
	return r;
}

int sqlite_store_outputs(void *priv, store_run_fn fn, void *arg)
{
	struct sqlite_store *st = priv;
	int r;

	pthread_mutex_lock(st->reader_lock);
	r = each_run(st->stmt[STMT_OUTPUTS], fn, arg);
	pthread_mutex_unlock(st->reader_lock);
	return r;
}

int sqlite_store_removed(void *priv, uint64_t job_id, int64_t *ret_usec)
{
	struct sqlite_store *st = priv;
	struct binder b = binder_new(st->stmt[STMT_REMOVED]);
	int r;

	pthread_mutex_lock(st->reader_lock);
	bind_u64(&b, job_id);
	r = binder_run_i64(&b, ret_usec);
	pthread_mutex_unlock(st->reader_lock);
	return r;
}
