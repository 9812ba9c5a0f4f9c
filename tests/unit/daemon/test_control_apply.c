/* Verbs on a selection: chunks, turns, and what is counted. */
#include "tests/unit/daemon/fixture.h"

#include "daemon/control_apply.h"
#include "daemon/control_job.h"
#include "daemon/interfaces.h"
#include "daemon/run.h"
#include "varlink/registry.h"

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
	fixture_record_jobs(fx);
	ck_assert_int_eq(dependents_load(fx->core.dependents), 0);
	the_core = &fx->core;
	conn = (struct control_conn){.is_admin = true};
}

/* One call of a method of io.reeve.Job, on a connection of its own. */
struct exchange {
	struct vl_registry *registry;
	struct vl_server_conn *vl;
	struct vl_call *call;
};

static struct exchange receive(const char *method, const char *params)
{
	static const struct vl_registry_info info = {
		"reeve", "test", "1.0", "https://example.org/"};
	static const struct vl_server_ops ops = {.check_replies = true};
	struct exchange ex;
	char text[256];

	snprintf(text, sizeof(text),
		"{\"method\":\"io.reeve.Job.%s\",\"parameters\":%s}", method, params);
	ck_assert_int_eq(vl_registry_new(&ex.registry, &info), 0);
	ck_assert_int_eq(vl_registry_add(ex.registry, io_reeve_Job_varlink,
				 control_job_methods, control_n_job_methods, NULL),
		0);
	ck_assert_int_eq(vl_server_conn_new(&ex.vl, ex.registry, NULL, &ops, NULL), 0);
	ck_assert_int_eq(vl_server_conn_feed(ex.vl, text, strlen(text) + 1), 0);
	ck_assert_int_eq(vl_server_conn_next_call(ex.vl, &ex.call), VL_NEXT_CALL);
	return ex;
}

