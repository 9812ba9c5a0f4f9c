/* Futures. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/future_priv.h"

struct future_cb {
	struct rv_link link;   /* in the future's callbacks */
	struct rv_ready ready; /* queued: then it holds a reference */
	rv_future *future;
	rv_future_fn fn;
	void *arg;
	uint32_t id;
};

/* -- memory -------------------------------------------------------------------------- */

enum { CACHED_MAX = 64 }; /* as many as are often made and dropped in turn */

static inline bool cache_has_room(const rv_loop *l)
{
#ifdef REEVE_SANITIZED
	return false; /* uses after the end had better be seen */
#else
	return l->n_futures_cached < CACHED_MAX;
#endif
}

static NOINLINE rv_future *future_malloc(void)
{
	rv_future *f = malloc(sizeof(*f));

	if (!f)
		return NULL;
	link_init(&f->waiters);
	link_init(&f->watches);
	link_init(&f->callbacks);
	return f;
}

/* with empty lists, as one is that is put into the cache */
static inline rv_future *future_alloc(rv_loop *l)
{
	struct rv_link *it = l->future_cache;

	if (UNLIKELY(!it))
		return future_malloc();
	l->future_cache = it->next;
	l->n_futures_cached--;
	return LINK_ENTRY(it, rv_future, link);
}

static inline void future_cache(rv_future *f)
{
	rv_loop *l = f->loop;

	if (!cache_has_room(l)) {
		free(f);
		return;
	}
	f->link.next = l->future_cache;
	l->future_cache = &f->link;
	l->n_futures_cached++;
}

static void future_cache_free(rv_loop *l)
{
	while (l->future_cache)
		free(future_alloc(l));
}

/* -- making and dropping ------------------------------------------------------------ */

int rv_future_new(rv_future **ret, rv_loop *l)
{
	rv_future *f;

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	if (!l)
		l = current.loop;
	if (!l)
		return -RV_ENOTASK;
	if (l->closed)
		return -RV_ELOOPCLOSED;
	f = future_alloc(l);
	if (UNLIKELY(!f))
		return -ENOMEM;
	memset((char *)f + offsetof(rv_future, task), 0,
		sizeof(*f) - offsetof(rv_future, task));
	f->loop = l;
	f->refs = 1;
	link_append(&l->futures, &f->link);
	*ret = f;
	return 0;
}

rv_loop *future_loop(const rv_future *f)
{
	return f->loop;
}

rv_future *rv_future_ref(rv_future *f)
{
	if (WRONG_THREAD(f->loop))
		return f;
	f->refs++;
	return f;
}

static void cb_free(struct future_cb *cb)
{
	link_remove(&cb->ready.link);
	link_unlink(&cb->link);
	free(cb);
}

/* To the handler it is a future like any other, of which it may take a reference: false, it
 * has. */
static NOINLINE bool report_unread(rv_future *f)
{
	rv_exc e = RV_EXC_NULL;

	f->refs = 1;
	f->error_read = true;
	e.message = "future failed and nobody looked";
	e.err = f->result;
	e.future = f;
	rv_report(f->loop, &e);
	return --f->refs == 0;
}

void rv_future_unref(rv_future *f)
{
	if (WRONG_THREAD(f ? f->loop : NULL))
		return;
	if (!f)
		return;
	INVARIANT(f->refs > 0);
	if (--f->refs > 0)
		return;
	INVARIANT(link_is_empty(&f->waiters) && link_is_empty(&f->watches));
	if (UNLIKELY(f->result < 0 && f->result != -ECANCELED && !f->error_read &&
		     f->loop) &&
		!report_unread(f))
		return;
	while (!link_is_empty(&f->callbacks))
		cb_free(LINK_ENTRY(f->callbacks.next, struct future_cb, link));
	if (f->val_dtor)
		f->val_dtor(f->val);
	if (f->source)
		rv_future_unref(f->source);
	if (f->errmsg)
		free(f->errmsg);
	if (!f->loop) {
		free(f);
		return;
	}
	link_unlink(&f->link);
	future_cache(f);
}

/* -- completing
 * ------------------------------------------------------------------------- */

static void cb_run(struct rv_ready *r)
{
	struct future_cb *cb = CONTAINER_OF(r, struct future_cb, ready);
	rv_future *f = cb->future;
	rv_future_fn fn = cb->fn;
	void *arg = cb->arg;

	f->loop->ran_callbacks = true;
	LOOP_CALLBACK(f->loop, fn);
	cb_free(cb);
	fn(f, arg);
	rv_future_unref(f);
}

