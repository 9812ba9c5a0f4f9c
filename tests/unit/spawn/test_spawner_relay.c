/* Runs that begin in the thread that saw another of their gate end, with a real spawner. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

static void setup(void)
{
	fx_setup();
	ck_assert_int_eq(mkfifo(fx_path(fx, "go"), 0600), 0);
}

static void start(uint64_t id, uint32_t slots, bool ahead, const char *line,
	enum spawn_leftovers leftovers)
{
	struct spawn_request req = fx_gated(id, slots, ahead, line);

	req.leftovers = leftovers;
	fx_start(fx, &req);
}

/* takes the only slot until somebody has opened the fifo */
static void hold(void)
{
	start(1, 1, false, "read -r x <go; exit 3", SPAWN_LEFTOVERS_KILL);
}

static void let_go(void)
{
	close(open(fx_path(fx, "go"), O_WRONLY));
}

START_TEST(they_begin_in_the_order_in_which_they_came)
{
	_cleanup_(buf_deinitp) struct buf expected = BUF_NULL;

	hold();
	for (uint64_t id = 2; id <= 60; id++) {
		char line[64];

		snprintf(line, sizeof(line), "echo %d >>order", (int)id);
		start(id, 1, true, line, SPAWN_LEFTOVERS_KILL);
		ck_assert_int_eq(buf_printf(&expected, "%d\n", (int)id), 0);
	}
	fx_settle(fx);
	let_go();
	for (uint64_t id = 2; id <= 60; id++)
		ck_assert_int_eq(fx_wait(fx, FX_EXITED, id)->info.status, 0);
	ck_assert_int_eq(buf_append(&expected, "", 1), 0);
	ck_assert_str_eq(fx_read(fx, "order"), buf_head(&expected));
}
END_TEST

/* each takes one of as many directories as there are slots, more than threads may stay */
START_TEST(many_slots_are_never_exceeded)
{
	const uint32_t slots = 20;

	for (uint64_t id = 1; id <= 100; id++)
		start(id, slots, id > slots,
			"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; "
			"do "
			"if mkdir slot$i 2>/dev/null; then rmdir slot$i; exit 0; fi; "
			"done; exit 1",
			SPAWN_LEFTOVERS_KILL);
	for (uint64_t id = 1; id <= 100; id++)
		ck_assert_int_eq(fx_wait(fx, FX_EXITED, id)->info.status, 0);
}
END_TEST

/* where in the file of ids the job stands, from 1 */
static long place_of(uint64_t id)
{
	_cleanup_(fclosep) FILE *f = fopen(fx_path(fx, "order"), "re");
	unsigned long long seen;

	ck_assert_ptr_nonnull(f);
	for (long n = 1; fscanf(f, "%llu", &seen) == 1; n++)
		if (seen == id)
			return n;
	ck_abort_msg("job %d did not run", (int)id);
}

static void start_that_notes_itself(uint64_t id, uint32_t slots, bool ahead)
{
	char line[64];

	snprintf(line, sizeof(line), "echo %d >>order", (int)id);
	start(id, slots, ahead, line, SPAWN_LEFTOVERS_KILL);
}

/* More slots than threads, so that some starts are queued while others are followed. */
START_TEST(what_is_queued_begins_before_anything_that_follows)
{
	const uint64_t n = 150, slots = 8, stranger = 1000;

	for (uint64_t id = 1; id <= n; id++) {
		start_that_notes_itself(id, (uint32_t)slots, id > slots);
		if (id == slots) { /* and one without a gate */
			struct spawn_request req =
				fx_request(stranger, "echo 1000 >>order");

			req.cwd = fx->dir;
			fx_start(fx, &req);
		}
	}
	for (uint64_t id = 1; id <= n; id++)
		fx_wait(fx, FX_EXITED, id);
	fx_wait(fx, FX_EXITED, stranger);
	/* each may be passed by those that run beside it, but not by all the rest */
	for (uint64_t id = 1; id <= slots; id++)
		ck_assert_int_le(place_of(id), 5 * (long)slots);
	ck_assert_int_le(place_of(stranger), 5 * (long)slots);
}
END_TEST

