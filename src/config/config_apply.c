#include "config/config_apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config_names.h"
#include "config/config_specifiers.h"
#include "config/env_file.h"

void config_loader_next_file(struct config_loader *l, const char *file)
{
	l->file = file;
	l->scope = CONFIG_SCOPE_SKIP;
}

void config_loader_end(struct config_loader *l)
{
	l->file = NULL;
}

/* at: line of the value, from 0 */
static void value_error(struct config_loader *l, const struct config_entry *e,
	size_t at, const char *text)
{
	config_errors_add(
		l->errors, l->file, config_entry_line(e, at), "%s: %s", e->key, text);
}

static void entry_error(
	struct config_loader *l, const struct config_entry *e, const char *text)
{
	config_errors_add(l->errors, l->file, e->line, "%s: %s", e->key, text);
}

/* -- sections ---------------------------------------------------------------------- */

static int named_section(struct config_loader *l, const struct config_entry *e,
	enum config_section section)
{
	struct config_names *names = &l->config->named[section];
	const char *kind = config_section_name[section];
	struct config_named *named;
	int r;

	if (!e->argument || !name_is_valid(e->argument)) {
		config_errors_add(l->errors, l->file, e->line,
			e->argument ? "not the name of a %s: %s"
				    : "[%s] needs a name: [%s NAME]",
			kind, e->argument ? QUOTED(e->argument) : kind);
		return 0;
	}
	if (names->n == CONFIG_NAMED_MAX &&
		!config_find(l->config, section, e->argument)) {
		config_errors_add(l->errors, l->file, e->line, "more than %d %ss: %s",
			CONFIG_NAMED_MAX, kind, QUOTED(e->argument));
		return 0;
	}
	r = config_add(&named, l->config, section, e->argument);
	if (r < 0)
		return r;
	named->origin = (struct config_origin){l->file, e->line};
	l->scope = CONFIG_SCOPE_NAMED;
	l->section = section;
	l->named = (size_t)(named - names->v);
	return 0;
}

static int section_entry(struct config_loader *l, const struct config_entry *e)
{
	const char *nearest;

	l->scope = CONFIG_SCOPE_SKIP;
	if (!e->section)
		return 0; /* its header is bad: reported by the reader */
	for (int i = CONFIG_SECTION_POOL; i < CONFIG_SECTION_N; i++)
		if (STREQ(e->section, config_section_name[i]))
			return named_section(l, e, (enum config_section)i);
	if (!STREQ(e->section, "reeved") && !STREQ(e->section, "defaults")) {
		nearest = config_section_meant(e->section);
		config_errors_add(l->errors, l->file, e->line,
			nearest ? "unknown section %s, did you mean [%s]?"
				: "unknown section %s%s",
			QUOTED(e->section), nearest ? nearest : "");
		return 0;
	}
	if (e->argument) {
		config_errors_add(l->errors, l->file, e->line,
			"section [%s] takes no name: %s", e->section,
			QUOTED(e->argument));
		return 0;
	}
	l->scope = STREQ(e->section, "reeved") ? CONFIG_SCOPE_REEVED
					       : CONFIG_SCOPE_DEFAULTS;
	return 0;
}

/* -- keys -------------------------------------------------------------------------- */

/* the section of the daemon's keys that a scope has */
static enum config_section scope_section(const struct config_loader *l)
{
	return l->scope == CONFIG_SCOPE_NAMED ? l->section : CONFIG_SECTION_REEVED;
}

/* the sections in which a key is at home, as text in buf; NULL: none */
static const char *home_of(const char *key, char *buf, size_t size)
{
	size_t used = 0;

	if (job_field_by_key(key) >= 0)
		return "[defaults]";
	if (config_key_find(CONFIG_SECTION_REEVED, key) >= 0)
		return "[reeved]";
	for (int s = CONFIG_SECTION_POOL; s < CONFIG_SECTION_N && used < size; s++)
		if (config_key_find((enum config_section)s, key) >= 0 ||
			(config_field_find((enum config_section)s, key) >= 0 &&
				job_field_by_key(key) < 0))
			used += (size_t)snprintf(buf + used, size - used, "%s[%s NAME]",
				used ? " or " : "", config_section_name[s]);
	return used ? buf : NULL;
}

/* "user" and "users" */
static bool is_but_for_the_end(const char *a, const char *b)
{
	size_t n = MIN(strlen(a), strlen(b));

	return strncmp(a, b, n) == 0 && strlen(a) + strlen(b) == 2 * n + 1;
}

