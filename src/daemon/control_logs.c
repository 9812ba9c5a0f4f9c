#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "daemon/app.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/log_watch.h"
#include "daemon/output_read.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "reeve/executor.h"
#include "varlink/json_write.h"

enum { RAW_PAGE = 46 * 1024 }; /* bytes that fit into a page as base64 */

static const char *const stream_name[] = {"stdout", "stderr"};

struct reader {
	struct control_conn *conn;
	struct vl_call *call;
	struct core *core;
	uint64_t id;
	uint32_t run;    /* the one that is read; 0: not known yet */
	uint32_t n_runs; /* of the job; a record beyond is of a start that never was */
	bool fixed_run;  /* it was asked for */
	bool next_run;   /* the first one from that on; else the newest */
	bool follow;
	bool want[2]; /* streams that were asked for */
	bool split;
	int64_t lines; /* -1: all */
	int64_t from;  /* offset asked for */
	/* of the run that is read */
	int fd[2];
	int64_t offset[2];
	int64_t left
		[2]; /* bytes that are still wanted; INT64_MAX: all that there will be */
	bool run_ended;
	/* the page under way */
	int stream;
	struct buf raw;
	int64_t lost;
	int64_t gone; /* bytes of a run whose output was dropped, not told yet */
	int64_t n;
	/* what wakes a follower */
	struct job_watch watch;
	struct log_follower follower[2]; /* of fd */
	rv_event changed;
};

static void close_files(struct reader *rd)
{
	rd->fd[0] = close_safe(rd->fd[0]);
	rd->fd[1] = close_safe(rd->fd[1]);
}

static void unwatch_files(struct reader *rd)
{
	log_watch_remove(rd->core->log_watch, &rd->follower[0]);
	log_watch_remove(rd->core->log_watch, &rd->follower[1]);
}

static void reader_deinit(struct reader *rd)
{
	list_remove(&rd->watch.link);
	unwatch_files(rd);
	close_files(rd);
	buf_deinit(&rd->raw);
}

/* ---- in a worker -------------------------------------------------------------------------- */

struct find {
	struct reader *rd;
	bool found;
};

static void open_streams(struct reader *rd, const char *names)
{
	char name[64];

	rd->split = names && strchr(names, ' ');
	rd->gone = MAX(output_gone(names) - rd->from, 0);
	for (int s = 0; s < 2; s++) {
		if (!rd->want[s] && !(s == OUTPUT_STDOUT && !rd->split))
			continue; /* unsplit output is one stream, whichever was asked for */
		if (output_name(name, sizeof(name), names, (enum output_stream)s) <=
				0 ||
			output_open(&rd->fd[s], rd->core->state_fd, name) < 0)
			continue;
		rd->offset[s] = rd->from;
		if (rd->lines >= 0)
			output_tail_offset(rd->fd[s], rd->lines, &rd->offset[s]);
		rd->left[s] =
			rd->follow ? INT64_MAX : output_left(rd->fd[s], rd->offset[s]);
		if (rd->left[s] < 0)
			rd->left[s] = INT64_MAX; /* reading says what is wrong */
	}
}

static int take_run(const struct store_run *rec, void *arg)
{
	struct find *f = arg;
	struct reader *rd = f->rd;

	if (rd->fixed_run ? rec->token.run != rd->run : rec->token.run < rd->run)
		return 0;
	if (rec->token.run > rd->n_runs)
		return 0;
	close_files(rd);
	rd->run = rec->token.run;
	rd->run_ended = rec->ended_usec != 0;
	f->found = true;
	open_streams(rd, rec->output);
	return rd->next_run; /* they come in order */
}

/* the run asked for, or the newest, or the next */
static int find_run(void *arg)
{
	struct find *f = arg;
	int r = store_runs(f->rd->core->store, f->rd->id, take_run, f);

	return r < 0 ? r : f->found;
}

static int read_page(void *arg)
{
	struct reader *rd = arg;

	buf_clear(&rd->raw);
	rd->n = 0;
	rd->lost = rd->gone;
	rd->gone = 0;
	if (rd->lost > 0)
		return 1;
	for (int s = 0; s < 2 && rd->n == 0; s++) {
		int which = (rd->stream + 1 + s) % 2; /* turn and turn about */

		if (rd->fd[which] < 0 || rd->left[which] <= 0)
			continue;
		rd->n = output_page(rd->fd[which], &rd->offset[which], &rd->raw,
			(size_t)MIN(rd->left[which], RAW_PAGE), &rd->lost);
		if (rd->n < 0)
			return (int)rd->n;
		if (!rd->follow)
			rd->left[which] -= rd->n;
		if (rd->n > 0 || rd->lost > 0) {
			rd->stream = which;
			return 1;
		}
	}
	return 0;
}

