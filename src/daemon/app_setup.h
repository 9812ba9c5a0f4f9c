/* What has to be there before the loop runs: directories, the lock, the store. */
#ifndef DAEMON_APP_SETUP_H
#define DAEMON_APP_SETUP_H

#include "daemon/app.h"

/* state directory, its lock, the store; each error is logged with what to do */
int app_setup_state(struct app *app);
/* the store's records into the tables */
int app_load_store(struct app *app);

/* pools and limits as a configuration says */
int app_apply_config(struct app *app, const struct config *cf);
/* and administrators; blocking */
int app_set_admins(struct app *app, const struct config *cf);
/* Log which jobs wait in pools that are gone from the configuration. */
void app_tell_gone_pools(const struct app *app);
/* a program of the same build (the tree it was built in) or installed with it; malloc'd */
char *app_find_program(const char *name);

#endif
