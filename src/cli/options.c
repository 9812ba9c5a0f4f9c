#include "config.h"

#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/text.h"
#include "cli/time.h"

static enum hint hint_of_field(enum job_field f)
{
	const char *metavar = job_field_info[f].metavar;

	switch (f) {
	case JOB_FIELD_POOL: return HINT_POOL;
	case JOB_FIELD_LABEL: return HINT_LABEL;
	case JOB_FIELD_CWD: return HINT_DIR;
	case JOB_FIELD_SHELL: return HINT_FILE;
	case JOB_FIELD_KILL_SIGNAL: return HINT_SIGNAL;
	case JOB_FIELD_ENVIRONMENT: return HINT_ENVIRONMENT;
	case JOB_FIELD_FUNCTION: return HINT_FUNCTION;
	case JOB_FIELD_AFTER:
	case JOB_FIELD_AFTER_ANY:
	case JOB_FIELD_AFTER_FAILURE: return HINT_JOB;
	default: return metavar && strchr(metavar, '|') ? HINT_CHOICE : HINT_NONE;
	}
}

bool option_of_field(struct option_def *ret, enum job_field f)
{
	const struct job_field_info *info = &job_field_info[f];

	if (f == JOB_FIELD_COMMAND || job_field_is_ours(f))
		return false; /* the operands are the command */
	*ret = (struct option_def){
		.id = OPT_FIELD + (int)f,
		.name = info->key,
		.letter = info->letter,
		.metavar = info->type == JOB_TYPE_BOOL ? NULL : info->metavar,
		.hint = hint_of_field(f),
		.help = info->help,
	};
	return true;
}

static bool def_matches(
	const struct option_def *d, const char *name, size_t name_len, char letter)
{
	if (!name)
		return d->letter && d->letter == letter;
	return strlen(d->name) == name_len && memcmp(d->name, name, name_len) == 0;
}

const struct option_def *option_find(const struct option_set *set, const char *name,
	size_t name_len, char letter, struct option_def *field)
{
	for (size_t i = 0; i < ARRAY_LEN(set->tables); i++)
		for (const struct option_def *d = set->tables[i]; d && d->id; d++)
			if (def_matches(d, name, name_len, letter))
				return d;
	for (int f = 0; set->fields && f < JOB_FIELD_N; f++)
		if (option_of_field(field, (enum job_field)f) &&
			def_matches(field, name, name_len, letter))
			return field;
	return NULL;
}

/* the option that was probably meant, or NULL; *field is storage for its name */
static const char *nearest_option(const struct option_set *set, const char *name)
{
	const char *names[128];
	struct option_def field;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(set->tables); i++)
		for (const struct option_def *d = set->tables[i];
			d && d->id && n < ARRAY_LEN(names); d++)
			names[n++] = d->name;
	for (int f = 0; set->fields && f < JOB_FIELD_N && n < ARRAY_LEN(names); f++)
		if (option_of_field(&field, (enum job_field)f))
			names[n++] = job_field_info[f].key;
	return str_nearest(name, names, n);
}

static int unknown_long(
	const struct option_set *set, const char *name, size_t len, char **err)
{
	_cleanup_free_ char *copy = strndup(name, len);
	const char *near;
	char shown[96];

	if (!copy)
		return -ENOMEM;
	near = nearest_option(set, copy);
	str_escape(shown, sizeof(shown), copy, len);
	*err = near ? text_printf(
			      "unknown option --%s (did you mean --%s?)", shown, near)
		    : text_printf("unknown option --%s", shown);
	return -EINVAL;
}

/* a moment to come, in the words of people */
static int take_time(struct options *o, enum job_field f, const char *value,
	int64_t now_usec, char **err)
{
	_cleanup_free_ char *why = NULL, *other = NULL;
	union job_value v;
	int r = time_parse_ahead(&v.num, value, now_usec, &why);

	if (r >= 0)
		r = job_value_check(&v, f, &other);
	if (r == -EINVAL || r == -ERANGE) {
		*err = text_printf("--%s: %s", job_field_info[f].key,
			why     ? why
			: other ? other
				: rv_strerror(r));
		return -EINVAL;
	}
	return r < 0 ? r : job_spec_put(&o->spec, f, v);
}

static int take_field(struct options *o, enum job_field f, const char *value,
	int64_t now_usec, char **err)
{
	const struct job_field_info *info = &job_field_info[f];
	_cleanup_free_ char *why = NULL;
	union job_value v;
	int r;

	/* -e NAME, without a value: the caller's, which only the verb knows. It finds
	 * the hit, so nothing goes into the spec here. */
	if (info->type == JOB_TYPE_ENV && !strchr(value, '='))
		return 0;
	if (info->type == JOB_TYPE_TIME)
		return take_time(o, f, value, now_usec, err);
	r = job_value_parse(&v, f, value, &why);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		*err = text_printf("--%s: %s", info->key, why ? why : rv_strerror(r));
		return -EINVAL;
	}
	return job_spec_put(&o->spec, f, v);
}

