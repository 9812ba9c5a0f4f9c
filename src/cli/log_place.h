/*
 * Where in the output of a job we are: pages of io.reeve.Job.Logs are taken in, and what is
 * asked for after a break, or for the next run, follows from what was shown.
 *
 * A call has one offset: of two streams the one that is ahead comes partly again, and that
 * part is left out.
 */
#ifndef CLI_LOG_PLACE_H
#define CLI_LOG_PLACE_H

#include <jansson.h>

#include "reeve/base.h"

enum { LOG_STDOUT, LOG_STDERR, LOG_STREAMS }; /* what is not split is LOG_STDOUT here */

struct log_place {
	int64_t at_run;            /* of this run; 0: nothing yet */
	int64_t next[LOG_STREAMS]; /* offset of the first byte not shown; -1: of all */
	bool is_split;             /* in two streams */
	int64_t resumed_run;       /* asked for after a break; 0: none was */
};

/* what is new in a page */
struct log_chunk {
	int64_t run;
	int stream;
	bool split; /* there are two */
	char *data; /* owned */
	size_t n;
	size_t cut;     /* bytes of data that were shown before: from the front */
	int64_t offset; /* of data in its stream */
	int64_t lost;   /* bytes before the page that nobody can have any more */
};

void log_place_begin_run(struct log_place *p, int64_t run);
/* Take in a page. 0; -EINVAL it is none; -ENOMEM. Free ret->data. */
int log_place_take(struct log_place *p, struct log_chunk *ret, const json_t *page);
/* The first byte that was not shown of any stream; -1: none was. Of a stream of which nothing
 * came that is its first one, unless only what is new was wanted. */
int64_t log_place_offset(const struct log_place *p, bool only_new);
/**
 * What to call Logs with.
 *
 * @params  what goes with every call; borrowed
 * @select  borrowed; NULL: out of memory
 * @ret     the caller's to json_decref
 *
 * 0, -ENOMEM.
 */
int log_place_params(
	const struct log_place *p, json_t **ret, const json_t *params, json_t *select);
/* the page with what is new of it only, as an object; NULL: out of memory */
json_t *log_chunk_json(const struct log_chunk *chunk, const json_t *page);

#endif
