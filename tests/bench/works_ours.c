/* The works as libreeve does them. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "reeve/reeve.h"
#include "works.h"

static size_t n_left;

static int nothing(void *arg)
{
	return 0;
}

/* -- C1: spawn and join -------------------------------------------------------------- */

int our_spawn_join(size_t n)
{
	while (n-- > 0) {
		rv_task *t = rv_spawn(nothing, NULL);

		if (!t)
			return -errno;
		work_check("join", rv_task_join(t, NULL));
		rv_task_unref(t);
	}
	return 0;
}

/* -- C2: ping-pong ------------------------------------------------------------------- */

static int our_ping(void *arg)
{
	while (n_left > 0) {
		n_left--;
		work_check("yield", rv_yield());
	}
	return 0;
}

static int run_two(rv_fn a, rv_fn b, void *arg)
{
	const rv_call calls[] = {{a, arg, NULL}, {b, arg, NULL}};

	return rv_gather_calls(calls, 2, 0, NULL);
}

int our_switches(size_t n)
{
	n_left = n;
	return run_two(our_ping, our_ping, NULL);
}

/* the same through a future that is made for each turn */
struct court {
	rv_future *ball[2];
};

static int play(struct court *c, int me)
{
	while (n_left > 0) {
		rv_future *mine = c->ball[me];

		work_check("await", rv_future_await(mine, NULL));
		rv_future_unref(mine);
		work_check("future", rv_future_new(&c->ball[me], NULL));
		if (n_left > 0)
			n_left--;
		(void)rv_future_set(c->ball[!me], NULL, NULL);
	}
	return 0;
}

static int play_first(void *c)
{
	return play(c, 0);
}

static int play_second(void *c)
{
	return play(c, 1);
}

int our_future_switches(size_t n)
{
	struct court c;
	int r;

	n_left = n;
	work_check("future", rv_future_new(&c.ball[0], NULL));
	work_check("future", rv_future_new(&c.ball[1], NULL));
	(void)rv_future_set(c.ball[0], NULL, NULL);
	r = run_two(play_first, play_second, &c);
	rv_future_unref(c.ball[0]);
	rv_future_unref(c.ball[1]);
	return r;
}

/* -- C3: a queue --------------------------------------------------------------------- */

struct our_queue {
	rv_queue *q;
	size_t n_items;
};

static int put_all(void *arg)
{
	struct our_queue *o = arg;

	for (size_t i = 0; i < o->n_items; i++)
		work_check("put", rv_queue_put(o->q, o));
	return 0;
}

static int get_all(void *arg)
{
	struct our_queue *o = arg;
	void *item;

	for (size_t i = 0; i < o->n_items; i++)
		work_check("get", rv_queue_get(o->q, &item));
	return 0;
}

static int our_queue_of(size_t n, size_t max)
{
	struct our_queue o = {.n_items = n};
	int r;

	work_check("queue", rv_queue_new(&o.q, RV_QUEUE_FIFO, max, NULL, NULL));
	r = run_two(put_all, get_all, &o);
	rv_queue_free(o.q);
	return r;
}

int our_queue_1(size_t n)
{
	return our_queue_of(n, 1);
}

int our_queue_64(size_t n)
{
	return our_queue_of(n, 64);
}

/* -- C4: sleepers -------------------------------------------------------------------- */

struct sleepers {
	rv_time *late;
	size_t n_woken;
};

static int sleep_once(void *arg)
{
	struct sleepers *s = arg;
	rv_time due = rv_now() + SLEEP;

	work_check("sleep", rv_sleep(SLEEP));
	s->late[s->n_woken++] = rv_now() - due;
	return 0;
}

struct sleepers_result our_sleepers(size_t n)
{
	struct sleepers s = {0};
	struct sleepers_result res;
	long before;
	rv_group g;

	s.late = calloc(n, sizeof(*s.late));
	if (!s.late)
		work_die("sleepers", -ENOMEM);
	before = work_resident_kib();
	work_check("group", rv_group_enter(&g, RV_GROUP_FAIL_FAST));
	for (size_t i = 0; i < n; i++)
		if (!rv_group_spawn(&g, sleep_once, &s))
			work_die("spawn", -errno);
	work_check("yield", rv_yield());
	res.bytes = (double)(work_resident_kib() - before) * 1024 / (double)n;
	work_check("exit", rv_group_exit(&g, 0));
	res.late_ms = work_late_ms(s.late, n);
	free(s.late);
	return res;
}

/* -- C5: gather ---------------------------------------------------------------------- */

int our_gather(size_t n)
{
	static rv_call calls[GATHERED];

	for (size_t i = 0; i < GATHERED; i++)
		calls[i].fn = nothing;
	for (; n >= GATHERED; n -= GATHERED)
		work_check("gather", rv_gather_calls(calls, GATHERED, 0, NULL));
	return 0;
}

/* -- C6: the executor ---------------------------------------------------------------- */

int our_calls(size_t n)
{
	while (n-- > 0)
		work_check("call", rv_run_blocking(NULL, nothing, NULL));
	return 0;
}

static int call_share(void *n)
{
	return our_calls(*(size_t *)n / CALLERS);
}

int our_calls_64(size_t n)
{
	rv_call calls[CALLERS];

	for (size_t i = 0; i < CALLERS; i++)
		calls[i] = (rv_call){call_share, &n, NULL};
	return rv_gather_calls(calls, CALLERS, 0, NULL);
}

/* -- C7: children -------------------------------------------------------------------- */

static int run_children(void *n)
{
	for (size_t i = 0; i < *(size_t *)n / CHILDREN; i++) {
		rv_process *p;

		work_check("exec", rv_exec(work_true_argv, NULL, &p));
		work_check("wait", rv_process_wait(p, NULL));
		rv_process_unref(p);
	}
	return 0;
}

int our_children(size_t n)
{
	rv_call calls[CHILDREN];

	for (size_t i = 0; i < CHILDREN; i++)
		calls[i] = (rv_call){run_children, &n, NULL};
	return rv_gather_calls(calls, CHILDREN, 0, NULL);
}

/* -- C8: a deadline that does not come ----------------------------------------------- */

int our_deadlines(size_t n)
{
	while (n-- > 0)
		work_check("wait_for", rv_wait_for(nothing, NULL, RV_SEC(1)));
	return 0;
}

static int yield_once(void *arg)
{
	return rv_yield();
}

int our_deadlines_yielding(size_t n)
{
	while (n-- > 0)
		work_check("wait_for", rv_wait_for(yield_once, NULL, RV_SEC(1)));
	return 0;
}

/* -- C9: a lock ---------------------------------------------------------------------- */

int our_lock(size_t n)
{
	rv_lock l;

	rv_lock_init(&l);
	while (n-- > 0) {
		work_check("acquire", rv_lock_acquire(&l));
		(void)rv_lock_release(&l);
	}
	return 0;
}

static rv_lock shared_lock;

static int lock_share(void *n)
{
	for (size_t i = 0; i < *(size_t *)n / CHILDREN; i++) {
		work_check("acquire", rv_lock_acquire(&shared_lock));
		work_check("yield", rv_yield());
		(void)rv_lock_release(&shared_lock);
	}
	return 0;
}

int our_lock_contended(size_t n)
{
	rv_call calls[CHILDREN];

	rv_lock_init(&shared_lock);
	for (size_t i = 0; i < CHILDREN; i++)
		calls[i] = (rv_call){lock_share, &n, NULL};
	return rv_gather_calls(calls, CHILDREN, 0, NULL);
}
