/* The calls of a batch: lines become jobs, and jobs calls, which may be cut smaller. */
#ifndef CLI_BATCH_CALLS_H
#define CLI_BATCH_CALLS_H

#include <jansson.h>

#include "base/list.h"
#include "cli/batch_submit.h"
#include "cli/limits.h"

/*
 * Which lines a call holds depends on the settings of the daemon and on the environment, but
 * a key that the user gave has to mean the same lines again. So with such a key one call is
 * made after the other, and it is the answer that says how many lines the key's call had:
 * where they were fewer the rest goes into the next call, where they were more the next lines
 * are left out.
 *
 * A daemon may be told meanwhile to take fewer jobs in a call (a reload that lowers
 * submit-max). What it refuses then is cut smaller and sent again, while calls that were
 * made after it may be through: their ids are kept until those of all lines before are there.
 */

/* a call that was made, and whose ids were not printed yet */
struct batch_call {
	struct list link; /* in batch.calls */
	struct list sent; /* in batch.sent while its answer is waited for */
	json_t *params;
	uint64_t *line_no; /* of each of its jobs, for the daemon's errors */
	size_t n_jobs;
	json_t *ids;    /* the answer; NULL: there is none yet */
	bool must_wait; /* it failed; again when it is the first, to be told in order */
	bool has_names; /* that jobs of calls before may have: sent when these are answered */
};

struct batch {
	const struct cli *c;
	const struct job_spec *defaults;
	struct batch_source *src;
	batch_ids_fn take_ids; /* NULL: print them */
	void *arg;
	json_t *caller; /* what goes with each call */
	struct limits limits;
	size_t jobs_max_bytes; /* of one call, beside the environment */
	const char *key;       /* what the keys of the calls begin with */
	bool key_is_given;
	uint64_t n_calls; /* made so far: the end of their keys */
	uint64_t n_done;  /* jobs that have their id */
	uint64_t done_line;
	struct list calls; /* of struct batch_call.link, in the order of their lines */
	unsigned n;        /* of those */
	struct list sent; /* of struct batch_call.sent, in the order of their answers */
	/* read, and in no call yet: one that did not fit into the last call, and those
	 * that an answer left over */
	struct ahead {
		json_t *job;
		uint64_t line_no;
		bool has_names;
	} * ahead;
	size_t ahead_first, n_ahead;
	uint64_t n_skip; /* so many that come next are in an answer already */
	bool at_end;
	bool enough;     /* told by take_ids: no call is made any more */
	char *bad_line;  /* why reading ended early; told when all before it is done */
	int bad_code;    /* its exit code */
	int exit_code;   /* of an error that was printed */
	bool has_failed; /* such is the answer to the first of the calls */
};

/* NULL: none */
struct batch_call *batch_first_call(const struct batch *b);
/* out of its lists; takes NULL, returns NULL */
struct batch_call *batch_call_free(struct batch_call *call);

/* The next job need not be waited for. */
bool batch_is_ready(const struct batch *b);
/* A call of as many jobs as fit and are ready, last of all. 1, 0 when there are no more, -EINVAL with
 * b->bad_line, other errors */
int batch_make_call(struct batch *b);
/* Of the call only the first n_done jobs are the key's: the rest comes next. 0, -ENOMEM */
int batch_put_back(struct batch *b, const struct batch_call *call, size_t n_done);
/* The daemon takes no more than n_max jobs in a call by now; it took none of this one. 0,
 * -ENOMEM */
int batch_cut_call(struct batch *b, struct batch_call *call, size_t n_max);
/* the first of b->ahead, of which there is one; the caller's */
json_t *batch_take_ahead(struct batch *b);

#endif
