#include "config.h"

#include "cli/spec_json.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/json.h"
#include "cli/text.h"
#include "varlink/bytes_field.h"

/* Fields whose value is a number here and a word in the protocol. */
static bool is_word(enum job_type t)
{
	return t == JOB_TYPE_SIGNAL || t == JOB_TYPE_LEFTOVERS || t == JOB_TYPE_ON_LOST;
}

static int put_word(json_t *obj, enum job_field f, const union job_value *v)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	int r;

	r = job_value_format(&out, f, v);
	if (r < 0)
		return r;
	return json_put(obj, job_field_info[f].json_name,
		json_stringn(buf_head(&out), buf_len(&out)));
}

static int put_num(json_t *obj, enum job_field f, const union job_value *v)
{
	const struct job_field_info *info = &job_field_info[f];

	if (is_word(info->type))
		return put_word(obj, f, v);
	if (info->type == JOB_TYPE_BOOL)
		return json_put(obj, info->json_name, json_boolean(v->num));
	/* infinity is null there */
	if (v->num == INT64_MAX)
		return json_put(obj, info->json_name, json_null());
	return json_put(obj, info->json_name, json_integer(v->num));
}

static int put_str(json_t *obj, enum job_field f, const union job_value *v)
{
	const struct job_field_info *info = &job_field_info[f];
	const char *s = v->str ? v->str : "";

	if (info->type == JOB_TYPE_JSON)
		return json_put(obj, info->json_name, json_loads(s, 0, NULL));
	if (job_type_is_bytes(info->type))
		return vl_put_bytes(obj, info->json_name, s, strlen(s));
	return json_put(obj, info->json_name, json_string(s));
}

static int put_strv(json_t *obj, enum job_field f, const union job_value *v)
{
	const struct job_field_info *info = &job_field_info[f];
	int r;

	if (job_type_is_bytes(info->type))
		return vl_put_bytes_array(obj, info->json_name, v->strv);
	r = json_put(obj, info->json_name, json_array());
	STRV_FOREACH(s, v->strv)
		if (r == 0)
			r = json_put_append(obj, info->json_name, json_string(*s));
	return r;
}

json_t *spec_to_json(const struct job_spec *s)
{
	_cleanup_json_ json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	for (int i = 0; i < JOB_FIELD_N && r == 0; i++) {
		enum job_field f = (enum job_field)i;

		if (!job_spec_has(s, f))
			continue;
		switch (job_type_shape(job_field_info[i].type)) {
		case JOB_SHAPE_NUM: r = put_num(obj, f, &s->v[i]); break;
		case JOB_SHAPE_STR: r = put_str(obj, f, &s->v[i]); break;
		case JOB_SHAPE_STRV: r = put_strv(obj, f, &s->v[i]); break;
		}
	}
	return r < 0 ? NULL : TAKE_PTR(obj);
}

/* Check a value and hand it to s; v is taken. */
static int put_checked(
	struct job_spec *s, enum job_field f, union job_value v, char **err)
{
	_cleanup_free_ char *why = NULL;
	int r;

	r = job_value_check(&v, f, &why);
	if (r < 0) {
		job_value_free(&v, f);
		if (r == -ENOMEM)
			return r;
		*err = text_printf(
			"%s: %s", job_field_info[f].key, why ? why : rv_strerror(r));
		return -EINVAL;
	}
	return job_spec_put(s, f, v);
}

int spec_put_text(struct job_spec *s, enum job_field f, const char *text, char **err)
{
	_cleanup_free_ char *why = NULL;
	union job_value v;
	int r;

	r = job_value_parse(&v, f, text, &why);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		*err = text_printf(
			"%s: %s", job_field_info[f].key, why ? why : rv_strerror(r));
		return -EINVAL;
	}
	return job_spec_put(s, f, v);
}

int spec_put_str(struct job_spec *s, enum job_field f, const char *value, char **err)
{
	union job_value v = {.str = strdup(value)};

	return v.str ? put_checked(s, f, v, err) : -ENOMEM;
}

int spec_put_num(struct job_spec *s, enum job_field f, int64_t value)
{
	return job_spec_put(s, f, (union job_value){.num = value});
}

int spec_put_strv(struct job_spec *s, enum job_field f, char *const *value, char **err)
{
	union job_value v = {.strv = strv_copy(value)};

	return v.strv ? put_checked(s, f, v, err) : -ENOMEM;
}

static int wrong_type(const char *member, const char *wanted, char **err)
{
	*err = text_printf("%s: %s is expected", member, wanted);
	return -EINVAL;
}

static int num_from_json(
	struct job_spec *s, enum job_field f, const json_t *value, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	union job_value v;

	if (is_word(info->type))
		return json_is_string(value)
			       ? spec_put_text(s, f, json_string_value(value), err)
			       : wrong_type(info->json_name, "a string", err);
	if (info->type == JOB_TYPE_BOOL) {
		if (!json_is_boolean(value))
			return wrong_type(info->json_name, "true or false", err);
		v.num = json_is_true(value);
	} else {
		if (!json_is_integer(value))
			return wrong_type(info->json_name, "an integer", err);
		v.num = json_integer_value(value);
	}
	return put_checked(s, f, v, err);
}

static int text_from_json(
	struct job_spec *s, enum job_field f, const json_t *value, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	union job_value v;

	if (info->type == JOB_TYPE_JSON) {
		if (!json_is_object(value))
			return wrong_type(info->json_name, "an object", err);
		v.str = json_dumps(value, JSON_COMPACT);
	} else {
		if (!json_is_string(value))
			return wrong_type(info->json_name, "a string", err);
		v.str = strdup(json_string_value(value));
	}
	return v.str ? put_checked(s, f, v, err) : -ENOMEM;
}

