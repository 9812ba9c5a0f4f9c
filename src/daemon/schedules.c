#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/strv.h"
#include "daemon/schedule_jobs.h"
#include "daemon/schedules_priv.h"
#include "daemon/users.h"

#define KIND       "schedule"
#define KIND_STATE "schedule-state"

static void look_again(void *arg)
{
	struct schedules *ss = arg;

	rv_event_set(&ss->look);
}

static void job_ended(const char *name, void *arg)
{
	look_again(arg);
}

/* the clock was set, or what a look wanted was not possible yet */
static void check_all(void *arg)
{
	struct schedules *ss = arg;
	struct schedule *s;

	HASHMAP_FOREACH(s, ss->by_name)
		s->check = true;
	look_again(ss);
}

int schedules_new(struct schedules **ret, struct core *core, rv_loop *loop)
{
	struct schedules *ss = calloc(1, sizeof(*ss));

	if (!ss || hashmap_new(&ss->by_name, HASHMAP_STRING) < 0) {
		free(ss);
		return -ENOMEM;
	}
	ss->core = core;
	ss->loop = loop;
	ss->config = core->config;
	ss->started_usec = clock_wall_usec(core->clock);
	rv_lock_init(&ss->changing);
	rv_event_init(&ss->look);
	rv_timer_init(&ss->retry, loop, check_all, ss);
	clock_jumps_add(&core->clock_jumps, &ss->clock_watch, check_all, ss);
	schedule_jobs_on_end(core->schedule_jobs, job_ended, ss);
	*ret = ss;
	return 0;
}

static void drop_calendars(struct schedule *s)
{
	if (s->calendars)
		config_calendars_deinit(s->calendars);
	free(s->calendars);
	s->calendars = NULL;
}

static void schedule_free(struct schedule *s)
{
	drop_calendars(s);
	schedule_record_deinit(&s->rec);
	schedule_progress_deinit(&s->progress);
	free(s);
}

struct schedules *schedules_free(struct schedules *ss)
{
	struct schedule *s;

	if (!ss)
		return NULL;
	if (ss->timer_armed)
		rv_handle_cancel(ss->loop, ss->timer);
	rv_timer_stop(&ss->retry);
	clock_jumps_remove(&ss->clock_watch);
	schedule_jobs_on_end(ss->core->schedule_jobs, NULL, NULL);
	HASHMAP_FOREACH(s, ss->by_name)
		schedule_free(s);
	hashmap_free(ss->by_name);
	free(ss);
	return NULL;
}

int schedules_lock(struct schedules *ss)
{
	return rv_lock_acquire(&ss->changing);
}

void schedules_unlock(struct schedules *ss)
{
	rv_lock_release(&ss->changing);
}

/* ---- looking ------------------------------------------------------------------------------ */

struct schedule *schedules_find(const struct schedules *ss, const char *name)
{
	return hashmap_get(ss->by_name, name);
}

static int by_name(const void *a, const void *b)
{
	const struct schedule *x = *(struct schedule *const *)a;
	const struct schedule *y = *(struct schedule *const *)b;

	return strcmp(x->name, y->name);
}

struct schedule **schedules_list(const struct schedules *ss)
{
	struct schedule **v = calloc(hashmap_size(ss->by_name) + 1, sizeof(*v)), *s;
	size_t n = 0;

	if (!v)
		return NULL;
	HASHMAP_FOREACH(s, ss->by_name)
		v[n++] = s;
	qsort(v, n, sizeof(struct schedule *), by_name);
	return v;
}

const struct config_named *schedule_def(const struct schedule *s)
{
	return s->section ? s->section : &s->rec.def;
}

bool schedule_is_off(const struct schedule *s)
{
	return s->rec.paused || !schedule_def(s)->v[CONFIG_ENABLED].num;
}

const char *schedule_status(const struct schedule *s)
{
	if (!schedule_def(s)->v[CONFIG_ENABLED].num)
		return "disabled";
	if (s->rec.paused)
		return "paused";
	return s->calendars ? "active" : "broken";
}

uint32_t schedule_uid(const struct schedule *s)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];

	return user->user.name ? user->user.uid : (uint32_t)geteuid();
}

/* FNV-1a: the same jitter for a name at each daemon */
static uint64_t seed_of(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return h;
}

void schedule_rule_get(const struct schedule *s, struct schedule_rule *ret)
{
	const union config_value *v = schedule_def(s)->v;

	*ret = (struct schedule_rule){
		.calendars = s->calendars ? s->calendars->v : NULL,
		.n_calendars = s->calendars ? s->calendars->n : 0,
		.missed = (enum schedule_missed)v[CONFIG_MISSED].num,
		.missed_max = (unsigned)v[CONFIG_MISSED_MAX].num,
		.spread_usec = v[CONFIG_MISSED_SPREAD].num,
		.jitter_usec = v[CONFIG_JITTER].num,
		.seed = seed_of(s->name),
	};
}

