/* What becomes of a service after a run of it; services.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/parse.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/run_hooks.h"
#include "daemon/run_record.h"
#include "daemon/service_groups.h"
#include "daemon/service_log.h"
#include "daemon/service_up.h"

static enum restart_end end_of(
	const struct service *s, const struct run *run, const struct job_verdict *v)
{
	const char *codes = s->section->v[CONFIG_NO_RESTART_CODES].text;

	/* whatever it makes of the signal that ended it */
	if (run->stop == RUN_STOP_UNREADY || run->stop == RUN_STOP_UNRESPONSIVE ||
		run->stop == RUN_STOP_MEMORY)
		return RESTART_FAILED;
	if (codes && codes_match(codes, v->exit_code, v->signal))
		return RESTART_EXCLUDED;
	return v->result == JOB_RESULT_SUCCEEDED ? RESTART_SUCCEEDED : RESTART_FAILED;
}

static void describe_failed_start(const struct run *run, char *buf, size_t size)
{
	static const char what[] = "it could not be started: ";
	const char *known = run_hooks_problem(run);

	if (!known)
		known = run->error_text;
	INVARIANT(size > sizeof(what));
	memcpy(buf, what, sizeof(what));
	buf += strlen(what);
	size -= strlen(what);
	if (known)
		str_shorten(buf, size, known);
	else
		run_describe_failed_step(run, buf, size);
}

static void describe(
	const struct run *run, const struct job_verdict *v, char *buf, size_t size)
{
	if (run->end.kind == RUN_END_START_FAILED)
		describe_failed_start(run, buf, size);
	else if (run->stop == RUN_STOP_UNREADY)
		snprintf(buf, size, "it was not ready in time");
	else if (run->stop == RUN_STOP_UNRESPONSIVE)
		snprintf(buf, size, "it was unresponsive: %s",
			run_unresponsive_why(run));
	else if (run->stop == RUN_STOP_MEMORY)
		snprintf(buf, size, "it took too much memory");
	else if (v->result == JOB_RESULT_TIMEOUT || v->result == JOB_RESULT_LOST)
		snprintf(buf, size, "it has ended, %s", job_result_name[v->result]);
	else if (v->signal > 0)
		snprintf(buf, size, "it has ended by %s", signal_name(v->signal));
	else
		snprintf(buf, size, "it has ended with status %d", v->exit_code);
}

static void tell(const struct services *ss, const struct instance *in,
	const struct run *run, const struct job_verdict *v,
	const struct service_end *end)
{
	char how[160], what[sizeof(how) + 320], delay[DURATION_TEXT_MAX];

	describe(run, v, how, sizeof(how));
	if (v->next == JOB_DELAYED) {
		duration_format(delay, sizeof(delay),
			MAX(v->delay_usec / 1000 * 1000, RV_MS(1) / 1000));
		snprintf(what, sizeof(what), "%s, starting it again in %s%s", how,
			delay,
			end->n_short == 1
				? "; of more short runs in a row the number is told"
				: "");
		service_log_again(
			ss->log, in->service->name, in->number, what, end->n_short > 1);
		return;
	}
	/* the reasons of other ends say what `how` does */
	snprintf(what, sizeof(what), "%s, %s", how,
		strncmp(end->reason, "given up", 8) == 0 ? end->reason
							 : "and is not started again");
	service_log_end(ss->log, end->reason[0] ? LOG_WARNING : LOG_NOTICE,
		in->service->name, in->number, what);
}

static void is_given_up(const struct service *s, struct job_verdict *v)
{
	v->next = JOB_FINISHED;
	if (v->result == JOB_RESULT_SUCCEEDED)
		v->result = JOB_RESULT_FAILED;
	if (s->section->v[CONFIG_GIVE_UP].num == CONFIG_GIVE_UP_ESCALATE && !s->group)
		log_at(LOG_ERR, "service",
			"service '%s' is given up, and in no group to escalate to",
			s->name);
}

/* It comes again, unless that is too often for its group. escalated: it was for itself */
static void comes_again(struct services *ss, struct instance *in, bool escalated,
	int64_t delay_usec, struct job_verdict *v, struct service_end *ret)
{
	struct service *s = in->service;

	if (s->group &&
		!group_may_restart(ss, s->group, ret->reason, sizeof(ret->reason))) {
		is_given_up(s, v);
		return;
	}
	v->next = JOB_DELAYED;
	v->delay_usec = delay_usec;
	in->comes_again = !s->group || !group_restart(ss, s, escalated);
}

