/*
 * Random awaits, all kinds of them, while a callback cancels, completes, signals and lets
 * time pass, often in one round: each ends as one that it may end as, and what it says has
 * happened, and nothing else. Time is virtual and the seeds are fixed, so that but for the
 * threads' moments each run is the same.
 */
#include "rt.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "reeve/executor.h"
#include "reeve/gen.h"
#include "reeve/signal.h"
#include "reeve/wait.h"

enum { N_WORKERS = 24, N_NOISES = 800, N_SEEDS = 3, MEMBERS = 3, PERMITS = 2 };

#define TICK RV_US(50)

static unsigned seed;

static unsigned rnd(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static rv_time soon(void)
{
	return TICK * (rv_time)rnd(8);
}

static struct {
	rv_task *workers[N_WORKERS];
	size_t n_left, n_noises;
	rv_queue *q;
	rv_lock lock;
	rv_cond changed;
	rv_sem sem;
	rv_barrier barrier;
	rv_event event;
	rv_limiter limiter;
	rv_future *shared;
	int pair[2];
	size_t n_in_lock, n_in_sem, n_in_limiter;
	size_t n_put, n_got, n_bytes_sent, n_bytes_got;
	size_t n_over, n_cancelled, n_timed_out;
	bool stop;
} w;

/* r is one of those that an await which was begun may come to */
static int check(int r, int allowed)
{
	if (r == -ECANCELED)
		w.n_cancelled++;
	else if (r == -ETIMEDOUT)
		w.n_timed_out++;
	else
		w.n_over++;
	ck_assert_msg(r >= 0 || r == -ECANCELED || r == allowed, "result %d", r);
	return r;
}

/* -- bodies of what is waited for --------------------------------------------------- */

static int ends_soon(void *arg)
{
	int r = rnd(2) ? rv_yield() : rv_sleep(soon());

	return r < 0 ? r : rnd(4) ? 1 : -EIO;
}

/* tidies up for a while before it ends */
static int ends_late(void *arg)
{
	int r = rv_sleep(soon());
	rv_scope s;

	(void)rv_shield(&s, RV_MS(2));
	return rv_scope_exit(&s, rv_sleep(soon()) < 0 ? -ECANCELED : r);
}

static int blocks(void *arg)
{
	return 1;
}

static int yields_thrice(rv_gen *g, void *arg)
{
	int r = 0;

	for (int i = 0; i < 3 && r >= 0; i++) {
		r = rv_sleep(soon());
		if (r >= 0)
			r = rv_gen_yield(g, NULL);
	}
	return r;
}

static int starts(void *arg)
{
	int r = rv_sleep(soon());

	if (rnd(2))
		rv_task_started(NULL);
	return r < 0 ? r : rv_sleep(soon());
}

static rv_fn any_body(void)
{
	return rnd(2) ? ends_soon : ends_late;
}

/* -- awaits --------------------------------------------------------------------------- */

static int do_sleep(void)
{
	return check(rnd(2) ? rv_sleep(soon()) : rv_yield(), 0);
}

static int do_queue(void)
{
	void *item = NULL;
	int r;

	if (rnd(2)) {
		r = check(rv_queue_get(w.q, &item), 0);
		w.n_got += r == 0;
		ck_assert(r < 0 || item == w.q);
	} else {
		r = check(rv_queue_put(w.q, w.q), 0);
		w.n_put += r == 0;
	}
	return r;
}

static int do_lock(void)
{
	int r = check(rv_lock_acquire(&w.lock), 0);

	if (r < 0)
		return r;
	ck_assert_uint_eq(w.n_in_lock++, 0);
	r = do_sleep();
	ck_assert_uint_eq(--w.n_in_lock, 0);
	if (r >= 0 && rnd(2)) {
		r = check(rv_cond_wait(&w.changed), 0);
		ck_assert_uint_eq(w.n_in_lock, 0);
	}
	ck_assert_int_eq(rv_lock_release(&w.lock), 0);
	return r;
}

static int do_sem(void)
{
	int r = check(rv_sem_acquire(&w.sem), 0);

	if (r < 0)
		return r;
	ck_assert_uint_le(++w.n_in_sem, PERMITS);
	r = do_sleep();
	w.n_in_sem--;
	ck_assert_int_eq(rv_sem_release(&w.sem), 0);
	return r;
}

static int do_limiter(void)
{
	rv_token t = RV_TOKEN_NULL;
	int r = check(rv_limiter_acquire(&w.limiter, &t), 0);

	if (r < 0)
		return r;
	ck_assert_uint_ge(rv_limiter_taken(&w.limiter), ++w.n_in_limiter);
	r = do_sleep();
	w.n_in_limiter--;
	ck_assert_int_eq(rv_limiter_release(&w.limiter, &t), 0);
	return r;
}

static int do_meet(void)
{
	int r;

	if (rnd(2))
		return check(rv_event_wait(&w.event), 0);
	r = check(rv_barrier_wait(&w.barrier), -RV_EBROKEN);
	ck_assert_int_lt(r, MEMBERS);
	return r;
}

static int do_future(void)
{
	rv_future *f = rv_future_ref(w.shared), *outer = NULL;
	int r;

	if (rnd(2)) {
		ck_assert_int_eq(rv_future_shield(f, &outer), 0);
		r = check(rv_future_await(outer, NULL), 0);
		rv_future_unref(outer);
	} else {
		r = check(rv_future_await(f, NULL), 0);
	}
	rv_future_unref(f);
	return r;
}

/* what it was told is not done is not; what is done by now it was told */
static int wait_checked(rv_future **fs)
{
	uint64_t done = ~0ULL;
	int n = 0, r = check(rv_wait(fs, MEMBERS, rnd(3), soon(), &done), 0);

	if (r < 0)
		return r;
	for (int i = 0; i < MEMBERS; i++) {
		ck_assert_int_eq(done >> i & 1, rv_future_done(fs[i]));
		n += rv_future_done(fs[i]);
	}
	ck_assert_int_eq(r, n);
	return r;
}

static int each_as_completed(rv_future **fs)
{
	unsigned told = 0;
	rv_as_completed it;
	size_t i;
	int r;

	ck_assert_int_eq(rv_as_completed_init(&it, fs, MEMBERS, soon()), 0);
	while ((r = check(rv_as_completed_next(&it, &i), -ETIMEDOUT)) > 0) {
		ck_assert(rv_future_done(fs[i]));
		ck_assert_uint_eq(told & 1U << i, 0);
		told |= 1U << i;
	}
	ck_assert(r < 0 || told == (1U << MEMBERS) - 1);
	rv_as_completed_fini(&it);
	return r;
}

static int do_tasks(void)
{
	rv_future *fs[MEMBERS];
	rv_task *ts[MEMBERS];
	int r;

	for (int i = 0; i < MEMBERS; i++) {
		ts[i] = rv_spawn(any_body(), NULL);
		ck_assert_ptr_nonnull(ts[i]);
		fs[i] = rv_task_future(ts[i]);
	}
	switch (rnd(6)) {
	case 0: r = wait_checked(fs); break;
	case 1: r = each_as_completed(fs); break;
	case 2: r = check(rv_gather(fs, MEMBERS, rnd(4), NULL), -EIO); break;
	case 3:
		r = rv_wait_for_task(ts[0], soon(), NULL);
		r = r == -EIO ? r : check(r, -ETIMEDOUT);
		break;
	case 4: r = check(rv_task_await(ts[0], NULL), -EIO); break;
	default: r = check(rv_task_join(ts[0], NULL), -EIO);
	}
	for (int i = 0; i < MEMBERS; i++)
		rv_task_detach(ts[i]);
	return r;
}

static int do_calls(void)
{
	const rv_call calls[] = {{ends_soon, NULL, NULL}, {ends_late, NULL, NULL}};
	rv_outcome out[2];
	int r;

	if (rnd(2))
		return check(rv_gather_calls(calls, 2, rnd(2), out), -EIO);
	r = check(rv_race(calls, 2, soon(), out), -EIO);
	ck_assert(r < 0 || out[r].err >= 0);
	return r;
}

static int do_group(void)
{
	rv_group g;
	int r;

	ck_assert_int_eq(
		rv_group_enter(&g, rnd(2) ? RV_GROUP_FAIL_FAST : RV_GROUP_COLLECT), 0);
	(void)rv_group_spawn(&g, ends_late, NULL);
	(void)rv_group_spawn_service(&g, ends_late, NULL);
	r = rv_group_start(&g, starts, NULL, NULL);
	if (r == -RV_ESTATE || r == -RV_ESHUTDOWN)
		r = 0;
	if (rnd(4) == 0)
		rv_group_cancel(&g, "by chance");
	return check(rv_group_exit(&g, r), 0);
}

static int do_deadline(void)
{
	int r = rv_wait_for(any_body(), NULL, soon());

	return r == -EIO ? r : check(r, -ETIMEDOUT);
}

static int do_thread(void)
{
	unsigned flags = rnd(2) ? RV_BLOCK_ABANDON : 0;

	return check(rv_run_blocking_ex(NULL, blocks, NULL, NULL, flags), 0);
}

static int do_xfuture(void)
{
	rv_xfuture *x;
	int r;

	ck_assert_int_eq(rv_submit(rv_loop_current(), ends_late, NULL, NULL, &x), 0);
	r = check(rv_xfuture_await(x, NULL), 0);
	rv_xfuture_unref(x);
	return r;
}

static int do_signal(void)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	r = check(rv_signal_wait(&set, NULL), 0);
	ck_assert(r < 0 || r == SIGUSR1 || r == SIGUSR2);
	return r;
}

