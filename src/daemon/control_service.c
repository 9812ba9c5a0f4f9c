/* io.reeve.Service: services are looked at and steered. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/app.h"
#include "daemon/control_job.h"
#include "daemon/control_priv.h"
#include "daemon/core.h"
#include "daemon/job_json.h"
#include "daemon/jobs.h"
#include "daemon/run.h"
#include "daemon/run_hooks.h"
#include "daemon/scheduler.h"
#include "daemon/service_deps.h"
#include "daemon/service_groups.h"
#include "daemon/service_report.h"
#include "daemon/service_roll.h"
#include "daemon/service_times.h"
#include "daemon/users.h"
#include "varlink/json_write.h"

enum { ORIGIN_MAX = 4200 };

/* ---- states -------------------------------------------------------------------------------- */

/* the worst first: what a service is whose instances differ */
static const char *const state_name[] = {"failed", "restarting", "stopping", "starting",
	"waiting", "queued", "paused", "running", "exited", "stopped"};
enum {
	FAILED,
	RESTARTING,
	STOPPING,
	STARTING,
	WAITING,
	QUEUED,
	PAUSED,
	RUNNING,
	EXITED,
	STOPPED,
	N_STATES
};

static unsigned state_of_finished(const struct instance *in, const struct job *j)
{
	if (in->service->rec.stopped || j->result == JOB_RESULT_CANCELLED)
		return STOPPED;
	return j->result == JOB_RESULT_SUCCEEDED ? EXITED : FAILED;
}

/* with its hooks: it is not up yet, or has ended by itself */
static unsigned state_of_running(const struct run *run)
{
	if (!run_hooks_phase(run))
		return RUNNING;
	return run->ended ? STOPPING : STARTING;
}

static unsigned state_of(const struct instance *in, const struct job *j)
{
	if (in->problem && !(j && j->run) && !in->service->rec.stopped)
		return FAILED;
	if (!j)
		return instance_target(in, j) == INSTANCE_DOWN ? STOPPED : STARTING;
	switch ((enum job_state)j->state) {
	case JOB_STARTING: return STARTING;
	case JOB_RUNNING: return j->run ? state_of_running(j->run) : RUNNING;
	case JOB_PAUSED: return PAUSED;
	case JOB_STOPPING: return STOPPING;
	case JOB_WAITING: return WAITING;
	case JOB_QUEUED: return QUEUED;
	case JOB_FINISHED: return state_of_finished(in, j);
	default: return RESTARTING;
	}
}

/* Those beyond what there is to be say nothing of it, unless none is to be. */
static unsigned state_of_all(const struct core *core, const struct service *s)
{
	size_t wanted = service_wanted(s);
	bool down = s->rec.stopped || wanted == 0;
	size_t n = down ? s->n : MIN(s->n, wanted);
	unsigned state = down ? STOPPED : N_STATES;

	for (size_t i = 0; i < n; i++) {
		uint64_t id = s->v[i]->job;

		state = MIN(state,
			state_of(s->v[i], id ? jobs_find(core->jobs, id) : NULL));
	}
	return state == N_STATES ? STARTING : state;
}

/* ---- why ------------------------------------------------------------------------------------ */

static void describe_exit(const struct job *j, char *buf, size_t size)
{
	if (j->reason)
		snprintf(buf, size, "%s", j->reason);
	else if (j->signal > 0)
		snprintf(buf, size, "%s", signal_name(j->signal));
	else
		snprintf(buf, size, "exit status %d", (int)j->exit_code);
}

static void why_finished(
	const struct instance *in, const struct job *j, char *buf, size_t size)
{
	const struct config_named *section = in->service->section;
	char exit_text[160], codes[160] = "";
	const char *no = section->v[CONFIG_NO_RESTART_CODES].text;
	static const char *const policy[] = {
		"no", "always", "on-failure", "on-success"};

	if (j->reason && strncmp(j->reason, "given up", 8) == 0) {
		snprintf(buf, size, "%s: reeve service start %s", j->reason,
			in->service->name);
		return;
	}
	describe_exit(j, exit_text, sizeof(exit_text));
	if (j->reason && strncmp(j->reason, "unresponsive", 12) == 0 &&
		section->v[CONFIG_LIVE_ACTION].num == CONFIG_LIVE_STOP) {
		snprintf(buf, size,
			"it was ended (%s) and is not started again: live-action = "
			"stop",
			exit_text);
		return;
	}
	if (no && codes_match(no, j->exit_code, j->signal))
		snprintf(codes, sizeof(codes), ", no-restart-codes = %s", no);
	snprintf(buf, size,
		"it has ended (%s) and is not started again: restart = %s%s", exit_text,
		policy[section->v[CONFIG_RESTART].num], codes);
}

