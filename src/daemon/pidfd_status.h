/* What a pidfd alone can still tell and do, for runs whose spawner is gone. */
#ifndef DAEMON_PIDFD_STATUS_H
#define DAEMON_PIDFD_STATUS_H

#include "reeve/base.h"

/**
 * Exit status of a process that has ended, whoever is its parent: while it is a zombie,
 * and since Linux 6.15 (PIDFD_GET_INFO) once it was reaped.
 *
 * Returns 0 and the status as from wait(2); -ENODATA: not now, but once it was reaped;
 * other -errno: nobody can tell.
 */
int pidfd_exit_status(int pidfd, pid_t pid, uint64_t start_time, int *ret_status);

/* pidfd of a process that is the one that had this start time; -errno, -ESRCH */
int pidfd_open_checked(pid_t pid, uint64_t start_time);

int pidfd_kill(int pidfd, int sig); /* 0, -errno */

#endif
