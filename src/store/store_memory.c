#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "store/store_memory.h"
#include "store/store_sqlite_priv.h"

struct memory_store {
	struct sqlite_store *db;
	size_t fail_after, n_fail;
	int fail_error;
	store_unit_filter_fn filter;
	void *filter_arg;
	size_t n_applied;
};

/* Give on the units that the filter lets pass. */
static int apply_filtered(struct memory_store *m, struct store_unit **units, size_t n)
{
	_cleanup_free_ struct store_unit **passed = calloc(n, sizeof(*passed));
	size_t n_passed = 0;
	int r;

	if (!passed)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = m->filter(units[i], m->filter_arg);
		units[i]->error = r;
		if (r == 0)
			passed[n_passed++] = units[i];
	}
	return sqlite_store_apply(m->db, passed, n_passed);
}

static int memory_apply(void *priv, struct store_unit **units, size_t n)
{
	struct memory_store *m = priv;
	int r;

	if (m->n_fail > 0 && m->fail_after == 0) {
		if (m->n_fail != SIZE_MAX)
			m->n_fail--;
		return m->fail_error;
	}
	if (m->n_fail > 0)
		m->fail_after--;
	r = m->filter ? apply_filtered(m, units, n)
		      : sqlite_store_apply(m->db, units, n);
	if (r == 0)
		m->n_applied++;
	return r;
}

static int memory_load(void *priv, const struct store_load_ops *ops, void *arg)
{
	return sqlite_store_load(((struct memory_store *)priv)->db, ops, arg);
}

static int memory_outputs(void *priv, store_run_fn fn, void *arg)
{
	return sqlite_store_outputs(((struct memory_store *)priv)->db, fn, arg);
}

static int memory_runs(void *priv, uint64_t job_id, store_run_fn fn, void *arg)
{
	return sqlite_store_runs(((struct memory_store *)priv)->db, job_id, fn, arg);
}

static int memory_removed(void *priv, uint64_t job_id, int64_t *ret_usec)
{
	return sqlite_store_removed(
		((struct memory_store *)priv)->db, job_id, ret_usec);
}

static int64_t memory_wal_bytes(void *priv)
{
	return 0;
}

static int memory_checkpoint(void *priv)
{
	return 0;
}

static void memory_close(void *priv)
{
	struct memory_store *m = priv;

	if (m->db)
		sqlite_store_free(m->db);
	free(m);
}

static void memory_closep(struct memory_store **m)
{
	if (*m)
		memory_close(*m);
}

static const struct store_ops memory_ops = {
	.name = "memory",
	.load = memory_load,
	.apply = memory_apply,
	.runs = memory_runs,
	.outputs = memory_outputs,
	.removed = memory_removed,
	.wal_bytes = memory_wal_bytes,
	.checkpoint = memory_checkpoint,
	.close = memory_close,
};

int store_open_memory(struct store **ret)
{
	_cleanup_(memory_closep) struct memory_store *m = calloc(1, sizeof(*m));
	int r;

	INVARIANT(ret);
	if (!m)
		return -ENOMEM;
	m->db = malloc(sizeof(*m->db));
	if (!m->db)
		return -ENOMEM;
	r = sqlite_store_init(m->db);
	if (r == 0)
		r = sqlite_store_open_writer(m->db, ":memory:");
	if (r == 0)
		r = sqlite_store_setup_writer(m->db);
	if (r == 0)
		r = sqlite_store_prepare(m->db);
	if (r == 0)
		r = store_new(ret, &memory_ops, m);
	if (r < 0)
		return r;
	(void)TAKE_PTR(m);
	return 0;
}

void store_memory_fail_apply(struct store *st, size_t after, size_t n, int error)
{
	struct memory_store *m = store_priv(st, &memory_ops);

	INVARIANT(error < 0 || n == 0);
	m->fail_after = after;
	m->n_fail = n;
	m->fail_error = error;
}

void store_memory_filter_units(struct store *st, store_unit_filter_fn fn, void *arg)
{
	struct memory_store *m = store_priv(st, &memory_ops);

	m->filter = fn;
	m->filter_arg = arg;
}

size_t store_memory_n_applied(struct store *st)
{
	return ((struct memory_store *)store_priv(st, &memory_ops))->n_applied;
}
