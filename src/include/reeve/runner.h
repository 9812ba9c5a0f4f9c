/*
 * Run a main task in a loop of its own, and leave nothing behind. (asyncio: runners.)
 *
 *	int main(void)
 *	{
 *		return rv_run(app, NULL, NULL) < 0;
 *	}
 */
#ifndef REEVE_RUNNER_H
#define REEVE_RUNNER_H

#include "reeve/loop.h"
#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_runner rv_runner;

typedef struct rv_run_opts {
	bool debug;
	size_t stack_size; /* as in rv_loop_opts, and so on */
	unsigned exec_threads;
	rv_time shutdown_grace; /* for the tasks left at the end, then for threads; 0:
				   10 s */
	bool handle_sigint;     /* with NULL for the options: true */
	const rv_clock *clock;
} rv_run_opts;

/**
 * Make a loop, run main_fn in it as a task, then cancel and join all other tasks, close
 * the generators, end the threads, close.
 *
 * SIGINT, if asked for and at its default disposition, cancels the main task; the
 * second one has its default action, whatever the program is doing. Neither while the
 * program has a callback of its own for it (rv_signal_on, which then also lasts into the
 * next run) or waits for it (rv_signal_wait).
 *
 * Returns what main_fn did; -EINTR if SIGINT cancelled it; -RV_ERUNNING inside a
 * running loop; errors of rv_loop_new; -RV_ESTATE if the loop was stopped before it
 * ended: then it is one of the tasks that are left.
 */
RV_PUBLIC int rv_run(rv_fn main_fn, void *arg, const rv_run_opts *o);

/* The same in parts: several runs in one loop, in which context values persist. */
RV_PUBLIC int rv_runner_new(rv_runner **ret, const rv_run_opts *o);
/** -RV_ELOOPCLOSED after close. Tasks that are left go on in the next run. */
RV_PUBLIC int rv_runner_run(rv_runner *r, rv_fn fn, void *arg);
RV_PUBLIC rv_loop *rv_runner_loop(rv_runner *r);
/** 0, also when closed already; -ETIMEDOUT: tasks or threads did not end. rv_loop_stop
 * does not cut it short. */
RV_PUBLIC int rv_runner_close(rv_runner *r);
/** Closes if need be. NULL is fine. */
RV_PUBLIC void rv_runner_free(rv_runner *r);

#ifdef __cplusplus
}
#endif
#endif
