#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "daemon/functions.h"

struct functions {
	const struct function **v; /* a handful: searched in turn */
	size_t n;
};

int functions_new(struct functions **ret)
{
	static const struct function *const built_in[] = {
		&function_sleep, &function_file_hash, &function_dns_lookup};
	struct functions *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(built_in); i++) {
		int r = functions_register(fs, built_in[i]);

		if (r < 0) {
			functions_free(fs);
			return r;
		}
	}
	*ret = fs;
	return 0;
}

struct functions *functions_free(struct functions *fs)
{
	if (fs)
		free(fs->v);
	free(fs);
	return NULL;
}

int functions_register(struct functions *fs, const struct function *f)
{
	const struct function **v;

	if (functions_find(fs, f->name))
		return -EEXIST;
	v = reallocarray(fs->v, fs->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	fs->v = v;
	v[fs->n++] = f;
	return 0;
}

const struct function *functions_find(const struct functions *fs, const char *name)
{
	for (size_t i = 0; i < fs->n; i++)
		if (STREQ(fs->v[i]->name, name))
			return fs->v[i];
	return NULL;
}

const struct function *functions_at(const struct functions *fs, size_t i)
{
	return i < fs->n ? fs->v[i] : NULL;
}

int function_argument_error(char **message, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (message && vasprintf(message, fmt, ap) < 0)
		*message = NULL;
	va_end(ap);
	return -EINVAL;
}
