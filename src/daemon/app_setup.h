/* Parts of the program: what has to be there before the loop runs (directories, the lock, the
 * store), signals, and what a configuration changes. */
#ifndef DAEMON_APP_SETUP_H
#define DAEMON_APP_SETUP_H

#include "config/config_schedule.h"
#include "daemon/app.h"

/* SIGTERM, SIGINT: a shutdown; SIGHUP: a reload; SIGUSR2: the tasks on standard error; SIGPIPE is
 * ignored. 0, or as rv_signal_on */
int app_take_signals(struct app *app);
/* state directory, its lock, the store; each error is logged with what to do */
int app_setup_state(struct app *app);
/* the store's records into the tables */
int app_load_store(struct app *app);

/* pools and limits as a configuration says */
int app_apply_config(struct app *app, const struct config *cf);
/* and administrators; blocking */
int app_set_admins(struct app *app, const struct config *cf);
/* the configuration as it is now in files, and what is looked up for it */
struct app_load {
	struct config_paths paths;
	struct config *config; /* NULL: something is wrong, errors has it */
	struct config_errors *errors;
	struct config_zones zones;
	uid_t *admins;
	size_t n_admins;
};
/* errors is set by the caller, all else is NULL. 0, -EINVAL with errors, -ENOMEM, -ECANCELED;
 * then app_load_deinit, which leaves out what was taken. */
RV_AWAIT int app_load_config(struct app *app, struct app_load *l);
void app_load_deinit(struct app_load *l);
/* Names that were added at run time, and that these files define: each is one of errors. 0,
 * -EINVAL */
int app_check_names(struct app *app, struct app_load *l);
/* keys that need a restart of the daemon to have their effect */
bool app_key_needs_restart(enum config_key k);
/* Those that have another value by now than the daemon works with, as app_changes has them;
 * appends. 0, -ENOMEM */
int app_restart_needed(const struct app *app, char ***keys);
/* what it works with, once at its start */
void app_keep_started_with(struct app *app);
/* Log which jobs wait in pools that are gone from the configuration. */
void app_tell_gone_pools(const struct app *app);
/* a program of the same build (the tree it was built in) or installed with it; malloc'd */
char *app_find_program(const char *name);

#endif
