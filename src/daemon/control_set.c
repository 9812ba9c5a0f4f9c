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
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "daemon/asks.h"
#include "daemon/control_apply.h"
#include "daemon/control_job.h"
#include "daemon/core.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "daemon/spec_json.h"
#include "job/changeable.h"

struct set {
	const json_t *obj; /* the new values */
	uint64_t given;    /* bit per field: it has a new value */
	uint64_t reset;    /* bit per field: back to its default */
};

/* ---- what it becomes ---------------------------------------------------------------- */

static int refuse_value(
	struct apply *a, const struct job *j, enum job_field f, const char *message)
{
	return apply_refuse(a, j->id, "Invalid", "%s: %s", job_field_info[f].key,
		message ? message : "not possible");
}

/* A job of now: may all that was said be changed? PLAN_DONE, or PLAN_REFUSED */
static int check_state(struct apply *a, const struct job *j)
{
	const struct set *s = a->arg;
	uint64_t fields = s->given | s->reset;

	if (j->state == JOB_FINISHED)
		return apply_refuse(a, j->id, "WrongState", "it is finished");
	if (j->is_callback)
		return apply_refuse(a, j->id, "WrongState",
			"it is a callback: what it may do is the daemon's to say");
	if (j->run && j->is_function)
		return apply_refuse(
			a, j->id, "WrongState", "it is a function, and running");
	/* it is on its way to the spawner, or back: neither one nor the other */
	if (j->state == JOB_STARTING || (j->run && !j->run->started))
		return apply_refuse(a, j->id, "WrongState", "it is starting");
	for (; fields; fields &= fields - 1) {
		enum job_field f = (enum job_field)__builtin_ctzll(fields);
		enum job_until until = job_field_until(f);

		if (until == JOB_UNTIL_FIRST_RUN && j->n_runs > 0)
			return apply_refuse(a, j->id, "WrongState",
				"%s: it has run before", job_field_info[f].key);
		if (until < JOB_UNTIL_END && j->run)
			return apply_refuse(a, j->id, "WrongState", "%s: it is %s",
				job_field_info[f].key, job_state_name[j->state]);
	}
	return PLAN_DONE;
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

/* As at submit. 0, PLAN_REFUSED, -ENOMEM */
static int check_spec(struct apply *a, const struct job *j, const struct job_spec *spec)
{
	const uint64_t asked =
		UINT64_C(1) << JOB_FIELD_POOL | UINT64_C(1) << JOB_FIELD_SLOTS |
		UINT64_C(1) << JOB_FIELD_NEED | UINT64_C(1) << JOB_FIELD_MEMORY;
	const struct set *s = a->arg;
	_cleanup_free_ char *message = NULL;
	enum job_field f;
	int r;

	r = job_spec_check(spec, &f, &message);
	if (r >= 0 && STREQ(job_str(spec, OUTPUT), "inherit") && a->core->system_mode &&
		a->conn->peer.uid != 0 && s->given >> JOB_FIELD_OUTPUT & 1) {
		f = JOB_FIELD_OUTPUT;
		message = strdup("inherit is only for root in system mode");
		r = -EINVAL;
	}
	/* a pool that drains keeps the jobs that it has */
	if (r >= 0 && (s->given | s->reset) & asked)
		r = asks_check(a->core, spec, &f, &message);
	return r == -EINVAL ? refuse_value(a, j, f, message) : r;
}

/* stdin that came with the job goes when the job goes: it is not exchanged. 0, PLAN_REFUSED */
static int check_input(
	struct apply *a, const struct job *j, const struct job_spec *spec)
{
	struct job_spec was;
	bool keeps;
	int r = job_spec_get(j, &was);

	if (r < 0)
		return r;
	keeps = STREQ(job_str(&was, STDIN), job_str(spec, STDIN)) ||
		(!is_input(&was) && !is_input(spec));
	job_spec_deinit(&was);
	return keeps ? 0
		     : refuse_value(a, j, JOB_FIELD_STDIN,
			       "input that was sent along stays as it is");
}

/* Its new spec, and what it asks for, into p; PLAN_DONE then, or what plan returns. */
static int make_spec(struct apply *a, const struct job *j, struct planned *p)
{
	struct job_spec spec;
	int r = job_spec_get(j, &spec);

	if (r < 0)
		return r;
	r = change_spec(a->arg, &spec);
	if (r == 0)
		r = check_input(a, j, &spec);
	if (r == 0)
		r = check_spec(a, j, &spec);
	if (r == 0)
		r = job_spec_pack(&p->spec, &p->spec_len, &spec);
	if (r == 0 && p->spec_len == j->spec_len &&
		memcmp(p->spec, j->spec, p->spec_len) == 0)
		r = PLAN_UNCHANGED;
	else if (r == 0 && !j->run)
		r = scheduler_demand(a->core->scheduler, &spec, &p->demand);
	job_spec_deinit(&spec);
	return r;
}

/* when it may start now, by what was changed */
static void change_time(struct apply *a, const struct job *j, struct planned *p)
{
	const uint64_t times = UINT64_C(1) << JOB_FIELD_DELAY | UINT64_C(1)
									<< JOB_FIELD_AT;
	const struct set *s = a->arg;
	int64_t due;

	if (!((s->given | s->reset) & times) ||
		(j->state != JOB_QUEUED && j->state != JOB_DELAYED))
		return;
	due = job_spec_not_before(p->spec, p->spec_len, j->submitted_usec);
	p->rec.due_usec = due > clock_wall_usec(a->core->clock) ? due : 0;
	p->rec.state = p->rec.due_usec ? JOB_DELAYED : JOB_QUEUED;
}

static int plan_set(struct apply *a, struct job *j, struct planned *p)
{
	const struct set *s = a->arg;
	int r = check_state(a, j);

	if (r == PLAN_DONE)
		r = make_spec(a, j, p);
	if (r != PLAN_DONE)
		return r;
	if (!j->run) {
		change_time(a, j, p);
		return PLAN_RECORD;
	}
	p->fields = s->given | s->reset;
	p->rec.reason = NULL; /* the job's own may be gone before this is written */
	return PLAN_RUNNING;
}

/* ---- the call ----------------------------------------------------------------------- */

static int invalid(struct vl_call *call, const char *field, const char *message)
{
	json_t *params = json_pack("{s:s, s:s}", "field", field, "message",
		message ? message : "not possible");

	vl_call_error(call, "io.reeve.Job.Invalid", params);
	json_decref(params);
	return -EINVAL;
}

/* what was said at all. 0; -EINVAL: answered */
static int take_fields(struct set *s, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	_cleanup_free_ char *message = NULL;
	const json_t *name;
	const char *field = NULL;
	struct job_spec want;
	size_t i;
	int r;

	s->obj = json_object_get(params, "spec");
	r = spec_from_json(&want, s->obj, &field, &message);
	if (r == -EINVAL || r == -ERANGE || r == -RV_ELIMIT)
		return invalid(call, field, message);
	if (r < 0)
		return r;
	s->given = want.set;
	job_spec_deinit(&want);
	json_array_foreach(json_object_get(params, "reset"), i, name)
	{
		int f = job_field_by_json_name(json_string_value(name));

		if (f < 0)
			return invalid(call, "reset", "no such property");
		s->reset |= UINT64_C(1) << f;
	}
	s->reset &= ~s->given;
	if (!(s->given | s->reset))
		return invalid(call, "spec", "it says nothing");
	for (uint64_t f = s->given | s->reset; f; f &= f - 1) {
		enum job_field id = (enum job_field)__builtin_ctzll(f);

		if (job_field_until(id) == JOB_UNTIL_SUBMIT)
			return invalid(call, job_field_info[id].json_name,
				"it cannot be changed after the job was submitted");
	}
	return 0;
}

int control_job_set(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {
		.plan = plan_set,
		.recalls = true,
		.changes_spec = true,
		.tells_unchanged = true,
	};
	struct set s = {.obj = NULL};
	int r = take_fields(&s, call);

	if (r < 0)
		return r == -EINVAL ? 0 : r;
	return control_apply(conn, call, &verb, &s);
}
