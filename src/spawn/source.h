/* What an event of epoll points at: the first member of whatever owns the descriptor.
 */
#ifndef SPAWN_SOURCE_H
#define SPAWN_SOURCE_H

enum source_kind {
	SOURCE_SIGNAL,
	SOURCE_SIGCHLD,
	SOURCE_LISTEN,
	SOURCE_CONN,
	SOURCE_STARTED, /* starters have something */
	SOURCE_STAMPED, /* output of runs that ended is in its files */
	SOURCE_RUN,     /* a main process has ended */
	SOURCE_READY,   /* a run has written to its ready_fd */
	SOURCE_NOTIFY,  /* a run says something, and no daemon hears it */
};

struct source {
	enum source_kind kind;
};

#endif
