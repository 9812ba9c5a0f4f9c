/* Schedules as the store and the files have them; schedules.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "daemon/schedules_priv.h"

#define KIND       "schedule"
#define KIND_STATE "schedule-state"

enum { READ_AT_ONCE = 32 };

/* ---- what is on disk ----------------------------------------------------------------------- */

int schedule_put(struct txn *t, const char *name, const struct schedule_record *rec,
	const struct schedule_progress *p)
{
	_cleanup_(buf_deinitp) struct buf a = BUF_NULL, b = BUF_NULL;
	char *text = NULL;
	int r = 0;

	if (rec) {
		r = schedule_record_format(&a, rec);
		if (r >= 0 && buf_len(&a) > 0 && !(text = buf_steal_str(&a, NULL)))
			r = -ENOMEM;
		if (r >= 0)
			r = txn_define(t, KIND, name, text);
	}
	if (r < 0 || !p)
		return r;
	r = schedule_progress_format(&b, p);
	text = r >= 0 ? buf_steal_str(&b, NULL) : NULL;
	return text ? txn_define(t, KIND_STATE, name, text) : -ENOMEM;
}

int schedule_put_gone(struct txn *t, const char *name)
{
	int r = txn_define(t, KIND, name, NULL);

	return r < 0 ? r : txn_define(t, KIND_STATE, name, NULL);
}

/* what follows from the configuration: should it not be written it follows once more */
static void post(struct schedules *ss, const struct schedule *s, bool gone)
{
	struct txn *t = txn_new();

	if (t && (gone ? schedule_put_gone(t, s->name)
		       : schedule_put(t, s->name, &s->rec, &s->progress)) >= 0)
		committer_post(ss->core->committer, t, COMMIT_MUST, NULL, NULL);
	else
		txn_free(t);
}

/* ---- what the files say ------------------------------------------------------------------- */

int schedules_load(
	struct schedules *ss, const char *kind, const char *name, const char *text)
{
	struct schedule *s = schedules_get(ss, name);
	int r;

	if (!s)
		return -ENOMEM;
	s->away = true;
	if (STREQ(kind, KIND_STATE))
		return schedule_progress_parse(&s->progress, text);
	r = schedule_record_parse(&s->rec, name, text);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		log_at(LOG_ERR, "store",
			"schedule '%s': its record cannot be read: %s, ignoring; it "
			"stays until 'reeve schedule rm %s'",
			name, rv_strerror(r), name);
	if (r < 0)
		r = strv_append(&ss->unreadable, name);
	if (r < 0)
		return r;
	ss->n_added += s->rec.added;
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? STREQ(a, b) : a == b;
}

static bool same_when(const struct schedule *s, const struct config_named *def)
{
	char *const *a = s->progress.when, *const *b = def->v[CONFIG_WHEN].strv;

	return a && b && strv_equal(a, b) &&
	       same_text(s->progress.zone, def->v[CONFIG_ZONE].text);
}

int schedules_begin(struct schedules *ss, struct schedule *s)
{
	const struct config_named *def = schedule_def(s);
	int64_t now = clock_wall_usec(ss->core->clock);
	const char *zone = def->v[CONFIG_ZONE].text;
	char **when = strv_copy(def->v[CONFIG_WHEN].strv);
	char *own_zone = zone ? strdup(zone) : NULL;

	if (!when || (zone && !own_zone)) {
		strv_free(when);
		free(own_zone);
		return -ENOMEM;
	}
	strv_free(s->progress.when);
	free(s->progress.zone);
	s->progress.when = when;
	s->progress.zone = own_zone;
	schedule_begin(&s->progress.state, now);
	s->progress.n_pending = 0;
	s->away = false;
	schedule_drop_calendars(s);
	return 0;
}

int schedule_read_calendars(struct schedule *s, struct config_zones *zones)
{
	struct config_calendars *c = calloc(1, sizeof(*c));
	_cleanup_free_ char *err = NULL;
	int r;

	if (!c)
		return -ENOMEM;
	r = config_calendars_read(c, s->progress.when, s->progress.zone, zones, &err);
	if (r >= 0) {
		schedule_drop_calendars(s);
		s->calendars = c;
		return 0;
	}
	free(c);
	if (r == -ENOMEM)
		return r;
	log_at(LOG_ERR, "config", "schedule '%s': %s: %s", s->name,
		err ? err : rv_strerror(r),
		s->calendars ? "it goes on in the time zone as it was"
			     : "nothing of it starts");
	return 0;
}

