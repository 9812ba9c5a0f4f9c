#include "job/state.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"

const char *const job_state_name[JOB_STATE_N] = {
#define X(id, name) [JOB_##id] = name,
	JOB_STATES(X)
#undef X
};

const char *const job_result_name[JOB_RESULT_N] = {
#define X(id, name) [JOB_RESULT_##id] = name,
	JOB_RESULTS(X)
#undef X
};

#define MAY(next) [JOB_##next] = true

const bool job_may_go[JOB_STATE_N][JOB_STATE_N] = {
	[JOB_HELD] =
		{
			/* released: it goes on with whatever it still has to wait for
			 */
			MAY(WAITING), MAY(DELAYED), MAY(QUEUED),
			MAY(STARTING), /* force: past limits and windows */
			MAY(FINISHED), /* cancelled */
		},
	[JOB_WAITING] =
		{
			MAY(HELD), MAY(DELAYED), /* the delay counts from the end of
						    what it waited for */
			MAY(QUEUED), MAY(STARTING),
			MAY(FINISHED), /* cancelled, or skipped */
		},
	[JOB_DELAYED] =
		{
			MAY(HELD),
			MAY(WAITING), /* what it waits for was changed */
			MAY(QUEUED),
			MAY(STARTING),
			MAY(FINISHED),
		},
	[JOB_QUEUED] =
		{
			MAY(HELD),
			MAY(WAITING), /* the same */
			MAY(DELAYED), /* it was given a time */
			MAY(STARTING),
			MAY(FINISHED),
		},
	[JOB_STARTING] =
		{
			MAY(RUNNING),
			MAY(STOPPING), /* cancel or timeout while the start hangs */
			/* it could not be started, or its end came with the news of its
			   start */
			MAY(BACKOFF), MAY(FINISHED),
			/* recorded, never seen: on-lost and on-reboot */
			MAY(HELD), MAY(QUEUED),
			MAY(DELAYED), /* of a service, started again later */
		},
	[JOB_RUNNING] =
		{
			MAY(PAUSED), MAY(STOPPING), MAY(BACKOFF), MAY(FINISHED),
			MAY(HELD), MAY(QUEUED), /* lost: on-lost and on-reboot */
			MAY(DELAYED),           /* a service */
		},
	[JOB_PAUSED] =
		{
			MAY(RUNNING),
			MAY(STOPPING), /* woken first: a stopped process handles no
					  signal */
			/* SIGKILL ends a stopped process too */
			MAY(BACKOFF), MAY(FINISHED), MAY(HELD), MAY(QUEUED),
			MAY(DELAYED), /* a service */
		},
	[JOB_STOPPING] =
		{
			/* never back to running: what was asked to end is not trusted
			   to go on */
			MAY(BACKOFF), /* a timeout that is retried */
			MAY(FINISHED), MAY(HELD), MAY(QUEUED),
			MAY(DELAYED), /* a service, past its run-time limit */
		},
	[JOB_BACKOFF] =
		{
			MAY(QUEUED),
			MAY(HELD),
			MAY(STARTING),
			MAY(FINISHED),
		},
	[JOB_FINISHED] =
		{
			/* retry: same id, next run */
			MAY(WAITING),
			MAY(QUEUED),
		},
};

int job_state_by_name(const char *name)
{
	for (int i = 0; i < JOB_STATE_N; i++)
		if (STREQ(job_state_name[i], name))
			return i;
	return -EINVAL;
}

int job_result_by_name(const char *name)
{
	/* "" is no name that anybody could ask for */
	for (int i = JOB_RESULT_NONE + 1; i < JOB_RESULT_N; i++)
		if (STREQ(job_result_name[i], name))
			return i;
	return -EINVAL;
}
