/* Tokens, the table over connections, hanging starts, the end of the spawner. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/unix_socket.h"
#include "spawn/exits.h"
#include "spawn/launch.h"
#include "spawn/procfs.h"
#include "spawner_fixture.h"
#include "tests/support/unit.h"

static struct fx *fx;

static void setup(void)
{
	fx = calloc(1, sizeof(*fx));
	ck_assert_ptr_nonnull(fx);
	fx_begin(fx);
}

static void teardown(void)
{
	fx_end(fx);
}

static void ack(uint64_t job_id)
{
	struct spawn_token t = fx_token(job_id);

	ck_assert_int_eq(spawn_client_ack(fx->client, &t), 0);
}

static void expect_refusal(const struct spawn_request *req, int error)
{
	struct fx_event *e;

	fx_start(fx, req);
	e = fx_wait(fx, FX_FAILED, req->token.job_id);
	ck_assert_int_eq(e->info.step, SPAWN_STEP_REQUEST);
	ck_assert_msg(e->info.error == error, "%s", rv_strerror(e->info.error));
}

START_TEST(hello_names_protocol_instance_boot_and_pid)
{
	const struct wire_hello *h = &fx->events[0].hello;
	char boot[33];

	ck_assert_int_eq(fx->events[0].kind, FX_HELLO);
	ck_assert_uint_eq(h->version, WIRE_VERSION);
	ck_assert_uint_eq(strlen(h->instance), SPAWN_ID_LEN);
	ck_assert_int_eq(boot_id_get(boot), 0);
	ck_assert_str_eq(h->boot_id, boot);
	ck_assert_int_eq(h->pid, fx->spawner);
}
END_TEST

START_TEST(token_in_the_table_is_refused)
{
	struct spawn_request req = fx_request(1, "exec sleep 100");

	fx_start(fx, &req);
	fx_wait(fx, FX_STARTED, 1);
	expect_refusal(&req, EEXIST);
	req.token.epoch++; /* the same run, from another daemon */
	expect_refusal(&req, EEXIST);
}
END_TEST

