/*
 * The watchdog: a thread that looks at the steps of all loops in debug mode while they
 * last.
 *
 * It wakes when a step that it knows of has lasted too long, else sleeps. A loop that has
 * done nothing since the last look is parked: the first step after that wakes the
 * watchdog. So a loop that takes many steps wakes it once in slow_callback, and one that
 * takes none never.
 */
#include "config.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "reeve/log.h"
#include "runtime/log_priv.h"
#include "runtime/loop_priv.h"
#include "runtime/stall_priv.h"

#define LOOK_EVERY_MIN   RV_MS(1)   /* however short slow_callback is */
#define ANSWER_WAIT      RV_MS(200) /* for one who may have the signal blocked */
#define TELL_AFTER_MIN   RV_SEC(1)
#define TELL_AFTER_TIMES 10

static struct {
	/* Guards starting and ending the thread; lock may be taken while it is held. */
	pthread_mutex_t life;
	/* Guards the list and the watchdog's part of its members; nothing else is locked
	 * while it is held. Loops take it only to come and go. */
	pthread_mutex_t lock;
	struct rv_link list; /* struct stall */
	unsigned n;          /* in it; life guards it */
	unsigned n_forks;
	pthread_t thread;
	bool running; /* life guards it */
	atomic_bool stop;
	sem_t wake;
} dog = {
	.life = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.list = {&dog.list, &dog.list},
};

void watchdog_wake(void)
{
	(void)sem_post(&dog.wake);
}

/* -- telling of one that goes on --------------------------------------------------- */

struct notice {
	struct sample sample; /* step 0: no answer */
	rv_time lasted;
	long tid;
};

static void what_text(const struct notice *n, char *buf, size_t size)
{
	const struct sample *x = &n->sample;
	struct symbols s = SYMBOLS_NULL;
	char name[SYMBOL_MAX];

	if (x->step && x->task_id && x->task_name[0]) {
		(void)snprintf(buf, size, "step of task '%s'", x->task_name);
	} else if (x->step && x->task_id) {
		(void)snprintf(
			buf, size, "step of task %llu", (unsigned long long)x->task_id);
	} else if (x->step && x->callback) {
		symbol_text(&s, x->callback, name, sizeof(name));
		(void)snprintf(buf, size, "callback %s", name);
	} else {
		(void)snprintf(buf, size, "step");
	}
	symbols_deinit(&s);
}

/* Not with stdio, whose lock the stalled thread may have. */
static void tell(const struct notice *n)
{
	char what[SYMBOL_MAX + 32], where[SAMPLE_TEXT_MAX], text[sizeof(where) + 512];
	size_t k;

	what_text(n, what, sizeof(what));
	if (n->sample.step)
		sample_text(&n->sample, where, sizeof(where));
	else
		(void)snprintf(
			where, sizeof(where), "its thread cannot be asked where");
	(void)snprintf(text, sizeof(text) - 1,
		"reeve: %s in thread %ld has lasted for %.1f ms and goes on; %s", what,
		n->tid, (double)n->lasted / (double)RV_MS(1), where);
	if (log_takes(RV_LOG_ERROR)) {
		rv_log(RV_LOG_ERROR, "%s", text);
		return;
	}
	k = strlen(text);
	text[k] = '\n';
	(void)fd_write_all(STDERR_FILENO, text, k + 1);
}

/* -- looking ----------------------------------------------------------------------- */

/* Sleep until it takes another step. RV_FOREVER, or when to look: it has just done so. */
static rv_time park(struct stall *s, uint64_t step, rv_time now)
{
	s->seen = step;
	atomic_store(&s->parked, true);
	if (atomic_load(&s->step) == step)
		return RV_FOREVER;
	atomic_store(&s->parked, false);
	return now;
}

static bool ask(struct stall *s, uint64_t step, enum sample_kind kind)
{
	atomic_store(&s->asked, N_SAMPLES * step + kind);
	return sample_ask(s);
}

static rv_time later(rv_time t, rv_time d)
{
	rv_time r;

	return __builtin_add_overflow(t, d, &r) ? RV_FOREVER : r;
}

static rv_time tell_after(const struct stall *s)
{
	rv_time d;

	if (__builtin_mul_overflow(s->slow, TELL_AFTER_TIMES, &d))
		return RV_FOREVER;
	return MAX(d, TELL_AFTER_MIN);
}

/* In a step that began then: what is to be done now, and when to look again. */
static rv_time look_at_step(
	struct stall *s, uint64_t step, rv_time began, rv_time now, bool *ret_tell)
{
	rv_time slow_at = later(began, s->slow), tell_at = later(began, tell_after(s));

	if (s->told == step)
		return park(s, step, now);
	if (now <= slow_at)
		return slow_at;
	if (s->sampled != step) {
		s->sampled = step;
		(void)ask(s, step, SAMPLE_FIRST);
	}
	if (now < tell_at)
		return tell_at;
	/* where it was then may be long ago */
	if (s->sampled_last != step) {
		s->sampled_last = step;
		s->answer_by = ask(s, step, SAMPLE_LAST) ? now + ANSWER_WAIT : now;
	}
	if (atomic_load(&s->answered) != atomic_load(&s->asked) && now < s->answer_by)
		return s->answer_by;
	s->told = step;
	*ret_tell = true;
	return now;
}

