#include "tests/unit/daemon/fixture.h"

#include "daemon/supervisor.h"

/* The linker sends the scheduler's starts here (--wrap): what was started, in order. */
static struct {
	uint64_t ids[256];
	size_t n, n_ahead;
	int error; /* starts fail with it */
	unsigned n_failed;
	unsigned n_real; /* so many first go to the supervisor */
} started;

int __wrap_supervisor_start(struct core *core, struct job *j, unsigned way, bool ahead);
int __real_supervisor_start(struct core *core, struct job *j, unsigned way, bool ahead);

int __wrap_supervisor_start(struct core *core, struct job *j, unsigned way, bool ahead)
{
	if (started.error < 0) {
		started.n_failed++;
		return started.error;
	}
	if (started.n_real > 0) {
		started.n_real--;
		return __real_supervisor_start(core, j, way, ahead);
	}
	ck_assert_uint_lt(started.n, ARRAY_LEN(started.ids));
	started.ids[started.n++] = j->id;
	started.n_ahead += ahead;
	job_begin(core->jobs, j);
	return 0;
}

static void begin(struct fixture *fx)
{
	memset(&started, 0, sizeof(started));
	scheduler_block(fx->core.scheduler, BLOCK_STARTUP, false);
}

static void let_it_look(void)
{
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(rv_yield(), 0);
}

static struct job *place(struct fixture *fx, uint64_t id, struct fixture_job how)
{
	struct job *j;

	how.state = how.state ? how.state : JOB_QUEUED;
	j = fixture_add_job(fx, id, &how);
	scheduler_place(fx->core.scheduler, j);
	return j;
}

static void end(struct fixture *fx, struct job *j)
{
	fixture_set_state(fx, j, JOB_STARTING);
	scheduler_release(fx->core.scheduler, j, 0);
	fixture_set_state(fx, j, JOB_FINISHED);
	job_end(fx->core.jobs, j);
}

static void note_runs(struct pool *p, unsigned n, int64_t usec)
{
	while (n-- > 0)
		pool_note_run(p, usec);
}

DAEMON_TEST(short_runs_are_started_ahead)
{
	struct pool *p = scheduler_pool(fx->core.scheduler, "default");

	begin(fx);
	ck_assert_int_eq(scheduler_set_pool(fx->core.scheduler, "default", 2), 0);
	note_runs(p, 50, 1000);
	for (uint64_t id = 1; id <= 60; id++)
		place(fx, id, (struct fixture_job){0});
	let_it_look();
	ck_assert_uint_eq(started.n, 2 + POOL_AHEAD_MAX);
	ck_assert_uint_eq(started.n_ahead, POOL_AHEAD_MAX);
	return 0;
}

DAEMON_TEST(as_many_are_started_ahead_as_begin_soon)
{
	struct pool *p = scheduler_pool(fx->core.scheduler, "default");

	begin(fx);
	ck_assert_int_eq(scheduler_set_pool(fx->core.scheduler, "default", 2), 0);
	note_runs(p, 200, 10000);
	for (uint64_t id = 1; id <= 20; id++)
		place(fx, id, (struct fixture_job){0});
	let_it_look();
	ck_assert_uint_ge(started.n_ahead, 2);
	ck_assert_uint_le(started.n_ahead, 4);
	return 0;
}

DAEMON_TEST(nothing_is_started_ahead_of_long_or_unknown_runs)
{
	struct pool *p = scheduler_pool(fx->core.scheduler, "default");

	begin(fx);
	ck_assert_int_eq(scheduler_set_pool(fx->core.scheduler, "default", 2), 0);
	for (uint64_t id = 1; id <= 20; id++)
		place(fx, id, (struct fixture_job){0});
	let_it_look();
	ck_assert_uint_eq(started.n, 2);
	note_runs(p, 200, 30000);
	scheduler_kick(fx->core.scheduler);
	let_it_look();
	ck_assert_uint_eq(started.n, 2);
	return 0;
}

DAEMON_TEST(a_recall_ends_starting_ahead_for_a_while)
{
	struct pool *p = scheduler_pool(fx->core.scheduler, "default");

	begin(fx);
	ck_assert_int_eq(scheduler_set_pool(fx->core.scheduler, "default", 2), 0);
	note_runs(p, 50, 1000);
	pool_note_recall(p);
	for (uint64_t id = 1; id <= 20; id++)
		place(fx, id, (struct fixture_job){0});
	let_it_look();
	ck_assert_uint_eq(started.n, 2);
	return 0;
}

