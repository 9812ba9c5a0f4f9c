/* Signals, stops, kills and what a run leaves behind, with a real spawner. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "spawn/procfs.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

static int fifo; /* jobs tell pids through it */

static void setup(void)
{
	fx_setup();
	fifo = fx_fifo(fx, "fifo");
}

static void teardown(void)
{
	close(fifo);
	fx_teardown();
}

/* a job with the fixture's directory as its cwd, so that it writes to "fifo" */
static struct spawn_request job(uint64_t id, const char *line)
{
	struct spawn_request req = fx_request(id, line);

	req.cwd = fx->dir;
	return req;
}

static char state_of(pid_t pid)
{
	struct proc_stat st;

	return proc_stat_read(&st, pid) == 0 ? st.state : '-';
}

/* a stop signal is on its way until the process is next scheduled */
static void wait_stopped(pid_t pid)
{
	for (int i = 0; i < 1000 && state_of(pid) != 'T'; i++)
		fx_settle(fx);
	ck_assert_int_eq(state_of(pid), 'T');
}

START_TEST(signal_reaches_the_whole_group)
{
	struct spawn_request req = job(1, "sleep 100 & echo $! > fifo; wait");
	struct spawn_token t = req.token;
	struct fx_event *e;
	pid_t child;

	fx_start(fx, &req);
	child = (pid_t)fx_fifo_number(fifo);
	ck_assert_int_eq(spawn_client_signal(fx->client, &t, SIGTERM, false, NULL), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(WTERMSIG(e->info.status), SIGTERM);
	ck_assert(!fx_is_alive(child));
}
END_TEST

START_TEST(signal_for_main_only_spares_the_others)
{
	struct spawn_request req = job(1, "sleep 100 & echo $! > fifo; wait");
	struct spawn_token t = req.token;
	struct fx_event *e;
	pid_t child;

	req.leftovers = SPAWN_LEFTOVERS_LEAVE;
	fx_start(fx, &req);
	child = (pid_t)fx_fifo_number(fifo);
	ck_assert_int_eq(spawn_client_signal(fx->client, &t, SIGKILL, true, NULL), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_uint_eq(e->info.leftovers, 1);
	ck_assert(fx_is_alive(child));
	kill(child, SIGKILL);
}
END_TEST

START_TEST(stop_kills_what_ignores_the_signal_after_the_grace)
{
	struct spawn_request req =
		job(1, "trap '' TERM; echo $$ > fifo; while :; do sleep 1; done");
	struct spawn_token t = req.token;
	struct fx_event *e;

	fx_start(fx, &req);
	fx_fifo_number(fifo);
	ck_assert_int_eq(
		spawn_client_stop(fx->client, &t, SIGTERM, false, RV_MS(50), NULL), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(WTERMSIG(e->info.status), SIGKILL);
}
END_TEST

START_TEST(stop_lets_a_job_end_in_its_own_way)
{
	struct spawn_request req = job(
		1, "trap 'exit 3' TERM; echo $$ > fifo; while :; do sleep 0.05; done");
	struct spawn_token t = req.token;
	struct fx_event *e;

	fx_start(fx, &req);
	fx_fifo_number(fifo);
	ck_assert_int_eq(
		spawn_client_stop(fx->client, &t, SIGTERM, true, RV_SEC(60), NULL), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert(WIFEXITED(e->info.status));
	ck_assert_int_eq(WEXITSTATUS(e->info.status), 3);
}
END_TEST

START_TEST(stop_wakes_a_paused_run)
{
	struct spawn_request req = job(1, "echo $$ > fifo; exec sleep 100");
	struct spawn_token t = req.token;
	struct fx_event *e;

	fx_start(fx, &req);
	fx_fifo_number(fifo);
	ck_assert_int_eq(spawn_client_pause(fx->client, &t, NULL), 0);
	ck_assert_int_eq(
		spawn_client_stop(fx->client, &t, SIGTERM, false, RV_SEC(60), NULL), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(WTERMSIG(e->info.status), SIGTERM);
}
END_TEST

START_TEST(pause_stops_the_tree_and_resume_wakes_it)
{
	struct spawn_request req = job(1,
		"setsid sh -c 'echo $$ > fifo; exec sleep 100' & echo $$ > fifo; wait");
	struct spawn_token t = req.token;
	pid_t a, b;

	fx_start(fx, &req);
	a = (pid_t)fx_fifo_number(fifo);
	b = (pid_t)fx_fifo_number(fifo);
	/* it may run before the spawner has heard of it; then it is paused from its start */
	fx_wait(fx, FX_STARTED, 1);
	ck_assert_int_eq(spawn_client_pause(fx->client, &t, NULL), 0);
	ck_assert_int_eq(spawn_client_query(fx->client, &t, NULL), 0);
	ck_assert_uint_eq(fx_wait(fx, FX_QUERY, 1)->info.flags & SPAWN_RUN_PAUSED,
		SPAWN_RUN_PAUSED);
	wait_stopped(a);
	wait_stopped(b);
	ck_assert_int_eq(spawn_client_resume(fx->client, &t, NULL), 0);
	fx_settle(fx);
	ck_assert_int_ne(state_of(a), 'T');
	ck_assert_int_ne(state_of(b), 'T');
}
END_TEST

START_TEST(kill_ends_what_changed_session)
{
	struct spawn_request req =
		job(1, "setsid sh -c 'trap \"\" TERM; echo $$ > fifo; "
		       "while :; do sleep 1; done' & wait");
	struct spawn_token t = req.token;
	pid_t escaped;

	fx_start(fx, &req);
	escaped = (pid_t)fx_fifo_number(fifo);
	ck_assert_int_eq(spawn_client_kill(fx->client, &t, NULL), 0);
	fx_wait(fx, FX_EXITED, 1);
	ck_assert(!fx_is_alive(escaped));
}
END_TEST

START_TEST(leftover_in_the_group_is_ended_and_counted)
{
	struct spawn_request req = job(1, "sleep 100 & echo $! > fifo; exit 4");
	struct fx_event *e;
	pid_t left;

	fx_start(fx, &req);
	left = (pid_t)fx_fifo_number(fifo);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(WEXITSTATUS(e->info.status), 4);
	ck_assert_uint_eq(e->info.leftovers, 1);
	ck_assert(!fx_is_alive(left));
}
END_TEST

START_TEST(leftover_that_made_a_session_and_lost_its_parent_is_ended)
{
	/* the one in the middle is gone before main ends: adopted long before */
	struct spawn_request req = job(1,
		"sh -c 'setsid sh -c \"echo \\$\\$ > fifo; exec sleep 100\" &' ; "
		"read x < go; exit 0");
	struct fx_event *e;
	int go = fx_fifo(fx, "go");
	pid_t left;

	fx_start(fx, &req);
	left = (pid_t)fx_fifo_number(fifo);
	ck_assert_int_eq(fd_write_all(go, "\n", 1), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_uint_eq(e->info.leftovers, 1);
	ck_assert(!fx_is_alive(left));
	close(go);
}
END_TEST

START_TEST(leftover_that_ignores_the_signal_is_killed_after_the_grace)
{
	struct spawn_request req =
		job(1, "sh -c 'trap \"\" TERM; echo $$ > fifo; "
		       "while :; do sleep 1; done' & read x < go; exit 0");
	struct fx_event *e;
	int go = fx_fifo(fx, "go");
	pid_t left;

	req.kill_grace = RV_MS(50);
	fx_start(fx, &req);
	left = (pid_t)fx_fifo_number(fifo);
	ck_assert_int_eq(fd_write_all(go, "\n", 1), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_uint_ge(e->info.leftovers, 1);
	ck_assert_int_eq(e->info.status, 0);
	ck_assert(!fx_is_alive(left));
	close(go);
}
END_TEST

START_TEST(leave_tells_the_exit_at_once_and_leaves_the_rest)
{
	struct spawn_request req = job(1, "sleep 100 & echo $! > fifo");
	struct fx_event *e;
	pid_t left;

	req.leftovers = SPAWN_LEFTOVERS_LEAVE;
	fx_start(fx, &req);
	left = (pid_t)fx_fifo_number(fifo);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_uint_eq(e->info.leftovers, 1);
	ck_assert(fx_is_alive(left));
	kill(left, SIGKILL);
	fx_wait_gone(left);
}
END_TEST

START_TEST(wait_tells_the_exit_when_the_rest_has_ended)
{
	struct spawn_request req =
		job(1, "setsid sh -c 'echo $$ > fifo; read x < go' & exit 5");
	struct spawn_token t = req.token;
	struct fx_event *e;
	int go = fx_fifo(fx, "go");

	req.leftovers = SPAWN_LEFTOVERS_WAIT;
	fx_start(fx, &req);
	fx_fifo_number(fifo);
	fx_wait_gone(fx_wait(fx, FX_STARTED, 1)->info.pid); /* a zombie is gone */
	ck_assert_int_eq(spawn_client_query(fx->client, &t, NULL), 0);
	fx_wait(fx, FX_QUERY, 1);
	ck_assert(!fx_has(fx, FX_EXITED, 1));
	ck_assert_int_eq(fd_write_all(go, "\n", 1), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(WEXITSTATUS(e->info.status), 5);
	ck_assert_uint_eq(e->info.leftovers, 1);
	close(go);
}
END_TEST

START_TEST(stop_ends_a_run_that_waits_for_its_rest)
{
	struct spawn_request req =
		job(1, "setsid sh -c 'trap \"\" TERM; echo $$ > fifo; "
		       "while :; do sleep 1; done' & exit 0");
	struct spawn_token t = req.token;
	pid_t left;

	req.leftovers = SPAWN_LEFTOVERS_WAIT;
	fx_start(fx, &req);
	left = (pid_t)fx_fifo_number(fifo);
	fx_wait_gone(fx_wait(fx, FX_STARTED, 1)->info.pid);
	ck_assert_int_eq(
		spawn_client_stop(fx->client, &t, SIGTERM, false, RV_MS(50), NULL), 0);
	fx_wait(fx, FX_EXITED, 1);
	ck_assert(!fx_is_alive(left));
}
END_TEST

START_TEST(leftovers_of_one_run_do_not_concern_another)
{
	struct spawn_request req = job(1, "setsid sleep 100 & echo $! > fifo");
	pid_t left;

	req.leftovers = SPAWN_LEFTOVERS_LEAVE;
	fx_start(fx, &req);
	left = (pid_t)fx_fifo_number(fifo);
	fx_wait(fx, FX_EXITED, 1);
	fx_run(fx, 2, "exit 0");
	ck_assert_uint_eq(fx_wait(fx, FX_EXITED, 2)->info.leftovers, 0);
	ck_assert(fx_is_alive(left));
	kill(left, SIGKILL);
	fx_wait_gone(left);
}
END_TEST

START_TEST(orphan_without_mark_in_its_own_session_is_told_and_left_alone)
{
	struct spawn_request req = job(1, "setsid env -i /bin/sh -c 'echo $$ > fifo; "
					  "read x < go' & read x < go2");
	struct fx_event *e;
	int go = fx_fifo(fx, "go"), go2 = fx_fifo(fx, "go2");
	pid_t left;

	fx_start(fx, &req);
	left = (pid_t)fx_fifo_number(fifo);
	ck_assert_int_eq(fd_write_all(go2, "\n", 1), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_uint_eq(e->info.leftovers, 0);
	e = fx_wait(fx, FX_ORPHAN, 0);
	ck_assert_int_eq(e->orphan.pid, left);
	ck_assert_uint_eq(e->orphan.token.job_id, 0);
	ck_assert(fx_is_alive(left));
	ck_assert_int_eq(fd_write_all(go, "\n", 1), 0);
	close(go);
	close(go2);
}
END_TEST

START_TEST(adopted_zombies_are_reaped)
{
	struct spawn_request req =
		job(1, "sh -c 'setsid sh -c \"echo \\$\\$ > fifo; read x < go\" &'"
		       "; read x < go2");
	int go = fx_fifo(fx, "go"), go2 = fx_fifo(fx, "go2");
	pid_t orphan;

	fx_start(fx, &req);
	orphan = (pid_t)fx_fifo_number(fifo);
	ck_assert_int_eq(fd_write_all(go, "\n", 1), 0);
	fx_wait_gone(orphan);
	/* SIGCHLD came before: two round trips later it must be gone for good */
	fx_settle(fx);
	fx_settle(fx);
	ck_assert_int_eq(state_of(orphan), '-');
	close(go);
	close(go2);
}
END_TEST

START_TEST(fork_bomb_of_sessions_is_ended)
{
	struct spawn_request req = job(1,
		"f() { [ $1 -gt 0 ] || { echo 1 > fifo; exec sleep 100; }; "
		"setsid sh \"$0\" $(($1 - 1)) & setsid sh \"$0\" $(($1 - 1)) & }; "
		"f $1; wait");
	char *argv[] = {(char *)"/bin/sh", (char *)"bomb", (char *)"5", NULL};
	struct spawn_token t = req.token;
	struct proc_list l = PROC_LIST_NULL;
	int fd;

	fd = open(fx_path(fx, "bomb"), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	ck_assert_int_eq(fd_write_all(fd, req.argv[2], strlen(req.argv[2])), 0);
	close(fd);
	req.argv = argv;
	fx_start(fx, &req);
	for (int i = 0; i < 20; i++)
		fx_fifo_number(fifo);
	ck_assert_int_eq(spawn_client_kill(fx->client, &t, NULL), 0);
	fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(proc_descendants(&l, fx->spawner), 0);
	ck_assert_uint_eq(l.n, 0);
	proc_list_deinit(&l);
}
END_TEST

/* a cgroup to make leaves in, or NULL */
static const char *cgroup_parent(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	static char path[128];

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", roots[i]);
		if (access(path, F_OK) < 0)
			continue;
		snprintf(path, sizeof(path), "%s/reeve-test-%d", roots[i],
			(int)getpid());
		if (mkdir(path, 0700) == 0)
			return path;
	}
	printf("no writable cgroup v2 here: not tested\n");
	return NULL;
}

START_TEST(cgroup_leaf_is_made_killed_and_removed)
{
	/* no mark, own session, no parent: only the cgroup knows it */
	struct spawn_request req =
		job(1, "setsid env -i /bin/sh -c 'trap \"\" TERM; echo $$ > fifo; "
		       "while :; do sleep 1; done' & read x < go; exit 0");
	const char *parent = cgroup_parent();
	char leaf[256];
	struct fx_event *e;
	int go = fx_fifo(fx, "go");
	pid_t left;

	if (parent) {
		req.cgroup = parent;
		req.kill_grace = RV_MS(50);
		fx_start(fx, &req);
		left = (pid_t)fx_fifo_number(fifo);
		snprintf(leaf, sizeof(leaf), "%s/reeve-1.1.10", parent);
		ck_assert_int_eq(access(leaf, F_OK), 0);
		ck_assert_int_eq(fd_write_all(go, "\n", 1), 0);
		e = fx_wait(fx, FX_EXITED, 1);
		ck_assert_uint_ge(e->info.leftovers, 1);
		ck_assert(!fx_is_alive(left));
		ck_assert_int_eq(access(leaf, F_OK), -1);
		ck_assert_int_eq(rmdir(parent), 0);
	}
	close(go);
}
END_TEST

START_TEST(cgroup_that_cannot_be_made_is_done_without)
{
	struct spawn_request req = job(1, "exit 6");

	req.cgroup = "/nonexistent/cgroup";
	fx_start(fx, &req);
	ck_assert_int_eq(WEXITSTATUS(fx_wait(fx, FX_EXITED, 1)->info.status), 6);
}
END_TEST

START_TEST(requests_about_an_ended_run_get_esrch)
{
	struct spawn_token t = fx_token(1);
	uint32_t seq;
	struct fx_event *e;

	fx_run(fx, 1, "exit 0");
	fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(spawn_client_stop(fx->client, &t, SIGTERM, false, 0, &seq), 0);
	e = fx_wait(fx, FX_RESULT, 1);
	ck_assert_uint_eq(e->seq, seq);
	ck_assert_int_eq(e->error, -ESRCH);
	ck_assert_int_eq(spawn_client_signal(fx->client, &t, SIGTERM, false, NULL), 0);
	ck_assert_int_eq(fx_wait(fx, FX_RESULT, 1)->error, -ESRCH);
	t = fx_token(99);
	ck_assert_int_eq(spawn_client_kill(fx->client, &t, NULL), 0);
	ck_assert_int_eq(fx_wait(fx, FX_RESULT, 99)->error, -ESRCH);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_end", setup, teardown, signal_reaches_the_whole_group,
	signal_for_main_only_spares_the_others,
	stop_kills_what_ignores_the_signal_after_the_grace,
	stop_lets_a_job_end_in_its_own_way, stop_wakes_a_paused_run,
	pause_stops_the_tree_and_resume_wakes_it, kill_ends_what_changed_session,
	leftover_in_the_group_is_ended_and_counted,
	leftover_that_made_a_session_and_lost_its_parent_is_ended,
	leftover_that_ignores_the_signal_is_killed_after_the_grace,
	leave_tells_the_exit_at_once_and_leaves_the_rest,
	wait_tells_the_exit_when_the_rest_has_ended,
	stop_ends_a_run_that_waits_for_its_rest,
	leftovers_of_one_run_do_not_concern_another,
	orphan_without_mark_in_its_own_session_is_told_and_left_alone,
	adopted_zombies_are_reaped, fork_bomb_of_sessions_is_ended,
	cgroup_leaf_is_made_killed_and_removed,
	cgroup_that_cannot_be_made_is_done_without,
	requests_about_an_ended_run_get_esrch)
