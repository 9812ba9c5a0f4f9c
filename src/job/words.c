#include "job/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/value_priv.h"

#define BLANKS " \t\r\n\v\f"

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

/* One word, *pp at its first byte; afterwards *pp is behind it. The words are counted
 * in out so that ends of reallocation do not make long argument lists quadratic. */
static int word_read(struct buf *out, const char **pp, const char *text, char **err)
{
	const char *p = *pp, *quote = NULL;
	int r = 0;

	for (; *p && r >= 0; p++) {
		if (quote && *p == *quote) {
			quote = NULL;
			continue;
		}
		if (!quote && is_blank(*p))
			break;
		if (!quote && (*p == '\'' || *p == '"')) {
			quote = p;
			continue;
		}
		if (*p == '\\' && !(quote && *quote == '\'')) {
			if (!p[1] && !quote)
				return job_err(err, -EINVAL,
					"a backslash ends the text: %s", QUOTED(text));
			if (p[1] == '\n') {
				p++;
				continue;
			}
			if (!quote || (p[1] && strchr("\\\"$`", p[1])))
				p++;
		}
		r = buf_append_byte(out, *p);
	}
	if (r < 0)
		return r;
	if (quote)
		return job_err(err, -EINVAL, "the %s at byte %zu is not closed: %s",
			*quote == '"' ? "double quote" : "single quote",
			(size_t)(quote - text) + 1, QUOTED(text));
	*pp = p;
	return 0;
}

/* all words as one block, each ended by NUL, to an array */
static int words_to_strv(char ***ret, struct buf *block, size_t n)
{
	_cleanup_(strv_freep) char **v = calloc(n + 1, sizeof(*v));
	const char *p = buf_head(block);

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		v[i] = strdup(p);
		if (!v[i])
			return -ENOMEM;
		p += strlen(p) + 1;
	}
	*ret = TAKE_PTR(v);
	return 0;
}

int words_split(char ***ret, const char *text, char **err)
{
	_cleanup_(buf_deinitp) struct buf block = BUF_NULL;
	const char *p = text;
	size_t n = 0;
	int r;

	for (;;) {
		/* an escaped line end between words is white space too */
		while (is_blank(*p) || (p[0] == '\\' && p[1] == '\n'))
			p += *p == '\\' ? 2 : 1;
		if (!*p)
			return words_to_strv(ret, &block, n);
		r = word_read(&block, &p, text, err);
		if (r >= 0)
			r = buf_append_byte(&block, '\0');
		if (r < 0)
			return r;
		n++;
	}
}

int words_quote(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,@%^~";
	int r;

	if (*word && !word[strspn(word, plain)])
		return buf_append_str(out, word);
	r = buf_append_byte(out, '\'');
	for (const char *p = word; r >= 0 && *p; p++)
		r = *p == '\'' ? buf_append_str(out, "'\\''")
			       : buf_append_byte(out, *p);
	return r < 0 ? r : buf_append_byte(out, '\'');
}

int words_quote_line(struct buf *out, const char *text)
{
	int r = buf_append_byte(out, '"');

	for (const char *p = text; r >= 0 && *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\n')
			r = buf_append_str(out, "\\n");
		else if (c == '\t')
			r = buf_append_str(out, "\\t");
		else if (c == '"' || c == '\\')
			r = buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			r = buf_printf(out, "\\x%02x", c);
		else
			r = buf_append_byte(out, *p);
	}
	return r < 0 ? r : buf_append_byte(out, '"');
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* the byte behind a backslash; *p is left at the last byte used. -EINVAL. */
static int unescape(const char **p, const char *end)
{
	int hi, lo;

	if (*p >= end)
		return -EINVAL;
	switch (**p) {
	case 'n': return '\n';
	case 't': return '\t';
	case '"': return '"';
	case '\\': return '\\';
	case 'x':
		if (end - *p < 3)
			return -EINVAL;
		hi = hex_digit((*p)[1]);
		lo = hex_digit((*p)[2]);
		*p += 2;
		return hi < 0 || lo < 0 || hi + lo == 0 ? -EINVAL : hi * 16 + lo;
	default: return -EINVAL;
	}
}

int words_unquote_line(char **ret, const char *line, size_t n)
{
	_cleanup_free_ char *out = NULL;
	const char *end = line + n;
	size_t len = 0;

	if (n < 2 || line[0] != '"' || end[-1] != '"')
		return -EINVAL;
	end--;
	out = malloc(n);
	if (!out)
		return -ENOMEM;
	for (const char *p = line + 1; p < end; p++) {
		int c = (unsigned char)*p;

		if (c == '"')
			return -EINVAL;
		if (c == '\\') {
			p++;
			c = unescape(&p, end);
			if (c < 0)
				return c;
		}
		out[len++] = (char)c;
	}
	out[len] = '\0';
	*ret = TAKE_PTR(out);
	return 0;
}
