/*
 * Bytes that clients gave for the stdin of jobs: files below the state directory, made by
 * PutInput, referred to by a job's stdin "input:NAME", removed with the job. An input that
 * no job refers to is removed when the daemon starts. Loop thread only; files are written
 * in a worker.
 */
#ifndef DAEMON_INPUTS_H
#define DAEMON_INPUTS_H

#include "reeve/task.h"

struct core;
struct inputs;

enum { INPUT_NAME_MAX = 40 };

int inputs_new(struct inputs **ret, struct core *core);
struct inputs *inputs_free(struct inputs *in);

/**
 * Append bytes.
 *
 * @name  in: the input to append to, or "" to make one; out: its name
 *
 * Returns 0, -ENOENT (no such input of that user, or it is complete), -RV_ELIMIT (over
 * input-max, or too many unfinished ones), -ENOSPC ...
 */
RV_AWAIT int inputs_put(struct inputs *in, char name[INPUT_NAME_MAX], uint32_t uid,
	const void *p, size_t n, bool last);

/* A job takes it: the file stays as long as the job. -ENOENT when it is not that user's or
 * is not complete. */
int inputs_claim(struct inputs *in, const char *name, uint32_t uid);
/* absolute path for the spawner, malloc'd; -EINVAL for a name that cannot be one */
int inputs_path(struct inputs *in, char **ret, const char *name, uint32_t uid);
/* the job is forgotten; soon */
void inputs_remove(struct inputs *in, const char *name);

#endif