static void assert_answer(struct exchange *ex, const char *expected)
{
	struct buf *out = vl_server_conn_output(ex->vl);

	ck_assert_uint_ge(buf_len(out), 1);
	ck_assert_str_eq(buf_head(out), expected);
	vl_call_free(ex->call);
	vl_server_conn_free(ex->vl);
	vl_registry_free(ex->registry);
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

/* ---- retry ---------------------------------------------------------------------------- */

static void add_failed_and_skipped(struct fixture *fx)
{
	fixture_add_job(fx, 1, JOB(.state = JOB_FINISHED))->result = JOB_RESULT_FAILED;
	fixture_add_job(fx, 2, JOB(.state = JOB_FINISHED, .after = "1"))->result =
		JOB_RESULT_SKIPPED;
}

DAEMON_TEST(those_that_were_skipped_are_retried_with_it)
{
	struct exchange ex;

	add_failed_and_skipped(fx);
	start(fx);
	ex = receive("Retry", "{\"select\":{\"ids\":[{\"first\":1,\"last\":2}]}}");
	ck_assert_int_eq(control_job_retry(&conn, ex.call), 0);
	assert_answer(&ex, "{\"parameters\":{\"n\":2,\"refused\":[]}}");
	ck_assert_int_eq(jobs_find(fx->core.jobs, 1)->state, JOB_QUEUED);
	ck_assert_int_eq(jobs_find(fx->core.jobs, 2)->state, JOB_WAITING);
	ck_assert_uint_eq(jobs_unfinished(fx->core.jobs), 2);
	ck_assert_uint_eq(jobs_unfinished_of(fx->core.jobs, 0), 2);
	return 0;
}

DAEMON_TEST(retry_that_is_not_recorded_counts_nobody)
{
	struct exchange ex;

	add_failed_and_skipped(fx);
	start(fx);
	ex = receive("Retry", "{\"select\":{\"ids\":[{\"first\":1,\"last\":2}]}}");
	store_memory_fail_apply(fx->core.store, 0, 1, -ENOSPC);
	ck_assert_int_eq(control_job_retry(&conn, ex.call), 0);
	assert_answer(&ex, "{\"parameters\":{\"n\":0,\"refused\":["
			   "{\"id\":1,\"error\":\"io.reeve.Job.Unavailable\","
			   "\"message\":\"No space left on device\"},"
			   "{\"id\":2,\"error\":\"io.reeve.Job.WrongState\","
			   "\"message\":\"it would be skipped: job 1 failed\"}]}}");
	for (uint64_t id = 1; id <= 2; id++) {
		ck_assert_int_eq(jobs_find(fx->core.jobs, id)->state, JOB_FINISHED);
		ck_assert(!jobs_find(fx->core.jobs, id)->busy);
	}
	ck_assert_uint_eq(jobs_unfinished(fx->core.jobs), 0);
	ck_assert_uint_eq(jobs_unfinished_of(fx->core.jobs, 0), 0);
	return 0;
}

DAEMON_TEST(one_that_takes_too_many_with_it_is_refused_and_others_are_not)
{
	struct exchange ex;

	add_failed_and_skipped(fx);
	fixture_add_job(fx, 3, JOB(.state = JOB_FINISHED, .after = "1"))->result =
		JOB_RESULT_SKIPPED;
	fixture_add_job(fx, 4, JOB(.state = JOB_FINISHED))->result = JOB_RESULT_FAILED;
	start(fx);
	fx->config->v[CONFIG_JOBS_MAX].num = 2;
	ex = receive("Retry", "{\"select\":{\"ids\":[{\"first\":1,\"last\":2},"
			      "{\"first\":4,\"last\":4}]}}");
	ck_assert_int_eq(control_job_retry(&conn, ex.call), 0);
	assert_answer(&ex, "{\"parameters\":{\"n\":1,\"refused\":["
			   "{\"id\":1,\"error\":\"io.reeve.Job.Unavailable\","
			   "\"message\":\"limit exceeded\"},"
			   "{\"id\":2,\"error\":\"io.reeve.Job.WrongState\","
			   "\"message\":\"it would be skipped: job 1 failed\"}]}}");
	ck_assert_uint_eq(jobs_unfinished(fx->core.jobs), 1);
	ck_assert_uint_eq(jobs_unfinished_of(fx->core.jobs, 0), 1);
	ck_assert_int_eq(jobs_find(fx->core.jobs, 4)->state, JOB_QUEUED);
	return 0;
}

static int retry_third(void *arg)
{
	struct exchange *ex = arg;

	return control_job_retry(&conn, ex->call);
}

DAEMON_TEST(retries_side_by_side_do_not_pass_a_limit_together)
{
	struct exchange first, second;

	add_failed_and_skipped(fx);
	fixture_add_job(fx, 3, JOB(.state = JOB_FINISHED))->result = JOB_RESULT_FAILED;
	start(fx);
	fx->config->v[CONFIG_JOBS_MAX].num = 2;
	first = receive("Retry", "{\"select\":{\"ids\":[{\"first\":1,\"last\":1}]}}");
	second = receive("Retry", "{\"select\":{\"ids\":[{\"first\":3,\"last\":3}]}}");
	fixture_start(fx, retry_third, &second); /* while the first is committed */
	ck_assert_int_eq(control_job_retry(&conn, first.call), 0);
	while (buf_len(vl_server_conn_output(second.vl)) == 0)
		ck_assert_int_eq(rv_yield(), 0);
	assert_answer(&first, "{\"parameters\":{\"n\":1,\"refused\":[]}}");
	assert_answer(&second, "{\"parameters\":{\"n\":0,\"refused\":["
			       "{\"id\":3,\"error\":\"io.reeve.Job.Unavailable\","
			       "\"message\":\"limit exceeded\"}]}}");
	ck_assert_uint_eq(jobs_unfinished(fx->core.jobs), 2);
	return 0;
}

/* ---- pause ---------------------------------------------------------------------------- */

DAEMON_TEST(pause_takes_back_a_resume_that_is_on_the_way)
{
	struct job *j = fixture_add_job(fx, 1, JOB(.state = JOB_PAUSED));
	struct run run = {.job = j, .core = &fx->core, .started = true};
	struct exchange ex;

	rv_event_init(&run.wake);
	run.paused = run.pause_wanted = true;
	j->run = &run;
	start(fx);
	ex = receive("Resume", "{\"select\":{\"all\":true}}");
	ck_assert_int_eq(control_job_resume(&conn, ex.call), 0);
	assert_answer(&ex, "{\"parameters\":{\"n\":1,\"refused\":[]}}");
	ck_assert(!run.pause_wanted);
	ex = receive("Pause", "{\"select\":{\"all\":true}}");
	ck_assert_int_eq(control_job_pause(&conn, ex.call), 0);
	assert_answer(&ex, "{\"parameters\":{\"n\":1,\"refused\":[]}}");
	ck_assert(run.pause_wanted);
	j->run = NULL;
	return 0;
}

UNIT_MAIN("control_apply", jobs_with_which_nothing_is_to_do_give_others_their_turn,
	those_that_were_skipped_are_retried_with_it,
	retry_that_is_not_recorded_counts_nobody,
	one_that_takes_too_many_with_it_is_refused_and_others_are_not,
	retries_side_by_side_do_not_pass_a_limit_together,
	pause_takes_back_a_resume_that_is_on_the_way)
