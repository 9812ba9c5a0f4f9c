/* Where configuration files are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/config_load.h"

void config_paths_deinit(struct config_paths *p)
{
	free(p->vendor_dir);
	free(p->file);
	free(p->dropin_dir);
	*p = (struct config_paths){0};
}

static char *join(const char *a, const char *b)
{
	struct buf out = BUF_NULL;
	char *path = NULL;

	if (buf_append_str(&out, a) >= 0 && buf_append_str(&out, b) >= 0)
		path = buf_steal_str(&out, NULL);
	buf_deinit(&out);
	return path;
}

bool config_is_file_name(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 5 && STREQ(name + n - 5, ".conf");
}

/* 1: both lead to one directory, or are spelled alike */
static int is_same_dir(const char *a, const char *b)
{
	_cleanup_free_ char *real_a = realpath(a, NULL), *real_b = realpath(b, NULL);

	return STREQ(a, b) || (real_a && real_b && STREQ(real_a, real_b));
}

int config_paths_place(char **ret, const struct config_paths *paths, const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	const char *const dirs[] = {paths->dropin_dir, paths->vendor_dir};
	_cleanup_free_ char *dir = NULL, *file_dir = NULL;

	*ret = NULL;
	if (slash)
		dir = slash == name ? strdup("/")
				    : strndup(name, (size_t)(slash - name));
	if (slash && !dir)
		return -ENOMEM;
	if (paths->file) {
		const char *end = strrchr(paths->file, '/');

		file_dir = end ? strndup(paths->file, (size_t)(end - paths->file))
			       : strdup(".");
		if (!file_dir)
			return -ENOMEM;
		if (slash && STREQ(base, end ? end + 1 : paths->file) &&
			is_same_dir(dir, file_dir))
			return (*ret = strdup(paths->file)) ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (dirs[i] && config_is_file_name(base) &&
			(slash ? is_same_dir(dir, dirs[i]) : i == 0)) {
			_cleanup_free_ char *part = join(dirs[i], "/");

			*ret = part ? join(part, base) : NULL;
			return *ret ? 0 : -ENOMEM;
		}
	return -ENOENT;
}

int config_paths_system(struct config_paths *ret)
{
	_cleanup_(config_paths_deinitp) struct config_paths p = {
		.mode = CONFIG_MODE_SYSTEM};

	p.vendor_dir = strdup(VENDORCONFDIR "/reeve.conf.d");
	p.file = strdup(SYSCONFDIR "/reeve/reeve.conf");
	p.dropin_dir = strdup(SYSCONFDIR "/reeve/reeve.conf.d");
	if (!p.vendor_dir || !p.file || !p.dropin_dir)
		return -ENOMEM;
	*ret = p;
	p = (struct config_paths){0};
	return 0;
}

int config_paths_user(
	struct config_paths *ret, const char *config_home, const char *home)
{
	_cleanup_(config_paths_deinitp) struct config_paths p = {
		.mode = CONFIG_MODE_USER};
	_cleanup_free_ char *dir = NULL;

	/* the base directory specification says to ignore relative ones */
	if (config_home && *config_home == '/')
		dir = strdup(config_home);
	else if (home && *home == '/')
		dir = join(home, "/.config");
	else {
		*ret = p;
		return 0;
	}
	if (!dir)
		return -ENOMEM;
	p.file = join(dir, "/reeve/reeve.conf");
	p.dropin_dir = join(dir, "/reeve/reeve.conf.d");
	if (!p.file || !p.dropin_dir)
		return -ENOMEM;
	*ret = p;
	p = (struct config_paths){0};
	return 0;
}

int config_paths_single(struct config_paths *ret, const char *file)
{
	struct config_paths p = {.file = strdup(file), .file_is_required = true};

	if (!p.file)
		return -ENOMEM;
	*ret = p;
	return 0;
}
