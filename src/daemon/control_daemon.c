#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/app.h"
#include "daemon/app_setup.h"
#include "daemon/commit.h"
#include "daemon/control.h"
#include "daemon/control_job.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"
#include "daemon/spawner_link.h"
#include "varlink/json_write.h"

/* ---- io.reeve.Daemon ------------------------------------------------------------------------------- */

static int ping(struct control_conn *conn, struct vl_call *call)
{
	return vl_call_reply(call, NULL, false);
}

static int put_strv(json_t *obj, const char *key, char *const *v)
{
	json_t *list = json_array();

	STRV_FOREACH(s, v)
		json_array_append_new(list, json_string(*s));
	return json_object_set_new(obj, key, list) < 0 ? -ENOMEM : 0;
}

/* The files that are there are not what holds. What is wrong in them may quote them, and
 * secrets of theirs: only administrators are told. 0, -ENOMEM */
static int find_refusal(char ***problems, const struct app *app, bool is_admin)
{
	_cleanup_free_ char *text = NULL;

	if (!app->is_refused)
		return 0;
	if (asprintf(&text, "the last reload of the configuration was refused%s%s",
		    is_admin && app->refused ? ": " : "",
		    is_admin && app->refused ? app->refused : "") < 0)
		return -ENOMEM;
	return strv_append(problems, text);
}

/* what keeps jobs from starting, and what else somebody has to see to; strv, the caller's. 0,
 * -ENOMEM */
static int find_problems(char ***ret, const struct app *app, bool is_admin)
{
	_cleanup_(strv_freep) char **v = NULL;
	const struct scheduler *s = app->core.scheduler;
	int error = committer_error(app->core.committer), r = 0;

	if (error < 0) {
		_cleanup_free_ char *text = NULL;

		if (asprintf(&text, "the store cannot be written: %s",
			    rv_strerror(error)) < 0)
			return -ENOMEM;
		r = strv_append(&v, text);
	}
	if (r >= 0 && scheduler_is_blocked(s, BLOCK_DISK))
		r = strv_append(&v, "free disk space is below min-free");
	if (r >= 0 && spawner_link_has_failed(app->core.spawner))
		r = strv_append(&v, "the spawner is not there");
	for (size_t i = 0; i < scheduler_n_pools(s) && r >= 0; i++) {
		_cleanup_free_ char *text =
			scheduler_pool_problem(s, scheduler_pool_at(s, i));

		if (text)
			r = strv_append(&v, text);
	}
	if (r >= 0)
		r = services_problems(app->core.services, &v);
	if (r >= 0)
		r = find_refusal(&v, app, is_admin);
	if (r >= 0)
		*ret = TAKE_PTR(v);
	return r;
}

static int status(struct control_conn *conn, struct vl_call *call)
{
	static const char *const durability[] = {"full", "normal", "off"};
	const struct app *app = control_app(conn->control);
	const struct core *core = &app->core;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_(strv_freep) char **problems = NULL, **restart_needed = NULL;
	struct json_writer w;
	int r;

	r = app_restart_needed(app, &restart_needed);
	if (r >= 0)
		r = find_problems(&problems, app, conn->is_admin);
	if (r < 0)
		return r;
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_string(&w, "version", PACKAGE_VERSION);
	json_writer_int(&w, "pid", getpid());
	json_writer_string(&w, "mode", core->system_mode ? "system" : "user");
	json_writer_string(&w, "socket", app->socket);
	json_writer_string(&w, "state_dir", app->state_dir);
	json_writer_array(&w, "config_files");
	STRV_FOREACH(file, core->config->files)
		json_writer_string(&w, NULL, *file);
	json_writer_array_end(&w);
	json_writer_int(&w, "started_usec", app->started_usec);
	json_writer_int(&w, "uptime_usec", (rv_now() - app->started) / 1000);
	json_writer_object(&w, "jobs");
	for (int s = 0; s < JOB_STATE_N; s++)
		json_writer_int(&w, job_state_name[s],
			(int64_t)jobs_count(core->jobs, (enum job_state)s));
	json_writer_object_end(&w);
	json_writer_string(
		&w, "durability", durability[app->started_with[CONFIG_DURABILITY]]);
	if (spawner_link_pid(core->spawner) > 0)
		json_writer_int(&w, "spawner_pid", spawner_link_pid(core->spawner));
	else
		json_writer_null(&w, "spawner_pid");
	json_writer_bool(&w, "shutting_down", app->stopping);
	json_writer_strv(&w, "problems", problems);
	json_writer_strv(&w, "restart_needed", restart_needed);
	if (app->opts.config_file)
		json_writer_string(&w, "config_file", app->opts.config_file);
	else
		json_writer_null(&w, "config_file");
	json_writer_int(
		&w, "message_max_bytes", (int64_t)control_message_max(conn->control));
	json_writer_int(&w, "submit_max", config_num(core->config, SUBMIT_MAX));
	return control_reply_object(call, &w, &text);
}

