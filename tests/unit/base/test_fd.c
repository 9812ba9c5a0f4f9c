#include "config.h"

#include "base/fd.h"

#include <fcntl.h>
#include <string.h>

#include "base/macro.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

#define BUF_LOCAL _cleanup_(buf_deinitp) struct buf

static size_t count_entries(int dir_fd)
{
	_cleanup_(closedirp) DIR *d =
		fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY));
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	return n - 2;
}

START_TEST(flags_go_on_and_off)
{
	_cleanup_close_ int a = -1;
	_cleanup_close_ int b = -1;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	a = fds[0];
	b = fds[1];
	ck_assert_int_eq(fd_set_nonblock(a, true), 0);
	ck_assert_int_eq(fd_set_cloexec(a, true), 0);
	ck_assert(fcntl(a, F_GETFL) & O_NONBLOCK && fcntl(a, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(fd_set_nonblock(a, false), 0);
	ck_assert_int_eq(fd_set_cloexec(a, false), 0);
	ck_assert(
		!(fcntl(a, F_GETFL) & O_NONBLOCK) && !(fcntl(a, F_GETFD) & FD_CLOEXEC));
	ck_assert_int_eq(fd_set_nonblock(-1, true), -EBADF);
}
END_TEST

START_TEST(reading_past_the_end_is_incomplete)
{
	_cleanup_close_ int a = -1;
	char in[8];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	a = fds[0];
	ck_assert_int_eq(fd_write_all(fds[1], "abcdef", 6), 0);
	close(fds[1]);
	ck_assert_int_eq(fd_read_all(a, in, 4), 0);
	ck_assert_mem_eq(in, "abcd", 4);
	ck_assert_int_eq(fd_read_all(a, in, 4), -RV_EINCOMPLETE);
	ck_assert_int_eq(fd_read_all(a, in, 0), 0);
}
END_TEST

START_TEST(file_of_just_the_limit_is_read_and_one_more_is_not)
{
	static char data[10000];
	TEMP_DIR(dir);
	BUF_LOCAL b = BUF_NULL;

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(file_write_atomic(dir.fd, "f", data, sizeof(data), 0600), 0);
	ck_assert_int_eq(buf_append_str(&b, "before"), 0);
	ck_assert_int_eq(file_read(&b, dir.fd, "f", sizeof(data) - 1), -RV_ELIMIT);
	ck_assert_uint_eq(buf_len(&b), 6);
	ck_assert_int_eq(file_read(&b, dir.fd, "f", 0), -RV_ELIMIT);
	ck_assert_int_eq(file_read(&b, dir.fd, "f", sizeof(data)), 0);
	ck_assert_uint_eq(buf_len(&b), 6 + sizeof(data));
	ck_assert_mem_eq(buf_head(&b), "beforexx", 8);
	buf_clear(&b);
	ck_assert_int_eq(file_read(&b, dir.fd, "f", SIZE_MAX), 0);
	ck_assert_uint_eq(buf_len(&b), sizeof(data));
}
END_TEST

START_TEST(file_that_cannot_be_read_says_why)
{
	TEMP_DIR(dir);
	BUF_LOCAL b = BUF_NULL;

	ck_assert_int_eq(file_read(&b, dir.fd, "none", 100), -ENOENT);
	ck_assert_int_eq(file_read(&b, dir.fd, ".", 100), -EISDIR);
	ck_assert_int_eq(file_write_atomic(dir.fd, "empty", "", 0, 0600), 0);
	ck_assert_int_eq(file_read(&b, dir.fd, "empty", 0), 0);
	ck_assert_uint_eq(buf_len(&b), 0);
}
END_TEST

START_TEST(file_whose_size_is_zero_in_stat_is_read_whole)
{
	BUF_LOCAL b = BUF_NULL;

	ck_assert_int_eq(file_read(&b, AT_FDCWD, "/proc/self/status", 1 << 20), 0);
	ck_assert_uint_gt(buf_len(&b), 100);
}
END_TEST

START_TEST(atomic_write_replaces_with_the_exact_mode_and_leaves_nothing)
{
	TEMP_DIR(dir);
	BUF_LOCAL b = BUF_NULL;
	mode_t saved = umask(077);
	struct stat st;

	ck_assert_int_eq(file_write_atomic(dir.fd, "f", "old", 3, 0600), 0);
	ck_assert_int_eq(file_write_atomic(dir.fd, "f", "newer", 5, 0644), 0);
	umask(saved);
	ck_assert_int_eq(file_read(&b, dir.fd, "f", 100), 0);
	ck_assert_uint_eq(buf_len(&b), 5);
	ck_assert_mem_eq(buf_head(&b), "newer", 5);
	ck_assert_int_eq(fstatat(dir.fd, "f", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_uint_eq(count_entries(dir.fd), 1);
}
END_TEST

START_TEST(atomic_write_does_not_follow_a_link)
{
	TEMP_DIR(dir);
	BUF_LOCAL b = BUF_NULL;
	struct stat st;

	ck_assert_int_eq(file_write_atomic(dir.fd, "target", "safe", 4, 0600), 0);
	ck_assert_int_eq(symlinkat("target", dir.fd, "link"), 0);
	ck_assert_int_eq(file_write_atomic(dir.fd, "link", "x", 1, 0600), 0);
	ck_assert_int_eq(fstatat(dir.fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(file_read(&b, dir.fd, "target", 100), 0);
	ck_assert_mem_eq(buf_head(&b), "safe", 4);
}
END_TEST

START_TEST(failed_atomic_write_leaves_no_temporary_file)
{
	TEMP_DIR(dir);

	ck_assert_int_eq(mkdir_all(dir.fd, "d/full", 0700), 0);
	ck_assert_int_eq(file_write_atomic(dir.fd, "d", "x", 1, 0600), -EISDIR);
	ck_assert_int_eq(file_write_atomic(dir.fd, "none/f", "x", 1, 0600), -ENOENT);
	ck_assert_int_eq(file_write_atomic(dir.fd, "d/", "x", 1, 0600), -EINVAL);
	ck_assert_int_eq(file_write_atomic(dir.fd, "", "x", 1, 0600), -EINVAL);
	ck_assert_uint_eq(count_entries(dir.fd), 1);
}
END_TEST

START_TEST(name_of_the_greatest_length_is_written)
{
	TEMP_DIR(dir);
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	ck_assert_int_eq(file_write_atomic(dir.fd, name, "x", 1, 0600), 0);
	ck_assert_int_eq(faccessat(dir.fd, name, F_OK, 0), 0);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
	TEMP_DIR(dir);
	struct stat st;
	char absolute[128];

	ck_assert_int_eq(mkdir_all(dir.fd, "a//b/c/", 0700), 0);
	ck_assert_int_eq(mkdir_all(dir.fd, "a/b/c", 0700), 0);
	ck_assert_int_eq(fstatat(dir.fd, "a/b/c", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	snprintf(absolute, sizeof(absolute), "%s/x/y", dir.path);
	ck_assert_int_eq(mkdir_all(AT_FDCWD, absolute, 0700), 0);
	ck_assert_int_eq(mkdir_all(AT_FDCWD, "/", 0700), 0);
	ck_assert_int_eq(mkdir_all(dir.fd, "", 0700), -EINVAL);
}
END_TEST

START_TEST(file_in_the_way_is_no_directory)
{
	TEMP_DIR(dir);

	ck_assert_int_eq(file_write_atomic(dir.fd, "f", "", 0, 0600), 0);
	ck_assert_int_eq(mkdir_all(dir.fd, "f", 0700), -ENOTDIR);
	ck_assert_int_eq(mkdir_all(dir.fd, "f/g", 0700), -ENOTDIR);
}
END_TEST

START_TEST(proc_is_no_network_file_system)
{
	_cleanup_close_ int fd = open("/proc", O_RDONLY | O_CLOEXEC);
	const char *name = "unchanged";

	ck_assert_int_eq(fd_is_network_fs(fd, &name), 0);
	ck_assert_str_eq(name, "unchanged");
	ck_assert_int_eq(fd_is_network_fs(-1, &name), -EBADF);
}
END_TEST

static bool is_id(const char *s)
{
	return strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

START_TEST(ids_are_32_hex_digits)
{
	char boot[33], boot2[33], a[33], b[33];

	ck_assert_int_eq(boot_id_get(boot), 0);
	ck_assert_int_eq(boot_id_get(boot2), 0);
	ck_assert(is_id(boot));
	ck_assert_str_eq(boot, boot2);
	random_id(a);
	random_id(b);
	ck_assert(is_id(a) && is_id(b));
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(machine_id_is_an_id_or_an_error)
{
	char id[33] = "unchanged";
	int r = machine_id_get(id);

	if (r < 0)
		ck_assert_str_eq(id, "unchanged"); /* containers may have none */
	else
		ck_assert(is_id(id));
}
END_TEST

UNIT_MAIN("fd", flags_go_on_and_off, reading_past_the_end_is_incomplete,
	file_of_just_the_limit_is_read_and_one_more_is_not,
	file_that_cannot_be_read_says_why,
	file_whose_size_is_zero_in_stat_is_read_whole,
	atomic_write_replaces_with_the_exact_mode_and_leaves_nothing,
	atomic_write_does_not_follow_a_link,
	failed_atomic_write_leaves_no_temporary_file,
	name_of_the_greatest_length_is_written, directories_are_made_with_their_parents,
	file_in_the_way_is_no_directory, proc_is_no_network_file_system,
	ids_are_32_hex_digits, machine_id_is_an_id_or_an_error)
