/*
 * Signals: the handler sets a flag per signal and wakes the loop; no pipe that could
 * fill up. Chains to nobody: what was installed before comes back when the loop lets
 * go.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/invariant.h"
#include "reeve/signal.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

#ifndef NSIG
#	define NSIG 65
#endif

struct signal_slot {
	struct rv_ready ready; /* cb is to run */
	rv_loop *loop;
	rv_cb cb; /* NULL: none */
	void *arg;
	struct rv_link waiters; /* struct signal_seat */
	struct sigaction old;
	bool installed;
	bool is_runners; /* cb is, and yields to whoever else wants the signal */
};

/*
 * What a handler can see. A handler in another thread may still run while its signal is
 * let go, hence the count: signal_uninstall waits until nobody is inside.
 */
static struct {
	_Atomic(struct inbox *) inbox; /* of the owner's loop */
	atomic_bool pending;
	atomic_uint n_fatal; /* 0: no; else 1 + how often it came: the second is */
} owners[NSIG];
static atomic_uint n_inside;
static atomic_int owner_pid;

static void handler(int sig)
{
	int saved = errno;
	struct inbox *b;

	atomic_fetch_add(&n_inside, 1);
	b = atomic_load(&owners[sig].inbox);
	/* A child between vfork and exec shares this memory: the signal was for it. */
	if (b && getpid() == atomic_load(&owner_pid)) {
		if (atomic_load(&owners[sig].n_fatal) &&
			atomic_fetch_add(&owners[sig].n_fatal, 1) > 1) {
			/* takes effect when this handler returns */
			(void)signal(sig, SIG_DFL);
			(void)raise(sig);
		}
		atomic_store(&owners[sig].pending, true);
		atomic_store(&b->signals, true);
		inbox_wake(b);
	}
	atomic_fetch_sub(&n_inside, 1);
	errno = saved;
}

/* After a change of who wants the signal: counting begins anew. */
static void count_fatal(const struct signal_slot *s, int sig)
{
	bool on = s->cb && s->is_runners && link_is_empty(&s->waiters);

	atomic_store(&owners[sig].n_fatal, on ? 1 : 0);
}

static int signal_install(rv_loop *l, struct signal_slot *s, int sig)
{
	struct sigaction sa = {
		.sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK};
	struct inbox *nobody = NULL;

	if (s->installed)
		return 0;
	if (!atomic_compare_exchange_strong(&owners[sig].inbox, &nobody, &l->inbox))
		return -EBUSY;
	atomic_store(&owner_pid, (int)getpid());
	atomic_store(&owners[sig].pending, false);
	(void)sigfillset(&sa.sa_mask);
	if (sigaction(sig, &sa, &s->old) < 0) {
		int r = -errno;

		atomic_store(&owners[sig].inbox, NULL);
		return r;
	}
	s->installed = true;
	return 0;
}

static void signal_uninstall(struct signal_slot *s, int sig)
{
	struct sigaction now;

	if (!s->installed)
		return;
	/* unless the program has put a handler of its own over this one */
	if (sigaction(sig, NULL, &now) == 0 && now.sa_handler == handler)
		(void)sigaction(sig, &s->old, NULL);
	atomic_store(&owners[sig].inbox, NULL);
	while (atomic_load(&n_inside) > 0)
		(void)sched_yield(); /* a few instructions of another thread */
	atomic_store(&owners[sig].pending, false);
	s->installed = false;
}

/* Nobody asks for it any more? */
static void slot_settle(struct signal_slot *s, int sig)
{
	if (!s->cb && link_is_empty(&s->waiters))
		signal_uninstall(s, sig);
}

static void slot_run(struct rv_ready *r)
{
	struct signal_slot *s = CONTAINER_OF(r, struct signal_slot, ready);

	s->loop->ran_callbacks = true;
	LOOP_CALLBACK(s->loop, s->cb);
	if (s->cb)
		s->cb(s->arg);
}

static struct signal_slot *slot_of(rv_loop *l, int sig)
{
	return l->signals && sig > 0 && sig < NSIG ? &l->signals[sig] : NULL;
}

static int slot_get(struct signal_slot **ret, rv_loop *l, int sig)
{
	if (sig <= 0 || sig >= NSIG || sig == SIGKILL || sig == SIGSTOP)
		return -EINVAL;
	if (l->closed)
		return -RV_ELOOPCLOSED;
	if (!l->signals) {
		l->signals = calloc(NSIG, sizeof(*l->signals));
		if (!l->signals)
			return -ENOMEM;
		for (int i = 0; i < NSIG; i++) {
			l->signals[i].loop = l;
			l->signals[i].ready.run = slot_run;
			link_init(&l->signals[i].waiters);
		}
	}
	*ret = &l->signals[sig];
	return signal_install(l, *ret, sig);
}

