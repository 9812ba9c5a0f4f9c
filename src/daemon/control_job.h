/* The handlers of io.reeve.Job, Pool, Schedule, Service and some of Daemon, one file for each
 * family. */
#ifndef DAEMON_CONTROL_JOB_H
#define DAEMON_CONTROL_JOB_H

#include "daemon/control.h"

struct config_errors;

int control_job_submit(struct control_conn *conn, struct vl_call *call);
/* The connection is gone: jobs of calls that were to go on are dropped. */
void control_submit_drop(struct control_conn *conn);
int control_job_put_input(struct control_conn *conn, struct vl_call *call);
int control_job_send(struct control_conn *conn, struct vl_call *call);
int control_job_list(struct control_conn *conn, struct vl_call *call);
int control_job_graph(struct control_conn *conn, struct vl_call *call);
int control_job_show(struct control_conn *conn, struct vl_call *call);
int control_job_functions(struct control_conn *conn, struct vl_call *call);
int control_job_wait(struct control_conn *conn, struct vl_call *call);
int control_job_logs(struct control_conn *conn, struct vl_call *call);
int control_job_events(struct control_conn *conn, struct vl_call *call);
int control_job_processes(struct control_conn *conn, struct vl_call *call);
int control_job_set(struct control_conn *conn, struct vl_call *call);
int control_job_history(struct control_conn *conn, struct vl_call *call);
int control_job_stats(struct control_conn *conn, struct vl_call *call);
int control_job_cancel(struct control_conn *conn, struct vl_call *call);
int control_job_kill(struct control_conn *conn, struct vl_call *call);
int control_job_pause(struct control_conn *conn, struct vl_call *call);
int control_job_resume(struct control_conn *conn, struct vl_call *call);
int control_job_hold(struct control_conn *conn, struct vl_call *call);
int control_job_release(struct control_conn *conn, struct vl_call *call);
int control_job_force(struct control_conn *conn, struct vl_call *call);
int control_job_move(struct control_conn *conn, struct vl_call *call);
int control_job_retry(struct control_conn *conn, struct vl_call *call);
int control_job_set_dependencies(struct control_conn *conn, struct vl_call *call);
int control_job_remove(struct control_conn *conn, struct vl_call *call);
int control_job_clean(struct control_conn *conn, struct vl_call *call);

/* of io.reeve.Daemon */
int control_daemon_diff(struct control_conn *conn, struct vl_call *call);
/* answers with ConfigInvalid */
int control_config_errors(struct vl_call *call, const struct config_errors *errors);

/* of io.reeve.Pool */
int control_pool_list(struct control_conn *conn, struct vl_call *call);
int control_pool_add(struct control_conn *conn, struct vl_call *call);
int control_pool_set(struct control_conn *conn, struct vl_call *call);
int control_pool_reset(struct control_conn *conn, struct vl_call *call);
int control_pool_remove(struct control_conn *conn, struct vl_call *call);
int control_pool_pause(struct control_conn *conn, struct vl_call *call);
int control_pool_resume(struct control_conn *conn, struct vl_call *call);
int control_pool_drain(struct control_conn *conn, struct vl_call *call);

/* of io.reeve.Schedule */
int control_schedule_list(struct control_conn *conn, struct vl_call *call);
int control_schedule_show(struct control_conn *conn, struct vl_call *call);
int control_schedule_next(struct control_conn *conn, struct vl_call *call);
int control_schedule_history(struct control_conn *conn, struct vl_call *call);
int control_schedule_add(struct control_conn *conn, struct vl_call *call);
int control_schedule_remove(struct control_conn *conn, struct vl_call *call);
int control_schedule_run(struct control_conn *conn, struct vl_call *call);
int control_schedule_pause(struct control_conn *conn, struct vl_call *call);
int control_schedule_resume(struct control_conn *conn, struct vl_call *call);

/* of io.reeve.Service */
int control_service_list(struct control_conn *conn, struct vl_call *call);
int control_service_show(struct control_conn *conn, struct vl_call *call);
int control_service_start(struct control_conn *conn, struct vl_call *call);
int control_service_stop(struct control_conn *conn, struct vl_call *call);
int control_service_restart(struct control_conn *conn, struct vl_call *call);
int control_service_restart_group(struct control_conn *conn, struct vl_call *call);
int control_service_roll(struct control_conn *conn, struct vl_call *call);
/* Once it is up, or is not expected to be: who is not; changed: NULL, that was no change */
int control_service_answer_up(
	struct control_conn *conn, struct vl_call *call, const bool *changed);
int control_service_wait(struct control_conn *conn, struct vl_call *call);
int control_service_reload(struct control_conn *conn, struct vl_call *call);
int control_service_scale(struct control_conn *conn, struct vl_call *call);
int control_service_reset(struct control_conn *conn, struct vl_call *call);

/* the effect of Cancel on jobs that are known by id. 0, negative */
RV_AWAIT int control_cancel_ids(
	struct control_conn *conn, const uint64_t *ids, size_t n);

/**
 * Entries that no program could look up are not passed on: an environment with one that
 * has no '=', or no name before it, is refused. Returns 0; -EINVAL: answered.
 */
int control_check_env(struct vl_call *call, char *const *env);

enum {
	PAGE_BYTES = 64 * 1024, /* of a streamed reply */
	JOB_BYTES = 2048,       /* of one job in it */
};

#endif
