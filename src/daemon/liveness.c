#include "config.h"

#include "daemon/liveness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/siphash.h"
#include "daemon/aux.h"
#include "daemon/core.h"
#include "daemon/probe.h"
#include "daemon/readiness_priv.h"
#include "daemon/run.h"

struct run_live {
	struct run *run;
	struct live_settings s;
	bool begun;
	rv_timer timer; /* the next question */
	rv_time due;    /* when that comes */
	struct probe *probe;
	unsigned n_failed; /* in a row */
	rv_timer dog;      /* at dog_at: it looks then */
	rv_time dog_at;
	rv_time dog_due;       /* by when it has to say something; RV_FOREVER */
	bool dog_failed;       /* it did not, or said that it is so */
	int64_t ok_since_usec; /* of live_report */
	int64_t asked_usec;
	bool unasked; /* the last question could not be put */
	char why[LIVE_WHY_MAX];
};

/* what was not read of it yet may be what it had to say */
static const rv_time read_again = RV_MS(100);

static rv_time now_of(const struct run_live *l)
{
	return rv_loop_now(l->run->ready->rd->loop);
}

static int64_t wall_of(const struct run_live *l)
{
	return clock_wall_usec(l->run->core->clock);
}

bool run_live_is_unresponsive(const struct run_live *l)
{
	return l && (l->dog_failed || l->n_failed >= l->s.failures_max);
}

/* ---- what follows --------------------------------------------------------------------------- */

static void act(struct run_live *l)
{
	struct run *run = l->run;

	log_at(LOG_WARNING, "service", "job %" PRIu64 " is unresponsive: %s%s",
		run->job->id, l->why,
		l->s.action == CONFIG_LIVE_NOTHING ? "" : ", ending it");
	if (l->s.action != CONFIG_LIVE_NOTHING && run->stop == RUN_STOP_NONE) {
		run->stop = RUN_STOP_UNRESPONSIVE;
		run_live_end(l);
	}
	run_ready_changed(run->ready);
}

static void recovered(struct run_live *l, bool was)
{
	if (!was || run_live_is_unresponsive(l))
		return;
	log_at(LOG_NOTICE, "service", "job %" PRIu64 " responds again",
		l->run->job->id);
	run_ready_changed(l->run->ready);
}

/* ---- asking --------------------------------------------------------------------------------- */

/* A full interval from now at the soonest, at its own times: those that are begun at one time
 * are not asked at one time. */
static void plan(struct run_live *l)
{
	static const struct siphash_key key = {0};
	rv_time interval = RV_US(l->s.interval_usec), now = now_of(l);
	rv_time phase =
		(rv_time)(siphash13_u64(&key, l->run->job->id) % (uint64_t)interval);
	rv_time soonest = now + interval;
	rv_time since = (soonest - phase) % interval;

	l->due = since == 0 ? soonest : soonest + interval - since;
	rv_timer_start(&l->timer, l->due);
}

/* those that a daemon that was held up has missed are left out */
static void plan_next(struct run_live *l)
{
	rv_time interval = RV_US(l->s.interval_usec);

	l->due += (MAX((now_of(l) - l->due) / interval, 0) + 1) * interval;
	rv_timer_start(&l->timer, l->due);
}

static void not_answered(struct run_live *l, const char *why)
{
	_cleanup_free_ char *what = ready_rule_format(&l->s.rule);
	bool was = run_live_is_unresponsive(l);

	if (l->n_failed < l->s.failures_max)
		l->n_failed++;
	l->ok_since_usec = 0;
	/* a command may be of any length */
	snprintf(l->why, sizeof(l->why), "%.80s: %s",
		l->s.rule.kind == READY_COMMAND || !what ? "command" : what, why);
	if (!was && run_live_is_unresponsive(l))
		act(l);
}

/* A command that could not be started says nothing of the service; who looks is told. */
static void not_asked(struct run_live *l, const char *why)
{
	if (!l->unasked)
		log_at(LOG_WARNING, "service",
			"job %" PRIu64
			" cannot be asked whether it is alive, which goes "
			"on being tried: %s",
			l->run->job->id, why);
	l->unasked = true;
	l->ok_since_usec = 0;
	if (l->n_failed == 0 && !l->dog_failed)
		snprintf(l->why, sizeof(l->why), "command: %s", why);
}

/* So many commands run that this one does not, which says nothing of the service either. */
static void had_no_turn(struct run_live *l)
{
	aux_tell_busy(l->run->core->aux);
	l->ok_since_usec = 0;
	if (l->n_failed == 0 && !l->dog_failed)
		snprintf(l->why, sizeof(l->why), "command: no turn to ask");
}

static void answered(int r, const char *why, void *arg)
{
	struct run_live *l = arg;
	bool was = run_live_is_unresponsive(l);

	l->probe = NULL;
	if (r == -EAGAIN && *why)
		not_asked(l, why);
	if (r == -EBUSY)
		had_no_turn(l);
	if (r == -ECANCELED || r == -EAGAIN || r == -EBUSY)
		return;
	l->unasked = false;
	l->asked_usec = wall_of(l);
	if (r < 0) {
		not_answered(l, why);
		return;
	}
	l->n_failed = 0;
	if (!l->ok_since_usec)
		l->ok_since_usec = l->asked_usec;
	if (!l->dog_failed)
		l->why[0] = '\0';
	recovered(l, was);
}