static void unknown_key(struct config_loader *l, const struct config_entry *e)
{
	const char *keys[CONFIG_KEYS_OF_MAX], *nearest, *home;
	char buf[128];

	/* a key that is known elsewhere is in the wrong section rather than misspelt */
	home = home_of(e->key, buf, sizeof(buf));
	nearest = config_key_meant(scope_section(l), e->key);
	if (!nearest)
		nearest = str_nearest(e->key, keys,
			config_keys_of(keys, l->scope == CONFIG_SCOPE_DEFAULTS,
				scope_section(l)));
	if (home && !(nearest && is_but_for_the_end(e->key, nearest)))
		config_errors_add(l->errors, l->file, e->line,
			"unknown key '%s' in [%s]: it belongs in %s", e->key,
			e->section, home);
	else
		config_errors_add(l->errors, l->file, e->line,
			nearest ? "unknown key '%s' in [%s], did you mean '%s'?"
				: "unknown key '%s' in [%s]%s",
			e->key, e->section, nearest ? nearest : "");
}

/* Take the place of a value. False when this file gave it before: the pointers to the
 * name of a file are equal only for the same file. Lists are there to be appended to.
 */
static bool origin_take(struct config_loader *l, struct config_origin *origin,
	const struct config_entry *e, bool is_list)
{
	bool again = origin->file == l->file && !is_list;

	if (again)
		config_errors_add(l->errors, l->file, e->line,
			"%s is given twice, first in line %u", e->key, origin->line);
	else
		*origin = (struct config_origin){l->file, e->line};
	return !again;
}

/* an empty value takes back what earlier files said */
static int value_reset(union config_value *v, enum config_key k)
{
	const char *text = config_key_info[k].default_text;

	config_value_free(v, k);
	return text ? config_value_parse(v, k, text, NULL) : 0;
}

static int strv_move(char ***to, char **from)
{
	int r = 0;

	for (size_t i = 0; from && from[i]; i++) {
		if (r >= 0)
			r = strv_append_take(to, from[i]);
		else
			free(from[i]);
	}
	free(from);
	return r;
}

/* ---- lists: each line is told of by itself --------------------------------------- */

/* of one line: 0, 1: told, -ENOMEM */
typedef int (*line_fn)(struct config_loader *l, const struct config_entry *e, int key,
	const char *text, size_t at);

/* 0; 1: something is wrong, and told; -ENOMEM */
static int each_line(
	struct config_loader *l, const struct config_entry *e, int key, line_fn fn)
{
	_cleanup_free_ char *text = strdup(e->value);
	char *rest = text, *line;
	int r = text ? 0 : -ENOMEM, told = 0;

	for (size_t at = 0; r >= 0 && (line = strsep(&rest, "\n")); at++) {
		r = fn(l, e, key, line, at);
		told |= r > 0;
	}
	return r < 0 ? r : told;
}

static int table_line(struct config_loader *l, const struct config_entry *e, int key,
	const char *text, size_t at)
{
	_cleanup_free_ char *err = NULL;
	union config_value v;
	int r = config_value_parse(&v, (enum config_key)key, text, &err);

	if (r >= 0)
		config_value_free(&v, (enum config_key)key);
	if (r >= 0 || r == -ENOMEM)
		return r < 0 ? r : 0;
	value_error(l, e, at, err ? err : rv_strerror(r));
	return 1;
}

static int field_element(struct config_loader *l, const struct config_entry *e,
	enum job_field f, const char *text, size_t at)
{
	bool is_env = job_field_info[f].type == JOB_TYPE_ENV;
	_cleanup_free_ char *err = NULL;
	union job_value v;
	int r;

	if (!*text)
		return 0;
	r = config_job_value_parse(&v, f, text, &err);
	if (r >= 0) {
		if (is_env)
			r = v.strv ? env_entry_check(v.strv[0], &err) : 0;
		job_value_free(&v, f);
	}
	if (r >= 0 || r == -ENOMEM)
		return r < 0 ? r : 0;
	value_error(l, e, at, err ? err : rv_strerror(r));
	return 1;
}

/* What has specifiers is read once it is known what they stand for; names of variables have
 * none. */
static bool is_read_later(
	const struct config_loader *l, enum job_field f, const char *text)
{
	const char *percent = strchr(text, '%'), *eq = strchr(text, '=');

	return percent && l->scope == CONFIG_SCOPE_NAMED &&
	       config_section_has_job(l->section) && config_field_has_specifiers(f) &&
	       (!eq || percent < eq);
}

