/* The first of many jobs in an order that is asked for. */
#include "config.h"

#include "daemon/ranking.h"

#include "base/cleanup.h"
#include "base/macro.h"
#include "daemon/users.h"
#include "tests/support/alloc_fail.h"
#include "tests/unit/daemon/fixture.h"

enum { N = 100 };

static struct job *add(
	struct fixture *fx, uint64_t id, const char *name, int64_t priority)
{
	return fixture_add_job(fx, id,
		&(struct fixture_job){
			.name = name, .priority = priority, .state = JOB_QUEUED});
}

static void begin(
	struct fixture *fx, struct ranking *rk, const char *keys, size_t n_max)
{
	struct job_sort sort = {.n = 0};

	ck_assert_int_eq(job_sort_parse(&sort, keys, NULL), 0);
	ranking_init(rk, &fx->core, &sort, n_max);
}

static int offer_all(struct fixture *fx, struct ranking *rk)
{
	int r = 0;

	for (const struct job *j = jobs_at_or_after(fx->core.jobs, 1); j && r == 0;
		j = jobs_at_or_after(fx->core.jobs, j->id + 1))
		r = ranking_offer(rk, j);
	return r;
}

/* the ids, with blanks between them, of the first n by these keys */
static void ranks(struct fixture *fx, const char *keys, size_t n, const char *want)
{
	struct ranking rk;
	uint64_t ids[N];
	char text[N * 4] = "";
	size_t count, len = 0;

	begin(fx, &rk, keys, n);
	ck_assert_int_eq(offer_all(fx, &rk), 0);
	count = ranking_count(&rk);
	ranking_take(&rk, ids);
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d",
			i ? " " : "", (int)ids[i]);
	ranking_deinit(&rk);
	ck_assert_msg(strcmp(text, want) == 0, "%s: '%s', not '%s'", keys, text, want);
}

DAEMON_TEST(the_first_so_many_are_found)
{
	char all[N * 4] = "";
	size_t len = 0;

	for (uint64_t id = 1; id <= N; id++) {
		/* 7 and 100 have no common divisor: each priority once */
		add(fx, id, NULL, (int64_t)(id * 7 % N));
	}
	ranks(fx, "priority", 3, "100 43 86");
	ranks(fx, "-priority", 3, "57 14 71");
	ranks(fx, "-id", 4, "100 99 98 97");
	ranks(fx, "id", 0, "");
	for (int id = 1; id <= N; id++)
		len += (size_t)snprintf(
			all + len, sizeof(all) - len, "%s%d", id > 1 ? " " : "", id);
	ranks(fx, "state", N, all);
	ranks(fx, "state", 2, "1 2");
	return 0;
}

DAEMON_TEST(further_keys_decide_where_the_first_are_equal)
{
	add(fx, 1, "b", 1);
	add(fx, 2, "a", 2);
	add(fx, 3, NULL, 2);
	add(fx, 4, "a", 1);
	ranks(fx, "name,priority", 4, "4 2 1 3");
	ranks(fx, "-name,-priority", 4, "1 2 4 3");
	ranks(fx, "-priority,name", 3, "2 3 4");
	return 0;
}

DAEMON_TEST(what_a_job_shows_is_what_it_is_sorted_by)
{
	struct job *waits = add(fx, 1, NULL, 0), *runs = add(fx, 2, NULL, 0),
		   *failed = add(fx, 3, NULL, 0), *killed = add(fx, 4, NULL, 0);
	int64_t now = clock_wall_usec(fx->core.clock);

	waits->due_usec = now + 5;
	waits->started_usec = now - 1000000; /* of the run before */
	waits->exit_code = 9;
	runs->state = JOB_RUNNING;
	runs->started_usec = now - 100000000;
	runs->n_runs = 3;
	failed->state = killed->state = JOB_FINISHED;
	failed->result = JOB_RESULT_FAILED;
	failed->started_usec = now - 50;
	failed->finished_usec = now - 20;
	failed->exit_code = 1;
	killed->result = JOB_RESULT_TIMEOUT;
	killed->started_usec = now - 90;
	killed->finished_usec = now - 30;
	killed->signal = 15;
	ranks(fx, "due", 1, "1");
	ranks(fx, "state", 4, "1 2 3 4");
	ranks(fx, "-result", 4, "4 3 1 2");
	ranks(fx, "exit", 4, "3 1 4 2"); /* 143 by its signal */
	ranks(fx, "started", 4, "2 1 4 3");
	ranks(fx, "-finished", 4, "3 4 1 2");
	ranks(fx, "time", 4, "3 4 2 1"); /* none passes while it waits */
	ranks(fx, "-time", 4, "2 4 3 1");
	ranks(fx, "-runs", 1, "2");
	ranks(fx, "pool,-id", 2, "4 3");
	/* they are in no list of the table that goes by state */
	failed->state = killed->state = runs->state = JOB_QUEUED;
	return 0;
}

DAEMON_TEST(users_are_sorted_by_what_they_are_called)
{
	ck_assert_int_eq(users_new(&fx->core.users, &fx->core), 0);
	/* nobody has looked them up: they are called by their numbers */
	fixture_add_job(
		fx, 1, &(struct fixture_job){.uid = 4000000002, .state = JOB_QUEUED});
	fixture_add_job(
		fx, 2, &(struct fixture_job){.uid = 4000000001, .state = JOB_QUEUED});
	ranks(fx, "user", 2, "2 1");
	ranks(fx, "-user", 2, "1 2");
	fx->core.users = users_free(fx->core.users);
	return 0;
}

DAEMON_TEST(jobs_may_change_and_go_meanwhile)
{
	struct job *first = add(fx, 1, "a", 0), *second = add(fx, 2, "b", 0);
	struct ranking rk;
	uint64_t ids[2];

	begin(fx, &rk, "name", 2);
	ck_assert_int_eq(ranking_offer(&rk, first), 0);
	jobs_forget(fx->core.jobs, first);
	ck_assert_int_eq(ranking_offer(&rk, second), 0);
	ck_assert_uint_eq(ranking_count(&rk), 2);
	ranking_take(&rk, ids);
	ck_assert_uint_eq(ids[0], 1);
	ranking_deinit(&rk);
	return 0;
}

static struct fixture *sweep_fx;

static int rank_some(void *arg)
{
	struct job_sort sort = {.keys = {JOB_SORT_NAME, JOB_SORT_POOL}, .n = 2};
	struct ranking rk;
	int r;

	ranking_init(&rk, &sweep_fx->core, &sort, 2);
	r = offer_all(sweep_fx, &rk);
	ranking_deinit(&rk);
	return r;
}

DAEMON_TEST(allocation_failure_is_passed_on)
{
	add(fx, 1, "b", 0);
	add(fx, 2, "c", 0);
	add(fx, 3, "a", 0);
	sweep_fx = fx;
	ck_assert_int_eq(alloc_fail_sweep(rank_some, NULL), 0);
	return 0;
}

UNIT_MAIN("ranking", the_first_so_many_are_found,
	further_keys_decide_where_the_first_are_equal,
	what_a_job_shows_is_what_it_is_sorted_by,
	users_are_sorted_by_what_they_are_called, jobs_may_change_and_go_meanwhile,
	allocation_failure_is_passed_on)
