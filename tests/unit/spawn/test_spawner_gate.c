/* Starts ahead of a free slot, with a real spawner. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spawn/exits.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

/* takes a slot until it is killed: one that has not come to exec would fail instead of end */
static void occupy(uint64_t id, uint32_t slots)
{
	fx_start_gated(id, slots, false, "exec sleep 1000");
	fx_wait(fx, FX_STARTED, id);
}

static void kill_run(uint64_t id)
{
	struct spawn_token t = fx_token(id);

	ck_assert_int_eq(spawn_client_kill(fx->client, &t, NULL), 0);
	ck_assert_int_eq(spawn_client_flush(fx->client), 0);
}

static void recall(uint64_t id)
{
	struct spawn_token t = fx_token(id);

	ck_assert_int_eq(spawn_client_recall(fx->client, &t), 0);
	ck_assert_int_eq(spawn_client_flush(fx->client), 0);
}

START_TEST(start_ahead_waits_for_the_end_of_another)
{
	occupy(1, 1);
	fx_start_gated(2, 1, true, "exec sleep 1000");
	fx_start_gated(3, 1, true, "exit 0");
	fx_settle(fx);
	ck_assert(!fx_has(fx, FX_STARTED, 2));
	kill_run(1);
	fx_wait(fx, FX_STARTED, 2); /* in the order in which they came */
	fx_settle(fx);
	ck_assert(!fx_has(fx, FX_STARTED, 3));
	kill_run(2);
	ck_assert_int_eq(fx_wait(fx, FX_EXITED, 3)->info.status, 0);
}
END_TEST

/* each takes one of two directories, and fails where both are taken */
START_TEST(no_more_go_on_at_once_than_there_are_slots)
{
	for (uint64_t id = 1; id <= 100; id++)
		fx_start_gated(id, 2, id > 2,
			"for i in 1 2; do if mkdir slot$i 2>/dev/null; then "
			"rmdir slot$i; exit 0; fi; done; exit 1");
	for (uint64_t id = 1; id <= 100; id++)
		ck_assert_int_eq(fx_wait(fx, FX_EXITED, id)->info.status, 0);
}
END_TEST

/* Each writes its number into a file of its own and leaves a directory of that name while it
 * goes on, which fails where another has it. */
START_TEST(runs_that_go_on_have_different_numbers)
{
	static const char line[] =
		"mkdir n$REEVE_SLOT && [ $REEVE_SLOT -le 3 ] && rmdir n$REEVE_SLOT";

	/* three of the gate and one aside at a time */
	for (uint64_t id = 1; id <= 200; id++) {
		struct spawn_request req = fx_gated(id, 3, id % 5 != 0, line);

		req.aside = !req.ahead;
		fx_start(fx, &req);
		if (req.aside)
			ck_assert_int_eq(fx_wait(fx, FX_EXITED, id)->info.status, 0);
	}
	for (uint64_t id = 1; id <= 200; id++)
		if (id % 5 != 0)
			ck_assert_int_eq(fx_wait(fx, FX_EXITED, id)->info.status, 0);
}
END_TEST

START_TEST(lowest_number_that_is_free_is_given)
{
	fx_start_gated(1, 3, false, "echo $REEVE_SLOT >n1; exec sleep 1000");
	fx_start_gated(2, 3, false, "echo $REEVE_SLOT >n2; exec sleep 1000");
	fx_wait(fx, FX_STARTED, 1);
	fx_wait(fx, FX_STARTED, 2);
	kill_run(1);
	fx_wait(fx, FX_EXITED, 1);
	fx_start_gated(3, 3, false, "[ $REEVE_SLOT = 0 ]");
	ck_assert_int_eq(fx_wait(fx, FX_EXITED, 3)->info.status, 0);
}
END_TEST

