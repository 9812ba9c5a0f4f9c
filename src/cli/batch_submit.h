/* Submitting a batch: calls of many jobs, several under way at a time. */
#ifndef CLI_BATCH_SUBMIT_H
#define CLI_BATCH_SUBMIT_H

#include <stdbool.h>

#include <jansson.h>

#include "reeve/base.h"

struct cli;
struct client;
struct job_spec;

/* Where the jobs come from. */
struct batch_source {
	/**
	 * The next job; it is asked for no more of them than are to be sent now.
	 *
	 * @ret  initialised there, also on failure
	 *
	 * Returns 1; 0 at the end; -EINVAL with *err, which names it; -EMSGSIZE: it is over
	 * bytes_max; -ENOMEM.
	 */
	int (*next)(struct batch_source *src, struct job_spec *ret,
		const struct job_spec *defaults, char **err);
	/* The next job, or that there is none, need not be waited for; what was read is sent
	 * before it is waited. NULL: it never is. */
	bool (*is_ready)(struct batch_source *src);
	const char *what; /* what no counts: "line" */
	uint64_t no;      /* of the last one, from 1 */
	size_t bytes_max; /* a call takes no more; set before the first is asked for */
};

/* Takes the ids of a call, in the order of its jobs; others than integers may be in it.
 * 0; 1: no more are to be submitted than were sent already, which is no error, and it is
 * called for those yet; -ENOMEM */
typedef int (*batch_ids_fn)(void *arg, const json_t *ids);

/**
 * Submit all jobs of a source, giving their ids to fn in its order. Never holds more than
 * the calls under way. What is wrong stops it before its own call is sent; what stands
 * before it is submitted, and the message says up to where.
 *
 * @client  replaced when the connection had to be made again; what was not answered is
 *          repeated then, under the same keys
 * @fn      NULL: the ids are printed
 *
 * Returns the exit code; errors are printed.
 */
int batch_submit_from(const struct cli *c, struct client **client,
	struct batch_source *src, const struct job_spec *defaults, batch_ids_fn fn,
	void *arg);

/* The same of what a descriptor gives, lines as batch.h says; fn as there. */
int batch_submit(const struct cli *c, struct client **client, int fd, int interrupt_fd,
	const struct job_spec *defaults, batch_ids_fn fn, void *arg);

#endif
