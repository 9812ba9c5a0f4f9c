/* Starts that hang: nobody waits for them but those who asked for them. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

START_TEST(cwd_that_hangs_times_out_with_its_step_and_others_go_on)
{
	struct spawn_request req = fx_request(1, "true");
	int fuse = fx_mount_hanging(fx_path(fx, "hang"));
	struct fx_event *e;

	if (fuse < 0) {
		printf("no FUSE mount possible here: not tested\n");
		return;
	}
	req.cwd = fx_path(fx, "hang");
	req.start_timeout = RV_MS(1500);
	for (uint64_t i = 1; i <= 6; i++) {
		req.token = fx_token(i);
		fx_start(fx, &req);
	}
	for (uint64_t i = 11; i <= 20; i++) {
		fx_run(fx, i, "exit 0");
		fx_wait(fx, FX_EXITED, i);
	}
	ck_assert(!fx_has(fx, FX_FAILED, 1)); /* they have overtaken */
	for (uint64_t i = 1; i <= 6; i++) {
		e = fx_wait(fx, FX_FAILED, i);
		ck_assert_int_eq(e->info.error, ETIMEDOUT);
		ck_assert_str_eq(spawn_step_name(e->info.step), "chdir");
	}
	fx_unmount_hanging(fx_path(fx, "hang"), fuse);
}
END_TEST

START_TEST(start_that_hangs_can_be_cancelled)
{
	struct spawn_request req = fx_request(1, "true");
	int fuse = fx_mount_hanging(fx_path(fx, "hang"));
	struct fx_event *e;

	if (fuse < 0)
		return;
	req.cwd = fx_path(fx, "hang");
	fx_start(fx, &req);
	ck_assert_int_eq(
		spawn_client_stop(fx->client, &req.token, SIGTERM, false, 0, NULL), 0);
	e = fx_wait(fx, FX_FAILED, 1);
	ck_assert_int_eq(e->info.error, ECANCELED);
	fx_unmount_hanging(fx_path(fx, "hang"), fuse);
}
END_TEST

static const char *frozen_cgroup(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	static char path[128];
	char file[192];
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		snprintf(path, sizeof(path), "%s/reeve-test-%d", roots[i],
			(int)getpid());
		snprintf(file, sizeof(file), "%s/cgroup.procs", roots[i]);
		if (access(file, F_OK) < 0 || mkdir(path, 0700) < 0)
			continue;
		snprintf(file, sizeof(file), "%s/cgroup.freeze", path);
		fd = open(file, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && fd_write_all(fd, "1", 1) == 0) {
			close(fd);
			return path;
		}
		rmdir(path);
	}
	return NULL;
}

START_TEST(child_stopped_before_exec_blocks_nobody)
{
	/* frozen by its cgroup the moment it joins: stopped between clone and exec */
	struct spawn_request req = fx_request(1, "true");
	const char *parent = frozen_cgroup();
	struct fx_event *e;

	if (!parent) {
		printf("no writable cgroup v2 here: not tested\n");
		return;
	}
	req.cgroup = parent;
	req.start_timeout = RV_MS(1500);
	for (uint64_t i = 1; i <= 5; i++) {
		req.token = fx_token(i);
		fx_start(fx, &req);
	}
	fx_run(fx, 11, "exit 0");
	fx_wait(fx, FX_EXITED, 11);
	for (uint64_t i = 1; i <= 5; i++) {
		e = fx_wait(fx, FX_FAILED, i);
		ck_assert_int_eq(e->info.error, ETIMEDOUT);
		ck_assert_str_eq(spawn_step_name(e->info.step), "cgroup");
	}
	ck_assert_int_eq(rmdir(parent), 0);
}
END_TEST

START_TEST(more_hanging_starts_than_starters_are_refused_and_kills_go_on)
{
	struct spawn_request req = fx_request(1, "true");
	int fuse = fx_mount_hanging(fx_path(fx, "hang"));
	struct spawn_token t = fx_token(1000);
	struct fx_event *e;

	if (fuse < 0)
		return;
	fx_run(fx, 1000, "exec sleep 100");
	req.cwd = fx_path(fx, "hang");
	for (uint64_t i = 1; i <= 70; i++) {
		req.token = fx_token(i);
		fx_start(fx, &req);
	}
	/* the threads come one after another, each when all others hang */
	for (int patience = 0; !fx_has(fx, FX_FAILED, 0) && patience < 200; patience++)
		fx_pump(fx);
	e = fx_wait(fx, FX_FAILED, 0);
	ck_assert_int_eq(e->info.error, EAGAIN);
	ck_assert_int_eq(spawn_client_kill(fx->client, &t, NULL), 0);
	fx_wait(fx, FX_EXITED, 1000);
	fx_unmount_hanging(fx_path(fx, "hang"), fuse);
}
END_TEST

START_TEST(sigterm_takes_back_starts_that_hang)
{
	struct spawn_run_info infos[4] = {0};
	int fuse = fx_mount_hanging(fx_path(fx, "hang"));
	struct spawn_request req = fx_request(1, "true");

	if (fuse < 0)
		return;
	req.cwd = fx_path(fx, "hang");
	fx_start(fx, &req);
	fx_settle(fx);
	fx_stop_spawner(fx, SIGTERM);
	ck_assert_int_eq(fx_exits(infos), 1);
	ck_assert_int_eq(infos[1].state, SPAWN_RUN_FAILED);
	ck_assert(spawn_run_never_began(&infos[1]));
	fx_unmount_hanging(fx_path(fx, "hang"), fuse);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_hang", fx_setup, fx_teardown,
	cwd_that_hangs_times_out_with_its_step_and_others_go_on,
	start_that_hangs_can_be_cancelled, child_stopped_before_exec_blocks_nobody,
	more_hanging_starts_than_starters_are_refused_and_kills_go_on,
	sigterm_takes_back_starts_that_hang)
