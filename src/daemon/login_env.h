/*
 * The environment of jobs that nobody submits, of schedules and services: what a login would
 * give, in short. What the job says counts.
 */
#ifndef DAEMON_LOGIN_ENV_H
#define DAEMON_LOGIN_ENV_H

#include "job/spec.h"

/* A variable, unless the job says it; value NULL: none. 0, -ENOMEM, -RV_ELIMIT */
int login_env_put(struct job_spec *spec, const char *name, const char *value);
/* PATH, HOME, USER and LOGNAME. The same results. */
int login_env_put_all(struct job_spec *spec, const char *user, const char *home);

#endif
