#include "base/clock.h"
#include "tests/unit/sched/fixture.h"

static struct admission a;
static struct toy toys[64];

static void setup(void)
{
	ck_assert_int_eq(admission_init(&a, toy_before), 0);
	memset(toys, 0, sizeof(toys));
	for (unsigned i = 0; i < ARRAY_LEN(toys); i++)
		toys[i].id = i;
}

static void teardown(void)
{
	for (size_t i = 0; i < ARRAY_LEN(toys); i++)
		if (toys[i].demand)
			toy_drop(&a, &toys[i]);
	admission_deinit(&a);
}

/* one slot of pool "p" */
static const struct demand_spec light = {.pools = "p", .slots = 1};

static void add_light(unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		toy_add(&a, &toys[i], &light);
}

static void expect_why(unsigned id, const char *text)
{
	struct buf b = BUF_NULL;

	ck_assert_int_eq(demand_explain(toys[id].demand, RV_SEC(1), &b), 0);
	ck_assert_uint_eq(buf_len(&b), strlen(text));
	ck_assert_mem_eq(buf_head(&b), text, strlen(text));
	buf_deinit(&b);
}

START_TEST(first_in_order_start_while_there_are_slots)
{
	give_slots(&a, "p", 2);
	toys[3].priority = 5;
	add_light(1, 4);
	ck_assert_str_eq(toy_pass(&a, 1), "3 1 ");
	ck_assert_str_eq(toy_pass(&a, 1), "");
	toy_end(&a, &toys[3]);
	ck_assert_str_eq(toy_pass(&a, 1), "2 ");
}
END_TEST

START_TEST(heavy_job_is_not_starved_by_light_ones)
{
	give_slots(&a, "p", 4);
	add_light(1, 3);
	ck_assert_str_eq(toy_pass(&a, 1), "1 2 3 ");
	toy_add(&a, &toys[4], &(struct demand_spec){.pools = "p", .slots = 4});
	add_light(5, 9);
	ck_assert_str_eq(toy_pass(&a, 1), "");
	expect_why(5, "the free slots of pool 'p' are kept for jobs before it");
	expect_why(4, "pool 'p' has 3 of 4 slots taken");
	for (unsigned i = 1; i <= 2; i++) {
		toy_end(&a, &toys[i]);
		ck_assert_str_eq(toy_pass(&a, 1), "");
	}
	toy_end(&a, &toys[3]);
	ck_assert_str_eq(toy_pass(&a, 1), "4 ");
	toy_end(&a, &toys[4]);
	ck_assert_str_eq(toy_pass(&a, 1), "5 6 7 8 ");
}
END_TEST

/* eight times that is more than a number can hold */
#define MEMORY_HUGE (INT64_C(1) << 60)

START_TEST(huge_amounts_are_kept_without_overflow)
{
	struct demand_spec huge = {.pools = "p", .slots = 1, .memory = MEMORY_HUGE};

	give_slots(&a, "p", 16);
	for (unsigned i = 1; i <= 10; i++)
		toy_add(&a, &toys[i], &huge);
	huge.slots = 2;
	for (unsigned i = 11; i <= 12; i++)
		toy_add(&a, &toys[i], &huge);
	toy_add(&a, &toys[13],
		&(struct demand_spec){.pools = "p", .slots = 1, .memory = 10});
	ck_assert_str_eq(toy_pass(&a, 1), "1 2 3 4 5 6 7 ");
	expect_why(13, "what is free of memory-max is kept for jobs before it");
	toy_end(&a, &toys[1]);
	ck_assert_str_eq(toy_pass(&a, 1), "8 ");
	for (unsigned i = 2; i <= 8; i++)
		toy_end(&a, &toys[i]);
	ck_assert_str_eq(toy_pass(&a, 1), "9 10 11 12 13 ");
}
END_TEST

START_TEST(forced_job_waits_for_what_cannot_be_counted)
{
	struct demand_spec huge = {
		.pools = "p", .slots = 1, .memory = MEMORY_HUGE, .forced = true};

	give_slots(&a, "p", 1);
	for (unsigned i = 1; i <= 9; i++)
		toy_add(&a, &toys[i], &huge);
	toy_add(&a, &toys[10],
		&(struct demand_spec){.pools = "p", .slots = 1, .forced = true});
	ck_assert_str_eq(toy_pass(&a, 1), "1 2 3 4 5 6 7 10 ");
	expect_why(8,
		"pool 'p' has 8 of 1 slots taken, and it reserves 1152921504606846976 "
		"bytes of memory, and 8070450532247928832 of 9223372036854775807 are "
		"taken (memory-max)");
	toy_end(&a, &toys[3]);
	ck_assert_str_eq(toy_pass(&a, 1), "8 ");
}
END_TEST

