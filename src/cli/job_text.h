/*
 * A job as text that people edit: the notation of reeve.conf, one section [job], with the
 * help of each property before it. What is at its default is a comment.
 */
#ifndef CLI_JOB_TEXT_H
#define CLI_JOB_TEXT_H

#include <stdio.h>

#include "config/config_errors.h"
#include "job/spec.h"

/* Only what can still be changed; has_run, runs: what it runs cannot, what a run takes
 * cannot. 0, -ENOMEM */
int job_text_write(FILE *f, const struct job_spec *spec, bool has_run, bool runs);

/**
 * Read it back.
 *
 * @ret     an initialised spec; gets what the text says
 * @lines   JOB_FIELD_N line numbers; 0: the property is not there
 * @errors  all that is wrong, with its line
 *
 * Returns 0, -EINVAL, -ENOMEM.
 */
int job_text_read(struct job_spec *ret, unsigned lines[JOB_FIELD_N], const char *text,
	size_t n, const char *file, struct config_errors *errors);

/* the properties in which they differ: a bit each; UINT64_MAX: out of memory */
uint64_t job_spec_difference(const struct job_spec *a, const struct job_spec *b);

#endif
