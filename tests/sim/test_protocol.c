#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "tests/sim/protocol.h"

static const struct broken nothing;

static struct outcome expect_safe_within(const struct bounds *b)
{
	struct outcome o = explore(b, &nothing);

	printf("%d jobs, %d deaths of reeved, %d of the spawner, %d drops, %d stops: "
	       "%zu states\n",
		b->n_jobs, b->reeved_deaths, b->spawner_deaths, b->drops, b->stops,
		o.n_states);
	ck_assert_msg(!o.violation, "%s", o.violation);
	return o;
}

static struct outcome expect_safe(
	int n_jobs, int reeved_deaths, int spawner_deaths, int drops)
{
	return expect_safe_within(
		&(struct bounds){n_jobs, reeved_deaths, spawner_deaths, drops, 0});
}

static void expect_violation(const struct bounds *b, const struct broken *broken)
{
	struct outcome o = explore(b, broken);

	printf("%zu states: %s\n", o.n_states, o.violation ? o.violation : "nothing");
	ck_assert_ptr_nonnull(o.violation);
}

START_TEST(without_deaths_two_jobs_run_once_and_end)
{
	struct outcome o = expect_safe(2, 0, 0, 0);

	ck_assert(!o.some_lost);
}
END_TEST

START_TEST(deaths_of_reeved_lose_nothing)
{
	struct outcome o = expect_safe(2, 2, 0, 0);

	ck_assert(!o.some_lost);
}
END_TEST

START_TEST(broken_connections_lose_nothing)
{
	struct outcome o = expect_safe(2, 1, 0, 1);

	ck_assert(!o.some_lost);
}
END_TEST

START_TEST(deaths_of_the_spawner_lose_only_what_nobody_can_know)
{
	struct outcome o = expect_safe(2, 0, 2, 0);

	ck_assert(o.some_lost); /* else the model does not know this case */
}
END_TEST

START_TEST(deaths_of_both_are_survived)
{
	expect_safe(2, 1, 1, 0);
	expect_safe(1, 2, 2, 1);
	expect_safe(2, 2, 2, 0);
}
END_TEST

START_TEST(a_spawner_that_is_told_to_stop_loses_nothing)
{
	ck_assert(!expect_safe_within(&(struct bounds){2, 0, 0, 0, 2}).some_lost);
	ck_assert(!expect_safe_within(&(struct bounds){2, 1, 0, 0, 1}).some_lost);
	ck_assert(!expect_safe_within(&(struct bounds){1, 1, 0, 1, 2}).some_lost);
	expect_safe_within(&(struct bounds){1, 1, 1, 1, 1});
	expect_safe_within(&(struct bounds){2, 1, 1, 0, 1});
}
END_TEST

/* one slot for two jobs: the other waits with the spawner, and may be taken back */
START_TEST(starting_ahead_loses_nothing_and_keeps_the_slots)
{
	ck_assert(!expect_safe_within(&(struct bounds){2, 0, 0, 0, 0, 1, 2}).some_lost);
	ck_assert(!expect_safe_within(&(struct bounds){2, 1, 0, 0, 0, 1, 1}).some_lost);
	ck_assert(!expect_safe_within(&(struct bounds){2, 0, 0, 1, 0, 1, 1}).some_lost);
	ck_assert(!expect_safe_within(&(struct bounds){2, 0, 0, 0, 1, 1, 1}).some_lost);
	ck_assert(expect_safe_within(&(struct bounds){2, 0, 1, 0, 0, 1, 1}).some_lost);
	expect_safe_within(&(struct bounds){2, 1, 1, 0, 0, 1, 1});
	expect_safe_within(&(struct bounds){1, 1, 1, 1, 1, 1, 2});
}
END_TEST

/* ---- each rule is needed --------------------------------------------------------- */

START_TEST(accepting_before_the_old_connection_is_read_is_noticed)
{
	expect_violation(&(struct bounds){1, 1, 0, 0},
		&(struct broken){.accept_before_read = true});
}
END_TEST

START_TEST(spawning_before_the_commit_is_noticed)
{
	expect_violation(&(struct bounds){1, 1, 0, 0},
		&(struct broken){.spawn_before_commit = true});
}
END_TEST

START_TEST(acknowledging_before_the_commit_is_noticed)
{
	expect_violation(&(struct bounds){1, 1, 0, 0},
		&(struct broken){.ack_before_commit = true});
}
END_TEST

