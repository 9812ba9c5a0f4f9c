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

UNIT_MAIN("demand", same_text_is_the_same_demand, number_of_demands_is_limited,
	bad_needs_are_refused, either_has_a_way_for_each_pool)
