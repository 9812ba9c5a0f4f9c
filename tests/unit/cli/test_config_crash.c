/*
 * `config set`, `unset` and `edit` in which a call of the system fails, or the process is
 * killed at it: the file is the old one or the new one, and what was said is so.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/strv.h"
#include "cli/cli_main.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

/* ---- calls that fail, and at which the process dies ------------------------------------- */

enum fate {
	LIVES,
	FAILS, /* EIO */
	FULL,  /* ENOSPC; a write writes half of it first */
	DIES_BEFORE,
	DIES_AFTER,
	N_FATES,
};

/* volatile: compilers know what the library's functions change, and these are none of it */
static volatile enum fate fate;
static volatile unsigned left; /* calls until then; 0: none */
static volatile bool is_armed; /* since a file below `around` was named */
static volatile bool is_short; /* the next write meets a full disk */
static const char *volatile around;
static volatile int told_fd = -1; /* gets the name of the call that met it */

static bool meets_fate(const char *name)
{
	if (!is_armed || left == 0 || --left > 0)
		return false;
	(void)!syscall(SYS_write, told_fd, name, strlen(name));
	if (fate == DIES_BEFORE)
		raise(SIGKILL);
	return true;
}

static int fails_with(void)
{
	errno = fate == FULL ? ENOSPC : EIO;
	return -1;
}

static void arm(const char *path)
{
	is_armed = is_armed || (around && strstr(path, around));
}

/* a call that fails does nothing; but for close, after which the descriptor is gone */
#define WRAP(type, name, params, args, path, does_it)        \
	type __real_##name params;                           \
	type __wrap_##name params;                           \
	type __wrap_##name params                            \
	{                                                    \
		bool now;                                    \
		type r;                                      \
                                                             \
		arm(path);                                   \
		now = meets_fate(#name);                     \
		if (now && fate != DIES_AFTER && !(does_it)) \
			return fails_with();                 \
		r = __real_##name args;                      \
		if (now && fate == DIES_AFTER)               \
			raise(SIGKILL);                      \
		return now ? (type)fails_with() : r;         \
	}

WRAP(int, close, (int fd), (fd), "", true)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), "", false)
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), "", false)
WRAP(int, flock, (int fd, int how), (fd, how), "", false)
WRAP(int, fsync, (int fd), (fd), "", false)
WRAP(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode), path,
	false)
WRAP(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to),
	to, false)
WRAP(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags), path,
	false)
WRAP(int, unlink, (const char *path), (path), path, false)

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	bool now = meets_fate("write");
	ssize_t r;

	if (now && fate == FAILS)
		return fails_with();
	if (is_short) {
		is_short = false;
		return fails_with();
	}
	if (now && fate == FULL && n > 1) {
		is_short = true;
		n /= 2;
	}
	r = __real_write(fd, p, n);
	if (now && fate == DIES_AFTER)
		raise(SIGKILL);
	return r;
}

#define WRAP_OPEN(name, params, args)              \
	int __real_##name params;                  \
	int __wrap_##name params;                  \
	int __wrap_##name params                   \
	{                                          \
		mode_t mode = 0;                   \
		bool now;                          \
		int fd;                            \
                                                   \
		if (flags & O_CREAT) {             \
			va_list ap;                \
                                                   \
			va_start(ap, flags);       \
			mode = va_arg(ap, mode_t); \
			va_end(ap);                \
		}                                  \
		arm(path);                         \
		now = meets_fate(#name);           \
		if (now && fate != DIES_AFTER)     \
			return fails_with();       \
		fd = __real_##name args;           \
		if (now)                           \
			raise(SIGKILL);            \
		return fd;                         \
	}

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))

/* ---- what is done ----------------------------------------------------------------------- */

#define OLD                                                                            \
	"# one\r\n[reeved]\n; two\nlog-level=warning \n\n# three\n#min-free = 64M\n# " \
	"four"

#define EDITED "# edited\n[reeved]\nmin-free = 5\n"

/* DIR is the test's directory. The file is there/own.conf, and link.conf leads to it. */
struct work {
	const char *args[6]; /* behind `reeve --user config`; "@" is FILE */
	const char *old, *new;
	const char *file; /* in DIR */
	bool is_edit;
};

static const struct work works[] = {
	{{"set", "--file", "@link.conf", "reeved.min-free", "1G"}, OLD,
		"# one\r\n[reeved]\n; two\nlog-level=warning \n\n# three\n"
		"#min-free = 64M\nmin-free = 1G\n# four",
		"there/own.conf"},
	{{"unset", "--file", "@link.conf", "reeved.log-level"}, OLD,
		"# one\r\n[reeved]\n; two\n\n# three\n#min-free = 64M\n# four",
		"there/own.conf"},
	{{"edit", "--file", "@link.conf"}, OLD, EDITED, "there/own.conf", true},
	/* a file that is not there, in a directory that is not there */
	{{"set", "reeved.min-free", "1G"}, NULL, "[reeved]\nmin-free = 1G\n",
		"config/reeve/reeve.conf.d/90-local.conf"},
	/* the section that it leaves goes with it */
	{{"unset", "--file", "@link.conf", "pool.gpu.slots"},
		OLD "\n\n[pool gpu]\nslots = 2\n", OLD "\n", "there/own.conf"},
};

