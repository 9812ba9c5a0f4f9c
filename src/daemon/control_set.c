/*
 * The method Set: properties of jobs that are there.
 *
 * What a job was and is told to be stays one spec: it is changed as a whole, checked as at
 * submit, recorded, and then the job has it, with the demand that follows from it. One that
 * runs takes a few properties at once: those that are looked at while it runs or when it
 * ends.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/asks.h"
#include "daemon/commit.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/jobs.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "daemon/spawner_link.h"
#include "daemon/spec_json.h"
#include "daemon/supervisor.h"
#include "job/changeable.h"
#include "varlink/json_write.h"

enum {
	CHUNK = 500,        /* jobs in one transaction */
	REFUSALS_MAX = 500, /* told one by one; more are only counted */
};

struct planned {
	struct job *job;
	struct store_job rec;
	struct demand *demand; /* ours until it is the job's; so is spec */
	void *spec;
	size_t spec_len;
};

struct set {
	struct control_conn *conn;
	struct vl_call *call;
	struct core *core;
	const json_t *obj; /* the new values */
	uint64_t given;    /* bit per field: it has a new value */
	uint64_t reset;    /* bit per field: back to its default */
	int64_t n, n_unchanged;
	struct json_writer refusals;
	struct buf refusals_text;
	unsigned n_refused;
	/* the chunk under way */
	struct planned planned[CHUNK];
	size_t n_planned;
	struct txn *txn;
};

static void tell_refusal(
	struct set *s, uint64_t id, const char *error, const char *text)
{
	if (s->n_refused++ >= REFUSALS_MAX)
		return;
	json_writer_object(&s->refusals, NULL);
	json_writer_int(&s->refusals, "id", (int64_t)id);
	json_writer_string(&s->refusals, "error", error);
	json_writer_string(&s->refusals, "message", text);
	json_writer_object_end(&s->refusals);
}

static void refuse(struct set *s, const struct job *j, const char *fmt, ...)
	PRINTF(3, 4);