static int environments(struct control_conn *conn, struct vl_call *call)
{
	const struct core *core = &control_app(conn->control)->core;
	const struct config_names *names =
		&core->config->named[CONFIG_SECTION_ENVIRONMENT];
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;

	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "environments");
	for (size_t i = 0; i < names->n; i++) {
		const struct config_origin *origin = &names->v[i].origin;
		char place[4096 + 16];

		snprintf(place, sizeof(place), "%s:%u", origin->file, origin->line);
		json_writer_object(&w, NULL);
		json_writer_string(&w, "name", names->v[i].name);
		json_writer_string(&w, "origin", place);
		json_writer_object_end(&w);
	}
	json_writer_array_end(&w);
	return control_reply_object(call, &w, &text);
}

static int stop(struct control_conn *conn, struct vl_call *call)
{
	const char *mode =
		json_string_value(json_object_get(vl_call_params(call), "mode"));
	int m = -1, r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	if (mode)
		m = STREQ(mode, "terminate") ? CONFIG_SHUTDOWN_TERMINATE
		    : STREQ(mode, "drain")   ? CONFIG_SHUTDOWN_DRAIN
					     : CONFIG_SHUTDOWN_DETACH;
	r = vl_call_reply(call, NULL, false);
	app_stop(control_app(conn->control), m);
	return r;
}

int control_config_errors(struct vl_call *call, const struct config_errors *errors)
{
	json_t *list = json_array(), *params;
	int r;

	for (size_t i = 0; i < errors->n; i++) {
		_cleanup_free_ char *text = config_error_format(&errors->v[i]);

		if (text)
			json_array_append_new(list, json_string(text));
	}
	params = json_pack("{s:o}", "errors", list);
	r = vl_call_error(call, "io.reeve.Daemon.ConfigInvalid", params);
	json_decref(params);
	return r;
}

static int reload(struct control_conn *conn, struct vl_call *call)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(app_changes_deinit) struct app_changes changes = {.added = NULL};
	_cleanup_(strv_freep) char **problems = NULL;
	json_t *params;
	int r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	r = app_reload(control_app(conn->control), &errors, &changes);
	if (r == -EINVAL)
		return control_config_errors(call, &errors);
	if (r < 0)
		return r;
	r = find_problems(&problems, control_app(conn->control), true);
	if (r < 0)
		return r;
	params = json_object();
	r = put_strv(params, "added", changes.added);
	if (r >= 0)
		r = put_strv(params, "gone", changes.gone);
	if (r >= 0)
		r = put_strv(params, "changed", changes.changed);
	if (r >= 0)
		r = put_strv(params, "restarted", changes.restarted);
	if (r >= 0)
		r = put_strv(params, "restart_needed", changes.restart_needed);
	if (r >= 0)
		r = put_strv(params, "problems", problems);
	if (r >= 0)
		r = vl_call_reply(call, params, false);
	json_decref(params);
	return r;
}

