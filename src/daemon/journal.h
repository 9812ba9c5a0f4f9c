/* Output of runs that goes to the journal. */
#ifndef DAEMON_JOURNAL_H
#define DAEMON_JOURNAL_H

struct job;

/* A stream that the journal reads line by line, under the job's name. fd, or -errno where
 * there is no journal (containers). */
int journal_stream_open(const struct job *j);

#endif