size_t schedule_next_times(
	const struct schedules *ss, const struct schedule *s, int64_t *usec, size_t n)
{
	struct schedule_state at = s->progress.state;
	struct schedule_rule rule;
	size_t i = 0;

	schedule_rule_get(s, &rule);
	at.last_usec = MAX(at.last_usec, clock_wall_usec(ss->core->clock));
	for (; i < n; i++) {
		usec[i] = schedule_next(&rule, &at);
		if (usec[i] == INT64_MAX)
			break;
		at.last_usec = usec[i];
	}
	return i;
}

/* ---- what is on disk ----------------------------------------------------------------------- */

/* text NULL: it goes. Takes text. */
static int put_text(struct txn *t, const char *kind, const char *name, char *text)
{
	char *own = strdup(name);
	struct store_op *op;

	if (text && txn_own(t, text) < 0) {
		free(own);
		return -ENOMEM;
	}
	if (!own || txn_own(t, own) < 0)
		return -ENOMEM;
	op = txn_add(t, text ? STORE_DEFINITION_SET : STORE_DEFINITION_REMOVE);
	if (!op)
		return -ENOMEM;
	op->definition =
		(struct store_definition){.kind = kind, .name = own, .text = text};
	return 0;
}

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
			r = put_text(t, KIND, name, text);
	}
	if (r < 0 || !p)
		return r;
	r = schedule_progress_format(&b, p);
	text = r >= 0 ? buf_steal_str(&b, NULL) : NULL;
	return text ? put_text(t, KIND_STATE, name, text) : -ENOMEM;
}

static int put_gone(struct txn *t, const char *name)
{
	int r = put_text(t, KIND, name, NULL);

	return r < 0 ? r : put_text(t, KIND_STATE, name, NULL);
}

/* what follows from the configuration: should it not be written it follows once more */
static void post(struct schedules *ss, const struct schedule *s, bool gone)
{
	struct txn *t = txn_new();

	if (t && (gone ? put_gone(t, s->name)
		       : schedule_put(t, s->name, &s->rec, &s->progress)) >= 0)
		committer_post(ss->core->committer, t, COMMIT_MUST, NULL, NULL);
	else
		txn_free(t);
}

/* ---- what the files say ------------------------------------------------------------------- */

