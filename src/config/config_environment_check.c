/* What is checked of [environment NAME] sections: config_environment.h. */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_section.h"
#include "config/env_file.h"

enum { USER_BYTES_MAX = 1 << 20 }; /* of what a name service says of one */

PRINTF(3, 4)
static void tell(const struct config_look *l, enum config_key key, const char *fmt, ...)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (r >= 0)
		r = buf_append_byte(&text, '\0');
	if (r >= 0)
		config_look_error(l, &l->s->key_origin[key], config_key_info[key].key,
			buf_head(&text));
	else
		l->errors->no_memory = true;
}

/* ---- what it builds on ------------------------------------------------------------------------ */

static void check_inherit(const struct config_look *l)
{
	struct environment_lineage lineage;
	bool all_there = true;
	int r;

	STRV_FOREACH(name, l->s->v[CONFIG_INHERIT].strv) {
		_cleanup_free_ char *text = NULL;

		if (config_find(l->c, CONFIG_SECTION_ENVIRONMENT, *name))
			continue;
		all_there = false;
		text = environment_unknown(l->c, *name);
		if (text)
			tell(l, CONFIG_INHERIT, "%s", text);
		else
			l->errors->no_memory = true;
	}
	if (!all_there)
		return;
	r = environment_lineage_get(&lineage, l->c, l->s->name);
	if (r == -ELOOP)
		tell(l, CONFIG_INHERIT, "what it inherits comes back to itself");
	else if (r == -RV_ELIMIT)
		tell(l, CONFIG_INHERIT, "it builds on more than %d others",
			ENVIRONMENT_LINEAGE_MAX - 1);
}

/* ---- paths -------------------------------------------------------------------------------------- */

static void check_absolute(
	const struct config_look *l, enum config_key key, const char *path)
{
	if (*path != '/')
		tell(l, key, "not an absolute path: %s", QUOTED(path));
}

/* several in one line have ':' between them, as in PATH */
static void check_dirs(const struct config_look *l, const char *line)
{
	for (const char *p = line;; p++) {
		if (*p != '/') {
			tell(l, CONFIG_PATH, "not an absolute path in %s",
				QUOTED(line));
			return;
		}
		p += strcspn(p, ":");
		if (!*p)
			return;
	}
}

static void check_paths(const struct config_look *l)
{
	const struct config_origin *at = &l->s->job->origin[JOB_FIELD_CWD];
	const char *cwd = job_str(&l->s->job->spec, CWD);

	if (cwd && *cwd != '/')
		config_look_error(l, at, "cwd", "not an absolute path");
	STRV_FOREACH(file, l->s->v[CONFIG_ENV_FILE].strv)
		check_absolute(l, CONFIG_ENV_FILE, *file + (**file == '-'));
	STRV_FOREACH(line, l->s->v[CONFIG_PATH].strv)
		check_dirs(l, *line);
	if (l->s->v[CONFIG_VIRTUALENV].text)
		check_absolute(l, CONFIG_VIRTUALENV, l->s->v[CONFIG_VIRTUALENV].text);
}

/* ---- users -------------------------------------------------------------------------------------- */

/* 0; -ENOENT; -ENOMEM */
static int find_user(uint32_t *ret, const char *name)
{
	struct passwd pw, *found = NULL;
	uint64_t uid;

	if (parse_u64(&uid, name, 0, UINT32_MAX - 1) >= 0) {
		*ret = (uint32_t)uid;
		return 0;
	}
	for (size_t size = 4096; size <= USER_BYTES_MAX; size *= 4) {
		_cleanup_free_ char *text = malloc(size);

		if (!text)
			return -ENOMEM;
		if (getpwnam_r(name, &pw, text, size, &found) == ERANGE)
			continue;
		if (!found)
			return -ENOENT;
		*ret = (uint32_t)pw.pw_uid;
		return 0;
	}
	return -ENOENT;
}

/* Who they are counts from now on, not who has these names later. */
static void take_users(const struct config_look *l, struct config_named *environment)
{
	char *const *users = environment->v[CONFIG_ENVIRONMENT_USERS].strv;

	environment->uids = calloc(strv_len(users) + 1, sizeof(*environment->uids));
	if (!environment->uids) {
		l->errors->no_memory = true;
		return;
	}
	STRV_FOREACH(user, users) {
		int r = STREQ(*user, "*")
				? 0
				: find_user(&environment->uids[environment->n_uids],
					  *user);

		if (r == -ENOMEM)
			l->errors->no_memory = true;
		else if (r < 0)
			tell(l, CONFIG_ENVIRONMENT_USERS, "there is no user %s",
				QUOTED(*user));
		else if (!STREQ(*user, "*"))
			environment->n_uids++;
	}
}

/* ---- all ---------------------------------------------------------------------------------------- */

static void check_defaults(const struct config *c, struct config_errors *errors)
{
	const struct config_origin *at = &c->defaults_origin[JOB_FIELD_ENVIRONMENT];
	const char *name = job_str(&c->defaults, ENVIRONMENT);
	_cleanup_free_ char *text = NULL;

	if (!name || config_find(c, CONFIG_SECTION_ENVIRONMENT, name))
		return;
	text = environment_unknown(c, name);
	if (text)
		config_errors_add(errors, at->file, at->line, "environment: %s", text);
	else
		errors->no_memory = true;
}

void config_check_environments(struct config *c, struct config_errors *errors)
{
	const struct config_names *names = &c->named[CONFIG_SECTION_ENVIRONMENT];

	for (size_t i = 0; i < names->n; i++) {
		struct config_look l = {
			c, &names->v[i], errors, CONFIG_SECTION_ENVIRONMENT};

		check_inherit(&l);
		check_paths(&l);
		take_users(&l, &names->v[i]);
	}
	check_defaults(c, errors);
}

static void look_at_file(const struct config_look *l, const char *file)
{
	_cleanup_(strv_freep) char **v = NULL;
	bool if_there = *file == '-';
	struct env_fault fault;
	int r;

	if (file[if_there] != '/')
		return; /* told */
	r = env_file_read(&v, file + if_there, if_there, l->c->mode, &fault);
	if (r == -ENOMEM)
		l->errors->no_memory = true;
	else if (r < 0 && fault.line > 0)
		config_errors_add(
			l->errors, file + if_there, fault.line, "%s", fault.text);
	else if (r < 0)
		tell(l, CONFIG_ENV_FILE, "'%s': %s", file + if_there, fault.text);
}

void config_look_at_environments(const struct config *c, struct config_errors *errors)
{
	const struct config_names *names = &c->named[CONFIG_SECTION_ENVIRONMENT];

	for (size_t i = 0; i < names->n; i++) {
		const struct config_named *s = &names->v[i];
		struct config_look l = {c, s, errors, CONFIG_SECTION_ENVIRONMENT};
		const char *virtualenv = s->v[CONFIG_VIRTUALENV].text;
		struct env_fault fault;
		int r = 0;

		STRV_FOREACH(file, s->v[CONFIG_ENV_FILE].strv)
			look_at_file(&l, *file);
		if (virtualenv && *virtualenv == '/')
			r = virtualenv_check(virtualenv, &fault);
		if (r == -ENOMEM)
			errors->no_memory = true;
		else if (r < 0)
			tell(&l, CONFIG_VIRTUALENV, "'%s': %s", virtualenv, fault.text);
	}
}
