/* Single operations: records into tables. */
#include "config.h"

#include <errno.h>

#include "base/error.h"
#include "base/invariant.h"
#include "store/store_sqlite_priv.h"

/* row ids of SQLite are signed */
static bool id_is_valid(uint64_t id)
{
	return id > 0 && id <= INT64_MAX;
}

static struct binder stmt_binder(struct sqlite_store *st, enum store_stmt i)
{
	return binder_new(st->stmt[i]);
}

/* runs an update or delete that must hit something */
static int run_on_one(struct sqlite_store *st, struct binder *b)
{
	int r = binder_run(b);

	if (r < 0)
		return r;
	return sqlite3_changes(st->writer) > 0 ? 0 : -ENOENT;
}

static int env_remove(struct sqlite_store *st, uint64_t env_id)
{
	struct binder b = stmt_binder(st, STMT_ENV_REMOVE);

	bind_u64(&b, env_id);
	return binder_run(&b);
}

/* a job has it from now on; 0: none */
static int env_acquire(struct sqlite_store *st, uint64_t env_id)
{
	return env_id ? env_refs_acquire(&st->env_refs, env_id) : 0;
}

static int env_release(struct sqlite_store *st, uint64_t env_id)
{
	int r = env_id ? env_refs_release(&st->env_refs, env_id) : 0;

	return r > 0 ? env_remove(st, env_id) : r;
}

/* the part of a job that changes: first in JOB_INSERT and JOB_UPDATE */
static void bind_job_progress(struct binder *b, const struct store_job *j)
{
	bind_i64(b, j->state);
	bind_i64(b, j->result);
	bind_i64(b, j->n_runs);
	bind_i64(b, j->n_failed);
	bind_i64(b, j->exit_code);
	bind_i64(b, j->signal);
	bind_i64(b, j->flags);
	bind_i64(b, j->started_usec);
	bind_i64(b, j->finished_usec);
	bind_i64(b, j->due_usec);
	bind_text(b, j->reason);
	bind_i64(b, j->place);
	bind_u64(b, j->id);
	bind_id_or_null(b, j->env_id);
}

static int job_insert(struct sqlite_store *st, const struct store_job *j)
{
	struct binder b = stmt_binder(st, STMT_JOB_INSERT);
	int r;

	if (!id_is_valid(j->id) || !j->spec)
		return -EINVAL;
	r = env_acquire(st, j->env_id);
	if (r < 0)
		return r;
	bind_job_progress(&b, j);
	bind_i64(&b, j->uid);
	bind_i64(&b, j->gid);
	bind_i64(&b, j->submitted_usec);
	bind_blob(&b, j->spec, j->spec_len);
	return binder_run(&b);
}

static int job_change_env(struct sqlite_store *st, const struct store_job *j)
{
	struct binder b = stmt_binder(st, STMT_JOB_ENV);
	int64_t old = 0;
	int r;

	bind_u64(&b, j->id);
	r = binder_run_i64(&b, &old);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = env_acquire(st, j->env_id);
	if (r < 0)
		return r;
	b = stmt_binder(st, STMT_JOB_SET_ENV);
	bind_id_or_null(&b, j->env_id);
	bind_u64(&b, j->id);
	r = run_on_one(st, &b);
	if (r < 0)
		return r;
	return env_release(st, (uint64_t)old);
}

static int job_update_progress(struct sqlite_store *st, const struct store_job *j)
{
	struct binder b = stmt_binder(st, STMT_JOB_UPDATE);

	bind_job_progress(&b, j);
	return run_on_one(st, &b);
}

static int job_update(struct sqlite_store *st, const struct store_job *j)
{
	struct binder b;
	int r;

	if (!id_is_valid(j->id))
		return -EINVAL;
	r = job_update_progress(st, j);
	if (r == -ENOENT) { /* no such job, or its environment is another one now */
		r = job_change_env(st, j);
		if (r == 0)
			r = job_update_progress(st, j);
	}
	if (r < 0 || !j->spec)
		return r;
	b = stmt_binder(st, STMT_JOB_SET_SPEC);
	bind_blob(&b, j->spec, j->spec_len);
	bind_u64(&b, j->id);
	return run_on_one(st, &b);
}

