/* A file that people keep, replaced: the old or the new one, whatever happens. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/temporary.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

#define OLD "old text\n"
#define NEW "the new text, which is longer\n"

/* ---- calls that fail, and at which the process dies ------------------------------------- */

enum fate { LIVES, FAILS, DIES_BEFORE, DIES_AFTER };

static volatile enum fate fate;
static volatile unsigned left; /* calls until then; 0: none */

/* what happens at the first of these calls; it may make such calls itself */
static void (*meanwhile)(void);

static bool meets_fate(void)
{
	void (*happens)(void) = meanwhile;

	meanwhile = NULL;
	if (happens)
		happens();
	if (left == 0 || --left > 0)
		return false;
	if (fate == DIES_BEFORE)
		_exit(9);
	errno = EIO;
	return fate != LIVES;
}

#define WRAP(type, name, params, args)    \
	type __real_##name params;        \
	type __wrap_##name params;        \
	type __wrap_##name params         \
	{                                 \
		bool now = meets_fate();  \
		type r;                   \
                                          \
		if (now && fate == FAILS) \
			return -1;        \
		r = __real_##name args;   \
		if (now)                  \
			_exit(9);         \
		return r;                 \
	}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))

/* ---- */

static void put_old(const struct temp_dir *d, const char *name, mode_t mode)
{
	ck_assert_int_eq(file_write_atomic(d->fd, name, OLD, strlen(OLD), mode), 0);
}

static void holds(const struct temp_dir *d, const char *name, const char *want)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;

	ck_assert_int_eq(file_read(&b, d->fd, name, 4096), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_str_eq(buf_head(&b), want);
}

static int replace(const struct temp_dir *d, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	return file_replace(
		path, NEW, strlen(NEW), 0640, stat(path, &st) == 0 ? &st : NULL);
}

static struct stat look(const struct temp_dir *d, const char *name)
{
	struct stat st;