DAEMON_TEST(slots_of_strayed_runs_are_not_given_out_by_the_spawner)
{
	struct pool *p = scheduler_pool(fx->core.scheduler, "default");

	ck_assert_int_eq(scheduler_set_pool(fx->core.scheduler, "default", 2), 0);
	p->n_strayed = 1;
	ck_assert_uint_eq(pool_gate_slots(p), 1);
	p->n_strayed = 3;
	ck_assert_uint_eq(pool_gate_slots(p), 0);
	p->n_strayed = 0;
	return 0;
}

DAEMON_TEST(slots_are_never_exceeded)
{
	begin(fx);
	for (uint64_t id = 1; id <= 5; id++)
		place(fx, id, (struct fixture_job){.priority = 0});
	let_it_look();
	ck_assert_uint_eq(started.n, 2);
	end(fx, jobs_find(fx->core.jobs, 1));
	let_it_look();
	ck_assert_uint_eq(started.n, 3);
	ck_assert_uint_eq(started.ids[2], 3);
	return 0;
}

/* also those that are due: a client that asks meanwhile has its turn */
DAEMON_TEST(many_starts_are_spread_over_turns_in_order)
{
	size_t before = 0, n_turns = 0;

	begin(fx);
	ck_assert_int_eq(scheduler_set_pool(fx->core.scheduler, "default", 1000), 0);
	for (uint64_t id = 1; id <= 200; id++)
		place(fx, id,
			(struct fixture_job){
				.state = id <= 100 ? JOB_QUEUED : JOB_BACKOFF});
	while (started.n < 200) {
		ck_assert_int_eq(rv_yield(), 0);
		ck_assert_uint_le(started.n - before, 64);
		before = started.n;
		ck_assert_uint_lt(++n_turns, 1000);
	}
	for (uint64_t id = 1; id <= 200; id++)
		ck_assert_uint_eq(started.ids[id - 1], id);
	return 0;
}

/* more than are put in the order in one turn, due at the same time: the last of them is first */
DAEMON_TEST(what_is_due_at_once_starts_in_the_order_of_all_of_it)
{
	rv_time now = clock_boottime(fx->core.clock);

	for (uint64_t id = 1; id <= 600; id++) {
		struct fixture_job how = {.state = JOB_BACKOFF};
		struct job *j;

		how.priority = id > 598 ? 5 : 0;
		j = fixture_add_job(fx, id, &how);
		j->due = now;
		scheduler_place(fx->core.scheduler, j);
	}
	begin(fx);
	while (started.n < 2)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_uint_eq(started.ids[0], 599);
	ck_assert_uint_eq(started.ids[1], 600);
	return 0;
}

