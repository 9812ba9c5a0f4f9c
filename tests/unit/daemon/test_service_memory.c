#include "config.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "daemon/service_memory.h"
#include "tests/support/unit.h"

#define MIB (INT64_C(1) << 20)

/* pages of its own, touched */
static void have(size_t n)
{
	void *p = mmap(NULL, n + 1, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
}

/* A session whose leader has so much, and so many children that have the same pages and, each
 * by itself, own more; pipe[1] is written to when all is there. */
static pid_t family(size_t shared, int n_children, size_t own)
{
	int fds[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0) {
		close(fds[1]);
		for (int i = 0; i <= n_children; i++)
			ck_assert_int_eq(read(fds[0], &byte, 1), 1);
		close(fds[0]);
		return pid;
	}
	setsid();
	have(shared);
	for (int i = 0; i < n_children; i++)
		if (fork() == 0) {
			have(own);
			break;
		}
	if (write(fds[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static struct memory_of of(pid_t pid, int64_t max_bytes)
{
	struct memory_of m = {.pid = pid, .max_bytes = max_bytes};

	ck_assert_int_eq(process_start_time(&m.start_time, pid), 0);
	return m;
}

static void end(pid_t pid)
{
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(all_below_a_process_is_added_up)
{
	pid_t pid = family(0, 2, 32 * MIB);
	struct memory_of m = of(pid, INT64_MAX);

	ck_assert_int_eq(memory_measure(&m, 1), 0);
	ck_assert_int_ge(m.bytes, 64 * MIB);
	end(pid);
}
END_TEST

START_TEST(what_is_shared_counts_once_where_it_is_too_much)
{
	pid_t pid = family(64 * MIB, 3, 0);
	struct memory_of m = of(pid, INT64_MAX);

	ck_assert_int_eq(memory_measure(&m, 1), 0);
	ck_assert_int_ge(m.bytes, 4 * 64 * MIB);
	if (access("/proc/self/smaps_rollup", R_OK) == 0) {
		int64_t resident = m.bytes;

		m = of(pid, 100 * MIB);
		ck_assert_int_eq(memory_measure(&m, 1), 0);
		ck_assert_int_ge(m.bytes, 64 * MIB);
		ck_assert_int_le(m.bytes, resident - 2 * 64 * MIB);
	}
	end(pid);
}
END_TEST

START_TEST(another_process_of_that_number_is_not_it)
{
	pid_t pid = family(0, 0, 0);
	struct memory_of m = of(pid, INT64_MAX);

	m.start_time--;
	ck_assert_int_eq(memory_measure(&m, 1), 0);
	ck_assert_int_eq(m.bytes, -1);
	end(pid);
}
END_TEST

UNIT_MAIN("service_memory", all_below_a_process_is_added_up,
	what_is_shared_counts_once_where_it_is_too_much,
	another_process_of_that_number_is_not_it)
