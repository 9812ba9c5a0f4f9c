/* Debug mode: whether it is on, and the reports of what it finds. */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "reeve/debug.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"
#include "runtime/stall_priv.h"

enum {
	MESSAGE_MAX = 512,
	THREAD_NAME_MAX = 16, /* prctl(2) */
	MISUSES_MAX = 16,     /* reports under way; more at once say nothing new */
};

unsigned n_debug_loops;

void rv_loop_set_debug(rv_loop *l, bool on)
{
	if (atomic_exchange(&l->debug, on) == on)
		return;
	if (on) {
		(void)__atomic_add_fetch(&n_debug_loops, 1, __ATOMIC_RELAXED);
		l->sites = sites_begin_period(l->sites);
		l->stall = stall_watch(l);
	} else {
		(void)__atomic_sub_fetch(&n_debug_loops, 1, __ATOMIC_RELAXED);
		l->stall = stall_unwatch(l->stall);
	}
	loop_update_watched(l);
}

bool rv_loop_debug(const rv_loop *l)
{
	return loop_debug(l);
}

static void place_text(const void *ret, char *buf, size_t size)
{
	struct symbols s = SYMBOLS_NULL;

	symbol_text(&s, (const char *)ret - 1, buf, size);
	symbols_deinit(&s);
}

/* -- the wrong thread -------------------------------------------------------------- */

/* travels to the loop, whose handler runs in its own thread only */
struct misuse {
	struct inbox_node node;
	rv_loop *loop;
	char text[MESSAGE_MAX];
};

static void report_misuse(rv_loop *l, const char *text)
{
	rv_exc e = RV_EXC_NULL;

	e.message = text;
	e.err = -RV_EWRONGLOOP;
	rv_report(l, &e);
}

static void misuse_arrived(struct inbox_node *n)
{
	struct misuse *m = CONTAINER_OF(n, struct misuse, node);

	atomic_fetch_sub(&m->loop->n_misuses, 1);
	report_misuse(m->loop, m->text);
	free(m);
}

static void misuse_text(char *buf, size_t size, const char *fn, const void *caller)
{
	char name[THREAD_NAME_MAX] = "?", place[SYMBOL_MAX];

	(void)pthread_getname_np(pthread_self(), name, sizeof(name));
	place_text(caller, place, sizeof(place));
	(void)snprintf(buf, size,
		"%s was called in thread '%s' (%ld), which is not the loop's, from %s",
		fn, name, (long)syscall(SYS_gettid), place);
}

/* Where it cannot be sent the refusal itself has to do. */
static void send_misuse(rv_loop *l, const char *fn, const void *caller)
{
	struct misuse *m;

	if (atomic_fetch_add(&l->n_misuses, 1) >= MISUSES_MAX ||
		!(m = malloc(sizeof(*m)))) {
		atomic_fetch_sub(&l->n_misuses, 1);
		return;
	}
	m->node.fn = misuse_arrived;
	m->loop = l;
	misuse_text(m->text, sizeof(m->text), fn, caller);
	if (inbox_post(&l->inbox, &m->node) < 0) {
		atomic_fetch_sub(&l->n_misuses, 1);
		free(m);
	}
}

bool debug_wrong_thread(const rv_loop *l, const char *fn, const void *caller)
{
	const struct current *in;

	if (!l || !loop_debug(l))
		return false;
	/* Between two runs, and before the first, nobody can tell whose it is. */
	in = atomic_load(&l->runs_in);
	if (!in || in == &current)
		return false;
	send_misuse((rv_loop *)(uintptr_t)l, fn, caller);
	return true;
}

