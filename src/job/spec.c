#include "job/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/invariant.h"
#include "base/strv.h"
#include "job/value_priv.h"

_Static_assert(JOB_FIELD_N <= 64, "job_spec.set has one bit per field");

#define BIT(f) (UINT64_C(1) << (f))
#define WORK_FIELDS                                              \
	(BIT(JOB_FIELD_COMMAND) | BIT(JOB_FIELD_SHELL_COMMAND) | \
		BIT(JOB_FIELD_FUNCTION))

/*
 * The default of every field, parsed once before main and never freed: a spec only owns
 * the fields that are set in it, so that making one costs a copy of this array.
 */
static union job_value default_values[JOB_FIELD_N];

__attribute__((constructor)) static void default_values_fill(void)
{
	for (int f = 0; f < JOB_FIELD_N; f++) {
		const char *text = job_field_info[f].default_text;
		int r = 0;

		if (text)
			r = job_value_parse(
				&default_values[f], (enum job_field)f, text, NULL);
		else if (job_type_shape(job_field_info[f].type) == JOB_SHAPE_NUM)
			default_values[f].num = JOB_NUM_UNSET;
		INVARIANT(r >= 0);
	}
}

void job_spec_init(struct job_spec *s)
{
	s->set = 0;
	memcpy(s->v, default_values, sizeof(s->v));
}

void job_spec_unset(struct job_spec *s, enum job_field f)
{
	if (job_spec_has(s, f))
		job_value_free(&s->v[f], f);
	s->set &= ~BIT(f);
	s->v[f] = default_values[f];
}

void job_spec_deinit(struct job_spec *s)
{
	while (s->set)
		job_spec_unset(s, (enum job_field)__builtin_ctzll(s->set));
}

/* do two elements speak of the same thing? */
static bool same_thing(enum job_type t, const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	if (t != JOB_TYPE_NEEDS)
		return STREQ(a, b);
	return n == strcspn(b, "=") && memcmp(a, b, n) == 0;
}

/* A label twice says nothing more; of a resource the later amount counts. Lists of names are
 * short. */
static void drop_duplicates(char **v, enum job_type t)
{
	size_t n = 0;

	if (t != JOB_TYPE_NAMES && t != JOB_TYPE_NEEDS)
		return;
	for (size_t i = 0; v && v[i]; i++) {
		size_t k = 0;

		while (k < n && !same_thing(t, v[k], v[i]))
			k++;
		if (k == n) {
			v[n++] = v[i];
		} else {
			free(v[k]);
			v[k] = v[i];
		}
	}
	if (v)
		v[n] = NULL;
}

/* a then b in a; b is empty afterwards. On failure both are as before. */
static int strv_concat(char ***a, char ***b, size_t n_max)
{
	size_t n_a = strv_len(*a), n_b = strv_len(*b);
	char **v;

	if (n_a + n_b > n_max)
		return -RV_ELIMIT;
	v = realloc(*a, (n_a + n_b + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n_b; i++)
		v[n_a + i] = (*b)[i];
	v[n_a + n_b] = NULL;
	*a = v;
	free(*b);
	*b = NULL;
	return 0;
}

int job_spec_put(struct job_spec *s, enum job_field f, union job_value v)
{
	enum job_type t = job_field_info[f].type;
	int r;

	if (job_spec_has(s, f) && job_type_appends(t)) {
		r = strv_concat(&s->v[f].strv, &v.strv, job_field_elements_max(f));
		if (r < 0) {
			job_value_free(&v, f);
			return r;
		}
	} else {
		job_spec_unset(s, f);
		s->v[f] = v;
		s->set |= BIT(f);
	}
	if (job_type_appends(t))
		drop_duplicates(s->v[f].strv, t);
	return 0;
}

int job_spec_put_text(struct job_spec *s, enum job_field f, const char *text)
{
	char *own = strdup(text);

	return own ? job_spec_put(s, f, (union job_value){.str = own}) : -ENOMEM;
}

static int value_copy(union job_value *ret, enum job_field f, const union job_value *v)
{
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM: *ret = *v; return 0;
	case JOB_SHAPE_STR: ret->str = strdup(v->str); return ret->str ? 0 : -ENOMEM;
	case JOB_SHAPE_STRV:
		ret->strv = v->strv ? strv_copy(v->strv) : NULL;
		return v->strv && !ret->strv ? -ENOMEM : 0;
	}
	return -EINVAL;
}

