#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hashmap.h"
#include "base/log.h"
#include "base/strv.h"
#include "client/paths.h"
#include "config/config_environment.h"
#include "daemon/app.h"
#include "daemon/app_setup.h"
#include "daemon/aux.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/control.h"
#include "daemon/deadlines.h"
#include "daemon/dependents.h"
#include "daemon/descriptors.h"
#include "daemon/disk_guard.h"
#include "daemon/envs.h"
#include "daemon/events.h"
#include "daemon/functions.h"
#include "daemon/inputs.h"
#include "daemon/job_counts.h"
#include "daemon/jobs.h"
#include "daemon/keys.h"
#include "daemon/log_watch.h"
#include "daemon/notify.h"
#include "daemon/output_caps.h"
#include "daemon/outputs.h"
#include "daemon/own_log.h"
#include "daemon/pools.h"
#include "daemon/readiness.h"
#include "daemon/recovery.h"
#include "daemon/retention.h"
#include "daemon/schedule_jobs.h"
#include "daemon/scheduler.h"
#include "daemon/schedules.h"
#include "daemon/service_memory.h"
#include "daemon/services.h"
#include "daemon/shutdown.h"
#include "daemon/socket_guard.h"
#include "daemon/spawner_link.h"
#include "daemon/users.h"
#include "reeve/runner.h"

/* ---- paths ---------------------------------------------------------------------------------------- */

/* the spawner and messages need it absolute; NULL: out of memory or no cwd */
static char *absolute_path(const char *path)
{
	_cleanup_free_ char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	char *ret = NULL;

	if (path[0] == '/')
		return strdup(path);
	if (!cwd || asprintf(&ret, "%s/%s", cwd, path) < 0)
		return NULL;
	return ret;
}

static int choose_paths(struct app *app)
{
	const struct app_options *o = &app->opts;
	enum paths_mode mode = o->system_mode ? PATHS_SYSTEM : PATHS_USER;
	struct paths_env env;
	int r = 0;

	paths_env_get(&env);
	if (o->state_dir)
		app->state_dir = absolute_path(o->state_dir);
	else
		r = paths_state_dir(&app->state_dir, mode, &env);
	if (r >= 0 && o->socket)
		app->socket = strdup(o->socket);
	else if (r >= 0)
		r = paths_socket(&app->socket, mode, &env, app->state_dir);
	if (r < 0 || !app->state_dir || !app->socket) {
		log_at(LOG_ERR, "state",
			"there is neither a home directory nor --state-dir and "
			"--socket");
		return r < 0 ? r : -ENOMEM;
	}
	app->core.state_dir = app->state_dir;
	return 0;
}

/* ---- parts ------------------------------------------------------------------------------------------ */

static int make_executors(struct app *app)
{
	const struct config *cf = app->core.config;
	rv_executor_opts store = {.threads_max = 2, .name = "reeve-store"};
	rv_executor_opts io = {.threads_max = 4, .name = "reeve-io"};
	rv_executor_opts blocking = {
		.threads_max = (unsigned)config_num(cf, EXECUTOR_THREADS),
		.queue_max = (size_t)config_num(cf, EXECUTOR_QUEUE_MAX),
		.name = "reeve-function",
	};
	int r;

	r = rv_executor_new(&app->store_executor, &store);
	if (r >= 0)
		r = rv_executor_new(&app->core.io, &io);
	if (r >= 0)
		r = rv_executor_new(&app->core.blocking, &blocking);
	return r;
}

static void store_error_changed(int error, void *arg)
{
	struct app *app = arg;

	scheduler_block(app->core.scheduler, BLOCK_STORE, error < 0);
	jobs_wake_waiters(app->core.jobs);
}

