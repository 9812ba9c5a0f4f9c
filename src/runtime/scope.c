/*
 * Cancel scopes: the tree, and who is cancelled in it.
 *
 * A node's children are the next inner scope of the same task, and the root scopes of
 * the tasks of a group. Whether a node is cancelled is kept in the node, so that an
 * awaiting function needs one load; a change walks only what it changes.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

/* The level has risen in n: undo what its task waits for in it. */
static void node_interrupt(struct rv_scope_node *n)
{
	struct rv_task *t = n->task;
	struct waiter *w;

	if (!t || t->scope != n || !t->waiter)
		return;
	w = t->waiter;
	if (w->on_cancel)
		w->on_cancel(w);
	else
		waiter_wake(w, -ECANCELED);
}

/* The next node in preorder; skips what is below n unless below is set. */
static struct rv_scope_node *node_after(
	struct rv_scope_node *n, const struct rv_scope_node *top, bool below)
{
	if (below && !link_is_empty(&n->children))
		return LINK_ENTRY(n->children.next, struct rv_scope_node, link);
	while (n != top) {
		if (n->link.next != &n->parent->children)
			return LINK_ENTRY(n->link.next, struct rv_scope_node, link);
		n = n->parent;
	}
	return NULL;
}

/* Without recursion: groups in groups may be nested to any depth. */
static void walk(struct rv_scope_node *top)
{
	struct rv_scope_node *n = top;

	while (n) {
		bool is = scope_node_is_cancelled(n);
		bool changed = is != n->cancelled;

		n->cancelled = is;
		if (changed && is)
			node_interrupt(n);
		n = node_after(n, top, changed);
	}
}

void scope_node_update(rv_loop *l, struct rv_scope_node *n)
{
	struct rv_task *t;

	if (l->cancel_busy) {
		/* from an on_cancel: the tree below is not ours to walk twice, but what
		 * hangs elsewhere may be; those use task_cancel_later */
		walk(n);
		return;
	}
	l->cancel_busy = true;
	walk(n);
	while ((t = l->cancel_later)) {
		l->cancel_later = TAKE_PTR(t->cancel_next);
		if (!l->cancel_later)
			l->cancel_last = NULL;
		if (!t->done) {
			t->root.count++;
			if (!t->root.why)
				t->root.why = "awaiting task cancelled";
			walk(&t->root);
		}
		rv_task_unref(t);
	}
	l->cancel_busy = false;
}

void scope_node_cancel(rv_loop *l, struct rv_scope_node *n, const char *why)
{
	n->count++;
	if (!n->why)
		n->why = why;
	if (!n->cancelled)
		scope_node_update(l, n);
}

void task_cancel_later(struct rv_task *t)
{
	rv_loop *l = t->loop;

	if (t->done || !l || t->cancel_next || t == l->cancel_last)
		return;
	if (l->cancel_last)
		l->cancel_last->cancel_next = t;
	else
		l->cancel_later = t;
	l->cancel_last = rv_task_ref(t);
}

/* -- scopes of the API ------------------------------------------------------------- */

static void on_deadline(void *arg)
{
	rv_scope *s = arg;

	s->expired = true;
	scope_node_cancel(s->timer.loop, &s->node, "timeout");
}

static void scope_arm(rv_scope *s, rv_time when, bool has_passed)
{
	s->when = when;
	if (when == RV_FOREVER)
		rv_timer_stop(&s->timer);
	else if (has_passed)
		on_deadline(s);
	else
		rv_timer_start(&s->timer, when);
}

static bool scope_is_entered(const struct rv_task *t, const rv_scope *s)
{
	for (const struct rv_scope_node *n = t->scope; n && n->task == t; n = n->parent)
		if (n == &s->node)
			return true;
	return false;
}

/* Once for each loop: whoever shields so on purpose does it all the time. */
static void report_shield(struct rv_task *t)
{
	rv_exc e = RV_EXC_NULL;

	t->loop->shield_reported = true;
	e.message = "shield without a deadline";
	e.task = t;
	rv_report(t->loop, &e);
}

/* has_passed: the deadline. Who computes it from now knows without another look at the clock,
 * which takes longer than all the rest. */
