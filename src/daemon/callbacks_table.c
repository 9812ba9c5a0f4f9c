/* The callbacks that are in the table of jobs, by the job whose end called for them. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "base/id_list.h"
#include "daemon/callbacks_priv.h"
#include "daemon/core.h"

struct entry {
	uint64_t of;
	struct id_list ids;
};

static void entry_free(struct entry *e)
{
	id_list_deinit(&e->ids);
	free(e);
}

void callbacks_table_free(struct hashmap *by_job)
{
	struct entry *e;

	if (by_job)
		HASHMAP_FOREACH(e, by_job)
			entry_free(e);
	hashmap_free(by_job);
}

/* the job whose callback it is; 0: none */
static uint64_t callback_of(const struct job *j)
{
	int64_t id;

	return j->is_callback && job_spec_peek_num(&id, j->spec, j->spec_len,
					 JOB_FIELD_CALLBACK_OF) > 0
		       ? (uint64_t)id
		       : 0;
}

/* NULL: out of memory */
static struct entry *entry_of(struct callbacks *cb, uint64_t of)
{
	struct entry *e = hashmap_get_u64(cb->by_job, of);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->of = of;
	if (hashmap_put_u64(cb->by_job, of, e) >= 0)
		return e;
	free(e);
	return NULL;
}

int callbacks_add(struct core *core, const struct job *j)
{
	uint64_t of = callback_of(j);
	struct entry *e;

	if (!of || !core->callbacks)
		return 0;
	e = entry_of(core->callbacks, of);
	return e ? id_list_add(&e->ids, j->id) : -ENOMEM;
}

void callbacks_forget(struct core *core, const struct job *j)
{
	uint64_t of = callback_of(j);
	struct entry *e = of && core->callbacks
				  ? hashmap_get_u64(core->callbacks->by_job, of)
				  : NULL;

	if (!e || !id_list_remove(&e->ids, j->id) || e->ids.n > 0)
		return;
	hashmap_remove_u64(core->callbacks->by_job, of);
	entry_free(e);
}

const uint64_t *callbacks_of(const struct core *core, uint64_t id, size_t *ret_n)
{
	const struct entry *e =
		core->callbacks ? hashmap_get_u64(core->callbacks->by_job, id) : NULL;

	*ret_n = e ? e->ids.n : 0;
	return e ? e->ids.v : NULL;
}
