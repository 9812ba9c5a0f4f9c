/* gather, of futures and of calls. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "reeve/group.h"
#include "runtime/wait_priv.h"

/* -- futures ------------------------------------------------------------------------ */

static bool over_or_failed(const struct wait_set *s)
{
	return s->n_left == 0 || s->first_error < 0;
}

static void cancel_the_rest(struct wait_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!rv_future_done(s->members[i].future))
			(void)rv_future_cancel(s->members[i].future);
}

static void leave_the_rest(struct wait_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!rv_future_done(s->members[i].future))
			future_ignore_error(s->members[i].future);
}

static void read_results(const struct wait_set *s, rv_outcome *out)
{
	for (size_t i = 0; i < s->n; i++) {
		rv_outcome o = {.err = -EINPROGRESS};

		if (rv_future_done(s->members[i].future))
			o.err = rv_future_result(s->members[i].future, &o.val);
		if (out)
			out[i] = o;
	}
}

int rv_gather(rv_future *const *fs, size_t n, unsigned flags, rv_outcome *out)
{
	struct wait_set s;
	struct rv_task *self;
	bool cancelled;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (flags & ~(unsigned)(RV_GATHER_ALL | RV_GATHER_DETACH))
		return -EINVAL;
	r = wait_set_init(&s, fs, n, self,
		flags & RV_GATHER_ALL ? wait_set_is_over : over_or_failed);
	if (r < 0)
		return r;
	cancelled = wait_set_wait(&s, self, RV_FOREVER, "gather") < 0;
	r = cancelled ? -ECANCELED : flags & RV_GATHER_ALL ? 0 : s.first_error;
	if (cancelled || (r < 0 && !(flags & RV_GATHER_DETACH))) {
		cancel_the_rest(&s);
		wait_set_wait_shielded(&s, self, "gather");
	} else if (r < 0) {
		leave_the_rest(&s);
	}
	read_results(&s, out);
	wait_set_deinit(&s);
	return r;
}

/* -- calls -------------------------------------------------------------------------- */

struct gather_slot {
	const rv_call *call;
	rv_outcome out;
	rv_dtor dtor; /* of the value */
};

static int run_slot(void *arg)
{
	struct gather_slot *slot = arg;
	struct rv_task *self = current.task;
	int r = slot->call->fn(slot->call->arg);

	slot->out.err = r;
	if (self->extra)
		task_take_payload(self, &slot->out.val, &slot->dtor);
	return r;
}

static int spawn_slots(
	rv_group *g, struct gather_slot *slots, const rv_call *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		rv_task_opts o = {.name = calls[i].name};

		slots[i].call = &calls[i];
		slots[i].out.err =
			-ECANCELED; /* what one that is never begun ends as */
		r = rv_group_spawn_ex(
			g, calls[i].name ? &o : NULL, run_slot, &slots[i], NULL);
	}
	return r;
}

/* what the slots say is all there is to know */
static int ignore_exit(rv_group *g, rv_task *t, int err, void *arg)
{
	return 0;
}

static int first_cancelled(const struct gather_slot *slots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slots[i].out.err == -ECANCELED)
			return -ECANCELED;
	return 0;
}

static void hand_over(struct gather_slot *slots, size_t n, bool values, rv_outcome *out)
{
	for (size_t i = 0; i < n; i++) {
		if ((!values || !out) && slots[i].dtor)
			slots[i].dtor(slots[i].out.val);
		if (!values)
			slots[i].out.val = NULL;
		if (out)
			out[i] = slots[i].out;
	}
}

int rv_gather_calls(const rv_call *calls, size_t n, unsigned flags, rv_outcome *out)
{
	_cleanup_free_ struct gather_slot *slots = NULL;
	bool all = flags & RV_GATHER_ALL;
	struct rv_task *self;
	rv_group g;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (flags & ~(unsigned)RV_GATHER_ALL)
		return -EINVAL;
	if (n == 0)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	r = rv_group_enter(&g, all ? RV_GROUP_SUPERVISE : RV_GROUP_FAIL_FAST);
	if (r < 0)
		return r;
	if (all)
		rv_group_on_exit(&g, ignore_exit, NULL);
	r = spawn_slots(&g, slots, calls, n);
	r = rv_group_exit(&g, r);
	rv_group_forget(&g);
	if (r >= 0)
		r = all ? 0 : first_cancelled(slots, n);
	hand_over(slots, n, r >= 0, out);
	return r;
}
