/* Runs whose output gets the time at the front of its lines, with a real spawner. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "spawn/stamp.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

static void start(
	uint64_t id, const char *line, const char *path, enum spawn_leftovers leftovers)
{
	struct spawn_request req = fx_request(id, line);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	req.cwd = fx->dir;
	req.stdout_kind = SPAWN_STDIO_FD;
	req.stderr_kind = SPAWN_STDIO_STDOUT;
	req.stdout_fd = fd;
	req.stamped = true;
	req.leftovers = leftovers;
	fx_start(fx, &req);
	close(fd);
}

/* the n lines of a file, each with a time, and what follows it */
static void assert_lines(const char *name, const char *const *lines, size_t n)
{
	const char *p = fx_read(fx, name);

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(lines[i]);

		ck_assert_uint_ge(strlen(p), STAMP_LEN + len + 1);
		ck_assert_int_eq(p[STAMP_LEN - 2], 'Z');
		ck_assert_mem_eq(p + STAMP_LEN, lines[i], len);
		p += STAMP_LEN + len;
		ck_assert_int_eq(*p++, '\n');
	}
	ck_assert_str_eq(p, "");
}

START_TEST(all_is_in_the_file_when_the_end_is_told)
{
	const char *p;
	size_t n = 0;

	for (uint64_t id = 1; id <= 20; id++) {
		char name[16];

		snprintf(name, sizeof(name), "out%d", (int)id);
		start(id, "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done",
			fx_path(fx, name), SPAWN_LEFTOVERS_KILL);
	}
	for (uint64_t id = 1; id <= 20; id++) {
		char name[16];

		fx_wait(fx, FX_EXITED, id);
		snprintf(name, sizeof(name), "out%d", (int)id);
		p = fx_read(fx, name);
		n = strlen(p);
		ck_assert_uint_gt(n, STAMP_LEN + 5);
		ck_assert_str_eq(p + n - 6, " 1999\n");
	}
}
END_TEST

START_TEST(both_streams_go_into_one_file)
{
	start(1, "echo one; echo two >&2; echo three", fx_path(fx, "out"),
		SPAWN_LEFTOVERS_KILL);
	fx_wait(fx, FX_EXITED, 1);
	assert_lines("out", (const char *const[]){"one", "two", "three"}, 3);
}
END_TEST

START_TEST(full_disk_keeps_no_run_from_its_end)
{
	if (access("/dev/full", W_OK) < 0)
		return;
	start(1, "i=0; while [ $i -lt 100000 ]; do echo $i; i=$((i+1)); done; exit 3",
		"/dev/full", SPAWN_LEFTOVERS_KILL);
	ck_assert_int_eq(WEXITSTATUS(fx_wait(fx, FX_EXITED, 1)->info.status), 3);
}
END_TEST

