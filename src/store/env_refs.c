#include "config.h"

#include "store/env_refs.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"

struct env_ref {
	uint64_t id;
	uint64_t n_jobs;
	bool exists; /* false: removed in this transaction; leaves the map at its end */
};

int env_refs_init(struct env_refs *e)
{
	*e = (struct env_refs){0};
	return hashmap_new(&e->map, HASHMAP_U64);
}

void env_refs_deinit(struct env_refs *e)
{
	struct env_ref *ref;

	if (e->map)
		HASHMAP_FOREACH(ref, e->map) {
			free(ref);
		}
	e->map = hashmap_free(e->map);
	free(e->changes);
	e->changes = NULL;
}

/* room for a change: asked for first, so that nothing fails half-way */
static int reserve_change(struct env_refs *e)
{
	size_t cap = e->cap ? e->cap * 2 : 64;
	struct env_change *p;

	if (e->n_changes < e->cap)
		return 0;
	p = reallocarray(e->changes, cap, sizeof(*p));
	if (!p)
		return -ENOMEM;
	e->changes = p;
	e->cap = cap;
	return 0;
}

static void change(struct env_refs *e, struct env_ref *ref, int delta, bool exists)
{
	e->changes[e->n_changes++] = (struct env_change){
		.id = ref->id, .delta = delta, .existed = ref->exists};
	ref->n_jobs += (uint64_t)(int64_t)delta;
	ref->exists = exists;
}

int env_refs_insert(struct env_refs *e, uint64_t id)
{
	struct env_ref *ref = hashmap_get_u64(e->map, id);
	int r;

	if (ref && ref->exists)
		return -EEXIST;
	r = reserve_change(e);
	if (r < 0)
		return r;
	if (!ref) {
		ref = malloc(sizeof(*ref));
		if (!ref)
			return -ENOMEM;
		*ref = (struct env_ref){.id = id};
		r = hashmap_put_u64(e->map, id, ref);
		if (r < 0) {
			free(ref);
			return r;
		}
	}
	change(e, ref, 0, true);
	return 0;
}

int env_refs_acquire(struct env_refs *e, uint64_t id)
{
	struct env_ref *ref = hashmap_get_u64(e->map, id);
	int r;

	if (!ref || !ref->exists)
		return -ENOENT;
	r = reserve_change(e);
	if (r < 0)
		return r;
	change(e, ref, 1, true);
	return 0;
}

int env_refs_release(struct env_refs *e, uint64_t id)
{
	struct env_ref *ref = hashmap_get_u64(e->map, id);
	int r;

	if (!ref || !ref->exists || ref->n_jobs == 0)
		return 0;
	r = reserve_change(e);
	if (r < 0)
		return r;
	change(e, ref, -1, ref->n_jobs > 1);
	return !ref->exists;
}

int env_refs_take_unused(struct env_refs *e, size_t *it, uint64_t *ret_id)
{
	void *p;

	while (hashmap_next(e->map, it, &p)) {
		struct env_ref *ref = p;
		int r;

		if (!ref->exists || ref->n_jobs > 0)
			continue;
		r = reserve_change(e);
		if (r < 0)
			return r;
		change(e, ref, 0, false);
		*ret_id = ref->id;
		return 1;
	}
	return 0;
}

static void forget_if_gone(struct env_refs *e, uint64_t id)
{
	struct env_ref *ref = hashmap_get_u64(e->map, id);

	if (ref && !ref->exists) {
		INVARIANT(ref->n_jobs == 0);
		hashmap_remove_u64(e->map, id);
		free(ref);
	}
}

static bool is_changed(const struct env_refs *e, uint64_t id)
{
	for (size_t i = 0; i < e->n_changes; i++)
		if (e->changes[i].id == id)
			return true;
	return false;
}

void env_refs_undo(struct env_refs *e, size_t mark)
{
	INVARIANT(mark <= e->n_changes);
	while (e->n_changes > mark) {
		const struct env_change *c = &e->changes[--e->n_changes];
		struct env_ref *ref = hashmap_get_u64(e->map, c->id);

		INVARIANT(ref); /* it stays while a change of it is in the list */
		ref->n_jobs -= (uint64_t)(int64_t)c->delta;
		ref->exists = c->existed;
		if (!ref->exists && !is_changed(e, ref->id))
			forget_if_gone(e, ref->id);
	}
}

void env_refs_commit(struct env_refs *e)
{
	for (size_t i = 0; i < e->n_changes; i++)
		forget_if_gone(e, e->changes[i].id);
	e->n_changes = 0;
}
