#include "tests/unit/daemon/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/run.h"
#include "daemon/run_stdin.h"
#include "daemon/spawner_link_priv.h"

/* a run whose link has no spawner now; no process, only the pipe */
struct pipe_run {
	struct spawner_link link;
	struct core core;
	struct run run;
	int job_end; /* -1: closed */
};

static int new_end(struct pipe_run *p)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_set_nonblock(fds[1], true), 0);
	close_safe(p->job_end);
	p->job_end = fds[0];
	return fds[1];
}

static void begin(struct pipe_run *p)
{
	memset(p, 0, sizeof(*p));
	p->job_end = -1;
	signal(SIGPIPE, SIG_IGN);
	list_init(&p->link.want_room);
	p->core.spawner = &p->link;
	p->run.core = &p->core;
	rv_event_init(&p->run.wake);
	ck_assert_int_eq(run_stdin_new(&p->run.in), 0);
	ck_assert_int_eq(p->run.in->state, RUN_STDIN_AWAITED);
}

static void begin_open(struct pipe_run *p)
{
	begin(p);
	run_told_stdin(&p->run, new_end(p));
	ck_assert_int_eq(p->run.in->state, RUN_STDIN_OPEN);
}

static void end(struct pipe_run *p)
{
	run_stdin_end(p->run.in, RUN_STDIN_OVER);
	ck_assert_int_eq(p->run.in->fd, -1);
	run_stdin_unref(p->run.in);
	list_remove(&p->run.want_room);
	close_safe(p->job_end);
}

/* does the job read the end now? Takes what was written before. */
static bool reads_end(const struct pipe_run *p)
{
	char c[64];
	ssize_t n;

	ck_assert_int_eq(fd_set_nonblock(p->job_end, true), 0);
	while ((n = read(p->job_end, c, sizeof(c))) > 0)
		;
	return n == 0;
}

/* as if the request were on its way */
static void sent(struct pipe_run *p, uint32_t seq)
{
	p->run.in->close_sent = true;
	p->run.in->close_seq = seq;
}

static int fill(struct run_stdin *in)
{
	static const char zeros[4096];
	ssize_t n;

	while ((n = run_stdin_write(in, zeros, sizeof(zeros))) > 0)
		;
	return (int)n;
}

DAEMON_TEST(full_pipe_says_when_it_has_room)
{
	struct pipe_run p;
	char some[8192];
	rv_time before;

	begin_open(&p);
	before = rv_now();
	ck_assert_int_eq(fill(p.run.in), -EAGAIN);
	ck_assert(p.run.in->taken_at >= before);
	/* the watch tells once of what is, before it tells of changes */
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_event_wait(&p.run.in->changed)), -ETIMEDOUT);
	ck_assert_int_gt(read(p.job_end, some, sizeof(some)), 0);
	ck_assert_int_eq(rv_event_wait(&p.run.in->changed), 0);
	ck_assert_int_gt(run_stdin_write(p.run.in, "x", 1), 0);
	end(&p);
	return 0;
}

DAEMON_TEST(writing_to_who_closed_it_is_epipe_and_wakes_who_waits)
{
	struct pipe_run p;

	begin_open(&p);
	ck_assert_int_eq(fill(p.run.in), -EAGAIN);
	p.job_end = close_safe(p.job_end);
	ck_assert_int_eq(rv_event_wait(&p.run.in->changed), 0);
	ck_assert_int_eq(run_stdin_write(p.run.in, "x", 1), -EPIPE);
	end(&p);
	return 0;
}

DAEMON_TEST(closing_is_over_when_the_spawner_says_so)
{
	struct pipe_run p;

	begin_open(&p);
	run_request_close_stdin(&p.run);
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_CLOSING);
	ck_assert(reads_end(&p)); /* no copy is left here */
	ck_assert(rv_event_is_set(&p.run.wake));
	/* no spawner now: the run is woken when there is one */
	run_act_on_stdin(&p.run);
	ck_assert(!p.run.in->close_sent);
	ck_assert(list_is_linked(&p.run.want_room));
	sent(&p, 7);
	run_told_result(&p.run, 6);
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_CLOSING);
	run_told_result(&p.run, 7);
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_CLOSED);
	ck_assert_int_eq(run_stdin_write(p.run.in, "x", 1), -EBADF);
	end(&p);
	return 0;
}