static int merge_field(
	struct job_spec *s, const struct job_spec *defaults, enum job_field f)
{
	union job_value v;
	int r;

	if (job_spec_has(s, f) && !job_type_appends(job_field_info[f].type))
		return 0;
	r = value_copy(&v, f, &defaults->v[f]);
	if (r < 0)
		return r;
	if (!job_spec_has(s, f))
		return job_spec_put(s, f, v);
	r = strv_concat(&v.strv, &s->v[f].strv, job_field_elements_max(f));
	if (r < 0) {
		job_value_free(&v, f);
		return r;
	}
	s->v[f].strv = v.strv;
	drop_duplicates(s->v[f].strv, job_field_info[f].type);
	return 0;
}

int job_spec_take_over(
	struct job_spec *s, const struct job_spec *from, enum job_field f)
{
	return job_spec_has(from, f) ? merge_field(s, from, f) : 0;
}

bool job_spec_says_work(const struct job_spec *s)
{
	return s->set & WORK_FIELDS;
}

int job_spec_merge_defaults(struct job_spec *s, const struct job_spec *defaults)
{
	uint64_t todo = defaults->set;

	/* a job that says what to do is not given a second thing to do */
	if (s->set & WORK_FIELDS)
		todo &= ~(WORK_FIELDS | BIT(JOB_FIELD_ARGUMENTS));
	for (; todo; todo &= todo - 1) {
		int r = merge_field(s, defaults, (enum job_field)__builtin_ctzll(todo));

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- what holds over all fields together ------------------------------------------- */

static int check_one_work(
	const struct job_spec *s, enum job_field *ret_field, char **err)
{
	uint64_t work = s->set & WORK_FIELDS;
	enum job_field a, b;

	if (!(work & (work - 1)))
		return 0;
	a = (enum job_field)__builtin_ctzll(work);
	b = (enum job_field)__builtin_ctzll(work & (work - 1));
	*ret_field = b;
	return job_err(err, -EINVAL, "'%s' and '%s' cannot both be given",
		job_field_info[a].key, job_field_info[b].key);
}

static int check_arguments(
	const struct job_spec *s, enum job_field *ret_field, char **err)
{
	if (!job_spec_has(s, JOB_FIELD_ARGUMENTS) ||
		job_spec_has(s, JOB_FIELD_FUNCTION))
		return 0;
	*ret_field = JOB_FIELD_ARGUMENTS;
	return job_err(err, -EINVAL, "'arguments' are only for a function");
}

static int check_split(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	const char *output = job_str(s, OUTPUT);

	if (!job_num(s, SPLIT_OUTPUT) || strncmp(output, "file:", 5) != 0)
		return 0;
	*ret_field = JOB_FIELD_SPLIT_OUTPUT;
	return job_err(err, -EINVAL,
		"split-output needs two files, output names one: %s", QUOTED(output));
}

static int check_times(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	const char *output = job_str(s, OUTPUT);

	if (!job_num(s, TIMESTAMPS) || strncmp(output, "file:", 5) != 0)
		return 0;
	*ret_field = JOB_FIELD_TIMESTAMPS;
	return job_err(err, -EINVAL,
		"timestamps are for output that is kept here, not in a file of its "
		"own: %s",
		QUOTED(output));
}

/* The daemon has no directory that a relative path could be meant from. */
static int check_absolute(const struct job_spec *s, enum job_field f,
	enum job_field *ret_field, char **err)
{
	if (!s->v[f].str || *s->v[f].str == '/')
		return 0;
	*ret_field = f;
	return job_err(err, -EINVAL, "%s is not an absolute path: %s",
		job_field_info[f].key, QUOTED(s->v[f].str));
}

static int check_stdin(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	const char *from = job_str(s, STDIN);

	if (STREQ(from, "null") || strncmp(from, "input:", 6) == 0)
		return 0;
	return check_absolute(s, JOB_FIELD_STDIN, ret_field, err);
}

static int check_open(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	if (!job_num(s, STDIN_OPEN))
		return 0;
	*ret_field = JOB_FIELD_STDIN_OPEN;
	if (job_str(s, FUNCTION))
		return job_err(err, -EINVAL, "a function reads no stdin");
	if (STREQ(job_str(s, STDIN), "null"))
		return 0;
	return job_err(err, -EINVAL,
		"stdin-open and stdin cannot both be given, which is: %s",
		QUOTED(job_str(s, STDIN)));
}

static int check_cwd(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	return check_absolute(s, JOB_FIELD_CWD, ret_field, err);
}

static int check_shell(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	return check_absolute(s, JOB_FIELD_SHELL, ret_field, err);
}

static int check_delays(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];

	/* where only one is given the other was not chosen: backoff.c gives way */
	if (!job_spec_has(s, JOB_FIELD_RETRY_DELAY) ||
		!job_spec_has(s, JOB_FIELD_RETRY_DELAY_MAX) ||
		job_num(s, RETRY_DELAY) <= job_num(s, RETRY_DELAY_MAX))
		return 0;
	*ret_field = JOB_FIELD_RETRY_DELAY;
	return job_err(err, -EINVAL,
		"retry-delay '%s' is longer than retry-delay-max '%s'",
		duration_format(a, sizeof(a), job_num(s, RETRY_DELAY)),
		duration_format(b, sizeof(b), job_num(s, RETRY_DELAY_MAX)));
}

static int check_slots(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	if (!job_str(s, FUNCTION) || job_num(s, SLOTS) == 1)
		return 0;
	*ret_field = JOB_FIELD_SLOTS;
	return job_err(err, -EINVAL, "a function takes no slot");
}

static int check_when(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	if (!job_spec_has(s, JOB_FIELD_AT) || job_num(s, DELAY) == 0)
		return 0;
	*ret_field = JOB_FIELD_AT;
	return job_err(err, -EINVAL, "'delay' and 'at' cannot both be given");
}

/* of the checks, those of what there is to do, which come first */
enum { N_WORK_CHECKS = 2 };

int job_spec_check_next(
	const struct job_spec *s, unsigned *at, enum job_field *ret_field, char **err)
{
	static int (*const checks[])(const struct job_spec *s,
		enum job_field *ret_field, char **err) = {check_one_work,
		check_arguments, check_split, check_times, check_stdin, check_open,
		check_cwd, check_shell, check_delays, check_slots, check_when};

	if (err)
		*err = NULL;
	while (*at < ARRAY_LEN(checks))
		if (checks[(*at)++](s, ret_field, err) < 0)
			return -EINVAL;
	return 0;
}

int job_spec_check_options(
	const struct job_spec *s, enum job_field *ret_field, char **err)
{
	unsigned at = N_WORK_CHECKS;

	return job_spec_check_next(s, &at, ret_field, err);
}

int job_spec_check(const struct job_spec *s, enum job_field *ret_field, char **err)
{
	unsigned at = 0;

	if (!(s->set & WORK_FIELDS)) {
		*ret_field = JOB_FIELD_COMMAND;
		return job_err(err, -EINVAL,
			"nothing to do: one of command, shell-command, function is "
			"needed");
	}
	return job_spec_check_next(s, &at, ret_field, err);
}
