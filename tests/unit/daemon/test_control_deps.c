/* A large graph of jobs, and those who wait for their turn meanwhile. */
#include "tests/unit/daemon/fixture.h"

#include <inttypes.h>

#include "base/strv.h"
#include "daemon/control_deps.h"

enum { N_JOBS = 20000, TURNS_MIN = 4 };

#define CHAIN_FIRST UINT64_C(101)

static unsigned n_turns;

/* somebody else on the loop */
static int count_turns(void *arg)
{
	int r;

	(void)arg;
	while ((r = rv_yield()) >= 0)
		n_turns++;
	return r;
}

/* each waits for the one before it, as a call says it */
static struct job **chain_of_a_call(void)
{
	struct job **v = calloc(N_JOBS, sizeof(struct job *));

	ck_assert_ptr_nonnull(v);
	for (unsigned i = 0; i < N_JOBS; i++) {
		char before[16], *after[] = {before, NULL};
		struct job_spec s;

		snprintf(before, sizeof(before), "#%u", i - 1);
		job_spec_init(&s);
		if (i > 0)
			ck_assert_int_eq(
				job_spec_put(&s, JOB_FIELD_AFTER,
					(union job_value){.strv = strv_copy(after)}),
				0);
		ck_assert_int_eq(job_new(&v[i], &s), 0);
		job_spec_deinit(&s);
	}
	return v;
}

DAEMON_TEST(others_get_their_turn_while_a_graph_is_checked_and_numbered)
{
	struct dep_promises promises = {.n = 0};
	struct job **v = chain_of_a_call();

	fixture_start(fx, count_turns, NULL);
	n_turns = 0;
	ck_assert_int_eq(
		control_check_indexes(&fx->core, NULL, v, N_JOBS, &promises), 0);
	ck_assert_uint_ge(n_turns, TURNS_MIN);
	ck_assert_uint_eq(promises.n, N_JOBS - 1);
	n_turns = 0;
	ck_assert_int_eq(control_number_deps(v, N_JOBS, CHAIN_FIRST), 0);
	ck_assert_uint_ge(n_turns, TURNS_MIN);
	for (unsigned i = 1; i < N_JOBS; i++)
		ck_assert(job_waits_for(v[i], CHAIN_FIRST + i - 1));
	dep_promises_end(&promises);
	for (unsigned i = 0; i < N_JOBS; i++)
		job_free(v[i]);
	free(v);
	return 0;
}

/* They are recorded: whoever asked for them may go away. */
static int link_all(void *arg)
{
	struct fixture *fx = arg;
	struct job **v = calloc(N_JOBS, sizeof(struct job *));
	char before[24];

	ck_assert_ptr_nonnull(v);
	for (unsigned i = 0; i < N_JOBS; i++) {
		snprintf(before, sizeof(before), "%" PRIu64, CHAIN_FIRST + i - 1);
		v[i] = fixture_add_job(fx, CHAIN_FIRST + i,
			&(struct fixture_job){.state = i ? JOB_WAITING : JOB_HELD,
				.after = i ? before : NULL});
		ck_assert_int_eq(dependents_promise(&fx->core, v[i]), 0);
	}
	dependents_link_all(&fx->core, v, N_JOBS);
	for (unsigned i = 0; i < N_JOBS; i++) {
		dependents_end_promise(v[i]);
		ck_assert_uint_eq(v[i]->dependents->n_needing, i + 1 < N_JOBS);
	}
	free(v);
	return 0;
}

DAEMON_TEST(others_get_their_turn_while_a_graph_is_linked)
{
	fixture_start(fx, count_turns, NULL);
	n_turns = 0;
	ck_assert_int_eq(link_all(fx), 0);
	ck_assert_uint_ge(n_turns, TURNS_MIN);
	return 0;
}

static int link_cancelled(void *arg)
{
	ck_assert(rv_task_cancel(rv_task_self()));
	link_all(arg);
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	return 0;
}

DAEMON_TEST(graph_is_linked_whole_where_its_call_is_cancelled)
{
	rv_task *t = rv_spawn(link_cancelled, fx);

	ck_assert_int_eq(rv_task_await(t, NULL), 0);
	rv_task_unref(t);
	return 0;
}

UNIT_MAIN("control_deps", others_get_their_turn_while_a_graph_is_checked_and_numbered,
	others_get_their_turn_while_a_graph_is_linked,
	graph_is_linked_whole_where_its_call_is_cancelled)
