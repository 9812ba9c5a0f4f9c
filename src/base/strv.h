/* NULL-terminated arrays of strings, as argv and environ are. */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include "reeve/base.h"

size_t strv_len(char *const *v);           /* NULL counts 0 */
char **strv_free(char **v);                /* strings too; takes NULL, returns NULL */
char **strv_copy(char *const *v);          /* NULL when out of memory */
int strv_append(char ***v, const char *s); /* copies; 0, -ENOMEM */
int strv_append_take(char ***v, char *s);  /* takes s, also on failure */
bool strv_equal(char *const *a, char *const *b);
/* entry "NAME=..." of an environment, the part after '=', or NULL */
const char *strv_env_get(char *const *env, const char *name);
/* set NAME=VALUE, replacing one that is there. 0, -EINVAL (bad name), -ENOMEM */
int strv_env_set(char ***env, const char *name, const char *value);
/* split at any of the bytes in sep, dropping empty parts; 0, -ENOMEM */
int strv_split(char ***ret, const char *s, const char *sep);

/*
 * An array that grows by doubling, for what comes from outside and may be long:
 * strv_append counts the entries each time, and n of them cost n * n.
 */
struct strv_builder {
	char **v; /* NULL-terminated; NULL while empty */
	size_t n, n_max;
};

#define STRV_BUILDER_NULL  \
	{                  \
		NULL, 0, 0 \
	}

int strv_builder_add(struct strv_builder *b, const char *s); /* copies; 0, -ENOMEM */
int strv_builder_take(struct strv_builder *b, char *s); /* takes s, also on failure */
/* hands over the array, which may be of length 0; b is empty then. 0, -ENOMEM */
int strv_builder_finish(struct strv_builder *b, char ***ret);

#define STRV_FOREACH(s, v) for (char *const *s = (v); s && *s; s++)

static inline void strv_freep(char ***v)
{
	strv_free(*v);
}
static inline void strv_builder_deinitp(struct strv_builder *b)
{
	strv_free(b->v);
}

#endif
