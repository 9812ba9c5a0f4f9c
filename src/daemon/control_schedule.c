/* io.reeve.Schedule: schedules are looked at, made, and steered. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config_schedule.h"
#include "config/config_section.h"
#include "daemon/app.h"
#include "daemon/control_job.h"
#include "daemon/control_priv.h"
#include "daemon/core.h"
#include "daemon/job_check.h"
#include "daemon/jobs.h"
#include "daemon/schedule_jobs.h"
#include "daemon/schedules.h"
#include "daemon/spec_json.h"
#include "daemon/users.h"
#include "reeve/executor.h"
#include "varlink/json_write.h"

enum {
	ORIGIN_MAX = 4200,
	NEXT_MAX = 10000,
};

/* ---- showing ---------------------------------------------------------------------------- */

static const char *origin_of(const struct schedule *s, char *buf)
{
	const struct config_origin *at = s->section ? &s->section->origin : NULL;

	if (!at)
		return "run time";
	snprintf(buf, ORIGIN_MAX, "%s:%u", at->file ? at->file : "", at->line);
	return buf;
}

static void put_value(struct json_writer *w, const char *key, enum config_key k,
	const struct schedule *s)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;

	if (config_value_format(&text, k, &schedule_def(s)->v[k]) < 0)
		w->error = -ENOMEM;
	else
		json_writer_string_n(w, key, buf_head(&text), buf_len(&text));
}

static void put_event(struct json_writer *w, const char *key, const struct core *core,
	const struct schedule_event *e)
{
	const struct job *j = e->job ? jobs_find(core->jobs, e->job) : NULL;

	json_writer_object(w, key);
	json_writer_string(w, "what", schedule_did_name[e->what]);
	json_writer_int(w, "count", (int64_t)e->count);
	json_writer_int(w, "first_usec", e->first_usec);
	json_writer_int(w, "nominal_usec", e->nominal_usec);
	json_writer_int(w, "at_usec", e->at_usec);
	if (e->job)
		json_writer_int(w, "job", (int64_t)e->job);
	if (j)
		json_writer_string(w, "state", job_state_name[j->state]);
	if (j && j->state == JOB_FINISHED)
		json_writer_string(w, "result", job_result_name[j->result]);
	if (e->text)
		json_writer_string(w, "message", e->text);
	json_writer_object_end(w);
}

static void put_jobs(
	struct json_writer *w, const struct core *core, const struct schedule *s)
{
	const struct schedule_progress *p = &s->progress;
	size_t n;
	const uint64_t *ids = schedule_jobs_ids(core->schedule_jobs, s->name, &n);

	json_writer_array(w, "running");
	for (size_t i = 0; i < n; i++)
		json_writer_int(w, NULL, (int64_t)ids[i]);
	json_writer_array_end(w);
	json_writer_array(w, "pending");
	for (size_t i = 0; i < p->n_pending; i++) {
		json_writer_object(w, NULL);
		json_writer_int(w, "nominal_usec", p->pending[i].nominal_usec);
		json_writer_int(w, "start_usec", p->pending[i].start_usec);
		json_writer_bool(w, "made_up", p->pending[i].made_up);
		json_writer_bool(w, "waits", p->pending[i].waits);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
}

static void put_schedule(struct json_writer *w, const char *key,
	const struct core *core, struct schedule *s, bool whole)
{
	const struct config_named *def = schedule_def(s);
	const struct schedule_progress *p = &s->progress;
	char origin[ORIGIN_MAX];
	int64_t next;

	json_writer_object(w, key);
	json_writer_string(w, "name", s->name);
	json_writer_string(w, "origin", origin_of(s, origin));
	json_writer_string(w, "state", schedule_status(s));
	json_writer_strv(w, "when", def->v[CONFIG_WHEN].strv);
	if (def->v[CONFIG_ZONE].text)
		json_writer_string(w, "zone", def->v[CONFIG_ZONE].text);
	put_value(w, "jitter", CONFIG_JITTER, s);
	put_value(w, "missed", CONFIG_MISSED, s);
	json_writer_int(w, "missed_max", def->v[CONFIG_MISSED_MAX].num);
	put_value(w, "missed_spread", CONFIG_MISSED_SPREAD, s);
	put_value(w, "overlap", CONFIG_OVERLAP, s);
	json_writer_int(w, "queue_max", def->v[CONFIG_QUEUE_MAX].num);
	json_writer_bool(w, "enabled", def->v[CONFIG_ENABLED].num != 0);
	json_writer_string(w, "user", users_name(core->users, schedule_uid(s)));
	put_jobs(w, core, s);
	if (STREQ(schedule_status(s), "active") &&
		schedule_next_times(core->schedules, s, &next, 1) == 1)
		json_writer_int(w, "next_usec", next);
	if (p->n_history > 0)
		put_event(w, "last", core, &p->history[p->n_history - 1]);
	if (whole)
		spec_to_json(w, "spec", &def->job->spec, false);
	json_writer_object_end(w);
}

static bool may_see(const struct control_conn *conn, const struct schedule *s)
{
	return conn->is_admin || schedule_uid(s) == conn->peer.uid;
}

int control_schedule_list(struct control_conn *conn, struct vl_call *call)
{
	const struct core *core = control_core(conn->control);
	_cleanup_free_ struct schedule **v = schedules_list(core->schedules);
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;

	if (!v)
		return -ENOMEM;
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "schedules");
	for (struct schedule **p = v; *p; p++)
		if (may_see(conn, *p))
			put_schedule(&w, NULL, core, *p, false);
	json_writer_array_end(&w);
	return control_reply_object(call, &w, &text);
}

