#include "config/config_get.h"
#include "config/config_effective.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

int config_place_parse(struct config_place *ret, char *name)
{
	char *first = name + strcspn(name, ". "), *last = strrchr(name, '.');

	if (!last || first == name || last < first || !last[1])
		return -EINVAL;
	*ret = (struct config_place){.section = name, .key = last + 1};
	if (first < last) {
		ret->argument = first + 1 + strspn(first + 1, " ");
		if (ret->argument >= last)
			return -EINVAL;
	}
	*first = *last = '\0';
	return 0;
}

/* ---- one ------------------------------------------------------------------------------- */

static int get_key(struct buf *out, const struct config_origin **ret_at,
	const union config_value *v, const struct config_origin *at, int k)
{
	*ret_at = &at[k];
	return config_value_format(out, (enum config_key)k, &v[k]);
}

/* of [defaults] and environments, where only command has specifiers */
static int format_field(struct buf *out, const struct job_spec *spec, enum job_field f)
{
	return effective_format_value(out, spec, f, f == JOB_FIELD_COMMAND);
}

static int get_field(struct buf *out, const struct config_origin **ret_at,
	const struct job_spec *spec, const struct config_origin *at, int f)
{
	if (f < 0)
		return -ENOENT;
	*ret_at = &at[f];
	return format_field(out, spec, (enum job_field)f);
}

static int get_effective(struct buf *out, const struct config_origin **ret_at,
	const struct config *c, enum config_section section,
	const struct config_named *named, enum job_field f)
{
	_cleanup_(effective_deinit) struct effective e;
	const char *from;
	int r = effective_get(&e, c, section, named);

	if (r < 0)
		return r;
	*ret_at = effective_origin(&e, f, &from);
	return effective_format(out, &e, f, false);
}

static int get_named(struct buf *out, const struct config_origin **ret_at,
	const struct config *c, enum config_section section,
	const struct config_place *place)
{
	const struct config_named *named =
		place->argument ? config_find(c, section, place->argument) : NULL;
	int k = config_key_find(section, place->key);
	int f = config_field_find(section, place->key);

	if (k < 0 && (!config_section_has_fields(section) || f < 0))
		return -ENOENT;
	if (!named)
		return -ESRCH;
	if (k >= 0)
		return get_key(out, ret_at, named->v, named->key_origin, k);
	if (config_section_has_job(section))
		return get_effective(out, ret_at, c, section, named, (enum job_field)f);
	return get_field(out, ret_at, &named->job->spec, named->job->origin, f);
}

int config_get(struct buf *out, const struct config_origin **ret_at,
	const struct config *c, const struct config_place *place)
{
	const struct config_origin *at;

	if (!ret_at)
		ret_at = &at;
	for (int s = 0; s < CONFIG_SECTION_N; s++) {
		int k;

		if (!STREQ(place->section, config_section_name[s]))
			continue;
		if (s >= CONFIG_SECTION_POOL)
			return get_named(out, ret_at, c, (enum config_section)s, place);
		k = config_key_find((enum config_section)s, place->key);
		if (k < 0 || place->argument)
			return -ENOENT;
		return get_key(out, ret_at, c->v, c->origin, k);
	}
	if (STREQ(place->section, "defaults") && !place->argument)
		return get_field(out, ret_at, &c->defaults, c->defaults_origin,
			job_field_by_key(place->key));
	return -ENOENT;
}

/* ---- all ------------------------------------------------------------------------------- */

struct walk {
	config_item_fn fn;
	void *arg;
	struct config_place place;
};

static int begin(struct walk *w, const struct config_origin *origin)
{
	w->place.key = NULL;
	return w->fn(
		&(struct config_item){.place = w->place, .origin = origin}, w->arg);
}

/* own NULL: the same as value, or where there is a from nothing */
static int say(struct walk *w, const char *key, struct buf *value, struct buf *own,
	const struct config_origin *origin, const char *from)
{
	int r = buf_append_byte(value, '\0');

	if (r >= 0 && own)
		r = buf_append_byte(own, '\0');
	if (r < 0)
		return r;
	w->place.key = key;
	return w->fn(&(struct config_item){w->place, buf_head(value),
			     own    ? buf_head(own)
			     : from ? NULL
				    : buf_head(value),
			     origin, from},
		w->arg);
}

