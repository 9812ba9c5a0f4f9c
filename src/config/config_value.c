/* Values of the daemon's own keys: text to value and back. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/zone.h"
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

PRINTF(3, 4) static int value_err(char **err, int r, const char *fmt, ...)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	va_list ap;

	if (!err)
		return r;
	va_start(ap, fmt);
	*err = buf_vprintf(&b, fmt, ap) < 0 ? NULL : buf_steal_str(&b, NULL);
	va_end(ap);
	return r;
}

/* place of a word in "full|normal|off" */
static int word_find(int64_t *ret, const char *words, const char *text)
{
	size_t len = strlen(text), n;

	for (int64_t i = 0; *words; i++, words += n + (words[n] == '|')) {
		n = strcspn(words, "|");
		if (n == len && memcmp(words, text, n) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int num_parse(int64_t *ret, const struct config_key_info *info, const char *text)
{
	bool b;
	int r;

	switch (info->type) {
	case CONFIG_TYPE_NUMBER: return parse_i64(ret, text, INT64_MIN, INT64_MAX);
	case CONFIG_TYPE_DURATION: return duration_parse(ret, text);
	case CONFIG_TYPE_SIZE: return size_parse(ret, text);
	case CONFIG_TYPE_SIGNAL:
		*ret = signal_parse(text);
		return *ret < 0 ? -EINVAL : 0;
	case CONFIG_TYPE_BOOL:
		r = parse_bool(&b, text);
		if (r >= 0)
			*ret = b;
		return r;
	default: return word_find(ret, info->metavar, text);
	}
}

/* "10/min", "3/2h", "infinity": so many in so long */
static int rate_parse(union config_value *ret, const char *text)
{
	const char *slash = strchr(text, '/');
	char n[24], each[40];
	int64_t count, usec;

	if (STREQ(text, "infinity")) {
		ret->rate.n = ret->rate.usec = 0;
		return 0;
	}
	if (!slash || slash == text || (size_t)(slash - text) >= sizeof(n) ||
		strlen(slash) >= sizeof(each) - 1)
		return -EINVAL;
	snprintf(n, sizeof(n), "%.*s", (int)(slash - text), text);
	/* a unit alone is one of it */
	snprintf(each, sizeof(each), "%s%s",
		slash[1] >= '0' && slash[1] <= '9' ? "" : "1", slash + 1);
	if (parse_i64(&count, n, INT64_MIN, INT64_MAX) < 0 ||
		duration_parse(&usec, each) < 0)
		return -EINVAL;
	if (count < 1 || count > CONFIG_RATE_MAX || usec < 1 ||
		usec > CONFIG_RATE_USEC_MAX)
		return -ERANGE;
	ret->rate.n = count;
	ret->rate.usec = usec;
	return 0;
}

static const char *type_noun(const struct config_key_info *info)
{
	switch (info->type) {
	case CONFIG_TYPE_NUMBER: return "a number";
	case CONFIG_TYPE_DURATION: return "a duration such as 90, 5min or infinity";
	case CONFIG_TYPE_SIZE: return "a size such as 4096, 64M or infinity";
	case CONFIG_TYPE_SIGNAL: return "a signal such as HUP";
	case CONFIG_TYPE_BOOL: return "yes or no";
	default: return info->metavar;
	}
}

static void num_format(char *out, size_t size, enum config_type t, int64_t num)
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

static int value_parse_num(
	union config_value *ret, enum config_key k, const char *text, char **err)
{
	const struct config_key_info *info = &config_key_info[k];
	int64_t num;
	int r;

	r = num_parse(&num, info, text);
	if (r == -ERANGE)
		return value_err(err, r, "number is too large: %s", QUOTED(text));
	if (r < 0)
		return value_err(err, r, "not %s: %s", type_noun(info), QUOTED(text));
	if (info->type != CONFIG_TYPE_WORD && (num < info->min || num > info->max)) {
		char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];

		num_format(min, sizeof(min), info->type, info->min);
		num_format(max, sizeof(max), info->type, info->max);
		return value_err(err, -ERANGE, "outside of %s to %s: %s", min, max,
			QUOTED(text));
	}
	ret->num = num;
	return 0;
}

static bool user_is_number(const char *s)
{
	return *s >= '0' && *s <= '9';
}

/* a number, or a name as useradd(8) takes them */
static bool user_is_valid(const char *s)
{
	uint64_t uid;

	return user_is_number(s) ? parse_u64(&uid, s, 0, UINT32_MAX - 1) >= 0
				 : name_is_valid(s);
}

/* Somebody has it, if it is a name. Blocks on the name services. */
static bool user_is_known(const char *s)
{
	struct passwd pw, *found = NULL;
	char text[4096];

	if (!user_is_valid(s) || user_is_number(s))
		return true; /* told already, or for numbers to say */
	/* a long entry is one, too */
	return getpwnam_r(s, &pw, text, sizeof(text), &found) == ERANGE || found;
}

/* All that are not good, as "what: 'one', 'another'" after what out has. 0, -ENOMEM */
static int add_bad_names(struct buf *out, char *const *v,
	bool (*is_good)(const char *name), const char *what)
{
	bool some = false;
	int r = 0;

	STRV_FOREACH(s, v) {
		if (is_good(*s))
			continue;
		if (!some && buf_len(out) > 0)
			r = buf_append_str(out, "; ");
		if (r >= 0)
			r = buf_printf(out, "%s%s", some ? ", " : what, QUOTED(*s));
		if (r < 0)
			return r;
		some = true;
	}
	return 0;
}

static bool user_is_allowed_form(const char *s)
{
	return STREQ(s, "*") || user_is_valid(s);
}

static bool user_is_allowed_known(const char *s)
{
	return STREQ(s, "*") || user_is_known(s);
}

static int value_parse_users(
	union config_value *ret, enum config_key k, const char *text, char **err)
{
	bool all = config_key_info[k].type == CONFIG_TYPE_ALLOWED;
	_cleanup_(strv_freep) char **v = NULL;
	_cleanup_(buf_deinitp) struct buf bad = BUF_NULL;
	int r;

	r = strv_split(&v, text, " \t\r\n\v\f,");
	if (r < 0)
		return r;
	if ((int64_t)strv_len(v) > config_key_info[k].max)
		return value_err(err, -RV_ELIMIT, "more than %" PRId64 " users: %s",
			config_key_info[k].max, QUOTED(text));
	r = add_bad_names(&bad, v, all ? user_is_allowed_form : user_is_valid,
		"not a user's name or number: ");
	if (r >= 0)
		r = add_bad_names(&bad, v, all ? user_is_allowed_known : user_is_known,
			"there is no user ");
	if (r < 0)
		return r;
	if (buf_len(&bad) > 0)
		return value_err(
			err, -EINVAL, "%.*s", (int)buf_len(&bad), buf_head(&bad));
	ret->strv = TAKE_PTR(v);
	return 0;
}

/* names of sections: whether they are there is known once all files are read */
static int value_parse_names(
	union config_value *ret, enum config_key k, const char *text, char **err)
{
	_cleanup_(strv_freep) char **v = NULL;
	_cleanup_(buf_deinitp) struct buf bad = BUF_NULL;
	int r = strv_split(&v, text, " \t\r\n\v\f,");

	if (r < 0)
		return r;
	if ((int64_t)strv_len(v) > config_key_info[k].max)
		return value_err(err, -RV_ELIMIT, "more than %" PRId64 " names",
			config_key_info[k].max);
	r = add_bad_names(&bad, v, name_is_valid,
		"not a name (letters, digits and _ . @ -, at most 64, a letter or _ "
		"first): ");
	if (r < 0)
		return r;
	if (buf_len(&bad) > 0)
		return value_err(
			err, -EINVAL, "%.*s", (int)buf_len(&bad), buf_head(&bad));
	ret->strv = TAKE_PTR(v);
	return 0;
}

static int value_parse_rate(union config_value *ret, const char *text, char **err)
{
	int r = rate_parse(ret, text);

	if (r == -ERANGE)
		return value_err(err, r, "outside of 1 to %d in at most 366d: %s",
			CONFIG_RATE_MAX, QUOTED(text));
	if (r < 0)
		return value_err(err, r,
			"not a rate such as 10/min, 3/2h or infinity: %s",
			QUOTED(text));
	return 0;
}

/* a text each line, without the blanks around it */
static int value_parse_lines(
	union config_value *ret, enum config_key k, const char *text, char **err)
{
	_cleanup_(strv_freep) char **lines = NULL, **v = NULL;
	int r = strv_split(&lines, text, "\n");

	STRV_FOREACH(line, lines) {
		char *p = *line + strspn(*line, " \t\r"), *end = p + strlen(p);

		while (end > p && strchr(" \t\r", end[-1]))
			*--end = '\0';
		if (r >= 0 && *p)
			r = strv_append(&v, p);
	}
	if (r < 0)
		return r;
	if ((int64_t)strv_len(v) > config_key_info[k].max)
		return value_err(err, -RV_ELIMIT, "more than %" PRId64 " lines",
			config_key_info[k].max);
	ret->strv = TAKE_PTR(v);
	return 0;
}

static int value_parse_text(
	union config_value *ret, enum config_key k, const char *text, char **err)
{
	if ((int64_t)strlen(text) > config_key_info[k].max)
		return value_err(err, -RV_ELIMIT, "longer than %" PRId64 " bytes",
			config_key_info[k].max);
	*ret = (union config_value){.text = strdup(text)};
	return ret->text ? 0 : -ENOMEM;
}

/* Blocks: reads the zone's file. */
static int value_parse_zone(union config_value *ret, const char *text, char **err)
{
	_cleanup_(zone_unrefp) struct zone *zone = NULL;
	int r = zone_load(&zone, text);

	if (r == -EINVAL || r == -ENOENT)
		return value_err(
			err, -EINVAL, "there is no time zone %s", QUOTED(text));
	if (r < 0)
		return r == -ENOMEM ? r
				    : value_err(err, -EINVAL,
					      "time zone %s cannot be read: %s",
					      QUOTED(text), rv_strerror(r));
	*ret = (union config_value){.text = strdup(text)};
	return ret->text ? 0 : -ENOMEM;
}

/* Blocks on the name services. */
static int value_parse_user(union config_value *ret, const char *text, char **err)
{
	struct passwd pw, *found = NULL;
	char buf[16384];
	uint64_t uid;

	if (!user_is_valid(text))
		return value_err(
			err, -EINVAL, "not a user's name or number: %s", QUOTED(text));
	if (user_is_number(text) && parse_u64(&uid, text, 0, UINT32_MAX - 1) >= 0)
		(void)!getpwuid_r((uid_t)uid, &pw, buf, sizeof(buf), &found);
	else
		(void)!getpwnam_r(text, &pw, buf, sizeof(buf), &found);
	if (!found)
		return value_err(err, -EINVAL, "there is no user %s", QUOTED(text));
	*ret = (union config_value){.user = {.name = strdup(pw.pw_name),
					    .home = strdup(pw.pw_dir ? pw.pw_dir : "/"),
					    .uid = (uint32_t)pw.pw_uid,
					    .gid = (uint32_t)pw.pw_gid}};
	if (ret->user.name && ret->user.home)
		return 0;
	free(ret->user.name);
	free(ret->user.home);
	return -ENOMEM;
}

static int value_parse_codes(
	union config_value *ret, enum config_key k, const char *text, char **err)
{
	*ret = (union config_value){.text = NULL};
	return codes_canonical(&ret->text, text, (size_t)config_key_info[k].max, err);
}

int config_value_parse(
	union config_value *ret, enum config_key k, const char *text, char **err)
{
	if (err)
		*err = NULL;
	if (config_key_info[k].type == CONFIG_TYPE_RATE)
		return value_parse_rate(ret, text, err);
	switch (config_key_info[k].type) {
	case CONFIG_TYPE_USERS:
	case CONFIG_TYPE_ALLOWED: return value_parse_users(ret, k, text, err);
	case CONFIG_TYPE_NAMES: return value_parse_names(ret, k, text, err);
	case CONFIG_TYPE_LINES: return value_parse_lines(ret, k, text, err);
	case CONFIG_TYPE_ZONE: return value_parse_zone(ret, text, err);
	case CONFIG_TYPE_TEXT: return value_parse_text(ret, k, text, err);
	case CONFIG_TYPE_USER: return value_parse_user(ret, text, err);
	case CONFIG_TYPE_CODES: return value_parse_codes(ret, k, text, err);
	default: break;
	}
	return value_parse_num(ret, k, text, err);
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
		num_format(text, sizeof(text), info->type, v->num);
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