static int scope_enter(rv_scope *s, unsigned flags, rv_time deadline, bool has_passed)
{
	struct rv_task *t = current.task;

	if (t && UNLIKELY(scope_is_entered(t, s)))
		return -RV_ESTATE;
	s->active = s->expired = s->caught = false;
	s->when = RV_FOREVER;
	if (!t)
		return -RV_ENOTASK;
	scope_node_init(&s->node, t->scope, t, flags & RV_SCOPE_SHIELD);
	rv_timer_init(&s->timer, t->loop, on_deadline, s);
	s->timer.inline_fn = true;
	t->scope = &s->node;
	s->active = true;
	if (deadline != RV_FOREVER)
		scope_arm(s, deadline, has_passed);
	else if (UNLIKELY(loop_debug(t->loop)) && (flags & RV_SCOPE_SHIELD) &&
		 !(flags & SCOPE_UNREPORTED) && !t->loop->shield_reported)
		report_shield(t);
	return 0;
}

int rv_scope_enter(rv_scope *s, unsigned flags, rv_time deadline)
{
	const struct rv_task *t = current.task;
	bool has_passed =
		t && deadline != RV_FOREVER && deadline <= loop_monotonic(t->loop);

	return scope_enter(s, flags, deadline, has_passed);
}

int rv_scope_exit(rv_scope *s, int rc)
{
	struct rv_task *t = current.task;

	if (!t || !s->active)
		return rc < 0 ? rc : (t ? -RV_ESTATE : -RV_ENOTASK);
	/* inner scopes must have been left: their memory may be gone */
	INVARIANT(t->scope == &s->node);
	rv_timer_stop(&s->timer);
	t->scope = s->node.parent;
	task_spins_no_more(t);
	s->active = false;
	scope_node_deinit(&s->node);
	if (rc != -ECANCELED || s->node.count == 0 || t->scope->cancelled)
		return rc;
	s->caught = true;
	return s->expired ? -ETIMEDOUT : 0;
}

static rv_time deadline_after(const struct rv_task *t, rv_time d)
{
	rv_time when;

	if (!t || d == RV_FOREVER)
		return RV_FOREVER;
	if (__builtin_add_overflow(loop_monotonic(t->loop), d, &when))
		return d > 0 ? RV_FOREVER : INT64_MIN;
	return when;
}

int rv_timeout(rv_scope *s, rv_time d)
{
	return scope_enter(s, 0, deadline_after(current.task, d), d <= 0);
}

int rv_shield(rv_scope *s, rv_time grace)
{
	return scope_enter(
		s, RV_SCOPE_SHIELD, deadline_after(current.task, grace), grace <= 0);
}

void rv_scope_cancel(rv_scope *s, const char *why)
{
	if (WRONG_THREAD(s->active ? s->timer.loop : NULL))
		return;
	if (!s->active)
		return;
	if (!s->node.why)
		(void)snprintf(s->why, sizeof(s->why), "%s", why ? why : "cancelled");
	scope_node_cancel(s->timer.loop, &s->node, s->why);
}

int rv_scope_reschedule(rv_scope *s, rv_time when)
{
	if (WRONG_THREAD(s->active ? s->timer.loop : NULL))
		return -RV_EWRONGLOOP;
	if (!s->active || s->expired)
		return -RV_ESTATE;
	scope_arm(s, when, when <= loop_monotonic(s->timer.loop));
	return 0;
}

rv_time rv_scope_when(const rv_scope *s)
{
	return s->when;
}

bool rv_scope_expired(const rv_scope *s)
{
	return s->expired;
}

bool rv_scope_caught(const rv_scope *s)
{
	return s->caught;
}

rv_time rv_effective_deadline(void)
{
	struct rv_task *t = current.task;
	rv_time min = RV_FOREVER;

	/* every node but the tasks' roots and the services' is the first member of a
	 * scope */
	for (struct rv_scope_node *n = t ? t->scope : NULL; n; n = n->parent) {
		if (n->task && n != &n->task->root)
			min = MIN(min, CONTAINER_OF(n, rv_scope, node)->when);
		if (n->shield)
			break;
	}
	return min;
}

const char *rv_cancel_reason(void)
{
	struct rv_task *t = current.task;

	for (struct rv_scope_node *n = t ? t->scope : NULL; n && n->cancelled;
		n = n->parent)
		if (n->count > 0)
			return n->why;
	return NULL;
}

bool rv_scope_block_step(struct rv_scope_block *b, rv_time d)
{
	int r;

	if (b->step++ > 0)
		return false;
	r = rv_timeout(&b->scope, d);
	if (r < 0) {
		*b->rc = r;
		b->step = 2;
		return false;
	}
	return true;
}

void rv_scope_block_leave(struct rv_scope_block *b)
{
	if (b->scope.active)
		*b->rc = rv_scope_exit(&b->scope, *b->rc);
}
