/* One job as a whole, and what functions there are: io.reeve.Job.Show, Functions. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strv.h"
#include "daemon/app.h"
#include "daemon/callbacks.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/functions.h"
#include "daemon/job_json.h"
#include "daemon/jobs.h"
#include "daemon/output_read.h"
#include "daemon/run.h"
#include "daemon/run_stdin.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"
#include "daemon/spec_json.h"
#include "job/env_steps.h"
#include "reeve/executor.h"
#include "reeve/task.h"
#include "varlink/json_write.h"

enum {
	HOLDERS_SHOWN_MAX = 64,
	CALLBACKS_SHOWN_MAX = 64, /* the newest */
	RUNS_SHOWN_MAX =
		500, /* the newest: all of a million retries fit into no reply */
};

struct show {
	struct core *core;
	struct store *store;
	uint64_t id;
	uint32_t n_runs;
	struct json_writer *w;
};

static int write_run(const struct store_run *rec, void *arg)
{
	struct show *s = arg;
	int64_t bytes = -1, lost = -1;

	/* a start that never happened leaves a record until the next one overwrites it */
	if (rec->token.run > s->n_runs || rec->token.run + RUNS_SHOWN_MAX <= s->n_runs)
		return 0;
	output_sizes(s->core->state_fd, rec->output, &bytes, &lost);
	run_to_json(s->w, NULL, rec, bytes, lost);
	return 0;
}

/* in a worker: the store is read, files are looked at */
static int write_runs(void *arg)
{
	struct show *s = arg;

	return store_runs(s->store, s->id, write_run, s);
}

static void write_environment_files(struct json_writer *w, char *const *list)
{
	_cleanup_(strv_freep) char **files = NULL;

	STRV_FOREACH(entry, list) {
		_cleanup_(buf_deinitp) struct buf name = BUF_NULL;
		enum env_step step;
		const char *path;

		if (!env_step_parse(&step, &path, *entry) ||
			(step != ENV_STEP_FILE && step != ENV_STEP_FILE_IF_THERE))
			continue;
		if (buf_printf(&name, "%s%s", step == ENV_STEP_FILE ? "" : "-", path) <
				0 ||
			strv_append_take(&files, buf_steal_str(&name, NULL)) < 0)
			w->error = -ENOMEM;
	}
	if (files)
		json_writer_strv(w, "environment_files", files);
}

static void write_environment(
	struct json_writer *w, const struct env_set *e, bool values)
{
	_cleanup_(strv_freep) char **v = NULL, **list = NULL;
	bool plain = true;

	if (env_set_strv(&list, e) < 0 || env_steps_run(&v, list, NULL) == -ENOMEM) {
		w->error = -ENOMEM;
		return;
	}
	if (env_has_files(list))
		write_environment_files(w, list);
	STRV_FOREACH(entry, v) {
		if (!values)
			(*entry)[strcspn(*entry, "=")] = '\0';
		plain = plain && utf8_is_valid(*entry, strlen(*entry));
	}
	json_writer_strv(w, "environment", v);
	if (!plain) { /* it went into the twin; the member itself is not nullable */
		json_writer_array(w, "environment");
		json_writer_array_end(w);
	}
}

static void write_holders(
	struct json_writer *w, const struct core *core, const struct job *j)
{
	uint64_t ids[HOLDERS_SHOWN_MAX];
	size_t n = scheduler_holders(core->scheduler, j, ids, HOLDERS_SHOWN_MAX);

	json_writer_array(w, "held_by");
	for (size_t i = 0; i < n; i++)
		json_writer_int(w, NULL, (int64_t)ids[i]);
	json_writer_array_end(w);
}

static void write_callbacks(
	struct json_writer *w, const struct core *core, const struct job *j)
{
	size_t n;
	const uint64_t *ids = callbacks_of(core, j->id, &n);

	json_writer_array(w, "callbacks");
	for (size_t i = n > CALLBACKS_SHOWN_MAX ? n - CALLBACKS_SHOWN_MAX : 0; i < n;
		i++)
		json_writer_int(w, NULL, (int64_t)ids[i]);
	json_writer_array_end(w);
	json_writer_bool(w, "callback_dropped",
		j->state == JOB_FINISHED && j->flags & STORE_JOB_CALLBACK_DROPPED);
}

static int show(
	struct control_conn *conn, struct vl_call *call, uint64_t id, bool values)
{
	struct app *app = control_app(conn->control);
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;
	struct show s = {
		.core = &app->core, .store = app->core.store, .id = id, .w = &w};
	struct job_spec spec;
	struct job *j;
	char why[JOB_REASON_MAX + 256];
	const char *why_text;
	int r;

	j = jobs_find(app->core.jobs, id);
	s.n_runs = j ? j->n_runs : 0;
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "run_history");
	r = rv_run_blocking(app->core.io, write_runs, &s);
	if (r < 0)
		return r;
	json_writer_array_end(&w);
	j = jobs_find(app->core.jobs, id);
	if (!j)
		return reply_error(
			call, "io.reeve.Job.NotFound", "{\"id\":%" PRIu64 "}", id);
	job_to_json(&w, "job", &app->core, j);
	r = job_spec_get(j, &spec);
	if (r < 0)
		return r;
	spec_to_json(&w, "spec", &spec, values);
	job_spec_deinit(&spec);
	write_environment(&w, j->env, values);
	if (j->state != JOB_WAITING)
		why_text = scheduler_why(app->core.scheduler, j, why, sizeof(why));
	else if (j->of_service)
		why_text = services_why(app->core.services, j, why, sizeof(why));
	else
		why_text = dependents_why(&app->core, j, why, sizeof(why));
	if (why_text)
		json_writer_string(&w, "why", why_text);
	else
		json_writer_null(&w, "why");
	write_holders(&w, &app->core, j);
	if (j->run && j->run->in)
		json_writer_bool(&w, "stdin_open", j->run->in->state == RUN_STDIN_OPEN);
	write_callbacks(&w, &app->core, j);
	return control_reply_object(call, &w, &text);
}

int control_job_show(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	uint64_t id;
	int r;

	r = select_one(&id, conn, call, json_object_get(params, "select"));
	if (r <= 0)
		return r;
	return show(conn, call, id, json_is_true(json_object_get(params, "env")));
}

int control_job_functions(struct control_conn *conn, struct vl_call *call)
{
	const struct functions *fs = control_core(conn->control)->functions;
	json_t *list = json_array(), *reply;
	const struct function *f;
	int r;

	for (size_t i = 0; (f = functions_at(fs, i)); i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "name", f->name, "help", f->help));
	reply = json_pack("{s:o}", "functions", list);
	r = vl_call_reply(call, reply, false);
	json_decref(reply);
	return r;
}
