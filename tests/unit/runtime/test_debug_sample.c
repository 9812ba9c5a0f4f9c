/* The signal that asks a thread where it is, and the stacks that it comes upon. */
#include "stall_test.h"

#include <execinfo.h>
#include <sys/auxv.h>
#include <ucontext.h>

/* -- the signal -------------------------------------------------------------------- */

static volatile sig_atomic_t n_mine;

static void on_mine(int sig)
{
	n_mine++;
}

static int take_its_signal(void *arg)
{
	int sig = 0, other = 0;

	ck_assert_uint_eq(handled(&sig), SEES_WHERE ? 1 : 0);
	if (sig)
		signal(sig, on_mine);
	ck_assert_int_eq(stalled(), 0);
	rt_settle(1);
	ck_assert_uint_eq(reports.n, 1);
	saw(reports.text[0], "take_its_signal");
	ck_assert_int_eq(n_mine, 0);
	if (sig) {
		ck_assert_uint_eq(handled(&other), 2);
		ck_assert_int_eq(raise(sig), 0);
		ck_assert_int_eq(n_mine, 1);
		signal(sig, SIG_DFL);
	}
	return 0;
}

START_TEST(signal_that_somebody_else_wants_is_left_to_him)
{
	int sig;

	ck_assert_int_eq(run_debug(take_its_signal, NULL), 0);
	ck_assert_uint_eq(handled(&sig), 0); /* given back at the end */
}
END_TEST

static int read_errno(void *arg)
{
	rv_time until = rv_now() + 3 * SLOW;

	errno = ENOTTY;
	while (rv_now() < until)
		ck_assert_int_eq(errno, ENOTTY);
	return 0;
}

START_TEST(signal_keeps_errno)
{
	ck_assert_int_eq(run_debug(read_errno, NULL), 0);
	ck_assert_uint_eq(reports.n, 1);
}
END_TEST

/* without those that the C library has for itself */
static bool real_time_signals_in(const char *text, const char *which)
{
	const char *at = strstr(text, which);

	ck_assert_ptr_nonnull(at);
	return strtoull(at + strlen(which), NULL, 16) >> (SIGRTMIN - 1) != 0;
}

static int exec_child(void *arg)
{
	char *const argv[] = {RT_W("/bin/sh"), RT_W("-c"),
		RT_W("exec grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status"), NULL};
	rv_proc_opts o = {.out = {.kind = RV_STDIO_PIPE}};
	char text[256] = "";
	rv_process *p;
	size_t n = 0;
	int status;

	ck_assert_int_eq(rv_exec(argv, &o, &p), 0);
	while (n < sizeof(text) - 1) {
		ssize_t k = rv_stream_read(
			rv_process_stdout(p), text + n, sizeof(text) - 1 - n);

		ck_assert_int_ge(k, 0);
		if (k == 0)
			break;
		n += (size_t)k;
	}
	ck_assert_int_eq(rv_process_wait(p, &status), 0);
	ck_assert_int_eq(status, 0);
	rv_process_unref(p);
	ck_assert_int_eq(real_time_signals_in(text, "SigBlk:\t"), 0);
	ck_assert_int_eq(real_time_signals_in(text, "SigIgn:\t"), 0);
	ck_assert_int_eq(real_time_signals_in(text, "SigCgt:\t"), 0);
	return 0;
}

START_TEST(program_that_is_executed_has_the_signal_at_its_default)
{
	ck_assert_int_eq(run_debug(exec_child, NULL), 0);
}
END_TEST

/* -- stacks ------------------------------------------------------------------------ */

static bool find_task(const rv_stack_info *i, void *arg)
{
	rv_stack_info *want = arg;

	if (i->task != want->task)
		return true;
	*want = *i;
	return false;
}

static size_t depth_now(void)
{
	rv_stack_info i = {.task = rv_task_self()};

	(void)rv_debug_stacks(rv_loop_current(), find_task, &i);
	ck_assert_ptr_eq(i.task, rv_task_self());
	return i.depth;
}

PLACE int stall_at_the_end_of_the_stack(void *arg)
{
	rv_stack_info i = {.task = rv_task_self()};
	volatile char *room;
	size_t depth;

	(void)rv_debug_stacks(rv_loop_current(), find_task, &i);
	/* less than the kernel's frame and the unwinder take, more than poll does */
	room = __builtin_alloca(i.size - 12 * 1024);
	room[0] = 0;
	ck_assert_int_eq(stalled(), 0); /* touches what it needs itself */
	depth = depth_now();
	rt_settle(1);
	ck_assert_int_eq(stalled(), 0);
	ck_assert_uint_le(depth_now(), depth + 1024);
	return room[0];
}

START_TEST(stack_with_no_room_left_is_not_needed_for_looking)
{
	ck_assert_int_eq(run_debug(stall_at_the_end_of_the_stack, NULL), 0);
	ck_assert_uint_eq(reports.n, 2);
	saw(reports.text[0], "stall_at_the_end_of_the_stack");
	saw(reports.text[1], "stall_at_the_end_of_the_stack");
}
END_TEST