/* That it was given up, by itself, says nothing of what is wrong with it. */
static void add_last_end(
	const struct run *run, const struct job_verdict *v, struct service_end *end)
{
	size_t n = strlen(end->reason);
	char what[96];

	if (v->next != JOB_FINISHED || strncmp(end->reason, "given up:", 9) != 0)
		return;
	describe(run, v, what, sizeof(what));
	snprintf(end->reason + n, sizeof(end->reason) - n, "; at last %s", what);
}

/* It ended by itself, and is wanted. */
static void judge(struct services *ss, struct instance *in, const struct run *run,
	uint32_t random, struct job_verdict *v, struct service_end *ret)
{
	const union config_value *keys = in->service->section->v;
	bool stays_down = run->stop == RUN_STOP_UNRESPONSIVE &&
			  keys[CONFIG_LIVE_ACTION].num == CONFIG_LIVE_STOP;
	enum restart_end end = end_of(in->service, run, v);
	bool escalates = in->service->group &&
			 keys[CONFIG_GIVE_UP].num == CONFIG_GIVE_UP_ESCALATE;
	rv_time now = clock_boottime(ss->core->clock);
	int64_t uptime_usec = run_uptime_usec(run);
	char how[160];
	struct restart_verdict verdict;
	struct restart_rule rule;

	service_rule_get(in->service, &rule);
	in->has_ended = true;
	describe(run, v, how, sizeof(how));
	instance_note_end(in, run, how, ret);
	in->restart.n_short = run->job->n_failed;
	verdict = restart_judge(&rule, &in->restart, end, uptime_usec, now, random);
	escalates = escalates && verdict.what == RESTART_GIVEN_UP;
	if (escalates) { /* the group's limit is what counts; its delays go on growing */
		rate_forget(&in->restart.limit);
		verdict = restart_judge(
			&rule, &in->restart, end, uptime_usec, now, random);
	}
	ret->n_short = in->restart.n_short;
	if (stays_down)
		verdict.what = RESTART_STAYS_DOWN;
	switch (verdict.what) {
	case RESTART_COMES:
		comes_again(ss, in, escalates, verdict.delay_usec, v, ret);
		break;
	case RESTART_GIVEN_UP:
		is_given_up(in->service, v);
		service_describe_burst(how, sizeof(how),
			(unsigned)keys[CONFIG_RESTART_BURST].num,
			keys[CONFIG_RESTART_INTERVAL].num);
		snprintf(ret->reason, sizeof(ret->reason), "given up: %s", how);
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
	snprintf(ret->reason, sizeof(ret->reason), "not ready within %s%s%s", text,
		*run_unready_why(run) ? "; asked last: " : "", run_unready_why(run));
}

static void did_not_respond(
	const struct run *run, struct job_verdict *v, struct service_end *ret)
{
	const char *why = run_unresponsive_why(run);

	v->result = JOB_RESULT_FAILED;
	/* "": the daemon that knew is gone */
	snprintf(ret->reason, sizeof(ret->reason), "unresponsive%s%s", *why ? ": " : "",
		why);
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
	else if (run->stop == RUN_STOP_UNRESPONSIVE)
		did_not_respond(run, v, ret);
	else if (run->stop == RUN_STOP_MEMORY)
		took_too_much(run, v, ret);
	v->uses_retry = false;
	v->next = JOB_FINISHED;
	if (stopped) {
		v->result = JOB_RESULT_CANCELLED;
		snprintf(ret->reason, sizeof(ret->reason), "stopped");
	}
	if (in && instance_target(in, j) == INSTANCE_DOWN) {
		/* whoever was quicker: it comes again when nothing keeps it down */
		v->result = JOB_RESULT_CANCELLED;
		snprintf(ret->reason, sizeof(ret->reason), "stopped");
	}
	if (in && instance_target(in, j) == INSTANCE_WAITS) {
		/* also one that was quicker: it is started with the others */
		v->next = JOB_QUEUED;
		ret->n_short = j->n_failed;
		in->comes_again = false;
		if (stopped)
			snprintf(ret->reason, sizeof(ret->reason),
				"restarted with its group");
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
		tell(ss, in, run, v, ret);
		add_last_end(run, v, ret);
		return;
	}
	in->again = in->has_ended = false;
	restart_forget(&in->restart);
	if (stopped)
		snprintf(ret->reason, sizeof(ret->reason), "restarted");
}
