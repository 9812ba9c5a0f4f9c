#include "tests/unit/daemon/fixture.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include "daemon/output_caps.h"
#include "daemon/run.h"

enum { MAX_BYTES = 64 << 10 };

static int pipe_fds[2];

/* The linker sends it here (--wrap): what it fails with. */
static int add_watch_errno;

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	errno = add_watch_errno;
	return errno ? -1 : __real_inotify_add_watch(fd, path, mask);
}

/* The linker sends it here, too: what was read of events is lost, and said to be. */
static bool lose_events;

ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	const struct inotify_event lost = {.wd = -1, .mask = IN_Q_OVERFLOW};
	ssize_t got = __real_read(fd, buf, n);

	if (!lose_events || got < (ssize_t)sizeof(lost))
		return got;
	lose_events = false;
	memcpy(buf, &lost, sizeof(lost));
	return sizeof(lost);
}

/* a run with a file of its own and a limit, as the supervisor makes it */
static void begin(struct fixture *fx, struct run *run)
{
	struct core *c = &fx->core;

	ck_assert_int_eq(outputs_new(&c->outputs, c), 0);
	fixture_start(fx, outputs_main, c->outputs);
	ck_assert_int_eq(output_caps_new(&c->caps, c, rv_loop_current()), 0);
	fixture_start(fx, output_caps_main, c->caps);
	memset(run, 0, sizeof(*run));
	run->core = c;
	job_spec_init(&run->spec);
	ck_assert_int_eq(job_spec_put(&run->spec, JOB_FIELD_OUTPUT_MAX,
				 (union job_value){.num = MAX_BYTES}),
		0);
	ck_assert_int_eq(outputs_take(c->outputs, &run->out), 0);
}

static void end(struct fixture *fx, struct run *run)
{
	output_caps_unwatch(fx->core.caps, run);
	output_caps_settle(run);
	outputs_finish(fx->core.outputs, run->out);
	job_spec_deinit(&run->spec);
}

static void print(const struct run *run, size_t n)
{
	static char text[4096];

	memset(text, 'x', sizeof(text));
	for (; n > 0; n -= sizeof(text))
		ck_assert_int_eq(write(run->out->fd, text, sizeof(text)), sizeof(text));
}

static int64_t bytes_on_disk(const struct run *run)
{
	struct stat st;

	ck_assert_int_eq(fstat(run->out->fd, &st), 0);
	return (int64_t)st.st_blocks * 512;
}

/* a block at each end may be there in part */
static bool is_cut(const struct run *run)
{
	return bytes_on_disk(run) <= MAX_BYTES + 2 * 4096;
}

static void wait_until_cut(const struct run *run)
{
	while (!is_cut(run))
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
}

DAEMON_TEST(file_that_grows_over_its_limit_is_cut_while_the_run_goes_on)
{
	struct run run;

	begin(fx, &run);
	ck_assert_int_eq(output_caps_watch(fx->core.caps, &run), 0);
	print(&run, 10 * MAX_BYTES);
	wait_until_cut(&run);
	print(&run, 10 * MAX_BYTES);
	wait_until_cut(&run);
	ck_assert_int_eq(lseek(run.out->fd, 0, SEEK_END), 20 * MAX_BYTES);
	end(fx, &run);
	return 0;
}

DAEMON_TEST(what_was_printed_before_anybody_watched_counts)
{
	struct run run;

	begin(fx, &run);
	print(&run, 10 * MAX_BYTES);
	ck_assert_int_eq(output_caps_watch(fx->core.caps, &run), 0);
	wait_until_cut(&run);
	end(fx, &run);
	return 0;
}

DAEMON_TEST(file_is_cut_where_it_cannot_be_watched)
{
	struct run run;

	add_watch_errno = ENOSPC;
	begin(fx, &run);
	ck_assert_int_eq(output_caps_watch(fx->core.caps, &run), 0);
	print(&run, 10 * MAX_BYTES);
	wait_until_cut(&run);
	print(&run, 10 * MAX_BYTES);
	wait_until_cut(&run);
	add_watch_errno = 0;
	end(fx, &run);
	return 0;
}

DAEMON_TEST(file_is_cut_where_its_event_was_lost)
{
	struct run run;

	begin(fx, &run);
	ck_assert_int_eq(output_caps_watch(fx->core.caps, &run), 0);
	lose_events = true;
	print(&run, 10 * MAX_BYTES);
	wait_until_cut(&run);
	ck_assert(!lose_events);
	end(fx, &run);
	return 0;
}

DAEMON_TEST(last_cut_is_made_when_the_run_has_ended)
{
	struct run run;

	begin(fx, &run);
	print(&run, 10 * MAX_BYTES);
	output_caps_settle(&run);
	ck_assert(is_cut(&run));
	end(fx, &run);
	return 0;
}

static int wait_for_byte(void *arg)
{
	char c;

	return read(*(int *)arg, &c, 1) == 1 ? 0 : -EIO;
}

static int occupy(void *arg)
{
	struct fixture *fx = arg;

	return rv_run_blocking(fx->core.io, wait_for_byte, &pipe_fds[0]);
}

static unsigned n_descriptors(ino_t ino)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++) {
		struct stat st;

		n += fstat(fd, &st) == 0 && st.st_ino == ino;
	}
	return n;
}

static void wait_for_descriptors(ino_t ino, unsigned n)
{
	while (n_descriptors(ino) != n)
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
}

DAEMON_TEST(run_may_end_while_its_file_is_being_cut)
{
	rv_executor_opts one_thread = {.threads_max = 1};
	rv_executor *usual = fx->core.io, *narrow;
	struct run run;
	struct stat st;

	begin(fx, &run);
	ck_assert_int_eq(fstat(run.out->fd, &st), 0);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(rv_executor_new(&narrow, &one_thread), 0);
	fx->core.io = narrow;
	fixture_start(fx, occupy, fx);
	while (rv_executor_busy(narrow) == 0)
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	print(&run, 10 * MAX_BYTES);
	ck_assert_int_eq(output_caps_watch(fx->core.caps, &run), 0);
	/* the cut has one of its own, and waits behind what keeps the thread */
	wait_for_descriptors(st.st_ino, 2);
	fx->core.io = usual;
	end(fx, &run);
	wait_for_descriptors(st.st_ino, 1);
	ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
	wait_for_descriptors(st.st_ino, 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	rv_executor_unref(narrow);
	return 0;
}

UNIT_MAIN("output_caps", file_that_grows_over_its_limit_is_cut_while_the_run_goes_on,
	what_was_printed_before_anybody_watched_counts,
	file_is_cut_where_it_cannot_be_watched, file_is_cut_where_its_event_was_lost,
	last_cut_is_made_when_the_run_has_ended,
	run_may_end_while_its_file_is_being_cut)
