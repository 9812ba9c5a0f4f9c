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

#define BUILDER_MIN 8

int strv_builder_add(struct strv_builder *b, const char *s)
{
	return strv_builder_take(b, strdup(s));
}

int strv_builder_take(struct strv_builder *b, char *s)
{
	if (!s)
		return -ENOMEM;
	if (b->n + 1 >= b->n_max) { /* one for the NULL */
		size_t n_max = b->n_max ? b->n_max * 2 : BUILDER_MIN;
		char **longer = reallocarray(b->v, n_max, sizeof(*longer));

		if (!longer) {
			free(s);
			return -ENOMEM;
		}
		b->v = longer;
		b->n_max = n_max;
	}
	b->v[b->n++] = s;
	b->v[b->n] = NULL;
	return 0;
}

int strv_builder_finish(struct strv_builder *b, char ***ret)
{
	/* it may live long: without the room that was kept free */
	char **v = reallocarray(b->v, b->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v[b->n] = NULL;
	*b = (struct strv_builder)STRV_BUILDER_NULL;
	*ret = v;
	return 0;
}

int strv_split(char ***ret, const char *s, const char *sep)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	size_t len;
	int r;

	for (;; s += len) {
		s += strspn(s, sep);
		len = strcspn(s, sep);
		if (len == 0)
			return strv_builder_finish(&b, ret);
		r = strv_builder_take(&b, strndup(s, len));
		if (r < 0)
			return r;
	}
}
