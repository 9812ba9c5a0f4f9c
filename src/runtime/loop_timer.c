/*
 * Timers: a heap per clock (timer_heap.h), and one kernel timer per clock, set only on the
 * way into sleep and only if the head is earlier than what is set: a timeout that does not
 * fire costs no system call.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

enum { TIMER_IDLE, TIMER_IN_HEAP, TIMER_QUEUED };

#define NS_PER_SEC INT64_C(1000000000)
/* a wall clock timer that waits for a jump and nothing else (292 years after 1970) */
#define WALL_FAR (INT64_MAX - 1)

static const clockid_t clock_ids[N_TIMER_CLOCKS] = {
	[TIMER_MONOTONIC] = CLOCK_MONOTONIC,
	[TIMER_BOOT] = CLOCK_BOOTTIME,
	[TIMER_WALL] = CLOCK_REALTIME,
};

rv_time loop_clock(const rv_loop *l, enum timer_clock clock)
{
	struct timespec ts;

	if (UNLIKELY(l->clock != NULL)) {
		const rv_clock *c = l->clock;

		if (clock == TIMER_MONOTONIC)
			return c->monotonic(c->priv);
		if (clock == TIMER_BOOT)
			return c->boottime ? c->boottime(c->priv)
					   : c->monotonic(c->priv);
		return c->wall_usec ? c->wall_usec(c->priv) * 1000
				    : c->monotonic(c->priv);
	}
	(void)clock_gettime(clock_ids[clock], &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static void timer_run(struct rv_ready *r)
{
	rv_timer *t = CONTAINER_OF(r, rv_timer, ready);

	t->state = TIMER_IDLE;
	t->loop->ran_callbacks = true;
	LOOP_CALLBACK(t->loop, t->fn);
	t->fn(t->arg);
}

void rv_timer_init(rv_timer *t, rv_loop *l, rv_cb fn, void *arg)
{
	*t = (rv_timer){.loop = l, .fn = fn, .arg = arg};
}

void timer_start_clock(rv_timer *t, enum timer_clock clock, rv_time when)
{
	rv_loop *l = t->loop;

	rv_timer_stop(t);
	if (!l || l->closed)
		return;
	t->when = when;
	t->clock = (uint8_t)clock;
	t->state = TIMER_IN_HEAP;
	timer_heap_add(&l->timers[clock].heap, t);
}

void timer_start_now(rv_timer *t)
{
	rv_timer_stop(t);
	if (!t->loop || t->loop->closed)
		return;
	t->when = 0;
	t->state = TIMER_QUEUED;
	t->ready.run = timer_run;
	ready_append(t->loop, &t->ready);
}

void rv_timer_start(rv_timer *t, rv_time when)
{
	if (WRONG_THREAD(t->loop))
		return;
	timer_start_clock(t, TIMER_MONOTONIC, when);
}

void rv_timer_stop(rv_timer *t)
{
	if (WRONG_THREAD(t->loop))
		return;
	if (t->state == TIMER_IN_HEAP)
		timer_heap_remove(&t->loop->timers[t->clock].heap, t);
	else if (t->state == TIMER_QUEUED)
		link_remove(&t->ready.link);
	t->state = TIMER_IDLE;
}

bool rv_timer_active(const rv_timer *t)
{
	return t->state != TIMER_IDLE;
}

static void timers_expire_clock(rv_loop *l, struct timers *ts, rv_time now)
{
	rv_timer *t;

	while ((t = timer_heap_first(&ts->heap)) && t->when <= now) {
		timer_heap_remove(&ts->heap, t);
		if (t->inline_fn) {
			t->state = TIMER_IDLE;
			t->fn(t->arg);
			continue;
		}
		t->state = TIMER_QUEUED;
		t->ready.run = timer_run;
		ready_append(l, &t->ready);
	}
}

void timers_expire(rv_loop *l)
{
	for (int i = 0; i < N_TIMER_CLOCKS; i++) {
		struct timers *ts = &l->timers[i];

		if (timer_heap_next(&ts->heap) != RV_FOREVER)
			timers_expire_clock(l, ts,
				i == TIMER_MONOTONIC ? l->now : loop_clock(l, i));
	}
}

rv_time timers_next(const rv_loop *l, enum timer_clock clock)
{
	return timer_heap_next(&l->timers[clock].heap);
}

bool timers_are_due(const rv_loop *l)
{
	for (int i = 0; i < N_TIMER_CLOCKS; i++) {
		rv_time next = timers_next(l, i);

		if (next != RV_FOREVER && next <= loop_clock(l, i))
			return true;
	}
	return false;
}

static void on_kernel_timer(struct poll_fd *p, unsigned ev)
{
	struct timers *ts = CONTAINER_OF(p, struct timers, poll);
	bool is_wall = ts == &ts->loop->timers[TIMER_WALL];
	uint64_t n;

	/* Edge-triggered: only the one that tells of jumps has to be read. */
	ts->armed = RV_FOREVER;
	if (is_wall && read(ts->fd, &n, sizeof(n)) < 0 && errno == ECANCELED)
		rv_loop_clock_jumped(ts->loop);
}

static int timers_open(rv_loop *l, struct timers *ts, clockid_t id)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (ts->fd >= 0)
		return 0;
	fd = timerfd_create(id, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ts->poll.fn = on_kernel_timer;
	r = poll_add(l, &ts->poll, fd, false);
	if (r < 0)
		return r;
	ts->fd = TAKE_FD(fd);
	return 0;
}

int timers_prepare(rv_loop *l, enum timer_clock clock)
{
	int r = timer_heap_prepare(&l->timers[clock].heap);

	if (r < 0 || l->clock)
		return r; /* a virtual clock needs no kernel timer */
	return timers_open(l, &l->timers[clock], clock_ids[clock]);
}

static void timers_arm_clock(rv_loop *l, struct timers *ts, enum timer_clock clock)
{
	struct itimerspec its = {0};
	int flags = TFD_TIMER_ABSTIME;
	rv_time when = timers_next(l, clock);

	if (clock == TIMER_WALL) {
		flags |= TFD_TIMER_CANCEL_ON_SET;
		if (when == RV_FOREVER && l->jump.fn)
			when = WALL_FAR;
	}
	if (when >= ts->armed)
		return;
	INVARIANT(ts->fd >= 0);
	when = MAX(when, (rv_time)1); /* zero would disarm */
	its.it_value.tv_sec = when / NS_PER_SEC;
	its.it_value.tv_nsec = when % NS_PER_SEC;
	if (timerfd_settime(ts->fd, flags, &its, NULL) < 0) {
		INVARIANT(errno == ECANCELED);
		/* The clock was set since the last call. The timer runs all the same,
		 * but this is all that the kernel says of the jump: it has dropped the
		 * edge. */
		rv_loop_clock_jumped(l);
	}
	ts->armed = when;
}

void timers_trim(rv_loop *l)
{
	for (int i = 0; i < N_TIMER_CLOCKS; i++)
		timer_heap_trim(&l->timers[i].heap);
}

void timers_arm(rv_loop *l)
{
	if (l->clock)
		return; /* virtual: poll_once asks its idle */
	for (int i = 0; i < N_TIMER_CLOCKS; i++)
		timers_arm_clock(l, &l->timers[i], i);
}

int timers_init(rv_loop *l)
{
	struct timers *ts = &l->timers[TIMER_MONOTONIC];
	int r = timer_heap_prepare(&ts->heap);

	/* this one now, so that sleeping cannot fail for want of a descriptor */
	return r < 0 ? r : timers_open(l, ts, CLOCK_MONOTONIC);
}

void timers_deinit(rv_loop *l)
{
	for (int i = 0; i < N_TIMER_CLOCKS; i++) {
		struct timers *ts = &l->timers[i];
		rv_timer *t;

		while ((t = timer_heap_first(&ts->heap))) {
			timer_heap_remove(&ts->heap, t);
			t->state = TIMER_IDLE;
			t->loop = NULL;
		}
		timer_heap_deinit(&ts->heap);
		poll_remove(&ts->poll);
		ts->fd = close_safe(ts->fd);
	}
}

void rv_loop_clock_jumped(rv_loop *l)
{
	if (WRONG_THREAD(l))
		return;
	l->timers[TIMER_WALL].armed = RV_FOREVER;
	if (l->jump.fn && !rv_timer_active(&l->jump))
		timer_start_now(&l->jump);
}

int rv_loop_on_clock_jump(rv_loop *l, rv_cb fn, void *arg)
{
	int r;

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	if (l->closed)
		return -RV_ELOOPCLOSED;
	if (!fn) {
		rv_timer_stop(&l->jump);
		l->jump.fn = NULL;
		return 0;
	}
	r = timers_prepare(l, TIMER_WALL);
	if (r < 0)
		return r;
	l->jump.loop = l;
	l->jump.fn = fn;
	l->jump.arg = arg;
	if (!l->clock) /* from now on, not from the next sleep on */
		timers_arm_clock(l, &l->timers[TIMER_WALL], TIMER_WALL);
	return 0;
}