/* When to look again; RV_FOREVER: it will call. */
static rv_time look_at(struct stall *s, rv_time now, struct notice *ret, bool *ret_tell)
{
	uint64_t step = atomic_load(&s->step);
	rv_time began = atomic_load(&s->began), due;

	if (step % 2 == 0) {
		/* None of those since the last look was long. */
		if (step == s->seen)
			return park(s, step, now);
		s->seen = step;
		return later(now, s->slow);
	}
	if (atomic_load(&s->step) != step) /* began is perhaps another's */
		return later(now, s->slow);
	due = look_at_step(s, step, began, now, ret_tell);
	if (!*ret_tell)
		return due;
	*ret = (struct notice){
		.lasted = now - began,
		.tid = atomic_load(&s->tid),
	};
	if (atomic_load(&s->answered) == N_SAMPLES * step + SAMPLE_LAST)
		ret->sample = s->samples[SAMPLE_LAST];
	return due;
}

/* True: there is something to tell, and then to look again. */
static bool look_at_all(rv_time *ret_due, struct notice *ret)
{
	rv_time now = rv_now(), due = RV_FOREVER;
	bool found = false;

	(void)pthread_mutex_lock(&dog.lock);
	for (struct rv_link *it = dog.list.next; it != &dog.list && !found;
		it = it->next)
		due = MIN(due,
			look_at(LINK_ENTRY(it, struct stall, link), now, ret, &found));
	(void)pthread_mutex_unlock(&dog.lock);
	*ret_due = due == RV_FOREVER ? due : MAX(due, now + LOOK_EVERY_MIN);
	return found;
}

static void sleep_until(rv_time due)
{
	struct timespec ts = time_deadline(due, 0);

	if (due == RV_FOREVER)
		(void)sem_wait(&dog.wake);
	else
		(void)sem_clockwait(&dog.wake, CLOCK_MONOTONIC, &ts);
}

static void *watchdog(void *arg)
{
	struct notice notice;
	rv_time due;

	(void)pthread_setname_np(pthread_self(), "rv-watchdog");
	while (!atomic_load(&dog.stop)) {
		if (look_at_all(&due, &notice))
			tell(&notice);
		else
			sleep_until(due);
	}
	return NULL;
}

/* -- starting and ending it -------------------------------------------------------- */

/* The child has no watchdog, and its loops run no more; it may make others. */
static void forked(void)
{
	(void)pthread_mutex_init(&dog.life, NULL);
	(void)pthread_mutex_init(&dog.lock, NULL);
	link_init(&dog.list);
	dog.n = 0;
	dog.n_forks++;
	dog.running = false;
	sample_forked();
	overflow_unwatch();
}

static void at_fork(void)
{
	(void)pthread_atfork(NULL, NULL, forked);
}

static bool watchdog_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sigset_t all, old;

	if (dog.running)
		return true;
	(void)pthread_once(&once, at_fork);
	atomic_store(&dog.stop, false);
	(void)sem_init(&dog.wake, 0, 0);
	sample_signal_take();
	overflow_watch();
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	dog.running = pthread_create(&dog.thread, NULL, watchdog, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!dog.running) {
		sample_signal_release();
		overflow_unwatch();
	}
	return dog.running;
}

static void watchdog_end(void)
{
	atomic_store(&dog.stop, true);
	watchdog_wake();
	(void)pthread_join(dog.thread, NULL);
	dog.running = false;
	sample_signal_release();
	overflow_unwatch();
}

struct stall *stall_watch(const rv_loop *l)
{
	struct stall *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = l;
	s->slow = l->slow_callback;
	(void)pthread_mutex_lock(&dog.life);
	if (watchdog_start()) {
		s->n_forks = dog.n_forks;
		dog.n++;
		(void)pthread_mutex_lock(&dog.lock);
		link_append(&dog.list, &s->link);
		(void)pthread_mutex_unlock(&dog.lock);
	} else {
		free(s);
		s = NULL;
	}
	(void)pthread_mutex_unlock(&dog.life);
	if (s)
		watchdog_wake();
	return s;
}

struct stall *stall_unwatch(struct stall *s)
{
	if (!s)
		return NULL;
	sample_thread_ends(s); /* perhaps in the midst of a step */
	(void)pthread_mutex_lock(&dog.life);
	if (s->n_forks == dog.n_forks) {
		(void)pthread_mutex_lock(&dog.lock);
		link_unlink(&s->link);
		(void)pthread_mutex_unlock(&dog.lock);
		if (--dog.n == 0)
			watchdog_end();
	}
	(void)pthread_mutex_unlock(&dog.life);
	free(s);
	return NULL;
}

/* -- the loop's thread ------------------------------------------------------------- */

void stall_step_begins(struct stall *s, const struct rv_task *t, rv_time now)
{
	const char *name = t && t->extra && t->extra->name ? t->extra->name : "";

	s->task_id = t ? t->id : 0;
	(void)strncpy(s->task_name, name, sizeof(s->task_name) - 1);
	sample_thread_begins(s);
	atomic_store(&s->began, now);
	(void)atomic_fetch_add(&s->step, 1);
	if (atomic_load(&s->parked) && atomic_exchange(&s->parked, false))
		watchdog_wake();
}

const struct sample *stall_step_ends(struct stall *s)
{
	uint64_t step = atomic_load_explicit(&s->step, memory_order_relaxed);

	if (step % 2 == 0)
		return NULL; /* debug mode was switched on in this step */
	atomic_store(&s->step, step + 1);
	sample_thread_ends(s);
	for (int i = 0; i < N_SAMPLES; i++)
		if (s->samples[i].step == step)
			return &s->samples[i];
	return NULL;
}