static int field_line(struct config_loader *l, const struct config_entry *e, int key,
	const char *text, size_t at)
{
	enum job_field f = (enum job_field)key;
	_cleanup_(strv_freep) char **words = NULL;
	int r = 0, told = 0;

	if (is_read_later(l, f, text))
		return 0;
	if (job_field_info[f].type == JOB_TYPE_ENV)
		return field_element(l, e, f, text, at);
	r = strv_split(&words, text, " \t\r\v\f,");
	STRV_FOREACH(word, words) {
		if (r >= 0)
			r = field_element(l, e, f, *word, at);
		told |= r > 0;
	}
	return r < 0 ? r : told;
}

/* ---- values ---------------------------------------------------------------------- */

/* A value of the daemon's table into its place. */
static int table_key(struct config_loader *l, const struct config_entry *e,
	enum config_key k, union config_value *to, struct config_origin *origin)
{
	bool is_list = config_type_is_list(config_key_info[k].type);
	_cleanup_free_ char *err = NULL;
	union config_value v;
	int r;

	if (!origin_take(l, origin, e, is_list))
		return 0;
	if (!*e->value)
		return value_reset(to, k);
	if (is_list && strchr(e->value, '\n')) {
		r = each_line(l, e, (int)k, table_line);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = config_value_parse(&v, k, e->value, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		entry_error(l, e, err ? err : rv_strerror(r));
		return 0;
	}
	if (is_list)
		return strv_move(&to->strv, v.strv);
	config_value_free(to, k);
	*to = v;
	return 0;
}

static int reeved_key(struct config_loader *l, const struct config_entry *e)
{
	int k = config_key_find(CONFIG_SECTION_REEVED, e->key);
	struct config *c = l->config;

	if (k >= 0)
		return table_key(l, e, (enum config_key)k, &c->v[k], &c->origin[k]);
	unknown_key(l, e);
	return 0;
}

int config_job_value_parse(
	union job_value *ret, enum job_field f, const char *text, char **err)
{
	_cleanup_free_ char *expanded = NULL;
	int r;

	if (f != JOB_FIELD_COMMAND)
		return job_value_parse(ret, f, text, err);
	r = specifiers_expand(&expanded, text, NULL, err);
	return r < 0 ? r : job_value_parse(ret, f, expanded, err);
}

/* job NULL: of [defaults] and environments, which have no specifiers */
static int field_key(struct config_loader *l, const struct config_entry *e,
	struct job_spec *spec, struct config_origin origins[JOB_FIELD_N],
	struct config_job *job)
{
	int f = config_field_find(scope_section(l), e->key);
	_cleanup_free_ char *err = NULL;
	union job_value v;
	int r = 0;

	if (f < 0) {
		unknown_key(l, e);
		return 0;
	}
	if (!origin_take(l, &origins[f], e, job_type_appends(job_field_info[f].type)))
		return 0;
	if (!*e->value) {
		job_spec_unset(spec, (enum job_field)f);
		if (job)
			config_raw_drop(job, (enum job_field)f);
		return 0;
	}
	if (job_type_appends(job_field_info[f].type))
		r = each_line(l, e, f, field_line);
	if (r != 0)
		return r < 0 ? r : 0;
	if (job)
		r = config_raw_take(job, (enum job_field)f, e->value);
	if (r != 0)
		return r < 0 ? r : 0;
	r = config_job_value_parse(&v, (enum job_field)f, e->value, &err);
	if (r >= 0)
		r = job_spec_put(spec, (enum job_field)f, v);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		entry_error(l, e, err ? err : rv_strerror(r));
	return 0;
}

static int named_key(struct config_loader *l, const struct config_entry *e)
{
	struct config_named *named = &l->config->named[l->section].v[l->named];
	int k = config_key_find(l->section, e->key);

	if (k >= 0)
		return table_key(
			l, e, (enum config_key)k, &named->v[k], &named->key_origin[k]);
	if (named->job)
		return field_key(l, e, &named->job->spec, named->job->origin,
			config_section_has_job(l->section) ? named->job : NULL);
	unknown_key(l, e);
	return 0;
}

int config_loader_entry(const struct config_entry *e, void *arg)
{
	struct config_loader *l = arg;

	if (!e->key)
		return section_entry(l, e);
	switch (l->scope) {
	case CONFIG_SCOPE_SKIP: return 0;
	case CONFIG_SCOPE_REEVED: return reeved_key(l, e);
	case CONFIG_SCOPE_DEFAULTS:
		return field_key(
			l, e, &l->config->defaults, l->config->defaults_origin, NULL);
	case CONFIG_SCOPE_NAMED: return named_key(l, e);
	}
	INVARIANT(!"an unknown scope");
	return 0;
}
