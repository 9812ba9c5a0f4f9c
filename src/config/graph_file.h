/*
 * A graph of jobs in one file: sections [job NAME] with the properties of jobs, in the form of
 * the configuration. What a job waits for names sections of the file first; all else is left
 * to the daemon.
 *
 * Pure but for memory: bytes in, jobs out.
 */
#ifndef CONFIG_GRAPH_FILE_H
#define CONFIG_GRAPH_FILE_H

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "config/config_errors.h"
#include "job/spec.h"

struct graph_job {
	const char *name; /* of its section; also the job's, unless it says another */
	unsigned line;    /* of the section */
	struct job_spec
		spec; /* sections of the file that it waits for are "#N" there */
	unsigned field_line[JOB_FIELD_N]; /* where it was given; 0: nowhere */
};

struct graph {
	struct graph_job *jobs; /* in the order of the file */
	size_t n, n_max;
	struct hashmap *by_name; /* place in jobs, from 1, counted in the pointer */
};

/* lines of one file's jobs, for what somebody else finds */
unsigned graph_line(const struct graph *g, size_t job, const char *json_name);

/**
 * Read the text of a file.
 *
 * @text    n bytes, any
 * @file    its name for messages
 * @errors  gets everything that is wrong, a cycle with the sections that it goes through
 *
 * Returns 0, -EINVAL (errors has at least one), -ENOMEM.
 */
int graph_parse(struct graph **ret, const char *text, size_t n, const char *file,
	struct config_errors *errors);
struct graph *graph_free(struct graph *g);
DEFINE_CLEANUP(struct graph *, graph_free)

#endif
