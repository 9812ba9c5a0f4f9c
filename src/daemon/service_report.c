#include "config.h"

#include "daemon/service_report.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/readiness.h"
#include "daemon/readiness_priv.h"
#include "daemon/run.h"
#include "daemon/services.h"
#include "job/spec.h"

static void put_rule(
	struct json_writer *w, const char *key, const struct ready_rule *rule)
{
	_cleanup_free_ char *text = ready_rule_format(rule);

	if (text)
		json_writer_string(w, key, text);
	else
		w->error = -ENOMEM;
}

static void put_live(struct json_writer *w, const struct run_ready *rr)
{
	int64_t watchdog = run_live_watchdog_usec(rr->live);
	struct live_report l;

	if (!run_live_report(rr->live, &l))
		return;
	json_writer_object(w, "live");
	if (l.rule->kind != READY_NONE)
		put_rule(w, "probe", l.rule);
	if (watchdog)
		json_writer_int(w, "watchdog_usec", watchdog);
	json_writer_bool(w, "unresponsive", run_live_is_unresponsive(rr->live));
	json_writer_int(w, "failures", l.n_failed);
	json_writer_int(w, "failures_max", l.failures_max);
	if (l.ok_since_usec)
		json_writer_int(w, "ok_since_usec", l.ok_since_usec);
	if (l.asked_usec)
		json_writer_int(w, "asked_usec", l.asked_usec);
	if (l.why[0])
		json_writer_string(w, "why", l.why);
	json_writer_object_end(w);
}

void service_report_put(struct json_writer *w, const struct run *run)
{
	const struct run_ready *rr = run ? run->ready : NULL;
	int64_t since = run ? run_ready_usec(run) : 0;

	if (!rr || !rr->begun)
		return;
	json_writer_bool(w, "ready", run_is_ready(run));
	put_rule(w, "ready_by", &rr->rule);
	if (!rr->is_ready && rr->unready_why[0])
		json_writer_string(w, "ready_why", rr->unready_why);
	if (rr->is_ready && since)
		json_writer_int(w, "ready_usec", since);
	if (rr->status[0])
		json_writer_string(w, "status", rr->status);
	if (rr->stopping || rr->reloading)
		json_writer_string(w, "says", rr->stopping ? "stopping" : "reloading");
	if (rr->main_pid > 0)
		json_writer_int(w, "main_pid", rr->main_pid);
	put_live(w, rr);
}

static bool why_unready(const struct run_ready *rr, char *buf, size_t size)
{
	_cleanup_free_ char *rule = ready_rule_format(&rr->rule);
	char limit[DURATION_TEXT_MAX];

	duration_format(limit, sizeof(limit), rr->timeout_usec);
	snprintf(buf, size,
		"it is running, and is not ready yet: ready = %s, within %s%s%s",
		rule ? rule : "", limit, rr->unready_why[0] ? "; asked last: " : "",
		rr->unready_why);
	return true;
}

void service_report_put_output(struct json_writer *w, const struct instance *in)
{
	struct job_spec spec;
	const char *output;

	if (!in->spec)
		return;
	job_spec_init(&spec);
	if (job_spec_unpack(&spec, in->spec, in->spec_len) < 0) {
		w->error = -ENOMEM; /* it was packed here */
		return;
	}
	output = job_str(&spec, OUTPUT);
	if (output && !STREQ(output, "file"))
		json_writer_string(w, "output", output);
	job_spec_deinit(&spec);
}

bool service_report_why(const struct run *run, char *buf, size_t size)
{
	const struct run_ready *rr = run ? run->ready : NULL;
	struct live_report l;

	if (!rr || !rr->begun || run->ended || run->stop != RUN_STOP_NONE)
		return false;
	if (!rr->is_ready)
		return why_unready(rr, buf, size);
	if (rr->stopping) {
		snprintf(buf, size, "it is running, and says that it is stopping");
		return true;
	}
	if (!run_live_report(rr->live, &l))
		return false;
	if (run_live_is_unresponsive(rr->live))
		snprintf(buf, size, "it is running, and unresponsive: %s", l.why);
	else if (l.n_failed > 0)
		snprintf(buf, size,
			"it is running; it did not answer %u times in a row, %u are "
			"too many: %s",
			l.n_failed, l.failures_max, l.why);
	else if (l.why[0])
		snprintf(buf, size, "it is running, and cannot be asked how it is: %s",
			l.why);
	else
		return false;
	return true;
}
