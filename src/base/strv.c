#include "config.h"

#include "base/strv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

char **strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
	return NULL;
}

char **strv_copy(char *const *v)
{
	_cleanup_(strv_freep) char **copy = NULL;
	size_t n = strv_len(v);

	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		copy[i] = strdup(v[i]);
		if (!copy[i])
			return NULL;
	}
	return TAKE_PTR(copy);
}

int strv_append(char ***v, const char *s)
{
	return strv_append_take(v, strdup(s));
}

int strv_append_take(char ***v, char *s)
{
	size_t n = strv_len(*v);
	char **longer;

	if (!s)
		return -ENOMEM;
	longer = reallocarray(*v, n + 2, sizeof(*longer));
	if (!longer) {
		free(s);
		return -ENOMEM;
	}
	longer[n] = s;
	longer[n + 1] = NULL;
	*v = longer;
	return 0;
}

bool strv_equal(char *const *a, char *const *b)
{
	size_t n = strv_len(a);

	if (n != strv_len(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(a[i], b[i]) != 0)
			return false;
	}
	return true;
}

/* the entry that sets name, or NULL */
static char *const *strv_env_find(char *const *env, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || strchr(name, '='))
		return NULL;
	STRV_FOREACH(entry, env) {
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return entry;
	}
	return NULL;
}

const char *strv_env_get(char *const *env, const char *name)
{
	char *const *entry = strv_env_find(env, name);

	return entry ? *entry + strlen(name) + 1 : NULL;
}

int strv_env_set(char ***env, const char *name, const char *value)
{
	char *const *old;
	char *entry;

	if (!*name || strchr(name, '='))
		return -EINVAL;
	if (asprintf(&entry, "%s=%s", name, value) < 0)
		return -ENOMEM;
	old = strv_env_find(*env, name);
	if (!old)
		return strv_append_take(env, entry);
	free(*old);
	(*env)[old - *env] = entry;
	return 0;
}

int strv_split(char ***ret, const char *s, const char *sep)
{
	_cleanup_(strv_freep) char **v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return -ENOMEM;
	for (;;) {
		size_t len;

		s += strspn(s, sep);
		len = strcspn(s, sep);
		if (len == 0)
			break;
		r = strv_append_take(&v, strndup(s, len));
		if (r < 0)
			return r;
		s += len;
	}
	*ret = TAKE_PTR(v);
	return 0;
}
