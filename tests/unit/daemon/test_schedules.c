/* Schedules on a virtual clock: what the daemon keeps of them as clocks are set, as they
 * change, and as it ends. */
#include "tests/unit/daemon/fixture.h"

#include "daemon/schedule_jobs.h"
#include "daemon/schedules.h"

#define SEC  USEC_PER_SEC
#define HOUR (3600 * SEC)

static void put(struct config_named *def, enum config_key k, const char *text)
{
	union config_value v;
	char *err = NULL;

	if (!text)
		return;
	ck_assert_msg(config_value_parse(&v, k, text, &err) >= 0, "%s", err);
	config_value_free(&def->v[k], k);
	def->v[k] = v;
}

struct how {
	const char *when, *jitter, *missed, *missed_max, *missed_spread, *overlap,
		*queue_max;
	const char *pool, *on_failure;
};

static void put_text(struct job_spec *spec, enum job_field f, const char *text)
{
	if (text)
		ck_assert_int_eq(
			job_spec_put(spec, f, (union job_value){.str = strdup(text)}),
			0);
}

static struct schedule *add(struct fixture *fx, const char *name, struct how how)
{
	struct config_named def;
	struct job_spec *spec;

	ck_assert_int_eq(config_named_init(&def, CONFIG_SECTION_SCHEDULE, name), 0);
	spec = &def.job->spec;
	put(&def, CONFIG_WHEN, how.when);
	put(&def, CONFIG_ZONE, "UTC");
	put(&def, CONFIG_JITTER, how.jitter);
	put(&def, CONFIG_MISSED, how.missed);
	put(&def, CONFIG_MISSED_MAX, how.missed_max);
	put(&def, CONFIG_MISSED_SPREAD, how.missed_spread);
	put(&def, CONFIG_OVERLAP, how.overlap);
	put(&def, CONFIG_QUEUE_MAX, how.queue_max);
	put_text(spec, JOB_FIELD_SHELL_COMMAND, "true");
	put_text(spec, JOB_FIELD_POOL, how.pool);
	put_text(spec, JOB_FIELD_ON_FAILURE, how.on_failure);
	ck_assert_int_eq(schedules_add(fx->core.schedules, name, &def), 0);
	return schedules_find(fx->core.schedules, name);
}

static void begin(struct fixture *fx)
{
	fixture_start_committer(fx);
	ck_assert_int_eq(
		schedules_new(&fx->core.schedules, &fx->core, rv_loop_current()), 0);
	ck_assert_int_eq(schedules_apply(fx->core.schedules, fx->config, NULL), 0);
	fixture_start(fx, schedules_main, fx->core.schedules);
}

/* A second at a time: each time what is due is looked at, and written, which the virtual
 * clock does not wait for by itself. */
static void pass(struct fixture *fx, int64_t seconds)
{
	for (; seconds > 0; seconds--) {
		ck_assert_int_eq(rv_sleep(RV_SEC(1)), 0);
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(rv_yield(), 0);
		ck_assert_int_eq(schedules_lock(fx->core.schedules), 0);
		schedules_unlock(fx->core.schedules);
	}
}

static int64_t now(const struct fixture *fx)
{
	return clock_wall_usec(fx->core.clock);
}

static uint64_t n_did(const struct schedule *s, enum schedule_did what)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->progress.n_history; i++)
		if (s->progress.history[i].what == what)
			n += s->progress.history[i].count;
	return n;
}

static size_t n_going(const struct fixture *fx, const char *name)
{
	size_t n;

	schedule_jobs_ids(fx->core.schedule_jobs, name, &n);
	return n;
}

DAEMON_VIRTUAL_TEST(nothing_turns_while_the_daemon_ends)
{
	struct schedule *s;

	begin(fx);
	s = add(fx, "tick", (struct how){.when = "every 1s", .overlap = "allow"});
	pass(fx, 3);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 3);
	scheduler_block(fx->core.scheduler, BLOCK_SHUTDOWN, true);
	/* a timer of what is due that is set again and again would keep this clock */
	pass(fx, 10);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 3);
	return 0;
}

DAEMON_VIRTUAL_TEST(an_interval_goes_on_where_the_clock_is_set_back)
{
	struct schedule *s;

	begin(fx);
	s = add(fx, "tick", (struct how){.when = "every 10s", .overlap = "allow"});
	pass(fx, 25);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 2);
	fixture_set_clock(fx, -20 * HOUR);
	pass(fx, 4);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 2);
	pass(fx, 1);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 3);
	pass(fx, 20);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 5);
	return 0;
}

DAEMON_VIRTUAL_TEST(an_interval_misses_nothing_where_the_clock_is_set_forward)
{
	struct schedule *s;

	begin(fx);
	s = add(fx, "tick",
		(struct how){.when = "every 10s",
			.overlap = "allow",
			.missed = "all",
			.missed_spread = "0"});
	pass(fx, 25);
	fixture_set_clock(fx, 400 * 24 * HOUR);
	pass(fx, 5);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 3);
	ck_assert_uint_eq(n_did(s, SCHEDULE_MADE_UP), 0);
	ck_assert_uint_eq(n_did(s, SCHEDULE_MISSED), 0);
	return 0;
}

