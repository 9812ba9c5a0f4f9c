#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/list.h"
#include "base/log.h"
#include "daemon/commit.h"
#include "reeve/scope.h"
#include "reeve/sync.h"
#include "reeve/task.h"

enum {
	/* in one transaction: bounds how long a client waits for it. A unit may be one
	 * number, or 500 jobs */
	UNITS_MAX = 2048,
	OPS_MAX = 8192,
	TOLD_AT_ONCE =
		64, /* answers; then those that were told, and others, have a turn */
	CHECKPOINT_BYTES = 4 << 20,
};
static const rv_time retry_first = RV_MS(100), retry_last = RV_SEC(5);
static const rv_time checkpoint_again = RV_SEC(1);

struct txn {
	struct list link; /* on committer.queue, or on the list of a transaction */
	struct store_unit unit;
	size_t n_ops_max;
	void **owned;
	size_t n_owned;
	unsigned flags;
	void (*done)(int error, void *arg);
	void *done_arg;
};

struct committer {
	struct store *store;
	rv_executor *executor;
	struct list queue;
	rv_event work;
	rv_event room; /* for the checkpoint task: a look at the log is due */
	bool stopping, giving_up, finished, checkpoint_wanted;
	int error;
	void (*on_change)(int error, void *arg);
	void *on_change_arg;
	/* the transaction in flight: written by the loop, read by the worker */
	struct store_unit **units;
	size_t n_units;
	int64_t n_probes;
};

struct txn *txn_new(void)
{
	return calloc(1, sizeof(struct txn));
}

struct txn *txn_free(struct txn *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_owned; i++)
		free(t->owned[i]);
	free(t->owned);
	free(t->unit.ops);
	free(t);
	return NULL;
}

struct store_op *txn_add(struct txn *t, enum store_op_kind kind)
{
	struct store_op *op;

	if (t->unit.n_ops == t->n_ops_max) {
		size_t n = t->n_ops_max ? 2 * t->n_ops_max : 4;

		op = reallocarray(t->unit.ops, n, sizeof(*op));
		if (!op)
			return NULL;
		t->unit.ops = op;
		t->n_ops_max = n;
	}
	op = &t->unit.ops[t->unit.n_ops++];
	*op = (struct store_op){.kind = kind};
	return op;
}

int txn_own(struct txn *t, void *p)
{
	void **v;

	if (!p)
		return 0;
	v = reallocarray(t->owned, t->n_owned + 1, sizeof(*v));
	if (!v) {
		free(p);
		return -ENOMEM;
	}
	t->owned = v;
	v[t->n_owned++] = p;
	return 0;
}

int txn_define(struct txn *t, const char *kind, const char *name, char *text)
{
	struct store_op *op;
	char *own;

	if (txn_own(t, text) < 0)
		return -ENOMEM;
	own = strdup(name);
	if (!own || txn_own(t, own) < 0)
		return -ENOMEM;
	op = txn_add(t, text ? STORE_DEFINITION_SET : STORE_DEFINITION_REMOVE);
	if (!op)
		return -ENOMEM;
	op->definition =
		(struct store_definition){.kind = kind, .name = own, .text = text};
	return 0;
}

void txn_set_sync(struct txn *t)
{
	t->unit.sync = true;
}

int committer_new(struct committer **ret, struct store *st, rv_executor *executor)
{
	struct committer *c;

	INVARIANT(ret && st);
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->units = calloc(UNITS_MAX, sizeof(struct store_unit *));
	if (!c->units) {
		free(c);
		return -ENOMEM;
	}
	c->store = st;
	c->executor = executor;
	list_init(&c->queue);
	rv_event_init(&c->work);
	rv_event_init(&c->room);
	*ret = c;
	return 0;
}

struct committer *committer_free(struct committer *c)
{
	struct list *node;

	if (!c)
		return NULL;
	while ((node = list_pop(&c->queue)))
		txn_free(LIST_ENTRY(node, struct txn, link));
	free(c->units);
	free(c);
	return NULL;
}

