/* The least that the works cost: on the bare scheduler of a page, or on no scheduler. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bare.h"
#include "base/heap.h"
#include "base/macro.h"
#include "works.h"

extern char **environ;

static size_t n_left;

/* -- C1: spawn and join -------------------------------------------------------------- */

static void bare_nothing(void *arg)
{
}

void bare_spawn_join(size_t n)
{
	while (n-- > 0) {
		(void)bare_spawn(bare_nothing, NULL);
		bare_run();
	}
}

/* -- C2: ping-pong ------------------------------------------------------------------- */

static void bare_ping(void *arg)
{
	while (n_left > 0) {
		n_left--;
		bare_yield();
	}
}

void bare_switches(size_t n)
{
	n_left = n;
	(void)bare_spawn(bare_ping, NULL);
	(void)bare_spawn(bare_ping, NULL);
	bare_run();
}

/* -- C3: a queue --------------------------------------------------------------------- */

struct bare_queue {
	void *items[64];
	size_t head, n, max;
	struct bare_task *getter, *putter;
	size_t n_items;
};

static void bare_wake_one(struct bare_task **t)
{
	struct bare_task *w = *t;

	*t = NULL;
	if (w)
		bare_wake(w);
}

/* Functions, as a library's are: inlined into who uses it, it would be no queue any more. */
static NOINLINE void bare_put(struct bare_queue *q, void *item)
{
	while (q->n == q->max) {
		q->putter = bare_self();
		bare_park();
	}
	q->items[(q->head + q->n++) % 64] = item;
	bare_wake_one(&q->getter);
}

static NOINLINE void *bare_get(struct bare_queue *q)
{
	void *item;

	while (q->n == 0) {
		q->getter = bare_self();
		bare_park();
	}
	item = q->items[q->head++ % 64];
	q->n--;
	bare_wake_one(&q->putter);
	return item;
}

static void bare_put_all(void *arg)
{
	struct bare_queue *q = arg;

	for (size_t i = 0; i < q->n_items; i++)
		bare_put(q, q);
}

static void bare_get_all(void *arg)
{
	struct bare_queue *q = arg;

	for (size_t i = 0; i < q->n_items; i++)
		(void)bare_get(q);
}

static void bare_queue_of(size_t n, size_t max)
{
	struct bare_queue q = {.max = max, .n_items = n};

	(void)bare_spawn(bare_put_all, &q);
	(void)bare_spawn(bare_get_all, &q);
	bare_run();
}

void bare_queue_1(size_t n)
{
	bare_queue_of(n, 1);
}

void bare_queue_64(size_t n)
{
	bare_queue_of(n, 64);
}

/* -- C4: sleepers -------------------------------------------------------------------- */

/* As all sleep for as long, the first that slept is the first due: a queue will do. */
struct bare_alarm {
	struct bare_task *task;
	rv_time due;
};

struct bare_sleepers {
	struct bare_alarm *alarms;
	rv_time *late;
	size_t n_asleep, n_woken;
};

static void bare_sleeper(void *arg)
{
	struct bare_sleepers *s = arg;
	rv_time due = rv_now() + SLEEP;

	s->alarms[s->n_asleep++] = (struct bare_alarm){bare_self(), due};
	bare_park();
	s->late[s->n_woken++] = rv_now() - due;
}

struct sleepers_result bare_sleepers(size_t n)
{
	struct bare_sleepers s = {
		.alarms = calloc(n, sizeof(*s.alarms)),
		.late = calloc(n, sizeof(*s.late)),
	};
	struct sleepers_result res;
	long before;

	if (!s.alarms || !s.late)
		work_die("sleepers", -ENOMEM);
	before = work_resident_kib();
	for (size_t i = 0; i < n;
		i++) { /* a new stack is what beginning to run costs */
		(void)bare_spawn(bare_sleeper, &s);
		bare_run();
	}
	res.bytes = (double)(work_resident_kib() - before) * 1024 / (double)n;
	while (s.n_woken < n) {
		const struct bare_alarm *next = &s.alarms[s.n_woken];

		while (rv_now() < next->due)
			; /* the least: it does not even have to wake up */
		bare_wake(next->task);
		bare_run();
	}
	res.late_ms = work_late_ms(s.late, n);
	free(s.alarms);
	free(s.late);
	return res;
}

