#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "daemon/app.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/users.h"
#include "reeve/executor.h"
#include "store/store.h"

enum {
	RANGES_MAX = 10000,
	YIELD_EVERY = 4096,
};

bool control_owns(const struct control_conn *conn, const struct job *j)
{
	return conn->is_admin || j->uid == conn->peer.uid;
}

bool control_matches(const struct control_conn *conn, const struct job_select *sel,
	const struct job *j)
{
	struct job_facts_buf f;

	/* before texts are looked for */
	if (!control_owns(conn, j) || (sel->states && !(sel->states >> j->state & 1)))
		return false;
	job_facts_get(j, &f, sel);
	return job_select_matches(sel, &f.facts);
}

void selection_deinit(struct selection *s)
{
	job_select_deinit(&s->sel);
	free(s->ids);
	s->ids = NULL;
}

/* ---- the error for an id that is not there -------------------------------------------- */

struct removed_query {
	struct store *store;
	uint64_t id;
	int64_t usec;
};

static int ask_removed(void *arg)
{
	struct removed_query *q = arg;

	return store_removed(q->store, q->id, &q->usec);
}

int control_reply_no_such_id(
	struct control_conn *conn, struct vl_call *call, uint64_t id, json_t *more)
{
	struct core *core = control_core(conn->control);
	struct removed_query q = {.store = core->store, .id = id};
	json_t *params = more ? more : json_object();
	int r = 0;

	if (id < jobs_next_id(core->jobs))
		r = rv_run_blocking(core->io, ask_removed, &q);
	json_object_set_new(params, "id", json_integer((json_int_t)id));
	if (r > 0 && q.usec)
		json_object_set_new(params, "removed_usec", json_integer(q.usec));
	if (r != -ECANCELED)
		vl_call_error(call,
			r > 0 ? "io.reeve.Job.Removed" : "io.reeve.Job.NotFound",
			params);
	json_decref(params);
	return r == -ECANCELED ? r : -EINVAL;
}

/* ---- decoding --------------------------------------------------------------------------- */