struct place {
	const struct work *work;
	struct temp_dir dir;
};

static void put(const struct place *at, const char *name, const char *text, mode_t mode)
{
	ck_assert_int_eq(
		file_write_atomic(at->dir.fd, name, text, strlen(text), mode), 0);
}

static void place_init(struct place *at, const struct work *w)
{
	*at = (struct place){.work = w, .dir = temp_dir_make()};
	ck_assert_int_eq(mkdirat(at->dir.fd, "there", 0700), 0);
	ck_assert_int_eq(mkdirat(at->dir.fd, "texts", 0700), 0);
	ck_assert_int_eq(mkdirat(at->dir.fd, "config", 0700), 0);
	ck_assert_int_eq(symlinkat("there/own.conf", at->dir.fd, "link.conf"), 0);
	put(at, "edited", EDITED, 0600);
	if (!w->old)
		return;
	put(at, w->file, w->old, 0640);
	if (geteuid() == 0)
		ck_assert_int_eq(fchownat(at->dir.fd, w->file, 1, 2, 0), 0);
}

static void place_deinit(struct place *at)
{
	temp_dir_remove(&at->dir);
}

/* what the process of the verb does; its exit status */
static int run_verb(const struct place *at, const char *const *args)
{
	char file[128], path[128];
	const char *argv[16] = {"reeve", "--user", "config"};
	int argc = 3, r;

	snprintf(path, sizeof(path), "%s/config", at->dir.path);
	setenv("XDG_CONFIG_HOME", path, 1);
	snprintf(path, sizeof(path), "%s/texts", at->dir.path);
	setenv("TMPDIR", path, 1);
	snprintf(path, sizeof(path), "cp %s/edited", at->dir.path);
	setenv("EDITOR", path, 1);
	unsetenv("VISUAL");
	unsetenv("REEVE_CONFIG");
	for (; *args; args++) {
		argv[argc++] = **args == '@' ? file : *args;
		if (**args == '@')
			snprintf(file, sizeof(file), "%s/%s", at->dir.path, *args + 1);
	}
	r = cli_main(argc, (char **)argv);
	fflush(NULL);
	return r;
}

static int open_in(const struct place *at, const char *name)
{
	return openat(at->dir.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
}

/* The exit status, 128 + N where signal N was its end. What it said is in the files out and
 * err, the call that met its fate in call. */
static int run(const struct place *at, const char *const *args, enum fate f, unsigned n)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(open_in(at, "out"), STDOUT_FILENO);
		dup2(open_in(at, "err"), STDERR_FILENO);
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		told_fd = open_in(at, "call");
		around = at->dir.path;
		fate = f;
		left = n;
		_exit(run_verb(at, args));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* the caller's; NULL: there is none */
static char *text_of(const struct place *at, const char *name)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	int r = file_read(&b, at->dir.fd, name, 1 << 16);
	char *text;

	if (r == -ENOENT)
		return NULL;
	ck_assert_int_eq(r, 0);
	text = buf_steal_str(&b, NULL);
	ck_assert_ptr_nonnull(text);
	return text;
}

static bool same(const char *a, const char *b)
{
	return a && b ? STREQ(a, b) : a == b;
}

static bool is_new(const struct place *at)
{
	_cleanup_free_ char *text = text_of(at, at->work->file);

	ck_assert_msg(same(text, at->work->old) || same(text, at->work->new),
		"neither old nor new: %s", text ? text : "gone");
	return same(text, at->work->new);
}

/* whose it is, and its mode, which an edit leaves alone */
static void check_look(const struct place *at)
{
	struct stat st;

	if (fstatat(at->dir.fd, at->work->file, &st, 0) < 0)
		return;
	ck_assert_uint_eq(st.st_mode & 07777, at->work->old ? 0640 : 0644);
	if (geteuid() == 0 && at->work->old) {
		ck_assert_uint_eq(st.st_uid, 1);
		ck_assert_uint_eq(st.st_gid, 2);
	}
	ck_assert_int_eq(fstatat(at->dir.fd, "link.conf", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISLNK(st.st_mode));
}

/* the old text is kept by an edit: all of it, or nothing yet */
static void check_kept(const struct place *at, bool must_be)
{
	_cleanup_free_ char *kept = text_of(at, "there/own.conf~");

	if (!at->work->is_edit)
		ck_assert_ptr_null(kept);
	else if (kept || must_be)
		ck_assert_str_eq(kept ? kept : "nothing", at->work->old);
}

/* files in the file's directory, sorted by what they may be */
static unsigned n_temporaries(const struct place *at)
{
	_cleanup_free_ char *dir = strdup(at->work->file);
	_cleanup_(closedirp) DIR *d = NULL;
	const struct dirent *e;
	unsigned n = 0;
	int fd;

	*strrchr(dir, '/') = '\0';
	fd = openat(at->dir.fd, dir, O_RDONLY | O_DIRECTORY);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && (e = readdir(d)))
		n += !STREQ(e->d_name, ".") && !STREQ(e->d_name, "..") &&
		     !STREQ(e->d_name, "own.conf") && !STREQ(e->d_name, "own.conf~") &&
		     !STREQ(e->d_name, "90-local.conf");
	return n;
}

