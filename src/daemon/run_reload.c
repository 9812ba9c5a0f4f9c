#include "config.h"

#include "daemon/run_reload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "config/config_hooks.h"
#include "daemon/aux.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/pidfd_status.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "reeve/scope.h"

/* So long after it was told to a service has to say that it does. One that says nothing is
 * taken to be through with it. */
static const rv_time word_wait = RV_SEC(1);

struct reload {
	unsigned refs; /* of its task, and those that wait */
	struct run *run;
	int signal;
	struct service_hooks *hooks; /* NULL: none */
	rv_time since;
	bool over;
	rv_event
		moved; /* set and cleared: it is over, or the service has said something */
	rv_task *task;
	char problem[RELOAD_PROBLEM_MAX];
};

static struct reload *reload_unref(struct reload *rl)
{
	if (!rl || --rl->refs > 0)
		return NULL;
	service_hooks_unref(rl->hooks);
	rv_task_unref(rl->task);
	free(rl);
	return NULL;
}

/* ---- what it does ------------------------------------------------------------------------- */

static int run_line(struct reload *rl, char *line)
{
	char *argv[] = {
		(char *)job_str(&rl->run->spec, SHELL), (char *)"-c", line, NULL};
	struct aux_command cmd = {.place = AUX_RELOAD,
		.argv = argv,
		.timeout_usec = rl->hooks->timeout_usec};
	char text[128];
	struct aux_end end;
	int r = aux_run(rl->run, &cmd, &end);

	if (r < 0) {
		snprintf(rl->problem, sizeof(rl->problem), "reload-command: %s",
			rv_strerror(r));
		return r;
	}
	if (aux_end_is_success(&end))
		return 0;
	aux_end_describe(&end, cmd.timeout_usec, text, sizeof(text));
	snprintf(rl->problem, sizeof(rl->problem), "reload-command: %s", text);
	aux_end_deinit(&end);
	return -ECHILD;
}

static int run_lines(struct reload *rl)
{
	char **lines = rl->hooks ? rl->hooks->lines[HOOK_RELOAD] : NULL;
	int r = 0;

	while (lines && *lines && r >= 0)
		r = run_line(rl, *lines++);
	return r;
}

static int wait_until(rv_event *event, rv_time when)
{
	rv_scope scope;
	int r = rv_scope_enter(&scope, 0, when);

	return r < 0 ? r : rv_scope_exit(&scope, rv_event_wait(event));
}

/* what it says by RELOADING=1 and READY=1 */
static int await_word(struct reload *rl)
{
	int64_t timeout = rl->hooks ? rl->hooks->timeout_usec : INT64_MAX;
	rv_time silent_until = rv_now() + word_wait;
	rv_time until = time_after(rv_now(), timeout);
	enum run_reload_word word;
	int r = 0;

	while ((word = run_reload_word(rl->run, rl->since)) != RELOAD_DONE && r >= 0) {
		r = wait_until(
			&rl->moved, word == RELOAD_SILENT ? silent_until : until);
	}
	if (r == -ETIMEDOUT && word == RELOAD_GOES_ON) {
		char text[DURATION_TEXT_MAX];

		duration_format(text, sizeof(text), timeout);
		snprintf(rl->problem, sizeof(rl->problem),
			"RELOADING=1, and no READY=1 within %s", text);
	}
	return r == -ETIMEDOUT ? 0 : r;
}

static void tell(struct reload *rl)
{
	rv_event_set(&rl->moved);
	rv_event_clear(&rl->moved);
}

static int reload_main(void *arg)
{
	struct reload *rl = arg;
	int r = 0;

	if (rl->signal > 0 && rl->run->pidfd >= 0)
		r = pidfd_kill(rl->run->pidfd, rl->signal);
	if (r < 0)
		snprintf(rl->problem, sizeof(rl->problem), "%s: %s",
			signal_name(rl->signal), rv_strerror(r));
	else
		r = run_lines(rl);
	if (r >= 0)
		r = await_word(rl);
	if (r == -ECANCELED)
		snprintf(rl->problem, sizeof(rl->problem), "it has ended meanwhile");
	rl->run->reload = NULL;
	rl->over = true;
	tell(rl);
	reload_unref(rl);
	return 0;
}

/* ---- who asks ------------------------------------------------------------------------------ */

static int begin(struct run *run, int signal, struct service_hooks *hooks)
{
	struct reload *rl = calloc(1, sizeof(*rl));
	rv_task_opts opts = {.flags = 0};
	char name[48];
	int r;

	if (!rl)
		return -ENOMEM;
	rl->refs = 1; /* of its task */
	rl->run = run;
	rl->signal = signal;
	rl->hooks = service_hooks_ref(hooks);
	rl->since = rv_now();
	rv_event_init(&rl->moved);
	snprintf(name, sizeof(name), "job-%" PRIu64 "-reload", run->job->id);
	opts.name = name;
	r = rv_spawn_ex(&rl->task, &opts, reload_main, rl);
	if (r < 0)
		reload_unref(rl);
	else
		run->reload = rl;
	return r;
}

/* takes the reference */
static int await(struct reload *rl, char *problem)
{
	int r = 0;

	while (!rl->over && r >= 0)
		r = rv_event_wait(&rl->moved);
	if (r >= 0 && problem)
		memcpy(problem, rl->problem, sizeof(rl->problem));
	reload_unref(rl);
	return r;
}

static struct run *find_run(const struct core *core, uint64_t job_id)
{
	const struct job *j = jobs_find(core->jobs, job_id);
	struct run *run = j ? j->run : NULL;

	return run && run->started && !run->ended && run->stop == RUN_STOP_NONE ? run
										: NULL;
}

bool run_reload_can(const struct core *core, uint64_t job_id)
{
	return find_run(core, job_id) != NULL;
}

int run_reload(struct core *core, uint64_t job_id, int signal,
	struct service_hooks *hooks, char problem[RELOAD_PROBLEM_MAX])
{
	struct run *run;
	int r = 0;

	snprintf(problem, RELOAD_PROBLEM_MAX, "it has ended meanwhile");
	while (r >= 0 && (run = find_run(core, job_id)) && run->reload) {
		run->reload->refs++;
		r = await(run->reload, NULL);
	}
	if (r < 0 || !run)
		return r;
	r = begin(run, signal, hooks);
	if (r < 0)
		return r;
	run->reload->refs++;
	return await(run->reload, problem);
}

void run_reload_break(struct run *run)
{
	struct reload *rl = run->reload;
	rv_scope shield;
	int r;

	if (!rl)
		return;
	rl->refs++;
	rv_task_cancel(rl->task);
	r = rv_scope_enter(&shield, RV_SCOPE_SHIELD, RV_FOREVER);
	if (r >= 0)
		(void)!rv_scope_exit(&shield, rv_task_join(rl->task, NULL));
	INVARIANT(rl->over);
	reload_unref(rl);
}

void run_reload_moved(struct run *run)
{
	if (run->reload)
		tell(run->reload);
}
