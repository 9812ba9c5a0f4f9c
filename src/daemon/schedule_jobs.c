#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "daemon/job.h"
#include "daemon/schedule_jobs.h"

struct ids {
	char name[65];
	size_t n, n_max;
	uint64_t *v;
};

struct schedule_jobs {
	struct hashmap *by_name; /* of struct ids */
	void (*on_end)(const char *name, void *arg);
	void *arg;
};

int schedule_jobs_new(struct schedule_jobs **ret)
{
	struct schedule_jobs *sj = calloc(1, sizeof(*sj));

	if (!sj || hashmap_new(&sj->by_name, HASHMAP_STRING) < 0) {
		free(sj);
		return -ENOMEM;
	}
	*ret = sj;
	return 0;
}

static void ids_free(struct ids *ids)
{
	free(ids->v);
	free(ids);
}

struct schedule_jobs *schedule_jobs_free(struct schedule_jobs *sj)
{
	struct ids *ids;

	if (!sj)
		return NULL;
	HASHMAP_FOREACH(ids, sj->by_name)
		ids_free(ids);
	hashmap_free(sj->by_name);
	free(sj);
	return NULL;
}

void schedule_jobs_on_end(
	struct schedule_jobs *sj, void (*fn)(const char *name, void *arg), void *arg)
{
	sj->on_end = fn;
	sj->arg = arg;
}

static struct ids *ids_new(struct schedule_jobs *sj, const char *name)
{
	struct ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return NULL;
	snprintf(ids->name, sizeof(ids->name), "%s", name);
	if (hashmap_put(sj->by_name, ids->name, ids) < 0) {
		free(ids);
		return NULL;
	}
	return ids;
}

int schedule_jobs_add(struct schedule_jobs *sj, const struct job *j)
{
	char name[65];
	struct ids *ids;

	if (!sj || !job_schedule(j, name))
		return 0;
	ids = hashmap_get(sj->by_name, name);
	if (!ids)
		ids = ids_new(sj, name);
	if (!ids)
		return -ENOMEM;
	if (ids->n == ids->n_max) {
		size_t n_max = ids->n_max ? 2 * ids->n_max : 4;
		uint64_t *v = reallocarray(ids->v, n_max, sizeof(*v));

		if (!v)
			return -ENOMEM;
		ids->v = v;
		ids->n_max = n_max;
	}
	ids->v[ids->n++] = j->id;
	return 0;
}

void schedule_jobs_remove(struct schedule_jobs *sj, const struct job *j)
{
	char name[65];
	struct ids *ids;
	size_t i = 0;

	if (!sj || !job_schedule(j, name))
		return;
	ids = hashmap_get(sj->by_name, name);
	while (ids && i < ids->n && ids->v[i] != j->id)
		i++;
	if (!ids || i == ids->n)
		return;
	ids->v[i] = ids->v[--ids->n];
	if (ids->n == 0) {
		hashmap_remove(sj->by_name, ids->name);
		ids_free(ids);
	}
	if (sj->on_end)
		sj->on_end(name, sj->arg);
}

const uint64_t *schedule_jobs_ids(
	const struct schedule_jobs *sj, const char *name, size_t *ret_n)
{
	const struct ids *ids = sj ? hashmap_get(sj->by_name, name) : NULL;

	*ret_n = ids ? ids->n : 0;
	return ids ? ids->v : NULL;
}
