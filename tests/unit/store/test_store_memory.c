#include "config.h"

#include "store/store_memory.h"

#include <errno.h>

#include "tests/support/unit.h"
#include "tests/unit/store/store_fixture.h"

START_TEST(apply_fails_when_told_and_keeps_nothing)
{
	struct store *st;

	ck_assert_int_eq(store_open_memory(&st), 0);
	store_memory_fail_apply(st, 1, 2, -ENOSPC);
	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), 0);
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), -ENOSPC);
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), true), -ENOSPC);
	ck_assert_uint_eq(count_jobs(st), 1);
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), 0);
	ck_assert_uint_eq(count_jobs(st), 2);
	ck_assert_uint_eq(store_memory_n_applied(st), 2);
	store_close(st);
}
END_TEST

START_TEST(failing_stops_when_told)
{
	struct store *st;

	ck_assert_int_eq(store_open_memory(&st), 0);
	store_memory_fail_apply(st, 0, SIZE_MAX, -EIO);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), -EIO);
	store_memory_fail_apply(st, 0, 0, 0);
	ck_assert_int_eq(apply_raw(st, op_plain_job(1), false), 0);
	store_close(st);
}
END_TEST

static int refuse_even_jobs(const struct store_unit *u, void *arg)
{
	++*(int *)arg;
	return u->ops[0].job.id % 2 == 0 ? -EPERM : 0;
}

START_TEST(filter_refuses_units_alone)
{
	struct store *st;
	struct store_op ops[4];
	struct store_unit u[4], *units[4];
	int n_seen = 0;

	ck_assert_int_eq(store_open_memory(&st), 0);
	store_memory_filter_units(st, refuse_even_jobs, &n_seen);
	for (int i = 0; i < 4; i++) {
		ops[i] = op_plain_job((uint64_t)i + 1);
		u[i] = (struct store_unit){&ops[i], 1, false, 9};
		units[i] = &u[i];
	}
	ck_assert_int_eq(store_apply(st, units, 4), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(u[i].error, i % 2 ? -EPERM : 0);
	ck_assert_int_eq(n_seen, 4);
	ck_assert_uint_eq(count_jobs(st), 2);
	store_memory_filter_units(st, NULL, NULL);
	ck_assert_int_eq(apply_raw(st, op_plain_job(2), false), 0);
	ck_assert_uint_eq(count_jobs(st), 3);
	store_close(st);
}
END_TEST

START_TEST(stores_in_memory_are_apart)
{
	struct store *a, *b;

	ck_assert_int_eq(store_open_memory(&a), 0);
	ck_assert_int_eq(store_open_memory(&b), 0);
	ck_assert_int_eq(APPLY(a, op_plain_job(1)), 0);
	ck_assert_uint_eq(count_jobs(a), 1);
	ck_assert_uint_eq(count_jobs(b), 0);
	ck_assert_int_eq(store_checkpoint(a), 0);
	ck_assert_int_eq(store_wal_bytes(a), 0);
	store_close(a);
	ck_assert_ptr_null(store_close(b));
	ck_assert_ptr_null(store_close(NULL));
}
END_TEST

UNIT_MAIN("store_memory", apply_fails_when_told_and_keeps_nothing,
	failing_stops_when_told, filter_refuses_units_alone, stores_in_memory_are_apart)
