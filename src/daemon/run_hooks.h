/*
 * Hooks of a run of a service: commands before its start, once it is ready, before it is told
 * to end, and after its end. Each phase is a task that runs its lines in order (aux.h); the
 * run's own task goes on meanwhile, and is woken when a phase is over.
 *
 * What a reeved that is killed in the midst of one leaves to the next:
 *   pre-start   the run was never started: it is begun anew, with the first line
 *   post-start  the run goes on, and is not ready: lines that were begun are waited for, the
 *               others begun, and then it is ready. Whether it had said so itself follows from
 *               that the first line was begun
 *   pre-stop    the same, and then the run is told to end
 *   post-stop   the same, and then the end is recorded
 * Where the program has ended meanwhile, pre-stop is waited for, and then post-stop begun.
 *
 * Which lines there are is said by the configuration of now, as long as it has the service,
 * else by that of the run's start. Those that were begun are known by their text (hook_lines.h). Loop thread only.
 */
#ifndef DAEMON_RUN_HOOKS_H
#define DAEMON_RUN_HOOKS_H

#include "config/config_hooks.h"
#include "reeve/task.h"

struct run;
struct run_hooks;

/* What a run of a service has of them, as run.hooks. 0, -ENOMEM */
int run_hooks_new(struct run *run);
/* No phase may go on. */
void run_hooks_free(struct run *run);

/* Before its program is asked for. 0: it may be; 1: it may not, a hook has failed, or it is
 * not wanted any more; -ECANCELED */
RV_AWAIT int run_hooks_before_start(struct run *run);
/* It had a pre-start: where it is not to be any more, it ends with post-stop all the same. */
bool run_hooks_have_begun(const struct run *run);
/* It would be ready. True: not before post-start is done. */
bool run_hooks_hold_ready(struct run *run);
/* post-start was begun, by an earlier daemon */
bool run_hooks_were_begun(const struct run *run);
/* It is to be told to end. True: not yet. */
bool run_hooks_hold_stop(struct run *run);
/* Looks at the phase that goes on: of run_process, whenever the run was woken. */
void run_hooks_act(struct run *run);
/* It has ended. 0, -ECANCELED: its end is the next daemon's to record */
RV_AWAIT int run_hooks_after_end(struct run *run);
/* The run is left alone: no phase goes on in this daemon any more. Whatever is cancelled. */
void run_hooks_leave(struct run *run);

/* the phase that goes on, "pre-start" and so on; NULL: none */
const char *run_hooks_phase(const struct run *run);
/* "pre-start: exit status 1", where one has failed that the run needs; NULL */
const char *run_hooks_problem(const struct run *run);

#endif