static int make_core(struct app *app)
{
	struct core *c = &app->core;
	struct spawner_link_opts link = {
		.before_table = recovery_look_around, .on_table = recovery_match};
	size_t keys_max = (size_t)config_num(c->config, SUBMIT_KEYS_MAX);
	size_t env_max = (size_t)config_num(c->config, ENVIRONMENTS_MAX);
	int r;

	rv_event_init(&c->run_ended);
	list_init(&c->active);
	clock_jumps_init(&c->clock_jumps, app->loop);
	r = make_executors(app);
	if (r >= 0)
		r = committer_new(&c->committer, c->store, app->store_executor);
	if (r >= 0)
		r = scheduler_new(&c->scheduler, c, app->loop);
	if (r >= 0)
		r = pools_new(&c->pools, c);
	if (r >= 0)
		r = envs_new(&c->envs, env_max);
	if (r >= 0)
		r = keys_new(&c->keys, c->clock, keys_max);
	if (r >= 0)
		r = events_new(&c->events, c->clock,
			(size_t)config_num(c->config, EVENTS_MAX));
	if (r >= 0)
		r = schedule_jobs_new(&c->schedule_jobs);
	if (r >= 0)
		r = schedules_new(&c->schedules, c, app->loop);
	if (r >= 0)
		r = services_new(&c->services, c, app->loop);
	if (r >= 0)
		r = readiness_new(&c->readiness, c, app->loop);
	if (r >= 0)
		r = aux_commands_new(&c->aux, c);
	if (r >= 0)
		r = service_memory_new(&c->service_memory, c);
	if (r >= 0)
		r = callbacks_new(&c->callbacks, c);
	if (r >= 0)
		r = jobs_new(&c->jobs, c);
	if (r >= 0)
		r = dependents_new(&c->dependents, c);
	if (r >= 0)
		r = retention_new(&c->retention, c);
	if (r >= 0)
		r = output_caps_new(&c->caps, c, app->loop);
	if (r >= 0)
		r = disk_guard_new(&c->disk, c, app->loop);
	if (r >= 0)
		r = deadlines_new(&c->deadlines, c, app->loop);
	if (r >= 0)
		r = functions_new(&c->functions);
	if (r >= 0)
		r = users_new(&c->users, c);
	if (r >= 0)
		r = log_watch_new(&c->log_watch, app->loop);
	if (r >= 0)
		r = recovery_new(&app->recovery, c);
	if (r < 0)
		return r;
	committer_on_change(c->committer, store_error_changed, app);
	scheduler_block(c->scheduler, BLOCK_STARTUP, true);
	app_keep_started_with(app);
	r = app_apply_config(app, c->config);
	if (r >= 0)
		r = app_set_admins(app, c->config);
	if (r >= 0)
		r = app_load_store(app);
	if (r < 0)
		return r;
	app_tell_gone_pools(app);
	app->spawner_program = app_find_program("reeve-spawner");
	link.program = app->opts.no_spawner ? NULL : app->spawner_program;
	link.nofile = app->nofile_before;
	link.arg = app->recovery;
	return spawner_link_new(&c->spawner, c, &link);
}

/* The epoch is on disk before anything is started under it: the order is kept. Nobody waits
 * for it, so that a daemon on a full disk comes up, answers, and can be stopped. */
static int begin_epoch(struct app *app)
{
	struct txn *t = txn_new();
	struct store_op *op = t ? txn_add(t, STORE_META_SET) : NULL;

	if (!op) {
		txn_free(t);
		return -ENOMEM;
	}
	app->core.epoch++;
	op->meta.name = "epoch";
	op->meta.number = (int64_t)app->core.epoch;
	txn_set_sync(t);
	committer_post(app->core.committer, t, COMMIT_MUST, NULL, NULL);
	return 0;
}

/* A record that is lost with the machine, or finds no room, only leaves a gap. */
static void give_back_ids(struct app *app)
{
	struct txn *t = txn_new();

	if (t && jobs_give_back_ids(app->core.jobs, t) == 0)
		committer_post(app->core.committer, t, 0, NULL, NULL);
	else
		txn_free(t);
}

static bool output_is_known(const char *name, void *arg)
{
	return hashmap_get(arg, name) != NULL;
}

struct known {
	struct hashmap *names;
};

static int note_output(const struct store_run *rec, void *arg)
{
	struct known *k = arg;
	_cleanup_(strv_freep) char **names = NULL;
	int r;

	if (!rec->output)
		return 0;
	r = strv_split(&names, rec->output, " ");
	STRV_FOREACH(name, names)
		if (r >= 0 && !STREQ(*name, "-") &&
			hashmap_put(k->names, *name, k) == -ENOMEM)
			r = -ENOMEM;
	return r;
}