/* one end is written to now and then */
static int do_socket(void)
{
	char c;
	int r;

	if (rnd(2))
		return check(rv_wait_fd(w.pair[0], RV_READ | RV_WRITE), 0);
	r = check((int)rv_recv(w.pair[0], &c, 1, 0), 0);
	w.n_bytes_got += r > 0;
	return r;
}

static int do_generator(void)
{
	rv_gen *g;
	rv_scope s;
	void *v;
	int r;

	ck_assert_int_eq(rv_gen_new(&g, yields_thrice, NULL, NULL), 0);
	do
		r = check(rv_gen_next(g, &v), 0);
	while (r > 0);
	(void)rv_shield(&s, RV_SEC(1));
	(void)rv_gen_close(g);
	return rv_scope_exit(&s, r);
}

static int (*const awaits[])(void) = {do_sleep, do_queue, do_queue, do_lock, do_lock,
	do_sem, do_limiter, do_meet, do_future, do_tasks, do_tasks, do_tasks, do_calls,
	do_group, do_deadline, do_thread, do_xfuture, do_signal, do_socket,
	do_generator};

static int work(void *arg)
{
	rv_task *self = rv_task_self();

	while (!w.stop) {
		rv_scope s;
		int r, out;

		ck_assert_int_eq(rv_timeout(&s, rnd(4) ? soon() * 4 : RV_MS(20)), 0);
		r = awaits[rnd(ARRAY_LEN(awaits))]();
		out = rv_scope_exit(&s, r);
		/* a cancel from outside is no timeout */
		if (r == -ECANCELED && rv_task_cancelling(self) > 0)
			ck_assert_int_eq(out, -ECANCELED);
		else
			ck_assert(out == r || out == -ETIMEDOUT);
		if (rnd(3) == 0)
			while (rv_task_uncancel(self) > 0)
				;
	}
	w.n_left--;
	return 0;
}

