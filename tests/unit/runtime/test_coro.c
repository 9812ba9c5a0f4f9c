/* Coroutines without a loop: stacks, their pool and guards, switching. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "runtime/coro_switch.h"
#include "tests/support/unit.h"

static struct coro leader;
static struct coro_pool pool;

static struct coro *start(void (*entry)(struct coro *c))
{
	struct coro *c;

	ck_assert_int_eq(coro_pool_promise(&pool), 0);
	ck_assert_int_eq(coro_pool_take(&pool, &c), 0);
	c->entry = entry;
	coro_prepare(&leader, c);
	return c;
}

static int n_entered, n_resumed;

static void enter_twice(struct coro *c)
{
	int before = ++n_entered;

	errno = EDOM;
	coro_switch(c, &leader);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(before, n_entered);
	n_resumed++;
	coro_switch(c, &leader);
}

START_TEST(switching_keeps_locals_and_errno_and_an_entry_that_returns_is_called_again)
{
	struct coro *c;

	coro_init_leader(&leader);
	coro_pool_init(&pool, CORO_STACK_MIN);
	c = start(enter_twice);
	for (int i = 1; i <= 3; i++) {
		errno = ERANGE;
		coro_switch(&leader, c); /* to the first switch back */
		ck_assert_int_eq(n_entered, i);
		ck_assert_int_eq(errno, ERANGE);
		coro_switch(&leader, c); /* to the second */
		ck_assert_int_eq(n_resumed, i);
	}
	coro_pool_put(&pool, c);
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
}
END_TEST

static void touch_deep(struct coro *c)
{
	/* all but what the frames and the guard take */
	volatile char *low = (char *)c->stack + 4096;

	for (volatile char *p = (char *)__builtin_frame_address(0) - 4096; p > low;
		p -= 4096)
		*p = 1;
	n_entered++;
	coro_switch(c, &leader);
}

START_TEST(stack_is_as_large_as_promised_and_the_last_used_comes_first)
{
	struct coro *a, *b;

	coro_init_leader(&leader);
	coro_pool_init(&pool, 200 * 1024);
	ck_assert_uint_eq(pool.stack_size, 256 * 1024);
	a = start(touch_deep);
	b = start(touch_deep);
	ck_assert_ptr_ne(a, b);
	coro_switch(&leader, a);
	coro_switch(&leader, b);
	ck_assert_int_eq(n_entered, 2);
	coro_pool_put(&pool, a);
	coro_pool_put(&pool, b);
	ck_assert_ptr_eq(start(touch_deep), b);
	ck_assert_ptr_eq(start(touch_deep), a);
	coro_pool_put(&pool, a);
	coro_pool_put(&pool, b);
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
}
END_TEST

/* -- guards ---------------------------------------------------------------------- */

static struct coro *victim;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	const char *at = si->si_addr;
	const char *low = victim->stack;

	/* in the guard right below this stack, before any other stack is touched */
	_exit(at < low && at >= low - 16 * 1024 ? 77 : 1);
}

__attribute__((noinline)) static int recurse(int n)
{
	volatile char frame[1024];

	frame[0] = (char)n;
	return n < INT_MAX ? recurse(n + 1) + frame[0] : 0;
}

static void overflow(struct coro *c)
{
	_exit(recurse(0) ? 2 : 3);
}

/* the second stack of its slab: below it is another one, not the end of the mapping */
static void overflow_child(bool locked)
{
	static char handler_stack[64 * 1024];
	stack_t alt = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};
	struct sigaction sa = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	coro_init_leader(&leader);
	coro_pool_init(&pool, CORO_STACK_MIN);
	(void)start(overflow);
	if (locked && mlock2(pool.fresh->base, pool.fresh->size, MLOCK_ONFAULT) < 0)
		_exit(78);
	victim = start(overflow);
	(void)sigaltstack(&alt, NULL);
	(void)sigaction(SIGSEGV, &sa, NULL);
	coro_switch(&leader, victim);
}

