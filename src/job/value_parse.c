/* Text to values. What both texts and values from elsewhere must satisfy is checked in
 * value_check.c. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strv.h"
#include "job/value_priv.h"
#include "job/words.h"

#define BLANKS " \t\r\n\v\f"

static int octal_parse(int64_t *ret, const char *text)
{
	int64_t n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '7'; p++) {
		if (n > INT64_MAX / 16)
			return -ERANGE;
		n = n * 8 + (*p - '0');
	}
	if (*p || p == text)
		return -EINVAL;
	*ret = n;
	return 0;
}

/* "@1700000000", "@1700000000.25": microseconds since the epoch */
static int epoch_parse(int64_t *ret, const char *text)
{
	int64_t sec, usec = 0, unit = USEC_PER_SEC;
	char digits[32];
	size_t n;
	int r;

	if (*text++ != '@')
		return -EINVAL;
	n = strspn(text, "0123456789");
	if (n == 0 || n >= sizeof(digits))
		return n == 0 ? -EINVAL : -ERANGE;
	memcpy(digits, text, n);
	digits[n] = '\0';
	r = parse_i64(&sec, digits, 0, INT64_MAX / USEC_PER_SEC - 1);
	if (r < 0)
		return r;
	text += n;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9' && unit > 1; text++) {
			unit /= 10;
			usec += (*text - '0') * unit;
		}
	if (*text)
		return -EINVAL;
	*ret = sec * USEC_PER_SEC + usec;
	return 0;
}

static int word_parse(int64_t *ret, enum job_type t, const char *text)
{
	const char *const *words = job_type_words(t);

	for (int i = 0; words[i]; i++)
		if (STREQ(words[i], text)) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

static int num_parse(int64_t *ret, enum job_type t, const char *text)
{
	bool b;
	int r;

	switch (t) {
	case JOB_TYPE_NUMBER: return parse_i64(ret, text, INT64_MIN, INT64_MAX);
	case JOB_TYPE_OCTAL: return octal_parse(ret, text);
	case JOB_TYPE_DURATION: return duration_parse(ret, text);
	case JOB_TYPE_TIME: return epoch_parse(ret, text);
	case JOB_TYPE_SIZE: return size_parse(ret, text);
	case JOB_TYPE_BOOL:
		r = parse_bool(&b, text);
		if (r >= 0)
			*ret = b;
		return r;
	case JOB_TYPE_SIGNAL:
		r = signal_parse(text);
		if (r >= 0)
			*ret = r;
		return r < 0 ? r : 0;
	default: return word_parse(ret, t, text);
	}
}

/* what a text of the type has to be, for messages */
static const char *type_noun(enum job_type t)
{
	switch (t) {
	case JOB_TYPE_NUMBER: return "a whole number";
	case JOB_TYPE_OCTAL: return "an octal number";
	case JOB_TYPE_DURATION: return "a duration such as 90, 5min or infinity";
	case JOB_TYPE_TIME: return "a time such as @1700000000";
	case JOB_TYPE_SIZE: return "a size such as 4096, 64M or infinity";
	case JOB_TYPE_BOOL: return "yes or no";
	case JOB_TYPE_SIGNAL: return "a signal";
	case JOB_TYPE_LEFTOVERS: return "kill, leave or wait";
	case JOB_TYPE_ON_LOST: return "hold, rerun or lost";
	default: return "a value";
	}
}

static int value_parse_num(
	union job_value *ret, enum job_field f, const char *text, char **err)
{
	enum job_type t = job_field_info[f].type;
	union job_value v;
	int r;

	r = num_parse(&v.num, t, text);
	if (r == -ERANGE)
		return job_err(err, r, "number is too large: %s", QUOTED(text));
	if (r < 0)
		return job_err(err, r, "not %s: %s", type_noun(t), QUOTED(text));
	r = job_value_check(&v, f, err);
	if (r >= 0)
		*ret = v;
	return r < 0 ? r : 0;
}

static int value_parse_str(
	union job_value *ret, enum job_field f, const char *text, char **err)
{
	union job_value v = {.str = strdup(text)};
	int r;

	if (!v.str)
		return -ENOMEM;
	r = job_value_check(&v, f, err);
	if (r < 0)
		job_value_free(&v, f);
	else
		*ret = v;
	return r < 0 ? r : 0;
}

/* one entry per line; empty lines are nothing */
static int env_parse(char ***ret, const char *text, char **err)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	const char *p = text;

	while (*p) {
		size_t n = strcspn(p, "\n");
		char *entry = NULL;
		int r = 0;

		if (n > 0 && *p == '"') {
			r = words_unquote_line(&entry, p, n);
			if (r == -EINVAL)
				return job_err(err, r, "bad quoting: %s", QUOTED(p));
		} else if (n > 0) {
			entry = strndup(p, n);
			r = entry ? 0 : -ENOMEM;
		}
		if (r >= 0 && entry)
			r = strv_builder_take(&b, entry);
		if (r < 0)
			return r;
		p += n + (p[n] == '\n');
	}
	*ret = NULL;
	return b.n > 0 ? strv_builder_finish(&b, ret) : 0;
}

static int value_parse_strv(
	union job_value *ret, enum job_field f, const char *text, char **err)
{
	union job_value v = {.strv = NULL};
	int r;

	switch (job_field_info[f].type) {
	case JOB_TYPE_ARGV: r = words_split(&v.strv, text, err); break;
	case JOB_TYPE_ENV: r = env_parse(&v.strv, text, err); break;
	case JOB_TYPE_NEEDS:
	case JOB_TYPE_NAMES: r = strv_split(&v.strv, text, BLANKS ","); break;
	case JOB_TYPE_DEPS:
		if (strchr(text, '#'))
			return job_err(err, -EINVAL, "not a job: %s", QUOTED(text));
		r = strv_split(&v.strv, text, BLANKS ",");
		break;
	default: r = strv_split(&v.strv, text, BLANKS); break;
	}
	if (r >= 0)
		r = job_value_check(&v, f, err);
	if (r < 0)
		job_value_free(&v, f);
	else
		*ret = v;
	return r < 0 ? r : 0;
}

int job_value_parse(
	union job_value *ret, enum job_field f, const char *text, char **err)
{
	if (err)
		*err = NULL;
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM: return value_parse_num(ret, f, text, err);
	case JOB_SHAPE_STR: return value_parse_str(ret, f, text, err);
	default: return value_parse_strv(ret, f, text, err);
	}
}

int job_value_parse_arg(
	union job_value *ret, enum job_field f, const char *text, char **err)
{
	union job_value v = {.strv = NULL};
	int r;

	if (job_field_info[f].type != JOB_TYPE_ENV)
		return job_value_parse(ret, f, text, err);
	if (err)
		*err = NULL;
	r = strv_append(&v.strv, text);
	if (r >= 0)
		r = job_value_check(&v, f, err);
	if (r < 0)
		job_value_free(&v, f);
	else
		*ret = v;
	return r < 0 ? r : 0;
}
