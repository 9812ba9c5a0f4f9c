/* Queues: an array that is a ring (FIFO), a stack (LIFO) or a heap (priority). */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "reeve/queue.h"
#include "runtime/debug_priv.h"
#include "runtime/task_priv.h"

enum { CAPACITY_MIN = 16 };

struct rv_queue {
	void **items; /* FIFO: a ring, capacity is a power of two */
	size_t capacity, head, n;
	size_t max; /* 0: no limit */
	size_t n_unfinished;
	struct rv_link getters; /* data: void ** for the item */
	struct rv_link putters; /* data: the item */
	struct rv_link joiners;
	int (*cmp)(const void *a, const void *b);
	rv_dtor dtor;
	const void *home; /* debug mode: see WRONG_HOME */
	enum rv_queue_kind kind;
	bool shut;
};

/* -- the array
 * ---------------------------------------------------------------------------- */

static NOINLINE int grow(struct rv_queue *q, size_t n)
{
	size_t capacity = q->capacity ? q->capacity : CAPACITY_MIN;
	void **items;

	while (capacity < n)
		capacity *= 2;
	items = malloc(capacity * sizeof(void *));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < q->n; i++)
		items[i] = q->kind == RV_QUEUE_FIFO
				   ? q->items[(q->head + i) & (q->capacity - 1)]
				   : q->items[i];
	free(q->items);
	q->items = items;
	q->capacity = capacity;
	q->head = 0;
	return 0;
}

static inline int reserve(struct rv_queue *q, size_t n)
{
	return LIKELY(n <= q->capacity) ? 0 : grow(q, n);
}

static void heap_up(struct rv_queue *q, size_t i)
{
	void *item = q->items[i];

	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (q->cmp(q->items[parent], item) <= 0)
			break;
		q->items[i] = q->items[parent];
		i = parent;
	}
	q->items[i] = item;
}

static void heap_down(struct rv_queue *q, size_t i)
{
	void *item = q->items[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= q->n)
			break;
		if (child + 1 < q->n &&
			q->cmp(q->items[child + 1], q->items[child]) < 0)
			child++;
		if (q->cmp(item, q->items[child]) <= 0)
			break;
		q->items[i] = q->items[child];
		i = child;
	}
	q->items[i] = item;
}

/* room has been reserved */
static inline void add(struct rv_queue *q, void *item)
{
	size_t at = q->n++;

	if (LIKELY(q->kind == RV_QUEUE_FIFO))
		at = (q->head + at) & (q->capacity - 1);
	q->items[at] = item;
	if (UNLIKELY(q->kind == RV_QUEUE_PRIORITY))
		heap_up(q, at);
}

static NOINLINE void *take_unordered(struct rv_queue *q)
{
	void *item;

	if (q->kind == RV_QUEUE_LIFO)
		return q->items[q->n];
	item = q->items[0];
	q->items[0] = q->items[q->n];
	if (q->n > 0)
		heap_down(q, 0);
	return item;
}

static inline void *take(struct rv_queue *q)
{
	void *item;

	q->n--;
	if (UNLIKELY(q->kind != RV_QUEUE_FIFO))
		return take_unordered(q);
	item = q->items[q->head];
	q->head = (q->head + 1) & (q->capacity - 1);
	return item;
}

/* -- the queue
 * ------------------------------------------------------------------------------ */

int rv_queue_new(rv_queue **ret, enum rv_queue_kind kind, size_t max,
	int (*cmp)(const void *a, const void *b), rv_dtor d)
{
	rv_queue *q;

	if (!ret || kind > RV_QUEUE_PRIORITY || (kind == RV_QUEUE_PRIORITY && !cmp))
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->kind = kind;
	q->max = max;
	q->cmp = cmp;
	q->dtor = d;
	link_init(&q->getters);
	link_init(&q->putters);
	link_init(&q->joiners);
	/* at least for one: what a putter hands over when its turn comes cannot fail then
	 */
	if (reserve(q, max && max <= RV_QUEUE_RESERVED ? max : CAPACITY_MIN) < 0) {
		free(q);
		return -ENOMEM;
	}
	*ret = q;
	return 0;
}

static void drop_items(struct rv_queue *q)
{
	while (q->n > 0) {
		void *item = take(q);

		if (q->dtor)
			q->dtor(item);
	}
}

void rv_queue_free(rv_queue *q)
{
	if (!q)
		return;
	INVARIANT(!waiter_first(&q->getters) && !waiter_first(&q->putters) &&
		  !waiter_first(&q->joiners));
	drop_items(q);
	free(q->items);
	free(q);
}

