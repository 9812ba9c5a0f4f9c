#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "varlink/idl_priv.h"

void vl_scanner_init(
	struct vl_scanner *s, const char *text, size_t len, struct vl_idl_error *error)
{
	*s = (struct vl_scanner){
		.p = text,
		.end = text + len,
		.line_start = text,
		.line = 1,
		.doc = BUF_NULL,
		.error = error,
	};
}

void vl_scanner_deinit(struct vl_scanner *s)
{
	buf_deinit(&s->doc);
}

int vl_scanner_fail(struct vl_scanner *s, const char *fmt, ...)
{
	va_list ap;

	s->error->line = s->token_line;
	s->error->column = s->token_column;
	va_start(ap, fmt);
	vsnprintf(s->error->text, sizeof(s->error->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

const char *vl_scanner_show(const struct vl_scanner *s, char buf[48])
{
	char text[40];

	if (s->token == VL_TOKEN_END)
		return "end of text";
	snprintf(buf, 48, "'%s'", str_escape(text, sizeof(text), s->text, s->len));
	return buf;
}

/* A comment belongs to what stands right below it, unless it stands behind something:
 * its text is the line without the '#' and one blank. */
static int take_comment(struct vl_scanner *s, bool keep)
{
	const char *start = ++s->p;
	int r = 0;

	while (s->p < s->end && *s->p != '\n')
		s->p++;
	if (!keep)
		return 0;
	if (start < s->p && *start == ' ')
		start++;
	if (buf_len(&s->doc) > 0)
		r = buf_append_byte(&s->doc, '\n');
	if (r >= 0)
		r = buf_append(&s->doc, start, (size_t)(s->p - start));
	return r;
}

/* To the next byte that is neither blank nor comment. */
static int skip_blank(struct vl_scanner *s)
{
	bool behind_token = s->text != NULL;
	bool line_is_empty =
		false; /* the first one is the rest of the last token's line */
	int r;

	while (s->p < s->end) {
		switch (*s->p) {
		case '#': /* up to its newline, which comes next */
			r = take_comment(s, !behind_token);
			if (r < 0)
				return r;
			line_is_empty = false;
			break;
		case '\n':
			if (line_is_empty)
				buf_clear(&s->doc);
			line_is_empty = true;
			behind_token = false;
			s->line++;
			s->line_start = ++s->p;
			break;
		case ' ':
		case '\t':
		case '\r': s->p++; break;
		default: return 0;
		}
	}
	return 0;
}

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static bool starts_with(const struct vl_scanner *s, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, what, n) == 0;
}

static int set_token(struct vl_scanner *s, enum vl_token token, size_t len)
{
	s->token = token;
	s->text = s->p;
	s->len = len;
	s->p += len;
	return 0;
}

int vl_scanner_next(struct vl_scanner *s)
{
	size_t n = 0;
	int r;

	buf_clear(&s->doc);
	r = skip_blank(s);
	if (r < 0)
		return r;
	s->token_line = s->line;
	s->token_column = (unsigned)(s->p - s->line_start) + 1;
	if (s->p == s->end)
		return set_token(s, VL_TOKEN_END, 0);
	if (starts_with(s, "->"))
		return set_token(s, VL_TOKEN_ARROW, 2);
	if (starts_with(s, "[]"))
		return set_token(s, VL_TOKEN_ARRAY, 2);
	if (starts_with(s, "[string]"))
		return set_token(s, VL_TOKEN_MAP, 8);
	if (*s->p != '\0' && strchr("():,?", *s->p))
		return set_token(s, VL_TOKEN_MARK, 1);
	/* "a->" is a word and an arrow */
	while (n < (size_t)(s->end - s->p) && is_word_byte(s->p[n]) &&
		!(s->p[n] == '-' && n + 1 < (size_t)(s->end - s->p) &&
			s->p[n + 1] == '>'))
		n++;
	if (n > 0)
		return set_token(s, VL_TOKEN_WORD, n);
	if (*s->p == '[')
		return vl_scanner_fail(s, "expected '[]' or '[string]'");
	set_token(s, VL_TOKEN_MARK, 1);
	{
		char show[48];

		return vl_scanner_fail(s, "unexpected %s", vl_scanner_show(s, show));
	}
}
