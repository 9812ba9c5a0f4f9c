/*
 * How stacks begin, and how they are left where it is not done in place (coro_switch.h):
 * by setjmp. The fortified longjmp aborts when it jumps to a
 * frame that is not above the current one, which is what switching stacks is. Distributions
 * inject the macro, hence before all else.
 */
#undef _FORTIFY_SOURCE

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#ifndef HAVE_CORO_ASM
#	include <ucontext.h>
#endif

#include "base/invariant.h"
#include "runtime/coro_switch.h"

#ifdef HAVE_CORO_ASM

/* coro_asm.S: where a new stack begins; calls coro_begin */
void coro_asm_entry(void);
void coro_begin(struct coro *self) __attribute__((noreturn));

void coro_begin(struct coro *self)
{
	coro_after(self, NULL);
	for (;;)
		self->entry(self);
}

void coro_prepare(struct coro *self, struct coro *to)
{
	uintptr_t top = (uintptr_t)to->stack + to->stack_size;

	(void)self;
	if (to->prepared)
		return;
#	if CORO_TSAN
	to->fiber = __tsan_create_fiber(0);
#	endif
	to->place = (struct coro_place){
		.sp = (void *)(top & ~(uintptr_t)15),
		.pc = (const void *)(uintptr_t)coro_asm_entry,
	};
	to->prepared = true;
}

#	define LEAVE(from, to)                                  \
		do {                                             \
			coro_before(from, to);                   \
			coro_jump(&(from)->place, &(to)->place); \
		} while (0)

#else /* setjmp */

/* The pointers travel through makecontext's int arguments in halves. */
union ptr_halves {
	void *p;
	unsigned u[2];
};

/* Not inlined: what it works with is no local of a function that calls sigsetjmp. */
static NOINLINE void *join_halves(unsigned u0, unsigned u1)
{
	union ptr_halves halves = {.u = {u0, u1}};

	return halves.p;
}

static void trampoline(unsigned self0, unsigned self1, unsigned maker0, unsigned maker1)
{
	struct coro *self = join_halves(self0, self1);
	struct coro *maker = join_halves(maker0, maker1);

	coro_after(self, maker);
	/* Back to the maker at once: from now on the context can be jumped to. */
	if (!sigsetjmp(self->env, 0)) {
		coro_before(self, maker);
		siglongjmp(maker->env, 1);
	}
	coro_after(self, NULL);
	for (;;)
		self->entry(self);
}

NOINLINE void coro_prepare(struct coro *self, struct coro *to)
{
	union ptr_halves to_u = {.p = to};
	union ptr_halves self_u = {.p = self};
	ucontext_t uc;

	_Static_assert(sizeof(void *) <= sizeof(to_u.u), "a pointer fits two ints");
	if (to->prepared)
		return;
#	if CORO_TSAN
	to->fiber = __tsan_create_fiber(0);
#	endif
	INVARIANT(getcontext(&uc) == 0);
	uc.uc_link = NULL;
	uc.uc_stack.ss_sp = to->stack;
	uc.uc_stack.ss_size = to->stack_size;
	uc.uc_stack.ss_flags = 0;
	makecontext(&uc, (void (*)(void))trampoline, 4, to_u.u[0], to_u.u[1],
		self_u.u[0], self_u.u[1]);
	to->prepared = true;
	if (!sigsetjmp(self->env, 0)) {
		coro_before(self, to);
		setcontext(&uc);
	}
	coro_after(self, NULL);
}

/* a macro: nothing that calls setjmp is inlined */
#	define LEAVE(from, to)                           \
		do {                                      \
			if (!sigsetjmp((from)->env, 0)) { \
				coro_before(from, to);    \
				siglongjmp((to)->env, 1); \
			}                                 \
		} while (0)

#endif

void coro_answer_probes(struct coro *self)
{
	while (self->probe) {
		struct coro_probe *p = self->probe;

		self->probe = NULL;
		p->fn(p->arg);
		LEAVE(self, p->prober);
		coro_after_leaving(self);
	}
}

#ifndef HAVE_CORO_ASM
NOINLINE void coro_switch(struct coro *from, struct coro *to)
{
	int saved = errno;

	from->frame = __builtin_frame_address(0);
	LEAVE(from, to);
	coro_after_leaving(from);
	if (UNLIKELY(from->probe))
		coro_answer_probes(from);
	errno = saved;
}
#endif

NOINLINE void coro_probe(struct coro *c, void (*fn)(void *arg), void *arg)
{
	/* Whoever runs here. */
	struct coro self = {.prepared = true};
	struct coro_probe p = {.prober = &self, .fn = fn, .arg = arg};
	int saved = errno;

#if CORO_TSAN
	self.fiber = __tsan_get_current_fiber();
#endif
	c->probe = &p;
	LEAVE(&self, c);
	coro_after(&self, NULL);
	errno = saved;
}

void coro_init_leader(struct coro *c)
{
	*c = (struct coro){.prepared = true};
#if CORO_ASAN
	/* Its bounds are needed when a coroutine switches back; ask before the first.
	 */
	pthread_attr_t attr;

	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		(void)pthread_attr_getstack(&attr, &c->stack, &c->stack_size);
		(void)pthread_attr_destroy(&attr);
	}
#endif
#if CORO_TSAN
	c->fiber = __tsan_get_current_fiber();
#endif
}

void coro_deinit(struct coro *c)
{
#if CORO_TSAN
	if (c->slab && c->fiber)
		__tsan_destroy_fiber(c->fiber);
#endif
	c->fiber = NULL;
}
