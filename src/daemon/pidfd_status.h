/* What a pidfd alone can still tell and do, for runs whose spawner is gone. */
#ifndef DAEMON_PIDFD_STATUS_H
#define DAEMON_PIDFD_STATUS_H

#include "reeve/base.h"

/**
 * Exit status of a process that has ended, whoever reaped it (PIDFD_GET_INFO, Linux 6.15).
 *
 * Returns 0 and the status as from wait(2), or -errno: nobody can tell.
 */
int pidfd_exit_status(int pidfd, int *ret_status);

/* pidfd of a process that is the one that had this start time; -errno, -ESRCH */
int pidfd_open_checked(pid_t pid, uint64_t start_time);

int pidfd_kill(int pidfd, int sig); /* 0, -errno */

#endif