/* ---- following ---------------------------------------------------------------------------- */

static void job_changed(struct job_watch *w, const struct job *j)
{
	rv_event_set(&CONTAINER_OF(w, struct reader, watch)->changed);
}

static int watch_files(struct reader *rd)
{
	int r = 0;

	for (int s = 0; s < 2 && r >= 0; s++)
		if (rd->fd[s] >= 0)
			r = log_watch_add(rd->core->log_watch, &rd->follower[s],
				rd->fd[s], &rd->changed);
	return r;
}

/* One that is starting has not begun: it may wait ahead of its slot and be taken back, also by
 * the next daemon, and its number given to a start with another file. */
static uint32_t n_runs_begun(const struct job *j)
{
	return j->n_runs - (j->state == JOB_STARTING);
}

static bool is_starting_or_going(const struct scheduler *s)
{
	return scheduler_is_blocked(s, BLOCK_STARTUP) ||
	       scheduler_is_blocked(s, BLOCK_SHUTDOWN);
}

static bool run_is_over(struct reader *rd)
{
	const struct job *j = jobs_find(rd->core->jobs, rd->id);

	/* The record of a start is seen in the store a moment before the table shows it:
	 * then the run that is read is ahead of n_runs, and only beginning. */
	if (rd->run_ended || !j || j->n_runs > rd->run)
		return true;
	/* While the daemon starts or goes, what goes on is not in its hands: no end. */
	return !j->run && !(is_starting_or_going(rd->core->scheduler) &&
				  job_state_is_active((enum job_state)j->state));
}

static bool job_is_over(struct reader *rd)
{
	const struct job *j = jobs_find(rd->core->jobs, rd->id);

	return !j || j->state == JOB_FINISHED;
}

/* ---- the stream of replies ------------------------------------------------------------------ */

static int send_page(struct reader *rd, bool ended, bool continues)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;
	int r;

	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_int(&w, "id", (int64_t)rd->id);
	json_writer_int(&w, "run", rd->run);
	json_writer_string(&w, "stream", rd->split ? stream_name[rd->stream] : "all");
	json_writer_base64(&w, "data_b64", buf_head(&rd->raw), buf_len(&rd->raw));
	json_writer_int(
		&w, "offset", rd->offset[rd->stream] - (int64_t)buf_len(&rd->raw));
	json_writer_int(&w, "lost_bytes", rd->lost);
	json_writer_bool(&w, "ended", ended);
	json_writer_object_end(&w);
	r = json_writer_end(&w);
	if (r >= 0)
		r = vl_call_reply_text(
			rd->call, buf_head(&text), buf_len(&text), continues);
	if (r >= 0 && continues)
		r = control_wait_writable(rd->conn, rd->call);
	return r;
}

/* All that is there: now, or where nobody follows as much as there was when it was opened, so
 * that this ends however fast more is written. 0, negative */
static int send_what_is_there(struct reader *rd)
{
	int r;

	while ((r = rv_run_blocking(rd->core->io, read_page, rd)) > 0) {
		r = send_page(rd, false, true);
		if (r < 0)
			return r;
	}
	return r;
}

/* the run to its end, or once to what is there */
static int stream_run(struct reader *rd)
{
	int r = rd->follow ? watch_files(rd) : 0;

	while (r >= 0) {
		bool over = run_is_over(
			rd); /* before reading: what it wrote last is seen */

		rv_event_clear(&rd->changed);
		r = send_what_is_there(rd);
		if (over || !rd->follow)
			break;
		if (r >= 0)
			r = control_wait_event(rd->conn, &rd->changed);
	}
	unwatch_files(rd);
	return r;
}

/* 1: that run has begun; 0: the job is over without it */
static int wait_for_run(struct reader *rd, uint32_t run)
{
	for (;;) {
		const struct job *j = jobs_find(rd->core->jobs, rd->id);
		int r;

		if (j)
			rd->n_runs = n_runs_begun(j);
		if (j && n_runs_begun(j) >= run)
			return 1;
		if (job_is_over(rd))
			return 0;
		rv_event_clear(&rd->changed);
		r = control_wait_event(rd->conn, &rd->changed);
		if (r < 0)
			return r;
	}
}

