/* The part of a run between its two records; the two roads share one shape. */
#ifndef DAEMON_RUN_STEPS_H
#define DAEMON_RUN_STEPS_H

#include "daemon/run.h"

/*
 * Both return 0 with run.ended set and run.end filled in, or -ECANCELED when the daemon
 * detaches: then the run goes on without it. run_process also RUN_NOT_BEGUN.
 */
RV_AWAIT int run_process(struct run *run);
RV_AWAIT int run_function(struct run *run);
/* The pid, and what else is known of one that goes on, into its record, without waiting. False:
 * no memory now */
bool run_record_progress(struct run *run);
/* It is over, and how; where it is already, nothing. */
void run_set_ended(struct run *run, const struct run_end *end);
/* Its process has ended without a spawner, and nobody reaps it: how is not known. */
void run_give_up_status(struct run *run);

/* The start request of a command, made from its spec: argv, environment, limits. */
struct run_request {
	struct spawn_request req;
	char **argv, **env;
	struct spawn_rlimit rlimits[SPAWN_RLIMITS_MAX];
	int stdout_fd, stderr_fd; /* -1: none */
	char *stdin_path;
	uint32_t *groups;
	char *problem; /* why it cannot be, where the error does not say; NULL */
};
/* 0, -errno with ret_step the step that cannot be; deinit it in both cases */
RV_AWAIT int run_request_init(
	struct run_request *rr, struct run *run, enum spawn_step *ret_step);
void run_request_deinit(struct run_request *rr);

#endif
