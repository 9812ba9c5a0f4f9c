/* Names in the file system. */
#include "config.h"

#include "reeve/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "reeve/executor.h"

/* -- on the name alone -------------------------------------------------------------------- */

char *rv_path_join(const char *a, const char *b)
{
	size_t n = strlen(a);
	char *s;

	if (n == 0 || b[0] == '/')
		return strdup(b);
	return asprintf(&s, "%s%s%s", a, a[n - 1] == '/' ? "" : "/", b) < 0 ? NULL : s;
}

/* where the last part begins, and where it ends without its slashes */
static const char *last_part(const char *p, const char **ret_end)
{
	const char *end = p + strlen(p), *begin;

	while (end > p && end[-1] == '/')
		end--;
	for (begin = end; begin > p && begin[-1] != '/';)
		begin--;
	*ret_end = end;
	return begin;
}

const char *rv_path_name(const char *p)
{
	const char *end, *begin = last_part(p, &end);

	return begin == end ? p + strlen(p) : begin;
}

char *rv_path_parent(const char *p)
{
	const char *end, *begin = last_part(p, &end);

	if (begin == p)
		return strdup(*p == '/' ? "/" : ".");
	while (begin > p + 1 && begin[-1] == '/')
		begin--;
	return strndup(p, (size_t)(begin - p));
}

const char *rv_path_suffix(const char *p)
{
	const char *end, *begin = last_part(p, &end), *dot = end;

	while (dot > begin && *dot != '.')
		dot--;
	/* also "name." has none, and so has ".." */
	return *dot == '.' && dot > begin && dot + 1 < end ? dot : p + strlen(p);
}

/* -- in the file system ---------------------------------------------------------------------- */

struct path_call {
	const char *p, *other;
	struct stat *st;
	mode_t mode;
	unsigned flags;
	char *text;  /* a result */
	char **list; /* likewise */
};

static int run(rv_fn fn, struct path_call *c)
{
	return rv_run_blocking(NULL, fn, c);
}

static int result(int r)
{
	return r < 0 ? -errno : 0;
}

static int stat_in_thread(void *arg)
{
	struct path_call *c = arg;

	return result(fstatat(AT_FDCWD, c->p, c->st, (int)c->flags));
}

int rv_path_stat(const char *p, struct stat *ret)
{
	struct path_call c = {.p = p, .st = ret};

	return run(stat_in_thread, &c);
}

int rv_path_lstat(const char *p, struct stat *ret)
{
	struct path_call c = {.p = p, .st = ret, .flags = AT_SYMLINK_NOFOLLOW};

	return run(stat_in_thread, &c);
}

int rv_path_exists(const char *p)
{
	struct stat st;
	int r = rv_path_lstat(p, &st);

	return r == -ENOENT || r == -ENOTDIR ? 0 : r < 0 ? r : 1;
}

