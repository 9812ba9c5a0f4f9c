/* How a spawner comes and goes. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "spawn/exits.h"
#include "spawn/launch.h"
#include "spawn/procfs.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

static int count_spawners(
	const struct wire_hello *from, const struct spawn_run_info *info, void *arg)
{
	int *n = arg;

	ck_assert_ptr_null(info);
	++*n;
	return 0;
}

START_TEST(spawner_leaves_when_idle_and_alone)
{
	_cleanup_close_ int dir = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status, n_spawners = 0;

	fx_run(fx, 1, "exit 0");
	fx_wait(fx, FX_EXITED, 1);
	fx_ack(1);
	fx_settle(fx);
	fx_disconnect(fx);
	ck_assert_int_eq(waitpid(fx->spawner, &status, 0), fx->spawner);
	ck_assert_int_eq(status, 0);
	fx->spawner = 0; /* and the guard goes with us */
	/* whatever it was recorded with and did not get was never started */
	ck_assert_int_eq(spawn_exits_load(dir, count_spawners, &n_spawners), 0);
	ck_assert_int_eq(n_spawners, 1);
	ck_assert_int_eq(access(fx_path(fx, SPAWN_SOCKET_NAME), F_OK), -1);
}
END_TEST

START_TEST(spawner_stays_while_an_exit_waits)
{
	fx_run(fx, 1, "exit 3");
	fx_wait(fx, FX_EXITED, 1);
	fx_disconnect(fx);
	fx_connect(fx);
	fx_wait(fx, FX_TABLE_RUN, 1);
}
END_TEST

START_TEST(sigterm_ends_the_runs_and_writes_their_exits)
{
	struct spawn_run_info infos[4] = {0};
	_cleanup_close_ int dir = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fifo = fx_fifo(fx, "fifo");
	struct spawn_request req;

	fx_run(fx, 1, "exit 3");
	fx_wait(fx, FX_EXITED, 1);
	fx_run(fx, 2, "exec sleep 100");
	req = fx_request(3, "trap '' TERM; echo 1 > fifo; while :; do sleep 1; done");
	req.cwd = fx->dir;
	req.kill_grace = RV_MS(50);
	fx_start(fx, &req);
	fx_wait(fx, FX_STARTED, 3);
	fx_fifo_number(fifo);
	fx_stop_spawner(fx, SIGTERM);
	ck_assert_int_eq(fx_exits(infos), 3);
	ck_assert_int_eq(WEXITSTATUS(infos[1].status), 3);
	ck_assert_int_eq(WTERMSIG(infos[2].status), SIGTERM);
	ck_assert_int_eq(WTERMSIG(infos[3].status), SIGKILL);
	/* which of them it ended itself */
	ck_assert(!(infos[1].flags & SPAWN_RUN_SHUTDOWN));
	ck_assert(infos[2].flags & SPAWN_RUN_SHUTDOWN);
	ck_assert(infos[3].flags & SPAWN_RUN_SHUTDOWN);
	ck_assert_int_eq(access(fx_path(fx, SPAWN_SOCKET_NAME), F_OK), -1);
	ck_assert_int_eq(spawn_exits_remove(dir), 0);
	ck_assert_int_eq(fx_exits(infos), 0);
	close(fifo);
}
END_TEST

START_TEST(starts_after_sigterm_are_refused)
{
	int fifo = fx_fifo(fx, "fifo");
	struct spawn_request req;

	req = fx_request(1, "trap 'echo 2 > fifo' TERM; echo 1 > fifo; while :; do "
			    "sleep 0.05; done");
	req.cwd = fx->dir;
	fx_start(fx, &req);
	fx_wait(fx, FX_STARTED, 1);
	fx_fifo_number(fifo);
	kill(fx->spawner, SIGTERM);
	ck_assert_int_eq(fx_fifo_number(fifo), 2);
	req = fx_request(2, "true");
	fx_start(fx, &req);
	ck_assert_int_eq(fx_wait(fx, FX_FAILED, 2)->info.error, RV_ESHUTDOWN);
	close(fifo);
}
END_TEST

START_TEST(socket_that_was_removed_is_made_again_for_the_next_daemon)
{
	int fd, r;

	fx_run(fx, 1, "exec sleep 100");
	ck_assert_int_eq(unlink(fx_path(fx, SPAWN_SOCKET_NAME)), 0);
	fx_disconnect(fx);
	/* it comes when the spawner has seen that; nothing tells of it */
	do
		r = spawn_connect(&fd, fx->dir);
	while (r == -ENOENT || r == -ECONNREFUSED);
	ck_assert_int_eq(r, 0);
	close(fd);
	fx_connect(fx);
	ck_assert(fx_has(fx, FX_TABLE_RUN, 1));
}
END_TEST

START_TEST(second_spawner_in_a_directory_yields_to_the_first)
{
	struct spawn_launch launch = {.program = REEVE_SPAWNER, .state_dir = fx->dir};
	struct pollfd pfd = {.events = POLLIN};
	int ready_fd, status;
	pid_t pid;

	ck_assert_int_eq(spawn_launch(&pid, &ready_fd, &launch), 0);
	pfd.fd = ready_fd;
	ck_assert_int_eq(poll(&pfd, 1, FX_PATIENCE_MS), 1);
	ck_assert_int_eq(spawn_ready(ready_fd), 0); /* connect, to the first */
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(ready_fd);
	fx_settle(fx);
}
END_TEST

START_TEST(killed_spawner_is_replaced_and_has_another_instance)
{
	char instance[SPAWN_ID_LEN + 1];
	struct spawn_token t;
	pid_t job;

	strcpy(instance, fx->events[0].hello.instance);
	job = fx_run(fx, 1, "exec sleep 100")->info.pid;
	fx_disconnect(fx);
	fx_stop_spawner(fx, SIGKILL);
	ck_assert(fx_is_alive(job));
	fx_wait(fx, FX_HELLO, 0);
	fx_begin(fx);
	ck_assert_str_ne(fx_wait(fx, FX_HELLO, 0)->hello.instance, instance);
	ck_assert(!fx_has(fx, FX_TABLE_RUN, 0));
	/* its mark still tells whose it is */
	{
		char from[SPAWN_ID_LEN + 1];

		ck_assert_int_eq(proc_mark_get(&t, from, job), 0);
		ck_assert_uint_eq(t.job_id, 1);
		ck_assert_str_eq(from, instance);
	}
	kill(job, SIGKILL);
}
END_TEST

START_TEST(state_directory_that_others_may_enter_is_refused)
{
	struct spawn_launch launch = {.program = REEVE_SPAWNER};
	struct pollfd pfd = {.events = POLLIN};
	char dir[] = "/tmp/reeve-spawn-XXXXXX";
	int ready_fd, status;
	pid_t pid;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	launch.state_dir = dir;
	ck_assert_int_eq(spawn_launch(&pid, &ready_fd, &launch), 0);
	pfd.fd = ready_fd;
	ck_assert_int_eq(poll(&pfd, 1, FX_PATIENCE_MS), 1);
	ck_assert_int_eq(spawn_ready(ready_fd), -EPERM);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(ready_fd);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_leave", fx_setup, fx_teardown,
	spawner_leaves_when_idle_and_alone, spawner_stays_while_an_exit_waits,
	sigterm_ends_the_runs_and_writes_their_exits, starts_after_sigterm_are_refused,
	socket_that_was_removed_is_made_again_for_the_next_daemon,
	second_spawner_in_a_directory_yields_to_the_first,
	killed_spawner_is_replaced_and_has_another_instance,
	state_directory_that_others_may_enter_is_refused)