static int decode_ids(struct selection *s, struct vl_call *call, const json_t *v)
{
	size_t i;
	json_t *range;

	if (json_array_size(v) > RANGES_MAX)
		return vl_call_invalid(call, "select.ids", "more than 10000 ranges"),
		       -EINVAL;
	json_array_foreach(v, i, range)
	{
		json_int_t first = json_integer_value(json_object_get(range, "first"));
		json_int_t last = json_integer_value(json_object_get(range, "last"));
		struct job_id_range r = {
			.first = (uint64_t)first, .last = (uint64_t)last};

		if (first < 1 || last < first) {
			vl_call_invalid(call, "select.ids", "not a range of ids");
			return -EINVAL;
		}
		if (job_select_add_ids(&s->sel, r) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* One that the caller may see, but that is not of those it asked for. */
static int reply_of_other_user(
	struct control_conn *conn, struct vl_call *call, const struct job *j)
{
	struct users *users = control_core(conn->control)->users;
	json_t *params = json_pack("{s:I, s:s}", "id", (json_int_t)j->id, "user",
		users_name(users, j->uid));

	vl_call_error(call, "io.reeve.Job.OfOtherUser", params);
	json_decref(params);
	return -EINVAL;
}

static int reply_no_such_name(
	struct control_conn *conn, struct vl_call *call, const char *name)
{
	struct job *j =
		jobs_find_name(control_core(conn->control)->jobs, 0, true, name);
	char shown[128];
	json_t *params;

	if (j && control_owns(conn, j))
		return reply_of_other_user(conn, call, j);
	params = json_pack(
		"{s:s}", "name", str_escape(shown, sizeof(shown), name, strlen(name)));
	vl_call_error(call, "io.reeve.Job.NotFound", params);
	json_decref(params);
	return -EINVAL;
}

static int decode_names(struct selection *s, struct control_conn *conn,
	struct vl_call *call, const json_t *v)
{
	struct jobs *jobs = control_core(conn->control)->jobs;
	size_t i;
	json_t *name;

	json_array_foreach(v, i, name)
	{
		const char *text = json_string_value(name);
		struct job *j = jobs_find_name(
			jobs, (uint32_t)s->sel.uid, s->sel.any_uid, text);

		if (!j)
			return reply_no_such_name(conn, call, text);
		if (job_select_add_ids(&s->sel, (struct job_id_range){j->id, j->id}) <
			0)
			return -ENOMEM;
	}
	return 0;
}

/* a bit per named state or result */
static int decode_bits(unsigned *ret, struct vl_call *call, const json_t *v,
	int (*by_name)(const char *name), const char *field)
{
	size_t i;
	json_t *name;

	json_array_foreach(v, i, name)
	{
		int n = by_name(json_string_value(name));

		if (n < 0) {
			vl_call_invalid(call, field, "no such word");
			return -EINVAL;
		}
		*ret |= 1u << n;
	}
	return 0;
}

static int decode_strings(char ***ret, const json_t *v)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	size_t i;
	json_t *text;

	json_array_foreach(v, i, text)
	{
		if (strv_builder_add(&b, json_string_value(text)) < 0)
			return -ENOMEM;
	}
	return b.n > 0 ? strv_builder_finish(&b, ret) : 0;
}

struct user_query {
	const char *name;
	uid_t uid;
};

static int ask_user(void *arg)
{
	struct user_query *q = arg;

	return users_find(&q->uid, q->name);
}

/* whose jobs: the caller's, a named user's, or everybody's ("*") */
static int decode_user(struct selection *s, struct control_conn *conn,
	struct vl_call *call, const json_t *obj)
{
	struct user_query q = {.name = json_string_value(json_object_get(obj, "user"))};
	bool one_user = !control_core(conn->control)->system_mode;
	int r;

	s->sel.uid = conn->peer.uid;
	s->sel.any_uid = one_user; /* where everything belongs to one */
	if (!q.name)
		return 0;
	if (STREQ(q.name, "*")) {
		/* all that the caller may see: its own */
		s->sel.any_uid = one_user || conn->is_admin;
		return 0;
	}
	r = rv_run_blocking(control_core(conn->control)->io, ask_user, &q);
	if (r == -ENOENT) {
		vl_call_invalid(call, "select.user", "no such user");
		return -EINVAL;
	}
	if (r < 0)
		return r;
	if (one_user ? q.uid != geteuid()
		     : q.uid != conn->peer.uid && !conn->is_admin) {
		vl_call_denied(call);
		return -EINVAL;
	}
	s->sel.uid = q.uid;
	return 0;
}

static int decode_criteria(struct selection *s, struct vl_call *call, const json_t *obj)
{
	const char *text;
	int r;

	s->sel.all = json_is_true(json_object_get(obj, "all"));
	s->sel.no_service = json_is_true(json_object_get(obj, "no_services"));
	r = decode_bits(&s->sel.states, call, json_object_get(obj, "states"),
		job_state_by_name, "select.states");
	if (r >= 0)
		r = decode_bits(&s->sel.results, call, json_object_get(obj, "results"),
			job_result_by_name, "select.results");
	if (r >= 0)
		r = decode_strings(&s->sel.labels, json_object_get(obj, "labels"));
	if (r < 0)
		return r;
	if (json_is_true(json_object_get(obj, "failed"))) {
		s->sel.results |= JOB_RESULTS_FAILED;
		s->sel.states |= 1u << JOB_FINISHED;
	}
	text = json_string_value(json_object_get(obj, "pool"));
	if (text && strv_append(&s->sel.pools, text) < 0)
		return -ENOMEM;
	text = json_string_value(json_object_get(obj, "name_glob"));
	if (text && !(s->sel.name_glob = strdup(text)))
		return -ENOMEM;
	text = json_string_value(json_object_get(obj, "schedule"));
	if (text && !(s->sel.schedule = strdup(text)))
		return -ENOMEM;
	s->sel.since_usec = json_integer_value(json_object_get(obj, "since_usec"));
	return 0;
}

/* every single id that is named must be one that exists, that the caller may see, and that
 * belongs to whose jobs were asked for */
static int check_ids(
	struct selection *s, struct control_conn *conn, struct vl_call *call)
{
	for (size_t i = 0; i < s->sel.n_ids; i++) {
		const struct job_id_range *range = &s->sel.ids[i];
		const struct job *j =
			jobs_find(control_core(conn->control)->jobs, range->first);

		if (range->first != range->last)
			continue;
		if (!j)
			return control_reply_no_such_id(conn, call, range->first, NULL);
		if (!control_owns(conn, j)) {
			vl_call_denied(call);
			return -EINVAL;
		}
		if (!s->sel.any_uid && j->uid != s->sel.uid)
			return reply_of_other_user(conn, call, j);
	}
	return 0;
}

static struct job *newest(struct control_conn *conn, const struct selection *s)
{
	const struct jobs *jobs = control_core(conn->control)->jobs;

	for (struct job *j = jobs_at_or_before(jobs, UINT64_MAX); j;
		j = jobs_at_or_before(jobs, j->id - 1))
		if (!j->is_callback && !j->of_service &&
			(s->sel.any_uid || j->uid == s->sel.uid))
			return j;
	return NULL;
}

int select_decode(struct selection *ret, struct control_conn *conn,
	struct vl_call *call, const json_t *obj, unsigned flags)
{
	bool given = obj && !json_is_null(obj);
	int r;

	*ret = (struct selection){.n_ids = 0};
	r = decode_user(ret, conn, call, obj);
	if (r >= 0 && given)
		r = decode_criteria(ret, call, obj);
	if (r >= 0 && given)
		r = decode_ids(ret, call, json_object_get(obj, "ids"));
	if (r >= 0 && given)
		r = decode_names(ret, conn, call, json_object_get(obj, "names"));
	if (r >= 0)
		r = check_ids(ret, conn, call);
	if (r >= 0 && given && json_is_true(json_object_get(obj, "newest"))) {
		struct job *j = newest(conn, ret);

		if (j)
			r = job_select_add_ids(
				&ret->sel, (struct job_id_range){j->id, j->id});
	}
	if (r < 0)
		goto fail;
	if (job_select_is_empty(&ret->sel)) {
		if (!(flags & SELECT_EMPTY_IS_ALL)) {
			reply_error(call, "io.reeve.Job.NothingSelected", "{}");
			r = -EINVAL;
			goto fail;
		}
		ret->sel.all = true;
	}
	if (flags & SELECT_UNFINISHED && ret->sel.n_ids == 0 && !ret->sel.states)
		ret->sel.states = JOB_STATES_CURRENT;
	if (flags & SELECT_AD_HOC && ret->sel.n_ids == 0 && !ret->sel.schedule)
		ret->sel.no_schedule = true;
	ret->sel.no_callbacks = flags & SELECT_ACTS && ret->sel.n_ids == 0;
	ret->sel.no_service |= ret->sel.no_callbacks;
	job_select_prepare(&ret->sel);
	return 0;
fail:
	selection_deinit(ret);
	return r;
}

static int add_id(struct selection *s, size_t *n_max, uint64_t id)
{
	if (s->n_ids == *n_max) {
		size_t n = *n_max ? 2 * *n_max : 16;
		uint64_t *v = reallocarray(s->ids, n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->ids = v;
		*n_max = n;
	}
	s->ids[s->n_ids++] = id;
	return 0;
}

/* The part of the table that can match at all. A long one is gone through in pieces, so
 * that others get their turn; jobs may come and go between them. */
static int scan(struct selection *s, struct control_conn *conn, size_t *n_max,
	uint64_t first, uint64_t last)
{
	const struct jobs *jobs = control_core(conn->control)->jobs;
	unsigned states = s->sel.states ? s->sel.states : JOB_STATES_ALL;
	struct job *(*next)(const struct jobs *js, uint64_t id) = jobs_at_or_after;
	unsigned n = 0;

	if (s->sel.results) /* others have none */
		states &= 1u << JOB_FINISHED;
	if (states == 1u << JOB_FINISHED)
		next = jobs_finished_at_or_after;
	else if (!(states & 1u << JOB_FINISHED))
		next = jobs_unfinished_at_or_after;

	for (struct job *j = next(jobs, first); j && j->id <= last;
		j = next(jobs, first)) {
		int r = 0;

		first = j->id + 1;
		if (control_matches(conn, &s->sel, j))
			r = add_id(s, n_max, j->id);
		if (r >= 0 && ++n % YIELD_EVERY == 0)
			r = rv_yield();
		if (r < 0)
			return r;
	}
	return 0;
}

int select_resolve(struct selection *s, struct control_conn *conn)
{
	size_t n_max = 0;

	if (s->sel.n_ids == 0)
		return scan(s, conn, &n_max, 1, UINT64_MAX);
	for (size_t i = 0; i < s->sel.n_ids; i++) {
		int r = scan(s, conn, &n_max, s->sel.ids[i].first, s->sel.ids[i].last);

		if (r < 0)
			return r;
	}
	return 0;
}

int select_one(uint64_t *ret, struct control_conn *conn, struct vl_call *call,
	const json_t *obj)
{
	struct selection s;
	int r;

	r = select_decode(&s, conn, call, obj, 0);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	r = select_resolve(&s, conn);
	if (r >= 0 && s.n_ids == 1) {
		*ret = s.ids[0];
		r = 1;
	} else if (r >= 0) {
		reply_error(call, "io.reeve.Job.NotFound", "{}");
		r = 0;
	}
	selection_deinit(&s);
	return r;
}
