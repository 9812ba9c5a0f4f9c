/*
 * How many jobs use each environment, in memory: counted when the store is opened, kept
 * up by its one writer. In the database it would take an index of all jobs, which makes
 * an insert cost half as much again.
 *
 * Changes belong to a transaction: they can be undone back to a mark, and hold from the
 * commit on.
 */
#ifndef STORE_ENV_REFS_H
#define STORE_ENV_REFS_H

#include "base/hashmap.h"

struct env_change {
	uint64_t id;
	int delta;
	bool existed; /* before the change */
};

struct env_refs {
	struct hashmap *map; /* id to struct env_ref */
	struct env_change *changes;
	size_t n_changes, cap;
};

int env_refs_init(struct env_refs *e); /* 0, -ENOMEM */
void env_refs_deinit(struct env_refs *e);

int env_refs_insert(struct env_refs *e, uint64_t id);  /* 0, -EEXIST, -ENOMEM */
int env_refs_acquire(struct env_refs *e, uint64_t id); /* 0, -ENOENT, -ENOMEM */
/* 1 when that was the last user: the environment is gone then; 0; -ENOMEM. One that is
 * not there (the database was tampered with) is 0 */
int env_refs_release(struct env_refs *e, uint64_t id);
/* an environment without user, which is gone then; 0 when there is none (left),
 * -ENOMEM. *it starts at 0 */
int env_refs_take_unused(struct env_refs *e, size_t *it, uint64_t *ret_id);

static inline size_t env_refs_mark(const struct env_refs *e)
{
	return e->n_changes;
}
void env_refs_undo(struct env_refs *e, size_t mark);
void env_refs_commit(struct env_refs *e);

#endif
