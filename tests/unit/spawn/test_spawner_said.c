/* What runs say of themselves: on a descriptor, and while no daemon is there; with a real
 * spawner. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unix_socket.h"
#include "spawner_unit.h"
#include "tests/support/unit.h"

static int fifo; /* jobs tell numbers through it */

static void setup(void)
{
	fx_setup();
	fifo = fx_fifo(fx, "fifo");
	ck_assert_int_eq(mkfifo(fx_path(fx, "go"), 0600), 0);
}

static void teardown(void)
{
	close(fifo);
	fx_teardown();
}

/* whoever reads that line goes on */
static void go(void)
{
	int fd = open(fx_path(fx, "go"), O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "\n", 1), 1);
	close(fd);
}

/* ---- a line on a descriptor ----------------------------------------------------------------- */

static void start(uint64_t id, int ready_fd, const char *line)
{
	struct spawn_request req = fx_request(id, line);

	req.cwd = fx->dir;
	req.ready_fd = ready_fd;
	fx_start(fx, &req);
	ck_assert(!(fx_wait(fx, FX_STARTED, id)->info.flags & SPAWN_RUN_READY));
}

START_TEST(a_line_on_the_descriptor_is_told_once)
{
	start(1, 3,
		"printf 'no line' >&3; echo 1 >fifo; read x <go; printf 'but now\\n"
		"and more\\n' >&3; echo 2 >fifo; exec sleep 1000");
	ck_assert_int_eq(fx_fifo_number(fifo), 1);
	fx_settle(fx);
	ck_assert(!fx_has(fx, FX_READY, 1));
	go();
	fx_wait(fx, FX_READY, 1);
	ck_assert_int_eq(fx_fifo_number(fifo), 2);
	fx_settle(fx);
	ck_assert(!fx_has(fx, FX_READY, 1));
}
END_TEST

START_TEST(descriptor_is_the_only_one_beside_three)
{
	static const int numbers[] = {3, 4, 7, 100, 255};

	for (unsigned i = 0; i < 5; i++) {
		/* the shell opens none itself to look */
		start(i + 1, numbers[i],
			"n=0; i=3; while [ $i -lt 300 ]; do [ -e /proc/$$/fd/$i ] && "
			"n=$((n * 1000 + i)); i=$((i+1)); done; echo $n >fifo");
		ck_assert_int_eq(fx_fifo_number(fifo), numbers[i]);
	}
}
END_TEST

START_TEST(that_it_is_ready_stands_in_the_table)
{
	start(1, 5, "echo ready >&5; exec sleep 1000");
	ck_assert(fx_wait(fx, FX_READY, 1)->info.flags & SPAWN_RUN_READY);
	start(2, 5, "exec 5>&-; echo 1 >fifo; exec sleep 1000");
	ck_assert_int_eq(fx_fifo_number(fifo), 1);
	fx_disconnect(fx);
	fx_connect(fx);
	ck_assert(fx_wait(fx, FX_TABLE_RUN, 1)->info.flags & SPAWN_RUN_READY);
	ck_assert(!(fx_wait(fx, FX_TABLE_RUN, 2)->info.flags & SPAWN_RUN_READY));
	ck_assert(!fx_has(fx, FX_READY, 0));
}
END_TEST

START_TEST(descriptor_out_of_range_is_refused)
{
	struct spawn_request req = fx_request(1, "true");

	req.ready_fd = 2;
	ck_assert_int_eq(spawn_client_start(fx->client, &req), -EINVAL);
	req.ready_fd = 256;
	ck_assert_int_eq(spawn_client_start(fx->client, &req), -EINVAL);
}
END_TEST

/* ---- on the socket -------------------------------------------------------------------------- */

/* This program, as a process of a job: sends each line of $SAY as a datagram to $SAY_TO, "|" being
 * a newline. Before main, which knows nothing of that. */
static void __attribute__((constructor)) say(void)
{
	const char *to = getenv("SAY_TO");
	char *text = getenv("SAY"), *line, c;
	bool wait = getenv("SAY_WAIT");
	int fd, fds[2];

	if (!to || !text)
		return;
	if (unix_connect(&fd, to, SOCK_DGRAM, false) < 0)
		_exit(1);
	while ((line = strsep(&text, "\n"))) {
		for (char *p = line; *p; p++)
			*p = *p == '|' ? '\n' : *p;
		if (*line && send(fd, line, strlen(line), 0) < 0)
			_exit(1);
	}
	/* until it was read: whose the word of one is that has ended nobody can tell */
	if (pipe(fds) < 0 || unix_send_fds(fd, "BARRIER=1", 9, &fds[1], 1) != 9)
		_exit(1);
	close(fds[1]);
	_exit(wait && read(fds[0], &c, 1) != 0);
}

