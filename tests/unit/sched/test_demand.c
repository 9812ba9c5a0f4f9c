#include "tests/unit/sched/fixture.h"

static struct demand *get(struct admission *a, const struct demand_spec *s)
{
	struct demand *d;

	ck_assert_int_eq(demand_get(a, &d, s), 0);
	return d;
}

START_TEST(same_text_is_the_same_demand)
{
	struct demand_spec spec = {.pools = "a", .slots = 1};
	struct demand *x, *y, *z;
	struct admission a;

	ck_assert_int_eq(admission_init(&a, toy_before), 0);
	x = get(&a, &spec);
	y = get(&a, &spec);
	ck_assert_ptr_eq(x, y);
	spec.slots = 2;
	z = get(&a, &spec);
	ck_assert_ptr_ne(x, z);
	ck_assert(x->gated && !z->gated);
	ck_assert_uint_eq(hashmap_size(a.demands), 2);
	demand_put(&a, x);
	demand_put(&a, y);
	demand_put(&a, z);
	ck_assert_uint_eq(hashmap_size(a.demands), 0);
	admission_deinit(&a);
}
END_TEST

START_TEST(number_of_demands_is_limited)
{
	struct demand_spec spec = {.pools = "a", .slots = 1};
	struct demand *x, *y, *z = NULL;
	struct admission a;

	ck_assert_int_eq(admission_init(&a, toy_before), 0);
	a.demands_max = 2;
	x = get(&a, &spec);
	spec.slots = 2;
	y = get(&a, &spec);
	spec.slots = 3;
	ck_assert_int_eq(demand_get(&a, &z, &spec), -RV_ELIMIT);
	ck_assert_ptr_null(z);
	demand_put(&a, x);
	z = get(&a, &spec);
	demand_put(&a, y);
	demand_put(&a, z);
	admission_deinit(&a);
}
END_TEST

START_TEST(bad_needs_are_refused)
{
	static const char *const bad[] = {
		"gpu", "gpu=0", "gpu=-1", "gpu=x", "=1", "gpu=1 gpu=2"};
	struct admission a;
	struct demand *d;

	ck_assert_int_eq(admission_init(&a, toy_before), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(
			demand_get(&a, &d,
				&(struct demand_spec){
					.pools = "a", .slots = 1, .needs = bad[i]}),
			-EINVAL);
	admission_deinit(&a);
}
END_TEST

START_TEST(either_has_a_way_for_each_pool)
{
	struct admission a;
	struct demand *d;

	ck_assert_int_eq(admission_init(&a, toy_before), 0);
	d = get(&a, &(struct demand_spec){.pools = "a|b|c", .slots = 2, .memory = 5});
	ck_assert_uint_eq(d->n_ways, 3);
	ck_assert_str_eq(demand_pool(d, 1)->name, "b");
	demand_put(&a, d);
	d = get(&a, &(struct demand_spec){.pools = "a,b", .slots = 1});
	ck_assert_uint_eq(d->n_ways, 1);
	ck_assert_uint_eq(d->ways[0].n, 3);
	ck_assert(!d->gated);
	demand_put(&a, d);
	admission_deinit(&a);
}
END_TEST

/* One of the daemon itself is past the limit for what users ask for, and takes nothing that
 * they can: not even the machine's slots. */
START_TEST(own_demand_takes_a_slot_of_its_pool_alone)
{
	struct demand *d, *user;
	struct admission a;
	struct pool *p;

	ck_assert_int_eq(admission_init(&a, toy_before), 0);
	a.demands_max = 1;
	user = get(&a, &(struct demand_spec){.pools = "a", .slots = 1});
	ck_assert_int_eq(
		demand_get(&a, &d, &(struct demand_spec){.pools = ".own", .slots = 1}),
		-EINVAL);
	d = get(&a, &(struct demand_spec){.pools = ".own", .slots = 1, .own = true});
	p = give_slots(&a, ".own", 1);
	demand_take(d, 0);
	ck_assert_int_eq(p->slots.taken, 1);
	ck_assert_int_eq(a.slots.taken, 0);
	demand_release(d, 0);
	demand_put(&a, d);
	demand_put(&a, user);
	admission_deinit(&a);
}
END_TEST

START_TEST(pool_is_emptied_by_the_last_of_ends_that_are_recorded)
{
	struct demand *one, *both, *either;
	struct admission a;
	struct pool *p, *q;

	ck_assert_int_eq(admission_init(&a, toy_before), 0);
	one = get(&a, &(struct demand_spec){.pools = "p", .slots = 1});
	both = get(&a, &(struct demand_spec){.pools = "p,q", .slots = 1});
	either = get(&a, &(struct demand_spec){.pools = "q|p", .slots = 1});
	p = give_slots(&a, "p", 1);
	q = give_slots(&a, "q", 1);
	demand_note_listed(one, 1);
	demand_note_listed(both, 1);
	demand_note_listed(either, 1);
	demand_note_ending(both, 1);
	demand_note_ending(one, 1);
	ck_assert(!pool_is_emptied(p) && !pool_is_emptied(q));
	/* the first is on disk, and has left the table */
	demand_note_listed(both, -1);
	demand_note_ending(both, -1);
	ck_assert(!pool_is_emptied(p) && !pool_is_emptied(q));
	demand_note_ending(either, 1);
	ck_assert(pool_is_emptied(p) && pool_is_emptied(q));
	/* that end is given up */
	demand_note_ending(either, -1);
	ck_assert(!pool_is_emptied(p) && !pool_is_emptied(q));
	demand_put(&a, one);
	demand_put(&a, both);
	demand_put(&a, either);
	admission_deinit(&a);
}
END_TEST

UNIT_MAIN("demand", own_demand_takes_a_slot_of_its_pool_alone,
	pool_is_emptied_by_the_last_of_ends_that_are_recorded,
	same_text_is_the_same_demand, number_of_demands_is_limited,
	bad_needs_are_refused, either_has_a_way_for_each_pool)