START_TEST(pools_that_are_gone_and_unused_are_forgotten)
{
	give_slots(&a, "other", 1);
	give_slots(&a, "p", 1);
	give_slots(&a, "q", 1);
	add_light(1, 1);
	admission_find_pool(&a, "p")->gone = true;
	admission_find_pool(&a, "other")->gone = true;
	admission_forget_gone(&a);
	ck_assert_uint_eq(a.n_pools, 2);
	ck_assert_ptr_null(admission_find_pool(&a, "other"));
	toy_drop(&a, &toys[1]);
	admission_forget_gone(&a);
	ck_assert_uint_eq(a.n_pools, 1);
	ck_assert_str_eq(a.pools[0]->name, "q");
}
END_TEST

START_TEST(light_jobs_before_a_heavy_one_go_first)
{
	give_slots(&a, "p", 2);
	toys[4].priority = 1;
	toy_add(&a, &toys[3], &(struct demand_spec){.pools = "p", .slots = 2});
	add_light(4, 5);
	ck_assert_str_eq(toy_pass(&a, 1), "4 ");
	toy_end(&a, &toys[4]);
	ck_assert_str_eq(toy_pass(&a, 1), "3 ");
}
END_TEST

START_TEST(waiting_for_a_resource_keeps_no_slot)
{
	struct demand_spec needs = {.pools = "p", .slots = 1, .needs = "gpu=1"};

	give_slots(&a, "p", 2);
	give_resource(&a, "gpu", 1);
	toy_add(&a, &toys[1], &needs);
	toy_add(&a, &toys[2], &needs);
	toy_add(&a, &toys[3], &light);
	ck_assert_str_eq(toy_pass(&a, 1), "1 3 ");
	ck_assert_str_eq(toy_pass(&a, 1), "");
	expect_why(2, "pool 'p' has 2 of 2 slots taken, and it needs 1 of resource "
		      "'gpu', of which 1 of 1 is taken");
	ck_assert_str_eq(toy_pass(&a, 1), "");
	toy_add(&a, &toys[4], &light);
	toy_end(&a, &toys[3]);
	ck_assert_str_eq(toy_pass(&a, 1), "4 ");
}
END_TEST

START_TEST(resource_is_kept_while_a_slot_is_waited_for)
{
	struct demand_spec needs = {.pools = "p", .slots = 1, .needs = "gpu=1"};
	struct demand_spec elsewhere = {.pools = "q", .slots = 1, .needs = "gpu=1"};

	give_slots(&a, "p", 1);
	give_slots(&a, "q", 1);
	give_resource(&a, "gpu", 1);
	add_light(1, 1);
	ck_assert_str_eq(toy_pass(&a, 1), "1 ");
	toy_add(&a, &toys[2], &needs);
	toy_add(&a, &toys[3], &elsewhere);
	ck_assert_str_eq(toy_pass(&a, 1), "");
	expect_why(3, "resource 'gpu' is kept for jobs before it");
	toy_end(&a, &toys[1]);
	ck_assert_str_eq(toy_pass(&a, 1), "2 ");
}
END_TEST

START_TEST(slot_is_not_idle_for_a_job_that_lacks_a_resource)
{
	struct demand_spec needs = {.pools = "p", .slots = 1, .needs = "gpu=1"};

	give_slots(&a, "p", 3);
	give_resource(&a, "gpu", 1);
	toy_add(&a, &toys[1], &needs);
	toy_add(&a, &toys[2], &needs);
	toy_add(&a, &toys[3], &light);
	ck_assert_str_eq(toy_pass(&a, 1), "1 3 ");
	toy_add(&a, &toys[4], &light);
	ck_assert_str_eq(toy_pass(&a, 1), "4 ");
}
END_TEST

START_TEST(what_asks_for_more_than_there_is_keeps_nothing)
{
	struct buf b = BUF_NULL;

	give_slots(&a, "p", 2);
	toy_add(&a, &toys[1], &(struct demand_spec){.pools = "p", .slots = 3});
	add_light(2, 3);
	ck_assert_str_eq(toy_pass(&a, 1), "2 3 ");
	ck_assert_int_eq(demand_explain_excess(toys[1].demand, &b), 0);
	ck_assert_int_eq(buf_append_byte(&b, 0), 0);
	ck_assert_str_eq(buf_head(&b), "it asks for 3 slots of pool 'p', which has 2");
	buf_deinit(&b);
	give_slots(&a, "p", 5);
	ck_assert_str_eq(toy_pass(&a, 1), "1 ");
}
END_TEST

