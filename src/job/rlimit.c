/*
 * Resource limits as text: "nofile=1024:4096 core=0". The canonical form has plain
 * numbers, the order of the table, and the hard limit only where it differs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "job/spec.h"
#include "job/value_priv.h"

static const struct {
	const char *name;
	int resource;
	bool is_size; /* bytes: 64M may be written */
} limits[] = {
	{"as", RLIMIT_AS, true},
	{"core", RLIMIT_CORE, true},
	{"cpu", RLIMIT_CPU, false},
	{"data", RLIMIT_DATA, true},
	{"fsize", RLIMIT_FSIZE, true},
	{"memlock", RLIMIT_MEMLOCK, true},
	{"msgqueue", RLIMIT_MSGQUEUE, true},
	{"nice", RLIMIT_NICE, false},
	{"nofile", RLIMIT_NOFILE, false},
	{"nproc", RLIMIT_NPROC, false},
	{"rss", RLIMIT_RSS, true},
	{"rtprio", RLIMIT_RTPRIO, false},
	{"rttime", RLIMIT_RTTIME, false},
	{"sigpending", RLIMIT_SIGPENDING, false},
	{"stack", RLIMIT_STACK, true},
};

static int limit_find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (strlen(limits[i].name) == n && memcmp(limits[i].name, name, n) == 0)
			return (int)i;
	return -ENOENT;
}

static int rlim_parse(rlim_t *ret, const char *text, bool is_size)
{
	int64_t bytes;
	uint64_t n;
	int r;

	if (STREQ(text, "infinity") || STREQ(text, "unlimited")) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (is_size) {
		r = size_parse(&bytes, text);
		n = r < 0 ? 0 : (uint64_t)bytes;
	} else {
		r = parse_u64(&n, text, 0, INT64_MAX);
	}
	if (r >= 0)
		*ret = n;
	return r;
}

/* "NAME=SOFT[:HARD]"; word is changed. Index into limits, or -EINVAL. */
static int limit_parse(struct rlimit *ret, char *word)
{
	char *eq = strchr(word, '='), *colon;
	int i;

	if (!eq)
		return -EINVAL;
	i = limit_find(word, (size_t)(eq - word));
	if (i < 0)
		return -EINVAL;
	colon = strchr(eq, ':');
	if (colon)
		*colon = '\0';
	if (rlim_parse(&ret->rlim_cur, eq + 1, limits[i].is_size) < 0)
		return -EINVAL;
	ret->rlim_max = ret->rlim_cur;
	if (colon && rlim_parse(&ret->rlim_max, colon + 1, limits[i].is_size) < 0)
		return -EINVAL;
	if (colon)
		*colon = ':';
	return ret->rlim_cur > ret->rlim_max ? -EINVAL : i;
}

static int rlim_format(struct buf *out, rlim_t n)
{
	if (n == RLIM_INFINITY)
		return buf_append_str(out, "infinity");
	return buf_printf(out, "%" PRIu64, (uint64_t)n);
}

static int limits_format(struct buf *out, const struct rlimit *rl, const bool *given)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(limits); i++) {
		if (!given[i])
			continue;
		r = buf_printf(out, "%s%s=", buf_len(out) ? " " : "", limits[i].name);
		if (r >= 0)
			r = rlim_format(out, rl[i].rlim_cur);
		if (r >= 0 && rl[i].rlim_cur != rl[i].rlim_max) {
			r = buf_append_byte(out, ':');
			if (r >= 0)
				r = rlim_format(out, rl[i].rlim_max);
		}
	}
	return r;
}

int rlimits_canonical(char **ret, const char *text, char **err)
{
	_cleanup_(strv_freep) char **words = NULL;
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	struct rlimit rl[ARRAY_LEN(limits)];
	bool given[ARRAY_LEN(limits)] = {false};
	int r;

	r = strv_split(&words, text, " \t\r\n\v\f,");
	if (r < 0)
		return r;
	if (strv_len(words) == 0)
		return job_err(err, -EINVAL, "no limit in it: %s", QUOTED(text));
	STRV_FOREACH(w, words) {
		struct rlimit one;
		_cleanup_free_ char *copy = strdup(*w);
		int i;

		if (!copy)
			return -ENOMEM;
		i = limit_parse(&one, copy);
		if (i < 0)
			return job_err(err, -EINVAL,
				"not a limit such as nofile=1024 or core=0:infinity: "
				"%s",
				QUOTED(*w));
		if (given[i])
			return job_err(
				err, -EINVAL, "limit is given twice: %s", QUOTED(*w));
		given[i] = true;
		rl[i] = one;
	}
	r = limits_format(&out, rl, given);
	if (r < 0)
		return r;
	*ret = buf_steal_str(&out, NULL);
	return *ret ? 0 : -ENOMEM;
}

int rlimits_each(const char *text,
	int (*fn)(int resource, rlim_t soft, rlim_t hard, void *arg), void *arg)
{
	while (*text) {
		char word[64];
		struct rlimit one;
		size_t n = strcspn(text, " ");
		int i, r;

		if (n >= sizeof(word))
			return -EINVAL;
		memcpy(word, text, n);
		word[n] = '\0';
		i = limit_parse(&one, word);
		if (i < 0)
			return i;
		r = fn(limits[i].resource, one.rlim_cur, one.rlim_max, arg);
		if (r != 0)
			return r;
		text += n + (text[n] == ' ');
	}
	return 0;
}
