/*
 * Stacks that overflow. The guard below each ends the process, which says nothing of the
 * task; in debug mode a line does, and then it ends as it would have.
 *
 * The handler runs on the alternate stack that debug mode gives to each thread of a loop
 * (debug_sample.c): there is nothing left of the task's. It is set where SIGSEGV has its
 * default action and for as long as it is left there; sanitizers have their own.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
#include "runtime/loop_priv.h"
#include "runtime/stall_priv.h"

static size_t size_of(const struct coro *c)
{
	size_t n = c->stack_size + CORO_GUARD_SIZE;

	return (n + CORO_STACK_MIN - 1) / CORO_STACK_MIN * CORO_STACK_MIN;
}

/* It may have been stopped anywhere, in malloc and stdio as well: snprintf of numbers and
 * short strings takes no memory and no lock. */
static void tell(const struct rv_task *t)
{
	char text[256], name[SAMPLE_NAME_MAX];
	const struct coro *c = t->coro;

	if (t->extra && t->extra->name)
		(void)snprintf(name, sizeof(name), "%s", t->extra->name);
	else
		(void)snprintf(
			name, sizeof(name), "Task-%llu", (unsigned long long)t->id);
	(void)snprintf(text, sizeof(text),
		"reeve: task '%s' has overflowed %s stack of %zu KiB\n", name,
		c->entry == task_coro_entry ? "its" : "a generator's",
		size_of(c) / 1024);
	(void)fd_write_all(STDERR_FILENO, text, strlen(text));
}

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	const struct rv_task *t = current.task;
	int saved = errno;

	if (info->si_code > 0 && t && t->coro && coro_guard_has(t->coro, info->si_addr))
		tell(t);
	/* On return what has faulted does so again, and the core shows where. */
	(void)signal(sig, SIG_DFL);
	if (info->si_code <= 0)
		(void)raise(sig); /* it was sent, by kill(2) */
	errno = saved;
}

void overflow_watch(void)
{
	struct sigaction ours = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction sa;

	if (CORO_TSAN)
		return; /* no alternate stacks, see there */
	(void)sigfillset(&ours.sa_mask);
	if (sigaction(SIGSEGV, NULL, &sa) == 0 && !(sa.sa_flags & SA_SIGINFO) &&
		sa.sa_handler == SIG_DFL)
		(void)sigaction(SIGSEGV, &ours, NULL);
}

void overflow_unwatch(void)
{
	struct sigaction sa;

	if (sigaction(SIGSEGV, NULL, &sa) == 0 && (sa.sa_flags & SA_SIGINFO) &&
		sa.sa_sigaction == on_fault)
		(void)signal(SIGSEGV, SIG_DFL);
}
