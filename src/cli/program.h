/* Running small programs and reading what they say. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "reeve/base.h"

/* Run argv (argv[0] looked up in $PATH unless it has a slash) with its output thrown
 * away, or, with inherit, on our stdout and stderr. Its exit code; 128+n for a signal;
 * -errno when it cannot be started. */
int program_run(const char *const *argv, bool inherit);

/* What it writes to stdout, at most 64 KiB, malloc'd; NULL unless it exits with 0. */
char *program_output(const char *const *argv);

#endif
