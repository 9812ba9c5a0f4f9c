/* What /proc says of other processes. A pid is only as good as its start time: together
 * with the boot id they name one process for ever. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include "reeve/base.h"

/* Start of a process in clock ticks since boot (proc(5), stat field 22). 0; -ESRCH: no
 * such process; -errno. */
int process_start_time(uint64_t *ret_ticks, pid_t pid);

/**
 * Exit status of a process that has ended and that its parent, whoever it is, has not
 * reaped yet.
 *
 * Returns 0 and the status as from wait(2); -ENODATA: it has not ended; -ESRCH: it is
 * gone, or the pid is another's; -EACCES: not for us to see; -errno.
 */
int process_zombie_status(int *ret_status, pid_t pid, uint64_t start_time);

/**
 * Value of one variable in the environment that a process was started with (the first,
 * when it is there twice; what it set later is not seen).
 *
 * @ret  malloc'd, the caller's; any bytes but NUL: a process chooses its environment
 * freely
 *
 * Returns 0; -ENODATA (not set); -EAGAIN (it is between two programs, in exec: look
 * again); -ESRCH (no such process, or it is just ending); for a zombie or a kernel thread
 * one of -ENODATA and -ESRCH, by kernel, or -EACCES; -EACCES (another user's, or of one that
 * does not want to be looked at; for all but root also of any that is in exec, a moment);
 * -RV_ELIMIT (larger than exec allows: it was tampered with); -EINVAL (bad name); -errno.
 */
int proc_environ_get(char **ret, pid_t pid, const char *name);

#endif
