/* Runs whose stdin is a pipe that stays open, with a real spawner. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

static int fifo; /* jobs tell numbers through it */

static void setup(void)
{
	fx_setup();
	fifo = fx_fifo(fx, "fifo");
	signal(SIGPIPE, SIG_IGN);
}

static void teardown(void)
{
	close(fifo);
	fx_teardown();
}

static struct spawn_request job(uint64_t id, const char *line)
{
	struct spawn_request req = fx_request(id, line);

	req.cwd = fx->dir;
	req.stdin_kind = SPAWN_STDIO_PIPE;
	return req;
}

/* the end to write to, the caller's */
static int run_job(uint64_t id, const char *line)
{
	struct spawn_request req = job(id, line);
	struct fx_event *e;

	fx_start(fx, &req);
	e = fx_wait(fx, FX_STARTED, id);
	ck_assert(e->info.flags & SPAWN_RUN_STDIN);
	ck_assert_int_ge(e->stdin_fd, 0);
	return TAKE_FD(e->stdin_fd);
}

static void put(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int close_at_spawner(uint64_t id)
{
	struct spawn_token t = fx_token(id);

	ck_assert_int_eq(spawn_client_close_stdin(fx->client, &t, NULL), 0);
	return fx_wait(fx, FX_RESULT, id)->error;
}

START_TEST(it_reads_what_is_written_and_the_end_when_both_have_closed)
{
	struct fx_event *e;
	int fd = run_job(1, "cat >out");

	ck_assert_int_eq(
		fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY | O_NONBLOCK);
	put(fd, "one\n");
	put(fd, "two\n");
	close(fd);
	fx_settle(fx);
	ck_assert(!fx_has(fx, FX_EXITED, 1));
	ck_assert_int_eq(close_at_spawner(1), 0);
	e = fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(e->info.status, 0);
	ck_assert(!(e->info.flags & SPAWN_RUN_STDIN));
	ck_assert_str_eq(fx_read(fx, "out"), "one\ntwo\n");
}
END_TEST

START_TEST(it_blocks_who_reads_it)
{
	/* the flags of the job's end, in octal: O_NONBLOCK is 04000 */
	int fd = run_job(1, "grep ^flags: /proc/self/fdinfo/0 | cut -f 2 >fifo");

	ck_assert_int_eq(fx_fifo_number(fifo) / 1000 % 10 & 4, 0);
	fx_wait(fx, FX_EXITED, 1);
	close(fd);
}
END_TEST

START_TEST(it_stays_open_while_no_daemon_is_there)
{
	struct fx_event *e;
	int fd = run_job(1,
		"read a; echo $a >fifo; read b; echo $b >fifo; read c; echo $? >fifo");

	put(fd, "1\n");
	ck_assert_int_eq(fx_fifo_number(fifo), 1);
	close(fd);
	fx_disconnect(fx);
	fx_connect(fx);
	e = fx_wait(fx, FX_TABLE_RUN, 1);
	ck_assert(e->info.flags & SPAWN_RUN_STDIN);
	ck_assert_int_ge(e->pidfd, 0);
	put(e->stdin_fd, "2\n");
	ck_assert_int_eq(fx_fifo_number(fifo), 2);
	e->stdin_fd = close_safe(e->stdin_fd);
	ck_assert_int_eq(close_at_spawner(1), 0);
	ck_assert_int_eq(fx_fifo_number(fifo), 1); /* read's status at the end */
}
END_TEST

START_TEST(once_closed_it_is_not_told_again)
{
	struct fx_event *e;
	int fd = run_job(1, "exec <&-; exec tail -f /dev/null");

	ck_assert_int_eq(close_at_spawner(1), 0);
	ck_assert_int_eq(close_at_spawner(1), 0);
	fx_disconnect(fx);
	fx_connect(fx);
	e = fx_wait(fx, FX_TABLE_RUN, 1);
	ck_assert(!(e->info.flags & SPAWN_RUN_STDIN));
	ck_assert_int_eq(e->stdin_fd, -1);
	ck_assert_int_ge(e->pidfd, 0);
	close(fd);
}
END_TEST

START_TEST(closing_that_of_an_ended_run_is_esrch)
{
	int fd = run_job(1, "exit 0");

	fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(close_at_spawner(1), -ESRCH);
	ck_assert_int_eq(close_at_spawner(99), -ESRCH);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(fd);
}
END_TEST

START_TEST(job_that_closes_it_makes_writing_fail)
{
	struct pollfd p = {.events = POLLOUT};
	int fd = run_job(1, "exec <&-; echo 1 >fifo; exec tail -f /dev/null");

	ck_assert_int_eq(fx_fifo_number(fifo), 1);
	p.fd = fd;
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert(p.revents & POLLERR);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(fd);
}
END_TEST

START_TEST(other_runs_do_not_hold_it_open)
{
	int fd = run_job(1, "cat >/dev/null");
	int other = run_job(2, "exec tail -f /dev/null");

	fx_run(fx, 3, "exec tail -f /dev/null");
	close(fd);
	ck_assert_int_eq(close_at_spawner(1), 0);
	fx_wait(fx, FX_EXITED, 1);
	ck_assert(!fx_has(fx, FX_EXITED, 2));
	close(other);
}
END_TEST

START_TEST(what_a_run_leaves_reads_the_end_when_the_run_is_over)
{
	struct spawn_request req =
		job(1, "exec 3<&0; (cat <&3 >/dev/null; echo 5 >fifo) & exit 0");
	struct fx_event *e;

	req.leftovers = SPAWN_LEFTOVERS_LEAVE;
	fx_start(fx, &req);
	e = fx_wait(fx, FX_STARTED, 1);
	e->stdin_fd = close_safe(e->stdin_fd);
	fx_wait(fx, FX_EXITED, 1);
	ck_assert_int_eq(fx_fifo_number(fifo), 5);
}
END_TEST

START_TEST(start_that_fails_has_none)
{
	struct spawn_request req = job(1, "");
	char *argv[] = {(char *)"/nonexistent", NULL};
	struct fx_event *e;

	req.argv = argv;
	fx_start(fx, &req);
	e = fx_wait(fx, FX_FAILED, 1);
	ck_assert_int_eq(e->info.step, SPAWN_STEP_EXEC);
	ck_assert(!(e->info.flags & SPAWN_RUN_STDIN));
	/* the thread that tried is fit for the next */
	fx_run(fx, 2, "exit 0");
	ck_assert_int_eq(fx_wait(fx, FX_EXITED, 2)->info.status, 0);
}
END_TEST

START_TEST(it_belongs_to_the_owner_of_the_job)
{
	struct spawn_request req =
		job(1, "stat -L -c %u%a /dev/stdin >&2; exec cat /dev/stdin >&2");
	struct stat st;
	struct fx_event *e;
	int out[2];
	char text[64];
	ssize_t n;

	if (geteuid() != 0)
		return; /* it is our own then */
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	req.uid = 65534;
	req.gid = 65534;
	req.set_groups = true;
	req.cwd = "/";
	req.stderr_kind = SPAWN_STDIO_FD;
	req.stderr_fd = out[1];
	fx_start(fx, &req);
	e = fx_wait(fx, FX_STARTED, 1);
	ck_assert_int_eq(fstat(e->stdin_fd, &st), 0);
	ck_assert_uint_eq(st.st_uid, 65534);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	n = read(out[0], text, sizeof(text));
	ck_assert_int_eq(n, 9);
	ck_assert_int_eq(memcmp(text, "65534600\n", 9), 0);
	put(e->stdin_fd, "opened by its name");
	n = read(out[0], text, sizeof(text));
	ck_assert_int_eq(n, 18);
	close(out[0]);
	e->stdin_fd = close_safe(e->stdin_fd);
	ck_assert_int_eq(close_at_spawner(1), 0);
	fx_wait(fx, FX_EXITED, 1);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_stdin", setup, teardown,
	it_reads_what_is_written_and_the_end_when_both_have_closed,
	it_blocks_who_reads_it, it_stays_open_while_no_daemon_is_there,
	once_closed_it_is_not_told_again, closing_that_of_an_ended_run_is_esrch,
	job_that_closes_it_makes_writing_fail, other_runs_do_not_hold_it_open,
	what_a_run_leaves_reads_the_end_when_the_run_is_over, start_that_fails_has_none,
	it_belongs_to_the_owner_of_the_job)
