/* What becomes of a service after a run of it; services.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/run_hooks.h"
#include "daemon/services_priv.h"

static enum restart_end end_of(
	const struct service *s, const struct run *run, const struct job_verdict *v)
{
	const char *codes = s->section->v[CONFIG_NO_RESTART_CODES].text;

	/* whatever it makes of the signal that ended it */
	if (run->stop == RUN_STOP_UNREADY || run->stop == RUN_STOP_MEMORY)
		return RESTART_FAILED;
	if (codes && codes_match(codes, v->exit_code, v->signal))
		return RESTART_EXCLUDED;
	return v->result == JOB_RESULT_SUCCEEDED ? RESTART_SUCCEEDED : RESTART_FAILED;
}

static void describe(
	const struct run *run, const struct job_verdict *v, char *buf, size_t size)
{
	const char *hook = run_hooks_problem(run);

	if (run->end.kind == RUN_END_START_FAILED)
		snprintf(buf, size, "it could not be started: %s",
			hook ? hook : rv_strerror(run->end.error));
	else if (run->stop == RUN_STOP_MEMORY)
		snprintf(buf, size, "it took too much memory");
	else if (v->result == JOB_RESULT_TIMEOUT || v->result == JOB_RESULT_LOST)
		snprintf(buf, size, "it has ended, %s", job_result_name[v->result]);
	else if (v->signal > 0)
		snprintf(buf, size, "it has ended by %s", signal_name(v->signal));
	else
		snprintf(buf, size, "it has ended with status %d", v->exit_code);
}

/* Of short runs in a row only the first is told: there may be thousands. */
static void tell(const struct instance *in, const struct run *run,
	const struct job_verdict *v, const struct service_end *end)
{
	char what[128], delay[DURATION_TEXT_MAX];
	bool again = v->next == JOB_DELAYED;

	if (again && end->n_short > 1)
		return;
	describe(run, v, what, sizeof(what));
	duration_format(delay, sizeof(delay), v->delay_usec / 1000 * 1000);
	log_at(end->reason[0] ? LOG_WARNING : LOG_NOTICE, "service",
		"service '%s', instance %u: %s, %s%s%s", in->service->name, in->number,
		what,
		again            ? "starting it again in "
		: end->reason[0] ? end->reason
				 : "and is not started again",
		again ? delay : "",
		again && end->n_short == 1 ? "; more short runs in a row are not told"
					   : "");
}

/* It ended by itself, and is wanted. */
static void judge(struct services *ss, struct instance *in, const struct run *run,
	uint32_t random, struct job_verdict *v, struct service_end *ret)
{
	const union config_value *keys = in->service->section->v;
	enum restart_end end = end_of(in->service, run, v);
	char interval[DURATION_TEXT_MAX];
	struct restart_verdict verdict;
	struct restart_rule rule;

	service_rule_get(in->service, &rule);
	in->restart.n_short = run->job->n_failed;
	verdict = restart_judge(&rule, &in->restart, end, run_uptime_usec(run),
		clock_boottime(ss->core->clock), random);
	ret->n_short = in->restart.n_short;
	switch (verdict.what) {
	case RESTART_COMES:
		v->next = JOB_DELAYED;
		v->delay_usec = verdict.delay_usec;
		break;
	case RESTART_GIVEN_UP:
		v->next = JOB_FINISHED;
		if (v->result == JOB_RESULT_SUCCEEDED)
			v->result = JOB_RESULT_FAILED;
		duration_format(
			interval, sizeof(interval), keys[CONFIG_RESTART_INTERVAL].num);
		snprintf(ret->reason, sizeof(ret->reason),
			"given up: %u restarts in %s were too many",
			(unsigned)keys[CONFIG_RESTART_BURST].num, interval);
		break;
	case RESTART_STAYS_DOWN: v->next = JOB_FINISHED; break;
	}
}

static void was_not_ready(
	const struct run *run, struct job_verdict *v, struct service_end *ret)
{
	char text[DURATION_TEXT_MAX];

	v->result = JOB_RESULT_FAILED;
	if (run_hooks_problem(run)) {
		snprintf(
			ret->reason, sizeof(ret->reason), "%s", run_hooks_problem(run));
		return;
	}
	duration_format(text, sizeof(text), run_ready_timeout_usec(run));
	snprintf(ret->reason, sizeof(ret->reason), "not ready within %s", text);
}

static void took_too_much(
	const struct run *run, struct job_verdict *v, struct service_end *ret)
{
	v->result = JOB_RESULT_FAILED;
	snprintf(ret->reason, sizeof(ret->reason), "%s",
		run->stop_text[0] ? run->stop_text : "memory: more than max-memory");
}

void services_judge(struct services *ss, const struct run *run, uint32_t random,
	struct job_verdict *v, struct service_end *ret)
{
	struct job *j = run->job;
	struct instance *in = ss ? services_instance_of(ss, j) : NULL;
	bool stopped = run->end.cancelled;

	*ret = (struct service_end){.n_short = 0};
	if (run->stop == RUN_STOP_UNREADY)
		was_not_ready(run, v, ret);
	else if (run->stop == RUN_STOP_MEMORY)
		took_too_much(run, v, ret);
	v->uses_retry = false;
	v->next = JOB_FINISHED;
	if (stopped) {
		v->result = JOB_RESULT_CANCELLED;
		snprintf(ret->reason, sizeof(ret->reason), "stopped");
	}
	if (!in || instance_target(in, j) != INSTANCE_UP)
		return;
	if (!instance_is_current(in, j)) {
		v->next = JOB_HELD; /* until it has its new properties */
	} else if (stopped || in->again) {
		v->next = JOB_QUEUED;
	} else if (run->end.shutdown) {
		v->next = JOB_QUEUED;
		ret->n_short = j->n_failed;
		return;
	} else {
		judge(ss, in, run, random, v, ret);
		tell(in, run, v, ret);
		return;
	}
	in->again = false;
	restart_forget(&in->restart);
	if (stopped)
		snprintf(ret->reason, sizeof(ret->reason), "restarted");
}
