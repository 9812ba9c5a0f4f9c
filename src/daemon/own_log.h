/*
 * reeved.log in the state directory: where a daemon that the CLI started says what it has to
 * say, and where the output of its jobs with output = inherit goes. At OWN_LOG_MAX its end
 * becomes reeved.log.old and it begins anew.
 *
 * It is emptied, not replaced: jobs have it open, too. Of what is written in that moment a
 * little may be lost.
 */
#ifndef DAEMON_OWN_LOG_H
#define DAEMON_OWN_LOG_H

#include "reeve/base.h"

#define OWN_LOG_NAME "reeved.log"
#define OWN_LOG_MAX  (1 << 20) /* bytes */

struct core;

/* Is descriptor 2 that file? */
bool own_log_is_ours(int state_fd);
/* If the file behind fd has grown to max: its last max bytes to OWN_LOG_NAME.old, and it is
 * empty. Blocking. 1: so, 0: it has not grown, -errno: it was emptied all the same. */
int own_log_turn(int state_fd, int fd, int64_t max);
/* The task that looks after it; returns at once where descriptor 2 is something else. */
RV_AWAIT int own_log_main(void *core);

#endif
