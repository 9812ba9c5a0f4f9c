/* What becomes of a job when a run of it is over. */
#include <sys/wait.h>

#include "base/invariant.h"
#include "job/backoff.h"
#include "job/spec.h"
#include "job/state.h"

static void finish(struct job_verdict *v, enum job_result result)
{
	v->result = result;
	v->next = JOB_FINISHED;
}

/* The end was nobody's fault, or nobody knows it: no retry is used up. */
static void judge_lost(struct job_verdict *v, enum job_on_lost policy)
{
	v->result = JOB_RESULT_LOST;
	switch (policy) {
	case JOB_ON_LOST_HOLD: v->next = JOB_HELD; return;
	case JOB_ON_LOST_RERUN: v->next = JOB_QUEUED; return;
	case JOB_ON_LOST_LOST: v->next = JOB_FINISHED; return;
	}
	INVARIANT(!"an unknown policy");
}

static bool is_retried(const struct job_spec *s, const struct run_end *end,
	const struct job_verdict *v)
{
	const char *codes = job_str(s, RETRY_ON);

	if (!codes)
		return true;
	/* no program ran, or none that has an exit status: no code can have been meant
	 */
	if (end->kind != RUN_END_EXITED)
		return false;
	return codes_match(codes, v->exit_code, v->signal);
}

static void judge_failure(struct job_verdict *v, enum job_result result,
	const struct job_spec *s, const struct run_end *end, unsigned n_failed,
	uint32_t random)
{
	if (n_failed >= (uint64_t)job_num(s, RETRIES) || !is_retried(s, end, v)) {
		finish(v, result);
		return;
	}
	v->result = result;
	v->next = JOB_BACKOFF;
	v->uses_retry = true;
	v->delay_usec = backoff_delay_usec(
		&(struct backoff){.first_usec = job_num(s, RETRY_DELAY),
			.max_usec = job_num(s, RETRY_DELAY_MAX),
			.factor = (unsigned)job_num(s, RETRY_FACTOR),
			.jitter = (unsigned)job_num(s, RETRY_JITTER)},
		n_failed, random);
}

void job_judge(struct job_verdict *ret, const struct job_spec *s,
	const struct run_end *end, unsigned n_failed, uint32_t random)
{
	struct job_verdict v = {.exit_code = -1};
	bool succeeded = false;

	if (end->kind == RUN_END_EXITED) {
		if (WIFSIGNALED(end->wait_status))
			v.signal = WTERMSIG(end->wait_status);
		else
			v.exit_code = WEXITSTATUS(end->wait_status);
		succeeded =
			codes_match(job_str(s, SUCCESS_CODES), v.exit_code, v.signal);
	} else if (end->kind == RUN_END_FUNCTION) {
		succeeded = end->error >= 0;
	}

	/*
	 * The order decides where two reasons meet: a user's word is final; a run whose
	 * end nobody saw must not be started again as a mere timeout; a run that was
	 * over its limit when the shutdown came had its chance.
	 */
	if (end->cancelled)
		finish(&v, JOB_RESULT_CANCELLED);
	else if (end->kind == RUN_END_LOST)
		judge_lost(&v, (enum job_on_lost)(end->shutdown ? job_num(s, ON_REBOOT)
								: job_num(s, ON_LOST)));
	else if (end->timed_out)
		judge_failure(&v, JOB_RESULT_TIMEOUT, s, end, n_failed, random);
	else if (end->shutdown)
		judge_lost(&v, (enum job_on_lost)job_num(s, ON_REBOOT));
	else if (succeeded)
		finish(&v, JOB_RESULT_SUCCEEDED);
	else
		judge_failure(&v, JOB_RESULT_FAILED, s, end, n_failed, random);
	*ret = v;
}
