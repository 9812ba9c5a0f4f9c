#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/inputs.h"
#include "daemon/jobs.h"
#include "daemon/output_read.h"
#include "daemon/outputs.h"
#include "daemon/removal.h"
#include "reeve/executor.h"

struct removal {
	struct core *core;
	const uint64_t *ids;
	size_t n;
	uint32_t before; /* only runs with a lower number; 0: all */
	/* filled in by the worker */
	struct buf outputs; /* names, each ended by NUL */
	int64_t bytes;
	int error;
};

static int note_outputs(const struct store_run *rec, void *arg)
{
	struct removal *rm = arg;
	char name[OUTPUT_NAME_MAX];
	int r = 0;

	if (rm->before && rec->token.run >= rm->before)
		return 0;
	rm->bytes += output_disk_bytes(rm->core->state_fd, rec->output);
	for (int s = OUTPUT_STDOUT; r >= 0 && s <= OUTPUT_STDERR; s++)
		if (output_name(
			    name, sizeof(name), rec->output, (enum output_stream)s) > 0)
			r = buf_append(&rm->outputs, name, strlen(name) + 1);
	return r;
}

static int look_up(void *arg)
{
	struct removal *rm = arg;

	for (size_t i = 0; i < rm->n; i++) {
		int r = store_runs(rm->core->store, rm->ids[i], note_outputs, rm);

		if (r < 0)
			return r;
	}
	return 0;
}

static struct job *removable(struct core *core, uint64_t id)
{
	struct job *j = jobs_find(core->jobs, id);

	return j && !j->busy && !j->run && j->state == JOB_FINISHED && !job_is_needed(j)
		       ? j
		       : NULL;
}

static void forget(struct core *core, struct job *j)
{
	struct job_spec spec;

	if (job_spec_get(j, &spec) >= 0) {
		if (strncmp(job_str(&spec, STDIN), "input:", 6) == 0)
			inputs_remove(core->inputs, job_str(&spec, STDIN) + 6);
		job_spec_deinit(&spec);
	}
	j->busy = false;
	jobs_forget(core->jobs, j);
}

/* marks the jobs busy and puts their removal into a txn */
static int plan(struct core *core, struct removal *rm, uint64_t *ids, struct txn **ret)
{
	_cleanup_(txn_freep) struct txn *t = txn_new();
	size_t n = 0;

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < rm->n; i++) {
		struct job *j = removable(core, rm->ids[i]);
		struct store_op *op = j ? txn_add(t, STORE_JOB_REMOVE) : NULL;

		if (!op)
			continue;
		op->job.id = j->id;
		op->job.env_id = 0;
		op->job.finished_usec = clock_wall_usec(core->clock);
		job_begin(core->jobs, j);
		j->leaving = true;
		ids[n++] = j->id;
	}
	*ret = TAKE_PTR(t);
	return (int)n;
}

static void remove_outputs(struct removal *rm)
{
	for (size_t at = 0; at < buf_len(&rm->outputs);) {
		const char *name = buf_head(&rm->outputs) + at;

		outputs_remove(rm->core->outputs, name);
		at += strlen(name) + 1;
	}
	outputs_account(rm->core->outputs, -rm->bytes);
}

int removal_run(struct core *core, const uint64_t *ids, size_t n)
{
	struct removal rm = {.core = core, .n = n};
	uint64_t chosen[REMOVAL_CHUNK];
	struct txn *t;
	int r, n_chosen;

	rm.ids = ids;
	n_chosen = plan(core, &rm, chosen, &t);
	if (n_chosen <= 0) {
		if (n_chosen == 0)
			txn_free(t);
		return n_chosen;
	}
	rm.ids = chosen;
	rm.n = (size_t)n_chosen;
	r = rv_run_blocking(core->io, look_up, &rm);
	if (r >= 0)
		r = committer_commit(core->committer, t, 0);
	else
		txn_free(t);
	for (int i = 0; i < n_chosen; i++) {
		struct job *j = jobs_find(core->jobs, chosen[i]);

		j->leaving = false;
		if (r >= 0)
			forget(core, j);
		else
			job_end(core->jobs, j);
	}
	if (r >= 0)
		remove_outputs(&rm);
	buf_deinit(&rm.outputs);
	return r < 0 ? r : n_chosen;
}

int removal_of_runs(struct core *core, uint64_t id, uint32_t before)
{
	struct removal rm = {.core = core, .ids = &id, .n = 1, .before = before};
	struct txn *t = txn_new();
	struct store_op *op = t ? txn_add(t, STORE_RUNS_FORGET) : NULL;
	int r = op ? rv_run_blocking(core->io, look_up, &rm) : -ENOMEM;

	if (r >= 0) {
		op->run.token = (struct run_token){.job_id = id, .run = before};
		r = committer_commit(core->committer, TAKE_PTR(t), 0);
	}
	if (r >= 0)
		remove_outputs(&rm);
	txn_free(t);
	buf_deinit(&rm.outputs);
	return r;
}