static const char *name_of(struct vl_call *call)
{
	return json_string_value(json_object_get(vl_call_params(call), "name"));
}

/* an error with the name that was given, whatever it is */
static int named_error(
	struct vl_call *call, const char *error, const char *key, const char *value)
{
	json_t *params = json_pack(
		"{s:s, s:s*}", "name", name_of(call), key ? key : "origin", value);
	int r = vl_call_error(call, error, params);

	json_decref(params);
	return r;
}

/* The one that a call is about, which the caller may see; NULL: answered. */
static struct schedule *find(struct control_conn *conn, struct vl_call *call)
{
	struct schedule *s =
		schedules_find(control_core(conn->control)->schedules, name_of(call));

	if (s && may_see(conn, s))
		return s;
	if (s)
		vl_call_denied(call);
	else
		named_error(call, "io.reeve.Schedule.NotFound", NULL, NULL);
	return NULL;
}

int control_schedule_show(struct control_conn *conn, struct vl_call *call)
{
	struct schedule *s = find(conn, call);
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;

	if (!s)
		return 0;
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	put_schedule(&w, "schedule", control_core(conn->control), s, true);
	return control_reply_object(call, &w, &text);
}

int control_schedule_next(struct control_conn *conn, struct vl_call *call)
{
	int64_t count =
		json_integer_value(json_object_get(vl_call_params(call), "count"));
	struct schedule *s = find(conn, call);
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_free_ int64_t *usec = NULL;
	struct json_writer w;
	size_t n;

	if (!s)
		return 0;
	if (count < 1 || count > NEXT_MAX)
		return vl_call_invalid(call, "count", "not from 1 to 10000");
	usec = calloc((size_t)count, sizeof(*usec));
	if (!usec)
		return -ENOMEM;
	n = schedule_next_times(
		control_core(conn->control)->schedules, s, usec, (size_t)count);
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "usec");
	for (size_t i = 0; i < n; i++)
		json_writer_int(&w, NULL, usec[i]);
	json_writer_array_end(&w);
	return control_reply_object(call, &w, &text);
}

int control_schedule_history(struct control_conn *conn, struct vl_call *call)
{
	const struct schedule *s = find(conn, call);
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;

	if (!s)
		return 0;
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "events");
	for (size_t i = 0; i < s->progress.n_history; i++)
		put_event(
			&w, NULL, control_core(conn->control), &s->progress.history[i]);
	json_writer_array_end(&w);
	return control_reply_object(call, &w, &text);
}

/* ---- a new one ----------------------------------------------------------------------------- */

static int invalid(struct vl_call *call, const char *field, const char *message)
{
	json_t *params = json_pack("{s:s, s:s}", "field", field, "message",
		message ? message : "not possible");

	vl_call_error(call, "io.reeve.Schedule.Invalid", params);
	json_decref(params);
	return -EINVAL;
}

