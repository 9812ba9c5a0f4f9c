#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "base/id_list.h"
#include "daemon/job.h"
#include "daemon/schedule_jobs.h"

struct entry {
	char name[65];
	struct id_list ids;
};

struct schedule_jobs {
	struct hashmap *by_name; /* of struct entry */
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

static void entry_free(struct entry *e)
{
	id_list_deinit(&e->ids);
	free(e);
}

struct schedule_jobs *schedule_jobs_free(struct schedule_jobs *sj)
{
	struct entry *e;

	if (!sj)
		return NULL;
	HASHMAP_FOREACH(e, sj->by_name)
		entry_free(e);
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

/* NULL: out of memory */
static struct entry *entry_new(struct schedule_jobs *sj, const char *name)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	snprintf(e->name, sizeof(e->name), "%s", name);
	if (hashmap_put(sj->by_name, e->name, e) < 0) {
		free(e);
		return NULL;
	}
	return e;
}

int schedule_jobs_add(struct schedule_jobs *sj, const struct job *j)
{
	char name[65];
	struct entry *e;

	if (!sj || !job_schedule(j, name))
		return 0;
	e = hashmap_get(sj->by_name, name);
	if (!e)
		e = entry_new(sj, name);
	return e ? id_list_add(&e->ids, j->id) : -ENOMEM;
}

void schedule_jobs_remove(struct schedule_jobs *sj, const struct job *j)
{
	char name[65];
	struct entry *e;

	if (!sj || !job_schedule(j, name))
		return;
	e = hashmap_get(sj->by_name, name);
	if (!e || !id_list_remove(&e->ids, j->id))
		return;
	if (e->ids.n == 0) {
		hashmap_remove(sj->by_name, e->name);
		entry_free(e);
	}
	if (sj->on_end)
		sj->on_end(name, sj->arg);
}

const uint64_t *schedule_jobs_ids(
	const struct schedule_jobs *sj, const char *name, size_t *ret_n)
{
	const struct entry *e = sj ? hashmap_get(sj->by_name, name) : NULL;

	*ret_n = e ? e->ids.n : 0;
	return e ? e->ids.v : NULL;
}
