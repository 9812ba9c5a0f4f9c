#include "job/sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/invariant.h"
#include "job/value_priv.h"

const char *const job_sort_key_name[JOB_SORT_KEY_N] = {
#define X(id, name) [JOB_SORT_##id] = (name),
	JOB_SORT_KEYS(X)
#undef X
};

bool job_sort_is_text(enum job_sort_key key)
{
	return key == JOB_SORT_NAME || key == JOB_SORT_POOL || key == JOB_SORT_USER;
}

static int key_by_name(const char *name)
{
	for (int k = 0; k < JOB_SORT_KEY_N; k++)
		if (STREQ(job_sort_key_name[k], name))
			return k;
	return -EINVAL;
}

static int refuse_key(char **err, const char *name)
{
	_cleanup_(buf_deinitp) struct buf all = BUF_NULL;

	for (int k = 0; k < JOB_SORT_KEY_N; k++)
		if (buf_printf(&all, "%s%s", k ? ", " : "", job_sort_key_name[k]) < 0)
			return job_err(err, -EINVAL, "no such key: %s", QUOTED(name));
	return job_err(err, -EINVAL, "no such key: %s; there are: %.*s", QUOTED(name),
		(int)buf_len(&all), buf_head(&all));
}

int job_sort_add(struct job_sort *s, const char *text, char **err)
{
	bool descends = text[0] == '-';
	const char *name = text + descends;
	int key = key_by_name(name);

	if (key < 0)
		return refuse_key(err, name);
	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i] == (enum job_sort_key)key)
			return job_err(err, -EINVAL, "twice: %s", QUOTED(name));
	if (s->n == JOB_SORT_MAX)
		return job_err(err, -EINVAL, "more than %d keys", JOB_SORT_MAX);
	s->keys[s->n] = (enum job_sort_key)key;
	s->descends[s->n++] = descends;
	return 0;
}

int job_sort_parse(struct job_sort *s, const char *text, char **err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *word;
	int r = copy ? 0 : -ENOMEM;

	while (r >= 0 && (word = strsep(&rest, ",")))
		r = job_sort_add(s, word, err);
	return r;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* of one key; those that have none are put last by the sign of what comes back */
static int compare_values(enum job_sort_key key, bool descends,
	const struct job_sort_value *a, const struct job_sort_value *b)
{
	bool is_text = job_sort_is_text(key);
	bool a_has = is_text ? a->text != NULL : a->num != JOB_SORT_NONE;
	bool b_has = is_text ? b->text != NULL : b->num != JOB_SORT_NONE;
	int r;

	if (!a_has || !b_has)
		return b_has - a_has;
	r = is_text ? strcmp(a->text, b->text) : compare_numbers(a->num, b->num);
	return descends ? -r : r;
}

int job_sort_compare(const struct job_sort *s, const struct job_sort_value *a,
	uint64_t a_id, const struct job_sort_value *b, uint64_t b_id)
{
	INVARIANT(s && a && b);
	for (size_t i = 0; i < s->n; i++) {
		int r = compare_values(s->keys[i], s->descends[i], &a[i], &b[i]);

		if (r != 0)
			return r;
	}
	return (a_id > b_id) - (a_id < b_id);
}
