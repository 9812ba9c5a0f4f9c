/* Auxiliary commands: begun, awaited, ended; see aux.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/aux_priv.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/run_steps.h"
#include "reeve/scope.h"

/* Services may be many: the log is not for them to fill. */
static const rv_time busy_period = RV_SEC(60);

/* ---- the table ------------------------------------------------------------------------------ */

int aux_commands_new(struct aux_commands **ret, struct core *core)
{
	struct aux_commands *all = calloc(1, sizeof(*all));

	if (!all || hashmap_new(&all->by_key, HASHMAP_U64) < 0) {
		free(all);
		return -ENOMEM;
	}
	all->core = core;
	list_init(&all->all);
	rv_limiter_init(&all->running, 1);
	rv_limiter_init(&all->asking, 1);
	rv_event_init(&all->gone);
	*ret = all;
	return 0;
}

struct aux_commands *aux_commands_free(struct aux_commands *all)
{
	if (!all)
		return NULL;
	while (!list_is_empty(&all->all))
		aux_drop(LIST_ENTRY(list_first(&all->all), struct aux, link));
	hashmap_free(all->by_key);
	free(all);
	return NULL;
}

uint64_t aux_key(uint64_t job_id, unsigned place)
{
	return job_id << 8 | place;
}

uint64_t aux_key_of(const struct spawn_token *t)
{
	return aux_key(t->job_id, spawn_aux_place(t->run_no));
}

struct aux *aux_find(const struct aux_commands *all, uint64_t key)
{
	return hashmap_get_u64(all->by_key, key);
}

bool aux_is_token(const struct spawn_token *t)
{
	return t->run_no & SPAWN_AUX;
}

struct aux *aux_of_token(const struct aux_commands *all, const struct spawn_token *t)
{
	struct aux *a = aux_find(all, aux_key_of(t));

	return a && spawn_token_equal(&a->token, t) ? a : NULL;
}

struct aux *aux_new(struct aux_commands *all, uint64_t key, const struct spawn_token *t)
{
	struct aux *a = calloc(1, sizeof(*a));

	if (!a || hashmap_put_u64(all->by_key, key, a) < 0) {
		free(a);
		return NULL;
	}
	a->all = all;
	a->key = key;
	a->token = *t;
	a->pidfd = a->out_fd = -1;
	rv_event_init(&a->wake);
	list_append(&all->all, &a->link);
	return a;
}

void aux_drop(struct aux *a)
{
	struct aux_commands *all = a->all;

	aux_end_reading(a);
	close_safe(a->pidfd);
	hashmap_remove_u64(all->by_key, a->key);
	list_remove(&a->link);
	free(a->end.problem);
	free(a->out);
	free(a);
	rv_event_set(&all->gone);
	rv_event_clear(&all->gone);
}

bool aux_is_kept(unsigned place)
{
	return place >= AUX_POST_START && place < AUX_RELOAD;
}

static void acknowledge(struct aux *a)
{
	if (a->sent)
		spawner_link_ack_token(a->all->core->spawner, &a->token);
	aux_drop(a);
}

void aux_set_ended(struct aux *a, const struct aux_end *end)
{
	if (!a->ended)
		a->end = *end;
	a->ended = true;
	a->in_doubt = false;
	a->pidfd = close_safe(a->pidfd);
	if (a->unwanted)
		acknowledge(a);
	else
		rv_event_set(&a->wake);
}

static void tell_line(struct aux *a)
{
	char text[sizeof(SPAWN_SAID_LINE) + 20];

	if (a->line == 0 || a->line_sent)
		return;
	snprintf(text, sizeof(text), SPAWN_SAID_LINE "%016" PRIx64 "\n", a->line);
	a->line_sent = spawner_link_set_said_token(
			       a->all->core->spawner, &a->token, text) >= 0;
	a->all->some_want |= !a->line_sent;
}

