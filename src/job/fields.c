#include "job/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/strv.h"
#include "job/value_priv.h"

#define JSON_NAME_MAX 40

/* Derived from the keys before main: a second column by hand would be a second truth.
 */
static char json_names[JOB_FIELD_N][JSON_NAME_MAX];

const struct job_field_info job_field_info[JOB_FIELD_N] = {
#define X(tag_, id, key_, type_, letter_, default_, min_, max_, metavar_, help_) \
	[JOB_FIELD_##id] = {                                                     \
		.tag = (tag_),                                                   \
		.key = (key_),                                                   \
		.json_name = json_names[JOB_FIELD_##id],                         \
		.type = JOB_TYPE_##type_,                                        \
		.letter = (letter_),                                             \
		.default_text = (default_),                                      \
		.min = (min_),                                                   \
		.max = (max_),                                                   \
		.metavar = (metavar_),                                           \
		.help = (help_),                                                 \
	},
#include "job/fields.def"
#undef X
};

static const char *json_suffix(enum job_type t)
{
	if (t == JOB_TYPE_DURATION || t == JOB_TYPE_TIME)
		return "_usec";
	return t == JOB_TYPE_SIZE ? "_bytes" : "";
}

__attribute__((constructor)) static void json_names_fill(void)
{
	for (int f = 0; f < JOB_FIELD_N; f++) {
		int n = snprintf(json_names[f], JSON_NAME_MAX, "%s%s",
			job_field_info[f].key, json_suffix(job_field_info[f].type));

		INVARIANT(n > 0 && n < JSON_NAME_MAX);
		for (char *p = json_names[f]; *p; p++)
			if (*p == '-')
				*p = '_';
	}
}

enum job_shape job_type_shape(enum job_type t)
{
	switch (t) {
	case JOB_TYPE_NUMBER:
	case JOB_TYPE_BOOL:
	case JOB_TYPE_OCTAL:
	case JOB_TYPE_DURATION:
	case JOB_TYPE_TIME:
	case JOB_TYPE_SIZE:
	case JOB_TYPE_SIGNAL:
	case JOB_TYPE_LEFTOVERS:
	case JOB_TYPE_ON_LOST: return JOB_SHAPE_NUM;
	case JOB_TYPE_TEXT:
	case JOB_TYPE_NAME:
	case JOB_TYPE_POOLS:
	case JOB_TYPE_JSON:
	case JOB_TYPE_BYTES:
	case JOB_TYPE_OUTPUT:
	case JOB_TYPE_RLIMITS:
	case JOB_TYPE_CODES: return JOB_SHAPE_STR;
	case JOB_TYPE_ARGV:
	case JOB_TYPE_ENV:
	case JOB_TYPE_NAMES:
	case JOB_TYPE_NEEDS:
	case JOB_TYPE_GLOBS:
	case JOB_TYPE_DEPS: return JOB_SHAPE_STRV;
	}
	INVARIANT(!"a type without a shape");
	return JOB_SHAPE_NUM;
}

bool job_type_is_bytes(enum job_type t)
{
	return t == JOB_TYPE_BYTES || t == JOB_TYPE_OUTPUT || t == JOB_TYPE_ARGV ||
	       t == JOB_TYPE_ENV || t == JOB_TYPE_GLOBS;
}

bool job_type_appends(enum job_type t)
{
	return t == JOB_TYPE_ENV || t == JOB_TYPE_NAMES || t == JOB_TYPE_NEEDS ||
	       t == JOB_TYPE_GLOBS || t == JOB_TYPE_DEPS;
}

size_t job_field_bytes_max(enum job_field f)
{
	int64_t max = job_field_info[f].max;

	INVARIANT(job_type_shape(job_field_info[f].type) == JOB_SHAPE_STR);
	/* of CODES, max counts the elements */
	if (max == 0 || job_field_info[f].type == JOB_TYPE_CODES)
		return JOB_BYTES_MAX;
	return (size_t)max;
}

size_t job_field_elements_max(enum job_field f)
{
	int64_t max = job_field_info[f].max;

	return max == 0 ? JOB_ELEMENTS_MAX : (size_t)max;
}

int job_field_by_key(const char *key)
{
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (STREQ(job_field_info[f].key, key))
			return job_field_is_ours((enum job_field)f) ? -ENOENT : f;
	return -ENOENT;
}

int job_field_by_json_name(const char *name)
{
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (STREQ(json_names[f], name))
			return f;
	return -ENOENT;
}

int job_field_by_tag(unsigned tag)
{
	/* tags are rows counted from 1 until the first row is retired */
	if (tag >= 1 && tag <= JOB_FIELD_N && job_field_info[tag - 1].tag == tag)
		return (int)tag - 1;
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (job_field_info[f].tag == tag)
			return f;
	return -ENOENT;
}

void job_value_free(union job_value *v, enum job_field f)
{
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM: break;
	case JOB_SHAPE_STR:
		free(v->str);
		v->str = NULL;
		break;
	case JOB_SHAPE_STRV: v->strv = strv_free(v->strv); break;
	}
}

const char *const job_function_name[JOB_FUNCTION_N] = {
	"sleep", "file.hash", "dns.lookup"};

const char *const *job_type_words(enum job_type t)
{
	static const char *const leftovers[] = {
		[JOB_LEFTOVERS_KILL] = "kill",
		[JOB_LEFTOVERS_LEAVE] = "leave",
		[JOB_LEFTOVERS_WAIT] = "wait",
		NULL,
	};
	static const char *const on_lost[] = {
		[JOB_ON_LOST_HOLD] = "hold",
		[JOB_ON_LOST_RERUN] = "rerun",
		[JOB_ON_LOST_LOST] = "lost",
		NULL,
	};
	static const char *const no_yes[] = {"no", "yes", NULL};

	switch (t) {
	case JOB_TYPE_LEFTOVERS: return leftovers;
	case JOB_TYPE_ON_LOST: return on_lost;
	case JOB_TYPE_BOOL: return no_yes;
	default: return NULL;
	}
}

int job_err(char **err, int r, const char *fmt, ...)
{
	struct buf b = BUF_NULL;
	va_list ap;

	if (!err)
		return r;
	va_start(ap, fmt);
	*err = buf_vprintf(&b, fmt, ap) < 0 ? NULL : buf_steal_str(&b, NULL);
	va_end(ap);
	buf_deinit(&b);
	return r;
}