int committer_error(const struct committer *c)
{
	return c->error;
}

void committer_on_change(
	struct committer *c, void (*fn)(int error, void *arg), void *arg)
{
	c->on_change = fn;
	c->on_change_arg = arg;
}

static void finish(struct txn *t, int error)
{
	if (t->done)
		t->done(error, t->done_arg);
	txn_free(t);
}

void committer_post(struct committer *c, struct txn *t, unsigned flags,
	void (*done)(int error, void *arg), void *arg)
{
	t->flags = flags;
	t->done = done;
	t->done_arg = arg;
	if (c->finished || (c->stopping && !(flags & COMMIT_MUST))) {
		finish(t, -RV_ESHUTDOWN);
		return;
	}
	list_append(&c->queue, &t->link);
	rv_event_set(&c->work);
}

struct waiter {
	rv_event event;
	int error;
	bool done;
};

static void wake_waiter(int error, void *arg)
{
	struct waiter *w = arg;

	w->error = error;
	w->done = true;
	rv_event_set(&w->event);
}

int committer_commit(struct committer *c, struct txn *t, unsigned flags)
{
	struct waiter w = {.error = 0};
	rv_scope shield;
	int r = 0;

	rv_event_init(&w.event);
	committer_post(c, t, flags, wake_waiter, &w);
	rv_scope_enter(&shield, RV_SCOPE_SHIELD, RV_FOREVER);
	while (!w.done && r == 0)
		r = rv_event_wait(&w.event);
	INVARIANT(
		w.done); /* w is on this stack: leaving early would be a wild pointer */
	rv_scope_exit(&shield, 0);
	return w.error;
}

static int apply_in_worker(void *arg)
{
	struct committer *c = arg;

	return store_apply(c->store, c->units, c->n_units);
}

static void set_error(struct committer *c, int error)
{
	if (error == c->error)
		return;
	if (error < 0)
		log_at(LOG_ERR, "store",
			"cannot write to the store: %s; nothing new starts, retrying",
			rv_strerror(error));
	else
		log_at(LOG_NOTICE, "store", "the store can be written again");
	c->error = error;
	if (c->on_change)
		c->on_change(error, c->on_change_arg);
}

/* What may be refused is refused; the rest goes back to the front in its old order. */
static void give_back(struct committer *c, struct list *batch, int error)
{
	struct list keep;
	struct list *node;

	list_init(&keep);
	while ((node = list_pop(batch))) {
		struct txn *t = LIST_ENTRY(node, struct txn, link);

		if (t->flags & COMMIT_MUST)
			list_append(&keep, node);
		else
			finish(t, error);
	}
	list_splice(&keep, &c->queue);
	list_splice(&c->queue, &keep);
}

/* In order. A thousand that go on at once would keep a client waiting that asks meanwhile. */
static void publish(struct list *batch)
{
	struct list *node;
	size_t n = 0;

	while ((node = list_pop(batch))) {
		struct txn *t = LIST_ENTRY(node, struct txn, link);

		if (++n % TOLD_AT_ONCE == 0)
			(void)!rv_yield(); /* 0: the task is shielded */
		if (t->unit.error < 0 && t->flags & COMMIT_MUST)
			log_at(LOG_ERR, "store", "a record was refused: %s; ignoring",
				rv_strerror(t->unit.error));
		finish(t, t->unit.error);
	}
}

static int apply(struct committer *c)
{
	int r = rv_run_blocking(c->executor, apply_in_worker, c);

	set_error(c, r < 0 ? r : 0);
	if (!c->checkpoint_wanted && store_wal_bytes(c->store) > CHECKPOINT_BYTES) {
		c->checkpoint_wanted = true;
		rv_event_set(&c->room);
	}
	return r;
}

