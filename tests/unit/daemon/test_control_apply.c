/* Verbs on a selection: chunks, turns, and what is counted. */
#include "tests/unit/daemon/fixture.h"

#include "daemon/control_apply.h"

#define JOB(...) (&(struct fixture_job){__VA_ARGS__})

/* ---- a connection of an administrator -------------------------------------------------- */

static struct core *the_core;
static struct control_conn conn;

struct core *__wrap_control_core(const struct control *c);
struct core *__wrap_control_core(const struct control *c)
{
	return the_core;
}

/* the jobs are recorded, and changes of them are */
static void start(struct fixture *fx)
{
	struct jobs *js = fx->core.jobs;
	struct txn *t = txn_new();

	for (struct job *j = jobs_at_or_after(js, 1); j;
		j = jobs_at_or_after(js, j->id + 1)) {
		struct store_op *op = txn_add(t, STORE_JOB_INSERT);

		job_record(j, &op->job);
		op->job.spec = j->spec;
		op->job.spec_len = j->spec_len;
	}
	fixture_start_committer(fx);
	ck_assert_int_eq(committer_commit(fx->core.committer, t, 0), 0);
	ck_assert_int_eq(jobs_loaded(js), 0);
	ck_assert_int_eq(dependents_load(fx->core.dependents), 0);
	the_core = &fx->core;
	conn = (struct control_conn){.is_admin = true};
}

/* ---- turns ---------------------------------------------------------------------------- */

static unsigned n_planned;

static int plan_nothing(struct apply *a, struct job *j, struct planned *p)
{
	n_planned++;
	return j->id % 2 ? PLAN_UNCHANGED
			 : apply_refuse(a, j->id, "WrongState", "it is even");
}

struct turns {
	unsigned n_seen, most;
	bool over;
};

/* how many jobs are planned from one turn of this task to the next */
static int take_turns(void *arg)
{
	struct turns *t = arg;

	while (!t->over) {
		if (n_planned - t->n_seen > t->most)
			t->most = n_planned - t->n_seen;
		t->n_seen = n_planned;
		if (rv_yield() < 0)
			break;
	}
	return 0;
}

DAEMON_TEST(jobs_with_which_nothing_is_to_do_give_others_their_turn)
{
	static const struct apply_verb verb = {.plan = plan_nothing};
	enum { N = 3 * APPLY_CHUNK };
	struct turns t = {.most = 0};
	uint64_t ids[N];

	for (uint64_t i = 0; i < N; i++) {
		ids[i] = i + 1;
		fixture_add_job(fx, i + 1, JOB(.state = JOB_HELD));
	}
	start(fx);
	n_planned = 0;
	fixture_start(fx, take_turns, &t);
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(control_apply_to_ids(&conn, &verb, NULL, ids, N), 0);
	ck_assert_int_eq(rv_yield(), 0);
	t.over = true;
	ck_assert_uint_eq(n_planned, N);
	ck_assert_uint_le(t.most, APPLY_CHUNK);
	return 0;
}

UNIT_MAIN("control_apply", jobs_with_which_nothing_is_to_do_give_others_their_turn)
