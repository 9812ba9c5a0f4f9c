/* Values of the daemon's own keys: kept, compared, and as text. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "config/config_specifiers.h"
#include "config/configuration.h"
#include "job/spec.h"

bool config_type_is_list(enum config_type t)
{
	return t == CONFIG_TYPE_USERS || t == CONFIG_TYPE_LINES ||
	       t == CONFIG_TYPE_NAMES || t == CONFIG_TYPE_ALLOWED;
}

static bool is_text(enum config_type t)
{
	return t == CONFIG_TYPE_ZONE || t == CONFIG_TYPE_TEXT || t == CONFIG_TYPE_CODES;
}

void config_value_free(union config_value *v, enum config_key k)
{
	enum config_type t = config_key_info[k].type;

	if (config_type_is_list(t))
		v->strv = strv_free(v->strv);
	if (is_text(t))
		free(v->text);
	if (t == CONFIG_TYPE_USER) {
		free(v->user.name);
		free(v->user.home);
	}
	if (is_text(t) || t == CONFIG_TYPE_USER)
		*v = (union config_value){.text = NULL};
}

int config_value_copy(
	union config_value *ret, enum config_key k, const union config_value *v)
{
	enum config_type t = config_key_info[k].type;

	*ret = *v;
	if (is_text(t)) {
		ret->text = v->text ? strdup(v->text) : NULL;
		return v->text && !ret->text ? -ENOMEM : 0;
	}
	if (config_type_is_list(t)) {
		ret->strv = v->strv ? strv_copy(v->strv) : NULL;
		return v->strv && !ret->strv ? -ENOMEM : 0;
	}
	if (t != CONFIG_TYPE_USER || !v->user.name)
		return 0;
	ret->user.name = strdup(v->user.name);
	ret->user.home = strdup(v->user.home);
	if (ret->user.name && ret->user.home)
		return 0;
	config_value_free(ret, k);
	return -ENOMEM;
}

void config_num_format(char *out, size_t size, enum config_type t, int64_t num)
{
	if (t == CONFIG_TYPE_DURATION)
		duration_format(out, size, num);
	else if (t == CONFIG_TYPE_SIZE)
		size_format(out, size, num);
	else if (t == CONFIG_TYPE_SIGNAL)
		snprintf(out, size, "%s", num > 0 ? signal_name((int)num) : "");
	else
		snprintf(out, size, "%" PRId64, num);
}

int config_value_format(struct buf *out, enum config_key k, const union config_value *v)
{
	const struct config_key_info *info = &config_key_info[k];
	const char *word = info->metavar;
	char text[DURATION_TEXT_MAX];
	int r = 0;

	switch (info->type) {
	case CONFIG_TYPE_BOOL: return buf_append_str(out, v->num ? "yes" : "no");
	case CONFIG_TYPE_RATE:
		if (v->rate.n == 0)
			return buf_append_str(out, "infinity");
		return buf_printf(out, "%" PRId64 "/%s", v->rate.n,
			duration_format(text, sizeof(text), v->rate.usec));
	case CONFIG_TYPE_WORD:
		for (int64_t i = 0; i < v->num; i++)
			word += strcspn(word, "|") + 1;
		return buf_append(out, word, strcspn(word, "|"));
	case CONFIG_TYPE_ZONE:
	case CONFIG_TYPE_TEXT:
	case CONFIG_TYPE_CODES: return buf_append_str(out, v->text ? v->text : "");
	case CONFIG_TYPE_USER:
		return buf_append_str(out, v->user.name ? v->user.name : "");
	case CONFIG_TYPE_USERS:
	case CONFIG_TYPE_ALLOWED:
	case CONFIG_TYPE_NAMES:
	case CONFIG_TYPE_LINES:
		STRV_FOREACH(s, v->strv) {
			if (r >= 0 && s != v->strv)
				r = buf_append_byte(out,
					info->type == CONFIG_TYPE_LINES ? '\n' : ' ');
			if (r >= 0)
				r = buf_append_str(out, *s);
		}
		return r;
	default:
		config_num_format(text, sizeof(text), info->type, v->num);
		return buf_append_str(out, text);
	}
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? STREQ(a, b) : a == b;
}

bool config_value_equal(
	const union config_value *a, const union config_value *b, enum config_key k)
{
	enum config_type t = config_key_info[k].type;

	if (t == CONFIG_TYPE_RATE)
		return a->rate.n == b->rate.n && a->rate.usec == b->rate.usec;
	if (is_text(t))
		return text_equal(a->text, b->text);
	if (t == CONFIG_TYPE_USER)
		return text_equal(a->user.name, b->user.name) &&
		       a->user.uid == b->user.uid && a->user.gid == b->user.gid;
	if (!config_type_is_list(t))
		return a->num == b->num;
	if (!a->strv || !b->strv)
		return strv_len(a->strv) == strv_len(b->strv);
	return strv_equal(a->strv, b->strv);
}

/* where memory is short they differ */
static bool spec_equal(const struct job_spec *a, const struct job_spec *b)
{
	_cleanup_free_ void *x = NULL, *y = NULL;
	size_t x_len, y_len;

	return job_spec_pack(&x, &x_len, a) >= 0 && job_spec_pack(&y, &y_len, b) >= 0 &&
	       x_len == y_len && memcmp(x, y, x_len) == 0;
}

bool config_named_equal(const struct config_named *a, const struct config_named *b,
	enum config_section section)
{
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (config_key_info[k].section == section &&
			!config_value_equal(&a->v[k], &b->v[k], (enum config_key)k))
			return false;
	return !a->job || !b->job ||
	       (spec_equal(&a->job->spec, &b->job->spec) &&
		       config_raw_equal(a->job, b->job));
}
