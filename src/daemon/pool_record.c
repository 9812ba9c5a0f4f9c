#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "daemon/pool_record.h"

void pool_settings_deinit(struct pool_settings *s)
{
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (s->set[k])
			config_value_free(&s->v[k], (enum config_key)k);
	*s = (struct pool_settings){.set = {false}};
}

int pool_settings_copy(struct pool_settings *ret, const struct pool_settings *s)
{
	*ret = (struct pool_settings){.set = {false}};
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		if (!s->set[k])
			continue;
		if (config_value_copy(&ret->v[k], (enum config_key)k, &s->v[k]) < 0) {
			pool_settings_deinit(ret);
			return -ENOMEM;
		}
		ret->set[k] = true;
	}
	return 0;
}

void pool_record_deinit(struct pool_record *rec)
{
	free(rec->reason);
	pool_settings_deinit(&rec->settings);
	pool_settings_deinit(&rec->basis);
	*rec = (struct pool_record){.added = false};
}

int pool_record_copy(struct pool_record *ret, const struct pool_record *rec)
{
	*ret = (struct pool_record){.added = rec->added,
		.paused = rec->paused,
		.draining = rec->draining,
		.reason = rec->reason ? strdup(rec->reason) : NULL};
	if ((!rec->reason || ret->reason) &&
		pool_settings_copy(&ret->settings, &rec->settings) >= 0 &&
		pool_settings_copy(&ret->basis, &rec->basis) >= 0)
		return 0;
	pool_record_deinit(ret);
	return -ENOMEM;
}

bool pool_settings_are_empty(const struct pool_settings *s)
{
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (s->set[k])
			return false;
	return true;
}

bool pool_record_is_empty(const struct pool_record *rec)
{
	return !rec->added && !rec->paused && !rec->draining &&
	       pool_settings_are_empty(&rec->settings);
}

static int append_escaped(struct buf *out, const struct buf *value)
{
	int r = 0;

	for (size_t i = 0; i < buf_len(value) && r >= 0; i++) {
		char c = buf_head(value)[i];

		if (c == '\n' || c == '\\')
			r = buf_append_str(out, c == '\n' ? "\\n" : "\\\\");
		else
			r = buf_append_byte(out, c);
	}
	return r;
}

static void unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (*p == '\\' && p[1])
			*to++ = *++p == 'n' ? '\n' : *p;
		else
			*to++ = *p;
	}
	*to = '\0';
}

static int format_settings(
	struct buf *out, const char *word, const struct pool_settings *s)
{
	int r = 0;

	for (int k = 0; k < CONFIG_KEY_N && r >= 0; k++) {
		_cleanup_(buf_deinitp) struct buf value = BUF_NULL;

		if (!s->set[k])
			continue;
		r = buf_printf(out, "%s %s = ", word, config_key_info[k].key);
		if (r >= 0)
			r = config_value_format(&value, (enum config_key)k, &s->v[k]);
		if (r >= 0)
			r = append_escaped(out, &value);
		if (r >= 0)
			r = buf_append_byte(out, '\n');
	}
	return r;
}

int pool_record_format(struct buf *out, const struct pool_record *rec)
{
	int r = 0;

	if (rec->added)
		r = buf_append_str(out, "added = yes\n");
	if (r >= 0 && rec->paused)
		r = buf_append_str(out, "paused = yes\n");
	if (r >= 0 && rec->draining)
		r = buf_append_str(out, "draining = yes\n");
	if (r >= 0 && rec->reason)
		r = buf_printf(out, "reason = %s\n", rec->reason);
	if (r >= 0)
		r = format_settings(out, "set", &rec->settings);
	if (r >= 0)
		r = format_settings(out, "basis", &rec->basis);
	return r;
}

static int parse_setting(struct pool_settings *s, const char *key, char *value)
{
	int k = config_key_find(CONFIG_SECTION_POOL, key);
	union config_value v;
	int r;

	if (k < 0 || s->set[k])
		return 0;
	unescape(value);
	/* nothing: what has no default was not said */
	v = (union config_value){.text = NULL};
	r = *value ? config_value_parse(&v, (enum config_key)k, value, NULL) : 0;
	if (r < 0)
		return r == -ENOMEM ? r : 0; /* its limits are narrower now */
	s->v[k] = v;
	s->set[k] = true;
	return 0;
}

static int parse_line(struct pool_record *rec, char *line)
{
	char *eq = strstr(line, " = "), *value;

	if (!eq)
		return 0;
	*eq = '\0';
	value = eq + 3;
	if (STREQ(line, "added"))
		rec->added = true;
	else if (STREQ(line, "paused"))
		rec->paused = true;
	else if (STREQ(line, "draining"))
		rec->draining = true;
	else if (STREQ(line, "reason") && !rec->reason)
		return (rec->reason = strdup(value)) ? 0 : -ENOMEM;
	else if (strncmp(line, "set ", 4) == 0)
		return parse_setting(&rec->settings, line + 4, value);
	else if (strncmp(line, "basis ", 6) == 0)
		return parse_setting(&rec->basis, line + 6, value);
	return 0;
}

int pool_record_parse(struct pool_record *ret, const char *text)
{
	_cleanup_(strv_freep) char **lines = NULL;
	int r = strv_split(&lines, text, "\n");

	*ret = (struct pool_record){.added = false};
	STRV_FOREACH(line, lines)
		if (r >= 0)
			r = parse_line(ret, *line);
	if (r < 0)
		pool_record_deinit(ret);
	return r;
}
