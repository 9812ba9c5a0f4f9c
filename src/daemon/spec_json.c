#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/spec_json.h"
#include "varlink/bytes_field.h"

static int fault_text(char **err, const struct vl_fault *f)
{
	if (err)
		*err = strdup(f->reason);
	return -EINVAL;
}

static int str_from_json(
	union job_value *v, enum job_field f, const json_t *obj, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	const json_t *m = json_object_get(obj, info->json_name);
	struct vl_fault fault;
	int r;

	if (info->type == JOB_TYPE_JSON) {
		if (!m || json_is_null(m))
			return 0;
		v->str = json_dumps(m, JSON_COMPACT);
		return v->str ? 1 : -ENOMEM;
	}
	if (info->type == JOB_TYPE_RLIMITS || info->type == JOB_TYPE_CODES) {
		if (!m || json_is_null(m))
			return 0;
		r = job_value_parse(v, f, json_string_value(m), err);
		return r < 0 ? r : 1;
	}
	r = vl_get_bytes(obj, info->json_name, &v->str, NULL, &fault);
	return r == -EINVAL ? fault_text(err, &fault) : r;
}

static int strv_from_json(
	union job_value *v, enum job_field f, const json_t *obj, char **err)
{
	struct vl_fault fault;
	int r;

	r = vl_get_bytes_array(obj, job_field_info[f].json_name, &v->strv, &fault);
	return r == -EINVAL ? fault_text(err, &fault) : r;
}

static int num_from_json(
	union job_value *v, enum job_field f, const json_t *obj, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	const json_t *m = json_object_get(obj, info->json_name);
	int r;

	if (!m)
		return 0;
	if (json_is_null(m)) {
		if (info->type != JOB_TYPE_DURATION && info->type != JOB_TYPE_SIZE)
			return 0;
		v->num = INT64_MAX; /* infinity */
		return 1;
	}
	if (json_is_string(m)) {
		r = job_value_parse(v, f, json_string_value(m), err);
		return r < 0 ? r : 1;
	}
	v->num = json_is_boolean(m) ? json_is_true(m) : json_integer_value(m);
	return 1;
}

/* 1: v is set; 0: not given */
static int value_from_json(
	union job_value *v, enum job_field f, const json_t *obj, char **err)
{
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM: return num_from_json(v, f, obj, err);
	case JOB_SHAPE_STR: return str_from_json(v, f, obj, err);
	case JOB_SHAPE_STRV: return strv_from_json(v, f, obj, err);
	}
	return -EINVAL;
}

int spec_from_json(
	struct job_spec *ret, const json_t *obj, const char **ret_field, char **err)
{
	struct job_spec s;

	job_spec_init(&s);
	for (int i = 0; i < JOB_FIELD_N; i++) {
		enum job_field f = (enum job_field)i;
		union job_value v = {.num = 0};
		int r;

		r = value_from_json(&v, f, obj, err);
		if (r == 0)
			continue;
		if (r > 0 && job_field_is_ours(f)) {
			job_value_free(&v, f);
			if (err)
				*err = strdup("only reeve itself says it");
			r = -EINVAL;
		}
		if (r > 0) {
			r = job_value_check(&v, f, err);
			if (r < 0)
				job_value_free(&v, f);
			else
				r = job_spec_put(&s, f, v);
		}
		if (r < 0) {
			*ret_field = job_field_info[f].json_name;
			job_spec_deinit(&s);
			return r;
		}
	}
	*ret = s;
	return 0;
}

static void num_to_json(
	struct json_writer *w, enum job_field f, const union job_value *v)
{
	const struct job_field_info *info = &job_field_info[f];
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;

	switch (info->type) {
	case JOB_TYPE_BOOL: json_writer_bool(w, info->json_name, v->num != 0); return;
	case JOB_TYPE_SIGNAL:
	case JOB_TYPE_LEFTOVERS:
	case JOB_TYPE_ON_LOST:
		if (job_value_format(&text, f, v) < 0)
			w->error = -ENOMEM;
		else
			json_writer_string_n(
				w, info->json_name, buf_head(&text), buf_len(&text));
		return;
	default:
		if (v->num == INT64_MAX)
			json_writer_null(w, info->json_name);
		else
			json_writer_int(w, info->json_name, v->num);
	}
}

/* only the names: the values may be secrets */
static void env_names(struct json_writer *w, const char *key, char *const *env)
{
	json_writer_array(w, key);
	STRV_FOREACH(e, env)
		json_writer_string_n(w, NULL, *e, strcspn(*e, "="));
	json_writer_array_end(w);
}

static void value_to_json(
	struct json_writer *w, enum job_field f, const struct job_spec *s, bool env)
{
	const struct job_field_info *info = &job_field_info[f];
	const union job_value *v = &s->v[f];
	json_t *parsed;

	switch (job_type_shape(info->type)) {
	case JOB_SHAPE_NUM: num_to_json(w, f, v); return;
	case JOB_SHAPE_STRV:
		if (f == JOB_FIELD_ENV && !env)
			env_names(w, info->json_name, v->strv);
		else
			json_writer_strv(w, info->json_name, v->strv);
		return;
	case JOB_SHAPE_STR: break;
	}
	if (info->type != JOB_TYPE_JSON) {
		json_writer_bytes(w, info->json_name, v->str, strlen(v->str));
		return;
	}
	parsed = json_loads(v->str, 0, NULL);
	json_writer_value(w, info->json_name, parsed);
	json_decref(parsed);
}

void spec_to_json(
	struct json_writer *w, const char *key, const struct job_spec *s, bool env)
{
	json_writer_object(w, key);
	for (int i = 0; i < JOB_FIELD_N; i++)
		if (job_spec_has(s, (enum job_field)i))
			value_to_json(w, (enum job_field)i, s, env);
	json_writer_object_end(w);
}
