#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "store/store_ops.h"

struct store {
	const struct store_ops *ops;
	void *priv;
};

int store_new(struct store **ret, const struct store_ops *ops, void *priv)
{
	struct store *st;

	INVARIANT(ret && ops && ops->close);
	st = malloc(sizeof(*st));
	if (!st)
		return -ENOMEM;
	*st = (struct store){.ops = ops, .priv = priv};
	*ret = st;
	return 0;
}

void *store_priv(struct store *st, const struct store_ops *ops)
{
	INVARIANT(st && st->ops == ops);
	return st->priv;
}

struct store *store_close(struct store *st)
{
	if (st) {
		st->ops->close(st->priv);
		free(st);
	}
	return NULL;
}

int store_load(struct store *st, const struct store_load_ops *ops, void *arg)
{
	INVARIANT(st && ops);
	return st->ops->load(st->priv, ops, arg);
}

int store_apply(struct store *st, struct store_unit **units, size_t n)
{
	INVARIANT(st && (units || n == 0));
	return n > 0 ? st->ops->apply(st->priv, units, n) : 0;
}

int store_runs(struct store *st, uint64_t job_id,
	int (*fn)(const struct store_run *, void *), void *arg)
{
	INVARIANT(st && fn);
	return st->ops->runs(st->priv, job_id, fn, arg);
}

int store_outputs(
	struct store *st, int (*fn)(const struct store_run *, void *), void *arg)
{
	INVARIANT(st && fn);
	return st->ops->outputs(st->priv, fn, arg);
}

int store_removed(struct store *st, uint64_t job_id, int64_t *ret_usec)
{
	INVARIANT(st && ret_usec);
	return st->ops->removed(st->priv, job_id, ret_usec);
}

int64_t store_wal_bytes(struct store *st)
{
	INVARIANT(st);
	return st->ops->wal_bytes(st->priv);
}

int store_checkpoint(struct store *st)
{
	INVARIANT(st);
	return st->ops->checkpoint(st->priv);
}
