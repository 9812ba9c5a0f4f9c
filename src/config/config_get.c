#include "config/config_get.h"
#include "config/config_specifiers.h"

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

/* job NULL: of [defaults] and environments, where only command has specifiers */
static int format_field(struct buf *out, const struct job_spec *spec, enum job_field f,
	const struct config_job *job)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	const char *raw = job ? config_raw_get(job, f) : NULL;
	bool escapes = job ? config_field_has_specifiers(f) : f == JOB_FIELD_COMMAND;
	int r;

	if (raw)
		return buf_append_str(out, raw);
	r = job_value_format(&value, f, &spec->v[f]);
	if (r < 0)
		return r;
	return escapes ? specifiers_escape(out, buf_head(&value), buf_len(&value))
		       : buf_append(out, buf_head(&value), buf_len(&value));
}

static int get_key(struct buf *out, const struct config_origin **ret_at,
	const union config_value *v, const struct config_origin *at, int k)
{
	*ret_at = &at[k];
	return config_value_format(out, (enum config_key)k, &v[k]);
}

static int get_field(struct buf *out, const struct config_origin **ret_at,
	const struct job_spec *spec, const struct config_origin *at, int f,
	const struct config_job *job)
{
	if (f < 0)
		return -ENOENT;
	*ret_at = &at[f];
	return format_field(out, spec, (enum job_field)f, job);
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
	return get_field(out, ret_at, &named->job->spec, named->job->origin, f,
		config_section_has_job(section) ? named->job : NULL);
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
			job_field_by_key(place->key), NULL);
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

static int say(struct walk *w, const char *key, struct buf *value,
	const struct config_origin *origin)
{
	int r = buf_append_byte(value, '\0');

	w->place.key = key;
	return r < 0 ? r
		     : w->fn(&(struct config_item){w->place, buf_head(value), origin},
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
			r = say(w, info->key, &value, &at[k]);
	}
	return r;
}

/* those that are set; of [defaults] also those that have a default */
static int say_fields(struct walk *w, const struct job_spec *spec,
	const struct config_origin *at, const struct config_job *job, bool defaults)
{
	int r = 0;

	for (int i = 0; i < JOB_FIELD_N && r >= 0; i++) {
		enum job_field f = (enum job_field)i;
		_cleanup_(buf_deinitp) struct buf value = BUF_NULL;

		if (!job_spec_has(spec, f) &&
			!(defaults && job_field_info[f].default_text))
			continue;
		r = format_field(&value, spec, f, job);
		if (r >= 0)
			r = say(w, job_field_info[f].key, &value, &at[f]);
	}
	return r;
}

static int say_named(
	struct walk *w, enum config_section section, const struct config_named *named)
{
	int r;

	w->place =
		(struct config_place){config_section_name[section], named->name, NULL};
	r = begin(w, &named->origin);
	if (r >= 0)
		r = say_keys(w, section, named->v, named->key_origin);
	if (r >= 0 && named->job)
		r = say_fields(w, &named->job->spec, named->job->origin,
			config_section_has_job(section) ? named->job : NULL, false);
	return r;
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
		r = say_fields(&w, &c->defaults, c->defaults_origin, NULL, true);
	for (int s = CONFIG_SECTION_POOL; s < CONFIG_SECTION_N; s++)
		for (size_t i = 0; i < c->named[s].n && r >= 0; i++)
			r = say_named(&w, (enum config_section)s, &c->named[s].v[i]);
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