/* What the record of a run that goes on names is the run's only while it has it: a file that
 * stayed empty goes to another run, maybe of another user, before the end is on disk. */
static bool names_are_good(const struct reader *rd)
{
	const struct job *j = jobs_find(rd->core->jobs, rd->id);

	return rd->run_ended || !j ||
	       (j->n_runs == rd->run && !j->busy &&
		       job_state_is_active((enum job_state)j->state));
}

/* 1: found, and its files are open; 0: there is none */
static int open_run(struct reader *rd)
{
	bool fixed = rd->fixed_run;

	/* its end is on disk when it is not busy any more, so twice is enough */
	for (int i = 0; i < 3; i++) {
		struct find f = {.rd = rd};
		struct job *j = jobs_find(rd->core->jobs, rd->id);
		int r;

		rd->n_runs = j ? n_runs_begun(j) : 0;
		r = rv_run_blocking(rd->core->io, find_run, &f);
		if (r < 0)
			return r;
		if (!f.found) {
			/* not even a record: do not ask for this one again and again */
			rd->run = fixed ? rd->run : MAX(rd->run, rd->n_runs);
			return 0;
		}
		if (names_are_good(rd))
			return 1;
		close_files(rd);
		r = jobs_wait_idle(rd->core->jobs, rd->id, &j);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

static int follow_runs(struct reader *rd)
{
	int r;

	for (;;) {
		r = open_run(rd);
		if (r > 0)
			r = stream_run(rd);
		if (r < 0 || !rd->follow)
			return r;
		r = wait_for_run(rd, rd->run + 1);
		if (r <= 0)
			return r;
		rd->lines = -1; /* of a run that begins now everything is wanted */
		rd->from = 0;
		/* others may have begun and ended meanwhile: none is left out */
		rd->next_run = true;
		rd->run++;
	}
}

/* the one that was asked for */
static int follow_one_run(struct reader *rd)
{
	int r = 1;

	if (rd->follow)
		r = wait_for_run(rd, rd->run);
	if (r == 0)
		rd->run = rd->n_runs; /* the last one: it says that there is no other */
	if (r > 0)
		r = open_run(rd);
	return r > 0 ? stream_run(rd) : r;
}

static bool is_run_number(const json_t *run)
{
	return json_integer_value(run) >= 1 && json_integer_value(run) <= UINT32_MAX;
}

static void take_members(struct reader *rd, const json_t *params)
{
	const char *s = json_string_value(json_object_get(params, "stream"));
	const json_t *run = json_object_get(params, "run");
	const json_t *lines = json_object_get(params, "lines");

	rd->follow = json_is_true(json_object_get(params, "follow"));
	rd->want[0] = !s || STREQ(s, "all") || STREQ(s, "stdout");
	rd->want[1] = !s || STREQ(s, "all") || STREQ(s, "stderr");
	rd->fixed_run = json_is_integer(run);
	rd->run = rd->fixed_run ? (uint32_t)json_integer_value(run) : 0;
	rd->lines = json_is_integer(lines) ? json_integer_value(lines) : -1;
	rd->from = json_integer_value(json_object_get(params, "offset"));
}

int control_job_logs(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	struct reader rd = {.conn = conn,
		.call = call,
		.fd = {-1, -1},
		.stream = 1,
		.raw = BUF_NULL};
	struct job *j;
	int r;

	if (json_is_integer(json_object_get(params, "run")) &&
		!is_run_number(json_object_get(params, "run")))
		return vl_call_invalid(call, "run", "runs count from 1");
	if (control_refuses_negative(call, "lines") ||
		control_refuses_negative(call, "offset"))
		return 0;
	rd.core = control_core(conn->control);
	rv_event_init(&rd.changed);
	take_members(&rd, params);
	r = select_one(&rd.id, conn, call, json_object_get(params, "select"));
	if (r <= 0)
		return r;
	j = jobs_find(rd.core->jobs, rd.id);
	rd.watch = (struct job_watch){.fn = job_changed, .every_change = true};
	if (rd.follow && j)
		job_watch_add(j, &rd.watch);
	r = rd.fixed_run ? follow_one_run(&rd) : follow_runs(&rd);
	if (r >= 0) {
		buf_clear(&rd.raw);
		rd.lost = 0;
		r = send_page(&rd, true, false);
	}
	reader_deinit(&rd);
	return r;
}