START_TEST(acknowledging_a_row_whose_end_is_being_recorded_is_noticed)
{
	expect_violation(
		&(struct bounds){1, 1, 0, 1}, &(struct broken){.ack_unseen = true});
}
END_TEST

START_TEST(starting_without_a_look_at_the_token_is_noticed)
{
	/* alone it does no harm: it is what is left when the order of reading is wrong
	 */
	expect_violation(&(struct bounds){1, 1, 0, 0},
		&(struct broken){.no_token_check = true, .accept_before_read = true});
}
END_TEST

START_TEST(a_spawner_that_leaves_without_a_trace_is_noticed)
{
	expect_violation(&(struct bounds){1, 1, 0, 0},
		&(struct broken){.leaves_without_trace = true});
}
END_TEST

START_TEST(starting_again_what_another_spawner_had_is_noticed)
{
	expect_violation(
		&(struct bounds){1, 0, 1, 0}, &(struct broken){.restart_lost = true});
}
END_TEST

START_TEST(ends_that_an_earlier_spawner_wrote_down_are_noticed)
{
	expect_violation(&(struct bounds){1, 0, 1, 0, 1},
		&(struct broken){.ends_of_any_spawner = true});
}
END_TEST

START_TEST(failing_what_a_stopping_spawner_takes_back_is_noticed)
{
	expect_violation(&(struct bounds){1, 0, 0, 0, 1},
		&(struct broken){.failed_by_stop = true});
}
END_TEST

START_TEST(writing_a_claim_after_the_start_is_noticed)
{
	expect_violation(&(struct bounds){1, 0, 1, 0},
		&(struct broken){.claim_after_start = true});
}
END_TEST

START_TEST(taking_back_what_was_begun_is_noticed)
{
	expect_violation(&(struct bounds){1, 0, 0, 0, 0, 1, 1},
		&(struct broken){.recall_begun = true});
}
END_TEST

START_TEST(a_spawner_without_a_gate_is_noticed)
{
	expect_violation(&(struct bounds){2, 0, 0, 0, 0, 1, 0},
		&(struct broken){.no_gate = true});
}
END_TEST

START_TEST(taking_a_recall_for_done_before_its_answer_is_noticed)
{
	expect_violation(&(struct bounds){1, 0, 0, 0, 0, 1, 1},
		&(struct broken){.forgets_without_answer = true});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("protocol");
	TCase *safe = tcase_create("kept"), *unsafe = tcase_create("broken");
	SRunner *sr;
	int failed;

	tcase_set_timeout(safe, 300);
	tcase_add_test(safe, without_deaths_two_jobs_run_once_and_end);
	tcase_add_test(safe, deaths_of_reeved_lose_nothing);
	tcase_add_test(safe, broken_connections_lose_nothing);
	tcase_add_test(safe, deaths_of_the_spawner_lose_only_what_nobody_can_know);
	tcase_add_test(safe, deaths_of_both_are_survived);
	tcase_add_test(safe, a_spawner_that_is_told_to_stop_loses_nothing);
	tcase_add_test(safe, starting_ahead_loses_nothing_and_keeps_the_slots);
	tcase_add_test(unsafe, writing_a_claim_after_the_start_is_noticed);
	tcase_add_test(unsafe, taking_back_what_was_begun_is_noticed);
	tcase_add_test(unsafe, a_spawner_without_a_gate_is_noticed);
	tcase_add_test(unsafe, taking_a_recall_for_done_before_its_answer_is_noticed);
	tcase_add_test(unsafe, accepting_before_the_old_connection_is_read_is_noticed);
	tcase_add_test(unsafe, spawning_before_the_commit_is_noticed);
	tcase_add_test(unsafe, acknowledging_before_the_commit_is_noticed);
	tcase_add_test(
		unsafe, acknowledging_a_row_whose_end_is_being_recorded_is_noticed);
	tcase_add_test(unsafe, starting_without_a_look_at_the_token_is_noticed);
	tcase_add_test(unsafe, a_spawner_that_leaves_without_a_trace_is_noticed);
	tcase_add_test(unsafe, starting_again_what_another_spawner_had_is_noticed);
	tcase_add_test(unsafe, ends_that_an_earlier_spawner_wrote_down_are_noticed);
	tcase_add_test(unsafe, failing_what_a_stopping_spawner_takes_back_is_noticed);
	suite_add_tcase(suite, safe);
	suite_add_tcase(suite, unsafe);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
