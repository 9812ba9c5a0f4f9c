#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/invariant.h"
#include "varlink/idl.h"
#include "varlink/limits.h"

/* Where a check is: the chain of places from it to the outermost value. Text is made of
 * it only when something is wrong. */
struct place {
	const struct place *outer;
	const char *key; /* NULL: an element of an array */
	size_t index;
};

static const char *const kind_names[] = {
	[VL_BOOL] = "bool",
	[VL_INT] = "int",
	[VL_FLOAT] = "float",
	[VL_STRING] = "string",
	[VL_OBJECT] = "object",
	[VL_ANY] = "a value",
	[VL_STRUCT] = "object",
	[VL_ENUM] = "string",
	[VL_ARRAY] = "array",
	[VL_MAP] = "object",
};

static const char *json_kind(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return "object";
	case JSON_ARRAY: return "array";
	case JSON_STRING: return "string";
	case JSON_INTEGER: return "int";
	case JSON_REAL: return "float";
	case JSON_TRUE:
	case JSON_FALSE: return "bool";
	case JSON_NULL: return "null";
	}
	return "nothing";
}

/* Appends at n; returns the new length, which stays below size. */
static size_t path_put(
	char *path, size_t n, size_t size, const char *a, const char *b, size_t b_len)
{
	int len = snprintf(path + n, size - n, "%s%.*s", a, (int)b_len, b);

	return len < 0 ? n : MIN(n + (size_t)len, size - 1);
}

static size_t path_make(char *path, size_t size, const struct place *place)
{
	char index[32];
	size_t n;

	if (!place) {
		*path = '\0';
		return 0;
	}
	n = path_make(path, size, place->outer);
	if (place->key) /* keys may be long and from outside */
		return path_put(path, n, size, n ? "." : "", place->key,
			strnlen(place->key, size));
	snprintf(index, sizeof(index), "[%zu]", place->index);
	return path_put(path, n, size, "", index, strlen(index));
}

static int fail(struct vl_fault *fault, const struct place *place, const char *fmt, ...)
	PRINTF(3, 4);

static int fail(struct vl_fault *fault, const struct place *place, const char *fmt, ...)
{
	va_list ap;

	path_make(fault->path, sizeof(fault->path), place);
	va_start(ap, fmt);
	vsnprintf(fault->reason, sizeof(fault->reason), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static const struct vl_field *find_field(const struct vl_type *t, const char *name)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct vl_field *f = &t->fields[t->by_name[mid]];
		int c = strcmp(f->name, name);

		if (c == 0)
			return f;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int check(const struct vl_type *t, json_t *v, struct vl_fault *fault,
	const struct place *place, unsigned depth);

static int check_struct(const struct vl_type *t, json_t *v, struct vl_fault *fault,
	const struct place *place, unsigned depth)
{
	const char *key;
	json_t *member;
	int r;

	json_object_foreach(v, key, member)
	{
		const struct place here = {place, key, 0};
		const struct vl_field *f = find_field(t, key);

		if (!f)
			return fail(fault, &here, "unknown field");
		r = check(&f->type, member, fault, &here, depth);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct vl_field *f = &t->fields[i];
		const struct place here = {place, f->name, 0};

		if (!f->type.nullable && !json_object_get(v, f->name))
			return fail(fault, &here, "missing");
	}
	return 0;
}

static int check_elements(const struct vl_type *t, json_t *v, struct vl_fault *fault,
	const struct place *place, unsigned depth)
{
	const char *key;
	json_t *element;
	size_t i;
	int r;

	if (t->kind == VL_ARRAY) {
		json_array_foreach(v, i, element)
		{
			const struct place here = {place, NULL, i};

			r = check(t->element, element, fault, &here, depth);
			if (r < 0)
				return r;
		}
		return 0;
	}
	json_object_foreach(v, key, element)
	{
		const struct place here = {place, key, 0};

		r = check(t->element, element, fault, &here, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_enum(const struct vl_type *t, const json_t *v, struct vl_fault *fault,
	const struct place *place)
{
	char list[96];
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (STREQ(json_string_value(v), t->values[i]))
			return 0;
	list[0] = '\0';
	for (size_t i = 0; i < t->n; i++)
		n = path_put(list, n, sizeof(list), i ? ", " : "", t->values[i],
			strlen(t->values[i]));
	return fail(fault, place, "expected one of: %s", list);
}

static bool kind_matches(enum vl_kind kind, const json_t *v)
{
	switch (kind) {
	case VL_BOOL: return json_is_boolean(v);
	case VL_INT: return json_is_integer(v);
	case VL_FLOAT: return json_is_number(v);
	case VL_STRING:
	case VL_ENUM: return json_is_string(v);
	case VL_OBJECT:
	case VL_STRUCT:
	case VL_MAP: return json_is_object(v);
	case VL_ARRAY: return json_is_array(v);
	case VL_ANY: return true;
	case VL_NAMED: break;
	}
	return false;
}

static int check(const struct vl_type *t, json_t *v, struct vl_fault *fault,
	const struct place *place, unsigned depth)
{
	bool nullable = t->nullable;

	if (t->kind == VL_NAMED)
		t = t->named;
	if (json_is_null(v) && nullable)
		return 0;
	if (json_is_null(v) || !kind_matches(t->kind, v))
		return fail(fault, place, "expected %s, got %s", kind_names[t->kind],
			json_kind(v));
	/* values of messages are never deeper; others get no deeper stack either */
	if (depth > VL_DEPTH_MAX)
		return fail(fault, place, "nested too deeply");
	switch (t->kind) {
	case VL_STRUCT: return check_struct(t, v, fault, place, depth + 1);
	case VL_ENUM: return check_enum(t, v, fault, place);
	case VL_ARRAY:
	case VL_MAP: return check_elements(t, v, fault, place, depth + 1);
	default: return 0;
	}
}

int vl_check(const struct vl_type *type, const json_t *value, struct vl_fault *fault)
{
	INVARIANT(type && value && fault);
	/* jansson's iteration takes no const, and changes nothing */
	return check(type, (json_t *)(uintptr_t)value, fault, NULL, 0);
}
