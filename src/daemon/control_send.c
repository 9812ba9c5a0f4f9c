/* Send: bytes for the stdin of a job that runs; see run_stdin.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "config/configuration.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/run.h"
#include "daemon/run_stdin.h"
#include "reeve/scope.h"
#include "reeve/task.h"

static const rv_time end_is_seen_within = RV_MS(200);
/* at the least, whatever patience there is with who reads */
static const rv_time spawner_closes_within = RV_SEC(1);

struct send {
	struct list link; /* in run_stdin.senders */
	struct control_conn *conn;
	struct vl_call *call;
	uint64_t id;
	const char *data;
	size_t n, done;
	bool eof;
	rv_time patience; /* how long nothing may be read */
	rv_time began;
};

/* why not all of it went in; NULL: it may go in */
static const char *refusal(const struct run_stdin *in)
{
	switch (in->state) {
	case RUN_STDIN_AWAITED:
	case RUN_STDIN_OPEN: return NULL;
	case RUN_STDIN_CLOSING:
	case RUN_STDIN_CLOSED: return "eof";
	case RUN_STDIN_LOST: return "lost";
	case RUN_STDIN_OVER: return "ended";
	case RUN_STDIN_LEFT: return "shutdown";
	}
	return NULL;
}

static rv_time give_up_at(const struct send *s, const struct run_stdin *in)
{
	rv_time since = MAX(s->began, in->taken_at);

	return s->patience > RV_FOREVER - since ? RV_FOREVER : since + s->patience;
}

static int wait_until(const struct send *s, struct run_stdin *in, rv_time when)
{
	rv_scope scope;
	int r;

	r = rv_scope_enter(&scope, 0, when);
	if (r < 0)
		return r;
	return rv_scope_exit(&scope, control_wait_event(s->conn, &in->changed));
}

/* until something has changed; -ETIMEDOUT, -ECANCELED */
static int wait_change(const struct send *s, struct run_stdin *in)
{
	int r = wait_until(s, in, give_up_at(s, in));

	/* another sender may have got on meanwhile: so shall we */
	return r == -ETIMEDOUT && rv_now() < give_up_at(s, in) ? 0 : r;
}

static bool is_first(const struct send *s, const struct run_stdin *in)
{
	return in->senders.next == &s->link;
}

/* Nobody reads it any more: most often because the job has just ended, which is seen in a
 * moment. As put_data */
static int tell_closed(const struct send *s, struct run_stdin *in, const char **why)
{
	const struct jobs *jobs = control_core(s->conn->control)->jobs;
	rv_time until = rv_now() + end_is_seen_within;
	const struct job *j;
	int r = 0;

	while (r >= 0 && in->state == RUN_STDIN_OPEN)
		r = wait_until(s, in, until);
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	*why = refusal(in);
	j = jobs_find(jobs, s->id);
	if (!*why)
		*why = j && j->run && run_main_has_ended(j->run) ? "ended" : "closed";
	return 1;
}

/* All that there is, in our turn. 0; 1: *why says why not; negative */
static int put_data(struct send *s, struct run_stdin *in, const char **why)
{
	for (;;) {
		ssize_t n = -EAGAIN;
		int r;

		*why = refusal(in);
		if (*why)
			return 1;
		if (in->state == RUN_STDIN_OPEN && is_first(s, in)) {
			if (s->done == s->n)
				return 0;
			n = run_stdin_write(in, s->data + s->done, s->n - s->done);
		}
		if (n == -EPIPE)
			return tell_closed(s, in, why);
		if (n < 0 && n != -EAGAIN)
			return (int)n;
		if (n > 0)
			s->done += (size_t)n;
		/* one that reads as fast as we write does not keep the loop from others */
		r = n > 0 ? rv_yield() : wait_change(s, in);
		if (r < 0)
			return r;
	}
}

/* Until the spawner has closed it too: then no end of ours undoes it. As put_data */
static int put_eof(const struct send *s, struct run_stdin *in, const char **why)
{
	struct job *j = jobs_find(control_core(s->conn->control)->jobs, s->id);
	rv_time until = MAX(give_up_at(s, in), rv_now() + spawner_closes_within);
	int r;

	if (j && j->run && j->run->in == in)
		run_request_close_stdin(j->run);
	while (in->state == RUN_STDIN_CLOSING) {
		r = wait_until(s, in, until);
		if (r < 0)
			return r;
	}
	*why = "shutdown";
	return in->state == RUN_STDIN_LEFT;
}

static int reply_failed(const struct send *s, const char *why)
{
	const struct job *j = jobs_find(control_core(s->conn->control)->jobs, s->id);

	/* it was to start and was taken back */
	if (s->done == 0 && j && !j->run &&
		!job_state_is_active((enum job_state)j->state))
		return reply_error(s->call, "io.reeve.Job.WrongState",
			"{\"id\":%" PRIu64 ",\"state\":\"%s\"}", s->id,
			job_state_name[j->state]);
	return reply_error(s->call, "io.reeve.Job.SendFailed",
		"{\"id\":%" PRIu64 ",\"sent\":%zu,\"why\":\"%s\"}", s->id, s->done,
		why);
}

