/* Selectors of calls: decoded, and applied to the table of jobs with the caller's rights. */
#ifndef DAEMON_CONTROL_SELECT_H
#define DAEMON_CONTROL_SELECT_H

#include "daemon/control.h"
#include "daemon/jobs.h"

/* What a selector can end in that is not a plain set. */
struct selection {
	struct job_select sel;
	uint64_t *ids; /* the jobs at the time of the call, ascending; owned */
	size_t n_ids;
};

enum select_flags {
	SELECT_EMPTY_IS_ALL = 1 << 0, /* no selector: all of the caller's jobs */
	SELECT_UNFINISHED = 1 << 1,   /* without ids: only those */
	SELECT_AD_HOC =
		1 << 2,       /* without ids or a schedule: none that a schedule made */
	SELECT_ACTS = 1 << 3, /* without ids: no callbacks, nothing of services */
};

/**
 * Decode and resolve.
 *
 * Names that no job has, ids that do not exist or belong to others, and an empty selection
 * are answered with the error that fits: then -EINVAL comes back and the call is answered.
 *
 * Returns 0 with at least the criteria in ret, -EINVAL, -ENOMEM.
 */
int select_decode(struct selection *ret, struct control_conn *conn,
	struct vl_call *call, const json_t *obj, unsigned flags);
/* fill in ids: all jobs that match now. 0, -ENOMEM, -ECANCELED */
RV_AWAIT int select_resolve(struct selection *s, struct control_conn *conn);
/* The one job that a call is about. 1 with its id; 0: answered with an error; negative. */
RV_AWAIT int select_one(uint64_t *ret, struct control_conn *conn, struct vl_call *call,
	const json_t *obj);
void selection_deinit(struct selection *s);

/* Answer that there is no such job, or since when; more: further members of the error, taken,
 * NULL: none. -EINVAL, -ECANCELED */
RV_AWAIT int control_reply_no_such_id(
	struct control_conn *conn, struct vl_call *call, uint64_t id, json_t *more);

/* may this peer see the secrets of the job and change it? */
bool control_owns(const struct control_conn *conn, const struct job *j);
/* and does it match? */
bool control_matches(const struct control_conn *conn, const struct job_select *sel,
	const struct job *j);

#endif
