#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/job_json.h"
#include "daemon/jobs.h"
#include "reeve/scope.h"
#include "varlink/json_write.h"

/* A wait for many jobs: each has a watch; what has ended and was not told is in done. */
struct waiter {
	struct control_conn *conn;
	struct vl_call *call;
	struct watch {
		struct job_watch watch;
		struct waiter *waiter;
	} * watches;
	size_t n_waiting;
	uint64_t *ids;            /* of all, until they were told; the selection's */
	size_t n_ids, n_ids_told; /* n_ids_told = n_ids: nobody wants them */
	uint64_t *done;
	size_t n_done, n_told;
	int64_t n_succeeded, n_failed;
	bool timed_out;
	rv_event changed;
};

static void count(struct waiter *w, const struct job *j)
{
	/* a job that was forgotten before it finished did not succeed either */
	if (j->state == JOB_FINISHED && j->result == JOB_RESULT_SUCCEEDED)
		w->n_succeeded++;
	else
		w->n_failed++;
	w->done[w->n_done++] = j->id;
}

static void job_ended(struct job_watch *watch, const struct job *j)
{
	struct waiter *w = CONTAINER_OF(watch, struct watch, watch)->waiter;

	count(w, j);
	w->n_waiting--;
	rv_event_set(&w->changed);
}

static void unwatch(struct waiter *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		list_remove(&w->watches[i].watch.link);
	free(w->watches);
	free(w->done);
}

/* as ranges, as many as a page holds */
static void put_ids(struct waiter *w, struct json_writer *j, const struct buf *text)
{
	json_writer_array(j, "ids");
	while (w->n_ids_told < w->n_ids && buf_len(text) < PAGE_BYTES - 2048) {
		uint64_t first = w->ids[w->n_ids_told++], last = first;

		while (w->n_ids_told < w->n_ids && w->ids[w->n_ids_told] == last + 1) {
			last++;
			w->n_ids_told++;
		}
		json_writer_object(j, NULL);
		json_writer_int(j, "first", (int64_t)first);
		json_writer_int(j, "last", (int64_t)last);
		json_writer_object_end(j);
	}
	json_writer_array_end(j);
}

enum with { WITH_COUNTS, WITH_IDS, WITH_JOBS };

static int reply(struct waiter *w, bool continues, enum with with)
{
	struct core *core = control_core(w->conn->control);
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer j;
	int r;

	json_writer_init(&j, &text);
	json_writer_object(&j, NULL);
	if (with == WITH_IDS)
		put_ids(w, &j, &text);
	if (with == WITH_JOBS) {
		json_writer_array(&j, "jobs");
		while (w->n_told < w->n_done && buf_len(&text) < PAGE_BYTES - 2048) {
			const struct job *job =
				jobs_find(core->jobs, w->done[w->n_told++]);

			if (job)
				job_to_json(&j, NULL, core, job);
		}
		json_writer_array_end(&j);
	}
	json_writer_int(&j, "waiting", (int64_t)w->n_waiting);
	json_writer_int(&j, "succeeded", w->n_succeeded);
	json_writer_int(&j, "failed", w->n_failed);
	json_writer_bool(&j, "timed_out", w->timed_out);
	json_writer_object_end(&j);
	r = json_writer_end(&j);
	return r < 0 ? r
		     : vl_call_reply_text(
			       w->call, buf_head(&text), buf_len(&text), continues);
}

static int tell_ids(struct waiter *w)
{
	int r = 0;

	while (r >= 0 && w->n_ids_told < w->n_ids) {
		r = reply(w, true, WITH_IDS);
		if (r >= 0)
			r = control_wait_writable(w->conn, w->call);
	}
	return r;
}

/* until all have ended; with "more" each page of ended ones is told */
static int wait_all(struct waiter *w)
{
	bool more = vl_call_wants_more(w->call);
	int r;

	r = tell_ids(w);
	if (r < 0)
		return r;
	for (;;) {
		rv_event_clear(&w->changed);
		while (more && w->n_told < w->n_done) {
			r = reply(w, true, WITH_JOBS);
			if (r >= 0)
				r = control_wait_writable(w->conn, w->call);
			if (r < 0)
				return r;
		}
		if (w->n_waiting == 0)
			return 0;
		if (rv_event_is_set(&w->changed))
			continue;
		r = control_wait_event(w->conn, &w->changed);
		if (r < 0)
			return r;
	}
}

/* those that are still there; their ids stand at the beginning of the selection then */
static int watch_all(struct waiter *w, struct selection *sel)
{
	const struct jobs *jobs = control_core(w->conn->control)->jobs;
	size_t n = 0;

	w->ids = sel->ids;
	w->watches = calloc(sel->n_ids + 1, sizeof(*w->watches));
	w->done = calloc(sel->n_ids + 1, sizeof(*w->done));
	if (!w->watches || !w->done)
		return -ENOMEM;
	for (size_t i = 0; i < sel->n_ids; i++) {
		struct job *j = jobs_find(jobs, sel->ids[i]);

		if (!j)
			continue;
		w->ids[w->n_ids++] = j->id;
		if (j->state == JOB_FINISHED) {
			count(w, j);
			continue;
		}
		w->watches[n].waiter = w;
		w->watches[n].watch.fn = job_ended;
		job_watch_add(j, &w->watches[n].watch);
		n++;
	}
	w->n_waiting = n;
	return 0;
}

static int wait_for(struct waiter *w, struct selection *sel, const json_t *params)
{
	const json_t *usec = json_object_get(params, "timeout_usec");
	rv_time timeout = json_is_integer(usec) ? usec_to_time(json_integer_value(usec))
						: RV_FOREVER;
	int r;

	r = watch_all(w, sel);
	if (!vl_call_wants_more(w->call) ||
		!json_is_true(json_object_get(params, "tell_ids")))
		w->n_ids_told = w->n_ids;
	if (r >= 0)
		r = rv_timed(timeout, wait_all(w));
	w->timed_out = r == -ETIMEDOUT;
	if (r == -ETIMEDOUT)
		r = 0;
	if (r >= 0)
		r = reply(w, false, WITH_COUNTS);
	return r;
}

/* bare wait: what is unfinished now, without what is held */
static void leave_out_held(struct selection *sel)
{
	if (sel->sel.n_ids == 0 && sel->sel.states == JOB_STATES_CURRENT)
		sel->sel.states &= ~(1u << JOB_HELD);
}

int control_job_wait(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	const json_t *select = json_object_get(params, "select");
	struct waiter w = {.conn = conn, .call = call};
	struct selection sel;
	int r;

	if (control_refuses_negative(call, "timeout_usec"))
		return 0;
	rv_event_init(&w.changed);
	/* labels and the like also judge what has finished; bare and --all do not */
	r = select_decode(&sel, conn, call, select, SELECT_EMPTY_IS_ALL);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (sel.sel.all && !sel.sel.states) {
		sel.sel.states = JOB_STATES_CURRENT;
		sel.sel.no_schedule = !sel.sel.schedule;
	}
	leave_out_held(&sel);
	r = select_resolve(&sel, conn);
	if (r >= 0)
		r = wait_for(&w, &sel, params);
	unwatch(&w, w.watches ? sel.n_ids : 0);
	selection_deinit(&sel);
	return r;
}