START_TEST(gates_do_not_concern_each_other)
{
	struct spawn_request req;

	occupy(1, 1);
	req = fx_gated(2, 1, true, "exit 0");
	req.gate = 8;
	fx_start(fx, &req);
	fx_wait(fx, FX_EXITED, 2);
	kill_run(1);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

START_TEST(what_may_not_wait_begins_at_once)
{
	occupy(1, 1);
	fx_start_gated(2, 1, false, "exit 0");
	fx_wait(fx, FX_EXITED, 2);
	kill_run(1);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

START_TEST(more_slots_let_those_through_that_wait)
{
	occupy(1, 1);
	fx_start_gated(2, 1, true, "exit 0");
	fx_start_gated(3, 2, true, "exit 0");
	fx_wait(fx, FX_EXITED, 2);
	fx_wait(fx, FX_EXITED, 3);
	kill_run(1);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

START_TEST(fewer_slots_hold_those_back_that_wait)
{
	occupy(1, 2);
	occupy(2, 2);
	fx_start_gated(3, 2, true, "exit 0");
	fx_start_gated(4, 1, true, "exit 0");
	kill_run(2);
	fx_wait(fx, FX_EXITED, 2);
	fx_settle(fx);
	ck_assert(!fx_has(fx, FX_STARTED, 3));
	kill_run(1);
	fx_wait(fx, FX_EXITED, 3);
	fx_wait(fx, FX_EXITED, 4);
}
END_TEST

START_TEST(recalled_start_is_gone_and_may_come_again)
{
	struct fx_event *e;

	occupy(1, 1);
	fx_start_gated(2, 1, true, "exit 0");
	recall(2);
	e = fx_wait(fx, FX_FAILED, 2);
	ck_assert(spawn_run_was_recalled(&e->info));
	fx_disconnect(fx);
	fx_connect(fx);
	fx_wait(fx, FX_TABLE_RUN, 1);
	ck_assert(!fx_has(fx, FX_TABLE_RUN, 2));
	fx_start_gated(2, 1, true, "exit 0");
	kill_run(1);
	ck_assert_int_eq(fx_wait(fx, FX_EXITED, 2)->info.status, 0);
}
END_TEST

START_TEST(recall_of_a_run_changes_nothing)
{
	fx_start_gated(1, 1, true, "exec sleep 1000");
	fx_wait(fx, FX_STARTED, 1);
	recall(1);
	fx_settle(fx);
	ck_assert(!fx_has(fx, FX_FAILED, 1));
	ck_assert(!fx_has(fx, FX_EXITED, 1));
	kill_run(1);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

START_TEST(stop_of_one_that_waits_ends_it_unbegun)
{
	struct spawn_token t = fx_token(2);
	struct fx_event *e;

	occupy(1, 1);
	fx_start_gated(2, 1, true, "exit 0");
	ck_assert_int_eq(spawn_client_stop(fx->client, &t, SIGTERM, false, 0, NULL), 0);
	ck_assert_int_eq(spawn_client_flush(fx->client), 0);
	e = fx_wait(fx, FX_FAILED, 2);
	ck_assert_int_eq(e->info.error, ECANCELED);
	ck_assert(!spawn_run_was_recalled(&e->info));
	kill_run(1);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

/* the run has ended: told in the table, or since */
static int status_of(uint64_t id)
{
	struct fx_event *e = fx_wait(fx, FX_TABLE_RUN, id);

	if (e->info.state != SPAWN_RUN_EXITED)
		e = fx_wait(fx, FX_EXITED, id);
	return e->info.status;
}

START_TEST(those_that_wait_go_on_without_a_daemon)
{
	ck_assert_int_eq(mkfifo(fx_path(fx, "go"), 0600), 0);
	fx_start_gated(1, 1, false, "read -r x <go; exit 0");
	for (uint64_t id = 2; id <= 5; id++)
		fx_start_gated(id, 1, true, "exit 0");
	fx_settle(fx);
	fx_disconnect(fx);
	close(open(fx_path(fx, "go"), O_WRONLY));
	fx_connect(fx);
	for (uint64_t id = 1; id <= 5; id++)
		ck_assert_int_eq(status_of(id), 0);
}
END_TEST

static int collect_exits(
	const struct wire_hello *from, const struct spawn_run_info *info, void *arg)
{
	unsigned *n_never = arg;

	if (info && spawn_run_never_began(info))
		++*n_never;
	return 0;
}

START_TEST(a_spawner_that_is_told_to_stop_says_that_they_never_began)
{
	unsigned n_never = 0;
	int dir_fd;

	occupy(1, 1);
	fx_start_gated(2, 1, true, "exit 0");
	fx_start_gated(3, 1, true, "exit 0");
	fx_stop_spawner(fx, SIGTERM);
	dir_fd = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
	ck_assert_int_eq(spawn_exits_load(dir_fd, collect_exits, &n_never), 3);
	ck_assert_uint_eq(n_never, 2);
	close(dir_fd);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_gate", fx_setup, fx_teardown,
	start_ahead_waits_for_the_end_of_another,
	no_more_go_on_at_once_than_there_are_slots,
	runs_that_go_on_have_different_numbers, lowest_number_that_is_free_is_given,
	gates_do_not_concern_each_other, what_may_not_wait_begins_at_once,
	more_slots_let_those_through_that_wait, fewer_slots_hold_those_back_that_wait,
	recalled_start_is_gone_and_may_come_again, recall_of_a_run_changes_nothing,
	stop_of_one_that_waits_ends_it_unbegun, those_that_wait_go_on_without_a_daemon,
	a_spawner_that_is_told_to_stop_says_that_they_never_began)
