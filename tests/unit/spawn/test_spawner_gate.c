/* Starts ahead of a free slot, with a real spawner; and the file of claims. */
#include "config.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "spawn/claims.h"
#include "spawn/exits.h"
#include "spawner_fixture.h"
#include "tests/support/unit.h"

static struct fx *fx;

static void setup(void)
{
	fx = calloc(1, sizeof(*fx));
	ck_assert_ptr_nonnull(fx);
	fx_begin(fx);
}

static void teardown(void)
{
	fx_end(fx);
}

static struct spawn_request gated(
	uint64_t id, uint32_t slots, bool ahead, const char *line)
{
	struct spawn_request req = fx_request(id, line);

	req.cwd = fx->dir;
	req.gate = 7;
	req.gate_slots = slots;
	req.ahead = ahead;
	return req;
}

static void start(uint64_t id, uint32_t slots, bool ahead, const char *line)
{
	struct spawn_request req = gated(id, slots, ahead, line);

	fx_start(fx, &req);
}

/* takes a slot until it is killed: one that has not come to exec would fail instead of end */
static void occupy(uint64_t id, uint32_t slots)
{
	start(id, slots, false, "exec sleep 1000");
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
	start(2, 1, true, "exec sleep 1000");
	start(3, 1, true, "exit 0");
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
		start(id, 2, id > 2,
			"for i in 1 2; do if mkdir slot$i 2>/dev/null; then "
			"rmdir slot$i; exit 0; fi; done; exit 1");
	for (uint64_t id = 1; id <= 100; id++)
		ck_assert_int_eq(fx_wait(fx, FX_EXITED, id)->info.status, 0);
}
END_TEST

