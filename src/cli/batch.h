/*
 * Lines of `add --batch`: each a job, as a JSON object of Spec members or as a line for
 * the shell. Empty lines and lines that begin with # are skipped. A line is an object
 * when it begins with { and goes on with a quotation mark or }: what a shell would do
 * with that makes no sense, so nothing is taken from its lines. Reads any descriptor;
 * talks to nobody.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include <stdbool.h>

#include "base/buf.h"
#include "job/spec.h"

struct batch_reader {
	int fd;           /* borrowed */
	int interrupt_fd; /* reading ends with ECANCELED when it can be read; -1: none */
	const char *what; /* what it counts, for errors: "line" */
	char end;         /* of each; newline, or NUL */
	struct buf line;  /* the current one, without its end but with a NUL */
	uint64_t line_no; /* of the current one, from 1 */
	size_t line_max_bytes;
	/* what was read and is in no line yet */
	char *chunk;
	size_t chunk_at, chunk_n;
	bool at_end;
};

void batch_reader_init(
	struct batch_reader *b, int fd, int interrupt_fd, size_t line_max_bytes);
void batch_reader_deinit(struct batch_reader *b);

/* The next line, or that there is none, need not be waited for. Never blocks. */
bool batch_reader_is_ready(struct batch_reader *b);

/* The next line into b->line, whatever is in it; results as batch_next. */
int batch_read(struct batch_reader *b, char **err);

/**
 * The next job.
 *
 * @ret       initialised here, the defaults and the line put into it; deinit it also on
 *            failure
 * @defaults  what the options of the command line give to all
 *
 * Returns 1; 0 at the end; -EINVAL with *err (names the line), also where it cannot be
 * read; -EMSGSIZE likewise: it is over line_max_bytes; -ENOMEM.
 */
int batch_next(struct batch_reader *b, struct job_spec *ret,
	const struct job_spec *defaults, char **err);

#endif
