/* Limits of types and rows; brings lists of codes and limits into canonical form. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/strv.h"
#include "job/asks.h"
#include "job/deps.h"
#include "job/spec.h"
#include "job/value_priv.h"

static int err_range(char **err, enum job_field f, int64_t num)
{
	const struct job_field_info *info = &job_field_info[f];
	char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX], c[DURATION_TEXT_MAX];

	switch (info->type) {
	case JOB_TYPE_DURATION:
		duration_format(a, sizeof(a), num);
		duration_format(b, sizeof(b), info->min);
		duration_format(c, sizeof(c), info->max);
		break;
	case JOB_TYPE_SIZE:
		size_format(a, sizeof(a), num);
		size_format(b, sizeof(b), info->min);
		size_format(c, sizeof(c), info->max);
		break;
	default:
		return job_err(err, -ERANGE,
			info->type == JOB_TYPE_OCTAL
				? "'%#" PRIo64 "' is outside of %#" PRIo64
				  " to %#" PRIo64
				: "'%" PRId64 "' is outside of %" PRId64 " to %" PRId64,
			num, info->min, info->max);
	}
	return job_err(err, -ERANGE, "'%s' is outside of %s to %s", a, b, c);
}

static int check_num(int64_t num, enum job_field f, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	const char *const *words = job_type_words(info->type);

	if (info->type == JOB_TYPE_SIGNAL) {
		if (num < 1 || num > SIGRTMAX)
			return job_err(
				err, -ERANGE, "not a signal: '%lld'", (long long)num);
		return 0;
	}
	if (words) {
		int64_t n = 0;

		while (words[n])
			n++;
		if (num < 0 || num >= n)
			return job_err(err, -ERANGE, "'%lld' is outside of 0 to %lld",
				(long long)num, (long long)n - 1);
		return 0;
	}
	if (num < info->min || num > info->max)
		return err_range(err, f, num);
	return 0;
}

static bool output_is_valid(const char *s)
{
	static const char *const words[] = {"file", "null", "journal", "inherit"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (STREQ(s, words[i]))
			return true;
	return strncmp(s, "file:/", 6) == 0;
}

/* Only that it can be an object; the layers that use it parse it. */
static bool looks_like_json_object(const char *s)
{
	static const char blanks[] = " \t\r\n";
	size_t n = strlen(s);

	while (n > 0 && strchr(blanks, s[n - 1]))
		n--;
	s += strspn(s, blanks);
	return s[0] == '{' && n > 0 && strchr(s, '}');
}

static int check_text(const char *s, enum job_field f, char **err)
{
	enum job_type t = job_field_info[f].type;

	if (!*s)
		return job_err(err, -EINVAL, "'' is not a value: it must not be empty");
	if (strlen(s) > job_field_bytes_max(f))
		return job_err(err, -RV_ELIMIT, "longer than %zu bytes: %s",
			job_field_bytes_max(f), QUOTED(s));
	if (!job_type_is_bytes(t) && !utf8_is_valid(s, strlen(s)))
		return job_err(err, -EINVAL, "not valid UTF-8: %s", QUOTED(s));
	if (t == JOB_TYPE_NAME && !name_is_valid(s))
		return job_err(err, -EINVAL,
			"not a name (letters, digits and _ . @ -, at most 64, "
			"a letter or _ first): %s",
			QUOTED(s));
	if (t == JOB_TYPE_POOLS && job_pools_check(s) < 0)
		return job_err(err, -EINVAL,
			"not the name of a pool, nor up to %d of them with all ',' or "
			"all '|' between: %s",
			JOB_POOLS_MAX, QUOTED(s));
	if (t == JOB_TYPE_OUTPUT && !output_is_valid(s))
		return job_err(err, -EINVAL,
			"not one of file, null, journal, inherit, "
			"file:/absolute/path: %s",
			QUOTED(s));
	if (t == JOB_TYPE_JSON && !looks_like_json_object(s))
		return job_err(err, -EINVAL, "not a JSON object: %s", QUOTED(s));
	return 0;
}

static int check_str(union job_value *v, enum job_field f, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	char *canonical;
	int r;

	if (!v->str)
		return job_err(err, -EINVAL, "no value");
	r = check_text(v->str, f, err);
	if (r < 0)
		return r;
	if (info->type == JOB_TYPE_CODES)
		r = codes_canonical(&canonical, v->str, (size_t)info->max, err);
	else if (info->type == JOB_TYPE_RLIMITS)
		r = rlimits_canonical(&canonical, v->str, err);
	else
		return 0;
	if (r < 0)
		return r;
	free(v->str);
	v->str = canonical;
	return 0;
}

static int check_element(const char *s, enum job_type t, char **err)
{
	char name[65];
	int64_t amount;
	const char *eq;

	switch (t) {
	case JOB_TYPE_ENV:
		eq = strchr(s, '=');
		if (!eq)
			return job_err(
				err, -EINVAL, "no '=' (NAME=VALUE): %s", QUOTED(s));
		if (eq == s)
			return job_err(
				err, -EINVAL, "no name before '=': %s", QUOTED(s));
		return 0;
	case JOB_TYPE_NAMES:
		if (!name_is_valid(s))
			return job_err(err, -EINVAL,
				"not a name (letters, digits and _ . @ -, at most 64, "
				"a letter or _ first): %s",
				QUOTED(s));
		return 0;
	case JOB_TYPE_NEEDS:
		if (job_need_parse(s, name, &amount) < 0)
			return job_err(err, -EINVAL,
				"not a resource and how much of it, such as gpu=1: %s",
				QUOTED(s));
		return 0;
	case JOB_TYPE_DEPS:
		if (!dep_element_is_valid(s))
			return job_err(err, -EINVAL,
				"not a job (an id, a name or @label; several with "
				"'|' between them): %s",
				QUOTED(s));
		return 0;
	case JOB_TYPE_GLOBS:
		/* names of variables: a blank could not be written in a list */
		if (!*s || s[strcspn(s, " \t\r\n\v\f=")])
			return job_err(err, -EINVAL,
				"not a pattern of a variable's name: %s", QUOTED(s));
		return 0;
	default: return 0;
	}
}

static int check_strv(char *const *v, enum job_field f, char **err)
{
	enum job_type t = job_field_info[f].type;
	size_t n = strv_len(v), bytes = 0;

	if (t == JOB_TYPE_ARGV && (n == 0 || !*v[0]))
		return job_err(err, -EINVAL, "'' names no program");
	if (n > job_field_elements_max(f))
		return job_err(err, -RV_ELIMIT,
			"'%zu' elements: at most %zu are allowed", n,
			job_field_elements_max(f));
	STRV_FOREACH(s, v) {
		int r = check_element(*s, t, err);

		if (r < 0)
			return r;
		bytes += strlen(*s) + 1;
	}
	if (bytes > JOB_BYTES_MAX)
		return job_err(err, -RV_ELIMIT, "'%zu' bytes: at most %d are allowed",
			bytes, JOB_BYTES_MAX);
	return 0;
}

int job_value_check(union job_value *v, enum job_field f, char **err)
{
	if (err)
		*err = NULL;
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM: return check_num(v->num, f, err);
	case JOB_SHAPE_STR: return check_str(v, f, err);
	default: return check_strv(v->strv, f, err);
	}
}
