#include "config.h"

#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/macro.h"

/* digits only, at least one, to the end of the string */
static int parse_digits(uint64_t *ret, const char *s)
{
	uint64_t value = 0;
	bool too_big = false;

	if (!*s || s[strspn(s, "0123456789")])
		return -EINVAL;
	for (; *s; s++) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
			__builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			too_big = true;
	}
	if (too_big)
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_u64(uint64_t *ret, const char *s, uint64_t min, uint64_t max)
{
	uint64_t value;
	int r;

	r = parse_digits(&value, s);
	if (r < 0)
		return r;
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_i64(int64_t *ret, const char *s, int64_t min, int64_t max)
{
	bool negative = *s == '-';
	uint64_t magnitude;
	int64_t value;
	int r;

	r = parse_digits(&magnitude, s + negative);
	if (r < 0)
		return r;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	/* -1 - (m - 1): the smallest value has no positive counterpart */
	value = negative && magnitude ? -1 - (int64_t)(magnitude - 1)
				      : (int64_t)magnitude;
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_bool(bool *ret, const char *s)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {
		{"yes", true},
		{"no", false},
		{"true", true},
		{"false", false},
		{"on", true},
		{"off", false},
		{"1", true},
		{"0", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (STREQ(s, words[i].text)) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

/* shift of "", "B", "K", "KB", "KiB", ...; -EINVAL for anything else */
static int size_unit_shift(const char *s)
{
	static const char letters[] = "KMGT";
	const char *letter;
	int shift = 0;

	if (*s && (letter = strchr(letters, *s))) {
		shift = 10 * (int)(letter - letters + 1);
		s++;
		if (STREQ(s, "iB"))
			return shift;
	}
	return !*s || STREQ(s, "B") ? shift : -EINVAL;
}

int size_parse(int64_t *ret_bytes, const char *s)
{
	static const char digits[] = "0123456789";
	size_t n_whole = strspn(s, digits), n_fraction = 0;
	const char *fraction = s + n_whole, *unit = fraction;
	int64_t value = 0, part = 0;
	int shift;

	if (STREQ(s, "infinity")) {
		*ret_bytes = INT64_MAX;
		return 0;
	}
	if (*fraction == '.') {
		fraction++;
		n_fraction = strspn(fraction, digits);
		if (n_fraction == 0)
			return -EINVAL;
		unit = fraction + n_fraction;
	}
	if (n_whole + n_fraction == 0)
		return -EINVAL;
	shift = size_unit_shift(unit);
	if (shift < 0)
		return shift;
	for (size_t i = 0; i < n_whole; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, s[i] - '0', &value))
			return -ERANGE;
	}
	if (__builtin_mul_overflow(value, INT64_C(1) << shift, &value))
		return -ERANGE;
	/* last digit first, rounded down each time: exact (clock.c says why) */
	for (size_t i = n_fraction; i > 0; i--)
		part = ((int64_t)(fraction[i - 1] - '0') * (INT64_C(1) << shift) +
			       part) /
		       10;
	if (__builtin_add_overflow(value, part, &value) || value == INT64_MAX)
		return -ERANGE;
	*ret_bytes = value;
	return 0;
}

char *size_format(char *buf, size_t size, int64_t bytes)
{
	static const char *const suffixes[] = {"", "K", "M", "G", "T"};
	size_t i = 0;

	if (bytes == INT64_MAX) {
		snprintf(buf, size, "infinity");
		return buf;
	}
	/* the largest unit that divides it: nothing is rounded */
	while (bytes != 0 && bytes % 1024 == 0 && i + 1 < ARRAY_LEN(suffixes)) {
		bytes /= 1024;
		i++;
	}
	snprintf(buf, size, "%" PRId64 "%s", bytes, suffixes[i]);
	return buf;
}

/* Bytes of the well-formed sequence at p (Unicode 15, table 3-7), 0 when there is none.
 */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf; /* range of the second byte */
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	switch (p[0]) {
	case 0xe0: low = 0xa0; break;  /* below: overlong */
	case 0xed: high = 0x9f; break; /* above: surrogates */
	case 0xf0: low = 0x90; break;  /* below: overlong */
	case 0xf4: high = 0x8f; break; /* above: past U+10FFFF */
	}
	if (n < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return len;
}

bool utf8_is_valid(const void *p, size_t n)
{
	const unsigned char *s = p;

	for (size_t i = 0; i < n;) {
		size_t len = utf8_sequence(s + i, n - i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

/* C0, DEL, and C1 (which some terminals obey also when encoded) */
static bool is_control(const unsigned char *p, size_t len)
{
	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	return len == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

char *str_escape(char *out, size_t size, const void *p, size_t n)
{
	static const char dots[] = "...";
	const unsigned char *s = p;
	size_t at = 0, cut = 0; /* cut: where dots still fit */

	if (size == 0)
		return out;
	for (size_t i = 0; i < n;) {
		size_t len = utf8_sequence(s + i, n - i);
		size_t used = len ? len : 1;
		bool escape = len == 0 || is_control(s + i, len);
		size_t need = escape ? 4 * used : used;

		if (size - at <= need) {
			at = cut;
			for (size_t k = 0; k < 3 && at + 1 < size; k++)
				out[at++] = dots[k];
			break;
		}
		if (escape) {
			for (size_t k = 0; k < used; k++)
				snprintf(out + at + 4 * k, 5, "\\x%02x", s[i + k]);
		} else {
			memcpy(out + at, s + i, used);
		}
		at += need;
		i += used;
		if (size - at >= sizeof(dots))
			cut = at;
	}
	out[at] = '\0';
	return out;
}

const char *quoted_fill(struct quoted *q, const char *text)
{
	size_t n;

	q->text[0] = '\'';
	str_escape(q->text + 1, sizeof(q->text) - 2, text, strlen(text));
	n = strlen(q->text);
	q->text[n] = '\'';
	q->text[n + 1] = '\0';
	return q->text;
}

static bool is_inside_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

char *str_shorten(char *out, size_t size, const char *text)
{
	static const char dots[] = "...";
	size_t n = strlen(text), front, from;

	if (n < size) {
		memcpy(out, text, n + 1);
		return out;
	}
	INVARIANT(size >= 8);
	front = size / 3;
	from = n - (size - front - sizeof(dots));
	while (front > 0 && is_inside_character(text[front]))
		front--;
	while (from < n && is_inside_character(text[from]))
		from++;
	memcpy(out, text, front);
	memcpy(out + front, dots, sizeof(dots) - 1);
	memcpy(out + front + sizeof(dots) - 1, text + from, n - from + 1);
	return out;
}

#define NEAREST_LEN_MAX 64

static unsigned char ascii_lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Insertions, deletions, changes and swaps of neighbours between a and b, both at most
 * NEAREST_LEN_MAX long; upper and lower case count as equal. */
static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t rows[3][NEAREST_LEN_MAX + 1];

	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			unsigned char ca = ascii_lower(a[i - 1]),
				      cb = ascii_lower(b[j - 1]);
			size_t best = MIN(above[j], row[j - 1]) + 1;

			best = MIN(best, above[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == ascii_lower(b[j - 2]) &&
				cb == ascii_lower(a[i - 2]))
				best = MIN(best, above2[j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[n_a % 3][n_b];
}

const char *str_nearest(const char *s, const char *const *candidates, size_t n)
{
	size_t len = strlen(s), limit, best_distance;
	const char *best = NULL;

	if (len == 0 || len > NEAREST_LEN_MAX)
		return NULL;
	best_distance = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		size_t len_i = strlen(candidates[i]), shorter, d;

		if (len_i > NEAREST_LEN_MAX)
			continue;
		/* one slip in three letters, three at most: further away is another
		 * word, and so is what has no letter of it */
		shorter = MIN(len, len_i);
		limit = MIN(shorter / 3, (size_t)3);
		limit = MAX(limit, (size_t)1);
		if (shorter <= limit)
			continue;
		/* or it was not written to its end */
		if (strncmp(candidates[i], s, len) == 0)
			limit = 3;
		d = edit_distance(s, len, candidates[i], len_i);
		if (d <= limit && d < best_distance) {
			best_distance = d;
			best = candidates[i];
		}
	}
	return best;
}

static bool is_name_start(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool name_is_valid(const char *s)
{
	size_t n = 1;

	if (!is_name_start(s[0]))
		return false;
	for (; s[n]; n++) {
		bool ok = is_name_start(s[n]) || (s[n] >= '0' && s[n] <= '9') ||
			  s[n] == '.' || s[n] == '@' || s[n] == '-';

		if (!ok || n >= 64)
			return false;
	}
	return true;
}

int path_split(char **ret_dir, const char **ret_name, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *dir;

	if (!*name || STREQ(name, ".") || STREQ(name, ".."))
		return -EINVAL;
	if (!slash)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return -ENOMEM;
	*ret_dir = dir;
	*ret_name = name;
	return 0;
}
