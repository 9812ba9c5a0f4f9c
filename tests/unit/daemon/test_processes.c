#include "config.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/processes.h"
#include "tests/support/unit.h"

static const char instance[] = "0123456789abcdef0123456789abcdef";
static const struct spawn_token token = {.job_id = 12, .run_no = 3, .epoch = 4};

/* A tree that waits until the pipe is closed: main, a child of it, and one that made itself
 * a session of its own and lost its parent. They are there once it returns. */
static pid_t start(int *ret_hold, const struct spawn_token *mark_token)
{
	char mark[SPAWN_MARK_MAX], ready;
	int hold[2], told[2];
	pid_t pid;

	ck_assert_int_eq(pipe(hold), 0);
	ck_assert_int_eq(pipe(told), 0);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setsid();
		dup2(hold[0], 3);
		dup2(told[1], 4);
		closefrom(5);
		setenv(SPAWN_MARK_ENV, spawn_mark_format(mark, mark_token, instance),
			1);
		execl("/bin/sh", "sh", "-c",
			"(setsid sh -c 'echo >&4; read -r x <&3; :' &) & "
			"sh -c 'echo >&4; read -r x <&3; :' & "
			"echo >&4; read -r x <&3; wait",
			NULL);
		_exit(127);
	}
	close(hold[0]);
	close(told[1]);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(read(told[0], &ready, 1), 1);
	close(told[0]);
	*ret_hold = hold[1];
	return pid;
}

static void end(int hold)
{
	close(hold);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static struct processes_of processes_of(pid_t pid)
{
	struct processes_of of = {.token = token, .pid = pid};
	struct proc_stat st;

	memcpy(of.instance, instance, sizeof(instance));
	ck_assert_int_eq(proc_stat_read(&st, pid), 0);
	of.start_time = st.start_time;
	return of;
}

static size_t count_outside(const struct proc_list *l, pid_t session)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].session != session;
	return n;
}

START_TEST(tree_and_what_left_it_are_found_once)
{
	struct proc_list l = PROC_LIST_NULL;
	struct processes_of of;
	int hold;
	pid_t pid = start(&hold, &token);

	of = processes_of(pid);
	ck_assert_int_eq(processes_collect(&l, &of), 0);
	ck_assert_int_eq(l.v[0].pid, pid);
	ck_assert_uint_ge(l.n, 3);
	ck_assert_uint_eq(count_outside(&l, pid), 1);
	for (size_t i = 0; i < l.n; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_int_ne(l.v[i].pid, l.v[k].pid);
	proc_list_deinit(&l);
	end(hold);
}
END_TEST

START_TEST(mark_of_another_run_is_not_ours)
{
	static const struct spawn_token other = {.job_id = 12, .run_no = 2, .epoch = 4};
	struct proc_list l = PROC_LIST_NULL;
	struct processes_of of;
	int hold;
	pid_t pid = start(&hold, &other);

	of = processes_of(pid);
	ck_assert_int_eq(processes_collect(&l, &of), 0);
	ck_assert_uint_eq(count_outside(&l, pid), 0);
	proc_list_deinit(&l);
	end(hold);
}
END_TEST

START_TEST(pid_that_is_another_ones_by_now_is_nobody)
{
	struct proc_list l = PROC_LIST_NULL;
	struct processes_of of = processes_of(getpid());

	of.start_time++;
	ck_assert_int_eq(processes_collect(&l, &of), 0);
	ck_assert_uint_eq(l.n, 0);
	proc_list_deinit(&l);
}
END_TEST

START_TEST(usage_and_command_are_its_own)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct process_usage usage;
	struct proc_stat st;
	int hold;
	pid_t pid = start(&hold, &token);

	ck_assert_int_eq(proc_stat_read(&st, pid), 0);
	ck_assert_int_eq(process_usage_get(&usage, &st), 0);
	ck_assert_int_gt(usage.memory_bytes, 4096);
	ck_assert_int_ge(usage.cpu_usec, 0);
	ck_assert_int_ge(usage.age_usec, 0);
	ck_assert_int_eq(process_command_get(&text, &st, 8), 0);
	ck_assert_uint_eq(buf_len(&text), 8);
	ck_assert_int_eq(memcmp(buf_head(&text), "sh -c (s", 8), 0);
	end(hold);
	/* it has ended: no error of anybody's */
	ck_assert_int_eq(process_usage_get(&usage, &st), -ESRCH);
	ck_assert_int_eq(process_command_get(&text, &st, 8), -ESRCH);
}
END_TEST

UNIT_MAIN("processes", tree_and_what_left_it_are_found_once,
	mark_of_another_run_is_not_ours, pid_that_is_another_ones_by_now_is_nobody,
	usage_and_command_are_its_own)