/* its slot is taken as long as something of it is there */
START_TEST(none_begins_before_what_another_left_has_ended)
{
	int left = fx_fifo(fx, "left");
	pid_t pid;

	start(1, 1, false, "sleep 1000 & echo $! >pid; echo $! >left",
		SPAWN_LEFTOVERS_WAIT);
	start(2, 1, true, "! kill -0 $(cat pid)", SPAWN_LEFTOVERS_KILL);
	pid = fx_wait(fx, FX_STARTED, 1)->info.pid;
	fx_wait_gone(pid);
	for (int i = 0; i < 200; i++)
		fx_settle(fx); /* time for what must not happen */
	ck_assert(!fx_has(fx, FX_STARTED, 2));
	ck_assert_int_eq(kill((pid_t)fx_fifo_number(left), SIGKILL), 0);
	fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(fx_wait(fx, FX_EXITED, 2)->info.status, 0);
	close(left);
}
END_TEST

START_TEST(one_that_fails_to_start_lets_the_next_through)
{
	struct spawn_request req = fx_request(2, "exit 0");

	hold();
	req.cwd = "/nonexistent";
	req.gate = 7;
	req.gate_slots = 1;
	req.ahead = true;
	fx_start(fx, &req);
	start(3, 1, true, "exit 5", SPAWN_LEFTOVERS_KILL);
	let_go();
	ck_assert_int_eq(fx_wait(fx, FX_FAILED, 2)->info.step, SPAWN_STEP_CHDIR);
	ck_assert_int_eq(WEXITSTATUS(fx_wait(fx, FX_EXITED, 3)->info.status), 5);
}
END_TEST

START_TEST(ends_say_what_was_used_and_when)
{
	struct fx_event *first, *second;

	hold();
	start(2, 1, true, "kill -9 $$", SPAWN_LEFTOVERS_KILL);
	let_go();
	first = fx_wait(fx, FX_EXITED, 1);
	second = fx_wait(fx, FX_EXITED, 2);
	ck_assert_int_eq(second->info.status, SIGKILL);
	ck_assert_int_gt(second->info.usage.maxrss_kib, 0);
	ck_assert_int_ge(second->info.started_boot, first->info.ended_boot);
	ck_assert_int_ge(second->info.ended_boot, second->info.started_boot);
	ck_assert_int_ge(second->info.ended_usec, second->info.started_usec);
}
END_TEST

/* What follows tells by itself that those before it have ended: nothing was waited for from
 * the spawner's loop. */
START_TEST(killed_spawner_leaves_all_that_followed)
{
	int last = fx_fifo(fx, "last");
	struct fx_claims c;
	pid_t pid;

	hold();
	start(2, 1, true, "exit 4", SPAWN_LEFTOVERS_KILL);
	start(3, 1, true, "kill -15 $$", SPAWN_LEFTOVERS_KILL);
	start(4, 1, true, "echo $$ >last; exec sleep 1000", SPAWN_LEFTOVERS_KILL);
	start(5, 1, true, "exit 0", SPAWN_LEFTOVERS_KILL);
	fx_settle(fx);
	let_go();
	pid = (pid_t)fx_fifo_number(last);
	close(last);
	fx_stop_spawner(fx, SIGKILL);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n, 4);
	ck_assert_int_eq(fx_find_claim(&c, 1)->state, SPAWN_RUN_EXITED);
	ck_assert_int_eq(WEXITSTATUS(fx_find_claim(&c, 1)->status), 3);
	ck_assert_int_eq(fx_find_claim(&c, 2)->state, SPAWN_RUN_EXITED);
	ck_assert_int_eq(WEXITSTATUS(fx_find_claim(&c, 2)->status), 4);
	ck_assert_int_eq(fx_find_claim(&c, 3)->state, SPAWN_RUN_EXITED);
	ck_assert_int_eq(WTERMSIG(fx_find_claim(&c, 3)->status), SIGTERM);
	ck_assert_int_eq(fx_find_claim(&c, 4)->state, SPAWN_RUN_STARTING);
	/* a starter does not know what was used: it was one that wrote this */
	ck_assert_int_eq(fx_find_claim(&c, 2)->usage.maxrss_kib, 0);
	ck_assert_int_eq(fx_find_claim(&c, 3)->usage.maxrss_kib, 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_relay", setup, fx_teardown,
	they_begin_in_the_order_in_which_they_came, many_slots_are_never_exceeded,
	what_is_queued_begins_before_anything_that_follows,
	none_begins_before_what_another_left_has_ended,
	one_that_fails_to_start_lets_the_next_through, ends_say_what_was_used_and_when,
	killed_spawner_leaves_all_that_followed)
