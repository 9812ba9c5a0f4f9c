/* `reeved --job-counts`: what a daemon that does not run has in its state directory. */
#ifndef DAEMON_JOB_COUNTS_H
#define DAEMON_JOB_COUNTS_H

/**
 * Print a JSON object, state -> number of jobs, on stdout.
 *
 * @state_dir  not made where it is missing: then, and without a database, all are 0
 *
 * Returns the exit status of the process: not 0 when a daemon has the directory, or the
 * database cannot be read. Blocks; changes nothing.
 */
int job_counts_print(const char *state_dir);

#endif