/* the one of that name, made where there is none; NULL: out of memory */
static struct schedule *get(struct schedules *ss, const char *name)
{
	struct schedule *s = schedules_find(ss, name);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (s)
		snprintf(s->name, sizeof(s->name), "%s", name);
	if (!s || hashmap_put(ss->by_name, s->name, s) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

int schedules_load(
	struct schedules *ss, const char *kind, const char *name, const char *text)
{
	struct schedule *s = get(ss, name);
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
			"schedule '%s': its record cannot be read: %s, ignoring", name,
			rv_strerror(r));
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

/* Its expressions are new: it begins now, and owes nothing. */
static int begin(struct schedules *ss, struct schedule *s)
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
	s->progress.state.begun_usec = s->progress.state.last_usec = now;
	s->progress.n_pending = 0;
	s->away = false;
	drop_calendars(s);
	return 0;
}

static int read_calendars(struct schedule *s)
{
	_cleanup_free_ char *err = NULL;
	int r;

	if (s->calendars)
		return 0;
	s->calendars = calloc(1, sizeof(*s->calendars));
	if (!s->calendars)
		return -ENOMEM;
	r = config_calendars_read(
		s->calendars, s->progress.when, s->progress.zone, &err);
	if (r >= 0)
		return 0;
	free(s->calendars);
	s->calendars = NULL;
	if (r == -ENOMEM)
		return r;
	log_at(LOG_ERR, "config", "schedule '%s': %s: nothing of it starts", s->name,
		err ? err : rv_strerror(r));
	return 0;
}

/* What elapsed while it was off is nobody's. 1: its state has changed */
static bool note_off(struct schedules *ss, struct schedule *s)
{
	bool off = schedule_is_off(s), changed = off != s->progress.off;

	if (changed && !off) {
		s->progress.state.last_usec = clock_wall_usec(ss->core->clock);
		s->away = false;
	}
	s->progress.off = off;
	return changed;
}

static int apply_one(struct schedules *ss, struct schedule *s)
{
	bool changed = false;
	int r;

	if (!same_when(s, schedule_def(s))) {
		r = begin(ss, s);
		if (r < 0)
			return r;
		changed = true;
	}
	changed |= note_off(ss, s);
	r = read_calendars(s);
	if (changed)
		post(ss, s, false);
	return r;
}

static void forget(struct schedules *ss, struct schedule *s)
{
	hashmap_remove(ss->by_name, s->name);
	ss->n_added -= s->rec.added;
	schedule_free(s);
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

int schedules_apply(struct schedules *ss, const struct config *cf)
{
	const struct config_names *names = &cf->named[CONFIG_SECTION_SCHEDULE];
	_cleanup_free_ struct schedule **v = NULL;
	struct schedule *s;
	int r = 0;

	ss->config = cf;
	HASHMAP_FOREACH(s, ss->by_name)
		s->section = NULL;
	for (size_t i = 0; i < names->n; i++) {
		s = get(ss, names->v[i].name);
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
			r = apply_one(ss, *p);
			continue;
		}
		post(ss, *p, true);
		forget(ss, *p);
	}
	look_again(ss);
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

/* ---- changes ------------------------------------------------------------------------------ */

static int commit(struct schedules *ss, const char *name,
	const struct schedule_record *rec, const struct schedule_progress *p)
{
	struct txn *t = txn_new();
	int r = t ? 0 : -ENOMEM;

	if (r >= 0)
		r = rec ? schedule_put(t, name, rec, p) : put_gone(t, name);
	if (r < 0) {
		txn_free(t);
		return r;
	}
	return committer_commit(ss->core->committer, t, 0);
}

static int add(struct schedules *ss, const char *name, struct config_named *def)
{
	struct schedule *s = schedules_find(ss, name);
	int r;

	if (s)
		return -EEXIST;
	if ((int64_t)ss->n_added >= config_num(ss->config, SCHEDULES_MAX))
		return -RV_ELIMIT;
	s = get(ss, name);
	if (!s)
		return -ENOMEM;
	s->rec.def = *def;
	*def = (struct config_named){.name = NULL};
	s->rec.added = true;
	ss->n_added++;
	r = begin(ss, s);
	if (r >= 0)
		r = read_calendars(s);
	s->progress.off = schedule_is_off(s);
	if (r >= 0)
		r = commit(ss, name, &s->rec, &s->progress);
	if (r < 0)
		forget(ss, s);
	return r;
}

int schedules_add(struct schedules *ss, const char *name, struct config_named *def)
{
	int r = schedules_lock(ss);

	if (r >= 0) {
		r = add(ss, name, def);
		schedules_unlock(ss);
	}
	config_named_deinit(def, CONFIG_SECTION_SCHEDULE);
	look_again(ss);
	return r;
}

int schedules_remove(struct schedules *ss, const char *name)
{
	struct schedule *s;
	int r = schedules_lock(ss);

	if (r < 0)
		return r;
	s = schedules_find(ss, name);
	r = !s ? -ENOENT : s->section ? -EPERM : commit(ss, name, NULL, NULL);
	if (r >= 0)
		forget(ss, s);
	schedules_unlock(ss);
	return r;
}

static int set_paused(struct schedules *ss, struct schedule *s, bool on)
{
	struct schedule_progress next;
	bool was = s->rec.paused;
	int r = schedule_progress_copy(&next, &s->progress);

	if (r < 0)
		return r;
	s->rec.paused = on;
	next.off = schedule_is_off(s);
	if (on && next.n_pending > 0)
		schedule_progress_note(&next,
			(struct schedule_event){.what = SCHEDULE_PAUSED,
				.count = next.n_pending,
				.nominal_usec =
					next.pending[next.n_pending - 1].nominal_usec,
				.at_usec = clock_wall_usec(ss->core->clock)});
	next.n_pending = 0;
	if (!on)
		next.state.last_usec = clock_wall_usec(ss->core->clock);
	r = commit(ss, s->name, &s->rec, &next);
	if (r < 0) {
		s->rec.paused = was;
		schedule_progress_deinit(&next);
		return r;
	}
	schedule_progress_deinit(&s->progress);
	s->progress = next;
	s->away = false;
	return 0;
}

int schedules_pause(struct schedules *ss, const char *name, bool on, bool *ret_changed)
{
	struct schedule *s;
	int r = schedules_lock(ss);

	if (r < 0)
		return r;
	s = schedules_find(ss, name);
	*ret_changed = s && s->rec.paused != on;
	r = s ? 0 : -ENOENT;
	if (*ret_changed)
		r = set_paused(ss, s, on);
	schedules_unlock(ss);
	look_again(ss);
	return r;
}
