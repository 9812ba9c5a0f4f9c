/* Switching; inlined into who switches, as coro_jump.h says. */
#ifndef RUNTIME_CORO_SWITCH_H
#define RUNTIME_CORO_SWITCH_H

#include <errno.h>

#include "base/macro.h"
#include "runtime/coro.h"

#if CORO_ASAN
#	include <sanitizer/common_interface_defs.h>
#endif
#if CORO_TSAN
#	include <sanitizer/tsan_interface.h>
#endif

/*
 * Annotations. They must be inlined: ThreadSanitizer keeps a shadow call stack per
 * fiber, and a function that is entered on one and left on the other would unbalance
 * both.
 */
static ALWAYS_INLINE void coro_before(struct coro *from, struct coro *to)
{
#if CORO_ASAN
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_size);
#endif
#if CORO_TSAN
	__tsan_switch_to_fiber(to->fiber, 0);
#endif
	(void)from;
	(void)to;
}

/* from: where control came from, if its bounds are not known yet (the leader) */
static ALWAYS_INLINE void coro_after(struct coro *self, struct coro *from)
{
#if CORO_ASAN
	const void *bottom = NULL;
	size_t size = 0;

	__sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
	if (from && !from->stack) {
		from->stack = (void *)(uintptr_t)bottom;
		from->stack_size = size;
	}
#endif
	(void)self;
	(void)from;
}

struct coro_probe {
	struct coro *prober; /* its bounds are learnt on the way */
	void (*fn)(void *arg);
	void *arg;
};

static ALWAYS_INLINE void coro_after_leaving(struct coro *self)
{
	coro_after(self, UNLIKELY(self->probe) ? self->probe->prober : NULL);
}

/* self->probe is set, so it is not self's turn: do what is asked, and leave it again. */
__attribute__((cold)) void coro_answer_probes(struct coro *self);

#ifdef HAVE_CORO_ASM

/* coro_switch for who knows where this thread's errno is: finding it takes a call. */
static ALWAYS_INLINE void coro_switch_errno(
	struct coro *from, struct coro *to, int *errno_at)
{
	int saved = *errno_at;

	coro_before(from, to);
	coro_jump(&from->place, &to->place);
	coro_after_leaving(from);
	if (UNLIKELY(from->probe))
		coro_answer_probes(from);
	*errno_at = saved;
}

/* Leave from, go on with to; returns when something switches back to from. Keeps errno. */
static ALWAYS_INLINE void coro_switch(struct coro *from, struct coro *to)
{
	coro_switch_errno(from, to, &errno);
}

#else

void coro_switch(struct coro *from, struct coro *to);
static inline void coro_switch_errno(struct coro *from, struct coro *to, int *errno_at)
{
	coro_switch(from, to);
}

#endif

#endif
