#include "config.h"

#include "config/config_hooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "config/config_specifiers.h"

const char *const service_hook_name[HOOK_N] = {
#define X(id, name) [HOOK_##id] = name,
	SERVICE_HOOKS(X)
#undef X
};

static const enum config_key key_of[HOOK_N] = {
	[HOOK_PRE_START] = CONFIG_PRE_START,
	[HOOK_POST_START] = CONFIG_POST_START,
	[HOOK_PRE_STOP] = CONFIG_PRE_STOP,
	[HOOK_POST_STOP] = CONFIG_POST_STOP,
	[HOOK_RELOAD] = CONFIG_RELOAD_COMMAND,
};

struct service_hooks *service_hooks_ref(struct service_hooks *h)
{
	if (h)
		h->refs++;
	return h;
}

struct service_hooks *service_hooks_unref(struct service_hooks *h)
{
	if (!h || --h->refs > 0)
		return NULL;
	for (int i = 0; i < HOOK_N; i++)
		strv_free(h->lines[i]);
	free(h);
	return NULL;
}
DEFINE_CLEANUP(struct service_hooks *, service_hooks_unref)

bool service_hooks_has(const struct service_hooks *h, enum service_hook hook)
{
	return h && h->lines[hook];
}

/* A line of blanks is none. */
static int add_line(char ***lines, size_t *n, const char *line, char **err)
{
	if (!line[strspn(line, " \t\r")])
		return 0;
	if (++*n <= HOOK_LINES_MAX)
		return strv_append(lines, line);
	if (err && asprintf(err, "more than %d lines", (int)HOOK_LINES_MAX) < 0)
		*err = NULL;
	return -EINVAL;
}

static int read_lines(
	char ***ret, const char *text, const struct specifiers *known, char **err)
{
	_cleanup_free_ char *expanded = NULL;
	char *at, *line, **lines = NULL;
	size_t n = 0;
	int r;

	if (!text)
		return 0;
	r = specifiers_expand(&expanded, text, known, err);
	at = expanded;
	while (r >= 0 && (line = strsep(&at, "\n")))
		r = add_line(&lines, &n, line, err);
	if (r >= 0)
		*ret = lines;
	else
		strv_free(lines);
	return r;
}

int config_service_hook_check(const struct config *c, const struct config_named *s,
	unsigned instance, enum service_hook hook, enum config_key *ret_key, char **err)
{
	_cleanup_(strv_freep) char **lines = NULL;
	char buf[SPECIFIERS_BUF], number[16];
	struct specifiers known;

	*ret_key = key_of[hook];
	snprintf(number, sizeof(number), "%u", instance);
	specifiers_of(&known, c, s, CONFIG_SERVICE_USER, buf);
	known.instance = number;
	return read_lines(&lines, s->v[key_of[hook]].text, &known, err);
}

int config_service_hooks(struct service_hooks **ret, const struct config *c,
	const struct config_named *s, unsigned instance, enum config_key *ret_key,
	char **err)
{
	_cleanup_(service_hooks_unrefp) struct service_hooks *h = calloc(1, sizeof(*h));
	char buf[SPECIFIERS_BUF], number[16];
	struct specifiers known;

	if (!h)
		return -ENOMEM;
	h->refs = 1;
	h->timeout_usec = s->v[CONFIG_HOOK_TIMEOUT].num;
	snprintf(number, sizeof(number), "%u", instance);
	specifiers_of(&known, c, s, CONFIG_SERVICE_USER, buf);
	known.instance = number;
	for (int i = 0; i < HOOK_N; i++) {
		_cleanup_free_ char *message = NULL;
		int r = read_lines(
			&h->lines[i], s->v[key_of[i]].text, &known, &message);

		if (r >= 0)
			continue;
		if (ret_key)
			*ret_key = key_of[i];
		if (err)
			*err = TAKE_PTR(message);
		return r;
	}
	*ret = TAKE_PTR(h);
	return 0;
}
