/*
 * The daemon as a whole: built in order, torn down in reverse. main.c parses the command
 * line into options, app_run is everything after that.
 */
#ifndef DAEMON_APP_H
#define DAEMON_APP_H

#include "config/config_diff.h"
#include "config/config_load.h"
#include <sys/resource.h>

#include "config/configuration.h"
#include "daemon/core.h"
#include "reeve/loop.h"
#include "reeve/sync.h"

struct control;
struct notify;
struct recovery;
struct socket_guard;

struct app_options {
	bool system_mode;
	const char *config_file; /* NULL: the usual places */
	const char *socket;      /* NULL: the usual one */
	const char *state_dir;   /* NULL: the usual one */
	int shutdown;            /* enum config_shutdown; -1: as configured */
	int log_level;           /* -1: as configured */
	int ready_fd;            /* -1: none */
	bool no_spawner;         /* never start one: a unit does */
};

struct app {
	struct app_options opts;
	struct core core;
	rv_loop *loop;
	rv_executor *store_executor;
	struct control *control;
	struct recovery *recovery;
	struct notify *notify;
	struct socket_guard *socket_guard; /* NULL: sockets were passed in */
	rv_group services, runs;
	char *socket, *state_dir, *spawner_program;
	int lock_fd;
	rlim_t nofile_before; /* the soft limit that we were started with; 0: not raised */
	uid_t *admins;
	size_t n_admins;
	/* The last reload was refused, until one is taken over. A daemon that is started anew has
	 * read the files itself, and knows nothing of this. */
	bool is_refused;
	char *refused; /* why; NULL: that could not be kept */
	/* keys that have their effect at the start of the daemon (app_key_needs_restart), as they
	 * were then */
	int64_t started_with[CONFIG_KEY_N];
	int64_t started_usec;
	rv_time started;
	/* the shutdown */
	rv_event stop;
	int stop_mode; /* enum config_shutdown; -1: as configured */
	bool stopping, hasten;
};

/* The whole life of the daemon. Returns the exit status of the process. */
int app_run(const struct app_options *opts);

/* What waits in the state directory (job_counts.h). The exit status of the process. */
int app_job_counts(const struct app_options *opts);

/* Ask for the shutdown; once more hastens it. mode: enum config_shutdown, -1 as configured. */
void app_stop(struct app *app, int mode);

bool app_is_admin(const struct app *app, uid_t uid);

/* Where configuration comes from, by the options. 0, -ENOMEM */
int app_config_paths(struct config_paths *ret, const struct app_options *opts);

/* What a reload has brought, in the spelling of `config get`: "reeved.log-level",
 * "defaults.nice", "pool.gpu". All strv. */
struct app_changes {
	char **added, **gone; /* sections */
	char **changed;   /* keys, job fields, and sections that say something else */
	char **restarted; /* names of services: their runs are replaced */
	char **restart_needed; /* of changed, what waits for the next start of the daemon */
};
void app_changes_deinit(struct app_changes *changes);

/**
 * Read the configuration again: all or nothing.
 *
 * @ret  the caller's to deinit, whatever is returned
 *
 * 0; -EINVAL with errors; -ENOMEM, -ECANCELED.
 */
RV_AWAIT int app_reload(
	struct app *app, struct config_errors *errors, struct app_changes *ret);
/**
 * What a reload would change, without it.
 *
 * @fn   called for each difference, by another thread, while the caller waits
 * @ret  what would hold; the caller's
 *
 * 0; -EINVAL with errors: it would be refused; -ENOMEM, -ECANCELED.
 */
RV_AWAIT int app_diff(struct app *app, struct config_errors *errors, config_diff_fn fn,
	void *arg, struct config **ret);

#endif