/* -- C5: gather ---------------------------------------------------------------------- */

static void bare_count(void *left)
{
	--*(size_t *)left;
}

void bare_gather(size_t n)
{
	for (; n >= GATHERED; n -= GATHERED) {
		size_t left = GATHERED;

		for (size_t i = 0; i < GATHERED; i++)
			(void)bare_spawn(bare_count, &left);
		bare_run();
	}
}

/* -- C6: a thread -------------------------------------------------------------------- */

struct bare_worker {
	sem_t go, done;
	bool stop;
};

static void *bare_work(void *arg)
{
	struct bare_worker *w = arg;

	for (;;) {
		(void)sem_wait(&w->go);
		if (w->stop)
			return NULL;
		(void)sem_post(&w->done);
	}
}

void bare_calls(size_t n)
{
	struct bare_worker w = {.stop = false};
	pthread_t thread;

	(void)sem_init(&w.go, 0, 0);
	(void)sem_init(&w.done, 0, 0);
	if (pthread_create(&thread, NULL, bare_work, &w) != 0)
		work_die("thread", -EAGAIN);
	while (n-- > 0) {
		(void)sem_post(&w.go);
		(void)sem_wait(&w.done);
	}
	w.stop = true;
	(void)sem_post(&w.go);
	(void)pthread_join(thread, NULL);
}

/* -- C7: children -------------------------------------------------------------------- */

void bare_children(size_t n)
{
	size_t going = 0;

	while (n > 0 || going > 0) {
		pid_t pid;

		if (n > 0 && going < CHILDREN) {
			if (posix_spawn(&pid, work_true_argv[0], NULL, NULL,
				    work_true_argv, environ) != 0)
				work_die("posix_spawn", -EAGAIN);
			n--;
			going++;
			continue;
		}
		if (wait4(-1, NULL, 0, NULL) > 0)
			going--;
	}
}

/* -- C8: a deadline that does not come ----------------------------------------------- */

struct bare_deadline {
	struct heap_node node;
	rv_time when;
};

static bool earlier(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF((struct heap_node *)a, struct bare_deadline, node)->when <
	       CONTAINER_OF((struct heap_node *)b, struct bare_deadline, node)->when;
}

void bare_deadlines(size_t n)
{
	struct heap h;

	heap_init(&h, earlier);
	while (n-- > 0) {
		struct bare_deadline d = {.when = rv_now() + RV_SEC(1)};

		work_check("heap", heap_push(&h, &d.node));
		heap_remove(&h, &d.node);
	}
	heap_deinit(&h);
}

struct bare_waits {
	struct heap h;
	size_t n;
};

static void bare_wait(void *arg)
{
	struct bare_waits *w = arg;

	while (w->n-- > 0) {
		struct bare_deadline d = {.when = rv_now() + RV_SEC(1)};

		work_check("heap", heap_push(&w->h, &d.node));
		bare_yield();
		heap_remove(&w->h, &d.node);
	}
}

void bare_deadlines_yielding(size_t n)
{
	struct bare_waits w = {.n = n};

	heap_init(&w.h, earlier);
	(void)bare_spawn(bare_wait, &w);
	bare_run();
	heap_deinit(&w.h);
}

/* -- C9: a lock ---------------------------------------------------------------------- */

static NOINLINE void bare_acquire(bool *locked)
{
	if (*locked)
		abort();
	*locked = true;
}

static NOINLINE void bare_release(bool *locked)
{
	*locked = false;
}

void bare_lock(size_t n)
{
	bool locked = false;

	while (n-- > 0) {
		bare_acquire(&locked);
		bare_release(&locked);
	}
}

/* two switches for each: to who has it, and back to who waits */
void bare_lock_contended(size_t n)
{
	bare_switches(2 * n);
}