static int job_remove(struct sqlite_store *st, const struct store_job *j)
{
	struct binder b = stmt_binder(st, STMT_JOB_REMOVE);
	int64_t env_id = 0;
	int r;

	bind_u64(&b, j->id);
	r = binder_run_i64(&b, &env_id); /* its runs go by the foreign key */
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = env_release(st, (uint64_t)env_id);
	if (r < 0)
		return r;
	b = stmt_binder(st, STMT_TOMBSTONE_INSERT);
	bind_u64(&b, j->id);
	bind_i64(&b, j->finished_usec);
	r = binder_run(&b);
	if (r == 0)
		st->n_tombstones++;
	return r;
}

static int run_write(
	struct sqlite_store *st, enum store_stmt stmt, const struct store_run *run)
{
	struct binder b = stmt_binder(st, stmt);

	if (!id_is_valid(run->token.job_id))
		return -EINVAL;
	bind_text(&b, run->boot_id);
	bind_text(&b, run->spawner_id);
	bind_text(&b, run->output);
	bind_i64(&b, run->started_usec);
	bind_i64(&b, run->ended_usec);
	bind_i64(&b, run->elapsed_usec);
	bind_i64(&b, run->pid);
	bind_u64(&b, run->pid_start);
	bind_i64(&b, run->end_kind);
	bind_i64(&b, run->result);
	bind_i64(&b, run->wait_status);
	bind_i64(&b, run->error);
	bind_text(&b, run->step);
	bind_text(&b, run->reason);
	bind_i64(&b, run->utime_usec);
	bind_i64(&b, run->stime_usec);
	bind_i64(&b, run->max_rss_bytes);
	bind_i64(&b, run->leftovers);
	bind_text(&b, run->value);
	bind_i64(&b, run->ready_usec);
	bind_u64(&b, run->token.job_id);
	bind_i64(&b, run->token.run);
	bind_u64(&b, run->token.epoch);
	return run_on_one(st, &b);
}

static int runs_forget(struct sqlite_store *st, const struct run_token *before)
{
	struct binder b = stmt_binder(st, STMT_RUNS_FORGET);

	if (!id_is_valid(before->job_id))
		return -EINVAL;
	bind_u64(&b, before->job_id);
	bind_i64(&b, before->run);
	return binder_run(&b);
}

static int env_insert(struct sqlite_store *st, const struct store_env *e)
{
	struct binder b = stmt_binder(st, STMT_ENV_INSERT);
	int r;

	if (!id_is_valid(e->id) || !e->data)
		return -EINVAL;
	r = env_refs_insert(&st->env_refs, e->id);
	if (r < 0)
		return r == -EEXIST ? 0 : r;
	bind_u64(&b, e->id);
	bind_blob(&b, e->data, e->len);
	return binder_run(&b);
}

static int key_insert(struct sqlite_store *st, const struct store_key *k)
{
	struct binder b = stmt_binder(st, STMT_KEY_INSERT);
	int r;

	if (!k->key || !id_is_valid(k->first_id))
		return -EINVAL;
	bind_i64(&b, k->uid);
	bind_text(&b, k->key);
	bind_u64(&b, k->first_id);
	bind_i64(&b, k->n);
	bind_i64(&b, k->created_usec);
	r = binder_run(&b);
	return r == -EEXIST ? -RV_EDUPLICATE : r;
}

static int meta_set(struct sqlite_store *st, const char *name, int64_t number)
{
	struct binder b = stmt_binder(st, STMT_META_SET);

	if (!name || !*name || *name == '.') /* a dot: the store's own */
		return -EINVAL;
	bind_text(&b, name);
	bind_i64(&b, number);
	return binder_run(&b);
}

static int definition_set(struct sqlite_store *st, const struct store_definition *d)
{
	struct binder b = stmt_binder(st, STMT_DEFINITION_SET);

	if (!d->kind || !d->name || !d->text)
		return -EINVAL;
	bind_text(&b, d->kind);
	bind_text(&b, d->name);
	bind_text(&b, d->text);
	return binder_run(&b);
}

