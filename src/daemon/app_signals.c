/* What the daemon does about signals, and a reload that one asks for. */
#include "config.h"

#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "daemon/app_setup.h"
#include "daemon/notify.h"
#include "reeve/debug.h"
#include "reeve/signal.h"

static void on_stop_signal(void *arg)
{
	app_stop(arg, -1);
}

static int reload_task(void *arg)
{
	_cleanup_(app_changes_deinit) struct app_changes changes;
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	struct app *app = arg;
	int r;

	notify_reloading(app->notify, false);
	r = app_reload(app, &errors, &changes);
	notify_reloading(app->notify, true);
	if (r >= 0) {
		log_at(LOG_NOTICE, "config",
			"configuration read again, %zu settings changed",
			strv_len(changes.added) + strv_len(changes.gone) +
				strv_len(changes.changed));
		STRV_FOREACH(name, changes.restarted)
			log_at(LOG_NOTICE, "config",
				"service '%s' is restarted: it starts otherwise now",
				*name);
		STRV_FOREACH(key, changes.restart_needed)
			log_at(LOG_NOTICE, "config",
				"'%s' has its effect after a restart", *key);
		return 0;
	}
	for (size_t i = 0; i < errors.n; i++) {
		_cleanup_free_ char *text = config_error_format(&errors.v[i]);

		log_at(LOG_ERR, "config", "%s", text ? text : errors.v[i].text);
	}
	log_at(LOG_ERR, "config", "configuration not taken over: %s", rv_strerror(r));
	return 0;
}

static void on_hangup(void *arg)
{
	struct app *app = arg;

	if (!rv_group_spawn(&app->services, reload_task, app))
		log_at(LOG_ERR, "config",
			"cannot read the configuration now, ignoring");
}

/* for people: to where the log goes when nothing else is configured */
static void on_dump_signal(void *arg)
{
	struct app *app = arg;

	rv_debug_dump_tasks(app->loop, STDERR_FILENO);
}

int app_take_signals(struct app *app)
{
	int r;

	signal(SIGPIPE, SIG_IGN);
	r = rv_signal_on(app->loop, SIGTERM, on_stop_signal, app);
	if (r >= 0)
		r = rv_signal_on(app->loop, SIGINT, on_stop_signal, app);
	if (r >= 0)
		r = rv_signal_on(app->loop, SIGHUP, on_hangup, app);
	if (r >= 0)
		r = rv_signal_on(app->loop, SIGUSR2, on_dump_signal, app);
	return r;
}