/* data: as the list has it */
static NOINLINE int wait_in(struct rv_task *self, struct rv_link *list, void *data,
	const char *site, const rv_queue *q)
{
	struct waiter w = {.data = data};

	link_append(list, &w.link);
	return task_wait(self, &w, site, q);
}

/* put and get: inlined into both of their ways, since most need not wait */
static ALWAYS_INLINE int put_now(rv_queue *q, void *item)
{
	struct waiter *w;
	int r;

	if (UNLIKELY(q->shut))
		return -RV_ESHUTDOWN;
	w = waiter_first(&q->getters);
	if (w) { /* then the queue is empty: the item need not touch it */
		q->n_unfinished++;
		*(void **)w->data = item;
		waiter_wake(w, 0);
		return 0;
	}
	if (q->max && q->n >= q->max)
		return -EAGAIN;
	r = reserve(q, q->n + 1);
	if (UNLIKELY(r < 0))
		return r;
	q->n_unfinished++;
	add(q, item);
	return 0;
}

int rv_queue_try_put(rv_queue *q, void *item)
{
	if (WRONG_HOME(&q->home))
		return -RV_EWRONGLOOP;
	return put_now(q, item);
}

int rv_queue_put(rv_queue *q, void *item)
{
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (WRONG_HOME(&q->home))
		return -RV_EWRONGLOOP;
	if (UNLIKELY(r < 0))
		return r;
	r = put_now(q, item);
	return LIKELY(r != -EAGAIN) ? r
				    : wait_in(self, &q->putters, item, "queue put", q);
}

static ALWAYS_INLINE int get_now(rv_queue *q, void **item)
{
	struct waiter *w;

	if (q->n == 0)
		return q->shut ? -RV_ESHUTDOWN : -EAGAIN;
	*item = take(q);
	w = waiter_first(&q->putters);
	if (w) { /* the free place is his: nobody overtakes */
		q->n_unfinished++;
		add(q, w->data);
		waiter_wake(w, 0);
	}
	return 0;
}

int rv_queue_try_get(rv_queue *q, void **item)
{
	if (WRONG_HOME(&q->home))
		return -RV_EWRONGLOOP;
	return get_now(q, item);
}

int rv_queue_get(rv_queue *q, void **item)
{
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (WRONG_HOME(&q->home))
		return -RV_EWRONGLOOP;
	if (UNLIKELY(r < 0))
		return r;
	r = get_now(q, item);
	return LIKELY(r != -EAGAIN) ? r
				    : wait_in(self, &q->getters, item, "queue get", q);
}

/* -- counting what is dealt with
 * ---------------------------------------------------------------- */

static void finished(struct rv_queue *q, size_t n)
{
	q->n_unfinished -= n;
	if (q->n_unfinished == 0)
		waiters_wake_all(&q->joiners, 0);
}

int rv_queue_task_done(rv_queue *q)
{
	if (WRONG_HOME(&q->home))
		return -RV_EWRONGLOOP;
	if (q->n_unfinished == 0)
		return -RV_ESTATE;
	finished(q, 1);
	return 0;
}

int rv_queue_join(rv_queue *q)
{
	struct rv_task *self;
	struct waiter w = {0};
	int r = task_await_begin(&self);

	if (WRONG_HOME(&q->home))
		return -RV_EWRONGLOOP;
	if (r < 0 || q->n_unfinished == 0)
		return r;
	link_append(&q->joiners, &w.link);
	return task_wait(self, &w, "queue join", q);
}

void rv_queue_shutdown(rv_queue *q, bool immediate)
{
	if (WRONG_HOME(&q->home))
		return;
	q->shut = true;
	waiters_wake_all(
		&q->getters, -RV_ESHUTDOWN); /* there are none unless it is empty */
	waiters_wake_all(&q->putters, -RV_ESHUTDOWN);
	if (immediate) {
		size_t n = MIN(q->n, q->n_unfinished);

		drop_items(q);
		finished(q, n);
	}
}

size_t rv_queue_size(const rv_queue *q)
{
	(void)WRONG_HOME(&q->home); /* answers all the same */
	return q->n;
}

bool rv_queue_empty(const rv_queue *q)
{
	(void)WRONG_HOME(&q->home); /* answers all the same */
	return q->n == 0;
}

bool rv_queue_full(const rv_queue *q)
{
	(void)WRONG_HOME(&q->home); /* answers all the same */
	return q->max && q->n >= q->max;
}