static void cb_queue(struct future_cb *cb)
{
	rv_future_ref(cb->future);
	ready_append(cb->future->loop, &cb->ready);
}

/* Last of all: they may drop what they hold of f. */
static NOINLINE void tell_watches(rv_future *f)
{
	struct rv_link *told;

	rv_future_ref(f);
	while ((told = link_pop(&f->watches))) {
		struct future_watch *w = LINK_ENTRY(told, struct future_watch, link);

		w->fn(w);
	}
	rv_future_unref(f);
}

static inline void complete(rv_future *f, int result)
{
	struct waiter *w;

	f->result = result;
	f->done = true;
	if (!f->loop)
		return;
	while ((w = waiter_first(&f->waiters)))
		waiter_wake_inline(w, 0);
	for (struct rv_link *it = f->callbacks.next; it != &f->callbacks; it = it->next)
		cb_queue(LINK_ENTRY(it, struct future_cb, link));
	if (!link_is_empty(&f->watches))
		tell_watches(f);
}

void future_complete(rv_future *f, int result)
{
	complete(f, result);
}

int rv_future_set(rv_future *f, void *val, rv_dtor d)
{
	if (WRONG_THREAD(f->loop))
		return -RV_EWRONGLOOP;
	if (f->done || f->task)
		return -RV_ESTATE;
	f->val = val;
	f->val_dtor = d;
	complete(f, 0);
	return 0;
}

int rv_future_fail(rv_future *f, int err, const char *msg)
{
	if (WRONG_THREAD(f->loop))
		return -RV_EWRONGLOOP;
	if (f->done || f->task)
		return -RV_ESTATE;
	if (err >= 0 || err == -ECANCELED)
		return -EINVAL;
	f->errmsg = msg ? strdup(msg) : NULL; /* without memory: without text */
	complete(f, err);
	return 0;
}

bool rv_future_cancel(rv_future *f)
{
	if (WRONG_THREAD(f->loop))
		return false;
	if (f->done) {
		f->error_read = true;
		return false;
	}
	if (!f->task) {
		complete(f, -ECANCELED);
		return true;
	}
	if (!f->loop || !f->loop->cancel_busy)
		return rv_task_cancel(f->task);
	task_cancel_later(f->task); /* from an on_cancel: after the walk */
	return true;
}

/* -- of a task
 * --------------------------------------------------------------------------- */

int future_new_for_task(rv_future **ret, struct rv_task *t)
{
	rv_future *f;
	int r = rv_future_new(&f, t->loop);

	if (r < 0)
		return r;
	f->task = t;
	*ret = f;
	if (t->done)
		future_task_done(f, t);
	return 0;
}

void future_task_done(rv_future *f, struct rv_task *t)
{
	f->val = t->extra->val; /* borrowed from the task */
	complete(f, t->result);
}

void future_task_gone(rv_future *f)
{
	f->task = NULL;
	f->val = NULL;
	f->error_read = true; /* the task has reported it if it had to */
	rv_future_unref(f);
}

/* -- looking at
 * ---------------------------------------------------------------------------- */

bool rv_future_done(const rv_future *f)
{
	(void)WRONG_THREAD(f->loop); /* answers all the same */
	return f->done;
}

bool rv_future_cancelled(const rv_future *f)
{
	(void)WRONG_THREAD(f->loop); /* answers all the same */
	return f->done && f->result == -ECANCELED;
}

static void *value_of(const rv_future *f)
{
	while (f->source)
		f = f->source;
	return f->val;
}

void future_ignore_error(rv_future *f)
{
	f->error_read = true;
	if (f->task)
		f->task->error_read = true;
}

/* of one that is done */
static inline int read_result(rv_future *f, void **val)
{
	future_ignore_error(f);
	if (val)
		*val = value_of(f);
	return f->result;
}

int rv_future_result(rv_future *f, void **val)
{
	if (WRONG_THREAD(f->loop))
		return -RV_EWRONGLOOP;
	return f->done ? read_result(f, val) : -RV_ESTATE;
}

int rv_future_take(rv_future *f, void **val)
{
	int r;

	if (WRONG_THREAD(f->loop))
		return -RV_EWRONGLOOP;
	r = rv_future_result(f, val);
	if (r < 0)
		return r;
	if (f->task || f->source)
		return -RV_ESTATE; /* the payload is the task's, or the source's */
	f->val = NULL;
	f->val_dtor = NULL;
	return r;
}

