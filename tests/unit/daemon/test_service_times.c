/* Planned restarts of services on a virtual clock, as that is set. */
#include "tests/unit/daemon/fixture.h"

#include "config/config_load.h"
#include "daemon/run.h"
#include "daemon/service_times.h"

#define HOUR (3600 * USEC_PER_SEC)
#define DAY  (24 * HOUR)

/* a service with one instance, which is restarted each day at noon */
struct daily {
	struct config *config;
	struct services *services;
	struct service *service;
	struct run run;
};

static void begin(struct fixture *fx, struct daily *d)
{
	static const char text[] =
		"[service web]\ncommand = true\nrestart-at = *-*-* 12:00:00 UTC\n";
	struct config_errors errors = CONFIG_ERRORS_NULL;

	memset(d, 0, sizeof(*d));
	ck_assert_int_eq(
		config_load_text(&d->config, text, strlen(text), "t", &errors), 0);
	ck_assert_int_eq(services_new(&d->services, &fx->core, rv_loop_current()), 0);
	ck_assert_int_eq(services_apply(d->services, d->config), 0);
	ck_assert_int_eq(services_apply_times(d->services, NULL), 0);
	d->service = services_find(d->services, "web");
}

static void end(struct daily *d)
{
	if (d->run.job)
		d->run.job->run = NULL;
	services_free(d->services);
	config_free(d->config);
}

/* its run, which was recorded at that time */
static void run_since(struct fixture *fx, struct daily *d, int64_t started_usec)
{
	struct job *j =
		fixture_add_job(fx, 1, &(struct fixture_job){.state = JOB_RUNNING});

	d->run = (struct run){.core = &fx->core, .job = j, .started = true};
	d->run.rec.started_usec = started_usec;
	j->run = &d->run;
	d->service->v[0]->job = 1;
}

static int64_t wall(const struct fixture *fx)
{
	return clock_wall_usec(fx->core.clock);
}

static int64_t next(const struct daily *d)
{
	return service_next_restart_usec(d->service);
}

/* until the next one has passed, and what the loop has because of that */
static void pass(struct fixture *fx, const struct daily *d)
{
	ck_assert_int_eq(rv_sleep(RV_US(next(d) - wall(fx)) + RV_SEC(1)), 0);
	ck_assert_int_eq(rv_yield(), 0);
}

static void set_clock(struct fixture *fx, int64_t by_usec)
{
	fixture_set_clock(fx, by_usec);
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
}

DAEMON_VIRTUAL_TEST(clock_that_is_set_back_a_little_makes_no_time_come_twice)
{
	struct daily d;
	int64_t first;

	begin(fx, &d);
	first = next(&d);
	pass(fx, &d);
	ck_assert_int_eq(next(&d), first + DAY);
	set_clock(fx, -HOUR);
	ck_assert_int_eq(next(&d), first + DAY);
	end(&d);
	return 0;
}

/* as that of a machine whose own clock was wrong, until it had the time from others */
DAEMON_VIRTUAL_TEST(clock_that_was_far_ahead_does_not_put_off_the_next_time)
{
	struct daily d;
	int64_t first;

	fixture_set_clock(fx, 1000 * DAY);
	begin(fx, &d);
	run_since(fx, &d, wall(fx));
	first = next(&d);
	set_clock(fx, -999 * DAY);
	ck_assert_int_eq(next(&d), first - 999 * DAY);
	pass(fx, &d);
	ck_assert_int_eq(d.service->due_usec, first - 999 * DAY);
	ck_assert_int_eq(next(&d), first - 998 * DAY);
	end(&d);
	return 0;
}

DAEMON_VIRTUAL_TEST(what_was_started_since_is_left_alone)
{
	struct daily d;

	begin(fx, &d);
	run_since(fx, &d, next(&d));
	pass(fx, &d);
	ck_assert_int_eq(d.service->due_usec, 0);
	end(&d);
	return 0;
}

UNIT_MAIN("service_times", clock_that_is_set_back_a_little_makes_no_time_come_twice,
	clock_that_was_far_ahead_does_not_put_off_the_next_time,
	what_was_started_since_is_left_alone)
