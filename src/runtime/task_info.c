/* What hangs on a task: cancellation requests, name, result, payload, error text,
 * defers. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "reeve/future.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

enum { ERRMSG_MAX = 512, WHY_MAX = 128, NAME_MAX_AUTO = 32 };

struct task_extra *task_extra(struct rv_task *t)
{
	if (!t->extra) {
		t->extra = calloc(1, sizeof(*t->extra));
		if (t->extra)
			link_init(&t->extra->group_records);
	}
	return t->extra;
}

void task_extra_free(struct rv_task *t)
{
	struct task_extra *x = t->extra;

	group_records_free(t);
	if (x->future)
		future_task_gone(x->future);
	if (x->val_dtor)
		x->val_dtor(x->val);
	while (x->defers) {
		struct task_defer *d = x->defers;

		x->defers = d->next;
		free(d);
	}
	free(x->name);
	free(x->errmsg);
	free(x->cancel_why);
	free(x);
	t->extra = NULL;
}

NOINLINE rv_task *rv_task_self(void)
{
	return current.task;
}

rv_loop *rv_task_loop(const rv_task *t)
{
	return t->loop;
}

/* -- cancelling
 * -------------------------------------------------------------------------- */

bool rv_task_cancel(rv_task *t)
{
	if (WRONG_THREAD(t->loop))
		return false;
	if (t->done || !t->loop)
		return false;
	scope_node_cancel(t->loop, &t->root, "cancelled");
	return true;
}

bool rv_task_cancel_why(rv_task *t, const char *fmt, ...)
{
	struct task_extra *x;
	char text[WHY_MAX];
	va_list ap;

	if (WRONG_THREAD(t->loop))
		return false;
	if (t->done || !t->loop)
		return false;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Only the text needs memory: without any, cancelling goes on with a plain one.
	 */
	x = t->root.why ? NULL : task_extra(t);
	if (x) {
		free(x->cancel_why);
		x->cancel_why = strdup(text);
	}
	scope_node_cancel(
		t->loop, &t->root, x && x->cancel_why ? x->cancel_why : "cancelled");
	return true;
}

int rv_task_cancelling(const rv_task *t)
{
	(void)WRONG_THREAD(t->loop); /* answers all the same */
	return (int)t->root.count;
}

int rv_task_uncancel(rv_task *t)
{
	if (WRONG_THREAD(t->loop))
		return 0;
	if (t->root.count == 0)
		return 0;
	if (--t->root.count == 0) {
		t->root.why = NULL;
		task_spins_no_more(t);
		if (!t->done && t->loop)
			scope_node_update(t->loop, &t->root);
	}
	return (int)t->root.count;
}

/* -- results
 * -------------------------------------------------------------------------------- */

bool rv_task_done(const rv_task *t)
{
	(void)WRONG_THREAD(t->loop); /* answers all the same */
	return t->done;
}

bool rv_task_cancelled(const rv_task *t)
{
	(void)WRONG_THREAD(t->loop); /* answers all the same */
	return t->done && t->result == -ECANCELED;
}

int rv_task_result(rv_task *t, void **val)
{
	if (WRONG_THREAD(t->loop))
		return -RV_EWRONGLOOP;
	if (!t->done)
		return -RV_ESTATE;
	t->error_read = true;
	if (val)
		*val = t->extra ? t->extra->val : NULL;
	return t->result;
}

int rv_task_error(const rv_task *t)
{
	(void)WRONG_THREAD(t->loop); /* answers all the same */
	return t->done && t->result < 0 ? t->result : 0;
}

const char *rv_task_errmsg(const rv_task *t)
{
	return t->extra ? t->extra->errmsg : NULL;
}

void rv_task_return(void *val, rv_dtor d)
{
	struct rv_task *t = current.task;
	struct task_extra *x = t ? task_extra(t) : NULL;

	if (!x) { /* nowhere to keep it: it was given away all the same */
		if (d)
			d(val);
		return;
	}
	if (x->val_dtor)
		x->val_dtor(x->val);
	x->val = val;
	x->val_dtor = d;
}

void task_take_payload(struct rv_task *t, void **ret, rv_dtor *ret_dtor)
{
	struct task_extra *x = t->extra;

	*ret = x ? TAKE_PTR(x->val) : NULL;
	*ret_dtor = x ? TAKE_PTR(x->val_dtor) : NULL;
}

int rv_fail(int err, const char *fmt, ...)
{
	struct rv_task *t = current.task;
	struct task_extra *x = t ? task_extra(t) : NULL;
	va_list ap;

	if (!x)
		return err;
	if (!x->errmsg)
		x->errmsg = malloc(ERRMSG_MAX);
	if (!x->errmsg)
		return err;
	va_start(ap, fmt);
	(void)vsnprintf(x->errmsg, ERRMSG_MAX, fmt, ap);
	va_end(ap);
	return err;
}

const char *rv_errmsg(void)
{
	return current.task ? rv_task_errmsg(current.task) : NULL;
}

rv_future *rv_task_future(rv_task *t)
{
	struct task_extra *x;

	if (WRONG_THREAD(t->loop))
		return NULL;
	x = task_extra(t);
	if (x && !x->future && future_new_for_task(&x->future, t) < 0)
		return NULL;
	return x ? x->future : NULL;
}

/* -- names and lists
 * --------------------------------------------------------------------------- */

int rv_task_set_name(rv_task *t, const char *name)
{
	struct task_extra *x;
	char *copy;

	if (WRONG_THREAD(t->loop))
		return -RV_EWRONGLOOP;
	x = task_extra(t);
	copy = x ? strdup(name) : NULL;
	if (!copy)
		return -ENOMEM;
	free(x->name);
	x->name = copy;
	return 0;
}

const char *rv_task_name(const rv_task *t)
{
	struct task_extra *x = t->extra;

	if (WRONG_THREAD(t->loop))
		return "Task";
	/* The default is written when first asked for: most tasks never are. */
	if (!x)
		x = task_extra((struct rv_task *)t);
	if (x && !x->name) {
		x->name = malloc(NAME_MAX_AUTO);
		if (x->name)
			(void)snprintf(x->name, NAME_MAX_AUTO, "Task-%llu",
				(unsigned long long)t->id);
	}
	return x && x->name ? x->name : "Task";
}

uint64_t rv_task_id(const rv_task *t)
{
	return t->id;
}

int rv_task_foreach(rv_loop *l, bool (*fn)(rv_task *, void *), void *arg)
{
	int n = 0;

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	for (struct rv_link *it = l->tasks.next; it != &l->tasks; it = it->next) {
		struct rv_task *t = LINK_ENTRY(it, struct rv_task, link);

		if (t->done)
			continue;
		n++;
		if (!fn(t, arg))
			break;
	}
	return n;
}

/* -- defers
 * --------------------------------------------------------------------------------------
 */

int rv_defer(rv_cb fn, void *arg)
{
	struct task_extra *x;
	struct task_defer *d;

	if (!current.task)
		return -RV_ENOTASK;
	x = task_extra(current.task);
	d = x ? malloc(sizeof(*d)) : NULL;
	if (!d)
		return -ENOMEM;
	*d = (struct task_defer){.next = x->defers, .fn = fn, .arg = arg};
	x->defers = d;
	return 0;
}

void rv_defer_cancel(rv_cb fn, void *arg)
{
	struct task_extra *x = current.task ? current.task->extra : NULL;

	for (struct task_defer **p = x ? &x->defers : NULL; p && *p; p = &(*p)->next) {
		struct task_defer *d = *p;

		if (d->fn == fn && d->arg == arg) {
			*p = d->next;
			free(d);
			return;
		}
	}
}