/* -- what comes from outside ------------------------------------------------------- */

/* unless somebody who was cancelled has cancelled it */
static void complete_shared(void)
{
	if (rnd(2))
		(void)rv_future_set(w.shared, NULL, NULL);
	else
		(void)rv_future_cancel(w.shared);
	rv_future_unref(w.shared);
	w.shared = rt_future();
}

static void poke(unsigned what)
{
	void *item;

	switch (what) {
	case 0: (void)rv_task_cancel(w.workers[rnd(N_WORKERS)]); break;
	case 1:
		rv_event_set(&w.event);
		rv_event_clear(&w.event);
		break;
	case 2:
		if (rv_lock_try(&w.lock)) {
			(void)rv_cond_notify(&w.changed, 1 + rnd(3));
			(void)rv_lock_release(&w.lock);
		}
		break;
	case 3: complete_shared(); break;
	case 4: w.n_got += rv_queue_try_get(w.q, &item) == 0; break;
	case 5: w.n_put += rv_queue_try_put(w.q, w.q) == 0; break;
	case 6: ck_assert_int_eq(raise(rnd(2) ? SIGUSR1 : SIGUSR2), 0); break;
	case 7: w.n_bytes_sent += write(w.pair[1], "x", 1) == 1; break;
	case 8: rv_limiter_set_total(&w.limiter, rnd(4)); break;
	case 9:
		if (rnd(8) == 0)
			rv_barrier_reset(&w.barrier);
		break;
	default: rt_virtual_now += soon(); /* what is due comes in this round, too */
	}
}

