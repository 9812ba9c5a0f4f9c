#include "job/asks.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"

struct part {
	char text[65 + 24]; /* a name, or NAME=N */
};

/* The next part of a list; *at moves on behind its separator. 1; 0 at the end; -EINVAL. */
static int next_part(struct part *ret, const char **at, const char *separators)
{
	size_t n = strcspn(*at, separators);

	if (!**at)
		return 0;
	if (n == 0 || n >= sizeof(ret->text))
		return -EINVAL;
	memcpy(ret->text, *at, n);
	ret->text[n] = '\0';
	*at += n;
	if (**at && !*++*at)
		return -EINVAL; /* it ends with a separator */
	return 1;
}

int job_pools_check(const char *text)
{
	const char *at = text;
	unsigned n = 0;
	struct part p;
	int r;

	if (!*text || (strchr(text, ',') && strchr(text, '|')))
		return -EINVAL;
	while ((r = next_part(&p, &at, ",|")) > 0) {
		if (!name_is_valid(p.text))
			return -EINVAL;
		if (++n > JOB_POOLS_MAX)
			return -RV_ELIMIT;
	}
	return r;
}

int job_pools_each(const char *text, int (*fn)(const char *name, void *arg), void *arg)
{
	const char *at = text;
	struct part p;
	int r = 0;

	while (r == 0 && next_part(&p, &at, ",|") > 0)
		r = fn(p.text, arg);
	return r;
}

bool job_pools_has(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; *at;) {
		size_t n = strcspn(at, ",|");

		if (n == len && memcmp(at, name, n) == 0)
			return true;
		at += n + (at[n] != '\0');
	}
	return false;
}

int job_need_parse(const char *text, char *name, int64_t *ret_amount)
{
	size_t n = strcspn(text, "=");

	if (n == 0 || n > 64 || text[n] != '=')
		return -EINVAL;
	memcpy(name, text, n);
	name[n] = '\0';
	if (!name_is_valid(name) ||
		parse_i64(ret_amount, text + n + 1, 1, INT64_MAX / 2) < 0)
		return -EINVAL;
	return 0;
}

int job_needs_each(const char *text,
	int (*fn)(const char *name, int64_t amount, void *arg), void *arg)
{
	const char *at = text;
	unsigned n = 0;
	struct part p;
	int r;

	while ((r = next_part(&p, &at, " ")) > 0) {
		char name[65];
		int64_t amount;

		if (n++ == JOB_NEEDS_MAX)
			return -RV_ELIMIT;
		r = job_need_parse(p.text, name, &amount);
		if (r == 0)
			r = fn(name, amount, arg);
		if (r != 0)
			return r;
	}
	return r;
}
