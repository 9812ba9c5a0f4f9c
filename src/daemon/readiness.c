#include "config.h"

#include "daemon/readiness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/events.h"
#include "daemon/readiness_priv.h"
#include "daemon/run_hooks.h"
#include "daemon/run_steps.h"
#include "daemon/services.h"

int readiness_new(struct readiness **ret, struct core *core, rv_loop *loop)
{
	struct readiness *rd = calloc(1, sizeof(*rd));

	if (!rd)
		return -ENOMEM;
	rd->core = core;
	rd->loop = loop;
	rd->fd = -1;
	rd->error = -EAGAIN;
	if (hashmap_new(&rd->by_pid, HASHMAP_U64) < 0 ||
		asprintf(&rd->path, "%s/notify", core->state_dir) < 0) {
		rd->path = NULL;
		readiness_free(rd);
		return -ENOMEM;
	}
	readiness_init_socket(rd);
	*ret = rd;
	return 0;
}

struct readiness *readiness_free(struct readiness *rd)
{
	if (!rd)
		return NULL;
	rv_timer_stop(&rd->more);
	rv_fd_unwatch(rd->watch);
	close_safe(rd->fd);
	hashmap_free(rd->by_pid);
	free(rd->path);
	free(rd);
	return NULL;
}

int readiness_address(const struct run *run, const char **ret)
{
	const struct run_ready *rr = run->ready;

	*ret = NULL;
	if (!rr || !rr->hears)
		return 0;
	if (rr->rd->fd < 0)
		return rr->rd->error;
	*ret = rr->rd->path;
	return 0;
}

int readiness_fd(const struct run *run)
{
	const struct run_ready *rr = run->ready;

	return rr && rr->rule.kind == READY_FD ? rr->rule.fd : 0;
}

int64_t readiness_watchdog_usec(const struct run *run)
{
	return run->ready ? run_live_watchdog_usec(run->ready->live) : 0;
}

/* ---- of a run ----------------------------------------------------------------------------- */

static int take_settings(struct run_ready *rr)
{
	struct run *run = rr->run;
	struct live_settings live;
	int r = services_ready_rule(
		run->core->services, run->job, &rr->rule, &rr->timeout_usec);

	if (r >= 0)
		r = services_live_settings(run->core->services, run->job, &live);
	return r < 0 ? r : run_live_new(&rr->live, run, &live);
}

int run_ready_new(struct run *run)
{
	struct run_ready *rr = calloc(1, sizeof(*rr));

	if (!rr)
		return -ENOMEM;
	rr->run = run;
	rr->rd = run->core->readiness;
	rr->due = RV_FOREVER;
	rr->rule = READY_RULE_NULL;
	list_init(&rr->probes);
	if (take_settings(rr) < 0) {
		ready_rule_deinit(&rr->rule);
		free(rr);
		return -ENOMEM;
	}
	run->ready = rr;
	rr->hears = rr->rd && (rr->rule.kind == READY_NOTIFY ||
				      run_live_watchdog_usec(rr->live) > 0);
	if (rr->rd)
		readiness_init_run(rr);
	return 0;
}

/* nothing is asked any more */
static void end_asking(struct run_ready *rr)
{
	rr->due = RV_FOREVER;
	if (rr->rd)
		ready_tries_end(rr);
}

/* Not while its hooks go on, or it waits for a spawner: all messages might have to wait. */
static void set_starting(struct run_ready *rr, bool on)
{
	if (rr->hears && rr->counted != on)
		rr->rd->n_starting += on ? 1 : -1;
	rr->counted = rr->hears && on;
}

void run_ready_sent(struct run *run, bool on)
{
	struct run_ready *rr = run->ready;

	if (!rr)
		return;
	set_starting(rr, on);
	if (on && rr->rule.kind == READY_OUTPUT)
		readiness_note_output(rr);
}

void run_ready_found(struct run *run)
{
	if (run->ready)
		set_starting(run->ready, true);
}

void run_ready_leave(struct run *run)
{
	struct run_ready *rr = run->ready;

	if (!rr)
		return;
	end_asking(rr);
	set_starting(rr, false);
	run_live_end(rr->live);
	probes_end(&rr->probes);
}

void run_ready_free(struct run *run)
{
	struct run_ready *rr = run->ready;

	if (!rr)
		return;
	end_asking(rr);
	set_starting(rr, false);
	readiness_forget(rr);
	if (rr->rd)
		rv_timer_stop(&rr->said);
	free(rr->to_hear);
	run_live_free(rr->live);
	ready_rule_deinit(&rr->rule);
	run->ready = NULL;
	free(rr);
}

void run_ready_changed(struct run_ready *rr)
{
	struct run *run = rr->run;
	bool ready = run_is_ready(run);

	/* that it ends is an event of its own */
	if (ready != rr->told_ready && run->stop == RUN_STOP_NONE && !run->ended)
		events_note_ready(run->core->events, run->job, ready,
			rr->stopping ? "stopping" : run_live_why(rr->live));
	rr->told_ready = ready;
	rv_event_set(&run->wake);
	services_job_changed(run->core->services, run->job);
}

/* from its start on, suspended time included, as elapsed_usec counts */
static int64_t since_start_usec(const struct run *run)
{
	rv_time age = clock_boottime(run->core->clock) - run->info.started_boot;

	return MAX(age / 1000, 1);
}