static void noise(void *unused)
{
	for (unsigned n = 1 + rnd(6); n > 0; n--)
		poke(rnd(13));
	if (++w.n_noises < N_NOISES)
		(void)rv_call_later(rv_loop_current(), soon(), noise, NULL);
	else
		w.stop = true;
}

/* the rest is let go by cancels, again and again */
static void finish(void)
{
	while (w.n_left > 0) {
		for (int i = 0; i < N_WORKERS; i++)
			(void)rv_task_cancel(w.workers[i]);
		ck_assert_int_eq(rv_sleep(TICK), 0);
	}
	for (int i = 0; i < N_WORKERS; i++) {
		ck_assert_int_eq(rv_task_join(w.workers[i], NULL), 0);
		rv_task_unref(w.workers[i]);
	}
}

static void assert_nothing_lost(void)
{
	char rest[256];
	ssize_t k;

	ck_assert_uint_eq(w.n_put, w.n_got + rv_queue_size(w.q));
	while ((k = recv(w.pair[0], rest, sizeof(rest), MSG_DONTWAIT)) > 0)
		w.n_bytes_got += (size_t)k;
	ck_assert_uint_eq(w.n_bytes_sent, w.n_bytes_got);
	ck_assert_int_eq(rv_sem_value(&w.sem), PERMITS);
	ck_assert(!rv_lock_held(&w.lock));
	ck_assert_uint_eq(rv_limiter_taken(&w.limiter), 0);
	ck_assert_uint_eq(rv_barrier_n_waiting(&w.barrier), 0);
	/* the noise was worth its name */
	ck_assert_uint_gt(w.n_over, 100);
	ck_assert_uint_gt(w.n_cancelled, 100);
	ck_assert_uint_gt(w.n_timed_out, 10);
}

/* that tasks fail which nobody asks about is meant */
static void on_report(rv_loop *l, const rv_exc *e, void *arg)
{
	ck_assert_msg(e->err == -EIO || strstr(e->message, "goes on awaiting"),
		"%s: %d", e->message, e->err);
}

static void run_one(void)
{
	memset(&w, 0, sizeof(w));
	ck_assert_int_eq(rv_queue_new(&w.q, RV_QUEUE_FIFO, 2, NULL, NULL), 0);
	rv_lock_init(&w.lock);
	rv_cond_init(&w.changed, &w.lock);
	ck_assert_int_eq(rv_sem_init(&w.sem, PERMITS, 0), 0);
	ck_assert_int_eq(rv_barrier_init(&w.barrier, MEMBERS), 0);
	rv_event_init(&w.event);
	rv_limiter_init(&w.limiter, 2);
	w.shared = rt_future();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				 0, w.pair),
		0);
	for (int i = 0; i < N_WORKERS; i++) {
		w.workers[i] = rv_spawn(work, NULL);
		w.n_left++;
	}
	noise(NULL);
	while (!w.stop)
		ck_assert_int_eq(rv_sleep(TICK), 0);
	finish();
	assert_nothing_lost();
	rv_queue_free(w.q);
	rv_future_unref(w.shared);
	close(w.pair[0]);
	close(w.pair[1]);
}

/* What is far away is the runner's patience with threads: that takes the time it takes. */
static bool idle(void *priv, rv_time next)
{
	return next < rt_virtual_now + RV_SEC(1) && rt_virtual_idle(priv, next);
}

static const rv_clock clock_near = {.monotonic = rt_virtual_read, .idle = idle};
static const rv_run_opts opts = {.clock = &clock_near};

RT_TEST_WITH(awaits_end_as_they_may_whatever_comes_in_one_round, &opts)
{
	rv_loop_set_exception_handler(rv_loop_current(), on_report, NULL);
	/* between two waits as well */
	ck_assert_int_eq(signal(SIGUSR1, SIG_IGN) == SIG_ERR, 0);
	ck_assert_int_eq(signal(SIGUSR2, SIG_IGN) == SIG_ERR, 0);
	for (unsigned i = 1; i <= N_SEEDS; i++) {
		seed = i * 7919;
		run_one();
	}
	return 0;
}

UNIT_MAIN("random_waits", awaits_end_as_they_may_whatever_comes_in_one_round)