/* in a worker: output files that no record names go */
static int sweep_outputs(void *arg)
{
	struct app *app = arg;
	struct known k;
	int r;

	r = hashmap_new(&k.names, HASHMAP_STRING);
	if (r < 0)
		return r;
	r = store_outputs(app->core.store, note_output, &k);
	if (r >= 0)
		r = outputs_sweep(app->core.outputs, output_is_known, k.names);
	hashmap_free(k.names);
	return r;
}

static int listen_to_clients(struct app *app)
{
	int first, n, r = 0;

	n = notify_listen_fds(&first);
	for (int i = 0; i < n && r >= 0; i++)
		r = control_listen_fd(app->control, first + i);
	if (n == 0)
		r = socket_guard_new(&app->socket_guard, app->control, app->loop,
			app->socket, app->opts.system_mode ? 0666 : 0600,
			!app->opts.socket);
	if (r == -EADDRINUSE)
		log_at(LOG_ERR, "control", "another daemon answers at '%s'",
			app->socket);
	else if (r < 0)
		log_at(LOG_ERR, "control", "cannot listen at '%s': %s", app->socket,
			rv_strerror(r));
	return r;
}

static int start_service(struct app *app, const char *name, rv_fn fn, void *arg)
{
	rv_task_opts opts = {.name = name};

	return rv_group_spawn_ex(&app->services, &opts, fn, arg, NULL);
}

static int serve(struct app *app)
{
	struct core *c = &app->core;
	int r;

	r = outputs_new(&c->outputs, c);
	if (r >= 0)
		r = inputs_new(&c->inputs, c);
	if (r >= 0)
		r = start_service(app, "committer", committer_main, c->committer);
	if (r >= 0)
		r = start_service(
			app, "checkpoint", committer_checkpoint_main, c->committer);
	if (r >= 0)
		r = begin_epoch(app);
	/* Files of outputs are named by the epoch; those of earlier ones are looked through
	 * before the first of this one is made. */
	if (r >= 0)
		r = rv_run_blocking(c->io, sweep_outputs, app);
	if (r >= 0)
		r = inputs_sweep(c->inputs);
	if (r >= 0)
		r = start_service(app, "deadlines", deadlines_main, c->deadlines);
	if (r >= 0)
		r = start_service(app, "schedules", schedules_main, c->schedules);
	if (r >= 0)
		r = start_service(app, "services", services_main, c->services);
	if (r >= 0)
		r = start_service(
			app, "service-memory", service_memory_main, c->service_memory);
	if (r >= 0)
		r = start_service(app, "outputs", outputs_main, c->outputs);
	if (r >= 0)
		r = start_service(app, "output-caps", output_caps_main, c->caps);
	if (r >= 0)
		r = start_service(app, "retention", retention_main, c->retention);
	if (r >= 0)
		r = start_service(app, "dependents", dependents_main, c->dependents);
	if (r >= 0)
		r = start_service(app, "spawner", spawner_link_main, c->spawner);
	if (r >= 0)
		r = start_service(app, "users", users_main, c->users);
	if (r >= 0)
		r = start_service(app, "log", own_log_main, c);
	if (r >= 0)
		r = control_new(&app->control, app);
	if (r >= 0)
		r = listen_to_clients(app);
	if (r < 0)
		return r;
	log_at(LOG_NOTICE, "reeved",
		"reeved " PACKAGE_VERSION " answers at '%s', state in '%s'",
		app->socket, app->state_dir);
	notify_ready(app->notify, c->jobs);
	r = rv_event_wait(&app->stop);
	if (r >= 0)
		return shutdown_run(app);
	notify_stopping(app->notify);
	return r;
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static void teardown(struct app *app)
{
	struct core *c = &app->core;

	app->socket_guard = socket_guard_free(app->socket_guard);
	app->control = control_free(app->control);
	spawner_link_free(c->spawner);
	aux_commands_free(c->aux);
	service_memory_free(c->service_memory);
	recovery_free(app->recovery);
	log_watch_free(c->log_watch);
	users_free(c->users);
	functions_free(c->functions);
	disk_guard_free(c->disk);
	output_caps_free(c->caps);
	retention_free(c->retention);
	inputs_free(c->inputs);
	outputs_free(c->outputs);
	/* jobs refer to environments, and stand in the order of the scheduler */
	jobs_free(c->jobs);
	callbacks_free(c->callbacks);
	dependents_free(c->dependents);
	events_free(c->events);
	deadlines_free(c->deadlines);
	readiness_free(c->readiness);
	services_free(c->services);
	schedules_free(c->schedules);
	schedule_jobs_free(c->schedule_jobs);
	pools_free(c->pools);
	scheduler_free(c->scheduler);
	clock_jumps_deinit(&c->clock_jumps);
	keys_free(c->keys);
	envs_free(c->envs);
	committer_free(c->committer);
	rv_executor_unref(c->blocking);
	rv_executor_unref(c->io);
	rv_executor_unref(app->store_executor);
	notify_free(app->notify);
}

static int app_task(void *arg)
{
	struct app *app = arg;
	struct core *c = &app->core;
	int r;

	app->loop = rv_loop_current();
	app->started = rv_now();
	app->started_usec = clock_wall_usec(c->clock);
	rv_event_init(&app->stop);
	r = notify_new(&app->notify, app->loop, app->opts.ready_fd);
	if (r >= 0)
		r = app_take_signals(app);
	if (r >= 0)
		r = make_core(app);
	if (r >= 0)
		r = rv_group_enter(&app->services, RV_GROUP_SUPERVISE);
	if (r < 0)
		goto out;
	r = rv_group_enter(&app->runs, RV_GROUP_SUPERVISE);
	c->runs = &app->runs;
	if (r >= 0)
		r = serve(app);
	/* what is left of the runs goes on without us */
	c->detaching = true;
	committer_give_up(c->committer);
	rv_group_cancel(&app->runs, "the daemon goes");
	r = rv_group_exit(&app->runs, r);
	if (r >= 0)
		give_back_ids(app);
	committer_stop(c->committer);
	rv_group_cancel(&app->services, "the daemon goes");
	r = rv_group_exit(&app->services, r);
out:
	if (r < 0)
		log_at(LOG_ERR, "reeved", "%s", rv_strerror(r));
	teardown(app);
	return r;
}

/* What is not there now may be later: a run that needs it says so. */
static void look_at_environments(const struct config *cf)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;

	config_look_at_environments(cf, &errors);
	for (size_t i = 0; i < errors.n; i++) {
		_cleanup_free_ char *text = config_error_format(&errors.v[i]);

		log_at(LOG_WARNING, "config", "%s, going on",
			text ? text : errors.v[i].text);
	}
}

