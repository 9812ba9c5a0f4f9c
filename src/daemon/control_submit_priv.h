/* Submit's own: the jobs of a call, or of several that go on, while they are made. */
#ifndef DAEMON_CONTROL_SUBMIT_PRIV_H
#define DAEMON_CONTROL_SUBMIT_PRIV_H

#include "daemon/control_deps.h"
#include "job/spec.h"

struct core;
struct env_set;
struct submit_key;
struct txn;

struct submit {
	struct control_conn *conn;
	struct vl_call *call;
	struct core *core;
	uint32_t uid;           /* whose jobs */
	struct submit_key *key; /* NULL: none given */
	char **env;             /* the caller's, unfiltered; NULL: not given */
	struct job_spec caller; /* its cwd and umask, where they were given */
	bool splits;            /* it keeps stdout and stderr apart where it can */
	struct job **jobs;      /* of all calls, the last of which is this one */
	size_t n, n_before;     /* the latter of calls before this one */
	uint32_t n_expected;    /* by jobs_expect */
	uint64_t reserved;      /* ids, by this call's record */
	char **inputs;          /* that its jobs take; each is claimed */
	struct txn *txn;
	/* the environment of the job before, and the filters that made it */
	struct env_set *last_env;
	char **last_pass, **last_drop, *last_environment;
	struct dep_promises promises; /* of its jobs, to those that they wait for */
	struct dep_resolver resolver;
};

/* What a call brings for its jobs: environment, working directory, umask. 0; -EINVAL:
 * answered; other errors are the caller's */
int submit_take_context(struct submit *s, const json_t *params);
void submit_drop_env(struct submit *s);
/* Job i of s->jobs, of its JSON, as it will be recorded, but without an id. Results as
 * above. */
RV_AWAIT int submit_make_job(struct submit *s, size_t i, const json_t *obj);

/* Answered, for the return: -EINVAL. */
int submit_invalid(struct submit *s, size_t i, const char *field, const char *message);
int submit_limit_reached(struct submit *s, const char *key, int64_t max);

#endif