static void refuse(struct set *s, const struct job *j, const char *fmt, ...)
{
	char text[JOB_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell_refusal(s, j->id, "io.reeve.Job.WrongState", text);
}

static void refuse_error(struct set *s, uint64_t id, int error)
{
	tell_refusal(s, id, "io.reeve.Job.Unavailable", rv_strerror(error));
}

static void refuse_value(
	struct set *s, const struct job *j, enum job_field f, const char *message)
{
	char text[JOB_REASON_MAX];

	snprintf(text, sizeof(text), "%s: %s", job_field_info[f].key,
		message ? message : "not possible");
	tell_refusal(s, j->id, "io.reeve.Job.Invalid", text);
}

/* ---- what it becomes ---------------------------------------------------------------- */

/* A job of now: may all that was said be changed? It is told, if not. */
static bool may_change(struct set *s, const struct job *j)
{
	uint64_t fields = s->given | s->reset;

	if (j->state == JOB_FINISHED) {
		refuse(s, j, "it is finished");
		return false;
	}
	if (j->is_callback) {
		refuse(s, j, "it is a callback: what it may do is the daemon's to say");
		return false;
	}
	if (j->run && j->is_function) {
		refuse(s, j, "it is a function, and running");
		return false;
	}
	/* it is on its way to the spawner, or back: neither one nor the other */
	if (j->state == JOB_STARTING || (j->run && !j->run->started)) {
		refuse(s, j, "it is starting");
		return false;
	}
	for (; fields; fields &= fields - 1) {
		enum job_field f = (enum job_field)__builtin_ctzll(fields);
		enum job_until until = job_field_until(f);

		if (until == JOB_UNTIL_FIRST_RUN && j->n_runs > 0)
			refuse(s, j, "%s: it has run before", job_field_info[f].key);
		else if (until < JOB_UNTIL_END && j->run)
			refuse(s, j, "%s: it is %s", job_field_info[f].key,
				job_state_name[j->state]);
		else
			continue;
		return false;
	}
	return true;
}

/* What to do is said in one way: the other goes. */
static void replace_work(const struct set *s, struct job_spec *spec)
{
	if (s->given >> JOB_FIELD_COMMAND & 1 ||
		s->given >> JOB_FIELD_SHELL_COMMAND & 1) {
		job_spec_unset(spec, JOB_FIELD_COMMAND);
		job_spec_unset(spec, JOB_FIELD_SHELL_COMMAND);
	}
}

/* The new values over those that it has. 0, -ENOMEM, -RV_ELIMIT */
static int change_spec(const struct set *s, struct job_spec *spec)
{
	struct job_spec want;
	const char *field;
	int r;

	r = spec_from_json(&want, s->obj, &field, NULL); /* it went well before */
	if (r < 0)
		return r;
	replace_work(s, spec);
	for (uint64_t f = s->given | s->reset; f; f &= f - 1)
		job_spec_unset(spec, (enum job_field)__builtin_ctzll(f));
	for (uint64_t f = s->given; f && r >= 0; f &= f - 1) {
		enum job_field field_id = (enum job_field)__builtin_ctzll(f);

		r = job_spec_put(spec, field_id, want.v[field_id]);
		want.set &= ~(UINT64_C(1) << field_id);
		want.v[field_id].num = 0;
	}
	job_spec_deinit(&want);
	return r;
}

static bool is_input(const struct job_spec *spec)
{
	return strncmp(job_str(spec, STDIN), "input:", 6) == 0;
}

/* As at submit. 0; -EINVAL: refused, and told; -ENOMEM */
static int check_spec(struct set *s, const struct job *j, const struct job_spec *spec)
{
	const uint64_t asked =
		UINT64_C(1) << JOB_FIELD_POOL | UINT64_C(1) << JOB_FIELD_SLOTS |
		UINT64_C(1) << JOB_FIELD_NEED | UINT64_C(1) << JOB_FIELD_MEMORY;
	_cleanup_free_ char *message = NULL;
	enum job_field f;
	int r;

	r = job_spec_check(spec, &f, &message);
	if (r >= 0 && STREQ(job_str(spec, OUTPUT), "inherit") && s->core->system_mode &&
		s->conn->peer.uid != 0 && s->given >> JOB_FIELD_OUTPUT & 1) {
		f = JOB_FIELD_OUTPUT;
		message = strdup("inherit is only for root in system mode");
		r = -EINVAL;
	}
	/* a pool that drains keeps the jobs that it has */
	if (r >= 0 && (s->given | s->reset) & asked)
		r = asks_check(s->core, spec, &f, &message);
	if (r == -EINVAL)
		refuse_value(s, j, f, message);
	return r;
}

/* stdin that came with the job goes when the job goes: it is not exchanged */
static bool keeps_input(struct set *s, const struct job *j, const struct job_spec *was,
	const struct job_spec *spec)
{
	if (STREQ(job_str(was, STDIN), job_str(spec, STDIN)) ||
		(!is_input(was) && !is_input(spec)))
		return true;
	refuse_value(s, j, JOB_FIELD_STDIN, "input that was sent along stays as it is");
	return false;
}

/* 1: it is another one, in p; 0: unchanged, or refused and told; negative */
static int make_spec(struct set *s, const struct job *j, struct planned *p)
{
	struct job_spec was, spec;
	int r;

	r = job_spec_get(j, &was);
	if (r < 0)
		return r;
	r = job_spec_get(j, &spec);
	if (r < 0) {
		job_spec_deinit(&was);
		return r;
	}
	r = change_spec(s, &spec);
	if (r >= 0 && !keeps_input(s, j, &was, &spec))
		r = -EINVAL;
	else if (r >= 0)
		r = check_spec(s, j, &spec);
	if (r >= 0)
		r = job_spec_pack(&p->spec, &p->spec_len, &spec);
	if (r >= 0 && p->spec_len == j->spec_len &&
		memcmp(p->spec, j->spec, p->spec_len) == 0) {
		free(TAKE_PTR(p->spec));
		s->n_unchanged++;
	} else if (r >= 0 && !j->run) {
		r = scheduler_demand(s->core->scheduler, &spec, &p->demand);
	}
	if (r < 0)
		free(TAKE_PTR(p->spec));
	if (r == -RV_ELIMIT)
		refuse_error(s, j->id, r);
	job_spec_deinit(&was);
	job_spec_deinit(&spec);
	return r == -EINVAL || r == -RV_ELIMIT ? 0 : r < 0 ? r : p->spec != NULL;
}

/* ---- one that does not run ---------------------------------------------------------- */

/* when it may start now, by what was changed */
static void change_time(struct set *s, const struct job *j, struct planned *p)
{
	const uint64_t times = UINT64_C(1) << JOB_FIELD_DELAY | UINT64_C(1)
									<< JOB_FIELD_AT;
	int64_t due;

	if (!((s->given | s->reset) & times) ||
		(j->state != JOB_QUEUED && j->state != JOB_DELAYED))
		return;
	due = job_spec_not_before(p->spec, p->spec_len, j->submitted_usec);
	p->rec.due_usec = due > clock_wall_usec(s->core->clock) ? due : 0;
	p->rec.state = p->rec.due_usec ? JOB_DELAYED : JOB_QUEUED;
}

static void publish(struct set *s, struct planned *p)
{
	struct job *j = p->job;

	job_swap_demand(j, &p->demand);
	p->demand = scheduler_demand_put(s->core->scheduler, p->demand);
	jobs_respec(s->core->jobs, j, TAKE_PTR(p->spec), p->spec_len);
	if (p->rec.due_usec && p->rec.due_usec != j->due_usec)
		job_set_due(j, s->core->clock, p->rec.due_usec);
	p->rec.spec = NULL;
	job_publish(s->core->jobs, j, &p->rec);
	if (deadlines_add(s->core->deadlines, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: the deadline of job %" PRIu64
			" counts after a restart only",
			j->id);
	s->n++;
}

static void put_back(struct set *s, struct planned *p)
{
	p->demand = scheduler_demand_put(s->core->scheduler, p->demand);
	free(TAKE_PTR(p->spec));
}

/* commit what was planned, then show it; jobs are not busy afterwards */
static void end_chunk(struct set *s)
{
	int r = 0;

	if (s->n_planned)
		r = committer_commit(s->core->committer, TAKE_PTR(s->txn), 0);
	for (size_t i = 0; i < s->n_planned; i++) {
		struct planned *p = &s->planned[i];

		if (r >= 0)
			publish(s, p);
		else
			refuse_error(s, p->job->id, r);
		put_back(s, p);
		job_end(s->core->jobs, p->job);
	}
	s->n_planned = 0;
}

static void abort_chunk(struct set *s)
{
	for (size_t i = 0; i < s->n_planned; i++) {
		put_back(s, &s->planned[i]);
		job_end(s->core->jobs, s->planned[i].job);
	}
	s->n_planned = 0;
	txn_free(s->txn);
}

static int plan(struct set *s, struct job *j)
{
	struct planned *p = &s->planned[s->n_planned];
	int r;

	*p = (struct planned){.job = j};
	r = make_spec(s, j, p);
	if (r <= 0)
		return r;
	job_record(j, &p->rec);
	change_time(s, j, p);
	p->rec.spec = p->spec;
	p->rec.spec_len = p->spec_len;
	if (!s->txn)
		s->txn = txn_new();
	if (!s->txn || job_record_put(s->txn, &p->rec) < 0) {
		put_back(s, p);
		return -ENOMEM;
	}
	job_begin(s->core->jobs, j);
	if (++s->n_planned == CHUNK)
		end_chunk(s);
	return 0;
}

/* ---- one that runs ------------------------------------------------------------------ */

/* Its run goes on meanwhile, and records what becomes of it: so does this, without waiting,
 * and what it says holds at once. */
static int change_running(struct set *s, struct job *j)
{
	_cleanup_(txn_freep) struct txn *t = txn_new();
	struct planned p = {.job = j};
	uint64_t id = j->id; /* it may be gone once that is written */
	void *copy;
	int r;

	if (!t)
		return -ENOMEM;
	r = make_spec(s, j, &p);
	if (r <= 0)
		return r;
	job_record(j, &p.rec);
	p.rec.reason = NULL; /* the job's own may be gone before this is written */
	copy = malloc(p.spec_len + 1);
	if (copy)
		memcpy(copy, p.spec, p.spec_len);
	p.rec.spec = copy;
	p.rec.spec_len = p.spec_len;
	if (!copy || txn_own(t, copy) < 0 || job_record_put(t, &p.rec) < 0) {
		put_back(s, &p);
		return -ENOMEM;
	}
	r = run_change_spec(j->run, s->given | s->reset, p.spec, p.spec_len);
	if (r < 0) {
		put_back(s, &p);
		return r;
	}
	jobs_respec(s->core->jobs, j, p.spec, p.spec_len);
	r = committer_commit(s->core->committer, TAKE_PTR(t), 0);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		refuse_error(s, id, r);
	else
		s->n++;
	return 0;
}

/* ---- the call ----------------------------------------------------------------------- */

/* Until it is known what the job does, and one that was started ahead is taken back, unless
 * it begins. *ret is NULL when it is gone, or its end cannot be recorded now. */
static int await_settled(struct set *s, uint64_t id, struct job **ret)
{
	struct jobs *jobs = s->core->jobs;
	struct job *j;
	int r = 0;

	for (;;) {
		*ret = j = jobs_find(jobs, id);
		if (!j)
			return 0;
		if (jobs_is_unsettled(jobs, j)) {
			end_chunk(s); /* it may be one of this chunk */
			r = jobs_wait_idle(jobs, id, ret);
			if (r == -ECANCELED)
				return r;
			if (r < 0)
				refuse_error(s, id, r);
			if (r <= 0)
				return *ret = NULL, 0;
			continue;
		}
		if (!j->run || !j->run->ahead ||
			!spawner_link_is_ready(s->core->spawner))
			return 0;
		end_chunk(s);
		j = jobs_find(jobs, id);
		if (j && j->run && j->run->ahead) {
			run_request_recall(j->run);
			r = jobs_wait_change(jobs);
			if (r < 0)
				return r;
		}
	}
}

static int set_all(struct set *s, const struct selection *sel)
{
	for (size_t i = 0; i < sel->n_ids; i++) {
		struct job *j;
		int r = await_settled(s, sel->ids[i], &j);

		if (r >= 0 && j && may_change(s, j))
			r = j->run ? change_running(s, j) : plan(s, j);
		if (r < 0)
			return r;
	}
	end_chunk(s);
	return 0;
}

static int invalid(struct set *s, const char *field, const char *message)
{
	json_t *params = json_pack("{s:s, s:s}", "field", field, "message",
		message ? message : "not possible");

	vl_call_error(s->call, "io.reeve.Job.Invalid", params);
	json_decref(params);
	return -EINVAL;
}

/* what was said at all. 0; -EINVAL: answered */
static int take_fields(struct set *s, const json_t *params)
{
	_cleanup_free_ char *message = NULL;
	const json_t *name;
	const char *field = NULL;
	struct job_spec want;
	size_t i;
	int r;

	s->obj = json_object_get(params, "spec");
	r = spec_from_json(&want, s->obj, &field, &message);
	if (r == -EINVAL || r == -ERANGE || r == -RV_ELIMIT)
		return invalid(s, field, message);
	if (r < 0)
		return r;
	s->given = want.set;
	job_spec_deinit(&want);
	json_array_foreach(json_object_get(params, "reset"), i, name)
	{
		int f = job_field_by_json_name(json_string_value(name));

		if (f < 0)
			return invalid(s, "reset", "no such property");
		s->reset |= UINT64_C(1) << f;
	}
	s->reset &= ~s->given;
	if (!(s->given | s->reset))
		return invalid(s, "spec", "it says nothing");
	for (uint64_t f = s->given | s->reset; f; f &= f - 1) {
		enum job_field id = (enum job_field)__builtin_ctzll(f);

		if (job_field_until(id) == JOB_UNTIL_SUBMIT)
			return invalid(s, job_field_info[id].json_name,
				"it cannot be changed after the job was submitted");
	}
	return 0;
}

static int reply(struct set *s)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r;

	json_writer_array_end(&s->refusals);
	r = json_writer_end(&s->refusals);
	if (r >= 0)
		r = buf_printf(&text,
			"{\"n\":%" PRId64 ",\"unchanged\":%" PRId64 ",\"refused\":",
			s->n, s->n_unchanged);
	if (r >= 0)
		r = buf_append(
			&text, buf_head(&s->refusals_text), buf_len(&s->refusals_text));
	if (r >= 0)
		r = buf_append_str(&text, "}");
	return r < 0 ? r
		     : vl_call_reply_text(
			       s->call, buf_head(&text), buf_len(&text), false);
}

int control_job_set(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	_cleanup_free_ struct set *s = calloc(1, sizeof(*s));
	struct selection sel;
	int r;

	if (!s)
		return -ENOMEM;
	s->conn = conn;
	s->call = call;
	s->core = control_core(conn->control);
	r = take_fields(s, params);
	if (r >= 0)
		r = select_decode(&sel, conn, call, json_object_get(params, "select"),
			SELECT_ACTS);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	json_writer_init(&s->refusals, &s->refusals_text);
	json_writer_array(&s->refusals, NULL);
	r = select_resolve(&sel, conn);
	if (r >= 0)
		r = set_all(s, &sel);
	abort_chunk(s);
	if (r >= 0)
		r = reply(s);
	selection_deinit(&sel);
	buf_deinit(&s->refusals_text);
	return r;
}