static int overflow_status(bool locked)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		overflow_child(locked);
		_exit(4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(overflow_hits_the_guard_of_its_own_stack)
{
	ck_assert_int_eq(overflow_status(false), 77);
}
END_TEST

/* There the advice is refused that the first stack got. */
START_TEST(overflow_hits_the_guard_also_where_memory_was_locked_meanwhile)
{
	int status = overflow_status(true);

	if (status == 78)
		printf("not tried: so much must not be locked\n");
	else
		ck_assert_int_eq(status, 77);
}
END_TEST

/* A guard costs page tables, which a promise that needs no stack would pay for nothing. */
START_TEST(guards_are_made_when_their_stacks_are_used)
{
	struct coro *c[3];

	coro_init_leader(&leader);
	coro_pool_init(&pool, CORO_STACK_MIN);
	for (int i = 0; i < 3; i++) {
		size_t n_guarded;

		c[i] = start(enter_twice);
		n_guarded = c[i]->slab->n_guarded;
		if (c[i]->slab->guards_are_maps) /* an old kernel, or a sanitizer */
			ck_assert_uint_eq(n_guarded, pool.slab_stacks);
		else
			ck_assert_uint_eq(n_guarded, (size_t)i + 1);
	}
	for (int i = 0; i < 3; i++)
		coro_pool_put(&pool, c[i]);
	ck_assert_ptr_eq(start(enter_twice), c[2]); /* has its guard */
	ck_assert_uint_eq(c[2]->slab->n_guarded,
		c[2]->slab->guards_are_maps ? pool.slab_stacks : 3);
	coro_pool_put(&pool, c[2]);
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
}
END_TEST

/*
 * Guards that are mappings of their own run into the kernel's limit, after which no
 * malloc of the process works either: the pool must refuse before that. Where guards cost
 * nothing all of these are promised.
 */
START_TEST(pool_refuses_before_the_process_runs_out_of_mappings)
{
	enum { MANY = 40000 };
	int n = 0, r = 0;
	void *p;

	coro_pool_init(&pool, CORO_STACK_MIN);
	while (n < MANY && (r = coro_pool_promise(&pool)) == 0)
		n++;
	if (n < MANY)
		ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_gt(n, 1000);
	for (int i = 0; i < 100; i++) {
		p = mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert_ptr_ne(p, MAP_FAILED);
	}
	while (n-- > 0)
		coro_pool_unpromise(&pool);
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
}
END_TEST

/* -- the pool -------------------------------------------------------------------- */

static void go_back(struct coro *c)
{
	coro_switch(c, &leader);
}

START_TEST(memory_of_a_peak_is_given_back_and_what_is_used_stays)
{
	enum { PEAK = 1000 };
	static struct coro *c[PEAK];

	coro_init_leader(&leader);
	coro_pool_init(&pool, CORO_STACK_MIN);
	for (int i = 0; i < PEAK; i++) {
		c[i] = start(go_back);
		coro_switch(&leader, c[i]);
	}
	for (int i = 1; i < PEAK; i++)
		coro_pool_put(&pool, c[i]);
	while (coro_pool_trim(&pool))
		;
	ck_assert_uint_ge(pool.n_free, pool.slab_stacks);
	ck_assert_uint_le(pool.n_free, 6 * pool.slab_stacks);
	coro_switch(&leader, c[0]); /* still there */
	/* a loop that closes leaves behind what its tasks stand on */
	ck_assert_uint_eq(coro_pool_deinit(&pool), 1);
	coro_switch(&leader, c[0]);
}
END_TEST

enum { DEEP = 128 * 1024, DEFAULT = 256 * 1024 };

__attribute__((noinline)) static void use_deep(void)
{
	volatile char room[DEEP];

	for (size_t i = 0; i < sizeof(room); i += 1024)
		room[i] = 1;
}

static void go_deep(struct coro *c)
{
	use_deep();
	coro_switch(c, &leader);
}

static size_t resident(const struct coro *c)
{
	static unsigned char there[DEFAULT / 4096];
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;

	ck_assert_int_eq(mincore(c->stack, c->stack_size, there), 0);
	for (size_t i = 0; i * page < c->stack_size; i++)
		n += (there[i] & 1) * page;
	return n;
}

/* The slabs cannot go: one stack of each is in use. */
START_TEST(deep_pages_of_cached_stacks_among_used_ones_are_given_back)
{
	enum { PEAK = 640, EACH = 32, WARM = 4 * 1024 * 1024 / DEFAULT };
	static struct coro *c[PEAK];
	size_t n_deep = 0;
	int n_calls = 1;

	coro_init_leader(&leader);
	coro_pool_init(&pool, DEFAULT);
	for (int i = 0; i < PEAK; i++) {
		c[i] = start(go_deep);
		coro_switch(&leader, c[i]);
		ck_assert_uint_ge(resident(c[i]), DEEP);
	}
	for (int i = 0; i < PEAK; i++)
		if (i % EACH)
			coro_pool_put(&pool, c[i]);
	while (coro_pool_trim(&pool))
		n_calls++;
	ck_assert_int_gt(n_calls, 1); /* a little at a time */
	ck_assert(!coro_pool_trim(&pool));
	for (int i = 0; i < PEAK; i++) {
		if (i % EACH == 0)
			ck_assert_uint_ge(resident(c[i]), DEEP);
		else if (resident(c[i]) >= DEEP)
			n_deep++;
		else
			ck_assert_uint_le(resident(c[i]), 3 * 4096);
	}
	ck_assert_uint_eq(n_deep, WARM);
	/* all are as good as new, and those that were used last come first */
	for (int i = 0; i < PEAK; i++)
		if (i % EACH) {
			struct coro *again = start(go_deep);

			if (i <= WARM)
				ck_assert_uint_ge(resident(again), DEEP);
			coro_switch(&leader, again);
			ck_assert_uint_ge(resident(again), DEEP);
		}
	for (int i = 0; i < PEAK; i++) {
		coro_switch(&leader, c[i]);
		coro_pool_put(&pool, c[i]);
	}
	while (coro_pool_trim(&pool))
		;
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
}
END_TEST

START_TEST(large_stacks_come_in_small_mappings)
{
	coro_pool_init(&pool, CORO_STACK_MAX);
	ck_assert_int_eq(coro_pool_promise(&pool), 0);
	ck_assert_uint_eq(pool.n_free, 1);
	coro_pool_unpromise(&pool);
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
	coro_pool_init(&pool, CORO_STACK_MIN);
	ck_assert_int_eq(coro_pool_promise(&pool), 0);
	ck_assert_uint_eq(pool.n_free, 64);
	coro_pool_unpromise(&pool);
	ck_assert_uint_eq(coro_pool_deinit(&pool), 0);
}
END_TEST

UNIT_MAIN("coro",
	switching_keeps_locals_and_errno_and_an_entry_that_returns_is_called_again,
	stack_is_as_large_as_promised_and_the_last_used_comes_first,
	overflow_hits_the_guard_of_its_own_stack,
	overflow_hits_the_guard_also_where_memory_was_locked_meanwhile,
	guards_are_made_when_their_stacks_are_used,
	pool_refuses_before_the_process_runs_out_of_mappings,
	memory_of_a_peak_is_given_back_and_what_is_used_stays,
	deep_pages_of_cached_stacks_among_used_ones_are_given_back,
	large_stacks_come_in_small_mappings)
