#include "config.h"

#include "daemon/run_hooks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/strv.h"
#include "daemon/aux.h"
#include "daemon/core.h"
#include "daemon/hook_lines.h"
#include "daemon/output_caps.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/run_reload.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"
#include "reeve/scope.h"

#define PHASES   HOOK_RELOAD /* those before it */
#define NO_PHASE HOOK_N

static const unsigned place_of[PHASES] = {
	[HOOK_PRE_START] = AUX_PRE_START,
	[HOOK_POST_START] = AUX_POST_START,
	[HOOK_PRE_STOP] = AUX_PRE_STOP,
	[HOOK_POST_STOP] = AUX_POST_STOP,
};

struct run_hooks {
	struct run *run;
	struct service_hooks *hooks; /* as of the start, or of now; NULL: none */
	/* the phase that goes on */
	enum service_hook phase; /* NO_PHASE: none */
	struct service_hooks *of_phase;
	char **env; /* of its commands */
	rv_task *task;
	bool over, failed; /* of its task */
	/* phases that were begun, are done */
	bool begun[PHASES], done[PHASES];
	unsigned places[HOOK_LINES_MAX]; /* of the lines of the phase (aux.h) */
	char problem[192];               /* "": none */
};

/* of what goes on of a service that is not in the configuration: the default */
static const int64_t timeout_of_removed = 30 * USEC_PER_SEC;

int run_hooks_new(struct run *run)
{
	struct run_hooks *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->run = run;
	h->phase = NO_PHASE;
	h->hooks = services_hooks(run->core->services, run->job);
	run->hooks = h;
	return 0;
}

void run_hooks_free(struct run *run)
{
	struct run_hooks *h = run->hooks;

	if (!h)
		return;
	INVARIANT(!h->task);
	service_hooks_unref(h->hooks);
	run->hooks = NULL;
	free(h);
}

/* ---- a phase -------------------------------------------------------------------------------- */

static void tell_failed(struct run_hooks *h, const char *line, const char *what)
{
	const char *name = service_hook_name[h->phase];

	/* of short runs in a row the first: there may be thousands */
	log_at(h->run->job->n_failed == 0 ? LOG_WARNING : LOG_DEBUG, "service",
		"job %" PRIu64 ": %s '%.200s': %s", h->run->job->id, name, line, what);
	h->failed = true;
	/* what becomes of the run, whose start it is a part of */
	if (h->phase == HOOK_PRE_START || h->phase == HOOK_POST_START)
		snprintf(h->problem, sizeof(h->problem), "%s: %s", name, what);
}

static int run_line(struct run_hooks *h, size_t i, char *line)
{
	const struct run *run = h->run;
	char *argv[] = {(char *)job_str(&run->spec, SHELL), (char *)"-c", line, NULL};
	struct aux_command cmd = {.place = h->places[i],
		.argv = argv,
		.env = h->env,
		.timeout_usec = h->of_phase->timeout_usec,
		.line = hook_line_hash(line)};
	struct aux_end end;
	char text[160];
	int r = aux_run(h->run, &cmd, &end);

	if (r == -ECANCELED)
		return r;
	if (r < 0)
		tell_failed(h, line, rv_strerror(r));
	if (r >= 0 && !aux_end_is_success(&end)) {
		aux_end_describe(&end, cmd.timeout_usec, text, sizeof(text));
		tell_failed(h, line, text);
	}
	if (r >= 0)
		aux_end_deinit(&end);
	return 0;
}

/* One that fails is the last; but what is to be done after an end is done whatever comes. */
static int phase_main(void *arg)
{
	struct run_hooks *h = arg;
	char **lines = h->of_phase ? h->of_phase->lines[h->phase] : NULL;
	const struct hook_lines of = {.name = service_hook_name[h->phase],
		.first = place_of[h->phase],
		.lines = lines,
		.timeout_usec =
			h->of_phase ? h->of_phase->timeout_usec : timeout_of_removed};
	int r = hook_lines_place(h->run, &of, h->places);

	if (r < 0 && r != -ECANCELED)
		tell_failed(h, "", rv_strerror(r));
	for (size_t i = 0; lines && lines[i] && r >= 0; i++) {
		if (h->failed && h->phase != HOOK_POST_STOP)
			break;
		r = run_line(h, i, lines[i]);
	}
	h->over = true;
	rv_event_set(&h->run->wake);
	return 0;
}

/* where the configuration has other ones by now */
static void refresh(struct run_hooks *h)
{
	struct service_hooks *now = services_hooks(h->run->core->services, h->run->job);

	if (!now)
		return;
	service_hooks_unref(h->hooks);
	h->hooks = now;
}

static void tell_state(struct run_hooks *h)
{
	services_job_changed(h->run->core->services, h->run->job);
}

static void end_phase(struct run_hooks *h)
{
	rv_task_unref(TAKE_PTR(h->task));
	h->of_phase = service_hooks_unref(h->of_phase);
	h->env = strv_free(h->env);
	h->done[h->phase] = true;
	h->phase = NO_PHASE;
	tell_state(h);
}