	ck_assert_int_eq(fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

START_TEST(owner_and_mode_stay)
{
	TEMP_DIR(d);
	struct stat st;

	put_old(&d, "f", 0604);
	if (geteuid() == 0)
		ck_assert_int_eq(fchownat(d.fd, "f", 1, 2, 0), 0);
	ck_assert_int_eq(replace(&d, "f"), 0);
	holds(&d, "f", NEW);
	st = look(&d, "f");
	ck_assert_uint_eq(st.st_mode & 07777, 0604);
	if (geteuid() == 0) {
		ck_assert_uint_eq(st.st_uid, 1);
		ck_assert_uint_eq(st.st_gid, 2);
	}
}
END_TEST

START_TEST(new_file_has_the_mode_asked_for)
{
	TEMP_DIR(d);

	umask(077);
	ck_assert_int_eq(replace(&d, "f"), 0);
	holds(&d, "f", NEW);
	ck_assert_uint_eq(look(&d, "f").st_mode & 07777, 0640);
}
END_TEST

START_TEST(symbolic_link_is_followed)
{
	TEMP_DIR(d);

	ck_assert_int_eq(mkdirat(d.fd, "there", 0700), 0);
	put_old(&d, "there/f", 0600);
	ck_assert_int_eq(symlinkat("there/f", d.fd, "link"), 0);
	ck_assert_int_eq(replace(&d, "link"), 0);
	ck_assert(S_ISLNK(look(&d, "link").st_mode));
	holds(&d, "there/f", NEW);
	ck_assert_int_eq(symlinkat("nothing", d.fd, "dangling"), 0);
	ck_assert_int_eq(replace(&d, "dangling"), -ENOENT);
}
END_TEST

START_TEST(file_that_was_changed_meanwhile_is_left_alone)
{
	TEMP_DIR(d);
	char path[128];
	struct stat st;

	put_old(&d, "f", 0600);
	snprintf(path, sizeof(path), "%s/f", d.path);
	ck_assert_int_eq(stat(path, &st), 0);
	put_old(&d, "f", 0600); /* the same, said again */
	ck_assert_int_eq(file_replace(path, NEW, strlen(NEW), 0600, &st), -ESTALE);
	ck_assert_int_eq(file_replace(path, NEW, strlen(NEW), 0600, NULL), -ESTALE);
	holds(&d, "f", OLD);
	ck_assert_int_eq(unlinkat(d.fd, "f", 0), 0);
	ck_assert_int_eq(file_replace(path, NEW, strlen(NEW), 0600, &st), -ESTALE);
}
END_TEST

static const struct temp_dir *where;

static void others_write(void)
{
	put_old(where, "f", 0600);
}

static void others_remove(void)
{
	ck_assert_int_eq(unlinkat(where->fd, "f", 0), 0);
}

START_TEST(file_that_is_changed_while_the_new_one_is_written_is_left_alone)
{
	TEMP_DIR(d);

	where = &d;
	meanwhile = others_write; /* there was none */
	ck_assert_int_eq(replace(&d, "f"), -ESTALE);
	holds(&d, "f", OLD);
	meanwhile = others_write;
	ck_assert_int_eq(replace(&d, "f"), -ESTALE);
	holds(&d, "f", OLD);
	meanwhile = others_remove;
	ck_assert_int_eq(replace(&d, "f"), -ESTALE);
	/* nothing is left behind */
	ck_assert_int_eq(rmdir(d.path), 0);
	ck_assert_int_eq(mkdir(d.path, 0700), 0);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	TEMP_DIR(d);

	ck_assert_int_eq(mkdirat(d.fd, "dir", 0700), 0);
	ck_assert_int_eq(replace(&d, "dir"), -EISDIR);
	ck_assert_int_eq(mkfifoat(d.fd, "fifo", 0600), 0);
	ck_assert_int_eq(replace(&d, "fifo"), -EINVAL);
	ck_assert_int_eq(replace(&d, "none/f"), -ENOENT);
}
END_TEST

static unsigned n_files(const struct temp_dir *d)
{
	_cleanup_(closedirp) DIR *dir = opendir(d->path);
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	return n;
}

START_TEST(temporary_files_of_the_dead_are_removed_and_no_others)
{
	TEMP_DIR(d);
	char live[TEMPORARY_NAME_SIZE], dead[TEMPORARY_NAME_SIZE];
	int held = temporary_create(d.fd, live);

	ck_assert_int_ge(held, 0);
	close_safe(temporary_create(d.fd, dead));
	put_old(&d, "f", 0600);
	put_old(&d, ".tmp-0123456789abcdef0123456789abcde", 0600);
	put_old(&d, ".tmp-0123456789abcdef0123456789abcdeg", 0600);
	put_old(&d, ".tmp-0123456789abcdef0123456789abcdef0", 0600);
	ck_assert_int_eq(
		mkdirat(d.fd, ".tmp-0123456789abcdef0123456789abcdef", 0700), 0);
	ck_assert_int_eq(
		symlinkat("f", d.fd, ".tmp-0123456789abcdef0123456789abcde0"), 0);
	ck_assert_uint_eq(n_files(&d), 8);
	ck_assert_int_eq(replace(&d, "f"), 0);
	ck_assert_uint_eq(n_files(&d), 7);
	ck_assert_int_eq(faccessat(d.fd, dead, F_OK, 0), -1);
	ck_assert_int_eq(faccessat(d.fd, live, F_OK, 0), 0);
	close_safe(held);
	ck_assert_int_eq(replace(&d, "f"), 0);
	ck_assert_uint_eq(n_files(&d), 6);
	holds(&d, "f", NEW);
}
END_TEST

START_TEST(temporary_files_of_other_users_stay)
{
	TEMP_DIR(d);
	char name[TEMPORARY_NAME_SIZE];

	if (geteuid() != 0)
		return;
	put_old(&d, "f", 0600);
	close_safe(temporary_create(d.fd, name));
	ck_assert_int_eq(fchownat(d.fd, name, 1, 2, 0), 0);
	ck_assert_int_eq(replace(&d, "f"), 0);
	ck_assert_uint_eq(n_files(&d), 2);
	/* they may have been meant for this one */
	ck_assert_int_eq(fchownat(d.fd, "f", 1, 2, 0), 0);
	ck_assert_int_eq(replace(&d, "f"), 0);
	ck_assert_uint_eq(n_files(&d), 1);
}
END_TEST

/* how a process ended in which the n-th call meets its fate: 0 done, 1 failed, 9 died */
static int try_in_child(const struct temp_dir *d, enum fate f, unsigned n)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		fate = f;
		left = n;
		_exit(replace(d, "f") == 0 ? left > 0 ? 0 : 2 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Each call in its turn fails, or is the last thing that happens: the file is the old one
 * or the new one. */
START_TEST(crash_or_error_leaves_the_old_or_the_new_file)
{
	for (enum fate f = FAILS; f <= DIES_AFTER; f++) {
		unsigned n_old = 0, n_new = 0;

		for (unsigned n = 1;; n++) {
			TEMP_DIR(d);
			_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
			int r;

			put_old(&d, "f", 0600);
			r = try_in_child(&d, f, n);
			if (r == 0)
				break; /* there is no n-th call */
			ck_assert_int_eq(r, f == FAILS ? 1 : 9);
			ck_assert_int_eq(file_read(&b, d.fd, "f", 4096), 0);
			ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
			if (STREQ(buf_head(&b), OLD))
				n_old++;
			else
				n_new++;
			ck_assert(STREQ(buf_head(&b), OLD) || STREQ(buf_head(&b), NEW));
			ck_assert_uint_eq(look(&d, "f").st_mode & 07777, 0600);
			/* where it lived on, nothing else is left behind */
			if (f == FAILS && STREQ(buf_head(&b), OLD)) {
				ck_assert_int_eq(unlinkat(d.fd, "f", 0), 0);
				ck_assert_int_eq(rmdir(d.path), 0);
				ck_assert_int_eq(mkdir(d.path, 0700), 0);
			}
		}
		/* write, mode, sync, rename; and the sync of the directory */
		ck_assert_uint_ge(n_old, f == DIES_AFTER ? 3 : 4);
		ck_assert_uint_ge(n_new, 1);
	}
}
END_TEST

UNIT_MAIN("file_replace", owner_and_mode_stay, new_file_has_the_mode_asked_for,
	symbolic_link_is_followed, file_that_was_changed_meanwhile_is_left_alone,
	file_that_is_changed_while_the_new_one_is_written_is_left_alone,
	what_is_no_file_is_refused,
	temporary_files_of_the_dead_are_removed_and_no_others,
	temporary_files_of_other_users_stay,
	crash_or_error_leaves_the_old_or_the_new_file)