void aux_act(struct aux *a)
{
	struct spawner_link *l = a->all->core->spawner;

	if (!a->sent || a->ended || a->in_doubt)
		return;
	tell_line(a);
	if (a->kill_wanted && !a->kill_sent)
		a->kill_sent = spawner_link_stop_token(l, &a->token, SIGKILL, 0) >= 0;
	else if (a->stop_wanted && !a->stop_sent)
		a->stop_sent =
			spawner_link_stop_token(l, &a->token, SIGTERM, AUX_GRACE) >= 0;
	a->all->some_want |=
		(a->kill_wanted && !a->kill_sent) || (a->stop_wanted && !a->stop_sent);
}

void aux_abandon(struct aux *a)
{
	a->unwanted = true;
	a->awaited = false;
	aux_end_reading(a);
	if (a->ended || !a->sent) {
		acknowledge(a);
		return;
	}
	a->kill_wanted = true;
	aux_act(a);
}

static struct aux *find_of(const struct run *run, unsigned place)
{
	struct aux *a = run->core->aux
				? aux_find(run->core->aux, aux_key(run->job->id, place))
				: NULL;

	return a && !a->unwanted &&
			       a->token.run_no ==
				       spawn_aux_number(place, run->rec.token.run)
		       ? a
		       : NULL;
}

bool aux_is_there(const struct run *run, unsigned place)
{
	return find_of(run, place) != NULL;
}

bool aux_line(const struct run *run, unsigned place, uint64_t *ret)
{
	const struct aux *a = find_of(run, place);

	*ret = a ? a->line : 0;
	return a != NULL;
}

void aux_forget_place(struct run *run, unsigned place)
{
	struct aux *a = find_of(run, place);

	if (a)
		aux_abandon(a);
}

void aux_forget(struct run *run)
{
	struct aux_commands *all = run->core->aux;

	if (!all || list_is_empty(&all->all))
		return;
	for (unsigned place = 0; place < AUX_PLACES; place++) {
		struct aux *a = aux_find(all, aux_key(run->job->id, place));

		if (a && !a->unwanted)
			aux_abandon(a);
	}
}

/* ---- the start ------------------------------------------------------------------------------- */

/* until something wakes it, or that time */
static int wait_until(rv_event *event, rv_time when)
{
	rv_scope scope;
	int r = rv_scope_enter(&scope, 0, when);

	return r < 0 ? r : rv_scope_exit(&scope, rv_event_wait(event));
}

/* 0: it is with the spawner, or has ended: it could not be started, or not in time. */
static int begin(
	struct aux *a, struct run *run, const struct aux_command *cmd, rv_time deadline)
{
	struct spawner_link *l = run->core->spawner;
	struct aux_end failed = {.how = AUX_NOT_STARTED};
	struct run_request rr;
	int r = aux_make_request(&rr, a, run, cmd, &failed.step);

	while (r >= 0) {
		rv_event_clear(&a->wake);
		r = spawner_link_start_token(l, &rr.req);
		if (r != -EAGAIN)
			break;
		a->all->some_want = true;
		r = wait_until(&a->wake, deadline);
	}
	a->sent = r >= 0;
	if (a->sent)
		rr.stdout_fd = rr.stderr_fd = -1; /* the client's now */
	else
		failed.problem = TAKE_PTR(rr.problem);
	run_request_deinit(&rr);
	if (r >= 0 || r == -ECANCELED || r == -ENOMEM) {
		free(failed.problem);
		return MIN(r, 0);
	}
	failed.error = r;
	if (r == -ETIMEDOUT)
		failed.how = AUX_NOT_BEGUN;
	aux_set_ended(a, &failed);
	return 0;
}

/* ---- running one ------------------------------------------------------------------------------ */

static struct spawn_token token_of(
	struct aux_commands *all, const struct run *run, unsigned place)
{
	return (struct spawn_token){
		.job_id = run->job->id,
		.run_no = spawn_aux_number(place, run->rec.token.run),
		.epoch = all->core->epoch,
	};
}