/* by an earlier daemon: also a hook that is not in the configuration any more */
static bool was_begun(const struct run_hooks *h, enum service_hook phase)
{
	return hook_lines_were_begun(h->run, place_of[phase]);
}

/* True: it goes on. False: there are none, or no task for them, which is a failure of theirs */
static bool begin_phase(struct run_hooks *h, enum service_hook phase)
{
	struct run *run = h->run;
	rv_task_opts opts = {.flags = 0};
	char name[48];
	int r;

	refresh(h);
	h->begun[phase] = true;
	h->failed = h->over = false;
	if (!service_hooks_has(h->hooks, phase) && !was_begun(h, phase)) {
		h->done[phase] = true;
		return false;
	}
	if (!run->caps)
		(void)output_caps_watch(run->core->caps, run);
	h->phase = phase;
	h->of_phase = service_hooks_ref(h->hooks);
	snprintf(name, sizeof(name), "job-%" PRIu64 "-%s", run->job->id,
		service_hook_name[phase]);
	opts.name = name;
	r = rv_spawn_ex(&h->task, &opts, phase_main, h);
	if (r < 0) {
		tell_failed(h, "", rv_strerror(r));
		end_phase(h);
		return false;
	}
	tell_state(h);
	return true;
}

/* It is ended, with what it runs, or, where the daemon goes, left to the next one. Its task
 * waits for nothing once it was told to. */
static void break_off(struct run_hooks *h)
{
	rv_scope shield;
	int r;

	if (!h->task)
		return;
	rv_task_cancel(h->task);
	r = rv_scope_enter(&shield, RV_SCOPE_SHIELD, RV_FOREVER);
	if (r >= 0)
		(void)rv_scope_exit(&shield, rv_task_join(h->task, NULL));
	INVARIANT(h->over);
	end_phase(h);
}

/* until it is over, it is not wanted any more, or not so long. 0, -ECANCELED */
static int await_phase(struct run_hooks *h, bool (*is_wanted)(const struct run *run))
{
	struct run *run = h->run;

	while (!h->over) {
		int r;

		rv_event_clear(&run->wake);
		if (!is_wanted(run)) {
			break_off(h);
			return 0;
		}
		r = rv_event_wait(&run->wake);
		if (r < 0)
			return r;
	}
	end_phase(h);
	return 0;
}

/* ---- before the start ------------------------------------------------------------------------- */

static bool is_starting(const struct run *run)
{
	return run->stop == RUN_STOP_NONE && !run->hasten;
}

int run_hooks_before_start(struct run *run)
{
	struct run_hooks *h = run->hooks;
	int r = 0;

	if (!h || h->done[HOOK_PRE_START] || run->stop != RUN_STOP_NONE)
		return 0;
	if (begin_phase(h, HOOK_PRE_START)) {
		scheduler_note_started(
			run->core->scheduler, run); /* it may take long */
		r = await_phase(h, is_starting);
	} else if (!service_hooks_has(h->hooks, HOOK_PRE_START)) {
		h->begun[HOOK_PRE_START] = false;
	}
	if (r < 0)
		return r;
	return h->failed || (h->begun[HOOK_PRE_START] && !is_starting(run));
}

bool run_hooks_have_begun(const struct run *run)
{
	return run->hooks && run->hooks->begun[HOOK_PRE_START];
}

/* ---- until it is ready -------------------------------------------------------------------------- */

bool run_hooks_hold_ready(struct run *run)
{
	struct run_hooks *h = run->hooks;

	if (!h || h->done[HOOK_POST_START])
		return false;
	if (h->phase == HOOK_POST_START)
		return true;
	if (begin_phase(h, HOOK_POST_START))
		return true;
	if (h->failed && run->stop == RUN_STOP_NONE)
		run->stop = RUN_STOP_UNREADY;
	return h->failed;
}

bool run_hooks_were_begun(const struct run *run)
{
	return run->hooks && was_begun(run->hooks, HOOK_POST_START);
}

void run_hooks_act(struct run *run)
{
	struct run_hooks *h = run->hooks;

	if (!h || h->phase != HOOK_POST_START)
		return;
	if (!h->over) {
		if (run->stop != RUN_STOP_NONE)
			break_off(h);
		return;
	}
	end_phase(h);
	if (!h->failed)
		run_is_ready_now(run);
	else if (run->stop == RUN_STOP_NONE)
		run->stop = RUN_STOP_UNREADY;
}

/* ---- before it is told to end --------------------------------------------------------------------- */