static int load_config(struct app *app)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_paths_deinitp) struct config_paths paths = {NULL};
	struct config *cf = NULL;
	int r;

	r = app_config_paths(&paths, &app->opts);
	if (r >= 0)
		r = config_load(&cf, &paths, &errors);
	config_errors_print(&errors, stderr);
	if (r >= 0)
		look_at_environments(cf);
	app->core.config = cf;
	return r;
}

int app_run(const struct app_options *opts)
{
	struct app app = {.opts = *opts, .lock_fd = -1, .stop_mode = -1};
	rv_run_opts run = {.handle_sigint = false};
	int r;

	app.core.clock = &clock_system;
	app.core.state_fd = -1;
	app.nofile_before = descriptors_raise();
	app.core.runs_max = descriptors_runs_max();
	app.core.system_mode = opts->system_mode;
	r = load_config(&app);
	if (r >= 0)
		r = boot_id_get(app.core.boot_id);
	if (r >= 0 && app.opts.log_level < 0)
		log_set_level(config_log_level(app.core.config));
	if (r >= 0)
		r = choose_paths(&app);
	if (r >= 0)
		r = app_setup_state(&app);
	if (r >= 0)
		r = rv_run(app_task, &app, &run);
	store_close(app.core.store);
	config_free((struct config *)app.core.config);
	close_safe(app.core.state_fd);
	close_safe(app.lock_fd);
	free(app.spawner_program);
	free(app.socket);
	free(app.state_dir);
	free(app.admins);
	free(app.refused);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int app_job_counts(const struct app_options *opts)
{
	struct app app = {.opts = *opts};
	int r = choose_paths(&app), status = EXIT_FAILURE;

	if (r >= 0)
		status = job_counts_print(app.state_dir);
	free(app.socket);
	free(app.state_dir);
	return status;
}