/* What elapsed while it was off is nobody's. 1: its state has changed */
static bool note_off(struct schedules *ss, struct schedule *s)
{
	bool off = schedule_is_off(s), changed = off != s->progress.off;

	if (changed && off)
		schedule_progress_give_up(
			&s->progress, clock_wall_usec(ss->core->clock));
	if (changed && !off) {
		schedule_skip(&s->progress.state, clock_wall_usec(ss->core->clock));
		s->away = false;
	}
	s->progress.off = off;
	return changed;
}

static int apply_one(
	struct schedules *ss, struct schedule *s, struct config_zones *zones)
{
	bool changed = false;
	int r;

	if (!same_when(s, schedule_def(s))) {
		r = schedules_begin(ss, s);
		if (r < 0)
			return r;
		changed = true;
	}
	changed |= note_off(ss, s);
	r = s->calendars ? 0 : schedule_read_calendars(s, zones);
	if (changed)
		post(ss, s, false);
	return r;
}

/* Where both define it the file counts: at a start there is nobody to refuse it to. */
static void tell_both(const struct schedule *s)
{
	const struct config_origin *at = &s->section->origin;

	if (s->rec.added)
		log_at(LOG_ERR, "config",
			"%s:%u: [schedule %s] was added at run time, too: what the "
			"file "
			"says counts",
			at->file ? at->file : "", at->line, s->name);
}

static int apply(
	struct schedules *ss, const struct config *cf, struct config_zones *zones)
{
	const struct config_names *names = &cf->named[CONFIG_SECTION_SCHEDULE];
	_cleanup_free_ struct schedule **v = NULL;
	struct schedule *s;
	int r = 0;

	ss->config = cf;
	HASHMAP_FOREACH(s, ss->by_name)
		s->section = NULL;
	for (size_t i = 0; i < names->n; i++) {
		s = schedules_get(ss, names->v[i].name);
		if (!s)
			return -ENOMEM;
		s->section = &names->v[i];
		tell_both(s);
	}
	v = schedules_list(ss);
	if (!v)
		return -ENOMEM;
	for (struct schedule **p = v; *p && r >= 0; p++) {
		if ((*p)->section || (*p)->rec.added) {
			r = apply_one(ss, *p, zones);
			continue;
		}
		/* a later version may have written it, and may come back */
		if (!schedules_is_unreadable(ss, (*p)->name))
			post(ss, *p, true);
		schedules_forget(ss, *p);
	}
	schedules_look_again(ss);
	return r;
}

int schedules_apply(
	struct schedules *ss, const struct config *cf, struct config_zones *zones)
{
	struct config_zones own = {.local = NULL};
	int r = apply(ss, cf, zones ? zones : &own);

	config_zones_deinit(&own);
	return r;
}

int schedules_read_anew(struct schedules *ss, struct config_zones *zones)
{
	_cleanup_free_ struct schedule **v = schedules_list(ss);
	int r = v ? 0 : -ENOMEM;

	for (size_t i = 0; r >= 0 && v[i]; i++) {
		r = schedule_read_calendars(v[i], zones);
		/* asked here, not all at once when the timer is set */
		(void)schedule_next_of(v[i]);
		if (r >= 0 && i % READ_AT_ONCE == READ_AT_ONCE - 1)
			r = rv_yield();
	}
	schedules_look_again(ss);
	return r;
}

void schedules_check(const struct schedules *ss, const struct config *cf,
	struct config_errors *errors)
{
	struct schedule *s;

	HASHMAP_FOREACH(s, ss->by_name) {
		const struct config_named *section =
			config_find(cf, CONFIG_SECTION_SCHEDULE, s->name);

		/* one that the file has taken over already is known */
		if (section && s->rec.added && !s->section)
			config_errors_add(errors, section->origin.file,
				section->origin.line,
				"[schedule %s] was added at run time, too: reeve "
				"schedule rm '%s', or take it out here",
				s->name, s->name);
	}
}