START_TEST(paused_pool_starts_nothing_and_keeps_nothing)
{
	struct pool *p = give_slots(&a, "p", 2);

	give_slots(&a, "q", 1);
	give_resource(&a, "gpu", 1);
	p->paused = true;
	toy_add(&a, &toys[1],
		&(struct demand_spec){.pools = "p", .slots = 1, .needs = "gpu=1"});
	toy_add(&a, &toys[2],
		&(struct demand_spec){.pools = "q", .slots = 1, .needs = "gpu=1"});
	ck_assert_str_eq(toy_pass(&a, 1), "2 ");
	ck_assert_str_eq(toy_pass(&a, 1), "");
	expect_why(1, "pool 'p' is paused: reeve pool resume p, and it needs 1 of "
		      "resource 'gpu', of which 1 of 1 is taken");
	toy_end(&a, &toys[2]);
	p->paused = false;
	ck_assert_str_eq(toy_pass(&a, 1), "1 ");
}
END_TEST

/* services, of which so many are being started */
START_TEST(held_demands_start_nothing_and_keep_what_all_of_them_can_use)
{
	struct demand_spec service = {.pools = "p", .slots = 2, .punctual = true};

	give_slots(&a, "p", 6);
	a.punctual_held = true;
	toy_add(&a, &toys[1], &service);
	toy_add(&a, &toys[2], &service);
	add_light(3, 6);
	ck_assert_str_eq(toy_pass(&a, 1), "3 4 ");
	expect_why(1, "");
	expect_why(5, "the free slots of pool 'p' are kept for jobs before it");
	a.punctual_held = false;
	ck_assert_str_eq(toy_pass(&a, 1), "1 2 ");
}
END_TEST

/* in the course of a pass: what is beside them in their pool does not wait */
START_TEST(demands_may_be_held_in_the_course_of_a_pass)
{
	struct demand_spec service = {.pools = "p", .slots = 1, .punctual = true};
	struct admitted x;

	give_slots(&a, "p", 9);
	for (unsigned i = 1; i <= 3; i++)
		toy_add(&a, &toys[i], &service);
	add_light(4, 4);
	admission_begin(&a);
	ck_assert(admission_next(&a, 1, &x));
	ck_assert_ptr_eq(x.demand, toys[1].demand);
	a.punctual_held = true;
	ck_assert(admission_next(&a, 1, &x));
	ck_assert_ptr_eq(x.demand, toys[4].demand);
	ck_assert(!admission_next(&a, 1, &x));
	a.punctual_held = false;
	ck_assert_str_eq(toy_pass(&a, 1), "2 3 ");
}
END_TEST

START_TEST(held_demands_keep_huge_amounts_without_overflow)
{
	struct demand_spec huge = {
		.pools = "p", .slots = 1, .memory = MEMORY_HUGE, .punctual = true};

	give_slots(&a, "p", 9);
	a.memory.max = MEMORY_HUGE;
	a.punctual_held = true;
	for (unsigned i = 1; i <= 9; i++)
		toy_add(&a, &toys[i], &huge);
	ck_assert_str_eq(toy_pass(&a, 1), "");
	ck_assert_int_eq(a.memory.claimed, INT64_MAX);
	a.punctual_held = false;
	ck_assert_str_eq(toy_pass(&a, 1), "1 ");
}
END_TEST

START_TEST(both_pools_have_to_have_a_slot)
{
	struct demand_spec both = {.pools = "p,q", .slots = 1};

	give_slots(&a, "p", 2);
	give_slots(&a, "q", 1);
	toy_add(&a, &toys[1], &both);
	toy_add(&a, &toys[2], &both);
	ck_assert_str_eq(toy_pass(&a, 1), "1 ");
	expect_why(2, "pool 'q' has 1 of 1 slots taken");
	toy_add(&a, &toys[3], &light);
	ck_assert_str_eq(toy_pass(&a, 1), "3 ");
	toy_end(&a, &toys[1]);
	ck_assert_str_eq(toy_pass(&a, 1), "2 ");
}
END_TEST

