/* Submitting a batch: calls of many jobs, several under way at a time. */
#ifndef CLI_BATCH_SUBMIT_H
#define CLI_BATCH_SUBMIT_H

#include <stdio.h>

struct cli;
struct client;
struct job_spec;

/**
 * Submit every line of in, printing the ids in its order. Never holds more than the
 * calls under way. A wrong line stops it before its own call is sent; those before it
 * are submitted, and the message says up to which line.
 *
 * @client  replaced when the connection had to be made again; what was not answered is
 *          repeated then, under the same keys
 *
 * Returns the exit code; errors are printed.
 */
int batch_submit(const struct cli *c, struct client **client, FILE *in,
	const struct job_spec *defaults);

#endif
