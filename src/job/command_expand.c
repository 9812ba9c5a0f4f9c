#include "job/command_expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* length of the name where p is at a "${NAME}"; 0: it is at none */
static size_t variable_at(const char *p)
{
	size_t n = 0;

	if (p[0] != '$' || p[1] != '{' || !is_letter(p[2]))
		return 0;
	p += 2;
	while (is_letter(p[n]) || (p[n] >= '0' && p[n] <= '9'))
		n++;
	return p[n] == '}' ? n : 0;
}

bool command_has_variables(char *const *argv)
{
	STRV_FOREACH(word, argv)
		for (const char *p = strchr(*word, '$'); p; p = strchr(p + 1, '$'))
			if (p[1] == '$' || variable_at(p) > 0)
				return true;
	return false;
}

static int expand_word(struct buf *out, const char *word, command_lookup_fn lookup,
	void *arg, size_t *room)
{
	int r = 0;

	for (const char *p = word; r >= 0 && *p;) {
		size_t n = variable_at(p), before = buf_len(out);

		if (n > 0) {
			const char *value = lookup(p + 2, n, arg);

			if (value && strlen(value) > *room)
				return -RV_ELIMIT;
			r = value ? buf_append_str(out, value) : 0;
			p += n + 3;
		} else {
			p += p[0] == '$' && p[1] == '$';
			r = buf_append_byte(out, *p++);
		}
		if (r >= 0 && buf_len(out) - before > *room)
			return -RV_ELIMIT;
		*room -= r < 0 ? 0 : buf_len(out) - before;
	}
	return r;
}

int command_expand(char ***ret, char *const *argv, command_lookup_fn lookup, void *arg)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	size_t room = COMMAND_EXPANDED_MAX;

	STRV_FOREACH(word, argv) {
		_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
		int r = expand_word(&out, *word, lookup, arg, &room);

		if (r >= 0)
			r = strv_builder_take(&b, buf_steal_str(&out, NULL));
		if (r < 0)
			return r;
	}
	return strv_builder_finish(&b, ret);
}