START_TEST(either_pool_will_do)
{
	struct demand_spec either = {.pools = "p|q", .slots = 1};

	give_slots(&a, "p", 1);
	give_slots(&a, "q", 1);
	for (unsigned i = 1; i <= 3; i++)
		toy_add(&a, &toys[i], &either);
	ck_assert_str_eq(toy_pass(&a, 1), "1 2 ");
	ck_assert_uint_eq(toys[1].way, 0);
	ck_assert_uint_eq(toys[2].way, 1);
	toy_end(&a, &toys[2]);
	ck_assert_str_eq(toy_pass(&a, 1), "3 ");
	ck_assert_uint_eq(toys[3].way, 1);
}
END_TEST

START_TEST(machine_has_a_limit_over_all_pools)
{
	give_slots(&a, "p", 5);
	give_slots(&a, "q", 5);
	a.slots.max = 3;
	toy_add(&a, &toys[1], &(struct demand_spec){.pools = "q", .slots = 2});
	add_light(2, 4);
	ck_assert_str_eq(toy_pass(&a, 1), "1 2 ");
	expect_why(3, "3 of 3 slots of all pools are taken (slots-max)");
	toy_end(&a, &toys[1]);
	ck_assert_str_eq(toy_pass(&a, 1), "3 4 ");
}
END_TEST

START_TEST(memory_is_reserved)
{
	struct demand_spec big = {.pools = "p", .slots = 1, .memory = 600};

	give_slots(&a, "p", 5);
	a.memory.max = 1000;
	toy_add(&a, &toys[1], &big);
	toy_add(&a, &toys[2], &big);
	toy_add(&a, &toys[3], &light);
	ck_assert_str_eq(toy_pass(&a, 1), "1 3 ");
	toy_end(&a, &toys[1]);
	ck_assert_str_eq(toy_pass(&a, 1), "2 ");
}
END_TEST

START_TEST(forced_job_starts_past_all_limits)
{
	struct demand_spec forced = light;
	struct pool *p = give_slots(&a, "p", 1);

	forced.forced = true;
	add_light(1, 2);
	toy_add(&a, &toys[3], &forced);
	ck_assert_str_eq(toy_pass(&a, 1), "1 3 ");
	ck_assert_int_eq(p->slots.taken, 2);
	toy_end(&a, &toys[1]);
	ck_assert_str_eq(toy_pass(&a, 1), "");
	toy_end(&a, &toys[3]);
	ck_assert_str_eq(toy_pass(&a, 1), "2 ");
}
END_TEST

START_TEST(rate_limits_starts_and_says_when_to_look_again)
{
	struct pool *p = give_slots(&a, "p", 10);

	ck_assert_int_eq(rate_set(&p->rate, 2, RV_SEC(60)), 0);
	add_light(1, 5);
	ck_assert_str_eq(toy_pass(&a, RV_SEC(1)), "1 2 ");
	ck_assert_int_eq(a.look_at, RV_SEC(61));
	expect_why(3, "pool 'p' has had its 2 starts in 60 s (rate), the next is in "
		      "60.00 s");
	ck_assert_str_eq(toy_pass(&a, RV_SEC(60)), "");
	ck_assert_str_eq(toy_pass(&a, RV_SEC(61)), "3 4 ");
}
END_TEST

START_TEST(functions_take_no_slots)
{
	struct pool *p = give_slots(&a, "p", 1);
	struct demand_spec function = {.pools = "p", .slots = 1, .function = true};

	p->functions.max = 2;
	add_light(1, 1);
	for (unsigned i = 2; i <= 4; i++)
		toy_add(&a, &toys[i], &function);
	ck_assert_str_eq(toy_pass(&a, 1), "1 2 3 ");
	expect_why(4, "in pool 'p' 2 of 2 functions go on (functions-max)");
}
END_TEST

START_TEST(short_runs_start_ahead_up_to_those_that_need_more)
{
	struct pool *p = give_slots(&a, "p", 1);

	for (int i = 0; i < 50; i++)
		pool_note_run(p, 1000);
	add_light(1, 3);
	give_resource(&a, "gpu", 1);
	toy_add(&a, &toys[4],
		&(struct demand_spec){.pools = "p", .slots = 1, .needs = "gpu=1"});
	add_light(5, 6);
	ck_assert_str_eq(toy_pass(&a, 1), "1 2+ 3+ ");
}
END_TEST