DAEMON_TEST(closing_that_a_connection_took_down_is_asked_for_again)
{
	struct pipe_run p;

	begin_open(&p);
	run_request_close_stdin(&p.run);
	sent(&p, 1);
	rv_event_clear(&p.run.wake);
	run_told_stdin(&p.run, new_end(&p)); /* the next table has it open */
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_CLOSING);
	ck_assert(!p.run.in->close_sent);
	ck_assert(rv_event_is_set(&p.run.wake));
	ck_assert(reads_end(&p)); /* that copy was closed */
	sent(&p, 1);
	run_told_stdin(&p.run, -1); /* and the one after that has not */
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_CLOSED);
	end(&p);
	return 0;
}

DAEMON_TEST(second_copy_is_closed)
{
	struct pipe_run p;
	int first;

	begin_open(&p);
	first = p.run.in->fd;
	run_told_stdin(&p.run, new_end(&p));
	ck_assert_int_eq(p.run.in->fd, first);
	ck_assert(reads_end(&p)); /* of the second pipe */
	end(&p);
	return 0;
}

DAEMON_TEST(without_its_spawner_a_run_keeps_what_the_daemon_has)
{
	struct pipe_run p;

	begin_open(&p);
	p.run.spawner_gone = true;
	run_keep_stdin(&p.run);
	ck_assert_int_eq(run_stdin_write(p.run.in, "x", 1), 1);
	ck_assert(!reads_end(&p));
	run_request_close_stdin(&p.run);
	run_act_on_stdin(&p.run);
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_CLOSED);
	ck_assert(reads_end(&p));
	end(&p);

	begin(&p); /* found by a daemon that never had it */
	run_keep_stdin(&p.run);
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_LOST);
	end(&p);

	begin_open(&p); /* gone in the middle of it */
	run_request_close_stdin(&p.run);
	run_keep_stdin(&p.run);
	ck_assert_int_eq(p.run.in->state, RUN_STDIN_CLOSED);
	end(&p);
	return 0;
}

DAEMON_TEST(who_waits_for_what_is_over_does_not_wait_again)
{
	struct run_stdin *mine;
	struct pipe_run p;

	begin_open(&p);
	mine = run_stdin_ref(p.run.in);
	end(&p);
	ck_assert_int_eq(mine->state, RUN_STDIN_OVER);
	ck_assert_int_eq(rv_event_wait(&mine->changed), 0);
	run_stdin_wake(mine);
	ck_assert_int_eq(rv_event_wait(&mine->changed), 0);
	run_stdin_end(mine, RUN_STDIN_LEFT);
	ck_assert_int_eq(mine->state, RUN_STDIN_OVER);
	run_stdin_unref(mine);
	return 0;
}

DAEMON_TEST(run_without_an_open_stdin_takes_no_descriptor)
{
	struct pipe_run p;

	begin(&p);
	p.run.in = run_stdin_unref(p.run.in);
	run_told_stdin(&p.run, new_end(&p));
	ck_assert(reads_end(&p));
	run_act_on_stdin(&p.run);
	run_keep_stdin(&p.run);
	run_told_result(&p.run, 1);
	run_stdin_end(p.run.in, RUN_STDIN_OVER);
	close_safe(p.job_end);
	return 0;
}

UNIT_MAIN("run_stdin", full_pipe_says_when_it_has_room,
	writing_to_who_closed_it_is_epipe_and_wakes_who_waits,
	closing_is_over_when_the_spawner_says_so,
	closing_that_a_connection_took_down_is_asked_for_again, second_copy_is_closed,
	without_its_spawner_a_run_keeps_what_the_daemon_has,
	who_waits_for_what_is_over_does_not_wait_again,
	run_without_an_open_stdin_takes_no_descriptor)
