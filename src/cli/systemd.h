/*
 * Where systemd looks after the daemon: starting and stopping go through it, or it
 * would start what we stopped, and not know what we started.
 */
#ifndef CLI_SYSTEMD_H
#define CLI_SYSTEMD_H

#include "client/paths.h"
#include "reeve/base.h"

/* Start the unit; it is ready on return. 0; -ENOENT: no manager runs, or it does not
 * know the unit; -EIO: the unit does not start (its journal says why). */
int systemd_start(enum paths_mode mode);

/* 1 when the process is the unit's main process; 0 not */
int systemd_owns(enum paths_mode mode, pid_t pid);

/* Stop unit and socket, or restart the unit. 0, -EIO */
int systemd_stop(enum paths_mode mode);
int systemd_restart(enum paths_mode mode);

#endif
