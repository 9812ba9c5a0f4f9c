/* Files, paths, and the log. */
#include "rt.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reeve/file.h"
#include "reeve/log.h"
#include "reeve/path.h"

static char dir[64];

static char *in_dir(const char *name)
{
	char *p = rv_path_join(dir, name);

	ck_assert_ptr_nonnull(p);
	return p;
}

static void dir_make(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/reeve-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void assert_content(const char *path, const char *expected)
{
	rv_buf b = {NULL, 0};

	ck_assert_int_eq(rv_file_slurp(path, 1 << 20, &b), 0);
	ck_assert_str_eq(b.data, expected);
	rv_buf_free(&b);
}

/* -- files ------------------------------------------------------------------------- */

RT_TEST(what_is_written_is_read_line_by_line)
{
	const char *line;
	rv_file *f;
	char *p;
	size_t n;

	dir_make();
	p = in_dir("lines");
	ck_assert_int_eq(rv_file_open(&f, p, O_RDWR | O_CREAT, 0600), 0);
	for (int i = 0; i < 30000; i++)
		ck_assert_int_eq(rv_file_write(f, "line of text\n", 13), 0);
	ck_assert_int_eq(rv_file_write(f, "rest", 4), 0);
	ck_assert_int_eq(rv_file_close(f), 0);

	ck_assert_int_eq(rv_file_open(&f, p, O_RDONLY, 0), 0);
	for (int i = 0; i < 30000; i++) {
		ck_assert_int_eq(rv_file_readline(f, &line, &n), 0);
		ck_assert_uint_eq(n, 13);
		ck_assert_int_eq(memcmp(line, "line of text\n", 13), 0);
	}
	ck_assert_int_eq(rv_file_readline(f, &line, &n), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(rv_file_readline(f, &line, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(rv_file_close(f), 0);
	ck_assert_int_eq(rv_path_rmtree(dir), 0);
	free(p);
	return 0;
}

RT_TEST(reading_and_writing_take_turns_at_the_right_place)
{
	char b[8] = "";
	struct stat st;
	rv_file *f;
	char *p;

	dir_make();
	p = in_dir("turns");
	ck_assert_int_eq(rv_file_spew(p, "abcdef", 6, 0640), 0);
	ck_assert_int_eq(rv_file_open(&f, p, O_RDWR, 0), 0);
	ck_assert_int_eq(rv_file_read(f, b, 2), 2);
	ck_assert_int_eq(rv_file_write(f, "XY", 2), 0);
	ck_assert_int_eq(rv_file_read(f, b, 2), 2); /* writes first */
	ck_assert_int_eq(memcmp(b, "ef", 2), 0);
	ck_assert_int_eq(rv_file_read(f, b, 2), 0);
	ck_assert_int_eq(rv_file_pread(f, b, 3, 1), 3);
	ck_assert_int_eq(memcmp(b, "bXY", 3), 0);
	ck_assert_int_eq(rv_file_pwrite(f, "Z", 1, 5), 1);
	ck_assert_int_eq(rv_file_write(f, "tail", 4), 0);
	ck_assert_int_eq(rv_file_sync(f, true), 0);
	ck_assert_int_eq(rv_file_stat(f, &st), 0);
	ck_assert_int_eq(st.st_size, 10);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(rv_file_truncate(f, 3), 0);
	ck_assert_int_eq(rv_file_flush(f), 0);
	ck_assert_int_eq(rv_file_close(f), 0);
	assert_content(p, "abX");
	ck_assert_int_eq(rv_path_rmtree(dir), 0);
	free(p);
	return 0;
}

static int read_some(void *f)
{
	char b[4];

	return (int)rv_file_read(f, b, sizeof(b));
}

RT_TEST(one_task_at_a_time)
{
	int fds[2];
	rv_file *f;
	rv_task *t;
	char path[32];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	ck_assert_int_eq(rv_file_open(&f, path, O_RDONLY, 0), 0);
	t = rv_spawn(read_some, f);
	rt_settle(1);
	ck_assert_int_eq(read_some(f), -EBUSY);
	ck_assert_int_eq(rv_file_close(f), -EBUSY);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	ck_assert_int_eq(rv_task_join(t, NULL), 3);
	rv_task_unref(t);
	ck_assert_int_eq(rv_file_close(f), 0);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

RT_TEST(errors_of_writing_are_told_until_the_end)
{
	static char big[100000];
	const char *line;
	rv_buf b = {NULL, 0};
	rv_file *f;
	size_t n;

	ck_assert_int_eq(rv_file_open(&f, "/nonexistent/x", O_RDONLY, 0), -ENOENT);
	ck_assert_int_eq(rv_file_open(&f, "/dev/full", O_WRONLY, 0), 0);
	ck_assert_int_eq(rv_file_write(f, "x", 1), 0);
	ck_assert_int_eq(rv_file_flush(f), -ENOSPC);
	ck_assert_int_eq(rv_file_write(f, "x", 1), -ENOSPC);
	ck_assert_int_eq(rv_file_close(f), -ENOSPC);
	ck_assert_int_eq(rv_file_close(NULL), 0);

	ck_assert_int_eq(rv_file_open(&f, "/dev/zero", O_RDONLY, 0), 0);
	ck_assert_int_eq(rv_file_readline(f, &line, &n), -RV_ELIMIT);
	ck_assert_int_eq(rv_file_read(f, big, sizeof(big)), 65536);
	ck_assert_int_eq(rv_file_close(f), 0);
	ck_assert_int_eq(rv_file_slurp("/dev/zero", 1000, &b), -RV_ELIMIT);
	ck_assert_int_eq(rv_file_slurp("/", 1000, &b), -EISDIR);
	ck_assert_ptr_null(b.data);
	ck_assert_int_eq(rv_file_slurp("/proc/self/comm", 1000, &b), 0);
	ck_assert_uint_gt(b.n, 1); /* says that it has 0 bytes */
	rv_buf_free(&b);
	return 0;
}

RT_TEST(file_is_replaced_as_a_whole_or_not_at_all)
{
	char **names;
	char *p, *q;

	dir_make();
	p = in_dir("whole");
	q = in_dir("whole/below");
	ck_assert_int_eq(rv_file_spew(p, "one", 3, 0600), 0);
	ck_assert_int_eq(rv_file_spew(p, "two", 3, 0600), 0);
	assert_content(p, "two");
	ck_assert_int_eq(rv_file_spew(q, "x", 1, 0600), -ENOTDIR);
	ck_assert_int_eq(rv_file_spew(dir, "x", 1, 0600), -EISDIR);
	ck_assert_int_eq(rv_path_list(dir, &names), 1); /* nothing is left beside it */
	rv_path_list_free(names);
	ck_assert_int_eq(rv_path_rmtree(dir), 0);
	free(p);
	free(q);
	return 0;
}

static int write_and_be_cancelled(void *path)
{
	rv_file *f;
	int r = rv_file_open(&f, path, O_WRONLY | O_CREAT, 0600);

	if (r < 0)
		return r;
	r = rv_file_write(f, "kept", 4);
	ck_assert_int_eq(r, 0);
	(void)rv_task_cancel(rv_task_self());
	ck_assert_int_eq(rv_file_write(f, "not", 3), -ECANCELED);
	return rv_file_close(f);
}

RT_TEST(cancelled_task_loses_nothing_that_it_had_written)
{
	rv_task *t;
	char *p;

	dir_make();
	p = in_dir("kept");
	t = rv_spawn(write_and_be_cancelled, p);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	assert_content(p, "kept");
	ck_assert_int_eq(rv_path_rmtree(dir), 0);
	free(p);
	return 0;
}

/* -- paths ------------------------------------------------------------------------- */

static void assert_parts(
	const char *p, const char *parent, const char *name, const char *suffix)
{
	char *got = rv_path_parent(p);

	ck_assert_str_eq(got, parent);
	ck_assert_str_eq(rv_path_name(p), name);
	ck_assert_str_eq(rv_path_suffix(p), suffix);
	free(got);
}

static const rv_run_opts debug_opts = {.debug = true};

RT_TEST_WITH(debug_mode_has_nothing_to_say_of_a_file_that_is_closed, &debug_opts)
{
	char *path;
	rv_file *f;

	rt_catch_reports();
	dir_make();
	path = in_dir("file");
	ck_assert_int_eq(rv_file_open(&f, path, O_WRONLY | O_CREAT, 0600), 0);
	ck_assert_int_eq(rv_file_write(f, "kept", 4), 0);
	ck_assert_int_eq(rv_file_close(f), 0); /* in a shield for as long as it takes */
	assert_content(path, "kept");
	ck_assert_msg(rt_reported.n == 0, "%s", rt_reported.message);
	ck_assert_int_eq(rv_path_rmtree(dir), 0);
	free(path);
	return 0;
}

START_TEST(names_are_taken_apart_and_put_together)
{
	static const char *const joined[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"},
		{"a", "/b", "/b"}, {"", "b", "b"}, {"/", "b", "/b"}};

	assert_parts("a/b.c", "a", "b.c", ".c");
	assert_parts("/a", "/", "a", "");
	assert_parts("/", "/", "", "");
	assert_parts("a", ".", "a", "");
	assert_parts("", ".", "", "");
	assert_parts("//a//b.tar.gz", "//a", "b.tar.gz", ".gz");
	assert_parts("a/.profile", "a", ".profile", "");
	assert_parts("a/b/", "a", "b/", "");
	assert_parts("..", ".", "..", "");
	assert_parts("x.", ".", "x.", "");
	for (size_t i = 0; i < 5; i++) {
		char *p = rv_path_join(joined[i][0], joined[i][1]);

		ck_assert_str_eq(p, joined[i][2]);
		free(p);
	}
}
END_TEST

RT_TEST(folders_are_made_listed_and_removed)
{
	char *deep, *link, *target = NULL, *other;
	struct stat st;
	char **names;

	dir_make();
	deep = in_dir("a/b//c/");
	link = in_dir("a/link");
	other = in_dir("a/moved");
	ck_assert_int_eq(rv_path_mkdir(deep, 0700, 0), -ENOENT);
	ck_assert_int_eq(rv_path_mkdir(deep, 0700, RV_MKDIR_PARENTS), 0);
	ck_assert_int_eq(rv_path_mkdir(deep, 0700, RV_MKDIR_PARENTS), -EEXIST);
	ck_assert_int_eq(rv_path_mkdir(deep, 0700, RV_MKDIR_EXIST_OK), 0);
	ck_assert_int_eq(rv_path_exists(deep), 1);
	ck_assert_int_eq(rv_path_symlink("/usr", link), 0);
	ck_assert_int_eq(rv_path_readlink(link, &target), 0);
	ck_assert_str_eq(target, "/usr");
	ck_assert_int_eq(rv_path_stat(link, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_int_eq(rv_path_lstat(link, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(rv_path_rename(link, other), 0);
	ck_assert_int_eq(rv_path_exists(link), 0);
	ck_assert_int_eq(rv_path_rmdir(deep), 0);
	free(deep);
	deep = in_dir("a");
	ck_assert_int_eq(rv_path_list(deep, &names), 2);
	ck_assert_str_eq(names[0], "b");
	ck_assert_str_eq(names[1], "moved");
	ck_assert_ptr_null(names[2]);
	rv_path_list_free(names);
	ck_assert_int_eq(rv_path_list(other, &names) > 0, 1); /* through the link */
	rv_path_list_free(names);
	ck_assert_int_eq(rv_path_unlink(deep), -EISDIR);
	ck_assert_int_eq(rv_path_rmdir(deep), -ENOTEMPTY);
	ck_assert_int_eq(rv_path_rmtree(dir), 0);
	ck_assert_int_eq(rv_path_exists(dir), 0);
	ck_assert_int_eq(rv_path_exists("/usr"), 1); /* links are not followed */
	ck_assert_int_eq(rv_path_rmtree(dir), -ENOENT);
	free(deep);
	free(link);
	free(target);
	free(other);
	return 0;
}

/* -- the log ----------------------------------------------------------------------- */

static void read_to_end(int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t k;

	while (n < size - 1 && (k = read(fd, text + n, size - 1 - n)) > 0)
		n += (size_t)k;
	text[n] = '\0';
}

START_TEST(lines_are_written_by_a_thread_in_order)
{
	rv_log_opts o = {.level = RV_LOG_NOTICE};
	char text[1024];
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	o.fd = fds[1];
	rv_log(RV_LOG_ERROR, "before: dropped");
	ck_assert_int_eq(rv_log_start(&o), 0);
	ck_assert_int_eq(rv_log_start(&o), -EALREADY);
	errno = ENOENT;
	rv_log(RV_LOG_ERROR, "one %d", 1);
	ck_assert_int_eq(errno, ENOENT);
	rv_log(RV_LOG_INFO, "not at this level");
	rv_log(RV_LOG_NOTICE, "two\nlines");
	ck_assert_int_eq(rv_log_stop(RV_SEC(60)), 0);
	ck_assert_int_eq(rv_log_stop(0), 0);
	rv_log(RV_LOG_ERROR, "after: dropped");
	close(fds[1]);
	read_to_end(fds[0], text, sizeof(text));
	ck_assert_str_eq(text, "error: one 1\nnotice: two lines\n");
	close(fds[0]);
}
END_TEST

static void *read_all(void *fd)
{
	static char text[300000];

	read_to_end(*(int *)fd, text, sizeof(text));
	return text;
}

START_TEST(full_log_drops_counts_and_never_blocks)
{
	rv_log_opts o = {.level = RV_LOG_DEBUG, .limit = 100000, .times = true};
	pthread_t reader;
	char *text;
	uint64_t dropped = rv_log_dropped();
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	o.fd = fds[1];
	ck_assert_int_eq(rv_log_start(&o), 0);
	/* nobody reads: the pipe is full, then what may wait */
	for (int i = 0; i < 5000; i++)
		rv_log(RV_LOG_DEBUG, "line %d %060d", i, 0);
	ck_assert_uint_gt(rv_log_dropped() - dropped, 0);
	ck_assert_int_eq(rv_log_stop(RV_MS(1)), -ETIMEDOUT);
	/* what hangs in the pipe goes on when somebody reads */
	ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &fds[0]), 0);
	ck_assert_int_eq(rv_log_stop(RV_SEC(60)), 0);
	close(fds[1]);
	ck_assert_int_eq(pthread_join(reader, (void **)&text), 0);
	ck_assert_ptr_nonnull(strstr(text, "lines were dropped here"));
	ck_assert_ptr_nonnull(strstr(text, "Z debug: line "));
	close(fds[0]);
}
END_TEST

static void *log_many(void *arg)
{
	for (int i = 0; i < 1000; i++)
		rv_log(RV_LOG_INFO, "%s", (const char *)arg);
	return NULL;
}

START_TEST(many_threads_log_whole_lines)
{
	rv_log_opts o = {.level = RV_LOG_INFO, .limit = 1 << 24};
	pthread_t threads[4];
	char path[] = "/tmp/reeve-test-XXXXXX", line[64];
	int n = 0;
	FILE *file;

	o.fd = mkstemp(path);
	ck_assert_int_eq(rv_log_start(&o), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, log_many, RT_W("a line")), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(rv_log_stop(RV_SEC(60)), 0);
	close(o.fd);
	file = fopen(path, "re");
	while (fgets(line, sizeof(line), file)) {
		ck_assert_str_eq(line, "info: a line\n");
		n++;
	}
	ck_assert_int_eq(n, 4000);
	fclose(file);
	unlink(path);
}
END_TEST

UNIT_MAIN("file", what_is_written_is_read_line_by_line,
	reading_and_writing_take_turns_at_the_right_place, one_task_at_a_time,
	errors_of_writing_are_told_until_the_end,
	file_is_replaced_as_a_whole_or_not_at_all,
	cancelled_task_loses_nothing_that_it_had_written,
	debug_mode_has_nothing_to_say_of_a_file_that_is_closed,
	names_are_taken_apart_and_put_together, folders_are_made_listed_and_removed,
	lines_are_written_by_a_thread_in_order, full_log_drops_counts_and_never_blocks,
	many_threads_log_whole_lines)
