#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/jobs.h"
#include "daemon/removal.h"

#include "daemon/supervisor.h"
#include "varlink/json_write.h"

/* ids in pieces; *n counts what went. 0 or a negative error. */
static int remove_ids(struct core *core, const uint64_t *ids, size_t n_ids, int64_t *n)
{
	for (size_t i = 0; i < n_ids; i += REMOVAL_CHUNK) {
		int r = removal_run(
			core, ids + i, MIN(n_ids - i, (size_t)REMOVAL_CHUNK));

		if (r < 0)
			return r;
		*n += r;
	}
	return 0;
}

struct end_watch {
	struct job_watch watch;
	rv_event ended;
};

static void has_ended(struct job_watch *w, const struct job *j)
{
	rv_event_set(&CONTAINER_OF(w, struct end_watch, watch)->ended);
}

/* --force: what is unfinished is cancelled first, and waited for */
static int wait_for_end(struct core *core, uint64_t id)
{
	struct end_watch w = {.watch.fn = has_ended};
	struct job *j = jobs_find(core->jobs, id);
	int r;

	if (!j || j->state == JOB_FINISHED || j->of_service)
		return 0;
	rv_event_init(&w.ended);
	job_watch_add(j, &w.watch);
	r = rv_event_wait(&w.ended);
	list_remove(&w.watch.link);
	return r;
}

static int reply(struct vl_call *call, int64_t n, const uint64_t *refused,
	size_t n_refused, struct core *core)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;
	int r;

	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_int(&w, "n", n);
	json_writer_array(&w, "refused");
	for (size_t i = 0; i < n_refused && buf_len(&text) < PAGE_BYTES; i++) {
		const struct job *j = jobs_find(core->jobs, refused[i]);
		char message[96] = "";

		if (!j)
			continue;
		if (j->of_service)
			snprintf(message, sizeof(message),
				"it is of a service: see reeve service");
		else if (j->state == JOB_FINISHED)
			job_needed_by(core, j, message, sizeof(message));
		if (!message[0])
			snprintf(message, sizeof(message), "it is %s",
				job_state_name[j->state]);
		json_writer_object(&w, NULL);
		json_writer_int(&w, "id", (int64_t)j->id);
		json_writer_string(&w, "error", "io.reeve.Job.WrongState");
		json_writer_string(&w, "message", message);
		json_writer_object_end(&w);
	}
	json_writer_array_end(&w);
	json_writer_object_end(&w);
	r = json_writer_end(&w);
	return r < 0 ? r
		     : vl_call_reply_text(call, buf_head(&text), buf_len(&text), false);
}

static bool is_unfinished(const struct job *j)
{
	return j->state != JOB_FINISHED || j->busy;
}

static bool is_needed(const struct job *j)
{
	return is_unfinished(j) || j->of_service || job_is_needed(j);
}

/* sorts those that are so to the front; returns how many those are */
static size_t split(
	struct core *core, uint64_t *ids, size_t n, bool (*is_so)(const struct job *j))
{
	size_t n_so = 0;

	for (size_t i = 0; i < n; i++) {
		const struct job *j = jobs_find(core->jobs, ids[i]);
		uint64_t id = ids[i];

		if (!j || !is_so(j))
			continue;
		memmove(ids + n_so + 1, ids + n_so, (i - n_so) * sizeof(*ids));
		ids[n_so++] = id;
	}
	return n_so;
}

static int remove_selected(
	struct control_conn *conn, struct vl_call *call, struct selection *sel)
{
	struct core *core = control_core(conn->control);
	bool force = json_is_true(json_object_get(vl_call_params(call), "force"));
	size_t n_unfinished, n_refused;
	int64_t n = 0;
	int r;

	n_unfinished = split(core, sel->ids, sel->n_ids, is_unfinished);
	if (force && n_unfinished) {
		r = control_cancel_ids(conn, sel->ids, n_unfinished);
		for (size_t i = 0; r >= 0 && i < n_unfinished; i++)
			r = wait_for_end(core, sel->ids[i]);
		if (r < 0)
			return r;
	}
	n_refused = split(core, sel->ids, sel->n_ids, is_needed);
	r = remove_ids(core, sel->ids + n_refused, sel->n_ids - n_refused, &n);
	return r < 0 ? r : reply(call, n, sel->ids, n_refused, core);
}

int control_job_remove(struct control_conn *conn, struct vl_call *call)
{
	struct selection sel;
	int r;

	r = select_decode(&sel, conn, call,
		json_object_get(vl_call_params(call), "select"), SELECT_ACTS);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	r = select_resolve(&sel, conn);
	if (r >= 0)
		r = remove_selected(conn, call, &sel);
	selection_deinit(&sel);
	return r;
}

static unsigned results_of(const char *what)
{
	if (STREQ(what, "succeeded"))
		return 1u << JOB_RESULT_SUCCEEDED;
	if (STREQ(what, "failed"))
		return JOB_RESULTS_FAILED;
	return 0; /* finished: any */
}

int control_job_clean(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	struct core *core = control_core(conn->control);
	struct selection sel;
	json_t *result;
	int64_t n = 0;
	int r;

	r = select_decode(&sel, conn, call, json_object_get(params, "select"),
		SELECT_EMPTY_IS_ALL);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	sel.sel.states = 1u << JOB_FINISHED;
	sel.sel.no_service = true;
	sel.sel.results =
		results_of(json_string_value(json_object_get(params, "what")));
	r = select_resolve(&sel, conn);
	if (r >= 0 && json_is_true(json_object_get(params, "dry_run")))
		n = (int64_t)(sel.n_ids - split(core, sel.ids, sel.n_ids, is_needed));
	else if (r >= 0)
		r = remove_ids(core, sel.ids, sel.n_ids, &n);
	if (r >= 0) {
		result = json_pack("{s:I}", "n", (json_int_t)n);
		r = vl_call_reply(call, result, false);
		json_decref(result);
	}
	selection_deinit(&sel);
	return r;
}