START_TEST(alternate_stack_of_another_that_is_too_small_is_not_overrun)
{
	/* enough for the kernel, and for the handler up to where it looks */
	size_t room = (size_t)getauxval(AT_MINSIGSTKSZ) + 5 * 1024, canary = 4096;
	stack_t old, small = {.ss_size = room};
	unsigned char *mem = malloc(canary + room);

	ck_assert_ptr_nonnull(mem);
	memset(mem, 0x5a, canary);
	small.ss_sp = mem + canary;
	ck_assert_int_eq(sigaltstack(&small, &old), 0);
	ck_assert_int_eq(run_debug(stall_in_task, NULL), 0);
	ck_assert_int_eq(sigaltstack(&old, NULL), 0);
	ck_assert_uint_eq(reports.n, 1);
	if (SEES_WHERE)
		has_in(reports.text[0], "; after ");
	if (SEES_WHERE)
		has_in(reports.text[0], "it was somewhere (no room to look");
	for (size_t i = 0; i < canary; i++)
		ck_assert_uint_eq(mem[i], 0x5a);
	free(mem);
}
END_TEST

static int count_up(rv_gen *g, void *arg)
{
	for (intptr_t i = 1;; i++) {
		int r = rv_gen_yield(g, (void *)i);

		if (r < 0)
			return r;
	}
}

/* so many steps of two milliseconds that do nothing but switch stacks */
static int switch_all_the_time(void *arg)
{
	rv_gen *g;
	void *v;

	ck_assert_int_eq(rv_gen_new(&g, count_up, NULL, NULL), 0);
	for (int i = 0; i < 150; i++) {
		rv_time until = rv_now() + RV_MS(2);

		while (rv_now() < until)
			for (int j = 0; j < 16; j++)
				ck_assert_int_eq(rv_gen_next(g, &v), 1);
		rt_settle(1);
	}
	(void)rv_gen_close(g);
	return 0;
}

START_TEST(signal_in_the_midst_of_a_switch_of_stacks_does_no_harm)
{
	const rv_loop_opts o = {.debug = true, .slow_callback = 1};

	ck_assert_int_eq(run_with(&o, swallow, switch_all_the_time, NULL), 0);
}
END_TEST

#if defined(HAVE_CORO_ASM) && defined(__x86_64__)

void coro_asm_entry(void); /* where every coroutine's stack begins */

enum { TRAP_FLAG = 0x100, ENTRY_MAX = 64 };

static unsigned n_found, n_nowhere, n_lost;

/* Before each instruction: the calls lead to where the stack begins. While it is changed
 * there are none. */
static void on_instruction(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	void *pc = (void *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP], *pcs[64];
	int n = backtrace(pcs, 64);

	if (n > 0 && (uintptr_t)pcs[n - 1] - (uintptr_t)coro_asm_entry < ENTRY_MAX)
		n_found++;
	else if (n > 0 && pcs[n - 1] == pc)
		n_nowhere++;
	else
		n_lost++;
}

static void trap_each_instruction(bool on)
{
	unsigned long flags = __builtin_ia32_readeflags_u64();

	flags = on ? flags | TRAP_FLAG : flags & ~(unsigned long)TRAP_FLAG;
	__builtin_ia32_writeeflags_u64(flags);
}

static int switch_step_by_step(void *arg)
{
	struct sigaction sa = {
		.sa_sigaction = on_instruction, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	void *v, *pc;
	rv_gen *g;

	(void)backtrace(&pc, 1); /* loads the unwinder */
	ck_assert_int_eq(sigaction(SIGTRAP, &sa, NULL), 0);
	ck_assert_int_eq(rv_gen_new(&g, count_up, NULL, NULL), 0);
	trap_each_instruction(true);
	for (int i = 0; i < 3; i++)
		if (rv_gen_next(g, &v) != 1)
			n_lost++;
	trap_each_instruction(false);
	(void)rv_gen_close(g);
	return 0;
}

START_TEST(switch_of_stacks_can_be_unwound_at_each_instruction)
{
	if (!SEES_WHERE)
		return; /* ThreadSanitizer holds the signal back */
	ck_assert_int_eq(run_debug(switch_step_by_step, NULL), 0);
	ck_assert_uint_ge(n_found, 100);
	/* three times there and back, some instructions each (clang -O3 -flto: up to 4) */
	ck_assert_uint_ge(n_nowhere, 6);
	ck_assert_uint_le(n_nowhere, 6 * 5);
	ck_assert_uint_eq(n_lost, 0);
}
END_TEST

#else
START_TEST(switch_of_stacks_can_be_unwound_at_each_instruction)
{
	/* nothing of that is written here in assembly */
}
END_TEST
#endif

UNIT_MAIN("debug_sample", signal_that_somebody_else_wants_is_left_to_him,
	signal_keeps_errno, program_that_is_executed_has_the_signal_at_its_default,
	stack_with_no_room_left_is_not_needed_for_looking,
	alternate_stack_of_another_that_is_too_small_is_not_overrun,
	signal_in_the_midst_of_a_switch_of_stacks_does_no_harm,
	switch_of_stacks_can_be_unwound_at_each_instruction)