/* The place is free, or has what was begun before. 0, -EBUSY, -ETIMEDOUT, -ECANCELED */
static int find_place(struct aux_commands *all, uint64_t key, uint32_t run_no,
	rv_time deadline, struct aux **ret)
{
	struct aux *a;
	int r = 0;

	while (r >= 0 && (a = aux_find(all, key))) {
		if (a->awaited)
			return -EBUSY;
		if (!a->unwanted && aux_is_kept(spawn_aux_place(run_no)) &&
			a->token.run_no == run_no)
			break;
		if (!a->unwanted)
			aux_abandon(a);
		if (aux_find(all, key))
			r = wait_until(&all->gone, deadline);
	}
	*ret = r >= 0 ? a : NULL;
	return r;
}

static int await(
	struct aux *a, struct run *run, const struct aux_command *cmd, rv_time deadline)
{
	const struct clock *clock = run->core->clock;
	bool late = false;
	int r = 0;

	while (!a->ended) {
		rv_event_clear(&a->wake);
		if (!a->sent && !cmd) { /* it never got to the spawner */
			aux_set_ended(a, &(struct aux_end){.how = AUX_LOST});
			continue;
		}
		if (!a->sent) {
			r = begin(a, run, cmd, deadline);
			if (r < 0)
				return r;
			continue;
		}
		if (!late && clock_monotonic(clock) >= deadline)
			late = a->stop_wanted = true;
		aux_act(a);
		if (a->out_fd >= 0)
			aux_read_some(a);
		r = wait_until(&a->wake, late ? RV_FOREVER : deadline);
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
	if (late && a->end.how != AUX_LOST &&
		a->end.how != AUX_NOT_BEGUN) /* however it took that */
		a->end.how = AUX_TIMED_OUT;
	if (a->out_fd >= 0)
		aux_read_some(a);
	return 0;
}

/* what passed before this daemon looked counts, too */
static rv_time counted_from_start(const struct aux *a, rv_time deadline)
{
	const struct clock *clock = a ? a->all->core->clock : NULL;

	return a && a->started && deadline != RV_FOREVER
		       ? deadline - MAX(clock_boottime(clock) - a->started_boot, 0)
		       : deadline;
}

/* in its turn */
static int run_one(struct aux_commands *all, struct run *run,
	const struct aux_command *cmd, struct aux_end *ret)
{
	const struct clock *clock = all->core->clock;
	struct spawn_token token = token_of(all, run, cmd->place);
	uint64_t key = aux_key(run->job->id, cmd->place);
	rv_time deadline = time_after(clock_monotonic(clock), cmd->timeout_usec);
	struct aux *a;
	int r = find_place(all, key, token.run_no, deadline, &a);

	*ret = (struct aux_end){.how = AUX_NOT_BEGUN};
	if (r == -ETIMEDOUT)
		return 0;
	if (r < 0)
		return r;
	deadline = counted_from_start(a, deadline);
	if (!a)
		a = aux_new(all, key, &token);
	if (!a)
		return -ENOMEM;
	if (!a->sent)
		a->line = cmd->line;
	a->awaited = true;
	r = await(a, run, cmd, deadline);
	a->awaited = false;
	if (r >= 0) {
		*ret = a->end;
		a->end.problem = NULL;
		aux_take_output(a, ret);
	}
	if (r < 0 && all->core->detaching && aux_is_kept(cmd->place))
		return r; /* the next daemon's */
	if (r < 0 || !aux_is_kept(cmd->place))
		aux_abandon(a);
	return r;
}

int aux_run(struct run *run, const struct aux_command *cmd, struct aux_end *ret)
{
	struct aux_commands *all = run->core->aux;
	bool is_probe = cmd->place == AUX_READY || cmd->place == AUX_LIVENESS;
	rv_limiter *turns = is_probe ? &all->asking : &all->running;
	rv_token turn = RV_TOKEN_NULL;
	int r;

	INVARIANT(cmd->place < AUX_PLACES && cmd->argv && cmd->argv[0]);
	INVARIANT(cmd->keep <= AUX_OUTPUT_MAX);
	INVARIANT(cmd->keep == 0 || !aux_is_kept(cmd->place));
	rv_limiter_set_total(
		turns, (size_t)config_num(run->core->config, SERVICE_COMMANDS_MAX));
	r = rv_limiter_acquire(turns, &turn);
	if (r < 0)
		return r;
	if (cmd->has_turn)
		*cmd->has_turn = true;
	r = run_one(all, run, cmd, ret);
	(void)rv_limiter_release(turns, &turn);
	return r;
}

int aux_await(
	struct run *run, unsigned place, int64_t timeout_usec, struct aux_end *ret)
{
	struct aux *a = find_of(run, place);
	rv_time deadline = time_after(clock_monotonic(run->core->clock), timeout_usec);
	int r;

