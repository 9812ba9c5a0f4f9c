/* Where the system bears no more stacks. */
#include "rt.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum {
	GUARD_ADVICE = 102,      /* MADV_GUARD_INSTALL */
	MAP_COUNT_MAX = 1100000, /* with more, the way to the limit is long */
};

/*
 * From here on this process is on a kernel before 6.13, which does not know the advice
 * that makes a guard. False under an emulator without filters; qemu-user does not know
 * the advice either.
 */
static bool refuse_guard_advice(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		/* an int that is no more than a byte: in the low half of its register */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, args[2]) +
				(__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GUARD_ADVICE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(filter) / sizeof(filter[0]), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

static long map_count_max(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
	long n;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%ld", &n), 1);
	(void)fclose(f);
	return n;
}

static int n_run, n_dropped;

static int count(void *arg)
{
	n_run++;
	return 0;
}

static void drop(void *arg)
{
	n_dropped++;
}

static int spawn_small(void)
{
	rv_task_opts o = {.stack_size = 64 * 1024, .arg_dtor = drop};

	return rv_spawn_ex(NULL, &o, count, NULL);
}

static int spawn_to_the_limit(void *map_count)
{
	int n_max = (int)(*(long *)map_count / 2), n = 0, r = 0;

	while (n <= n_max && (r = spawn_small()) == 0)
		n++;
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_gt(n, n_max / 2);
	ck_assert_int_eq(spawn_small(), -EAGAIN);
	ck_assert_int_eq(n_dropped, 2); /* the arguments were taken over */
	/* the rest of the process has mappings left */
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_ne(mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			MAP_FAILED);
	/* who was accepted runs, and leaves room for others */
	rt_settle(2);
	ck_assert_int_eq(n_run, n);
	ck_assert_int_eq(n_dropped, n + 2);
	ck_assert_int_eq(spawn_small(), 0);
	rt_settle(2);
	ck_assert_int_eq(n_run, n + 1);
	return 0;
}

START_TEST(spawn_is_refused_before_the_process_runs_out_of_mappings)
{
	long map_count = map_count_max();

	if (map_count > MAP_COUNT_MAX) {
		printf("not tried: vm.max_map_count is %ld\n", map_count);
		return;
	}
	if (!refuse_guard_advice())
		printf("no filter here: %s\n", strerror(errno));
	ck_assert_int_eq(rv_run(spawn_to_the_limit, &map_count, NULL), 0);
}
END_TEST

static rv_event gate;

static int count_and_wait(void *arg)
{
	n_run++;
	return rv_event_wait(&gate);
}

static int one_value(rv_gen *g, void *arg)
{
	return rv_gen_yield(g, arg);
}

/* Promises from before the kernel changed its mind; then others take all there is. */
static int start_at_the_limit(void *map_count)
{
	rv_task_opts small = {.stack_size = 64 * 1024},
		     other = {.stack_size = 128 * 1024};
	int n_max = (int)(*(long *)map_count / 2), n = 0, r = 0;
	rv_task *t[3], *later;
	rv_gen *g;
	void *v;

	rv_event_init(&gate);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(rv_spawn_ex(&t[i], &small, count_and_wait, NULL), 0);
	ck_assert_int_eq(rv_gen_new(&g, one_value, &gate, NULL), 0);
	ck_assert(refuse_guard_advice());
	while (n <= n_max && (r = rv_spawn_ex(NULL, &other, count, NULL)) == 0)
		n++;
	ck_assert_int_eq(r, -EAGAIN);
	/* the first stack of all has its guard; who gets none ends, and its place goes on */
	rt_settle(2);
	ck_assert_int_eq(n_run, n + 1);
	ck_assert(!rv_task_done(t[0]));
	for (int i = 1; i < 3; i++) {
		ck_assert_int_eq(rv_task_join(t[i], NULL), -EAGAIN);
		rv_task_unref(t[i]);
	}
	errno = EDOM;
	ck_assert_int_eq(rv_gen_next(g, &v), -EAGAIN);
	ck_assert_int_eq(errno, EDOM);
	/* a loop that sleeps gives back what others had */
	ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	ck_assert_ptr_eq(v, &gate);
	ck_assert_int_eq(rv_gen_close(g), 0);
	ck_assert_int_eq(rv_spawn_ex(&later, &small, count_and_wait, NULL), 0);
	rt_settle(2);
	ck_assert_int_eq(n_run, n + 2);
	rv_event_set(&gate);
	ck_assert_int_eq(rv_task_join(t[0], NULL), 0);
	ck_assert_int_eq(rv_task_join(later, NULL), 0);
	rv_task_unref(t[0]);
	rv_task_unref(later);
	return 0;
}

START_TEST(task_whose_stack_gets_no_guard_ends_without_a_step)
{
	long map_count = map_count_max();
	struct rv_limits l;

	ck_assert_int_eq(rv_limits(&l), 0);
	if (l.tasks != RV_UNLIMITED || map_count > MAP_COUNT_MAX) {
		printf("not tried: guards are mappings here, or there may be %ld\n",
			map_count);
		return;
	}
	ck_assert_int_eq(rv_run(start_at_the_limit, &map_count, NULL), 0);
}
END_TEST

UNIT_MAIN("many", spawn_is_refused_before_the_process_runs_out_of_mappings,
	task_whose_stack_gets_no_guard_ends_without_a_step)