static void why(const struct core *core, const struct instance *in, const struct job *j,
	char *buf, size_t size)
{
	char exit_text[160], text[256];
	const struct service *by = service_kept_down_by(in->service);
	const struct service_group *g = in->service->group;
	unsigned state = state_of(in, j);
	const char *said;

	snprintf(buf, size, "it is %s", state_name[state]);
	if (in->problem && state == FAILED)
		snprintf(buf, size, "it cannot be started: %s", in->problem);
	else if (in->service->rec.stopped && state == STOPPED)
		snprintf(buf, size, "it was stopped: reeve service start %s",
			in->service->name);
	else if (g && g->given_up && state == STOPPED)
		snprintf(buf, size,
			"its group '%s' was given up, %s: reeve service start %s",
			g->name, g->given_up, in->service->name);
	else if (by && state == STOPPED)
		snprintf(buf, size,
			"it requires service '%s' (%s): reeve service why %s", by->name,
			service_word(core->services, by), by->name);
	else if (j && j->state == JOB_FINISHED && state != STOPPED)
		why_finished(in, j, buf, size);
	else if (j && j->state == JOB_DELAYED) {
		describe_exit(j, exit_text, sizeof(exit_text));
		snprintf(buf, size,
			"it ended (%s) and is started again after a delay; runs in a "
			"row that were shorter than min-uptime: %" PRIu32,
			exit_text, j->n_failed);
	} else if (j && j->state == JOB_WAITING) {
		services_why(core->services, j, buf, size);
	} else if (j && j->state == JOB_QUEUED) {
		said = scheduler_why(core->scheduler, j, text, sizeof(text));
		snprintf(buf, size, "it is queued: %s", said ? said : "");
	} else if (state == RUNNING) {
		service_report_why(j->run, buf, size);
	}
}

/* ---- showing -------------------------------------------------------------------------------- */

static void put_instance(
	struct json_writer *w, const struct core *core, const struct instance *in)
{
	const struct job *j = in->job ? jobs_find(core->jobs, in->job) : NULL;
	char text[512];

	json_writer_object(w, NULL);
	json_writer_int(w, "instance", in->number);
	json_writer_string(w, "state", state_name[state_of(in, j)]);
	if (j && j->run && run_hooks_phase(j->run))
		json_writer_string(w, "hook", run_hooks_phase(j->run));
	why(core, in, j, text, sizeof(text));
	json_writer_string(w, "why", text);
	json_writer_int(w, "starts", j ? j->n_runs : 0);
	json_writer_int(w, "restarts", j && j->n_runs > 0 ? j->n_runs - 1 : 0);
	json_writer_int(w, "short_runs", j ? j->n_failed : 0);
	if (j) {
		int64_t since = j->run ? j->started_usec : j->finished_usec;

		json_writer_int(w, "job", (int64_t)j->id);
		if (j->run && j->run->started && j->run->info.pid)
			json_writer_int(w, "pid", j->run->info.pid);
		if (since)
			json_writer_int(w, "since_usec", since);
		if (j->due_usec)
			json_writer_int(w, "due_usec", j->due_usec);
		if (j->result != JOB_RESULT_NONE)
			json_writer_string(w, "result", job_result_name[j->result]);
		if (j->exit_code >= 0)
			json_writer_int(w, "exit_code", j->exit_code);
		if (j->signal > 0)
			json_writer_int(w, "signal", j->signal);
	}
	service_report_put(w, j ? j->run : NULL);
	if (in->problem || (j && j->reason))
		json_writer_string(w, "reason", in->problem ? in->problem : j->reason);
	json_writer_object_end(w);
}

static void put_command(struct json_writer *w, const struct service *s)
{
	_cleanup_(buf_deinitp) struct buf line = BUF_NULL;

	if (command_line(&line, &s->section->job->spec) < 0)
		w->error = -ENOMEM;
	else
		json_writer_string_n(w, "command", buf_head(&line), buf_len(&line));
}

static void put_restart(struct json_writer *w, const struct service *s)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;

	if (config_value_format(&text, CONFIG_RESTART, &s->section->v[CONFIG_RESTART]) <
		0)
		w->error = -ENOMEM;
	else
		json_writer_string_n(w, "restart", buf_head(&text), buf_len(&text));
}

