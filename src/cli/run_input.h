/* Standard input of `run`: stored with the daemon, so that the job can be run by
 * whoever and whenever, also after this program is gone. */
#ifndef CLI_RUN_INPUT_H
#define CLI_RUN_INPUT_H

#include "job/spec.h"

struct cli;
struct client;

/* Bytes of one PutInput call, where the daemon takes calls of that size in base64. */
#define RUN_INPUT_CHUNK ((size_t)128 * 1024)

/**
 * Pass fd on as the stdin of s, unless s has one already, fd is a terminal, /dev/null
 * or closed, or it is at its end. Says so on stderr when it has to wait for over a
 * second.
 *
 * Returns 0, or the exit code after printing the error.
 */
int run_input_spool(
	const struct cli *c, struct client **client, struct job_spec *s, int fd);

#endif