DAEMON_VIRTUAL_TEST(a_start_that_is_owed_is_not_made_twice_where_the_clock_was_wrong)
{
	struct schedule *s;
	int64_t nominal;

	begin(fx);
	fixture_set_clock(fx, 40 * 24 * HOUR);
	s = add(fx, "daily",
		(struct how){.when = "*-*-* *:00:00",
			.jitter = "30min",
			.overlap = "allow"});
	while (s->progress.n_pending == 0)
		pass(fx, 1);
	nominal = s->progress.pending[0].nominal_usec;
	ck_assert_int_gt(s->progress.pending[0].start_usec, now(fx) + 60 * SEC);
	fixture_set_clock(fx, -40 * 24 * HOUR);
	pass(fx, 1);
	for (size_t i = 0; i < s->progress.n_pending; i++)
		ck_assert_int_lt(s->progress.pending[i].nominal_usec, nominal);
	/* what comes next is an hour of this clock */
	pass(fx, 3600);
	ck_assert_uint_ge(s->progress.n_pending + n_going(fx, "daily"), 1);
	return 0;
}

DAEMON_VIRTUAL_TEST(all_that_were_missed_are_owed_beside_those_on_time)
{
	struct schedule *s;
	size_t n_made_up = 0;

	begin(fx);
	s = add(fx, "often",
		(struct how){.when = "*:*:*",
			.missed = "all",
			.missed_max = "1000",
			.missed_spread = "1h",
			.overlap = "allow"});
	pass(fx, 1);
	ck_assert_uint_eq(n_did(s, SCHEDULE_STARTED), 1);
	fixture_set_clock(fx, 2 * HOUR);
	pass(fx, 5);
	/* the first of the thousand starts at once, and all those of the last minute */
	ck_assert_uint_ge(n_going(fx, "often"), 1 + 1 + 60);
	for (size_t i = 0; i < s->progress.n_pending; i++) {
		const struct schedule_pending *owed = &s->progress.pending[i];

		n_made_up += owed->made_up;
		if (i > 0 && owed->made_up)
			ck_assert_int_ge(owed->start_usec, owed[-1].start_usec + HOUR);
	}
	ck_assert_uint_eq(n_made_up, 999);
	ck_assert_uint_eq(n_did(s, SCHEDULE_FULL), 0);
	return 0;
}

DAEMON_VIRTUAL_TEST(a_start_that_is_refused_is_in_nobodys_way)
{
	struct schedule *s;

	begin(fx);
	s = add(fx, "often", (struct how){.when = "*:*:0/10"});
	pass(fx, 1);
	fx->config->v[CONFIG_JOBS_MAX].num = 0;
	/* two of them at one look */
	fixture_set_clock(fx, 20 * SEC);
	pass(fx, 1);
	ck_assert_uint_eq(n_did(s, SCHEDULE_REFUSED), 2);
	ck_assert_uint_eq(n_did(s, SCHEDULE_OVERLAP), 0);
	return 0;
}

DAEMON_VIRTUAL_TEST(callbacks_of_refused_starts_are_in_nobodys_way_and_have_a_limit)
{
	struct schedule *s;

	begin(fx);
	s = add(fx, "often", (struct how){.when = "*:*:0/10", .on_failure = "f"});
	pass(fx, 1);
	fx->config->v[CONFIG_JOBS_MAX].num = 0;
	fx->config->v[CONFIG_CALLBACKS_MAX].num = 3;
	fixture_set_clock(fx, 20 * SEC);
	pass(fx, 1);
	ck_assert_uint_eq(n_did(s, SCHEDULE_REFUSED), 2);
	ck_assert_uint_eq(n_did(s, SCHEDULE_OVERLAP), 0);
	ck_assert_uint_eq(jobs_callbacks(fx->core.jobs), 2);
	fixture_set_clock(fx, 20 * SEC);
	pass(fx, 1);
	ck_assert_uint_eq(n_did(s, SCHEDULE_REFUSED), 4);
	ck_assert_uint_eq(jobs_callbacks(fx->core.jobs), 3);
	return 0;
}

DAEMON_VIRTUAL_TEST(callbacks_of_refused_starts_take_no_room_of_jobs)
{
	struct schedule *bad, *good;

	begin(fx);
	/* by both orders of the two in a look one comes behind the other */
	bad = add(fx, "bad",
		(struct how){.when = "*:*:0/10", .pool = "gone", .on_failure = "f"});
	good = add(fx, "good", (struct how){.when = "*:*:0/10", .overlap = "allow"});
	add(fx, "worse",
		(struct how){.when = "*:*:0/10", .pool = "gone", .on_failure = "f"});
	fx->config->v[CONFIG_JOBS_MAX].num = 1;
	pass(fx, 10);
	ck_assert_uint_eq(n_did(bad, SCHEDULE_REFUSED), 1);
	ck_assert_uint_eq(n_did(good, SCHEDULE_STARTED), 1);
	ck_assert_uint_eq(n_did(good, SCHEDULE_REFUSED), 0);
	ck_assert_uint_eq(jobs_callbacks(fx->core.jobs), 2);
	return 0;
}

UNIT_MAIN("schedules", nothing_turns_while_the_daemon_ends,
	an_interval_goes_on_where_the_clock_is_set_back,
	an_interval_misses_nothing_where_the_clock_is_set_forward,
	a_start_that_is_owed_is_not_made_twice_where_the_clock_was_wrong,
	all_that_were_missed_are_owed_beside_those_on_time,
	a_start_that_is_refused_is_in_nobodys_way,
	callbacks_of_refused_starts_are_in_nobodys_way_and_have_a_limit,
	callbacks_of_refused_starts_take_no_room_of_jobs)
