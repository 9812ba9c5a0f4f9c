#include "tests/unit/daemon/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "daemon/log_watch.h"
#include "daemon/own_log.h"

enum { MAX_BYTES = 10000 };

/* as the CLI opens it */
static int open_log(struct fixture *fx)
{
	int fd = openat(fx->dir.fd, OWN_LOG_NAME,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void write_bytes(int fd, char c, size_t n)
{
	static char text[100];

	memset(text, c, sizeof(text));
	for (; n > 0; n -= sizeof(text))
		ck_assert_int_eq(write(fd, text, sizeof(text)), sizeof(text));
}

static int64_t size_of(struct fixture *fx, const char *name)
{
	struct stat st;

	return fstatat(fx->dir.fd, name, &st, 0) < 0 ? -errno : st.st_size;
}

DAEMON_TEST(log_that_has_not_grown_is_left_alone)
{
	int fd = open_log(fx);

	write_bytes(fd, 'a', MAX_BYTES - 100);
	ck_assert_int_eq(own_log_turn(fx->dir.fd, fd, MAX_BYTES), 0);
	ck_assert_int_eq(size_of(fx, OWN_LOG_NAME), MAX_BYTES - 100);
	ck_assert_int_eq(size_of(fx, OWN_LOG_NAME ".old"), -ENOENT);
	close(fd);
	return 0;
}

DAEMON_TEST(end_of_a_log_is_kept_and_whoever_has_it_open_writes_on)
{
	_cleanup_(buf_deinitp) struct buf old = BUF_NULL;
	int fd = open_log(fx), jobs = dup(fd);

	ck_assert_int_ge(jobs, 0);
	for (int turn = 0; turn < 2; turn++) {
		write_bytes(jobs, 'a', 5 * MAX_BYTES);
		write_bytes(fd, 'b', MAX_BYTES);
		ck_assert_int_eq(own_log_turn(fx->dir.fd, fd, MAX_BYTES), 1);
		ck_assert_int_eq(size_of(fx, OWN_LOG_NAME), 0);
		buf_clear(&old);
		ck_assert_int_ge(
			file_read(&old, fx->dir.fd, OWN_LOG_NAME ".old", 2 * MAX_BYTES),
			0);
		ck_assert_uint_eq(buf_len(&old), MAX_BYTES);
		for (size_t i = 0; i < MAX_BYTES; i++)
			ck_assert_int_eq(((const char *)buf_head(&old))[i], 'b');
	}
	write_bytes(jobs, 'c', 100);
	ck_assert_int_eq(size_of(fx, OWN_LOG_NAME), 100);
	close(jobs);
	close(fd);
	return 0;
}

DAEMON_TEST(log_is_bounded_where_its_end_cannot_be_kept)
{
	int fd = open_log(fx);

	ck_assert_int_eq(mkdirat(fx->dir.fd, OWN_LOG_NAME ".old", 0700), 0);
	write_bytes(fd, 'a', MAX_BYTES);
	ck_assert_int_eq(own_log_turn(fx->dir.fd, fd, MAX_BYTES), -EISDIR);
	ck_assert_int_eq(size_of(fx, OWN_LOG_NAME), 0);
	close(fd);
	return 0;
}

DAEMON_TEST(only_descriptor_2_makes_it_ours)
{
	struct core *c = &fx->core;
	int stderr_before = dup(STDERR_FILENO), fd = open_log(fx);

	ck_assert_int_eq(log_watch_new(&c->log_watch, rv_loop_current()), 0);
	ck_assert(!own_log_is_ours(fx->dir.fd));
	ck_assert_int_eq(own_log_main(c), 0);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	ck_assert(own_log_is_ours(fx->dir.fd));
	/* another in its place is not what we write to */
	ck_assert_int_eq(
		renameat(fx->dir.fd, OWN_LOG_NAME, fx->dir.fd, "elsewhere"), 0);
	close(open_log(fx));
	ck_assert(!own_log_is_ours(fx->dir.fd));
	ck_assert_int_eq(dup2(stderr_before, STDERR_FILENO), STDERR_FILENO);
	close(stderr_before);
	close(fd);
	log_watch_free(c->log_watch);
	return 0;
}

UNIT_MAIN("own_log", log_that_has_not_grown_is_left_alone,
	end_of_a_log_is_kept_and_whoever_has_it_open_writes_on,
	log_is_bounded_where_its_end_cannot_be_kept, only_descriptor_2_makes_it_ours)