/* what is there, by the end of a pipe that does not wait */
static size_t take_all(int fd, char *buf, size_t size)
{
	size_t n = 0;
	ssize_t k;

	while (n < size - 1 && (k = read(fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)k;
	buf[n] = '\0';
	return n;
}

START_TEST(what_could_not_be_written_is_told_when_something_can_be)
{
	static char text[1 << 20];
	struct spawn_request req =
		fx_request(1, "head -c 400000 /dev/zero | tr '\\0' x; "
			      "echo >begun; read -r x <go; "
			      "echo; echo last");
	int begun = fx_fifo(fx, "begun"), go = fx_fifo(fx, "go"), fds[2];
	const char *told;
	size_t n;
	char c;

	/* a file that is full after 64 KiB, until it is read */
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	req.cwd = fx->dir;
	req.stdout_kind = SPAWN_STDIO_FD;
	req.stderr_kind = SPAWN_STDIO_STDOUT;
	req.stdout_fd = fds[1];
	req.stamped = true;
	fx_start(fx, &req);
	close(fds[1]);
	/* the job is not kept from what it does */
	ck_assert_int_eq(read(begun, &c, 1), 1);
	/* some is lost by now; what is still on its way has room */
	ck_assert_int_ge(fcntl(fds[0], F_SETPIPE_SZ, 1 << 19), 1 << 19);
	n = take_all(fds[0], text, sizeof(text));
	ck_assert_int_eq(write(go, "\n", 1), 1);
	fx_wait(fx, FX_EXITED, 1);
	take_all(fds[0], text + n, sizeof(text) - n);
	told = strstr(text, " bytes could not be written: ");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_nonnull(strstr(told, "Z last\n"));
	close(fds[0]);
	close(begun);
	close(go);
}
END_TEST

START_TEST(start_that_fails_leaves_no_pipe)
{
	struct spawn_request req;
	int fd = open(fx_path(fx, "out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	req = fx_request(1, "true");
	req.cwd = "/nonexist";
	req.stdout_kind = SPAWN_STDIO_FD;
	req.stderr_kind = SPAWN_STDIO_STDOUT;
	req.stdout_fd = fd;
	req.stamped = true;
	fx_start(fx, &req);
	close(fd);
	fx_wait(fx, FX_FAILED, 1);
	fx_ack(1);
	fx_settle(fx);
	fx_disconnect(fx);
	/* which it does when nothing is left to do */
	fx_wait_gone(fx->spawner);
}
END_TEST

START_TEST(what_is_left_behind_writes_on_and_keeps_the_spawner)
{
	int go = fx_fifo(fx, "go");

	start(1, "(trap '' HUP; read -r x <go; echo later) & echo first",
		fx_path(fx, "out"), SPAWN_LEFTOVERS_LEAVE);
	fx_wait(fx, FX_EXITED, 1);
	assert_lines("out", (const char *const[]){"first"}, 1);
	fx_ack(1);
	fx_settle(fx);
	fx_disconnect(fx);
	ck_assert_int_eq(write(go, "\n", 1), 1);
	fx_wait_gone(fx->spawner);
	assert_lines("out", (const char *const[]){"first", "later"}, 2);
	close(go);
}
END_TEST

static int pipe_size_of(uint64_t id)
{
	_cleanup_close_ int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/fd/1",
		(int)fx_wait(fx, FX_STARTED, id)->info.pid);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fcntl(fd, F_GETPIPE_SZ);
}

START_TEST(pipes_of_many_runs_leave_room_for_others)
{
	enum { N = 68 };
	int go = fx_fifo(fx, "go");

	for (uint64_t id = 1; id <= N; id++)
		start(id, "read -r x <go", fx_path(fx, "out"), SPAWN_LEFTOVERS_KILL);
	ck_assert_int_gt(pipe_size_of(1), 65536);
	ck_assert_int_gt(pipe_size_of(64), 65536);
	ck_assert_int_le(pipe_size_of(65), 65536);
	ck_assert_int_le(pipe_size_of(N), 65536);
	/* each reads up to its own newline */
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(write(go, "\n", 1), 1);
	for (uint64_t id = 1; id <= N; id++)
		fx_wait(fx, FX_EXITED, id);
	start(N + 1, "read -r x <go", fx_path(fx, "out"), SPAWN_LEFTOVERS_KILL);
	ck_assert_int_gt(pipe_size_of(N + 1), 65536);
	ck_assert_int_eq(write(go, "\n", 1), 1);
	fx_wait(fx, FX_EXITED, N + 1);
	close(go);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_stamped", fx_setup, fx_teardown,
	all_is_in_the_file_when_the_end_is_told, both_streams_go_into_one_file,
	full_disk_keeps_no_run_from_its_end,
	what_could_not_be_written_is_told_when_something_can_be,
	start_that_fails_leaves_no_pipe,
	what_is_left_behind_writes_on_and_keeps_the_spawner,
	pipes_of_many_runs_leave_room_for_others)