static void ask(void *arg)
{
	struct run_live *l = arg;

	/* the last is still being waited for: this one is left out */
	if (l->probe && probe_waits(l->probe))
		had_no_turn(l);
	if (!l->probe && probe_start(&l->probe, l->run, &l->s.rule, AUX_LIVENESS,
				 RV_US(l->s.timeout_usec), answered, l) < 0)
		l->probe = NULL; /* no memory: it is not the service that fails */
	plan_next(l);
}

/* ---- being told ----------------------------------------------------------------------------- */

static void look_at_dog_at(struct run_live *l, rv_time when)
{
	l->dog_at = when;
	rv_timer_start(&l->dog, when);
}

static void set_dog(struct run_live *l)
{
	if (l->s.watchdog_usec == INT64_MAX) {
		l->dog_due = RV_FOREVER;
		rv_timer_stop(&l->dog);
		return;
	}
	l->dog_due = time_after(now_of(l), l->s.watchdog_usec);
	/* each word only moves the time: the timer looks again when it gets there */
	if (!rv_timer_active(&l->dog) || l->dog_at > l->dog_due)
		look_at_dog_at(l, l->dog_due);
}

static void said_nothing(struct run_live *l)
{
	bool was = run_live_is_unresponsive(l);
	char limit[DURATION_TEXT_MAX];

	l->dog_failed = true;
	duration_format(limit, sizeof(limit), l->s.watchdog_usec);
	snprintf(l->why, sizeof(l->why), "no WATCHDOG=1 within %s", limit);
	if (!was)
		act(l);
}

static void look_at_dog(void *arg)
{
	struct run_live *l = arg;

	if (l->dog_due > now_of(l))
		look_at_dog_at(l, l->dog_due);
	/* we may be the ones that were late */
	else if (!readiness_read(l->run->ready->rd) && l->begun)
		look_at_dog_at(l, now_of(l) + read_again);
	else if (l->begun && l->dog_due <= now_of(l))
		said_nothing(l);
	else if (l->begun)
		look_at_dog_at(l, l->dog_due);
}

void run_live_pet(struct run_live *l)
{
	bool was = run_live_is_unresponsive(l);

	if (!l || !l->begun)
		return;
	if (l->dog_failed && l->n_failed == 0)
		l->why[0] = '\0';
	l->dog_failed = false;
	set_dog(l);
	recovered(l, was);
}

void run_live_trigger(struct run_live *l)
{
	bool was = run_live_is_unresponsive(l);

	if (!l || !l->begun || l->s.watchdog_usec == INT64_MAX)
		return;
	l->dog_failed = true;
	snprintf(l->why, sizeof(l->why), "it said WATCHDOG=trigger");
	if (!was)
		act(l);
}

void run_live_set_watchdog(struct run_live *l, int64_t usec)
{
	/* not without watchdog of its section: nobody has asked for it */
	if (!l || l->s.watchdog_usec == INT64_MAX)
		return;
	l->s.watchdog_usec = usec;
	if (l->begun)
		set_dog(l);
}

/* ---- the object ----------------------------------------------------------------------------- */

int run_live_new(struct run_live **ret, struct run *run, struct live_settings *settings)
{
	struct run_live *l;

	*ret = NULL;
	if (settings->rule.kind == READY_NONE && settings->watchdog_usec == INT64_MAX)
		return 0;
	l = calloc(1, sizeof(*l));
	if (!l) {
		ready_rule_deinit(&settings->rule);
		return -ENOMEM;
	}
	l->run = run;
	l->s = *settings;
	l->dog_due = RV_FOREVER;
	*ret = l;
	return 0;
}

struct run_live *run_live_free(struct run_live *l)
{
	if (!l)
		return NULL;
	run_live_end(l);
	ready_rule_deinit(&l->s.rule);
	free(l);
	return NULL;
}

void run_live_begin(struct run_live *l)
{
	rv_loop *loop;

	if (!l || l->begun || !l->run->ready->rd) /* none, in tests */
		return;
	loop = l->run->ready->rd->loop;
	l->begun = true;
	rv_timer_init(&l->timer, loop, ask, l);
	rv_timer_init(&l->dog, loop, look_at_dog, l);
	if (l->s.rule.kind != READY_NONE)
		plan(l);
	set_dog(l);
}

void run_live_end(struct run_live *l)
{
	if (!l || !l->begun)
		return;
	l->begun = false;
	rv_timer_stop(&l->timer);
	rv_timer_stop(&l->dog);
	probe_stop(TAKE_PTR(l->probe));
}

/* ---- looking -------------------------------------------------------------------------------- */

const char *run_live_why(const struct run_live *l)
{
	return l ? l->why : "";
}

int64_t run_live_watchdog_usec(const struct run_live *l)
{
	return l && l->s.watchdog_usec != INT64_MAX ? l->s.watchdog_usec : 0;
}

bool run_live_report(const struct run_live *l, struct live_report *ret)
{
	if (!l || (!l->begun && !run_live_is_unresponsive(l)))
		return false;
	*ret = (struct live_report){.rule = &l->s.rule,
		.n_failed = l->n_failed,
		.failures_max = l->s.failures_max,
		.ok_since_usec = l->ok_since_usec,
		.asked_usec = l->asked_usec,
		.why = l->why};
	return true;
}
