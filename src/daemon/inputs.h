/*
 * Bytes that clients gave for the stdin of jobs: files below the state directory, made by
 * PutInput, referred to by a job's stdin "input:NAME", removed with the job. One that is not
 * complete when its connection ends goes at once, one that no job took after an hour, and
 * what a daemon that was killed left of either when the next one starts. Loop thread only;
 * files are written in a worker.
 */
#ifndef DAEMON_INPUTS_H
#define DAEMON_INPUTS_H

#include "config/configuration.h"
#include "reeve/task.h"

struct core;
struct inputs;

enum { INPUT_NAME_MAX = 40 };

int inputs_new(struct inputs **ret, struct core *core);
struct inputs *inputs_free(struct inputs *in);

/**
 * Append bytes.
 *
 * @name   in: the input to append to, or "" to make one; out: its name
 * @owner  the connection; only compared
 *
 * @ret_limit  on -RV_ELIMIT: the key whose value is reached
 *
 * Returns 0, -ENOENT (no such input of that connection, or it is complete), -RV_ELIMIT
 * (over input-max, too many that no job has taken, or too much in them), -ENOSPC ...; on
 * errors the input is gone, but with -ENOENT.
 */
RV_AWAIT int inputs_put(struct inputs *in, char name[INPUT_NAME_MAX], const void *owner,
	uint32_t uid, const void *p, size_t n, bool last, enum config_key *ret_limit);
/* that connection has ended */
void inputs_owner_gone(struct inputs *in, const void *owner);

/* A job that is being submitted takes it. -ENOENT when it is not that user's, is not
 * complete, or another takes it. To be followed by inputs_end_claim. */
int inputs_claim(struct inputs *in, const char *name, uint32_t uid);
/* @taken  the job is on disk, the file stays as long as it; else another one may take it */
void inputs_end_claim(struct inputs *in, const char *name, bool taken);
/* absolute path for the spawner, malloc'd; -EINVAL for a name that cannot be one */
int inputs_path(struct inputs *in, char **ret, const char *name, uint32_t uid);
/* the job is forgotten; soon */
void inputs_remove(struct inputs *in, const char *name);
/* Remove files that no job refers to; before the first client. How many, or negative. */
RV_AWAIT int inputs_sweep(struct inputs *in);

#endif
