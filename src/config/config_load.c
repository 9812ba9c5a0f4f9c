#include "config/config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/strv.h"
#include "config/config_apply.h"
#include "config/config_environment.h"
#include "config/config_file.h"
#include "config/config_trust.h"

static int fd_read_file(struct buf *out, int fd)
{
	for (;;) {
		char *p;
		ssize_t n;
		int r = buf_reserve(out, 65536, &p);

		if (r < 0)
			return r;
		n = read(fd, p, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		buf_commit(out, (size_t)n);
		if (buf_len(out) > CONFIG_FILE_BYTES_MAX)
			return -RV_ELIMIT;
	}
}

static int load_text(
	struct config_loader *l, const char *text, size_t n, const char *name)
{
	int r = strv_append(&l->config->files, name);

	if (r < 0)
		return r;
	config_loader_next_file(l, l->config->files[strv_len(l->config->files) - 1]);
	return config_file_parse(text, n, l->file, config_loader_entry, l, l->errors);
}

static int load_file(struct config_loader *l, const struct config_paths *paths,
	const char *path, bool is_required)
{
	const struct config_instead *instead = paths->instead;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_close_ int fd = -1;
	char why[120] = "";
	int r;

	if (instead && STREQ(path, instead->path))
		return load_text(l, instead->text, instead->n,
			instead->name ? instead->name : path);
	fd = paths->mode == CONFIG_MODE_SYSTEM
		     ? config_file_open_trusted(path, why, sizeof(why))
		     : config_file_open(path);
	if (fd == -ENOENT && !is_required)
		return 0;
	if (*why) {
		config_errors_add(l->errors, path, 0, "%s", why);
		return 0;
	}
	r = fd < 0 ? fd : 0;
	if (r >= 0)
		r = fd_read_file(&text, fd);
	if (r == -ENOMEM)
		return r;
	if (r == -EINVAL)
		config_errors_add(l->errors, path, 0, "not a regular file");
	else if (r == -RV_ELIMIT)
		config_errors_add(l->errors, path, 0, "larger than %d MiB",
			CONFIG_FILE_BYTES_MAX >> 20);
	else if (r < 0)
		config_errors_add(
			l->errors, path, 0, "cannot be read: %s", rv_strerror(r));
	if (r < 0)
		return 0;
	return load_text(l, buf_head(&text), buf_len(&text), path);
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* appends the names */
static int dir_list(char ***names, const char *path)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct dirent *de;

	if (!dir)
		return -errno;
	while ((errno = 0, de = readdir(dir))) {
		int r = config_is_file_name(de->d_name) ? strv_append(names, de->d_name)
							: 0;

		if (r < 0)
			return r;
	}
	return -errno;
}

/* A file that is not there, but is to be read as if it were, comes at its place. */
static int add_instead(
	char ***names, const struct config_instead *instead, const char *dir)
{
	size_t n = strlen(dir);

	if (!instead || strncmp(instead->path, dir, n) != 0 ||
		instead->path[n] != '/' || strchr(instead->path + n + 1, '/'))
		return 0;
	STRV_FOREACH(name, *names)
		if (STREQ(*name, instead->path + n + 1))
			return 0;
	return strv_append(names, instead->path + n + 1);
}

static int load_dir(
	struct config_loader *l, const struct config_paths *paths, const char *path)
{
	_cleanup_(strv_freep) char **names = NULL;
	int r = dir_list(&names, path);

	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -ENOENT)
		config_errors_add(
			l->errors, path, 0, "cannot be read: %s", rv_strerror(r));
	r = add_instead(&names, paths->instead, path);
	if (r < 0)
		return r;
	if (names)
		qsort(names, strv_len(names), sizeof(*names), name_compare);
	STRV_FOREACH(name, names) {
		_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
		_cleanup_free_ char *full = NULL;

		r = buf_printf(&b, "%s/%s", path, *name);
		if (r < 0)
			return r;
		full = buf_steal_str(&b, NULL);
		/* one that was removed since the directory was read is gone: no fault
		 */
		r = full ? load_file(l, paths, full, false) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return r;
}

/* the end of every road: all good, or nothing */
static int loader_finish(struct config **ret, struct config_loader *l, bool looks)
{
	config_loader_end(l);
	config_validate(l->config, l->errors);
	if (looks)
		config_look_at_environments(l->config, l->errors);
	config_errors_sort(l->errors, l->config->files);
	if (l->errors->no_memory)
		return -ENOMEM;
	if (!config_errors_is_empty(l->errors))
		return -EINVAL;
	*ret = TAKE_PTR(l->config);
	return 0;
}

int config_load(struct config **ret, const struct config_paths *paths,
	struct config_errors *errors)
{
	_cleanup_(config_freep) struct config *c = NULL;
	struct config_loader l = {.errors = errors};
	int r;

	r = config_new(&c);
	if (r < 0)
		return r;
	l.config = c;
	c->mode = paths->mode;
	if (paths->vendor_dir)
		r = load_dir(&l, paths, paths->vendor_dir);
	if (r >= 0 && paths->file)
		r = load_file(&l, paths, paths->file, paths->file_is_required);
	if (r >= 0 && paths->dropin_dir)
		r = load_dir(&l, paths, paths->dropin_dir);
	if (r >= 0)
		r = loader_finish(ret, &l, paths->looks_at_environments);
	if (r >= 0)
		c = NULL; /* it is *ret now */
	return r;
}

int config_load_text(struct config **ret, const char *text, size_t n, const char *file,
	struct config_errors *errors)
{
	_cleanup_(config_freep) struct config *c = NULL;
	struct config_loader l = {.errors = errors};
	int r;

	r = config_new(&c);
	if (r < 0)
		return r;
	l.config = c;
	r = load_text(&l, text, n, file);
	if (r >= 0)
		r = loader_finish(ret, &l, false);
	if (r >= 0)
		c = NULL; /* it is *ret now */
	return r;
}
