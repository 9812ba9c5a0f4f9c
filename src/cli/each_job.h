/*
 * The jobs of a selector one by one, for verbs whose method takes a single one. They are
 * asked for a page at a time, so that a million of them never are in memory.
 */
#ifndef CLI_EACH_JOB_H
#define CLI_EACH_JOB_H

#include <jansson.h>

struct cli;
struct client;

/* job: a Job object, borrowed. The client may be replaced by one that is connected again.
 * 0, or an exit code that ends it */
typedef int (*each_job_fn)(void *arg, struct client **client, const json_t *job);

/**
 * @select  Selector object; taken, also on failure; NULL: out of memory
 *
 * Returns 0, or the exit code: of fn, or after printing why the jobs cannot be had.
 */
int cli_each_job(const struct cli *c, struct client **client, json_t *select,
	each_job_fn fn, void *arg);

#endif