static int run_one_transaction(struct committer *c)
{
	struct list batch;
	size_t n_ops = 0;
	int r;

	list_init(&batch);
	c->n_units = 0;
	while (c->n_units < UNITS_MAX && n_ops < OPS_MAX && !list_is_empty(&c->queue)) {
		struct txn *t = LIST_ENTRY(list_pop(&c->queue), struct txn, link);

		t->unit.error = 0;
		n_ops += t->unit.n_ops;
		list_append(&batch, &t->link);
		c->units[c->n_units++] = &t->unit;
	}
	r = apply(c);
	if (r < 0)
		give_back(c, &batch, r);
	else
		publish(&batch);
	return r;
}

/* Nothing waits to be written, but nothing starts either before a write went well: one
 * that changes nothing tells whether it would. */
static void probe(struct committer *c)
{
	struct store_op op = {.kind = STORE_META_SET,
		.meta = {.name = "probe", .number = ++c->n_probes}};
	struct store_unit unit = {.ops = &op, .n_ops = 1};

	c->units[0] = &unit;
	c->n_units = 1;
	(void)!apply(c); /* the error is kept in c */
}

/* -ETIMEDOUT: it is over without anything new to do */
static int wait_for_work(struct committer *c, rv_time timeout)
{
	int r;

	rv_event_clear(&c->work);
	r = rv_timed(timeout, rv_event_wait(&c->work));
	return r == -ETIMEDOUT ? 0 : r;
}

static void give_up(struct committer *c)
{
	struct list *node;

	c->finished = true;
	while ((node = list_pop(&c->queue)))
		finish(LIST_ENTRY(node, struct txn, link), -RV_ESHUTDOWN);
}

int committer_main(void *arg)
{
	struct committer *c = arg;
	rv_time delay = retry_first;
	rv_scope shield;
	int r = 0;

	/* it ends by committer_stop, never by cancellation: others wait for its answers */
	rv_scope_enter(&shield, RV_SCOPE_SHIELD, RV_FOREVER);
	while (r >= 0) {
		if (list_is_empty(&c->queue)) {
			if (c->stopping)
				break;
			r = wait_for_work(c, c->error < 0 ? delay : RV_FOREVER);
			if (r >= 0 && c->error < 0 && list_is_empty(&c->queue)) {
				probe(c);
				delay = MIN(2 * delay, retry_last);
			}
			continue;
		}
		if (run_one_transaction(c) >= 0) {
			delay = retry_first;
			continue;
		}
		if (c->giving_up && delay >= retry_last)
			break; /* the disk stays full: what is left is found again by recovery */
		/* someone who submits meanwhile wants an answer: that is a try as well */
		r = wait_for_work(c, delay);
		delay = MIN(2 * delay, retry_last);
	}
	give_up(c);
	rv_event_set(&c->room);
	rv_scope_exit(&shield, 0);
	return 0;
}

static int checkpoint_in_worker(void *arg)
{
	struct committer *c = arg;

	return store_checkpoint(c->store);
}

int committer_checkpoint_main(void *arg)
{
	struct committer *c = arg;
	int logged = 0;

	for (;;) {
		int r = rv_event_wait(&c->room);

		if (r < 0)
			return r;
		rv_event_clear(&c->room);
		if (c->stopping)
			return 0;
		r = rv_run_blocking(c->executor, checkpoint_in_worker, c);
		if (r == -ECANCELED)
			return r;
		if (r < 0 && r != logged)
			log_at(LOG_WARNING, "store",
				"checkpoint failed: %s, retrying later",
				rv_strerror(r));
		logged = MIN(r, 0);
		/* every transaction asks for one while the log is long: on a full disk that
		 * would be all that the threads do */
		if (r != 0)
			r = rv_sleep(checkpoint_again);
		if (r < 0)
			return r;
		c->checkpoint_wanted = false;
	}
}

void committer_give_up(struct committer *c)
{
	c->giving_up = true;
	rv_event_set(&c->work);
}

void committer_stop(struct committer *c)
{
	c->giving_up = true;
	c->stopping = true;
	rv_event_set(&c->work);
	rv_event_set(&c->room);
}