static void put_names(struct json_writer *w, const char *key, const struct service *s,
	enum config_key k)
{
	json_writer_array(w, key);
	STRV_FOREACH(name, s->section->v[k].strv)
		json_writer_string(w, NULL, *name);
	json_writer_array_end(w);
}

static void put_service(struct json_writer *w, const char *key, const struct core *core,
	const struct service *s)
{
	const struct config_origin *at = &s->section->origin;
	unsigned state = state_of_all(core, s);
	char origin[ORIGIN_MAX], roll[256];

	snprintf(origin, sizeof(origin), "%s:%u", at->file ? at->file : "", at->line);
	json_writer_object(w, key);
	json_writer_string(w, "name", s->name);
	json_writer_string(w, "origin", origin);
	json_writer_string(w, "state", state_name[state]);
	json_writer_bool(w, "stopped", s->rec.stopped);
	json_writer_string(w, "user", users_name(core->users, service_uid(s)));
	put_restart(w, s);
	json_writer_int(w, "wanted", (int64_t)service_wanted(s));
	json_writer_int(w, "defined", s->section->v[CONFIG_INSTANCES].num);
	if (service_next_restart_usec(s))
		json_writer_int(w, "next_restart_usec", service_next_restart_usec(s));
	put_command(w, s);
	if (s->n > 0)
		service_report_put_output(w, s->v[0]);
	if (s->group)
		json_writer_string(w, "group", s->group->name);
	if (!key)
		json_writer_int(w, "order", s->rank);
	if (service_roll_text(s, roll, sizeof(roll)))
		json_writer_string(w, "roll", roll);
	put_names(w, "requires", s, CONFIG_REQUIRES);
	put_names(w, "after", s, CONFIG_AFTER);
	json_writer_array(w, "instances");
	for (size_t i = 0; i < s->n; i++)
		put_instance(w, core, s->v[i]);
	json_writer_array_end(w);
	json_writer_object_end(w);
}

static bool may_see(const struct control_conn *conn, const struct service *s)
{
	return conn->is_admin || service_uid(s) == conn->peer.uid;
}

/* Between two pages the configuration may become another. */
struct service_pages {
	const struct control_conn *conn;
	const struct core *core;
	char **next; /* of the names that are left */
	bool in_pages;
};

static bool put_services(struct json_writer *w, const struct buf *page, void *arg)
{
	struct service_pages *l = arg;

	json_writer_array(w, "services");
	while (l->next && *l->next &&
		!(l->in_pages && buf_len(page) >= PAGE_BYTES / 2)) {
		const struct service *s = services_find(l->core->services, *l->next++);

		if (s && s->section && may_see(l->conn, s))
			put_service(w, NULL, l->core, s);
	}
	json_writer_array_end(w);
	return l->next && *l->next;
}

int control_service_list(struct control_conn *conn, struct vl_call *call)
{
	const struct core *core = control_core(conn->control);
	_cleanup_free_ struct service **v = services_list(core->services);
	_cleanup_(strv_builder_deinitp) struct strv_builder names = STRV_BUILDER_NULL;
	struct service_pages l = {
		.conn = conn, .core = core, .in_pages = vl_call_wants_more(call)};
	int r = v ? services_rank(core->services) : -ENOMEM;

	for (struct service **p = v; r >= 0 && *p; p++)
		r = strv_builder_add(&names, (*p)->name);
	if (r < 0)
		return r;
	l.next = names.v;
	return control_reply_pages(conn, call, put_services, &l);
}

static const char *name_of(struct vl_call *call)
{
	return json_string_value(json_object_get(vl_call_params(call), "name"));
}

static int named_error(struct vl_call *call, const char *error)
{
	json_t *params = json_pack("{s:s}", "name", name_of(call));
	int r = vl_call_error(call, error, params);

	json_decref(params);
	return r;
}

static int not_found(struct vl_call *call)
{
	return named_error(call, "io.reeve.Service.NotFound");
}

int control_service_show(struct control_conn *conn, struct vl_call *call)
{
	const struct core *core = control_core(conn->control);
	const struct service *s = services_find(core->services, name_of(call));
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;

	if (!s || !s->section)
		return not_found(call);
	if (!may_see(conn, s))
		return vl_call_denied(call);
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	put_service(&w, "service", core, s);
	return control_reply_object(call, &w, &text);
}

/* ---- changes -------------------------------------------------------------------------------- */

