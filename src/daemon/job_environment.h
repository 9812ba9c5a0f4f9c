/*
 * The environments that the configuration has for jobs ([environment NAME]), as a job gets
 * them: what it starts from, kept with the job (envs.h), and put together when a run starts.
 */
#ifndef DAEMON_JOB_ENVIRONMENT_H
#define DAEMON_JOB_ENVIRONMENT_H

#include "daemon/run_steps.h"

struct config;

/* Variables of whom nobody calls a job, what a login gives, beneath those of the environment
 * that its spec names. *ret is the caller's, NULL where it names none. 0, -ENOENT, -ENOMEM,
 * -RV_ELIMIT */
int job_environment_of_login(char ***ret, const struct config *cf,
	const struct job_spec *spec, const char *user, const char *home);

/* The environment of a run but for what the job itself sets, into rr->env. What it is to be
 * made of may be files, which are read now, in a worker. 0; negative, with rr->problem where
 * there is more to say than the error */
RV_AWAIT int run_request_environment(struct run_request *rr, const struct run *run);

/* Its command with variables put in, of rr->env. 0, -RV_ELIMIT, -ENOMEM */
int run_request_expand(struct run_request *rr, const struct run *run);

#endif