START_TEST(gates_do_not_concern_each_other)
{
	struct spawn_request req;

	occupy(1, 1);
	req = gated(2, 1, true, "exit 0");
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
	start(2, 1, false, "exit 0");
	fx_wait(fx, FX_EXITED, 2);
	kill_run(1);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

START_TEST(more_slots_let_those_through_that_wait)
{
	occupy(1, 1);
	start(2, 1, true, "exit 0");
	start(3, 2, true, "exit 0");
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
	start(3, 2, true, "exit 0");
	start(4, 1, true, "exit 0");
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
	start(2, 1, true, "exit 0");
	recall(2);
	e = fx_wait(fx, FX_FAILED, 2);
	ck_assert(spawn_run_was_recalled(&e->info));
	fx_disconnect(fx);
	fx_connect(fx);
	fx_wait(fx, FX_TABLE_RUN, 1);
	ck_assert(!fx_has(fx, FX_TABLE_RUN, 2));
	start(2, 1, true, "exit 0");
	kill_run(1);
	ck_assert_int_eq(fx_wait(fx, FX_EXITED, 2)->info.status, 0);
}
END_TEST

START_TEST(recall_of_a_run_changes_nothing)
{
	start(1, 1, true, "exec sleep 1000");
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
	start(2, 1, true, "exit 0");
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
	start(1, 1, false, "read -r x <go; exit 0");
	for (uint64_t id = 2; id <= 5; id++)
		start(id, 1, true, "exit 0");
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
	start(2, 1, true, "exit 0");
	start(3, 1, true, "exit 0");
	fx_stop_spawner(fx, SIGTERM);
	dir_fd = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
	ck_assert_int_eq(spawn_exits_load(dir_fd, collect_exits, &n_never), 3);
	ck_assert_uint_eq(n_never, 2);
	close(dir_fd);
}
END_TEST

/* -- claims ------------------------------------------------------------------------- */

struct seen {
	unsigned n_files;
	struct spawn_run_info runs[16];
	size_t n;
};

static int see(
	const char *instance, const struct spawn_run_info *runs, size_t n, void *arg)
{
	struct seen *s = arg;

	ck_assert_uint_eq(strlen(instance), SPAWN_ID_LEN);
	ck_assert_uint_le(n, 16);
	s->n_files++;
	memcpy(s->runs, runs, n * sizeof(*runs));
	s->n = n;
	return 0;
}

static void load(struct seen *s)
{
	int dir_fd = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(s, 0, sizeof(*s));
	ck_assert_int_ge(dir_fd, 0);
	ck_assert_int_eq(spawn_claims_load(dir_fd, see, s), 0);
	close(dir_fd);
}

static const struct spawn_run_info *find(const struct seen *s, uint64_t id)
{
	struct spawn_token t = fx_token(id);

	for (size_t i = 0; i < s->n; i++)
		if (spawn_token_equal(&s->runs[i].token, &t))
			return &s->runs[i];
	return NULL;
}

START_TEST(killed_spawner_leaves_what_it_began_and_how_that_ended)
{
	struct seen s;

	start(1, 2, false, "exit 3");
	fx_wait(fx, FX_EXITED, 1);
	occupy(2, 1);
	start(3, 1, true, "exit 0");
	fx_settle(fx);
	fx_stop_spawner(fx, SIGKILL);
	load(&s);
	ck_assert_uint_eq(s.n_files, 1);
	ck_assert_int_eq(find(&s, 1)->state, SPAWN_RUN_EXITED);
	ck_assert_int_eq(WEXITSTATUS(find(&s, 1)->status), 3);
	ck_assert_int_eq(find(&s, 2)->state, SPAWN_RUN_STARTING);
	ck_assert_ptr_null(find(&s, 3));
}
END_TEST

START_TEST(place_of_an_acknowledged_run_is_used_again)
{
	struct seen s;

	for (uint64_t id = 1; id <= 40; id++) {
		struct spawn_token t = fx_token(id);

		start(id, 1, false, "exit 0");
		fx_wait(fx, FX_EXITED, id);
		ck_assert_int_eq(spawn_client_ack(fx->client, &t), 0);
		fx_settle(fx);
	}
	load(&s);
	ck_assert_uint_eq(s.n, 1);
}
END_TEST

START_TEST(file_of_claims_goes_with_a_spawner_that_leaves)
{
	struct seen s;

	occupy(1, 1);
	fx_stop_spawner(fx, SIGTERM);
	load(&s);
	ck_assert_uint_eq(s.n_files, 0);
}
END_TEST

static void write_file(const char *name, const void *p, size_t n)
{
	int fd =
		open(fx_path(fx, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, p, n), 0);
	close(fd);
}

START_TEST(file_that_is_not_whole_says_nothing)
{
	static const char name[] = "claims.0123456789abcdef0123456789abcdef";
	char data[1024] = "reeve claims 1\n";
	struct seen s;

	fx_stop_spawner(fx, SIGTERM);
	write_file("claims.other", data, 256);
	write_file(name, data, 0);
	load(&s);
	ck_assert_uint_eq(s.n_files, 0);
	write_file(name, data, 256); /* nothing was begun */
	load(&s);
	ck_assert_uint_eq(s.n_files, 1);
	ck_assert_uint_eq(s.n, 0);
	write_file(name, data, 512); /* a place that was only reserved */
	load(&s);
	ck_assert_uint_eq(s.n_files, 1);
	ck_assert_uint_eq(s.n, 0);
	data[300] = 1; /* half a record */
	write_file(name, data, 512);
	load(&s);
	ck_assert_uint_eq(s.n_files, 0);
	data[0] = 'R';
	write_file(name, data, 256);
	load(&s);
	ck_assert_uint_eq(s.n_files, 0);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_gate", setup, teardown,
	start_ahead_waits_for_the_end_of_another,
	no_more_go_on_at_once_than_there_are_slots, gates_do_not_concern_each_other,
	what_may_not_wait_begins_at_once, more_slots_let_those_through_that_wait,
	fewer_slots_hold_those_back_that_wait,
	recalled_start_is_gone_and_may_come_again, recall_of_a_run_changes_nothing,
	stop_of_one_that_waits_ends_it_unbegun, those_that_wait_go_on_without_a_daemon,
	a_spawner_that_is_told_to_stop_says_that_they_never_began,
	killed_spawner_leaves_what_it_began_and_how_that_ended,
	place_of_an_acknowledged_run_is_used_again,
	file_of_claims_goes_with_a_spawner_that_leaves,
	file_that_is_not_whole_says_nothing)
