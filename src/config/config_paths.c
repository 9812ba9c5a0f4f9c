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