static int mkdir_one(const char *p, mode_t mode, bool exist_ok)
{
	struct stat st;

	if (mkdir(p, mode) == 0)
		return 0;
	if (errno == EEXIST && exist_ok && stat(p, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return -errno;
}

static int mkdir_in_thread(void *arg)
{
	struct path_call *c = arg;
	bool exist_ok = c->flags & RV_MKDIR_EXIST_OK;
	int r = mkdir_one(c->p, c->mode, exist_ok);
	_cleanup_free_ char *parent = NULL;

	if (r != -ENOENT || !(c->flags & RV_MKDIR_PARENTS))
		return r;
	parent = rv_path_parent(c->p);
	if (!parent)
		return -ENOMEM;
	r = mkdir_all(AT_FDCWD, parent, 0777);
	return r < 0 ? r : mkdir_one(c->p, c->mode, exist_ok);
}

int rv_path_mkdir(const char *p, mode_t mode, unsigned flags)
{
	struct path_call c = {.p = p, .mode = mode, .flags = flags};

	return run(mkdir_in_thread, &c);
}

static int unlink_in_thread(void *arg)
{
	struct path_call *c = arg;

	return result(unlinkat(AT_FDCWD, c->p, (int)c->flags));
}

int rv_path_unlink(const char *p)
{
	struct path_call c = {.p = p};

	return run(unlink_in_thread, &c);
}

int rv_path_rmdir(const char *p)
{
	struct path_call c = {.p = p, .flags = AT_REMOVEDIR};

	return run(unlink_in_thread, &c);
}

/* By descriptors: a folder that is exchanged for a link meanwhile leads nowhere else. */
static int rmtree_at(int dir_fd, const char *name, int depth)
{
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	int fd, r, first = 0;

	if (unlinkat(dir_fd, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? -EPERM : -errno;
	d = fdopendir(fd);
	if (!d) {
		close_safe(fd);
		return -ENOMEM;
	}
	while ((e = readdir(d))) {
		if (STREQ(e->d_name, ".") || STREQ(e->d_name, ".."))
			continue;
		r = rmtree_at(fd, e->d_name, depth - 1);
		if (r < 0 && r != -ENOENT && first == 0)
			first = r;
	}
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && first == 0)
		first = -errno;
	return first;
}

static int rmtree_in_thread(void *arg)
{
	struct path_call *c = arg;

	/* each level has a descriptor open, and some hundred bytes of the thread's stack */
	return rmtree_at(AT_FDCWD, c->p, 512);
}

int rv_path_rmtree(const char *p)
{
	struct path_call c = {.p = p};

	return run(rmtree_in_thread, &c);
}

static int rename_in_thread(void *arg)
{
	struct path_call *c = arg;

	return result(rename(c->p, c->other));
}

int rv_path_rename(const char *from, const char *to)
{
	struct path_call c = {.p = from, .other = to};

	return run(rename_in_thread, &c);
}

static int symlink_in_thread(void *arg)
{
	struct path_call *c = arg;

	return result(symlink(c->other, c->p));
}

int rv_path_symlink(const char *target, const char *p)
{
	struct path_call c = {.p = p, .other = target};

	return run(symlink_in_thread, &c);
}

static int readlink_in_thread(void *arg)
{
	struct path_call *c = arg;
	char text[PATH_MAX];
	ssize_t n = readlink(c->p, text, sizeof(text));

	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(text))
		return -ENAMETOOLONG;
	c->text = strndup(text, (size_t)n);
	return c->text ? 0 : -ENOMEM;
}

int rv_path_readlink(const char *p, char **ret)
{
	struct path_call c = {.p = p};
	int r = run(readlink_in_thread, &c);

	if (r == 0)
		*ret = c.text;
	return r;
}

void rv_path_list_free(char **list)
{
	for (char **s = list; s && *s; s++)
		free(*s);
	free(list);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *d, char ***list, size_t *n)
{
	size_t room = 0;
	struct dirent *e;

	for (errno = 0; (e = readdir(d)); errno = 0) {
		if (STREQ(e->d_name, ".") || STREQ(e->d_name, ".."))
			continue;
		if (*n + 1 >= room) {
			size_t more = room ? room * 2 : 32;
			char **v = reallocarray(*list, more, sizeof(*v));

			if (!v)
				return -ENOMEM;
			*list = v;
			room = more;
		}
		(*list)[*n] = strdup(e->d_name);
		if (!(*list)[*n])
			return -ENOMEM;
		(*list)[++*n] = NULL;
	}
	return -errno;
}

static int list_in_thread(void *arg)
{
	struct path_call *c = arg;
	_cleanup_(closedirp) DIR *d = opendir(c->p);
	size_t n = 0;
	int r;

	if (!d)
		return -errno;
	c->list = calloc(1, sizeof(*c->list));
	if (!c->list)
		return -ENOMEM;
	r = read_names(d, &c->list, &n);
	if (r == 0 && n > INT_MAX)
		r = -EOVERFLOW;
	if (r < 0)
		return r;
	qsort(c->list, n, sizeof(*c->list), compare_names);
	return (int)n;
}

int rv_path_list(const char *p, char ***ret)
{
	struct path_call c = {.p = p};
	int r = run(list_in_thread, &c);

	if (r < 0)
		rv_path_list_free(c.list);
	else
		*ret = c.list;
	return r;
}
