/*
 * Waiting for a line in what a run prints: from its beginning on, as it grows. Read and matched
 * in a worker, 64 KiB at a time; of a line the first 4096 bytes. Loop thread only.
 */
#ifndef DAEMON_PROBE_OUTPUT_H
#define DAEMON_PROBE_OUTPUT_H

#include "reeve/base.h"

struct run;

/* pattern: a POSIX extended regular expression. 0; -ECANCELED; -EOPNOTSUPP: the run has no output
 * that is kept here; -errno */
RV_AWAIT int probe_output(struct run *run, const char *pattern);

#endif