const char *rv_future_errmsg(const rv_future *f)
{
	if (f->source)
		return rv_future_errmsg(f->source);
	return f->task ? rv_task_errmsg(f->task) : f->errmsg;
}

uint32_t rv_future_on_done(rv_future *f, rv_future_fn fn, void *arg)
{
	struct future_cb *cb;

	if (WRONG_THREAD(f->loop))
		return 0;
	if (!f->loop) {
		errno = RV_ELOOPCLOSED;
		return 0;
	}
	cb = malloc(sizeof(*cb));
	if (!cb)
		return 0;
	*cb = (struct future_cb){.future = f,
		.fn = fn,
		.arg = arg,
		.id = ++f->last_id,
		.ready.run = cb_run};
	link_append(&f->callbacks, &cb->link);
	if (f->done)
		cb_queue(cb);
	return cb->id;
}

/* Takes it out, queued or not. */
static void cb_drop(struct future_cb *cb)
{
	rv_future *f = cb->future;
	bool queued = link_is_linked(&cb->ready.link);

	cb_free(cb);
	if (queued)
		rv_future_unref(f);
}

int rv_future_off_done(rv_future *f, uint32_t id)
{
	if (WRONG_THREAD(f->loop))
		return 0;
	for (struct rv_link *it = f->callbacks.next; it != &f->callbacks;
		it = it->next) {
		struct future_cb *cb = LINK_ENTRY(it, struct future_cb, link);

		if (cb->id == id) {
			cb_drop(cb);
			return 1;
		}
	}
	return 0;
}

int rv_future_off_done_fn(rv_future *f, rv_future_fn fn, void *arg)
{
	int n = 0;

	if (WRONG_THREAD(f->loop))
		return 0;
	rv_future_ref(f);
	for (struct rv_link *it = f->callbacks.next, *next; it != &f->callbacks;
		it = next) {
		struct future_cb *cb = LINK_ENTRY(it, struct future_cb, link);

		next = it->next;
		if (cb->fn == fn && cb->arg == arg) {
			cb_drop(cb);
			n++;
		}
	}
	rv_future_unref(f);
	return n;
}

static void await_cancelled(struct waiter *w)
{
	/* Completing wakes this waiter, and all others; a task's future stays pending
	 * until the task has ended. */
	(void)rv_future_cancel(w->data);
}

void future_watch(rv_future *f, struct future_watch *w)
{
	INVARIANT(!f->done);
	link_append(&f->watches, &w->link);
}

void future_unwatch(struct future_watch *w)
{
	link_remove(&w->link);
}

struct rv_task *future_ended_by(const rv_future *f, bool *ret_shielded)
{
	*ret_shielded = f->shielded;
	while (f->shielded)
		f = f->shielded;
	return f->task;
}

int future_peek(const rv_future *f)
{
	return f->result;
}

static inline int check_await(const rv_future *f, const struct rv_task *self)
{
	if (f->done)
		return 0;
	if (f->loop != self->loop)
		return -RV_EWRONGLOOP;
	return f->task == self ? -EDEADLK : 0;
}

int future_check_await(const rv_future *f, const struct rv_task *self)
{
	return check_await(f, self);
}

int rv_future_await(rv_future *f, void **val)
{
	struct rv_task *self;
	struct waiter w;
	int r = task_await_begin(&self);

	if (WRONG_THREAD(f->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (f->done)
		return read_result(f, val);
	r = check_await(f, self);
	if (r < 0)
		return r;
	w.data = f;
	link_append(&f->waiters, &w.link);
	r = task_wait_on_cancel(self, &w, await_cancelled, "future", f);
	INVARIANT(r == 0);
	return read_result(f, val);
}

/* -- the end of the loop ------------------------------------------------------------ */

static void close_watches(rv_future *f)
{
	struct rv_link *it;

	while ((it = link_pop(&f->watches))) {
		struct future_watch *w = LINK_ENTRY(it, struct future_watch, link);

		if (w->closed)
			w->closed(w);
	}
}

void futures_close(rv_loop *l)
{
	struct rv_link *it;

	while ((it = link_pop(&l->futures))) {
		rv_future *f = LINK_ENTRY(it, rv_future, link);

		rv_future_ref(f);
		while (!link_is_empty(&f->callbacks))
			cb_drop(LINK_ENTRY(f->callbacks.next, struct future_cb, link));
		f->loop = NULL;
		/* abandoned tasks: they will never look again */
		while (link_pop(&f->waiters))
			;
		close_watches(f);
		rv_future_unref(f);
	}
	future_cache_free(l);
}
