#include "config.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/invariant.h"
#include "base/parse.h"
#include "base/temporary.h"

static int fd_change_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);
	int wanted;

	if (flags < 0)
		return -errno;
	wanted = on ? flags | flag : flags & ~flag;
	if (wanted != flags && fcntl(fd, set, wanted) < 0)
		return -errno;
	return 0;
}

int fd_fill_standard(void)
{
	int fd;

	/* the lowest free number is given out: those in use are passed over. Not O_CLOEXEC:
	 * what is started gets them like any standard stream. */
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close_safe(fd);
	return 0;
}

int fd_above_standard(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	return copy < 0 ? -errno : copy;
}

int fd_set_nonblock(int fd, bool on)
{
	return fd_change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_set_cloexec(int fd, bool on)
{
	return fd_change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t k = write(fd, at, n);

		if (k < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

int fd_read_all(int fd, void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t k = read(fd, at, n);

		if (k < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (k == 0)
			return -RV_EINCOMPLETE;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Reads to the end of the file. Sizes that stat gives are not believed: files in /proc
 * say 0, and a file can grow while it is read. */
int fd_read_to_end(struct buf *out, int fd, size_t max)
{
	size_t total = 0;

	for (;;) {
		/* one byte more than allowed shows that there is more */
		size_t want = MIN(MAX(total, (size_t)4096), max - total);
		char *room;
		ssize_t k;
		int r;

		want += want < SIZE_MAX / 4;
		r = buf_reserve(out, want, &room);
		if (r < 0)
			return r;
		k = read(fd, room, want);
		if (k < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (k == 0)
			return 0;
		if ((size_t)k > max - total)
			return -RV_ELIMIT;
		buf_commit(out, (size_t)k);
		total += (size_t)k;
	}
}

int file_read(struct buf *out, int dir_fd, const char *path, size_t max)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = buf_len(out);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_read_to_end(out, fd, max);
	if (r < 0)
		out->end = out->start + len; /* as it was */
	return r;
}

struct file_look {
	mode_t mode;
	uid_t uid; /* -1: whose it becomes by itself; so the group */
	gid_t gid;
	bool is_checked; /* it takes the place of was only; NULL: of nothing */
	const struct stat *was;
};

static int file_fill(int fd, const void *p, size_t n, const struct file_look *look)
{
	int r = fd_write_all(fd, p, n);

	if (r == 0 && (look->uid != (uid_t)-1 || look->gid != (gid_t)-1) &&
		fchown(fd, look->uid, look->gid) < 0)
		r = -errno;
	/* the mode asked for, whatever the umask is, and after the owner: that takes bits
	 * away */
	if (r == 0 && fchmod(fd, look->mode) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* 0; -ESTALE: another one is there by now, or none any more; -errno */
static int check_place(int dir, const char *name, const struct stat *was)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno != ENOENT ? -errno : was ? -ESTALE : 0;
	return was && is_same_file(was, &st) ? 0 : -ESTALE;
}

static int file_put(int dir_fd, const char *path, const void *p, size_t n,
	const struct file_look *look)
{
	char temporary[TEMPORARY_NAME_SIZE];
	_cleanup_free_ char *dir_path = NULL;
	_cleanup_close_ int dir = -1, fd = -1;
	const char *name;
	int r;

	r = path_split(&dir_path, &name, path);
	if (r < 0)
		return r;
	dir = openat(dir_fd, dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	fd = temporary_create(dir, temporary);
	if (fd < 0)
		return fd;
	r = file_fill(fd, p, n, look);
	/* to write it took a while, in which others may have written too */
	if (r == 0 && look->is_checked)
		r = check_place(dir, name, look->was);
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir, temporary, 0);
		return r;
	}
	if (look->is_checked)
		temporary_sweep(dir, look->was ? look->was->st_uid : geteuid());
	return fsync(dir) < 0 ? -errno : 0;
}

int file_write_atomic(
	int dir_fd, const char *path, const void *p, size_t n, mode_t mode)
{
	return file_put(dir_fd, path, p, n,
		&(struct file_look){mode, (uid_t)-1, (gid_t)-1, false, NULL});
}

int file_write_like(const char *path, const void *p, size_t n, const struct stat *like)
{
	struct file_look look = {
		like->st_mode & 07777, (uid_t)-1, (gid_t)-1, false, NULL};

	if (like->st_uid != geteuid())
		look.uid = like->st_uid;
	if (like->st_gid != getegid())
		look.gid = like->st_gid;
	return file_put(AT_FDCWD, path, p, n, &look);
}

int file_replace(
	const char *path, const void *p, size_t n, mode_t mode, const struct stat *was)
{
	_cleanup_free_ char *target = realpath(path, NULL);
	struct file_look look = {mode, (uid_t)-1, (gid_t)-1, true, was};
	struct stat st;

	if (!target && errno != ENOENT)
		return -errno;
	if (!target) {
		if (was)
			return -ESTALE;
		if (lstat(path, &st) == 0)
			return -ENOENT; /* a link to nothing */
		return file_put(AT_FDCWD, path, p, n, &look);
	}
	if (stat(target, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (!was || !is_same_file(was, &st))
		return -ESTALE;
	look.mode = st.st_mode & 07777;
	/* said only where it is not so anyway: others may not */
	if (st.st_uid != geteuid())
		look.uid = st.st_uid;
	if (st.st_gid != getegid())
		look.gid = st.st_gid;
	return file_put(AT_FDCWD, target, p, n, &look);
}

int mkdir_all(int dir_fd, const char *path, mode_t mode)
{
	_cleanup_free_ char *part = strdup(path);
	struct stat st;
	char *at;

	if (!part)
		return -ENOMEM;
	if (!*part)
		return -EINVAL;
	at = part + strspn(part, "/");
	while (*at) {
		size_t n = strcspn(at, "/");
		char after = at[n];

		at[n] = '\0';
		if (mkdirat(dir_fd, part, mode) < 0 && errno != EEXIST)
			return -errno;
		at[n] = after;
		at += n + strspn(at + n, "/");
	}
	if (fstatat(dir_fd, path, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int id_read(char ret[33], const char *path)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	char id[33];
	size_t n = 0;
	int r;

	r = file_read(&text, AT_FDCWD, path, 64);
	if (r < 0)
		return r;
	for (size_t i = 0; i < buf_len(&text); i++) {
		char c = buf_head(&text)[i];

		if (c == '-' || c == '\n')
			continue;
		if (n == 32 || !strchr("0123456789abcdef", c) || c == '\0')
			return -EINVAL;
		id[n++] = c;
	}
	if (n != 32)
		return -EINVAL;
	id[n] = '\0';
	memcpy(ret, id, sizeof(id));
	return 0;
}

int boot_id_get(char ret[33])
{
	return id_read(ret, "/proc/sys/kernel/random/boot_id");
}

int machine_id_get(char ret[33])
{
	return id_read(ret, "/etc/machine-id");
}

void random_id(char ret[33])
{
	unsigned char bytes[16];
	ssize_t n;

	do
		n = getrandom(bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	/* up to 256 bytes come whole or not at all */
	INVARIANT(n == (ssize_t)sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}
