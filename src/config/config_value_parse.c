/* Values of the daemon's own keys, from text. */
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
	case CONFIG_TYPE_NUMBER: return "a whole number";
	case CONFIG_TYPE_DURATION: return "a duration such as 90, 5min or infinity";
	case CONFIG_TYPE_SIZE: return "a size such as 4096, 64M or infinity";
	case CONFIG_TYPE_SIGNAL: return "a signal such as HUP";
	case CONFIG_TYPE_BOOL: return "yes or no";
	default: return info->metavar;
	}
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

		config_num_format(min, sizeof(min), info->type, info->min);
		config_num_format(max, sizeof(max), info->type, info->max);
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

/* what is wrong with names of a list: not of that form, or, where asked, not known */
struct name_rule {
	const char *noun; /* of many */
	bool (*has_form)(const char *name);
	const char *bad_form;
	bool (*is_known)(const char *name); /* NULL: that is known later */
	const char *unknown;
};

static const struct name_rule users_rule = {"users", user_is_valid,
	"not a user's name or number: ", user_is_known, "there is no user "};
static const struct name_rule allowed_rule = {"users", user_is_allowed_form,
	"not a user's name or number: ", user_is_allowed_known, "there is no user "};
/* of sections: whether they are there is known once all files are read */
static const struct name_rule names_rule = {"names", name_is_valid,
	"not a name (letters, digits and _ . @ -, at most 64, a letter or _ first): ",
	NULL, NULL};

static int value_parse_names(union config_value *ret, enum config_key k,
	const struct name_rule *rule, const char *text, char **err)
{
	_cleanup_(strv_freep) char **v = NULL;
	_cleanup_(buf_deinitp) struct buf bad = BUF_NULL;
	int r = strv_split(&v, text, " \t\r\n\v\f,");

	if (r < 0)
		return r;
	if ((int64_t)strv_len(v) > config_key_info[k].max)
		return value_err(err, -RV_ELIMIT, "more than %" PRId64 " %s",
			config_key_info[k].max, rule->noun);
	r = add_bad_names(&bad, v, rule->has_form, rule->bad_form);
	if (r >= 0 && rule->is_known)
		r = add_bad_names(&bad, v, rule->is_known, rule->unknown);
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
		return value_parse_names(ret, k, &users_rule, text, err);
	case CONFIG_TYPE_ALLOWED:
		return value_parse_names(ret, k, &allowed_rule, text, err);
	case CONFIG_TYPE_NAMES:
		return value_parse_names(ret, k, &names_rule, text, err);
	case CONFIG_TYPE_LINES: return value_parse_lines(ret, k, text, err);
	case CONFIG_TYPE_ZONE: return value_parse_zone(ret, text, err);
	case CONFIG_TYPE_TEXT: return value_parse_text(ret, k, text, err);
	case CONFIG_TYPE_USER: return value_parse_user(ret, text, err);
	case CONFIG_TYPE_CODES: return value_parse_codes(ret, k, text, err);
	default: break;
	}
	return value_parse_num(ret, k, text, err);
}