START_TEST(punctual_one_waits_for_its_slot)
{
	struct pool *p = give_slots(&a, "p", 1);
	struct demand_spec punctual = {.pools = "p", .slots = 1, .punctual = true};

	for (int i = 0; i < 50; i++)
		pool_note_run(p, 1000);
	add_light(1, 1);
	toy_add(&a, &toys[2], &punctual);
	ck_assert_str_eq(toy_pass(&a, 1), "1 ");
	toy_end(&a, &toys[1]);
	ck_assert_str_eq(toy_pass(&a, 2), "2 ");
	ck_assert_uint_eq(p->n_ungated, 0);
}
END_TEST

START_TEST(nothing_starts_ahead_where_the_spawner_cannot_count)
{
	struct pool *p = give_slots(&a, "p", 2);
	struct demand_spec heavy = {.pools = "p", .slots = 2};

	for (int i = 0; i < 50; i++)
		pool_note_run(p, 1000);
	toy_add(&a, &toys[1], &heavy);
	add_light(2, 5);
	ck_assert_str_eq(toy_pass(&a, 1), "1 ");
	ck_assert_uint_eq(p->n_ungated, 2);
	ck_assert_uint_eq(pool_gate_slots(p), 0);
	toy_end(&a, &toys[1]);
	ck_assert_uint_eq(p->n_ungated, 0);
	ck_assert_str_eq(toy_pass(&a, 1), "2 3 4+ 5+ ");
}
END_TEST

START_TEST(start_that_failed_is_as_before)
{
	struct pool *p = give_slots(&a, "p", 1);
	struct admitted x;

	ck_assert_int_eq(rate_set(&p->rate, 1, RV_SEC(60)), 0);
	add_light(1, 2);
	admission_begin(&a);
	ck_assert(admission_next(&a, RV_SEC(1), &x));
	admission_take_back(&a, &x);
	ck_assert(!admission_next(&a, RV_SEC(1), &x));
	ck_assert_int_eq(p->slots.taken, 0);
	ck_assert_str_eq(toy_pass(&a, RV_SEC(1)), "1 ");
}
END_TEST

START_TEST(job_may_be_withdrawn_in_the_course_of_a_pass)
{
	struct admitted x;

	give_slots(&a, "p", 3);
	give_slots(&a, "q", 3);
	add_light(1, 2);
	toy_add(&a, &toys[3], &(struct demand_spec){.pools = "q", .slots = 1});
	admission_begin(&a);
	ck_assert(admission_next(&a, 1, &x));
	toy_drop(&a, &toys[2]);
	toy_drop(&a, &toys[3]);
	toy_add(&a, &toys[4], &light);
	ck_assert(!admission_next(&a, 1, &x));
	ck_assert_str_eq(toy_pass(&a, 1), "4 ");
}
END_TEST

START_TEST(place_in_the_order_is_counted)
{
	add_light(1, 9);
	ck_assert_uint_eq(demand_n_before(toys[1].demand, &toys[1].node, 9), 0);
	ck_assert_uint_eq(demand_n_before(toys[7].demand, &toys[7].node, 9), 6);
	ck_assert_uint_eq(demand_n_before(toys[7].demand, &toys[7].node, 4), 4);
}
END_TEST

UNIT_MAIN_FIXTURE("admission", setup, teardown,
	first_in_order_start_while_there_are_slots,
	heavy_job_is_not_starved_by_light_ones, huge_amounts_are_kept_without_overflow,
	forced_job_waits_for_what_cannot_be_counted,
	pools_that_are_gone_and_unused_are_forgotten,
	light_jobs_before_a_heavy_one_go_first, waiting_for_a_resource_keeps_no_slot,
	resource_is_kept_while_a_slot_is_waited_for,
	slot_is_not_idle_for_a_job_that_lacks_a_resource,
	what_asks_for_more_than_there_is_keeps_nothing,
	paused_pool_starts_nothing_and_keeps_nothing,
	held_demands_start_nothing_and_keep_what_all_of_them_can_use,
	demands_may_be_held_in_the_course_of_a_pass,
	held_demands_keep_huge_amounts_without_overflow, both_pools_have_to_have_a_slot,
	either_pool_will_do, machine_has_a_limit_over_all_pools, memory_is_reserved,
	forced_job_starts_past_all_limits,
	rate_limits_starts_and_says_when_to_look_again, functions_take_no_slots,
	short_runs_start_ahead_up_to_those_that_need_more,
	punctual_one_waits_for_its_slot,
	nothing_starts_ahead_where_the_spawner_cannot_count,
	start_that_failed_is_as_before, job_may_be_withdrawn_in_the_course_of_a_pass,
	place_in_the_order_is_counted)
