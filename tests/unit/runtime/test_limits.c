/* What the system allows this process. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/unit/runtime/rt.h"

static struct rv_limits look(void)
{
	struct rv_limits l;

	ck_assert_int_eq(rv_limits(&l), 0);
	return l;
}

START_TEST(limits_are_those_of_this_moment)
{
	struct rlimit rl;
	cpu_set_t one, all;
	int cpu = sched_getcpu();

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = 100;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_uint_eq(look().fds, 100);
	ck_assert_uint_eq(look().fds_hard,
		rl.rlim_max == RLIM_INFINITY ? RV_UNLIMITED : rl.rlim_max);
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &rl), 0);
	ck_assert_uint_eq(look().memory,
		rl.rlim_cur == RLIM_INFINITY ? RV_UNLIMITED : rl.rlim_cur);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	ck_assert_uint_eq(look().cpus, (unsigned)CPU_COUNT(&all));
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_uint_eq(look().cpus, 1);
}
END_TEST

START_TEST(descriptors_are_raised_up_to_the_hard_limit_and_never_lowered)
{
	struct rlimit rl = {.rlim_cur = 100, .rlim_max = 200};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(rv_limits_raise_fds(50), 0);
	ck_assert_uint_eq(look().fds, 100);
	ck_assert_int_eq(rv_limits_raise_fds(150), 0);
	ck_assert_uint_eq(look().fds, 150);
	ck_assert_int_eq(rv_limits_raise_fds(201), -EPERM);
	ck_assert_uint_eq(look().fds, 150);
	ck_assert_int_eq(rv_limits_raise_fds(RV_UNLIMITED), 0);
	ck_assert_uint_eq(look().fds, 200);
	ck_assert_uint_eq(look().fds_hard, 200);
}
END_TEST

/* Where guards are mappings each stack takes two of them, and the rest of the process some. */
START_TEST(tasks_are_limited_by_mappings_or_not_at_all)
{
	uint64_t n = look().tasks;
	unsigned long maps;
	FILE *f;

	if (n == RV_UNLIMITED)
		return;
	f = fopen("/proc/sys/vm/max_map_count", "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%lu", &maps), 1);
	fclose(f);
	ck_assert_uint_ge(n, 64);
	ck_assert_uint_lt(n, MAX(maps / 2, 65UL));
	ck_assert_uint_eq(look().tasks, n);
}
END_TEST

/* With one descriptor more each time, until there are enough. */
START_TEST(loop_that_gets_no_descriptors_says_so_and_prints_nothing)
{
	struct rlimit rl = {.rlim_cur = 64, .rlim_max = 64};
	int fds[64], out = memfd_create("stderr", MFD_CLOEXEC),
		     old = dup(STDERR_FILENO);
	size_t n = 0;
	rv_loop *l;
	off_t printed;
	int r;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(dup2(out, STDERR_FILENO), STDERR_FILENO);
	while ((fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	ck_assert_uint_gt(n, 8);
	while ((r = rv_loop_new(&l, NULL)) == -EMFILE && n > 0)
		close(fds[--n]);
	printed = lseek(out, 0, SEEK_END);
	ck_assert_int_eq(dup2(old, STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(printed, 0);
	rv_loop_unref(l);
	while (n > 0)
		close(fds[--n]);
	close(old);
	close(out);
}
END_TEST

UNIT_MAIN("limits", limits_are_those_of_this_moment,
	loop_that_gets_no_descriptors_says_so_and_prints_nothing,
	descriptors_are_raised_up_to_the_hard_limit_and_never_lowered,
	tasks_are_limited_by_mappings_or_not_at_all)