static int take(struct options *o, const struct option_set *set,
	const struct option_def *d, const char *value, char **err)
{
	struct option_hit *hits;

	hits = reallocarray(o->hits, o->n_hits + 1, sizeof(*hits));
	if (!hits)
		return -ENOMEM;
	o->hits = hits;
	hits[o->n_hits++] = (struct option_hit){.id = d->id, .value = value};
	if (d->id < OPT_FIELD)
		return 0;
	return take_field(o, (enum job_field)(d->id - OPT_FIELD), value ? value : "yes",
		set->now_usec, err);
}

/* --name, --name=VALUE, or --name VALUE: returns how many arguments it took */
static int parse_long(struct options *o, const struct option_set *set,
	char *const *argv, int argc, int i, char **err)
{
	const char *name = argv[i] + 2;
	const char *eq = strchr(name, '=');
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	const char *value = eq ? eq + 1 : NULL;
	const struct option_def *d;
	struct option_def field;
	bool is_bool;
	int n = 1, r;

	d = option_find(set, name, len, 0, &field);
	if (!d)
		return unknown_long(set, name, len, err);
	is_bool = d->id >= OPT_FIELD && !d->metavar;
	if (!d->metavar && value && !is_bool) {
		*err = text_printf("--%s takes no value", d->name);
		return -EINVAL;
	}
	if (d->metavar && !value) {
		if (i + 1 >= argc) {
			*err = text_printf("--%s needs %s", d->name, d->metavar);
			return -EINVAL;
		}
		value = argv[i + 1];
		n = 2;
	}
	r = take(o, set, d, value, err);
	return r < 0 ? r : n;
}

/* -abc, -nVALUE, -n VALUE */
static int parse_letters(struct options *o, const struct option_set *set,
	char *const *argv, int argc, int i, char **err)
{
	for (const char *p = argv[i] + 1; *p; p++) {
		const struct option_def *d;
		struct option_def field;
		const char *value = NULL;
		int n = 1, r;

		d = option_find(set, NULL, 0, *p, &field);
		if (!d) {
			char shown[8];

			str_escape(shown, sizeof(shown), p, 1);
			*err = text_printf("unknown option -%s", shown);
			return -EINVAL;
		}
		if (d->metavar && p[1]) {
			value = p + 1;
		} else if (d->metavar) {
			if (i + 1 >= argc) {
				*err = text_printf("-%c needs %s", *p, d->metavar);
				return -EINVAL;
			}
			value = argv[i + 1];
			n = 2;
		}
		r = take(o, set, d, value, err);
		if (r < 0)
			return r;
		if (d->metavar)
			return n;
	}
	return 1;
}

int options_parse(struct options *ret, const struct option_set *set, char *const *argv,
	int argc, int first, int *ret_next, char **err)
{
	bool options_over = false;
	int i = first, r;

	INVARIANT(ret && set && argv && err && first <= argc);
	*ret = (struct options)OPTIONS_NULL;
	job_spec_init(&ret->spec);
	ret->args = calloc((size_t)(argc - first) + 1, sizeof(char *));
	if (!ret->args)
		return -ENOMEM;
	while (i < argc) {
		const char *a = argv[i];

		if (options_over || a[0] != '-' || !a[1]) {
			if (ret_next && !options_over)
				break;
			ret->args[ret->n_args++] = argv[i++];
			options_over |= set->stop_at_operand;
			continue;
		}
		if (STREQ(a, "--")) {
			i++;
			if (ret_next)
				break;
			ret->dash_dash = options_over = true;
			continue;
		}
		r = a[1] == '-' ? parse_long(ret, set, argv, argc, i, err)
				: parse_letters(ret, set, argv, argc, i, err);
		if (r < 0)
			return r;
		i += r;
	}
	if (ret_next)
		*ret_next = i;
	return 0;
}

void options_deinit(struct options *o)
{
	if (!o)
		return;
	free(o->hits);
	free(o->args);
	job_spec_deinit(&o->spec);
	*o = (struct options)OPTIONS_NULL;
}

bool options_has(const struct options *o, int id)
{
	for (size_t i = 0; i < o->n_hits; i++)
		if (o->hits[i].id == id)
			return true;
	return false;
}

const char *options_get(const struct options *o, int id)
{
	for (size_t i = o->n_hits; i > 0; i--)
		if (o->hits[i - 1].id == id)
			return o->hits[i - 1].value;
	return NULL;
}
