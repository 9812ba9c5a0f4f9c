/* How the daemon goes: terminate, drain or detach, bounded by shutdown-timeout. */
#ifndef DAEMON_SHUTDOWN_H
#define DAEMON_SHUTDOWN_H

#include "daemon/app.h"

/* After app_stop: nothing new is taken, runs are dealt with, replies are written. */
RV_AWAIT int shutdown_run(struct app *app);

#endif
