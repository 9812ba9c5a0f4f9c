/* Schedules are made, removed, paused; schedules.h. */
#include "config.h"

#include <errno.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/schedules_priv.h"

static int commit(struct schedules *ss, const char *name,
	const struct schedule_record *rec, const struct schedule_progress *p)
{
	struct txn *t = txn_new();
	int r = t ? 0 : -ENOMEM;

	if (r >= 0)
		r = rec ? schedule_put(t, name, rec, p) : schedule_put_gone(t, name);
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
	s = schedules_get(ss, name);
	if (!s)
		return -ENOMEM;
	s->rec.def = *def;
	*def = (struct config_named){.name = NULL};
	s->rec.added = true;
	ss->n_added++;
	r = schedules_begin(ss, s);
	if (r >= 0)
		r = schedule_read_calendars(s, NULL);
	s->progress.off = schedule_is_off(s);
	if (r >= 0)
		r = commit(ss, name, &s->rec, &s->progress);
	if (r < 0)
		schedules_forget(ss, s);
	else
		schedules_drop_unreadable(ss, name);
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
	schedules_look_again(ss);
	return r;
}

int schedules_remove(struct schedules *ss, const char *name)
{
	struct schedule *s;
	int r = schedules_lock(ss);

	if (r < 0)
		return r;
	s = schedules_find(ss, name);
	if (s)
		r = s->section ? -EPERM : commit(ss, name, NULL, NULL);
	else
		r = schedules_is_unreadable(ss, name) ? commit(ss, name, NULL, NULL)
						      : -ENOENT;
	if (r >= 0 && s)
		schedules_forget(ss, s);
	if (r >= 0)
		schedules_drop_unreadable(ss, name);
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
	if (on)
		schedule_progress_give_up(&next, clock_wall_usec(ss->core->clock));
	else
		schedule_skip(&next.state, clock_wall_usec(ss->core->clock));
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
	schedules_look_again(ss);
	return r;
}