/* It said what failed, and where; or it went on without. */
static void check_said(const struct place *at, enum fate f, int status)
{
	_cleanup_free_ char *out = text_of(at, "out"), *err = text_of(at, "err"),
			    *call = text_of(at, "call");
	const char *why = strerror(f == FULL ? ENOSPC : EIO);

	if (status == 0) {
		ck_assert_str_eq(out, "changed\n");
		ck_assert(is_new(at));
		check_kept(at, true);
		return;
	}
	ck_assert_msg(status == 1, "%s: exit status %d: %s", call, status, err);
	ck_assert_str_eq(out, "");
	ck_assert_msg(strstr(err, why) && strstr(err, at->dir.path),
		"%s failed, and what was said is: %s", call, err);
	/* after the rename only the sync of the directory is left */
	ck_assert_msg(!is_new(at) || STREQ(call, "fsync"), "%s: %s", call, err);
	ck_assert_msg(!is_new(at) || !strstr(err, "nothing was changed"), "%s", err);
}

/* The next write that succeeds leaves nothing of those before behind. */
static void check_next(const struct place *at)
{
	const char *set[] = {"set", at->work->args[0], NULL, NULL, NULL, NULL};
	_cleanup_free_ char *before = text_of(at, at->work->file), *after = NULL;
	size_t i = 1;

	for (const char *const *a = at->work->args; *a; a++)
		if (**a == '@') {
			set[i++] = "--file";
			set[i++] = *a;
		}
	set[i++] = "reeved.keep-finished-max";
	set[i] = "77";
	ck_assert_int_eq(run(at, set, LIVES, 0), 0);
	after = text_of(at, at->work->file);
	ck_assert_ptr_nonnull(strstr(after, "keep-finished-max = 77"));
	ck_assert(!same(before, after));
	ck_assert_uint_eq(n_temporaries(at), 0);
	check_look(at);
}

/* whether there was an n-th call to meet its fate */
static bool try(const struct work *w, enum fate f, unsigned n, unsigned *n_seen)
{
	_cleanup_(place_deinit) struct place at;
	_cleanup_free_ char *call = NULL;
	int status;

	place_init(&at, w);
	status = run(&at, w->args, f, n);
	call = text_of(&at, "call");
	if (!*call) {
		ck_assert_int_eq(status, 0);
		ck_assert(is_new(&at));
		return false;
	}
	n_seen[is_new(&at)]++;
	check_look(&at);
	check_kept(&at, false);
	if (f == FAILS || f == FULL) {
		check_said(&at, f, status);
		/* but for one that could not be removed */
		ck_assert_msg(n_temporaries(&at) == 0 || STREQ(call, "unlinkat"),
			"%s leaves a temporary file", call);
	} else {
		ck_assert_msg(status == 128 + SIGKILL, "%s: %d", call, status);
	}
	check_next(&at);
	return true;
}

static void try_all(const struct work *w)
{
	for (enum fate f = FAILS; f < N_FATES; f++) {
		unsigned n_seen[2] = {0}, n = 1;

		while (try(w, f, n, n_seen))
			n++;
		/* open, lock, write, mode, sync, rename; and the sync of the directory */
		ck_assert_uint_ge(n_seen[0], 6);
		ck_assert_uint_ge(n_seen[1], 1);
	}
}

START_TEST(set_leaves_the_old_or_the_new_file_wherever_it_ends)
{
	try_all(&works[0]);
}
END_TEST

START_TEST(unset_leaves_the_old_or_the_new_file_wherever_it_ends)
{
	try_all(&works[1]);
}
END_TEST

START_TEST(edit_leaves_the_old_or_the_new_file_wherever_it_ends)
{
	try_all(&works[2]);
}
END_TEST

START_TEST(set_leaves_none_or_the_new_file_wherever_it_ends)
{
	try_all(&works[3]);
}
END_TEST

START_TEST(unset_of_all_of_a_section_leaves_the_old_or_the_new_file)
{
	try_all(&works[4]);
}
END_TEST

UNIT_MAIN("config_crash", set_leaves_the_old_or_the_new_file_wherever_it_ends,
	unset_leaves_the_old_or_the_new_file_wherever_it_ends,
	edit_leaves_the_old_or_the_new_file_wherever_it_ends,
	set_leaves_none_or_the_new_file_wherever_it_ends,
	unset_of_all_of_a_section_leaves_the_old_or_the_new_file)