static int definition_remove(struct sqlite_store *st, const struct store_definition *d)
{
	struct binder b = stmt_binder(st, STMT_DEFINITION_REMOVE);

	if (!d->kind || !d->name)
		return -EINVAL;
	bind_text(&b, d->kind);
	bind_text(&b, d->name);
	return binder_run(&b);
}

static int keys_expire(struct sqlite_store *st, int64_t before_usec)
{
	struct binder b = stmt_binder(st, STMT_KEYS_EXPIRE);

	bind_i64(&b, before_usec);
	return binder_run(&b);
}

int sqlite_store_op(struct sqlite_store *st, const struct store_op *op)
{
	switch (op->kind) {
	case STORE_JOB_INSERT: return job_insert(st, &op->job);
	case STORE_JOB_UPDATE: return job_update(st, &op->job);
	case STORE_JOB_REMOVE: return job_remove(st, &op->job);
	case STORE_RUN_INSERT: return run_write(st, STMT_RUN_INSERT, &op->run);
	case STORE_RUN_UPDATE: return run_write(st, STMT_RUN_UPDATE, &op->run);
	case STORE_RUNS_FORGET: return runs_forget(st, &op->run.token);
	case STORE_ENV_INSERT: return env_insert(st, &op->env);
	case STORE_KEY_INSERT: return key_insert(st, &op->key);
	case STORE_KEYS_EXPIRE: return keys_expire(st, op->meta.number);
	case STORE_DEFINITION_SET: return definition_set(st, &op->definition);
	case STORE_DEFINITION_REMOVE: return definition_remove(st, &op->definition);
	case STORE_META_SET: return meta_set(st, op->meta.name, op->meta.number);
	}
	return -EINVAL;
}

/* calls fn with the number in each row */
static int for_each_id(struct sqlite_store *st, enum store_stmt i,
	int (*fn)(struct env_refs *e, uint64_t id))
{
	sqlite3_stmt *stmt = st->stmt[i];
	int rc, r = 0;

	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = fn(&st->env_refs, (uint64_t)sqlite3_column_int64(stmt, 0));
	if (r == 0)
		r = sqlite_error(st->writer, rc);
	sqlite3_reset(stmt);
	return r;
}

int sqlite_store_count_envs(struct sqlite_store *st)
{
	int r;

	r = for_each_id(st, STMT_COUNT_ENV, env_refs_insert);
	if (r == 0)
		r = for_each_id(st, STMT_COUNT_ENV_USE, env_refs_acquire);
	env_refs_commit(&st->env_refs);
	/* a job without its environment: somebody else wrote to this file */
	return r == -ENOENT || r == -EEXIST ? -RV_ECORRUPT : r;
}

int sqlite_store_remove_unused_envs(struct sqlite_store *st)
{
	uint64_t id;
	size_t it = 0;
	int r;

	while ((r = env_refs_take_unused(&st->env_refs, &it, &id)) > 0) {
		r = env_remove(st, id);
		if (r < 0)
			break;
	}
	env_refs_commit(&st->env_refs);
	return r;
}

int sqlite_store_trim_tombstones(struct sqlite_store *st)
{
	struct binder b = stmt_binder(st, STMT_TOMBSTONE_EDGE);
	int64_t edge;
	int r;

	if (st->n_tombstones <= TOMBSTONES_MAX + TOMBSTONES_SLACK)
		return 0;
	bind_i64(&b, TOMBSTONES_MAX);
	r = binder_run_i64(&b, &edge);
	if (r <= 0)
		return r;
	b = stmt_binder(st, STMT_TOMBSTONE_TRIM);
	bind_i64(&b, edge);
	r = binder_run(&b);
	if (r < 0)
		return r;
	b = stmt_binder(st, STMT_TOMBSTONE_MARK);
	bind_i64(&b, edge);
	r = binder_run(&b);
	if (r == 0)
		st->n_tombstones = TOMBSTONES_MAX;
	return r;
}