DAEMON_TEST(higher_priority_starts_first_then_lower_id)
{
	static const uint64_t order[] = {3, 2, 4, 1};

	place(fx, 1, (struct fixture_job){.priority = -1});
	place(fx, 2, (struct fixture_job){.priority = 0});
	place(fx, 3, (struct fixture_job){.priority = 7});
	place(fx, 4, (struct fixture_job){.priority = 0});
	ck_assert_int_eq(scheduler_set_pool(fx->core.scheduler, "default", 4), 0);
	begin(fx);
	let_it_look();
	ck_assert_uint_eq(started.n, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(started.ids[i], order[i]);
	return 0;
}

DAEMON_TEST(functions_take_no_slot)
{
	begin(fx);
	for (uint64_t id = 1; id <= 3; id++)
		place(fx, id, (struct fixture_job){.function = "sleep"});
	place(fx, 4, (struct fixture_job){.priority = 0});
	let_it_look();
	ck_assert_uint_eq(started.n, 4);
	return 0;
}

DAEMON_TEST(functions_of_a_pool_are_limited)
{
	char why[200];
	struct job *last = NULL;

	fx->config->v[CONFIG_FUNCTIONS_MAX].num = 3;
	scheduler_set_limits(fx->core.scheduler, fx->config);
	begin(fx);
	for (uint64_t id = 1; id <= 4; id++)
		last = place(fx, id, (struct fixture_job){.function = "sleep"});
	let_it_look();
	ck_assert_uint_eq(started.n, 3);
	ck_assert_str_eq(scheduler_why(fx->core.scheduler, last, why, sizeof(why)),
		"in pool 'default' 3 of 3 functions go on (functions-max)");
	end(fx, jobs_find(fx->core.jobs, 1));
	let_it_look();
	ck_assert_uint_eq(started.n, 4);
	ck_assert_uint_eq(started.ids[3], 4);
	return 0;
}

DAEMON_TEST(nothing_starts_while_blocked)
{
	struct scheduler *s = fx->core.scheduler;

	begin(fx);
	scheduler_block(s, BLOCK_DISK, true);
	scheduler_block(s, BLOCK_STORE, true);
	place(fx, 1, (struct fixture_job){.priority = 0});
	let_it_look();
	scheduler_block(s, BLOCK_DISK, false);
	let_it_look();
	ck_assert_uint_eq(started.n, 0);
	scheduler_block(s, BLOCK_STORE, false);
	let_it_look();
	ck_assert_uint_eq(started.n, 1);
	return 0;
}

DAEMON_TEST(withdrawn_job_does_not_start)
{
	struct job *j = place(fx, 1, (struct fixture_job){.priority = 0});

	begin(fx);
	scheduler_withdraw(fx->core.scheduler, j);
	let_it_look();
	ck_assert_uint_eq(started.n, 0);
	return 0;
}

DAEMON_TEST(held_job_has_no_place)
{
	struct job *j =
		fixture_add_job(fx, 1, &(struct fixture_job){.state = JOB_HELD});

	begin(fx);
	scheduler_place(fx->core.scheduler, j);
	let_it_look();
	ck_assert_uint_eq(started.n, 0);
	return 0;
}

DAEMON_VIRTUAL_TEST(jobs_that_are_due_later_start_in_the_order_of_their_times)
{
	rv_time before = clock_monotonic(fx->core.clock);
	struct fixture_job later = {.state = JOB_BACKOFF};
	struct job *a = fixture_add_job(fx, 1, &later),
		   *b = fixture_add_job(fx, 2, &later);

	begin(fx);
	a->due = before + RV_SEC(20);
	b->due = before + RV_SEC(10);
	scheduler_place(fx->core.scheduler, a);
	scheduler_place(fx->core.scheduler, b);
	while (started.n < 1)
		ck_assert_int_eq(rv_sleep(RV_SEC(1)), 0);
	ck_assert_uint_eq(started.ids[0], 2);
	ck_assert_int_ge(clock_monotonic(fx->core.clock), before + RV_SEC(10));
	ck_assert_int_lt(clock_monotonic(fx->core.clock), before + RV_SEC(12));
	while (started.n < 2)
		ck_assert_int_eq(rv_sleep(RV_SEC(1)), 0);
	ck_assert_int_ge(clock_monotonic(fx->core.clock), before + RV_SEC(20));
	ck_assert_int_lt(clock_monotonic(fx->core.clock), before + RV_SEC(22));
	return 0;
}

DAEMON_VIRTUAL_TEST(withdrawing_the_first_due_job_moves_the_timer)
{
	rv_time before = clock_monotonic(fx->core.clock);
	struct fixture_job later = {.state = JOB_BACKOFF};
	struct job *a = fixture_add_job(fx, 1, &later),
		   *b = fixture_add_job(fx, 2, &later);

	begin(fx);
	a->due = before + RV_SEC(5);
	b->due = before + RV_SEC(9);
	scheduler_place(fx->core.scheduler, a);
	scheduler_place(fx->core.scheduler, b);
	scheduler_withdraw(fx->core.scheduler, a);
	while (started.n < 1)
		ck_assert_int_eq(rv_sleep(RV_SEC(1)), 0);
	ck_assert_uint_eq(started.ids[0], 2);
	return 0;
}

/* not a loop that does nothing else: each try comes later than the one before */
DAEMON_VIRTUAL_TEST(starts_that_fail_are_tried_again_ever_later)
{
	rv_time before;

	begin(fx);
	started.error = -ENOMEM;
	place(fx, 1, (struct fixture_job){.priority = 0});
	before = clock_monotonic(fx->core.clock);
	while (started.n_failed < 10)
		ck_assert_int_eq(rv_sleep(RV_MS(10)), 0);
	ck_assert_int_gt(clock_monotonic(fx->core.clock) - before, RV_SEC(20));
	started.error = 0;
	while (!started.n)
		ck_assert_int_eq(rv_sleep(RV_MS(100)), 0);
	return 0;
}

DAEMON_VIRTUAL_TEST(job_whose_start_failed_keeps_its_place)
{
	begin(fx);
	started.error = -ENOMEM;
	place(fx, 1, (struct fixture_job){.priority = 0});
	place(fx, 2, (struct fixture_job){.priority = 0});
	let_it_look();
	started.error = 0;
	while (started.n < 2)
		ck_assert_int_eq(rv_sleep(RV_MS(100)), 0);
	ck_assert_uint_eq(started.ids[0], 1);
	ck_assert_uint_eq(
		scheduler_pool(fx->core.scheduler, "default")->slots.taken, 2);
	return 0;
}

DAEMON_TEST(lowered_slots_let_running_jobs_go_on)
{
	struct scheduler *s = fx->core.scheduler;

	begin(fx);
	for (uint64_t id = 1; id <= 3; id++)
		place(fx, id, (struct fixture_job){.priority = 0});
	let_it_look();
	ck_assert_int_eq(scheduler_set_pool(s, "default", 1), 0);
	end(fx, jobs_find(fx->core.jobs, 1));
	let_it_look();
	ck_assert_uint_eq(started.n, 2);
	end(fx, jobs_find(fx->core.jobs, 2));
	let_it_look();
	ck_assert_uint_eq(started.n, 3);
	return 0;
}

DAEMON_TEST(start_that_was_given_up_does_not_count_for_the_rate)
{
	struct pool *p = scheduler_pool(fx->core.scheduler, "default");
	rv_group runs;

	ck_assert_int_eq(rv_group_enter(&runs, RV_GROUP_SUPERVISE), 0);
	fx->core.runs = &runs;
	begin(fx);
	ck_assert_int_eq(rate_set(&p->rate, 1, RV_SEC(3600)), 0);
	committer_stop(fx->core.committer); /* no start can be recorded */
	started.n_real = 1;
	place(fx, 1, (struct fixture_job){.function = "sleep"});
	let_it_look();
	let_it_look();
	ck_assert_uint_eq(started.n_real, 0);
	ck_assert_uint_eq(started.n, 1);
	place(fx, 2, (struct fixture_job){.function = "sleep"});
	let_it_look();
	ck_assert_uint_eq(started.n, 1);
	scheduler_withdraw(fx->core.scheduler, jobs_find(fx->core.jobs, 2));
	return rv_group_exit(&runs, 0);
}

DAEMON_TEST(why_names_what_keeps_everything_from_starting)
{
	struct job *j = place(fx, 1, (struct fixture_job){.priority = 0});
	char buf[256];

	ck_assert_ptr_nonnull(strstr(
		scheduler_why(fx->core.scheduler, j, buf, sizeof(buf)), "is starting"));
	begin(fx);
	ck_assert_ptr_nonnull(
		strstr(scheduler_why(fx->core.scheduler, j, buf, sizeof(buf)),
			"about to start"));
	scheduler_withdraw(fx->core.scheduler, j);
	return 0;
}

UNIT_MAIN("scheduler", short_runs_are_started_ahead,
	as_many_are_started_ahead_as_begin_soon,
	nothing_is_started_ahead_of_long_or_unknown_runs,
	a_recall_ends_starting_ahead_for_a_while,
	slots_of_strayed_runs_are_not_given_out_by_the_spawner,
	slots_are_never_exceeded, many_starts_are_spread_over_turns_in_order,
	what_is_due_at_once_starts_in_the_order_of_all_of_it,
	higher_priority_starts_first_then_lower_id, functions_take_no_slot,
	functions_of_a_pool_are_limited, nothing_starts_while_blocked,
	withdrawn_job_does_not_start, held_job_has_no_place,
	jobs_that_are_due_later_start_in_the_order_of_their_times,
	withdrawing_the_first_due_job_moves_the_timer,
	starts_that_fail_are_tried_again_ever_later,
	job_whose_start_failed_keeps_its_place, lowered_slots_let_running_jobs_go_on,
	start_that_was_given_up_does_not_count_for_the_rate,
	why_names_what_keeps_everything_from_starting)