void run_became_ready(struct run_ready *rr)
{
	struct run *run = rr->run;

	if (rr->is_ready)
		return;
	if (run_hooks_hold_ready(run)) {
		end_asking(rr);
		rr->held = true;
		return;
	}
	rr->is_ready = true;
	end_asking(rr);
	if (rr->rule.kind == READY_EXEC && !rr->held) {
		/* recorded with its pid: there is nothing that could be lost before */
		run->rec.ready_usec = 1;
	} else {
		run->rec.ready_usec = since_start_usec(run);
		log_at(LOG_INFO, "service", "job %" PRIu64 " is ready", run->job->id);
		if (!run_record_progress(run))
			run->pid_recorded = false; /* its task does it, then */
	}
	run_live_begin(rr->live);
	run_ready_changed(rr);
}

static void begin(struct run_ready *rr, rv_time now)
{
	struct run *run = rr->run;

	rr->begun = true;
	if (rr->hears && readiness_expect(rr) < 0)
		log_at(LOG_ERR, "service",
			"out of memory: what job %" PRIu64 " says is not heard",
			run->job->id);
	if (run->rec.ready_usec > 0) {
		rr->is_ready = rr->told_ready = true; /* on record */
		run_live_begin(rr->live);
		run_ready_changed(rr);
		return;
	}
	/* What passed before this daemon looked does not count: nobody was there to be told. */
	if (rr->timeout_usec != INT64_MAX)
		rr->due = time_after(now, rr->timeout_usec);
	if (rr->rule.kind == READY_EXEC || run_hooks_were_begun(run))
		run_became_ready(rr);
	else if (rr->rule.kind == READY_FD && run->info.flags & SPAWN_RUN_READY)
		run_became_ready(rr);
	else if (ready_rule_is_asked(&rr->rule))
		ready_tries_begin(rr);
}

void run_act_on_ready(struct run *run, rv_time now)
{
	struct run_ready *rr = run->ready;

	if (!rr || !run->started)
		return;
	if (run->stop == RUN_STOP_NONE && !rr->begun) {
		begin(rr, now);
		readiness_catch_up(rr);
	}
	set_starting(rr, false);
	if (run->stop == RUN_STOP_NONE && rr->due <= now)
		run->stop = RUN_STOP_UNREADY;
	if (run->stop != RUN_STOP_NONE) {
		end_asking(rr);
		run_live_end(rr->live);
	}
}

rv_time run_ready_due(const struct run *run)
{
	return run->ready ? run->ready->due : RV_FOREVER;
}

void run_told_ready(struct run *run)
{
	struct run_ready *rr = run->ready;

	run->info.flags |= SPAWN_RUN_READY;
	if (rr && rr->begun && rr->rule.kind == READY_FD && run->stop == RUN_STOP_NONE)
		run_became_ready(rr);
}

/* ---- looking ------------------------------------------------------------------------------ */

bool run_is_coming_up(const struct run *run)
{
	const struct run_ready *rr = run->ready;

	/* on record it may be before its task has looked: one of before */
	return rr && !rr->is_ready && run->rec.ready_usec == 0 && !run->ended &&
	       run->stop == RUN_STOP_NONE;
}

bool run_is_ready(const struct run *run)
{
	const struct run_ready *rr = run->ready;

	return rr && rr->is_ready && !rr->stopping && !run->ended &&
	       run->stop == RUN_STOP_NONE && !run_live_is_unresponsive(rr->live);
}

bool run_was_ready(const struct run *run)
{
	const struct run_ready *rr = run->ready;

	if (run->rec.ready_usec > 0)
		return true;
	if (run->end.kind == RUN_END_START_FAILED || run->stop == RUN_STOP_UNREADY)
		return false;
	/* it may have ended before anybody looked */
	return !rr || (rr->rule.kind == READY_EXEC && !rr->held);
}

const char *run_unready_why(const struct run *run)
{
	return run->ready ? run->ready->unready_why : "";
}

const char *run_unresponsive_why(const struct run *run)
{
	return run->ready ? run_live_why(run->ready->live) : "";
}

int64_t run_ready_usec(const struct run *run)
{
	return run->rec.ready_usec ? run->rec.started_usec + run->rec.ready_usec : 0;
}

const char *run_status_text(const struct run *run)
{
	return run->ready ? run->ready->status : "";
}

enum run_reload_word run_reload_word(const struct run *run, rv_time since)
{
	const struct run_ready *rr = run->ready;

	if (!rr || rr->rule.kind != READY_NOTIFY)
		return RELOAD_DONE;
	/* as exact as MONOTONIC_USEC= is */
	if (rr->reloading_since < since - since % 1000)
		return RELOAD_SILENT;
	return rr->reloading ? RELOAD_GOES_ON : RELOAD_DONE;
}

void run_is_ready_now(struct run *run)
{
	if (run->ready && run->stop == RUN_STOP_NONE)
		run_became_ready(run->ready);
}

pid_t run_main_pid(const struct run *run)
{
	pid_t said = run->ready ? run->ready->main_pid : 0;

	return said ? said : run->info.pid;
}

int64_t run_uptime_usec(const struct run *run)
{
	const struct run_ready *rr = run->ready;

	if (run->end.kind == RUN_END_START_FAILED)
		return 0; /* that of its hooks is not its own */
	if (!rr || rr->rule.kind == READY_EXEC)
		return run->rec.elapsed_usec;
	return run->rec.ready_usec ? MAX(run->rec.elapsed_usec - run->rec.ready_usec, 0)
				   : 0;
}

int64_t run_ready_timeout_usec(const struct run *run)
{
	return run->ready ? run->ready->timeout_usec : INT64_MAX;
}
