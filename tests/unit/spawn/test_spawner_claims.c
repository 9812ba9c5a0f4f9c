/* The file of claims, as a real spawner leaves it. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

/* takes a slot until it is killed: one that has not come to exec would fail instead of end */
static void occupy(uint64_t id, uint32_t slots)
{
	fx_start_gated(id, slots, false, "exec sleep 1000");
	fx_wait(fx, FX_STARTED, id);
}

START_TEST(killed_spawner_leaves_what_it_began_and_how_that_ended)
{
	struct fx_claims c;

	fx_start_gated(1, 2, false, "exit 3");
	fx_wait(fx, FX_EXITED, 1);
	occupy(2, 1);
	fx_start_gated(3, 1, true, "exit 0");
	fx_settle(fx);
	fx_stop_spawner(fx, SIGKILL);
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

UNIT_MAIN_FIXTURE("spawner_claims", fx_setup, fx_teardown,
	killed_spawner_leaves_what_it_began_and_how_that_ended,
	place_of_an_acknowledged_run_is_used_again,
	file_of_claims_goes_with_a_spawner_that_leaves,
	file_that_is_not_whole_says_nothing)
