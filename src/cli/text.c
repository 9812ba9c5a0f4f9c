#include "config.h"

#include "cli/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"

char *text_printf(const char *fmt, ...)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&out, fmt, ap);
	va_end(ap);
	return r < 0 ? NULL : buf_steal_str(&out, NULL);
}

/* Length of the UTF-8 sequence at s and its code point; 0 where there is none. Overlong
 * forms, surrogates and what is above U+10FFFF are none. */
static size_t utf8_decode(uint32_t *ret, const unsigned char *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len;
	uint32_t c;

	if (s[0] < 0x80) {
		*ret = s[0];
		return 1;
	}
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	c = s[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

static bool is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
	       c == 0x061c ||                  /* Arabic letter mark */
	       (c >= 0x200e && c <= 0x200f) || /* direction marks */
	       (c >= 0x2028 && c <= 0x202e) || /* separators, embeddings */
	       (c >= 0x2066 && c <= 0x2069) || /* isolates */
	       c == 0xfeff;
}

int text_escape(struct buf *out, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0, plain = 0;
	int r;

	while (i < n) {
		uint32_t c = 0;
		size_t len = utf8_decode(&c, p + i, n - i);

		if (len && !is_harmful(c)) {
			i += len;
			continue;
		}
		r = buf_append(out, s + plain, i - plain);
		if (r < 0)
			return r;
		if (len <= 1)
			r = buf_printf(out, "\\x%02x", p[i]);
		else
			r = buf_printf(out, "\\u{%04" PRIx32 "}", c);
		if (r < 0)
			return r;
		i += len ? len : 1;
		plain = i;
	}
	return buf_append(out, s + plain, n - plain);
}

char *text_escape_dup(const char *s)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	if (text_escape(&out, s, strlen(s)) < 0)
		return NULL;
	return buf_steal_str(&out, NULL);
}

char *text_size(char *buf, size_t size, int64_t bytes)
{
	static const char units[] = {'K', 'M', 'G', 'T', 'P'};
	double v = (double)bytes;
	size_t u = 0;

	if (bytes < 1024) {
		snprintf(buf, size, "%" PRId64, bytes);
		return buf;
	}
	v /= 1024;
	while (v >= 1023.95 && u + 1 < ARRAY_LEN(units)) {
		v /= 1024;
		u++;
	}
	snprintf(buf, size, v < 10 ? "%.1f%c" : "%.0f%c", v, units[u]);
	return buf;
}

const char *text_plural(int64_t n)
{
	return n == 1 ? "" : "s";
}