static int slot_set(rv_loop *l, int sig, rv_cb cb, void *arg, bool is_runners)
{
	struct signal_slot *s;
	int r = slot_get(&s, l, sig);

	if (r < 0)
		return r;
	s->cb = cb;
	s->arg = arg;
	s->is_runners = is_runners;
	count_fatal(s, sig);
	return 0;
}

int rv_signal_on(rv_loop *l, int sig, rv_cb cb, void *arg)
{
	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	return cb ? slot_set(l, sig, cb, arg, false) : -EINVAL;
}

int signal_on_runner(rv_loop *l, int sig, rv_cb cb, void *arg)
{
	return slot_set(l, sig, cb, arg, true);
}

void signal_off_runner(rv_loop *l, int sig)
{
	struct signal_slot *s = slot_of(l, sig);

	if (s && s->is_runners)
		(void)rv_signal_off(l, sig);
}

bool rv_signal_off(rv_loop *l, int sig)
{
	struct signal_slot *s = slot_of(l, sig);

	if (WRONG_THREAD(l))
		return false;
	if (!s || !s->cb)
		return false;
	s->cb = NULL;
	count_fatal(s, sig);
	link_remove(&s->ready.link);
	slot_settle(s, sig);
	return true;
}

/* -- waiting
 * ------------------------------------------------------------------------------ */

struct signal_wait;

struct signal_seat {
	struct rv_link link;      /* in the slot's waiters */
	struct signal_wait *wait; /* NULL: that signal is not in the set */
};

/* on the stack of the waiting task */
struct signal_wait {
	struct waiter w; /* in no list: its seats are */
	int sig;         /* that came; 0 */
	struct signal_seat at[NSIG];
};

static void signal_wait_leave(rv_loop *l, struct signal_wait *sw)
{
	for (int sig = 1; sig < NSIG; sig++) {
		if (!sw->at[sig].wait)
			continue;
		link_unlink(&sw->at[sig].link);
		count_fatal(&l->signals[sig], sig);
		slot_settle(&l->signals[sig], sig);
	}
}

int rv_signal_wait(const sigset_t *set, siginfo_t *ret_info)
{
	struct signal_wait sw = {0};
	struct rv_task *self;
	bool any = false;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	for (int sig = 1; sig < NSIG && r >= 0; sig++) {
		struct signal_slot *s;

		if (sigismember(set, sig) != 1)
			continue;
		any = true;
		r = slot_get(&s, self->loop, sig);
		if (r < 0)
			break;
		sw.at[sig].wait = &sw;
		link_append(&s->waiters, &sw.at[sig].link);
		count_fatal(s, sig);
	}
	if (r >= 0)
		r = any ? task_wait(self, &sw.w, "signal", NULL) : -EINVAL;
	/* One that has come since the cancel would be lost: then that one is the result,
	 * and the cancel bites at the next await. */
	if (r == -ECANCELED && atomic_load(&self->loop->inbox.signals))
		signals_dispatch(self->loop);
	if (sw.sig)
		r = sw.sig;
	signal_wait_leave(self->loop, &sw);
	if (r > 0 && ret_info) {
		memset(ret_info, 0, sizeof(*ret_info));
		ret_info->si_signo = r;
	}
	return r;
}

/* Their seats stay until the tasks run, which may have been woken before. */
static void wake_waiters(struct signal_slot *s, int sig)
{
	for (struct rv_link *it = s->waiters.next; it != &s->waiters; it = it->next) {
		struct signal_wait *sw = LINK_ENTRY(it, struct signal_seat, link)->wait;

		if (sw->sig)
			continue; /* the first of several signals is the answer */
		sw->sig = sig;
		if (sw->w.task->waiter == &sw->w)
			waiter_wake(&sw->w, sig);
	}
}

/* whether cb is to be told, or somebody who waits instead of it */
static bool cb_is_told(const struct signal_slot *s)
{
	return s->cb && !(s->is_runners && !link_is_empty(&s->waiters));
}

void signals_dispatch(rv_loop *l)
{
	atomic_store(&l->inbox.signals, false);
	for (int sig = 1; sig < NSIG && l->signals; sig++) {
		struct signal_slot *s = &l->signals[sig];

		if (!s->installed || !atomic_exchange(&owners[sig].pending, false))
			continue;
		if (cb_is_told(s) && !link_is_linked(&s->ready.link))
			ready_append(l, &s->ready);
		wake_waiters(s, sig);
	}
}

void signals_close(rv_loop *l)
{
	for (int sig = 1; sig < NSIG && l->signals; sig++) {
		struct signal_slot *s = &l->signals[sig];

		link_remove(&s->ready.link);
		s->cb = NULL;
		signal_uninstall(s, sig);
	}
}

void signals_forked(rv_loop *l)
{
	/* whoever was inside is a thread of the parent's */
	atomic_store(&n_inside, 0);
	/* they may stand in a list that is not to be followed: see loop_poison */
	for (int sig = 1; sig < NSIG && l->signals; sig++) {
		l->signals[sig].cb = NULL;
		signal_uninstall(&l->signals[sig], sig);
	}
}
