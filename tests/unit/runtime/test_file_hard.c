/* Files: two tasks at one, and what could not be written. */
#include "rt.h"

#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reeve/file.h"

static char path[] = "/tmp/reeve-test-XXXXXX";

static void path_make(void)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/reeve-test-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

/* -- two tasks ----------------------------------------------------------------------- */

enum { AWAITS_MAX = 130 }; /* twice as many as complete at once before others run */

static struct {
	rv_file *file;
	int n_awaits; /* of the one that reads the line, before it does */
	int n_line, r_read;
} race;

static int read_line_late(void *unused)
{
	const char *line;
	size_t n;

	rt_settle(1);
	for (int i = 0; i < race.n_awaits; i++)
		ck_assert_int_eq(rv_checkpoint(), 0);
	ck_assert_int_eq(rv_file_readline(race.file, &line, &n), 0);
	ck_assert_uint_le(n, 10);
	ck_assert_int_eq(memcmp(line, "0123456789", n), 0);
	race.n_line = (int)n;
	return 0;
}

static int read_ten(void *unused)
{
	char b[10];

	rt_settle(1);
	race.r_read = (int)rv_file_read(race.file, b, sizeof(b));
	return 0;
}

/* Whenever the first one yields in the middle of its call, the other finds the file
 * taken: what is in the buffer is told once. */
RT_TEST(file_stays_taken_where_the_budget_makes_its_task_yield)
{
	bool was_refused = false;

	path_make();
	ck_assert_int_eq(rv_file_spew(path, "aaa\n0123456789", 14, 0600), 0);
	for (race.n_awaits = 0; race.n_awaits < AWAITS_MAX; race.n_awaits++) {
		const char *line;
		rv_group g;
		char c;
		size_t n;

		ck_assert_int_eq(rv_file_open(&race.file, path, O_RDONLY, 0), 0);
		ck_assert_int_eq(rv_file_readline(race.file, &line, &n), 0);
		ck_assert_uint_eq(n, 4);
		ck_assert_int_eq(rv_group_enter(&g, 0), 0);
		ck_assert_ptr_nonnull(rv_group_spawn(&g, read_line_late, NULL));
		ck_assert_ptr_nonnull(rv_group_spawn(&g, read_ten, NULL));
		ck_assert_int_eq(rv_group_exit(&g, 0), 0);
		if (race.r_read == -EBUSY)
			was_refused = true;
		else
			ck_assert_int_eq(race.r_read + race.n_line, 10);
		ck_assert_int_eq((int)rv_file_read(race.file, &c, 1), 0);
		ck_assert_int_eq(rv_file_close(race.file), 0);
	}
	ck_assert(was_refused);
	ck_assert_int_eq(unlink(path), 0);
	return 0;
}

/* -- closing once -------------------------------------------------------------------- */

static sem_t reused;

/* takes the number that the close has freed, in the thread that closed it */
static int take_number(void *number)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, (int)(intptr_t)number);

	(void)sem_post(&reused);
	return fd;
}

static int take_in_thread(void *number)
{
	return rv_run_blocking(NULL, take_number, number);
}

static int close_file(void *f)
{
	return rv_file_close(f);
}

static const rv_run_opts one_thread = {.exec_threads = 1};

RT_TEST_WITH(file_whose_last_write_would_block_is_closed_once, &one_thread)
{
	static char block[4096];
	rv_task *closer, *taker;
	rv_file *f;
	int fifo, fd;

	path_make();
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fifo, 0);
	ck_assert_int_eq(rv_file_open(&f, path, O_WRONLY | O_NONBLOCK, 0), 0);
	fd = rv_file_fd(f);
	while (write(fd, block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(rv_file_write(f, "x", 1), 0);

	ck_assert_int_eq(sem_init(&reused, 0, 0), 0);
	closer = rv_spawn(close_file, f);
	taker = rv_spawn(take_in_thread, RT_N(fd));
	rt_settle(1);
	/* The thread does both before the closer hears of the first. */
	ck_assert_int_eq(sem_wait(&reused), 0);
	ck_assert_int_eq(rv_task_join(closer, NULL), -EAGAIN);
	ck_assert_int_eq(rv_task_join(taker, NULL), fd);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	rv_task_unref(closer);
	rv_task_unref(taker);
	close(fd);
	close(fifo);
	ck_assert_int_eq(unlink(path), 0);
	return 0;
}

RT_TEST(file_is_written_and_closed_where_there_are_no_threads_any_more)
{
	struct stat st;
	rv_file *f;
	int fd;

	path_make();
	ck_assert_int_eq(rv_file_open(&f, path, O_WRONLY, 0), 0);
	fd = rv_file_fd(f);
	ck_assert_int_eq(rv_file_write(f, "kept", 4), 0);
	ck_assert_int_eq(rv_loop_shutdown_executor(rv_loop_current(), RV_SEC(60)), 0);
	ck_assert_int_eq(rv_file_close(f), 0);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq((int)st.st_size, 4);
	ck_assert_int_eq(unlink(path), 0);
	return 0;
}

/* -- writing once -------------------------------------------------------------------- */

RT_TEST(what_a_failed_write_has_written_is_not_written_again)
{
	enum { N = 10000, ROOM = 4096 };
	struct rlimit all, some;
	char text[N];
	rv_buf b = {NULL, 0};
	rv_file *f;

	for (int i = 0; i < N; i++)
		text[i] = (char)('a' + i / 1000);
	path_make();
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &all), 0);
	some = all;
	some.rlim_cur = ROOM;
	ck_assert_int_eq(rv_file_open(&f, path, O_RDWR, 0), 0);
	ck_assert_int_eq(rv_file_write(f, text, N), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &some), 0);
	ck_assert_int_eq(rv_file_flush(f), -EFBIG);
	ck_assert_int_eq(rv_file_write(f, "x", 1), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	/* what was left is written now, and that it once failed is told to the end */
	ck_assert_int_eq(rv_file_flush(f), -EFBIG);
	ck_assert_int_eq(rv_file_sync(f, true), -EFBIG);
	ck_assert_int_eq(rv_file_close(f), -EFBIG);
	ck_assert_int_eq(rv_file_slurp(path, 1 << 20, &b), 0);
	ck_assert_uint_eq(b.n, N);
	ck_assert_int_eq(memcmp(b.data, text, N), 0);
	rv_buf_free(&b);
	ck_assert_int_eq(unlink(path), 0);
	return 0;
}

UNIT_MAIN("file_hard", file_stays_taken_where_the_budget_makes_its_task_yield,
	file_whose_last_write_would_block_is_closed_once,
	file_is_written_and_closed_where_there_are_no_threads_any_more,
	what_a_failed_write_has_written_is_not_written_again)