struct addition {
	struct config_named def;
	const json_t *settings;
	uint32_t uid;
	struct config_calendars calendars;
	char *message; /* on -EINVAL */
	const char *field;
};

/* One value as it would be written in a file, "" where it is not given: the checks are the
 * same. 0, -ENOMEM */
static int setting_text(char **ret, const json_t *m)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	size_t i;
	json_t *line;
	int r = 0;

	if (json_is_integer(m))
		r = buf_printf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(m));
	else if (json_is_boolean(m))
		r = buf_append_str(&text, json_is_true(m) ? "yes" : "no");
	else if (json_is_string(m))
		r = buf_append_str(&text, json_string_value(m));
	json_array_foreach(m, i, line)
	{
		if (r >= 0)
			r = buf_printf(&text, "%s\n", json_string_value(line));
	}
	*ret = r < 0 ? NULL : buf_steal_str(&text, NULL);
	return *ret ? 0 : -ENOMEM;
}

/* in a worker: zones are files, users may be far */
static int read_settings(void *arg)
{
	static const struct {
		const char *member;
		enum config_key key;
	} members[] = {
		{"when", CONFIG_WHEN},
		{"zone", CONFIG_ZONE},
		{"jitter", CONFIG_JITTER},
		{"missed", CONFIG_MISSED},
		{"missed_max", CONFIG_MISSED_MAX},
		{"missed_spread", CONFIG_MISSED_SPREAD},
		{"overlap", CONFIG_OVERLAP},
		{"queue_max", CONFIG_QUEUE_MAX},
		{"enabled", CONFIG_ENABLED},
	};
	struct addition *a = arg;
	char number[24];
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(members) && r >= 0; i++) {
		enum config_key k = members[i].key;
		_cleanup_free_ char *text = NULL;
		union config_value v;

		a->field = members[i].member;
		r = setting_text(&text, json_object_get(a->settings, a->field));
		if (r < 0 || !*text)
			continue;
		r = config_value_parse(&v, k, text, &a->message);
		if (r < 0)
			continue;
		config_value_free(&a->def.v[k], k);
		a->def.v[k] = v;
	}
	if (r < 0)
		return r;
	a->field = "when";
	if (strv_len(a->def.v[CONFIG_WHEN].strv) == 0) {
		a->message = strdup("missing: it says when its jobs start");
		return -EINVAL;
	}
	r = config_calendars_read(&a->calendars, a->def.v[CONFIG_WHEN].strv,
		a->def.v[CONFIG_ZONE].text, NULL, &a->message);
	if (r < 0)
		return r;
	a->field = "user";
	snprintf(number, sizeof(number), "%" PRIu32, a->uid);
	return config_value_parse(
		&a->def.v[CONFIG_USER], CONFIG_USER, number, &a->message);
}

/* The spec, checked as one of Submit is: 0; -EINVAL: answered. */
static int read_spec(
	struct control_conn *conn, struct vl_call *call, struct addition *a)
{
	/* may_change has let only administrators come here */
	const struct job_maker maker = {.uid = a->uid, .is_admin = true};
	struct core *core = control_core(conn->control);
	const struct vl_member *type = vl_idl_member(
		vl_registry_interface(conn->control->registry, "io.reeve.Job"),
		VL_MEMBER_TYPE, "Spec");
	const json_t *obj = json_object_get(vl_call_params(call), "spec");
	_cleanup_free_ char *message = NULL;
	const char *name = NULL;
	enum job_field field;
	struct vl_fault fault;
	struct job_spec said, spec;
	int r;

	if (vl_check(&type->type, obj, &fault) < 0)
		return vl_call_invalid(call, fault.path, fault.reason), -EINVAL;
	r = spec_from_json(&said, obj, &name, &message);
	if (r == -EINVAL || r == -ERANGE || r == -RV_ELIMIT)
		return invalid(call, name, message);
	if (r < 0)
		return r;
	job_spec_deinit(&a->def.job->spec);
	a->def.job->spec = said;
	r = config_section_job(&spec, &a->def.job->spec, &core->config->defaults);
	if (r < 0)
		return r;
	r = config_schedule_check_job(&a->def.job->spec, &spec, &field, &message);
	if (r >= 0)
		r = job_check(core, &spec, &maker, &field, &message);
	job_spec_deinit(&spec);
	return r == -EINVAL || r == -EACCES
		       ? invalid(call, job_field_info[field].json_name, message)
		       : r;
}

