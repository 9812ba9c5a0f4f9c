/*
 * What a job printed last, over its runs: of the newest one, and, where that is less than is
 * wanted, of those before it.
 *
 * Asked for is from the newest run backwards, shown is the oldest first: what is held meanwhile
 * is no more than LOG_RUNS_BYTES, and no run is looked for beyond those that Show tells.
 */
#ifndef CLI_LOG_RUNS_H
#define CLI_LOG_RUNS_H

#include <jansson.h>

#include "reeve/base.h"

struct cli;
struct client;

/* of the newest run all is shown, unless so many lines were asked for; with fewer than this the
 * runs before it are looked at */
#define LOG_RUNS_LINES 10
#define LOG_RUNS_BYTES (64 * 1024 * 1024)

struct log_runs_ops {
	/* What follows is of this run; only where more than one is shown. started_usec 0: not
	 * known. 0, negative */
	int (*begin_run)(void *arg, int64_t run, int64_t started_usec);
	/* a page of Logs. 0, negative */
	int (*page)(void *arg, const json_t *page);
	void *arg;
};

/**
 * Show it.
 *
 * @params  of Logs, but for select, run and lines; borrowed
 * @select  one job; borrowed
 * @lines   the last so many; -1: see LOG_RUNS_LINES
 *
 * Returns 0, or the exit code.
 */
int log_runs_show(const struct cli *c, struct client *client, const json_t *params,
	json_t *select, int64_t lines, const struct log_runs_ops *ops);

#endif
