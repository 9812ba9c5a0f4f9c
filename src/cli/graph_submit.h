/* `add --graph`: a file of jobs that wait for one another, submitted as one. */
#ifndef CLI_GRAPH_SUBMIT_H
#define CLI_GRAPH_SUBMIT_H

#include "job/spec.h"

struct cli;

/**
 * Read the file ("-": standard input), submit its jobs in as many calls as they take, of
 * which the last one records all, and print their ids in the order of the file.
 *
 * Returns the exit code; errors are printed, each with its file and line.
 */
int graph_submit(
	const struct cli *c, const char *path, const struct job_spec *defaults);

#endif