/* A change is asked for by one who may, of a name that is one. */
static bool may_change(struct control_conn *conn, struct vl_call *call)
{
	if (!conn->is_admin)
		vl_call_denied(call);
	else if (!name_is_valid(name_of(call)))
		invalid(call, "name",
			"not a name (letters, digits and _ . @ -, at most 64, a letter "
			"or _ first)");
	else
		return true;
	return false;
}

/* errors that schedules.h names; others are the caller's */
static int answer(struct control_conn *conn, struct vl_call *call, int r)
{
	struct core *core = control_core(conn->control);
	const struct schedule *s = schedules_find(core->schedules, name_of(call));
	char origin[ORIGIN_MAX];

	if (r >= 0)
		return vl_call_reply(call, NULL, false);
	if (r == -ENOENT || ((r == -EEXIST || r == -EPERM) && !s))
		return named_error(call, "io.reeve.Schedule.NotFound", NULL, NULL);
	if (r == -EEXIST || r == -EPERM)
		return named_error(call,
			r == -EPERM ? "io.reeve.Schedule.Defined"
				    : "io.reeve.Schedule.Exists",
			"origin", origin_of(s, origin));
	if (r == -RV_ELIMIT)
		return reply_error(call, "io.reeve.Schedule.LimitReached",
			"{\"limit\":\"schedules-max\",\"maximum\":%" PRId64 "}",
			config_num(core->config, SCHEDULES_MAX));
	return r;
}

int control_schedule_add(struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	struct addition a = {.uid = conn->peer.uid,
		.settings = json_object_get(vl_call_params(call), "settings")};
	int r;

	if (!may_change(conn, call))
		return 0;
	r = config_named_init(&a.def, CONFIG_SECTION_SCHEDULE, name_of(call));
	if (r < 0)
		return r;
	r = read_spec(conn, call, &a);
	if (r >= 0) {
		r = rv_run_blocking(core->io, read_settings, &a);
		if (r == -EINVAL || r == -ERANGE || r == -RV_ELIMIT)
			r = invalid(call, a.field, a.message);
	}
	config_calendars_deinit(&a.calendars);
	free(a.message);
	if (r < 0) {
		config_named_deinit(&a.def, CONFIG_SECTION_SCHEDULE);
		return r == -EINVAL ? 0 : r; /* answered already */
	}
	users_note(core->users, a.uid);
	return answer(
		conn, call, schedules_add(core->schedules, name_of(call), &a.def));
}

/* ---- changes ------------------------------------------------------------------------------- */

int control_schedule_remove(struct control_conn *conn, struct vl_call *call)
{
	struct schedules *ss = control_core(conn->control)->schedules;

	return may_change(conn, call)
		       ? answer(conn, call, schedules_remove(ss, name_of(call)))
		       : 0;
}

static int steer(struct control_conn *conn, struct vl_call *call, bool on)
{
	struct schedules *ss = control_core(conn->control)->schedules;
	const char *text;
	bool changed = false;
	int r;

	if (!may_change(conn, call))
		return 0;
	r = schedules_pause(ss, name_of(call), on, &changed);
	text = changed ? "{\"changed\":true}" : "{\"changed\":false}";
	return r < 0 ? answer(conn, call, r)
		     : vl_call_reply_text(call, text, strlen(text), false);
}

int control_schedule_pause(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, true);
}

int control_schedule_resume(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, false);
}

int control_schedule_run(struct control_conn *conn, struct vl_call *call)
{
	struct schedules *ss = control_core(conn->control)->schedules;
	_cleanup_free_ char *message = NULL;
	char text[40];
	uint64_t id;
	int r;

	if (!may_change(conn, call))
		return 0;
	r = schedules_run(ss, name_of(call), &id, &message);
	if ((r == -EINVAL || r == -RV_ELIMIT) && message)
		return named_error(
			call, "io.reeve.Schedule.Refused", "message", message);
	if (r < 0)
		return answer(conn, call, r);
	snprintf(text, sizeof(text), "{\"id\":%" PRIu64 "}", id);
	return vl_call_reply_text(call, text, strlen(text), false);
}