bool run_hooks_hold_stop(struct run *run)
{
	struct run_hooks *h = run->hooks;

	if (!h || h->done[HOOK_PRE_STOP])
		return false;
	if (h->phase == HOOK_PRE_STOP) {
		if (h->over)
			end_phase(h);
		return h->phase == HOOK_PRE_STOP && !run->hasten;
	}
	/* one that never came up has nothing to say good-bye to; that it had may not be on record */
	if ((run_ready_usec(run) == 0 && !was_begun(h, HOOK_PRE_STOP)) || run->hasten) {
		h->done[HOOK_PRE_STOP] = true;
		return false;
	}
	return begin_phase(h, HOOK_PRE_STOP);
}

/* ---- after the end ------------------------------------------------------------------------------- */

static bool is_not_hastened(const struct run *run)
{
	return !run->hasten;
}

/* as systemd.exec(5) names them */
static const char *result_of(const struct run *run)
{
	int status = run->end.wait_status;

	if (run->stop == RUN_STOP_UNREADY || run->stop == RUN_STOP_TIMEOUT)
		return run_hooks_problem(run) ? "exit-code" : "timeout";
	if (run->stop == RUN_STOP_UNRESPONSIVE)
		return "watchdog";
	if (run->end.kind == RUN_END_START_FAILED && run->end.error == -ECANCELED &&
		run->stop != RUN_STOP_NONE)
		return "success"; /* it was told to end before its program began */
	if (run->stop == RUN_STOP_MEMORY || run->end.kind == RUN_END_START_FAILED)
		return run_hooks_problem(run) ? "exit-code" : "resources";
	if (run->end.kind == RUN_END_LOST)
		return "resources";
	if (run->stop != RUN_STOP_NONE)
		return "success";
	if (WIFSIGNALED(status))
		return WCOREDUMP(status) ? "core-dump" : "signal";
	return WEXITSTATUS(status) == 0 ? "success" : "exit-code";
}

static int put_env(char ***env, const char *name, const char *value)
{
	return strv_env_set(env, name, value);
}

/* what is known of the end, in the environment */
static int describe_end(struct run_hooks *h)
{
	const struct run *run = h->run;
	int status = run->end.wait_status;
	char number[16];
	int r = put_env(&h->env, "SERVICE_RESULT", result_of(run));

	if (run->end.kind != RUN_END_EXITED || r < 0)
		return r;
	if (WIFSIGNALED(status)) {
		const char *name = signal_name(WTERMSIG(status));

		r = put_env(
			&h->env, "EXIT_CODE", WCOREDUMP(status) ? "dumped" : "killed");
		/* "TERM", without what all of them begin with */
		return r < 0 ? r : put_env(&h->env, "EXIT_STATUS", name + 3);
	}
	snprintf(number, sizeof(number), "%d", WEXITSTATUS(status));
	r = put_env(&h->env, "EXIT_CODE", "exited");
	return r < 0 ? r : put_env(&h->env, "EXIT_STATUS", number);
}

/* What an earlier daemon has begun. One that was ready only to end is not waited for; one that was
 * told to end is, and the rest of its lines are begun, as where this daemon had told it to. */
static void take_up_begun(struct run_hooks *h)
{
	for (unsigned i = 0; i < AUX_LINES_MAX; i++)
		aux_forget_place(h->run, AUX_POST_START + i);
	if (!h->begun[HOOK_PRE_STOP] && was_begun(h, HOOK_PRE_STOP) &&
		!was_begun(h, HOOK_POST_STOP))
		(void)begin_phase(h, HOOK_PRE_STOP);
}

/* nothing of it ever was */
static bool never_began(const struct run_hooks *h)
{
	return h->run->end.kind == RUN_END_START_FAILED &&
	       h->run->end.error == -ECANCELED && !run_hooks_have_begun(h->run);
}

int run_hooks_after_end(struct run *run)
{
	struct run_hooks *h = run->hooks;
	int r = 0;

	run_reload_break(run);
	if (!h || never_began(h))
		return 0;
	if (h->phase == HOOK_POST_START)
		break_off(h);
	take_up_begun(h);
	if (h->phase == HOOK_PRE_STOP)
		r = await_phase(h, is_not_hastened);
	if (r < 0)
		return r;
	refresh(h);
	if (service_hooks_has(h->hooks, HOOK_POST_STOP) && describe_end(h) < 0)
		log_at(LOG_ERR, "service",
			"out of memory: post-stop of job %" PRIu64
			" is not told how it ended",
			run->job->id);
	if (begin_phase(h, HOOK_POST_STOP))
		r = await_phase(h, is_not_hastened);
	return r;
}

void run_hooks_leave(struct run *run)
{
	run_reload_break(run);
	if (run->hooks)
		break_off(run->hooks);
}

/* ---- looking -------------------------------------------------------------------------------------- */

const char *run_hooks_phase(const struct run *run)
{
	const struct run_hooks *h = run->hooks;

	return h && h->phase != NO_PHASE ? service_hook_name[h->phase] : NULL;
}

const char *run_hooks_problem(const struct run *run)
{
	const struct run_hooks *h = run->hooks;

	return h && h->problem[0] ? h->problem : NULL;
}