START_TEST(token_of_an_ended_run_is_refused_until_acknowledged)
{
	struct spawn_request req;

	fx_run(fx, 1, "exit 0");
	fx_wait(fx, FX_EXITED, 1);
	req = fx_request(1, "exit 0");
	expect_refusal(&req, EEXIST);
	ack(1);
	fx_start(fx, &req);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

START_TEST(epoch_below_one_that_was_seen_is_refused)
{
	struct spawn_request req = fx_request(1, "exit 0");

	fx_start(fx, &req);
	fx_wait(fx, FX_STARTED, 1);
	req.token = (struct spawn_token){2, 1, 9};
	expect_refusal(&req, ESTALE);
}
END_TEST

START_TEST(new_connection_gets_the_whole_table_with_pidfds)
{
	struct pollfd pfd = {.events = POLLIN};
	struct fx_event *e;
	struct spawn_request req = fx_request(3, "true");
	pid_t pid;

	pid = fx_run(fx, 1, "exec sleep 100")->info.pid;
	fx_run(fx, 2, "exit 9");
	fx_wait(fx, FX_EXITED, 2);
	req.cwd = "/nonexistent";
	fx_start(fx, &req);
	fx_wait(fx, FX_FAILED, 3);
	fx_disconnect(fx);

	fx_connect(fx);
	e = fx_wait(fx, FX_TABLE_RUN, 1);
	ck_assert_int_eq(e->info.state, SPAWN_RUN_RUNNING);
	ck_assert_int_eq(e->info.pid, pid);
	ck_assert_int_ge(e->pidfd, 0);
	kill(pid, SIGKILL);
	pfd.fd = e->pidfd;
	ck_assert_int_eq(poll(&pfd, 1, FX_PATIENCE_MS), 1);
	e = fx_wait(fx, FX_TABLE_RUN, 2);
	ck_assert_int_eq(e->info.state, SPAWN_RUN_EXITED);
	ck_assert_int_eq(WEXITSTATUS(e->info.status), 9);
	ck_assert_int_eq(e->pidfd, -1);
	e = fx_wait(fx, FX_TABLE_RUN, 3);
	ck_assert_int_eq(e->info.state, SPAWN_RUN_FAILED);
	ck_assert_int_eq(e->info.step, SPAWN_STEP_CHDIR);
}
END_TEST

START_TEST(exits_are_kept_over_connections_until_acknowledged)
{
	fx_run(fx, 1, "exit 9");
	fx_wait(fx, FX_EXITED, 1);
	for (int i = 0; i < 3; i++) {
		fx_disconnect(fx);
		fx_connect(fx);
		fx_wait(fx, FX_TABLE_RUN, 1);
	}
	fx_run(fx, 2, "exec sleep 100"); /* or it would leave */
	ack(1);
	fx_settle(fx);
	fx_disconnect(fx);
	fx_connect(fx);
	fx_wait(fx, FX_TABLE_RUN, 2);
	ck_assert(!fx_has(fx, FX_TABLE_RUN, 1));
}
END_TEST

START_TEST(exit_without_a_daemon_is_told_to_the_next_one)
{
	int go = fx_fifo(fx, "go");
	struct spawn_request req = fx_request(1, "read x < go; exit 8");
	struct fx_event *e;
	pid_t pid;

	req.cwd = fx->dir;
	fx_start(fx, &req);
	pid = fx_wait(fx, FX_STARTED, 1)->info.pid;
	fx_disconnect(fx);
	ck_assert_int_eq(fd_write_all(go, "\n", 1), 0);
	fx_wait_gone(pid);
	fx_connect(fx);
	e = fx_wait(fx, FX_TABLE_RUN, 1);
	if (e->info.state != SPAWN_RUN_EXITED) /* it came between exit and reaping */
		e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(WEXITSTATUS(e->info.status), 8);
	close(go);
}
END_TEST

/* what a process that is killed leaves in the socket */
static void start_and_die(uint64_t first, uint64_t last)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		static const struct spawn_client_ops none;
		struct spawn_client *c;
		int fd;

		if (spawn_connect(&fd, fx->dir) < 0 ||
			spawn_client_new(&c, fd, &none, NULL) < 0)
			_exit(1);
		for (uint64_t i = first; i <= last; i++) {
			struct spawn_request req = fx_request(i, "exec sleep 100");

			if (spawn_client_start(c, &req) < 0)
				_exit(1);
		}
		if (spawn_client_flush(c) < 0 || spawn_client_wants_write(c))
			_exit(1);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

START_TEST(requests_of_a_killed_daemon_are_executed_before_the_next_table)
{
	/* all connections wait for it; before it can see that nobody needs it any more */
	kill(fx->spawner, SIGSTOP);
	ck_assert_int_eq(waitpid(fx->spawner, NULL, WUNTRACED), fx->spawner);
	fx_disconnect(fx);
	start_and_die(1, 20);
	kill(fx->spawner, SIGCONT);
	fx_connect(fx);
	for (uint64_t i = 1; i <= 20; i++)
		ck_assert(fx_has(fx, FX_TABLE_RUN, i));
}
END_TEST

START_TEST(second_connection_replaces_the_first)
{
	struct spawn_client *first = fx->client;
	struct pollfd pfd = {.fd = spawn_client_fd(first), .events = POLLIN};
	struct spawn_request req = fx_request(1, "exec sleep 100");

	/* in the socket when the second comes */
	fx_start(fx, &req);
	fx_connect(fx);
	ck_assert(fx_has(fx, FX_TABLE_RUN, 1));
	ck_assert_int_eq(poll(&pfd, 1, FX_PATIENCE_MS), 1);
	spawn_client_free(first);
}
END_TEST

static void count_result(
	uint32_t seq, const struct spawn_token *t, int error, void *arg)
{
	++*(int *)arg;
}

/* the loop's watch tells an edge, and what was left would wait for the next one */
START_TEST(news_that_one_call_leaves_are_told_of)
{
	static const struct spawn_client_ops count = {.on_result = count_result};
	struct wire_result res = {.token = fx_token(1)};
	_cleanup_(buf_deinitp) struct buf record = BUF_NULL;
	struct spawn_client *c;
	int fds[2], n = 0;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(spawn_client_new(&c, fds[0], &count, &n), 0);
	ck_assert_int_gt(wire_encode_result(&record, &res), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_gt(unix_send_fds(fds[1], buf_head(&record),
					 buf_len(&record), NULL, 0),
			0);
	ck_assert_int_eq(spawn_client_process(c), 1);
	ck_assert_int_lt(n, 100);
	while (spawn_client_process(c) == 1)
		;
	ck_assert_int_eq(n, 100);
	ck_assert_int_eq(spawn_client_process(c), 0);
	spawn_client_free(c);
	close(fds[1]);
}
END_TEST

/* raw bytes as a peer; true when the connection was dropped, and the spawner lives */
static void expect_drop(const void *p, size_t n, int *fds, size_t n_fds)
{
	struct pollfd pfd = {.events = POLLIN};
	char text[4096];
	struct buf hello = BUF_NULL;
	struct wire_writer w;
	int fd;

	ck_assert_int_eq(spawn_connect(&fd, fx->dir), 0);
	wire_begin(&w, &hello, WIRE_CLIENT_HELLO, 0);
	wire_put(&w, WIRE_VERSION, 4);
	ck_assert_int_gt(wire_end(&w), 0);
	ck_assert_int_gt(
		unix_send_fds(fd, buf_head(&hello), buf_len(&hello), NULL, 0), 0);
	ck_assert_int_gt(unix_send_fds(fd, p, n, fds, n_fds), 0);
	pfd.fd = fd;
	for (;;) {
		ssize_t got;

		ck_assert_msg(poll(&pfd, 1, FX_PATIENCE_MS) == 1, "not dropped");
		got = recv(fd, text, sizeof(text), MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
	}
	close(fd);
	buf_deinit(&hello);
}

START_TEST(malformed_messages_cost_the_connection_and_nothing_else)
{
	struct spawn_request req = fx_request(5, "true");
	struct buf b = BUF_NULL;
	struct wire_blob blob;
	char data[64];
	int fd;

	fx_run(fx, 1, "exec sleep 100");
	fx_disconnect(fx);
	expect_drop("x", 1, NULL, 0);
	expect_drop("\x08\0\0\0\xff\0\0\0", 8, NULL, 0);   /* unknown type */
	expect_drop("\xff\xff\0\0\x02\0\0\0", 8, NULL, 0); /* longer than it is */

	/* argv in a memfd that may still be changed */
	ck_assert_int_eq(wire_blob_measure(&blob, req.argv, NULL), 0);
	wire_blob_fill(data, req.argv, NULL);
	ck_assert_int_gt(wire_encode_start(&b, &req, &blob, NULL), 0);
	fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(fd_write_all(fd, data, blob.len), 0);
	expect_drop(buf_head(&b), buf_len(&b), &fd, 1);
	/* sealed, but of another length */
	ck_assert_int_eq(ftruncate(fd, blob.len + 1), 0);
	ck_assert_int_eq(
		fcntl(fd, F_ADD_SEALS,
			F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
		0);
	expect_drop(buf_head(&b), buf_len(&b), &fd, 1);
	/* a descriptor that no record speaks of */
	expect_drop("\x09\0\0\0\x01\0\0\0x", 9, &fd, 1);
	close(fd);
	buf_deinit(&b);

	fx_connect(fx);
	ck_assert(fx_has(fx, FX_TABLE_RUN, 1));
	ck_assert(!fx_has(fx, FX_TABLE_RUN, 5));
}
END_TEST

/* -- starts that hang ---------------------------------------------------------------
 */

/* A directory on which every access hangs until it is killed: a FUSE mount whose server
 * never answers. -1: not possible here. */
static int mount_hanging(const char *path)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0 || mkdir(path, 0700) < 0)
		return -1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		fd);
	if (mount("reeve-test", path, "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

START_TEST(cwd_that_hangs_times_out_with_its_step_and_others_go_on)
{
	struct spawn_request req = fx_request(1, "true");
	int fuse = mount_hanging(fx_path(fx, "hang"));
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
	umount2(fx_path(fx, "hang"), MNT_DETACH);
	close(fuse);
}
END_TEST

START_TEST(start_that_hangs_can_be_cancelled)
{
	struct spawn_request req = fx_request(1, "true");
	int fuse = mount_hanging(fx_path(fx, "hang"));
	struct fx_event *e;

	if (fuse < 0)
		return;
	req.cwd = fx_path(fx, "hang");
	fx_start(fx, &req);
	ck_assert_int_eq(
		spawn_client_stop(fx->client, &req.token, SIGTERM, false, 0, NULL), 0);
	e = fx_wait(fx, FX_FAILED, 1);
	ck_assert_int_eq(e->info.error, ECANCELED);
	umount2(fx_path(fx, "hang"), MNT_DETACH);
	close(fuse);
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
	int fuse = mount_hanging(fx_path(fx, "hang"));
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
	umount2(fx_path(fx, "hang"), MNT_DETACH);
	close(fuse);
}
END_TEST

/* -- coming and going ---------------------------------------------------------------
 */

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
	ack(1);
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

#ifdef REEVE_FAILPOINTS
/* The spawner has read from its only connection and seen nothing else in this turn: stopped.
 * It reads on as soon as it may, to the end of the connection. */
static void stop_in_the_middle_of_a_turn(void)
{
	fx_disconnect(fx);
	fx_stop_spawner(fx, SIGTERM);
	ck_assert_int_eq(setenv("REEVE_FAILPOINT", "spawner-request-read:stop", 1), 0);
	fx_launch(fx);
	fx_connect(fx);
	ck_assert_int_eq(waitpid(fx->spawner, NULL, WUNTRACED), fx->spawner);
}

/* it is idle, and alone but for those that it has not seen yet */
START_TEST(spawner_keeps_its_socket_while_somebody_waits_there)
{
	_cleanup_close_ int file = -1;
	struct stat st;

	stop_in_the_middle_of_a_turn();
	file = open(fx_path(fx, SPAWN_SOCKET_NAME), O_PATH | O_CLOEXEC);
	ck_assert_int_ge(file, 0);
	fx_disconnect(fx);
	start_and_die(1, 20);
	kill(fx->spawner, SIGCONT);
	fx_connect(fx);
	for (uint64_t i = 1; i <= 20; i++)
		ck_assert(fx_has(fx, FX_TABLE_RUN, i));
	ck_assert_int_eq(fstat(file, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 1);
}
END_TEST

START_TEST(who_is_found_in_leaving_is_greeted_at_once)
{
	struct pollfd pfd = {.events = POLLIN};

	stop_in_the_middle_of_a_turn();
	fx_disconnect(fx);
	ck_assert_int_eq(spawn_connect(&pfd.fd, fx->dir), 0);
	kill(fx->spawner, SIGCONT);
	/* nothing is sent that would wake it */
	ck_assert_int_eq(poll(&pfd, 1, FX_PATIENCE_MS), 1);
	ck_assert_int_eq(pfd.revents, POLLIN);
	close(pfd.fd);
}
END_TEST
#else
START_TEST(spawner_keeps_its_socket_while_somebody_waits_there)
{
	printf("built without failpoints: not tested\n");
}
END_TEST

START_TEST(who_is_found_in_leaving_is_greeted_at_once)
{
	printf("built without failpoints: not tested\n");
}
END_TEST
#endif

START_TEST(spawner_stays_while_an_exit_waits)
{
	fx_run(fx, 1, "exit 3");
	fx_wait(fx, FX_EXITED, 1);
	fx_disconnect(fx);
	fx_connect(fx);
	fx_wait(fx, FX_TABLE_RUN, 1);
}
END_TEST

static int collect_exit(
	const struct wire_hello *from, const struct spawn_run_info *info, void *arg)
{
	struct spawn_run_info *infos = arg;

	if (!info)
		return 0;
	ck_assert_uint_lt(info->token.job_id, 4);
	infos[info->token.job_id] = *info;
	return 0;
}

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
	ck_assert_int_eq(spawn_exits_load(dir, collect_exit, infos), 3);
	ck_assert_int_eq(WEXITSTATUS(infos[1].status), 3);
	ck_assert_int_eq(WTERMSIG(infos[2].status), SIGTERM);
	ck_assert_int_eq(WTERMSIG(infos[3].status), SIGKILL);
	/* which of them it ended itself */
	ck_assert(!(infos[1].flags & SPAWN_RUN_SHUTDOWN));
	ck_assert(infos[2].flags & SPAWN_RUN_SHUTDOWN);
	ck_assert(infos[3].flags & SPAWN_RUN_SHUTDOWN);
	ck_assert_int_eq(access(fx_path(fx, SPAWN_SOCKET_NAME), F_OK), -1);
	ck_assert_int_eq(spawn_exits_remove(dir), 0);
	ck_assert_int_eq(spawn_exits_load(dir, collect_exit, infos), 0);
	close(fifo);
}
END_TEST

START_TEST(sigterm_takes_back_starts_that_hang)
{
	struct spawn_run_info infos[4] = {0};
	_cleanup_close_ int dir = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fuse = mount_hanging(fx_path(fx, "hang"));
	struct spawn_request req = fx_request(1, "true");

	if (fuse < 0)
		return;
	req.cwd = fx_path(fx, "hang");
	fx_start(fx, &req);
	fx_settle(fx);
	fx_stop_spawner(fx, SIGTERM);
	ck_assert_int_eq(spawn_exits_load(dir, collect_exit, infos), 1);
	ck_assert_int_eq(infos[1].state, SPAWN_RUN_FAILED);
	ck_assert(spawn_run_never_began(&infos[1]));
	umount2(fx_path(fx, "hang"), MNT_DETACH);
	close(fuse);
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
	expect_refusal(&req, RV_ESHUTDOWN);
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

UNIT_MAIN_FIXTURE("spawner_conn", setup, teardown,
	hello_names_protocol_instance_boot_and_pid, token_in_the_table_is_refused,
	token_of_an_ended_run_is_refused_until_acknowledged,
	epoch_below_one_that_was_seen_is_refused,
	new_connection_gets_the_whole_table_with_pidfds,
	exits_are_kept_over_connections_until_acknowledged,
	exit_without_a_daemon_is_told_to_the_next_one,
	requests_of_a_killed_daemon_are_executed_before_the_next_table,
	second_connection_replaces_the_first, news_that_one_call_leaves_are_told_of,
	malformed_messages_cost_the_connection_and_nothing_else,
	cwd_that_hangs_times_out_with_its_step_and_others_go_on,
	start_that_hangs_can_be_cancelled, child_stopped_before_exec_blocks_nobody,
	more_hanging_starts_than_starters_are_refused_and_kills_go_on,
	spawner_leaves_when_idle_and_alone,
	spawner_keeps_its_socket_while_somebody_waits_there,
	who_is_found_in_leaving_is_greeted_at_once, spawner_stays_while_an_exit_waits,
	sigterm_ends_the_runs_and_writes_their_exits,
	sigterm_takes_back_starts_that_hang, starts_after_sigterm_are_refused,
	socket_that_was_removed_is_made_again_for_the_next_daemon,
	second_spawner_in_a_directory_yields_to_the_first,
	killed_spawner_is_replaced_and_has_another_instance,
	state_directory_that_others_may_enter_is_refused)
