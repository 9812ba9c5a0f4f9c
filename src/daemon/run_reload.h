/*
 * A run of a service reads its configuration again: by a signal, by commands (reload-command),
 * or both; and, with ready = notify, it may say how far it is: RELOADING=1 until READY=1, as
 * sd_notify(3) has it. One at a time of a run; who asks meanwhile comes after it.
 *
 * Nothing of it is kept. Where the daemon goes, the next one ends the command, and nobody is
 * told. Loop thread only.
 */
#ifndef DAEMON_RUN_RELOAD_H
#define DAEMON_RUN_RELOAD_H

#include "reeve/task.h"

struct core;
struct run;
struct service_hooks;

enum { RELOAD_PROBLEM_MAX = 192 };

/* The job has a run that can be: its program runs, and is not being ended. */
bool run_reload_can(const struct core *core, uint64_t job_id);
/**
 * Reload that run, and wait for it.
 *
 * @signal   for its main process; 0: none
 * @hooks    for their reload-command and its time; NULL: none
 * @problem  what went wrong, "": nothing
 *
 * Returns 0; -ECANCELED: the caller is not to wait, it goes on; -ENOMEM. The run may end
 * meanwhile, which is a problem.
 */
RV_AWAIT int run_reload(struct core *core, uint64_t job_id, int signal,
	struct service_hooks *hooks, char problem[RELOAD_PROBLEM_MAX]);
/* It has ended, or is left alone: so is what reloads it. Whatever is cancelled. */
void run_reload_break(struct run *run);
/* it has said something of it */
void run_reload_moved(struct run *run);

#endif
