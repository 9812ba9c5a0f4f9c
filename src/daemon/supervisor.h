/*
 * Runs: one supervising task per run, straight-line code from the record of its start to
 * the record of its end. It is asked to stop by a request that it waits for beside exit
 * and timeout; cancelling the task means detaching: it leaves the run alone and returns.
 */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include "daemon/run.h"

/* Start a job that was taken out of the order and given its slot; ahead: the next that comes
 * free. 0, or an error when there is no task for it: then nothing has changed. */
int supervisor_start(struct core *core, struct job *j, unsigned way, bool ahead);

/* How a run that an earlier reeved recorded was found. */
enum run_found {
	RUN_FOUND_GOING_ON, /* with this spawner: its info holds */
	RUN_FOUND_ENDED,    /* end holds */
	RUN_FOUND_BY_PIDFD, /* its spawner is gone, its process is there: pidfd holds, and
			     * what info says of the process */
};

/* Go on with such a run. Takes pidfd (-1: none), also on failure. */
int supervisor_adopt(struct core *core, struct job *j, const struct store_run *rec,
	enum run_found found, const struct spawn_run_info *info,
	const struct run_end *end, int pidfd);

/* A job that was only started ahead has not begun: it is taken back to the queue, unless it
 * begins, or the spawner does not answer. *ret: the job, NULL: it is gone. 0, -ECANCELED */
RV_AWAIT int supervisor_recall(struct core *core, uint64_t id, struct job **ret);

/* requests; they have their effect soon */
void run_request_stop(struct run *run, enum run_stop why);
void run_hasten(struct run *run); /* of a run that is being stopped: SIGKILL now */
void run_request_pause(struct run *run, bool on);
/* Those properties, bits of enum job_field, are as in the packed spec from now on; only such
 * as are looked at while a program runs, or when it has ended. 0, -ENOMEM */
int run_change_spec(
	struct run *run, uint64_t fields, const void *packed, size_t packed_len);
/* one that was started ahead goes back to the queue, unless it has begun by now */
void run_request_recall(struct run *run);
/* it is not ahead any more: it runs, has ended, or was taken back */
void run_set_arrived(struct run *run);
/* to its process group, now. 0, -EAGAIN: no spawner or no room */
int run_signal(struct run *run, int sig);

/* told by the spawner link */
void run_told_started(struct run *run, const struct spawn_run_info *info, int pidfd);
void run_told_failed(struct run *run, const struct spawn_run_info *info);
void run_told_exited(struct run *run, const struct spawn_run_info *info);
void run_told_recalled(struct run *run);    /* it had not begun and is with nobody */
void run_told_not_started(struct run *run); /* its request never got there: again */
void run_told_spawner_gone(struct run *run);
/* it had become our own child, and has ended */
void run_told_reaped(struct run *run, int status);

#endif