/* ---- tables ------------------------------------------------------------------------------------------ */

#define METHOD(method, fn)                                       \
	{                                                        \
		.name = (method), .handler = (vl_handler_fn)(fn) \
	}
#define INLINE(method, fn)                                                             \
	{                                                                              \
		.name = (method), .handler = (vl_handler_fn)(fn), .id = CONTROL_INLINE \
	}
#define STREAM(method, fn)                                        \
	{                                                         \
		.name = (method), .handler = (vl_handler_fn)(fn), \
		.flags = VL_METHOD_MORE_REQUIRED                  \
	}

const struct vl_method control_daemon_methods[] = {
	INLINE("Ping", ping),
	INLINE("Status", status),
	INLINE("Environments", environments),
	METHOD("Stop", stop),
	METHOD("Reload", reload),
	METHOD("Diff", control_daemon_diff),
};
const size_t control_n_daemon_methods = ARRAY_LEN(control_daemon_methods);

const struct vl_method control_pool_methods[] = {
	INLINE("List", control_pool_list),
	METHOD("Add", control_pool_add),
	METHOD("Set", control_pool_set),
	METHOD("Reset", control_pool_reset),
	METHOD("Remove", control_pool_remove),
	METHOD("Pause", control_pool_pause),
	METHOD("Resume", control_pool_resume),
	METHOD("Drain", control_pool_drain),
};
const size_t control_n_pool_methods = ARRAY_LEN(control_pool_methods);

const struct vl_method control_schedule_methods[] = {
	INLINE("List", control_schedule_list),
	INLINE("Show", control_schedule_show),
	INLINE("Next", control_schedule_next),
	INLINE("History", control_schedule_history),
	METHOD("Add", control_schedule_add),
	METHOD("Remove", control_schedule_remove),
	METHOD("Run", control_schedule_run),
	METHOD("Pause", control_schedule_pause),
	METHOD("Resume", control_schedule_resume),
};
const size_t control_n_schedule_methods = ARRAY_LEN(control_schedule_methods);

const struct vl_method control_service_methods[] = {
	METHOD("List", control_service_list),
	INLINE("Show", control_service_show),
	METHOD("Start", control_service_start),
	METHOD("Stop", control_service_stop),
	METHOD("Restart", control_service_restart),
	METHOD("RestartGroup", control_service_restart_group),
	METHOD("Roll", control_service_roll),
	METHOD("Wait", control_service_wait),
	METHOD("Reload", control_service_reload),
	METHOD("Scale", control_service_scale),
	METHOD("Reset", control_service_reset),
};
const size_t control_n_service_methods = ARRAY_LEN(control_service_methods);

const struct vl_method control_job_methods[] = {
	METHOD("Submit", control_job_submit),
	METHOD("PutInput", control_job_put_input),
	METHOD("Send", control_job_send),
	METHOD("List", control_job_list),
	METHOD("Show", control_job_show),
	STREAM("Graph", control_job_graph),
	METHOD("Functions", control_job_functions),
	METHOD("Wait", control_job_wait),
	STREAM("Logs", control_job_logs),
	METHOD("Events", control_job_events),
	METHOD("Processes", control_job_processes),
	METHOD("Set", control_job_set),
	METHOD("History", control_job_history),
	METHOD("Stats", control_job_stats),
	METHOD("Cancel", control_job_cancel),
	METHOD("Kill", control_job_kill),
	METHOD("Pause", control_job_pause),
	METHOD("Resume", control_job_resume),
	METHOD("Hold", control_job_hold),
	METHOD("Release", control_job_release),
	METHOD("Force", control_job_force),
	METHOD("Move", control_job_move),
	METHOD("Retry", control_job_retry),
	METHOD("SetDependencies", control_job_set_dependencies),
	METHOD("Remove", control_job_remove),
	METHOD("Clean", control_job_clean),
};
const size_t control_n_job_methods = ARRAY_LEN(control_job_methods);