static int list_from_json(
	struct job_spec *s, enum job_field f, const json_t *value, char **err)
{
	const char *member = job_field_info[f].json_name;
	_cleanup_(strv_builder_deinitp) struct strv_builder list = STRV_BUILDER_NULL;
	union job_value v;
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return wrong_type(member, "an array of strings", err);
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return wrong_type(member, "an array of strings", err);
		if (strv_builder_add(&list, json_string_value(item)) < 0)
			return -ENOMEM;
	}
	if (strv_builder_finish(&list, &v.strv) < 0)
		return -ENOMEM;
	return put_checked(s, f, v, err);
}

/* KEY or KEY_b64 */
static int bytes_from_json(
	struct job_spec *s, enum job_field f, const json_t *obj, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	struct vl_fault fault;
	union job_value v;
	int r;

	if (job_type_shape(info->type) == JOB_SHAPE_STRV)
		r = vl_get_bytes_array(obj, info->json_name, &v.strv, &fault);
	else
		r = vl_get_bytes(obj, info->json_name, &v.str, NULL, &fault);
	if (r == -EINVAL)
		*err = text_printf("%s: %s", fault.path, fault.reason);
	if (r <= 0)
		return r;
	return put_checked(s, f, v, err);
}

static int field_from_json(
	struct job_spec *s, enum job_field f, const json_t *obj, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	const json_t *value = json_object_get(obj, info->json_name);

	if (job_type_is_bytes(info->type))
		return bytes_from_json(s, f, obj, err);
	if (!value)
		return 0;
	if (json_is_null(value)) {
		/* Of a duration or a size null is infinity, of the rest "not given". */
		if (info->type == JOB_TYPE_DURATION || info->type == JOB_TYPE_SIZE)
			return put_checked(
				s, f, (union job_value){.num = INT64_MAX}, err);
		return 0;
	}
	switch (job_type_shape(info->type)) {
	case JOB_SHAPE_NUM: return num_from_json(s, f, value, err);
	case JOB_SHAPE_STR: return text_from_json(s, f, value, err);
	case JOB_SHAPE_STRV: return list_from_json(s, f, value, err);
	}
	return -EINVAL;
}

/* the field that a member, or its twin, belongs to; -ENOENT */
static int field_of_member(const char *member)
{
	_cleanup_free_ char *plain = NULL;
	size_t n = strlen(member);
	int f;

	if (n <= 4 || !STREQ(member + n - 4, "_b64"))
		return job_field_by_json_name(member);
	plain = strndup(member, n - 4);
	if (!plain)
		return -ENOMEM;
	f = job_field_by_json_name(plain);
	return f >= 0 && job_type_is_bytes(job_field_info[f].type) ? f : -ENOENT;
}

/* '-' and '_' are the same here */
static bool is_key(const char *member, const char *key)
{
	for (; *member && *key; member++, key++)
		if (*member != *key && !(*member == '_' && *key == '-'))
			return false;
	return *member == *key;
}

/* The member that was meant; NULL: nobody knows. Options and the configuration have names
 * without the unit. */
static const char *nearest_member(const char *member)
{
	const char *names[2 * JOB_FIELD_N], *near;

	for (size_t i = 0; i < JOB_FIELD_N; i++) {
		names[i] = job_field_info[i].json_name;
		names[JOB_FIELD_N + i] = job_field_info[i].key;
		if (is_key(member, job_field_info[i].key))
			return job_field_info[i].json_name;
	}
	near = str_nearest(member, names, ARRAY_LEN(names));
	for (size_t i = 0; near && i < JOB_FIELD_N; i++)
		if (STREQ(near, job_field_info[i].key))
			return job_field_info[i].json_name;
	return near;
}

static int unknown_member(const char *member, char **err)
{
	const char *near = nearest_member(member);
	char shown[96];

	str_escape(shown, sizeof(shown), member, strlen(member));
	*err = near ? text_printf(
			      "unknown member '%s' (did you mean '%s'?)", shown, near)
		    : text_printf("unknown member '%s'", shown);
	return -EINVAL;
}

int spec_from_json(struct job_spec *s, const json_t *obj, char **err)
{
	uint64_t done = 0;
	const char *member;
	json_t *value;
	int f, r;

	INVARIANT(s && json_is_object(obj) && err);
	json_object_foreach((json_t *)obj, member, value)
	{
		f = field_of_member(member);
		if (f == -ENOMEM)
			return f;
		if (f < 0)
			return unknown_member(member, err);
		if (done >> f & 1) /* its twin came before and told so */
			continue;
		done |= UINT64_C(1) << f;
		r = field_from_json(s, (enum job_field)f, obj, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int value_copy(
	union job_value *ret, enum job_shape shape, const union job_value *v)
{
	switch (shape) {
	case JOB_SHAPE_NUM: *ret = *v; return 0;
	case JOB_SHAPE_STR:
		ret->str = strdup(v->str ? v->str : "");
		return ret->str ? 0 : -ENOMEM;
	case JOB_SHAPE_STRV:
		ret->strv = v->strv ? strv_copy(v->strv) : calloc(1, sizeof(char *));
		return ret->strv ? 0 : -ENOMEM;
	}
	return -EINVAL;
}

int spec_copy(struct job_spec *dst, const struct job_spec *src)
{
	for (int i = 0; i < JOB_FIELD_N; i++) {
		enum job_field f = (enum job_field)i;
		union job_value v;
		int r;

		if (!job_spec_has(src, f))
			continue;
		r = value_copy(&v, job_type_shape(job_field_info[i].type), &src->v[i]);
		if (r == 0)
			r = job_spec_put(dst, f, v);
		if (r < 0)
			return r;
	}
	return 0;
}
