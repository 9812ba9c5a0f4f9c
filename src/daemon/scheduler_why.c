/* What a job waits for, and which runs it waits for, in answer to `why`. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/run.h"
#include "daemon/scheduler_priv.h"

/* jobs before one are counted up to there: that holds the loop */
enum { BEFORE_MAX = 100000 };

static const struct {
	enum scheduler_block why;
	const char *text;
} block_text[] = {
	{BLOCK_STARTUP, "the daemon is starting"},
	{BLOCK_SHUTDOWN, "the daemon is shutting down"},
	{BLOCK_STORE, "the store cannot be written"},
	{BLOCK_DISK, "free disk space is below min-free"},
	{BLOCK_SPAWNER, "the spawner is not there"},
	{BLOCK_RUNS,
		"there are as many runs as the limit of open files allows (ulimit -n, "
		"LimitNOFILE=)"},
	{BLOCK_RETRY, "the last start failed, the next try is soon"},
};

/* What it is short of; where it lacks nothing, whom it comes after. */
static const char *why_queued(
	const struct scheduler *s, const struct job *j, char *buf, size_t size)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	size_t n_before = demand_n_before(j->demand, &j->order, BEFORE_MAX + 1);
	const char *more = n_before > BEFORE_MAX ? "more than " : "";

	if (demand_explain(j->demand, clock_boottime(s->core->clock), &text) < 0)
		return NULL;
	if (buf_len(&text) == 0 &&
		buf_append_str(&text, n_before ? "it starts in its turn"
					       : "it is about to start") < 0)
		return NULL;
	if (n_before > 0 &&
		buf_printf(&text, "; %s%zu job%s %s before it", more,
			MIN(n_before, (size_t)BEFORE_MAX), n_before == 1 ? "" : "s",
			n_before == 1 ? "comes" : "come") < 0)
		return NULL;
	snprintf(buf, size, "%.*s", (int)buf_len(&text), buf_head(&text));
	return buf;
}

size_t scheduler_holders(
	const struct scheduler *s, const struct job *j, uint64_t *ids, size_t max)
{
	size_t n = 0;

	if (j->state != JOB_QUEUED || s->blocks)
		return 0;
	LIST_FOREACH(it, &s->core->active) {
		const struct run *run = LIST_ENTRY(it, struct run, active);

		if (n < max && run->job != j && run->job->demand && !run->ahead &&
			demand_holds(run->job->demand, run->way, j->demand))
			ids[n++] = run->job->id;
	}
	return n;
}

const char *scheduler_why(
	const struct scheduler *s, const struct job *j, char *buf, size_t size)
{
	switch ((enum job_state)j->state) {
	case JOB_HELD:
		snprintf(buf, size, "it is held%s%s%s: reeve release %" PRIu64,
			j->reason ? " (" : "", j->reason ? j->reason : "",
			j->reason ? ")" : "", j->id);
		return buf;
	case JOB_QUEUED:
		for (size_t i = 0; i < ARRAY_LEN(block_text); i++)
			if (s->blocks & block_text[i].why) {
				snprintf(buf, size, "nothing starts: %s",
					block_text[i].text);
				return buf;
			}
		return why_queued(s, j, buf, size);
	case JOB_BACKOFF:
		snprintf(buf, size, "it failed and is run again later");
		return buf;
	case JOB_DELAYED: snprintf(buf, size, "its time has not come"); return buf;
	case JOB_WAITING: snprintf(buf, size, "it waits for other jobs"); return buf;
	case JOB_STARTING:
		snprintf(buf, size, "it is %s",
			j->run && j->run->ahead
				? "about to get the next slot of its pool"
				: "being started");
		return buf;
	case JOB_PAUSED:
		snprintf(buf, size, "it is paused: reeve resume %" PRIu64, j->id);
		return buf;
	case JOB_RUNNING:
	case JOB_STOPPING:
	case JOB_FINISHED:
	case JOB_STATE_N: break;
	}
	return NULL;
}
