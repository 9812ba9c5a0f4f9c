/* The method Events: what happened to jobs, from a place in the ring on. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/users.h"
#include "reeve/task.h"
#include "varlink/json_write.h"

enum {
	YIELD_EVERY = 4096, /* events looked at without a match */
	LABELS_MAX = 32,    /* of one job: fields.def */
	CURSOR_MAX = 48,    /* bytes */
	EVENT_MAX = 8192,   /* bytes of one as JSON */
};

/* one call; all that it keeps of the ring is next */
struct reader {
	struct control_conn *conn;
	struct vl_call *call;
	struct core *core;
	struct selection sel; /* its criteria; what it holds now is not looked up */
	uint64_t next;        /* number of the event to look at next */
	uint64_t lost;        /* given up before we came to them, and not told yet */
	bool restarted; /* those of an earlier daemon were asked for; not told yet */
	size_t n;       /* events in the page */
	struct buf page;
};

static bool wanted(const struct reader *rd, const struct event *e)
{
	const char *labels[LABELS_MAX + 1] = {NULL};
	struct event_texts t;
	struct job_facts f;
	size_t n = 0;

	if (!rd->conn->is_admin && e->uid != rd->conn->peer.uid)
		return false;
	event_texts_get(e, &t);
	for (uint32_t at = 0; at < e->labels_len && n < LABELS_MAX;
		at += (uint32_t)strlen(t.labels + at) + 1)
		labels[n++] = t.labels + at;
	f = (struct job_facts){
		.id = e->job,
		.uid = e->uid,
		.name = t.name,
		.pools = t.pools,
		.state = (enum job_state)(e->to == EVENT_NO_JOB ? e->from : e->to),
		.result = e->result,
		.labels = (char *const *)labels,
		.submitted_usec = e->time_usec,
	};
	return job_select_matches(&rd->sel.sel, &f);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		json_writer_string(w, key, text);
	else
		json_writer_null(w, key);
}

static void put_state(struct json_writer *w, const char *key, int state)
{
	put_text(w, key, state == EVENT_NO_JOB ? NULL : job_state_name[state]);
}

static const char *cursor_text(
	char buf[CURSOR_MAX], const struct core *core, uint64_t number)
{
	snprintf(buf, CURSOR_MAX, "%" PRIu64 ".%" PRIu64, core->epoch, number);
	return buf;
}

static void put_event(struct reader *rd, struct json_writer *w, uint64_t number)
{
	const struct event *e = events_at(rd->core->events, number);
	char cursor[CURSOR_MAX];
	struct event_texts t;

	event_texts_get(e, &t);
	json_writer_object(w, NULL);
	json_writer_string(w, "cursor", cursor_text(cursor, rd->core, number));
	json_writer_int(w, "time_usec", e->time_usec);
	json_writer_int(w, "id", (int64_t)e->job);
	put_text(w, "name", t.name);
	json_writer_string(w, "pool", t.pools);
	json_writer_string(w, "user", users_name(rd->core->users, e->uid));
	put_state(w, "from", e->from);
	put_state(w, "to", e->to);
	put_text(w, "result",
		e->result == JOB_RESULT_NONE ? NULL : job_result_name[e->result]);
	if (e->exit_code >= 0)
		json_writer_int(w, "exit_code", e->exit_code);
	else
		json_writer_null(w, "exit_code");
	if (e->signal > 0)
		json_writer_int(w, "signal", e->signal);
	else
		json_writer_null(w, "signal");
	json_writer_int(w, "run", e->n_runs);
	put_text(w, "reason", t.reason);
	if (e->ready != EVENT_READY_AS_BEFORE)
		json_writer_bool(w, "ready", e->ready == EVENT_IS_READY);
	if (e->callback_dropped)
		json_writer_bool(w, "callback_dropped", true);
	json_writer_object_end(w);
}

/* What was given up before we came to it. A page tells it before its first event. */
static bool skip_lost(struct reader *rd)
{
	uint64_t oldest = events_oldest(rd->core->events);

	if (rd->next >= oldest)
		return true;
	if (rd->n > 0)
		return false;
	rd->lost += oldest - rd->next;
	rd->next = oldest;
	return true;
}

/* Events up to that number, as many as fit. 0, -ECANCELED */
static int put_events(struct reader *rd, struct json_writer *w, uint64_t end)
{
	unsigned n_looked = 0;
	int r;

	while (skip_lost(rd) && rd->next < MIN(end, events_next(rd->core->events)) &&
		buf_len(&rd->page) < PAGE_BYTES - EVENT_MAX) {
		if (wanted(rd, events_at(rd->core->events, rd->next))) {
			put_event(rd, w, rd->next);
			rd->n++;
		}
		rd->next++;
		if (++n_looked % YIELD_EVERY == 0 && (r = rv_yield()) < 0)
			return r;
	}
	return 0;
}