/* the command line for it; good until the next call */
static const char *saying(const char *before, const char *text, const char *after)
{
	static char line[2048];
	char self[256] = "";

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	snprintf(line, sizeof(line), "%s SAY_TO=notify SAY=\"%s\" %s; %s", before, text,
		self, after);
	return line;
}

/* a copy of it, which is the caller's */
static int keep_socket(void)
{
	const int on = 1;
	int fd, copy;

	ck_assert_int_eq(unix_bind_datagram(&fd, fx_path(fx, "notify"), 0600), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ge(copy, 0);
	ck_assert_int_eq(spawn_client_keep_notify(fx->client, fd), 0);
	fx_settle(fx);
	return copy;
}

/* until the spawner has read all of it: what it has not is the next daemon's */
static void await_read(int fd)
{
	char c;

	while (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
		sched_yield();
	ck_assert_int_eq(errno, EAGAIN);
}

static void run_in_dir(uint64_t id, const char *line)
{
	struct spawn_request req = fx_request(id, line);

	req.cwd = fx->dir;
	fx_start(fx, &req);
	fx_wait(fx, FX_STARTED, id);
}

START_TEST(the_last_word_of_each_kind_is_kept_while_nobody_is_there)
{
	struct fx_event *e;

	char first[2048];
	int copy = keep_socket();

	snprintf(first, sizeof(first), "%s",
		saying("export SAY_WAIT=1; read x <go;",
			"STATUS=one\nREADY=1|OTHER=x|WATCHDOG=1\nSTATUS=two", ""));
	run_in_dir(1, saying(first, "MAINPID=7\n$(seq -f STATUS=%g 300)",
			      "echo 1 >fifo; exec sleep 1000"));
	run_in_dir(2, "exec sleep 1000");
	fx_disconnect(fx);
	go();
	ck_assert_int_eq(fx_fifo_number(fifo), 1);
	await_read(copy);
	close(copy);
	fx_connect(fx);
	e = fx_wait(fx, FX_SAID, 1);
	ck_assert_str_eq(e->said, "READY=1\nMAINPID=7\nSTATUS=300\n");
	ck_assert(!fx_has(fx, FX_SAID, 2));
	e = fx_wait(fx, FX_NOTIFY, 0);
	ck_assert_int_ge(e->notify_fd, 0);
	close(e->notify_fd);
}
END_TEST

START_TEST(with_a_daemon_there_nobody_else_reads)
{
	struct spawn_token t;
	char text[64];
	struct fx_event *e;
	int fd;

	close(keep_socket());
	run_in_dir(2, "exec sleep 1000"); /* it would leave */
	fx_disconnect(fx);
	fx_connect(fx);
	fd = fx_wait(fx, FX_NOTIFY, 0)->notify_fd;
	run_in_dir(1, saying("", "STATUS=mine", "echo 1 >fifo; exec sleep 1000"));
	ck_assert_int_eq(fx_fifo_number(fifo), 1);
	fx_settle(fx);
	ck_assert_int_eq(recv(fd, text, sizeof(text), MSG_DONTWAIT), 11);
	close(fd);
	/* and what the daemon says of it stands in the next table, cut */
	t = fx_token(1);
	ck_assert_int_eq(
		spawn_client_set_said(fx->client, &t, "no kind\nSTATUS=told\n"), 0);
	fx_settle(fx);
	fx_disconnect(fx);
	fx_connect(fx);
	e = fx_wait(fx, FX_SAID, 1);
	ck_assert_str_eq(e->said, "STATUS=told\n");
}
END_TEST

START_TEST(what_is_no_datagram_socket_ends_the_connection)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(spawn_client_keep_notify(fx->client, fds[0]), 0);
	while (!fx->lost)
		fx_pump(fx);
	ck_assert_int_lt(fx->lost, 0);
	close(fds[1]);
}
END_TEST

UNIT_MAIN_FIXTURE("spawner_said", setup, teardown,
	a_line_on_the_descriptor_is_told_once, descriptor_is_the_only_one_beside_three,
	that_it_is_ready_stands_in_the_table, descriptor_out_of_range_is_refused,
	the_last_word_of_each_kind_is_kept_while_nobody_is_there,
	with_a_daemon_there_nobody_else_reads,
	what_is_no_datagram_socket_ends_the_connection)
