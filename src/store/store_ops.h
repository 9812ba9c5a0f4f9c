/*
 * For those who write a store; those who use one read store.h.
 *
 * Threads: load, apply and close come from one thread at a time; the others from any
 * thread, also beside load and apply.
 */
#ifndef STORE_STORE_OPS_H
#define STORE_STORE_OPS_H

#include "store/store.h"

typedef int (*store_run_fn)(const struct store_run *, void *);

/* each as the function of that name in store.h */
struct store_ops {
	const char *name;
	int (*load)(void *priv, const struct store_load_ops *ops, void *arg);
	int (*apply)(void *priv, struct store_unit **units, size_t n);
	int (*runs)(void *priv, uint64_t job_id, store_run_fn fn, void *arg);
	int (*outputs)(void *priv, store_run_fn fn, void *arg);
	int (*removed)(void *priv, uint64_t job_id, int64_t *ret_usec);
	int64_t (*wal_bytes)(void *priv);
	int (*checkpoint)(void *priv);
	void (*close)(void *priv); /* never NULL; priv is gone afterwards */
};

/* takes priv only on success. 0, -ENOMEM */
int store_new(struct store **ret, const struct store_ops *ops, void *priv);
/* what store_new was given; for functions that belong to one implementation */
void *store_priv(struct store *st, const struct store_ops *ops);

#endif
