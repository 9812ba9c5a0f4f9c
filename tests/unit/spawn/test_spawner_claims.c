/* The file of claims, as a real spawner leaves it. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

/* the spawner's files become no longer, as on a full disk; its runs have the same limit */
static void limit_files(rlim_t size_max)
{
	struct rlimit rl;

	ck_assert_int_eq(prlimit(fx->spawner, RLIMIT_FSIZE, NULL, &rl), 0);
	rl.rlim_cur = MIN(size_max, rl.rlim_max);
	ck_assert_int_eq(prlimit(fx->spawner, RLIMIT_FSIZE, &rl, NULL), 0);
}

static void teardown(void)
{
	if (fx->spawner > 0)
		limit_files(RLIM_INFINITY); /* the exits are written at the end */
	fx_teardown();
}

/* takes a slot until it is killed: one that has not come to exec would fail instead of end */
static pid_t occupy(uint64_t id, uint32_t slots)
{
	fx_start_gated(id, slots, false, "exec sleep 1000");
	return fx_wait(fx, FX_STARTED, id)->info.pid;
}

START_TEST(killed_spawner_leaves_what_it_began_and_how_that_ended)
{
	struct fx_claims c;
	pid_t pid;

	fx_start_gated(1, 2, false, "exit 3");
	fx_wait(fx, FX_EXITED, 1);
	pid = occupy(2, 1);
	fx_start_gated(3, 1, true, "exit 0");
	fx_settle(fx);
	fx_stop_spawner(fx, SIGKILL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 1);
	ck_assert_int_eq(fx_find_claim(&c, 1)->state, SPAWN_RUN_EXITED);
	ck_assert_int_eq(WEXITSTATUS(fx_find_claim(&c, 1)->status), 3);
	ck_assert_int_eq(fx_find_claim(&c, 2)->state, SPAWN_RUN_STARTING);
	ck_assert_ptr_null(fx_find_claim(&c, 3));
}
END_TEST

START_TEST(place_of_an_acknowledged_run_is_used_again)
{
	struct fx_claims c;

	for (uint64_t id = 1; id <= 40; id++) {
		fx_start_gated(id, 1, false, "exit 0");
		fx_wait(fx, FX_EXITED, id);
		fx_ack(id);
		fx_settle(fx);
	}
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n, 1);
}
END_TEST

START_TEST(file_of_claims_goes_with_a_spawner_that_leaves)
{
	struct fx_claims c;

	occupy(1, 1);
	fx_stop_spawner(fx, SIGTERM);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 0);
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
	struct fx_claims c;

	fx_stop_spawner(fx, SIGTERM);
	write_file("claims.other", data, 256);
	write_file(name, data, 0);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 0);
	write_file(name, data, 256); /* nothing was begun */
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 1);
	ck_assert_uint_eq(c.n, 0);
	write_file(name, data, 512); /* a place that was only reserved */
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 1);
	ck_assert_uint_eq(c.n, 0);
	data[300] = 1; /* half a record */
	write_file(name, data, 512);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 0);
	data[0] = 'R';
	write_file(name, data, 256);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 0);
}
END_TEST

/* -- a claim that cannot be written -------------------------------------------------- */

/* so many can be written; the file begins with as much as one of them takes */
static void limit_places(rlim_t n)
{
	limit_files((1 + n) * 256);
}

/* notes itself; ends with 0 where there is a file of claims */
static void start_that_looks(uint64_t id)
{
	char line[64];

	snprintf(line, sizeof(line), "echo %d >>order; test -e claims.*", (int)id);
	fx_start_gated(id, 1, true, line);
}

static bool sees_file(uint64_t id)
{
	int status = fx_wait(fx, FX_EXITED, id)->info.status;

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0;
}

/* the slot is taken until let_go */
static void hold(void)
{
	ck_assert_int_eq(mkfifo(fx_path(fx, "go"), 0600), 0);
	fx_start_gated(1, 1, false, "read -r x <go; exit 3");
}

static void let_go(void)
{
	close(open(fx_path(fx, "go"), O_WRONLY));
}

START_TEST(file_is_gone_before_a_run_begins_that_is_not_in_it)
{
	limit_places(1);
	start_that_looks(1); /* keeps its place */
	ck_assert(sees_file(1));
	start_that_looks(2);
	ck_assert(!sees_file(2));
	start_that_looks(3); /* and is not made again */
	ck_assert(!sees_file(3));
}
END_TEST

START_TEST(runs_follow_each_other_without_claims)
{
	_cleanup_(buf_deinitp) struct buf expected = BUF_NULL;

	limit_places(5);
	hold();
	for (uint64_t id = 2; id <= 40; id++) {
		start_that_looks(id);
		ck_assert_int_eq(buf_printf(&expected, "%d\n", (int)id), 0);
	}
	fx_settle(fx);
	let_go();
	for (uint64_t id = 2; id <= 40; id++)
		ck_assert_int_eq(sees_file(id), id <= 5);
	/* each of them, and none twice */
	ck_assert_int_eq(buf_append(&expected, "", 1), 0);
	ck_assert_str_eq(fx_read(fx, "order"), buf_head(&expected));
}
END_TEST

/* the end of a run needs no new place, but a disk that was full when it began may be so still */
START_TEST(end_that_cannot_be_written_is_told_all_the_same)
{
	hold();
	fx_settle(fx);
	limit_places(0);
	let_go();
	ck_assert_int_eq(WEXITSTATUS(fx_wait(fx, FX_EXITED, 1)->info.status), 3);
	start_that_looks(2);
	ck_assert(!sees_file(2));
}
END_TEST

#ifdef REEVE_FAILPOINTS
/* Killed when the file is gone and nobody has seen yet that none is kept: nothing is left from
 * which it would follow that the next run, or any that others begin, never began. */
START_TEST(nothing_is_concluded_after_a_kill_where_the_file_is_removed)
{
	struct fx_claims c;

	fx_disconnect(fx);
	fx_stop_spawner(fx, SIGTERM);
	ck_assert_int_eq(
		setenv("REEVE_FAILPOINT", "spawner-claims-removed:stop", 1), 0);
	fx_begin(fx);
	ck_assert_int_eq(unsetenv("REEVE_FAILPOINT"), 0);
	limit_places(3);
	hold();
	for (uint64_t id = 2; id <= 10; id++)
		start_that_looks(id);
	fx_settle(fx);
	let_go();
	ck_assert_int_eq(waitpid(fx->spawner, NULL, WUNTRACED), fx->spawner);
	fx_disconnect(fx);
	fx_stop_spawner(fx, SIGKILL);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 0);
	ck_assert_str_eq(fx_read(fx, "order"), "2\n3\n");

	fx_begin(fx);
	fx_load_claims(&c);
	ck_assert_uint_eq(c.n_files, 1);
	ck_assert_uint_eq(c.n, 0);
}
END_TEST
#else
START_TEST(nothing_is_concluded_after_a_kill_where_the_file_is_removed)
{
	printf("built without failpoints: not tested\n");
}
END_TEST
#endif

UNIT_MAIN_FIXTURE("spawner_claims", fx_setup, teardown,
	killed_spawner_leaves_what_it_began_and_how_that_ended,
	place_of_an_acknowledged_run_is_used_again,
	file_of_claims_goes_with_a_spawner_that_leaves,
	file_that_is_not_whole_says_nothing,
	file_is_gone_before_a_run_begins_that_is_not_in_it,
	runs_follow_each_other_without_claims,
	end_that_cannot_be_written_is_told_all_the_same,
	nothing_is_concluded_after_a_kill_where_the_file_is_removed)