bool debug_wrong_home(const void *const *home, const char *fn, const void *caller)
{
	const void *here = &current;
	const void *was = __atomic_load_n(home, __ATOMIC_RELAXED);
	char text[MESSAGE_MAX];

	if (!was && current.loop && loop_debug(current.loop))
		(void)__atomic_compare_exchange_n((const void **)(uintptr_t)home, &was,
			here, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (!was || was == here)
		return false;
	misuse_text(text, sizeof(text), fn, caller);
	if (current.loop)
		report_misuse(current.loop, text);
	else
		report_print(text);
	return true;
}

/* -- the wrong place --------------------------------------------------------------- */

static void callback_text(const rv_loop *l, char *buf, size_t size)
{
	struct symbols s = SYMBOLS_NULL;

	if (!l->callback) {
		(void)snprintf(buf, size, "callback");
		return;
	}
	(void)snprintf(buf, size, "callback ");
	symbol_text(
		&s, l->callback, buf + sizeof("callback"), size - sizeof("callback"));
	buf[sizeof("callback") - 1] = ' ';
	symbols_deinit(&s);
}

int debug_await_outside(const char *fn)
{
	char text[MESSAGE_MAX], callback[SYMBOL_MAX];
	rv_exc e = RV_EXC_NULL;

	if (current.loop && current.loop->forked)
		return -RV_ELOOPCLOSED;
	if (!current.loop || !loop_debug(current.loop))
		return -RV_ENOTASK;
	callback_text(current.loop, callback, sizeof(callback));
	(void)snprintf(text, sizeof(text), "%s awaits, which only a task may, in %s",
		fn, callback);
	e.message = text;
	e.err = -RV_ENOTASK;
	rv_report(current.loop, &e);
	return -RV_ENOTASK;
}

/* -- steps and tasks --------------------------------------------------------------- */

/* where it went on to wait, which is where the step ended */
static void step_end_text(struct rv_task *t, char *buf, size_t size)
{
	struct symbols s = SYMBOLS_NULL;
	char place[SYMBOL_MAX];
	struct frames f;

	if (t->done) {
		(void)snprintf(buf, size, "to its end");
	} else if (frames_of(t, &s, &f) && f.i_place < f.n) {
		symbol_text(
			&s, (const char *)f.pcs[f.i_place] - 1, place, sizeof(place));
		(void)snprintf(buf, size, "up to its wait in %s", place);
	} else {
		(void)snprintf(buf, size, "up to its wait");
	}
	symbols_deinit(&s);
}

/* x: where it was meanwhile; NULL: not known */
static void report_slow(
	rv_loop *l, struct rv_task *t, rv_time took, const struct sample *x)
{
	char text[MESSAGE_MAX + SAMPLE_TEXT_MAX], what[SYMBOL_MAX + 32];
	rv_exc e = RV_EXC_NULL;
	double ms = (double)took / (double)RV_MS(1);
	size_t n;

	if (t) {
		step_end_text(t, what, sizeof(what));
		(void)snprintf(text, sizeof(text), "step of task '%s' took %.1f ms, %s",
			rv_task_name(t), ms, what);
	} else {
		callback_text(l, what, sizeof(what));
		(void)snprintf(text, sizeof(text), "%s took %.1f ms", what, ms);
	}
	if (x) {
		n = strlen(text);
		(void)snprintf(text + n, sizeof(text) - n, "; ");
		sample_text(x, text + n + 2, sizeof(text) - n - 2);
	}
	e.message = text;
	e.task = t;
	rv_report(l, &e);
}

void debug_step_begins(rv_loop *l, struct debug_step *s)
{
	l->callback = NULL;
	if (s->is_first)
		site_task_begins(s->task);
	s->began = rv_now();
	if (l->stall)
		stall_step_begins(l->stall, s->task, s->began);
}

/* Debug mode may have been switched on or off meanwhile. */
void debug_step_ended(rv_loop *l, const struct debug_step *s)
{
	const struct sample *x = l->stall ? stall_step_ends(l->stall) : NULL;
	rv_time took = rv_now() - s->began;

	if (s->task && s->task->done)
		site_task_ended(s->task);
	if (took > l->slow_callback)
		report_slow(l, s->task, took, x);
}

bool debug_spawns_from(rv_loop *l, const char *fn, const void *caller)
{
	if (debug_wrong_thread(l, fn, caller))
		return true;
	if (l && loop_debug(l))
		l->spawns_from = caller;
	return false;
}

void debug_note_spawn(struct rv_task *t)
{
	const void *at = TAKE_PTR(t->loop->spawns_from);
	struct task_extra *x = at ? task_extra(t) : NULL;

	if (x)
		x->spawned_at = at;
}

void debug_report_unawaited(struct rv_task *t)
{
	char text[MESSAGE_MAX], place[SYMBOL_MAX];

	if (!t->loop || !loop_debug(t->loop))
		return;
	if (t->extra && t->extra->spawned_at) {
		place_text(t->extra->spawned_at, place, sizeof(place));
		(void)snprintf(text, sizeof(text),
			"task was never awaited, nor detached; spawned in %s", place);
	} else {
		(void)snprintf(
			text, sizeof(text), "task was never awaited, nor detached");
	}
	task_report(t, text);
}

void rv_debug_place(const void *ret, char *buf, size_t size)
{
	place_text(ret, buf, size);
}