static int say_keys(struct walk *w, enum config_section section,
	const union config_value *v, const struct config_origin *at)
{
	int r = 0;

	for (int k = 0; k < CONFIG_KEY_N && r >= 0; k++) {
		const struct config_key_info *info = &config_key_info[k];
		_cleanup_(buf_deinitp) struct buf value = BUF_NULL;

		if (info->section != section ||
			(!at[k].file && !info->default_text &&
				section != CONFIG_SECTION_REEVED))
			continue;
		r = config_value_format(&value, (enum config_key)k, &v[k]);
		if (r >= 0)
			r = say(w, info->key, &value, NULL, &at[k], NULL);
	}
	return r;
}

/* those that are set; of [defaults] also those that have a default */
static int say_fields(struct walk *w, const struct job_spec *spec,
	const struct config_origin *at, bool defaults)
{
	int r = 0;

	for (int i = 0; i < JOB_FIELD_N && r >= 0; i++) {
		enum job_field f = (enum job_field)i;
		_cleanup_(buf_deinitp) struct buf value = BUF_NULL;

		if (!job_spec_has(spec, f) &&
			!(defaults && job_field_info[f].default_text))
			continue;
		r = format_field(&value, spec, f);
		if (r >= 0)
			r = say(w, job_field_info[f].key, &value, NULL, &at[f], NULL);
	}
	return r;
}

static int say_effective_field(
	struct walk *w, const struct effective *e, enum job_field f)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL, own = BUF_NULL;
	bool is_own = effective_is_own(e, f);
	const struct config_origin *at;
	const char *from;
	int r = effective_format(&value, e, f, false);

	if (r >= 0 && is_own)
		r = effective_format(&own, e, f, true);
	if (r < 0)
		return r;
	at = effective_origin(e, f, &from);
	return say(w, job_field_info[f].key, &value, is_own ? &own : NULL, at, from);
}

/* those that hold, whoever gives them */
static int say_effective(struct walk *w, const struct config *c,
	enum config_section section, const struct config_named *named)
{
	_cleanup_(effective_deinit) struct effective e;
	int r = effective_get(&e, c, section, named);

	for (int f = 0; f < JOB_FIELD_N && r >= 0; f++)
		if (job_spec_has(&e.spec, (enum job_field)f))
			r = say_effective_field(w, &e, (enum job_field)f);
	return r;
}

static int say_named(struct walk *w, const struct config *c,
	enum config_section section, const struct config_named *named)
{
	int r;

	w->place =
		(struct config_place){config_section_name[section], named->name, NULL};
	r = begin(w, &named->origin);
	if (r >= 0)
		r = say_keys(w, section, named->v, named->key_origin);
	if (r < 0 || !named->job)
		return r;
	return config_section_has_job(section)
		       ? say_effective(w, c, section, named)
		       : say_fields(w, &named->job->spec, named->job->origin, false);
}

int config_each(const struct config *c, config_item_fn fn, void *arg)
{
	struct walk w = {
		fn, arg, {config_section_name[CONFIG_SECTION_REEVED], NULL, NULL}};
	static const struct config_origin nowhere;
	int r = begin(&w, &nowhere);

	if (r >= 0)
		r = say_keys(&w, CONFIG_SECTION_REEVED, c->v, c->origin);
	w.place = (struct config_place){"defaults", NULL, NULL};
	if (r >= 0)
		r = begin(&w, &nowhere);
	if (r >= 0)
		r = say_fields(&w, &c->defaults, c->defaults_origin, true);
	for (int s = CONFIG_SECTION_POOL; s < CONFIG_SECTION_N; s++)
		for (size_t i = 0; i < c->named[s].n && r >= 0; i++)
			r = say_named(&w, c, (enum config_section)s, &c->named[s].v[i]);
	return r;
}

bool config_place_is_in(const struct config_place *place, char *const *names)
{
	char whole[128]; /* the name has at most 64 */

	snprintf(whole, sizeof(whole), "%s.%s", place->section,
		place->argument ? place->argument : "");
	for (char *const *p = names; p && *p; p++)
		if (STREQ(*p, place->section) ||
			(place->argument && fnmatch(*p, whole, 0) == 0))
			return true;
	return !names || !*names;
}
