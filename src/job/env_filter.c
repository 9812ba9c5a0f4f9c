#include "job/env_filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"

bool env_name_matches(const char *name, char *const *globs)
{
	STRV_FOREACH(g, globs)
		if (fnmatch(*g, name, 0) == 0)
			return true;
	return false;
}

/* 1 the entry stays, 0 it goes, -ENOMEM */
static int entry_passes(
	const char *entry, char *const *pass, char *const *drop, bool pass_all)
{
	const char *eq = strchr(entry, '=');
	_cleanup_free_ char *name = NULL;

	if (!eq || eq == entry)
		return 0;
	name = strndup(entry, (size_t)(eq - entry));
	if (!name)
		return -ENOMEM;
	if (!pass_all && !env_name_matches(name, pass))
		return 0;
	return !env_name_matches(name, drop);
}

int env_filter(char ***ret, char *const *env, char *const *pass, char *const *drop,
	bool pass_all)
{
	_cleanup_(strv_freep) char **v = calloc(strv_len(env) + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	STRV_FOREACH(e, env) {
		int r = entry_passes(*e, pass, drop, pass_all);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		v[n] = strdup(*e);
		if (!v[n++])
			return -ENOMEM;
	}
	*ret = TAKE_PTR(v);
	return 0;
}
