#include "config.h"

#include "varlink/message_quick.h"

#include <string.h>

#include "base/macro.h"
#include "varlink/message.h"
#include "varlink/plain.h"

struct cursor {
	const char *p, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end &&
		(*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static bool take(struct cursor *c, char what)
{
	skip_space(c);
	if (c->p == c->end || *c->p != what)
		return false;
	c->p++;
	return true;
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* A string of printable ASCII without escapes. */
static bool take_string(struct cursor *c, const char **ret, size_t *ret_len)
{
	if (!take(c, '"'))
		return false;
	*ret = c->p;
	c->p += plain_span(c->p, (size_t)(c->end - c->p));
	for (; c->p < c->end && *c->p != '"'; c->p++)
		if (*c->p < 0x20 || *c->p == '\\' || (unsigned char)*c->p >= 0x80)
			return false;
	if (c->p == c->end)
		return false;
	*ret_len = (size_t)(c->p++ - *ret);
	return true;
}

/* To behind the bracket that closes the one here; strings are stepped over. */
static bool skip_object(struct cursor *c)
{
	unsigned depth = 0;
	bool in_string = false;

	for (; c->p < c->end; c->p++) {
		if (in_string) {
			if (*c->p == '\\')
				c->p++;
			else if (*c->p == '"')
				in_string = false;
			continue;
		}
		switch (*c->p) {
		case '"': in_string = true; break;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']':
			if (--depth == 0) {
				c->p++;
				return true;
			}
			break;
		default: break;
		}
	}
	return false;
}

static bool take_params(struct cursor *c, const char *text, struct vl_quick_call *q)
{
	struct cursor inner;
	const char *start;

	skip_space(c);
	start = c->p;
	if (c->p == c->end || *c->p != '{')
		return false;
	inner = (struct cursor){start + 1, c->end};
	if (take(&inner, '}')) {
		c->p = inner.p;
		return true;
	}
	if (!skip_object(c))
		return false;
	q->params_at = (size_t)(start - text);
	q->params_len = (size_t)(c->p - start);
	return true;
}

static bool take_bool(struct cursor *c, unsigned flag, struct vl_quick_call *q)
{
	skip_space(c);
	if (take_word(c, "false"))
		return true;
	if (!take_word(c, "true"))
		return false;
	q->flags |= flag;
	return true;
}

/* One member; seen has a bit for each that was there. */
static bool take_member(
	struct cursor *c, const char *text, struct vl_quick_call *q, unsigned *seen)
{
	static const struct {
		const char *name;
		unsigned flag; /* of the bool members */
	} members[] = {
		{"method", 0},
		{"parameters", 0},
		{"more", VL_CALL_MORE},
		{"oneway", VL_CALL_ONEWAY},
		{"upgrade", VL_CALL_UPGRADE},
	};
	const char *key, *method;
	size_t len, i;

	if (!take_string(c, &key, &len) || !take(c, ':'))
		return false;
	for (i = 0; i < ARRAY_LEN(members); i++)
		if (strlen(members[i].name) == len &&
			memcmp(key, members[i].name, len) == 0)
			break;
	if (i == ARRAY_LEN(members) || (*seen & 1u << i))
		return false;
	*seen |= 1u << i;
	if (members[i].flag)
		return take_bool(c, members[i].flag, q);
	if (i == 1)
		return take_params(c, text, q);
	if (!take_string(c, &method, &q->method_len))
		return false;
	q->method_at = (size_t)(method - text);
	return true;
}

bool vl_quick_scan(struct vl_quick_call *ret, const char *text, size_t len)
{
	struct cursor c = {text, text + len};
	struct vl_quick_call q = {0};
	unsigned seen = 0;

	if (!take(&c, '{'))
		return false;
	do {
		if (!take_member(&c, text, &q, &seen))
			return false;
	} while (take(&c, ','));
	if (!take(&c, '}'))
		return false;
	skip_space(&c);
	if (c.p != c.end || !(seen & 1u))
		return false;
	*ret = q;
	return true;
}
