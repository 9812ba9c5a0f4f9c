/* Tokens, the table over connections, and what comes over a connection that is no good. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/unix_socket.h"
#include "spawn/launch.h"
#include "spawn/procfs.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

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
	fx_ack(1);
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
	fx_ack(1);
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

UNIT_MAIN_FIXTURE("spawner_conn", fx_setup, fx_teardown,
	hello_names_protocol_instance_boot_and_pid, token_in_the_table_is_refused,
	token_of_an_ended_run_is_refused_until_acknowledged,
	epoch_below_one_that_was_seen_is_refused,
	new_connection_gets_the_whole_table_with_pidfds,
	exits_are_kept_over_connections_until_acknowledged,
	exit_without_a_daemon_is_told_to_the_next_one,
	requests_of_a_killed_daemon_are_executed_before_the_next_table,
	second_connection_replaces_the_first, news_that_one_call_leaves_are_told_of,
	malformed_messages_cost_the_connection_and_nothing_else,
	spawner_keeps_its_socket_while_somebody_waits_there,
	who_is_found_in_leaving_is_greeted_at_once)