	INVARIANT(a && aux_is_kept(place) && !a->awaited);
	a->awaited = true;
	r = await(a, run, NULL, counted_from_start(a, deadline));
	a->awaited = false;
	*ret = a->end;
	ret->problem = NULL; /* its own */
	if (r < 0 && !run->core->detaching)
		aux_abandon(a);
	return r;
}

void aux_tell_busy(struct aux_commands *all)
{
	rv_time now = clock_monotonic(all->core->clock);

	if (all->told_busy > 0 && now - all->told_busy < busy_period)
		return;
	all->told_busy = now;
	log_at(LOG_WARNING, "service",
		"commands that ask services whether they are alive have to wait for "
		"their "
		"turn, or for the spawner, longer than they should "
		"(service-commands-max = "
		"%" PRId64 "); this is told once a minute",
		config_num(all->core->config, SERVICE_COMMANDS_MAX));
}

int aux_await_gone(struct aux_commands *all, rv_time deadline)
{
	int r = 0;

	while (r >= 0 && !list_is_empty(&all->all))
		r = wait_until(&all->gone, deadline);
	if (r == -ETIMEDOUT)
		log_at(LOG_WARNING, "service",
			"commands of services have not ended, leaving them");
	return r == -ETIMEDOUT ? 0 : r;
}

/* ---- ends ------------------------------------------------------------------------------------- */

bool aux_end_is_success(const struct aux_end *end)
{
	return end->how == AUX_EXITED && end->status == 0;
}

void aux_end_describe(
	const struct aux_end *end, int64_t timeout_usec, char *buf, size_t size)
{
	char limit[DURATION_TEXT_MAX];

	switch (end->how) {
	case AUX_NOT_STARTED:
		if (end->problem)
			snprintf(
				buf, size, "it could not be started: %s", end->problem);
		else
			snprintf(buf, size, "it could not be started, at %s: %s",
				spawn_step_name(end->step), rv_strerror(end->error));
		break;
	case AUX_TIMED_OUT:
		duration_format(limit, sizeof(limit), timeout_usec);
		snprintf(buf, size, "not ended within %s", limit);
		break;
	case AUX_NOT_BEGUN:
		duration_format(limit, sizeof(limit), timeout_usec);
		snprintf(buf, size, "not begun within %s, for want of room", limit);
		break;
	case AUX_LOST: snprintf(buf, size, "its spawner was lost"); break;
	case AUX_EXITED:
		if (WIFSIGNALED(end->status))
			snprintf(buf, size, "%s", signal_name(WTERMSIG(end->status)));
		else
			snprintf(buf, size, "exit status %d", WEXITSTATUS(end->status));
		break;
	}
}

void aux_end_deinit(struct aux_end *end)
{
	free(end->problem);
	free(end->output);
	*end = (struct aux_end){.how = AUX_EXITED};
}