static int fill_page(struct reader *rd, uint64_t end)
{
	char cursor[CURSOR_MAX];
	struct json_writer w;
	int r;

	buf_clear(&rd->page);
	rd->n = 0;
	json_writer_init(&w, &rd->page);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "events");
	r = put_events(rd, &w, end);
	if (r < 0)
		return r;
	json_writer_array_end(&w);
	json_writer_string(&w, "cursor", cursor_text(cursor, rd->core, rd->next - 1));
	json_writer_int(&w, "lost", (int64_t)rd->lost);
	json_writer_bool(&w, "restarted", rd->restarted);
	json_writer_object_end(&w);
	return json_writer_end(&w);
}

static int reply(struct reader *rd, bool continues)
{
	int r = vl_call_reply_text(
		rd->call, buf_head(&rd->page), buf_len(&rd->page), continues);

	rd->lost = 0;
	rd->restarted = false;
	return r;
}

/* what there is by now, in pages, or the first of them */
static int tell(struct reader *rd)
{
	uint64_t end = events_next(rd->core->events);
	bool more = vl_call_wants_more(rd->call);
	int r;

	for (;;) {
		r = fill_page(rd, end);
		if (r < 0)
			return r;
		more = more && rd->next < end;
		r = reply(rd, more);
		if (r < 0 || !more)
			return r;
		r = control_wait_writable(rd->conn, rd->call);
		if (r < 0)
			return r;
	}
}

/* The first reply comes at once: it says from where on. */
static int follow(struct reader *rd)
{
	struct events *events = rd->core->events;
	bool first = true;
	int r;

	for (;;) {
		r = fill_page(rd, UINT64_MAX);
		if (r >= 0 && (first || rd->n > 0 || rd->lost > 0)) {
			first = false;
			r = reply(rd, true);
			if (r >= 0)
				r = control_wait_writable(rd->conn, rd->call);
		}
		if (r >= 0 && rd->next == events_next(events))
			r = control_wait_event(rd->conn, events_arrival(events));
		if (r < 0)
			return r;
	}
}

/* 0, -EINVAL: answered */
static int begin_at_cursor(struct reader *rd, const char *text)
{
	char epoch_text[CURSOR_MAX];
	const char *dot = strchr(text, '.');
	uint64_t epoch, number;

	if (dot && (size_t)(dot - text) < sizeof(epoch_text)) {
		memcpy(epoch_text, text, (size_t)(dot - text));
		epoch_text[dot - text] = '\0';
		if (parse_u64(&epoch, epoch_text, 0, UINT64_MAX) == 0 &&
			parse_u64(&number, dot + 1, 0, UINT64_MAX - 1) == 0 &&
			(epoch != rd->core->epoch ||
				number < events_next(rd->core->events))) {
			rd->restarted = epoch != rd->core->epoch;
			rd->next = rd->restarted ? 1 : number + 1;
			return 0;
		}
	}
	vl_call_invalid(rd->call, "cursor", "not a cursor of this daemon");
	return -EINVAL;
}

static int begin(struct reader *rd, const json_t *params, bool follows)
{
	const char *cursor = json_string_value(json_object_get(params, "cursor"));
	const json_t *since = json_object_get(params, "since_usec");
	struct events *events = rd->core->events;

	if (cursor)
		return begin_at_cursor(rd, cursor);
	if (json_is_integer(since)) {
		rd->next = events_since(events, json_integer_value(since), &rd->lost);
		rd->restarted = json_integer_value(since) < events_begin_usec(events);
		return 0;
	}
	rd->next = follows ? events_next(events) : events_oldest(events);
	return 0;
}

int control_job_events(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	struct reader rd = {.conn = conn,
		.call = call,
		.core = control_core(conn->control),
		.page = BUF_NULL};
	bool follows = vl_call_wants_more(call) &&
		       json_is_true(json_object_get(params, "follow"));
	int r;

	if (control_refuses_negative(call, "since_usec"))
		return 0;
	r = select_decode(&rd.sel, conn, call, json_object_get(params, "select"),
		SELECT_EMPTY_IS_ALL);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	r = begin(&rd, params, follows);
	if (r >= 0)
		r = follows ? follow(&rd) : tell(&rd);
	selection_deinit(&rd.sel);
	buf_deinit(&rd.page);
	return r == -EINVAL ? 0 : r;
}
