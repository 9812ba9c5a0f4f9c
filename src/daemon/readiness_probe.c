/* A service that takes connections once it is ready is asked; see readiness.h. */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "daemon/aux.h"
#include "daemon/readiness_priv.h"

/* between the beginnings of two attempts: doubles from the first to the last */
static const rv_time pause_first = RV_MS(20), pause_last = RV_MS(500);
/* an attempt that hangs is given up: one that would have been taken is, at once */
static const rv_time attempt_max = RV_SEC(5);
/* of commands, which cost more, and are waited for */
static const rv_time command_pause_last = RV_SEC(1), command_max = RV_SEC(10);

static void plan(struct run_ready *rr)
{
	rv_time pause = pause_first;
	rv_time last = rr->rule.kind == READY_COMMAND ? command_pause_last : pause_last;

	for (unsigned i = 1; i < rr->n_tries && pause < last; i++)
		pause *= 2;
	rv_timer_start(&rr->timer, rv_loop_now(rr->rd->loop) + MIN(pause, last));
}

static void attempted(int r, const char *why, void *arg)
{
	struct run_ready *rr = arg;

	rr->probe = NULL;
	snprintf(rr->unready_why, sizeof(rr->unready_why), "%s", r < 0 ? why : "");
	if (r >= 0)
		run_became_ready(rr);
	else if (r != -ECANCELED)
		plan(rr);
}

/* for one attempt */
static rv_time time_of(const struct ready_rule *rule)
{
	switch (rule->kind) {
	case READY_COMMAND: return command_max;
	case READY_OUTPUT: return RV_FOREVER; /* it follows */
	default: return attempt_max;
	}
}

static void attempt(void *arg)
{
	struct run_ready *rr = arg;

	rr->n_tries++;
	if (probe_start(&rr->probe, rr->run, &rr->rule, AUX_READY, time_of(&rr->rule),
		    attempted, rr) < 0)
		plan(rr);
}

void ready_tries_begin(struct run_ready *rr)
{
	rv_timer_init(&rr->timer, rr->rd->loop, attempt, rr);
	rv_timer_start(&rr->timer, rv_loop_now(rr->rd->loop));
}

void ready_tries_end(struct run_ready *rr)
{
	rv_timer_stop(&rr->timer);
	probe_stop(TAKE_PTR(rr->probe));
}
