#include "config.h"

#include "cli/json.h"

#include <errno.h>

const char *json_str(const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? s : "";
}

int64_t json_int(const json_t *obj, const char *key, int64_t missing)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_integer(v) ? (int64_t)json_integer_value(v) : missing;
}

bool json_is_set(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return v && !json_is_null(v);
}

int json_put(json_t *obj, const char *key, json_t *value)
{
	return json_object_set_new(obj, key, value) < 0 ? -ENOMEM : 0;
}

int json_put_append(json_t *obj, const char *key, json_t *value)
{
	json_t *array = json_object_get(obj, key);

	if (!array) {
		array = json_array();
		if (json_object_set_new(obj, key, array) < 0) {
			json_decref(value);
			return -ENOMEM;
		}
	}
	return json_array_append_new(array, value) < 0 ? -ENOMEM : 0;
}

int json_print(FILE *f, const json_t *value, bool indented)
{
	size_t flags = JSON_ENCODE_ANY | (indented ? JSON_INDENT(2) : JSON_COMPACT);

	if (json_dumpf(value, f, flags) < 0 || fputc('\n', f) == EOF)
		return -EIO;
	return 0;
}
