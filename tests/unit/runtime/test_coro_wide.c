/*
 * Switching where the compiler may use all registers of AVX-512. For gcc the pragma says so,
 * whatever the rest is built for; for clang -mavx512f does.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#	pragma GCC push_options
#	pragma GCC target("avx512f")
#	include "config.h"

#	include "runtime/coro.h"
#	pragma GCC pop_options
#	define WIDE __attribute__((target("avx512f")))
#else
#	include "config.h"

#	include "runtime/coro.h"
#	define WIDE
#endif

#include <check.h>

#include "tests/support/unit.h"

/* The bare jump, around which no call saves them as well; sanitizers must be told of each. */
#if defined(HAVE_CORO_ASM) && defined(__x86_64__) && !CORO_ASAN && !CORO_TSAN && \
	(defined(__AVX512F__) || !defined(__clang__))
#	define HAVE_WIDE_CODE 1
#endif

#ifdef HAVE_WIDE_CODE

static struct coro leader, *other;
static struct coro_pool pool;

/* what any function may do */
WIDE static void spoil(struct coro *c)
{
	__asm__ volatile("vpxorq %%zmm16, %%zmm16, %%zmm16\n\t"
			 "vpxorq %%zmm17, %%zmm17, %%zmm17\n\t"
			 "vpxorq %%zmm18, %%zmm18, %%zmm18\n\t"
			 "vpxorq %%zmm19, %%zmm19, %%zmm19\n\t"
			 "kxorw %%k1, %%k1, %%k1\n\t"
			 "kxorw %%k2, %%k2, %%k2\n\t"
			 "kxorw %%k3, %%k3, %%k3"
			 :
			 :
			 : "memory");
	coro_jump(&c->place, &leader.place);
}

/* noinline: its values live in registers from the one asm to the other */
WIDE __attribute__((noinline)) static unsigned keep(double *x, double *y)
{
	double a = *x, b = *y;
	unsigned short mask = 0x5a5a;

	__asm__ volatile("" : "+v"(a), "+v"(b), "+Yk"(mask));
	coro_jump(&leader.place, &other->place);
	__asm__ volatile("" : "+v"(a), "+v"(b), "+Yk"(mask));
	*x = a;
	*y = b;
	return mask;
}

#endif

START_TEST(values_in_wide_registers_outlast_a_jump)
{
#ifdef HAVE_WIDE_CODE
	double x = 3.5, y = -7.25;

	if (!__builtin_cpu_supports("avx512f"))
		return; /* nor will anything else here use them */
	coro_init_leader(&leader);
	coro_pool_init(&pool, CORO_STACK_MIN);
	ck_assert_int_eq(coro_pool_promise(&pool), 0);
	ck_assert_int_eq(coro_pool_take(&pool, &other), 0);
	other->entry = spoil;
	coro_prepare(&leader, other);
	ck_assert_uint_eq(keep(&x, &y), 0x5a5a);
	ck_assert(x == 3.5 && y == -7.25);
	coro_pool_put(&pool, other);
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
#endif
}
END_TEST

UNIT_MAIN("coro_wide", values_in_wide_registers_outlast_a_jump)
