#include "config.h"

#include "varlink/bytes_field.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strv.h"

/* names of fields are the program's own and short */
#define KEY_SIZE 64

static void twin_key(char ret[KEY_SIZE], const char *key)
{
	snprintf(ret, KEY_SIZE, "%s_b64", key);
}

/* Which of the two is there. 1: ret and is_b64 are set; 0: none; -EINVAL: both. */
static int find(const json_t *obj, const char *key, const char *twin, json_t **ret,
	bool *ret_is_b64, struct vl_fault *fault)
{
	json_t *plain = json_object_get(obj, key);
	json_t *b64 = json_object_get(obj, twin);

	if (json_is_null(plain))
		plain = NULL;
	if (json_is_null(b64))
		b64 = NULL;
	if (plain && b64) {
		vl_fault_set(fault, twin, "only one of '%s' and '%s' may be given", key,
			twin);
		return -EINVAL;
	}
	if (!plain && !b64)
		return 0;
	*ret = plain ? plain : b64;
	*ret_is_b64 = b64 != NULL;
	return 1;
}

/* One string to its bytes. path names it in a fault. */
static int take(const json_t *v, bool is_b64, char **ret, size_t *ret_len,
	const char *path, struct vl_fault *fault)
{
	_cleanup_free_ void *p = NULL;
	size_t n;
	int r;

	if (!json_is_string(v)) {
		vl_fault_set(fault, path, "expected string");
		return -EINVAL;
	}
	if (is_b64) {
		r = base64_decode(&p, &n, json_string_value(v), json_string_length(v));
		if (r == -EINVAL)
			vl_fault_set(fault, path, "not base64");
		if (r < 0)
			return r;
	} else {
		n = json_string_length(v);
		p = malloc(n + 1);
		if (!p)
			return -ENOMEM;
		memcpy(p, json_string_value(v), n + 1);
	}
	if (memchr(p, '\0', n)) {
		vl_fault_set(fault, path, "must not contain a NUL byte");
		return -EINVAL;
	}
	*ret = TAKE_PTR(p);
	if (ret_len)
		*ret_len = n;
	return 0;
}

int vl_get_bytes(const json_t *obj, const char *key, char **ret, size_t *ret_len,
	struct vl_fault *fault)
{
	char twin[KEY_SIZE];
	json_t *v;
	bool is_b64;
	int r;

	twin_key(twin, key);
	r = find(obj, key, twin, &v, &is_b64, fault);
	if (r <= 0)
		return r;
	r = take(v, is_b64, ret, ret_len, is_b64 ? twin : key, fault);
	return r < 0 ? r : 1;
}

int vl_get_bytes_array(
	const json_t *obj, const char *key, char ***ret, struct vl_fault *fault)
{
	_cleanup_(strv_freep) char **v = NULL;
	char twin[KEY_SIZE], path[KEY_SIZE + 24];
	json_t *array, *item;
	const char *name;
	bool is_b64;
	size_t i;
	int r;

	twin_key(twin, key);
	r = find(obj, key, twin, &array, &is_b64, fault);
	if (r <= 0)
		return r;
	name = is_b64 ? twin : key;
	if (!json_is_array(array)) {
		vl_fault_set(fault, name, "expected array of strings");
		return -EINVAL;
	}
	/* filled directly: appending one by one would count the array every time */
	v = calloc(json_array_size(array) + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	json_array_foreach(array, i, item)
	{
		snprintf(path, sizeof(path), "%s[%zu]", name, i);
		r = take(item, is_b64, &v[i], NULL, path, fault);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(v);
	return 1;
}

static json_t *base64_value(const void *p, size_t n)
{
	_cleanup_free_ char *text = malloc(base64_encoded_len(n) + 1);

	if (!text)
		return NULL;
	base64_encode(text, p, n);
	return json_string_nocheck(text);
}

int vl_put_bytes(json_t *obj, const char *key, const void *p, size_t n)
{
	char twin[KEY_SIZE];

	if (n == 0 || (utf8_is_valid(p, n) && !memchr(p, '\0', n)))
		return json_object_set_new(
			       obj, key, json_stringn_nocheck(n ? p : "", n)) < 0
			       ? -ENOMEM
			       : 0;
	twin_key(twin, key);
	return json_object_set_new(obj, twin, base64_value(p, n)) < 0 ? -ENOMEM : 0;
}

int vl_put_bytes_array(json_t *obj, const char *key, char *const *v)
{
	char twin[KEY_SIZE];
	json_t *array;
	bool text = true;

	STRV_FOREACH(s, v)
		text = text && utf8_is_valid(*s, strlen(*s));
	array = json_array();
	if (!array)
		return -ENOMEM;
	STRV_FOREACH(s, v) {
		json_t *item =
			text ? json_string_nocheck(*s) : base64_value(*s, strlen(*s));

		if (json_array_append_new(array, item) < 0) {
			json_decref(array);
			return -ENOMEM;
		}
	}
	twin_key(twin, key);
	return json_object_set_new(obj, text ? key : twin, array) < 0 ? -ENOMEM : 0;
}
