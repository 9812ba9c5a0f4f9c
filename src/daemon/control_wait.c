#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/app.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/job_json.h"
#include "daemon/jobs.h"
#include "reeve/scope.h"
#include "varlink/json_write.h"

/* between two replies that only tell how far it is */
#define PROGRESS_PACE RV_MS(100)

enum until { UNTIL_ALL, UNTIL_ANY, UNTIL_FAILURE, UNTIL_EMPTY };

/* A wait for many jobs: each has a watch; what has ended and was not told is in done. */
struct waiter {
	struct control_conn *conn;
	struct vl_call *call;
	struct watch {
		struct job_watch watch;
		struct waiter *waiter;
		bool running;
	} * watches;
	size_t n_watches;
	enum until until;
	bool progress, moved; /* moved: since it was told */
	rv_time progress_due; /* not told before */
	size_t n_waiting, n_running;
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

static void note_running(struct watch *watch, bool running)
{
	struct waiter *w = watch->waiter;

	if (running == watch->running)
		return;
	watch->running = running;
	w->n_running += running ? 1 : -(size_t)1;
	/* the task has to wake once, to wait until it is due */
	if (!w->moved)
		rv_event_set(&w->changed);
	w->moved = true;
}

/* Its end, or with every_change one of its moves. */
static void job_changed(struct job_watch *job_watch, const struct job *j)
{
	struct watch *watch = CONTAINER_OF(job_watch, struct watch, watch);
	struct waiter *w = watch->waiter;

	if (list_is_linked(&job_watch->link)) {
		note_running(watch, job_state_is_active((enum job_state)j->state));
		return;
	}
	note_running(watch, false);
	count(w, j);
	w->n_waiting--;
	w->moved = true;
	rv_event_set(&w->changed);
}

static void unwatch(struct waiter *w)
{
	for (size_t i = 0; i < w->n_watches; i++)
		list_remove(&w->watches[i].watch.link);
	free(w->watches);
	free(w->done);
	w->watches = NULL;
	w->done = NULL;
	w->n_watches = w->n_waiting = w->n_running = 0;
	w->n_done = w->n_told = 0;
}

/* as ranges, as many as a page holds */
static void put_ids(struct waiter *w, struct json_writer *j, const struct buf *text)
{
	json_writer_array(j, "ids");
	while (w->n_ids_told < w->n_ids && buf_len(text) < PAGE_BYTES - JOB_BYTES) {
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

enum with { WITH_COUNTS, WITH_IDS, WITH_JOBS, WITH_RUNNING };

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
		while (w->n_told < w->n_done &&
			buf_len(&text) < PAGE_BYTES - JOB_BYTES) {
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
	if (with == WITH_RUNNING)
		json_writer_int(&j, "running", (int64_t)w->n_running);
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

static rv_time now(const struct waiter *w)
{
	return rv_loop_time(control_app(w->conn->control)->loop);
}

static int tell_progress(struct waiter *w)
{
	int r;

	if (!w->progress || !w->moved || now(w) < w->progress_due)
		return 0;
	w->moved = false;
	w->progress_due = now(w) + PROGRESS_PACE;
	r = reply(w, true, WITH_RUNNING);
	return r < 0 ? r : control_wait_writable(w->conn, w->call);
}

/* Until something changes, or what has changed may be told. */
static int wait_change(struct waiter *w)
{
	int r;

	if (!w->progress || !w->moved)
		return control_wait_event(w->conn, &w->changed);
	r = rv_timed(MAX(w->progress_due - now(w), (rv_time)0),
		control_wait_event(w->conn, &w->changed));
	return r == -ETIMEDOUT ? 0 : r;
}

static bool is_over(const struct waiter *w)
{
	return w->n_waiting == 0 || (w->until == UNTIL_ANY && w->n_done > 0) ||
	       (w->until == UNTIL_FAILURE && w->n_failed > 0);
}

/* until it is over; with "more" each page of ended ones is told */
static int wait_watched(struct waiter *w)
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
		if (is_over(w))
			return 0;
		r = tell_progress(w);
		if (r < 0)
			return r;
		if (rv_event_is_set(&w->changed))
			continue;
		r = wait_change(w);
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
		w->watches[n].watch.fn = job_changed;
		w->watches[n].watch.every_change = w->progress;
		w->watches[n].running = job_state_is_active((enum job_state)j->state);
		w->n_running += w->watches[n].running;
		job_watch_add(j, &w->watches[n].watch);
		n++;
	}
	w->n_waiting = w->n_watches = n;
	w->moved = true; /* the first counts */
	return 0;
}

/* What came in the meantime is waited for too, until there is nothing. */
static int wait_until_empty(struct waiter *w, struct selection *sel)
{
	int r = 0;

	while (r >= 0 && w->n_watches > 0) {
		r = wait_watched(w);
		if (r < 0)
			break;
		unwatch(w);
		w->ids = NULL;
		w->n_ids = w->n_ids_told = 0;
		free(TAKE_PTR(sel->ids));
		sel->n_ids = 0;
		r = select_resolve(sel, w->conn);
		if (r >= 0)
			r = watch_all(w, sel);
		w->n_ids_told = w->n_ids;
	}
	return r;
}

static int wait_for(struct waiter *w, struct selection *sel, const json_t *params)
{
	const json_t *usec = json_object_get(params, "timeout_usec");
	rv_time timeout = json_is_integer(usec) ? usec_to_time(json_integer_value(usec))
						: RV_FOREVER;
	int r;

	w->progress = vl_call_wants_more(w->call) &&
		      json_is_true(json_object_get(params, "progress"));
	r = watch_all(w, sel);
	if (!vl_call_wants_more(w->call) || w->until == UNTIL_EMPTY ||
		!json_is_true(json_object_get(params, "tell_ids")))
		w->n_ids_told = w->n_ids;
	if (r >= 0)
		r = rv_timed(timeout, w->until == UNTIL_EMPTY ? wait_until_empty(w, sel)
							      : wait_watched(w));
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

static enum until until_of(const json_t *params)
{
	const char *word = json_string_value(json_object_get(params, "until"));

	if (!word || STREQ(word, "all"))
		return UNTIL_ALL;
	if (STREQ(word, "any"))
		return UNTIL_ANY;
	return STREQ(word, "failure") ? UNTIL_FAILURE : UNTIL_EMPTY;
}

int control_job_wait(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	const json_t *select = json_object_get(params, "select");
	struct waiter w = {.conn = conn, .call = call, .until = until_of(params)};
	struct selection sel;
	int r;

	if (control_refuses_negative(call, "timeout_usec"))
		return 0;
	rv_event_init(&w.changed);
	/* labels and the like also judge what has finished; bare and --all do not */
	r = select_decode(&sel, conn, call, select, SELECT_EMPTY_IS_ALL | SELECT_ACTS);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (w.until == UNTIL_EMPTY && sel.sel.n_ids > 0) {
		selection_deinit(&sel);
		return vl_call_invalid(call, "until", "empty is not for ids and names");
	}
	if ((sel.sel.all || w.until == UNTIL_EMPTY) && !sel.sel.states) {
		sel.sel.states = JOB_STATES_CURRENT;
		/* a pool with a schedule's job in it is not empty */
		sel.sel.no_schedule = w.until != UNTIL_EMPTY && !sel.sel.schedule;
	}
	leave_out_held(&sel);
	r = select_resolve(&sel, conn);
	if (r >= 0)
		r = wait_for(&w, &sel, params);
	unwatch(&w);
	selection_deinit(&sel);
	return r;
}
