#include "tests/unit/daemon/fixture.h"

enum { KEPT = 64 }; /* of the fixture */

static const struct event *newest(const struct fixture *fx)
{
	return events_at(fx->core.events, events_next(fx->core.events) - 1);
}

DAEMON_TEST(loaded_jobs_are_no_news_and_added_ones_are)
{
	struct events *ev = fx->core.events;
	struct fixture_job how = {.name = "build", .uid = 5, .state = JOB_QUEUED};

	fixture_add_job(fx, 1, &how);
	ck_assert_uint_eq(events_next(ev), 1);
	ck_assert_int_eq(jobs_loaded(fx->core.jobs), 0);
	fixture_add_job(fx, 2, &how);
	ck_assert_uint_eq(events_next(ev), 2);
	ck_assert_uint_eq(newest(fx)->job, 2);
	ck_assert_uint_eq(newest(fx)->uid, 5);
	ck_assert_int_eq(newest(fx)->from, EVENT_NO_JOB);
	ck_assert_int_eq(newest(fx)->to, JOB_QUEUED);
	return 0;
}

DAEMON_TEST(changes_of_state_are_noted_and_nothing_else)
{
	struct fixture_job how = {.name = "build", .state = JOB_QUEUED};
	struct job *j = fixture_add_job(fx, 1, &how);
	struct event_texts t;

	fixture_set_state(fx, j, JOB_STARTING);
	ck_assert_uint_eq(events_next(fx->core.events), 2);
	ck_assert_int_eq(newest(fx)->from, JOB_QUEUED);
	ck_assert_int_eq(newest(fx)->to, JOB_STARTING);
	fixture_set_state(fx, j, JOB_STARTING);
	ck_assert_uint_eq(events_next(fx->core.events), 2);
	event_texts_get(newest(fx), &t);
	ck_assert_str_eq(t.name, "build");
	ck_assert_str_eq(t.pools, "default");
	ck_assert_ptr_null(t.reason);
	return 0;
}

DAEMON_TEST(that_it_is_ready_is_an_event_without_another_state)
{
	struct fixture_job how = {.name = "web", .state = JOB_RUNNING};
	struct job *j = fixture_add_job(fx, 1, &how);
	struct event_texts t;

	events_note_ready(fx->core.events, j, true, "");
	ck_assert_int_eq(newest(fx)->from, JOB_RUNNING);
	ck_assert_int_eq(newest(fx)->to, JOB_RUNNING);
	ck_assert_int_eq(newest(fx)->ready, EVENT_IS_READY);
	event_texts_get(newest(fx), &t);
	ck_assert_str_eq(t.name, "web");
	ck_assert_ptr_null(t.reason);
	events_note_ready(fx->core.events, j, false, "tcp:80: no");
	ck_assert_int_eq(newest(fx)->ready, EVENT_IS_UNREADY);
	event_texts_get(newest(fx), &t);
	ck_assert_str_eq(t.reason, "tcp:80: no");
	return 0;
}

DAEMON_TEST(removed_job_leaves_its_name_behind)
{
	struct fixture_job how = {.name = "build", .state = JOB_HELD};
	struct event_texts t;

	jobs_forget(fx->core.jobs, fixture_add_job(fx, 1, &how));
	ck_assert_int_eq(newest(fx)->from, JOB_HELD);
	ck_assert_int_eq(newest(fx)->to, EVENT_NO_JOB);
	event_texts_get(newest(fx), &t);
	ck_assert_str_eq(t.name, "build");
	return 0;
}

/* so many changes: queued, held, queued ... */
static void change(struct fixture *fx, struct job *j, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fixture_set_state(fx, j, j->state == JOB_HELD ? JOB_QUEUED : JOB_HELD);
}

DAEMON_TEST(ring_keeps_the_newest_and_counts_the_rest)
{
	struct events *ev = fx->core.events;
	struct fixture_job how = {.name = "build", .state = JOB_QUEUED};
	struct job *j = fixture_add_job(fx, 1, &how);
	uint64_t lost;

	change(fx, j, KEPT);
	ck_assert_uint_eq(events_oldest(ev), 1);
	ck_assert_uint_eq(events_since(ev, 0, &lost), 1);
	ck_assert_uint_eq(lost, 0);
	change(fx, j, 1);
	ck_assert_uint_eq(events_oldest(ev), 2);
	change(fx, j, 3 * KEPT);
	ck_assert_uint_eq(events_next(ev), 4 * KEPT + 2);
	ck_assert_uint_eq(events_oldest(ev), 3 * KEPT + 2);
	ck_assert_uint_eq(events_since(ev, 0, &lost), 3 * KEPT + 2);
	ck_assert_uint_eq(lost, 3 * KEPT + 1);
	ck_assert_uint_eq(events_since(ev, INT64_MAX, &lost), events_next(ev));
	ck_assert_uint_eq(lost, 0);
	return 0;
}

DAEMON_TEST(limit_may_change_and_the_newest_stay)
{
	struct events *ev = fx->core.events;
	struct fixture_job how = {.name = "build", .state = JOB_QUEUED};
	struct job *j = fixture_add_job(fx, 1, &how);

	change(fx, j, KEPT);
	ck_assert_int_eq(events_set_max(ev, 10), 0);
	ck_assert_uint_eq(events_oldest(ev), KEPT - 9);
	ck_assert_uint_eq(events_next(ev), KEPT + 1);
	ck_assert_int_eq(events_at(ev, KEPT)->to, j->state);
	ck_assert_int_eq(events_set_max(ev, 1000), 0);
	change(fx, j, 500);
	ck_assert_uint_eq(events_oldest(ev), KEPT - 9);
	for (uint64_t n = events_oldest(ev) + 1; n < events_next(ev); n++)
		ck_assert_int_eq(events_at(ev, n)->from, events_at(ev, n - 1)->to);
	return 0;
}

struct follower {
	struct events *ev;
	uint64_t seen;
};

static int follow(void *arg)
{
	struct follower *f = arg;
	int r = rv_event_wait(events_arrival(f->ev));

	f->seen = events_next(f->ev) - 1;
	return r;
}

DAEMON_TEST(who_waits_is_woken_by_the_next_event)
{
	struct fixture_job how = {.name = "build", .state = JOB_QUEUED};
	struct job *j = fixture_add_job(fx, 1, &how);
	struct follower f = {.ev = fx->core.events};

	fixture_start(fx, follow, &f);
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_uint_eq(f.seen, 0);
	change(fx, j, 1);
	while (f.seen == 0)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_uint_eq(f.seen, 1);
	return 0;
}

UNIT_MAIN("events", loaded_jobs_are_no_news_and_added_ones_are,
	changes_of_state_are_noted_and_nothing_else,
	that_it_is_ready_is_an_event_without_another_state,
	removed_job_leaves_its_name_behind, ring_keeps_the_newest_and_counts_the_rest,
	limit_may_change_and_the_newest_stay, who_waits_is_woken_by_the_next_event)