typedef int (*change_fn)(struct services *ss, const char *name, bool *ret_changed);

/* one of Failure */
static void put_failure(struct json_writer *w, unsigned instance, const char *reason)
{
	json_writer_object(w, NULL);
	json_writer_int(w, "instance", instance);
	json_writer_string(w, "reason", reason);
	json_writer_object_end(w);
}

int control_service_answer_up(
	struct control_conn *conn, struct vl_call *call, const bool *changed)
{
	_cleanup_free_ struct service_failure *failed = NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;
	size_t n;
	int r = services_wait_up(
		control_core(conn->control)->services, name_of(call), &failed, &n);

	if (r == -ENOENT)
		return not_found(call);
	if (r < 0)
		return r;
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	if (changed)
		json_writer_bool(&w, "changed", *changed);
	json_writer_array(&w, "failed");
	for (size_t i = 0; i < n; i++)
		put_failure(&w, failed[i].instance, failed[i].why);
	json_writer_array_end(&w);
	return control_reply_object(call, &w, &text);
}

/* r: what a change came to */
static int answer(struct control_conn *conn, struct vl_call *call, int r, bool changed)
{
	struct core *core = control_core(conn->control);
	const char *text;

	if (r == -ENOENT)
		return not_found(call);
	if (r == -RV_ELIMIT)
		return reply_error(call, "io.reeve.Service.LimitReached",
			"{\"limit\":\"service-instances-max\",\"maximum\":%" PRId64 "}",
			config_num(core->config, SERVICE_INSTANCES_MAX));
	if (r >= 0 && json_is_true(json_object_get(vl_call_params(call), "wait")))
		r = services_wait(core->services, name_of(call));
	text = changed ? "{\"changed\":true}" : "{\"changed\":false}";
	return r < 0 ? r : vl_call_reply_text(call, text, strlen(text), false);
}

/* up: who waits for it does so until it is ready */
static int steer(
	struct control_conn *conn, struct vl_call *call, change_fn change, bool up)
{
	static const char unchanged[] = "{\"changed\":false}";
	bool changed = false;
	int r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	r = change(control_core(conn->control)->services, name_of(call), &changed);
	/* one that is down, and stays so, is not waited for */
	if (r >= 0 && !changed && change == services_restart_unless_down)
		return vl_call_reply_text(call, unchanged, strlen(unchanged), false);
	if (r >= 0 && up && json_is_true(json_object_get(vl_call_params(call), "wait")))
		return control_service_answer_up(conn, call, &changed);
	return answer(conn, call, r, changed);
}

int control_service_scale(struct control_conn *conn, struct vl_call *call)
{
	int64_t n =
		json_integer_value(json_object_get(vl_call_params(call), "instances"));
	bool changed = false;
	int r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	if (n < 0 || n > SERVICE_INSTANCES_MAX)
		return vl_call_invalid(call, "instances", "not from 0 to 1000");
	r = services_scale(control_core(conn->control)->services, name_of(call),
		(unsigned)n, &changed);
	return answer(conn, call, r, changed);
}

int control_service_start(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, services_start, true);
}

int control_service_stop(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, services_stop, false);
}

int control_service_restart(struct control_conn *conn, struct vl_call *call)
{
	bool unless_down =
		json_is_true(json_object_get(vl_call_params(call), "unless_down"));

	return steer(conn, call,
		unless_down ? services_restart_unless_down : services_restart, true);
}

int control_service_reset(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, services_reset, false);
}

static int reply_reloaded(
	struct vl_call *call, const struct service_reload *all, size_t n)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;
	size_t n_failed = 0;

	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "failed");
	for (size_t i = 0; i < n; i++) {
		if (!all[i].problem[0])
			continue;
		n_failed++;
		put_failure(&w, all[i].instance, all[i].problem);
	}
	json_writer_array_end(&w);
	json_writer_int(&w, "n", (int64_t)(n - n_failed));
	return control_reply_object(call, &w, &text);
}

int control_service_reload(struct control_conn *conn, struct vl_call *call)
{
	_cleanup_free_ struct service_reload *all = NULL;
	size_t n = 0;
	int r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	r = services_reload(
		control_core(conn->control)->services, name_of(call), &all, &n);
	if (r == -ENOENT)
		return not_found(call);
	if (r == -EOPNOTSUPP)
		return named_error(call, "io.reeve.Service.NotReloadable");
	return r < 0 ? r : reply_reloaded(call, all, n);
}