static int reply_sent(const struct send *s)
{
	const struct job *j = jobs_find(control_core(s->conn->control)->jobs, s->id);
	json_t *reply = json_pack("{s:I, s:I, s:I}", "id", (json_int_t)s->id, "run",
		(json_int_t)(j ? j->n_runs : 0), "sent", (json_int_t)s->done);
	int r = vl_call_reply(s->call, reply, false);

	json_decref(reply);
	return r;
}

static int send_to(struct send *s, struct run_stdin *in)
{
	const char *why = NULL;
	int r;

	/* said once more: it is so already */
	if (s->eof && s->n == 0 && refusal(in) && in->state != RUN_STDIN_OVER &&
		in->state != RUN_STDIN_LEFT)
		return reply_sent(s);
	list_append(&in->senders, &s->link);
	in->n_senders++;
	s->began = rv_now();
	r = put_data(s, in, &why);
	if (r == 0 && s->eof)
		r = put_eof(s, in, &why);
	list_remove(&s->link);
	in->n_senders--;
	run_stdin_wake(in); /* the next one's turn */
	if (r == -ETIMEDOUT)
		return reply_failed(s, "timeout");
	if (r < 0)
		return r;
	return r > 0 ? reply_failed(s, why) : reply_sent(s);
}

static bool has_open_stdin(const struct job *j)
{
	int64_t open = 0;

	return job_spec_peek_num(&open, j->spec, j->spec_len, JOB_FIELD_STDIN_OPEN) >
		       0 &&
	       open;
}

/* After a start of the daemon it is not known at once what became of a run: until it is.
 * 0, -ETIMEDOUT, -ECANCELED */
static int await_recovery(struct core *core, uint64_t id)
{
	const struct job *j;
	int r = 0;

	while (r >= 0 && (j = jobs_find(core->jobs, id)) && !j->run &&
		job_state_is_active((enum job_state)j->state))
		r = jobs_wait_change(core->jobs);
	return r;
}

static int send_to_job(struct send *s)
{
	struct core *core = control_core(s->conn->control);
	int64_t max = config_num(core->config, SEND_WAITING_MAX);
	struct run_stdin *in;
	struct job *j;
	int r;

	r = rv_timed(s->patience, await_recovery(core, s->id));
	if (r == -ETIMEDOUT)
		return reply_failed(s, "timeout");
	if (r < 0)
		return r;
	j = jobs_find(core->jobs, s->id);
	if (!j)
		return reply_error(s->call, "io.reeve.Job.NotFound",
			"{\"id\":%" PRIu64 "}", s->id);
	if (!has_open_stdin(j))
		return reply_error(
			s->call, "io.reeve.Job.NoStdin", "{\"id\":%" PRIu64 "}", s->id);
	if (!j->run || !j->run->in)
		return reply_error(s->call, "io.reeve.Job.WrongState",
			"{\"id\":%" PRIu64 ",\"state\":\"%s\"}", s->id,
			job_state_name[j->state]);
	if ((int64_t)j->run->in->n_senders >= max)
		return reply_error(s->call, "io.reeve.Job.LimitReached",
			"{\"limit\":\"%s\",\"maximum\":%" PRId64 "}",
			config_key_info[CONFIG_SEND_WAITING_MAX].key, max);
	in = run_stdin_ref(j->run->in);
	r = send_to(s, in);
	run_stdin_unref(in);
	return r;
}

static rv_time patience_of(const struct vl_call *call, const struct config *cf)
{
	const json_t *usec = json_object_get(vl_call_params(call), "timeout_usec");
	int64_t most = config_num(cf, SEND_TIMEOUT);

	if (json_is_integer(usec))
		most = MIN(most, (int64_t)json_integer_value(usec));
	return usec_to_time(most);
}

int control_job_send(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	const json_t *data = json_object_get(params, "data_b64");
	_cleanup_free_ void *bytes = NULL;
	struct send s = {.conn = conn, .call = call};
	int r = 0;

	if (control_refuses_negative(call, "timeout_usec"))
		return 0;
	s.eof = json_is_true(json_object_get(params, "eof"));
	s.patience = patience_of(call, control_core(conn->control)->config);
	if (json_is_string(data))
		r = base64_decode(&bytes, &s.n, json_string_value(data),
			json_string_length(data));
	else if (!s.eof)
		return vl_call_invalid(
			call, "data_b64", "neither bytes nor their end are sent");
	if (r == -EINVAL)
		return vl_call_invalid(call, "data_b64", "not base64");
	if (r < 0)
		return r;
	s.data = bytes;
	r = select_one(&s.id, conn, call, json_object_get(params, "select"));
	return r <= 0 ? r : send_to_job(&s);
}
